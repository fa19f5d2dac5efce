package storage_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func delivery(n int) storage.NewDelivery {
	d := storage.NewDelivery{StoreID: 1, Topic: "orders/create", ReceivedAt: noon.Add(time.Duration(n) * time.Second),
		Payload: []byte{0, 1, byte(n)}}
	copy(d.Key[:], fmt.Sprintf("key-%d", n))
	return d
}

func keep(t *testing.T, db *storage.DB, list ...storage.NewDelivery) []affiliate.DeliveryID {
	t.Helper()
	ids, err := db.InsertDeliveries(t.Context(), list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestInsertDeliveries(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		first := keep(t, db, delivery(1), delivery(2), delivery(1))
		if len(first) != 2 {
			t.Fatalf("kept %d of two and a repeat, want 2", len(first))
		}
		if again := keep(t, db, delivery(2), delivery(3)); len(again) != 1 {
			t.Fatalf("kept %d of a repeat and a new one, want 1", len(again))
		}
		other := delivery(1)
		other.StoreID = 2
		if ids := keep(t, db, other); len(ids) != 1 {
			t.Error("another store's delivery of the same key counts as a repeat")
		}
		list, err := db.WaitingDeliveries(t.Context(), first, noon)
		if err != nil || len(list) != 2 {
			t.Fatalf("got %d waiting deliveries, %v; want 2", len(list), err)
		}
		d := list[0]
		if d.StoreID != 1 || d.Topic != "orders/create" || !d.ReceivedAt.Equal(noon.Add(time.Second)) ||
			!slices.Equal(d.Payload, []byte{0, 1, 1}) ||
			d.State != storage.DeliveryWaiting {
			t.Errorf("read back %+v", d)
		}
	})
}

func TestInsertManyDeliveriesAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		const many = 3_000 // more placeholders than one statement may have
		list := make([]storage.NewDelivery, many)
		for i := range list {
			list[i] = delivery(i)
		}
		if ids := keep(t, db, list...); len(ids) != many {
			t.Errorf("kept %d, want %d", len(ids), many)
		}
	})
}

func TestFinishDeliveriesIsWonOnce_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ids := keep(t, db, delivery(1), delivery(2), delivery(3))
		var mu sync.Mutex
		won := map[affiliate.DeliveryID]int{}
		var work sync.WaitGroup
		for range 20 {
			work.Go(func() {
				outcomes := make([]storage.Outcome, len(ids))
				for i, id := range ids {
					outcomes[i] = storage.Outcome{ID: id, State: storage.DeliveryDone, Order: "42"}
				}
				err := db.InTx(context.Background(), func(tx *storage.Tx) error {
					mine, err := tx.FinishDeliveries(context.Background(), outcomes, noon)
					mu.Lock()
					defer mu.Unlock()
					for id := range mine {
						won[id]++
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		for _, id := range ids {
			if won[id] != 1 {
				t.Errorf("delivery %s was won by %d workers, want 1", id, won[id])
			}
		}
		d, err := db.Delivery(t.Context(), ids[0])
		if err != nil || d.State != storage.DeliveryDone || d.Order != "42" || !d.Processed.Equal(noon) {
			t.Errorf("finished delivery is %+v, %v", d, err)
		}
	})
}

func TestFinishDeliveriesIsUndoneByARollback(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ids := keep(t, db, delivery(1))
		err := db.InTx(t.Context(), func(tx *storage.Tx) error {
			if _, err := tx.FinishDeliveries(t.Context(), []storage.Outcome{{ID: ids[0], State: storage.DeliveryDone}},
				noon); err != nil {
				return err
			}
			return affiliate.Errorf(affiliate.Conflict, "stop")
		})
		if affiliate.KindOf(err) != affiliate.Conflict {
			t.Fatalf("got %v", err)
		}
		if list, _ := db.WaitingDeliveries(t.Context(), ids, noon); len(list) != 1 {
			t.Error("the delivery does not wait any more")
		}
	})
}

func TestPostponeSweepAndReplay(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ids := keep(t, db, delivery(1), delivery(2))
		due := func(now time.Time) int {
			t.Helper()
			list, err := db.DueDeliveries(t.Context(), noon.Add(time.Minute), now, 10)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if due(noon) != 2 {
			t.Fatal("fresh deliveries are not due")
		}
		now := noon
		for attempt := 1; attempt <= storage.MaxAttempts; attempt++ {
			d, err := db.Delivery(t.Context(), ids[0])
			if err != nil || d.State != storage.DeliveryWaiting {
				t.Fatalf("before attempt %d: %+v, %v", attempt, d, err)
			}
			failed, err := db.PostponeDelivery(t.Context(), d, "it hurts", now)
			if err != nil || failed != (attempt == storage.MaxAttempts) {
				t.Fatalf("attempt %d: given up %v, %v", attempt, failed, err)
			}
			if !failed && due(now) != 1 {
				t.Fatalf("attempt %d: a resting delivery is due", attempt)
			}
			now = now.Add(storage.RetryDelay(attempt))
			if !failed && due(now) != 2 {
				t.Fatalf("attempt %d: not due after its rest", attempt)
			}
		}
		if total := now.Sub(noon); total < 18*time.Hour || total > 30*time.Hour {
			t.Errorf("all attempts take %v, want about a day", total)
		}
		f, err := db.Inbox(t.Context())
		if err != nil || f.Failed != 1 || f.Waiting != 1 || !f.OldestWaiting.Equal(noon.Add(2*time.Second)) {
			t.Errorf("inbox is %+v, %v", f, err)
		}
		if n, err := db.ReplayDeliveries(t.Context(), storage.ReplayFilter{Failed: true}, nil); err != nil || n != 1 {
			t.Errorf("replayed %d, %v; want 1", n, err)
		}
		if due(now) != 2 {
			t.Error("the replayed delivery is not due")
		}
		if n, err := db.ReplayDeliveries(t.Context(),
			storage.ReplayFilter{Since: noon.Add(2 * time.Second)}, nil); err != nil || n != 1 {
			t.Errorf("replayed %d since, %v; want 1", n, err)
		}
	})
}

