package affiliate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Parsed is what an integration makes of one delivery's body: events on orders, or the reason why there are none.
type Parsed struct {
	Events []Event
	// Fetch is the store's id of an order that the delivery names without showing it: it must be read from the store.
	// Empty for most; then all the other fields stand for themselves.
	Fetch string
	// Ignored says why a well-formed delivery changes nothing ("topic product.updated is not used"); empty otherwise.
	Ignored string
	// Store is set when the delivery is about the store itself.
	Store StoreEvent
	// Shop is the permanent domain that a body names as its own shop's, in lower case; empty where none does.
	Shop string
	// Warning is shown to the owner beside a processed delivery, such as a custom order status we do not know.
	Warning string
}

// StoreEvent is what a delivery says about the store as a whole.
type StoreEvent string

const (
	StoreUninstalled StoreEvent = "uninstalled" // the app was removed; deliveries will stop
	StoreRedact      StoreEvent = "redact"      // erase the personal data of the whole store
	DataRequest      StoreEvent = "data_request"
)

// Event is one thing a delivery says about one order. Exactly one of the pointers or flags is set.
type Event struct {
	OrderID     string // the store's id of the order, as a decimal string (ids exceed 2^53)
	Snapshot    *Snapshot
	Refund      *Refund
	Transaction *Transaction
	Dispute     *Dispute
	Part        *Part // of this order; an order of its own in the store
	Deleted     bool
	Restored    bool
	Gone        bool // the store was asked and has no such order any more
	Redacted    bool
	// Received is when the delivery came in: the store does not tell when it deleted or restored an order.
	Received time.Time
	// Edited is when the store says the order was edited without saying what it looks like now (Shopify orders/edited).
	Edited time.Time
}

// StoreStatus is what the status of a snapshot means for money, in the store's own words' place.
type StoreStatus string

const (
	StorePending  StoreStatus = "pending"  // awaiting payment, on hold, authorized, partly paid
	StorePaid     StoreStatus = "paid"     // money captured and still there, partly refunded included
	StoreRefunded StoreStatus = "refunded" // the store itself says that all went back
	StoreFailed   StoreStatus = "failed"   // declined; may be paid later
	StoreCanceled StoreStatus = "canceled" // canceled, voided, expired, trashed
	StoreCustom   StoreStatus = "custom"   // a status set by a plugin: the store's owner says what it means
	StoreUnknown  StoreStatus = "unknown"  // a word of the platform's own that is newer than this version
)

