package fakestore_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

var _ app.CouponClient = (*shopify.Client)(nil)

func tenOff(code string) affiliate.NewCoupon {
	return affiliate.NewCoupon{Code: code, Mark: "m-" + strings.ToLower(code), Title: "Anna Keller · Spring",
		Discount: affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 1000}}
}

// make makes one code, and gives it as the shop has it.
func (s *shopifyTest) make(t *testing.T, n affiliate.NewCoupon) affiliate.Coupon {
	t.Helper()
	out, err := s.client.MakeCoupons(t.Context(), []affiliate.NewCoupon{n})
	if err != nil || len(out) != 1 || out[0].Err != nil {
		t.Fatalf("%+v, %v", out, err)
	}
	return out[0].Coupon
}

func (s *shopifyTest) change(t *testing.T, change affiliate.CouponChange) affiliate.CouponOutcome {
	t.Helper()
	out, err := s.client.ChangeCoupons(t.Context(), []affiliate.CouponChange{change})
	if err != nil || len(out) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	return out[0]
}

// coupons reads all codes to their end, each page by a client that has just begun, as after a restart.
func (s *shopifyTest) coupons(t *testing.T, since time.Time) (list []affiliate.Coupon) {
	t.Helper()
	for at, pages := "", 0; ; pages++ {
		p, err := s.opens(s.keys).Coupons(t.Context(), since, at)
		if err != nil || pages > 200 {
			t.Fatal(pages, err)
		}
		list = append(list, p.Coupons...)
		if at = p.Next; at == "" {
			return list
		}
	}
}

func codesOf(list []affiliate.Coupon) (codes []string) {
	for _, c := range list {
		codes = append(codes, c.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// What is made is in the shop as it was asked for, and read back in each way that there is.
func TestShopifyMakesCodes(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	ends := testBegins.AddDate(0, 1, 0)
	for _, c := range []struct {
		name string
		d    affiliate.Discount
	}{
		{"percent", affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 1250}},
		{"tiny_percent", affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 1}},
		{"all_of_it", affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 10000}},
		{"amount", affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 505, Currency: "USD"}},
		{"limits", affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 1000, Currency: "USD", Minimum: 2000,
			OncePerCustomer: true, UsageLimit: 40, Combines: true, EndsAt: ends,
			StartsAt: testBegins.AddDate(0, 0, 7)}},
		{"products", affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 1000, Products: numbers(7, 30)}},
		{"collections", affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 1, Currency: "USD",
			Collections: []string{"99", "100"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := tenOff(c.name)
			n.Discount = c.d
			made := s.make(t, n)
			title, _, gives := s.Discount(c.name)
			want := c.d
			if want.StartsAt.IsZero() {
				want.StartsAt = gives.StartsAt
				if gives.StartsAt.After(s.clock.now()) || s.clock.now().Sub(gives.StartsAt) > time.Hour {
					t.Errorf("begins at %v", gives.StartsAt)
				}
			}
			currency := want
			if want.Amount == 0 && want.Minimum == 0 {
				currency.Currency = ""
			}
			if !reflect.DeepEqual(gives, currency) || title != "Anna Keller · Spring [tributary m-"+c.name+"]" {
				t.Errorf("%q gives %+v, want %+v", title, gives, want)
			}
			if made.Code != c.name || made.Mark != n.Mark || made.Title != n.Title || made.Shared || made.Other != "" ||
				!reflect.DeepEqual(made.Discount, currency) || made.ID == "" || made.MadeAt.IsZero() {
				t.Errorf("made %+v", made)
			}
			found, err := s.client.CouponsByCode(t.Context(), []string{strings.ToUpper(c.name)})
			if err != nil || len(found) != 1 || !reflect.DeepEqual(found[0], made) {
				t.Errorf("found %+v, %v, want %+v", found, err, made)
			}
		})
	}
	if all := s.coupons(t, time.Time{}); len(all) != 7 {
		t.Errorf("%d codes", len(all))
	}
}

func numbers(from, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint(from+i))
	}
	slices.SortFunc(list, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return list
}

