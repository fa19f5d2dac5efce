package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestDocs_API runs all examples of docs/api.md with curl against the demo that the page names, and compares what they
// print with what the page shows.
func TestDocs_API(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/api.md")
	ok(t, err)
	examples := examplesIn(string(page))
	if len(examples) < 25 {
		t.Fatalf("only %d examples are found", len(examples))
	}
	base, token := startDocsServer(t)
	printed, err := runExamples(t, examples, "TRIBUTARY="+base, "TOKEN="+token)
	if err != nil {
		last := max(0, len(printed)-1)
		t.Fatalf("an example fails: %v\n%s\nprinted:\n%s", err, examples[last].code, printed[last])
	}
	for i, e := range examples {
		if fault := e.compare(printed[i]); fault != "" {
			t.Errorf("line %d:\n%s%s\nprinted:\n%s", e.line, e.code, shortened(fault), shortened(printed[i]))
		}
	}
}

// shortened is the beginning of a text that may be long.
func shortened(text string) string {
	const most = 5000
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}

// startDocsServer runs the demo that the page tells readers to run, and gives its address and its token.
func startDocsServer(t *testing.T) (base, token string) {
	t.Helper()
	address, err := freeAddress()
	ok(t, err)
	ctx, end := context.WithCancel(t.Context())
	stdout, ended := &screen{}, make(chan int, 1)
	go func() {
		ended <- run(ctx, commands(), terminal{stdout: stdout, stderr: io.Discard, getenv: func(name string) string {
			return environment{"LISTEN_ADDR": address}[name]
		}}, []string{"demo", "--recorded", "--data", filepath.Join(t.TempDir(), "demo")})
	}()
	t.Cleanup(func() {
		end()
		<-ended
	})
	eventually(t, "the demo says where to look", func() bool {
		return strings.Contains(stdout.String(), "token ") || len(ended) > 0
	})
	return found(t, stdout, `serves at (http://\S+),`), found(t, stdout, `token +(trb_\S+)`)
}

// example is a piece of shell in a page, with what it prints where the page shows that.
type example struct {
	line  int
	code  string
	kind  string // json or text; empty: nothing is shown
	shown string
}

