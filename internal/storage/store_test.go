package storage_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func inTx(t *testing.T, db *storage.DB, f func(tx *storage.Tx) error) {
	t.Helper()
	if err := db.InTx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func addStore(t *testing.T, db *storage.DB, slug string) affiliate.Store {
	t.Helper()
	s := affiliate.Store{Slug: slug, Platform: "woocommerce", Name: "Shop", Domain: "shop.example",
		Currency: "EUR", Timezone: "Europe/Berlin", State: affiliate.StoreStateActive, CreatedAt: noon, UpdatedAt: noon}
	inTx(t, db, func(tx *storage.Tx) (err error) {
		s, err = tx.CreateStore(t.Context(), s)
		return err
	})
	return s
}

func TestStores(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		want := addStore(t, db, "b-shop")
		addStore(t, db, "a-shop")
		got, err := db.StoreBySlug(ctx, "b-shop")
		if err != nil || got != want {
			t.Fatalf("StoreBySlug() = %+v, %v, want %+v", got, err, want)
		}
		err = db.InTx(ctx, func(tx *storage.Tx) error {
			if _, err := tx.CreateStore(ctx, want); affiliate.KindOf(err) != affiliate.Conflict {
				t.Errorf("same slug: %v, want a conflict", err)
			}
			_, _, err := tx.Stores(ctx, storage.Page{}) // the transaction goes on
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		first, next, err := db.Stores(ctx, storage.Page{Limit: 1})
		if err != nil || len(first) != 1 || first[0].Slug != "a-shop" || next == "" {
			t.Fatalf("first page: %v %q %v", first, next, err)
		}
		second, next, err := db.Stores(ctx, storage.Page{Limit: 1, Cursor: next})
		if err != nil || len(second) != 1 || second[0].Slug != "b-shop" || next != "" {
			t.Fatalf("second page: %v %q %v", second, next, err)
		}
		inTx(t, db, func(tx *storage.Tx) error {
			got.Name = "Renamed"
			if _, err := tx.SaveStore(ctx, got); err != nil {
				return err
			}
			if _, err := tx.SaveStore(ctx, got); affiliate.KindOf(err) != affiliate.Conflict {
				t.Errorf("old version: %v, want a conflict", err)
			}
			return nil
		})
		if _, err := db.Store(ctx, 999); affiliate.KindOf(err) != affiliate.NotFound {
			t.Errorf("unknown store: %v", err)
		}
	})
}

func TestReceiverStores(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		two, none, ended := addStore(t, db, "two"), addStore(t, db, "none"), addStore(t, db, "ended")
		inTx(t, db, func(tx *storage.Tx) error {
			for _, secret := range []string{"gone", "old", "new"} {
				id, err := tx.AddStoreSecret(ctx, two.ID, []byte(secret), noon)
				if err != nil {
					return err
				}
				if secret == "gone" {
					if err := tx.EndStoreSecret(ctx, two.ID, id, noon); err != nil {
						return err
					}
				}
			}
			ended.State = affiliate.StoreStateEnded
			_, err := tx.SaveStore(ctx, ended)
			return err
		})
		got, err := db.ReceiverStores(ctx)
		if err != nil || len(got) != 2 {
			t.Fatalf("ReceiverStores() = %v, %v", got, err)
		}
		if got[0].ID != none.ID || len(got[0].Sealed) != 0 {
			t.Errorf("store without a secret: %+v", got[0])
		}
		if got[1].ID != two.ID || !slices.EqualFunc(got[1].Sealed, []string{"old", "new"},
			func(b []byte, s string) bool { return string(b) == s }) {
			t.Errorf("store with two active secrets: %+v", got[1])
		}
	})
}
