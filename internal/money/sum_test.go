package money

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSum(t *testing.T) {
	for _, c := range []struct {
		amounts  string
		currency Currency
		want     int64
	}{
		{"3.3333 3.3333 3.3333", "EUR", 1000}, {"0.005", "EUR", 1}, {"-0.005", "EUR", -1}, {"0.0049 0.0001", "EUR", 1},
		{"-3.3333 -3.3333 -3.3333", "EUR", -1000}, {"0.004 -0.004", "EUR", 0}, {"0.5 0.4", "JPY", 1},
		{"-0.0049999999999", "EUR", 0}, {"1.2345 -1.2395", "EUR", -1}, {"", "EUR", 0},
	} {
		var s Sum
		for text := range strings.FieldsSeq(c.amounts) {
			n, err := ParseSum(text, c.currency)
			if err != nil {
				t.Fatal(err)
			}
			s = s.Plus(n)
		}
		if got := s.Round(); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.amounts, c.currency, got, c.want)
		}
	}
}

// TestSumIsExact compares with fractions: sums, differences, multiples and the one rounding at the end.
func TestSumIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Sum
		exact := new(big.Rat)
		for range rapid.IntRange(1, 20).Draw(t, "amounts") {
			n := rapid.Int64Range(-1e12, 1e12).Draw(t, "amount")
			digits := rapid.IntRange(0, 11).Draw(t, "digits")
			text := FormatScaled(n, digits)
			one, err := ParseSum(text, "USD")
			if err != nil {
				t.Fatal(err)
			}
			rat, _ := new(big.Rat).SetString(text)
			units := rapid.Int64Range(1, 1000).Draw(t, "units")
			one, rat = one.Times(units), rat.Mul(rat, big.NewRat(units, 1))
			if rapid.Bool().Draw(t, "minus") {
				s, exact = s.Minus(one), exact.Sub(exact, rat)
			} else {
				s, exact = s.Plus(one), exact.Add(exact, rat)
			}
		}
		cents := exact.Mul(exact, big.NewRat(100, 1))
		away := big.NewRat(1, 2)
		if cents.Sign() < 0 {
			away.Neg(away)
		}
		cents.Add(cents, away)
		if want := new(big.Int).Quo(cents.Num(), cents.Denom()).Int64(); s.Round() != want {
			t.Fatalf("%d, want %d", s.Round(), want)
		}
	})
}
