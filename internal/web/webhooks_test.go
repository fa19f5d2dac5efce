package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/web"
)

// stalledBody is a body that stops when a large part of it was read, tells so, and goes on when it is let go.
type stalledBody struct {
	read  int
	once  sync.Once
	stops chan<- struct{}
	letGo <-chan struct{}
}

func (s *stalledBody) Read(p []byte) (int, error) {
	const stop, end = 1<<20 + 1, 2 << 20
	if s.read >= end {
		return 0, io.EOF
	}
	if s.read >= stop {
		s.once.Do(func() { s.stops <- struct{}{} })
		<-s.letGo
	}
	n := min(len(p), end-s.read)
	if s.read < stop {
		n = min(n, stop-s.read)
	}
	clear(p[:n])
	s.read += n
	return n, nil
}

// TestWebhooks_fewLargeBodiesAtOnce_race: strangers cannot fill the memory with large bodies, and small deliveries pass
// meanwhile.
func TestWebhooks_fewLargeBodiesAtOnce_race(t *testing.T) {
	eachOffice(t, func(o *office) {
		counts := app.NewCounters(o.app.DB, o.app.Now, o.app.Log)
		intake := app.NewIntake(o.app.DB, &keptQueue{}, o.app.Log)
		defer intake.Close()
		handler, err := (&web.Server{App: o.app, Log: o.app.Log, MaxBody: 10 << 20, Receiver: app.NewReceiver(o.app,
			intake, counts)}).Handler()
		if err != nil {
			o.Fatal(err)
		}
		sendUntil := func(ctx context.Context, body io.Reader) int {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, "POST", "/webhooks/shopify/nobody", body))
			return answer.Code
		}
		send := func(body io.Reader) int { return sendUntil(o.Context(), body) }
		const places = 16
		stops, letGo := make(chan struct{}), make(chan struct{})
		codes := make(chan int, places)
		for range places {
			go func() { codes <- send(&stalledBody{stops: stops, letGo: letGo}) }()
		}
		for range places {
			<-stops
		}
		impatient, leave := context.WithCancel(o.Context())
		leave()
		if code := sendUntil(impatient, bytes.NewReader(make([]byte, 1<<20+1))); code != http.StatusServiceUnavailable {
			o.Errorf("one large body more: %d, want 503", code)
		}
		waiting := make(chan int)
		go func() { waiting <- send(bytes.NewReader(make([]byte, 1<<20+1))) }()
		if code := send(bytes.NewReader(make([]byte, 1<<20))); code != http.StatusNotFound {
			o.Errorf("a smaller one: %d, want 404", code)
		}
		close(letGo)
		for range places {
			if code := <-codes; code != http.StatusNotFound {
				o.Errorf("a large body that had its place: %d, want 404", code)
			}
		}
		if code := <-waiting; code != http.StatusNotFound {
			o.Errorf("a large body that waited for a place: %d, want 404", code)
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
		figures, err := o.app.DB.StoreFigures(o.Context(), 0, o.app.Now().Add(-time.Hour))
		if err != nil {
			o.Fatal(err)
		}
		f := figures[storeID(o, store["id"].(string))]
		if n, _ := f.Count("other_shop"); n != 1 || f.OtherShop != "uk.myshopify.com" {
			o.Errorf("counted %+v, want one delivery of uk.myshopify.com", f)
		}
	})
}
