package woocommerce

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzScanner holds the scanner to encoding/json: it accepts the same texts, and gives the same strings.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `null`, `true`, `false`, `0`, `-0`, `01`, `1.`, `.5`, `-`, `1e5`, `1E+5`, `1e`, `1.5e-3`, `""`, `"\u00e4\ud83d\ude00\ud800"`,
		`"\x"`, `"\u12"`, `"a`, `{"a":1,"b":[1,2,{"c":null}]}`, `{"a":1,}`, `[1,]`, `{"a"}`, `{a:1}`, ` [ 1 , 2 ] `, `[1 2]`, `nul`, "\"\x01\"",
		`{"a":{"b":[[],{}]}}x`, "\x00", `{"\u0069d":1}`,
	} {
		f.Add([]byte(text))
	}
	for _, d := range deliveries(f) {
		if len(d.Body) < 10_000 {
			f.Add(d.Body)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Count(text, []byte("[")) > maxDepth || bytes.Count(text, []byte("{")) > maxDepth {
			return
		}
		s := &scanner{data: text}
		value := s.value()
		s.end()
		if accepted, valid := s.err == nil, json.Valid(text); accepted != valid {
			t.Fatalf("accepted %v, valid %v (%v)", accepted, valid, s.err)
		}
		if s.err != nil {
			return
		}
		if !bytes.Equal(value, bytes.Trim(text, " \t\r\n")) {
			t.Fatalf("value %q", value)
		}
		compareStrings(t, text)
	})
}

// compareStrings compares the keys and strings of an object with those that encoding/json decodes.
func compareStrings(t *testing.T, text []byte) {
	var want map[string]json.RawMessage
	if json.Unmarshal(text, &want) != nil || want == nil {
		return
	}
	got := map[string]token{}
	s := &scanner{data: text}
	for key := range s.members {
		got[strings.ToValidUTF8(string(key), "\ufffd")] = s.value()
	}
	for key, value := range want {
		var text string
		if json.Unmarshal(value, &text) != nil || value[0] != '"' ||
			!bytes.Equal(value, bytes.ToValidUTF8(value, nil)) {
			continue
		}
		if plain, known := got[key]; known && string(plain.plain()) != text {
			t.Fatalf("%q: got %q, want %q", key, plain.plain(), text)
		}
	}
	if len(got) > len(want) {
		t.Fatalf("%d members, want %d", len(got), len(want))
	}
}

func TestScannerLimitsDepth(t *testing.T) {
	for depth, want := range map[int]bool{maxDepth: true, maxDepth + 1: false} {
		s := &scanner{data: []byte(strings.Repeat("[", depth) + strings.Repeat("]", depth))}
		if s.value(); (s.err == nil) != want {
			t.Errorf("depth %d: %v", depth, s.err)
		}
	}
}
