package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/money"

	"pgregory.net/rapid"
)

func rowsOf(t *testing.T, body string) (rows []couponRow) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestReadRecordedCoupons(t *testing.T) {
	var got []string
	for _, row := range rowsOf(t, string(answered(t, "coupons-list"))) {
		c := row.read("USD")
		got = append(got, fmt.Sprintf("%s %s %s %d %d%s limit %d combines %t uses %d %q %q %t %s", c.ID, c.Code,
			c.Discount.Kind, c.Discount.Percent, c.Discount.Amount, c.Discount.Currency, c.Discount.UsageLimit,
			c.Discount.Combines, c.Uses, c.Title, c.Other, c.Stopped, c.MadeAt.Format(gmtLayout)))
	}
	want := []string{
		`23 mira20 percent 2000 0 limit 100 combines true uses 3 "Creator: Mira" "" false 2026-11-21T03:08:10`,
		`22 free100 percent 10000 0 limit 0 combines true uses 3 "Everything free" "free shipping" false ` +
			`2026-11-21T03:08:09`,
		`21 äiti15 percent 1500 0 limit 0 combines true uses 1 "Creator: Äiti, non-ASCII upper case" "" false ` +
			`2026-11-21T03:08:09`,
		`20 teeoff3  0 0 limit 0 combines true uses 1 "3 off each tee" "an amount off each product" false ` +
			`2026-11-21T03:08:08`,
		`19 leo5 fixed 0 500USD limit 0 combines true uses 6 "Creator: Leo, 5 off the cart" "" false ` +
			`2026-11-21T03:08:08`,
		`18 anna10 percent 1000 0 limit 0 combines true uses 6 "Creator: Anna, 10 percent" "" false ` +
			`2026-11-21T03:08:07`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadOddCoupons(t *testing.T) {
	for text, want := range map[string]affiliate.Coupon{
		`{"id":1,"code":"r&amp;b10","amount":"10.00","discount_type":"percent","status":"publish","individual_use":true,
			"product_ids":{"1":13,"3":"7"},"product_categories":[9],"usage_limit_per_user":1,"minimum_amount":"20.00",
			"date_expires_gmt":"2026-12-31T23:00:00","meta_data":[{"id":1,"key":"_tributary_mark","value":"m1"}]}`: {
			ID: "1", Code: "r&b10", Mark: "m1", Discount: affiliate.Discount{Kind: "percent", Percent: 1000,
				Minimum: 2000, Currency: "EUR", OncePerCustomer: true, Products: []string{"7", "13"},
				Collections: []string{"9"}, EndsAt: time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)}},
		`{"id":2,"code":"a","amount":"0.00","discount_type":"fixed_cart","status":"draft","free_shipping":true}`: {
			ID: "2", Code: "a", Other: "free shipping", Stopped: true, Discount: affiliate.Discount{Combines: true}},
		`{"id":3,"code":"b","amount":"250.00","discount_type":"percent","status":"publish"}`: {ID: "3", Code: "b",
			Discount: affiliate.Discount{Kind: "percent", Percent: 25000, Combines: true}},
		`{"id":4,"code":"c","amount":"much","discount_type":"percent","status":"trash"}`: {ID: "4", Code: "c",
			Stopped: true, Other: "an amount that is no number", Discount: affiliate.Discount{Combines: true}},
		`{"id":5,"code":"d","amount":5,"discount_type":"recurring_fee","usage_limit_per_user":3,"maximum_amount":"9",
			"limit_usage_to_x_items":2,"excluded_product_ids":[1],"excluded_product_categories":[2],
			"exclude_sale_items":true,"email_restrictions":["*@example.com"],
			"meta_data":[{"key":"product_brands","value":[4]}]}`: {ID: "5", Code: "d",
			Other: `discount type "recurring_fee", 3 uses by each customer, for 2 items only, up to a maximum spend ` +
				`only, not for some products, not for some product categories, not for items on sale, for some ` +
				`e-mail addresses only, for some brands only`, Discount: affiliate.Discount{Combines: true}},
	} {
		if got := rowsOf(t, "["+text+"]")[0].read("EUR"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", text, got, want)
		}
	}
}

const (
	currentCurrency = "data/currencies/current"
	euros           = `{"code":"EUR"}`
)

// recordedStore answers each question about coupons with a recorded body, and keeps what it was asked.
func recordedStore(t *testing.T, answers map[string]string) (*Client, *[]string) {
	t.Helper()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		path := strings.TrimPrefix(r.URL.Path, "/wp-json/wc/v3/")
		if path != currentCurrency {
			asked = append(asked, r.Method+" "+path+" "+string(body))
		}
		_, _ = io.WriteString(w, answers[path])
	}))
	t.Cleanup(server.Close)
	return Connector{Web: webOf(newClock())}.Open(affiliate.StoreKeys{Address: server.URL,
		ID: "ck_" + strings.Repeat("a", 40), Secret: "cs_" + strings.Repeat("b", 40)}), &asked
}

