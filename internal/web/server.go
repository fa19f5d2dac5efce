// Package web is what answers HTTP: the receiver of webhooks, the links, the status, live events, and what the JSON API
// (package api) and the pages (package dashboard) share: who asks, problem documents, downloads.
// Handlers are thin: they read the request, call one function of app (or read from storage) and answer.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/live"
	"github.com/tributaryhq/tributary/internal/storage"
)

// APIPrefix is the path below which the JSON API is.
const APIPrefix = "/api/v1"

// Server holds the parts that the handlers need. All fields are set before Handler is called.
type Server struct {
	App     *app.App
	Log     *slog.Logger
	Version string
	// TrustedProxies are addresses and ranges whose X-Forwarded-For is believed; none when empty.
	TrustedProxies []string
	// MaxBody is the largest body of a delivery, in bytes.
	MaxBody int64
	// MaxUnverified is how many bytes of deliveries may be in memory at once; 0 means the constant of this name.
	MaxUnverified int64
	// Receiver and Links serve the role receiver; they are nil in a process without it.
	Receiver *app.Receiver
	Links    *app.Links
	// API adds the routes of the JSON API, and live events with them; nil in a process without the role web.
	API interface {
		Register(*gin.Engine)
		// Tables leads requests for a list, from whoever prefers it as a file, to the file's own address.
		Tables(http.Handler) http.Handler
	}
	Hub      *live.Hub
	Queue    *jobs.Queue
	Counters *app.Counters
	// Pulses are those of the work of this process, by what cannot be done while one has stopped.
	Pulses map[string]func() app.Beat
	// Pages adds the routes of the dashboard, and tells people that there is no page at an address; nil in a process
	// without it.
	Pages interface {
		Register(*gin.Engine) error
		NotFound(*gin.Context)
	}
	// Limiter bounds the requests to the API; nil leaves them unbounded.
	Limiter *Limiter
	// StatusNeedsToken keeps the status and the metrics for those who hold a token. What answers load balancers says
	// one word, to anybody.
	StatusNeedsToken bool

	unverified  *unverified // bodies of deliveries whose sender is not known yet
	orderCounts Shared[map[affiliate.OrderStatus]int64]
	doubtCounts Shared[map[affiliate.StoreID]storage.DoubtCount]
	faults      app.Seldom
	statuses    Shared[Status] // of strangers
	tlsHost     string         // of PUBLIC_URL, when that is https
}

// Handler builds the routes.
func (s *Server) Handler() (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	r.UseRawPath = true
	if err := r.SetTrustedProxies(s.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	if u, err := url.Parse(s.App.PublicURL); err == nil && u.Scheme == "https" {
		s.tlsHost = u.Host
	}
	r.Use(s.recover)
	r.Use(s.onlyByTLS)
	if s.Receiver != nil {
		s.unverified = newUnverified(s.MaxUnverified)
		s.registerWebhooks(r) // before the headers for browsers: stores need none, and the receiver feels them
	}
	r.Use(securityHeaders, neverKept, s.bound)
	if s.API != nil {
		r.Use(s.identify)
	}
	r.NoRoute(func(c *gin.Context) {
		if s.Pages != nil && c.Request.Method == http.MethodGet && !strings.HasPrefix(c.Request.URL.Path,
			APIPrefix+"/") &&
			strings.Contains(c.GetHeader("Accept"), "text/html") {
			s.Pages.NotFound(c)
			return
		}
		writeProblem(c, "not_found", "", "There is nothing at this address.")
	})
	r.NoMethod(func(c *gin.Context) {
		writeProblem(c, CodeMethodNotAllowed, "",
			"This address does not answer "+c.Request.Method+".")
	})
	s.registerStatus(r)
	registerProblemPage(r)
	s.registerUnsubscribe(r)
	if s.Receiver != nil {
		s.registerRedirects(r)
	}
	if s.API != nil {
		s.API.Register(r)
		s.registerLive(r)
		s.registerConnect(r)
	}
	if s.Pages != nil {
		if err := s.Pages.Register(r); err != nil {
			return nil, err
		}
	}
	handler := http.Handler(r)
	if s.API != nil {
		handler = s.API.Tables(handler)
	}
	if s.Receiver != nil {
		handler = tidyWebhooks(handler)
	}
	return handler, nil
}

// recover turns a panic into a problem document, so that one bad request harms no other, and logs where it happened.
func (s *Server) recover(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler {
			panic(p)
		}
		problem := NewProblem(CodeInternal, "", InternalDetail).ourFault()
		s.Log.Error("panic", "method", c.Request.Method, "path", c.FullPath(), "instance", problem.Instance, "panic", p,
			"stack", string(debug.Stack()))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler) // the answer has begun: cut it off rather than end it as if it were whole
		}
		AnswerProblem(c, problem)
	}()
	c.Next()
}

// requestLimit bounds what a request may wait for: whoever asks has gone away by then, and what hangs must not pile up.
const requestLimit = time.Minute

// bound gives a request a limit. Live events have no end, and exports and imports may take as long as they need.
func (s *Server) bound(c *gin.Context) {
	path := c.Request.URL.Path
	if strings.HasSuffix(path, "/live") || strings.HasSuffix(path, ".csv") || strings.HasSuffix(path, ".xlsx") ||
		strings.Contains(path, "/import") {
		return
	}
	limitRequest(c, requestLimit)
}

// limitRequest runs the rest of a request within a limit.
func limitRequest(c *gin.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), limit)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// securityHeaders go out with every answer. Pages may loosen the policy for themselves.
func securityHeaders(c *gin.Context) {
	h := c.Writer.Header()
	h["X-Content-Type-Options"] = noSniff
	h["Content-Security-Policy"] = strictPolicy
	h["Referrer-Policy"] = noReferrer
	h["X-Frame-Options"] = denyFrames
	c.Next()
}

// neverKept tells browsers and whatever is between to keep no answer of the API or about the server's state, nor that
// something went wrong. Callers may keep an answer with its ETag themselves: they ask with it, and no cache is needed.
func neverKept(c *gin.Context) {
	if p := c.Request.URL.Path; strings.HasPrefix(p, APIPrefix+"/") || p == statusPath || p == metricsPath {
		c.Writer.Header()["Cache-Control"] = noStore
	}
	c.Next()
}

// onlyByTLS tells browsers that reached this server by TLS to do so for a year. Whether they did is known from the
// connection, or from PUBLIC_URL for the host in it: other names of this server may have no certificate.
func (s *Server) onlyByTLS(c *gin.Context) {
	if c.Request.TLS != nil || s.tlsHost != "" && strings.EqualFold(c.Request.Host, s.tlsHost) {
		c.Writer.Header()["Strict-Transport-Security"] = oneYear
	}
	c.Next()
}

// Shared header values: setting them allocates nothing, which the receiver feels.
var (
	noSniff      = []string{"nosniff"}
	strictPolicy = []string{"default-src 'none'; frame-ancestors 'none'"}
	noReferrer   = []string{"no-referrer"}
	denyFrames   = []string{"DENY"}
	noStore      = []string{"no-store"}
	oneYear      = []string{"max-age=31536000"}
)
