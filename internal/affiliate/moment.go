package affiliate

import "time"

// ParseMoment reads what people write for a moment: an RFC 3339 time, or a day of a zone, which means its start, moved
// on by some days. The empty text is the zero time. The error names the field.
func ParseMoment(field, text string, zone *time.Location, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return dayStart(day.AddDate(0, 0, days), zone), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, FieldErrorf(field, "must be a day such as 2026-11-01 or a time such as 2026-11-01T08:00:00Z")
	}
	return at, nil
}
