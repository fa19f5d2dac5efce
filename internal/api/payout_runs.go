package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerPayoutRuns declares the operations on payouts that are sent together.
func (a *API) registerPayoutRuns(api huma.API) {
	const read, pay = affiliate.MayRead, affiliate.MayPay
	register(a, api, operation{http.MethodGet, "/payout-runs", "list-payout-runs", read,
		"List payout runs, newest first"}, a.listPayoutRuns)
	register(a, api, operation{http.MethodPost, "/payout-runs/preview", "preview-payout-run", read,
		"Say what a payout run would pay now, and whom it would leave out; nothing is changed"}, a.previewPayoutRun)
	register(a, api, operation{http.MethodPost, "/payout-runs", "create-payout-run", pay,
		"Send payouts together, or record that they were paid elsewhere: all of them or none"}, a.createPayoutRun)
	register(a, api, operation{http.MethodGet, "/payout-runs/{id}", "get-payout-run", read,
		"Read a payout run with its sums, fees and parts"}, a.getPayoutRun)
	register(a, api, operation{http.MethodGet, "/payout-runs/{id}/left-out", "list-left-out", read,
		"List whom a payout run does not pay, and why"}, a.listLeftOut)
	register(a, api, operation{http.MethodPost, "/payout-runs/{id}/cancel", "cancel-payout-run", pay,
		"Cancel all payouts of a payout run of which nothing was sent; what they paid is owed again"},
		a.cancelPayoutRun)
	a.registerPayoutParts(api)
	a.registerPayoutResults(api)
}

// PayoutRunJSON is a payout run.
type PayoutRunJSON struct {
	ID        string                   `json:"id" example:"run_1"`
	Name      string                   `json:"name" example:"2026-11-29 · 69 payouts" doc:"What people call it"`
	About     string                   `json:"about" example:"all that is due" doc:"Of whom it was made"`
	State     affiliate.PayoutRunState `json:"state" doc:"settled: the state of each payout is final"`
	Payouts   int                      `json:"payouts" doc:"How many there are, canceled ones included"`
	Sums      []RunSumJSON             `json:"sums" nullable:"false" doc:"By currency"`
	Until     *time.Time               `json:"until" doc:"Only what was posted before is paid; null: all that was due"`
	PaidOn    string                   `json:"paid_on" format:"date" doc:"The day on which it was confirmed, or paid elsewhere, in the account's time zone"`
	Method    string                   `json:"method" doc:"Of what was paid elsewhere, as the reference"`
	Reference string                   `json:"reference"`
	Note      string                   `json:"note"`
	Tell      bool                     `json:"tell" doc:"Creators get a mail once they are paid"`
	Author    string                   `json:"author" doc:"Who confirmed it"`
	CreatedAt time.Time                `json:"created_at"`
	SentAt    *time.Time               `json:"sent_at" doc:"When the first file was downloaded, or the first provider had it"`
	EndedAt   *time.Time               `json:"ended_at" doc:"When it was settled or canceled"`
}

// RunSumJSON is what the payouts of a payout run add up to in one currency, by their state.
type RunSumJSON struct {
	Currency  string `json:"currency" example:"EUR"`
	Payouts   int64  `json:"payouts" doc:"How many, canceled ones included"`
	Amount    string `json:"amount" example:"6210.37" doc:"sent + ready + canceled"`
	Ready     string `json:"ready" doc:"Not handed over yet"`
	Canceled  string `json:"canceled"`
	Sent      string `json:"sent" doc:"paid + pending + unclaimed + failed + returned"`
	Pending   string `json:"pending" doc:"Handed over, and nobody has said yet what became of it"`
	Unclaimed string `json:"unclaimed"`
	Paid      string `json:"paid"`
	Failed    string `json:"failed"`
	Returned  string `json:"returned"`
}

