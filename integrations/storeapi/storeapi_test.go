package storeapi

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestAsk(t *testing.T) {
	s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Basic x" || r.Header.Get("User-Agent") != "Tributary" {
			t.Errorf("headers %v", r.Header)
		}
		says(200, `{"id":7}`, "X-WP-Total", "27")(w, r)
	})
	a, err := s.get(func(r *Request) { r.Header = http.Header{"authorization": {"Basic x"}} })
	var body struct{ ID int }
	if err != nil || a.JSON(&body) != nil || body.ID != 7 || a.Header.Get("X-WP-Total") != "27" || a.Status != 200 {
		t.Errorf("%+v, %v", a, err)
	}
	if got := s.Use(); got != (affiliate.APIUse{Requests: 1}) {
		t.Errorf("use %+v", got)
	}
}

func TestAsk_accepted_statuses(t *testing.T) {
	s := newStore(t, says(404, `{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID."}`))
	a, err := s.get(func(r *Request) { r.Accept = []int{200, 404} })
	if err != nil || a.Status != 404 {
		t.Fatalf("%+v, %v", a, err)
	}
	wantCode(t, s.Refusal(a), affiliate.Invalid, affiliate.StoreNoAPI)
	if a, err = s.get(); a.Status != 404 {
		t.Errorf("the answer does not come with its error: %+v", a)
	}
	wantCode(t, err, affiliate.Invalid, affiliate.StoreNoAPI)
	page := newStore(t, says(404, "<html>Nothing here</html>"))
	_, err = page.get(func(r *Request) { r.Accept = []int{404} })
	wantCode(t, err, affiliate.Invalid, affiliate.StoreNoAPI)
}

func TestAsk_again(t *testing.T) {
	ok, html := says(200, `[]`), "<html><body>Bad Gateway</body></html>"
	tests := []struct {
		name     string
		answers  []http.HandlerFunc
		once     bool // not repeatable
		shrinks  bool
		requests int64
		code     string // empty: answered in the end
	}{
		{"busy", []http.HandlerFunc{says(429, `{}`), ok}, false, false, 2, ""},
		{"down", []http.HandlerFunc{says(502, html), says(503, html), says(504, ""), says(524, html), ok},
			false, false, 5, ""},
		{"down for long", []http.HandlerFunc{says(503, html)}, false, false, 5, affiliate.StoreDown},
		{"cut off", []http.HandlerFunc{cut, ok}, false, false, 2, ""},
		{"cut off within", []http.HandlerFunc{says(200, `[`, "Content-Length", "9"), ok}, false, false, 2, ""},
		{"slow", []http.HandlerFunc{hang, ok}, false, false, 2, ""},
		{"broken", []http.HandlerFunc{says(500, html), ok}, false, false, 1, affiliate.StoreDown},
		{"refused", []http.HandlerFunc{says(401, `{"message":"no"}`), ok}, false, false, 1, affiliate.StoreKeysRefused},
		{"down, but not to be sent twice", []http.HandlerFunc{says(502, html), ok},
			true, false, 1, affiliate.StoreDown},
		{"busy, but not to be sent twice", []http.HandlerFunc{says(429, `{}`), ok},
			true, false, 1, affiliate.StoreBusy},
		{"cut off, but not to be sent twice", []http.HandlerFunc{cut, ok},
			true, false, 1, affiliate.StoreUnreachable},
		{"slow, with less to ask for", []http.HandlerFunc{hang, ok}, false, true, 1, affiliate.StoreUnreachable},
		{"down, with less to ask for", []http.HandlerFunc{says(504, html), ok}, false, true, 1, affiliate.StoreDown},
		{"busy, with less to ask for", []http.HandlerFunc{says(429, html), says(503, html), ok}, false, true, 3, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t, inTurn(test.answers...))
			_, err := s.get(func(r *Request) {
				r.Repeatable, r.Shrinks, r.Timeout = !test.once, test.shrinks, time.Second
				if strings.HasPrefix(test.name, "slow") {
					r.Timeout = 5 * time.Millisecond
				}
			})
			if got := s.Use().Requests; got != test.requests {
				t.Errorf("%d requests, want %d", got, test.requests)
			}
			if test.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *affiliate.Error
			if !errors.As(err, &e) || e.Code != test.code {
				t.Errorf("error %v, want %s", err, test.code)
			}
			if less := strings.HasSuffix(test.name, "less to ask for"); less && !TooMuch(err) {
				t.Error("it is not told that less may help")
			}
		})
	}
}

