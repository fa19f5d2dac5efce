package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/app/apptest"
)

// garden lets a WooCommerce shop answer at garden.example.
func (o *office) garden() *apptest.Shop {
	shop := &apptest.Shop{Site: "https://garden.example", Secret: "cs_right-secret", Known: affiliate.StoreFacts{
		Name: "The garden", Domain: "garden.example", Currency: "EUR", Timezone: "Europe/Vienna"}}
	o.app.Connectors = app.Connectors{woocommerce.Name: apptest.Shops{shop}}
	return shop
}

// TestAPI_storeAccess walks through what can be done with a store's API.
func TestAPI_storeAccess(t *testing.T) {
	eachOffice(t, func(o *office) {
		shop := o.garden()
		keys := func(secret string, more object) object {
			all := object{"address": "garden.example", "id": "ck_0123456789ab", "secret": secret}
			for name, v := range more {
				all[name] = v
			}
			return all
		}
		detail := o.owner.call("POST", v1+"/stores/connect", keys("cs_wrong", object{"platform": "woocommerce"})).
			problem(422, "invalid", "id")
		if !strings.Contains(detail, "make new ones") {
			o.Errorf("detail %q", detail)
		}
		o.manager.call("POST", v1+"/stores/connect", keys(shop.Secret, object{"platform": "woocommerce"})).
			problem(403, "forbidden", "")
		made := o.owner.call("POST", v1+"/stores/connect", keys(shop.Secret, object{"platform": "woocommerce"})).ok(200)
		if made["slug"] != "garden-example" || made["made"] != true || made["connected"] != true ||
			len(made["webhooks_made"].([]any)) != 4 || len(shop.Hooks()) != 4 {
			o.Errorf("connected: %v", made)
		}
		const store = v1 + "/stores/garden-example"
		o.owner.call("POST", v1+"/stores/connect", keys(shop.Secret, object{"platform": "woocommerce"})).
			problem(409, "conflict", "address")
		read := o.owner.call("GET", store+"/access", nil)
		if b := read.ok(200); b["kind"] != "keys" || b["key"] != "…89ab" || b["trouble"] != nil ||
			len(b["webhooks"].([]any)) != 4 || strings.Contains(read.raw, "right-secret") {
			o.Errorf("access: %v", b)
		}
		o.manager.call("GET", store+"/access", nil).problem(403, "forbidden", "")

		shop.SetHooks(func(list []affiliate.StoreWebhook) []affiliate.StoreWebhook { return list[1:] })
		checked := o.owner.call("POST", store+"/access/check", nil).ok(200)
		if fmt.Sprint(checked["webhooks_made"]) != "[order.created]" || len(checked["found"].([]any)) != 1 {
			o.Errorf("checked: %v", checked)
		}
		shop.Fail("facts", apptest.Down())
		down := o.owner.call("POST", store+"/access/check", nil).ok(200)["access"].(object)
		if down["trouble_code"] != "store_down" || down["trouble_at"] == nil {
			o.Errorf("down: %v", down)
		}
		shop.Fail("facts", nil)
		shop.Fail("make", apptest.Refused())
		o.owner.call("POST", store+"/secrets/rotate", nil).problem(409, "conflict", "")
		shop.Fail("make", nil)
		if list := o.owner.call("POST", store+"/secrets/rotate", nil).ok(200)["data"].([]any); len(list) < 3 {
			o.Errorf("secrets: %v", list)
		}
		shop.Secret = "cs_new"
		changed := o.owner.call("PUT", store+"/access", keys("cs_new", object{"id": "ck_00000000cdef"})).ok(200)
		if changed["made"] != false || changed["id"] != made["id"] {
			o.Errorf("exchanged: %v", changed)
		}
		if left := o.owner.call("DELETE", store+"/access", nil).ok(200)["left"].([]any); len(left) > 0 ||
			len(shop.Hooks()) > 0 {
			o.Errorf("left %v, there %v", left, shop.Hooks())
		}
		if b := o.owner.call("GET", store+"/access", nil).ok(200); b["connected"] != false {
			o.Errorf("access: %v", b)
		}
		o.owner.call("DELETE", store+"/access", nil).problem(409, "conflict", "")
		o.owner.call("POST", store+"/access/check", nil).problem(409, "conflict", "")
		if b := o.viewer.call("GET", store, nil).ok(200); b["connected"] != false {
			o.Errorf("store: %v", b)
		}
	})
}

