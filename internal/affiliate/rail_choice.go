package affiliate

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/money"
)

// Variants of files.
const (
	WiseRecipients = "recipients" // recipients that are saved at Wise
	WiseEmail      = "email"      // Wise asks the recipient for an account
	WiseBank       = "bank"       // accounts of the currency's banks
)

// Versions of SEPA files.
const (
	Pain03 PainVersion = "pain.001.001.03"
	Pain09 PainVersion = "pain.001.001.09"
)

// Payee is what is known of where somebody is paid without opening what is sealed.
type Payee struct {
	Method    PaymentMethod
	Country   string // of the IBAN, where there is one
	HasIBAN   bool
	Recipient bool
	StoreID   StoreID
}

// RailSet says what is set up here.
type RailSet struct {
	PayPal bool                       // the API is connected
	SEPA   bool                       // the account that pays is known
	Pain   PainVersion                // which variant of SEPA files
	Stores map[StoreID]money.Currency // that can give credit, and in which currency
}

// paypalCurrencies are those that PayPal pays out in (from memory: developer.paypal.com lists them), but for HUF and
// TWD: PayPal takes no decimals in these ("currency codes" there), and what is due in them has decimals.
var paypalCurrencies = []money.Currency{"AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "EUR", "HKD", "ILS", "JPY", "MYR",
	"MXN", "NZD", "NOK", "PHP", "PLN", "GBP", "SGD", "SEK", "CHF", "THB", "USD"}

// sepaCountries are those whose accounts take part in SEPA (EPC409-09).
var sepaCountries = strings.Fields("AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GG GI GR HR HU IE IM IS IT JE LI LT " +
	"LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA")

// InSEPA says whether an account with an IBAN of a country can be paid by SEPA.
func InSEPA(country string) bool { return slices.Contains(sepaCountries, country) }

// Has says whether a rail can be used at all; whether a store can give credit is said by Takes.
func (s RailSet) Has(r Rail) bool {
	switch r {
	case RailPayPal:
		return s.PayPal
	case RailSEPAFile:
		return s.SEPA
	case RailStoreCredit, RailGiftCard:
		return len(s.Stores) > 0
	}
	return true
}

// Usual is the rail by which a method is paid unless another is chosen: the first that is set up.
func (s RailSet) Usual(m PaymentMethod) Rail {
	rails := m.Rails()
	for _, r := range rails {
		if s.Has(r) {
			return r
		}
	}
	if len(rails) == 0 {
		return ""
	}
	return rails[0]
}

// Takes says whether somebody can be paid by a rail in a currency, and in which variant of its file; else why not.
func (s RailSet) Takes(r Rail, p Payee, c money.Currency) (variant string, why LeftOut) {
	switch {
	case r == RailElsewhere:
		return "", ""
	case p.Method == "":
		return "", LeftNoMethod
	case !slices.Contains(p.Method.Rails(), r):
		return "", LeftIncomplete
	case !s.Has(r) || r.InStore() && s.Stores[p.StoreID] == "":
		return "", LeftNoRail
	case r.InStore() && s.Stores[p.StoreID] != c:
		return "", LeftCurrency
	}
	switch r {
	case RailPayPal, RailPayPalFile:
		if !slices.Contains(paypalCurrencies, c) {
			return "", LeftCurrency
		}
	case RailSEPAFile:
		if c != "EUR" {
			return "", LeftCurrency
		}
		if !p.HasIBAN || !InSEPA(p.Country) {
			return "", LeftIncomplete
		}
		return string(s.Pain), ""
	case RailWiseFile:
		switch {
		case p.Recipient:
			return WiseRecipients, ""
		case p.Method == MethodWise:
			return WiseEmail, ""
		case c == "EUR" && p.HasIBAN, c == "AUD" && !p.HasIBAN:
			return WiseBank, ""
		}
		return "", LeftCurrency
	}
	return "", ""
}

// Most is how many payments one file or request of a rail has at most.
func (r Rail) Most() int {
	switch r {
	case RailPayPal, RailPayPalFile: // the API takes 15,000
		return 5000
	case RailWiseFile:
		return 1000
	case RailStoreCredit, RailGiftCard:
		return 1000
	}
	return 10_000
}
