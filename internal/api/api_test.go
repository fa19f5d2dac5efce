package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/live"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/web"
)

// client asks the API as one role.
type client struct {
	*testing.T
	handler http.Handler
	token   string
}

type object = map[string]any

// answer is what came back.
type answer struct {
	*testing.T
	status int
	header http.Header
	body   object
	raw    string
}

// call sends a request; body is sent as it is when it is a string, as JSON otherwise. The answer is compared with the
// OpenAPI document.
func (c client) call(method, path string, body any) answer {
	c.Helper()
	return c.callWith(nil, method, path, body)
}

// callWith is call with headers.
func (c client) callWith(header map[string]string, method, path string, body any) answer {
	c.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		var err error
		if text, err = json.Marshal(b); err != nil {
			c.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(text))
	if text != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	conform(c.T, c.handler, method, path, w.Code, w.Header(), w.Body.Bytes())
	a := answer{T: c.T, status: w.Code, header: w.Header(), raw: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body) // empty for what is no object
	return a
}

// ok fails the test unless the status is as wanted.
func (a answer) ok(status int) object {
	a.Helper()
	if a.status != status {
		a.Fatalf("got %d %s, want %d", a.status, a.raw, status)
	}
	return a.body
}

// problem fails the test unless the answer is a whole problem document.
func (a answer) problem(status int, code, field string) string {
	a.Helper()
	got, _ := a.body["field"].(string)
	if a.status != status || a.body["code"] != code || got != field || a.body["status"] != float64(status) ||
		a.body["type"] != "/docs/problems#"+code {
		a.Errorf("got %d %s, want %d, code %s, field %q", a.status, a.raw, status, code, field)
	}
	if t := a.header.Get("Content-Type"); t != "application/problem+json" {
		a.Errorf("Content-Type %q", t)
	}
	detail, _ := a.body["detail"].(string)
	return detail
}

type office struct {
	*testing.T
	app                            *app.App
	hub                            *live.Hub
	queue                          *jobs.Queue
	log                            *logText
	owner, manager, viewer, nobody client
}

// logText is what the server has logged.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eachOffice runs a test on both databases with a client of every role.
func eachOffice(t *testing.T, test func(o *office)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		sealer, err := app.NewSealer([]byte(strings.Repeat("k", app.MinSecretKey)))
		if err != nil {
			t.Fatal(err)
		}
		kept := &logText{}
		log := slog.New(slog.NewTextHandler(kept, nil))
		redis, err := jobs.Open("")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = redis.Close() }) // it goes with the test
		hub, queue := live.NewHub(redis.Client(), log), jobs.NewQueue(redis)
		a := &app.App{DB: db, Sealer: sealer, Log: log, Now: time.Now, PublicURL: "https://t.example", Live: hub, Queue: queue,
			Platforms: app.Platforms{shopify.Platform{}, woocommerce.Platform{}}}
		const unlimited = 1_000_000
		handler, err := withAPI(&web.Server{App: a, Log: log, Version: "test", Hub: hub, Queue: queue,
			Counters: app.NewCounters(db, time.Now, log),
			Limiter:  web.NewLimiter(redis.Client(), unlimited, log)}).Handler()
		if err != nil {
			t.Fatal(err)
		}
		o := &office{T: t, app: a, hub: hub, queue: queue, log: kept, nobody: client{t, handler, ""}}
		for role, c := range map[affiliate.Role]*client{affiliate.RoleOwner: &o.owner,
			affiliate.RoleManager: &o.manager, affiliate.RoleViewer: &o.viewer} {
			token, err := a.AddToken(t.Context(), app.TokenDraft{Name: string(role), Role: role})
			if err != nil {
				t.Fatal(err)
			}
			*c = client{t, handler, token.Value}
		}
		test(o)
	})
}

// withAPI adds the API to a server.
func withAPI(s *web.Server) *web.Server {
	api.New(s, web.NewAttachments(s.App.DB))
	return s
}

const v1 = web.APIPrefix

