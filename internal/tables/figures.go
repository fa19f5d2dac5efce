package tables

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// figureColumns are a column for each figure that lists or files have, in the account's currency: the counts, what they
// leave out, and the amounts. sums gives those of a row. What a file's column of counts or of amounts adds up to is
// what the page has under it.
func figureColumns[R any](account money.Currency, sums func(*R) *report.RowSums) []Column[R] {
	var columns []Column[R]
	figures := func(money bool) {
		for _, f := range report.InFiles() {
			if money == (f.Kind == report.Money) {
				columns = append(columns, figureColumn(f, account, sums))
			}
		}
	}
	figures(false)
	columns = append(columns,
		Column[R]{File: "Not Converted", Kind: export.Integer,
			Write: func(t *Cells, row *R) { t.Integer(sums(row).NotConverted) }},
		Column[R]{File: "Account Currency", Write: func(t *Cells, _ *R) { t.Text(string(account)) }})
	figures(true)
	return columns
}

// figureColumn is the column of a figure.
func figureColumn[R any](f report.Figure, account money.Currency, sums func(*R) *report.RowSums) Column[R] {
	c := Column[R]{Key: string(f.Key), Title: f.Title, Extra: f.Extra, File: capitals(f.Title), NoSum: f.Per != "",
		Figure: f.Key}
	c.Sorted = slices.ContainsFunc(report.Listed(), func(l report.Figure) bool { return l.Key == f.Key })
	write := (*Cells).Integer
	c.Kind = export.Integer
	switch f.Kind {
	case report.Money:
		c.Kind, write = export.Amount, func(t *Cells, n int64) { t.Amount(n, account) }
	case report.Share:
		c.Kind, write = export.Percent, (*Cells).Percent
	}
	c.Write = func(t *Cells, row *R) {
		if n := f.Sum(sums(row).Sums); n != nil {
			write(t, *n)
		} else {
			t.Empty()
		}
	}
	return c
}

// pageFigures are the keys of the figures that pages show or offer, in their order.
func pageFigures() []string {
	var keys []string
	for _, f := range report.OnPage() {
		keys = append(keys, string(f.Key))
	}
	return keys
}

// offered makes columns of some keys such as are shown only when somebody chooses them, and those of all other figures
// usual ones.
func offered[R any](columns []Column[R], keys ...report.Key) {
	for i := range columns {
		if c := &columns[i]; c.Figure != "" {
			c.Extra = slices.Contains(keys, c.Figure)
		}
	}
}

// capitals writes each word of a title with a capital, as heads of files have them.
func capitals(title string) string {
	words := strings.Fields(title)
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
