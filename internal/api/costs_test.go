package api_test

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func TestAPI_costs_and_roi(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.Live, o.app.Now = deaf{}, may20
		store, om := o.shop("shop")
		campaign := o.viewer.call("GET", v1+"/offer-members/"+om, nil).ok(200)["campaign"].(string)
		member := o.viewer.call("GET", v1+"/members?campaign="+campaign, nil).ok(200)["data"].([]any)[0].(object)
		path := v1 + "/campaigns/" + campaign
		if got := o.viewer.call("GET", path+"/roi", nil).ok(200); got["roi"] != nil || got["gmv"] != "0.00" ||
			got["cost"] != "0.00" || got["former"] != false ||
			got["currency"] != "USD" || fmt.Sprint(got["not_converted"]) != "[]" {
			o.Errorf("nothing yet: %v", got)
		}
		o.seen(storeID(o, store), "1", "SUMMER", 10000, "USD", seenAt)
		o.seen(storeID(o, store), "2", "SUMMER", 500, "KRW", seenAt)
		o.manager.call("POST", v1+"/unowned-codes/assign", object{"store": "shop", "code": "SUMMER", "offer_member": om,
			"preview": false}).ok(200)
		rate, err := money.ParseRate("1.25")
		if err != nil {
			o.Fatal(err)
		}
		if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
			_, err := tx.SaveRates(o.Context(), []storage.ReferenceRate{{Day: "2026-05-01", Currency: "USD",
				Rate: rate}})
			return err
		}); err != nil {
			o.Fatal(err)
		}

		cost := o.manager.call("POST", path+"/costs", object{"amount": "20", "currency": "EUR", "day": "2026-05-02",
			"note": "photographer"}).ok(201)
		if cost["amount"] != "20.00" || cost["currency"] != "EUR" || cost["day"] != "2026-05-02" ||
			cost["creator"] != nil || cost["removed_at"] != nil ||
			cost["campaign"] != campaign || cost["note"] != "photographer" {
			o.Errorf("cost: %v", cost)
		}
		fixed := o.manager.call("POST", path+"/costs", object{"amount": "7.50", "note": "fixed fee",
			"creator": member["creator"]}).ok(201)
		if fixed["day"] != "2026-05-20" || fixed["currency"] != "USD" || fixed["creator"] != member["creator"] {
			o.Errorf("cost of today: %v", fixed)
		}
		o.manager.call("PATCH", v1+"/members/"+member["id"].(string), object{"product_value": "10.00",
			"product_currency": "USD"}).ok(200)
		// 100.00 ÷ (10.00 + 7.50 + 20.00 EUR at 1.25 = 42.50)
		want := object{"campaign": campaign, "former": false, "currency": "USD", "gmv": "100.00",
			"product_values": "10.00", "payouts": "0.00", "fees": "32.50", "payments_issued": "32.50", "cost": "42.50",
			"payments_due": "10.00", "roi": "2.3529", "not_converted": []any{object{"currency": "KRW", "gmv": "500",
				"product_values": "0", "payouts": "0", "fees": "0", "payments_issued": "0", "cost": "0",
				"payments_due": "0"}}}
		if got := o.viewer.call("GET", path+"/roi", nil).ok(200); fmt.Sprint(got) != fmt.Sprint(want) {
			o.Errorf("got %v, want %v", got, want)
		}

		costPath := v1 + "/costs/" + cost["id"].(string)
		o.viewer.call("POST", costPath+"/end", nil).problem(403, "forbidden", "")
		if got := o.manager.call("POST", costPath+"/end", nil).ok(200); got["removed_at"] == nil {
			o.Errorf("removed: %v", got)
		}
		if got := o.viewer.call("GET", costPath, nil).ok(200); got["removed_at"] == nil {
			o.Errorf("read: %v", got)
		}
		if got := o.viewer.call("GET", path+"/costs", nil).ok(200)["data"].([]any); len(got) != 2 {
			o.Errorf("list: %v", got)
		}
		if got := o.viewer.call("GET", path+"/costs?limit=1", nil).ok(200); len(got["data"].([]any)) != 1 ||
			got["next_cursor"] == nil {
			o.Errorf("first page: %v", got)
		}
		o.manager.call("POST", v1+"/members/"+member["id"].(string)+"/end", nil).ok(200)
		for query, roi := range map[string]string{"": "<nil>", "?include=former": "5.7143"} { // 100.00 ÷ 17.50
			if got := o.viewer.call("GET", path+"/roi"+query, nil).ok(200); fmt.Sprint(got["roi"]) != roi ||
				got["former"] != (query != "") {
				o.Errorf("%q: %v, want %s", query, got, roi)
			}
		}

		o.viewer.call("GET", v1+"/campaigns/cmp_99/roi", nil).problem(404, "not_found", "")
		o.viewer.call("GET", v1+"/campaigns/cmp_99/costs", nil).problem(404, "not_found", "")
		o.manager.call("POST", v1+"/campaigns/cmp_99/costs", object{"amount": "1", "note": "x"}).problem(404,
			"not_found", "")
		o.manager.call("POST", v1+"/costs/cst_99/end", nil).problem(404, "not_found", "")
		o.viewer.call("GET", path+"/roi?include=all", nil).problem(422, "invalid", "include")
		for field, body := range map[string]object{"amount": {"amount": "1.005", "note": "x"},
			"note": {"amount": "1", "note": " "}, "currency": {"amount": "1", "note": "x", "currency": "coins"},
			"day": {"amount": "1", "note": "x", "day": "2999-01-01"}, "creator": {"amount": "1", "note": "x",
				"creator": "cre_99"}} {
			o.manager.call("POST", path+"/costs", body).problem(422, "invalid", field)
		}
	})
}
