// Package storage is the SQL of Tributary, but for what package report reads: connections, transactions, migrations and
// every query, written once for PostgreSQL and SQLite. Methods that only read or stand alone live on queries, so that
// both DB and Tx have them; methods that must not run outside a transaction exist on Tx only.
package storage

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"modernc.org/sqlite"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// conn is what a pool and a transaction have in common.
type conn = sqlx.ExtContext

// queries are the methods that DB and Tx share. In DB they run on the read pool.
type queries struct {
	c conn
	d dialect
	// reads: figures are read as they are to be shown; see AsShown. A transaction reads the tables as they are.
	reads    bool
	snapshot *Shown // how a snapshot is read where its context does not say
}

// DB is an open database.
type DB struct {
	queries
	write *sqlx.DB
	read  *sqlx.DB
	// vital is for what must not wait behind anything else: taking deliveries in, and saying whether that works. On
	// SQLite it is write.
	vital     *sqlx.DB
	connector *connector // nil on SQLite
	// insertDeliveries is prepared for the intake of PostgreSQL, the busiest statement of all.
	insertDeliveries atomic.Pointer[sql.Stmt]
	trusting         atomic.Bool // see QuickLoad
	onHold           atomic.Pointer[func(time.Duration)]
	note             func(statement string) // see Note
	room             *room
}

// Tx is one transaction. Inside it use nothing but its methods: the pool would read outside of it.
type Tx struct {
	queries
	after []func()
	sums  sums
	// shownSums are what changes in the figures as they are shown, where these are held back: see shownNow.
	shownSums sums
	how       *Shown
	asked     bool
	catalog   catalogHold
}

// Options say which database to open. An empty URL means SQLite in the file Path.
type Options struct {
	URL  string // postgres://…
	Path string // of the SQLite file
	// MaxConns bounds the PostgreSQL pool; 0 means 20.
	MaxConns int
	// MinFree is how many bytes of the disk that Path is on are kept free; 0 means that no look is taken.
	MinFree int64
	// Free says how many bytes may still be written to a folder's disk; nil asks the system.
	Free func(folder string) (int64, error)
}

// Open connects and checks that the database answers. It does not migrate.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.URL != "" {
		return openPostgres(ctx, o)
	}
	return openSQLiteFull(ctx, o)
}

func openPostgres(ctx context.Context, o Options) (*DB, error) {
	dsn, err := postgresDSN(o.URL)
	if err != nil {
		return nil, err
	}
	connector, err := newConnector(dsn, usualLimits)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	most := o.MaxConns
	if most == 0 {
		most = 20
	}
	db := newPostgres(connector, most)
	if err := db.write.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("connect to PostgreSQL (DATABASE_URL): %w", err)
	}
	return db, nil
}

// vitalConns are the connections that are set aside for the vital pool, where there are vitalFrom at least.
const (
	vitalConns = 4
	vitalFrom  = 10
)

// newPostgres makes the pools, which connect when they are first used.
func newPostgres(c *connector, most int) *DB {
	open := func(most int) *sqlx.DB {
		pool := sqlx.NewDb(sql.OpenDB(c), "postgres")
		pool.SetMaxOpenConns(most)
		pool.SetMaxIdleConns(most)
		return pool
	}
	if most < vitalFrom {
		pool := open(most)
		return &DB{queries: queries{c: pool, d: postgres, reads: true}, write: pool, read: pool, vital: pool,
			connector: c, room: &room{}}
	}
	pool := open(most - vitalConns)
	return &DB{queries: queries{c: pool, d: postgres, reads: true}, write: pool, read: pool, vital: open(vitalConns),
		connector: c, room: &room{}}
}

// postgresDSN adds what we rely on: binary_parameters saves lib/pq a round trip for each statement with arguments.
func postgresDSN(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", errors.New("DATABASE_URL must look like postgres://user:password@host:5432/database")
	}
	q := u.Query()
	if !q.Has("binary_parameters") {
		q.Set("binary_parameters", "yes")
	}
	if !q.Has("timezone") {
		q.Set("timezone", "UTC")
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// openSQLite opens two pools on one file: any number of readers, and one writer whose transactions take the write lock
// at their start, so that no transaction fails half-way as busy. Pragmas stand in the address, since a PRAGMA run on a
// pool reaches one connection only.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	const common = "?_pragma=busy_timeout(45000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(16777216)"
	address := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + common
	write, err := sqlx.Open("sqlite", address+"&_txlock=immediate&_pragma=cache_size(-32000)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	if err := connectSQLite(ctx, write); err != nil {
		write.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// each connection has a cache of its own
	read, err := sqlx.Open("sqlite", address+"&_pragma=query_only(1)&_pragma=cache_size(-8000)")
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	read.SetMaxOpenConns(10)
	read.SetMaxIdleConns(8)
	return &DB{queries: queries{c: read, d: sqliteDialect, reads: true}, write: write, read: read, vital: write}, nil
}

// connectSQLite makes the first connection. It turns a new file into one with a write-ahead log, for which SQLite waits
// for nobody: of several processes that open a new file at once, all but one are told that it is busy.
func connectSQLite(ctx context.Context, db *sqlx.DB) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := db.PingContext(ctx)
		var se *sqlite.Error
		if !errors.As(err, &se) || se.Code()&0xff != sqliteBusy || time.Now().After(deadline) {
			return err
		}
	}
}

