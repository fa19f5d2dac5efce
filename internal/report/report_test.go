package report_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/storage/storagetest/past"
)

// history is a past that reports are about.
type history struct{ *past.Past }

func smallPast(t *testing.T, db *storage.DB) history { return history{past.Small(t, db)} }

func (p history) report(s report.Scope, r affiliate.Range) report.Report {
	return report.Report{Scope: s, Range: r, Currency: "EUR"}
}

func TestSums(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		march := p.Days("2026-03-01", "2026-03-31")
		former := affiliate.Sums{Conversions: 2, Sales: 7000, Commissions: 700}
		pln := report.CurrencySums{Currency: "PLN", Sums: affiliate.Sums{Conversions: 1, Sales: 500, Commissions: 50,
			Refunds: 20, Payouts: 30}}
		annaTenSums := affiliate.Sums{Conversions: 3, Linked: 1, Pending: 1, Canceled: 1, Refunded: 1, Held: 1,
			Rejected: 1, Sales: 17001, Commissions: 1700, Refunds: 5200, Payouts: 1100}
		tests := []struct {
			name   string
			scope  report.Scope
			days   affiliate.Range
			sums   affiliate.Sums
			former affiliate.Sums
			other  []report.CurrencySums
		}{
			{"home", report.Scope{Former: true}, march, affiliate.Sums{Clicks: 5, Conversions: 7, Linked: 2,
				Pending: 1, Canceled: 1, Refunded: 1, Held: 1, Rejected: 1, Sales: 31901, Commissions: 3890,
				Refunds: 5200, Payouts: 2050}, former, []report.CurrencySums{pln}},
			{"the community", report.Scope{}, march, affiliate.Sums{Clicks: 5, Conversions: 5, Linked: 2, Pending: 1,
				Canceled: 1, Refunded: 1, Held: 1, Rejected: 1, Sales: 24901, Commissions: 3190, Refunds: 5200,
				Payouts: 2050}, former, []report.CurrencySums{pln}},
			{"a campaign", report.Scope{Campaigns: []affiliate.CampaignID{past.Autumn}}, march,
				affiliate.Sums{Conversions: 1, Sales: 7000, Commissions: 1400, Payouts: 900},
				affiliate.Sums{Conversions: 1, Sales: 3000, Commissions: 300}, nil},
			{"a campaign with former members", report.Scope{Campaigns: []affiliate.CampaignID{past.Autumn},
				Former: true},
				march, affiliate.Sums{Conversions: 2, Sales: 10000, Commissions: 1700, Payouts: 900},
				affiliate.Sums{Conversions: 1, Sales: 3000, Commissions: 300}, nil},
			{"an offer", report.Scope{Offers: []affiliate.OfferID{past.SpringLinks}}, march, affiliate.Sums{Clicks: 5,
				Conversions: 1, Linked: 1, Sales: 900, Commissions: 90},
				affiliate.Sums{}, nil},
			{"offers by status", report.Scope{OfferStatus: affiliate.OfferPaused}, march, affiliate.Sums{Clicks: 5,
				Conversions: 1, Linked: 1, Sales: 900, Commissions: 90},
				affiliate.Sums{}, nil},
			{"offers by type of a campaign", report.Scope{OfferType: affiliate.OfferPromoCode,
				Campaigns: []affiliate.CampaignID{past.Spring}}, march, annaTenSums,
				affiliate.Sums{Conversions: 1, Sales: 4000, Commissions: 400}, []report.CurrencySums{pln}},
			{"a creator", report.Scope{Creator: past.Anna}, march, affiliate.Sums{Clicks: 1, Conversions: 4, Linked: 1,
				Pending: 1, Canceled: 1, Refunded: 1, Held: 1, Rejected: 1, Sales: 24001, Commissions: 3100,
				Refunds: 5200, Payouts: 2050}, affiliate.Sums{}, nil},
			{"a creator in a campaign", report.Scope{Creator: past.Anna,
				Campaigns: []affiliate.CampaignID{past.Autumn}}, march,
				affiliate.Sums{Conversions: 1, Sales: 7000, Commissions: 1400, Payouts: 900}, affiliate.Sums{}, nil},
			{"a former creator", report.Scope{Creator: past.Cleo, Former: true}, march, affiliate.Sums{Conversions: 1,
				Sales: 4000, Commissions: 400},
				affiliate.Sums{Conversions: 1, Sales: 4000, Commissions: 400}, nil},
			{"half days of a month", report.Scope{Former: true}, p.Days("2026-03-29", "2026-03-31"),
				affiliate.Sums{Clicks: 1, Conversions: 2, Linked: 1, Sales: 7001, Commissions: 700, Refunds: 1200,
					Payouts: 2050},
				affiliate.Sums{}, []report.CurrencySums{{
					Currency: "PLN", Sums: affiliate.Sums{Payouts: 30}}}},
			{"all time", report.Scope{Offers: []affiliate.OfferID{past.SpringTen}}, affiliate.Range{Zone: p.Zone},
				annaTenSums.Plus(affiliate.Sums{
					Conversions: 2, Sales: 177776, Commissions: 17776, Payouts: 70}), affiliate.Sums{Conversions: 1,
					Sales: 4000, Commissions: 400}, []report.CurrencySums{pln}},
			{"until a day", report.Scope{Former: true}, p.Days("", "2026-02-28"), affiliate.Sums{Conversions: 1,
				Sales: 77777, Commissions: 7777}, affiliate.Sums{}, nil},
			{"a time without anything", report.Scope{Former: true}, p.Days("2020-01-01", "2021-12-31"),
				affiliate.Sums{}, affiliate.Sums{}, nil},
			{"a campaign without anybody", report.Scope{Campaigns: []affiliate.CampaignID{past.Winter}}, march,
				affiliate.Sums{}, affiliate.Sums{}, nil},
		}
		for _, test := range tests {
			got, err := p.report(test.scope, test.days).Sums(t.Context(), db)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			if got.Sums != test.sums || got.Former != test.former || !slices.Equal(got.NotConverted, test.other) {
				t.Errorf("%s: got\n%+v\nwant\n%+v", test.name, got, report.Sums{Sums: test.sums,
					Former: test.former, NotConverted: test.other})
			}
		}
	})
}

