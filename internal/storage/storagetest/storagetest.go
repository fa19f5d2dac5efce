// Package storagetest runs a test on both databases: SQLite in a file, and a real PostgreSQL.
package storagetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/testservers"
	"github.com/tributaryhq/tributary/migrations"
)

// Each runs the test on a fresh, migrated SQLite file and on a fresh, migrated PostgreSQL database, one after the
// other.
func Each(t *testing.T, test func(t *testing.T, db *storage.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// SQLite opens a fresh, migrated SQLite file, which goes with the test.
func SQLite(t testing.TB) *storage.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tributary.db")
	migrated.SQLiteFile(t, path)
	return Open(t, path)
}

// Open opens a SQLite file until the test ends.
func Open(t testing.TB, path string) *storage.DB {
	t.Helper()
	return open(t, storage.Options{Path: path})
}

// Postgres opens a fresh, migrated PostgreSQL database, which goes with the test.
func Postgres(t testing.TB) *storage.DB {
	t.Helper()
	return open(t, storage.Options{URL: PostgresURL(t)})
}

// PostgresURL gives the address of a fresh, migrated PostgreSQL database, which goes with the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return migrated.PostgresURL(t)
}

// Template is a migrated database that tests get copies of, so that its making is paid for once: SQLite's in a test
// process, PostgreSQL's in a test run. A Template is kept in a variable of the package.
type Template struct {
	name string
	fill func(context.Context, *storage.DB) error

	once sync.Once
	file []byte // SQLite's
	err  error
}

// NewTemplate makes a template of what fill puts into a migrated database. The name tells it from other templates.
func NewTemplate(name string, fill func(context.Context, *storage.DB) error) *Template {
	return &Template{name: name, fill: fill}
}

var migrated = NewTemplate("migrated", func(context.Context, *storage.DB) error { return nil })

// SQLiteFile writes a copy to a path.
func (p *Template) SQLiteFile(t testing.TB, path string) {
	t.Helper()
	p.once.Do(func() { p.file, p.err = p.makeSQLite() })
	err := p.err
	if err == nil {
		err = os.WriteFile(path, p.file, 0o600)
	}
	if err != nil {
		t.Fatalf("copy of the SQLite file %q: %v", p.name, err)
	}
}

func (p *Template) makeSQLite() (_ []byte, err error) {
	folder, err := os.MkdirTemp("", "tributary-template-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "tributary.db")
	if err := p.make(storage.Options{Path: path}); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // the last connection to end has left nothing in the write-ahead log
}

// PostgresURL gives the address of a copy, which goes with the test.
func (p *Template) PostgresURL(t testing.TB) string {
	t.Helper()
	return testservers.DatabaseFrom(t, "tributary_"+p.name+"_"+schema(t), func(url string) error {
		return p.make(storage.Options{URL: url})
	})
}

// make fills an empty database and closes its connections.
func (p *Template) make(o storage.Options) error {
	ctx := context.Background()
	db, err := storage.Open(ctx, o)
	if err != nil {
		return err
	}
	if _, err = db.Migrate(ctx); err == nil {
		err = p.fill(ctx, db)
	}
	return errors.Join(err, db.Close())
}

// Consistent fails the test when reports' sums differ from the facts, the ledger from the commissions, or the like.
func Consistent(t testing.TB, db *storage.DB) {
	t.Helper()
	findings, err := db.Check(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Errorf("%d times not so: %s\n%s", f.Count, f.Rule, strings.Join(f.Examples, "\n"))
	}
}

func open(t testing.TB, o storage.Options) *storage.DB {
	t.Helper()
	db, err := storage.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// schema is a word that changes with the migrations.
func schema(t testing.TB) string {
	t.Helper()
	sum := sha256.New()
	names, err := fs.Glob(migrations.Files, "postgres/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write([]byte(name))
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
