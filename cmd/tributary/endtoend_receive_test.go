package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// smallest is the smallest limit of a body that can be set.
const smallest = 64 << 10

func TestReceiver_race(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		env = env.with("MAX_BODY_BYTES", fmt.Sprint(smallest))
		sets := allSets(t)
		r := &receiverTest{env: env, shop: sets[0], woo: sets[1], token: env.setUp(t, sets)}
		s := env.start(t)
		r.c, r.address = s.client(t, r.token), s.address
		for _, test := range []struct {
			name string
			run  func(*receiverTest, *testing.T)
		}{
			{"refusals are problem documents", (*receiverTest).refusals},
			{"refusals are counted per store", (*receiverTest).refusalsAreCounted},
			{"a body that waits for 100 Continue is refused unsent", (*receiverTest).expectContinue},
			{"a ping is answered 200 and not kept", (*receiverTest).ping},
			{"a repeat is kept once", (*receiverTest).repeat},
			{"one delivery id with two bodies is kept twice", (*receiverTest).oneDeliveryID},
			{"a shop is found by its header", (*receiverTest).byHeader},
			{"several secrets are valid until they are ended", (*receiverTest).secrets},
			{"a signed body that cannot be read is kept as failed", (*receiverTest).malformed},
			{"an error object is kept as failed with its meaning", (*receiverTest).errorObject},
		} {
			t.Run(test.name, func(t *testing.T) { test.run(r, t) })
		}
	})
}

// receiverTest is one running server; its tests run one after another.
type receiverTest struct {
	env       environment
	shop, woo recordings.Set
	token     string
	c         *recordings.Client
	address   string
	refused   int // by now, of the Shopify store
}

// delivery makes a signed delivery to the Shopify store.
func (r *receiverTest) delivery(id, body string) recordings.Request {
	return signedShopify(r.shop.Store, id, "orders/updated", []byte(body))
}

func signedShopify(store recordings.Store, id, topic string, body []byte) recordings.Request {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("X-Shopify-Topic", topic)
	h.Set("X-Shopify-Shop-Domain", store.Domain)
	h.Set("X-Shopify-Webhook-Id", id)
	h.Set("X-Shopify-Hmac-Sha256", shopify.Sign([]byte(store.Secret), body))
	return recordings.Request{Store: store, File: id, Header: h, Body: body}
}

// answer is an HTTP answer with what a problem document says.
type answer struct {
	status int
	header http.Header
	text   string
	Code   string
	Detail string
	Status int
}

func (a answer) String() string { return fmt.Sprintf("%d %v %s", a.status, a.header, a.text) }

func (r *receiverTest) send(t *testing.T, method, path string, h http.Header, body io.Reader) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.c.Base+path, body)
	ok(t, err)
	request.Header = h
	response, err := r.c.HTTP.Do(request)
	ok(t, err)
	return readAnswer(t, response)
}

func readAnswer(t *testing.T, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	ok(t, err)
	a := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	_ = json.Unmarshal(text, &a) // what is no problem document has no code
	return a
}

func wantProblem(t *testing.T, what string, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.Status != status || a.Code != code || a.Detail == "" ||
		a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: answered %s, want %d as a problem with the code %s", what, a, status, code)
	}
}

// count is how many deliveries are kept.
func (r *receiverTest) count(t *testing.T) int {
	t.Helper()
	return len(kept(t, r.env))
}

