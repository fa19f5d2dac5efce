package woocommerce

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// TestRefundRows: of a refund only amount and tax are told; the order's own rows say what it is for.
func TestRefundRows(t *testing.T) {
	const taxed = `[{"total":"20.00","total_tax":"2.00","quantity":1},{"total":"30.00","total_tax":"3.00","quantity":3}]`
	for _, c := range []struct {
		name   string
		fields changes
		refund string // total and tax
		lines  int64  // -1: the share
		clear  bool
	}{
		{"one line", changes{"line_items": taxed}, `"-22.00","total_tax":"-2.00"`, 2000, true},
		{"all lines", changes{"line_items": taxed}, `"-55.00","total_tax":"-5.00"`, 5000, true},
		{"a unit of a line", changes{"line_items": taxed}, `"-11.00","total_tax":"-1.00"`, 1000, true},
		{"a line and two units of the other", changes{"line_items": taxed}, `"-44.00","total_tax":"-4.00"`, 4000, true},
		{"a line without its tax", changes{"line_items": taxed}, `"-20.00","total_tax":"0"`, -1, false},
		{"no rows have this tax", changes{"line_items": taxed}, `"-22.00","total_tax":"-1.50"`, 2050, true},
		{"nor these, beside shipping", changes{"line_items": taxed, "shipping_lines": `[{"total":"5.00","total_tax":"0"}]`},
			`"-22.00","total_tax":"-1.50"`, 2050, false},
		{"shipping alone", changes{"shipping_lines": `[{"total":"5.90","total_tax":"0.59"}]`}, `"-6.49","total_tax":"-0.59"`,
			0, true},
		{"shipping, untaxed", changes{"shipping_lines": `[{"total":"5.90"}]`}, `"-5.90"`, 0, true},
		{"a line and shipping", changes{"line_items": taxed, "shipping_lines": `[{"total":"5.00","total_tax":"0.50"}]`},
			`"-27.50","total_tax":"-2.50"`, 2000, true},
		{"a fee", changes{"fee_lines": `[{"total":"3.25","total_tax":"0.83"}]`}, `"-4.08","total_tax":"-0.83"`, 0, true},
		{"two sets of the same merchandise", changes{"line_items": `[{"total":"10.00"},{"total":"10.00"}]`}, `"-10.00"`, 1000,
			true},
		{"two sets of different merchandise", changes{"line_items": `[{"total":"10.00"},{"total":"40.00"}]`,
			"shipping_lines": `[{"total":"10.00"}]`}, `"-10.00"`, -1, false},
		{"whole rows come before units", changes{"line_items": `[{"total":"40.00","quantity":4}]`,
			"shipping_lines": `[{"total":"10.00"}]`}, `"-10.00"`, 0, true},
		{"a line less its discount", changes{"line_items": `[{"total":"20.00"},{"total":"7.00"}]`,
			"fee_lines": `[{"total":"-5.00"}]`}, `"-15.00"`, 1500, true},
		{"a third of a unit, rounded as the admin rounds", changes{"line_items": `[{"total":"10.00","quantity":3}]`,
			"shipping_lines": `[{"total":"4.00"}]`}, `"-3.33"`, 333, true},
		{"what a coupon did not take off", changes{"line_items": `[{"total":"27.00"},{"total":"54.00"}]`,
			"shipping_lines": `[{"total":"15.00"}]`,
			"coupon_lines":   `[{"code":"anna10","discount":"0","discount_type":"percent","nominal_amount":10}]`},
			`"-8.10"`, 810, true},
		{"what it did take off", changes{"line_items": `[{"total":"27.00"},{"total":"54.00"}]`,
			"shipping_lines": `[{"total":"15.00"}]`,
			"coupon_lines":   `[{"code":"anna10","discount":"9.00","discount_type":"percent","nominal_amount":10}]`},
			`"-8.10"`, -1, false},
		{"nothing but merchandise was sold", changes{"total": `"20.00"`}, `"-3.00"`, -1, true},
		{"what is left of a deleted refund", nil, ``, -1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.fields == nil {
				s := parseOrder(t, "order.updated", order(changes{"refunds": `[{"id":0,"reason":"","total":"-0.00"}]`}))
				if len(s.Refunds)+len(s.RefundIDs) != 0 || !s.RefundsComplete {
					t.Errorf("refunds %+v", s.Refunds)
				}
				return
			}
			c.fields["refunds"] = `[{"id":9,"total":` + c.refund + `}]`
			got := parseOrder(t, "order.updated", order(c.fields)).Refunds[0]
			if got.ByLines != (c.lines >= 0) || got.Lines != max(0, c.lines) || got.Unclear == c.clear {
				t.Errorf("by lines %v, %d, unclear %v; want %d, clear %v", got.ByLines, got.Lines, got.Unclear, c.lines,
					c.clear)
			}
		})
	}
}

