package affiliate

import (
	"slices"
	"time"
)

// NextBankDay gives the first day from a moment's on, in its zone, on which banks in the euro area settle payments
// (TARGET): not a Saturday or Sunday, 1 January, Good Friday, Easter Monday, 1 May, 25 or 26 December.
func NextBankDay(at time.Time, zone *time.Location) string {
	year, month, day := at.In(zone).Date()
	for d := time.Date(year, month, day, 0, 0, 0, 0, time.UTC); ; d = d.AddDate(0, 0, 1) {
		if isBankDay(d) {
			return d.Format(time.DateOnly)
		}
	}
}

func isBankDay(d time.Time) bool {
	easter := easterSunday(d.Year())
	return d.Weekday() != time.Saturday && d.Weekday() != time.Sunday &&
		!slices.Contains([]string{"01-01", "05-01", "12-25", "12-26"}, d.Format("01-02")) &&
		!d.Equal(easter.AddDate(0, 0, -2)) && !d.Equal(easter.AddDate(0, 0, 1))
}

// easterSunday is the anonymous Gregorian computus (Meeus/Jones/Butcher).
func easterSunday(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}
