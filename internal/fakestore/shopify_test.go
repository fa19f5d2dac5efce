package fakestore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

var _ app.Exporter = (*shopify.Client)(nil)

// clock goes on when somebody sleeps by it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// shopifyTest is a shop, a client of it, and what its webhooks delivered.
type shopifyTest struct {
	*fakestore.Shop
	client *shopify.Client
	clock  *clock
	keys   affiliate.StoreKeys
	opens  func(affiliate.StoreKeys) *shopify.Client
	sink   string // address that takes deliveries

	mu    sync.Mutex
	taken []taken
}

type taken struct {
	header http.Header
	body   []byte
}

var testBegins = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func newShopify(t *testing.T, quirks fakestore.ShopifyQuirks) *shopifyTest {
	t.Helper()
	s := &shopifyTest{clock: &clock{at: testBegins}}
	quirks.AnyAddress = true
	s.Shop = fakestore.Shopify(fakestore.Options{Now: s.clock.now, Seed: 7, Timezone: "America/New_York",
		Shopify: quirks})
	api := httptest.NewServer(s.Shop)
	t.Cleanup(api.Close)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken = append(s.taken, taken{r.Header, body})
	}))
	t.Cleanup(sink.Close)
	s.sink = sink.URL
	web := &storeapi.Web{Private: []string{"*"}, Now: s.clock.now, Sleep: func(ctx context.Context,
		d time.Duration) error {
		s.clock.advance(d)
		return ctx.Err()
	}}
	s.keys = s.Keys(api.URL)
	connector := shopify.Connector{Web: web, Elsewhere: map[string]string{s.Domain: api.URL}}
	s.opens = func(given affiliate.StoreKeys) *shopify.Client {
		keys, err := connector.Keys(given)
		if err != nil {
			t.Fatal(err)
		}
		return connector.Open(keys)
	}
	s.client = s.opens(s.keys)
	return s
}