// One code that is there keeps no other, in whatever case it is written.
func TestShopifyTakenCodes(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.MakeCoupon("Anna10", 1000)
	late := tenOff("LATE")
	late.Discount.EndsAt = testBegins.AddDate(-1, 0, 0)
	much := tenOff("MUCH")
	much.Discount.Percent = 10001
	out, err := s.client.MakeCoupons(t.Context(), []affiliate.NewCoupon{tenOff("BEN10"), tenOff("ANNA10"), late, much,
		tenOff("CARL10")})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, out[1].Err, affiliate.CouponTaken, "another code")
	wantCode(t, out[2].Err, affiliate.CouponRefused, "later end")
	wantCode(t, out[3].Err, affiliate.CouponRefused, "percentage above 0")
	if out[0].Err != nil || out[4].Err != nil {
		t.Errorf("%v, %v", out[0].Err, out[4].Err)
	}
	if got := codesOf(s.coupons(t, time.Time{})); !slices.Equal(got, []string{"Anna10", "BEN10", "CARL10"}) {
		t.Errorf("%v", got)
	}
}

// Codes end and begin again, and each answer is what the shop has. The same change may be made again.
func TestShopifyChangesCodes(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	n := tenOff("ANNA10")
	n.Discount.Products = numbers(1, 25)
	c := s.make(t, n)
	soon, later := testBegins.AddDate(0, 0, 3), testBegins.AddDate(0, 0, 9)
	other := affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 700, Currency: "USD", Minimum: 3000,
		UsageLimit: 3, OncePerCustomer: true, EndsAt: later, Combines: true, Collections: []string{"5"}}
	plain := affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 500}
	for _, step := range []struct {
		name   string
		change affiliate.CouponChange
		status string
		ends   time.Time
	}{
		{"stop_later", affiliate.CouponChange{Step: affiliate.CouponStop, Until: later}, "ACTIVE", later},
		{"stop_sooner", affiliate.CouponChange{Step: affiliate.CouponStop, Until: soon}, "ACTIVE", soon},
		{"never_longer", affiliate.CouponChange{Step: affiliate.CouponStop, Until: later}, "ACTIVE", soon},
		{"stop", affiliate.CouponChange{Step: affiliate.CouponStop}, "EXPIRED", testBegins},
		{"start", affiliate.CouponChange{Step: affiliate.CouponStart}, "ACTIVE", time.Time{}},
		{"start_until", affiliate.CouponChange{Step: affiliate.CouponStart,
			Discount: affiliate.Discount{EndsAt: later}}, "ACTIVE", later},
		{"stop_again", affiliate.CouponChange{Step: affiliate.CouponStop}, "EXPIRED", testBegins},
		{"start_again_until", affiliate.CouponChange{Step: affiliate.CouponStart,
			Discount: affiliate.Discount{EndsAt: later}}, "ACTIVE", later},
		{"discount", affiliate.CouponChange{Step: affiliate.CouponDiscount, Discount: other}, "ACTIVE", later},
		{"nothing_left_of_it", affiliate.CouponChange{Step: affiliate.CouponDiscount, Discount: plain}, "ACTIVE",
			time.Time{}},
	} {
		t.Run(step.name, func(t *testing.T) {
			for range 2 {
				step.change.Coupon = c
				out := s.change(t, step.change)
				if out.Err != nil {
					t.Fatal(out.Err)
				}
				title, status, gives := s.Discount("ANNA10")
				if status != step.status || !gives.EndsAt.Equal(step.ends) || !strings.HasSuffix(title, "m-anna10]") {
					t.Errorf("%q is %s until %v, want %s until %v", title, status, gives.EndsAt, step.status, step.ends)
				}
				if out.Coupon.Mark != c.Mark || out.Coupon.Code != c.Code ||
					!reflect.DeepEqual(out.Coupon.Discount, gives) {
					t.Errorf("answered %+v, want %+v", out.Coupon.Discount, gives)
				}
				if step.change.Step != affiliate.CouponDiscount &&
					len(gives.Products) != len(n.Discount.Products) {
					t.Errorf("it is for %v", gives.Products)
				}
			}
		})
	}
	_, _, gives := s.Discount("ANNA10")
	gives.StartsAt = time.Time{}
	if !reflect.DeepEqual(gives, plain) {
		t.Errorf("%+v, want %+v", gives, plain)
	}
}

