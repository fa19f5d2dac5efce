package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

const dueTable, confirmTable = "section[aria-labelledby=due-title] table", "section[aria-labelledby=who-title] table"

// hidden reads what a page's form would send besides what people fill: names and values by turns.
func (a answer) hidden() (fields []string) {
	for _, field := range a.all("main input[type=hidden]") {
		fields = append(fields, field.attr("name"), field.attr("value"))
	}
	return fields
}

func TestPayouts(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	m := h.manager()
	a := m.get("/payouts").is(http.StatusOK).says("2 payments, 23.12 USD", "Pay all 2: 23.12 USD")
	a.rows(dueTable, " | Ben Botha | @ben | Spring | 20 Nov 2026 | never | 18.12 USD",
		" | Anna Ahlers | @anna | Spring | 20 Nov 2026 | 20 Nov 2026 | 5.00 USD")
	m.get("/payouts/recorded").says("1 payout, 32.24 USD").rows("main table",
		"Payout to Anna Ahlers, 20 Nov 2026 | 20 Nov 2026, 13:00 | bank transfer SEPA 2026-11 | Paid | 32.24 USD")
	var seen []string
	for _, box := range a.all("input[name=ids]") {
		seen = append(seen, box.attr("value"))
	}
	if strings.Join(seen, " ") != "cre_2.USD.1812 cre_1.USD.500" {
		t.Fatalf("the boxes stand for %v", seen)
	}

	// Nothing is recorded before it is asked about.
	a = m.post("/payouts/confirm", "ids", seen[0], "ids", seen[1]).is(http.StatusOK).says("Record 2 payouts?",
		"Nothing is recorded yet", "In all 23.12 USD", "Record 2 payouts: 23.12 USD")
	a.rows(confirmTable, "Anna Ahlers | @anna | 5.00 USD", "Ben Botha | @ben | 18.12 USD")
	sent := append(a.hidden(), "method", "bank transfer", "reference", "SEPA 12", "note", "November", "paid_on",
		"2026-11-19")

	// What was seen is no longer due: nothing is recorded, what was typed stays, and it is asked again.
	h.sell(sale{code: "ANNA10", value: 10_00})
	a = m.post("/payouts", sent...).is(http.StatusUnprocessableEntity).says("Something else is due by now",
		"Nothing was recorded", "One amount is not what you have seen", "was 5.00 USD", "In all 24.12 USD")
	if a.one("input#reference").attr("value") != "SEPA 12" || a.one("input#paid_on").attr("value") != "2026-11-19" ||
		a.one("input#note").attr("value") != "November" {
		t.Errorf("the form comes back as\n%s", a.text())
	}
	sent = append(a.hidden(), "method", "bank transfer", "reference", "SEPA 12", "note", "November", "paid_on",
		"2026-11-19")
	for range 2 { // the button that is pressed twice records once
		m.post("/payouts", sent...).at("/payouts/batches/bat_1").says("2 payouts recorded: 24.12 USD",
			"19 Nov 2026 · 2 payouts", "November").rows("main table", "Ben Botha | @ben | Paid | 18.12 USD",
			"Anna Ahlers | @anna | Paid | 6.00 USD")
	}
	m.get("/payouts").says("Nobody is to be paid now")
	m.get("/payouts/recorded?q=sepa+12").says("2 payouts, 24.12 USD")
	m.get("/payouts/batches").rows("main table", "19 Nov 2026 · 2 payouts | SEPA 12 November | Max Manager "+
		"(max@northwind.example) 20 Nov 2026, 13:00 | Paid | 24.12 USD")
	m.post("/payouts", "ids", seen[0]).is(http.StatusUnprocessableEntity).says("somebody else may have recorded it")
	m.post("/payouts/confirm", "ids", seen[0]).is(http.StatusUnprocessableEntity).says("due any more")
	m.post("/payouts/confirm").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	m.post("/payouts").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	for _, wrong := range []string{"cre_1", "cre_1.USD", "cre_1.USD.x", "anna.USD.1", "cre_1.gold.1"} {
		m.post("/payouts", "ids", wrong).is(http.StatusUnprocessableEntity).says("names no payment")
		m.post("/payouts/confirm", "ids", wrong).is(http.StatusUnprocessableEntity).says("names no payment")
	}
	m.get("/payouts/confirm?q=ben").at("/payouts?q=ben")
	h.consistent()

	v := h.viewer().get("/payouts").is(http.StatusOK)
	if v.has("input[name=ids]") || v.has("button[name=all]") {
		t.Error("a viewer sees buttons that would be refused")
	}
	h.viewer().post("/payouts", "ids", "cre_1.USD.1").is(http.StatusForbidden)
	h.viewer().post("/payouts/confirm", "ids", "cre_1.USD.1").is(http.StatusForbidden)
	h.viewer().get("/payouts/recorded?state=draft").is(http.StatusUnprocessableEntity)
}

