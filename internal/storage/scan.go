package storage

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/jmoiron/sqlx"
)

// field is where a struct keeps what a column holds.
type field struct {
	column   string
	index    []int // for reflect.Value.FieldByIndex
	typ      reflect.Type
	nullable bool // in a table: the zero value is NULL
}

// fieldsOf gives the fields of a struct in their order. A column is called by the field's db tag or, without one, by
// its name in snake_case; "-" is no column, nor are maps and lists. The fields of an embedded struct count as the
// struct's own, those of another struct have its column and a point before them. Of several of one name the outer one
// counts, as in Go.
func fieldsOf(t reflect.Type) []field {
	if known, ok := knownFields.Load(t); ok {
		return known.([]field)
	}
	var list []field
	at := map[string]int{}
	collectFields(t, "", nil, func(f field) {
		i, twice := at[f.column]
		switch {
		case !twice:
			at[f.column] = len(list)
			list = append(list, f)
		case len(f.index) < len(list[i].index):
			list[i] = f
		}
	})
	knownFields.Store(t, list)
	return list
}

var knownFields sync.Map // reflect.Type → []field

func collectFields(t reflect.Type, prefix string, index []int, add func(field)) {
	for i := range t.NumField() {
		f := t.Field(i)
		column, tagged := f.Tag.Lookup("db")
		if column == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if !tagged {
			column = snakeCase(f.Name)
		}
		inside := append(slices.Clone(index), i)
		switch {
		case f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() != reflect.Uint8:
		case f.Type.Kind() != reflect.Struct || isValue(f.Type):
			add(field{column: prefix + column, index: inside, typ: f.Type})
		case f.Anonymous && !tagged:
			collectFields(f.Type, prefix, inside, add)
		default:
			collectFields(f.Type, prefix+column+".", inside, add)
		}
	}
}

// isValue says whether a struct is one value of a column.
func isValue(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Time]() || t.Implements(reflect.TypeFor[driver.Valuer]()) ||
		reflect.PointerTo(t).Implements(reflect.TypeFor[sql.Scanner]())
}

// snakeCase writes OfferMemberID as offer_member_id and LandingURL as landing_url.
func snakeCase(name string) string {
	var b strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		begins := i > 0 && unicode.IsUpper(r) &&
			(unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if begins {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// columns are columns of a table, in an order.
type columns []string

// columnsOf gives the columns that a struct has fields for.
func columnsOf[R any]() columns { return columnsIn(fieldsOf(reflect.TypeFor[R]())) }

func columnsIn(fields []field) columns {
	list := make(columns, len(fields))
	for i, f := range fields {
		list[i] = f.column
	}
	return list
}

// of lists the columns of a table by its alias; without one it is empty.
func (c columns) of(alias string) string {
	if alias != "" {
		alias += "."
	}
	return alias + strings.Join(c, ", "+alias)
}

// without leaves columns out.
func (c columns) without(names ...string) columns {
	return slices.DeleteFunc(slices.Clone(c), func(s string) bool { return slices.Contains(names, s) })
}

// scanEach puts rows into row, one after the other, and calls each for every one: see stream.
func scanEach(rows *sqlx.Rows, row any, each func() error) error {
	return scanInto(rows, reflect.ValueOf(row).Elem(), true, each)
}

func scanInto(rows *sqlx.Rows, row reflect.Value, reuse bool, each func() error) error {
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	places, err := placesIn(row, names, reuse)
	for err == nil && rows.Next() {
		if err = rows.Scan(places...); err == nil {
			err = each()
		}
	}
	return err
}

// placesIn gives where the columns of a query go: to the fields of their names in the struct v, or, when v is no
// struct, to v itself. The places serve for one row after the other. What pointers point to is made anew for each row,
// unless it is reused.
func placesIn(v reflect.Value, names []string, reuse bool) ([]any, error) {
	if v.Kind() != reflect.Struct || isValue(v.Type()) {
		if len(names) != 1 {
			return nil, fmt.Errorf("%d columns do not go into one %s", len(names), v.Type())
		}
		return []any{placeIn(v, reuse)}, nil
	}
	fields := fieldsOf(v.Type())
	places := make([]any, len(names))
	for i, name := range names {
		f := slices.IndexFunc(fields, func(f field) bool { return f.column == name })
		if f < 0 {
			return nil, fmt.Errorf("%s has no field for the column %s", v.Type(), name)
		}
		places[i] = placeIn(v.FieldByIndex(fields[f].index), reuse)
	}
	return places, nil
}

// placeIn gives where one column goes. database/sql reaches typed values such as ids and currencies by reflection,
// which a stream of a million rows feels, so that they are scanned as what they are made of. NULL is the zero value.
func placeIn(v reflect.Value, reuse bool) any {
	to := v.Addr()
	if _, ok := to.Interface().(sql.Scanner); ok {
		return to.Interface()
	}
	switch v.Kind() {
	case reflect.String:
		return textInto{as[string](to)}
	case reflect.Int64:
		return integerInto[int64]{as[int64](to)}
	case reflect.Int:
		return integerInto[int]{as[int](to)}
	case reflect.Bool:
		return as[bool](to)
	case reflect.Struct:
		return momentInto{as[time.Time](to)}
	case reflect.Pointer:
		place := reflect.New(v.Type().Elem())
		if inner, ok := placeIn(place.Elem(), reuse).(sql.Scanner); ok && reuse {
			return optionalInto{v, place, inner}
		}
	}
	return to.Interface()
}

// as gives a pointer to a typed value as one to what it is made of.
func as[T any](to reflect.Value) *T { return to.Convert(reflect.TypeFor[*T]()).Interface().(*T) }

type (
	integerInto[T int | int64] struct{ to *T }
	textInto                   struct{ to *string }
	momentInto                 struct{ to *time.Time }
	// optionalInto makes NULL nil, and any value a pointer to the same place.
	optionalInto struct {
		to, place reflect.Value
		scan      sql.Scanner
	}
)

func (s integerInto[T]) Scan(src any) (err error) {
	var n int64
	switch v := src.(type) {
	case nil:
	case int64:
		n = v
	case []byte: // a sum of PostgreSQL's
		n, err = strconv.ParseInt(string(v), 10, 64)
	default:
		err = fmt.Errorf("a whole number cannot be read from %T", src)
	}
	*s.to = T(n)
	return err
}

func (s textInto) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.to = ""
	case string:
		*s.to = v
	case []byte:
		*s.to = string(v)
	default:
		return fmt.Errorf("a text cannot be read from %T", src)
	}
	return nil
}

func (s momentInto) Scan(src any) error {
	var t Time
	err := t.Scan(src)
	*s.to = t.Time
	return err
}

func (s optionalInto) Scan(src any) error {
	if src == nil {
		s.to.SetZero()
		return nil
	}
	s.to.Set(s.place)
	return s.scan.Scan(src)
}