// Codes that others would change with, that say more than is known here, or that are somebody else's by now, are left
// as they are.
func TestShopifyLeavesOthersCodes(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	ctx := t.Context()
	s.MakeSharedCoupons("For all", 1500, "ONE", "TWO", "THREE")
	for _, code := range []string{"BXGY", "SHIP", "APP", "EACH", "MANY", "KIND", "VIP", "MARKET", "OLD", "GONE"} {
		s.MakeCoupon(code, 1000)
	}
	for code, what := range map[string]string{"BXGY": "DiscountCodeBxgy", "SHIP": "DiscountCodeFreeShipping",
		"APP": "DiscountCodeApp", "EACH": "each", "MANY": "quantity", "KIND": "variant", "VIP": "DiscountCustomers",
		"MARKET": "DiscountMarkets"} {
		s.SetDiscount(code, what)
	}
	found, err := s.client.CouponsByCode(ctx, s.CouponCodes())
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]affiliate.Coupon{}
	for _, c := range found {
		of[c.Code] = c
	}
	for code, says := range map[string]string{"BXGY": "buy X get Y", "SHIP": "free shipping", "APP": "another app",
		"EACH": "each product", "MANY": "number of products", "KIND": "variants", "VIP": "customers",
		"MARKET": "markets"} {
		if !strings.Contains(of[code].Other, says) || of[code].Shared {
			t.Errorf("%s is %+v", code, of[code])
		}
	}
	if !of["TWO"].Shared || of["TWO"].ID != of["ONE"].ID || of["TWO"].Title != "For all" || of["TWO"].Mark != "" {
		t.Errorf("%+v", of["TWO"])
	}
	s.RenameCoupon("OLD", "NEW")
	s.DeleteCoupon("GONE")
	discount := affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 2000}
	for _, c := range []struct {
		code       string
		step       affiliate.CouponStep
		want, says string
	}{
		{"TWO", affiliate.CouponStop, affiliate.CouponRefused, "Other codes"},
		{"TWO", affiliate.CouponStart, affiliate.CouponRefused, "Other codes"},
		{"TWO", affiliate.CouponDiscount, affiliate.CouponRefused, "Other codes"},
		{"OLD", affiliate.CouponStop, affiliate.CouponGone, "another code now"},
		{"GONE", affiliate.CouponStop, affiliate.CouponGone, "deleted"},
		{"BXGY", affiliate.CouponDiscount, affiliate.CouponRefused, "buy X get Y"},
		{"VIP", affiliate.CouponDiscount, affiliate.CouponRefused, "some customers"},
	} {
		out := s.change(t, affiliate.CouponChange{Coupon: of[c.code], Step: c.step, Discount: discount})
		wantCode(t, out.Err, c.want, c.says)
	}
	for _, code := range []string{"ONE", "TWO", "THREE", "NEW"} {
		if _, status, _ := s.Discount(code); status != "ACTIVE" {
			t.Errorf("%s is %s", code, status)
		}
	}
	// But all end, and begin again, where that is their own.
	until := testBegins.AddDate(0, 0, 2)
	for _, code := range []string{"BXGY", "SHIP", "EACH", "KIND", "VIP"} {
		out := s.change(t, affiliate.CouponChange{Coupon: of[code], Step: affiliate.CouponStop, Until: until})
		if out.Err != nil || !out.Coupon.Discount.EndsAt.Equal(until) || out.Coupon.Other != of[code].Other {
			t.Errorf("%s: %+v", code, out)
		}
	}
	out := s.change(t, affiliate.CouponChange{Coupon: of["APP"], Step: affiliate.CouponStop, Until: until})
	wantCode(t, out.Err, affiliate.CouponRefused, "Only the app")
	for _, step := range []affiliate.CouponStep{affiliate.CouponStop, affiliate.CouponStart} {
		if out := s.change(t, affiliate.CouponChange{Coupon: of["APP"], Step: step}); out.Err != nil ||
			out.Coupon.Works(s.clock.now()) != (step == affiliate.CouponStart) {
			t.Errorf("%s: %+v", step, out)
		}
	}
}

