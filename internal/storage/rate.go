package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// ReferenceRate is one row of the published rates.
type ReferenceRate = money.ReferenceRate

// RateKey asks for the rate of one day: units of To per unit of From.
type RateKey struct {
	From, To money.Currency
	Day      string // 2026-04-13
}

// Quote is the rate that stands for a day.
type Quote struct {
	Rate money.Rate
	Date string // the day on which the bank published it, or the day asked for when a currency is converted into itself
}

// rateValid is how many days before a day its rate may have been published: longer than any row of holidays.
const rateValid = 10

// rateLock is the advisory lock of those who add rates: two of them in different order would wait for each other's
// rows.
const rateLock = 7_215_023_519

// euro is what the published rates are based on.
const euro money.Currency = "EUR"

// Quotes gives the rate of each key: that of the last day, at most 10 days before the key's, on which both currencies
// were published. Keys without such a rate, or whose day is none, are absent.
func (q queries) Quotes(ctx context.Context, keys []RateKey) (map[RateKey]Quote, error) {
	quotes := make(map[RateKey]Quote, len(keys))
	windows := map[string][]string{}
	needed := map[string]bool{}
	currencies := map[money.Currency]bool{}
	for _, k := range keys {
		if k.From == k.To {
			quotes[k] = Quote{money.One, k.Day}
			continue
		}
		if _, done := windows[k.Day]; !done {
			windows[k.Day] = rateWindow(k.Day)
			for _, day := range windows[k.Day] {
				needed[day] = true
			}
		}
		currencies[k.From], currencies[k.To] = true, true
	}
	delete(currencies, euro)
	published, err := q.publishedRates(ctx, slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(currencies)))
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.From == k.To {
			continue
		}
		for _, day := range windows[k.Day] {
			if from, to := published.of(day, k.From), published.of(day, k.To); !from.IsZero() && !to.IsZero() {
				quotes[k] = Quote{money.Cross(to, from), day}
				break
			}
		}
	}
	return quotes, nil
}

// rateWindow gives the days whose rates may stand for a day, the best first; none for what is no day.
func rateWindow(day string) []string {
	last, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil
	}
	days := make([]string, 0, rateValid+1)
	for ago := range rateValid + 1 {
		days = append(days, last.AddDate(0, 0, -ago).Format(time.DateOnly))
	}
	return days
}

// dayRates are units per euro, by day and currency.
type dayRates map[string]map[money.Currency]money.Rate

// of gives no rate where none was published.
func (r dayRates) of(day string, c money.Currency) money.Rate {
	if c == euro {
		return money.One
	}
	return r[day][c]
}

// rateDays is how many days one statement asks for: almost three years.
const rateDays = 1000

func (q queries) publishedRates(ctx context.Context, days []string, currencies []money.Currency) (dayRates, error) {
	rates := dayRates{}
	if len(currencies) == 0 {
		return rates, nil
	}
	for part := range slices.Chunk(days, rateDays) {
		var rows []rateRow
		if err := q.ListIn(ctx, &rows, `SELECT day, currency, rate FROM fx_rates WHERE day IN (?) AND currency IN (?)`, part, currencies); err != nil {
			return nil, fmt.Errorf("read the exchange rates: %w", err)
		}
		for _, r := range rows {
			rate, err := money.ParseRate(r.Rate)
			if err != nil {
				return nil, fmt.Errorf("exchange rate of %s for %s: %w", r.Currency, r.Day, err)
			}
			if rates[r.Day] == nil {
				rates[r.Day] = map[money.Currency]money.Rate{}
			}
			rates[r.Day][r.Currency] = rate
		}
	}
	return rates, nil
}

type rateRow struct {
	Day      string
	Currency money.Currency
	Rate     string
}

// rateRows is how many rates one statement adds. SQLite takes many small statements faster than a few with thousands of
// placeholders.
const rateRows = 100

// SaveRates adds published rates and gives how many were new. A rate that is there already stays as it is: what was
// published never changes, and conversions were computed with it.
func (tx *Tx) SaveRates(ctx context.Context, list []ReferenceRate) (added int, err error) {
	if err := tx.LockRates(ctx); err != nil {
		return 0, err
	}
	for part := range slices.Chunk(list, rateRows) {
		args := make([]any, 0, len(part)*3)
		for _, r := range part {
			args = append(args, r.Day, string(r.Currency), r.Rate.String())
		}
		res, err := tx.c.ExecContext(ctx, `INSERT INTO fx_rates (day, currency, rate) VALUES `+tx.d.values(len(part), 3)+
			` ON CONFLICT (day, currency) DO NOTHING`, args...)
		if err != nil {
			return added, storageError(err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return added, err
		}
		added += int(n)
	}
	return added, nil
}

// LockRates keeps others from adding rates until this transaction ends.
func (tx *Tx) LockRates(ctx context.Context) error {
	if !tx.d.advisory {
		return nil
	}
	_, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, rateLock)
	return err
}

// NewestRateDay gives the last day that has rates, or "" when there are none.
func (q queries) NewestRateDay(ctx context.Context) (string, error) {
	var day string
	err := q.Get(ctx, &day, `SELECT COALESCE(MAX(day), '') FROM fx_rates`)
	return day, err
}
