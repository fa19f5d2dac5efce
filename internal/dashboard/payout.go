package dashboard

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

func payoutRoutes() []route {
	return []route{
		{http.MethodGet, "/payouts", signedIn, (*request).payoutsPage},
		{http.MethodPost, "/payouts", may(affiliate.MayPay), (*request).issuePayouts},
		{http.MethodGet, "/payouts/:id", signedIn, (*request).payoutPage},
		{http.MethodPost, "/payouts/:id/cancel", may(affiliate.MayPay), (*request).cancelPayout},
	}
}

// mostDue is how many creators who are due one page names: what is selected is issued at once.
const mostDue = 200

// payoutsPage is who is to be paid now, and who was.
type payoutsPage struct {
	layout
	Due      []dueLine
	Sums     report.PaymentsDue
	More     string // address of more creators who are due; empty without any
	First    string
	Minimum  string // that a payout must reach; empty without one
	HoldDays int
	State    affiliate.PayoutState
	Payouts  []payoutLine
	Pager    pager
	Method   string // as it was typed, when something was refused
	Refer    string
	Picked   map[string]bool
	MayPay   bool
}

// dueLine is what is to be paid to a creator in one currency.
type dueLine struct {
	storage.Due
	Value   string // of its checkbox: the creator, the currency and the amount that is shown
	Address string // of the creator
}

// payoutLine is a payout that was issued.
type payoutLine struct {
	storage.NamedPayout
	Address  string
	Profile  string
	Date     string
	Canceled bool
}

func (r *request) payoutLines(list []storage.NamedPayout) []payoutLine {
	var lines []payoutLine
	for _, p := range list {
		lines = append(lines, payoutLine{p, "/payouts/" + p.ID.String(), creatorAddress(p.CreatorID),
			r.moment(p.PaidAt), p.State == affiliate.PayoutCanceled})
	}
	return lines
}

func (r *request) payoutsPage() error {
	p, err := r.payouts()
	if err != nil {
		return err
	}
	return r.show("payouts.html", &p)
}

func (r *request) payouts() (p payoutsPage, err error) {
	ctx, now := r.Request.Context(), r.d.App.Now()
	p = payoutsPage{layout: r.layout("Payouts", "payouts"), HoldDays: r.settings.HoldDays,
		MayPay: r.may(affiliate.MayPay)}
	if r.settings.MinimumPayout > 0 {
		p.Minimum = moneyText(r.settings.MinimumPayout, r.settings.Currency)
	}
	q := r.filters()
	wanted := q.Payouts()
	if p.State, err = wanted.State, q.Err(); err != nil {
		return p, err
	}
	due, next, err := r.d.App.DB.PayoutsDue(ctx, r.settings, "", now, storage.Page{Limit: mostDue,
		Cursor: r.Query("due")})
	if err != nil {
		return p, err
	}
	for _, d := range due {
		p.Due = append(p.Due, dueLine{d, fmt.Sprintf("%s.%s.%d", d.CreatorID, d.Currency, d.Amount),
			creatorAddress(d.CreatorID)})
	}
	if next != "" {
		p.More = r.with("due", next)
	}
	if r.Query("due") != "" {
		p.First = r.with("due", "")
	}
	everybody := report.Scope{Former: true}
	if p.Sums, err = everybody.PaymentsDue(ctx, r.d.App.DB, r.settings.Currency,
		r.settings.MinimumPayout, now); err != nil {
		return p, err
	}
	issued, next, err := r.d.App.DB.Payouts(ctx, wanted, r.page())
	if err != nil {
		return p, err
	}
	p.Payouts, p.Pager = r.payoutLines(issued), r.pager(next)
	return p, nil
}

