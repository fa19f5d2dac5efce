package dashboard

import (
	"net/http"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func signInRoutes() []route {
	return []route{
		{http.MethodGet, "/sign-in", anybody, (*request).signInPage},
		{http.MethodPost, "/sign-in", anybody, (*request).signIn},
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
	email := r.field("email")
	token, _, err := r.d.App.SignIn(r.Request.Context(), email, r.PostForm("password"), r.ClientIP())
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		r.render(http.StatusUnprocessableEntity, "sign_in.html", &signInPage{layout: r.layout("Sign in", ""),
			To: r.field("to"), Email: email, Errors: errs})
		return nil
	}
	if r.session != "" { // somebody else may have left it here
		if err := r.d.App.SignOut(r.Request.Context(), r.session); err != nil {
			return err
		}
	}
	r.remember(token)
	return r.done(back(r.field("to"), "/"), "")
}

func (r *request) signOut() error {
	if err := r.d.App.SignOut(r.Request.Context(), r.session); err != nil {
		return err
	}
	r.setCookie(sessionCookie, "", 0)
	return r.done("/sign-in", "You are signed out.")
}

// welcomePage is the first page of a fresh installation: it makes the owner.
type welcomePage struct {
	layout
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
	return r.show("welcome.html", &welcomePage{layout: r.layout("Welcome", "")})
}

func (r *request) welcome() error {
	u := affiliate.User{Email: r.field("email"), Name: r.field("name")}
	password := r.PostForm("password")
	if _, err := r.d.App.AddFirstOwner(r.Request.Context(), u, password); err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		r.render(http.StatusUnprocessableEntity, "welcome.html", &welcomePage{layout: r.layout("Welcome", ""),
			Email: u.Email, Name: u.Name, Errors: errs})
		return nil
	}
	token, _, err := r.d.App.SignIn(r.Request.Context(), u.Email, password, r.ClientIP())
	if err != nil {
		return err
	}
	r.remember(token)
	return r.done("/", "")
}