// TestLists_parted: the creators of an offer by how they stand in it, and offers by their status, are parts of the list
// without a choice, and add up to it.
func TestLists_parted(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p, ctx := smallPast(t, db), t.Context()
		offers, _, err := db.Offers(ctx, past.Spring, storage.Page{Limit: storage.MaxLimit})
		if err != nil || len(offers) == 0 {
			t.Fatalf("offers %v, %v", offers, err)
		}
		of := p.report(report.Scope{Campaigns: []affiliate.CampaignID{past.Spring},
			Offers: []affiliate.OfferID{offers[0].ID}, Former: true}, affiliate.Range{Zone: p.Zone})
		all, err := list(of, report.KeySales, true).CreatorRows(ctx, db)
		if err != nil || all.Count == 0 {
			t.Fatalf("%d creators, %v", all.Count, err)
		}
		var count, sales int64
		for _, state := range affiliate.Words[affiliate.MemberState]() {
			l := list(of, report.KeySales, true)
			l.Standing = state
			part, err := l.CreatorRows(ctx, db)
			if err != nil || part.Total == nil {
				t.Fatalf("%s: %+v, %v", state, part.Total, err)
			}
			count, sales = count+part.Count, sales+part.Total.Sales
			if state == affiliate.MemberRemoved && part.Count == 0 {
				t.Error("nobody of those who left is listed as removed")
			}
		}
		if count != all.Count || sales != all.Total.Sales {
			t.Errorf("the parts have %d creators with %d, all are %d with %d", count, sales, all.Count, all.Total.Sales)
		}
		every := p.report(report.Scope{Former: true}, affiliate.Range{Zone: p.Zone})
		for _, by := range []report.Key{report.KeySales, report.KeyName} {
			whole, err := list(every, by, true).OfferRows(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			count, sales = 0, 0
			for _, status := range affiliate.Words[affiliate.OfferStatus]() {
				l := list(every, by, true)
				l.Only = status
				part, err := l.OfferRows(ctx, db)
				if err != nil || part.Total == nil {
					t.Fatalf("%s: %+v, %v", status, part.Total, err)
				}
				count, sales = count+part.Count, sales+part.Total.Sales
			}
			if count != whole.Count || sales != whole.Total.Sales {
				t.Errorf("by %s the parts have %d offers with %d, all are %d with %d", by, count, sales, whole.Count,
					whole.Total.Sales)
			}
		}
	})
}

// TestCommunity: who left a campaign counts among the community with all that they sold, who left the community does
// not; the list, the figures of each creator and what those sold who left are one account with home.
func TestCommunity(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		for _, days := range []affiliate.Range{p.Days("2026-03-01", "2026-03-31"), {Zone: p.Zone}} {
			of := p.report(report.Scope{}, days)
			page, err := list(of, report.KeySales, true).CreatorRows(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			sales, rows := map[affiliate.CreatorID]int64{}, affiliate.Sums{}
			for _, row := range page.Rows {
				sales[row.ID], rows = row.Sales, rows.Plus(row.Sums)
				profile, err := p.report(report.Scope{Creator: row.ID}.OfCreators(), days).Sums(t.Context(), db)
				if err != nil || profile.Sales != row.Sales || profile.Payouts != row.Payouts ||
					profile.Clicks != row.Clicks || profile.Former != (affiliate.Sums{}) {
					t.Errorf("%s is listed with %+v, alone with %+v, %v", row.Name, row.Sums, profile, err)
				}
			}
			_, dora := sales[past.Dora]
			if sales[past.Cleo] != 4000 || dora || page.Total == nil || page.Total.Sales != rows.Sales {
				t.Errorf("sales %v, total %+v; want Cleo's, who left a campaign, and not Dora's", sales, page.Total)
			}
			home, err := p.report(report.Scope{Former: true}, days).Sums(t.Context(), db)
			if err != nil || rows.Sales+3000 != home.Sales || rows.Payouts != home.Payouts ||
				rows.Clicks != home.Clicks {
				t.Errorf("the community %+v and Dora's 3000 are not home's %+v, %v", rows, home.Sums, err)
			}
			dead, err := p.report(report.Scope{Creator: past.Dora}.OfCreators(), days).Sums(t.Context(), db)
			if err != nil || dead.Sales != 0 || dead.Former.Sales != 3000 {
				t.Errorf("Dora, who left the community: %+v, %v", dead, err)
			}
			spring := of
			spring.Campaigns = []affiliate.CampaignID{past.Spring}
			if page, err = list(spring, "", false).CreatorRows(t.Context(), db); err != nil || page.Count != 2 {
				t.Errorf("%d creators of a campaign that Cleo left, %v; want Anna and Ben", page.Count, err)
			}
		}
	})
}

