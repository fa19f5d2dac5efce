package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/live"
)

const livePath = apiPrefix + "/live"

func (s *Server) registerLive(r *gin.Engine) {
	r.GET(livePath, s.requirePermission(affiliate.MayRead), s.live)
}

// LiveChange is one order that changed, as the stream of events names it. The event "deliveries" names stores alone.
type LiveChange struct {
	Store      string    `json:"store"`
	Order      string    `json:"order,omitempty"`
	Campaign   string    `json:"campaign,omitempty"`
	ReceivedAt time.Time `json:"received_at,omitzero"` // when the delivery that changed it came in
}

// liveBeat keeps proxies from closing a quiet stream.
const liveBeat = 15 * time.Second

func (s *Server) live(c *gin.Context) {
	Stream(c, s.Hub, 0, func(b *live.Batch) string { return liveEvents(b.Changes) })
}

// livePatience is how long a reader may take none of what is written before it is disconnected.
const livePatience = 10 * time.Second

// clockSkew is by how much the clocks of two servers may differ: one makes a page, the other tells it of changes.
const clockSkew = 2 * time.Second

// PagePause is how long an open page is told nothing after it was told something: hundreds of pages would else take
// from the intake what telling each of them of each batch costs. What changes meanwhile is told at its end, at once.
const PagePause = 300 * time.Millisecond

// Stream sends what changes as server-sent events, until the reader goes; events writes a batch, and nothing where it
// does not concern the reader. Between two writes there is at least pause; what is the same by then is told once. The
// reader fetches what it shows. A reader that falls behind is disconnected and fetches everything anew when it returns.
// The parameter since, in milliseconds, is when the reader began to read what it shows: the event "missed" tells it
// that there were changes before it listened.
func Stream(c *gin.Context, hub *live.Hub, pause time.Duration, events func(*live.Batch) string) {
	reader := hub.Subscribe()
	defer reader.Close()
	control := http.NewResponseController(c.Writer)
	c.Header("Content-Type", "text/event-stream")
	c.Header("Cache-Control", "no-store")
	c.Header("X-Accel-Buffering", "no")
	write := func(text string) bool {
		_ = control.SetWriteDeadline(time.Now().Add(livePatience)) // this answer has no end, but each piece of it has
		if _, err := c.Writer.WriteString(text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	begin := "retry: 2000\n\n"
	if since, err := strconv.ParseInt(c.Query("since"), 10, 64); err == nil &&
		hub.HeardSince(time.UnixMilli(since).Add(-clockSkew)) {
		begin += Event("missed", "all")
	}
	if !write(begin) {
		return
	}
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	var resting <-chan time.Time // nil while the reader may be told at once
	waiting := ""
	tell := func(text string) bool {
		if pause > 0 {
			resting = time.After(pause)
		}
		return write(text)
	}
	for {
		select {
		case batch, open := <-reader.C:
			if !open {
				return
			}
			text := events(batch)
			if resting != nil {
				if !strings.Contains(waiting, text) {
					waiting += text
				}
				continue
			}
			if text != "" && !tell(text) {
				return
			}
		case <-resting:
			resting = nil
			text := waiting
			if waiting = ""; text != "" && !tell(text) {
				return
			}
		case <-beat.C:
			if !write(": beat\n\n") {
				return
			}
		case <-c.Request.Context().Done():
			return
		}
	}
}

// Event writes a server-sent event. The data is one line, and not empty: browsers pass over events without data.
func Event(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// liveEvents writes changes as at most one event of each kind: "orders" names orders, "deliveries" the stores whose
// deliveries came, were turned away or were processed.
func liveEvents(changes []affiliate.Change) string {
	var orders, stores []LiveChange
	for _, ch := range changes {
		change := LiveChange{Store: ch.Store.String(), ReceivedAt: ch.ReceivedAt}
		if ch.Order == 0 {
			stores = append(stores, change)
			continue
		}
		change.Order = ch.Order.String()
		if ch.Campaign != 0 {
			change.Campaign = ch.Campaign.String()
		}
		orders = append(orders, change)
	}
	return liveEvent("orders", orders) + liveEvent("deliveries", stores)
}

func liveEvent(name string, list []LiveChange) string {
	if len(list) == 0 {
		return ""
	}
	text, _ := json.Marshal(list) // ids and times always marshal
	return Event(name, string(text))
}
