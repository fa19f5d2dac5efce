package app

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/sheet"
)

// importColumns are the columns of a creators' file; those that are needed come first.
var importColumns = []string{"campaign", "creator", "offer", "instagram", "email", "store", "code", "link_slug",
	"landing_url", "commission_percent", "commission_flat", "product_value"}

const neededColumns = 3

// MaxImport is the largest file that is read, in bytes.
const MaxImport = 16 << 20

// mostCounted bounds the counting of what is not read.
const mostCounted = 1 << 30

// LineError is what is wrong with one line of a file, or what was made of it. Lines are those of the file, from 1.
type LineError struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"` // the field, or the letters of a column without one
	Reason string `json:"reason"`
	Text   string `json:"text,omitempty"` // the cell as it is written, on one line and shortened
}

func (e LineError) String() string {
	reason := e.Reason
	if e.Text != "" && !strings.Contains(reason, e.Text) {
		reason = fmt.Sprintf("%s (there is %q)", reason, e.Text)
	}
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, reason)
	}
	return fmt.Sprintf("line %d, %s: %s", e.Line, e.Column, reason)
}

// ImportFile says how a file was read.
type ImportFile struct {
	Format      string         `json:"format" enum:"csv,xlsx"`
	Encoding    string         `json:"encoding,omitempty" example:"UTF-8" doc:"Of a CSV file"`
	Delimiter   string         `json:"delimiter,omitempty" example:"semicolon" doc:"Between the cells of a CSV file: comma, semicolon or tab"`
	DecimalSign string         `json:"decimal_sign,omitempty" example:"comma" doc:"In numbers of a CSV file: point or comma"`
	Sheet       string         `json:"sheet,omitempty" doc:"Of a workbook: the one that was read"`
	OtherSheets []string       `json:"other_sheets,omitempty" doc:"Of a workbook: those that hold something too and were not read"`
	Columns     []ImportColumn `json:"columns"`
}

// ImportColumn says how a column was read.
type ImportColumn struct {
	Column string `json:"column" example:"A" doc:"Its letters, as spreadsheets name it"`
	Header string `json:"header" doc:"As the file has it"`
	Field  string `json:"field,omitempty" example:"campaign" doc:"What it was read as; left out where it was ignored"`
	Note   string `json:"note,omitempty" doc:"Why it was ignored"`
}

// importRow is one line, tidied and checked by itself.
type importRow struct {
	line      int
	campaign  string
	creator   string
	instagram string
	email     string
	offer     string
	store     string
	code      string
	slug      string
	landing   string
	rule      *affiliate.Rule // nil: both cells are empty
	product   *int64          // minor units of the account's currency; nil: empty
}

func (r importRow) hasLink() bool { return r.slug != "" || r.landing != "" }

// importedFile is a file that was read, line by line.
type importedFile struct {
	about  ImportFile
	header sheet.Row
	rows   []importRow
	bad    []LineError // what cannot be used, all of it
	notes  []LineError
}

// readImport reads a whole file, CSV or XLSX.
func readImport(file io.Reader, currency money.Currency) (f importedFile, err error) {
	content, err := io.ReadAll(io.LimitReader(file, MaxImport+1))
	if err != nil {
		return f, fmt.Errorf("read the file: %w", err)
	}
	if len(content) > MaxImport {
		rest, _ := io.Copy(io.Discard, io.LimitReader(file, mostCounted)) // only to say how large it is
		f.fail(1, "", "", "the file has %.1f MB, and at most %d MB are read; divide it into several, each with the "+
			"line that names the columns", float64(int64(len(content))+rest)/(1<<20), MaxImport>>20)
		return f, nil
	}
	read, problems := sheet.Read(content, func(header string) bool { return importField(header) != "" })
	f.describe(read)
	for _, p := range problems {
		f.fail(max(1, p.Line), f.columnName(p.Column), p.Text, "%s", p.Reason)
	}
	if len(read.Rows) == 0 && len(problems) == 0 {
		f.fail(1, "", "", "the file is empty; its first line must name the columns: %s",
			strings.Join(importColumns, ","))
	}
	if len(f.bad) > 0 {
		return f, nil
	}
	columns := f.readHeader(read)
	if len(f.bad) > 0 {
		return f, nil
	}
	for _, row := range read.Rows[1:] {
		f.readRow(row, columns, read, currency)
	}
	if len(f.bad) == 0 && len(f.rows) == 0 {
		f.fail(f.header.Line+1, "", "", "there is no line below the header")
	}
	f.noteSheets(read)
	return f, nil
}

func (f *importedFile) fail(line int, column, text, format string, args ...any) {
	f.bad = append(f.bad, LineError{Line: line, Column: column,
		Text:   affiliate.Shown(strings.ToValidUTF8(text, "\ufffd")),
		Reason: fmt.Sprintf(format, args...)})
}