// TestAPI_catalog walks through the whole catalog: create, read, list, update, end.
func TestAPI_catalog(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.manager
		store := o.owner.call("POST", v1+"/stores", object{"platform": "woocommerce", "slug": "shop", "name": "Shop", "domain": "https://Shop.example/de",
			"currency": "eur", "timezone": "Europe/Berlin"}).ok(201)
		if secret, _ := store["webhook_secret"].(string); len(secret) != 40 || store["domain"] != "shop.example" ||
			store["currency"] != "EUR" ||
			store["webhook_url"] != "https://t.example/webhooks/woocommerce/shop" || len(store["instructions"].([]any)) == 0 {
			o.Errorf("store: %v", store)
		}
		for _, ref := range []string{"shop", store["id"].(string)} {
			read := o.viewer.call("GET", v1+"/stores/"+ref, nil).ok(200)
			if _, told := read["webhook_secret"]; told || read["slug"] != "shop" || read["last_delivery_at"] != nil {
				o.Errorf("read store: %v", read)
			}
		}
		if changed := m.call("PATCH", v1+"/stores/shop", object{"name": "Renamed", "version": 1}).
			ok(200); changed["name"] != "Renamed" || changed["version"] != 2.0 {
			o.Errorf("changed store: %v", changed)
		}
		m.call("PATCH", v1+"/stores/shop", object{"name": "Lost", "version": 1}).problem(409,
			"version_conflict", "version")

		if changed := m.call("PATCH", v1+"/stores/shop", object{"parts": "own_orders"}).
			ok(200); store["parts"] != "decide" || changed["parts"] != "own_orders" {
			o.Errorf("orders with a parent: %v, then %v", store["parts"], changed["parts"])
		}
		m.call("PATCH", v1+"/stores/shop", object{"parts": "luck"}).problem(422, "invalid", "parts")

		campaign := m.call("POST", v1+"/campaigns", object{"name": "Spring", "starts_at": "2026-03-01T00:00:00+01:00",
			"attribution_window_days": 14}).ok(201)
		if campaign["starts_at"] != "2026-02-28T23:00:00Z" || campaign["attribution_window_days"] != 14.0 ||
			campaign["precedence"] != nil || campaign["status"] != "active" {
			o.Errorf("campaign: %v", campaign)
		}
		path := v1 + "/campaigns/" + campaign["id"].(string)
		if c := m.call("PATCH", path, object{"starts_at": nil, "precedence": "link_first"}).
			ok(200); c["starts_at"] != nil || c["precedence"] != "link_first" ||
			c["attribution_window_days"] != 14.0 {
			o.Errorf("changed campaign: %v", c)
		}
		creator := m.call("POST", v1+"/creators", object{"name": "Anna", "email": "anna@creators.example",
			"handles": object{"instagram": "@anna"}}).ok(201)
		if creator["handles"].(object)["instagram"] != "anna" {
			o.Errorf("creator: %v", creator)
		}
		if c := m.call("PATCH", v1+"/creators/"+creator["id"].(string), object{"country": "DE", "email": nil}).
			ok(200); c["country"] != "DE" || c["email"] != nil ||
			c["handles"].(object)["instagram"] != "anna" {
			o.Errorf("changed creator: %v", c)
		}
		member := m.call("POST", v1+"/members", object{"campaign": campaign["id"], "creator": creator["id"],
			"product_value": "39.90", "product_currency": "EUR"}).ok(201)
		memberPath := v1 + "/members/" + member["id"].(string)
		if got := m.call("PATCH", memberPath, object{"product_value": "40"}).ok(200); got["product_value"] != "40.00" ||
			got["product_currency"] != "EUR" {
			o.Errorf("member: %v", got)
		}
		offer := m.call("POST", v1+"/offers", object{"campaign": campaign["id"], "name": "Ten", "type": "promo_code",
			"commission": object{"percent": "12.5", "flat": "3"}}).ok(201)
		if c := offer["commission"].(object); c["percent"] != "12.50" || c["flat"] != "3.00" ||
			offer["rule_version"] != 1.0 {
			o.Errorf("offer: %v", offer)
		}
		offerPath := v1 + "/offers/" + offer["id"].(string)
		if got := m.call("PATCH", offerPath, object{"commission": object{"percent": "10"}, "status": "paused"}).
			ok(200); got["rule_version"] != 2.0 ||
			got["commission"].(object)["flat"] != "0.00" || got["status"] != "paused" {
			o.Errorf("changed offer: %v", got)
		}
		om := m.call("POST", v1+"/offer-members", object{"offer": offer["id"], "member": member["id"]}).ok(201)
		omPath := v1 + "/offer-members/" + om["id"].(string)
		if got := m.call("PATCH", omPath, object{"commission": object{"percent": "15.25"}}).
			ok(200); got["commission"].(object)["percent"] != "15.25" {
			o.Errorf("override: %v", got)
		}
		if got := m.call("PATCH", omPath, object{"commission": nil}).ok(200); got["commission"] != nil ||
			got["rule_version"] != 2.0 {
			o.Errorf("override taken away: %v", got)
		}
		if got := m.call("PATCH", omPath, object{"active": false}).ok(200); got["inactive_since"] == nil {
			o.Errorf("inactive: %v", got)
		}
		m.call("PATCH", omPath, object{"active": true}).ok(200)

		code := m.call("POST", v1+"/codes", object{"offer_member": om["id"], "store": "shop", "code": "ANNA10"}).ok(201)
		if code["valid_from"] != nil || code["waiting_orders"] != 0.0 || code["store"] != store["id"] {
			o.Errorf("code: %v", code)
		}
		if d := m.call("POST", v1+"/codes", object{"offer_member": om["id"], "store": "shop", "code": "anna10"}).
			problem(409, "conflict", "code"); !strings.Contains(d, "Anna") {
			o.Errorf("detail %q", d)
		}
		codePath := v1 + "/codes/" + code["id"].(string)
		if got := m.call("PATCH", codePath, object{"code": "Anna10"}).ok(200); got["code"] != "Anna10" {
			o.Errorf("code: %v", got)
		}
		if got := m.call("GET", v1+"/codes?store=shop&code=ANNA10&offer_member="+om["id"].(string),
			nil).ok(200); len(got["data"].([]any)) != 1 {
			o.Errorf("codes: %v", got)
		}
		m.call("POST", codePath+"/end", object{"valid_to": "2001-01-01T00:00:00Z"}).problem(422, "invalid", "valid_to")
		if got := m.call("POST", codePath+"/end", nil).ok(200); got["valid_to"] == nil {
			o.Errorf("ended code: %v", got)
		}
		link := m.call("POST", v1+"/links", object{"offer_member": om["id"], "landing_url": "https://shop.example/a"}).ok(201)
		if link["slug"] != "anna" || link["url"] != "https://t.example/l/anna" || link["kind"] != "sales" {
			o.Errorf("link: %v", link)
		}
		linkPath := v1 + "/links/" + link["id"].(string)
		if off := m.call("PATCH", linkPath, object{"utm": "off"}).ok(200); link["utm"] != nil || off["utm"] != "off" {
			o.Errorf("utm parameters: %v, then %v", link["utm"], off["utm"])
		}
		if l := m.call("PATCH", linkPath, object{"utm": nil}).ok(200); l["utm"] != nil {
			o.Errorf("utm parameters as the account says: %v", l["utm"])
		}
		m.call("PATCH", linkPath, object{"utm": "maybe"}).problem(422, "invalid", "utm")
		if got := m.call("PATCH", linkPath, object{"landing_url": "https://shop.example/b", "kind": "review"}).ok(200); got["kind"] != "review" {
			o.Errorf("link: %v", got)
		}
		checked := o.viewer.call("GET", linkPath+"/check", nil).ok(200)
		if findings := checked["findings"].([]any); checked["ok"] != false || checked["store"] != store["id"] ||
			len(findings) != 1 || findings[0].(map[string]any)["code"] != affiliate.FindingOfferInactive ||
			checked["final_url"] != "https://shop.example/b?ref=anna&tclid={click}&utm_source=tributary"+
				"&utm_medium=affiliate&utm_campaign=spring&utm_content=anna" {
			o.Errorf("checked link: %v", checked)
		}
		o.viewer.call("POST", linkPath+"/check", nil).problem(403, "forbidden", "")
		m.call("PATCH", linkPath, object{"landing_url": "http://127.0.0.1:1/"}).ok(200)
		if asked := m.call("POST", linkPath+"/check", nil).ok(200); asked["ok"] != false ||
			!strings.Contains(fmt.Sprint(asked["findings"]), "unreachable") {
			o.Errorf("asked link: %v", asked)
		}
		for _, ended := range []struct{ path, field string }{{linkPath, "ended_at"}, {omPath, "inactive_since"},
			{memberPath, "removed_at"}, {v1 + "/creators/" + creator["id"].(string), "removed_at"}, {path, "ends_at"}} {
			if got := m.call("POST", ended.path+"/end", nil).ok(200); got[ended.field] == nil {
				o.Errorf("%s ended: %v", ended.path, got)
			}
			if got := o.viewer.call("GET", ended.path, nil).ok(200); got[ended.field] == nil {
				o.Errorf("%s read: %v", ended.path, got)
			}
		}
		if got := m.call("POST", offerPath+"/end", nil).ok(200); got["status"] != "archived" {
			o.Errorf("ended offer: %v", got)
		}
		for _, p := range []string{memberPath, v1 + "/creators/" + creator["id"].(string)} {
			if got := m.call("POST", p+"/restore", nil).ok(200); got["removed_at"] != nil {
				o.Errorf("restored: %v", got)
			}
		}
		for _, list := range []string{"stores", "campaigns", "creators?q=ANN&community=true", "members?campaign=" +
			campaign["id"].(string), "offers?campaign=" + campaign["id"].(string),
			"offer-members?creator=" + creator["id"].(string), "codes", "links?slug=anna"} {
			if got := o.viewer.call("GET", v1+"/"+list, nil).ok(200); len(got["data"].([]any)) != 1 ||
				got["next_cursor"] != nil {
				o.Errorf("%s: %v", list, got)
			}
		}
		if got := o.owner.call("POST", v1+"/stores/shop/end", nil).ok(200); got["state"] != "ended" {
			o.Errorf("ended store: %v", got)
		}
	})
}

