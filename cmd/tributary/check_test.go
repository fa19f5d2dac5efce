package main

import (
	"strings"
	"testing"
)

func TestCheckCommand(t *testing.T) {
	eachShell(t, func(s shell) {
		s.run("migrate").exits(0)
		if out := s.run("check").exits(0).stdout; !strings.Contains(out, "All sums equal the facts") {
			s.Errorf("an empty database: %s", out)
		}
		s.byHand(`INSERT INTO balances (offer_member_id, creator_id, campaign_id, currency, balance, paid) VALUES (1, 1, 1, 'EUR', 500, 0)`)
		s.run("check").exits(1, "balances holds what the facts add up to", "balance=500", "--repair")
		if out := s.run("check", "--json").exits(1).json(); out["ok"] != false || len(out["findings"].([]any)) != 1 {
			s.Errorf("got %v", out)
		}
		s.run("check", "--repair").exits(0)
		if out := s.run("check", "--json").exits(0).json(); out["ok"] != true || len(out["findings"].([]any)) != 0 {
			s.Errorf("after the repair: %v", out)
		}
	})
}
