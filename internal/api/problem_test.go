package api_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codesInSource finds every code that a problem may carry: Code in a literal of affiliate.Error, the code in calls of
// newProblem and writeProblem, and the constants of this package that are named code….
func codesInSource(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	note := func(e ast.Expr, where string) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			code, _ := strconv.Unquote(lit.Value) // the parser has read it
			found[code] = where
		}
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if !strings.HasSuffix(name(n.Type), "Error") {
					return true
				}
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && name(kv.Key) == "Code" {
						note(kv.Value, path)
					}
				}
			case *ast.CallExpr:
				if at, known := map[string]int{"NewProblem": 0, "writeProblem": 1}[name(n.Fun)]; known {
					note(n.Args[at], path)
				}
			case *ast.ValueSpec:
				if strings.HasPrefix(path, "../web/") && strings.HasPrefix(n.Names[0].Name, "Code") &&
					len(n.Values) == 1 {
					note(n.Values[0], path)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// TestProblem_codes: every code that the program uses is in the table, and the OpenAPI document, the page that types
// lead to, and docs/api.md have them all.
func TestProblem_codes(t *testing.T) {
	eachOffice(t, func(o *office) {
		schemas := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)["components"].(object)["schemas"].(object)
		var known []string
		for _, code := range schemas["Problem"].(object)["properties"].(object)["code"].(object)["enum"].([]any) {
			known = append(known, code.(string))
		}
		used := codesInSource(o.T)
		if len(used) < 10 {
			o.Errorf("only %d codes are found in the source: %v", len(used), used)
		}
		for code, path := range used {
			if !slices.Contains(known, code) {
				o.Errorf("%s uses the code %q, which is not in problemKinds", path, code)
			}
		}
		page := o.nobody.call("GET", "/docs/problems", nil)
		page.ok(200)
		docs, err := os.ReadFile("../../docs/api.md")
		if err != nil {
			o.Fatal(err)
		}
		for _, code := range known {
			m := regexp.MustCompile(`<h2 id="` + code + `"><code>` + code + `</code>, ([0-9]{3})</h2>`).FindStringSubmatch(page.raw)
			if m == nil {
				o.Errorf("/docs/problems does not explain %s", code)
				continue
			}
			if row := "| `" + code + "` | " + m[1] + " | "; !strings.Contains(string(docs), row) {
				o.Errorf("docs/api.md has no line that begins %s", row)
			}
		}
	})
}

// TestProblem_gone: when whoever asked has gone away, the query that was stopped for it is no fault of ours.
func TestProblem_gone(t *testing.T) {
	eachOffice(t, func(o *office) {
		gone, leave := context.WithCancel(o.Context())
		leave()
		for _, path := range []string{v1 + "/campaigns", v1 + "/live", "/status", "/readyz"} {
			r := httptest.NewRequestWithContext(gone, http.MethodGet, path, nil)
			r.Header.Set("Authorization", "Bearer "+o.viewer.token)
			o.viewer.handler.ServeHTTP(httptest.NewRecorder(), r)
		}
		if text := o.log.String(); strings.Contains(text, "level=ERROR") || !strings.Contains(text, "gone=true") {
			o.Errorf("the log says:\n%s", text)
		}
	})
}

// TestProblem_instance: a fault of ours has a name of its own, which the log has too; other problems have none.
func TestProblem_instance(t *testing.T) {
	eachOffice(t, func(o *office) {
		if a := o.viewer.call("GET", v1+"/campaigns/cmp_9", nil); a.body["instance"] != nil {
			o.Errorf("instance of what the caller can mend: %s", a.raw)
		}
		o.app.Sealer = nil
		body := object{"platform": "woocommerce", "slug": "shop", "name": "Shop", "domain": "shop.example",
			"currency": "EUR", "timezone": "UTC"}
		first, second := o.owner.call("POST", v1+"/stores", body), o.owner.call("POST", v1+"/stores", body)
		first.problem(500, "internal", "")
		instance, _ := first.body["instance"].(string)
		if !strings.HasPrefix(instance, "urn:uuid:") || instance == second.body["instance"] {
			o.Errorf("instances %q and %v", instance, second.body["instance"])
		}
		if !strings.Contains(o.log.String(), instance) {
			o.Errorf("the log does not name %s:\n%s", instance, o.log)
		}
	})
}
