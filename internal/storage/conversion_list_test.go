package storage_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/storage/storagetest/past"
)

// shelf is a history with the rows that a table of its conversions shows.
type shelf struct {
	*past.Past
	handles map[affiliate.CreatorID][]string // all of them, the main one first
	items   []storage.ConversionItem
}

// newShelf puts conversions in that agree in many of their columns, so that every order has ties.
func newShelf(t *testing.T, db *storage.DB, seed uint64) *shelf {
	s := &shelf{Past: past.New(t, db), handles: map[affiliate.CreatorID][]string{}}
	for id, handles := range map[affiliate.CreatorID]map[string]string{
		past.Anna: {"tiktok": "keller", "instagram": "Anna.K"}, past.Ben: {"youtube": "a_ben", "tiktok": "ben100"},
		past.Cleo: nil,
		past.Dora: {"instagram": "do_ra"}} {
		creator := &s.Rows.Creators[id-1]
		creator.Handles = handles
		if best := creator.BestHandle(); best != "" {
			s.handles[id] = []string{best}
		}
		for _, handle := range handles {
			s.handles[id] = append(s.handles[id], handle)
		}
	}
	var other affiliate.Store
	inTx(t, db, func(tx *storage.Tx) (err error) {
		other, err = tx.CreateStore(t.Context(), affiliate.Store{Slug: "another-shop", Platform: "woocommerce",
			Name: "Other", Domain: "other.example", Currency: "EUR", Timezone: "UTC", State: affiliate.StoreStateActive,
			CreatedAt: noon, UpdatedAt: noon})
		return err
	})
	const second = 50 // code of AnnaTen
	s.Rows.Codes = append(s.Rows.Codes, affiliate.Code{ID: second, OfferMemberID: past.AnnaTen, StoreID: s.Store,
		Code: "ANNA20", CreatedAt: noon, UpdatedAt: noon})
	r := rand.New(rand.NewPCG(seed, 1))
	members := []affiliate.OfferMemberID{past.AnnaTen, past.AnnaLinks, past.BenTen, past.CleoTen, past.AnnaAutumn,
		past.DoraAutumn, past.BenLinks}
	for range 90 {
		one := past.Sale{Member: pick(r, members...), Value: pick[int64](r, 0, 100, 100, 2500),
			Refunded: pick[int64](r, 0,
				0, 40), Gone: r.IntN(12) == 0,
			At: s.At(pick(r, "2026-03-01 00:00", "2026-03-01 00:00", "2026-03-01 23:59", "2026-03-02 00:00",
				"2026-03-31 12:30", "2026-04-01 00:00")),
			Status: pick(r, affiliate.Paid, affiliate.Paid, affiliate.Pending, affiliate.Canceled,
				affiliate.Refunded),
			Approval: pick(r, affiliate.Approved, affiliate.Approved, affiliate.Held, affiliate.Rejected),
			Currency: pick[money.Currency](r, "", "", "", "PLN")}
		if one.Status == affiliate.Paid && one.Approval == affiliate.Approved {
			one.Commission = one.Value / 10
		}
		one.ByLink = r.IntN(2) == 0
		s.Sell(one)
		c, o := &s.Rows.Conversions[len(s.Rows.Conversions)-1], &s.Rows.Orders[len(s.Rows.Orders)-1]
		c.Evidence, c.Ambiguous = pick(r, "ANNA10", "anna10", "Ben-Link", "zoë"), r.IntN(4) == 0
		if one.ByLink {
			c.LinkID, c.ClickID = new(affiliate.LinkID(pick(r, past.AnnaLinks, past.BenLinks))), new("01jclick")
			c.OfferMemberID = affiliate.OfferMemberID(*c.LinkID) // a link is its offer member's for ever
			where := s.Members[c.OfferMemberID]
			c.OfferID, c.CampaignID, c.CreatorID = where.Offer, where.Campaign, where.Creator
		}
		if c.CodeID != nil && c.OfferMemberID == past.AnnaTen {
			c.CodeID = new(pick[affiliate.CodeID](r, affiliate.CodeID(past.AnnaTen), second))
		}
		c.StoreID = pick(r, s.Store, other.ID)
		o.StoreID, o.Number = c.StoreID, pick(r, "#999", "#1000", "#1000", "1001", "#10_0", "A")
		if c.Approval != affiliate.Approved || r.IntN(3) == 0 {
			c.ApprovalReason, c.ApprovalBy, c.ApprovalAt = "because", "somebody", storage.At(noon)
		}
	}
	s.Click(affiliate.LinkID(past.BenLinks), s.At("2026-03-01 12:00"), false) // neither are totals of conversions
	s.Post(past.Anna, past.AnnaTen, affiliate.PaidOut, "EUR", -70, s.At("2026-03-01 12:00"), 0)
	s.Post(past.Ben, past.BenTen, affiliate.PaidOut, "CHF", -30, s.At("2026-03-01 12:00"), 0)
	s.Write(db)
	for i, c := range s.Rows.Conversions {
		o, where := s.Rows.Orders[i], s.Members[c.OfferMemberID]
		item := storage.ConversionItem{Conversion: c, Number: o.Number, ExternalID: o.ExternalID, OrderTotal: o.Total,
			Store: "shop", Campaign: s.Rows.Campaigns[c.CampaignID-1].Name,
			Creator: s.Rows.Creators[c.CreatorID-1].Name, Offer: s.Rows.Offers[c.OfferID-1].Name,
			OfferType: s.Rows.Offers[c.OfferID-1].Type, Former: where.Former}
		if c.StoreID == other.ID {
			item.Store = other.Slug
		}
		if handles := s.handles[c.CreatorID]; len(handles) > 0 {
			item.Handle = handles[0]
		}
		s.items = append(s.items, item)
	}
	return s
}

