package money

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseWritten(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency Currency
		want     int64
	}{
		{"100.5", "EUR", 10050}, {"100,50", "EUR", 10050}, {"1.234,50", "EUR", 123450}, {"1,234.50", "EUR", 123450},
		{"-1.234.567,8", "EUR", -123456780}, {"1,234,567", "EUR", 123456700}, {"1'234.50", "EUR", 123450},
		{"1 234,50 €", "EUR", 123450}, {"EUR 7", "EUR", 700}, {"−7,00", "EUR", -700}, {"(7.00)", "EUR", -700},
		{".5", "EUR", 50}, {"7.", "EUR", 700}, {"1.234", "EUR", 123400}, {"1.234", "TND", 1234}, {"1,234.5", "TND",
			1234500},
		{"1,234", "JPY", 1234}, {"1234.00", "JPY", 1234}, {"0.00", "EUR", 0},
	} {
		if got, err := ParseWritten(c.text, c.currency); err != nil || got != c.want {
			t.Errorf("%q in %s is %d, %v; want %d", c.text, c.currency, got, err, c.want)
		}
	}
	for _, wrong := range []string{"", "-", "EUR", "abc", "1,2,3", "12,34.5.6", "1.23456", "1-2", "(-1)", "1,23,456.00",
		"7 USD", ".123", "١٢", "99999999999999999999", "1.234,567,8"} {
		if got, err := ParseWritten(wrong, "EUR"); err == nil || !strings.Contains(err.Error(),
			"is not an amount in EUR") {
			t.Errorf("%q is %d, %v", wrong, got, err)
		}
	}
}

// TestParseWritten_property: what is written with any signs is read back.
func TestParseWritten_property(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := rapid.SampledFrom([]Currency{"EUR", "JPY", "TND"}).Draw(r, "currency")
		n := rapid.Int64Range(-Limit, Limit).Draw(r, "amount")
		signs := rapid.SampledFrom([][2]string{{".", ""}, {",", ""}, {".", ","}, {",", "."}, {".", "'"}, {",",
			" "}}).Draw(r, "signs")
		plain := strings.TrimPrefix(Format(n, c), "-")
		whole, decimals, some := strings.Cut(plain, ".")
		text := whole
		if signs[1] != "" && c != "TND" { // whose thousands and decimals look alike
			for i := len(whole) - 3; i > 0; i -= 3 {
				text = text[:i] + signs[1] + text[i:]
			}
		}
		if some {
			text += signs[0] + decimals
		}
		if n < 0 {
			text = "-" + text
		}
		if got, err := ParseWritten(text, c); err != nil || got != n {
			r.Fatalf("%q is %d, %v; want %d", text, got, err, n)
		}
	})
}
