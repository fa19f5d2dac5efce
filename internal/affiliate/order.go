package affiliate

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// OrderStatus is what an order is shown as.
type OrderStatus string

const (
	Pending  OrderStatus = "pending"
	Paid     OrderStatus = "paid"
	Canceled OrderStatus = "canceled"
	Refunded OrderStatus = "refunded"
)

// OrderState is all that the deliveries of one order have said, merged. Merging is commutative and idempotent: every
// field is a maximum, a union or a set, so that deliveries may repeat and arrive in any order. What people see is
// computed from it by View.
type OrderState struct {
	Newest *Snapshot `json:"newest,omitempty"`
	// Known is the newest status we understand, kept while Newest has a custom one.
	Known *knownStatus `json:"known,omitempty"`
	// Landing is the newest link evidence, kept while Newest has none: a later body may lack the landing page.
	Landing *landing `json:"landing,omitempty"`
	// Customer is the newest customer, kept while Newest has none: a later body may lack the address, which proves
	// nothing.
	Customer *customer `json:"customer,omitempty"`
	// Variants are the hashes of all snapshots seen with Newest's version; more than one is a doubt that only the
	// store's API can settle.
	Variants []string `json:"variants,omitempty"`
	// Charged is the most that any snapshot says was captured. What is above Newest's total was charged for units that
	// an edit removed since.
	Charged      int64                  `json:"charged,omitempty"`
	Refunds      map[string]Refund      `json:"refunds,omitempty"`
	Transactions map[string]Transaction `json:"transactions,omitempty"` // refund transactions told on their own
	Disputes     map[string]Dispute     `json:"disputes,omitempty"`
	// Deletions and Restorations are the keys of the deliveries that said so. Deletions carry no version: an order is
	// deleted while it was deleted more often than restored, and no body shows it alive since.
	Deletions    []string `json:"deletions,omitempty"`
	Restorations []string `json:"restorations,omitempty"`
	DeletedAt    int64    `json:"deleted_at,omitempty"` // when the last deletion came in, milliseconds UTC
	Redacted     bool     `json:"redacted,omitempty"`
	EditedAt     int64    `json:"edited_at,omitempty"` // milliseconds UTC
}

type knownStatus struct {
	Key    snapshotKey `json:"key"`
	Status StoreStatus `json:"status"`
}

type landing struct {
	Key   snapshotKey    `json:"key"`
	Links []LinkEvidence `json:"links"`
}

type customer struct {
	Key  snapshotKey `json:"key"`
	Hash string      `json:"hash"`
}

func (c *customer) compare(o *customer) int {
	return cmp.Or(c.Key.compare(o.Key), cmp.Compare(c.Hash, o.Hash))
}

// snapshotKey puts the snapshots of an order in one total order. Both stores stamp whole seconds, so equal versions
// with different content are common; then more refunds, a payment date, and failed or canceled over pending say which
// came later. The hash makes the order total.
type snapshotKey struct {
	Version int64  `json:"v"`
	Refunds int    `json:"r,omitempty"`
	Paid    bool   `json:"p,omitempty"`
	Rank    int    `json:"k,omitempty"`
	Hash    string `json:"h"`
}

func (s *Snapshot) key() snapshotKey {
	rank := 0
	switch {
	case s.Status == StoreRefunded:
		rank = 2
	case s.Canceled, s.Status == StoreCanceled, s.Status == StoreFailed:
		rank = 1
	}
	return snapshotKey{Version: s.Version, Refunds: len(s.RefundIDs), Paid: s.PaymentDate, Rank: rank, Hash: s.Hash}
}

