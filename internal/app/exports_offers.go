package app

import (
	"context"
	"io"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

// ExportOffers writes offers with their figures, in the account's currency, as a list of them is narrowed and sorted.
// All pages of it are written.
func (a *App) ExportOffers(ctx context.Context, w io.Writer, l report.List, o ExportOptions) (Exported, error) {
	page := func(s *storage.Snapshot, p storage.Page) (report.PageOf[report.OfferRow], error) {
		l.Page = p
		return l.OfferRows(ctx, s)
	}
	return exportRows(ctx, a, w, o, exportedTable[report.OfferRow]{
		title: "Offers",
		columns: []export.Column{{Name: "Campaign Name"}, {Name: "Offer"}, {Name: "Type"}, {Name: "Status"},
			{Name: "Commission Percent", Kind: export.Percent}, {Name: "Commission Flat", Kind: export.Decimal},
			{Name: "Clicks", Kind: export.Integer}, {Name: "Conversions", Kind: export.Integer},
			{Name: "Conversions By Link", Kind: export.Integer},
			{Name: "Conversion Rate", Kind: export.Percent, NoSum: true},
			{Name: "Not Converted", Kind: export.Integer}, {Name: "Account Currency"},
			{Name: "Sales", Kind: export.Amount}, {Name: "Average Sale", Kind: export.Amount, NoSum: true},
			{Name: "Commissions", Kind: export.Amount}, {Name: "Refunds", Kind: export.Amount},
			{Name: "Payouts", Kind: export.Amount}, {Name: "Offer ID"}, {Name: "Campaign ID"}},
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
		row: func(t *export.Table, _ storage.Names, row *report.OfferRow) { writeOffer(t, row, l.Currency) },
	})
}

func writeOffer(t *export.Table, row *report.OfferRow, c money.Currency) {
	t.Text(row.CampaignName)
	t.Text(row.Name)
	t.Text(string(row.Type))
	t.Text(string(row.Status))
	t.Percent(row.Rule.Percent)
	writeFlat(t, row.Rule.Flat)
	t.Integer(row.Clicks)
	t.Integer(row.Conversions)
	t.Integer(row.Linked)
	if rate := row.ConversionRate(); rate != nil {
		t.Percent(*rate)
	} else {
		t.Empty()
	}
	t.Integer(row.NotConverted)
	t.Text(string(c))
	t.Amount(row.Sales, c)
	if average := row.AverageSale(); average != nil {
		t.Amount(*average, c)
	} else {
		t.Empty()
	}
	t.Amount(row.Commissions, c)
	t.Amount(row.Refunds, c)
	t.Amount(row.Payouts, c)
	t.Text(row.ID.String())
	t.Text(row.CampaignID.String())
}
