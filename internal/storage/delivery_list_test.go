package storage_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// finish says what came of deliveries.
func finish(t *testing.T, db *storage.DB, list ...storage.Outcome) {
	t.Helper()
	inTx(t, db, func(tx *storage.Tx) error {
		_, err := tx.FinishDeliveries(t.Context(), list, noon.Add(time.Hour))
		return err
	})
}

// twoStores keeps twelve deliveries: those of even numbers are of the first store, the others of the second.
func twoStores(t *testing.T, db *storage.DB) (shop, other affiliate.Store, ids []affiliate.DeliveryID) {
	t.Helper()
	shop, other = addStore(t, db, "shop"), addStore(t, db, "other")
	for n := range 12 {
		d := delivery(n)
		d.StoreID = []affiliate.StoreID{shop.ID, other.ID}[n%2]
		if n%3 == 0 {
			d.Topic = "refunds/create"
		}
		ids = append(ids, keep(t, db, d)...)
	}
	return shop, other, ids
}

func TestListDeliveries(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		_, _, ids := twoStores(t, db)
		finish(t, db, storage.Outcome{ID: ids[0], State: storage.DeliveryFailed, Note: "no order"},
			storage.Outcome{ID: ids[2], State: storage.DeliveryDone, Order: "42"}, storage.Outcome{ID: ids[3],
				State: storage.DeliveryDone, Order: "42"}, storage.Outcome{ID: ids[4],
				State: storage.DeliveryIgnored},
			storage.Outcome{ID: ids[6], State: storage.DeliveryDone, Order: "43"})
		for _, c := range []struct {
			name   string
			filter storage.DeliveryFilter
			want   []int
		}{
			{"all", storage.DeliveryFilter{}, []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
			{"a store", storage.DeliveryFilter{Store: "shop"}, []int{10, 8, 6, 4, 2, 0}},
			{"waiting", storage.DeliveryFilter{Store: "shop", State: storage.DeliveryWaiting}, []int{10, 8}},
			{"failed", storage.DeliveryFilter{State: storage.DeliveryFailed}, []int{0}},
			{"a topic", storage.DeliveryFilter{Store: "shop", Topic: "refunds/create"}, []int{6, 0}},
			{"an order of one store", storage.DeliveryFilter{Store: "shop", Orders: []string{"42"}}, []int{2}},
			{"orders", storage.DeliveryFilter{Orders: []string{"42", "43"}}, []int{6, 3, 2}},
			{"an order and a state", storage.DeliveryFilter{Store: "shop", Orders: []string{"42"},
				State: storage.DeliveryFailed}, nil},
		} {
			var want []affiliate.DeliveryID
			for _, n := range c.want {
				want = append(want, ids[n])
			}
			// However little a page looks through, going on finds all of them, once.
			for _, look := range []int64{0, 1, 5, 100} {
				f := c.filter
				f.Look = look
				var got []affiliate.DeliveryID
				for page, pages := (storage.Page{Limit: 2}), 0; ; pages++ {
					rows, next, err := db.ListDeliveries(t.Context(), f, page)
					if err != nil || len(rows) > 2 || pages > 20 {
						t.Fatalf("%s, looking through %d: page %d has %d rows, %v", c.name, look, pages, len(rows), err)
					}
					for _, r := range rows {
						got = append(got, r.ID)
					}
					if next == "" {
						break
					}
					page.Cursor = next
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s, looking through %d: got %v, want %v", c.name, look, got, want)
				}
			}
		}
		rows, next, err := db.ListDeliveries(t.Context(), storage.DeliveryFilter{Topic: "none", Look: 4},
			storage.Page{})
		if err != nil || len(rows) != 0 || next == "" {
			t.Errorf("nothing among the newest four: %d rows, next %q, %v; want a way on", len(rows), next, err)
		}
		if rows, next, err := db.ListDeliveries(t.Context(), storage.DeliveryFilter{Topic: "none", Look: 12},
			storage.Page{}); err != nil || len(rows) != 0 || next != "" {
			t.Errorf("nothing at all: %d rows, next %q, %v", len(rows), next, err)
		}
	})
}

func TestListDeliveries_ofNone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		if rows, next, err := db.ListDeliveries(t.Context(), storage.DeliveryFilter{Look: 5},
			storage.Page{}); err != nil || len(rows) != 0 || next != "" {
			t.Errorf("%v %q %v", rows, next, err)
		}
	})
}

