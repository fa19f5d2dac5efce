package dashboard

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// knock posts to the webhook of a store with headers by turns, and gives the status of the answer.
func (h *house) knock(path, body string, header ...string) int {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.url+path, strings.NewReader(body))
	h.must(err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	h.must(err)
	answer.Body.Close()
	return answer.StatusCode
}

// forge posts deliveries to the Shopify store that are signed with another secret, and counts them.
func (h *house) forge(n int) {
	h.Helper()
	for range n {
		if status := h.knock("/webhooks/shopify/shop", "{}", "X-Shopify-Hmac-Sha256",
			shopify.Sign([]byte("another secret"), []byte("{}"))); status != http.StatusUnauthorized {
			h.Fatalf("a forged delivery was answered %d", status)
		}
	}
	h.counters.Flush(h.Context())
}

func (h *house) storeBySlug(slug string) affiliate.Store {
	h.Helper()
	s, err := h.db.StoreBySlug(h.Context(), slug)
	h.must(err)
	return s
}

func TestStoresPage(t *testing.T) {
	h := newHouse(t)
	h.owner().get("/stores").is(http.StatusOK).says("Northwind US", "shop.myshopify.com", "Northwind Boutique",
		"WooCommerce", "Waiting for the first delivery").
		hides("rejected")
	h.sell(sale{code: "ANNA10", value: 100_00})
	h.deliver("shop", "{")
	h.process()
	h.deliver("shop", h.body(sale{number: "2", value: 100}))
	h.forge(12)
	h.clock.advance(2 * time.Minute)
	a := h.viewer().get("/stores").says("Failed deliveries", "20 Nov 2026, 13:00",
		"12 rejected: the secret here differs from the store's.", "“Your webhooks will be signed with”").
		hides("Connect a store")
	// By slug: the boutique first. Waiting, failed, rejected.
	if got := a.texts("tbody tr td.number"); !slices.Equal(got, []string{"0", "0", "0", "1 since 20 Nov 2026, 13:00",
		"1", "12"}) {
		t.Errorf("the figures are %q", got)
	}
	fresh := emptyHouse(t)
	_, err := fresh.app.AddUser(fresh.Context(), people[0], password)
	fresh.must(err)
	fresh.owner().get("/stores").says("No store is connected").one("main a[href=/stores/new].primary")
}

// TestStoreBadge: the worst is what shows.
func TestStoreBadge(t *testing.T) {
	refused, over := []rejection{{N: 1}}, []rejection{{N: 1, Over: true}}
	came := affiliate.Store{State: affiliate.StoreStateActive, LastDeliveryAt: noon}
	silent := affiliate.Store{State: affiliate.StoreStateActive}
	for want, h := range map[string]storeHealth{
		"Ended": {Store: affiliate.Store{State: affiliate.StoreStateEnded}, Failed: 1},
		"App removed": {Store: affiliate.Store{State: affiliate.StoreStateUninstalled,
			LastDeliveryAt: noon}, Failed: 1},
		"Waiting for the first delivery": {Store: silent},
		"Failed deliveries":              {Store: came, Failed: 1, Rejected: 1, Rejections: refused},
		"Deliveries refused":             {Store: came, Rejected: 1, Rejections: refused},
		"Receiving":                      {Store: came, Rejected: 1, Rejections: over},
	} {
		if got := h.badge(false); got.Text != want {
			t.Errorf("got %q, want %q", got.Text, want)
		}
	}
	if got := (storeHealth{Store: silent, Rejected: 1, Rejections: refused}).
		badge(false); got.Text != "Deliveries refused" {
		t.Errorf("refused before anything was accepted: %q", got.Text)
	}
	if got := (storeHealth{Store: came}).badge(true); got.Text != "Behind" {
		t.Errorf("late: %q", got.Text)
	}
}

