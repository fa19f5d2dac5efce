package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// freshHouse has people and nothing else.
func freshHouse(t *testing.T) *house {
	t.Helper()
	h := emptyHouse(t)
	for _, u := range people {
		_, err := h.app.AddUser(h.as(affiliate.RoleOwner), u, password)
		h.must(err)
	}
	return h
}

// steps are the titles of the steps that are done, and of the one to be taken now.
func (a answer) steps() (done []string, current string) {
	for _, e := range a.all("ol.guide li") {
		if !e.has("h2") {
			continue // one of the stores in a step
		}
		switch title, ended := strings.CutSuffix(e.all("h2")[0].text(), " Done"); {
		case ended:
			done = append(done, title)
		case e.attr("aria-current") == "step":
			current = title
		}
	}
	return done, current
}

// brandStep is the first one.
const brandStep = "Name your brand, its currency and time zone"

func TestStart(t *testing.T) {
	h := freshHouse(t)
	v := h.owner()
	want := func(current string, done ...string) answer {
		t.Helper()
		a := v.get("/start").is(http.StatusOK)
		if current != brandStep {
			done = append([]string{brandStep}, done...)
		}
		if d, c := a.steps(); !slices.Equal(d, done) || c != current {
			t.Errorf("done are %q and now comes %q; want %q and %q", d, c, done, current)
		}
		return a
	}
	want(brandStep).says("0 of 6 steps done")
	german := map[string]string{"Accept-Language": "de-DE,de;q=0.9"}
	a := v.send(http.MethodGet, "/start", german, nil)
	if got := a.one("input#currency").attr("value"); got != "EUR" {
		t.Errorf("a German browser is offered %s", got)
	}
	h.manager().get("/start").says("An owner says so.")
	v.post("/settings", "to", "/start", "name", "Northwind", "currency", "EUR", "timezone",
		"Europe/Berlin").at("/start")
	a = want("Connect a store").says("1 of 6 steps done")
	a.one("a[href=/stores/new].primary")
	h.viewer().get("/start").is(http.StatusOK).says("An owner connects it.", "As a viewer you can look on")
	if h.viewer().get("/start").has("#steps a.button") {
		t.Error("a viewer sees buttons that would be refused")
	}
	h.manager().get("/start").says("An owner connects it.")

	v.post("/stores/new", "platform", "shopify", "name", "Shop", "domain", "shop.myshopify.com", "currency", "USD",
		"timezone", "UTC", "webhook_secret", shopSecret).is(http.StatusOK)
	want("See its first delivery", "Connect a store").says("Waiting for Shop to send something.", "2 of 6 steps done",
		"See the steps in its admin.")
	h.forge(2)
	want("See its first delivery", "Connect a store").says("Shop sent something, but it was refused.", "2 rejected",
		"the secret here differs")
	h.deliver("shop", h.body(sale{number: "501", code: "ANNA10", value: 40_00}))
	h.process()
	h.counters.Flush(h.Context())
	a = want("Make a campaign", "Connect a store", "See its first delivery").
		says("Shop: the last one came on 20 Nov 2026", "Order #501", "45.00 USD charged, 40.00 USD of goods",
			"Not by code ANNA10: nobody owned it")
	a.one("a[href=/campaigns/new].primary")
	_, err := h.app.AddCampaign(h.as(affiliate.RoleManager), affiliate.Campaign{Name: "Spring"})
	h.must(err)
	a = want("Add creators and their codes", "Connect a store", "See its first delivery", "Make a campaign")
	a.one("a[href=/creators/import?to=/start].primary")
	preview := v.post("/creators/import", "mode", "few", "to", "/start", "campaign", "Spring", "offer", "Ten", "store",
		"shop", "percent", "10", "name", "Ben", "instagram", "", "email", "", "code", "BEN10")
	v.apply(preview).at("/start").says("Added: 1 creator",
		"Place an order in Shop with a code, such as this one of Ben:", "BEN10")
	want("See a test order arrive", "Connect a store", "See its first delivery", "Make a campaign",
		"Add creators and their codes")
	// Shopify's own test orders are never credited; seeing one with somebody's code is enough.
	h.sell(sale{number: "502", code: "ben10", value: 12_00, test: true})
	all := []string{"Connect a store", "See its first delivery", "Make a campaign", "Add creators and their codes",
		"See a test order arrive"}
	want("", all...).says("All 6 steps are done.", "this is a test order", "Test")
	h.clock.advance(time.Minute)
	h.sell(sale{number: "503", code: "BEN10", value: 30_00})
	want("", all...).says("Order #503", "Credited to Ben (Spring, Ten): code BEN10 belongs to them.")
}

