package dashboard

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
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

// filled reads what the form of a payment would send as it is shown, and then some fields with other values.
func (a answer) filled(changes ...string) (fields []string) {
	changed := map[string]bool{}
	for i := 0; i < len(changes); i += 2 {
		changed[changes[i]] = true
	}
	add := func(e element, value string) {
		if name := e.attr("name"); !changed[name] {
			fields = append(fields, name, value)
		}
	}
	for _, kind := range []string{"[type=hidden]", "[type=text]", "[type=date]", "[checked]"} {
		for _, e := range a.all("form.columns input" + kind) {
			add(e, e.attr("value"))
		}
	}
	for _, e := range a.all("form.columns select") {
		for _, option := range a.all("select#" + e.attr("id") + " option[selected]") {
			add(e, option.attr("value"))
		}
	}
	return append(fields, changes...)
}

// payTo says where a creator wants to be paid.
func (h *house) payTo(name string, d affiliate.PaymentDetails) {
	h.Helper()
	_, err := h.app.SetPaymentDetails(h.as(affiliate.RoleOwner), h.creator(name).ID, d)
	h.must(err)
}

func TestPayouts(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	o := h.owner()
	a := o.get("/payouts").is(http.StatusOK).says("2 payments, 23.12 USD", "Send payment to all 2: 23.12 USD")
	a.rows(dueTable, " | Ben Botha | @ben | Spring | 20 Nov 2026 | never | 18.12 USD",
		" | Anna Ahlers | @anna | Spring | 20 Nov 2026 | 20 Nov 2026 | 5.00 USD")
	o.get("/payouts/recorded").says("1 payout, 32.24 USD").rows("main table",
		"Payout to Anna Ahlers, 20 Nov 2026 | 20 Nov 2026, 13:00 | bank transfer SEPA 2026-11 | Paid | 32.24 USD")
	var seen []string
	for _, box := range a.all("input[name=ids]") {
		seen = append(seen, box.attr("value"))
	}
	if strings.Join(seen, " ") != "cre_2.USD.1812 cre_1.USD.500" {
		t.Fatalf("the boxes stand for %v", seen)
	}

	// Nothing is sent before it is asked about; without payment details nobody can be paid but elsewhere.
	a = o.post("/payouts/send", "ids", seen[0], "ids", seen[1]).is(http.StatusOK).says("Nobody is paid by this",
		"2 creators: nobody has entered where to pay them 23.12 USD", "Ask 2 creators for payment details…")
	a = o.post("/payouts/send", a.filled("how", "elsewhere")...).is(http.StatusOK).
		says("To 2 payments that were selected", "In all 23.12 USD", "Record 2 payments: 23.12 USD")
	a.rows(confirmTable, "Anna Ahlers @anna | Paid elsewhere | 5.00 USD | ",
		"Ben Botha @ben | Paid elsewhere | 18.12 USD | ")
	typed := []string{"method", "bank transfer", "reference", "SEPA 12", "note", "November", "paid_on", "2026-11-19"}
	sent := a.filled(typed...)

	// What was seen is no longer due: nothing is recorded, what was typed stays, and it is asked again.
	h.sell(sale{code: "ANNA10", value: 10_00})
	a = o.post("/payouts", sent...).is(http.StatusUnprocessableEntity).says("Something else is due by now",
		"Nothing was sent", "It was 2 payments, 23.12 USD; now it is 2 payments, 24.12 USD",
		"One amount is not what you have seen", "was 5.00 USD", "In all 24.12 USD")
	if a.one("input#reference").attr("value") != "SEPA 12" || a.one("input#paid_on").attr("value") != "2026-11-19" ||
		a.one("input#note").attr("value") != "November" {
		t.Errorf("the form comes back as\n%s", a.text())
	}
	sent = a.filled()
	for range 2 { // the button that is pressed twice records once
		o.post("/payouts", sent...).at("/payouts/runs/run_2").says("Recorded: 2 payments, 24.12 USD",
			"19 Nov 2026 · 2 payouts", "November", "Settled").rows("main table",
			"Ben Botha @ben | Paid elsewhere | Paid | 18.12 USD",
			"Anna Ahlers @anna | Paid elsewhere | Paid | 6.00 USD")
	}
	o.get("/payouts").says("Nobody is to be paid now")
	o.get("/payouts/recorded?q=sepa+12").says("2 payouts, 24.12 USD")
	o.get("/payouts/runs").says("19 Nov 2026 · 2 payouts", "2 payments that were selected", "SEPA 12", "24.12 USD")
	for _, wrong := range []string{"cre_1", "cre_1.USD", "cre_1.USD.x", "anna.USD.1", "cre_1.gold.1"} {
		o.post("/payouts", "ids", wrong).is(http.StatusUnprocessableEntity).says("names no payment")
		o.post("/payouts/send", "ids", wrong).is(http.StatusUnprocessableEntity).says("names no payment")
	}
	h.clock.advance(time.Minute)
	o.post("/payouts", sent...).at("/payouts/runs/run_2").says("This form was used before", "Nothing was sent now").
		hides("Recorded: 2 payments")
	o.post("/payouts/runs/run_2/cancel", "reason", "the bank refused it").says("The run is canceled")
	o.post("/payouts", sent...).at("/payouts/runs/run_2").says("This form was used before")
	h.consistent()
}

