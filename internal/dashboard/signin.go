package dashboard

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func signInRoutes() []route {
	return []route{
		{http.MethodGet, "/sign-in", anybody, (*request).signInPage},
		{http.MethodPost, "/sign-in", anybody, (*request).signIn},
		{http.MethodGet, "/sign-in/code", anybody, (*request).codePage},
		{http.MethodPost, "/sign-in/code", anybody, (*request).signInCode},
		{http.MethodPost, "/sign-out", signedIn, (*request).signOut},
		{http.MethodGet, "/welcome", anybody, (*request).welcomePage},
		{http.MethodPost, "/welcome", anybody, (*request).welcome},
	}
}

type signInPage struct {
	layout
	To     string // the page to go on to
	Email  string
	Errors fieldErrors
}

func (r *request) signInPage() error {
	if r.user.ID != 0 {
		return r.done(back(r.Query("to"), "/"), "")
	}
	has, err := r.d.App.DB.HasUsers(r.Request.Context())
	if err != nil {
		return err
	}
	if !has {
		return r.done("/welcome", "")
	}
	return r.show("sign_in.html", &signInPage{layout: r.layout("Sign in", ""), To: r.Query("to")})
}

func (r *request) signIn() error {
	email, to := r.field("email"), r.field("to")
	in, err := r.d.App.SignIn(r.Request.Context(), app.SignInTry{Email: email, Password: r.PostForm("password"),
		Device: r.device(), Address: r.ClientIP()})
	if err != nil {
		errs, wrong := formErrors(err)
		if wrong != nil {
			return wrong
		}
		r.renderRefused(err, "sign_in.html", &signInPage{layout: r.layout("Sign in", ""), To: to, Email: email,
			Errors: errs})
		return nil
	}
	if in.Half != "" {
		r.setCookie(halfCookie, in.Half, halfCookieTime)
		address := "/sign-in/code"
		if to = back(to, "/"); to != "/" {
			address += "?to=" + url.QueryEscape(to)
		}
		return r.done(address, "")
	}
	return r.begin(in, to)
}

// begin begins the session of somebody who has just signed in.
func (r *request) begin(in app.SignedIn, to string) error {
	if r.session != "" { // somebody else may have left it here
		if err := r.d.App.SignOut(r.Request.Context(), r.session); err != nil {
			return err
		}
	}
	r.d.App.NoteSession(in.Token)
	r.setCookie(sessionCookie, in.Token, sessionCookieTime)
	r.setCookie(deviceCookie, in.Device, deviceCookieTime)
	notice := ""
	if in.Failed.Failures > 0 {
		notice = "Since you last signed in, " + r.failedWords(in.Failed) + " Was it not you? Then choose a new, " +
			"longer password under Your account."
	}
	return r.done(back(to, "/"), notice)
}

// device is what this browser was given when somebody signed in with it, or empty.
func (r *request) device() string {
	if c, err := r.Request.Cookie(r.cookieName(deviceCookie)); err == nil {
		return c.Value
	}
	return ""
}

// failedWords tells of sign-ins that failed: "3 sign-ins with your e-mail address failed, from 2 networks, …".
func (r *request) failedWords(f storage.FailedSignIns) string {
	count := func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.Itoa(n) + " " + many
	}
	return count(f.Failures, "sign-in", "sign-ins") + " with your e-mail address failed, from " +
		count(f.Places, "network", "networks") + ", the last on " + r.moment(f.LastAt.Time) + "."
}

// codePage asks for the code of the second factor.
type codePage struct {
	layout
	To     string
	Errors fieldErrors
}

// half gives the half sign-in that this browser has begun, or sends it back to the beginning.
func (r *request) half() (string, error) {
	c, err := r.Request.Cookie(r.cookieName(halfCookie))
	if err != nil {
		return "", r.startAgain()
	}
	if _, err := r.d.App.HalfSignedIn(r.Request.Context(), c.Value); app.IsStartAgain(err) {
		return "", r.startAgain()
	} else if err != nil {
		return "", err
	}
	return c.Value, nil
}

