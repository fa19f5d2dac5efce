package storage

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/migrations"
)

// migrationLock is the advisory lock that lets one process migrate at a time.
const migrationLock = 7_215_023_517

// Pending gives the names of the migrations that this database still needs, oldest first.
func (db *DB) Pending(ctx context.Context) ([]string, error) {
	return queries{c: db.write, d: db.d}.pending(ctx)
}

// Migrate brings the schema up to date, each file in a transaction of its own, and gives the names it applied. Several
// processes may call it at once.
func (db *DB) Migrate(ctx context.Context) ([]string, error) {
	ctx = Patiently(ctx) // a migration may rewrite every row
	if _, err := db.exec(ctx, `CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)`); err != nil {
		return nil, fmt.Errorf("create the table of migrations: %w", err)
	}
	var applied []string
	for {
		name, err := db.migrateNext(ctx)
		if err != nil || name == "" {
			return applied, err
		}
		applied = append(applied, name)
	}
}

func (db *DB) migrateNext(ctx context.Context) (name string, err error) {
	err = db.InTx(ctx, func(tx *Tx) error {
		if tx.d.advisory {
			if _, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, migrationLock); err != nil {
				return err
			}
		}
		names, err := tx.pending(ctx)
		if err != nil || len(names) == 0 {
			return err
		}
		text, err := fs.ReadFile(migrations.Files, tx.d.folder+"/"+names[0])
		if err != nil {
			return err
		}
		if _, err := tx.c.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("migration %s: %w", names[0], err)
		}
		name = names[0]
		_, err = tx.exec(ctx, `INSERT INTO migrations (name, applied_at) VALUES (?, ?)`, name, time.Now().UTC().Format(time.RFC3339))
		return err
	})
	if err != nil {
		return "", err
	}
	return name, nil
}

func (q queries) pending(ctx context.Context) ([]string, error) {
	files, err := fs.Glob(migrations.Files, q.d.folder+"/*.sql")
	if err != nil {
		return nil, err
	}
	exists := `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'migrations'`
	if !q.d.advisory {
		exists = `SELECT COUNT(*) FROM sqlite_master WHERE name = 'migrations'`
	}
	var found int
	if err := q.Get(ctx, &found, exists); err != nil {
		return nil, err
	}
	var done []string
	if found > 0 {
		if err := q.List(ctx, &done, `SELECT name FROM migrations`); err != nil {
			return nil, err
		}
	}
	var names []string
	for _, f := range files {
		if name := f[len(q.d.folder)+1:]; !slices.Contains(done, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
