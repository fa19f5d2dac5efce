package storage_test

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestReview: what waits for somebody is counted as its list has it, until somebody has decided.
func TestReview(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s, m := store(t, db), owner(t, db)
		for hours, change := range []func(*storage.Conversion){
			func(c *storage.Conversion) {},
			func(c *storage.Conversion) { c.Ambiguous = true },
			func(c *storage.Conversion) { c.Ambiguous, c.ApprovalBy = true, "Mia" },
			func(c *storage.Conversion) { c.Ambiguous, c.Approval, c.ApprovalBy = true, affiliate.Rejected, "Mia" },
			func(c *storage.Conversion) { c.Ambiguous, c.Approval = true, affiliate.Held },
			func(c *storage.Conversion) { c.Ambiguous, c.Credited = true, false },
			func(c *storage.Conversion) { c.Approval = affiliate.Held },
		} {
			id := creditOrder(t, db, s, fmt.Sprint(hours), hours, m)
			inTx(t, db, func(tx *storage.Tx) error {
				list, err := tx.LockConversions(t.Context(), []affiliate.ConversionID{id})
				if err != nil {
					return err
				}
				after := list[0]
				change(&after)
				_, err = tx.SaveConversions(t.Context(), []storage.ConversionChange{{Before: &list[0], After: after}},
					noon)
				return err
			})
		}
		got, err := db.Review(t.Context())
		if want := (storage.Review{Held: 2, Ambiguous: 2, Unconverted: 6}); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		for _, counted := range []struct {
			n  int64
			of storage.ConversionFilter
		}{
			{got.Held, storage.ConversionFilter{Approvals: []affiliate.Approval{affiliate.Held}, Former: true}},
			{got.Unconverted, storage.ConversionFilter{Unconverted: true, Former: true}},
			{got.Ambiguous, storage.ConversionFilter{Ambiguous: true, Undecided: true, Former: true}},
		} {
			rows, _, err := db.ConversionPage(t.Context(), counted.of, storage.ConversionSort{}, storage.Page{})
			if err != nil || int64(len(rows)) != counted.n {
				t.Errorf("%d are counted, and %d listed, %v", counted.n, len(rows), err)
			}
		}
	})
}
