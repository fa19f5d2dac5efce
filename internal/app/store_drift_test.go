package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// simClock is a clock that only tests move, from some day on.
type simClock struct{ nanos atomic.Int64 }

func newSimClock() *simClock {
	c := &simClock{}
	c.nanos.Store(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *simClock) Now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *simClock) Advance(d time.Duration) { c.nanos.Add(int64(d)) }

// sleep passes the time at once, as storeapi.Web.Sleep.
func (c *simClock) sleep(ctx context.Context, d time.Duration) error {
	c.Advance(d)
	return ctx.Err()
}

// shopRig is a server with a fake store that it is connected with.
type shopRig struct {
	*testing.T
	db       *storage.DB
	app      *app.App
	clock    *simClock
	shop     *fakestore.Shop
	store    affiliate.StoreID
	recorder *recorder
	api      string       // where the shop's API is
	requests atomic.Int64 // of the API
	each     func(n int64)
	kills    int
	lag      time.Duration // by which the shop's clock is behind
	// exportFrom is how many orders make the shop write them out; 0: as always.
	exportFrom int64
	owner      map[string]string // creators by the orders that they brought
	refunds    map[string]string // newest refunds, by their orders
	ctx        context.Context
}

const shopCSV = `campaign,creator,instagram,email,offer,store,code,link_slug,landing_url,commission_percent,commission_flat,product_value
Spring,Anna,@anna,anna@creators.example,Ten,shop,ANNA10,,,10,,0
Spring,Ben,@ben,ben@creators.example,Five,shop,BEN5,,,5,,0
Spring,Cleo,@cleo,cleo@creators.example,Link,shop,,cleo,https://shop.example/,10,,0
`

// fakeShops make a fake store of each platform.
var fakeShops = map[affiliate.Platform]func(fakestore.Options) *fakestore.Shop{
	woocommerce.Name: fakestore.WooCommerce, shopify.Name: fakestore.Shopify,
}

// eachFakeShop runs a test on both databases with a fake store of each platform, which is connected as "shop".
func eachFakeShop(t *testing.T, seed uint64, test func(r *shopRig)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		for _, platform := range slices.Sorted(maps.Keys(fakeShops)) {
			t.Run(string(platform), func(t *testing.T) {
				r := newShopRig(t, db, platform, seed)
				test(r)
				if !t.Failed() {
					storagetest.Consistent(t, db)
				}
			})
		}
	})
}

// twoFakeShops runs a test on both databases, with a fake store of another platform on each: what it is about is the
// same for all of them.
func twoFakeShops(t *testing.T, seed uint64, test func(r *shopRig)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		platform := affiliate.Platform(shopify.Name)
		if db.Embedded() {
			platform = woocommerce.Name
		}
		r := newShopRig(t, db, platform, seed)
		test(r)
		if !t.Failed() {
			storagetest.Consistent(t, db)
		}
	})
}

// newShopRig makes one. Several in one database have stores of their own.
func newShopRig(t *testing.T, db *storage.DB, platform affiliate.Platform, seed uint64) *shopRig {
	t.Helper()
	r := &shopRig{T: t, db: db, clock: newSimClock(), recorder: &recorder{}, owner: map[string]string{},
		refunds: map[string]string{}}
	slug := fmt.Sprintf("%s-%d", platform, seed)
	domain := "shop.example"
	if platform == shopify.Name {
		domain = slug + ".myshopify.com"
	}
	r.shop = fakeShops[platform](fakestore.Options{Domain: domain, Currency: "USD", Seed: seed,
		Now:    func() time.Time { return r.clock.Now().Add(-r.lag) },
		Client: &http.Client{Transport: delivering{r}}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if n := r.requests.Add(1); r.each != nil {
			r.each(n)
		}
		r.shop.ServeHTTP(w, q)
	}))
	t.Cleanup(server.Close)
	r.api = server.URL
	r.restart()
	r.ctx = app.As(t.Context(), affiliate.Principal{Name: "test", Role: affiliate.RoleOwner})
	connected, err := r.app.ConnectStore(r.ctx, app.NewAccess{Platform: platform, Slug: slug, Keys: r.shop.Keys(r.api)})
	if err != nil {
		t.Fatal(err)
	}
	r.store = connected.ID
	csv := strings.ReplaceAll(shopCSV, ",shop,", ","+slug+",")
	csv = strings.ReplaceAll(csv, "Spring", "Spring "+slug)
	csv = strings.ReplaceAll(csv, ",cleo,", ",cleo-"+slug+",")
	if report, err := r.app.Import(r.ctx, strings.NewReader(csv), false); err != nil || len(report.Errors) > 0 {
		t.Fatal(err, report)
	}
	return r
}

