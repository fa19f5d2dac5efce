package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestMigrate_linked: conversions by link are counted from the facts when the column for them comes.
func TestMigrate_linked(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		smallPast(t, db)
		if err := db.Exec(t.Context(), `ALTER TABLE offer_periods DROP COLUMN linked; ALTER TABLE member_years DROP COLUMN linked;
			ALTER TABLE stores DROP COLUMN parts; ALTER TABLE links DROP COLUMN utm;
			DELETE FROM migrations WHERE name = '0005_links_and_parts.sql'`); err != nil {
			t.Fatal(err)
		}
		applied, err := db.Migrate(t.Context())
		if err != nil || !slices.Equal(applied, []string{"0005_links_and_parts.sql"}) {
			t.Fatalf("applied %v, %v", applied, err)
		}
		findings, err := db.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if strings.Contains(f.Rule, "holds what the facts add up to") {
				t.Errorf("%d times not so: %s: %q", f.Count, f.Rule, f.Examples)
			}
		}
	})
}
