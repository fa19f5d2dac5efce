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

// registerPayouts declares the operations on what creators are owed and were paid.
func (a *API) registerPayouts(api huma.API) {
	const read, pay = affiliate.MayRead, affiliate.MayPay
	register(a, api, operation{http.MethodGet, "/payouts/due", "list-payouts-due", read,
		"List the payments due: what can be paid to creators now, by currency"}, a.listPayoutsDue)
	register(a, api, operation{http.MethodGet, "/payouts", "list-payouts", read, "List payouts, newest first"},
		a.listPayouts)
	register(a, api, operation{http.MethodPost, "/payouts", "create-payout", pay,
		"Record that a creator was paid all that is due to them; no money is moved"}, a.createPayout)
	register(a, api, operation{http.MethodGet, "/payouts/{id}", "get-payout", read,
		"Read a payout with its ledger entries"}, a.getPayout)
	register(a, api, operation{http.MethodGet, "/payouts/{id}/paid", "list-paid-entries", read,
		"List the ledger entries that a payout pays, newest first: what it is made of"}, a.listPaidEntries)
	register(a, api, operation{http.MethodPost, "/payouts/{id}/cancel", "cancel-payout", pay,
		"Cancel a payout that was not sent, or recorded by mistake; what it paid is owed again"}, a.cancelPayout)
	register(a, api, operation{http.MethodPost, "/payouts/marks", "mark-payouts", pay,
		"Say by hand what became of payouts: paid, failed or returned"}, a.markPayouts)
}

// DueJSON is what is due to a creator.
type DueJSON struct {
	Creator     string            `json:"creator" example:"cre_1"`
	CreatorName string            `json:"creator_name"`
	Handle      string            `json:"handle" doc:"The one on Instagram, or the first other; empty without any"`
	Amount      string            `json:"amount" example:"120.00" doc:"What a payout pays now, over all campaigns. What is on hold is not in it, and debts from refunds are taken off"`
	Part        string            `json:"part" example:"20.00" doc:"What of the amount belongs to the campaign or offer that the list is narrowed to; the amount without such a filter"`
	Currency    string            `json:"currency" example:"EUR"`
	Accounts    int               `json:"accounts" doc:"How many ledger accounts, one per offer, it is settled over"`
	Since       *time.Time        `json:"since" doc:"From when on the oldest entry may be paid that no payout has paid yet"`
	LastPaidAt  *time.Time        `json:"last_paid_at" doc:"Of the newest payout in this currency that stands; null without any"`
	Campaigns   []DueCampaignJSON `json:"campaigns" nullable:"false" doc:"From which something is payable, or taken off"`
}

// DueCampaignJSON names a campaign.
type DueCampaignJSON struct {
	ID   string `json:"id" example:"cmp_1"`
	Name string `json:"name"`
}

// DueView is how the API and the command line show what is due.
func DueView(d storage.Due) DueJSON {
	v := DueJSON{Creator: d.CreatorID.String(), CreatorName: d.Creator, Handle: d.Handle,
		Amount: money.Format(d.Amount, d.Currency), Part: money.Format(d.Part, d.Currency), Currency: d.Currency.Code(),
		Accounts: d.Accounts, Since: orNull(d.Since.UTC()), LastPaidAt: orNull(d.LastPaid.UTC()),
		Campaigns: []DueCampaignJSON{}}
	for _, c := range d.Campaigns {
		v.Campaigns = append(v.Campaigns, DueCampaignJSON{c.ID.String(), c.Name})
	}
	return v
}

// DueFilter are the query parameters that narrow and sort payments due, in the list and its exports.
type DueFilter struct {
	Campaign string `query:"campaign" doc:"cmp_…: only creators to whom something of it is payable. A payout pays them the whole amount, wherever it was earned"`
	Offer    string `query:"offer" doc:"off_…: likewise"`
	Currency string `query:"currency" example:"EUR" doc:"Only what is due in this one"`
	Q        string `query:"q" doc:"In the creator's name, e-mail address or handles"`
	Sort     string `query:"sort" example:"-amount" doc:"creator, amount (within a currency), since or last; with a minus before it the other way round. By currency and creator, unless it is given"`
}