// restart makes the server anew, as after a crash: nothing but the database is left of it.
func (r *shopRig) restart() {
	sealer, err := app.NewSealer([]byte(strings.Repeat("k", app.MinSecretKey)))
	if err != nil {
		r.Fatal(err)
	}
	web := &storeapi.Web{Private: []string{"*"}, Now: r.clock.Now, Sleep: r.clock.sleep}
	host, err := url.Parse(r.api)
	if err != nil {
		r.Fatal(err)
	}
	r.app = &app.App{DB: r.db, Sealer: sealer, Queue: r.recorder, Live: r.recorder, Now: r.clock.Now,
		Log:       slog.New(slog.NewTextHandler(io.Discard, nil)),
		PublicURL: "https://tributary.example", Platforms: app.Platforms{shopify.Platform{}, woocommerce.Platform{}},
		Connectors: app.Connectors{
			woocommerce.Name: app.ConnectorOf(woocommerce.Connector{Web: web}),
			shopify.Name: app.ConnectorOf(shopify.Connector{Web: web,
				Elsewhere: map[string]string{r.shop.Domain: host.String()}})}}
	r.app.ExportFrom(r.exportFrom, r.clock.sleep)
}

// delivering hands a shop's deliveries to the receiver, without a network between.
type delivering struct{ *shopRig }

func (d delivering) RoundTrip(q *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(q.URL.Path, "/") // /webhooks/PLATFORM/SLUG
	status := http.StatusUnauthorized
	intake := app.NewIntake(d.db, d.recorder, d.app.Log)
	receiver := app.NewReceiver(d.app, intake, app.NewCounters(d.db, d.clock.Now, d.app.Log))
	receipt, err := receiver.Receive(q.Context(), affiliate.Platform(parts[2]), parts[3], q.Header, body)
	intake.Close()
	if err == nil && (receipt == app.ReceiptKept || receipt == app.ReceiptPing) {
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(nil)), Request: q,
		Header: http.Header{}}, nil
}

// process applies all that waits.
func (r *shopRig) process() {
	r.Helper()
	p := app.NewProcessor(r.app, app.NewCounters(r.db, r.clock.Now, r.app.Log), 1)
	defer p.Close()
	for {
		ids, err := r.db.DueDeliveries(r.ctx, r.clock.Now().Add(time.Hour), r.clock.Now(), 400)
		if err != nil {
			r.Fatal(err)
		}
		if len(ids) == 0 {
			return
		}
		if err := p.Submit(r.ctx, ids); err != nil {
			r.Fatal(err)
		}
	}
}

// flush delivers what the shop has to say, and applies it.
func (r *shopRig) flush() {
	r.Helper()
	if err := r.shop.Flush(r.ctx); err != nil {
		r.Fatal(err)
	}
	r.process()
}

