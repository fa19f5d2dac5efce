package tables

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// Offers are offers with their figures, in the account's currency: a column for each figure that lists or files have.
func Offers(account money.Currency) Table[report.OfferRow] {
	type row = report.OfferRow
	t := Table[row]{
		Title:  "Offers",
		OnPage: []string{"name"},
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
	figures := func(money bool) {
		for _, f := range report.InFiles() {
			if money == (f.Kind == report.Money) {
				t.Columns = append(t.Columns, figureColumn(f, account))
			}
		}
	}
	figures(false)
	t.Columns = append(t.Columns,
		Column[row]{File: "Not Converted", Kind: export.Integer,
			Write: func(t *Cells, o *row) { t.Integer(o.NotConverted) }},
		Column[row]{File: "Account Currency", Write: func(t *Cells, _ *row) { t.Text(string(account)) }})
	figures(true)
	t.Columns = append(t.Columns,
		Column[row]{Key: "rule", Title: "Rule", Extra: true},
		Column[row]{File: "Offer ID", Write: func(t *Cells, o *row) { t.Text(o.ID.String()) }},
		Column[row]{File: "Campaign ID", Write: func(t *Cells, o *row) { t.Text(o.CampaignID.String()) }})
	for _, f := range report.OnPage() {
		t.OnPage = append(t.OnPage, string(f.Key))
	}
	t.OnPage = append(t.OnPage, "rule")
	return t
}

// figureColumn is the column of a figure.
func figureColumn(f report.Figure, account money.Currency) Column[report.OfferRow] {
	c := Column[report.OfferRow]{Key: string(f.Key), Title: f.Title, Extra: f.Extra, File: capitals(f.Title),
		NoSum: f.Per != "", Figure: f.Key}
	c.Sorted = slices.ContainsFunc(report.Listed(), func(l report.Figure) bool { return l.Key == f.Key })
	write := (*Cells).Integer
	c.Kind = export.Integer
	switch f.Kind {
	case report.Money:
		c.Kind, write = export.Amount, func(t *Cells, n int64) { t.Amount(n, account) }
	case report.Share:
		c.Kind, write = export.Percent, (*Cells).Percent
	}
	c.Write = func(t *Cells, o *report.OfferRow) {
		if n := f.Sum(o.Sums); n != nil {
			write(t, *n)
		} else {
			t.Empty()
		}
	}
	return c
}

// capitals writes each word of a title with a capital, as heads of files have them.
func capitals(title string) string {
	words := strings.Fields(title)
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
