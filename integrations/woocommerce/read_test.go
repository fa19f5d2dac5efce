package woocommerce

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

// answered gives the body of an answer of WooCommerce 11.0.1.
func answered(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".response.http")
	if err != nil {
		t.Fatal(err)
	}
	_, body, ok := bytes.Cut(text, []byte("\r\n\r\n"))
	if !ok {
		t.Fatalf("%s has no body", name)
	}
	return bytes.TrimSpace(body)
}

// TestReadRecordings reads each recorded order as the client keeps it: it means what its webhook meant.
func TestReadRecordings(t *testing.T) {
	orders := 0
	for _, d := range deliveries(t) {
		told, err := Platform{}.Parse(d.Topic, d.Body)
		if err != nil || len(told.Events) == 0 || told.Events[0].Snapshot == nil {
			continue
		}
		orders++
		var kept keptOrder
		if err := json.Unmarshal(d.Body, &kept); err != nil {
			t.Fatal(err)
		}
		order, _, err := kept.read()
		if err != nil {
			t.Fatal(err)
		}
		read, err := Platform{}.Parse(affiliate.TopicOrderRead, order.Body)
		if err != nil || len(read.Events) != len(told.Events) {
			t.Fatalf("%s: %v, %v", d.File, read, err)
		}
		if !reflect.DeepEqual(read.Events[0].Snapshot, told.Events[0].Snapshot) {
			t.Errorf("%s: read %+v\ntold %+v", d.File, read.Events[0].Snapshot, told.Events[0].Snapshot)
		}
		if s := told.Events[0].Snapshot; order.Version != s.Version || order.Rough != (len(s.Refunds) > 0) {
			t.Errorf("%s: version %d, rough %t", d.File, order.Version, order.Rough)
		}
	}
	if orders < 90 {
		t.Errorf("only %d recordings are orders", orders)
	}
}

// TestReadRecordedRefunds asks for order 32: a hoodie came back by its row, and twice an amount went back.
func TestReadRecordedRefunds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/refunds"):
			_, _ = w.Write(answered(t, "order-refunds-32"))
		case r.URL.Query().Get("status") == anyStatus:
			_, _ = io.WriteString(w, "["+string(answered(t, "order-get-32"))+"]")
		}
	}))
	defer server.Close()
	keys := affiliate.StoreKeys{Address: server.URL, ID: "ck_1", Secret: "cs_1"}
	page, err := Connector{Web: webOf(newClock())}.Open(keys).OrdersByID(t.Context(), []string{"32"},
		affiliate.OrderDetail{Rows: true})
	if err != nil {
		t.Fatal(err)
	}
	s := parseOrder(t, affiliate.TopicOrderRead, page.Orders[0].Body)
	want := []affiliate.Refund{
		{ID: "33", Amount: 5222, ByLines: true, Lines: 4796}, {ID: "34", Amount: 725}, {ID: "35", Amount: 7909}}
	for i, r := range s.Refunds {
		got := affiliate.Refund{ID: r.ID, Amount: r.Amount, ByLines: r.ByLines, Lines: r.Lines, Unclear: r.Unclear}
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("got %+v, want %+v", got, want[i])
		}
	}
}

