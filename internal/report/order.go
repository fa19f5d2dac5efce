package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Figure is a column of a performance list: lists are sorted by one, and narrowed to bounds of some.
type Figure string

const (
	FigureName           Figure = "name"
	FigureClicks         Figure = "clicks"
	FigureConversions    Figure = "conversions"
	FigureConversionRate Figure = "conversion_rate"
	FigureSales          Figure = "sales"
	FigureAverageSale    Figure = "average_sale"
	FigureCommissions    Figure = "commissions"
	FigurePayouts        Figure = "payouts"
	FigureRefunds        Figure = "refunds"
)

// Figures gives all columns that a list can be sorted by.
func Figures() []Figure {
	return []Figure{FigureName, FigureClicks, FigureConversions, FigureConversionRate, FigureSales, FigureAverageSale,
		FigureCommissions, FigurePayouts, FigureRefunds}
}

// ParseFigureSort reads a column to sort by, with a minus before it for the descending order; an empty text is by name.
// The error names the field sort.
func ParseFigureSort(s string) (f Figure, desc bool, err error) {
	column, desc := strings.CutPrefix(s, "-")
	if s == "" {
		column = string(FigureName)
	}
	if !slices.Contains(Figures(), Figure(column)) {
		return "", false, affiliate.FieldErrorf("sort",
			"must be one of %s, with a minus before it to turn the order round", figureList())
	}
	return Figure(column), desc, nil
}

// Bound narrows a list to the rows whose figure is in [Min, Max]; nil bounds nothing. Amounts are minor units of the
// account's currency. A figure that is undefined, such as an average of nothing, is in no bound.
type Bound struct {
	Figure   Figure
	Min, Max *int64
}

// derived are the figures that are computed from others, as affiliate.Average and affiliate.Share do: no sum of sales
// or count is negative.
var derived = map[Figure]string{
	FigureAverageSale: "CASE WHEN x.conversions <> 0 THEN (2 * x.sales + x.conversions) / (2 * x.conversions) END",
	FigureConversionRate: fmt.Sprintf("CASE WHEN x.clicks <> 0 THEN (%d * x.linked + x.clicks) / (2 * x.clicks) END",
		2*affiliate.RuleScale),
}

// expression is a figure of rows x; false when there is none of that name.
func (f Figure) expression() (string, bool) {
	if e, ok := derived[f]; ok {
		return e, true
	}
	return "x." + string(f), slices.Contains(Figures(), f) && f != FigureName
}

func (b Bound) narrow(f *storage.Filter) error {
	e, ok := b.Figure.expression()
	if !ok {
		return affiliate.FieldErrorf("bounds", "%q is no figure of this list", b.Figure)
	}
	if b.Min != nil {
		f.And("("+e+") >= ?", *b.Min)
	}
	if b.Max != nil {
		f.And("("+e+") <= ?", *b.Max)
	}
	return nil
}

// order is the order of the rows every, by their sort_key.
func (l List) order() (storage.Keyset, error) {
	figure := cmp.Or(l.Sort, FigureName)
	key := storage.Key{SQL: "sort_key", Descending: l.Desc}
	if figure == FigureName {
		key.Kind = storage.TextKey
	} else if _, ok := figure.expression(); ok {
		key.Nullable = true
	} else {
		return storage.Keyset{}, affiliate.FieldErrorf("sort",
			"%q is not a column of this list; it must be one of %s", l.Sort, figureList())
	}
	name := string(figure)
	if l.Desc {
		name = "-" + name
	}
	return storage.Keyset{Name: name, Keys: []storage.Key{key, {SQL: "id"}}}, nil
}

// key is what the list is sorted by, of rows x.
func (l List) key() string {
	if e, ok := l.Sort.expression(); ok {
		return "CAST(" + e + " AS BIGINT)"
	}
	return "x.name"
}

func figureList() string {
	names := make([]string, len(Figures()))
	for i, f := range Figures() {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}
