package storage

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Bounds of a page of a list.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// Page asks for a part of a list: at most Limit rows (0 means DefaultLimit) behind the row that a cursor names. Cursors
// come from a page before; the empty one means the beginning.
type Page struct {
	Limit  int
	Cursor string
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// position is where a row stands in its list: the sort text (empty in lists by id) and the id.
type position struct {
	Text string `json:"t,omitempty"`
	ID   int64  `json:"i"`
}

func (p position) cursor() string {
	text, _ := json.Marshal(p) // a string and a number always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(s string) (position, error) {
	var p position
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, affiliate.FieldErrorf("cursor", "is not a cursor of this list; leave it out to begin again")
	}
	return p, nil
}

// filter collects conditions of a WHERE clause.
type filter struct {
	conditions []string
	args       []any
}

func (f *filter) and(condition string, args ...any) {
	f.conditions = append(f.conditions, condition)
	f.args = append(f.args, args...)
}

func (f *filter) where() string {
	if len(f.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.conditions, " AND ")
}

// row is a database row of a concept.
type row[T any] interface {
	domain() T
	position() position
}

// sorting names the columns of a keyset: text may be empty, then the list is by id.
type sorting struct{ text, id string }

func (s sorting) after(f *filter, p position) {
	if s.text == "" {
		f.and(s.id+" > ?", p.ID)
		return
	}
	f.and("("+s.text+", "+s.id+") > (?, ?)", p.Text, p.ID)
}

func (s sorting) by() string {
	if s.text == "" {
		return " ORDER BY " + s.id
	}
	return " ORDER BY " + s.text + ", " + s.id
}

// listPage reads one page of "SELECT … FROM …" and the cursor of the next page, which is empty on the last one.
func listPage[R row[T], T any](ctx context.Context, q queries, selectFrom string, f filter, s sorting, p Page) ([]T, string, error) {
	if p.Cursor != "" {
		at, err := parseCursor(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		s.after(&f, at)
	}
	limit := p.limit()
	var rows []R
	query := selectFrom + f.where() + s.by() + fmt.Sprintf(" LIMIT %d", limit+1)
	if err := q.list(ctx, &rows, query, f.args...); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].position().cursor()
	}
	return domains[R, T](rows), next, nil
}

// getOne reads one row; NotFound names what was looked for.
func getOne[R row[T], T any](ctx context.Context, q queries, what fmt.Stringer, query string, args ...any) (T, error) {
	var r R
	err := q.get(ctx, &r, query, args...)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.Errorf(affiliate.NotFound, "there is no %s", what)
	}
	return r.domain(), err
}

func domains[R row[T], T any](rows []R) []T {
	list := make([]T, len(rows))
	for i, r := range rows {
		list[i] = r.domain()
	}
	return list
}

// named is what is looked for, where it is no id.
type named string

func (n named) String() string { return string(n) }

// update runs an UPDATE of one row that states the version it was read with. Nothing updated means that somebody else
// was faster, since the caller has read the row in the same transaction.
func (tx *Tx) update(ctx context.Context, what fmt.Stringer, query string, args ...any) error {
	n, err := tx.exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = ChangedMeanwhile(what)
	}
	return err
}

// ChangedMeanwhile is the error of an update that states an old version.
func ChangedMeanwhile(what fmt.Stringer) error {
	return &affiliate.Error{Kind: affiliate.Conflict, Code: "version_conflict", Field: "version",
		Message: fmt.Sprintf("%s has been changed meanwhile; read it again, then repeat the change", what)}
}

// conflict makes a Conflict about one field.
func conflict(field, format string, args ...any) error {
	return &affiliate.Error{Kind: affiliate.Conflict, Field: field, Message: fmt.Sprintf(format, args...)}
}

// taken turns the absence of a returned id after ON CONFLICT DO NOTHING into a Conflict that names a field. Insert-and-catch
// would not do: PostgreSQL aborts the whole transaction after an error.
func taken(err error, field, format string, args ...any) error {
	if affiliate.KindOf(err) != affiliate.NotFound {
		return err
	}
	return conflict(field, format, args...)
}

// null gives nil for a zero value, which is NULL in the database.
func null[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// value gives the zero value for NULL.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// containing is the LIKE pattern of a text somewhere in another; % and _ in it mean themselves. It goes with ESCAPE '\'.
func containing(text string) string {
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
		return conflict(field, format, args...)
	}
	return nil
}

// LockCatalog lets one transaction at a time change the catalog, until it ends: rules such as "one owner of a code at a
// time" look at many rows. SQLite has one writer anyway.
func (tx *Tx) LockCatalog(ctx context.Context) error {
	if !tx.d.advisory {
		return nil
	}
	_, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, catalogLock)
	return err
}

// ShareCatalog keeps the catalog as it is until the transaction ends; many may share it. Take it first.
func (tx *Tx) ShareCatalog(ctx context.Context) error {
	if !tx.d.advisory {
		return nil
	}
	_, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock_shared(?)`, catalogLock)
	return err
}

// catalogLock is the advisory lock of the catalog.
const catalogLock = 7_215_023_518
