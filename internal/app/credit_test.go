package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// orderBody is the body of a paid order of Anna's, changed as the test wants.
func orderBody(id string, version int64, change func(*affiliate.Snapshot)) string {
	s := affiliate.Snapshot{Version: version, Number: "#" + id, PlacedAt: time.UnixMilli(1_700_000_000_000).UTC(),
		Currency: "USD", Status: affiliate.StorePaid, PaymentDate: true, Captured: 12000, Total: 12000,
		Merchandise: 10000, Codes: []string{"anna10"}, Hash: fmt.Sprint(version)}
	if change != nil {
		change(&s)
	}
	text, err := json.Marshal(plainBody{ID: id, Snapshot: &s})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// money sums up an order's conversion and ledger in one line.
func (r *rig) money(order string) string {
	r.Helper()
	row, err := r.db.FindOrder(r.Context(), "shop", order)
	if err != nil || row.Conversion == nil {
		return fmt.Sprint("no conversion ", err)
	}
	posted, err := r.db.Posted(r.Context(), []affiliate.ConversionID{row.Conversion.ID})
	if err != nil {
		r.Fatal(err)
	}
	sum := int64(0)
	for _, n := range posted[row.Conversion.ID] {
		sum += n
	}
	c := row.Conversion
	return fmt.Sprintf("%s %s %d %s, waits for a rate %v, ledger %d", c.Status, c.Approval, c.Commission, c.Currency,
		c.Rate == nil, sum)
}

// emailByVersion gives an order's bodies a customer, by their version.
type emailByVersion struct {
	plainPlatform
	emails map[int64]string
}

func (p emailByVersion) Parse(topic string, body []byte) (affiliate.Parsed, error) {
	parsed, err := p.plainPlatform.Parse(topic, body)
	for _, e := range parsed.Events {
		e.Snapshot.CustomerEmail = p.emails[e.Snapshot.Version]
	}
	return parsed, err
}

func TestHoldDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Platforms = app.Platforms{emailByVersion{emails: map[int64]string{2: "anna@creators.example"}}}
		for _, version := range []int64{1, 2} {
			r.apply(orderBody("1", version, nil))
		}
		for _, version := range []int64{2, 1} {
			r.apply(orderBody("2", version, nil))
		}
		if one, two, want := r.money("1"), r.money("2"),
			"paid held 0 USD, waits for a rate false, ledger 0"; one != want || two != want {
			r.Errorf("in order %q, reversed %q; want %q", one, two, want)
		}
	})
}

// TestHoldSurvivesABodyWithoutTheCustomer: that nobody is named proves nothing.
func TestHoldSurvivesABodyWithoutTheCustomer(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Platforms = app.Platforms{emailByVersion{emails: map[int64]string{1: "anna@creators.example"}}}
		for _, version := range []int64{1, 2} {
			r.apply(orderBody("1", version, nil))
		}
		for _, version := range []int64{2, 1} {
			r.apply(orderBody("2", version, nil))
		}
		if one, two, want := r.money("1"), r.money("2"),
			"paid held 0 USD, waits for a rate false, ledger 0"; one != want || two != want {
			r.Errorf("in order %q, reversed %q; want %q", one, two, want)
		}
	})
}

// TestRestoredOrderIsPaidAgain: WooCommerce sends a delivery once, so that an order came out of the trash may never be
// told. A deletion after that proves nothing by itself, since the body of every deletion of an order is the same.
func TestRestoredOrderIsPaidAgain(t *testing.T) {
	eachRig(t, func(r *rig) {
		clock := time.Now().Add(-3 * time.Hour).UTC()
		r.app.Now = func() time.Time { return clock }
		r.apply(orderBody("1", clock.UnixMilli(), nil))
		clock = clock.Add(time.Minute)
		r.apply(`{"ID":"1","Deleted":true}`)
		if got, want := r.money("1"), "canceled approved 0 USD, waits for a rate false, ledger 0"; got != want {
			r.Errorf("in the trash: %q, want %q", got, want)
		}
		clock = clock.Add(time.Hour)
		r.apply(orderBody("1", clock.Add(-time.Minute).UnixMilli(), nil))
		if got, want := r.money("1"), "paid approved 1000 USD, waits for a rate false, ledger 1000"; got != want {
			r.Errorf("changed an hour later: %q, want %q", got, want)
		}
		clock = clock.Add(time.Minute)
		r.apply(`{"ID":"1","Deleted":true}`)
		if got, want := r.money("1"), "paid approved 1000 USD, waits for a rate false, ledger 1000"; got != want {
			r.Errorf("in the trash again, or a copy of the first deletion: %q, want %q", got, want)
		}
		if o, err := r.db.FindOrder(r.Context(), "shop", "1"); err != nil ||
			o.Doubts != string(affiliate.DoubtDeletion) {
			r.Errorf("doubts are %q, %v", o.Doubts, err)
		}
	})
}