// PayoutRunView is how the API and the command line show a payout run.
func PayoutRunView(b affiliate.PayoutRun, sums []affiliate.RunSums) PayoutRunJSON {
	v := PayoutRunJSON{ID: b.ID.String(), Name: b.Name(), About: b.About, State: b.State, Payouts: b.Payouts,
		Sums: make([]RunSumJSON, len(sums)), Until: web.TimeOrNull(b.UntilAt), PaidOn: b.Day, Method: b.Method,
		Reference: b.Reference, Note: b.Note, Tell: b.Tell, Author: b.Author, CreatedAt: b.CreatedAt.UTC(),
		SentAt: web.TimeOrNull(b.SentAt), EndedAt: web.TimeOrNull(b.EndedAt)}
	for i, s := range sums {
		amount := func(n int64) string { return money.Format(n, s.Currency) }
		v.Sums[i] = RunSumJSON{Currency: s.Currency.Code(), Payouts: s.Payouts, Amount: amount(s.Amount),
			Ready: amount(s.Ready), Canceled: amount(s.Canceled), Sent: amount(s.Sent), Pending: amount(s.Pending),
			Unclaimed: amount(s.Unclaimed), Paid: amount(s.Paid), Failed: amount(s.Failed),
			Returned: amount(s.Returned)}
	}
	return v
}

type listPayoutRunsInput struct{ PageInput }

func (a *API) listPayoutRuns(ctx context.Context, in *listPayoutRunsInput) (*listOutput[PayoutRunJSON], error) {
	list, next, err := PayoutRunPage(ctx, a.App.DB, in.page())
	return listPage(list, next, err, func(v PayoutRunJSON) PayoutRunJSON { return v })
}

// PayoutRunPage gives a page of payout runs, newest first, as the API and the command line show them.
func PayoutRunPage(ctx context.Context, db *storage.DB, p storage.Page) ([]PayoutRunJSON, string, error) {
	list, next, err := db.PayoutRuns(ctx, p)
	if err != nil {
		return nil, "", err
	}
	ids := make([]affiliate.PayoutRunID, len(list))
	for i, b := range list {
		ids[i] = b.ID
	}
	sums, err := db.SumsOfRuns(ctx, ids)
	views := make([]PayoutRunJSON, len(list))
	for i, b := range list {
		views[i] = PayoutRunView(b.PayoutRun, sums[b.ID])
	}
	return views, next, err
}

// RunAskedJSON says whom a payout run is to pay, and how.
type RunAskedJSON struct {
	All       bool                                       `json:"all,omitempty" doc:"true: everybody who can be paid, as the filter below keeps them. Needed where no payouts are named"`
	Payouts   []runPayoutJSON                            `json:"payouts,omitempty" maxItems:"5000" doc:"Each of them, or nobody"`
	Creators  []string                                   `json:"creators,omitempty" maxItems:"500" example:"[\"cre_1\"]" doc:"With all: only these"`
	Campaign  string                                     `json:"campaign,omitempty" example:"cmp_1" doc:"With all: only who earned something in it; they are paid the whole amount"`
	Offer     string                                     `json:"offer,omitempty" example:"off_1" doc:"With all: likewise"`
	Currency  string                                     `json:"currency,omitempty" example:"EUR" doc:"With all: only what is due in this one"`
	Until     string                                     `json:"until,omitempty" example:"2026-10-31" doc:"The cut-off: only what was posted before is paid. A time, or a day in the account's time zone, which is the last one that counts"`
	Exclude   []string                                   `json:"exclude,omitempty" maxItems:"50000" example:"[\"cre_2\"]" doc:"Creators who are not paid"`
	Elsewhere bool                                       `json:"elsewhere,omitempty" doc:"true: it was paid by other means, and is only recorded"`
	Rails     map[affiliate.PaymentMethod]affiliate.Rail `json:"rails,omitempty" doc:"By which rail a payment method is paid, where the usual one is not wanted" example:"{\"paypal\": \"paypal_file\"}"`
}

