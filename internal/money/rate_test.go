package money

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseRate(t *testing.T) {
	for in, want := range map[string]string{
		"1.1684": "1.1684", "1": "1", "1.0": "1", "1.1000": "1.1", "0.87058": "0.87058", "20082.05": "20082.05",
		"186.75": "186.75", "100": "100",
		"007.50": "7.5", "0.000000000000000001": "0.000000000000000001", "999999999999999999": "999999999999999999",
		"0.000000000000000001234567890123456": "0.000000000000000001234567890123456", "1" +
			strings.Repeat("0", 17): "1" + strings.Repeat("0", 17),
	} {
		got, err := ParseRate(in)
		if err != nil || got.String() != want {
			t.Errorf("ParseRate(%q) = %s, %v; want %s", in, got, err, want)
		}
		if again, err := ParseRate(got.String()); err != nil || again != got {
			t.Errorf("%q is read back as %v, %v", got.String(), again, err)
		}
	}
	for in, sentence := range map[string]string{
		"": "a decimal number is needed", ".": "a decimal number is needed", "1.": "a decimal number is needed",
		".5": "a decimal number is needed",
		"-1": "a decimal number is needed", "+1": "a decimal number is needed", "1e3": "a decimal number is needed",
		"N/A": "a decimal number is needed",
		"1,5": "a decimal number is needed", "1.2.3": "a decimal number is needed", " 1": "a decimal number is needed",
		"١": "a decimal number is needed",
		"0": "greater than 0", "0.000": "greater than 0", "1234567890123456789": "more than 18 digits",
		"1.234567890123456789":  "more than 18 digits",
		"0.0000000000000000009": "too small", "1." + strings.Repeat("0", 70) + "1": "a decimal number is needed",
	} {
		if got, err := ParseRate(in); !errors.Is(err, ErrRate) || !strings.Contains(err.Error(), sentence) {
			t.Errorf("ParseRate(%q) = %s, %v; want an error with %q", in, got, err, sentence)
		}
	}
	if got := (Rate{}); got.String() != "0" || !got.IsZero() || One.IsZero() || One.String() != "1" {
		t.Errorf("no rate is %s, one is %s", got, One)
	}
}

func TestCross(t *testing.T) {
	for _, c := range []struct{ to, from, want string }{
		{"1.1684", "1", "1.1684"}, {"1", "1.1684", "0.85587127696"}, {"186.75", "1.1684", "159.833960972"},
		{"7.4727", "7.4727", "1"},
		{"0.50", "0.25", "2"}, {"1", "3", "0.333333333333"}, {"2", "3", "0.666666666667"},
		{"1", "20082.05", "0.0000497957130871"},
		{"999999999999999999", "1", "1000000000000000000"}, {"1.000000000005", "1", "1.00000000001"},
		{"1.0000000000049", "1", "1"},
		{"999999999999999999", "0.000000000000000001", "999999999999999999"},
		{"0.000000000000000001", "999999999999999999", "0.000000000000000001"},
	} {
		to, from := rate(t, c.to), rate(t, c.from)
		want := c.want
		if want == "1000000000000000000" { // the rounded result is just out of range
			want = "999999999999999999"
		}
		if got := Cross(to, from); got.String() != want {
			t.Errorf("Cross(%s, %s) = %s, want %s", to, from, got, want)
		}
	}
	if !Cross(One, Rate{}).IsZero() || !Cross(Rate{}, One).IsZero() {
		t.Error("a rate was made of no rate")
	}
}

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		rate     string
		from, to Currency
		want     int64
	}{
		// 1460.5
		{1000, "1", "EUR", "EUR", 1000}, {1000, "1.1684", "EUR", "USD", 1168}, {1250, "1.1684", "EUR", "USD", 1461},
		{-1250, "1.1684", "EUR", "USD", -1461}, {1000, "186.75", "EUR", "JPY", 1868}, {1868, "0.00535475234270", "JPY",
			"EUR", 1000},
		{1, "0.36", "JPY", "KWD", 360}, {1, "0.0004", "USD", "JPY", 0}, {12345, "0.3", "EUR", "KWD", 37035},
		{37035, "3.25", "KWD", "CLF", 1203638},
		{1, "20000", "KWD", "JPY", 20}, {math.MaxInt64, "1.01", "EUR", "USD", math.MaxInt64},
		{math.MinInt64, "1", "EUR", "EUR", -math.MaxInt64},
		{math.MinInt64, "1000000", "JPY", "KWD", -math.MaxInt64}, {0, "1.5", "EUR", "USD", 0},
	} {
		r := rate(t, c.rate)
		if got := r.Convert(c.minor, c.from, c.to); got != c.want {
			t.Errorf("%s: %d %s is %d %s, want %d", r, c.minor, c.from, got, c.to, c.want)
		}
	}
	if got := (Rate{}).Convert(1000, "EUR", "USD"); got != 0 {
		t.Errorf("no rate gives %d, want 0", got)
	}
}

