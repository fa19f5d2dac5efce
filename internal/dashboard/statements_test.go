package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestStatements: once a month is over its statements are issued by who may pay, found, read, printed and downloaded.
func TestStatements(t *testing.T) {
	h := busyHouse(t)
	h.clock.advance(11 * 24 * time.Hour) // 1 December
	o, m := h.owner(), h.manager()
	const open = "The statements of November 2026 are not issued yet"
	o.get("/").says(open)
	o.get("/statements").is(http.StatusOK).says(open, "No statement yet", "Issue the statements of a month")
	m.get("/statements").says(open).hides("Issue the statements of a month")
	m.post("/statements", "month", "2026-11").is(http.StatusForbidden)
	o.post("/statements", "month", "2026-12").is(http.StatusUnprocessableEntity).says("December 2026 is not over yet")
	o.post("/statements", "month", "soon").is(http.StatusUnprocessableEntity).says("it looks like 2026-10")
	o.post("/statements", "month", "2026-11").at("/statements?month=2026-11").
		says("2 statements of November 2026 issued", "2026-00001", "2026-00002").hides(open)
	o.post("/statements", "month", "2026-11").says("No statement of November 2026 is missing")

	o.get("/statements?q=00002").says("2026-00002").hides("2026-00001")
	o.get("/statements?month=2026-10").says("No statement matches")
	o.get("/statements?month=x").is(http.StatusUnprocessableEntity)
	o.get("/statements?creator=cre_1").says("Statements of Anna Ahlers", "2026-00001").hides("2026-00002")
	if !o.get("/creators/cre_1").has("a[href=/statements?creator=cre_1]") {
		t.Error("the creator's page does not lead to their statements")
	}

	for _, address := range []string{"/statements/stm_1", "/statements/stm_1/print"} {
		m.get(address).is(http.StatusOK).says("Statement 2026-00001", "Northwind", "Anna Ahlers",
			"1 Nov 2026 to 30 Nov 2026", "Opening balance 0.00 USD", "Paid 32.24 USD", "SEPA 2026-11").
			hides("The ledger says something else")
	}
	file := m.get("/statements/stm_1/lines.csv").is(http.StatusOK)
	if !strings.Contains(file.body, "payout,USD,-4.25,") {
		t.Errorf("the payout is not in the file:\n%s", file.body)
	}
	if file := m.get("/statements.csv?month=2026-11").is(http.StatusOK); strings.Count(file.body, "2026-0000") != 2 {
		t.Errorf("the month's file is\n%s", file.body)
	}
	o.get("/statements/stm_9").is(http.StatusNotFound)
	o.get("/settings/audit").says("issued statements")
}

// TestPayees_page: what was paid in a year, with the sum of all rows.
func TestPayees_page(t *testing.T) {
	h := busyHouse(t)
	m := h.manager()
	m.get("/payouts/payees").is(http.StatusOK).says("Payees of 2026", "In all 1 payout, 32.24 USD", "Anna Ahlers",
		"for you to judge", "$2,000")
	m.get("/payouts/payees?year=2025").says("Nobody was paid in 2025")
	m.get("/payouts/payees?q=ben").says("No payee matches")
	for _, wrong := range []string{"soon", "0", "1", "99999"} {
		m.get("/payouts/payees?year=" + wrong).is(http.StatusUnprocessableEntity)
	}
	if file := m.get("/payouts/payees.csv?year=2026"); !strings.Contains(file.body, "elsewhere,1,32.24,USD") {
		t.Errorf("the file is\n%s", file.body)
	}
}
