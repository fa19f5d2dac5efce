package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestOpenAPI_document: every reference in the document leads somewhere, and what all operations have in common is said
// of every one.
func TestOpenAPI_document(t *testing.T) {
	eachOffice(t, func(o *office) {
		whole := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)
		checkReferences(o.T, whole, whole)
		for path, item := range whole["paths"].(object) {
			for method, declared := range item.(object) {
				d := declared.(object)
				write := method != "get"
				if got := hasParameter(d, "IdempotencyKey"); got != write {
					o.Errorf("%s %s: Idempotency-Key is declared: %v", method, path, got)
				}
				for status, r := range d["responses"].(object) {
					headers, _ := r.(object)["headers"].(object)
					if headers["RateLimit-Limit"] == nil || headers["RateLimit-Remaining"] == nil ||
						headers["RateLimit-Reset"] == nil {
						o.Errorf("%s %s %s: no RateLimit headers", method, path, status)
					}
					if got := headers["Idempotency-Replayed"] != nil; got != (write && status < "300") {
						o.Errorf("%s %s %s: Idempotency-Replayed is declared: %v", method, path, status, got)
					}
				}
			}
		}
		for operation, want := range map[string][]string{"get /campaigns/{id}": {"IfNoneMatch"},
			"patch /campaigns/{id}": {"IdempotencyKey", "IfMatch"}, "post /campaigns/{id}/end": {"IdempotencyKey",
				"IfMatch"}, "post /campaigns": {"IdempotencyKey"},
			"get /campaigns": nil, "get /codes/{id}": nil} {
			method, path, _ := strings.Cut(operation, " ")
			d := whole["paths"].(object)[v1+path].(object)[method].(object)
			for _, name := range []string{"IdempotencyKey", "IfMatch", "IfNoneMatch"} {
				if got := hasParameter(d, name); got != slices.Contains(want, name) {
					o.Errorf("%s: %s is declared: %v", operation, name, got)
				}
			}
		}
	})
}

func hasParameter(declared object, name string) bool {
	list, _ := declared["parameters"].([]any)
	return slices.ContainsFunc(list, func(p any) bool { return p.(object)["$ref"] == "#/components/parameters/"+name })
}

func checkReferences(t *testing.T, whole object, value any) {
	t.Helper()
	switch v := value.(type) {
	case object:
		if ref, ok := v["$ref"].(string); ok && !leads(whole, ref) {
			t.Errorf("%s leads nowhere", ref)
		}
		for _, inner := range v {
			checkReferences(t, whole, inner)
		}
	case []any:
		for _, inner := range v {
			checkReferences(t, whole, inner)
		}
	}
}

func leads(whole object, ref string) bool {
	at := any(whole)
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		o, _ := at.(object)
		at = o[part]
	}
	return at != nil
}

// TestOpenAPI_null: a field that may be null is described so, whatever its type.
func TestOpenAPI_null(t *testing.T) {
	eachOffice(t, func(o *office) {
		schemas := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)["components"].(object)["schemas"].(object)
		conversion := schemas["OrderJSON"].(object)["properties"].(object)["conversion"]
		if got := fmt.Sprint(conversion); !strings.Contains(got, "anyOf") || !strings.Contains(got, "null") {
			o.Errorf("the conversion of an order: %s", got)
		}
	})
}
