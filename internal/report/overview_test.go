package report_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/storage/storagetest/past"
)

func TestOverview(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		now := p.At("2026-04-10 12:00")
		settings, err := db.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		march, err := affiliate.ParsePeriod("last_month", "", "", now, p.Zone)
		if err != nil {
			t.Fatal(err)
		}
		o, err := p.report(report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}}, march).Overview(t.Context(),
			db,
			"", settings, now)
		if err != nil {
			t.Fatal(err)
		}
		sums := affiliate.Sums{Clicks: 5, Conversions: 4, Linked: 2, Pending: 1, Canceled: 1, Refunded: 1, Held: 1,
			Rejected: 1,
			Sales:    17901, Commissions: 1790, Refunds: 5200, Payouts: 1100}
		if want := (affiliate.KPIs{Sums: sums, Members: 4, MembersWithConversions: 2}); o.KPIs != want ||
			o.Sums.Sums != sums {
			t.Errorf("got %+v, want %+v", o.KPIs, want)
		}
		if want := (affiliate.KPIs{Sums: affiliate.Sums{Conversions: 1, Sales: 77777, Commissions: 7777},
			MembersWithConversions: 1}); o.Before == nil || *o.Before != want {
			t.Errorf("before it %+v, want %+v", o.Before, want)
		}
		ofSpring := report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}}
		alone, err := p.report(ofSpring, march).KeyFigures(t.Context(), db, settings, now)
		if err != nil || !reflect.DeepEqual(alone, o.KeyFigures) {
			t.Errorf("key figures alone are %+v, %v; want %+v", alone, err, o.KeyFigures)
		}
		total := affiliate.Sums{}
		for _, s := range o.Chart.Series {
			total = total.Plus(s)
		}
		if o.Chart.Unit != affiliate.ByDay || len(o.Chart.Buckets) != 31 || total != sums {
			t.Errorf("%d intervals of a %s add up to %+v", len(o.Chart.Buckets), o.Chart.Unit, total)
		}
		if want := []storage.CurrencySales{{Currency: "EUR", Orders: 2, Sales: 4000},
			{Currency: "PLN", Orders: 1, Sales: 300}}; !slices.Equal(o.Uncredited, want) {
			t.Errorf("without a creator %v, want %v", o.Uncredited, want)
		}

		all := p.report(report.Scope{Former: true}, affiliate.Range{Zone: p.Zone})
		o, err = all.Overview(t.Context(), db, affiliate.ByMonth, settings, now)
		if err != nil || o.Before != nil || len(o.Chart.Buckets) != 3 || o.Chart.Buckets[0].From != "2026-02-01" ||
			o.Chart.Buckets[2].Last() != "2026-04-10" {
			t.Errorf("all time: %+v, %v", o, err)
		}
		all.Range.From, all.Range.To = "2000-01-01", "2026-01-01"
		var e *affiliate.Error
		if _, err := all.Overview(t.Context(), db, affiliate.ByDay, settings, now); !errors.As(err, &e) ||
			e.Field != "unit" || !strings.Contains(e.Message, "9497 intervals") {
			t.Errorf("too many intervals: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := all.Overview(gone, db, "", settings, now); !errors.Is(err, context.Canceled) {
			t.Errorf("for somebody who has gone: %v", err)
		}
	})
}

// TestChart_drawn: a chart that is looked at begins with the first conversion of what it shows, whatever the account
// had before, and has the period before beside. Both add up to what the figures say.
func TestChart_drawn(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		now := p.At("2026-04-10 12:00")
		for _, c := range []struct {
			name  string
			scope report.Scope
			unit  affiliate.Unit
			first string
		}{
			{"home", report.Scope{Former: true}, "", "2026-02-28"},
			{"home by week", report.Scope{Former: true}, affiliate.ByWeek, "2026-02-23"},
			{"home by month", report.Scope{Former: true}, affiliate.ByMonth, "2026-02-01"},
			{"a campaign", report.Scope{Campaigns: []affiliate.CampaignID{past.Autumn}}, "", "2026-03-15"},
			{"an offer", report.Scope{Offers: []affiliate.OfferID{past.SpringLinks}}, "", "2026-03-16"},
			{"a creator", report.Scope{Creator: past.Ben}, "", ""},
			{"a creator in a campaign", report.Scope{Creator: past.Anna,
				Campaigns: []affiliate.CampaignID{past.Autumn}}, "", "2026-03-15"},
			{"nobody", report.Scope{Campaigns: []affiliate.CampaignID{past.Winter}}, "", "2026-04-10"},
		} {
			r := p.report(c.scope, affiliate.Range{Zone: p.Zone})
			r.Drawn = true
			chart, err := r.Chart(t.Context(), db, c.unit, now)
			if err != nil {
				t.Fatal(err)
			}
			sums, err := r.Sums(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			first := chart.Buckets[0]
			if c.first != "" && first.From != c.first || first.Partial || chart.Before != nil {
				t.Errorf("%s begins on %s (in part: %v), want %s", c.name, first.From, first.Partial, c.first)
			}
			if got := plus(chart.Series); got.Sales != sums.Sales || got.Commissions != sums.Commissions ||
				got.Conversions != sums.Conversions {
				t.Errorf("%s adds up to %+v, want %+v", c.name, got, sums.Sums)
			}
		}
		for _, unit := range affiliate.Words[affiliate.Unit]() {
			r := p.report(report.Scope{Former: true}, p.Days("2026-03-20", "2026-04-08"))
			r.Drawn = true
			chart, err := r.Chart(t.Context(), db, unit, now)
			if err != nil {
				t.Fatal(err)
			}
			r.Range, _ = r.Range.Previous()
			before, err := r.Sums(t.Context(), db)
			if err != nil || len(chart.Before) != len(chart.Series) || plus(chart.Before) != before.Sums {
				t.Errorf("the %ss before add up to %+v, want %+v, %v", unit, plus(chart.Before), before.Sums, err)
			}
		}
	})
}

func plus(list []affiliate.Sums) (total affiliate.Sums) {
	for _, s := range list {
		total = total.Plus(s)
	}
	return total
}
