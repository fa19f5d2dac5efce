package affiliate

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// The vocabulary and its rules know no database, no HTTP and no platform: only the standard library, money, and the
// Unicode tables for folding and transliterating.
func TestImportsOnlyMoneyAndUnicode(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		for _, spec := range parsed.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			standard := !strings.Contains(strings.Split(path, "/")[0], ".")
			if !standard && path != "github.com/tributaryhq/tributary/internal/money" &&
				!strings.HasPrefix(path, "golang.org/x/text/") && path != "github.com/mozillazg/go-unidecode" {
				t.Errorf("%s imports %s", f.Name(), path)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no file was read")
	}
}
