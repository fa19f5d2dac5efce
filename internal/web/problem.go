package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Problem is an error as every endpoint answers it: a problem document (RFC 9457) with a stable code for machines and
// the field that is wrong, where one is.
type Problem struct {
	Type     string         `json:"type" format:"uri-reference" doc:"Leads to what the code means and what to do" example:"/docs/problems#not_found"`
	Title    string         `json:"title" doc:"What kind of problem this is; the same for every problem of its type"`
	Status   int            `json:"status" doc:"The HTTP status"`
	Code     string         `json:"code" doc:"A stable word for machines" example:"not_found"`
	Detail   string         `json:"detail,omitempty" doc:"What is wrong, in words, with the remedy where there is one"`
	Field    string         `json:"field,omitempty" doc:"The field that is wrong"`
	Errors   []FieldProblem `json:"errors,omitempty" doc:"All fields that are wrong, where several are"`
	Instance string         `json:"instance,omitempty" format:"uri-reference" doc:"Only where the fault is ours: names this occurrence, as the server's log does"`

	retryAfter int // seconds; 0: nothing is said about when to try again
}

// FieldProblem is what is wrong with one field.
type FieldProblem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
	Line   int    `json:"line,omitempty" doc:"Of an imported file: the line, or the row of the sheet"`
	Text   string `json:"text,omitempty" doc:"Of an imported file: the cell as it is written"`
}

func (p *Problem) Error() string             { return p.Detail }
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// internalDetail is all that the outside learns of an error that is our fault; the log has the rest.
const internalDetail = "Something went wrong on our side. It has been logged; trying again may help."

func newProblem(status int, code, field, detail string) *Problem {
	p := &Problem{Type: problemPage + "#" + code, Title: problemKinds[code].title, Status: status, Code: code,
		Field: field, Detail: detail}
	if p.Title == "" {
		p.Type, p.Title = "about:blank", http.StatusText(status) // RFC 9457 wants this pair for what has no page
	}
	return p
}

// tooManyRetry is after how many seconds whoever has too much at once may try again.
const tooManyRetry = 5

// TooManyAtOnce is the problem of a caller who has, or of a server that has, as much of something open as may be.
func TooManyAtOnce(detail string) *Problem {
	p := newProblem(http.StatusTooManyRequests, codeTooManyAtOnce, "", detail)
	p.retryAfter = tooManyRetry
	return p
}

// ourFault gives the problem a name that the log shares with the answer, so that a report about one finds the other.
func (p *Problem) ourFault() *Problem {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	p.Instance = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	return p
}

// ProblemOf is the one place that maps errors to HTTP, for the API and for pages: to a status, a code and a sentence.
// An unknown error becomes a 500 with a fixed sentence; the caller logs it with the problem's instance.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, "",
			fmt.Sprintf("That is too much at once: at most %d MB can be sent.", tooLarge.Limit>>20))
	}
	var e *affiliate.Error
	if !errors.As(err, &e) {
		if storage.IsUnavailable(err) {
			return newProblem(http.StatusServiceUnavailable, string(affiliate.Unavailable), "",
				"The database cannot be reached now; try again in a moment.").ourFault()
		}
		return newProblem(http.StatusInternalServerError, codeInternal, "", internalDetail).ourFault()
	}
	code := e.Code
	if code == "" {
		code = string(e.Kind)
	}
	status := statusOf(e.Kind)
	if kind, known := problemKinds[code]; known {
		status = kind.status
	}
	p = newProblem(status, code, e.Field, e.Message)
	switch {
	case code == codeRateLimited:
		p.retryAfter = int(time.Minute / time.Second)
	case code == storage.CodeNotWritable:
		p.retryAfter = retryWriting // the server tells the state in its log, not each request
	case status >= http.StatusInternalServerError:
		p.ourFault()
	}
	return p
}

// retryWriting is after how many seconds a write is worth another try while nothing new can be kept: a person has to
// make room.
const retryWriting = 60

// statusOf gives the HTTP status of a kind of error.
func statusOf(k affiliate.ErrorKind) int {
	switch k {
	case affiliate.Invalid:
		return http.StatusUnprocessableEntity
	case affiliate.NotFound:
		return http.StatusNotFound
	case affiliate.Conflict:
		return http.StatusConflict
	case affiliate.Forbidden:
		return http.StatusForbidden
	case affiliate.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// writeProblem answers a plain gin request with a problem document.
func writeProblem(c *gin.Context, status int, code, field, detail string) {
	answerProblem(c, newProblem(status, code, field, detail))
}

// answerProblem ends a request with a problem.
func answerProblem(c *gin.Context, p *Problem) {
	body, _ := json.Marshal(p) // strings and numbers always marshal
	// The answer that this one takes the place of may have set both.
	c.Writer.Header().Del("ETag")
	c.Header("Content-Type", problemType)
	p.Headers(c.Header)
	c.Abort()
	c.Data(p.Status, problemType, body)
}

// LogFault logs the error that ended a request. When whoever asked has gone away meanwhile, it is most likely the echo
// of that: a query that was told to stop. Nobody reads the answer and nothing is broken, so nobody is to be woken for
// it.
func LogFault(ctx context.Context, log *slog.Logger, message string, args ...any) {
	level, args := faultLevel(ctx, args)
	log.Log(ctx, level, message, args...)
}

// LogProblem is LogFault for a problem. An outage, which many requests share, is told in few lines; a fault of this
// program each time that it shows.
func LogProblem(ctx context.Context, log *slog.Logger, lines *app.Seldom, p *Problem, message string, args ...any) {
	if p.Status == http.StatusServiceUnavailable {
		logOutage(ctx, log, lines, message, args...)
		return
	}
	LogFault(ctx, log, message, args...)
}

func logOutage(ctx context.Context, log *slog.Logger, lines *app.Seldom, message string, args ...any) {
	level, args := faultLevel(ctx, args)
	lines.Log(log, level, level.String(), message, args...)
}

func faultLevel(ctx context.Context, args []any) (slog.Level, []any) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return slog.LevelInfo, append(args, "gone", true)
	}
	return slog.LevelError, args
}

