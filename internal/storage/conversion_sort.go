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
func (s ConversionSort) keyset() (k keyset, beside string) {
	k = keyset{name: s.String(), id: "c.id", descending: strings.HasPrefix(s.String(), "-")}
	switch s.Column {
	case "number":
		// Numbers of one store differ in their length before they differ in their digits: #999 comes before #1000.
		k.key, beside = "CAST(100 + LENGTH(o.number) AS TEXT) || o.number", besideOrders
	case "store":
		k.key, beside = "s.slug", besideStores
	case "creator":
		k.key, beside = "LOWER(r.name)", besideCreators
	case "campaign":
		k.key, beside = "p.folded", besideCampaigns
	case "offer":
		k.key, beside = "f.folded", besideOffers
	case "evidence":
		k.key = "LOWER(c.evidence)"
	case "method", "status", "approval":
		k.key = "c." + s.Column
	case "original_value":
		k.key, k.kind = "c.original_value", numberKey
	case "value", "refunded", "commission":
		k.key, k.kind = "COALESCE(c.account_"+s.Column+", -1)", numberKey
	default:
		k.key, k.kind = "c.placed_at", timeKey
	}
	return k, beside
}
