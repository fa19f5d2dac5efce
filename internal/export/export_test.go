package export

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

var update = flag.Bool("update", false, "write the golden files anew")

var everyKind = []Column{{Name: "Words", Kind: Text}, {Name: "Value", Kind: Amount}, {Name: "Clicks", Kind: Integer},
	{Name: "Date", Kind: Moment}, {Name: "Rate Date", Kind: Day}, {Name: "Share", Kind: Percent},
	{Name: "Rate", Kind: Decimal}, {Name: "Test", Kind: Boolean}}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := affiliate.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// table begins a table of columns in a buffer.
func table(t testing.TB, columns []Column, o Options) (*Table, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	w, err := New(t.Context(), &b, columns, o)
	if err != nil {
		t.Fatal(err)
	}
	return w, &b
}

func closed(t testing.TB, w *Table) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// fill writes rows that show what each kind of cell looks like.
func fill(t testing.TB, w *Table) {
	t.Helper()
	rows := []func(){
		func() {
			w.Text("Anna Keller")
			w.Amount(123456, "EUR")
			w.Integer(1234567)
			w.Moment(noon)
			w.Day("2026-11-20")
			w.Percent(1250)
			w.Decimal("1.1684")
			w.Boolean(true)
		},
		func() {
			w.Text("=HYPERLINK(\"http://example.com\",\"a,b\")")
			w.Amount(-1200, "EUR")
			w.Integer(-3)
			w.Moment(noon.AddDate(0, -5, 0))
			w.Day("2024-02-29")
			w.Percent(0)
			w.Decimal("-0.5")
			w.Boolean(false)
		},
		func() {
			w.Text("two\r\nlines, \"quoted\"; Zoë")
			w.Amount(5000, "JPY")
			w.Integer(0)
			w.Moment(time.Time{})
			w.Day("")
			w.Percent(10000)
			w.Scaled(30000, 4)
			w.Boolean(false)
		},
		func() {
			w.Text("@handle")
			w.Amount(-1, "KWD")
			w.Integer(1)
			w.Moment(noon.Add(999 * time.Millisecond))
			w.Day("2026-01-01")
			w.Percent(-725)
			w.Decimal("")
			w.Boolean(true)
		},
		func() {
			for range everyKind {
				w.Empty()
			}
		},
	}
	for _, row := range rows {
		row()
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, w)
}

func TestCSVGolden(t *testing.T) {
	const file = "testdata/every_kind.csv"
	w, got := table(t, everyKind, Options{Format: CSV, Zone: zone(t, "Europe/Berlin")})
	fill(t, w)
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFaultsOfTheCallerAreErrors(t *testing.T) {
	columns := []Column{{Name: "Name", Kind: Text}, {Name: "Value", Kind: Amount}}
	for name, c := range map[string]struct {
		row  func(w *Table)
		want string
	}{
		"another kind": {func(w *Table) { w.Text("a"); w.Integer(3) }, `column "Value" is amount, row 1 has integer`},
		"too many cells": {func(w *Table) {
			w.Text("a")
			w.Amount(1, "EUR")
			w.Text("b")
		}, "row 1 has more than 2 cells"},
		"too many empties": {func(w *Table) { w.Text("a"); w.Empty(); w.Empty() }, "row 1 has more than 2 cells"},
		"too few cells":    {func(w *Table) { w.Text("a") }, `row 1 ends before column "Value"`},
	} {
		for _, format := range []Format{CSV, XLSX} {
			w, _ := table(t, columns, Options{Format: format})
			c.row(w)
			err := w.EndRow()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s as %s: %v, want %q", name, format, err, c.want)
			}
			if again := w.Close(); again != err {
				t.Errorf("%s as %s: Close gives %v, want the same error", name, format, again)
			}
		}
	}
	for _, wrong := range []func(w *Table){
		func(w *Table) {
			w.Day("2026-1-1")
		}, func(w *Table) { w.Day("21.11.2026") }, func(w *Table) { w.Day("2026/11/21") },
	} {
		w, _ := table(t, []Column{{Name: "D", Kind: Day}}, Options{Format: CSV})
		if wrong(w); w.EndRow() == nil {
			t.Error("a wrong day was written")
		}
	}
	for _, wrong := range []string{"=1", "1e3", "+1", "1.", ".5", "-", "1.2.3", "1,5", " 1", "--1"} {
		w, _ := table(t, []Column{{Name: "R", Kind: Decimal}}, Options{Format: CSV})
		if w.Decimal(wrong); w.EndRow() == nil {
			t.Errorf("%q was written as a decimal", wrong)
		}
	}
	if _, err := New(t.Context(), io.Discard, columns, Options{Format: "pdf"}); err == nil {
		t.Error("a table of an unknown format begins")
	}
}

func TestRowWithoutEndAndRowAfterTheEnd(t *testing.T) {
	for _, format := range []Format{CSV, XLSX} {
		w, _ := table(t, []Column{{Name: "A", Kind: Text}, {Name: "B", Kind: Text}}, Options{Format: format})
		w.Text("half")
		if w.Close() == nil {
			t.Errorf("%s: a half row was taken for whole", format)
		}
		w, b := table(t, []Column{{Name: "A", Kind: Text}}, Options{Format: format})
		closed(t, w)
		size := b.Len()
		w.Text("late")
		if w.EndRow() == nil || w.Close() == nil || b.Len() != size {
			t.Errorf("%s: a row was written after the end", format)
		}
	}
}