// TestPayouts_refused: whoever may not pay sees no button for it, and is refused.
func TestPayouts_refused(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	o := h.owner()
	form := o.post("/payouts/send", "how", "elsewhere").is(http.StatusOK).filled()
	for _, v := range []*visitor{h.viewer(), h.manager()} {
		a := v.get("/payouts").is(http.StatusOK)
		if a.has("input[name=ids]") || strings.Contains(a.body, "/payouts/send") {
			t.Error("buttons are shown that would be refused")
		}
		v.get("/payouts/send").is(http.StatusForbidden)
		for _, path := range []string{"/payouts/send", "/payouts", "/payouts/runs/run_1/mark", "/payouts/pay_1/mark",
			"/payouts/parts/prt_1/file", "/payouts/results", "/payouts/runs/run_1/cancel", "/payouts/pay_1/cancel"} {
			v.post(path, form...).is(http.StatusForbidden)
		}
	}
	o.postWith(map[string]string{"Sec-Fetch-Site": "cross-site"}, "/payouts", form...).is(http.StatusForbidden)
	if runs, _, err := h.db.PayoutRuns(h.Context(), storage.Page{}); err != nil || len(runs) != 1 {
		t.Errorf("there are %d runs, %v", len(runs), err)
	}
	h.viewer().get("/payouts/recorded?state=draft").is(http.StatusUnprocessableEntity)
}

// TestPayouts_confirm: what is wrong with the form is said at its field, the enter key sends nothing, and who is not
// due any more is named.
func TestPayouts_confirm(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	o := h.owner()
	a := o.post("/payouts/send", "how", "elsewhere").is(http.StatusOK).says("everybody to whom something is due")
	o.post("/payouts", a.filled("paid_on", "2026-12-24")...).is(http.StatusUnprocessableEntity).
		says("Must be today (2026-11-20) or an earlier day")
	for _, day := range []string{"2026-12-24", "soon"} {
		for _, path := range []string{"/payouts/send", "/payouts"} {
			wrong := o.post(path, a.filled("until", day)...).is(http.StatusUnprocessableEntity)
			if !wrong.has("#until[aria-invalid]") {
				t.Errorf("%s does not say what is wrong with the day %s", path, day)
			}
		}
	}
	o.post("/payouts/send", a.filled("reference", "typed")...).is(http.StatusOK).says("Record 2 payments")
	o.post("/payouts", a.filled("until", "2026-11-19")...).is(http.StatusOK).
		says("You have changed whom or how to pay")
	_, err := h.app.IssuePayout(h.as(affiliate.RoleOwner), app.NewPayout{Creator: h.creator("Ben Botha").ID})
	h.must(err)
	a = o.post("/payouts", a.filled()...).is(http.StatusUnprocessableEntity).says("Not due any more: "+
		"Ben Botha (18.12 USD)", "Record 1 payment: 5.00 USD")
	o.post("/payouts", a.filled()...).at("/payouts/runs/run_3").says("Recorded: 1 payment, 5.00 USD")
	h.consistent()
}

// TestPayouts_cutOff: only what was posted until the end of a day is paid.
func TestPayouts_cutOff(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00})
	h.clock.advance(24 * time.Hour)
	h.sell(sale{code: "ANNA10", value: 30_00}, sale{code: "BEN5", value: 40_00})
	o := h.owner()
	a := o.post("/payouts/send", "how", "elsewhere", "until", "2026-11-20").says("In all 10.00 USD").hides("Ben Botha")
	o.post("/payouts", a.filled()...).at("/payouts/runs/run_1").says("Earned until 20 Nov 2026")
	o.get("/payouts").says("2 payments, 7.00 USD")
	h.consistent()
}

