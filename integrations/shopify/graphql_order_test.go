package shopify

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

type object = map[string]any

// asNode tells a webhook's order as the GraphQL API does. It is written from Shopify's descriptions of both, and shares
// nothing with the readers.
func asNode(t testing.TB, data []byte) []byte {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	shop := text(o["currency"])
	bag := func(plain any, set any) any { return moneyBag(shop, plain, set) }
	n := object{
		"id": "gid://shopify/Order/" + text(o["id"]), "name": o["name"], "createdAt": o["created_at"],
		"updatedAt": o["updated_at"], "processedAt": o["processed_at"], "cancelledAt": o["cancelled_at"],
		"test": o["test"], "currencyCode": shop, "taxesIncluded": o["taxes_included"], "sourceName": o["source_name"],
		"displayFinancialStatus": upper(o["financial_status"]), "email": firstText(o["email"], o["contact_email"]),
		"totalPriceSet": bag(o["total_price"], nil), "subtotalPriceSet": bag(o["subtotal_price"], nil),
		"totalDiscountsSet": bag(o["total_discounts"], nil), "currentTotalPriceSet": bag(o["current_total_price"], nil),
		"currentSubtotalPriceSet": bag(o["current_subtotal_price"], nil),
		"totalOutstandingSet":     bag(o["total_outstanding"], nil), "billingAddress": nil, "shippingAddress": nil,
		"discountCodes": []any{}, "customAttributes": []any{}, "tags": []any{}, "disputes": []any{},
		"totalTipReceivedSet": bag("0.0", nil), "customerJourneySummary": nil,
	}
	if c, ok := o["customer"].(object); ok && text(n["email"]) == "" {
		n["email"] = c["email"]
	}
	for theirs, ours := range map[string]string{"billing_address": "billingAddress",
		"shipping_address": "shippingAddress"} {
		if a, ok := o[theirs].(object); ok {
			n[ours] = object{"countryCodeV2": a["country_code"]}
		}
	}
	if text(o["tags"]) != "" {
		n["tags"] = strings.Split(text(o["tags"]), ", ")
	}
	if text(o["landing_site"]) != "" {
		n["customerJourneySummary"] = object{"ready": true, "firstVisit": nil, "lastVisit": object{
			"landingPage": "https://shop.example" + text(o["landing_site"]), "referralCode": o["landing_site_ref"]}}
	}
	for _, c := range list(o["discount_codes"]) {
		n["discountCodes"] = append(n["discountCodes"].([]any), c["code"])
	}
	for _, a := range list(o["note_attributes"]) {
		n["customAttributes"] = append(n["customAttributes"].([]any), object{"key": a["name"], "value": a["value"]})
	}
	applications := []any{}
	for i, a := range list(o["discount_applications"]) {
		kind := map[string]string{"discount_code": "DiscountCodeApplication", "manual": "ManualDiscountApplication",
			"automatic": "AutomaticDiscountApplication", "script": "ScriptDiscountApplication"}[text(a["type"])]
		applications = append(applications, object{"__typename": kind, "index": i, "code": a["code"],
			"targetType": upper(a["target_type"])})
	}
	n["discountApplications"] = object{"nodes": applications}
	lines := []any{}
	for _, l := range list(o["line_items"]) {
		line := object{"id": "gid://shopify/LineItem/" + text(l["id"]), "quantity": l["quantity"], "sku": l["sku"],
			"isGiftCard": l["gift_card"], "originalUnitPriceSet": bag(l["price"], l["price_set"])}
		if c, ok := l["current_quantity"]; ok {
			line["currentQuantity"] = c
		}
		allocations, taxes := []any{}, []any{}
		for _, a := range list(l["discount_allocations"]) {
			allocations = append(allocations, object{"allocatedAmountSet": bag(a["amount"], a["amount_set"])})
		}
		for _, x := range list(l["tax_lines"]) {
			taxes = append(taxes, object{"priceSet": bag(x["price"], x["price_set"])})
		}
		line["discountAllocations"], line["taxLines"] = allocations, taxes
		if _, tip := l["tip_payment_gateway"]; tip {
			n["totalTipReceivedSet"] = line["originalUnitPriceSet"]
		}
		lines = append(lines, line)
	}
	n["lineItems"] = object{"pageInfo": object{"hasNextPage": false}, "nodes": lines}
	refunds := []any{}
	for _, f := range list(o["refunds"]) {
		refunds = append(refunds, refundNode(f, bag, shop))
	}
	n["refunds"] = refunds
	out, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func refundNode(f object, bag func(plain, set any) any, shop string) object {
	rows, adjustments, shipping, moved := []any{}, []any{}, []any{}, []any{}
	for _, l := range list(f["refund_line_items"]) {
		rows = append(rows, object{"quantity": l["quantity"],
			"lineItem":    object{"id": "gid://shopify/LineItem/" + text(l["line_item_id"])},
			"subtotalSet": bag(l["subtotal"], l["subtotal_set"]),
			"totalTaxSet": bag(l["total_tax"], l["total_tax_set"])})
	}
	for _, a := range list(f["order_adjustments"]) {
		var reason any
		if text(a["kind"]) != "shipping_refund" {
			reason = "REFUND_DISCREPANCY"
		}
		adjustments = append(adjustments, object{"reason": reason, "amountSet": bag(a["amount"], a["amount_set"]),
			"taxAmountSet": bag(a["tax_amount"], a["tax_amount_set"])})
	}
	for _, s := range list(f["refund_shipping_lines"]) {
		shipping = append(shipping, object{"subtotalAmountSet": bag(nil, s["subtotal_amount_set"]),
			"taxAmountSet": bag(nil, s["tax_amount_set"])})
	}
	for _, m := range list(f["transactions"]) {
		paid := object{"amount": m["amount"], "currencyCode": m["currency"]}
		moved = append(moved, object{"id": "gid://shopify/OrderTransaction/" + text(m["id"]), "kind": upper(m["kind"]),
			"status": upper(m["status"]), "processedAt": m["processed_at"], "createdAt": m["created_at"],
			"amountSet": object{"shopMoney": object{"amount": "0.0", "currencyCode": shop}, "presentmentMoney": paid}})
	}
	return object{"id": "gid://shopify/Refund/" + text(f["id"]), "createdAt": f["created_at"],
		"refundLineItems": object{"nodes": rows}, "orderAdjustments": object{"nodes": adjustments},
		"refundShippingLines": object{"nodes": shipping}, "transactions": object{"nodes": moved}}
}

func moneyBag(shop string, plain, set any) any {
	if s, ok := set.(object); ok {
		if m, ok := s["shop_money"].(object); ok {
			plain = m["amount"]
		}
	}
	if plain == nil {
		return nil
	}
	return object{"shopMoney": object{"amount": short(text(plain)), "currencyCode": shop}}
}

// short writes an amount as GraphQL does: "15.00" as "15.0".
func short(amount string) string {
	whole, fraction, _ := strings.Cut(amount, ".")
	if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
		fraction = "0"
	}
	return whole + "." + fraction
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return string(v)
	}
	return ""
}

