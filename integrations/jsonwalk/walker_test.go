package jsonwalk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	shopify "github.com/tributaryhq/tributary/integrations/shopify/recordings"
	woocommerce "github.com/tributaryhq/tributary/integrations/woocommerce/recordings"
)

// read makes of the value that comes next what encoding/json makes of it.
func read(w *Walker) any {
	switch w.Peek() {
	case '{':
		object := map[string]any{}
		for key := range w.Members {
			object[string(key)] = read(w)
		}
		return object
	case '[':
		list := []any{}
		for range w.Elements {
			list = append(list, read(w))
		}
		return list
	}
	v := w.Value()
	switch {
	case v.IsText():
		return v.Text()
	case v.IsNumber():
		return json.Number(v.Content())
	case v.Absent():
		return nil
	}
	return string(v) == "true"
}

// compare holds a walker to encoding/json: it accepts the same objects and gives the same values, and so it does when
// it skips them.
func compare(t interface{ Fatalf(string, ...any) }, text []byte) {
	w := New(text)
	got := read(w)
	skipping := New(text)
	for range skipping.Members {
	}
	if fmt.Sprint(w.Err()) != fmt.Sprint(skipping.Err()) {
		t.Fatalf("%q: read %v, skipped %v", text, w.Err(), skipping.Err())
	}
	if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > MaxDepth {
		return
	}
	valid := json.Valid(text) && utf8.Valid(text) && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
	if (w.Err() == nil) != valid {
		t.Fatalf("%q: %v, but encoding/json says %v", text, w.Err(), valid)
	}
	if !valid {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var want any
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: %#v, want %#v", text, got, want)
	}
}

// odd are values that are JSON, and such as nearly are.
var odd = []string{
	`1`, `0`, `-0`, `0.5`, `1e5`, `1E+5`, `1.5e-5`, `01`, `00`, `-`, `-a`, `1.`, `.5`, `1e`, `1e+`, `+1`, `0x1`, `NaN`, `1 2`,
	`true`, `false`, `null`, `tru`, `nul`, `True`, `fals`, `nullx`, ``,
	`""`, `"a\"b"`, `"\\"`, `"\/\b\f\n\r\t"`, `"\u00e9"`, `"\ud83d\ude00"`, `"\ud800"`, `"\u00g0"`, `"\u12"`, `"\x"`, `"\`,
	`"a`, "\"\t\"", "\"\x7f\"", "\"\x01\"", "\"\x1f\"", "\"\x00\"", "\x00", `'a'`, "\"\xff\"", `"é"`,
	`[]`, `[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `]`, `[1`, `[[],{}]`, `[}`,
	`{}`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{`, `{"`, `{"a\u0062":1}`,
	`{"\q":1}`, `{"a":1,"a":2}`, `{,}`, `{]`,
}

func TestAcceptsWhatIsJSON(t *testing.T) {
	for _, value := range odd {
		for _, text := range []string{value, `{"id":` + value + `}`, "\r\n {\t\"x\" : " + value + " } ",
			`{"list":[` + value + `]}`, `{"list":[{"x":` + value + `},{}]}`, `{}` + value} {
			compare(t, []byte(text))
		}
	}
	if New([]byte("\ufeff{}")).Err() == nil {
		t.Error("a byte order mark is accepted")
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "is not a JSON object (at byte 0)",
		" []":                "is not a JSON object (at byte 1)",
		"{\"a\":\"\xff\"}":   "is not UTF-8 (at byte 0)",
		`{"a":1} {}`:         "goes on after the end of the JSON object (at byte 8)",
		`{"a":1`:             "is not valid JSON (at byte 6)",
		`{"a":`:              "ends in the middle of the JSON (at byte 5)",
		`{"a":"b`:            "ends in the middle of a text (at byte 5)",
		`{"a":"\u0041`:       "ends in the middle of a text (at byte 5)",
		`{"a":x}`:            "is not valid JSON (at byte 5)",
		`{"a":[1 2]}`:        "is not valid JSON (at byte 8)",
		`{"a":tru}`:          "is not valid JSON (at byte 5)",
		"{\"a\":\x00}":       "has a zero byte (at byte 5)",
		`{"a":"\x"}`:         "has a broken escape in a text (at byte 6)",
		"{\"a\":\"b\nc\"}":   "has a control character in a text (at byte 7)",
		`{"a":01}`:           "has a broken number (at byte 7)",
		`{1:2}`:              "has an object key that is not text (at byte 1)",
		`{"a" 1}`:            "lacks a colon after an object key (at byte 5)",
		`{"a":"é","b":"\u0"`: `has a broken escape in a text (at byte 15)`,
	} {
		w := New([]byte(text))
		for range w.Members {
		}
		if w.Err() == nil || w.Err().Error() != want {
			t.Errorf("%q: %v, want %s", text, w.Err(), want)
		}
		if w.Peek() != 0 || w.Value() != nil {
			t.Errorf("%q: something is found after the error", text)
		}
	}
}

func TestMaxDepth(t *testing.T) {
	for depth, want := range map[int]bool{MaxDepth: true, MaxDepth + 1: false, 1_000_000: false} {
		for _, nested := range []string{
			`{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`,
			strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth),
		} {
			w := New([]byte(nested))
			read(w)
			if (w.Err() == nil) != want {
				t.Errorf("%d deep: %v", depth, w.Err())
			}
			if depth <= MaxDepth+1 {
				compare(t, []byte(nested))
			}
		}
	}
}

