package dashboard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/app/apptest"
	"github.com/tributaryhq/tributary/internal/storage"
)

// askedHouse is a house whose WooCommerce stores answer: the boutique, which has only sent so far, and an outlet, which
// is not here yet.
func askedHouse(t *testing.T) (h *house, boutique, outlet *apptest.Shop) {
	t.Helper()
	h = newHouse(t)
	boutique = &apptest.Shop{Site: "https://boutique.example", Secret: outletSecret, Known: affiliate.StoreFacts{
		Name: "Boutique", Domain: "boutique.example", Currency: "EUR", Timezone: "Europe/Berlin"}}
	outlet = &apptest.Shop{Site: "https://outlet.example", Secret: outletSecret, Known: affiliate.StoreFacts{
		Name: "Northwind Outlet", Domain: "outlet.example", Currency: "GBP", Timezone: "Europe/London"}}
	h.app.Connectors = app.Connectors{woocommerce.Name: apptest.Shops{boutique, outlet}}
	access := apptest.KeyPairs
	access.Unseen = "Webhooks of other apps do not show here."
	access.CodeNeeds = []string{"write_coupons"}
	i := slices.IndexFunc(h.app.Platforms, func(p app.Platform) bool { return p.Guide().Platform == woocommerce.Name })
	h.app.Platforms[i] = apptest.Platform(h.app.Platforms[i], access)
	h.app.LocalStores = true
	return h, boutique, outlet
}

const (
	outletKey    = "ck_00000000000000000000000000000000000000a1"
	outletSecret = "cs_00000000000000000000000000000000000000b2"
)

var outletForm = []string{"platform", "woocommerce", "kind", "keys", "address", "outlet.example", "id", outletKey,
	"secret", outletSecret}

// TestConnect_keys: keys that a store answers to make the store here, with what its API says of it; wrong ones are told
// at their field and come back to be mended.
func TestConnect_keys(t *testing.T) {
	h, _, outlet := askedHouse(t)
	v := h.owner()
	v.get("/stores/new?platform=woocommerce").is(http.StatusOK).says("Approve in the store", "Or with keys",
		"Keys made by hand", "Make a key.", "Consumer key", "Connect by webhooks made by hand")
	v.get("/stores/new?platform=shopify").says("Secret of the webhooks").hides("Approve in the store", "Or with keys",
		"Connect by webhooks")
	wrong := slices.Clone(outletForm)
	wrong[5] = "no address"
	a := v.post("/stores/connect/keys", wrong...).is(http.StatusUnprocessableEntity).says("Is no address.")
	if e := a.one("#keys-address[autofocus]"); e.attr("aria-invalid") != "true" || e.attr("value") != "no address" {
		t.Errorf("the field of the address is %q, invalid %q", e.attr("value"), e.attr("aria-invalid"))
	}
	if a.one("#keys-id").attr("value") != outletKey || !a.has("#fold-keys[open]") {
		t.Error("what was typed is gone, or its form folded")
	}
	wrong[5], wrong[9] = "outlet.example", "cs_of_another"
	a = v.post("/stores/connect/keys", wrong...).is(http.StatusUnprocessableEntity).
		says("The shop refuses the keys: make new ones.")
	if a.one("#keys-id").attr("aria-invalid") != "true" {
		t.Error("the refused key is not marked")
	}
	taken := append(slices.Clone(outletForm), "slug", "boutique")
	if e := v.post("/stores/connect/keys", taken...).is(http.StatusUnprocessableEntity).says("is taken").
		one("#keys-slug"); e.attr("value") != "boutique" || e.attr("aria-invalid") != "true" {
		t.Error("the name in addresses that is taken is not marked")
	}
	outlet.Known.Missing = []string{"read_orders", "write_coupons"}
	v.post("/stores/connect/keys", outletForm...).is(http.StatusOK).
		says("Northwind Outlet is connected, and its API answers", "4 webhooks were made there", "GBP", "Europe/London",
			"The API answers; waiting for the first webhook", "Place a test order", "The store’s API", "…00a1",
			"Order created", "In use", "Missing: read_orders .", "Codes are made by hand here.",
			"the keys also need write_coupons .", "Webhooks of other apps do not show here",
			"Webhooks by hand").
		hides(outletKey, outletSecret)
	list, err := h.db.StoresByDomain(h.Context(), woocommerce.Name, "outlet.example")
	h.must(err)
	if len(list) != 1 || list[0].Name != "Northwind Outlet" || list[0].Currency != "GBP" {
		t.Errorf("%+v", list)
	}
	at := storeAddress(list[0])
	for _, path := range []string{"/stores/connect", "/stores/connect/keys"} {
		to := v.post(path, outletForm...).is(http.StatusUnprocessableEntity).says("The shop outlet.example is "+
			"connected already, as the store Northwind Outlet").hides("--store", "outlet-example").one("main form p a")
		if to.attr("href") != at {
			t.Errorf("%s leads to %s", path, to.attr("href"))
		}
		h.manager().post(path, outletForm...).is(http.StatusForbidden)
	}
}

