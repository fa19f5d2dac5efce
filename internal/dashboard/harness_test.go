package dashboard

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/live"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/web"
)

// house is a running server on SQLite with everything but a worker in the background: tests say when what happens.
type house struct {
	*testing.T
	app       *app.App
	db        *storage.DB
	clock     *clock
	log       *logText
	dashboard *Dashboard
	processor *app.Processor
	counters  *app.Counters // written when a test says so
	url       string        // of the server, without a slash at the end
	deaf      *atomic.Bool  // the connections of open pages break off
	cutOff    func()        // ends all connections there are

	visitors map[affiliate.Role]*visitor
	sold     int
}

// clock stands still until a test moves it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// advance moves the clock on.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// noon is when tests begin: a Friday, and in Berlin it is 13:00.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// logText is what the server has logged.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// quietQueue wakes nobody: tests process deliveries when they want to.
type quietQueue struct{}

func (quietQueue) Wake(context.Context, []affiliate.DeliveryID) error { return nil }

// quietPages are none.
type quietPages struct{}

func (quietPages) Publish([]affiliate.Change) {}

const (
	shopSecret = "secret-of-the-test-store"
	password   = "correct horse battery" // of everybody
)

// emptyHouse is a fresh installation: no account, no store, nothing.
func emptyHouse(t *testing.T) *house {
	t.Helper()
	return houseOn(t, storagetest.SQLite(t))
}

// newApp is what changes a database.
func newApp(db *storage.DB, pages app.Publisher, log *slog.Logger, now func() time.Time) (*app.App, error) {
	sealer, err := app.NewSealer([]byte(strings.Repeat("k", app.MinSecretKey)))
	if err != nil {
		return nil, err
	}
	return &app.App{DB: db, Sealer: sealer, Queue: quietQueue{}, Live: pages, Log: log, Now: now,
		Platforms: app.Platforms{shopify.Platform{}, woocommerce.Platform{}}}, nil
}

// houseOn runs a server on a database.
func houseOn(t *testing.T, db *storage.DB) *house {
	t.Helper()
	redis, err := jobs.Open("")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, deaf: new(atomic.Bool), db: db, clock: &clock{at: noon}, log: &logText{},
		visitors: map[affiliate.Role]*visitor{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	hub := live.NewHub(redis.Client(), log)
	h.app, err = newApp(db, hub, log, h.clock.now)
	h.must(err)
	counters := app.NewCounters(h.db, h.clock.now, log)
	counters.Live, h.counters = hub, counters
	h.processor = app.NewProcessor(h.app, counters, 1)
	intake := app.NewIntake(h.db, quietQueue{}, log)
	links := app.NewLinks(h.app)
	h.dashboard = &Dashboard{App: h.app, Log: log, Hub: hub, Version: "test"}
	server := &web.Server{App: h.app, Log: log, Version: "test", MaxBody: 1 << 20,
		Receiver: app.NewReceiver(h.app, intake, counters), Links: links, Hub: hub,
		Queue: jobs.NewQueue(redis), Counters: counters, Pages: h.dashboard}
	h.dashboard.Reference = api.New(server, web.NewAttachments(h.db)).Document
	handler, err := server.Handler()
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.deaf.Load() && r.URL.Path == "/live" {
			panic(http.ErrAbortHandler)
		}
		handler.ServeHTTP(w, r)
	}))
	h.url, h.cutOff = listening.URL, listening.CloseClientConnections
	h.app.PublicURL = listening.URL
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { hub.Run(ctx) })
	t.Cleanup(func() {
		listening.CloseClientConnections() // pages that listen for live events would stay
		listening.Close()
		cancel()
		running.Wait()
		links.Close()
		intake.Close()
		h.processor.Close()
		_ = redis.Close() // it goes with the test
		if text := h.log.String(); strings.Contains(text, "level=ERROR") {
			t.Errorf("the server logged errors:\n%s", text)
		}
	})
	return h
}

