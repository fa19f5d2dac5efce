package export

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"github.com/tributaryhq/tributary/internal/sheet"
)

// Limits of Excel and of the container.
const (
	maxSheetRows = 1_048_576 // the header among them
	// maxSheetBytes keeps a sheet below 4 GiB, from which on Excel refuses what archive writers make of it.
	maxSheetBytes = 3 << 30
	maxCellUnits  = 32_767 // UTF-16 code units in a cell
	// exactDigits is how many digits a number in a spreadsheet keeps: it is a float there. Amounts up to 10^15 minor
	// units have no more.
	exactDigits = 15
)

// xlsxEncoder writes a workbook. Its sheets go straight into the archive, cell by cell, and the small parts that list
// them at the end. Excelize's stream writer was measured and not taken: before the first byte leaves it puts a sheet's
// gigabyte on disk, or keeps it in memory where it cannot; it takes five times as long; and it writes amounts by way of
// floats, where the text of a cell can be the exact decimal.
type xlsxEncoder struct {
	archive *zip.Writer
	sheet   io.Writer
	title   string
	zone    *time.Location
	columns []Column
	names   []string // of the columns: A, B, …
	column  int      // of the cell that comes next
	open    bool     // a row has begun
	row     int      // in the sheet, from 1
	sheets  int      // begun so far
	bytes   int64    // of the sheet, before compression
	rows    []int    // of each sheet that has ended
	maxRows int      // of a sheet
	buf     []byte
	err     error // of a sheet that could not begin
}

func newXLSX(w io.Writer, columns []Column, o Options) (*xlsxEncoder, error) {
	e := &xlsxEncoder{title: sheetTitle(o.Title), zone: o.Zone, columns: columns, names: make([]string, len(columns)),
		maxRows: maxSheetRows, buf: make([]byte, 0, flushSize+flushSize/4)}
	// which the archive takes for its own and flushes at its end
	e.archive = zip.NewWriter(bufio.NewWriterSize(w, flushSize))
	e.archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, compression)
	})
	for i := range columns {
		e.names[i] = sheet.ColumnName(i + 1)
	}
	return e, e.beginSheet()
}

// compression is the level up to which smaller files cost no time; level 5 saves a tenth and takes half as long again.
const compression = 2

// sheetTitle makes a text a valid name of a sheet with room for a number.
func sheetTitle(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\'`, r) || r < ' ' {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 24 {
		s = string(runes[:24])
	}
	if s = strings.TrimSpace(s); s == "" {
		return "Export"
	}
	return s
}

func (e *xlsxEncoder) sheetName(n int) string {
	if n == 1 {
		return e.title
	}
	return e.title + " " + strconv.Itoa(n)
}

// beginSheet ends the sheet before and begins the next with its header.
func (e *xlsxEncoder) beginSheet() error {
	if err := e.endSheet(); err != nil {
		return err
	}
	e.sheets++
	var err error
	if e.sheet, err = e.archive.Create("xl/worksheets/sheet" + strconv.Itoa(e.sheets) + ".xml"); err != nil {
		return err
	}
	e.bytes, e.row = 0, 0
	selected := ""
	if e.sheets == 1 {
		selected = ` tabSelected="1"`
	}
	e.buf = append(e.buf, xmlHead+`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView`+selected+` workbookViewId="0">`+
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/>`+
		`</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>`...)
	for i, c := range e.columns {
		e.buf = fmt.Appendf(e.buf, `<col min="%d" max="%d" width="%d" customWidth="1"/>`, i+1, i+1, columnWidth(c))
	}
	e.buf = append(e.buf, `</cols><sheetData>`...)
	e.openRow()
	for _, c := range e.columns {
		e.styledText(c.Name, headerStyle)
	}
	e.closeRow()
	return nil
}

// columnWidth is in characters: what most cells of the kind need, and the header with the filter's button.
func columnWidth(c Column) int {
	widths := [...]int{Text: 20, Amount: 14, Integer: 10, Moment: 20, Day: 12, Percent: 10, Decimal: 14, Boolean: 8}
	return max(widths[c.Kind], utf8.RuneCountInString(c.Name)+4)
}

// beginRow begins a row of data, on a further sheet where this one is full.
func (e *xlsxEncoder) beginRow() {
	if e.err == nil && (e.row >= e.maxRows || e.bytes >= maxSheetBytes) {
		e.err = e.beginSheet()
	}
	e.openRow()
}

func (e *xlsxEncoder) openRow() {
	e.row++
	e.column, e.open = 0, true
	e.buf = append(e.buf, `<row r="`...)
	e.buf = strconv.AppendInt(e.buf, int64(e.row), 10)
	e.buf = append(e.buf, `">`...)
}

func (e *xlsxEncoder) closeRow() {
	e.buf = append(e.buf, `</row>`...)
	e.open = false
}

// cell begins the next cell, up to its attributes.
func (e *xlsxEncoder) cell(style string) {
	if !e.open {
		e.beginRow()
	}
	e.buf = append(e.buf, `<c r="`...)
	e.buf = append(e.buf, e.names[e.column]...)
	e.buf = strconv.AppendInt(e.buf, int64(e.row), 10)
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, style...)
	e.column++
}