// A list of codes is whole, with all codes of discounts that have many, and how often each was used.
func TestShopifyListsCodes(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	want := []string{}
	for i := range 70 {
		want = append(want, fmt.Sprintf("OWN%03d", i))
		s.MakeCoupon(want[i], 1000)
	}
	for d, n := range []int{60, 230, 2} {
		var codes []string
		for i := range n {
			codes = append(codes, fmt.Sprintf("D%d-%03d", d, i))
		}
		s.MakeSharedCoupons("Many", 500, codes...)
		want = append(want, codes...)
		s.clock.advance(time.Hour)
	}
	for range 3 {
		s.Place(fakestore.NewOrder{Paid: true, Codes: []string{"D1-199"},
			Lines: []fakestore.Line{{Name: "Mug", Price: 1000, Quantity: 1}}})
	}
	slices.Sort(want)
	got := s.coupons(t, time.Time{})
	if codes := codesOf(got); !slices.Equal(codes, want) || len(got) != len(want) {
		t.Errorf("%d codes, %d of them different, want %d", len(got), len(codes), len(want))
	}
	for _, c := range got {
		if c.Shared != strings.HasPrefix(c.Code, "D") || (c.Uses == 3) != (c.Code == "D1-199") {
			t.Errorf("%+v", c)
		}
	}
	found, err := s.client.CouponsByCode(t.Context(), []string{"d1-199", "D1-199", "", "nowhere", "OWN\x00", "own001"})
	if err != nil || !slices.Equal(codesOf(found), []string{"D1-199", "OWN001"}) || found[0].Uses != 3 ||
		!found[0].Shared {
		t.Errorf("%+v, %v", found, err)
	}
	if changed := s.coupons(t, testBegins.Add(2*time.Hour)); len(changed) != 2 {
		t.Errorf("%d changed since, want 2", len(changed))
	}
	if _, err := s.client.Coupons(t.Context(), time.Time{}, "x"); affiliate.KindOf(err) != affiliate.Invalid {
		t.Errorf("%v", err)
	}
}

// Codes that change while they are read are not passed over, and neither are the others.
func TestShopifyCodesChangeMeanwhile(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	for i := range 100 {
		s.MakeCoupon(fmt.Sprintf("C%03d", i), 1000)
		s.clock.advance(time.Second)
	}
	at := 0
	s.EditWhilePaging(1, func() {
		s.clock.advance(time.Minute)
		if at++; at < 6 {
			s.RenameCoupon(fmt.Sprintf("C%03d", at*19), fmt.Sprintf("N%03d", at*19))
		}
	})
	got := codesOf(s.coupons(t, time.Time{}))
	for _, code := range s.CouponCodes() { // the last may have been renamed after it was read
		if !slices.Contains(got, code) && !slices.Contains(got, "C"+code[1:]) {
			t.Errorf("%s was passed over", code)
		}
	}
	if !slices.Contains(got, "N019") {
		t.Error("what changed meanwhile was not read again")
	}
	if at < 4 {
		t.Errorf("%d pages", at)
	}
}

