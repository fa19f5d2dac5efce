package app_test

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestCountersTellOpenPages_race: once what happened at a store's receiver is written, its pages look again.
func TestCountersTellOpenPages_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		counts := app.NewCounters(r.db, time.Now, r.app.Log)
		store, err := r.db.StoreBySlug(r.Context(), "shop")
		if err != nil {
			r.Fatal(err)
		}
		told := func(what string, want ...affiliate.Change) {
			r.Helper()
			r.recorder.changes = nil
			counts.Flush(r.Context())
			if !reflect.DeepEqual(r.recorder.changes, want) {
				r.Errorf("%s: told %v, want %v", what, r.recorder.changes, want)
			}
		}
		counts.Count(store.ID, string(app.ReceiptBadSignature))
		told("without anybody to tell")
		counts.Live = r.recorder
		told("nothing happened")
		counts.Count(store.ID, string(app.ReceiptBadSignature))
		counts.Received(store.ID, "orders/paid", true, time.Now())
		told("one came and one was refused", affiliate.Change{Store: store.ID})
		counts.Touched(store.ID)
		told("something else", affiliate.Change{Store: store.ID})
		if after, err := r.db.Store(r.Context(), store.ID); err != nil || after.LastDeliveryAt.IsZero() ||
			!after.LastProcessedAt.IsZero() {
			r.Errorf("touching wrote times: %+v, %v", after, err)
		}
	})
}

// TestCounters_hour: what happens just before an hour ends counts in that hour, also when it is written in the next,
// and when it happened last never goes back.
func TestCounters_hour(t *testing.T) {
	eachRig(t, func(r *rig) {
		store, err := r.db.StoreBySlug(r.Context(), "shop")
		r.ok(err)
		clock := time.Date(2026, 11, 20, 9, 59, 59, 0, time.UTC)
		counts := app.NewCounters(r.db, func() time.Time { return clock }, r.app.Log)
		outcome := string(app.ReceiptBadSignature)
		fares := func() storage.StoreCounts {
			r.Helper()
			all, err := r.db.StoreCounts(r.Context(), store.ID, clock.Add(-24*time.Hour))
			r.ok(err)
			return all[store.ID]
		}
		counts.Count(store.ID, outcome)
		before := clock
		clock = before.Add(2 * time.Second)
		counts.Flush(r.Context())
		n, hour := fares().Count(outcome)
		if end := fares().EndOf(outcome); n != 1 || !hour.Equal(before.Truncate(time.Hour)) || !end.Equal(before) {
			r.Errorf("%d in the hour from %v, over at %v, want 1, last at %v", n, hour, end, before)
		}
		slower := app.NewCounters(r.db, func() time.Time { return before.Add(-time.Minute) }, r.app.Log)
		slower.Count(store.ID, outcome)
		slower.Flush(r.Context())
		if end := fares().EndOf(outcome); !end.Equal(before) {
			r.Errorf("over at %v after an earlier one was written, want %v", end, before)
		}
		counts.Count(store.ID, outcome)
		broken, cancel := context.WithCancel(r.Context())
		cancel()
		counts.Flush(broken)
		counts.Count(store.ID, outcome)
		at := clock
		clock = clock.Add(time.Hour)
		counts.Count(store.ID, outcome)
		counts.Flush(r.Context())
		if n, hour := fares().Count(outcome); n != 5 || !hour.Equal(clock.Truncate(time.Hour)) ||
			!fares().EndOf(outcome).Equal(clock) {
			r.Errorf("%d, last in the hour from %v, over at %v", n, hour, fares().EndOf(outcome))
		}
		for hour, want := range map[time.Time]int64{before: 2, at: 2, clock: 1} {
			var n int64
			r.ok(r.db.Get(r.Context(), &n, `SELECT SUM(n) FROM store_counts WHERE hour = ? AND outcome = ?`,
				storage.At(hour.Truncate(time.Hour)), outcome))
			if n != want {
				r.Errorf("%d in the hour of %v, want %d", n, hour, want)
			}
		}
	})
}

