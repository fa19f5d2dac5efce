package storeapi

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"pgregory.net/rapid"
)

// asking is one request that was made of a store.
type asking struct {
	reserved, ended time.Time // when it was our turn to wait, and when it was through
	used            float64   // points, or seconds
}

// TestBudget_half: whatever background requests cost, and however they come, at any time after the second one at most
// half of what was restored is used, if they cost no more than expected; and in each part of the time no more than half
// of that and one request.
func TestBudget_half(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, b := newClock(), budget{}
		inPoints := rapid.Bool().Draw(t, "in points")
		restore := 1.0
		if inPoints {
			restore = rapid.SampledFrom([]float64{50, 100, 1000}).Draw(t, "restore")
		}
		took, most := rapid.Float64Range(0.01, 3), 0.0
		var done []asking
		steady := took.Draw(t, "steady")
		for i := range rapid.IntRange(3, 30).Draw(t, "requests") {
			c.pass(seconds(rapid.SampledFrom([]float64{0, 0, 0, 0.5, 60}).Draw(t, "idle")))
			cost, d, actual := 0.0, steady, steady
			if inPoints {
				cost, d = rapid.Float64Range(1, 500).Draw(t, "cost"), took.Draw(t, "took")
				actual = cost * rapid.Float64Range(0.1, 1).Draw(t, "part")
			}
			was := c.at
			a, wait := b.reserve(c.at, true, cost)
			c.pass(wait)
			began := c.at
			c.pass(seconds(d))
			a = b.finish(a, began, c.at)
			if inPoints {
				b.told(c.at, a, Points{Available: 2000, Max: 2000, Restore: restore, Requested: cost, Actual: actual})
			}
			done = append(done, asking{was, c.at, actual})
			most = max(most, actual)
			if share := b.use(c.at).Share; i > 0 && share > 0.5+1e-6 {
				t.Fatalf("request %d: a share of %v", i, share)
			}
		}
		for from := range done {
			used := 0.0
			for _, one := range done[from:] {
				used += one.used
				length := one.ended.Sub(done[from].reserved).Seconds()
				if used > length*restore/2+2*most+1e-3 {
					t.Fatalf("from request %d: %v used in %v s", from, used, length)
				}
			}
		}
	})
}

// TestBudget_bucket: background work leaves half of the bucket; what people wait for waits only for an empty one.
func TestBudget_bucket(t *testing.T) {
	tests := []struct {
		name       string
		background bool
		left, cost float64
		want       time.Duration
	}{
		{"full", true, 2000, 200, 0},
		{"enough for both", true, 1200, 200, 0},
		{"half of it would be touched", true, 1000, 200, 2 * time.Second},
		{"empty", true, 0, 200, 12 * time.Second},
		{"more than half of the bucket", true, 1500, 1500, 5 * time.Second},
		{"people", false, 200, 200, 0},
		{"people, and not enough", false, 100, 200, time.Second},
		{"more than the bucket holds", false, 0, 2500, 0},
	}
	for _, test := range tests {
		now := newClock().at
		b := budget{known: Points{Available: test.left, Max: 2000, Restore: 100}, at: now, paid: now.Add(-time.Hour)}
		if _, wait := b.reserve(now, test.background, test.cost); wait != test.want {
			t.Errorf("%s: waits %s, want %s", test.name, wait, test.want)
		}
	}
	now := newClock().at
	b := budget{known: Points{Available: 300, Max: 2000, Restore: 100}, at: now}
	first, _ := b.reserve(now, false, 200)
	if _, wait := b.reserve(now, false, 200); wait != time.Second {
		t.Errorf("beside one that is under way: waits %s", wait)
	}
	b.giveBack(first)
	if _, wait := b.reserve(now, false, 100); wait != 0 {
		t.Errorf("beside one that came to nothing: waits %s", wait)
	}
}

// TestAsk_background: without points, the store is busy with our background requests at most half of the time, and what
// people wait for does not wait for them.
func TestAsk_background(t *testing.T) {
	s := newStore(t, nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.clock.pass(2 * time.Second)
		says(200, `[]`)(w, r)
	})
	began := s.clock.at
	for range 10 {
		if _, err := s.Ask(affiliate.InBackground(t.Context()), Request{Address: s.URL}); err != nil {
			t.Fatal(err)
		}
	}
	u := s.Use()
	if want := 20 / s.clock.at.Sub(began).Seconds(); math.Abs(u.Share-want) > 1e-9 || u.Share > 0.5 || u.Share < 0.4 {
		t.Errorf("a share of %v, want %v", u.Share, want)
	}
	slept := len(s.clock.slept)
	for range 5 {
		if _, err := s.get(); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.clock.slept) != slept {
		t.Errorf("people wait %v", s.clock.slept[slept:])
	}
	if got := s.Use(); got.Requests != 15 || got.Share >= u.Share {
		t.Errorf("use %+v", got)
	}
}

func TestPoints(t *testing.T) {
	s := newStore(t, says(200, `{}`))
	for range 20 {
		a, err := s.Ask(affiliate.InBackground(t.Context()), Request{Address: s.URL, Cost: 600})
		if err != nil {
			t.Fatal(err)
		}
		s.Points(a, Points{Available: 2000 - 150, Max: 2000, Restore: 100, Requested: 600, Actual: 150})
	}
	// 19 times 150 points, each earned at 50 a second
	if u := s.Use(); u.Share > 0.5 || u.Share < 0.4 {
		t.Errorf("a share of %v after %s", u.Share, s.clock.at.Sub(newClock().at))
	}
	s.Points(Answer{}, Points{}) // an answer without
	if _, err := s.get(func(r *Request) { r.Cost = 1000 }); err != nil {
		t.Fatal(err)
	}
}

func TestSize(t *testing.T) {
	s := &Size{Max: 100}
	for _, step := range []struct {
		took time.Duration // 0: too big
		want int
	}{{time.Second, 100}, {0, 50}, {time.Second, 57}, {10 * time.Second, 57}, {21 * time.Second, 28}, {0, 14}, {0, 7},
		{0, 3}, {0, 1}, {0, 1}, {21 * time.Second, 1}, {time.Second, 2}, {time.Second, 3}} {
		if step.took == 0 {
			s.TooBig()
		} else {
			s.Well(step.took)
		}
		if got := s.Now(); got != step.want {
			t.Fatalf("after %s: %d, want %d", step.took, got, step.want)
		}
	}
	for range 60 {
		s.Well(time.Second)
	}
	if s.Now() != 100 {
		t.Errorf("it does not grow back: %d", s.Now())
	}
}
