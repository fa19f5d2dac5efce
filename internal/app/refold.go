package app

import (
	"context"

	"github.com/tributaryhq/tributary/internal/storage"
)

// textRules is the version of the rules by which texts are cleaned, folded and hashed: affiliate's Clean, the Fold
// functions and NormalizeEmail. It grows when one of them gives another result for something that may be kept.
const textRules = 1

// Refold brings what older versions have kept up to the rules of this one: creators' hashes of e-mail addresses, and
// names, handles and codes with characters that nobody can see. It does so once, and costs one query from then on.
// Orders keep the hash of their customer's address, since the address itself is not kept.
func (a *App) Refold(ctx context.Context) error {
	version, err := a.DB.TextRules(ctx)
	if err != nil || version >= textRules {
		return err
	}
	if a.CheckKey(ctx) != nil {
		return nil // another key would make hashes that meet no order's; a server that starts says so
	}
	var done storage.Refolded
	ctx = storage.Patiently(ctx)
	err = a.changeCatalog(ctx, func(tx *storage.Tx) error {
		version, err := tx.TextRules(ctx)
		if err != nil || version >= textRules {
			return err // another process was first
		}
		done, err = tx.Refold(ctx, textRules, a.now(), a.EmailHash)
		return err
	})
	if err != nil {
		return err
	}
	if done.Creators > 0 || done.Texts > 0 {
		a.Log.Info("texts were brought up to the rules of this version", "creators", done.Creators, "texts", done.Texts)
	}
	for _, text := range done.Left {
		a.Log.Warn("two entries differ only in characters that nobody can see, and both were left; end one of them",
			"text", text)
	}
	return nil
}
