package dashboard

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func payoutRunAddress(id affiliate.PayoutRunID) string { return "/payouts/runs/" + id.String() }

// payoutRunsPage lists what was confirmed together.
type payoutRunsPage struct {
	payoutsHead
	Rows  []payoutRunLine
	Pager pager
}

// payoutRunLine is a payout run for people.
type payoutRunLine struct {
	affiliate.PayoutRun
	Title    string // "29 Nov 2026 · 69 payouts"
	Address  string
	Paid     string // the day
	Recorded string
	payoutSums
}

func (r *request) payoutRunLine(b storage.SummedRun) payoutRunLine {
	line := payoutRunLine{PayoutRun: b.PayoutRun, Address: payoutRunAddress(b.ID), Paid: dayText(b.Day),
		Recorded: r.moment(b.CreatedAt), payoutSums: payoutSumsOf(b.Sums)}
	line.Title = line.Paid + " · " + counted(int64(b.Payouts), "payout", "payouts")
	return line
}

func (r *request) payoutRunsPage() error {
	list, next, err := r.d.App.DB.PayoutRuns(r.Request.Context(), r.page())
	if err != nil {
		return err
	}
	p := payoutRunsPage{payoutsHead: r.payoutsHead("runs", "Payout runs"), Pager: r.pager(next)}
	for _, b := range list {
		p.Rows = append(p.Rows, r.payoutRunLine(b))
	}
	return r.show("payout_runs.html", &p)
}

// payoutRunPage is one payout run with its payouts.
type payoutRunPage struct {
	layout
	Run       payoutRunLine
	Sums      []runSums
	Fees      string // that providers took beside the amounts; empty: none are known
	Parts     []payoutPartLine
	Elsewhere bool   // nothing of it is sent
	Until     string // the last day that was paid; empty: all
	Sent      string // when the first of it was
	Ended     string
	CSV, XLSX string // its payouts as files
	MayPay    bool
	MayMail   bool
	MayCancel bool

	State   affiliate.PayoutState // to which the list is narrowed
	Open    bool                  // to those whose end is not known
	States  []choice
	Waits   map[affiliate.PayoutPartID]bool // parts that nobody was handed yet: of their payouts nothing can be said
	Rows    []payoutLine
	Pager   pager
	LeftOut []leftOutLine
	Lefts   pager // of LeftOut

	// As the forms were filled.
	Reason string
	Errors fieldErrors
	Mark   markForm
}

// Live says whether the run goes on by itself, or by others.
func (p payoutRunPage) Live() bool {
	return p.Run.State == affiliate.PayRunConfirmed || p.Run.State == affiliate.PayRunSent
}

// Markable says whether what became of payouts can be said by hand.
func (p payoutRunPage) Markable() bool { return p.MayPay && !p.Elsewhere && !p.Run.SentAt.IsZero() }

// Narrowed says whether some payouts are not in the list.
func (p payoutRunPage) Narrowed() bool { return p.State != "" || p.Open }

// runSums are what a run's payouts of one currency add up to, by their states.
type runSums struct {
	affiliate.RunSums
	Parts []runPart // that Sent is the sum of
}

type runPart struct {
	Name   string
	Amount int64
	State  affiliate.PayoutState
}

func runSumsOf(list []affiliate.RunSums) []runSums {
	sums := make([]runSums, len(list))
	for i, s := range list {
		sums[i] = runSums{s, []runPart{{"paid", s.Paid, affiliate.PayoutPaid},
			{"pending", s.Pending, affiliate.PayoutPending}, {"unclaimed", s.Unclaimed, affiliate.PayoutUnclaimed},
			{"failed", s.Failed, affiliate.PayoutFailed}, {"returned", s.Returned, affiliate.PayoutReturned}}}
	}
	return sums
}

// payoutPartLine is a file or a request of a run for people.
type payoutPartLine struct {
	affiliate.PayoutPart
	Title   string // "SEPA file 1, EUR"
	File    string // where it is downloaded; empty where it has none
	Back    int64  // payouts of it that are owed again
	Badge   badge
	Count   string // "12 payments"
	Sum     string
	Asked   string // when the provider is asked next
	SentOn  string
	ByFee   string
	Variety string // which form of the file
}

