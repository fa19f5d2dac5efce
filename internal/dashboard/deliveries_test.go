package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// keys are the rows of a page's table.
func (a answer) keys() []string {
	var keys []string
	for _, e := range a.all("tbody tr[data-key]") {
		keys = append(keys, e.attr("data-key"))
	}
	return keys
}

func TestDeliveriesPage(t *testing.T) {
	h := newHouse(t)
	at := "/stores/" + h.storeBySlug("shop").ID.String() + "/deliveries"
	h.viewer().get(at).is(http.StatusOK).says("Nothing came yet")
	h.sell(sale{number: "501", code: "ANNA10", value: 100_00}, sale{number: "502", value: 10_00})
	h.deliver("shop", `{"not":"an order"`)
	h.process()
	h.deliver("shop", h.body(sale{number: "501", value: 90_00}))
	for query, want := range map[string][]string{
		"":                               {"dlv_4", "dlv_3", "dlv_2", "dlv_1"},
		"?state=failed":                  {"dlv_3"},
		"?state=waiting":                 {"dlv_4"},
		"?state=done":                    {"dlv_2", "dlv_1"},
		"?topic=orders/updated":          {"dlv_4", "dlv_3", "dlv_2", "dlv_1"},
		"?topic=orders/create":           nil,
		"?order=501":                     {"dlv_1"},
		"?order=%23501":                  {"dlv_1"},
		"?order=501&state=waiting":       nil,
		"?state=failed&topic=orders/x&":  nil,
		"?state=nonsense&order=&topic=+": {"dlv_4", "dlv_3", "dlv_2", "dlv_1"},
	} {
		if got := h.viewer().get(at + query).is(http.StatusOK).keys(); !slices.Equal(got, want) {
			t.Errorf("%q shows %v, want %v", query, got, want)
		}
	}
	a := h.viewer().get(at + "?state=done&topic=orders%2Fpaid").says("No delivery of this store fits").hides("Replay")
	if a.one("select[name=state] option[selected]").attr("value") != "done" ||
		a.one("select[name=topic] option[selected]").attr("value") != "orders/paid" {
		t.Error("the filters are not those of the address")
	}
	a.one("main a[href=" + at + "].plain")
	h.viewer().get(at).says("is not valid JSON", "Failed", "Waiting", "501")
	h.viewer().get("/stores/str_2/deliveries").says("Nothing came yet")
}

func TestDeliveriesPages(t *testing.T) {
	h := newHouse(t)
	at := "/stores/" + h.storeBySlug("shop").ID.String() + "/deliveries"
	list := make([]storage.NewDelivery, limit+7)
	for i := range list {
		list[i] = storage.NewDelivery{StoreID: h.storeBySlug("shop").ID, Topic: "orders/paid",
			ReceivedAt: noon.Add(time.Duration(i) * time.Second), Payload: []byte{1}}
		copy(list[i].Key[:], fmt.Sprint(i))
	}
	_, err := h.db.InsertDeliveries(h.Context(), list, nil)
	h.must(err)
	first := h.viewer().get(at + "?topic=orders/paid")
	second := h.viewer().get(first.one(".pager a[rel=next]").attr("href"))
	if got := append(first.keys(), second.keys()...); len(first.keys()) != limit || len(got) != len(list) ||
		got[len(got)-1] != "dlv_1" {
		t.Errorf("%d and %d rows", len(first.keys()), len(second.keys()))
	}
	second.says("Back to the first page").hides("Next page")
}

// TestReadings: what we read from a store's API is called that, and is not among what the store has sent.
func TestReadings(t *testing.T) {
	h := newHouse(t)
	s := h.storeBySlug("shop")
	h.sell(sale{number: "501", value: 100_00})
	sent, err := h.db.Delivery(h.Context(), 1)
	h.must(err)
	_, err = h.db.InsertDeliveries(h.Context(), []storage.NewDelivery{{StoreID: s.ID, Key: [16]byte{7},
		Topic: affiliate.TopicOrderRead, ReceivedAt: noon, Payload: sent.Payload}}, nil)
	h.must(err)
	if got := h.owner().get(storeAddress(s)).keys(); slices.Contains(got, "dlv_2") || !slices.Contains(got, "dlv_1") {
		t.Errorf("the newest deliveries are %v", got)
	}
	if got := h.owner().get(storeAddress(s) + "/deliveries").keys(); !slices.Contains(got, "dlv_2") {
		t.Errorf("all deliveries are %v", got)
	}
	h.owner().get("/deliveries/dlv_2").says("Read from "+s.Name, "Body", "total_price").
		hides("Delivery of", "Headers", "Hmac")
}

