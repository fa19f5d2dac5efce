package app

import (
	"context"
	"io"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

// ExportUnownedCodes writes codes, or slugs, on orders without credit that can be given to somebody. A code with sales
// in several currencies has a line for each.
func (a *App) ExportUnownedCodes(ctx context.Context, w io.Writer, f storage.UnownedFilter,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[tables.UnownedLine]{
		Table: tables.Unowned(),
		count: func(s *storage.Snapshot) (int64, error) { return s.CountUnownedLines(ctx, f) },
		each: func(s *storage.Snapshot, row func(*tables.UnownedLine) error) error {
			return s.EachUnownedCode(ctx, f, func(list []storage.UnownedCode) error {
				return eachUnownedLine(list, row)
			})
		},
	})
}

func eachUnownedLine(list []storage.UnownedCode, row func(*tables.UnownedLine) error) error {
	for _, c := range list {
		for i := range max(1, len(c.Sales)) {
			l := tables.UnownedLine{UnownedCode: c, Again: i > 0}
			if i < len(c.Sales) {
				l.Paid = c.Sales[i]
			}
			if err := row(&l); err != nil {
				return err
			}
		}
	}
	return nil
}
