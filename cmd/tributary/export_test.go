package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
)

// sumOf adds up a column of a table by another, which has the currencies.
func sumOf(t *testing.T, rows [][]string, amount, currency string) map[string]any {
	t.Helper()
	a, c := slices.Index(rows[0], amount), slices.Index(rows[0], currency)
	if a < 0 || c < 0 {
		t.Fatalf("there is no %s or no %s among %q", amount, currency, rows[0])
	}
	sums := map[money.Currency]int64{}
	for _, row := range rows[1:] {
		if row[a] == "" {
			continue
		}
		n, err := money.Parse(row[a], money.Currency(row[c]))
		if err != nil {
			t.Fatal(err)
		}
		sums[money.Currency(row[c])] += n
	}
	texts := map[string]any{}
	for c, n := range sums {
		texts[string(c)] = money.Format(n, c)
	}
	return texts
}

func TestExportCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		if s.env["DATABASE_URL"] != "" {
			s.run("migrate").exits(0)
		}
		s.run("simulate", "--history", "--conversions", "400", "--years", "1", "--campaigns", "5", "--creators", "40",
			"--seed", "3", "--until", "2026-06-30").exits(0)
		dir := s.TempDir()
		ledger, err := csv.NewReader(strings.NewReader(s.run("export", "ledger", "-o", "-").exits(0).stdout)).ReadAll()
		if err != nil || len(ledger) < 2 {
			t.Fatalf("the ledger has %d rows, %v", len(ledger), err)
		}
		creator := ledger[1][slices.Index(ledger[0], "Creator ID")]
		for what, c := range map[string]struct {
			args   []string
			rows   float64 // 0: some
			amount string
		}{
			"conversions": {nil, 400, "Value"},
			"orders":      {[]string{"--store", "fern-us"}, 0, "Total"},
			"ledger":      {[]string{"--from", "2026-01-01"}, 0, "Amount"},
			"statement":   {[]string{creator}, 0, "Amount"},
		} {
			file := filepath.Join(dir, what+".csv")
			got := s.run(append(append([]string{"export", what}, c.args...), "-o", file, "--json")...).exits(0).json()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
			if err != nil || got["rows"] != float64(len(rows)-1) || c.rows != 0 && got["rows"] != c.rows ||
				len(rows) < 2 || got["file"] != file {
				t.Errorf("%s: %v, but the file has %d rows, %v", what, got, len(rows)-1, err)
			}
			if want := sumOf(t, rows, c.amount,
				"Currency"); !maps.Equal(got["sums"].(map[string]any)[c.amount].(map[string]any), want) {
				t.Errorf("%s: the sums are %v, the file adds up to %v", what, got["sums"], want)
			}
			// The same in the other format, and on stdout.
			book := filepath.Join(dir, what+".xlsx")
			out := s.run(append(append([]string{"export", what}, c.args...), "-o", book)...).exits(0).stdout
			if !strings.Contains(out, fmt.Sprintf("Wrote %d rows to %s.\n", len(rows)-1, book)) ||
				!strings.Contains(out, "  "+c.amount+": ") {
				t.Errorf("%s: %q", what, out)
			}
			if n := rowsOfWorkbook(t, book); n != len(rows)-1 {
				t.Errorf("%s: the workbook has %d rows, want %d", what, n, len(rows)-1)
			}
			r := s.run(append([]string{"export", what, "-o", "-"}, c.args...)...).exits(0)
			if r.stdout != string(text) || r.stderr != "" {
				t.Errorf("%s: stdout differs from the file; stderr: %q", what, r.stderr)
			}
		}
		if names, err := filepath.Glob(filepath.Join(dir, "*.part")); err != nil || len(names) > 0 {
			t.Errorf("left behind: %v, %v", names, err)
		}
		file := filepath.Join(dir, "bom")
		s.run("export", "ledger", "-o", file, "--format", "csv", "--bom", "--kind", "bonus").exits(0)
		if text, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(text, []byte("\ufeffEntry ID,")) ||
			bytes.Count(text, []byte("\n")) != 1 {
			t.Errorf("got %q, %v", text, err)
		}
	})
}

