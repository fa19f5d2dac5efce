package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

var (
	statementTable   = tableOf[affiliate.Statement]("statements")
	statementColumns = columnsOf[affiliate.Statement]()
)

// StatementFilter narrows a list of statements; zero fields do not.
type StatementFilter struct {
	Creator  affiliate.CreatorID
	Month    string // 2026-10
	Currency money.Currency
	Search   string // in the creator's name, as it was and as it is, their e-mail address or handles, and in the number
}

func (w StatementFilter) conditions() (f Filter) {
	Is(&f, "s.creator_id", w.Creator)
	Is(&f, "s.month", w.Month)
	Is(&f, "s.currency", w.Currency)
	if w.Search != "" {
		condition, args := CreatorHas("r", w.Search)
		f.And(`(`+condition+` OR LOWER(s.name) LIKE LOWER(?) ESCAPE '\' OR `+statementSerial+` LIKE ? ESCAPE '\')`,
			append(args, Containing(w.Search), Containing(w.Search))...)
	}
	return f
}

// statementSerial is the number of a statement s as people read it.
const statementSerial = `(CAST(s.year AS TEXT) || '-' || CASE WHEN s.number < 100000 THEN substr(CAST(s.number + 100000 AS TEXT), 2) ELSE CAST(s.number AS TEXT) END)`

var (
	newestStatements = Keyset{Keys: []Key{{SQL: "s.id", Descending: true}}}
	selectStatements = `SELECT ` + statementColumns.of("s") + ` FROM statements s JOIN creators r ON r.id = s.creator_id`
)

// Statement gives one statement; NotFound when there is none.
func (q queries) Statement(ctx context.Context, id affiliate.StatementID) (affiliate.Statement, error) {
	return getOne[affiliate.Statement](ctx, q, id, `SELECT `+statementColumns.of("")+` FROM statements WHERE id = ?`, id)
}

// Statements lists statements, newest first.
func (q queries) Statements(ctx context.Context, w StatementFilter, p Page) ([]affiliate.Statement, string, error) {
	return paged[affiliate.Statement](ctx, q, selectStatements, w.conditions(), newestStatements, p)
}

// EachStatement hands statements to each one by one, in the order of their numbers. The statement is used again for the
// next one.
func (q queries) EachStatement(ctx context.Context, w StatementFilter, each func(*affiliate.Statement) error) error {
	var s affiliate.Statement
	f := w.conditions()
	return q.stream(ctx, selectStatements+f.Where()+` ORDER BY s.id`, f.Args, &s, func() error { return each(&s) })
}

// StatementSum is what statements add up to in one currency. Amounts are its minor units.
type StatementSum struct {
	Currency   money.Currency
	Statements int64
	Opening    int64
	Earned     int64
	Paid       int64
	Closing    int64
}

// SumStatements adds statements up by currency. Opening and closing balances add up for statements of one month only.
func (q queries) SumStatements(ctx context.Context, w StatementFilter) ([]StatementSum, error) {
	sums := []StatementSum{}
	f := w.conditions()
	err := q.List(ctx, &sums, `SELECT s.currency, COUNT(*) AS statements, CAST(SUM(s.opening) AS BIGINT) AS opening,
		CAST(SUM(s.earned) AS BIGINT) AS earned, CAST(SUM(s.paid) AS BIGINT) AS paid, CAST(SUM(s.closing) AS BIGINT) AS closing
		FROM statements s JOIN creators r ON r.id = s.creator_id`+f.Where()+` GROUP BY s.currency ORDER BY s.currency`, f.Args...)
	return sums, err
}

// IssuedMonth is a month of which statements were issued.
type IssuedMonth struct {
	Month      string
	FromAt     Time
	ToAt       Time
	Zone       string
	Statements int64
}

// IssuedMonths lists the months of which statements were issued, newest first.
func (q queries) IssuedMonths(ctx context.Context) ([]IssuedMonth, error) {
	list := []IssuedMonth{}
	err := q.List(ctx, &list, `SELECT month, MIN(from_at) AS from_at, MAX(to_at) AS to_at, MIN(zone) AS zone, COUNT(*) AS statements
		FROM statements GROUP BY month ORDER BY month DESC`)
	return list, err
}

// HasStatements says whether statements of a month were issued.
func (q queries) HasStatements(ctx context.Context, month string) (bool, error) {
	var n int
	err := q.Get(ctx, &n, `SELECT CASE WHEN EXISTS (SELECT 1 FROM statements WHERE month = ?) THEN 1 ELSE 0 END`, month)
	return n > 0, err
}

// PostedBefore says whether the ledger has an entry that was posted before a time.
func (q queries) PostedBefore(ctx context.Context, before time.Time) (bool, error) {
	var n int
	err := q.Get(ctx, &n, `SELECT CASE WHEN EXISTS (SELECT 1 FROM ledger_entries WHERE created_at < ?) THEN 1 ELSE 0 END`,
		At(before))
	return n > 0, err
}

// statementLock is the advisory lock of those who issue statements: their numbers have no gaps.
const statementLock = 7_215_023_520

// LockStatements keeps others from issuing statements until this transaction ends.
func (tx *Tx) LockStatements(ctx context.Context) error {
	if !tx.d.advisory {
		return nil
	}
	_, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, statementLock)
	return err
}

