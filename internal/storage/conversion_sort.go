package storage

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// ConversionSort is an order of conversions: by a column, then by id. The zero value is the newest order first.
type ConversionSort struct {
	Column     string // one of ConversionColumns
	Descending bool
}

// conversionKey is what conversions c are compared by in a column, with the table that it looks at beside them.
type conversionKey struct {
	column string
	key    string
	kind   KeyKind
	beside string
}

// conversionKeys are the columns that conversions can be sorted by. Evidence is the code or the slug. Amounts are
// compared in the account's currency, where those that wait for a rate are the least; only the original value is
// compared as it is in the order's.
func conversionKeys() []conversionKey {
	return []conversionKey{
		// Numbers of one store differ in their length before they differ in their digits: #999 comes before #1000.
		{column: "number", key: "CAST(100 + LENGTH(o.number) AS TEXT) || o.number", kind: TextKey,
			beside: besideOrders},
		{column: "store", key: "s.slug", kind: TextKey, beside: besideStores},
		{column: "date", key: "c.placed_at", kind: TimeKey},
		{column: "creator", key: "LOWER(r.name)", kind: TextKey, beside: besideCreators},
		{column: "campaign", key: "p.folded", kind: TextKey, beside: besideCampaigns},
		{column: "offer", key: "f.folded", kind: TextKey, beside: besideOffers},
		{column: "evidence", key: "LOWER(c.evidence)", kind: TextKey},
		{column: "method", key: "c.method", kind: TextKey},
		{column: "status", key: "c.status", kind: TextKey},
		{column: "approval", key: "c.approval", kind: TextKey},
		{column: "original_value", key: "c.original_value", kind: NumberKey},
		{column: "value", key: "COALESCE(c.account_value, -1)", kind: NumberKey},
		{column: "refunded", key: "COALESCE(c.account_refunded, -1)", kind: NumberKey},
		{column: "commission", key: "COALESCE(c.account_commission, -1)", kind: NumberKey},
	}
}

const newestFirst = "-date"

// ConversionColumns are the names of the columns that conversions can be sorted by.
func ConversionColumns() (names []string) {
	for _, k := range conversionKeys() {
		names = append(names, k.column)
	}
	return names
}

// ParseConversionSort reads a column, with a minus before it for the descending order; an empty text is the newest
// order first. The error names the field sort.
func ParseConversionSort(s string) (ConversionSort, error) {
	if s == "" {
		s = newestFirst
	}
	column, descending := strings.CutPrefix(s, "-")
	if !slices.Contains(ConversionColumns(), column) {
		return ConversionSort{}, affiliate.FieldErrorf("sort",
			"must be one of %s, with a minus before it to turn the order round",
			strings.Join(ConversionColumns(), ", "))
	}
	return ConversionSort{column, descending}, nil
}

func (s ConversionSort) String() string {
	switch {
	case s.Column == "":
		return newestFirst
	case s.Descending:
		return "-" + s.Column
	}
	return s.Column
}

// keyset gives the order of conversions c, with the table that it looks at beside them.
func (s ConversionSort) keyset() (k Keyset, beside string) {
	column, descending := strings.TrimPrefix(s.String(), "-"), strings.HasPrefix(s.String(), "-")
	keys := conversionKeys()
	by := keys[slices.IndexFunc(keys, func(k conversionKey) bool { return k.column == column })]
	key := Key{Column: "sort_key", SQL: by.key, Kind: by.kind, Descending: descending}
	return Keyset{s.String(), []Key{key, {SQL: "c.id", Descending: descending}}}, by.beside
}
