// The end-to-end tests are in this package, beside the wiring they test: they start the whole server as serve does,
// either in this process, where the race detector sees it, or as the real binary where it must be killed. Whatever goes
// in goes through HTTP, and what came out is asked of the API; the database is opened beside it only for the ledger,
// which has no API yet. All of them run on both backends: SQLite with the Redis of this process, and a real PostgreSQL
// with a real Redis.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/fxrates"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// environment is what serve reads; each start of a server on it finds what the ones before left.
type environment map[string]string

// eachBackend runs a test on the embedded default and on PostgreSQL with Redis.
func eachBackend(t *testing.T, test func(t *testing.T, env environment)) {
	t.Run("embedded", func(t *testing.T) { test(t, embedded(t)) })
	t.Run("production", func(t *testing.T) { test(t, production(t)) })
}

// withRates is a database as a server leaves it that has started once: the rates that come with the program are loaded.
var withRates = storagetest.NewTemplate("rates", func(ctx context.Context, db *storage.DB) error {
	return (&app.App{DB: db}).SeedRates(ctx, fxrates.Bundled)
})

func embedded(t *testing.T) environment {
	e := environment{"DATA_DIR": t.TempDir()}.withCommon()
	withRates.SQLiteFile(t, e.config(t).DatabasePath())
	return e
}

func production(t *testing.T) environment {
	return environment{"DATA_DIR": t.TempDir(), "DATABASE_URL": withRates.PostgresURL(t),
		"REDIS_URL": testservers.RedisDB(t)}.withCommon()
}

func (e environment) withCommon() environment {
	e["SECRET_KEY"] = strings.Repeat("k", config.MinSecretKey)
	e["LISTEN_ADDR"] = "127.0.0.1:0"
	e["LOG_LEVEL"] = "warn"
	e["FX_RATES_URL"] = "off"
	e["API_RATE_LIMIT"] = "0" // tests ask as fast as they can
	return e
}

// with gives a copy with one more variable.
func (e environment) with(name, value string) environment {
	c := maps.Clone(e)
	c[name] = value
	return c
}

func (e environment) config(t testing.TB) config.Config {
	t.Helper()
	cfg, err := config.Load(func(name string) string { return e[name] })
	ok(t, err)
	return cfg
}

// setUp connects the recorded stores with their creators and gives an owner's token. It needs no server.
func (e environment) setUp(t testing.TB, sets []recordings.Set) (token string) {
	t.Helper()
	token = e.setUpStores(t, sets)
	e.importCreators(t, sets)
	return token
}

// setUpStores connects the recorded stores, whose creators nobody knows yet.
func (e environment) setUpStores(t testing.TB, sets []recordings.Set) (token string) {
	t.Helper()
	e.open(t, func(ctx context.Context, a *app.App) {
		for _, set := range sets {
			ok(t, addStore(ctx, a, set.Store))
		}
		added, err := a.AddToken(ctx, app.TokenDraft{Name: "tests", Role: affiliate.RoleOwner})
		ok(t, err)
		token = added.Value
	})
	return token
}

func (e environment) importCreators(t testing.TB, sets []recordings.Set) {
	t.Helper()
	e.open(t, func(ctx context.Context, a *app.App) {
		for _, set := range sets {
			ok(t, importCreators(ctx, a, set.CreatorsCSV))
		}
	})
}

// open runs f with an application as commands do.
func (e environment) open(t testing.TB, f func(context.Context, *app.App)) {
	t.Helper()
	a, end, err := openApp(t.Context(), e.config(t))
	ok(t, err)
	defer end()
	f(app.As(t.Context(), commandLine()), a)
}

// start runs a server in this process until the test ends, or until stop is called.
func (e environment) start(t testing.TB, roles ...string) *server {
	t.Helper()
	if len(roles) == 0 {
		roles = allRoles
	}
	s, err := startServer(t.Context(), e.config(t), roles)
	ok(t, err)
	t.Cleanup(func() { ok(t, s.stop()) })
	return s
}

// client talks to the server.
func (s *server) client(t testing.TB, token string) *recordings.Client {
	return newClient(t, s.address, token)
}

func newClient(t testing.TB, address, token string) *recordings.Client {
	c := recordings.NewClient("http://"+address, token)
	t.Cleanup(c.Close)
	return c
}

// allSets are the recordings of both platforms.
func allSets(t testing.TB) []recordings.Set {
	t.Helper()
	sets, err := recordings.All()
	ok(t, err)
	return sets
}

func allRequests(sets []recordings.Set) (list []recordings.Request) {
	for _, set := range sets {
		list = append(list, set.Requests...)
	}
	return list
}

