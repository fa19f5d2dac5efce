package storage_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// seen is an order without credit that carries codes.
type seen struct {
	store    affiliate.StoreID
	id       string
	currency money.Currency
	value    int64
	status   affiliate.OrderStatus // paid when empty
	hours    int                   // after noon
	codes    []string
	slug     string
}

func saveSeen(t *testing.T, db *storage.DB, list ...seen) map[string]affiliate.OrderID {
	t.Helper()
	ids := map[string]affiliate.OrderID{}
	inTx(t, db, func(tx *storage.Tx) error {
		var orders []storage.Order
		for _, s := range list {
			o := order(s.store, s.id, 1)
			codes, err := json.Marshal(append([]string{}, s.codes...))
			if err != nil {
				return err
			}
			o.Currency, o.Value, o.Codes, o.PlacedAt = s.currency, s.value, string(codes),
				storage.At(noon.Add(time.Duration(s.hours)*time.Hour))
			o.Status = cmp.Or(s.status, affiliate.Paid)
			orders = append(orders, o)
		}
		saved, err := tx.SaveOrders(t.Context(), unseen(orders), noon)
		if err != nil {
			return err
		}
		var evidence []storage.UnownedEvidence
		for _, s := range list {
			id := saved[storage.OrderKey{StoreID: s.store, ExternalID: s.id}]
			ids[s.id] = id
			for _, c := range s.codes {
				evidence = append(evidence, storage.UnownedEvidence{OrderID: id, StoreID: s.store,
					Kind: storage.EvidenceCode, Value: affiliate.FoldCode(c)})
			}
			if s.slug != "" {
				evidence = append(evidence, storage.UnownedEvidence{OrderID: id, StoreID: s.store,
					Kind: storage.EvidenceSlug, Value: s.slug},
					storage.UnownedEvidence{OrderID: id, StoreID: s.store, Kind: "click", Value: "click-of-" + s.id})
			}
		}
		return tx.SetUnownedEvidence(t.Context(), nil, evidence)
	})
	return ids
}

// addOwner makes an offer member, whose codes and links a test adds.
func addOwner(t *testing.T, db *storage.DB) (m affiliate.OfferMember) {
	t.Helper()
	creator := addCreator(t, db, "Anna", nil)
	inTx(t, db, func(tx *storage.Tx) error {
		c, err := tx.CreateCampaign(t.Context(), affiliate.Campaign{Name: "Spring", Status: affiliate.CampaignActive,
			CreatedAt: noon, UpdatedAt: noon})
		if err != nil {
			return err
		}
		member, err := tx.CreateMember(t.Context(), affiliate.CampaignMember{CampaignID: c.ID, CreatorID: creator.ID,
			ProductCurrency: "EUR", CreatedAt: noon, UpdatedAt: noon})
		if err != nil {
			return err
		}
		o, err := tx.CreateOffer(t.Context(), affiliate.Offer{CampaignID: c.ID, Name: "Ten",
			Type: affiliate.OfferPromoCode, Status: affiliate.OfferActive, StatusSince: noon, CreatedAt: noon,
			UpdatedAt: noon})
		if err != nil {
			return err
		}
		m, err = tx.CreateOfferMember(t.Context(), affiliate.OfferMember{OfferID: o.ID, MemberID: member.ID,
			CreatedAt: noon, UpdatedAt: noon})
		return err
	})
	return m
}

func addCodes(t *testing.T, db *storage.DB, list ...affiliate.Code) {
	t.Helper()
	inTx(t, db, func(tx *storage.Tx) error {
		for _, c := range list {
			c.CreatedAt, c.UpdatedAt = noon, noon
			if _, err := tx.CreateCode(t.Context(), c); err != nil {
				return err
			}
		}
		return nil
	})
}

func unownedCodes(t *testing.T, db *storage.DB, f storage.UnownedFilter) []storage.UnownedCode {
	t.Helper()
	list, next, err := db.UnownedCodes(t.Context(), f, storage.Page{})
	if err != nil || next != "" {
		t.Fatalf("%v, next %q, %v", list, next, err)
	}
	return list
}

// said writes rows in one line each, so that tests state them whole.
func said(list []storage.UnownedCode) []string {
	lines := []string{}
	for _, c := range list {
		var sales []string
		for _, s := range c.Sales {
			sales = append(sales, fmt.Sprintf("%d of %s %d", s.Orders, s.Currency, s.Sales))
		}
		lines = append(lines, fmt.Sprintf("%s: %s (%s) ×%d; %s; %d h to %d h, newest %s", c.Store, c.Code, c.Folded,
			c.Orders, strings.Join(sales, ", "), int(c.First.Sub(noon).Hours()), int(c.Last.Sub(noon).Hours()),
			c.Newest.ExternalID))
	}
	return lines
}

func checkLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestUnownedCodes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		shop, other := addStore(t, db, "shop").ID, addStore(t, db, "other").ID
		anna := addOwner(t, db).ID
		saveSeen(t, db,
			seen{store: shop, id: "1", currency: "EUR", value: 1000, hours: 1, codes: []string{"SUMMER", "Owned"},
				slug: "anna"},
			seen{store: shop, id: "2", currency: "EUR", value: 2000, hours: 5, codes: []string{"Summer"}},
			seen{store: shop, id: "3", currency: "GBP", value: 700, hours: 3, codes: []string{"summer", "100%"}},
			seen{store: shop, id: "4", currency: "EUR", value: 9000, hours: 4, codes: []string{"SUMMER"},
				status: affiliate.Pending},
			seen{store: other, id: "5", currency: "EUR", value: 5000, hours: 2, codes: []string{"summer"},
				slug: "gone"},
			seen{store: other, id: "6", currency: "EUR", value: 1, hours: 2,
				codes: []string{"old", "scheduled", "never"}},
			seen{store: other, id: "7", currency: "EUR", value: 2, hours: 6,
				codes: []string{"OLD", "scheduled", "owned"}},
			seen{store: other, id: "8", currency: "EUR", value: 4, hours: 9, codes: []string{"Old"}},
			seen{store: shop, id: "9", currency: "EUR", value: 300, hours: 0, codes: []string{"unpaid"},
				status: affiliate.Canceled},
		)
		at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
		addCodes(t, db,
			affiliate.Code{OfferMemberID: anna, StoreID: shop, Code: "OWNED"},
			affiliate.Code{OfferMemberID: anna, StoreID: other, Code: "old", ValidTo: at(1)},
			affiliate.Code{OfferMemberID: anna, StoreID: other, Code: "old", ValidFrom: at(3), ValidTo: at(6)},
			affiliate.Code{OfferMemberID: anna, StoreID: other, Code: "scheduled", ValidFrom: at(100)},
			affiliate.Code{OfferMemberID: anna, StoreID: other, Code: "never", ValidFrom: at(50), ValidTo: at(50)})
		inTx(t, db, func(tx *storage.Tx) error {
			_, err := tx.CreateLink(t.Context(), affiliate.Link{OfferMemberID: anna, Slug: "gone", Kind: affiliate.LinkSales, LandingURL: "https://shop.example",
				EndedAt: noon, CreatedAt: noon, UpdatedAt: noon})
			return err
		})

		const (
			summer  = "shop: Summer (summer) ×4; 2 of EUR 3000, 1 of GBP 700; 1 h to 5 h, newest 2"
			percent = "shop: 100% (100%) ×1; 1 of GBP 700; 3 h to 3 h, newest 3"
			others  = "other: summer (summer) ×1; 1 of EUR 5000; 2 h to 2 h, newest 5"
			never   = "other: never (never) ×1; 1 of EUR 1; 2 h to 2 h, newest 6"
			// order 6 was placed before the last owner's time ended
			old    = "other: Old (old) ×2; 2 of EUR 6; 6 h to 9 h, newest 8"
			unpaid = "shop: unpaid (unpaid) ×1; ; 0 h to 0 h, newest 9"
			owned  = "other: owned (owned) ×1; 1 of EUR 2; 6 h to 6 h, newest 7"
		)
		for _, c := range []struct {
			name   string
			filter storage.UnownedFilter
			want   []string
		}{
			{"by orders", storage.UnownedFilter{}, []string{summer, old, percent, never, owned, others, unpaid}},
			{"by last use", storage.UnownedFilter{Sort: storage.UnownedByUse}, []string{old, owned, summer, percent,
				never, others, unpaid}},
			{"by code", storage.UnownedFilter{Sort: storage.UnownedByCode}, []string{percent, never, old, owned, summer,
				others, unpaid}},
			{"by sales in EUR", storage.UnownedFilter{Sort: storage.UnownedBySales, Currency: "EUR"},
				[]string{others, summer, old, owned, never, percent, unpaid}},
			{"by sales in GBP", storage.UnownedFilter{Sort: storage.UnownedBySales, Currency: "GBP"},
				[]string{percent, summer, never, old, owned, others, unpaid}},
			{"of a store", storage.UnownedFilter{Store: shop}, []string{summer, percent, unpaid}},
			{"search", storage.UnownedFilter{Search: "UMM"}, []string{summer, others}},
			{"search for what means something to SQL", storage.UnownedFilter{Search: "%"}, []string{percent}},
			{"search in vain", storage.UnownedFilter{Search: "_"}, nil},
			{"since a moment", storage.UnownedFilter{Since: at(6)}, []string{old, owned}},
			{"of two orders or more", storage.UnownedFilter{MinOrders: 2}, []string{summer, old}},
		} {
			list := unownedCodes(t, db, c.filter)
			checkLines(t, c.name, said(list), c.want...)
			lines := int64(0)
			for _, u := range list {
				lines += int64(max(1, len(u.Sales)))
			}
			if n, err := db.CountUnownedLines(t.Context(), c.filter); err != nil || n != lines {
				t.Errorf("%s: counted %d, %v, want %d", c.name, n, err, lines)
			}
		}
		checkLines(t, "slugs", said(unownedCodes(t, db, storage.UnownedFilter{Kind: storage.EvidenceSlug})),
			"shop: anna (anna) ×1; 1 of EUR 1000; 1 h to 1 h, newest 1")

		ended, err := db.Store(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		inTx(t, db, func(tx *storage.Tx) error {
			ended.State = affiliate.StoreStateEnded
			_, err := tx.SaveStore(t.Context(), ended)
			return err
		})
		checkLines(t, "without a store that has ended", said(unownedCodes(t, db, storage.UnownedFilter{})), summer,
			percent, unpaid)
		counts, err := db.UnownedCodeCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[affiliate.StoreID]int64{}
		for _, c := range unownedCodes(t, db, storage.UnownedFilter{}) {
			want[c.StoreID]++
		}
		if !maps.Equal(counts, want) || len(want) == 0 {
			t.Errorf("the stores have %v codes, want %v", counts, want)
		}
		if _, _, err := db.UnownedCodes(t.Context(), storage.UnownedFilter{Sort: "luck"},
			storage.Page{}); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("an unknown sort: %v", err)
		}
	})
}

