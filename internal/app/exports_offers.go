package app

import (
	"context"
	"io"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
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
		Table: offerTable(l.Currency),
		count: func(s *storage.Snapshot) (int64, error) {
			found, err := page(s, storage.Page{Limit: 1})
			return found.Count, err
		},
		each: func(s *storage.Snapshot, row func(*report.OfferRow) error) error {
			for p := (storage.Page{Limit: storage.MaxLimit}); ; {
				found, err := page(s, p)
				if err != nil {
					return err
				}
				for i := range found.Rows {
					if err := row(&found.Rows[i]); err != nil {
						return err
					}
				}
				if p.Cursor = found.Next; p.Cursor == "" {
					return nil
				}
			}
		},
	})
}

// offerTable are offers with their figures in a currency.
func offerTable(c money.Currency) tables.Table[report.OfferRow] {
	type row = report.OfferRow
	type cells = tables.Cells
	return tables.Table[row]{
		Title: "Offers",
		Columns: []tables.Column[row]{
			{File: "Campaign Name", Write: func(t *cells, o *row) { t.Text(o.CampaignName) }},
			{File: "Offer", Write: func(t *cells, o *row) { t.Text(o.Name) }},
			{File: "Type", Write: func(t *cells, o *row) { t.Text(string(o.Type)) }},
			{File: "Status", Write: func(t *cells, o *row) { t.Text(string(o.Status)) }},
			{File: "Commission Percent", Kind: export.Percent,
				Write: func(t *cells, o *row) { t.Percent(o.Rule.Percent) }},
			{File: "Commission Flat", Kind: export.Decimal, Write: func(t *cells, o *row) { t.Flat(o.Rule.Flat) }},
			{File: "Clicks", Kind: export.Integer, Write: func(t *cells, o *row) { t.Integer(o.Clicks) }},
			{File: "Conversions", Kind: export.Integer, Write: func(t *cells, o *row) { t.Integer(o.Conversions) }},
			{File: "Conversions By Link", Kind: export.Integer, Write: func(t *cells, o *row) { t.Integer(o.Linked) }},
			{File: "Conversion Rate", Kind: export.Percent, NoSum: true, Write: func(t *cells, o *row) {
				if rate := o.ConversionRate(); rate != nil {
					t.Percent(*rate)
				} else {
					t.Empty()
				}
			}},
			{File: "Not Converted", Kind: export.Integer, Write: func(t *cells, o *row) { t.Integer(o.NotConverted) }},
			{File: "Account Currency", Write: func(t *cells, _ *row) { t.Text(string(c)) }},
			{File: "Sales", Kind: export.Amount, Write: func(t *cells, o *row) { t.Amount(o.Sales, c) }},
			{File: "Average Sale", Kind: export.Amount, NoSum: true, Write: func(t *cells, o *row) {
				if average := o.AverageSale(); average != nil {
					t.Amount(*average, c)
				} else {
					t.Empty()
				}
			}},
			{File: "Commissions", Kind: export.Amount, Write: func(t *cells, o *row) { t.Amount(o.Commissions, c) }},
			{File: "Refunds", Kind: export.Amount, Write: func(t *cells, o *row) { t.Amount(o.Refunds, c) }},
			{File: "Payouts", Kind: export.Amount, Write: func(t *cells, o *row) { t.Amount(o.Payouts, c) }},
			{File: "Offer ID", Write: func(t *cells, o *row) { t.Text(o.ID.String()) }},
			{File: "Campaign ID", Write: func(t *cells, o *row) { t.Text(o.CampaignID.String()) }},
		},
	}
}
