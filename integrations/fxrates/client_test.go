package fxrates

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/money"
)

// asked gives what each of the three files answers.
func asked(t *testing.T, c Client) (first []string) {
	t.Helper()
	for _, f := range []func(context.Context) ([]money.ReferenceRate, error){c.Latest, c.Recent, c.History} {
		list, err := f(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.URL, err)
		}
		first = append(first, list[0].Day+" "+list[0].Rate.String())
	}
	return first
}

// threeFiles are a folder of the bank's three files, each with another rate.
func threeFiles(t *testing.T) map[string]string {
	return map[string]string{
		"eurofxref-daily.xml":    dailyXML,
		"eurofxref-hist-90d.xml": strings.ReplaceAll(historyXML, "1.1684", "90"),
		"eurofxref-hist.zip":     pack(t, strings.ReplaceAll(historyCSV, "1.1684", "1999"), "eurofxref-hist.csv"),
	}
}

func TestClientOverHTTP(t *testing.T) {
	files := threeFiles(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats/eurofxref/{file}", func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.PathValue("file")]
		if !ok || r.Header.Get("User-Agent") != "Tributary" || r.URL.RawQuery != "" && r.URL.RawQuery != "key=1" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(text))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	folder := server.URL + "/stats/eurofxref/"
	want := []string{"2026-04-13 1.1684", "2026-04-13 90", "2026-04-13 1999"}
	for _, address := range []string{folder, folder + "?key=1"} {
		if got := asked(t, Client{URL: address}); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	if got := asked(t, Client{URL: folder + "eurofxref-hist.zip", HTTP: server.Client()}); !slices.Equal(got,
		[]string{want[2], want[2], want[2]}) {
		t.Errorf("one file: %v", got)
	}
	secret := strings.Replace(server.URL, "://", "://me:secret@", 1)
	if _, err := (Client{URL: secret + "/elsewhere/"}).Latest(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "/elsewhere/eurofxref-daily.xml answered 404") ||
		strings.Contains(err.Error(), "secret") {
		t.Errorf("missing file: %v", err)
	}
	files["eurofxref-daily.xml"] = "<html>"
	if _, err := (Client{URL: folder}).Latest(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "eurofxref-daily.xml: not a file of reference rates: line 1") {
		t.Errorf("web page: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Client{URL: folder}).Latest(ended); err == nil {
		t.Error("fetched although the context had ended")
	}
	server.Close()
	if _, err := (Client{URL: folder}).Latest(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("no server: %v", err)
	}
}

func TestClientOnFiles(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range threeFiles(t) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	three := []string{"2026-04-13 1.1684", "2026-04-13 90", "2026-04-13 1999"}
	one := []string{three[1], three[1], three[1]}
	for address, want := range map[string][]string{
		folder + "/": three, "file://" + strings.ReplaceAll(folder, " ", "%20") + "/": three, "file://localhost" + folder + "/": three,
		folder + "/eurofxref-hist-90d.xml": one, "file://" + folder + "/eurofxref-hist-90d.xml": one,
	} {
		if got := asked(t, Client{URL: address}); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	for address, want := range map[string]string{
		folder + "/missing.csv": "no such file", "file://nas" + folder + "/": "another machine", "gopher://x/": "unsupported protocol", "http://[": "missing ']'",
	} {
		if _, err := (Client{URL: address}).Latest(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", address, err, want)
		}
	}
}
