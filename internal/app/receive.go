package app

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
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

	mu     sync.RWMutex
	bySlug map[string]*receivingStore
	byShop map[string][]*receivingStore // Shopify: by myshopify.com domain
	loaded time.Time

	loading sync.Mutex
	tried   time.Time // when the stores were looked at last, and what came of it; guarded by loading
	failed  error
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
	// storesPatience is how long a look may take.
	storesPatience = 10 * time.Second
)

// NewReceiver makes a receiver over an intake.
func NewReceiver(a *App, intake *Intake, counts *Counters) *Receiver {
	return &Receiver{app: a, intake: intake, counts: counts}
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

// Store finds the store that a request is for: by the slug in its path, or, without one, by the shop in its headers.
// Several stores may share a shop (one app installed twice); then the signature decides.
func (r *Receiver) Store(ctx context.Context, platform affiliate.Platform, slug string,
	h http.Header) ([]*receivingStore, error) {
	found := r.find(platform, slug, h)
	age := time.Since(r.age())
	if age > storesAge || len(found) == 0 && age > storesPause {
		if err := r.load(ctx, len(found) > 0); err != nil && r.age().IsZero() {
			return nil, err // a picture that is a little old is better than none
		}
		found = r.find(platform, slug, h)
	}
	return found, nil
}

// Knows says whether a store is connected under an address, or with the shop that the headers name.
func (r *Receiver) Knows(ctx context.Context, platform affiliate.Platform, slug string, h http.Header) (bool, error) {
	stores, err := r.Store(ctx, platform, slug, h)
	return len(stores) > 0, err
}

func (r *Receiver) age() time.Time {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.loaded
}

func (r *Receiver) find(platform affiliate.Platform, slug string, h http.Header) []*receivingStore {
	p := r.app.Platforms[platform]
	if p == nil {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if slug == "" {
		if shop := p.Shop(h); shop != "" {
			return r.byShop[shop]
		}
		return nil
	}
	if s := r.bySlug[slug]; s != nil && s.platform == platform {
		return []*receivingStore{s}
	}
	return nil
}

// load looks at the stores, one at a time and not more often than storesPause, however many ask and whether or not the
// database answers. Who has found their store waits for nobody who is looking already.
func (r *Receiver) load(ctx context.Context, found bool) error {
	before := time.Now()
	if !r.loading.TryLock() {
		if found {
			return nil
		}
		r.loading.Lock()
	}
	defer r.loading.Unlock()
	if r.tried.After(before.Add(-storesPause)) {
		return r.failed // somebody else has just looked
	}
	r.failed = r.look(ctx)
	r.tried = time.Now()
	return r.failed
}

// look reads the stores. It does not follow a request that goes away: others wait for the same.
func (r *Receiver) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storesPatience)
	defer cancel()
	r.app.strangers.counted("stores")
	rows, err := r.app.DB.ReceiverStores(ctx)
	if err != nil {
		return err
	}
	bySlug, byShop := make(map[string]*receivingStore, len(rows)), map[string][]*receivingStore{}
	for _, row := range rows {
		s := &receivingStore{id: row.ID, platform: row.Platform, domain: row.Domain}
		for _, sealed := range row.Sealed {
			secret, err := r.app.Sealer.Open(SealWebhookSecret, sealed)
			if err != nil {
				r.app.Log.Error("webhook secret not readable", "store", row.Slug, "error", err)
				s.sealed = true
				continue
			}
			s.secrets = append(s.secrets, secret)
		}
		bySlug[row.Slug] = s
		if row.Platform == affiliate.Shopify {
			byShop[strings.ToLower(row.Domain)] = append(byShop[strings.ToLower(row.Domain)], s)
		}
	}
	r.mu.Lock()
	r.bySlug, r.byShop, r.loaded = bySlug, byShop, time.Now()
	r.mu.Unlock()
	return nil
}

// Receive takes in one request whose raw body has been read. A receipt of ReceiptKept means that the delivery is
// committed, or had been before.
func (r *Receiver) Receive(ctx context.Context, platform affiliate.Platform, slug string, h http.Header,
	body []byte) (Receipt, error) {
	stores, err := r.Store(ctx, platform, slug, h)
	if err != nil {
		return ReceiptUnavailable, err
	}
	if len(stores) == 0 {
		return ReceiptUnknownStore, nil
	}
	p := r.app.Platforms[platform]
	if p.Unsigned(h, body) {
		r.counts.Count(stores[0].id, string(ReceiptPing))
		return ReceiptPing, nil
	}
	store := verified(p, stores, h, body)
	if store == nil && time.Since(r.age()) > storesPause {
		// The secret may have been changed a moment ago.
		if err := r.load(ctx, false); err == nil {
			store = verified(p, r.find(platform, slug, h), h, body)
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
	if shop := p.Shop(h); affiliate.OtherShop(store.domain, shop) {
		r.counts.OtherShop(store.id, shop)
		return ReceiptOtherShop, nil
	}
	now := r.app.Now()
	topic := cleanTopic(p.Topic(h))
	err = r.intake.Keep(storage.NewDelivery{StoreID: store.id, Key: p.Key(h, body), Topic: topic,
		ReceivedAt: now, Payload: packPayload(p.KeptHeaders(), h, body)})
	if err != nil {
		r.counts.Count(store.id, string(ReceiptUnavailable))
		return ReceiptUnavailable, err
	}
	r.counts.Received(store.id, topic, now)
	return ReceiptKept, nil
}

// Refuse counts a request that was turned away before its body could be checked.
func (r *Receiver) Refuse(ctx context.Context, platform affiliate.Platform, slug string, h http.Header, why Receipt) {
	if stores, err := r.Store(ctx, platform, slug, h); err == nil && len(stores) > 0 {
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
