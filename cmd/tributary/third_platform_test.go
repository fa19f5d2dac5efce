package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/recordings"
)

// stall is a store on bazaar.
type stall struct {
	recordings.Store
	asleep atomic.Bool // it answers with an error
	hangs  chan struct{}
}

// newStall opens a stall that has some sales to read, and one that it never comes back with.
func newStall(t *testing.T, sales ...bazaarSale) *stall {
	s := &stall{hangs: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := path.Base(r.URL.Path)
		if id == "never" {
			select {
			case <-s.hangs:
			case <-r.Context().Done():
			}
		}
		if s.asleep.Load() {
			http.Error(w, "asleep", http.StatusServiceUnavailable)
			return
		}
		for _, sale := range sales {
			if sale.ID == id {
				_ = json.NewEncoder(w).Encode(sale)
				return
			}
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(func() { close(s.hangs); server.Close() })
	s.Store = recordings.Store{Platform: "bazaar", Slug: "stall", Currency: "EUR", Timezone: "Europe/Berlin",
		Domain: strings.TrimPrefix(server.URL, "http://"), Secret: "word-of-the-stall"}
	return s
}

// tells makes a delivery of a sale.
func (s *stall) tells(t *testing.T, sale bazaarSale) recordings.Request {
	t.Helper()
	body, err := json.Marshal(sale)
	ok(t, err)
	return recordings.Request{Store: s.Store, File: sale.ID, Body: body, Header: http.Header{bazaarTopic: {"sold"},
		bazaarSeal: {sealOfBazaar([]byte(s.Secret), body)}}}
}

func sold(id, goods string) bazaarSale {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return bazaarSale{ID: id, Number: "B-" + id, Placed: at, Changed: at, Goods: goods, Paid: true, Word: "ANNA10"}
}

const stallCSV = `campaign,creator,instagram,email,offer,store,code,commission_percent
Spring,Anna Ahlers,@anna,anna@creators.example,Ten percent,stall,ANNA10,10
`

// TestThirdPlatform_race: a platform more is a folder and one word where the parts are wired. Nothing else knows of
// bazaar, and its store is connected by the API and by the form, receives, credits and explains as any other.
func TestThirdPlatform_race(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		shop := newStall(t, sold("2", "50.00"), sold("3", "30.00"))
		token := env.setUpStores(t, nil)
		env.open(t, func(ctx context.Context, a *app.App) {
			_, err := a.AddUser(ctx, affiliate.User{Email: "olga@brand.example", Name: "Olga",
				Role: affiliate.RoleOwner}, "correct horse battery")
			ok(t, err)
		})
		s, err := startServer(t.Context(), env.config(t), allRoles, bazaar{&http.Client{}})
		ok(t, err)
		t.Cleanup(func() { ok(t, s.stop()) })
		c := s.client(t, token)
		browser := signIn(t, c, http.StatusSeeOther)

		connectStall(t, c, shop)
		connectByForm(t, c, browser)
		ok(t, importCreators(app.As(t.Context(), commandLine()), s.app, []byte(stallCSV)))

		// A body that shows its order, and one that somebody else signed.
		ok(t, c.Deliver(t.Context(), shop.tells(t, sold("1", "100.00"))))
		forged := shop.tells(t, sold("9", "100.00"))
		forged.Header.Set(bazaarSeal, sealOfBazaar([]byte("another word"), forged.Body))
		status, err := c.Send(t.Context(), forged)
		ok(t, err)
		wantStatus(t, "a forged delivery", status, http.StatusUnauthorized)
		wantSale(t, c, "1", "100.00")

		// Bodies that name an order only: one that the stall never comes back with keeps nobody waiting.
		for _, id := range []string{"never", "2", "gone"} {
			ok(t, c.Deliver(t.Context(), shop.tells(t, bazaarSale{ID: id})))
		}
		wantSale(t, c, "2", "50.00")
		eventually(t, "the delivery of a sale that is gone says so", func() bool {
			return strings.Contains(ask(t, c, "GET", "deliveries?store=stall&state=failed", "").text,
				"the stall has no sale gone")
		})

		// A stall that cannot answer is asked again, while others go on.
		shop.asleep.Store(true)
		ok(t, c.Deliver(t.Context(), shop.tells(t, bazaarSale{ID: "3"})))
		eventually(t, "the delivery says that the stall is asleep", func() bool {
			return strings.Contains(ask(t, c, "GET", "deliveries?store=stall&state=waiting", "").text,
				"the stall answers 503")
		})
		ok(t, c.Deliver(t.Context(), shop.tells(t, sold("4", "40.00"))))
		wantSale(t, c, "4", "40.00")
		shop.asleep.Store(false)
		wantSale(t, c, "3", "30.00")

		wantStallPages(t, c, browser)
		checkLedger(t, env)
	})
}

