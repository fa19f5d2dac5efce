package fakestore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/integrations/signature"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// WooQuirks are what is special about a WooCommerce store's server.
type WooQuirks struct {
	PlainPermalinks    bool // /wp-json is not there: the API is asked by ?rest_route=
	DropsAuthorization bool // a proxy takes the header Authorization away
	SeesHTTP           bool // PHP does not know that the request came by https
	Posts              bool // orders are posts still, which are sorted by the store's own time
	Decimals           int  // that amounts are shown with; 0: those of the currency, -1: none
	// AnyCallback lets /wc-auth send keys to plain http too, as no real store does.
	AnyCallback bool
}

// woo is WooCommerce 11 in front of a shop: what it answers is that of the recordings.
type woo struct {
	*Shop
	keyring []wooKey
	nonces  map[string]bool
}

type wooKey struct {
	id, secret  string
	permissions string // read, write or read_write
}

// WooCommerce makes a WooCommerce store without orders and webhooks.
func WooCommerce(o Options) *Shop {
	s := newShop(o)
	w := &woo{Shop: s, nonces: map[string]bool{}}
	s.face, s.last = w, 10
	w.makeKey("read_write")
	return s
}

func (w *woo) makeKey(permissions string) wooKey {
	k := wooKey{"ck_" + w.token(40, hexDigits), "cs_" + w.token(40, hexDigits), permissions}
	w.keyring = append(w.keyring, k)
	return k
}

func (w *woo) keys(base string) affiliate.StoreKeys { return w.keyring[0].at(base) }

func (k wooKey) at(base string) affiliate.StoreKeys {
	return affiliate.StoreKeys{Kind: affiliate.KeyPair, Address: base, ID: k.id, Secret: k.secret}
}

// WooKeys makes further keys of a WooCommerce store, which may "read", "write" or "read_write".
func (s *Shop) WooKeys(base, permissions string) affiliate.StoreKeys {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.face.(*woo).makeKey(permissions).at(base)
}

// RevokeWooKeys takes all keys of a WooCommerce store away, as its owner would.
func (s *Shop) RevokeWooKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.face.(*woo).keyring = nil
}

// wooStatus is the word for how an order stands.
func (o *order) wooStatus() string {
	switch {
	case o.trashed:
		return "trash"
	case o.unlisted:
		return "shipped"
	case o.Draft:
		return "checkout-draft"
	case o.status == paid:
		return "processing"
	case o.status == canceled:
		return "cancelled"
	case o.status == refunded:
		return "refunded"
	}
	return "pending"
}

// tell queues the webhooks of a change. A new order is created and updated; deleting one for good and deleting a refund
// tell nothing.
func (w *woo) tell(o *order, c change) {
	switch c.what {
	case placedOrder:
		w.queueOrder("order.created", o)
		w.queueOrder("order.updated", o)
	case trashedOrder:
		w.queueOrder("order.deleted", o)
	case restoredOrder:
		w.queueOrder("order.restored", o)
		w.queueOrder("order.updated", o)
	case paidOrder, refundedOrder, canceledOrder, editedOrder:
		w.queueOrder("order.updated", o)
	}
}

// queueOrder queues a topic about an order, unless one and the same waits already
// (includes/class-wc-webhook.php is_already_processed).
func (w *woo) queueOrder(topic string, o *order) {
	waits := func(d *delivery) bool { return d.topic == topic && d.order == o.id && d.attempts == 0 }
	if slices.ContainsFunc(w.queue, waits) {
		return
	}
	id := o.id
	w.send(topic, id, func(hook *webhook) (http.Header, []byte) { return w.request(hook, id) })
}

// request makes up a delivery as of now, not as of the event.
func (w *woo) request(hook *webhook, id int64) (http.Header, []byte) {
	var body []byte
	switch o := w.orders[id]; {
	case hook.topic == "order.deleted":
		body = fmt.Appendf(nil, `{"id":%d}`, id)
	case o == nil:
		body = wooError("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", http.StatusNotFound)
	default:
		body = php(w.order(o, w.decimals()))
	}
	at := w.now().Unix()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s%d.%d", w.Domain, hook.id, at))
	header := http.Header{
		"User-Agent":               {"WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)"},
		"Content-Type":             {"application/json"},
		"X-Wc-Webhook-Source":      {"https://" + w.Domain + "/"},
		"X-Wc-Webhook-Topic":       {hook.topic},
		"X-Wc-Webhook-Resource":    {"order"},
		"X-Wc-Webhook-Event":       {hook.topic[len("order."):]},
		"X-Wc-Webhook-Signature":   {signature.Sign([]byte(hook.secret), body)},
		"X-Wc-Webhook-Id":          {strconv.FormatInt(hook.id, 10)},
		"X-Wc-Webhook-Delivery-Id": {hex.EncodeToString(sum[:16])},
	}
	return header, body
}

const pingTopic = "ping"

// ping queues the unsigned request that tries a webhook's address.
func (w *woo) ping(hook *webhook) {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"},
		"User-Agent": {"WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)"}}
	w.queue = append(w.queue, &delivery{webhook: hook, topic: pingTopic,
		request: func() (http.Header, []byte) { return header, fmt.Appendf(nil, "webhook_id=%d", hook.id) }})
}

// answered counts failures in a row: the seventh switches the webhook off (includes/class-wc-webhook.php
// failed_delivery). Nothing is sent again.
func (w *woo) answered(d *delivery, status int) (taken, again bool) {
	if d.topic == pingTopic {
		return status == http.StatusOK, false
	}
	if taken = status >= 200 && status <= 302; taken {
		d.webhook.failures = 0
		return true, false
	}
	if d.webhook.failures > 5 {
		d.webhook.status = disabled
	} else {
		d.webhook.failures++
	}
	return false, false
}

// busy is what hosts and firewalls answer: WooCommerce itself has no limit.
func (w *woo) busy(rw http.ResponseWriter) {
	rw.Header().Set("Retry-After", "2")
	writePage(rw, http.StatusTooManyRequests)
}

// decimals is how many decimals amounts are shown with.
func (w *woo) decimals() int {
	switch d := w.Woo.Decimals; {
	case d < 0:
		return 0
	case d > 0:
		return d
	}
	return w.Currency.Digits()
}

const wooTime = "2006-01-02T15:04:05"

// local and gmt write a time, null where there is none.
func (w *woo) local(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.In(w.zone).Format(wooTime)
}

func gmt(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(wooTime)
}
