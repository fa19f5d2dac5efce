package app

import (
	"context"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// MostDismissed bounds how many codes are dismissed, or restored, at once.
const MostDismissed = 500

// DismissCodes notes that codes on a store's orders are no creator's, such as those of the shop's own sales. They are
// left out of the codes that nobody owns, and count as work no more. Those that somebody owns by now are left as they
// are. It says how many were not noted before.
func (a *App) DismissCodes(ctx context.Context, store affiliate.StoreID, codes []string) (int, error) {
	return a.sortCodes(ctx, store, codes, "code.dismiss", func(tx *storage.Tx, folded []string) ([]string, error) {
		folded, err := tx.WithoutOwner(ctx, store, folded, a.now())
		if err != nil || len(folded) == 0 {
			return nil, err
		}
		return tx.DismissCodes(ctx, store, folded, actor(ctx), a.now())
	})
}

// RestoreCodes takes back that codes were dismissed. It says how many had been.
func (a *App) RestoreCodes(ctx context.Context, store affiliate.StoreID, codes []string) (int, error) {
	return a.sortCodes(ctx, store, codes, "code.restore", func(tx *storage.Tx, folded []string) ([]string, error) {
		return tx.RestoreCodes(ctx, store, folded)
	})
}

func (a *App) sortCodes(ctx context.Context, store affiliate.StoreID, codes []string, action string,
	move func(*storage.Tx, []string) ([]string, error)) (n int, err error) {
	if len(codes) == 0 || len(codes) > MostDismissed {
		return 0, affiliate.FieldErrorf("codes", "must name 1 to %d codes", MostDismissed)
	}
	var folded []string
	for _, code := range codes {
		if err := affiliate.ValidateCode(affiliate.Clean(code)); err != nil {
			return 0, affiliate.FieldErrorf("codes", "%q is no code", affiliate.Clip(code, 40))
		}
		folded = append(folded, affiliate.FoldCode(code))
	}
	slices.Sort(folded)
	err = a.changeCatalog(ctx, func(tx *storage.Tx) error {
		if _, err := tx.Store(ctx, store); err != nil {
			return asField("store", err)
		}
		moved, err := move(tx, slices.Compact(folded))
		if n = len(moved); err != nil || n == 0 {
			return err
		}
		slices.Sort(moved)
		return a.audit(ctx, tx, action, store, nil, facts{"codes": strings.Join(moved, ", ")})
	})
	if err == nil && n > 0 {
		a.touched([]affiliate.StoreID{store})
	}
	return n, err
}
