package storage

import (
	"context"
	"database/sql"

	"github.com/jmoiron/sqlx"
)

// Note has every statement of lists, of transactions and of snapshots told to f before it runs, with the placeholders
// of the database. It is for tests that show what statements look like; call it before anything else.
func (db *DB) Note(f func(statement string)) {
	db.note = f
	db.c = db.noted(db.c)
}

// noted is a connection whose statements are told, where somebody wants to know.
func (db *DB) noted(c conn) conn {
	if db.note == nil {
		return c
	}
	return noting{c, db.note}
}

type noting struct {
	conn
	note func(statement string)
}

func (n noting) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	n.note(query)
	return n.conn.QueryxContext(ctx, query, args...)
}

func (n noting) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	n.note(query)
	return n.conn.ExecContext(ctx, query, args...)
}
