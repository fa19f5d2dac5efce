package export

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/sheet"
)

// workbook opens what was written.
func workbook(t testing.TB, b *bytes.Buffer) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func cells(t testing.TB, f *excelize.File, sheet string, o ...excelize.Options) [][]string {
	t.Helper()
	rows, err := f.GetRows(sheet, o...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

var raw = excelize.Options{RawCellValue: true}

func TestXLSXCells(t *testing.T) {
	w, b := table(t, everyKind, Options{Format: XLSX, Title: "Conversions", Zone: zone(t, "Europe/Berlin")})
	fill(t, w)
	f := workbook(t, b)
	for i, want := range []string{
		"Words|Value|Clicks|Date (Europe/Berlin)|Rate Date|Share|Rate|Test",
		"Anna Keller|1,234.56|1,234,567|2026-11-21 13:00:00|2026-11-20|12.50%|1.1684|TRUE",
		`=HYPERLINK("http://example.com","a,b")|-12.00|-3|2026-06-21 14:00:00|2024-02-29|0.00%|-0.5|FALSE`,
		"two\r\nlines, \"quoted\"; Zoë|5,000|0|||100.00%|3|FALSE",
		"@handle|-0.001|1|2026-11-21 13:00:00|2026-01-01|-7.25%||TRUE",
	} {
		if got := strings.Join(cells(t, f, "Conversions")[i], "|"); got != want {
			t.Errorf("row %d shows %q, want %q", i+1, got, want)
		}
	}
	for i, want := range []string{"", "1234.56|1234567|46347.5416666667|46346|0.1250|1.1684|1",
		"-12.00|-3|46194.5833333333|45351|0.0000|-0.5|0"} {
		if got := strings.Join(cells(t, f, "Conversions", raw)[i][1:], "|"); i > 0 && got != want {
			t.Errorf("row %d holds %q, want %q", i+1, got, want)
		}
	}
	for cell, want := range map[string]excelize.CellType{"A3": excelize.CellTypeInlineString,
		"B3": excelize.CellTypeUnset, "H3": excelize.CellTypeBool} {
		if got, err := f.GetCellType("Conversions", cell); err != nil || got != want {
			t.Errorf("%s has type %d, %v; want %d", cell, got, err, want)
		}
	}
	if formula, err := f.GetCellFormula("Conversions", "A3"); err != nil || formula != "" {
		t.Errorf("a text became the formula %q, %v", formula, err)
	}
}

// TestXLSXFrame looks at what makes the sheet handy: a bold header that stays, widths, a filter over all rows.
func TestXLSXFrame(t *testing.T) {
	w, b := table(t, everyKind, Options{Format: XLSX, Title: "Orders: [all] of 'Anna'/Berlin with a long title",
		Zone: time.UTC})
	fill(t, w)
	f := workbook(t, b)
	const name = "Orders   all  of  Anna"
	if got := f.GetSheetList(); len(got) != 1 || got[0] != name {
		t.Fatalf("sheets %q", got)
	}
	panes, err := f.GetPanes(name)
	if err != nil || !panes.Freeze || panes.YSplit != 1 || panes.TopLeftCell != "A2" {
		t.Errorf("panes %+v, %v", panes, err)
	}
	id, err := f.GetCellStyle(name, "B1")
	if err != nil {
		t.Fatal(err)
	}
	if style, err := f.GetStyle(id); err != nil || style.Font == nil || !style.Font.Bold {
		t.Errorf("the header's style is %+v, %v", style, err)
	}
	if width, err := f.GetColWidth(name, "D"); err != nil || width != 20 {
		t.Errorf("the date's column is %v wide, %v", width, err)
	}
	names := f.GetDefinedName()
	if len(names) != 1 || names[0].RefersTo != "'"+name+"'!$A$1:$H$6" {
		t.Errorf("defined names %+v", names)
	}
	if !strings.Contains(part(t, b, "xl/worksheets/sheet1.xml"), `<autoFilter ref="A1:H6"/>`) {
		t.Error("the sheet has no filter")
	}
	if props, err := f.GetDocProps(); err != nil || props.Creator != "Tributary" {
		t.Errorf("properties %+v, %v", props, err)
	}
}

// part gives one file of the package.
func part(t testing.TB, b *bytes.Buffer, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestXLSXStyles: each kind is shown in its format, and only the header is bold.
func TestXLSXStyles(t *testing.T) {
	w, b := table(t, everyKind, Options{Format: XLSX})
	currencies := []money.Currency{"JPY", "BTC:1", "EUR", "KWD", "CLF", "BTC:8"}
	for _, c := range currencies {
		w.Text("words")
		w.Amount(12345, c)
		w.Integer(1)
		w.Moment(noon)
		w.Day("2026-11-20")
		w.Percent(1250)
		w.Decimal("1.1684")
		w.Boolean(true)
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, w)
	f := workbook(t, b)
	style := func(cell string) *excelize.Style {
		id, err := f.GetCellStyle("Export", cell)
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		return style
	}
	amounts := []string{"#,##0", "#,##0.0", "#,##0.00", "#,##0.000", "#,##0.0000", "#,##0.0000"}
	for i, amount := range amounts {
		for j, want := range []string{"", amount, "#,##0", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd", "0.00%", "", ""} {
			cell, got := sheet.ColumnName(j+1)+strconv.Itoa(i+2), ""
			s := style(cell)
			if s.CustomNumFmt != nil {
				got = *s.CustomNumFmt
			}
			if got != want || s.NumFmt != 0 || s.Font.Bold || s.Font.Family != "Calibri" || s.Font.Size != 11 {
				t.Errorf("%s, a %s in %s: format %q %d, font %+v; want %q", cell, everyKind[j].Kind, currencies[i], got,
					s.NumFmt, s.Font, want)
			}
		}
	}
	for j := range everyKind {
		if s := style(sheet.ColumnName(j+1) + "1"); !s.Font.Bold || s.Font.Family != "Calibri" || s.Font.Size != 11 {
			t.Errorf("the header of column %d: font %+v", j+1, s.Font)
		}
	}
}

// TestSheetTitle: whatever a title holds, the workbook opens and shows it.
func TestSheetTitle(t *testing.T) {
	for title, want := range map[string]string{`"A" & <b>`: `"A" & <b>`, "Zoë 😀": "Zoë 😀", "a\tb\x00c": "a b c",
		"bad\xff \ufffe": "bad\ufffd \ufffd", "{{.Title}}": "{{.Title}}", " [x] ": "x", "'": "Export", "": "Export"} {
		w, b := table(t, everyKind, Options{Format: XLSX, Title: title})
		fill(t, w)
		f := workbook(t, b)
		names := f.GetDefinedName()
		if got := f.GetSheetList(); len(got) != 1 || got[0] != want || len(names) != 1 || names[0].Scope != want ||
			names[0].RefersTo != "'"+want+"'!$A$1:$H$6" {
			t.Errorf("%q: sheets %q, filter %+v; want %q", title, got, names, want)
		}
		if props, err := f.GetDocProps(); err != nil || props.Title != want {
			t.Errorf("%q: title %q, %v; want %q", title, props.Title, err, want)
		}
	}
}

func TestWithoutColumns(t *testing.T) {
	w, b := table(t, nil, Options{Format: XLSX})
	if err := w.EndRow(); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	f := workbook(t, b)
	if names := f.GetDefinedName(); len(names) != 0 || len(f.GetSheetList()) != 1 {
		t.Errorf("filters %+v, sheets %q", names, f.GetSheetList())
	}
}

// TestPackage reads every part as XML and finds each name once. Every part has its type and its relation, each of which
// leads to a part.
func TestPackage(t *testing.T) {
	w, b := table(t, everyKind, Options{Format: XLSX, Title: "All"})
	w.out.(*xlsxEncoder).maxRows = 3
	fill(t, w)
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	var typed, related []string
	for _, f := range z.File {
		seen[f.Name]++
		decoder := xml.NewDecoder(strings.NewReader(part(t, b, f.Name)))
		var token xml.Token
		var err error
		for err == nil {
			token, err = decoder.Token()
			element, ok := token.(xml.StartElement)
			for _, a := range element.Attr {
				switch {
				case ok && a.Name.Local == "PartName":
					typed = append(typed, strings.TrimPrefix(a.Value, "/"))
				case ok && a.Name.Local == "Target":
					related = append(related, path.Join(path.Dir(path.Dir(f.Name)), a.Value))
				}
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	want := []string{"docProps/core.xml", "xl/styles.xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml",
		"xl/worksheets/sheet2.xml", "xl/worksheets/sheet3.xml"}
	slices.Sort(typed)
	slices.Sort(related)
	if !slices.Equal(typed, want) || !slices.Equal(related, want) {
		t.Errorf("types of %q, relations to %q; want %q", typed, related, want)
	}
	for _, name := range append(want, "[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels") {
		if seen[name] != 1 {
			t.Errorf("%s is there %d times", name, seen[name])
		}
	}
	if len(seen) != len(want)+3 {
		t.Errorf("parts %v", seen)
	}
}

// TestFurtherSheets makes sheets small and counts that no row is lost at their ends.
func TestFurtherSheets(t *testing.T) {
	const rowsPerSheet = 4
	for rows, want := range map[int]int{0: 1, 1: 1, 4: 1, 5: 2, 8: 2, 9: 3} {
		w, b := table(t, []Column{{Name: "N", Kind: Integer}, {Name: "Word", Kind: Text}},
			Options{Format: XLSX, Title: "Ledger"})
		w.out.(*xlsxEncoder).maxRows = rowsPerSheet + 1
		for i := range rows {
			w.Integer(int64(i))
			w.Text("w")
			if err := w.EndRow(); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, w)
		f := workbook(t, b)
		sheets := f.GetSheetList()
		if len(sheets) != want || sheets[0] != "Ledger" || want > 1 && sheets[1] != "Ledger 2" {
			t.Errorf("%d rows: sheets %q, want %d", rows, sheets, want)
		}
		n := 0
		for i, sheet := range sheets {
			list := cells(t, f, sheet)
			if strings.Join(list[0], "|") != "N|Word" {
				t.Errorf("sheet %q has the header %q", sheet, list[0])
			}
			for _, row := range list[1:] {
				if row[0] != strconv.Itoa(n) {
					t.Errorf("sheet %q has row %q, want %d", sheet, row[0], n)
				}
				n++
			}
			if panes, err := f.GetPanes(sheet); err != nil || !panes.Freeze {
				t.Errorf("sheet %d: panes %+v, %v", i, panes, err)
			}
		}
		if n != rows || len(f.GetDefinedName()) != want {
			t.Errorf("%d rows are read back as %d, with %d filters", rows, n, len(f.GetDefinedName()))
		}
	}
}

func TestSheetLimits(t *testing.T) {
	w, _ := table(t, []Column{{Name: "N", Kind: Integer}}, Options{Format: XLSX})
	e := w.out.(*xlsxEncoder)
	if e.maxRows-1 != 1_048_575 {
		t.Errorf("a sheet takes %d rows of data, want 1048575", e.maxRows-1)
	}
	w.Integer(1)
	e.bytes = maxSheetBytes
	for range 2 {
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
		w.Integer(2)
	}
	if e.sheets != 2 {
		t.Errorf("a sheet of 3 GiB goes on: %d sheets", e.sheets)
	}
}

// xlsxText gives what is read back for one text.
func xlsxText(t testing.TB, s string) string {
	t.Helper()
	w, b := table(t, []Column{{Name: "A", Kind: Text}}, Options{Format: XLSX})
	w.Text(s)
	if err := w.EndRow(); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	got, err := workbook(t, b).GetCellValue("Export", "A2")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestXLSXText(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "=1+1": "=1+1", "-5": "-5", "  spaces  ": "  spaces  ", "\n": "\n", "a\r\nb\rc": "a\r\nb\rc",
		"a\tb":        "a\tb",
		"<b>&amp;\"'": "<b>&amp;\"'", "nul\x00bell\x07": "nulbell", "\ufffe\uffffend": "end", "bad\xff": "bad\ufffd",
		"bad\xed\xa0\x80": "bad\ufffd\ufffd\ufffd",
		"_x000D_":         "_x000D_", "_x0041_x0042_": "_x0041_x0042_", "_xZZZZ_": "_xZZZZ_", "a_b": "a_b", "😀": "😀",
	} {
		if got := xlsxText(t, in); got != want {
			t.Errorf("%q is read back as %q, want %q", in, got, want)
		}
	}
}

func TestLongTextIsCut(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"fits":              {strings.Repeat("a", 32767), strings.Repeat("a", 32767)},
		"letters":           {strings.Repeat("a", 32768), strings.Repeat("a", 32767)},
		"two bytes each":    {strings.Repeat("é", 40000), strings.Repeat("é", 32767)},
		"pairs never split": {strings.Repeat("😀", 20000), strings.Repeat("😀", 16383)},
	} {
		got := xlsxText(t, c.in)
		if got != c.want {
			t.Errorf("%s: %d characters are left, want %d", name, len(utf16.Encode([]rune(got))),
				len(utf16.Encode([]rune(c.want))))
		}
	}
}

// TestXLSXIsReadBack writes random texts and amounts. Amounts must survive both as the text in the file and as the
// float that a spreadsheet makes of it, up to the largest that is read anywhere.
func TestXLSXIsReadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := words().Draw(rt, "word")
		currency := rapid.SampledFrom([]money.Currency{"EUR", "JPY", "KWD", "CLF"}).Draw(rt, "currency")
		amount := rapid.Int64Range(-money.Limit, money.Limit).Draw(rt, "amount")
		count := rapid.Int64Range(-money.Limit, money.Limit).Draw(rt, "count")
		seconds := rapid.Int64Range(0, 8_000_000_000).Draw(rt, "seconds")
		place := zone(t, rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"}).
			Draw(rt, "zone"))
		at := time.Unix(seconds, 0).In(place)
		w, b := table(t, []Column{{Name: "W", Kind: Text}, {Name: "V", Kind: Amount}, {Name: "N", Kind: Integer},
			{Name: "T", Kind: Moment}, {Name: "D", Kind: Day}}, Options{Format: XLSX, Zone: place})
		w.Text(word)
		w.Amount(amount, currency)
		w.Integer(count)
		w.Moment(at)
		w.Day(at.Format(time.DateOnly))
		if err := w.EndRow(); err != nil {
			rt.Fatal(err)
		}
		closed(t, w)
		f := workbook(t, b)
		value := func(cell string, o ...excelize.Options) string {
			s, err := f.GetCellValue("Export", cell, o...)
			if err != nil {
				rt.Fatal(err)
			}
			return s
		}
		if got, want := value("A2"), readable(word); got != want {
			rt.Fatalf("%q is read back as %q, want %q", word, got, want)
		}
		text := value("B2", raw)
		if want := money.Format(amount, currency); text != want {
			rt.Fatalf("the amount %s is read back as %s", want, text)
		}
		float, err := strconv.ParseFloat(text, 64)
		if got := strconv.FormatFloat(float, 'f', currency.Digits(), 64); err != nil || got != text {
			rt.Fatalf("the amount %s is the float %s, %v", text, got, err)
		}
		if got := value("C2", raw); got != strconv.FormatInt(count, 10) {
			rt.Fatalf("the count %d is read back as %s", count, got)
		}
		if got := value("D2"); got != at.Format(time.DateTime) {
			rt.Fatalf("%s is read back as %s", at, got)
		}
		if got := value("E2"); got != at.Format(time.DateOnly) {
			rt.Fatalf("the day of %s is read back as %s", at, got)
		}
	})
}

// readable is a text without what XML cannot hold.
func readable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && !strings.ContainsRune("\t\r\n", r) || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}

// TestWhatIsNoNumberInASpreadsheet keeps the digits that a float would lose, and days that Excel counts wrongly, as
// text.
func TestWhatIsNoNumberInASpreadsheet(t *testing.T) {
	w, b := table(t, []Column{{Name: "R", Kind: Decimal}, {Name: "T", Kind: Moment}, {Name: "D", Kind: Day}},
		Options{Format: XLSX})
	for _, r := range []struct {
		rate string
		at   time.Time
		day  string
	}{
		{"1.23456789012345", time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC), "1900-03-01"},
		{"1.234567890123456", time.Date(1900, 2, 28, 23, 59, 59, 0, time.UTC), "1900-02-28"},
		{"0.000000000000000001234", time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), "2026-02-30"},
	} {
		w.Decimal(r.rate)
		w.Moment(r.at)
		w.Day(r.day)
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, w)
	f := workbook(t, b)
	for cell, want := range map[string]string{"A2": "1.23456789012345", "B2": "61.0000000000", "C2": "61"} {
		typ, err := f.GetCellType("Export", cell)
		if got, _ := f.GetCellValue("Export", cell, raw); err != nil || typ != excelize.CellTypeUnset || got != want {
			t.Errorf("%s is %s of type %d, %v; want the number %s", cell, got, typ, err, want)
		}
	}
	for cell, want := range map[string]string{"A3": "1.234567890123456", "B3": "1900-02-28T23:59:59Z",
		"C3": "1900-02-28", "B4": "0001-01-01T00:00:01Z", "C4": "2026-02-30"} {
		typ, err := f.GetCellType("Export", cell)
		if got, _ := f.GetCellValue("Export", cell); err != nil || typ != excelize.CellTypeInlineString || got != want {
			t.Errorf("%s is %s of type %d, %v; want the text %s", cell, got, typ, err, want)
		}
	}
	if typ, err := f.GetCellType("Export", "A4"); err != nil || typ != excelize.CellTypeUnset {
		t.Errorf("a small rate of few digits has type %d, %v", typ, err)
	}
}
