package storagetest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/tributaryhq/tributary/internal/storage"
)

var rewrite = flag.Bool("sql", false, "write the files that statements are compared with anew")

// Statements are the statements of one database under the names of what sends them, as a file that people read and
// paste.
type Statements struct {
	*testing.T
	db   *storage.DB
	name string // of the file
	text strings.Builder
	of   string // what runs
}

// EachStatements runs a test on both databases and compares the statements that it names with the files
// testdata/sql/sqlite.sql and postgres.sql of its package.
func EachStatements(t *testing.T, test func(s *Statements, db *storage.DB)) {
	t.Helper()
	Each(t, func(t *testing.T, db *storage.DB) {
		s := &Statements{T: t, db: db, name: filepath.Join("testdata", "sql", filepath.Base(t.Name())+".sql")}
		test(s, db)
		s.compare()
	})
}

// Of notes the statements that do sends, under a name. Rows are loaded before its first call.
func (s *Statements) Of(name string, do func() error) {
	s.Helper()
	if s.text.Len() == 0 {
		s.db.Note(s.add)
	}
	s.of = name
	defer func() { s.of = "" }()
	if err := do(); err != nil {
		s.Errorf("%s: %v", name, err)
	}
}

func (s *Statements) add(statement string) {
	if s.of == "" || strings.HasPrefix(statement, "SET LOCAL") {
		return
	}
	s.text.WriteString("-- " + s.of + "\n" + laidOut(statement) + ";\n\n")
}

// clauses begin a line of their own, but for those behind a word that they belong to.
var (
	clauses = []string{"SELECT", "(SELECT", "FROM", "JOIN", "LEFT", "WHERE", "GROUP", "ORDER", "UNION", "VALUES", "SET", "UPDATE",
		"RETURNING"}
	belongs = []string{"LEFT JOIN", "DO UPDATE", "FOR UPDATE", "DISTINCT FROM"}
)

// wideStatement is how wide lines of statements may be.
const wideStatement = 110

// laidOut is a statement with a line for each clause, so that a difference shows where it is. White space is all that
// changes, and none within quotes.
func laidOut(statement string) string {
	quoted := false
	words := strings.FieldsFunc(statement, func(r rune) bool {
		if r == '\'' {
			quoted = !quoted
		}
		return !quoted && unicode.IsSpace(r)
	})
	var lines []string
	line, last, depth := "", "", 0
	for _, word := range words {
		begins := slices.Contains(clauses, word) && !slices.Contains(belongs, last+" "+word)
		indent := depth
		if !begins && line != "" {
			indent += 2
		}
		if begins || line == "" || len(line)+len(word) >= wideStatement {
			lines = append(lines, line)
			line = strings.Repeat("  ", indent) + word
		} else {
			line += " " + word
		}
		depth += strings.Count(word, "(") - strings.Count(word, ")")
		last = word
	}
	return strings.TrimPrefix(strings.Join(append(lines, line), "\n"), "\n")
}

// compare tells the first statement that is another one.
func (s *Statements) compare() {
	s.Helper()
	got := s.text.String()
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(s.name), 0o755); err != nil {
			s.Fatal(err)
		}
		if err := os.WriteFile(s.name, []byte(got), 0o600); err != nil {
			s.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(s.name)
	if err != nil {
		s.Fatalf("%v; go test -sql writes it", err)
	}
	are, were := strings.Split(got, "\n\n"), strings.Split(string(kept), "\n\n")
	for i := range max(len(are), len(were)) {
		is, was := "", ""
		if i < len(are) {
			is = are[i]
		}
		if i < len(were) {
			was = were[i]
		}
		if is != was {
			s.Fatalf("%s differs (go test -sql writes it anew):\nis\n%s\n\nwas\n%s", s.name, is, was)
		}
	}
}
