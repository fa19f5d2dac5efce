package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/web"
)

// That the database answers is not enough to be ready: what this process does all the time must succeed as well. After
// a failure that nothing followed, something is written to see whether it would, and the status says nothing of it.
func TestReady_pulses(t *testing.T) {
	eachOffice(t, func(o *office) {
		beat := app.Beating
		handler, err := (&web.Server{App: o.app, Log: o.app.Log, Version: "test", Hub: o.hub, Queue: o.queue,
			Pulses: map[string]func() app.Beat{"deliveries cannot be kept": func() app.Beat { return beat }}}).Handler()
		if err != nil {
			o.Fatal(err)
		}
		ask := func(path string) (int, string) {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(o.Context(), http.MethodGet, path, nil)
			r.Header.Set("Authorization", "Bearer "+o.viewer.token) // strangers share an answer for a moment
			handler.ServeHTTP(w, r)
			return w.Code, w.Body.String()
		}
		for _, c := range []struct {
			beat app.Beat
			want int
		}{{app.Beating, 200}, {app.Stopped, 503}, {app.Missed, 200}} {
			beat = c.beat
			code, text := ask("/readyz")
			if code != c.want || code == 503 && !strings.Contains(text, "deliveries cannot be kept") {
				o.Errorf("/readyz with the pulse %d: %d %s, want %d", c.beat, code, text, c.want)
			}
			_, text = ask("/status")
			if got, want := strings.Contains(text, "deliveries cannot be kept"), c.beat == app.Stopped; got != want {
				o.Errorf("/status with the pulse %d tells of it: %v\n%s", c.beat, got, text)
			}
		}
	})
}

// deadlines are pages that answer whether the request has an end.
type deadlines struct{}

func (deadlines) NotFound(c *gin.Context) {}

func (deadlines) Register(r *gin.Engine) error {
	for _, path := range []string{"/campaigns", "/payouts/:id", "/sales.csv", "/sales.xlsx", "/creators/import",
		"/live"} {
		r.GET(path, func(c *gin.Context) {
			_, bounded := c.Request.Context().Deadline()
			c.String(http.StatusOK, "%v", bounded)
		})
	}
	return nil
}

// A request waits for a time only; exports, imports and live events take as long as they need. Whoever asks too long is
// told to try again.
func TestRequests_haveAnEnd(t *testing.T) {
	eachOffice(t, func(o *office) {
		handler, err := (&web.Server{App: o.app, Log: o.app.Log, Hub: o.hub, Queue: o.queue,
			Pages: deadlines{}}).Handler()
		if err != nil {
			o.Fatal(err)
		}
		for path, want := range map[string]string{"/campaigns": "true", "/payouts/1": "true", "/sales.csv": "false",
			"/sales.xlsx": "false", "/creators/import": "false", "/live": "false"} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequestWithContext(o.Context(), http.MethodGet, path, nil))
			if got := w.Body.String(); got != want {
				o.Errorf("%s has an end: %s, want %s", path, got, want)
			}
		}
	})
	if p := web.ProblemOf(fmt.Errorf("read: %w", context.DeadlineExceeded)); p.Status != http.StatusServiceUnavailable {
		t.Errorf("what took too long is answered with %d, want 503", p.Status)
	}
}
