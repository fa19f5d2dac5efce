package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Receiver takes in the webhooks of all stores: finds the store, checks the signature, keeps the delivery.
type Receiver struct {
	app    *App
	intake *Intake
	counts *Counters

	picture atomic.Pointer[storesPicture]

	loading sync.Mutex
	lines   Seldom
	// Guarded by loading.
	tried  time.Time // when the last look at the stores began
	rested time.Time // they are not looked at again before this time, after a look that failed
	failed error     // of the last look; nil when it succeeded
}

// storesPicture is what a look at the stores found. What one finds in it is judged by its own age: by the time that one
// asks for it, somebody else may have brought a newer one.
type storesPicture struct {
	bySlug map[string]*receivingStore
	byShop map[shop][]*receivingStore // of platforms whose headers name the shop
	begun  time.Time                  // when the look began; zero before the first one
}

// shop is how headers name a store.
type shop struct {
	platform affiliate.Platform
	domain   string // lower case
}

type receivingStore struct {
	id       affiliate.StoreID
	platform affiliate.Platform
	domain   string
	secrets  [][]byte
	sealed   bool // some of its secrets cannot be read here
}

// storesAge is how old the receiver's picture of the stores may become; a store or secret that it does not know makes
// it look again at once, but not more often than storesPause.
const (
	storesAge   = 2 * time.Second
	storesPause = 25 * time.Millisecond
	// freshenLimit bounds a look for what changed while an older picture can serve. A look that must tell who a
	// delivery is from has longer, and a second try: the first may have met a connection that hangs.
	freshenLimit = time.Second
	storesLimit  = 2 * time.Second
	storesTries  = 2
	// storesRest is how long the picture is left alone after a look that failed: every delivery would wait for a
	// database that hangs, one after the other.
	storesRest = time.Second
)

// NewReceiver makes a receiver over an intake.
func NewReceiver(a *App, intake *Intake, counts *Counters) *Receiver {
	r := &Receiver{app: a, intake: intake, counts: counts}
	r.picture.Store(&storesPicture{})
	return r
}

// Receipt says what became of a request.
type Receipt string

const (
	ReceiptKept         Receipt = "accepted"
	ReceiptPing         Receipt = "ping"
	ReceiptUnknownStore Receipt = "unknown_store"
	ReceiptBadSignature Receipt = "bad_signature"
	ReceiptTooLarge     Receipt = "too_large"
	ReceiptUnreadable   Receipt = "unreadable"
	ReceiptUnavailable  Receipt = "unavailable"
	ReceiptOtherShop    Receipt = "other_shop" // signed with the store's secret, but of another shop of the same app
)

// stores finds the store that a request is for: by the slug in its path, or, without one, by the shop in its headers.
// Several stores may share a shop (one app installed twice); then the signature decides. The time is when they were
// looked at.
func (r *Receiver) stores(ctx context.Context, platform affiliate.Platform, slug string,
	h http.Header) ([]*receivingStore, time.Time, error) {
	found, begun := r.find(platform, slug, h)
	age := time.Since(begun)
	switch {
	case len(found) > 0 && age > storesAge:
		if !r.loading.TryLock() {
			return found, begun, nil // somebody else looks; a picture that is a little old is better than a wait
		}
		_ = r.look(ctx, 1, freshenLimit) // the old picture serves
		r.loading.Unlock()
		found, begun = r.find(platform, slug, h)
	case len(found) == 0 && age > storesPause:
		if err := r.load(ctx); err != nil {
			return nil, begun, err // it cannot be said that there is no such store
		}
		found, begun = r.find(platform, slug, h)
	}
	return found, begun, nil
}

// Knows says whether a store is connected under an address, or with the shop that the headers name.
func (r *Receiver) Knows(ctx context.Context, platform affiliate.Platform, slug string, h http.Header) (bool, error) {
	stores, _, err := r.stores(ctx, platform, slug, h)
	return len(stores) > 0, err
}

// find looks into the picture there is, and says when it was taken.
func (r *Receiver) find(platform affiliate.Platform, slug string, h http.Header) ([]*receivingStore, time.Time) {
	picture := r.picture.Load()
	p := r.app.Platforms.Of(platform)
	if p == nil {
		return nil, picture.begun
	}
	if slug == "" {
		return picture.byShop[shop{platform, p.Shop(h)}], picture.begun
	}
	if s := picture.bySlug[slug]; s != nil && s.platform == platform {
		return []*receivingStore{s}, picture.begun
	}
	return nil, picture.begun
}

// load looks at the stores anew, or waits for who does; not more often than storesPause, however many ask.
func (r *Receiver) load(ctx context.Context) error {
	before := time.Now()
	r.loading.Lock()
	defer r.loading.Unlock()
	if r.tried.After(before.Add(-storesPause)) {
		return r.failed // somebody else has just looked
	}
	return r.look(ctx, storesTries, storesLimit)
}

