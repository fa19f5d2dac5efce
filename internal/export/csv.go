package export

import (
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// flushSize is how many bytes come together before they are written.
const flushSize = 32 << 10

// csvEncoder writes RFC 4180: commas, CRLF, quotes where a cell needs them, UTF-8.
type csvEncoder struct {
	w     io.Writer
	zone  *time.Location
	buf   []byte
	start int // where the row begins in buf
	first bool
}

const byteOrderMark = "\ufeff"

func newCSV(w io.Writer, columns []Column, o Options) *csvEncoder {
	e := &csvEncoder{w: w, zone: o.Zone, buf: make([]byte, 0, flushSize+flushSize/4), first: true}
	if o.BOM {
		e.buf = append(e.buf, byteOrderMark...)
		e.start = len(e.buf)
	}
	for _, c := range columns {
		e.text(c.Name)
	}
	e.end()
	return e
}

// separate writes the comma between two cells.
func (e *csvEncoder) separate() {
	if e.first {
		e.first = false
		return
	}
	e.buf = append(e.buf, ',')
}

// text writes words. Words that a spreadsheet would run as a formula get an apostrophe before them.
func (e *csvEncoder) text(s string) {
	e.separate()
	guard, quote, plain := false, false, true
	for i := range len(s) {
		switch b := s[i]; {
		case b == '"' || b == ',' || b == '\n' || b == '\r':
			quote = true
		case b >= utf8.RuneSelf:
			plain = false
		}
	}
	if !plain && !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	if s != "" && !isAlphanumeric(s[0]) {
		guard = looksLikeFormula(s)
	}
	if !quote {
		if guard {
			e.buf = append(e.buf, '\'')
		}
		e.buf = append(e.buf, s...)
		return
	}
	e.buf = append(e.buf, '"')
	if guard {
		e.buf = append(e.buf, '\'')
	}
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		e.buf = append(e.buf, s[:i]...)
		e.buf = append(e.buf, '"', '"')
		s = s[i+1:]
	}
	e.buf = append(e.buf, s...)
	e.buf = append(e.buf, '"')
}

func isAlphanumeric(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// looksLikeFormula says whether a spreadsheet could take a text for a formula: OWASP's list ("CSV Injection") with the
// full-width forms that East Asian versions accept. Space before is looked through, since some programs trim it.
func looksLikeFormula(s string) bool {
	for _, r := range s {
		switch r {
		case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
			return true
		}
		if !unicode.IsSpace(r) && r != '\ufeff' {
			return false
		}
	}
	return false
}

func (e *csvEncoder) number(n int64, digits int, _ Kind) {
	e.separate()
	e.buf = appendScaled(e.buf, n, digits)
}

func (e *csvEncoder) decimal(s string) {
	e.separate()
	e.buf = append(e.buf, s...)
}

func (e *csvEncoder) moment(t time.Time) {
	e.separate()
	e.buf = t.In(e.zone).AppendFormat(e.buf, time.RFC3339)
}

func (e *csvEncoder) day(s string) {
	e.separate()
	e.buf = append(e.buf, s...)
}

func (e *csvEncoder) boolean(b bool) {
	e.separate()
	e.buf = strconv.AppendBool(e.buf, b)
}

func (e *csvEncoder) empty() { e.separate() }

func (e *csvEncoder) endRow() error {
	e.end()
	if len(e.buf) < flushSize {
		return nil
	}
	return e.flush()
}

// end ends a row. A row of nothing but one empty cell is written as "", since readers pass over empty lines.
func (e *csvEncoder) end() {
	if len(e.buf) == e.start {
		e.buf = append(e.buf, '"', '"')
	}
	e.buf = append(e.buf, '\r', '\n')
	e.start, e.first = len(e.buf), true
}

func (e *csvEncoder) flush() error {
	_, err := e.w.Write(e.buf)
	e.buf, e.start = e.buf[:0], 0
	return err
}

func (e *csvEncoder) close() error { return e.flush() }

// appendScaled writes a count of 10^-digits as money.FormatScaled does, without garbage.
func appendScaled(b []byte, n int64, digits int) []byte {
	u := uint64(n)
	if n < 0 {
		b, u = append(b, '-'), -u
	}
	if digits == 0 {
		return strconv.AppendUint(b, u, 10)
	}
	var text [24]byte
	i := len(text)
	for written := 0; u > 0 || written <= digits; written++ {
		if written == digits {
			i--
			text[i] = '.'
		}
		i--
		text[i] = byte('0' + u%10)
		u /= 10
	}
	return append(b, text[i:]...)
}
