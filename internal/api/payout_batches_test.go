package api_test

import (
	"reflect"
	"strings"
	"testing"
)

// TestAPI_payoutBatches: payouts are recorded together as they were seen, listed and downloaded by their batch, and
// canceled as one.
func TestAPI_payoutBatches(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.manager
		m.call("POST", v1+"/campaigns", object{"name": "Spring"}).ok(201)
		m.call("POST", v1+"/creators", object{"name": "Anna", "email": "anna@creators.example",
			"handles": object{"instagram": "anna"}}).ok(201)
		m.call("POST", v1+"/members", object{"campaign": "cmp_1", "creator": "cre_1"}).ok(201)
		m.call("POST", v1+"/offers", object{"campaign": "cmp_1", "name": "Ten", "type": "promo_code",
			"commission": object{"percent": "10"}}).ok(201)
		m.call("POST", v1+"/offer-members", object{"offer": "off_1", "member": "mem_1"}).ok(201)
		o.owe("a", 12000)
		for query, want := range map[string]int{"?campaign=cmp_1&q=@anna&sort=-since": 1, "?offer=off_1": 1,
			"?offer=off_9": 0, "?q=ben": 0, "?campaign=cmp_9": 0} {
			due := o.viewer.call("GET", v1+"/payouts/due"+query, nil).ok(200)["data"].([]any)
			if len(due) != want {
				o.Errorf("%s finds %v", query, due)
			}
			for _, d := range due {
				d := d.(object)
				campaign := d["campaigns"].([]any)[0].(object)
				if d["handle"] != "anna" || d["part"] != "120.00" || d["since"] == nil || d["last_paid_at"] != nil ||
					campaign["id"] != "cmp_1" || campaign["name"] != "Spring" {
					o.Errorf("due: %v", d)
				}
			}
		}
		m.call("GET", v1+"/payouts/due?sort=gold", nil).problem(422, "invalid", "sort")

		of := func(amount string) object {
			return object{"payouts": []object{{"creator": "cre_1", "amount": amount}}, "method": "bank transfer",
				"reference": "SEPA 7", "note": "November"}
		}
		m.call("POST", v1+"/payout-batches", of("100.00")).problem(409, "conflict", "amount")
		m.call("POST", v1+"/payout-batches", object{"payouts": []object{}}).problem(422, "invalid", "payouts")
		o.viewer.call("POST", v1+"/payout-batches", of("120.00")).problem(403, "forbidden", "")
		b := m.call("POST", v1+"/payout-batches", of("120.00")).ok(201)
		sum := b["sums"].([]any)[0].(object)
		if b["id"] != "bat_1" || !strings.HasSuffix(b["name"].(string), " · 1 payout") || sum["amount"] != "120.00" ||
			sum["payouts"] != 1.0 || b["note"] != "November" {
			o.Errorf("batch: %v", b)
		}
		list := o.viewer.call("GET", v1+"/payouts?batch=bat_1&q=sepa", nil).ok(200)["data"].([]any)
		if len(list) != 1 || list[0].(object)["batch"] != "bat_1" || list[0].(object)["reference"] != "SEPA 7" {
			o.Errorf("payouts of it: %v", list)
		}
		file := o.viewer.call("GET", v1+"/payouts.csv?batch=bat_1&state=paid", nil)
		if !strings.HasPrefix(string(file.raw), "Name,Handle,E-mail,Amount,Currency,Reference,") ||
			!strings.Contains(string(file.raw), "\r\nAnna,anna,anna@creators.example,120.00,USD,SEPA 7,") {
			o.Errorf("the file is\n%s", string(file.raw))
		}
		m.call("POST", v1+"/payout-batches/bat_1/cancel", object{"reason": ""}).problem(422, "invalid", "reason")
		o.viewer.call("POST", v1+"/payout-batches/bat_1/cancel", object{"reason": "typo"}).problem(403, "forbidden", "")
		m.call("POST", v1+"/payout-batches/bat_9/cancel", object{"reason": "typo"}).problem(404, "not_found", "")
		canceled := m.call("POST", v1+"/payout-batches/bat_1/cancel", object{"reason": "refused"}).ok(200)
		if sum := canceled["sums"].([]any)[0].(object); sum["canceled"] != 1.0 || sum["canceled_amount"] != "120.00" {
			o.Errorf("canceled: %v", canceled)
		}
		file = o.viewer.call("GET", v1+"/payouts/due.csv?campaign=cmp_1", nil)
		if !strings.Contains(string(file.raw), "\r\nAnna,anna,anna@creators.example,120.00,USD,Spring,") {
			o.Errorf("the file of what is due is\n%s", string(file.raw))
		}
		m.call("GET", v1+"/payout-batches/bat_9", nil).problem(404, "not_found", "")
		if b := o.viewer.call("GET", v1+"/payout-batches/bat_1", nil).ok(200); !reflect.DeepEqual(b, canceled) {
			o.Errorf("it is read as %v", b)
		}
	})
}
