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
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fair"
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
	// Downloads are the exports that run, which the API shares; nil makes some for the pages alone.
	Downloads *web.Attachments
	// Reference describes the operations of the API, for the page that lists them; nil leaves it empty.
	Reference func() *huma.OpenAPI
	Demo      bool // pages say that the sales are made up
	// DemoKeys are those of made-up shops that can be connected, by their platforms: forms begin with them.
	DemoKeys map[affiliate.Platform]affiliate.StoreKeys

	pages    *templates
	assets   *assets
	crossing *http.CrossOriginProtection

	faults  app.Seldom
	work    web.Shared[openWork]
	account web.Shared[affiliate.Settings] // what strangers see
	doubts  web.Shared[map[affiliate.StoreID]storage.DoubtCount]
	parts   *fair.Turns // of the parts of pages
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
	if d.Downloads == nil {
		d.Downloads = web.NewAttachments(d.App.DB)
	}
	d.parts = fair.NewTurns(max(1, runtime.GOMAXPROCS(0)/2), partsWaiting)
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
		signInRoutes(), accountRoutes(), secondFactorRoutes(), liveRoutes(), searchRoutes(), themeRoutes(),
		storeRoutes(), accessRoutes(), agreementRoutes(), statusRoutes(), deliveryRoutes(), unownedRoutes(),
		importRoutes(), startRoutes(), settingsRoutes(), peopleRoutes(), tokenRoutes(), auditRoutes(), homeRoutes(),
		orderRoutes(), conversionRoutes(), campaignRoutes(), performanceRoutes(), memberRoutes(), linkRoutes(),
		offerRoutes(), offerCodeRoutes(), codeRunRoutes(), couponRoutes(), creatorRoutes(), payoutRoutes(),
		paymentDetailsRoutes(),
		statementRoutes(),
		rewardRoutes(), offerRewardRoutes(), entryRoutes(),
		columnRoutes(), referenceRoutes(), mailRoutes(),
	} {
		all = append(all, list...)
	}
	return all
}

func liveRoutes() []route {
	return []route{{http.MethodGet, "/live", signedIn, (*request).live},
		{http.MethodGet, "/recalculation", signedIn, (*request).recalculation}}
}

