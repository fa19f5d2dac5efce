package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// registerWebhooks adds the endpoints that stores send to. They verify and keep; what a delivery means is for a worker.
func (s *Server) registerWebhooks(r *gin.Engine) {
	r.POST("/webhooks/:platform/:slug", func(c *gin.Context) {
		s.receive(c, affiliate.Platform(c.Param("platform")), c.Param("slug"))
	})
	for _, g := range s.App.Platforms.Guides() {
		if g.ShopHeader != "" { // one address for an app installed in many shops, each found by its header
			r.POST("/webhooks/"+string(g.Platform), func(c *gin.Context) { s.receive(c, g.Platform, "") })
		}
	}
	if s.App.PayPal != nil {
		r.POST("/webhooks/"+string(affiliate.RailPayPal), func(c *gin.Context) {
			s.hearPayouts(c, affiliate.RailPayPal)
		})
	}
}

// tidyWebhooks lets webhook addresses work that were typed with a slash at the end or with two slashes in a row. A
// redirect would not do: stores take one for a failed delivery.
func tidyWebhooks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; r.Method == http.MethodPost && (strings.HasSuffix(p, "/") || strings.Contains(p, "//")) {
			if p = path.Clean(p); strings.HasPrefix(p, "/webhooks/") {
				tidied := *r
				tidied.URL = &url.URL{Path: p, RawQuery: r.URL.RawQuery}
				r = &tidied
			}
		}
		next.ServeHTTP(w, r)
	})
}

// receive answers 2xx only when the delivery is committed. Nothing is parsed here, so a signed body is kept whatever is
// in it. What is for no store of ours is refused before a byte of its body is read.
func (s *Server) receive(c *gin.Context, platform affiliate.Platform, slug string) {
	known, err := s.Receiver.Knows(c.Request.Context(), platform, slug, c.Request.Header)
	if err != nil || !known {
		s.hangUp(c)
		s.answerReceipt(c, platform, slug, receiptOfUnknown(err), err)
		return
	}
	body, err := s.unverified.read(c, s.MaxBody)
	defer body.release()
	if err != nil {
		s.refuseBody(c, platform, slug, err)
		return
	}
	receipt, err := s.Receiver.Receive(c.Request.Context(), platform, slug, c.Request.Header, body.b)
	s.answerReceipt(c, platform, slug, receipt, err)
}

func receiptOfUnknown(err error) app.Receipt {
	if err != nil {
		return app.ReceiptUnavailable
	}
	return app.ReceiptUnknownStore
}

// hangUpTime is how long what remains of a refused body is passed over: who sends it reads no answer before.
const hangUpTime = 2 * time.Second

// hangUp ends the connection after the answer: the body is not read.
func (s *Server) hangUp(c *gin.Context) {
	c.Header("Connection", "close")
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(hangUpTime)) // else the server's own holds
}

// answerReceipt says what became of a delivery.
func (s *Server) answerReceipt(c *gin.Context, platform affiliate.Platform, slug string, receipt app.Receipt,
	err error) {
	switch receipt {
	case app.ReceiptUnknownStore, app.ReceiptBadSignature, app.ReceiptOtherShop:
		s.App.Refused(app.RefusedDelivery, c.ClientIP(), "reason", receipt, "platform", platform, "store", slug)
	}
	shopHeader := s.App.Platforms.Guide(platform).ShopHeader
	switch receipt {
	case app.ReceiptKept, app.ReceiptPing:
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
	case app.ReceiptUnknownStore:
		detail := "No store is connected under this address. Compare it with the webhook address that \"tributary " +
			"store list\" shows."
		if slug == "" {
			detail = "No store is connected with the shop in " + shopHeader + "."
		}
		writeProblem(c, CodeUnknownStore, "", detail)
	case app.ReceiptBadSignature:
		writeProblem(c, CodeBadSignature, "",
			"The signature does not fit the body: the secret in the store differs from the one that was set here.")
	case app.ReceiptOtherShop:
		writeProblem(c, CodeOtherShop, "", shopHeader+" names a shop that is not the one "+
			"connected under this address: send each shop's deliveries to its own address.")
	default:
		if storage.IsUnwritable(err) {
			s.refuseUnwritable(c)
			return
		}
		s.faults.Log(s.Log, slog.LevelError, "", "delivery not kept", "platform", platform, "store", slug, "error", err)
		writeProblem(c, string(affiliate.Unavailable), "",
			"The delivery could not be kept; send it again.")
	}
}

// refuseUnwritable answers a delivery that nothing is wrong with while nothing new can be kept. Some platforms send it
// again; others do not, and switch a webhook off after some failures in a row.
func (s *Server) refuseUnwritable(c *gin.Context) {
	p := NewProblem(storage.CodeNotWritable, "",
		"The delivery could not be kept, for the server has no room; send it again.")
	p.RetryAfter = retryWriting
	AnswerProblem(c, p)
}

// refuseBody answers a request whose body is too large, broke off, or found no room.
func (s *Server) refuseBody(c *gin.Context, platform affiliate.Platform, slug string, err error) {
	s.hangUp(c)
	if errors.Is(err, errTooLarge) {
		s.Receiver.Refuse(c.Request.Context(), platform, slug, c.Request.Header, app.ReceiptTooLarge)
		writeProblem(c, CodeTooLarge, "",
			"The body is larger than MAX_BODY_BYTES allows.")
		return
	}
	if errors.Is(err, errTooMany) {
		s.Receiver.Refuse(c.Request.Context(), platform, slug, c.Request.Header, app.ReceiptUnavailable)
		writeProblem(c, string(affiliate.Unavailable), "",
			"Too many deliveries come in at once; send it again.")
		return
	}
	s.Receiver.Refuse(c.Request.Context(), platform, slug, c.Request.Header, app.ReceiptUnreadable)
	writeProblem(c, CodeUnreadable, "", "The body broke off before its end.")
}
