package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Bounds of what is read of a workbook. A file of a few KB can unpack to gigabytes, so nothing is unpacked further than
// this, and cells are read one at a time.
const (
	maxBytes   = 32 << 20 // of all parts that are read, unpacked
	maxCells   = 500_000  // with something in them, in all sheets
	maxStrings = 16 << 20 // bytes of the texts that cells refer to
	maxColumns = 16_384   // Excel's
)

// workbook is an XLSX file whose cells are being read.
type workbook struct {
	parts    map[string]*zip.File
	texts    []string // shared by cells
	formats  []string // of numbers, by the style of a cell
	from1904 bool
	bytes    int // read so far
	cells    int
}

// errTooLarge ends the reading of a workbook that goes beyond the bounds.
var errTooLarge = errors.New("the workbook is too large")

func readWorkbook(file []byte) (Sheet, []Problem) {
	refuse := func(reason string) (Sheet, []Problem) { return Sheet{Workbook: true}, []Problem{{Reason: reason}} }
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return refuse("the workbook is damaged or incomplete; save it again as XLSX")
	}
	w := &workbook{parts: map[string]*zip.File{}}
	for _, f := range archive.File {
		w.parts[strings.TrimPrefix(f.Name, "/")] = f
	}
	if w.parts["xl/workbook.xml"] == nil {
		return refuse("this is no XLSX workbook (one of LibreOffice or Numbers?); save it as XLSX or as \"CSV UTF-8\"")
	}
	s, err := w.read()
	switch {
	case errors.Is(err, errTooLarge):
		return refuse(fmt.Sprintf("the workbook is too large: at most %d filled cells are read; delete what is no "+
			"list of creators, or save the sheet alone as \"CSV UTF-8\"", maxCells))
	case err != nil:
		return refuse("the workbook cannot be read (" + affiliate.Shown(err.Error()) +
			"); save it again as XLSX, or as \"CSV UTF-8\"")
	}
	return s, nil
}

// read reads all sheets that are shown, and gives the first that is named like creators, or else the first that holds
// anything.
func (w *workbook) read() (s Sheet, err error) {
	sheets, err := w.open()
	if err != nil {
		return s, err
	}
	chosen := -1
	var filled []Sheet
	for _, name := range sheets {
		var one Sheet
		if one, err = w.sheet(name.part); err != nil {
			return s, err
		}
		one.Name = name.name
		if len(one.Rows) == 0 {
			continue
		}
		if chosen < 0 && strings.Contains(affiliate.FoldName(name.name), "creator") {
			chosen = len(filled)
		}
		filled = append(filled, one)
	}
	if len(filled) == 0 {
		return Sheet{Workbook: true}, nil
	}
	chosen = max(chosen, 0)
	s = filled[chosen]
	for i, other := range filled {
		if i != chosen {
			s.Others = append(s.Others, other.Name)
		}
	}
	return s, nil
}

type sheetPart struct{ name, part string }

