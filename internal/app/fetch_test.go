package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// naming is the plain platform with deliveries that only name an order, "name 12", which is read from a store that
// answers as the test says.
type naming struct {
	plainPlatform
	answer func(ctx context.Context, order string) error
}

func (p naming) Parse(topic string, body []byte) (affiliate.Parsed, error) {
	text, _, _ := strings.Cut(string(body), "|")
	if order, ok := strings.CutPrefix(text, "name "); ok {
		return affiliate.Parsed{Fetch: order}, nil
	}
	return p.plainPlatform.Parse(topic, body)
}

func (p naming) Fetch(ctx context.Context, store affiliate.Store, order string) (affiliate.Parsed, error) {
	if store.Domain != "shop.myshopify.com" {
		return affiliate.Parsed{}, fmt.Errorf("asked %s", store.Domain)
	}
	if err := p.answer(ctx, order); err != nil {
		return affiliate.Parsed{}, err
	}
	return p.plainPlatform.Parse("", []byte(paidOrder(order, "ANNA10", 1)))
}

// wait fails the test unless something comes to be true soon.
func (r *rig) wait(what string, done func() bool) {
	r.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("not seen: %s", what)
		}
	}
}

// fate is what became of a delivery: "waiting 1: why".
func (r *rig) fate(id affiliate.DeliveryID) string {
	r.Helper()
	d, err := r.db.Delivery(r.Context(), id)
	r.ok(err)
	if d.Note == "" {
		return fmt.Sprintf("%s %d", d.State, d.Attempts)
	}
	return fmt.Sprintf("%s %d: %s", d.State, d.Attempts, d.Note)
}

// TestFetch_race: an order that a delivery only names is read from its store. One that cannot be read is tried again,
// alone; and whoever waits for a store keeps nobody else waiting.
func TestFetch_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		var later atomic.Bool
		r.app.Now = func() time.Time {
			if later.Load() {
				return time.Now().Add(storage.RetryDelay(1) + time.Second)
			}
			return time.Now()
		}
		var mu sync.Mutex
		down, release := true, make(chan struct{})
		r.app.Platforms = app.Platforms{naming{answer: func(ctx context.Context, order string) error {
			mu.Lock()
			defer mu.Unlock()
			switch order {
			case "slow":
				mu.Unlock()
				defer mu.Lock()
				select {
				case <-release:
				case <-ctx.Done():
				}
				return ctx.Err()
			case "down":
				if down {
					return errors.New("503 Service Unavailable")
				}
			case "gone":
				return affiliate.Errorf(affiliate.NotFound, "the store has no such order")
			case "panic":
				panic("ouch")
			}
			return nil
		}}}
		for _, order := range []string{"slow", "down", "gone", "panic", "good"} {
			r.send("name " + order)
		}
		r.send(paidOrder("plain", "ANNA10", 1))
		r.processAll()
		ids := slices.Sorted(slices.Values(r.recorder.ids)) // as they were sent; they may be told in another order
		wantFate := func(i int, want string) {
			r.Helper()
			r.wait(want, func() bool { return r.fate(ids[i]) == want })
		}
		wantFate(5, "done 0") // beside one that is still being read
		wantFate(4, "done 0")
		wantFate(1, "waiting 1: read order down from the store: 503 Service Unavailable")
		wantFate(2, "failed 0: the store has no such order")
		wantFate(3, "waiting 1: read order panic from the store: internal error while reading the order: ouch")
		wantFate(0, "waiting 0")
		for _, order := range []string{"plain", "good"} {
			if got := r.commission(order); got != "Anna 1000" {
				r.Errorf("order %s: %s", order, got)
			}
		}
		mu.Lock()
		down = false
		mu.Unlock()
		close(release)
		wantFate(0, "done 0")
		later.Store(true)
		r.ok(r.processor.Process(r.Context(), ids))
		wantFate(1, "done 1")
		if got := r.commission("down"); got != "Anna 1000" {
			r.Errorf("read at last: %s", got)
		}
	})
}

// TestFetchStops_race: nobody waits for a store when the server stops; the delivery stays for the next start.
func TestFetchStops_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		asked := make(chan struct{})
		r.app.Platforms = app.Platforms{naming{answer: func(ctx context.Context, _ string) error {
			close(asked)
			<-ctx.Done()
			return ctx.Err()
		}}}
		r.send("name slow")
		r.processAll()
		<-asked
		begin := time.Now()
		r.processor.Close()
		if took := time.Since(begin); took > 5*time.Second {
			r.Errorf("stopping took %v", took)
		}
		if got := r.fate(r.recorder.ids[0]); got != "waiting 0" {
			r.Errorf("the delivery is %s", got)
		}
	})
}

// TestFetch_unable: a platform that cannot read orders says so.
func TestFetch_unable(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Platforms = app.Platforms{onlyNaming{}}
		r.apply("{}")
		want := "failed 0: it only names the order 7, and orders of Shopify cannot be read"
		if got := r.fate(r.recorder.ids[0]); got != want {
			r.Errorf("got %s, want %s", got, want)
		}
	})
}

type onlyNaming struct{ plainPlatform }

func (onlyNaming) Parse(string, []byte) (affiliate.Parsed, error) {
	return affiliate.Parsed{Fetch: "7"}, nil
}
