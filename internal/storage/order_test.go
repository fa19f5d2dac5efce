package storage_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func store(t *testing.T, db *storage.DB) affiliate.StoreID {
	t.Helper()
	var s affiliate.Store
	err := db.InTx(t.Context(), func(tx *storage.Tx) (err error) {
		s, err = tx.CreateStore(t.Context(), affiliate.Store{Slug: "shop", Platform: affiliate.Shopify, Name: "Shop", Domain: "shop.myshopify.com",
			Currency: "USD", Timezone: "UTC", State: affiliate.StoreStateActive, CreatedAt: noon, UpdatedAt: noon})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

func order(s affiliate.StoreID, id string, revision int64) storage.Order {
	reason := affiliate.ReasonNoEvidence
	return storage.Order{StoreID: s, ExternalID: id, Revision: revision, Number: "#" + id, Status: affiliate.Paid, Currency: "USD", Value: 1000,
		OriginalValue: 1000, Total: 1200, PlacedAt: storage.At(noon), UpdatedAt: storage.At(noon), Day: "2026-11-21", Codes: `["A"]`,
		NotCredited: &reason, Evidence: "e", Trace: "{}", State: "{}"}
}

// unseen are orders to be written by somebody who has not looked at what is there; only sums need that.
func unseen(list []storage.Order) []storage.OrderChange {
	changes := make([]storage.OrderChange, len(list))
	for i, o := range list {
		changes[i].After = o
	}
	return changes
}

func TestSaveOrders(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := store(t, db)
		var first, second map[storage.OrderKey]affiliate.OrderID
		save := func(list ...storage.Order) (ids map[storage.OrderKey]affiliate.OrderID) {
			t.Helper()
			err := db.InTx(t.Context(), func(tx *storage.Tx) (err error) {
				ids, err = tx.SaveOrders(t.Context(), unseen(list), noon)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		first = save(order(s, "9007199254740993", 1), order(s, "2", 1))
		changed := order(s, "2", 2)
		changed.Value, changed.Trace, changed.NotCredited = 0, "", nil
		second = save(changed, order(s, "3", 1))
		key := storage.OrderKey{StoreID: s, ExternalID: "2"}
		if first[key] == 0 || first[key] != second[key] || len(second) != 2 {
			t.Errorf("ids are %v, then %v", first, second)
		}
		row, err := db.FindOrder(t.Context(), "shop", "2")
		if err != nil || row.Value != 0 || row.Trace != "{}" || row.NotCredited != nil || row.Revision != 2 || !row.PlacedAt.Equal(noon) ||
			!slices.Equal(row.CodeList(), []string{"A"}) {
			t.Errorf("read back %+v, %v", row, err)
		}
		if _, err := db.FindOrder(t.Context(), "shop", "4"); affiliate.KindOf(err) != affiliate.NotFound {
			t.Errorf("an unknown order gives %v", err)
		}
	})
}

func TestListOrdersPagesThroughAll(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := store(t, db)
		var list []storage.Order
		for _, id := range []string{"1", "2", "3", "4", "5"} {
			list = append(list, order(s, id, 1)) // all placed in the same second
		}
		err := db.InTx(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.SaveOrders(t.Context(), unseen(list), noon)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var seen []string
		filter := storage.OrderFilter{Store: "shop", Status: affiliate.Paid, Limit: 2}
		for {
			rows, err := db.ListOrders(t.Context(), filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				seen = append(seen, r.ExternalID)
			}
			if len(rows) < filter.Limit {
				break
			}
			last := rows[len(rows)-1]
			filter.Before = storage.OrderCursor{PlacedAt: last.PlacedAt.Time, ID: last.ID}
		}
		if want := []string{"5", "4", "3", "2", "1"}; !slices.Equal(seen, want) {
			t.Errorf("listed %v, want %v", seen, want)
		}
		if rows, err := db.ListOrders(t.Context(), storage.OrderFilter{From: noon.Add(time.Microsecond), Limit: 9}); err != nil || len(rows) != 0 {
			t.Errorf("listed %d orders after the last, %v", len(rows), err)
		}
	})
}

// Many transactions change the same orders, named in different sequences, some of them not there yet: each must see what
// the one before it wrote, and none may wait for ever.
func TestLockOrdersMakesTransactionsTakeTurns_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := store(t, db)
		keys := []storage.OrderKey{{StoreID: s, ExternalID: "1"}, {StoreID: s, ExternalID: "2"}, {StoreID: s, ExternalID: "3"}}
		const turns = 24
		var work sync.WaitGroup
		for n := range turns {
			work.Go(func() {
				mine := slices.Clone(keys)
				if n%2 == 0 {
					slices.Reverse(mine)
				}
				err := db.InTx(context.Background(), func(tx *storage.Tx) error {
					if err := tx.LockOrders(context.Background(), mine); err != nil {
						return err
					}
					rows, err := tx.Orders(context.Background(), mine)
					if err != nil {
						return err
					}
					var list []storage.Order
					for _, k := range mine {
						list = append(list, order(s, k.ExternalID, rows[k].Revision+1))
					}
					_, err = tx.SaveOrders(context.Background(), unseen(list), noon)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		rows, err := db.Orders(t.Context(), keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if rows[k].Revision != turns {
				t.Errorf("order %s was changed %d times, want %d", k.ExternalID, rows[k].Revision, turns)
			}
		}
	})
}
