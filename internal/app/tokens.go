package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewToken is a token with its value, which is shown this once.
type NewToken struct {
	affiliate.Token
	Value string
}

// TokenDraft is what a token is made of.
type TokenDraft struct {
	Name    string
	Role    affiliate.Role
	MayPay  bool      // of a manager
	Expires time.Time // zero: never
}

// ExpiryOf reads until when a token works, as people write it: "90d", "2027-01-31" in the account's zone, or "never".
func (a *App) ExpiryOf(ctx context.Context, text string) (time.Time, error) {
	_, zone, err := a.DB.SavedAccount(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return affiliate.ParseExpiry(text, a.now(), zone)
}

// AddToken makes an API token.
func (a *App) AddToken(ctx context.Context, d TokenDraft) (NewToken, error) {
	t := NewToken{Token: affiliate.Token{Name: d.Name, Role: d.Role, MayPay: d.MayPay, CreatedAt: a.now(),
		ExpiresAt: d.Expires}, Value: affiliate.NewTokenValue()}
	if err := t.Validate(); err != nil {
		return NewToken{}, err
	}
	hash, _ := affiliate.HashToken(t.Value)
	err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		if t.Token, err = tx.CreateToken(ctx, t.Token, hash); err != nil {
			return err
		}
		return a.audit(ctx, tx, "token.add", t.ID, nil, tokenFacts(t.Token))
	})
	return t, err
}

// EndToken ends a token within seconds. Ending it again changes nothing.
func (a *App) EndToken(ctx context.Context, id affiliate.TokenID) (affiliate.Token, error) {
	var after affiliate.Token
	err := a.DB.InTx(ctx, func(tx *storage.Tx) error {
		before, err := tx.Token(ctx, id)
		if err != nil || !before.EndedAt.IsZero() {
			after = before
			return err
		}
		if err := tx.EndToken(ctx, id, a.now()); err != nil {
			return err
		}
		if after, err = tx.Token(ctx, id); err != nil {
			return err
		}
		return a.audit(ctx, tx, "token.end", id, tokenFacts(before), tokenFacts(after))
	})
	return after, err
}

func tokenFacts(t affiliate.Token) facts {
	return facts{"name": t.Name, "role": t.Role, "may_pay": t.MayPay, "ended_at": auditTime(t.EndedAt),
		"expires_at": auditTime(t.ExpiresAt)}
}

// Limits of the cache of tokens: how long an ended token may go on working, and how many are remembered.
const (
	tokenCacheTime = 2 * time.Second
	tokenCacheSize = 1000
	tokenTouchTime = 10 * time.Minute // last_used_at is this exact
)

// tokenCache spares the database a look-up per request. The zero value works.
type tokenCache struct {
	mu    sync.Mutex
	known map[string]cachedToken
}

type cachedToken struct {
	affiliate.Principal
	at      time.Time
	expires time.Time // zero: never
}

// get gives who holds a token, whether that is new enough to go by, and whether the token was right before.
func (c *tokenCache) get(hash []byte, now time.Time) (p affiliate.Principal, fresh, before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.known[string(hash)]
	age := now.Sub(t.at)
	expired := !t.expires.IsZero() && !now.Before(t.expires)
	return t.Principal, ok && age >= 0 && age < tokenCacheTime && !expired, ok
}

// forget takes away a token that is no longer right.
func (c *tokenCache) forget(hash []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, string(hash))
}

func (c *tokenCache) put(hash []byte, p affiliate.Principal, now, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= tokenCacheSize {
		c.known = map[string]cachedToken{}
	}
	c.known[string(hash)] = cachedToken{p, now, expires}
}

// Authenticate gives who holds a token, which came from a network address. The error is Forbidden for a value that is
// no working token, and another for a network of which too many such came; where it was a token, its id is given all
// the same.
func (a *App) Authenticate(ctx context.Context, value, address string) (affiliate.Principal, error) {
	hash, ok := affiliate.HashToken(value)
	if !ok {
		return affiliate.Principal{}, errNoToken
	}
	now := a.Now()
	p, fresh, before := a.tokens.get(hash, now)
	if fresh {
		return p, nil
	}
	t, err := a.lookUpToken(ctx, hash, address, before)
	if affiliate.KindOf(err) == affiliate.NotFound {
		a.tokens.forget(hash)
		return affiliate.Principal{}, errNoToken
	}
	var refused *affiliate.Error
	if errors.As(err, &refused) {
		return affiliate.Principal{}, err
	}
	if err != nil {
		return affiliate.Principal{}, fmt.Errorf("look up a token: %w", err)
	}
	p = affiliate.Principal{ID: t.ID.String(), Pay: t.MayPay}
	if !t.EndedAt.IsZero() || t.Expired(now) {
		a.tokens.forget(hash)
	}
	switch {
	case !t.EndedAt.IsZero():
		return p, errNoToken
	case t.Expired(now):
		return p, &affiliate.Error{Kind: affiliate.Forbidden, Code: "unauthenticated",
			Message: "this token expired on " + t.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC") +
				"; an owner makes a new one with: tributary token add"}
	}
	p.Name, p.Role = fmt.Sprintf("token %s (%s)", t.ID, t.Name), t.Role
	if now.Sub(t.LastUsedAt) > tokenTouchTime {
		ctx, cancel := a.DB.Within(ctx, touchLimit)
		defer cancel()
		if err := a.DB.TouchToken(storage.ForLittle(ctx), t.ID, now); err != nil {
			a.lines.Log(a.Log, slog.LevelWarn, "", "note the use of a token", "token", t.ID, "error", err)
		}
	}
	a.tokens.put(hash, p, now, t.ExpiresAt)
	return p, nil
}

// lookUpToken reads a token, as a stranger's unless it was right before.
func (a *App) lookUpToken(ctx context.Context, hash []byte, address string,
	before bool) (t affiliate.Token, err error) {
	if before {
		return a.DB.TokenByHash(ctx, hash)
	}
	err = a.strangers.ask(ctx, "tokens", address, func() (err error) {
		t, err = a.DB.TokenByHash(ctx, hash)
		return err
	})
	return t, err
}

var errNoToken = &affiliate.Error{Kind: affiliate.Forbidden, Code: "unauthenticated",
	Message: "this token is not known, or was ended; an owner makes one with: tributary token add"}
