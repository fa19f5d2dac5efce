package web

import (
	"bytes"
	"cmp"
	"html/template"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Stable codes that are no kinds of affiliate.Error.
const (
	CodeBadSignature         = "bad_signature"
	CodeChangedMeanwhile     = "changed_meanwhile"
	CodeInternal             = "internal"
	CodeKeyReused            = "idempotency_key_reused"
	CodeKeyInProgress        = "idempotency_in_progress"
	CodeKeyAnswerLost        = "idempotency_answer_lost"
	CodeMethodNotAllowed     = "method_not_allowed"
	CodeOtherShop            = "other_shop"
	CodeRateLimited          = "rate_limited"
	CodeTooLarge             = "too_large"
	CodeTooManyAtOnce        = "too_many_at_once"
	CodeTooManyAttempts      = "too_many_attempts"
	CodeTooSlow              = "too_slow"
	CodeUnauthenticated      = "unauthenticated"
	CodeUnknownStore         = "unknown_store"
	CodeUnreadable           = "unreadable"
	CodeUnsupportedMediaType = "unsupported_media_type"
	CodeVersionConflict      = "version_conflict"
)

// problemKind is what a code stands for: the status that it is answered with, a title, and what it means with what to
// do.
type problemKind struct {
	status         int
	title, meaning string
}

// problemKinds has every code there is. A code that an error of another package carries must stand here too.
var problemKinds = map[string]problemKind{
	string(affiliate.Invalid): {http.StatusUnprocessableEntity, "A value is not valid",
		"A value in the body, the query or a header is wrong. field names it; several wrong ones are all in errors. " +
			"Sending the same again changes nothing."},
	string(affiliate.NotFound): {http.StatusNotFound, "There is no such thing",
		"The id, slug or address leads to nothing."},
	string(affiliate.Conflict): {http.StatusConflict, "It contradicts what is there", "The request is in order, " +
		"but something that exists stands against it: a name that is taken, a code that somebody owns. detail says " +
		"what."},
	string(affiliate.Forbidden): {http.StatusForbidden, "The token may not do this",
		"The token's role is too low; detail names the role that is needed. An owner makes another token."},
	string(affiliate.Unavailable): {http.StatusServiceUnavailable, "Not possible at the moment",
		"The database, or another part that this needs, cannot be reached now. Try again after the seconds in " +
			"Retry-After."},
	CodeBadSignature: {http.StatusUnauthorized, "The delivery's signature is wrong",
		"Only for deliveries of stores. The webhook secret in the store differs from the one that was set here."},
	CodeChangedMeanwhile: {http.StatusPreconditionFailed, "It has been changed meanwhile",
		"The ETag in If-Match is not that of the version there is now. Read the thing again, look at what changed, " +
			"and repeat the change."},
	CodeInternal: {http.StatusInternalServerError, "A fault on the server's side",
		"It has been logged with the id in instance. Trying again may help."},
	CodeKeyReused: {http.StatusUnprocessableEntity, "The Idempotency-Key belongs to another request",
		"A request with another method, address or body used this key within the last 24 hours. Nothing was done. " +
			"Make a new key for each thing to be done."},
	CodeKeyInProgress: {http.StatusConflict, "The first request with this Idempotency-Key is still running",
		"Nothing was done. Repeat the request after the seconds in Retry-After to get the answer of the first."},
	CodeKeyAnswerLost: {http.StatusConflict, "It was done, but its answer is lost",
		"The request with this Idempotency-Key had its effect, but the server stopped before the answer was kept. It " +
			"is not done again: read the thing, or its list, to see what it is now."},
	CodeMethodNotAllowed: {http.StatusMethodNotAllowed, "The address does not answer this method",
		"The address exists, for other methods."},
	storage.CodeNotWritable: {http.StatusServiceUnavailable, "Nothing new can be kept at the moment",
		"The server's disk is full or cannot be written, or its database can only be read. Nothing was done. " +
			"Reading goes on; writing goes on by itself when there is room again. detail says what to do. Try again " +
			"after the seconds in Retry-After."},
	CodeOtherShop: {http.StatusForbidden, "The delivery is of another shop",
		"Only for deliveries of stores. The signature fits, for shops that share an app share its secret; but " +
			"the header that names the shop, which detail tells, names another than the one connected under this " +
			"address."},
	CodeRateLimited: {http.StatusTooManyRequests, "Too many requests", "The token, or without a valid " +
		"token the address, has used up its requests. Go on after the seconds in Retry-After."},
	CodeTooLarge: {http.StatusRequestEntityTooLarge, "The body is too large",
		"The body has more bytes than this address takes."},
	CodeTooManyAtOnce: {http.StatusTooManyRequests, "Too much at once", "The token or person has as many exports or " +
		"live streams open as one may, or all that the server has are taken. End one, or try again after the seconds " +
		"in Retry-After."},
	CodeTooManyAttempts: {http.StatusTooManyRequests, "Too many sign-ins failed",
		"Only for people who sign in. Wait as long as detail says, or sign in with a browser that did before."},
	CodeTooSlow: {http.StatusRequestTimeout, "The body came too slowly",
		"The connection is too slow or broke off. Send the request again."},
	CodeUnauthenticated: {http.StatusUnauthorized, "A valid token is needed",
		"The header Authorization is missing, or its token is not known, was ended, or has expired; detail says " +
			"which."},
	CodeUnknownStore: {http.StatusNotFound, "No such store is connected",
		"Only for deliveries of stores. The webhook address in the store is not that of a connected store."},
	CodeUnreadable: {http.StatusBadRequest, "The request cannot be read",
		"The body is no JSON, or broke off before its end."},
	CodeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "The body is of an unknown type",
		"Send the Content-Type that the operation states, mostly application/json."},
	app.CodeNoMailServer: {http.StatusConflict, "No mail server is set",
		"SMTP_URL and MAIL_FROM say through which server mails to creators go, and whom they are from; docs/mail.md " +
			"says how to set them."},
	app.CodeListChanged: {http.StatusConflict, "The list has changed meanwhile",
		"Only of pages: a decision about all of a list was confirmed for other conversions than it has now. Look at " +
			"the list again, then repeat the decision."},
	CodeVersionConflict: {http.StatusConflict, "It has been changed meanwhile",
		"The version in the body is not the one there is now. Read the thing again, look at what changed, and repeat " +
			"the change."},
}

