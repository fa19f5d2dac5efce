package shopify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

const (
	plainOrder    = "044-orders-paid-usd-test-order-with-code.json" // 10.00 − 1.00 with ANNA10
	editedOrder   = "033-orders-updated-cad-after-edit.json"        // one of two units of 100.00 + 13 % removed
	taxInOrder    = "041-orders-paid-eur-two-codes-plus-automatic-tax-included.json"
	refundedOrder = "025-orders-updated-usd-after-partial-refund.json" // one of three units refunded
	canceledOrder = "037-orders-cancelled-usd-cancelled-unpaid-voided.json"
	lineRefund    = "026-refunds-create-usd-rest-with-shipping.json" // 19.14 + 3.11 tax + 4.99 shipping
	fxRefund      = "029-refunds-create-cad-usd-5usd-goodwill.json"  // 5.00 USD = 7.10 CAD
	shipRefund    = "014-refunds-create-official-shipping-only-5usd.json"
	aTransaction  = "012-order-transactions-create-official-refund-success.json"
	aDispute      = "007-disputes-create-official-sample-chargeback.json"
	anEdit        = "002-orders-edited-official-sample.json"
)

// gone as a value takes the key away.
const gone = "gone"

// changed gives a recording with some of its values replaced: pairs of a path ("line_items.0.price") and JSON.
func changed(t testing.TB, file string, pairs ...string) []byte {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(recorded(t, file).Body))
	decoder.UseNumber()
	var body any
	if err := decoder.Decode(&body); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		body = replaced(body, strings.Split(pairs[i], "."), pairs[i+1])
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func replaced(node any, path []string, value string) any {
	if len(path) == 0 {
		return json.RawMessage(value)
	}
	switch n := node.(type) {
	case []any:
		i, _ := strconv.Atoi(path[0])
		n[i] = replaced(n[i], path[1:], value)
	case map[string]any:
		if len(path) == 1 && value == gone {
			delete(n, path[0])
			return n
		}
		n[path[0]] = replaced(n[path[0]], path[1:], value)
	}
	return node
}

func TestOrderMoney(t *testing.T) {
	for _, c := range []struct {
		name, file                   string
		change                       []string
		merchandise, total, captured int64
	}{
		{"plain", plainOrder, nil, 900, 900, 900},
		{"gift_card_product_is_no_merchandise", plainOrder, []string{"line_items.0.gift_card", "true"}, 0, 900, 900},
		{"tip_is_no_merchandise", plainOrder, []string{"line_items.0.tip_payment_gateway", "null"}, 0, 900, 900},
		{"no_current_quantity", plainOrder, []string{"line_items.0.current_quantity", gone}, 900, 900, 900},
		{"no_current_quantity_null", plainOrder, []string{"line_items.0.current_quantity", "null"}, 900, 900, 900},
		{"total_discount_where_there_are_no_allocations", plainOrder,
			[]string{"line_items.0.discount_allocations", "[]", "line_items.0.total_discount", `"2.50"`}, 750, 900, 900},
		{"allocations_before_total_discount", plainOrder, []string{"line_items.0.total_discount", `"2.50"`}, 900, 900, 900},
		{"discount_beyond_the_price", plainOrder, []string{"line_items.0.discount_allocations.0.amount", `"99"`},
			0, 900, 900},
		{"two_allocations", plainOrder, []string{"line_items.0.discount_allocations", `[{"amount":"1.00"},{"amount":"0.55"}]`}, 845, 900, 900},
		{"shipping_discount_is_irrelevant", plainOrder,
			[]string{"shipping_lines", `[{"price":"5.00","discount_allocations":[{"amount":"5.00"}]}]`}, 900, 900, 900},
		{"amounts_as_json_numbers", plainOrder, []string{"total_price", "9.0", "line_items.0.price", "1E1"},
			900, 900, 900},
		{"quantity_as_text", plainOrder, []string{"line_items.0.quantity", `"2"`, "line_items.0.current_quantity", "2"},
			1900, 900, 900},
		{"free_order", plainOrder, []string{"total_price", `"0.00"`, "line_items.0.price", `"0.00"`}, 0, 0, 0},
		{"no_lines", plainOrder, []string{"line_items", "[]"}, 0, 900, 900},
		{"tax_included", taxInOrder, nil, 3782, 4500, 4500},
		{"tax_included_said_wrongly", taxInOrder, []string{"taxes_included", "false"}, 4500, 4500, 4500},
		{"tax_included_and_unit_removed", taxInOrder, []string{"line_items.0.current_quantity", "0"}, 0, 0, 0},
		{"edit_removes_a_unit", editedOrder, nil, 10000, 11300, 0},
		{"edit_of_a_paid_order", editedOrder, []string{"financial_status", `"paid"`}, 10000, 11300, 11300},
		{"edit_removes_all", editedOrder, []string{"line_items.0.current_quantity", "0"}, 0, 0, 0},
		{"edit_removes_a_gift_card", editedOrder, []string{"line_items.0.gift_card", "true"}, 0, 11300, 0},
		{"edit_of_three_rounds", editedOrder, []string{"line_items.0.quantity", "3", "line_items.0.current_quantity",
			"2", "line_items.0.price", `"33.35"`, "line_items.0.tax_lines", "[]", "total_price", `"100.05"`}, 6670, 6670, 0},
		{"more_left_than_sold", editedOrder, []string{"line_items.0.current_quantity", "5"}, 20000, 22600, 0},
		{"refunded_units_are_not_removed", refundedOrder, nil, 2871, 3836, 3836},
		{"failed_refunds_units_are_not_removed", refundedOrder, []string{"refunds.0.transactions.0.status",
			`"failure"`}, 2871, 3836, 3836},
		{"refund_without_money_removes_units", refundedOrder, []string{"refunds.0.transactions", "[]"}, 1914,
			2724, 2724},
		{"refund_with_a_void_only_removes_units", refundedOrder, []string{"refunds.0.transactions.0.kind", `"void"`},
			1914, 2724, 2724},
		{"goods_back_and_money_kept", refundedOrder, []string{"refunds.0.transactions", "[]",
			"refunds.0.order_adjustments", `[{"kind":"refund_discrepancy","amount":"9.57","tax_amount":"1.55"}]`}, 2871, 3836, 3836},
		{"cancel_removes_nothing", canceledOrder, nil, 2250, 2250, 0},
		{"partially_paid", plainOrder, []string{"financial_status", `"partially_paid"`, "total_outstanding", `"4.00"`}, 900, 900, 500},
		{"partially_paid_without_outstanding", plainOrder, []string{"financial_status", `"partially_paid"`,
			"total_outstanding", gone}, 900, 900, 0},
		{"overpaid", plainOrder, []string{"financial_status", `"partially_paid"`, "total_outstanding", `"-1.00"`}, 900, 900, 1000},
		{"authorized", plainOrder, []string{"financial_status", `"authorized"`}, 900, 900, 0},
		{"zero_decimals", "038-orders-paid-vnd-paid.json", nil, 20, 20, 20},
		{"three_decimals", plainOrder, []string{"currency", `"KWD"`}, 9000, 9000, 9000},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parseOrder(t, changed(t, c.file, c.change...))
			if s.Merchandise != c.merchandise || s.Total != c.total || s.Captured != c.captured {
				t.Errorf("merchandise %d, total %d, captured %d; want %d, %d, %d", s.Merchandise, s.Total, s.Captured,
					c.merchandise, c.total, c.captured)
			}
		})
	}
}

