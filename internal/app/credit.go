package app

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// saveConversions brings conversions and ledger in line with their orders.
func (m *merger) saveConversions(ctx context.Context, changed []*mergedOrder) error {
	b := newBook(m.tx, m.settings, m.now)
	for _, o := range changed {
		if !o.known {
			continue
		}
		if c := m.conversionOf(o); c != nil {
			o.conversion = c
			b.enter(o.converted, c, o.row.Revision)
		}
	}
	return b.post(ctx)
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
		m.credit(&c, *credit, o.view.Redacted && o.conversion != nil &&
			o.conversion.OfferMemberID == credit.OfferMemberID)
	}
	v := o.view
	if c.Currency != v.Currency {
		// the store changed the order's currency: the old rates are of another one
		c.Rate, c.RateDate, c.LedgerRate = nil, nil, nil
	}
	c.OrderID, c.StoreID, c.Status, c.Currency, c.Value, c.OriginalValue, c.Refunded = o.row.ID, o.row.StoreID,
		v.Status, v.Currency, v.Value,
		v.OriginalValue, v.Refunded
	c.PlacedAt, c.Day = o.row.PlacedAt, o.row.Day
	return &c
}

// credit puts the winner on a conversion. A new winner starts afresh: its own rule, its own approval.
// Whether a rule holds it follows the evidence; the erasure of a customer releases nothing.
func (m *merger) credit(c *storage.Conversion, w affiliate.Credit, redacted bool) {
	if c.OfferMemberID != w.OfferMemberID {
		c.Percent, c.Flat, c.RuleVersion = w.Rule.Percent, w.Rule.Flat, w.Rule.Version
		c.SetApprovals(affiliate.Fresh(w.HeldReason))
	} else if !redacted {
		a := c.Approvals()
		a.Hold(w.HeldReason)
		c.SetApprovals(a)
	}
	c.Credited, c.Method, c.Evidence, c.Ambiguous = true, w.Method, w.Evidence, w.Ambiguous
	c.CampaignID, c.CreatorID, c.OfferID, c.OfferMemberID = w.CampaignID, w.CreatorID, w.OfferID, w.OfferMemberID
	c.CodeID, c.LinkID, c.ClickID = pointer(w.CodeID), pointer(w.LinkID), pointer(w.ClickID)
}

func pointer[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