// Everybody has the same password.
var people = []affiliate.User{
	{Name: "Olga Owner", Email: "olga@northwind.example", Role: affiliate.RoleOwner},
	{Name: "Max Manager", Email: "max@northwind.example", Role: affiliate.RoleManager},
	{Name: "Vera Viewer", Email: "vera@northwind.example", Role: affiliate.RoleViewer},
}

const houseCSV = `campaign,creator,instagram,email,offer,store,code,link_slug,landing_url,commission_percent,commission_flat,product_value
Spring,Anna Ahlers,@anna,anna@creators.example,Ten percent,shop,ANNA10,anna-spring,https://shop.example/,10,,39.90
Spring,Ben Botha,@ben,ben@creators.example,Ten percent,shop,BEN5,,,10,,0
Holiday gifts,Anna Ahlers,@anna,anna@creators.example,Gift links,shop,,anna-gifts,https://shop.example/gifts,5,2.00,0
`

// newHouse is a brand at work: people of every role, two stores, two campaigns with two creators, their codes and
// links. It has no orders yet. The account's currency is USD, its zone Europe/Berlin.
func newHouse(t *testing.T) *house {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tributary.db")
	furnished.SQLiteFile(t, path)
	return houseOn(t, storagetest.Open(t, path))
}

// furnished is made once: hashes of passwords are slow on purpose.
var furnished = storagetest.NewTemplate("house", func(ctx context.Context, db *storage.DB) error {
	a, err := newApp(db, quietPages{}, slog.New(slog.DiscardHandler), func() time.Time { return noon })
	if err != nil {
		return err
	}
	ctx = app.As(ctx, people[0].Principal())
	for _, u := range people {
		_, added := a.AddUser(ctx, u, password)
		err = errors.Join(err, added)
	}
	_, named := a.SetSettings(ctx, []app.Setting{{Key: "name", Value: "Northwind"},
		{Key: "timezone", Value: "Europe/Berlin"}})
	_, shop := a.AddStore(ctx, app.NewStore{Platform: shopify.Name, Slug: "shop", Name: "Northwind US",
		Domain: "shop.myshopify.com", Currency: "USD", Timezone: "America/New_York", Secret: shopSecret})
	_, boutique := a.AddStore(ctx, app.NewStore{Platform: woocommerce.Name, Slug: "boutique",
		Name: "Northwind Boutique", Domain: "boutique.example", Currency: "EUR", Timezone: "Europe/Berlin"})
	report, imported := a.Import(ctx, strings.NewReader(houseCSV), false)
	if len(report.Errors) > 0 {
		imported = fmt.Errorf("the creators' file has errors: %v", report.Errors)
	}
	return errors.Join(err, named, shop, boutique, imported)
})