// TestMoneyBackAfterAnEdit: an edit takes a unit off a paid order, and the store gives its money back without naming
// the line any more. The sale of the other unit stands.
func TestMoneyBackAfterAnEdit(t *testing.T) {
	parsed := func(topic string, body []byte) affiliate.Event {
		p, err := Platform{}.Parse(topic, body)
		if err != nil || len(p.Events) != 1 {
			t.Fatalf("%s: %+v, %v", topic, p, err)
		}
		return p.Events[0]
	}
	paid := changed(t, editedOrder, "financial_status", `"paid"`, "updated_at", `"2026-11-01T10:00:00-05:00"`, "line_items.0.current_quantity", "2")
	edited := changed(t, editedOrder, "financial_status", `"paid"`, "updated_at", `"2026-11-02T10:00:00-05:00"`)
	refund := []byte(`{"id":9,"order_id":` + parsed("orders/updated", edited).OrderID + `,"created_at":"2026-11-03T10:00:00-05:00",
		"refund_line_items":[],"order_adjustments":[{"id":1,"kind":"refund_discrepancy","amount":"-113.00","tax_amount":"0.00"}],
		"transactions":[{"id":2,"kind":"refund","status":"success","amount":"113.00","currency":"CAD","created_at":"2026-11-03T10:00:00-05:00"}]}`)
	events := []affiliate.Event{parsed("orders/paid", paid), parsed("orders/updated", edited),
		parsed("refunds/create", refund)}
	for _, order := range [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		var state affiliate.OrderState
		for _, i := range order {
			state = state.Merge(events[i])
		}
		if v, _ := state.View(affiliate.OrderRules{}); v.Status != affiliate.Paid || v.Value != 10000 ||
			v.Refunded != 11300 {
			t.Errorf("told in the order %v: %s, value %d, refunded %d; want paid, 10000, 11300", order, v.Status,
				v.Value, v.Refunded)
		}
	}
}

func TestOrderStatus(t *testing.T) {
	for word, want := range map[string]struct {
		status affiliate.StoreStatus
		paid   bool
	}{
		`"paid"`:               {affiliate.StorePaid, true},
		`"partially_refunded"`: {affiliate.StorePaid, true},
		`"refunded"`:           {affiliate.StoreRefunded, true},
		`"voided"`:             {affiliate.StoreCanceled, false},
		`"expired"`:            {affiliate.StoreCanceled, false},
		`"pending"`:            {affiliate.StorePending, false},
		`"authorized"`:         {affiliate.StorePending, false},
		`"partially_paid"`:     {affiliate.StorePending, false},
		`null`:                 {affiliate.StorePending, false},
		`"hovering"`:           {affiliate.StoreUnknown, false},
	} {
		p, err := Platform{}.Parse("orders/paid", changed(t, plainOrder, "financial_status", word))
		if err != nil {
			t.Errorf("%s: %v", word, err)
			continue
		}
		s := p.Events[0].Snapshot
		if s.Status != want.status || s.PaymentDate != want.paid || s.Canceled {
			t.Errorf("%s: status %s, paid %v, canceled %v; want %s, %v, false", word, s.Status, s.PaymentDate,
				s.Canceled, want.status, want.paid)
		}
		if warned := p.Warning != ""; warned != (want.status == affiliate.StoreUnknown) {
			t.Errorf("%s: warning %q", word, p.Warning)
		}
	}
	s := parseOrder(t, changed(t, plainOrder, "cancelled_at", `"2026-04-17T10:00:00-04:00"`))
	if !s.Canceled || s.Status != affiliate.StorePaid {
		t.Errorf("canceled paid order: canceled %v, status %s; want the money's side to stay", s.Canceled, s.Status)
	}
}

