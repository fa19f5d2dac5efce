package shopify

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestOrderDiscount: some bodies tell a discount for the order alone; the lines bear it, unless it is the shipping's.
func TestOrderDiscount(t *testing.T) {
	bare := []string{"line_items.0.discount_allocations", "[]", "total_discounts", `"2.00"`}
	for _, c := range []struct {
		name        string
		change      []string
		merchandise int64
	}{
		{"of the order alone", append(bare, "subtotal_price", gone), 800},
		{"as subtotal_price says", append(bare, "subtotal_price", `"8.00"`), 800},
		{"of the shipping, as subtotal_price says", append(bare, "subtotal_price", `"10.00"`), 1000},
		{"of the shipping, as its line says", append(bare, "subtotal_price", gone, "shipping_lines",
			`[{"price":"5.00","discount_allocations":[{"amount":"2.00"}]}]`), 1000},
		{"beside an allocation", []string{"total_discounts", `"3.00"`}, 900},
		{"more than the lines cost", append(bare, "total_discounts", `"99.00"`, "subtotal_price", gone), 0},
		{"gift cards have none", append(bare, "subtotal_price", gone, "line_items",
			`[{"id":1,"price":"10.00","quantity":1},{"id":2,"price":"30.00","quantity":1,"gift_card":true}]`), 800},
		{"gift cards have none, and stand in subtotal_price", append(bare, "subtotal_price", `"38.00"`, "line_items",
			`[{"id":1,"price":"10.00","quantity":1},{"id":2,"price":"30.00","quantity":1,"gift_card":true}]`), 800},
		{"three lines share it to the cent", append(bare, "subtotal_price", gone, "total_discounts", `"1.00"`, "line_items",
			`[{"id":1,"price":"3.33","quantity":1},{"id":2,"price":"3.33","quantity":1},{"id":3,"price":"3.34","quantity":1}]`),
			900},
	} {
		t.Run(c.name, func(t *testing.T) {
			if s := parseOrder(t, changed(t, plainOrder, c.change...)); s.Merchandise != c.merchandise {
				t.Errorf("merchandise %d, want %d", s.Merchandise, c.merchandise)
			}
		})
	}
}

func TestExactPrices(t *testing.T) {
	s := parseOrder(t, changed(t, plainOrder, "total_discounts", `"0.00"`, "line_items",
		`[{"id":1,"price":"3.3333","quantity":2},{"id":2,"price":"3.3333","quantity":1}]`))
	if s.Merchandise != 1000 {
		t.Errorf("merchandise %d, want 1000", s.Merchandise)
	}
	s = parseOrder(t, changed(t, plainOrder, "currency", `"BTC"`, "total_price", `"0.00150000"`, "total_discounts", "null", "line_items",
		`[{"id":1,"price":"0.00150000","quantity":1}]`))
	if s.Currency != "BTC:8" || s.Total != 150000 || s.Merchandise != 150000 {
		t.Errorf("%s: total %d, merchandise %d", string(s.Currency), s.Total, s.Merchandise)
	}
	s = parseOrder(t, changed(t, plainOrder, "total_price", `"-1.00"`))
	if s.Total != -100 || s.Captured != 0 {
		t.Errorf("total %d, captured %d", s.Total, s.Captured)
	}
}

// TestRenewal: who bought is told from what a subscription orders by itself.
func TestRenewal(t *testing.T) {
	for _, c := range []struct {
		source, tags, attributes string
		want                     bool
	}{
		{`"web"`, `""`, `[]`, false},
		{`"subscription_contract"`, `""`, `[]`, true},
		{`"subscription_contract_checkout_one"`, `""`, `[]`, false},
		{`"294517"`, `"Subscription, Subscription Recurring Order"`, `[]`, true},
		{`"294517"`, `"Subscription, Subscription First Order"`, `[]`, false},
		{`"web"`, `"appstle_subscription_recurring_order"`, `[]`, true},
		{`"web"`, `["appstle_subscription_first_order","appstle_subscription"]`, `[]`, false},
		{`"5859381"`, `"appstle_subscription"`, `[]`, true},
		{`"pos"`, `"Subscription renewal"`, `[]`, true},
		{`"web"`, `"recurring customer"`, `[]`, false},
		{`"5859381"`, `""`, `[{"name":"subscription_contract_id","value":"77"}]`, true},
		{`"web"`, `""`, `[{"name":"subscription_contract_id","value":"77"}]`, false},
		{`null`, `null`, `{"__subscription_contract_id":"77"}`, true},
	} {
		s := parseOrder(t, changed(t, plainOrder, "source_name", c.source, "tags", c.tags, "note_attributes",
			c.attributes))
		if s.Renewal != c.want {
			t.Errorf("source %s, tags %s, attributes %s: renewal %v", c.source, c.tags, c.attributes, s.Renewal)
		}
	}
}

// TestLinkShapes: an ampersand that an editor escaped, and attributes that an app wrote as an object.
func TestLinkShapes(t *testing.T) {
	for _, change := range [][]string{
		{"landing_site", `"/?a=1&amp;ref=anna"`}, {"landing_site", `"/?a=1&#38;ref=anna"`},
		{"landing_site", `"/"`, "note_attributes", `{"ref":"anna"}`},
	} {
		s := parseOrder(t, changed(t, plainOrder, append([]string{"landing_site_ref", "null"}, change...)...))
		if len(s.Links) != 1 || s.Links[0].Kind != affiliate.EvidenceSlug || s.Links[0].Value != "anna" {
			t.Errorf("%s: %+v", change, s.Links)
		}
	}
}

