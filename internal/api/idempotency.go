package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// idempotencyKey is the header by which a caller names what is to be done once, however often it is asked for.
const (
	idempotencyKey    = "Idempotency-Key"
	maxIdempotencyKey = 255
)

// idempotent lets a write with an Idempotency-Key have its effect once. The request is noted as started before it runs;
// the transaction of its effect marks it as applied; its answer is kept, and repeats get that. So a crash leaves either
// no effect, and a repeat runs, or an applied one without an answer, and a repeat is told to look.
//
// What is kept: an answer of success, and any other after an effect. A refusal without an effect (validation, conflict,
// permission) leaves the key free: the same request may succeed later, and nothing can happen twice. Nor is a fault of
// ours (5xx) kept as an answer.
func (a *API) idempotent(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header(idempotencyKey)
	if key == "" {
		next(ctx)
		return
	}
	c := humagin.Unwrap(ctx)
	if err := checkKey(key); err != nil {
		a.server.AnswerError(c, err)
		return
	}
	body, problem := wholeBody(ctx)
	if problem != nil {
		web.AnswerProblem(c, problem)
		return
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	run := storage.IdempotentRequest{Principal: app.Asker(ctx.Context()).ID, Key: key,
		Request: fingerprint(c.Request, body), StartedAt: a.App.Now().UTC().Truncate(time.Microsecond)}
	known, err := a.App.DB.BeginIdempotent(ctx.Context(), run)
	if err != nil {
		a.server.AnswerError(c, err)
		return
	}
	if known != nil {
		a.repeat(c, run, *known)
		return
	}
	a.runOnce(ctx, c, run, next)
}

// runOnce runs a request and keeps its answer before it is sent.
func (a *API) runOnce(ctx huma.Context, c *gin.Context, run storage.IdempotentRequest, next func(huma.Context)) {
	answer := &heldAnswer{ResponseWriter: c.Writer}
	c.Writer = answer
	returned := false
	defer func() {
		c.Writer = answer.ResponseWriter
		if !returned { // it panicked
			a.conclude(ctx.Context(), run, http.StatusInternalServerError, nil, nil)
		}
	}()
	next(huma.WithContext(ctx, storage.Alongside(ctx.Context(), func(ctx context.Context, tx *storage.Tx) error {
		return tx.ApplyIdempotent(ctx, run)
	})))
	returned = true
	a.conclude(ctx.Context(), run, answer.Status(), answer.Header(), answer.body.Bytes())
	answer.send()
}

// concludeTime is how long the end of a request may take. Its caller may be gone: that is what repeats are for.
const concludeTime = 10 * time.Second

// conclude keeps the answer of a request, or frees its key. When that fails, the key stays as it is: repeats are told
// to wait, then to look (effect) or to run (none).
func (a *API) conclude(ctx context.Context, run storage.IdempotentRequest, status int, header http.Header,
	body []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeTime)
	defer cancel()
	var err error
	if keep := status < http.StatusBadRequest; !keep {
		var free bool
		if free, err = a.App.DB.ForgetIdempotent(ctx, run); err == nil &&
			(free || status >= http.StatusInternalServerError) {
			return
		}
	}
	if err == nil {
		headers, _ := json.Marshal(keptHeaders(header)) // strings always marshal
		err = a.App.DB.AnswerIdempotent(ctx, run, status, string(headers), a.App.Sealer.Seal(app.SealAnswer, body))
	}
	if err != nil {
		a.Log.Error("the answer to an Idempotency-Key is not kept", "principal", run.Principal, "key", run.Key,
			"status", status, "error", err)
	}
}

// keptHeaders are those that belong to the answer, and not to the moment or the connection.
func keptHeaders(header http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"Content-Type", "Etag", "Location", "Content-Disposition"} {
		if v := header.Get(name); v != "" {
			kept[name] = v
		}
	}
	return kept
}

