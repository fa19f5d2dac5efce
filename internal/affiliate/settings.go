package affiliate

import (
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Settings are those of the account, the brand that runs this server.
type Settings struct {
	Name          string         `json:"name"`
	Currency      money.Currency `json:"currency"` // of totals, commissions, ledger and payouts
	Timezone      string         `json:"timezone"` // IANA name; report days are its local days
	WindowDays    int            `json:"attribution_window_days"`
	Precedence    Precedence     `json:"precedence"`
	ClickRule     ClickRule      `json:"click_rule"`
	Renewals      RenewalRule    `json:"renewals"`
	UTM           UTMRule        `json:"utm"`            // of links that have no rule of their own; never UTMAccount
	HoldDays      int            `json:"hold_days"`      // before a commission is payable
	MinimumPayout int64          `json:"minimum_payout"` // minor units of Currency
}

// RenewalRule says who may be credited with the renewal of a subscription: the orders that follow its first one.
type RenewalRule string

const (
	// RenewalsOwnCode: whoever owns a code on the renewal itself. The trace of a link on it is a copy from the first
	// order and credits nobody.
	RenewalsOwnCode RenewalRule = "own_code"
	// RenewalsFirstOnly: nobody; a subscription counts once.
	RenewalsFirstOnly RenewalRule = "first_only"
)

// Words lists the rules there are.
func (RenewalRule) Words() []RenewalRule { return []RenewalRule{RenewalsOwnCode, RenewalsFirstOnly} }

// DefaultSettings are those of a fresh account.
func DefaultSettings() Settings {
	return Settings{Name: "My brand", Currency: "USD", Timezone: "UTC", WindowDays: DefaultWindowDays,
		Precedence: CodeFirst, ClickRule: LastClick, Renewals: RenewalsOwnCode, UTM: UTMOn}
}

// MaxHoldDays bounds the hold period.
const MaxHoldDays = 365

// Validate gives an error that names the field that is wrong.
func (s Settings) Validate() error {
	if s.Name == "" || len(s.Name) > 200 {
		return FieldErrorf("name", "must have 1 to 200 characters")
	}
	if _, err := money.ParseCurrency(string(s.Currency)); err != nil {
		return FieldErrorf("currency", "%v", err)
	}
	if _, err := LoadZone(s.Timezone); err != nil {
		return FieldErrorf("timezone", "%v", err)
	}
	if s.WindowDays < MinWindowDays || s.WindowDays > MaxWindowDays {
		return FieldErrorf("attribution_window_days", "must be between %d and %d", MinWindowDays, MaxWindowDays)
	}
	if err := CheckWord("precedence", s.Precedence); err != nil {
		return err
	}
	if err := CheckWord("click_rule", s.ClickRule); err != nil {
		return err
	}
	if err := CheckWord("renewals", s.Renewals); err != nil {
		return err
	}
	if err := CheckWord("utm", s.UTM); err != nil {
		return err
	}
	if s.HoldDays < 0 || s.HoldDays > MaxHoldDays {
		return FieldErrorf("hold_days", "must be between 0 and %d", MaxHoldDays)
	}
	if s.MinimumPayout < 0 || s.MinimumPayout > money.Limit {
		return FieldErrorf("minimum_payout", "must not be negative")
	}
	return nil
}

// LoadZone reads an IANA time zone name. "Local" is refused: it means another zone on every machine.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, Errorf(Invalid, "%q is not a time zone (an IANA name is needed, such as Europe/Berlin)", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, Errorf(Invalid, "unknown time zone %q (an IANA name is needed, such as Europe/Berlin)",
			Clip(name, 60))
	}
	return zone, nil
}

// Day gives the local day of t in a zone, as reports use it: "2026-11-21".
func Day(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }
