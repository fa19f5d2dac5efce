package affiliate

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// KeyKind is what a store's API is asked with.
type KeyKind string

const (
	KeyPair   KeyKind = "keys"   // a key and a secret that sign or accompany each request (WooCommerce REST keys)
	KeyToken  KeyKind = "token"  // an access token that does not end (a Shopify custom app's)
	KeyClient KeyKind = "client" // a client id and secret that get short-lived tokens (Shopify Dev Dashboard)
)

// Words lists the kinds there are.
func (KeyKind) Words() []KeyKind { return []KeyKind{KeyPair, KeyToken, KeyClient} }

// StoreKeys are what a store's API is asked with. They are secret: they are kept sealed, and never stand in an address,
// an error or a log.
type StoreKeys struct {
	Kind    KeyKind `json:"kind"`
	Address string  `json:"address"` // of the site whose API it is, without a trailing slash: "https://shop.example/de"
	ID      string  `json:"id,omitempty"`
	// Secret is what belongs to ID. With a token it is the app's secret, which webhooks are signed with.
	Secret string `json:"secret,omitempty"`
	Token  string `json:"token,omitempty"`
}

// Hint is enough of the keys for people to tell which they are, and no more: "…a1b2".
func (k StoreKeys) Hint() string {
	for _, s := range []string{k.ID, k.Token} {
		if len(s) >= 12 {
			return "…" + s[len(s)-4:]
		}
	}
	return ""
}

// StoreFacts is what a store's API says about the store and about our keys.
type StoreFacts struct {
	Name     string
	Domain   string // as Guide.StoreDomain wants it; the permanent one where the platform has one
	Currency money.Currency
	Timezone string   // IANA name
	Missing  []string // what our keys are not allowed to do, as the store's admin calls it: "read_orders"
	// Secret is what the store signs all webhooks of our app with, where we cannot choose one (Shopify); empty
	// otherwise.
	Secret   string
	Warnings []string // sentences that the owner should read, such as that the API's version is no longer served
}

// StoreWebhook is a webhook as a store's API shows it.
type StoreWebhook struct {
	ID      string // the store's own
	Topic   string // as deliveries name it: "orders/create", "order.created"
	Address string // where it sends to
	Broken  string // why it does not send what we need, as a sentence without its full stop; empty while it does
}

// OrderTime is the time by which orders of a window are chosen.
type OrderTime string

const (
	ByUpdate OrderTime = "updated"
	ByPlaced OrderTime = "placed"
)

// OrderWindow chooses the orders of a store whose time is in [From, Until).
type OrderWindow struct {
	By          OrderTime
	From, Until time.Time
}

// StoreOrder is an order as a store's API shows it.
type StoreOrder struct {
	ID      string    // the store's, as a decimal string
	Version int64     // the store's modification time, milliseconds since 1970 UTC, as in Snapshot
	Placed  time.Time // UTC
	// Body is what the platform's Parse reads under TopicOrderRead. It is kept as a delivery is, so it holds personal
	// data as far as a delivery does.
	Body []byte
	// Rough says that StoreClient.OrdersByID would tell more about it: rows of refunds, more decimals.
	Rough bool
}

// OrderDetail is how orders are looked for by their ids.
type OrderDetail struct {
	Rows bool // with the rows of refunds
	// Decimals of the order's currency that amounts are to have at least, where the store would round them; 0: as the
	// store shows them.
	Decimals int
}

// OrderPage is one answer with orders.
type OrderPage struct {
	Orders []StoreOrder
	Next   string // continues after this page, also in another process; empty after the last one
	Gone   []string
	// ReadAt is a time of the store's clock at which the store had not begun to read what it answered, in whole
	// microseconds: the answer's Date less the time that the answer took. What the store stamped a second before it or
	// earlier is therefore in the answer. Zero when the store tells no time.
	ReadAt time.Time
}

// Topics of what was read from a store's API and is kept as a delivery. No store sends them: a receiver takes in none.
const (
	TopicRead      = "api/"
	TopicOrderRead = TopicRead + "order" // an order, as the platform's client gave it
	TopicOrderGone = TopicRead + "gone"  // {"id":"123"}: the store has no such order any more
)

// Export is how far a store has come with writing out many orders at once.
type Export struct {
	Done    bool
	Failed  string // why it ended without all, as a sentence with its remedy; Address may still lead to a part
	Address string // of the file, once it is there
	Objects int64  // that it holds so far
}

// APIUse is how much of what a store allows its apps was used.
type APIUse struct {
	Requests int64
	// Share is the part of what the store restored since the first request that background work has used, 0 to 1. For
	// a store that tells no budget it is the part of the time in which it was busy with our background requests.
	Share     float64
	Throttled int64 // requests that the store put off
}

// AccessRequest asks the owner of a store for keys, which they answer in the store itself.
type AccessRequest struct {
	Address  string // of the site
	State    string // comes back with the answer: random, used once
	Return   string // https page of ours that the owner's browser comes back to
	Callback string // https address of ours that the store sends the keys to
}

type backgroundKey struct{}

// InBackground marks what is asked of a store as work that nobody waits for: it leaves half of the store's API budget
// to others.
func InBackground(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

// InForeground takes InBackground back: somebody waits for it.
func InForeground(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, false)
}

// IsBackground says whether InBackground marked it.
func IsBackground(ctx context.Context) bool {
	marked, _ := ctx.Value(backgroundKey{}).(bool)
	return marked
}

// Codes of the errors that clients of stores give, beside their kind: Unavailable may pass by itself, all others need
// a person. Each message is a sentence with its remedy, for the store's page, and names no key and no whole address.
const (
	StoreUnreachable  = "store_unreachable"  // no connection, or no answer in time
	StoreBusy         = "store_busy"         // it asks us to wait
	StoreDown         = "store_down"         // it answers 5xx
	StoreCertificate  = "store_certificate"  // its certificate is expired or not its own
	StorePrivate      = "store_private"      // its address is not a public one, and not allowed
	StoreRedirect     = "store_redirect"     // it leads to another host
	StoreKeysRefused  = "store_keys_refused" // 401: the keys are not valid
	StoreForbidden    = "store_forbidden"    // the keys may not do this
	StoreFirewall     = "store_firewall"     // something before it turns us away
	StoreAnswer       = "store_answer"       // it answers what its API never answers: HTML, bad JSON, too much
	StoreNoAPI        = "store_no_api"       // there is no such API at this address
	StoreWebhookTaken = "store_webhook_taken"
	StoreNoWebhooks   = "store_no_webhooks" // it answers, but our webhooks cannot be made: it could not reach us
)