type payoutsDueInput struct {
	DueFilter
	PageInput
}

func (a *API) listPayoutsDue(ctx context.Context, in *payoutsDueInput) (*listOutput[DueJSON], error) {
	filter, sort, err := a.dueFilter(ctx)
	if err != nil {
		return nil, err
	}
	settings, err := a.App.DB.SavedSettings(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.PayoutsDue(ctx, settings, filter, sort, a.App.Now(), in.page())
	return listPage(list, next, err, DueView)
}

func (a *API) dueFilter(ctx context.Context) (f storage.DueFilter, sort storage.DueSort, err error) {
	q, err := a.query(ctx)
	if err != nil {
		return f, sort, err
	}
	f, sort = q.Due(), q.DueSort("")
	return f, sort, q.Err()
}

// currencyIn reads a currency; an empty text is otherwise.
func currencyIn(field, text string, otherwise money.Currency) (money.Currency, error) {
	if text == "" {
		return otherwise, nil
	}
	c, err := money.ParseCurrency(text)
	if err != nil {
		return "", affiliate.FieldErrorf(field, "%v", err)
	}
	return c, nil
}

// PayoutJSON is a payout as the API and commands give it.
type PayoutJSON struct {
	ID          string                `json:"id" example:"pay_1"`
	Run         *string               `json:"run" example:"run_1" doc:"With which others it was confirmed"`
	Part        *string               `json:"part" example:"prt_1" doc:"The file or request that it is in; null for none"`
	Creator     string                `json:"creator" example:"cre_1"`
	Amount      string                `json:"amount" example:"120.00"`
	Currency    string                `json:"currency" example:"EUR"`
	State       affiliate.PayoutState `json:"state" doc:"ready, sent, pending and unclaimed are in payment; what is failed, returned or canceled is owed again"`
	StateAt     time.Time             `json:"state_at" doc:"Since when"`
	Words       string                `json:"words" doc:"Of whoever said its state last" example:"AC04, the account is closed"`
	Rail        affiliate.Rail        `json:"rail"`
	Destination string                `json:"destination" example:"FR14 … 2606" doc:"Masked; empty of what was paid elsewhere"`
	Ref         string                `json:"ref" example:"TRB-1-K7Q2M9" doc:"Ours, in files and requests"`
	ProviderRef string                `json:"provider_ref" doc:"The provider's"`
	Fee         *string               `json:"fee" example:"0.35" doc:"That the provider took, not part of the amount; null: none is known"`
	FeeCurrency *string               `json:"fee_currency" example:"EUR"`
	Method      string                `json:"method"`
	Reference   string                `json:"reference"`
	Author      string                `json:"author" doc:"Who confirmed it"`
	CreatedAt   time.Time             `json:"created_at" doc:"When it was confirmed"`
	PaidAt      *time.Time            `json:"paid_at" doc:"When the money moved, or the begin of an earlier day; null: not yet"`
}

// PayoutView is how the API and the command line show a payout.
func PayoutView(p affiliate.Payout) PayoutJSON {
	v := PayoutJSON{ID: p.ID.String(), Creator: p.CreatorID.String(), Amount: money.Format(p.Amount, p.Currency),
		Currency: p.Currency.Code(), State: p.State, StateAt: p.StateAt.UTC(), Words: p.Words, Rail: p.Rail,
		Destination: p.Masked, Ref: p.Ref, ProviderRef: p.ProviderRef, Method: p.Method, Reference: p.Reference,
		Author: p.Author, CreatedAt: p.CreatedAt.UTC(), PaidAt: web.TimeOrNull(p.PaidAt)}
	v.Fee, v.FeeCurrency = feeView(p.Fee, p.FeeCurrency)
	if p.RunID != 0 {
		v.Run = orNull(p.RunID.String())
	}
	if p.PartID != 0 {
		v.Part = orNull(p.PartID.String())
	}
	return v
}

// feeView shows a fee with its currency; nulls where none is known.
func feeView(fee int64, c money.Currency) (amount, currency *string) {
	if c == "" {
		return nil, nil
	}
	return orNull(money.Format(fee, c)), orNull(c.Code())
}

type namedPayoutJSON struct {
	PayoutJSON
	CreatorName string `json:"creator_name"`
}

// PayoutFilter are the query parameters that narrow payouts, in the list and its exports.
type PayoutFilter struct {
	Creator  string                `query:"creator" doc:"cre_…: only theirs"`
	Run      string                `query:"run" doc:"run_…: only those that were recorded in it"`
	State    affiliate.PayoutState `query:"state"`
	Rail     affiliate.Rail        `query:"rail" doc:"Only those that were paid by it"`
	Currency string                `query:"currency" example:"EUR"`
	Q        string                `query:"q" doc:"In the creator's name, e-mail address or handles, and in the references: yours, ours and the provider's"`
	From     string                `query:"from" doc:"Paid at or after: a day in the account's time zone (2026-11-01), or an RFC 3339 time"`
	To       string                `query:"to" doc:"Paid before: a time, or a day, which is the last one that counts"`
}

type listPayoutsInput struct {
	PayoutFilter
	PageInput
}

func (a *API) listPayouts(ctx context.Context, in *listPayoutsInput) (*listOutput[namedPayoutJSON], error) {
	filter, err := a.payoutFilter(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Payouts(ctx, filter, in.page())
	return listPage(list, next, err, func(p storage.NamedPayout) namedPayoutJSON {
		return namedPayoutJSON{PayoutView(p.Payout), p.Creator}
	})
}

func (a *API) payoutFilter(ctx context.Context) (f storage.PayoutFilter, err error) {
	q, err := a.query(ctx)
	if err != nil {
		return f, err
	}
	f = q.Payouts()
	f.From, f.To = q.Span()
	return f, q.Err()
}

type createPayoutInput struct {
	Body struct {
		Creator   string `json:"creator" example:"cre_1"`
		Amount    string `json:"amount,omitempty" example:"120.00" doc:"What was seen to be due; when something else is due by now, the answer is 409. Without it, whatever is due is paid"`
		Currency  string `json:"currency,omitempty" example:"EUR" doc:"The account's, unless another is given"`
		Method    string `json:"method,omitempty" example:"bank transfer"`
		Reference string `json:"reference,omitempty" doc:"By which the payment is found at the bank"`
	}
}

func (a *API) createPayout(ctx context.Context, in *createPayoutInput) (*output[PayoutJSON], error) {
	b := in.Body
	settings, err := a.App.DB.SavedSettings(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := newPayout(runPayoutJSON{b.Creator, b.Amount, b.Currency}, settings.Currency)
	if err != nil {
		return nil, err
	}
	asked.Method, asked.Reference = b.Method, b.Reference
	p, err := a.App.IssuePayout(ctx, asked)
	return one(p, err, PayoutView)
}

type PayoutPath struct {
	ID string `path:"id" example:"pay_1"`
}

func (p PayoutPath) id() (affiliate.PayoutID, error) {
	return idPath[affiliate.PayoutID]("pay_", p.ID)
}

// payoutDetailJSON is a payout with what it posted.
type payoutDetailJSON struct {
	PayoutJSON
	Entries []payoutEntryJSON `json:"entries" nullable:"false" doc:"Oldest first; those by which it is owed again are the opposites of the others. What it pays is in /payouts/{id}/paid"`
}

type payoutEntryJSON struct {
	ID           string    `json:"id" example:"led_1"`
	Campaign     *string   `json:"campaign" doc:"null for what belongs to no campaign"`
	CampaignName *string   `json:"campaign_name"`
	OfferMember  *string   `json:"offer_member" doc:"null for what belongs to no offer"`
	OfferName    *string   `json:"offer_name"`
	Amount       string    `json:"amount" example:"-120.00" doc:"Negative: paid out of this account. Positive: a debt that was carried in, or a payment that was canceled"`
	Note         string    `json:"note" doc:"Why it was canceled"`
	Author       string    `json:"author"`
	CreatedAt    time.Time `json:"created_at"`
}

func payoutEntryView(e storage.PayoutEntry) payoutEntryJSON {
	v := payoutEntryJSON{ID: e.ID.String(), CampaignName: orNull(e.Campaign), OfferName: orNull(e.Offer),
		Amount: money.Format(e.Amount, e.Currency), Note: e.Note, Author: e.Author, CreatedAt: e.CreatedAt.UTC()}
	if e.CampaignID != 0 {
		v.Campaign = orNull(e.CampaignID.String())
	}
	if e.OfferMemberID != 0 {
		v.OfferMember = orNull(e.OfferMemberID.String())
	}
	return v
}

func (a *API) getPayout(ctx context.Context, in *PayoutPath) (*output[payoutDetailJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	p, err := a.App.DB.Payout(ctx, id)
	if err != nil {
		return nil, err
	}
	entries, err := a.App.DB.PayoutEntries(ctx, id)
	return one(p, err, func(p affiliate.Payout) payoutDetailJSON {
		v := payoutDetailJSON{PayoutJSON: PayoutView(p), Entries: make([]payoutEntryJSON, len(entries))}
		for i, e := range entries {
			v.Entries[i] = payoutEntryView(e)
		}
		return v
	})
}

type paidEntriesInput struct {
	PayoutPath
	PageInput
}

func (a *API) listPaidEntries(ctx context.Context, in *paidEntriesInput) (*listOutput[LedgerEntryJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	p, err := a.App.DB.Payout(ctx, id)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.PaidEntries(ctx, p, in.page())
	return listPage(list, next, err, ledgerEntryView)
}

type markPayoutsInput struct {
	Body struct {
		Payouts   []string              `json:"payouts" minItems:"1" maxItems:"5000" nullable:"false" example:"[\"pay_1\"]"`
		State     affiliate.PayoutState `json:"state" doc:"paid, failed or returned"`
		Reason    string                `json:"reason,omitempty" doc:"Why: needed for what failed or came back"`
		Reference string                `json:"reference,omitempty" doc:"By which the payment is found at the bank"`
	}
}

// MarkedPayoutsJSON is what became of payouts of which something was said by hand.
type MarkedPayoutsJSON struct {
	Outcomes map[string]int64   `json:"outcomes" doc:"How many there are of each outcome" example:"{\"changed\": 1}"`
	Payouts  []MarkedPayoutJSON `json:"payouts" nullable:"false" doc:"By their ids, each once"`
}

// MarkedPayoutJSON is what became of one of them.
type MarkedPayoutJSON struct {
	Payout  string                  `json:"payout" example:"pay_1"`
	Outcome affiliate.ResultOutcome `json:"outcome" doc:"same: it was known; refused: it cannot be"`
	State   affiliate.PayoutState   `json:"state" doc:"That it has now"`
	Why     string                  `json:"why" doc:"Of refused"`
}

// MarkedPayoutsView is how the API and the command line show what MarkPayouts has done with payouts.
func MarkedPayoutsView(outcomes []app.NewsOutcome) MarkedPayoutsJSON {
	v := MarkedPayoutsJSON{Outcomes: map[string]int64{}, Payouts: make([]MarkedPayoutJSON, len(outcomes))}
	for _, o := range affiliate.Words[affiliate.ResultOutcome]() {
		v.Outcomes[string(o)] = 0
	}
	for i, o := range outcomes {
		v.Outcomes[string(o.Outcome)]++
		v.Payouts[i] = MarkedPayoutJSON{Payout: o.Payout.ID.String(), Outcome: o.Outcome, State: o.Payout.State,
			Why: o.Why}
	}
	return v
}

func (a *API) markPayouts(ctx context.Context, in *markPayoutsInput) (*output[MarkedPayoutsJSON], error) {
	b := in.Body
	ids, err := affiliate.ParseIDs[affiliate.PayoutID]("payouts", "pay_", b.Payouts)
	if err != nil {
		return nil, err
	}
	outcomes, err := a.App.MarkPayouts(ctx, ids, b.State, b.Reason, b.Reference)
	return one(outcomes, err, MarkedPayoutsView)
}

type cancelPayoutInput struct {
	PayoutPath
	Body struct {
		Reason string `json:"reason" doc:"Why; it is kept with the ledger entries"`
	}
}

func (a *API) cancelPayout(ctx context.Context, in *cancelPayoutInput) (*output[PayoutJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	p, err := a.App.CancelPayout(ctx, id, in.Body.Reason)
	return one(p, err, PayoutView)
}
