package dashboard

import (
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func accountRoutes() []route {
	return []route{
		{http.MethodGet, "/account", signedIn, (*request).accountPage},
		{http.MethodPost, "/account/password", signedIn, (*request).changePassword},
		{http.MethodPost, "/account/numbers", signedIn, (*request).changeNumbers},
		{http.MethodPost, "/account/sign-out-elsewhere", signedIn, (*request).signOutElsewhere},
	}
}

type accountPage struct {
	layout
	Factor string // since when the second factor is on; empty while it is off
	Urge   bool   // the role may do so much that a second factor is recommended
	Failed string // sign-ins that failed lately; empty when none did
	Errors fieldErrors
	Styles []choice // how numbers may be read
	Usual  string   // how the browser's languages have them
}

func (r *request) accountPage() error { return r.showAccount(http.StatusOK, nil) }

func (r *request) showAccount(status int, errs fieldErrors) error {
	p := accountPage{layout: r.layout("Your account", "account"), Errors: errs,
		Urge: r.may(affiliate.MayAdminister), Styles: numberStyles(),
		Usual: exampleOf(numbersFor(r.GetHeader("Accept-Language")))}
	on, err := r.d.App.DB.SecondFactors(r.Request.Context(), []affiliate.UserID{r.user.ID})
	if err != nil {
		return err
	}
	p.Factor = r.date(on[r.user.ID])
	if before := r.signedIn.Before; before.Failures > 0 {
		p.Failed = "Before you signed in here, " + r.failedWords(before)
	}
	since, err := r.d.App.DB.FailedSignIns(r.Request.Context(), r.user.ID)
	if err != nil {
		return err
	}
	if since.Failures > 0 {
		p.Failed = strings.TrimSpace(p.Failed + " Since the last sign-in, " + r.failedWords(since))
	}
	r.render(status, "account.html", &p)
	return nil
}

// signOutElsewhere ends the person's other sessions.
func (r *request) signOutElsewhere() error {
	if err := r.d.App.SignOutElsewhere(r.Request.Context(), r.user.ID, r.session); err != nil {
		return err
	}
	return r.done("/account", "All your other devices are signed out.")
}

func (r *request) changePassword() error {
	err := r.d.App.ChangeOwnPassword(r.Request.Context(), r.user, r.PostForm("current_password"),
		r.PostForm("password"), r.session, r.ClientIP())
	if err == nil {
		return r.done("/account", "Your password is changed; other devices are signed out.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showAccount(http.StatusUnprocessableEntity, errs)
}

// exampleOf shows how a style writes a number.
func exampleOf(style affiliate.NumberStyle) string { return style.Write("1234567.89") }

// numberStyles are the ways to read numbers, each by an example.
func numberStyles() (styles []choice) {
	for _, style := range affiliate.Words[affiliate.NumberStyle]() {
		styles = append(styles, choice{string(style), exampleOf(style)})
	}
	return styles
}

// changeNumbers keeps how the person reads numbers.
func (r *request) changeNumbers() error {
	style := affiliate.NumberStyle(r.field("numbers"))
	err := r.d.App.SetNumbers(r.Request.Context(), r.user.ID, style)
	if err == nil {
		return r.done("/account", "Numbers are shown as you chose.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showAccount(http.StatusUnprocessableEntity, errs)
}