// live has customers and the shop's people do something, n times.
func (r *shopRig) live(random *rand.Rand, n int) {
	slug := strings.Fields(r.slug())[0]
	for range n {
		if random.IntN(4) > 0 { // else in the same second
			r.clock.Advance(time.Duration(1+random.IntN(40)) * time.Second)
		}
		ids := r.shop.IDs()
		if len(ids) < 5 || random.IntN(3) == 0 {
			o := fakestore.NewOrder{Paid: random.IntN(4) > 0,
				Email: fmt.Sprintf("c%d@customers.example", random.IntN(20)),
				Lines: []fakestore.Line{{Name: "Hat", Price: 1000 + random.Int64N(5000), Quantity: 1 + random.Int64N(3),
					Tax: random.Int64N(300)}, {Name: "Scarf", Price: 990, Quantity: 2}}, Shipping: 490}
			owner := []string{"Anna", "Ben", "Cleo", ""}[random.IntN(4)]
			switch owner {
			case "Anna":
				o.Codes, o.Lines[0].Discount = []string{"ANNA10"}, 100
			case "Ben":
				o.Codes, o.Lines[0].Discount = []string{"BEN5"}, 50
			case "Cleo":
				o.Landing = "https://shop.example/?ref=cleo-" + slug + "&utm_source=tributary&utm_content=cleo-" + slug
			}
			r.owner[r.shop.Place(o)] = owner
			continue
		}
		id := ids[random.IntN(len(ids))]
		t := r.shop.Truth(id)
		switch random.IntN(7) {
		case 0, 1:
			if t.Status == affiliate.Pending && !t.Trashed {
				r.shop.Pay(id)
			}
		case 2, 3:
			if t.Status == affiliate.Paid && t.Refunded == 0 && !t.Trashed {
				refund := fakestore.Refund{Lines: map[int]fakestore.Part{1: {Quantity: 1}}}
				switch random.IntN(4) {
				case 0:
					refund = fakestore.Refund{Amount: t.Total}
				case 1, 2: // of rows that the order's own body does not tell
					refund = fakestore.Refund{Lines: map[int]fakestore.Part{0: {Quantity: 1, Amount: 700, Tax: 13}}}
				}
				r.refunds[id] = r.shop.Refund(id, refund)
			}
		case 4:
			r.shop.Edit(id)
		case 5:
			if t.Status == affiliate.Pending && !t.Trashed {
				r.shop.Cancel(id)
			}
		case 6:
			switch refund := r.refunds[id]; {
			case random.IntN(4) == 0:
				r.shop.DeleteForGood(id)
			case refund != "" && t.Status == affiliate.Paid && r.shop.Domain == "shop.example": // others delete none
				r.shop.DeleteRefund(id, refund)
				delete(r.refunds, id)
			}
		}
	}
}

func (r *shopRig) slug() string {
	s, err := r.db.Store(r.ctx, r.store)
	if err != nil {
		r.Fatal(err)
	}
	return s.Slug
}

// share is how much of the shop's API budget background work has used.
func (r *shopRig) share() float64 {
	access, err := r.app.StoreAccess(r.ctx, r.store)
	if err != nil || access == nil {
		r.Fatal(err)
	}
	return access.Use.Share
}

// here gives the order as it is here; nil when nothing is known of it.
func (r *shopRig) here(id string) *storage.OrderRow {
	row, err := r.db.FindOrder(r.ctx, r.slug(), id)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return nil
	}
	if err != nil {
		r.Fatal(err)
	}
	return &row
}

// driftNow says which orders do not agree, by what really is in the shop. known are all orders that ever were there.
func (r *shopRig) driftNow(known []string) map[string]affiliate.DriftKind {
	drift := map[string]affiliate.DriftKind{}
	for _, id := range known {
		row, truth := r.here(id), r.shop.Truth(id)
		switch {
		case truth.Gone && (row == nil || row.Status == affiliate.Canceled || row.Status == affiliate.Refunded):
		case truth.Gone:
			drift[id] = affiliate.DriftExtra
		case row == nil:
			drift[id] = affiliate.DriftMissing
		case row.UpdatedAt.Before(truth.Updated.Truncate(time.Second)):
			drift[id] = affiliate.DriftBehind
		case row.Doubts == "" && wrong(row, truth) != "":
			drift[id] = affiliate.DriftDifferent
		}
	}
	return drift
}