// After an answer that was lost, codes are there and not made twice: what became of them is found by their marks.
func TestShopifyLostAnswers(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	n := tenOff("ANNA10")
	s.LoseAnswers(1)
	_, err := s.client.MakeCoupons(t.Context(), []affiliate.NewCoupon{n})
	wantCode(t, err, affiliate.StoreUnreachable, "broke the connection off")
	if asked := len(s.Requests()); asked != 1 {
		t.Errorf("%d requests, want 1", asked)
	}
	found, err := s.client.CouponsByCode(t.Context(), []string{"ANNA10"})
	if err != nil || len(found) != 1 || found[0].Mark != n.Mark || found[0].Title != n.Title {
		t.Fatalf("%+v, %v", found, err)
	}
	out, err := s.client.MakeCoupons(t.Context(), []affiliate.NewCoupon{n})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, out[0].Err, affiliate.CouponTaken, "")
	stop := affiliate.CouponChange{Coupon: found[0], Step: affiliate.CouponStop}
	before := len(s.Requests())
	s.FailNext(1, 503) // the look before the change, which may be asked again
	if out := s.change(t, stop); out.Err != nil || out.Coupon.Works(s.clock.now()) {
		t.Errorf("%+v", out)
	}
	if asked := len(s.Requests()) - before; asked != 3 {
		t.Errorf("%d requests, want 3", asked)
	}
}

// What is put off was not done, and is asked again. Without the scope all is said at once.
func TestShopifyThrottledCodes(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.BusyNext(2)
	s.make(t, tenOff("ANNA10"))
	if s.client.Use().Throttled < 2 {
		t.Errorf("%+v", s.client.Use())
	}
	s.SetShopify(func(q *fakestore.ShopifyQuirks) { q.Scopes = []string{"read_orders", "read_discounts"} })
	_, err := s.client.MakeCoupons(t.Context(), []affiliate.NewCoupon{tenOff("BEN10"), tenOff("CARL10")})
	wantCode(t, err, affiliate.StoreForbidden, "write_discounts")
	if found, err := s.client.CouponsByCode(t.Context(), []string{"ANNA10", "BEN10"}); err != nil || len(found) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	s.SetShopify(func(q *fakestore.ShopifyQuirks) { q.Scopes = []string{"read_orders"} })
	_, err = s.client.Coupons(t.Context(), time.Time{}, "")
	wantCode(t, err, affiliate.StoreForbidden, "read_discounts")
	if f, err := s.client.Facts(t.Context()); err != nil || f.Missing[0] != "write_discounts" {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := s.client.Orders(t.Context(), s.window(), ""); err != nil {
		t.Errorf("orders need no right to codes: %v", err)
	}
}

// An app that may not see products makes codes for them, and says of others what it does not see.
func TestShopifyHiddenProducts(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{Scopes: []string{"read_orders", "write_discounts"}})
	n := tenOff("ANNA10")
	n.Discount.Products = []string{"7"}
	made := s.make(t, n)
	if made.Other != "" || !slices.Equal(made.Discount.Products, []string{"7"}) {
		t.Errorf("%+v", made)
	}
	s.make(t, tenOff("BEN10"))
	for _, list := range [][]affiliate.Coupon{s.coupons(t, time.Time{}), func() []affiliate.Coupon {
		list, err := s.client.CouponsByCode(t.Context(), []string{"ANNA10", "BEN10"})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}()} {
		if len(list) != 2 || !strings.Contains(list[0].Other, "read_products") || list[1].Other != "" {
			t.Errorf("%+v", list)
		}
	}
	if out := s.change(t, affiliate.CouponChange{Coupon: made, Step: affiliate.CouponStop}); out.Err != nil {
		t.Error(out.Err)
	}
	out := s.change(t, affiliate.CouponChange{Coupon: made, Step: affiliate.CouponDiscount, Discount: n.Discount})
	wantCode(t, out.Err, affiliate.CouponRefused, "read_products")
}

