package affiliate

import (
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// StatementID names a statement that was issued.
type StatementID int64

func (id StatementID) String() string { return prefixed("stm_", int64(id)) }

// Statement says what a creator earned and was paid in one month and currency. It is issued once the month is over, has
// a number of a series without gaps, and never changes. Amounts are minor units of Currency.
type Statement struct {
	ID        StatementID
	Year      int64 // of the series: in which it was issued
	Number    int64 // 1, 2, … in the year
	CreatorID CreatorID
	Month     string // 2026-10
	Currency  money.Currency
	FromAt    time.Time // entries posted in [FromAt, ToAt)
	ToAt      time.Time
	Zone      string // whose days those are
	Opening   int64  // the balance before
	Earned    int64  // commissions, rewards and the like, less what was taken back
	Paid      int64  // payouts, as a positive number, less those that came back
	Closing   int64  // Opening + Earned - Paid
	Entries   int64  // how many
	Name      string // of the creator then
	Brand     string // the account's name then
	Author    string
	CreatedAt time.Time
}

// Serial is the number as people read it: "2026-00042".
func (s Statement) Serial() string { return fmt.Sprintf("%d-%05d", s.Year, s.Number) }

// StatementDelay is how long after the end of a month its statements can be issued: what was being posted when it ended
// is in the ledger by then.
const StatementDelay = time.Hour

// MonthText says a month, such as 2026-10, to people: "October 2026". What is no month stays as it is.
func MonthText(month string) string {
	at, err := time.Parse("2006-01", month)
	if err != nil {
		return month
	}
	return at.Format("January 2006")
}

// StatementMonth is a month whose statements are or can be issued.
type StatementMonth struct {
	Month  string // 2026-10
	FromAt time.Time
	ToAt   time.Time
	Zone   string
}

// Closed says whether the month's statements can be issued.
func (m StatementMonth) Closed(now time.Time) bool { return !now.Before(m.ToAt.Add(StatementDelay)) }

// NewStatementMonth reads a month, such as 2026-10, whose days are those of a zone. The error is about the field month.
func NewStatementMonth(month string, zone *time.Location) (StatementMonth, error) {
	from, err := time.ParseInLocation("2006-01", month, zone)
	if err != nil || from.Year() < 1970 {
		return StatementMonth{}, FieldErrorf("month", "%q is not a month; it looks like 2026-10", Clip(month, 40))
	}
	return StatementMonth{Month: month, FromAt: from, ToAt: from.AddDate(0, 1, 0), Zone: zone.String()}, nil
}

// MonthBefore is the last month whose statements can be issued at a time.
func MonthBefore(now time.Time, zone *time.Location) StatementMonth {
	y, m, _ := now.Add(-StatementDelay).In(zone).Date()
	to := time.Date(y, m, 1, 0, 0, 0, 0, zone)
	from := to.AddDate(0, -1, 0)
	return StatementMonth{Month: from.Format("2006-01"), FromAt: from, ToAt: to, Zone: zone.String()}
}
