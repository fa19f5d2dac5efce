package storage_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// past is a history to report about. The account is in EUR and in Berlin.
type past struct {
	*testing.T
	zone    *time.Location
	store   affiliate.StoreID
	members map[affiliate.OfferMemberID]place
	links   map[affiliate.LinkID]affiliate.OfferMemberID
	rows    storage.Rows
}

// place is where an offer member stands.
type place struct {
	offer    affiliate.OfferID
	campaign affiliate.CampaignID
	creator  affiliate.CreatorID
	former   bool
}

const (
	anna affiliate.CreatorID = 1 + iota
	ben
	cleo // left Spring
	dora // left the community
	emil // did nothing
)

const (
	spring affiliate.CampaignID = 1 + iota
	autumn
	winter // has nobody
)

const (
	springTen   affiliate.OfferID = 1 + iota // codes
	springLinks                              // links, paused
	autumnTen
)

const (
	annaTen affiliate.OfferMemberID = 1 + iota
	annaLinks
	benTen
	cleoTen
	annaAutumn
	doraAutumn
	benLinks
)

// newPast puts the catalog in: two campaigns with three offers and seven offer members. Each has one code, and those of
// springLinks a link with the offer member's number.
func newPast(t *testing.T, db *storage.DB) *past {
	t.Helper()
	zone, err := affiliate.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p := &past{T: t, zone: zone, store: store(t, db), members: map[affiliate.OfferMemberID]place{},
		links: map[affiliate.LinkID]affiliate.OfferMemberID{}}
	inTx(t, db, func(tx *storage.Tx) error {
		s := affiliate.DefaultSettings()
		s.Currency, s.Timezone = "EUR", "Europe/Berlin"
		return tx.SaveSettings(t.Context(), s, noon)
	})
	r := &p.rows
	for i, name := range []string{"Anna", "ben", "Cleo", "Dora", "Emil"} {
		c := affiliate.Creator{ID: affiliate.CreatorID(i + 1), Name: name,
			Handles: map[string]string{"instagram": strings.ToLower(name) + ".ig"}, CreatedAt: noon, UpdatedAt: noon}
		if c.ID == dora {
			c.RemovedAt = noon
		}
		r.Creators = append(r.Creators, c)
	}
	for i, name := range []string{"Spring", "Autumn", "winter"} {
		r.Campaigns = append(r.Campaigns, affiliate.Campaign{ID: affiliate.CampaignID(i + 1), Name: name,
			Status: affiliate.CampaignActive, CreatedAt: noon, UpdatedAt: noon})
	}
	for _, o := range []affiliate.Offer{
		{ID: springTen, CampaignID: spring, Name: "Ten", Type: affiliate.OfferPromoCode, Status: affiliate.OfferActive},
		{ID: springLinks, CampaignID: spring, Name: "Links", Type: affiliate.OfferSalesLink,
			Status: affiliate.OfferPaused},
		{ID: autumnTen, CampaignID: autumn, Name: "Autumn ten", Type: affiliate.OfferPromoCode,
			Status: affiliate.OfferActive},
	} {
		o.StatusSince, o.CreatedAt, o.UpdatedAt = noon, noon, noon
		r.Offers = append(r.Offers, o)
	}
	memberships := map[[2]int64]affiliate.MemberID{}
	for _, m := range []struct {
		id      affiliate.OfferMemberID
		offer   affiliate.OfferID
		in      affiliate.CampaignID
		creator affiliate.CreatorID
	}{
		{annaTen, springTen, spring, anna}, {annaLinks, springLinks, spring, anna}, {benTen, springTen, spring, ben},
		{cleoTen, springTen, spring, cleo},
		{annaAutumn, autumnTen, autumn, anna}, {doraAutumn, autumnTen, autumn, dora},
		{benLinks, springLinks, spring, ben},
	} {
		key := [2]int64{int64(m.in), int64(m.creator)}
		if memberships[key] == 0 {
			memberships[key] = affiliate.MemberID(len(memberships) + 1)
			member := affiliate.CampaignMember{ID: memberships[key], CampaignID: m.in, CreatorID: m.creator,
				ProductCurrency: "EUR", CreatedAt: noon, UpdatedAt: noon}
			if m.creator == cleo {
				member.RemovedAt = noon
			}
			r.Members = append(r.Members, member)
		}
		r.OfferMembers = append(r.OfferMembers, affiliate.OfferMember{ID: m.id, OfferID: m.offer,
			MemberID: memberships[key], CreatedAt: noon, UpdatedAt: noon})
		p.members[m.id] = place{m.offer, m.in, m.creator, m.creator == cleo || m.creator == dora}
		r.Codes = append(r.Codes, affiliate.Code{ID: affiliate.CodeID(m.id), OfferMemberID: m.id, StoreID: p.store,
			Code: fmt.Sprintf("CODE%d", m.id), CreatedAt: noon, UpdatedAt: noon})
		if m.offer == springLinks {
			r.Links = append(r.Links, affiliate.Link{ID: affiliate.LinkID(m.id), OfferMemberID: m.id,
				Slug: fmt.Sprintf("link%d", m.id), Kind: "sales",
				LandingURL: "https://shop.example/", CreatedAt: noon, UpdatedAt: noon})
			p.links[affiliate.LinkID(m.id)] = m.id
		}
	}
	return p
}

// at reads a local time in Berlin.
func (p *past) at(local string) time.Time {
	p.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", local, p.zone)
	if err != nil {
		p.Fatal(err)
	}
	return at
}

// sale is a conversion. The amounts are EUR; a currency means that it waits for a rate, and that they are in it.
type sale struct {
	member                      affiliate.OfferMemberID
	at                          time.Time
	value, commission, refunded int64
	status                      affiliate.OrderStatus // paid when empty
	approval                    affiliate.Approval    // approved when empty
	currency                    money.Currency
	byLink                      bool
	gone                        bool // its evidence is gone: credited no more
}