// TestConnect_approve: the owner is led to the store by a page, comes back, and gets to the store's page once its keys
// are here. Nobody else sees how it stands.
func TestConnect_approve(t *testing.T) {
	h, _, outlet := askedHouse(t)
	h.app.LocalStores = false
	h.owner().post("/stores/connect", "platform", "woocommerce", "address", "https://outlet.example").
		is(http.StatusUnprocessableEntity).says("https").one("#ask-address")
	sessions := map[affiliate.Role]string{}
	for _, role := range []affiliate.Role{affiliate.RoleOwner, affiliate.RoleManager} {
		sessions[role] = "__Host-" + sessionCookie + "=" + h.signedIn(role).cookie(sessionCookie)
	}
	h.app.PublicURL = "https://tributary.example" // where cookies have other names, and redirects lead
	const owner = affiliate.RoleOwner
	get := func(role affiliate.Role, query ...string) answer {
		t.Helper()
		values := url.Values{}
		for pair := range slices.Chunk(query, 2) {
			values.Set(pair[0], pair[1])
		}
		return h.nobody().send(http.MethodGet, "/stores/connect/return?"+values.Encode(),
			map[string]string{"Cookie": sessions[role]}, nil)
	}
	ask := func() string {
		t.Helper()
		form := url.Values{"platform": {"woocommerce"}, "address": {"https://outlet.example"}}
		a := h.nobody().send(http.MethodPost, "/stores/connect", map[string]string{"Cookie": sessions[owner],
			"Content-Type": "application/x-www-form-urlencoded"}, strings.NewReader(form.Encode())).is(http.StatusOK).
			says("You are on your way to outlet.example")
		to := a.one("main a.primary").attr("href")
		if got := a.header.Get("Refresh"); got != "0; url="+to {
			t.Errorf("the browser is led by %q, the link to %q", got, to)
		}
		u, err := url.Parse(to)
		h.must(err)
		if back := u.Query().Get("return_url"); u.Host != "outlet.example" ||
			back != "https://tributary.example/stores/connect/return" {
			t.Errorf("the store's page is %s", to)
		}
		return u.Query().Get("user_id")
	}
	state := ask()
	a := get(owner, "success", "1", "user_id", state).is(http.StatusOK).says("Waiting for the store’s keys")
	if a.header.Get("Refresh") != "2" {
		t.Errorf("it is looked at again: %q", a.header.Get("Refresh"))
	}
	get(affiliate.RoleManager, "success", "1", "user_id", state).is(http.StatusForbidden)
	get(owner, "success", "1", "user_id", "other").is(http.StatusNotFound).says("is not known here")
	if to := get(owner).is(http.StatusSeeOther).header.Get("Location"); to != "/stores/new" {
		t.Errorf("without a request one gets to %s", to)
	}
	a = get(owner, "success", "0", "user_id", state).is(http.StatusOK).says("turned down in the store", "Begin anew")
	if a.header.Get("Refresh") != "" {
		t.Error("a denied request is still waited for")
	}
	h.must(h.app.ReceiveAccess(h.Context(), woocommerce.Name, "192.0.2.1",
		apptest.Answer(state, outletKey, outletSecret)))
	to := get(owner, "success", "1", "user_id", state).is(http.StatusSeeOther).header.Get("Location")
	if to != storeAddress(h.storeBySlug("outlet-example")) {
		t.Errorf("the request leads to %s", to)
	}
	h.nobody().send(http.MethodGet, to, map[string]string{"Cookie": sessions[owner]}, nil).is(http.StatusOK).
		says("Approved in the store")
	outlet.Known.Domain = "second.example"
	late := ask()
	h.clock.advance(11 * time.Minute)
	a = get(owner, "success", "1", "user_id", late).is(http.StatusOK).says("Not connected", "Begin anew")
	if a.header.Get("Refresh") != "" {
		t.Error("a request that has ended is still waited for")
	}
}

