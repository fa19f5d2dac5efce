package dashboard

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// request is one request with who sent it and what every page shows.
type request struct {
	*gin.Context
	d        *Dashboard
	user     affiliate.User  // zero when nobody has signed in
	session  string          // the token of the session
	signedIn storage.Session // zero when nobody has signed in
	settings affiliate.Settings
	zone     *time.Location
	began    time.Time
	turn     bool // it has a turn to make a part of a page
	// running is the recalculation that was under way when somebody who has signed in asked; nil without any.
	running *storage.Recalculation
}

// Cookies, by their names without TLS; cookieName gives the one that is sent.
const (
	sessionCookie = "tributary_session"
	noticeCookie  = "tributary_notice"
	halfCookie    = "tributary_half"   // of a sign-in that awaits the code of the second factor
	deviceCookie  = "tributary_device" // of a browser that somebody has signed in with
)

// How long browsers keep cookies; what they hold ends by itself, too.
const (
	sessionCookieTime = 90 * 24 * time.Hour
	halfCookieTime    = 10 * time.Minute
	deviceCookieTime  = 365 * 24 * time.Hour
)

// cookieName is how a cookie is called where this server is reached by TLS: browsers take a name that begins so from
// the host itself only, not from another one of its domain, nor without TLS.
func (r *request) cookieName(name string) string {
	if r.secure() {
		return "__Host-" + name
	}
	return name
}

// identify finds out who asks, and reads the account's settings.
func (r *request) identify() error {
	err := r.identifyUser()
	if err != nil {
		return err
	}
	if r.user.ID == 0 {
		r.settings, err = r.d.account.Get(r.Request.Context(), r.d.App.DB.Settings) // strangers share what it costs
	} else {
		if err = r.readRunning(); err != nil {
			return err
		}
		r.settings, err = r.d.App.DB.Settings(r.Request.Context())
	}
	if err == nil {
		r.zone, err = affiliate.LoadZone(r.settings.Timezone)
	}
	return err
}

// readRunning finds out whether figures are computed anew, and has them read as they are to be shown meanwhile. One
// recalculation goes on at a time.
func (r *request) readRunning() error {
	ctx, db := r.Request.Context(), r.d.App.DB
	newest, err := db.NewestRecalculation(ctx)
	if affiliate.KindOf(err) == affiliate.NotFound || err == nil && !newest.Running() {
		return nil
	}
	if err != nil {
		return err
	}
	if r.running = &newest; newest.Before == "" {
		return nil
	}
	if ctx, err = db.AsShown(ctx); err == nil {
		r.Request = r.Request.WithContext(ctx)
	}
	return err
}

// identifyUser finds out who has signed in.
func (r *request) identifyUser() error {
	cookie, err := r.Request.Cookie(r.cookieName(sessionCookie))
	if err != nil {
		return nil
	}
	session, err := r.d.App.Session(r.Request.Context(), cookie.Value, r.ClientIP())
	if affiliate.KindOf(err) == affiliate.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	r.user, r.session, r.signedIn = session.User, cookie.Value, session
	r.Request = r.Request.WithContext(app.As(r.Request.Context(), r.user.Principal()))
	return nil
}

// may says whether who asks has a permission: pages show no buttons that would be refused.
func (r *request) may(p affiliate.Permission) bool { return r.user.Principal().May(p) }

// provedFor is how long ago somebody may have given their password who makes a token, or changes who may sign in: a
// browser that was left open, or a stolen session, must not become an owner for good.
const provedFor = time.Hour

// mustProve says whether such a form asks for the password again.
func (r *request) mustProve() bool { return r.d.App.Now().Sub(r.signedIn.ProvedAt.Time) >= provedFor }

// prove checks the password of such a form where it is asked for.
func (r *request) prove() error {
	if !r.mustProve() {
		return nil
	}
	err := r.d.App.Prove(r.Request.Context(), r.user, r.PostForm("current_password"), r.session, r.ClientIP())
	if err == nil {
		r.signedIn.ProvedAt = storage.At(r.d.App.Now())
	}
	return err
}

// field reads a field of a form, without spaces around it.
func (r *request) field(name string) string { return strings.TrimSpace(r.PostForm(name)) }