// runPayoutJSON is one payout of a payout run that is asked for by name.
type runPayoutJSON struct {
	Creator  string `json:"creator" example:"cre_1"`
	Amount   string `json:"amount,omitempty" example:"120.00" doc:"What was seen to be due; when something else is, the answer is 409. Without it, whatever is due is paid"`
	Currency string `json:"currency,omitempty" example:"EUR" doc:"The account's, unless another is given"`
}

// newPayoutRun reads whom a run is to pay, and how.
func (a *API) newPayoutRun(ctx context.Context, in RunAskedJSON) (asked app.NewPayoutRun, err error) {
	settings, err := a.App.DB.SavedSettings(ctx)
	if err != nil {
		return asked, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return asked, err
	}
	asked = app.NewPayoutRun{All: in.All, Elsewhere: in.Elsewhere, Rails: in.Rails}
	narrowed := in.Creators != nil || in.Campaign != "" || in.Offer != "" || in.Currency != ""
	switch {
	case in.All && len(in.Payouts) > 0:
		return asked, affiliate.FieldErrorf("payouts", "are paid one by one; leave out all, or use creators")
	case !in.All && narrowed:
		return asked, affiliate.FieldErrorf("all", "must be true where payouts are chosen by a filter")
	case !in.All && len(in.Payouts) == 0:
		return asked, affiliate.FieldErrorf("payouts", "are missing: name them, or say all: true")
	}
	for _, p := range in.Payouts {
		payout, err := newPayout(p, settings.Currency)
		if err != nil {
			return asked, err
		}
		asked.Payouts = append(asked.Payouts, payout)
	}
	err = app.RunAsked{Offer: in.Offer, Campaign: in.Campaign, Currency: in.Currency, Until: in.Until,
		Creators: in.Creators, Exclude: in.Exclude}.Into(&asked, zone)
	return asked, err
}

// newPayout reads whom and what a payout is to pay.
func newPayout(p runPayoutJSON, account money.Currency) (asked app.NewPayout, err error) {
	if asked.Creator, err = affiliate.ParseID[affiliate.CreatorID]("cre_", p.Creator); err != nil {
		return asked, affiliate.FieldErrorf("creator", "%v", err)
	}
	if asked.Currency, err = currencyIn("currency", p.Currency, account); err != nil || p.Amount == "" {
		return asked, err
	}
	amount, err := affiliate.ParseAmount("amount", p.Amount, asked.Currency)
	asked.Amount = &amount
	return asked, err
}

// mostPayoutRun is the largest body of a new payout run, in bytes.
const mostPayoutRun = 4 << 20

type previewPayoutRunInput struct {
	Lines int `query:"lines" minimum:"1" maximum:"5000" default:"500" doc:"How many creators at most are listed who are paid, and how many who are left out; sums are over all"`
	Body  RunAskedJSON
}

func (previewPayoutRunInput) mostBytes() int64 { return mostPayoutRun }