// tinyFiles writes files of a reference and an amount in each line.
type tinyFiles struct{}

func (tinyFiles) Write(f affiliate.PaymentFile) (name string, body []byte, err error) {
	for _, p := range f.Payments {
		body = fmt.Appendf(body, "%s,%d\n", p.Ref, p.Amount)
	}
	return f.Reference + ".csv", body, nil
}

// tinyResults reads files of a reference, or an e-mail address, a state and words in each line.
type tinyResults struct{}

func (tinyResults) Kind() affiliate.ResultKind { return affiliate.ResultCSV }

func (tinyResults) Read(_ string, body []byte) (list []affiliate.PaymentResult, err error) {
	for i, line := range strings.Split(strings.TrimSpace(string(body)), "\n") {
		fields := strings.Split(line, ",")
		if len(fields) != 3 {
			return nil, affiliate.FieldErrorf("file", "line %d has not three fields", i+1)
		}
		result := affiliate.PaymentResult{Line: i + 1, Ref: fields[0], Words: fields[2],
			State: affiliate.PayoutState(fields[1])}
		if strings.Contains(result.Ref, "@") {
			result.Ref, result.Destination = "", result.Ref
		}
		list = append(list, result)
	}
	return list, nil
}

// railHouse is a busy house in which Anna and Ben are paid by PayPal, by files.
func railHouse(t *testing.T) *house {
	t.Helper()
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	h.app.PaymentFiles = map[affiliate.Rail]app.PaymentFiles{affiliate.RailPayPalFile: tinyFiles{},
		affiliate.RailCSVFile: tinyFiles{}}
	h.app.ResultReaders = []app.ResultReader{tinyResults{}}
	h.payTo("Anna Ahlers", affiliate.PaymentDetails{Method: affiliate.MethodPayPal, Email: "anna@creators.example"})
	return h
}

// TestPayouts_rails: who has payment details is paid by them, by the way that is chosen, but for those who are left
// out.
func TestPayouts_rails(t *testing.T) {
	h := railHouse(t)
	o := h.owner()
	o.get("/payouts/send").is(http.StatusOK).says("In all 5.00 USD", "PayPal file 1 payment 5.00 USD",
		"1 creator: nobody has entered where to pay them 18.12 USD", "Ask 1 creator for payment details…")
	h.payTo("Ben Botha", affiliate.PaymentDetails{Method: affiliate.MethodPayPal, Email: "ben@creators.example"})
	a := o.get("/payouts/send").says("Send 2 payments: 23.12 USD")

	// Something else is asked for than was seen: it is shown first.
	ben := h.creator("Ben Botha").ID.String()
	a = o.post("/payouts", a.filled("exclude", ben)...).is(http.StatusOK).says("You have changed whom or how to pay",
		"Send 1 payment: 5.00 USD", "1 creator: left out by hand 18.12 USD", "Left out by you")
	a = o.post("/payouts", a.filled("rail_paypal", "csv_file")...).is(http.StatusOK).
		says("You have changed whom or how to pay", "CSV file 1 payment 5.00 USD")
	o.post("/payouts/send", a.filled("rail_paypal", "sepa_file")...).is(http.StatusUnprocessableEntity)
	o.post("/payouts", a.filled("note", "November")...).at("/payouts/runs/run_2").
		says("Confirmed: 1 payment, 5.00 USD. Download the files", "Not sent yet", "CSV file 1, USD",
			"Not downloaded yet", "Who was not paid, and why", "left out by hand", "Sent 0.00 USD",
			"Not sent yet 5.00 USD", "No fees of providers are known")
	o.get("/payouts/pay_2").says("Ready", "CSV file", "What it is made of", "Cancel the payout").
		hides("Say what became of it")
	o.post("/payouts/runs/run_2/cancel", "reason", "typo").says("The run is canceled")
	o.get("/payouts").says("2 payments, 23.12 USD")

	// Those of an offer, and some of it.
	at := offerAddress(h.offer("Ten percent"))
	o.get(at).says("Send payment…")
	of := h.offer("Ten percent").ID.String()
	o.get("/payouts/send?offer="+of).says("To creators of Ten percent", "Send 2 payments: 23.12 USD")
	member := o.get(at + "?q=ben").one("input[name=ids]").attr("value")
	a = o.post("/payouts/send", "offer", of, "ids", member, "back", at, "q", "ben").is(http.StatusOK).
		says("To Ben Botha", "Send 1 payment: 18.12 USD")
	o.post("/payouts", a.filled()...).at("/payouts/runs/run_3").says("1 payment, 18.12 USD")
	o.post("/payouts/send", "offer", "off_99", "ids", member).is(http.StatusNotFound)
	o.get("/payouts/send?creators=" + ben).says("Nothing to send")
	h.consistent()
}

