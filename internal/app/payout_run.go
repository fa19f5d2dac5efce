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

// MaxRun is how many payouts a run may have.
const MaxRun = 50_000

// MaxNamed is how many payouts may be asked for by name. They fit into a form: Go reads 10,000 fields of one.
const MaxNamed = 5000

// NewPayoutRun asks to pay creators.
type NewPayoutRun struct {
	// Payouts are whom to pay, each of them or nobody. With All it is instead all whom Filter keeps and who can be
	// paid.
	Payouts []NewPayout
	All     bool
	// Able leaves out those of Payouts who cannot be paid, with the reason, rather than to pay nobody.
	Able bool
	// Filter says whom to pay; its Until is the cut-off, also of Payouts.
	Filter  storage.DueFilter
	Exclude []affiliate.CreatorID // who are not paid
	// Elsewhere says that all of it was paid by other means, with Method, Reference and PaidOn.
	Elsewhere bool
	Rails     map[affiliate.PaymentMethod]affiliate.Rail // where the usual one is not wanted
	// Expect is the fingerprint of the preview that was seen; empty: whatever is due is paid.
	Expect    string
	About     string // of whom it is made, for people
	Method    string
	Reference string
	Note      string
	PaidOn    string // the day on which the money moved, in the account's zone: 2026-11-29; empty: today
	Tell      bool   // creators get a mail once they are paid
	// Form tells what is sent once from what is sent again: the run that a form has made is given instead of another
	// one. Empty: none.
	Form string
}

// tidy completes what is asked for; its errors name the field that is wrong.
func (in NewPayoutRun) tidy(s affiliate.Settings) (NewPayoutRun, error) {
	if in.All {
		if in.Payouts = nil; in.Filter.Creators != nil && len(in.Filter.Creators) == 0 {
			return in, errNobody()
		}
	} else if len(in.Payouts) == 0 || len(in.Payouts) > MaxNamed {
		return in, affiliate.FieldErrorf("payouts", "1 to %d payouts can be asked for by name, not %d", MaxNamed,
			len(in.Payouts))
	}
	text := func(s string) string { return strings.TrimSpace(cleanText(s)) }
	in.Method, in.Reference, in.Note = text(in.Method), text(in.Reference), text(in.Note)
	var err error
	if in.Payouts, err = tidyPayouts(in.Payouts, s); err != nil {
		return in, err
	}
	for method, rail := range in.Rails {
		if err := affiliate.CheckWord("rails", method); err != nil {
			return in, err
		}
		if !slices.Contains(method.Rails(), rail) {
			return in, affiliate.FieldErrorf("rails", "%s cannot be paid by %q", method, rail)
		}
	}
	return in, nil
}

// SendPayouts confirms a payout run: all of it or nothing. Each of its payouts pays what is due at this moment; two
// calls at once never pay the same. From then on the money is in payment: the run is frozen with its amounts, where
// they go, and the ledger entries that they pay, and only files are to be downloaded, and providers to be asked. What
// was paid elsewhere is paid at once.
//
// Errors: those of PreviewPayouts; Conflict where nothing is due, where something else is due than was expected, and,
// of payouts that were asked for by name, where one cannot be paid.
func (a *App) SendPayouts(ctx context.Context, in NewPayoutRun) (made affiliate.PayoutRun, err error) {
	settings, err := a.DB.SavedSettings(ctx)
	if err != nil {
		return made, err
	}
	if in, err = in.tidy(settings); err != nil {
		return made, err
	}
	b := affiliate.PayoutRun{Method: in.Method, Reference: in.Reference, Note: in.Note, Form: in.Form,
		Author: actor(ctx), State: affiliate.PayRunConfirmed, Mark: affiliate.NewRunMark(), UntilAt: in.Filter.Until,
		About: in.About, Tell: in.Tell}
	if err := b.Validate(); err != nil {
		return made, err
	}
	for tries := 0; tries == 0 || errors.Is(err, errPosted) && tries < 5; tries++ {
		made, err = a.sendPayouts(ctx, in, b)
	}
	if errors.Is(err, errPosted) {
		err = errChanged()
	}
	return made, err
}

// errPosted says that a worker has posted something to an account between two looks at it.
var errPosted = errors.New("something was posted meanwhile")

func (a *App) sendPayouts(ctx context.Context, in NewPayoutRun,
	b affiliate.PayoutRun) (made affiliate.PayoutRun, err error) {
	err = a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		run := &paying{app: a, tx: tx, in: in, run: b}
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		if run.settings, err = tx.Settings(ctx); err != nil {
			return err
		}
		if err := run.look(ctx); err != nil {
			return err
		}
		if b.Form != "" { // after the wait for the creators, which whoever sent the form first had locked
			made, err = tx.RunOfForm(ctx, b.Form)
			if affiliate.KindOf(err) != affiliate.NotFound {
				return err
			}
		}
		made, err = run.confirm(ctx)
		return err
	})
	return made, err
}

