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
