package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// mostPayoutNews is the largest body of what a provider of payouts sends, in bytes; they have some two thousand.
const mostPayoutNews = 256 << 10

// hearPayouts takes what a provider of payouts sends by itself. It is answered 200 once the part that it is about is
// due to be asked about, or where it is about none; what it says is not believed, but asked for.
func (s *Server) hearPayouts(c *gin.Context, rail affiliate.Rail) {
	body, err := s.unverified.read(c, mostPayoutNews)
	defer body.release()
	switch {
	case errors.Is(err, errTooLarge):
		s.hangUp(c)
		writeProblem(c, CodeTooLarge, "", "The body is larger than what is sent of payouts.")
		return
	case err != nil:
		s.hangUp(c)
		writeProblem(c, string(affiliate.Unavailable), "", "The body did not come in whole; send it again.")
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestLimit/2)
	defer cancel()
	err = s.App.HearPayouts(ctx, rail, c.ClientIP(), c.Request.Header, body.b)
	switch {
	case err == nil:
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
	case affiliate.KindOf(err) == affiliate.Forbidden:
		s.App.Refused(app.RefusedDelivery, c.ClientIP(), "reason", "bad_signature", "rail", rail)
		writeProblem(c, CodeBadSignature, "", "The provider of payouts does not say that it has sent this.")
	default:
		s.faults.Log(s.Log, slog.LevelWarn, "", "what a provider sent of payouts is not taken", "rail", rail, "error",
			err)
		writeProblem(c, string(affiliate.Unavailable), "", "It could not be taken; send it again.")
	}
}
