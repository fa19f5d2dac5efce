package storage

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
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

// Size is how many rows the page has at most.
func (p Page) Size() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// Keyset is an order in which a list can be paged through: by one key after the other. Together they tell every row
// from the others.
type Keyset struct {
	Name string // stands in the cursors of lists that have several orders
	Keys []Key
}

// Key is what rows are sorted by.
type Key struct {
	SQL        string
	Column     string // of the rows that are read; empty: SQL without the alias before it
	Kind       KeyKind
	Descending bool
	Nullable   bool // NULL comes last either way
}

// KeyKind says what a key is compared as.
type KeyKind int

// Kinds of keys.
const (
	NumberKey KeyKind = iota
	TextKey
	TimeKey
)

// byID is the order of most lists.
var byID = Keyset{Keys: []Key{{SQL: "id"}}}

// byText is the order by a text and then by id.
func byText(text, id string) Keyset {
	return Keyset{Keys: []Key{{SQL: text, Kind: TextKey}, {SQL: id}}}
}

// cursor is where a page ended: the keys of its last row.
type cursor struct {
	Sort string            `json:"s,omitempty"` // the order that it belongs to, in lists that have several
	Keys []json.RawMessage `json:"k"`
	More json.RawMessage   `json:"m,omitempty"` // see carry
}

func (c cursor) text() string {
	text, _ := json.Marshal(c) // numbers and texts always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(s string) (c cursor, err error) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, errCursor()
	}
	return c, nil
}

func errCursor() error {
	return affiliate.FieldErrorf("cursor", "is not a cursor of this list; leave it out to begin again")
}

// carry puts beside a cursor what the page behind it shall know of those before it; no cursor carries nothing.
func carry(s string, more any) string {
	c, err := parseCursor(s)
	if err != nil {
		return ""
	}
	c.More, _ = json.Marshal(more) // maps of texts and numbers always marshal
	return c.text()
}

// carried reads what carry put beside a cursor. The error names the field cursor.
func carried(s string, more any) error {
	c, err := parseCursor(s)
	// null would leave nothing to write to
	if err == nil && (string(c.More) == "null" || json.Unmarshal(c.More, more) != nil) {
		err = errCursor()
	}
	return err
}

// cursor is the cursor behind a row with these keys.
func (k Keyset) cursor(keys ...any) string {
	c := cursor{Sort: k.Name}
	for _, v := range keys {
		text, _ := json.Marshal(plain(v)) // numbers and texts always marshal
		c.Keys = append(c.Keys, text)
	}
	return c.text()
}

// plain gives a number, a text or nil for what rows have of a column.
func plain(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return string(v)
	case Time:
		text, _ := v.Value()
		return text
	case time.Time:
		return plain(At(v))
	}
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Pointer && r.IsNil():
		return nil
	case r.Kind() == reflect.Pointer:
		return plain(r.Elem().Interface())
	case r.CanInt():
		return r.Int()
	}
	return r.String()
}

// read gives the keys of a cursor. The error names the field cursor.
func (k Keyset) read(s string) ([]any, error) {
	c, err := parseCursor(s)
	if err != nil {
		return nil, err
	}
	if c.Sort != k.Name && c.Sort != "" && k.Name != "" {
		err := affiliate.FieldErrorf("cursor",
			"belongs to this list in another order (%s); leave it out to begin again in this one (%s)", c.Sort, k.Name)
		return nil, affiliate.ForPeople(err, "belongs to this list in another order; begin at its first page")
	}
	if c.Sort != k.Name || len(c.Keys) != len(k.Keys) {
		return nil, errCursor()
	}
	values := make([]any, len(k.Keys))
	for i, key := range k.Keys {
		if values[i], err = key.read(c.Keys[i]); err != nil {
			return nil, errCursor()
		}
	}
	return values, nil
}

func (k Key) read(text json.RawMessage) (any, error) {
	if string(text) == "null" {
		if !k.Nullable {
			return nil, errCursor()
		}
		return nil, nil
	}
	if k.Kind == NumberKey {
		var n int64
		err := json.Unmarshal(text, &n)
		return n, err
	}
	var s string
	err := json.Unmarshal(text, &s)
	if err != nil || k.Kind == TextKey {
		return s, err
	}
	var at Time
	return at, at.parse(s)
}

// After keeps the rows behind the one that a cursor names; an empty cursor keeps all.
func (k Keyset) After(f *Filter, s string) error {
	if s == "" {
		return nil
	}
	values, err := k.read(s)
	if err == nil {
		condition, args := behind(k.Keys, values)
		f.And(condition, args...)
	}
	return err
}