// Snapshot is a full order as of the store's own modification time. Amounts are minor units of Currency.
type Snapshot struct {
	Version int64 `json:"v"` // the store's updated_at, milliseconds since 1970 UTC
	// Triggered is when the store says that it triggered the delivery, and Received when the delivery came in, both in
	// microseconds since 1970 UTC; 0 when not known. They tell which of two snapshots with one version is the later
	// one.
	Triggered int64 `json:"triggered,omitempty"`
	Rules     int   `json:"rules,omitempty"` // SnapshotRules by which it was read
	Received  int64 `json:"received,omitempty"`
	// Read is set when it was read from the store's API: a time of the store's clock, in microseconds since 1970 UTC,
	// at which the store had not begun to read it. See OrderPage.ReadAt.
	Read        int64          `json:"read,omitempty"`
	Number      string         `json:"number"`
	PlacedAt    time.Time      `json:"placed_at"`
	Currency    money.Currency `json:"currency"`
	Status      StoreStatus    `json:"status"`
	RawStatus   string         `json:"raw_status"`         // the store's word, for people
	Canceled    bool           `json:"canceled,omitempty"` // canceled beside whatever the money says (Shopify cancelled_at)
	PaymentDate bool           `json:"paid,omitempty"`     // the store shows that money was captured at some time
	Captured    int64          `json:"captured"`           // what was captured, as far as the body tells; 0 when never paid
	Total       int64          `json:"total"`              // what the customer is charged: tax and shipping in, removed units out
	Merchandise int64          `json:"merchandise"`        // original value: lines after discounts, without tax, shipping, tips, gift cards
	Stored      int64          `json:"stored,omitempty"`   // paid beside Total with stored money: a wallet, store credit, gift cards
	Test        bool           `json:"test,omitempty"`
	Renewal     bool           `json:"renewal,omitempty"` // of a subscription; its link evidence was copied from the first order
	// Parent is the order that this one belongs to, "" for most. Marketplace says that a marketplace plugin split it
	// off.
	Parent      string `json:"parent,omitempty"`
	Marketplace bool   `json:"marketplace,omitempty"`
	// Kept are goods that came back while the store kept their money, and that were exchanged for others as far as one
	// body can tell; they are in none of the amounts above. Nil for most.
	Kept *KeptGoods `json:"kept,omitempty"`
	// Rounded says that the body shows fewer decimals than the currency has: the store rounded its amounts.
	Rounded bool           `json:"rounded,omitempty"`
	Codes   []string       `json:"codes,omitempty"` // coupon codes proven by the body, in the store's order, HTML-unescaped
	Links   []LinkEvidence `json:"links,omitempty"` // link evidence, strongest first
	Country string         `json:"country,omitempty"`
	// CustomerEmail is never stored: the receiver turns it into CustomerHash and clears it.
	CustomerEmail string `json:"-"`
	CustomerHash  string `json:"customer,omitempty"`
	// Ahead is set when the store stamped it later than it came in: its clock, or ours, cannot be trusted.
	Ahead bool `json:"ahead,omitempty"`
	// Charged is what was captured where a later edit may take it out of Captured again without a refund of its own
	// (Shopify); 0 where refunds are told against the total as it stands (WooCommerce).
	Charged int64 `json:"-"`
	// Refunds are those the body lists. RefundsComplete says that a refund missing from the list does not exist (any
	// more): WooCommerce lists all, and a deleted one vanishes from it.
	Refunds         []Refund `json:"-"`
	RefundIDs       []string `json:"refund_ids,omitempty"`
	RefundsComplete bool     `json:"refunds_complete,omitempty"`
	Hash            string   `json:"hash"` // of all the above but the customer; a tie-break, so that equal versions end alike
}

