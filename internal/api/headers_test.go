package api_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/web"
)

// TestAttack_headers asks every address of the API, with and without a token, and looks at what browsers and caches are
// told.
func TestAttack_headers(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.fillLists()
		paths := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)["paths"].(object)
		asked := 0
		look := func(c client, method, path string) {
			o.Helper()
			r := httptest.NewRequest(method, strings.NewReplacer("{", "", "}", "").Replace(path), nil)
			r.Host = "t.example"
			if c.token != "" {
				r.Header.Set("Authorization", "Bearer "+c.token)
			}
			w := httptest.NewRecorder()
			c.handler.ServeHTTP(w, r)
			asked++
			for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
				"Strict-Transport-Security": "max-age=31536000", "X-Frame-Options": "DENY"} {
				if got := w.Header().Get(name); got != want {
					o.Errorf("%s %s (%d): %s is %q, want %q", method, path, w.Code, name, got, want)
				}
			}
		}
		for path, item := range paths {
			if strings.HasSuffix(path, "/live") {
				continue // has no end
			}
			for method := range item.(object) {
				if method = strings.ToUpper(method); method == "PARAMETERS" {
					continue
				}
				look(o.nobody, method, path)
				if method == http.MethodGet {
					look(o.viewer, method, strings.NewReplacer("{store}", "shop", "{id}", "cmp_1").Replace(path))
				}
			}
		}
		for _, path := range []string{"/openapi.json", "/openapi.yaml", "/nowhere", "/campaigns/cmp_1", "/orders.csv",
			"/orders.xlsx"} {
			look(o.viewer, "GET", v1+path)
		}
		look(o.nobody, "DELETE", v1+"/campaigns")
		look(o.nobody, "GET", "/status")
		look(o.nobody, "GET", "/metrics")
		if asked < 100 {
			o.Errorf("only %d addresses were asked", asked)
		}
		etag := o.viewer.call("GET", v1+"/campaigns/cmp_1", nil).header.Get("ETag")
		a := o.viewer.callWith(map[string]string{"If-None-Match": etag}, "GET", v1+"/campaigns/cmp_1", nil)
		if etag == "" || a.status != http.StatusNotModified || a.header.Get("Cache-Control") != "no-store" {
			o.Errorf("asked with an ETag: %d %v", a.status, a.header)
		}
		for _, c := range []struct {
			host string
			tls  bool
			want bool
		}{{"t.example", false, true}, {"T.example", false, true}, {"other.example", false, false},
			{"127.0.0.1:8080", false, false}, {"other.example", true, true}} {
			for _, path := range []string{"/healthz", "/docs/problems", "/nowhere", "/status"} {
				r := httptest.NewRequest("GET", path, nil)
				r.Host = c.host
				if r.TLS = nil; c.tls {
					r.TLS = &tls.ConnectionState{}
				}
				w := httptest.NewRecorder()
				o.nobody.handler.ServeHTTP(w, r)
				if got := w.Header().Get("Strict-Transport-Security") != ""; got != c.want {
					o.Errorf("%s of %s, TLS %v: told to come by TLS only: %v", path, c.host, c.tls, got)
				}
			}
		}
	})
}

// TestAttack_status: with STATUS_ACCESS=token nobody learns how much is sold; a flood of strangers costs the database
// little in any case.
func TestAttack_status(t *testing.T) {
	eachOffice(t, func(o *office) {
		guarded, err := withAPI(&web.Server{App: o.app, Log: o.app.Log, Version: "test", Hub: o.hub, Queue: o.queue,
			Counters: app.NewCounters(o.app.DB, o.app.Now, o.app.Log), StatusNeedsToken: true}).Handler()
		if err != nil {
			o.Fatal(err)
		}
		for _, path := range []string{"/status", "/metrics"} {
			for token, want := range map[string]int{"": 401, "trb_wrong": 401, o.viewer.token: 200} {
				c := client{o.T, guarded, token}
				a := c.call("GET", path, nil)
				if a.status != want || want == 401 && (a.body["code"] != "unauthenticated" ||
					strings.Contains(a.raw, "orders")) {
					o.Errorf("%s is answered %d %s, want %d", path, a.status, a.raw, want)
				}
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if a := (client{o.T, guarded, ""}).call("GET", path, nil); a.status != 200 || len(a.body) != 1 {
				o.Errorf("%s is answered %d %s", path, a.status, a.raw)
			}
		}

		readings := map[string]bool{} // each has a time of its own
		flood := attack.Size(1000, 50_000)
		for range flood {
			w := httptest.NewRecorder()
			o.nobody.handler.ServeHTTP(w, httptest.NewRequest("GET", "/status", nil))
			var status struct{ Time string }
			if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil || w.Code != 200 {
				o.Fatalf("%d %s", w.Code, w.Body)
			}
			readings[status.Time] = true
		}
		if len(readings) > flood/2 {
			o.Errorf("the status was read %d times for %d strangers", len(readings), flood)
		}
	})
}
