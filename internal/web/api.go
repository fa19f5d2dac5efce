package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

const apiPrefix = "/api/v1"

// registerAPI declares all operations of the JSON API; the OpenAPI document comes from the same declarations.
func (s *Server) registerAPI(r *gin.Engine) {
	humaErrors()
	config := huma.DefaultConfig("Tributary", s.Version)
	config.CreateHooks = nil // no $schema in answers
	config.OpenAPIPath = apiPrefix + "/openapi"
	config.RejectUnknownQueryParameters = true // a misspelt filter would give all rows
	config.DocsPath, config.SchemasPath = "", ""
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	documentHeaders(config.OpenAPI)
	api := humagin.New(r, config)
	s.registerCatalog(api)
	s.registerOrders(api)
	s.registerConversions(api)
	s.registerPerformance(api)
	s.registerDeliveries(api)
	s.registerPayouts(api)
	s.registerLedger(api)
	s.registerExports(api) // after the lists
	documentLive(api.OpenAPI(), affiliate.MayRead)
	documentPlatforms(api.OpenAPI(), s.App.Platforms)
	documentNulls(api.OpenAPI())
}

// registerCatalog declares the operations on everything that people put in.
func (s *Server) registerCatalog(api huma.API) {
	s.registerStores(api)
	s.registerCampaigns(api)
	s.registerCosts(api)
	s.registerCreators(api)
	s.registerOffers(api)
	s.registerCodes(api)
	s.registerUnowned(api)
	s.registerLinks(api)
	s.registerImports(api)
	s.registerSettings(api)
	s.registerTokens(api)
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
func register[I, O any](s *Server, api huma.API, o operation, handler func(context.Context, *I) (*O, error)) {
	declared := huma.Operation{Method: o.method, Path: apiPrefix + o.path, OperationID: o.id, Summary: o.summary,
		Description: needs(o.may),
		Tags:        []string{strings.Split(o.path, "/")[1]},
		Security:    []map[string][]string{{"token": {}}},
		Errors:      errorsOf(o.method),
		Middlewares: huma.Middlewares{s.guard(o.may)}}
	if o.method != http.MethodGet {
		declared.Middlewares = append(declared.Middlewares, s.idempotent)
	}
	if large, ok := any(*new(I)).(interface{ mostBytes() int64 }); ok {
		declared.MaxBodyBytes = large.mostBytes()
	}
	if strings.HasPrefix(o.id, "create-") {
		declared.DefaultStatus = http.StatusCreated
	}
	huma.Register(api, declared, func(ctx context.Context, in *I) (*O, error) {
		out, err := answer(ctx, in, handler)
		if err != nil {
			return nil, s.humaError(ctx, o, err)
		}
		return out, nil
	})
}

func needs(p affiliate.Permission) string {
	return "Needs a token with at least the role " + string(p.Least()) + "."
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

// guard lets a request pass when its token may do what the operation is for, and runs the rest on behalf of its holder.
func (s *Server) guard(permission affiliate.Permission) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(ctx)
		p, err := s.authorize(c, permission)
		if err != nil {
			s.noteForbidden(c, p, err)
			s.answerError(c, err)
			return
		}
		c.Request = c.Request.WithContext(app.As(c.Request.Context(), p))
		next(huma.WithContext(ctx, context.WithValue(app.As(ctx.Context(), p), requestKey{}, c)))
	}
}

// humaError maps an error, and logs what is our fault.
func (s *Server) humaError(ctx context.Context, o operation, err error) error {
	if errors.Is(err, notModified{}) {
		return err
	}
	p := ProblemOf(err)
	if p.Instance != "" {
		LogProblem(ctx, s.Log, &s.faults, p, "request failed", "operation", o.id, "status", p.Status, "instance",
			p.Instance, "error", err)
	}
	headers := http.Header{}
	p.Headers(headers.Set)
	return huma.ErrorWithHeaders(p, headers)
}

// principal gives who sent a plain gin request; false without a token. The error is a problem for a bad token.
func (s *Server) principal(c *gin.Context) (affiliate.Principal, bool, error) {
	p, ok, err := s.authenticate(c)
	if err != nil && ProblemOf(err).Status == http.StatusUnauthorized {
		s.App.Refused(app.RefusedToken, c.ClientIP(), "token", cmp.Or(p.ID, "unknown"), "method", c.Request.Method,
			"path", c.FullPath())
	}
	return p, ok, err
}

// noteForbidden tells the log of a token whose role does not suffice.
func (s *Server) noteForbidden(c *gin.Context, p affiliate.Principal, err error) {
	if affiliate.KindOf(err) == affiliate.Forbidden {
		s.App.Refused(app.RefusedPermission, c.ClientIP(), "token", p.ID, "method", c.Request.Method, "path",
			c.FullPath())
	}
}

// requirePermission lets a plain gin request pass when its token may do what the route is for, and runs the rest on
// behalf of its holder.
func (s *Server) requirePermission(permission affiliate.Permission) gin.HandlerFunc {
	return func(c *gin.Context) {
		p, err := s.authorize(c, permission)
		if err != nil {
			s.noteForbidden(c, p, err)
			s.answerError(c, err)
			return
		}
		c.Request = c.Request.WithContext(app.As(c.Request.Context(), p))
		c.Next()
	}
}

// authenticate reads "Authorization: Bearer trb_…"; false when there is no such header. What identify found out before
// is not asked again.
func (s *Server) authenticate(c *gin.Context) (affiliate.Principal, bool, error) {
	ctx, header := c.Request.Context(), c.GetHeader("Authorization")
	if who, ok := ctx.Value(callerKey{}).(caller); ok {
		return who.principal, who.known, who.err
	}
	scheme, value, _ := strings.Cut(strings.TrimSpace(header), " ")
	if header == "" {
		return affiliate.Principal{}, false, nil
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return affiliate.Principal{}, false, newProblem(http.StatusUnauthorized, codeUnauthenticated, "",
			"Send the token as: Authorization: Bearer trb_…")
	}
	p, err := s.App.Authenticate(ctx, strings.TrimSpace(value), c.ClientIP())
	var e *affiliate.Error
	if errors.As(err, &e) && e.Code == codeUnauthenticated {
		return p, false, newProblem(http.StatusUnauthorized, codeUnauthenticated, "", e.Message)
	}
	return p, err == nil, err
}

// authorize gives who asks, or the problem that they may not.
func (s *Server) authorize(c *gin.Context, permission affiliate.Permission) (affiliate.Principal, error) {
	p, ok, err := s.authenticate(c)
	switch {
	case err != nil:
		return p, err
	case !ok:
		return p, newProblem(http.StatusUnauthorized, codeUnauthenticated, "",
			"A token is needed. Send it as: Authorization: Bearer trb_…")
	case !p.Role.May(permission):
		return p, affiliate.Errorf(affiliate.Forbidden, "a token with the role %s may not %s; this needs the role %s",
			p.Role, permission, permission.Least())
	}
	return p, nil
}
