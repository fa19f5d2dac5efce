package affiliate

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of payment details, in characters.
const (
	maxHolder       = 70 // of a name in SEPA (EPC rulebook)
	maxDetailsText  = 70
	maxDetailsWords = 200
	maxPayPalEmail  = 127 // of a receiver (PayPal's Payouts API)
	payPalID        = 13
)

// detailsField is a field of payment details with the methods that have it.
type detailsField struct {
	name    string
	text    *string
	most    int
	methods []PaymentMethod
}

// fields are the fields of payment details that are texts. The address is there only where it was given.
func (d *PaymentDetails) fields() []detailsField {
	account := []PaymentMethod{MethodPayPal, MethodBank, MethodWise}
	bank := []PaymentMethod{MethodBank}
	list := []detailsField{{"holder", &d.Holder, maxHolder, account},
		{"type", (*string)(&d.Type), maxDetailsText, account},
		{"email", &d.Email, 254, []PaymentMethod{MethodPayPal, MethodWise, MethodStoreCredit, MethodGiftCard}},
		{"paypal_id", &d.PayPalID, 20, []PaymentMethod{MethodPayPal}},
		{"iban", &d.IBAN, 60, bank}, {"bic", &d.BIC, 20, bank}, {"account", &d.Account, 34, bank},
		{"routing", &d.Routing, 34, bank}, {"recipient", &d.Recipient, 64, []PaymentMethod{MethodWise}},
		{"words", &d.Words, maxDetailsWords, []PaymentMethod{MethodOther}}}
	if a := d.Address; a != nil {
		for _, f := range []detailsField{{name: "street", text: &a.Street}, {name: "building", text: &a.Building},
			{name: "post_code", text: &a.PostCode}, {name: "town", text: &a.Town},
			{name: "country", text: &a.Country}} {
			f.name, f.most, f.methods = "address."+f.name, maxDetailsText, account
			list = append(list, f)
		}
	}
	return list
}

// DetailsFields are the fields of payment details, by their names in JSON, that a method may have.
func DetailsFields(m PaymentMethod) (names []string) {
	d := PaymentDetails{Address: &PayeeAddress{}}
	for _, f := range d.fields() {
		if slices.Contains(f.methods, m) {
			names = append(names, f.name)
		}
	}
	if m == MethodStoreCredit || m == MethodGiftCard {
		names = append(names, "store_id")
	}
	return names
}

// ParsePaymentDetails reads payment details as people write them, and gives them as they are kept: an IBAN without
// spaces, an address that says nothing left out. Read again they stay the same. What a method does not have is refused
// rather than forgotten. The error names the field by its name in JSON.
//
// Needed are, by method: paypal, an e-mail address or the id of an account at PayPal; bank, the holder, and either an
// IBAN or a number with what names the bank; wise, an e-mail address or a recipient that is saved there; store_credit
// and gift_card, the store and the e-mail address of the customer there; other, words.
func ParsePaymentDetails(d PaymentDetails) (PaymentDetails, error) {
	d.Method = PaymentMethod(Clean(string(d.Method)))
	if err := CheckWord("method", d.Method); err != nil {
		return d, err
	}
	if d.Address != nil {
		address := *d.Address
		d.Address = &address
	}
	for _, f := range d.fields() {
		*f.text = strings.Join(strings.Fields(Clean(strings.ToValidUTF8(*f.text, "�"))), " ")
		switch {
		case *f.text == "":
		case !slices.Contains(f.methods, d.Method):
			return d, FieldErrorf(f.name, "is nothing that %s has; leave it out, or choose another method",
				d.Method.Title())
		case utf8.RuneCountInString(*f.text) > f.most:
			return d, FieldErrorf(f.name, "must not have more than %d characters", f.most)
		case strings.ContainsFunc(*f.text, isControl):
			return d, FieldErrorf(f.name, "has characters that cannot be seen; type it anew")
		}
	}
	if a := d.Address; a != nil && *a == (PayeeAddress{}) {
		d.Address = nil
	}
	inStore := d.Method == MethodStoreCredit || d.Method == MethodGiftCard
	if d.StoreID != 0 && !inStore {
		return d, FieldErrorf("store_id", "is nothing that %s has; leave it out, or choose another method",
			d.Method.Title())
	}
	if err := ValidateEmail(d.Email); err != nil {
		return d, err
	}
	if d.Type != "" {
		if err := CheckWord("type", d.Type); err != nil {
			return d, err
		}
	}
	if err := d.parseAddress(); err != nil {
		return d, err
	}
	switch d.Method {
	case MethodPayPal:
		return d, d.parsePayPal()
	case MethodBank:
		return d, d.parseBank()
	case MethodWise:
		return d, d.parseWise()
	case MethodOther:
		if d.Words == "" {
			return d, FieldErrorf("words", "must say how they are paid")
		}
		return d, nil
	}
	return d, d.parseStore()
}