// TransformSchema lists the codes in the OpenAPI document.
func (Problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, code := range slices.Sorted(maps.Keys(problemKinds)) {
		s.Properties["code"].Enum = append(s.Properties["code"].Enum, code)
	}
	return s
}

// problemPage is where the types of problems lead to: each code is an anchor in it.
const problemPage = "/docs/problems"

var problemTemplate = template.Must(template.New("problems").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Problems of the Tributary API</title></head>
<body><h1>Problems of the Tributary API</h1>
<p>An answer that is no success is a problem document (RFC 9457). Its <code>code</code> never changes its meaning; <code>type</code> leads to this page.</p>
{{range .}}<h2 id="{{.Code}}"><code>{{.Code}}</code>, {{.Status}}</h2>
<p>{{.Title}}. {{.Meaning}}</p>
{{end}}</body></html>
`))

// registerProblemPage serves what the types of problems lead to.
func registerProblemPage(r *gin.Engine) {
	type entry struct {
		Code, Title, Meaning string
		Status               int
	}
	var list []entry
	for code, k := range problemKinds {
		list = append(list, entry{code, k.title, k.meaning, k.status})
	}
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Code, b.Code))
	})
	var page bytes.Buffer
	if err := problemTemplate.Execute(&page, list); err != nil {
		panic(err) // the template and its data are both here
	}
	r.GET(problemPage, func(c *gin.Context) { c.Data(http.StatusOK, "text/html; charset=utf-8", page.Bytes()) })
}