func TestOrderFields(t *testing.T) {
	s := parseOrder(t, recorded(t, plainOrder).Body)
	if want := time.Date(2026, 4, 16, 14, 0, 0, 0, time.UTC); !s.PlacedAt.Equal(want) ||
		s.PlacedAt.Location() != time.UTC || s.Version != want.UnixMilli() {
		t.Errorf("placed %v, version %d; want %v and the same in milliseconds", s.PlacedAt, s.Version, want)
	}
	if !s.Test || s.Number != "#1805" || s.Country != "CA" || s.CustomerEmail != "alex@example.com" ||
		s.RefundsComplete {
		t.Errorf("%+v", s)
	}
	for _, c := range []struct {
		name   string
		change []string
		got    func(affiliate.Snapshot) string
		want   string
	}{
		{"order_number_for_name", []string{"name", "null"}, func(s affiliate.Snapshot) string {
			return s.Number
		}, "1805"},
		{"processed_for_created", []string{"created_at", "null", "processed_at", `"2026-01-01T00:00:00Z"`},
			func(s affiliate.Snapshot) string { return s.PlacedAt.String() }, "2026-01-01 00:00:00 +0000 UTC"},
		{"created_before_processed", []string{"processed_at", `"2026-01-01T00:00:00Z"`},
			func(s affiliate.Snapshot) string { return s.PlacedAt.String() }, "2026-04-16 14:00:00 +0000 UTC"},
		{"contact_email", []string{"email", `""`, "contact_email", `"c@example.com"`},
			func(s affiliate.Snapshot) string { return s.CustomerEmail }, "c@example.com"},
		{"customers_email", []string{"email", "null", "contact_email", "null", "customer.email", `"d@example.com"`},
			func(s affiliate.Snapshot) string { return s.CustomerEmail }, "d@example.com"},
		{"no_customer", []string{"email", "null", "contact_email", "null", "customer", "null"},
			func(s affiliate.Snapshot) string { return s.CustomerEmail }, ""},
		{"shipping_country", []string{"billing_address", "null", "shipping_address", `{"country_code":"de"}`},
			func(s affiliate.Snapshot) string { return s.Country }, "DE"},
		{"odd_country", []string{"billing_address.country_code", `"CAN"`, "shipping_address", "null"},
			func(s affiliate.Snapshot) string { return s.Country }, ""},
		{"control_characters_go", []string{"name", "\"#1\\u00008\\n05\""}, func(s affiliate.Snapshot) string {
			return s.Number
		}, "#1805"},
		{"not_a_test", []string{"test", "null"}, func(s affiliate.Snapshot) string {
			return fmt.Sprint(s.Test)
		}, "false"},
	} {
		if got := c.got(parseOrder(t, changed(t, plainOrder, c.change...))); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestIDsAreExact(t *testing.T) {
	for _, id := range []string{"820982911946154508", "9007199254740993", "9223372036854775807"} {
		for _, written := range []string{id, `"` + id + `"`} {
			p, err := Platform{}.Parse("orders/paid", changed(t, plainOrder, "id", written))
			if err != nil || p.Events[0].OrderID != id {
				t.Errorf("id %s: %+v, %v", written, p.Events, err)
			}
		}
	}
}

func TestCodes(t *testing.T) {
	codes := func(list, applications string) []string {
		return []string{"discount_codes", list, "discount_applications", applications}
	}
	const annas = `{"type":"discount_code","code":"ANNA10"}`
	for _, c := range []struct {
		name   string
		change []string
		want   []string
	}{
		{"proven", codes(`[{"code":"ANNA10"}]`, "["+annas+"]"), []string{"ANNA10"}},
		{"compared_folded", codes(`[{"code":" anna10 "}]`, "["+annas+"]"), []string{"anna10"}},
		{"empty_code", codes(`[{"code":""},{"code":null},{"code":"  "}]`, `[{"type":"discount_code","code":""}]`), nil},
		{"manual_title", codes(`[{"code":"ANNA10"}]`, `[{"type":"manual","title":"ANNA10","description":"ANNA10"}]`), nil},
		{"automatic", codes(`[{"code":"ANNA10"}]`, `[{"type":"automatic","title":"ANNA10"}]`), nil},
		{"script", codes(`[{"code":"ANNA10"}]`, `[{"type":"script","title":"ANNA10"}]`), nil},
		{"title_does_not_prove", codes(`[{"code":"ANNA10"}]`, `[{"type":"discount_code","code":"OTHER","title":"ANNA10"}]`), nil},
		{"no_applications", codes(`[{"code":"ANNA10"}]`, `[]`), nil},
		{"old_api_version", codes(`[{"code":"ANNA10","amount":"1.00","type":"percentage"},{"code":""}]`, gone), []string{"ANNA10"}},
		{"store_order", codes(`[{"code":"B"},{"code":"ANNA10"}]`, `[`+annas+`,{"type":"discount_code","code":"b"}]`), []string{"B", "ANNA10"}},
		{"once_each", codes(`[{"code":"ANNA10"},{"code":"anna10"}]`, "["+annas+"]"), []string{"ANNA10"}},
		{"shipping_code", codes(`[{"code":"FREE"}]`, `[{"type":"discount_code","code":"FREE","target_type":"shipping_line"}]`), []string{"FREE"}},
		{"full_folding", codes(`[{"code":"İSTANBUL5"}]`, `[{"type":"discount_code","code":"i̇stanbul5"}]`), []string{"İSTANBUL5"}},
		{"too_long", codes(`[{"code":"`+strings.Repeat("x", 256)+`"}]`, gone), nil},
		{"no_codes", codes("null", "null"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parseOrder(t, changed(t, plainOrder, c.change...)).Codes; !slices.Equal(got, c.want) {
				t.Errorf("codes %q, want %q", got, c.want)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	quoted := func(s string) string { text, _ := json.Marshal(s); return string(text) }
	for _, c := range []struct {
		name, landing, ref, attributes string
		want                           string
	}{
		{"nothing", "null", "null", "[]", ""},
		{"path", quoted("/?ref=Carla"), "null", "[]", "slug carla landing_site"},
		{"absolute", quoted("https://shop.example/p?x=1&ref=carla#top"), "null", "[]", "slug carla landing_site"},
		{"query_only", quoted("?ref=carla"), "null", "[]", "slug carla landing_site"},
		{"escaped", quoted("/p?ref=%43arla+"), "null", "[]", "slug carla landing_site"},
		{"landing_site_ref", quoted("/?source=abc"), quoted("abc"), "[]", "slug abc landing_site_ref"},
		{"attribute", quoted("/"), "null", `[{"name":"ref","value":"ben-fit"}]`, "slug ben-fit note_attributes"},
		{"private_attributes", "null", "null", `[{"name":"_ref","value":"a"},{"name":"__ref","value":"b"}]`, "slug a note_attributes, slug b note_attributes"},
		{"click_id", quoted("/?tclid=AbC1&ref=carla"), "null", "[]",
			"click abc1 landing_site, slug carla landing_site"},
		{"click_attribute_is_stronger_than_a_slug", quoted("/?ref=carla"), "null", `[{"name":"__tclid","value":"k1"}]`,
			"click k1 note_attributes, slug carla landing_site"},
		{"utm_content_is_weakest", quoted("/?utm_content=carla&utm_source=x&ref=ben"), "null", "[]",
			"slug ben landing_site, utm carla utm_content"},
		{"once_each", quoted("/?ref=carla"), quoted("Carla"), `[{"name":"ref","value":"CARLA"}]`, "slug carla landing_site"},
		{"number_as_value", "null", "null", `[{"name":"ref","value":42}]`, "slug 42 note_attributes"},
		{"odd_attributes", "null", "null", `[{"name":"ref","value":{"a":1}},{"name":null,"value":"x"},{"name":"ref","value":null},{"name":5,"value":"y"}]`, ""},
		{"other_names", quoted("/?reference=a&xref=b&REF=c"), "null", `[{"name":"preference","value":"a"}]`, ""},
		{"broken_escape", quoted("/?ref=%zz&tclid=%"), "null", "[]", ""},
		{"not_utf8", quoted("/?ref=%ff%fe"), "null", "[]", ""},
		{"zero_byte", quoted("/?ref=a%00b"), "null", "[]", ""},
		{"not_a_url", quoted("::::://%%%?&&&=&ref"), "null", "[]", ""},
		{"too_long", quoted("/?ref=" + strings.Repeat("x", 129)), "null", "[]", ""},
		{"longest", quoted("/?ref=" + strings.Repeat("x", 128)), "null", "[]", "slug " + strings.Repeat("x", 128) +
			" landing_site"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parseOrder(t, changed(t, plainOrder, "landing_site", c.landing, "landing_site_ref", c.ref,
				"note_attributes", c.attributes))
			var list []string
			for _, l := range s.Links {
				list = append(list, fmt.Sprintf("%s %s %s", l.Kind, l.Value, l.Source))
				if !l.At.IsZero() {
					t.Errorf("%s has a time, which Shopify does not tell", l.Value)
				}
			}
			if got := strings.Join(list, ", "); got != c.want {
				t.Errorf("links %q, want %q", got, c.want)
			}
		})
	}
}

func TestRefunds(t *testing.T) {
	const discrepancy = `[{"kind":"refund_discrepancy","amount":"%s","tax_amount":"%s"}]`
	// A refund of 1240.71 + 125.31 tax in a CAD shop, 1012.70 USD to the customer, as Shopify Payments first tells it.
	pendingFX := []string{
		"refund_line_items", `[{"line_item_id":1,"quantity":1,"subtotal":1240.71,"total_tax":125.31,` +
			`"subtotal_set":{"shop_money":{"amount":"1240.71","currency_code":"CAD"},"presentment_money":{"amount":"919.80","currency_code":"USD"}},` +
			`"total_tax_set":{"shop_money":{"amount":"125.31","currency_code":"CAD"},"presentment_money":{"amount":"92.90","currency_code":"USD"}}}]`,
		"order_adjustments", `[{"kind":"refund_discrepancy","amount":"1366.02","tax_amount":"0.00",` +
			`"amount_set":{"shop_money":{"amount":"1366.02","currency_code":"CAD"},"presentment_money":{"amount":"1012.70","currency_code":"USD"}}}]`,
		"transactions.0.status", `"pending"`, "transactions.0.amount", `"1012.70"`,
	}
	settledFX := append(slices.Clone(pendingFX), "order_adjustments", "[]", "transactions.0.status", `"success"`)
	for _, c := range []struct {
		name, file string
		change     []string
		want       affiliate.Refund // status, amounts and ByLines are compared
	}{
		{"lines_and_shipping", lineRefund, nil,
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 2724, ByLines: true, Lines: 1914, Shipping: 499}},
		{"shipping_in_adjustments_only", lineRefund, []string{"refund_shipping_lines", "[]"},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 2724, ByLines: true, Lines: 1914, Shipping: 499}},
		{"shipping_in_shipping_lines_only", lineRefund, []string{"order_adjustments", "[]"},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 2724, ByLines: true, Lines: 1914, Shipping: 499}},
		{"shipping_tax", shipRefund, []string{"order_adjustments.0.tax_amount_set", gone,
			"order_adjustments.0.tax_amount", `"-0.50"`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 500, Shipping: 550}},
		{"tax_only", shipRefund, []string{"refund_shipping_lines", "[]", "order_adjustments",
			fmt.Sprintf(discrepancy, "0.00", "-5.00")},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 500, Tax: 500}},
		{"amount_only", shipRefund, []string{"refund_shipping_lines", "[]", "order_adjustments",
			fmt.Sprintf(discrepancy, "-5.00", "0.00")},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 500}},
		{"less_money_than_lines", lineRefund, []string{"transactions.0.amount", `"10.00"`,
			"order_adjustments", fmt.Sprintf(discrepancy, "12.25", "0.00"), "refund_shipping_lines", "[]"},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 1000, ByLines: true, Lines: 1914}},
		{"tax_included_told_by_the_money", lineRefund, []string{"transactions.0.amount", `"24.13"`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 2413, ByLines: true, Lines: 1603, Shipping: 499}},
		{"tax_included_told_by_the_rates", lineRefund, []string{"transactions.0.amount", `"1.00"`,
			"refund_line_items.0.total_tax", "2.67", "refund_line_items.0.total_tax_set", gone,
			"refund_line_items.0.line_item.tax_lines", `[{"price":"4.01","rate":0.1625}]`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 100, ByLines: true, Lines: 1647, Shipping: 499}},
		{"tax_outside_told_by_the_rates", lineRefund, []string{"transactions.0.amount", `"1.00"`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 100, ByLines: true, Lines: 1914, Shipping: 499}},
		{"tax_told_by_nothing", lineRefund, []string{"transactions.0.amount", `"1.00"`, "refund_line_items.0.line_item", gone},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 100, ByLines: true, Lines: 1914, Shipping: 499}},
		{"gift_card_line", lineRefund, []string{"refund_line_items.0.line_item.gift_card", "true"},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 2724, ByLines: true, Lines: 0, Shipping: 499}},
		{"subtotal_0_though_money_moved", lineRefund, []string{"refund_line_items.0.subtotal", "0.0",
			"refund_line_items.0.subtotal_set.shop_money.amount", `"0.0"`,
			"refund_line_items.0.total_tax_set.shop_money.amount", `"0.0"`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 2724, ByLines: true, Lines: 1914, Shipping: 499}},
		{"subtotal_0_and_less_money_moved", lineRefund, []string{"refund_line_items.0.subtotal_set", gone,
			"refund_line_items.0.subtotal", "0.0", "refund_line_items.0.total_tax_set", gone,
			"refund_line_items.0.total_tax", "0.0", "transactions.0.amount", `"5.00"`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 500, ByLines: true, Lines: 430, Shipping: 499}},
		{"free_line", lineRefund, []string{"refund_line_items.0.subtotal_set", gone, "refund_line_items.0.subtotal",
			"0.0", "refund_line_items.0.line_item.discount_allocations.0.amount", `"47.85"`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 2724, ByLines: true, Lines: 0, Shipping: 499}},
		{"pending", lineRefund, []string{"transactions.0.status", `"pending"`},
			affiliate.Refund{Status: affiliate.RefundPending, Amount: 2724, ByLines: true, Lines: 1914, Shipping: 499}},
		{"failed", lineRefund, []string{"transactions.0.status", `"failure"`},
			affiliate.Refund{Status: affiliate.RefundFailed, Amount: 2724, ByLines: true, Lines: 1914, Shipping: 499}},
		{"no_money", lineRefund, []string{"transactions", "[]"},
			affiliate.Refund{Status: affiliate.RefundNoMoney, ByLines: true, Lines: 1914, Shipping: 499}},
		{"one_failed_one_succeeded", shipRefund, []string{"transactions",
			`[{"id":1,"kind":"refund","status":"error","amount":"5.00","currency":"USD"},{"id":2,"kind":"refund","status":"success","amount":"5.00","currency":"USD"}]`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 500, Shipping: 500}},
		{"other_kinds_move_nothing", shipRefund, []string{"transactions",
			`[{"id":1,"kind":"void","status":"success","amount":"7.00","currency":"USD"},{"id":2,"kind":"refund","status":"success","amount":"5.00","currency":"USD"}]`},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 500, Shipping: 500}},
		{"customers_currency", fxRefund, nil, affiliate.Refund{Status: affiliate.RefundSettled, Amount: 710}},
		{"customers_currency_pending", fxRefund, pendingFX,
			affiliate.Refund{Status: affiliate.RefundPending, Amount: 136602, ByLines: true, Lines: 124071}},
		{"customers_currency_settled", fxRefund, settledFX,
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 136602, ByLines: true, Lines: 124071}},
		{"customers_currency_tax_included", fxRefund, append(slices.Clone(settledFX), "transactions.0.amount", `"919.80"`),
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 124071, ByLines: true, Lines: 111540}},
		{"before_sets_and_currencies", shipRefund, []string{"order_adjustments.0.amount_set", gone,
			"order_adjustments.0.tax_amount_set", gone, "refund_shipping_lines", gone, "total_duties_set", gone},
			affiliate.Refund{Status: affiliate.RefundSettled, Amount: 500, Shipping: 500}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parseRefund(t, changed(t, c.file, c.change...))
			got := affiliate.Refund{Status: r.Status, Amount: r.Amount, ByLines: r.ByLines, Lines: r.Lines,
				Shipping: r.Shipping, Tax: r.Tax}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestRefundInATaxIncludedOrder(t *testing.T) {
	s := parseOrder(t, changed(t, refundedOrder, "taxes_included", "true", "refunds.0.transactions.0.amount", `"9.57"`))
	if r := s.Refunds[0]; r.Amount != 957 || r.Lines != 957-155 {
		t.Errorf("refund %+v, want 957 with lines of 802", r)
	}
}

// TestRefundLineWithoutItsCopy: newer bodies may leave out the line in the refund; the order has it.
func TestRefundLineWithoutItsCopy(t *testing.T) {
	s := parseOrder(t, changed(t, refundedOrder, "refunds.0.refund_line_items.0.line_item", gone,
		"line_items.0.gift_card", "true"))
	if r := s.Refunds[0]; !r.ByLines || r.Lines != 0 {
		t.Errorf("refund of a gift card %+v, want no merchandise", r)
	}
}

func TestRefundTimes(t *testing.T) {
	r := parseRefund(t, recorded(t, lineRefund).Body)
	if want := time.Date(2025, 11, 2, 20, 0, 0, 0, time.UTC); !r.At.Equal(want) || r.Version != want.UnixMilli() {
		t.Errorf("at %v, version %d; want %v", r.At, r.Version, want)
	}
	r = parseRefund(t, changed(t, lineRefund, "created_at", "null", "processed_at", "null"))
	if !r.At.IsZero() || r.Version != 0 {
		t.Errorf("at %v, version %d; want none", r.At, r.Version)
	}
}

func TestTransactions(t *testing.T) {
	for _, c := range []struct {
		change  []string
		refund  bool
		status  affiliate.RefundStatus
		warning bool
	}{
		{nil, true, affiliate.RefundSettled, false},
		{[]string{"status", `"failure"`}, true, affiliate.RefundFailed, false},
		{[]string{"status", `"error"`}, true, affiliate.RefundFailed, false},
		{[]string{"status", `"pending"`}, true, affiliate.RefundPending, false},
		{[]string{"status", `"strange"`}, true, affiliate.RefundPending, true},
		{[]string{"kind", `"sale"`}, false, affiliate.RefundSettled, false},
	} {
		p, err := Platform{}.Parse("order_transactions/create", changed(t, aTransaction, c.change...))
		if err != nil {
			t.Errorf("%q: %v", c.change, err)
			continue
		}
		got := p.Events[0].Transaction
		want := affiliate.Transaction{ID: "179259969", Refund: c.refund, Status: c.status, Amount: 20900,
			Currency: "USD", Version: 1123261152000}
		if *got != want || p.Events[0].OrderID != "450789469" || (p.Warning != "") != c.warning {
			t.Errorf("%q: %+v (warning %q), want %+v", c.change, *got, p.Warning, want)
		}
	}
}

func TestDisputes(t *testing.T) {
	for status, want := range map[string]affiliate.DisputeStatus{
		"lost": affiliate.DisputeLost, "won": affiliate.DisputeWon, "under_review": affiliate.DisputeOpen,
		"needs_response": affiliate.DisputeOpen,
	} {
		p, err := Platform{}.Parse("disputes/update", changed(t, aDispute, "status", `"`+status+`"`, "finalized_on", `"2022-02-03"`))
		if err != nil {
			t.Fatal(err)
		}
		d := p.Events[0].Dispute
		if d.Status != want || d.Amount != 1150 || d.Currency != "CAD" || d.ID != "285332461850802050" ||
			d.Version != time.Date(2022, 2, 3, 0, 0, 0, 0, time.UTC).UnixMilli() {
			t.Errorf("%s: %+v", status, *d)
		}
	}
	p, err := Platform{}.Parse("disputes/create", changed(t, aDispute, "order_id", "null"))
	if err != nil || !strings.Contains(p.Ignored, "not about an order") {
		t.Errorf("dispute without an order: %+v, %v; want it ignored", p, err)
	}
}

func TestIgnored(t *testing.T) {
	for _, c := range []struct{ topic, body, want string }{
		{"products/update", `{"id":1,"title":"x","variants":[]}`, "topic products/update is not used"},
		{"customers/create", `{"id":1,"email":"a@b.c"}`, "topic customers/create is not used"},
		{"products/update", `{"id":1`, "topic products/update is not used"},
		{"draft_orders/update", `{"id":1,"order_id":null,"name":"#D1","line_items":[],"total_price":"1.00","status":"open"}`, "not used"},
		{"checkouts/create", `{"id":1,"line_items":[{"price":"1"}],"total_price":"1.00","currency":"USD"}`, "not used"},
		{"fulfillments/create", `{"id":1,"order_id":2,"status":"success","line_items":[]}`, "not used"},
		{"returns/approve", `{"id":1,"order_id":2,"status":"open"}`, "not used"},
		{"orders/risk_assessment_changed", `{"order_id":1,"risk_level":"low"}`, "not used"},
		{"unheard/of", `{"a":1}`, "topic unheard/of is not known"},
		{"", `{"id":1}`, "has no topic"},
		{"customers/redact", `{"shop_id":1,"orders_to_redact":[]}`, "no orders"},
		{"refunds/create", `{"id":5,"order_id":1,"refund_line_items":[],"transactions":[]}`, "refund 5 moved no money"},
	} {
		p, err := Platform{}.Parse(c.topic, []byte(c.body))
		if err != nil || !strings.Contains(p.Ignored, c.want) || len(p.Events) > 0 {
			t.Errorf("%s %s: %+v, %v; want it ignored with %q", c.topic, c.body, p, err, c.want)
		}
	}
}

func TestStoreEventsNeedTheirOwnBodies(t *testing.T) {
	order := recorded(t, plainOrder).Body
	for _, topic := range []string{"app/uninstalled", "shop/redact", "orders/delete", "customers/redact"} {
		p, err := Platform{}.Parse(topic, order)
		if err != nil || p.Store != "" || kindOf(p) != "snapshot" {
			t.Errorf("an order under %s: %s, %v; want the order", topic, kindOf(p), err)
		}
	}
	for _, c := range []struct{ topic, body string }{
		{"app/uninstalled", `{"id":1}`}, {"app/uninstalled", `{}`},
		{"shop/redact", `{"id":1}`}, {"shop/redact", `{"shop_id":1,"customer":{}}`},
		{"orders/delete", `{"id":1,"note":"x"}`}, {"orders/delete", `{}`},
	} {
		if p, err := (Platform{}).Parse(c.topic, []byte(c.body)); err == nil {
			t.Errorf("%s with %s: %+v, want an error", c.topic, c.body, p)
		}
	}
	for topic, want := range map[string]string{"orders/create": "", "products/delete": "ignored",
		"orders/delete": "deleted"} {
		p, _ := Platform{}.Parse(topic, []byte(`{"id":7}`))
		if got := kindOf(p); got != want {
			t.Errorf(`{"id":7} under %s is %q, want %q`, topic, got, want)
		}
	}
}

func TestSaysThatABodyIsXML(t *testing.T) {
	for _, body := range []string{"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<order></order>", "\ufeff<order/>",
		" \n<order><name>\xe4</name></order>"} {
		_, err := Platform{}.Parse("orders/paid", []byte(body))
		if err == nil || !strings.Contains(err.Error(), "format to JSON") || strings.Contains(err.Error(), "cut") {
			t.Errorf("%q: %v; want the remedy", body, err)
		}
		parsed, err := Platform{}.Parse("products/update", []byte(body))
		if err != nil || parsed.Ignored == "" {
			t.Errorf("%q under a topic that is not used: %+v, %v", body, parsed, err)
		}
	}
}

func TestShopOfABody(t *testing.T) {
	for _, c := range []struct{ topic, body, want string }{
		{"app/uninstalled", `{"id":1,"shop_owner":"A","myshopify_domain":"A.myshopify.com","domain":"a.example"}`,
			"a.myshopify.com"},
		{"app/uninstalled", `{"id":1,"shop_owner":"A","myshopify_domain":null,"domain":"a.myshopify.com"}`,
			"a.myshopify.com"},
		{"app/uninstalled", `{"id":1,"shop_owner":"A","domain":"a.example"}`, ""},
		{"shop/redact", `{"shop_id":1,"shop_domain":"a.myshopify.com"}`, "a.myshopify.com"},
		{"customers/redact", `{"shop_id":1,"shop_domain":"a.myshopify.com","orders_to_redact":[7]}`, "a.myshopify.com"},
		{"customers/data_request", `{"shop_id":1,"shop_domain":"a.myshopify.com","orders_requested":[7]}`,
			"a.myshopify.com"},
		{"shop/redact", `{"shop_id":1,"shop_domain":5}`, ""},
		{"orders/delete", `{"id":1}`, ""},
	} {
		p, err := Platform{}.Parse(c.topic, []byte(c.body))
		if err != nil || p.Shop != c.want {
			t.Errorf("%s with %s: shop %q, %v; want %q", c.topic, c.body, p.Shop, err, c.want)
		}
	}
	for address, want := range map[string]string{
		`"https://My-Shop.myshopify.com/90000000001/orders/1f/authenticate?key=2"`: "my-shop.myshopify.com",
		`"https:\/\/my-shop.myshopify.com\/1"`:                                     "my-shop.myshopify.com",
		`"https://shop.example/90000000001/orders/1f"`:                             "",
		`"https://jsmith.myshopify.com/548380009/orders/1"`:                        "", // the sample of every test notification
		`"https://my-shop.myshopify.com.evil.example/1"`:                           "",
		`"%"`: "", `null`: "", `{}`: "", gone: "",
	} {
		p, err := Platform{}.Parse("orders/paid", changed(t, plainOrder, "order_status_url", address))
		if err != nil || p.Shop != want {
			t.Errorf("order_status_url %s: shop %q, %v; want %q", address, p.Shop, err, want)
		}
	}
}

func TestBadInput(t *testing.T) {
	order := func(pairs ...string) []byte { return changed(t, plainOrder, pairs...) }
	cut := recorded(t, plainOrder).Body
	for _, c := range []struct {
		name, topic string
		body        []byte
		field       string
	}{
		{"empty", "orders/paid", nil, "body"},
		{"cut", "orders/paid", cut[:len(cut)/2], "body"},
		{"more_after_the_end", "orders/paid", append(bytes.Clone(cut), '{'), "body"},
		{"a_list", "orders/paid", []byte(`[1]`), "body"},
		{"null", "orders/paid", []byte(`null`), "body"},
		{"html", "orders/paid", []byte(`<html>`), "body"},
		{"not_utf8", "orders/paid", []byte("{\"name\":\"\xff\"}"), "body"},
		{"zero_byte", "orders/paid", []byte("{\"id\":1\x00}"), "body"},
		{"deep", "orders/paid", []byte(`{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`), "body"},
		{"broken_number", "orders/paid", []byte(`{"id":01}`), "body"},
		{"broken_escape", "orders/paid", []byte(`{"id":"\x"}`), "body"},
		{"no_id", "orders/paid", order("id", gone), "id"},
		{"id_0", "orders/paid", order("id", "0"), "id"},
		{"id_negative", "orders/paid", order("id", "-5"), "id"},
		{"id_fraction", "orders/paid", order("id", "1.5"), "id"},
		{"id_exponent", "orders/paid", order("id", "8.2e17"), "id"},
		{"id_too_large", "orders/paid", order("id", "9223372036854775808"), "id"},
		{"id_text", "orders/paid", order("id", `"abc"`), "id"},
		{"id_object", "orders/paid", order("id", `{}`), "id"},
		{"no_currency", "orders/paid", order("currency", "null"), "currency"},
		{"no_currency", "orders/paid", order("currency", `"Q Q"`), "currency"},
		{"currency_number", "orders/paid", order("currency", `1`), "currency"},
		{"no_total", "orders/paid", order("total_price", gone), "total_price"},
		{"total_null", "orders/paid", order("total_price", "null"), "total_price"},
		{"total_word", "orders/paid", order("total_price", `"free"`), "total_price"},
		{"total_empty", "orders/paid", order("total_price", `""`), "total_price"},
		{"total_huge", "orders/paid", order("total_price", `"99999999999999999999"`), "total_price"},
		{"total_huge_exponent", "orders/paid", order("total_price", `1e400`), "total_price"},
		{"total_exponent_in_text", "orders/paid", order("total_price", `"1e2"`), "total_price"},
		{"total_object", "orders/paid", order("total_price", `{"amount":"1"}`), "total_price"},
		{"total_bool", "orders/paid", order("total_price", `true`), "total_price"},
		{"no_updated_at", "orders/paid", order("updated_at", gone), "updated_at"},
		{"updated_at_number", "orders/paid", order("updated_at", "1700000000"), "updated_at"},
		{"updated_at_word", "orders/paid", order("updated_at", `"yesterday"`), "updated_at"},
		{"updated_at_year_0", "orders/paid", order("updated_at", `"0000-01-01T00:00:00+14:00"`), "updated_at"},
		{"no_created_at", "orders/paid", order("created_at", gone, "processed_at", gone), "created_at"},
		{"no_financial_status", "orders/paid", order("financial_status", gone), "financial_status"},
		{"financial_status_number", "orders/paid", order("financial_status", "1"), "financial_status"},
		{"cancelled_at_bool", "orders/paid", order("cancelled_at", "true"), "cancelled_at"},
		{"test_word", "orders/paid", order("test", `"yes"`), "test"},
		{"taxes_included_number", "orders/paid", order("taxes_included", "1"), "taxes_included"},
		{"name_number", "orders/paid", order("name", "1"), "name"},
		{"landing_site_list", "orders/paid", order("landing_site", "[]"), "landing_site"},
		{"no_lines", "orders/paid", order("line_items", gone), "line_items"},
		{"lines_object", "orders/paid", order("line_items", "{}"), "line_items"},
		{"line_number", "orders/paid", order("line_items", "[1]"), "line_items[0]"},
		{"line_null", "orders/paid", order("line_items", "[null]"), "line_items[0].quantity"},
		{"line_without_price", "orders/paid", order("line_items.0.price", gone), "line_items[0].price"},
		{"line_price_negative", "orders/paid", order("line_items.0.price", `"-1"`), "line_items[0].price"},
		{"line_without_quantity", "orders/paid", order("line_items.0.quantity", gone), "line_items[0].quantity"},
		{"line_quantity_fraction", "orders/paid", order("line_items.0.quantity", "1.5"), "line_items[0].quantity"},
		{"line_quantity_negative", "orders/paid", order("line_items.0.quantity", "-1"), "line_items[0].quantity"},
		{"line_times_too_large", "orders/paid", order("line_items.0.quantity", "999999999999", "line_items.0.price",
			`"9999999.00"`), "line_items[0].price"},
		{"lines_too_large_together", "orders/paid", order("line_items", `[{"price":"9000000000000","quantity":1},{"price":"9000000000000","quantity":1}]`), "line_items[1].price"},
		{"allocation_word", "orders/paid", order("line_items.0.discount_allocations.0.amount", `"x"`),
			"line_items[0].discount_allocations[0].amount"},
		{"allocations_object", "orders/paid", order("line_items.0.discount_allocations", `{}`),
			"line_items[0].discount_allocations"},
		{"tax_negative", "orders/paid", order("line_items.0.tax_lines", `[{"price":"-1"}]`), "line_items[0].tax_lines[0].price"},
		{"current_quantity_word", "orders/paid", order("line_items.0.current_quantity", `"x"`),
			"line_items[0].current_quantity"},
		{"gift_card_word", "orders/paid", order("line_items.0.gift_card", `"x"`), "line_items[0].gift_card"},
		{"code_number", "orders/paid", order("discount_codes", `[{"code":5}]`), "discount_codes[0].code"},
		{"codes_text", "orders/paid", order("discount_codes", `"x"`), "discount_codes"},
		{"attributes_text", "orders/paid", order("note_attributes", `"ref"`), "note_attributes"},
		{"customer_text", "orders/paid", order("customer", `"x"`), "customer"},
		{"refunds_text", "orders/paid", order("refunds", `"x"`), "refunds"},
		{"refund_without_id", "orders/paid", changed(t, refundedOrder, "refunds.0.id", gone), "refunds[0].id"},
		{"refund_line_subtotal", "orders/paid", changed(t, refundedOrder, "refunds.0.refund_line_items.0.subtotal_set",
			gone, "refunds.0.refund_line_items.0.subtotal", `"?"`), "refunds[0].refund_line_items[0].subtotal"},
		{"refund_line_quantity", "orders/paid", changed(t, refundedOrder, "refunds.0.refund_line_items.0.quantity",
			gone), "refunds[0].refund_line_items[0].quantity"},
		{"refund_transaction_amount", "orders/paid", changed(t, refundedOrder, "refunds.0.transactions.0.amount", gone),
			"refunds[0].transactions[0].amount"},
		{"refund_transaction_status", "orders/paid", changed(t, refundedOrder, "refunds.0.transactions.0.status",
			"null"), "refunds[0].transactions[0].status"},
		{"refund_without_order", "refunds/create", changed(t, lineRefund, "order_id", gone), "order_id"},
		{"refund_alone_without_id", "refunds/create", changed(t, lineRefund, "id", "null"), "id"},
		{"refund_currency", "refunds/create", changed(t, fxRefund,
			"order_adjustments.0.amount_set.shop_money.currency_code", `"X Q"`), "order_adjustments"},
		{"refund_adjustment", "refunds/create", changed(t, shipRefund, "order_adjustments.0.amount_set", gone,
			"order_adjustments.0.amount", `[]`), "order_adjustments[0].amount"},
		{"refund_created_at", "refunds/create", changed(t, lineRefund, "created_at", `"x"`), "created_at"},
		{"transaction_without_order", "order_transactions/create", changed(t, aTransaction, "order_id", gone),
			"order_id"},
		{"transaction_without_kind", "order_transactions/create", changed(t, aTransaction, "kind", gone), "kind"},
		{"transaction_without_status", "order_transactions/create", changed(t, aTransaction, "status", gone), "status"},
		{"transaction_without_currency", "order_transactions/create", changed(t, aTransaction, "currency", gone),
			"currency"},
		{"transaction_amount", "order_transactions/create", changed(t, aTransaction, "amount", `"-1.00"`), "amount"},
		{"dispute_without_status", "disputes/create", changed(t, aDispute, "status", gone), "status"},
		{"dispute_amount", "disputes/create", changed(t, aDispute, "amount", `"x"`), "amount"},
		{"dispute_date", "disputes/create", changed(t, aDispute, "finalized_on", `"x"`), "finalized_on"},
		{"edit_without_order", "orders/edited", changed(t, anEdit, "order_edit.order_id", gone), "order_edit.order_id"},
		{"edit_without_time", "orders/edited", changed(t, anEdit, "order_edit.created_at", "null"),
			"order_edit.created_at"},
		{"edit_text", "orders/edited", []byte(`{"order_edit":"x"}`), "order_edit"},
		{"no_edit", "orders/edited", []byte(`{}`), "order_edit"},
		{"redaction_id", "customers/redact", []byte(`{"orders_to_redact":[1,"x"]}`), "orders_to_redact[1]"},
		{"no_redaction", "customers/redact", []byte(`{}`), "orders_to_redact"},
		{"no_data_request", "customers/data_request", []byte(`{}`), "data_request"},
		{"no_shop", "shop/redact", []byte(`{}`), "shop_id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Platform{}.Parse(c.topic, c.body)
			var e *affiliate.Error
			if !errors.As(err, &e) {
				t.Fatalf("%+v, %v; want an error about %s", p, err, c.field)
			}
			if e.Kind != affiliate.Invalid || e.Field != c.field {
				t.Errorf("kind %s, field %q; want invalid, %q (%v)", e.Kind, e.Field, c.field, err)
			}
			if len(e.Message) < 20 || !utf8.ValidString(e.Message) || len(e.Message) > 300 {
				t.Errorf("message %q does not help", e.Message)
			}
			if !reflect.DeepEqual(p, affiliate.Parsed{}) {
				t.Errorf("an error with %+v", p)
			}
		})
	}
}

