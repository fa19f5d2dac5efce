package dashboard

import (
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// payoutPage is one payout with where it goes, what it pays, and what became of it.
type payoutPage struct {
	layout
	Payout    payoutLine
	RunTitle  string
	Since     string // since when it has its state
	Fee       string // that the provider took; empty: none is known
	Made      []statementLine
	MoreMade  int64 // entries that are not shown
	MadeSum   string
	Entries   []payoutEntryLine
	MayPay    bool
	MayCancel bool
	MayMark   bool

	GiftCode string // of the gift card that it is, for those who may pay
	GiftEnd  string // its last four characters

	// As the forms were filled.
	Reason string // why it is canceled
	Errors fieldErrors
	Mark   markForm
}

// markForm says by hand what became of payouts.
type markForm struct {
	State     affiliate.PayoutState
	Reason    string
	Reference string
	Errors    fieldErrors
}

type payoutEntryLine struct {
	storage.PayoutEntry
	Date  string
	About string
}

// shownEntries bounds how many entries that a payout pays its page shows.
const shownEntries = 500

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
	run, err := r.d.App.DB.PayoutRun(ctx, payout.RunID)
	if err != nil {
		return p, err
	}
	p.Payout = r.payoutLines([]storage.NamedPayout{{Payout: payout, Creator: creator.Name}})[0]
	p.layout, p.RunTitle = r.layout(p.Payout.Title, "payouts"), r.payoutRunLine(run).Title
	p.Since = r.moment(payout.StateAt)
	if payout.Fee != 0 {
		p.Fee = moneyText(payout.Fee, payout.FeeCurrency)
	}
	p.MayPay = r.may(affiliate.MayPay)
	if p.MayPay {
		if p.GiftCode, err = r.d.App.GiftCode(ctx, id); err != nil {
			return p, err
		}
		p.GiftEnd = p.GiftCode[max(0, len(p.GiftCode)-4):]
	}
	state, elsewhere := payout.State, payout.Rail == affiliate.RailElsewhere
	p.MayCancel = p.MayPay && (state == affiliate.PayoutReady || elsewhere && state == affiliate.PayoutPaid)
	p.MayMark = p.MayPay && !elsewhere && state != affiliate.PayoutReady && state != affiliate.PayoutCanceled
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
	return p, r.madeOf(&p, payout)
}

// madeOf reads the entries that a payout pays.
func (r *request) madeOf(p *payoutPage, payout affiliate.Payout) error {
	ctx := r.Request.Context()
	names, err := r.d.App.DB.Names(ctx)
	if err != nil {
		return err
	}
	sum := int64(0)
	err = r.d.App.DB.EachPaidEntry(ctx, payout, func(l *storage.LedgerLine) error {
		sum += l.Amount
		if len(p.Made) == shownEntries {
			p.MoreMade++
			return nil
		}
		l.Campaign, l.Offer = names.Campaigns[l.CampaignID], names.Offers[l.OfferID]
		p.Made = append(p.Made, r.statementLine(*l))
		return nil
	})
	p.MadeSum = moneyText(sum, payout.Currency)
	return err
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
	p.Reason, p.Errors, p.Failure = reason, errs, unseenError(errs, "reason")
	r.render(http.StatusUnprocessableEntity, "payout.html", &p)
	return nil
}

func (r *request) markForm() markForm {
	return markForm{State: affiliate.PayoutState(r.field("state")), Reason: r.field("reason"),
		Reference: r.field("reference")}
}

// markPayout says by hand what became of one payout.
func (r *request) markPayout() error {
	id, err := idParam[affiliate.PayoutID](r, "id", "pay_")
	if err != nil {
		return err
	}
	form := r.markForm()
	said, err := r.mark([]affiliate.PayoutID{id}, form)
	if err == nil {
		return r.done("/payouts/"+id.String(), said)
	}
	if form.Errors, err = formErrors(err); err != nil {
		return err
	}
	p, err := r.payout()
	if err != nil {
		return err
	}
	p.Mark, p.Failure = form, unseenError(form.Errors, "reason", "reference")
	r.render(http.StatusUnprocessableEntity, "payout.html", &p)
	return nil
}

// mark says by hand what became of payouts, and gives in words what came of it.
func (r *request) mark(ids []affiliate.PayoutID, form markForm) (string, error) {
	switch form.State {
	case affiliate.PayoutPaid, affiliate.PayoutFailed, affiliate.PayoutReturned:
	default:
		return "", affiliate.FieldErrorf("", "choose what became of it: paid, failed or came back")
	}
	outcomes, err := r.d.App.MarkPayouts(r.Request.Context(), ids, form.State, form.Reason, form.Reference)
	if err != nil {
		return "", err
	}
	counts, why := map[affiliate.ResultOutcome]int64{}, ""
	for _, o := range outcomes {
		if counts[o.Outcome]++; o.Outcome == affiliate.ResultRefused {
			why = o.Why
		}
	}
	var said []string
	if n := counts[affiliate.ResultChanged]; n > 0 {
		state := string(form.State)
		if form.State != affiliate.PayoutPaid {
			state += ", and owed again"
		}
		said = append(said, counted(n, "payout is ", "payouts are ")+state+".")
	}
	if n := counts[affiliate.ResultSame]; n > 0 {
		said = append(said, counted(n, "payout was", "payouts were")+" so already.")
	}
	if n := counts[affiliate.ResultRefused] + counts[affiliate.ResultUnmatched]; n > 0 {
		said = append(said, counted(n, "payout stays", "payouts stay")+" as before: "+sentenceOf("", why))
	}
	return strings.Join(said, " "), nil
}