func (p *past) sell(s sale) {
	id := int64(len(p.rows.Orders) + 1)
	s.status, s.approval = cmp.Or(s.status, affiliate.Paid), cmp.Or(s.approval, affiliate.Approved)
	day := affiliate.Day(s.at, p.zone)
	where := p.members[s.member]
	c := storage.Conversion{ID: affiliate.ConversionID(id), OrderID: affiliate.OrderID(id), StoreID: p.store,
		CampaignID: where.campaign, CreatorID: where.creator, OfferID: where.offer, OfferMemberID: s.member,
		Credited: !s.gone, Method: affiliate.ByCode, CodeID: new(affiliate.CodeID(s.member)), Evidence: "CODE",
		Approval: s.approval, Percent: 1000, Status: s.status, Currency: cmp.Or(s.currency, "EUR"), Value: s.value,
		OriginalValue: s.value + s.refunded, Refunded: s.refunded, Commission: s.commission, AccountCurrency: "EUR",
		LedgerCurrency: "EUR", PlacedAt: storage.At(s.at), Day: day}
	if s.byLink {
		c.Method, c.CodeID, c.LinkID, c.Evidence = affiliate.ByLink, nil, new(affiliate.LinkID(s.member)), "link"
	}
	if s.currency == "" {
		c.Rate, c.RateDate, c.AccountValue, c.AccountCommission, c.AccountRefunded = new("1"), &day, &s.value,
			&s.commission, &s.refunded
	}
	o := order(p.store, fmt.Sprint(id), 1)
	o.ID, o.Status, o.Currency, o.Value, o.NotCredited, o.PlacedAt, o.Day = affiliate.OrderID(id), s.status, c.Currency,
		s.value, nil, storage.At(s.at), day
	o.ChangedAt = storage.At(s.at)
	p.rows.Orders = append(p.rows.Orders, o)
	p.rows.Conversions = append(p.rows.Conversions, c)
}

func (p *past) click(link affiliate.LinkID, at time.Time, bot bool) {
	p.rows.Clicks = append(p.rows.Clicks, storage.Click{ID: fmt.Sprintf("click%d", len(p.rows.Clicks)), LinkID: link,
		At: at, Day: affiliate.Day(at, p.zone), Bot: bot})
}

// uncredited adds an order without a creator.
func (p *past) uncredited(at time.Time, currency money.Currency, value int64, status affiliate.OrderStatus, test bool) {
	o := order(p.store, fmt.Sprint(len(p.rows.Orders)+1), 1)
	o.ID, o.Currency, o.Value, o.Status, o.Test = affiliate.OrderID(len(p.rows.Orders)+1), currency, value, status, test
	o.PlacedAt, o.ChangedAt, o.Day = storage.At(at), storage.At(at), affiliate.Day(at, p.zone)
	p.rows.Orders = append(p.rows.Orders, o)
}

// post adds a ledger entry; member 0 is nobody's in particular.
func (p *past) post(creator affiliate.CreatorID, member affiliate.OfferMemberID, kind affiliate.EntryKind,
	currency money.Currency, amount int64, at time.Time, holdDays int) {
	e := affiliate.LedgerEntry{ID: affiliate.LedgerEntryID(len(p.rows.LedgerEntries) + 1), CreatorID: creator,
		CampaignID: p.members[member].campaign, OfferMemberID: member, Kind: kind, Currency: currency, Amount: amount,
		Cause: fmt.Sprint("entry ",
			len(p.rows.LedgerEntries)), CreatedAt: at,
		PayableAt: at.AddDate(0, 0, holdDays)}
	p.rows.LedgerEntries = append(p.rows.LedgerEntries, storage.LedgerRow{LedgerEntry: e,
		Day: affiliate.Day(at, p.zone)})
}

// write puts the history into the database, with the sums for reports.
func (p *past) write(db *storage.DB) {
	p.Helper()
	if err := db.Load(p.Context(), p.rows); err != nil {
		p.Fatal(err)
	}
	inTx(p.T, db, func(tx *storage.Tx) error { return tx.RebuildRollups(p.Context()) })
}

func (p *past) days(from, last string) affiliate.Range {
	p.Helper()
	r, err := affiliate.ParsePeriod("custom", from, last, p.at("2026-06-30 12:00"), p.zone)
	if err != nil {
		p.Fatal(err)
	}
	return r
}

func (p *past) report(s storage.Scope, r affiliate.Range) storage.Report {
	return storage.Report{Scope: s, Range: r, Currency: "EUR"}
}