// variants are forms of files in words.
var variants = map[string]string{affiliate.WiseRecipients: "saved recipients", affiliate.WiseEmail: "by e-mail",
	affiliate.WiseBank: "bank accounts"}

func (r *request) payoutPartLine(p affiliate.PayoutPart) payoutPartLine {
	line := payoutPartLine{PayoutPart: p, Title: fmt.Sprintf("%s %d, %s", p.Rail.Title(), p.Number, p.Currency),
		Count: counted(p.Payouts, "payment", "payments"), Sum: moneyText(p.Amount, p.Currency),
		Asked: r.moment(p.NextAt), SentOn: r.moment(p.SentAt), Variety: p.Variant}
	if words := variants[p.Variant]; words != "" {
		line.Variety = words
	}
	if p.Fee != 0 {
		line.ByFee = moneyText(p.Fee, p.FeeCurrency)
	}
	if p.Rail.ByFile() && p.State != affiliate.PartCanceled {
		line.File = "/payouts/parts/" + p.ID.String() + "/file"
	}
	line.Badge = map[affiliate.PayoutPartState]badge{affiliate.PartReady: {"warn", "clock", "Waits"},
		affiliate.PartTrying: {"warn", "refresh", "Being sent"}, affiliate.PartSent: {"good", "check", "Sent"},
		affiliate.PartRefused:  {"bad", "alert", "Refused"},
		affiliate.PartCanceled: {"", "cross", "Canceled"}}[p.State]
	if p.Rail.ByFile() {
		switch p.State {
		case affiliate.PartReady:
			line.Badge = badge{"warn", "download", "Not downloaded yet"}
		case affiliate.PartSent:
			line.Badge.Text = "Downloaded"
		}
	}
	return line
}

// leftOutLine is somebody who was not paid in a run.
type leftOutLine struct {
	storage.NamedLeftOut
	Address string
}

func (r *request) payoutRunPage() error {
	p, err := r.run()
	if err != nil {
		return err
	}
	return r.show("payout_run.html", &p)
}

func (r *request) run() (p payoutRunPage, err error) {
	ctx := r.Request.Context()
	id, err := idParam[affiliate.PayoutRunID](r, "run", "run_")
	if err != nil {
		return p, err
	}
	b, err := r.d.App.DB.PayoutRun(ctx, id)
	if err != nil {
		return p, err
	}
	p = payoutRunPage{Run: r.payoutRunLine(b), Sent: r.moment(b.SentAt), Ended: r.moment(b.EndedAt),
		MayPay: r.may(affiliate.MayPay), MayMail: r.may(affiliate.MayChangeCatalog)}
	p.layout = r.layout("Payout run of "+p.Run.Title, "payouts")
	if !b.UntilAt.IsZero() {
		p.Until = r.date(b.UntilAt.Add(-1))
	}
	const file = "/payouts/recorded."
	p.CSV, p.XLSX = file+"csv?run="+id.String(), file+"xlsx?run="+id.String()
	sums, err := r.d.App.DB.RunSums(ctx, id)
	if err != nil {
		return p, err
	}
	p.Sums = runSumsOf(sums)
	fees, err := r.d.App.DB.RunFees(ctx, id)
	if err != nil {
		return p, err
	}
	p.Fees = sumOf(fees, func(f storage.RunFee) (int64, money.Currency) { return f.Amount, f.Currency })
	parts, err := r.d.App.DB.PayoutParts(ctx, id)
	if err != nil {
		return p, err
	}
	back, err := r.d.App.DB.OwedAgain(ctx, id)
	if err != nil {
		return p, err
	}
	p.Waits = map[affiliate.PayoutPartID]bool{}
	for _, part := range parts {
		line := r.payoutPartLine(part)
		line.Back = back[part.ID]
		p.Parts = append(p.Parts, line)
		p.Waits[part.ID] = part.State == affiliate.PartReady
	}
	p.Elsewhere = len(parts) == 0
	p.MayCancel = p.MayPay && p.Run.Stand > 0 && (p.Elsewhere || b.State == affiliate.PayRunConfirmed)
	return p, r.payoutsOfRun(&p, id)
}

