package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

// known are the names of columns in these tests.
func known(s string) bool {
	return slices.Contains([]string{"name", "code", "percent"}, strings.ToLower(s))
}

// lines writes rows as "1:name|code", with a sign for the kinds of cells that are not texts.
func lines(s Sheet) (list []string) {
	signs := [...]string{Text: "", Number: "", Date: "d:", Failed: "f:", Merged: "m:", Unknown: "u:"}
	for _, r := range s.Rows {
		var cells []string
		for _, c := range r.Cells {
			cells = append(cells, signs[c.Kind]+c.Text)
		}
		list = append(list, fmt.Sprintf("%d:%s", r.Line, strings.Join(cells, "|")))
	}
	return list
}

func TestRead_texts(t *testing.T) {
	for _, c := range []struct {
		name, file string
		delimiter  rune
		want       []string
	}{
		{"commas", "name,code\nAnna,A1\n", ',', []string{"1:name|code", "2:Anna|A1"}},
		{"semicolons", "name;code\nAnna, too;A1\n", ';', []string{"1:name|code", "2:Anna, too|A1"}},
		{"tabs", "name\tcode\nAnna, or; so\tA1", '\t', []string{"1:name|code", "2:Anna, or; so|A1"}},
		{"a comma in the header", "\"name, or so\";code\nAnna;A1\n", ';', []string{"1:name, or so|code", "2:Anna|A1"}},
		{"carriage returns", "name,code\rAnna,A1\rBen,B1", ',', []string{"1:name|code", "2:Anna|A1", "3:Ben|B1"}},
		{"both, and blank lines", "\r\nname,code\r\n\r\n ,\r\nAnna,A1\r\n,,,\r\n", ',', []string{"2:name|code",
			"5:Anna|A1"}},
		{"sep=;", "sep=;\r\nname;code\r\nAnna;A1", ';', []string{"2:name|code", "3:Anna|A1"}},
		{"sep= as a cell", "\"SEP=\t\"\r\nname\tcode\r\nAnna\tA1", '\t', []string{"2:name|code", "3:Anna|A1"}},
		{"sep= against what seems right", "sep=,\nname;x,code\nAnna,A1", ',', []string{"2:name;x|code", "3:Anna|A1"}},
		{"quotes", "name,code\n\"Anna \"\"A\"\" K, x\",A1\n", ',', []string{"1:name|code", `2:Anna "A" K, x|A1`}},
		{"quotes inside", "name,code\nAnna \"A\" K,A1\n", ',', []string{"1:name|code", `2:Anna "A" K|A1`}},
		{"spaces around quotes", "name,code\n \"Anna, K\" , \"A1\"\n", ',', []string{"1:name|code", "2:Anna, K|A1"}},
		{"ends of lines inside", "name,code\n\"Anna\r\nK\",A1\rBen,B1", ',', []string{"1:name|code", "2:Anna\nK|A1",
			"4:Ben|B1"}},
		{"short and long rows", "name,code\nAnna\nBen,B1,,\n", ',', []string{"1:name|code", "2:Anna", "3:Ben|B1||"}},
		{"ends with a delimiter", "name,code,\nAnna,A1,", ',', []string{"1:name|code|", "2:Anna|A1|"}},
		{"nothing known", "a;b;c\n1,2;3", ';', []string{"1:a|b|c", "2:1,2|3"}},
		{"one column", "name\nAnna", ',', []string{"1:name", "2:Anna"}},
		{"empty", "", ',', nil},
		{"blank", "\ufeff \r\n\r\n", ',', nil},
		{"bytes that are no UTF-8", "name,code\nK\xe4rg,A1", ',', []string{"1:name|code", "2:K\xe4rg|A1"}},
	} {
		s, problems := Read([]byte(c.file), known)
		if got := lines(s); !slices.Equal(got, c.want) || s.Delimiter != c.delimiter || len(problems) > 0 {
			t.Errorf("%s: %q by %q, %v; want %q by %q", c.name, got, s.Delimiter, problems, c.want, c.delimiter)
		}
	}
}

