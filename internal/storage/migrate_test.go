package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/storage/storagetest/past"
)

// TestMigrate_linked: conversions by link are counted from the facts when the column for them comes.
func TestMigrate_linked(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		past.Small(t, db)
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

// TestMigrate_ordersInDoubt: orders of before get their statuses of plugins and their doubts, and a server looks at
// them again.
func TestMigrate_ordersInDoubt(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := store(t, db)
		if err := db.InTx(t.Context(), func(tx *storage.Tx) error {
			shipped, doubtful, edited, plain := order(s, "1", 1), order(s, "2", 1), order(s, "3", 1), order(s, "4", 1)
			shipped.State = `{"newest":{"status":"custom","raw_status":"shipped"},"variants":["a"]}`
			doubtful.State, doubtful.Doubts = `{"newest":{"status":"paid"},"variants":["a","b"]}`, "edited"
			edited.State, edited.Doubts = `{"newest":{"status":"paid"},"edited_at":5}`, "edited"
			_, err := tx.SaveOrders(t.Context(), unseen([]storage.Order{shipped, doubtful, edited, plain}), noon)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"UPDATE stores SET platform = 'woocommerce'", "DROP TABLE store_statuses",
			"DROP INDEX orders_doubtful", "DROP INDEX orders_custom_status", "DROP INDEX orders_parent",
			"ALTER TABLE orders ADD COLUMN needs_reread BOOLEAN NOT NULL DEFAULT FALSE",
			"UPDATE orders SET needs_reread = doubts <> ''",
			"CREATE INDEX orders_reread ON orders (store_id, id) WHERE needs_reread",
			"ALTER TABLE orders DROP COLUMN doubts", "ALTER TABLE orders DROP COLUMN custom_status",
			"ALTER TABLE orders DROP COLUMN parent", "ALTER TABLE orders DROP COLUMN part",
			"DELETE FROM migrations WHERE name IN ('0002_orders_in_doubt.sql', '0007_doubts.sql')"} {
			if err := db.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		if _, err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{"1": "shipped ", "2": " same_second", "3": " edited", "4": " "} {
			o, err := db.FindOrder(t.Context(), "shop", id)
			if got := o.CustomStatus + " " + o.Doubts; err != nil || got != want {
				t.Errorf("order %s is %q, %v; want %q", id, got, err, want)
			}
		}
		list, err := db.StoreStatuses(t.Context(), s)
		if err != nil || len(list) != 1 || list[0].Status != "shipped" || list[0].Orders != 1 {
			t.Errorf("statuses %+v, %v", list, err)
		}
		r, err := db.NewestRecalculation(t.Context())
		if err != nil || r.State != "running" || r.Phase != storage.PhaseStatuses || r.Total != 1 ||
			r.StartedAt.IsZero() {
			t.Errorf("recalculation %+v, %v", r, err)
		}
	})
}
