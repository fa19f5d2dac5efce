package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func TestPayouts(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	m := h.manager()
	a := m.get("/payouts").is(http.StatusOK).says("2 creators, 23.12 USD")
	a.rows("section[aria-labelledby=due-title] table", " | Anna Ahlers | 5.00 USD", " | Ben Botha | 18.12 USD")
	a.rows("section[aria-labelledby=issued-title] table", "pay_1 | Anna Ahlers | 20 Nov 2026, 13:00 Max Manager "+
		"(max@northwind.example) | bank transfer SEPA 2026-11 | Paid | 32.24 USD")
	var seen []string
	for _, box := range a.all("input[name=ids]") {
		seen = append(seen, box.attr("value"))
	}
	if strings.Join(seen, " ") != "cre_1.USD.500 cre_2.USD.1812" {
		t.Fatalf("the boxes stand for %v", seen)
	}

	// What was seen is no longer due: nothing is recorded, and what was typed stays.
	h.sell(sale{code: "ANNA10", value: 10_00})
	a = m.post("/payouts", "ids", seen[0], "ids", seen[1], "method", "bank transfer", "reference",
		"SEPA 12").is(http.StatusUnprocessableEntity).
		says("6.00 USD is due to Anna Ahlers (cre_1), not 5.00; look again", "Nothing was recorded")
	if a.one("input#reference").attr("value") != "SEPA 12" || len(a.all("input[name=ids][checked]")) != 1 {
		t.Errorf("the form comes back as\n%s", a.text())
	}
	m.post("/payouts", "ids", "cre_1.USD.600", "ids", seen[1], "method", "bank transfer", "reference",
		"SEPA 12").at("/payouts").
		says("2 payouts recorded: 24.12 USD", "Nobody is to be paid now").
		rows("section[aria-labelledby=issued-title] table", "pay_3 | Ben Botha | 20 Nov 2026, 13:00 Max Manager "+
			"(max@northwind.example) | bank transfer SEPA 12 | Paid | 18.12 USD",
			"pay_2 | Anna Ahlers | 20 Nov 2026, 13:00 Max Manager (max@northwind.example) | bank transfer SEPA 12 | "+
				"Paid | 6.00 USD",
			"pay_1 | Anna Ahlers | 20 Nov 2026, 13:00 Max Manager (max@northwind.example) | bank transfer SEPA "+
				"2026-11 | Paid | 32.24 USD")
	m.post("/payouts", "ids", seen[1]).is(http.StatusUnprocessableEntity).says("Nothing is due to Ben Botha")
	m.post("/payouts").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	for _, wrong := range []string{"cre_1", "cre_1.USD", "cre_1.USD.x", "anna.USD.1", "cre_1.gold.1"} {
		m.post("/payouts", "ids", wrong).is(http.StatusUnprocessableEntity).says("names no payment")
	}
	m.post("/payouts", "nothing", "1", "ids", seen[0]).at("/payouts")
	h.consistent()

	v := h.viewer().get("/payouts").is(http.StatusOK)
	if v.has("input[name=ids]") || v.has("form[method=post] button.small[type=submit]") &&
		strings.Contains(v.text(), "Record as paid") {
		t.Error("a viewer sees buttons that would be refused")
	}
	h.viewer().post("/payouts", "ids", "cre_1.USD.1").is(http.StatusForbidden)
	h.viewer().get("/payouts?state=draft").is(http.StatusUnprocessableEntity)
}

func TestPayout_cancel(t *testing.T) {
	h := busyHouse(t)
	m := h.manager()
	m.get("/payouts/pay_1").is(http.StatusOK).says("32.24 USD to Anna Ahlers", "SEPA 2026-11").
		rows("main table", "20 Nov 2026, 13:00 | Spring · Ten percent |  | −27.99 USD",
			"20 Nov 2026, 13:00 | Holiday gifts · Gift links |  | −4.25 USD")
	m.post("/payouts/pay_1/cancel", "reason", " ").is(http.StatusUnprocessableEntity).says("Must say why")
	h.viewer().get("/payouts/pay_1").is(http.StatusOK).hides("Cancel the payout")
	h.viewer().post("/payouts/pay_1/cancel", "reason", "mine").is(http.StatusForbidden)
	m.post("/payouts/pay_1/cancel", "reason", "account closed").at("/payouts/pay_1").says("The payout is canceled",
		"Canceled", "account closed", "27.99 USD").hides("Cancel the payout")
	m.get("/payouts").says("Anna Ahlers 32.24 USD")
	m.get("/payouts?state=canceled").rows("section[aria-labelledby=issued-title] table",
		"pay_1 | Anna Ahlers | 20 Nov 2026, 13:00 Max Manager (max@northwind.example) | bank transfer SEPA 2026-11 | "+
			"Canceled | 32.24 USD")
	m.get("/payouts?state=paid").says("No payout is paid")
	m.get("/payouts/pay_9").is(http.StatusNotFound)
	h.consistent()
}

// TestPayouts_minimumAndHold: the page says why somebody waits.
func TestPayouts_minimumAndHold(t *testing.T) {
	h := newHouse(t)
	_, err := h.app.SetSettings(h.as(affiliate.RoleOwner), []app.Setting{{Key: "minimum_payout", Value: "5"},
		{Key: "hold_days", Value: "14"}})
	h.must(err)
	h.sell(sale{code: "ANNA10", value: 100_00}, sale{code: "BEN5", value: 10_00})
	h.manager().get("/payouts").says("Nobody is to be paid now", "14 days have passed, once they reach 5.00 USD")
	h.manager().get("/creators/cre_1").says("Balance 10.00 USD", "Not payable yet 10.00", "Payable now 0.00")
	h.clock.advance(15 * 24 * time.Hour)
	h.owner().get("/payouts").says("1 creator, 10.00 USD", "Creators with less than 5.00 USD wait",
		"14 days after they were earned").
		rows("section[aria-labelledby=due-title] table", " | Anna Ahlers | 10.00 USD")
}

// TestPayouts_browser: paying takes selecting and one button, never the enter key alone.
func TestPayouts_browser(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.open("/payouts")
	b.eval(`document.querySelector("input[name=ids]").click()`)
	b.says("1 selected")
	b.eval(`document.querySelector("input[name=ids]").focus()`)
	b.keys("\r")
	b.fill("#reference", "SEPA 13")
	b.keys("\r")
	b.eval(`document.querySelector("input[name=ids]").click()`)
	b.eval(`document.querySelector("input[name=ids]").click()`)
	if list, _, err := h.db.Payouts(h.Context(), storage.PayoutFilter{Creator: h.creator("Ben Botha").ID},
		storage.Page{}); err != nil || len(list) != 0 {
		t.Fatalf("the enter key paid %v, %v", list, err)
	}
	b.clickText("Record as paid")
	b.says("1 payout recorded: 18.12 USD", "Nobody is to be paid now", "SEPA 13")
}