func upper(v any) any {
	if s := text(v); s != "" {
		return strings.ToUpper(s)
	}
	return nil
}

func firstText(list ...any) any {
	for _, v := range list {
		if text(v) != "" {
			return v
		}
	}
	return nil
}

func list(v any) (objects []object) {
	all, _ := v.([]any)
	for _, one := range all {
		if o, ok := one.(object); ok {
			objects = append(objects, o)
		}
	}
	return objects
}

// sameOrder compares what a webhook's body and the API's answer of one state of an order say.
func sameOrder(t *testing.T, name string, body []byte) {
	t.Helper()
	told, err := Platform{}.Parse("orders/updated", body)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	read, err := Platform{}.Parse(affiliate.TopicOrderRead, asNode(t, body))
	if err != nil {
		t.Errorf("%s: read: %v", name, err)
		return
	}
	if told.Events[0].OrderID != read.Events[0].OrderID {
		t.Errorf("%s: read of order %s, told of %s", name, read.Events[0].OrderID, told.Events[0].OrderID)
	}
	if a, b := told.Events[0].Snapshot, read.Events[0].Snapshot; !reflect.DeepEqual(a, b) {
		x, _ := json.MarshalIndent(a, "", " ")
		y, _ := json.MarshalIndent(b, "", " ")
		t.Errorf("%s: read differs from told\n%s\n%+v\n%s\n%+v", name, x, a.Refunds, y, b.Refunds)
	}
}