func (f *importedFile) note(line int, column, format string, args ...any) {
	f.notes = append(f.notes, LineError{Line: line, Column: column, Reason: fmt.Sprintf(format, args...)})
}

// describe says how the file is written, and what its columns are.
func (f *importedFile) describe(s sheet.Sheet) {
	f.about = ImportFile{Format: "csv", Encoding: s.Encoding, Delimiter: map[rune]string{',': "comma", ';': "semicolon",
		'\t': "tab"}[s.Delimiter], DecimalSign: "comma", Columns: []ImportColumn{}}
	switch {
	case s.Workbook:
		f.about = ImportFile{Format: "xlsx", Sheet: s.Name, OtherSheets: s.Others, Columns: []ImportColumn{}}
	case s.Delimiter == 0:
		f.about.DecimalSign = ""
	case s.Delimiter == ',':
		f.about.DecimalSign = "point"
	}
	if len(s.Rows) == 0 {
		return
	}
	f.header = s.Rows[0]
	for i, c := range f.header.Cells {
		column := ImportColumn{Column: sheet.ColumnName(i + 1),
			Header: affiliate.Clean(strings.ToValidUTF8(c.Text, "\ufffd")),
			Field:  importField(c.Text)}
		if column.Header == "" {
			column.Note = "ignored: it is empty"
		}
		f.about.Columns = append(f.about.Columns, column)
	}
}

// columnName is the field of a column, counted from 1, or its letters where it has none; empty for 0.
func (f *importedFile) columnName(n int) string {
	if n > 0 && n <= len(f.about.Columns) && f.about.Columns[n-1].Field != "" {
		return f.about.Columns[n-1].Field
	}
	return sheet.ColumnName(n)
}

// importField is the column that a header names, in any case and with spaces, hyphens, underscores or none; empty for
// another.
func importField(header string) string {
	for _, name := range importColumns {
		if headerKey(name) == headerKey(header) {
			return name
		}
	}
	return ""
}

// headerKey is what headers are compared by: "Commission (%)" and "commission_percent" are one.
func headerKey(header string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, affiliate.FoldName(strings.ReplaceAll(header, "%", " percent")))
}

// readHeader gives the place of each column by name.
func (f *importedFile) readHeader(s sheet.Sheet) map[string]int {
	columns := map[string]int{}
	line := f.header.Line
	for i, column := range f.about.Columns {
		if reason := flaw(f.header.Cells[i]); reason != "" {
			f.fail(line, column.Column, f.header.Cells[i].Text, "%s", reason)
			continue
		}
		if column.Header == "" {
			continue
		}
		if column.Field == "" {
			f.fail(line, strings.ToLower(affiliate.Shown(column.Header)), column.Header,
				"is not a known column%s; there are: %s",
				suggested(column.Header), strings.Join(importColumns, ","))
			continue
		}
		if before, twice := columns[column.Field]; twice {
			f.fail(line, column.Field, column.Header, "stands there twice, in columns %s and %s; take one away",
				sheet.ColumnName(before+1), column.Column)
			continue
		}
		columns[column.Field] = i
	}
	for _, name := range importColumns[:neededColumns] {
		if _, ok := columns[name]; !ok {
			hint := ""
			if len(f.about.Columns) == 1 && !s.Workbook {
				hint = "; the names of the columns must be divided by commas, semicolons or tabs"
			}
			f.fail(line, name, "", "this column is missing%s", hint)
		}
	}
	return columns
}

// suggested names the column that a header may mean.
func suggested(header string) string {
	key := headerKey(header)
	for _, name := range importColumns {
		if known := headerKey(name); key != "" && (strings.Contains(key, known) || strings.Contains(known, key)) {
			return "; " + name + " perhaps"
		}
	}
	return ""
}

