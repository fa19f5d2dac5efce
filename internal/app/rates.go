package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Rates is where exchange rates are published. Each of its lists is complete for the days it covers: the days from its
// first to its last.
type Rates interface {
	// Source names the place, without a password that may be in it.
	Source() string
	// Latest gives the last day.
	Latest(ctx context.Context) ([]money.ReferenceRate, error)
	// Recent gives a quarter of a year.
	Recent(ctx context.Context) ([]money.ReferenceRate, error)
	// History gives all days.
	History(ctx context.Context) ([]money.ReferenceRate, error)
}

// RatesReport says what an update of the exchange rates did.
type RatesReport struct {
	Added  int    // rates that were not known
	Filled int    // conversions that waited for one of them
	Newest string // the last day that has rates: 2026-04-13; empty when there are none
}

// UpdateRates fetches what was published since the newest rates that are kept, and converts what waited for it. Nothing
// is kept unless all days in between could be fetched: nobody would notice the gap later.
func (a *App) UpdateRates(ctx context.Context) (RatesReport, error) {
	if a.Rates == nil {
		return RatesReport{}, affiliate.Errorf(affiliate.Invalid,
			"FX_RATES_URL is off: set it, or load a file with: tributary rates update --file FILE")
	}
	newest, err := a.DB.NewestRateDay(ctx)
	if err != nil {
		return RatesReport{}, err
	}
	list, err := fetchRates(ctx, a.Rates, newest)
	if err != nil {
		return RatesReport{}, fmt.Errorf("fetch exchange rates: %w", err)
	}
	return a.ImportRates(ctx, list)
}

// ImportRates keeps published rates and converts what waited for them.
func (a *App) ImportRates(ctx context.Context, list []money.ReferenceRate) (r RatesReport, err error) {
	if r.Added, err = a.LoadRates(ctx, list); err != nil {
		return r, err
	}
	if r.Filled, err = a.FillRates(ctx); err != nil {
		return r, err
	}
	r.Newest, err = a.DB.NewestRateDay(ctx)
	return r, err
}

// fetchRates gives the smallest list that leaves no gap after the newest day that is known; nothing when there is no
// newer day.
func fetchRates(ctx context.Context, from Rates, newest string) (list []money.ReferenceRate, err error) {
	if newest == "" {
		return from.History(ctx)
	}
	for _, fetch := range []func(context.Context) ([]money.ReferenceRate, error){from.Latest, from.Recent,
		from.History} {
		if list, err = fetch(ctx); err != nil {
			return nil, err
		}
		first, last := rateDays(list)
		if last <= newest {
			return nil, nil
		}
		if !anyPublished(newest, first) {
			break
		}
	}
	return list, nil
}

func rateDays(list []money.ReferenceRate) (first, last string) {
	for _, r := range list {
		if first == "" || r.Day < first {
			first = r.Day
		}
		last = max(last, r.Day)
	}
	return first, last
}

// ratesBatch is about how many rates one transaction adds: all since 1999 in one would let deliveries wait for seconds
// on SQLite, which has one writer.
const ratesBatch = 5000

// LoadRates keeps published rates, the oldest first and whole days at a time, and gives how many were new. Where it
// breaks off, the next update goes on. Rates of days that have not come yet are Invalid: they would stop every later
// update, and one of the two calendars is wrong.
func (a *App) LoadRates(ctx context.Context, list []money.ReferenceRate) (added int, err error) {
	tomorrow := a.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	if _, last := rateDays(list); last > tomorrow {
		return 0, affiliate.Errorf(affiliate.Invalid,
			"the exchange rates are of %s, which has not come by this machine's clock: correct the clock or the file",
			last)
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b money.ReferenceRate) int { return strings.Compare(a.Day, b.Day) })
	for len(list) > 0 {
		n := min(ratesBatch, len(list))
		for n < len(list) && list[n].Day == list[n-1].Day {
			n++
		}
		saved := 0
		err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
			saved, err = tx.SaveRates(ctx, list[:n])
			return err
		})
		if err != nil {
			return added, err
		}
		added, list = added+saved, list[n:]
		a.letOthersIn(ctx, len(list) > 0)
	}
	return added, nil
}

// SeedRates keeps the rates that come with the program where there are none yet. Several processes may do so at once.
func (a *App) SeedRates(ctx context.Context, bundled func() ([]money.ReferenceRate, error)) error {
	newest, err := a.DB.NewestRateDay(ctx)
	if err != nil || newest != "" {
		return err
	}
	list, err := bundled()
	if err != nil {
		return err
	}
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.LockRates(ctx); err != nil {
			return err
		}
		newest, err := tx.NewestRateDay(ctx)
		if err != nil || newest != "" {
			return err // another process was faster
		}
		_, err = tx.SaveRates(ctx, list)
		return err
	})
}

// ratesZone and ratesHour are when the European Central Bank publishes: "around 16:00 CET on every working day, except
// on TARGET closing days".
const (
	ratesZone = "Europe/Berlin"
	ratesHour = 16
)

// RatesDue gives the last day whose rates should be published by now.
func RatesDue(now time.Time) (string, error) {
	zone, err := affiliate.LoadZone(ratesZone)
	if err != nil {
		return "", err
	}
	local := now.In(zone)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	if local.Hour() < ratesHour {
		day = day.AddDate(0, 0, -1)
	}
	for !publishes(day) {
		day = day.AddDate(0, 0, -1)
	}
	return day.Format(time.DateOnly), nil
}

// anyPublished says whether rates were published on a day between two days.
func anyPublished(after, before string) bool {
	day, err := time.Parse(time.DateOnly, after)
	if err != nil {
		return true
	}
	for day = day.AddDate(0, 0, 1); day.Format(time.DateOnly) < before; day = day.AddDate(0, 0, 1) {
		if publishes(day) {
			return true
		}
	}
	return false
}

// publishes says whether the bank publishes rates on a day: Monday to Friday, but not on the closing days of its
// payment system TARGET: New Year's Day, Good Friday, Easter Monday, Labour Day, Christmas Day and the day after.
func publishes(day time.Time) bool {
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	easter := easterSunday(day.Year())
	closed := []string{"01-01", "05-01", "12-25", "12-26", easter.AddDate(0, 0, -2).Format("01-02"),
		easter.AddDate(0, 0, 1).Format("01-02")}
	return !slices.Contains(closed, day.Format("01-02"))
}

// easterSunday is the Gregorian Easter by the method of Meeus, Jones and Butcher.
func easterSunday(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}
