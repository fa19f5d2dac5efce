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
	return exportFigures(ctx, a, w, l, o, tables.Offers(l.Currency), report.List.OfferRows)
}

// ExportCampaigns writes campaigns with their figures, as ExportOffers does offers.
func (a *App) ExportCampaigns(ctx context.Context, w io.Writer, l report.List, o ExportOptions) (Exported, error) {
	return exportFigures(ctx, a, w, l, o, tables.Campaigns(l.Currency, a.now()), report.List.CampaignRows)
}

// ExportCreators writes creators with their figures, as ExportOffers does offers. Those of campaigns or offers have the
// names of these beside them.
func (a *App) ExportCreators(ctx context.Context, w io.Writer, l report.List, o ExportOptions) (Exported, error) {
	var of tables.CreatorsOf
	var err error
	if of.Campaigns, err = a.DB.CampaignsOf(ctx, l.Campaigns); err != nil {
		return Exported{}, err
	}
	if of.Offers, err = a.DB.OffersOf(ctx, l.Offers); err != nil {
		return Exported{}, err
	}
	return exportFigures(ctx, a, w, l, o, tables.Creators(l.Currency, of), report.List.CreatorRows)
}

// exportFigures writes all pages of a performance list, those of one moment.
func exportFigures[R any](ctx context.Context, a *App, w io.Writer, l report.List, o ExportOptions, t tables.Table[R],
	rows func(report.List, context.Context, report.Querier) (report.PageOf[R], error)) (Exported, error) {
	page := func(s *storage.Snapshot, p storage.Page) (report.PageOf[R], error) {
		l.Page = p
		return rows(l, ctx, s)
	}
	return exportRows(ctx, a, w, o, exportedTable[R]{
		Table: t,
		count: func(s *storage.Snapshot) (int64, error) {
			found, err := page(s, storage.Page{Limit: 1})
			return found.Count, err
		},
		each: func(s *storage.Snapshot, row func(*R) error) error {
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