// smallPast is a history whose sums can be worked out by hand. March in Berlin has a short day, the 29th.
func smallPast(t *testing.T, db *storage.DB) *past {
	p := newPast(t, db)
	p.sell(sale{member: annaTen, at: p.at("2026-03-01 00:00"), value: 10000, commission: 1000})
	p.sell(sale{member: annaTen, at: p.at("2026-03-29 12:00"), value: 5000, commission: 500, refunded: 1200})
	// credited by the link of another offer member's number
	p.sell(sale{member: annaTen, at: p.at("2026-03-31 23:59"), value: 2001, commission: 200, byLink: true})
	p.sell(sale{member: annaTen, at: p.at("2026-04-01 00:00"), value: 99999, commission: 9999})
	p.sell(sale{member: annaTen, at: p.at("2026-02-28 23:59"), value: 77777, commission: 7777})
	p.sell(sale{member: annaTen, at: p.at("2026-03-10 09:00"), value: 3000, status: affiliate.Pending})
	p.sell(sale{member: annaTen, at: p.at("2026-03-10 09:00"), status: affiliate.Refunded, refunded: 4000})
	p.sell(sale{member: annaTen, at: p.at("2026-03-10 09:00"), status: affiliate.Canceled})
	p.sell(sale{member: annaTen, at: p.at("2026-03-10 09:00"), value: 8000, approval: affiliate.Held})
	p.sell(sale{member: annaTen, at: p.at("2026-03-10 09:00"), value: 9000, approval: affiliate.Rejected,
		refunded: 500})
	p.sell(sale{member: annaTen, at: p.at("2026-03-10 09:00"), value: 6000, commission: 600, gone: true})
	p.sell(sale{member: annaAutumn, at: p.at("2026-03-15 10:00"), value: 7000, commission: 1400})
	p.sell(sale{member: benLinks, at: p.at("2026-03-16 10:00"), value: 900, commission: 90, byLink: true})
	p.sell(sale{member: benTen, at: p.at("2026-03-16 10:00"), value: 500, commission: 50, currency: "PLN",
		refunded: 20})
	p.sell(sale{member: cleoTen, at: p.at("2026-03-20 10:00"), value: 4000, commission: 400})
	p.sell(sale{member: doraAutumn, at: p.at("2026-03-21 10:00"), value: 3000, commission: 300})
	p.click(affiliate.LinkID(benLinks), p.at("2026-03-01 00:00"), false)
	for range 3 {
		p.click(affiliate.LinkID(benLinks), p.at("2026-03-16 09:00"), false)
	}
	p.click(affiliate.LinkID(benLinks), p.at("2026-03-16 09:00"), true)
	p.click(affiliate.LinkID(benLinks), p.at("2026-04-01 00:00"), false)
	p.click(affiliate.LinkID(annaLinks), p.at("2026-03-31 23:59"), false)
	p.post(anna, annaTen, affiliate.PaidOut, "EUR", -1100, p.at("2026-03-31 12:00"), 0)
	p.post(anna, annaAutumn, affiliate.PaidOut, "EUR", -900, p.at("2026-03-31 12:00"), 0)
	p.post(anna, 0, affiliate.PaidOut, "EUR", -50, p.at("2026-03-31 12:00"), 0)
	p.post(ben, benTen, affiliate.PaidOut, "PLN", -30, p.at("2026-03-31 12:00"), 0)
	p.post(ben, benTen, affiliate.PaidOut, "EUR", -70, p.at("2026-04-01 12:00"), 0)
	p.uncredited(p.at("2026-03-05 10:00"), "EUR", 1500, affiliate.Paid, false)
	p.uncredited(p.at("2026-03-31 23:00"), "EUR", 2500, affiliate.Paid, false)
	p.uncredited(p.at("2026-03-05 10:00"), "PLN", 300, affiliate.Paid, false)
	p.uncredited(p.at("2026-04-01 00:00"), "EUR", 4444, affiliate.Paid, false)
	p.uncredited(p.at("2026-03-05 10:00"), "EUR", 5555, affiliate.Pending, false)
	p.uncredited(p.at("2026-03-05 10:00"), "EUR", 6666, affiliate.Paid, true)
	p.write(db)
	return p
}

func TestReportSums(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		march := p.days("2026-03-01", "2026-03-31")
		former := affiliate.Sums{Conversions: 2, Sales: 7000, Commissions: 700}
		pln := storage.CurrencySums{Currency: "PLN", Sums: affiliate.Sums{Conversions: 1, Sales: 500, Commissions: 50,
			Refunds: 20, Payouts: 30}}
		annaTenSums := affiliate.Sums{Conversions: 3, Linked: 1, Pending: 1, Canceled: 1, Refunded: 1, Held: 1,
			Rejected: 1, Sales: 17001, Commissions: 1700, Refunds: 5200, Payouts: 1100}
		tests := []struct {
			name   string
			scope  storage.Scope
			days   affiliate.Range
			sums   affiliate.Sums
			former affiliate.Sums
			other  []storage.CurrencySums
		}{
			{"home", storage.Scope{Former: true}, march, affiliate.Sums{Clicks: 5, Conversions: 7, Linked: 2,
				Pending: 1, Canceled: 1, Refunded: 1, Held: 1, Rejected: 1, Sales: 31901, Commissions: 3890,
				Refunds: 5200, Payouts: 2050}, former, []storage.CurrencySums{pln}},
			{"the community", storage.Scope{}, march, affiliate.Sums{Clicks: 5, Conversions: 5, Linked: 2, Pending: 1,
				Canceled: 1, Refunded: 1, Held: 1, Rejected: 1, Sales: 24901, Commissions: 3190, Refunds: 5200,
				Payouts: 2050}, former, []storage.CurrencySums{pln}},
			{"a campaign", storage.Scope{Campaigns: []affiliate.CampaignID{autumn}}, march,
				affiliate.Sums{Conversions: 1, Sales: 7000, Commissions: 1400, Payouts: 900},
				affiliate.Sums{Conversions: 1, Sales: 3000, Commissions: 300}, nil},
			{"a campaign with former members", storage.Scope{Campaigns: []affiliate.CampaignID{autumn}, Former: true},
				march, affiliate.Sums{Conversions: 2, Sales: 10000, Commissions: 1700, Payouts: 900},
				affiliate.Sums{Conversions: 1, Sales: 3000, Commissions: 300}, nil},
			{"an offer", storage.Scope{Offers: []affiliate.OfferID{springLinks}}, march, affiliate.Sums{Clicks: 5,
				Conversions: 1, Linked: 1, Sales: 900, Commissions: 90},
				affiliate.Sums{}, nil},
			{"offers by status", storage.Scope{OfferStatus: affiliate.OfferPaused}, march, affiliate.Sums{Clicks: 5,
				Conversions: 1, Linked: 1, Sales: 900, Commissions: 90},
				affiliate.Sums{}, nil},
			{"offers by type of a campaign", storage.Scope{OfferType: affiliate.OfferPromoCode,
				Campaigns: []affiliate.CampaignID{spring}}, march, annaTenSums,
				affiliate.Sums{Conversions: 1, Sales: 4000, Commissions: 400}, []storage.CurrencySums{pln}},
			{"a creator", storage.Scope{Creator: anna}, march, affiliate.Sums{Clicks: 1, Conversions: 4, Linked: 1,
				Pending: 1, Canceled: 1, Refunded: 1, Held: 1, Rejected: 1, Sales: 24001, Commissions: 3100,
				Refunds: 5200, Payouts: 2050}, affiliate.Sums{}, nil},
			{"a creator in a campaign", storage.Scope{Creator: anna, Campaigns: []affiliate.CampaignID{autumn}}, march,
				affiliate.Sums{Conversions: 1, Sales: 7000, Commissions: 1400, Payouts: 900}, affiliate.Sums{}, nil},
			{"a former creator", storage.Scope{Creator: cleo, Former: true}, march, affiliate.Sums{Conversions: 1,
				Sales: 4000, Commissions: 400},
				affiliate.Sums{Conversions: 1, Sales: 4000, Commissions: 400}, nil},
			{"half days of a month", storage.Scope{Former: true}, p.days("2026-03-29", "2026-03-31"),
				affiliate.Sums{Clicks: 1, Conversions: 2, Linked: 1, Sales: 7001, Commissions: 700, Refunds: 1200,
					Payouts: 2050},
				affiliate.Sums{}, []storage.CurrencySums{{
					Currency: "PLN", Sums: affiliate.Sums{Payouts: 30}}}},
			{"all time", storage.Scope{Offers: []affiliate.OfferID{springTen}}, affiliate.Range{Zone: p.zone},
				annaTenSums.Plus(affiliate.Sums{
					Conversions: 2, Sales: 177776, Commissions: 17776, Payouts: 70}), affiliate.Sums{Conversions: 1,
					Sales: 4000, Commissions: 400}, []storage.CurrencySums{pln}},
			{"until a day", storage.Scope{Former: true}, p.days("", "2026-02-28"), affiliate.Sums{Conversions: 1,
				Sales: 77777, Commissions: 7777}, affiliate.Sums{}, nil},
			{"a time without anything", storage.Scope{Former: true}, p.days("2020-01-01", "2021-12-31"),
				affiliate.Sums{}, affiliate.Sums{}, nil},
			{"a campaign without anybody", storage.Scope{Campaigns: []affiliate.CampaignID{winter}}, march,
				affiliate.Sums{}, affiliate.Sums{}, nil},
		}
		for _, test := range tests {
			got, err := db.ReportSums(t.Context(), p.report(test.scope, test.days))
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			if got.Sums != test.sums || got.Former != test.former || !slices.Equal(got.NotConverted, test.other) {
				t.Errorf("%s: got\n%+v\nwant\n%+v", test.name, got, storage.ReportSums{Sums: test.sums,
					Former: test.former, NotConverted: test.other})
			}
		}
		got, err := db.UncreditedSales(t.Context(), march)
		if want := []storage.CurrencyOrders{{"EUR", 2, 4000}, {"PLN", 1, 300}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("without a creator: %v, %v, want %v", got, err, want)
		}
	})
}

