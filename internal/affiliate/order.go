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
// field is a maximum, a union or a set, so that deliveries may repeat and be processed in any order. When a delivery
// came in is part of it. What people see is computed from it by View.
type OrderState struct {
	Newest *Snapshot `json:"newest,omitempty"`
	// Rival is of Newest's version as well. Of two snapshots with one version, the time at which the store triggered
	// them decides where both have it, else the time of receipt; so those with and those without have a newest each.
	Rival *Snapshot `json:"rival,omitempty"`
	// Known is the newest status we understand, kept while it is not Newest's.
	Known *knownStatus `json:"known,omitempty"`
	// Landing is the newest link evidence, kept while it is not Newest's: a later body may lack the landing page.
	Landing *landing `json:"landing,omitempty"`
	// Customer is the newest customer, kept while it is not Newest's: a later body may lack the address, which proves
	// nothing.
	Customer *customer `json:"customer,omitempty"`
	// Variants are the hashes of all snapshots seen with Newest's version; more than one is a doubt that only a later
	// version or the store's API can settle.
	Variants []string `json:"variants,omitempty"`
	// Charged is the most that any snapshot says was captured. What is above Newest's total was charged for units that
	// an edit removed since.
	Charged      int64                  `json:"charged,omitempty"`
	Refunds      map[string]Refund      `json:"refunds,omitempty"`
	Transactions map[string]Transaction `json:"transactions,omitempty"` // refund transactions told on their own
	Disputes     map[string]Dispute     `json:"disputes,omitempty"`
	Parts        map[string]Part        `json:"parts,omitempty"` // orders of their own in the store that are parts of this
	// Deletions and restorations carry no date, so it counts when they came in, in microseconds UTC; 0 for never.
	FirstDeleted int64 `json:"first_deleted,omitempty"`
	LastDeleted  int64 `json:"last_deleted,omitempty"`
	LastRestored int64 `json:"last_restored,omitempty"`
	Redacted     bool  `json:"redacted,omitempty"`
	EditedAt     int64 `json:"edited_at,omitempty"` // milliseconds UTC
}