func TestUnreachable(t *testing.T) {
	shop, woo := shopify.Platform{}.Guide(), woocommerce.Platform{}.Guide()
	for _, c := range []struct {
		address string
		guide   *affiliate.Guide
		want    string
	}{
		{"https://tributary.example", shop, ""},
		{"https://tributary.example", woo, ""},
		{"http://tributary.example:8080", woo, ""},
		{"http://tributary.example", shop, "https addresses only"},
		{"https://tributary.example:8443", woo, "not to 8443"},
		{"https://tributary.example:8443", shop, ""},
		{"http://localhost:8080", shop, "this machine"},
		{"https://192.168.1.2", woo, "its own network"},
		{"https://[::1]", woo, "this machine"},
		{"", shop, "not an address"},
	} {
		if got := c.guide.Unreachable(c.address); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%q for %s: %q, want %q", c.address, c.guide.Name, got, c.want)
		}
	}
}

func TestConnectShopify(t *testing.T) {
	h := newHouse(t)
	v := h.owner()
	v.get("/stores/new").is(http.StatusOK).says("/webhooks/shopify").one("nav a[href=/stores/new?platform=shopify]")
	form := []string{"platform", "shopify", "name", "Northwind UK ", "domain", "https://Northwind-UK.myshopify.com/admin", "currency", "gbp", "timezone", "Europe/London"}
	a := v.post("/stores/new", form...).is(http.StatusUnprocessableEntity).says("Is needed for a Shopify store")
	if got := a.one("input[name=domain]").attr("value"); got != "https://Northwind-UK.myshopify.com/admin" {
		t.Errorf("what was typed came back as %q", got)
	}
	if !a.has("input[name=webhook_secret][aria-invalid=true]") {
		t.Error("the field is not marked")
	}
	for field, value := range map[string]string{"domain": "northwind.example", "currency": "quids",
		"timezone": "London", "name": "", "platform": "magento", "webhook_secret": "short"} {
		wrong := append(slices.Clone(form), "webhook_secret", "shpss_0123456789")
		for i := 0; i < len(wrong); i += 2 {
			if wrong[i] == field {
				wrong[i+1] = value
			}
		}
		v.post("/stores/new", wrong...).is(http.StatusUnprocessableEntity)
	}
	a = v.post("/stores/new", append(form, "webhook_secret", "shpss_0123456789")...).is(http.StatusOK).
		says("Northwind UK is connected", "Waiting for the first delivery", "northwind-uk.myshopify.com", "GBP",
			"Create webhook", "Order creation orders/create", "Order transaction create", "signed with",
			"Send test notification", h.url+"/webhooks/shopify/northwind-uk", "leads to this machine").
		hides("shpss_0123456789", "WordPress", "The store's secret")
	s := h.storeBySlug("northwind-uk")
	a.at("/stores/" + s.ID.String())
	if s.Name != "Northwind UK" || s.Currency != "GBP" || s.Timezone != "Europe/London" {
		t.Errorf("%+v", s)
	}
	// The same name takes another slug; the same shop is refused.
	v.post("/stores/new", append(form, "webhook_secret", "shpss_0123456789")...).is(http.StatusUnprocessableEntity).
		says("connected already")
	form[5] = "northwind-uk-2.myshopify.com"
	v.post("/stores/new", append(form, "webhook_secret", "shpss_0123456789")...).is(http.StatusOK).
		says("/webhooks/shopify/northwind-uk-2")
	for _, v := range []*visitor{h.manager(), h.viewer()} {
		v.get("/stores/new").is(http.StatusForbidden)
		v.post("/stores/new", form...).is(http.StatusForbidden)
	}
}