func (r *request) startAgain() error {
	r.setCookie(halfCookie, "", 0)
	return r.done("/sign-in", "This took too long, or was done already. Sign in again.")
}

func (r *request) codePage() error {
	half, err := r.half()
	if err != nil || half == "" {
		return err
	}
	return r.show("sign_in_code.html", &codePage{layout: r.layout("Your code", ""), To: r.Query("to")})
}

func (r *request) signInCode() error {
	half, err := r.half()
	if err != nil || half == "" {
		return err
	}
	in, err := r.d.App.SignInCode(r.Request.Context(), half, r.PostForm("code"), r.device(), r.ClientIP())
	if app.IsStartAgain(err) {
		return r.startAgain()
	}
	if err != nil {
		errs, wrong := formErrors(err)
		if wrong != nil {
			return wrong
		}
		r.renderRefused(err, "sign_in_code.html", &codePage{layout: r.layout("Your code", ""), To: r.field("to"),
			Errors: errs})
		return nil
	}
	r.setCookie(halfCookie, "", 0)
	return r.begin(in, r.field("to"))
}

// renderRefused shows a form again: 429 or 503 where one has to wait, 422 where something is wrong in it.
func (r *request) renderRefused(err error, name string, page any) {
	status := http.StatusUnprocessableEntity
	if affiliate.KindOf(err) == affiliate.Unavailable {
		p := web.ProblemOf(err)
		p.Headers(r.Header)
		status = p.Status
	}
	r.render(status, name, page)
}

func (r *request) signOut() error {
	if err := r.d.App.SignOut(r.Request.Context(), r.session); err != nil {
		return err
	}
	r.setCookie(sessionCookie, "", 0)
	return r.done("/sign-in", "You are signed out.")
}

// welcomePage is the first page of a fresh installation: it makes the owner, for whoever has the link.
type welcomePage struct {
	layout
	Key         string // of the link; empty for somebody without it
	Email, Name string
	Errors      fieldErrors
}

func (r *request) welcomePage() error {
	if has, err := r.d.App.DB.HasUsers(r.Request.Context()); err != nil || has {
		if err == nil {
			err = r.done("/sign-in", "")
		}
		return err
	}
	// The key in the address is for nobody else. Without any policy at all a browser might call the form a stranger's.
	r.Header("Referrer-Policy", "strict-origin")
	p := welcomePage{layout: r.layout("Welcome", ""), Key: r.Query("key")}
	if r.d.App.IsSetupKey(p.Key) {
		return r.show("welcome.html", &p)
	}
	if p.Key != "" {
		r.d.App.Refused(app.RefusedSetup, r.ClientIP())
		p.Errors = fieldErrors{"": "This link is not the one of this installation."}
	}
	p.Key = ""
	r.render(http.StatusForbidden, "welcome.html", &p)
	return nil
}

func (r *request) welcome() error {
	u := affiliate.User{Email: r.field("email"), Name: r.field("name")}
	password, key := r.PostForm("password"), r.field("key")
	if _, err := r.d.App.AddFirstOwner(r.Request.Context(), key, u, password, r.ClientIP()); err != nil {
		errs, wrong := formErrors(err)
		if wrong != nil {
			return wrong
		}
		if !r.d.App.IsSetupKey(key) {
			key = ""
		}
		page := &welcomePage{layout: r.layout("Welcome", ""), Key: key, Email: u.Email, Name: u.Name, Errors: errs}
		if affiliate.KindOf(err) == affiliate.Forbidden {
			page.Errors = nil // the page says it
			r.render(http.StatusForbidden, "welcome.html", page)
			return nil
		}
		r.renderRefused(err, "welcome.html", page)
		return nil
	}
	in, err := r.d.App.SignIn(r.Request.Context(), app.SignInTry{Email: u.Email, Password: password,
		Address: r.ClientIP()})
	if err != nil {
		return err
	}
	return r.begin(in, "/")
}