// live tells a page of changes that concern what it shows, which it names by words.
func (r *request) live() error {
	r.endTurn() // an answer without an end must not keep one
	shown := strings.Fields(r.Query("words"))
	web.Stream(r.Context, r.d.Hub, web.PagePause, shown, func(b *live.Batch) string {
		if b.Words()[live.Figures] {
			return web.Event("changed", strings.Join(shown, " ")) // every part is fetched anew
		}
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

// recalculation tells an open page how far the figures are that are computed anew: by a header, as all pages have it.
func (r *request) recalculation() error {
	r.underway()
	r.Status(http.StatusNoContent)
	return nil
}

// recalculationHeader has how many percent are done while figures are shown as before a change; it is absent otherwise.
const recalculationHeader = "X-Recalculation"

// underway gives the recalculation that goes on, or nil, and says in the answer how far it is.
func (r *request) underway() *storage.Recalculation {
	if r.running != nil && r.running.Before != "" {
		r.Header(recalculationHeader, strconv.FormatInt(r.running.Percent(), 10))
	}
	return r.running
}

// Limits of what a browser may send, and of what somebody may who has not signed in: an address and a password.
const (
	maxForm         = 2 << 20
	maxStrangerForm = 16 << 10
)

// largerForms are how many bytes forms take that may be larger, by the paths of their routes: a bank's status report
// cannot be divided. What a file has around it in a form is a few hundred bytes.
var largerForms = map[string]int64{resultsAddress: app.MaxResults + 64<<10}

// handle wraps a route: headers, cross-origin protection, who asks, and what becomes of an error.
func (d *Dashboard) handle(route route) gin.HandlerFunc {
	return func(c *gin.Context) {
		r := &request{Context: c, d: d, began: time.Now(), zone: time.UTC} // until the account's is read
		pageHeaders(c.Writer.Header())
		if err := d.crossing.Check(c.Request); err != nil {
			r.fail(affiliate.Errorf(affiliate.Forbidden,
				"this form was sent by another site; open the page here and try again"))
			return
		}
		if _, err := c.Cookie(r.cookieName(sessionCookie)); err != nil && route.access != anybody {
			r.toSignIn() // nothing need be looked up for that
			return
		}
		if err := r.identify(); err != nil {
			r.fail(err)
			return
		}
		most := int64(maxForm)
		if r.user.ID == 0 {
			most = maxStrangerForm
		}
		whole := r.Request.Body
		r.Request.Body = http.MaxBytesReader(c.Writer, whole, most)
		if !r.allowed(route) {
			return
		}
		if larger, known := largerForms[route.path]; known && route.method == http.MethodPost {
			most = larger
			r.Request.Body = http.MaxBytesReader(c.Writer, whole, most)
		}
		if err := r.readForm(whole, most); err != nil {
			r.fail(err)
			return
		}
		if route.method == http.MethodGet && r.user.ID != 0 && c.Query("part") != "" {
			if !r.takeTurn() {
				return
			}
			defer r.endTurn()
		}
		err := route.serve(r)
		if route.method == http.MethodPost && r.user.ID != 0 {
			d.work.Forget() // whoever changed something sees it done on the next page
			d.doubts.Forget()
		}
		if err != nil {
			r.fail(err)
		}
	}
}

// partsWaiting is how many parts of pages one person may wait for: those of dozens of open pages.
const partsWaiting = 200

// readForm reads a form at once: of one that is too large the fields would be missing, each for a reason of its own.
// What is left of it is read and dropped for whoever has signed in, or browsers, which send all before they read, would
// show that the connection broke instead of the answer.
func (r *request) readForm(whole io.Reader, most int64) error {
	if r.Request.Method != http.MethodPost {
		return nil
	}
	var tooLarge *http.MaxBytesError
	err := errors.Join(r.Request.ParseForm(), r.Request.ParseMultipartForm(most))
	if !errors.As(err, &tooLarge) && r.Request.ContentLength <= most {
		return nil // whoever reads it says what else is wrong
	}
	if r.user.ID == 0 {
		return &affiliate.Error{Kind: affiliate.Invalid, Code: "too_large",
			Message: fmt.Sprintf("this form takes %d KB at most", most>>10)}
	}
	sent := r.Request.ContentLength
	rest, _ := io.Copy(io.Discard, io.LimitReader(whole, mostDropped)) // the answer is the same
	sent = max(sent, most+rest)
	size := "more"
	if sent > 0 {
		size = fmt.Sprintf("%.1f MB", float64(sent)/(1<<20))
	}
	if most > maxForm {
		return &affiliate.Error{Kind: affiliate.Invalid, Code: "too_large", Message: fmt.Sprintf("%s were sent, and a "+
			"file of results may have %d MB. Narrow it, such as to a month", size, most>>20)}
	}
	return &affiliate.Error{Kind: affiliate.Invalid, Code: "too_large", Message: fmt.Sprintf("that is too much at "+
		"once: %s were sent, and a page takes %d MB. Divide the file into several, each with the line that names the "+
		"columns; or import it whole: up to %d MB by the command tributary import, up to %d MB by the API", size,
		maxForm>>20, app.MaxImport>>20, web.MaxImport>>20)}
}

// mostDropped is more than anybody sends by mistake.
const mostDropped = 64 << 20

// takeTurn waits until a part of a page may be made. Hundreds of open pages ask for theirs whenever a sale comes in:
// they share half of the processors, so that sales keep coming in at full speed, and people take turns. The turn ends
// with the first byte of the answer, since its reader may be slow; the body of the request is never read, since it may
// never come.
//
// It answers by itself, and says false, when there is none to be had.
func (r *request) takeTurn() bool {
	err := r.d.parts.Take(r.Request.Context(), r.user.ID.String())
	if errors.Is(err, fair.ErrTooManyWait) {
		r.fail(web.TooManyAtOnce(fmt.Sprintf("%d parts of your open pages wait already; close some of the pages",
			partsWaiting)))
	}
	if err != nil {
		return false // or the page has gone
	}
	r.Request.Body = http.NoBody
	r.turn = true
	r.Writer = &turnWriter{r.Writer, r}
	return true
}

// endTurn lets the next one make a part.
func (r *request) endTurn() {
	if r.turn {
		r.turn = false
		r.d.parts.Done()
	}
}

// turnWriter ends a request's turn before anything waits for the reader of the answer.
type turnWriter struct {
	gin.ResponseWriter
	r *request
}

func (w *turnWriter) Write(b []byte) (int, error) {
	w.r.endTurn()
	return w.ResponseWriter.Write(b)
}

func (w *turnWriter) WriteString(s string) (int, error) {
	w.r.endTurn()
	return w.ResponseWriter.WriteString(s)
}

func (w *turnWriter) WriteHeaderNow() {
	w.r.endTurn()
	w.ResponseWriter.WriteHeaderNow()
}

func (w *turnWriter) Flush() {
	w.r.endTurn()
	w.ResponseWriter.Flush()
}

// Unwrap is for http.ResponseController.
func (w *turnWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

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
	case route.access == signedIn || r.user.Principal().May(affiliate.Permission(route.access)):
		return true
	}
	r.d.App.Refused(app.RefusedPermission, r.ClientIP(), "user", r.user.ID.String(), "method", route.method, "path",
		route.path)
	remedy := "ask for the role " + string(affiliate.Permission(route.access).Least())
	if r.user.Role == affiliate.RoleManager && affiliate.Permission(route.access) == affiliate.MayPay {
		remedy = "an owner can allow it, under Settings, People"
	}
	r.fail(affiliate.Errorf(affiliate.Forbidden, "as a %s you may not %s; %s", r.user.Role, route.deed(), remedy))
	return false
}

// ownersDeeds say what the pages are for that owners alone may open, by the beginning of their paths, longest first.
var ownersDeeds = []struct{ path, deed string }{
	{"/settings/people", "see or change who may sign in"},
	{"/settings/tokens", "see or change API tokens"},
	{"/settings/audit", "read the audit log"},
	{"/settings", "change the account's settings"},
	{"/deliveries", "see what stores sent, or send it again"},
	{"/stores", "connect or change stores, or see what they sent"},
}

// deed says what somebody does who opens a route.
func (route route) deed() string {
	if affiliate.Permission(route.access) == affiliate.MayAdminister {
		for _, d := range ownersDeeds {
			if route.path == d.path || strings.HasPrefix(route.path, d.path+"/") {
				return d.deed
			}
		}
	}
	return string(route.access)
}

// pageHeaders allow what our own pages need and nothing else.
func pageHeaders(h http.Header) {
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src "+
			"'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
