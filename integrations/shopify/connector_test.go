package shopify

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

const (
	someToken  = "shpat_0123456789abcdef0123456789abcdef"
	someSecret = "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"
	someClient = "00112233445566778899aabbccddeeff"
)

// TestWays: the form begins with the way that new shops can go.
func TestWays(t *testing.T) {
	if first := guide.Access.Ways[0].Kind; first != affiliate.KeyClient {
		t.Errorf("the first way is %s", first)
	}
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		name  string
		given affiliate.StoreKeys
		want  affiliate.StoreKeys
		field string // that is wrong
	}{
		{"token", affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: " https://My-Shop.myshopify.com/admin ",
			Token: someToken + "\n", Secret: "\u200b" + someSecret},
			affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "https://my-shop.myshopify.com", Token: someToken,
				Secret: someSecret}, ""},
		{"client", affiliate.StoreKeys{Kind: affiliate.KeyClient, Address: "my-shop", ID: someClient,
			Secret: someSecret, Token: "left out"},
			affiliate.StoreKeys{Kind: affiliate.KeyClient, Address: "https://my-shop.myshopify.com", ID: someClient,
				Secret: someSecret}, ""},
		{"admin_address", affiliate.StoreKeys{Kind: affiliate.KeyToken, Token: someToken,
			Address: "https://admin.shopify.com/store/my-shop/settings", Secret: strings.Repeat("a1", 16)},
			affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "https://my-shop.myshopify.com", Token: someToken,
				Secret: strings.Repeat("a1", 16)}, ""},
		{"own_domain", affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "shop.example", Token: someToken,
			Secret: someSecret}, affiliate.StoreKeys{}, "address"},
		{"other_host", affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "x.myshopify.com.evil.example",
			Token: someToken, Secret: someSecret}, affiliate.StoreKeys{}, "address"},
		{"no_address", affiliate.StoreKeys{Kind: affiliate.KeyToken, Token: someToken, Secret: someSecret},
			affiliate.StoreKeys{}, "address"},
		{"secret_as_token", affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "my-shop", Token: someSecret,
			Secret: someSecret}, affiliate.StoreKeys{}, "token"},
		{"token_as_secret", affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "my-shop", Token: someToken,
			Secret: someToken}, affiliate.StoreKeys{}, "secret"},
		{"header_in_token", affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "my-shop",
			Token: someToken + "\r\nX: y", Secret: someSecret}, affiliate.StoreKeys{}, "token"},
		{"no_secret", affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "my-shop", Token: someToken},
			affiliate.StoreKeys{}, "secret"},
		{"secret_as_id", affiliate.StoreKeys{Kind: affiliate.KeyClient, Address: "my-shop", ID: someSecret,
			Secret: someSecret}, affiliate.StoreKeys{}, "id"},
		{"kind", affiliate.StoreKeys{Kind: affiliate.KeyPair, Address: "my-shop", ID: someClient, Secret: someSecret},
			affiliate.StoreKeys{}, "kind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Connector{}.Keys(c.given)
			var e *affiliate.Error
			if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &e) || e.Field != c.field) {
				t.Fatalf("%v, want a fault of %q", err, c.field)
			}
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			for _, secret := range []string{someToken, someSecret} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%q names a key", err)
				}
			}
		})
	}
}

func TestTopicsOfTheAPI(t *testing.T) {
	for _, topic := range guide.WebhookTopics() {
		if got := topicOf(wordOf(topic.Name)); got != topic.Name {
			t.Errorf("%s is %s in the API, which is %s here", topic.Name, wordOf(topic.Name), got)
		}
	}
	for _, topic := range guide.Access.Topics { // a store without them lacks nothing
		if guide.Needs(topic.Name) || !guide.Subscribes(topic.Name) || guide.TopicLabel(topic.Name) != topic.Label {
			t.Errorf("%+v", topic)
		}
	}
	if got := wordOf("order_transactions/create"); got != "ORDER_TRANSACTIONS_CREATE" {
		t.Error(got)
	}
}

func TestBrokenSubscriptions(t *testing.T) {
	for _, c := range []struct {
		name string
		s    subscription
		want string
	}{
		{"whole", subscription{Format: "JSON"}, ""},
		{"xml", subscription{Format: "XML"}, "not JSON"},
		{"fields", subscription{Format: "JSON", IncludeFields: []string{"id"}}, "some fields"},
		{"filter", subscription{Format: "JSON", Filter: "total_price:>100"}, "filter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.s.webhook().Broken
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A window of more orders than Shopify pages through is begun anew at the last one's time.
func TestCursor(t *testing.T) {
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	k, err := readCursor("", from.Add(300*time.Millisecond))
	if err != nil || !k.from.Equal(from) || k.after != "" {
		t.Fatalf("%+v, %v", k, err)
	}
	k = k.next(25, "eyJs YQ==", from.Add(time.Hour))
	if again, err := readCursor(k.String(), time.Time{}); err != nil || again != k || again.after != "eyJs YQ==" ||
		again.read != 25 {
		t.Errorf("%+v, %v, want %+v", again, err, k)
	}
	k.read = mostPaged - 25
	if anew := k.next(25, "x", from.Add(90*time.Minute+time.Millisecond)); anew != (cursor{from: from.Add(90 *
		time.Minute)}) {
		t.Errorf("%+v", anew)
	}
	if on := k.next(25, "x", from); on.after != "x" || !on.from.Equal(from) {
		t.Errorf("%+v: one second that holds them all cannot be begun anew", on)
	}
	for _, text := range []string{"x", "1 2", "a 1 x", "1 b x"} {
		if _, err := readCursor(text, from); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSearch(t *testing.T) {
	from, until := time.Date(2026, 11, 28, 12, 0, 0, 0, time.FixedZone("", 7200)), time.Date(2026, 11, 28, 11, 0, 0, 1,
		time.UTC)
	if got, want := search(affiliate.ByUpdate, from, until),
		"updated_at:>='2026-11-28T10:00:00Z' updated_at:<'2026-11-28T11:00:01Z'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := search(affiliate.ByPlaced, from, until); !strings.HasPrefix(got, "created_at:>=") {
		t.Error(got)
	}
}
