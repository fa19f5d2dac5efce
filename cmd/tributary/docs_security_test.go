package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Tests as docs/security.md names them, in backticks, with the folder of their package before a dot; and as they are
// declared.
var (
	namedTest    = regexp.MustCompile("`(?:([a-z]+)\\.)?((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	declaredTest = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
)

// TestSecurityDocument: every test that docs/security.md relies on exists, in the package that it names.
func TestSecurityDocument(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	ok(t, err)
	declared := map[string]bool{}
	err = filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Abs(filepath.Dir(path))
		for _, found := range declaredTest.FindAllStringSubmatch(string(text), -1) {
			declared[found[1]] = true
			declared[filepath.Base(folder)+"."+found[1]] = true
		}
		return err
	})
	ok(t, err)
	named := namedTest.FindAllStringSubmatch(string(page), -1)
	if len(named) < 100 {
		t.Fatalf("only %d tests are named", len(named))
	}
	for _, n := range named {
		if name := strings.Trim(n[0], "`"); !declared[name] {
			t.Errorf("docs/security.md names the test %s, which there is not", name)
		}
	}
}
