package api_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestAPI_statements: statements are issued by who may pay, once, and say what the ledger says.
func TestAPI_statements(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
			return tx.AddLedger(o.Context(), []affiliate.LedgerEntry{{CreatorID: 1, Kind: affiliate.Bonus,
				Currency: "USD", Amount: 1000, Cause: "a bonus", CreatedAt: may20().AddDate(0, -1, 0),
				PayableAt: may20()}})
		})
		if err != nil {
			o.Fatal(err)
		}
		ask := object{"month": "2026-04"}
		o.manager.call("POST", v1+"/statements", ask).problem(403, "forbidden", "")
		for _, month := range []string{"", "2026-13", "April"} {
			o.owner.call("POST", v1+"/statements", object{"month": month}).problem(422, "invalid", "month")
		}
		o.owner.call("POST", v1+"/statements", object{"month": "2999-01"}).problem(409, "conflict", "month")
		if done := o.owner.call("POST", v1+"/statements", ask).ok(200); done["issued"] != 1.0 || done["before"] != 0.0 {
			o.Errorf("issued: %v", done)
		}
		if done := o.owner.call("POST", v1+"/statements", ask).ok(200); done["issued"] != 0.0 || done["before"] != 1.0 {
			o.Errorf("issued again: %v", done)
		}
		list := o.viewer.call("GET", v1+"/statements?month=2026-04&creator=cre_1&currency=USD&q=00001", nil).ok(200)
		if data := list["data"].([]any); len(data) != 1 || data[0].(object)["closing"] != "10.00" {
			o.Errorf("list: %v", list)
		}
		o.viewer.call("GET", v1+"/statements?month=May", nil).problem(422, "invalid", "month")
		s := o.viewer.call("GET", v1+"/statements/stm_1", nil).ok(200)
		if s["agrees"] != true || s["opening"] != "0.00" || s["earned"] != "10.00" || s["paid"] != "0.00" ||
			!strings.HasSuffix(s["number"].(string), "-00001") {
			o.Errorf("statement: %v", s)
		}
		lines := o.viewer.call("GET", v1+"/statements/stm_1/lines", nil).ok(200)["data"].([]any)
		if len(lines) != 1 || lines[0].(object)["balance"] != "10.00" {
			o.Errorf("lines: %v", lines)
		}
		for _, path := range []string{"/statements.csv", "/statements/stm_1/lines.csv", "/statements.xlsx",
			"/statements/stm_1/lines.xlsx", "/payees.csv", "/payees.xlsx"} {
			o.viewer.call("GET", v1+path, nil).ok(200)
		}
		o.viewer.call("GET", v1+"/statements/stm_9", nil).problem(404, "not_found", "")
		o.viewer.call("GET", v1+"/statements/stm_9/lines", nil).problem(404, "not_found", "")

		o.owner.call("POST", v1+"/payouts", object{"creator": "cre_1", "currency": "USD"}).ok(201)
		payees := o.viewer.call("GET", v1+"/payees", nil).ok(200)["data"].([]any)
		if len(payees) != 1 || payees[0].(object)["creator"] != "cre_1" || payees[0].(object)["rail"] != "elsewhere" {
			o.Errorf("payees: %v", payees)
		}
		o.viewer.call("GET", v1+"/payees?year=12", nil).problem(422, "invalid", "year")
	})
}
