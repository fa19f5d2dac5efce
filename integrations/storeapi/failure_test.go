package storeapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

const forbidden, passing, invalid = affiliate.Forbidden, affiliate.Unavailable, affiliate.Invalid

func TestJudge(t *testing.T) {
	const page = "<!DOCTYPE html><html><head><title>%s</title></head></html>"
	html := func(title string) string { return strings.Replace(page, "%s", title, 1) }
	tests := []struct {
		name    string
		status  int
		body    string
		headers []string
		kind    affiliate.ErrorKind
		code    string
		want    string // in the sentence
	}{
		{"wrong keys", 401, `{"code":"woocommerce_rest_authentication_error","message":"Consumer key is invalid."}`, nil,
			forbidden, affiliate.StoreKeysRefused,
			"refuses the keys (Consumer key is invalid). Make new ones (WooCommerce > Settings > Advanced > REST API)"},
		{"a wrong token", 401, `{"errors":"[API] Invalid API key or access token"}`, nil, forbidden,
			affiliate.StoreKeysRefused, "([API] Invalid API key or access token)"},
		{"a password of the site", 401, html("Authorization Required"), []string{"WWW-Authenticate", "Basic"},
			forbidden, affiliate.StoreFirewall, "asks for a password"},
		{"few rights", 403, `{"message":"Sorry, you cannot list resources."}`, nil, forbidden,
			affiliate.StoreForbidden, "(Sorry, you cannot list resources)"},
		{"turned away", 403, html("403 Forbidden"), nil, forbidden, affiliate.StoreFirewall, "security plugin"},
		{"turned away without a word", 403, "", nil, forbidden, affiliate.StoreFirewall, "security plugin"},
		{"Cloudflare", 403, html("Attention Required! | Cloudflare"), []string{"Cf-Ray", "8f1-VIE"}, forbidden,
			affiliate.StoreFirewall, "A firewall before"},
		{"Cloudflare's challenge", 503, html("Just a moment..."), nil, forbidden, affiliate.StoreFirewall, ""},
		{"Cloudflare's header", 403, "", []string{"Cf-Mitigated", "challenge"}, forbidden,
			affiliate.StoreFirewall, "A firewall before"},
		{"Sucuri", 200, html("Sucuri WebSite Firewall - Access Denied"), nil, forbidden,
			affiliate.StoreFirewall, "User-Agent Tributary"},
		{"Wordfence", 503, html("Your access to this site has been limited"), nil, forbidden,
			affiliate.StoreFirewall, ""},
		{"ModSecurity", 406, html("Not Acceptable!"), nil, forbidden, affiliate.StoreFirewall, ""},
		{"behind Cloudflare, and down", 502, html("502"), []string{"Cf-Ray", "8f1-VIE"}, passing,
			affiliate.StoreDown, "502 Bad Gateway"},
		{"maintenance", 503, html("Briefly unavailable for scheduled maintenance"), nil, passing,
			affiliate.StoreDown, "503 Service Unavailable"},
		{"a crash", 500, `{"code":"internal_server_error","message":"<p>There has been a critical error.</p>"}`, nil,
			passing, affiliate.StoreDown, "(There has been a critical error)"},
		{"asked too often", 429, html("Too Many Requests"), nil, passing, affiliate.StoreBusy, ""},
		{"no such route", 404, `{"code":"rest_no_route","message":"No route was found."}`, nil, invalid,
			affiliate.StoreNoAPI, "There is no API of WooCommerce at"},
		{"no such page", 404, html("Page not found"), nil, invalid, affiliate.StoreNoAPI, ""},
		{"a page", 200, html("Coming soon"), []string{"Content-Type", "text/html"}, invalid,
			affiliate.StoreAnswer, "a page for people (200 OK)"},
		{"text that is called a page", 200, "hello", []string{"Content-Type", "text/html; charset=UTF-8"},
			invalid, affiliate.StoreAnswer, "a page for people"},
		{"PHP's warning", 200, "<br />\n<b>Warning</b>:  Undefined variable $x in <b>/srv/f.php</b> on line <b>3</b>" +
			"<br />\n{\"id\":1}", []string{"Content-Type", "text/html"}, invalid, affiliate.StoreAnswer,
			"(Warning: Undefined variable $x in /srv/f.php on line 3)"},
		{"not taken", 400, `{"code":"rest_invalid_param","message":"Invalid parameter(s): per_page"}`, nil,
			invalid, affiliate.StoreAnswer, "answers 400 Bad Request (Invalid parameter(s): per_page)"},
		{"not built", 501, `{"message":"Webhooks do not support trashing."}`, nil, invalid,
			affiliate.StoreAnswer, "501 Not Implemented"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t, says(test.status, test.body, test.headers...))
			_, err := s.get()
			m := wantCode(t, err, test.kind, test.code)
			if !strings.Contains(m, test.want) || !strings.Contains(m, s.site.Host) || !strings.HasSuffix(m, ".") {
				t.Errorf("%q, want %q", m, test.want)
			}
			if again := s.Use().Requests > 1; again != (test.kind == passing && test.status != 500) {
				t.Errorf("asked again: %t", again)
			}
		})
	}
}

func TestAnswer_JSON(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"good", " {\"id\":1}\n", ""},
		{"with a byte order mark", "\ufeff{\"id\":1}", "byte order mark"},
		{"after warnings", "\nNotice: Undefined index: a in f.php on line 3\n{\"id\":1}", "(Notice: Undefined index"},
		{"after warnings in bold", "<br />\n<b>Deprecated</b>: x in <b>f</b><br />{\"id\":1}", "WP_DEBUG_DISPLAY"},
		{"nothing", "", "nothing at all"},
		{"cut", `{"id":`, "is not JSON"},
		{"followed by something", `{"id":1}<!-- cached -->`, "is not JSON"},
		{"of another shape", `{"id":"one"}`, "not as WooCommerce writes it"},
	} {
		var v struct{ ID int }
		err := Answer{Body: []byte(test.body), site: siteOf("https://shop.example")}.JSON(&v)
		if test.want == "" {
			if err != nil || v.ID != 1 {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if m := wantCode(t, err, invalid, affiliate.StoreAnswer); !strings.Contains(m, test.want) {
			t.Errorf("%s: %s", test.name, m)
		}
	}
}

func TestAsk_takes_JSON_by_any_name(t *testing.T) {
	for _, name := range []string{"text/html; charset=UTF-8", "application/json", "text/plain", "application/jsonl"} {
		s := newStore(t, says(http.StatusOK, "\ufeff [1]", "Content-Type", name))
		if _, err := s.get(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
