package dashboard

import "net/http"

func accountRoutes() []route {
	return []route{
		{http.MethodGet, "/account", signedIn, (*request).accountPage},
		{http.MethodPost, "/account/password", signedIn, (*request).changePassword},
	}
}

type accountPage struct {
	layout
	Errors fieldErrors
}

func (r *request) accountPage() error {
	return r.show("account.html", &accountPage{layout: r.layout("Your account", "account")})
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
	r.render(http.StatusUnprocessableEntity, "account.html", &accountPage{layout: r.layout("Your account", "account"),
		Errors: errs})
	return nil
}
