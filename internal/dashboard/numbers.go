package dashboard

import (
	"bytes"
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
)

// Numbers and times are put into texts between marks, and get the signs of the reader when the text is sent: render
// does it for pages, said for sentences that are sent by themselves. So nothing between needs to know who reads.

// Marks around a time, beside those of package money around a number: the seconds since 1970, the divider, and the time
// as people read it.
const (
	timeBegins  = '\uE0B2'
	timeDivides = '\uE0B3'
	timeEnds    = '\uE0B4'
)

// markLength is how many bytes each of the marks has; all begin with the same two.
var (
	markLength = utf8.RuneLen(timeBegins)
	markStart  = []byte(string(timeBegins))[:2]
)

// markedTime puts a time between the marks.
func markedTime(t time.Time, text string) string {
	return string(timeBegins) + t.UTC().Format(time.RFC3339) + string(timeDivides) + text + string(timeEnds)
}

// numbers is how whoever asks reads numbers: as they chose, or as the languages of their browser have it.
func (r *request) numbers() affiliate.NumberStyle {
	return cmp.Or(r.user.Numbers, numbersFor(r.GetHeader("Accept-Language")))
}

// numberSigns are those of a style, for scripts.
type numberSigns struct {
	Group, Decimal string
	Indian         bool // they stand between pairs of digits, before the last three
}

func signsOf(style affiliate.NumberStyle) numberSigns {
	group, decimal := style.Signs()
	return numberSigns{group, decimal, style == affiliate.NumbersIndian}
}

// said is a sentence for who asks, to be sent by itself.
func (r *request) said(text string) string {
	return string(unmarked([]byte(text), r.numbers(), false))
}

// unmarked writes the numbers and times of a text for a reader. In markup, a time is an element <time> wherever
// one may stand: not within a tag, nor in elements that hold text alone.
func unmarked(text []byte, style affiliate.NumberStyle, markup bool) []byte {
	if !bytes.Contains(text, markStart) {
		return text
	}
	out := make([]byte, 0, len(text)+len(text)/8)
	for {
		at := bytes.Index(text, markStart)
		if at < 0 || at+markLength > len(text) {
			return append(out, text...)
		}
		out = append(out, text[:at]...)
		mark, _ := utf8.DecodeRune(text[at:])
		text = text[at+markLength:]
		switch mark {
		case money.NumberBegins:
			if end := markAt(text, money.NumberEnds); end >= 0 && isNumber(text[:end]) {
				out = append(out, style.Write(string(text[:end]))...)
				text = text[end+markLength:]
			}
		case timeBegins:
			divider, end := markAt(text, timeDivides), markAt(text, timeEnds)
			if divider < 0 || end < divider {
				continue
			}
			at, err := time.Parse(time.RFC3339, string(text[:divider]))
			if err != nil {
				continue
			}
			words := text[divider+markLength : end]
			if bytes.IndexByte(words, '<') >= 0 || bytes.Contains(words, markStart) {
				continue // marks that stood in two texts
			}
			if markup && mayHoldElements(out) {
				out = append(out, `<time datetime="`+at.UTC().Format(time.RFC3339)+`" title="`+
					at.UTC().Format("2 Jan 2006, 15:04:05")+` UTC">`...)
				out = append(append(out, words...), "</time>"...)
			} else {
				out = append(out, words...)
			}
			text = text[end+markLength:]
		case money.NumberEnds, timeDivides, timeEnds: // a name may hold one, which is of no use to anybody
		default:
			out = append(out, string(mark)...)
		}
	}
}

// markAt is where a mark stands in a text; -1 where it does not.
func markAt(text []byte, mark rune) int { return bytes.IndexRune(text, mark) }

// isNumber says whether a text is a number as money.Format writes it.
func isNumber(text []byte) bool {
	digits := bytes.TrimPrefix(text, []byte("-"))
	whole, fraction, has := bytes.Cut(digits, []byte("."))
	return allDigits(whole) && (!has || allDigits(fraction))
}

func allDigits(text []byte) bool {
	return len(text) > 0 && bytes.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// textOnly are the elements that hold no others.
var textOnly = map[string]bool{"title": true, "option": true, "textarea": true, "text": true, "tspan": true,
	"script": true, "style": true}

// mayHoldElements says whether an element may follow what is written so far. Templates write "<" and ">" around tags
// only.
func mayHoldElements(written []byte) bool {
	open, closed := bytes.LastIndexByte(written, '<'), bytes.LastIndexByte(written, '>')
	if open > closed {
		return false // within a tag
	}
	if open < 0 {
		return true
	}
	name := string(written[open+1 : min(len(written), open+12)])
	if end := strings.IndexAny(name, " >\n"); end >= 0 {
		name = name[:end]
	}
	return !textOnly[name]
}

// number reads a field of a form that takes a number: with the person's decimal sign or a point, and with or without
// signs between thousands. It gives the number with a point, or what was typed where that is no number at all. What may
// be two numbers is refused: the error names the field and says what to write.
func (r *request) number(name string) (string, error) { return r.readNumber(name, r.field(name)) }

// readNumber is number for a text that was typed into a field.
func (r *request) readNumber(field, text string) (string, error) {
	plain, reason := app.TypedNumber(text, r.numbers().Decimal())
	if reason != "" {
		return "", affiliate.FieldErrorf(field, "%q %s", affiliate.Clip(text, 40), reason)
	}
	return plain, nil
}

// numberBeside is number for a field that was filled with what is there now, with a point: untouched, it stays so.
func (r *request) numberBeside(name, now string) (string, error) {
	if text := r.field(name); text == now {
		return now, nil
	}
	return r.number(name)
}
