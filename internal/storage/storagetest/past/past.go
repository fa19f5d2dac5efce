// Package past makes up histories for tests: of campaigns, offers and creators with what they sold.
package past

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Past is a history to report about. The account is in EUR and in Berlin.
type Past struct {
	*testing.T
	Zone    *time.Location
	Store   affiliate.StoreID
	Members map[affiliate.OfferMemberID]Place
	Links   map[affiliate.LinkID]affiliate.OfferMemberID // for sales, whose clicks count
	Rows    storage.Rows
}

// Place is where an offer member stands.
type Place struct {
	Offer    affiliate.OfferID
	Campaign affiliate.CampaignID
	Creator  affiliate.CreatorID
	Former   bool
}

const (
	Anna affiliate.CreatorID = 1 + iota
	Ben
	Cleo // left Spring
	Dora // left the community
	Emil // did nothing
)

const (
	Spring affiliate.CampaignID = 1 + iota
	Autumn
	Winter // has nobody
)

const (
	SpringTen   affiliate.OfferID = 1 + iota // codes
	SpringLinks                              // links, paused
	AutumnTen
)

const (
	AnnaTen affiliate.OfferMemberID = 1 + iota
	AnnaLinks
	BenTen
	CleoTen
	AnnaAutumn
	DoraAutumn
	BenLinks
)

// BenPurchase is a link for Ben's own purchase: its clicks count nowhere.
const BenPurchase affiliate.LinkID = 20

