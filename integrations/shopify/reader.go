package shopify

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// raw is one JSON value as it stands in the body, nil when its key is missing. Keeping the text means that amounts and
// 64-bit ids never pass through a float.
type raw []byte

// absent says that the value is missing or null.
func (v raw) absent() bool { return len(v) == 0 || v[0] == 'n' }

func (v raw) isText() bool { return len(v) > 0 && v[0] == '"' }

func (v raw) isNumber() bool { return len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') }

// text gives the content of a JSON string.
func (v raw) text() string {
	inner := v[1 : len(v)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(v, &s) // the reader has checked it
	return s
}

// content is a text's content, or the value as it stands.
func (v raw) content() string {
	if v.isText() {
		return v.text()
	}
	return string(v)
}

// place is where in the body we are, so that an error can name the field in full.
type place struct {
	steps [8]step
	depth int
}

type step struct {
	field string
	index int // -1 when the field is no list
}

// enter goes down one level. Levels are entered by our own code only, never by what the body nests, and those are six.
func (p *place) enter(field string, index int) {
	p.steps[p.depth] = step{field, index}
	p.depth++
}

func (p *place) leave() { p.depth-- }

// name gives a field's path, such as "line_items[2].price". An empty field names the place itself.
func (p *place) name(field string) string {
	parts := make([]string, 0, p.depth+1)
	for _, s := range p.steps[:p.depth] {
		part := s.field
		if s.index >= 0 {
			part += "[" + strconv.Itoa(s.index) + "]"
		}
		parts = append(parts, part)
	}
	if field != "" {
		parts = append(parts, field)
	}
	return strings.Join(parts, ".")
}

// reader walks a JSON text once and hands out the values of the fields that are asked for; the others are checked and
// skipped. encoding/json takes three times as long on an order even for a handful of fields (BenchmarkUnmarshal).
//
// A field function is called for each key, and must take the value with exactly one of value, skip, object or list.
type reader struct {
	place
	data  []byte
	at    int
	level int
	err   error // the first fault; then the reader stands at the end
	wrong error // the first list or object that was something else; matters only if the body is one we use
}

// maxLevel bounds nesting; Shopify's bodies have about ten levels.
const maxLevel = 200

// start checks the text as a whole.
func (r *reader) start() {
	if isXML(r.data) {
		r.err = affiliate.FieldErrorf("body", "is XML: set the webhook's format to JSON (Shopify admin, Settings > "+
			"Notifications > Webhooks); what came in XML is not read, so compare the store's orders of that time")
		r.at = len(r.data)
		return
	}
	if !utf8.Valid(r.data) {
		r.fail("is not UTF-8")
		return
	}
	if r.peek() != '{' {
		r.fail("is not a JSON object")
	}
}

// isXML says whether a body begins as XML does: webhooks made in the admin can be set to it. Nothing that begins so is
// JSON.
func isXML(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("<"))
}

// end refuses anything after the value.
func (r *reader) end() {
	if r.err == nil && r.peek() != 0 {
		r.fail("goes on after the end of the JSON object")
	}
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = affiliate.FieldErrorf("body",
			"%s (at byte %d): it was cut or altered on its way; have the store send it again", what, r.at)
	}
	r.at = len(r.data)
}

// peek skips white space and gives the next byte, 0 at the end.
func (r *reader) peek() byte {
	for r.at < len(r.data) {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		case 0:
			r.fail("has a zero byte")
			return 0
		default:
			return c
		}
	}
	return 0
}

// object calls field for each key of the object that comes next. null is an object without keys.
func (r *reader) object(name string, field func(key []byte)) {
	if r.peek() != '{' {
		r.other(name, "an object")
		return
	}
	if name != "" {
		r.enter(name, -1)
		defer r.leave()
	}
	r.keys(field)
}

// keys walks an object whose brace comes next.
func (r *reader) keys(field func(key []byte)) {
	if !r.down() {
		return
	}
	if r.peek() == '}' {
		r.up()
		return
	}
	for {
		if r.peek() != '"' {
			r.fail("has an object key that is not text")
			return
		}
		key := r.textToken()
		if r.err == nil && bytes.IndexByte(key, '\\') >= 0 {
			key = raw(strconv.Quote(key.text()))
		}
		if r.err != nil {
			return
		}
		if r.peek() != ':' {
			r.fail("lacks a colon after an object key")
			return
		}
		r.at++
		field(key[1 : len(key)-1])
		if !r.more('}') {
			return
		}
	}
}

