package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewPayout asks to pay a creator all that is due to them in one currency.
type NewPayout struct {
	Creator   affiliate.CreatorID
	Currency  money.Currency // empty: the account's
	Amount    *int64         // what the caller saw to be due, in minor units of Currency; nil: whatever is due
	Method    string         // of IssuePayout
	Reference string         // likewise
}

// IssuePayout records one payout that was paid elsewhere, as a run of its own. It pays what is due at this moment; two
// calls at once never pay the same. Errors: Invalid for a creator who does not exist; Conflict where nothing is due,
// where it is less than the minimum, and where it is not the Amount that the caller saw.
func (a *App) IssuePayout(ctx context.Context, in NewPayout) (p affiliate.Payout, err error) {
	run, err := a.SendPayouts(ctx, NewPayoutRun{Payouts: []NewPayout{in}, Elsewhere: true, Method: in.Method,
		Reference: in.Reference})
	if err != nil {
		return p, err
	}
	payouts, err := a.DB.PayoutsOf(ctx, run.ID)
	if err != nil {
		return p, err
	}
	return payouts[0], nil
}

// tidyPayouts completes what is asked for, and refuses to pay anybody twice.
func tidyPayouts(list []NewPayout, s affiliate.Settings) ([]NewPayout, error) {
	list = slices.Clone(list)
	seen := map[debt]bool{}
	for i := range list {
		in := &list[i]
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

// check says why a payout that was asked for by name cannot be paid; nil when it can.
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

// CancelPayout takes a payout back that was recorded by mistake, or that nobody was asked to pay yet: opposite entries
// make it owed again. The reason is needed, and is kept with them. Canceling again changes nothing. Conflict where a
// file has it, or a provider: what became of those is said by TurnPayouts.
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
		list, err := tx.LockPayouts(ctx, []affiliate.PayoutID{id})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return affiliate.NoSuch(id)
		}
		if after = list[0]; after.State == affiliate.PayoutCanceled {
			return nil
		}
		if err := mayCancel(after); err != nil {
			return err
		}
		if after.State == affiliate.PayoutReady {
			if err := unsent(ctx, tx, after.PartID); err != nil {
				return err
			}
		}
		before := payoutFacts(after)
		turned, err := a.turn(ctx, tx, list, func(affiliate.Payout) affiliate.PayoutState {
			return affiliate.PayoutCanceled
		}, reason)
		if err != nil {
			return err
		}
		after = turned[0]
		if err := tx.LessenPart(ctx, after.PartID, after.Amount); err != nil {
			return err
		}
		facts := payoutFacts(after)
		facts["reason"] = reason
		return a.audit(ctx, tx, "payout.cancel", id, before, facts)
	})
	return after, err
}

// mayCancel says why a payout cannot be canceled; nil when it can.
func mayCancel(p affiliate.Payout) error {
	switch {
	case p.State == affiliate.PayoutReady, p.Rail == affiliate.RailElsewhere && p.State == affiliate.PayoutPaid:
		return nil
	case p.State.Back():
		return affiliate.ConflictErrorf("state", "the payout is %s: its amount is owed again already", p.State)
	}
	return affiliate.ConflictErrorf("state", "the payout is %s, and cannot be canceled any more; once it has failed "+
		"or come back, say so", p.State)
}

// unsent is an error where a provider was asked for a part, whether or not it has answered.
func unsent(ctx context.Context, tx *storage.Tx, id affiliate.PayoutPartID) error {
	part, err := tx.PayoutPart(ctx, id)
	if err != nil {
		return err
	}
	if part.State != affiliate.PartReady {
		return affiliate.ConflictErrorf("state", "the payout is on its way: %s is %s; wait for what becomes of it",
			part.Reference, part.State)
	}
	return nil
}

// turn gives payouts that were locked other states, posts what follows from it, and says of their runs whether they are
// settled. Payouts whose state does not change are given as they are.
func (a *App) turn(ctx context.Context, tx *storage.Tx, list []affiliate.Payout,
	to func(affiliate.Payout) affiliate.PayoutState, reason string) ([]affiliate.Payout, error) {
	var ids []affiliate.PayoutID
	runs := map[affiliate.PayoutRunID]bool{}
	for _, p := range list {
		ids, runs[p.RunID] = append(ids, p.ID), true
	}
	posted, err := tx.PayoutPostings(ctx, ids)
	if err != nil {
		return nil, err
	}
	now := a.now()
	turned := slices.Clone(list)
	var entries []affiliate.LedgerEntry
	for i := range turned {
		p := &turned[i]
		if err := balanced(*p, posted[p.ID]); err != nil {
			return nil, err
		}
		entries = append(entries, p.Turn(to(*p), posted[p.ID], actor(ctx), cmp.Or(reason, p.Words), now)...)
	}
	if err := tx.SavePayouts(ctx, turned); err != nil {
		return nil, err
	}
	if err := tx.AddLedger(ctx, entries); err != nil {
		return nil, fmt.Errorf("post to the ledger: %w", err)
	}
	return turned, tx.SettleRuns(ctx, slices.Sorted(maps.Keys(runs)), now)
}