// busyHouse is newHouse with orders of every kind, a rejected one among them, a click, a payout, a cost and a token.
func busyHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.postOffice()
	day := func(n int) time.Time { return noon.AddDate(0, 0, -n) }
	h.sell(
		sale{code: "ANNA10", value: 100_00, at: day(40)},
		sale{code: "ANNA10", value: 59_90, at: day(9)},
		sale{code: "BEN5", value: 240_00, at: day(8), refund: 60_00},
		sale{code: "BEN5", value: 80_00, at: day(7), refund: 85_00},
		sale{slug: "anna-gifts", value: 45_00, at: day(5)},
		sale{code: "BEN5", value: 75_50, at: day(4)},
		sale{code: "ANNA10", value: 33_00, at: day(3), status: "pending"},
		sale{code: "ANNA10", value: 64_00, at: day(3), canceled: true},
		sale{code: "ANNA10", value: 500_00, at: day(2), email: "anna@creators.example"},
		sale{code: "SUMMER20", value: 42_00, at: day(2)},
		sale{value: 18_00, at: day(1)},
		sale{code: "BEN5", value: 10_00, at: day(1), test: true},
		sale{code: "ANNA10", value: 120_00, at: day(0)},
	)
	h.deliver("shop", `{"not":"an order"`)
	h.process()
	ctx := h.as(affiliate.RoleManager)
	_, err := h.app.Decide(ctx, []affiliate.ConversionID{h.order("1006").Conversion.ID}, app.Reject,
		"bought by our own staff")
	h.must(err)
	_, err = h.app.IssuePayout(ctx, app.NewPayout{Creator: h.creator("Anna Ahlers").ID, Method: "bank transfer",
		Reference: "SEPA 2026-11"})
	h.must(err)
	_, err = h.app.AddCost(ctx, affiliate.Cost{CampaignID: h.campaign("Spring").ID, Amount: 120_00, Currency: "USD",
		Day: "2026-11-02", Note: "shooting"})
	h.must(err)
	_, err = h.app.AddToken(h.as(affiliate.RoleOwner), app.TokenDraft{Name: "warehouse", Role: affiliate.RoleViewer})
	h.must(err)
	if a := h.nobody().get("/l/anna-spring"); a.status != http.StatusFound {
		t.Fatalf("following a link gave %d %s", a.status, a.body)
	}
	return h
}

// must ends the test at an error of what is no part of it.
func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// as gives a context in which the person of a role acts, past the pages.
func (h *house) as(role affiliate.Role) context.Context {
	i := slices.IndexFunc(people, func(u affiliate.User) bool { return u.Role == role })
	return app.As(context.Background(), people[i].Principal())
}

// statements gives those that something sends to the database.
func (h *house) statements(do func()) []string {
	var mu sync.Mutex
	var list []string
	h.db.Note(func(statement string) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, statement)
	})
	do()
	mu.Lock()
	defer mu.Unlock()
	return list
}

// consistent fails the test when sums differ from what they sum up.
func (h *house) consistent() {
	h.Helper()
	storagetest.Consistent(h, h.db)
}

// sale is one order as the Shopify store of the house tells it. The zero values make a paid one.
type sale struct {
	number   string // "1001"; counts up when empty. A number that was sold before changes that order.
	value    int64  // of the goods, in minor units of the currency
	at       time.Time
	code     string // on the order; several with spaces between them
	slug     string // of the link that the customer came by
	status   string // financial_status; "paid" when empty
	refund   int64  // that went back, in minor units; shipping costs 5.00
	email    string // of the customer
	currency money.Currency
	canceled bool
	test     bool
}

// sell delivers orders, processes them, and gives their ids. Times are the clock's when they are not said.
func (h *house) sell(list ...sale) []affiliate.OrderID {
	h.Helper()
	var numbers []string
	for _, s := range list {
		h.sold++
		if s.number == "" {
			s.number = fmt.Sprint(1000 + h.sold)
		}
		numbers = append(numbers, s.number)
		h.deliver("shop", h.body(s))
	}
	h.process()
	ids := make([]affiliate.OrderID, len(numbers))
	for i, number := range numbers {
		ids[i] = h.order(number).ID
	}
	return ids
}

