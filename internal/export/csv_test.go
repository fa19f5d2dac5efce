package export

import (
	"encoding/csv"
	"math"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/money"
)

// csvText gives what is written for one text.
func csvText(t testing.TB, s string) string {
	t.Helper()
	w, b := table(t, []Column{{Name: "A", Kind: Text}, {Name: "B", Kind: Text}}, Options{Format: CSV})
	w.Text(s)
	w.Text("")
	if err := w.EndRow(); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), "A,B\r\n"), ",\r\n")
}

func TestCSVText(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain": "plain", "two words": "two words", " spaces ": " spaces ", "a,b": `"a,b"`, `a"b`: `"a""b"`, `"`: `""""`,
		"a\nb": "\"a\nb\"", "a\rb": "\"a\rb\"", "a\tb": "a\tb", "Zoë": "Zoë", "a\xffb": "a\ufffdb", "'": "'",
		"=1+1": "'=1+1", "+49 170": "'+49 170", "-5": "'-5", "@anna": "'@anna", "\t=1": "'\t'=1", "\r=1": "\"'\r'=1\"",
		"\n=1": "\"'\n'=1\"",
		"  =1": "'  =1", "\u00a0=1": "'\u00a0=1", "\ufeff=1": "'\ufeff=1", "＝1": "'＝1", "＋1": "'＋1", "－1": "'－1",
		"＠a": "'＠a",
		// A program that parts cells elsewhere makes a formula of a part.
		"a;=1": "a;'=1", "a; =1": "a;' =1", "a;\u200b=1": "a;'\u200b=1", `a";=1`: `"a"";'=1"`, `a;"=1"`: `"a;'""=1"""`,
		"a\t=1": "a\t'=1", "a\n=1": "\"a\n'=1\"", "a\r\n+1": "\"a\r\n'+1\"", "a;-1": "a;'-1", "a;@x": "a;'@x",
		"a,=1": `"a,'=1"`, `"=1`: `"'""=1"`, `a","=1`: `"a"",'""=1"`, "=1;=2;b": "'=1;'=2;b", ";=": ";'=",
		// Ordinary words stay.
		"red; blue": "red; blue", "red; - blue": "red; - blue", "hi, @anna": `"hi, @anna"`, "a, -b": `"a, -b"`,
		"anna@creators.example": "anna@creators.example", "utm=x;y=z": "utm=x;y=z", "a\nb-c": "\"a\nb-c\"",
		"x-=1": "x-=1", "'=1": "'=1", "\u200bword": "\u200bword", "- item\n- item": "\"'- item\n- item\"",
		// What nobody sees is no shelter.
		"\u200b=1": "'\u200b=1", "\u00ad=1": "'\u00ad=1", "\u202e=1": "'\u202e=1", "\u2066=1": "'\u2066=1",
		"\u200d+1": "'\u200d+1", "\u2060@a": "'\u2060@a", "\ufe0f=1": "'\ufe0f=1", "\u3164=1": "'\u3164=1",
		"\U000e0020=1": "'\U000e0020=1", "\x01=1": "'\x01=1", "\x00=1": "'\x00=1", "\u061c-1": "'\u061c-1",
		`=A1,"x"`: `"'=A1,""x"""`, "a=1": "a=1", "1-2": "1-2", "  a=1": "  a=1", "#1001": "#1001",
	} {
		if got := csvText(t, in); got != want {
			t.Errorf("%q is written as %q, want %q", in, got, want)
		}
	}
}

func TestNumbersAreNeverTakenForFormulas(t *testing.T) {
	w, b := table(t, []Column{{Name: "V", Kind: Amount}, {Name: "N", Kind: Integer}, {Name: "P", Kind: Percent},
		{Name: "R", Kind: Decimal}, {Name: "S", Kind: Decimal}}, Options{Format: CSV})
	w.Amount(-1200, "EUR")
	w.Integer(-7)
	w.Percent(-1250)
	w.Decimal("-1.5")
	w.Scaled(-5, 4)
	if err := w.EndRow(); err != nil {
		t.Fatal(err)
	}
	closed(t, w)
	if want := "V,N,P,R,S\r\n-12.00,-7,-12.50,-1.5,-0.0005\r\n"; b.String() != want {
		t.Errorf("got %q, want %q", b, want)
	}
}

