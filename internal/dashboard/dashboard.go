// Package dashboard is the pages that people open in a browser: sign-in, onboarding, home, campaigns, orders, creators,
// stores and settings. They are made on the server and work without script; with it, parts of them follow what happens.
// Handlers are thin: they read the request, call one function of app (or read from storage), fill the struct of a page
// and render it.
package dashboard

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/live"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// Dashboard holds the parts that the pages need. All fields are set before Register is called.
type Dashboard struct {
	App     *app.App
	Log     *slog.Logger
	Hub     *live.Hub
	Version string
	Demo    bool // pages say that the sales are made up

	pages    *templates
	assets   *assets
	crossing *http.CrossOriginProtection

	attachments web.Attachments
	work        web.Shared[openWork]
	doubts      web.Shared[map[affiliate.StoreID]storage.DoubtCount]
	parts       chan struct{} // has room for the parts of pages that are made at once
}

// Register adds the routes of all pages.
func (d *Dashboard) Register(r *gin.Engine) (err error) {
	if d.assets, err = loadAssets(); err != nil {
		return fmt.Errorf("load the assets: %w", err)
	}
	if d.pages, err = loadTemplates(d.assets); err != nil {
		return fmt.Errorf("load the templates: %w", err)
	}
	d.crossing = http.NewCrossOriginProtection()
	d.parts = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	r.GET("/assets/:file", d.assets.serve)
	for _, route := range d.routes() {
		r.Handle(route.method, route.path, d.handle(route))
	}
	return nil
}

// access says who may open a route.
type access string

const (
	anybody  access = "anybody"  // also without signing in
	signedIn access = "signedIn" // whoever has signed in
)

// may is for those whose role has a permission.
func may(p affiliate.Permission) access { return access(p) }

// route is one line of the table of routes: what it is, and who may call it.
type route struct {
	method string
	path   string
	access access
	serve  func(*request) error
}

// routes are all pages and the forms on them.
func (d *Dashboard) routes() []route {
	var all []route
	for _, list := range [][]route{
		signInRoutes(), accountRoutes(), liveRoutes(), storeRoutes(), statusRoutes(), deliveryRoutes(), unownedRoutes(),
		importRoutes(), startRoutes(), settingsRoutes(), peopleRoutes(), tokenRoutes(), auditRoutes(), homeRoutes(),
		orderRoutes(),
		campaignRoutes(), performanceRoutes(), memberRoutes(), linkRoutes(), offerRoutes(), creatorRoutes(),
		payoutRoutes(), columnRoutes(),
	} {
		all = append(all, list...)
	}
	return all
}

func liveRoutes() []route {
	return []route{{http.MethodGet, "/live", signedIn, (*request).live}}
}

// live tells a page of changes that concern what it shows, which it names by words.
func (r *request) live() error {
	r.endTurn() // an answer without an end must not keep one
	shown := strings.Fields(r.Query("words"))
	web.Stream(r.Context, r.d.Hub, web.PagePause, func(b *live.Batch) string {
		var changed []string
		for _, word := range shown {
			if b.Words()[word] {
				changed = append(changed, word)
			}
		}
		if len(changed) == 0 {
			return ""
		}
		return web.Event("changed", strings.Join(changed, " "))
	})
	return nil
}

// Limits of what a browser may send.
const maxForm = 2 << 20

// handle wraps a route: headers, cross-origin protection, who asks, and what becomes of an error.
func (d *Dashboard) handle(route route) gin.HandlerFunc {
	return func(c *gin.Context) {
		r := &request{Context: c, d: d, began: time.Now()}
		pageHeaders(c.Writer.Header())
		if err := d.crossing.Check(c.Request); err != nil {
			r.fail(affiliate.Errorf(affiliate.Forbidden,
				"this form was sent by another site; open the page here and try again"))
			return
		}
		whole := c.Request.Body
		c.Request.Body = http.MaxBytesReader(c.Writer, whole, maxForm)
		if err := r.identify(); err != nil {
			r.fail(err)
			return
		}
		if !r.allowed(route) {
			return
		}
		if err := r.readForm(whole); err != nil {
			r.fail(err)
			return
		}
		if c.Query("part") != "" && !r.takeTurn() {
			return
		}
		defer r.endTurn()
		if err := route.serve(r); err != nil {
			r.fail(err)
		}
	}
}

// readForm reads a form at once: of one that is too large the fields would be missing, each for a reason of its own.
// What is left of it is read and dropped for whoever has signed in, or browsers, which send all before they read, would
// show that the connection broke instead of the answer.
func (r *request) readForm(whole io.Reader) error {
	if r.Request.Method != http.MethodPost {
		return nil
	}
	var tooLarge *http.MaxBytesError
	err := errors.Join(r.Request.ParseForm(), r.Request.ParseMultipartForm(maxForm))
	if !errors.As(err, &tooLarge) && r.Request.ContentLength <= maxForm {
		return nil // whoever reads it says what else is wrong
	}
	sent := r.Request.ContentLength
	if r.user.ID != 0 {
		rest, _ := io.Copy(io.Discard, io.LimitReader(whole, mostDropped)) // the answer is the same
		sent = max(sent, maxForm+rest)
	}
	size := "more"
	if sent > 0 {
		size = fmt.Sprintf("%.1f MB", float64(sent)/(1<<20))
	}
	return &affiliate.Error{Kind: affiliate.Invalid, Code: "too_large", Message: fmt.Sprintf("that is too much at "+
		"once: %s were sent, and a page takes %d MB. Divide the file into several, each with the line that names the "+
		"columns; or import it whole: up to %d MB by the command tributary import, up to %d MB by the API", size,
		maxForm>>20, app.MaxImport>>20, web.MaxImport>>20)}
}

// mostDropped is more than anybody sends by mistake.
const mostDropped = 64 << 20

// takeTurn waits until a part of a page may be made. Hundreds of open pages ask for theirs whenever a sale comes in:
// they share half of the processors, so that sales keep coming in at full speed. It says false when the page has gone.
func (r *request) takeTurn() bool {
	select {
	case r.d.parts <- struct{}{}:
		r.turn = true
		return true
	case <-r.Request.Context().Done():
		return false
	}
}

// endTurn lets the next one make a part.
func (r *request) endTurn() {
	if r.turn {
		r.turn = false
		<-r.d.parts
	}
}

// NotFound answers a browser that asks for a page that there is not.
func (d *Dashboard) NotFound(c *gin.Context) {
	d.handle(route{access: anybody, serve: func(*request) error {
		return affiliate.Errorf(affiliate.NotFound,
			"there is nothing at this address; it may be misspelt, or what it showed is gone")
	}})(c)
}

// allowed answers by itself when the asker may not.
func (r *request) allowed(route route) bool {
	switch {
	case route.access == anybody:
		return true
	case r.user.ID == 0:
		r.toSignIn()
		return false
	case route.access == signedIn || r.user.Role.May(affiliate.Permission(route.access)):
		return true
	}
	r.fail(affiliate.Errorf(affiliate.Forbidden, "as a %s you may not %s; ask for the role %s", r.user.Role,
		route.access, affiliate.Permission(route.access).Least()))
	return false
}

// pageHeaders allow what our own pages need and nothing else.
func pageHeaders(h http.Header) {
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
