// Package fxrates reads the euro foreign exchange reference rates that the European Central Bank publishes each working
// day, from the bank's own files: the CSV of the last day and of all days, the XML of the last day, of the last 90 days
// and of all days, and each of them in a ZIP. Which one it is shows in the content, whatever its name.
//
//   - The CSVs have a header "Date,USD,JPY,…" and one line per day, newest first; every line may end with a comma, and
//     N/A
//     stands where there is no rate. The last day's has spaces behind its commas and a date such as "13 April 2026".
//   - The XMLs are gesmes envelopes: <Cube><Cube time="2026-04-13"><Cube currency="USD" rate="1.1684"/>…
//
// Rates are units of currency per euro. Currencies that are not in ISO 4217 any more are left out.
package fxrates

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Limits of what is read. All days since 1999 are an XML of about 8 MB with less than 300,000 rates.
const (
	maxFile    = 32 << 20 // bytes, packed and unpacked
	maxRates   = 1_000_000
	maxColumns = 500
)

// ErrFormat is wrapped by every error about a file that is not as the bank publishes it.
var ErrFormat = errors.New("not a file of reference rates")

// Parse reads one file and gives its rates in the order of the file. Anything that the bank would not write is an error
// that wraps ErrFormat and names the line and column: a rate that is not greater than 0, a date that is none, a day or
// currency that comes twice, a line of another length, an end before the end. Then nothing of the file is given.
func Parse(r io.Reader) ([]money.ReferenceRate, error) {
	text, err := readAll(r)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(text, []byte("PK\x03\x04")) {
		return parseZIP(text)
	}
	return parseText(text)
}

func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%w: it is larger than %d MB", ErrFormat, maxFile>>20)
	}
	return text, err
}

// parseZIP reads an archive of one file.
func parseZIP(packed []byte) ([]money.ReferenceRate, error) {
	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return nil, fmt.Errorf("%w: its ZIP is damaged: %w", ErrFormat, err)
	}
	if n := len(archive.File); n != 1 {
		return nil, fmt.Errorf("%w: its ZIP holds %d files, not one", ErrFormat, n)
	}
	f, err := archive.File[0].Open()
	if err != nil {
		return nil, fmt.Errorf("%w: its ZIP is damaged: %w", ErrFormat, err)
	}
	defer f.Close()
	text, err := readAll(f)
	if err != nil {
		return nil, fmt.Errorf("%w: its ZIP is damaged: %w", ErrFormat, err)
	}
	return parseText(text)
}

func parseText(text []byte) ([]money.ReferenceRate, error) {
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	t := table{days: map[string]bool{}}
	var err error
	switch start := bytes.TrimLeft(text, " \t\r\n"); {
	case bytes.HasPrefix(start, []byte("<")):
		err = t.readXML(text)
	case bytes.HasPrefix(start, []byte("Date")):
		err = t.readCSV(string(text))
	default:
		return nil,
			fmt.Errorf("%w: it is neither the CSV nor the XML of the European Central Bank, nor one of them in a ZIP",
				ErrFormat)
	}
	if err == nil && len(t.list) == 0 {
		err = fmt.Errorf("%w: there are no rates in it", ErrFormat)
	}
	if err != nil {
		return nil, err
	}
	return t.list, nil
}

// table gathers the rates of one file.
type table struct {
	list []money.ReferenceRate
	days map[string]bool
}

// position is where in the file something stands. Lines and columns begin with 1; columns count bytes.
type position struct{ line, column int }

func (p position) errorf(format string, args ...any) error {
	return fmt.Errorf("%w: line %d, column %d: %w", ErrFormat, p.line, p.column, fmt.Errorf(format, args...))
}

// firstYear is when the euro began.
const firstYear = 1999

// startDay reads a date as one of the files writes it.
func (t *table) startDay(text string, at position) (string, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		day, err = time.Parse("2 January 2006", text)
	}
	if err != nil || day.Year() < firstYear {
		return "", at.errorf("%q is not a date of the euro's time, such as 2026-04-13 or 13 April 2026", clip(text))
	}
	name := day.Format(time.DateOnly)
	if t.days[name] {
		return "", at.errorf("%s comes twice", name)
	}
	t.days[name] = true
	return name, nil
}

// currency reads a code; ok is false for one whose rates are left out.
func currency(text string, at position) (c money.Currency, ok bool, err error) {
	if len(text) != 3 || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", false, at.errorf("%q is not a currency code, such as USD", clip(text))
	}
	c, err = money.ParseCurrency(text)
	return c, err == nil && c != "EUR", nil
}

// add reads a rate. N/A, or nothing, stands where there is none.
func (t *table) add(day string, c money.Currency, text string, at position) error {
	if text == "N/A" || text == "" {
		return nil
	}
	rate, err := money.ParseRate(text)
	if err != nil {
		return at.errorf("%s: %w", c, err)
	}
	if len(t.list) == maxRates {
		return at.errorf("there are more than %d rates", maxRates)
	}
	t.list = append(t.list, money.ReferenceRate{Day: day, Currency: c, Rate: rate})
	return nil
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
