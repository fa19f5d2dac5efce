package woocommerce

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
)

func signedHeader(secret string, body []byte) http.Header {
	h := http.Header{}
	h.Set("X-WC-Webhook-Signature", Sign([]byte(secret), body))
	h.Set("X-WC-Webhook-Topic", "order.updated")
	h.Set("X-WC-Webhook-Delivery-ID", "9f331c560fb82c838100a66c00032b52")
	h.Set("X-WC-Webhook-Source", "https://other.example/")
	h.Set("Content-Type", "application/json")
	return h
}

func TestVerify(t *testing.T) {
	body := []byte(`{"id":1}`)
	good := Sign([]byte("secret"), body)
	for _, c := range []struct {
		name    string
		secrets []string
		values  []string
		body    []byte
		want    bool
	}{
		{"right", []string{"secret"}, []string{good}, body, true},
		{"second of two secrets", []string{"new", "secret"}, []string{good}, body, true},
		{"wrong secret", []string{"other"}, []string{good}, body, false},
		{"no secret", nil, []string{good}, body, false},
		{"empty secret", []string{""}, []string{Sign(nil, body)}, body, false},
		{"no signature", []string{"secret"}, nil, body, false},
		{"empty signature", []string{"secret"}, []string{""}, body, false},
		{"two signatures", []string{"secret"}, []string{good, good}, body, false},
		{"cut signature", []string{"secret"}, []string{good[:43]}, body, false},
		{"another spelling of the same bytes", []string{"secret"}, []string{respell(good)}, body, false},
		{"other body", []string{"secret"}, []string{good}, []byte(`{"id":2}`), false},
		{"empty body", []string{"secret"}, []string{Sign([]byte("secret"), nil)}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{"X-Wc-Webhook-Signature": c.values}
			var secrets [][]byte
			for _, s := range c.secrets {
				secrets = append(secrets, []byte(s))
			}
			if got := (Platform{}).Verify(secrets, h, c.body); got != c.want {
				t.Errorf("Verify = %v, want %v", got, c.want)
			}
		})
	}
}

// respell changes the two bits of the last character that no byte uses.
func respell(signature string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := slices.Index([]byte(alphabet), signature[42])
	return signature[:42] + string(alphabet[last^1]) + "="
}

func TestVerifyTakesEntitiesInSecretsAsWordPressDoes(t *testing.T) {
	body := []byte(`{"id":1}`)
	for entered, used := range map[string]string{
		"a&amp;b": "a&b", "&#34;&#39;&#60;&#62;&#x26;&#x3c;": `"'<>&` + "&#x3c;", "&lt;&gt;&quot;&#039;": `<>"'`,
		"&#38;&#0060;&#x27;&#X22;": `&<'"`, "&amp;amp;": "&amp;",
		"a&b": "a&b", "a&copy;b": "a&copy;b", "&#xx27;": "&#xx27;", "a&;b": "a&;b", "&#;": "&#;",
		"a&b&amp;c;": "a&b&c;",
	} {
		h := signedHeader(used, body)
		if !(Platform{}).Verify([][]byte{[]byte(entered)}, h, body) {
			t.Errorf("secret %q: the signature with %q does not verify", entered, used)
		}
		if !(Platform{}).Verify([][]byte{[]byte(entered)}, signedHeader(entered, body), body) {
			t.Errorf("secret %q: the signature with it as entered does not verify", entered)
		}
	}
}

func TestUnsigned(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, contentType, body string
		extra                   string // one more header
		want                    bool
	}{
		{"as seen", form, "webhook_id=1", "", true},
		{"with a charset", "Application/X-WWW-Form-Urlencoded; charset=UTF-8", "webhook_id=17", "", true},
		{"line end", form, "webhook_id=17\r\n", "", true},
		{"further fields", form, "webhook_id=17&site=1", "", true},
		{"encoded name", form, "webhook%5Fid=17", "", true},
		{"other content type", "application/json", "webhook_id=1", "", false},
		{"no content type", "", "webhook_id=1", "", false},
		{"multipart", "multipart/form-data; boundary=x", "webhook_id=1", "", false},
		{"empty", form, "", "", false},
		{"other field", form, "id=1", "", false},
		{"no number", form, "webhook_id=", "", false},
		{"a word", form, "webhook_id=abc", "", false},
		{"negative", form, "webhook_id=-1", "", false},
		{"two ids", form, "webhook_id=1&webhook_id=2", "", false},
		{"an order", form, string(order(nil)), "", false},
		{"an order as the value", form, "webhook_id=" + string(order(nil)), "", false},
		{"signed", form, "webhook_id=1", "X-WC-Webhook-Signature", false},
		{"with a topic", form, "webhook_id=1", "X-WC-Webhook-Topic", false},
		{"too long", form, "webhook_id=1&x=" + string(make([]byte, 2000)), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			if c.contentType != "" {
				h.Set("Content-Type", c.contentType)
			}
			if c.extra != "" {
				h.Set(c.extra, "x")
			}
			if got := (Platform{}).Unsigned(h, []byte(c.body)); got != c.want {
				t.Errorf("Unsigned = %v, want %v", got, c.want)
			}
		})
	}
}

