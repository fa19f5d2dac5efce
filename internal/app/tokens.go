package app

import (
	"context"
	"errors"
	"fmt"
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

// AddToken makes an API token.
func (a *App) AddToken(ctx context.Context, name string, role affiliate.Role) (NewToken, error) {
	t := NewToken{Token: affiliate.Token{Name: name, Role: role, CreatedAt: a.now()}, Value: affiliate.NewTokenValue()}
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
	return facts{"name": t.Name, "role": t.Role, "ended_at": auditTime(t.EndedAt)}
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
	at time.Time
}

// get gives who holds a token, whether that is new enough to go by, and whether the token was right before.
func (c *tokenCache) get(hash []byte, now time.Time) (p affiliate.Principal, fresh, before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.known[string(hash)]
	age := now.Sub(t.at)
	return t.Principal, ok && age >= 0 && age < tokenCacheTime, ok
}

// forget takes away a token that is no longer right.
func (c *tokenCache) forget(hash []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, string(hash))
}

func (c *tokenCache) put(hash []byte, p affiliate.Principal, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= tokenCacheSize {
		c.known = map[string]cachedToken{}
	}
	c.known[string(hash)] = cachedToken{p, now}
}

// Authenticate gives who holds a token, which came from a network address. The error is Forbidden for a value that is
// no working token, and another for a network of which too many such came.
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
	if now.Sub(t.LastUsedAt) > tokenTouchTime {
		if err := a.DB.TouchToken(ctx, t.ID, now); err != nil {
			a.Log.Warn("note the use of a token", "token", t.ID, "error", err)
		}
	}
	p = affiliate.Principal{ID: t.ID.String(), Name: fmt.Sprintf("token %s (%s)", t.ID, t.Name), Role: t.Role}
	a.tokens.put(hash, p, now)
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