// TestHashIsOfTheMeaning: bodies that differ in form or in unread fields are one snapshot, others are not.
func TestHashIsOfTheMeaning(t *testing.T) {
	want := parseOrder(t, recorded(t, refundedOrder).Body).Hash
	if len(want) != 16 {
		t.Fatalf("hash %q, want 16 hex digits", want)
	}
	for name, body := range map[string][]byte{
		"other form":         changed(t, refundedOrder),
		"unread field":       changed(t, refundedOrder, "browser_ip", `"192.0.2.1"`),
		"number, not text":   changed(t, refundedOrder, "total_price", "38.360"),
		"other time zone":    changed(t, refundedOrder, "updated_at", `"2025-10-30T16:00:00Z"`),
		"customer's address": changed(t, refundedOrder, "email", `"other@example.com"`),
	} {
		if got := parseOrder(t, body).Hash; got != want {
			t.Errorf("%s: hash %s, want %s", name, got, want)
		}
	}
	for name, body := range map[string][]byte{
		"total":         changed(t, refundedOrder, "total_price", `"38.37"`),
		"refund amount": changed(t, refundedOrder, "refunds.0.transactions.0.amount", `"11.11"`),
		"refund status": changed(t, refundedOrder, "refunds.0.transactions.0.status", `"pending"`),
		"link":          changed(t, refundedOrder, "landing_site", `"/?ref=x"`),
	} {
		if got := parseOrder(t, body).Hash; got == want {
			t.Errorf("another %s, but the same hash", name)
		}
	}
}