// TestRefundRows_any: whatever rows a refund is for, it is recognised, or said to be unclear; and it ends soon.
func TestRefundRows_any(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := goods{budget: mostSums}
		var gross, tax, merchandise int64
		for i := range rapid.IntRange(1, 60).Draw(t, "rows") {
			r := row{gross: rapid.Int64Range(1, 5000).Draw(t, "gross"), units: rapid.Int64Range(1, 4).Draw(t, "units")}
			r.tax = r.gross / 5
			if rapid.Bool().Draw(t, "goods") {
				r.merchandise = r.gross - r.tax
			}
			g.rows = append(g.rows, r)
			if i == 0 || rapid.IntRange(0, 9).Draw(t, "back") == 0 {
				gross, tax, merchandise = gross+r.gross, tax+r.tax, merchandise+r.merchandise
			}
		}
		got, found := g.rowsOf(gross, tax)
		if found && got != merchandise {
			t.Fatalf("found %d, want %d", got, merchandise)
		}
		if len(g.rows) > 12 {
			return // it may have given up
		}
		worths := map[int64]bool{} // of all sets of whole rows that fit
		for set := range 1 << len(g.rows) {
			var of row
			for i, r := range g.rows {
				if set&(1<<i) != 0 {
					of.gross, of.tax, of.merchandise = of.gross+r.gross, of.tax+r.tax, of.merchandise+r.merchandise
				}
			}
			if of.gross == gross && of.tax == tax {
				worths[of.merchandise] = true
			}
		}
		if found != (len(worths) == 1) {
			t.Fatalf("found %v, though %d different sets fit", found, len(worths))
		}
	})
}

// TestStoredMoney: paying with money that was stored before is payment and no discount.
func TestStoredMoney(t *testing.T) {
	for _, c := range []struct {
		name                string
		fields              changes
		merchandise, stored int64
	}{
		{"a discount", changes{"fee_lines": `[{"name":"Discount","total":"-5.00"}]`}, 1500, 0},
		{"a wallet by its name", changes{"fee_lines": `[{"name":"Via wallet","total":"-5.00"}]`}, 2000, 500},
		{"a wallet by its key", changes{"fee_lines": `[{"name":"Konto","total":"-5.00","meta_data":[{"key":"_legacy_fee_key",` +
			`"value":"_via_wallet_partial_payment"}]}]`}, 2000, 500},
		{"a fee that is no payment", changes{"fee_lines": `[{"name":"Gift card wrapping","total":"5.00"}]`}, 2000, 0},
		{"store credit out of the lines", changes{"line_items": `[{"subtotal":"20.00","total":"12.00"}]`,
			"coupon_lines": `[{"code":"credit-1","discount":"8.00","discount_tax":"0.80","discount_type":"smart_coupon"}]`},
			2000, 880},
		{"beside an ordinary coupon", changes{"line_items": `[{"subtotal":"20.00","total":"10.00"}]`,
			"coupon_lines": `[{"code":"anna10","discount":"2.00","discount_type":"percent"},` +
				`{"code":"credit-1","discount":"8.00","discount_tax":"0","discount_type":"store_credit"}]`}, 1800, 800},
		{"store credit off the total", changes{"total": `"12.00"`, "line_items": `[{"subtotal":"20.00","total":"20.00"}]`,
			"coupon_lines": `[{"code":"credit-1","discount":"8.00","discount_type":"smart_coupon"}]`}, 2000, 800},
		{"a gift card off the total", changes{"total": `"12.00"`, "line_items": `[{"total":"20.00"}]`,
			"gift_cards": `[{"id":1,"code":"ABCD","amount":8}]`}, 2000, 800},
		{"a gift card that leaves the total", changes{"total": `"20.00"`, "line_items": `[{"total":"20.00"}]`,
			"gift_cards": `[{"id":1,"code":"ABCD","amount":8}]`}, 2000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parseOrder(t, "order.updated", order(c.fields))
			if s.Merchandise != c.merchandise || s.Stored != c.stored || s.Captured != s.Total+c.stored {
				t.Errorf("merchandise %d, stored %d, captured %d of %d; want %d and %d", s.Merchandise,
					s.Stored, s.Captured, s.Total, c.merchandise, c.stored)
			}
		})
	}
}

// TestAmounts_exact: sums are rounded once, with all the digits of the body.
func TestAmounts_exact(t *testing.T) {
	for _, c := range []struct {
		fields             changes
		merchandise, total int64
		currency, rounded  string
	}{
		{changes{"line_items": `[{"total":"3.3333"},{"total":"3.3333"},{"total":"3.3333"}]`, "total": `"10.00"`}, 1000, 1000,
			"USD", "false"},
		{changes{"currency": `"IRT"`, "line_items": `[{"total":"1200000"}]`, "total": `"1250000"`}, 1200000, 1250000, "IRT:0",
			"false"},
		{changes{"currency": `"BTC"`, "line_items": `[{"total":"0.00150000"}]`, "total": `"0.0016"`}, 150000, 160000,
			"BTC:8", "false"},
		{changes{"total": `"27"`, "line_items": `[{"total":"20"}]`}, 2000, 2700, "USD", "true"},
		{changes{"total": `"-2.50"`, "line_items": `[{"total":"20.00"}]`}, 2000, -250, "USD", "false"},
		{changes{"currency": `"JPY"`, "total": `"27"`, "line_items": `[{"total":"20"}]`}, 20, 27, "JPY", "false"},
	} {
		s := parseOrder(t, "order.updated", order(c.fields))
		if s.Merchandise != c.merchandise || s.Total != c.total || s.Currency != money.Currency(c.currency) ||
			fmt.Sprint(s.Rounded) != c.rounded {
			t.Errorf("%v: merchandise %d, total %d %s, rounded %v", c.fields, s.Merchandise, s.Total,
				string(s.Currency), s.Rounded)
		}
	}
}