// TestConnectWooCommerce: the secret that is made shows once, and signs.
func TestConnectWooCommerce(t *testing.T) {
	h := newHouse(t)
	v := h.owner()
	a := v.post("/stores/new", "platform", "woocommerce", "name", "日本", "domain", "shop.example", "currency", "JPY",
		"timezone", "Asia/Tokyo").is(http.StatusOK).
		says("日本 is connected", "Copy it now", "WP REST API Integration v3", "Order restored order.restored",
			"80, 443 and 8080").hides("Shopify shows")
	s := h.storeBySlug("store")
	secret := a.one("code#secret").text()
	if len(secret) != 40 {
		t.Fatalf("the secret is %q", secret)
	}
	if again := v.get("/stores/" + s.ID.String()); again.has("#secret") || strings.Contains(again.body, secret) {
		t.Error("the secret shows a second time")
	}
	// A ping shows that the address is right, without being a delivery.
	if status := h.knock("/webhooks/woocommerce/store", "webhook_id=1", "Content-Type",
		"application/x-www-form-urlencoded"); status != http.StatusOK {
		t.Fatalf("the ping was answered %d", status)
	}
	h.counters.Flush(h.Context())
	v.get("/stores/"+s.ID.String()).says("Waiting for the first delivery", "WooCommerce has reached this address")
	body := `{"id":7}`
	if status := h.knock("/webhooks/woocommerce/store", body, "X-WC-Webhook-Topic", "order.created",
		"X-WC-Webhook-Signature", woocommerce.Sign([]byte(secret), []byte(body))); status != http.StatusOK {
		t.Fatalf("a delivery signed with the secret was answered %d", status)
	}
	h.counters.Flush(h.Context())
	v.get("/stores/"+s.ID.String()).says("Connected.", "order.created").hides("Waiting for the first")
}

// TestSecretIsShownToItsStoreOnly: the cookie that carries a new secret says nothing on another store's page, nor when
// it was tampered with.
func TestSecretIsShownToItsStoreOnly(t *testing.T) {
	h := newHouse(t)
	boutique, shop := h.storeBySlug("boutique"), h.storeBySlug("shop")
	v := h.nobody() // follows no redirects, so that the page with the secret is not opened yet
	v.signIn(h.user(affiliate.RoleOwner).Email)
	v.post("/stores/" + boutique.ID.String() + "/secrets").is(http.StatusSeeOther)
	sealed := v.cookie(secretCookie)
	if sealed == "" {
		t.Fatal("no cookie carries the secret")
	}
	show := func(s affiliate.Store, value string) answer {
		return v.send(http.MethodGet, "/stores/"+s.ID.String(), map[string]string{"Cookie": sessionCookie + "=" +
			v.cookie(sessionCookie) + "; " + secretCookie + "=" + value}, nil)
	}
	if show(shop, sealed).has("#secret") {
		t.Error("another store's page shows it")
	}
	if show(boutique, sealed[:len(sealed)-2]).has("#secret") || show(boutique, "x").has("#secret") {
		t.Error("a damaged cookie shows something")
	}
	part := v.get("/stores/" + boutique.ID.String() + "?part=health")
	if strings.Contains(part.body, "id=\"secret\"") || v.cookie(secretCookie) == "" {
		t.Error("a refreshed part takes the secret")
	}
	v.get("/stores/" + boutique.ID.String()).one("code#secret")
}

func TestSecretsOfAStore(t *testing.T) {
	h := newHouse(t)
	v, s := h.owner(), h.storeBySlug("shop")
	at := "/stores/" + s.ID.String()
	v.get(at).says("Secret 1", "The only one").hides("End secret")
	v.post(at + "/secrets/sec_1/end").is(http.StatusUnprocessableEntity).says("only active secret")
	v.post(at+"/secrets", "webhook_secret", "").is(http.StatusUnprocessableEntity).says("Is needed for a Shopify store")
	v.post(at+"/secrets", "webhook_secret", "another secret").is(http.StatusUnprocessableEntity).
		says("Must not contain spaces")
	v.post(at+"/secrets", "webhook_secret", "another-secret").is(http.StatusOK).says("The secret is added",
		"Secret 2").hides("another-secret", "The only one")
	body := h.body(sale{number: "77", value: 100})
	sign := func(secret string) int {
		return h.knock("/webhooks/shopify/shop", body, "X-Shopify-Hmac-Sha256", shopify.Sign([]byte(secret),
			[]byte(body)))
	}
	if a, b := sign(shopSecret), sign("another-secret"); a != http.StatusOK || b != http.StatusOK {
		t.Errorf("while both are active: %d and %d", a, b)
	}
	secrets, err := h.db.StoreSecrets(h.Context(), s.ID)
	h.must(err)
	v.post(at+"/secrets/"+secrets[0].ID.String()+"/end").is(http.StatusOK).says("The secret is ended", "Ended",
		"The only one")
	v.post(at + "/secrets/sec_99/end").is(http.StatusNotFound)
	for _, v := range []*visitor{h.manager(), h.viewer()} {
		v.get(at).is(http.StatusOK).hides("Secrets", "Add a secret")
		v.post(at+"/secrets", "webhook_secret", "a-third-secret").is(http.StatusForbidden)
		v.post(at + "/secrets/" + secrets[1].ID.String() + "/end").is(http.StatusForbidden)
	}
}

