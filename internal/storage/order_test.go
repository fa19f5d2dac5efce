package storage_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
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
		s, err = tx.CreateStore(t.Context(), affiliate.Store{Slug: "shop", Platform: "shopify", Name: "Shop",
			Domain: "shop.myshopify.com", Currency: "USD", Timezone: "UTC", State: affiliate.StoreStateActive,
			CreatedAt: noon, UpdatedAt: noon})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

func order(s affiliate.StoreID, id string, revision int64) storage.Order {
	reason := affiliate.ReasonNoEvidence
	return storage.Order{StoreID: s, ExternalID: id, Revision: revision, Number: "#" + id, Status: affiliate.Paid,
		Currency: "USD", Value: 1000, OriginalValue: 1000, Total: 1200, PlacedAt: storage.At(noon),
		UpdatedAt: storage.At(noon), Day: "2026-11-21", Codes: `["A"]`, NotCredited: &reason, Evidence: "e",
		Trace: "{}", State: "{}"}
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
		if err != nil || row.Value != 0 || row.Trace != "{}" || row.NotCredited != nil || row.Revision != 2 ||
			!row.PlacedAt.Equal(noon) ||
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
		filter := storage.OrderFilter{Store: "shop", Status: affiliate.Paid}
		for page := (storage.Page{Limit: 2}); ; {
			rows, next, err := db.ListOrders(t.Context(), filter, page)
			if err != nil || len(rows) == 0 || len(rows) > 2 {
				t.Fatalf("a page of %d orders, %v", len(rows), err)
			}
			for _, r := range rows {
				seen = append(seen, r.ExternalID)
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		if want := []string{"5", "4", "3", "2", "1"}; !slices.Equal(seen, want) {
			t.Errorf("listed %v, want %v", seen, want)
		}
		rows, next, err := db.ListOrders(t.Context(), filter, storage.Page{Limit: 5})
		if err != nil || len(rows) != 5 || next != "" {
			t.Errorf("a page of all lists %d orders and goes on at %q, %v", len(rows), next, err)
		}
		filter.From = noon.Add(time.Microsecond)
		rows, next, err = db.ListOrders(t.Context(), filter, storage.Page{})
		if err != nil || len(rows) != 0 || next != "" {
			t.Errorf("listed %d orders after the last, next %q, %v", len(rows), next, err)
		}
	})
}

// TestOrderFilter: a list, an export and a count keep the same orders, and a list shows the same of their conversions
// as the list of conversions.
func TestOrderFilter(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s, m := store(t, db), owner(t, db)
		credit := func(id string, hours int, change func(*storage.Conversion)) {
			conversion := creditOrder(t, db, s, id, hours, m)
			inTx(t, db, func(tx *storage.Tx) error {
				list, err := tx.LockConversions(t.Context(), []affiliate.ConversionID{conversion})
				if err != nil {
					return err
				}
				after := list[0]
				change(&after)
				change := []storage.ConversionChange{{Before: &list[0], After: after}}
				_, err = tx.SaveConversions(t.Context(), change, noon)
				return err
			})
		}
		credit("held", 6, func(c *storage.Conversion) { c.Approval = affiliate.Held })
		credit("ambiguous", 5, func(c *storage.Conversion) { c.Ambiguous = true })
		credit("rejected", 4, func(c *storage.Conversion) { c.Ambiguous, c.Approval = true, affiliate.Rejected })
		credit("converted", 3, func(c *storage.Conversion) {
			c.Rate, c.RateDate = new("1"), new("2026-11-20")
			c.AccountValue, c.AccountCommission, c.AccountRefunded = new(int64(1000)), new(int64(100)), new(int64(0))
		})
		inTx(t, db, func(tx *storage.Tx) error {
			lost, test := order(s, "lost", 1), order(s, "test", 1)
			lost.PlacedAt, test.Test = storage.At(noon.Add(time.Hour)), true
			bitcoin, shipped := order(s, "bitcoin", 1), order(s, "shipped", 1)
			bitcoin.Currency, bitcoin.Part, bitcoin.Parent = "BTC:8", true, "lost"
			bitcoin.PlacedAt = storage.At(noon.Add(-time.Hour))
			shipped.CustomStatus, shipped.PlacedAt = "shipped", storage.At(noon.Add(-2*time.Hour))
			shipped.SetDoubts([]affiliate.Doubt{affiliate.DoubtRefund, affiliate.DoubtEdited})
			_, err := tx.SaveOrders(t.Context(), unseen([]storage.Order{lost, test, bitcoin, shipped}), noon)
			return err
		})
		type orders = storage.OrderFilter
		for _, c := range []struct {
			filter orders
			want   string
		}{
			{orders{}, "held ambiguous rejected converted lost test bitcoin shipped"},
			{orders{Show: storage.ShowCredited}, "held ambiguous rejected converted"},
			{orders{Show: storage.ShowUncredited}, "lost shipped"},
			{orders{Show: storage.ShowHeld}, "held"},
			{orders{Show: storage.ShowAmbiguous}, "ambiguous"},
			{orders{Show: storage.ShowUnconverted}, "held ambiguous rejected"},
			{orders{Show: storage.ShowTest}, "test"},
			{orders{Show: storage.ShowUnlisted}, "bitcoin"},
			{orders{Show: storage.ShowParts}, "bitcoin"},
			{orders{Show: storage.ShowDoubtful}, "shipped"},
			{orders{Doubt: storage.AnyDoubt}, "shipped"},
			{orders{Doubt: affiliate.DoubtEdited}, "shipped"},
			{orders{Doubt: affiliate.DoubtRounded}, ""},
			{orders{Custom: "shipped"}, "shipped"},
			{orders{Custom: "ship"}, ""},
			{orders{Text: "#lo"}, "lost"},
			{orders{Text: "converted"}, "converted"},
			{orders{Text: "%"}, ""},
			{orders{Show: storage.ShowHeld, Campaign: m.CampaignID, Creator: m.CreatorID}, "held"},
			{orders{Show: storage.ShowHeld, Campaign: m.CampaignID + 1}, ""},
			{orders{Show: storage.ShowUncredited, Creator: m.CreatorID}, ""},
		} {
			rows, next, err := db.ListOrders(t.Context(), c.filter, storage.Page{})
			if err != nil || next != "" {
				t.Fatalf("%+v: next %q, %v", c.filter, next, err)
			}
			var listed, exported []string
			for _, r := range rows {
				listed = append(listed, r.ExternalID)
			}
			for _, l := range eachOrder(t, db, c.filter) {
				exported = append(exported, l.ExternalID)
			}
			n, err := db.CountOrders(t.Context(), c.filter)
			want := strings.Fields(c.want)
			if !slices.Equal(listed, want) || !slices.Equal(exported, want) || n != int64(len(want)) || err != nil {
				t.Errorf("%+v: listed %v, exported %v, counted %d, %v; want %s",
					c.filter, listed, exported, n, err, c.want)
			}
			for _, r := range rows {
				if r.Conversion == nil {
					continue
				}
				ids := storage.ConversionFilter{IDs: []affiliate.ConversionID{r.Conversion.ID}}
				items, _, err := db.ConversionPage(t.Context(), ids, storage.ConversionSort{}, storage.Page{})
				if err != nil || len(items) != 1 || !reflect.DeepEqual(*r.Conversion, items[0]) {
					t.Errorf("%s has %+v, the list of conversions %+v, %v", r.ExternalID, *r.Conversion, items, err)
				}
			}
		}
	})
}

