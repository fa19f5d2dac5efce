package storage

import (
	"context"
	"time"
)

// Exec runs statements that no function has, for tests that undo a migration.
func (db *DB) Exec(ctx context.Context, statements string) error {
	return db.InTx(ctx, func(tx *Tx) error {
		_, err := tx.c.ExecContext(ctx, statements)
		return err
	})
}

// LookAgain forgets how much room the disk had.
func (db *DB) LookAgain() {
	db.room.mu.Lock()
	db.room.looked = time.Time{}
	db.room.mu.Unlock()
}

// Folder is where the embedded database is.
func (db *DB) Folder() string { return db.room.folder }

// Promote makes a standby a primary.
func (db *DB) Promote(ctx context.Context) error {
	var done bool
	return db.Get(ctx, &done, `SELECT pg_promote()`)
}