func TestPurgeKeepsWhatIsOpen(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ids := keep(t, db, delivery(1), delivery(2))
		err := db.InTx(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.FinishDeliveries(t.Context(), []storage.Outcome{{ID: ids[0], State: storage.DeliveryDone,
				Order: "7"}}, noon)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := db.PurgePayloads(t.Context(), noon.Add(time.Hour), 10); err != nil || n != 1 {
			t.Errorf("purged %d, %v; want 1", n, err)
		}
		if n, _ := db.ReplayDeliveries(t.Context(), storage.ReplayFilter{Delivery: ids[0]}, nil); n != 0 {
			t.Error("a delivery without a body is replayed")
		}
	})
}

func TestStoreCountsAddUp(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		var id affiliate.StoreID
		err := db.InTx(t.Context(), func(tx *storage.Tx) error {
			s, err := tx.CreateStore(t.Context(), affiliate.Store{Slug: "s", Platform: "shopify", Name: "S",
				Domain: "s.myshopify.com", Currency: "USD", Timezone: "UTC", State: affiliate.StoreStateActive,
				CreatedAt: noon, UpdatedAt: noon})
			id = s.ID
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		add := func(outcome string, n int64, at time.Time) {
			t.Helper()
			err := db.InTx(t.Context(), func(tx *storage.Tx) error {
				return tx.AddStoreCounts(t.Context(), storage.StoreTally{Counts: []storage.StoreCount{{StoreID: id,
					Hour: storage.At(at), Outcome: outcome, N: n}},
					Activity: []storage.StoreActivity{{StoreID: id, Delivery: at}}, Now: noon})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		add("bad_signature", 2, noon)
		add("bad_signature", 3, noon)
		add("accepted", 100, noon)
		add("bad_signature", 7, noon.Add(-48*time.Hour))
		health, err := db.StoreHealth(t.Context(), noon.Add(-24*time.Hour))
		if err != nil || len(health) != 1 || health[0].Rejected != 5 || !health[0].LastDelivery.Equal(noon) ||
			!health[0].LastProcessed.IsZero() {
			t.Errorf("health is %+v, %v; want 5 rejected, last delivery at noon", health, err)
		}
	})
}

// Several committers, in one process or many, keep groups that share repeats in different sequences.
func TestInsertDeliveriesSharingRepeatsDoesNotDeadlock_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		var work sync.WaitGroup
		var mu sync.Mutex
		kept := 0
		for c := range 6 {
			work.Go(func() {
				for round := range 4 {
					var list []storage.NewDelivery
					for n := range 600 {
						list = append(list, delivery(round*600+n))
					}
					if c%2 == 0 {
						slices.Reverse(list)
					}
					ids, err := db.InsertDeliveries(context.Background(), list, nil)
					if err != nil {
						t.Errorf("round %d: %v", round, err)
					}
					mu.Lock()
					kept += len(ids)
					mu.Unlock()
				}
			})
		}
		work.Wait()
		if kept != 2400 {
			t.Errorf("kept %d, want 2400", kept)
		}
	})
}