// open reads what all sheets share, and gives the sheets that are shown, in their order.
func (w *workbook) open() ([]sheetPart, error) {
	var book struct {
		Properties struct {
			From1904 bool `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			State string `xml:"state,attr"`
			ID    string `xml:"id,attr"` // of the relation
		} `xml:"sheets>sheet"`
	}
	var relations struct {
		List []struct {
			ID     string `xml:"Id,attr"`
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := errors.Join(w.unmarshal("xl/workbook.xml", &book),
		w.unmarshal("xl/_rels/workbook.xml.rels", &relations)); err != nil {
		return nil, err
	}
	w.from1904 = book.Properties.From1904
	targets := map[string]string{}
	for _, r := range relations.List {
		target := strings.TrimPrefix(r.Target, "/")
		if target == r.Target {
			target = path.Join("xl", r.Target)
		}
		switch kind := r.Type[strings.LastIndexByte(r.Type, '/')+1:]; kind {
		case "worksheet":
			targets[r.ID] = target
		case "sharedStrings":
			if err := w.readTexts(target); err != nil {
				return nil, err
			}
		case "styles":
			if err := w.readFormats(target); err != nil {
				return nil, err
			}
		}
	}
	var sheets []sheetPart
	for _, s := range book.Sheets {
		if target := targets[s.ID]; target != "" && s.State != "hidden" && s.State != "veryHidden" {
			sheets = append(sheets, sheetPart{s.Name, target})
		}
	}
	return sheets, nil
}

// part opens a part of the package; whoever reads more than the bounds allow gets errTooLarge.
func (w *workbook) part(name string) (io.ReadCloser, error) {
	f := w.parts[name]
	if f == nil {
		return nil, fmt.Errorf("%s is missing", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	return boundedReader{r, w}, nil
}

type boundedReader struct {
	io.ReadCloser
	of *workbook
}

func (r boundedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if r.of.bytes += n; r.of.bytes > maxBytes {
		return 0, errTooLarge
	}
	return n, err
}

func (w *workbook) unmarshal(name string, into any) error {
	r, err := w.part(name)
	if err != nil {
		return err
	}
	defer r.Close()
	return xml.NewDecoder(io.LimitReader(r, 1<<20)).Decode(into)
}

// richText is a text with or without formats; what is written above it to be pronounced is left out.
type richText struct {
	Plain string   `xml:"t"`
	Runs  []string `xml:"r>t"`
}

func (t richText) String() string {
	return unescape(t.Plain + strings.Join(t.Runs, ""))
}

// unescape replaces what XML cannot hold and workbooks write as _x000D_.
func unescape(s string) string {
	const length = len("_x000D_")
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+length {
			return b.String() + s
		}
		n, err := strconv.ParseUint(s[i+2:i+length-1], 16, 16)
		if err != nil || s[i+length-1] != '_' {
			b.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		b.WriteRune(rune(n))
		s = s[i+length:]
	}
}

// elements calls f at the beginning of each element of a part, wherever it stands.
func (w *workbook) elements(name string, f func(d *xml.Decoder, e xml.StartElement) error) error {
	r, err := w.part(name)
	if err != nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(r)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			if err := f(d, e); err != nil {
				return err
			}
		}
	}
}

func (w *workbook) readTexts(name string) error {
	size := 0
	return w.elements(name, func(d *xml.Decoder, e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		var t richText
		if err := d.DecodeElement(&t, &e); err != nil {
			return err
		}
		text := t.String()
		if size += len(text); size > maxStrings || len(w.texts) > maxCells {
			return errTooLarge
		}
		w.texts = append(w.texts, text)
		return nil
	})
}

// readFormats reads the formats of numbers, by style.
func (w *workbook) readFormats(name string) error {
	var styles struct {
		Custom []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := w.unmarshal(name, &styles); err != nil {
		return err
	}
	codes := map[int]string{9: "0%", 10: "0.00%"}
	for id := range 60 { // dates and times in the languages of the world; 23 to 26 and 37 to 44 are numbers
		if id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 || id >= 50 && id <= 58 {
			codes[id] = "yyyy-mm-dd"
		}
	}
	for _, c := range styles.Custom {
		codes[c.ID] = c.Code
	}
	for _, c := range styles.Cells {
		w.formats = append(w.formats, codes[c.Format])
	}
	return nil
}

// cell is a cell as a sheet writes it.
type cell struct {
	Address string   `xml:"r,attr"`
	Type    string   `xml:"t,attr"`
	Style   int      `xml:"s,attr"`
	Formula *string  `xml:"f"`
	Value   *string  `xml:"v"` // nil: a formula that was not computed
	Inline  richText `xml:"is"`
}

// sheet reads all rows of a sheet that have anything in them.
func (w *workbook) sheet(name string) (s Sheet, err error) {
	s.Workbook = true
	var joined []string
	var row Row
	hidden := false
	end := func() {
		if !row.blank() {
			s.Rows = append(s.Rows, row)
			if hidden {
				s.Hidden = append(s.Hidden, row.Line)
			}
		}
		row.Cells = nil
	}
	err = w.elements(name, func(d *xml.Decoder, e xml.StartElement) error {
		switch e.Name.Local {
		case "row":
			end()
			row.Line++
			hidden = false
			for _, a := range e.Attr {
				switch a.Name.Local {
				case "r":
					if n, err := strconv.Atoi(a.Value); err == nil && n >= row.Line {
						row.Line = n
					}
				case "hidden":
					hidden = a.Value == "1" || a.Value == "true"
				}
			}
		case "c":
			var c cell
			if err := d.DecodeElement(&c, &e); err != nil {
				return err
			}
			return w.put(&row, c)
		case "mergeCell":
			for _, a := range e.Attr {
				if a.Name.Local == "ref" {
					joined = append(joined, a.Value)
				}
			}
		}
		return nil
	})
	end()
	for _, area := range joined {
		if err == nil {
			err = w.join(s.Rows, area)
		}
	}
	return s, err
}

// put puts a cell into its row, if there is anything in it.
func (w *workbook) put(row *Row, c cell) error {
	column := columnNumber(c.Address)
	if column == 0 {
		column = len(row.Cells) + 1
	}
	read := w.value(c)
	if read.Text == "" && read.Kind == Text {
		if c.Address == "" {
			row.Cells = append(row.Cells, Cell{})
		}
		return nil
	}
	if w.cells += max(1, column-len(row.Cells)); w.cells > maxCells || column > maxColumns {
		return errTooLarge
	}
	for len(row.Cells) < column {
		row.Cells = append(row.Cells, Cell{})
	}
	row.Cells[column-1] = read
	return nil
}

// value is what a cell holds, told independently of the language of whoever saved it.
func (w *workbook) value(c cell) Cell {
	if c.Type == "inlineStr" {
		return Cell{Text: c.Inline.String()}
	}
	if c.Value == nil {
		if c.Formula != nil {
			return Cell{"=" + *c.Formula, Unknown}
		}
		return Cell{}
	}
	value := *c.Value
	switch c.Type {
	case "s":
		if i, err := strconv.Atoi(value); err == nil && i >= 0 && i < len(w.texts) {
			return Cell{Text: w.texts[i]}
		}
		return Cell{}
	case "str":
		return Cell{Text: unescape(value)}
	case "e":
		return Cell{value, Failed}
	case "d":
		return Cell{value, Date}
	case "b":
		return Cell{Text: map[string]string{"1": "TRUE", "0": "FALSE"}[value]}
	}
	if value == "" && c.Formula != nil {
		return Cell{"=" + *c.Formula, Unknown}
	}
	format := ""
	if c.Style >= 0 && c.Style < len(w.formats) {
		format = w.formats[c.Style]
	}
	return w.number(value, format)
}

// number reads a number as its format means it.
func (w *workbook) number(value, format string) Cell {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return Cell{Text: value}
	}
	signs := formatSigns(format)
	switch {
	case strings.ContainsAny(signs, "ydhmsYDHMS"):
		return Cell{w.date(f), Date}
	case strings.Contains(signs, "%"):
		return Cell{decimal(f, 2), Number}
	}
	text := decimal(f, 0)
	if len(format) > 1 && strings.Trim(format, "0") == "" && strings.Trim(text, "0123456789") == "" {
		text = strings.Repeat("0", max(0, len(format)-len(text))) + text // 815 that is shown as 0815
	}
	return Cell{text, Number}
}

// formatSigns is the first part of a number's format without what stands in quotes, brackets or behind a backslash, and
// without words such as General and E+00.
func formatSigns(format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		switch c := format[i]; c {
		case ';':
			return b.String()
		case '\\', '_', '*':
			i++
		case '"', '[':
			closing := map[byte]byte{'"': '"', '[': ']'}[c]
			if n := strings.IndexByte(format[i+1:], closing); n >= 0 {
				if inner := format[i+1 : i+1+n]; c == '[' && strings.Trim(strings.ToLower(inner), "hms") == "" {
					b.WriteString(inner) // [hh]: hours that go on beyond a day
				}
				i += n + 1
			}
		default:
			b.WriteByte(c)
		}
	}
	return strings.ReplaceAll(b.String(), "General", "")
}

// date writes the day that a number of days stands for.
func (w *workbook) date(days float64) string {
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if w.from1904 {
		epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if days < 0 || days > 2_958_465 { // the year 9999
		return decimal(days, 0)
	}
	return epoch.AddDate(0, 0, int(days)).Format(time.DateOnly)
}

// decimal writes a number with the 15 digits that spreadsheets show, times 10^shift, without an exponent.
func decimal(f float64, shift int) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', 14, 64), "e")
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	digits := strings.TrimRight(strings.Replace(mantissa, ".", "", 1), "0")
	power, err := strconv.Atoi(exponent)
	if digits == "" || err != nil {
		return "0"
	}
	point := power + 1 + shift // digits before the point
	switch {
	case point <= 0:
		digits = "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		digits += strings.Repeat("0", point-len(digits))
	default:
		digits = digits[:point] + "." + digits[point:]
	}
	if negative {
		return "-" + digits
	}
	return digits
}

// join gives cells that were joined down a column the value that they show. What was joined across columns cannot be
// told apart, and is marked.
func (w *workbook) join(rows []Row, area string) error {
	from, to, _ := strings.Cut(area, ":")
	left, right := columnNumber(from), columnNumber(to)
	top, bottom := rowNumber(from), rowNumber(to)
	i, found := slices.BinarySearchFunc(rows, top, func(r Row, line int) int { return r.Line - line })
	if !found || left == 0 || left > len(rows[i].Cells) || rows[i].Cells[left-1].Text == "" {
		return nil
	}
	first := &rows[i].Cells[left-1]
	if left != right {
		first.Kind = Merged
		return nil
	}
	for i++; i < len(rows) && rows[i].Line <= bottom; i++ {
		if w.cells += left; w.cells > maxCells {
			return errTooLarge
		}
		row := &rows[i]
		for len(row.Cells) < left {
			row.Cells = append(row.Cells, Cell{})
		}
		row.Cells[left-1] = *first
	}
	return nil
}

func rowNumber(address string) int {
	n, _ := strconv.Atoi(strings.TrimLeft(strings.ToUpper(address), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	return n
}
