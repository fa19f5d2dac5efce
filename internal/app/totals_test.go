package app_test

import (
	"context"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

// fatal is what checks need of a test.
type fatal interface {
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Helper()
}

// totals compares every total that people see over a range with the rows behind it, and with the totals that are made
// up of the same rows. It gives those of home.
func (r *rig) totals(t fatal, rng affiliate.Range, currency money.Currency) report.Sums {
	t.Helper()
	return r.totalsIn(r.Context(), t, rng, currency)
}

// totalsIn is totals as they are shown in a context.
func (r *rig) totalsIn(ctx context.Context, t fatal, rng affiliate.Range, currency money.Currency) report.Sums {
	t.Helper()
	fine := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
	everything := report.Report{Scope: report.Scope{Former: true}, Range: rng, Currency: currency}
	home, err := everything.Sums(ctx, r.db)
	fine(err)

	// The rows behind it.
	var rows affiliate.Sums
	waiting := map[money.Currency]int64{}
	members := map[affiliate.OfferMemberID]bool{}
	f := storage.ConversionFilter{Former: true, From: rng.Start(), To: rng.End()}
	fine(r.db.EachConversion(ctx, f, storage.ConversionSort{Column: "date"}, func(c *storage.ConversionItem) error {
		if c.AccountCurrency != currency || c.Rate == nil {
			if c.Class() == affiliate.ClassConversion {
				waiting[c.Currency] += c.Value
			}
			return nil
		}
		switch c.Class() {
		case affiliate.ClassConversion:
			members[c.OfferMemberID] = true
			rows.Conversions, rows.Sales, rows.Commissions = rows.Conversions+1, rows.Sales+*c.AccountValue,
				rows.Commissions+*c.AccountCommission
		case affiliate.ClassPending:
			rows.Pending++
		case affiliate.ClassCanceled:
			rows.Canceled++
		case affiliate.ClassRefunded:
			rows.Refunded++
		case affiliate.ClassHeld:
			rows.Held++
		case affiliate.ClassRejected:
			rows.Rejected++
		}
		if c.Class() != affiliate.ClassRejected {
			rows.Refunds += *c.AccountRefunded
		}
		return nil
	}))
	rows.Clicks, rows.Payouts = home.Clicks, home.Payouts
	if home.Sums != rows {
		t.Fatalf("%s: home has %+v, the rows add up to %+v", rng, home.Sums, rows)
	}
	for _, n := range home.NotConverted {
		if n.Sales != waiting[n.Currency] {
			t.Fatalf("%s: %d %s are not converted, the rows add up to %d", rng, n.Sales, n.Currency,
				waiting[n.Currency])
		}
	}
	with, err := everything.MembersWithConversions(ctx, r.db)
	fine(err)
	if int(with) != len(members) {
		t.Fatalf("%s: %d members with conversions, the rows have %d", rng, with, len(members))
	}

	// Home = Σ campaigns' current members + former creators, and each list adds up to the same.
	sum := home.Former
	page := storage.Page{Limit: storage.MaxLimit}
	current := report.Report{Range: rng, Currency: currency}
	campaigns, err := report.List{Report: current, Page: page}.CampaignRows(ctx, r.db)
	fine(err)
	for _, c := range campaigns.Rows {
		sum = sum.Plus(c.Sums)
	}
	if sum != home.Sums {
		t.Fatalf("%s: campaigns and former creators add up to %+v, home has %+v", rng, sum, home.Sums)
	}
	everybody := report.List{Report: everything, Page: page}
	creators, err := everybody.CreatorRows(ctx, r.db)
	fine(err)
	offers, err := everybody.OfferRows(ctx, r.db)
	fine(err)
	var byCreator, byOffer affiliate.Sums
	for _, c := range creators.Rows {
		byCreator = byCreator.Plus(c.Sums)
	}
	for _, o := range offers.Rows {
		byOffer = byOffer.Plus(o.Sums)
	}
	if byCreator.Sales != home.Sales || byCreator.Commissions != home.Commissions ||
		byCreator.Conversions != home.Conversions || byCreator.Payouts != home.Payouts {
		t.Fatalf("%s: creators add up to %+v, home has %+v", rng, byCreator, home.Sums)
	}
	if byOffer != home.Sums {
		t.Fatalf("%s: offers add up to %+v, home has %+v", rng, byOffer, home.Sums)
	}
	series, err := everything.Series(ctx, r.db, rng.Buckets(affiliate.ByDay))
	fine(err)
	var inTime affiliate.Sums
	for _, s := range series {
		inTime = inTime.Plus(s)
	}
	if inTime != home.Sums {
		t.Fatalf("%s: the series adds up to %+v, home has %+v", rng, inTime, home.Sums)
	}

	// The table's totals, counted from reports and from rows, and the export.
	totals, err := report.TotalConversions(ctx, r.db, f)
	fine(err)
	f.Statuses = []affiliate.OrderStatus{affiliate.Paid, affiliate.Pending, affiliate.Canceled, affiliate.Refunded}
	counted, err := report.TotalConversions(ctx, r.db, f)
	fine(err)
	if totals.Sums != counted.Sums || totals.Sales != home.Sales || totals.Commissions != home.Commissions {
		t.Fatalf("%s: the table's totals are %+v, its rows add up to %+v, home has %+v", rng, totals.Sums,
			counted.Sums, home.Sums)
	}
	file := exported(r.T, func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
		return r.app.ExportConversions(ctx, w, f, storage.ConversionSort{Column: "date"}, o)
	})
	everyRow := func(func(string) string) bool { return true }
	for column, want := range map[string]int64{"Counted Value": home.Sales, "Counted Commission": home.Commissions,
		"Counted Refunded": home.Refunds} {
		if sum := file.sum(r.T, column, "Account Currency", everyRow); sum[currency] != want || len(sum) > 1 {
			t.Fatalf("%s: %s adds up to %v, home has %d", rng, column, sum, want)
		}
	}
	counts := int64(0)
	file.sum(r.T, "Counted Value", "Account Currency", func(cell func(string) string) bool {
		if cell("Counted") == "true" {
			counts++
		}
		if (cell("Counted") == "true") != (cell("Counted Value") != "") {
			t.Fatalf("%s: counted %s, with the value %q", rng, cell("Counted"), cell("Counted Value"))
		}
		return true
	})
	if counts != home.Conversions {
		t.Fatalf("%s: %d rows count, home has %d", rng, counts, home.Conversions)
	}
	return home
}