// TestPayoutRun_results: files are downloaded, what became of their payouts is read back or said by hand, and the page
// of the run adds up at each step.
func TestPayoutRun_results(t *testing.T) {
	h := railHouse(t)
	h.payTo("Ben Botha", affiliate.PaymentDetails{Method: affiliate.MethodPayPal, Email: "ben@creators.example"})
	o := h.owner()
	const run = "/payouts/runs/run_2"
	a := o.post("/payouts", o.get("/payouts/send").filled()...).at(run)
	file := a.one("#payout-parts form").attr("action")
	first := o.post(file).is(http.StatusOK)
	if again := o.post(file).is(http.StatusOK); again.body != first.body || !strings.Contains(
		first.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("downloaded again it is\n%s", again.body)
	}
	o.get(run).says("Under way", "Downloaded", "Sent 23.12 USD", "= paid 0.00 USD", "+ pending 23.12 USD").
		hides("Cancel the run")
	o.get(run+"?open=1").says("Ben Botha", "Anna Ahlers")
	o.get(run + "?state=paid").says("No payout is in this state")
	o.get(run + "?state=gold").is(http.StatusUnprocessableEntity)

	lines := strings.Split(first.body, "\n")
	ref := func(i int) string { name, _, _ := strings.Cut(lines[i], ","); return name }
	o.sendFile("/payouts/results", "x.csv", "nonsense").is(http.StatusUnprocessableEntity).says("has not three fields")
	o.post("/payouts/results").is(http.StatusUnprocessableEntity).says("Choose a file that is not empty")
	a = o.sendFile("/payouts/results", "paypal.csv", ref(0)+",paid,\nTRB-9-ELSE,failed,account closed\n").
		says("The file is read: 2 lines", "Without a payout 1", "TRB-9-ELSE", "account closed", "Changed something 1",
			"Payouts without a line", ref(1))
	o.get(a.address+"?outcome=changed").says(ref(0), "Line 1").hides("TRB-9-ELSE")
	o.get(a.address + "?outcome=gold").is(http.StatusUnprocessableEntity)
	o.get("/payouts/results").says("paypal.csv", "2")
	a = o.get(run).says("= paid", "Under way")
	var open string
	for _, row := range o.get(run + "?open=1").all("input[name=ids]") {
		open += row.attr("value")
	}

	// By hand: what failed or came back needs a reason, and is owed again.
	o.post(run+"/mark", "state", "paid").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	o.post(run+"/mark", "ids", open, "state", "gold").is(http.StatusUnprocessableEntity).
		says("Choose what became of it")
	o.post(run+"/mark", "ids", open, "state", "failed").is(http.StatusUnprocessableEntity).says("Must say why")
	o.post(run+"/mark", "ids", open, "state", "paid").at(run).says("1 payout is paid", "Settled", "Sent 23.12 USD",
		"= paid 23.12 USD")
	page := o.get("/payouts/"+open).says("Paid", "Say what became of it").hides("Cancel the payout")
	o.post(page.address+"/mark", "state", "returned", "reason", "").is(http.StatusUnprocessableEntity)
	o.post(page.address+"/mark", "state", "returned", "reason", "bounced", "reference", "R-1").at(page.address).
		says("1 payout is returned, and owed again", "Returned", "bounced")
	o.get(run).says("Settled, 1 owed again", "+ returned", "Only to keep it: 1 of it is owed again")
	o.post(file).is(http.StatusConflict).says("1 of its payouts failed or came back", "could pay them twice")
	if again := o.post(file, "owed_again", "1").is(http.StatusOK); again.body != first.body {
		t.Errorf("downloaded to keep it is\n%s", again.body)
	}
	o.get("/payouts").says("1 payment")
	o.get("/payouts/results/rsf_9").is(http.StatusNotFound)
	h.consistent()
}

