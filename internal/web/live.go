package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

func (s *Server) registerLive(r *gin.Engine) {
	r.GET(apiPrefix+"/live", s.requirePermission(affiliate.MayRead), s.live)
}

// LiveChange is one order that changed, as the stream of events names it.
type LiveChange struct {
	Store      string    `json:"store"`
	Order      string    `json:"order"`
	Campaign   string    `json:"campaign,omitempty"`
	ReceivedAt time.Time `json:"received_at,omitzero"` // when the delivery that changed it came in
}

// liveBeat keeps proxies from closing a quiet stream.
const liveBeat = 15 * time.Second

// live streams what changes as server-sent events: each names orders, the reader fetches what it shows. A reader that
// falls behind is disconnected and fetches everything anew when it returns.
func (s *Server) live(c *gin.Context) {
	reader := s.Hub.Subscribe()
	defer reader.Close()
	control := http.NewResponseController(c.Writer)
	_ = control.SetWriteDeadline(time.Time{}) // this answer has no end
	c.Header("Content-Type", "text/event-stream")
	c.Header("Cache-Control", "no-store")
	c.Header("X-Accel-Buffering", "no")
	write := func(text string) bool {
		if _, err := c.Writer.WriteString(text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	if !write("retry: 2000\n\n") {
		return
	}
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	for {
		select {
		case changes, open := <-reader.C:
			if !open || !write("event: orders\ndata: "+liveData(changes)+"\n\n") {
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

func liveData(changes []app.Change) string {
	list := make([]LiveChange, len(changes))
	for i, ch := range changes {
		list[i] = LiveChange{Store: ch.Store.String(), Order: ch.Order.String(), ReceivedAt: ch.ReceivedAt}
		if ch.Campaign != 0 {
			list[i].Campaign = ch.Campaign.String()
		}
	}
	text, _ := json.Marshal(list) // ids and times always marshal
	return string(text)
}