// TestPayouts_confirm: what is wrong with the form is said at its field, the enter key records nothing, and who is not
// due any more is left out and named.
func TestPayouts_confirm(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	m := h.manager()
	form := m.post("/payouts/confirm", "all", "1").is(http.StatusOK).hidden()
	m.post("/payouts", append(form, "paid_on", "2026-12-24")...).is(http.StatusUnprocessableEntity).
		says("Must be today (2026-11-20) or an earlier day")
	m.post("/payouts", append(form, "nothing", "1", "reference", "typed")...).is(http.StatusOK).
		says("Record 2 payouts?")
	_, err := h.app.IssuePayout(h.as(affiliate.RoleOwner), app.NewPayout{Creator: h.creator("Ben Botha").ID})
	h.must(err)
	a := m.post("/payouts", form...).is(http.StatusUnprocessableEntity).says("Not due any more, and left out: "+
		"Ben Botha (18.12 USD)", "Record 1 payout: 5.00 USD")
	m.post("/payouts", append(a.hidden(), "paid_on", "2026-11-20")...).at("/payouts/pay_3").
		says("1 payout recorded: 5.00 USD", "5.00 USD to Anna Ahlers")
	h.consistent()
}

// TestPayouts_narrowed: the list is searched, narrowed, sorted and downloaded; a campaign keeps creators, and the page
// says that they are paid the whole.
func TestPayouts_narrowed(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00}, sale{slug: "anna-gifts", value: 40_00},
		sale{code: "BEN5", value: 70_00})
	m := h.manager()
	m.get("/payouts?q=%40ben").says("1 payment, 7.00 USD", "Pay it: 7.00 USD").hides("Anna Ahlers")
	m.get("/payouts?q=nobody").says("No payment due matches")
	m.get("/payouts?sort=creator").rows(dueTable,
		" | Anna Ahlers | @anna | Holiday gifts, Spring | 20 Nov 2026 | never | 14.00 USD",
		" | Ben Botha | @ben | Spring | 20 Nov 2026 | never | 7.00 USD")
	gifts := h.campaign("Holiday gifts").ID.String()
	a := m.get("/payouts?campaign="+gifts).says("payable from Holiday gifts: 4.00 USD in all",
		"A payout pays each of them the whole amount", "14.00 USD 4.00 USD from Holiday gifts")
	if offers := a.texts("select#offer option"); len(offers) != 2 {
		t.Errorf("offers to choose from: %v", offers)
	}
	of := a.all("select#offer option")[1].attr("value")
	m.get("/payouts?campaign=" + gifts + "&offer=" + of).says("4.00 USD in all")
	m.get("/payouts?offer=" + of).says("4.00 USD in all")
	m.get("/payouts?campaign=" + h.campaign("Spring").ID.String() + "&offer=" + of).
		at("/payouts?campaign=" + h.campaign("Spring").ID.String()).says("payable from Spring: 17.00 USD in all")
	confirm := a.one("form[data-select]").attr("action")
	m.post(confirm, "all", "1").is(http.StatusOK).says("Record 1 payout?", "In all 14.00 USD").hides("Ben Botha")
	if file := m.get("/payouts/due.csv?q=%40ben&sort=creator").is(http.StatusOK); !strings.Contains(file.body,
		"Ben Botha,ben,ben@creators.example,7.00,USD,Spring,") || strings.Contains(file.body, "Anna") {
		t.Errorf("the file is\n%s", file.body)
	}
	m.post("/columns/due", "columns", "email", "columns", "since").is(http.StatusOK)
	m.get("/payouts?q=ben").rows(dueTable, " | Ben Botha | ben@creators.example | 20 Nov 2026 | 7.00 USD")
	m.get("/payouts?sort=gold").is(http.StatusUnprocessableEntity).
		says("must be creator, -creator, amount, -amount, since, -since, last or -last")
	m.get("/payouts?campaign=gold").is(http.StatusUnprocessableEntity)
}

