package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/recordings"
)

// planted processes orders of a WooCommerce store "garden" of 100.00 EUR each, as their statuses and payment dates say:
// "101 shipped paid". The last word may be the parent of a marketplace's part.
func (o *office) planted(orders ...[4]string) {
	o.Helper()
	const secret = "secret-of-the-garden"
	o.owner.call("POST", v1+"/stores", object{"platform": "woocommerce", "slug": "garden", "name": "Garden",
		"domain": "garden.example", "currency": "EUR", "timezone": "UTC", "webhook_secret": secret}).ok(201)
	set := recordings.Set{}
	set.Store.Platform, set.Store.Slug = woocommerce.Name, "garden"
	for _, order := range orders {
		paid, parent := "null", "0"
		if order[2] != "" {
			paid = `"2026-11-20T09:01:00"`
		}
		if order[3] != "" {
			parent = order[3]
		}
		body := []byte(fmt.Sprintf(`{"id":%s,"number":"%[1]s","status":%q,"date_paid_gmt":%s,"parent_id":%s,"currency":"EUR",
			"created_via":"dokan","total":"100.00","total_tax":"0.00","date_created_gmt":"2026-11-20T09:00:00",
			"date_modified_gmt":"2026-11-20T09:05:00","billing":{"country":"DE"},"refunds":[],"coupon_lines":[],"line_items":
			[{"id":1,"quantity":1,"subtotal":"100.00","total":"100.00","total_tax":"0.00"}],"shipping_lines":[],"fee_lines":[]}`,
			order[0], order[1], paid, parent))
		set.Requests = append(set.Requests, recordings.Request{File: order[0], Body: body,
			Header: http.Header{"X-Wc-Webhook-Topic": {"order.updated"},
				"X-Wc-Webhook-Signature": {woocommerce.Sign([]byte(secret), body)}}})
	}
	o.process(set)
}

// TestAPI_statuses: what plugins' statuses mean is listed and decided, after a preview that changes nothing.
func TestAPI_statuses(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.Live = deaf{}
		o.planted([4]string{"101", "shipped", "paid"}, [4]string{"102", "shipped", "paid"},
			[4]string{"103", "lost", ""}, [4]string{"104", "completed", "paid"})
		const path = v1 + "/stores/garden/statuses"
		list := o.viewer.call("GET", path, nil).ok(200)["data"].([]any)
		if len(list) != 2 {
			o.Fatalf("listed: %v", list)
		}
		shipped := list[1].(object)
		if shipped["status"] != "shipped" || shipped["meaning"] != nil || shipped["orders"] != 2.0 {
			o.Errorf("listed: %v", list)
		}
		decision := object{"statuses": object{"wc-shipped": "canceled", "lost": "paid"}}
		o.viewer.call("PUT", path+"?preview=true", decision).problem(403, "forbidden", "")
		preview := o.manager.call("PUT", path+"?preview=true", decision).ok(200)
		changes := preview["changes"].(object)
		if preview["applied"] != false || changes["concerned"] != 3.0 || changes["changed"] != 3.0 ||
			len(changes["orders"].([]any)) != 3 {
			o.Errorf("previewed: %v", preview)
		}
		if moves := fmt.Sprint(changes["moves"]); moves !=
			"[map[currency:EUR from:paid orders:2 to:canceled value:-200.00] "+
				"map[currency:EUR from:pending orders:1 to:paid value:0.00]]" {
			o.Errorf("moves: %s", moves)
		}
		first := changes["orders"].([]any)[0].(object)
		if fmt.Sprintf("%v %v %v", first["before"], first["after"], first["custom_status"]) !=
			"map[status:paid value:100.00] map[status:canceled value:0.00] shipped" {
			o.Errorf("the first order: %v", first)
		}
		orders := func(query string) string {
			return numbersOf(o.viewer.call("GET", v1+"/orders?"+query, nil).ok(200))
		}
		if got := orders("status=paid"); got != "104 102 101" {
			o.Errorf("the preview changed something: paid are %s", got)
		}
		done := o.manager.call("PUT", path, decision).ok(200)
		if done["applied"] != true || done["changes"] != nil ||
			done["statuses"].([]any)[1].(object)["meaning"] != "canceled" {
			o.Errorf("decided: %v", done)
		}
		o.manager.call("PUT", path, object{"statuses": object{"lost": nil}}).problem(409, "conflict", "statuses")
		if err := o.app.Recalculate(o.Context()); err != nil {
			o.Fatal(err)
		}
		if got := orders("status=canceled&custom_status=shipped"); got != "102 101" {
			o.Errorf("canceled are %s", got)
		}
		o.manager.call("PUT", path, object{"statuses": object{"lost": nil, "returned": "refunded"}}).ok(200)
		list = o.viewer.call("GET", path, nil).ok(200)["data"].([]any)
		if len(list) != 3 || list[0].(object)["meaning"] != nil || list[1].(object)["meaning"] != "refunded" {
			o.Errorf("taken back: %v", list)
		}
		for status, meaning := range map[string]string{"completed": "paid", "shipped": "gone"} {
			o.manager.call("PUT", path, object{"statuses": object{status: meaning}}).problem(422, "invalid", "statuses")
		}
		o.manager.call("PUT", path, object{"statuses": object{}}).problem(422, "invalid", "statuses")
		o.manager.call("PUT", v1+"/stores/nowhere/statuses", decision).problem(404, "not_found", "")
	})
}

// numbersOf are the numbers of a list of orders, by spaces.
func numbersOf(list object) (text string) {
	for i, row := range list["data"].([]any) {
		if i > 0 {
			text += " "
		}
		text += row.(object)["number"].(string)
	}
	return text
}

// TestAPI_doubts: orders in doubt are counted by kind and listed by it, and so are parts of orders.
func TestAPI_doubts(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.Live = deaf{}
		o.planted([4]string{"101", "processing", "paid"}, [4]string{"101", "completed", "paid"},
			[4]string{"102", "processing", "paid"}, [4]string{"103", "processing", "paid", "101"})
		got := o.viewer.call("GET", v1+"/stores/garden/doubts", nil).ok(200)
		if got["orders"] != 1.0 || got["settled"] != app.DoubtsSettled ||
			len(got["doubts"].([]any)) != len(affiliate.Words[affiliate.Doubt]()) {
			o.Fatalf("doubts: %v", got)
		}
		for _, row := range got["doubts"].([]any) {
			kind := row.(object)
			code := kind["code"].(string)
			listed := numbersOf(o.viewer.call("GET", v1+"/stores/garden/orders?doubt="+code, nil).ok(200))
			want, orders := 0.0, ""
			if code == "same_second" {
				want, orders = 1.0, "101"
			}
			if kind["orders"] != want || listed != orders || kind["sentence"] != affiliate.Doubt(code).Sentence() {
				o.Errorf("%v, listed %q", kind, listed)
			}
		}
		for query, want := range map[string]string{"doubt=any": "101", "parts=true": "103",
			"doubt=any&parts=true": ""} {
			if got := numbersOf(o.viewer.call("GET", v1+"/orders?"+query, nil).ok(200)); got != want {
				o.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		part := o.viewer.call("GET", v1+"/orders/garden/103", nil).ok(200)
		if part["part"] != true || part["parent"] != "101" || part["not_credited"] != affiliate.ReasonPart {
			o.Errorf("the part is %v", part)
		}
		o.viewer.call("GET", v1+"/orders?doubt=none", nil).problem(422, "invalid", "doubt")
		o.viewer.call("GET", v1+"/stores/nowhere/doubts", nil).problem(404, "not_found", "")
	})
}
