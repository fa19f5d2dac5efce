package affiliate

import (
	"strings"
	"testing"
)

func TestAccountSettings(t *testing.T) {
	usual := DefaultSettings()
	for _, a := range AccountSettings() {
		if a.Label == "" || a.Fact == "" || a.Group == "" {
			t.Errorf("%s lacks words: %+v", a.Key, a)
		}
		if a.Kind == SettingChoices && len(a.Choices) < 2 {
			t.Errorf("%s has the choices %v", a.Key, a.Choices)
		}
		for _, c := range a.Choices {
			if c.Title == "" {
				t.Errorf("%s: nothing is said for %s", a.Key, c.Value)
			}
		}
		same, err := usual.Set(map[string]string{a.Key: a.Text(usual)})
		if err != nil || same != usual {
			t.Errorf("%s set to what it is gives %+v, %v", a.Key, same, err)
		}
	}
}

func TestSettings_Set(t *testing.T) {
	for _, c := range []struct {
		key, value, field string // of the error; empty: none
	}{
		{"name", "Fern", ""},
		{"name", "", "name"},
		{"currency", "jpy", ""},
		{"currency", "EURO", "currency"},
		{"timezone", "Local", "timezone"},
		{"attribution_window_days", "365", ""},
		{"attribution_window_days", "0", "attribution_window_days"},
		{"hold_days", "0", ""},
		{"hold_days", "366", "hold_days"},
		{"hold_days", "two", "hold_days"},
		{"precedence", "link_first", ""},
		{"precedence", "first", "precedence"},
		{"utm", "", "utm"},
		{"minimum_payout", "12.50", ""},
		{"minimum_payout", "-1", "minimum_payout"},
		{"reserved_codes", "", ""},
		{"reserved_codes", "vip, ☺", "reserved_codes"},
		{"reserved_codes", strings.Repeat("A", 2001), "reserved_codes"},
		{"window", "1", "window"},
	} {
		before := DefaultSettings()
		after, err := before.Set(map[string]string{c.key: c.value})
		var field string
		if e, ok := err.(*Error); ok {
			field = e.Field
		}
		if field != c.field || (err == nil) != (c.field == "") {
			t.Errorf("%s=%s: %v", c.key, c.value, err)
		}
		if err == nil && after == before && c.value != "0" {
			t.Errorf("%s=%s changes nothing", c.key, c.value)
		}
	}
	words, err := DefaultSettings().Set(map[string]string{"reserved_codes": " vip,, Gift ,VIP,über"})
	if err != nil || words.ReservedCodes != "VIP, GIFT, ÜBER" || len(words.ReservedWords()) != 3 {
		t.Errorf("words are kept as %q, %v", words.ReservedCodes, err)
	}
	both, err := Settings.Set(Settings{Name: "Fern", Currency: "EUR", Timezone: "UTC", WindowDays: 30,
		Precedence: CodeFirst, ClickRule: LastClick, Renewals: RenewalsOwnCode, UTM: UTMOn, MinimumPayout: 1000,
		MailPerMinute: 60, SEPAVersion: Pain09, PayPalComma: DecimalsPoint},
		map[string]string{"minimum_payout": "7", "currency": "JPY"})
	if err != nil || both.MinimumPayout != 7 {
		t.Errorf("an amount set beside its currency: %+v, %v", both, err)
	}
}

// TestAccountSetting_MayBeEmpty: a form asks for what must not be empty, and for nothing else.
func TestAccountSetting_MayBeEmpty(t *testing.T) {
	want := map[string]bool{"name": false, "currency": false, "sepa_account": true, "sepa_name": true,
		"sepa_bank": true, "wise_currency": true}
	for _, s := range AccountSettings() {
		if may, asked := want[s.Key]; asked && s.MayBeEmpty() != may {
			t.Errorf("%s may be empty: %v", s.Key, s.MayBeEmpty())
		}
	}
}
