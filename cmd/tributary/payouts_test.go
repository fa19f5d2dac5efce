package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/storage"
)

// owe makes two creators and posts what is owed to them.
func (s shell) owe(amounts ...int64) {
	s.Helper()
	cfg, err := config.Load(func(name string) string { return s.env[name] })
	if err != nil {
		s.Fatal(err)
	}
	a, end, err := openApp(s.Context(), cfg)
	if err != nil {
		s.Fatal(err)
	}
	defer end()
	for _, amount := range amounts {
		creator, err := a.AddCreator(s.Context(), affiliate.Creator{Name: "Anna"})
		if err != nil {
			s.Fatal(err)
		}
		now := time.Now()
		if err := a.DB.InTx(s.Context(), func(tx *storage.Tx) error {
			return tx.AddLedger(s.Context(), []affiliate.LedgerEntry{{CreatorID: creator.ID, Kind: affiliate.Bonus,
				Currency: "USD", Amount: amount, Cause: creator.ID.String(), CreatedAt: now, PayableAt: now}})
		}); err != nil {
			s.Fatal(err)
		}
	}
}

func TestPayoutsCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		if out := s.run("payouts", "due").exits(0).stdout; out != "Nothing is due.\n" {
			s.Error(out)
		}
		s.owe(12000, 500, 80)
		due := s.run("payouts", "due", "--json").exits(0).json()["due"].([]any)
		if d := due[0].(map[string]any); len(due) != 3 || d["creator"] != "cre_1" || d["amount"] != "120.00" ||
			d["accounts"] != 1.0 {
			s.Errorf("due: %v", due)
		}
		if out := s.run("payouts", "due").exits(0).stdout; !strings.Contains(out, "cre_2") ||
			!strings.HasSuffix(out, "In all: 125.80 USD\n") {
			s.Error(out)
		}
		s.run("payouts", "due", "--currency", "QQQ").exits(2, "QQQ")
		s.run("payouts", "issue").exits(2, "CREATOR-ID")
		s.run("payouts", "issue", "cre_1", "--amount", "100").exits(1,
			"--amount 120.00 USD is due to Anna (cre_1), not 100.00; look again")
		s.run("payouts", "issue", "cre_1", "cre_2", "--amount", "100").exits(2, "--amount goes with one creator")
		s.run("payouts", "issue", "cre_1", "cre_9").exits(1, "there is no cre_9")
		s.run("payouts", "issue", "anna").exits(1, "cre_1")
		paid := s.run("payouts", "issue", "cre_1", "--amount", "120", "--method", "cash",
			"--json").exits(0).json()["payouts"].([]any)
		if p := paid[0].(map[string]any); len(paid) != 1 || p["id"] != "pay_1" || p["amount"] != "120.00" ||
			p["method"] != "cash" || p["state"] != "paid" {
			s.Errorf("paid: %v", paid)
		}
		if out := s.run("payouts", "issue", "cre_3", "cre_2").exits(0).stdout; !strings.Contains(out,
			": 0.80 USD to cre_3.\n") || !strings.Contains(out, ": 5.00 USD to cre_2.\n") {
			s.Error(out)
		}
		s.run("payouts", "issue", "cre_1").exits(1, "nothing is due to Anna (cre_1)")
		s.run("payouts", "cancel", "pay_1").exits(2, "missing: --reason")
		s.run("payouts", "cancel", "pay_1", "--reason", " ").exits(1, "--reason must say why")
		s.run("payouts", "cancel", "pay_9", "--reason", "typo").exits(1, "there is no pay_9")
		if out := s.run("payouts", "cancel", "pay_1", "--reason", "account closed").exits(0).
			stdout; out != "Payout pay_1 is canceled; 120.00 USD is owed to cre_1 again.\n" {
			s.Error(out)
		}
		if p := s.run("payouts", "cancel", "pay_1", "--reason", "again",
			"--json").exits(0).json(); p["state"] != "canceled" {
			s.Errorf("canceled: %v", p)
		}
		s.run("payouts", "issue", "cre_1", "--currency", "usd").exits(0)
		s.run("payouts", "cancel", "bat_9", "--reason", "typo").exits(1, "there is no bat_9")
		if out := s.run("payouts", "cancel", "bat_1", "--reason", "refused").exits(0).
			stdout; !strings.HasPrefix(out, "The batch bat_1 (") || !strings.Contains(out, "2 payouts) is canceled") {
			s.Error(out)
		}
		if out := s.run("payouts", "due").exits(0).stdout; !strings.HasSuffix(out, "In all: 5.80 USD\n") {
			s.Error(out)
		}
	})
}
