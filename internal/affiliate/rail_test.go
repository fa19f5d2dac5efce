package affiliate_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// TestRailSet_Takes: who can be paid by a rail in a currency, and why others cannot.
func TestRailSet_Takes(t *testing.T) {
	set := affiliate.RailSet{PayPal: true, SEPA: true, Pain: affiliate.Pain09,
		Stores: map[affiliate.StoreID]money.Currency{1: "EUR"}}
	bank := func(country string) affiliate.Payee {
		return affiliate.Payee{Method: affiliate.MethodBank, Country: country, HasIBAN: true}
	}
	mail := affiliate.Payee{Method: affiliate.MethodPayPal}
	const pain = string(affiliate.Pain09)
	for _, c := range []struct {
		rail     affiliate.Rail
		payee    affiliate.Payee
		currency money.Currency
		variant  string
		why      affiliate.LeftOut
	}{
		{affiliate.RailPayPal, mail, "EUR", "", ""},
		{affiliate.RailPayPal, mail, "JPY", "", ""},
		{affiliate.RailPayPal, mail, "HUF", "", affiliate.LeftCurrency}, // PayPal takes no decimals in it
		{affiliate.RailPayPal, mail, "TWD", "", affiliate.LeftCurrency},
		{affiliate.RailPayPalFile, mail, "HUF", "", affiliate.LeftCurrency},
		{affiliate.RailPayPalFile, mail, "TWD", "", affiliate.LeftCurrency},
		{affiliate.RailPayPal, mail, "INR", "", affiliate.LeftCurrency},
		{affiliate.RailCSVFile, mail, "HUF", "", ""},
		{affiliate.RailPayPal, bank("DE"), "EUR", "", affiliate.LeftIncomplete},
		{affiliate.RailPayPal, affiliate.Payee{}, "EUR", "", affiliate.LeftNoMethod},
		{affiliate.RailSEPAFile, bank("DE"), "EUR", pain, ""},
		{affiliate.RailSEPAFile, bank("AL"), "EUR", pain, ""},
		{affiliate.RailSEPAFile, bank("VA"), "EUR", pain, ""},
		{affiliate.RailSEPAFile, bank("DE"), "USD", "", affiliate.LeftCurrency},
		{affiliate.RailSEPAFile, bank("TR"), "EUR", "", affiliate.LeftIncomplete},
		{affiliate.RailSEPAFile, bank("XK"), "EUR", "", affiliate.LeftIncomplete},
		{affiliate.RailSEPAFile, bank("BR"), "EUR", "", affiliate.LeftIncomplete},
		{affiliate.RailSEPAFile, affiliate.Payee{Method: affiliate.MethodBank, Country: "DE"}, "EUR", "",
			affiliate.LeftIncomplete},
		{affiliate.RailWiseFile, bank("TR"), "EUR", affiliate.WiseBank, ""},
		{affiliate.RailCSVFile, bank("TR"), "EUR", "", ""},
		{affiliate.RailStoreCredit, affiliate.Payee{Method: affiliate.MethodStoreCredit, StoreID: 1}, "EUR", "", ""},
		{affiliate.RailStoreCredit, affiliate.Payee{Method: affiliate.MethodStoreCredit, StoreID: 1}, "USD", "",
			affiliate.LeftCurrency},
		{affiliate.RailStoreCredit, affiliate.Payee{Method: affiliate.MethodStoreCredit, StoreID: 2}, "EUR", "",
			affiliate.LeftNoRail},
	} {
		if variant, why := set.Takes(c.rail, c.payee, c.currency); variant != c.variant || why != c.why {
			t.Errorf("%s of %+v in %s: %q, %q, want %q, %q", c.rail, c.payee, c.currency, variant, why, c.variant,
				c.why)
		}
	}
}

// TestPaymentResult_Moment: a day is one of the account's zone, wherever that is, and nothing is paid before it was
// confirmed or after now.
func TestPaymentResult_Moment(t *testing.T) {
	at := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		m, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	const confirmed, now = "2026-12-30T12:00:00Z", "2027-01-05T12:00:00Z"
	for _, c := range []struct{ zone, day, at, want string }{
		{"UTC", "2027-01-01", "", "2027-01-01T00:00:00Z"},
		{"America/New_York", "2027-01-01", "", "2027-01-01T05:00:00Z"},
		{"Pacific/Auckland", "2027-01-01", "", "2026-12-31T11:00:00Z"},
		{"America/New_York", "2026-12-30", "", confirmed},
		{"Pacific/Auckland", "2026-12-30", "", confirmed},
		{"UTC", "2020-01-01", "", confirmed},
		{"UTC", "2027-01-05", "", now},
		{"Pacific/Auckland", "2027-01-06", "", now}, // it is that day there
		{"UTC", "2027-02-05", "", now},
		{"UTC", "soon", "", ""},
		{"UTC", "", "", ""},
		{"UTC", "", "2027-01-02T03:04:05Z", "2027-01-02T03:04:05Z"},
		{"UTC", "", "2026-01-02T03:04:05Z", confirmed},
		{"UTC", "", "2028-01-02T03:04:05Z", now},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		got := affiliate.PaymentResult{Day: c.day, At: at(c.at)}.Moment(at(confirmed), at(now), zone)
		if !got.Equal(at(c.want)) {
			t.Errorf("%+v is %s", c, got.UTC().Format(time.RFC3339))
		}
	}
}

// TestPaymentResult_Before: a day is over in every zone 36 hours after it begins in UTC.
func TestPaymentResult_Before(t *testing.T) {
	then := time.Date(2026, 11, 30, 11, 59, 0, 0, time.UTC)
	for _, c := range []struct {
		result affiliate.PaymentResult
		at     time.Time
		want   bool
	}{
		{affiliate.PaymentResult{Day: "2026-11-29"}, then, false},
		{affiliate.PaymentResult{Day: "2026-11-29"}, then.Add(2 * time.Minute), true},
		{affiliate.PaymentResult{At: then}, then, false},
		{affiliate.PaymentResult{At: then}, then.Add(1), true},
		{affiliate.PaymentResult{}, then, false},
	} {
		if got := c.result.Before(c.at); got != c.want || c.result.Dated() != (c.result != affiliate.PaymentResult{}) {
			t.Errorf("%+v before %s: %v, dated %v", c.result, c.at, got, c.result.Dated())
		}
	}
}
