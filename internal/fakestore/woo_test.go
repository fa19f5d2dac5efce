package fakestore

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

var _ app.CouponClient = (*woocommerce.Client)(nil)

// receiver takes deliveries in, and answers with status.
type receiver struct {
	mu     sync.Mutex
	status int
	topics []string
	orders map[string]affiliate.OrderState
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	topic := woocommerce.Platform{}.Topic(req.Header)
	r.topics = append(r.topics, topic+" "+req.Header.Get("X-WC-Webhook-Signature"))
	w.WriteHeader(r.status)
	if topic != pingTopic {
		r.merge(topic, body)
	}
}

func (r *receiver) merge(topic string, body []byte) {
	parsed, err := woocommerce.Platform{}.Parse(topic, body)
	if err != nil {
		return
	}
	for _, e := range parsed.Events {
		e.Received = start.Add(time.Duration(len(r.topics)) * time.Millisecond)
		if e.Snapshot != nil {
			e.Snapshot.Came(e.Received, time.Time{}, time.Time{})
		}
		r.orders[e.OrderID] = r.orders[e.OrderID].Merge(e)
	}
}

func (r *receiver) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.topics)
}

var start = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)

// connected is a shop whose webhooks reach a receiver, and a client of it.
func connected(t *testing.T, o Options) (*Shop, *receiver, *woocommerce.Client) {
	t.Helper()
	var ticks atomic.Int64
	o.Now = func() time.Time { return start.Add(time.Duration(ticks.Add(1)) * time.Second / 4) }
	o.Seed = 7
	s, r := WooCommerce(o), &receiver{status: http.StatusOK, orders: map[string]affiliate.OrderState{}}
	ours, theirs := httptest.NewServer(r), httptest.NewServer(s)
	t.Cleanup(ours.Close)
	t.Cleanup(theirs.Close)
	web := &storeapi.Web{Private: []string{"*"}, Now: o.Now,
		Sleep: func(context.Context, time.Duration) error { return nil }}
	client := woocommerce.Connector{Web: web}.Open(s.Keys(theirs.URL))
	for _, topic := range []string{"order.created", "order.updated", "order.deleted", "order.restored"} {
		if _, err := client.MakeWebhook(t.Context(), topic, ours.URL, "s3cret"); err != nil {
			t.Fatal(err)
		}
	}
	return s, r, client
}

// lead has things happen to orders, by chance.
func lead(s *Shop, chance *rand.Rand, n int) {
	line := Line{Name: "Mug", Price: 1149, Quantity: 3, Discount: 345, Tax: 257}
	for range n {
		ids := s.IDs()
		if len(ids) < 5 || chance.IntN(5) == 0 {
			s.Place(NewOrder{Lines: []Line{line, line}, Shipping: 495, ShippingTax: 40, Codes: []string{"ANNA10"},
				Paid: chance.IntN(2) == 0, Landing: "https://shop.example/?ref=anna"})
			continue
		}
		id := ids[chance.IntN(len(ids))]
		truth := s.Truth(id)
		paid := truth.Status == affiliate.Paid && truth.Refunded == 0
		switch what := chance.IntN(8); {
		case truth.Trashed:
			s.Restore(id)
		case what == 0:
			s.Trash(id)
		case what == 1:
			s.Edit(id)
		case what == 2 && truth.Status == affiliate.Pending:
			s.Pay(id)
		case what == 3 && truth.Status == affiliate.Pending:
			s.Cancel(id)
		case what == 4 && paid:
			s.Refund(id, Refund{Lines: map[int]Part{1: {Quantity: 2}}})
		case what == 5 && paid:
			s.Refund(id, Refund{Amount: 500})
		case what == 6 && paid:
			s.Refund(id, Refund{Amount: truth.Total})
		case what == 7 && paid:
			s.EditLine(id, 0, 2)
		}
	}
}