// third is a platform of which only its words are known.
type third struct{ app.Platform }

func (third) Guide() *affiliate.Guide {
	return &affiliate.Guide{Platform: "third", Name: "Third Shops", Admin: "Third", DomainEnd: ".third.example",
		DomainMenu: "Third > Shop", WebhooksMenu: "Third > Hooks", SecretLabel: "Third key",
		FirstSecret: "[Here] it is:"}
}

// TestStoreForm_hints: what is said of a platform shows with that one chosen, nothing that is said of another. A
// platform more needs nothing but its words.
func TestStoreForm_hints(t *testing.T) {
	h := newHouse(t)
	h.app.Platforms = append(h.app.Platforms, third{})
	guides := h.app.Platforms.Guides()
	a := h.owner().get("/stores/new").is(http.StatusOK)
	a.hintsOf(guides[0], guides)
	for _, link := range a.all("nav[aria-label=Platform] a") {
		i := slices.IndexFunc(guides, func(g *affiliate.Guide) bool { return g.Name == link.text() })
		h.owner().get(link.attr("href")).is(http.StatusOK).hintsOf(guides[i], guides)
	}
}

// hintsOf fails the test unless the form shows what is said of one platform and nothing that is said of the others.
func (a answer) hintsOf(chosen *affiliate.Guide, all []*affiliate.Guide) {
	a.Helper()
	text := a.text()
	for _, g := range all {
		p := hintsOf(g)
		for hint, there := range map[string]bool{p.Address: true, p.Secret: true,
			p.Name + " shows no secret yet?": p.FirstSecret != ""} {
			if shown := strings.Contains(text, hint); shown != (there && g == chosen) {
				a.Errorf("with %s chosen, %q shows: %t", chosen.Name, hint, shown)
			}
		}
	}
}

