package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/testservers"
	"github.com/tributaryhq/tributary/internal/web"
)

// limited serves the office's API with a limit.
func (o *office) limited(client redis.UniversalClient, perMinute int, log *slog.Logger) http.Handler {
	o.Helper()
	handler, err := withAPI(&web.Server{App: o.app, Log: log, Version: "test", Hub: o.hub, Queue: o.queue,
		Limiter: web.NewLimiter(client, perMinute, log)}).Handler()
	if err != nil {
		o.Fatal(err)
	}
	return handler
}

// limits reads the three headers.
func limits(t *testing.T, h http.Header) (limit, remaining, reset int) {
	t.Helper()
	list := make([]int, 3)
	for i, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		var err error
		if list[i], err = strconv.Atoi(h.Get(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return list[0], list[1], list[2]
}

// fakeRedis is a Redis whose clock stands still.
func fakeRedis(t *testing.T) (*miniredis.Miniredis, redis.UniversalClient) {
	fake := miniredis.RunT(t)
	fake.SetTime(time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC))
	client := redis.NewClient(&redis.Options{Addr: fake.Addr()})
	t.Cleanup(func() { _ = client.Close() }) // it goes with the test
	return fake, client
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// TestRateLimit_bucket: a token has its requests at once, then one after the other as they come back.
func TestRateLimit_bucket(t *testing.T) {
	eachOffice(t, func(o *office) {
		fake, client := fakeRedis(o.T)
		now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
		viewer, manager := o.viewer, o.manager
		viewer.handler = o.limited(client, 30, quiet)
		manager.handler = viewer.handler
		ask := func() answer { return viewer.call("GET", v1+"/campaigns", nil) }
		for i := range 30 {
			a := ask()
			a.ok(200)
			if limit, remaining, reset := limits(o.T, a.header); limit != 30 || remaining != 29-i || reset != 2*(i+1) {
				o.Fatalf("request %d: limit %d, remaining %d, reset %d", i, limit, remaining, reset)
			}
		}
		refused := func(wait string) {
			o.Helper()
			a := ask()
			a.problem(429, "rate_limited", "")
			if limit, remaining, reset := limits(o.T, a.header); limit != 30 || remaining != 0 || reset > 60 ||
				a.header.Get("Retry-After") != wait {
				o.Errorf("limit %d, remaining %d, reset %d, Retry-After %s, want %s", limit, remaining, reset,
					a.header.Get("Retry-After"), wait)
			}
		}
		refused("2")
		refused("2") // what is refused costs nothing
		manager.call("GET", v1+"/campaigns", nil).ok(200)
		manager.call("POST", v1+"/campaigns", object{"name": "x"}).ok(201)
		fake.SetTime(now.Add(1500 * time.Millisecond))
		refused("1")
		fake.SetTime(now.Add(2 * time.Second))
		ask().ok(200)
		refused("2")
		fake.SetTime(now.Add(time.Hour))
		if _, remaining, reset := limits(o.T, ask().header); remaining != 29 || reset != 2 {
			o.Errorf("after an hour: remaining %d, reset %d", remaining, reset)
		}
	})
}

// TestRateLimit_strangers: whoever has no valid token is limited by their address, and more strictly.
func TestRateLimit_strangers(t *testing.T) {
	eachOffice(t, func(o *office) {
		_, client := fakeRedis(o.T)
		handler := o.limited(client, 40, quiet)
		from := func(address, token, path string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", path, nil)
			r.RemoteAddr = address
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w
		}
		want := func(what string, w *httptest.ResponseRecorder, status int) {
			o.Helper()
			if w.Code != status {
				o.Errorf("%s: %d, want %d", what, w.Code, status)
			}
		}
		want("guess", from("203.0.113.7:1", "trb_guess", v1+"/campaigns"), 401)
		last := from("203.0.113.7:2", "", v1+"/openapi.json")
		want("the document", last, 200)
		if limit, remaining, _ := limits(o.T, last.Header()); limit != 2 || remaining != 0 {
			o.Errorf("limit %d, remaining %d", limit, remaining)
		}
		want("second guess", from("203.0.113.7:3", "trb_guess", v1+"/campaigns"), 429)
		want("nowhere", from("203.0.113.7:3", "", v1+"/nowhere"), 429)
		want("a guess at the live events", from("203.0.113.7:3", "trb_guess", v1+"/live"), 429)
		want("a token from there", from("203.0.113.7:4", o.viewer.token, v1+"/campaigns"), 200)
		want("another address", from("203.0.113.8:1", "", v1+"/campaigns"), 401)
		want("IPv6", from("[2001:db8:1:2::1]:1", "", v1+"/campaigns"), 401)
		want("the same household", from("[2001:db8:1:2:ffff::1]:1", "", v1+"/campaigns"), 401)
		want("the same household again", from("[2001:db8:1:2::3]:1", "", v1+"/campaigns"), 429)
		want("another household", from("[2001:db8:1:3::1]:1", "", v1+"/campaigns"), 401)
		for _, path := range []string{"/healthz", "/docs/problems", "/nowhere"} {
			for range 3 {
				if w := from("203.0.113.7:5", "", path); w.Code == 429 || w.Header().Get("RateLimit-Limit") != "" {
					o.Errorf("%s is limited: %d %v", path, w.Code, w.Header())
				}
			}
		}
	})
}

// TestRateLimit_live: listening costs nothing, so that a page that comes back again and again can still ask.
func TestRateLimit_live(t *testing.T) {
	eachOffice(t, func(o *office) {
		_, client := fakeRedis(o.T)
		handler := o.limited(client, 1, quiet)
		now := time.Now()
		o.app.Now = func() time.Time { return now } // so that the token stays remembered
		o.viewer.call("GET", v1+"/settings", nil).ok(200)
		for range 3 {
			ctx, cancel := context.WithCancel(o.Context())
			cancel() // the stream ends as soon as it has begun
			r := httptest.NewRequestWithContext(ctx, "GET", v1+"/live", nil)
			r.Header.Set("Authorization", "Bearer "+o.viewer.token)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != 200 || w.Header().Get("RateLimit-Limit") != "" {
				o.Errorf("%d %v", w.Code, w.Header())
			}
		}
	})
}

// TestRateLimit_shared: processes on one Redis count together.
func TestRateLimit_shared(t *testing.T) {
	eachOffice(t, func(o *office) {
		shared, err := jobs.Open(testservers.RedisDB(o.T))
		if err != nil {
			o.Fatal(err)
		}
		defer shared.Close()
		const limit = 6 // one comes back every ten seconds, so none does during the test
		first, second := o.viewer, o.viewer
		first.handler, second.handler = o.limited(shared.Client(), limit, quiet), o.limited(shared.Client(),
			limit, quiet)
		for range limit / 2 {
			first.call("GET", v1+"/campaigns", nil).ok(200)
			second.call("GET", v1+"/campaigns", nil).ok(200)
		}
		first.call("GET", v1+"/campaigns", nil).problem(429, "rate_limited", "")
		second.call("GET", v1+"/campaigns", nil).problem(429, "rate_limited", "")
	})
}

// TestRateLimit_without_Redis: an API whose limiter is broken works.
func TestRateLimit_without_Redis(t *testing.T) {
	eachOffice(t, func(o *office) {
		fake, client := fakeRedis(o.T)
		fake.Close()
		var log bytes.Buffer
		handler := o.limited(client, 1, slog.New(slog.NewTextHandler(&log, nil)))
		for i := range 5 {
			r := httptest.NewRequest("GET", v1+"/campaigns", nil)
			r.Header.Set("Authorization", "Bearer "+o.viewer.token)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != 200 || w.Header().Get("RateLimit-Limit") != "" {
				o.Errorf("request %d: %d %v", i, w.Code, w.Header())
			}
		}
		if n := strings.Count(log.String(), "not limited"); n != 1 {
			o.Errorf("logged %d times, want once in a while: %s", n, fmt.Sprint(log.String()))
		}
	})
}