// TestPayouts_recalculation: while figures are shown as before a change, payments due are those that can be recorded.
func TestPayouts_recalculation(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00})
	_, err := h.app.SetSettings(h.as(affiliate.RoleOwner), []app.Setting{{Key: "minimum_payout", Value: "25"}})
	h.must(err)
	m := h.manager()
	m.get("/payouts").hides("Anna Ahlers")
	_, err = h.app.SetSettings(h.as(affiliate.RoleOwner), []app.Setting{{Key: "currency", Value: "EUR"},
		{Key: "timezone", Value: "Pacific/Kiritimati"}})
	h.must(err)
	m.get("/").says("Figures are as before the change")
	a := m.get("/payouts").says("10.00 USD", "Anna Ahlers")
	if file := m.get("/payouts/due.csv"); !strings.Contains(file.body, "Anna Ahlers") {
		t.Errorf("the file is\n%s", file.body)
	}
	value := a.one("input[name=ids][type=checkbox]").attr("value")
	a = m.post("/payouts/confirm", "ids", value).is(http.StatusOK).says("Record 1 payout?")
	if day := a.one("#paid_on").attr("value"); day != "2026-11-21" {
		t.Errorf("paid on %s, want the day of the new time zone", day)
	}
	m.post("/payouts", "ids", value, "paid_on", "2026-11-21", "form", a.one("input[name=form]").attr("value")).
		is(http.StatusOK).says("1 payout recorded: 10.00 USD.")
}

func TestPayout_cancel(t *testing.T) {
	h := busyHouse(t)
	m := h.manager()
	m.get("/payouts/pay_1").is(http.StatusOK).says("32.24 USD to Anna Ahlers", "Payout to Anna Ahlers, 20 Nov 2026",
		"SEPA 2026-11").hides("pay_1").
		rows("main table", "20 Nov 2026, 13:00 | Spring · Ten percent |  | −27.99 USD",
			"20 Nov 2026, 13:00 | Holiday gifts · Gift links |  | −4.25 USD")
	m.post("/payouts/pay_1/cancel", "reason", " ").is(http.StatusUnprocessableEntity).says("Must say why")
	h.viewer().get("/payouts/pay_1").is(http.StatusOK).hides("Cancel the payout")
	h.viewer().post("/payouts/pay_1/cancel", "reason", "mine").is(http.StatusForbidden)
	m.post("/payouts/pay_1/cancel", "reason", "account closed").at("/payouts/pay_1").says("The payout is canceled",
		"Canceled", "account closed", "27.99 USD").hides("Cancel the payout")
	m.get("/payouts").says("Anna Ahlers @anna Holiday gifts, Spring 20 Nov 2026 never 32.24 USD")
	canceled := m.get("/payouts/recorded?state=canceled")
	canceled.says("1 canceled, 32.24 USD").hides("payouts,", "payout,")
	canceled.rows("main table",
		"Payout to Anna Ahlers, 20 Nov 2026 | 20 Nov 2026, 13:00 | bank transfer SEPA 2026-11 | Canceled | 32.24 USD")
	m.get("/payouts/recorded?state=paid").says("No payout matches")
	_, err := h.app.IssuePayout(h.as(affiliate.RoleOwner), app.NewPayout{Creator: h.creator("Anna Ahlers").ID})
	h.must(err)
	m.get("/payouts/recorded").says("1 payout, 32.24 USD · 1 canceled, 32.24 USD")
	m.get("/payouts/pay_9").is(http.StatusNotFound)
	h.consistent()
}

