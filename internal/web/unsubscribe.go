package web

import (
	"fmt"
	"html"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// maxUnsubscribe is the largest body of a request to unsubscribe, in bytes: it says List-Unsubscribe=One-Click, or
// nothing.
const maxUnsubscribe = 1 << 10

// registerUnsubscribe adds where recipients of mails unsubscribe. Nobody is signed in there, and requests come from any
// site: providers of mail send them for whoever clicks (RFC 8058). The token in the address is all that counts, and it
// is checked before anything is looked up. GET changes nothing: scanners of mails follow every link.
func (s *Server) registerUnsubscribe(r *gin.Engine) {
	r.GET("/u/:token", s.askUnsubscribe)
	r.POST("/u/:token", s.unsubscribe)
}

func (s *Server) askUnsubscribe(c *gin.Context) {
	masked, done, err := s.App.Unsubscriber(c.Request.Context(), c.Param("token"))
	switch {
	case err != nil:
		s.unsubscribeFailed(c, err)
	case done:
		unsubscribePage(c, http.StatusOK, "You get no more such mails", "<p>"+html.EscapeString(masked)+
			" has been taken off the list. Mails about payments to you still come.</p>")
	default:
		unsubscribePage(c, http.StatusOK, "No more such mails?", "<p>"+html.EscapeString(masked)+
			" will get no more mails like this one. Mails about payments to you still come.</p>\n"+
			`<form method="post"><button type="submit">No more such mails</button></form>`)
	}
}

func (s *Server) unsubscribe(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxUnsubscribe)
	if err := s.App.Unsubscribe(c.Request.Context(), c.Param("token")); err != nil {
		s.unsubscribeFailed(c, err)
		return
	}
	unsubscribePage(c, http.StatusOK, "You get no more such mails",
		"<p>Your address has been taken off the list. Mails about payments to you still come.</p>")
}

// unsubscribeFailed answers an address that is none to a person, and what is our fault as elsewhere.
func (s *Server) unsubscribeFailed(c *gin.Context, err error) {
	if affiliate.KindOf(err) == affiliate.NotFound {
		unsubscribePage(c, http.StatusNotFound, "This address is of no mail",
			"<p>Open the link in the mail again, or reply to the mail.</p>")
		return
	}
	s.AnswerError(c, err)
}

// unsubscribePage answers with a small page that needs nothing from anywhere.
func unsubscribePage(c *gin.Context, status int, title, text string) {
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Security-Policy",
		"default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	c.Header("X-Robots-Tag", "noindex")
	c.Data(status, "text/html; charset=utf-8", fmt.Appendf(nil, `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`+
		`<title>%s</title></head>
<body><h1>%s</h1>
%s
</body></html>
`, title, title, text))
}
