package affiliate

import (
	"maps"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// OrderRules are what a store's owner has decided about its orders.
type OrderRules struct {
	Statuses map[string]StoreStatus // what statuses set by plugins mean: pending, paid, canceled or refunded
	Parts    PartsRule
}

// OrderView is what people see of an order: a function of its state. Amounts are minor units of Currency.
type OrderView struct {
	Number        string
	Status        OrderStatus
	RawStatus     string // the store's own word
	Currency      money.Currency
	Value         int64 // merchandise that still stands, without tax and shipping; 0 when refunded or canceled
	OriginalValue int64 // merchandise as sold
	Total         int64 // what the customer was charged
	Refunded      int64 // money that has gone back
	RefundPending int64 // money on its way back
	Test          bool
	Renewal       bool      // of a subscription: its link evidence is that of the first order
	Parent        string    // the store's id of the order that this one belongs to; "" for most
	Part          bool      // a part of Parent, which counts in its place
	PlacedAt      time.Time // the store's creation time, UTC
	UpdatedAt     time.Time // the store's modification time, UTC
	Codes         []string
	Links         []LinkEvidence
	CustomerHash  string
	Country       string
	Redacted      bool    // the customer was erased: that nobody is there proves nothing
	CustomStatus  bool    // the store's word was set by a plugin
	Doubts        []Doubt // what deliveries cannot settle; only the store's API can tell
}

// View computes what people see. It is false while no delivery has described the order: refunds may come first.
func (s OrderState) View(rules OrderRules) (OrderView, bool) {
	if s.Newest == nil {
		return OrderView{}, false
	}
	s.Newest = s.restocked()
	n := s.Newest
	v := OrderView{
		Number: n.Number, RawStatus: n.RawStatus, Currency: n.Currency, OriginalValue: n.Merchandise, Total: n.Total,
		Test: n.Test, Renewal: n.Renewal, Parent: n.Parent, Part: n.Parent != "" && rules.part(n.Marketplace),
		PlacedAt: n.PlacedAt.UTC(), UpdatedAt: time.UnixMilli(n.Version).UTC(), Codes: n.Codes,
		Country:      n.Country,
		CustomStatus: n.Status == StoreCustom, Redacted: s.Redacted,
	}
	if l := s.landing(); l != nil {
		v.Links = l.Links
	}
	if c := s.customer(); c != nil {
		v.CustomerHash = c.Hash
	}
	overcharge := s.overcharge()
	var own []PartRefund
	for _, r := range s.standingRefunds() {
		moved, pending := s.moved(r, n.Currency)
		v.RefundPending += pending
		if moved == 0 && !s.settled(r) {
			continue
		}
		own = append(own, PartRefund{Amount: moved, Merchandise: merchandiseShare(r, moved, n, &overcharge),
			Unclear: r.Unclear})
	}
	merchandiseBack, unclear := int64(0), false
	for _, r := range reconciled(own, s.partRefunds(rules)) {
		v.Refunded += r.Amount
		merchandiseBack += r.Merchandise
		unclear = unclear || r.Unclear
	}
	for _, id := range slices.Sorted(maps.Keys(s.Disputes)) {
		d := s.Disputes[id]
		if d.Status != DisputeLost {
			continue
		}
		amount := d.Amount
		if d.Currency != n.Currency {
			// told in the customer's currency: chargebacks take all that is left
			amount = max(0, n.paid()+s.overcharge()-v.Refunded)
		}
		v.Refunded += amount
		merchandiseBack += money.MulDiv(amount, n.Merchandise, n.paid())
	}
	v.Status = s.status(v.Refunded, rules)
	if v.Status != Refunded && v.Status != Canceled && n.Total >= 0 {
		v.Value = max(0, n.Merchandise-merchandiseBack)
	}
	v.Doubts = s.doubts(unclear && v.Value > 0)
	return v, true
}

// restocked is the newest snapshot, with goods that came back without their money where they were only put back on the
// shelf: all of the total was captured at some time, so that nothing of it was exchanged for other goods.
func (s OrderState) restocked() *Snapshot {
	n := s.Newest
	if n.Kept == nil || s.Charged < n.Total+n.Kept.Total {
		return n
	}
	r := *n
	r.Merchandise, r.Total, r.Captured = n.Merchandise+n.Kept.Merchandise, n.Total+n.Kept.Total, n.Captured+n.Kept.Total
	return &r
}

// paid is all that was to be paid: what the customer was charged, and what came out of stored money.
func (s *Snapshot) paid() int64 { return s.Total + s.Stored }

// part says whether an order with a parent is only a part of it.
func (r OrderRules) part(marketplace bool) bool {
	return r.Parts == PartsAlways || marketplace && r.Parts != PartsNever
}

// partRefunds gives the refunds of the orders that are parts of this one, in the order's currency.
func (s OrderState) partRefunds(rules OrderRules) (list []PartRefund) {
	for _, id := range slices.Sorted(maps.Keys(s.Parts)) {
		p := s.Parts[id]
		if !rules.part(p.Marketplace) {
			continue
		}
		for _, r := range p.Refunds {
			if r.Currency == s.Newest.Currency {
				list = append(list, r)
			}
		}
	}
	return list
}

// AsPart is the order as its parent keeps it.
func (s *Snapshot) AsPart(id string) *Part {
	p := &Part{ID: id, Version: s.Version, Received: s.Received, Read: s.Read, Marketplace: s.Marketplace, Hash: s.Hash}
	for _, r := range s.Refunds {
		overcharge := int64(0)
		p.Refunds = append(p.Refunds, PartRefund{Currency: r.Currency, Amount: r.Amount,
			Merchandise: merchandiseShare(r, r.Amount, s, &overcharge), Unclear: r.Unclear})
	}
	return p
}

// Doubt is something about an order that deliveries cannot settle.
type Doubt string

const (
	DoubtSameSecond Doubt = "same_second"
	DoubtRefund     Doubt = "refund_rows"
	DoubtRounded    Doubt = "rounded"
	DoubtDeletion   Doubt = "deletion"
	DoubtEdited     Doubt = "edited"
)

// Words lists all doubts there may be.
func (Doubt) Words() []Doubt {
	return []Doubt{DoubtSameSecond, DoubtRefund, DoubtRounded, DoubtDeletion, DoubtEdited}
}

// Sentence says to people what is in doubt, and what is shown meanwhile.
func (d Doubt) Sentence() string {
	switch d {
	case DoubtSameSecond:
		return "Two versions of one second: the store stamped different contents alike. The one that came in last is " +
			"shown."
	case DoubtRefund:
		return "A refund does not say which rows it is for. The value falls by the merchandise's share of its amount."
	case DoubtRounded:
		return "The store rounded its amounts to fewer decimals than the currency has. They may be off by a few cents."
	case DoubtDeletion:
		return "A deletion came in after the order had been restored. It carries no date, so the order is not canceled."
	case DoubtEdited:
		return "The order was edited, and the store has not shown it since. It is shown as it was before."
	}
	return string(d)
}

// doubts lists what only the store's API can settle. unclear says that the rows of a refund are not known and matter.
func (s OrderState) doubts(unclear bool) (list []Doubt) {
	n := s.Newest
	if s.ambiguous() {
		list = append(list, DoubtSameSecond)
	}
	if unclear {
		list = append(list, DoubtRefund)
	}
	if n.Rounded {
		list = append(list, DoubtRounded)
	}
	if s.FirstDeleted > 0 && !s.deleted() && s.LastDeleted > s.lastThere() && !s.shownSince(s.LastDeleted) {
		list = append(list, DoubtDeletion)
	}
	if s.EditedAt > n.Version && n.Read < (s.EditedAt+1000)*1000 {
		list = append(list, DoubtEdited)
	}
	return list
}

// ambiguous says whether there were several snapshots of Newest's version of which nobody can tell the later one. A
// reading after that second settles it, but for what came in since and differs from it.
func (s OrderState) ambiguous() bool {
	n := s.Newest
	if n.key().final() == 0 {
		return len(s.Variants) > 1
	}
	for hash, received := range s.Variants {
		if hash != n.Hash && received > n.Received {
			return true
		}
	}
	return false
}

// status applies the precedence: money first, then what the store says of the order.
func (s OrderState) status(refunded int64, rules OrderRules) OrderStatus {
	n := s.Newest
	says := s.says(rules)
	captured := n.Captured
	if says == StorePaid && captured == 0 {
		captured = n.paid() // by the owner's word about a custom status
	}
	captured += s.overcharge()
	switch {
	case says == StoreRefunded, captured > 0 && refunded >= captured:
		return Refunded
	case n.Canceled, says == StoreCanceled, says == StoreFailed, s.deleted():
		return Canceled
	case says == StorePaid:
		return Paid
	}
	return Pending
}

// says gives what the store's status means. For one that a plugin set it is what the store's owner decided; else an
// order that was canceled or refunded before stays so, and otherwise the payment date decides. A failed order may be
// paid later: a payment date that it did not have then says so.
func (s OrderState) says(rules OrderRules) StoreStatus {
	n, known := s.Newest, s.known()
	if n.understood() {
		return n.Status
	}
	if n.Status == StoreUnknown {
		if known != nil {
			return known.Status
		}
		return StorePending
	}
	if meaning, ok := rules.Statuses[n.RawStatus]; ok {
		return meaning
	}
	if known != nil {
		switch known.Status {
		case StoreCanceled, StoreRefunded:
			return known.Status
		case StoreFailed:
			if known.Key.Paid || !n.PaymentDate {
				return known.Status
			}
		}
	}
	if n.PaymentDate {
		return StorePaid
	}
	return StorePending
}

// deleted says whether the order is in the trash, or gone. Deletions are compared with restorations by when they came
// in, and several webhooks may tell the same one. But a deletion is an id without a date, and its signature stays good
// for ever: once the order is known to be back, another one may be a late copy of the first, or somebody's replay, and
// only the store can tell. What it told when it was asked counts until something later says otherwise.
func (s OrderState) deleted() bool {
	if s.LastGone > s.lastThere() && !s.shownSince(s.LastGone) {
		return true
	}
	return s.FirstDeleted > 0 && s.lastThere() <= s.FirstDeleted && !s.shownSince(s.FirstDeleted)
}

// lastThere is when the order was last restored, or found in the store.
func (s OrderState) lastThere() int64 { return max(s.LastRestored, s.LastFound) }

// shownSince says whether a body that is not of the trash was stamped after a deletion came in. That the order was
// restored may never have been told; such a body proves it.
func (s OrderState) shownSince(deletion int64) bool {
	after := time.UnixMicro(deletion).Add(stampSkew).UnixMilli()
	return deletion > 1 && !s.Newest.Ahead && s.Newest.Version > after
}

// standingRefunds gives the refunds that exist, in the order of their ids.
func (s OrderState) standingRefunds() []Refund {
	ids := slices.Sorted(maps.Keys(s.Refunds))
	refunds := make([]Refund, 0, len(ids))
	for _, id := range ids {
		if s.Newest.RefundsComplete && !slices.Contains(s.Newest.RefundIDs, id) {
			continue // deleted in the store
		}
		refunds = append(refunds, s.Refunds[id])
	}
	return refunds
}

// moved gives how much of a refund's money has gone back and how much is on its way, in the order's currency.
func (s OrderState) moved(r Refund, orderCurrency money.Currency) (moved, pending int64) {
	if r.Currency != orderCurrency {
		return 0, 0 // told in another currency: the order's next body has it in the order's own
	}
	if len(r.Transactions) == 0 {
		switch r.Status {
		case RefundSettled:
			return r.Amount, 0
		case RefundPending:
			return 0, r.Amount
		}
		return 0, 0
	}
	sameCurrency := true
	for _, t := range r.Transactions {
		sameCurrency = sameCurrency && t.Currency == r.Currency
	}
	if !sameCurrency {
		switch s.refundStatus(r) {
		case RefundSettled:
			return r.Amount, 0
		case RefundPending:
			return 0, r.Amount
		}
		return 0, 0
	}
	for _, t := range r.Transactions {
		switch s.transactionStatus(t) {
		case RefundSettled:
			moved += t.Amount
		case RefundPending:
			pending += t.Amount
		}
	}
	return moved, pending
}

func (s OrderState) settled(r Refund) bool { return s.refundStatus(r) == RefundSettled }

// refundStatus is settled as soon as one of its transactions succeeded, by the refund's own word or by a transaction
// that was told on its own later.
func (s OrderState) refundStatus(r Refund) RefundStatus {
	if len(r.Transactions) == 0 {
		return r.Status
	}
	best := RefundFailed
	for _, t := range r.Transactions {
		switch s.transactionStatus(t) {
		case RefundSettled:
			return RefundSettled
		case RefundPending:
			best = RefundPending
		}
	}
	return best
}

func (s OrderState) transactionStatus(t Transaction) RefundStatus {
	if later, ok := s.Transactions[t.ID]; ok && refundRank[later.Status] > refundRank[t.Status] {
		return later.Status
	}
	return t.Status
}

// overcharge is what was charged for units, or before discounts, that an edit of the paid order took out of its total.
// The store owes it to the customer, and what goes back of it takes no merchandise away: the edit has done so.
func (s OrderState) overcharge() int64 {
	if !s.Newest.PaymentDate {
		return 0
	}
	return max(0, s.Charged-max(s.Newest.Total, s.Newest.Captured))
}

// merchandiseShare is by how much a refund lowers the value: by its lines, whatever money moved for them; without lines
// by the merchandise's share of the money, shipping and tax given back on their own left out. Such money gives back the
// overcharge first, and lowers it.
func merchandiseShare(r Refund, moved int64, n *Snapshot, overcharge *int64) int64 {
	if r.ByLines {
		return r.Lines
	}
	amount := max(0, moved-r.Shipping-r.Tax)
	owed := min(amount, *overcharge)
	*overcharge -= owed
	return money.MulDiv(amount-owed, n.Merchandise, n.paid())
}