func (e *xlsxEncoder) empty() {
	if !e.open {
		e.beginRow()
	}
	e.column++
}

func (e *xlsxEncoder) text(s string) { e.styledText(s, "") }

// styledText writes a string into its cell; in a cell of strings nothing is a formula.
func (e *xlsxEncoder) styledText(s, style string) {
	if s == "" {
		e.empty()
		return
	}
	e.cell(style)
	e.buf = append(e.buf, ` t="inlineStr"><is><t`...)
	if s[0] <= ' ' || s[len(s)-1] <= ' ' || strings.IndexByte(s, '\n') >= 0 {
		e.buf = append(e.buf, ` xml:space="preserve"`...)
	}
	e.buf = append(e.buf, '>')
	e.buf = appendXML(e.buf, cut(s))
	e.buf = append(e.buf, `</t></is></c>`...)
}

func (e *xlsxEncoder) number(n int64, digits int, k Kind) {
	style := ""
	switch k {
	case Amount:
		style = amountStyles[min(digits, len(amountStyles)-1)]
	case Integer:
		style = integerStyle
	case Percent:
		style, digits = percentStyle, digits+2 // of one, not of a hundred
	}
	e.cell(style)
	e.buf = append(e.buf, `><v>`...)
	e.buf = appendScaled(e.buf, n, digits)
	e.buf = append(e.buf, `</v></c>`...)
}

// decimal writes a number, or its text where a spreadsheet would lose digits.
func (e *xlsxEncoder) decimal(s string) {
	if len(s) > exactDigits && significant(s) > exactDigits {
		e.text(s)
		return
	}
	e.cell("")
	e.buf = append(e.buf, `><v>`...)
	e.buf = append(e.buf, s...)
	e.buf = append(e.buf, `</v></c>`...)
}

// significant counts the digits of a decimal number without the zeros before them.
func significant(s string) int {
	s = strings.TrimLeft(s, "-0.")
	return len(s) - strings.Count(s, ".")
}

// firstSerial is the first day on which spreadsheets agree: before it Excel counts a 29 February 1900 that never was.
// They count days since 1899-12-30, which is epochSerial days before 1970.
const (
	firstSerial = 61
	epochSerial = 25_569
	daySeconds  = 86_400
)

func (e *xlsxEncoder) moment(t time.Time) {
	t = t.In(e.zone)
	_, offset := t.Zone()
	seconds := t.Unix() + int64(offset) + epochSerial*daySeconds
	if seconds < firstSerial*daySeconds {
		e.text(t.Format(time.RFC3339))
		return
	}
	e.cell(momentStyle)
	e.buf = append(e.buf, `><v>`...)
	// A day has 86,400 seconds, so ten decimals tell them apart by far; days have five digits before the point.
	const scale, digits = 10_000_000_000, 10
	e.buf = appendScaled(e.buf, seconds/daySeconds*scale+(seconds%daySeconds*scale+daySeconds/2)/daySeconds, digits)
	e.buf = append(e.buf, `</v></c>`...)
}