// statementSums are the sums of a statement, of ledger entries l that were posted before its end. They take its begin
// four times.
const statementSums = `CAST(COALESCE(SUM(l.amount) FILTER (WHERE l.created_at < ?), 0) AS BIGINT) AS opening,
	CAST(COALESCE(SUM(l.amount) FILTER (WHERE l.created_at >= ? AND l.kind <> 'payout'), 0) AS BIGINT) AS earned,
	CAST(COALESCE(-SUM(l.amount) FILTER (WHERE l.created_at >= ? AND l.kind = 'payout'), 0) AS BIGINT) AS paid,
	CAST(SUM(l.amount) AS BIGINT) AS closing, COUNT(*) FILTER (WHERE l.created_at >= ?) AS entries`

// MissingStatements gives the statements of a month that were not issued yet, without their numbers: of each creator
// and currency with an entry in the month or a balance before it, by the creators' ids.
func (q queries) MissingStatements(ctx context.Context,
	m affiliate.StatementMonth) ([]affiliate.Statement, error) {
	list := []affiliate.Statement{}
	from := At(m.FromAt)
	err := q.List(ctx, &list, `SELECT w.creator_id, w.currency, w.opening, w.earned, w.paid, w.closing, w.entries, r.name FROM (
		SELECT l.creator_id, l.currency, `+statementSums+` FROM ledger_entries l WHERE l.created_at < ? GROUP BY l.creator_id, l.currency) w
		JOIN creators r ON r.id = w.creator_id WHERE (w.opening <> 0 OR w.entries > 0)
		AND NOT EXISTS (SELECT 1 FROM statements s WHERE s.creator_id = w.creator_id AND s.month = ? AND s.currency = w.currency)
		ORDER BY w.creator_id, w.currency`, from, from, from, from, At(m.ToAt), m.Month)
	return list, err
}

// CreateStatements writes statements with the next numbers of a year, and gives them with these. Call LockStatements
// first.
func (tx *Tx) CreateStatements(ctx context.Context, year int64,
	list []affiliate.Statement) ([]affiliate.Statement, error) {
	var last int64
	if err := tx.Get(ctx, &last, `SELECT COALESCE(MAX(number), 0) FROM statements WHERE year = ?`, year); err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Year, list[i].Number = year, last+int64(i)+1
	}
	if err := statementTable.insert(ctx, tx, list, "", nil, nil); err != nil {
		return nil, err
	}
	written := []affiliate.Statement{}
	err := tx.List(ctx, &written, `SELECT `+statementColumns.of("")+` FROM statements WHERE year = ? AND number > ? ORDER BY number`, year, last)
	return written, err
}

// StatementNow is a statement with the sums that the ledger gives now. They are others only by a fault, or where
// somebody wrote entries of the past.
func (q queries) StatementNow(ctx context.Context, s affiliate.Statement) (affiliate.Statement, error) {
	var now struct{ Opening, Earned, Paid, Closing, Entries int64 }
	from := At(s.FromAt)
	err := q.Get(ctx, &now, `SELECT opening, earned, paid, COALESCE(closing, 0) AS closing, entries FROM (SELECT `+statementSums+`
		FROM ledger_entries l WHERE l.creator_id = ? AND l.currency = ? AND l.created_at < ?) w`, from, from, from, from,
		s.CreatorID, s.Currency, At(s.ToAt))
	s.Opening, s.Earned, s.Paid, s.Closing, s.Entries = now.Opening, now.Earned, now.Paid, now.Closing, now.Entries
	return s, err
}

// statementLedger are the ledger entries that a statement is made of.
func statementLedger(s affiliate.Statement) LedgerFilter {
	return LedgerFilter{Creator: s.CreatorID, Currency: s.Currency, From: s.FromAt, To: s.ToAt}
}

// EachLineOf hands the entries of a statement to each one by one, oldest first, with the balance after each. The line
// is used again for the next one.
func (q queries) EachLineOf(ctx context.Context, s affiliate.Statement, each func(*LedgerLine) error) error {
	balance := s.Opening
	return q.EachLedgerEntry(ctx, statementLedger(s), func(l *LedgerLine) error {
		balance += l.Amount
		l.Balance = balance
		return each(l)
	})
}

// LinesOf gives entries of a statement, newest first, with the balance after each, and the cursor of the next page,
// which is empty on the last one. Read it in a snapshot.
func (q queries) LinesOf(ctx context.Context, s affiliate.Statement, p Page) ([]LedgerLine, string, error) {
	balances := map[money.Currency]int64{s.Currency: s.Closing}
	if p.Cursor != "" {
		if err := carried(p.Cursor, &balances); err != nil {
			return nil, "", err
		}
	}
	lines, next, err := q.LedgerPage(ctx, statementLedger(s), p)
	for i := range lines {
		lines[i].Balance = balances[s.Currency]
		balances[s.Currency] -= lines[i].Amount
	}
	return lines, carry(next, balances), err
}

// PayoutsOfStatement gives the payouts that a statement has entries of, oldest first, as they are now.
func (q queries) PayoutsOfStatement(ctx context.Context, s affiliate.Statement) ([]affiliate.Payout, error) {
	list := []affiliate.Payout{}
	err := q.List(ctx, &list, `SELECT `+payoutColumns.of("p")+` FROM payouts p WHERE p.id IN (SELECT l.payout_id FROM ledger_entries l
		WHERE l.creator_id = ? AND l.currency = ? AND l.created_at >= ? AND l.created_at < ? AND l.kind = 'payout') ORDER BY p.id`,
		s.CreatorID, s.Currency, At(s.FromAt), At(s.ToAt))
	return list, err
}