// TestReaderAcceptsWhatIsJSON compares the reader with encoding/json.
func TestReaderAcceptsWhatIsJSON(t *testing.T) {
	for _, value := range []string{
		`1`, `-0`, `0.5`, `1e5`, `1E+5`, `1.5e-5`, `01`, `-`, `1.`, `.5`, `1e`, `1e+`, `+1`, `0x1`, `NaN`, `1 2`,
		`true`, `false`, `null`, `tru`, `nul`, `True`, `fals`,
		`""`, `"a\"b"`, `"\u00e9"`, `"\ud83d\ude00"`, `"\u00g0"`, `"\u12"`, `"\x"`, `"\`, `"a`, "\"\t\"", "\"\x7f\"", `'a'`,
		`[]`, `[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `]`, `[1`, `[[],{}]`,
		`{}`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{`, `{"`, `{"a\u0062":1}`, `{"\q":1}`,
	} {
		for _, body := range []string{`{"id":` + value + `}`, "\r\n {\t\"x\" : " + value + " } ", `{"line_items":[` + value + `]}`} {
			_, r := readBody([]byte(body))
			if want := json.Valid([]byte(body)); (r.Err() == nil) != want {
				t.Errorf("%s: %v, but encoding/json says %v", body, r.Err(), want)
			}
		}
	}
}

