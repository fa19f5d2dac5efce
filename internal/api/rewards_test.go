package api_test

import (
	"fmt"
	"testing"
)

// reckon reckons all rewards that wait for it.
func (o *office) reckon() {
	o.Helper()
	if _, err := o.app.ReckonRewards(o.Context()); err != nil {
		o.Fatal(err)
	}
}

func TestAPI_rewards(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		m := o.owner
		cash := object{"offer": "off_1", "name": "First sale", "kind": "cash", "trigger": "first_conversion",
			"amount": "25.00", "approval": "person"}
		rule := m.call("POST", v1+"/reward-rules", cash).ok(201)
		if rule["id"] != "rrl_1" || rule["sentence"] != "25.00 USD for the first conversion" || rule["count"] != nil ||
			rule["threshold"] != nil || rule["currency"] != "USD" || rule["discount"] != nil || rule["from"] != nil {
			o.Errorf("the rule is %v", rule)
		}
		code := m.call("POST", v1+"/reward-rules", object{"offer": "off_1", "name": "Thanks", "kind": "code",
			"trigger": "sales", "threshold": "10.00", "currency": "EUR", "from": "2026-04-01T00:00:00Z",
			"discount": object{"kind": "percent", "percent": "10"}}).ok(201)
		if code["sentence"] != "a code (10 % off) for sales of 10.00 EUR" || code["threshold"] != "10.00" ||
			code["from"] != "2026-04-01T00:00:00Z" || code["approval"] != "rule" || code["amount"] != "0.00" {
			o.Errorf("the rule is %v", code)
		}
		for field, value := range map[string]any{"offer": "off_99", "amount": "0", "name": "", "trigger": "sales",
			"currency": "QQQ"} {
			bad := object{}
			for k, v := range cash {
				bad[k] = v
			}
			bad[field] = value
			if field == "trigger" {
				field = "threshold"
			}
			m.call("POST", v1+"/reward-rules", bad).problem(422, "invalid", field)
		}
		o.reckon()
		list := o.viewer.call("GET", v1+"/rewards?offer=off_1&creator=cre_1&campaign=cmp_1",
			nil).ok(200)["data"].([]any)
		if len(list) != 2 {
			o.Fatalf("there are %d rewards: %v", len(list), list)
		}
		first := o.viewer.call("GET", v1+"/rewards?state=to_approve", nil).ok(200)["data"].([]any)[0].(object)
		if first["id"] != "rwd_1" || first["rule_name"] != "First sale" || first["state"] != "to_approve" ||
			first["amount"] != "25.00" || first["decided_at"] != nil || first["order"] == nil ||
			first["conversions"] != 1.0 {
			o.Errorf("the reward is %v", first)
		}
		decide := func(decision string) string {
			o.Helper()
			return fmt.Sprint(m.call("POST", v1+"/rewards/decide", object{"rewards": []string{"rwd_1", "rwd_9"},
				"decision": decision, "reason": "why"}).ok(200)["data"])
		}
		const noOther = " map[outcome:failed reward:rwd_9 why:There is no rwd_9.]]"
		if got := decide("approved"); got != "[map[outcome:changed reward:rwd_1 why:<nil>]"+noOther {
			o.Errorf("got %s", got)
		}
		if got := decide("approved"); got != "[map[outcome:same reward:rwd_1 why:<nil>]"+noOther {
			o.Errorf("again: %s", got)
		}
		entry := o.viewer.call("GET", v1+"/ledger?kind=bonus", nil).ok(200)["data"].([]any)[0].(object)
		if entry["reward"] != "rwd_1" || entry["amount"] != "25.00" || entry["note"] != "First sale" {
			o.Errorf("the entry is %v", entry)
		}
		given := m.call("POST", v1+"/rewards/give", object{"rewards": []object{{"reward": "rwd_2", "code": "THANKS"},
			{"reward": "rwd_1"}}}).ok(200)["data"].([]any)
		if given[0].(object)["outcome"] != "changed" || given[1].(object)["outcome"] != "failed" {
			o.Errorf("given: %v", given)
		}
		if got := o.viewer.call("GET", v1+"/rewards/rwd_2", nil).ok(200); got["state"] != "given" ||
			got["code"] != "THANKS" || got["given_by"] == nil {
			o.Errorf("the code is %v", got)
		}
		o.viewer.call("GET", v1+"/rewards/rwd_9", nil).problem(404, "not_found", "")
		if ended := m.call("POST", v1+"/reward-rules/rrl_1/end", object{}).ok(200); ended["ended_at"] == nil {
			o.Errorf("ended: %v", ended)
		}
		if got := o.viewer.call("GET", v1+"/reward-rules/rrl_1", nil).ok(200); got["ended_at"] == nil {
			o.Errorf("ended: %v", got)
		}
		if got := o.viewer.call("GET", v1+"/reward-rules?offer=off_2", nil).ok(200)["data"].([]any); len(got) != 0 {
			o.Errorf("rules of another offer: %v", got)
		}
	})
}

func TestAPI_entries(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		m := o.owner
		bonus := object{"kind": "bonus", "creators": []string{"cre_1", "cre_99"}, "amount": "12.50", "reason": "a gift"}
		send := func() answer {
			o.Helper()
			return m.callWith(map[string]string{"Idempotency-Key": "k"}, "POST", v1+"/ledger/entries", bonus)
		}
		for range 2 {
			got := send().ok(201)
			want := "[map[amount:12.50 creator:cre_1 creator_name:Anna outcome:changed why:<nil>] map[amount:0.00 " +
				"creator:cre_99 creator_name: outcome:failed why:There is no cre_99.]]"
			if fmt.Sprint(got["data"]) != want || got["currency"] != "USD" {
				o.Errorf("got %v", got)
			}
		}
		list := o.viewer.call("GET", v1+"/ledger?kind=bonus", nil).ok(200)["data"].([]any)
		if len(list) != 1 || list[0].(object)["note"] != "a gift" || list[0].(object)["reward"] != nil {
			o.Errorf("the ledger has %v", list)
		}
		bonus["amount"] = "-1"
		m.call("POST", v1+"/ledger/entries", bonus).problem(422, "invalid", "amount")
		bonus["kind"], bonus["amount"] = "write_off", ""
		first := func() object {
			o.Helper()
			return m.call("POST", v1+"/ledger/entries", bonus).ok(201)["data"].([]any)[0].(object)
		}
		if got := first(); got["outcome"] != "same" {
			o.Errorf("got %v", got)
		}
		bonus["kind"], bonus["amount"], bonus["offer"] = "adjustment", "-3", "off_1"
		if got := first(); got["amount"] != "-3.00" {
			o.Errorf("got %v", got)
		}
	})
}
