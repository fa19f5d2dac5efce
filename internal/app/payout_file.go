package app

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// mostBrand is how many characters of the brand's name stand in the note to a recipient.
const mostBrand = 60

// PayoutFile gives the file of a part of a run, and what it is called: the same bytes each time. The first time it is
// made, kept sealed, and its payouts are sent from then on. Whoever hands it in once some of its payouts are owed again
// may pay them twice: then it is given only to somebody who knows that. Errors: Conflict for a part that has no file,
// that was canceled, or of which payouts are owed again (of the field owed_again); Invalid, of the field of a payment,
// where one cannot be in it.
func (a *App) PayoutFile(ctx context.Context, id affiliate.PayoutPartID, knowing bool) (name string, body []byte,
	err error) {
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		part, err := tx.PayoutPart(ctx, id)
		if err != nil {
			return err
		}
		run, err := tx.LockPayoutRun(ctx, part.RunID)
		if err != nil {
			return err
		}
		part, sealed, err := tx.LockPayoutPart(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case !part.Rail.ByFile():
			return affiliate.ConflictErrorf("rail", "%s has no file: it is paid from here", part.Rail.Title())
		case part.State == affiliate.PartCanceled:
			return affiliate.ConflictErrorf("state", "all payouts of the file were canceled")
		case sealed != nil:
			if err := a.mayHandInAgain(ctx, tx, part, knowing); err != nil {
				return err
			}
			name = part.FileName
			if body, err = a.openFile(sealed); err != nil {
				return err
			}
		default:
			if name, body, err = a.makeFile(ctx, tx, run, part); err != nil {
				return err
			}
		}
		return a.audit(ctx, tx, "payout_part.download", id, nil, facts{"run": part.RunID.String(), "rail": part.Rail,
			"file": name, "payouts": part.Payouts, "amount": part.Amount, "currency": part.Currency,
			"reference": part.Reference})
	})
	return name, body, err
}

// mayHandInAgain refuses a file that was made before and of which payouts are owed again: they may be paid otherwise.
func (a *App) mayHandInAgain(ctx context.Context, tx *storage.Tx, part affiliate.PayoutPart, knowing bool) error {
	if knowing {
		return nil
	}
	counts, err := tx.OwedAgain(ctx, part.RunID)
	back := counts[part.ID]
	if err != nil || back == 0 {
		return err
	}
	return affiliate.ForPeople(affiliate.ConflictErrorf("owed_again", "%d of its payouts failed or came back, and are "+
		"owed again: handed in now, the file could pay them twice. Say owed_again where it is only to be kept", back),
		fmt.Sprintf("%d of its payouts failed or came back, and are owed again: handed in now, the file could pay "+
			"them twice", back))
}

// makeFile makes the file of a part whose run is locked, keeps it, and says of part, payouts and run that they are
// sent.
func (a *App) makeFile(ctx context.Context, tx *storage.Tx, run affiliate.PayoutRun,
	part affiliate.PayoutPart) (name string, body []byte, err error) {
	files := a.PaymentFiles[part.Rail]
	if files == nil {
		return "", nil, affiliate.ConflictErrorf("rail", "there are no files of %s here", part.Rail.Title())
	}
	file, err := a.paymentFile(ctx, tx, part)
	if err != nil {
		return "", nil, err
	}
	if name, body, err = files.Write(file); err != nil {
		return "", nil, err
	}
	sealed, err := a.sealFile(body)
	if err != nil {
		return "", nil, err
	}
	part.FileName, part.State, part.SentAt, part.SentBy = name, affiliate.PartSent, file.MadeAt, actor(ctx)
	if err := tx.SavePayoutPart(ctx, part, sealed); err != nil {
		return "", nil, err
	}
	if err := tx.HandOver(ctx, part.ID, file.MadeAt); err != nil {
		return "", nil, err
	}
	if run.State == affiliate.PayRunConfirmed {
		run.State, run.SentAt = affiliate.PayRunSent, file.MadeAt
		err = tx.SavePayoutRun(ctx, run)
	}
	return name, body, err
}

// paymentFile gives what the file of a part is made of. What was canceled since is not in it.
func (a *App) paymentFile(ctx context.Context, tx *storage.Tx, part affiliate.PayoutPart) (affiliate.PaymentFile,
	error) {
	s, err := tx.Settings(ctx)
	if err != nil {
		return affiliate.PaymentFile{}, err
	}
	zone, err := affiliate.LoadZone(s.Timezone)
	if err != nil {
		return affiliate.PaymentFile{}, err
	}
	now := a.now().UTC()
	file := affiliate.PaymentFile{Reference: part.Reference, Variant: part.Variant, Currency: part.Currency,
		MadeAt:    now,
		ExecuteOn: affiliate.NextBankDay(now, zone), Payer: affiliate.Payer{Name: cmp.Or(s.SEPAName, s.Name),
			IBAN: s.SEPAAccount, BIC: s.SEPABank, Currency: money.Currency(s.WiseCurrency),
			Comma: s.PayPalComma == affiliate.DecimalsComma}}
	whole := false
	if file.Payments, whole, err = a.payments(ctx, tx, part, s, affiliate.PayoutState.Back); err == nil && !whole {
		err = notWhole(part, file.Payments)
	}
	return file, err
}

// payments are the payouts of a part as files and requests say them, without those in some states. whole says whether
// they add up to what was confirmed.
func (a *App) payments(ctx context.Context, tx *storage.Tx, part affiliate.PayoutPart, s affiliate.Settings,
	without func(affiliate.PayoutState) bool) (list []affiliate.Payment, whole bool, err error) {
	payouts, err := tx.PartPayouts(ctx, part.ID)
	if err != nil {
		return nil, false, err
	}
	sum := int64(0)
	for _, p := range payouts {
		if without(p.State) {
			continue
		}
		details, err := a.openDetails(p.Destination)
		if err != nil {
			return nil, false, fmt.Errorf("the payment details of %s: %w", p.ID, err)
		}
		sum += p.Amount
		list = append(list, affiliate.Payment{PayoutID: p.ID, Ref: p.Ref, Amount: p.Amount, Currency: p.Currency,
			Creator: p.Creator, Email: p.Email, Details: details,
			Note: affiliate.Clip(s.Name, mostBrand) + " creator payout " + p.Ref})
	}
	return list, sum == part.Amount && int64(len(list)) == part.Payouts, nil
}

// notWhole is the error of a part whose payments are not what was confirmed.
func notWhole(part affiliate.PayoutPart, list []affiliate.Payment) error {
	return fmt.Errorf("%s is of %d payouts over %d, and its %d payments add up to something else", part.ID,
		part.Payouts, part.Amount, len(list))
}

// sealFile seals a file, compressed.
func (a *App) sealFile(body []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return a.Sealer.Seal(SealPayoutFile, packed.Bytes()), nil
}

func (a *App) openFile(sealed []byte) ([]byte, error) {
	packed, err := a.Sealer.Open(SealPayoutFile, sealed)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