// wrong says in what an order here is not as it is in the shop.
func wrong(row *storage.OrderRow, truth fakestore.Truth) string {
	switch {
	case row.Status != truth.Status:
		return fmt.Sprintf("status %s, want %s", row.Status, truth.Status)
	case row.Value != truth.Value:
		return fmt.Sprintf("value %d, want %d", row.Value, truth.Value)
	case row.Refunded != truth.Refunded:
		return fmt.Sprintf("refunded %d, want %d", row.Refunded, truth.Refunded)
	}
	return ""
}

// reported gives what a job reported, by order.
func (r *shopRig) reported(job affiliate.StoreJobID) map[string]affiliate.DriftKind {
	rows, err := storage.All(func(p storage.Page) ([]storage.DriftRow, string, error) {
		return r.db.Drift(r.ctx, job, p)
	})
	if err != nil {
		r.Fatal(err)
	}
	kinds := map[string]affiliate.DriftKind{}
	for _, d := range rows {
		kinds[d.Order] = d.Kind
	}
	return kinds
}

// compare has the store compared, with the server killed each time that kill says so of a request of the API, and
// gives the job at its end.
func (r *shopRig) compare(kill func(n int64) bool) affiliate.StoreJob {
	r.Helper()
	job, err := r.app.CompareStore(r.ctx, r.store, time.Time{}, false)
	if err != nil {
		r.Fatal(err)
	}
	return r.work(job.ID, kill)
}

// work works at what is due with the store, killed as compare is, until a job is not open any more or is paused, and
// gives it.
func (r *shopRig) work(id affiliate.StoreJobID, kill func(n int64) bool) affiliate.StoreJob {
	r.Helper()
	for range 1000 {
		ctx, die := context.WithCancel(r.ctx)
		var once sync.Once
		watch := r.each
		r.each = func(n int64) {
			if watch != nil {
				watch(n)
			}
			if kill != nil && kill(n) {
				once.Do(die)
			}
		}
		err := r.app.WithStoreLease(ctx, r.store, func(ctx context.Context) error {
			return r.app.StoreWork(ctx, r.store)
		})
		r.each = watch
		killed := ctx.Err() != nil
		if killed {
			r.kills++
		}
		die()
		if err != nil && !killed {
			r.Fatalf("%s: %v", id, err)
		}
		job := r.job(id)
		if !job.State.Open() || job.State == affiliate.JobPaused {
			return job
		}
		r.restart()
		r.clock.Advance(2 * time.Minute) // a lease that was not given back ends
	}
	r.Fatalf("%s does not end: %+v", id, r.job(id))
	return affiliate.StoreJob{}
}

// job gives a job as it stands.
func (r *shopRig) job(id affiliate.StoreJobID) affiliate.StoreJob {
	r.Helper()
	job, err := r.db.StoreJob(r.ctx, id)
	if err != nil {
		r.Fatal(err)
	}
	return job
}