func (e *xlsxEncoder) day(s string) {
	t, err := time.Parse(time.DateOnly, s)
	if serial := t.Unix()/daySeconds + epochSerial; err == nil && serial >= firstSerial {
		e.cell(dayStyle)
		e.buf = append(e.buf, `><v>`...)
		e.buf = strconv.AppendInt(e.buf, serial, 10)
		e.buf = append(e.buf, `</v></c>`...)
		return
	}
	e.text(s)
}

func (e *xlsxEncoder) boolean(b bool) {
	e.cell("")
	if b {
		e.buf = append(e.buf, ` t="b"><v>1</v></c>`...)
		return
	}
	e.buf = append(e.buf, ` t="b"><v>0</v></c>`...)
}

func (e *xlsxEncoder) endRow() error {
	if !e.open {
		e.beginRow()
	}
	e.closeRow()
	if e.err != nil || len(e.buf) < flushSize {
		return e.err
	}
	return e.flush()
}

func (e *xlsxEncoder) flush() error {
	n, err := e.sheet.Write(e.buf)
	e.bytes += int64(n)
	e.buf = e.buf[:0]
	return err
}

// endSheet writes the end of the sheet, if one has begun, with a filter over all of it.
func (e *xlsxEncoder) endSheet() error {
	if e.sheets == 0 {
		return nil
	}
	e.rows = append(e.rows, e.row)
	e.buf = append(e.buf, `</sheetData>`...)
	if last := len(e.names) - 1; last >= 0 {
		e.buf = fmt.Appendf(e.buf, `<autoFilter ref="A1:%s%d"/>`, e.names[last], e.row)
	}
	e.buf = append(e.buf, `</worksheet>`...)
	return e.flush()
}

// close ends the last sheet and writes the parts that list all of them.
func (e *xlsxEncoder) close() error {
	if err := e.endSheet(); err != nil {
		return err
	}
	b := book{Title: e.title}
	if len(e.names) > 0 {
		b.Last = e.names[len(e.names)-1]
	}
	for i, rows := range e.rows {
		b.Sheets = append(b.Sheets, bookSheet{e.sheetName(i + 1), i, rows})
	}
	for _, p := range bookParts {
		w, err := e.archive.Create(p.name)
		if err != nil {
			return err
		}
		if err := p.text.Execute(w, b); err != nil {
			return err
		}
	}
	return e.archive.Close()
}

// cut shortens a text to what a cell can hold, which is counted in UTF-16.
func cut(s string) string {
	if len(s) <= maxCellUnits {
		return s
	}
	units := 0
	for i, r := range s {
		if units += max(utf16.RuneLen(r), 1); units > maxCellUnits {
			return s[:i]
		}
	}
	return s
}

// appendXML writes a text as XML. Characters that XML cannot hold are dropped, bytes that are no UTF-8 become U+FFFD.
// An underscore that begins what Excel reads as an escape (_x000D_) is escaped itself.
func appendXML(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '&' && c != '<' && c != '>' && c != '_' {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		replacement, replaced := "", true
		switch {
		case r == '&':
			replacement = "&amp;"
		case r == '<':
			replacement = "&lt;"
		case r == '>':
			replacement = "&gt;"
		case r == '\r':
			replacement = "&#13;" // a bare one is read as a line feed
		case r == utf8.RuneError && size == 1:
			replacement = "\ufffd"
		case r == '_' && isEscape(s[i:]):
			replacement = "_x005F_"
		default:
			replaced = r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF
		}
		if replaced {
			b = append(append(b, s[from:i]...), replacement...)
			from = i + size
		}
		i += size
	}
	return append(b, s[from:]...)
}

// isEscape says whether s begins like _x000D_.
func isEscape(s string) bool {
	const like = "_x0000_"
	if len(s) < len(like) || s[1] != 'x' || s[len(like)-1] != '_' {
		return false
	}
	_, err := strconv.ParseUint(s[2:len(like)-1], 16, 16)
	return err == nil
}
