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
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/live"
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

// manyPages lets some people have so many pages open, none of which takes what it is sent.
func (h *house) manyPages(users, each int) {
	h.Helper()
	for n := range users {
		v := h.nobody()
		email := fmt.Sprintf("reader%d@northwind.example", n)
		_, err := h.app.AddUser(h.as(affiliate.RoleOwner), affiliate.User{Name: "Reader", Email: email,
			Role: affiliate.RoleViewer}, password)
		h.must(err)
		v.signIn(email)
		for range each {
			c := h.raw(fmt.Sprintf("GET /live?words=orders+deliveries HTTP/1.1\r\nHost: t\r\nCookie: %s=%s\r\n\r\n",
				sessionCookie, v.cookie(sessionCookie)))
			if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200 OK") {
				h.Fatalf("an open page is answered %q, %v", line, err)
			}
		}
	}
}

// TestAttack_streamsOfOne_race: somebody who opens page after page is refused the live streams of more than dozens;
// what they show still answers, and others are told of changes as before.
func TestAttack_streamsOfOne_race(t *testing.T) {
	h := newHouse(t)
	cookie := h.viewer().cookie(sessionCookie)
	refused := 0
	for range attack.Size(100, 1500) {
		c := h.raw("GET /live?words=orders HTTP/1.1\r\nHost: t\r\nCookie: " + sessionCookie + "=" + cookie + "\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		h.must(err)
		if answer.StatusCode == http.StatusTooManyRequests {
			refused++
			if answer.Header.Get("Retry-After") == "" {
				t.Fatal("refused without Retry-After")
			}
		}
	}
	if want := attack.Size(100, 1500) - live.MostReadersEach; refused != want {
		t.Errorf("%d streams of one person were refused, want %d", refused, want)
	}
	lines := h.manager().listen("words=cmp_1")
	h.sell(sale{code: "ANNA10", value: 100_00})
	if got := h.event(lines); got != "changed cmp_1" {
		t.Errorf("somebody else hears %q", got)
	}
	h.viewer().get("/?part=totals").is(http.StatusOK).says("100.00 USD")
}

// TestLive_manyPages_race: 500 open pages of many people, none of which takes what it is sent, hold up neither what
// comes in nor a page that does listen.
func TestLive_manyPages_race(t *testing.T) {
	h := newHouse(t)
	h.manyPages(10, live.MostReadersEach)
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
	letGo := h.takeTurns()
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
	letGo()
	(<-answered).is(http.StatusOK).says("100.00 USD")
	h.viewer().get("/sales.csv?part=x").is(http.StatusOK)
	h.turnsOver()
	if got := h.order("1001"); got.Conversion == nil || got.Conversion.Approval != affiliate.Approved {
		t.Errorf("the order is %+v", got)
	}
}

// takeTurns takes all turns there are, until they are given back.
func (h *house) takeTurns() (giveBack func()) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), time.Second/10)
	defer cancel()
	turns := 0
	for h.dashboard.parts.Take(ctx, "test") == nil {
		turns++
	}
	return func() {
		for range turns {
			h.dashboard.parts.Done()
		}
	}
}

// turnsOver fails if somebody still has a turn to make a part of a page.
func (h *house) turnsOver() {
	h.Helper()
	end := time.Now().Add(patience)
	for taken, waiting := h.dashboard.parts.Busy(); taken+waiting > 0; taken, waiting = h.dashboard.parts.Busy() {
		if time.Now().After(end) {
			h.Errorf("%d turns are still taken, and %d waited for", taken, waiting)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// raw sends a request as it is written, of which the body may never come, and gives the connection.
func (h *house) raw(text string) net.Conn {
	h.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	h.must(err)
	h.Cleanup(func() { c.Close() })
	_, err = fmt.Fprint(c, text)
	h.must(err)
	return c
}

// TestAttack_turns_race: neither strangers nor people who announce bodies that they do not send, nor readers who take
// nothing of an answer, keep a turn to make a part of a page.
func TestAttack_turns_race(t *testing.T) {
	h := newHouse(t)
	h.viewer()
	signedIn := "Cookie: " + sessionCookie + "=" + h.viewer().cookie(sessionCookie) + "\r\n"
	form := "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n"
	for range attack.Size(20, 500) {
		for _, begin := range []string{
			"POST /sign-in?part=x HTTP/1.1\r\nHost: t\r\n" + form,
			"POST /welcome?part=x HTTP/1.1\r\nHost: t\r\n" + form,
			"POST /account?part=x HTTP/1.1\r\nHost: t\r\n" + signedIn + form,
			"GET /?part=totals HTTP/1.1\r\nHost: t\r\n" + signedIn + form,
			"GET /live?words=orders&part=x HTTP/1.1\r\nHost: t\r\n" + signedIn + "\r\n",
			strings.Repeat("GET /?part=totals HTTP/1.1\r\nHost: t\r\n"+signedIn+"\r\n", 5), // nobody reads the answers
		} {
			h.raw(begin)
		}
	}
	h.manager().get("/?part=totals").is(http.StatusOK)
	h.turnsOver()
}

// TestAttack_turnsOfOne_race: somebody who asks for hundreds of parts at once does not make others wait for all of
// them, and is told when it is too much.
func TestAttack_turnsOfOne_race(t *testing.T) {
	h := newHouse(t)
	h.viewer()
	manager := h.manager()
	parts := h.dashboard.parts
	letGo := h.takeTurns()
	request := "GET /?part=totals HTTP/1.1\r\nHost: t\r\nCookie: " + sessionCookie + "=" +
		h.viewer().cookie(sessionCookie) + "\r\n\r\n"
	for range partsWaiting {
		h.raw(request)
	}
	for _, waiting := parts.Busy(); waiting < partsWaiting; _, waiting = parts.Busy() {
		time.Sleep(time.Millisecond)
	}
	if a := h.viewer().get("/?part=totals").is(http.StatusTooManyRequests); a.header.Get("Retry-After") == "" {
		t.Error("one part too many is refused without Retry-After")
	}
	answered := make(chan answer)
	go func() { answered <- manager.get("/?part=totals") }()
	for _, waiting := parts.Busy(); waiting <= partsWaiting; _, waiting = parts.Busy() {
		time.Sleep(time.Millisecond)
	}
	letGo()
	(<-answered).is(http.StatusOK)
	if _, waiting := parts.Busy(); waiting < partsWaiting/2 {
		t.Errorf("%d of the viewer's parts wait, want most of %d: the manager waited for them", waiting, partsWaiting)
	}
	h.cutOff()
	h.turnsOver()
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

// TestLive_refused_race: a page whose events are refused says so, still follows by and by, and hears of changes again
// when others have closed theirs.
func TestLive_refused_race(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleViewer)
	viewer := h.user(affiliate.RoleViewer).ID.String()
	var taken []*live.Reader
	for range live.MostReadersEach {
		r, _ := h.dashboard.Hub.Subscribe(viewer, []string{})
		taken = append(taken, r)
	}
	b.excuse("429")
	b.open("/orders")
	b.says("you may have too many pages open")
	for _, r := range taken {
		r.Close()
	}
	h.sell(sale{code: "ANNA10", value: 100_00})
	b.says("#1001", "Anna Ahlers")
	b.saysNot("you may have too many pages open")
	b.connected()
}

// staysLit halts the clock by which what changed fades.
func (b *tab) staysLit() { b.eval(`Date.now = () => 1000`) }

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
		b.staysLit()
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
