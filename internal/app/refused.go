package app

import (
	"log/slog"
	"maps"
	"sync"
)

// Refusal is a kind of attempt that was turned away, which somebody who watches over the server wants to hear of.
type Refusal string

const (
	RefusedSignIn       Refusal = "sign_in"       // a wrong password, or an unknown e-mail address
	RefusedTooMany      Refusal = "too_many"      // a password or code after too many wrong ones, or too many at once
	RefusedSecondFactor Refusal = "second_factor" // a wrong or used code
	RefusedSetup        Refusal = "set_up"        // somebody without the link would be the first owner
	RefusedToken        Refusal = "token"         // unknown, expired or ended
	RefusedPermission   Refusal = "permission"    // a page or an operation that the role may not use
	RefusedDelivery     Refusal = "delivery"      // wrong signature, another shop, no such store
	RefusedKeys         Refusal = "keys"          // of a store, that nobody asked for, or that do not serve
)

// refusals counts by kind since the start, and tells of them in few lines. The zero value works.
type refusals struct {
	seldom Seldom
	mu     sync.Mutex
	n      map[Refusal]int64
}

// Refused notes an attempt from a network address that was turned away. args are pairs for the log: what was tried and
// by whom, as ids; never a password, a token or an e-mail address.
func (a *App) Refused(kind Refusal, address string, args ...any) {
	r := &a.refusals
	r.mu.Lock()
	if r.n == nil {
		r.n = map[Refusal]int64{}
	}
	r.n[kind]++
	r.mu.Unlock()
	r.seldom.Log(a.Log, slog.LevelWarn, Network(address), "refused: "+string(kind),
		append([]any{"address", address}, args...)...)
}

// Refusals gives the counts since the start, by kind.
func (a *App) Refusals() map[Refusal]int64 {
	a.refusals.mu.Lock()
	defer a.refusals.mu.Unlock()
	return maps.Clone(a.refusals.n)
}
