package storage

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// dismissedCode holds for evidence e: somebody said that the code is no creator's.
const dismissedCode = `EXISTS (SELECT 1 FROM dismissed_codes n WHERE n.store_id = e.store_id AND n.folded = e.value)`

// DismissCodes notes that codes of a store, as they are folded, are no creator's, and gives those that were not noted
// before.
func (tx *Tx) DismissCodes(ctx context.Context, store affiliate.StoreID, folded []string, by string,
	now time.Time) ([]string, error) {
	var args []any
	for _, code := range folded {
		args = append(args, store, code, by, At(now))
	}
	var gone []string
	err := tx.insertRows(ctx, "dismissed_codes (store_id, folded, actor, at)", 4, args,
		"ON CONFLICT DO NOTHING RETURNING folded", func(rows *sqlx.Rows) error {
			for rows.Next() {
				var code string
				if err := rows.Scan(&code); err != nil {
					return err
				}
				gone = append(gone, code)
			}
			return nil
		})
	return gone, err
}

// WithoutOwner leaves out of codes of a store, as they are folded, those that somebody owns now.
func (tx *Tx) WithoutOwner(ctx context.Context, store affiliate.StoreID, folded []string,
	now time.Time) ([]string, error) {
	var owned []string
	err := tx.ListIn(ctx, &owned, `SELECT folded FROM codes WHERE store_id = ? AND folded IN (?) AND (valid_to IS NULL OR valid_to > ?)`,
		store, folded, At(now))
	return slices.DeleteFunc(folded, func(code string) bool { return slices.Contains(owned, code) }), err
}

// RestoreCodes takes back that codes of a store were dismissed, and gives those that had been.
func (tx *Tx) RestoreCodes(ctx context.Context, store affiliate.StoreID, folded []string) ([]string, error) {
	if len(folded) == 0 {
		return nil, nil
	}
	var back []string
	err := tx.ListIn(ctx, &back, `DELETE FROM dismissed_codes WHERE store_id = ? AND folded IN (?) RETURNING folded`, store, folded)
	return back, err
}
