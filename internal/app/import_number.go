package app

import (
	"regexp"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/sheet"
)

// decimalSign is the sign before the decimals in a file's numbers; 0 where the file does not tell.
type decimalSign byte

// decimalSigns are those that follow from what stands between the cells. Cells that are divided by commas have a point.
// Semicolons stand where the comma is in numbers. Tabs are copied from spreadsheets of any language.
var decimalSigns = map[rune]decimalSign{',': '.', ';': ','}

// number gives the number in a cell as money.ParseScaled reads it, with a point and without signs between thousands;
// false for an empty cell, and for one that is refused. A "%" behind a percentage and the account's currency beside an
// amount, which is not commission_flat, are let pass.
func (c *cells) number(column string, currency money.Currency) (string, bool) {
	text := c.text(column)
	if text == "" {
		return "", false
	}
	if c.cell(column).Kind == sheet.Number {
		return text, true
	}
	bare := text
	if column == "commission_percent" {
		bare = strings.TrimSuffix(bare, "%")
	}
	if currency != "" {
		bare = withoutCurrency(bare, currency)
	}
	plain, reason := c.decimal.plain(strings.TrimSpace(bare))
	if reason != "" {
		c.fail(column, "%q %s", affiliate.Shown(text), money.Plain(reason))
		return "", false
	}
	return plain, true
}

// withoutCurrency takes the currency's code or sign from an amount. Signs that several currencies have are taken for
// the account's, in which the column is.
func withoutCurrency(text string, c money.Currency) string {
	for _, sign := range []string{string(c), map[money.Currency]string{"EUR": "€", "USD": "$", "GBP": "£",
		"JPY": "¥"}[c]} {
		if sign != "" {
			text = strings.TrimSuffix(strings.TrimPrefix(text, sign), sign)
		}
	}
	return text
}

var (
	numeric = regexp.MustCompile(`^[+-]?[0-9.,'’ ]*[0-9][0-9.,'’ ]*$`)
	// grouped is a whole number with one sign between thousands.
	grouped = regexp.MustCompile(
		`^[+-]?[0-9]{1,3}(\.[0-9]{3})+$|^[+-]?[0-9]{1,3}(,[0-9]{3})+$|^[+-]?[0-9]{1,3}('[0-9]{3})+$|` +
			`^[+-]?[0-9]{1,3}( [0-9]{3})+$|` +
			`^[+-]?[0-9]{1,2}(,[0-9]{2})*,[0-9]{3}$`) // as in India
	// eitherWay may be thousands or a number with three decimals.
	eitherWay = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$`)
)

// TypedNumber gives a number that a person typed as money.ParseScaled reads it: with a point and without signs between
// thousands. decimal is the person's sign before decimals, "." or ",". What may be two numbers is refused, with the
// reason and the remedy, of which numbers are marked (money.Marked). What is no number at all is given back as it is.
func TypedNumber(text, decimal string) (number, reason string) {
	text = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "−", "-").Replace(text)
	return decimalSign(decimal[0]).plain(strings.TrimSpace(text))
}

// notNumber is why a text is refused that only looks like a number; the example is marked, for the signs of the reader.
var notNumber = "is not a number; write it like " + money.Marked("1234.5")

// plain reads a number as people and spreadsheets write it in different languages: 1234.5, 1.234,50, 1,234.50,
// 1'234.50. What may be two numbers is refused, with the reason. What is no number at all is left for others.
func (d decimalSign) plain(s string) (number, reason string) {
	if !numeric.MatchString(s) {
		return s, ""
	}
	s = strings.ReplaceAll(s, "’", "'")
	if eitherWay.MatchString(s) && (d == 0 || strings.IndexByte(s, byte(d)) < 0) {
		whole := strings.NewReplacer(".", "", ",", "").Replace(s)
		return "", "may be " + whole + " or a number with three decimals; write " + whole +
			", or another count of decimals"
	}
	whole, decimals := s, ""
	if i := strings.LastIndexAny(s, ".,"); i >= 0 && d.isDecimal(s, i) {
		whole, decimals = s[:i], "."+s[i+1:]
	}
	if strings.ContainsAny(whole, ".,' ") {
		if !grouped.MatchString(whole) || strings.ContainsAny(decimals[min(1, len(decimals)):], ".,' ") {
			return "", notNumber
		}
		whole = strings.NewReplacer(".", "", ",", "", "'", "", " ", "").Replace(whole)
	}
	if strings.ContainsAny(decimals, "' ") {
		return "", notNumber
	}
	if whole == "" || whole == "+" || whole == "-" {
		whole += "0"
	}
	return strings.TrimPrefix(whole, "+") + decimals, ""
}

// isDecimal says whether the last point or comma of a number, at i, stands before decimals: it is there once, and where
// three digits follow, which thousands have too, the other sign stands before it, no thousands can, or the file says
// so.
func (d decimalSign) isDecimal(s string, i int) bool {
	sign := s[i : i+1]
	if strings.Count(s, sign) > 1 {
		return false
	}
	return strings.ContainsAny(s[:i], ".,") || byte(d) == s[i] || !grouped.MatchString(s) ||
		strings.HasPrefix(strings.TrimLeft(s, "+-"), "0")
}