// issuePayouts records that the selected creators were paid what the page had shown. Where something else is due by
// now, nothing is recorded.
func (r *request) issuePayouts() error {
	if r.field("nothing") != "" { // the enter key, in a browser without script
		return r.done("/payouts", "")
	}
	chosen := r.PostFormArray("ids")
	method, reference := r.field("method"), r.field("reference")
	list := make([]app.NewPayout, len(chosen))
	var err error
	for i, text := range chosen {
		if list[i], err = parseDue(text); err != nil {
			return err
		}
		list[i].Method, list[i].Reference = method, reference
	}
	if len(list) == 0 {
		err = affiliate.Errorf(affiliate.Invalid, "nobody is selected; tick the creators who were paid")
	} else {
		var paid []affiliate.Payout
		if paid, err = r.d.App.IssuePayouts(r.Request.Context(), list); err == nil {
			return r.done("/payouts", counted(int64(len(paid)), "payout", "payouts")+" recorded: "+sumText(paid)+".")
		}
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.payouts()
	if err != nil {
		return err
	}
	for _, sentence := range errs {
		p.Failure = sentence + " Nothing was recorded."
	}
	p.Method, p.Refer, p.Picked = method, reference, map[string]bool{}
	for _, text := range chosen {
		p.Picked[text] = true
	}
	r.render(http.StatusUnprocessableEntity, "payouts.html", &p)
	return nil
}

// parseDue reads the value of a checkbox: cre_1.EUR.1250.
func parseDue(text string) (p app.NewPayout, err error) {
	wrong := affiliate.FieldErrorf("ids", "%q names no payment; open the page again", text)
	creator, rest, ok := strings.Cut(text, ".")
	currency, minor, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return p, wrong
	}
	if p.Creator, err = affiliate.ParseID[affiliate.CreatorID]("cre_", creator); err != nil {
		return p, wrong
	}
	if p.Currency, err = money.ParseCurrency(currency); err != nil {
		return p, wrong
	}
	seen, err := strconv.ParseInt(minor, 10, 64)
	if err != nil {
		return p, wrong
	}
	p.Amount = &seen
	return p, nil
}

// sumText adds payouts up by currency: "120.00 USD, 7.00 GBP".
func sumText(list []affiliate.Payout) string {
	sums := map[money.Currency]int64{}
	var order []money.Currency
	for _, p := range list {
		if _, seen := sums[p.Currency]; !seen {
			order = append(order, p.Currency)
		}
		sums[p.Currency] += p.Amount
	}
	words := make([]string, len(order))
	for i, c := range order {
		words[i] = moneyText(sums[c], c)
	}
	return strings.Join(words, ", ")
}

// payoutPage is one payout with what it paid.
type payoutPage struct {
	layout
	Payout  payoutLine
	Entries []payoutEntryLine
	Reason  string // as it was typed
	Errors  fieldErrors
	MayPay  bool
}

type payoutEntryLine struct {
	storage.PayoutEntry
	Date  string
	About string
}

func (r *request) payoutPage() error {
	p, err := r.payout()
	if err != nil {
		return err
	}
	return r.show("payout.html", &p)
}

func (r *request) payout() (p payoutPage, err error) {
	ctx := r.Request.Context()
	id, err := idParam[affiliate.PayoutID](r, "id", "pay_")
	if err != nil {
		return p, err
	}
	payout, err := r.d.App.DB.Payout(ctx, id)
	if err != nil {
		return p, err
	}
	creator, err := r.d.App.DB.Creator(ctx, payout.CreatorID)
	if err != nil {
		return p, err
	}
	p.Payout = r.payoutLines([]storage.NamedPayout{{Payout: payout, Creator: creator.Name}})[0]
	p.layout, p.MayPay = r.layout("Payout to "+creator.Name, "payouts"), r.may(affiliate.MayPay)
	entries, err := r.d.App.DB.PayoutEntries(ctx, id)
	if err != nil {
		return p, err
	}
	for _, e := range entries {
		line := payoutEntryLine{e, r.moment(e.CreatedAt), e.Campaign}
		switch {
		case e.Offer != "":
			line.About += " · " + e.Offer
		case e.Campaign == "":
			line.About = "Outside of campaigns"
		}
		p.Entries = append(p.Entries, line)
	}
	return p, nil
}

func (r *request) cancelPayout() error {
	id, err := idParam[affiliate.PayoutID](r, "id", "pay_")
	if err != nil {
		return err
	}
	reason := r.field("reason")
	if _, err = r.d.App.CancelPayout(r.Request.Context(), id, reason); err == nil {
		return r.done("/payouts/"+id.String(), "The payout is canceled: its amount is owed again.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.payout()
	if err != nil {
		return err
	}
	p.Reason, p.Errors = reason, errs
	r.render(http.StatusUnprocessableEntity, "payout.html", &p)
	return nil
}
