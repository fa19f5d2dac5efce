package simulate

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server that limits requests slows the check down, no more.
func TestClient_waits_when_limited(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte(`{"a":1}`)) // the client would fail without it
	}))
	defer server.Close()
	var got struct{ A int }
	if err := (client{address: strings.TrimPrefix(server.URL, "http://")}).read(t.Context(), "/", &got); err != nil || got.A != 1 || asked != 2 {
		t.Errorf("got %+v after %d requests, %v", got, asked, err)
	}
}
