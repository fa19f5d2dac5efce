package app

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// SetPaymentDetails writes down where a creator wants to be paid from now on. Where they had other details before,
// nothing is paid to the new ones for as long as the account's setting says, and the creator hears of the change. The
// same details again change nothing. Payouts that were confirmed go where they were to go then. Errors: NotFound;
// Invalid, by the field of the details.
func (a *App) SetPaymentDetails(ctx context.Context, id affiliate.CreatorID,
	d affiliate.PaymentDetails) (storage.PaymentDetails, error) {
	d, err := affiliate.ParsePaymentDetails(d)
	if err != nil {
		return storage.PaymentDetails{}, err
	}
	return a.changeDetails(ctx, id, "payment_details.set", d)
}

// RemovePaymentDetails takes away where a creator wants to be paid: nothing is paid to them until somebody says it
// again, and then only after the hold. Removing again changes nothing; what is given without an id is of a creator who
// never had any.
func (a *App) RemovePaymentDetails(ctx context.Context, id affiliate.CreatorID) (storage.PaymentDetails, error) {
	return a.changeDetails(ctx, id, "payment_details.remove", affiliate.PaymentDetails{})
}

// changeDetails writes other details, or none where they have no method, if they are other ones.
func (a *App) changeDetails(ctx context.Context, id affiliate.CreatorID, action string,
	d affiliate.PaymentDetails) (saved storage.PaymentDetails, err error) {
	plain, err := json.Marshal(d)
	if err != nil {
		return saved, fmt.Errorf("write payment details: %w", err)
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		// The lock that payments take: a run has the details of before, or those of after the change.
		names, err := tx.LockCreators(ctx, []affiliate.CreatorID{id})
		if err != nil {
			return err
		}
		if _, known := names[id]; !known {
			return affiliate.NoSuch(id)
		}
		if d.StoreID != 0 {
			if _, err := tx.Store(ctx, d.StoreID); err != nil {
				return affiliate.AboutField("store_id", err)
			}
		}
		history, err := tx.PaymentDetailsOf(ctx, id)
		if err != nil {
			return err
		}
		var before storage.PaymentDetails // as they stand, or were taken away
		if len(history) > 0 {
			before = history[0]
		}
		if before.Method == d.Method && (d.Method == "" || a.sameDetails(before.Details, d)) {
			saved = before
			return nil
		}
		settings, err := tx.Settings(ctx)
		if err != nil {
			return err
		}
		now := a.now()
		saved = storage.PaymentDetails{CreatorID: id, Method: d.Method,
			Details: a.Sealer.Seal(SealPaymentDetails, plain), Masked: d.Masked(),
			Holder: d.Holder, Country: d.Country(), HasIban: d.HasIBAN(), Recipient: d.Recipient != "",
			StoreID: d.StoreID, UsableAt: now, Author: actor(ctx), CreatedAt: now}
		if len(history) > 0 && d.Method != "" {
			saved.UsableAt = now.Add(time.Duration(settings.DetailsHoldDays) * 24 * time.Hour)
		}
		if saved, err = tx.AddPaymentDetails(ctx, saved); err != nil {
			return err
		}
		err = a.audit(ctx, tx, action, id, detailsFacts(before), detailsFacts(saved))
		if err != nil || len(history) == 0 {
			return err
		}
		return a.tellOfDetails(ctx, tx, settings, history, saved)
	})
	return saved, err
}

// sameDetails says whether sealed details are the ones given. Those that cannot be opened any more are others.
func (a *App) sameDetails(sealed []byte, d affiliate.PaymentDetails) bool {
	is, err := a.openDetails(sealed)
	return err == nil && reflect.DeepEqual(is, d)
}

// openDetails opens sealed payment details.
func (a *App) openDetails(sealed []byte) (d affiliate.PaymentDetails, err error) {
	plain, err := a.Sealer.Open(SealPaymentDetails, sealed)
	if err != nil {
		return d, fmt.Errorf("open payment details: %w", err)
	}
	if err := json.Unmarshal(plain, &d); err != nil {
		return d, fmt.Errorf("read payment details: %w", err)
	}
	return d, nil
}

// detailsFacts are what the audit log keeps of payment details: nothing that money could be sent to.
func detailsFacts(d storage.PaymentDetails) any {
	if d.Method == "" {
		return nil
	}
	return facts{"method": d.Method, "destination": d.Masked, "usable_at": auditTime(d.UsableAt)}
}

// detailsWords say where money goes: "PayPal, a•••@example.com".
func detailsWords(method affiliate.PaymentMethod, masked string) string {
	if method == "" {
		return "nowhere"
	}
	return method.Title() + ", " + masked
}

// tellOfDetails writes mails that say that a creator's payment details were changed: to the creator, and to the address
// in the details before, since whoever changes the one may have got hold of the other.
func (a *App) tellOfDetails(ctx context.Context, tx *storage.Tx, settings affiliate.Settings,
	history []storage.PaymentDetails, d storage.PaymentDetails) error {
	creator, err := tx.Creator(ctx, d.CreatorID)
	if err != nil {
		return err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return err
	}
	day := func(t time.Time) string { return t.In(zone).Format("2 January 2006") }
	hold := time.Duration(settings.DetailsHoldDays) * 24 * time.Hour
	told := recipient{creator: creator, fields: map[affiliate.MailField]string{
		affiliate.FieldDetails: detailsWords(d.Method, d.Masked), affiliate.FieldChangedOn: day(d.CreatedAt),
		affiliate.FieldDetailsWere: detailsWords(history[0].Method, history[0].Masked),
		affiliate.FieldPaidFrom:    day(d.CreatedAt.Add(hold))}}
	send := affiliate.MailSend{Purpose: affiliate.MailChanged, Key: "payment_details:" + d.ID.String()}
	if err := a.mailByItself(ctx, tx, settings, send, []recipient{told}); err != nil {
		return err
	}
	for _, h := range history {
		if h.Method == "" {
			continue
		}
		old, err := a.openDetails(h.Details)
		if err == nil && old.Email != "" && affiliate.FoldEmail(old.Email) != affiliate.FoldEmail(creator.Email) {
			told.creator.Email, send.Key = old.Email, send.Key+":before"
			return a.mailByItself(ctx, tx, settings, send, []recipient{told})
		}
		break
	}
	return nil
}
