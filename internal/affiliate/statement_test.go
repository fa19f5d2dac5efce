package affiliate_test

import (
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestMonthText(t *testing.T) {
	for month, want := range map[string]string{"2026-10": "October 2026", "2027-01": "January 2027", "soon": "soon",
		"2026-13": "2026-13", "": ""} {
		if got := affiliate.MonthText(month); got != want {
			t.Errorf("%q is %q, want %q", month, got, want)
		}
	}
}
