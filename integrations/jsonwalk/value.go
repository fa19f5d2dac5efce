package jsonwalk

import (
	"bytes"
	"encoding/json"
)

// Value is one JSON value as it stands in the text, nil when there is none. Keeping the text means that amounts and
// 64-bit ids never pass through a float.
type Value []byte

// Absent says that the value is missing or null.
func (v Value) Absent() bool { return len(v) == 0 || v[0] == 'n' }

// IsText says whether the value is a string.
func (v Value) IsText() bool { return len(v) > 0 && v[0] == '"' }

// IsNumber says whether the value is a number.
func (v Value) IsNumber() bool { return len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') }

// Text gives the content of a string, "" of any other value.
func (v Value) Text() string {
	if !v.IsText() {
		return ""
	}
	return string(v.unquoted())
}

// Content gives the content of a string, and any other value as it stands.
func (v Value) Content() string {
	if v.IsText() {
		return v.Text()
	}
	return string(v)
}

// unquoted gives the bytes of a string; without escapes they are a part of the text.
func (v Value) unquoted() []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	var text string
	_ = json.Unmarshal(v, &text) // a walker has checked it
	return []byte(text)
}

// Kind names the type of the value for a message.
func (v Value) Kind() string {
	switch {
	case len(v) == 0:
		return "nothing"
	case v.IsText():
		return "a string"
	case v[0] == '{':
		return "an object"
	case v[0] == '[':
		return "a list"
	case v[0] == 't', v[0] == 'f':
		return "true or false"
	case v[0] == 'n':
		return "null"
	}
	return "a number"
}
