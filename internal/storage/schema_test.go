package storage

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/testservers"
	"github.com/tributaryhq/tributary/migrations"
)

func TestBothFoldersHoldTheSameMigrations(t *testing.T) {
	names := map[string][]string{}
	for _, folder := range []string{postgres.folder, sqliteDialect.folder} {
		files, err := fs.Glob(migrations.Files, folder+"/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", folder, files, err)
		}
		for _, f := range files {
			names[folder] = append(names[folder], strings.TrimPrefix(f, folder+"/"))
		}
	}
	if !slices.Equal(names[postgres.folder], names[sqliteDialect.folder]) {
		t.Errorf("the folders hold %v", names)
	}
}

func TestBothSchemasHaveTheSameTablesAndColumns(t *testing.T) {
	lite := schemaColumns(t, Options{Path: filepath.Join(t.TempDir(), "t.db")},
		`SELECT m.name || '.' || p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`)
	full := schemaColumns(t, Options{URL: testservers.Database(t)},
		`SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = current_schema()`)
	if len(lite) < 100 {
		t.Fatalf("only %d columns were found", len(lite))
	}
	for _, c := range lite {
		if !slices.Contains(full, c) {
			t.Errorf("only SQLite has %s", c)
		}
	}
	for _, c := range full {
		if !slices.Contains(lite, c) {
			t.Errorf("only PostgreSQL has %s", c)
		}
	}
}

func schemaColumns(t *testing.T, o Options, query string) []string {
	t.Helper()
	db, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	if again, err := db.Migrate(context.Background()); err != nil || len(again) != 0 {
		t.Errorf("a second migration applied %v, %v", again, err)
	}
	var names []string
	if err := db.List(context.Background(), &names, query); err != nil {
		t.Fatal(err)
	}
	return names
}