// all reads the orders of a window to their end.
func (s *shopifyTest) all(t *testing.T, w affiliate.OrderWindow) map[string]affiliate.StoreOrder {
	t.Helper()
	found := map[string]affiliate.StoreOrder{}
	for at := ""; ; {
		p, err := s.client.Orders(t.Context(), w, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Orders {
			found[o.ID] = o
		}
		if at = p.Next; at == "" {
			return found
		}
	}
}

func (s *shopifyTest) window() affiliate.OrderWindow {
	return affiliate.OrderWindow{By: affiliate.ByUpdate, From: testBegins.AddDate(-1, 0, 0),
		Until: s.clock.now().Add(time.Hour)}
}

func parsed(t *testing.T, topic string, body []byte) affiliate.Parsed {
	t.Helper()
	p, err := shopify.Platform{}.Parse(topic, body)
	if err != nil {
		t.Fatalf("%s: %v\n%s", topic, err, body)
	}
	return p
}

// act lets something happen to an order, or a new one come in.
func (s *shopifyTest) act(r *rand.Rand) {
	ids := s.IDs()
	s.clock.advance(time.Duration(1+r.IntN(300)) * time.Second)
	if len(ids) == 0 || r.IntN(3) == 0 {
		n := fakestore.NewOrder{Shipping: r.Int64N(3) * 495, Paid: r.IntN(3) > 0, Email: "c@example.com", Country: "DE"}
		n.ShippingTax = n.Shipping / 12
		for range 1 + r.IntN(14) {
			l := fakestore.Line{Name: "Mug", Price: 1 + r.Int64N(5000), Quantity: 1 + r.Int64N(4)}
			l.Discount = r.Int64N(2) * (l.Price * l.Quantity / 10)
			l.Tax = (l.Price*l.Quantity - l.Discount) * 8 / 100
			n.Lines = append(n.Lines, l)
		}
		if r.IntN(2) == 0 {
			n.Codes = []string{"ANNA10", "Second"}[:1+r.IntN(2)]
		}
		if r.IntN(2) == 0 {
			n.Landing = "https://shop.example/p/mug?ref=anna&utm_content=anna&utm_source=x"
		}
		s.Place(n)
		return
	}
	id := ids[r.IntN(len(ids))]
	switch truth := s.Truth(id); {
	case r.IntN(6) == 0:
		s.Edit(id)
	case truth.Status == affiliate.Pending && r.IntN(4) > 0:
		s.Pay(id)
	case truth.Status == affiliate.Pending, truth.Status == affiliate.Paid && r.IntN(8) == 0:
		s.Cancel(id)
	case truth.Status == affiliate.Paid:
		left := truth.Total - truth.Refunded
		switch {
		case truth.Refunded == 0 && r.IntN(2) == 0:
			s.Refund(id, fakestore.Refund{Lines: map[int]fakestore.Part{0: {Quantity: 1}}})
		case r.IntN(3) == 0:
			s.Refund(id, fakestore.Refund{Amount: left})
		default:
			s.Refund(id, fakestore.Refund{Amount: 1 + left/3})
		}
	}
}

// Whatever befalls orders: what the API answers of them says what the last webhook says, and both the truth.
func TestShopifyReadsWhatItTells(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	if _, err := s.client.MakeWebhook(t.Context(), "orders/updated", s.sink, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.MakeWebhook(t.Context(), "orders/create", s.sink, ""); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		s.act(r)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := map[string]*affiliate.Snapshot{}
	for _, d := range s.taken {
		if !(shopify.Platform{}).Verify([][]byte{[]byte(s.keys.Secret)}, d.header, d.body) {
			t.Fatal("a delivery is not signed with the app's secret")
		}
		e := parsed(t, shopify.Platform{}.Topic(d.header), d.body).Events[0]
		if old := last[e.OrderID]; old == nil || e.Snapshot.Version >= old.Version {
			last[e.OrderID] = e.Snapshot
		}
	}
	found := s.all(t, s.window())
	if len(found) != len(s.IDs()) || len(last) != len(found) {
		t.Fatalf("%d orders read, %d told, %d there", len(found), len(last), len(s.IDs()))
	}
	for id, o := range found {
		e := parsed(t, affiliate.TopicOrderRead, o.Body).Events[0]
		if e.OrderID != id || e.Snapshot.Version != o.Version || !e.Snapshot.PlacedAt.Equal(o.Placed) {
			t.Errorf("order %s version %d placed %v, its body says %s, %d, %v", id, o.Version, o.Placed, e.OrderID,
				e.Snapshot.Version, e.Snapshot.PlacedAt)
		}
		if !reflect.DeepEqual(e.Snapshot, last[id]) {
			t.Errorf("order %s read\n%+v\ntold\n%+v", id, e.Snapshot, last[id])
		}
		v, _ := affiliate.OrderState{}.Merge(e).View(affiliate.OrderRules{})
		truth := s.Truth(id)
		if v.Status != truth.Status || v.Value != truth.Value || v.OriginalValue != truth.Original ||
			v.Refunded != truth.Refunded || v.Total != truth.Total {
			t.Errorf("order %s is %+v, want %+v", id, v, truth)
		}
	}
}

func TestShopifyFacts(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{Scopes: []string{"write_products"}, Version: "2025-10"})
	f, err := s.client.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.Domain != s.Domain || f.Currency != "USD" || f.Timezone != "America/New_York" || f.Name != "Fake store" ||
		f.Secret != s.keys.Secret || !slices.Equal(f.Missing, slices.Concat([]string{
		"read_orders", "write_discounts"}, (shopify.Platform{}).Guide().Access.CreditNeeds)) {
		t.Errorf("%+v", f)
	}
	warnings := strings.Join(f.Warnings, " ")
	if !strings.Contains(warnings, "read_all_orders") || !strings.Contains(warnings, "version 2025-10") {
		t.Errorf("warnings %q", warnings)
	}
	_, err = s.client.Orders(t.Context(), s.window(), "")
	wantCode(t, err, affiliate.StoreForbidden, "read_orders")
}

func wantCode(t *testing.T, err error, code, says string) {
	t.Helper()
	var e *affiliate.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, says) {
		t.Errorf("error %v, want %s with %q", err, code, says)
	}
}