func TestSeries(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		days := p.Days("2026-02-25", "2026-04-01")
		for _, test := range []struct {
			scope report.Scope
			unit  affiliate.Unit
			want  string // sales by label, where there are any
		}{
			{report.Scope{Former: true}, affiliate.ByMonth, "2026-02 77777, 2026-03 31901, 2026-04 99999"},
			{report.Scope{}, affiliate.ByMonth, "2026-02 77777, 2026-03 24901, 2026-04 99999"},
			{report.Scope{Former: true}, affiliate.ByWeek,
				"2026-W09 87777, 2026-W11 7000, 2026-W12 7900, 2026-W13 5000, 2026-W14 102000"},
			{report.Scope{Campaigns: []affiliate.CampaignID{past.Autumn}, Former: true}, affiliate.ByDay,
				"2026-03-15 7000, 2026-03-21 3000"},
			{report.Scope{Creator: past.Anna}, affiliate.ByDay,
				"2026-02-28 77777, 2026-03-01 10000, 2026-03-15 7000, " +
					"2026-03-29 5000, 2026-03-31 2001, 2026-04-01 99999"},
			{report.Scope{Creator: past.Anna}, affiliate.ByMonth, "2026-02 77777, 2026-03 24001, 2026-04 99999"},
			{report.Scope{Creator: past.Dora}, affiliate.ByMonth, ""},
		} {
			buckets := days.Buckets(test.unit)
			series, err := p.report(test.scope, days).Series(t.Context(), db, buckets)
			if err != nil || len(series) != len(buckets) {
				t.Fatalf("%v %s: %v, %v", test.scope, test.unit, series, err)
			}
			var got []string
			for i, b := range buckets {
				if series[i].Sales != 0 {
					got = append(got, fmt.Sprint(b.Label, " ", series[i].Sales))
				}
			}
			if s := strings.Join(got, ", "); s != test.want {
				t.Errorf("%v %s: got %s, want %s", test.scope, test.unit, s, test.want)
			}
		}
		if series, err := p.report(report.Scope{}, days).Series(t.Context(), db, nil); err != nil ||
			len(series) != 0 {
			t.Errorf("no buckets: %v, %v", series, err)
		}
	})
}

func TestBoundedRange(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		all := affiliate.Range{Zone: time.UTC}
		for today, want := range map[string]int{"": 0, "2026-06-30": 1} {
			if r, err := report.BoundedRange(t.Context(), db, all, today); err != nil || r.Days() != want {
				t.Errorf("an empty account on %q: %v, %v, want %d days", today, r, err, want)
			}
		}
		smallPast(t, db)
		for _, test := range []struct{ from, to, today, want string }{
			{"", "", "", "2026-02-01/2026-04-02"}, {"", "", "2026-06-30", "2026-02-01/2026-07-01"},
			{"", "", "2026-03-01", "2026-02-01/2026-04-02"},
			{"2026-03-05", "", "", "2026-03-05/2026-04-02"}, {"", "2026-03-05", "2026-06-30", "2026-02-01/2026-03-05"},
			{"2020-01-01", "2030-01-01", "", "2020-01-01/2030-01-01"},
		} {
			r, err := report.BoundedRange(t.Context(), db,
				affiliate.Range{From: test.from, To: test.to, Zone: time.UTC},
				test.today)
			if got := r.From + "/" + r.To; err != nil || got != test.want {
				t.Errorf("%+v: got %s, %v", test, got, err)
			}
		}
	})
}

func TestMemberCounts(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		march := p.Days("2026-03-01", "2026-03-31")
		for _, test := range []struct {
			name          string
			scope         report.Scope
			days          affiliate.Range
			members, with int64
		}{
			{"home", report.Scope{Former: true}, march, 7, 5},
			{"the community", report.Scope{}, march, 5, 3},
			{"a campaign", report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}}, march, 4, 2},
			{"a campaign with former members", report.Scope{Campaigns: []affiliate.CampaignID{past.Spring},
				Former: true},
				march, 5, 3},
			{"an offer", report.Scope{Offers: []affiliate.OfferID{past.AutumnTen}, Former: true}, march, 2, 2},
			{"offers by status", report.Scope{OfferStatus: affiliate.OfferPaused}, march, 2, 1},
			{"a creator", report.Scope{Creator: past.Anna}, march, 3, 2},
			{"a day", report.Scope{Former: true}, p.Days("2026-03-16", "2026-03-16"), 7, 1},
			{"a day on which conversions are pending", report.Scope{Former: true}, p.Days("2026-03-10", "2026-03-10"),
				7, 0},
			{"all time", report.Scope{Former: true}, affiliate.Range{Zone: p.Zone}, 7, 5},
			{"the year", report.Scope{Former: true}, p.Days("2026-01-01", "2026-12-31"), 7, 5},
			{"years", report.Scope{Former: true}, p.Days("2024-05-05", "2026-02-28"), 7, 1},
			{"before", report.Scope{Former: true}, p.Days("", "2026-02-27"), 7, 0},
		} {
			members, err := test.scope.CountMembers(t.Context(), db)
			if err != nil || members != test.members {
				t.Errorf("%s: %d members, %v, want %d", test.name, members, err, test.members)
			}
			with, err := p.report(test.scope, test.days).MembersWithConversions(t.Context(), db)
			if err != nil || with != test.with {
				t.Errorf("%s: %d members with conversions, %v, want %d", test.name, with, err, test.with)
			}
		}
	})
}

