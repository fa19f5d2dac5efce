package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

const accountSettings = "account"

// Settings gives the account's settings, the defaults where nothing was set; outside of transactions with the currency
// and the time zone by which figures are shown, see AsShown.
func (q queries) Settings(ctx context.Context) (affiliate.Settings, error) {
	s, err := q.settings(ctx)
	return q.shown(ctx).settings(s), err
}

func (q queries) settings(ctx context.Context) (affiliate.Settings, error) {
	s := affiliate.DefaultSettings()
	var text string
	err := q.Get(ctx, &text, `SELECT value FROM settings WHERE name = ?`, accountSettings)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read the settings: %w", err)
	}
	return parseSettings(text)
}

// Account gives the account's settings with its time zone.
func (q queries) Account(ctx context.Context) (affiliate.Settings, *time.Location, error) {
	return withZone(q.Settings(ctx))
}

func withZone(s affiliate.Settings, err error) (affiliate.Settings, *time.Location, error) {
	if err != nil {
		return s, nil, err
	}
	zone, err := affiliate.LoadZone(s.Timezone)
	return s, zone, err
}

// parseSettings reads settings as they are kept; those that were never set have their defaults.
func parseSettings(text string) (affiliate.Settings, error) {
	s := affiliate.DefaultSettings()
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("read the settings: %w", err)
	}
	return s, nil
}

// SaveSettings writes the account's settings.
func (tx *Tx) SaveSettings(ctx context.Context, s affiliate.Settings, now time.Time) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
		accountSettings, string(text), At(now))
	return err
}