// body writes an order as Shopify does, with the fields that matter.
func (h *house) body(s sale) string {
	h.Helper()
	if s.at.IsZero() {
		s.at = h.clock.now()
	}
	s.status, s.currency = cmp.Or(s.status, "paid"), cmp.Or(s.currency, "USD")
	number, err := strconv.ParseInt(s.number, 10, 64)
	h.must(err)
	const shipping = 5_00
	updated := s.at.Add(time.Duration(h.sold) * time.Second) // a later delivery is a later version
	amount := func(minor int64) string { return money.Format(minor, s.currency) }
	order := fields{"id": number, "name": "#" + s.number, "created_at": s.at, "updated_at": updated,
		"currency": s.currency, "financial_status": s.status, "test": s.test, "taxes_included": false,
		"total_price": amount(s.value + shipping), "email": s.email, "landing_site": "/",
		"billing_address": fields{"country_code": "DE"},
		"line_items":      []fields{{"id": number + 50_000, "price": amount(s.value), "quantity": 1}}}
	if s.canceled {
		order["cancelled_at"] = updated
	}
	if s.code != "" {
		var codes, applications []fields
		for _, code := range strings.Fields(s.code) {
			codes = append(codes, fields{"code": code, "amount": "0.00", "type": "percentage"})
			applications = append(applications, fields{"type": "discount_code", "code": code})
		}
		order["discount_codes"], order["discount_applications"] = codes, applications
	}
	if s.slug != "" {
		order["landing_site"] = "/?ref=" + s.slug
	}
	if s.refund > 0 {
		order["financial_status"] = "partially_refunded"
		if s.refund == s.value+shipping {
			order["financial_status"] = "refunded"
		}
		order["refunds"] = []fields{{"id": number + 60_000, "created_at": updated, "refund_line_items": []fields{},
			"order_adjustments": []fields{{"kind": "refund_discrepancy", "amount": "-" + amount(s.refund),
				"tax_amount": "0.00"}},
			"transactions": []fields{{"id": number + 70_000, "kind": "refund", "status": "success",
				"amount": amount(s.refund), "currency": s.currency, "created_at": updated}}}}
	}
	text, err := json.Marshal(order)
	h.must(err)
	return string(text)
}

// fields are those of a JSON object.
type fields map[string]any

// deliver posts a body to the webhook of a Shopify store, signed as Shopify does. It is kept, but not processed yet.
func (h *house) deliver(store, body string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.url+"/webhooks/shopify/"+store,
		strings.NewReader(body))
	h.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Shopify-Topic", "orders/updated")
	r.Header.Set("X-Shopify-Hmac-Sha256", shopify.Sign([]byte(shopSecret), []byte(body)))
	answer, err := http.DefaultClient.Do(r)
	h.must(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		h.Fatalf("the webhook was answered %s: %s", answer.Status, text)
	}
}

// process applies all deliveries that wait, as a worker would.
func (h *house) process() {
	h.Helper()
	for {
		ids, err := h.db.DueDeliveries(h.Context(), h.clock.now().Add(time.Minute), h.clock.now(), 500)
		h.must(err)
		if len(ids) == 0 {
			return
		}
		h.must(h.processor.Process(h.Context(), ids))
	}
}

// order gives an order of the Shopify store by its number, with its conversion.
func (h *house) order(number string) storage.OrderRow {
	h.Helper()
	row, err := h.db.FindOrder(h.Context(), "shop", number)
	if err != nil {
		h.Fatalf("order %s: %v\n%s", number, err, h.log)
	}
	return row
}

// creator gives a creator by name.
func (h *house) creator(name string) affiliate.Creator {
	h.Helper()
	list, _, err := h.db.Creators(h.Context(), storage.CreatorFilter{}, storage.Page{Limit: storage.MaxLimit})
	h.must(err)
	return pick(h, list, name, func(c affiliate.Creator) string { return c.Name })
}

// campaign gives a campaign by name.
func (h *house) campaign(name string) affiliate.Campaign {
	h.Helper()
	list, _, err := h.db.Campaigns(h.Context(), storage.Page{Limit: storage.MaxLimit})
	h.must(err)
	return pick(h, list, name, func(c affiliate.Campaign) string { return c.Name })
}

// user gives a person by role.
func (h *house) user(role affiliate.Role) affiliate.User {
	h.Helper()
	list, _, err := h.db.Users(h.Context(), storage.Page{Limit: storage.MaxLimit})
	h.must(err)
	return pick(h, list, string(role), func(u affiliate.User) string { return string(u.Role) })
}

func pick[T any](h *house, list []T, name string, of func(T) string) T {
	h.Helper()
	i := slices.IndexFunc(list, func(v T) bool { return of(v) == name })
	if i < 0 {
		h.Fatalf("the house has no %s", name)
	}
	return list[i]
}

