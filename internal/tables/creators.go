package tables

import (
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// CreatorsOf are the campaigns and offers whose creators a table has; without any it has the whole community.
type CreatorsOf struct {
	Campaigns []affiliate.Campaign
	Offers    []affiliate.Offer
}

// campaigns gives the names of the campaigns.
func (of CreatorsOf) campaigns() string {
	names := make([]string, len(of.Campaigns))
	for i, c := range of.Campaigns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// campaignIDs gives the ids of the campaigns.
func (of CreatorsOf) campaignIDs() string {
	ids := make([]string, len(of.Campaigns))
	for i, c := range of.Campaigns {
		ids[i] = c.ID.String()
	}
	return strings.Join(ids, ", ")
}

// offers gives the names of the offers.
func (of CreatorsOf) offers() string {
	names := make([]string, len(of.Offers))
	for i, o := range of.Offers {
		names[i] = o.Name
	}
	return strings.Join(names, ", ")
}

// Creators are creators with their figures, in the account's currency, and, in files, what these are of.
func Creators(account money.Currency, of CreatorsOf) Table[report.CreatorRow] {
	type row = report.CreatorRow
	var t Table[row]
	t.Title = "Creators"
	constant := func(head, text string) {
		t.Columns = append(t.Columns, Column[row]{File: head, Write: func(t *Cells, _ *row) { t.Text(text) }})
	}
	if len(of.Campaigns) > 0 {
		constant("Campaign Name", of.campaigns())
	}
	if len(of.Offers) > 0 {
		constant("Offer", of.offers())
	}
	t.Columns = append(t.Columns,
		Column[row]{Key: "name", Title: "Creator", Fixed: true, Sorted: true, File: "Creator",
			Write: func(t *Cells, c *row) { t.Text(c.Name) }},
		Column[row]{File: "Handle", Write: func(t *Cells, c *row) { t.Text(c.BestHandle()) }},
		Column[row]{Key: "email", Title: "E-mail", Extra: true, File: "E-mail",
			Cell:  func(c *row) any { return c.Email },
			Write: func(t *Cells, c *row) { t.Text(c.Email) }},
		Column[row]{Key: "country", Title: "Country", Extra: true, File: "Country",
			Cell:  func(c *row) any { return c.Country },
			Write: func(t *Cells, c *row) { t.Text(c.Country) }},
		Column[row]{File: "Since", Kind: export.Moment, Write: func(t *Cells, c *row) { t.Moment(c.CreatedAt) }},
		Column[row]{File: "Left", Kind: export.Moment, Write: func(t *Cells, c *row) { t.Moment(c.RemovedAt) }})
	t.Columns = append(t.Columns, figureColumns(account, func(c *row) *report.RowSums { return &c.RowSums })...)
	offered(t.Columns, report.KeyRefunds, report.KeyConversionRate)
	t.Columns = append(t.Columns,
		Column[row]{File: "Creator ID", Write: func(t *Cells, c *row) { t.Text(c.ID.String()) }})
	if len(of.Campaigns) > 0 {
		constant("Campaign ID", of.campaignIDs())
	}
	t.OnPage = append(append([]string{"name"}, pageFigures()...), "email", "country")
	return t
}

// OfferCreators are the creators of an offer, how they stand in it, and their figures. Its file is that of Creators.
func OfferCreators() Table[report.CreatorRow] {
	type row = report.CreatorRow
	t := Creators("", CreatorsOf{})
	t.Columns = append(t.Columns, Column[row]{Key: "state", Title: "State"}, Column[row]{Key: "codes",
		Title: "Codes"}, Column[row]{Key: "rule", Title: "Commission"})
	offered(t.Columns, report.KeyRefunds, report.KeyConversionRate)
	t.OnPage = append(append([]string{"name", "state", "codes", "rule"}, pageFigures()...), "email", "country")
	return t
}

// Members are the creators of a campaign with what they own there and their figures. Its file is that of Creators.
func Members() Table[report.CreatorRow] {
	type row = report.CreatorRow
	t := Creators("", CreatorsOf{})
	t.Columns = append(t.Columns, Column[row]{Key: "offers", Title: "Offers"}, Column[row]{Key: "codes",
		Title: "Codes"},
		Column[row]{Key: "links", Title: "Links"}, Column[row]{Key: "product", Title: "Product value",
			Kind: export.Amount})
	offered(t.Columns, report.KeyClicks, report.KeyAverageSale, report.KeyPayouts, report.KeyRefunds,
		report.KeyConversionRate)
	t.OnPage = append([]string{"name", "offers", "codes", "links", "product"}, pageFigures()...)
	return t
}
