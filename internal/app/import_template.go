package app

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/xuri/excelize/v2"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/sheet"
	"github.com/tributaryhq/tributary/internal/storage"
)

// templateColumn is a column of the template, with what it means and what two creators have there.
type templateColumn struct{ name, about, first, second string }

// templateColumns are all columns, in the order in which people fill them in. The examples can be imported as they are
// where the store is connected.
func templateColumns(store string) []templateColumn {
	return []templateColumn{
		{"campaign", "Needed. The campaign's name; a new name makes a new campaign.", "Spring", "Spring"},
		{"creator", "Needed. The creator's name.", "Anna Ahlers", "Ben Botha"},
		{"instagram", "The creator's handle, with or without @. Creators are known by it first, then by e-mail " +
			"address and name.",
			"@anna.ahlers", "@benbotha"},
		{"email", "The creator's e-mail address. Orders that they place themselves are held.", "anna@example.com", ""},
		{"offer", "Needed. What is promoted; a new name makes a new offer in the campaign.", "Ten percent",
			"Ten percent"},
		{"store", "Needed beside a code: the short name of the store that it is valid in.", store, store},
		{"code", "The creator's coupon code, one in a line. Another code or store is another line.", "ANNA10", "BEN10"},
		{"link_slug", "The end of the creator's link: letters, digits, - and _. Left empty beside a landing page, it " +
			"is made from the handle.", "", "ben"},
		{"landing_url", "Where the creator's link leads. A line needs a code, or a link with its landing page.", "",
			"https://shop.example/new"},
		{"commission_percent", "Percent of an order's value, such as 10 or 12.5. Left empty: the offer's own.", "10",
			"10"},
		{"commission_flat", "An amount per order, in the order's currency.", "", ""},
		{"product_value", "What the goods cost that were sent to the creator, in the account's currency.", "", "40"},
	}
}

// ImportTemplate writes a file to begin with: the header and two lines that show how it is filled in, and in a workbook
// a second sheet that explains the columns. bom puts a byte order mark before CSV, as Excel wants it.
func (a *App) ImportTemplate(ctx context.Context, w io.Writer, format export.Format, bom bool) error {
	stores, _, err := a.DB.Stores(ctx, storage.Page{Limit: 1})
	if err != nil {
		return err
	}
	store := "my-shop"
	if len(stores) > 0 {
		store = stores[0].Slug
	}
	columns := templateColumns(store)
	if format == export.XLSX {
		err = writeTemplateBook(w, columns)
	} else {
		err = writeTemplateText(w, columns, bom)
	}
	if err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	return nil
}

// templateRows are the header and the examples.
func templateRows(columns []templateColumn) [3][]string {
	var rows [3][]string
	for _, c := range columns {
		for i, cell := range []string{c.name, c.first, c.second} {
			rows[i] = append(rows[i], cell)
		}
	}
	return rows
}

func writeTemplateText(w io.Writer, columns []templateColumn, bom bool) error {
	if bom {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	rows := templateRows(columns)
	return out.WriteAll(rows[:])
}

// writeTemplateBook writes the template as a workbook whose columns hold texts but for those of numbers, so that codes
// such as 0815 and MAY10 stay what is typed.
func writeTemplateBook(w io.Writer, columns []templateColumn) (err error) {
	const list, about = "Creators", "Columns"
	book := excelize.NewFile()
	defer book.Close()
	do := func(f func() error) {
		if err == nil {
			err = f()
		}
	}
	styled := func(s excelize.Style) (id int) {
		do(func() (err error) { id, err = book.NewStyle(&s); return err })
		return id
	}
	text, bold, wrapped := styled(excelize.Style{NumFmt: 49}), styled(excelize.Style{Font: &excelize.Font{Bold: true},
		NumFmt: 49}),
		styled(excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	do(func() error { return book.SetSheetName("Sheet1", list) })
	do(func() error { _, err := book.NewSheet(about); return err })
	const numbers = 3 // columns at the end
	last, lastText := sheet.ColumnName(len(columns)), sheet.ColumnName(len(columns)-numbers)
	do(func() error { return book.SetColWidth(list, "A", last, 20) })
	do(func() error { return book.SetColStyle(list, "A:"+lastText, text) })
	for i, row := range templateRows(columns) {
		cells := make([]any, len(row))
		for j, cell := range row {
			if cells[j] = cell; cell == "" {
				cells[j] = nil
			} else if n, err := strconv.Atoi(cell); err == nil {
				cells[j] = n
			}
		}
		do(func() error { return book.SetSheetRow(list, fmt.Sprintf("A%d", i+1), &cells) })
	}
	do(func() error { return book.SetCellStyle(list, "A1", last+"1", bold) })
	do(func() error { return book.SetCellStyle(list, "A2", lastText+"3", text) })
	do(func() error {
		return book.SetPanes(list, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2",
			ActivePane: "bottomLeft"})
	})
	do(func() error { return book.SetColWidth(about, "A", "A", 22) })
	do(func() error { return book.SetColWidth(about, "B", "B", 90) })
	do(func() error { return book.SetSheetRow(about, "A1", &[]string{"Column", "What it holds"}) })
	do(func() error { return book.SetCellStyle(about, "A1", "B1", bold) })
	for i, c := range columns {
		do(func() error { return book.SetSheetRow(about, fmt.Sprintf("A%d", i+2), &[]string{c.name, c.about}) })
	}
	do(func() error { return book.SetCellStyle(about, "A2", fmt.Sprintf("B%d", len(columns)+1), wrapped) })
	do(func() error { return book.Write(w) })
	return err
}
