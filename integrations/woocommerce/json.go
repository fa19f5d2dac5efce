package woocommerce

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// maxDepth is the deepest nesting read; PHP's own limit for JSON is 512.
const maxDepth = 512

// errJSON is wrapped by errors about text that is not JSON.
var errJSON = errors.New("not JSON")

// scanner walks a JSON text once, front to back, and hands out the values that are asked for as slices of the text. An
// order has some 150 values, of which we need twenty; encoding/json checks the whole text before it decodes, takes
// three times as long for it (BenchmarkParse), matches keys without regard to case, and replaces invalid UTF-8 without
// a word. FuzzScanner holds it to what encoding/json accepts and decodes.
//
// The first error sticks: after it nothing moves any more.
type scanner struct {
	data  []byte
	pos   int
	depth int
	err   error
}

// token is one JSON value as it was written; nil stands for a field that is not there.
type token []byte

func (s *scanner) fail(what string) {
	if s.err == nil {
		s.err = fmt.Errorf("%w: %s at byte %d", errJSON, what, s.pos)
	}
}

// peek gives the next byte that is not white space, 0 at the end and after an error.
func (s *scanner) peek() byte {
	if s.err != nil {
		return 0
	}
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// end fails unless nothing but white space is left.
func (s *scanner) end() {
	if s.peek(); s.err == nil && s.pos < len(s.data) {
		s.fail("something after the value")
	}
}

// members yields the key of each member of the object that comes next. The caller must read the member's value.
func (s *scanner) members(yield func(key []byte) bool) {
	if !s.open('{') {
		return
	}
	for first := true; ; first = false {
		c := s.peek()
		if first && c == '}' {
			break
		}
		if c != '"' {
			s.fail("a key is expected")
			return
		}
		key := s.text().plain()
		if s.peek() != ':' {
			s.fail("a colon is expected")
			return
		}
		s.pos++
		if !yield(key) || !s.next('}') {
			return
		}
		if s.data[s.pos] == '}' {
			break
		}
		s.pos++
	}
	s.pos++
	s.depth--
}

// elements yields once for each element of the array that comes next. The caller must read the element.
func (s *scanner) elements(yield func() bool) {
	if !s.open('[') {
		return
	}
	for first := true; ; first = false {
		if first && s.peek() == ']' {
			break
		}
		if !yield() || !s.next(']') {
			return
		}
		if s.data[s.pos] == ']' {
			break
		}
		s.pos++
	}
	s.pos++
	s.depth--
}

func (s *scanner) open(bracket byte) bool {
	if s.peek() != bracket {
		s.fail(`"` + string(rune(bracket)) + `" is expected`)
		return false
	}
	if s.depth++; s.depth > maxDepth {
		s.fail("nested too deeply")
		return false
	}
	s.pos++
	return true
}

// next stops at the comma or the closing bracket that must follow.
func (s *scanner) next(closing byte) bool {
	if c := s.peek(); c != ',' && c != closing {
		s.fail("a comma or the end is expected")
		return false
	}
	return true
}

// value reads the next value, whatever it is.
func (s *scanner) value() token {
	s.peek()
	start := s.pos
	s.skip()
	if s.err != nil {
		return nil
	}
	return token(s.data[start:s.pos])
}

func (s *scanner) skip() {
	switch c := s.peek(); c {
	case '"':
		s.text()
	case '{':
		for range s.members {
			s.skip()
		}
	case '[':
		for range s.elements {
			s.skip()
		}
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
}

func (s *scanner) literal(word string) {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		s.fail("a value is expected")
		return
	}
	s.pos += len(word)
}

// text reads a string.
func (s *scanner) text() token {
	start := s.pos
	for i := s.pos + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return token(s.data[start:s.pos])
		case c == '\\':
			n := escape(s.data[i+1:])
			if n == 0 {
				s.pos = i
				s.fail("invalid escape in a string")
				return nil
			}
			i += n
		case c < ' ':
			s.pos = i
			s.fail("control character in a string")
			return nil
		}
	}
	s.pos = len(s.data)
	s.fail("a string does not end")
	return nil
}

// escape gives the length of what follows a backslash, 0 when it is no escape.
func escape(after []byte) int {
	if len(after) == 0 {
		return 0
	}
	switch after[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(after) < 5 {
			return 0
		}
		for _, c := range after[1:5] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return 0
			}
		}
		return 5
	}
	return 0
}

// number reads a number: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (s *scanner) number() {
	if s.at() == '-' {
		s.pos++
	}
	leadingZero := s.at() == '0'
	if n := s.digits(); n == 0 || leadingZero && n > 1 {
		s.fail("a value is expected")
		return
	}
	if s.at() == '.' {
		s.pos++
		if s.digits() == 0 {
			s.fail("a digit is expected")
			return
		}
	}
	if c := s.at(); c != 'e' && c != 'E' {
		return
	}
	s.pos++
	if c := s.at(); c == '+' || c == '-' {
		s.pos++
	}
	if s.digits() == 0 {
		s.fail("a digit is expected")
	}
}

func (s *scanner) at() byte {
	if s.err != nil || s.pos >= len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *scanner) digits() int {
	start := s.pos
	for c := s.at(); c >= '0' && c <= '9'; c = s.at() {
		s.pos++
	}
	return s.pos - start
}

// plain gives the bytes of a string, unescaped; nil when the value is no string. Without escapes it is a part of the
// text itself.
func (t token) plain() []byte {
	if len(t) < 2 || t[0] != '"' {
		return nil
	}
	if bytes.IndexByte(t, '\\') < 0 {
		return t[1 : len(t)-1]
	}
	var text string
	if json.Unmarshal(t, &text) != nil {
		return nil
	}
	return []byte(text)
}

// scalar gives the text of a string or a number; PHP mixes the two. ok is false for anything else.
func (t token) scalar() (text string, ok bool) {
	switch {
	case len(t) == 0:
		return "", false
	case t[0] == '"':
		return string(t.plain()), true
	case t[0] == '-' || t[0] >= '0' && t[0] <= '9':
		return string(t), true
	}
	return "", false
}

// absent says whether the value stands for nothing, as PHP writes it: not there, null, false or "".
func (t token) absent() bool {
	switch string(t) {
	case "", "null", "false", `""`:
		return true
	}
	return false
}

// kind names the type of the value for a message.
func (t token) kind() string {
	if len(t) == 0 {
		return "nothing"
	}
	switch t[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}
