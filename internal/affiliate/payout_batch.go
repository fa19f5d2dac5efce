package affiliate

import (
	"fmt"
	"time"
)

// PayoutBatch is a set of payouts that were recorded together, such as all of a month. It can be canceled as one; its
// payouts can be canceled one by one as well.
type PayoutBatch struct {
	ID        PayoutBatchID
	Payouts   int    // how many were recorded, canceled ones included
	Day       string // on which they were paid: 2026-11-29, in the account's zone
	Method    string // of all its payouts, as the reference
	Reference string
	Note      string // for people; may be empty
	Author    string
	Form      string // by which it was recorded: one form records once; empty: none
	CreatedAt time.Time
}

// Name is what people and files call a batch: "2026-11-29 · 69 payouts".
func (b PayoutBatch) Name() string {
	if b.Payouts == 1 {
		return b.Day + " · 1 payout"
	}
	return fmt.Sprintf("%s · %d payouts", b.Day, b.Payouts)
}

// maxBatchForm bounds what tells forms apart, in bytes.
const maxBatchForm = 100

// Validate gives an error that names the field that is wrong.
func (b PayoutBatch) Validate() error {
	if len(b.Form) > maxBatchForm {
		return FieldErrorf("form", "must have at most %d bytes", maxBatchForm)
	}
	return validPayoutTexts(payoutText{"method", b.Method}, payoutText{"reference", b.Reference},
		payoutText{"note", b.Note})
}
