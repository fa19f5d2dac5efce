package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/jmoiron/sqlx"
)

// Rehearse runs f in a transaction that is always taken back, and that nobody else waits for, however long f takes. It
// may change the catalog (campaigns, creators, members, offers, codes, links, and which codes are no creator's) and
// append to the audit log. Others may change the catalog meanwhile: what f found is so at the moment of its beginning.
//
// The changes are made to copies of the catalog's tables that hide the tables themselves from this one connection.
// SQLite has one lock for all who write. PostgreSQL keeps versions of rows, but whoever changes a row of the catalog
// that a rehearsal has changed, or takes a name that it has taken, would wait for its end, and with them, since they
// have locked the catalog, all deliveries that are to be processed.
func (db *DB) Rehearse(ctx context.Context, f func(tx *Tx) error) (err error) {
	conn, err := db.read.Connx(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	prepare, copied := preparePostgresCopies, copyPostgresTable
	if db.Embedded() {
		prepare, copied = prepareSQLiteCopies, copySQLiteTable
	}
	// The connection is used for nothing else afterwards: it may write, and has seen copies.
	defer func() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = conn.Close() // closed by the line above
	}()
	if err := prepare(ctx, conn); err != nil {
		return fmt.Errorf("prepare a rehearsal: %w", err)
	}
	raw, err := conn.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = raw.Rollback() }() // nothing of it is to stay
	for _, table := range rehearsed {
		if err := copied(ctx, raw, table); err != nil {
			return fmt.Errorf("copy %s for a rehearsal: %w", table, err)
		}
	}
	return f(&Tx{queries: queries{c: raw, d: db.d}})
}

// rehearsed are the tables that a rehearsal may change.
var rehearsed = []string{"campaigns", "creators", "creator_handles", "campaign_members", "offers", "offer_members",
	"commission_rules", "codes", "links", "dismissed_codes", "audit_log"}

// The audit log is only appended to: its copy is empty.
const auditLog = "audit_log"

// prepareSQLiteCopies lets a connection write its copies, on disk, since a catalog may be large.
func prepareSQLiteCopies(ctx context.Context, conn *sqlx.Conn) error {
	for _, pragma := range []string{"temp_store = FILE", "foreign_keys = 0", "query_only = 0"} {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	return nil
}

var (
	createTable = regexp.MustCompile(`^CREATE TABLE `)
	createIndex = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX `)
)

// copySQLiteTable makes a table of the same name, with the same indexes and rows, in the connection's own temporary
// database, where SQLite looks for a name first.
func copySQLiteTable(ctx context.Context, tx *sqlx.Tx, table string) error {
	var list []string
	if err := tx.SelectContext(ctx, &list, `SELECT sql FROM main.sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL
		ORDER BY type DESC`, table); err != nil { // the table comes before its indexes
		return err
	}
	if len(list) == 0 {
		return errors.New("there is no such table")
	}
	statements := []string{createTable.ReplaceAllString(list[0], "CREATE TEMP TABLE ")}
	if table != auditLog {
		statements = append(statements, "INSERT INTO temp."+table+" SELECT * FROM main."+table)
	}
	for _, index := range list[1:] {
		statements = append(statements, createIndex.ReplaceAllString(index, "CREATE ${1}INDEX temp."))
	}
	return execAll(ctx, tx, statements)
}

// preparePostgresCopies has nothing to prepare: a connection may have temporary tables as it is.
func preparePostgresCopies(context.Context, *sqlx.Conn) error { return nil }

// copyPostgresTable makes a temporary table of the same name, with the same indexes, rules and rows and a sequence of
// ids of its own, that is gone when the transaction ends. PostgreSQL looks for a name among temporary tables first.
func copyPostgresTable(ctx context.Context, tx *sqlx.Tx, table string) error {
	var schema string
	if err := tx.GetContext(ctx, &schema, `SELECT quote_ident(current_schema())`); err != nil {
		return err
	}
	original := schema + "." + table
	statements := []string{"CREATE TEMP TABLE " + table + " (LIKE " + original + " INCLUDING ALL) ON COMMIT DROP"}
	if table != auditLog {
		statements = append(statements, "INSERT INTO pg_temp."+table+" SELECT * FROM "+original)
	}
	if withID := table != "creator_handles" && table != "dismissed_codes"; withID {
		statements = append(statements, "SELECT setval(pg_get_serial_sequence('pg_temp."+table+
			"', 'id'), COALESCE((SELECT MAX(id) FROM "+original+"), 0) + 1, FALSE)")
	}
	return execAll(ctx, tx, slices.Concat(statements, []string{"ANALYZE pg_temp." + table}))
}

func execAll(ctx context.Context, tx *sqlx.Tx, statements []string) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