// Close ends all connections. It waits for none that is silent.
func (db *DB) Close() error {
	if db.connector != nil {
		db.connector.end()
	}
	return errors.Join(db.read.Close(), db.write.Close(), db.vital.Close()) // closing one twice does nothing
}

// Readers is how many may read at once, not counting those for whom connections are set aside.
func (db *DB) Readers() int { return db.read.Stats().MaxOpenConnections }

// Embedded says whether this is the embedded SQLite database.
func (db *DB) Embedded() bool { return db.d.name == sqliteDialect.name }

// Ping asks whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.vital.PingContext(ctx) }

// Ready asks whether the database answers and takes writes, on a connection that does not wait behind other work. With
// write it commits something, as only that proves that there is room and that nothing stands in the way.
func (db *DB) Ready(ctx context.Context, write bool) error {
	if write {
		_, err := queries{c: db.vital, d: db.d}.exec(ctx,
			`UPDATE migrations SET applied_at = applied_at WHERE name = (SELECT MIN(name) FROM migrations)`)
		return err
	}
	if db.Embedded() {
		return db.read.PingContext(ctx) // the one that writes may be at a long import
	}
	var readOnly string
	vital := queries{c: db.vital, d: db.d}
	if err := vital.Get(ctx, &readOnly, `SELECT current_setting('transaction_read_only')`); err != nil {
		return err
	}
	if readOnly == "on" {
		return affiliate.Errorf(affiliate.Unavailable,
			"the database takes no writes: it is a standby, or set to be read only")
	}
	return nil
}

// Within bounds some work by a limit. On the embedded database it is longer: there whoever writes may have to wait for
// the one that does, such as a large import.
func (db *DB) Within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if db.Embedded() {
		limit = max(limit, embeddedLimit)
	}
	return context.WithTimeout(ctx, limit)
}

// embeddedLimit is longer than SQLite waits for its write lock; see openSQLite.
const embeddedLimit = 50 * time.Second

// InTx runs f in one transaction: all of it or nothing. Functions registered with AfterCommit run when it has been
// committed. This is the only place that commits or rolls back. What Alongside put into ctx is done in the same
// transaction.
func (db *DB) InTx(ctx context.Context, f func(tx *Tx) error) (err error) {
	if err := db.room.admit(ctx); err != nil {
		return err
	}
	defer func() { err = db.room.note(err) }()
	raw, err := db.write.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{queries: queries{c: db.noted(raw), d: db.d}}
	if hold := db.onHold.Load(); hold != nil {
		begun := time.Now()
		defer func() { (*hold)(time.Since(begun)) }()
	}
	defer func() {
		if p := recover(); p != nil {
			_ = raw.Rollback() // the panic matters more
			panic(p)
		}
	}()
	if err = f(tx); err == nil {
		err = tx.writeSums(ctx)
	}
	besides := alongsideOf(ctx)
	if err == nil && besides != nil {
		err = besides.work(ctx, tx)
	}
	if err != nil {
		_ = raw.Rollback() // the first error matters more; a broken connection rolls back by itself
		return err
	}
	if err := raw.Commit(); err != nil {
		return fmt.Errorf("commit: %w", cmp.Or(ctx.Err(), err)) // what ended ctx has rolled back
	}
	if besides != nil {
		besides.done = true
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

// WatchHolds has f told of each transaction that writes, for how long it ran: on SQLite it keeps all others who write
// waiting for that long.
func (db *DB) WatchHolds(f func(time.Duration)) { db.onHold.Store(&f) }

// AfterCommit registers work that must not happen if the transaction is rolled back, such as telling open pages.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// exec runs a statement with ? placeholders on the writing side, as a transaction of its own.
func (db *DB) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	if alongsideOf(ctx) == nil {
		if err := db.room.admit(ctx); err != nil {
			return 0, err
		}
		n, err = db.execAlone(ctx, query, args...)
		return n, db.room.note(err)
	}
	err = db.InTx(ctx, func(tx *Tx) error {
		n, err = tx.exec(ctx, query, args...)
		return err
	})
	return n, err
}

// execAlone runs a statement without a transaction around it, and tells how long it took as InTx does.
func (db *DB) execAlone(ctx context.Context, query string, args ...any) (int64, error) {
	hold := db.onHold.Load()
	if hold == nil || !db.Embedded() {
		return queries{c: db.write, d: db.d}.exec(ctx, query, args...)
	}
	c, err := db.write.Connx(ctx) // from here on this process has none that writes besides
	if err != nil {
		return 0, storageError(err)
	}
	begun := time.Now()
	res, err := c.ExecContext(ctx, db.d.rebind(query), args...)
	took := time.Since(begun)
	_ = c.Close() // gives it back
	(*hold)(took)
	if err != nil {
		return 0, storageError(err)
	}
	return res.RowsAffected()
}

func (q queries) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := q.c.ExecContext(ctx, q.d.rebind(query), args...)
	if err != nil {
		return 0, storageError(err)
	}
	return res.RowsAffected()
}