func (r *receiverTest) refusals(t *testing.T) {
	good := r.delivery("good", `{"id":1}`)
	unsigned := good.Header.Clone()
	unsigned.Del("X-Shopify-Hmac-Sha256")
	otherShop := good.Header.Clone()
	otherShop.Set("X-Shopify-Shop-Domain", "somebody-else.myshopify.com")
	large := r.delivery("large", strings.Repeat(" ", smallest+1))
	// so it is sent in chunks
	unknownLength := func() io.Reader { return struct{ io.Reader }{bytes.NewReader(large.Body)} }

	for _, test := range []struct {
		name, method, path string
		header             http.Header
		body               io.Reader
		status             int
		code               string
		counts             bool
	}{
		{"signature of another body", "POST", good.Path(), good.Header, strings.NewReader(`{"id":2}`), 401,
			"bad_signature", true},
		{"no signature", "POST", good.Path(), unsigned, strings.NewReader(`{"id":1}`), 401, "bad_signature", true},
		{"empty body", "POST", good.Path(), good.Header, http.NoBody, 401, "bad_signature", true},
		{"unknown store", "POST", "/webhooks/shopify/nobody", good.Header, bytes.NewReader(good.Body), 404,
			"unknown_store", false},
		{"store of another platform", "POST", "/webhooks/woocommerce/" + r.shop.Store.Slug, good.Header,
			bytes.NewReader(good.Body), 404, "unknown_store", false},
		{"unknown platform", "POST", "/webhooks/magento/" + r.shop.Store.Slug, good.Header, bytes.NewReader(good.Body),
			404, "unknown_store", false},
		{"unknown shop", "POST", "/webhooks/shopify", otherShop, bytes.NewReader(good.Body), 404,
			"unknown_store", false},
		{"too large", "POST", large.Path(), large.Header, bytes.NewReader(large.Body), 413, "too_large", true},
		{"too large in chunks", "POST", large.Path(), large.Header, unknownLength(), 413, "too_large", true},
		{"wrong method", "GET", good.Path(), http.Header{}, nil, 405, "method_not_allowed", false},
		{"wrong method by header", "PUT", "/webhooks/shopify", good.Header, bytes.NewReader(good.Body), 405,
			"method_not_allowed", false},
	} {
		wantProblem(t, test.name, r.send(t, test.method, test.path, test.header, test.body), test.status, test.code)
		if test.counts {
			r.refused++
		}
	}
	wantProblem(t, "truncated body", r.truncated(t, good), 400, "unreadable")
	r.refused++
	if n := r.count(t); n != 0 {
		t.Errorf("%d deliveries were kept, want none", n)
	}
}

// truncated announces a body and ends the connection in the middle of it.
func (r *receiverTest) truncated(t *testing.T, d recordings.Request) answer {
	t.Helper()
	connection := r.dial(t)
	writeHead(t, connection, d, len(d.Body)+100)
	_, err := connection.Write(d.Body)
	ok(t, err)
	ok(t, connection.(*net.TCPConn).CloseWrite())
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	ok(t, err)
	return readAnswer(t, response)
}

func (r *receiverTest) dial(t *testing.T) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", r.address)
	ok(t, err)
	t.Cleanup(func() { connection.Close() })
	ok(t, connection.SetDeadline(time.Now().Add(patience)))
	return connection
}

// writeHead writes all of a request but its body.
func writeHead(t *testing.T, to io.Writer, d recordings.Request, length int, more ...string) {
	t.Helper()
	var head bytes.Buffer
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n", d.Path(), length)
	ok(t, d.Header.WriteSubset(&head, map[string]bool{"Content-Length": true}))
	for _, line := range more {
		head.WriteString(line + "\r\n")
	}
	head.WriteString("\r\n")
	_, err := to.Write(head.Bytes())
	ok(t, err)
}

func (r *receiverTest) refusalsAreCounted(t *testing.T) {
	eventually(t, fmt.Sprintf("%d refusals in the status", r.refused), func() bool {
		return r.rejected(t) == r.refused
	})
	without := recordings.Client{Base: r.c.Base, HTTP: r.c.HTTP}
	var status map[string]any
	ok(t, without.Get(t.Context(), "/status", &status))
	if status["stores"] != nil {
		t.Errorf("the status shows stores without a token: %v", status["stores"])
	}
}

// rejected is what the status says of the Shopify store.
func (r *receiverTest) rejected(t *testing.T) int {
	t.Helper()
	var status struct {
		Stores []struct {
			Slug     string
			Rejected int `json:"rejected_24h"`
		}
	}
	ok(t, r.c.Get(t.Context(), "/status", &status))
	for _, s := range status.Stores {
		if s.Slug == r.shop.Store.Slug {
			return s.Rejected
		}
	}
	t.Fatalf("the status does not show the store: %+v", status)
	return 0
}

func (r *receiverTest) expectContinue(t *testing.T) {
	const expect = "Expect: 100-continue"
	large := r.woo.Requests[len(r.woo.Requests)-1]
	connection := r.dial(t)
	writeHead(t, connection, large, smallest+1, expect)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	ok(t, err)
	wantProblem(t, "too large, body not sent", readAnswer(t, response), 413, "too_large")

	small := signedWoo(r.woo.Store, "expects", "order.updated", []byte(`{"id":0}`))
	connection = r.dial(t)
	writeHead(t, connection, small, len(small.Body), expect)
	answers := bufio.NewReader(connection)
	line, err := answers.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("a body of allowed size: answered %q (%v), want 100 Continue", line, err)
	}
	_, err = answers.ReadString('\n')
	ok(t, err)
	_, err = connection.Write(small.Body)
	ok(t, err)
	response, err = http.ReadResponse(answers, nil)
	ok(t, err)
	wantStatus(t, "the body after 100 Continue", readAnswer(t, response).status, http.StatusOK)
}

