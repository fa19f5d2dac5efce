package money

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// Rate is an exact positive decimal: how many units of one currency are paid for one unit of another. Equal rates
// compare equal with ==. The zero value is no rate at all.
type Rate struct {
	mantissa int64 // 1 … 10^18 − 1, no multiple of ten unless scale is 0; the rate is mantissa × 10^−scale
	scale    uint8
}

// One converts a currency into itself.
var One = Rate{mantissa: 1}

// ErrRate is wrapped by every error about a rate that cannot be read.
var ErrRate = errors.New("not an exchange rate")

const (
	// rateDigits bounds the significant digits of a rate. Banks publish about six.
	rateDigits = 18
	// rateRange bounds rates to 10^−18 … 10^18.
	rateRange = 18
	// crossDigits is how many significant digits a computed rate keeps.
	crossDigits = 12
	// rateText bounds the text that is looked at; every rate in range is shorter.
	rateText = 64
)

// ParseRate reads a decimal such as "1.1684" or "20082.05": digits with at most one point between them, greater than 0,
// of at most 18 significant digits, between 10^-18 and 10^18. Anything else is an error that wraps ErrRate.
func ParseRate(s string) (Rate, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" || len(s) > rateText {
		return Rate{}, fmt.Errorf("%w: %q (a decimal number is needed, such as 1.1684)", ErrRate, shorten(s))
	}
	digits := whole + strings.TrimRight(fraction, "0")
	scale := len(digits) - len(whole)
	var m int64
	for i := range len(digits) {
		d, ok := digit(digits[i])
		if !ok {
			return Rate{}, fmt.Errorf("%w: %q (a decimal number is needed, such as 1.1684)", ErrRate, shorten(s))
		}
		if m >= power10(rateDigits-1) {
			return Rate{}, fmt.Errorf("%w: %q has more than %d digits", ErrRate, shorten(s), rateDigits)
		}
		m = m*10 + d
	}
	if m == 0 {
		return Rate{}, fmt.Errorf("%w: %q must be greater than 0", ErrRate, shorten(s))
	}
	if decimals(m) <= scale-rateRange {
		return Rate{}, fmt.Errorf("%w: %q is too small", ErrRate, shorten(s))
	}
	return Rate{m, uint8(scale)}, nil
}

// IsZero says that this is no rate.
func (r Rate) IsZero() bool { return r.mantissa == 0 }

// String writes the rate in its one canonical form, which ParseRate reads back: no zeros at the end, one digit at least
// before the point. No rate is "0".
func (r Rate) String() string {
	return FormatScaled(r.mantissa, int(r.scale))
}

// Cross gives units of the currency of to per unit of the currency of from, both given per euro: to ÷ from, rounded to
// 12 significant digits, half away from zero. It is exactly One when they are equal, and no rate when one of them is
// none. A result outside the range of rates is clamped to it.
func Cross(to, from Rate) Rate {
	switch {
	case to.IsZero() || from.IsZero():
		return Rate{}
	case to == from:
		return One
	}
	// The quotient of the mantissas × 10^shift has 12 or 13 digits before the point; 13 are one too many.
	shift := crossDigits - (decimals(to.mantissa) - decimals(from.mantissa))
	n, d := shifted(to.mantissa, shift), shifted(from.mantissa, -shift)
	if new(big.Int).Quo(n, d).Cmp(big.NewInt(power10(crossDigits))) >= 0 {
		shift--
		n, d = shifted(to.mantissa, shift), shifted(from.mantissa, -shift)
	}
	m := divide(n, d).Int64()
	scale := shift + int(to.scale) - int(from.scale)
	for m%10 == 0 && scale > 0 {
		m, scale = m/10, scale-1
	}
	switch {
	case decimals(m)-scale > rateRange:
		return Rate{mantissa: power10(rateDigits) - 1}
	case decimals(m) <= scale-rateRange:
		return Rate{1, rateRange}
	case scale < 0:
		return Rate{mantissa: m * power10(-scale)}
	}
	return Rate{m, uint8(scale)}
}

// Convert gives an amount in minor units of from as minor units of to, rounded once, half away from zero, so that
// the amount with the other sign gives the result with the other sign. A result beyond ±(2^63 − 1) is clamped to it.
func (r Rate) Convert(minor int64, from, to Currency) int64 {
	shift := to.Digits() - from.Digits() - int(r.scale)
	if shift <= 0 && shift >= -rateDigits {
		return max(MulDiv(minor, r.mantissa, power10(-shift)), -math.MaxInt64)
	}
	n := new(big.Int).Mul(big.NewInt(minor), shifted(r.mantissa, shift))
	q := divide(n, shifted(1, -shift))
	if !q.IsInt64() {
		if q.Sign() < 0 {
			return -math.MaxInt64
		}
		return math.MaxInt64
	}
	return max(q.Int64(), -math.MaxInt64)
}

// divide gives n ÷ d rounded half away from zero; d is positive.
func divide(n, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, d, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(d) >= 0 {
		q.Add(q, big.NewInt(int64(n.Sign())))
	}
	return q
}

// shifted gives n × 10^places, or n when places is not positive.
func shifted(n int64, places int) *big.Int {
	b := big.NewInt(n)
	if places > 0 {
		b.Mul(b, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	}
	return b
}

// decimals is how many decimal digits a positive n has.
func decimals(n int64) int {
	count := 0
	for ; n > 0; n /= 10 {
		count++
	}
	return count
}

// power10 gives 10^n for n up to 18.
func power10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// ReferenceRate is what a bank published for one day: units of Currency per euro. The euro itself has none.
type ReferenceRate struct {
	Day      string // 2026-04-13
	Currency Currency
	Rate     Rate
}
