package web

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// principal gives who sent a plain gin request; false without a token. The error is a problem for a bad token.
func (s *Server) principal(c *gin.Context) (affiliate.Principal, bool, error) {
	p, ok, err := s.authenticate(c)
	if err != nil && ProblemOf(err).Status == http.StatusUnauthorized {
		s.App.Refused(app.RefusedToken, c.ClientIP(), "token", cmp.Or(p.ID, "unknown"), "method", c.Request.Method,
			"path", c.FullPath())
	}
	return p, ok, err
}

// NoteForbidden tells the log of a token whose role does not suffice.
func (s *Server) NoteForbidden(c *gin.Context, p affiliate.Principal, err error) {
	if affiliate.KindOf(err) == affiliate.Forbidden {
		s.App.Refused(app.RefusedPermission, c.ClientIP(), "token", p.ID, "method", c.Request.Method, "path",
			c.FullPath())
	}
}

// requirePermission lets a plain gin request pass when its token may do what the route is for, and runs the rest on
// behalf of its holder.
func (s *Server) requirePermission(permission affiliate.Permission) gin.HandlerFunc {
	return func(c *gin.Context) {
		p, err := s.Authorize(c, permission)
		if err != nil {
			s.NoteForbidden(c, p, err)
			s.AnswerError(c, err)
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
		return affiliate.Principal{}, false, NewProblem(CodeUnauthenticated, "",
			"Send the token as: Authorization: Bearer trb_…")
	}
	p, err := s.App.Authenticate(ctx, strings.TrimSpace(value), c.ClientIP())
	var e *affiliate.Error
	if errors.As(err, &e) && e.Code == CodeUnauthenticated {
		return p, false, NewProblem(CodeUnauthenticated, "", e.Message)
	}
	return p, err == nil, err
}

// Authorize gives who asks, or the problem that they may not.
func (s *Server) Authorize(c *gin.Context, permission affiliate.Permission) (affiliate.Principal, error) {
	p, ok, err := s.authenticate(c)
	switch {
	case err != nil:
		return p, err
	case !ok:
		return p, NewProblem(CodeUnauthenticated, "",
			"A token is needed. Send it as: Authorization: Bearer trb_…")
	case !p.May(permission):
		needed := permission.Needed()
		if permission == affiliate.MayPay {
			needed += ", which an owner gives"
		}
		return p, affiliate.Errorf(affiliate.Forbidden, "a token with the role %s may not %s; this needs %s", p.Role,
			permission, needed)
	}
	return p, nil
}
