package storage_test

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func addCreator(t *testing.T, db *storage.DB, name string, handles map[string]string) affiliate.Creator {
	t.Helper()
	c := affiliate.Creator{Name: name, Handles: handles, CreatedAt: noon, UpdatedAt: noon}
	inTx(t, db, func(tx *storage.Tx) (err error) {
		c, err = tx.CreateCreator(t.Context(), c)
		return err
	})
	return c
}

// TestCreators_pages: every page size gives every creator once, in one order, although names repeat.
func TestCreators_pages(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		const total = 23
		for i := range total {
			addCreator(t, db, []string{"Anna", "Äiti", "ben", "Ben", "O'Hara"}[i%5],
				map[string]string{"instagram": fmt.Sprint("h", i)})
		}
		var want []affiliate.CreatorID
		for _, limit := range []int{storage.MaxLimit, 1, 2, 5, 22, 23, 24} {
			var got []affiliate.CreatorID
			for p := (storage.Page{Limit: limit}); ; {
				list, next, err := db.Creators(t.Context(), storage.CreatorFilter{}, p)
				if err != nil {
					t.Fatal(err)
				}
				if len(list) > limit {
					t.Fatalf("%d rows in a page of %d", len(list), limit)
				}
				for _, c := range list {
					if len(c.Handles) != 1 {
						t.Fatalf("handles of %s: %v", c.ID, c.Handles)
					}
					got = append(got, c.ID)
				}
				if p.Cursor = next; next == "" {
					break
				}
			}
			if want == nil {
				want = got
			}
			if len(got) != total || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("pages of %d give %v, want %v", limit, got, want)
			}
		}
		for _, cursor := range []string{"x", "e30x", "!!"} {
			if _, _, err := db.Creators(t.Context(), storage.CreatorFilter{},
				storage.Page{Cursor: cursor}); affiliate.KindOf(err) != affiliate.Invalid {
				t.Errorf("cursor %q: %v", cursor, err)
			}
		}
	})
}

func TestCreators_filter(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		anna := addCreator(t, db, "Anna Keller", map[string]string{"instagram": "ak_100%", "tiktok": "zebra"})
		addCreator(t, db, "Ben", map[string]string{"instagram": "akx100x"})
		removed := addCreator(t, db, "Anna Removed", nil)
		inTx(t, db, func(tx *storage.Tx) error {
			removed.RemovedAt = noon
			_, err := tx.SaveCreator(t.Context(), removed)
			return err
		})
		for text, want := range map[string]int{"ANNA": 2, "keller": 1, "ak_100%": 1, "zebra": 1, "akx": 1, "%": 1,
			"@zebra": 1, "https://tiktok.com/@zebra": 1, `\`: 0, "": 3} {
			list, _, err := db.Creators(t.Context(), storage.CreatorFilter{Text: text}, storage.Page{})
			if err != nil || len(list) != want {
				t.Errorf("%q finds %d, %v, want %d", text, len(list), err, want)
			}
		}
		list, _, err := db.Creators(t.Context(), storage.CreatorFilter{Text: "anna", Community: true}, storage.Page{})
		if err != nil || len(list) != 1 || list[0].ID != anna.ID {
			t.Errorf("in the community: %v, %v", list, err)
		}
	})
}

// TestHandleOfAnother: a handle that is taken is refused, and the transaction goes on.
func TestHandleOfAnother(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		addCreator(t, db, "Anna", map[string]string{"instagram": "Anna"})
		inTx(t, db, func(tx *storage.Tx) error {
			_, err := tx.CreateCreator(t.Context(), affiliate.Creator{Name: "Other",
				Handles: map[string]string{"instagram": "aNNA"}, CreatedAt: noon, UpdatedAt: noon})
			if affiliate.KindOf(err) != affiliate.Conflict {
				t.Errorf("taken handle: %v", err)
			}
			_, err = tx.Settings(t.Context())
			return err
		})
	})
}

func TestCampaign_nulls(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		c := affiliate.Campaign{Name: "Spring", Status: affiliate.CampaignActive, CreatedAt: noon, UpdatedAt: noon}
		full := affiliate.Campaign{Name: "Full", Status: affiliate.CampaignActive, StartsAt: noon,
			EndsAt: noon.AddDate(0, 1, 0), WindowDays: 7, Precedence: affiliate.LinkFirst,
			ClickRule: affiliate.FirstClick, CreatedAt: noon, UpdatedAt: noon}
		for _, want := range []affiliate.Campaign{c, full} {
			inTx(t, db, func(tx *storage.Tx) (err error) {
				want, err = tx.CreateCampaign(ctx, want)
				return err
			})
			if got, err := db.CampaignByName(ctx, want.Name); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
	})
}

func TestAudit(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		inTx(t, db, func(tx *storage.Tx) error {
			return tx.Audit(t.Context(), storage.AuditEntry{At: noon, Actor: "me", Action: "x.do",
				Subject: affiliate.StoreID(7), After: map[string]int{"n": 1}})
		})
		list, next, err := db.AuditLog(t.Context(), "str_7", storage.Page{})
		if err != nil || next != "" || len(list) != 1 {
			t.Fatalf("%v %q %v", list, next, err)
		}
		list[0].ID = 0
		want := storage.AuditRecord{At: storage.At(noon), Actor: "me", Action: "x.do", Subject: "str_7", After: `{"n":1}`}
		if list[0] != want {
			t.Errorf("got %+v, want %+v", list[0], want)
		}
	})
}
