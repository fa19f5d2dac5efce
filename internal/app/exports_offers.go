package app

import (
	"context"
	"io"

	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

// ExportOffers writes offers with their figures, in the account's currency, as a list of them is narrowed and sorted.
// All pages of it are written.
func (a *App) ExportOffers(ctx context.Context, w io.Writer, l report.List, o ExportOptions) (Exported, error) {
	page := func(s *storage.Snapshot, p storage.Page) (report.PageOf[report.OfferRow], error) {
		l.Page = p
		return l.OfferRows(ctx, s)
	}
	return exportRows(ctx, a, w, o, exportedTable[report.OfferRow]{
		Table: tables.Offers(l.Currency),
		count: func(s *storage.Snapshot) (int64, error) {
			found, err := page(s, storage.Page{Limit: 1})
			return found.Count, err
		},
		each: func(s *storage.Snapshot, row func(*report.OfferRow) error) error {
			return storage.EachPage(func(p storage.Page) (string, error) {
				found, err := page(s, p)
				for i := range found.Rows {
					if err := row(&found.Rows[i]); err != nil {
						return "", err
					}
				}
				return found.Next, err
			})
		},
	})
}
