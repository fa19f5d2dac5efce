// Package tables describes the tables that people see, each of their columns once: what it is called on pages and in
// exported files, what its cells hold, and what can be done with it.
package tables

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Table is a table of rows R.
type Table[R any] struct {
	Title   string      // of the sheets of a workbook
	Columns []Column[R] // in the order of files
	OnPage  []string    // keys of the columns that a page shows or offers, in its order
}

// Column is one column of a table of rows R.
type Column[R any] struct {
	Key    string // in addresses, sorts and preferences
	Title  string // of its head on pages
	File   string // of its head in files; empty: no file has it
	Kind   export.Kind
	NoSum  bool // amounts that mean nothing when they are added up, such as balances
	Fixed  bool // always shown: it says what a row is
	Extra  bool // shown only when somebody chooses it
	Sorted bool // the table can be sorted by it, under its key

	Figure report.Key                 // of reports, where the column is one of their figures
	Sum    func(affiliate.Sums) int64 // an amount under the column, of all rows; nil without any
	Cell   func(*R) any               // a plain cell of a page: a text or Money; nil: the page's template writes it
	Write  func(*Cells, *R)           // a cell of a file
}

// Money is an amount as a plain cell of a page has it.
type Money struct {
	Minor    int64
	Currency money.Currency
}

// Page gives the columns that pages show or offer.
func (t Table[R]) Page() []Column[R] {
	columns := make([]Column[R], len(t.OnPage))
	for i, key := range t.OnPage {
		columns[i] = t.Columns[slices.IndexFunc(t.Columns, func(c Column[R]) bool { return c.Key == key })]
	}
	return columns
}

// Cells are where the cells of a file go.
type Cells struct {
	*export.Table
	Names storage.Names // of what rows name by ids alone

	rates map[string]money.Rate
}

// File writes a table's rows to a file.
type File[R any] struct {
	Cells
	writes []func(*Cells, *R)
}

// NewFile begins a file on w.
func NewFile[R any](ctx context.Context, w io.Writer, t Table[R], names storage.Names,
	o export.Options) (*File[R], error) {
	f := &File[R]{Cells: Cells{Names: names, rates: map[string]money.Rate{}}}
	var heads []export.Column
	for _, c := range t.Columns {
		if c.File != "" {
			heads = append(heads, export.Column{Name: c.File, Kind: c.Kind, NoSum: c.NoSum})
			f.writes = append(f.writes, c.Write)
		}
	}
	o.Title = t.Title
	var err error
	f.Table, err = export.New(ctx, w, heads, o)
	return f, err
}

// Row writes a row.
func (f *File[R]) Row(row *R) error {
	for _, write := range f.writes {
		write(&f.Cells, row)
	}
	return f.EndRow()
}

// amount writes an amount that may be missing.
func (t *Cells) amount(minor *int64, c money.Currency) {
	if minor == nil {
		t.Empty()
		return
	}
	t.Amount(*minor, c)
}

// Flat writes an amount per order as affiliate.FormatFlat does.
func (t *Cells) Flat(n int64) {
	if n%100 == 0 {
		t.Scaled(n/100, 2)
		return
	}
	t.Scaled(n, 4)
}

// rate reads a rate that was written by us, once: there are as many as days and currencies.
func (t *Cells) rate(text string) money.Rate {
	rate, known := t.rates[text]
	if !known {
		// one that cannot be read ends the export: it is no decimal for the table either
		rate, _ = money.ParseRate(text)
		t.rates[text] = rate
	}
	return rate
}

// writeID writes an id, or nothing for 0.
func writeID[ID interface {
	~int64
	fmt.Stringer
}](t *Cells, id ID) {
	if id == 0 {
		t.Empty()
		return
	}
	t.Text(id.String())
}