// visitor opens pages as a browser does: it keeps cookies and follows redirects to pages of ours.
type visitor struct {
	*house
	client *http.Client
}

// owner is signed in.
func (h *house) owner() *visitor { h.Helper(); return h.signedIn(affiliate.RoleOwner) }

// manager is signed in.
func (h *house) manager() *visitor { h.Helper(); return h.signedIn(affiliate.RoleManager) }

// viewer is signed in.
func (h *house) viewer() *visitor { h.Helper(); return h.signedIn(affiliate.RoleViewer) }

// nobody has not signed in. Each has cookies of their own, and follows no redirects.
func (h *house) nobody() *visitor {
	v := &visitor{house: h, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
	var err error
	v.client.Jar, err = cookiejar.New(nil)
	h.must(err)
	return v
}

func (h *house) signedIn(role affiliate.Role) *visitor {
	h.Helper()
	if v := h.visitors[role]; v != nil {
		return v
	}
	v := h.nobody()
	v.client.CheckRedirect = nil
	v.signIn(h.user(role).Email)
	h.visitors[role] = v
	return v
}

// signIn signs the visitor in by the form.
func (v *visitor) signIn(email string) {
	v.Helper()
	v.post("/sign-in", "email", email, "password", password)
	if v.cookie(sessionCookie) == "" {
		v.Fatalf("%s could not sign in", email)
	}
}

// cookie gives the value of a cookie that the visitor would send, or "".
func (v *visitor) cookie(name string) string {
	u, err := url.Parse(v.url)
	v.must(err)
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// get opens a page.
func (v *visitor) get(path string) answer {
	v.Helper()
	return v.send(http.MethodGet, path, nil, nil)
}

// post sends a form, of names and values by turns; a name may come several times.
func (v *visitor) post(path string, form ...string) answer {
	v.Helper()
	return v.postWith(nil, path, form...)
}

// postWith is post with headers.
func (v *visitor) postWith(header map[string]string, path string, form ...string) answer {
	v.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Add(form[i], form[i+1])
	}
	all := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for name, value := range header {
		all[name] = value
	}
	return v.send(http.MethodPost, path, all, strings.NewReader(values.Encode()))
}

func (v *visitor) send(method, path string, header map[string]string, body io.Reader) answer {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), method, v.url+path, body)
	v.must(err)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	got, err := v.client.Do(r)
	v.must(err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	v.must(err)
	a := answer{T: v.T, status: got.StatusCode, header: got.Header,
		address: strings.TrimPrefix(got.Request.URL.String(), v.url), body: string(text)}
	a.node, err = html.Parse(bytes.NewReader(text))
	v.must(err)
	v.unmarked(a)
	return a
}

// unmarked fails the test when an answer holds a mark that is only for within the server, or a trace of one.
func (v *visitor) unmarked(a answer) {
	v.Helper()
	escaped := strings.ToLower(a.body + a.header.Get("Location"))
	for _, mark := range []string{"%ee%82%b", `\ue0b`, "&#xe0b", "&#575"} {
		if strings.Contains(escaped, mark) {
			v.Errorf("%s holds an escaped mark %s: %s", a.address, mark, a.body)
		}
	}
	if i := strings.IndexAny(a.body, marks); i >= 0 {
		v.Errorf("%s holds a mark: …%q…", a.address, a.body[max(0, i-80):min(len(a.body), i+80)])
	}
}

// answer is a page as a visitor sees it, after redirects.
type answer struct {
	*testing.T
	status  int
	header  http.Header
	address string // path and query of what is shown
	body    string
	element
}

// is fails the test unless the status is as wanted.
func (a answer) is(status int) answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("%s: got status %d, want %d:\n%s", a.address, a.status, status, a.text())
	}
	return a
}