// behind is the condition for rows behind one with these keys. Keys of one direction are compared as one row, which
// both databases find along an index.
func behind(keys []Key, values []any) (string, []any) {
	first, than := keys[0], " > "
	if first.Descending {
		than = " < "
	}
	alike := func(k Key) bool { return !k.Nullable && k.Descending == first.Descending }
	switch {
	case len(keys) == 1 && !first.Nullable:
		return first.SQL + than + "?", values
	case !slices.ContainsFunc(keys, func(k Key) bool { return !alike(k) }):
		list := make([]string, len(keys))
		for i, k := range keys {
			list[i] = k.SQL
		}
		return "(" + strings.Join(list, ", ") + ")" + than + "(?" + strings.Repeat(", ?", len(keys)-1) + ")", values
	}
	rest, args := behind(keys[1:], values[1:])
	if values[0] == nil {
		return first.SQL + " IS NULL AND " + rest, args
	}
	condition := first.SQL + than + "? OR " + first.SQL + " = ? AND " + rest
	if first.Nullable {
		condition += " OR " + first.SQL + " IS NULL"
	}
	return "(" + condition + ")", append([]any{values[0], values[0]}, args...)
}

// By is the ORDER BY clause, with further columns before the keys.
func (k Keyset) By(before ...string) string {
	list := before
	for _, key := range k.Keys {
		by := key.SQL
		if key.Descending {
			by += " DESC"
		}
		if key.Nullable {
			by += " NULLS LAST"
		}
		list = append(list, by)
	}
	return " ORDER BY " + strings.Join(list, ", ")
}

// Top is the end of a statement that reads the first n rows, and one more to see whether there is one.
func (k Keyset) Top(n int) string { return k.By() + fmt.Sprintf(" LIMIT %d", n+1) }

// of is the same order of rows that were found already, by their columns.
func (k Keyset) of(alias string) Keyset {
	keys := slices.Clone(k.Keys)
	for i := range keys {
		keys[i].SQL = alias + "." + keys[i].column()
	}
	return Keyset{k.Name, keys}
}

func (k Key) column() string {
	if k.Column != "" {
		return k.Column
	}
	return k.SQL[strings.LastIndexByte(k.SQL, '.')+1:]
}

// Cut keeps the first n of the rows that Top read, and gives the cursor of the next page, which is empty on the last
// one. The rows have a field for each key's column.
func Cut[R any](k Keyset, rows []R, n int) ([]R, string) {
	places := k.places(reflect.TypeFor[R]()) // also on a last page: rows that lack a column are found by any test
	if len(rows) <= n {
		return rows, ""
	}
	last := reflect.ValueOf(rows[n-1])
	keys := make([]any, len(places))
	for i, place := range places {
		keys[i] = last.FieldByIndex(place).Interface()
	}
	return rows[:n], k.cursor(keys...)
}

// places are the fields of a type of rows that have the keys' columns.
func (k Keyset) places(rows reflect.Type) [][]int {
	fields := fieldsOf(rows)
	places := make([][]int, len(k.Keys))
	for i, key := range k.Keys {
		at := slices.IndexFunc(fields, func(f field) bool { return f.column == key.column() })
		if at < 0 {
			panic(fmt.Sprintf("rows of %s have no column %s, by which they are sorted", rows, key.column()))
		}
		places[i] = fields[at].index
	}
	return places
}

// paged reads one page of "SELECT … FROM …" and the cursor of the next page, which is empty on the last one.
func paged[R any](ctx context.Context, q queries, selectFrom string, f Filter, k Keyset,
	p Page) (rows []R, next string, err error) {
	if err := k.After(&f, p.Cursor); err != nil {
		return nil, "", err
	}
	rows = []R{}
	if err := q.List(ctx, &rows, selectFrom+f.Where()+k.Top(p.Size()), f.Args...); err != nil {
		return nil, "", err
	}
	rows, next = Cut(k, rows, p.Size())
	return rows, next, nil
}

// row is a database row of a concept.
type row[T any] interface{ domain() T }

// listPage is paged for rows that stand for a concept.
func listPage[R row[T], T any](ctx context.Context, q queries, selectFrom string, f Filter, k Keyset,
	p Page) ([]T, string, error) {
	rows, next, err := paged[R](ctx, q, selectFrom, f, k, p)
	return domains[R, T](rows), next, err
}

func domains[R row[T], T any](rows []R) []T {
	list := make([]T, len(rows))
	for i, r := range rows {
		list[i] = r.domain()
	}
	return list
}
