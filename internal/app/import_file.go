package app

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// importColumns are the columns of a creators' file; those that are needed come first.
var importColumns = []string{"campaign", "creator", "offer", "instagram", "email", "store", "code", "link_slug",
	"landing_url", "commission_percent", "commission_flat", "product_value"}

const neededColumns = 3

// LineError is what is wrong with one line of a file. Line 1 is the header.
type LineError struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
}

func (e LineError) String() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d, %s: %s", e.Line, e.Column, e.Reason)
}

// importRow is one line, tidied and checked by itself.
type importRow struct {
	line      int
	campaign  string
	creator   string
	instagram string
	email     string
	offer     string
	store     string
	code      string
	slug      string
	landing   string
	rule      *affiliate.Rule // nil: both cells are empty
	product   *int64          // minor units of the account's currency; nil: empty
}

func (r importRow) hasLink() bool { return r.slug != "" || r.landing != "" }

// readImport reads a whole file. Lines that cannot be used are in the errors, all of them.
func readImport(file io.Reader, currency money.Currency) ([]importRow, []LineError, error) {
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read the file: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if line, ok := badUTF8(text); ok {
		return nil, []LineError{{Line: line, Reason: "this is not UTF-8; save the file as \"CSV UTF-8\""}}, nil
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = separator(text)
	r.FieldsPerRecord = -1 // wrong counts are reported with the other errors
	header, err := r.Read()
	if err != nil {
		return nil, []LineError{headerError(err)}, nil
	}
	columns, bad := readHeader(header)
	if len(bad) > 0 {
		return nil, bad, nil
	}
	rows, bad := readRows(r, columns, len(header), currency)
	if len(bad) == 0 && len(rows) == 0 {
		bad = []LineError{{Line: 2, Reason: "there is no line below the header"}}
	}
	return rows, bad, nil
}

// separator is what stands between the cells: a comma, or what spreadsheets put there instead, which is a semicolon
// where numbers are written with a comma, and a tab where cells are copied. No column's name holds any of them.
func separator(text []byte) rune {
	header, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	if i := bytes.IndexAny(header, ",;\t"); i >= 0 {
		return rune(header[i])
	}
	return ','
}

func badUTF8(text []byte) (line int, bad bool) {
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			return 1 + bytes.Count(text[:len(text)-len(rest)], []byte("\n")), true
		}
		rest = rest[size:]
	}
	return 0, false
}

func headerError(err error) LineError {
	if errors.Is(err, io.EOF) {
		return LineError{Line: 1, Reason: "the file is empty; its first line must name the columns: " +
			strings.Join(importColumns, ",")}
	}
	return csvError(err, 1)
}

// csvError says what is wrong with quotes, in words for people who do not know the parser's.
func csvError(err error, line int) LineError {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return LineError{Line: p.StartLine,
			Reason: fmt.Sprintf("quotes are not closed or stand where they must not (%v)", p.Err)}
	}
	return LineError{Line: line, Reason: err.Error()}
}

// readHeader gives the place of each column by name.
func readHeader(header []string) (map[string]int, []LineError) {
	columns := map[string]int{}
	var bad []LineError
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		_, twice := columns[name]
		switch {
		case !slices.Contains(importColumns, name):
			bad = append(bad, LineError{Line: 1, Column: name, Reason: "is not a known column; there are: " +
				strings.Join(importColumns, ",")})
		case twice:
			bad = append(bad, LineError{Line: 1, Column: name, Reason: "stands there twice"})
		}
		columns[name] = i
	}
	for _, name := range importColumns[:neededColumns] {
		if _, ok := columns[name]; !ok {
			bad = append(bad, LineError{Line: 1, Column: name, Reason: "this column is missing"})
		}
	}
	return columns, bad
}

func readRows(r *csv.Reader, columns map[string]int, width int, currency money.Currency) ([]importRow, []LineError) {
	var rows []importRow
	var bad []LineError
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, bad
		}
		if err != nil {
			return rows, append(bad, csvError(err, 0)) // behind open quotes nothing can be told apart
		}
		line, _ := r.FieldPos(0)
		if blank(record) {
			continue
		}
		if len(record) != width {
			bad = append(bad, LineError{Line: line, Reason: fmt.Sprintf("has %d fields, the header has %d",
				len(record), width)})
			continue
		}
		c := cells{line: line, record: record, columns: columns}
		row := c.row(currency)
		rows, bad = append(rows, row), append(bad, c.bad...)
	}
}