func TestDeliveryPage(t *testing.T) {
	h := newHouse(t)
	ids := h.sell(sale{number: "501", code: "ANNA10", value: 100_00, email: "buyer@customers.example"})
	a := h.owner().get("/deliveries/dlv_1").is(http.StatusOK).says("Delivery of 20 Nov 2026, 13:0", ", order #501",
		"Done", "orders/updated", "X-Shopify-Hmac-Sha256", `"buyer@customers.example"`, "0 of 25")
	if got := a.one("#fate a").attr("href"); got != "/orders/"+ids[0].String() {
		t.Errorf("the order is linked to %q", got)
	}
	if got := a.one("pre").text(); !strings.Contains(got, `"total_price": "105.00"`) {
		t.Errorf("the body is not set in lines: %s", got)
	}
	for _, v := range []*visitor{h.manager(), h.viewer()} {
		v.get("/deliveries/dlv_1").is(http.StatusOK).says("Done", "only owners see them").
			hides("buyer@customers.example", "Hmac", "Replay")
		v.get("/deliveries/dlv_1/body").is(http.StatusForbidden)
		v.post("/deliveries/dlv_1/replay").is(http.StatusForbidden)
		v.post("/stores/str_1/replay").is(http.StatusForbidden)
	}
	part := h.owner().get("/deliveries/dlv_1?part=fate")
	if strings.Contains(part.body, "buyer@") || !strings.Contains(part.body, "orders/updated") {
		t.Errorf("the part that is refreshed is %s", part.body)
	}
	body := h.owner().get("/deliveries/dlv_1/body").is(http.StatusOK)
	if !strings.Contains(body.body, "buyer@customers.example") ||
		!strings.HasPrefix(body.header.Get("Content-Disposition"), "attachment") ||
		body.header.Get("X-Content-Type-Options") != "nosniff" || strings.HasPrefix(body.header.Get("Content-Type"),
		"text/html") {
		t.Errorf("the body came as %v", body.header)
	}
	h.owner().get("/deliveries/dlv_9").is(http.StatusNotFound).says("There is no such delivery")
	h.owner().get("/deliveries/dlv_9/body").is(http.StatusNotFound)
	h.owner().post("/deliveries/dlv_9/replay").is(http.StatusNotFound)
}

// TestDeliveryOfAnything: whatever is in a body is shown as text, never as part of the page.
func TestDeliveryOfAnything(t *testing.T) {
	h := newHouse(t)
	h.deliver("shop", `<script>alert("x")</script></pre><img src=x onerror=alert(1)>`)
	h.deliver("shop", `{"id":820982911946154508,"price":1.10,"name":"</pre><script>alert(2)</script>"}`)
	h.deliver("shop", "\xff\xfe not text \x00")
	long := `{"text":"` + strings.Repeat("ä", shownBody) + `"}`
	h.deliver("shop", long)
	h.process()
	for n, want := range []string{`<script>alert("x")</script></pre><img src=x onerror=alert(1)>`, "820982911946154508", "not text", "äää"} {
		a := h.owner().get(fmt.Sprintf("/deliveries/dlv_%d", n+1)).is(http.StatusOK)
		wellMade(t, a)
		if got := a.one("pre").text(); !strings.Contains(got, want) {
			t.Errorf("delivery %d shows %.200q, want %q in it", n+1, got, want)
		}
		if a.has("main script") || a.has("main img") {
			t.Errorf("delivery %d became markup", n+1)
		}
		if !utf8.ValidString(a.body) {
			t.Errorf("delivery %d is not valid UTF-8", n+1)
		}
	}
	h.owner().get("/deliveries/dlv_2").says(`"price": 1.10`)
	a := h.owner().get("/deliveries/dlv_4").says("the first 200 of 401 KB")
	if len(a.body) > shownBody+30_000 {
		t.Errorf("the page has %d bytes", len(a.body))
	}
	if whole := h.owner().get("/deliveries/dlv_4/body"); whole.body != long {
		t.Errorf("the file has %d bytes, want %d", len(whole.body), len(long))
	}
	if got := h.owner().get("/deliveries/dlv_1/body").header.Get("Content-Security-Policy"); !strings.Contains(got,
		"default-src 'none'") {
		t.Errorf("the policy of the file is %q", got)
	}
}

func TestReplay(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{number: "501", code: "ANNA10", value: 100_00})
	h.owner().post("/deliveries/dlv_1/replay").is(http.StatusOK).at("/deliveries/dlv_1").says("processed again",
		"Waiting")
	h.process()
	if d, err := h.db.Delivery(h.Context(), 1); err != nil || d.State != storage.DeliveryDone {
		t.Errorf("after its replay it is %s, %v", d.State, err)
	}
	h.consistent()
	for range 3 {
		h.deliver("shop", fmt.Sprintf(`{"not %d`, h.sold))
		h.sold++
	}
	h.process()
	at := "/stores/" + h.storeBySlug("shop").ID.String()
	h.owner().get(at + "/deliveries").says("Replay all 3 failed")
	if got := h.viewer().get("/account").texts("nav .count"); len(got) == 0 || got[0] != "3" {
		t.Errorf("the menu counts %q failed deliveries", got)
	}
	h.owner().post(at + "/replay").is(http.StatusOK).says("3 deliveries are processed again").hides("Replay all")
	h.owner().post(at + "/replay").says("Nothing could be replayed")
	if h.viewer().get("/account").has("nav .count") {
		t.Error("the menu counts what is being replayed")
	}
	h.process()
	_, err := h.db.PurgePayloads(h.Context(), h.clock.now().Add(time.Hour), 10)
	h.must(err)
	h.owner().get("/deliveries/dlv_1").says("Its body is gone", "Done").hides("Replay")
	h.owner().post("/deliveries/dlv_1/replay").is(http.StatusConflict).says("was purged")
	h.owner().get("/deliveries/dlv_1/body").is(http.StatusNotFound)
	h.owner().post(at + "/replay").says("Nothing could be replayed")
}