// repeat answers a request whose key is known.
func (a *API) repeat(c *gin.Context, run storage.IdempotentRequest, known storage.IdempotentAnswer) {
	refuse := func(code string, retryAfter int, detail string) {
		p := web.NewProblem(code, idempotencyKey, detail)
		p.RetryAfter = retryAfter
		web.AnswerProblem(c, p)
	}
	const lost = "This was carried out, but its answer is lost, and it is not done again. Read what it was about to " +
		"see how it is now; for another thing to be done, use a new key."
	switch {
	case !bytes.Equal(known.Request, run.Request):
		refuse(web.CodeKeyReused, 0, "This key was used for another request. Use a new key for each thing to be done, "+
			"and the same one only to repeat it.")
	case known.State == storage.IdempotencyAnswered:
		body, err := a.App.Sealer.Open(app.SealAnswer, known.Body)
		if err != nil {
			refuse(web.CodeKeyAnswerLost, 0, lost)
			return
		}
		var headers map[string]string
		_ = json.Unmarshal([]byte(known.Headers), &headers) // written above
		for name, v := range headers {
			c.Header(name, v)
		}
		c.Header("Idempotency-Replayed", "true")
		c.Status(known.Status)
		_, _ = c.Writer.Write(body) // a caller who is gone may ask again
	case known.State == storage.IdempotencyApplied &&
		run.StartedAt.Sub(known.CreatedAt.Time) >= storage.IdempotencyPatience:
		refuse(web.CodeKeyAnswerLost, 0, lost)
	default:
		refuse(web.CodeKeyInProgress, 1, "The first request with this key is still running; repeat this after the "+
			"seconds in Retry-After to get its answer.")
	}
}

func checkKey(key string) error {
	if len(key) > maxIdempotencyKey {
		return affiliate.FieldErrorf(idempotencyKey, "has %d characters; at most %d are possible", len(key),
			maxIdempotencyKey)
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return affiliate.FieldErrorf(idempotencyKey, "may hold visible ASCII characters only; a UUID is a good key")
		}
	}
	return nil
}

// fingerprint tells requests apart: the same one has the same method, address and body. None of the first three can
// hold a line end.
func fingerprint(r *http.Request, body []byte) []byte {
	h := sha256.New()
	io.WriteString(h, r.Method+"\n"+r.URL.EscapedPath()+"\n"+r.URL.RawQuery+"\n")
	h.Write(body)
	return h.Sum(nil)
}

// defaultBody is the largest body that huma takes where an operation says nothing.
const defaultBody = 1 << 20

// wholeBody reads the body under the limits that huma would set, since it must be known before the request runs.
func wholeBody(ctx huma.Context) ([]byte, *web.Problem) {
	most, patience := ctx.Operation().MaxBodyBytes, ctx.Operation().BodyReadTimeout
	if most <= 0 {
		most = defaultBody
	}
	if patience > 0 {
		_ = ctx.SetReadDeadline(time.Now().Add(patience)) // without it the server's own deadline holds
	}
	body, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), most+1))
	var late net.Error
	switch {
	case errors.As(err, &late) && late.Timeout():
		return nil, web.NewProblem(web.CodeTooSlow, "",
			"The body came too slowly; send the request again.")
	case err != nil:
		return nil, web.NewProblem(web.CodeUnreadable, "", "The body broke off before its end.")
	case int64(len(body)) > most:
		return nil, bodyTooLarge(most)
	}
	return body, nil
}

// heldAnswer keeps an answer back until it is known to be kept.
type heldAnswer struct {
	gin.ResponseWriter
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) WriteHeader(status int)               { a.status = status }
func (a *heldAnswer) WriteHeaderNow()                      {}
func (a *heldAnswer) Write(p []byte) (int, error)          { return a.body.Write(p) }
func (a *heldAnswer) WriteString(text string) (int, error) { return a.body.WriteString(text) }
func (a *heldAnswer) Written() bool                        { return a.status != 0 || a.body.Len() > 0 }
func (a *heldAnswer) Size() int                            { return a.body.Len() }
func (a *heldAnswer) Flush()                               {}
func (a *heldAnswer) Unwrap() http.ResponseWriter          { return a.ResponseWriter }

func (a *heldAnswer) Status() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}

func (a *heldAnswer) send() {
	a.ResponseWriter.WriteHeader(a.Status())
	if a.body.Len() == 0 {
		a.ResponseWriter.WriteHeaderNow()
		return
	}
	_, _ = a.ResponseWriter.Write(a.body.Bytes()) // a caller who is gone may ask again
}