// paying is one run of SendPayouts.
type paying struct {
	app      *App
	tx       *storage.Tx
	in       NewPayoutRun
	run      affiliate.PayoutRun
	settings affiliate.Settings
	now      time.Time
	names    map[affiliate.CreatorID]string
	preview  PayoutPreview
	payouts  []affiliate.Payout // as they are to be written, with the postings and the line of each
	postings [][]affiliate.Posting
	lines    []PayoutLine
}

// look locks the creators and reads what is payable to them.
func (run *paying) look(ctx context.Context) (err error) {
	var creators []affiliate.CreatorID
	for _, n := range run.in.Payouts {
		creators = append(creators, n.Creator)
	}
	if run.in.All {
		// Whom to lock is known from a first look; what they are paid from the second one.
		if run.preview, err = run.app.preview(ctx, run.tx, run.in, run.settings, run.app.now()); err != nil {
			return err
		}
		for _, l := range run.preview.Pay {
			creators = append(creators, l.CreatorID)
		}
	}
	slices.Sort(creators)
	creators = slices.Compact(creators)
	if len(creators) > MaxRun {
		return affiliate.FieldErrorf("payouts", "a run has at most %d payouts; narrow it, such as to an offer", MaxRun)
	}
	run.names = make(map[affiliate.CreatorID]string, len(creators))
	for part := range slices.Chunk(creators, storage.MaxLimit) {
		names, err := run.tx.LockCreators(ctx, part)
		if err != nil {
			return fmt.Errorf("lock creators: %w", err)
		}
		for id, name := range names {
			run.names[id] = name
		}
	}
	run.now = run.app.now() // after the wait
	run.preview, err = run.app.preview(ctx, run.tx, run.in, run.settings, run.now)
	return err
}

// confirm writes the run, freezes the entries that it settles, and then its payouts, whose amounts are the sums of
// these.
func (run *paying) confirm(ctx context.Context) (affiliate.PayoutRun, error) {
	b := run.run
	paidAt, day, err := paidAt(run.in.PaidOn, run.now, run.settings)
	if err != nil {
		return b, err
	}
	if run.in.Expect != "" && run.in.Expect != run.preview.Fingerprint {
		return b, errChanged()
	}
	if err := run.asked(); err != nil {
		return b, err
	}
	pay := slices.DeleteFunc(slices.Clone(run.preview.Pay), func(l PayoutLine) bool {
		return run.names[l.CreatorID] == "" // due since the first look: it stays for the next run
	})
	if len(pay) == 0 {
		return b, run.preview.errNone()
	}
	b.Day, b.CreatedAt, b.Payouts = day, run.now, len(pay)
	if b, err = run.tx.CreatePayoutRun(ctx, b); err != nil {
		return b, err
	}
	run.run = b
	if err := run.freeze(ctx, pay, paidAt); err != nil {
		return b, err
	}
	if err := run.write(ctx); err != nil {
		return b, err
	}
	return run.begun(ctx)
}

// errNone is the error of a run that would pay nobody, with why.
func (p PayoutPreview) errNone() error {
	if len(p.LeftSums) == 0 {
		return affiliate.ConflictErrorf("payouts", "nobody can be paid: nothing is due, or it was paid meanwhile")
	}
	var whys []string
	for _, s := range p.LeftSums {
		who := "1 creator"
		if s.Creators != 1 {
			who = fmt.Sprintf("%d creators", s.Creators)
		}
		whys = append(whys, fmt.Sprintf("%s (%s %s): %s", who, money.Marked(money.Format(s.Amount, s.Currency)),
			s.Currency, s.Reason.Sentence()))
	}
	return affiliate.ConflictErrorf("payouts", "nobody can be paid: %s", strings.Join(whys, "; "))
}

// errChanged is the error of a run whose preview no longer holds.
func errChanged() error {
	return affiliate.ConflictErrorf("expect", "something else is due by now than was seen; look again")
}

// asked says why one of those who were asked for by name cannot be paid.
func (run *paying) asked() error {
	if run.in.All || run.in.Able {
		return nil
	}
	lines := map[debt]PayoutLine{}
	for _, list := range [][]PayoutLine{run.preview.Pay, run.preview.LeftOut} {
		for _, l := range list {
			lines[debt{l.CreatorID, l.Currency}] = l
		}
	}
	for _, n := range run.in.Payouts {
		l, known := lines[n.debt()]
		if err := run.check(n, l.Amount); err != nil && l.Reason != affiliate.LeftExcluded {
			return err
		}
		if known && l.Reason != "" && l.Reason != affiliate.LeftExcluded {
			return affiliate.ForPeople(affiliate.ConflictErrorf("creator", "%s (%s) cannot be paid: %s", l.Creator,
				n.Creator, l.Reason.Sentence()), l.Creator+" cannot be paid: "+l.Reason.Sentence())
		}
	}
	return nil
}