// New puts the catalog in: two campaigns with three offers and seven offer members. Each has one code, and those of
// SpringLinks a link with the offer member's number.
func New(t *testing.T, db *storage.DB) *Past {
	t.Helper()
	zone, err := affiliate.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p := &Past{T: t, Zone: zone, Store: store(t, db), Members: map[affiliate.OfferMemberID]Place{},
		Links: map[affiliate.LinkID]affiliate.OfferMemberID{}}
	inTx(t, db, func(tx *storage.Tx) error {
		s := affiliate.DefaultSettings()
		s.Currency, s.Timezone = "EUR", "Europe/Berlin"
		return tx.SaveSettings(t.Context(), s, noon)
	})
	r := &p.Rows
	for i, name := range []string{"Anna", "ben", "Cleo", "Dora", "Emil"} {
		c := affiliate.Creator{ID: affiliate.CreatorID(i + 1), Name: name,
			Handles: map[string]string{"instagram": strings.ToLower(name) + ".ig"}, CreatedAt: noon, UpdatedAt: noon}
		if c.ID == Dora {
			c.RemovedAt = noon
		}
		r.Creators = append(r.Creators, c)
	}
	for i, name := range []string{"Spring", "Autumn", "winter"} {
		r.Campaigns = append(r.Campaigns, affiliate.Campaign{ID: affiliate.CampaignID(i + 1), Name: name,
			Status: affiliate.CampaignActive, CreatedAt: noon, UpdatedAt: noon})
	}
	for _, o := range []affiliate.Offer{
		{ID: SpringTen, CampaignID: Spring, Name: "Ten", Type: affiliate.OfferPromoCode, Status: affiliate.OfferActive},
		{ID: SpringLinks, CampaignID: Spring, Name: "Links", Type: affiliate.OfferSalesLink,
			Status: affiliate.OfferPaused},
		{ID: AutumnTen, CampaignID: Autumn, Name: "Autumn ten", Type: affiliate.OfferPromoCode,
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
		{AnnaTen, SpringTen, Spring, Anna}, {AnnaLinks, SpringLinks, Spring, Anna}, {BenTen, SpringTen, Spring, Ben},
		{CleoTen, SpringTen, Spring, Cleo},
		{AnnaAutumn, AutumnTen, Autumn, Anna}, {DoraAutumn, AutumnTen, Autumn, Dora},
		{BenLinks, SpringLinks, Spring, Ben},
	} {
		key := [2]int64{int64(m.in), int64(m.creator)}
		if memberships[key] == 0 {
			memberships[key] = affiliate.MemberID(len(memberships) + 1)
			member := affiliate.CampaignMember{ID: memberships[key], CampaignID: m.in, CreatorID: m.creator,
				ProductCurrency: "EUR", CreatedAt: noon, UpdatedAt: noon}
			if m.creator == Cleo {
				member.RemovedAt = noon
			}
			r.Members = append(r.Members, member)
		}
		r.OfferMembers = append(r.OfferMembers, affiliate.OfferMember{ID: m.id, OfferID: m.offer,
			MemberID: memberships[key], CreatedAt: noon, UpdatedAt: noon})
		p.Members[m.id] = Place{m.offer, m.in, m.creator, m.creator == Cleo || m.creator == Dora}
		r.Codes = append(r.Codes, affiliate.Code{ID: affiliate.CodeID(m.id), OfferMemberID: m.id, StoreID: p.Store,
			Code: fmt.Sprintf("CODE%d", m.id), CreatedAt: noon, UpdatedAt: noon})
		if m.offer == SpringLinks {
			r.Links = append(r.Links, affiliate.Link{ID: affiliate.LinkID(m.id), OfferMemberID: m.id,
				Slug: fmt.Sprintf("link%d", m.id), Kind: "sales",
				LandingURL: "https://shop.example/", CreatedAt: noon, UpdatedAt: noon})
			p.Links[affiliate.LinkID(m.id)] = m.id
		}
	}
	r.Links = append(r.Links, affiliate.Link{ID: BenPurchase, OfferMemberID: BenLinks, Slug: "mine7",
		Kind: affiliate.LinkPurchase, LandingURL: "https://shop.example/", CreatedAt: noon, UpdatedAt: noon})
	return p
}

// At reads a local time in Berlin.
func (p *Past) At(local string) time.Time {
	p.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", local, p.Zone)
	if err != nil {
		p.Fatal(err)
	}
	return at
}

// Sale is a conversion. The amounts are EUR; a currency means that it waits for a rate, and that they are in it.
type Sale struct {
	Member                      affiliate.OfferMemberID
	At                          time.Time
	Value, Commission, Refunded int64
	Status                      affiliate.OrderStatus // paid when empty
	Approval                    affiliate.Approval    // approved when empty
	Currency                    money.Currency
	ByLink                      bool
	Gone                        bool // its evidence is gone: credited no more
}

// Sell adds a conversion with its order.
func (p *Past) Sell(s Sale) {
	id := int64(len(p.Rows.Orders) + 1)
	s.Status, s.Approval = cmp.Or(s.Status, affiliate.Paid), cmp.Or(s.Approval, affiliate.Approved)
	day := affiliate.Day(s.At, p.Zone)
	where := p.Members[s.Member]
	c := storage.Conversion{ID: affiliate.ConversionID(id), OrderID: affiliate.OrderID(id), StoreID: p.Store,
		CampaignID: where.Campaign, CreatorID: where.Creator, OfferID: where.Offer, OfferMemberID: s.Member,
		Credited: !s.Gone, Method: affiliate.ByCode, CodeID: new(affiliate.CodeID(s.Member)), Evidence: "CODE",
		Approval: s.Approval, Percent: 1000, Status: s.Status, Currency: cmp.Or(s.Currency, "EUR"), Value: s.Value,
		OriginalValue: s.Value + s.Refunded, Refunded: s.Refunded, Commission: s.Commission, AccountCurrency: "EUR",
		LedgerCurrency: "EUR", PlacedAt: storage.At(s.At), Day: day}
	if s.ByLink {
		c.Method, c.CodeID, c.LinkID, c.Evidence = affiliate.ByLink, nil, new(affiliate.LinkID(s.Member)), "link"
	}
	if s.Currency == "" {
		c.Rate, c.RateDate, c.AccountValue, c.AccountCommission, c.AccountRefunded = new("1"), &day, &s.Value,
			&s.Commission, &s.Refunded
	}
	p.order(s.At, c.Currency, s.Value, s.Status).NotCredited = nil
	p.Rows.Conversions = append(p.Rows.Conversions, c)
}

// Click adds a click on a link, maybe of a robot.
func (p *Past) Click(link affiliate.LinkID, at time.Time, bot bool) {
	p.Rows.Clicks = append(p.Rows.Clicks, storage.Click{ID: fmt.Sprintf("click%d", len(p.Rows.Clicks)), LinkID: link,
		At: at, Day: affiliate.Day(at, p.Zone), Bot: bot})
}

// Uncredited adds an order without a creator.
func (p *Past) Uncredited(at time.Time, currency money.Currency, value int64, status affiliate.OrderStatus, test bool) {
	p.order(at, currency, value, status).Test = test
}

// order adds an order that has no creator yet.
func (p *Past) order(at time.Time, c money.Currency, value int64, status affiliate.OrderStatus) *storage.Order {
	id, placed := len(p.Rows.Orders)+1, storage.At(at)
	p.Rows.Orders = append(p.Rows.Orders, storage.Order{ID: affiliate.OrderID(id), StoreID: p.Store,
		ExternalID: fmt.Sprint(id), Revision: 1, Number: fmt.Sprint("#", id), Status: status, Currency: c, Value: value,
		OriginalValue: 1000, Total: 1200, PlacedAt: placed, UpdatedAt: storage.At(noon), ChangedAt: placed,
		Day: affiliate.Day(at, p.Zone), Codes: `["A"]`, NotCredited: new(affiliate.ReasonNoEvidence), Evidence: "e",
		Trace: "{}", State: "{}"})
	return &p.Rows.Orders[id-1]
}

// Post adds a ledger entry; member 0 is nobody's in particular.
func (p *Past) Post(creator affiliate.CreatorID, member affiliate.OfferMemberID, kind affiliate.EntryKind,
	currency money.Currency, amount int64, at time.Time, holdDays int) {
	e := affiliate.LedgerEntry{ID: affiliate.LedgerEntryID(len(p.Rows.LedgerEntries) + 1), CreatorID: creator,
		CampaignID: p.Members[member].Campaign, OfferMemberID: member, Kind: kind, Currency: currency, Amount: amount,
		Cause: fmt.Sprint("entry ", len(p.Rows.LedgerEntries)), CreatedAt: at,
		PayableAt: at.AddDate(0, 0, holdDays)}
	p.Rows.LedgerEntries = append(p.Rows.LedgerEntries, storage.LedgerRow{LedgerEntry: e,
		Day: affiliate.Day(at, p.Zone)})
}

// Write puts the history into the database, with the sums for reports.
func (p *Past) Write(db *storage.DB) {
	p.Helper()
	if err := db.Load(p.Context(), p.Rows); err != nil {
		p.Fatal(err)
	}
	inTx(p.T, db, func(tx *storage.Tx) error { return tx.RebuildRollups(p.Context()) })
}

// Days are a range from one day to another, both of which may be empty.
func (p *Past) Days(from, last string) affiliate.Range {
	p.Helper()
	r, err := affiliate.ParsePeriod("custom", from, last, p.At("2026-06-30 12:00"), p.Zone)
	if err != nil {
		p.Fatal(err)
	}
	return r
}

// Small is a history whose sums can be worked out by hand. March in Berlin has a short day, the 29th.
func Small(t *testing.T, db *storage.DB) *Past {
	p := New(t, db)
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-01 00:00"), Value: 10000, Commission: 1000})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-29 12:00"), Value: 5000, Commission: 500, Refunded: 1200})
	// credited by the link of another offer member's number
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-31 23:59"), Value: 2001, Commission: 200, ByLink: true})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-04-01 00:00"), Value: 99999, Commission: 9999})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-02-28 23:59"), Value: 77777, Commission: 7777})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-10 09:00"), Value: 3000, Status: affiliate.Pending})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-10 09:00"), Status: affiliate.Refunded, Refunded: 4000})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-10 09:00"), Status: affiliate.Canceled})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-10 09:00"), Value: 8000, Approval: affiliate.Held})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-10 09:00"), Value: 9000, Approval: affiliate.Rejected,
		Refunded: 500})
	p.Sell(Sale{Member: AnnaTen, At: p.At("2026-03-10 09:00"), Value: 6000, Commission: 600, Gone: true})
	p.Sell(Sale{Member: AnnaAutumn, At: p.At("2026-03-15 10:00"), Value: 7000, Commission: 1400})
	p.Sell(Sale{Member: BenLinks, At: p.At("2026-03-16 10:00"), Value: 900, Commission: 90, ByLink: true})
	p.Sell(Sale{Member: BenTen, At: p.At("2026-03-16 10:00"), Value: 500, Commission: 50, Currency: "PLN",
		Refunded: 20})
	p.Sell(Sale{Member: CleoTen, At: p.At("2026-03-20 10:00"), Value: 4000, Commission: 400})
	p.Sell(Sale{Member: DoraAutumn, At: p.At("2026-03-21 10:00"), Value: 3000, Commission: 300})
	p.Click(affiliate.LinkID(BenLinks), p.At("2026-03-01 00:00"), false)
	for range 3 {
		p.Click(affiliate.LinkID(BenLinks), p.At("2026-03-16 09:00"), false)
	}
	p.Click(affiliate.LinkID(BenLinks), p.At("2026-03-16 09:00"), true)
	p.Click(affiliate.LinkID(BenLinks), p.At("2026-04-01 00:00"), false)
	p.Click(affiliate.LinkID(AnnaLinks), p.At("2026-03-31 23:59"), false)
	p.Click(BenPurchase, p.At("2026-03-16 09:00"), false)
	p.Click(BenPurchase, p.At("2026-03-17 09:00"), true)
	p.Post(Anna, AnnaTen, affiliate.PaidOut, "EUR", -1100, p.At("2026-03-31 12:00"), 0)
	p.Post(Anna, AnnaAutumn, affiliate.PaidOut, "EUR", -900, p.At("2026-03-31 12:00"), 0)
	p.Post(Anna, 0, affiliate.PaidOut, "EUR", -50, p.At("2026-03-31 12:00"), 0)
	p.Post(Ben, BenTen, affiliate.PaidOut, "PLN", -30, p.At("2026-03-31 12:00"), 0)
	p.Post(Ben, BenTen, affiliate.PaidOut, "EUR", -70, p.At("2026-04-01 12:00"), 0)
	p.Uncredited(p.At("2026-03-05 10:00"), "EUR", 1500, affiliate.Paid, false)
	p.Uncredited(p.At("2026-03-31 23:00"), "EUR", 2500, affiliate.Paid, false)
	p.Uncredited(p.At("2026-03-05 10:00"), "PLN", 300, affiliate.Paid, false)
	p.Uncredited(p.At("2026-04-01 00:00"), "EUR", 4444, affiliate.Paid, false)
	p.Uncredited(p.At("2026-03-05 10:00"), "EUR", 5555, affiliate.Pending, false)
	p.Uncredited(p.At("2026-03-05 10:00"), "EUR", 6666, affiliate.Paid, true)
	p.Write(db)
	return p
}

