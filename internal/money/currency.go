package money

import (
	"fmt"
	"strings"
)

// Currency is an ISO 4217 code in upper case, such as "USD".
type Currency string

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

// Digits is how many decimals amounts of this currency have: 0 for JPY, 3 for KWD, 2 for most.
func (c Currency) Digits() int {
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