// freeze settles the entries that are payable, and makes a payout of those of each line.
func (run *paying) freeze(ctx context.Context, pay []PayoutLine, paidAt time.Time) error {
	b := run.run
	var creators []affiliate.CreatorID
	for _, l := range pay {
		creators = append(creators, l.CreatorID)
	}
	slices.Sort(creators)
	for part := range slices.Chunk(slices.Compact(creators), storage.MaxLimit) {
		if err := run.tx.FreezeEntries(ctx, b.ID, part, run.now, b.UntilAt); err != nil {
			return fmt.Errorf("settle entries: %w", err)
		}
	}
	frozen, err := run.tx.FrozenAccounts(ctx, b.ID)
	if err != nil {
		return err
	}
	owed := map[debt]map[affiliate.Account]int64{}
	for _, f := range frozen {
		key := debt{f.CreatorID, f.Currency}
		if owed[key] == nil {
			owed[key] = map[affiliate.Account]int64{}
		}
		owed[key][f.Account] = f.Amount
	}
	for _, l := range pay {
		amount, postings := affiliate.Settle(owed[debt{l.CreatorID, l.Currency}])
		if amount != l.Amount { // a worker has posted something between the two looks
			return errPosted
		}
		p := affiliate.Payout{RunID: b.ID, CreatorID: l.CreatorID, Amount: amount, Currency: l.Currency,
			State: affiliate.PayoutReady, Rail: l.Rail, Destination: l.Details, Masked: l.Masked, Author: b.Author,
			CreatedAt: run.now, UntilAt: b.UntilAt, StateAt: run.now}
		if p.UntilAt.IsZero() {
			p.UntilAt = run.now
		}
		if l.Rail == affiliate.RailElsewhere {
			p.State, p.PaidAt, p.Method, p.Reference = affiliate.PayoutPaid, paidAt, b.Method, b.Reference
			p.Destination, p.Masked = nil, ""
		}
		if err := p.Validate(); err != nil {
			return err
		}
		run.payouts, run.postings = append(run.payouts, p), append(run.postings, postings)
		run.lines = append(run.lines, l)
	}
	return nil
}

// write writes the parts of the run, its payouts, and what they post.
func (run *paying) write(ctx context.Context) error {
	if err := run.divide(ctx); err != nil {
		return err
	}
	payouts, err := run.tx.CreatePayouts(ctx, run.payouts)
	if err != nil {
		return fmt.Errorf("save payouts: %w", err)
	}
	var entries []affiliate.LedgerEntry
	for i, p := range payouts {
		entries = append(entries, p.Entries(run.postings[i])...)
	}
	if err := run.tx.AddLedger(ctx, entries); err != nil {
		return fmt.Errorf("post to the ledger: %w", err)
	}
	if err := run.tx.FreezePayouts(ctx, run.run.ID); err != nil {
		return fmt.Errorf("settle payouts: %w", err)
	}
	run.payouts = payouts
	var left []storage.LeftOutPayout
	for _, l := range run.preview.LeftOut {
		left = append(left, storage.LeftOutPayout{RunID: run.run.ID, CreatorID: l.CreatorID, Currency: l.Currency,
			Amount: l.Amount, Reason: l.Reason})
	}
	return run.tx.AddLeftOut(ctx, left)
}

// divide makes the parts of the run: its payouts of one rail, currency, form of file and store, as many as one takes.
func (run *paying) divide(ctx context.Context) error {
	type kind struct {
		rail     affiliate.Rail
		currency money.Currency
		variant  string
		store    affiliate.StoreID
	}
	type group struct {
		rail     affiliate.Rail
		currency money.Currency
	}
	open, numbers := map[kind]int{}, map[group]int64{}
	var parts []affiliate.PayoutPart
	of := make([]int, len(run.payouts))
	for i, p := range run.payouts {
		of[i] = -1
		if p.Rail == affiliate.RailElsewhere {
			continue
		}
		k := kind{p.Rail, p.Currency, run.lines[i].Variant, 0}
		if p.Rail.InStore() {
			k.store = run.lines[i].StoreID
		}
		at, ok := open[k]
		if !ok || parts[at].Payouts == int64(p.Rail.Most()) {
			g := group{k.rail, k.currency}
			numbers[g]++
			at = len(parts)
			part := affiliate.PayoutPart{RunID: run.run.ID, Rail: k.rail, Currency: k.currency, Number: numbers[g],
				Variant: k.variant, StoreID: k.store, Reference: run.run.PartRef(at + 1), State: affiliate.PartReady}
			if !k.rail.ByFile() {
				part.NextAt = run.now
			}
			parts, open[k] = append(parts, part), at
		}
		parts[at].Payouts++
		parts[at].Amount += p.Amount
		of[i] = at
	}
	parts, err := run.tx.CreatePayoutParts(ctx, parts)
	for i, at := range of {
		if at >= 0 {
			run.payouts[i].PartID = parts[at].ID
		}
	}
	return err
}

