package dashboard

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestPayouts_removedMembers: members of an offer who left it are paid what they are still owed, and nobody else is;
// a place in another offer is none of this one.
func TestPayouts_removedMembers(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00})
	o := h.owner()
	o.post(tenPercent+"/members/do", "do", "remove", "ids", "ofm_2").says("1 changed.")
	of := h.offer("Ten percent").ID.String()
	a := o.post("/payouts/send", "how", "elsewhere", "offer", of, "ids", "ofm_2").is(http.StatusOK).
		says("To Ben Botha", "Record 1 payment: 18.12 USD").hides("Anna Ahlers")
	o.post("/payouts", a.filled()...).at("/payouts/runs/run_2").says("Recorded: 1 payment, 18.12 USD")
	for _, path := range []string{"/payouts/send", "/payouts"} {
		o.post(path, "how", "elsewhere", "offer", of, "ids", "ofm_2", "ids", "ofm_3").
			is(http.StatusUnprocessableEntity).says("ofm_3 is no member of Ten percent")
	}
	h.consistent()
}

// TestPayouts_narrowedPreview: who asks for something else than before is not told that what was seen has changed.
func TestPayouts_narrowedPreview(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00})
	h.clock.advance(24 * time.Hour)
	h.sell(sale{code: "ANNA10", value: 30_00}, sale{code: "BEN5", value: 40_00})
	o := h.owner()
	a := o.post("/payouts/send", "how", "elsewhere").is(http.StatusOK).says("In all 17.00 USD")
	news := []string{"Not due any more", "not what you have seen", "It was 2 payments", "was 13.00 USD"}
	o.post("/payouts/send", a.filled("until", "2026-11-20")...).is(http.StatusOK).says("In all 10.00 USD").
		hides(news...)
	o.post("/payouts/send", a.filled("offer", h.offer("Gift links").ID.String())...).is(http.StatusOK).
		says("Nobody is paid by this").hides(news...)
	o.post("/payouts", a.filled("until", "2026-11-20")...).is(http.StatusOK).
		says("You have changed whom or how to pay").hides(news...)
	h.sell(sale{code: "ANNA10", value: 10_00})
	o.post("/payouts/send", a.filled()...).is(http.StatusOK).says("One amount is not what you have seen",
		"was 13.00 USD")
}

// runPayout is the link to a payout on the page of its run.
const runPayout = "section[aria-labelledby=payouts-title] tbody th a"

// halfSent is a run of two files, of which that with Anna's payout is downloaded, and that with Ben's is not.
func halfSent(t *testing.T) (h *house, o *visitor, file string) {
	t.Helper()
	h = railHouse(t)
	h.payTo("Ben Botha", affiliate.PaymentDetails{Method: affiliate.MethodOther, Words: "cash"})
	o = h.owner()
	a := o.post("/payouts", o.get("/payouts/send").filled()...).at("/payouts/runs/run_2").says("2 payments, 23.12 USD")
	for _, form := range a.all("#payout-parts form") {
		if strings.Contains(form.all("button")[0].attr("aria-label"), "PayPal file") {
			file = o.post(form.attr("action")).is(http.StatusOK).body
		}
	}
	return h, o, file
}

// TestPayouts_sentMeanwhile: who cancels what was sent since the page was made is told that, of a run and of a payout.
func TestPayouts_sentMeanwhile(t *testing.T) {
	_, o, _ := halfSent(t)
	o.post("/payouts/runs/run_2/cancel", "reason", "typo").is(http.StatusUnprocessableEntity).
		says("The run was sent: what became of its payouts is said one by one.")
	sent := o.get("/payouts/runs/run_2?state=sent").one(runPayout).attr("href")
	o.post(sent+"/cancel", "reason", "typo").is(http.StatusUnprocessableEntity).
		says("The payout is sent, and cannot be canceled any more")
}

