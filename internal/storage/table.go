package storage

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// table is a table of the database, all of whose columns are fields of R: fieldsOf says which is which. Nothing else
// lists the columns or puts values in their order, so that a new column is a new field.
type table[R any] struct {
	name  string
	all   []field
	new   []field // those of new rows: the database gives their ids
	saved []field // those that save writes
	id    field
}

// tableOf describes a table. In columns that are nullable a zero value is NULL; pointers and times, of which that is
// true anyway, need not be named.
func tableOf[R any](name string, nullable ...string) table[R] {
	t := table[R]{name: name, all: slices.Clone(fieldsOf(reflect.TypeFor[R]()))}
	for i := range t.all {
		f := &t.all[i]
		f.nullable = slices.Contains(nullable, f.column)
		if f.column == "id" && f.typ.Kind() == reflect.Int64 {
			t.id = *f
			continue
		}
		t.new = append(t.new, *f)
		if f.column != "created_at" {
			t.saved = append(t.saved, *f)
		}
	}
	return t
}

// keeping is the table with columns that save leaves alone, since they never change or others change them.
func (t table[R]) keeping(columns ...string) table[R] {
	t.saved = slices.DeleteFunc(slices.Clone(t.saved), func(f field) bool { return slices.Contains(columns, f.column) })
	return t
}

// into is what follows INSERT INTO and COPY.
func (t table[R]) into(fields []field) string { return t.name + " (" + columnsIn(fields).of("") + ")" }

// args appends what a row has for some columns.
func (t table[R]) args(args []any, fields []field, row *R) []any {
	v := reflect.ValueOf(row).Elem()
	for i := range fields {
		f := &fields[i]
		arg := argument(v.FieldByIndex(f.index), f.nullable)
		if f.column == "version" {
			arg = max(1, arg.(int64)) // new rows have none yet
		}
		args = append(args, arg)
	}
	return args
}

// argument gives a value as a driver takes it.
func argument(v reflect.Value, nullable bool) any {
	if nullable && v.IsZero() {
		return nil
	}
	switch v.Kind() {
	case reflect.Int64, reflect.Int:
		return v.Int()
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Array:
		return v.Bytes()
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return argument(v.Elem(), false)
	}
	if at, ok := v.Interface().(time.Time); ok {
		return At(at)
	}
	return v.Interface()
}

// insert writes new rows, and hands what a RETURNING clause of then gives to each, one by one, in returned: see stream.
// Both may be nil.
func (t table[R]) insert(ctx context.Context, tx *Tx, rows []R, then string, returned any, each func()) error {
	args := make([]any, 0, len(rows)*len(t.new))
	for i := range rows {
		args = t.args(args, t.new, &rows[i])
	}
	var scan func(*sqlx.Rows) error
	if returned != nil {
		scan = func(rows *sqlx.Rows) error {
			return scanEach(rows, returned, func() error {
				each()
				return nil
			})
		}
	}
	return tx.insertRows(ctx, t.into(t.new), len(t.new), args, then, scan)
}

// create writes a new row and reads its id. After a clause such as ON CONFLICT DO NOTHING there may be none: NotFound.
func (t table[R]) create(ctx context.Context, tx *Tx, row R, id any, clause ...string) error {
	return tx.Get(ctx, id, "INSERT INTO "+t.into(t.new)+" VALUES (?"+strings.Repeat(", ?", len(t.new)-1)+") "+
		strings.Join(append(clause, "RETURNING id"), " "), t.args(nil, t.new, &row)...)
}

// save writes a row that is there. One that has a version must still be as it was read, or it is a Conflict; the
// version is counted up.
func (t table[R]) save(ctx context.Context, tx *Tx, row R) error {
	var sets []string
	var written []field
	where, wanted := " WHERE id = ?", []field{t.id}
	for _, f := range t.saved {
		if f.column == "version" {
			sets, where, wanted = append(sets, "version = version + 1"), where+" AND version = ?", append(wanted, f)
			continue
		}
		sets, written = append(sets, f.column+" = ?"), append(written, f)
	}
	n, err := tx.exec(ctx, "UPDATE "+t.name+" SET "+strings.Join(sets, ", ")+where,
		t.args(t.args(nil, written, &row), wanted, &row)...)
	if err == nil && n == 0 && len(wanted) > 1 {
		// The caller has read the row in the same transaction, so somebody else was faster.
		err = ChangedMeanwhile(reflect.ValueOf(row).FieldByIndex(t.id.index).Interface().(fmt.Stringer))
	}
	return err
}

// upsert is the clause that lets insert change the row that has the same keys: all columns but the keys and the time of
// creation. own has expressions for columns that are not just overwritten.
func (t table[R]) upsert(keys columns, own map[string]string) string {
	var sets []string
	for _, f := range t.saved {
		if !slices.Contains(keys, f.column) {
			sets = append(sets, f.column+" = "+cmp.Or(own[f.column], "excluded."+f.column))
		}
	}
	return "ON CONFLICT (" + keys.of("") + ") DO UPDATE SET " + strings.Join(sets, ", ")
}