// payoutsOfRun reads the payouts of a run that the address asks for, and who was not paid.
func (r *request) payoutsOfRun(p *payoutRunPage, id affiliate.PayoutRunID) error {
	ctx := r.Request.Context()
	q := r.filters()
	wanted := q.Payouts()
	if err := q.Err(); err != nil {
		return err
	}
	p.State, p.Open = wanted.State, r.Query("open") != ""
	list, next, err := r.d.App.DB.Payouts(ctx, storage.PayoutFilter{Run: id, State: p.State, Open: p.Open}, r.page())
	if err != nil {
		return err
	}
	p.Rows, p.Pager = r.payoutLines(list), r.pager(next)
	p.States = wordChoices(affiliate.Words[affiliate.PayoutState]()...)
	left, more, err := r.d.App.DB.LeftOut(ctx, id, storage.Page{Limit: limit, Cursor: r.Query("left")})
	if err != nil {
		return err
	}
	for _, l := range left {
		p.LeftOut = append(p.LeftOut, leftOutLine{l, creatorAddress(l.CreatorID)})
	}
	at := func(cursor string) string { return r.with("cursor", r.Query("cursor"), "left", cursor) + "#left" }
	if more != "" {
		p.Lefts.Next = at(more)
	}
	if r.Query("left") != "" {
		p.Lefts.First = at("")
	}
	return nil
}

func (r *request) cancelPayoutRun() error {
	id, err := idParam[affiliate.PayoutRunID](r, "run", "run_")
	if err != nil {
		return err
	}
	reason := r.field("reason")
	if _, err = r.d.App.CancelRun(r.Request.Context(), id, reason); err == nil {
		return r.done(payoutRunAddress(id), "The run is canceled: all that it paid is owed again.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.run()
	if err != nil {
		return err
	}
	p.Reason, p.Errors, p.Failure = reason, errs, unseenError(errs, "reason")
	r.render(http.StatusUnprocessableEntity, "payout_run.html", &p)
	return nil
}

// markPayouts says by hand what became of payouts of a run that were ticked.
func (r *request) markPayouts() error {
	id, err := idParam[affiliate.PayoutRunID](r, "run", "run_")
	if err != nil {
		return err
	}
	form := r.markForm()
	ids, err := affiliate.ParseIDs[affiliate.PayoutID]("ids", "pay_", r.PostFormArray("ids"))
	if err == nil && len(ids) == 0 {
		err = affiliate.FieldErrorf("", "nobody is selected; tick the payouts that it is about")
	}
	said := ""
	if err == nil {
		said, err = r.mark(ids, form)
	}
	if err == nil {
		return r.done(payoutRunAddress(id), said)
	}
	if form.Errors, err = formErrors(err); err != nil {
		return err
	}
	p, err := r.run()
	if err != nil {
		return err
	}
	p.Mark, p.Failure = form, unseenError(form.Errors)
	r.render(http.StatusUnprocessableEntity, "payout_run.html", &p)
	return nil
}

// payoutFile hands out the file of a part; its payouts are sent from then on.
func (r *request) payoutFile() error {
	id, err := idParam[affiliate.PayoutPartID](r, "part", "prt_")
	if err != nil {
		return err
	}
	name, body, err := r.d.App.PayoutFile(r.Request.Context(), id, r.field("owed_again") != "")
	if err != nil {
		return err
	}
	kind := "text/csv; charset=utf-8"
	if strings.HasSuffix(name, ".xml") {
		kind = "application/xml"
	}
	r.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	r.Header("X-Content-Type-Options", "nosniff")
	r.Data(http.StatusOK, kind, body)
	return nil
}