func TestPaymentsDue(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := history{past.New(t, db)}
		now := p.At("2026-06-30 12:00")
		old := p.At("2026-01-10 12:00")
		// Anna: 30.00 + 20.00, of which 5.00 are on hold, and 4.00 at no offer. Ben: 9.00, under the minimum of 10.00.
		// Cleo left Spring with 12.00. Dora owes 3.00 in Autumn.
		p.Post(past.Anna, past.AnnaTen, affiliate.Accrual, "EUR", 2500, old, 30)
		p.Post(past.Anna, past.AnnaTen, affiliate.Accrual, "EUR", 500, now.AddDate(0, 0, -5), 30)
		p.Post(past.Anna, past.AnnaAutumn, affiliate.Accrual, "EUR", 2000, old, 30)
		p.Post(past.Anna, past.AnnaLinks, affiliate.Reversal, "EUR", -100, now.AddDate(0, 0, -1), 30) // counts at once
		p.Post(past.Anna, 0, affiliate.Bonus, "EUR", 400, old, 0)
		p.Post(past.Ben, past.BenTen, affiliate.Accrual, "EUR", 900, old, 0)
		p.Post(past.Ben, past.BenTen, affiliate.Accrual, "USD", 5, old, 0)
		p.Post(past.Cleo, past.CleoTen, affiliate.Accrual, "EUR", 2200, old, 0)
		p.Post(past.Cleo, past.CleoTen, affiliate.PaidOut, "EUR", -1000, old, 0)
		p.Post(past.Dora, past.DoraAutumn, affiliate.Reversal, "EUR", -300, old, 0)
		p.Write(db)
		usd := []report.DueSum{{Currency: "USD", Amount: 5, Creators: 1, Members: 1}}
		for _, test := range []struct {
			name    string
			scope   report.Scope
			minimum int64
			want    report.DueSum
			other   []report.DueSum
		}{
			{"home", report.Scope{Former: true}, 1000, report.DueSum{Currency: "EUR", Amount: 4800 + 1200,
				Creators: 2, Members: 3}, usd},
			{"home without a minimum", report.Scope{Former: true}, 0, report.DueSum{Currency: "EUR", Amount: 4800 +
				900 + 1200, Creators: 3, Members: 4}, usd},
			{"exactly the minimum", report.Scope{Former: true}, 4800, report.DueSum{Currency: "EUR", Amount: 4800,
				Creators: 1, Members: 2}, usd},
			{"a cent more", report.Scope{Former: true}, 4801, report.DueSum{Currency: "EUR"}, usd},
			{"the community", report.Scope{}, 0, report.DueSum{Currency: "EUR", Amount: 4800 + 900, Creators: 2,
				Members: 3}, usd},
			{"a campaign", report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}}, 1000,
				report.DueSum{Currency: "EUR", Amount: 2400, Creators: 1, Members: 1}, usd},
			{"a campaign with former members", report.Scope{Campaigns: []affiliate.CampaignID{past.Spring},
				Former: true},
				1000, report.DueSum{Currency: "EUR", Amount: 2400 + 1200, Creators: 2, Members: 2}, usd},
			{"an offer", report.Scope{Offers: []affiliate.OfferID{past.SpringTen}}, 1000, report.DueSum{Currency: "EUR",
				Amount: 2500, Creators: 1, Members: 1}, usd},
			{"an offer to which the creator owes", report.Scope{Offers: []affiliate.OfferID{past.SpringLinks}}, 1000,
				report.DueSum{Currency: "EUR"}, nil},
			{"a creator", report.Scope{Creator: past.Anna, Former: true}, 1000, report.DueSum{Currency: "EUR",
				Amount: 4800, Creators: 1, Members: 2}, nil},
			{"a creator in a campaign", report.Scope{Creator: past.Anna,
				Campaigns: []affiliate.CampaignID{past.Autumn}}, 1000,
				report.DueSum{Currency: "EUR", Amount: 2000, Creators: 1, Members: 1}, nil},
		} {
			got, err := test.scope.PaymentsDue(t.Context(), db, "EUR", test.minimum, now)
			if err != nil || got.DueSum != test.want || !slices.Equal(got.Other, test.other) {
				t.Errorf("%s: got %+v, %v, want %+v and %+v", test.name, got, err, test.want, test.other)
			}
		}
		later, err := report.Scope{Former: true}.PaymentsDue(t.Context(), db, "EUR", 1000, now.AddDate(0, 0, 26))
		if err != nil || later.Amount != 4800+1200+500 {
			t.Errorf("after the hold: %+v, %v", later, err)
		}
	})
}

func list(r report.Report, sort report.Key, desc bool) report.List {
	return report.List{Report: r, Sort: sort, Desc: desc}
}

func TestList_campaigns(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		march := p.Days("2026-03-01", "2026-03-31")
		l := list(p.report(report.Scope{Former: true}, march), report.KeySales, true)
		l.Compare = true
		page, err := l.CampaignRows(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		springSums := affiliate.Sums{Clicks: 5, Conversions: 5, Linked: 2, Pending: 1, Canceled: 1, Refunded: 1,
			Held: 1, Rejected: 1, Sales: 21901, Commissions: 2190, Refunds: 5200, Payouts: 1100}
		autumnSums := affiliate.Sums{Conversions: 2, Sales: 10000, Commissions: 1700, Payouts: 900}
		// January 29 to February 28: as many days before.
		want := []report.RowSums{
			{Sums: springSums, NotConverted: 1, Before: &affiliate.Sums{Conversions: 1, Sales: 77777,
				Commissions: 7777}},
			{Sums: autumnSums, Before: &affiliate.Sums{}},
			{Before: &affiliate.Sums{}},
		}
		if len(page.Rows) != 3 || page.Count != 3 || page.Next != "" || *page.Total != springSums.Plus(autumnSums) {
			t.Fatalf("page %+v", page)
		}
		for i, r := range page.Rows {
			if r.ID != affiliate.CampaignID(i+1) || r.Name == "" || *r.Before != *want[i].Before {
				t.Errorf("row %d: %+v, before %+v", i, r, r.Before)
			}
			r.Before, want[i].Before = nil, nil
			if r.RowSums != want[i] {
				t.Errorf("row %d: got %+v, want %+v", i, r.RowSums, want[i])
			}
		}
		names := func(change func(*report.List)) string {
			t.Helper()
			l := list(p.report(report.Scope{}, march), "", false)
			change(&l)
			page, err := l.CampaignRows(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, r := range page.Rows {
				names = append(names, r.Name)
			}
			return strings.Join(names, " ")
		}
		for _, test := range []struct {
			what, want string
			change     func(*report.List)
		}{
			{"by name", "Autumn Spring winter", func(*report.List) {}},
			{"by name, from the end", "winter Spring Autumn", func(l *report.List) { l.Desc = true }},
			{"by conversion rate, undefined last", "Spring Autumn winter", func(l *report.List) {
				l.Sort, l.Desc = report.KeyConversionRate, true
			}},
			{"by average sale, undefined last", "Spring Autumn winter", func(l *report.List) {
				l.Sort = report.KeyAverageSale
			}},
			{"by text", "winter", func(l *report.List) { l.Text = "WINT" }},
			{"by text with a wildcard", "", func(l *report.List) { l.Text = "%" }},
			{"with at least two conversions", "Spring", func(l *report.List) {
				l.Bounds = []report.Bound{{report.KeyConversions, new(int64(2)), nil}}
			}},
			{"with at most two conversions", "Autumn winter", func(l *report.List) {
				l.Bounds = []report.Bound{{report.KeyConversions, nil, new(int64(2))}}
			}},
			{"with an average sale up to 44.75", "Spring", func(l *report.List) {
				l.Bounds = []report.Bound{{report.KeyAverageSale, nil, new(int64(4475))}}
			}},
			{"with an average sale up to 44.74", "", func(l *report.List) {
				l.Bounds = []report.Bound{{report.KeyAverageSale, nil, new(int64(4474))}}
			}},
			{"with an average sale up to 326.13 of all time, which is rounded up", "Spring",
				func(l *report.List) {
					l.Range, l.Bounds = affiliate.Range{Zone: p.Zone},
						[]report.Bound{{report.KeyAverageSale, new(int64(32613)), new(int64(32613))}}
				}},
			{"of a creator", "Spring", func(l *report.List) { l.Creator = past.Ben }},
			{"of a creator of two", "Autumn Spring", func(l *report.List) { l.Creator = past.Anna }},
			{"with paused offers", "Spring", func(l *report.List) { l.OfferStatus = affiliate.OfferPaused }},
			{"some", "Autumn", func(l *report.List) { l.Campaigns = []affiliate.CampaignID{past.Autumn} }},
		} {
			if got := names(test.change); got != test.want {
				t.Errorf("%s: got %q, want %q", test.what, got, test.want)
			}
		}
	})
}

