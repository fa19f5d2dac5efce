package woocommerce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

// clock is one that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)} }

// answering is a fake store behind a server, and how it is asked.
type answering struct {
	*fakestore.Shop
	*Client
	clock *clock
	base  string
	web   *storeapi.Web
}

// serve starts a store. Nothing waits: a pause moves the clock.
func serve(t *testing.T, https bool, o fakestore.Options) *answering {
	t.Helper()
	c := newClock()
	o.Now = c.now
	shop := fakestore.WooCommerce(o)
	server := httptest.NewUnstartedServer(shop)
	if https {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	a := &answering{Shop: shop, clock: c, base: server.URL, web: webOf(c)}
	if https {
		a.web.Roots = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	}
	a.open(t, shop.Keys(server.URL))
	return a
}

func webOf(c *clock) *storeapi.Web {
	return &storeapi.Web{Private: []string{"*"}, Now: c.now,
		Sleep: func(_ context.Context, d time.Duration) error { c.add(d); return nil }}
}

func (a *answering) open(t *testing.T, keys affiliate.StoreKeys) {
	t.Helper()
	tidy, err := Connector{}.Keys(keys)
	if err != nil {
		t.Fatal(err)
	}
	a.Client = Connector{Web: a.web}.Open(tidy)
}

func codeOf(err error) string {
	var e *affiliate.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestFacts(t *testing.T) {
	store := fakestore.Options{Name: "Anna & Söhne", Domain: "shop.example", Currency: "EUR", Timezone: "Europe/Berlin"}
	for name, c := range map[string]struct {
		https  bool
		quirks fakestore.WooQuirks
	}{
		"https":                               {true, fakestore.WooQuirks{}},
		"plain http":                          {false, fakestore.WooQuirks{}},
		"a proxy drops Authorization":         {true, fakestore.WooQuirks{DropsAuthorization: true}},
		"a proxy drops Authorization of http": {false, fakestore.WooQuirks{DropsAuthorization: true}},
		"PHP sees http":                       {true, fakestore.WooQuirks{SeesHTTP: true}},
		"no pretty permalinks":                {true, fakestore.WooQuirks{PlainPermalinks: true}},
		"all at once": {true,
			fakestore.WooQuirks{PlainPermalinks: true, DropsAuthorization: true, SeesHTTP: true}},
	} {
		t.Run(name, func(t *testing.T) {
			o := store
			o.Woo = c.quirks
			a := serve(t, c.https, o)
			got, err := a.Facts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != "Anna & Söhne" || got.Domain != "shop.example" || got.Currency != "EUR" ||
				got.Timezone != "Europe/Berlin" || len(got.Missing)+len(got.Warnings) > 0 || got.Secret != "" {
				t.Errorf("got %+v", got)
			}
			if n := a.WebhookCount(); n != 0 {
				t.Errorf("trying made %d webhooks", n)
			}
			asked := len(a.Requests())
			if _, err := a.Webhooks(t.Context()); err != nil || len(a.Requests()) != asked+1 {
				t.Errorf("what was learned is forgotten: %d requests, %v", len(a.Requests())-asked, err)
			}
		})
	}
}

func TestFactsOfKeysThatMayNot(t *testing.T) {
	for _, https := range []bool{true, false} {
		a := serve(t, https, fakestore.Options{})
		for may, want := range map[string]string{"read": "Write", "write": "Read"} {
			a.open(t, a.WooKeys(a.base, may))
			got, err := a.Facts(t.Context())
			if err != nil || len(got.Missing) != 1 || got.Missing[0] != want {
				t.Errorf("keys that may %s: missing %q, %v, want %s", may, got.Missing, err, want)
			}
		}
		a.open(t, a.WooKeys(a.base, "read"))
		if _, err := a.Webhooks(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := a.MakeWebhook(t.Context(), "order.updated", "https://ours.example/", "s")
		if codeOf(err) != affiliate.StoreForbidden || !strings.Contains(err.Error(), "may only read") {
			t.Errorf("got %v", err)
		}
	}
}

// TestKeysStandNowhere checks that secrets are in no error and in no address.
func TestKeysStandNowhere(t *testing.T) {
	for _, quirks := range []fakestore.WooQuirks{{}, {DropsAuthorization: true}} {
		for _, https := range []bool{true, false} {
			a := serve(t, https, fakestore.Options{Woo: quirks})
			keys := a.Keys(a.base)
			other := keys
			other.Secret = "cs_" + strings.Repeat("0", 40)
			a.open(t, other)
			if _, err := a.Facts(t.Context()); fieldOf(err) != "secret" ||
				!strings.Contains(err.Error(), "copied whole") {
				t.Errorf("a wrong secret: %v", err)
			}
			a.open(t, keys)
			a.RevokeWooKeys()
			_, err := a.Facts(t.Context())
			if codeOf(err) != affiliate.StoreKeysRefused || affiliate.KindOf(err) != affiliate.Forbidden {
				t.Errorf("got %v, want %s", err, affiliate.StoreKeysRefused)
			}
			if fieldOf(err) != "id" {
				t.Errorf("an unknown key: %v", err)
			}
			for _, secret := range []string{keys.Secret, keys.ID} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q stands in %q", secret, err)
				}
			}
		}
	}
	seen := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen += r.URL.String() + fmt.Sprint(r.Header)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	keys := affiliate.StoreKeys{Address: server.URL, ID: "ck_" + strings.Repeat("a", 40),
		Secret: "cs_" + strings.Repeat("b", 40)}
	if _, err := (Connector{Web: webOf(newClock())}).Open(keys).Webhooks(t.Context()); err == nil {
		t.Error("no error")
	}
	if strings.Contains(seen, keys.Secret) || !strings.Contains(seen, keys.ID) {
		t.Errorf("over plain http this was sent: %s", seen)
	}
}

// TestSignedAgain checks that a clock that is off, and a nonce that was used up by a try that failed, cost one more
// request and no more.
func TestSignedAgain(t *testing.T) {
	a := serve(t, false, fakestore.Options{})
	a.web.Now = func() time.Time { return a.clock.now().Add(-3 * time.Hour) }
	if _, err := a.Webhooks(t.Context()); err != nil {
		t.Fatalf("with a clock three hours late: %v", err)
	}
	// A gateway that gives up after the store has seen the request.
	asked := 0
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "oauth_") {
			t.Errorf("the signature stands in the address: %s", r.URL)
		}
		if asked++; asked == 3 {
			a.Shop.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		a.Shop.ServeHTTP(w, r)
	}))
	defer late.Close()
	a.open(t, a.Keys(late.URL))
	for range 2 {
		if _, err := a.Webhooks(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if asked != 5 { // the one that knew no clock, its repeat, the one that was lost, its repeat, the one signed anew
		t.Errorf("asked %d times, want 5", asked)
	}
}

func TestWebhooks(t *testing.T) {
	a := serve(t, true, fakestore.Options{})
	ctx := t.Context()
	var ids []string
	for i := range 101 {
		made, err := a.MakeWebhook(ctx, "order.updated", fmt.Sprintf("https://ours.example/%d", i), "secret")
		if err != nil || made.Topic != "order.updated" || made.Broken != "" {
			t.Fatalf("made %+v, %v", made, err)
		}
		ids = append(ids, made.ID)
	}
	if _, err := a.MakeWebhook(ctx, "order.deleted", "https://ours.example/d", "secret"); err != nil {
		t.Fatal(err)
	}
	a.DisableWebhook("order.deleted")
	list, err := a.Webhooks(ctx)
	if err != nil || len(list) != 102 {
		t.Fatalf("listed %d, %v, want 102", len(list), err)
	}
	for _, w := range list {
		if broken := w.Topic == "order.deleted"; broken != strings.Contains(w.Broken, "switched it off") {
			t.Errorf("%s is broken: %q", w.Topic, w.Broken)
		}
	}
	for range 2 { // that it is gone already is no error
		if err := a.DeleteWebhook(ctx, ids[0]); err != nil {
			t.Error(err)
		}
	}
	if a.WebhookCount() != 101 {
		t.Errorf("%d are left, want 101", a.WebhookCount())
	}
	if _, err := a.MakeWebhook(ctx, "order.updated", "ftp://ours.example/", "s"); err == nil {
		t.Error("an address of ftp is taken")
	}
}

// all reads a window to its end, each page with a new client, as if the process had been killed after it.
func (a *answering) all(t *testing.T, w affiliate.OrderWindow, most int) (ids []string) {
	t.Helper()
	for cursor, pages := "", 0; ; pages++ {
		a.open(t, a.Keys(a.base))
		a.size.Max = most
		page, err := a.Orders(t.Context(), w, cursor)
		if err != nil {
			t.Fatal(err)
		}
		if page.ReadAt.IsZero() {
			t.Error("a page does not say when it was read")
		}
		for _, o := range page.Orders {
			ids = append(ids, o.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
		if pages > 1000 {
			t.Fatalf("does not end: %s", cursor)
		}
	}
}

// TestSpans reads by ids what cannot be read by time: an hour that was there twice, where orders are kept as posts, and
// a second with more orders than a page, of which some come back from the trash meanwhile.
func TestSpans(t *testing.T) {
	a := serve(t, false, fakestore.Options{Timezone: "Europe/Berlin", Woo: fakestore.WooQuirks{Posts: true}})
	a.clock.at = time.Date(2026, 10, 25, 0, 20, 0, 0, time.UTC) // summer time ends at one
	for i := range 40 {
		a.Place(mug)
		if a.clock.add(time.Minute); i == 19 {
			a.clock.add(40 * time.Minute)
		}
	}
	for _, by := range []affiliate.OrderTime{affiliate.ByUpdate, affiliate.ByPlaced} {
		if got := a.all(t, window(by, a.clock, 3*time.Hour), 3); !slices.Equal(sorted(got), sorted(a.IDs())) {
			t.Errorf("%s: %d of 40 came", by, len(got))
		}
	}

	a = serve(t, false, fakestore.Options{})
	for range 40 {
		a.Place(mug)
	}
	ids := a.IDs()
	for _, id := range ids[:5] {
		a.Trash(id)
	}
	a.clock.add(time.Minute)
	back := 0
	a.EditWhilePaging(2, func() {
		if back < 5 {
			a.Restore(ids[back])
			back++
		}
	})
	got := a.all(t, window(affiliate.ByPlaced, a.clock, time.Hour), 4)
	for _, id := range ids[5:] {
		if !slices.Contains(got, id) {
			t.Errorf("order %s was passed over", id)
		}
	}
}

func sorted(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func window(by affiliate.OrderTime, c *clock, back time.Duration) affiliate.OrderWindow {
	return affiliate.OrderWindow{By: by, From: c.now().Add(-back), Until: c.now()}
}

// TestOrdersWhileTheyChange reads windows whose orders are edited, trashed and deleted between the pages, also many of
// one second: each order that stays as it was comes once at least.
func TestOrdersWhileTheyChange(t *testing.T) {
	for _, c := range []struct {
		name   string
		by     affiliate.OrderTime
		orders int
		apart  time.Duration // between orders
		size   int
	}{
		{"one a second", affiliate.ByUpdate, 40, time.Second, 7},
		{"all in one second", affiliate.ByUpdate, 40, 0, 7},
		{"four a second", affiliate.ByUpdate, 60, 250 * time.Millisecond, 3},
		{"as many as a page a second", affiliate.ByUpdate, 40, 250 * time.Millisecond, 4},
		{"one row a page", affiliate.ByUpdate, 12, 500 * time.Millisecond, 1},
		{"placed, all in one second", affiliate.ByPlaced, 40, 0, 7},
		{"placed, four a second", affiliate.ByPlaced, 60, 250 * time.Millisecond, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := serve(t, false, fakestore.Options{})
			for range c.orders {
				a.Place(mug)
				a.clock.add(c.apart)
			}
			a.clock.add(time.Minute)
			w, ids := window(c.by, a.clock, time.Hour), a.IDs()
			touched, turn := map[string]bool{}, 0
			a.EditWhilePaging(1, func() {
				if turn++; turn > 12 {
					return
				}
				id := ids[turn*5%len(ids)]
				touched[id] = true
				switch {
				case a.Truth(id).Gone:
				case turn%4 == 0:
					a.DeleteForGood(id)
				case turn%4 == 1 && !a.Truth(id).Trashed:
					a.Trash(id)
				default:
					a.Edit(id)
				}
			})
			got := a.all(t, w, c.size)
			for _, id := range ids {
				if !touched[id] && !slices.Contains(got, id) {
					t.Errorf("order %s was passed over (%d of %d came)", id, len(got), len(ids))
				}
			}
		})
	}
}

var mug = fakestore.NewOrder{Lines: []fakestore.Line{{Name: "Mug", Price: 1149, Quantity: 1}}, Paid: true}

func TestOrdersOfAWindow(t *testing.T) {
	a := serve(t, true, fakestore.Options{})
	place := func() string {
		id := a.Place(mug)
		a.clock.add(time.Second)
		return id
	}
	before, first, second := place(), place(), place()
	at := a.clock.now()
	after, trashed := place(), place()
	until := a.clock.now().Add(-time.Second) // trashed is of the second that begins here
	a.clock.add(time.Minute)
	updated := affiliate.OrderWindow{By: affiliate.ByUpdate, From: at.Add(-2 * time.Second), Until: until}
	if got := a.all(t, updated, 100); !slices.Equal(got, []string{first, second, after}) {
		t.Errorf("got %v, want %s, %s and %s", got, first, second, after)
	}
	placed := affiliate.OrderWindow{By: affiliate.ByPlaced, From: at.Add(-time.Hour), Until: a.clock.now()}
	if got := a.all(t, placed, 100); len(got) != 5 || got[0] != before {
		t.Errorf("got %v, want all five from %s on", got, before)
	}
	a.Trash(trashed)
	a.Place(fakestore.NewOrder{Lines: mug.Lines, Draft: true})
	a.clock.add(time.Minute)
	now := window(affiliate.ByUpdate, a.clock, 90*time.Second)
	for _, c := range []struct {
		window affiliate.OrderWindow
		want   int
	}{{now, 1}, {window(affiliate.ByUpdate, a.clock, time.Hour), 5},
		{window(affiliate.ByPlaced, a.clock, time.Hour), 4}} {
		n, err := a.CountOrders(t.Context(), c.window)
		if got := a.all(t, c.window, 2); err != nil || len(got) != c.want || int(n) != c.want {
			t.Errorf("%s: counted %d, read %d, %v, want %d", c.window.By, n, len(got), err, c.want)
		}
	}
}

// TestSlowHost checks that pages become smaller until the host can bear them.
func TestSlowHost(t *testing.T) {
	a := serve(t, true, fakestore.Options{})
	a.Fill(60, a.clock.now().Add(-time.Hour), a.clock.now().Add(-time.Minute))
	a.MostRows(10)
	page, err := a.Orders(t.Context(), window(affiliate.ByUpdate, a.clock, 2*time.Hour), "")
	if err != nil || len(page.Orders) == 0 || len(page.Orders) > 10 {
		t.Fatalf("got %d orders, %v, want up to 10", len(page.Orders), err)
	}
	found, err := a.OrdersByID(t.Context(), a.IDs(), affiliate.OrderDetail{})
	if err != nil || len(found.Orders) != 60 {
		t.Errorf("got %d orders, %v, want 60", len(found.Orders), err)
	}
	a.HTMLNext(1)
	if _, err = a.Orders(t.Context(), window(affiliate.ByUpdate, a.clock, time.Hour), ""); codeOf(err) !=
		affiliate.StoreAnswer {
		t.Errorf("a page instead of JSON: %v", err)
	}
}

func TestOrdersByID(t *testing.T) {
	a := serve(t, true, fakestore.Options{})
	order := fakestore.NewOrder{Paid: true, Shipping: 495, ShippingTax: 44, Lines: []fakestore.Line{
		{Name: "Hoodie", Price: 5995, Quantity: 2, Discount: 2398, Tax: 851},
		{Name: "Mug", Price: 1100, Quantity: 3, Tax: 234}}}
	plain, byRows, byAmount := a.Place(order), a.Place(order), a.Place(order)
	trashed, gone, unlisted := a.Place(order), a.Place(order), a.Place(order)
	a.Refund(byRows, fakestore.Refund{Lines: map[int]fakestore.Part{0: {Quantity: 1}}, Shipping: 495, ShippingTax: 44})
	a.Refund(byAmount, fakestore.Refund{Amount: 725})
	a.Trash(trashed)
	a.DeleteForGood(gone)
	a.Unlist(unlisted)
	page, err := a.OrdersByID(t.Context(), []string{plain, byRows, byAmount, trashed, unlisted, gone, "999999"},
		affiliate.OrderDetail{Rows: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(page.Gone, []string{gone, "999999"}) || page.ReadAt.IsZero() {
		t.Errorf("gone are %v, read at %s", page.Gone, page.ReadAt)
	}
	snapshots := map[string]*affiliate.Snapshot{}
	for _, o := range page.Orders {
		s := parseOrder(t, affiliate.TopicOrderRead, o.Body)
		snapshots[o.ID] = s
		if o.Rough || o.Version != s.Version || !o.Placed.Equal(s.PlacedAt) {
			t.Errorf("order %s: rough %t, version %d, placed %s; its body says %d, %s", o.ID, o.Rough, o.Version,
				o.Placed, s.Version, s.PlacedAt)
		}
		if strings.Contains(string(o.Body), "Byron") || strings.Contains(string(o.Body), "203.0.113.7") {
			t.Errorf("the body tells more of the customer than is read: %s", o.Body)
		}
	}
	if len(snapshots) != 5 || snapshots[trashed].Status != affiliate.StoreCanceled {
		t.Errorf("got %d orders, the one in the trash is %q", len(snapshots), snapshots[trashed].Status)
	}
	rows, amount := snapshots[byRows].Refunds[0], snapshots[byAmount].Refunds[0]
	if !rows.ByLines || rows.Lines != 4796 || rows.Shipping != 539 || rows.Unclear || rows.Amount != 4796+426+539 {
		t.Errorf("the refund by rows is %+v", rows)
	}
	if amount.ByLines || amount.Unclear || amount.Amount != 725 {
		t.Errorf("the refund by amount is %+v", amount)
	}
	rough, err := a.OrdersByID(t.Context(), []string{byRows}, affiliate.OrderDetail{})
	if err != nil || !rough.Orders[0].Rough {
		t.Errorf("without its rows: %+v, %v", rough.Orders, err)
	}
	if _, err := a.OrdersByID(t.Context(), []string{"1,2"}, affiliate.OrderDetail{}); err == nil {
		t.Error("what is no id is asked for")
	}
	a.RevokeWooKeys()
	page, err = a.OrdersByID(t.Context(), []string{gone}, affiliate.OrderDetail{})
	if err == nil || len(page.Gone) > 0 {
		t.Errorf("with keys that may not see it: gone %v, %v", page.Gone, err)
	}
}

// TestMoreDecimals reads orders of a store that shows none.
func TestMoreDecimals(t *testing.T) {
	a := serve(t, true, fakestore.Options{Woo: fakestore.WooQuirks{Decimals: -1}})
	id := a.Place(mug)
	for wanted, total := range map[int]int64{0: 1100, 2: 1149} {
		page, err := a.OrdersByID(t.Context(), []string{id}, affiliate.OrderDetail{Decimals: wanted})
		if err != nil {
			t.Fatal(err)
		}
		s := parseOrder(t, affiliate.TopicOrderRead, page.Orders[0].Body)
		if s.Total != total || s.Rounded != (wanted == 0) || page.Orders[0].Rough != (wanted == 0) {
			t.Errorf("%d decimals wanted: total %d, rounded %t, rough %t", wanted, s.Total, s.Rounded,
				page.Orders[0].Rough)
		}
	}
}

// TestAsManyDecimals reads an order of a store that shows more decimals than its currency has: asked for fewer it would
// round each row, and the sum of the rows would not be that of its webhooks.
func TestAsManyDecimals(t *testing.T) {
	a := serve(t, true, fakestore.Options{Woo: fakestore.WooQuirks{Decimals: 4}})
	id := a.Place(mug)
	page, err := a.OrdersByID(t.Context(), []string{id}, affiliate.OrderDetail{Rows: true, Decimals: 2})
	if err != nil {
		t.Fatal(err)
	}
	if body := string(page.Orders[0].Body); !strings.Contains(body, `"total":"11.4900"`) {
		t.Errorf("the order is read as %s", body)
	}
}

// TestSameOrderBothWays checks that an order which was read is the state that its webhook told of.
func TestSameOrderBothWays(t *testing.T) {
	a := serve(t, false, fakestore.Options{Currency: "KWD", Timezone: "America/New_York"})
	var body []byte
	ours := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-WC-Webhook-Topic") != "" {
			body = make([]byte, r.ContentLength)
			_, _ = r.Body.Read(body)
			if !(Platform{}).Verify([][]byte{[]byte("s3cret")}, r.Header, body) {
				t.Error("the signature does not verify")
			}
		}
	}))
	defer ours.Close()
	if _, err := a.MakeWebhook(t.Context(), "order.updated", ours.URL, "s3cret"); err != nil {
		t.Fatal(err)
	}
	a.Client = nil
	a.open(t, a.Keys(a.base))
	id := a.Place(fakestore.NewOrder{Paid: true, Codes: []string{"R&B10", "Ännä"}, Email: "ada@example.com",
		Landing: "https://shop.example/?ref=anna&tclid=abc", Shipping: 4950,
		Lines: []fakestore.Line{{Name: "Käse < 3", Price: 12005, Quantity: 3, Discount: 3601, Tax: 777}}})
	a.Refund(id, fakestore.Refund{Amount: 1000})
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := parseOrder(t, "order.updated", body)
	for _, detail := range []affiliate.OrderDetail{{}, {Rows: true}, {Decimals: 3}} {
		page, err := a.OrdersByID(t.Context(), []string{id}, detail)
		if err != nil {
			t.Fatal(err)
		}
		read := parseOrder(t, affiliate.TopicOrderRead, page.Orders[0].Body)
		if read.Hash != told.Hash || read.CustomerEmail != told.CustomerEmail || read.Country != told.Country ||
			len(read.Links) != 2 || len(read.Codes) != 2 || read.Total != told.Total {
			t.Errorf("%+v: read %+v\ntold %+v", detail, read, told)
		}
	}
}

func TestKeys(t *testing.T) {
	id, secret := "ck_"+strings.Repeat("1", 40), "cs_"+strings.Repeat("2", 40)
	for given, want := range map[string]string{
		"shop.example": "https://shop.example", " HTTPS://Shop.Example/ ": "https://shop.example",
		"http://shop.example:80":                "http://shop.example",
		"https://shop.example:8443/de/":         "https://shop.example:8443/de",
		"shop.example/de/wp-admin/index.php?x":  "https://shop.example/de",
		"https://shop.example/wp-json/wc/v3":    "https://shop.example",
		"https://shop.example/wp-login.php?a=b": "https://shop.example",
		"https://bücher.example":                "https://bücher.example",
		"127.0.0.1:8081":                        "https://127.0.0.1:8081",
		"":                                      "", "ftp://shop.example": "", "https://u:p@shop.example": "", "https://": "", "not a host": "",
	} {
		got, err := Connector{}.Keys(affiliate.StoreKeys{Address: given, ID: id, Secret: " " + secret + "\n"})
		var e *affiliate.Error
		if want == "" {
			if !errors.As(err, &e) || e.Field != "address" {
				t.Errorf("%q: got %+v, %v, want an error of address", given, got, err)
			}
			continue
		}
		if err != nil || got.Address != want || got.Kind != affiliate.KeyPair || got.Secret != secret {
			t.Errorf("%q: got %+v, %v, want %s", given, got, err, want)
		}
	}
	for _, c := range []struct {
		keys  affiliate.StoreKeys
		field string
	}{
		{affiliate.StoreKeys{ID: secret, Secret: id}, "id"},
		{affiliate.StoreKeys{ID: "", Secret: secret}, "id"},
		{affiliate.StoreKeys{ID: "ck_12", Secret: secret}, "id"},
		{affiliate.StoreKeys{ID: id, Secret: id}, "secret"},
		{affiliate.StoreKeys{ID: id, Secret: secret, Token: "shpat_1"}, "token"},
		{affiliate.StoreKeys{ID: id, Secret: secret, Kind: affiliate.KeyToken}, "token"},
	} {
		c.keys.Address = "shop.example"
		_, err := Connector{}.Keys(c.keys)
		var e *affiliate.Error
		if !errors.As(err, &e) || e.Field != c.field {
			t.Errorf("%+v: got %v, want an error of %s", c.keys, err, c.field)
		}
		if err != nil && (strings.Contains(err.Error(), id) || strings.Contains(err.Error(), secret)) {
			t.Errorf("the keys stand in %q", err)
		}
	}
}

// TestApprove goes the way of the owner's browser: sign in, approve, come back.
func TestApprove(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusNoContent} {
		var state string
		var keys affiliate.StoreKeys
		ours := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				body := make([]byte, r.ContentLength)
				_, _ = r.Body.Read(body)
				var err error
				if state, keys, err = (Connector{}).Authorized(body); err != nil {
					t.Error(err)
				}
				w.WriteHeader(status)
			}
		}))
		defer ours.Close()
		shop := fakestore.WooCommerce(fakestore.Options{Client: ours.Client()})
		server := httptest.NewTLSServer(shop)
		defer server.Close()
		address, err := Connector{}.Authorize(affiliate.AccessRequest{Address: server.URL, State: "st4te",
			Return: ours.URL + "/back?a=1", Callback: ours.URL + "/callback"})
		if err != nil {
			t.Fatal(err)
		}
		browser := server.Client()
		browser.Jar, _ = cookiejar.New(nil)
		browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), ours.URL) {
				return http.ErrUseLastResponse
			}
			return nil
		}
		login, err := browser.Get(address)
		if err != nil || !strings.Contains(login.Request.URL.Path, "/wc-auth/v1/login") {
			t.Fatalf("got %v, %v, want the page to sign in", login, err)
		}
		if _, err = browser.Post(login.Request.URL.String(), "application/x-www-form-urlencoded", nil); err != nil {
			t.Fatal(err)
		}
		granted, err := browser.Get(strings.Replace(address, "/authorize?", "/access_granted?", 1))
		if err != nil {
			t.Fatal(err)
		}
		back, _ := url.Parse(granted.Header.Get("Location"))
		if status != http.StatusOK {
			if granted.StatusCode != http.StatusUnauthorized {
				t.Errorf("a callback that answers %d is taken", status)
			}
			continue
		}
		q := back.Query()
		if state != "st4te" || q.Get("success") != "1" || q.Get("user_id") != "st4te" || q.Get("a") != "1" {
			t.Errorf("came back with %s, state %q", back, state)
		}
		keys.Address = server.URL
		web := webOf(newClock())
		web.Roots = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		if _, err := (Connector{Web: web}).Open(keys).Webhooks(t.Context()); err != nil {
			t.Errorf("the keys do not serve: %v", err)
		}
	}
}