func TestReportSeries(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		days := p.days("2026-02-25", "2026-04-01")
		for _, test := range []struct {
			scope storage.Scope
			unit  affiliate.Unit
			want  string // sales by label, where there are any
		}{
			{storage.Scope{Former: true}, affiliate.ByMonth, "2026-02 77777, 2026-03 31901, 2026-04 99999"},
			{storage.Scope{}, affiliate.ByMonth, "2026-02 77777, 2026-03 24901, 2026-04 99999"},
			{storage.Scope{Former: true}, affiliate.ByWeek,
				"2026-W09 87777, 2026-W11 7000, 2026-W12 7900, 2026-W13 5000, 2026-W14 102000"},
			{storage.Scope{Campaigns: []affiliate.CampaignID{autumn}, Former: true}, affiliate.ByDay,
				"2026-03-15 7000, 2026-03-21 3000"},
			{storage.Scope{Creator: anna}, affiliate.ByDay, "2026-02-28 77777, 2026-03-01 10000, 2026-03-15 7000, " +
				"2026-03-29 5000, 2026-03-31 2001, 2026-04-01 99999"},
			{storage.Scope{Creator: anna}, affiliate.ByMonth, "2026-02 77777, 2026-03 24001, 2026-04 99999"},
			{storage.Scope{Creator: dora}, affiliate.ByMonth, ""},
		} {
			buckets := days.Buckets(test.unit)
			series, err := db.ReportSeries(t.Context(), p.report(test.scope, days), buckets)
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
		if series, err := db.ReportSeries(t.Context(), p.report(storage.Scope{}, days), nil); err != nil ||
			len(series) != 0 {
			t.Errorf("no buckets: %v, %v", series, err)
		}
	})
}