// payOut pays all that is due, now and in former currencies.
func (r *rig) payOut(t fatal) {
	t.Helper()
	balances, err := r.db.Balances(r.Context(), []affiliate.CreatorID{1, 2}, r.app.Now())
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, b := range balances {
		if _, err := r.app.IssuePayout(r.owner(), app.NewPayout{Creator: b.CreatorID,
			Currency: b.Currency}); err != nil && affiliate.KindOf(err) != affiliate.Conflict {
			t.Fatalf("%v", err)
		}
	}
}

func TestTotalsOfEveryHistory(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.rates("2023-11-14", map[money.Currency]string{"USD": "1.0868", "JPY": "163.05", "KWD": "0.33351"})
		members, _, err := r.db.Members(r.Context(), storage.MemberFilter{}, storage.Page{})
		r.ok(err)
		// payouts count by their own day
		r.app.Now = func() time.Time { return time.Date(2023, 11, 15, 9, 0, 0, 0, time.UTC) }
		// Rejections are rare among what happens: one is there from the start.
		r.apply(orderBody("0-1", 1, func(s *affiliate.Snapshot) { s.Codes = []string{"ben5"} }))
		row, err := r.db.FindOrder(r.Context(), "shop", "0-1")
		r.ok(err)
		_, err = r.app.Decide(r.owner(), []affiliate.ConversionID{row.Conversion.ID}, app.Reject, "")
		r.ok(err)
		round := 0
		var seen report.Sums
		rapid.Check(r.T, func(t *rapid.T) {
			round++
			for step := range rapid.IntRange(1, 8).Draw(t, "steps") {
				r.happen(t, round, step, members)
			}
			settings, err := r.db.Settings(r.Context())
			if err != nil {
				t.Fatal(err)
			}
			zone, err := affiliate.LoadZone(settings.Timezone)
			if err != nil {
				t.Fatal(err)
			}
			from := rapid.SampledFrom([]string{"2023-11-01", "2023-11-13", "2023-11-14", "2023-11-15", "2022-01-31"}).
				Draw(t, "from")
			to := rapid.SampledFrom([]string{"2023-11-14", "2023-11-15", "2023-11-16", "2023-12-01", "2024-03-01"}).
				Draw(t, "to")
			if to <= from {
				to = "2023-11-16"
			}
			home := r.totals(t, affiliate.Range{From: from, To: to, Zone: zone, Preset: affiliate.PeriodCustom},
				settings.Currency)
			seen.Sums, seen.Former, seen.NotConverted = seen.Plus(home.Sums), seen.Former.Plus(home.Former),
				append(seen.NotConverted, home.NotConverted...)
			if findings, err := r.db.Check(r.Context()); err != nil || len(findings) > 0 {
				t.Fatalf("%+v, %v", findings, err)
			}
		})
		// A hundred histories have everything in them; fewer may not.
		if round >= 100 && (seen.Sales == 0 || seen.Payouts == 0 || seen.Rejected == 0 || seen.Former.Sales == 0 ||
			len(seen.NotConverted) == 0) {
			r.Errorf("the histories were too poor: %+v, former %+v", seen.Sums, seen.Former)
		}
	})
}