// Many transactions change the same orders, named in different sequences, some of them not there yet: each must see
// what the one before it wrote, and none may wait for ever.
func TestLockOrdersMakesTransactionsTakeTurns_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := store(t, db)
		keys := []storage.OrderKey{{StoreID: s, ExternalID: "1"}, {StoreID: s, ExternalID: "2"},
			{StoreID: s, ExternalID: "3"}}
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

// TestStoreStatuses: statuses are listed with the orders that have them now, by store, until somebody decides.
func TestStoreStatuses(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := store(t, db)
		inTx(t, db, func(tx *storage.Tx) error {
			shipped, doubtful := order(s, "1", 1), order(s, "2", 1)
			shipped.CustomStatus = "shipped"
			doubtful.SetDoubts([]affiliate.Doubt{affiliate.DoubtRounded, affiliate.DoubtEdited})
			if _, err := tx.SaveOrders(t.Context(), unseen([]storage.Order{shipped, doubtful}), noon); err != nil {
				return err
			}
			_, err := tx.SeeStatuses(t.Context(), []storage.StoreStatus{
				{StoreID: s, Status: "shipped", FirstSeenAt: storage.At(noon)},
				{StoreID: s, Status: "awaiting", FirstSeenAt: storage.At(noon)}})
			return err
		})
		undecided := func(want int64) {
			t.Helper()
			counts, err := db.UndecidedStatuses(t.Context())
			if err != nil || counts[s] != want {
				t.Errorf("undecided %v, %v; want %d", counts, err, want)
			}
		}
		undecided(2)
		inTx(t, db, func(tx *storage.Tx) error {
			return tx.SetStoreStatus(t.Context(), storage.StoreStatus{StoreID: s, Status: "shipped",
				Meaning: affiliate.StorePaid, UpdatedAt: storage.At(noon)})
		})
		undecided(1)
		for slug, want := range map[string]string{"": "[awaiting shipped]", "shop": "[awaiting shipped]", "x": "[]"} {
			if list, err := db.SeenStatuses(t.Context(), slug); err != nil || fmt.Sprint(list) != want {
				t.Errorf("seen in %q: %v, %v; want %s", slug, list, err, want)
			}
		}
		list, err := db.StoreStatuses(t.Context(), s)
		if err != nil || len(list) != 2 || list[0].Orders != 0 || list[1].Orders != 1 ||
			list[1].Meaning != affiliate.StorePaid {
			t.Errorf("listed %+v, %v", list, err)
		}
		counts, err := db.DoubtCounts(t.Context(), s)
		if c := counts[s]; err != nil || c.Orders != 1 || c.By[affiliate.DoubtRounded] != 1 ||
			c.By[affiliate.DoubtEdited] != 1 {
			t.Errorf("in doubt %+v, %v", counts, err)
		}
	})
}
