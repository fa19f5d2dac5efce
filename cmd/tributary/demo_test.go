package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tributaryhq/tributary/internal/recordings"
)

// screen is what a command wrote, readable while it still writes.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// demo runs the command and gives its exit code with all that it wrote.
func demo(ctx context.Context, args ...string) (code int, stdout, stderr *screen) {
	stdout, stderr = &screen{}, &screen{}
	// The environment points elsewhere: a demo must not follow it.
	elsewhere := func(name string) string {
		return map[string]string{"DATABASE_URL": "postgres://nowhere/x", "DATA_DIR": "/nowhere"}[name]
	}
	code = run(ctx, commands(), terminal{stdout: stdout, stderr: stderr, getenv: elsewhere},
		append([]string{"demo"}, args...))
	return code, stdout, stderr
}

func TestDemo_once(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "demo")
	for range 2 { // the second one removes what the first one left
		code, stdout, stderr := demo(t.Context(), "--once", "--data", folder)
		if code != exitOK || stderr.String() != "" {
			t.Fatalf("exit code %d, want %d, with nothing on stderr:\n%s\n%s", code, exitOK, stdout, stderr)
		}
		want := 0
		for _, set := range allSets(t) {
			want += len(set.Orders)
		}
		if got := strings.Count(stdout.String(), "\n✓"); got != want {
			t.Errorf("%d rows fit, want %d:\n%s", got, want, stdout)
		}
		if !strings.Contains(stdout.String(),
			"All 44 orders are as expected; 61 recordings that describe no order made none.") {
			t.Errorf("no summary in:\n%s", stdout)
		}
	}
	info, err := os.Stat(folder)
	ok(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, want 0700", info.Mode().Perm())
	}
}

func TestDemo_serves_until_it_is_told_to_end(t *testing.T) {
	// Whoever holds the usual address, the demo takes another one.
	if l, err := net.Listen("tcp", demoAddress); err == nil {
		defer l.Close()
	}
	folder := filepath.Join(t.TempDir(), "demo")
	ctx, end := context.WithCancel(t.Context())
	defer end()
	stdout, stderr := &screen{}, &screen{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, commands(), terminal{stdout: stdout, stderr: stderr, getenv: os.Getenv},
			[]string{"demo", "--data", folder})
	}()
	eventually(t, "the demo says where to look", func() bool {
		return strings.Contains(stdout.String(), "token ") || len(ended) > 0
	})
	if len(ended) > 0 {
		t.Fatalf("ended with exit code %d by itself: %s", <-ended, stderr)
	}
	base, token := found(t, stdout, `serves at (http://\S+),`), found(t, stdout, `token +(trb_\S+)`)
	if base == "http://"+demoAddress {
		t.Errorf("serves at %s, which is taken", base)
	}
	c := recordings.NewClient(base, token)
	defer c.Close()
	for _, address := range regexp.MustCompile(`http://\S+`).FindAllString(stdout.String(), -1) {
		wantAnswer(t, c, strings.TrimRight(address, ",."))
	}

	if code, _, said := demo(t.Context(), "--once", "--data", folder); code != exitError ||
		!strings.Contains(said.String(), base) {
		t.Errorf("a second demo on the same folder: exit code %d with %q, want %d with the address of the first", code,
			said, exitError)
	}
	c.Close()
	end()
	if code := <-ended; code != exitOK || stderr.String() != "" {
		t.Errorf("exit code %d after Ctrl-C, want %d, with nothing on stderr:\n%s", code, exitOK, stderr)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(base, "http://")); err == nil {
		t.Errorf("%s still answers", base)
	}
}

// TestDemoPassword: chance makes no password that its account may not have.
func TestDemoPassword(t *testing.T) {
	for range 20_000 {
		if password := demoPassword(); demoUser().ValidatePassword("password", password) != nil {
			t.Fatalf("%s is refused", password)
		}
	}
}

func TestDemo_listens_where_it_is_told_to(t *testing.T) {
	address, err := freeAddress()
	ok(t, err)
	told := func() (int, string, string) {
		stdout, stderr := &screen{}, &screen{}
		code := run(t.Context(), commands(), terminal{stdout: stdout, stderr: stderr, getenv: func(name string) string {
			return environment{"LISTEN_ADDR": address}[name]
		}},
			[]string{"demo", "--once", "--data", filepath.Join(t.TempDir(), "demo")})
		return code, stdout.String(), stderr.String()
	}
	if code, stdout, stderr := told(); code != exitOK || !strings.Contains(stdout, "serves at http://"+address+",") {
		t.Errorf("exit code %d, want %d at %s:\n%s\n%s", code, exitOK, address, stdout, stderr)
	}
	l, err := net.Listen("tcp", address)
	ok(t, err)
	defer l.Close()
	if code, stdout, stderr := told(); code != exitError || !strings.Contains(stderr, "LISTEN_ADDR") {
		t.Errorf("exit code %d where the address is taken, want %d:\n%s\n%s", code, exitError, stdout, stderr)
	}
}

func found(t *testing.T, in *screen, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(in.String())
	if match == nil {
		t.Fatalf("no %s in:\n%s", pattern, in)
	}
	return match[1]
}

// wantAnswer follows an address that the demo printed.
func wantAnswer(t *testing.T, c *recordings.Client, address string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	ok(t, err)
	request.Header.Set("Authorization", "Bearer "+c.Token)
	response, err := c.HTTP.Do(request)
	ok(t, err)
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	ok(t, err)
	want := http.StatusOK
	if strings.Contains(address, "/l/") {
		want = http.StatusFound
	}
	if path := request.URL.Path; path != "" { // the bare address has no page yet
		wantStatus(t, address, response.StatusCode, want)
	}
}

func TestDemo_leaves_the_folders_of_others_alone(t *testing.T) {
	folder := t.TempDir()
	mine := filepath.Join(folder, "thesis.txt")
	ok(t, os.WriteFile(mine, []byte("years of work"), 0o600))
	link := filepath.Join(t.TempDir(), "link")
	ok(t, os.Symlink(folder, link))
	for _, path := range []string{folder, link, mine} {
		code, _, stderr := demo(t.Context(), "--once", "--data", path)
		if code != exitError || !strings.Contains(stderr.String(), "--data") {
			t.Errorf("%s: exit code %d with %q, want %d with a remedy", path, code, stderr, exitError)
		}
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "years of work" {
		t.Errorf("the file holds %q (%v)", text, err)
	}
}

func TestDemoReport_spells_out_differences(t *testing.T) {
	r := demoReport{none: 3, phantoms: []string{"005.json made an order 7 of shop, but describes none: a ping"},
		orders: []demoOrder{
			{store: "shop", want: recordings.Expected{Number: "#1", Status: "paid", Value: "1.00"},
				got: recordings.Order{Status: "paid", Value: "1.00", Currency: "EUR"}},
			{store: "shop", want: recordings.Expected{Number: "#2", Status: "paid", Value: "2.00"},
				differences: []string{"status: got pending, want paid"}}}}
	if !r.differs() {
		t.Error("the report does not differ")
	}
	var out bytes.Buffer
	r.print(&out)
	for _, want := range []string{"\n✓  #1", "\n✗  #2", "✗ #2 of shop: status: got pending, want paid",
		"✗ 005.json made an order 7",
		"1 of 2 orders differ from what was expected; 3 recordings that describe no order made 1 all the same."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &out)
		}
	}
	if fits := (&demoReport{orders: r.orders[:1]}); fits.differs() {
		t.Error("a report of orders that fit differs")
	}
}
