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
	quote, plain, sign := false, true, false
	for i := range len(s) {
		switch b := s[i]; {
		case b == '"' || b == ',' || b == '\n' || b == '\r':
			quote = true
		case b == '=' || b == '+' || b == '-' || b == '@':
			sign = true
		case b >= utf8.RuneSelf:
			plain = false
		}
	}
	if !plain && !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	if s != "" && (sign || !plain || !isAlphanumeric(s[0])) {
		s = guarded(s)
	}
	if !quote {
		e.buf = append(e.buf, s...)
		return
	}
	e.buf = append(e.buf, '"')
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

// guarded puts an apostrophe before a text that a spreadsheet could take for a formula: OWASP's list ("CSV Injection")
// with the full-width forms that East Asian versions accept. What cannot be seen before a sign is looked through, since
// some programs drop it: space, byte order marks, joiners, soft hyphens, marks of direction.
//
// A part of a text is guarded likewise where another program makes a cell of it. One that parts cells at semicolons or
// tabs does not see that a cell of ours is in quotes unless it is the first: a cell of its own is what stands behind a
// semicolon, a tab or a line end. For one that knows no quotes it is also what stands behind a comma; but "hi, @anna"
// and "a, -b" are ordinary words, so there only an equals sign counts.
func guarded(s string) string {
	const (
		inside   = iota // a cell
		atStart         // of the text
		parted          // at the start of what another program takes for a cell
		careless        // the same, for a program that knows no quotes
	)
	var b strings.Builder
	at, from, done := atStart, 0, 0 // from: where the part begins; done: up to where s is in b
	guard := func() {
		b.WriteString(s[done:from])
		b.WriteByte('\'')
		done, at = from, inside
	}
	for i, r := range s {
		switch r {
		case '=', '＝', '@', '＠', '+', '＋', '-', '－':
			if at == atStart || at == parted && startsFormula(r, s[i:]) ||
				at == careless && (r == '=' || r == '＝') {
				guard()
			}
			at = inside
		case '\t', '\r', '\n':
			if at == atStart {
				guard()
			}
			at, from = parted, i+1
		case ';', '；':
			at, from = parted, i+utf8.RuneLen(r)
		case ',':
			at, from = careless, i+1
		case '"': // another program may take it for a quote
		default:
			if !unicode.IsSpace(r) && !unseen(r) {
				at = inside
			}
		}
	}
	if done == 0 && b.Len() == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// startsFormula says whether a sign in the middle of a text, at what could be the start of a cell, may begin a formula:
// = and @ always, + and - unless a space or the end comes behind ("red; - blue").
func startsFormula(sign rune, s string) bool {
	if sign == '=' || sign == '＝' || sign == '@' || sign == '＠' {
		return true
	}
	next, _ := utf8.DecodeRuneInString(s[utf8.RuneLen(sign):])
	return next != utf8.RuneError && !unicode.IsSpace(next)
}

// unseen says whether nobody sees a character: formats (Cf) and controls, and letters that are blank.
func unseen(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u3164', '\uffa0', '\u17b4', '\u17b5', '\u2800':
		return true
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Variation_Selector, r)
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
