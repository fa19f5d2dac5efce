package money

import (
	"fmt"
	"strconv"
	"strings"
)

// Currency is an ISO 4217 code in upper case, such as "USD". Orders may also be in a currency outside ISO 4217, such as
// tomans or bitcoins: "IRT:0", "BTC:8". Such a one carries the digits of its amounts after a colon, since nobody has
// laid them down; two stores' "BTC:8" and "BTC:4" are two currencies. There is no rate for it.
type Currency string

// mostDigits bounds the digits of currencies outside ISO 4217.
const mostDigits = 8

// iso lists the ISO 4217 codes with two decimals; others are in the tables below (ISO 4217 list one, amendment 176).
const iso = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF" +
	" CNY COP CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG " +
	"HUF IDR" +
	" ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR " +
	"MWK MXN" +
	" MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS" +
	" SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL "

const noDecimals = " BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "

const threeDecimals = " BHD IQD JOD KWD LYD OMR TND "

const fourDecimals = " CLF UYW "

// ParseCurrency reads a currency code in any case. An unknown code is an error that names it.
func ParseCurrency(s string) (Currency, error) {
	code := strings.ToUpper(strings.TrimSpace(s))
	if len(code) != 3 || strings.Contains(code, " ") {
		return "", fmt.Errorf("%q is not a currency code (three letters, such as USD)", shorten(s))
	}
	for _, list := range []string{iso, noDecimals, threeDecimals, fourDecimals} {
		if strings.Contains(list, " "+code+" ") {
			return Currency(code), nil
		}
	}
	return "", fmt.Errorf("unknown currency %q (an ISO 4217 code is needed, such as USD)", shorten(s))
}

// OrderCurrency reads the currency of an order whose amounts are written with so many digits: an ISO 4217 code, else
// whatever code of 2 to 12 letters and digits the store has, with the digits shown, at most 8. It is an error that
// names the code where it is none.
func OrderCurrency(s string, digits int) (Currency, error) {
	if c, err := ParseCurrency(s); err == nil {
		return c, nil
	}
	code := strings.ToUpper(strings.TrimSpace(s))
	if len(code) < 2 || len(code) > 12 {
		return "", fmt.Errorf("%q is not a currency code (such as USD)", shorten(s))
	}
	for _, c := range []byte(code) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return "", fmt.Errorf("%q is not a currency code (such as USD)", shorten(s))
		}
	}
	return Currency(code + ":" + strconv.Itoa(min(max(0, digits), mostDigits))), nil
}

// Code is the currency as people write it: "USD", "BTC".
func (c Currency) Code() string {
	code, _, _ := strings.Cut(string(c), ":")
	return code
}

// String is Code, so that no page or message shows the digits; what is kept in SQL and JSON is the value itself.
func (c Currency) String() string { return c.Code() }

// Listed says whether ISO 4217 has the currency. Others are never converted.
func (c Currency) Listed() bool { return !strings.Contains(string(c), ":") }

// Digits is how many decimals amounts of this currency have: 0 for JPY, 3 for KWD, 2 for most.
func (c Currency) Digits() int {
	if _, digits, ok := strings.Cut(string(c), ":"); ok {
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 || n > mostDigits {
			return 2 // not made by OrderCurrency
		}
		return n
	}
	if len(c) != 3 {
		return 2
	}
	padded := " " + string(c) + " "
	switch {
	case strings.Contains(noDecimals, padded):
		return 0
	case strings.Contains(threeDecimals, padded):
		return 3
	case strings.Contains(fourDecimals, padded):
		return 4
	}
	return 2
}
