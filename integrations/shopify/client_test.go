package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// answering gives a client of a shop that answers all questions alike.
func answering(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	api := httptest.NewServer(answer)
	t.Cleanup(api.Close)
	web := &storeapi.Web{Private: []string{"127.0.0.1"},
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	return Connector{Web: web, Elsewhere: map[string]string{"my-shop.myshopify.com": api.URL}}.Open(affiliate.StoreKeys{
		Kind: affiliate.KeyToken, Address: "https://my-shop.myshopify.com", Token: someToken, Secret: someSecret})
}

func saying(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text))
	}
}

// Each fault becomes a sentence with a remedy, and no sentence holds a key, whatever the shop answers.
func TestAttack_shopify_keys_in_errors(t *testing.T) {
	for _, c := range []struct{ name, answer, code, says string }{
		{"syntax", `{"errors":[{"message":"Field 'x` + someToken + `' doesn't exist on type 'Order'"}]}`,
			affiliate.StoreAnswer, "Field 'x…' doesn't exist"},
		{"denied", `{"data":{"orders":null},"errors":[{"message":"Access denied","path":["orders"],"extensions":{"code":` +
			`"ACCESS_DENIED","requiredAccess":"` + "`read_orders` access scope." + someSecret + `"}}]}`,
			affiliate.StoreForbidden, "`read_orders` access scope"},
		{"frozen", `{"errors":[{"message":"x","extensions":{"code":"SHOP_INACTIVE"}}]}`, affiliate.StoreForbidden,
			"Settings > Plan"},
		{"broken", `{"errors":[{"message":"x","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`, affiliate.StoreDown,
			"asked again"},
		{"costly", `{"errors":[{"message":"x","extensions":{"code":"MAX_COST_EXCEEDED"}}]}`, affiliate.StoreAnswer,
			"too much for one request"},
		{"nothing", `{"data":null}`, affiliate.StoreAnswer, "without data"},
		{"other_shape", `{"data":{"orders":[1]}}`, affiliate.StoreAnswer, "shape"},
		{"order_without_time", `{"data":{"orders":{"nodes":[{"id":"gid://shopify/Order/1"}]}}}`, affiliate.StoreAnswer,
			"without id or time"},
		{"html", `<html>` + someToken + `</html>`, affiliate.StoreAnswer, "page for people"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := answering(t, saying(c.answer)).Orders(t.Context(), affiliate.OrderWindow{}, "")
			var e *affiliate.Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.says) {
				t.Fatalf("%v, want %s with %q", err, c.code, c.says)
			}
			if strings.Contains(e.Message, someToken) || strings.Contains(e.Message, someSecret) {
				t.Errorf("%q holds a key", e.Message)
			}
		})
	}
}

// The addresses that a live shop refused (2026-04), in its own answers.
func TestRefusedWebhookAddresses(t *testing.T) {
	data, err := os.ReadFile("testdata/admin-graphql/webhook-subscription-uri-validation.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Primary struct {
			Response struct {
				Payload struct {
					Data map[string]json.RawMessage `json:"data"`
				} `json:"payload"`
			} `json:"response"`
		} `json:"primary"`
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"createHttpUriRejected": "protocol http:// is not supported.",
		"createInternalDomainRejected": "a Shopify or an internal domain.",
		"createShopifyDomainRejected":  "a Shopify or an internal domain."} {
		payload := recorded.Primary.Response.Payload.Data[name]
		c := answering(t, saying(`{"data":{"webhookSubscriptionCreate":`+string(payload)+`}}`))
		_, err := c.MakeWebhook(t.Context(), "orders/create", "http://localhost/webhooks/shopify", "")
		if codeOf(err) != affiliate.StoreAnswer || !strings.Contains(err.Error(), says) ||
			!strings.Contains(err.Error(), "PUBLIC_URL") {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
}

// The token goes in its header, and nowhere else.
func TestRequestOfAnOperation(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.String() != "/admin/api/2026-07/graphql.json" ||
			r.Header.Get("X-Shopify-Access-Token") != someToken || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		saying(`{"data":{"ordersCount":{"count":25001}}}`)(w, r)
	})
	n, err := c.CountOrders(t.Context(), affiliate.OrderWindow{By: affiliate.ByPlaced})
	if err != nil || n != 25001 {
		t.Errorf("%d, %v", n, err)
	}
}

// A subscription that Shopify says is there and does not show stands in the app's own settings.
func TestWebhookOfTheAppsSettings(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Name string `json:"operationName"`
		}
		_ = json.NewDecoder(r.Body).Decode(&asked)
		if asked.Name == "Webhooks" {
			saying(`{"data":{"webhookSubscriptions":{"nodes":[],"pageInfo":{"hasNextPage":false}}}}`)(w, r)
			return
		}
		saying(`{"data":{"webhookSubscriptionCreate":{"webhookSubscription":null,"userErrors":[{"field":null,`+
			`"message":"Address for this topic has already been taken"}]}}}`)(w, r)
	})
	_, err := c.MakeWebhook(t.Context(), "orders/create", "https://shop.example/", "")
	if codeOf(err) != affiliate.StoreWebhookTaken || affiliate.KindOf(err) != affiliate.Conflict {
		t.Errorf("%v", err)
	}
}

// An export is started also where its rows cannot be asked to stand by their orders.
func TestExportWithoutGroups(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Name  string `json:"operationName"`
			Query string `json:"query"`
		}
		_ = json.NewDecoder(r.Body).Decode(&asked)
		switch {
		case asked.Name == "Orders":
			saying(`{"data":{"orders":{"nodes":[],"pageInfo":{"hasNextPage":false}}}}`)(w, r)
		case strings.Contains(asked.Query, "groupObjects"):
			saying(`{"errors":[{"message":"Field 'bulkOperationRunQuery' doesn't accept argument 'groupObjects'"}]}`)(w, r)
		default:
			saying(`{"data":{"bulkOperationRunQuery":{"bulkOperation":{"id":"gid://shopify/BulkOperation/7"},`+
				`"userErrors":[]}}}`)(w, r)
		}
	})
	id, err := c.StartExport(t.Context(), affiliate.OrderWindow{})
	if err != nil || id != "gid://shopify/BulkOperation/7" {
		t.Errorf("%q, %v", id, err)
	}
}
