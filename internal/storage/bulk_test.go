package storage_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// Rows with reserved ids stand beside those that are written one by one, and neither takes an id of the other.
func TestLoad(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		at := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
		create := func(name string) affiliate.CreatorID {
			t.Helper()
			var c affiliate.Creator
			err := db.InTx(t.Context(), func(tx *storage.Tx) (err error) {
				c, err = tx.CreateCreator(t.Context(), affiliate.Creator{Name: name, CreatedAt: at, UpdatedAt: at})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return c.ID
		}
		reserve := func(n int) affiliate.CreatorID {
			t.Helper()
			id, err := db.ReserveIDs(t.Context(), "creators", n)
			if err != nil {
				t.Fatal(err)
			}
			return affiliate.CreatorID(id)
		}
		if first, second := reserve(3), reserve(1); first != 1 || second != 4 {
			t.Errorf("in an empty table ids from %d and %d on are reserved, want 1 and 4", first, second)
		}
		if id := create("Anna"); id != 5 {
			t.Errorf("the first creator got %d, want 5", id)
		}
		const n = 1234 // more than one statement takes
		first := reserve(n)
		rows := storage.Rows{}
		for i := range n {
			rows.Creators = append(rows.Creators, affiliate.Creator{ID: first + affiliate.CreatorID(i),
				Name: "Many\t\\of\nthem", Email: "many@creators.example",
				Handles:   map[string]string{"instagram": "many" + string(rune('a'+i%26)) + time.Duration(i).String()},
				CreatedAt: at, UpdatedAt: at})
		}
		rows.Creators[n-1].RemovedAt = at
		err := db.QuickLoad(t.Context(), func() error { return db.Load(t.Context(), rows) })
		if err != nil {
			t.Fatal(err)
		}
		if id := create("Bea"); id != first+n {
			t.Errorf("the creator after the reserved ones got %d, want %d", id, first+n)
		}
		list, err := db.AllCreators(t.Context())
		if err != nil || len(list) != n+2 {
			t.Fatalf("%d creators (%v), want %d", len(list), err, n+2)
		}
		last := list[n]
		if last.Name != "Many\t\\of\nthem" || !last.RemovedAt.Equal(at) ||
			last.Handles["instagram"] != rows.Creators[n-1].Handles["instagram"] || last.Version != 1 {
			t.Errorf("the last loaded creator is %+v", last)
		}
		if err := db.Analyze(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A row that breaks a rule takes the whole load with it.
func TestLoad_is_all_or_nothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		at := time.Now()
		rows := storage.Rows{
			Creators: []affiliate.Creator{{ID: 1, Name: "Anna", CreatedAt: at, UpdatedAt: at}},
			Campaigns: []affiliate.Campaign{{ID: 1, Name: "Spring", Status: affiliate.CampaignActive, CreatedAt: at,
				UpdatedAt: at}},
			Members: []affiliate.CampaignMember{{ID: 1, CampaignID: 1, CreatorID: 2, ProductCurrency: "USD",
				CreatedAt: at, UpdatedAt: at}},
			// creator 2 is nobody
		}
		if err := db.Load(t.Context(), rows); err == nil {
			t.Error("a member without a creator was loaded")
		}
		rows.Members = nil
		rows.Campaigns = append(rows.Campaigns, affiliate.Campaign{ID: 2, Name: "SPRING",
			Status: affiliate.CampaignActive, CreatedAt: at, UpdatedAt: at})
		if err := db.Load(t.Context(), rows); affiliate.KindOf(err) != affiliate.Conflict {
			t.Errorf("two campaigns of one name: got %v, want a conflict", err)
		}
		list, err := db.AllCreators(t.Context())
		if err != nil || len(list) != 0 {
			t.Errorf("%d creators were kept (%v), want none", len(list), err)
		}
	})
}

func TestHasOrders(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		if has, err := db.HasOrders(t.Context()); has || err != nil {
			t.Errorf("an empty database has orders: %v (%v)", has, err)
		}
	})
}
