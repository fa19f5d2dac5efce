package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

const (
	// sendFor is for how long a request is sent again whose answer was lost. Providers know the references of 30 days;
	// the day between is for clocks that differ and requests that take long.
	sendFor = 29 * 24 * time.Hour
	// Rests before a provider is asked again that did not take, or tell, what was asked for.
	leastPartRest, mostPartRest = time.Minute, time.Hour
	// askEvery is how often a provider is asked while it works at a part, and slowAskEvery when it has for a day.
	askEvery, slowAskEvery = time.Minute, time.Hour
	// askOpenFor is for how long it is asked each day while payments are open: PayPal gives back after 30 days what
	// nobody has accepted. Then, and of what is paid, each week until askFor has passed: payments come back weeks
	// later.
	askOpenFor, askFor = 35 * 24 * time.Hour, 60 * 24 * time.Hour
	// heardRest is for how long a provider is left alone that has sent something by itself: of many payments it sends
	// much at once.
	heardRest = 10 * time.Second
	// partNote is for how long it is tried to write down what a provider has said, also when the server stops.
	partNote = 30 * time.Second
)

// provider is who pays by a rail; nil: none is connected.
func (a *App) provider(r affiliate.Rail) PayoutProvider {
	if r == affiliate.RailPayPal {
		return a.PayPal
	}
	return nil
}

// workProviderPart does with a part what is next: it is sent, or its provider is asked. The part was claimed.
func (a *App) workProviderPart(ctx context.Context, part affiliate.PayoutPart) error {
	provider := a.provider(part.Rail)
	switch {
	case part.State == affiliate.PartRefused: // and the server died before its payouts were owed again
		return a.failPart(ctx, part)
	case provider == nil:
		return a.savePart(ctx, part, func(p *affiliate.PayoutPart) {
			p.Trouble = part.Rail.Title() + " is not connected any more; docs/payments.md says how"
			p.NextAt = a.now().Add(mostPartRest)
		})
	case part.State == affiliate.PartSent:
		return a.askPart(ctx, provider, part)
	}
	return a.sendPart(ctx, provider, part)
}

// sendPart asks a provider to pay a part. That it is asked is written down first, and what it said afterwards; where
// that is lost, it is asked again under the same reference, by which it pays once.
func (a *App) sendPart(ctx context.Context, provider PayoutProvider, part affiliate.PayoutPart) error {
	begun, err := a.beginPart(ctx, part)
	if err != nil || begun == nil {
		return err
	}
	id, err := provider.Send(ctx, begun.file)
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), partNote)
	defer cancel()
	var said *affiliate.ProviderError
	answered := errors.As(err, &said)
	switch {
	case err == nil, answered && said.Known != "":
		if answered {
			id = said.Known
		}
		return a.savePart(note, part, func(p *affiliate.PayoutPart) {
			now := a.now()
			p.State, p.ProviderRef, p.SentAt, p.Trouble = affiliate.PartSent, id, now, ""
			p.NextAt, p.UntilAt = now.Add(askEvery), now.Add(askFor)
		})
	case answered && said.Unpaid && !begun.open:
		if err := a.savePart(note, part, func(p *affiliate.PayoutPart) {
			p.State, p.Trouble = affiliate.PartRefused, affiliate.Clip(said.Words, affiliate.MaxPayoutText)
			part = *p
		}); err != nil {
			return err
		}
		return a.failPart(note, part)
	}
	words := affiliate.Clip(err.Error(), affiliate.MaxPayoutText)
	if begun.open && answered && said.Unpaid {
		words = affiliate.Clip("an answer was lost before, and now it is refused: look at "+part.Rail.Title()+" for "+
			part.Reference+", and say by hand what became of its payouts; "+said.Words, affiliate.MaxPayoutText)
	}
	if ctx.Err() != nil {
		words = "the answer was not waited for; it is asked for again"
	}
	a.partWaits(part, err)
	return a.savePart(note, part, func(p *affiliate.PayoutPart) {
		if answered && !begun.open { // it does not have it
			p.State = affiliate.PartReady
		}
		p.Trouble, p.NextAt = words, a.now().Add(partRest(p.Tries))
	})
}

// partWaits logs that a part does not get on.
func (a *App) partWaits(part affiliate.PayoutPart, err error) {
	a.lines.Log(a.Log, slog.LevelWarn, "payouts", "payouts wait", "rail", part.Rail, "run", part.RunID, "part", part.ID,
		"error", err)
}

// partRest is the rest after so many tries: twice as long each time.
func partRest(tries int64) time.Duration {
	return min(leastPartRest<<min(max(tries-1, 0), 10), mostPartRest)
}

// begunPart is a part that is about to be sent.
type begunPart struct {
	file affiliate.PaymentFile
	open bool // the provider may have it already: an earlier answer was lost
}

// beginPart writes down that a provider is asked to pay a part: from now on its payouts cannot be canceled any more.
// Nil where it is not to be sent.
func (a *App) beginPart(ctx context.Context, claimed affiliate.PayoutPart) (begun *begunPart, err error) {
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		run, part, sealed, err := a.lockPart(ctx, tx, claimed)
		if err != nil || part.State != affiliate.PartReady && part.State != affiliate.PartTrying {
			return err
		}
		now, settings := a.now(), affiliate.Settings{}
		if settings, err = tx.Settings(ctx); err != nil {
			return err
		}
		b := begunPart{open: part.State == affiliate.PartTrying}
		if b.open && now.Sub(part.FirstAt) >= sendFor {
			part.NextAt, part.Trouble = time.Time{},
				fmt.Sprintf("%s has not said for 29 days whether it has %s, and would "+
					"not know it again: look there, and say by hand what became of its payouts", part.Rail.Title(),
					part.Reference)
			return tx.SavePayoutPart(ctx, part, sealed)
		}
		if b.file, err = a.providerFile(ctx, tx, part, settings, b.open); err != nil {
			part.NextAt, part.Trouble = now.Add(mostPartRest), affiliate.Clip(err.Error(), affiliate.MaxPayoutText)
			a.partWaits(part, err)
			return tx.SavePayoutPart(ctx, part, sealed)
		}
		if len(b.file.Payments) == 0 { // somebody has said by hand what became of each
			part.NextAt, part.Trouble = time.Time{}, ""
			return tx.SavePayoutPart(ctx, part, sealed)
		}
		account := a.Sealer.Hash(HashPayoutAccount, a.provider(part.Rail).Account())
		if b.open && part.Account != account { // another account would not know the reference
			part.NextAt, part.Trouble = now.Add(mostPartRest), fmt.Sprintf("it was sent with other credentials of %s, "+
				"and the answer was lost: set those again, or look there for %s, and say by hand what became of its "+
				"payouts", part.Rail.Title(), part.Reference)
			return tx.SavePayoutPart(ctx, part, sealed)
		}
		if !b.open {
			part.FirstAt = now
		}
		part.State, part.Tries, part.Account = affiliate.PartTrying, part.Tries+1, account
		if err := tx.SavePayoutPart(ctx, part, sealed); err != nil {
			return err
		}
		if err := tx.HandOver(ctx, part.ID, now); err != nil {
			return err
		}
		begun = &b
		if run.State != affiliate.PayRunConfirmed {
			return nil
		}
		run.State, run.SentAt = affiliate.PayRunSent, now
		return tx.SavePayoutRun(ctx, run)
	})
	if err != nil {
		begun = nil
	}
	return begun, err
}

// lockPart gives a part and its run as they stand; a part without a state where it is not the claimer's any more.
func (a *App) lockPart(ctx context.Context, tx *storage.Tx, claimed affiliate.PayoutPart) (run affiliate.PayoutRun,
	part affiliate.PayoutPart, sealed []byte, err error) {
	if run, err = tx.LockPayoutRun(ctx, claimed.RunID); err != nil {
		return run, part, nil, err
	}
	if part, sealed, err = tx.LockPayoutPart(ctx, claimed.ID); err == nil && !part.NextAt.Equal(claimed.NextAt) {
		part = affiliate.PayoutPart{}
	}
	return run, part, sealed, err
}

// providerFile says what a provider is asked to pay: what is not said to be paid, or back, already.
func (a *App) providerFile(ctx context.Context, tx *storage.Tx, part affiliate.PayoutPart, s affiliate.Settings,
	again bool) (f affiliate.PaymentFile, err error) {
	f = affiliate.PaymentFile{Reference: part.Reference, Variant: part.Variant, Currency: part.Currency,
		MadeAt: a.now(), Payer: affiliate.Payer{Name: s.Name}}
	whole := false
	if f.Payments, whole, err = a.payments(ctx, tx, part, s, affiliate.PayoutState.Final); err != nil {
		return f, err
	}
	if !whole && !again && part.Tries == 0 {
		return f, notWhole(part, f.Payments)
	}
	return f, nil
}

// savePart changes a part that was claimed. One that somebody else has taken meanwhile stays as it is, and one that was
// made due meanwhile stays due.
func (a *App) savePart(ctx context.Context, claimed affiliate.PayoutPart, change func(*affiliate.PayoutPart)) error {
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if _, err := tx.LockPayoutRun(ctx, claimed.RunID); err != nil {
			return err
		}
		part, sealed, err := tx.LockPayoutPart(ctx, claimed.ID)
		due := part.NextAt
		if err != nil || due.IsZero() || due.After(claimed.NextAt) {
			return err
		}
		change(&part)
		if due.Before(claimed.NextAt) { // the provider has said something meanwhile
			part.NextAt = due
		}
		return tx.SavePayoutPart(ctx, part, sealed)
	})
}

// failPart makes owed again what a provider has refused to pay, in its words.
func (a *App) failPart(ctx context.Context, part affiliate.PayoutPart) error {
	payouts, err := a.DB.PartPayouts(ctx, part.ID)
	if err != nil {
		return err
	}
	var news []PayoutNews
	for _, p := range payouts {
		if !p.State.Final() {
			news = append(news, PayoutNews{Payout: p.ID, State: affiliate.PayoutFailed, Words: part.Trouble, Own: true})
		}
	}
	if _, err := a.TurnPayouts(ctx, part.Rail.Title(), news); err != nil {
		return err
	}
	return a.savePart(ctx, part, func(p *affiliate.PayoutPart) { p.NextAt = time.Time{} })
}

// askPart asks a provider what became of a part that it has, and takes what it says.
func (a *App) askPart(ctx context.Context, provider PayoutProvider, part affiliate.PayoutPart) error {
	results, err := provider.Results(ctx, part.ProviderRef)
	if err != nil {
		a.partWaits(part, err)
		note, cancel := context.WithTimeout(context.WithoutCancel(ctx), partNote)
		defer cancel()
		return a.savePart(note, part, func(p *affiliate.PayoutPart) {
			if ctx.Err() == nil {
				p.Trouble = affiliate.Clip(err.Error(), affiliate.MaxPayoutText)
			}
			p.NextAt = a.now().Add(restOfAsking(a.now().Sub(part.SentAt)))
		})
	}
	payouts, err := a.DB.PartPayouts(ctx, part.ID)
	if err != nil {
		return err
	}
	news, trouble := newsOf(results, payouts, a.now())
	if _, err := a.TurnPayouts(ctx, part.Rail.Title(), news); err != nil {
		return err
	}
	if payouts, err = a.DB.PartPayouts(ctx, part.ID); err != nil {
		return err
	}
	return a.savePart(ctx, part, func(p *affiliate.PayoutPart) {
		now := a.now()
		if results.FeeCurrency != "" {
			p.Fee, p.FeeCurrency = results.Fee, results.FeeCurrency
		}
		p.Trouble = trouble
		next, open := nextAsking(payouts, results, part.SentAt, now)
		p.NextAt = next
		switch {
		case results.Denied != "":
			p.State, p.NextAt, p.Trouble = affiliate.PartRefused, time.Time{}, results.Denied
		case next.IsZero() && open > 0:
			p.Trouble = cmp.Or(trouble, fmt.Sprintf("%s does not say what became of %d payouts: look there, and say "+
				"it by hand", part.Rail.Title(), open))
		}
	})
}

// restOfAsking is the rest before a provider is asked again that does not tell, by how long it has had the part.
func restOfAsking(age time.Duration) time.Duration {
	if age < mostPartRest {
		return leastPartRest
	}
	return mostPartRest
}

// newsOf reads what a provider says of a part's payouts, as far as it is news, and what of it cannot be.
func newsOf(results affiliate.PartResults, payouts []storage.NamedPayout, now time.Time) (news []PayoutNews,
	trouble string) {
	said := make(map[string]affiliate.PaymentResult, len(results.Payments))
	for _, r := range results.Payments {
		said[r.Ref] = r
	}
	for _, p := range payouts {
		r, told := said[p.Ref]
		delete(said, p.Ref)
		if told && r.Amount != 0 && (r.Amount != p.Amount || r.Currency != p.Currency) {
			trouble = fmt.Sprintf("%s has another amount there than here: compare them", p.Ref)
			continue
		}
		if results.Denied != "" && (!told || !r.State.Final()) {
			r, told = affiliate.PaymentResult{State: affiliate.PayoutFailed, Words: results.Denied}, true
		}
		if !told {
			continue
		}
		one := PayoutNews{Payout: p.ID, State: r.State, Words: r.Words, Own: true, ProviderRef: r.ProviderRef,
			Fee: r.Fee, FeeCurrency: r.FeeCurrency, At: r.At}
		after := p.Payout
		if said := one.of(&after, now); said.Why != "" {
			trouble = p.Ref + ": " + said.Why
		} else if !reflect.DeepEqual(after, p.Payout) {
			news = append(news, one)
		}
	}
	if len(said) > 0 {
		trouble = fmt.Sprintf("%d payments there are not of this part: look at them", len(said))
	}
	return news, trouble
}

// nextAsking is when a provider is asked again what became of payouts, zero for not any more, and of how many of them
// nothing final is known yet, here or there.
func nextAsking(payouts []storage.NamedPayout, results affiliate.PartResults, sent,
	now time.Time) (next time.Time, open int) {
	openThere := map[string]bool{}
	for _, r := range results.Payments {
		openThere[r.Ref] = !r.State.Final()
	}
	paid := false
	for _, p := range payouts {
		if !p.State.Final() || openThere[p.Ref] {
			open++
		}
		paid = paid || p.State == affiliate.PayoutPaid
	}
	age, rest := now.Sub(sent), 7*24*time.Hour
	switch {
	case age >= askFor, open == 0 && !paid && !results.Working:
		return time.Time{}, open
	case results.Working && age < 24*time.Hour:
		rest = askEvery
	case results.Working && age < askOpenFor:
		rest = slowAskEvery
	case open > 0 && age < askOpenFor:
		rest = 24 * time.Hour
	}
	return now.Add(rest), open
}

// HearPayouts takes what a provider of payouts has sent by itself: the part that it is about is asked about soon.
// address is where it came from. Errors: Forbidden where it is not proven to come from the provider.
func (a *App) HearPayouts(ctx context.Context, rail affiliate.Rail, address string, header http.Header,
	body []byte) error {
	provider := a.provider(rail)
	if provider == nil {
		return affiliate.Errorf(affiliate.NotFound, "%s is not connected", rail.Title())
	}
	network, now := Network(address), time.Now()
	if err := a.strangers.suspect(network, now); err != nil {
		return err
	}
	id, err := provider.Heard(ctx, header, body)
	if affiliate.KindOf(err) == affiliate.Forbidden {
		a.strangers.guessed(network, now)
	}
	if err != nil || id == "" {
		return err
	}
	return a.DB.HurryPayoutPart(ctx, rail, id, a.now().Add(heardRest))
}