// TestPayoutRun_notHandedOver: of a payout whose file nobody has downloaded nothing can be said, and the pages say why.
func TestPayoutRun_notHandedOver(t *testing.T) {
	_, o, _ := halfSent(t)
	const run = "/payouts/runs/run_2"
	a := o.get(run).says("Anna Ahlers", "Ben Botha")
	if boxes := a.all("input[name=ids]"); len(boxes) != 1 || !strings.Contains(boxes[0].attr("aria-label"), "Anna") {
		t.Errorf("%d payouts can be ticked, want that of the file that was downloaded", len(boxes))
	}
	ready := o.get(run + "?state=ready").one(runPayout).attr("href")
	id := strings.TrimPrefix(ready, "/payouts/")
	for _, answer := range []answer{o.post(run+"/mark", "ids", id, "state", "paid"),
		o.post(ready+"/mark", "state", "paid")} {
		answer.is(http.StatusUnprocessableEntity).says("was not handed over yet: download its file first", "TRB-")
	}
}

// TestPayoutResults_lines: a line that fits no payout shows no whole address, and one that cannot be read no state.
func TestPayoutResults_lines(t *testing.T) {
	_, o, file := halfSent(t)
	ref, _, _ := strings.Cut(file, ",")
	a := o.sendFile("/payouts/results", "odd.csv", ref+",,what is this\nzoe.zapf@creators.example,paid,\n")
	a.says("z•••@creators.example").hides("zoe.zapf@")
	o.get(a.address+"?outcome=refused").says("Line 1", "what is this").hides("Canceled")
}

// TestPayoutResults_again: a file whose reading had ended early is read on, and who sends it again is told so.
func TestPayoutResults_again(t *testing.T) {
	h, o, file := halfSent(t)
	ref, _, _ := strings.Cut(file, ",")
	body := "TRB-9-ELSE,paid,\n" + ref + ",paid,\n"
	hash := sha256.Sum256([]byte(body))
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		f, err := tx.CreateResultFile(h.Context(), affiliate.ResultFile{Name: "half.csv", Kind: affiliate.ResultCSV,
			Hash: hex.EncodeToString(hash[:]), Lines: 2, CreatedAt: noon})
		if err != nil {
			return err
		}
		return tx.AddResultLines(h.Context(), []affiliate.ResultLine{{FileID: f.ID, Line: 1, Ref: "TRB-9-ELSE",
			Outcome: affiliate.ResultUnmatched}})
	}))
	o.sendFile("/payouts/results", "half.csv", body).says("not to its end", "1 more line is read",
		"Changed something 1")
	o.sendFile("/payouts/results", "half.csv", body).says("This file was read before. Nothing has changed.")
}

// TestAttack_results_large: files of results are larger than other forms, for those who may read them in; one that is
// larger still is told as such.
func TestAttack_results_large(t *testing.T) {
	h, o, file := halfSent(t)
	ref, _, _ := strings.Cut(file, ",")
	words := strings.Repeat("rejected ", 1<<20/9)
	large := "TRB-9-ELSE,failed," + words + "\nTRB-9-ELSF,failed," + words + "\n" + ref + ",paid," + words + "\n"
	h.manager().sendFile("/payouts/results", "pain.csv", large).is(http.StatusForbidden)
	o.sendFile("/payouts/results", "pain.csv", large).is(http.StatusOK).says("The file is read: 3 lines")
	o.sendFile("/payouts/results", "pain.csv", strings.Repeat(words, 33)).is(http.StatusRequestEntityTooLarge).
		says("MB were sent", "may have 32 MB", "such as to a month").hides("import it whole")
	o.sendFile("/creators/import", "pain.csv", large, "mode", "file").is(http.StatusRequestEntityTooLarge)
}