func TestReadOrderSaysWhatItsWebhookSays(t *testing.T) {
	n := 0
	for _, d := range deliveries(t) {
		p, err := Platform{}.Parse(d.Topic, d.Body)
		if err != nil || len(p.Events) == 0 || p.Events[0].Snapshot == nil {
			continue
		}
		n++
		sameOrder(t, d.File, d.Body)
	}
	if n < 25 {
		t.Errorf("%d orders compared, want at least 25", n)
	}
}

// readNode reads what a recorded order says once its node is changed.
func readNode(t *testing.T, file string, change func(node object)) affiliate.Parsed {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(asNode(t, recorded(t, file).Body)))
	d.UseNumber()
	var node object
	if err := d.Decode(&node); err != nil {
		t.Fatal(err)
	}
	change(node)
	data, err := json.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Platform{}.Parse(affiliate.TopicOrderRead, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReadOrderDisputes(t *testing.T) {
	p := readNode(t, plainOrder, func(n object) {
		n["disputes"] = []any{
			object{"id": "gid://shopify/ShopifyPaymentsDispute/11", "status": "LOST"},
			object{"id": "gid://shopify/ShopifyPaymentsDispute/12", "status": "UNDER_REVIEW"},
			object{"id": "gid://shopify/ShopifyPaymentsDispute/13", "status": "WON"},
		}
	})
	if len(p.Events) != 3 || p.Events[1].Dispute.ID != "11" || p.Events[2].Dispute.ID != "13" {
		t.Fatalf("%+v, want the order and the two disputes that have ended", p.Events)
	}
	s := affiliate.OrderState{}
	for _, e := range p.Events {
		if e.OrderID != p.Events[0].OrderID {
			t.Errorf("dispute of order %q", e.OrderID)
		}
		s = s.Merge(e)
	}
	v, _ := s.View(affiliate.OrderRules{})
	if v.Status != affiliate.Refunded || v.Refunded != v.Total || v.Value != 0 {
		t.Errorf("%s, %d of %d back: a chargeback takes all", v.Status, v.Refunded, v.Total)
	}
	told := affiliate.Dispute{ID: "11", Status: affiliate.DisputeLost, Amount: 100, Currency: v.Currency, Version: 5}
	s = s.Merge(affiliate.Event{Dispute: &told})
	if v, _ := s.View(affiliate.OrderRules{}); v.Refunded != 100 {
		t.Errorf("%d back, want the 100 that the webhook told", v.Refunded)
	}
}

func TestReadOrderJourney(t *testing.T) {
	const landing = "https://shop.example/p?ref=anna&utm_content=x"
	visit := object{"landingPage": landing, "referralCode": "anna", "utmParameters": object{"content": "anna"}}
	for _, c := range []struct {
		name    string
		summary any
		want    string
	}{
		{"last_visit", object{"ready": true, "lastVisit": visit, "firstVisit": object{"landingPage": "/?ref=bob"}},
			"slug anna, utm x, utm anna"},
		{"only_first", object{"ready": true, "lastVisit": nil, "firstVisit": visit}, "slug anna, utm x, utm anna"},
		{"not_ready", object{"ready": false, "lastVisit": visit, "firstVisit": visit}, ""},
		{"none", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := readNode(t, plainOrder, func(n object) {
				n["customerJourneySummary"], n["customAttributes"] = c.summary, []any{}
			}).Events[0].Snapshot
			var got []string
			for _, l := range s.Links {
				got = append(got, string(l.Kind)+" "+l.Value)
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("links %q, want %q", got, c.want)
			}
		})
	}
}

