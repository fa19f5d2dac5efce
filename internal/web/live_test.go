package web_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/internal/live"
	"github.com/tributaryhq/tributary/internal/web"
)

// stalled is the connection of a reader that takes nothing: a write fails when its time is over. Without a limit it would
// never end.
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

// TestStream_stalled: each piece of a stream has its time, after which the reader is gone.
func TestStream_stalled(t *testing.T) {
	hub := live.NewHub(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), slog.New(slog.NewTextHandler(io.Discard, nil)))
	w := &stalled{ResponseRecorder: httptest.NewRecorder()}
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live", nil)
	before := time.Now()
	web.Stream(c, hub, func(*live.Batch) string { return "" })
	if w.writes != 1 || !w.deadline.After(before) || w.deadline.After(before.Add(time.Minute)) {
		t.Errorf("%d writes with a limit of %v, want one within a minute", w.writes, w.deadline.Sub(before))
	}
}
