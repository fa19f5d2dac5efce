package affiliate

import (
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Cost is a fee that was paid for a campaign outside of the ledger: a creator's fixed fee, an agency, a shooting. It
// counts among the payments issued, and is converted at the rate of its day.
type Cost struct {
	ID         CostID
	CampaignID CampaignID
	CreatorID  CreatorID // to whom it was paid; 0: to nobody of the campaign
	Amount     int64     // minor units of Currency
	Currency   money.Currency
	Day        string // when it was paid: 2026-05-01, in the account's zone
	Note       string // what for
	Author     string // who recorded it
	CreatedAt  time.Time
	RemovedAt  time.Time // zero while it counts
}

// Validate gives an error that names the field that is wrong.
func (c Cost) Validate() error {
	if c.Amount <= 0 || c.Amount > money.Limit {
		return FieldErrorf("amount", "must be more than 0")
	}
	if _, err := money.ParseCurrency(string(c.Currency)); err != nil {
		return FieldErrorf("currency", "%v", err)
	}
	if err := validReportDay("day", c.Day); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(c.Note) == "":
		return FieldErrorf("note", "must not be empty; say what the fee was for")
	case len(c.Note) > maxNote:
		return FieldErrorf("note", "must not have more than %d characters", maxNote)
	}
	return nil
}