// has says whether an item passes a filter.
func (s *shelf) has(f storage.ConversionFilter, i storage.ConversionItem) bool {
	offer := s.Rows.Offers[i.OfferID-1]
	return i.Credited && (f.Former || !i.Former) &&
		oneOf(f.IDs, i.ID) && oneOf(f.Campaigns, i.CampaignID) && oneOf(f.Statuses, i.Status) &&
		oneOf(f.Approvals, i.Approval) &&
		same(f.Campaign, i.CampaignID) && same(f.Creator, i.CreatorID) && same(f.Offer, i.OfferID) &&
		same(f.OfferType, i.OfferType) &&
		same(f.OfferStatus, offer.Status) && same(f.Store, i.StoreID) && same(f.Method, i.Method) &&
		same(f.Currency, i.Currency) &&
		(f.Code == 0 || i.CodeID != nil && *i.CodeID == f.Code) && (f.Link == 0 || i.LinkID != nil &&
		*i.LinkID == f.Link) &&
		(!f.Unconverted || i.Rate == nil) && (!f.WithRefund || i.Refunded > 0) && (!f.Ambiguous || i.Ambiguous) &&
		(!f.Undecided || i.ApprovalBy == "" && i.Approval != affiliate.Rejected) &&
		!i.PlacedAt.Before(f.From) && (f.To.IsZero() || i.PlacedAt.Before(f.To)) &&
		s.found(strings.TrimSpace(f.Search), i)
}

func oneOf[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }
func same[T comparable](wanted, have T) bool { return wanted == *new(T) || wanted == have }
func holds(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
func (s *shelf) found(text string, i storage.ConversionItem) bool {
	handle := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(text, "https://instagram.com/"), "@"), text)
	return holds(i.Number, text) || holds(i.Evidence, text) || holds(i.Creator, text) ||
		slices.ContainsFunc(s.handles[i.CreatorID], func(h string) bool { return holds(h, handle) })
}

