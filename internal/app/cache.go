package app

import (
	"context"
	"strings"
	"sync"
	"unicode"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// storeCache remembers stores for their platform, which never changes, and for their domain: whoever relies on it reads
// the store anew before something is refused.
type storeCache struct {
	db *storage.DB
	mu sync.Mutex
	m  map[affiliate.StoreID]affiliate.Store
}

func (c *storeCache) get(ctx context.Context, id affiliate.StoreID) (affiliate.Store, error) {
	c.mu.Lock()
	store, ok := c.m[id]
	c.mu.Unlock()
	if ok {
		return store, nil
	}
	return c.read(ctx, id)
}

// read gives a store as it is now.
func (c *storeCache) read(ctx context.Context, id affiliate.StoreID) (affiliate.Store, error) {
	store, err := c.db.Store(ctx, id)
	if err != nil {
		return store, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[affiliate.StoreID]affiliate.Store{}
	}
	c.m[id] = store
	return store, nil
}

// cleanText makes any text fit for a text column: valid UTF-8 without control characters (PostgreSQL refuses
// NUL and broken UTF-8).
func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
}