// TestProgress: each step of the way to the first credited order shows.
func TestProgress(t *testing.T) {
	eachRig(t, func(r *rig) {
		want := storage.Progress{Stores: true, Campaigns: true, Owned: true}
		check := func(what string) {
			r.Helper()
			if got, err := r.db.Progress(r.Context()); err != nil || got != want {
				r.Errorf("%s: %+v, %v; want %+v", what, got, err, want)
			}
		}
		check("creators with codes")
		r.apply(paidOrder("1", "NOBODY", 1))
		want.Deliveries = true
		check("an order of nobody's")
		r.apply(paidOrder("2", "ANNA10", 1))
		want.Credited = true
		check("an order of Anna's")
	})
}

func TestOfferMemberChoices(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		d.imported(importHeader +
			"Spring,Zoe,,zoe@creators.example,Ten,shop,ZOE,,,10,,\n" +
			"Spring,anna,@anna.k,,Ten,shop,ANNA,,,10,,\n" +
			"Spring,Ben,@ben,,Ten,shop,BEN,,,10,,\n" +
			"Spring,Kim,@kim,,Ten,shop,KIM,,,10,,\n" +
			"Spring,Liv,@liv,,Ten,shop,LIV,,,10,,\n" +
			"Spring,Mo,@mo,,Other,shop,MO,,,10,,\n")
		offer, err := d.DB.OfferByName(d.ctx, 1, "ten")
		must(d, offer, err)
		names := func() []string {
			list, err := d.DB.OfferMemberChoices(d.ctx, offer.ID)
			var names []string
			for _, m := range must(d, list, err) {
				names = append(names, m.Name+" "+m.Handle)
			}
			return names
		}
		if got, want := names(), []string{"anna anna.k", "Ben ben", "Kim kim", "Liv liv", "Zoe "}; !slices.Equal(got,
			want) {
			d.Errorf("got %q, want %q", got, want)
		}
		kim, err := d.DB.CreatorByHandle(d.ctx, affiliate.Instagram, "kim")
		must(d, kim, err)
		_, err = d.RemoveCreator(d.ctx, kim.ID)
		must(d, 0, err)
		liv, err := d.DB.CreatorByHandle(d.ctx, affiliate.Instagram, "liv")
		must(d, liv, err)
		member, err := d.DB.MemberOf(d.ctx, 1, liv.ID)
		must(d, member, err)
		_, err = d.RemoveMember(d.ctx, member.ID)
		must(d, 0, err)
		ben, err := d.DB.CreatorByHandle(d.ctx, affiliate.Instagram, "ben")
		must(d, ben, err)
		list, _, err := d.DB.OfferMembers(d.ctx, storage.OfferMemberFilter{Creator: ben.ID}, storage.Page{})
		must(d, list, err)
		_, err = d.EndOfferMember(d.ctx, list[0].ID)
		must(d, 0, err)
		if got, want := names(), []string{"anna anna.k", "Zoe "}; !slices.Equal(got, want) {
			d.Errorf("those who left are among %q, want %q", got, want)
		}
	})
}

// refusing is a platform whose signatures are never right.
type refusing struct{ plainPlatform }

func (refusing) Verify([][]byte, http.Header, []byte) bool { return false }

// TestReceive_unreadable_secret: a delivery may be signed with a secret that this key cannot open. It is not refused
// for good, as one with a wrong signature is.
func TestReceive_unreadable_secret(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Platforms = app.Platforms{refusing{}}
		receive := func() app.Receipt {
			counts := app.NewCounters(r.db, time.Now, r.app.Log)
			receipt, _ := app.NewReceiver(r.app, nil, counts).Receive(r.Context(), shopify.Name, "shop",
				http.Header{}, []byte("{}"))
			return receipt
		}
		if receipt := receive(); receipt != app.ReceiptBadSignature {
			r.Errorf("a wrong signature gives %q", receipt)
		}
		other, err := app.NewSealer([]byte(strings.Repeat("o", app.MinSecretKey)))
		if err != nil {
			r.Fatal(err)
		}
		r.app.Sealer = other
		if receipt := receive(); receipt != app.ReceiptUnavailable {
			r.Errorf("a secret that cannot be read gives %q", receipt)
		}
	})
}