func TestRecordedBatch(t *testing.T) {
	client, asked := recordedStore(t, map[string]string{"coupons/batch": string(answered(t, "coupons-batch")),
		currentCurrency: string(answered(t, "data-currencies-current"))})
	five := affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 500, Combines: true}
	got, err := client.MakeCoupons(t.Context(), []affiliate.NewCoupon{
		{Code: "BATCH1", Mark: "m", Title: "T", Discount: five},
		{Code: "ANNA10", Discount: five}})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err != nil || got[0].Coupon.ID != "262" || got[0].Coupon.Discount.Percent != 500 {
		t.Errorf("the first: %+v", got[0])
	}
	if codeOf(got[1].Err) != affiliate.CouponTaken || !strings.Contains(got[1].Err.Error(), `"ANNA10"`) {
		t.Errorf("the second: %v", got[1].Err)
	}
	const first = `{"amount":"5","code":"BATCH1","date_expires":"","description":"T","discount_type":"percent",` +
		`"individual_use":false,"meta_data":[{"key":"_tributary_mark","value":"m"}],"minimum_amount":"",` +
		`"product_categories":[],"product_ids":[],"usage_limit":0,"usage_limit_per_user":0}`
	if len(*asked) != 1 || !strings.HasPrefix((*asked)[0], `POST coupons/batch {"create":[`+first+`,`) {
		t.Errorf("asked %q", *asked)
	}
}

// TestRecordedLookUp looks for a code in other letters, and for one that the store's database takes for the same.
func TestRecordedLookUp(t *testing.T) {
	client, asked := recordedStore(t, map[string]string{"coupons": string(answered(t, "coupons-by-code")),
		currentCurrency: euros})
	for code, want := range map[string]int{"Mira20": 1, "MÍRA20": 0} {
		found, err := client.CouponsByCode(t.Context(), []string{code})
		if err != nil || len(found) != want || want > 0 && (found[0].ID != "23" || found[0].Uses != 3) {
			t.Errorf("%s: found %+v, %v", code, found, err)
		}
	}
	if len(*asked) != 2 {
		t.Errorf("asked %q", *asked)
	}
}

