package web

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Problem is an error as every endpoint answers it: a problem document (RFC 9457) with a stable code for machines and
// the field that is wrong, where one is.
type Problem struct {
	Title  string         `json:"title" doc:"What kind of problem this is"`
	Status int            `json:"status" doc:"The HTTP status"`
	Code   string         `json:"code" doc:"A stable word for machines" example:"not_found"`
	Detail string         `json:"detail,omitempty" doc:"What is wrong, in words, with the remedy where there is one"`
	Field  string         `json:"field,omitempty" doc:"The field that is wrong"`
	Errors []FieldProblem `json:"errors,omitempty" doc:"All fields that are wrong, where several are"`
}

// FieldProblem is what is wrong with one field.
type FieldProblem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string             { return p.Detail }
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// Stable codes that are no kinds of affiliate.Error.
const (
	codeUnauthenticated  = "unauthenticated"
	codeInternal         = "internal"
	codeTooLarge         = "too_large"
	codeMethodNotAllowed = "method_not_allowed"
)

// internalDetail is all that the outside learns of an error that is our fault; the log has the rest.
const internalDetail = "Something went wrong on our side. It has been logged; trying again may help."

func newProblem(status int, code, field, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Field: field, Detail: detail}
}

// problemOf is the one place that maps errors to HTTP. An unknown error becomes a 500 with a fixed sentence; the caller
// logs it.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var e *affiliate.Error
	if !errors.As(err, &e) {
		if databaseGone(err) {
			return newProblem(http.StatusServiceUnavailable, string(affiliate.Unavailable), "", "The database cannot be reached now; try again in a moment.")
		}
		return newProblem(http.StatusInternalServerError, codeInternal, "", internalDetail)
	}
	code := e.Code
	if code == "" {
		code = string(e.Kind)
	}
	return newProblem(statusOf(e.Kind), code, e.Field, e.Message)
}

// databaseGone says whether an error means that the database cannot be reached, as against any other fault of ours.
func databaseGone(err error) bool {
	var refused net.Error
	return errors.Is(err, driver.ErrBadConn) || (errors.As(err, &refused) && !errors.Is(err, context.Canceled))
}

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
	problemHeaders(c.Header, p)
	c.Abort()
	c.Data(p.Status, problemType, body)
}

// answerError ends a plain gin request with what an error maps to, and logs what is our fault.
func (s *Server) answerError(c *gin.Context, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		s.Log.Error("request failed", "method", c.Request.Method, "path", c.FullPath(), "status", p.Status, "error", err)
	}
	answerProblem(c, p)
}

// problemHeaders sets the headers that belong to some statuses.
func problemHeaders(set func(name, value string), p *Problem) {
	switch p.Status {
	case http.StatusUnauthorized:
		set("WWW-Authenticate", `Bearer realm="tributary"`)
	case http.StatusServiceUnavailable:
		set("Retry-After", "5")
	}
}

// humaErrors makes huma's own refusals (unreadable body, failed validation) problems of ours. huma keeps the function in
// a package variable, so it is set once for the process.
var humaErrors = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return humaProblem(status, message, errs)
	}
})

func humaProblem(status int, message string, errs []error) *Problem {
	if status == http.StatusInternalServerError {
		return newProblem(status, codeInternal, "", internalDetail)
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
	return f
}

func humaCode(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "unreadable"
	case http.StatusRequestEntityTooLarge:
		return codeTooLarge
	case http.StatusNotAcceptable:
		return "not_acceptable"
	case http.StatusUnsupportedMediaType:
		return "unsupported_media_type"
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
