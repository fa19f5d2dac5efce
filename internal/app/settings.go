package app

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Setting is one setting of the account as people write it.
type Setting struct {
	Key   string
	Value string
}

// setting is how one key is read and written.
type setting struct {
	key string
	get func(affiliate.Settings) string
	set func(*affiliate.Settings, string) error
}

// accountSettings are all keys, in the order in which they are listed. The currency stands before the amounts in it.
func accountSettings() []setting {
	return []setting{
		{"name", func(s affiliate.Settings) string {
			return s.Name
		}, func(s *affiliate.Settings, v string) error { s.Name = v; return nil }},
		{"currency", func(s affiliate.Settings) string { return s.Currency.Code() }, setCurrency},
		{"timezone", func(s affiliate.Settings) string {
			return s.Timezone
		}, func(s *affiliate.Settings, v string) error { s.Timezone = v; return nil }},
		{"attribution_window_days", func(s affiliate.Settings) string { return strconv.Itoa(s.WindowDays) },
			func(s *affiliate.Settings, v string) error {
				return setInt("attribution_window_days", &s.WindowDays, v)
			}},
		{"precedence", func(s affiliate.Settings) string { return string(s.Precedence) },
			func(s *affiliate.Settings, v string) error { s.Precedence = affiliate.Precedence(v); return nil }},
		{"click_rule", func(s affiliate.Settings) string { return string(s.ClickRule) },
			func(s *affiliate.Settings, v string) error { s.ClickRule = affiliate.ClickRule(v); return nil }},
		{"renewals", func(s affiliate.Settings) string { return string(s.Renewals) },
			func(s *affiliate.Settings, v string) error { s.Renewals = affiliate.RenewalRule(v); return nil }},
		{"utm", func(s affiliate.Settings) string { return string(s.UTM) },
			func(s *affiliate.Settings, v string) error { s.UTM = affiliate.UTMRule(v); return nil }},
		{"hold_days", func(s affiliate.Settings) string { return strconv.Itoa(s.HoldDays) },
			func(s *affiliate.Settings, v string) error { return setInt("hold_days", &s.HoldDays, v) }},
		{"minimum_payout", func(s affiliate.Settings) string { return money.Format(s.MinimumPayout, s.Currency) },
			func(s *affiliate.Settings, v string) (err error) {
				s.MinimumPayout, err = affiliate.ParseAmount("minimum_payout", v, s.Currency)
				return err
			}},
	}
}

// setCurrency keeps the amounts that are in the account's currency: 10.00 EUR becomes 10.00 USD, or 10 JPY.
func setCurrency(s *affiliate.Settings, v string) error {
	c, err := parseCurrency("currency", v)
	if err != nil {
		return err
	}
	s.MinimumPayout, err = money.Parse(money.Format(s.MinimumPayout, s.Currency), c)
	s.Currency = c
	return err
}

func setInt(field string, to *int, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil {
		return affiliate.FieldErrorf(field, "must be a whole number, not %q", v)
	}
	*to = n
	return nil
}

// SettingsList writes settings as people do.
func SettingsList(s affiliate.Settings) []Setting {
	var list []Setting
	for _, k := range accountSettings() {
		list = append(list, Setting{k.key, k.get(s)})
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
	err = a.changeCatalog(ctx, func(tx *storage.Tx) error {
		before, err := tx.Settings(ctx)
		if err != nil {
			return err
		}
		if after, err = applySettings(before, changes); err != nil || after == before {
			return err
		}
		if err := a.planRecalculation(ctx, tx, before, after); err != nil {
			return err
		}
		if err := tx.SaveSettings(ctx, after, a.now()); err != nil {
			return err
		}
		return a.audit(ctx, tx, "settings.set", account{}, before, after)
	})
	return after, err
}

// account is the subject of changes to the account itself.
type account struct{}

func (account) String() string { return "account" }

func applySettings(s affiliate.Settings, changes []Setting) (affiliate.Settings, error) {
	known := accountSettings()
	keys := make([]string, len(known))
	for i, k := range known {
		keys[i] = k.key
	}
	for _, c := range changes {
		if !slices.Contains(keys, c.Key) {
			return s, affiliate.FieldErrorf(c.Key, "there is no such setting; there are: %s", strings.Join(keys, ", "))
		}
	}
	for _, k := range known {
		for _, c := range changes {
			if c.Key == k.key {
				if err := k.set(&s, c.Value); err != nil {
					return s, err
				}
			}
		}
	}
	return s, s.Validate()
}