// TestUnownedCodes_pages: every page size gives every code once, in one order, although sort keys repeat.
func TestUnownedCodes_pages(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		shop, other := addStore(t, db, "shop").ID, addStore(t, db, "other").ID
		var list []seen
		for i := range 40 {
			list = append(list, seen{store: []affiliate.StoreID{shop, other}[i%2], id: fmt.Sprint(i),
				currency: []money.Currency{"EUR", "USD"}[i%3%2], value: int64(i % 4 * 100), hours: i % 5,
				codes: []string{fmt.Sprint("code", i%7),
					fmt.Sprint("x", i%11)}})
		}
		saveSeen(t, db, list...)
		for _, sort := range []storage.UnownedSort{storage.UnownedByOrders, storage.UnownedBySales,
			storage.UnownedByUse, storage.UnownedByCode} {
			f := storage.UnownedFilter{Sort: sort, Currency: "EUR"}
			whole := said(unownedCodes(t, db, f))
			if len(whole) != 2*(7+11) {
				t.Fatalf("%s: %d codes", sort, len(whole))
			}
			for _, limit := range []int{1, 2, 5, 35, 36} {
				var got []storage.UnownedCode
				for p := (storage.Page{Limit: limit}); ; {
					part, next, err := db.UnownedCodes(t.Context(), f, p)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, part...)
					if p.Cursor = next; next == "" {
						break
					}
				}
				checkLines(t, fmt.Sprintf("%s in pages of %d", sort, limit), said(got), whole...)
			}
		}
		_, next, err := db.UnownedCodes(t.Context(), storage.UnownedFilter{}, storage.Page{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for sort, cursor := range map[storage.UnownedSort]string{storage.UnownedByUse: next,
			storage.UnownedByOrders: "!!", storage.UnownedByCode: "e30x"} {
			if _, _, err := db.UnownedCodes(t.Context(), storage.UnownedFilter{Sort: sort},
				storage.Page{Cursor: cursor}); affiliate.KindOf(err) != affiliate.Invalid {
				t.Errorf("cursor %q by %s: %v", cursor, sort, err)
			}
		}
	})
}