func TestReplayFailedOfOneStore(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		shop, _, ids := twoStores(t, db)
		var failed []storage.Outcome
		for _, id := range ids[:4] {
			failed = append(failed, storage.Outcome{ID: id, State: storage.DeliveryFailed})
		}
		finish(t, db, failed...)
		if n, err := db.FailedDeliveries(t.Context()); err != nil || n != 4 {
			t.Errorf("%d failed, %v; want 4", n, err)
		}
		n, err := db.ReplayDeliveries(t.Context(), storage.ReplayFilter{Failed: true, Store: shop.ID}, nil)
		if err != nil || n != 2 {
			t.Errorf("replayed %d, %v; want the two of the store", n, err)
		}
		if d, err := db.Delivery(t.Context(), ids[1]); err != nil || d.State != storage.DeliveryFailed {
			t.Errorf("another store's is %s, %v", d.State, err)
		}
	})
}

func TestOrdersCalled(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := store(t, db)
		a, b, c := order(s, "501", 1), order(s, "502", 1), order(s, "1001", 1)
		a.Number, b.Number, c.Number = "#1001", "1001", "#77"
		inTx(t, db, func(tx *storage.Tx) error {
			_, err := tx.SaveOrders(t.Context(), unseen([]storage.Order{a, b, c}), noon)
			return err
		})
		for text, want := range map[string][]string{"1001": {"1001", "502", "501"}, "77": {"77", "1001"},
			"502": {"502"}, "x": {"x"}} {
			got, err := db.OrdersCalled(t.Context(), s, text)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%q is %v, %v; want %v", text, got, err, want)
			}
		}
		if got, err := db.OrdersCalled(t.Context(), s+1, "77"); err != nil || !slices.Equal(got, []string{"77"}) {
			t.Errorf("in another store: %v, %v", got, err)
		}
	})
}

func TestStoreCounts(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		shop, other, ids := twoStores(t, db)
		finish(t, db, storage.Outcome{ID: ids[0], State: storage.DeliveryFailed}, storage.Outcome{ID: ids[2],
			State: storage.DeliveryDone})
		hour := func(n int) storage.Time { return storage.At(noon.Add(time.Duration(n) * time.Hour)) }
		inTx(t, db, func(tx *storage.Tx) error {
			count := func(id affiliate.StoreID, n int, outcome string, times int64) storage.StoreCount {
				return storage.StoreCount{StoreID: id, Hour: hour(n), Outcome: outcome, N: times}
			}
			return tx.AddStoreCounts(t.Context(), storage.StoreTally{Counts: []storage.StoreCount{
				count(shop.ID, -25, "bad_signature", 100), count(shop.ID, -3, "bad_signature", 5),
				count(shop.ID, -1, "bad_signature", 7), count(shop.ID, -2, "ping", 1),
				count(other.ID, -2, "too_large", 2)}})
		})
		all, err := db.StoreCounts(t.Context(), 0, noon.Add(-24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		f := all[shop.ID]
		if f.Waiting != 4 || f.Failed != 1 || !f.OldestWaiting.Equal(noon.Add(4*time.Second)) {
			t.Errorf("%+v", f)
		}
		if n, last := f.Count("bad_signature"); n != 12 || !last.Equal(hour(-1).Time) {
			t.Errorf("%d rejected, the last at %v", n, last)
		}
		if n, _ := f.Count("too_large"); n != 0 {
			t.Errorf("%d too large ones, which are another store's", n)
		}
		if f := all[other.ID]; f.Waiting != 6 || f.Failed != 0 {
			t.Errorf("the other store: %+v", f)
		}
		one, err := db.StoreCounts(t.Context(), other.ID, noon.Add(-24*time.Hour))
		if err != nil || len(one) != 1 || one[other.ID].Waiting != 6 {
			t.Errorf("one store: %+v, %v", one, err)
		}
	})
}

func TestProgress(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		want := storage.Progress{}
		check := func(what string) {
			t.Helper()
			if got, err := db.Progress(t.Context()); err != nil || got != want {
				t.Errorf("%s: %+v, %v; want %+v", what, got, err, want)
			}
		}
		check("nothing")
		addStore(t, db, "shop")
		want.Stores = true
		check("a store")
		keep(t, db, delivery(1))
		want.Deliveries = true
		check("a delivery")
	})
}
