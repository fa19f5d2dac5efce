package shopify

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/integrations/shopify/recordings"
)

func TestVerifyVectors(t *testing.T) {
	var file struct {
		Vectors []struct {
			Body, Secret, Header, Note string
			Valid                      bool
		}
	}
	if err := json.Unmarshal(recordings.SignatureVectors(), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 10 {
		t.Fatalf("%d vectors, want 10", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		want := v.Valid && v.Body != "" // an empty body is refused even with the right digest
		got := Platform{}.Verify([][]byte{[]byte(v.Secret)}, http.Header{headerHMAC: {v.Header}}, []byte(v.Body))
		if got != want {
			t.Errorf("Verify(%q, secret %q, %q) = %v, want %v (%s)", v.Body, v.Secret, v.Header, got, want, v.Note)
		}
	}
}

func TestVerify(t *testing.T) {
	body := []byte(`{"id":820982911946154508}`)
	now, before, other := []byte("now"), []byte("before"), []byte("other")
	signed := Sign(now, body)
	for _, c := range []struct {
		name    string
		secrets [][]byte
		header  http.Header
		body    []byte
		want    bool
	}{
		{"right", [][]byte{now}, http.Header{headerHMAC: {signed}}, body, true},
		{"first_of_two_secrets", [][]byte{now, before}, http.Header{headerHMAC: {signed}}, body, true},
		{"second_of_two_secrets", [][]byte{before, now}, http.Header{headerHMAC: {signed}}, body, true},
		{"next_generation_header", [][]byte{now}, http.Header{headerHMACNext: {signed}}, body, true},
		{"canonical_header_of_net_http", [][]byte{now}, canonical("x-shopify-hmac-sha256", signed), body, true},
		{"other_secret", [][]byte{other}, http.Header{headerHMAC: {signed}}, body, false},
		{"no_secrets", nil, http.Header{headerHMAC: {signed}}, body, false},
		{"empty_secret", [][]byte{{}}, http.Header{headerHMAC: {Sign(nil, body)}}, body, false},
		{"no_header", [][]byte{now}, http.Header{}, body, false},
		{"nil_header", [][]byte{now}, nil, body, false},
		{"header_without_value", [][]byte{now}, http.Header{headerHMAC: {}}, body, false},
		{"altered_body", [][]byte{now}, http.Header{headerHMAC: {signed}}, append(bytes.Clone(body), ' '), false},
		{"cut_signature", [][]byte{now}, http.Header{headerHMAC: {signed[:43]}}, body, false},
		{"longer_signature", [][]byte{now}, http.Header{headerHMAC: {signed + "="}}, body, false},
		{"url_alphabet", [][]byte{now}, http.Header{headerHMAC: {strings.Repeat("_", 43) + "="}}, body, false},
		{"line_breaks", [][]byte{now}, http.Header{headerHMAC: {signed[:40] + "\n\n\n\n"}}, body, false},
		{"trailing_bits", [][]byte{now}, http.Header{headerHMAC: {trailingBits(signed)}}, body, false},
		{"empty_body", [][]byte{now}, http.Header{headerHMAC: {Sign(now, nil)}}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (Platform{}).Verify(c.secrets, c.header, c.body); got != c.want {
				t.Errorf("Verify = %v, want %v", got, c.want)
			}
		})
	}
}

func canonical(name, value string) http.Header {
	h := http.Header{}
	h.Set(name, value)
	return h
}

// trailingBits gives the same 32 bytes in a base64 that no encoder writes: the last character's unused bits are set.
func trailingBits(signature string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	i := strings.IndexByte(alphabet, signature[42])
	return signature[:42] + string(alphabet[i+1]) + "="
}

func TestHeaders(t *testing.T) {
	h := http.Header{}
	h.Set("x-shopify-topic", "orders/paid")
	h.Set("x-shopify-shop-domain", "Example-Shop.MyShopify.com")
	p := Platform{}
	if got := p.Topic(h); got != "orders/paid" {
		t.Errorf("Topic = %q", got)
	}
	if got := p.Shop(h); got != "example-shop.myshopify.com" {
		t.Errorf("Shop = %q", got)
	}
	next := http.Header{}
	next.Set("shopify-topic", "orders/paid")
	next.Set("shopify-shop-domain", "next.myshopify.com")
	if p.Topic(next) != "orders/paid" || p.Shop(next) != "next.myshopify.com" {
		t.Errorf("next generation: Topic %q, Shop %q", p.Topic(next), p.Shop(next))
	}
	if p.Topic(nil) != "" || p.Shop(nil) != "" {
		t.Error("headers out of nothing")
	}
	if p.Guide().Platform != Name || p.Unsigned(h, nil) {
		t.Error("Name or Unsigned is wrong")
	}
	for _, name := range p.KeptHeaders() {
		if name != http.CanonicalHeaderKey(name) {
			t.Errorf("KeptHeaders has %q, which net/http stores as %q", name, http.CanonicalHeaderKey(name))
		}
	}
	p.KeptHeaders()[0] = "changed"
	if !slices.Contains(p.KeptHeaders(), headerTopic) {
		t.Error("KeptHeaders gives out its own list")
	}
}

func TestKey(t *testing.T) {
	head := func(id, topic string) http.Header {
		h := http.Header{headerTopic: {topic}}
		if id != "" {
			h[headerWebhookID] = []string{id}
		}
		return h
	}
	key := Platform{}.Key
	base := key(head("a", "orders/paid"), []byte("1"))
	if key(head("a", "orders/paid"), []byte("2")) != base {
		t.Error("a repeat with another body has another key, want the webhook id to decide")
	}
	for name, other := range map[string][16]byte{
		"other id":    key(head("b", "orders/paid"), []byte("1")),
		"other topic": key(head("a", "orders/updated"), []byte("1")),
		"no id":       key(head("", "orders/paid"), []byte("1")),
		"shifted":     key(head("ao", "rders/paid"), []byte("1")),
	} {
		if other == base {
			t.Errorf("%s: same key", name)
		}
	}
	first := key(head("", "orders/paid"), []byte("1"))
	if again := key(head("", "orders/paid"), []byte("1")); again != first {
		t.Error("without an id, the same body has another key")
	}
	if other := key(head("", "orders/paid"), []byte("2")); other == first {
		t.Error("without an id, another body has the same key")
	}
	next := http.Header{"Shopify-Webhook-Id": {"a"}, "Shopify-Topic": {"orders/paid"}}
	if key(next, nil) != base {
		t.Error("the next generation's header gives another key")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte("secret"), []byte(`{"id":1}`), "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=")
	f.Add([]byte(""), []byte(""), "")
	f.Add(bytes.Repeat([]byte("k"), 65), []byte("x"), strings.Repeat("=", 44))
	f.Fuzz(func(t *testing.T, secret, body []byte, signature string) {
		secrets := [][]byte{[]byte("another"), secret}
		right := Sign(secret, body)
		if got := (Platform{}).Verify(secrets, http.Header{headerHMAC: {signature}}, body); got &&
			strings.TrimSpace(signature) != right &&
			strings.TrimSpace(signature) != Sign(secrets[0], body) {
			t.Fatalf("Verify accepts %q, the signature is %q", signature, right)
		}
		want := len(body) > 0 && len(secret) > 0
		if got := (Platform{}).Verify(secrets, http.Header{headerHMAC: {right}}, body); got != want {
			t.Fatalf("Verify of the right signature = %v, want %v", got, want)
		}
	})
}
