// Command lint checks what gofmt and vet leave open, so that a change can be read line by line:
//
//	go run ./internal/lint
//
// No package imports one that stands beside or above it. Statements of SQL stand in storage and report alone, tests and
// benchmarks aside. No line of Go, CSS, JavaScript or HTML that git tracks is wider than 120 columns, and in a template
// of a page no two elements of a form, a table or a list begin on the same line. An address cannot be folded, and SQL
// is folded by what it means: neither counts. It lists what is wrong and exits with 1 then.
package main

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	widest = 120
	tab    = 4  // columns of a tab
	most   = 50 // faults that are listed
)

const remedy = "Lines that are too wide are to be folded: they may have 120 columns, a tab being 4, and in templates " +
	"each element of a form, a table or a list stands on a line of its own. SQL belongs into storage or report."

func main() {
	faults, err := check()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lint:", err)
		os.Exit(2)
	}
	if len(faults) == 0 {
		return
	}
	for _, fault := range faults[:min(len(faults), most)] {
		fmt.Println(fault)
	}
	if more := len(faults) - most; more > 0 {
		fmt.Printf("and %d more\n", more)
	}
	fmt.Println(remedy)
	os.Exit(1)
}

// check reads all files that git tracks from here on. git may be asked by whoever: that another user owns the clone, as
// in containers, harms nobody who only lists its files.
func check() (faults []string, err error) {
	list, err := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z").Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is deleted, which is not committed yet
		}
		if err != nil {
			return nil, err
		}
		faults = append(faults, faultsOf(name, string(text))...)
	}
	return faults, nil
}

// faultsOf are those of one file: "name:line: what is wrong".
func faultsOf(name, text string) (faults []string) {
	counted, markup := text, ""
	switch path.Ext(name) {
	case ".go":
		if generated.MatchString(text) {
			return nil
		}
		faults = wrongImports(name, text)
		counted = withoutSQL(text)
		if !mayHaveSQL.MatchString(name) && statement.MatchString(text) {
			at := strings.Count(text[:statement.FindStringIndex(text)[0]], "\n") + 1
			faults = append(faults, fmt.Sprintf("%s:%d: a statement of SQL", name, at))
		}
	case ".html":
		markup = withoutComments(text)
	case ".css", ".js":
	default:
		return nil
	}
	lines, tags := strings.Split(counted, "\n"), strings.Split(markup, "\n")
	for i, line := range strings.Split(text, "\n") {
		if width(lines[i]) > widest && !strings.Contains(line, "://") {
			faults = append(faults, fmt.Sprintf("%s:%d: %d columns", name, i+1, width(line)))
		}
		if markup == "" {
			continue
		}
		if found := element.FindAllString(tags[i], -1); len(found) > 1 {
			faults = append(faults, fmt.Sprintf("%s:%d: %s on one line", name, i+1, strings.Join(found, " ")))
		}
	}
	return faults
}

// mayHaveSQL are the files that may have statements of SQL.
var mayHaveSQL = regexp.MustCompile(`^internal/(storage|report|bench|testservers|lint)/|_test\.go$`)

// statement is the beginning of a literal with a statement of SQL.
var statement = regexp.MustCompile("[`\"](SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH) ")

// generated is the line by which Go's tools know such a file.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// element is the beginning of a tag that needs a line of its own.
var element = regexp.MustCompile(`<(?:form|fieldset|legend|label|input|select|option|datalist|textarea|button|` +
	`table|thead|tbody|tfoot|tr|th|td|caption|details|summary|dl|dt|dd|ul|ol|li)\b`)

// comment is one of Go's templates.
var comment = regexp.MustCompile(`(?s)\{\{(?:- )?/\*.*?\*/(?: -)?\}\}`)

func width(line string) int {
	return utf8.RuneCountInString(line) + (tab-1)*strings.Count(line, "\t")
}

// withoutComments leaves the lines of a template where they are.
func withoutComments(text string) string {
	return comment.ReplaceAllStringFunc(text, breaks)
}

// breaks are the line breaks of a text.
func breaks(text string) string { return strings.Repeat("\n", strings.Count(text, "\n")) }

// sql are words by which a statement is known, or a part of one. Words of English are in lower case.
var sql = regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FROM|WHERE|JOIN|GROUP BY|ORDER BY|` +
	`UNION|CONFLICT|VALUES|CASE WHEN|IS NULL|IS NOT NULL|AND)\b`)

// withoutSQL leaves out, of a file in Go, the literals that hold SQL, and all between backquotes: that is SQL, the tags
// of a struct, or a text whose line breaks would count. What stands around them on a line counts, and lines stay where
// they are.
func withoutSQL(text string) string {
	var b strings.Builder
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, []byte(text), nil, 0) // faults of syntax are the compiler's to tell
	kept := 0
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return b.String() + text[kept:]
		}
		if tok != token.STRING || literal[0] != '`' && !sql.MatchString(literal) {
			continue
		}
		at := file.Offset(pos)
		b.WriteString(text[kept:at])
		b.WriteString(breaks(literal))
		kept = at + len(literal)
	}
}
