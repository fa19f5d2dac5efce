package app

import (
	"sync"
	"time"
)

// clickGate bounds the clicks that are recorded of one network, so that one machine neither fills the table of clicks
// nor makes up figures. Offices and mobile carriers share an address: a network may make clicksAtOnce at once, of which
// one comes back every clickReturns.
type clickGate struct {
	mu      sync.Mutex
	full    map[string]time.Time // by network: when all of its clicks are there again
	swept   time.Time
	count   int64 // recorded, since the start
	refused int64 // not recorded
}

const (
	clicksAtOnce  = 600
	clickReturns  = time.Second
	clickNetworks = 200_000 // that are told apart; the others share what one may
)

func newClickGate() *clickGate { return &clickGate{full: map[string]time.Time{}} }

// admit says whether a click is to be recorded.
func (g *clickGate) admit(network string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	full, known := g.full[network]
	if !known && len(g.full) >= clickNetworks {
		g.sweep(now)
		if len(g.full) >= clickNetworks {
			network = ""
			full = g.full[network]
		}
	}
	if full.Before(now) {
		full = now
	}
	if full = full.Add(clickReturns); full.Sub(now) > clicksAtOnce*clickReturns {
		g.refused++
		return false
	}
	g.full[network] = full
	g.count++
	return true
}

// sweep forgets networks that have all of their clicks again. It looks at all of them, so not often.
func (g *clickGate) sweep(now time.Time) {
	if now.Sub(g.swept) < time.Second {
		return
	}
	g.swept = now
	for network, full := range g.full {
		if full.Before(now) {
			delete(g.full, network)
		}
	}
}

// Clicks gives how many clicks were recorded since the start, and how many were not, since one network made too many.
func (l *Links) Clicks() (recorded, refused int64) {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	return l.gate.count, l.gate.refused
}
