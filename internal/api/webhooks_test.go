package api_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/web"
)

// TestAttack_unknownStores_race: deliveries for stores that do not exist are refused before their bodies are read, and
// the connection is closed, whoever sends them how slowly; all of them together cost a few queries.
func TestAttack_unknownStores_race(t *testing.T) {
	eachOffice(t, func(o *office) {
		counts := app.NewCounters(o.app.DB, o.app.Now, o.app.Log)
		intake := app.NewIntake(o.app.DB, &keptQueue{}, o.app.Log)
		defer intake.Close()
		handler, err := (&web.Server{App: o.app, Log: o.app.Log, MaxBody: 10 << 20, Receiver: app.NewReceiver(o.app,
			intake, counts)}).Handler()
		if err != nil {
			o.Fatal(err)
		}
		server := httptest.NewServer(handler)
		defer server.Close()
		looked, began := o.app.Lookups()["stores"], time.Now()
		var all sync.WaitGroup
		for n := range attack.Size(100, 1000) {
			all.Go(func() {
				c, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					o.Error(err)
					return
				}
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(time.Minute))
				address := fmt.Sprintf("/webhooks/shopify/nobody-%d", n)
				if n%2 == 0 {
					address = "/webhooks/shopify"
				}
				fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: t\r\nX-Shopify-Shop-Domain: nobody-%d.myshopify.com\r\n"+
					"Content-Length: 1048576\r\n\r\nbegin", address, n)
				answer, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil || answer.StatusCode != http.StatusNotFound || !answer.Close {
					o.Errorf("answered %+v, %v; want 404 and the end of the connection", answer, err)
				}
			})
		}
		all.Wait()
		most := int64(time.Since(began)/(25*time.Millisecond)) + 2
		if n := o.app.Lookups()["stores"] - looked; n > most {
			o.Errorf("the stores were looked up %d times in %v, want %d at most", n, time.Since(began), most)
		}
	})
}

// TestWebhooks_slashes: an address typed with a slash too many is the same address. A redirect would be an error to the
// stores.
func TestWebhooks_slashes(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.owner.call("POST", v1+"/stores", object{"platform": "shopify", "slug": "us", "name": "US", "currency": "USD",
			"domain": "us.myshopify.com", "timezone": "UTC", "webhook_secret": "secret-of-us"}).ok(201)
		send := o.webhooks()
		for _, path := range []string{"/webhooks/shopify/us", "/webhooks/shopify/us/", "/webhooks/shopify/us//",
			"//webhooks//shopify///us", "/webhooks/shopify", "/webhooks/shopify/", "/webhooks/shopify/us/?a=b"} {
			if code := send(path, "us.myshopify.com").Code; code != http.StatusOK {
				o.Errorf("%s: got %d, want 200", path, code)
			}
		}
		for _, path := range []string{"/webhooks/shopify/nobody/", "/webhooks/", "/webhooks/shopify/us/more/"} {
			if code := send(path, "us.myshopify.com").Code; code != http.StatusNotFound {
				o.Errorf("%s: got %d, want 404", path, code)
			}
		}
	})
}

// webhooks gives a function that sends a signed delivery of a Shopify shop to the receiver.
func (o *office) webhooks() func(path, shop string) *httptest.ResponseRecorder {
	counts := app.NewCounters(o.app.DB, o.app.Now, o.app.Log)
	intake := app.NewIntake(o.app.DB, &keptQueue{}, o.app.Log)
	o.Cleanup(intake.Close)
	handler, err := (&web.Server{App: o.app, Log: o.app.Log, MaxBody: 10 << 20,
		Receiver: app.NewReceiver(o.app, intake, counts)}).Handler()
	if err != nil {
		o.Fatal(err)
	}
	return func(path, shop string) *httptest.ResponseRecorder {
		const body = `{"id":1}`
		r := httptest.NewRequest("POST", "http://t.example", strings.NewReader(body))
		at, err := url.Parse("http://t.example" + path)
		if err != nil {
			o.Fatal(err)
		}
		r.URL = at
		r.Header.Set("X-Shopify-Hmac-Sha256", shopify.Sign([]byte("secret-of-us"), []byte(body)))
		r.Header.Set("X-Shopify-Topic", "orders/delete")
		if shop != "" {
			r.Header.Set("X-Shopify-Shop-Domain", shop)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		counts.Flush(o.Context())
		return answer
	}
}

// TestWebhooks_otherShop: shops that share an app share its secret. What names another shop is refused where a slug
// names the store, and counted apart.
func TestWebhooks_otherShop(t *testing.T) {
	eachOffice(t, func(o *office) {
		store := o.owner.call("POST", v1+"/stores", object{"platform": "shopify", "slug": "us", "name": "US",
			"currency": "USD", "domain": "us.myshopify.com", "timezone": "UTC",
			"webhook_secret": "secret-of-us"}).ok(201)
		send := o.webhooks()
		for shop, want := range map[string]int{"us.myshopify.com": 200, "US.MyShopify.com": 200, "": 200,
			"shop.example": 200, ".myshopify.com": 200, "uk.myshopify.com": 403} {
			if answer := send("/webhooks/shopify/us", shop); answer.Code != want ||
				want == 403 && !strings.Contains(answer.Body.String(), "other_shop") {
				o.Errorf("shop %q: got %d %s, want %d", shop, answer.Code, answer.Body, want)
			}
		}
		if answer := send("/webhooks/shopify", "uk.myshopify.com"); answer.Code != 404 {
			o.Errorf("a shop that is not connected: got %d, want 404", answer.Code)
		}
		counts, err := o.app.DB.StoreCounts(o.Context(), 0, o.app.Now().Add(-time.Hour))
		if err != nil {
			o.Fatal(err)
		}
		f := counts[storeID(o, store["id"].(string))]
		if n, _ := f.Count("other_shop"); n != 1 || f.OtherShop != "uk.myshopify.com" {
			o.Errorf("counted %+v, want one delivery of uk.myshopify.com", f)
		}
	})
}
