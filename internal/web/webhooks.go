package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// registerWebhooks adds the endpoints that stores send to. They verify and keep; what a delivery means is for a worker.
func (s *Server) registerWebhooks(r *gin.Engine) {
	r.POST("/webhooks/:platform/:slug", func(c *gin.Context) {
		s.receive(c, affiliate.Platform(c.Param("platform")), c.Param("slug"))
	})
	// One address for an app installed in many shops: the shop is found by its header.
	r.POST("/webhooks/shopify", func(c *gin.Context) { s.receive(c, affiliate.Shopify, "") })
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// pooledBody is the largest buffer that is kept for another request.
const pooledBody = 256 << 10

// receive answers 2xx only when the delivery is committed. Nothing is parsed here, so a signed body is kept whatever is
// in it.
func (s *Server) receive(c *gin.Context, platform affiliate.Platform, slug string) {
	buffer := bodies.Get().(*bytes.Buffer)
	defer func() {
		if buffer.Cap() <= pooledBody {
			buffer.Reset()
			bodies.Put(buffer)
		}
	}()
	if err := readBody(c.Request, s.MaxBody, buffer); err != nil {
		s.refuseBody(c, platform, slug, err)
		return
	}
	receipt, err := s.Receiver.Receive(c.Request.Context(), platform, slug, c.Request.Header, buffer.Bytes())
	switch receipt {
	case app.ReceiptKept, app.ReceiptPing:
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
	case app.ReceiptUnknownStore:
		detail := "No store is connected under this address. Compare it with the webhook address that \"tributary store list\" shows."
		if slug == "" {
			detail = "No store is connected with the shop in X-Shopify-Shop-Domain."
		}
		writeProblem(c, http.StatusNotFound, codeUnknownStore, "", detail)
	case app.ReceiptBadSignature:
		writeProblem(c, http.StatusUnauthorized, codeBadSignature, "",
			"The signature does not fit the body: the secret in the store differs from the one that was set here.")
	default:
		s.Log.Error("delivery not kept", "platform", platform, "store", slug, "error", err)
		writeProblem(c, http.StatusServiceUnavailable, string(affiliate.Unavailable), "", "The delivery could not be kept; send it again.")
	}
}

// refuseBody answers a request whose body is too large or broke off.
func (s *Server) refuseBody(c *gin.Context, platform affiliate.Platform, slug string, err error) {
	c.Header("Connection", "close") // the rest of the body is not read
	if errors.Is(err, errTooLarge) {
		s.Receiver.Refuse(c.Request.Context(), platform, slug, c.Request.Header, app.ReceiptTooLarge)
		writeProblem(c, http.StatusRequestEntityTooLarge, codeTooLarge, "", "The body is larger than MAX_BODY_BYTES allows.")
		return
	}
	s.Receiver.Refuse(c.Request.Context(), platform, slug, c.Request.Header, app.ReceiptUnreadable)
	writeProblem(c, http.StatusBadRequest, codeUnreadable, "", "The body broke off before its end.")
}

// announced bounds what is set aside for a body before any of it has come: whoever asks is not known yet.
const announced = 32 << 10

var errTooLarge = errors.New("body too large")

// readBody reads the raw body. A length that is announced as too large is refused before a byte of it is read, so that
// a client that waits for "100 Continue" never sends it.
func readBody(r *http.Request, most int64, into *bytes.Buffer) error {
	if r.ContentLength > most {
		return errTooLarge
	}
	if r.ContentLength > 0 {
		into.Grow(int(min(r.ContentLength, announced)) + bytes.MinRead)
	}
	n, err := into.ReadFrom(io.LimitReader(r.Body, most+1))
	if err != nil {
		return err
	}
	if n > most {
		return errTooLarge
	}
	return nil
}
