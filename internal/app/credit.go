package app

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// saveConversions brings conversions and ledger in line with their orders.
func (m *merger) saveConversions(ctx context.Context, changed []*mergedOrder) error {
	var list []storage.Conversion
	var owners []*mergedOrder
	var existing []affiliate.ConversionID
	for _, o := range changed {
		if !o.known {
			continue
		}
		if o.conversion != nil {
			existing = append(existing, o.conversion.ID)
		}
		if c := m.conversionOf(o); c != nil {
			o.conversion = c
			list = append(list, *c)
			owners = append(owners, o)
		}
	}
	if len(list) == 0 {
		return nil
	}
	posted, err := m.tx.Posted(ctx, existing)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	ids, err := m.tx.SaveConversions(ctx, list, m.now)
	if err != nil {
		return fmt.Errorf("save conversions: %w", err)
	}
	var entries []affiliate.LedgerEntry
	for _, o := range owners {
		o.conversion.ID = ids[o.row.ID]
		entries = append(entries, m.entries(*o.conversion, posted[o.conversion.ID], o.row.Revision)...)
	}
	if err := m.tx.AddLedger(ctx, entries); err != nil {
		return fmt.Errorf("post to the ledger: %w", err)
	}
	return nil
}

// conversionOf gives the conversion that an order has now: nil when it never had one and is not credited. A conversion
// keeps its frozen rule and its approval as long as the same member wins.
func (m *merger) conversionOf(o *mergedOrder) *storage.Conversion {
	var c storage.Conversion
	if o.conversion != nil {
		c = *o.conversion
	}
	switch credit := o.verdict.Winner; {
	case !o.attribute && o.conversion == nil:
		return nil
	case o.attribute && credit == nil && o.conversion == nil:
		return nil
	case o.attribute && credit == nil:
		c.Credited = false
	case o.attribute:
		m.credit(&c, *credit, o.view.Redacted && o.conversion != nil && o.conversion.OfferMemberID == credit.OfferMemberID)
	}
	v := o.view
	c.OrderID, c.StoreID, c.Status, c.Currency, c.Value, c.OriginalValue, c.Refunded = o.row.ID, o.row.StoreID, v.Status, v.Currency, v.Value,
		v.OriginalValue, v.Refunded
	c.PlacedAt, c.Day = o.row.PlacedAt, o.row.Day
	c.Commission = 0
	if c.Credited {
		c.Commission = affiliate.Commission(c.Currency, c.Value, c.Rule(), c.Approval, c.Status)
	}
	if o.conversion != nil && o.conversion.Currency != c.Currency {
		c.Rate, c.RateDate = nil, nil // the store changed the order's currency: the old rate is of another one
	}
	if c.Rate == nil && c.Currency == c.AccountCurrency {
		one := "1"
		day := c.Day
		c.Rate, c.RateDate = &one, &day
	}
	c.AccountValue, c.AccountCommission = nil, nil
	if c.Currency == c.AccountCurrency {
		value, commission := c.Value, c.Commission
		c.AccountValue, c.AccountCommission = &value, &commission
	}
	return &c
}

// credit puts the winner on a conversion. A new winner starts afresh: its own rule, its own approval.
// Whether it is held follows the evidence as long as no person decided; the erasure of a customer releases nothing.
func (m *merger) credit(c *storage.Conversion, w affiliate.Credit, redacted bool) {
	if c.OfferMemberID != w.OfferMemberID {
		c.Percent, c.Flat, c.RuleVersion = w.Rule.Percent, w.Rule.Flat, w.Rule.Version
		c.Approval, c.ApprovalReason, c.ApprovalBy, c.ApprovalAt = affiliate.Approved, "", "", storage.Time{}
	}
	if c.ApprovalBy == "" && !redacted { // decided by rule, so a function of the evidence
		c.Approval, c.ApprovalReason = affiliate.Approved, ""
		if w.HeldReason != "" {
			c.Approval, c.ApprovalReason = affiliate.Held, w.HeldReason
		}
	}
	c.Credited, c.Method, c.Evidence, c.Ambiguous = true, w.Method, w.Evidence, w.Ambiguous
	c.CampaignID, c.CreatorID, c.OfferID, c.OfferMemberID = w.CampaignID, w.CreatorID, w.OfferID, w.OfferMemberID
	c.CodeID, c.LinkID, c.ClickID = pointer(w.CodeID), pointer(w.LinkID), pointer(w.ClickID)
	if c.AccountCurrency == "" {
		c.AccountCurrency = m.settings.Currency
	}
}

func pointer[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// entries gives what must be posted so that the ledger holds the conversion's commission. Nothing is posted while the
// conversion waits for an exchange rate.
func (m *merger) entries(c storage.Conversion, posted map[affiliate.Account]int64, revision int64) []affiliate.LedgerEntry {
	commission := int64(0) // also takes back what was posted in another currency
	if c.AccountCommission != nil {
		commission = *c.AccountCommission
	}
	var entries []affiliate.LedgerEntry
	for _, p := range affiliate.Differences(c.Account(), commission, posted) {
		entries = append(entries, affiliate.LedgerEntry{CreatorID: p.Account.CreatorID, CampaignID: p.Account.CampaignID,
			OfferMemberID: p.Account.OfferMemberID, ConversionID: c.ID, Kind: p.Kind, Currency: c.AccountCurrency, Amount: p.Amount,
			Cause:     fmt.Sprintf("%s:%d:%s", c.ID, revision, p.Account.OfferMemberID),
			CreatedAt: m.now, PayableAt: m.now.AddDate(0, 0, m.settings.HoldDays)})
	}
	return entries
}
