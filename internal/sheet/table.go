package sheet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Columns are the headers that a column may have, by what the reader calls it. Case, spaces and signs do not count.
type Columns map[string][]string

// Table is a sheet whose columns were found by their headers, in whatever order they stand; others are passed over.
type Table struct {
	Rows    []Row // without the header
	columns map[string]int
}

// ReadTable reads a file. The error says what of it cannot be read, with the remedy.
func ReadTable(file []byte, c Columns) (Table, error) {
	names := map[string]string{}
	for column, headers := range c {
		for _, h := range headers {
			names[bare(h)] = column
		}
	}
	s, problems := Read(file, func(header string) bool { return names[bare(header)] != "" })
	if len(problems) > 0 {
		p := problems[0]
		if p.Line > 0 {
			return Table{}, fmt.Errorf("line %d: %s", p.Line, p.Reason)
		}
		return Table{}, fmt.Errorf("%s", p.Reason)
	}
	t := Table{columns: map[string]int{}}
	if len(s.Rows) == 0 {
		return t, nil
	}
	t.Rows = s.Rows[1:]
	for column, headers := range c {
		for _, h := range headers { // the first that is there counts
			if i := slices.IndexFunc(s.Rows[0].Cells, func(c Cell) bool { return bare(c.Text) == bare(h) }); i >= 0 {
				t.columns[column] = i
				break
			}
		}
	}
	return t, nil
}

// Lacks gives those of some columns that the table does not have.
func (t Table) Lacks(columns ...string) (list []string) {
	for _, c := range columns {
		if _, there := t.columns[c]; !there {
			list = append(list, c)
		}
	}
	return list
}

// Text is what a row has in a column, tidied; empty without one.
func (t Table) Text(r Row, column string) string {
	i, there := t.columns[column]
	if !there || i >= len(r.Cells) {
		return ""
	}
	return affiliate.Clean(strings.ToValidUTF8(r.Cells[i].Text, "\ufffd"))
}

// bare is a header without what people write differently.
func bare(header string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, header)
}

// Days reads a column of days, such as 2026-11-29, 29.11.2026 or 11/29/2026, with or without a time behind them. Which
// of two numbers between slashes is the month is known where some row has one that cannot be. A day is written
// 2026-11-29, and of no zone; empty where it is not known.
func (t Table) Days(column string) []string {
	days := make([]string, len(t.Rows))
	type slashed struct{ row, first, second, year int }
	var open []slashed
	dayFirst, monthFirst := false, false
	for i, r := range t.Rows {
		text := t.Text(r, column)
		if len(text) < 8 {
			continue
		}
		day, _, _ := strings.Cut(strings.ReplaceAll(text, "T", " "), " ")
		for _, layout := range []string{time.DateOnly, "2.1.2006"} {
			if at, err := time.Parse(layout, day); err == nil {
				days[i] = at.Format(time.DateOnly)
			}
		}
		parts := strings.Split(day, "/")
		if len(parts) != 3 || len(parts[2]) != 4 {
			continue
		}
		s := slashed{row: i}
		for n, to := range []*int{&s.first, &s.second, &s.year} {
			*to, _ = strconv.Atoi(parts[n])
		}
		dayFirst, monthFirst = dayFirst || s.first > 12, monthFirst || s.second > 12
		open = append(open, s)
	}
	if dayFirst == monthFirst {
		return days
	}
	for _, s := range open {
		if dayFirst {
			s.first, s.second = s.second, s.first
		}
		at := time.Date(s.year, time.Month(s.first), s.second, 0, 0, 0, 0, time.UTC)
		if at.Day() == s.second && int(at.Month()) == s.first {
			days[s.row] = at.Format(time.DateOnly)
		}
	}
	return days
}
