package storeapi

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// clock stands still but for what sleeps, and for what answers say that they took.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	slept []time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)} }

const (
	key    = "ck_f6aa574923dd549159"
	secret = "cs_da6f32abe0060ff/+e"
)

// store is a server with a caller that asks it, on a clock that does not wait.
type store struct {
	*httptest.Server
	*Caller
	t     *testing.T
	clock *clock
}

func newStore(t *testing.T, h http.HandlerFunc) *store {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	c := newClock()
	web := &Web{Private: []string{"127.0.0.1"}, Now: c.now, Sleep: c.sleep}
	t.Cleanup(web.http().CloseIdleConnections)
	return &store{s, web.Caller(siteOf(s.URL)), t, c}
}

func siteOf(address string) Site {
	u, _ := url.Parse(address)
	return Site{Host: u.Host, Name: "WooCommerce", Keys: "WooCommerce > Settings > Advanced > REST API",
		Secrets: []string{key, secret}}
}

// get asks for a path, and may ask again.
func (s *store) get(more ...func(*Request)) (Answer, error) {
	r := Request{Method: http.MethodGet, Address: s.URL + "/orders", Repeatable: true}
	for _, m := range more {
		m(&r)
	}
	return s.Ask(s.t.Context(), r)
}

// wantCode looks at an error's kind and code.
func wantCode(t *testing.T, err error, kind affiliate.ErrorKind, code string) string {
	t.Helper()
	var e *affiliate.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Code != code {
		t.Fatalf("error %#v (%v), want %s %s", e, err, kind, code)
	}
	return e.Message
}

func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func inTurn(list ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := list[min(n, len(list)-1)]
		n++
		mu.Unlock()
		h(w, r)
	}
}

// hang answers nothing until the asker goes.
func hang(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
}

// cut closes the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