func TestStoresThatAnswerOddly(t *testing.T) {
	list := []affiliate.NewCoupon{{Code: "ANNA10", Discount: affiliate.Discount{Kind: affiliate.DiscountPercent}}}
	row := `{"id":7,"code":"%s","amount":"0","status":"publish","date_expires_gmt":%s}`
	for _, c := range []struct{ name, answer, code, whole string }{
		{"another number of answers", `{"create":[]}`, "", affiliate.StoreAnswer},
		{"another code", `{"create":[` + fmt.Sprintf(row, "anna", "null") + `]}`, affiliate.CouponRefused, ""},
		{"its own sentence", `{"create":[{"id":0,"error":{"code":"odd","message":"<b>Not on Sundays.</b>"}}]}`,
			affiliate.CouponRefused, ""},
	} {
		client, _ := recordedStore(t, map[string]string{"coupons/batch": c.answer, currentCurrency: euros})
		got, err := client.MakeCoupons(t.Context(), list)
		if codeOf(err) != c.whole || c.whole == "" && codeOf(got[0].Err) != c.code {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		const says = "The store says: Not on Sundays (odd)."
		if c.name == "its own sentence" && !strings.Contains(got[0].Err.Error(), says) {
			t.Errorf("got %v", got[0].Err)
		}
	}
	stop := []affiliate.CouponChange{{Coupon: affiliate.Coupon{ID: "7", Code: "ANNA10"}, Step: affiliate.CouponStop}}
	there := "[" + fmt.Sprintf(row, "anna10", "null") + "]"
	for row, want := range map[string]string{
		fmt.Sprintf(row, "anna10", "null"):                  affiliate.CouponRefused,
		fmt.Sprintf(row, "anna10", `"2026-11-28T09:59:59"`): "",
		`{"id":8,"code":"7","amount":"0"}`:                  affiliate.CouponGone,
	} {
		answer := `{"update":[` + row + `]}`
		client, _ := recordedStore(t, map[string]string{"coupons/batch": answer, "coupons": there,
			currentCurrency: euros})
		if got, err := client.ChangeCoupons(t.Context(), stop); err != nil || codeOf(got[0].Err) != want {
			t.Errorf("stopped by %s: %v, %v, want %q", answer, got, err, want)
		}
	}
	client, _ := recordedStore(t, map[string]string{currentCurrency: euros,
		"coupons": `[` + fmt.Sprintf(row, "b", "null") + `,{"id":3}]`})
	if _, err := client.Coupons(t.Context(), time.Time{}, ""); codeOf(err) != affiliate.StoreAnswer {
		t.Errorf("a list in no order: %v", err)
	}
	client, _ = recordedStore(t, map[string]string{currentCurrency: `{"code":"?"}`})
	if _, err := client.MakeCoupons(t.Context(), list); codeOf(err) != affiliate.StoreAnswer {
		t.Errorf("a currency that is none: %v", err)
	}
}

func made(t *testing.T, a *answering, list ...affiliate.NewCoupon) []affiliate.Coupon {
	t.Helper()
	outcomes, err := a.MakeCoupons(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	coupons := make([]affiliate.Coupon, len(outcomes))
	for i, o := range outcomes {
		if o.Err != nil {
			t.Fatalf("%s: %v", list[i].Code, o.Err)
		}
		coupons[i] = o.Coupon
	}
	return coupons
}

// changed makes one change and gives what became of it.
func changed(t *testing.T, a *answering, change affiliate.CouponChange) affiliate.CouponOutcome {
	t.Helper()
	outcomes, err := a.ChangeCoupons(t.Context(), []affiliate.CouponChange{change})
	if err != nil || len(outcomes) != 1 {
		t.Fatalf("%v, %v", outcomes, err)
	}
	return outcomes[0]
}

var tenPercent = affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 1000}

// TestMakeAnyCoupon makes coupons of all kinds and reads them back: they say what was asked, in any zone and currency.
func TestMakeAnyCoupon(t *testing.T) {
	stores := map[money.Currency]*answering{}
	for currency, zone := range map[money.Currency]string{"EUR": "Europe/Berlin", "JPY": "Asia/Tokyo",
		"KWD": "Asia/Kuwait", "USD": "America/New_York"} {
		stores[currency] = serve(t, false, fakestore.Options{Currency: currency, Timezone: zone})
	}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		currency := rapid.SampledFrom([]money.Currency{"EUR", "JPY", "KWD", "USD"}).Draw(rt, "currency")
		a := stores[currency]
		amount := rapid.Int64Range(1, 100_000)
		if currency == "KWD" {
			amount = rapid.Custom(func(rt *rapid.T) int64 { return 10 * rapid.Int64Range(1, 10_000).Draw(rt, "tens") })
		}
		ids := rapid.SampledFrom([][]string{nil, {"7"}, {"7", "13", "101"}})
		draw := func() affiliate.Discount {
			d := affiliate.Discount{Kind: affiliate.DiscountPercent, OncePerCustomer: rapid.Bool().Draw(rt, "once"),
				UsageLimit: rapid.Int64Range(0, 5).Draw(rt, "limit"), Combines: rapid.Bool().Draw(rt, "combines"),
				Products: ids.Draw(rt, "products"), Collections: ids.Draw(rt, "categories")}
			if rapid.Bool().Draw(rt, "fixed") {
				d.Kind, d.Amount, d.Currency = affiliate.DiscountFixed, amount.Draw(rt, "amount"), currency
			} else {
				d.Percent = rapid.Int64Range(1, 10_000).Draw(rt, "percent")
			}
			if rapid.Bool().Draw(rt, "minimum") {
				d.Minimum, d.Currency = amount.Draw(rt, "least"), currency
			}
			if hours := rapid.IntRange(0, 24*400).Draw(rt, "hours"); hours > 0 { // over the clocks' changes
				d.EndsAt = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC).Add(time.Duration(hours) * time.Hour)
			}
			return d
		}
		n++
		want := affiliate.NewCoupon{Code: fmt.Sprintf("Code %d", n), Mark: fmt.Sprint("m", n), Title: "Anna & Søn",
			Discount: draw()}
		coupon := made(t, a, want)[0]
		for _, d := range []affiliate.Discount{want.Discount, draw()} {
			o := changed(t, a, affiliate.CouponChange{Coupon: coupon, Step: affiliate.CouponDiscount, Discount: d})
			if o.Err != nil {
				rt.Fatal(o.Err)
			}
			coupon = o.Coupon
			found, err := a.CouponsByCode(t.Context(), []string{strings.ToUpper(want.Code)})
			if err != nil || len(found) != 1 || !reflect.DeepEqual(found[0], coupon) {
				rt.Fatalf("found %+v, %v, want %+v", found, err, coupon)
			}
			if !reflect.DeepEqual(coupon.Discount, d) || coupon.Mark != want.Mark || coupon.Title != want.Title {
				rt.Fatalf("got %+v, want %+v of %+v", coupon, d, want)
			}
			if truth := a.Shop.Coupons(); !reflect.DeepEqual(truth[len(truth)-1].Discount, d) {
				rt.Fatalf("the store has %+v, want %+v", truth[len(truth)-1], d)
			}
		}
	})
}

