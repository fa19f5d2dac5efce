package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
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
	// One address for an app installed in many shops: the shop is found by its header.
	r.POST("/webhooks/shopify", func(c *gin.Context) { s.receive(c, affiliate.Shopify, "") })
}

// tidyWebhooks lets webhook addresses work that were typed with a slash at the end or with two slashes in a row. A
// redirect would not do: both platforms take one for a failed delivery.
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
	large, err := s.readBody(c, buffer)
	if large {
		defer func() { <-s.largeBodies }()
	}
	if err != nil {
		s.refuseBody(c, platform, slug, err)
		return
	}
	receipt, err := s.Receiver.Receive(c.Request.Context(), platform, slug, c.Request.Header, buffer.Bytes())
	switch receipt {
	case app.ReceiptKept, app.ReceiptPing:
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
	case app.ReceiptUnknownStore:
		detail := "No store is connected under this address. Compare it with the webhook address that \"tributary " +
			"store list\" shows."
		if slug == "" {
			detail = "No store is connected with the shop in X-Shopify-Shop-Domain."
		}
		writeProblem(c, http.StatusNotFound, codeUnknownStore, "", detail)
	case app.ReceiptBadSignature:
		writeProblem(c, http.StatusUnauthorized, codeBadSignature, "",
			"The signature does not fit the body: the secret in the store differs from the one that was set here.")
	case app.ReceiptOtherShop:
		writeProblem(c, http.StatusForbidden, codeOtherShop, "", "X-Shopify-Shop-Domain names a shop that is not the "+
			"one connected under this address: send each shop's deliveries to its own address.")
	default:
		if storage.IsUnwritable(err) {
			s.refuseUnwritable(c)
			return
		}
		s.Log.Error("delivery not kept", "platform", platform, "store", slug, "error", err)
		writeProblem(c, http.StatusServiceUnavailable, string(affiliate.Unavailable), "",
			"The delivery could not be kept; send it again.")
	}
}

// refuseUnwritable answers a delivery that nothing is wrong with while nothing new can be kept. Shopify sends it again
// for about four hours. WooCommerce does not, and switches a webhook off after more than five failures in a row.
func (s *Server) refuseUnwritable(c *gin.Context) {
	p := newProblem(http.StatusServiceUnavailable, storage.CodeNotWritable, "",
		"The delivery could not be kept, for the server has no room; send it again.")
	p.retryAfter = retryWriting
	answerProblem(c, p)
}

// refuseBody answers a request whose body is too large, broke off, or is one large body too many at once.
func (s *Server) refuseBody(c *gin.Context, platform affiliate.Platform, slug string, err error) {
	c.Header("Connection", "close") // the rest of the body is not read
	if errors.Is(err, errTooLarge) {
		s.Receiver.Refuse(c.Request.Context(), platform, slug, c.Request.Header, app.ReceiptTooLarge)
		writeProblem(c, http.StatusRequestEntityTooLarge, codeTooLarge, "",
			"The body is larger than MAX_BODY_BYTES allows.")
		return
	}
	if errors.Is(err, errTooMany) {
		s.Receiver.Refuse(c.Request.Context(), platform, slug, c.Request.Header, app.ReceiptUnavailable)
		writeProblem(c, http.StatusServiceUnavailable, string(affiliate.Unavailable), "",
			"Too many large bodies come in at once; send it again.")
		return
	}
	s.Receiver.Refuse(c.Request.Context(), platform, slug, c.Request.Header, app.ReceiptUnreadable)
	writeProblem(c, http.StatusBadRequest, codeUnreadable, "", "The body broke off before its end.")
}

// announced bounds what is set aside for a body before any of it has come: whoever asks is not known yet. For the same
// reason few bodies beyond largeBody are read at once, or strangers could fill the memory: a delivery so large is an
// order of thousands of lines.
const (
	announced       = 32 << 10
	largeBody       = 1 << 20
	mostLargeBodies = 16
)

var (
	errTooLarge = errors.New("body too large")
	errTooMany  = errors.New("too many large bodies")
)

// readBody reads the raw body. A length that is announced as too large is refused before a byte of it is read, so that
// a client that waits for "100 Continue" never sends it. large says that the body has a place among the large ones,
// which the caller gives back.
func (s *Server) readBody(c *gin.Context, into *bytes.Buffer) (large bool, err error) {
	r := c.Request
	if r.ContentLength > s.MaxBody {
		return false, errTooLarge
	}
	if r.ContentLength > 0 {
		into.Grow(int(min(r.ContentLength, announced)) + bytes.MinRead)
	}
	n, err := into.ReadFrom(io.LimitReader(r.Body, min(s.MaxBody, largeBody)+1))
	if err == nil && n > largeBody && n <= s.MaxBody {
		if !s.takeLarge(r.Context()) {
			return false, errTooMany
		}
		large = true
		connection := http.NewResponseController(c.Writer)
		_ = connection.SetReadDeadline(time.Now().Add(largeRead)) // without one the server's own holds
		var rest int64
		rest, err = into.ReadFrom(io.LimitReader(r.Body, s.MaxBody+1-n))
		n += rest
		_ = connection.SetReadDeadline(time.Time{})
	}
	if err == nil && n > s.MaxBody {
		err = errTooLarge
	}
	return large, err
}

// largeWait is how long a large body waits for its place: WooCommerce waits a minute for an answer and never sends
// again. largeRead is how long a body may keep its place: less, so that whoever sends slowly on purpose turns nobody
// away.
const (
	largeWait = 40 * time.Second
	largeRead = 20 * time.Second
)

// takeLarge waits for a place among the large bodies; false when none became free in time.
func (s *Server) takeLarge(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, largeWait)
	defer cancel()
	select {
	case s.largeBodies <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
