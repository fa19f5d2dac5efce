package storage

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

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

// Most is how many rows the page has at most.
func (p Page) Most() int { return p.limit() }

func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// position is where a row stands in its list: the text or the number that the list is sorted by (neither in lists by
// id) and the id.
type position struct {
	Sort   string `json:"s,omitempty"` // the order that it belongs to, in lists that have several
	Text   string `json:"t,omitempty"`
	Number int64  `json:"n,omitempty"`
	ID     int64  `json:"i"`
}

func (p position) cursor() string {
	text, _ := json.Marshal(p) // texts and numbers always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(s string) (position, error) {
	var p position
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, errCursor()
	}
	return p, nil
}

func errCursor() error {
	return affiliate.FieldErrorf("cursor", "is not a cursor of this list; leave it out to begin again")
}

// keyset is an order in which a list can be paged through: by a key and then by id, or by id alone, both in one
// direction.
type keyset struct {
	name       string // stands in the cursors of lists that have several orders
	key        string // SQL; empty: by id alone
	kind       keyKind
	id         string // SQL
	descending bool
}

// keyKind says what a key is compared as. No key may be NULL.
type keyKind int

const (
	textKey keyKind = iota
	numberKey
	timeKey
)

// read gives the key and the id of the row that a cursor names. The error names the field cursor.
func (k keyset) read(cursor string) (key any, id int64, err error) {
	p, err := parseCursor(cursor)
	if err != nil {
		return nil, 0, err
	}
	if p.Sort != k.name {
		return nil, 0, affiliate.FieldErrorf("cursor",
			"belongs to this list in another order (%s); leave it out to begin again in this one (%s)", p.Sort, k.name)
	}
	switch k.kind {
	case numberKey:
		return p.Number, p.ID, nil
	case timeKey:
		var at Time
		if at.parse(p.Text) != nil {
			return nil, 0, errCursor()
		}
		return at, p.ID, nil
	}
	return p.Text, p.ID, nil
}

// after keeps the rows behind the one that a cursor names; an empty cursor keeps all.
func (k keyset) after(f *Filter, cursor string) error {
	if cursor == "" {
		return nil
	}
	key, id, err := k.read(cursor)
	if err != nil {
		return err
	}
	than := " > "
	if k.descending {
		than = " < "
	}
	if k.key == "" {
		f.And(k.id+than+"?", id)
	} else {
		f.And("("+k.key+", "+k.id+")"+than+"(?, ?)", key, id)
	}
	return nil
}

// by is the ORDER BY clause.
func (k keyset) by() string {
	direction := ""
	if k.descending {
		direction = " DESC"
	}
	if k.key == "" {
		return " ORDER BY " + k.id + direction
	}
	return " ORDER BY " + k.key + direction + ", " + k.id + direction
}

// position is where a row stands whose key the database gave.
func (k keyset) position(key any, id int64) position {
	p := position{Sort: k.name, ID: id}
	switch v := key.(type) {
	case int64:
		p.Number = v
	case string:
		p.Text = v
	case []byte:
		p.Text = string(v)
	case time.Time:
		p.Text = v.UTC().Format(timeLayout)
	}
	return p
}

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

// row is a database row of a concept.
type row[T any] interface {
	domain() T
	position() position
}

// sorting names the columns of a keyset: text may be empty, then the list is by id.
type sorting struct{ text, id string }

func (s sorting) keyset() keyset { return keyset{key: s.text, id: s.id} }

// listPage reads one page of "SELECT … FROM …" and the cursor of the next page, which is empty on the last one.
func listPage[R row[T], T any](ctx context.Context, q queries, selectFrom string, f Filter, s sorting,
	p Page) ([]T, string, error) {
	return pageBy[R, T](ctx, q, selectFrom, f, s.keyset(), p)
}

// pageBy is listPage in the order of any keyset. It reads one row more than the page has, to see whether there is one.
func pageBy[R row[T], T any](ctx context.Context, q queries, selectFrom string, f Filter, k keyset,
	p Page) ([]T, string, error) {
	if err := k.after(&f, p.Cursor); err != nil {
		return nil, "", err
	}
	limit := p.limit()
	var rows []R
	query := selectFrom + f.Where() + k.by() + fmt.Sprintf(" LIMIT %d", limit+1)
	if err := q.List(ctx, &rows, query, f.Args...); err != nil {
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
	err := q.Get(ctx, &r, query, args...)
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

// taken turns the absence of a returned id after ON CONFLICT DO NOTHING into a Conflict that names a field.
// Insert-and-catch would not do: PostgreSQL aborts the whole transaction after an error.
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
