package tables

import (
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// Offers are offers with their figures, in the account's currency: a column for each figure that lists or files have.
func Offers(account money.Currency) Table[report.OfferRow] {
	type row = report.OfferRow
	t := Table[row]{
		Title: "Offers",
		Columns: []Column[row]{
			{File: "Campaign Name", Write: func(t *Cells, o *row) { t.Text(o.CampaignName) }},
			{Key: "name", Title: "Offer", Fixed: true, Sorted: true, File: "Offer",
				Write: func(t *Cells, o *row) { t.Text(o.Name) }},
			{File: "Type", Write: func(t *Cells, o *row) { t.Text(string(o.Type)) }},
			{File: "Status", Write: func(t *Cells, o *row) { t.Text(string(o.Status)) }},
			{File: "Commission Percent", Kind: export.Percent,
				Write: func(t *Cells, o *row) { t.Percent(o.Rule.Percent) }},
			{File: "Commission Flat", Kind: export.Decimal, Write: func(t *Cells, o *row) { t.Flat(o.Rule.Flat) }},
		},
	}
	t.Columns = append(t.Columns, figureColumns(account, func(o *row) *report.RowSums { return &o.RowSums })...)
	t.Columns = append(t.Columns,
		Column[row]{Key: "rule", Title: "Rule", Extra: true},
		Column[row]{File: "Offer ID", Write: func(t *Cells, o *row) { t.Text(o.ID.String()) }},
		Column[row]{File: "Campaign ID", Write: func(t *Cells, o *row) { t.Text(o.CampaignID.String()) }})
	t.OnPage = append(append([]string{"name"}, pageFigures()...), "rule")
	return t
}