// utf16Of encodes a text without a byte order mark.
func utf16Of(order binary.AppendByteOrder, text string) (b []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func TestRead_encodings(t *testing.T) {
	const text = "name;code\r\nÄiti 👩‍👧;Ä1\r\n"
	for want, file := range map[string][]byte{
		"UTF-8":                            []byte(text),
		"UTF-8 with a byte order mark":     []byte("\ufeff" + text),
		"UTF-16 LE with a byte order mark": utf16Of(binary.LittleEndian, "\ufeff"+text),
		"UTF-16 BE with a byte order mark": utf16Of(binary.BigEndian, "\ufeff"+text),
		"UTF-16 LE":                        utf16Of(binary.LittleEndian, text),
		"UTF-16 BE":                        utf16Of(binary.BigEndian, text),
	} {
		s, problems := Read(file, known)
		if got := lines(s); !slices.Equal(got, []string{"1:name|code", "2:Äiti 👩‍👧|Ä1"}) || s.Encoding != want ||
			len(problems) > 0 {
			t.Errorf("%s: %q as %s, %v", want, got, s.Encoding, problems)
		}
	}
}

func TestRead_problems(t *testing.T) {
	for _, c := range []struct {
		name, file   string
		line, column int
		says         string
	}{
		{"a quote that is not closed", "name,code\nAnna,\"A1\nBen,B1\n", 2, 2, "not closed"},
		{"text behind a quote", "name,code\n\"Anna\" K,A1\n", 2, 1, "behind the quote"},
		{"another separator", "sep=#\nname#code\n", 1, 0, "commas, semicolons or tabs"},
		{"UTF-32", "\xff\xfe\x00\x00n\x00\x00\x00", 0, 0, "UTF-32"},
		{"half a character", "\xff\xfen", 0, 0, "missing"},
		{"zero bytes", "name,code\nA\x00,B\n", 2, 0, "zero bytes"},
		{"an old workbook", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", 0, 0, "old workbook"},
		{"a PDF", "%PDF-1.7", 0, 0, "PDF"},
		{"a web page", "\n<html><table>", 0, 0, "web page"},
		{"a broken workbook", "PK\x03\x04...", 0, 0, "damaged"},
	} {
		_, problems := Read([]byte(c.file), known)
		if len(problems) != 1 || problems[0].Line != c.line || problems[0].Column != c.column ||
			!strings.Contains(problems[0].Reason, c.says) || strings.ContainsAny(problems[0].Text, "\r\n") {
			t.Errorf("%s: %+v", c.name, problems)
		}
	}
}

// TestRead_property: whatever cells hold, they are read as they were written, and at their lines.
func TestRead_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delimiter := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "delimiter")
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "end")
		cell := rapid.StringMatching(`[a-z0-9,;"\n äß]{0,8}`)
		text, want, line := "name"+delimiter+"code"+end, []string{"1:name|code"}, 2
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			cells := []string{"x" + cell.Draw(t, "name"), cell.Draw(t, "code")}
			want = append(want, fmt.Sprintf("%d:%s", line, strings.Join(cells, "|")))
			for i, c := range cells {
				line += strings.Count(c, "\n")
				cells[i] = `"` + strings.ReplaceAll(strings.ReplaceAll(c, `"`, `""`), "\n", end) + `"`
			}
			text += strings.Join(cells, delimiter) + end
			line++
		}
		if s, problems := Read([]byte(text), known); !slices.Equal(lines(s), want) || len(problems) > 0 {
			t.Fatalf("%q is %q, %v", text, lines(s), problems)
		}
	})
}