// TestConnect_browser: the policy of our pages forbids forms to lead to other sites, and still a browser gets to the
// store from ours, and back.
func TestConnect_browser(t *testing.T) {
	h, _, _ := askedHouse(t)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<link rel="icon" href="data:,"><h1>May Tributary?</h1><a id="deny" href="%s?success=0&user_id=%s">Deny</a>`,
			q.Get("return_url"), q.Get("user_id"))
	}))
	t.Cleanup(store.Close)
	h.app.Connectors[woocommerce.Name] = apptest.Shops{{Site: store.URL,
		Known: affiliate.StoreFacts{Domain: strings.TrimPrefix(store.URL, "http://")}}}
	for _, script := range []bool{true, false} {
		b := h.browse(affiliate.RoleOwner)
		if !script {
			b.withoutScript()
		}
		b.excuse("asked another server: " + store.URL)
		b.open("/stores/new?platform=woocommerce")
		b.fill("#ask-address", store.URL)
		b.clickText("Approve in the store")
		b.says("May Tributary?")
		b.click("#deny")
		b.says("Not approved", "turned down in the store")
	}
}

// TestStoreAPI: an existing store says what it misses, is connected, and then tells how its API fares; owners act on
// it.
func TestStoreAPI(t *testing.T) {
	h, boutique, _ := askedHouse(t)
	at := storeAddress(h.storeBySlug("boutique"))
	v := h.owner()
	v.get(at).says("This store only sends", "are not fetched", "Orders from before").one("#keys-id")
	h.viewer().get(at).says("This store only sends", "An owner can connect it").hides("Consumer key", "Approve in")
	form := []string{"kind", "keys", "address", "outlet.example", "id", outletKey, "secret", outletSecret}
	v.post(at+"/access", form...).is(http.StatusUnprocessableEntity).
		says("This leads to the shop outlet.example, but the store Northwind Boutique is").
		one("#fold-keys[open]")
	form[3] = "boutique.example"
	v.post(at+"/access", form...).is(http.StatusOK).at(at+"#api").says("Northwind Boutique answers",
		"Exchange the keys: Keys made by hand", "Check now", "New webhook secret", "Disconnect from the API").
		hides("This store only sends", outletSecret)
	h.viewer().get(at).says("The store’s API", "…00a1", "In use").hides("Check now", "Exchange the keys", "Disconnect")

	v.post(at + "/access/check").is(http.StatusOK).says("the webhooks are as they should be")
	boutique.SetHooks(func(list []affiliate.StoreWebhook) []affiliate.StoreWebhook { return list[1:] })
	v.post(at+"/access/check").is(http.StatusOK).says("The API answers.", "was gone from the store", "Made anew: “")
	v.post(at+"/secrets/rotate").is(http.StatusOK).says("have a new secret", "Replaced", "deleted at 14:00",
		"ends at 14:00", "Add a secret for webhooks made by hand").one("#secrets[data-live]")

	boutique.Fail("", apptest.Refused())
	v.post(at + "/access/check").is(http.StatusUnprocessableEntity).says("The shop refuses the keys: make new ones.")
	v.get(at).says("API refuses the keys, since 20 Nov 2026, 13:00", "Does not answer as it should")
	v.get("/stores").says("API refuses the keys", "The shop refuses the keys: make new ones.")
	v.get("/").says("Northwind Boutique: The shop refuses the keys: make new ones.")
	boutique.Fail("", nil)
	v.post(at + "/access/check").is(http.StatusOK)
	v.get("/stores").hides("API refuses the keys")
	for _, path := range []string{"/access", "/access/ask", "/access/check", "/access/end", "/secrets/rotate"} {
		h.manager().post(at + path).is(http.StatusForbidden)
	}
	const gone = "Disconnected from its API. No orders come until webhooks are made by hand"
	v.post(at+"/access/end").is(http.StatusOK).says("The keys are forgotten", "Settings → REST API",
		"This store only sends", gone).hides("Deliveries come in", "Waiting for the first")
	v.get("/stores").says("Disconnected")
	v.get("/").says("Northwind Boutique: " + gone)
	if left := boutique.Hooks(); len(left) != 0 {
		t.Errorf("webhooks are left: %v", left)
	}
	v.post(at+"/access", form...).is(http.StatusOK).hides(gone)
	const request = "A customer asked the store for their data (delivery dlv_1): answer within 30 days."
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		return tx.WarnStore(h.Context(), h.storeBySlug("boutique").ID, request)
	}))
	v.post(at + "/access/end").is(http.StatusOK).says("A customer asked the store for their data").hides(gone)
}

// TestAPITrouble: what passes by itself is told outside the store's page only once it lasts.
func TestAPITrouble(t *testing.T) {
	h := newHouse(t)
	r := &request{d: h.dashboard, zone: time.UTC}
	for _, c := range []struct {
		code string
		ago  time.Duration
		want string
	}{
		{affiliate.StoreDown, time.Minute, ""},
		{affiliate.StoreDown, time.Hour, "API does not answer"},
		{affiliate.StoreUnreachable, time.Minute, ""},
		{affiliate.StoreKeysRefused, 0, "API refuses the keys"},
		{affiliate.StoreForbidden, 0, "API refuses the keys"},
		{affiliate.StoreFirewall, 0, "API does not answer"},
	} {
		got := r.apiTroubleOf(storage.StoreAccess{Trouble: "it fails", TroubleCode: c.code,
			TroubleAt: noon.Add(-c.ago)})
		if (got == nil) != (c.want == "") || got != nil && (got.Badge.Text != c.want || got.Text != "It fails.") {
			t.Errorf("%s since %s: %+v, want %q", c.code, c.ago, got, c.want)
		}
	}
	if r.apiTroubleOf(storage.StoreAccess{}) != nil {
		t.Error("a store without trouble has some")
	}
}
