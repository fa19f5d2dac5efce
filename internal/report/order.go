package report

import (
	"cmp"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Bound narrows a list to the rows whose figure is in [Min, Max]; nil bounds nothing. Amounts are minor units of the
// account's currency. A figure that is undefined, such as an average of nothing, is in no bound.
type Bound struct {
	Figure   Key
	Min, Max *int64
}

func (b Bound) narrow(f *storage.Filter) error {
	figure, ok := listed(b.Figure)
	if !ok {
		return affiliate.FieldErrorf("bounds", "%q is no figure of this list", b.Figure)
	}
	if b.Min != nil {
		f.And("("+figure.sql()+") >= ?", *b.Min)
	}
	if b.Max != nil {
		f.And("("+figure.sql()+") <= ?", *b.Max)
	}
	return nil
}

// order is the order of the rows every, by their sort_key.
func (l List) order() (storage.Keyset, error) {
	by := cmp.Or(l.Sort, KeyName)
	key := storage.Key{SQL: "sort_key", Descending: l.Desc}
	if by == KeyName {
		key.Kind = storage.TextKey
	} else if _, ok := listed(by); ok {
		key.Nullable = true
	} else {
		return storage.Keyset{}, affiliate.FieldErrorf("sort",
			"%q is not a column of this list; it must be one of %s", l.Sort, sortWords())
	}
	name := string(by)
	if l.Desc {
		name = "-" + name
	}
	return storage.Keyset{Name: name, Keys: []storage.Key{key, {SQL: "id"}}}, nil
}

// key is what the list is sorted by, of rows x.
func (l List) key() string {
	if f, ok := listed(l.Sort); ok {
		return "CAST(" + f.sql() + " AS BIGINT)"
	}
	return "x.name"
}
