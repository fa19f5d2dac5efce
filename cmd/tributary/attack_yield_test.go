package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/fxrates"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/storage"
)

// heldMost is far more than a transaction of long work may hold the write lock, a quarter of a second: machines of
// tests are busy.
const heldMost = 2 * time.Second

// holdings are how long transactions held the write lock.
type holdings struct {
	*testing.T
	mu   sync.Mutex
	list []time.Duration
}

func (h *holdings) add(held time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, held)
}

// during fails the test when f takes fewer transactions than parts, or one of them too long.
func (h *holdings) during(name string, parts int, f func() error) {
	h.Helper()
	h.mu.Lock()
	h.list = []time.Duration{0}
	h.mu.Unlock()
	begun := time.Now()
	if err := f(); err != nil {
		h.Errorf("%s: %v", name, err)
	}
	took := time.Since(begun)
	h.mu.Lock()
	defer h.mu.Unlock()
	n, longest := len(h.list)-1, slices.Max(h.list)
	h.Logf("%-24s %8v, %5d transactions, the longest %v", name, took.Round(time.Millisecond), n,
		longest.Round(time.Millisecond))
	if longest > heldMost {
		h.Errorf("%s: others who write waited for %v", name, longest)
	}
	if n < parts {
		h.Errorf("%s: %d transactions, want %d or more", name, n, parts)
	}
}

// TestAttack_long_work: no work on an account with many orders and deliveries keeps others who write waiting for long.
// Not among it is the repair of sums, which says that deliveries wait for it.
func TestAttack_long_work(t *testing.T) {
	n := attack.Size(2500, 100_000)
	s := shell{T: t, env: embedded(t)}
	s.run("simulate", "--history", "--conversions", fmt.Sprint(n), "--years", "1", "--campaigns", "20", "--creators",
		fmt.Sprint(max(60, n/100)), "--seed", "3", "--until", "2026-06-30").exits(0)
	s.byHand(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO deliveries (store_id, dedupe_key, topic, received_at, payload, state, note, order_external)
		SELECT 1, randomblob(16), 'orders/paid', '2026-01-01T00:00:00.000000Z', randomblob(5000), 'failed',
			'cannot be read', 'x' || i FROM n`, n),
		`UPDATE orders SET custom_status = 'half-packed' WHERE id % 2 = 0`)
	environment(s.env).open(t, func(ctx context.Context, a *app.App) {
		h := &holdings{T: t}
		a.DB.WatchHolds(h.add)
		set := func(text string) func() error {
			return func() error {
				one, err := app.ParseSetting(text)
				ok(t, err)
				_, err = a.SetSettings(ctx, []app.Setting{one})
				return err
			}
		}
		recalculate := func() error { return a.Recalculate(ctx) }
		h.during("set the currency", 1, set("currency=GBP"))
		h.during("recalculate", n/500, recalculate)
		h.during("set the time zone", 1, set("timezone=Asia/Tokyo"))
		h.during("recalculate", n/500, recalculate)
		h.during("set statuses", 1, func() error {
			_, err := a.SetStatuses(ctx, 1, app.StatusMeanings{"half-packed": affiliate.StoreCanceled})
			return err
		})
		h.during("recalculate", n/2/500, recalculate)
		h.during("load rates", 3, func() error {
			list, err := fxrates.Bundled()
			ok(t, err)
			_, err = a.LoadRates(ctx, list[:min(len(list), n*10)])
			return err
		})
		workOnCatalog(ctx, t, a, h)
		workOnDeliveries(ctx, a, h, n)
	})
}

// workOnCatalog is work whose size depends on the orders of a code or a creator.
func workOnCatalog(ctx context.Context, t *testing.T, a *app.App, h *holdings) {
	codes, _, err := a.DB.UnownedCodes(ctx, storage.UnownedFilter{}, storage.Page{Limit: 1})
	ok(t, err)
	members, _, err := a.DB.OfferMembers(ctx, storage.OfferMemberFilter{}, storage.Page{Limit: 1})
	ok(t, err)
	for _, c := range codes {
		in := app.AssignCode{NewCode: app.NewCode{OfferMember: members[0].ID, Store: c.StoreID, Code: c.Code}}
		for _, in.Preview = range []bool{true, false} {
			h.during(fmt.Sprintf("assign %d orders", c.Orders), 1, func() error {
				_, err := a.AssignCode(ctx, in, nil)
				return err
			})
		}
	}
	settings, err := a.DB.Settings(ctx)
	ok(t, err)
	due, _, err := a.DB.PayoutsDue(ctx, settings, storage.DueFilter{}, "", a.Now(),
		storage.Page{Limit: storage.MaxLimit})
	ok(t, err)
	if len(due) == 0 {
		t.Fatal("nothing is due to anybody")
	}
	list := make([]app.NewPayout, len(due))
	for i, d := range due {
		list[i] = app.NewPayout{Creator: d.CreatorID, Currency: d.Currency}
	}
	h.during(fmt.Sprintf("pay %d creators", len(list)), 1, func() error {
		_, err := a.SendPayouts(ctx, app.NewPayoutRun{Elsewhere: true, Payouts: list, Method: "sepa"})
		return err
	})
	h.during("remove a creator", 1, func() error {
		_, err := a.RemoveCreator(ctx, due[0].CreatorID)
		return err
	})
}

// workOnDeliveries is work whose size depends on the deliveries that are kept: n of the first store, all failed.
func workOnDeliveries(ctx context.Context, a *app.App, h *holdings, n int) {
	choice := storage.DeliveryChoice{Store: 1, Note: "cannot be read"}
	moved := func(got int64, err error) error {
		if err == nil && got != int64(n) {
			err = fmt.Errorf("%d deliveries, want %d", got, n)
		}
		return err
	}
	h.during("set aside", n/500, func() error { return moved(a.SetAside(ctx, choice, "too old")) })
	h.during("put back", n/500, func() error { return moved(a.PutBack(ctx, choice)) })
	h.during("purge half of the bodies", 1, func() error {
		for left := n / 2; left > 0; {
			purged, err := a.DB.PurgePayloads(ctx, a.Now(), min(left, 2000))
			if err != nil || purged == 0 {
				return err
			}
			left -= int(purged)
		}
		return nil
	})
	h.during("replay", n/2/1000, func() error {
		replayed, err := a.Replay(ctx, storage.ReplayFilter{Failed: true})
		return moved(replayed+int64(n/2), err)
	})
}