// TestKeysMayBeEscaped: a key written with an escape is still the key.
func TestKeysMayBeEscaped(t *testing.T) {
	b, r := readBody([]byte(`{"\u0069d":5,"na\u006de":"x"}`))
	if r.Err() != nil || string(b.id) != "5" || string(b.name) != `"x"` {
		t.Errorf("id %s, name %s, %v", b.id, b.name, r.Err())
	}
}

func TestPlainDecimal(t *testing.T) {
	for in, want := range map[string]string{
		"12.50": "12.50", "2E1": "20.", "2.5e1": "25.", "-1.25e-1": "-0.125", "1e-2": "0.01", "1.0E+3": "1000.",
		"0e5":  "000000.",
		"1e31": "1e31", "1e999999999999": "1e999999999999", "12.345e1": "123.45",
	} {
		if got := plainDecimal(in); got != want {
			t.Errorf("plainDecimal(%s) = %s, want %s", in, got, want)
		}
	}
}

// FuzzParse: any body under any topic gives a result or an Invalid error, twice the same, and what is accepted as JSON
// is what encoding/json accepts.
func FuzzParse(f *testing.F) {
	for _, d := range deliveries(f) {
		f.Add(d.Topic, d.Body)
		var small bytes.Buffer
		if json.Compact(&small, d.Body) == nil {
			f.Add("", small.Bytes())
		}
	}
	f.Add("orders/delete", []byte(`{"id":1}`))
	f.Add("orders/paid", []byte(`{"\u0069d":"\ud83d\ude00\ud800","line_items":[{"price":1e-7,"quantity":3}]}`))
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		kept := bytes.Clone(body)
		p, err := Platform{}.Parse(topic, body)
		again, errAgain := Platform{}.Parse(topic, body)
		if !reflect.DeepEqual(p, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Fatalf("%+v, %v; then %+v, %v", p, err, again, errAgain)
		}
		if !bytes.Equal(kept, body) {
			t.Fatal("the body was changed")
		}
		if err != nil && affiliate.KindOf(err) != affiliate.Invalid {
			t.Fatalf("error of kind %q: %v", affiliate.KindOf(err), err)
		}
		if err == nil && p.Ignored == "" && p.Store == "" && len(p.Events) == 0 {
			t.Fatal("neither an event nor a reason")
		}
		for _, e := range p.Events {
			checkEvent(t, e)
		}
		checkReader(t, body)
	})
}

