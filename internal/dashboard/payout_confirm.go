package dashboard

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// confirmPage asks, once, whether payouts shall be recorded: to whom, how much and in all.
type confirmPage struct {
	layout
	Lines     []confirmLine
	Sums      string // by currency
	Changed   int    // lines whose amount is another one than was chosen
	Gone      string // who was chosen and is not due any more; empty for nobody
	Back      string // the list
	Form      string // tells this form from others: it records once
	Method    string // as it was typed
	Reference string
	Note      string
	PaidOn    string
	Today     string
	Errors    fieldErrors
}

// confirmLine is one payout that is to be recorded.
type confirmLine struct {
	storage.Due
	Value   string
	Address string
	Was     string // the amount that was chosen; empty where it is the same
}

func (r *request) backToDue() error {
	address := "/payouts"
	if query := r.Request.URL.RawQuery; query != "" {
		address += "?" + query
	}
	return r.done(address, "")
}

// confirmPayouts shows what is about to be recorded: the payments that were ticked, or all that the list is narrowed
// to.
func (r *request) confirmPayouts() error {
	filter, _, err := r.wantedDue()
	if err != nil {
		return err
	}
	var chosen []app.NewPayout
	if r.field("all") == "" {
		if chosen, err = r.chosenDue(); err != nil {
			return err
		}
		if len(chosen) == 0 {
			return r.refuseDue("Nobody is selected; tick the creators who were paid.")
		}
		filter = storage.DueFilter{}
	}
	p, err := r.confirm(filter, chosen)
	if err != nil {
		return err
	}
	if len(p.Lines) == 0 {
		return r.refuseDue("None of those who were selected is due any more. Nothing was recorded.")
	}
	return r.show("payouts_confirm.html", &p)
}

// refuseDue shows the list of who is due again, with why nothing can be confirmed.
func (r *request) refuseDue(sentence string) error {
	p, err := r.due()
	if err != nil {
		return err
	}
	p.Failure = sentence
	r.render(http.StatusUnprocessableEntity, "payouts.html", &p)
	return nil
}

