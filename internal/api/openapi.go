package api

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/web"
)

// documentHeaders puts the headers that all operations share into the OpenAPI document: it is called for operations as
// they are declared, however that is done.
func documentHeaders(document *huma.OpenAPI) {
	document.Components.Parameters = map[string]*huma.Param{
		"IdempotencyKey": {Name: idempotencyKey, In: "header", Schema: &huma.Schema{Type: huma.TypeString,
			MinLength: new(1), MaxLength: new(maxIdempotencyKey)},
			Description: "Names what is to be done, once: a repeat of the request with the same key gets the first " +
				"answer. Kept for 24 hours. A UUID is a good key."},
		"IfMatch": {Name: "If-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "The ETag of what was read: the change is made only if that is still its version. Otherwise " +
				"the answer is 412."},
		"IfNoneMatch": {Name: "If-None-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "The ETag of an answer that is at hand: while it is still good, the answer is 304 without " +
				"content."},
	}
	number, text := &huma.Schema{Type: huma.TypeInteger, Minimum: new(0.0)}, &huma.Schema{Type: huma.TypeString}
	document.Components.Headers = map[string]*huma.Header{
		"RateLimitLimit": {Schema: number,
			Description: "How many requests there are in a full bucket; it is filled within a minute"},
		"RateLimitRemaining": {Schema: number, Description: "How many requests are left now"},
		"RateLimitReset":     {Schema: number, Description: "Seconds until all of them are there again"},
		"RetryAfter":         {Schema: number, Description: "Seconds after which to try again"},
		"ETag":               {Schema: text, Description: "For If-Match and If-None-Match"},
		"IdempotencyReplayed": {Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"true"}},
			Description: "Only in an answer that repeats that of an earlier request with the same Idempotency-Key"},
	}
	document.OnAddOperation = append(document.OnAddOperation, documentOperation)
}

func parameterRef(name string) *huma.Param {
	return &huma.Param{Ref: "#/components/parameters/" + name}
}
func headerRef(name string) *huma.Header { return &huma.Header{Ref: "#/components/headers/" + name} }

func documentOperation(document *huma.OpenAPI, op *huma.Operation) {
	write := op.Method != http.MethodGet
	versioned := answersVersions(document, op)
	if write {
		op.Parameters = append(op.Parameters, parameterRef("IdempotencyKey"))
	}
	if write && versioned && strings.Contains(op.Path, "{") {
		op.Parameters = append(op.Parameters, parameterRef("IfMatch"))
	}
	if !write && versioned {
		op.Parameters = append(op.Parameters, parameterRef("IfNoneMatch"))
		op.Responses[strconv.Itoa(http.StatusNotModified)] = &huma.Response{
			Description: "Not Modified: the answer at hand is still good"}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		response := op.Responses[status]
		headers := map[string]*huma.Header{"RateLimit-Limit": headerRef("RateLimitLimit"),
			"RateLimit-Remaining": headerRef("RateLimitRemaining"), "RateLimit-Reset": headerRef("RateLimitReset")}
		switch status {
		case "409", "429", "503":
			headers["Retry-After"] = headerRef("RetryAfter")
		case "200", "201", "202", "204", "304":
			if write {
				headers["Idempotency-Replayed"] = headerRef("IdempotencyReplayed")
			}
			if versioned {
				headers["ETag"] = headerRef("ETag")
			}
		}
		if response.Headers == nil {
			response.Headers = map[string]*huma.Header{}
		}
		maps.Copy(response.Headers, headers)
	}
}

// answersVersions says whether an operation's success shows one thing with an id and a version, which then has an ETag.
func answersVersions(document *huma.OpenAPI, op *huma.Operation) bool {
	for _, status := range []int{http.StatusOK, http.StatusCreated} {
		response := op.Responses[strconv.Itoa(status)]
		if response == nil || response.Content["application/json"] == nil {
			continue
		}
		schema := response.Content["application/json"].Schema
		if schema.Ref != "" {
			schema = document.Components.Schemas.SchemaFromRef(schema.Ref)
		}
		id, version := schema.Properties["id"], schema.Properties["version"]
		return id != nil && version != nil && id.Type == huma.TypeString && version.Type == huma.TypeInteger
	}
	return false
}

// documentLive describes the stream of live events, which is served without huma.
func documentLive(document *huma.OpenAPI, may affiliate.Permission) {
	problem := &huma.MediaType{Schema: document.Components.Schemas.Schema(reflect.TypeFor[web.Problem](), true, "")}
	responses := map[string]*huma.Response{"200": {Description: "The stream: \"event: orders\" with a JSON list of " +
		"the orders that changed as data, and \"event: deliveries\" with " +
		"one of the stores whose deliveries came, were turned away or were processed; \"event: figures\" says that " +
		"figures are in another currency or by the days of another time zone from now on",
		Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusServiceUnavailable} {
		responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status),
			Content: map[string]*huma.MediaType{web.ProblemType: problem}}
	}
	document.AddOperation(&huma.Operation{Method: http.MethodGet, Path: web.LivePath, OperationID: "live",
		Tags: []string{"live"}, Summary: "Listen to orders as they change (server-sent events)",
		Description: needs(may), Security: []map[string][]string{{"token": {}}}, Responses: responses})
}

// documentNulls says of every field that is a pointer to a struct that it may be null: huma knows that of other
// pointers only. It is called when all types are known.
func documentNulls(document *huma.OpenAPI) {
	schemas := document.Components.Schemas
	for name, schema := range schemas.Map() {
		for _, f := range reflect.VisibleFields(schemas.TypeFromRef(schemaPrefix + name)) {
			field, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			property := schema.Properties[field]
			if property != nil && property.Ref != "" && f.Type.Kind() == reflect.Pointer &&
				!strings.Contains(options, "omit") {
				schema.Properties[field] = &huma.Schema{AnyOf: []*huma.Schema{property, {Type: "null"}}}
			}
		}
	}
}

// schemaPrefix is how huma's registry refers to its schemas.
const schemaPrefix = "#/components/schemas/"