// readRow reads one line below the header.
func (f *importedFile) readRow(row sheet.Row, columns map[string]int, s sheet.Sheet, currency money.Currency) {
	before := len(f.bad)
	width := len(f.about.Columns)
	for i, cell := range row.Cells {
		text := affiliate.Clean(cell.Text)
		switch reason := flaw(cell); {
		case reason != "":
			f.fail(row.Line, f.columnName(i+1), cell.Text, "%s", reason)
		case text == "":
		case i >= width:
			f.fail(row.Line, "", row.Cells[i].Text, "has %d fields, the header has %d%s", len(row.Cells), width,
				commaHint(s.Delimiter))
			return
		case f.about.Columns[i].Header == "":
			f.fail(row.Line, sheet.ColumnName(i+1), cell.Text, "%q stands in a column without a name; name the "+
				"column, or empty the cell", affiliate.Shown(text))
		}
	}
	if len(row.Cells) == 1 && width > 1 && !s.Workbook && strings.ContainsAny(row.Cells[0].Text, ",;\t") {
		f.fail(row.Line, "", row.Cells[0].Text, "has 1 fields, the header has %d: the cells of both must be divided "+
			"by the same sign, which is a %s in the header", width, f.about.Delimiter)
	}
	if len(f.bad) > before {
		return
	}
	c := cells{line: row.Line, cells: row.Cells, columns: columns, decimal: decimalSigns[s.Delimiter]}
	if s.Delimiter == ',' && len(row.Cells) > width {
		c.checkCommas()
	}
	read := c.row(currency)
	f.rows, f.bad = append(f.rows, read), append(f.bad, c.bad...)
	if affiliate.LooksLikeDate(read.code) {
		f.note(row.Line, "code", "%q looks like a date that a spreadsheet has made of a code such as MAY10; make "+
			"sure that it is the code", read.code)
	}
}

func commaHint(delimiter rune) string {
	if delimiter == ',' {
		return "; a cell with a comma in it must be in quotes"
	}
	return ""
}

// noteSheets says what of a workbook people may not expect.
func (f *importedFile) noteSheets(s sheet.Sheet) {
	if len(s.Others) > 0 {
		f.note(f.header.Line, "", "the sheet %q was read; not read: %q", s.Name, s.Others)
	}
	if hidden := s.Hidden; len(hidden) > 0 {
		f.note(hidden[0], "", "rows that the workbook hides are read like others: %d, of which this is the first",
			len(hidden))
	}
}

// flaw says why a cell cannot be used whatever its column is; empty when it may be.
func flaw(c sheet.Cell) string {
	switch c.Kind {
	case sheet.Date:
		return fmt.Sprintf("holds a date (%s), which a spreadsheet has made of what was typed; format the cell as "+
			"text, and type it again", affiliate.Shown(c.Text))
	case sheet.Merged:
		return "was merged with the cells beside it; unmerge them, so that each column has its own"
	case sheet.Unknown:
		return "holds a formula whose result is not in the file; open the file in a spreadsheet program and save it, " +
			"or put the value there"
	case sheet.Failed:
		return fmt.Sprintf("%q is the error of a formula; mend the formula, or type the value", affiliate.Shown(c.Text))
	}
	switch {
	case !utf8.ValidString(c.Text):
		return notUTF8(c.Text)
	case strings.ContainsRune(c.Text, utf8.RuneError):
		return fmt.Sprintf("%q has lost a letter (\ufffd) when the file was saved; type it again, and save the file "+
			"as \"CSV UTF-8\"", affiliate.Shown(c.Text))
	case affiliate.IsSpreadsheetError(c.Text):
		return fmt.Sprintf("%q is the error of a formula; mend the formula, or type the value", affiliate.Shown(c.Text))
	}
	if meant := misread(c.Text); meant != "" {
		return fmt.Sprintf("%q has been read in the wrong encoding and saved so; it seems to mean %q. Open the file "+
			"as UTF-8, or type it again", affiliate.Shown(c.Text), affiliate.Shown(meant))
	}
	return ""
}

// notUTF8 says where a text is not UTF-8, and what it may mean in the encoding that spreadsheets on Windows write.
func notUTF8(text string) string {
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	meant, _ := charmap.Windows1252.NewDecoder().String(text)
	return fmt.Sprintf("this is not UTF-8: byte %X behind %q (the text would be %q in Windows-1252, and others "+
		"elsewhere); save the file as \"CSV UTF-8\"", text[i], affiliate.Shown(text[:i]), affiliate.Shown(meant))
}

// misread gives what a text means that is UTF-8 taken for Windows-1252, such as "KÃ¤rg" for "Kärg"; else empty.
func misread(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return ""
	}
	meant, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil || !utf8.ValidString(meant) {
		return ""
	}
	return meant
}

// cells reads the cells of one line and collects what is wrong with them.
type cells struct {
	line    int
	cells   []sheet.Cell
	columns map[string]int
	decimal decimalSign
	bad     []LineError
}

// cell is empty for a column that the file or the line does not have.
func (c *cells) cell(column string) sheet.Cell {
	i, ok := c.columns[column]
	if !ok || i >= len(c.cells) {
		return sheet.Cell{}
	}
	return c.cells[i]
}

