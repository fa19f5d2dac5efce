package money

import (
	"fmt"
	"strings"
	"unicode"
)

// ParseWritten reads an amount in minor units of c as files of any language write it: 1234.50, 1.234,50, "1,234.50 €",
// 1'234.5, −100,00, (100.00). The last point or comma stands before decimals where at most as many digits follow it as
// c has; what follows it otherwise are thousands, or zeros.
func ParseWritten(s string, c Currency) (int64, error) {
	wrong := fmt.Errorf("%q is not an amount in %s; write it like 1234.50", shorten(s), c)
	bare := strings.TrimSpace(s)
	negative := strings.HasPrefix(bare, "(") && strings.HasSuffix(bare, ")")
	var b strings.Builder
	for _, r := range strings.Trim(bare, "()") {
		switch {
		case r >= '0' && r <= '9' || r == '.' || r == ',':
			b.WriteRune(r)
		case r == '-' || r == '−':
			if negative || b.Len() > 0 {
				return 0, wrong
			}
			negative = true
		case unicode.IsDigit(r), unicode.IsLetter(r) && !strings.ContainsRune(c.Code(), r):
			return 0, wrong
		}
	}
	number := b.String()
	at, digits := strings.LastIndexAny(number, ".,"), c.Digits()
	if at < 0 {
		at = len(number)
	}
	whole, decimals := number[:at], strings.TrimLeft(number[at:], ".,")
	sign := number[at:min(at+1, len(number))]
	switch zeros := strings.Trim(decimals, "0") == ""; {
	case len(decimals) <= digits, zeros && len(decimals) < 3:
		decimals = decimals[:min(len(decimals), digits)]
	case len(decimals) == 3 && whole != "":
		whole, decimals = whole+sign+decimals, ""
	default:
		return 0, wrong
	}
	whole, ok := joined(whole)
	if !ok {
		return 0, wrong
	}
	text := whole
	if decimals != "" {
		text += "." + decimals
	}
	n, err := Parse(text, c)
	if err != nil {
		return 0, wrong
	}
	if negative {
		n = -n
	}
	return n, nil
}

// joined takes the signs out that stand between thousands; false where they stand elsewhere.
func joined(whole string) (string, bool) {
	sign := strings.IndexAny(whole, ".,")
	if sign < 0 {
		return whole, true
	}
	parts := strings.Split(whole, whole[sign:sign+1])
	for i, p := range parts {
		if strings.ContainsAny(p, ".,") || i > 0 && len(p) != 3 || i == 0 && (len(p) == 0 || len(p) > 3) {
			return "", false
		}
	}
	return strings.Join(parts, ""), true
}
