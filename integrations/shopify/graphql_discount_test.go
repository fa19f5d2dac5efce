package shopify

import (
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

func recording(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/admin-graphql/" + name)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What a live shop answered (2026-04) when a code was made, changed, ended and set going again.
func TestRecordedLifeOfACode(t *testing.T) {
	type step struct {
		Payload struct {
			Data map[string]payload `json:"data"`
		} `json:"payload"`
	}
	var life struct{ Create, Update, Deactivate, Activate step }
	recording(t, "discount-code-basic-lifecycle.json", &life)
	at := func(clock string) time.Time {
		when, err := time.Parse(time.RFC3339, "2026-07-14T"+clock+"Z")
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	made := affiliate.Coupon{ID: "1660207006002", Code: "HAR193LIFE1784044178621",
		Title:  "HAR-193 lifecycle 1784044178621",
		MadeAt: at("15:49:38"), ChangedAt: at("15:49:38"), Discount: affiliate.Discount{Kind: affiliate.DiscountPercent,
			Percent: 1000, Currency: "CAD", Minimum: 100, StartsAt: at("15:48:38"), Combines: true}}
	changed := made
	changed.Code, changed.Title, changed.ChangedAt = "HAR193LIVE1784044178621",
		"HAR-193 lifecycle updated 1784044178621", at("15:49:39")
	changed.Discount.Kind, changed.Discount.Percent, changed.Discount.Amount = affiliate.DiscountFixed, 0, 500
	changed.Discount.Minimum = 200
	ended := changed
	ended.Discount.EndsAt = at("15:49:39")
	again := changed
	again.ChangedAt = at("15:49:40")
	for _, c := range []struct {
		name, field string
		of          step
		want        affiliate.Coupon
	}{
		{"create", "discountCodeBasicCreate", life.Create, made},
		{"update", "discountCodeBasicUpdate", life.Update, changed},
		{"deactivate", "discountCodeDeactivate", life.Deactivate, ended},
		{"activate", "discountCodeActivate", life.Activate, again},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := readDiscount(c.of.Payload.Data[c.field].Node)
			if err != nil {
				t.Fatal(err)
			}
			if got := n.coupons(); len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
	if ended.Works(at("15:49:39")) || !again.Works(at("15:49:40")) || ended.Stopped {
		t.Error("one that was deactivated works, or does not work again")
	}
}

// A code that is there already, in the words of a live shop; and one that it has no words for.
func TestRecordedTakenCode(t *testing.T) {
	var answer struct {
		Response struct {
			Data map[string]json.RawMessage `json:"data"`
		} `json:"response"`
	}
	recording(t, "discount-code-taken.json", &answer)
	c := answering(t, saying(`{"data":{"c0":`+string(answer.Response.Data["discountCodeBasicCreate"])+`}}`))
	out, err := c.MakeCoupons(t.Context(), []affiliate.NewCoupon{{Code: "A", Discount: tenPercent}})
	if err != nil || len(out) != 1 || codeOf(out[0].Err) != affiliate.CouponTaken ||
		affiliate.KindOf(out[0].Err) != affiliate.Conflict {
		t.Fatalf("%+v, %v", out, err)
	}
}

var tenPercent = affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 1000}

// Each thing that Shopify has against one code is that code's error, with what to do; the others go on.
func TestRefusedCodes(t *testing.T) {
	for _, c := range []struct{ code, message, want, says string }{
		{"TOO_LONG", "is too long", affiliate.CouponRefused, "shorter"},
		{"END_DATE_BEFORE_START_DATE", "x", affiliate.CouponRefused, "later end"},
		{"VALUE_OUTSIDE_RANGE", "Value must be between 0.0 and 1.0", affiliate.CouponRefused, "between 0.0 and 1.0"},
		{"EXCEEDED_MAX", "too many", affiliate.CouponRefused, "Delete discounts"},
		{"MAX_APP_DISCOUNTS", "too many", affiliate.CouponRefused, "Delete discounts"},
		{"INVALID", "Discount does not exist", affiliate.CouponGone, "Make the code again"},
		{"CONFLICT", "It is " + someToken, affiliate.CouponRefused, "It is …"},
	} {
		t.Run(c.code, func(t *testing.T) {
			fault := `{"codeDiscountNode":null,"userErrors":[{"field":["x"],"code":"` + c.code + `","message":"` +
				c.message + `"}]}`
			fine := `{"codeDiscountNode":{"id":"gid://shopify/DiscountCodeNode/5","codeDiscount":{"__typename":` +
				`"DiscountCodeBasic","codes":{"nodes":[{"code":"B"}]},"context":{"__typename":` +
				`"DiscountBuyerSelectionAll"},"customerGets":{"value":{"__typename":"DiscountPercentage","percentage":0.1},"items":{"__typename":` +
				`"AllDiscountItems"}}}},"userErrors":[]}`
			api := answering(t, saying(`{"data":{"c0":`+fault+`,"c1":`+fine+`}}`))
			out, err := api.MakeCoupons(t.Context(), []affiliate.NewCoupon{{Code: "A", Discount: tenPercent},
				{Code: "B", Discount: tenPercent}})
			if err != nil || codeOf(out[0].Err) != c.want || !strings.Contains(out[0].Err.Error(), c.says) {
				t.Fatalf("%+v, %v", out, err)
			}
			if out[1].Err != nil || out[1].Coupon.ID != "5" {
				t.Errorf("the other one: %+v", out[1])
			}
		})
	}
}

// Answers that say nothing of what became of a code are errors of the whole call, after which the shop is asked.
func TestAnswersWithoutOutcome(t *testing.T) {
	for name, c := range map[string]struct{ answer, code string }{
		"nothing":  {`{"data":{"c0":{"codeDiscountNode":null,"userErrors":[]}}}`, affiliate.StoreAnswer},
		"less":     {`{"data":{"c1":{}}}`, affiliate.StoreAnswer},
		"shape":    {`{"data":{"c0":[]}}`, affiliate.StoreAnswer},
		"no_id":    {`{"data":{"c0":{"codeDiscountNode":{"id":"7"},"userErrors":[]}}}`, affiliate.StoreAnswer},
		"internal": {`{"data":{"c0":{"userErrors":[{"code":"INTERNAL_ERROR"}]}}}`, affiliate.StoreDown},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := answering(t, saying(c.answer)).MakeCoupons(t.Context(),
				[]affiliate.NewCoupon{{Code: "A", Discount: tenPercent}})
			if codeOf(err) != c.code {
				t.Errorf("%v, want %s", err, c.code)
			}
		})
	}
}

// What Shopify would answer a whole request with an error for is refused before, for its code alone.
func TestInputsThatAreNotSent(t *testing.T) {
	with := func(change func(*affiliate.NewCoupon)) affiliate.NewCoupon {
		n := affiliate.NewCoupon{Code: "A", Discount: tenPercent}
		change(&n)
		return n
	}
	for name, n := range map[string]affiliate.NewCoupon{
		"empty":   with(func(n *affiliate.NewCoupon) { n.Code = " " }),
		"bytes":   with(func(n *affiliate.NewCoupon) { n.Code = "A\xff" }),
		"control": with(func(n *affiliate.NewCoupon) { n.Code = "A\x00B" }),
		"long":    with(func(n *affiliate.NewCoupon) { n.Code = strings.Repeat("é", 256) }),
		"uses":    with(func(n *affiliate.NewCoupon) { n.Discount.UsageLimit = 1 << 31 }),
		"both": with(func(n *affiliate.NewCoupon) {
			n.Discount.Products, n.Discount.Collections = []string{"1"}, []string{"2"}
		}),
		"id":        with(func(n *affiliate.NewCoupon) { n.Discount.Products = []string{`1"`} }),
		"no_kind":   with(func(n *affiliate.NewCoupon) { n.Discount = affiliate.Discount{} }),
		"minus_use": with(func(n *affiliate.NewCoupon) { n.Discount.UsageLimit = -1 }),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newInput(n, time.Now()); codeOf(err) != affiliate.CouponRefused {
				t.Errorf("%v", err)
			}
		})
	}
}

