package affiliate

import (
	"testing"
	"time"
)

func TestNextBankDay(t *testing.T) {
	berlin, err := LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"2026-11-30T08:00:00Z": "2026-11-30",                                       // a Monday
		"2026-11-30T22:59:00Z": "2026-11-30", "2026-11-30T23:00:00Z": "2026-12-01", // midnight in Berlin
		"2026-11-28T12:00:00Z": "2026-11-30", "2026-11-29T12:00:00Z": "2026-11-30",
		"2026-12-24T12:00:00Z": "2026-12-24", "2026-12-25T12:00:00Z": "2026-12-28",
		"2026-12-31T23:30:00Z": "2027-01-04", // 1 January is a Friday
		"2026-04-03T12:00:00Z": "2026-04-07", // Good Friday to Easter Monday
		"2027-03-26T12:00:00Z": "2027-03-30", "2024-03-29T12:00:00Z": "2024-04-02",
		"2026-05-01T12:00:00Z": "2026-05-04", "2026-05-25T12:00:00Z": "2026-05-25", // Whit Monday is one
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := NextBankDay(moment, berlin); got != want {
			t.Errorf("from %s on it is %s, want %s", at, got, want)
		}
	}
}
