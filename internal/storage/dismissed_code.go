package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// dismissedCode holds for evidence e: somebody said that the code is no creator's.
const dismissedCode = `EXISTS (SELECT 1 FROM dismissed_codes n WHERE n.store_id = e.store_id AND n.folded = e.value)`

// DismissCodes notes that codes of a store, as they are folded, are no creator's, and gives those that were not noted
// before.
func (tx *Tx) DismissCodes(ctx context.Context, store affiliate.StoreID, folded []string, by string,
	now time.Time) ([]string, error) {
	var gone []string
	for _, code := range folded {
		n, err := tx.exec(ctx, `INSERT INTO dismissed_codes (store_id, folded, actor, at) VALUES (?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, store, code, by, At(now))
		if err != nil {
			return nil, err
		}
		if n > 0 {
			gone = append(gone, code)
		}
	}
	return gone, nil
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