func fieldOf(err error) string {
	var e *affiliate.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Field
}

// TestProbe: a site is asked without keys, and only its own words count as those of WooCommerce.
func TestProbe(t *testing.T) {
	for _, c := range []struct {
		status     int
		says, want string // domain, or the code of the error
	}{
		{200, `{"home":"https://www.shop.example","namespaces":["wc/v3"]}`, "www.shop.example"},
		{200, `{"home":"https://www.shop.example","namespaces":["wp/v2"]}`, affiliate.StoreNoAPI},
		{401, `{"code":"rest_login_required","message":"Only for members."}`, ""},
		{401, `<html>Password</html>`, affiliate.StoreFirewall},
		{404, `<html>Nothing</html>`, affiliate.StoreNoAPI},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" || strings.Contains(r.URL.RawQuery, "oauth") {
				t.Errorf("keys are shown: %s", r.URL)
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.says))
		}))
		got, err := Connector{Web: webOf(newClock())}.Probe(t.Context(), server.URL)
		if c.want == "" {
			c.want = strings.TrimPrefix(server.URL, "http://") // all that is known of it
		}
		if err != nil {
			got = codeOf(err)
		}
		if got != c.want {
			t.Errorf("%d %s: %s, %v, want %s", c.status, c.says, got, err, c.want)
		}
		server.Close()
	}
	if _, err := (Connector{Web: &storeapi.Web{}}).Probe(t.Context(), "http://10.0.0.1"); codeOf(err) !=
		affiliate.StorePrivate {
		t.Errorf("a private address: %v", err)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	good := affiliate.AccessRequest{Address: "https://shop.example", State: "s", Return: "https://ours.example/r",
		Callback: "https://ours.example/c"}
	for name, change := range map[string]func(*affiliate.AccessRequest){
		"shop without https": func(r *affiliate.AccessRequest) { r.Address = "http://shop.example" },
		"no shop":            func(r *affiliate.AccessRequest) { r.Address = "" },
		"ours without https": func(r *affiliate.AccessRequest) { r.Callback = "http://ours.example/c" },
		"no state":           func(r *affiliate.AccessRequest) { r.State = "" },
	} {
		request := good
		change(&request)
		if address, err := (Connector{}).Authorize(request); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("%s: got %q, %v", name, address, err)
		}
	}
	good.Address, good.Callback = "http://127.0.0.1:8081", "http://127.0.0.1:8080/c"
	if _, err := (Connector{Plain: true}).Authorize(good); err != nil {
		t.Errorf("the demo's shop, on this machine: %v", err)
	}
	for _, body := range []string{``, `[]`, `{}`, `{"user_id":"s","consumer_key":"ck_1","consumer_secret":"cs_1"}`,
		`{"user_id":"","consumer_key":"ck_` + strings.Repeat("1", 40) + `","consumer_secret":"cs_` +
			strings.Repeat("1", 40) + `"}`} {
		if state, _, err := (Connector{}).Authorized([]byte(body)); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("%s: got %q, %v", body, state, err)
		}
	}
}

func TestTimezone(t *testing.T) {
	for _, c := range []struct {
		name   string
		offset any
		want   string
	}{
		{"Europe/Berlin", 1.0, "Europe/Berlin"}, {"", 2.0, "Etc/GMT-2"}, {"", -5.0, "Etc/GMT+5"},
		{"", 5.5, "Asia/Kolkata"},
		{"", "5.75", "Asia/Kathmandu"}, {"", 0.0, "UTC"}, {"", 1.5, ""}, {"", nil, ""}, {"Mars/Base", nil, ""},
		{"Local", 0.0, "UTC"},
	} {
		if got := timezone(c.name, c.offset); got != c.want {
			t.Errorf("%q, %v: got %q, want %q", c.name, c.offset, got, c.want)
		}
		if _, err := time.LoadLocation(c.want); err != nil {
			t.Error(err)
		}
	}
}
