package affiliate

import (
	"testing"
	"time"
)

func TestParseMoment(t *testing.T) {
	for _, c := range []struct {
		text, zone string
		days       int
		want       string
	}{
		{"2026-11-01", "UTC", 0, "2026-11-01T00:00:00Z"},
		{"2026-11-01", "UTC", 1, "2026-11-02T00:00:00Z"},
		{"2026-11-01", "Europe/Berlin", 0, "2026-10-31T23:00:00Z"},
		{"2026-03-28", "Europe/Berlin", 1, "2026-03-28T23:00:00Z"},
		{"2026-03-29", "Europe/Berlin", 1, "2026-03-29T22:00:00Z"},     // a day of 23 hours
		{"2018-11-04", "America/Sao_Paulo", 0, "2018-11-04T03:00:00Z"}, // its first hour was left out
		{"2026-12-31", "Asia/Tokyo", 1, "2026-12-31T15:00:00Z"},
		{"2026-11-01T08:00:00+02:00", "Asia/Tokyo", 1, "2026-11-01T06:00:00Z"},
	} {
		zone, err := LoadZone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseMoment("from", c.text, zone, c.days)
		if err != nil || got.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("ParseMoment(%q, %s, %d) = %s, %v; want %s", c.text, c.zone, c.days, got.UTC(), err, c.want)
		}
		if day := Day(got, zone); len(c.text) == len(time.DateOnly) && c.days == 0 && day != c.text {
			t.Errorf("%q begins on %s", c.text, day)
		}
	}
	if got, err := ParseMoment("from", "", time.UTC, 1); err != nil || !got.IsZero() {
		t.Errorf("the empty text gives %s, %v", got, err)
	}
	for _, text := range []string{"soon", "2026-11", "2026-13-01", "2026-11-01 08:00", "01.11.2026"} {
		if _, err := ParseMoment("from", text, time.UTC, 0); KindOf(err) != Invalid || err.(*Error).Field != "from" {
			t.Errorf("ParseMoment(%q): %v, want Invalid of the field", text, err)
		}
	}
}