// chosenDue reads the payments that a form names.
func (r *request) chosenDue() ([]app.NewPayout, error) {
	texts := r.PostFormArray("ids")
	list := make([]app.NewPayout, len(texts))
	var err error
	for i, text := range texts {
		if list[i], err = parseDue(text); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// confirm looks up what is due now of some payments that were chosen, or, without any, of all that a filter keeps.
func (r *request) confirm(filter storage.DueFilter, chosen []app.NewPayout) (p confirmPage, err error) {
	// What is recorded goes by what is set, also while figures are shown as before.
	s, zone, err := r.d.App.DB.SavedAccount(r.Request.Context())
	if err != nil {
		return p, err
	}
	p = confirmPage{layout: r.layout("Record payouts", "payouts"), Back: "/payouts", Form: rand.Text(),
		Method: r.field("method"), Note: r.field("note"), Today: affiliate.Day(r.d.App.Now(), zone)}
	if query := r.Request.URL.RawQuery; query != "" {
		p.Back += "?" + query
	}
	p.PaidOn, p.Reference = p.Today, "Payouts "+p.Today
	if form := r.field("form"); form != "" { // it comes back
		p.Form, p.PaidOn, p.Reference = form, r.field("paid_on"), r.field("reference")
	}
	seen := map[string]int64{} // what was chosen, by dueValue without the amount
	for _, in := range chosen {
		seen[dueValue(in.Creator, in.Currency, 0)] = *in.Amount
		if len(chosen) <= storage.MaxLimit { // of more, all that is due is looked through
			filter.Creators = append(filter.Creators, in.Creator)
		}
	}
	ctx := r.Request.Context()
	err = r.d.App.DB.EachDue(ctx, s, filter, "creator", r.d.App.Now(), func(d *storage.Due) error {
		key := dueValue(d.CreatorID, d.Currency, 0)
		was, wanted := seen[key]
		delete(seen, key)
		if len(chosen) > 0 && !wanted {
			return nil
		}
		line := confirmLine{Due: *d, Value: dueValue(d.CreatorID, d.Currency, d.Amount),
			Address: creatorAddress(d.CreatorID)}
		if wanted && was != d.Amount {
			line.Was = moneyText(was, d.Currency)
			p.Changed++
		}
		if p.Lines = append(p.Lines, line); len(p.Lines) > app.MaxBatch {
			return affiliate.FieldErrorf("ids", "more than %s payouts cannot be recorded at once; narrow the list",
				countText(app.MaxBatch))
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	p.Sums = sumOf(p.Lines, func(l confirmLine) (int64, money.Currency) { return l.Amount, l.Currency })
	p.Gone, err = r.gone(ctx, chosen, seen)
	return p, err
}

// fewGone is how many of those who are not due any more are named.
const fewGone = 5

// gone names who was chosen and is not due any more.
func (r *request) gone(ctx context.Context, chosen []app.NewPayout, left map[string]int64) (string, error) {
	var names []string
	for _, in := range chosen {
		if _, ok := left[dueValue(in.Creator, in.Currency, 0)]; !ok || len(names) == fewGone {
			continue
		}
		c, err := r.d.App.DB.Creator(ctx, in.Creator)
		if affiliate.KindOf(err) == affiliate.NotFound {
			continue
		}
		if err != nil {
			return "", err
		}
		names = append(names, fmt.Sprintf("%s (%s)", c.Name, moneyText(*in.Amount, in.Currency)))
	}
	if more := len(left) - len(names); more > 0 && len(names) > 0 {
		names = append(names, countText(more)+" more")
	}
	return strings.Join(names, ", "), nil
}

// recordPayouts records what the page has asked about. Where something else is due by now nothing is recorded: what
// differs is shown, and asked again.
func (r *request) recordPayouts() error {
	chosen, err := r.chosenDue()
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return r.refuseDue("Nobody is selected; tick the creators who were paid.")
	}
	var errs fieldErrors
	if r.field("nothing") == "" { // else it is the enter key, in a browser without script
		batch, err := r.d.App.RecordBatch(r.Request.Context(), app.NewPayoutBatch{Payouts: chosen,
			Method: r.field("method"), Reference: r.field("reference"), Note: r.field("note"),
			PaidOn: r.field("paid_on"), Form: r.field("form")})
		if err == nil {
			return r.recorded(batch)
		}
		if errs, err = formErrors(err); err != nil {
			return err
		}
	}
	p, err := r.confirm(storage.DueFilter{}, chosen)
	if err != nil {
		return err
	}
	if len(p.Lines) == 0 {
		return r.refuseDue("None of those who were selected is due any more: somebody else may have recorded it. " +
			"Nothing was recorded.")
	}
	if len(errs) == 0 {
		return r.show("payouts_confirm.html", &p)
	}
	p.Errors = errs
	if p.Changed > 0 || p.Gone != "" {
		p.Errors = nil // the page says what differs
		p.Failure = "Something else is due by now. Nothing was recorded; look at what differs, then record it."
	}
	r.render(http.StatusUnprocessableEntity, "payouts_confirm.html", &p)
	return nil
}

// recorded leads to what was recorded.
func (r *request) recorded(b affiliate.PayoutBatch) error {
	payouts, err := r.d.App.DB.PayoutsOf(r.Request.Context(), b.ID)
	if err != nil {
		return err
	}
	address := batchAddress(b.ID)
	if len(payouts) == 1 {
		address = "/payouts/" + payouts[0].ID.String()
	}
	if slices.ContainsFunc(payouts, func(p affiliate.Payout) bool { return p.State == affiliate.PayoutCanceled }) {
		return r.done(address, "These payouts were recorded before.")
	}
	return r.done(address, counted(int64(len(payouts)), "payout", "payouts")+" recorded: "+
		sumOf(payouts, func(p affiliate.Payout) (int64, money.Currency) { return p.Amount, p.Currency })+".")
}