// TestPayouts_narrowed: the list is searched, narrowed, sorted and downloaded; a campaign keeps creators, and the page
// says that they are paid the whole.
func TestPayouts_narrowed(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00}, sale{slug: "anna-gifts", value: 40_00},
		sale{code: "BEN5", value: 70_00})
	m := h.owner()
	m.get("/payouts?q=%40ben").says("1 payment, 7.00 USD", "Send payment: 7.00 USD").hides("Anna Ahlers")
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
	m.get(a.one("a.button.primary").attr("href")+"&how=elsewhere").is(http.StatusOK).
		says("To creators of Holiday gifts", "In all 14.00 USD").hides("Ben Botha")
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
	m := h.owner()
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
	a = m.post("/payouts/send", "ids", value, "how", "elsewhere").is(http.StatusOK).says("Record 1 payment: 10.00 USD")
	if day := a.one("#paid_on").attr("value"); day != "2026-11-21" {
		t.Errorf("paid on %s, want the day of the new time zone", day)
	}
	m.post("/payouts", a.filled()...).is(http.StatusOK).says("Recorded: 1 payment, 10.00 USD.")
}

func TestPayout_cancel(t *testing.T) {
	h := busyHouse(t)
	m := h.owner()
	m.get("/payouts/pay_1").is(http.StatusOK).says("32.24 USD to Anna Ahlers", "Payout to Anna Ahlers, 20 Nov 2026",
		"SEPA 2026-11").hides("pay_1").
		rows("section[aria-labelledby=entries-title] table",
			"20 Nov 2026, 13:00 | Spring · Ten percent |  | −27.99 USD",
			"20 Nov 2026, 13:00 | Holiday gifts · Gift links |  | −4.25 USD")
	m.post("/payouts/pay_1/cancel", "reason", " ").is(http.StatusUnprocessableEntity).says("Must say why")
	h.viewer().get("/payouts/pay_1").is(http.StatusOK).hides("Cancel the payout")
	m.post("/payouts/pay_1/cancel", "reason", "account closed").at("/payouts/pay_1").says("The payout is canceled",
		"Canceled", "account closed", "27.99 USD").hides("Cancel the payout")
	m.get("/payouts").says("Anna Ahlers @anna Holiday gifts, Spring 20 Nov 2026 never 32.24 USD")
	canceled := m.get("/payouts/recorded?state=canceled")
	canceled.says("1 owed again, 32.24 USD").hides("payouts,", "payout,")
	canceled.rows("main table",
		"Payout to Anna Ahlers, 20 Nov 2026 | 20 Nov 2026, 13:00 | bank transfer SEPA 2026-11 | Canceled | 32.24 USD")
	m.get("/payouts/recorded?state=paid").says("No payout matches")
	_, err := h.app.IssuePayout(h.as(affiliate.RoleOwner), app.NewPayout{Creator: h.creator("Anna Ahlers").ID})
	h.must(err)
	m.get("/payouts/recorded").says("1 payout, 32.24 USD · 1 owed again, 32.24 USD")
	m.get("/payouts/pay_9").is(http.StatusNotFound)
	h.consistent()
}

