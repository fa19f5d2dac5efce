package sheet

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Decode gives the text of a file as UTF-8, with line feeds; false for a workbook and for what is no text.
func Decode(file []byte) (text string, ok bool) {
	if isWorkbook(file) || foreign(file) != "" {
		return "", false
	}
	text, _, problem := decode(file)
	return ends.Replace(text), problem == nil
}

// ends makes line feeds of the ends of lines.
var ends = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// decode gives a text as UTF-8 and how it was encoded. UTF-8 is not checked: what is none is said cell by cell.
func decode(file []byte) (text, encoding string, problem *Problem) {
	var order binary.ByteOrder
	mark := ""
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(file, []byte("\x00\x00\xfe\xff")):
		return "", "", &Problem{Reason: "this is UTF-32; save the file as \"CSV UTF-8\""}
	case bytes.HasPrefix(file, []byte("\ufeff")):
		return string(file[3:]), "UTF-8 with a byte order mark", nil
	case bytes.HasPrefix(file, []byte("\xff\xfe")):
		order, file, mark = binary.LittleEndian, file[2:], " with a byte order mark"
	case bytes.HasPrefix(file, []byte("\xfe\xff")):
		order, file, mark = binary.BigEndian, file[2:], " with a byte order mark"
	case everySecondIsZero(file, 1):
		order = binary.LittleEndian
	case everySecondIsZero(file, 0):
		order = binary.BigEndian
	default:
		if i := bytes.IndexByte(file, 0); i >= 0 {
			return "", "", &Problem{Line: 1 + bytes.Count(file[:i], []byte("\n")),
				Reason: "there are zero bytes, so this is no text; save the file as XLSX or as \"CSV UTF-8\""}
		}
		return string(file), "UTF-8", nil
	}
	encoding = "UTF-16 LE"
	if order == binary.BigEndian {
		encoding = "UTF-16 BE"
	}
	if len(file)%2 != 0 {
		return "", "", &Problem{Reason: "this is " + encoding + " and ends in the middle of a character: a part of " +
			"the file is missing; save it again, as \"CSV UTF-8\""}
	}
	units := make([]uint16, len(file)/2)
	for i := range units {
		units[i] = order.Uint16(file[2*i:])
	}
	return string(utf16.Decode(units)), encoding + mark, nil
}

// everySecondIsZero says whether a file begins as the names of columns do in UTF-16, where every second byte is zero.
func everySecondIsZero(file []byte, zero int) bool {
	const looked = 16
	if len(file) < looked {
		return false
	}
	for i, b := range file[:looked] {
		if (b == 0) != (i%2 == zero) {
			return false
		}
	}
	return true
}

// separatorLine is the line by which Excel is told what stands between the cells.
var separatorLine = regexp.MustCompile(`(?i)^[ \t]*"?sep=([^"\n]?)"?[,; \t]*(\n|$)`)

const delimiters = ",;\t"

// readText reads the rows of a text.
func readText(text, encoding string, known func(string) bool) (Sheet, []Problem) {
	s := Sheet{Encoding: encoding}
	text = ends.Replace(text)
	p := parser{rest: text, line: 1}
	if m := separatorLine.FindStringSubmatch(text); m != nil {
		if m[1] == "" || !strings.Contains(delimiters, m[1]) {
			return s, []Problem{{Line: 1, Text: strings.TrimSpace(m[0]),
				Reason: "the cells must be divided by commas, semicolons or tabs"}}
		}
		s.Delimiter, _ = utf8.DecodeRuneInString(m[1])
		p = parser{rest: text[len(m[0]):], line: 2}
	} else {
		s.Delimiter = p.delimiterOf(known)
	}
	p.delimiter = byte(s.Delimiter)
	for p.rest != "" && !p.lost {
		if row := p.row(); !row.blank() {
			s.Rows = append(s.Rows, row)
		}
	}
	return s, p.problems
}

// delimiterOf gives the delimiter with which the first row names the most columns, or else has the most cells.
func (p parser) delimiterOf(known func(string) bool) rune {
	best, most := ',', 0
	for _, d := range delimiters {
		trial := parser{rest: p.rest, line: 1, delimiter: byte(d)}
		var row Row
		for row.blank() && trial.rest != "" && !trial.lost {
			row = trial.row()
		}
		score := len(row.Cells) - 1
		for _, c := range row.Cells {
			if known(c.Text) {
				score += 1000
			}
		}
		if score > most {
			best, most = d, score
		}
	}
	return best
}

// parser reads rows as RFC 4180 has them, with line feeds for all ends of lines. Quotes inside of a cell that does not
// begin with one stand for themselves, as spreadsheets take them.
type parser struct {
	rest      string
	line      int
	delimiter byte
	problems  []Problem
	lost      bool // behind a quote that is not closed nothing can be told apart
}

func (p *parser) row() Row {
	row := Row{Line: p.line}
	for {
		text, quoted := p.quoted(len(row.Cells) + 1)
		if !quoted {
			text = p.take(p.plainEnd())
		}
		row.Cells = append(row.Cells, Cell{Text: text})
		if p.rest == "" {
			return row
		}
		end := p.rest[0]
		p.rest = p.rest[1:]
		if end == '\n' {
			p.line++
			return row
		}
		if p.rest == "" { // the file ends behind a delimiter
			row.Cells = append(row.Cells, Cell{})
			return row
		}
	}
}

// take takes n bytes off.
func (p *parser) take(n int) string {
	text := p.rest[:n]
	p.rest = p.rest[n:]
	p.line += strings.Count(text, "\n")
	return text
}

// plainEnd is where the cell ends that the rest begins with.
func (p *parser) plainEnd() int {
	if i := strings.IndexAny(p.rest, string([]byte{p.delimiter, '\n'})); i >= 0 {
		return i
	}
	return len(p.rest)
}

// quoted reads a cell in quotes; false when the cell is none. Spaces around the quotes do not count.
func (p *parser) quoted(column int) (text string, ok bool) {
	inner, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " "), `"`)
	if !ok {
		return "", false
	}
	line := p.line
	p.take(len(p.rest) - len(inner))
	var b strings.Builder
	for {
		i := strings.IndexByte(p.rest, '"')
		if i < 0 {
			p.problems = append(p.problems, Problem{Line: line, Column: column, Text: affiliate.Shown(p.rest),
				Reason: "the quote at the beginning of this cell is not closed; close it, or take it away"})
			p.rest, p.lost = "", true
			return b.String(), true
		}
		b.WriteString(p.take(i))
		p.take(1)
		if !strings.HasPrefix(p.rest, `"`) {
			break
		}
		b.WriteString(p.take(1))
	}
	if behind := p.take(p.plainEnd()); strings.TrimSpace(behind) != "" {
		p.problems = append(p.problems, Problem{Line: line, Column: column,
			Text: affiliate.Shown(`"` + b.String() + `"` + behind), Reason: "something stands behind the quote that " +
				"ends this cell; put the whole cell in quotes, and write a quote inside of it twice"})
	}
	return b.String(), true
}
