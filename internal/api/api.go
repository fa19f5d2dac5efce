// Package api is the JSON API: operations are typed functions declared with huma, so that OpenAPI, validation and
// problem documents come from the types. Handlers are thin: they read the request, call one function of app (or read
// from storage) and answer.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// API declares and answers the operations.
type API struct {
	App     *app.App
	Log     *slog.Logger
	Version string
	// Downloads are the exports that run, which the pages share.
	Downloads *web.Attachments

	server     *web.Server // knows who asks
	faults     app.Seldom
	document   *huma.OpenAPI // of all operations; nil until Register
	tablePaths [][]string    // addresses of exports without their extension, in parts
}

// New makes the API of a server, and makes it answer there.
func New(s *web.Server, downloads *web.Attachments) *API {
	a := &API{App: s.App, Log: s.Log, Version: s.Version, Downloads: downloads, server: s}
	s.API = a
	return a
}

// Register declares all operations; the OpenAPI document comes from the same declarations.
func (a *API) Register(r *gin.Engine) {
	humaErrors()
	config := huma.DefaultConfig("Tributary", a.Version)
	config.CreateHooks = nil // no $schema in answers
	config.OpenAPIPath = web.APIPrefix + "/openapi"
	config.RejectUnknownQueryParameters = true // a misspelt filter would give all rows
	config.DocsPath, config.SchemasPath = "", ""
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	documentHeaders(config.OpenAPI)
	documentWords(config.Components.Schemas)
	api := humagin.New(r, config)
	a.registerCatalog(api)
	a.registerOrders(api)
	a.registerConversions(api)
	a.registerPerformance(api)
	a.registerDeliveries(api)
	a.registerPayouts(api)
	a.registerPayoutRuns(api)
	a.registerLedger(api)
	a.registerRewards(api)
	a.registerMail(api)
	a.registerStatements(api)
	a.registerExports(api) // after the lists
	documentLive(api.OpenAPI(), affiliate.MayRead)
	documentPlatforms(api.OpenAPI(), a.App.Platforms)
	documentNulls(api.OpenAPI())
	a.document = api.OpenAPI()
}

// Document describes all operations; nil until Register has declared them.
func (a *API) Document() *huma.OpenAPI { return a.document }

// registerCatalog declares the operations on everything that people put in.
func (a *API) registerCatalog(api huma.API) {
	a.registerStores(api)
	a.registerCampaigns(api)
	a.registerCosts(api)
	a.registerCreators(api)
	a.registerPaymentDetails(api)
	a.registerOffers(api)
	a.registerCodes(api)
	a.registerCodeRuns(api)
	a.registerCoupons(api)
	a.registerUnowned(api)
	a.registerLinks(api)
	a.registerImports(api)
	a.registerSettings(api)
	a.registerTokens(api)
}

// operation is one line of the table of operations: what it is, and what its caller must be allowed to do.
type operation struct {
	method  string
	path    string // below /api/v1
	id      string // in the OpenAPI document
	may     affiliate.Permission
	summary string
}

// register declares one operation. Every operation needs a permission; there is no other way to declare one. Creating
// (POST on a collection) answers 201. Every write knows Idempotency-Key and If-Match, and every answer with an id and a
// version has an ETag, without a word about it in the handlers.
func register[I, O any](a *API, api huma.API, o operation, handler func(context.Context, *I) (*O, error)) {
	declared := huma.Operation{Method: o.method, Path: web.APIPrefix + o.path, OperationID: o.id, Summary: o.summary,
		Description: needs(o.may),
		Tags:        []string{strings.Split(o.path, "/")[1]},
		Security:    []map[string][]string{{"token": {}}},
		Errors:      errorsOf(o.method),
		Middlewares: huma.Middlewares{a.guard(o.may)}}
	if o.method != http.MethodGet {
		declared.Middlewares = append(declared.Middlewares, a.idempotent)
	}
	if large, ok := any(*new(I)).(interface{ mostBytes() int64 }); ok {
		declared.MaxBodyBytes = large.mostBytes()
	}
	if _, ok := any(*new(I)).(interface{ mayConflict() }); ok { // all writes may
		declared.Errors = append(declared.Errors, http.StatusConflict)
	}
	if strings.HasPrefix(o.id, "create-") {
		declared.DefaultStatus = http.StatusCreated
	}
	huma.Register(api, declared, func(ctx context.Context, in *I) (*O, error) {
		out, err := answer(ctx, in, handler)
		if err != nil {
			return nil, a.humaError(ctx, o, err)
		}
		return out, nil
	})
}

func needs(p affiliate.Permission) string {
	return "Needs a token with at least " + p.Needed() + "."
}

// answer runs a handler under the conditions of the request.
func answer[I, O any](ctx context.Context, in *I, handler func(context.Context, *I) (*O, error)) (*O, error) {
	ctx, err := onCondition(ctx)
	if err != nil {
		return nil, err
	}
	out, err := handler(ctx, in)
	if err == nil {
		err = app.Unmet(ctx)
	}
	if err == nil {
		err = tag(ctx, out)
	}
	return out, err
}

// errorsOf are the statuses that any operation of a method may answer with, besides 500, which huma adds.
func errorsOf(method string) []int {
	all := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if method == http.MethodGet {
		return all
	}
	return append(all, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusConflict,
		http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
}

type requestKey struct{}

// requestOf gives the request that an operation answers.
func requestOf(ctx context.Context) *gin.Context { return ctx.Value(requestKey{}).(*gin.Context) }

// recalculationHeader says on every answer that figures are in the currency and by the days from before a change, which
// are computed anew.
const recalculationHeader = "Recalculation"

// guard lets a request pass when its token may do what the operation is for, and runs the rest on behalf of its holder.
func (a *API) guard(permission affiliate.Permission) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(ctx)
		p, err := a.server.Authorize(c, permission)
		if err != nil {
			a.server.NoteForbidden(c, p, err)
			a.server.AnswerError(c, err)
			return
		}
		shown, err := a.App.DB.AsShown(ctx.Context())
		if err != nil {
			a.server.AnswerError(c, err)
			return
		}
		if storage.IsHeldBack(shown) {
			c.Header(recalculationHeader, "running")
		}
		ctx = huma.WithContext(ctx, shown)
		c.Request = c.Request.WithContext(app.As(c.Request.Context(), p))
		next(huma.WithContext(ctx, context.WithValue(app.As(ctx.Context(), p), requestKey{}, c)))
	}
}

// humaError maps an error, and logs what is our fault.
func (a *API) humaError(ctx context.Context, o operation, err error) error {
	if errors.Is(err, notModified{}) {
		return err
	}
	p := web.ProblemOf(err)
	if p.Instance != "" {
		web.LogProblem(ctx, a.Log, &a.faults, p, "request failed", "operation", o.id, "status", p.Status, "instance",
			p.Instance, "error", err)
	}
	headers := http.Header{}
	p.Headers(headers.Set)
	return huma.ErrorWithHeaders(p, headers)
}
