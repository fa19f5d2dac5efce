package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/fxrates"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// bank publishes the dollar's rate on some days, newest last. The last two are the quarter of a year.
type bank struct {
	days  []string
	down  string // the list that cannot be fetched
	asked []string
}

func (b *bank) Source() string { return "test" }

func (b *bank) Latest(context.Context) ([]money.ReferenceRate, error) { return b.list("latest", 1) }
func (b *bank) Recent(context.Context) ([]money.ReferenceRate, error) { return b.list("recent", 3) }
func (b *bank) History(context.Context) ([]money.ReferenceRate, error) {
	return b.list("history", len(b.days))
}

func (b *bank) list(name string, n int) ([]money.ReferenceRate, error) {
	b.asked = append(b.asked, name)
	if b.down == name {
		return nil, errors.New("the bank is closed")
	}
	var list []money.ReferenceRate
	for _, day := range b.days[len(b.days)-n:] {
		list = append(list, money.ReferenceRate{Day: day, Currency: "USD", Rate: money.One})
	}
	return list, nil
}

func ratesApp(db *storage.DB, from app.Rates) *app.App {
	return &app.App{DB: db, Rates: from, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { return time.Date(2026, 4, 14, 12, 0, 0, 0, time.UTC) }}
}

// TestUpdateRates: the smallest list without a gap is fetched, and nothing is kept when it cannot be. The bank's last
// days are before and after Easter: Thursday, Tuesday, Wednesday, …
func TestUpdateRates(t *testing.T) {
	days := []string{"2025-12-01", "2026-03-31", "2026-04-01", "2026-04-02", "2026-04-07", "2026-04-08", "2026-04-09",
		"2026-04-10", "2026-04-13"}
	for _, c := range []struct {
		name, known, down, published string
		asked                        []string
		added                        int
		newest                       string
	}{
		{name: "nothing known", asked: []string{"history"}, added: 9, newest: "2026-04-13"},
		{name: "all known", known: "2026-04-13", asked: []string{"latest"}, newest: "2026-04-13"},
		{name: "more known than published", known: "2026-04-14", asked: []string{"latest"}, newest: "2026-04-14"},
		{name: "over a weekend", known: "2026-04-10", asked: []string{"latest"}, added: 1, newest: "2026-04-13"},
		{name: "over Easter", known: "2026-04-02", published: "2026-04-07", asked: []string{"latest"}, added: 1,
			newest: "2026-04-07"},
		{name: "a day missed", known: "2026-04-09", asked: []string{"latest", "recent"}, added: 2,
			newest: "2026-04-13"},
		{name: "as much as the quarter", known: "2026-04-08", asked: []string{"latest", "recent"}, added: 3,
			newest: "2026-04-13"},
		{name: "more than the quarter", known: "2026-04-07", asked: []string{"latest", "recent", "history"}, added: 8,
			newest: "2026-04-13"},
		{name: "closed", known: "2026-04-10", down: "latest", asked: []string{"latest"}, newest: "2026-04-10"},
		{name: "closed half-way", known: "2026-04-09", down: "recent", asked: []string{"latest", "recent"},
			newest: "2026-04-09"},
		{name: "closed at the end", known: "2026-04-01", down: "history", asked: []string{"latest", "recent",
			"history"}, newest: "2026-04-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := &bank{days: days, down: c.down}
			if i := slices.Index(days, c.published); i >= 0 {
				from.days = days[:i+1]
			}
			a := ratesApp(storagetest.SQLite(t), from)
			if c.known != "" {
				if n, err := a.LoadRates(t.Context(), []money.ReferenceRate{{Day: c.known, Currency: "USD",
					Rate: money.One}}); n != 1 || err != nil {
					t.Fatal(n, err)
				}
			}
			report, err := a.UpdateRates(t.Context())
			if (err != nil) != (c.down != "") || report.Added != c.added || !slices.Equal(from.asked, c.asked) {
				t.Errorf("%+v, %v after asking for %v; want %d added after %v", report, err, from.asked,
					c.added, c.asked)
			}
			if err == nil && report.Newest != c.newest {
				t.Errorf("the newest are of %s, want %s", report.Newest, c.newest)
			}
			if newest, err := a.DB.NewestRateDay(t.Context()); newest != c.newest || err != nil {
				t.Errorf("the newest kept are of %s, %v, want %s", newest, err, c.newest)
			}
		})
	}
	if _, err := ratesApp(storagetest.SQLite(t), nil).UpdateRates(t.Context()); affiliate.KindOf(
		err) != affiliate.Invalid || !strings.Contains(err.Error(), "FX_RATES_URL") {
		t.Errorf("off: %v", err)
	}
}

func TestRatesOfTheFutureAreRefused(t *testing.T) {
	a := ratesApp(storagetest.SQLite(t), nil)
	rate := func(day string) []money.ReferenceRate {
		return []money.ReferenceRate{{Day: "2026-04-10", Currency: "USD", Rate: money.One}, {Day: day, Currency: "USD",
			Rate: money.One}}
	}
	if n, err := a.LoadRates(t.Context(), rate("2026-04-16")); n != 0 || affiliate.KindOf(err) != affiliate.Invalid ||
		!strings.Contains(err.Error(), "2026-04-16") {
		t.Errorf("the day after tomorrow: %d, %v", n, err)
	}
	if n, err := a.LoadRates(t.Context(), rate("2026-04-15")); n != 2 || err != nil { // where it is tomorrow already
		t.Errorf("tomorrow: %d, %v", n, err)
	}
}

