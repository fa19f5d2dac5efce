package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/fxrates"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// Two recorded orders in foreign currencies: one of a day with bundled rates, one of months later.
const (
	euroOrder     = "9000000100002" // 2026-04-12, a Sunday: 37.82 EUR
	canadianOrder = "8913892278578" // 2026-07-08: 100.00 CAD
)

// centralBank serves the bank's files once it is open: the last day, and all days since the bundled ones. Its 90 days
// are too few for a server that has known nothing since.
type centralBank struct {
	*httptest.Server
	mu    sync.Mutex
	open  bool
	asked []string
	last  string // the last day it published
}

func newCentralBank(t *testing.T) *centralBank {
	last, err := app.RatesDue(time.Now())
	ok(t, err)
	b := &centralBank{last: last}
	b.Server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.Close)
	return b
}

func (b *centralBank) serve(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/fx/")
	b.asked = append(b.asked, name)
	daily := fmt.Sprintf(`<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"><Cube><Cube time="%s"><Cube currency="USD" rate="1.2"/></Cube></Cube></gesmes:Envelope>`, b.last)
	history := "Date,USD,CAD,\n" + b.last + ",1.2,1.7,\n2026-07-06,1.1,1.65,\n2026-04-13,9,9,\n"
	switch {
	case !b.open:
		http.Error(w, "closed", http.StatusServiceUnavailable)
	case name == "eurofxref-daily.xml" || name == "eurofxref-hist-90d.xml":
		_, _ = io.WriteString(w, daily)
	case name == "eurofxref-hist.zip":
		_, _ = w.Write(zipped("eurofxref-hist.csv", history))
	default:
		http.NotFound(w, r)
	}
}

func (b *centralBank) requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

func zipped(name, text string) []byte {
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	f, err := archive.Create(name)
	if err == nil {
		_, err = io.WriteString(f, text)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		panic(err)
	}
	return packed.Bytes()
}

type ratesStatus struct {
	Rates struct {
		Newest string
		Source string
	}
}

func readRates(t *testing.T, c *recordings.Client) (s ratesStatus) {
	t.Helper()
	ok(t, c.Get(t.Context(), "/status", &s))
	return s
}

// converted says how an order's conversion was converted into the account's currency.
func converted(t *testing.T, env environment, order string) string {
	t.Helper()
	for _, o := range allOrders(t, env) {
		if c := o.conversion; o.ExternalID == order && c != nil {
			return fmt.Sprintf("%s at %s of %s: value %s, commission %s", c.AccountCurrency, orNull(c.Rate),
				orNull(c.RateDate), orNull(c.AccountValue), orNull(c.AccountCommission))
		}
	}
	t.Fatalf("order %s has no conversion", order)
	return ""
}

// An order of a day with bundled rates is converted at once; a later one waits while the bank cannot be reached, and is
// converted when it can.
func TestRates_orders_wait_for_the_bank(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		b := newCentralBank(t)
		env = env.with("FX_RATES_URL", strings.Replace(b.URL, "://", "://me:secret@", 1)+"/fx/").with("LOG_LEVEL", "error")
		sets := allSets(t)
		token := env.setUp(t, sets)
		s := env.start(t)
		c := s.client(t, token)
		deliver(t, c, 4, allRequests(sets))
		waitProcessed(t, c)
		eventually(t, "the bank is asked", func() bool { return len(b.requests()) > 0 })
		if got := readRates(t, c).Rates; got.Newest != "2026-04-13" || got.Source != b.URL+"/fx/" {
			t.Errorf("the status says %+v", got)
		}
		without := recordings.Client{Base: c.Base, HTTP: c.HTTP}
		if got := readRates(t, &without).Rates; got.Source != "" {
			t.Errorf("the status says without a token: %+v", got)
		}
		if got, want := converted(t, env, euroOrder), `USD at "1.1711" of "2026-04-10": value 4429, commission 443`; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got, want := converted(t, env, canadianOrder),
			"USD at null of null: value null, commission null"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		ok(t, s.stop())

		b.mu.Lock()
		b.open, b.asked = true, nil
		b.mu.Unlock()
		c = env.start(t).client(t, token)
		eventually(t, "the newest rates are here", func() bool { return readRates(t, c).Rates.Newest == b.last })
		want := `USD at "0.666666666667" of "2026-07-06": value 6667, commission 833`
		eventually(t, want, func() bool { return converted(t, env, canadianOrder) == want })
		if got, want := fmt.Sprint(b.requests()),
			"[eurofxref-daily.xml eurofxref-hist-90d.xml eurofxref-hist.zip]"; got != want {
			t.Errorf("the bank was asked for %s, want %s", got, want)
		}
		if got, want := converted(t, env, euroOrder), `USD at "1.1711" of "2026-04-10": value 4429, commission 443`; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		checkLedger(t, env)
	})
}

