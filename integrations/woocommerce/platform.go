package woocommerce

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/signature"
)

// Header names in the form in which net/http keeps them. On the wire WooCommerce writes X-WC-Webhook-…, but the casing
// depends on the transport of the store's PHP.
const (
	headerSignature  = "X-Wc-Webhook-Signature"
	headerTopic      = "X-Wc-Webhook-Topic"
	headerDeliveryID = "X-Wc-Webhook-Delivery-Id"
	headerPrefix     = "X-Wc-"
)

// topicPing is our name for the request that carries no topic: the ping of a new webhook.
const topicPing = "ping"

// Platform reads the deliveries of WooCommerce stores. It has no state.
type Platform struct{}

// Verify says whether one of the secrets signed this body (includes/class-wc-webhook.php generate_signature), as it was
// entered or as WordPress decodes it.
func (Platform) Verify(secrets [][]byte, h http.Header, body []byte) bool {
	values := h[headerSignature]
	if len(values) != 1 {
		return false
	}
	tried := slices.Clone(secrets)
	for _, secret := range secrets {
		if decoded := decodeSpecialChars(secret); decoded != nil {
			tried = append(tried, decoded)
		}
	}
	return signature.Verify(tried, body, values[0])
}

// Sign gives the signature header that WooCommerce sends for body. It serves tests, the demo and the load generator.
func Sign(secret, body []byte) string { return signature.Sign(secret, body) }

// decodeSpecialChars gives the secret as WooCommerce uses it: passed through wp_specialchars_decode(ENT_QUOTES), which
// decodes the entities of & < > " ' and no others, once. It is nil when the secret contains none.
func decodeSpecialChars(secret []byte) []byte {
	if bytes.IndexByte(secret, '&') < 0 {
		return nil
	}
	var out []byte
	copied := 0
	for i := 0; i < len(secret); {
		char, length := specialChar(secret[i:])
		if length == 0 {
			i++
			continue
		}
		out = append(append(out, secret[copied:i]...), char)
		i += length
		copied = i
	}
	if copied == 0 {
		return nil
	}
	return append(out, secret[copied:]...)
}

// specialChar reads the entity that s begins with; length is 0 when there is none. The accepted forms are those of
// wp_specialchars_decode: hexadecimal ones exist for the quotes and the ampersand only.
func specialChar(s []byte) (char byte, length int) {
	if s[0] != '&' {
		return 0, 0
	}
	end := bytes.IndexByte(s, ';')
	if end < 0 {
		return 0, 0
	}
	switch name := string(s[1:end]); name {
	case "amp":
		char = '&'
	case "lt":
		char = '<'
	case "gt":
		char = '>'
	case "quot":
		char = '"'
	default:
		char = numericChar(name)
	}
	if char == 0 {
		return 0, 0
	}
	return char, end + 1
}

func numericChar(name string) byte {
	digits, numeric := strings.CutPrefix(name, "#")
	if !numeric {
		return 0
	}
	if hex := strings.TrimLeft(digits, "xX"); len(hex) == len(digits)-1 {
		switch strings.TrimLeft(hex, "0") {
		case "22":
			return '"'
		case "26":
			return '&'
		case "27":
			return '\''
		}
		return 0
	}
	switch strings.TrimLeft(digits, "0") {
	case "34":
		return '"'
	case "38":
		return '&'
	case "39":
		return '\''
	case "60":
		return '<'
	case "62":
		return '>'
	}
	return 0
}

// Topic is what the delivery says it is about ("order.updated"), "ping" for the unsigned ping, or "" when the request
// is neither. The topic header is not signed: a signed body can be replayed under another topic.
func (Platform) Topic(h http.Header) string {
	if topic := first(h, headerTopic); topic != "" {
		return topic
	}
	if pingHeaders(h) {
		return topicPing
	}
	return ""
}

// Shop is always empty. X-WC-Webhook-Source names the store but is not signed, so it must not choose the store or the
// secret: every WooCommerce store has its own address here.
func (Platform) Shop(http.Header) string { return "" }

// Key tells repeats of a delivery from different deliveries. The delivery id alone cannot: it is a hash of the
// webhook's id and the clock second, so all deliveries of one webhook within a second share it
// (includes/class-wc-webhook.php get_new_delivery_id). The verified signature stands for the body where there is one,
// being an HMAC of it.
func (Platform) Key(h http.Header, body []byte) [16]byte {
	var room [256]byte
	in := append(room[:0], first(h, headerDeliveryID)...)
	in = append(in, 0)
	in = append(in, first(h, headerTopic)...)
	in = append(in, 0)
	if s := first(h, headerSignature); wellFormed(s) {
		in = append(in, s...)
	} else {
		sum := sha256.Sum256(body)
		in = append(in, sum[:]...)
	}
	sum := sha256.Sum256(in)
	return [16]byte(sum[:16])
}

// wellFormed says whether s looks like a signature: 43 characters of the base64 alphabet and the padding.
func wellFormed(s string) bool {
	if len(s) != signature.Len || s[signature.Len-1] != '=' {
		return false
	}
	for i := 0; i < signature.Len-1; i++ {
		c := s[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// maxPing bounds the body of a ping; WooCommerce sends about a dozen bytes.
const maxPing = 1024

// Unsigned says whether the request is WooCommerce's ping: a form post of webhook_id=N without signature or any other
// X-WC-* header, sent when a webhook is made or its address changes (includes/class-wc-webhook.php deliver_ping). It
// must be answered with exactly 200, or WooCommerce pings again after every delivery. Further form fields are let
// through, since a filter of the store may add them; JSON never is.
func (Platform) Unsigned(h http.Header, body []byte) bool {
	if len(body) == 0 || len(body) > maxPing || !pingHeaders(h) {
		return false
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil {
		return false
	}
	ids := form["webhook_id"]
	return len(ids) == 1 && isWebhookID(ids[0])
}

func isWebhookID(s string) bool {
	if s == "" || len(s) > 19 || s[0] == '0' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// pingHeaders says whether the headers are those of a ping: a form, and nothing of a webhook delivery.
func pingHeaders(h http.Header) bool {
	media, _, _ := strings.Cut(first(h, "Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded") {
		return false
	}
	for name := range h {
		if len(name) >= len(headerPrefix) && strings.EqualFold(name[:len(headerPrefix)], headerPrefix) {
			return false
		}
	}
	return true
}

// Triggered is always zero: WooCommerce does not say when something happened.
func (Platform) Triggered(http.Header) time.Time { return time.Time{} }

// KeptHeaders are the headers worth keeping beside a stored body, for people who look into a delivery.
func (Platform) KeptHeaders() []string {
	return []string{
		headerTopic, headerDeliveryID, headerSignature, "X-Wc-Webhook-Id", "X-Wc-Webhook-Source",
		"X-Wc-Webhook-Resource", "X-Wc-Webhook-Event", "User-Agent", "Content-Type",
	}
}

// first reads a header by its canonical name, without the canonicalisation of Header.Get.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