func TestReadOrderWithoutJourneyKeepsTheLink(t *testing.T) {
	d := recorded(t, "023-orders-paid-usd-code-differs-from-landing-discount-link.json")
	told, err := Platform{}.Parse(d.Topic, d.Body)
	if err != nil {
		t.Fatal(err)
	}
	told.Events[0].Snapshot.Links = []affiliate.LinkEvidence{{Kind: affiliate.EvidenceSlug, Value: "anna"}}
	read := readNode(t, d.File, func(n object) {
		n["customerJourneySummary"], n["updatedAt"] = nil, "2027-01-01T00:00:00Z"
	})
	s := affiliate.OrderState{}.Merge(told.Events[0]).Merge(read.Events[0])
	if v, _ := s.View(affiliate.OrderRules{}); len(v.Links) != 1 || v.Links[0].Value != "anna" {
		t.Errorf("links %+v, want that of the webhook", v.Links)
	}
}

// Bulk operations cannot give the rows of refunds. What stands in until the order is read again gives way to any word
// about the rows.
func TestReadOrderWithRefundsBySum(t *testing.T) {
	const file = "025-orders-updated-usd-after-partial-refund.json"
	whole := readNode(t, file, func(object) {})
	rough := readNode(t, file, func(n object) {
		for _, f := range list(n["refunds"]) {
			for key := range f {
				if key != "id" && key != "createdAt" {
					delete(f, key)
				}
			}
			f["totalRefundedSet"] = moneyBag("USD", "10.00", nil)
		}
	})
	r := rough.Events[0].Snapshot
	if len(r.Refunds) != 1 || r.Refunds[0].Amount != 1000 || !r.Refunds[0].Unclear {
		t.Fatalf("refunds %+v, want one of 10.00 whose rows are not known", r.Refunds)
	}
	if r.Merchandise != whole.Events[0].Snapshot.Merchandise {
		t.Errorf("merchandise %d, want %d as sold", r.Merchandise, whole.Events[0].Snapshot.Merchandise)
	}
	whole.Events[0].Snapshot.Received, r.Received = 1, 2
	for _, s := range []affiliate.OrderState{
		affiliate.OrderState{}.Merge(whole.Events[0]).Merge(rough.Events[0]),
		affiliate.OrderState{}.Merge(rough.Events[0]).Merge(whole.Events[0]),
	} {
		for id, f := range s.Refunds {
			if f.Unclear {
				t.Errorf("refund %s lost its rows to the sum", id)
			}
		}
	}
}

func TestReadOrderTip(t *testing.T) {
	tip := func(n object) {
		lines := n["lineItems"].(object)
		lines["nodes"] = append(lines["nodes"].([]any), object{"id": "gid://shopify/LineItem/77", "quantity": 1,
			"currentQuantity": 1, "isGiftCard": false, "sku": nil, "discountAllocations": []any{}, "taxLines": []any{},
			"originalUnitPriceSet": moneyBag("USD", "3.00", nil)})
	}
	plain := readNode(t, plainOrder, func(object) {}).Events[0].Snapshot
	tipped := readNode(t, plainOrder, func(n object) {
		tip(n)
		n["totalTipReceivedSet"] = moneyBag("USD", "3.00", nil)
	}).Events[0].Snapshot
	sold := readNode(t, plainOrder, tip).Events[0].Snapshot
	if tipped.Merchandise != plain.Merchandise || sold.Merchandise != plain.Merchandise+300 {
		t.Errorf("merchandise %d, with a tip %d, with another line %d", plain.Merchandise, tipped.Merchandise,
			sold.Merchandise)
	}
}

func TestReadOrderFaults(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"no_order", `{"id":"gid://shopify/Order/1"}`, "currency: is missing"},
		{"bad_id", `{"id":"gid://shopify/Order/x","currencyCode":"EUR"}`, "is not an id"},
		{"lines_no_connection", `{"id":"gid://shopify/Order/1","lineItems":[]}`, "lineItems: must be an object"},
		{"html", `<html>`, "is XML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Platform{}.Parse(affiliate.TopicOrderRead, []byte(c.body))
			if affiliate.KindOf(err) != affiliate.Invalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want Invalid %q", err, c.want)
			}
		})
	}
}

func TestGoneOrderIsADeletion(t *testing.T) {
	p, err := Platform{}.Parse(affiliate.TopicOrderGone, []byte(`{"id":"6123456789012"}`))
	if err != nil || len(p.Events) != 1 || !p.Events[0].Deleted || p.Events[0].OrderID != "6123456789012" {
		t.Errorf("%+v, %v", p, err)
	}
}