// compare is the order of two items.
func compare(by storage.ConversionSort, a, b storage.ConversionItem) int {
	account := func(n *int64) int64 {
		if n == nil {
			return -1
		}
		return *n
	}
	texts := func(of func(storage.ConversionItem) string) int { return strings.Compare(of(a), of(b)) }
	n := 0
	switch by.Column {
	case "number":
		n = cmp.Or(cmp.Compare(len(a.Number), len(b.Number)), strings.Compare(a.Number, b.Number))
	case "store":
		n = strings.Compare(a.Store, b.Store)
	case "creator":
		n = texts(func(i storage.ConversionItem) string { return strings.ToLower(i.Creator) })
	case "campaign":
		n = texts(func(i storage.ConversionItem) string { return affiliate.FoldName(i.Campaign) })
	case "offer":
		n = texts(func(i storage.ConversionItem) string { return affiliate.FoldName(i.Offer) })
	case "evidence":
		n = texts(func(i storage.ConversionItem) string { return strings.ToLower(i.Evidence) })
	case "method":
		n = cmp.Compare(a.Method, b.Method)
	case "status":
		n = cmp.Compare(a.Status, b.Status)
	case "approval":
		n = cmp.Compare(a.Approval, b.Approval)
	case "original_value":
		n = cmp.Compare(a.OriginalValue, b.OriginalValue)
	case "value":
		n = cmp.Compare(account(a.AccountValue), account(b.AccountValue))
	case "refunded":
		n = cmp.Compare(account(a.AccountRefunded), account(b.AccountRefunded))
	case "commission":
		n = cmp.Compare(account(a.AccountCommission), account(b.AccountCommission))
	case "date":
		n = a.PlacedAt.Compare(b.PlacedAt.Time)
	default:
		panic(by.Column)
	}
	n = cmp.Or(n, cmp.Compare(a.ID, b.ID))
	if by.Descending {
		n = -n
	}
	return n
}

// lines makes items comparable, what they point to included.
func lines(t interface{ Fatal(...any) }, items []storage.ConversionItem) []string {
	list := make([]string, len(items))
	for i, item := range items {
		item.PlacedAt = storage.At(item.PlacedAt.UTC())
		text, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = string(text)
	}
	return list
}