func TestAPI_secrets_settings_tokens(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.owner.call("POST", v1+"/stores", object{"platform": "shopify", "slug": "us", "name": "US",
			"domain": "us.myshopify.com", "currency": "USD", "timezone": "UTC"}).
			problem(422, "invalid", "webhook_secret")
		store := o.owner.call("POST", v1+"/stores", object{"platform": "shopify", "slug": "us", "name": "US",
			"domain": "us.myshopify.com", "currency": "USD", "timezone": "UTC",
			"webhook_secret": "the-secret-of-the-shop"}).ok(201)
		if store["webhook_secret"] != nil {
			o.Errorf("a given secret is shown: %v", store)
		}
		o.owner.call("POST", v1+"/stores/us/secrets", object{"webhook_secret": "the-new-secret"}).ok(201)
		o.owner.call("POST", v1+"/stores/us/secrets/sec_1/end", nil).ok(200)
		o.owner.call("POST", v1+"/stores/us/secrets/sec_2/end", nil).problem(409, "conflict", "")
		list := o.owner.call("GET", v1+"/stores/us/secrets", nil)
		if list.ok(200); strings.Contains(list.raw, "secret-of") || strings.Contains(list.raw, "the-new") {
			o.Errorf("secrets are told: %s", list.raw)
		}

		if s := o.viewer.call("GET", v1+"/settings", nil).ok(200); s["minimum_payout"] != "0.00" ||
			s["currency"] != "USD" {
			o.Errorf("settings: %v", s)
		}
		if s := o.owner.call("PATCH", v1+"/settings", object{"currency": "JPY", "minimum_payout": "2500",
			"attribution_window_days": 7, "reserved_codes": "vip"}).ok(200); s["minimum_payout"] != "2500" ||
			s["reserved_codes"] != "VIP" || s["attribution_window_days"] != 7.0 {
			o.Errorf("settings: %v", s)
		}
		o.owner.call("PATCH", v1+"/settings", object{"minimum_payout": "1.5"}).problem(422, "invalid", "minimum_payout")

		if s := o.owner.call("PATCH", v1+"/settings", object{"renewals": "first_only", "utm": "off"}).
			ok(200); s["renewals"] != "first_only" || s["utm"] != "off" {
			o.Errorf("settings: %v", s)
		}
		o.owner.call("PATCH", v1+"/settings", object{"renewals": "all"}).problem(422, "invalid", "renewals")

		token := o.owner.call("POST", v1+"/tokens", object{"name": "screen", "role": "viewer"}).ok(201)
		other := client{o.T, o.owner.handler, token["token"].(string)}
		other.call("GET", v1+"/settings", nil).ok(200)
		if read := o.owner.call("GET", v1+"/tokens/"+token["id"].(string), nil).ok(200); read["token"] != nil ||
			read["role"] != "viewer" {
			o.Errorf("token: %v", read)
		}
		if raw := o.owner.call("GET", v1+"/tokens", nil).raw; strings.Contains(raw, "trb_") {
			o.Errorf("values are told: %s", raw)
		}
		o.owner.call("POST", v1+"/tokens/"+token["id"].(string)+"/end", nil).ok(200)
	})
}