// look reads the stores, each try within a limit. The caller holds loading.
func (r *Receiver) look(ctx context.Context, tries int, limit time.Duration) error {
	if time.Now().Before(r.rested) {
		return r.failed
	}
	r.tried = time.Now()
	r.app.strangers.counted("stores")
	var rows []storage.ReceiverStore
	var err error
	for range tries {
		// Others rely on the answer, so it does not end with the request that happens to ask.
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		rows, err = r.app.DB.ReceiverStores(within)
		cancel()
		if !storage.IsUnavailable(err) {
			break
		}
	}
	if r.failed = err; err != nil {
		r.rested = time.Now().Add(storesRest)
		r.lines.Log(r.app.Log, slog.LevelWarn, "", "stores not readable, their last known secrets serve", "error", err)
		return err
	}
	bySlug, byShop := make(map[string]*receivingStore, len(rows)), map[shop][]*receivingStore{}
	for _, row := range rows {
		s := &receivingStore{id: row.ID, platform: row.Platform, domain: row.Domain}
		for _, sealed := range row.Sealed {
			secret, err := r.app.Sealer.Open(SealWebhookSecret, sealed)
			if err != nil {
				r.lines.Log(r.app.Log, slog.LevelError, row.Slug, "webhook secret not readable", "store", row.Slug,
					"error", err)
				s.sealed = true
				continue
			}
			s.secrets = append(s.secrets, secret)
		}
		bySlug[row.Slug] = s
		if r.app.Platforms.Guide(row.Platform).ShopHeader != "" {
			named := shop{row.Platform, strings.ToLower(row.Domain)}
			byShop[named] = append(byShop[named], s)
		}
	}
	r.picture.Store(&storesPicture{bySlug, byShop, r.tried})
	return nil
}

// Receive takes in one request whose raw body has been read. A receipt of ReceiptKept means that the delivery is
// committed, or had been before.
func (r *Receiver) Receive(ctx context.Context, platform affiliate.Platform, slug string, h http.Header,
	body []byte) (Receipt, error) {
	stores, begun, err := r.stores(ctx, platform, slug, h)
	if err != nil {
		return ReceiptUnavailable, err
	}
	if len(stores) == 0 {
		return ReceiptUnknownStore, nil
	}
	p := r.app.Platforms.Of(platform)
	if p.Unsigned(h, body) {
		r.counts.Count(stores[0].id, string(ReceiptPing))
		return ReceiptPing, nil
	}
	store := verified(p, stores, h, body)
	if store == nil && time.Since(begun) > storesPause {
		// The secret may have been changed a moment ago.
		if err := r.load(ctx); err != nil {
			// It must not be refused for good by a picture that may be old.
			r.counts.Count(stores[0].id, string(ReceiptUnavailable))
			return ReceiptUnavailable, err
		}
		stores, _ = r.find(platform, slug, h)
		store = verified(p, stores, h, body)
		if len(stores) == 0 {
			return ReceiptUnknownStore, nil // disconnected a moment ago
		}
	}
	if store == nil && slices.ContainsFunc(stores, func(s *receivingStore) bool { return s.sealed }) {
		// Perhaps it was signed with the secret that cannot be read: it must not be refused for good.
		r.counts.Count(stores[0].id, string(ReceiptUnavailable))
		return ReceiptUnavailable, errors.New("a webhook secret of the store was sealed with another key (SECRET_KEY)")
	}
	if store == nil {
		r.counts.Count(stores[0].id, string(ReceiptBadSignature))
		return ReceiptBadSignature, nil
	}
	guide := p.Guide()
	if shop := p.Shop(h); guide.OtherShop(store.domain, shop) {
		r.counts.OtherShop(store.id, shop)
		return ReceiptOtherShop, nil
	}
	now := r.app.Now()
	topic := sentTopic(p.Topic(h))
	err = r.intake.Keep(storage.NewDelivery{StoreID: store.id, Key: p.Key(h, body), Topic: topic,
		ReceivedAt: now, Payload: packPayload(p.KeptHeaders(), h, body)})
	if err != nil {
		r.counts.Count(store.id, string(ReceiptUnavailable))
		return ReceiptUnavailable, err
	}
	r.counts.Received(store.id, topic, guide.Needs(topic), now)
	return ReceiptKept, nil
}

// Refuse counts a request that was turned away before its body could be checked.
func (r *Receiver) Refuse(ctx context.Context, platform affiliate.Platform, slug string, h http.Header, why Receipt) {
	if stores, _, err := r.stores(ctx, platform, slug, h); err == nil && len(stores) > 0 {
		r.counts.Count(stores[0].id, string(why))
	}
}

func verified(p Platform, stores []*receivingStore, h http.Header, body []byte) *receivingStore {
	for _, s := range stores {
		if p.Verify(s.secrets, h, body) {
			return s
		}
	}
	return nil
}

// sentTopic is the topic that a request names. The topic is not signed, so that anybody who has seen a delivery could
// give its body out for something that we have read from the store.
func sentTopic(topic string) string {
	topic = cleanTopic(topic)
	if strings.HasPrefix(topic, affiliate.TopicRead) {
		return "sent " + topic
	}
	return topic
}

// maxTopic is longer than any topic of the platforms.
const maxTopic = 100

// cleanTopic makes a header fit for a text column: it is unsigned and may hold anything.
func cleanTopic(topic string) string {
	if len(topic) > maxTopic {
		topic = topic[:maxTopic]
	}
	for i := 0; i < len(topic); i++ {
		if topic[i] < ' ' || topic[i] >= utf8.RuneSelf {
			return strings.Map(func(r rune) rune {
				if r < ' ' || r == utf8.RuneError {
					return '?'
				}
				return r
			}, topic)
		}
	}
	return topic
}