func (s *shelf) drawFilter(t *rapid.T) storage.ConversionFilter {
	few := rapid.IntRange(0, 3).Draw(t, "how many narrow it")
	maybe := func(what string) bool {
		if few > 0 && rapid.SampledFrom([]bool{false, false, false, false, true}).Draw(t, what) {
			few--
			return true
		}
		return false
	}
	f := storage.ConversionFilter{Former: rapid.Bool().Draw(t, "former"), Ambiguous: maybe("ambiguous"),
		Undecided: maybe("undecided"), Unconverted: maybe("unconverted"), WithRefund: maybe("refund")}
	draw := func(what string, set func()) {
		if maybe(what + "?") {
			set()
		}
	}
	draw("ids", func() {
		f.IDs = rapid.SliceOfN(rapid.Map(rapid.IntRange(1, 100), func(n int) affiliate.ConversionID {
			return affiliate.ConversionID(n)
		}), 1, 40).Draw(t, "ids")
	})
	draw("campaign", func() {
		f.Campaign = rapid.SampledFrom([]affiliate.CampaignID{past.Spring, past.Autumn, past.Winter}).Draw(t,
			"campaign")
	})
	draw("campaigns", func() {
		f.Campaigns = rapid.SliceOfN(rapid.SampledFrom([]affiliate.CampaignID{past.Spring, past.Autumn,
			past.Winter}), 1, 2).Draw(t,
			"campaigns")
	})
	draw("creator", func() {
		f.Creator = rapid.SampledFrom([]affiliate.CreatorID{past.Anna, past.Ben, past.Cleo, past.Emil}).Draw(t,
			"creator")
	})
	draw("offer", func() {
		f.Offer = rapid.SampledFrom([]affiliate.OfferID{past.SpringTen, past.SpringLinks, past.AutumnTen,
			99}).Draw(t, "offer")
	})
	draw("type", func() {
		f.OfferType = rapid.SampledFrom([]affiliate.OfferType{affiliate.OfferPromoCode, affiliate.OfferSalesLink}).
			Draw(t, "type")
	})
	draw("offer status", func() {
		f.OfferStatus = rapid.SampledFrom([]affiliate.OfferStatus{affiliate.OfferActive, affiliate.OfferPaused}).Draw(t,
			"offer status")
	})
	draw("store", func() { f.Store = rapid.SampledFrom([]affiliate.StoreID{s.Store, s.Store + 1}).Draw(t, "store") })
	draw("code", func() { f.Code = rapid.SampledFrom([]affiliate.CodeID{1, 3, 50, 99}).Draw(t, "code") })
	draw("link", func() {
		f.Link = rapid.SampledFrom([]affiliate.LinkID{affiliate.LinkID(past.AnnaLinks),
			affiliate.LinkID(past.BenLinks)}).Draw(t,
			"link")
	})
	draw("method", func() {
		f.Method = rapid.SampledFrom([]affiliate.Method{affiliate.ByCode, affiliate.ByLink}).Draw(t, "method")
	})
	draw("currency", func() { f.Currency = rapid.SampledFrom([]money.Currency{"EUR", "PLN"}).Draw(t, "currency") })
	draw("statuses", func() {
		f.Statuses = rapid.SliceOfN(rapid.SampledFrom([]affiliate.OrderStatus{affiliate.Paid, affiliate.Pending,
			affiliate.Refunded}), 1, 2).Draw(t, "statuses")
	})
	draw("approvals", func() {
		f.Approvals = rapid.SliceOfN(rapid.SampledFrom([]affiliate.Approval{affiliate.Approved, affiliate.Held,
			affiliate.Rejected}), 1, 2).Draw(t, "approvals")
	})
	moments := []string{"2026-02-01 00:00", "2026-03-01 00:00", "2026-03-01 23:59", "2026-03-02 00:00",
		"2026-03-31 12:30", "2026-04-01 00:00", "2026-05-01 00:00"}
	draw("from", func() { f.From = s.At(rapid.SampledFrom(moments).Draw(t, "from")) })
	draw("to", func() { f.To = s.At(rapid.SampledFrom(moments).Draw(t, "to")) })
	draw("search", func() {
		f.Search = rapid.SampledFrom([]string{"ANNA", "anna1", " 100 ", "#10", "%", "_", "zzz", "@ben", "be", "link",
			"Zo\u00eb", "@", " "}).Draw(t, "search")
	})
	return f
}

// TestConversions_pages: whatever is asked, in whatever order and pages of whatever size, all pages together are
// exactly what the filter keeps, in order and each once; so is the stream, and the totals are what they add up to.
func TestConversions_pages(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := newShelf(t, db, 1)
		rapid.Check(t, func(t *rapid.T) {
			f := s.drawFilter(t)
			by := storage.ConversionSort{Column: rapid.SampledFrom(storage.ConversionColumns()).Draw(t, "sort"),
				Descending: rapid.Bool().Draw(t, "descending")}
			size := rapid.SampledFrom([]int{3, 7, 20, storage.MaxLimit}).Draw(t, "size")
			want := s.kept(f)
			slices.SortFunc(want, func(a, b storage.ConversionItem) int { return compare(by, a, b) })

			var got []storage.ConversionItem
			for p := (storage.Page{Limit: size}); ; {
				list, next, err := db.ConversionPage(context.Background(), f, by, p)
				if err != nil {
					t.Fatal(err)
				}
				if len(list) > size || len(list) < size && next != "" || len(list) == 0 && p.Cursor != "" {
					t.Fatalf("%d rows in a page of %d, next %q", len(list), size, next)
				}
				got = append(got, list...)
				if p.Cursor = next; next == "" || len(got) > len(want) {
					break
				}
			}
			expect(t, "pages", lines(t, got), lines(t, want))
			expect(t, "stream", lines(t, stream(t, db, f, by)), lines(t, want))
			totals, err := report.TotalConversions(context.Background(), db, f)
			if err != nil {
				t.Fatal(err)
			}
			if sums := totalOf(want); fmt.Sprintf("%+v", totals) != fmt.Sprintf("%+v", sums) ||
				totals.Rows() != int64(len(want)) {
				t.Errorf("totals of %d rows are %+v, want %+v of %d", totals.Rows(), totals, sums, len(want))
			}
		})
	})
}

