package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"

	"github.com/jmoiron/sqlx"
)

// Rehearse runs f in a transaction that is always taken back, and that nobody who receives or processes deliveries
// waits for, however long f takes. It may change the catalog (campaigns, creators, members, offers, codes, links) and
// append to the audit log. Others may change the catalog meanwhile: what f found is so at the moment of its beginning.
//
// PostgreSQL keeps versions of rows, so an ordinary transaction will do; only others who change the same rows of the
// catalog wait. SQLite has one lock for all who write: there the changes are made to copies of the catalog's tables
// that hide the tables themselves from this one connection, on disk, since a catalog may be large.
func (db *DB) Rehearse(ctx context.Context, f func(tx *Tx) error) error {
	if db.Embedded() {
		return db.rehearseOnCopies(ctx, f)
	}
	raw, err := db.write.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = raw.Rollback() }() // a broken connection rolls back by itself
	return f(&Tx{queries: queries{raw, db.d}})
}

// rehearsed are the tables that a rehearsal may change. The audit log is only appended to: its copy is empty.
var rehearsed = []string{"campaigns", "creators", "creator_handles", "campaign_members", "offers", "offer_members",
	"codes", "links", "audit_log"}

func (db *DB) rehearseOnCopies(ctx context.Context, f func(tx *Tx) error) (err error) {
	conn, err := db.read.Connx(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	// The connection is used for nothing else afterwards: it may write, and sees copies.
	defer func() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = conn.Close() // closed by the line above
	}()
	for _, pragma := range []string{"temp_store = FILE", "foreign_keys = 0", "query_only = 0"} {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return fmt.Errorf("prepare a rehearsal: %w", err)
		}
	}
	raw, err := conn.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = raw.Rollback() }() // nothing of it is to stay
	for _, table := range rehearsed {
		if err := copyTable(ctx, raw, table); err != nil {
			return fmt.Errorf("copy %s for a rehearsal: %w", table, err)
		}
	}
	return f(&Tx{queries: queries{raw, db.d}})
}

var (
	createTable = regexp.MustCompile(`^CREATE TABLE `)
	createIndex = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX `)
)

// copyTable makes a table of the same name, with the same indexes and rows, in the connection's own temporary database,
// where SQLite looks for a name first.
func copyTable(ctx context.Context, tx *sqlx.Tx, table string) error {
	var list []string
	if err := tx.SelectContext(ctx, &list, `SELECT sql FROM main.sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL
		ORDER BY type DESC`, table); err != nil { // the table comes before its indexes
		return err
	}
	if len(list) == 0 {
		return errors.New("there is no such table")
	}
	statements := []string{createTable.ReplaceAllString(list[0], "CREATE TEMP TABLE ")}
	if table != "audit_log" {
		statements = append(statements, "INSERT INTO temp."+table+" SELECT * FROM main."+table)
	}
	for _, index := range list[1:] {
		statements = append(statements, createIndex.ReplaceAllString(index, "CREATE ${1}INDEX temp."))
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
