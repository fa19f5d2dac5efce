package app

import (
	"context"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Setting is one setting of the account as people write it.
type Setting struct {
	Key   string
	Value string
}

// SettingsList writes settings as people do.
func SettingsList(s affiliate.Settings) []Setting {
	var list []Setting
	for _, a := range affiliate.AccountSettings() {
		list = append(list, Setting{a.Key, a.Text(s)})
	}
	return list
}

// ParseSetting reads "key=value".
func ParseSetting(s string) (Setting, error) {
	key, v, ok := strings.Cut(s, "=")
	if !ok {
		return Setting{}, affiliate.Errorf(affiliate.Invalid, "%q is not key=value, such as currency=EUR", s)
	}
	return Setting{strings.TrimSpace(key), strings.TrimSpace(v)}, nil
}

// SetSettings changes settings of the account, all or none. Another currency or time zone makes figures be computed
// anew in the background (see Recalculate); entries that the ledger holds keep their currency.
func (a *App) SetSettings(ctx context.Context, changes []Setting) (after affiliate.Settings, err error) {
	values := map[string]string{}
	for _, c := range changes {
		values[c.Key] = c.Value
	}
	err = a.changeCatalog(ctx, func(tx *storage.Tx) error {
		before, err := tx.Settings(ctx)
		if err != nil {
			return err
		}
		if after, err = before.Set(values); err != nil || after == before {
			return err
		}
		if err := a.planRecalculation(ctx, tx, before, after); err != nil {
			return err
		}
		if err := tx.SaveSettings(ctx, after, a.now()); err != nil {
			return err
		}
		a.announce(tx, []affiliate.Change{{Account: true}})
		return a.audit(ctx, tx, "settings.set", account{}, before, after)
	})
	return after, err
}

// account is the subject of changes to the account itself.
type account struct{}

func (account) String() string { return "account" }
