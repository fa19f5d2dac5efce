package storage

import "context"

// Exec runs statements that no function has, for tests that undo a migration.
func (db *DB) Exec(ctx context.Context, statements string) error {
	return db.InTx(ctx, func(tx *Tx) error {
		_, err := tx.c.ExecContext(ctx, statements)
		return err
	})
}
