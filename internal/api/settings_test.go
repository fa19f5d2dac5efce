package api

import (
	"reflect"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestSettings_fields: what the API shows of the account, and what it lets be changed, has each setting.
func TestSettings_fields(t *testing.T) {
	for _, body := range []reflect.Type{reflect.TypeFor[settingsJSON](), reflect.TypeOf(updateSettingsInput{}.Body)} {
		for _, s := range affiliate.AccountSettings() {
			if _, ok := fieldsOf(body)[s.Key]; !ok {
				t.Errorf("%s has no field for the setting %s", body, s.Key)
			}
		}
		if got, want := body.NumField(), len(affiliate.AccountSettings()); got != want {
			t.Errorf("%s has %d fields for %d settings", body, got, want)
		}
	}
}