func signedWoo(store recordings.Store, id, topic string, body []byte) recordings.Request {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("X-WC-Webhook-Topic", topic)
	h.Set("X-WC-Webhook-Delivery-ID", id)
	h.Set("X-WC-Webhook-Signature", woocommerce.Sign([]byte(store.Secret), body))
	return recordings.Request{Store: store, File: id, Header: h, Body: body}
}

func (r *receiverTest) ping(t *testing.T) {
	before := r.count(t)
	ping := r.woo.Requests[0]
	if ping.Header.Get("X-WC-Webhook-Topic") != "" {
		t.Fatalf("%s is no ping", ping.File)
	}
	a := r.send(t, "POST", ping.Path(), ping.Header, bytes.NewReader(ping.Body))
	wantStatus(t, "ping", a.status, http.StatusOK)
	if n := r.count(t) - before; n != 0 {
		t.Errorf("%d deliveries were kept, want none", n)
	}
}

func (r *receiverTest) repeat(t *testing.T) {
	before := r.count(t)
	d := r.delivery("repeated", `{"id":77}`)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() { deliver(t, r.c, 1, slices.Repeat([]recordings.Request{d}, 5)) })
	}
	senders.Wait()
	if n := r.count(t) - before; n != 1 {
		t.Errorf("%d deliveries were kept, want 1", n)
	}
}

// WooCommerce's delivery id is made of the webhook and the second only: different orders share it.
func (r *receiverTest) oneDeliveryID(t *testing.T) {
	before := r.count(t)
	for _, body := range []string{`{"id":901}`, `{"id":902}`, `{"id":901}`} {
		ok(t, r.c.Deliver(t.Context(), signedWoo(r.woo.Store, "one-id", "order.updated", []byte(body))))
	}
	if n := r.count(t) - before; n != 2 {
		t.Errorf("%d deliveries were kept, want 2", n)
	}
}

func (r *receiverTest) byHeader(t *testing.T) {
	before := r.count(t)
	d := r.delivery("by-header", `{"id":78}`)
	a := r.send(t, "POST", "/webhooks/shopify", d.Header, bytes.NewReader(d.Body))
	wantStatus(t, "one address for all shops", a.status, http.StatusOK)
	list := kept(t, r.env)
	if len(list) != before+1 || list[0].slug != r.shop.Store.Slug {
		t.Errorf("%d deliveries were kept, the last of %s; want 1 of %s", len(list)-before, list[0].slug,
			r.shop.Store.Slug)
	}
}

func (r *receiverTest) secrets(t *testing.T) {
	const second = "another-secret-of-the-store"
	var store affiliate.Store
	var first affiliate.StoreSecretID
	r.env.open(t, func(ctx context.Context, a *app.App) {
		var err error
		store, err = a.DB.StoreBySlug(ctx, r.shop.Store.Slug)
		ok(t, err)
		secrets, err := a.DB.StoreSecrets(ctx, store.ID)
		ok(t, err)
		first = secrets[0].ID
		_, err = a.AddStoreSecret(ctx, store.ID, second)
		ok(t, err)
	})
	old, rotated := r.shop.Store, r.shop.Store
	rotated.Secret = second
	n := 0
	status := func(s recordings.Store) int {
		n++
		status, err := r.c.Send(t.Context(), signedShopify(s, fmt.Sprint("secret-", n), "orders/updated", []byte(`{"id":79}`)))
		ok(t, err)
		return status
	}
	eventually(t, "the new secret is accepted", func() bool { return status(rotated) == http.StatusOK })
	wantStatus(t, "the old secret beside the new one", status(old), http.StatusOK)
	r.env.open(t, func(ctx context.Context, a *app.App) { ok(t, a.EndStoreSecret(ctx, store.ID, first)) })
	eventually(t, "the ended secret is refused", func() bool { return status(old) == http.StatusUnauthorized })
	wantStatus(t, "the new secret alone", status(rotated), http.StatusOK)
	r.shop.Store = rotated
}

// deliveryRow is a delivery as the API lists it.
type deliveryRow struct {
	ID, Store, Topic, State, Note string
	Order                         string
}

