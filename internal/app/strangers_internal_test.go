package app

import (
	"fmt"
	"testing"
	"time"
)

// TestAttack_slugsCache: however many slugs strangers try, the links that are known stay so.
func TestAttack_slugsCache(t *testing.T) {
	l := &Links{targets: map[string]cachedTarget{"anna": {found: true}}, missing: map[string]cachedTarget{}}
	for n := range 3 * linkCache {
		l.keep(map[string]cachedTarget{fmt.Sprint("guess-", n): {}})
	}
	if !l.targets["anna"].found || len(l.targets) != 1 || len(l.missing) > linkCache {
		t.Errorf("%d links and %d other slugs are remembered", len(l.targets), len(l.missing))
	}
}

// TestClickGate_networks: however many networks there are, what is remembered is bounded, and forgotten in time.
func TestClickGate_networks(t *testing.T) {
	g, now := newClickGate(), time.Now()
	for n := range clickNetworks + clicksAtOnce + 10 {
		g.admit(fmt.Sprint(n), now)
	}
	if len(g.full) > clickNetworks+1 || g.refused == 0 {
		t.Errorf("%d networks are remembered, %d clicks refused", len(g.full), g.refused)
	}
	if g.admit("another", now.Add(time.Hour)); len(g.full) != 1 {
		t.Errorf("%d networks are remembered an hour later", len(g.full))
	}
}

// TestStrangers_networks: of more networks than are told apart, the others share what one may.
func TestStrangers_networks(t *testing.T) {
	var s strangers
	now := time.Now()
	_ = s.suspect("first", now)
	for n := range wrongNetworks + wrongGuesses {
		s.guessed(fmt.Sprint(n), now)
	}
	if s.suspect("another", now) == nil || s.suspect("0", now) != nil || len(s.wrong) > wrongNetworks+1 {
		t.Errorf("%d networks are remembered", len(s.wrong))
	}
	if s.suspect("another", now.Add(time.Minute)) != nil {
		t.Error("a network is refused a minute later")
	}
}