// TestTruth checks that what webhooks tell, and what the API shows, is the truth that the shop says it is.
func TestTruth(t *testing.T) {
	s, r, client := connected(t, Options{})
	lead(s, rand.New(rand.NewPCG(1, 2)), 300)
	refunded := slices.IndexFunc(s.IDs(), func(id string) bool {
		return s.Truth(id).Refunded == 500 && s.Truth(id).Status == affiliate.Paid
	})
	id := s.IDs()[refunded]
	s.DeleteRefund(id, formatID(s.mustFind(id).refunds[0].id))
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sent := s.Sent(); sent.Failed+sent.Lost+sent.Repeated > 0 || sent.Taken < 50 {
		t.Errorf("sent %+v", sent)
	}
	statuses := map[affiliate.OrderStatus]int{}
	for ids := s.IDs(); len(ids) > 0; ids = ids[min(100, len(ids)):] {
		page, err := client.OrdersByID(t.Context(), ids[:min(100, len(ids))], affiliate.OrderDetail{Rows: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Orders {
			truth := s.Truth(o.ID)
			statuses[truth.Status]++
			told, ok := r.orders[o.ID].View(affiliate.OrderRules{})
			if !ok || told.Status != truth.Status {
				t.Errorf("order %s: webhooks tell %q, true is %q", o.ID, told.Status, truth.Status)
			}
			read := receiver{orders: map[string]affiliate.OrderState{}}
			read.merge(affiliate.TopicOrderRead, o.Body)
			v, _ := read.orders[o.ID].View(affiliate.OrderRules{})
			got := fmt.Sprint(v.Status, v.Total, v.OriginalValue, v.Value, v.Refunded)
			want := fmt.Sprint(truth.Status, truth.Total, truth.Original, truth.Value, truth.Refunded)
			if got != want {
				t.Errorf("order %s: read %s, true is %s", o.ID, got, want)
			}
		}
	}
	for _, status := range affiliate.Pending.Words() {
		if statuses[status] < 2 {
			t.Errorf("only %d orders are %s", statuses[status], status)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		faults Faults
		want   Sent
	}{
		{Faults{}, Sent{Taken: 10}},
		{Faults{Drop: 1}, Sent{Lost: 10}},
		{Faults{Repeat: 1, Shuffle: true}, Sent{Taken: 10, Repeated: 10}},
	} {
		s, _, _ := connected(t, Options{})
		_ = s.Flush(t.Context()) // the pings
		before := s.Sent()
		s.SetFaults(c.faults)
		for range 5 {
			s.Place(NewOrder{Lines: []Line{{Price: 100, Quantity: 1}}})
		}
		_ = s.Flush(t.Context())
		got := s.Sent()
		got.Taken -= before.Taken
		if got != c.want || s.Waiting() != 0 {
			t.Errorf("%+v: got %+v, want %+v", c.faults, got, c.want)
		}
	}
}

// TestSameAgain checks that a seed and the same calls give the same deliveries.
func TestSameAgain(t *testing.T) {
	var all [2][]string
	for i := range all {
		s, r, _ := connected(t, Options{})
		s.SetFaults(Faults{Drop: 0.2, Repeat: 0.2, Shuffle: true})
		lead(s, rand.New(rand.NewPCG(3, 4)), 60)
		_ = s.Flush(t.Context())
		all[i] = r.seen()
	}
	if !slices.Equal(all[0], all[1]) || len(all[0]) < 20 {
		t.Errorf("%d and %d deliveries differ", len(all[0]), len(all[1]))
	}
}

// TestSwitchedOff checks that the seventh failure in a row switches a webhook off, and that switching it on again does
// not forget the failures.
func TestSwitchedOff(t *testing.T) {
	s, r, _ := connected(t, Options{})
	_ = s.Flush(t.Context())
	id := s.Place(NewOrder{Lines: []Line{{Price: 100, Quantity: 1}}})
	_ = s.Flush(t.Context())
	hook := s.webhooks[slices.IndexFunc(s.webhooks, func(w *webhook) bool { return w.topic == "order.updated" })]
	fail := func(n int) {
		r.status = http.StatusInternalServerError
		for range n {
			s.Edit(id)
			_ = s.Flush(t.Context())
		}
	}
	fail(6)
	r.status = http.StatusFound // counts as success, and is not followed
	s.Edit(id)
	_ = s.Flush(t.Context())
	if fail(6); hook.status != active {
		t.Errorf("after six failures it is %s", hook.status)
	}
	if fail(1); hook.status != disabled {
		t.Errorf("after seven failures it is %s", hook.status)
	}
	if s.Edit(id); s.Waiting() != 0 {
		t.Error("a webhook that is off sends")
	}
	s.face.(*woo).setWebhook(hook, active, "")
	if fail(1); hook.status != disabled {
		t.Errorf("switched on again, after one more failure it is %s", hook.status)
	}
}

func TestAPIFaults(t *testing.T) {
	s, _, client := connected(t, Options{})
	ask := func() error { _, err := client.Webhooks(t.Context()); return err }
	s.FailNext(2, http.StatusBadGateway)
	s.BusyNext(2)
	if err := ask(); err != nil {
		t.Errorf("after passing failures: %v", err)
	}
	s.HTMLNext(1)
	if err := ask(); err == nil {
		t.Error("a page is no answer")
	}
	s.HangNext(1)
	short, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := client.Webhooks(short); affiliate.KindOf(err) != affiliate.Unavailable {
		t.Errorf("no answer: %v", err)
	}
	s.DropWebhook("order.updated")
	s.DisableWebhook("order.created")
	s.SetWebhookAddress("order.deleted", "https://elsewhere.example/")
	s.SetWebhookTopic("order.restored", "coupon.created")
	list, err := client.Webhooks(t.Context())
	if err != nil || len(list) != 3 || list[0].Broken == "" && list[1].Broken == "" && list[2].Broken == "" {
		t.Errorf("got %+v, %v", list, err)
	}
}

// TestAlive_race has a shop run by itself while its API is asked.
func TestAlive_race(t *testing.T) {
	s, r, client := connected(t, Options{Alive: true})
	s.MakeCoupon("ANNA10", 1000)
	s.Fill(30, start.Add(-time.Hour), start, "ANNA10")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Background(ctx, time.Microsecond); close(done) }()
	for range 200 {
		if _, err := client.OrdersByID(t.Context(), s.IDs()[:10], affiliate.OrderDetail{}); err != nil {
			t.Fatal(err)
		}
		if len(r.seen()) > 10 {
			break
		}
	}
	cancel()
	<-done
	if len(r.seen()) <= 4 {
		t.Error("nothing happened beside the pings")
	}
}
