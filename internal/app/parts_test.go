package app_test

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// failures keeps n failed deliveries of a store, all with one note.
func (d *desk) failures(store affiliate.StoreID, n int) {
	d.Helper()
	list := make([]storage.NewDelivery, n)
	for i := range list {
		list[i] = storage.NewDelivery{StoreID: store, Topic: "orders/create", ReceivedAt: deskStart,
			Payload: []byte("body")}
		binary.BigEndian.PutUint64(list[i].Key[:], uint64(i))
	}
	ids, err := d.DB.InsertDeliveries(d.ctx, list, nil)
	must(d, ids, err)
	outcomes := make([]storage.Outcome, len(ids))
	for i, id := range ids {
		outcomes[i] = storage.Outcome{ID: id, State: storage.DeliveryFailed, Note: "cannot be read"}
	}
	if err := d.DB.InTx(d.ctx, func(tx *storage.Tx) error {
		won, err := tx.FinishDeliveries(d.ctx, outcomes, deskStart)
		if len(won) != n {
			d.Errorf("%d of %d are failed", len(won), n)
		}
		return err
	}); err != nil {
		d.Fatal(err)
	}
}

// transactions counts those that f takes.
func (d *desk) transactions(f func()) (n int) {
	var mu sync.Mutex
	d.DB.WatchHolds(func(time.Duration) { mu.Lock(); n++; mu.Unlock() })
	f()
	d.DB.WatchHolds(func(time.Duration) {})
	mu.Lock()
	defer mu.Unlock()
	return n
}

// TestSetAside_in_parts: many deliveries with one note are set aside and put back in several transactions, each once.
func TestSetAside_in_parts(t *testing.T) {
	eachDesk(t, func(d *desk) {
		store := d.store("shop")
		const n = 2*storage.MoveMost + 1
		d.failures(store.ID, n)
		choice := storage.DeliveryChoice{Store: store.ID, Note: "cannot be read"}
		for _, move := range []func() (int64, error){
			func() (int64, error) { return d.SetAside(d.ctx, choice, "too old") },
			func() (int64, error) { return d.PutBack(d.ctx, choice) },
		} {
			parts := d.transactions(func() {
				if moved, err := move(); err != nil || moved != n {
					t.Errorf("%d were moved, want %d: %v", moved, n, err)
				}
			})
			if parts < 3 {
				t.Errorf("all were moved in %d transactions", parts)
			}
			if moved, err := move(); err != nil || moved != 0 {
				t.Errorf("%d were moved once more: %v", moved, err)
			}
		}
		if n, err := d.DB.FailedLike(d.ctx, store.ID, "cannot be read"); err != nil || n != 2*storage.MoveMost+1 {
			t.Errorf("%d are failed again: %v", n, err)
		}
	})
}

// TestErasePayloads_in_parts: the bodies of one store go, in several transactions, and no other's.
func TestErasePayloads_in_parts(t *testing.T) {
	eachDesk(t, func(d *desk) {
		store, other := d.store("shop"), d.store("other")
		const n = 4500
		d.failures(store.ID, n)
		d.failures(other.ID, 10)
		parts := d.transactions(func() {
			if err := d.DB.ErasePayloads(d.ctx, store.ID); err != nil {
				t.Error(err)
			}
		})
		if d.DB.Embedded() && parts < 3 {
			t.Errorf("all were erased in %d transactions", parts)
		}
		left, err := d.Replay(d.ctx, storage.ReplayFilter{Failed: true})
		if err != nil || left != 10 {
			t.Errorf("%d bodies are left, want the other store's 10: %v", left, err)
		}
	})
}
