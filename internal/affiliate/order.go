package affiliate

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// OrderStatus is what an order is shown as.
type OrderStatus string

const (
	Pending  OrderStatus = "pending"
	Paid     OrderStatus = "paid"
	Canceled OrderStatus = "canceled"
	Refunded OrderStatus = "refunded"
)

// Words lists the statuses there are.
func (OrderStatus) Words() []OrderStatus { return []OrderStatus{Pending, Paid, Canceled, Refunded} }

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
	// Variants are the hashes of all snapshots seen with Newest's version, with when each last came in; more than one
	// is a doubt that only a later version or the store's API can settle.
	Variants variants `json:"variants,omitempty"`
	// VariantRules is the newest version of the rules by which one of them was read; those read by older ones are left
	// out.
	VariantRules int `json:"variant_rules,omitempty"`
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
	// The store was asked for the order and had it, or had it no more: when that was last so, in microseconds UTC of
	// our clock; 0 for never.
	LastFound int64 `json:"last_found,omitempty"`
	LastGone  int64 `json:"last_gone,omitempty"`
	Redacted  bool  `json:"redacted,omitempty"`
	EditedAt  int64 `json:"edited_at,omitempty"` // milliseconds UTC
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

// variants are hashes of snapshots, with when each last came in, in microseconds UTC.
type variants map[string]int64

// UnmarshalJSON also reads the lists of before it counted when they came in.
func (v *variants) UnmarshalJSON(text []byte) error {
	var list []string
	if json.Unmarshal(text, &list) != nil {
		return json.Unmarshal(text, (*map[string]int64)(v))
	}
	*v = variants{}
	for _, hash := range list {
		(*v)[hash] = 0
	}
	return nil
}

// with adds a hash, without touching the given map.
func (v variants) with(hash string, received int64) variants {
	if old, ok := v[hash]; ok && old >= received {
		return v
	}
	merged := make(variants, len(v)+1)
	maps.Copy(merged, v)
	merged[hash] = received
	return merged
}

type knownStatus struct {
	Key    snapshotKey `json:"key"`
	Status StoreStatus `json:"status"`
}

type landing struct {
	Key   snapshotKey    `json:"key"`
	Links []LinkEvidence `json:"links"`
}

// compare puts what a delivery told above what was read later: a store's API may know of another visit than the one
// that the order came by (Shopify's customerJourneySummary).
func (l *landing) compare(o *landing) int {
	return cmp.Or(compareBool(l.Key.Read == 0, o.Key.Read == 0), l.Key.compare(o.Key))
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
//
// What was read from the store's API once its second was over shows all that was stamped in that second: it is newer
// than any delivery of the version, and a later reading newer than an earlier one, for there are changes that stores do
// not stamp (WooCommerce: a deleted refund).
type snapshotKey struct {
	Version   int64  `json:"v"`
	Read      int64  `json:"d,omitempty"`
	Triggered int64  `json:"t,omitempty"`
	Received  int64  `json:"c,omitempty"`
	Rules     int    `json:"u,omitempty"`
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
	return snapshotKey{Version: s.Version, Read: s.Read, Triggered: s.Triggered, Received: s.Received,
		Rules: s.Rules, Refunds: len(s.RefundIDs),
		Paid: s.PaymentDate, Rank: rank, Hash: s.Hash}
}

// final gives when it was read from the store's API, where that was after the second of its version; else 0.
func (k snapshotKey) final() int64 {
	if k.Read < (k.Version+1000)*1000 {
		return 0
	}
	return k.Read
}

// compare leaves when the store triggered the delivery to the end, since not every snapshot knows.
func (k snapshotKey) compare(o snapshotKey) int {
	return cmp.Or(cmp.Compare(k.Version, o.Version), cmp.Compare(k.final(), o.final()),
		cmp.Compare(k.Received, o.Received),
		cmp.Compare(k.Rules, o.Rules), cmp.Compare(k.Refunds, o.Refunds), compareBool(k.Paid, o.Paid),
		cmp.Compare(k.Rank, o.Rank), cmp.Compare(k.Hash, o.Hash), cmp.Compare(k.Triggered, o.Triggered),
		cmp.Compare(k.Read, o.Read))
}

// compareSnapshots orders two snapshots that know when they were triggered, or two that may not. The hash does not
// cover the customer, since a short hash of an address could be tried out; so the customer is a tie-break of its own.
func compareSnapshots(a, b *Snapshot, triggered bool) int {
	x, y := a.key(), b.key()
	first := cmp.Or(cmp.Compare(x.Version, y.Version), cmp.Compare(x.final(), y.final()))
	if triggered && first == 0 {
		first = cmp.Compare(x.Triggered, y.Triggered)
	}
	return cmp.Or(first, x.compare(y), cmp.Compare(a.CustomerHash, b.CustomerHash))
}

// newestOf gives the newest of some snapshots, nil ones left out, and its rival.
func newestOf(list ...*Snapshot) (newest, rival *Snapshot) {
	var version, final int64
	for _, s := range list {
		switch {
		case s == nil || s.Version < version:
		case s.Version > version:
			version, final = s.Version, s.key().final()
		default:
			final = max(final, s.key().final())
		}
	}
	var triggered, plain *Snapshot
	for _, s := range list {
		switch {
		case s == nil || s.Version < version || s.key().final() < final:
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
	case e.Gone:
		s.LastGone = max(s.LastGone, 1, microseconds(e.Received))
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
		r.Received, r.Rules, r.Read = n.Received, n.Rules, n.Read
		s.Refunds = mergeNewest(s.Refunds, r.ID, r, compareRefunds)
		n.RefundIDs = addSorted(n.RefundIDs, r.ID)
	}
	n.Refunds = nil
	s.Charged = max(s.Charged, n.Charged)
	n.Charged = 0
	if n.Read > 0 {
		s.LastFound = max(s.LastFound, n.Received)
	}
	key := n.key()

	known, land, who := s.known(), s.landing(), s.customer()
	if n.understood() && (known == nil || key.compare(known.Key) > 0) {
		known = &knownStatus{Key: key, Status: n.Status}
	}
	if l := (&landing{Key: key, Links: n.Links}); len(n.Links) > 0 && (land == nil || l.compare(land) > 0) {
		land = l
	}
	if c := (&customer{Key: key, Hash: n.CustomerHash}); c.Hash != "" && (who == nil || c.compare(who) > 0) {
		who = c
	}
	switch {
	case s.Newest == nil || n.Version > s.Newest.Version, n.Version == s.Newest.Version && n.Rules > s.VariantRules:
		s.Variants, s.VariantRules = variants{n.Hash: n.Received}, n.Rules
	case n.Version == s.Newest.Version && n.Rules == s.VariantRules:
		s.Variants = s.Variants.with(n.Hash, n.Received)
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

// compareRefunds lets what was read in the store with its rows win over what deliveries of any version guess of it: the
// rows of a refund do not change. Where transactions move its money, deliveries tell the rows, and how far that is.
func compareRefunds(a, b Refund) int {
	return cmp.Or(cmp.Compare(refundRank[a.Status], refundRank[b.Status]), compareBool(a.exact(), b.exact()),
		cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Received, b.Received), cmp.Compare(a.Rules, b.Rules), compareText(a, b))
}

func (r Refund) exact() bool { return r.Read > 0 && !r.Unclear && len(r.Transactions) == 0 }

func compareParts(a, b Part) int {
	return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Read, b.Read), cmp.Compare(a.Received, b.Received),
		cmp.Compare(a.Rules, b.Rules), compareText(a, b))
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