func TestReadRows(t *testing.T) {
	const plain = `{"id":1,"total":"-5.00","total_tax":"0.00"}`
	for _, c := range []struct {
		name   string
		refund string
		rows   string
		want   affiliate.Refund
	}{
		{"a row", plain, `{"id":1,"line_items":[{"total":"-4.00","total_tax":"-1.00"}]}`,
			affiliate.Refund{ByLines: true, Lines: 400}},
		{"shipping alone", plain, `{"id":1,"line_items":[],"shipping_lines":[{"total":"-4.00","total_tax":"-1.00"}]}`,
			affiliate.Refund{ByLines: true, Shipping: 500}},
		{"a row and a fee", plain, `{"id":1,"line_items":[{"total":"-3.00"}],"fee_lines":[{"total":"-2.00"}]}`,
			affiliate.Refund{ByLines: true, Lines: 300}},
		{"a row and its discount", plain, `{"id":1,"line_items":[{"total":"-6.00"}],"fee_lines":[{"total":"1.00"}]}`,
			affiliate.Refund{ByLines: true, Lines: 500}},
		{"a row, and wallet money that paid", plain,
			`{"id":1,"line_items":[{"total":"-6.00"}],"fee_lines":[{"name":"Via wallet","total":"1.00"}]}`,
			affiliate.Refund{ByLines: true, Lines: 600}},
		{"an amount", plain, `{"id":1,"line_items":[],"shipping_lines":[],"fee_lines":[]}`, affiliate.Refund{}},
		{"rows without money", plain, `{"id":1,"line_items":[{"total":"0.00"}]}`, affiliate.Refund{}},
		{"more than the rows", plain, `{"id":1,"line_items":[{"total":"-3.00"}]}`,
			affiliate.Refund{ByLines: true, Lines: 300 + 150}}, // 20.00 of 26.73 are merchandise
		{"a cent more, by rounding", plain, `{"id":1,"line_items":[{"total":"-4.99"}]}`,
			affiliate.Refund{ByLines: true, Lines: 499}},
		{"more digits", plain, `{"id":1,"line_items":[{"total":"-2.504"},{"total":"-2.503"}]}`,
			affiliate.Refund{ByLines: true, Lines: 501}},
	} {
		body := `{"order":` + string(order(changes{"refunds": "[" + c.refund + "]"})) + `,"refunds":[` + c.rows + `]}`
		r := parseOrder(t, affiliate.TopicOrderRead, []byte(body)).Refunds[0]
		got := affiliate.Refund{ByLines: r.ByLines, Lines: r.Lines, Shipping: r.Shipping, Unclear: r.Unclear}
		if !reflect.DeepEqual(got, c.want) || r.Amount != 500 {
			t.Errorf("%s: got %+v of %d, want %+v", c.name, got, r.Amount, c.want)
		}
	}
}

func TestReadWhatChangedMeanwhile(t *testing.T) {
	known := order(changes{"refunds": `[{"id":1,"total":"-5.00","total_tax":"0.00"}]`})
	guess := parseOrder(t, "order.updated", known).Refunds
	for _, rows := range []string{`[]`, `[{"id":2,"line_items":[{"total":"-5.00"}]}]`} {
		got := parseOrder(t, affiliate.TopicOrderRead, []byte(`{"order":`+string(known)+`,"refunds":`+rows+`}`)).Refunds
		if !reflect.DeepEqual(got, guess) {
			t.Errorf("rows %s: got %+v, want as without: %+v", rows, got, guess)
		}
	}
	for _, body := range []string{``, `{}`, `{"order":{}}`, `{"order":{"id":5}}`, `{"refunds":[]}`, `[]`} {
		if parsed, err := (Platform{}).Parse(affiliate.TopicOrderRead, []byte(body)); err == nil {
			t.Errorf("%s is read as %+v", body, parsed)
		}
	}
	bad := `{"order":` + string(known) + `,"refunds":[{"id":1,"line_items":[{"total":"much"}]}]}`
	if _, err := (Platform{}).Parse(affiliate.TopicOrderRead, []byte(bad)); err == nil {
		t.Error("a row that is no amount is read")
	}
}

// TestPartsAreRead checks that a part of a marketplace's order tells its parent of exact refunds.
func TestPartsAreRead(t *testing.T) {
	part := order(changes{"parent_id": `70`, "created_via": `"dokan"`,
		"refunds": `[{"id":1,"total":"-5.00","total_tax":"0.00"}]`})
	parsed, err := Platform{}.Parse(affiliate.TopicOrderRead, []byte(`{"order":`+string(part)+
		`,"refunds":[{"id":1,"line_items":[{"total":"-5.00"}]}]}`))
	if err != nil || len(parsed.Events) != 2 || parsed.Events[1].Part == nil {
		t.Fatalf("got %+v, %v", parsed, err)
	}
	want := []affiliate.PartRefund{{Currency: "USD", Amount: 500, Merchandise: 500}}
	if got := parsed.Events[1].Part.Refunds; !reflect.DeepEqual(got, want) || parsed.Events[1].OrderID != "70" {
		t.Errorf("got %+v of %s, want %+v", got, parsed.Events[1].OrderID, want)
	}
}

