package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// TestMain fails a run of all tests that leaves out an operation of the OpenAPI document.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" {
		if missing := document.notExercised(); len(missing) > 0 {
			fmt.Printf("no test gets a success from these operations:\n\t%s\n", strings.Join(missing, "\n\t"))
			code = 1
		}
	}
	os.Exit(code)
}

// notToExercise are operations that no test of this package needs to call with success, with the reason.
var notToExercise = map[string]string{}

// document is the OpenAPI document that every answer of the API is compared with.
var document = &openAPI{}

type openAPI struct {
	once       sync.Once
	whole      object
	operations []*declaredOperation

	mu        sync.Mutex
	exercised map[string]bool // by operationId
}

type declaredOperation struct {
	id       string
	method   string
	path     *regexp.Regexp
	declared object
}

// load reads the document from the first handler that is asked: all handlers give the same.
func (d *openAPI) load(handler http.Handler) error {
	var err error
	d.once.Do(func() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", v1+"/openapi.json", nil))
		if err = json.Unmarshal(w.Body.Bytes(), &d.whole); err != nil {
			return
		}
		d.exercised = map[string]bool{}
		for path, item := range d.whole["paths"].(object) {
			pattern := regexp.MustCompile("^" +
				regexp.MustCompile(`\\\{[a-z_]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
			for method, declared := range item.(object) {
				o := declared.(object)
				d.operations = append(d.operations, &declaredOperation{o["operationId"].(string),
					strings.ToUpper(method), pattern, o})
			}
		}
		// A path without parameters comes first: it is meant where both fit.
		slices.SortFunc(d.operations, func(a, b *declaredOperation) int {
			return strings.Count(a.path.String(), "[^/]+") - strings.Count(b.path.String(), "[^/]+")
		})
	})
	return err
}

func (d *openAPI) operation(method, path string) *declaredOperation {
	for _, o := range d.operations {
		if o.method == method && o.path.MatchString(path) {
			return o
		}
	}
	return nil
}

func (d *openAPI) notExercised() (missing []string) {
	for _, o := range d.operations {
		if !d.exercised[o.id] && notToExercise[o.id] == "" {
			missing = append(missing, o.id)
		}
	}
	slices.Sort(missing)
	return missing
}

// conform fails the test when an answer of the API is not what the OpenAPI document says: status, headers, content type
// and body.
func conform(t *testing.T, handler http.Handler, method, target string, status int, header http.Header, body []byte) {
	t.Helper()
	at, err := url.Parse(target)
	if err != nil || !strings.HasPrefix(at.Path, v1+"/") || strings.HasPrefix(at.Path, v1+"/openapi") {
		return
	}
	if err := document.load(handler); err != nil {
		t.Fatalf("the OpenAPI document cannot be read: %v", err)
	}
	complain := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s %s: %s\n%d %s", method, target, fmt.Sprintf(format, args...), status, body)
	}
	for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		if _, err := strconv.ParseUint(header.Get(name), 10, 32); err != nil && (at.Path != v1+"/live" ||
			status == http.StatusUnauthorized) {
			complain("%s is %q, want a number", name, header.Get(name))
		}
	}
	o := document.operation(method, at.EscapedPath())
	if o == nil {
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed &&
			status != http.StatusTooManyRequests {
			complain("there is no such operation in the document")
		}
		return
	}
	if status < http.StatusBadRequest {
		document.mu.Lock()
		document.exercised[o.id] = true
		document.mu.Unlock()
	}
	response, ok := o.declared["responses"].(object)[strconv.Itoa(status)].(object)
	if !ok {
		complain("the document declares no status %d", status)
		return
	}
	declaredHeaders, _ := response["headers"].(object)
	for _, name := range []string{"Etag", "Idempotency-Replayed", "Retry-After", "Ratelimit-Limit"} {
		declared := slices.ContainsFunc(slices.Collect(maps.Keys(declaredHeaders)), func(n string) bool {
			return strings.EqualFold(n, name)
		})
		if header.Get(name) != "" && !declared {
			complain("the document declares no header %s", name)
		}
	}
	content, _ := response["content"].(object)
	given, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	if len(content) == 0 {
		if given != "" || len(body) > 0 {
			complain("the document declares no content, but it is %q", given)
		}
		return
	}
	media, ok := content[given].(object)
	if !ok {
		complain("the content is %q, the document declares %v", given, slices.Sorted(maps.Keys(content)))
		return
	}
	if given != "application/json" && given != "application/problem+json" {
		return
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		complain("no JSON: %v", err)
		return
	}
	for _, fault := range faults(document.whole, media["schema"].(object), value, "") {
		complain("%s", fault)
	}
}

// faults says where a value differs from its schema: JSON Schema 2020-12 as far as the document uses it. A keyword that
// is not understood is a fault too, so that nothing passes unseen.
func faults(whole, schema object, value any, at string) (list []string) {
	fault := func(format string, args ...any) {
		list = append(list, fmt.Sprintf("%s: %s", strings.TrimPrefix(at, "."), fmt.Sprintf(format, args...)))
	}
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		want := schema[keyword]
		switch keyword {
		case "$ref":
			list = append(list, faults(whole, resolve(whole, want.(string)), value, at)...)
		case "type":
			if !slices.ContainsFunc(listOf(want), func(kind any) bool { return isA(value, kind.(string)) }) {
				fault("%v is no %v", value, want)
			}
		case "enum":
			if value != nil && !slices.Contains(want.([]any), value) {
				fault("%v is none of %v", value, want)
			}
		case "properties":
			for name, s := range want.(object) {
				if o, ok := value.(object); ok {
					if v, there := o[name]; there {
						list = append(list, faults(whole, s.(object), v, at+"."+name)...)
					}
				}
			}
		case "required":
			for _, name := range want.([]any) {
				if o, ok := value.(object); ok {
					if _, there := o[name.(string)]; !there {
						fault("%s is missing", name)
					}
				}
			}
		case "additionalProperties":
			properties, _ := schema["properties"].(object)
			o, _ := value.(object)
			for name, v := range o {
				if _, declared := properties[name]; declared {
					continue
				}
				switch s := want.(type) {
				case bool:
					if !s {
						fault("%s is not declared", name)
					}
				case object:
					list = append(list, faults(whole, s, v, at+"."+name)...)
				}
			}
		case "items":
			rows, _ := value.([]any)
			for i, v := range rows {
				list = append(list, faults(whole, want.(object), v, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "anyOf":
			if !slices.ContainsFunc(want.([]any), func(one any) bool {
				return len(faults(whole, one.(object), value, at)) == 0
			}) {
				fault("%v fits none of %v", value, want)
			}
		case "minimum":
			if n, ok := value.(float64); ok && n < want.(float64) {
				fault("%v is less than %v", n, want)
			}
		case "maximum":
			if n, ok := value.(float64); ok && n > want.(float64) {
				fault("%v is more than %v", n, want)
			}
		case "minLength", "maxLength":
			if s, ok := value.(string); ok {
				n := float64(utf8.RuneCountInString(s))
				if (keyword == "minLength" && n < want.(float64)) || (keyword == "maxLength" && n > want.(float64)) {
					fault("%q is too long or too short", s)
				}
			}
		case "pattern":
			if s, ok := value.(string); ok && !regexp.MustCompile(want.(string)).MatchString(s) {
				fault("%q does not fit %s", s, want)
			}
		case "format":
			if s, ok := value.(string); ok && !hasFormat(s, want.(string)) {
				fault("%q is no %s", s, want)
			}
		case "description", "title", "examples", "example", "default", "readOnly", "writeOnly", "deprecated":
		default:
			fault("the keyword %s is not understood by this test", keyword)
		}
	}
	return list
}

func resolve(whole object, ref string) object {
	at := whole
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = at[part].(object)
	}
	return at
}

func listOf(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

func isA(value any, kind string) bool {
	switch v := value.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case float64:
		return kind == "number" || (kind == "integer" && v == math.Trunc(v))
	case string:
		return kind == "string"
	case []any:
		return kind == "array"
	}
	return kind == "object"
}

func hasFormat(s, format string) bool {
	var err error
	switch format {
	case "date-time":
		var at time.Time
		at, err = time.Parse(time.RFC3339, s)
		_, offset := at.Zone()
		return err == nil && offset == 0 // all times of ours are UTC
	case "date":
		_, err = time.Parse(time.DateOnly, s)
	case "uri", "uri-reference":
		_, err = url.Parse(s)
	}
	return err == nil
}

// TestConformance_finds_faults: a test that compares answers with their schema is worth what it finds.
func TestConformance_finds_faults(t *testing.T) {
	whole := object{"components": object{"schemas": object{"Code": object{"type": "string", "enum": []any{"a", "b"}}}}}
	schema := object{"type": "object", "required": []any{"id"}, "additionalProperties": false, "properties": object{
		"id": object{"type": "string", "minLength": 1.0, "pattern": "^x"}, "n": object{"type": []any{"integer", "null"},
			"minimum": 0.0, "maximum": 9.0},
		"at": object{"type": "string", "format": "date-time"}, "codes": object{"type": "array",
			"items": object{"$ref": "#/components/schemas/Code"}}}}
	for text, want := range map[string]int{
		`{"id":"x","n":null,"at":"2026-01-01T00:00:00Z","codes":["a","b"]}`: 0,
		`{"id":"","n":1.5,"at":"2026-01-01","codes":["c"]}`:                 5, // too short, no x, no integer, no time, not in the enum
		`{"n":-1,"at":"2026-01-01T00:00:00+01:00","more":1}`:                4,
		`{"id":"x","n":10,"codes":[1]}`:                                     3, // too large, no text, not in the enum
		`[]`:                                                                1,
	} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if got := faults(whole, schema, value, ""); len(got) != want {
			t.Errorf("%s: %d faults, want %d: %q", text, len(got), want, got)
		}
	}
	anyOf := object{"anyOf": []any{object{"type": "string"}, object{"type": "null"}}}
	if faults(whole, anyOf, nil, "") != nil || faults(whole, anyOf, "x", "") != nil ||
		len(faults(whole, anyOf, 1.0, "")) != 1 {
		t.Error("anyOf is not understood")
	}
	if got := faults(whole, object{"contains": object{}}, "x", ""); len(got) != 1 {
		t.Errorf("an unknown keyword passes: %q", got)
	}
}