// list calls item for each element of the list that comes next. null is an empty list.
func (r *reader) list(name string, item func()) {
	if r.peek() != '[' {
		r.other(name, "a list")
		return
	}
	r.enter(name, 0)
	defer r.leave()
	here := r.depth - 1
	r.items(func() {
		item()
		r.steps[here].index++
	})
}

// items walks a list whose bracket comes next.
func (r *reader) items(item func()) {
	if !r.down() {
		return
	}
	if r.peek() == ']' {
		r.up()
		return
	}
	for {
		item()
		if !r.more(']') {
			return
		}
	}
}

// down enters an object or a list.
func (r *reader) down() bool {
	if r.level++; r.level > maxLevel {
		r.fail("is nested too deeply")
		return false
	}
	r.at++
	return true
}

func (r *reader) up() {
	r.level--
	r.at++
}

// more takes the comma or the end after an element.
func (r *reader) more(end byte) bool {
	if r.err != nil {
		return false
	}
	switch r.peek() {
	case ',':
		r.at++
		return true
	case end:
		r.up()
		return false
	}
	r.fail("is not valid JSON")
	return false
}

// other skips a value that is not what the field should hold.
func (r *reader) other(name, want string) {
	if v := r.value(); r.err == nil && !v.absent() && r.wrong == nil {
		r.wrong = affiliate.FieldErrorf(r.name(name), "must be %s, as in Shopify's own bodies", want)
	}
}

// value gives the next value as it stands.
func (r *reader) value() raw {
	r.peek()
	from := r.at
	r.skip()
	if r.err != nil {
		return nil
	}
	return r.data[from:r.at]
}

// skip checks the next value and passes it.
func (r *reader) skip() {
	switch c := r.peek(); {
	case c == '"':
		r.textToken()
	case c == '{':
		r.keys(func([]byte) { r.skip() })
	case c == '[':
		r.items(r.skip)
	case c == 't':
		r.literal("true")
	case c == 'f':
		r.literal("false")
	case c == 'n':
		r.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		r.number()
	case r.at >= len(r.data):
		r.fail("ends in the middle of the JSON")
	default:
		r.fail("is not valid JSON")
	}
}

func (r *reader) literal(word string) {
	if !bytes.HasPrefix(r.data[r.at:], []byte(word)) {
		r.fail("is not valid JSON")
		return
	}
	r.at += len(word)
}

// textToken passes a string and gives it with its quotes.
func (r *reader) textToken() raw {
	data, from := r.data, r.at
	for i := from + 1; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			r.at = i + 1
			return data[from:r.at]
		case c == '\\':
			n := escapeLength(data[i:])
			if n == 0 {
				r.at = i
				r.fail("has a broken escape in a text")
				return nil
			}
			i += n - 1
		case c < 0x20:
			r.at = i
			r.fail("has a control character in a text")
			return nil
		}
	}
	r.fail("ends in the middle of a text")
	return nil
}

// escapeLength gives how long the escape at the start of s is, 0 when it is none.
func escapeLength(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) < 6 {
			return 0
		}
		for _, c := range s[2:6] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// number passes a number as JSON writes it: no leading zeros, digits on both sides of a point.
func (r *reader) number() {
	if r.data[r.at] == '-' {
		r.at++
	}
	zero := r.at < len(r.data) && r.data[r.at] == '0'
	whole := r.digits()
	ok := whole > 0 && (!zero || whole == 1)
	if r.at < len(r.data) && r.data[r.at] == '.' {
		r.at++
		ok = r.digits() > 0 && ok
	}
	if r.at < len(r.data) && (r.data[r.at] == 'e' || r.data[r.at] == 'E') {
		r.at++
		if r.at < len(r.data) && (r.data[r.at] == '+' || r.data[r.at] == '-') {
			r.at++
		}
		ok = r.digits() > 0 && ok
	}
	if !ok {
		r.fail("has a broken number")
	}
}

func (r *reader) digits() int {
	from := r.at
	for r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9' {
		r.at++
	}
	return r.at - from
}