// UnmarshalJSON also reads the states of before the time of receipt counted: they hold the keys of the deliveries that
// deleted and restored the order, of which the greater number decided, and when the last deletion came in.
func (s *OrderState) UnmarshalJSON(text []byte) error {
	type plain OrderState
	old := struct {
		*plain
		Deletions    []string `json:"deletions"`
		Restorations []string `json:"restorations"`
		DeletedAt    int64    `json:"deleted_at"` // milliseconds UTC
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(text, &old); err != nil {
		return err
	}
	if len(old.Deletions) > 0 {
		at := max(1, old.DeletedAt*1000)
		s.FirstDeleted, s.LastDeleted = at, max(s.LastDeleted, at)
	}
	if len(old.Restorations) >= max(1, len(old.Deletions)) {
		s.LastRestored = max(s.LastRestored, s.LastDeleted+1)
	}
	return nil
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
// with different content are common; then the later receipt decides (on a live WooCommerce the later delivery was the
// later state in 76 of 76 ties, the smallest gap being 108 ms), then more refunds, a payment date, and failed or
// canceled over pending. The hash makes the order total.
type snapshotKey struct {
	Version   int64  `json:"v"`
	Triggered int64  `json:"t,omitempty"`
	Received  int64  `json:"c,omitempty"`
	Refunds   int    `json:"r,omitempty"`
	Paid      bool   `json:"p,omitempty"`
	Rank      int    `json:"k,omitempty"`
	Hash      string `json:"h"`
}

func (s *Snapshot) key() snapshotKey {
	rank := 0
	switch {
	case s.Status == StoreRefunded:
		rank = 2
	case s.Canceled, s.Status == StoreCanceled, s.Status == StoreFailed:
		rank = 1
	}
	return snapshotKey{Version: s.Version, Triggered: s.Triggered, Received: s.Received, Refunds: len(s.RefundIDs),
		Paid: s.PaymentDate, Rank: rank, Hash: s.Hash}
}

// compare leaves when the store triggered the delivery to the end, since not every snapshot knows.
func (k snapshotKey) compare(o snapshotKey) int {
	return cmp.Or(cmp.Compare(k.Version, o.Version), cmp.Compare(k.Received, o.Received),
		cmp.Compare(k.Refunds, o.Refunds), compareBool(k.Paid, o.Paid), cmp.Compare(k.Rank, o.Rank),
		cmp.Compare(k.Hash, o.Hash), cmp.Compare(k.Triggered, o.Triggered))
}

// compareSnapshots orders two snapshots that know when they were triggered, or two that may not. The hash does not
// cover the customer, since a short hash of an address could be tried out; so the customer is a tie-break of its own.
func compareSnapshots(a, b *Snapshot, triggered bool) int {
	x, y := a.key(), b.key()
	first := cmp.Compare(x.Version, y.Version)
	if triggered && first == 0 {
		first = cmp.Compare(x.Triggered, y.Triggered)
	}
	return cmp.Or(first, x.compare(y), cmp.Compare(a.CustomerHash, b.CustomerHash))
}

// newestOf gives the newest of some snapshots, nil ones left out, and its rival.
func newestOf(list ...*Snapshot) (newest, rival *Snapshot) {
	var version int64
	for _, s := range list {
		if s != nil {
			version = max(version, s.Version)
		}
	}
	var triggered, plain *Snapshot
	for _, s := range list {
		switch {
		case s == nil || s.Version < version:
		case s.Triggered > 0 && (triggered == nil || compareSnapshots(s, triggered, true) > 0):
			triggered = s
		case s.Triggered == 0 && (plain == nil || compareSnapshots(s, plain, false) > 0):
			plain = s
		}
	}
	switch {
	case plain == nil:
		return triggered, nil
	case triggered == nil:
		return plain, nil
	case compareSnapshots(triggered, plain, false) > 0:
		return triggered, plain
	}
	return plain, triggered
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

// Merge adds what one event says. s is not changed.
func (s OrderState) Merge(e Event) OrderState {
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
	case e.Part != nil:
		s.Parts = mergeNewest(s.Parts, e.Part.ID, *e.Part, compareParts)
	case e.Deleted:
		at := max(1, microseconds(e.Received))
		if s.FirstDeleted == 0 || at < s.FirstDeleted {
			s.FirstDeleted = at
		}
		s.LastDeleted = max(s.LastDeleted, at)
	case e.Restored:
		s.LastRestored = max(s.LastRestored, 1, microseconds(e.Received))
	case e.Redacted:
		s.Redacted = true
	case !e.Edited.IsZero():
		s.EditedAt = max(s.EditedAt, e.Edited.UnixMilli())
	}
	if s.Redacted {
		s.Customer = nil
		s.Newest, s.Rival = s.Newest.redacted(), s.Rival.redacted()
	}
	return s
}

// redacted leaves the customer out.
func (s *Snapshot) redacted() *Snapshot {
	if s == nil || s.CustomerHash == "" && s.Country == "" {
		return s
	}
	r := *s
	r.CustomerHash, r.Country = "", ""
	return &r
}

func (s OrderState) mergeSnapshot(n Snapshot) OrderState {
	n.RefundIDs = slices.Compact(slices.Sorted(slices.Values(n.RefundIDs)))
	for _, r := range n.Refunds {
		r.Received = n.Received
		s.Refunds = mergeNewest(s.Refunds, r.ID, r, compareRefunds)
		n.RefundIDs = addSorted(n.RefundIDs, r.ID)
	}
	n.Refunds = nil
	s.Charged = max(s.Charged, n.Charged)
	n.Charged = 0
	key := n.key()

	known, land, who := s.known(), s.landing(), s.customer()
	if n.understood() && (known == nil || key.compare(known.Key) > 0) {
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
	s.Newest, s.Rival = newestOf(s.Newest, s.Rival, &n)
	s.Known, s.Landing, s.Customer = known, land, who
	now := s.Newest.key()
	if known != nil && known.Key == now {
		s.Known = nil
	}
	if land != nil && land.Key == now {
		s.Landing = nil
	}
	if who != nil && who.Key == now && who.Hash == s.Newest.CustomerHash {
		s.Customer = nil
	}
	return s
}

// understood says whether the status means something by itself.
func (s *Snapshot) understood() bool { return s.Status != StoreCustom && s.Status != StoreUnknown }

// known, landing and customer give the kept record, which is left out of the state where Newest holds it.
func (s OrderState) known() *knownStatus {
	if s.Known == nil && s.Newest != nil && s.Newest.understood() {
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
		cmp.Compare(a.Received, b.Received), compareText(a, b))
}

func compareParts(a, b Part) int {
	return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Received, b.Received), compareText(a, b))
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
	n := s.Newest
	if n == nil {
		return OrderView{}, false
	}
	v := OrderView{
		Number: n.Number, RawStatus: n.RawStatus, Currency: n.Currency, OriginalValue: n.Merchandise, Total: n.Total,
		Test: n.Test, Renewal: n.Renewal, Parent: n.Parent, Part: rules.part(n.Parent, n.Marketplace),
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
	merchandiseBack, overcharge, unclear := int64(0), s.overcharge(), false
	parts := s.partRefunds(rules)
	for _, r := range s.standingRefunds() {
		moved, pending := s.moved(r, n.Currency)
		v.RefundPending += pending
		if moved == 0 && !s.settled(r) {
			continue
		}
		v.Refunded += moved
		merchandiseBack += merchandiseShare(r, moved, n, &overcharge)
		unclear = unclear || r.Unclear
		// Some marketplace plugins write a part's refund into the parent as well.
		if i := slices.IndexFunc(parts, func(p PartRefund) bool { return p.Amount == moved }); i >= 0 {
			parts = slices.Delete(parts, i, i+1)
		}
	}
	for _, p := range parts {
		v.Refunded += p.Amount
		merchandiseBack += p.Merchandise
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

// paid is all that was to be paid: what the customer was charged, and what came out of stored money.
func (s *Snapshot) paid() int64 { return s.Total + s.Stored }

// part says whether an order with this parent is only a part of it.
func (r OrderRules) part(parent string, marketplace bool) bool {
	return parent != "" && r.Parts != PartsNever && (marketplace || r.Parts == PartsAlways)
}

// partRefunds gives the refunds of the orders that are parts of this one, in the order's currency.
func (s OrderState) partRefunds(rules OrderRules) (list []PartRefund) {
	for _, id := range slices.Sorted(maps.Keys(s.Parts)) {
		p := s.Parts[id]
		if !rules.part("parent", p.Marketplace) {
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
	p := &Part{ID: id, Version: s.Version, Received: s.Received, Marketplace: s.Marketplace, Hash: s.Hash}
	for _, r := range s.Refunds {
		overcharge := int64(0)
		p.Refunds = append(p.Refunds, PartRefund{Currency: r.Currency, Amount: r.Amount,
			Merchandise: merchandiseShare(r, r.Amount, s, &overcharge)})
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

// Doubts lists all doubts there may be.
func Doubts() []Doubt {
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
	if len(s.Variants) > 1 {
		list = append(list, DoubtSameSecond)
	}
	if unclear {
		list = append(list, DoubtRefund)
	}
	if n.Rounded {
		list = append(list, DoubtRounded)
	}
	if s.FirstDeleted > 0 && !s.deleted() && s.LastDeleted > s.LastRestored && !s.shownSince(s.LastDeleted) {
		list = append(list, DoubtDeletion)
	}
	if s.EditedAt > n.Version {
		list = append(list, DoubtEdited)
	}
	return list
}

// status applies the precedence: money first, then what the store says of the order.
func (s OrderState) status(refunded int64, rules OrderRules) OrderStatus {
	n := s.Newest
	says, _ := s.Says(rules)
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

// Says gives what the store's status means, and why where it is not plain. For one that a plugin set it is what the
// store's owner decided; else an order that was canceled or refunded before stays so, and otherwise the payment date
// decides. A failed order may be paid later: a payment date that it did not have then says so.
func (s OrderState) Says(rules OrderRules) (status StoreStatus, why string) {
	n, known := s.Newest, s.known()
	if n.understood() {
		return n.Status, ""
	}
	if n.Status == StoreUnknown {
		if known != nil {
			return known.Status, "as before it said something that is no status"
		}
		return StorePending, "because it is no status"
	}
	if meaning, ok := rules.Statuses[n.RawStatus]; ok {
		return meaning, "as was decided for this store"
	}
	if known != nil {
		switch known.Status {
		case StoreCanceled, StoreRefunded:
			return known.Status, "because it was so before"
		case StoreFailed:
			if known.Key.Paid || !n.PaymentDate {
				return known.Status, "because its payment had failed before"
			}
		}
	}
	if n.PaymentDate {
		return StorePaid, "because it has a payment date"
	}
	return StorePending, "because it has no payment date"
}

// deleted says whether the order is in the trash, or gone. Deletions are compared with restorations by when they came
// in, and several webhooks may tell the same one. But a deletion is an id without a date, and its signature stays good
// for ever: once the order is known to be back, another one may be a late copy of the first, or somebody's replay, and
// only the store can tell.
func (s OrderState) deleted() bool {
	return s.FirstDeleted > 0 && s.LastRestored <= s.FirstDeleted && !s.shownSince(s.FirstDeleted)
}

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