func (d *PaymentDetails) parseAddress() error {
	a := d.Address
	if a == nil {
		return nil
	}
	a.Country = strings.ToUpper(a.Country)
	switch {
	case a.Town == "":
		return FieldErrorf("address.town", "is missing; an address has a town and a country at least")
	case len(a.Country) != 2 || strings.Trim(a.Country, upperLetters) != "":
		return FieldErrorf("address.country", "must be a code of two letters, such as DE")
	}
	return nil
}

const (
	upperLetters    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letterAndDigits = upperLetters + "abcdefghijklmnopqrstuvwxyz0123456789"
)

func (d *PaymentDetails) parsePayPal() error {
	d.PayPalID = strings.ToUpper(d.PayPalID)
	switch {
	case d.Email == "" && d.PayPalID == "":
		return FieldErrorf("email", "is missing; say the e-mail address, or the id, of the account at PayPal")
	case d.Email != "" && d.PayPalID != "":
		return FieldErrorf("paypal_id", "must be empty beside an e-mail address: one of them is paid")
	case len(d.Email) > maxPayPalEmail:
		return FieldErrorf("email", "must not have more than %d characters at PayPal; say the id of the account "+
			"instead", maxPayPalEmail)
	case d.PayPalID != "" && (len(d.PayPalID) != payPalID || strings.Trim(d.PayPalID, letterAndDigits) != ""):
		return FieldErrorf("paypal_id", "is no id of an account at PayPal; it has %d letters and digits, and "+
			"the recipient finds it in the settings of the account", payPalID)
	}
	return nil
}

func (d *PaymentDetails) parseBank() (err error) {
	if d.Holder == "" {
		return FieldErrorf("holder", "is missing; banks compare the name of the account's holder with its number")
	}
	if d.BIC, err = ParseBIC("bic", d.BIC); err != nil {
		return err
	}
	switch {
	case d.IBAN != "" && d.Account+d.Routing != "":
		return FieldErrorf("account", "must be empty, as routing, beside an IBAN, which says both")
	case d.IBAN != "":
		d.IBAN, err = ParseIBAN("iban", d.IBAN)
		return err
	case d.Account == "" && d.Routing == "":
		return FieldErrorf("iban", "is missing; say it, or the account and routing number where there are no IBANs")
	case d.Account == "":
		return FieldErrorf("account", "is missing; say the number of the account beside that of the bank")
	case d.Routing == "":
		return FieldErrorf("routing", "is missing; say the routing number, sort code or BSB of the bank")
	}
	for _, f := range []struct {
		name string
		text *string
	}{{"account", &d.Account}, {"routing", &d.Routing}} {
		*f.text = strings.NewReplacer(" ", "", "-", "", ".", "").Replace(strings.ToUpper(*f.text))
		if *f.text == "" || strings.Trim(*f.text, letterAndDigits) != "" {
			return FieldErrorf(f.name, "must be letters and digits alone")
		}
	}
	return nil
}

func (d *PaymentDetails) parseWise() error {
	switch {
	case d.Email == "" && d.Recipient == "":
		return FieldErrorf("email", "is missing; say the e-mail address, or the id of a recipient saved at Wise")
	case strings.Trim(d.Recipient, letterAndDigits+"-") != "":
		return FieldErrorf("recipient", "is no id of a recipient at Wise; it has letters, digits and hyphens alone")
	}
	return nil
}

func (d *PaymentDetails) parseStore() error {
	switch {
	case d.StoreID <= 0:
		return FieldErrorf("store_id", "is missing; say the store in which it is given")
	case d.Email == "":
		return FieldErrorf("email", "is missing; say the address by which the store knows the customer")
	}
	return nil
}

// HasIBAN says whether they are those of an account with an IBAN.
func (d PaymentDetails) HasIBAN() bool { return d.IBAN != "" }

// Country is where the bank account is, as a code of two letters, or else where its holder lives; empty where nobody
// has said it.
func (d PaymentDetails) Country() string {
	switch {
	case len(d.IBAN) >= 2:
		return d.IBAN[:2]
	case d.Address != nil:
		return d.Address.Country
	}
	return ""
}

// Masked shows where the money goes to those who know it anyway, and to nobody else: "a•••@example.com",
// "FR14 … 2606". It is of one line; never empty but without a method.
func (d PaymentDetails) Masked() string {
	switch {
	case d.Method == "":
		return ""
	case d.Method == MethodOther:
		return "said in words"
	case d.IBAN != "":
		return d.IBAN[:min(4, len(d.IBAN))] + " … " + lastOf(d.IBAN, 4)
	case d.Account != "":
		return "… " + lastOf(d.Account, 4)
	case d.Email != "":
		return CoverEmail(d.Email)
	}
	return "… " + lastOf(d.PayPalID+d.Recipient, 4)
}

// CoverEmail shows of an e-mail address as much as tells it from others: a•••@example.com.
func CoverEmail(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "•••@" + domain
}

// lastOf gives the last characters of a number, at most a third of it.
func lastOf(s string, most int) string { return s[len(s)-min(most, len(s)/3):] }