// HashOf gives the hash of a snapshot with its refunds. It is over what they mean and not over the body: bodies of one
// state differ in what is not read, and in the order of WooCommerce's meta fields and of refunds made within one
// second. The customer's address is no part of it, so that it tells nothing about a person.
func HashOf(meaning any) string {
	text, err := json.Marshal(meaning)
	if err != nil {
		return "" // unreachable: there are only texts, numbers and times of years 0 to 9999 in it
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// KeptGoods are goods that came back without their money. Amounts are minor units of the order's currency.
type KeptGoods struct {
	Merchandise int64 `json:"merchandise"`
	Total       int64 `json:"total"` // with tax
}

// SnapshotRules is the version of the rules by which bodies are read. It is to be raised when they come to read another
// meaning out of the same body: a delivery that is replayed then stands for itself, and not beside its former meaning.
const SnapshotRules = 1

// Came notes when the body came in, when the store says that it triggered the delivery, and when it was read from the
// store; each zero where it is not so.
func (s *Snapshot) Came(received, triggered, read time.Time) {
	s.Ahead = s.Version > received.Add(stampSkew).UnixMilli()
	s.Rules = SnapshotRules
	s.Received, s.Triggered, s.Read = microseconds(received), microseconds(triggered), microseconds(read)
}

// Came is as that of the snapshot that the part was made from.
func (p *Part) Came(received, read time.Time) {
	p.Received, p.Read, p.Rules = microseconds(received), microseconds(read), SnapshotRules
}

func microseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// stampSkew is how far the clocks of a store and ours may be apart.
const stampSkew = 10 * time.Minute

// LinkEvidence is one trace of a link of ours on an order.
type LinkEvidence struct {
	Kind  LinkEvidenceKind `json:"kind"`
	Value string           `json:"value"` // click id or slug, lower case
	// where it stood: "landing_site", "landing_site_ref", "note_attributes", "session_entry", "utm_content"
	Source string    `json:"source"`
	At     time.Time `json:"at,omitzero"`
}

// LinkEvidenceKind sorts link evidence by its strength.
type LinkEvidenceKind string

const (
	EvidenceClick LinkEvidenceKind = "click" // our own click id
	EvidenceSlug  LinkEvidenceKind = "slug"  // a slug where a link of ours puts it
	EvidenceUTM   LinkEvidenceKind = "utm"   // a UTM value; counts only if it names a link
)

// RefundStatus says whether a refund's money has moved.
type RefundStatus string

const (
	RefundPending RefundStatus = "pending"
	RefundFailed  RefundStatus = "failed"
	RefundSettled RefundStatus = "settled"
	RefundNoMoney RefundStatus = "no_money" // has no transaction at all: restocking only
)

// Refund is one refund of an order, amounts positive.
type Refund struct {
	ID       string         `json:"id"`
	Version  int64          `json:"v"`                  // milliseconds UTC of the body that showed it
	Received int64          `json:"received,omitempty"` // microseconds UTC, when that body came in
	Rules    int            `json:"rules,omitempty"`    // SnapshotRules by which it was read
	Read     int64          `json:"read,omitempty"`     // of the snapshot that showed it
	At       time.Time      `json:"at,omitzero"`
	Status   RefundStatus   `json:"status"`
	Currency money.Currency `json:"currency"`
	Amount   int64          `json:"amount"`             // all that goes back, tax and shipping included
	ByLines  bool           `json:"by_lines,omitempty"` // made by order lines; then value falls by Lines, whatever money moved
	Lines    int64          `json:"lines,omitempty"`    // merchandise of its lines, without tax and gift cards
	Unclear  bool           `json:"unclear,omitempty"`  // the store does not tell which rows it is for: the value is a guess
	Shipping int64          `json:"shipping,omitempty"` // shipping in Amount, its tax included
	Tax      int64          `json:"tax,omitempty"`      // tax given back on its own (not that of lines or shipping)
	// Transactions move the money. Where their currency is the refund's, their amounts say how much of it has moved;
	// otherwise (a customer paid in another currency) one success settles the refund.
	Transactions []Transaction `json:"transactions,omitempty"`
}

// Part is an order that a marketplace plugin split off its parent, as the parent keeps it: only its refunds matter
// there. The newest snapshot of the part decides.
type Part struct {
	ID          string       `json:"id"`
	Version     int64        `json:"v"`
	Received    int64        `json:"received,omitempty"`
	Read        int64        `json:"read,omitempty"` // of the snapshot that it was made from
	Rules       int          `json:"rules,omitempty"`
	Marketplace bool         `json:"marketplace,omitempty"`
	Refunds     []PartRefund `json:"refunds,omitempty"`
	Hash        string       `json:"hash"`
}

// PartRefund is one refund of a part: what went back, and by how much it lowers the merchandise. Minor units of the
// part's currency.
type PartRefund struct {
	Currency    money.Currency `json:"currency"`
	Amount      int64          `json:"amount"`
	Merchandise int64          `json:"merchandise"`
	Unclear     bool           `json:"unclear,omitempty"` // the store does not tell which rows it is for
}

// Transaction is one movement of money, such as Shopify's order_transactions/create tells it.
type Transaction struct {
	ID       string         `json:"id"`
	Refund   bool           `json:"refund,omitempty"` // kind is refund
	Status   RefundStatus   `json:"status"`
	Amount   int64          `json:"amount"`
	Currency money.Currency `json:"currency,omitempty"`
	Version  int64          `json:"v,omitempty"`
}

// Dispute is a chargeback. Only a lost one takes money.
type Dispute struct {
	ID       string         `json:"id"`
	Status   DisputeStatus  `json:"status"`
	Amount   int64          `json:"amount"`
	Currency money.Currency `json:"currency"`
	Version  int64          `json:"v,omitempty"`
}

// DisputeStatus is how far a dispute has come.
type DisputeStatus string

const (
	DisputeOpen DisputeStatus = "open"
	DisputeWon  DisputeStatus = "won"
	DisputeLost DisputeStatus = "lost"
)