// TestDeliveryRetries: how often it was tried, and when it is tried next.
func TestDeliveryRetries(t *testing.T) {
	h := newHouse(t)
	h.deliver("shop", "{}")
	d, err := h.db.Delivery(h.Context(), 1)
	h.must(err)
	_, err = h.db.PostponeDelivery(h.Context(), d, "the disk is full", noon)
	h.must(err)
	h.viewer().get("/deliveries/dlv_1").says("Waiting", "the disk is full",
		"1 of 25, the next one after 20 Nov 2026, 13:00:02")
	h.viewer().get("/stores/str_1/deliveries").says("the disk is full")
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0 ms", 0: "0 ms", 12 * time.Millisecond: "12 ms",
		1500 * time.Millisecond: "1.5 s", 90 * time.Second: "1 min", 3 * time.Hour: "3 h"} {
		if got := took(noon, noon.Add(d)); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := took(noon, time.Time{}); got != "" {
		t.Errorf("unfinished: %q", got)
	}
}

// TestDeliveriesTellPages: what happens at a store's receiver reaches open pages as an event of its own.
func TestDeliveriesTellPages(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleOwner)
	b.open("/stores/" + h.storeBySlug("shop").ID.String())
	b.says("Waiting for the first delivery", "Nothing came yet")
	b.connected()
	h.forge(3)
	b.says("Something came, but it was refused",
		"3 rejected in the last 24 hours: the secret here differs from the store's.")
	h.deliver("shop", h.body(sale{number: "501", code: "ANNA10", value: 100_00}))
	h.counters.Flush(h.Context())
	b.says("Connected.", "20 Nov 2026, 13:00:00", "still being worked on")
	b.saysNot("Waiting for the first delivery")
	h.process()
	h.counters.Flush(h.Context())
	b.until("the delivery to be done", func() bool {
		var text string
		b.eval(`document.querySelector("[data-key=dlv_1] .badge")?.textContent || ""`, &text)
		return text == "Done"
	})
}

// TestSetAside: what can never succeed is given up on, by ticking it or by its note, and counts as trouble no more.
func TestSetAside(t *testing.T) {
	h := newHouse(t)
	s := h.storeBySlug("shop")
	at := "/stores/" + s.ID.String()
	for n := range 3 {
		h.deliver("shop", fmt.Sprintf(`<order>%d</order>`, n))
	}
	h.deliver("shop", `{"not":"an order"`)
	h.process()
	h.owner().get("/").says("4 deliveries failed")
	v := h.viewer()
	v.get("/deliveries/dlv_1").hides("Set aside")
	v.post(at+"/set-aside", "ids", "dlv_1", "reason", "x").is(http.StatusForbidden)
	o := h.owner()
	page := o.get(at + "/deliveries?state=failed")
	page.one("input[name=ids][value=dlv_4]")
	o.post(at+"/set-aside", "nothing", "1", "ids", "dlv_4", "reason", "x", "move", "aside").is(http.StatusOK)
	o.post(at+"/set-aside", "ids", "dlv_4", "reason", " ", "move", "aside").is(http.StatusUnprocessableEntity)
	o.post(at+"/set-aside", "reason", "x", "move", "aside").is(http.StatusUnprocessableEntity).says("tick some rows")
	o.post(at+"/set-aside", "ids", "dlv_4", "reason", "seen to", "move", "aside", "back",
		at+"/deliveries?state=failed").
		is(http.StatusOK).says("1 delivery is set aside").hides("dlv_4")
	one := o.get("/deliveries/dlv_2").says("format to JSON", "Set aside all 3 failed ones with this note")
	note := one.one("button[name=note]").attr("value")
	o.post(at+"/set-aside", "ids", "dlv_2", "note", note, "reason", "compared by hand", "back", "/deliveries/dlv_2").
		is(http.StatusOK).says("3 deliveries are set aside", "compared by hand · Olga Owner", "Put back")
	o.get("/").hides("deliveries failed")
	o.get(at).says("Connected. Deliveries come in and are processed.", "4 set aside").hides("an order\"",
		"format to JSON.")
	o.get(at+"/deliveries?state=set_aside").says("Set aside: seen to · Olga Owner", "Set aside: compared by hand")
	if got := o.get(at + "/deliveries?state=set_aside").keys(); len(got) != 4 {
		t.Errorf("the filter shows %v", got)
	}
	o.post(at+"/set-aside", "ids", "dlv_2", "move", "back", "back", "/deliveries/dlv_2").
		says("1 delivery counts as failed again", "It can never succeed?")
	o.post("/deliveries/dlv_1/replay").is(http.StatusOK).says("Waiting").hides("compared by hand")
	o.get("/settings/audit").says("set deliveries aside of the store", "put back deliveries")
}
