package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in       string
		currency Currency
		want     int64
	}{
		{"12.50", "USD", 1250}, {"-12.5", "USD", -1250}, {"0.005", "USD", 1}, {"-0.005", "USD", -1},
		{"0.0049", "USD", 0},
		{"5689", "JPY", 5689}, {"5689.50", "JPY", 5690}, {"22.050", "KWD", 22050}, {"22.0504", "KWD", 22050},
		{".5", "EUR", 50},
		{"7.", "EUR", 700}, {" 1.00 ", "EUR", 100}, {"+3", "EUR", 300},
	} {
		got, err := Parse(c.in, c.currency)
		if err != nil || got != c.want {
			t.Errorf("Parse(%q, %s) = %d, %v; want %d", c.in, c.currency, got, err, c.want)
		}
	}
	for _, in := range []string{"", " ", ".", "-", "1e3", "12,50", "0x1", "NaN", "1.2.3", "1 000",
		"99999999999999999999", "£5", "1.5x"} {
		if got, err := Parse(in, "USD"); !errors.Is(err, ErrAmount) {
			t.Errorf("Parse(%q) = %d, %v; want ErrAmount", in, got, err)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency Currency
		want     string
	}{
		{0, "USD", "0.00"}, {5, "USD", "0.05"}, {-5, "USD", "-0.05"}, {123456, "EUR", "1234.56"}, {20, "VND", "20"},
		{22050, "KWD", "22.050"}, {-1, "KWD", "-0.001"}, {12345, "CLF", "1.2345"},
	} {
		if got := Format(c.minor, c.currency); got != c.want {
			t.Errorf("Format(%d, %s) = %q, want %q", c.minor, c.currency, got, c.want)
		}
	}
}

func TestFormatIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom([]Currency{"USD", "JPY", "KWD", "CLF"}).Draw(t, "currency")
		n := rapid.Int64Range(-Limit, Limit).Draw(t, "minor")
		got, err := Parse(Format(n, c), c)
		if err != nil || got != n {
			t.Fatalf("Parse(Format(%d)) = %d, %v", n, got, err)
		}
	})
}

func TestMulDivIsExactAndHalfAwayFromZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(-Limit, Limit).Draw(t, "a")
		b := rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "b")
		c := rapid.Int64Range(1, Limit).Draw(t, "c")
		got := MulDiv(a, b, c)
		if exact := new(big.Int).Div(new(big.Int).Mul(big.NewInt(a), big.NewInt(b)), big.NewInt(c)); !exact.IsInt64() {
			if got != math.MaxInt64 && got != math.MinInt64 {
				t.Fatalf("MulDiv(%d, %d, %d) = %d, want it clamped", a, b, c, got)
			}
			return
		}
		// |2(a×b) − 2×got×c| ≤ c, and on a tie the result lies further from zero.
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		twice := new(big.Int).Sub(new(big.Int).Lsh(product, 1), new(big.Int).Lsh(new(big.Int).Mul(big.NewInt(got),
			big.NewInt(c)), 1))
		switch new(big.Int).Abs(twice).Cmp(big.NewInt(c)) {
		case 1:
			t.Fatalf("MulDiv(%d, %d, %d) = %d is off by more than half", a, b, c, got)
		case 0:
			if twice.Sign() == product.Sign() {
				t.Fatalf("MulDiv(%d, %d, %d) = %d rounds a tie towards zero", a, b, c, got)
			}
		}
	})
}

func TestParseCurrency(t *testing.T) {
	for in, want := range map[string]Currency{"usd": "USD", " EUR ": "EUR", "JPY": "JPY", "kwd": "KWD"} {
		if got, err := ParseCurrency(in); err != nil || got != want {
			t.Errorf("ParseCurrency(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "US", "QQQ", "U S", "D E", "DOLLAR"} {
		if got, err := ParseCurrency(in); err == nil {
			t.Errorf("ParseCurrency(%q) = %q, want an error", in, got)
		}
	}
}

func TestOrderCurrency(t *testing.T) {
	for _, c := range []struct {
		in     string
		shown  int
		want   Currency
		code   string
		digits int
		listed bool
	}{
		{"eur", 4, "EUR", "EUR", 2, true}, {"IRT", 0, "IRT:0", "IRT", 0, false}, {"btc", 8, "BTC:8", "BTC", 8, false},
		{"USDT", 18, "USDT:8", "USDT", 8, false}, {" IRHT ", 2, "IRHT:2", "IRHT", 2, false},
	} {
		got, err := OrderCurrency(c.in, c.shown)
		if err != nil || got != c.want || got.Code() != c.code || got.Digits() != c.digits || got.Listed() != c.listed {
			t.Errorf("OrderCurrency(%q, %d) = %q, %v: code %s, %d digits, listed %v", c.in, c.shown, got,
				err, got.Code(), got.Digits(), got.Listed())
		}
	}
	for _, in := range []string{"", "B", "B T C", "BTC:8", "€", "ABCDEFGHIJKLM"} {
		if got, err := OrderCurrency(in, 2); err == nil {
			t.Errorf("OrderCurrency(%q) = %q, want an error", in, got)
		}
	}
	if got := Format(150000, "BTC:8"); got != "0.00150000" {
		t.Errorf("Format is %s", got)
	}
}
