package report

import (
	"encoding/base64"
	"encoding/json"
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

// figureOrder is the order of a list.
type figureOrder struct {
	figure Figure
	desc   bool
	number string // the expression over x; empty: by name
}

func (l List) order() (figureOrder, error) {
	o := figureOrder{figure: l.Sort, desc: l.Desc}
	if l.Sort == "" || l.Sort == FigureName {
		o.figure = FigureName
		return o, nil
	}
	e, ok := l.Sort.expression()
	if !ok {
		return o, affiliate.FieldErrorf("sort", "%q is not a column of this list; it must be one of %s", l.Sort,
			figureList())
	}
	o.number = e
	return o, nil
}

func figureList() string {
	names := make([]string, len(Figures()))
	for i, f := range Figures() {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// columns are what the list is sorted by.
func (o figureOrder) columns() string {
	if o.number == "" {
		return "x.name AS text, CAST(NULL AS BIGINT) AS number"
	}
	return "'' AS text, CAST(" + o.number + " AS BIGINT) AS number"
}

// by puts rows in order, after the columns given.
func (o figureOrder) by(before ...string) string {
	column, direction := "number", ""
	if o.number == "" {
		column = "text"
	}
	if o.desc {
		direction = " DESC"
	}
	return " ORDER BY " + strings.Join(append(before, column+direction+" NULLS LAST", "id"), ", ")
}

// figurePosition is where a row stands in a list, and in which.
type figurePosition struct {
	Figure Figure `json:"f"`
	Desc   bool   `json:"d,omitempty"`
	Text   string `json:"t,omitempty"`
	Number *int64 `json:"n,omitempty"`
	ID     int64  `json:"i"`
}

func (o figureOrder) cursor(r figureRow) string {
	// strings and numbers always marshal
	text, _ := json.Marshal(figurePosition{o.figure, o.desc, r.Text, r.Number, r.ID})
	return base64.RawURLEncoding.EncodeToString(text)
}

// after narrows rows to those behind a cursor's. Rows that are equal in order follow one another by id.
func (o figureOrder) after(f *storage.Filter, cursor string) error {
	var at figurePosition
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, &at)
	}
	if err != nil || at.Figure != o.figure || at.Desc != o.desc {
		return affiliate.FieldErrorf("cursor",
			"is not a cursor of this list in this order; leave it out to begin again")
	}
	behind := ">"
	if o.desc {
		behind = "<"
	}
	switch {
	case o.number == "":
		f.And("(text "+behind+" ? OR text = ? AND id > ?)", at.Text, at.Text, at.ID)
	case at.Number == nil:
		f.And("number IS NULL AND id > ?", at.ID)
	default:
		f.And("(number "+behind+" ? OR number = ? AND id > ? OR number IS NULL)", *at.Number, *at.Number, at.ID)
	}
	return nil
}
