package api_test

import (
	"fmt"
	"testing"
)

// TestPaymentDetails: owners say where creators are paid; everybody who reads sees it covered; nobody else changes it.
func TestPaymentDetails(t *testing.T) {
	eachOffice(t, func(o *office) {
		creator := o.owner.call("POST", v1+"/creators", object{"name": "Anna Keller"}).ok(201)["id"].(string)
		path := v1 + "/creators/" + creator + "/payment-details"
		if d := o.viewer.call("GET", path, nil).ok(200); d["method"] != nil || d["creator_id"] != creator {
			t.Errorf("nobody has said anything, but %v", d)
		}
		paypal := object{"method": "paypal", "email": "anna@example.com"}
		for _, c := range []client{o.manager, o.viewer} {
			c.call("PUT", path, paypal).problem(403, "forbidden", "")
			c.call("DELETE", path, nil).problem(403, "forbidden", "")
		}
		o.owner.call("PUT", path, object{"method": "paypal"}).problem(422, "invalid", "email")
		o.owner.call("PUT", path, object{"method": "gift_card", "email": "anna@example.com", "store_id": "str_9"}).
			problem(422, "invalid", "store_id")
		o.owner.call("PUT", path, object{"method": "bank", "holder": "Anna", "iban": "DE03120300000000202051"}).
			problem(422, "invalid", "iban")
		o.owner.call("PUT", v1+"/creators/cre_99/payment-details", paypal).problem(404, "not_found", "")
		o.viewer.call("GET", v1+"/creators/cre_99/payment-details", nil).problem(404, "not_found", "")

		o.owner.call("PUT", path, paypal).ok(200)
		d := o.owner.call("PUT", path, object{"method": "bank", "holder": "Anna Keller", "type": "business",
			"iban": "fr14 2004 1010 0505 0001 3m02 606", "address": object{"town": "Paris", "country": "fr"}}).ok(200)
		got := fmt.Sprint(d["method"], " ", d["destination"], " ", d["holder"], " ", d["country"])
		if got != "bank FR14 … 2606 Anna Keller FR" || d["usable_at"].(string) <= d["created_at"].(string) {
			t.Errorf("%v", d)
		}
		before := o.viewer.call("GET", path, nil).ok(200)["before"].([]any)
		if len(before) != 1 || before[0].(object)["destination"] != "a•••@example.com" {
			t.Errorf("before it was %v", before)
		}
		if d := o.owner.call("DELETE", path, nil).ok(200); d["method"] != nil || len(d["before"].([]any)) != 2 {
			t.Errorf("taken away, but %v", d)
		}
	})
}