func rowsOfWorkbook(t *testing.T, name string) int {
	t.Helper()
	f, err := excelize.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	return len(rows) - 1
}

func TestExportCommands_options(t *testing.T) {
	s := shell{T: t, env: map[string]string{"DATA_DIR": t.TempDir()}}
	for want, args := range map[string][]string{
		"missing: -o":                             {"orders"},
		"ends neither in .csv nor in .xlsx":       {"orders", "-o", "orders.txt"},
		"must be csv or xlsx":                     {"orders", "-o", "orders.csv", "--format", "pdf"},
		"--json has stdout for itself":            {"orders", "-o", "-", "--json"},
		"--status: must be pending, paid":         {"orders", "-o", "x.csv", "--status", "lost"},
		"--kind: must be accrual, reversal":       {"ledger", "-o", "x.csv", "--kind", "gift"},
		"--campaign: \"spring\" is not an id":     {"ledger", "-o", "x.csv", "--campaign", "spring"},
		"--creator: \"anna\" is not an id":        {"ledger", "-o", "x.csv", "--creator", "anna"},
		"--offer: \"ten\" is not an id":           {"conversions", "-o", "x.csv", "--offer", "ten"},
		"--approval: must be approved, rejected":  {"conversions", "-o", "x.csv", "--approval", "maybe"},
		"--currency: \"EURO\" is not a currency":  {"ledger", "-o", "x.csv", "--currency", "EURO"},
		"CREATOR: \"anna\" is not an id":          {"statement", "anna", "-o", "x.csv"},
		"an argument is missing: CREATOR -o FILE": {"statement", "-o", "x.csv"},
	} {
		if r := s.run(append([]string{"export"}, args...)...); r.code == exitOK || !strings.Contains(r.stderr, want) {
			t.Errorf("export %v: %d, %q; want it to say %q", args, r.code, r.stderr, want)
		}
	}
	for want, args := range map[string][]string{
		"--from must be a day such as": {"orders", "-o", "x.csv", "--from", "soon"},
		"--to must be a day such as":   {"statement", "cre_1", "-o", "x.csv", "--to", "soon"},
		"there is no":                  {"conversions", "-o", "x.csv", "--store", "nowhere"},
		"there is no cmp_9":            {"conversions", "-o", "x.csv", "--campaign", "cmp_9"},
		"there is no cre_9":            {"statement", "cre_9", "-o", "x.csv"},
		"there is no off_9":            {"conversions", "-o", "x.csv", "--offer", "off_9"},
		"no such file or directory":    {"orders", "-o", filepath.Join(t.TempDir(), "none", "x.csv")},
	} {
		s.run(append([]string{"export"}, args...)...).exits(exitError, want)
	}
	if _, err := os.Stat("x.csv"); err == nil {
		t.Error("an export that failed left a file")
	}
}

// TestExportKeepsNoHalfFile stops exports midway: what was there before stays, and nothing else.
func TestExportKeepsNoHalfFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(file, []byte("of yesterday"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	for _, c := range []struct {
		err  error
		want string
	}{{context.Canceled, "stopped before the end; nothing was kept"}, {fmt.Errorf("export orders: %w", full),
		full.Error()}} {
		var stderr bytes.Buffer
		run := &call{terminal: terminal{stdout: io.Discard, stderr: &stderr}, flags: flag.NewFlagSet("export",
			flag.ContinueOnError)}
		err := (&exportOptions{what: "orders", output: file}).write(t.Context(), run, export.CSV,
			func(_ context.Context, _ io.Writer, o app.ExportOptions) (app.Exported, error) {
				w, err := o.Begin(1_000_000)
				if err != nil {
					return app.Exported{}, err
				}
				if _, err := w.Write(make([]byte, 2*fileBuffer)); err != nil {
					return app.Exported{}, err
				}
				o.Progress(1000)
				return app.Exported{}, c.err
			})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
		text, readErr := os.ReadFile(file)
		names, globErr := filepath.Glob(file + "*")
		if readErr != nil || globErr != nil || string(text) != "of yesterday" || len(names) != 1 {
			t.Errorf("the file has %d bytes beside %v, %v, %v", len(text), names, readErr, globErr)
		}
	}
}