// TestReconcile_faults: whatever was lost, repeated or reordered, and wherever the server dies, one comparison later
// all orders are as in the store, and its report named exactly those that were not.
func TestReconcile_faults(t *testing.T) {
	kills := 0
	for seed := range uint64(2) {
		eachFakeShop(t, seed+1, func(r *shopRig) {
			random := rand.New(rand.NewPCG(seed, 7))
			r.shop.SetFaults(fakestore.Faults{Drop: 0.1, Repeat: 0.1, Shuffle: true})
			known := map[string]bool{}
			for round := range 8 {
				r.live(random, 12)
				for _, id := range r.shop.IDs() {
					known[id] = true
				}
				if round == 5 {
					r.shop.DropWebhook([]string{"order.updated", "orders/updated"}[random.IntN(2)])
					r.shop.DisableWebhook([]string{"order.created", "orders/create"}[random.IntN(2)])
				}
				r.flush()
			}
			r.shop.SetFaults(fakestore.Faults{})
			r.clock.Advance(5 * time.Minute)
			ids := slices.Sorted(maps.Keys(known))
			want := r.driftNow(ids)
			agreeing := slices.DeleteFunc(r.shop.IDs(), func(id string) bool { return want[id] != "" })
			edited := map[string]bool{} // meanwhile: they may be reported, or their deliveries come first
			r.shop.EditWhilePaging(2, func() {
				if len(agreeing) > 0 {
					id := agreeing[random.IntN(len(agreeing))]
					edited[id] = true
					r.shop.Edit(id)
				}
			})
			job := r.compare(func(int64) bool { return random.IntN(5) == 0 })
			r.shop.EditWhilePaging(0, nil)
			if job.State != affiliate.JobDone {
				r.Fatalf("the job ended as %s: %s", job.State, job.Trouble)
			}
			got := r.reported(job.ID)
			if job.Drift() != int64(len(got)) {
				r.Errorf("seed %d: counted %d, reported %d: %+v", seed, job.Drift(), len(got), job)
			}
			maps.DeleteFunc(got, func(id string, _ affiliate.DriftKind) bool { return edited[id] })
			if !maps.Equal(got, want) {
				r.Errorf("seed %d: reported %v, want %v", seed, got, want)
			}
			r.flush()
			r.clock.Advance(5 * time.Minute)
			kills += r.kills
			if share := r.share(); share > 0.5 {
				r.Errorf("seed %d: %.2f of the API's budget was used", seed, share)
			}
			again := r.compare(nil)
			r.process()
			if again.Drift() != 0 {
				r.Errorf("seed %d: the next comparison found %v", seed, r.reported(again.ID))
			}
			for _, id := range ids {
				row, truth := r.here(id), r.shop.Truth(id)
				switch {
				case row == nil && !truth.Gone:
					r.Errorf("seed %d: order %s is not here", seed, id)
				case row == nil:
				case truth.Gone:
					if row.Status != affiliate.Canceled && row.Status != affiliate.Refunded {
						r.Errorf("seed %d: order %s is gone and here it is %s", seed, id, row.Status)
					}
				default:
					if fault := wrong(row, truth); fault != "" || row.Doubts != "" {
						r.Errorf("seed %d: order %s: %s; doubts %q", seed, id, fault, row.Doubts)
					}
					r.credited(row)
				}
			}
			for id, kind := range want {
				r.told(id, kind)
			}
		})
	}
	if kills < 50 {
		t.Errorf("the server died %d times only", kills)
	}
}

// told fails the test unless a delivery of the order says how it was found.
func (r *shopRig) told(id string, kind affiliate.DriftKind) {
	r.Helper()
	rows, _, err := r.db.ListDeliveries(r.ctx, storage.DeliveryFilter{Store: r.slug(), Orders: []string{id}},
		storage.Page{Limit: 100})
	if err != nil {
		r.Fatal(err)
	}
	if !slices.ContainsFunc(rows, func(d storage.DeliveryRow) bool {
		return strings.HasPrefix(d.Topic, affiliate.TopicRead) && strings.HasPrefix(d.Note, "Found by comparing")
	}) {
		r.Errorf("no delivery of order %s says that it was found as %s: %+v", id, kind, rows)
	}
}

// credited fails the test unless the order is credited to whom its code or link belongs.
func (r *shopRig) credited(row *storage.OrderRow) {
	r.Helper()
	want := r.owner[row.ExternalID]
	switch {
	case want == "" && row.Conversion != nil:
		r.Errorf("order %s is credited to %s, want nobody", row.ExternalID, row.Conversion.Creator)
	case want == "":
	case row.Conversion == nil:
		r.Errorf("order %s is credited to nobody, want %s", row.ExternalID, want)
	case row.Conversion.Creator != want:
		r.Errorf("order %s is credited to %s, want %s", row.ExternalID, row.Conversion.Creator, want)
	default:
		due := int64(0)
		if row.Status == affiliate.Paid {
			due = money.MulDiv(row.Value, map[string]int64{"Anna": 10, "Ben": 5, "Cleo": 10}[want], 100)
		}
		if row.Conversion.Commission != due {
			r.Errorf("order %s: commission %d, want %d", row.ExternalID, row.Conversion.Commission, due)
		}
	}
}
