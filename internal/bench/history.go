//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/simulate"
)

// Orders of the store whose past is imported, and over how many days.
const (
	pastOrders      = 100_000
	quickPastOrders = 5_000
	pastDays        = 400
)

// histories measures part (e): how fast a store's past is imported through its API, in what memory, and what pages of
// people take meanwhile.
func (b *bench) histories(ctx context.Context) error {
	if !slices.Contains(b.chosen("history"), onPostgres) {
		return nil
	}
	if err := b.pastOf(ctx, onPostgres); err != nil {
		return fmt.Errorf("history, %s: %w", onPostgres, err)
	}
	return nil
}

// oldShop is a WooCommerce store with a past, which counts the time that it is busy.
type oldShop struct {
	*fakestore.Shop
	address  string
	busy     atomic.Int64 // nanoseconds
	requests atomic.Int64
}

func (s *oldShop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	s.Shop.ServeHTTP(w, r)
	s.busy.Add(int64(time.Since(begin)))
	s.requests.Add(1)
}

// openShop has a store answer in this process.
func (b *bench) openShop(orders int, codes []string) (*oldShop, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &oldShop{address: "http://" + l.Addr().String()}
	s.Shop = fakestore.WooCommerce(fakestore.Options{Domain: l.Addr().String(), Currency: "USD"})
	now := time.Now()
	s.Fill(orders, now.AddDate(0, 0, -pastDays), now.Add(-time.Hour), codes...)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l) //nolint:errcheck // until it is closed
	b.onEnd(func() { server.Close() })
	return s, nil
}

// imported is what an import came to.
type imported struct {
	orders           int
	fetched, took    time.Duration // until all were fetched, and until all were processed
	requests         int64
	busy, server     time.Duration // of the store; processor time of the server
	resident         int64         // most memory of the server meanwhile, in bytes
	meanwhile, after []answered    // pages of people
	noisy            bool
}

func (i imported) rate() float64 { return float64(i.orders) / i.took.Seconds() }

func (b *bench) pastOf(ctx context.Context, where backend) error {
	s, err := b.newSite(ctx, where, (*site).fillEmpty)
	if err != nil {
		return err
	}
	s.env = append(s.env, "ALLOW_PRIVATE_STORES=127.0.0.1", "PUBLIC_URL=https://tributary.example")
	out, err := s.command(ctx, "token", "add", "--name", "import", "--role", "owner", "--json")
	if err != nil {
		return err
	}
	var made struct{ Token string }
	if err := json.Unmarshal(out, &made); err != nil {
		return err
	}
	s.token = made.Token
	i := imported{orders: pastOrders}
	if b.quick {
		i.orders = quickPastOrders
	}
	var codes []string
	for _, o := range s.owners {
		codes = append(codes, o.Code)
	}
	shop, err := b.openShop(i.orders, codes)
	if err != nil {
		return err
	}
	r := &reader{site: s}
	err = r.serving(ctx, func() error {
		if err := r.connect(ctx, shop); err != nil {
			return err
		}
		return r.importPast(ctx, shop, &i)
	})
	if err == nil {
		b.addImported(where, i)
	}
	return err
}

const pastStore = "bench-past"

// connect connects the store as people do, and imports creators for its codes.
func (r *reader) connect(ctx context.Context, shop *oldShop) error {
	keys := shop.Keys(shop.address)
	if err := r.post(ctx, "/stores/connect", map[string]string{"platform": string(woocommerce.Name), "slug": pastStore,
		"address": keys.Address, "id": keys.ID, "secret": keys.Secret}, nil); err != nil {
		return err
	}
	file := filepath.Join(r.dir, pastStore+".csv")
	if err := os.WriteFile(file, []byte(simulate.CreatorsCSV(r.owners, pastStore, "USD")), 0o600); err != nil {
		return err
	}
	_, err := r.command(ctx, "import", file)
	return err
}

