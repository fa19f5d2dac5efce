// Package export writes tables as CSV and XLSX, row by row as they come: the memory it takes depends on neither the
// number of rows nor the size of the file, nothing is put on disk, and the first bytes leave at once. What the tables
// hold and where their rows come from is not its business.
package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Format is a kind of file.
type Format string

const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// ParseFormat reads a format's name or a file's extension, with or without its dot and in any case. The error names the
// field "format".
func ParseFormat(s string) (Format, error) {
	switch f := Format(strings.ToLower(strings.TrimPrefix(s, "."))); f {
	case CSV, XLSX:
		return f, nil
	}
	return "", affiliate.FieldErrorf("format", "must be csv or xlsx")
}

// Media types of the formats.
const (
	MediaCSV  = "text/csv"
	MediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// ContentType is what a file of the format is declared as.
func (f Format) ContentType() string {
	if f == XLSX {
		return MediaXLSX
	}
	return MediaCSV + "; charset=utf-8"
}

// Kind says what the cells of a column are. Every kind may be empty in any row.
type Kind uint8

const (
	Text    Kind = iota
	Amount       // money in the currency of its row
	Integer      // a count
	Moment       // a time, shown in the account's zone
	Day          // a local day: 2026-11-21
	Percent      // in 1/10000: 1250 is 12.50 %
	Decimal      // an exact decimal number, such as an exchange rate
	Boolean
)

func (k Kind) String() string {
	return [...]string{"text", "amount", "integer", "moment", "day", "percent", "decimal", "boolean"}[k]
}

// Column is one column of a table.
type Column struct {
	Name  string
	Kind  Kind
	NoSum bool // amounts that mean nothing when they are added up, such as balances
}

// Options say how a table is written.
type Options struct {
	Format Format
	Title  string         // names the sheets of a workbook
	Zone   *time.Location // in which moments are shown; the headers of their columns name it
	// BOM puts a byte order mark before CSV, without which Excel on Windows does not take it for UTF-8.
	BOM bool
	// Progress, when it is set, is told how many rows have been written, every ProgressEvery rows and at the end.
	Progress func(rows int64)
}

// ProgressEvery is how many rows lie between two calls of Options.Progress.
const ProgressEvery = 1000

// checkEvery is how many rows are written between two looks at the context.
const checkEvery = 256

// Table writes one table. Each row is one call per column, in the order of the columns, and EndRow; after the last row
// comes Close. A cell of another kind than its column, or a row of another length, is an error. The first error, be it
// such a fault, a write that fails or the end of the context, ends the table: EndRow and Close give it from then on,
// and no end is written, so that a workbook cut short cannot be opened. A table that is left behind needs no cleaning
// up.
type Table struct {
	ctx      context.Context
	columns  []Column
	kinds    []Kind // of the columns, close together
	out      encoder
	progress func(int64)
	column   int // whose cell comes next
	rows     int64
	told     int64
	err      error
	digits   digitsCache
	sums     []columnSum // by column
}

// encoder puts cells into a file. It is called in the order of the columns.
type encoder interface {
	text(s string)
	// number writes a count of 10^-digits of a column's kind.
	number(n int64, digits int, k Kind)
	decimal(s string)
	moment(t time.Time)
	day(s string)
	boolean(b bool)
	empty()
	// endRow ends the row and writes it when enough has come together.
	endRow() error
	// close ends the file; the writer below stays open.
	close() error
}

// New begins a table on w, which stays open when the table ends.
func New(ctx context.Context, w io.Writer, columns []Column, o Options) (*Table, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	t := &Table{ctx: ctx, columns: columns, kinds: make([]Kind, len(columns)), progress: o.Progress,
		sums: make([]columnSum, len(columns))}
	heads := make([]Column, len(columns))
	for i, c := range columns {
		t.kinds[i], heads[i] = c.Kind, c
		if c.Kind == Moment {
			heads[i].Name += " (" + o.Zone.String() + ")"
		}
	}
	var err error
	switch o.Format {
	case CSV:
		t.out = newCSV(w, heads, o)
	case XLSX:
		t.out, err = newXLSX(w, heads, o)
	default:
		err = fmt.Errorf("there is no export format %q", o.Format)
	}
	return t, err
}

// next says whether a cell of this kind is due.
func (t *Table) next(k Kind) bool {
	if t.err == nil && t.column < len(t.kinds) && t.kinds[t.column] == k {
		t.column++
		return true
	}
	t.mismatch(k.String())
	return false
}

func (t *Table) mismatch(got string) {
	switch {
	case t.err != nil:
	case t.column >= len(t.columns):
		t.err = fmt.Errorf("export: row %d has more than %d cells", t.rows+1, len(t.columns))
	default:
		c := t.columns[t.column]
		t.err = fmt.Errorf("export: column %q is %s, row %d has %s", c.Name, c.Kind, t.rows+1, got)
	}
}

// Text writes words. They are never taken for a formula, whatever they begin with.
func (t *Table) Text(s string) {
	if t.next(Text) {
		t.out.text(s)
	}
}

// Amount writes minor units of a currency with exactly its digits, and adds them to the column's sum, if it has one.
func (t *Table) Amount(minor int64, c money.Currency) {
	if t.next(Amount) {
		t.out.number(minor, t.digits.of(c), Amount)
		if i := t.column - 1; !t.columns[i].NoSum {
			t.sums[i].add(minor, c)
		}
	}
}

// Integer writes a count.
func (t *Table) Integer(n int64) {
	if t.next(Integer) {
		t.out.number(n, 0, Integer)
	}
}

// Moment writes a time in the table's zone, to the second; the zero time is an empty cell.
func (t *Table) Moment(at time.Time) {
	switch {
	case !t.next(Moment):
	case at.IsZero():
		t.out.empty()
	default:
		t.out.moment(at)
	}
}

// Day writes a day written as 2026-11-21; the empty text is an empty cell.
func (t *Table) Day(day string) {
	switch {
	case !t.next(Day):
	case day == "":
		t.out.empty()
	case !isDay(day):
		t.err = fmt.Errorf("export: %q is no day (row %d)", day, t.rows+1)
	default:
		t.out.day(day)
	}
}

// Percent writes a share in 1/10000: 1250 is 12.50 %, which is 12.50 in CSV and 0.125, shown as 12.50%, in XLSX.
func (t *Table) Percent(n int64) {
	if t.next(Percent) {
		t.out.number(n, 2, Percent)
	}
}

// Decimal writes a decimal number as it is ("1.1684", "-3"); the empty text is an empty cell, any other an error.
func (t *Table) Decimal(s string) {
	switch {
	case !t.next(Decimal):
	case s == "":
		t.out.empty()
	case !isDecimal(s):
		t.err = fmt.Errorf("export: %q is no decimal number (row %d)", s, t.rows+1)
	default:
		t.out.decimal(s)
	}
}

// Scaled writes a count of 10^-digits into a column of decimals.
func (t *Table) Scaled(n int64, digits int) {
	if t.next(Decimal) {
		t.out.number(n, digits, Decimal)
	}
}

// Boolean writes true or false.
func (t *Table) Boolean(b bool) {
	if t.next(Boolean) {
		t.out.boolean(b)
	}
}

// Empty leaves a cell of any kind empty.
func (t *Table) Empty() {
	if t.err == nil && t.column < len(t.kinds) {
		t.column++
		t.out.empty()
		return
	}
	t.mismatch("an empty cell")
}

// EndRow ends a row. The error is the table's first.
func (t *Table) EndRow() error {
	if t.err == nil && t.column < len(t.columns) {
		t.err = fmt.Errorf("export: row %d ends before column %q", t.rows+1, t.columns[t.column].Name)
	}
	if t.err != nil {
		return t.err
	}
	t.column = 0
	if t.err = t.out.endRow(); t.err != nil {
		return t.err
	}
	t.rows++
	if t.rows%checkEvery == 0 {
		t.err = t.ctx.Err()
	}
	if t.rows%ProgressEvery == 0 {
		t.tell()
	}
	return t.err
}

func (t *Table) tell() {
	if t.progress != nil {
		t.progress(t.rows)
		t.told = t.rows
	}
}

// errClosed is what rows after Close meet.
var errClosed = errors.New("export: the table is closed")

// Close writes the end of the file. After an error it writes nothing and gives that error.
func (t *Table) Close() error {
	switch {
	case t.err != nil:
		return t.err
	case t.column > 0:
		t.err = fmt.Errorf("export: row %d has no end", t.rows+1)
	default:
		t.err = t.ctx.Err()
	}
	if t.err == nil {
		t.err = t.out.close()
	}
	if t.err != nil {
		return t.err
	}
	t.err = errClosed
	if t.told < t.rows || t.rows == 0 {
		t.tell()
	}
	return nil
}

// Rows is how many rows have been written, without the header.
func (t *Table) Rows() int64 { return t.rows }

// Sum is what a column of amounts adds up to in one currency, in its minor units.
type Sum struct {
	Column   string
	Currency money.Currency
	Minor    int64
}

// Sums gives the sums of all columns of amounts, in the order of the columns and then of first appearance.
func (t *Table) Sums() []Sum {
	var list []Sum
	for i, s := range t.sums {
		for _, c := range s {
			list = append(list, Sum{t.columns[i].Name, c.currency, c.minor})
		}
	}
	return list
}

// columnSum adds up one column. The currencies of an account are few, so a list beats a map.
type columnSum []struct {
	currency money.Currency
	minor    int64
}

func (s *columnSum) add(minor int64, c money.Currency) {
	for i := range *s {
		if (*s)[i].currency == c {
			(*s)[i].minor += minor
			return
		}
	}
	*s = append(*s, struct {
		currency money.Currency
		minor    int64
	}{c, minor})
}

// digitsCache remembers the digits of the two currencies seen last, which in most rows are the order's and the
// account's.
type digitsCache [2]struct {
	currency money.Currency
	digits   int
}

func (d *digitsCache) of(c money.Currency) int {
	for i := range d {
		if d[i].currency == c && c != "" {
			return d[i].digits
		}
	}
	d[1] = d[0]
	d[0].currency, d[0].digits = c, c.Digits()
	return d[0].digits
}

func isDay(s string) bool {
	if len(s) != len(time.DateOnly) {
		return false
	}
	for i := range len(s) {
		if dash := i == 4 || i == 7; dash && s[i] != '-' || !dash && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// isDecimal says whether s is digits with at most one point between them, and a minus before them if need be.
func isDecimal(s string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return isDigits(whole) && (!point || isDigits(fraction))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
