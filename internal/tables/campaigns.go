package tables

import (
	"time"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// Campaigns are campaigns with their figures, in the account's currency; their states are those of now.
func Campaigns(account money.Currency, now time.Time) Table[report.CampaignRow] {
	type row = report.CampaignRow
	t := Table[row]{
		Title: "Campaigns",
		Columns: []Column[row]{
			{Key: "name", Title: "Campaign", Fixed: true, Sorted: true, File: "Campaign Name",
				Write: func(t *Cells, c *row) { t.Text(c.Name) }},
			{Key: "status", Title: "Status", File: "Status",
				Write: func(t *Cells, c *row) { t.Text(string(c.State(now))) }},
			{File: "Starts", Kind: export.Moment, Write: func(t *Cells, c *row) { t.Moment(c.StartsAt) }},
			{File: "Ends", Kind: export.Moment, Write: func(t *Cells, c *row) { t.Moment(c.EndsAt) }},
			{Key: "creators", Title: "Creators", File: "Creators", Kind: export.Integer,
				Write: func(t *Cells, c *row) { t.Integer(c.Creators) }},
		},
	}
	t.Columns = append(t.Columns, figureColumns(account, func(c *row) *report.RowSums { return &c.RowSums })...)
	offered(t.Columns, report.KeyAverageSale, report.KeyPayouts, report.KeyRefunds, report.KeyConversionRate)
	t.Columns = append(t.Columns,
		Column[row]{File: "Campaign ID", Write: func(t *Cells, c *row) { t.Text(c.ID.String()) }})
	t.OnPage = append([]string{"name", "status", "creators"}, pageFigures()...)
	return t
}
