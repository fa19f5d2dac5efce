package storage_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func mustRate(t *testing.T, s string) money.Rate {
	t.Helper()
	r, err := money.ParseRate(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// published makes reference rates from "day currency rate" lines.
func published(t *testing.T, lines ...string) []storage.ReferenceRate {
	t.Helper()
	list := make([]storage.ReferenceRate, len(lines))
	for i, line := range lines {
		var day, currency, rate string
		if _, err := fmt.Sscan(line, &day, &currency, &rate); err != nil {
			t.Fatal(err)
		}
		list[i] = storage.ReferenceRate{Day: day, Currency: money.Currency(currency), Rate: mustRate(t, rate)}
	}
	return list
}

func saveRates(t *testing.T, db *storage.DB, list []storage.ReferenceRate) (added int) {
	t.Helper()
	inTx(t, db, func(tx *storage.Tx) (err error) {
		added, err = tx.SaveRates(t.Context(), list)
		return err
	})
	return added
}

func TestQuotes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		saveRates(t, db, published(t,
			"2026-03-31 USD 1.25", "2026-03-31 JPY 160", "2026-03-31 GBP 0.8",
			"2026-04-01 USD 1.2", // nothing else that day
			"2026-04-10 USD 1.1684", "2026-04-10 JPY 186.75"))
		want := map[storage.RateKey]storage.Quote{
			{From: "EUR", To: "USD", Day: "2026-04-10"}: {Rate: mustRate(t, "1.1684"), Date: "2026-04-10"},
			{From: "USD", To: "EUR", Day: "2026-04-10"}: {Rate: mustRate(t, "0.85587127696"), Date: "2026-04-10"},
			// a Monday
			{From: "USD", To: "JPY", Day: "2026-04-13"}: {Rate: mustRate(t, "159.833960972"), Date: "2026-04-10"},
			{From: "EUR", To: "USD", Day: "2026-04-09"}: {Rate: mustRate(t, "1.2"), Date: "2026-04-01"},
			// the last day with both
			{From: "USD", To: "JPY", Day: "2026-04-09"}: {Rate: mustRate(t, "128"), Date: "2026-03-31"},
			// exactly ten days
			{From: "GBP", To: "EUR", Day: "2026-04-10"}: {Rate: mustRate(t, "1.25"), Date: "2026-03-31"},
			{From: "EUR", To: "USD", Day: "2026-04-20"}: {Rate: mustRate(t, "1.1684"), Date: "2026-04-10"},
			{From: "EUR", To: "EUR", Day: "1999-01-01"}: {Rate: money.One, Date: "1999-01-01"},
			{From: "USD", To: "USD", Day: "2026-04-10"}: {Rate: money.One, Date: "2026-04-10"},
			{From: "USD", To: "USD", Day: "2026-04-12"}: {Rate: money.One, Date: "2026-04-12"},
			{From: "XCD", To: "XCD", Day: "2026-04-12"}: {Rate: money.One, Date: "2026-04-12"}, // never published
		}
		keys := slices.Collect(maps.Keys(want))
		keys = append(keys, keys...) // asked twice
		keys = append(keys,
			storage.RateKey{From: "GBP", To: "EUR", Day: "2026-04-11"}, // eleven days
			storage.RateKey{From: "EUR", To: "USD", Day: "2026-04-21"},
			storage.RateKey{From: "EUR", To: "USD", Day: "2026-03-30"}, // before the first
			storage.RateKey{From: "EUR", To: "XCD", Day: "2026-04-10"},
			storage.RateKey{From: "EUR", To: "USD", Day: ""},
			storage.RateKey{From: "EUR", To: "USD", Day: "2026-02-30"})
		got, err := db.Quotes(t.Context(), keys)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("Quotes() = %v, %v\nwant %v", got, err, want)
		}
		if got, err := db.Quotes(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("Quotes(nil) = %v, %v", got, err)
		}
	})
}

// TestQuotesOverYears asks for more days than one statement may name.
func TestQuotesOverYears(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		var list []storage.ReferenceRate
		var keys []storage.RateKey
		first := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range 3000 {
			day := first.AddDate(0, 0, i).Format(time.DateOnly)
			list = append(list, storage.ReferenceRate{Day: day, Currency: "USD",
				Rate: mustRate(t, fmt.Sprintf("1.%04d1", i))})
			keys = append(keys, storage.RateKey{From: "EUR", To: "USD", Day: day})
		}
		if added := saveRates(t, db, list); added != len(list) {
			t.Errorf("%d added, want %d", added, len(list))
		}
		got, err := db.Quotes(t.Context(), keys)
		if err != nil || len(got) != len(keys) {
			t.Fatalf("%d quotes, %v, want %d", len(got), err, len(keys))
		}
		for i, k := range keys {
			if want := (storage.Quote{Rate: list[i].Rate, Date: k.Day}); got[k] != want {
				t.Fatalf("%v: %v, want %v", k, got[k], want)
			}
		}
	})
}

func TestPublishedRatesNeverChange(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		newest := func(want string) {
			t.Helper()
			if day, err := db.NewestRateDay(t.Context()); err != nil || day != want {
				t.Errorf("NewestRateDay() = %q, %v, want %q", day, err, want)
			}
		}
		newest("")
		if added := saveRates(t, db, nil); added != 0 {
			t.Errorf("%d added of none", added)
		}
		if added := saveRates(t, db, published(t, "2026-04-09 USD 1.17", "2026-04-10 USD 1.1684",
			"2026-04-09 GBP 0.87")); added != 3 {
			t.Errorf("%d added, want 3", added)
		}
		if added := saveRates(t, db, published(t, "2026-04-10 USD 9.99", "2026-04-09 JPY 160",
			"2026-04-09 JPY 161")); added != 1 {
			t.Errorf("%d added, want 1", added)
		}
		newest("2026-04-10")
		day := "2026-04-10"
		dollar, yen := storage.RateKey{From: "EUR", To: "USD", Day: day}, storage.RateKey{From: "EUR",
			To: "JPY", Day: day}
		got, err := db.Quotes(t.Context(), []storage.RateKey{dollar, yen})
		if err != nil || got[dollar] != (storage.Quote{Rate: mustRate(t, "1.1684"), Date: day}) ||
			got[yen] != (storage.Quote{Rate: mustRate(t, "160"), Date: "2026-04-09"}) {
			t.Errorf("Quotes() = %v, %v", got, err)
		}
	})
}

// TestRatesAddedSideBySide_race: the same rates in different order, from several processes at once, are added once.
func TestRatesAddedSideBySide_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		var list []storage.ReferenceRate
		for i := range 500 {
			list = append(list, published(t, fmt.Sprintf("2026-04-%02d %c%c%c 1.5", i%28+1, 'A'+i%26,
				'A'+i/26, 'X'))...)
		}
		reversed := slices.Clone(list)
		slices.Reverse(reversed)
		var mu sync.Mutex
		var all sync.WaitGroup
		total := 0
		for i := range 6 {
			mine := list
			if i%2 == 1 {
				mine = reversed
			}
			all.Go(func() {
				err := db.InTx(t.Context(), func(tx *storage.Tx) error {
					added, err := tx.SaveRates(t.Context(), mine)
					mu.Lock()
					defer mu.Unlock()
					total += added
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if total != len(list) {
			t.Errorf("%d rates were added, want %d", total, len(list))
		}
	})
}
