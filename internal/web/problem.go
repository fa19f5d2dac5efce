package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

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

	RetryAfter int `json:"-"` // seconds; 0: nothing is said about when to try again
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
func (p *Problem) ContentType(string) string { return ProblemType }

const ProblemType = "application/problem+json"

// InternalDetail is all that the outside learns of an error that is our fault; the log has the rest.
const InternalDetail = "Something went wrong on our side. It has been logged; trying again may help."

// NewProblem makes the problem that a code stands for. field may be empty, where no field is wrong.
func NewProblem(code, field, detail string) *Problem {
	kind := problemKinds[code]
	return &Problem{Type: problemPage + "#" + code, Title: kind.title, Status: kind.status, Code: code, Field: field,
		Detail: detail}
}

// noCode makes the problem of a status for which there is no code with a page of its own.
func noCode(status int, code, field, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Field: field,
		Detail: detail} // RFC 9457 wants this pair of type and title
}

// tooManyRetry is after how many seconds whoever has too much at once may try again.
const tooManyRetry = 5

// TooManyAtOnce is the problem of a caller who has, or of a server that has, as much of something open as may be.
func TooManyAtOnce(detail string) *Problem {
	p := NewProblem(CodeTooManyAtOnce, "", detail)
	p.RetryAfter = tooManyRetry
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
		return NewProblem(CodeTooLarge, "",
			fmt.Sprintf("That is too much at once: at most %d MB can be sent.", tooLarge.Limit>>20))
	}
	var e *affiliate.Error
	if !errors.As(err, &e) {
		if storage.IsUnavailable(err) {
			return NewProblem(string(affiliate.Unavailable), "",
				"The database cannot be reached now; try again in a moment.").ourFault()
		}
		return NewProblem(CodeInternal, "", InternalDetail).ourFault()
	}
	code := cmp.Or(e.Code, string(e.Kind))
	if strings.HasPrefix(e.Code, "store_") { // what a store refuses is no matter of the caller's rights
		code = string(e.Kind)
		if e.Kind == affiliate.Forbidden {
			code = string(affiliate.Conflict)
		}
	}
	if _, known := problemKinds[code]; known {
		p = NewProblem(code, e.Field, e.Message)
	} else {
		status := cmp.Or(problemKinds[string(e.Kind)].status, http.StatusInternalServerError)
		p = noCode(status, code, e.Field, e.Message)
	}
	switch {
	case code == CodeRateLimited:
		p.RetryAfter = int(time.Minute / time.Second)
	case code == storage.CodeNotWritable:
		p.RetryAfter = retryWriting // the server tells the state in its log, not each request
	case p.Status >= http.StatusInternalServerError:
		p.ourFault()
	}
	return p
}

// retryWriting is after how many seconds a write is worth another try while nothing new can be kept: a person has to
// make room.
const retryWriting = 60

// writeProblem answers a plain gin request with a problem document.
func writeProblem(c *gin.Context, code, field, detail string) {
	AnswerProblem(c, NewProblem(code, field, detail))
}

// AnswerProblem ends a request with a problem.
func AnswerProblem(c *gin.Context, p *Problem) {
	body, _ := json.Marshal(p) // strings and numbers always marshal
	// The answer that this one takes the place of may have set both.
	c.Writer.Header().Del("ETag")
	c.Header("Content-Type", ProblemType)
	p.Headers(c.Header)
	c.Abort()
	c.Data(p.Status, ProblemType, body)
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

// AnswerError ends a plain gin request with what an error maps to, and logs what is our fault.
func (s *Server) AnswerError(c *gin.Context, err error) {
	p := ProblemOf(err)
	if p.Instance != "" {
		LogProblem(c.Request.Context(), s.Log, &s.faults, p, "request failed", "method", c.Request.Method, "path",
			c.FullPath(), "status", p.Status, "instance", p.Instance, "error", err)
	}
	AnswerProblem(c, p)
}

// Headers sets the headers that belong to some statuses.
func (p *Problem) Headers(set func(name, value string)) {
	if p.Status == http.StatusUnauthorized {
		set("WWW-Authenticate", `Bearer realm="tributary"`)
	}
	retryAfter := p.RetryAfter
	if retryAfter == 0 && p.Status == http.StatusServiceUnavailable {
		retryAfter = 5
	}
	if retryAfter > 0 {
		set("Retry-After", strconv.Itoa(retryAfter))
	}
}
