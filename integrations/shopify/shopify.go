package shopify

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/signature"
)

// Platform is Shopify as a source of deliveries. It holds nothing; all methods may run at once.
type Platform struct{}

// Header names in the form in which net/http stores them. The next generation of Shopify's events uses the same names
// without "X-" (developer preview in 2026); Shopify's own Ruby library accepts both and prefers the new ones.
const (
	headerHMAC, headerHMACNext           = "X-Shopify-Hmac-Sha256", "Shopify-Hmac-Sha256"
	headerTopic, headerTopicNext         = "X-Shopify-Topic", "Shopify-Topic"
	headerShop, headerShopNext           = "X-Shopify-Shop-Domain", "Shopify-Shop-Domain"
	headerWebhookID, headerWebhookIDNext = "X-Shopify-Webhook-Id", "Shopify-Webhook-Id"
	headerTriggered, headerTriggeredNext = "X-Shopify-Triggered-At", "Shopify-Triggered-At"
)

// keptHeaders are worth keeping beside the body: they name the delivery, and the signature can be checked again.
var keptHeaders = []string{
	headerTopic, headerShop, headerWebhookID, headerHMAC,
	"X-Shopify-Api-Version", "X-Shopify-Event-Id", headerTriggered, "X-Shopify-Name", "X-Shopify-Order-Id",
	"X-Shopify-Test",
	headerTopicNext, headerShopNext, headerWebhookIDNext, headerHMACNext,
	"Shopify-Api-Version", "Shopify-Event-Id", headerTriggeredNext, "Shopify-Handle", "Shopify-Action",
	"Shopify-Resource-Id",
}

// KeptHeaders gives the canonical names of the headers worth keeping beside the body.
func (Platform) KeptHeaders() []string { return append([]string(nil), keptHeaders...) }

// Topic is the topic that the delivery claims, such as "orders/paid". It is not covered by the signature.
func (Platform) Topic(h http.Header) string { return header(h, headerTopicNext, headerTopic) }

// Shop is the myshopify.com domain that the delivery claims, in lower case. It is not covered by the signature either:
// what counts is whose secret the signature fits.
func (Platform) Shop(h http.Header) string {
	return strings.ToLower(header(h, headerShopNext, headerShop))
}

// Unsigned says whether a delivery without a signature is to be accepted: never, for Shopify signs all of them.
func (Platform) Unsigned(http.Header, []byte) bool { return false }

// header reads the first of two headers that is there, without the canonicalising of Header.Get.
func header(h http.Header, name, other string) string {
	if v := h[name]; len(v) > 0 && v[0] != "" {
		return strings.TrimSpace(v[0])
	}
	if v := h[other]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

// Key names the delivery, so that a repeat is recognised: the first half of a SHA-256 over webhook id and topic.
// Shopify says to deduplicate by the webhook id, "a unique composite key per delivery"; the event id will not do, for
// refunds/create and orders/updated of one action share it. Without a webhook id, topic and body name the delivery.
func (Platform) Key(h http.Header, body []byte) [16]byte {
	topic := header(h, headerTopicNext, headerTopic)
	if id := header(h, headerWebhookIDNext, headerWebhookID); id != "" {
		var space [256]byte // on the stack for all ids that Shopify makes (36 characters)
		sum := sha256.Sum256(append(append(append(append(space[:0], "id\x00"...), id...), 0), topic...))
		return [16]byte(sum[:16])
	}
	return keyOfBody(topic, body)
}

func keyOfBody(topic string, body []byte) [16]byte {
	h := sha256.New()
	h.Write([]byte("body\x00" + topic + "\x00"))
	h.Write(body)
	return [16]byte(h.Sum(nil)[:16])
}

// Verify says whether one of the secrets signed the body; after a rotation either secret may have signed for up to an
// hour.
func (Platform) Verify(secrets [][]byte, h http.Header, body []byte) bool {
	return signature.Verify(secrets, body, header(h, headerHMACNext, headerHMAC))
}

// Triggered is when Shopify says that it triggered the delivery, zero when it does not say.
func (Platform) Triggered(h http.Header) time.Time {
	at, err := time.Parse(time.RFC3339Nano, header(h, headerTriggeredNext, headerTriggered))
	if err != nil || at.Year() < 1990 || at.Year() > 2190 {
		return time.Time{}
	}
	return at
}

// Sign gives the signature header that Shopify would send. Tests, the demo and load generators use it.
func Sign(secret, body []byte) string { return signature.Sign(secret, body) }