func rate(t *testing.T, s string) Rate {
	t.Helper()
	r, err := ParseRate(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// anyRate draws rates over the whole range, most of them as banks publish them.
func anyRate(t *rapid.T, label string) Rate {
	r, err := ParseRate(rapid.OneOf(
		rapid.StringMatching(`[1-9][0-9]{0,4}\.[0-9]{1,5}`),
		rapid.StringMatching(`[1-9][0-9]{0,17}`),
		rapid.StringMatching(`0\.0{0,16}[1-9][0-9]{0,16}`),
	).Draw(t, label))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func exactly(r Rate) *big.Rat {
	exact, ok := new(big.Rat).SetString(r.String())
	if !ok {
		panic(r.String() + " is no number")
	}
	return exact
}

func TestRateIsReadBackAndExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRate(t, "rate")
		text := r.String()
		again, err := ParseRate(text)
		if err != nil || again != r {
			t.Fatalf("%s is read back as %s, %v", text, again, err)
		}
		if padded, err := ParseRate("0" + text + strings.Repeat("0", strings.Count(text, "."))); err != nil ||
			padded != r {
			t.Fatalf("%s with zeros around it is read as %s, %v", text, padded, err)
		}
	})
}

// TestCrossIsTheNearest: 12 significant digits, off by at most half of the last one, further from zero on a tie.
func TestCrossIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		to, from := anyRate(t, "to"), anyRate(t, "from")
		got := Cross(to, from)
		if again, err := ParseRate(got.String()); err != nil || again != got {
			t.Fatalf("Cross(%s, %s) = %s, which is read back as %s, %v", to, from, got, again, err)
		}
		exact := new(big.Rat).Quo(exactly(to), exactly(from))
		if to == from && got != One {
			t.Fatalf("Cross(%s, %s) = %s, want 1", to, from, got)
		}
		smallest, largest := Rate{1, rateRange}, Rate{mantissa: power10(rateDigits) - 1}
		if got == smallest && exact.Cmp(exactly(smallest)) <= 0 || got == largest && exact.Cmp(exactly(largest)) >= 0 {
			return
		}
		// The 12 digits of the exact quotient, found from its decimal text.
		unit := new(big.Rat).SetInt64(1)
		ten := big.NewRat(10, 1)
		for new(big.Rat).Quo(exact, unit).Cmp(new(big.Rat).SetInt64(power10(crossDigits))) >= 0 {
			unit.Mul(unit, ten)
		}
		for new(big.Rat).Quo(exact, unit).Cmp(new(big.Rat).SetInt64(power10(crossDigits-1))) < 0 {
			unit.Quo(unit, ten)
		}
		if steps := new(big.Rat).Quo(exactly(got), unit); !steps.IsInt() {
			t.Fatalf("Cross(%s, %s) = %s has more than 12 digits", to, from, got)
		}
		nearest(t, new(big.Rat).Quo(exact, unit), new(big.Rat).Quo(exactly(got), unit))
	})
}

// TestConvertIsTheNearest: rounded once, half away from zero, the same for both signs, clamped where int64 ends.
func TestConvertIsTheNearest(t *testing.T) {
	currencies := rapid.SampledFrom([]Currency{"EUR", "USD", "JPY", "KWD", "CLF"})
	rapid.Check(t, func(t *rapid.T) {
		r, from, to := anyRate(t, "rate"), currencies.Draw(t, "from"), currencies.Draw(t, "to")
		minor := rapid.OneOf(rapid.Int64Range(-math.MaxInt64, math.MaxInt64), rapid.Int64Range(-Limit, Limit),
			rapid.Int64Range(-1000, 1000)).Draw(t, "minor")
		got := r.Convert(minor, from, to)
		if other := r.Convert(-minor, from, to); other != -got {
			t.Fatalf("%d gives %d, but %d gives %d", minor, got, -minor, other)
		}
		exact := new(big.Rat).Mul(new(big.Rat).SetInt64(minor), exactly(r))
		exact.Mul(exact, big.NewRat(power10(to.Digits()), power10(from.Digits())))
		half := big.NewRat(1, 2)
		if beyond := new(big.Rat).SetInt64(math.MaxInt64); new(big.Rat).Abs(exact).Cmp(beyond.Add(beyond, half)) >= 0 {
			if got != math.MaxInt64*int64(exact.Sign()) {
				t.Fatalf("%d × %s is %d, want it clamped", minor, r, got)
			}
			return
		}
		nearest(t, exact, new(big.Rat).SetInt64(got))
	})
}

// nearest checks that the whole number got is exact rounded half away from zero.
func nearest(t *rapid.T, exact, got *big.Rat) {
	off := new(big.Rat).Sub(exact, got)
	switch new(big.Rat).Abs(off).Cmp(big.NewRat(1, 2)) {
	case 1:
		t.Fatalf("%s was rounded to %s, off by more than half", exact.FloatString(20), got)
	case 0:
		if off.Sign() == exact.Sign() {
			t.Fatalf("%s was rounded to %s, towards zero", exact.FloatString(20), got)
		}
	}
}

// TestConvertSameCurrency: whatever is in the account's own currency stays as it is.
func TestConvertSameCurrency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minor := rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "minor")
		for _, c := range []Currency{"USD", "JPY", "KWD", "CLF"} {
			if got := One.Convert(minor, c, c); got != minor {
				t.Fatalf("%d %s became %d", minor, c, got)
			}
		}
	})
}

// TestMulDivNearTheEndOfItsWords: the quotient is 2^64 − 1 and rounds up to 2^64, which no word holds.
func TestMulDivNearTheEndOfItsWords(t *testing.T) {
	a, b, d := int64(1190112520884487201), int64(31), int64(2)
	if got := MulDiv(a, b, d); got != math.MaxInt64 {
		t.Errorf("MulDiv(%d, %d, %d) = %d, want it clamped", a, b, d, got)
	}
	if got := MulDiv(-a, b, d); got != math.MinInt64 {
		t.Errorf("MulDiv(%d, %d, %d) = %d, want it clamped", -a, b, d, got)
	}
}
