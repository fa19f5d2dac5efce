package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fair"
	"github.com/tributaryhq/tributary/internal/live"
)

const LivePath = APIPrefix + "/live"

func (s *Server) registerLive(r *gin.Engine) {
	r.GET(LivePath, s.requirePermission(affiliate.MayRead), s.live)
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
	Stream(c, s.Hub, 0, nil, func(b *live.Batch) string { return b.Text(liveEvents) })
}

// livePatience is how long a reader may take none of what is written before it is disconnected.
const livePatience = 10 * time.Second

// clockSkew is by how much the clocks of two servers may differ: one makes a page, the other tells it of changes.
const clockSkew = 2 * time.Second

// PagePause is how long an open page is told nothing after it was told something: hundreds of pages would else take
// from the intake what telling each of them of each batch costs. What changes meanwhile is told at its end, at once.
const PagePause = 300 * time.Millisecond

// streamShare is how long a stream rests for each that is open: however many there are, so many pieces are written in a
// second, or deliveries would wait for them. Few streams do not rest.
const (
	streamShare = 200 * time.Microsecond
	fewStreams  = 10
)

// Stream sends what changes as server-sent events, until the reader goes; events writes a batch, and nothing where it
// does not concern the reader. It is not asked about batches with none of the words in them, unless words is nil.
// Between two writes there is at least pause; what is the same by then is told once. The reader fetches what it shows.
// A reader that falls behind is disconnected and fetches everything anew when it returns. The parameter since, in
// milliseconds, is when the reader began to read what it shows: the event "missed" tells it that there were changes
// before it listened. Each caller may have a few streams; more are refused by a problem document.
func Stream(c *gin.Context, hub *live.Hub, pause time.Duration, words []string, events func(*live.Batch) string) {
	reader, why := hub.Subscribe(app.Asker(c.Request.Context()).ID, words)
	switch why {
	case fair.TooMany:
		AnswerProblem(c, TooManyAtOnce(fmt.Sprintf("You have %d live streams or pages open; more are not told of "+
			"changes. Close some of them.", live.MostReadersEach)))
		return
	case fair.Full:
		AnswerProblem(c, TooManyAtOnce(fmt.Sprintf("%d live streams or pages are open at this server; more are not "+
			"told of changes. Try again later.", live.MostReaders)))
		return
	}
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
	ready := reader.Ready()
	var rested <-chan time.Time
	for {
		select {
		case <-ready:
			batches, open := reader.Take()
			if !open {
				return
			}
			text := toldOnce(batches, events)
			if text == "" {
				continue
			}
			if !write(text) {
				return
			}
			if rest := max(pause, restFor(hub.Readers())); rest > 0 {
				ready, rested = nil, time.After(rest) // what comes meanwhile waits without waking anybody
			}
		case <-rested:
			ready, rested = reader.Ready(), nil
		case <-beat.C:
			if !write(": beat\n\n") {
				return
			}
		case <-c.Request.Context().Done():
			return
		}
	}
}

// restFor is how long a stream rests when so many are open.
func restFor(streams int) time.Duration {
	if streams <= fewStreams {
		return 0
	}
	return time.Duration(streams) * streamShare
}

// toldOnce writes batches; what is the same in several of them is written once.
func toldOnce(batches []*live.Batch, events func(*live.Batch) string) string {
	if len(batches) == 1 {
		return events(batches[0])
	}
	var all strings.Builder
	told := map[string]bool{"": true}
	for _, b := range batches {
		if text := events(b); !told[text] {
			told[text] = true
			all.WriteString(text)
		}
	}
	return all.String()
}

// Event writes a server-sent event. The data is one line, and not empty: browsers pass over events without data.
func Event(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// liveEvents writes changes as at most one event of each kind: "orders" names orders, "deliveries" the stores whose
// deliveries came, were turned away or were processed; "figures" says that all figures changed.
func liveEvents(changes []affiliate.Change) string {
	var orders, stores []LiveChange
	figures := ""
	for _, ch := range changes {
		if ch.Figures {
			figures = Event(live.Figures, "all")
			continue
		}
		if ch.Account {
			continue // it changes no order
		}
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
	return liveEvent("orders", orders) + liveEvent("deliveries", stores) + figures
}

func liveEvent(name string, list []LiveChange) string {
	if len(list) == 0 {
		return ""
	}
	text, _ := json.Marshal(list) // ids and times always marshal
	return Event(name, string(text))
}