func TestShopifyClientCredentials(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	keys := s.keys
	keys.Kind, keys.Token = affiliate.KeyClient, ""
	c := s.opens(keys)
	grants := func() (n int) {
		for _, r := range s.Requests() {
			if strings.HasSuffix(r, "/access_token") {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		name   string
		before func()
		want   int
	}{
		{"first", func() {}, 1},
		{"kept", func() { s.clock.advance(20 * time.Hour) }, 1},
		{"refreshed_in_time", func() { s.clock.advance(3 * time.Hour) }, 2},
		{"ended_before_its_time", s.EndShopifyTokens, 3},
	} {
		step.before()
		if _, err := c.Facts(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := grants(); got != step.want {
			t.Errorf("%s: %d tokens were asked for, want %d", step.name, got, step.want)
		}
	}
	keys.Secret = "shpss_" + strings.Repeat("0", 32)
	_, err := s.opens(keys).Facts(t.Context())
	wantCode(t, err, affiliate.StoreKeysRefused, "copied whole")
	if e := new(affiliate.Error); !errors.As(err, &e) || e.Field != "secret" {
		t.Errorf("%v is not about the secret", err)
	}
	wrong := s.keys
	wrong.Token = "shpat_" + strings.Repeat("0", 32)
	_, err = s.opens(wrong).Facts(t.Context())
	wantCode(t, err, affiliate.StoreKeysRefused, s.Domain+" refuses the keys")
	for _, secret := range []string{keys.Secret, wrong.Token} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q holds a key", err)
		}
	}
}

func TestShopifyWebhooks(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	ctx := t.Context()
	for _, topic := range (shopify.Platform{}).Guide().WebhookTopics() {
		w, err := s.client.MakeWebhook(ctx, topic.Name, s.sink+"/a", "ignored")
		if err != nil || w.Topic != topic.Name || w.Address != s.sink+"/a" || w.Broken != "" {
			t.Fatalf("%+v, %v", w, err)
		}
		again, err := s.client.MakeWebhook(ctx, topic.Name, s.sink+"/a", "")
		if err != nil || again != w {
			t.Errorf("made twice: %+v, %v; want %+v", again, err, w)
		}
	}
	list, err := s.client.Webhooks(ctx)
	if err != nil || len(list) != len((shopify.Platform{}).Guide().WebhookTopics()) {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, topic := range (shopify.Platform{}).Guide().WebhookTopics() {
		if list[i].Topic != topic.Name {
			t.Errorf("topic %s, want %s", list[i].Topic, topic.Name)
		}
	}
	for range 2 { // that it is gone is no error
		if err := s.client.DeleteWebhook(ctx, list[0].ID); err != nil {
			t.Error(err)
		}
	}
	s.SetShopify(func(q *fakestore.ShopifyQuirks) { q.AnyAddress = false })
	_, err = s.client.MakeWebhook(ctx, "orders/create", "http://shop.example/hook", "")
	wantCode(t, err, affiliate.StoreAnswer, "public https addresses")
	s.SetShopify(func(q *fakestore.ShopifyQuirks) { q.AnyAddress = true })
	for range 130 {
		address := fmt.Sprint(s.sink, "/", s.WebhookCount())
		if _, err := s.client.MakeWebhook(ctx, "orders/paid", address, ""); err != nil {
			t.Fatal(err)
		}
	}
	if list, err = s.client.Webhooks(ctx); err != nil || len(list) != s.WebhookCount() {
		t.Errorf("%d webhooks listed of %d, %v", len(list), s.WebhookCount(), err)
	}
}

// A webhook that was answered with errors eight times in a row is deleted.
func TestShopifyDeletesFailingWebhooks(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	closed := httptest.NewServer(http.NotFoundHandler())
	defer closed.Close()
	if _, err := s.client.MakeWebhook(t.Context(), "orders/create", closed.URL, ""); err != nil {
		t.Fatal(err)
	}
	s.Fill(1, testBegins, testBegins)
	s.Place(fakestore.NewOrder{Lines: []fakestore.Line{{Name: "Mug", Price: 100, Quantity: 1}}})
	for range 8 {
		if s.WebhookCount() != 1 {
			t.Fatal("it was deleted too early")
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s.WebhookCount() != 0 {
		t.Error("it is still there after eight failures")
	}
}

// Pages become as small as Shopify's limit of cost wants them, once; throttling is waited out.
func TestShopifyCost(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.Fill(200, testBegins.AddDate(0, 0, -30), testBegins)
	if got := len(s.all(t, s.window())); got != 200 {
		t.Fatalf("%d orders, want 200", got)
	}
	first := len(s.Requests())
	s.BusyNext(2)
	began, pages := s.clock.now(), 0
	for at := ""; pages == 0 || at != ""; pages++ {
		p, err := s.client.Orders(t.Context(), s.window(), at)
		if err != nil {
			t.Fatal(err)
		}
		at = p.Next
	}
	if again := len(s.Requests()) - first - 2; again != pages || pages < 10 || pages > 20 {
		t.Errorf("%d requests for %d pages: the size that was refused must be remembered", again, pages)
	}
	if s.clock.now().Sub(began) < 4*time.Second || s.client.Use().Throttled < 2 {
		t.Errorf("waited %v, %+v", s.clock.now().Sub(began), s.client.Use())
	}
	s.BusyNext(100)
	_, err := s.client.CountOrders(t.Context(), s.window())
	wantCode(t, err, affiliate.StoreBusy, "put our questions off")
}

// Background work leaves half of what the shop restores to others.
func TestShopifyBackgroundUsesHalf(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.Fill(400, testBegins.AddDate(0, 0, -30), testBegins)
	ctx := affiliate.InBackground(t.Context())
	for at := ""; ; {
		p, err := s.client.Orders(ctx, s.window(), at)
		if err != nil {
			t.Fatal(err)
		}
		if at = p.Next; at == "" {
			break
		}
	}
	if use := s.client.Use(); use.Share > 0.51 || use.Requests < 10 {
		t.Errorf("%+v, want at most half", use)
	}
}

func TestShopifyCompletesLists(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	n := fakestore.NewOrder{Paid: true}
	for range 130 {
		n.Lines = append(n.Lines, fakestore.Line{Name: "Mug", Price: 100, Quantity: 2})
	}
	id := s.Place(n)
	for i := range 12 {
		s.clock.advance(time.Minute)
		lines := map[int]fakestore.Part{i: {Quantity: 1}}
		if i == 0 {
			for j := 20; j < 95; j++ {
				lines[j] = fakestore.Part{Quantity: 1}
			}
		}
		s.Refund(id, fakestore.Refund{Lines: lines})
	}
	p, err := s.client.OrdersByID(t.Context(), []string{id}, affiliate.OrderDetail{})
	if err != nil || len(p.Orders) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, body := range [][]byte{p.Orders[0].Body, s.all(t, s.window())[id].Body} {
		e := parsed(t, affiliate.TopicOrderRead, body).Events[0]
		v, _ := affiliate.OrderState{}.Merge(e).View(affiliate.OrderRules{})
		if truth := s.Truth(id); v.Value != truth.Value || v.OriginalValue != 26000 || len(e.Snapshot.Refunds) != 12 {
			t.Errorf("value %d of %d by %d refunds, want %+v", v.Value, v.OriginalValue, len(e.Snapshot.Refunds), truth)
		}
	}
}

func TestShopifyOrdersByID(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.Fill(60, testBegins.AddDate(0, 0, -90), testBegins.AddDate(0, 0, -1))
	ids := append(s.IDs(), "999999999999")
	s.DeleteForGood(ids[59])
	p, err := s.client.OrdersByID(t.Context(), ids, affiliate.OrderDetail{Rows: true})
	if err != nil || len(p.Orders) != 59 || !slices.Equal(p.Gone, ids[59:]) || p.ReadAt.IsZero() {
		t.Fatalf("%d orders, gone %v, read %v, %v", len(p.Orders), p.Gone, p.ReadAt, err)
	}
	s.SetShopify(func(q *fakestore.ShopifyQuirks) { q.Scopes = []string{"read_orders"} })
	p, err = s.client.OrdersByID(t.Context(), ids, affiliate.OrderDetail{Rows: true})
	if err != nil || len(p.Orders) >= 59 || len(p.Orders) < 30 || p.Gone != nil {
		t.Errorf("%d orders, gone %v, %v: what is not shown may be older than 60 days", len(p.Orders), p.Gone, err)
	}
}

// Without the right to see customers, orders are still read, and what is refused is not asked for again.
func TestShopifyHiddenCustomers(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{HidesCustomers: true})
	s.Fill(20, testBegins.AddDate(0, 0, -5), testBegins)
	if got := len(s.all(t, s.window())); got != 20 {
		t.Fatalf("%d orders, want 20", got)
	}
	before := len(s.Requests())
	for _, o := range s.all(t, s.window()) {
		if strings.Contains(string(o.Body), `"email"`) || strings.Contains(string(o.Body), "Address") {
			t.Fatalf("asked for what is hidden: %s", o.Body)
		}
		if e := parsed(t, affiliate.TopicOrderRead, o.Body).Events[0].Snapshot; e.CustomerEmail != "" {
			t.Error("an address came through")
		}
	}
	if again := len(s.Requests()) - before; again > before-2 {
		t.Errorf("%d requests, then %d", before, again)
	}
}

// Orders that change while their pages are read are not passed over by a window of when they were placed.
func TestShopifyOrdersChangeMeanwhile(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.Fill(100, testBegins.AddDate(0, 0, -9), testBegins)
	ids := s.IDs()
	r := rand.New(rand.NewPCG(3, 4))
	s.EditWhilePaging(1, func() {
		s.clock.advance(time.Second)
		s.Edit(ids[r.IntN(len(ids))])
	})
	for _, by := range []affiliate.OrderTime{affiliate.ByPlaced, affiliate.ByUpdate} {
		w := s.window()
		w.By = by
		if got := len(s.all(t, w)); got != 100 {
			t.Errorf("by %s: %d orders, want 100", by, got)
		}
	}
	n, err := s.client.CountOrders(t.Context(), s.window())
	if err != nil || n != 100 {
		t.Errorf("%d counted, %v", n, err)
	}
}

// Small pages of a slow shop, and one that fails for a while.
func TestShopifySlowShop(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.Fill(40, testBegins.AddDate(0, 0, -9), testBegins)
	s.MostRows(4)
	s.FailNext(2, http.StatusBadGateway)
	if got := len(s.all(t, s.window())); got != 40 {
		t.Errorf("%d orders, want 40", got)
	}
}

func TestShopifyExport(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{Polls: 2})
	s.Fill(300, testBegins.AddDate(0, 0, -50), testBegins, "ANNA10")
	s.Refund(s.Place(fakestore.NewOrder{Paid: true, Lines: []fakestore.Line{{Name: "Mug", Price: 500, Quantity: 2}}}),
		fakestore.Refund{Lines: map[int]fakestore.Part{0: {Quantity: 1}}})
	ctx := t.Context()
	id, err := s.client.StartExport(ctx, s.window())
	if err != nil {
		t.Fatal(err)
	}
	var e affiliate.Export
	for polls := 0; !e.Done; polls++ {
		if e, err = s.client.ExportState(ctx, id); err != nil || polls > 3 {
			t.Fatalf("%+v after %d polls, %v", e, polls, err)
		}
	}
	pages := s.all(t, s.window())
	read := func(after int64) (got []affiliate.StoreOrder) {
		err := s.client.ReadExport(ctx, e.Address, after, func(o affiliate.StoreOrder) error {
			got = append(got, o)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := read(0)
	if len(all) != 301 || len(pages) != 301 || e.Failed != "" {
		t.Fatalf("%d orders exported, %d in pages, %q", len(all), len(pages), e.Failed)
	}
	rough := 0
	for _, o := range all {
		one, other := parsed(t, affiliate.TopicOrderRead, o.Body), parsed(t, affiliate.TopicOrderRead, pages[o.ID].Body)
		a, b := one.Events[0].Snapshot, other.Events[0].Snapshot
		if o.Rough != (len(b.Refunds) > 0) {
			t.Errorf("order %s with %d refunds is rough: %v", o.ID, len(b.Refunds), o.Rough)
		}
		if o.Rough {
			rough++
			continue
		}
		if !reflect.DeepEqual(a, b) || o.Version != pages[o.ID].Version {
			t.Errorf("order %s exported\n%+v\nread\n%+v", o.ID, a, b)
		}
	}
	if rough == 0 {
		t.Error("no order with refunds was exported")
	}
	if rest := read(290); len(rest) != 11 || rest[0].ID != all[290].ID {
		t.Errorf("%d orders after 290", len(rest))
	}
}

// An export fails as a whole for one field that the keys may not see.
func TestShopifyExportOfHiddenCustomers(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{HidesCustomers: true})
	s.Fill(30, testBegins.AddDate(0, 0, -50), testBegins)
	id, err := s.client.StartExport(t.Context(), s.window())
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.client.ExportState(t.Context(), id)
	if err != nil || e.Failed != "" || e.Address == "" {
		t.Errorf("%+v, %v", e, err)
	}
}

// Many ask at once while the client learns what it may ask for.
func TestShopifyClient_race(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{HidesCustomers: true})
	s.Fill(60, testBegins.AddDate(0, 0, -9), testBegins)
	keys := s.keys
	keys.Kind = affiliate.KeyClient
	c := s.opens(keys)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if p, err := c.Orders(t.Context(), s.window(), ""); err != nil || len(p.Orders) == 0 {
				t.Error(err)
			}
			if p, err := c.OrdersByID(t.Context(), s.IDs()[:30], affiliate.OrderDetail{}); err != nil ||
				len(p.Orders) != 30 {
				t.Error(len(p.Orders), err)
			}
			if _, err := c.Facts(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// What a failed export has written ends amid an order, which is left out.
func TestShopifyExportFails(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{FailExport: true})
	s.Fill(100, testBegins.AddDate(0, 0, -50), testBegins)
	id, err := s.client.StartExport(t.Context(), s.window())
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.client.ExportState(t.Context(), id)
	if err != nil || !e.Done || !strings.Contains(e.Failed, "page by page") || e.Address == "" {
		t.Fatalf("%+v, %v", e, err)
	}
	n := 0
	err = s.client.ReadExport(t.Context(), e.Address, 0, func(affiliate.StoreOrder) error { n++; return nil })
	if err != nil || n != 49 {
		t.Errorf("%d orders, %v; want the 49 whole ones", n, err)
	}
	stop := errors.New("stop")
	err = s.client.ReadExport(t.Context(), e.Address, 0, func(affiliate.StoreOrder) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("%v, want what each gave", err)
	}
	_, err = s.client.ExportState(t.Context(), "gid://shopify/BulkOperation/1")
	wantCode(t, err, affiliate.StoreAnswer, "does not know the export")
}

// The address of an export comes from the shop's answer, and is asked as carefully as the shop itself.
func TestAttack_shopify_export_address(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	asked := 0
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer inside.Close()
	c := shopify.Connector{Web: &storeapi.Web{}}.Open(s.keys)
	each := func(affiliate.StoreOrder) error { return nil }
	err := c.ReadExport(t.Context(), inside.URL+"/latest/meta-data?signature=5e5e", 0, each)
	wantCode(t, err, affiliate.StorePrivate, "not a public one")
	if asked != 0 || err != nil && strings.Contains(err.Error(), "signature") {
		t.Errorf("asked %d times, %v", asked, err)
	}
	for _, address := range []string{"file:///etc/passwd", "://", "ftp://127.0.0.1/x"} {
		if err := c.ReadExport(t.Context(), address, 0, each); err == nil {
			t.Errorf("%s was read", address)
		}
	}
}

// Five exports may run at a time.
func TestShopifyExportsAtOnce(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{Polls: 9})
	for range 5 {
		if _, err := s.client.StartExport(t.Context(), s.window()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.client.StartExport(t.Context(), s.window())
	wantCode(t, err, affiliate.StoreBusy, "at a time")
}