// kept are the items that a filter keeps.
func (s *shelf) kept(f storage.ConversionFilter) (list []storage.ConversionItem) {
	for _, i := range s.items {
		if s.has(f, i) {
			list = append(list, i)
		}
	}
	return list
}

func expect(t *rapid.T, what string, got, want []string) {
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s: %d rows, want %d; row %d\ngot  %v\nwant %v", what, len(got), len(want), i,
				slices.Concat(got, []string{"none"})[i:][:1], slices.Concat(want, []string{"none"})[i:][:1])
		}
	}
}

// stream collects what EachConversion hands out. What an item points to is used again, so it is copied.
func stream(t interface{ Fatal(...any) }, db *storage.DB, f storage.ConversionFilter,
	by storage.ConversionSort) (list []storage.ConversionItem) {
	err := db.InSnapshot(context.Background(), func(s *storage.Snapshot) error {
		return s.EachConversion(context.Background(), f, by, func(i *storage.ConversionItem) error {
			text, err := json.Marshal(i)
			var item storage.ConversionItem
			list = append(list, item)
			return errors.Join(err, json.Unmarshal(text, &list[len(list)-1]))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// totalOf adds up items one by one. The account is in EUR.
func totalOf(items []storage.ConversionItem) report.ConversionTotals {
	totals := report.ConversionTotals{Currency: "EUR"}
	other := map[money.Currency]affiliate.Sums{}
	for _, i := range items {
		s := affiliate.Sums{}
		switch i.Class() {
		case affiliate.ClassConversion:
			s = affiliate.Sums{Conversions: 1, Sales: i.Value, Commissions: i.Commission}
			if i.Method == affiliate.ByLink {
				s.Linked = 1
			}
		case affiliate.ClassPending:
			s.Pending = 1
		case affiliate.ClassCanceled:
			s.Canceled = 1
		case affiliate.ClassRefunded:
			s.Refunded = 1
		case affiliate.ClassHeld:
			s.Held = 1
		case affiliate.ClassRejected:
			s.Rejected = 1
		}
		if i.Class() != affiliate.ClassRejected {
			s.Refunds = i.Refunded
		}
		if i.Rate == nil {
			other[i.Currency] = other[i.Currency].Plus(s)
		} else {
			totals.Sums = totals.Plus(s)
		}
	}
	for currency, s := range other {
		totals.NotConverted = append(totals.NotConverted, report.CurrencySums{Currency: currency, Sums: s})
	}
	return totals
}

// TestConversions_filters: each filter alone keeps what it should, with and without former members.
func TestConversions_filters(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := newShelf(t, db, 4)
		for name, f := range map[string]storage.ConversionFilter{
			"all": {}, "ids": {IDs: []affiliate.ConversionID{3, 5, 7, 11, 99}}, "campaign": {Campaign: past.Spring},
			"another campaign": {Campaign: past.Autumn},
			"empty campaign":   {Campaign: past.Winter}, "campaigns": {Campaigns: []affiliate.CampaignID{past.Autumn,
				past.Winter}},
			"creator": {Creator: past.Anna}, "former creator": {Creator: past.Cleo},
			"offer": {Offer: past.AutumnTen}, "no offer": {Offer: 99}, "type": {OfferType: affiliate.OfferSalesLink},
			"offer status": {OfferStatus: affiliate.OfferActive},
			"store":        {Store: s.Store}, "code": {Code: affiliate.CodeID(past.BenTen)},
			"code of the same member": {Code: 50},
			"link":                    {Link: affiliate.LinkID(past.BenLinks)},
			"method":                  {Method: affiliate.ByCode}, "currency": {Currency: "PLN"},
			"unconverted": {Unconverted: true},
			"refund":      {WithRefund: true},
			"ambiguous":   {Ambiguous: true}, "undecided": {Ambiguous: true, Undecided: true},
			"statuses": {Statuses: []affiliate.OrderStatus{affiliate.Canceled,
				affiliate.Refunded}},
			"approvals": {Approvals: []affiliate.Approval{affiliate.Rejected}},
			"from":      {From: s.At("2026-03-02 00:00")}, "to": {To: s.At("2026-03-02 00:00")},
			"from midday": {From: s.At("2026-03-31 12:30")}, "until midday": {To: s.At("2026-03-31 12:30")},
			"between": {From: s.At("2026-03-01 23:59"), To: s.At("2026-03-31 12:30")},
			"never":   {From: s.At("2026-03-02 00:00"), To: s.At("2026-03-01 00:00")},
			"number":  {Search: "#1000"}, "number in a store": {Search: "#1000", Store: s.Store + 1},
			"number in a time": {Search: "#1000", To: s.At("2026-03-02 00:00")},
			"underscore":       {Search: "_0"}, "name": {Search: " BEN"}, "handle": {Search: "@keller"}, "address of a handle": {Search: "https://instagram.com/do_ra"}, "at sign": {Search: "@"},
			"evidence": {Search: "aNNA1"}, "nothing": {Search: "zzz"},
		} {
			for _, f.Former = range []bool{false, true} {
				want := s.kept(f)
				if len(want) == 0 && f.Former && !slices.Contains([]string{"empty campaign", "no offer", "never",
					"at sign", "nothing"}, name) {
					t.Errorf("%s: the test keeps nothing", name)
				}
				got := stream(t, db, f, storage.ConversionSort{Column: "date"})
				slices.SortFunc(want, func(a, b storage.ConversionItem) int {
					return compare(storage.ConversionSort{Column: "date"}, a, b)
				})
				if !slices.Equal(lines(t, got), lines(t, want)) {
					t.Errorf("%s, former %v: %d rows, want %d", name, f.Former, len(got), len(want))
				}
				if totals, err := report.TotalConversions(t.Context(), db, f); err != nil ||
					fmt.Sprintf("%+v", totals) != fmt.Sprintf("%+v", totalOf(want)) {
					t.Errorf("%s, former %v: totals %+v, %v, want %+v", name, f.Former, totals, err, totalOf(want))
				}
			}
		}
	})
}

func TestConversions_cursors(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		newShelf(t, db, 2)
		encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		_, newest, err := db.ConversionPage(t.Context(), storage.ConversionFilter{}, storage.ConversionSort{},
			storage.Page{Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct{ sort, cursor string }{
			"another column":    {"-value", newest},
			"another direction": {"date", newest},
			"of another list":   {"", encode(`{"i":3}`)},
			"no cursor":         {"", "x"},
			"no time":           {"", encode(`{"s":"-date","t":"yesterday","i":3}`)},
			"not JSON":          {"", encode(`-date`)},
			"text as id":        {"value", encode(`{"s":"value","n":"3","i":3}`)},
		} {
			by, err := storage.ParseConversionSort(c.sort)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = db.ConversionPage(t.Context(), storage.ConversionFilter{}, by, storage.Page{Cursor: c.cursor})
			var e *affiliate.Error
			if !errors.As(err, &e) || e.Kind != affiliate.Invalid || e.Field != "cursor" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, err := db.ConversionPage(t.Context(), storage.ConversionFilter{},
			storage.ConversionSort{Column: "date", Descending: true}, storage.Page{Cursor: newest}); err != nil {
			t.Errorf("the usual order under its name: %v", err)
		}
	})
}

func TestParseConversionSort(t *testing.T) {
	for text, want := range map[string]storage.ConversionSort{"": {Column: "date", Descending: true},
		"date": {Column: "date"}, "-commission": {Column: "commission", Descending: true}} {
		got, err := storage.ParseConversionSort(text)
		if err != nil || got != want || text != "" && got.String() != text {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"-", "--date", "Date", "id; DROP TABLE orders"} {
		_, err := storage.ParseConversionSort(text)
		var e *affiliate.Error
		if !errors.As(err, &e) || e.Field != "sort" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestConversions_tooManyIDs(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		f := storage.ConversionFilter{IDs: make([]affiliate.ConversionID, storage.MaxConversionIDs+1)}
		_, err := report.TotalConversions(t.Context(), db, f)
		var e *affiliate.Error
		if !errors.As(err, &e) || e.Field != "ids" {
			t.Errorf("%v", err)
		}
		if err := db.EachConversion(t.Context(), f, storage.ConversionSort{}, nil); !errors.As(err, &e) ||
			e.Field != "ids" {
			t.Errorf("%v", err)
		}
		f.IDs = f.IDs[1:]
		if _, _, err := db.ConversionPage(t.Context(), f, storage.ConversionSort{}, storage.Page{}); err != nil {
			t.Errorf("%d ids: %v", len(f.IDs), err)
		}
	})
}

// TestConversionTotals_readSums: where reports have the sums, no rows are read; here the rows have none yet.
func TestConversionTotals_readSums(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := past.New(t, db)
		p.Sell(past.Sale{Member: past.BenTen, At: p.At("2026-03-01 10:00"), Value: 100})
		if err := db.Load(t.Context(), p.Rows); err != nil {
			t.Fatal(err)
		}
		for want, filters := range map[int64][]storage.ConversionFilter{
			0: {{}, {Campaign: past.Spring}, {Offer: past.SpringTen, Former: true, From: p.At("2026-03-01 00:00")},
				{OfferType: affiliate.OfferPromoCode, To: p.At("2026-03-02 00:00")}},
			1: {{Creator: past.Ben}, {Campaign: past.Spring, From: p.At("2026-03-01 10:00")},
				{To: p.At("2026-03-01 10:01")},
				{Search: "#1"}},
		} {
			for _, f := range filters {
				if totals, err := report.TotalConversions(t.Context(), db, f); err != nil || totals.Rows() != want {
					t.Errorf("%+v: %d rows, %v, want %d", f, totals.Rows(), err, want)
				}
			}
		}
	})
}

// TestConversions_searchManyNumbers: a text in the numbers of more orders than a search names one by one finds them
// all.
func TestConversions_searchManyNumbers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := past.New(t, db)
		const many = 700
		for n := range many {
			p.Sell(past.Sale{Member: past.BenTen, At: p.At("2026-03-01 00:00").Add(time.Duration(n) * time.Minute),
				Value: 100})
			p.Rows.Orders[n].Number = fmt.Sprintf("W-%03d", n)
		}
		p.Write(db)
		for text, want := range map[string]int{"w-": many, "W-0": 100, "W-69": 10, "W-7": 0, "ben": many} {
			f := storage.ConversionFilter{Search: text, From: p.At("2026-03-01 00:00")}
			if got := stream(t, db, f, storage.ConversionSort{Column: "number"}); len(got) != want {
				t.Errorf("%q streams %d, want %d", text, len(got), want)
			}
			totals, err := report.TotalConversions(t.Context(), db, f)
			if err != nil || totals.Rows() != int64(want) {
				t.Errorf("%q adds up %d, %v, want %d", text, totals.Rows(), err, want)
			}
			list, _, err := db.ConversionPage(t.Context(), f, storage.ConversionSort{}, storage.Page{Limit: 20})
			if err != nil || len(list) != min(want, 20) || want > 0 && text != "W-0" && text != "W-69" &&
				list[0].Number != "W-699" {
				t.Errorf("%q lists %d, %v", text, len(list), err)
			}
		}
	})
}

// TestEachConversion_ends with the first error of whoever takes the rows, and with the context.
func TestEachConversion_ends(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		newShelf(t, db, 3)
		enough := errors.New("enough")
		n := 0
		err := db.EachConversion(t.Context(), storage.ConversionFilter{}, storage.ConversionSort{},
			func(*storage.ConversionItem) error {
				if n++; n == 3 {
					return enough
				}
				return nil
			})
		if err != enough || n != 3 {
			t.Errorf("%d rows, then %v", n, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = db.EachConversion(ctx, storage.ConversionFilter{}, storage.ConversionSort{},
			func(*storage.ConversionItem) error {
				cancel()
				return ctx.Err()
			})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }
