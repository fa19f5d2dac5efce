package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// How much of what was paid is told at once.
const (
	toldRuns     = 20
	toldCreators = 1000 // whose mails are written in one transaction
)

// TellPaid writes mails to creators whom runs have paid that are to tell them, each payout in one mail. What a run pays
// somebody in several currencies is told together, as far as it is paid by then. It does nothing while no mail server
// is set: what was paid is told once there is one. It may be run twice, and by several processes.
func (a *App) TellPaid(ctx context.Context) error {
	if a.Mailer == nil {
		return nil
	}
	runs, err := a.DB.UntoldRuns(ctx, toldRuns)
	if err != nil {
		return fmt.Errorf("look for payouts to tell: %w", err)
	}
	for _, run := range runs {
		for more := true; more; {
			var trouble error
			if more, trouble = a.tellRun(ctx, run); trouble != nil {
				err = errors.Join(err, fmt.Errorf("tell of %s: %w", run, trouble))
			}
		}
	}
	return err
}

// tellRun writes mails about some paid payouts of a run; false where none are left, or others tell of them.
func (a *App) tellRun(ctx context.Context, id affiliate.PayoutRunID) (more bool, err error) {
	payouts, err := a.DB.UntoldPayouts(ctx, id, toldCreators)
	if err != nil || len(payouts) == 0 {
		return false, err
	}
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return false, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return false, err
	}
	recipients, err := a.paidRecipients(ctx, payouts, zone, true)
	if err != nil {
		return false, err
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if _, err := tx.LockPayoutRun(ctx, id); err != nil { // another process, or a provider's news, waits
			return err
		}
		now, err := tx.UntoldPayouts(ctx, id, toldCreators)
		if err != nil {
			return err
		}
		ids := payoutIDs(payouts)
		if more = slices.Equal(ids, payoutIDs(now)); !more { // the next round tells what is paid by then
			return nil
		}
		if err := tx.TellPayouts(ctx, ids, a.now()); err != nil {
			return err
		}
		send := affiliate.MailSend{Purpose: affiliate.MailPaid, PayoutRunID: id,
			Key: "payment_sent:" + ids[0].String()} // which no other mailing tells
		return a.mailByItself(ctx, tx, settings, send, recipients)
	})
	return more && err == nil, err
}

func payoutIDs(payouts []affiliate.Payout) []affiliate.PayoutID {
	ids := make([]affiliate.PayoutID, len(payouts))
	for i, p := range payouts {
		ids[i] = p.ID
	}
	return ids
}

// paidRecipients are those whom payouts of one run were paid to, each once, with what stands for the fields of their
// mail; the statement where it is wanted.
func (a *App) paidRecipients(ctx context.Context, payouts []affiliate.Payout, zone *time.Location,
	statement bool) ([]recipient, error) {
	fields := map[affiliate.CreatorID]map[affiliate.MailField]string{}
	var ids []affiliate.CreatorID
	for _, p := range payouts {
		f := fields[p.CreatorID]
		if f == nil {
			f = map[affiliate.MailField]string{}
			fields[p.CreatorID], ids = f, append(ids, p.CreatorID)
		}
		if f[affiliate.FieldAmount] != "" {
			f[affiliate.FieldAmount] += " and "
		}
		f[affiliate.FieldAmount] += amountText(p.Amount, p.Currency)
		day := firstTime(p.PaidAt, p.CreatedAt).In(zone).Format("2 January 2006")
		f[affiliate.FieldPaidOn] = joined(f[affiliate.FieldPaidOn], day)
		f[affiliate.FieldReference] = joined(joined(f[affiliate.FieldReference],
			cmp.Or(p.Ref, p.Reference, p.ID.String())), p.ProviderRef)
		method, to := p.Method, cmp.Or(p.Method, "as agreed")
		if p.Destination != nil {
			d, err := a.openDetails(p.Destination)
			if err != nil {
				return nil, err
			}
			method, to = d.Method.Title(), detailsWords(d.Method, p.Masked)
		}
		f[affiliate.FieldPaidBy] = joined(f[affiliate.FieldPaidBy], method)
		if was := f[affiliate.FieldPaidTo]; was == "" {
			f[affiliate.FieldPaidTo] = to
		} else if was != to {
			f[affiliate.FieldPaidTo] += "; " + to
		}
	}
	if statement {
		if err := a.addPaidEntries(ctx, fields, payouts, zone); err != nil {
			return nil, err
		}
	}
	list, err := a.DB.CreatorsByID(ctx, ids)
	recipients := make([]recipient, len(list))
	for i, c := range list {
		recipients[i] = recipient{creator: c, fields: fields[c.ID]}
	}
	return recipients, err
}

// addPaidEntries fills the statements of what payouts are made of: the entries that they pay, or the sums of these by
// what they are, with a sum that is what was paid. Where it is not, nothing is said: a mail that lists it is skipped.
func (a *App) addPaidEntries(ctx context.Context, fields map[affiliate.CreatorID]map[affiliate.MailField]string,
	payouts []affiliate.Payout, zone *time.Location) error {
	of, differs := map[affiliate.CreatorID]*entryList{}, map[affiliate.CreatorID]bool{}
	for _, p := range payouts {
		if of[p.CreatorID] == nil {
			of[p.CreatorID] = &entryList{}
		}
		sum := int64(0)
		err := a.DB.EachPaidEntry(ctx, p, func(l *storage.LedgerLine) error {
			of[p.CreatorID].add(l, zone)
			sum += l.Amount
			return nil
		})
		if err != nil {
			return err
		}
		differs[p.CreatorID] = differs[p.CreatorID] || sum != p.Amount
	}
	for id, list := range of {
		if !differs[id] {
			fields[id][affiliate.FieldStatement] = list.text()
		}
	}
	return nil
}
