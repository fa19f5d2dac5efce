package affiliate

import (
	"strings"
)

// ibanLengths are the lengths of IBANs by country (SWIFT IBAN registry).
var ibanLengths = map[string]int{"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22,
	"BH": 22, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20,
	"EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
	"HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
	"LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27,
	"MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
	"SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24,
	"TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20}

// ParseIBAN reads the number of a bank account as people write it, with spaces and in any case, and gives it without
// and in upper case. The error is of the field: it names what is wrong.
func ParseIBAN(field, text string) (string, error) {
	iban := strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, Clean(text)))
	if len(iban) < 5 || strings.Trim(iban, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return "", FieldErrorf(field, "%q is no IBAN; it looks like DE02 1203 0000 0000 2020 51", Clip(text, 40))
	}
	length, known := ibanLengths[iban[:2]]
	switch {
	case !known:
		return "", FieldErrorf(field, "begins with %s, and no country with IBANs has that code", iban[:2])
	case len(iban) != length:
		return "", FieldErrorf(field, "has %d characters, and an IBAN of %s has %d", len(iban), iban[:2], length)
	case ibanRest(iban) != 1:
		return "", FieldErrorf(field, "is mistyped: its check digits (%s) do not fit the rest", iban[2:4])
	}
	return iban, nil
}

// ibanRest is the remainder of ISO 7064 MOD 97-10: 1 for what is typed right.
func ibanRest(iban string) int {
	rest := 0
	for _, r := range iban[4:] + iban[:4] {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest
}

// ParseBIC reads the code of a bank: 8 or 11 letters and digits. Empty is allowed.
func ParseBIC(field, text string) (string, error) {
	bic := strings.ToUpper(strings.ReplaceAll(Clean(text), " ", ""))
	ok := len(bic) == 8 || len(bic) == 11
	for i, r := range bic {
		letter, digit := r >= 'A' && r <= 'Z', r >= '0' && r <= '9'
		ok = ok && (letter || digit && (i < 4 || i > 5))
	}
	if bic != "" && !ok {
		return "", FieldErrorf(field, "%q is no BIC; it looks like BYLADEM1001", Clip(text, 40))
	}
	return bic, nil
}
