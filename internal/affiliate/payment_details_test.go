package affiliate_test

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestParsePaymentDetails: each method needs its fields and takes no others, and errors name the field.
func TestParsePaymentDetails(t *testing.T) {
	const paypal, bank, wise = affiliate.MethodPayPal, affiliate.MethodBank, affiliate.MethodWise
	const credit, card, other = affiliate.MethodStoreCredit, affiliate.MethodGiftCard, affiliate.MethodOther
	type details = affiliate.PaymentDetails
	for _, c := range []struct {
		in     details
		field  string // of the error
		masked string
	}{
		{details{}, "method", ""},
		{details{Method: "cash"}, "method", ""},
		{details{Method: paypal}, "email", ""},
		{details{Method: paypal, Email: "anna"}, "email", ""},
		{details{Method: paypal, Email: " anna@example.com\u200b"}, "", "a•••@example.com"},
		{details{Method: paypal, PayPalID: "k7q2m9x8y7z6w"}, "", "… 7Z6W"},
		{details{Method: paypal, PayPalID: "K7/2M9X8Y7Z6W"}, "paypal_id", ""},
		{details{Method: paypal, PayPalID: "K7Q2M9X8Y7Z6"}, "paypal_id", ""},
		{details{Method: paypal, PayPalID: "K7Q2M9X8Y7Z6WW"}, "paypal_id", ""},
		{details{Method: paypal, Email: "a@" + strings.Repeat("x", 117) + ".example"}, "", "a•••@" +
			strings.Repeat("x", 117) + ".example"},
		{details{Method: paypal, Email: "a@" + strings.Repeat("x", 118) + ".example"}, "email", ""}, // 128 characters
		{details{Method: wise, Email: "a@" + strings.Repeat("x", 118) + ".example"}, "", "a•••@" +
			strings.Repeat("x", 118) + ".example"},
		{details{Method: paypal, Email: "a@example.com", PayPalID: "K7Q2M9X8Y7Z6W"}, "paypal_id", ""},
		{details{Method: paypal, Email: "a@example.com", IBAN: "DE02120300000000202051"}, "iban", ""},
		{details{Method: paypal, Email: "a@example.com", StoreID: 1}, "store_id", ""},
		{details{Method: paypal, Email: "a@example.com", Type: "robot"}, "type", ""},
		{details{Method: bank, IBAN: "DE02120300000000202051"}, "holder", ""},
		{details{Method: bank, Holder: "Anna Keller"}, "iban", ""},
		{details{Method: bank, Holder: "Anna Keller", IBAN: "fr14 2004 1010 0505 0001 3m02 606"}, "", "FR14 … 2606"},
		{details{Method: bank, Holder: "Anna Keller", IBAN: "DE03120300000000202051"}, "iban", ""},
		{details{Method: bank, Holder: "A", IBAN: "DE02120300000000202051", BIC: "x"}, "bic", ""},
		{details{Method: bank, Holder: "A", IBAN: "DE02120300000000202051", Account: "1"}, "account", ""},
		{details{Method: bank, Holder: "A", IBAN: "DE02120300000000202051", Email: "a@example.com"}, "email", ""},
		{details{Method: bank, Holder: strings.Repeat("A", 71), IBAN: "DE02120300000000202051"}, "holder", ""},
		{details{Method: bank, Holder: "A\x00", IBAN: "DE02120300000000202051"}, "holder", ""},
		{details{Method: bank, Holder: "Mia", Account: "1234-5678"}, "routing", ""},
		{details{Method: bank, Holder: "Mia", Routing: "062-000"}, "account", ""},
		{details{Method: bank, Holder: "Mia", Account: "1234/5678", Routing: "062-000"}, "account", ""},
		{details{Method: bank, Holder: "Mia", Account: "1234-5678", Routing: "062-000"}, "", "… 78"},
		{details{Method: wise}, "email", ""},
		{details{Method: wise, Email: "anna@example.com"}, "", "a•••@example.com"},
		{details{Method: wise, Recipient: "148563324"}, "", "… 324"},
		{details{Method: wise, Recipient: "1485 33;4"}, "recipient", ""},
		{details{Method: credit, Email: "anna@example.com"}, "store_id", ""},
		{details{Method: card, StoreID: 3}, "email", ""},
		{details{Method: card, StoreID: 3, Email: "anna@example.com"}, "", "a•••@example.com"},
		{details{Method: credit, StoreID: 3, Email: "anna@example.com", Holder: "Anna"}, "holder", ""},
		{details{Method: other}, "words", ""},
		{details{Method: other, Words: "PayID 0412 345 678"}, "", "said in words"},
		{details{Method: wise, Email: "a@example.com", Address: &affiliate.PayeeAddress{Country: "de"}},
			"address.town", ""},
		{details{Method: wise, Email: "a@example.com", Address: &affiliate.PayeeAddress{Town: "Bonn"}},
			"address.country", ""},
		{details{Method: wise, Email: "anna@example.com",
			Address: &affiliate.PayeeAddress{Town: "Bonn", Country: "de"}}, "", "a•••@example.com"},
		{details{Method: wise, Email: "anna@example.com", Address: &affiliate.PayeeAddress{Street: " "}}, "",
			"a•••@example.com"},
	} {
		got, err := affiliate.ParsePaymentDetails(c.in)
		if c.field != "" {
			wantField(t, err, c.field)
			continue
		}
		if err != nil || got.Masked() != c.masked {
			t.Errorf("%+v: %q, %v", c.in, got.Masked(), err)
		}
		again, err := affiliate.ParsePaymentDetails(got)
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%+v read again is %+v, %v", got, again, err)
		}
	}
}