func TestTriggered(t *testing.T) {
	want := time.Date(2026, 11, 20, 9, 0, 0, 900_000_000, time.UTC)
	for text, want := range map[string]time.Time{"2026-11-20T09:00:00.900000000Z": want,
		"2026-11-20T10:00:00.9+01:00": want, "": {}, "yesterday": {}, "0001-01-01T00:00:00Z": {}} {
		h := http.Header{}
		h.Set("X-Shopify-Triggered-At", text)
		if got := (Platform{}).Triggered(h); !got.Equal(want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestExchange: goods that came back without their money were exchanged, or only put back on the shelf. A body looks
// the same; whether all of its total had been paid before tells.
func TestExchange(t *testing.T) {
	first := []string{"financial_status", `"paid"`, "total_price", `"100.00"`, "current_total_price", `"100.00"`,
		"current_subtotal_price", `"100.00"`, "total_discounts", `"0.00"`, "updated_at", `"2026-11-20T09:00:00Z"`, "line_items",
		`[{"id":1,"price":"50.00","quantity":2,"current_quantity":2}]`, "test", "false"}
	back := func(amount string) string {
		return `[{"id":9,"refund_line_items":[{"line_item_id":1,"quantity":` + amount + `,"subtotal":` + amount +
			`,"total_tax":0}],"order_adjustments":[{"id":1,"kind":"refund_discrepancy","amount":"` + amount +
			`","tax_amount":"0.00"}],"transactions":[]}]`
	}
	for _, c := range []struct {
		name   string
		change []string
		value  int64
	}{
		{"one unit back on the shelf", []string{"current_total_price", `"50.00"`, "current_subtotal_price", `"50.00"`,
			"total_outstanding", `"0.00"`, "line_items", `[{"id":1,"price":"50.00","quantity":2,"current_quantity":1}]`,
			"refunds", strings.Replace(back("50"), `"quantity":50`, `"quantity":1`, 1)}, 10000},
		{"both exchanged for something dearer", []string{"total_price", `"350.00"`, "current_total_price", `"250.00"`,
			"current_subtotal_price", `"250.00"`, "total_outstanding", `"0.00"`, "line_items",
			`[{"id":1,"price":"50.00","quantity":2,"current_quantity":0},{"id":2,"price":"250.00","quantity":1,"current_quantity":1}]`,
			"refunds", strings.Replace(back("100"), `"quantity":100`, `"quantity":2`, 1)}, 25000},
		{"the same, and shipping back besides", []string{"financial_status", `"partially_refunded"`, "total_price", `"360.00"`,
			"current_total_price", `"250.00"`, "current_subtotal_price", `"250.00"`, "total_outstanding", `"0.00"`,
			"line_items",
			`[{"id":1,"price":"50.00","quantity":2,"current_quantity":0},{"id":2,"price":"250.00","quantity":1,"current_quantity":1}]`,
			"refunds", strings.TrimSuffix(strings.Replace(back("100"), `"quantity":100`, `"quantity":2`, 1), "]") +
				`,{"id":10,"refund_line_items":[],"order_adjustments":[{"id":2,"kind":"shipping_refund","amount":"-10.00",` +
				`"tax_amount":"0.00"}],"transactions":[{"id":3,"kind":"refund","status":"success","amount":"10.00",` +
				`"currency":"USD"}]}]`}, 25000},
		{"both exchanged for something cheaper", []string{"total_price", `"160.00"`, "current_total_price", `"60.00"`,
			"current_subtotal_price", `"60.00"`, "total_outstanding", `"-40.00"`, "line_items",
			`[{"id":1,"price":"50.00","quantity":2,"current_quantity":0},{"id":2,"price":"60.00","quantity":1,"current_quantity":1}]`,
			"refunds", strings.Replace(back("100"), `"quantity":100`, `"quantity":2`, 1)}, 6000},
		{"exchanged for the same price", []string{"total_price", `"200.00"`, "current_total_price", `"100.00"`,
			"current_subtotal_price", `"100.00"`, "total_outstanding", `"0.00"`, "line_items",
			`[{"id":1,"price":"50.00","quantity":2,"current_quantity":0},{"id":2,"price":"100.00","quantity":1,"current_quantity":1}]`,
			"refunds", strings.Replace(back("100"), `"quantity":100`, `"quantity":2`, 1)}, 10000},
	} {
		second := append(append(append([]string{}, first...), "updated_at", `"2026-11-21T09:00:00Z"`), c.change...)
		for _, order := range [][]int{{0, 1}, {1, 0}} {
			bodies := [][]byte{changed(t, plainOrder, first...), changed(t, plainOrder, second...)}
			var state affiliate.OrderState
			for _, i := range order {
				one := parseOrder(t, bodies[i])
				state = state.Merge(affiliate.Event{Snapshot: &one})
			}
			if v, _ := state.View(affiliate.OrderRules{}); v.Value != c.value || v.Refunded > 1000 ||
				v.Status != affiliate.Paid {
				t.Errorf("%s, in the order %v: %s, value %d, refunded %d; want %d", c.name, order, v.Status, v.Value,
					v.Refunded, c.value)
			}
		}
	}
}