// post asks the API to change something, and reads the answer.
func (r *reader) post(ctx context.Context, path string, body, into any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.server.address+"/api/v1"+path,
		bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("POST %s: %s: %s", path, answer.Status, text)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	return err
}

// pagesMeanwhile are those that people look at while an import runs.
var pagesMeanwhile = []question{
	{"orders", []string{"/orders?limit=50"}},
	{"home", []string{"/performance?period=last_30_days", "/performance?period=last_12_months"}},
}

// lookEvery is how often people look at a page while an import runs.
const lookEvery = 100 * time.Millisecond

// importPast imports all, looks at pages meanwhile, and again when nothing else is done.
func (r *reader) importPast(ctx context.Context, shop *oldShop, i *imported) error {
	pid := r.server.cmd.Process.Pid
	forgetPeak(pid)
	before, began, busy := r.bench.usage(pid), time.Now(), shop.busy.Load()
	i.requests = -shop.requests.Load()
	var job pastJob
	if err := r.post(ctx, "/stores/"+pastStore+"/imports", map[string]time.Time{
		"from": began.AddDate(0, 0, -pastDays-1)}, &job); err != nil {
		return err
	}
	looking := make([]answered, len(pagesMeanwhile))
	for n, look := 0, time.Now(); ; n++ {
		q := n % len(pagesMeanwhile)
		_, took, err := r.get(ctx, pagesMeanwhile[q].variants[n/len(pagesMeanwhile)%len(pagesMeanwhile[q].variants)])
		if err != nil {
			return err
		}
		looking[q].name = pagesMeanwhile[q].name
		looking[q].latencies = append(looking[q].latencies, took)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
		if time.Since(look) < time.Second {
			continue
		}
		look = time.Now()
		if over, err := r.over(ctx, &job, i, began); err != nil {
			return err
		} else if over {
			break
		}
	}
	i.took = time.Since(began)
	i.requests += shop.requests.Load()
	i.busy = time.Duration(shop.busy.Load() - busy)
	i.server = cpu(pid) - before.server
	c := r.bench.since(before, pid, i.orders)
	i.noisy = c.noisy()
	var err error
	if i.resident, err = peakBytes(pid); err != nil {
		return err
	}
	for q := range looking {
		slices.Sort(looking[q].latencies)
	}
	i.meanwhile = looking
	r.bench.note("  import of %d orders: fetched after %s, processed after %s; %d requests, the store was busy for "+
		"%s; at most %.1f MB resident  %s", i.orders, short(i.fetched), short(i.took), i.requests, short(i.busy),
		float64(i.resident)/1e6, c)
	for _, q := range pagesMeanwhile {
		a, err := r.ask(ctx, q)
		if err != nil {
			return err
		}
		i.after = append(i.after, a)
	}
	return nil
}

// pastJob is how far an import has come, as the API tells it.
type pastJob struct {
	ID              string
	State           string
	Orders, Missing int
	Trouble         *string
}

// over says whether all orders were fetched and processed.
func (r *reader) over(ctx context.Context, job *pastJob, i *imported, began time.Time) (bool, error) {
	body, _, err := r.get(ctx, "/store-jobs/"+job.ID)
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(body, job); err != nil {
		return false, err
	}
	switch {
	case job.State == "waiting", job.State == "running":
		return false, nil
	case job.State != "done" || job.Missing != i.orders:
		return false, fmt.Errorf("the import is %s with %d of %d orders: %v", job.State, job.Missing, i.orders,
			job.Trouble)
	case i.fetched == 0:
		i.fetched = time.Since(began)
	}
	out, err := exec.CommandContext(ctx, "psql", "--no-psqlrc", "-At", r.database(), "-c",
		"SELECT COUNT(*) FROM orders WHERE placed_at IS NOT NULL").Output()
	if err != nil {
		return false, errors.New("psql does not count the orders")
	}
	return strings.TrimSpace(string(out)) == fmt.Sprint(i.orders), nil
}