// balanced refuses to go on with a payout whose entries are not what its state asks for.
func balanced(p affiliate.Payout, posted []affiliate.LedgerEntry) error {
	sum, want := int64(0), -p.Amount
	for _, e := range posted {
		sum += e.Amount
	}
	if p.State.Back() {
		want = 0
	}
	if sum != want {
		return fmt.Errorf("the ledger entries of %s (%s) add up to %d, not to %d", p.ID, p.State, sum, want)
	}
	return nil
}

// PayoutNews is what somebody says of a payout: a provider, a file, or a person.
type PayoutNews struct {
	Payout      affiliate.PayoutID
	State       affiliate.PayoutState
	Words       string // the provider's, or the person's reason
	ByHand      bool   // a person says it, with the reference by which it is found at the bank
	Own         bool   // the provider says it of our very request, so that it cannot be about another payment
	Reference   string // of a person; empty: as it is
	ProviderRef string // of the payment, a provider's; empty: it says none
	Fee         int64  // minor units of FeeCurrency; FeeCurrency empty: as it is
	FeeCurrency money.Currency
	At          time.Time // when it happened; zero: now
}

// NewsOutcome is what became of news.
type NewsOutcome struct {
	Payout  affiliate.Payout // as it stands now; without an ID: there is none
	Outcome affiliate.ResultOutcome
	Why     string // of refused, for people
}

// mostNews is how many payouts are changed in one transaction.
const mostNews = 500

// TurnPayouts takes news of payouts: what failed or came back is owed again, by entries of its own. News that are
// known, or out of date, change nothing, so that the same may be said any number of times, in any order. source is who
// says so, for the audit log: "PayPal", "pain002.xml", or a person, who is the actor then.
func (a *App) TurnPayouts(ctx context.Context, source string, news []PayoutNews) ([]NewsOutcome, error) {
	outcomes := make([]NewsOutcome, 0, len(news))
	for part := range slices.Chunk(news, mostNews) {
		var done []NewsOutcome
		err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
			if err := tx.ShareCatalog(ctx); err != nil {
				return err
			}
			done, err = a.takeNews(ctx, tx, source, part)
			return err
		})
		if err != nil {
			return outcomes, err
		}
		outcomes = append(outcomes, done...)
	}
	return outcomes, nil
}

