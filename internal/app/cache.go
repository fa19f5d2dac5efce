package app

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// platformCache remembers the platform of stores: it never changes.
type platformCache struct {
	db *storage.DB
	mu sync.Mutex
	m  map[affiliate.StoreID]affiliate.Platform
}

func (c *platformCache) get(ctx context.Context, id affiliate.StoreID) (affiliate.Platform, error) {
	c.mu.Lock()
	p, ok := c.m[id]
	c.mu.Unlock()
	if ok {
		return p, nil
	}
	store, err := c.db.Store(ctx, id)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[affiliate.StoreID]affiliate.Platform{}
	}
	c.m[id] = store.Platform
	return store.Platform, nil
}

// zonedSettings reads the account's settings with their time zone.
func zonedSettings(ctx context.Context,
	read func(context.Context) (affiliate.Settings, error)) (affiliate.Settings, *time.Location, error) {
	s, err := read(ctx)
	if err != nil {
		return s, nil, err
	}
	zone, err := affiliate.LoadZone(s.Timezone)
	return s, zone, err
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