// book makes a workbook.
func book(t testing.TB, fill func(b *excelize.File)) []byte {
	t.Helper()
	b := excelize.NewFile()
	defer b.Close()
	fill(b)
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRead_workbook(t *testing.T) {
	style := func(b *excelize.File, cell, format string) {
		id, err := b.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err == nil {
			err = b.SetCellStyle("Sheet1", cell, cell, id)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s, problems := Read(book(t, func(b *excelize.File) {
		_ = b.SetSheetRow("Sheet1", "A1", &[]any{"name", "code", "percent"})
		_ = b.SetSheetRow("Sheet1", "A3", &[]any{"Anna", "0815", 0.1})
		style(b, "C3", "0.00%")
		_ = b.SetSheetRow("Sheet1", "A4", &[]any{"Ben", 815, 12.5})
		style(b, "B4", "00000")
		_ = b.SetSheetRow("Sheet1", "A5", &[]any{"Cleo", 46152, 39.9})
		style(b, "B5", `[$-407]d\. mmm`)
		_ = b.SetSheetRow("Sheet1", "A6", &[]any{"Dora", nil, 1234567.891})
		style(b, "C6", `#,##0.00\ "days"`)
		_ = b.SetSheetRow("Sheet1", "A7", &[]any{nil, "E1", 0.07})
		style(b, "C7", "0%")
		_ = b.MergeCell("Sheet1", "A6", "A7")
		_ = b.SetRowVisible("Sheet1", 6, false)
		_ = b.SetSheetRow("Sheet1", "A8", &[]any{"Fay", true})
		_ = b.SetCellRichText("Sheet1", "B9", []excelize.RichTextRun{{Text: "RI"}, {Text: "CH",
			Font: &excelize.Font{Bold: true}}})
		_ = b.SetCellFormula("Sheet1", "B10", "A3&10")
		_ = b.SetSheetRow("Sheet1", "A11", &[]any{"across"})
		_ = b.MergeCell("Sheet1", "A11", "B11")
		_, _ = b.NewSheet("Notes")
		_ = b.SetCellStr("Notes", "A1", "x")
		_, _ = b.NewSheet("Empty")
	}), known)
	want := []string{"1:name|code|percent", "3:Anna|0815|10", "4:Ben|00815|12.5", "5:Cleo|d:2026-05-10|39.9",
		"6:Dora||1234567.891", "7:Dora|E1|7", "8:Fay|TRUE", "9:|RICH", "10:|u:=A3&10", "11:m:across"}
	if got := lines(s); !slices.Equal(got, want) || len(problems) > 0 {
		t.Errorf("%q, %v\nwant %q", got, problems, want)
	}
	if s.Name != "Sheet1" || !slices.Equal(s.Others, []string{"Notes"}) || !slices.Equal(s.Hidden, []int{6}) ||
		!s.Workbook {
		t.Errorf("%+v", s)
	}
}

// TestRead_workbook_sheet: a sheet that is named like creators is read, wherever it stands.
func TestRead_workbook_sheet(t *testing.T) {
	s, _ := Read(book(t, func(b *excelize.File) {
		_ = b.SetCellStr("Sheet1", "A1", "how to")
		_, _ = b.NewSheet("Our CREATORS 2026")
		_ = b.SetCellStr("Our CREATORS 2026", "A1", "name")
		_, _ = b.NewSheet("creators, old")
		_ = b.SetCellStr("creators, old", "A1", "old")
		_ = b.SetSheetVisible("creators, old", false)
	}), known)
	if !slices.Equal(lines(s), []string{"1:name"}) || !slices.Equal(s.Others, []string{"Sheet1"}) {
		t.Errorf("%+v", s)
	}
}

// rawBook makes a workbook of one sheet by hand.
func rawBook(t testing.TB, sheet io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range map[string]io.Reader{
		"xl/workbook.xml": strings.NewReader(
			`<workbook xmlns:r="x"><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>`),
		"xl/_rels/workbook.xml.rels": strings.NewReader(
			`<Relationships><Relationship Id="a" Type="x/worksheet" Target="/xl/s.xml"/>` +
				`</Relationships>`),
		"xl/s.xml": sheet,
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.Copy(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRead_workbook_by_hand(t *testing.T) {
	for _, c := range []struct {
		name, sheet string
		want        []string
	}{
		{"cells without addresses",
			`<row><c t="inlineStr"><is><t>a</t></is></c><c/><c><v>1</v></c></row><row/><row><c><v>2</v></c></row>`,
			[]string{"1:a||1", "3:2"}},
		{"results of formulas",
			`<row r="2"><c r="B2" t="str"><f>A1</f><v>x</v></c><c r="C2" t="e"><f>A1</f><v>#N/A</v></c>` +
				`<c r="D2" t="str"><f>""</f><v></v></c></row>`, []string{"2:|x|f:#N/A"}},
		{"what XML cannot hold", `<row><c t="str"><v>a_x000D_b _x_ _xZZZZ_</v></c></row>`,
			[]string{"1:a\rb _x_ _xZZZZ_"}},
		{"texts and styles that are not there", `<row><c t="s"><v>7</v></c><c s="9"><v>1E5</v></c></row>`,
			[]string{"1:|100000"}},
		{"numbers as floats leave them",
			`<row><c><v>0.30000000000000004</v></c><c><v>39.899999999999999</v></c><c><v>-1.5E-3</v></c></row>`,
			[]string{"1:0.3|39.9|-0.0015"}},
	} {
		s, problems := Read(rawBook(t, strings.NewReader("<worksheet><sheetData>"+c.sheet+"</sheetData></worksheet>")),
			known)
		if got := lines(s); !slices.Equal(got, c.want) || len(problems) > 0 {
			t.Errorf("%s: %q, %v; want %q", c.name, got, problems, c.want)
		}
	}
}

// endless gives a text over and over, up to a size.
func endless(text string, size int64) io.Reader {
	return io.LimitReader(&repeater{text: text}, size)
}

type repeater struct {
	text string
	at   int
}

func (r *repeater) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
	}
	return len(p), nil
}

// TestRead_workbook_bombs: files of a few KB that unpack to gigabytes, or claim many cells, are refused early.
func TestRead_workbook_bombs(t *testing.T) {
	for name, sheet := range map[string]io.Reader{
		"spaces": io.MultiReader(strings.NewReader("<worksheet>"), endless("    ", 33<<20)),
		"cells":  io.MultiReader(strings.NewReader("<worksheet><row>"), endless("<c><v>1</v></c>", 9<<20)),
		"far away": io.MultiReader(strings.NewReader("<worksheet>"), endless(`<row><c r="XFD1"><v>1</v></c></row>`,
			1<<20)),
		"too far": strings.NewReader(`<worksheet><row><c r="ZZZZZZ1"><v>1</v></c></row></worksheet>`),
		"merged": io.MultiReader(strings.NewReader("<worksheet>"), endless(`<row><c><v>1</v></c></row>`, 26*30000),
			endless(`<mergeCell ref="A1:A99999"/>`, 28*30000), strings.NewReader("</worksheet>")),
	} {
		file := rawBook(t, sheet)
		if _, problems := Read(file, known); len(problems) != 1 || !strings.Contains(problems[0].Reason, "too large") {
			t.Errorf("%s (%d bytes): %v", name, len(file), problems)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("name;code\n\"Anna\";A1\n"))
	f.Add(rawBook(f, strings.NewReader(`<worksheet><row><c t="s"><v>1</v></c></row></worksheet>`)))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, problems := Read(file, known)
		for _, p := range problems {
			if p.Reason == "" || strings.ContainsRune(p.Text+p.Reason, '\r') {
				t.Errorf("%+v", p)
			}
		}
		last := 0
		for _, r := range s.Rows {
			if r.Line <= last || r.blank() {
				t.Errorf("%+v behind line %d", r, last)
			}
			last = r.Line
		}
	})
}
