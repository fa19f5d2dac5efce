package storage

import (
	"context"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// KeyFigures are a report with the figures that people look at first.
type KeyFigures struct {
	KPIs affiliate.KPIs
	// Before are those of the period before; nil where there is none. Members and payments due have no past: 0 here.
	Before *affiliate.KPIs
	Sums   ReportSums
	Due    PaymentsDue
}

// Overview is a report with its key figures and its chart.
type Overview struct {
	KeyFigures
	Chart Chart
	// Uncredited are the sales of the range without a creator. They belong to no campaign.
	Uncredited []CurrencyOrders
}

// Chart has the sums of a report per interval, in the account's currency. They add up to those of the report.
type Chart struct {
	Unit    affiliate.Unit
	Buckets []affiliate.Bucket
	Series  []affiliate.Sums // of each bucket
}

// Overview reads a report with its key figures and a chart in a unit, or in the one that suits the range when it is
// empty. What adds up is read at one moment.
func (db *DB) Overview(ctx context.Context, r Report, unit affiliate.Unit, s affiliate.Settings,
	now time.Time) (o Overview, err error) {
	o.KeyFigures, err = db.keyFigures(ctx, r, s, now, func(ctx context.Context, s *Snapshot) (err error) {
		if o.Chart, err = s.Chart(ctx, r, unit, now); err != nil {
			return err
		}
		o.Uncredited, err = s.UncreditedSales(ctx, r.Range)
		return err
	})
	return o, err
}

// KeyFigures reads a report with its key figures alone, where nothing beside them has to add up to the same.
func (db *DB) KeyFigures(ctx context.Context, r Report, s affiliate.Settings, now time.Time) (KeyFigures, error) {
	return db.keyFigures(ctx, r, s, now, func(context.Context, *Snapshot) error { return nil })
}

// keyFigures reads key figures, and in the same snapshot whatever else must add up to them. The statements that take
// longest run at the same time.
func (db *DB) keyFigures(ctx context.Context, r Report, s affiliate.Settings, now time.Time,
	also func(context.Context, *Snapshot) error) (KeyFigures, error) {
	var k KeyFigures
	var members, with, withBefore int64
	previous := r
	compare := false
	previous.Range, compare = r.Range.Previous()
	if compare {
		k.Before = &affiliate.KPIs{}
	}
	err := together(ctx, func(ctx context.Context) error {
		return db.InSnapshot(ctx, func(s *Snapshot) (err error) {
			if k.Sums, err = s.ReportSums(ctx, r); err != nil {
				return err
			}
			if compare {
				before, err := s.ReportSums(ctx, previous)
				if err != nil {
					return err
				}
				k.Before.Sums = before.Sums
			}
			return also(ctx, s)
		})
	}, func(ctx context.Context) (err error) {
		if members, err = db.MemberCount(ctx, r.Scope); err != nil {
			return err
		}
		if compare {
			if withBefore, err = db.MembersWithConversions(ctx, previous); err != nil {
				return err
			}
		}
		with, err = db.MembersWithConversions(ctx, r)
		return err
	}, func(ctx context.Context) (err error) {
		k.Due, err = db.PaymentsDue(ctx, r.Scope, r.Currency, s.MinimumPayout, now)
		return err
	})
	k.KPIs = affiliate.KPIs{Sums: k.Sums.Sums, Members: members, MembersWithConversions: with,
		PaymentsDue: k.Due.Amount, MembersWithPaymentsDue: k.Due.Members}
	if compare {
		k.Before.MembersWithConversions = withBefore
	}
	return k, err
}

// MostBuckets bounds the intervals of a chart.
const MostBuckets = 1100

// Chart gives a report per interval of a unit, or of the one that suits the range when it is empty. A range without a
// beginning or an end is drawn from the first day with figures to today. The error names the field unit.
func (q queries) Chart(ctx context.Context, r Report, unit affiliate.Unit, now time.Time) (Chart, error) {
	bounded, err := q.BoundedRange(ctx, r.Range, affiliate.Day(now, r.Range.Zone))
	if err != nil {
		return Chart{}, err
	}
	if unit == "" {
		unit = bounded.UnitFor()
	}
	c := Chart{Unit: unit, Buckets: bounded.Buckets(unit)}
	if n := len(c.Buckets); n > MostBuckets {
		return Chart{}, affiliate.FieldErrorf("unit", "there are %d intervals of a %s in the range, and at most %d "+
			"are given; take a wider unit or a shorter range",
			n, unit, MostBuckets)
	}
	c.Series, err = q.ReportSeries(ctx, r, c.Buckets)
	return c, err
}

// together runs functions at the same time. When one fails the others are called off; the error is the first one's.
func together(ctx context.Context, functions ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, f := range functions {
		wg.Go(func() {
			if err := f(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx) // nil unless one failed or the caller has gone
}
