package storage

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"
)

// field is where a struct keeps what a column holds.
type field struct {
	column string
	index  []int // for reflect.Value.FieldByIndex
	typ    reflect.Type
}

// fieldsOf gives the fields of a struct in their order. A column is called by the field's db tag or, without one, by
// its name in snake_case; "-" is no column. The fields of an embedded struct count as the struct's own, those of
// another struct have its column and a point before them. Of several of one name the outer one counts, as in Go.
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
		inside := append(append([]int{}, index...), i)
		switch {
		case f.Type.Kind() != reflect.Struct || isValue(f.Type):
			if !tagged {
				column = snakeCase(f.Name)
			}
			add(field{prefix + column, inside, f.Type})
		case f.Anonymous && !tagged:
			collectFields(f.Type, prefix, inside, add)
		default:
			if !tagged {
				column = snakeCase(f.Name)
			}
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