// TestAPI_mayPay: a manager's token pays only when it was made with the right to.
func TestAPI_mayPay(t *testing.T) {
	eachOffice(t, func(o *office) {
		cancel := func(c client) answer {
			return c.call("POST", v1+"/payouts/pay_9/cancel", object{"reason": "typo"})
		}
		refused := cancel(o.manager)
		refused.problem(403, "forbidden", "")
		if !strings.Contains(refused.raw, "manager with may_pay, which an owner gives") {
			o.Errorf("the remedy is not named: %s", refused.raw)
		}
		for _, role := range []string{"owner", "viewer"} {
			o.owner.call("POST", v1+"/tokens", object{"name": "x", "role": role, "may_pay": true}).
				problem(422, "invalid", "may_pay")
		}
		made := o.owner.call("POST", v1+"/tokens", object{"name": "bank", "role": "manager", "may_pay": true}).ok(201)
		bank := client{o.T, o.owner.handler, made["token"].(string)}
		cancel(bank).problem(404, "not_found", "")
		bank.call("GET", v1+"/tokens", nil).problem(403, "forbidden", "")
		if read := o.owner.call("GET", v1+"/tokens/"+made["id"].(string), nil).ok(200); read["may_pay"] != true {
			o.Errorf("token: %v", read)
		}
	})
}