// TestPayoutRun: what was recorded together is downloaded as a list and canceled as one.
func TestPayoutRun(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	m := h.owner()
	form := m.post("/payouts/send", "how", "elsewhere").filled("reference", "SEPA 12")
	a := m.post("/payouts", form...).at("/payouts/runs/run_2")
	m.post("/payouts/pay_2/cancel", "reason", "typo").is(http.StatusOK)
	file := m.get(a.all("main a.button")[0].attr("href")).is(http.StatusOK)
	lines := strings.Split(strings.TrimSpace(file.body), "\r\n")
	if len(lines) != 3 || !strings.HasPrefix(strings.TrimPrefix(lines[0], "\ufeff"),
		"Name,Handle,E-mail,Amount,Currency,Reference,") ||
		!strings.HasPrefix(lines[1], "Ben Botha,ben,ben@creators.example,18.12,USD,SEPA 12,") {
		t.Errorf("the list is\n%s", file.body)
	}
	m.get("/payouts/runs/run_2").says("Settled, 1 owed again", "Canceled 5.00 USD", "= paid 18.12 USD")
	m.post("/payouts/runs/run_2/cancel", "reason", " ").is(http.StatusUnprocessableEntity).says("Must say why")
	h.viewer().get("/payouts/runs/run_2").is(http.StatusOK).hides("Cancel the run")
	m.post("/payouts/runs/run_2/cancel", "reason", "the file was refused").at("/payouts/runs/run_2").
		says("The run is canceled", "Canceled").hides("Cancel the run")
	m.get("/payouts").says("2 payments, 23.12 USD")
	m.get("/payouts/runs/run_9").is(http.StatusNotFound)
	m.get("/settings/audit?kind=run_").says("canceled the payout run 2026-11-20 · 2 payouts",
		"confirmed the payout run")
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
	m := h.owner()
	a := m.get("/payouts").says("3,000 payments, 3,000.00 USD", "Send payment to all 3,000: 3,000.00 USD")
	m.post("/payouts/send", "how", "elsewhere", "ids", a.all("input[name=ids]")[0].attr("value")).
		says("Record 1 payment")
	a = m.post("/payouts/send", "how", "elsewhere").says("Record 3,000 payments: 3,000.00 USD",
		"and 2,800 more payments, 2,800.00 USD")
	m.post("/payouts", a.filled()...).says("Recorded: 3,000 payments, 3,000.00 USD")
	m.get("/payouts").says("Nobody is to be paid now")
	m.post("/payouts/runs/run_1/cancel", "reason", "typo").says("The run is canceled")
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
	b := h.browse(affiliate.RoleOwner)
	b.open("/payouts")
	b.eval(`document.querySelector("input[name=ids]").click()`)
	b.says("1 selected", "1,234.56 USD")
	b.eval(`document.querySelector("input[data-all]").click()`)
	b.says("2 selected", "1,252.68 USD")
	b.eval(`document.querySelector("input[name=ids]").click()`)
	b.says("1 selected", "18.12 USD")
	b.eval(`document.querySelectorAll("input[name=ids]")[1].focus()`)
	b.keys("\r")
	b.click(".selection button")
	b.says("Nobody is paid by this", "nothing is sent")
	b.click("input[name=how][value=elsewhere]")
	b.clickText("Show it anew")
	b.says("Record 1 payment: 18.12 USD")
	b.fill("#reference", "SEPA 13")
	b.keys("\r")
	b.says("Record 1 payment: 18.12 USD")
	if list, _, err := h.db.Payouts(h.Context(), storage.PayoutFilter{Creator: h.creator("Ben Botha").ID},
		storage.Page{}); err != nil || len(list) != 0 {
		t.Fatalf("the enter key paid %v, %v", list, err)
	}
	b.click("form.columns button.primary")
	b.says("Recorded: 1 payment, 18.12 USD", "SEPA 13")
}

// TestPayouts_wayBrowser: on a desktop and on a phone, what is due is sent, its file is downloaded, what the provider
// says is read back, and the run is settled.
func TestPayouts_wayBrowser(t *testing.T) {
	for _, c := range []struct {
		name          string
		width, height int64
	}{{"desktop", 1440, 900}, {"phone", 390, 844}} {
		t.Run(c.name, func(t *testing.T) {
			h := railHouse(t)
			b := h.browse(affiliate.RoleOwner)
			b.viewport(c.width, c.height)
			look := func(name string) {
				t.Helper()
				for _, fault := range b.inaccessible() {
					t.Errorf("%s: %s", name, fault)
				}
				if n := b.overflow(); n > 0 {
					t.Errorf("%s is %d pixels wider than its window: %s", name, n, b.widest())
				}
				if *screenshots != "" {
					b.screenshot(filepath.Join(*screenshots, "way-"+name+"-"+c.name+".png"))
				}
			}
			b.open("/")
			b.clickText("Send payment…")
			b.says("Send 1 payment: 5.00 USD", "nobody has entered where to pay them")
			// Wherever it is confirmed, where the money goes is seen once.
			b.holds("the destination", `[...document.querySelectorAll("section[aria-labelledby=who-title] tbody tr > *")].
				filter((cell) => cell.getClientRects().length > 0 && cell.innerText.includes("PayPal file") &&
					cell.innerText.includes("@creators.example")).length === 1`)
			look("send")
			b.click("form.columns button.primary")
			b.says("Confirmed: 1 payment, 5.00 USD", "Not downloaded yet")
			look("run")
			var file, run string
			b.eval(`document.querySelector("form[action^='/payouts/parts/']").getAttribute("action")`, &file)
			b.eval(`location.pathname`, &run)
			ref, _, _ := strings.Cut(h.owner().post(file).is(http.StatusOK).body, ",")
			b.open(run)
			b.says("Under way", "Downloaded")
			b.click("section[aria-labelledby=payouts-title] input[name=ids]")
			b.says("1 selected", "Mark as paid")
			look("sent")
			h.owner().sendFile("/payouts/results", "paypal.csv", ref+",paid,\nTRB-9-ELSE,failed,account closed\n")
			b.open("/payouts/results")
			look("results")
			b.clickText("paypal.csv")
			b.says("Without a payout", "TRB-9-ELSE")
			look("result")
			b.open(run)
			b.says("Settled")
			b.click("section[aria-labelledby=payouts-title] tbody th a")
			b.says("What it is made of", "What it posted", "Paid")
			look("payout")
		})
	}
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
	b := h.browse(affiliate.RoleOwner)
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
		b.click(".selection button")
		b.says("Whom and how")
		b.click("input[name=how][value=elsewhere]")
		b.clickText("Show it anew")
		b.says("Record 1 payment")
		b.holds("the button on the first screen", `document.documentElement.scrollWidth <= innerWidth &&
			document.querySelector("main form button.primary").getBoundingClientRect().bottom <= innerHeight`)
	}
}