// TestClockPutBack: what came, and what rests, while the clock was a day ahead is due in the order in which it came,
// and does not wait for that day.
func TestClockPutBack(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		const day = 86_400 // seconds
		before := keep(t, db, delivery(1))[0]
		ahead := keep(t, db, delivery(day+2))[0]
		resting := keep(t, db, delivery(3))[0]
		after := keep(t, db, delivery(4))[0]
		young := keep(t, db, delivery(58))[0]
		rest := func(id affiliate.DeliveryID, now time.Time) {
			t.Helper()
			d, err := db.Delivery(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.PostponeDelivery(t.Context(), d, "it hurts", now); err != nil {
				t.Fatal(err)
			}
		}
		rest(resting, noon.Add(day*time.Second))
		now := noon.Add(time.Minute)
		due, err := db.DueDeliveries(t.Context(), now.Add(-5*time.Second), now, 10)
		if want := []affiliate.DeliveryID{before, ahead, resting, after}; err != nil || !slices.Equal(due, want) {
			t.Errorf("due are %v, %v; want %v and not %s, which came just now", due, err, want, young)
		}
		due, _ = db.DueDeliveries(t.Context(), now, now, 2)
		if !slices.Equal(due, []affiliate.DeliveryID{before, ahead}) {
			t.Errorf("the first two are %v", due)
		}
		list, err := db.WaitingDeliveries(t.Context(), []affiliate.DeliveryID{resting, ahead}, now)
		if err != nil || len(list) != 2 {
			t.Errorf("%d of both are handed to a worker, %v", len(list), err)
		}
		rest(after, now)
		if due, _ := db.DueDeliveries(t.Context(), now, now, 10); slices.Contains(due, after) {
			t.Error("a delivery that rests by this clock is due")
		}
		newest, err := db.NewestReceived(t.Context())
		if err != nil || !newest.Equal(noon.Add((day+2)*time.Second)) {
			t.Errorf("the newest came at %s, %v", newest, err)
		}
		shop := addStore(t, db, "shop")
		last := func(at time.Time) time.Time {
			inTx(t, db, func(tx *storage.Tx) error {
				return tx.AddStoreCounts(t.Context(), storage.StoreTally{Now: at,
					Activity: []storage.StoreActivity{{StoreID: shop.ID, Delivery: at}}})
			})
			s, err := db.Store(t.Context(), shop.ID)
			if err != nil {
				t.Fatal(err)
			}
			return s.LastDeliveryAt
		}
		last(noon.Add(day * time.Second))
		if at := last(noon); !at.Equal(noon) {
			t.Errorf("the last delivery came at %s, want the time by the clock that was put right", at)
		}
		if at := last(noon.Add(-time.Second)); !at.Equal(noon) {
			t.Errorf("another machine's clock, a second behind, moves the last delivery to %s", at)
		}
	})
}

func TestNewestReceived_ofNone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		if at, err := db.NewestReceived(t.Context()); err != nil || !at.IsZero() {
			t.Errorf("%s, %v", at, err)
		}
	})
}

// TestReplay_in_parts: a replay of many deliveries puts each back once, in several transactions.
func TestReplay_in_parts(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		const n = 4100
		list := make([]storage.NewDelivery, n)
		for i := range list {
			list[i] = delivery(1)
			list[i].Key = [16]byte{byte(i), byte(i >> 8)}
		}
		if ids := keep(t, db, list...); len(ids) != n {
			t.Fatal(len(ids))
		}
		all := storage.ReplayFilter{Since: time.Unix(0, 0)}
		if got, err := db.ReplayDeliveries(t.Context(), all, nil); err != nil || got != n {
			t.Errorf("%d were put back, want %d: %v", got, n, err)
		}
		later := noon.Add(100 * 24 * time.Hour)
		got, err := db.DueDeliveries(t.Context(), later, later, 2*n)
		if err != nil || len(got) != n {
			t.Errorf("%d wait, want %d: %v", len(got), n, err)
		}
	})
}