func TestList_offers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		l := list(p.report(report.Scope{}, p.Days("2026-03-01", "2026-03-31")), report.KeyCommissions, true)
		page, err := l.OfferRows(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range page.Rows {
			got = append(got, fmt.Sprint(r.ID, " ", r.CampaignName, " ", r.Type, " ", r.Commissions, " ", r.Clicks, " ",
				r.NotConverted, " ", r.Before))
		}
		want := []string{"off_1 Spring promo_code 1700 0 1 <nil>", "off_3 Autumn promo_code 1400 0 0 <nil>",
			"off_2 Spring sales_link 90 5 0 <nil>"}
		if !slices.Equal(got, want) || page.Total.Commissions != 3190 {
			t.Errorf("got %q, total %v, want %q", got, page.Total, want)
		}
		l.Text = "spring"
		if page, err := l.OfferRows(t.Context(), db); err != nil || len(page.Rows) != 2 {
			t.Errorf("offers of Spring: %v, %v", page.Rows, err)
		}
		l.Text, l.Creator, l.Compare = "", past.Ben, true
		page, err = l.OfferRows(t.Context(), db)
		if err != nil || len(page.Rows) != 2 || page.Rows[0].ID != past.SpringLinks || page.Rows[0].Clicks != 4 ||
			page.Rows[1].NotConverted != 1 || page.Total.Commissions != 90 {
			t.Errorf("offers of Ben: %+v, %v", page.Rows, err)
		}
		l.Range = affiliate.Range{Zone: p.Zone}
		page, err = l.OfferRows(t.Context(), db)
		if err != nil || len(page.Rows) != 2 || page.Rows[0].Before != nil || page.Rows[0].Clicks != 5 {
			t.Errorf("offers of Ben of all time, before which nothing was: %+v, %v", page.Rows, err)
		}
	})
}

func TestList_creators(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		march := p.Days("2026-03-01", "2026-03-31")
		for _, test := range []struct {
			name   string
			scope  report.Scope
			days   affiliate.Range
			sort   report.Key
			change func(*report.List)
			want   string // name, sales, clicks, payouts
			total  string // sales, or none
		}{
			{"the community by name", report.Scope{}, march, "", nil,
				"Anna 24001 1 2050, ben 900 4 0, Cleo 4000 0 0, Emil 0 0 0", "28901"},
			{"the community by sales", report.Scope{}, march, report.KeySales, nil,
				"Emil 0 0 0, ben 900 4 0, Cleo 4000 0 0, Anna 24001 1 2050", "28901"},
			{"the community by clicks", report.Scope{}, march, report.KeyClicks, nil,
				"Cleo 4000 0 0, Emil 0 0 0, Anna 24001 1 2050, ben 900 4 0", "28901"},
			{"everybody by payouts", report.Scope{Former: true}, march, report.KeyPayouts, nil,
				"ben 900 4 0, Cleo 4000 0 0, Dora 3000 0 0, Emil 0 0 0, Anna 24001 1 2050", "31901"},
			{"everybody by conversion rate", report.Scope{Former: true}, march, report.KeyConversionRate, nil,
				"ben 900 4 0, Anna 24001 1 2050, Cleo 4000 0 0, Dora 3000 0 0, Emil 0 0 0", "31901"},
			{"everybody, of all time", report.Scope{Former: true}, affiliate.Range{Zone: p.Zone}, "", nil,
				"Anna 201777 1 2050, ben 900 5 70, Cleo 4000 0 0, Dora 3000 0 0, Emil 0 0 0", "209677"},
			{"the community, of all time", report.Scope{}, affiliate.Range{Zone: p.Zone}, report.KeySales, nil,
				"Emil 0 0 0, ben 900 5 70, Cleo 4000 0 0, Anna 201777 1 2050", "206677"},
			{"a campaign", report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}}, march, "", nil,
				"Anna 17001 1 1100, ben 900 4 0", "17901"},
			{"a campaign with former members", report.Scope{Campaigns: []affiliate.CampaignID{past.Spring},
				Former: true},
				march, "", nil, "Anna 17001 1 1100, ben 900 4 0, Cleo 4000 0 0", "21901"},
			{"a campaign, of all time", report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}},
				affiliate.Range{Zone: p.Zone}, "", nil, "Anna 194777 1 1100, ben 900 5 70", "195677"},
			{"an offer", report.Scope{Offers: []affiliate.OfferID{past.AutumnTen}, Former: true}, march,
				report.KeyCommissions, nil, "Dora 3000 0 0, Anna 7000 0 900", "10000"},
			{"by handle", report.Scope{}, march, "", func(l *report.List) {
				l.Text = "BEN.ig"
			}, "ben 900 4 0", "900"},
			{"by link, of all time", report.Scope{}, affiliate.Range{Zone: p.Zone}, "", func(l *report.List) {
				l.Text = "MINE7"
			}, "ben 900 5 70", "900"},
			{"in a campaign by text", report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}}, march, "",
				func(l *report.List) { l.Text = "nn" }, "Anna 17001 1 1100", "17001"},
			{"with sales", report.Scope{}, march, "", func(l *report.List) {
				l.Bounds = []report.Bound{{report.KeySales, new(int64(1)), nil}}
			},
				"Anna 24001 1 2050, ben 900 4 0, Cleo 4000 0 0", "none"},
		} {
			l := list(p.report(test.scope, test.days), test.sort, false)
			if test.change != nil {
				test.change(&l)
			}
			page, err := l.CreatorRows(t.Context(), db)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			var got []string
			for _, r := range page.Rows {
				got = append(got, fmt.Sprint(r.Name, " ", r.Sales, " ", r.Clicks, " ", r.Payouts))
				if allTime := test.days.From == ""; r.OnlyAccepted != allTime || (r.ID == past.Anna && !allTime &&
					r.Sales > 7000 && r.Rejected != 1) {
					t.Errorf("%s: %+v", test.name, r.RowSums)
				}
			}
			total := "none"
			if page.Total != nil {
				total = fmt.Sprint(page.Total.Sales)
			}
			if s := strings.Join(got, ", "); s != test.want || total != test.total || page.Count != int64(len(got)) {
				t.Errorf("%s: got %s, total %s, want %s, total %s", test.name, s, total, test.want, test.total)
			}
			if len(page.Rows) > 0 && page.Rows[0].Handles["instagram"] == "" {
				t.Errorf("%s: no handle", test.name)
			}
		}
	})
}

