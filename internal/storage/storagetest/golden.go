package storagetest

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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

var indent = regexp.MustCompile(`\n\s+`)

func (s *Statements) add(statement string) {
	if s.of == "" || strings.HasPrefix(statement, "SET LOCAL") {
		return
	}
	s.text.WriteString("-- " + s.of + "\n" + indent.ReplaceAllString(strings.TrimSpace(statement), "\n    ") + ";\n\n")
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