// A percentage goes as a decimal of its own digits, and comes back whatever a float makes of it.
func TestPercentagesAreExact(t *testing.T) {
	for percent := int64(1); percent <= 10000; percent++ {
		in, err := discountInput(affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: percent}, nil)
		if err != nil {
			t.Fatal(err)
		}
		sent := in["customerGets"].(map[string]any)["value"].(map[string]any)["percentage"].(json.Number)
		share, err := sent.Float64()
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []byte{'g', 'e', 'f'} {
			back := strconv.FormatFloat(share, format, -1, 64)
			if got, err := money.ParseScaled(plainDecimal(back), 4); err != nil || got != percent {
				t.Fatalf("%d is sent as %s, and %s read as %d, %v", percent, sent, back, got, err)
			}
		}
	}
}

// A title carries its mark whole, is never longer than Shopify takes, and gives both back.
func TestTitlesCarryMarks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := affiliate.NewCoupon{Code: "ANNA", Mark: rapid.StringMatching(`[0-9a-z_-]{1,60}`).Draw(t, "mark"),
			Title: rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zé\[\] ]{0,400}`),
				rapid.Just("x [tributary other]")).Draw(t, "title")}
		title := titleOf(n)
		if utf8.RuneCountInString(title) > mostTitle {
			t.Fatalf("%d characters", utf8.RuneCountInString(title))
		}
		rest, mark := cutMark(title)
		if mark != n.Mark {
			t.Fatalf("%q has the mark %q, want %q", title, mark, n.Mark)
		}
		if tidied := strings.TrimSpace(tidy(n.Title, 100)); len(n.Title) < 100 && rest != tidied {
			t.Fatalf("%q has the title %q, want %q", title, rest, tidied)
		}
		n.Mark = ""
		if _, mark := cutMark(titleOf(n)); mark != "" && n.Title != "x [tributary a] [tributary b]" {
			t.Fatalf("%q has a mark that nobody made", titleOf(n))
		}
	})
	if got := titleOf(affiliate.NewCoupon{Code: "ANNA10", Mark: "abc123", Title: "Anna Keller · Spring"}); got !=
		"Anna Keller · Spring [tributary abc123]" {
		t.Error(got)
	}
}

// A change of what a discount is for adds and removes, whatever it was for.
func TestItemsAreReplaced(t *testing.T) {
	products := func(ids ...string) discountItems { return itemsOf(affiliate.Discount{Products: ids}) }
	collections := func(ids ...string) discountItems { return itemsOf(affiliate.Discount{Collections: ids}) }
	all := itemsOf(affiliate.Discount{})
	for _, c := range []struct {
		name      string
		want, has discountItems
		in        string
	}{
		{"same", products("1", "2"), products("2", "1"), `null`},
		{"all", all, all, `null`},
		{"to_all", all, products("1"), `{"all":true}`},
		{"others", products("2", "3"), products("1", "2"), `{"products":{"productsToAdd":["gid://shopify/Product/3"],` +
			`"productsToRemove":["gid://shopify/Product/1"]}}`},
		{"to_collections", collections("7"), products("1"), `{"collections":{"add":["gid://shopify/Collection/7"]},` +
			`"products":{"productsToRemove":["gid://shopify/Product/1"]}}`},
		{"to_products", products("1"), collections("7"), `{"collections":{"remove":["gid://shopify/Collection/7"]},` +
			`"products":{"productsToAdd":["gid://shopify/Product/1"]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := json.Marshal(itemsInput(c.want, &c.has)); string(got) != c.in {
				t.Errorf("%s, want %s", got, c.in)
			}
		})
	}
}