func TestTopicAndShop(t *testing.T) {
	ping := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	delivery := signedHeader("secret", []byte("{}"))
	for _, c := range []struct {
		h    http.Header
		want string
	}{{ping, "ping"}, {delivery, "order.updated"}, {http.Header{}, ""},
		{http.Header{"Content-Type": {"application/json"}}, ""}} {
		if got := (Platform{}).Topic(c.h); got != c.want {
			t.Errorf("Topic(%v) = %q, want %q", c.h, got, c.want)
		}
	}
	if name := (Platform{}).Guide().Platform; name != Name {
		t.Errorf("Name = %q", name)
	}
	if shop := (Platform{}).Shop(delivery); shop != "" {
		t.Errorf("Shop = %q: the unsigned source must not choose the store", shop)
	}
	for _, name := range (Platform{}).KeptHeaders() {
		if http.CanonicalHeaderKey(name) != name {
			t.Errorf("kept header %s is not in canonical form", name)
		}
	}
}

func TestKey(t *testing.T) {
	body := []byte(`{"id":1}`)
	key := func(change func(http.Header), body []byte) [16]byte {
		h := signedHeader("secret", body)
		change(h)
		return Platform{}.Key(h, body)
	}
	same := func(http.Header) {}
	base := key(same, body)
	if key(same, body) != base {
		t.Error("a repeat has another key")
	}
	for name, other := range map[string][16]byte{
		"body":           key(same, []byte(`{"id":2}`)),
		"topic":          key(func(h http.Header) { h.Set("X-WC-Webhook-Topic", "order.created") }, body),
		"delivery id":    key(func(h http.Header) { h.Set("X-WC-Webhook-Delivery-ID", "x") }, body),
		"no delivery id": key(func(h http.Header) { h.Del("X-WC-Webhook-Delivery-ID") }, body),
		"fields shifted": key(func(h http.Header) {
			h.Set("X-WC-Webhook-Delivery-ID", "9f331c560fb82c838100a66c00032b52order")
			h.Set("X-WC-Webhook-Topic", ".updated")
		}, body),
	} {
		if other == base {
			t.Errorf("another %s gives the same key", name)
		}
	}
	for _, signature := range []string{"", "short", string(make([]byte, 44))} {
		unsigned := func(h http.Header) { h.Set("X-WC-Webhook-Signature", signature) }
		if key(unsigned, body) == key(unsigned, []byte(`{"id":2}`)) {
			t.Errorf("signature %q: different bodies have one key", signature)
		}
	}
}

func FuzzVerify(f *testing.F) {
	for _, d := range deliveries(f) {
		if len(d.Body) < 10_000 {
			f.Add([]byte("test-secret-recordings-9f2c41"), d.Header.Get("X-WC-Webhook-Signature"), d.Body)
		}
	}
	f.Add([]byte("a&amp;b&#x27;"), "x", []byte("{}"))
	f.Fuzz(func(t *testing.T, secret []byte, signature string, body []byte) {
		h := http.Header{"X-Wc-Webhook-Signature": {signature}}
		ok := Platform{}.Verify([][]byte{secret}, h, body)
		decoded := decodeSpecialChars(secret)
		right := signature == Sign(secret, body) || decoded != nil && signature == Sign(decoded, body)
		if want := right && len(secret) > 0 && len(body) > 0; ok != want {
			t.Fatalf("Verify = %v, want %v", ok, want)
		}
		if len(secret) > 0 && len(body) > 0 && !(Platform{}).Verify([][]byte{secret}, signedHeader(string(secret),
			body), body) {
			t.Fatal("its own signature does not verify")
		}
		if first, second := (Platform{}).Key(h, body), (Platform{}).Key(h.Clone(), bytes.Clone(body)); first != second {
			t.Fatal("two keys")
		}
		(Platform{}).Unsigned(http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body)
	})
}