func checkEvent(t *testing.T, e affiliate.Event) {
	if n, err := strconv.ParseInt(e.OrderID, 10, 64); err != nil || n <= 0 || eventKind(e) == "nothing" {
		t.Fatalf("event %+v", e)
	}
	if s := e.Snapshot; s != nil {
		if s.Merchandise < 0 || s.Captured < 0 || s.Hash == "" || len(s.Links) > maxLinks {
			t.Fatalf("snapshot %+v", *s)
		}
		for _, r := range s.Refunds {
			checkRefund(t, r)
		}
	}
	if e.Refund != nil {
		checkRefund(t, *e.Refund)
	}
}

func checkRefund(t *testing.T, r affiliate.Refund) {
	if r.ID == "" || r.Currency == "" || r.Status == "" || r.Amount < 0 || r.Lines < 0 || r.Shipping < 0 || r.Tax < 0 {
		t.Fatalf("refund %+v", r)
	}
}

func checkReader(t *testing.T, body []byte) {
	_, r := readBody(body)
	valid := json.Valid(body) && utf8.Valid(body) && bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
	if r.Err() == nil && !valid {
		t.Fatal("accepted, but no JSON object")
	}
	deep := bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > jsonwalk.MaxDepth
	if r.Err() != nil && valid && !deep {
		t.Fatalf("refused, but a JSON object: %v", r.Err())
	}
}