// answerError ends a plain gin request with what an error maps to, and logs what is our fault.
func (s *Server) answerError(c *gin.Context, err error) {
	p := ProblemOf(err)
	if p.Instance != "" {
		LogProblem(c.Request.Context(), s.Log, &s.faults, p, "request failed", "method", c.Request.Method, "path",
			c.FullPath(), "status", p.Status, "instance", p.Instance, "error", err)
	}
	answerProblem(c, p)
}

// Headers sets the headers that belong to some statuses.
func (p *Problem) Headers(set func(name, value string)) {
	if p.Status == http.StatusUnauthorized {
		set("WWW-Authenticate", `Bearer realm="tributary"`)
	}
	retryAfter := p.retryAfter
	if retryAfter == 0 && p.Status == http.StatusServiceUnavailable {
		retryAfter = 5
	}
	if retryAfter > 0 {
		set("Retry-After", strconv.Itoa(retryAfter))
	}
}

// humaErrors makes huma's own refusals (unreadable body, failed validation) problems of ours. huma keeps the function
// in a package variable, so it is set once for the process.
var humaErrors = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return humaProblem(status, message, errs)
	}
})

func humaProblem(status int, message string, errs []error) *Problem {
	if status >= http.StatusInternalServerError {
		return newProblem(http.StatusInternalServerError, codeInternal, "", internalDetail)
	}
	var most int64
	if _, err := fmt.Sscanf(message, "request body is too large limit=%d bytes", &most); err == nil {
		return bodyTooLarge(most)
	}
	p := newProblem(status, humaCode(status), "", message)
	for _, err := range errs {
		if err == nil {
			continue
		}
		p.Errors = append(p.Errors, fieldProblem(err))
	}
	if len(p.Errors) > 0 {
		first := p.Errors[0]
		p.Field, p.Detail = first.Field, strings.TrimSpace(fmt.Sprintf("%s %s", first.Field, first.Detail))
	}
	if len(p.Errors) == 1 {
		p.Errors = nil
	}
	return p
}

// bodyTooLarge says how much an address takes, and what to do with a file that is larger.
func bodyTooLarge(most int64) *Problem {
	detail := fmt.Sprintf("The body is larger than the %s that this address takes; send it in several parts.",
		strings.TrimSuffix(fmt.Sprintf("%.1f", float64(most)/(1<<20)), ".0")+" MB")
	if most == MaxImport {
		detail += fmt.Sprintf(" A file to import is divided into several, each with the line that names the columns, "+
			"or imported whole, up to %d MB, by the command tributary import.", app.MaxImport>>20)
	}
	return newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, "", detail)
}

func fieldProblem(err error) FieldProblem {
	d, ok := err.(huma.ErrorDetailer)
	if !ok {
		return FieldProblem{Detail: err.Error()}
	}
	detail := d.ErrorDetail()
	f := FieldProblem{Field: fieldOf(detail.Location), Detail: detail.Message}
	// A missing property is reported at the object that lacks it.
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if rest, ok := strings.CutPrefix(detail.Message, before); ok {
		missing := strings.TrimSuffix(rest, after)
		f = FieldProblem{Field: strings.TrimPrefix(f.Field+"."+missing, "."), Detail: "is missing"}
	}
	if detail.Message == "unknown query parameter" {
		f.Detail = "is not a parameter of this address"
	}
	return f
}

// humaCode is the code of what huma refuses by itself. There is one for each of its statuses but 422.
func humaCode(status int) string {
	switch status {
	case http.StatusBadRequest:
		return codeUnreadable
	case http.StatusRequestTimeout:
		return codeTooSlow
	case http.StatusRequestEntityTooLarge:
		return codeTooLarge
	case http.StatusUnsupportedMediaType:
		return codeUnsupportedMediaType
	}
	return string(affiliate.Invalid)
}

// fieldOf takes "name" from "body.name": the caller knows where it put the field.
func fieldOf(location string) string {
	for _, where := range []string{"body", "query", "path", "header"} {
		if rest, ok := strings.CutPrefix(location, where); ok && (rest == "" || rest[0] == '.') {
			return strings.TrimPrefix(rest, ".")
		}
	}
	return location
}