func TestAPI_problems(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.manager
		m.call("GET", v1+"/campaigns/cmp_99", nil).problem(404, "not_found", "")
		m.call("GET", v1+"/campaigns/spring", nil).problem(404, "not_found", "")
		m.call("GET", v1+"/stores/nowhere", nil).problem(404, "not_found", "")
		m.call("GET", "/nowhere", nil).problem(404, "not_found", "")
		m.call("DELETE", v1+"/campaigns", nil).problem(405, "method_not_allowed", "")
		m.call("POST", v1+"/campaigns", "{").problem(400, "unreadable", "")
		m.call("POST", v1+"/campaigns", object{}).problem(422, "invalid", "name")
		a := m.call("POST", v1+"/offers", object{"campaign": "cmp_1", "type": "x", "commission": object{}})
		a.problem(422, "invalid", "name")
		if list := a.body["errors"].([]any); len(list) != 2 {
			o.Errorf("two fields are wrong: %v", list)
		}
		m.call("POST", v1+"/campaigns", object{"name": 7}).problem(422, "invalid", "name")
		m.call("POST", v1+"/campaigns", object{"name": "x", "colour": "red"}).problem(422, "invalid", "colour")
		m.call("POST", v1+"/campaigns", object{"name": "x", "precedence": "coin"}).problem(422, "invalid", "precedence")
		m.call("POST", v1+"/campaigns", object{"name": "x", "starts_at": "yesterday"}).problem(422, "invalid",
			"starts_at")
		m.call("POST", v1+"/members", object{"campaign": "cmp_1", "creator": "anna"}).problem(422, "invalid", "creator")
		m.call("POST", v1+"/members", object{"campaign": "cmp_1", "creator": "cre_1"}).problem(422,
			"invalid", "campaign")
		m.call("POST", v1+"/codes", object{"offer_member": "ofm_1", "store": "nowhere", "code": "x"}).problem(422,
			"invalid", "store")
		m.call("POST", v1+"/offers", object{"campaign": "cmp_1", "name": "x", "type": "promo_code",
			"commission": object{"percent": "101"}}).
			problem(422, "invalid", "commission.percent")
		m.call("GET", v1+"/campaigns?limit=0", nil).problem(422, "invalid", "limit")
		m.call("GET", v1+"/campaigns?cursor=x", nil).problem(422, "invalid", "cursor")
		m.call("POST", v1+"/campaigns", `{"name":"`+strings.Repeat("x", 2<<20)+`"}`).problem(413, "too_large", "")
		m.call("POST", v1+"/campaigns", object{"name": "x"}).ok(201)
		m.call("POST", v1+"/campaigns", object{"name": "X"}).problem(409, "conflict", "name")
		if said := o.viewer.call("GET", "/api/v1/orders?creater=cre_1", nil).problem(422, "invalid",
			"creater"); !strings.Contains(said, "creater is not a parameter of this address") {
			o.Errorf("a misspelt filter: %q", said)
		}
		o.viewer.call("GET", "/api/v1/orders.csv?creater=cre_1", nil).problem(422, "invalid", "creater")
	})
}