// TestPaymentDetails_country: a bank account is where its IBAN says, or where its holder lives.
func TestPaymentDetails_country(t *testing.T) {
	address := &affiliate.PayeeAddress{Town: "Sydney", Country: "AU"}
	for want, d := range map[string]affiliate.PaymentDetails{
		"FR": {IBAN: "FR1420041010050500013M02606", Address: address},
		"AU": {Account: "12345678", Address: address}, "": {Account: "12345678"}} {
		if d.Country() != want || d.HasIBAN() != (want == "FR") {
			t.Errorf("%+v is in %q", d, d.Country())
		}
	}
}

// TestAttack_details: whatever is typed, details that are taken stay as they are when they are read again, are of one
// line each, and their mask has less than half of what it covers.
func TestAttack_details(t *testing.T) {
	text := rapid.OneOf(rapid.StringOfN(rapid.RuneFrom([]rune("aZ19 -@.\r\n\x00=+é…")), 0, 20, -1), rapid.SampledFrom(
		[]string{"", "anna@example.com", "DE02 1203 0000 0000 2020 51", "62000", "12345678", "K7Q2M9X8Y7Z6W"}))
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom(affiliate.Words[affiliate.PaymentMethod]()).Draw(t, "method")
		d := affiliate.PaymentDetails{Method: method}
		texts := map[string]*string{"holder": &d.Holder, "email": &d.Email, "paypal_id": &d.PayPalID, "iban": &d.IBAN,
			"account": &d.Account, "routing": &d.Routing, "recipient": &d.Recipient, "words": &d.Words}
		for _, name := range affiliate.DetailsFields(method) {
			if to := texts[name]; to != nil && rapid.Bool().Draw(t, "has "+name) {
				*to = text.Draw(t, name)
			}
		}
		if method == affiliate.MethodGiftCard || method == affiliate.MethodStoreCredit {
			d.StoreID = 1
		}
		got, err := affiliate.ParsePaymentDetails(d)
		if err != nil {
			if affiliate.KindOf(err) != affiliate.Invalid || !strings.Contains(err.Error(), ": ") {
				t.Fatalf("%v names no field", err)
			}
			return
		}
		again, err := affiliate.ParsePaymentDetails(got)
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%+v read again is %+v, %v", got, again, err)
		}
		for _, s := range []string{got.Holder, got.Email, got.IBAN, got.Account, got.Words, got.Masked()} {
			if strings.ContainsAny(s, "\r\n\x00") {
				t.Fatalf("%q is not one line", s)
			}
		}
		secret := got.IBAN + got.Account + got.PayPalID + got.Recipient
		switch masked := got.Masked(); {
		case got.Words != "":
			if masked != "said in words" {
				t.Fatalf("words are shown as %q", masked)
			}
		case got.Email != "":
			local, _, _ := strings.Cut(got.Email, "@")
			if shown, _, _ := strings.Cut(masked, "•••"); len([]rune(shown)) != 1 || !strings.HasPrefix(local, shown) {
				t.Fatalf("%q is shown as %q", got.Email, masked)
			}
		default:
			if shown := strings.NewReplacer(" ", "", "…", "").Replace(masked); 2*len(shown) > len(secret) &&
				len(secret) > 0 {
				t.Fatalf("%q is shown as %q", secret, masked)
			}
		}
	})
}