// text gives a cell without what spreadsheets and exports put around texts to keep them from being taken for formulas
// and numbers: an apostrophe before @anna, and ="0815".
func (c *cells) text(column string) string {
	text := affiliate.Clean(c.cell(column).Text)
	if inner, ok := strings.CutPrefix(text, `="`); ok && strings.HasSuffix(inner, `"`) {
		return affiliate.Clean(strings.ReplaceAll(inner[:len(inner)-1], `""`, `"`))
	}
	if guarded, ok := strings.CutPrefix(text, "'"); ok && strings.IndexAny(guarded, "=+-@") == 0 {
		return guarded
	}
	return text
}

func (c *cells) needed(column string) string {
	v := c.text(column)
	if v == "" {
		c.fail(column, "must not be empty")
	}
	return v
}

func (c *cells) fail(column, format string, args ...any) {
	c.bad = append(c.bad, LineError{Line: c.line, Column: column, Text: affiliate.Shown(c.text(column)),
		Reason: fmt.Sprintf(format, args...)})
}

// check notes an error about a column.
func (c *cells) check(column string, err error) {
	if err == nil {
		return
	}
	var e *affiliate.Error
	if errors.As(err, &e) {
		c.fail(column, "%s", e.Message)
		return
	}
	c.fail(column, "%s", err)
}

// checkCommas refuses a line that is longer than the header and has whole numbers beside each other: 12,5 without
// quotes are two cells, and move all cells behind them.
func (c *cells) checkCommas() {
	for _, column := range []string{"commission_percent", "commission_flat", "product_value"} {
		i, ok := c.columns[column]
		if !ok || i+1 >= len(c.cells) {
			continue
		}
		left, right := affiliate.Clean(c.cells[i].Text), affiliate.Clean(c.cells[i+1].Text)
		if left != "" && right != "" && strings.Trim(left+right, "0123456789") == "" {
			c.fail(column, "the line has more fields than the header, and \"%s,%s\" may be one number or two; put a "+
				"number with a comma in quotes, or write it with a point", left, right)
			return
		}
	}
}

func (c *cells) row(currency money.Currency) importRow {
	r := importRow{line: c.line, campaign: c.needed("campaign"), creator: c.needed("creator"), offer: c.needed("offer"),
		instagram: affiliate.TidyHandle(c.text("instagram")), email: c.text("email"), store: c.text("store"),
		code: c.text("code"), slug: affiliate.FoldSlug(c.text("link_slug")), landing: c.text("landing_url")}
	c.checkNames(r)
	c.check("email", affiliate.ValidateEmail(r.email))
	switch {
	case r.code == "" && !r.hasLink():
		c.fail("code", "a line needs a code, or a link with landing_url; this one has neither")
	case r.code != "" && r.store == "":
		c.fail("store", "a code needs the slug of the store that it is valid in; see: tributary store list")
	}
	if r.code != "" {
		c.check("code", affiliate.ValidateTypedCode(r.code))
	}
	if r.slug != "" && !affiliate.ValidSlug(r.slug) {
		c.fail("link_slug", "must have 1 to %d characters of a-z, 0-9, - and _", affiliate.MaxSlug)
	}
	if r.hasLink() {
		c.check("landing_url", affiliate.ValidateLandingURL(r.landing))
	}
	r.rule = c.rule()
	if v, ok := c.number("product_value", currency); ok {
		n, err := affiliate.ParseAmount("product_value", v, currency)
		c.check("product_value", err)
		r.product = &n
	}
	return r
}

// checkNames lets the domain's own rules judge names and handles.
func (c *cells) checkNames(r importRow) {
	if r.campaign != "" {
		c.check("campaign", affiliate.Campaign{Name: r.campaign}.Validate())
	}
	if r.creator != "" {
		c.check("creator", affiliate.Creator{Name: r.creator}.Validate())
	}
	if r.instagram != "" && r.creator != "" {
		c.check("instagram", affiliate.Creator{Name: "x",
			Handles: map[string]string{affiliate.Instagram: r.instagram}}.Validate())
	}
	if r.offer != "" {
		c.check("offer", affiliate.Offer{Name: r.offer, Type: affiliate.OfferPromoCode,
			Status: affiliate.OfferActive}.Validate())
	}
}

// rule is nil when both cells are empty; one empty cell beside a filled one means 0.
func (c *cells) rule() *affiliate.Rule {
	if c.text("commission_percent") == "" && c.text("commission_flat") == "" {
		return nil
	}
	var r affiliate.Rule
	var err error
	if v, ok := c.number("commission_percent", ""); ok {
		r.Percent, err = affiliate.ParsePercent("commission_percent", v)
		c.check("commission_percent", err)
	}
	if v, ok := c.number("commission_flat", ""); ok {
		r.Flat, err = affiliate.ParseFlat("commission_flat", v)
		c.check("commission_flat", err)
	}
	return &r
}

func (r importRow) campaignKey() string { return affiliate.FoldName(r.campaign) }
