package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/web"
)

// That the database answers is not enough to be ready: what this process does all the time must succeed as well. After
// a failure that nothing followed, something is written to see whether it would.
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
			handler.ServeHTTP(w, httptest.NewRequestWithContext(o.Context(), http.MethodGet, path, nil))
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
			if got, want := strings.Contains(text, "deliveries cannot be kept"), c.beat != app.Beating; got != want {
				o.Errorf("/status with the pulse %d tells of it: %v\n%s", c.beat, got, text)
			}
		}
	})
}