// TestWhatIsLeftIsSkipped: a loop need not take its values, and may end early.
func TestWhatIsLeftIsSkipped(t *testing.T) {
	const text = `{"skip": {"x":[1]}, "object": {"a":1,"b":{},"c":3}, "list": [ [7], {"d":8}, 9 ], "peek": [1], "no": 5, "last": 4}`
	w := New([]byte(text))
	var got []string
	for key := range w.Members {
		got = append(got, string(key))
		switch string(key) {
		case "object":
			for inner := range w.Members {
				if got = append(got, string(inner)); string(inner) == "b" {
					break
				}
			}
		case "list":
			for range w.Elements {
				if got = append(got, string(w.Value())); len(got) > 0 {
					break
				}
			}
		case "peek":
			w.Peek()
		case "no":
			for range w.Members {
				t.Error("a number has members")
			}
		}
	}
	const want = "skip object a b list [7] peek no last"
	if s := strings.Join(got, " "); s != want || w.Err() != nil {
		t.Errorf("%s, %v; want %s", s, w.Err(), want)
	}
	w = New([]byte(`{"a":1,"b":[}`))
	for range w.Members {
		break
	}
	if w.Err() == nil {
		t.Error("what follows a break is not checked")
	}
	w = New([]byte(`{"a":"elements"}`))
	for range w.Members {
		for range w.Elements {
			t.Error("a text has elements")
		}
	}
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		v                        Value
		kind                     string
		absent, isText, isNumber bool
		text, content            string
	}{
		{nil, "nothing", true, false, false, "", ""},
		{Value(`null`), "null", true, false, false, "", "null"},
		{Value(`true`), "true or false", false, false, false, "", "true"},
		{Value(`false`), "true or false", false, false, false, "", "false"},
		{Value(`-1.50`), "a number", false, false, true, "", "-1.50"},
		{Value(`92233720368547758070`), "a number", false, false, true, "", "92233720368547758070"},
		{Value(`""`), "a string", false, true, false, "", ""},
		{Value(`"a\u00e9\n\ud83d\ude00"`), "a string", false, true, false, "aé\n😀", "aé\n😀"},
		{Value(`{"a":1}`), "an object", false, false, false, "", `{"a":1}`},
		{Value(`[1]`), "a list", false, false, false, "", `[1]`},
	} {
		if c.v.Kind() != c.kind || c.v.Absent() != c.absent || c.v.IsText() != c.isText ||
			c.v.IsNumber() != c.isNumber || c.v.Text() != c.text || c.v.Content() != c.content {
			t.Errorf("%s: %s, absent %v, text %v %q, number %v, content %q", c.v, c.v.Kind(), c.v.Absent(),
				c.v.IsText(), c.v.Text(), c.v.IsNumber(), c.v.Content())
		}
	}
}

func TestIsXML(t *testing.T) {
	for text, want := range map[string]bool{"<a/>": true, "\ufeff \r\n\t<?xml": true, "": false, `{"a":"<"}`: false,
		" {}": false, "x<": false} {
		if got := IsXML([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestLikeEncodingJSON writes random objects, with white space, and breaks some of them.
func TestLikeEncodingJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := []byte("{" + members(rt, 4) + "}")
		compare(rt, text)
		if i := rapid.IntRange(0, len(text)-1).Draw(rt, "at"); rapid.Bool().Draw(rt, "cut") {
			text = text[:i]
		} else {
			text[i] = rapid.SampledFrom([]byte("{}[]\",:\\u0-+.eEtn \x00\x1f\xc3\xff")).Draw(rt, "other")
		}
		compare(rt, text)
	})
}

func members(rt *rapid.T, deep int) string {
	list := make([]string, rapid.IntRange(0, 4).Draw(rt, "members"))
	for i := range list {
		list[i] = text(rt) + space(rt) + ":" + value(rt, deep)
	}
	return space(rt) + strings.Join(list, ",") + space(rt)
}

func value(rt *rapid.T, deep int) string {
	kind := rapid.IntRange(0, 6).Draw(rt, "kind")
	if deep == 0 {
		kind %= 4
	}
	s := "null"
	switch kind {
	case 0:
		s = text(rt)
	case 1:
		s = rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?`).Draw(rt, "number")
	case 2:
		s = rapid.SampledFrom([]string{"true", "false"}).Draw(rt, "flag")
	case 4:
		list := make([]string, rapid.IntRange(0, 4).Draw(rt, "elements"))
		for i := range list {
			list[i] = value(rt, deep-1)
		}
		s = "[" + strings.Join(list, ",") + space(rt) + "]"
	case 5, 6:
		s = "{" + members(rt, deep-1) + "}"
	}
	return space(rt) + s + space(rt)
}

func text(rt *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "id", "é", "😀", "\x7f", `\"`, `\\`, `\/`, `\n`, `\u0000`,
		`\ud83d\ude00`, `\ud800`, `\u00E9`, "{", "]", ":", ","}), 0, 5).Draw(rt, "text")
	return `"` + strings.Join(parts, "") + `"`
}

func space(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", " ", "\r\n\t"}).Draw(rt, "space")
}

func FuzzWalker(f *testing.F) {
	for _, value := range odd {
		f.Add([]byte(`{"a":` + value + `}`))
	}
	ours, err := shopify.Deliveries()
	if err != nil {
		f.Fatal(err)
	}
	for _, d := range ours {
		f.Add(d.Body)
	}
	theirs, err := woocommerce.Deliveries()
	if err != nil {
		f.Fatal(err)
	}
	for _, d := range theirs {
		if len(d.Body) < 10_000 {
			f.Add(d.Body)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		kept := bytes.Clone(text)
		compare(t, text)
		if !bytes.Equal(kept, text) {
			t.Fatal("the text was changed")
		}
	})
}