func (k snapshotKey) compare(o snapshotKey) int {
	return cmp.Or(cmp.Compare(k.Version, o.Version), cmp.Compare(k.Refunds, o.Refunds), compareBool(k.Paid, o.Paid),
		cmp.Compare(k.Rank, o.Rank), cmp.Compare(k.Hash, o.Hash))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Merge adds what one event says. key names the delivery the event came in. s is not changed.
func (s OrderState) Merge(e Event, key string) OrderState {
	switch {
	case e.Snapshot != nil:
		s = s.mergeSnapshot(*e.Snapshot)
	case e.Refund != nil:
		s.Refunds = mergeNewest(s.Refunds, e.Refund.ID, *e.Refund, compareRefunds)
	case e.Transaction != nil:
		if e.Transaction.Refund {
			s.Transactions = mergeNewest(s.Transactions, e.Transaction.ID, *e.Transaction, compareTransactions)
		}
	case e.Dispute != nil:
		s.Disputes = mergeNewest(s.Disputes, e.Dispute.ID, *e.Dispute, compareDisputes)
	case e.Deleted:
		s.Deletions = addSorted(s.Deletions, key)
		if !e.DeletedAt.IsZero() {
			s.DeletedAt = max(s.DeletedAt, e.DeletedAt.UnixMilli())
		}
	case e.Restored:
		s.Restorations = addSorted(s.Restorations, key)
	case e.Redacted:
		s.Redacted = true
	case !e.Edited.IsZero():
		s.EditedAt = max(s.EditedAt, e.Edited.UnixMilli())
	}
	if s.Redacted {
		s.Customer = nil
		if n := s.Newest; n != nil && (n.CustomerHash != "" || n.Country != "") {
			redacted := *n
			redacted.CustomerHash, redacted.Country = "", ""
			s.Newest = &redacted
		}
	}
	return s
}

func (s OrderState) mergeSnapshot(n Snapshot) OrderState {
	n.RefundIDs = slices.Compact(slices.Sorted(slices.Values(n.RefundIDs)))
	for _, r := range n.Refunds {
		s.Refunds = mergeNewest(s.Refunds, r.ID, r, compareRefunds)
		n.RefundIDs = addSorted(n.RefundIDs, r.ID)
	}
	n.Refunds = nil
	s.Charged = max(s.Charged, n.Charged)
	n.Charged = 0
	key := n.key()

	known, land, who := s.known(), s.landing(), s.customer()
	if n.Status != StoreCustom && (known == nil || key.compare(known.Key) > 0) {
		known = &knownStatus{Key: key, Status: n.Status}
	}
	if len(n.Links) > 0 && (land == nil || key.compare(land.Key) > 0) {
		land = &landing{Key: key, Links: n.Links}
	}
	if c := (&customer{Key: key, Hash: n.CustomerHash}); c.Hash != "" && (who == nil || c.compare(who) > 0) {
		who = c
	}
	switch {
	case s.Newest == nil || n.Version > s.Newest.Version:
		s.Variants = []string{n.Hash}
	case n.Version == s.Newest.Version:
		s.Variants = addSorted(s.Variants, n.Hash)
	}
	// The hash does not cover the customer, since a short hash of an address could be tried out; so the customer is a
	// tie-break of its own.
	if s.Newest == nil || cmp.Or(key.compare(s.Newest.key()), cmp.Compare(n.CustomerHash, s.Newest.CustomerHash)) > 0 {
		s.Newest = &n
	}
	s.Known, s.Landing, s.Customer = nil, nil, nil
	if s.Newest.Status == StoreCustom {
		s.Known = known
	}
	if len(s.Newest.Links) == 0 {
		s.Landing = land
	}
	if s.Newest.CustomerHash == "" {
		s.Customer = who
	}
	return s
}

// known, landing and customer give the kept record, which is left out of the state while Newest says the same.
func (s OrderState) known() *knownStatus {
	if s.Known == nil && s.Newest != nil && s.Newest.Status != StoreCustom {
		return &knownStatus{Key: s.Newest.key(), Status: s.Newest.Status}
	}
	return s.Known
}

func (s OrderState) landing() *landing {
	if s.Landing == nil && s.Newest != nil && len(s.Newest.Links) > 0 {
		return &landing{Key: s.Newest.key(), Links: s.Newest.Links}
	}
	return s.Landing
}

func (s OrderState) customer() *customer {
	if s.Customer == nil && s.Newest != nil && s.Newest.CustomerHash != "" {
		return &customer{Key: s.Newest.key(), Hash: s.Newest.CustomerHash}
	}
	return s.Customer
}

// mergeNewest keeps the greater of two records with one id, without touching the given map.
func mergeNewest[T any](m map[string]T, id string, v T, compare func(a, b T) int) map[string]T {
	if old, ok := m[id]; ok && compare(v, old) <= 0 {
		return m
	}
	merged := make(map[string]T, len(m)+1)
	maps.Copy(merged, m)
	merged[id] = v
	return merged
}

func addSorted(list []string, s string) []string {
	i, found := slices.BinarySearch(list, s)
	if found {
		return list
	}
	return slices.Insert(slices.Clip(list), i, s)
}

var refundRank = map[RefundStatus]int{RefundNoMoney: 0, RefundPending: 1, RefundFailed: 2, RefundSettled: 3}

func compareRefunds(a, b Refund) int {
	return cmp.Or(cmp.Compare(refundRank[a.Status], refundRank[b.Status]), cmp.Compare(a.Version, b.Version),
		compareText(a, b))
}

func compareTransactions(a, b Transaction) int {
	return cmp.Or(cmp.Compare(refundRank[a.Status], refundRank[b.Status]), cmp.Compare(a.Version, b.Version),
		compareText(a, b))
}

var disputeRank = map[DisputeStatus]int{DisputeOpen: 0, DisputeWon: 1, DisputeLost: 2}

// compareDisputes lets the later word win between the ends of a dispute (a lost one may be won on appeal), and any end
// win over an open dispute.
func compareDisputes(a, b Dispute) int {
	return cmp.Or(compareBool(a.Status != DisputeOpen, b.Status != DisputeOpen), cmp.Compare(a.Version, b.Version),
		cmp.Compare(disputeRank[a.Status], disputeRank[b.Status]), compareText(a, b))
}

// compareText is the last tie-break: any fixed order will do, as long as it does not depend on which came first.
func compareText(a, b any) int {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return cmp.Compare(string(x), string(y))
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
	PlacedAt      time.Time // the store's creation time, UTC
	UpdatedAt     time.Time // the store's modification time, UTC
	Codes         []string
	Links         []LinkEvidence
	CustomerHash  string
	Country       string
	Redacted      bool // the customer was erased: that nobody is there proves nothing
	CustomStatus  bool // the store's word is none we know; the last known answer stands
	NeedsReread   bool // only the store's API can tell what the order looks like now
}

// View computes what people see. It is false while no delivery has described the order: refunds may come first.
func (s OrderState) View() (OrderView, bool) {
	n := s.Newest
	if n == nil {
		return OrderView{}, false
	}
	v := OrderView{
		Number: n.Number, RawStatus: n.RawStatus, Currency: n.Currency, OriginalValue: n.Merchandise, Total: n.Total,
		Test: n.Test, PlacedAt: n.PlacedAt.UTC(), UpdatedAt: time.UnixMilli(n.Version).UTC(), Codes: n.Codes,
		Country:      n.Country,
		CustomStatus: n.Status == StoreCustom, Redacted: s.Redacted,
		NeedsReread: len(s.Variants) > 1 || s.EditedAt > n.Version,
	}
	if l := s.landing(); l != nil {
		v.Links = l.Links
	}
	if c := s.customer(); c != nil {
		v.CustomerHash = c.Hash
	}
	merchandiseBack, overcharge := int64(0), s.overcharge()
	for _, r := range s.standingRefunds() {
		moved, pending := s.moved(r, n.Currency)
		v.RefundPending += pending
		if moved == 0 && !s.settled(r) {
			continue
		}
		v.Refunded += moved
		merchandiseBack += merchandiseShare(r, moved, n, &overcharge)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Disputes)) {
		d := s.Disputes[id]
		if d.Status != DisputeLost {
			continue
		}
		amount := d.Amount
		if d.Currency != n.Currency {
			// told in the customer's currency: chargebacks take all that is left
			amount = max(0, n.Total+s.overcharge()-v.Refunded)
		}
		v.Refunded += amount
		merchandiseBack += money.MulDiv(amount, n.Merchandise, n.Total)
	}
	v.Status = s.status(v.Refunded)
	if v.Status != Refunded && v.Status != Canceled {
		v.Value = max(0, n.Merchandise-merchandiseBack)
	}
	return v, true
}

// status applies the precedence: money first, then what the store says of the order.
func (s OrderState) status(refunded int64) OrderStatus {
	n := s.Newest
	says, captured := StorePending, n.Captured+s.overcharge()
	if k := s.known(); k != nil {
		says = k.Status
	}
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

// deleted says whether the order is in the trash, or gone. That it was restored may never have been told, or been told
// once of two deletions; but a body that the store stamped after the last deletion came in, and that is not of the
// trash, proves it.
func (s OrderState) deleted() bool {
	if len(s.Deletions) <= len(s.Restorations) {
		return false
	}
	after := time.UnixMilli(s.DeletedAt).Add(stampSkew).UnixMilli()
	return s.DeletedAt == 0 || s.Newest.Ahead || s.Newest.Version <= after
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
	return money.MulDiv(amount-owed, n.Merchandise, n.Total)
}
