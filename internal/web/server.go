// Package web is what answers HTTP: the receiver of webhooks, the links, the status, the JSON API and the pages.
// Handlers are thin: they read the request, call one function of app (or read from storage) and answer.
package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/live"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Server holds the parts that the handlers need. All fields are set before Handler is called.
type Server struct {
	App     *app.App
	Log     *slog.Logger
	Version string
	// TrustedProxies are addresses and ranges whose X-Forwarded-For is believed; none when empty.
	TrustedProxies []string
	// MaxBody is the largest body of a delivery, in bytes.
	MaxBody int64
	// Receiver and Links serve the role receiver; they are nil in a process without it.
	Receiver *app.Receiver
	Links    *app.Links
	// API says whether this process has the role web: API and live events.
	API      bool
	Hub      *live.Hub
	Queue    *jobs.Queue
	Counters *app.Counters
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

	largeBodies chan struct{}  // places of the large bodies that are read at once
	statuses    Shared[Status] // of strangers
	orderCounts Shared[map[affiliate.OrderStatus]int64]
	doubtCounts Shared[map[affiliate.StoreID]storage.DoubtCount]
	tlsHost     string      // of PUBLIC_URL, when that is https
	downloads   Attachments // exports that run
	tablePaths  [][]string  // addresses of exports without their extension, in parts
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
		s.largeBodies = make(chan struct{}, mostLargeBodies)
		s.registerWebhooks(r) // before the headers for browsers: stores need none, and the receiver feels them
	}
	r.Use(securityHeaders, neverKept)
	if s.API {
		r.Use(s.identify)
	}
	r.NoRoute(func(c *gin.Context) {
		if s.Pages != nil && c.Request.Method == http.MethodGet && !strings.HasPrefix(c.Request.URL.Path,
			apiPrefix+"/") &&
			strings.Contains(c.GetHeader("Accept"), "text/html") {
			s.Pages.NotFound(c)
			return
		}
		writeProblem(c, http.StatusNotFound, "not_found", "", "There is nothing at this address.")
	})
	r.NoMethod(func(c *gin.Context) {
		writeProblem(c, http.StatusMethodNotAllowed, codeMethodNotAllowed, "",
			"This address does not answer "+c.Request.Method+".")
	})
	s.registerStatus(r)
	registerProblemPage(r)
	if s.Receiver != nil {
		s.registerRedirects(r)
	}
	if s.API {
		s.registerAPI(r)
		s.registerLive(r)
	}
	if s.Pages != nil {
		if err := s.Pages.Register(r); err != nil {
			return nil, err
		}
	}
	if s.Receiver == nil {
		return s.tables(r), nil
	}
	return tidyWebhooks(s.tables(r)), nil
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
		problem := newProblem(http.StatusInternalServerError, codeInternal, "", internalDetail).ourFault()
		s.Log.Error("panic", "method", c.Request.Method, "path", c.FullPath(), "instance", problem.Instance, "panic", p,
			"stack", string(debug.Stack()))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler) // the answer has begun: cut it off rather than end it as if it were whole
		}
		answerProblem(c, problem)
	}()
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
	if p := c.Request.URL.Path; strings.HasPrefix(p, apiPrefix+"/") || p == statusPath || p == metricsPath {
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