var fence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```\n")

// examplesIn finds the fenced blocks of shell. A block of JSON or text that follows at once is what it prints.
func examplesIn(page string) (list []example) {
	end := -1 // of the last block of shell
	for _, m := range fence.FindAllStringSubmatchIndex(page, -1) {
		kind, text := page[m[2]:m[3]], page[m[4]:m[5]]
		switch {
		case kind == "sh":
			list = append(list, example{line: 1 + strings.Count(page[:m[0]], "\n"), code: text})
			end = m[1]
		case m[0] == end:
			list[len(list)-1].kind, list[len(list)-1].shown = kind, text
		}
	}
	return list
}

// runExamples runs all examples in one shell, since they share its variables, and gives what each printed. After a
// failure the last one is that which failed.
func runExamples(t *testing.T, list []example, env ...string) (printed []string, err error) {
	t.Helper()
	const mark = "=== the next example ==="
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	for _, e := range list {
		fmt.Fprintf(&script, "echo %q\n%s", mark, e.code)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	shell.Dir = t.TempDir()
	shell.Env = append(os.Environ(), env...)
	var out, faults bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &faults
	if err = shell.Run(); err != nil {
		err = fmt.Errorf("%w\n%s", err, faults.String())
	}
	return strings.Split(out.String(), mark+"\n")[1:], err
}

// compare says where what was printed differs from what is shown, or "".
func (e example) compare(printed string) string {
	switch e.kind {
	case "":
		return ""
	case "json":
		want, err := values(e.shown)
		if err != nil {
			return "the page shows no JSON: " + err.Error()
		}
		got, err := values(printed)
		if err != nil {
			return "it prints no JSON: " + err.Error()
		}
		return differs(want, got, "")
	}
	if !textPattern(e.shown).MatchString(printed) {
		return "the page shows:\n" + e.shown
	}
	return ""
}

// values reads one JSON value after the other.
func values(text string) (list []any, err error) {
	for in := json.NewDecoder(strings.NewReader(text)); ; {
		var v any
		if err := in.Decode(&v); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// anything stands in a page for what differs from run to run, or is left out: a value, or as a name further fields, or
// as the last of a list further elements.
const anything = "…"

func differs(want, got any, at string) string {
	fault := func(format string, args ...any) string {
		return fmt.Sprintf("at %q: ", at) + fmt.Sprintf(format, args...)
	}
	switch want := want.(type) {
	case string:
		s, isText := got.(string)
		if want != anything && (!isText || !textPattern(want).MatchString(s)) {
			return fault("%v, the page shows %q", got, want)
		}
		return ""
	case map[string]any:
		object, isObject := got.(map[string]any)
		if !isObject {
			return fault("%v, the page shows an object", got)
		}
		for name, v := range want {
			if there, has := object[name]; has {
				if f := differs(v, there, at+"."+name); f != "" {
					return f
				}
			} else if name != anything {
				return fault("there is no %s", name)
			}
		}
		for name := range object {
			if _, shown := want[name]; !shown && want[anything] == nil {
				return fault("the page does not show %s", name)
			}
		}
		return ""
	case []any:
		list, isList := got.([]any)
		if n := len(want); n > 0 && want[n-1] == anything {
			want = want[:n-1]
			list = list[:min(len(list), n-1)]
		}
		if !isList || len(list) != len(want) {
			return fault("%v, the page shows %d elements", got, len(want))
		}
		for i, v := range want {
			if f := differs(v, list[i], fmt.Sprintf("%s[%d]", at, i)); f != "" {
				return f
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return fault("%v, the page shows %v", got, want)
	}
	return ""
}

// textPattern makes a pattern of a shown text: … stands for anything within a line, and a line of … for any lines.
func textPattern(shown string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(shown)
	pattern = regexp.MustCompile(`(?m)^`+anything+`\n`).ReplaceAllString(pattern, `(?:.*\n)*`)
	return regexp.MustCompile(`\A` + strings.ReplaceAll(pattern, anything, `.*`) + `\z`)
}

// A test that compares is worth what it finds.
func TestDocs_compare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, shown, printed string
		fits                 bool
	}{
		{"json", `{"a": 1, "b": "…", "c": [1, "…"]}`, `{"a":1,"b":{"x":2},"c":[1,2,3]}`, true},
		{"json", `{"a": 1}`, `{"a":2}`, false},
		{"json", `{"a": 1}`, `{"a":1,"b":2}`, false},
		{"json", `{"a": 1, "…": "…"}`, `{"a":1,"b":2}`, true},
		{"json", `{"a": 1, "…": "…"}`, `{"b":2}`, false},
		{"json", `[1, 2]`, `[1]`, false},
		{"json", `[1, "…"]`, `[]`, false},
		{"json", `{"id": "cmp_…"}`, `{"id":"cmp_12"}`, true},
		{"json", `{"id": "cmp_…"}`, `{"id":"cre_12"}`, false},
		{"json", `{"id": null}`, `{"id":"x"}`, false},
		{"json", "{}\n{}", `{}`, false},
		{"json", `{}`, `no`, false},
		{"text", "a…c\n", "abbc\n", true},
		{"text", "a…c\n", "ab\nc\n", false},
		{"text", "a\n…\nz\n", "a\nb\nc\nz\n", true},
		{"text", "a\n", "a\nb\n", false},
		{"", "", "whatever", true},
	} {
		e := example{kind: c.kind, shown: c.shown}
		if got := e.compare(c.printed); (got == "") != c.fits {
			t.Errorf("%s and %s: %q, fits %v", c.shown, c.printed, got, c.fits)
		}
	}
	page := "```sh\na\n```\n```json\n{}\n```\ntext\n```sh\nb\n```\n\n```text\nno output\n```\n"
	if got := examplesIn(page); len(got) != 2 || got[0].shown != "{}\n" || got[0].kind != "json" ||
		got[1].code != "b\n" || got[1].kind != "" || got[1].line != 8 {
		t.Errorf("examples: %+v", got)
	}
}
