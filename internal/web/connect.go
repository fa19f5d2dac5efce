package web

import (
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// maxKeys is the largest body with keys, in bytes.
const maxKeys = 64 << 10

// registerConnect adds the endpoint that stores send the keys to which their owners approved. Nobody is signed in
// there: a request is known by the random state in its body. The answer is 200 when the keys are kept, for the store
// deletes them otherwise, and no answer repeats anything of the body.
func (s *Server) registerConnect(r *gin.Engine) {
	r.POST(app.ConnectPath+":platform", func(c *gin.Context) {
		platform := affiliate.Platform(c.Param("platform"))
		body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxKeys))
		if err != nil {
			s.hangUp(c)
			s.refuseKeys(c, platform, err)
			return
		}
		if err := s.App.ReceiveAccess(c.Request.Context(), platform, c.ClientIP(), body); err != nil {
			s.refuseKeys(c, platform, err)
			return
		}
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
	})
}

// refuseKeys answers what was not kept.
func (s *Server) refuseKeys(c *gin.Context, platform affiliate.Platform, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		writeProblem(c, CodeTooLarge, "", "The body is larger than the keys of a store are.")
		return
	}
	s.App.Refused(app.RefusedKeys, c.ClientIP(), "platform", platform)
	p := ProblemOf(err)
	if p.Instance != "" {
		LogProblem(c.Request.Context(), s.Log, &s.faults, p, "keys of a store not kept", "platform", platform,
			"instance", p.Instance, "error", err)
	}
	AnswerProblem(c, p)
}
