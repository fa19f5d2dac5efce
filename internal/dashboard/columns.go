package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/tables"
)

// column is one column of a table with a head. Its cells are written by the table's template.
type column struct {
	Name   string // in addresses and preferences
	Title  string
	Number bool
	Sort   string // what the table is sorted by in this column; empty: it cannot be
	Extra  bool   // shown only when somebody chooses it
	Fixed  bool   // always shown: it says what a row is
	Shown  bool
	Spare  bool                       // left out on a phone
	Figure report.Figure              // which one of reports it is; without a key: none
	Sum    func(affiliate.Sums) int64 // the amount under the column, of all rows; nil without any
	// Of the head of a table that can be sorted: where it leads, and how it is sorted now (ascending, descending or
	// empty).
	Address string
	Sorted  string
}

// columnsOf are the columns of a table that is described for pages and files together.
func columnsOf[R any](t tables.Table[R]) (columns []column) {
	for _, c := range t.Page() {
		column := column{Name: c.Key, Title: c.Title, Number: c.Kind == export.Amount || c.Kind == export.Integer,
			Fixed: c.Fixed, Extra: c.Extra, Sum: c.Sum}
		if c.Figure != "" {
			column = figureHead(c.Figure)
			column.Extra = c.Extra
		}
		if c.Sorted {
			column.Sort = c.Key
		}
		columns = append(columns, column)
	}
	return columns
}

// plainCells writes the cells of a row that a table's template does not write, by the names of their columns.
func plainCells[R any](columns []tables.Column[R], row *R) map[string]string {
	cells := map[string]string{}
	for _, c := range columns {
		if c.Cell == nil {
			continue
		}
		switch v := c.Cell(row).(type) {
		case tables.Money:
			cells[c.Key] = moneyText(v.Minor, v.Currency)
		default:
			cells[c.Key] = fmt.Sprint(v)
		}
	}
	return cells
}

// columnTables are the tables whose columns people choose, by the names in the routes.
func columnTables() map[string][]column {
	conversions := columnsOf(tables.Conversions())
	ofOne := slices.DeleteFunc(slices.Clone(conversions), func(c column) bool { return c.Name == "campaign" })
	return map[string][]column{"campaign": ofOne, "conversions": conversions, "offers": columnsOf(tables.Offers("")),
		"campaigns": columnsOf(tables.Campaigns("", time.Time{})), "members": columnsOf(tables.Members()),
		"offer-creators":    columnsOf(tables.OfferCreators()),
		"creators":          columnsOf(tables.Creators("", tables.CreatorsOf{})),
		"campaign-creators": columnsOf(tables.Creators("", tables.CreatorsOf{})),
		"orders":            columnsOf(tables.Orders()),
		"due":               columnsOf(tables.Due()), "payouts": columnsOf(tables.Payouts()),
		"rewards": columnsOf(tables.Rewards())}
}

// tableTools are beside the head of a table: files of it as it is narrowed and sorted, and the choice of its columns.
// The template "table-tools" shows them.
type tableTools struct {
	Table     string // its name in the routes
	Columns   []column
	To        string // the page to come back to
	CSV, XLSX string // addresses of the whole table as a file
}

// tools are those of a table whose files are at path.csv and path.xlsx.
func (r *request) tools(table string, columns []column, path string) tableTools {
	return tableTools{Table: table, Columns: columns, To: r.here(), CSV: r.fileAddress(path, export.CSV),
		XLSX: r.fileAddress(path, export.XLSX)}
}

// shown says which columns a table shows, by name.
func shown(table []column) map[string]bool {
	shows := map[string]bool{}
	for _, c := range table {
		shows[c.Name] = c.Shown
	}
	return shows
}

func columnRoutes() []route {
	return []route{{http.MethodPost, "/columns/:table", signedIn, (*request).chooseColumns}}
}

// chooseColumns remembers for this person which columns a table shows.
func (r *request) chooseColumns() error {
	name := r.Param("table")
	table, ok := columnTables()[name]
	if !ok {
		return affiliate.Errorf(affiliate.NotFound, "there is no table %s", name)
	}
	_ = r.Request.ParseForm() // the columns below are empty then, which is a choice like any other
	wanted := r.Request.PostForm["columns"]
	var chosen, usual []string
	for _, c := range table {
		if !c.Fixed && slices.Contains(wanted, c.Name) {
			chosen = append(chosen, c.Name)
		}
		if !c.Fixed && !c.Extra {
			usual = append(usual, c.Name)
		}
	}
	text := strings.Join(chosen, " ")
	switch {
	case r.field("usual") != "" || slices.Equal(chosen, usual):
		text = "" // nothing to remember
	case text == "":
		text = "-"
	}
	if err := r.d.App.DB.SetPreference(r.Request.Context(), r.user.ID, columnPreference(name), text,
		r.d.App.Now()); err != nil {
		return err
	}
	return r.done(back(r.field("back"), "/"), "")
}

func columnPreference(table string) string { return "columns:" + table }

// columns gives a table's columns with those marked that this person wants to see.
func (r *request) columns(name string) ([]column, error) {
	table := columnTables()[name]
	text, err := r.d.App.DB.Preference(r.Request.Context(), r.user.ID, columnPreference(name))
	if err != nil {
		return nil, err
	}
	chosen := strings.Fields(text)
	for i := range table {
		c := &table[i]
		c.Shown = c.Fixed || (text == "" && !c.Extra) || slices.Contains(chosen, c.Name)
	}
	return table, nil
}

// sortable completes the heads of columns that can be sorted, for a table in the order of sort ("-value": by value, the
// greatest first). Texts begin with A, numbers and days with the greatest.
func (r *request) sortable(table []column, sort string) {
	by, descending := strings.CutPrefix(sort, "-")
	for i := range table {
		c := &table[i]
		if c.Sort == "" {
			continue
		}
		next := c.Sort
		switch {
		case c.Sort == by && descending:
			c.Sorted = "descending"
		case c.Sort == by:
			c.Sorted, next = "ascending", "-"+c.Sort
		case c.Number || c.Sort == "date":
			next = "-" + c.Sort
		}
		c.Address = r.with("sort", next)
	}
}

// orders are the heads of a list that each column sorts in one way only, which is its Sorted: that of the others than
// the one it is sorted by is emptied.
func (r *request) orders(by string, table []column) []column {
	for i := range table {
		c := &table[i]
		c.Address = r.with("sort", c.Sort)
		if c.Sort != by {
			c.Sorted = ""
		}
	}
	return table
}
