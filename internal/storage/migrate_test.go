package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
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

// TestMigrate_salesClicks: clicks on links for purchases and reviews leave the sums, of current and of former members.
func TestMigrate_salesClicks(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := past.New(t, db)
		for _, l := range []struct {
			member affiliate.OfferMemberID
			kind   affiliate.LinkKind
		}{{past.CleoTen, affiliate.LinkReview}, {past.DoraAutumn, affiliate.LinkPurchase},
			{past.CleoTen, affiliate.LinkSales}} {
			id := affiliate.LinkID(100 + len(p.Rows.Links))
			p.Rows.Links = append(p.Rows.Links, affiliate.Link{ID: id, OfferMemberID: l.member, Kind: l.kind,
				Slug: id.String(), LandingURL: "https://shop.example/", CreatedAt: p.At("2024-12-01 00:00"),
				UpdatedAt: p.At("2024-12-01 00:00")})
		}
		for _, l := range p.Rows.Links {
			for _, at := range []string{"2024-12-31 23:59", "2025-01-01 00:00", "2025-01-01 09:00",
				"2026-03-05 10:00"} {
				p.Click(l.ID, p.At(at), false)
				p.Click(l.ID, p.At(at), true)
			}
		}
		p.Write(db)
		before := clicks(t, db)
		// As they were counted before: all of them.
		for _, statement := range []string{"UPDATE links SET note_kind = kind, kind = 'sales'",
			"DELETE FROM migrations WHERE name = '0009_sales_clicks.sql'"} {
			if strings.Contains(statement, "note_kind") {
				must(t, db.Exec(t.Context(), "ALTER TABLE links ADD COLUMN note_kind TEXT"))
			}
			must(t, db.Exec(t.Context(), statement))
		}
		must(t, db.InTx(t.Context(), func(tx *storage.Tx) error { return tx.RebuildRollups(t.Context()) }))
		must(t, db.Exec(t.Context(), "UPDATE links SET kind = note_kind"))
		if all := clicks(t, db); all == before {
			t.Fatal("the sums never had the clicks that are to leave them")
		}
		if applied, err := db.Migrate(t.Context()); err != nil || len(applied) != 1 {
			t.Fatalf("applied %v, %v", applied, err)
		}
		if after := clicks(t, db); after != before {
			t.Errorf("the sums have %d clicks, want %d", after, before)
		}
		findings, err := db.Check(t.Context())
		if err != nil || len(findings) > 0 {
			t.Errorf("found %+v, %v", findings, err)
		}
	})
}

// clicks adds up those in the sums of all offers.
func clicks(t *testing.T, db *storage.DB) (n int64) {
	t.Helper()
	must(t, db.Get(t.Context(), &n, `SELECT CAST(SUM(clicks) AS BIGINT) FROM offer_periods WHERE offer_id = 0`))
	return n
}

// TestSaveLink_kind: the clicks on a link leave the sums when it is for sales no more, and come back with its kind.
func TestSaveLink_kind(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := past.Small(t, db)
		l, err := db.Link(t.Context(), affiliate.LinkID(past.BenLinks))
		must(t, err)
		all := clicks(t, db)
		n, err := db.LinkClicks(t.Context(), []affiliate.LinkID{l.ID, past.BenPurchase, 99}, p.At("2026-03-16 00:00"),
			p.At("2026-03-17 00:00"))
		if err != nil || len(n) != 2 || n[l.ID] != 3 || n[past.BenPurchase] != 1 {
			t.Errorf("clicks on the links: %v, %v; want 3 and 1", n, err)
		}
		for _, c := range []struct {
			kind affiliate.LinkKind
			want int64
		}{{affiliate.LinkReview, all - 2*5}, {affiliate.LinkPurchase, all - 2*5}, {affiliate.LinkSales, all}} {
			l.Kind = c.kind
			must(t, db.InTx(t.Context(), func(tx *storage.Tx) error {
				if err := tx.LockCatalog(t.Context()); err != nil {
					return err
				}
				return tx.SaveLink(t.Context(), l)
			}))
			if got := clicks(t, db); got != c.want {
				t.Errorf("as %s: %d clicks in the sums, want %d", c.kind, got, c.want)
			}
			findings, err := db.Check(t.Context())
			must(t, err)
			for _, f := range findings {
				if strings.Contains(f.Rule, "holds what the facts add up to") {
					t.Errorf("as %s, %d times not so: %s: %q", c.kind, f.Count, f.Rule, f.Examples)
				}
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