// Get reads the first row of a query into dest, a pointer to a struct with a field for each column or to the one value
// that a row has; NotFound when there is none. Get and its kin are for this package and report: nobody else writes SQL.
func (q queries) Get(ctx context.Context, dest any, query string, args ...any) error {
	err := q.rows(ctx, q.d.rebind(query), args, func(rows *sqlx.Rows) error {
		return scanInto(rows, reflect.ValueOf(dest).Elem(), false, func() error { return errFirst })
	})
	switch err {
	case errFirst:
		return nil
	case nil:
		return storageError(sql.ErrNoRows)
	}
	return err
}

// errFirst ends the reading of rows behind the first.
var errFirst = errors.New("the first row was read")

// List reads all rows into dest, a pointer to a list of what Get reads.
func (q queries) List(ctx context.Context, dest any, query string, args ...any) error {
	list := reflect.ValueOf(dest).Elem()
	one := reflect.New(list.Type().Elem()).Elem()
	return q.rows(ctx, q.d.rebind(query), args, func(rows *sqlx.Rows) error {
		return scanInto(rows, one, false, func() error {
			list.Set(reflect.Append(list, one))
			return nil
		})
	})
}

// rows hands the rows of a query to read. Its placeholders are the database's own.
func (q queries) rows(ctx context.Context, query string, args []any, read func(*sqlx.Rows) error) error {
	rows, err := q.c.QueryxContext(ctx, q.shown(ctx).over(query), args...)
	if err != nil {
		return storageError(err)
	}
	defer rows.Close()
	if err := read(rows); err != nil {
		return err
	}
	return storageError(rows.Err())
}

// ListIn reads rows for a query with an IN (?) over a slice; nothing is asked for an empty slice.
func (q queries) ListIn(ctx context.Context, dest any, query string, args ...any) error {
	expanded, flat, err := sqlx.In(query, args...)
	if err != nil {
		return err
	}
	return q.List(ctx, dest, expanded, flat...)
}

// execIn runs a statement with an IN (?) over a slice.
func (q queries) execIn(ctx context.Context, query string, args ...any) error {
	expanded, flat, err := sqlx.In(query, args...)
	if err != nil {
		return err
	}
	_, err = q.exec(ctx, expanded, flat...)
	return err
}

// storageError turns what callers can act upon into an affiliate.Error.
func storageError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		return affiliate.Errorf(affiliate.NotFound, "not found")
	}
	if isBadText(err) {
		return fmt.Errorf("%w (%w)", affiliate.Errorf(affiliate.Invalid,
			"a value cannot be stored: it has characters that are no text, or is too large"), err)
	}
	if isUniqueViolation(err) {
		return fmt.Errorf("%w (%w)", affiliate.Errorf(affiliate.Conflict, "it exists already"), err)
	}
	return err
}

// Codes of a unique violation: PostgreSQL's, and SQLite's two extended ones.
const (
	pqUniqueViolation      = "23505"
	sqliteConstraintUnique = 2067
	sqliteConstraintPK     = 1555
)

func isUniqueViolation(err error) bool {
	var pe *pq.Error
	if errors.As(err, &pe) {
		return pe.Code == pqUniqueViolation
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() == sqliteConstraintUnique || se.Code() == sqliteConstraintPK
	}
	return false
}

// isBadText recognises PostgreSQL's data exceptions: NUL or broken UTF-8 in a text, a number out of range.
func isBadText(err error) bool {
	var pe *pq.Error
	return errors.As(err, &pe) && pe.Code.Class() == "22"
}

