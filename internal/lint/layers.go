package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is what the import paths of the project's own packages begin with.
const module = "github.com/tributaryhq/tributary/"

// layers are the packages that serve users, from the outermost to the innermost. Each line may import those of the
// lines below it, never one beside or above it: so a delivery goes one way, and a package can be understood with what
// is below it alone.
var layers = [][]string{
	{"cmd/tributary"},
	{"internal/api", "internal/dashboard"},
	{"internal/web"},
	{"internal/jobs"},
	{"internal/app"},
	{"internal/tables", "internal/filters"},
	{"internal/report", "internal/export"},
	{"internal/storage", "internal/live"},
	{"internal/storage/tally"},
	{"internal/sheet", "internal/fair", "internal/config", "internal/totp", "migrations", "docs"},
	{"internal/affiliate"},
	{"internal/money"},
}

// apart are the packages that only the outermost may import, with what they may import themselves: the outside parties,
// each in its folder.
var apart = []string{"internal/affiliate", "internal/money", "internal/sheet", "integrations/jsonwalk",
	"integrations/signature", "integrations/storeapi"}

// tools are packages that make data, loads and servers, for trying out, measuring and testing. They may import
// anything; of what serves users, commands alone may import them.
var tools = []string{"internal/app/apptest", "internal/attack", "internal/bench",
	"internal/fakepaypal", "internal/fakerelay", "internal/fakestore", "internal/history", "internal/lint",
	"internal/recordings", "internal/simulate", "internal/storage/storagetest",
	"internal/testservers"}

// wrongImports are the imports of a Go file that go against the layers. Tests may import what they need.
func wrongImports(name, text string) (faults []string) {
	if strings.HasSuffix(name, "_test.go") {
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return nil // the compiler tells
	}
	from := path.Dir(name)
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value) // it was parsed
		to, own := strings.CutPrefix(imported, module)
		if own && !mayImport(from, to) {
			faults = append(faults, fmt.Sprintf("%s: %s may not import %s: see layers in internal/lint/layers.go", name,
				from, to))
		}
	}
	return faults
}

func mayImport(from, to string) bool {
	switch at, below := layerOf(from), layerOf(to); {
	case among(tools, from):
		return true
	case strings.HasPrefix(from, "integrations/"):
		return slices.Contains(apart, to)
	case among(tools, to) || strings.HasPrefix(to, "integrations/"):
		return at == 0
	default:
		return at >= 0 && at < below
	}
}

// layerOf gives the line that a package is on; -1 for those on none.
func layerOf(folder string) int {
	return slices.IndexFunc(layers, func(line []string) bool { return slices.Contains(line, folder) })
}

// among says whether a folder is one of some, or below one.
func among(list []string, folder string) bool {
	return slices.ContainsFunc(list, func(one string) bool {
		return folder == one || strings.HasPrefix(folder, one+"/")
	})
}
