package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewPayout asks to record that a creator was paid all that is due to them in one currency.
type NewPayout struct {
	Creator   affiliate.CreatorID
	Currency  money.Currency // empty: the account's
	Amount    *int64         // what the caller saw to be due, in minor units of Currency; nil: whatever is due
	Method    string
	Reference string
}

// IssuePayout records one payout. It pays what is due at this moment; two calls at once never pay the same. Errors:
// Invalid for a creator who does not exist; Conflict where nothing is due, where it is less than the minimum, and where
// it is not the Amount that the caller saw.
func (a *App) IssuePayout(ctx context.Context, in NewPayout) (p affiliate.Payout, err error) {
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		run, err := a.paying(ctx, tx, []NewPayout{in})
		if err != nil {
			return err
		}
		if err := run.reckon(ctx, run.now); err != nil {
			return err
		}
		payouts, err := run.pay(ctx)
		if err != nil {
			return err
		}
		p = payouts[0]
		return a.audit(ctx, tx, "payout.issue", p.ID, nil, payoutFacts(p))
	})
	return p, err
}

// paying begins a run: it locks the creators and reads what is payable to them.
func (a *App) paying(ctx context.Context, tx *storage.Tx, list []NewPayout) (*paying, error) {
	if err := tx.ShareCatalog(ctx); err != nil {
		return nil, err
	}
	settings, err := tx.Settings(ctx)
	if err != nil {
		return nil, err
	}
	run := &paying{app: a, tx: tx, settings: settings}
	if run.list, err = tidyPayouts(list, settings); err != nil {
		return nil, err
	}
	return run, run.look(ctx)
}

// tidyPayouts completes what is asked for, and refuses to pay anybody twice.
func tidyPayouts(list []NewPayout, s affiliate.Settings) ([]NewPayout, error) {
	list = slices.Clone(list)
	seen := map[debt]bool{}
	for i := range list {
		in := &list[i]
		in.Method, in.Reference = strings.TrimSpace(cleanText(in.Method)), strings.TrimSpace(cleanText(in.Reference))
		if in.Currency == "" {
			in.Currency = s.Currency
		}
		currency, err := affiliate.ParseCurrency("currency", in.Currency.Code())
		if err != nil {
			return nil, err
		}
		in.Currency = currency
		if seen[in.debt()] {
			const text = "%s is named twice"
			return nil, affiliate.ForPeople(affiliate.FieldErrorf("creator", text, in.Creator),
				fmt.Sprintf(text, "a creator"))
		}
		seen[in.debt()] = true
	}
	return list, nil
}

// debt is what one payout pays: all that is owed to a creator in one currency.
type debt struct {
	creator  affiliate.CreatorID
	currency money.Currency
}

func (in NewPayout) debt() debt { return debt{in.Creator, in.Currency} }

// paying is one run of IssuePayout or RecordBatch.
type paying struct {
	app      *App
	tx       *storage.Tx
	settings affiliate.Settings
	list     []NewPayout
	now      time.Time
	names    map[affiliate.CreatorID]string
	payable  map[debt]map[affiliate.Account]int64
	payouts  []affiliate.Payout // as they are to be written, with the postings of each
	postings [][]affiliate.Posting
}

// look locks the creators and reads what is payable to them.
func (run *paying) look(ctx context.Context) (err error) {
	creators := make([]affiliate.CreatorID, len(run.list))
	for i, in := range run.list {
		creators[i] = in.Creator
	}
	if run.names, err = run.tx.LockCreators(ctx, creators); err != nil {
		return fmt.Errorf("lock creators: %w", err)
	}
	run.now = run.app.now() // after the wait
	balances, err := run.tx.Balances(ctx, creators, run.now)
	if err != nil {
		return fmt.Errorf("read balances: %w", err)
	}
	run.payable = map[debt]map[affiliate.Account]int64{}
	for _, b := range balances {
		owed := debt{b.CreatorID, b.Currency}
		if run.payable[owed] == nil {
			run.payable[owed] = map[affiliate.Account]int64{}
		}
		run.payable[owed][b.Account] = b.Payable
	}
	return nil
}

// reckon says what is paid to each, and to which accounts it is posted; an error where it may not be.
func (run *paying) reckon(ctx context.Context, paidAt time.Time) error {
	run.payouts = make([]affiliate.Payout, len(run.list))
	run.postings = make([][]affiliate.Posting, len(run.list))
	for i, in := range run.list {
		var amount int64
		amount, run.postings[i] = affiliate.Settle(run.payable[in.debt()])
		if err := run.check(in, amount); err != nil {
			return err
		}
		run.payouts[i] = affiliate.Payout{CreatorID: in.Creator, Amount: amount, Currency: in.Currency,
			State: affiliate.PayoutPaid, Method: in.Method, Reference: in.Reference, Author: actor(ctx),
			CreatedAt: run.now, PaidAt: paidAt}
		if err := run.payouts[i].Validate(); err != nil {
			return err
		}
	}
	return nil
}

