package web

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

func (s *Server) registerRedirects(r *gin.Engine) {
	r.GET("/l/:slug", s.followLink)
	r.HEAD("/l/:slug", s.followLink)
}

// followLink sends a visitor on to the link's landing page. Each answer has a click id of its own, so none may be kept
// by a cache.
func (s *Server) followLink(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Writer.Header().Del("Referrer-Policy") // the store's own analytics may see where the visitor came from
	address, err := s.Links.Follow(c.Request.Context(), c.Param("slug"), app.Visit{Address: c.ClientIP(),
		UserAgent: c.Request.UserAgent(), Referrer: c.Request.Referer(), Prefetch: isPrefetch(c.Request)})
	if affiliate.KindOf(err) == affiliate.NotFound {
		c.Data(http.StatusNotFound, "text/html; charset=utf-8", []byte(linkGonePage))
		return
	}
	if err != nil {
		s.AnswerError(c, err)
		return
	}
	c.Header("Location", address)
	c.Status(http.StatusFound)
	c.Writer.WriteHeaderNow()
}

// isPrefetch recognises requests that no person made: browsers that look ahead, and HEAD.
func isPrefetch(r *http.Request) bool {
	return r.Method == http.MethodHead ||
		strings.Contains(r.Header.Get("Sec-Purpose")+r.Header.Get("Purpose")+r.Header.Get("X-Moz"), "prefetch")
}

const linkGonePage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Link not found</title></head>
<body><h1>This link does not exist</h1><p>It may have ended, or its address may be misspelt.</p></body></html>
`