// deliver sends requests over some connections at once, those of one order one after the other; all must be
// acknowledged.
func deliver(t testing.TB, c *recordings.Client, connections int, list []recordings.Request) {
	t.Helper()
	var senders sync.WaitGroup
	for _, list := range recordings.ByConnection(list, connections) {
		senders.Go(func() {
			for _, r := range list {
				if err := c.Deliver(t.Context(), r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
}

// patience bounds every wait of these tests; what takes longer is a failure.
const patience = 60 * time.Second

func waitProcessed(t testing.TB, c *recordings.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ok(t, c.WaitProcessed(ctx, nil))
}

// checkOrders asks the API for every expected order, and for those that must not be.
func checkOrders(t testing.TB, c *recordings.Client, sets []recordings.Set) {
	t.Helper()
	for _, set := range sets {
		for _, want := range set.Orders {
			got, found, err := c.Order(t.Context(), set.Store.Slug, want.ExternalID)
			ok(t, err)
			if !found {
				t.Errorf("%s %s: no order, want one", set.Store.Slug, want.ExternalID)
				continue
			}
			for _, difference := range want.Differences(got) {
				t.Errorf("%s %s (%s): %s", set.Store.Slug, want.ExternalID, want.Number, difference)
			}
			checkTrace(t, c, set.Store.Slug, got)
		}
		for _, not := range set.NotOrders {
			if not.ExternalID == "" {
				continue
			}
			if _, found, err := c.Order(t.Context(), set.Store.Slug, not.ExternalID); found || err != nil {
				t.Errorf("%s %s (%s): an order (%v), want none: %s", set.Store.Slug, not.ExternalID, not.File,
					err, not.Reason)
			}
		}
	}
}

// checkTrace decides the order again from its trace alone.
func checkTrace(t testing.TB, c *recordings.Client, store string, o recordings.Order) {
	t.Helper()
	var answer struct {
		Sentences []string        `json:"sentences"`
		Trace     affiliate.Trace `json:"trace"`
	}
	ok(t, c.Get(t.Context(), "/api/v1/orders/"+store+"/"+o.ExternalID+"/trace", &answer))
	verdict := answer.Trace.Replay()
	if again := verdict.Trace; !reflect.DeepEqual(again, answer.Trace) {
		t.Errorf("%s %s: the trace replays to %+v, want %+v", store, o.ExternalID, again, answer.Trace)
	}
	got, want := "not credited: "+verdict.Reason, "not credited: "
	if verdict.Winner != nil {
		got = fmt.Sprintf("%s by %s %s", verdict.Winner.Creator, verdict.Winner.Method, verdict.Winner.Evidence)
	}
	if o.NotCredited != nil {
		want += *o.NotCredited
	}
	if o.Conversion != nil {
		want = o.Conversion.Creator + " by " + o.Conversion.By()
	}
	if got != want {
		t.Errorf("%s %s: the trace says %q, the order %q", store, o.ExternalID, got, want)
	}
	if len(answer.Sentences) == 0 {
		t.Errorf("%s %s: the trace says nothing to people", store, o.ExternalID)
	}
}

// checkLedger compares every conversion with the entries behind it.
func checkLedger(t testing.TB, env environment) {
	t.Helper()
	env.open(t, func(_ context.Context, a *app.App) { storagetest.Consistent(t, a.DB) })
	for _, o := range allOrders(t, env) {
		want := map[affiliate.Account]int64{}
		if c := o.conversion; c != nil && c.AccountCommission != nil {
			want[c.Account()] = *c.AccountCommission
		}
		for account, amount := range o.posted {
			if amount != want[account] {
				t.Errorf("order %s: the ledger holds %d for %+v, want %d", o.ExternalID, amount, account, want[account])
			}
			delete(want, account)
		}
		for account, amount := range want {
			if amount != 0 {
				t.Errorf("order %s: the ledger holds nothing for %+v, want %d", o.ExternalID, account, amount)
			}
		}
	}
}

// keptOrder is an order with all that hangs on it.
type keptOrder struct {
	storage.OrderRow
	conversion *storage.Conversion // also one that is credited no more
	posted     map[affiliate.Account]int64
}

// allOrders reads all orders from the database, by store and external id.
func allOrders(t testing.TB, env environment) (orders []keptOrder) {
	t.Helper()
	env.open(t, func(ctx context.Context, a *app.App) {
		rows, err := storage.All(func(p storage.Page) ([]storage.OrderRow, string, error) {
			return a.DB.ListOrders(ctx, storage.OrderFilter{}, p)
		})
		ok(t, err)
		ids := make([]affiliate.OrderID, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		conversions, err := a.DB.Conversions(ctx, ids)
		ok(t, err)
		var conversionIDs []affiliate.ConversionID
		for _, c := range conversions {
			conversionIDs = append(conversionIDs, c.ID)
		}
		posted, err := a.DB.Posted(ctx, conversionIDs)
		ok(t, err)
		for _, row := range rows {
			o := keptOrder{OrderRow: row}
			if c, found := conversions[row.ID]; found {
				o.conversion, o.posted = &c, posted[c.ID]
			}
			orders = append(orders, o)
		}
	})
	slices.SortFunc(orders, func(a, b keptOrder) int {
		return strings.Compare(a.Store+" "+a.ExternalID, b.Store+" "+b.ExternalID)
	})
	return orders
}

// receipts are the times at which deliveries came in, which no two runs share: microseconds have 16 digits.
var receipts = regexp.MustCompile(`,"(received|c)":\d+|:\d{16}`)

// endState is all that must not depend on the order of arrival, one line per order.
func endState(t testing.TB, env environment) (lines []string) {
	t.Helper()
	for _, o := range allOrders(t, env) {
		line := fmt.Sprint(o.Store, o.ExternalID, o.Number, o.Status, o.Currency, o.Value, o.OriginalValue, o.Total,
			o.Refunded, o.RefundPending, o.Test, o.PlacedAt, o.UpdatedAt, o.Codes, orNull(o.NotCredited), o.Evidence,
			o.Doubts, receipts.ReplaceAllString(o.State, ""))
		if c := o.conversion; c != nil {
			line += fmt.Sprint(c.Credited, c.Method, c.Evidence, c.Ambiguous, c.Approval, c.Status, c.Value,
				c.OriginalValue, c.Refunded, c.Commission, orNull(c.AccountCommission))
		}
		lines = append(lines, line)
	}
	return lines
}

func orNull[T any](p *T) string {
	text, _ := json.Marshal(p) // pointers to strings and numbers always marshal
	return string(text)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantStatus(t testing.TB, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: answered %d %s, want %d", what, got, http.StatusText(got), want)
	}
}

// eventually waits for a condition; what is awaited comes as a sentence.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