// Some is a history of a few hundred facts over five months, two of them with a change of the clocks.
func Some(t *testing.T, db *storage.DB) *Past {
	p := New(t, db)
	start := p.At("2025-10-20 00:00")
	members := slices.Sorted(maps.Keys(p.Members))
	links := slices.Sorted(maps.Keys(p.Links))
	r := rand.New(rand.NewPCG(1, 2))
	moment := func() time.Time { return start.Add(time.Duration(r.IntN(165*24*60)) * time.Minute) }
	for range 220 {
		s := Sale{Member: pick(r, members...), At: moment(), Value: r.Int64N(50000), Refunded: pick[int64](r, 0, 0, 0,
			700), Gone: r.IntN(10) == 0,
			Status: pick(r, affiliate.Paid, affiliate.Paid, affiliate.Paid, affiliate.Pending, affiliate.Canceled,
				affiliate.Refunded),
			Approval: pick(r, affiliate.Approved, affiliate.Approved, affiliate.Approved, affiliate.Held,
				affiliate.Rejected),
			Currency: pick[money.Currency](r, "", "", "", "", "PLN", "USD")}
		s.ByLink = p.Members[s.Member].Offer == SpringLinks && r.IntN(2) == 0
		if s.Status == affiliate.Paid && s.Approval == affiliate.Approved {
			s.Commission = s.Value / 10
		}
		p.Sell(s)
	}
	for range 150 {
		p.Click(pick(r, links...), moment(), r.IntN(5) == 0)
	}
	for range 20 {
		p.Click(BenPurchase, moment(), r.IntN(5) == 0)
	}
	for range 40 {
		member := pick(r, append([]affiliate.OfferMemberID{0}, members...)...)
		creator := p.Members[member].Creator
		if member == 0 {
			creator = pick(r, Anna, Ben, Dora)
		}
		p.Post(creator, member, pick(r, affiliate.PaidOut, affiliate.Accrual), pick[money.Currency](r, "EUR", "EUR",
			"USD"), r.Int64N(6000)-3000, moment(), 0)
		if member == 0 { // some of them belong to a campaign, if to no offer
			p.Rows.LedgerEntries[len(p.Rows.LedgerEntries)-1].CampaignID = pick[affiliate.CampaignID](r, 0, Spring)
		}
	}
	p.Write(db)
	return p
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func store(t *testing.T, db *storage.DB) affiliate.StoreID {
	var s affiliate.Store
	inTx(t, db, func(tx *storage.Tx) (err error) {
		s, err = tx.CreateStore(t.Context(), affiliate.Store{Slug: "shop", Platform: "shopify", Name: "Shop",
			Domain: "shop.myshopify.com", Currency: "USD", Timezone: "UTC", State: affiliate.StoreStateActive,
			CreatedAt: noon, UpdatedAt: noon})
		return err
	})
	return s.ID
}

func inTx(t *testing.T, db *storage.DB, f func(tx *storage.Tx) error) {
	t.Helper()
	if err := db.InTx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}