func TestStopAndStart(t *testing.T) {
	for zone, now := range map[string]time.Time{
		"Europe/Berlin":    time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), // the hour comes twice
		"America/New_York": time.Date(2026, 3, 8, 6, 59, 59, 0, time.UTC),  // the next hour is left out
		"Asia/Kolkata":     time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
	} {
		a := serve(t, false, fakestore.Options{Timezone: zone})
		a.clock.at = now
		a.web.Now = func() time.Time { return a.clock.now().Add(-2 * time.Hour) } // ours is late
		coupon := made(t, a, affiliate.NewCoupon{Code: "ANNA10", Discount: tenPercent})[0]
		if !a.CouponWorks("anna10", now) {
			t.Fatalf("%s: it does not work", zone)
		}
		o := changed(t, a, affiliate.CouponChange{Coupon: coupon, Step: affiliate.CouponStop})
		if o.Err != nil || !o.Coupon.Discount.EndsAt.Equal(now.Add(-time.Second)) || o.Coupon.Works(now) ||
			o.Coupon.Stopped || a.CouponWorks("anna10", now) {
			t.Errorf("%s: stopped: %+v", zone, o)
		}
		again, err := a.MakeCoupons(t.Context(), []affiliate.NewCoupon{{Code: "Anna10", Discount: tenPercent}})
		if err != nil || codeOf(again[0].Err) != affiliate.CouponTaken {
			t.Errorf("%s: its code is not taken: %+v, %v", zone, again, err)
		}
		for _, until := range []time.Time{now.Add(90 * time.Minute), now.AddDate(0, 6, 0), {}} {
			o = changed(t, a, affiliate.CouponChange{Coupon: o.Coupon, Step: affiliate.CouponStart,
				Discount: affiliate.Discount{EndsAt: until}})
			if o.Err != nil || !o.Coupon.Discount.EndsAt.Equal(until) || !a.CouponWorks("anna10", now) {
				t.Errorf("%s: started until %s: %+v", zone, until, o)
			}
		}
		o = changed(t, a, affiliate.CouponChange{Coupon: o.Coupon, Step: affiliate.CouponStop,
			Until: now.Add(time.Hour)})
		if o.Err != nil || !o.Coupon.Works(now) || a.CouponWorks("anna10", now.Add(time.Hour)) {
			t.Errorf("%s: stopped in an hour: %+v", zone, o)
		}
	}
}