// offer gives an offer by its name.
func (h *house) offer(name string) affiliate.Offer {
	h.Helper()
	offers, _, err := h.db.Offers(h.Context(), 0, storage.Page{Limit: storage.MaxLimit})
	h.must(err)
	return pick(h, offers, name, func(o affiliate.Offer) string { return o.Name })
}

// resultFile is a file of results with a line of each outcome.
func (h *house) resultFile() (f affiliate.ResultFile) {
	h.Helper()
	payouts, _, err := h.db.Payouts(h.Context(), storage.PayoutFilter{}, storage.Page{})
	h.must(err)
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) (err error) {
		f, err = tx.CreateResultFile(h.Context(), affiliate.ResultFile{Name: "results.csv", Kind: affiliate.ResultCSV,
			Hash: rand.Text(), Lines: 4, Author: "Olga Owner", CreatedAt: noon})
		if err != nil {
			return err
		}
		var lines []affiliate.ResultLine
		for i, outcome := range affiliate.Words[affiliate.ResultOutcome]() {
			lines = append(lines, affiliate.ResultLine{FileID: f.ID, Line: int64(i + 1), Ref: "TRB-1-ABCDEF",
				Amount: 5_00, Currency: "USD", State: affiliate.PayoutFailed, Words: "account closed", Outcome: outcome,
				PayoutID: payouts[0].ID})
		}
		return tx.AddResultLines(h.Context(), lines)
	}))
	return f
}

// holds waits until an expression is true in the page.
func (b *tab) holds(what, expression string) {
	b.Helper()
	b.until(what, func() (holds bool) {
		b.eval(expression, &holds)
		return holds
	})
}

// TestPayoutPage_giftCard: the code of a gift card is for those who may pay, and is shown to nobody by itself.
func TestPayoutPage_giftCard(t *testing.T) {
	h := busyHouse(t)
	const code = "ABCDEFGH2345WXYZ"
	ctx := h.as(affiliate.RoleOwner)
	h.must(h.app.DB.InTx(ctx, func(tx *storage.Tx) error {
		list, err := tx.LockPayouts(ctx, []affiliate.PayoutID{1})
		if err != nil {
			return err
		}
		list[0].Rail = affiliate.RailGiftCard
		list[0].Asked = h.app.Sealer.Seal(app.SealStoreAsk, []byte(`{"code":"`+code+`"}`))
		return tx.SavePayouts(ctx, list)
	}))
	a := h.owner().get("/payouts/pay_1").is(http.StatusOK).says("Gift card", "•••• WXYZ").hides(code)
	if got := a.one("button[data-copy]").attr("data-copy"); got != code {
		t.Errorf("%q is copied", got)
	}
	a = h.viewer().get("/payouts/pay_1").is(http.StatusOK).hides("••••", "WXYZ")
	if strings.Contains(a.body, code) {
		t.Error("a viewer gets the code")
	}
}