func blank(record []string) bool {
	return !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" })
}

// cells reads the cells of one line and collects what is wrong with them.
type cells struct {
	line    int
	record  []string
	columns map[string]int
	bad     []LineError
}

// text is empty for a column that the file does not have.
func (c *cells) text(column string) string {
	i, ok := c.columns[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(c.record[i])
}

func (c *cells) needed(column string) string {
	v := c.text(column)
	if v == "" {
		c.fail(column, "must not be empty")
	}
	return v
}

func (c *cells) fail(column, format string, args ...any) {
	c.bad = append(c.bad, LineError{Line: c.line, Column: column, Reason: fmt.Sprintf(format, args...)})
}

// check notes an error about a column.
func (c *cells) check(column string, err error) {
	if err == nil {
		return
	}
	var e *affiliate.Error
	if errors.As(err, &e) {
		c.fail(column, "%s", e.Message)
		return
	}
	c.fail(column, "%s", err)
}

func (c *cells) row(currency money.Currency) importRow {
	r := importRow{line: c.line, campaign: c.needed("campaign"), creator: c.needed("creator"), offer: c.needed("offer"),
		instagram: affiliate.TidyHandle(c.text("instagram")), email: c.text("email"), store: c.text("store"),
		code: c.text("code"), slug: affiliate.FoldSlug(c.text("link_slug")), landing: c.text("landing_url")}
	c.checkNames(r)
	c.check("email", affiliate.ValidateEmail(r.email))
	switch {
	case r.code == "" && !r.hasLink():
		c.fail("code", "a line needs a code, or a link with landing_url; this one has neither")
	case r.code != "" && r.store == "":
		c.fail("store", "a code needs the slug of the store that it is valid in; see: tributary store list")
	}
	if r.code != "" {
		c.check("code", affiliate.ValidateCode(r.code))
	}
	if r.slug != "" && !affiliate.ValidSlug(r.slug) {
		c.fail("link_slug", "must have 1 to %d characters of a-z, 0-9, - and _", affiliate.MaxSlug)
	}
	if r.hasLink() {
		c.check("landing_url", affiliate.ValidateLandingURL(r.landing))
	}
	r.rule = c.rule()
	if v := c.text("product_value"); v != "" {
		n, err := affiliate.ParseAmount("product_value", v, currency)
		c.check("product_value", err)
		r.product = &n
	}
	return r
}

// checkNames lets the domain's own rules judge names and handles.
func (c *cells) checkNames(r importRow) {
	if r.campaign != "" {
		c.check("campaign", affiliate.Campaign{Name: r.campaign}.Validate())
	}
	if r.creator != "" {
		c.check("creator", affiliate.Creator{Name: r.creator}.Validate())
	}
	if r.instagram != "" && r.creator != "" {
		c.check("instagram", affiliate.Creator{Name: "x",
			Handles: map[string]string{affiliate.Instagram: r.instagram}}.Validate())
	}
	if r.offer != "" {
		c.check("offer", affiliate.Offer{Name: r.offer, Type: affiliate.OfferPromoCode,
			Status: affiliate.OfferActive}.Validate())
	}
}

// rule is nil when both cells are empty; one empty cell beside a filled one means 0.
func (c *cells) rule() *affiliate.Rule {
	percent, flat := c.text("commission_percent"), c.text("commission_flat")
	if percent == "" && flat == "" {
		return nil
	}
	var r affiliate.Rule
	var err error
	if percent != "" {
		r.Percent, err = affiliate.ParsePercent("commission_percent",
			strings.TrimSpace(strings.TrimSuffix(percent, "%")))
		c.check("commission_percent", err)
	}
	if flat != "" {
		r.Flat, err = affiliate.ParseFlat("commission_flat", flat)
		c.check("commission_flat", err)
	}
	return &r
}

func (r importRow) campaignKey() string { return affiliate.FoldName(r.campaign) }