func TestStartDrafts(t *testing.T) {
	a := serve(t, false, fakestore.Options{})
	for _, end := range []func(string){a.StopCoupon, a.TrashCoupon} {
		coupon := made(t, a, affiliate.NewCoupon{Code: "R&B 10", Discount: tenPercent})[0]
		end("R&B 10")
		if found, err := a.CouponsByCode(t.Context(), []string{"R&B 10"}); err != nil || len(found) != 0 {
			t.Errorf("found %+v, %v", found, err)
		}
		o := changed(t, a, affiliate.CouponChange{Coupon: coupon, Step: affiliate.CouponStop})
		if o.Err != nil || !o.Coupon.Stopped {
			t.Errorf("it does not say that it is off: %+v", o)
		}
		other := made(t, a, affiliate.NewCoupon{Code: "r&b 10", Discount: tenPercent})[0]
		start := affiliate.CouponChange{Coupon: coupon, Step: affiliate.CouponStart}
		if o := changed(t, a, start); codeOf(o.Err) != affiliate.CouponTaken {
			t.Errorf("another has its code: %+v", o)
		}
		a.TrashCoupon(other.Code)
		o = changed(t, a, start)
		if o.Err != nil || o.Coupon.Stopped || o.Coupon.Code != "r&b 10" || !a.CouponWorks("R&B 10", a.clock.now()) {
			t.Errorf("started: %+v", o)
		}
		a.TrashCoupon("R&B 10")
	}
}

func TestChangesThatAreRefused(t *testing.T) {
	a := serve(t, false, fakestore.Options{Currency: "KWD"})
	coupon := made(t, a, affiliate.NewCoupon{Code: "ANNA10", Discount: tenPercent})[0]
	other := coupon
	other.Other = "free shipping"
	gone, no := coupon, coupon
	gone.ID, no.ID = "99999", "gid"
	future := tenPercent
	future.StartsAt = a.clock.now().Add(time.Hour)
	euros := affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 500, Currency: "EUR"}
	fine := affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 505, Currency: "KWD"}
	odd := tenPercent
	odd.Products = []string{"x"}
	percents := affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 10_001}
	for _, c := range []struct {
		coupon   affiliate.Coupon
		step     affiliate.CouponStep
		discount affiliate.Discount
		code     string
		says     string
	}{
		{other, affiliate.CouponDiscount, tenPercent, affiliate.CouponRefused, "(free shipping)"},
		{other, affiliate.CouponStop, affiliate.Discount{}, "", ""},
		{gone, affiliate.CouponStop, affiliate.Discount{}, affiliate.CouponGone, "no more"},
		{no, affiliate.CouponStart, affiliate.Discount{}, affiliate.CouponGone, "no more"},
		{coupon, affiliate.CouponDiscount, future, affiliate.CouponRefused, "have no beginning"},
		{coupon, affiliate.CouponDiscount, affiliate.Discount{}, affiliate.CouponRefused, "Choose a discount"},
		{coupon, affiliate.CouponDiscount, percents, affiliate.CouponRefused, "Invalid discount amount"},
		{coupon, affiliate.CouponDiscount, euros, affiliate.CouponRefused, "in EUR, and the store's are in KWD"},
		{coupon, affiliate.CouponDiscount, fine, affiliate.CouponRefused, "two decimals only"},
		{coupon, affiliate.CouponDiscount, odd, affiliate.CouponRefused, `"x" is no id`},
	} {
		o := changed(t, a, affiliate.CouponChange{Coupon: c.coupon, Step: c.step, Discount: c.discount})
		if codeOf(o.Err) != c.code || c.code != "" && !strings.Contains(o.Err.Error(), c.says) ||
			o.Coupon.ID != c.coupon.ID {
			t.Errorf("%s %+v: got %+v, want %s with %q", c.step, c.discount, o, c.code, c.says)
		}
	}
	asked := len(a.Requests())
	if o, err := a.MakeCoupons(t.Context(), []affiliate.NewCoupon{{Code: "LATER", Discount: future}, {Code: "<b>",
		Discount: tenPercent}}); err != nil || codeOf(o[0].Err) != affiliate.CouponRefused ||
		codeOf(o[1].Err) != affiliate.CouponRefused || len(a.Requests()) != asked {
		t.Errorf("got %+v, %v after %d requests", o, err, len(a.Requests())-asked)
	}
}

