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

// registerPayoutBatches declares the operations on payouts that are recorded together.
func (a *API) registerPayoutBatches(api huma.API) {
	const read, pay = affiliate.MayRead, affiliate.MayPay
	register(a, api, operation{http.MethodGet, "/payout-batches", "list-payout-batches", read,
		"List batches of payouts, newest first"}, a.listPayoutBatches)
	register(a, api, operation{http.MethodPost, "/payout-batches", "create-payout-batch", pay,
		"Record payouts together, all of them or none; no money is moved"}, a.createPayoutBatch)
	register(a, api, operation{http.MethodGet, "/payout-batches/{id}", "get-payout-batch", read,
		"Read a batch of payouts with its sums"}, a.getPayoutBatch)
	register(a, api, operation{http.MethodPost, "/payout-batches/{id}/cancel", "cancel-payout-batch", pay,
		"Cancel all payouts of a batch that stand; what they paid is owed again"}, a.cancelPayoutBatch)
}

// PayoutBatchJSON is a batch of payouts.
type PayoutBatchJSON struct {
	ID        string         `json:"id" example:"bat_1"`
	Name      string         `json:"name" example:"2026-11-29 · 69 payouts" doc:"What people call it"`
	Payouts   int            `json:"payouts" doc:"How many were recorded, canceled ones included"`
	Sums      []BatchSumJSON `json:"sums" nullable:"false" doc:"By currency"`
	PaidOn    string         `json:"paid_on" format:"date" doc:"The day on which they were paid, in the account's time zone"`
	Method    string         `json:"method"`
	Reference string         `json:"reference"`
	Note      string         `json:"note"`
	Author    string         `json:"author" doc:"Who recorded it"`
	CreatedAt time.Time      `json:"created_at"`
}

// BatchSumJSON is what the payouts of a batch add up to in one currency.
type BatchSumJSON struct {
	Currency       string `json:"currency" example:"EUR"`
	Payouts        int64  `json:"payouts" doc:"That stand"`
	Amount         string `json:"amount" example:"6210.37" doc:"Of those that stand"`
	Canceled       int64  `json:"canceled" doc:"How many were canceled"`
	CanceledAmount string `json:"canceled_amount" example:"0.00"`
}

// PayoutBatchView is how the API and the command line show a batch.
func PayoutBatchView(b storage.SummedBatch) PayoutBatchJSON {
	v := PayoutBatchJSON{ID: b.ID.String(), Name: b.Name(), Payouts: b.Payouts, Sums: []BatchSumJSON{}, PaidOn: b.Day,
		Method: b.Method, Reference: b.Reference, Note: b.Note, Author: b.Author, CreatedAt: b.CreatedAt.UTC()}
	for _, s := range b.Sums {
		v.Sums = append(v.Sums, BatchSumJSON{s.Currency.Code(), s.Payouts, money.Format(s.Amount, s.Currency),
			s.Canceled, money.Format(s.CanceledAmount, s.Currency)})
	}
	return v
}

type listPayoutBatchesInput struct{ PageInput }

func (a *API) listPayoutBatches(ctx context.Context,
	in *listPayoutBatchesInput) (*listOutput[PayoutBatchJSON], error) {
	list, next, err := a.App.DB.PayoutBatches(ctx, in.page())
	return listPage(list, next, err, PayoutBatchView)
}

type createPayoutBatchInput struct {
	Body struct {
		Payouts   []batchedPayoutJSON `json:"payouts" minItems:"1" maxItems:"5000" nullable:"false"`
		PaidOn    string              `json:"paid_on,omitempty" format:"date" doc:"The day on which the money moved, in the account's time zone; today, unless it is given"`
		Method    string              `json:"method,omitempty" example:"bank transfer"`
		Reference string              `json:"reference,omitempty" doc:"By which the payments are found at the bank"`
		Note      string              `json:"note,omitempty" doc:"For people"`
	}
}

// batchedPayoutJSON is one payout of a batch that is to be recorded.
type batchedPayoutJSON struct {
	Creator  string `json:"creator" example:"cre_1"`
	Amount   string `json:"amount,omitempty" example:"120.00" doc:"What was seen to be due; when something else is due by now, the answer is 409 and nothing is recorded. Without it, whatever is due is paid"`
	Currency string `json:"currency,omitempty" example:"EUR" doc:"The account's, unless another is given"`
}

func (a *API) createPayoutBatch(ctx context.Context, in *createPayoutBatchInput) (*output[PayoutBatchJSON], error) {
	b := in.Body
	settings, err := a.App.DB.SavedSettings(ctx)
	if err != nil {
		return nil, err
	}
	asked := app.NewPayoutBatch{PaidOn: b.PaidOn, Method: b.Method, Reference: b.Reference, Note: b.Note}
	for _, p := range b.Payouts {
		payout, err := newPayout(p, settings.Currency)
		if err != nil {
			return nil, err
		}
		asked.Payouts = append(asked.Payouts, payout)
	}
	batch, err := a.App.RecordBatch(ctx, asked)
	if err != nil {
		return nil, err
	}
	summed, err := a.App.DB.PayoutBatch(ctx, batch.ID)
	return one(summed, err, PayoutBatchView)
}

// newPayout reads whom and what a payout is to pay.
func newPayout(p batchedPayoutJSON, account money.Currency) (asked app.NewPayout, err error) {
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

// PayoutBatchPath names a batch.
type PayoutBatchPath struct {
	ID string `path:"id" example:"bat_1"`
}

func (p PayoutBatchPath) id() (affiliate.PayoutBatchID, error) {
	return idPath[affiliate.PayoutBatchID]("bat_", p.ID)
}

func (a *API) getPayoutBatch(ctx context.Context, in *PayoutBatchPath) (*output[PayoutBatchJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	b, err := a.App.DB.PayoutBatch(ctx, id)
	return one(b, err, PayoutBatchView)
}

type cancelPayoutBatchInput struct {
	PayoutBatchPath
	Body struct {
		Reason string `json:"reason" doc:"Why; it is kept with the ledger entries"`
	}
}

func (a *API) cancelPayoutBatch(ctx context.Context, in *cancelPayoutBatchInput) (*output[PayoutBatchJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	b, err := a.App.CancelBatch(ctx, id, in.Body.Reason)
	return one(b, err, PayoutBatchView)
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