func (r *receiverTest) newest(t *testing.T) deliveryRow {
	t.Helper()
	var list struct{ Data []deliveryRow }
	ok(t, r.c.Get(t.Context(), "/api/v1/deliveries?limit=1", &list))
	if len(list.Data) != 1 {
		t.Fatalf("%d deliveries on a page of one", len(list.Data))
	}
	return list.Data[0]
}

func (r *receiverTest) malformed(t *testing.T) {
	for _, test := range []struct{ name, body string }{{"cut off", `{"id":80,"line_items":[`}, {"no JSON", "PK\x03\x04 not json"}, {"a list", `[1,2]`},
		{"wrong types", `{"id":{"a":1},"total_price":[]}`}, {"invalid UTF-8", "{\"id\":81,\"name\":\"\xff\xfe\""}, {"NUL", "{\"id\":82,\x00}"}} {
		t.Run(test.name, func(t *testing.T) {
			ok(t, r.c.Deliver(t.Context(), r.delivery("malformed-"+test.name, test.body)))
			waitProcessed(t, r.c)
			first := r.newest(t)
			if first.State != "failed" || first.Note == "" || first.Topic != "orders/updated" ||
				first.Store != r.shop.Store.Slug {
				t.Fatalf("kept as %+v, want failed with a reason", first)
			}
			var replayed struct{ Replayed int }
			ok(t, r.c.Post(t.Context(), "/api/v1/deliveries/"+first.ID+"/replay", struct{}{}, &replayed))
			if replayed.Replayed != 1 {
				t.Errorf("replayed %d deliveries, want 1", replayed.Replayed)
			}
			waitProcessed(t, r.c)
			if again := r.newest(t); again != first {
				t.Errorf("after the replay %+v, want %+v", again, first)
			}
		})
	}
	var list struct{ Data []deliveryRow }
	ok(t, r.c.Get(t.Context(), "/api/v1/deliveries?state=failed&store="+r.shop.Store.Slug, &list))
	if len(list.Data) < 6 {
		t.Errorf("%d failed deliveries in the list, want at least 6", len(list.Data))
	}
}

func (r *receiverTest) errorObject(t *testing.T) {
	i := slices.IndexFunc(r.woo.Requests, func(d recordings.Request) bool { return strings.HasPrefix(d.File, "175-") })
	ok(t, r.c.Deliver(t.Context(), r.woo.Requests[i]))
	waitProcessed(t, r.c)
	if d := r.newest(t); d.State != "failed" || !strings.Contains(d.Note, "WP REST API Integration v3") {
		t.Errorf("kept as %+v, want failed with what to do about the error", d)
	}
}

// Without the database nothing can be kept, so nothing is acknowledged; the store is asked to come again.
func TestDatabaseStopped_race(t *testing.T) {
	t.Parallel()
	postgres, err := testservers.Postgres(t.Context(), testservers.FastUnsafe)
	ok(t, err)
	t.Cleanup(func() { ok(t, postgres.Close()) })
	env := environment{"DATA_DIR": t.TempDir(), "DATABASE_URL": postgres.URL,
		"REDIS_URL": testservers.RedisDB(t)}.withCommon()
	prepareSchema(t, postgres.URL)
	sets := allSets(t)
	token := env.setUp(t, sets)
	s := env.start(t)
	r := &receiverTest{env: env, shop: sets[0], woo: sets[1], token: token, c: s.client(t, token), address: s.address}
	list := allRequests(sets)
	before, after := list[:len(list)/2], list[len(list)/2:]
	deliver(t, r.c, 4, before)

	ok(t, postgres.Stop())
	d := after[0]
	a := r.send(t, "POST", d.Path(), d.Header, bytes.NewReader(d.Body))
	wantProblem(t, "database stopped", a, 503, "unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After in the answer")
	}
	response, err := r.c.HTTP.Get(r.c.Base + "/readyz")
	ok(t, err)
	wantProblem(t, "readyz", readAnswer(t, response), 503, "unavailable")

	ok(t, postgres.Start(t.Context()))
	deliver(t, r.c, 4, after)
	waitProcessed(t, r.c)
	checkKept(t, env, list)
	checkOrders(t, r.c, sets)
	checkLedger(t, env)
}

func prepareSchema(t testing.TB, url string) {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Options{URL: url})
	ok(t, err)
	_, err = db.Migrate(t.Context())
	ok(t, err)
	ok(t, db.Close())
}