// begun writes our references of the payouts, and of a run of what was paid elsewhere that it is settled.
func (run *paying) begun(ctx context.Context) (affiliate.PayoutRun, error) {
	b := run.run
	if err := run.tx.NamePayouts(ctx, b); err != nil {
		return b, err
	}
	if err := run.tx.SettleRuns(ctx, []affiliate.PayoutRunID{b.ID}, run.now); err != nil {
		return b, err
	}
	b, err := run.tx.LockPayoutRun(ctx, b.ID)
	if err != nil {
		return b, err
	}
	facts := payoutRunFacts(b, run.payouts)
	facts["about"], facts["left_out"] = b.About, len(run.preview.LeftOut)
	return b, run.app.audit(ctx, run.tx, "payout_run.send", b.ID, nil, facts)
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

// CancelRun takes back all payouts of a run that stand, as CancelPayout does with one. Conflict once anything of it was
// sent. Canceling again changes nothing.
func (a *App) CancelRun(ctx context.Context, id affiliate.PayoutRunID, reason string) (storage.SummedRun, error) {
	reason, err := tidyReason(reason)
	if err != nil {
		return storage.SummedRun{}, err
	}
	var after storage.SummedRun
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		run, err := tx.LockPayoutRun(ctx, id)
		if err != nil {
			return err
		}
		payouts, err := tx.PayoutsOf(ctx, id) // nobody changes them without the run's lock
		if err != nil {
			return err
		}
		if after, err = tx.PayoutRun(ctx, id); err != nil || after.Standing() == 0 {
			return err
		}
		if err := a.cancelRun(ctx, tx, run, payouts, reason); err != nil {
			return err
		}
		after, err = tx.PayoutRun(ctx, id)
		return err
	})
	return after, err
}

func (a *App) cancelRun(ctx context.Context, tx *storage.Tx, run affiliate.PayoutRun, payouts []affiliate.Payout,
	reason string) error {
	if run.State == affiliate.PayRunSent {
		return affiliate.ConflictErrorf("state", "the run was sent: what became of its payouts is said one by one")
	}
	payouts = slices.DeleteFunc(payouts, func(p affiliate.Payout) bool { return p.State.Back() })
	parts := map[affiliate.PayoutPartID]bool{}
	for _, p := range payouts {
		if err := mayCancel(p); err != nil {
			return err
		}
		if p.State == affiliate.PayoutReady && !parts[p.PartID] {
			parts[p.PartID] = true
			if err := unsent(ctx, tx, p.PartID); err != nil {
				return err
			}
		}
	}
	canceled, err := a.turn(ctx, tx, payouts, func(affiliate.Payout) affiliate.PayoutState {
		return affiliate.PayoutCanceled
	}, reason)
	if err != nil {
		return err
	}
	if err := tx.CancelParts(ctx, run.ID); err != nil {
		return err
	}
	run.State, run.EndedAt = affiliate.PayRunCanceled, a.now()
	if err := tx.SavePayoutRun(ctx, run); err != nil {
		return err
	}
	after := payoutRunFacts(run, canceled)
	after["reason"] = reason
	return a.audit(ctx, tx, "payout_run.cancel", run.ID, nil, after)
}

// payoutRunFacts are a run with what some of its payouts add up to.
func payoutRunFacts(b affiliate.PayoutRun, payouts []affiliate.Payout) facts {
	sums, rails := map[money.Currency]int64{}, map[affiliate.Rail]int{}
	for _, p := range payouts {
		sums[p.Currency] += p.Amount
		rails[p.Rail]++
	}
	amounts := map[string]string{}
	for c, sum := range sums {
		amounts[c.Code()] = money.Format(sum, c)
	}
	f := facts{"payouts": len(payouts), "amounts": amounts, "paid_on": b.Day, "method": b.Method,
		"reference": b.Reference, "note": b.Note, "rails": rails}
	if !b.UntilAt.IsZero() {
		f["until"] = b.UntilAt.UTC()
	}
	return f
}