func TestByteOrderMark(t *testing.T) {
	w, b := table(t, []Column{{Name: "A", Kind: Text}}, Options{Format: CSV, BOM: true})
	closed(t, w)
	if want := "\xef\xbb\xbfA\r\n"; b.String() != want {
		t.Errorf("got %q, want %q", b, want)
	}
}

// words draws texts rich in what CSV and XML treat specially.
func words() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(),
		rapid.StringOfN(rapid.SampledFrom([]rune("a,;\"'\r\n\t =+-@<>&_x0D\u200b\u00ad\u202e"+
			"\u00a0\ufeff😀é＝\x00\x0b\ufffe")), 0, 12, -1))
}

// TestCSVIsReadBack writes random tables and reads them with encoding/csv.
func TestCSVIsReadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		columns := make([]Column, rapid.IntRange(1, 4).Draw(rt, "columns"))
		for i := range columns {
			columns[i] = Column{Name: "Column", Kind: Text}
		}
		w, b := table(t, columns, Options{Format: CSV, BOM: rapid.Bool().Draw(rt, "BOM")})
		rows := rapid.SliceOf(rapid.SliceOfN(words(), len(columns), len(columns))).Draw(rt, "rows")
		for _, row := range rows {
			for _, s := range row {
				w.Text(s)
			}
			if err := w.EndRow(); err != nil {
				rt.Fatal(err)
			}
		}
		closed(t, w)
		got, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\ufeff"))).ReadAll()
		if err != nil || len(got) != len(rows)+1 {
			rt.Fatalf("%d rows are read back as %d, %v", len(rows), len(got)-1, err)
		}
		for i, row := range rows {
			for j, s := range row {
				want := guarded(strings.ToValidUTF8(s, "\ufffd"))
				want = strings.ReplaceAll(want, "\r\n", "\n") // as the reader does
				if got[i+1][j] != want {
					rt.Fatalf("%q is read back as %q, want %q", s, got[i+1][j], want)
				}
			}
		}
	})
}

func TestAppendScaledWritesWhatMoneyDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, digits := rapid.Int64().Draw(t, "n"), rapid.IntRange(0, 6).Draw(t, "digits")
		if got, want := string(appendScaled(nil, n, digits)), money.FormatScaled(n, digits); got != want {
			t.Fatalf("appendScaled(%d, %d) = %s, want %s", n, digits, got, want)
		}
	})
	if got := string(appendScaled(nil, math.MinInt64, 2)); got != "-92233720368547758.08" {
		t.Errorf("the least number is written as %s", got)
	}
}

// TestAttack_formulas reads random tables as programs do that part cells elsewhere, know no quotes, or drop what nobody
// sees: no cell may be a formula.
func TestAttack_formulas(t *testing.T) {
	readers := map[string]func(string) []string{
		"commas": func(s string) (cells []string) {
			rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				cells = append(cells, row...)
			}
			return cells
		},
		"semicolons": func(s string) []string {
			return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(";\r\n", r) })
		},
		"tabs": func(s string) []string {
			return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("\t\r\n", r) })
		},
	}
	formula := regexp.MustCompile(`^["\s\p{Cf}]*(=|@|[+-][^\s"+-])`)
	rapid.Check(t, func(rt *rapid.T) {
		runes := rapid.SampledFrom([]rune("ab,;\"\r\n\t =+-@\u200b\u00ad\ufeff"))
		text := rapid.StringOfN(runes, 0, 12, -1).Draw(rt, "text")
		w, b := table(t, []Column{{Name: "A", Kind: Text}, {Name: "B", Kind: Text}}, Options{Format: CSV})
		w.Text("plain")
		w.Text(text)
		if err := w.EndRow(); err != nil {
			rt.Fatal(err)
		}
		closed(t, w)
		for name, read := range readers {
			for _, cell := range read(b.String()) {
				if formula.MatchString(cell) {
					rt.Fatalf("%q is written as %q, of which a reader of %s makes %q", text, b, name, cell)
				}
			}
		}
	})
}
