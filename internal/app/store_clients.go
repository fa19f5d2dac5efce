package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// storeClients keeps one client of each store whose API is asked: it knows how much of the store's budget is used.
type storeClients struct {
	mu sync.Mutex
	m  map[affiliate.StoreID]*storeEntry
}

type storeEntry struct {
	healing sync.Mutex // one at a time makes and deletes the store's webhooks

	mu     sync.Mutex
	client StoreClient
	sealed string // the keys that client was opened with; sealing them again gives something else
	code   string // of the trouble that was noted last; empty for an answer
	noted  time.Time
}

// of gives the entry of a store.
func (c *storeClients) of(id affiliate.StoreID) *storeEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.m[id]
	if e == nil {
		e = &storeEntry{}
		if c.m == nil {
			c.m = map[affiliate.StoreID]*storeEntry{}
		}
		c.m[id] = e
	}
	return e
}

// take puts a client in place that was opened with keys already.
func (e *storeEntry) take(client StoreClient, sealed []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.client, e.sealed, e.code, e.noted = client, string(sealed), "", time.Time{}
}

// use says how much this process has used of a store's budget.
func (e *storeEntry) use() (use affiliate.APIUse) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		use = e.client.Use()
	}
	return use
}

// notConnected is the error of what needs a store's API.
func notConnected(store fmt.Stringer) error {
	return affiliate.ForPeople(affiliate.Errorf(affiliate.Conflict, "%s is not connected with its API: connect it "+
		"with tributary store connect --store, or on its page", store), "The store's API is not connected.")
}

// storeClient gives the client of a store; Conflict where its API is not asked. What it answers goes through asked.
func (a *App) storeClient(ctx context.Context, id affiliate.StoreID) (StoreClient, error) {
	access, err := a.DB.StoreAccess(ctx, id)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return nil, notConnected(id)
	}
	if err != nil {
		return nil, err
	}
	store, err := a.DB.Store(ctx, id)
	if err != nil {
		return nil, err
	}
	client, err := a.clientOf(store, access)
	if err != nil {
		return nil, a.asked(ctx, id, err)
	}
	return client, nil
}

// clientOf gives the client that was opened with a store's keys, or opens it.
func (a *App) clientOf(store affiliate.Store, access storage.StoreAccess) (StoreClient, error) {
	e := a.clients.of(store.ID)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil && e.sealed == string(access.Sealed) {
		return e.client, nil
	}
	connector := a.Connectors[store.Platform]
	if connector == nil {
		return nil, affiliate.Errorf(affiliate.Conflict, "the API of %s stores cannot be asked",
			a.Platforms.Guide(store.Platform).Name)
	}
	plain, err := a.Sealer.Open(SealStoreKeys, access.Sealed)
	if err != nil {
		return nil, &affiliate.Error{Kind: affiliate.Forbidden, Code: affiliate.StoreKeysRefused,
			Message: "the store's keys were sealed with another SECRET_KEY: give them anew"}
	}
	var keys affiliate.StoreKeys
	if err := json.Unmarshal(plain, &keys); err != nil {
		return nil, fmt.Errorf("read the keys of store %s: %w", store.Slug, err)
	}
	e.client, e.sealed, e.code, e.noted = connector.Open(keys), string(access.Sealed), "", time.Time{}
	return e.client, nil
}

// Outcomes of asking a store are written down at most so often while they stay the same.
const noteEvery = 30 * time.Second

// lastingTroubles are those that an answer to another question does not end: a full look at the store does.
var lastingTroubles = []string{affiliate.StoreForbidden, affiliate.StoreNoWebhooks}

// asked notes how a store answered, and gives the error that it is given. All that clients of stores give goes through
// it, so that the store's page says whether its API answers.
func (a *App) asked(ctx context.Context, store affiliate.StoreID, err error) error {
	a.noteAnswer(ctx, store, err, lastingTroubles)
	var e *affiliate.Error
	if errors.As(err, &e) && e.Code == affiliate.StoreKeysRefused && e.Field != "" {
		whole := *e
		whole.Field = "" // nobody fills in a form with keys
		return &whole
	}
	return err
}

func (a *App) noteAnswer(ctx context.Context, store affiliate.StoreID, err error, lasting []string) {
	code, trouble := storeTrouble(err)
	if err != nil && code == "" || ctx.Err() != nil {
		return
	}
	now, e := a.now(), a.clients.of(store)
	e.mu.Lock()
	before := e.code
	known := lasting != nil && code == e.code && !e.noted.IsZero() && now.Sub(e.noted).Abs() < noteEvery
	if !known {
		e.code, e.noted = code, now
	}
	e.mu.Unlock()
	if known {
		return
	}
	ctx = storage.NotAlongside(ctx)
	noted := error(nil)
	if err == nil {
		noted = a.DB.NoteStoreAnswer(ctx, store, now, lasting...)
	} else {
		noted = a.DB.NoteStoreTrouble(ctx, store, code, trouble, now)
	}
	if noted != nil {
		a.lines.Log(a.Log, slog.LevelWarn, store.String(), "how a store answers is not noted", "store", store,
			"error", noted)
	}
	if before != code {
		a.touched([]affiliate.StoreID{store})
	}
}

// IsStoreTrouble says whether an error is what a store answered, or that it did not: it is noted with the store.
func IsStoreTrouble(err error) bool {
	code, _ := storeTrouble(err)
	return code != ""
}

// storeTrouble gives the code and the sentence of an error that a client of a store gave; nothing for others.
func storeTrouble(err error) (code, sentence string) {
	var e *affiliate.Error
	if errors.As(err, &e) && strings.HasPrefix(e.Code, "store_") {
		return e.Code, e.Message
	}
	return "", ""
}