func TestSums(t *testing.T) {
	w, _ := table(t, []Column{{Name: "Value", Kind: Amount}, {Name: "N", Kind: Integer}, {Name: "Paid", Kind: Amount},
		{Name: "Balance", Kind: Amount, NoSum: true}}, Options{Format: CSV})
	for _, r := range []struct {
		value    int64
		currency money.Currency
		paid     int64
	}{{100, "EUR", 1}, {-30, "EUR", 2}, {5, "JPY", 4}, {7, "USD", 8}, {1, "JPY", 0}} {
		w.Amount(r.value, r.currency)
		w.Integer(9)
		w.Amount(r.paid, "EUR")
		w.Amount(1000, "EUR")
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		w.Empty()
	}
	if err := w.EndRow(); err != nil {
		t.Fatal(err)
	}
	want := []Sum{{"Value", "EUR", 70}, {"Value", "JPY", 6}, {"Value", "USD", 7}, {"Paid", "EUR", 15}}
	if got := w.Sums(); !slices.Equal(got, want) {
		t.Errorf("sums %v, want %v", got, want)
	}
	if w.Rows() != 6 {
		t.Errorf("%d rows, want 6", w.Rows())
	}
}

func TestProgress(t *testing.T) {
	for rows, want := range map[int][]int64{0: {0}, 10: {10}, 2500: {1000, 2000, 2500}, 2000: {1000, 2000}} {
		var told []int64
		w, _ := table(t, []Column{{Name: "N", Kind: Integer}}, Options{Format: CSV, Progress: func(n int64) {
			told = append(told, n)
		}})
		for i := range rows {
			w.Integer(int64(i))
			if err := w.EndRow(); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, w)
		if !slices.Equal(told, want) {
			t.Errorf("%d rows: told %v, want %v", rows, told, want)
		}
	}
}

// TestCancel ends the context in the middle: the rows stop, and what was written cannot be taken for whole.
func TestCancel(t *testing.T) {
	for _, format := range []Format{CSV, XLSX} {
		ctx, cancel := context.WithCancel(t.Context())
		var b bytes.Buffer
		w, err := New(ctx, &b, []Column{{Name: "N", Kind: Integer}}, Options{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		for err == nil && w.Rows() < 1_000_000 {
			if w.Rows() == 3000 {
				cancel()
			}
			w.Integer(w.Rows())
			err = w.EndRow()
		}
		cancel()
		if !errors.Is(err, context.Canceled) || w.Rows() > 3000+checkEvery {
			t.Errorf("%s: %v after %d rows, want canceled soon after 3000", format, err, w.Rows())
		}
		size := b.Len()
		if err := w.Close(); !errors.Is(err, context.Canceled) || b.Len() != size {
			t.Errorf("%s: Close gives %v and writes %d bytes, want canceled and none", format, err, b.Len()-size)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	w, err := New(ctx, io.Discard, nil, Options{Format: CSV})
	cancel()
	if err != nil || !errors.Is(w.Close(), context.Canceled) {
		t.Error("a short table ends although its context did")
	}
}

// brokenWriter fails after some bytes.
type brokenWriter struct{ left int }

var errBroken = errors.New("the disk is full")

func (b *brokenWriter) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, errBroken
	}
	b.left -= len(p)
	return len(p), nil
}

// TestWriteErrors lets the writer fail at every stage; the error must come out at the end at the latest.
func TestWriteErrors(t *testing.T) {
	for _, format := range []Format{CSV, XLSX} {
		write := func(w io.Writer) error {
			table, err := New(t.Context(), w, []Column{{Name: "A", Kind: Text}}, Options{Format: format})
			if err != nil {
				return err
			}
			for i := range 2000 {
				table.Text(strings.Repeat(string(rune('a'+i%26)), 50))
				if err := table.EndRow(); err != nil {
					return err
				}
			}
			return table.Close()
		}
		var whole bytes.Buffer
		if err := write(&whole); err != nil {
			t.Fatal(err)
		}
		for left := 0; left < whole.Len(); left += max(whole.Len()/200, 1) {
			if err := write(&brokenWriter{left}); !errors.Is(err, errBroken) {
				t.Fatalf("%s, room for %d of %d bytes: %v, want the writer's error", format, left, whole.Len(), err)
			}
		}
	}
}

// TestNoGarbagePerRow counts allocations of rows of every kind.
func TestNoGarbagePerRow(t *testing.T) {
	for _, format := range []Format{CSV, XLSX} {
		w, err := New(t.Context(), io.Discard, everyKind, Options{Format: format, Zone: zone(t, "Europe/Berlin")})
		if err != nil {
			t.Fatal(err)
		}
		row := func() {
			w.Text("Müller & Söhne, \"Berlin\"")
			w.Amount(-123456, "EUR")
			w.Integer(12)
			w.Moment(noon)
			w.Day("2026-11-20")
			w.Percent(1250)
			w.Decimal("1.1684")
			w.Boolean(true)
			if err := w.EndRow(); err != nil {
				t.Fatal(err)
			}
		}
		if n := testing.AllocsPerRun(5000, row); n > 0 {
			t.Errorf("%s: %v allocations per row, want none", format, n)
		}
	}
}

func TestParseFormat(t *testing.T) {
	for in, want := range map[string]Format{"csv": CSV, "xlsx": XLSX, ".CSV": CSV, ".Xlsx": XLSX} {
		if got, err := ParseFormat(in); err != nil || got != want {
			t.Errorf("ParseFormat(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "xls", "csvx", "json"} {
		if _, err := ParseFormat(in); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("ParseFormat(%q): %v, want Invalid", in, err)
		}
	}
}