// IsUnavailable says whether an error means that the database cannot do its work now, as against a fault of the input
// or of this program: it cannot be reached, is starting or stopping, has no room, or another transaction is in the way.
// The same may succeed in a moment. A query that was called off counts, since what it was part of is being shut down.
func IsUnavailable(err error) bool {
	if kind := affiliate.KindOf(err); err == nil || kind != "" {
		return kind == affiliate.Unavailable
	}
	var pe *pq.Error
	if errors.As(err, &pe) {
		switch pe.Code.Class() {
		case "08", "53", "57", "58", "40", "55": // connection, resources, shutdown, system, serialization, lock
			return true
		}
		return pe.Code == pqReadOnly
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqliteBusy, 6, 9, 10, 13, 14: // busy, locked, interrupted, I/O, full, cannot open
			return true
		}
		return false
	}
	var network net.Error // a time limit is one, too
	return errors.As(err, &network) || isAny(err, context.Canceled, driver.ErrBadConn, sql.ErrConnDone, io.EOF,
		io.ErrUnexpectedEOF) ||
		strings.Contains(err.Error(), closedDatabase)
}

const sqliteBusy = 5

const (
	pqReadOnly     = "25006"                   // after a failover: this server is a standby
	closedDatabase = "sql: database is closed" // database/sql exports no value for it
)

func isAny(err error, list ...error) bool {
	return slices.ContainsFunc(list, func(one error) bool { return errors.Is(err, one) })
}

// dialect holds what truly differs between the two databases.
type dialect struct {
	name      string
	dollar    bool   // placeholders are $1, $2, …
	skipLock  string // appended to a SELECT that claims rows
	lockRows  string // appended to a SELECT of rows that others shall not change; rows may still refer to them
	folder    string // of its migrations
	advisory  bool   // has advisory locks (SQLite needs none: its one writer is the lock)
	maxParams int    // placeholders in one statement
	arrays    bool   // takes whole columns as arrays
}

// SQLite's driver looks for each placeholder among all arguments: a statement of 10,000 takes five times as long per
// row as one of a few hundred; below a hundred, parsing statements takes over.
var (
	postgres = dialect{name: "postgres", dollar: true, skipLock: " FOR UPDATE SKIP LOCKED", lockRows: " FOR NO KEY UPDATE", folder: "postgres", advisory: true,
		maxParams: 60000, arrays: true}
	sqliteDialect = dialect{name: "sqlite", folder: "sqlite", maxParams: 250}
)

func (d dialect) rebind(query string) string {
	if !d.dollar {
		return query
	}
	return sqlx.Rebind(sqlx.DOLLAR, query)
}

// values writes "(?,?),(?,?)" for rows of columns, in the dialect's own placeholders.
func (d dialect) values(rows, columns int) string {
	var b strings.Builder
	b.Grow(rows * columns * 5)
	n := 0
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c := range columns {
			if c > 0 {
				b.WriteByte(',')
			}
			n++
			d.placeholder(&b, n)
		}
		b.WriteByte(')')
	}
	return b.String()
}

func (d dialect) placeholder(b *strings.Builder, n int) {
	if !d.dollar {
		b.WriteByte('?') // not numbered: SQLite looks each number up in a list, which is quadratic
		return
	}
	b.WriteByte('$')
	var digits [8]byte
	i := len(digits)
	for n > 0 {
		i--
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	b.Write(digits[i:])
}

// typedValues writes rows of placeholders for a VALUES list that stands alone: its first row tells PostgreSQL the
// types.
func (d dialect) typedValues(rows int, types ...string) string {
	if !d.dollar {
		return d.values(rows, len(types))
	}
	var b strings.Builder
	n := 0
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c, kind := range types {
			if c > 0 {
				b.WriteByte(',')
			}
			n++
			d.placeholder(&b, n)
			if r == 0 {
				b.WriteString("::" + kind)
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}

// typedPlaceholder writes the n-th placeholder with its type where PostgreSQL cannot know it.
func (d dialect) typedPlaceholder(n int, kind string) string {
	var b strings.Builder
	d.placeholder(&b, n)
	if d.dollar {
		b.WriteString("::" + kind)
	}
	return b.String()
}

// insertRows runs "INSERT INTO into VALUES …rows suffix" in as few statements as the placeholders allow, and hands the
// rows that each statement returns to read (nil when there are none). The rows to insert are flat in args.
func (q queries) insertRows(ctx context.Context, into string, columns int, args []any, suffix string,
	read func(*sqlx.Rows) error) error {
	most := q.d.maxParams / columns * columns
	for len(args) > 0 {
		part := args[:min(len(args), most)]
		args = args[len(part):]
		query := "INSERT INTO " + into + " VALUES " + q.d.values(len(part)/columns, columns) + " " + suffix
		if read == nil {
			if _, err := q.c.ExecContext(ctx, query, part...); err != nil {
				return storageError(err)
			}
			continue
		}
		if err := q.rows(ctx, query, part, read); err != nil {
			return err
		}
	}
	return nil
}

func (q queries) scanRows(ctx context.Context, scan func(*sqlx.Rows) error, query string, args ...any) error {
	return q.rows(ctx, query, args, func(rows *sqlx.Rows) error {
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return nil
	})
}