// TestPayoutBatch: what was recorded together is downloaded for the bank and canceled as one.
func TestPayoutBatch(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	m := h.manager()
	form := m.post("/payouts/confirm", "all", "1").hidden()
	a := m.post("/payouts", append(form, "reference", "SEPA 12")...).at("/payouts/batches/bat_1")
	m.post("/payouts/pay_2/cancel", "reason", "typo").is(http.StatusOK)
	file := m.get(a.all("main a.button")[0].attr("href")).is(http.StatusOK)
	lines := strings.Split(strings.TrimSpace(file.body), "\r\n")
	if len(lines) != 2 || !strings.HasPrefix(strings.TrimPrefix(lines[0], "\ufeff"),
		"Name,Handle,E-mail,Amount,Currency,Reference,") ||
		!strings.HasPrefix(lines[1], "Ben Botha,ben,ben@creators.example,18.12,USD,SEPA 12,") {
		t.Errorf("the file for the bank is\n%s", file.body)
	}
	m.get("/payouts/batches/bat_1").says("1 canceled", "1 payout, 18.12 USD", "Canceled 5.00 USD")
	m.post("/payouts/batches/bat_1/cancel", "reason", " ").is(http.StatusUnprocessableEntity).says("Must say why")
	h.viewer().get("/payouts/batches/bat_1").is(http.StatusOK).hides("Cancel the batch")
	h.viewer().post("/payouts/batches/bat_1/cancel", "reason", "mine").is(http.StatusForbidden)
	m.post("/payouts/batches/bat_1/cancel", "reason", "the file was refused").at("/payouts/batches/bat_1").
		says("The batch is canceled", "Canceled").hides("Cancel the batch", "CSV for the bank")
	m.get("/payouts").says("2 payments, 23.12 USD")
	m.post("/payouts", append(form, "reference", "SEPA 12")...).at("/payouts/batches/bat_1").
		says("These payouts were recorded before")
	m.get("/payouts/batches/bat_9").is(http.StatusNotFound)
	h.owner().get("/settings/audit?kind=bat_").says("canceled the batch of payouts 2026-11-20 · 2 payouts",
		"recorded the batch of payouts")
	h.consistent()
}

// TestPayouts_thousands: thousands go through the two forms at once.
func TestPayouts_thousands(t *testing.T) {
	h := newHouse(t)
	const n = 3000
	err := h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		entries := make([]affiliate.LedgerEntry, n)
		for i := range entries {
			c, err := tx.CreateCreator(h.Context(), affiliate.Creator{Name: fmt.Sprint("Creator ", i), CreatedAt: noon,
				UpdatedAt: noon})
			if err != nil {
				return err
			}
			entries[i] = affiliate.LedgerEntry{CreatorID: c.ID, Kind: affiliate.Bonus, Currency: "USD", Amount: 1_00,
				Cause: fmt.Sprint("bonus ", i), CreatedAt: noon, PayableAt: noon}
		}
		return tx.AddLedger(h.Context(), entries)
	})
	h.must(err)
	m := h.manager()
	m.get("/payouts").says("3,000 payments, 3,000.00 USD", "Pay all 3,000: 3,000.00 USD")
	form := m.post("/payouts/confirm", "all", "1").says("Record 3,000 payouts: 3,000.00 USD").hidden()
	m.post("/payouts", form...).says("3,000 payouts recorded: 3,000.00 USD")
	m.get("/payouts").says("Nobody is to be paid now")
	m.post("/payouts/batches/bat_1/cancel", "reason", "typo").says("The batch is canceled")
	m.get("/payouts").says("3,000 payments, 3,000.00 USD")
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
	h.owner().get("/payouts").says("1 payment, 10.00 USD", "Creators with less than 5.00 USD wait",
		"14 days after they were earned").
		rows(dueTable, " | Anna Ahlers | @anna | Spring | 4 Dec 2026 | never | 10.00 USD")
}