// TestPartsAndRenewals: what a marketplace plugin split off belongs to its parent; the rest of a deposit and a renewal
// are orders of their own.
func TestPartsAndRenewals(t *testing.T) {
	meta := func(key string) string { return `[{"key":"` + key + `","value":"4"}]` }
	for _, c := range []struct {
		name        string
		fields      changes
		marketplace bool
		renewal     bool
	}{
		{"dokan", changes{"parent_id": "5", "created_via": `"dokan"`}, true, false},
		{"dokan without a parent", changes{"parent_id": "0", "created_via": `"dokan"`}, false, false},
		{"yith", changes{"parent_id": "5", "created_via": `"yith_wcmv_vendor_suborder"`}, true, false},
		{"by the order's meta", changes{"parent_id": "5", "created_via": `"checkout"`, "meta_data": meta("_dokan_vendor_id")},
			true, false},
		{"by a row's meta", changes{"parent_id": "5", "line_items": `[{"total":"20.00","meta_data":` +
			meta("_wcfmmp_order_item_processed") + `}]`}, true, false},
		{"a child of nobody knows whom", changes{"parent_id": "5", "created_via": `"rest-api"`}, false, false},
		{"the rest of a deposit", changes{"parent_id": "5", "created_via": `"wc_deposits"`, "line_items": `[{"total":"20.00",` +
			`"meta_data":` + meta("_dokan_commission_rate") + `}]`}, false, false},
		{"a renewal", changes{"created_via": `"subscription"`}, false, true},
		{"a renewal by its meta", changes{"parent_id": "5", "meta_data": `[{"key":"_subscription_renewal","value":"71"},` +
			`{"key":"_dokan_vendor_id","value":"4"}]`}, false, true},
		{"an order that has renewals", changes{"meta_data": `[{"key":"_subscription_renewal","value":""}]`}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := Platform{}.Parse("order.updated", order(c.fields))
			if err != nil {
				t.Fatal(err)
			}
			s := parsed.Events[0].Snapshot
			if s.Marketplace != c.marketplace || s.Renewal != c.renewal {
				t.Errorf("marketplace %v, renewal %v", s.Marketplace, s.Renewal)
			}
			if told := len(parsed.Events) > 1 && parsed.Events[1].Part != nil; told != (s.Parent != "") {
				t.Errorf("parent %q, told %v", s.Parent, told)
			}
		})
	}
}

// TestEscapedAmpersands: editors of mails escape the ampersands of links that are pasted into them, and addresses may
// have a percent sign that encodes nothing.
func TestEscapedAmpersands(t *testing.T) {
	for _, entry := range []string{"https://shop.example/?a=1&amp;ref=anna", "https://shop.example/?a=1&#038;ref=anna",
		"https://shop.example/?a=1&amp;amp;ref=anna#top", "https://shop.example/50%-off/?ref=anna",
		"https://shop.example/?ref=anna#50%", "https://shop.example/?q=100%&ref=anna"} {
		s := parseOrder(t, "order.updated", order(changes{"meta_data": `[{"key":"_wc_order_attribution_session_entry","value":"` +
			strings.ReplaceAll(entry, "/", `\/`) + `"}]`}))
		want := affiliate.LinkEvidence{Kind: affiliate.EvidenceSlug, Value: "anna", Source: sourceEntry}
		if len(s.Links) != 1 || s.Links[0] != want {
			t.Errorf("%s: %+v", entry, s.Links)
		}
	}
}

// TestManyRefunds ends in good time: an order of many different rows with many refunds that fit none.
func TestManyRefunds(t *testing.T) {
	var lines, refunds []string
	for i := range 300 {
		lines = append(lines, fmt.Sprintf(`{"total":"%d.%02d","quantity":7}`, 10+i*7, i%100))
		refunds = append(refunds, fmt.Sprintf(`{"id":%d,"total":"-%d.11"}`, i+1, 300+i*13))
	}
	body := order(changes{"line_items": "[" + strings.Join(lines, ",") + "]", "refunds": "[" +
		strings.Join(refunds, ",") + "]"})
	if s := parseOrder(t, "order.updated", body); len(s.Refunds) != 300 || !s.Refunds[299].Unclear {
		t.Errorf("%d refunds", len(s.Refunds))
	}
}
