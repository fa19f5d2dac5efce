// Package sheet reads tables as spreadsheets write them: CSV with commas, semicolons or tabs in UTF-8 or UTF-16, and
// XLSX workbooks. It gives rows of cells with their lines in the file, and says what of a file cannot be read, and
// where. What the cells mean is not its business.
package sheet

import (
	"bytes"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Sheet is a table of a file. The first of its rows is the header.
type Sheet struct {
	Workbook  bool     // XLSX, not text
	Encoding  string   // of a text, as people call it
	Delimiter rune     // between the cells of a text: a comma, a semicolon or a tab
	Name      string   // of a workbook's sheet
	Others    []string // sheets of the workbook that hold something too and were not read
	Hidden    []int    // rows that the workbook does not show; they are among the rows
	Rows      []Row    // without those that are blank
}

// Row is a row with anything in it. Line is that of the file, or the row's number in the sheet, from 1.
type Row struct {
	Line  int
	Cells []Cell
}

// Cell is a cell's text as it stands in the file, which may be bytes that are no text.
type Cell struct {
	Text string
	Kind Kind
}

// Kind says what a workbook takes a cell for. In texts every cell is Text.
type Kind uint8

const (
	Text    Kind = iota
	Number       // a decimal number with a point; of a percentage so many hundredths: 10 % is "10"
	Date         // as 2026-05-10
	Failed       // the error of a formula
	Merged       // part of cells that were joined across columns
	Unknown      // a formula whose result is not in the file
)

// Problem is why a file, or a place in it, cannot be read. Line and Column begin at 1; 0 is the whole file or row.
type Problem struct {
	Line, Column int
	Text         string // what stands there, where that helps
	Reason       string // with the remedy
}

// Read reads a file. known says whether a text names a column: the delimiter that makes the first row name most of them
// is the file's. With problems the rows may be incomplete.
func Read(file []byte, known func(header string) bool) (Sheet, []Problem) {
	if isWorkbook(file) {
		return readWorkbook(file)
	}
	if reason := foreign(file); reason != "" {
		return Sheet{}, []Problem{{Reason: reason}}
	}
	text, encoding, problem := decode(file)
	if problem != nil {
		return Sheet{}, []Problem{*problem}
	}
	return readText(text, encoding, known)
}

// isWorkbook says whether a file is an archive, as XLSX workbooks are.
func isWorkbook(file []byte) bool { return bytes.HasPrefix(file, []byte("PK\x03\x04")) }

// foreign recognises files of other programs by their first bytes.
func foreign(file []byte) string {
	const remedy = "; save it as XLSX or as \"CSV UTF-8\""
	switch start := bytes.TrimLeft(file[:min(len(file), 512)], "\ufeff \t\r\n"); {
	case bytes.HasPrefix(file, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return "this is an old workbook (.xls), or one that is protected with a password" + remedy +
			", without a password"
	case bytes.HasPrefix(start, []byte("%PDF")):
		return "this is a PDF" + remedy
	case bytes.HasPrefix(start, []byte("{\\rtf")):
		return "this is a text document (RTF)" + remedy
	case bytes.HasPrefix(start, []byte("<")):
		return "this is a web page or XML, whatever its name ends in" + remedy
	case bytes.HasPrefix(file, []byte("\x1f\x8b")):
		return "this is a compressed file; unpack it first"
	}
	return ""
}

// blank says whether a row has nothing in it that can be seen.
func (r Row) blank() bool {
	for _, c := range r.Cells {
		if affiliate.Clean(c.Text) != "" || c.Kind != Text {
			return false
		}
	}
	return true
}

// ColumnName gives the letters of a column, as spreadsheets name it: 1 is A, 27 is AA.
func ColumnName(n int) string {
	var letters []byte
	for ; n > 0; n = (n - 1) / 26 {
		letters = append([]byte{byte('A' + (n-1)%26)}, letters...)
	}
	return string(letters)
}

// columnNumber is the column of a cell's address: 28 for "AB7"; 0 when there is none.
func columnNumber(address string) (n int) {
	for _, r := range strings.ToUpper(address) {
		if r < 'A' || r > 'Z' || n > maxColumns {
			break
		}
		n = n*26 + int(r-'A') + 1
	}
	return n
}
