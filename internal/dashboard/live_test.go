package dashboard

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// listen opens the stream of events of a page and gives what comes, line by line, from its first event on.
func (v *visitor) listen(query string) *bufio.Scanner {
	v.Helper()
	ctx, cancel := context.WithCancel(v.Context())
	v.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/live?"+query, nil)
	v.must(err)
	answer, err := v.client.Do(r)
	v.must(err)
	v.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "retry:") {
		v.Fatalf("the stream begins with %q, status %s", lines.Text(), answer.Status)
	}
	return lines
}

// event gives the next event, as its name and data.
func (h *house) event(lines *bufio.Scanner) string {
	h.Helper()
	name := ""
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = text
		}
		if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return name + " " + text
		}
	}
	h.Fatalf("the stream ended: %v", lines.Err())
	return ""
}

// TestLive_race: a page hears of what it shows and of nothing else, and of what happened before it listened.
func TestLive_race(t *testing.T) {
	h := newHouse(t)
	h.nobody().get("/live?words=orders").is(http.StatusUnauthorized)
	campaign, all := h.viewer().listen("words=cmp_1+ord_9&part=nonsense"), h.viewer().listen("words=orders+deliveries")
	h.dashboard.Hub.Publish([]affiliate.Change{{Store: 1, Order: 7, Campaign: 2}, {Store: 1}})
	h.dashboard.Hub.Publish([]affiliate.Change{{Store: 1, Order: 8, Campaign: 1}, {Store: 1, Order: 9, Campaign: 1}})
	for _, want := range []string{"changed orders deliveries", "changed orders"} {
		if got := h.event(all); got != want {
			t.Errorf("the list of orders hears %q, want %q", got, want)
		}
	}
	if got, want := h.event(campaign), "changed cmp_1 ord_9"; got != want {
		t.Errorf("the campaign's page hears %q, want %q", got, want)
	}
	late := h.viewer().listen(fmt.Sprintf("words=cmp_1&since=%d", time.Now().Add(-time.Second).UnixMilli()))
	if got, want := h.event(late), "missed all"; got != want {
		t.Errorf("a page that was read before hears %q, want %q", got, want)
	}
	after := h.viewer().listen(fmt.Sprintf("words=cmp_1&since=%d", time.Now().Add(time.Minute).UnixMilli()))
	h.dashboard.Hub.Publish([]affiliate.Change{{Store: 1, Order: 8, Campaign: 1}})
	if got, want := h.event(after), "changed cmp_1"; got != want {
		t.Errorf("a page that was read after it hears %q first, want %q", got, want)
	}
}

// TestLive_manyPages_race: 500 open pages, none of which takes what it is sent, hold up neither what comes in nor a
// page that does listen.
func TestLive_manyPages_race(t *testing.T) {
	h := newHouse(t)
	cookie := h.viewer().cookie(sessionCookie)
	for range 500 {
		c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		h.must(err)
		t.Cleanup(func() { c.Close() })
		_,
			err = fmt.Fprintf(c,
			"GET /live?words=orders+deliveries HTTP/1.1\r\nHost: tributary\r\nCookie: %s=%s\r\n\r\n",
			sessionCookie, cookie)
		h.must(err)
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200 OK") {
			t.Fatalf("an open page is answered %q, %v", line, err)
		}
	}
	lines := h.viewer().listen("words=" + "cmp_1")
	for n := range 50 {
		h.sell(sale{code: "ANNA10", value: int64(n+1) * 100})
	}
	if got := h.event(lines); got != "changed cmp_1" {
		t.Errorf("the page that listens hears %q", got)
	}
	h.viewer().get("/campaigns/cmp_1").is(http.StatusOK).says("1,275.00")
	h.consistent()
}

// TestParts_takeTurns_race: however many pages ask for their parts, they are made a few at a time; pages and deliveries
// do not wait for them.
func TestParts_takeTurns_race(t *testing.T) {
	h := newHouse(t)
	h.viewer()
	for range cap(h.dashboard.parts) {
		h.dashboard.parts <- struct{}{} // all turns are taken
	}
	gone, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(gone, http.MethodGet, h.url+"/?part=totals", nil)
	h.must(err)
	left := make(chan error)
	go func() { _, err := h.viewer().client.Do(r); left <- err }()
	answered := make(chan answer)
	go func() { answered <- h.viewer().get("/?part=totals") }()
	h.sell(sale{code: "ANNA10", value: 100_00})
	h.viewer().get("/").is(http.StatusOK).says("100.00 USD")
	leave()
	if err := <-left; err == nil {
		t.Error("a part was made out of turn")
	}
	select {
	case <-answered:
		t.Error("a part was made out of turn")
	default:
	}
	for range cap(h.dashboard.parts) {
		<-h.dashboard.parts
	}
	(<-answered).is(http.StatusOK).says("100.00 USD")
	h.viewer().get("/sales.csv?part=x").is(http.StatusOK)
	if n := len(h.dashboard.parts); n != 0 {
		t.Errorf("%d turns are still taken", n)
	}
	if got := h.order("1001"); got.Conversion == nil || got.Conversion.Approval != affiliate.Approved {
		t.Errorf("the order is %+v", got)
	}
}

// TestLive_lost_race: a page says that it hears nothing, and when the connection is back it shows what happened
// meanwhile.
func TestLive_lost_race(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleViewer)
	b.open("/orders")
	b.connected()
	b.excuse("net::ERR_")
	h.deaf.Store(true)
	h.cutOff()
	b.says("The connection to the server is lost.")
	h.sell(sale{code: "ANNA10", value: 100_00})
	h.deaf.Store(false)
	b.saysNot("The connection to the server is lost.")
	b.says("#1001", "Anna Ahlers")
	b.at("/orders")
}

// TestLive_lists: lists with figures follow as well.
func TestLive_lists(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00})
	anna := creatorAddress(h.creator("Anna Ahlers").ID)
	b := h.browse(affiliate.RoleManager)
	sales := int64(100)
	for _, address := range []string{"/campaigns", "/creators", spring + "/offers", anna, anna + "/statement"} {
		b.open(address)
		b.connected()
		h.sell(sale{code: "ANNA10", value: 100_00})
		sales += 100
		balance := fmt.Sprintf("%d.00", sales/10)
		b.says(balance)
		b.until("something to light up", func() bool {
			var lit bool
			b.eval(`!!document.querySelector("[data-live] .changed")`, &lit)
			return lit
		})
	}
}