// pay writes the payouts that were reckoned, with their ledger entries.
func (run *paying) pay(ctx context.Context) ([]affiliate.Payout, error) {
	payouts, err := run.tx.CreatePayouts(ctx, run.payouts)
	if err != nil {
		return nil, fmt.Errorf("save payouts: %w", err)
	}
	var entries []affiliate.LedgerEntry
	for i, p := range payouts {
		entries = append(entries, p.Entries(run.postings[i])...)
	}
	if err := run.tx.AddLedger(ctx, entries); err != nil {
		return nil, fmt.Errorf("post to the ledger: %w", err)
	}
	return payouts, nil
}

// check says why a payout cannot be issued; nil when it can.
func (run *paying) check(in NewPayout, payable int64) error {
	name, ok := run.names[in.Creator]
	if !ok {
		return affiliate.AboutField("creator", affiliate.NoSuch(in.Creator))
	}
	err := run.refusal(in, payable, fmt.Sprintf("%s (%s)", name, in.Creator))
	var named *affiliate.Error
	if errors.As(run.refusal(in, payable, name), &named) {
		return affiliate.ForPeople(err, named.Shown())
	}
	return err
}

// refusal is check for a creator who is called who.
func (run *paying) refusal(in NewPayout, payable int64, who string) error {
	amount := func(n int64) string { return money.Marked(money.Format(n, in.Currency)) }
	minimum := run.settings.MinimumIn(in.Currency)
	switch {
	case payable <= 0:
		return affiliate.ConflictErrorf("creator", "nothing is due to %s: what is payable is %s %s", who,
			amount(payable), in.Currency)
	case !affiliate.Due(payable, minimum):
		return affiliate.ConflictErrorf("creator",
			"%s %s is payable to %s, less than the minimum payout of %s; it stays for a later one", amount(payable),
			in.Currency, who, amount(minimum))
	case in.Amount != nil && *in.Amount != payable:
		return affiliate.ConflictErrorf("amount", "%s %s is due to %s, not %s; look again", amount(payable),
			in.Currency, who, amount(*in.Amount))
	}
	return nil
}

// CancelPayout takes a payout back that never arrived or was entered by mistake: opposite entries make it owed again.
// The reason is needed, and is kept with them. Canceling again changes nothing.
func (a *App) CancelPayout(ctx context.Context, id affiliate.PayoutID, reason string) (affiliate.Payout, error) {
	reason, err := tidyReason(reason)
	if err != nil {
		return affiliate.Payout{}, err
	}
	var after affiliate.Payout
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		before, err := tx.LockPayout(ctx, id)
		if after = before; err != nil || before.State == affiliate.PayoutCanceled {
			return err
		}
		posted, err := tx.PayoutEntries(ctx, id)
		if err != nil {
			return err
		}
		issued := make([]affiliate.LedgerEntry, len(posted))
		for i, e := range posted {
			issued[i] = e.LedgerEntry
		}
		undo, err := takeBack(&after, issued, actor(ctx), reason, a.now())
		if err != nil {
			return err
		}
		if err := tx.SavePayoutState(ctx, id, after.State); err != nil {
			return err
		}
		if err := tx.AddLedger(ctx, undo); err != nil {
			return fmt.Errorf("post to the ledger: %w", err)
		}
		facts := payoutFacts(after)
		facts["reason"] = reason
		return a.audit(ctx, tx, "payout.cancel", id, payoutFacts(before), facts)
	})
	return after, err
}

// tidyReason reads why something is canceled.
func tidyReason(reason string) (string, error) {
	reason = strings.TrimSpace(cleanText(reason))
	if reason == "" || len(reason) > MaxReason {
		return "", affiliate.FieldErrorf("reason", "must say why, in at most %d bytes", MaxReason)
	}
	return reason, nil
}

// takeBack cancels a payout that stands, and gives the entries that undo those that it was issued with.
func takeBack(p *affiliate.Payout, issued []affiliate.LedgerEntry, author, reason string,
	at time.Time) ([]affiliate.LedgerEntry, error) {
	sum := int64(0)
	for _, e := range issued {
		sum += e.Amount
	}
	if sum != -p.Amount {
		return nil, fmt.Errorf("the ledger entries of %s add up to %d, not to %d", p.ID, sum, -p.Amount)
	}
	return p.Cancel(issued, author, reason, at), nil
}

func payoutFacts(p affiliate.Payout) facts {
	return facts{"creator": p.CreatorID.String(), "amount": p.Amount, "currency": p.Currency, "state": p.State,
		"method": p.Method, "reference": p.Reference}
}
