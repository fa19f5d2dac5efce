package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// owe posts amounts to the first offer member.
func (o *office) owe(cause string, amount int64) {
	o.Helper()
	now := time.Now()
	err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		return tx.AddLedger(o.Context(), []affiliate.LedgerEntry{{CreatorID: 1, CampaignID: 1, OfferMemberID: 1,
			Kind: affiliate.Accrual, Currency: "USD", Amount: amount, Cause: cause, CreatedAt: now, PayableAt: now}})
	})
	if err != nil {
		o.Fatal(err)
	}
}

// TestAPI_payouts: what is due is paid once, as it was seen, and is due again when the payout is canceled.
func TestAPI_payouts(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.owner
		m.call("POST", v1+"/campaigns", object{"name": "Spring"}).ok(201)
		m.call("POST", v1+"/creators", object{"name": "Anna"}).ok(201)
		m.call("POST", v1+"/members", object{"campaign": "cmp_1", "creator": "cre_1"}).ok(201)
		m.call("POST", v1+"/offers", object{"campaign": "cmp_1", "name": "Ten", "type": "promo_code",
			"commission": object{"percent": "10"}}).ok(201)
		m.call("POST", v1+"/offer-members", object{"offer": "off_1", "member": "mem_1"}).ok(201)
		o.owe("a", 12000)
		due := o.viewer.call("GET", v1+"/payouts/due", nil).ok(200)["data"].([]any)
		if d := due[0].(object); len(due) != 1 || d["creator"] != "cre_1" || d["creator_name"] != "Anna" ||
			d["amount"] != "120.00" || d["currency"] != "USD" || d["accounts"] != 1.0 {
			o.Errorf("due: %v", due)
		}
		if due := m.call("GET", v1+"/payouts/due?currency=eur", nil).ok(200)["data"].([]any); len(due) != 0 {
			o.Errorf("due in euros: %v", due)
		}
		m.call("GET", v1+"/payouts/due?currency=QQQ", nil).problem(422, "invalid", "currency")

		if d := o.owner.call("POST", v1+"/payouts", object{"creator": "cre_1", "amount": "100.00"}).problem(409,
			"conflict",
			"amount"); !strings.Contains(d, "120.00 USD is due to Anna (cre_1), not 100.00") {
			o.Errorf("detail %q", d)
		}
		o.owner.call("POST", v1+"/payouts", object{"creator": "cre_1", "amount": "120.001"}).problem(422, "invalid",
			"amount")
		o.owner.call("POST", v1+"/payouts", object{"creator": "anna"}).problem(422, "invalid", "creator")
		o.owner.call("POST", v1+"/payouts", object{"creator": "cre_9"}).problem(422, "invalid", "creator")
		o.owner.call("POST", v1+"/payouts", object{"creator": "cre_1", "currency": "EUR"}).problem(409, "conflict",
			"creator")
		o.viewer.call("POST", v1+"/payouts", object{"creator": "cre_1"}).problem(403, "forbidden", "")

		paid := o.owner.call("POST", v1+"/payouts", object{"creator": "cre_1", "amount": "120",
			"method":    "bank transfer",
			"reference": "SEPA 7"}).ok(201)
		if paid["id"] != "pay_1" || paid["amount"] != "120.00" || paid["state"] != "paid" ||
			paid["reference"] != "SEPA 7" || !strings.Contains(paid["author"].(string), "owner") {
			o.Errorf("payout: %v", paid)
		}
		o.owner.call("POST", v1+"/payouts", object{"creator": "cre_1"}).problem(409, "conflict", "creator")
		read := o.viewer.call("GET", v1+"/payouts/pay_1", nil).ok(200)
		entries := read["entries"].([]any)
		if e := entries[0].(object); len(entries) != 1 || read["creator"] != "cre_1" || e["amount"] != "-120.00" ||
			e["campaign"] != "cmp_1" || e["campaign_name"] != "Spring" ||
			e["offer_member"] != "ofm_1" || e["offer_name"] != "Ten" {
			o.Errorf("read payout: %v", read)
		}
		m.call("GET", v1+"/payouts/pay_9", nil).problem(404, "not_found", "")

		o.owner.call("POST", v1+"/payouts/pay_1/cancel", object{"reason": ""}).problem(422, "invalid", "reason")
		o.viewer.call("POST", v1+"/payouts/pay_1/cancel", object{"reason": "typo"}).problem(403, "forbidden", "")
		if got := o.owner.call("POST", v1+"/payouts/pay_1/cancel", object{"reason": "account closed"}).
			ok(200); got["state"] != "canceled" {
			o.Errorf("canceled: %v", got)
		}
		if entries := m.call("GET", v1+"/payouts/pay_1", nil).ok(200)["entries"].([]any); len(entries) != 2 ||
			entries[1].(object)["note"] != "account closed" ||
			entries[1].(object)["amount"] != "120.00" {
			o.Errorf("entries: %v", entries)
		}
		o.owner.call("POST", v1+"/payouts", object{"creator": "cre_1"}).ok(201)
		today := time.Now().UTC().Format(time.DateOnly)
		for query, want := range map[string]string{"": "pay_2 pay_1", "state=canceled": "pay_1",
			"creator=cre_1&state=paid": "pay_2", "limit=1": "pay_2", "from=2001-01-01&to=" + today: "pay_2 pay_1",
			"to=2001-01-01": "", "from=2101-01-01": ""} {
			var ids []string
			for _, p := range o.viewer.call("GET", v1+"/payouts?"+query, nil).ok(200)["data"].([]any) {
				ids = append(ids, p.(object)["id"].(string))
				if p.(object)["creator_name"] != "Anna" {
					o.Errorf("listed: %v", p)
				}
			}
			if strings.Join(ids, " ") != want {
				o.Errorf("?%s lists %v, want %s", query, ids, want)
			}
		}
		m.call("GET", v1+"/payouts?creator=anna", nil).problem(422, "invalid", "creator")
		m.call("GET", v1+"/payouts?from=yesterday", nil).problem(422, "invalid", "from")
		m.call("GET", v1+"/payouts?state=draft", nil).problem(422, "invalid", "state")
	})
}