// TestAPI_storeAccess_repeated: a repeat with the same key makes no second store and no second webhooks.
func TestAPI_storeAccess_repeated(t *testing.T) {
	eachOffice(t, func(o *office) {
		shop := o.garden()
		for range 2 {
			o.owner.callWith(map[string]string{"Idempotency-Key": "k1"}, "POST", v1+"/stores/connect", object{
				"platform": "woocommerce", "address": "garden.example", "id": "ck_1", "secret": shop.Secret}).ok(200)
		}
		for range 2 {
			o.owner.callWith(map[string]string{"Idempotency-Key": "k2"}, "POST",
				v1+"/stores/garden-example/secrets/rotate", nil).ok(200)
		}
		if n := len(shop.Hooks()); n != 8 {
			o.Errorf("%d webhooks, want 8", n)
		}
	})
}

// TestConnectCallback: a store sends keys to an address where nobody is signed in; it gets 200 when they are kept, and
// otherwise an error that repeats nothing of them.
func TestConnectCallback(t *testing.T) {
	eachOffice(t, func(o *office) {
		shop := o.garden()
		ask := object{"platform": "woocommerce", "address": "garden.example", "slug": "eden"}
		asked := o.owner.call("POST", v1+"/stores/access-requests", ask).ok(201)
		at, err := url.Parse(asked["url"].(string))
		if err != nil || at.Query().Get("return_url") != "https://t.example/stores/connect/return" {
			o.Fatal(at, err)
		}
		request := v1 + "/stores/access-requests/" + asked["state"].(string)
		if b := o.owner.call("GET", request, nil).ok(200); b["waiting"] != true || b["store"] != nil {
			o.Errorf("waits: %v", b)
		}
		callback, _ := url.Parse(at.Query().Get("callback_url"))
		send := func(body []byte) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			o.nobody.handler.ServeHTTP(w, httptest.NewRequest("POST", callback.Path, bytes.NewReader(body)))
			return w
		}
		right := apptest.Answer(asked["state"].(string), "ck_0123456789ab", shop.Secret)
		for want, body := range map[int][]byte{
			http.StatusNotFound:              apptest.Answer("guess", "ck_marked", "cs_marked"),
			http.StatusUnprocessableEntity:   []byte("{"),
			http.StatusRequestEntityTooLarge: slices.Concat(right, bytes.Repeat([]byte(" "), 64<<10)),
		} {
			if w := send(body); w.Code != want || strings.Contains(w.Body.String(), "marked") {
				o.Errorf("got %d %s, want %d", w.Code, w.Body, want)
			}
		}
		if w := send(right); w.Code != http.StatusOK || w.Body.Len() > 0 {
			o.Errorf("got %d %s", w.Code, w.Body)
		}
		if w := send(right); w.Code != http.StatusNotFound {
			o.Errorf("a second time: %d %s", w.Code, w.Body)
		}
		b := o.owner.call("GET", request, nil).ok(200)
		if b["waiting"] != false || b["store"] != o.viewer.call("GET", v1+"/stores/eden", nil).ok(200)["id"] {
			o.Errorf("done: %v", b)
		}
		o.owner.call("GET", v1+"/stores/access-requests/guess", nil).problem(404, "not_found", "")
		shop.Secret = "cs_other"
		asked = o.owner.call("POST", v1+"/stores/access-requests", object{"store": "eden",
			"address": "garden.example"}).ok(201)
		w := send(apptest.Answer(asked["state"].(string), "ck_1", "cs_marked"))
		if w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String(), "marked") {
			o.Errorf("keys that the shop refuses: %d %s", w.Code, w.Body)
		}
	})
}
