// Package fakestore holds small stores for tests and for the demo: a model of orders, refunds, webhooks and coupons,
// with a platform's own API in front of it and webhooks that really deliver. Nothing is left to chance: the same seed,
// clock and calls give the same store.
//
// Faults come on request: deliveries that are lost, repeated and shuffled, webhooks that are gone or switched off,
// answers that fail, hang or are no JSON, and orders that change while their pages are read.
package fakestore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Options say which store it is. What is left empty has a default.
type Options struct {
	Name     string         // "Fake store"
	Domain   string         // "shop.example"; of the platform's kind where it has one
	Currency money.Currency // USD
	Timezone string         // IANA name; UTC
	Now      func() time.Time
	Seed     uint64
	Client   *http.Client // sends deliveries; redirects are not followed, as no store does
	Alive    bool         // Background makes orders as well
	Woo      WooQuirks    // of a WooCommerce store
	Shopify  ShopifyQuirks
}

// face is a platform in front of a shop's model. The shop is locked when its methods are called, but for ServeHTTP.
type face interface {
	http.Handler
	// keys are good for the API at an address.
	keys(base string) affiliate.StoreKeys
	// tell queues what the webhooks say of a change.
	tell(*order, change)
	// answered notes the status that a delivery was answered with, 0 for no answer: whether the store takes that for
	// received, and whether it sends it once more otherwise.
	answered(d *delivery, status int) (taken, again bool)
	// busy is how the API puts a request off.
	busy(http.ResponseWriter)
}

// Shop is one fake store. Its API is served by ServeHTTP. It may be used by many at once.
type Shop struct {
	Options

	mu       sync.Mutex
	face     face
	random   *rand.Rand
	zone     *time.Location
	last     int64 // id that was given away
	orders   map[int64]*order
	sorted   map[string][]*order // by what they are sorted by; forgotten with every change
	webhooks []*webhook
	coupons  []*coupon
	queue    []*delivery

	faults   Faults
	answers  []func(http.ResponseWriter, *http.Request) // of the next requests, in the API's place
	most     int                                        // rows of a page that it can bear; 0: any
	edit     func()
	every    int
	pages    int
	requests []string
	sent     Sent
}

// newShop makes one without its face.
func newShop(o Options) *Shop {
	if o.Name == "" {
		o.Name = "Fake store"
	}
	if o.Domain == "" {
		o.Domain = "shop.example"
	}
	if o.Currency == "" {
		o.Currency = "USD"
	}
	if o.Timezone == "" {
		o.Timezone = "UTC"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	client := http.Client{Timeout: time.Minute}
	if o.Client != nil {
		client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.Client = &client
	zone, err := time.LoadLocation(o.Timezone)
	if err != nil {
		panic(fmt.Sprintf("fakestore: time zone %s: %v", o.Timezone, err))
	}
	return &Shop{Options: o, zone: zone, random: rand.New(rand.NewPCG(o.Seed, 12)), orders: map[int64]*order{},
		sorted: map[string][]*order{}}
}

// Keys are good for its API at an address, without a trailing slash, where it is served.
func (s *Shop) Keys(base string) affiliate.StoreKeys {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.face.keys(strings.TrimSuffix(base, "/"))
}

// ServeHTTP is its API.
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	var instead func(http.ResponseWriter, *http.Request)
	if len(s.answers) > 0 {
		instead, s.answers = s.answers[0], s.answers[1:]
	}
	s.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	s.face.ServeHTTP(w, r)
}

// Requests are all that its API was asked, as "GET /path", the failing ones too.
func (s *Shop) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// nextID gives ids away, one sequence for all kinds.
func (s *Shop) nextID() int64 {
	s.last++
	return s.last
}

// now is its clock, in UTC.
func (s *Shop) now() time.Time { return s.Now().UTC() }

// token gives n characters out of a set.
func (s *Shop) token(n int, of string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = of[s.random.IntN(len(of))]
	}
	return string(b)
}

const (
	hexDigits = "0123456789abcdef"
	letters   = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// Background delivers what is queued, every now and then, until ctx is done. An Alive shop also has customers.
func (s *Shop) Background(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if s.Alive {
			s.live()
		}
		_ = s.Flush(ctx) // only says that ctx is done
	}
}
