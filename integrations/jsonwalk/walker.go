// Package jsonwalk reads the JSON object of a webhook's body once, front to back, and hands out the values that are
// asked for as they were written. An order has some 150 values, of which twenty are used; encoding/json checks the
// whole text before it decodes, takes three times as long (the benchmarks of shopify and woocommerce), matches keys
// without regard to case, and replaces invalid UTF-8 without a word.
//
// It accepts the objects that encoding/json accepts, but for invalid UTF-8 and what is nested deeper than MaxDepth.
package jsonwalk

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// MaxDepth is the deepest nesting read; PHP's own limit for JSON is 512. Real bodies have about ten levels.
const MaxDepth = 512

// Walker walks a text. After the first error it stands at the end: nothing is found any more.
type Walker struct {
	data  []byte
	at    int
	depth int
	err   error
}

// New begins a text. Its object is read by Members.
func New(data []byte) *Walker {
	w := &Walker{data: data}
	zero := bytes.IndexByte(data, 0)
	switch {
	case !utf8.Valid(data):
		w.fail("is not UTF-8")
	case zero >= 0:
		w.at = zero
		w.fail("has a zero byte") // elsewhere 0 stands for the end
	case w.Peek() != '{':
		w.fail("is not a JSON object")
	}
	return w
}

// Err is why the text is no JSON object, nil as long as it seems to be one: "has a broken number (at byte 12)".
func (w *Walker) Err() error { return w.err }

func (w *Walker) fail(what string) {
	if w.err == nil {
		w.err = fmt.Errorf("%s (at byte %d)", what, w.at)
	}
	w.at = len(w.data)
}

// Peek gives the byte that the next value begins with, 0 at the end.
func (w *Walker) Peek() byte {
	for ; w.at < len(w.data); w.at++ {
		switch c := w.data[w.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// Members yields the key of each member of the object that comes next, and none of another value. A value that the loop
// leaves is skipped, as is the rest of the object after a break; a nil yield skips all.
func (w *Walker) Members(yield func(key []byte) bool) {
	if w.Peek() != '{' {
		w.skip()
		return
	}
	for more := w.down('}'); more; more = w.more('}') {
		key := w.key()
		if w.Peek(); w.err != nil {
			return
		}
		start := w.at
		if yield != nil && !yield(key.unquoted()) {
			yield = nil
		}
		if w.at == start {
			w.skip()
		}
	}
	if w.depth == 0 && w.Peek() != 0 { // that was the body's own object
		w.fail("goes on after the end of the JSON object")
	}
}

// Elements yields once for each element of the list that comes next, and never for another value. An element that the
// loop leaves is skipped, as is the rest of the list after a break.
func (w *Walker) Elements(yield func() bool) {
	if w.Peek() != '[' {
		w.skip()
		return
	}
	for more := w.down(']'); more; more = w.more(']') {
		w.Peek()
		start := w.at
		if yield != nil && !yield() {
			yield = nil
		}
		if w.at == start {
			w.skip()
		}
	}
}

// down enters an object or a list and says whether there is anything in it.
func (w *Walker) down(end byte) bool {
	w.depth++
	if w.depth > MaxDepth {
		w.fail("is nested too deeply")
		return false
	}
	w.at++
	if w.Peek() != end {
		return true
	}
	w.up()
	return false
}

func (w *Walker) up() {
	w.depth--
	w.at++
}

// more takes the comma or the end that must follow an element, and says whether there is another.
func (w *Walker) more(end byte) bool {
	switch c := w.Peek(); {
	case w.err != nil:
	case c == ',':
		w.at++
		return true
	case c == end:
		w.up()
	default:
		w.fail("is not valid JSON")
	}
	return false
}

// key takes a key and its colon.
func (w *Walker) key() Value {
	if w.Peek() != '"' {
		w.fail("has an object key that is not text")
		return nil
	}
	key := w.text()
	if w.Peek() != ':' {
		w.fail("lacks a colon after an object key")
		return nil
	}
	w.at++
	return key
}

// Value gives the next value as it stands, nil after an error.
func (w *Walker) Value() Value {
	w.Peek()
	from := w.at
	w.skip()
	if w.err != nil {
		return nil
	}
	return w.data[from:w.at]
}

// skip checks the next value and passes it.
func (w *Walker) skip() {
	switch c := w.Peek(); {
	case c == '"':
		w.text()
	case c == '{':
		w.Members(nil)
	case c == '[':
		w.Elements(nil)
	case c == 't':
		w.literal("true")
	case c == 'f':
		w.literal("false")
	case c == 'n':
		w.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		w.number()
	case w.at >= len(w.data):
		w.fail("ends in the middle of the JSON")
	default:
		w.fail("is not valid JSON")
	}
}

func (w *Walker) literal(word string) {
	if !bytes.HasPrefix(w.data[w.at:], []byte(word)) {
		w.fail("is not valid JSON")
		return
	}
	w.at += len(word)
}

// text takes a string with its quotes.
func (w *Walker) text() Value {
	data, from := w.data, w.at
	for i := from + 1; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			w.at = i + 1
			return data[from:w.at]
		case c == '\\':
			n := escapeLength(data[i+1:])
			if n == 0 {
				w.at = i
				w.fail("has a broken escape in a text")
				return nil
			}
			i += n
		case c < ' ':
			w.at = i
			w.fail("has a control character in a text")
			return nil
		}
	}
	w.fail("ends in the middle of a text")
	return nil
}

// escapeLength gives how long the escape is of which s is what follows the backslash, 0 when it is none.
func escapeLength(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	switch s[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(s) < 5 {
			return 0
		}
		for _, c := range s[1:5] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return 0
			}
		}
		return 5
	}
	return 0
}

// number takes a number: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (w *Walker) number() {
	if w.next() == '-' {
		w.at++
	}
	zero := w.next() == '0'
	whole := w.digits()
	ok := whole == 1 || whole > 1 && !zero
	if w.next() == '.' {
		w.at++
		ok = w.digits() > 0 && ok
	}
	if c := w.next(); c == 'e' || c == 'E' {
		w.at++
		if c := w.next(); c == '+' || c == '-' {
			w.at++
		}
		ok = w.digits() > 0 && ok
	}
	if !ok {
		w.fail("has a broken number")
	}
}

// next gives the next byte, 0 at the end.
func (w *Walker) next() byte {
	if w.at >= len(w.data) {
		return 0
	}
	return w.data[w.at]
}

func (w *Walker) digits() int {
	from := w.at
	for c := w.next(); c >= '0' && c <= '9'; c = w.next() {
		w.at++
	}
	return w.at - from
}

// IsXML says whether a text begins as XML and HTML do, and no JSON: webhooks can be set to it.
func IsXML(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n"), []byte("<"))
}