// TestPayouts_byRail: payouts say by which rail they went and under which reference, are found by references, and are
// what a row of payees leads to.
func TestPayouts_byRail(t *testing.T) {
	h, o, file := halfSent(t)
	ref, _, _ := strings.Cut(file, ",")
	const anna = "Payout to Anna Ahlers, 20 Nov 2026 | 20 Nov 2026, 13:00 | PayPal file PP-4711 | Paid | 5.00 USD"
	a := o.get("/payouts/recorded?q="+strings.ToLower(ref)).says("PayPal file", ref)
	paid := a.one("main table tbody th a").attr("href")
	o.post(paid+"/mark", "state", "paid", "reference", "PP-4711").says("1 payout is paid")
	for _, q := range []string{ref, "pp-4711"} {
		o.get("/payouts/recorded?q="+q).says("1 payout, 5.00 USD").rows("main table", anna)
	}
	if csv := o.get("/payouts/recorded.csv?q=" + ref).body; !strings.Contains(csv,
		"Anna Ahlers,anna,anna@creators.example,5.00,USD,PP-4711,PayPal file,") || !strings.Contains(csv, ref) {
		t.Errorf("the file is\n%s", csv)
	}
	a = o.get("/payouts/payees?year=2026")
	leads := map[string]string{} // by rail
	for _, row := range a.all("main table tbody tr") {
		leads[row.all("td.keep")[0].text()] = row.all("td.number a")[0].attr("href")
	}
	a = o.get(leads["PayPal file"]).rows("main table", anna)
	if got := a.one("form.filters input[name=rail]").attr("value"); got != "paypal_file" {
		t.Errorf("a search goes on among payouts of rail %q", got)
	}
	o.get(leads["Paid elsewhere"]).says("1 payout, 32.24 USD").hides(ref)
	o.get("/payouts/recorded?rail=gold").is(http.StatusUnprocessableEntity)

	if button := o.get("/payouts/payees?year=2025&q=anna").one(".empty a").attr("href"); button !=
		"/payouts/payees?year=2025" {
		t.Errorf("the button of a search in 2025 leads to %s", button)
	}
	o.get("/payouts/payees?year=2025").one(".empty a[href=/payouts/payees]")
	h.consistent()
}

// TestPayoutRun_leftOut: who was not paid is paged there and back, apart from the payouts.
func TestPayoutRun_leftOut(t *testing.T) {
	h := busyHouse(t)
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		var left []storage.LeftOutPayout
		for i := range limit + 1 {
			c, err := tx.CreateCreator(h.Context(), affiliate.Creator{Name: fmt.Sprintf("Left %02d", i),
				CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			left = append(left, storage.LeftOutPayout{RunID: 1, CreatorID: c.ID, Currency: "USD", Amount: 5_00,
				Reason: affiliate.LeftNoMethod})
		}
		return tx.AddLeftOut(h.Context(), left)
	}))
	o := h.owner()
	a := o.get("/payouts/runs/run_1?state=paid").says("Left 00").hides("Left 50", "Back to the first page")
	other := func() string { return strings.TrimSuffix(a.one("#left .pager a").attr("href"), "#left") }
	a = o.get(other()).says("Left 50", "Anna Ahlers").hides("Left 00")
	back := other()
	if back != "/payouts/runs/run_1?state=paid" {
		t.Errorf("back is %s", back)
	}
	o.get(back).says("Left 00", "Next page")
}

// TestSendPage_refused: what is wrong is said where people see it; that something else is due is said of that alone.
func TestSendPage_refused(t *testing.T) {
	const news = "Something else is due by now than you have seen. Nothing was sent; look at what differs, then " +
		"send it."
	for _, c := range []struct {
		err    error
		expect string
		want   string
	}{
		{affiliate.FieldErrorf("payouts", "a run has at most %d payouts", app.MaxRun), "seen",
			"A run has at most 50000 payouts."},
		{affiliate.ConflictErrorf("payouts", "nobody can be paid"), "seen", news},
		{affiliate.ConflictErrorf("expect", "something else is due"), "seen", news},
		{affiliate.ConflictErrorf("creator", "nothing is due"), "other", news},
		{affiliate.FieldErrorf("rails", "paypal cannot be paid by gold"), "seen", "Paypal cannot be paid by gold."},
		{affiliate.FieldErrorf("note", "is too long"), "seen", ""},
		{affiliate.FieldErrorf("", "is wrong"), "", "Is wrong."},
	} {
		errs, err := formErrors(c.err)
		if err != nil {
			t.Fatal(err)
		}
		p := sendPage{Expect: "seen"}
		p.refused(errs, affiliate.KindOf(c.err) == affiliate.Conflict, c.expect)
		if p.Failure != c.want {
			t.Errorf("%v: above stands %q, want %q", c.err, p.Failure, c.want)
		}
		if field := "note"; c.want == "" && p.Errors[field] == "" {
			t.Errorf("%v is not said at its field", c.err)
		}
	}
}