func TestList_codes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		l := list(p.report(report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}, Former: true},
			p.Days("2026-03-01", "2026-03-31")), "", false)
		page, err := l.CodeRows(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range page.Rows {
			got = append(got, fmt.Sprint(r.Kind, " ", r.Text, r.Store, r.LinkKind, " ", r.Creator, " ", r.Offer, " ",
				r.Campaign, " ", r.Sales, " ", r.Clicks))
		}
		want := []string{"code CODE1shop Anna Ten Spring 15000 0", "code CODE2shop Anna Links Spring 0 0",
			"code CODE3shop ben Ten Spring 0 0", "code CODE4shop Cleo Ten Spring 4000 0",
			"code CODE7shop ben Links Spring 0 0", "link link2sales Anna Links Spring 0 1",
			"link link7sales ben Links Spring 900 4", "link mine7purchase ben Links Spring 0 0"}
		if !slices.Equal(got, want) || page.Total.Clicks != 5 {
			t.Errorf("got %q, total %v, want %q", got, page.Total, want)
		}
	})
}

// TestList_cursor: a cursor serves the list and order that it came from.
func TestList_cursor(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		l := list(p.report(report.Scope{}, p.Days("2026-03-01", "2026-03-31")), report.KeySales, true)
		l.Limit = 1
		page, err := l.CampaignRows(t.Context(), db)
		if err != nil || page.Next == "" {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, change := range []func(*report.List){
			func(l *report.List) {
				l.Cursor = "x"
			}, func(l *report.List) { l.Desc = false }, func(l *report.List) { l.Sort = "clicks" },
			func(l *report.List) { l.Cursor = "e30" },
		} {
			wrong := l
			wrong.Cursor = page.Next
			change(&wrong)
			if _, err := wrong.CampaignRows(t.Context(), db); affiliate.KindOf(err) != affiliate.Invalid {
				t.Errorf("%+v: %v", wrong, err)
			}
		}
		for _, sort := range []report.Key{"id", "period", "x.id"} {
			l := list(l.Report, sort, false)
			if _, err := l.CampaignRows(t.Context(), db); affiliate.KindOf(err) != affiliate.Invalid {
				t.Errorf("sort %s: %v", sort, err)
			}
		}
	})
}

// facts are a history as a test adds it up, one by one.
type fact struct {
	member    affiliate.OfferMemberID // 0: of nobody in particular
	creator   affiliate.CreatorID
	day       string
	evidence  string
	account   affiliate.Sums // what counts in EUR
	elsewhere int64          // accepted conversions in other currencies
}

func (p history) facts() []fact {
	var list []fact
	for _, c := range p.Rows.Conversions {
		if !c.Credited {
			continue
		}
		f := fact{member: c.OfferMemberID, creator: c.CreatorID, day: c.Day}
		if c.Method == affiliate.ByCode {
			f.evidence = fmt.Sprint("code", *c.CodeID)
		} else {
			f.evidence = fmt.Sprint("link", *c.LinkID)
		}
		switch {
		case c.Rate == nil && c.Approval == affiliate.Approved && c.Status == affiliate.Paid:
			f.elsewhere = 1
		case c.Rate == nil:
		case c.Approval == affiliate.Rejected:
			f.account.Rejected = 1
		case c.Approval == affiliate.Held:
			f.account.Held = 1
		case c.Status == affiliate.Pending:
			f.account.Pending = 1
		case c.Status == affiliate.Canceled:
			f.account.Canceled = 1
		case c.Status == affiliate.Refunded:
			f.account.Refunded = 1
		default:
			f.account = affiliate.Sums{Conversions: 1, Sales: c.Value, Commissions: c.Commission}
			if c.Method == affiliate.ByLink {
				f.account.Linked = 1
			}
		}
		if c.Rate != nil && c.Approval != affiliate.Rejected {
			f.account.Refunds = c.Refunded
		}
		list = append(list, f)
	}
	for _, k := range p.Rows.Clicks {
		if member, counts := p.Links[k.LinkID]; counts && !k.Bot {
			list = append(list, fact{member: member, creator: p.Members[member].Creator, day: k.Day,
				evidence: fmt.Sprint("link", k.LinkID), account: affiliate.Sums{Clicks: 1}})
		}
	}
	for _, e := range p.Rows.LedgerEntries {
		if e.Kind == affiliate.PaidOut && e.Currency == "EUR" {
			list = append(list, fact{member: e.OfferMemberID, creator: e.CreatorID, day: e.Day,
				account: affiliate.Sums{Payouts: -e.Amount}})
		}
	}
	return list
}