// TestOnboarding: an account that is at work has nothing left to do, whatever came by another way.
func TestOnboarding(t *testing.T) {
	h := busyHouse(t)
	if done, current := h.viewer().get("/start").steps(); len(done) != 6 || current != "" {
		t.Errorf("done are %q, now comes %q", done, current)
	}
}

// TestStart_withoutCodes: a test order without anybody's code is no proof.
func TestStart_withoutCodes(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{number: "501", code: "NOBODY", value: 1_00, test: true}, sale{number: "502", value: 1_00})
	if _, current := h.viewer().get("/start").steps(); current != "See a test order arrive" {
		t.Errorf("now comes %q", current)
	}
}

// TestStart_browser is the way of a new owner, from the empty account to the first credited order, which a real signed
// delivery brings while the page is open.
func TestStart_browser(t *testing.T) {
	h := emptyHouse(t)
	b := h.browseAsNobody()
	b.open(b.setupLink())
	b.says("Welcome")
	b.fill("#name", "Olga Owner")
	b.fill("#email", "olga@northwind.example")
	b.fill("#password", password)
	b.clickText("Create the owner")
	b.until("the home page", func() bool { return b.address() == "/" || b.address() == "/start" })
	b.open("/start")
	b.says("Name your brand", "0 of 6 steps done")
	var zone, wanted string
	b.eval(`document.querySelector("#timezone").value`, &zone)
	b.eval(`Intl.DateTimeFormat().resolvedOptions().timeZone`, &wanted)
	if zone != wanted {
		t.Errorf("the form begins with the zone %s, the browser has %s", zone, wanted)
	}
	b.fill("#name", "Northwind")
	b.clickText("Save and go on")
	b.says("1 of 6 steps done")
	b.clickText("Connect a store")
	b.says("Shopify has its own")
	b.clickText("WooCommerce")
	b.saysNot("Shopify has its own")
	b.says("one is made for you")
	b.clickText("Shopify")
	b.fill("#name", "Northwind US")
	b.fill("#domain", "shop.myshopify.com")
	b.fill("#webhook_secret", "wrong-secret")
	b.clickText("Connect the store")
	b.says("Northwind US is connected", "Waiting for the first delivery", "Steps in the Shopify admin")
	b.clickText("Copy the URL")
	b.says("Copied")

	b.open("/start")
	b.says("Waiting for Northwind US to send something.", "2 of 6 steps done")
	b.connected()
	order := h.body(sale{number: "1001", code: "ANNA10", value: 80_00})
	signed := []string{"X-Shopify-Topic", "orders/paid", "X-Shopify-Hmac-Sha256", shopify.Sign([]byte(shopSecret),
		[]byte(order))}
	if status := h.knock("/webhooks/shopify/northwind-us", order, signed...); status != http.StatusUnauthorized {
		t.Fatalf("a delivery that the wrong secret cannot verify was answered %d", status)
	}
	h.counters.Flush(h.Context())
	b.says("Northwind US sent something, but it was refused.",
		"1 rejected in the last 24 hours: the secret here differs from the store's.")

	b.clickText("Northwind US")
	b.fill("#webhook_secret", shopSecret)
	b.clickText("Add a secret")
	b.says("The secret is added")
	b.open("/creators/import?to=/start")
	b.fill("#campaign", "Spring")
	b.fill("#offer", "Ten percent")
	b.fill("#percent", "10")
	b.fill("#name-0", "Anna Ahlers")
	b.fill("#code-0", "ANNA10")
	b.clickText("Show what it does")
	b.says("Adds 1 campaign, 1 creator")
	b.clickText("Import 1 line")
	b.says("4 of 6 steps done", "Place an order in Northwind US")
	b.connected()
	if status := h.knock("/webhooks/shopify/northwind-us", order, signed...); status != http.StatusOK {
		t.Fatalf("the signed delivery was answered %d", status)
	}
	h.process()
	b.says("All 6 steps are done.", "Order #1001",
		"Credited to Anna Ahlers (Spring, Ten percent): code ANNA10 belongs to them.")
	b.viewport(390, 844)
	if n := b.overflow(); n > 0 {
		t.Errorf("the page is %d pixels too wide", n)
	}
}