// TestAttack_CodesOfAllKinds makes codes that break what is careless, and finds each by itself.
func TestAttack_CodesOfAllKinds(t *testing.T) {
	a := serve(t, false, fakestore.Options{})
	codes := []string{"two words", "R&B10", `it's "so"`, "ÄITI15", "İSTANBUL5", "🎉10", "a+b%20c", "x;y,z", "tab=1&code=2",
		"{\"code\":1}", "../orders", strings.Repeat("ÄB", 100), "Straße"}
	var list []affiliate.NewCoupon
	for i, code := range codes {
		list = append(list, affiliate.NewCoupon{Code: code, Mark: fmt.Sprint(i), Discount: tenPercent})
	}
	made(t, a, list...)
	found, err := a.CouponsByCode(t.Context(), append(slices.Clone(codes), "nobody's", "0", ""))
	if err != nil || len(found) != len(codes) {
		t.Fatalf("found %d of %d, %v", len(found), len(codes), err)
	}
	for i, coupon := range found {
		if coupon.Mark != fmt.Sprint(i) || affiliate.FoldCode(coupon.Code) != affiliate.FoldCode(codes[i]) {
			t.Errorf("%q is %+v", codes[i], coupon)
		}
	}
}

// read reads all pages, each by a client that knows nothing.
func read(t *testing.T, a *answering, since time.Time, between func(page int)) (codes []string) {
	t.Helper()
	cursor := ""
	for page := 1; ; page++ {
		a.open(t, a.Keys(a.base))
		got, err := a.Client.Coupons(t.Context(), since, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got.Coupons {
			codes = append(codes, c.Code)
		}
		if cursor = got.Next; cursor == "" {
			return codes
		}
		between(page)
	}
}

func TestCouponPages(t *testing.T) {
	a := serve(t, false, fakestore.Options{Timezone: "America/New_York"})
	var want []string
	for i := range 250 {
		want = append(want, fmt.Sprintf("code%03d", i))
		a.MakeCoupon(want[i], 1000)
	}
	if got := read(t, a, time.Time{}, func(int) {}); !slices.Equal(got, want) {
		t.Fatalf("read %d: %q", len(got), got)
	}
	// Those that go while pages are read must not take others with them.
	left := slices.Clone(want)
	got := read(t, a, time.Time{}, func(page int) {
		for i := range 40 * page {
			if slices.Contains(left, want[i]) {
				a.TrashCoupon(want[i])
				left = slices.DeleteFunc(left, func(code string) bool { return code == want[i] })
			}
		}
		a.MakeCoupon(fmt.Sprint("new", page), 1000)
		left = append(left, fmt.Sprint("new", page))
	})
	for _, code := range left {
		if !slices.Contains(got, code) {
			t.Errorf("%s was passed over", code)
		}
	}
	a.clock.add(time.Hour)
	since := a.clock.now()
	a.EditCoupon("code200", func(d *affiliate.Discount) { d.Percent = 2000 })
	a.clock.add(time.Second)
	a.MakeCoupon("latest", 1000)
	if got := read(t, a, since, func(int) {}); !slices.Equal(got, []string{"code200", "latest"}) {
		t.Errorf("since then %q", got)
	}
	a.MostRows(3)
	if got := read(t, a, since.Add(-2*time.Hour), func(int) {}); len(got) != len(left)+1 {
		t.Errorf("a slow store gives %d, want %d", len(got), len(left)+1)
	}
	if _, err := a.Client.Coupons(t.Context(), time.Time{}, "no cursor"); fieldOf(err) != "cursor" {
		t.Errorf("any cursor is taken: %v", err)
	}
}

// TestCouponPagesKeepNoPeople checks that the store is not asked who used a coupon.
func TestCouponPagesKeepNoPeople(t *testing.T) {
	a := serve(t, false, fakestore.Options{})
	a.MakeCoupon("ANNA10", 1000)
	a.Place(fakestore.NewOrder{Email: "ada@example.com", Codes: []string{"anna10"}})
	id := a.Place(fakestore.NewOrder{Email: "ada@example.com", Codes: []string{"anna10"}})
	a.Cancel(id)
	for _, q := range []string{"", "ANNA10"} {
		answer, err := a.ask(t.Context(), question{route: couponsRoute,
			query: with(nil, "code", q, "_fields", couponFields)})
		if err != nil || strings.Contains(string(answer.Body), "ada@") {
			t.Errorf("it answers %s, %v", answer.Body, err)
		}
	}
	found, err := a.CouponsByCode(t.Context(), []string{"Anna10"})
	if err != nil || len(found) != 1 || found[0].Uses != 1 || found[0].Code != "anna10" {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestCouponsFail(t *testing.T) {
	ctx := t.Context()
	list := []affiliate.NewCoupon{{Code: "ANNA10", Mark: "m1", Discount: tenPercent}}
	count := func(a *answering) (n int) {
		for _, asked := range a.Requests() {
			if strings.HasPrefix(asked, "POST ") {
				n++
			}
		}
		return n
	}
	for name, fail := range map[string]func(*fakestore.Shop){
		"the answer is lost": func(s *fakestore.Shop) { s.LoseAnswers(1) },
		"a gateway gave up":  func(s *fakestore.Shop) { s.FailNext(1, http.StatusGatewayTimeout) },
		"a firewall":         func(s *fakestore.Shop) { s.HTMLNext(1) },
	} {
		a := serve(t, true, fakestore.Options{})
		if _, err := a.CouponsByCode(ctx, []string{"x"}); err != nil {
			t.Fatal(err)
		}
		fail(a.Shop)
		if _, err := a.MakeCoupons(ctx, list); err == nil || count(a) != 1 {
			t.Errorf("%s: asked %d times, %v", name, count(a), err)
		}
		found, err := a.CouponsByCode(ctx, []string{"ANNA10"})
		if lost := name == "the answer is lost"; err != nil || lost != (len(found) == 1 && found[0].Mark == "m1") {
			t.Errorf("%s: found %+v, %v", name, found, err)
		}
		var coupon affiliate.Coupon
		if len(found) == 0 {
			coupon = made(t, a, list...)[0]
		} else {
			coupon = found[0]
		}
		before := count(a)
		a.PassNext(1) // coupons are looked at before they are changed
		a.LoseAnswers(1)
		o := changed(t, a, affiliate.CouponChange{Coupon: coupon, Step: affiliate.CouponStop})
		if o.Err != nil || count(a) != before+2 || a.CouponWorks("ANNA10", a.clock.now()) {
			t.Errorf("%s: stopped in %d requests: %+v", name, count(a)-before, o)
		}
	}
	a := serve(t, false, fakestore.Options{})
	a.open(t, a.WooKeys(a.base, "read"))
	if _, err := a.MakeCoupons(ctx, list); codeOf(err) != affiliate.StoreForbidden {
		t.Errorf("keys that may only read: %v", err)
	}
	a.open(t, a.Keys(a.base))
	a.HangNext(1)
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := a.MakeCoupons(short, list); codeOf(err) != affiliate.StoreUnreachable {
		t.Errorf("no answer: %v", err)
	}
}

func TestCouponGuide(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		give affiliate.NewCoupon
		want string
	}{
		{"least", affiliate.NewCoupon{Code: "ANNA10", Discount: affiliate.Discount{Kind: affiliate.DiscountFixed,
			Amount: 1000, Currency: "EUR", Combines: true}}, "Coupon code=ANNA10 Coupon amount=10"},
		{"most", affiliate.NewCoupon{Code: "R&B", Title: "Anna · Spring", Discount: affiliate.Discount{
			Kind: affiliate.DiscountPercent, Percent: 1250, Minimum: 2050, Currency: "EUR", OncePerCustomer: true,
			UsageLimit: 5, Products: []string{"7", "13"}, Collections: []string{"9"},
			StartsAt: time.Date(2026, 12, 1, 8, 0, 0, 0, berlin),
			EndsAt:   time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC).In(berlin)}},
			"Coupon code=R&B Description=Anna · Spring Discount type=Percentage discount Coupon amount=12.5 " +
				"Coupon expiry date=2027-01-01 Usage restriction > Minimum spend=20.5 " +
				"Usage restriction > Individual use only=checked Usage restriction > Products=with the ids 7, 13 " +
				"Usage restriction > Product categories=with the ids 9 Usage limits > Usage limit per coupon=5 " +
				"Usage limits > Usage limit per user=1 Publish on=2026-12-01 08:00"},
		{"not at midnight", affiliate.NewCoupon{Code: "A", Discount: affiliate.Discount{Combines: true,
			EndsAt: time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)}}, "Coupon code=A Coupon expiry date=2027-01-01"},
	} {
		var got []string
		for _, f := range guide.Coupons.Typed(c.give) {
			got = append(got, f.Label+"="+money.Plain(f.Value))
			if f.Copy != "" && f.Copy != money.Plain(f.Value) {
				t.Errorf("%s copies %q", f.Label, f.Copy)
			}
		}
		if joined := strings.Join(got, " "); joined != c.want {
			t.Errorf("%s: got %s, want %s", c.name, joined, c.want)
		}
	}
}
