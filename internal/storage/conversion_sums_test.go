package storage_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestSumConversions: the sums and the ids are those of the rows, whatever they are narrowed to.
func TestSumConversions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := newShelf(t, db, 5)
		for _, f := range []storage.ConversionFilter{{}, {Former: true}, {Former: true, Search: "ann"},
			{Former: true, Approvals: []affiliate.Approval{affiliate.Held}}, {Former: true, Currency: "PLN"},
			{Former: true, Unconverted: true}, {Campaign: 1, Statuses: []affiliate.OrderStatus{affiliate.Refunded}},
			{Search: "nothing has this"}} {
			want := map[money.Currency]storage.ConversionSum{}
			var ids []affiliate.ConversionID
			for _, i := range s.items {
				if !s.has(f, i) {
					continue
				}
				ids = append(ids, i.ID)
				one := storage.ConversionSum{Currency: i.Currency, Value: i.Value, Commission: i.Commission}
				if i.AccountValue != nil {
					one = storage.ConversionSum{Currency: i.AccountCurrency, Value: *i.AccountValue,
						Commission: *i.AccountCommission}
				}
				sum := want[one.Currency]
				want[one.Currency] = storage.ConversionSum{Currency: one.Currency, Conversions: sum.Conversions + 1,
					Value: sum.Value + one.Value, Commission: sum.Commission + one.Commission}
			}
			var list []storage.ConversionSum
			for _, currency := range slices.Sorted(maps.Keys(want)) {
				list = append(list, want[currency])
			}
			got, err := db.SumConversions(t.Context(), f)
			if err != nil || !slices.Equal(got, list) {
				t.Errorf("%+v: %+v, %v, want %+v", f, got, err, list)
			}
			slices.Sort(ids)
			if found, err := db.ConversionIDs(t.Context(), f, 1000); err != nil || !slices.Equal(found, ids) {
				t.Errorf("%+v: ids %v, %v, want %v", f, found, err, ids)
			}
			if found, err := db.ConversionIDs(t.Context(), f, 2); err != nil || len(found) != min(2, len(ids)) {
				t.Errorf("%+v: %d ids of at most 2, %v", f, len(found), err)
			}
		}
	})
}
