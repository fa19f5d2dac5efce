package storage

import (
	"context"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Overview is a report with its key figures and its chart.
type Overview struct {
	KPIs   affiliate.KPIs
	Before *affiliate.KPIs // of the period before; nil where there is none. Members and payments due are as of now and 0 here
	Sums   ReportSums
	Due    PaymentsDue
	Chart  Chart
	// Uncredited are the sales of the range without a creator. They belong to no campaign.
	Uncredited []CurrencyOrders
}

// Chart has the sums of a report per interval, in the account's currency. They add up to those of the report.
type Chart struct {
	Unit    affiliate.Unit
	Buckets []affiliate.Bucket
	Series  []affiliate.Sums // of each bucket
}

// Overview reads a report with its key figures and a chart in a unit, or in the one that suits the range when it is empty.
// What adds up is read at one moment. The statements that take longest run at the same time.
func (db *DB) Overview(ctx context.Context, r Report, unit affiliate.Unit, s affiliate.Settings, now time.Time) (Overview, error) {
	var o Overview
	var members, with, withBefore int64
	previous := r
	compare := false
	previous.Range, compare = r.Range.Previous()
	if compare {
		o.Before = &affiliate.KPIs{}
	}
	err := together(ctx, func(ctx context.Context) error {
		return db.InSnapshot(ctx, func(s *Snapshot) (err error) {
			if o.Sums, err = s.ReportSums(ctx, r); err != nil {
				return err
			}
			if compare {
				before, err := s.ReportSums(ctx, previous)
				if err != nil {
					return err
				}
				o.Before.Sums = before.Sums
			}
			if o.Chart, err = s.Chart(ctx, r, unit, now); err != nil {
				return err
			}
			o.Uncredited, err = s.UncreditedSales(ctx, r.Range)
			return err
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
		o.Due, err = db.PaymentsDue(ctx, r.Scope, r.Currency, s.MinimumPayout, now)
		return err
	})
	o.KPIs = affiliate.KPIs{Sums: o.Sums.Sums, Members: members, MembersWithConversions: with, PaymentsDue: o.Due.Amount, MembersWithPaymentsDue: o.Due.Members}
	if compare {
		o.Before.MembersWithConversions = withBefore
	}
	return o, err
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
		return Chart{}, affiliate.FieldErrorf("unit", "there are %d intervals of a %s in the range, and at most %d are given; take a wider unit or a shorter range",
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