func TestBoundedRange(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		all := affiliate.Range{Zone: time.UTC}
		for today, want := range map[string]int{"": 0, "2026-06-30": 1} {
			if r, err := db.BoundedRange(t.Context(), all, today); err != nil || r.Days() != want {
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
			r, err := db.BoundedRange(t.Context(), affiliate.Range{From: test.from, To: test.to, Zone: time.UTC},
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
		march := p.days("2026-03-01", "2026-03-31")
		for _, test := range []struct {
			name          string
			scope         storage.Scope
			days          affiliate.Range
			members, with int64
		}{
			{"home", storage.Scope{Former: true}, march, 7, 5},
			{"the community", storage.Scope{}, march, 5, 3},
			{"a campaign", storage.Scope{Campaigns: []affiliate.CampaignID{spring}}, march, 4, 2},
			{"a campaign with former members", storage.Scope{Campaigns: []affiliate.CampaignID{spring}, Former: true},
				march, 5, 3},
			{"an offer", storage.Scope{Offers: []affiliate.OfferID{autumnTen}, Former: true}, march, 2, 2},
			{"offers by status", storage.Scope{OfferStatus: affiliate.OfferPaused}, march, 2, 1},
			{"a creator", storage.Scope{Creator: anna}, march, 3, 2},
			{"a day", storage.Scope{Former: true}, p.days("2026-03-16", "2026-03-16"), 7, 1},
			{"a day on which conversions are pending", storage.Scope{Former: true}, p.days("2026-03-10", "2026-03-10"),
				7, 0},
			{"all time", storage.Scope{Former: true}, affiliate.Range{Zone: p.zone}, 7, 5},
			{"the year", storage.Scope{Former: true}, p.days("2026-01-01", "2026-12-31"), 7, 5},
			{"years", storage.Scope{Former: true}, p.days("2024-05-05", "2026-02-28"), 7, 1},
			{"before", storage.Scope{Former: true}, p.days("", "2026-02-27"), 7, 0},
		} {
			members, err := db.MemberCount(t.Context(), test.scope)
			if err != nil || members != test.members {
				t.Errorf("%s: %d members, %v, want %d", test.name, members, err, test.members)
			}
			with, err := db.MembersWithConversions(t.Context(), p.report(test.scope, test.days))
			if err != nil || with != test.with {
				t.Errorf("%s: %d members with conversions, %v, want %d", test.name, with, err, test.with)
			}
		}
	})
}

func TestPaymentsDue(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPast(t, db)
		now := p.at("2026-06-30 12:00")
		old := p.at("2026-01-10 12:00")
		// Anna: 30.00 + 20.00, of which 5.00 are on hold, and 4.00 at no offer. Ben: 9.00, under the minimum of 10.00.
		// Cleo left Spring with 12.00. Dora owes 3.00 in Autumn.
		p.post(anna, annaTen, affiliate.Accrual, "EUR", 2500, old, 30)
		p.post(anna, annaTen, affiliate.Accrual, "EUR", 500, now.AddDate(0, 0, -5), 30)
		p.post(anna, annaAutumn, affiliate.Accrual, "EUR", 2000, old, 30)
		p.post(anna, annaLinks, affiliate.Reversal, "EUR", -100, now.AddDate(0, 0, -1), 30) // counts at once
		p.post(anna, 0, affiliate.Bonus, "EUR", 400, old, 0)
		p.post(ben, benTen, affiliate.Accrual, "EUR", 900, old, 0)
		p.post(ben, benTen, affiliate.Accrual, "USD", 5, old, 0)
		p.post(cleo, cleoTen, affiliate.Accrual, "EUR", 2200, old, 0)
		p.post(cleo, cleoTen, affiliate.PaidOut, "EUR", -1000, old, 0)
		p.post(dora, doraAutumn, affiliate.Reversal, "EUR", -300, old, 0)
		p.write(db)
		usd := []storage.DueSum{{Currency: "USD", Amount: 5, Creators: 1, Members: 1}}
		for _, test := range []struct {
			name    string
			scope   storage.Scope
			minimum int64
			want    storage.DueSum
			other   []storage.DueSum
		}{
			{"home", storage.Scope{Former: true}, 1000, storage.DueSum{Currency: "EUR", Amount: 4800 + 1200,
				Creators: 2, Members: 3}, usd},
			{"home without a minimum", storage.Scope{Former: true}, 0, storage.DueSum{Currency: "EUR", Amount: 4800 +
				900 + 1200, Creators: 3, Members: 4}, usd},
			{"exactly the minimum", storage.Scope{Former: true}, 4800, storage.DueSum{Currency: "EUR", Amount: 4800,
				Creators: 1, Members: 2}, usd},
			{"a cent more", storage.Scope{Former: true}, 4801, storage.DueSum{Currency: "EUR"}, usd},
			{"the community", storage.Scope{}, 0, storage.DueSum{Currency: "EUR", Amount: 4800 + 900, Creators: 2,
				Members: 3}, usd},
			{"a campaign", storage.Scope{Campaigns: []affiliate.CampaignID{spring}}, 1000,
				storage.DueSum{Currency: "EUR", Amount: 2400, Creators: 1, Members: 1}, usd},
			{"a campaign with former members", storage.Scope{Campaigns: []affiliate.CampaignID{spring}, Former: true},
				1000, storage.DueSum{Currency: "EUR", Amount: 2400 + 1200, Creators: 2, Members: 2}, usd},
			{"an offer", storage.Scope{Offers: []affiliate.OfferID{springTen}}, 1000, storage.DueSum{Currency: "EUR",
				Amount: 2500, Creators: 1, Members: 1}, usd},
			{"an offer to which the creator owes", storage.Scope{Offers: []affiliate.OfferID{springLinks}}, 1000,
				storage.DueSum{Currency: "EUR"}, nil},
			{"a creator", storage.Scope{Creator: anna, Former: true}, 1000, storage.DueSum{Currency: "EUR",
				Amount: 4800, Creators: 1, Members: 2}, nil},
			{"a creator in a campaign", storage.Scope{Creator: anna, Campaigns: []affiliate.CampaignID{autumn}}, 1000,
				storage.DueSum{Currency: "EUR", Amount: 2000, Creators: 1, Members: 1}, nil},
		} {
			got, err := db.PaymentsDue(t.Context(), test.scope, "EUR", test.minimum, now)
			if err != nil || got.DueSum != test.want || !slices.Equal(got.Other, test.other) {
				t.Errorf("%s: got %+v, %v, want %+v and %+v", test.name, got, err, test.want, test.other)
			}
		}
		later, err := db.PaymentsDue(t.Context(), storage.Scope{Former: true}, "EUR", 1000, now.AddDate(0, 0, 26))
		if err != nil || later.Amount != 4800+1200+500 {
			t.Errorf("after the hold: %+v, %v", later, err)
		}
	})
}

func list(r storage.Report, sort storage.Figure, desc bool) storage.ReportList {
	return storage.ReportList{Report: r, Sort: sort, Desc: desc}
}

func TestCampaignPerformance(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		march := p.days("2026-03-01", "2026-03-31")
		l := list(p.report(storage.Scope{Former: true}, march), storage.FigureSales, true)
		l.Compare = true
		page, err := db.CampaignPerformance(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		springSums := affiliate.Sums{Clicks: 5, Conversions: 5, Linked: 2, Pending: 1, Canceled: 1, Refunded: 1,
			Held: 1, Rejected: 1, Sales: 21901, Commissions: 2190, Refunds: 5200, Payouts: 1100}
		autumnSums := affiliate.Sums{Conversions: 2, Sales: 10000, Commissions: 1700, Payouts: 900}
		// January 29 to February 28: as many days before.
		want := []storage.RowSums{
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
		names := func(change func(*storage.ReportList)) string {
			t.Helper()
			l := list(p.report(storage.Scope{}, march), "", false)
			change(&l)
			page, err := db.CampaignPerformance(t.Context(), l)
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
			change     func(*storage.ReportList)
		}{
			{"by name", "Autumn Spring winter", func(*storage.ReportList) {}},
			{"by name, from the end", "winter Spring Autumn", func(l *storage.ReportList) { l.Desc = true }},
			{"by conversion rate, undefined last", "Spring Autumn winter", func(l *storage.ReportList) {
				l.Sort, l.Desc = storage.FigureConversionRate, true
			}},
			{"by average sale, undefined last", "Spring Autumn winter", func(l *storage.ReportList) {
				l.Sort = storage.FigureAverageSale
			}},
			{"by text", "winter", func(l *storage.ReportList) { l.Text = "WINT" }},
			{"by text with a wildcard", "", func(l *storage.ReportList) { l.Text = "%" }},
			{"with at least two conversions", "Spring", func(l *storage.ReportList) {
				l.Bounds = []storage.Bound{{storage.FigureConversions, new(int64(2)), nil}}
			}},
			{"with at most two conversions", "Autumn winter", func(l *storage.ReportList) {
				l.Bounds = []storage.Bound{{storage.FigureConversions, nil, new(int64(2))}}
			}},
			{"with an average sale up to 44.75", "Spring", func(l *storage.ReportList) {
				l.Bounds = []storage.Bound{{storage.FigureAverageSale, nil, new(int64(4475))}}
			}},
			{"with an average sale up to 44.74", "", func(l *storage.ReportList) {
				l.Bounds = []storage.Bound{{storage.FigureAverageSale, nil, new(int64(4474))}}
			}},
			{"with an average sale up to 326.13 of all time, which is rounded up", "Spring",
				func(l *storage.ReportList) {
					l.Range, l.Bounds = affiliate.Range{Zone: p.zone},
						[]storage.Bound{{storage.FigureAverageSale, new(int64(32613)), new(int64(32613))}}
				}},
			{"of a creator", "Spring", func(l *storage.ReportList) { l.Creator = ben }},
			{"of a creator of two", "Autumn Spring", func(l *storage.ReportList) { l.Creator = anna }},
			{"with paused offers", "Spring", func(l *storage.ReportList) { l.OfferStatus = affiliate.OfferPaused }},
			{"some", "Autumn", func(l *storage.ReportList) { l.Campaigns = []affiliate.CampaignID{autumn} }},
		} {
			if got := names(test.change); got != test.want {
				t.Errorf("%s: got %q, want %q", test.what, got, test.want)
			}
		}
	})
}

