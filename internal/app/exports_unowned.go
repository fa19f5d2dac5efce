package app

import (
	"context"
	"io"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// unownedLine is one line about an unowned code: of one currency of its sales.
type unownedLine struct {
	storage.UnownedCode
	first bool // of the code's lines
	sales *storage.CurrencySales
}

// ExportUnownedCodes writes codes, or slugs, on orders without credit that can be given to somebody. A code with sales
// in several currencies has a line for each; how many orders there are stands on the first only, so that the column
// adds up.
func (a *App) ExportUnownedCodes(ctx context.Context, w io.Writer, f storage.UnownedFilter,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[unownedLine]{
		title: "Unowned Codes",
		columns: []export.Column{{Name: "Store"}, {Name: "Code"}, {Name: "Folded"},
			{Name: "Orders", Kind: export.Integer}, {Name: "Paid Orders", Kind: export.Integer}, {Name: "Currency"},
			{Name: "Sales", Kind: export.Amount}, {Name: "First Used", Kind: export.Moment},
			{Name: "Last Used", Kind: export.Moment}, {Name: "Newest Order"}},
		count: func(s *storage.Snapshot) (int64, error) { return s.CountUnownedLines(ctx, f) },
		each: func(s *storage.Snapshot, row func(*unownedLine) error) error {
			return s.EachUnownedCode(ctx, f, func(list []storage.UnownedCode) error {
				return eachUnownedLine(list, row)
			})
		},
		row: func(t *export.Table, _ storage.Names, l *unownedLine) {
			t.Text(l.Store)
			t.Text(l.Code)
			t.Text(l.Folded)
			if l.first {
				t.Integer(l.Orders)
			} else {
				t.Empty()
			}
			if l.sales != nil {
				t.Integer(l.sales.Orders)
				t.Text(l.sales.Currency.Code())
				t.Amount(l.sales.Sales, l.sales.Currency)
			} else {
				t.Integer(0)
				t.Empty()
				t.Empty()
			}
			t.Moment(l.First)
			t.Moment(l.Last)
			t.Text(l.Newest.Number)
		},
	})
}

func eachUnownedLine(list []storage.UnownedCode, row func(*unownedLine) error) error {
	for _, c := range list {
		for i := range max(1, len(c.Sales)) {
			l := unownedLine{UnownedCode: c, first: i == 0}
			if i < len(c.Sales) {
				l.sales = &c.Sales[i]
			}
			if err := row(&l); err != nil {
				return err
			}
		}
	}
	return nil
}