func (a *App) takeNews(ctx context.Context, tx *storage.Tx, source string, news []PayoutNews) ([]NewsOutcome, error) {
	ids := make([]affiliate.PayoutID, len(news))
	for i, n := range news {
		ids[i] = n.Payout
	}
	list, err := tx.LockPayouts(ctx, ids)
	if err != nil {
		return nil, err
	}
	at := make(map[affiliate.PayoutID]int, len(list))
	for i, p := range list {
		at[p.ID] = i
	}
	before, now := slices.Clone(list), a.now()
	outcomes := make([]NewsOutcome, len(news))
	for n, said := range news {
		i, known := at[said.Payout]
		if !known {
			outcomes[n] = NewsOutcome{Outcome: affiliate.ResultUnmatched, Why: affiliate.NoSuch(said.Payout).Error()}
			continue
		}
		outcomes[n] = said.of(&list[i], now)
	}
	states := make(map[affiliate.PayoutID]affiliate.PayoutState, len(list))
	for i, p := range list {
		states[p.ID], list[i].State = p.State, before[i].State
	}
	turned, err := a.turn(ctx, tx, list, func(p affiliate.Payout) affiliate.PayoutState { return states[p.ID] }, "")
	if err != nil {
		return nil, err
	}
	for n, said := range news {
		if i, known := at[said.Payout]; known {
			outcomes[n].Payout = turned[i]
		}
	}
	for i, p := range turned {
		if p.State == before[i].State && p.Reference == before[i].Reference {
			continue
		}
		facts := payoutFacts(p)
		facts["said_by"], facts["words"] = source, p.Words
		if err := a.audit(ctx, tx, "payout.turn", p.ID, payoutFacts(before[i]), facts); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// of takes the news of a payout: its state and what else is said become those of p.
func (said PayoutNews) of(p *affiliate.Payout, now time.Time) NewsOutcome {
	was := p.State
	ref := said.ProviderRef
	if said.Own {
		ref = ""
	}
	then, why := p.Hear(said.State, ref, said.ByHand)
	if why != "" {
		return NewsOutcome{Outcome: affiliate.ResultRefused, Why: why}
	}
	p.State = then
	agrees := then == said.State || then == affiliate.PayoutReturned
	switch {
	case said.ByHand:
		p.Reference = cmp.Or(said.Reference, p.Reference)
	case agrees && (then != was || p.ProviderRef == ""):
		p.ProviderRef = cmp.Or(said.ProviderRef, p.ProviderRef)
	}
	if agrees && said.FeeCurrency != "" {
		p.Fee, p.FeeCurrency = said.Fee, said.FeeCurrency
	}
	if then == was {
		p.ByHand = p.ByHand && (said.ByHand || then != said.State) // the provider agrees with the person
		return NewsOutcome{Outcome: affiliate.ResultSame}
	}
	p.ByHand, p.Words = said.ByHand, affiliate.Clip(said.Words, affiliate.MaxPayoutText)
	if then == affiliate.PayoutPaid {
		if p.PaidAt = said.At; p.PaidAt.IsZero() || p.PaidAt.After(now) {
			p.PaidAt = now
		}
	}
	return NewsOutcome{Outcome: affiliate.ResultChanged}
}

// MarkPayouts says by hand what became of payouts: paid, failed or returned. The reason is needed for what failed or
// came back; the reference is that by which the payment is found at the bank, and may be empty. Each payout has its
// outcome, in the order of their ids: one whose state cannot be is refused and stays as it is, such as what was
// canceled. Errors, by which nothing is changed: Invalid by field; Conflict where one was not handed over yet, so that
// nobody can have paid it.
func (a *App) MarkPayouts(ctx context.Context, ids []affiliate.PayoutID, state affiliate.PayoutState, reason,
	reference string) (outcomes []NewsOutcome, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 0 || len(ids) > MaxNamed {
		return nil, affiliate.FieldErrorf("payouts", "1 to %d payouts can be marked together, not %d", MaxNamed,
			len(ids))
	}
	marks := []affiliate.PayoutState{affiliate.PayoutPaid, affiliate.PayoutFailed, affiliate.PayoutReturned}
	if !slices.Contains(marks, state) {
		return nil, affiliate.FieldErrorf("state", "must be paid, failed or returned, not %q",
			affiliate.Clip(string(state), 40))
	}
	if state.Back() {
		if reason, err = tidyReason(reason); err != nil {
			return nil, err
		}
	}
	reason, reference = strings.TrimSpace(cleanText(reason)), strings.TrimSpace(cleanText(reference))
	if len(reason) > MaxReason {
		return nil, affiliate.FieldErrorf("reason", "must have at most %d bytes", MaxReason)
	}
	if len(reference) > affiliate.MaxPayoutText {
		return nil, affiliate.FieldErrorf("reference", "must have at most %d bytes", affiliate.MaxPayoutText)
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		list, err := tx.LockPayouts(ctx, ids)
		if err != nil {
			return err
		}
		if len(list) < len(ids) {
			for i, p := range list {
				if p.ID != ids[i] {
					return affiliate.AboutField("payouts", affiliate.NoSuch(ids[i]))
				}
			}
			return affiliate.AboutField("payouts", affiliate.NoSuch(ids[len(list)]))
		}
		if err := a.handedOver(ctx, tx, list); err != nil {
			return err
		}
		outcomes = nil
		for part := range slices.Chunk(ids, mostNews) {
			news := make([]PayoutNews, len(part))
			for i, id := range part {
				news[i] = PayoutNews{Payout: id, State: state, Words: reason, ByHand: true, Reference: reference}
			}
			done, err := a.takeNews(ctx, tx, actor(ctx), news)
			if err != nil {
				return err
			}
			outcomes = append(outcomes, done...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// handedOver says which of some payouts nobody was asked to pay yet; nil where all were handed over, or may have been.
func (a *App) handedOver(ctx context.Context, tx *storage.Tx, list []affiliate.Payout) error {
	states := map[affiliate.PayoutPartID]affiliate.PayoutPartState{}
	for _, p := range list {
		if p.State != affiliate.PayoutReady {
			continue
		}
		if _, known := states[p.PartID]; !known {
			part, err := tx.PayoutPart(ctx, p.PartID)
			if err != nil {
				return err
			}
			states[p.PartID] = part.State
		}
		if p.Rail.InStore() { // each is asked for by itself
			return notSaidOf(p, "was not given yet: the store is asked for it by itself, or it can be canceled")
		}
		if states[p.PartID] != affiliate.PartReady { // perhaps the provider has it
			continue
		}
		if p.Rail.ByFile() {
			return notSaidOf(p, "was not handed over yet: download its file first")
		}
		return notSaidOf(p, "was not sent yet: it is sent by itself, or can be canceled")
	}
	return nil
}

// notSaidOf is the error of a payout of which nothing can be said; people know it by the reference of its payment.
func notSaidOf(p affiliate.Payout, why string) error {
	return affiliate.ForPeople(affiliate.ConflictErrorf("payouts", "%s (%s) %s", p.ID, p.Ref, why), p.Ref+" "+why)
}

// tidyReason reads why something is canceled.
func tidyReason(reason string) (string, error) {
	reason = strings.TrimSpace(cleanText(reason))
	if reason == "" || len(reason) > MaxReason {
		return "", affiliate.FieldErrorf("reason", "must say why, in at most %d bytes", MaxReason)
	}
	return reason, nil
}

func payoutFacts(p affiliate.Payout) facts {
	f := facts{"creator": p.CreatorID.String(), "amount": p.Amount, "currency": p.Currency, "state": p.State,
		"method": p.Method, "reference": p.Reference}
	if p.Rail != affiliate.RailElsewhere {
		f["rail"], f["destination"] = p.Rail, p.Masked
	}
	return f
}