func TestChangedOrderCurrencyTakesBackWhatWasPosted(t *testing.T) {
	eachRig(t, func(r *rig) {
		pounds := func(s *affiliate.Snapshot) { s.Currency = "GBP" }
		r.apply(orderBody("1", 1, nil))
		r.apply(orderBody("1", 2, pounds))
		r.apply(orderBody("2", 2, pounds))
		r.apply(orderBody("2", 1, nil))
		if one, two, want := r.money("1"), r.money("2"),
			"paid approved 1000 GBP, waits for a rate true, ledger 0"; one != want || two != want {
			r.Errorf("in order %q, reversed %q; want %q", one, two, want)
		}
	})
}

func TestArchivingAPausedOfferCreditsNothing(t *testing.T) {
	eachRig(t, func(r *rig) {
		ctx := app.As(r.Context(), affiliate.Principal{Name: "test", Role: affiliate.RoleOwner})
		clock := time.Now().Add(-3 * time.Hour)
		r.app.Now = func() time.Time { return clock }
		offers, _, err := r.db.Offers(ctx, 0, storage.Page{})
		if err != nil {
			r.Fatal(err)
		}
		set := func(s affiliate.OfferStatus) {
			r.Helper()
			for _, o := range offers {
				if _, err := r.app.ChangeOffer(ctx, o.ID, app.AnyVersion, func(o *affiliate.Offer) error {
					o.SetStatus(s, clock)
					return nil
				}); err != nil {
					r.Fatal(err)
				}
			}
		}
		set(affiliate.OfferPaused)
		during := func(s *affiliate.Snapshot) { s.PlacedAt = clock.Add(time.Hour) }
		body := orderBody("1", 1, during)
		late := orderBody("2", 1, during)
		r.apply(body)
		clock = clock.Add(2 * time.Hour)
		set(affiliate.OfferArchived)
		r.apply(late) // placed during the pause, delivered after it
		n, err := r.app.Reattribute(ctx, false, nil)
		if err != nil || n != 0 {
			r.Errorf("re-attribution credits %d, %v; want none", n, err)
		}
		for _, id := range []string{"1", "2"} {
			if got := r.commission(id); got != "not credited: offer_paused" && got != "not credited: offer_archived" {
				r.Errorf("order %s: got %s, want it not credited", id, got)
			}
		}
	})
}

// A code that is added while a batch decides must either be seen by the batch or count its orders as waiting.
func TestCodeAddedBesideARunningBatchMissesNoOrder_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		ctx := app.As(context.Background(), affiliate.Principal{Name: "test", Role: affiliate.RoleOwner})
		members, _, err := r.db.OfferMembers(ctx, storage.OfferMemberFilter{}, storage.Page{})
		if err != nil {
			r.Fatal(err)
		}
		store, err := r.db.StoreBySlug(ctx, "shop")
		if err != nil {
			r.Fatal(err)
		}
		for n := range 25 {
			code := fmt.Sprintf("NEW%d", n)
			id := fmt.Sprint(1000 + n)
			var work sync.WaitGroup
			var waiting int64
			work.Go(func() {
				added, err := r.app.AddCode(ctx, app.NewCode{OfferMember: members[0].ID, Store: store.ID, Code: code})
				if err != nil {
					t.Error(err)
				}
				waiting = int64(added.Waiting)
			})
			r.apply(orderBody(id, 1, func(s *affiliate.Snapshot) { s.Codes = []string{code} }))
			work.Wait()
			if got := r.commission(id); waiting == 0 && got != "Anna 1000" {
				r.Errorf("no order is said to wait for code %s, yet its order is %s", code, got)
			}
		}
	})
}

func TestSubmitWhileTheWorkerStopsIsRefused_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		var work sync.WaitGroup
		for range 50 {
			work.Go(func() {
				ids := make([]affiliate.DeliveryID, 300) // several batches' worth together
				for i := range ids {
					ids[i] = affiliate.DeliveryID(1_000_000 + i)
				}
				_ = r.processor.Submit(context.Background(), ids) // done or refused, but no panic
			})
		}
		r.processor.Close()
		work.Wait()
	})
}

func TestChangedSettingsHoldForTheNextDelivery(t *testing.T) {
	eachRig(t, func(r *rig) {
		// the worker has looked at the settings
		r.apply(orderBody("1", 1, func(s *affiliate.Snapshot) { s.Codes = nil }))
		ctx := app.As(r.Context(), affiliate.Principal{Name: "test", Role: affiliate.RoleOwner})
		if _, err := r.app.SetSettings(ctx, []app.Setting{{Key: "currency", Value: "EUR"}}); err != nil {
			r.Fatal(err)
		}
		r.apply(orderBody("2", 1, nil))
		if got, want := r.money("2"), "paid approved 1000 USD, waits for a rate true, ledger 0"; got != want {
			r.Errorf("got %q, want %q", got, want)
		}
	})
}