// counts says whether a fact belongs to a report.
func (p history) counts(f fact, r report.Report) bool {
	where := p.Members[f.member]
	o := affiliate.Offer{}
	if f.member != 0 {
		o = p.Rows.Offers[where.Offer-1]
	}
	former := where.Former
	if r.LeftCampaigns {
		former = f.creator == past.Dora
	}
	return r.Range.Contains(f.day) && (r.Former || !former) && (r.Creator == 0 || f.creator == r.Creator) &&
		(len(r.Campaigns) == 0 || slices.Contains(r.Campaigns, where.Campaign)) &&
		(len(r.Offers) == 0 || slices.Contains(r.Offers, where.Offer)) &&
		(r.OfferStatus == "" || o.Status == r.OfferStatus) && (r.OfferType == "" || o.Type == r.OfferType)
}

// TestReports_addUp: whatever is asked, every list's rows add up to its total, the total is what the report's sums and
// its series say, home is all campaigns with their former members, and all of it is what the facts add up to one by
// one.
func TestReports_addUp(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := history{past.Some(t, db)}
		facts := p.facts()
		ctx := t.Context()
		rapid.Check(t, func(t *rapid.T) {
			r := p.report(drawScope(t), drawDays(t, p))
			sum := func(r report.Report, of func(fact) bool) (s report.RowSums) {
				for _, f := range facts {
					if p.counts(f, r) && of(f) {
						s.Sums = s.Sums.Plus(f.account)
						s.NotConverted += f.elsewhere
					}
				}
				return s
			}
			every := func(fact) bool { return true }
			want := sum(r, every)

			got, err := r.Sums(ctx, db)
			if err != nil || got.Sums != want.Sums {
				t.Fatalf("%+v sums up to %+v, %v, want %+v", r, got.Sums, err, want.Sums)
			}
			elsewhere := int64(0)
			for _, c := range got.NotConverted {
				elsewhere += c.Conversions
			}
			if elsewhere != want.NotConverted {
				t.Fatalf("%+v leaves out %d, want %d", r, elsewhere, want.NotConverted)
			}
			bounded, err := report.BoundedRange(ctx, db, r.Range, "")
			if err != nil {
				t.Fatal(err)
			}
			series, err := r.Series(ctx, db, bounded.Buckets(rapid.SampledFrom([]affiliate.Unit{affiliate.ByDay,
				affiliate.ByWeek, affiliate.ByMonth}).Draw(t, "unit")))
			total := affiliate.Sums{}
			for _, s := range series {
				total = total.Plus(s)
			}
			if err != nil || total != want.Sums {
				t.Fatalf("the series of %+v sums up to %+v, %v, want %+v", r, total, err, want.Sums)
			}
			with := map[affiliate.OfferMemberID]bool{}
			for _, f := range facts {
				if p.counts(f, r) && f.account.Conversions > 0 {
					with[f.member] = true
				}
			}
			if n, err := r.MembersWithConversions(ctx, db); err != nil || n != int64(len(with)) {
				t.Fatalf("%+v: %d members with conversions, %v, want %d", r, n, err, len(with))
			}

			l := drawList(t, r)
			// Payouts that are no offer's belong to no campaign, offer or code.
			ofOffers := sum(r, func(f fact) bool { return f.member != 0 }).Sums
			ofEvidence := ofOffers
			ofEvidence.Payouts = 0
			switch rapid.IntRange(0, 3).Draw(t, "list") {
			case 0:
				checkList(t, db, l, ofOffers, report.List.CampaignRows,
					func(row report.CampaignRow) (int64, report.RowSums,
						report.RowSums) {
						return int64(row.ID), row.RowSums, sum(r, func(f fact) bool {
							return f.member != 0 && p.Members[f.member].Campaign == row.ID
						})
					})
			case 1:
				checkList(t, db, l, ofOffers, report.List.OfferRows, func(row report.OfferRow) (int64, report.RowSums,
					report.RowSums) {
					return int64(row.ID), row.RowSums, sum(r, func(f fact) bool {
						return f.member != 0 && p.Members[f.member].Offer == row.ID
					})
				})
			case 2:
				of := r
				of.Scope = r.OfCreators()
				checkList(t, db, l, sum(of, every).Sums, report.List.CreatorRows,
					func(row report.CreatorRow) (int64, report.RowSums,
						report.RowSums) {
						return int64(row.ID), row.RowSums, sum(of, func(f fact) bool { return f.creator == row.ID })
					})
			case 3:
				checkList(t, db, l, ofEvidence, report.List.CodeRows, func(row report.CodeRow) (int64,
					report.RowSums, report.RowSums) {
					evidence := fmt.Sprint("code", row.CodeID)
					if row.Kind == affiliate.ByLink {
						evidence = fmt.Sprint("link", row.LinkID)
					}
					return int64(row.CodeID)*2 + int64(row.LinkID)*2 + int64(len(row.LinkKind)), row.RowSums,
						sum(r, func(f fact) bool { return f.evidence == evidence })
				})
			}

			// Home: campaigns with everybody in them, and what is no offer's.
			home := p.report(report.Scope{Former: true}, r.Range)
			all, err := home.Sums(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			community, err := p.report(report.Scope{}.OfCreators(), r.Range).Sums(ctx, db)
			if err != nil || community.Sums.Plus(community.Former) != all.Sums {
				t.Fatalf("home %+v is not the community %+v and who left it %+v, %v", all.Sums, community.Sums,
					community.Former, err)
			}
			parts := sum(home, func(f fact) bool { return f.member == 0 }).Sums
			for _, c := range []affiliate.CampaignID{past.Spring, past.Autumn, past.Winter} {
				current, err := p.report(report.Scope{Campaigns: []affiliate.CampaignID{c}},
					r.Range).Sums(ctx, db)
				if err != nil {
					t.Fatal(err)
				}
				parts = parts.Plus(current.Sums)
			}
			if parts.Plus(all.Former) != all.Sums {
				t.Fatalf("home %+v is not its campaigns' members %+v and former ones %+v", all.Sums, parts, all.Former)
			}
		})
	})
}