// TestDraftsAreNoOrders checks that block checkouts which were not finished are left out of a window.
func TestDraftsAreNoOrders(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		list := "[]"
		if r.URL.Query().Get("status") == anyStatus {
			list = "[" + string(order(changes{"id": "1", "status": `"checkout-draft"`})) + "," +
				string(order(changes{"id": "2"})) + "]"
		}
		_, _ = io.WriteString(w, list)
	}))
	defer server.Close()
	c, ctx := newClock(), t.Context()
	client := Connector{Web: webOf(c)}.Open(affiliate.StoreKeys{Address: server.URL, ID: "ck_1", Secret: "cs_1"})
	day := window(affiliate.ByPlaced, c, 24*time.Hour)
	page, err := client.Orders(ctx, window(affiliate.ByPlaced, c, 240*time.Hour), "")
	if err != nil || len(page.Orders) != 1 || page.Orders[0].ID != "2" || page.Next != "" {
		t.Errorf("got %+v, %v", page, err)
	}
	if _, err := client.Orders(ctx, day, ""); codeOf(err) != affiliate.StoreAnswer {
		t.Errorf("a store that ignores dates: %v", err)
	}
	if _, err := client.CountOrders(ctx, day); codeOf(err) != affiliate.StoreAnswer {
		t.Errorf("a store that counts nothing: %v", err)
	}
	if _, err := client.Orders(ctx, day, "no cursor"); err == nil {
		t.Error("any cursor is taken")
	}
}

// TestFakeAnswersAsRecorded checks that the fake store's answers have the members of the recorded ones, no more and no
// fewer.
func TestFakeAnswersAsRecorded(t *testing.T) {
	a := serve(t, false, fakestore.Options{})
	id := a.Place(fakestore.NewOrder{Paid: true, Codes: []string{"MIRA20"}, Shipping: 495, ShippingTax: 44,
		Lines: []fakestore.Line{{Name: "Hoodie", Price: 5995, Quantity: 2, Tax: 851}}})
	a.Refund(id, fakestore.Refund{Lines: map[int]fakestore.Part{0: {Quantity: 1}}})
	hook := map[string]string{"topic": "order.created", "delivery_url": "https://ours.example/"}
	for _, c := range []struct {
		recording string
		question  question
	}{
		{"order-get-32", question{route: ordersRoute + "/" + id}},
		{"order-refunds-32", question{route: ordersRoute + "/" + id + "/refunds"}},
		{"webhooks-create-order.created", question{method: http.MethodPost, route: webhooksRoute, body: hook}},
		{"coupons-create", question{method: http.MethodPost, route: "/wc/v3/coupons",
			body: map[string]any{"code": "ANNA10", "amount": "10"}}},
		{"data-currencies-current", question{route: "/wc/v3/data/currencies/current"}},
		{"orders-per_page-101-refused", question{route: ordersRoute, query: with(nil, "per_page", "101"),
			accept: []int{http.StatusBadRequest}}},
	} {
		answer, err := a.ask(t.Context(), c.question)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := json.Unmarshal(answered(t, c.recording), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(answer.Body, &got); err != nil {
			t.Fatal(err)
		}
		sameMembers(t, c.recording, want, got)
	}
}

// sameMembers compares the members of objects, and of the last elements of lists; what a list has none of is passed by.
func sameMembers(t *testing.T, at string, want, got any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || !slices.Equal(slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(g))) {
			t.Errorf("%s: got %v, want the members %v", at, got, slices.Sorted(maps.Keys(w)))
			return
		}
		for name := range w {
			if name != "_links" {
				sameMembers(t, at+"."+name, w[name], g[name])
			}
		}
	case []any:
		if g, ok := got.([]any); ok && len(w) > 0 && len(g) > 0 && !strings.HasSuffix(at, "meta_data") {
			sameMembers(t, at+"[]", w[len(w)-1], g[len(g)-1])
		}
	}
}
