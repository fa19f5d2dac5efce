package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/web"
)

// humaErrors makes huma's own refusals (unreadable body, failed validation) problems of ours. huma keeps the function
// in a package variable, so it is set once for the process.
var humaErrors = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return humaProblem(status, message, errs)
	}
})

func humaProblem(status int, message string, errs []error) *web.Problem {
	if status >= http.StatusInternalServerError {
		return web.NewProblem(web.CodeInternal, "", web.InternalDetail)
	}
	var most int64
	if _, err := fmt.Sscanf(message, "request body is too large limit=%d bytes", &most); err == nil {
		return bodyTooLarge(most)
	}
	p := web.NewProblem(humaCode(status), "", message)
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
func bodyTooLarge(most int64) *web.Problem {
	remedy := "send it in several parts"
	if most == app.MaxResults {
		remedy = "narrow the file, such as to a month"
	}
	detail := fmt.Sprintf("The body is larger than the %s that this address takes; %s.",
		strings.TrimSuffix(fmt.Sprintf("%.1f", float64(most)/(1<<20)), ".0")+" MB", remedy)
	if most == web.MaxImport {
		detail += fmt.Sprintf(" A file to import is divided into several, each with the line that names the columns, "+
			"or imported whole, up to %d MB, by the command tributary import.", app.MaxImport>>20)
	}
	return web.NewProblem(web.CodeTooLarge, "", detail)
}

func fieldProblem(err error) web.FieldProblem {
	d, ok := err.(huma.ErrorDetailer)
	if !ok {
		return web.FieldProblem{Detail: err.Error()}
	}
	detail := d.ErrorDetail()
	f := web.FieldProblem{Field: fieldOf(detail.Location), Detail: detail.Message}
	// A missing property is reported at the object that lacks it.
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if rest, ok := strings.CutPrefix(detail.Message, before); ok {
		missing := strings.TrimSuffix(rest, after)
		f = web.FieldProblem{Field: strings.TrimPrefix(f.Field+"."+missing, "."), Detail: "is missing"}
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
		return web.CodeUnreadable
	case http.StatusRequestTimeout:
		return web.CodeTooSlow
	case http.StatusRequestEntityTooLarge:
		return web.CodeTooLarge
	case http.StatusUnsupportedMediaType:
		return web.CodeUnsupportedMediaType
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