// TestAPI_pages: every page size gives every row once.
func TestAPI_pages(t *testing.T) {
	eachOffice(t, func(o *office) {
		for i := range 7 {
			o.manager.call("POST", v1+"/campaigns", object{"name": fmt.Sprint("Campaign ", 9-i)}).ok(201)
		}
		for limit := 1; limit <= 8; limit++ {
			var names []string
			for cursor := ""; ; {
				page := o.viewer.call("GET", fmt.Sprintf("%s/campaigns?limit=%d&cursor=%s", v1, limit, cursor),
					nil).ok(200)
				for _, c := range page["data"].([]any) {
					names = append(names, c.(object)["name"].(string))
				}
				next, more := page["next_cursor"].(string)
				if !more {
					break
				}
				cursor = next
			}
			if len(names) != 7 || names[0] != "Campaign 3" || names[6] != "Campaign 9" {
				o.Errorf("pages of %d: %v", limit, names)
			}
		}
	})
}

// TestAPI_permissions asks every operation of the OpenAPI document as every role: nobody gets past without a token, and
// the role that the document states is the least that does.
func TestAPI_permissions(t *testing.T) {
	eachOffice(t, func(o *office) {
		document := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)
		if document["openapi"] != "3.1.0" {
			o.Errorf("OpenAPI %v", document["openapi"])
		}
		asked := 0
		for path, operations := range document["paths"].(object) {
			if path == v1+"/live" {
				continue // it never ends for those who may listen; TestAPI_live asks it
			}
			for method, declared := range operations.(object) {
				asked++
				least := ""
				for _, role := range []string{"viewer", "manager", "owner"} {
					if strings.Contains(declared.(object)["description"].(string), "role "+role) {
						least = role
					}
				}
				// Nothing has this id: one of the operations ends a token, and must not end one of the test's.
				target := strings.NewReplacer("{id}", "999", "{store}", "none", "{secret}", "1", "{external_id}",
					"1").Replace(path)
				o.checkGuard(strings.ToUpper(method), target, least)
			}
		}
		if asked < 50 {
			o.Errorf("only %d operations are declared", asked)
		}
	})
}

func (o *office) checkGuard(method, path, least string) {
	o.Helper()
	a := o.nobody.call(method, path, nil)
	a.problem(401, "unauthenticated", "")
	if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
		o.Errorf("%s %s: no WWW-Authenticate", method, path)
	}
	passes := false
	for _, c := range []struct {
		role string
		client
	}{{"viewer", o.viewer}, {"manager", o.manager}, {"owner", o.owner}} {
		passes = passes || c.role == least
		if got := c.call(method, path, nil).status; (got != http.StatusForbidden) != passes ||
			got == http.StatusUnauthorized {
			o.Errorf("%s %s as %s: %d, but the least role is %q", method, path, c.role, got, least)
		}
	}
}

func TestAPI_bad_tokens(t *testing.T) {
	eachOffice(t, func(o *office) {
		for _, header := range []string{"Bearer", "Bearer x", "Bearer " + affiliate.NewTokenValue(), "Basic " +
			o.owner.token, o.owner.token} {
			r := httptest.NewRequest("GET", v1+"/campaigns", nil)
			r.Header.Set("Authorization", header)
			w := httptest.NewRecorder()
			o.nobody.handler.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized {
				o.Errorf("%q: %d", header, w.Code)
			}
		}
	})
}

// TestAPI_audit: the log names the token that made a change.
func TestAPI_audit(t *testing.T) {
	eachOffice(t, func(o *office) {
		c := o.manager.call("POST", v1+"/campaigns", object{"name": "x"}).ok(201)
		log, _, err := o.app.DB.AuditLog(o.Context(), c["id"].(string), storage.Page{})
		if err != nil || len(log) != 1 || !strings.Contains(log[0].Actor, "(manager)") {
			o.Errorf("%v, %v", log, err)
		}
	})
}

// TestAPI_database_gone: a fault of ours tells nothing about its inside.
func TestAPI_database_gone(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.viewer.call("GET", v1+"/campaigns", nil).ok(200) // the token is remembered
		if err := o.app.DB.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
			o.Fatal(err)
		}
		a := o.viewer.call("GET", v1+"/campaigns", nil)
		if a.status < 500 || strings.Contains(a.raw, "sql") ||
			a.header.Get("Content-Type") != "application/problem+json" {
			o.Errorf("%d %s", a.status, a.raw)
		}
	})
}

func TestSecurityHeaders(t *testing.T) {
	eachOffice(t, func(o *office) {
		a := o.nobody.call("GET", "/nowhere", nil)
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Frame-Options": "DENY"} {
			if got := a.header.Get(name); got != want {
				o.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}
