package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
)

// Integrity lets the database look at its own files, as against Check, which looks at what they say: pages, indexes and
// references. It reads all of the database. notes say what could not be looked at. SQLite looks at all of it;
// PostgreSQL only as far as it offers and its user may.
func (db *DB) Integrity(ctx context.Context) (findings []Finding, notes []string, err error) {
	if !db.Embedded() {
		return db.postgresIntegrity(ctx)
	}
	for _, c := range []struct{ rule, query string }{
		{"the database file is whole", `SELECT integrity_check AS finding FROM pragma_integrity_check
			WHERE integrity_check <> 'ok'`},
		{"every row refers to rows that exist", `SELECT "table", rowid, parent FROM pragma_foreign_key_check`},
	} {
		f, err := db.finding(ctx, c.rule, c.query)
		if IsDamaged(err) { // too much to go on reading
			f.Count, f.Examples, err = max(f.Count, 1), append(f.Examples, err.Error()), nil
		}
		if err != nil {
			return findings, nil, fmt.Errorf("check that %s: %w", c.rule, err)
		}
		if f.Count > 0 {
			findings = append(findings, f)
		}
	}
	return findings, nil, nil
}

// IsDamaged says whether an error tells that the file of the embedded database is damaged.
func IsDamaged(err error) bool {
	var se *sqlite.Error
	const corrupt, noDatabase = 11, 26
	return errors.As(err, &se) && (se.Code()&0xff == corrupt || se.Code()&0xff == noDatabase)
}

func (db *DB) postgresIntegrity(ctx context.Context) (findings []Finding, notes []string, err error) {
	for _, c := range []struct{ rule, query string }{
		{"all indexes are valid", `SELECT c.relname AS index FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
			WHERE c.relnamespace = current_schema()::regnamespace AND NOT (i.indisvalid AND i.indisready)`},
		{"all constraints hold for all rows", `SELECT conname AS constraint, conrelid::regclass AS of FROM pg_constraint
			WHERE connamespace = current_schema()::regnamespace AND NOT convalidated`},
		{"no page has failed its checksum", `SELECT checksum_failures, checksum_last_failure FROM pg_stat_database
			WHERE datname = current_database() AND checksum_failures > 0`},
	} {
		f, err := db.finding(ctx, c.rule, c.query)
		if err != nil {
			return findings, notes, fmt.Errorf("check that %s: %w", c.rule, err)
		}
		if f.Count > 0 {
			findings = append(findings, f)
		}
	}
	var sums string
	if err := db.Get(ctx, &sums, `SELECT current_setting('data_checksums')`); err != nil {
		return findings, notes, err
	}
	if sums != "on" {
		notes = append(notes, "PostgreSQL keeps no checksums of its pages (data_checksums is off): damage of the disk "+
			"may go unnoticed; pg_checksums --enable turns them on while the server is stopped")
	}
	var amcheck bool
	err = db.Get(ctx, &amcheck, `SELECT EXISTS (SELECT 1 FROM pg_proc p WHERE p.proname = 'bt_index_check' AND p.pronargs = 2
		AND has_function_privilege(p.oid, 'EXECUTE'))`)
	if err != nil {
		return findings, notes, err
	}
	if !amcheck {
		return findings, append(notes,
			"the inside of the indexes was not looked at: that needs the extension amcheck, "+
				"and the right to run bt_index_check (as superuser: CREATE EXTENSION amcheck)"), nil
	}
	f, err := db.checkIndexes(ctx)
	if f.Count > 0 {
		findings = append(findings, f)
	}
	return findings, notes, err
}

// checkIndexes looks into each index, and whether it has all rows of its table. What one of them ends with is a
// finding.
func (db *DB) checkIndexes(ctx context.Context) (Finding, error) {
	f := Finding{Rule: "all indexes are in order and complete"}
	var names []string
	err := db.List(ctx, &names, `SELECT c.oid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND i.indisvalid AND i.indisready
		AND c.relnamespace = current_schema()::regnamespace ORDER BY 1`)
	if err != nil {
		return f, err
	}
	for _, name := range names {
		err := db.scanRows(ctx, func(*sqlx.Rows) error { return nil }, `SELECT bt_index_check($1::regclass, true)`, name)
		if ctx.Err() != nil || err != nil && IsUnavailable(err) {
			return f, err
		}
		if err != nil {
			f.Count++
			f.Examples = append(f.Examples, strings.TrimSpace(name+": "+err.Error()))
		}
	}
	f.Examples = f.Examples[:min(len(f.Examples), findingExamples)]
	return f, nil
}