func drawScope(t *rapid.T) report.Scope {
	return report.Scope{
		Campaigns: rapid.SampledFrom([][]affiliate.CampaignID{nil, nil, {past.Spring}, {past.Autumn},
			{past.Spring, past.Autumn},
			{past.Winter}}).Draw(t, "campaigns"),
		Offers: rapid.SampledFrom([][]affiliate.OfferID{nil, nil, nil, {past.SpringTen},
			{past.SpringLinks, past.AutumnTen}}).
			Draw(t, "offers"),
		OfferStatus: rapid.SampledFrom([]affiliate.OfferStatus{"", "", "", affiliate.OfferActive,
			affiliate.OfferPaused}).Draw(t, "status"),
		OfferType: rapid.SampledFrom([]affiliate.OfferType{"", "", "", affiliate.OfferPromoCode}).Draw(t, "type"),
		Creator: rapid.SampledFrom([]affiliate.CreatorID{0, 0, past.Anna, past.Cleo, past.Dora}).
			Draw(t, "creator"),
		Former:        rapid.Bool().Draw(t, "former"),
		LeftCampaigns: rapid.Bool().Draw(t, "left campaigns"),
	}
}

func drawDays(t *rapid.T, p history) affiliate.Range {
	first := rapid.IntRange(0, 180).Draw(t, "first")
	day := func(n int) string { return affiliate.Day(p.At("2025-10-15 12:00").AddDate(0, 0, n), p.Zone) }
	r := affiliate.Range{From: day(first), To: day(first + rapid.IntRange(1, 120).Draw(t, "days")), Zone: p.Zone}
	switch rapid.IntRange(0, 5).Draw(t, "open") {
	case 0:
		r.From, r.To = "", ""
	case 1:
		r.From = ""
	case 2:
		r.To = ""
	}
	return r
}

// sortKeys are all by which a list can be sorted.
func sortKeys() []report.Key {
	keys := []report.Key{report.KeyName}
	for _, f := range report.Listed() {
		keys = append(keys, f.Key)
	}
	return keys
}

func drawList(t *rapid.T, r report.Report) report.List {
	return report.List{Report: r, Sort: rapid.SampledFrom(sortKeys()).Draw(t, "sort"),
		Desc: rapid.Bool().Draw(t, "desc"), Page: storage.Page{Limit: rapid.IntRange(1, 4).Draw(t, "limit")}}
}

// checkList pages through a list: every row is there once, in order, with what the facts add up to, and the rows add up
// to the total on every page.
func checkList[R any](t *rapid.T, db *storage.DB, l report.List, want affiliate.Sums,
	read func(report.List, context.Context, report.Querier) (report.PageOf[R], error),
	row func(R) (id int64, got, want report.RowSums)) {
	t.Helper()
	seen := map[int64]bool{}
	total := affiliate.Sums{}
	onlyAccepted := false
	var last *report.RowSums
	for {
		p, err := read(l, t.Context(), db)
		if err != nil || len(p.Rows) > l.Limit {
			t.Fatalf("%+v: %d rows, %v", l, len(p.Rows), err)
		}
		for _, r := range p.Rows {
			id, got, counted := row(r)
			onlyAccepted = got.OnlyAccepted
			counted.OnlyAccepted = onlyAccepted
			if onlyAccepted {
				counted.Sums = withoutMix(counted.Sums)
			}
			if seen[id] || got != counted {
				t.Fatalf("%T of %+v: got %+v, want %+v", r, l, got, counted)
			}
			if last != nil && !inOrder(l, *last, got) {
				t.Fatalf("%T of %+v: %+v comes before %+v", r, l, *last, got)
			}
			seen[id], last, total = true, &got, total.Plus(got.Sums)
		}
		whole := want
		if onlyAccepted {
			whole = withoutMix(whole)
		}
		if p.Total == nil || (len(p.Rows) > 0 && *p.Total != whole) {
			t.Fatalf("%T of %+v: total %+v, want %+v", p.Rows, l, p.Total, whole)
		}
		if l.Cursor = p.Next; l.Cursor == "" {
			if total != whole && len(seen) > 0 || int64(len(seen)) != p.Count {
				t.Fatalf("%T of %+v: %d of %d rows add up to %+v, want %+v", p.Rows, l, len(seen), p.Count,
					total, whole)
			}
			return
		}
	}
}

func withoutMix(s affiliate.Sums) affiliate.Sums {
	s.Pending, s.Canceled, s.Refunded, s.Held, s.Rejected = 0, 0, 0, 0, 0
	return s
}

func inOrder(l report.List, a, b report.RowSums) bool {
	if l.Sort == report.KeyName {
		return true
	}
	figure := report.FigureOf(l.Sort)
	x, y := figure.Sum(a.Sums), figure.Sum(b.Sums)
	switch {
	case y == nil:
		return true
	case x == nil:
		return false
	case l.Desc:
		return *x >= *y
	}
	return *x <= *y
}