func TestAsk_waits_longer_each_time(t *testing.T) {
	s := newStore(t, says(502, ""))
	_, err := s.get()
	wantCode(t, err, affiliate.Unavailable, affiliate.StoreDown)
	if len(s.clock.slept) != 4 {
		t.Fatalf("slept %v", s.clock.slept)
	}
	for i, d := range s.clock.slept {
		if most := time.Second << i; d < most/2 || d > most {
			t.Errorf("wait %d: %s, want %s to %s", i, d, most/2, most)
		}
	}
	if d := backOff(40 - 10); d < 30*time.Second || d > time.Minute {
		t.Errorf("after many: %s", d)
	}
}

func TestAsk_retry_after(t *testing.T) {
	at := newClock().at.Add(40 * time.Second)
	for value, want := range map[string]time.Duration{"7": 7 * time.Second, "2.5": 2500 * time.Millisecond,
		at.Format(http.TimeFormat): 40 * time.Second} {
		s := newStore(t, inTurn(says(429, `{}`, "Retry-After", value), says(200, `[]`)))
		if _, err := s.get(); err != nil {
			t.Fatal(err)
		}
		if got := s.clock.slept; len(got) != 1 || got[0] != want {
			t.Errorf("%s: slept %v, want %s", value, got, want)
		}
		if u := s.Use(); u.Throttled != 1 || u.Requests != 2 {
			t.Errorf("%s: use %+v", value, u)
		}
	}
	for _, foolish := range []string{"-5", "soon", "NaN", ""} {
		if d := retryAfter(http.Header{"Retry-After": {foolish}}, at); d > 0 {
			t.Errorf("%q: %s", foolish, d)
		}
	}
}

// TestAsk_put_off_for_long: nobody asks a store that wants to be left alone for longer than people wait; all are told
// until when, and an hour later it is asked again whatever it said.
func TestAsk_put_off_for_long(t *testing.T) {
	s := newStore(t, inTurn(says(429, `{}`, "Retry-After", "86400"), says(200, `[]`)))
	_, err := s.get()
	wantCode(t, err, affiliate.Unavailable, affiliate.StoreBusy)
	_, err = s.get()
	if m := wantCode(t, err, affiliate.Unavailable, affiliate.StoreBusy); !strings.Contains(m, "from 11:00 UTC on") {
		t.Error(m)
	}
	if s.Use().Requests != 1 || len(s.clock.slept) > 0 {
		t.Errorf("use %+v, slept %v", s.Use(), s.clock.slept)
	}
	s.clock.pass(time.Hour)
	if _, err := s.get(); err != nil {
		t.Error(err)
	}
}

func TestPutOff(t *testing.T) {
	s := newStore(t, says(200, `{}`))
	s.PutOff(3 * time.Second)
	if _, err := s.get(); err != nil || !slices.Equal(s.clock.slept, []time.Duration{3 * time.Second}) {
		t.Errorf("slept %v, %v", s.clock.slept, err)
	}
	if u := s.Use(); u.Throttled != 1 {
		t.Errorf("use %+v", u)
	}
}

// TestAsk_no_connection: what was never connected has done nothing, so that also what must not come twice is tried
// again.
func TestAsk_no_connection(t *testing.T) {
	s := newStore(t, hang)
	s.Server.Close()
	_, err := s.get(func(r *Request) { r.Method, r.Repeatable = http.MethodPost, false })
	wantCode(t, err, affiliate.Unavailable, affiliate.StoreUnreachable)
	if got := s.Use().Requests; got != mostTries {
		t.Errorf("%d tries, want %d", got, mostTries)
	}
}