// TestPayouts_browser: paying takes selecting, which says the sum, and two buttons, never the enter key alone.
func TestPayouts_browser(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 12_345_60})
	b := h.browse(affiliate.RoleManager)
	b.open("/payouts")
	b.eval(`document.querySelector("input[name=ids]").click()`)
	b.says("1 selected", "1,234.56 USD")
	b.eval(`document.querySelector("input[data-all]").click()`)
	b.says("2 selected", "1,252.68 USD")
	b.eval(`document.querySelector("input[name=ids]").click()`)
	b.says("1 selected", "18.12 USD")
	b.eval(`document.querySelectorAll("input[name=ids]")[1].focus()`)
	b.keys("\r")
	b.clickText("Record as paid…")
	b.says("Record 1 payout?", "Nothing is recorded yet")
	b.fill("#reference", "SEPA 13")
	b.keys("\r")
	if list, _, err := h.db.Payouts(h.Context(), storage.PayoutFilter{Creator: h.creator("Ben Botha").ID},
		storage.Page{}); err != nil || len(list) != 0 {
		t.Fatalf("the enter key paid %v, %v", list, err)
	}
	b.clickText("Record 1 payout: 18.12 USD")
	b.says("1 payout recorded: 18.12 USD", "SEPA 13")
}

// TestPayouts_widths: who and how much is due is readable, and the button in reach, on a phone and on laptops, also
// with names that are long.
func TestPayouts_widths(t *testing.T) {
	h := busyHouse(t)
	err := h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		c, err := tx.CreateCreator(h.Context(), affiliate.Creator{CreatedAt: noon, UpdatedAt: noon,
			Name: "Maximiliane Constanze von und zu Hohenlohe-Bartenstein-Jagstberg-Waldenburg"})
		if err != nil {
			return err
		}
		return tx.AddLedger(h.Context(), []affiliate.LedgerEntry{{CreatorID: c.ID, Kind: affiliate.Bonus,
			Currency: "USD", Amount: 1_234_567_89, Cause: "bonus", CreatedAt: noon, PayableAt: noon}})
	})
	h.must(err)
	b := h.browse(affiliate.RoleManager)
	for _, width := range []int64{390, 1280, 1440} {
		b.viewport(width, 900)
		b.open("/payouts")
		b.eval(`document.querySelector("input[name=ids]").click()`)
		b.says("1 selected")
		b.holds("everything in reach", `(() => {
			const inside = (e) => {
				const r = e.getBoundingClientRect();
				return r.width > 0 && r.left >= 0 && r.right <= innerWidth;
			};
			const button = document.querySelector(".selection button");
			return document.documentElement.scrollWidth <= innerWidth && inside(button) &&
				button.getBoundingClientRect().bottom <= innerHeight &&
				[...document.querySelectorAll(".listed tbody tr")].every((row) => inside(row.querySelector("th a")) &&
					inside(row.querySelector("td.number")) && inside(row.querySelector("input")));
		})()`)
		b.clickText("Record as paid…")
		b.says("Record 1 payout?")
		b.holds("the button on the first screen", `document.documentElement.scrollWidth <= innerWidth &&
			document.querySelector("main form button.primary").getBoundingClientRect().bottom <= innerHeight`)
	}
}

// holds waits until an expression is true in the page.
func (b *tab) holds(what, expression string) {
	b.Helper()
	b.until(what, func() (holds bool) {
		b.eval(expression, &holds)
		return holds
	})
}
