package shopify

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// values turns values as they stand into ids, amounts and times. It keeps the first fault, so that its users read
// straight on and ask once.
type values struct {
	place
	currency money.Currency // of amounts whose currency is not said
	decimals int            // how many the body shows, for currencies outside ISO 4217
	warning  string
	err      error
}

func (v *values) fail(field, format string, args ...any) {
	if v.err == nil {
		v.err = affiliate.FieldErrorf(v.name(field), format, args...)
	}
}

func (v *values) missing(field string) {
	v.fail(field, "is missing; have Shopify send whole bodies (a webhook subscription without include_fields)")
}

// id reads an id as a decimal string. Ids are 64-bit numbers, beyond what a float holds exactly.
func (v *values) id(field string, r jsonwalk.Value) string {
	if r.Absent() {
		v.missing(field)
		return ""
	}
	text := r.Content()
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n <= 0 || strconv.FormatInt(n, 10) != text {
		v.fail(field, "%s is not an id; it must be a whole number above 0, not rounded on its way", clip(text))
	}
	return text
}

// count reads a number of units.
func (v *values) count(field string, r jsonwalk.Value) int64 {
	if r.Absent() {
		v.missing(field)
		return 0
	}
	text := r.Content()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > money.Limit {
		v.fail(field, "%s is not a quantity; it must be a whole number, 0 or more", clip(text))
		return 0
	}
	return n
}

// amount reads an amount that must be there and not be negative.
func (v *values) amount(field string, r jsonwalk.Value, c money.Currency) int64 {
	if r.Absent() {
		v.missing(field)
		return 0
	}
	return v.optionalAmount(field, r, c)
}

// optionalAmount reads an amount that must not be negative; a missing one is 0.
func (v *values) optionalAmount(field string, r jsonwalk.Value, c money.Currency) int64 {
	return v.exact(field, r, c).Round()
}

// signedAmount reads an amount of either sign; a missing one is 0.
func (v *values) signedAmount(field string, r jsonwalk.Value, c money.Currency) int64 {
	return v.signed(field, r, c).Round()
}

// exact reads an amount that must not be negative, with all its digits; a missing one is 0.
func (v *values) exact(field string, r jsonwalk.Value, c money.Currency) money.Sum {
	n := v.signed(field, r, c)
	if n.Compare(money.Sum{}) < 0 {
		v.fail(field, "%s is negative; Shopify sends amounts of 0 or more here", clip(string(r)))
		return money.Sum{}
	}
	return n
}

// signed reads an amount of either sign with all its digits. Most amounts are text, those of refund lines are JSON
// numbers; both are read from their digits.
func (v *values) signed(field string, r jsonwalk.Value, c money.Currency) money.Sum {
	if r.Absent() {
		return money.Sum{}
	}
	if !r.IsText() && !r.IsNumber() {
		v.fail(field, `must be an amount, such as "12.50"`)
		return money.Sum{}
	}
	n, err := money.ParseSum(digitsOf(r), c)
	if err != nil {
		v.fail(field, `%v; it must be a decimal number, such as "12.50"`, err)
		return money.Sum{}
	}
	return n
}

// digitsOf gives an amount as a plain decimal.
func digitsOf(r jsonwalk.Value) string {
	if r.IsNumber() {
		return plainDecimal(string(r))
	}
	return r.Text()
}

// decimals is how many decimals an amount shows.
func decimals(r jsonwalk.Value) int {
	if !r.IsText() && !r.IsNumber() {
		return 0
	}
	_, fraction, _ := strings.Cut(digitsOf(r), ".")
	return len(fraction)
}

// plainDecimal writes a JSON number without its exponent, for Ruby writes very small and very large numbers with one.
// An exponent beyond any amount is left for money.Parse to refuse.
func plainDecimal(number string) string {
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return number
	}
	exponent, err := strconv.Atoi(number[i+1:])
	if err != nil || exponent < -30 || exponent > 30 {
		return number
	}
	sign, mantissa := "", number[:i]
	if rest, negative := strings.CutPrefix(mantissa, "-"); negative {
		sign, mantissa = "-", rest
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	point := len(whole) + exponent
	digits := whole + fraction
	if point <= 0 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	return sign + digits[:point] + "." + digits[point:]
}

// add sums amounts and refuses sums that no order has, long before int64 ends.
func (v *values) add(field string, a, b int64) int64 {
	if s := a + b; s <= money.Limit && s >= -money.Limit {
		return s
	}
	v.fail(field, "adds up to more than any order; the body must have been altered")
	return 0
}

// times multiplies a price by a quantity.
func (v *values) times(field string, price money.Sum, quantity int64) money.Sum {
	if quantity > mostUnits || quantity > 0 && price.Round() > money.Limit/quantity {
		v.fail(field, "times the quantity is more than any order; the body must have been altered")
		return money.Sum{}
	}
	return price.Times(quantity)
}

// mostUnits bounds the quantity of a line.
const mostUnits = 1_000_000_000

// plus sums amounts as add does.
func (v *values) plus(field string, a, b money.Sum) money.Sum {
	s := a.Plus(b)
	v.add(field, s.Round(), 0)
	return s
}

// currencyCode reads a currency code that must be there. One outside ISO 4217 is kept with the decimals shown.
func (v *values) currencyCode(field string, r jsonwalk.Value) money.Currency {
	if r.Absent() {
		v.missing(field)
		return ""
	}
	c, err := money.OrderCurrency(v.word(field, r, 20), v.decimals)
	if err != nil {
		v.fail(field, "%v", err)
	}
	return c
}

// time reads a time in UTC, zero when it is missing.
func (v *values) time(field string, r jsonwalk.Value) time.Time {
	if r.Absent() {
		return time.Time{}
	}
	text := r.Content()
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !r.IsText() || t.Year() < 1990 || t.Year() > 2190 {
		v.fail(field, "%s is not a time; it must look like 2026-05-01T09:00:00-04:00", clip(text))
		return time.Time{}
	}
	return t.UTC()
}

// day reads a time that may be a bare day, as disputes have.
func (v *values) day(field string, r jsonwalk.Value) time.Time {
	if r.IsText() {
		if t, err := time.Parse(time.DateOnly, r.Text()); err == nil {
			return t
		}
	}
	return v.time(field, r)
}

// flag reads true or false, false when missing.
func (v *values) flag(field string, r jsonwalk.Value) bool {
	if r.Absent() {
		return false
	}
	if s := string(r); s != "true" && s != "false" {
		v.fail(field, "must be true or false, not %s", clip(s))
	}
	return r[0] == 't'
}

// word reads a text, "" when it is missing, without control characters (PostgreSQL refuses a zero byte) and cut to most
// characters.
func (v *values) word(field string, r jsonwalk.Value, most int) string {
	if r.Absent() {
		return ""
	}
	if !r.IsText() {
		v.fail(field, "must be text, not %s", clip(string(r)))
		return ""
	}
	return tidy(r.Text(), most)
}

func tidy(s string, most int) string {
	if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		s = strings.Map(func(c rune) rune {
			if unicode.IsControl(c) {
				return -1
			}
			return c
		}, s)
	}
	s = strings.TrimSpace(s)
	if len(s) > most && utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most])
	}
	return s
}

// clip quotes a wrong value for a message.
func clip(s string) string { return strconv.Quote(tidy(s, 40)) }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
