package app

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

// StatementsIssued is what IssueStatements did.
type StatementsIssued struct {
	Month      affiliate.StatementMonth
	Statements []affiliate.Statement // new ones, by their numbers
	Before     int64                 // how many of the month there were already
}

// IssueStatements issues the statements of a month, such as 2026-10, that there are not yet: one per creator and
// currency that has entries in it or a balance before it. All of them or none; numbers go on without gaps in the year
// in which they are issued. Its days are those of the account's zone, unless the month before or after it was issued in
// another: months never overlap and leave nothing out. Invalid of the field month where that is none; Conflict while
// the month is not over.
func (a *App) IssueStatements(ctx context.Context, month string) (done StatementsIssued, err error) {
	month = strings.TrimSpace(month)
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		done = StatementsIssued{}
		if err := tx.LockStatements(ctx); err != nil {
			return err
		}
		settings, zone, err := tx.Account(ctx)
		if err != nil {
			return err
		}
		if done.Month, err = statementMonth(ctx, tx, month, zone); err != nil {
			return err
		}
		now := a.now()
		if !done.Month.Closed(now) {
			from := done.Month.ToAt.Add(affiliate.StatementDelay).In(zone)
			return affiliate.ConflictErrorf("month", "%s is not over yet; its statements can be issued from %s on",
				affiliate.MonthText(month), from.Format("2 January 2006, 15:04"))
		}
		sums, err := tx.SumStatements(ctx, storage.StatementFilter{Month: month})
		if err != nil {
			return err
		}
		for _, s := range sums {
			done.Before += s.Statements
		}
		list, err := tx.MissingStatements(ctx, done.Month)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			s := &list[i]
			s.Month, s.FromAt, s.ToAt, s.Zone = month, done.Month.FromAt, done.Month.ToAt, done.Month.Zone
			s.Brand, s.Author, s.CreatedAt = settings.Name, actor(ctx), now
		}
		if done.Statements, err = tx.CreateStatements(ctx, int64(now.In(zone).Year()), list); err != nil {
			return err
		}
		last := done.Statements[len(list)-1]
		return a.audit(ctx, tx, "statements.issue", account{}, nil, facts{"month": month,
			"statements": len(list), "from_number": list[0].Serial(), "to_number": last.Serial()})
	})
	return done, err
}

// statementMonth gives the bounds of a month: as they were when others of the month were issued, or between those of
// the months beside it that were issued.
func statementMonth(ctx context.Context, tx *storage.Tx, month string,
	zone *time.Location) (affiliate.StatementMonth, error) {
	m, err := affiliate.NewStatementMonth(month, zone)
	if err != nil {
		return m, err
	}
	issued, err := tx.IssuedMonths(ctx)
	if err != nil {
		return m, err
	}
	begin, _ := time.Parse("2006-01", month)
	before, after := begin.AddDate(0, -1, 0).Format("2006-01"), begin.AddDate(0, 1, 0).Format("2006-01")
	for _, i := range issued {
		switch i.Month {
		case month:
			return affiliate.StatementMonth{Month: month, FromAt: i.FromAt.Time, ToAt: i.ToAt.Time, Zone: i.Zone}, nil
		case before:
			m.FromAt = i.ToAt.Time
		case after:
			m.ToAt = i.FromAt.Time
		}
	}
	return m, nil
}

// UnissuedMonth gives the last month that is over and of which there are no statements, although something was posted
// until its end; "" when there is none.
func (a *App) UnissuedMonth(ctx context.Context) (string, error) {
	_, zone, err := a.DB.SavedAccount(ctx)
	if err != nil {
		return "", err
	}
	m := affiliate.MonthBefore(a.Now(), zone)
	switch has, err := a.DB.HasStatements(ctx, m.Month); {
	case err != nil || has:
		return "", err
	}
	if posted, err := a.DB.PostedBefore(ctx, m.ToAt); err != nil || !posted {
		return "", err
	}
	return m.Month, nil
}

// PayeeYear gives the payouts of a calendar year in the account's zone; year 0 is the present one. Invalid of the field
// year for one that cannot be.
func (a *App) PayeeYear(ctx context.Context, year int, search string) (storage.PayeeFilter, int, error) {
	_, zone, err := a.DB.SavedAccount(ctx)
	if err != nil {
		return storage.PayeeFilter{}, 0, err
	}
	if year == 0 {
		year = a.Now().In(zone).Year()
	}
	if year < 2000 || year > 9998 {
		return storage.PayeeFilter{}, 0, affiliate.FieldErrorf("year", "must be a year such as 2026")
	}
	return storage.PayeeFilter{From: time.Date(year, 1, 1, 0, 0, 0, 0, zone),
		To: time.Date(year+1, 1, 1, 0, 0, 0, 0, zone), Search: search}, year, nil
}

// ExportStatements writes statements, in the order of their numbers.
func (a *App) ExportStatements(ctx context.Context, w io.Writer, f storage.StatementFilter,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[affiliate.Statement]{
		Table: tables.Statements(),
		count: func(s *storage.Snapshot) (n int64, err error) {
			sums, err := s.SumStatements(ctx, f)
			for _, sum := range sums {
				n += sum.Statements
			}
			return n, err
		},
		each: func(s *storage.Snapshot, row func(*affiliate.Statement) error) error {
			return s.EachStatement(ctx, f, row)
		},
	})
}

// ExportIssued writes the entries of a statement that was issued, oldest first, with the balance after each.
func (a *App) ExportIssued(ctx context.Context, w io.Writer, st affiliate.Statement,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.LedgerLine]{
		Table: tables.Statement(),
		names: func(s *storage.Snapshot) (storage.Names, error) { return s.Names(ctx) },
		count: func(s *storage.Snapshot) (int64, error) { return st.Entries, nil },
		each: func(s *storage.Snapshot, row func(*storage.LedgerLine) error) error {
			return s.EachLineOf(ctx, st, row)
		},
	})
}

// ExportPayees writes what creators were paid in a year, by currency and rail.
func (a *App) ExportPayees(ctx context.Context, w io.Writer, f storage.PayeeFilter,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.PayeeTotal]{
		Table: tables.Payees(),
		count: func(s *storage.Snapshot) (int64, error) {
			_, n, err := s.SumPayees(ctx, f)
			return n, err
		},
		each: func(s *storage.Snapshot, row func(*storage.PayeeTotal) error) error {
			return s.EachPayeeTotal(ctx, f, row)
		},
	})
}
