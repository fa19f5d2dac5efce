package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// strangers bounds what those who are not known may make the database look up: tokens and sessions that nobody has. Few
// look-ups run at once, and a network that has guessed wrong often is refused without one for the rest of the minute.
// Tokens and sessions that were right before are no strangers'. The zero value works.
type strangers struct {
	once sync.Once
	gate chan struct{}

	mu       sync.Mutex
	minute   time.Time
	wrong    map[string]int // by network, in this minute
	sessions map[[sha256.Size]byte]struct{}
	lookups  map[string]int64 // by what was looked up, since the start
}

// Bounds of strangers.
const (
	strangersAtOnce = 4
	wrongGuesses    = 60      // of a network in a minute
	wrongNetworks   = 20_000  // that are told apart; the others share what one may
	knownSessions   = 100_000 // that are remembered
)

// counted counts one look-up that a stranger caused.
func (s *strangers) counted(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lookups == nil {
		s.lookups = map[string]int64{}
	}
	s.lookups[what]++
}

// Lookups gives how often the database was asked for something that a stranger named, since the start: "stores",
// "links", "tokens", "sessions" or "requests".
func (a *App) Lookups() map[string]int64 {
	a.strangers.mu.Lock()
	defer a.strangers.mu.Unlock()
	return maps.Clone(a.strangers.lookups)
}

// name is under what the wrong guesses of a network are counted.
func (s *strangers) name(network string, now time.Time) string {
	if now.Sub(s.minute) >= time.Minute || now.Before(s.minute) || s.wrong == nil {
		s.minute, s.wrong = now, map[string]int{}
	}
	if _, known := s.wrong[network]; !known && len(s.wrong) >= wrongNetworks {
		return ""
	}
	return network
}

// suspect is an error for a network that has guessed wrong too often.
func (s *strangers) suspect(network string, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong[s.name(network, now)] < wrongGuesses {
		return nil
	}
	return &affiliate.Error{Kind: affiliate.Unavailable, Code: "rate_limited", Message: fmt.Sprintf(
		"more than %d tokens, sessions or requests that nobody has came from your network; try again in a minute",
		wrongGuesses)}
}

// guessed counts a wrong guess.
func (s *strangers) guessed(network string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong[s.name(network, now)]++
}

// ask lets a stranger's look-up run. It is a wrong guess when find gives NotFound.
func (s *strangers) ask(ctx context.Context, what, address string, find func() error) error {
	s.once.Do(func() { s.gate = make(chan struct{}, strangersAtOnce) })
	network := Network(address)
	if err := s.suspect(network, time.Now()); err != nil {
		return err
	}
	select {
	case s.gate <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.gate }()
	if err := s.suspect(network, time.Now()); err != nil { // of many sent at once, all passed before
		return err
	}
	s.counted(what)
	err := find()
	if affiliate.KindOf(err) == affiliate.NotFound {
		s.guessed(network, time.Now())
	}
	return err
}

// Session gives a session by its token, which came from a network address; NotFound when it has ended.
func (a *App) Session(ctx context.Context, token, address string) (found storage.Session, err error) {
	key := sha256.Sum256([]byte(token))
	a.strangers.mu.Lock()
	_, known := a.strangers.sessions[key]
	a.strangers.mu.Unlock()
	if known {
		return a.session(ctx, token)
	}
	err = a.strangers.ask(ctx, "sessions", address, func() (err error) {
		found, err = a.session(ctx, token)
		return err
	})
	if err == nil {
		a.NoteSession(token)
	}
	return found, err
}

// NoteSession notes that a session's token is right: whoever has it is no stranger.
func (a *App) NoteSession(token string) {
	a.strangers.mu.Lock()
	defer a.strangers.mu.Unlock()
	if a.strangers.sessions == nil || len(a.strangers.sessions) >= knownSessions {
		a.strangers.sessions = map[[sha256.Size]byte]struct{}{}
	}
	a.strangers.sessions[sha256.Sum256([]byte(token))] = struct{}{}
}
