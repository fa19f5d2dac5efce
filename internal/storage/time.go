package storage

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// timeLayout is fixed-width UTC, so that text times sort as times do on SQLite.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// Time is a moment as both databases keep it: UTC, microseconds, TIMESTAMPTZ on PostgreSQL and fixed-width text on
// SQLite. The zero time is NULL.
type Time struct{ time.Time }

// At makes a Time.
func At(t time.Time) Time { return Time{t} }

// Value writes UTC text, which PostgreSQL reads as well.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UTC().Format(timeLayout), nil
}

// Scan reads what either database gives.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		t.Time = time.Time{}
		return nil
	case time.Time:
		t.Time = v.UTC()
		return nil
	case string:
		return t.parse(v)
	case []byte:
		return t.parse(string(v))
	}
	return fmt.Errorf("a time cannot be read from %T", src)
}

func (t *Time) parse(s string) error {
	parsed, err := time.Parse(timeLayout, s)
	if err != nil {
		parsed, err = time.Parse(time.RFC3339Nano, s)
	}
	t.Time = parsed.UTC()
	return err
}
