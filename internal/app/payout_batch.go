package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// MaxBatch is how many payouts a batch may have. They fit into a form: Go reads 10,000 fields of one.
const MaxBatch = 5000

// NewPayoutBatch asks to record payouts together. Method and reference are the same for all of them.
type NewPayoutBatch struct {
	Payouts   []NewPayout
	Method    string
	Reference string
	Note      string
	PaidOn    string // the day on which the money moved, in the account's zone: 2026-11-29; empty: today
	// Form tells what is sent once from what is sent again: the batch that a form has recorded is given instead of
	// another one. Empty: none.
	Form string
}

// RecordBatch records payouts as a batch, all of them or none. Each pays what is due at this moment; two calls at once
// never pay the same. Errors are those of IssuePayout, and Invalid for a list that is empty, too long or names
// one twice, and for a day that is none or is still to come.
func (a *App) RecordBatch(ctx context.Context, in NewPayoutBatch) (batch affiliate.PayoutBatch, err error) {
	if len(in.Payouts) == 0 || len(in.Payouts) > MaxBatch {
		return batch, affiliate.FieldErrorf("payouts", "1 to %d payouts can be recorded together, not %d", MaxBatch,
			len(in.Payouts))
	}
	text := func(s string) string { return strings.TrimSpace(cleanText(s)) }
	b := affiliate.PayoutBatch{Payouts: len(in.Payouts), Method: text(in.Method), Reference: text(in.Reference),
		Note: text(in.Note), Form: in.Form, Author: actor(ctx)}
	if err := b.Validate(); err != nil {
		return batch, err
	}
	list := slices.Clone(in.Payouts)
	for i := range list {
		list[i].Method, list[i].Reference = b.Method, b.Reference
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		run, err := a.paying(ctx, tx, list)
		if err != nil {
			return err
		}
		if b.Form != "" { // after the wait for the creators, which whoever sent the form first had locked
			batch, err = tx.BatchOfForm(ctx, b.Form)
			if affiliate.KindOf(err) != affiliate.NotFound {
				return err
			}
		}
		batch, err = run.record(ctx, b, in.PaidOn)
		return err
	})
	return batch, err
}

// record writes a batch with its payouts.
func (run *paying) record(ctx context.Context, b affiliate.PayoutBatch, paidOn string) (affiliate.PayoutBatch, error) {
	paidAt, day, err := paidAt(paidOn, run.now, run.settings)
	if err != nil {
		return b, err
	}
	if err := run.reckon(ctx, paidAt); err != nil {
		return b, err
	}
	b.Day, b.CreatedAt = day, run.now
	if b, err = run.tx.CreatePayoutBatch(ctx, b); err != nil {
		return b, err
	}
	for i := range run.payouts {
		run.payouts[i].BatchID = b.ID
	}
	payouts, err := run.pay(ctx)
	if err != nil {
		return b, err
	}
	return b, run.app.audit(ctx, run.tx, "payout_batch.record", b.ID, nil, batchFacts(b, payouts))
}

// paidAt reads the day on which money moved: now where it is today or not said, else the begin of the day.
func paidAt(text string, now time.Time, s affiliate.Settings) (time.Time, string, error) {
	zone, err := affiliate.LoadZone(s.Timezone)
	if err != nil {
		return now, "", err
	}
	today := affiliate.Day(now, zone)
	if text == "" || text == today {
		return now, today, nil
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return now, "", affiliate.FieldErrorf("paid_on", "%q is not a day; it looks like 2026-11-29",
			affiliate.Clip(text, 40))
	}
	if text > today || text < affiliate.FirstReportDay {
		return now, "", affiliate.FieldErrorf("paid_on", "must be today (%s) or an earlier day", today)
	}
	at, err := affiliate.ParseMoment("paid_on", text, zone, 0)
	return at, text, err
}

// CancelBatch takes back all payouts of a batch that stand, as CancelPayout does with one. Canceling again changes
// nothing.
func (a *App) CancelBatch(ctx context.Context, id affiliate.PayoutBatchID, reason string) (storage.SummedBatch, error) {
	reason, err := tidyReason(reason)
	if err != nil {
		return storage.SummedBatch{}, err
	}
	var after storage.SummedBatch
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		payouts, err := tx.LockBatch(ctx, id)
		if err != nil {
			return err
		}
		if after, err = tx.PayoutBatch(ctx, id); err != nil || after.Standing() == 0 {
			return err
		}
		if err := a.takeBackBatch(ctx, tx, after.PayoutBatch, payouts, reason); err != nil {
			return err
		}
		after, err = tx.PayoutBatch(ctx, id)
		return err
	})
	return after, err
}

func (a *App) takeBackBatch(ctx context.Context, tx *storage.Tx, b affiliate.PayoutBatch, payouts []affiliate.Payout,
	reason string) error {
	issued, err := tx.BatchEntries(ctx, b.ID)
	if err != nil {
		return err
	}
	var undo []affiliate.LedgerEntry
	var canceled []affiliate.Payout
	at := a.now()
	for _, p := range payouts {
		if p.State == affiliate.PayoutCanceled {
			continue
		}
		entries, err := takeBack(&p, issued[p.ID], actor(ctx), reason, at)
		if err != nil {
			return err
		}
		undo, canceled = append(undo, entries...), append(canceled, p)
	}
	if err := tx.CancelBatch(ctx, b.ID); err != nil {
		return err
	}
	if err := tx.AddLedger(ctx, undo); err != nil {
		return fmt.Errorf("post to the ledger: %w", err)
	}
	after := batchFacts(b, canceled)
	after["reason"] = reason
	return a.audit(ctx, tx, "payout_batch.cancel", b.ID, nil, after)
}

// batchFacts are a batch with what some of its payouts add up to.
func batchFacts(b affiliate.PayoutBatch, payouts []affiliate.Payout) facts {
	sums := map[money.Currency]int64{}
	for _, p := range payouts {
		sums[p.Currency] += p.Amount
	}
	amounts := map[string]string{}
	for c, sum := range sums {
		amounts[c.Code()] = money.Format(sum, c)
	}
	return facts{"payouts": len(payouts), "amounts": amounts, "paid_on": b.Day, "method": b.Method,
		"reference": b.Reference, "note": b.Note}
}