// However dear a shop holds it to be, nothing is asked that costs more than a thousand points, but for the first
// questions, which the shop refuses unrun; and what was learned is kept.
func TestShopifyCostOfCodes(t *testing.T) {
	for _, dear := range []float64{1, 2, 9} {
		s := newShopify(t, fakestore.ShopifyQuirks{Dear: dear, Restore: 1000})
		var list []affiliate.NewCoupon
		var codes []string
		for i := range s.client.CouponsAtOnce() {
			list = append(list, tenOff(fmt.Sprintf("C%02d", i)))
			codes = append(codes, list[i].Code)
		}
		out, err := s.client.MakeCoupons(t.Context(), list)
		if err != nil || slices.ContainsFunc(out, func(o affiliate.CouponOutcome) bool { return o.Err != nil }) {
			t.Fatalf("%+v, %v", out, err)
		}
		if made := len(s.Requests()); dear == 1 && made != 1 || dear > 1 && made < 3 {
			t.Errorf("%g times as dear: %d requests", dear, made)
		}
		for range 2 {
			before := len(s.Requests())
			found, err := s.client.CouponsByCode(t.Context(), codes)
			if err != nil || len(found) != len(codes) {
				t.Fatalf("%d, %v", len(found), err)
			}
			if n := len(s.Requests()) - before; n > 12 {
				t.Errorf("%g times as dear: %d requests", dear, n)
			}
			if got := s.coupons(t, time.Time{}); len(got) != len(codes) {
				t.Errorf("%d codes", len(got))
			}
		}
	}
}

// Work in the background leaves half of the shop's budget to others.
func TestShopifyCodesInBackground(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	ctx := affiliate.InBackground(t.Context())
	for batch := range 10 {
		var list []affiliate.NewCoupon
		for i := range s.client.CouponsAtOnce() {
			list = append(list, tenOff(fmt.Sprintf("B%d-%02d", batch, i)))
		}
		out, err := s.client.MakeCoupons(ctx, list)
		if err != nil || out[0].Err != nil {
			t.Fatal(err, out)
		}
	}
	if use := s.client.Use(); use.Share > 0.51 || use.Requests < 10 || use.Throttled > 0 {
		t.Errorf("%+v, want at most half", use)
	}
	if n := len(s.CouponCodes()); n != 200 {
		t.Errorf("%d codes", n)
	}
}

// Codes are text and nothing else: they change no other question, and come back as they are.
func TestAttack_shopify_hostile_codes(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	hostile := []string{`A") { id } c1: discountCodeDelete(id: "x`, `$in`, `{}`, `"quoted"`, `back\slash`, "🎉-10",
		"ÀÉÎ", "<script>", "a b", "' OR 1=1 --", "[tributary m-x]", strings.Repeat("X", 255)}
	var list []affiliate.NewCoupon
	for _, code := range hostile {
		n := tenOff("X")
		n.Code, n.Title = code, code+"\u202e\x00"
		list = append(list, n)
	}
	out, err := s.client.MakeCoupons(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o.Err != nil || o.Coupon.Code != hostile[i] || o.Coupon.Mark != "m-x" {
			t.Errorf("%q: %+v", hostile[i], o)
		}
	}
	found, err := s.client.CouponsByCode(t.Context(), hostile)
	if err != nil || !slices.Equal(codesOf(found), slices.Sorted(slices.Values(hostile))) {
		t.Errorf("%q, %v", codesOf(found), err)
	}
	change := affiliate.CouponChange{Step: affiliate.CouponStop,
		Coupon: affiliate.Coupon{ID: `1") { id } x: discountCodeDelete(id: "2`, Code: "A"}}
	wantCode(t, s.change(t, change).Err, affiliate.CouponGone, "")
	if n := len(s.CouponCodes()); n != len(hostile) {
		t.Errorf("%d codes are left", n)
	}
}

// The right to make codes is nothing that orders need.
func TestShopifyRightToCodes(t *testing.T) {
	access := (shopify.Platform{}).Guide().Access
	needed, forCodes, _ := access.Lacks([]string{"read_orders", "write_discounts"})
	if !slices.Equal(needed, []string{"read_orders"}) || !slices.Equal(forCodes, []string{"write_discounts"}) {
		t.Errorf("%v, %v", needed, forCodes)
	}
	for _, way := range access.Ways {
		if !strings.Contains(strings.Join(way.Steps, " "), "write_discounts") {
			t.Errorf("%s does not name the scope", way.Label)
		}
	}
	if f, err := newShopify(t, fakestore.ShopifyQuirks{}).client.Facts(t.Context()); err != nil || len(f.Missing) > 0 {
		t.Errorf("an app with all scopes lacks %v, %v", f.Missing, err)
	}
}
