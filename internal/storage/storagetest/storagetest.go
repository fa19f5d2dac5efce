// Package storagetest runs a test on both databases: SQLite in a file, and a real PostgreSQL.
package storagetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/testservers"
	"github.com/tributaryhq/tributary/migrations"
)

// Each runs the test on a fresh, migrated SQLite file and on a fresh, migrated PostgreSQL database, one after the other.
func Each(t *testing.T, test func(t *testing.T, db *storage.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// SQLite opens a fresh, migrated SQLite file, which goes with the test.
func SQLite(t testing.TB) *storage.DB {
	t.Helper()
	db := open(t, storage.Options{Path: filepath.Join(t.TempDir(), "tributary.db")})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate SQLite: %v", err)
	}
	return db
}

// Postgres opens a fresh, migrated PostgreSQL database, which goes with the test.
func Postgres(t testing.TB) *storage.DB {
	t.Helper()
	return open(t, storage.Options{URL: PostgresURL(t)})
}

// PostgresURL gives the address of a fresh, migrated PostgreSQL database, which goes with the test. The schema is built
// once and copied from then on.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return testservers.DatabaseFrom(t, templateName(t), func(url string) error {
		ctx := context.Background()
		db, err := storage.Open(ctx, storage.Options{URL: url})
		if err != nil {
			return err
		}
		if _, err := db.Migrate(ctx); err != nil {
			_ = db.Close() // the first error matters more
			return err
		}
		return db.Close()
	})
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

// templateName changes with the schema.
func templateName(t testing.TB) string {
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
	return "tributary_" + hex.EncodeToString(sum.Sum(nil)[:8])
}
