package dashboard

import (
	"net/http"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

func tokenRoutes() []route {
	owner := may(affiliate.MayAdminister)
	return []route{
		{http.MethodGet, "/settings/tokens", owner, (*request).tokensPage},
		{http.MethodPost, "/settings/tokens", owner, (*request).addToken},
		{http.MethodPost, "/settings/tokens/:token/end", owner, (*request).endToken},
	}
}

// tokenRoles are the roles with what programs may do that have them.
var tokenRoles = []choice{
	{string(affiliate.RoleViewer), "Viewer: reads everything"},
	{string(affiliate.RoleManager), "Manager: also campaigns, creators and approvals"},
	{string(affiliate.RoleOwner), "Owner: everything"},
}

// tokenTimes are how long a token may work, the sensible choice first.
var tokenTimes = []choice{{"365d", "A year"}, {"90d", "90 days"}, {"30d", "30 days"},
	{"never", "Until somebody ends it"}}

// tokenForm is what was typed about a token.
type tokenForm struct {
	Name, Role, Expires string
	MayPay              bool
}

type tokensPage struct {
	settingsLayout
	Tokens []tokenLine
	Pager  pager
	New    *tokenLine // made just now
	Value  string     // of the new one: it is shown this once
	API    string     // address of the API
	Form   tokenForm
	Roles  []choice
	Times  []choice
	Errors fieldErrors
}

type tokenLine struct {
	affiliate.Token
	Address               string
	Made, LastUsed, Ended string

	Expires string // empty: never
	Expired bool
}

func (r *request) tokensPage() error {
	return r.showTokens(http.StatusOK, tokenForm{Role: string(affiliate.RoleViewer), Expires: tokenTimes[0].Value}, nil)
}

func (r *request) showTokens(status int, form tokenForm, errs fieldErrors) error {
	list, next, err := r.d.App.DB.Tokens(r.Request.Context(), r.page())
	if err != nil {
		return err
	}
	p := tokensPage{settingsLayout: r.settingsLayout("API tokens", "API tokens"), Pager: r.pager(next),
		API: r.d.App.PublicURL + "/api/v1", Form: form, Roles: tokenRoles, Times: tokenTimes, Errors: errs}
	for _, t := range list {
		p.Tokens = append(p.Tokens, r.tokenLine(t))
	}
	if id, err := affiliate.ParseID[affiliate.TokenID]("tok_", r.Query("new")); err == nil {
		if p.Value = r.takeSecret(id); p.Value != "" {
			t, err := r.d.App.DB.Token(r.Request.Context(), id)
			if err != nil {
				return err
			}
			line := r.tokenLine(t)
			p.New = &line
		}
	}
	r.render(status, "tokens.html", &p)
	return nil
}

func (r *request) tokenLine(t affiliate.Token) tokenLine {
	return tokenLine{Token: t, Address: "/settings/tokens/" + t.ID.String(), Made: r.date(t.CreatedAt),
		LastUsed: r.moment(t.LastUsedAt), Ended: r.date(t.EndedAt), Expires: r.moment(t.ExpiresAt),
		Expired: t.Expired(r.d.App.Now())}
}

func (r *request) addToken() error {
	form := tokenForm{Name: r.field("name"), Role: r.field("role"), Expires: r.field("expires"),
		MayPay: r.pays()}
	expires, err := r.d.App.ExpiryOf(r.Request.Context(), form.Expires)
	if err == nil {
		err = r.prove()
	}
	var added app.NewToken
	if err == nil {
		added, err = r.d.App.AddToken(r.Request.Context(), app.TokenDraft{Name: form.Name,
			Role: affiliate.Role(form.Role), MayPay: form.MayPay, Expires: expires})
	}
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showTokens(http.StatusUnprocessableEntity, form, errs)
	}
	r.keepSecret(added.ID, added.Value)
	return r.done("/settings/tokens?new="+added.ID.String(), "")
}

func (r *request) endToken() error {
	id, err := idParam[affiliate.TokenID](r, "token", "tok_")
	if err != nil {
		return err
	}
	ended, err := r.d.App.EndToken(r.Request.Context(), id)
	if err != nil {
		return err
	}
	return r.done("/settings/tokens",
		"The token "+ended.Name+" is ended. Programs that use it are refused within seconds.")
}