// connectStall connects the stall by the API, which offers bazaar like any other platform and gives its steps.
func connectStall(t *testing.T, c *recordings.Client, shop *stall) {
	t.Helper()
	body := func(platform string) string {
		return fmt.Sprintf(`{"platform": %q, "slug": "stall", "name": "Stall", "domain": %q, "currency": "EUR",
			"timezone": "Europe/Berlin", "webhook_secret": %q}`, platform, shop.Domain, shop.Secret)
	}
	if a := ask(t, c, "POST", "stores", body("magento")); a.status != http.StatusUnprocessableEntity ||
		!strings.Contains(a.text, "bazaar") {
		t.Errorf("a platform that there is not: %v", a)
	}
	a := ask(t, c, "POST", "stores", body("bazaar"))
	wantStatus(t, "connect the stall", a.status, http.StatusCreated)
	for _, want := range []string{"/webhooks/bazaar/stall",
		"In the Bazaar admin open Stall > Messengers and hire one " +
			"for each: Something is sold, A sale changes.", "The word to sign with is the secret of this store."} {
		if !strings.Contains(a.text, want) {
			t.Errorf("connecting does not say %q:\n%s", want, a.text)
		}
	}
	if document := ask(t, c, "GET", "openapi.json", "").text; !strings.Contains(document, `"bazaar"`) {
		t.Error("the API's document does not know the platform")
	}
}

// connectByForm connects a second stall on the page, whose steps are then bazaar's.
func connectByForm(t *testing.T, c *recordings.Client, browser *http.Client) {
	t.Helper()
	wantText(t, get(t, browser, c.Base+"/stores/new", http.StatusOK), `platform=bazaar"`, "Shopify", "WooCommerce")
	response, err := browser.PostForm(c.Base+"/stores/new", url.Values{"platform": {"bazaar"}, "name": {"Other stall"},
		"domain": {"other.example"}, "currency": {"EUR"}, "timezone": {"UTC"}})
	ok(t, err)
	a := readAnswer(t, response)
	wantStatus(t, "connect another stall", a.status, http.StatusSeeOther)
	wantText(t, get(t, browser, c.Base+a.header.Get("Location"), http.StatusOK), "Steps in the Bazaar admin",
		"<strong>Stall → Messengers</strong>", "/webhooks/bazaar/other-stall", "stands above", "Something is sold")
}

// wantSale waits for a sale to be credited to Anna.
func wantSale(t *testing.T, c *recordings.Client, id, value string) {
	t.Helper()
	eventually(t, "sale "+id+" is credited", func() bool {
		order, found, err := c.Order(t.Context(), "stall", id)
		ok(t, err)
		if found && (order.Value != value || order.Status != "paid") {
			t.Fatalf("sale %s is %+v", id, order)
		}
		return found && order.Conversion != nil
	})
}

// wantStallPages looks at the pages of the store, its orders and one order.
func wantStallPages(t *testing.T, c *recordings.Client, browser *http.Client) {
	t.Helper()
	var list struct {
		Data []struct {
			ID   string
			Slug string
		}
	}
	ok(t, c.Get(t.Context(), "/api/v1/stores", &list))
	for _, s := range list.Data {
		if s.Slug == "stall" {
			wantText(t, get(t, browser, c.Base+"/stores/"+s.ID, http.StatusOK), "Bazaar", "Connected.",
				"A sale changes")
		}
	}
	var order struct{ ID string }
	ok(t, c.Get(t.Context(), "/api/v1/orders/stall/2", &order))
	wantText(t, get(t, browser, c.Base+"/orders/"+order.ID, http.StatusOK), "B-2", "Anna Ahlers", "Stall")
	wantText(t, get(t, browser, c.Base+"/stores", http.StatusOK), "Bazaar")
	wantText(t, get(t, browser, c.Base+"/orders?period="+string(affiliate.PeriodAllTime), http.StatusOK), "B-1", "B-4")
}

func wantText(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
}