// A process that died after it had kept rates and before it used them: the next one does, though it fetches none.
func TestRates_orders_wait_for_the_next_process(t *testing.T) {
	t.Parallel()
	env := embedded(t)
	sets := allSets(t)
	token := env.setUp(t, sets)
	s := env.start(t)
	c := s.client(t, token)
	deliver(t, c, 4, allRequests(sets))
	waitProcessed(t, c)
	ok(t, s.stop())
	env.open(t, func(ctx context.Context, a *app.App) {
		list, err := fxrates.Parse(strings.NewReader("Date,USD,CAD\n2026-07-06,1.1,1.65\n"))
		ok(t, err)
		_, err = a.LoadRates(ctx, list)
		ok(t, err)
	})
	if got, want := converted(t, env, canadianOrder), "USD at null of null: value null, commission null"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	env.start(t)
	want := `USD at "0.666666666667" of "2026-07-06": value 6667, commission 833`
	eventually(t, want, func() bool { return converted(t, env, canadianOrder) == want })
}

func TestRatesCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.env["FX_RATES_URL"] = "off"
		s.run("rates", "update").exits(1, "FX_RATES_URL is off", "--file")
		s.run("rates", "show", "USD").exits(1, "there are no exchange rates yet")
		path := filepath.Join(s.TempDir(), "eurofxref.zip")
		if err := os.WriteFile(path, zipped("eurofxref.csv", "Date, USD, JPY, \n10 April 2026, 1.1711, 186.43, \n"),
			0o600); err != nil {
			s.Fatal(err)
		}
		if out := s.run("rates", "update", "--file", path, "--json").exits(0).json(); out["added"] != 2.0 ||
			out["filled"] != 0.0 || out["newest"] != "2026-04-10" {
			s.Errorf("updated: %v", out)
		}
		if out := s.run("rates", "update", "--file", path).exits(0).stdout; !strings.Contains(out, "Added 0 rates") ||
			!strings.Contains(out, "2026-04-10") {
			s.Error(out)
		}
		out := s.run("rates", "show", "jpy", "--day", "2026-04-12").exits(0).stdout
		if out != "1 EUR = 186.43 JPY, published on 2026-04-10\n"+
			"1 JPY = 0.00628171431637 USD, published on 2026-04-10\n" {
			s.Error(out)
		}
		out = s.run("rates", "show", "USD", "--day", "2026-04-20", "--json").exits(0).stdout
		if strings.Join(strings.Fields(out), "") != `{"day":"2026-04-20","rates":[{"from":"EUR","to":"USD","rate":"1.1711","published":"2026-04-10"}]}` {
			s.Error(out)
		}
		s.run("rates", "show", "JPY", "--day", "2026-04-21").exits(1, "no rate of JPY", "2026-04-21",
			"the newest rates are of 2026-04-10")
		// today
		s.run("rates", "show", "JPY").exits(1, "no rate of JPY was published on "+time.Now().UTC().Format("2006"))
		s.run("rates", "show", "JPY", "--day", "yesterday").exits(2, "--day")
		s.run("rates", "show", "QQQ").exits(2, "QQQ")
		s.run("rates", "show").exits(2, "CURRENCY")
		s.run("rates", "update", "--file", path+".missing").exits(1, "no such file")
		ok(s, os.WriteFile(path, []byte("Date,USD\n2026-04-13,0\n"), 0o600))
		s.run("rates", "update", "--file", path).exits(1, path+": ", "line 2, column 12")

		b := newCentralBank(s.T)
		b.open = true
		s.env["FX_RATES_URL"] = b.URL + "/fx/"
		if out := s.run("rates", "update", "--json").exits(0).json(); out["newest"] != b.last {
			s.Errorf("updated from the bank: %v", out)
		}
		s.env["FX_RATES_URL"] = b.URL + "/elsewhere/"
		s.run("rates", "update").exits(1, "fetch exchange rates: ", "/elsewhere/eurofxref-daily.xml answered 404")
	})
}

// Several processes that start at once on an empty database load the bundled rates once.
func TestRates_processes_start_at_once_race(t *testing.T) {
	t.Parallel()
	env := environment{"DATA_DIR": t.TempDir(), "DATABASE_URL": storagetest.PostgresURL(t), "REDIS_URL": "redis://127.0.0.1:1/0"}.withCommon().with("LOG_LEVEL", "error")
	var servers sync.WaitGroup
	cfg := env.config(t)
	for range 4 {
		servers.Go(func() {
			s, err := startServer(t.Context(), cfg, []string{roleReceiver})
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { ok(t, s.stop()) })
		})
	}
	servers.Wait()
	s := shell{T: t, env: env}
	if out := s.run("rates", "show", "ZAR", "--day", "2022-01-03").exits(0).stdout; !strings.HasPrefix(out,
		"1 EUR = 17.9661 ZAR") {
		t.Error(out)
	}
}