func TestEachUnownedCode(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		shop := addStore(t, db, "shop").ID
		var list []seen
		for i := range 2*storage.MaxLimit + 10 {
			list = append(list, seen{store: shop, id: fmt.Sprint(i), currency: "EUR", value: 100, hours: i,
				codes: []string{fmt.Sprintf("CODE%04d", i)}})
		}
		saveSeen(t, db, list...)
		var got []string
		if err := db.EachUnownedCode(t.Context(), storage.UnownedFilter{Sort: storage.UnownedByUse},
			func(part []storage.UnownedCode) error {
				got = append(got, said(part)...)
				return nil
			}); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(list) {
			t.Fatalf("%d codes, want %d", len(got), len(list))
		}
		for i, line := range got {
			n := len(list) - 1 - i
			if want := fmt.Sprintf("shop: CODE%04d (code%04d) ×1; 1 of EUR 100; %d h to %d h, newest %d", n, n, n, n,
				n); line != want {
				t.Fatalf("line %d: got %s, want %s", i, line, want)
			}
		}
		full := errors.New("the disk is full")
		if err := db.EachUnownedCode(t.Context(), storage.UnownedFilter{}, func([]storage.UnownedCode) error {
			return full
		}); !errors.Is(err, full) {
			t.Errorf("got %v, want %v", err, full)
		}
	})
}

func TestOrdersCarryingCode(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		shop, other := addStore(t, db, "shop").ID, addStore(t, db, "other").ID
		ids := saveSeen(t, db, seen{store: shop, id: "1", currency: "EUR", codes: []string{"A"}},
			seen{store: shop, id: "2", currency: "EUR", codes: []string{"b", "a"}}, seen{store: other, id: "3",
				currency: "EUR", codes: []string{"a"}}, seen{store: shop, id: "4",
				currency: "EUR", codes: []string{"a"}},
			seen{store: shop, id: "5", currency: "EUR", slug: "a"})
		carrying := func(after affiliate.OrderID, limit int) (found []string) {
			list, err := db.OrdersCarryingCode(t.Context(), shop, " A", after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range list {
				if o.ID != ids[o.ExternalID] || o.StoreID != shop {
					t.Errorf("order %s is %s of %s", o.ExternalID, o.ID, o.StoreID)
				}
				found = append(found, o.ExternalID)
			}
			return found
		}
		if got := carrying(0, 10); !slices.Equal(got, []string{"1", "2", "4"}) {
			t.Errorf("got %v", got)
		}
		if got := carrying(0, 2); !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("two of them: %v", got)
		}
		if got := carrying(ids["2"], 10); !slices.Equal(got, []string{"4"}) {
			t.Errorf("behind 2: %v", got)
		}
	})
}

// TestUnownedCodes_dismissed: what was dismissed in a store is neither listed nor counted there, unless it is asked
// for.
func TestUnownedCodes_dismissed(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		one, two := addStore(t, db, "one").ID, addStore(t, db, "two").ID
		saveSeen(t, db, seen{store: one, id: "1", currency: "EUR", codes: []string{"NEWS"}},
			seen{store: one, id: "2", currency: "EUR", codes: []string{"OWN"}},
			seen{store: two, id: "3", currency: "EUR", codes: []string{"NEWS"}})
		move := func(f func(tx *storage.Tx) ([]string, error), want ...string) {
			t.Helper()
			inTx(t, db, func(tx *storage.Tx) error {
				got, err := f(tx)
				checkLines(t, "moved", got, want...)
				return err
			})
		}
		counts := func(want map[affiliate.StoreID]int64) {
			t.Helper()
			if got, err := db.UnownedCodeCounts(t.Context()); err != nil || !maps.Equal(got, want) {
				t.Errorf("counts %v, %v, want %v", got, err, want)
			}
			n, err := db.CountUnownedLines(t.Context(), storage.UnownedFilter{})
			if err != nil || n != want[one]+want[two] {
				t.Errorf("%d lines, %v", n, err)
			}
		}
		codes := func(f storage.UnownedFilter, want ...string) {
			t.Helper()
			var got []string
			for _, c := range unownedCodes(t, db, f) {
				got = append(got, c.Store+" "+c.Folded)
			}
			checkLines(t, fmt.Sprintf("%+v", f), got, want...)
		}
		dismiss := func(tx *storage.Tx) ([]string, error) {
			return tx.DismissCodes(t.Context(), one, []string{"news"}, "Max", noon)
		}
		move(dismiss, "news")
		move(dismiss)
		counts(map[affiliate.StoreID]int64{one: 1, two: 1})
		codes(storage.UnownedFilter{Sort: storage.UnownedByCode}, "two news", "one own")
		codes(storage.UnownedFilter{Dismissed: true}, "one news")
		move(func(tx *storage.Tx) ([]string, error) {
			return tx.RestoreCodes(t.Context(), one, []string{"news", "other"})
		}, "news")
		move(func(tx *storage.Tx) ([]string, error) { return tx.RestoreCodes(t.Context(), one, nil) })
		counts(map[affiliate.StoreID]int64{one: 2, two: 1})
		codes(storage.UnownedFilter{Dismissed: true})
	})
}