// at fails the test unless the page shown is at this address.
func (a answer) at(address string) answer {
	a.Helper()
	if a.address != address {
		a.Fatalf("got to %s (status %d), want %s:\n%s", a.address, a.status, address, a.text())
	}
	return a
}

// says fails the test unless the page shows all the texts.
func (a answer) says(texts ...string) answer {
	a.Helper()
	shown := a.text()
	for _, text := range texts {
		if text = money.Plain(text); !strings.Contains(shown, text) {
			a.Errorf("%s does not say %q:\n%s", a.address, text, shown)
		}
	}
	return a
}

// hides fails the test when the page shows one of the texts.
func (a answer) hides(texts ...string) answer {
	a.Helper()
	shown := a.text()
	for _, text := range texts {
		if text = money.Plain(text); strings.Contains(shown, text) {
			a.Errorf("%s says %q:\n%s", a.address, text, shown)
		}
	}
	return a
}

// one gives the only element that a selector finds, and ends the test when there is none or more.
func (a answer) one(selector string) element {
	a.Helper()
	found := a.all(selector)
	if len(found) != 1 {
		a.Fatalf("%s has %d elements %s, want one:\n%s", a.address, len(found), selector, a.text())
	}
	return found[0]
}

// element is one node of a page.
type element struct{ node *html.Node }

// all finds elements, in the order of the page, by a selector of these parts: tag, #id, .class, [name], [name=value],
// and several of them for one inside the other, such as "table.orders tbody tr".
func (e element) all(selector string) []element {
	found := []element{e}
	for _, step := range strings.Fields(selector) {
		var next []element
		for _, f := range found {
			for n := range f.node.Descendants() {
				if n.Type == html.ElementNode && fits(n, step) && !slices.Contains(next, element{n}) {
					next = append(next, element{n})
				}
			}
		}
		found = next
	}
	return found
}

// has says whether a selector finds anything.
func (e element) has(selector string) bool { return len(e.all(selector)) > 0 }

// texts gives the texts of the elements that a selector finds.
func (e element) texts(selector string) []string {
	var list []string
	for _, f := range e.all(selector) {
		list = append(list, f.text())
	}
	return list
}

// attr gives an attribute, or "".
func (e element) attr(name string) string {
	for _, a := range e.node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what people read, with single spaces; attributes that only a screen reader tells are not in it.
func (e element) text() string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data)
		case n.Type == html.ElementNode && (n.DataAtom == atom.Script || n.DataAtom == atom.Style ||
			n.DataAtom == atom.Head):
			return
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
		if n.Type == html.ElementNode && !inline[n.DataAtom] {
			b.WriteByte(' ')
		}
	}
	walk(e.node)
	return strings.Join(strings.Fields(b.String()), " ")
}

var inline = map[atom.Atom]bool{atom.A: true, atom.B: true, atom.Code: true, atom.Em: true, atom.I: true,
	atom.Strong: true, atom.Time: true}

// fits says whether an element is as one step of a selector wants it.
func fits(n *html.Node, step string) bool {
	e := element{n}
	end := strings.IndexAny(step, "#.[")
	if end < 0 {
		end = len(step)
	}
	if tag := step[:end]; tag != "" && n.Data != tag {
		return false
	}
	for rest := step[end:]; rest != ""; {
		kind := rest[0]
		if kind == '[' {
			part, after, _ := strings.Cut(rest[1:], "]")
			rest = after
			name, value, valued := strings.Cut(part, "=")
			there := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
			if !there || valued && e.attr(name) != strings.Trim(value, `"`) {
				return false
			}
			continue
		}
		end := strings.IndexAny(rest[1:], "#.[") + 1
		if end == 0 {
			end = len(rest)
		}
		word := rest[1:end]
		rest = rest[end:]
		if kind == '#' && e.attr("id") != word || kind == '.' &&
			!slices.Contains(strings.Fields(e.attr("class")), word) {
			return false
		}
	}
	return true
}