// TestRatesAreLoadedDayByDay: what breaks off leaves whole days, the oldest, so that the next update sees what is
// missing.
func TestRatesAreLoadedDayByDay(t *testing.T) {
	bundled, err := fxrates.Bundled() // the newest first
	if err != nil {
		t.Fatal(err)
	}
	spoiled := slices.Clone(bundled)
	for i, r := range spoiled {
		if r.Day == "2025-01-02" {
			spoiled[i].Currency = "\x00" // PostgreSQL takes no NUL
		}
	}
	a := ratesApp(storagetest.Postgres(t), nil)
	n, err := a.LoadRates(t.Context(), spoiled)
	newest, errNewest := a.DB.NewestRateDay(t.Context())
	if err == nil || errNewest != nil || newest < "2024-01-01" || newest >= "2025-01-02" {
		t.Fatalf("%d added up to %s, %v, %v; want the days up to one of 2024", n, newest, err, errNewest)
	}
	want := 0
	for _, r := range bundled {
		if r.Day <= newest {
			want++
		}
	}
	if n != want {
		t.Errorf("%d were added up to %s, want all %d", n, newest, want)
	}
	if more, err := a.LoadRates(t.Context(), bundled); n+more != len(bundled) || err != nil {
		t.Errorf("%d and then %d added, %v, want %d", n, more, err, len(bundled))
	}
}

// TestOrdersWaitForARate: an order in a foreign currency is converted once its rate is there.
func TestOrdersWaitForARate(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Now = func() time.Time { return time.Date(2023, 11, 20, 12, 0, 0, 0, time.UTC) }
		// placed on 2023-11-14, account in USD
		r.apply(orderBody("1", 1, func(s *affiliate.Snapshot) { s.Currency = "GBP" }))
		if got, want := r.money("1"), "paid approved 1000 GBP, waits for a rate true, ledger 0"; got != want {
			r.Fatalf("%s, want %s", got, want)
		}
		list := func(day, dollar, pound string) []money.ReferenceRate {
			return []money.ReferenceRate{{Day: day, Currency: "USD", Rate: rate(r.T, dollar)},
				{Day: day, Currency: "GBP", Rate: rate(r.T, pound)}}
		}
		for _, step := range []struct {
			list   []money.ReferenceRate
			filled int
			want   string
		}{
			// after the order
			{list("2023-11-15", "9", "1"), 0, "paid approved 1000 GBP, waits for a rate true, ledger 0"},
			{list("2023-11-13", "1.1", "0.88"), 1, "paid approved 1000 GBP, waits for a rate false, ledger 1250"},
			// it stays
			{list("2023-11-14", "9", "1"), 0, "paid approved 1000 GBP, waits for a rate false, ledger 1250"},
		} {
			report, err := r.app.ImportRates(r.Context(), step.list)
			if got := r.money("1"); err != nil || report.Added != 2 || report.Filled != step.filled ||
				got != step.want {
				r.Errorf("after %s: %+v, %v, %s; want %d filled, %s", step.list[0].Day, report, err, got,
					step.filled, step.want)
			}
		}
	})
}

func rate(t testing.TB, s string) money.Rate {
	t.Helper()
	r, err := money.ParseRate(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSeedRates(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		a := ratesApp(db, nil)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := a.SeedRates(t.Context(), fxrates.Bundled); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		bundled, err := fxrates.Bundled()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := a.LoadRates(t.Context(), bundled); n != 0 || err != nil {
			t.Errorf("%d of the bundled rates were missing, %v", n, err)
		}
		key := storage.RateKey{From: "EUR", To: "USD", Day: "2026-04-13"}
		if q, err := db.Quotes(t.Context(), []storage.RateKey{key}); err != nil || q[key].Rate.String() != "1.1684" {
			t.Errorf("%v, %v", q, err)
		}
		fail := func() ([]money.ReferenceRate, error) { return nil, errors.New("read although rates were there") }
		if err := a.SeedRates(t.Context(), fail); err != nil {
			t.Error(err)
		}
	})
}

func TestRatesDue(t *testing.T) {
	for now, want := range map[string]string{
		"2026-04-14T13:59:59Z": "2026-04-13", "2026-04-14T14:00:00Z": "2026-04-14", // summer time
		"2026-01-14T14:59:59Z": "2026-01-13", "2026-01-14T15:00:00Z": "2026-01-14",
		"2026-04-13T23:30:00Z": "2026-04-13", "2026-04-12T20:00:00Z": "2026-04-10",
		"2026-04-13T08:00:00Z": "2026-04-10",
		// Easter
		"2026-04-03T18:00:00Z": "2026-04-02", "2026-04-06T18:00:00Z": "2026-04-02",
		"2026-04-07T18:00:00Z": "2026-04-07",
		"2026-12-27T18:00:00Z": "2026-12-24", "2026-01-01T18:00:00Z": "2025-12-31",
		"2026-05-01T18:00:00Z": "2026-04-30",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := app.RatesDue(at); err != nil || got != want {
			t.Errorf("at %s rates are due of %s, %v, want %s", now, got, err, want)
		}
	}
}

// TestRatesDueIsWhatTheBankPublished compares the calendar with every day of the bundled history.
func TestRatesDueIsWhatTheBankPublished(t *testing.T) {
	list, err := fxrates.Bundled()
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]bool{}
	for _, r := range list {
		published[r.Day] = true
	}
	first, last := list[len(list)-1].Day, list[0].Day
	day, err := time.Parse(time.DateOnly, first)
	if err != nil {
		t.Fatal(err)
	}
	for newest := first; newest < last; day = day.AddDate(0, 0, 1) {
		if name := day.Format(time.DateOnly); published[name] {
			newest = name
		}
		if due, err := app.RatesDue(day.Add(18 * time.Hour)); err != nil || due != newest {
			t.Errorf("on the evening of %s: due are those of %s, %v; published were those of %s",
				fmt.Sprint(day.Weekday(), day), due, err, newest)
		}
	}
}