func TestAsk_ends_with_its_context(t *testing.T) {
	s := newStore(t, says(503, ""))
	s.web.Sleep = nil
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond) // less than any wait
	defer cancel()
	_, err := s.Ask(ctx, Request{Address: s.URL, Repeatable: true})
	wantCode(t, err, affiliate.Unavailable, affiliate.StoreDown)
	if ctx.Err() != nil {
		t.Error("it waited in vain")
	}
	s.PutOff(time.Minute)
	_, err = s.Ask(ctx, Request{Address: s.URL})
	wantCode(t, err, affiliate.Unavailable, affiliate.StoreBusy)

	slow := newStore(t, hang)
	ctx, cancel = context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err = slow.Ask(ctx, Request{Address: slow.URL, Repeatable: true})
	wantCode(t, err, affiliate.Unavailable, affiliate.StoreUnreachable)
	ctx, cancel = context.WithCancel(t.Context())
	gone := newStore(t, func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) })
	if _, err = gone.Ask(ctx, Request{Address: gone.URL, Repeatable: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got := gone.Use().Requests; got != 1 {
		t.Errorf("%d requests", got)
	}
}

func TestAsk_of_another_host(t *testing.T) {
	s := newStore(t, says(200, `{}`))
	for _, address := range []string{"https://other.example/", "ftp://" + s.site.Host,
		"http://" + key + "@" + s.site.Host + "/", "http://127.0.0.1/", "://" + secret, "https://" + strings.Replace(s.site.Host, "127", "128", 1)} {
		_, err := s.Ask(t.Context(), Request{Address: address})
		wantCode(t, err, affiliate.Invalid, affiliate.StoreRedirect)
	}
	if s.Use().Requests > 6 {
		t.Error("asked")
	}
}

func TestReadAt(t *testing.T) {
	began := newClock().at
	tests := []struct {
		name    string
		headers http.Header
		took    time.Duration
		want    time.Time
	}{
		{"less what it took", http.Header{"Date": {"Sat, 28 Nov 2026 10:00:09 GMT"}}, 2500 * time.Millisecond,
			began.Add(6500 * time.Millisecond)},
		{"rounded down", http.Header{"Date": {"Sat, 28 Nov 2026 10:00:00 GMT"}}, 1, began.Add(-time.Microsecond)},
		{"none", http.Header{}, 0, time.Time{}},
		{"foolish", http.Header{"Date": {"yesterday"}}, 0, time.Time{}},
		{"a clock that was never set", http.Header{"Date": {"Thu, 01 Jan 1970 00:00:00 GMT"}}, 0, time.Time{}},
		{"of a cache", http.Header{"Date": {"Sat, 28 Nov 2026 10:00:00 GMT"}, "Age": {"31"}}, 0, time.Time{}},
	}
	for _, test := range tests {
		if got := readAt(test.headers, test.took); !got.Equal(test.want) {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	c := newClock()
	s := newStore(t, nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.clock.pass(3 * time.Second)
		says(200, `[]`, "Date", c.at.Add(time.Minute).Format(http.TimeFormat))(w, r)
	})
	if a, err := s.get(); err != nil || !a.ReadAt.Equal(c.at.Add(57*time.Second)) {
		t.Errorf("read at %s, %v", a.ReadAt, err)
	}
}

func TestCaller_race(t *testing.T) {
	var now, most, back, mostBack atomic.Int64
	up := func(n, most *atomic.Int64) {
		for v := n.Add(1); ; {
			old := most.Load()
			if v <= old || most.CompareAndSwap(old, v) {
				return
			}
		}
	}
	s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		up(&now, &most)
		defer now.Add(-1)
		if r.URL.Path == "/back" {
			up(&back, &mostBack)
			defer back.Add(-1)
		}
		time.Sleep(200 * time.Microsecond)
		says(200, `{}`)(w, r)
	})
	var wait sync.WaitGroup
	for i := range 60 {
		wait.Go(func() {
			ctx, path := t.Context(), "/"
			if i%2 == 0 {
				ctx, path = affiliate.InBackground(ctx), "/back"
			}
			a, err := s.Ask(ctx, Request{Address: s.URL + path, Cost: 10})
			if err != nil {
				t.Error(err)
			}
			s.Points(a, Points{Available: 1900, Max: 2000, Restore: 100, Requested: 10, Actual: 5})
			s.Use()
		})
	}
	wait.Wait()
	if most.Load() > atOnce || mostBack.Load() != 1 {
		t.Errorf("%d at once, %d in the background", most.Load(), mostBack.Load())
	}
	if got := s.Use().Requests; got != 60 {
		t.Errorf("%d requests", got)
	}
}

// secretForms are how keys stand in requests.
var secretForms = []string{key, secret, strings.ToUpper(key), "cs_da6f32abe0060ff%2F%2Be", "cs_da6f32abe0060ff%2f%2be",
	"cs_da6f32abe0060ff%2F+e", base64.StdEncoding.EncodeToString([]byte(key + ":" + secret)),
	base64.RawURLEncoding.EncodeToString([]byte(key + ":" + secret)), base64.StdEncoding.EncodeToString([]byte(secret))}

// TestAttack_keys_in_errors: whatever a store answers, its keys stand in no error.
func TestAttack_keys_in_errors(t *testing.T) {
	all := strings.Join(secretForms, " ")
	quoted := `{"message":"` + all + `","errors":"` + all + `"}`
	var answer http.HandlerFunc
	s := newStore(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	for _, status := range []int{200, 301, 400, 401, 402, 403, 404, 406, 418, 429, 500, 501, 503} {
		for _, body := range []string{quoted, "<br /><b>Warning</b>: " + all + "{}", "<html>" + all, all, ""} {
			for _, location := range []string{"https://" + key + ".example/?" + all, "http://%zz" + secret, "/" + key} {
				answer = says(status, body, "Location", location)
				a, err := s.get(func(r *Request) {
					r.Address += "?consumer_key=" + key + "&consumer_secret=" + secretForms[3]
					r.Repeatable = false
				})
				var v struct{ Orders []int }
				for _, err := range []error{err, a.JSON(&v), s.Refusal(a)} {
					for _, form := range secretForms {
						if err != nil && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(form)) {
							t.Fatalf("%d %q: %s stands in %q", status, body, form, err)
						}
					}
				}
			}
		}
	}
}
