package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Filter collects conditions of a WHERE clause.
type Filter struct {
	conditions []string
	Args       []any // of the placeholders of all conditions, in their order
}

// And adds a condition with the arguments of its placeholders.
func (f *Filter) And(condition string, args ...any) {
	f.conditions = append(f.conditions, condition)
	f.Args = append(f.Args, args...)
}

// In adds "column IN (…)"; an empty list narrows nothing.
func In[T any](f *Filter, column string, list []T) {
	if len(list) == 0 {
		return
	}
	args := make([]any, len(list))
	for i, v := range list {
		args[i] = v
	}
	f.And(column+" IN (?"+strings.Repeat(", ?", len(list)-1)+")", args...)
}

// Is adds "column = …"; a zero value narrows nothing.
func Is[T comparable](f *Filter, column string, v T) {
	var zero T
	if v != zero {
		f.And(column+" = ?", v)
	}
}

// Where is the WHERE clause; empty without a condition.
func (f *Filter) Where() string {
	if len(f.conditions) == 0 {
		return ""
	}
	return " WHERE " + f.All()
}

// All is the condition that all conditions hold; empty without any.
func (f *Filter) All() string { return strings.Join(f.conditions, " AND ") }

// Also writes the conditions as they follow others.
func (f *Filter) Also() string {
	if len(f.conditions) == 0 {
		return ""
	}
	return " AND " + f.All()
}

// Clone gives a filter to which more can be added.
func (f *Filter) Clone() Filter { return Filter{slices.Clone(f.conditions), slices.Clone(f.Args)} }

// getOne reads one row; NotFound names what was looked for.
func getOne[R any](ctx context.Context, q queries, what fmt.Stringer, query string, args ...any) (R, error) {
	var r R
	err := q.Get(ctx, &r, query, args...)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.NoSuch(what)
	}
	return r, err
}

// oneOf is getOne for a row that stands for a concept.
func oneOf[R row[T], T any](ctx context.Context, q queries, what fmt.Stringer, query string, args ...any) (T, error) {
	r, err := getOne[R](ctx, q, what, query, args...)
	return r.domain(), err
}

// named is what is looked for, where it is no id.
type named string

func (n named) String() string { return string(n) }

// ChangedMeanwhile is the error of an update that states an old version.
func ChangedMeanwhile(what fmt.Stringer) error {
	return &affiliate.Error{Kind: affiliate.Conflict, Code: "version_conflict", Field: "version",
		Message: fmt.Sprintf("%s has been changed meanwhile; read it again, then repeat the change", what)}
}

// taken turns the absence of a returned id after ON CONFLICT DO NOTHING into a Conflict that names a field.
// Insert-and-catch would not do: PostgreSQL aborts the whole transaction after an error.
func taken(err error, field, format string, args ...any) error {
	if affiliate.KindOf(err) != affiliate.NotFound {
		return err
	}
	return affiliate.ConflictErrorf(field, format, args...)
}

// value gives the zero value for NULL.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// Containing is the LIKE pattern of a text somewhere in another; % and _ in it mean themselves. It goes with ESCAPE
// '\'.
func Containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// notTaken is nil when the look-up of a unique value found nothing, or the row itself.
func notTaken(err error, another bool, field, format string, args ...any) error {
	switch {
	case affiliate.KindOf(err) == affiliate.NotFound:
		return nil
	case err != nil:
		return err
	case another:
		return affiliate.ConflictErrorf(field, format, args...)
	}
	return nil
}

// LockCatalog lets one transaction at a time change the catalog, until it ends: rules such as "one owner of a code at a
// time" look at many rows. SQLite has one writer anyway.
func (tx *Tx) LockCatalog(ctx context.Context) error {
	return tx.holdCatalog(ctx, catalogLocked, `SELECT pg_advisory_xact_lock(?)`)
}

// ShareCatalog keeps the catalog as it is until the transaction ends; many may share it. Take it first. Where the
// transaction shares it already, or has it alone, it asks nothing.
func (tx *Tx) ShareCatalog(ctx context.Context) error {
	return tx.holdCatalog(ctx, catalogShared, `SELECT pg_advisory_xact_lock_shared(?)`)
}

// catalogHold is how a transaction holds the catalog: each holds it in the way of those before it, too.
type catalogHold int

const (
	catalogFree catalogHold = iota
	catalogShared
	catalogLocked
)

func (tx *Tx) holdCatalog(ctx context.Context, how catalogHold, query string) error {
	if !tx.d.advisory || tx.catalog >= how {
		return nil
	}
	_, err := tx.exec(ctx, query, catalogLock)
	if err == nil {
		tx.catalog = how
	}
	return err
}

// catalogLock is the advisory lock of the catalog.
const catalogLock = 7_215_023_518
