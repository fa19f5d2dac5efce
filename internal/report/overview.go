package report

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/tally"
)

// KeyFigures are a report with the figures that people look at first.
type KeyFigures struct {
	KPIs affiliate.KPIs
	// Before are those of the period before; nil where there is none. Members and payments due have no past: 0 here.
	Before *affiliate.KPIs
	Sums   Sums
	Due    PaymentsDue
}

// Overview is a report with its key figures and its chart.
type Overview struct {
	KeyFigures
	Chart Chart
	// Uncredited are the sales of the range without a creator. They belong to no campaign.
	Uncredited []storage.CurrencySales
}

// Chart has the sums of a report per interval, in the account's currency. They add up to those of the report, but for
// what a chart that is drawn leaves out before its first conversion.
type Chart struct {
	Unit    affiliate.Unit
	Buckets []affiliate.Bucket
	Series  []affiliate.Sums // of each bucket
	// Before are the sums of the same part of the period before, for each bucket of a chart that is drawn; nil where
	// there is no such period.
	Before []affiliate.Sums
}

// Overview reads a report with its key figures and a chart in a unit, or in the one that suits the range when it is
// empty. What adds up is read at one moment.
func (r Report) Overview(ctx context.Context, db *storage.DB, unit affiliate.Unit, s affiliate.Settings,
	now time.Time) (o Overview, err error) {
	o.KeyFigures, err = r.keyFigures(ctx, db, s, now, func(ctx context.Context, s *storage.Snapshot) (err error) {
		if o.Chart, err = r.Chart(ctx, s, unit, now); err != nil {
			return err
		}
		o.Uncredited, err = uncredited(ctx, s, r.Range)
		return err
	})
	return o, err
}

// KeyFigures reads a report with its key figures alone, where nothing beside them has to add up to the same.
func (r Report) KeyFigures(ctx context.Context, db *storage.DB, s affiliate.Settings,
	now time.Time) (KeyFigures, error) {
	return r.keyFigures(ctx, db, s, now, func(context.Context, *storage.Snapshot) error { return nil })
}

// ByCampaign reads a creator's report with their key figures, and the figures of each campaign that they are or were
// in, of one moment: they add up to the report's, but for what belongs to no campaign.
func (r Report) ByCampaign(ctx context.Context, db *storage.DB, s affiliate.Settings,
	now time.Time) (k KeyFigures, campaigns []CampaignRow, err error) {
	k, err = r.keyFigures(ctx, db, s, now, func(ctx context.Context, s *storage.Snapshot) error {
		return storage.EachPage(func(p storage.Page) (string, error) {
			page, err := List{Report: r, Page: p}.CampaignRows(ctx, s)
			campaigns = append(campaigns, page.Rows...)
			return page.Next, err
		})
	})
	return k, campaigns, err
}

// keyFigures reads key figures, and in the same snapshot whatever else must add up to them. The statements that take
// longest run at the same time.
func (r Report) keyFigures(ctx context.Context, db *storage.DB, s affiliate.Settings, now time.Time,
	also func(context.Context, *storage.Snapshot) error) (KeyFigures, error) {
	var k KeyFigures
	var members, with, withBefore int64
	previous := r
	compare := false
	previous.Range, compare = r.Range.Previous()
	if compare {
		k.Before = &affiliate.KPIs{}
	}
	err := together(ctx, func(ctx context.Context) error {
		return db.InSnapshot(ctx, func(s *storage.Snapshot) (err error) {
			if k.Sums, err = r.Sums(ctx, s); err != nil {
				return err
			}
			if compare {
				before, err := previous.Sums(ctx, s)
				if err != nil {
					return err
				}
				k.Before.Sums = before.Sums
			}
			return also(ctx, s)
		})
	}, func(ctx context.Context) (err error) {
		if members, err = r.CountMembers(ctx, db); err != nil {
			return err
		}
		if compare {
			if withBefore, err = previous.MembersWithConversions(ctx, db); err != nil {
				return err
			}
		}
		with, err = r.MembersWithConversions(ctx, db)
		return err
	}, func(ctx context.Context) (err error) {
		k.Due, err = r.PaymentsDue(ctx, db, r.Currency, s.MinimumPayout, now)
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
// beginning or an end is drawn from the first day with figures of its scope to today. The error names the field unit.
func (r Report) Chart(ctx context.Context, q Querier, unit affiliate.Unit, now time.Time) (Chart, error) {
	today := affiliate.Day(now, r.Range.Zone)
	days := r.Range
	var err error
	if days.From, err = r.firstDay(ctx, q, today); err != nil {
		return Chart{}, err
	}
	bounded, err := boundedRange(ctx, q, days, today)
	if err != nil {
		return Chart{}, err
	}
	if unit == "" {
		unit = bounded.UnitFor()
	}
	if r.Range.From == "" { // there is nothing before it: its first interval is whole
		bounded = bounded.Widened(unit)
	}
	c := Chart{Unit: unit, Buckets: bounded.Buckets(unit)}
	if n := len(c.Buckets); n > MostBuckets {
		return Chart{}, affiliate.FieldErrorf("unit", "there are %d intervals of a %s in the range, and at most %d "+
			"are given; take a wider unit or a shorter range",
			n, unit, MostBuckets)
	}
	if c.Series, err = r.Series(ctx, q, c.Buckets); err != nil || !r.Drawn {
		return c, err
	}
	if before, ok := r.Range.Previous(); ok {
		c.Before, err = r.Series(ctx, q, before.Like(c.Buckets))
	}
	return c, err
}

// firstDay is the first day with figures of the scope, and of a chart that is drawn with a conversion; the given one
// where there is none yet. It is asked for only where the range has no beginning.
func (r Report) firstDay(ctx context.Context, q Querier, otherwise string) (first string, err error) {
	if r.Range.From != "" {
		return r.Range.From, nil
	}
	var f storage.Filter
	from := "conversions p"
	day := "MIN(p.day)"
	switch {
	case r.Creator != 0 && r.Drawn:
		members, args := r.members("om.id")
		f.And("p.credited AND p.offer_member_id IN ("+members+")", args...)
		f.And(tally.Class("p", affiliate.ClassConversion)+" AND p.rate IS NOT NULL AND p.account_currency = ?",
			string(r.Currency))
	case r.Creator != 0:
		return "", nil
	default:
		from, day = "offer_periods p", "MIN(p.period)"
		f.And("LENGTH(p.period) = 10")
		r.periods(&f)
		if !r.Scope.Former {
			f.And("NOT p.former")
		}
		if r.Drawn {
			f.And("p.conversions <> 0 AND p.converted AND p.currency = ?", string(r.Currency))
		}
	}
	err = q.GetIn(ctx, &first, `SELECT COALESCE(`+day+`, '') FROM `+from+f.Where(), f.Args...)
	if err != nil {
		return "", fmt.Errorf("find the first day of a chart: %w", err)
	}
	if first == "" {
		first = otherwise
	}
	return first, nil
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