// TestOddValuesInEveryPlace puts every kind of wrong value into every place of a body.
func TestOddValuesInEveryPlace(t *testing.T) {
	t.Parallel()
	odd := []string{`null`, `true`, `-1`, `1e-30`, `99999999999999999999`, `"\u0000"`, `"999999999999999"`, `[null]`, `{}`}
	for _, file := range []string{refundedOrder, lineRefund, aTransaction, aDispute, anEdit} {
		d := recorded(t, file)
		decoder := json.NewDecoder(bytes.NewReader(d.Body))
		decoder.UseNumber()
		var body any
		if err := decoder.Decode(&body); err != nil {
			t.Fatal(err)
		}
		for _, path := range places(body, nil) {
			for _, value := range odd {
				old := replace(body, path, json.RawMessage(value))
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				replace(body, path, old)
				p, err := Platform{}.Parse(d.Topic, text)
				if err != nil && affiliate.KindOf(err) != affiliate.Invalid {
					t.Fatalf("%s with %v = %s: error of kind %q: %v", file, path, value, affiliate.KindOf(err), err)
				}
				for _, e := range p.Events {
					checkEvent(t, e)
				}
			}
		}
	}
}

// places lists the paths of all values below node.
func places(node any, path []any) (list [][]any) {
	switch n := node.(type) {
	case []any:
		for i := range n {
			here := append(slices.Clone(path), i)
			list = append(append(list, here), places(n[i], here)...)
		}
	case map[string]any:
		for key := range n {
			here := append(slices.Clone(path), key)
			list = append(append(list, here), places(n[key], here)...)
		}
	}
	return list
}

// replace puts a value in a place and gives what was there.
func replace(node any, path []any, value any) (old any) {
	for _, step := range path[:len(path)-1] {
		if i, ok := step.(int); ok {
			node = node.([]any)[i]
		} else {
			node = node.(map[string]any)[step.(string)]
		}
	}
	switch last := path[len(path)-1].(type) {
	case int:
		n := node.([]any)
		old, n[last] = n[last], value
	case string:
		n := node.(map[string]any)
		old, n[last] = n[last], value
	}
	return old
}
