package tables

import (
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// UnownedLine is one line about an unowned code: of one currency of its sales.
type UnownedLine struct {
	storage.UnownedCode
	Again bool                  // not the first of the code's lines
	Paid  storage.CurrencySales // zero where nothing is paid
}

// Unowned are codes, or slugs, on orders without credit that can be given to somebody. How many orders there are stands
// on the first of a code's lines only, so that the column adds up.
func Unowned() Table[UnownedLine] {
	type row = UnownedLine
	return Table[row]{
		Title: "Unowned Codes",
		Columns: []Column[row]{
			{File: "Store", Write: func(t *Cells, l *row) { t.Text(l.Store) }},
			{File: "Code", Write: func(t *Cells, l *row) { t.Text(l.Code) }},
			{File: "Folded", Write: func(t *Cells, l *row) { t.Text(l.Folded) }},
			{File: "Orders", Kind: export.Integer, Write: func(t *Cells, l *row) {
				if l.Again {
					t.Empty()
					return
				}
				t.Integer(l.Orders)
			}},
			{File: "Paid Orders", Kind: export.Integer, Write: func(t *Cells, l *row) { t.Integer(l.Paid.Orders) }},
			{File: "Currency", Write: func(t *Cells, l *row) { t.Text(l.Paid.Currency.Code()) }},
			{File: "Sales", Kind: export.Amount, Write: func(t *Cells, l *row) {
				if l.Paid.Currency == "" {
					t.Empty()
					return
				}
				t.Amount(l.Paid.Sales, l.Paid.Currency)
			}},
			{File: "First Used", Kind: export.Moment, Write: func(t *Cells, l *row) { t.Moment(l.First) }},
			{File: "Last Used", Kind: export.Moment, Write: func(t *Cells, l *row) { t.Moment(l.Last) }},
			{File: "Newest Order", Write: func(t *Cells, l *row) { t.Text(l.Newest.Number) }},
		},
	}
}
