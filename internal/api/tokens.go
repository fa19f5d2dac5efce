package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerTokens(api huma.API) {
	const own = affiliate.MayAdminister
	register(a, api, operation{http.MethodGet, "/tokens", "list-tokens", own, "List tokens, without their values"},
		a.listTokens)
	register(a, api, operation{http.MethodPost, "/tokens", "create-token", own,
		"Make a token; its value is shown this once"}, a.createToken)
	register(a, api, operation{http.MethodGet, "/tokens/{id}", "get-token", own, "Read a token, without its value"},
		a.getToken)
	register(a, api, operation{http.MethodPost, "/tokens/{id}/end", "end-token", own,
		"End a token; it stops working within seconds"}, a.endToken)
}

type TokenJSON struct {
	ID         string         `json:"id" example:"tok_1"`
	Name       string         `json:"name"`
	Role       affiliate.Role `json:"role"`
	MayPay     bool           `json:"may_pay" doc:"Of a manager: an owner has allowed it to pay"`
	CreatedAt  time.Time      `json:"created_at"`
	LastUsedAt *time.Time     `json:"last_used_at" doc:"Exact to ten minutes"`
	EndedAt    *time.Time     `json:"ended_at"`
	ExpiresAt  *time.Time     `json:"expires_at" doc:"From then on it is refused; null: never"`
}

// TokenView is how the API and the command line show a token.
func TokenView(t affiliate.Token) TokenJSON {
	return TokenJSON{ID: t.ID.String(), Name: t.Name, Role: t.Role, MayPay: t.MayPay, CreatedAt: t.CreatedAt.UTC(),
		LastUsedAt: web.TimeOrNull(t.LastUsedAt), EndedAt: web.TimeOrNull(t.EndedAt),
		ExpiresAt: web.TimeOrNull(t.ExpiresAt)}
}

func (a *API) listTokens(ctx context.Context, in *PageInput) (*listOutput[TokenJSON], error) {
	list, next, err := a.App.DB.Tokens(ctx, in.page())
	return listPage(list, next, err, TokenView)
}

type createTokenInput struct {
	Body struct {
		Name string         `json:"name"`
		Role affiliate.Role `json:"role"`

		MayPay    bool       `json:"may_pay,omitempty" doc:"Of a manager: may also send, record and cancel payouts"`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"From then on it is refused; null or left out: never"`
	}
}

type createdTokenJSON struct {
	TokenJSON
	Token string `json:"token" doc:"It is shown this once"`
}

func (a *API) createToken(ctx context.Context, in *createTokenInput) (*output[createdTokenJSON], error) {
	draft := app.TokenDraft{Name: in.Body.Name, Role: in.Body.Role, MayPay: in.Body.MayPay}
	if in.Body.ExpiresAt != nil {
		draft.Expires = *in.Body.ExpiresAt
	}
	t, err := a.App.AddToken(ctx, draft)
	return one(t, err, func(t app.NewToken) createdTokenJSON { return createdTokenJSON{TokenView(t.Token), t.Value} })
}

type tokenPath struct {
	ID string `path:"id" example:"tok_1"`
}

func (p tokenPath) id() (affiliate.TokenID, error) { return idPath[affiliate.TokenID]("tok_", p.ID) }

func (a *API) getToken(ctx context.Context, in *tokenPath) (*output[TokenJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	t, err := a.App.DB.Token(ctx, id)
	return one(t, err, TokenView)
}

func (a *API) endToken(ctx context.Context, in *tokenPath) (*output[TokenJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	t, err := a.App.EndToken(ctx, id)
	return one(t, err, TokenView)
}
