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

const newestFirst = "-date"

// ConversionColumns are the columns that conversions can be sorted by. Evidence is the code or the slug. Amounts are
// compared in the account's currency, where those that wait for a rate are the least; only the original value is
// compared as it is in the order's.
func ConversionColumns() []string {
	return []string{"number", "store", "date", "creator", "campaign", "offer", "evidence", "method", "status",
		"approval", "original_value", "value", "refunded", "commission"}
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
	descending := strings.HasPrefix(s.String(), "-")
	key := Key{Column: "sort_key", Kind: TextKey, Descending: descending}
	switch s.Column {
	case "number":
		// Numbers of one store differ in their length before they differ in their digits: #999 comes before #1000.
		key.SQL, beside = "CAST(100 + LENGTH(o.number) AS TEXT) || o.number", besideOrders
	case "store":
		key.SQL, beside = "s.slug", besideStores
	case "creator":
		key.SQL, beside = "LOWER(r.name)", besideCreators
	case "campaign":
		key.SQL, beside = "p.folded", besideCampaigns
	case "offer":
		key.SQL, beside = "f.folded", besideOffers
	case "evidence":
		key.SQL = "LOWER(c.evidence)"
	case "method", "status", "approval":
		key.SQL = "c." + s.Column
	case "original_value":
		key.SQL, key.Kind = "c.original_value", NumberKey
	case "value", "refunded", "commission":
		key.SQL, key.Kind = "COALESCE(c.account_"+s.Column+", -1)", NumberKey
	default:
		key.SQL, key.Kind = "c.placed_at", TimeKey
	}
	return Keyset{s.String(), []Key{key, {SQL: "c.id", Descending: descending}}}, beside
}