func TestOfferPerformance(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		l := list(p.report(storage.Scope{}, p.days("2026-03-01", "2026-03-31")), storage.FigureCommissions, true)
		page, err := db.OfferPerformance(t.Context(), l)
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
		if page, err := db.OfferPerformance(t.Context(), l); err != nil || len(page.Rows) != 2 {
			t.Errorf("offers of Spring: %v, %v", page.Rows, err)
		}
		l.Text, l.Creator, l.Compare = "", ben, true
		page, err = db.OfferPerformance(t.Context(), l)
		if err != nil || len(page.Rows) != 2 || page.Rows[0].ID != springLinks || page.Rows[0].Clicks != 4 ||
			page.Rows[1].NotConverted != 1 || page.Total.Commissions != 90 {
			t.Errorf("offers of Ben: %+v, %v", page.Rows, err)
		}
		l.Range = affiliate.Range{Zone: p.zone}
		page, err = db.OfferPerformance(t.Context(), l)
		if err != nil || len(page.Rows) != 2 || page.Rows[0].Before != nil || page.Rows[0].Clicks != 5 {
			t.Errorf("offers of Ben of all time, before which nothing was: %+v, %v", page.Rows, err)
		}
	})
}

func TestCreatorPerformance(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		march := p.days("2026-03-01", "2026-03-31")
		for _, test := range []struct {
			name   string
			scope  storage.Scope
			days   affiliate.Range
			sort   storage.Figure
			change func(*storage.ReportList)
			want   string // name, sales, clicks, payouts
			total  string // sales, or none
		}{
			{"the community by name", storage.Scope{}, march, "", nil,
				"Anna 24001 1 2050, ben 900 4 0, Cleo 0 0 0, Emil 0 0 0", "24901"},
			{"the community by sales", storage.Scope{}, march, storage.FigureSales, nil,
				"Cleo 0 0 0, Emil 0 0 0, ben 900 4 0, Anna 24001 1 2050", "24901"},
			{"the community by clicks", storage.Scope{}, march, storage.FigureClicks, nil,
				"Cleo 0 0 0, Emil 0 0 0, Anna 24001 1 2050, ben 900 4 0", "24901"},
			{"everybody by payouts", storage.Scope{Former: true}, march, storage.FigurePayouts, nil,
				"ben 900 4 0, Cleo 4000 0 0, Dora 3000 0 0, Emil 0 0 0, Anna 24001 1 2050", "31901"},
			{"everybody by conversion rate", storage.Scope{Former: true}, march, storage.FigureConversionRate, nil,
				"ben 900 4 0, Anna 24001 1 2050, Cleo 4000 0 0, Dora 3000 0 0, Emil 0 0 0", "31901"},
			{"everybody, of all time", storage.Scope{Former: true}, affiliate.Range{Zone: p.zone}, "", nil,
				"Anna 201777 1 2050, ben 900 5 70, Cleo 4000 0 0, Dora 3000 0 0, Emil 0 0 0", "209677"},
			{"the community, of all time", storage.Scope{}, affiliate.Range{Zone: p.zone}, storage.FigureSales, nil,
				"Cleo 0 0 0, Emil 0 0 0, ben 900 5 70, Anna 201777 1 2050", "202677"},
			{"a campaign", storage.Scope{Campaigns: []affiliate.CampaignID{spring}}, march, "", nil,
				"Anna 17001 1 1100, ben 900 4 0", "17901"},
			{"a campaign with former members", storage.Scope{Campaigns: []affiliate.CampaignID{spring}, Former: true},
				march, "", nil, "Anna 17001 1 1100, ben 900 4 0, Cleo 4000 0 0", "21901"},
			{"a campaign, of all time", storage.Scope{Campaigns: []affiliate.CampaignID{spring}},
				affiliate.Range{Zone: p.zone}, "", nil, "Anna 194777 1 1100, ben 900 5 70", "195677"},
			{"an offer", storage.Scope{Offers: []affiliate.OfferID{autumnTen}, Former: true}, march,
				storage.FigureCommissions, nil, "Dora 3000 0 0, Anna 7000 0 900", "10000"},
			{"by handle", storage.Scope{}, march, "", func(l *storage.ReportList) {
				l.Text = "BEN.ig"
			}, "ben 900 4 0", "none"},
			{"in a campaign by text", storage.Scope{Campaigns: []affiliate.CampaignID{spring}}, march, "",
				func(l *storage.ReportList) { l.Text = "nn" }, "Anna 17001 1 1100", "17001"},
			{"with sales", storage.Scope{}, march, "", func(l *storage.ReportList) {
				l.Bounds = []storage.Bound{{storage.FigureSales, new(int64(1)), nil}}
			},
				"Anna 24001 1 2050, ben 900 4 0", "none"},
		} {
			l := list(p.report(test.scope, test.days), test.sort, false)
			if test.change != nil {
				test.change(&l)
			}
			page, err := db.CreatorPerformance(t.Context(), l)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			var got []string
			for _, r := range page.Rows {
				got = append(got, fmt.Sprint(r.Name, " ", r.Sales, " ", r.Clicks, " ", r.Payouts))
				if allTime := test.days.From == ""; r.OnlyAccepted != allTime || (r.ID == anna && !allTime &&
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

func TestEvidencePerformance(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		l := list(p.report(storage.Scope{Campaigns: []affiliate.CampaignID{spring}, Former: true},
			p.days("2026-03-01", "2026-03-31")), "", false)
		page, err := db.EvidencePerformance(t.Context(), l)
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
			"link link7sales ben Links Spring 900 4"}
		if !slices.Equal(got, want) || page.Total.Clicks != 5 {
			t.Errorf("got %q, total %v, want %q", got, page.Total, want)
		}
	})
}

// TestReportCursor: a cursor serves the list and order that it came from.
func TestReportCursor(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := smallPast(t, db)
		l := list(p.report(storage.Scope{}, p.days("2026-03-01", "2026-03-31")), storage.FigureSales, true)
		l.Limit = 1
		page, err := db.CampaignPerformance(t.Context(), l)
		if err != nil || page.Next == "" {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, change := range []func(*storage.ReportList){
			func(l *storage.ReportList) {
				l.Cursor = "x"
			}, func(l *storage.ReportList) { l.Desc = false }, func(l *storage.ReportList) { l.Sort = "clicks" },
			func(l *storage.ReportList) { l.Cursor = "e30" },
		} {
			wrong := l
			wrong.Cursor = page.Next
			change(&wrong)
			if _, err := db.CampaignPerformance(t.Context(), wrong); affiliate.KindOf(err) != affiliate.Invalid {
				t.Errorf("%+v: %v", wrong, err)
			}
		}
		for _, sort := range []storage.Figure{"id", "period", "x.id"} {
			l := list(l.Report, sort, false)
			if _, err := db.CampaignPerformance(t.Context(), l); affiliate.KindOf(err) != affiliate.Invalid {
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

func (p *past) facts() []fact {
	var list []fact
	for _, c := range p.rows.Conversions {
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
	for _, k := range p.rows.Clicks {
		if member := p.links[k.LinkID]; !k.Bot {
			list = append(list, fact{member: member, creator: p.members[member].creator, day: k.Day,
				evidence: fmt.Sprint("link", k.LinkID), account: affiliate.Sums{Clicks: 1}})
		}
	}
	for _, e := range p.rows.LedgerEntries {
		if e.Kind == affiliate.PaidOut && e.Currency == "EUR" {
			list = append(list, fact{member: e.OfferMemberID, creator: e.CreatorID, day: e.Day,
				account: affiliate.Sums{Payouts: -e.Amount}})
		}
	}
	return list
}

// counts says whether a fact belongs to a report.
func (p *past) counts(f fact, r storage.Report) bool {
	where := p.members[f.member]
	o := affiliate.Offer{}
	if f.member != 0 {
		o = p.rows.Offers[where.offer-1]
	}
	return r.Range.Contains(f.day) && (r.Former || !where.former) && (r.Creator == 0 || f.creator == r.Creator) &&
		(len(r.Campaigns) == 0 || slices.Contains(r.Campaigns, where.campaign)) &&
		(len(r.Offers) == 0 || slices.Contains(r.Offers, where.offer)) &&
		(r.OfferStatus == "" || o.Status == r.OfferStatus) && (r.OfferType == "" || o.Type == r.OfferType)
}

// somePast is a history of a few hundred facts over five months, two of them with a change of the clocks.
func somePast(t *testing.T, db *storage.DB) *past {
	p := newPast(t, db)
	start := p.at("2025-10-20 00:00")
	members := slices.Sorted(maps.Keys(p.members))
	links := slices.Sorted(maps.Keys(p.links))
	r := rand.New(rand.NewPCG(1, 2))
	moment := func() time.Time { return start.Add(time.Duration(r.IntN(165*24*60)) * time.Minute) }
	for range 220 {
		s := sale{member: pick(r, members...), at: moment(), value: r.Int64N(50000), refunded: pick[int64](r, 0, 0, 0,
			700), gone: r.IntN(10) == 0,
			status: pick(r, affiliate.Paid, affiliate.Paid, affiliate.Paid, affiliate.Pending, affiliate.Canceled,
				affiliate.Refunded),
			approval: pick(r, affiliate.Approved, affiliate.Approved, affiliate.Approved, affiliate.Held,
				affiliate.Rejected),
			currency: pick[money.Currency](r, "", "", "", "", "PLN", "USD")}
		s.byLink = p.members[s.member].offer == springLinks && r.IntN(2) == 0
		if s.status == affiliate.Paid && s.approval == affiliate.Approved {
			s.commission = s.value / 10
		}
		p.sell(s)
	}
	for range 150 {
		p.click(pick(r, links...), moment(), r.IntN(5) == 0)
	}
	for range 40 {
		member := pick(r, append([]affiliate.OfferMemberID{0}, members...)...)
		creator := p.members[member].creator
		if member == 0 {
			creator = pick(r, anna, ben)
		}
		p.post(creator, member, pick(r, affiliate.PaidOut, affiliate.Accrual), pick[money.Currency](r, "EUR", "EUR",
			"USD"), r.Int64N(6000)-3000, moment(), 0)
		if member == 0 { // some of them belong to a campaign, if to no offer
			p.rows.LedgerEntries[len(p.rows.LedgerEntries)-1].CampaignID = pick[affiliate.CampaignID](r, 0, spring)
		}
	}
	p.write(db)
	return p
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// TestReports_addUp: whatever is asked, every list's rows add up to its total, the total is what the report's sums and
// its series say, home is all campaigns with their former members, and all of it is what the facts add up to one by
// one.
func TestReports_addUp(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := somePast(t, db)
		facts := p.facts()
		ctx := t.Context()
		rapid.Check(t, func(t *rapid.T) {
			r := p.report(drawScope(t), drawDays(t, p))
			sum := func(r storage.Report, of func(fact) bool) (s storage.RowSums) {
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

			got, err := db.ReportSums(ctx, r)
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
			bounded, err := db.BoundedRange(ctx, r.Range, "")
			if err != nil {
				t.Fatal(err)
			}
			series, err := db.ReportSeries(ctx, r, bounded.Buckets(rapid.SampledFrom([]affiliate.Unit{affiliate.ByDay,
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
			if n, err := db.MembersWithConversions(ctx, r); err != nil || n != int64(len(with)) {
				t.Fatalf("%+v: %d members with conversions, %v, want %d", r, n, err, len(with))
			}

			l := drawList(t, r)
			// Payouts that are no offer's belong to no campaign, offer or code.
			ofOffers := sum(r, func(f fact) bool { return f.member != 0 }).Sums
			ofEvidence := ofOffers
			ofEvidence.Payouts = 0
			switch rapid.IntRange(0, 3).Draw(t, "list") {
			case 0:
				checkList(t, l, ofOffers, db.CampaignPerformance, func(row storage.CampaignRow) (int64, storage.RowSums,
					storage.RowSums) {
					return int64(row.ID), row.RowSums, sum(r, func(f fact) bool {
						return f.member != 0 && p.members[f.member].campaign == row.ID
					})
				})
			case 1:
				checkList(t, l, ofOffers, db.OfferPerformance, func(row storage.OfferRow) (int64, storage.RowSums,
					storage.RowSums) {
					return int64(row.ID), row.RowSums, sum(r, func(f fact) bool {
						return f.member != 0 && p.members[f.member].offer == row.ID
					})
				})
			case 2:
				checkList(t, l, want.Sums, db.CreatorPerformance, func(row storage.CreatorRow) (int64, storage.RowSums,
					storage.RowSums) {
					return int64(row.ID), row.RowSums, sum(r, func(f fact) bool { return f.creator == row.ID })
				})
			case 3:
				checkList(t, l, ofEvidence, db.EvidencePerformance, func(row storage.EvidenceRow) (int64,
					storage.RowSums, storage.RowSums) {
					evidence := fmt.Sprint("code", row.CodeID)
					if row.Kind == affiliate.ByLink {
						evidence = fmt.Sprint("link", row.LinkID)
					}
					return int64(row.CodeID)*2 + int64(row.LinkID)*2 + int64(len(row.LinkKind)), row.RowSums,
						sum(r, func(f fact) bool { return f.evidence == evidence })
				})
			}

			// Home: campaigns with everybody in them, and what is no offer's.
			home := p.report(storage.Scope{Former: true}, r.Range)
			all, err := db.ReportSums(ctx, home)
			if err != nil {
				t.Fatal(err)
			}
			parts := sum(home, func(f fact) bool { return f.member == 0 }).Sums
			for _, c := range []affiliate.CampaignID{spring, autumn, winter} {
				current, err := db.ReportSums(ctx, p.report(storage.Scope{Campaigns: []affiliate.CampaignID{c}},
					r.Range))
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

func drawScope(t *rapid.T) storage.Scope {
	return storage.Scope{
		Campaigns: rapid.SampledFrom([][]affiliate.CampaignID{nil, nil, {spring}, {autumn}, {spring, autumn},
			{winter}}).Draw(t, "campaigns"),
		Offers: rapid.SampledFrom([][]affiliate.OfferID{nil, nil, nil, {springTen}, {springLinks, autumnTen}}).
			Draw(t, "offers"),
		OfferStatus: rapid.SampledFrom([]affiliate.OfferStatus{"", "", "", affiliate.OfferActive,
			affiliate.OfferPaused}).Draw(t, "status"),
		OfferType: rapid.SampledFrom([]affiliate.OfferType{"", "", "", affiliate.OfferPromoCode}).Draw(t, "type"),
		Creator:   rapid.SampledFrom([]affiliate.CreatorID{0, 0, anna, cleo}).Draw(t, "creator"),
		Former:    rapid.Bool().Draw(t, "former"),
	}
}

func drawDays(t *rapid.T, p *past) affiliate.Range {
	first := rapid.IntRange(0, 180).Draw(t, "first")
	day := func(n int) string { return affiliate.Day(p.at("2025-10-15 12:00").AddDate(0, 0, n), p.zone) }
	r := affiliate.Range{From: day(first), To: day(first + rapid.IntRange(1, 120).Draw(t, "days")), Zone: p.zone}
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

func drawList(t *rapid.T, r storage.Report) storage.ReportList {
	return storage.ReportList{Report: r, Sort: rapid.SampledFrom(storage.Figures()).Draw(t, "sort"),
		Desc: rapid.Bool().Draw(t, "desc"), Page: storage.Page{Limit: rapid.IntRange(1, 4).Draw(t, "limit")}}
}

// checkList pages through a list: every row is there once, in order, with what the facts add up to, and the rows add up
// to the total on every page.
func checkList[R any](t *rapid.T, l storage.ReportList, want affiliate.Sums, page func(ctx context.Context,
	l storage.ReportList) (storage.ReportPage[R], error),
	row func(R) (id int64, got, want storage.RowSums)) {
	t.Helper()
	seen := map[int64]bool{}
	total := affiliate.Sums{}
	onlyAccepted := false
	var last *storage.RowSums
	for {
		p, err := page(t.Context(), l)
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

func inOrder(l storage.ReportList, a, b storage.RowSums) bool {
	if l.Sort == storage.FigureName {
		return true
	}
	figure := func(s storage.RowSums) *int64 {
		switch l.Sort {
		case storage.FigureClicks:
			return &s.Clicks
		case storage.FigureConversions:
			return &s.Conversions
		case storage.FigureConversionRate:
			return s.ConversionRate()
		case storage.FigureSales:
			return &s.Sales
		case storage.FigureAverageSale:
			return s.AverageSale()
		case storage.FigureCommissions:
			return &s.Commissions
		case storage.FigurePayouts:
			return &s.Payouts
		}
		return &s.Refunds
	}
	x, y := figure(a), figure(b)
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