func (r *request) setCookie(name, value string, age time.Duration) {
	c := &http.Cookie{Name: r.cookieName(name), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.secure(), MaxAge: int(age / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(r.Writer, c)
}

// secure says whether browsers reach this server by TLS, if need be behind a proxy.
func (r *request) secure() bool {
	return r.Request.TLS != nil || strings.HasPrefix(r.d.App.PublicURL, "https://")
}

// done sends the browser to a page, which then shows a notice. A form that was sent in the background gets no page.
func (r *request) done(address, notice string) error {
	if r.GetHeader("X-Quiet") != "" {
		r.Status(http.StatusNoContent)
		return nil
	}
	if notice != "" {
		r.setCookie(noticeCookie, base64.RawURLEncoding.EncodeToString([]byte(r.said(notice))), time.Minute)
	}
	r.Redirect(http.StatusSeeOther, address)
	return nil
}

// notice takes the notice that the page before left; a part of a page shows none.
func (r *request) notice() string {
	if r.Query("part") != "" {
		return ""
	}
	c, err := r.Request.Cookie(r.cookieName(noticeCookie))
	if err != nil {
		return ""
	}
	r.setCookie(noticeCookie, "", 0)
	text, _ := base64.RawURLEncoding.DecodeString(c.Value)
	return string(text)
}

// toSignIn sends somebody who has not signed in there, and back here afterwards.
func (r *request) toSignIn() {
	if r.Request.Method != http.MethodGet || r.Query("part") != "" || r.FullPath() == "/live" {
		r.String(http.StatusUnauthorized, "You are signed out. Open the page again and sign in.")
		return
	}
	address := "/sign-in"
	if here := r.Request.URL.RequestURI(); here != "/" {
		address += "?to=" + url.QueryEscape(here)
	}
	r.Redirect(http.StatusSeeOther, address)
}

// back gives an address of ours that a form names, or another when it names none.
func back(address, otherwise string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(address, "/") ||
		strings.HasPrefix(address, "//") || strings.HasPrefix(address, `/\`) {
		return otherwise
	}
	return address
}

// idParam reads an id of the path, such as cmp_1. NotFound when it is none.
func idParam[ID ~int64](r *request, name, prefix string) (ID, error) {
	id, err := affiliate.ParseID[ID](prefix, r.Param(name))
	if err != nil {
		return id, affiliate.Errorf(affiliate.NotFound, "there is nothing at this address")
	}
	return id, nil
}

// filters reads what the address narrows, as the API does.
func (r *request) filters() *filters.Query {
	return filters.New(r.Request.Context(), r.d.App.DB, r.Request.URL.Query(), r.zone)
}

// limit is how many rows a table shows.
const limit = 50

// page is the part of a table that the address asks for.
func (r *request) page() storage.Page { return storage.Page{Limit: limit, Cursor: r.Query("cursor")} }

// with gives the address of this page with some of its parameters changed; an empty value takes one away. A table that
// shows other rows begins again, so the cursor goes unless it is given.
func (r *request) with(pairs ...string) string {
	q := r.Request.URL.Query()
	q.Del("cursor")
	q.Del("part")
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return r.Request.URL.Path
	}
	return r.Request.URL.Path + "?" + q.Encode()
}

// pager gives the addresses around a table's page; next is the cursor of the next page, or empty.
func (r *request) pager(next string) pager {
	var p pager
	if next != "" {
		p.Next = r.with("cursor", next)
	}
	if r.Query("cursor") != "" {
		p.First = r.with()
	}
	return p
}

type pager struct{ Next, First string }

// fail answers with an error page, or with the sentence alone where a script asks.
func (r *request) fail(err error) {
	p := web.ProblemOf(err)
	if p.Instance != "" {
		web.LogProblem(r.Request.Context(), r.d.Log, &r.d.faults, p, "page failed", "method", r.Request.Method, "path",
			r.FullPath(), "status", p.Status, "instance", p.Instance, "error", err)
	}
	if r.Writer.Written() {
		return
	}
	p.Headers(r.Header)
	sentence := sentenceOf(p.Field, p.Detail)
	var e *affiliate.Error
	if errors.As(err, &e) && p.Detail == e.Message {
		sentence = sentenceOf(p.Field, e.Shown())
	}
	if p.Code == storage.CodeNotWritable && r.user.ID == 0 {
		// It names no folder to strangers.
		sentence = "The server has no room to note that you signed in. Ask whoever runs it to free some."
	}
	if r.GetHeader("X-Quiet") != "" || r.Query("part") != "" {
		r.String(p.Status, "%s", r.said(sentence))
		return
	}
	r.render(p.Status, "error.html",
		&errorPage{layout: r.layout(http.StatusText(p.Status), ""), Status: strconv.Itoa(p.Status), Sentence: sentence})
}

// sentenceOf writes what is wrong, with a field if it is about one, as people read it: "Name: must not be empty."
func sentenceOf(field, text string) string {
	if field != "" {
		text = strings.ReplaceAll(field, "_", " ") + ": " + text
	}
	if text == "" {
		return ""
	}
	first := text
	if word, _, _ := strings.Cut(text, " "); !strings.Contains(strings.TrimRight(word, ".:,"), ".") { // no domain
		first = sentenceCase(text)
	}
	if !strings.HasSuffix(first, ".") {
		first += "."
	}
	return first
}

type errorPage struct {
	layout
	Status   string
	Sentence string
}

// fieldErrors are what is wrong with the fields of a form; "" is for the form as a whole.
type fieldErrors map[string]string

// formErrors turns an error that the person can mend into what the form shows; any other stays an error.
func formErrors(err error) (fieldErrors, error) {
	var e *affiliate.Error
	if !errors.As(err, &e) || e.Kind == affiliate.NotFound || e.Code == storage.CodeNotWritable {
		return nil, err
	}
	return fieldErrors{e.Field: sentenceOf("", e.Shown())}, nil
}

// errorNames are fields as people call them who see none of that name.
var errorNames = map[string]string{"takes": "codes", "members": "creators", "file": "", "offer": "", "state": "",
	"payouts": "", "creators": "", "creator": "", "rails": ""}

// unseenError is what is wrong with none of the fields beside which a form shows it; empty when nothing is.
func unseenError(errs fieldErrors, shown ...string) string {
	for field, text := range errs {
		if field == "version" || slices.Contains(shown, field) {
			continue
		}
		if name, known := errorNames[field]; known {
			field = name
		}
		return sentenceOf(field, text)
	}
	return ""
}
