package fxrates

import (
	"strings"

	"github.com/tributaryhq/tributary/internal/money"
)

// csvLine is one line of a CSV. The bank quotes nothing.
type csvLine struct {
	number int
	fields []string
}

// at is where a field begins.
func (l csvLine) at(i int) position {
	column := 1
	for _, f := range l.fields[:i] {
		column += len(f) + len(",")
	}
	f := l.fields[i]
	return position{l.number, column + len(f) - len(strings.TrimLeft(f, " \t"))}
}

func (l csvLine) field(i int) string { return strings.TrimSpace(l.fields[i]) }

// readCSV reads a header and a line per day. Every line has the header's length; one cut short is an error.
func (t *table) readCSV(text string) error {
	var columns []money.Currency
	number := 0
	for line := range strings.Lines(text) {
		number++
		if strings.TrimSpace(line) == "" {
			continue
		}
		var err error
		if columns == nil {
			columns, err = t.readHeader(csvLine{number, strings.SplitN(line, ",", maxColumns+1)})
		} else {
			err = t.readLine(columns, csvLine{number, strings.SplitN(line, ",", len(columns)+1)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readHeader gives the currency of each column, "" for those that are left out.
func (t *table) readHeader(l csvLine) ([]money.Currency, error) {
	if len(l.fields) > maxColumns {
		return nil, l.at(maxColumns).errorf("the header has more than %d columns", maxColumns)
	}
	if l.field(0) != "Date" {
		return nil, l.at(0).errorf("the header begins with %q, not with Date", clip(l.field(0)))
	}
	columns := make([]money.Currency, len(l.fields))
	seen := map[string]bool{}
	for i := 1; i < len(l.fields); i++ {
		code := l.field(i)
		if code == "" && i == len(l.fields)-1 {
			break // the comma at the end
		}
		c, known, err := currency(code, l.at(i))
		if err != nil {
			return nil, err
		}
		if seen[code] {
			return nil, l.at(i).errorf("%s comes twice", code)
		}
		if seen[code] = true; known {
			columns[i] = c
		}
	}
	return columns, nil
}

func (t *table) readLine(columns []money.Currency, l csvLine) error {
	switch n := len(l.fields); {
	case n < len(columns):
		return l.at(n-1).errorf("the line ends after %d of %d columns", n, len(columns))
	case n > len(columns):
		return l.at(n-1).errorf("the line has more columns than the header, which has %d", len(columns))
	}
	day, err := t.startDay(l.field(0), l.at(0))
	if err != nil {
		return err
	}
	for i, c := range columns {
		if c == "" {
			continue
		}
		if err := t.add(day, c, l.field(i), l.at(i)); err != nil {
			return err
		}
	}
	return nil
}