// What a discount has beyond what can be said is told in words, and hostile answers are read to their end.
func TestOtherDiscounts(t *testing.T) {
	basic := func(rest string) string {
		return `"__typename":"DiscountCodeBasic","codes":{"nodes":[{"code":"A"}]},` + rest
	}
	everybody := `"context":{"__typename":"DiscountBuyerSelectionAll"},`
	for _, c := range []struct{ name, discount, says string }{
		{"bxgy", `"__typename":"DiscountCodeBxgy","codes":{"nodes":[{"code":"A"}]}`, "buy X get Y"},
		{"shipping", `"__typename":"DiscountCodeFreeShipping","codes":{"nodes":[{"code":"A"}]}`, "free shipping"},
		{"app", `"__typename":"DiscountCodeApp","codes":{"nodes":[{"code":"A"}]}`, "another app"},
		{"new", `"__typename":"DiscountCodeRaffle","codes":{"nodes":[{"code":"A"}]}`, "DiscountCodeRaffle"},
		{"no_value", basic(everybody + `"customerGets":null`), "without a value"},
		{"huge", basic(everybody + `"customerGets":{"value":{"__typename":"DiscountPercentage",` +
			`"percentage":1e999999999},"items":{"__typename":"AllDiscountItems"}}`), "percentage that cannot be read"},
		{"amount", basic(everybody + `"customerGets":{"value":{"__typename":"DiscountAmount","amount":{"amount":"x",` +
			`"currencyCode":"USD"}},"items":{"__typename":"AllDiscountItems"}}`), "amount that cannot be read"},
		{"gone_items", basic(everybody + `"customerGets":{"value":{"__typename":"DiscountPercentage",` +
			`"percentage":0.1},"items":{"__typename":"DiscountCollections","collections":{"nodes":[]}}}`), "no products that are left"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := readDiscount([]byte(`{"id":"gid://shopify/DiscountCodeNode/5","codeDiscount":{` + c.discount +
				`}}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := n.coupons(); len(got) != 1 || !strings.Contains(got[0].Other, c.says) {
				t.Errorf("%+v, want %q", got, c.says)
			}
		})
	}
}

// An answer that is not what was asked for is told, and not taken for done.
func TestDiffers(t *testing.T) {
	base := affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 500, Currency: "USD",
		Products: []string{"9", "10"}, EndsAt: time.Unix(1000, 5), StartsAt: time.Unix(500, 0)}
	for want, change := range map[string]func(*affiliate.Discount){
		"": func(d *affiliate.Discount) {
			d.Products, d.EndsAt = []string{"10", "9"}, time.Unix(1000, 0).UTC()
		},
		"value":                    func(d *affiliate.Discount) { d.Amount = 501 },
		"currency":                 func(d *affiliate.Discount) { d.Currency = "EUR" },
		"minimum":                  func(d *affiliate.Discount) { d.Minimum = 1 },
		"limit of uses":            func(d *affiliate.Discount) { d.UsageLimit = 1 },
		"rule for other discounts": func(d *affiliate.Discount) { d.Combines = true },
		"beginning":                func(d *affiliate.Discount) { d.StartsAt = time.Unix(501, 0) },
		"end":                      func(d *affiliate.Discount) { d.EndsAt = time.Time{} },
		"list of products":         func(d *affiliate.Discount) { d.Products = []string{"9"} },
	} {
		got := base
		change(&got)
		if what := differs(got, base); what != want {
			t.Errorf("differs in %q, want %q", what, want)
		}
	}
}

func TestTypedCode(t *testing.T) {
	n := affiliate.NewCoupon{Code: "ANNA10", Title: "Anna", Discount: affiliate.Discount{
		Kind: affiliate.DiscountPercent, Percent: 1250, Currency: "USD", Minimum: 2000,
		OncePerCustomer: true, UsageLimit: 50, Combines: true,
		Products: []string{"7", "8"}, StartsAt: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		EndsAt: time.Date(2026, 12, 24, 23, 59, 0, 0, time.UTC)}}
	lines := func(n affiliate.NewCoupon) string {
		var b strings.Builder
		for _, f := range typed(n) {
			b.WriteString(f.Label + ": " + money.Plain(f.Value))
			if f.Copy != "" && f.Copy != money.Plain(f.Value) {
				b.WriteString(" (" + f.Copy + ")")
			}
			b.WriteString("\n")
		}
		return b.String()
	}
	want := `Create discount: Amount off products
Method: Discount code
Discount code: ANNA10
Discount value: Percentage
Value: 12.5 % (12.5)
Applies to: Specific products
Products: those with the ids 7, 8
Minimum purchase requirements: Minimum purchase amount
Minimum purchase amount: 20.00 USD (20.00)
Maximum discount uses: Limit number of times this discount can be used in total
Number of times: 50
Maximum discount uses: Limit to one use per customer
Combinations: Product discounts, Order discounts, Shipping discounts
Start date: 2026-12-01
Start time: 00:00 UTC, by the shop's clock
Active dates: Set end date
End date: 2026-12-24
End time: 23:59 UTC, by the shop's clock
`
	if got := lines(n); got != want {
		t.Errorf("typed:\n%s\nwant:\n%s", got, want)
	}
	plain := affiliate.NewCoupon{Code: "B", Discount: affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 500,
		Currency: "USD"}}
	if got := lines(plain); got != "Create discount: Amount off order\nMethod: Discount code\nDiscount code: B\n"+
		"Discount value: Fixed amount\nValue: 5.00 USD (5.00)\n" {
		t.Error(got)
	}
	if guide.Coupons.Typed == nil || guide.Coupons.MostLength != 255 {
		t.Error("the guide does not say how codes are made by hand")
	}
}