func (a *API) previewPayoutRun(ctx context.Context,
	in *previewPayoutRunInput) (*output[PayoutPreviewJSON], error) {
	asked, err := a.newPayoutRun(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	p, err := a.App.PreviewPayouts(ctx, asked)
	return one(p, err, func(p app.PayoutPreview) PayoutPreviewJSON { return PayoutPreviewView(p, in.Lines) })
}

type createPayoutRunInput struct {
	Body struct {
		RunAskedJSON
		Expect    string `json:"expect,omitempty" doc:"Of the preview that was seen: when something else would be paid by now, the answer is 409"`
		Note      string `json:"note,omitempty" doc:"For people"`
		Tell      bool   `json:"tell,omitempty" doc:"true: creators get a mail once they are paid"`
		Method    string `json:"method,omitempty" example:"bank transfer" doc:"Of what was paid elsewhere"`
		Reference string `json:"reference,omitempty" doc:"Of what was paid elsewhere: by which it is found at the bank"`
		PaidOn    string `json:"paid_on,omitempty" format:"date" doc:"Of what was paid elsewhere: the day on which the money moved, in the account's time zone; today, unless it is given"`
	}
}

func (createPayoutRunInput) mostBytes() int64 { return mostPayoutRun }

func (a *API) createPayoutRun(ctx context.Context, in *createPayoutRunInput) (*output[PayoutRunDetailJSON], error) {
	b := in.Body
	if !b.Elsewhere {
		for _, text := range []struct{ field, value string }{{"method", b.Method}, {"reference", b.Reference},
			{"paid_on", b.PaidOn}} {
			if text.value != "" {
				return nil, affiliate.FieldErrorf(text.field, "belongs to what was paid elsewhere: say elsewhere: true")
			}
		}
	}
	asked, err := a.newPayoutRun(ctx, b.RunAskedJSON)
	if err != nil {
		return nil, err
	}
	asked.Expect, asked.Note, asked.Tell = b.Expect, b.Note, b.Tell
	asked.Method, asked.Reference, asked.PaidOn = b.Method, b.Reference, b.PaidOn
	if asked.About, err = a.App.AboutRun(ctx, asked); err != nil {
		return nil, err
	}
	web.AllowTime(requestOf(ctx).Writer)
	run, err := a.App.SendPayouts(ctx, asked)
	if err != nil {
		return nil, err
	}
	return a.payoutRun(ctx, run.ID)
}

// payoutRun gives a run as it stands.
func (a *API) payoutRun(ctx context.Context, id affiliate.PayoutRunID) (*output[PayoutRunDetailJSON], error) {
	v, err := PayoutRunDetail(ctx, a.App.DB, id)
	return one(v, err, func(v PayoutRunDetailJSON) PayoutRunDetailJSON { return v })
}

// PayoutRunPath names a payout run.
type PayoutRunPath struct {
	ID string `path:"id" example:"run_1"`
}

func (p PayoutRunPath) id() (affiliate.PayoutRunID, error) {
	return idPath[affiliate.PayoutRunID]("run_", p.ID)
}

func (a *API) getPayoutRun(ctx context.Context, in *PayoutRunPath) (*output[PayoutRunDetailJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	return a.payoutRun(ctx, id)
}

type listLeftOutInput struct {
	PayoutRunPath
	PageInput
}

func (a *API) listLeftOut(ctx context.Context, in *listLeftOutInput) (*listOutput[LeftOutJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.DB.PayoutRun(ctx, id); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.LeftOut(ctx, id, in.page())
	return listPage(list, next, err, func(l storage.NamedLeftOut) LeftOutJSON {
		return leftOutView(l.CreatorID, l.Creator, l.Amount, l.Currency, l.Reason)
	})
}

type cancelPayoutRunInput struct {
	PayoutRunPath
	Body struct {
		Reason string `json:"reason" doc:"Why; it is kept with the ledger entries"`
	}
}

func (a *API) cancelPayoutRun(ctx context.Context, in *cancelPayoutRunInput) (*output[PayoutRunDetailJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.CancelRun(ctx, id, in.Body.Reason); err != nil {
		return nil, err
	}
	return a.payoutRun(ctx, id)
}

type exportPayoutsInput struct {
	PayoutFilter
	ExportInput
}

func (a *API) exportPayouts(ctx context.Context, in *exportPayoutsInput, d *web.Download) error {
	filter, err := a.payoutFilter(ctx)
	if err != nil {
		return err
	}
	name, err := a.fileName(ctx, filter.From, filter.To, "payouts")
	if err != nil {
		return err
	}
	_, err = a.App.ExportPayouts(ctx, nil, filter, d.Options(name))
	return err
}

type exportDueInput struct {
	DueFilter
	ExportInput
}

func (a *API) exportDue(ctx context.Context, in *exportDueInput, d *web.Download) error {
	filter, sort, err := a.dueFilter(ctx)
	if err != nil {
		return err
	}
	name, err := a.fileName(ctx, time.Time{}, time.Time{}, "payments-due")
	if err != nil {
		return err
	}
	_, err = a.App.ExportDue(ctx, nil, filter, sort, d.Options(name))
	return err
}