// TestNoPlatformIsNamed: no page, and nothing of how it looks, is made for certain platforms.
func TestNoPlatformIsNamed(t *testing.T) {
	for _, files := range []embed.FS{assetFiles, templateFiles} {
		err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := files.ReadFile(name)
			for _, word := range []string{"shopify", "woocommerce", "wordpress"} {
				if bytes.Contains(bytes.ToLower(text), []byte(word)) {
					t.Errorf("%s speaks of %s", name, word)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestChangeAndEndStore(t *testing.T) {
	h := newHouse(t)
	v, s := h.manager(), h.storeBySlug("shop")
	at := "/stores/" + s.ID.String()
	a := v.get(at+"/edit").is(http.StatusOK).says("The permanent one").
		hides("End this store", "Secret of the webhooks", "Platform", "The shop's own")
	version := a.one("input[name=version]").attr("value")
	form := []string{"version", version, "name", "Northwind America", "domain", "shop.myshopify.com", "currency", "CAD",
		"timezone", "America/Toronto"}
	v.post(at+"/edit", form...).is(http.StatusOK).at(at).says("Northwind America is changed", "CAD", "America/Toronto")
	v.post(at+"/edit", form...).is(http.StatusUnprocessableEntity).says("changed meanwhile")
	form[1], form[5] = "0", "shop.example"
	v.post(at+"/edit", form...).is(http.StatusUnprocessableEntity).says("permanent domain")
	woo := "/stores/" + h.storeBySlug("boutique").ID.String()
	if a.has("#parts") || !v.get(woo+"/edit").is(http.StatusOK).has("#parts") {
		t.Error("orders with a parent are asked about where there are none, or not where there are")
	}
	form = []string{"name", "Boutique", "domain", "boutique.example", "currency", "EUR", "timezone", "Europe/Berlin",
		"parts", "own_orders"}
	v.post(woo+"/edit", form...).is(http.StatusOK).at(woo)
	if got := h.storeBySlug("boutique").Parts; got != affiliate.PartsNever {
		t.Errorf("orders with a parent are %q", got)
	}
	form[9] = "luck"
	if a := v.post(woo+"/edit", form...).is(http.StatusUnprocessableEntity); a.one("#parts").attr("aria-invalid") !=
		"true" {
		t.Errorf("a wrong choice does not show: %s", a.text())
	}
	v.post(at + "/end").is(http.StatusForbidden)
	h.viewer().get(at + "/edit").is(http.StatusForbidden)
	h.owner().get(at + "/edit").says("End this store")
	h.owner().post(at+"/end").is(http.StatusOK).says("Northwind America is ended", "This store was ended").
		hides("Steps in", "Add a secret")
	h.owner().get("/stores").says("Ended")
	h.owner().get("/stores/str_99").is(http.StatusNotFound)
	h.owner().get("/stores/shop").is(http.StatusNotFound)
}

// TestRejections: each cause is told with its own remedy, and calms down once deliveries are accepted again.
func TestRejections(t *testing.T) {
	h := newHouse(t)
	s := h.storeBySlug("boutique")
	at := "/stores/" + s.ID.String()
	for outcome, n := range map[string]int{"bad_signature": 3, "too_large": 2, "unreadable": 1, "unavailable": 1,
		"accepted": 5} {
		for range n {
			h.counters.Count(s.ID, outcome)
		}
	}
	h.counters.Flush(h.Context())
	h.viewer().get(at).says("Something came, but it was refused",
		"3 rejected in the last 24 hours: the secret here differs from the store's.", "paste this store's secret",
		"2 rejected in the last 24 hours: the body is larger", "MAX_BODY_BYTES",
		"1 rejected in the last 24 hours: the body broke off", "the database did not answer",
		"The last one came after 13:00")
	h.clock.advance(90 * time.Minute)
	h.counters.Received(s.ID, "order.updated", true, h.clock.now())
	h.counters.Flush(h.Context())
	h.viewer().get(at).says("deliveries have been accepted since", "Connected. Deliveries come in and are processed.").
		hides("paste this store's secret")
	h.clock.advance(24 * time.Hour)
	h.viewer().get(at).says("Rejected, last 24 hours 0").hides("rejected in the last 24 hours")
}

// TestOtherShop: deliveries of another shop with the same secret are refused by their header, and kept as failed where
// only the body tells.
func TestOtherShop(t *testing.T) {
	h := newHouse(t)
	s := h.storeBySlug("shop")
	at := "/stores/" + s.ID.String()
	h.counters.OtherShop(s.ID, "uk.myshopify.com")
	h.counters.Flush(h.Context())
	h.viewer().get(at).says("1 rejected in the last 24 hours: deliveries of uk.myshopify.com come to this address.",
		"In the admin of uk.myshopify.com open")
	h.viewer().get("/").says("deliveries of uk.myshopify.com come to this address")
	order := h.body(sale{number: "1001", value: 10_00})
	named := func(shop string) string {
		return strings.Replace(order, "{", `{"order_status_url":"https://`+shop+`/1/orders/2",`, 1)
	}
	h.deliver("shop", named("uk.myshopify.com"))
	h.process()
	h.viewer().get("/deliveries/dlv_1").says("Failed",
		"the body is of the shop uk.myshopify.com, not of shop.myshopify.com")
	_, err := h.app.ChangeStore(h.as(affiliate.RoleOwner), s.ID, app.AnyVersion, func(s *affiliate.Store) error {
		s.Domain = "uk.myshopify.com"
		return nil
	})
	h.must(err)
	h.owner().post("/deliveries/dlv_1/replay").is(http.StatusOK)
	h.process()
	h.viewer().get("/deliveries/dlv_1").says("Done")
	h.deliver("shop", named("shop.example"))
	h.process()
	h.viewer().get("/deliveries/dlv_2").says("Done")
}

func TestStoreWarning(t *testing.T) {
	h := newHouse(t)
	s := h.storeBySlug("shop")
	at := "/stores/" + s.ID.String()
	h.deliver("shop", `{"not":"an order"`)
	h.process()
	seen := h.storeBySlug("shop").Warning
	a := h.manager().get(at).says("is not valid JSON")
	a.one("#health a[href=/deliveries/dlv_1].button")
	h.viewer().get(at).says("is not valid JSON").hides("Dismiss")
	h.viewer().post(at+"/warning", "seen", seen).is(http.StatusForbidden)
	h.manager().post(at+"/warning", "seen", "what came before it").says("is not valid JSON")
	h.manager().post(at+"/warning", "seen", seen).is(http.StatusOK).at(at)
	if s := h.storeBySlug("shop"); s.Warning != "" {
		t.Errorf("the warning is still %q", s.Warning)
	}
	log, _, err := h.db.AuditLog(h.Context(), s.ID.String(), storage.Page{})
	h.must(err)
	if log[0].Action != "store.warning.dismiss" && log[len(log)-1].Action != "store.warning.dismiss" {
		t.Errorf("the audit log does not tell: %+v", log)
	}
}

// TestUninstalled: Shopify tells that the app was removed; the store's page says so.
func TestUninstalled(t *testing.T) {
	h := newHouse(t)
	body := `{"id":1,"name":"Northwind","shop_owner":"Olga","myshopify_domain":"shop.myshopify.com"}`
	status := h.knock("/webhooks/shopify/shop", body, "X-Shopify-Topic", "app/uninstalled", "X-Shopify-Hmac-Sha256",
		shopify.Sign([]byte(shopSecret), []byte(body)))
	if status != http.StatusOK {
		t.Fatalf("it was answered %d", status)
	}
	h.process()
	h.viewer().get("/stores/str_1").says("The app was removed from the shop.")
	h.viewer().get("/stores").says("App removed")
}

// TestDataRequest: that a customer asks for their data leads from home to what to send, and is done with by a button.
func TestDataRequest(t *testing.T) {
	h := newHouse(t)
	body := `{"shop_id":1,"shop_domain":"shop.myshopify.com","orders_requested":[7],"customer":{"id":2},"data_request":{"id":3}}`
	status := h.knock("/webhooks/shopify/shop", body, "X-Shopify-Topic", "customers/data_request",
		"X-Shopify-Hmac-Sha256", shopify.Sign([]byte(shopSecret), []byte(body)))
	if status != http.StatusOK {
		t.Fatalf("it was answered %d", status)
	}
	h.process()
	link := h.manager().get("/").one("#tasks li a")
	if link.text() != "Northwind US: a customer asked for their data; answer within 30 days." {
		t.Errorf("home says %q", link.text())
	}
	page := h.manager().get(link.attr("href")).is(http.StatusOK).says("Send them what is kept here", "Then press Done.")
	at := link.attr("href")
	h.viewer().get(at).hides("Done Open")
	h.manager().post(at+"/warning", "seen", page.one("input[name=seen]").attr("value")).hides("asked the store")
	h.manager().get("/").hides("asked for their data")
}

// TestSilence: a store that has sent three deliveries an hour for weeks is missed after some hours; a topic that comes
// with every order and never came is told of.
func TestSilence(t *testing.T) {
	h := newHouse(t)
	s := h.storeBySlug("boutique")
	at := "/stores/" + s.ID.String()
	now := h.clock.now()
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		tally := storage.StoreTally{Now: now, Activity: []storage.StoreActivity{{StoreID: s.ID, Delivery: now}},
			Topics: []storage.StoreTopicCount{{StoreID: s.ID, Topic: "order.updated",
				First: now.Add(-affiliate.RhythmSpan), Last: now, N: 2000}}}
		for n := range 4 * 7 * 24 {
			tally.Counts = append(tally.Counts, storage.StoreCount{StoreID: s.ID, Outcome: "accepted", N: 3,
				Hour: storage.At(now.Truncate(time.Hour).Add(time.Duration(-n) * time.Hour))})
		}
		return tx.AddStoreCounts(h.Context(), tally)
	}))
	v := h.viewer()
	v.get(at).says("These never came", "Order created", "2 of the needed topics have not come yet",
		"comes when an order goes to the trash").hides("quiet for")
	v.get("/stores").says("Topics missing", "“Order created” never came")
	h.clock.advance(90 * time.Minute)
	v.get(at).says("quiet for 1 hour; usually 3 deliveries an hour at this time").hides("Unusually quiet")
	h.clock.advance(8 * time.Hour)
	v.get(at).says("Unusually quiet for 9 hours; usually 3 deliveries an hour at this time.", "Scheduled Actions",
		"But nothing has come for longer than usual")
	v.get("/stores").says("Unusually quiet")
	v.get("/").says("Northwind Boutique: Unusually quiet for 9 hours", "“Order created” never came")
}

// TestGaps: a time in which the server was down is told on the pages of the stores until it is dismissed, calmly when
// it was planned.
func TestGaps(t *testing.T) {
	h := newHouse(t)
	s := h.storeBySlug("boutique")
	at := "/stores/" + s.ID.String()
	now := h.clock.now()
	var list []storage.Notice
	add := func(kind storage.NoticeKind, store affiliate.StoreID, before, length time.Duration) {
		list = append(list, storage.Notice{Kind: kind, StoreID: store, From: storage.At(now.Add(-before)),
			To: storage.At(now.Add(length - before)), NoticedAt: storage.At(now)})
	}
	add(storage.NoticeStopped, s.ID, time.Hour, 4*time.Second)
	add(storage.NoticeDied, s.ID, 30*time.Minute, 7*time.Minute)
	add(storage.NoticeClock, 0, 0, 5*time.Hour)
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error { return tx.AddNotices(h.Context(), list) }))
	v, m, o := h.viewer(), h.manager(), h.owner()
	const died, stopped, clock = "The server was down from 20 Nov 2026, 12:30:00 to 12:37:00 CET",
		"The server was stopped from 20 Nov 2026, 12:00:00 to 12:00:04 CET", "clock went forward by 5h0m0s"
	v.get(at).says(died, "compare the store's orders of this time", stopped).hides("Dismiss", clock)
	v.get("/").says("Northwind Boutique: "+died).hides(stopped, clock)
	v.get("/stores").says(died).hides(stopped, clock)
	o.get("/").says(clock)
	o.get("/stores").says(clock)
	v.post(at+"/notices", "notice", "ntc_2").is(http.StatusForbidden)
	m.post("/notices", "notice", "ntc_3").is(http.StatusForbidden)
	m.get(at).says("Dismiss all 2")
	m.post(at+"/notices", "notice", "ntc_x").is(http.StatusUnprocessableEntity)
	m.post(at+"/notices", "notice", "ntc_2", "notice", "ntc_3").is(http.StatusOK).hides(died).says(stopped)
	o.get("/").hides(died).says(clock)
	o.post("/notices", "notice", "ntc_3").is(http.StatusOK).hides(clock)
	o.get("/settings/audit").says("took away a notice of the store")
}

// TestStore_refusedThenAccepted: what was refused is no trouble any more once a later delivery was accepted, also
// within the same hour.
func TestStore_refusedThenAccepted(t *testing.T) {
	h := newHouse(t)
	shop := "/stores/" + h.storeBySlug("shop").ID.String()
	h.forge(1)
	v := h.owner()
	v.get(shop).says("1 rejected in the last 24 hours")
	v.get("/stores").says("Deliveries refused")
	v.get("/").says("rejected in the last 24 hours")
	h.clock.advance(time.Minute)
	h.sell(sale{value: 10_00})
	h.counters.Flush(h.Context())
	v.get(shop).says("deliveries have been accepted since")
	v.get("/stores").says("Receiving").hides("Deliveries refused")
	v.get("/").hides("rejected in the last 24 hours")
	v.get("/start").hides("it was refused")
	h.clock.advance(time.Minute)
	h.forge(1)
	v.get(shop).hides("deliveries have been accepted since")
	v.get("/stores").says("Deliveries refused")
}
