// Package money holds amounts as integers in the minor units of a currency, reads and writes them as decimal
// strings, and divides them with one rounding rule: half away from zero. There is no float in it.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Limit bounds every amount that is read: 10^15 minor units. Sums of thousands of such amounts still fit int64, and a
// number beyond it is a broken payload, not a sale.
const Limit = 1_000_000_000_000_000

// ErrAmount is wrapped by every error about an amount that cannot be read.
var ErrAmount = errors.New("not an amount")

// Parse reads a decimal string ("12.50", "-3", "5689", "22.0500") as minor units of c. Digits beyond the currency's own
// are rounded half away from zero, since stores may be set up with more decimals than their currency has.
func Parse(s string, c Currency) (int64, error) {
	return ParseScaled(s, c.Digits())
}

// ParseScaled reads a decimal string as an integer count of 10^-digits.
func ParseScaled(s string, digits int) (int64, error) {
	negative, n, rest, err := parse(s, digits)
	if err != nil {
		return 0, err
	}
	if rest >= restUnit/2 {
		n++
	}
	if negative {
		n = -n
	}
	return n, nil
}

// restDigits are the digits beyond a currency's own that are kept while amounts are added up.
const restDigits, restUnit = 9, 1_000_000_000

// parse reads a decimal string as a count of 10^-digits without its sign, and what is left over in units of
// 10^-restDigits of that; further digits are read and dropped.
func parse(s string, digits int) (negative bool, n, rest int64, err error) {
	text := strings.TrimSpace(s)
	if strings.HasPrefix(text, "-") {
		negative, text = true, text[1:]
	} else if strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		return false, 0, 0, fmt.Errorf("%w: %q (write it without an exponent)", ErrAmount, shorten(s))
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" && fraction == "" {
		return false, 0, 0, fmt.Errorf("%w: %q", ErrAmount, shorten(s))
	}
	for i := range len(whole) + max(len(fraction), digits+restDigits) {
		d := int64(0)
		if at := i - len(whole); at < len(fraction) {
			c := byte(0)
			if at < 0 {
				c = whole[i]
			} else {
				c = fraction[at]
			}
			var ok bool
			if d, ok = digit(c); !ok {
				return false, 0, 0, fmt.Errorf("%w: %q", ErrAmount, shorten(s))
			}
		}
		switch at := i - len(whole); {
		case at < digits:
			if n = n*10 + d; n > Limit {
				return false, 0, 0, fmt.Errorf("%w: %q is too large", ErrAmount, shorten(s))
			}
		case at < digits+restDigits:
			rest = rest*10 + d
		}
	}
	return negative, n, rest, nil
}

func digit(b byte) (int64, bool) {
	if b < '0' || b > '9' {
		return 0, false
	}
	return int64(b - '0'), true
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// Format writes minor units of c as a decimal string with exactly the currency's digits: 1250 USD is "12.50", 20 VND
// "20".
func Format(minor int64, c Currency) string {
	return FormatScaled(minor, c.Digits())
}

// FormatScaled writes a count of 10^-digits as a decimal string with exactly that many digits.
func FormatScaled(n int64, digits int) string {
	sign := ""
	u := uint64(n)
	if n < 0 {
		sign, u = "-", uint64(-n)
	}
	if digits == 0 {
		return fmt.Sprintf("%s%d", sign, u)
	}
	s := fmt.Sprintf("%0*d", digits+1, u)
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}

// MulDiv gives a × b ÷ c, rounded half away from zero, without overflow in between. It gives 0 when c is 0. A result
// beyond int64 is clamped to it.
func MulDiv(a, b, c int64) int64 {
	if c == 0 || a == 0 || b == 0 {
		return 0
	}
	negative := (a < 0) != (b < 0) != (c < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	d := magnitude(c)
	if hi >= d {
		return clamp(negative)
	}
	q, r := bits.Div64(hi, lo, d)
	if r >= d-r && q < math.MaxUint64 {
		q++
	}
	if q > math.MaxInt64 {
		return clamp(negative)
	}
	if negative {
		return -int64(q)
	}
	return int64(q)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

func clamp(negative bool) int64 {
	if negative {
		return math.MinInt64
	}
	return math.MaxInt64
}
