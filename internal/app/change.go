package app

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/tributaryhq/tributary/internal/storage"
)

// now is the clock in the databases' precision, so that what is returned equals what is read later.
func (a *App) now() time.Time { return a.Now().UTC().Truncate(time.Microsecond) }

// changeCatalog runs f in a transaction that is alone in changing the catalog.
func (a *App) changeCatalog(ctx context.Context, f func(tx *storage.Tx) error) error {
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.LockCatalog(ctx); err != nil {
			return err
		}
		return f(tx)
	})
}

// Work that grows with the data is done in transactions of about partTime each. While one runs, deliveries wait: on
// SQLite for its one lock to write, on PostgreSQL, where it changes the catalog, to be processed.
const partTime = 100 * time.Millisecond

// partSpent tells from its making on whether a part has had its time.
func partSpent() func() bool {
	begun := time.Now()
	return func() bool { return time.Since(begun) >= partTime }
}

// letOthersIn waits between two parts of long work of a command on the embedded database. The server waits for SQLite's
// lock by looking for it every 100 ms in the end: a shorter gap could be missed again and again. Within one process
// those who wait are served in turn, and need none.
func (a *App) letOthersIn(ctx context.Context, more bool) {
	if !more || a.Serving || !a.DB.Embedded() {
		return
	}
	select {
	case <-time.After(partTime):
	case <-ctx.Done():
	}
}

// audit appends to the audit log on behalf of whoever ctx runs for.
func (a *App) audit(ctx context.Context, tx *storage.Tx, action string, subject fmt.Stringer, before, after any) error {
	return tx.Audit(ctx, storage.AuditEntry{At: a.now(), Actor: actor(ctx), Action: action, Subject: subject,
		Before: before, After: after})
}

// facts are what the audit log keeps of one side of a change.
type facts map[string]any

// auditTime is nil for no time, so that the audit log says null and not the year 1.
func auditTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}

// AnyVersion lets a change pass whatever the version is that it is made on.
const AnyVersion = 0

// amendment is how one concept is read, checked, written and audited.
type amendment[T any, ID fmt.Stringer] struct {
	name    string // in audit actions: "campaign"
	read    func(context.Context, ID) (T, error)
	version func(T) int
	prepare func(tx *storage.Tx, changed *T) error // completes and validates what is about to be written
	save    func(context.Context, T) (T, error)
	facts   func(T) facts
}

// amend reads a thing, lets change alter it, and writes it when that altered anything. wanted is the version that the
// caller has seen, or AnyVersion.
func amend[T any, ID fmt.Stringer](ctx context.Context, a *App, tx *storage.Tx, m amendment[T, ID], id ID, wanted int,
	action string, change func(*T) error) (T, error) {
	before, err := m.read(ctx, id)
	if err != nil {
		return before, err
	}
	if err := checkVersion(ctx, id, m.version(before), wanted); err != nil {
		return before, err
	}
	after := before
	if err := change(&after); err != nil {
		return before, err
	}
	if reflect.DeepEqual(before, after) {
		return before, nil
	}
	if err := m.prepare(tx, &after); err != nil {
		return before, err
	}
	if after, err = m.save(ctx, after); err != nil {
		return before, err
	}
	return after, a.audit(ctx, tx, m.name+"."+action, id, m.facts(before), m.facts(after))
}
