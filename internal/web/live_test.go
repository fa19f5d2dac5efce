package web_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fair"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/live"
	"github.com/tributaryhq/tributary/internal/web"
)

// stalled is the connection of a reader that takes nothing: a write fails when its time is over. Without a limit it
// would never end.
type stalled struct {
	*httptest.ResponseRecorder
	deadline time.Time
	writes   int
}

func (s *stalled) SetWriteDeadline(t time.Time) error { s.deadline = t; return nil }

func (s *stalled) FlushError() error { return nil }

func (s *stalled) Write([]byte) (int, error) {
	s.writes++
	if s.deadline.IsZero() {
		return 0, errors.New("this write would wait for ever")
	}
	return 0, http.ErrHandlerTimeout
}

// WriteString is what gin uses.
func (s *stalled) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

// TestStream_stalled_race: each piece of a stream has its time, after which the reader is gone.
func TestStream_stalled_race(t *testing.T) {
	hub := live.NewHub(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}),
		slog.New(slog.NewTextHandler(io.Discard, nil)))
	w := &stalled{ResponseRecorder: httptest.NewRecorder()}
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live", nil)
	before := time.Now()
	web.Stream(c, hub, 0, nil, func(*live.Batch) string { return "" })
	if w.writes != 1 || !w.deadline.After(before) || w.deadline.After(before.Add(time.Minute)) {
		t.Errorf("%d writes with a limit of %v, want one within a minute", w.writes, w.deadline.Sub(before))
	}
}

// noted is the connection of a reader that takes everything, one write after the other.
type noted struct {
	*httptest.ResponseRecorder
	wrote chan string
}

func (n *noted) SetWriteDeadline(time.Time) error { return nil }
func (n *noted) FlushError() error                { return nil }

func (n *noted) Write(p []byte) (int, error) { return n.WriteString(string(p)) }

func (n *noted) WriteString(text string) (int, error) {
	n.wrote <- text
	return len(text), nil
}

// TestStream_pause_race: the first change is told at once; what comes in the pause after it is told together at its
// end, each kind once, and nothing is left out.
func TestStream_pause_race(t *testing.T) {
	queue, err := jobs.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer queue.Close()
	hub := live.NewHub(queue.Client(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, leave := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer leave()
	running.Go(func() { hub.Run(ctx) })
	w := &noted{httptest.NewRecorder(), make(chan string)}
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequestWithContext(ctx, http.MethodGet, "/live", nil)
	running.Go(func() {
		web.Stream(c, hub, 2*time.Second, nil, func(b *live.Batch) string {
			return web.Event("order", b.Changes[0].Order.String())
		})
	})
	<-w.wrote // the beginning
	witness, _ := hub.Subscribe("witness", nil)
	defer witness.Close()
	publish := func(order affiliate.OrderID) { hub.Publish([]affiliate.Change{{Order: order}}) }
	hear := func(order affiliate.OrderID) {
		for range witness.Ready() {
			list, _ := witness.Take()
			for _, b := range list {
				if b.Changes[0].Order == order {
					return
				}
			}
		}
	}
	for heard := false; !heard; { // the hub begins to listen by and by
		publish(1)
		select {
		case <-witness.Ready():
			heard = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	one := web.Event("order", affiliate.OrderID(1).String())
	if text := <-w.wrote; text != one {
		t.Errorf("told at once %q, want %q", text, one)
	}
	for _, order := range []affiliate.OrderID{2, 3, 2, 4} {
		publish(order)
		hear(order)
	}
	want := ""
	for _, order := range []affiliate.OrderID{2, 3, 4} {
		want += web.Event("order", order.String())
	}
	if text := strings.TrimPrefix(<-w.wrote, one); text != want { // the first may have been published more than once
		t.Errorf("told after the pause %q, want %q", text, want)
	}
}

// TestStream_refused: one stream too many of one caller is refused by a problem document that says when to come back.
func TestStream_refused(t *testing.T) {
	hub := live.NewHub(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}),
		slog.New(slog.NewTextHandler(io.Discard, nil)))
	caller := affiliate.Principal{ID: "tok_1"}
	for range live.MostReadersEach {
		if _, why := hub.Subscribe(caller.ID, nil); why != fair.Granted {
			t.Fatalf("a stream is refused: %v", why)
		}
	}
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequestWithContext(app.As(t.Context(), caller), http.MethodGet, "/live", nil)
	web.Stream(c, hub, 0, nil, func(*live.Batch) string { return "" })
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" ||
		w.Header().Get("Content-Type") != "application/problem+json" ||
		!strings.Contains(w.Body.String(), "too_many_at_once") {
		t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
	}
}
