package dashboard

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

func paymentDetailsRoutes() []route {
	pay := may(affiliate.MayPay)
	return []route{
		{http.MethodGet, "/creators/:id/payment-details", signedIn, (*request).paymentDetailsPage},
		{http.MethodPost, "/creators/:id/payment-details", pay, (*request).setPaymentDetails},
		{http.MethodPost, "/creators/:id/payment-details/remove", pay, (*request).removePaymentDetails},
	}
}

func paymentDetailsAddress(id affiliate.CreatorID) string {
	return creatorAddress(id) + "/payment-details"
}

// paymentDetailsPage shows where a creator is paid, covered, and asks for it anew.
type paymentDetailsPage struct {
	creatorHead
	Now     detailsLine
	Before  []detailsLine
	Mails   bool // they hear of changes
	Hold    string
	Method  affiliate.PaymentMethod // that the form is for
	Methods []choice
	Fields  []detailsInput
	Types   []choice
	Stores  []choice // none but for what is given in a store
	Type    string
	Store   string
	Errors  fieldErrors
}

// detailsLine is what was entered once.
type detailsLine struct {
	storage.PaymentDetails
	Title string // of the method; empty: they were taken away
	Since string
	Held  string // until when nothing is paid there; empty: it can be used
}

// detailsInput is a field of the form, empty at first: what is sealed is not shown again.
type detailsInput struct{ Name, Label, Hint, Value, Error string }

// detailsLabels are what people call the fields of payment details, in the order in which they are asked for.
var detailsLabels = []detailsInput{
	{Name: "holder", Label: "Account holder", Hint: "As the bank has the name: banks compare it with the number."},
	{Name: "email", Label: "E-mail", Hint: "Of the account, or of the customer in the store."},
	{Name: "paypal_id", Label: "PayPal id", Hint: "Instead of an e-mail address."},
	{Name: "recipient", Label: "Id of the recipient at Wise", Hint: "Of one that is saved there."},
	{Name: "iban", Label: "IBAN"}, {Name: "bic", Label: "BIC", Hint: "It may stay empty."},
	{Name: "account", Label: "Account number", Hint: "Only where there are no IBANs."},
	{Name: "routing", Label: "Routing number, sort code or BSB", Hint: "Beside an account number."},
	{Name: "words", Label: "How they are paid", Hint: "In words, for whoever pays by hand."},
	{Name: "address.street", Label: "Street"}, {Name: "address.building", Label: "House number"},
	{Name: "address.post_code", Label: "Post code"}, {Name: "address.town", Label: "Town"},
	{Name: "address.country", Label: "Country", Hint: "Two letters. An address is rarely needed."},
}

func (r *request) paymentDetailsPage() error {
	p, err := r.paymentDetails(affiliate.PaymentMethod(r.Query("method")), nil)
	if err != nil {
		return err
	}
	return r.show("payment_details.html", &p)
}

// paymentDetails reads what was entered, and makes the form of a method; of none the one that is there.
func (r *request) paymentDetails(method affiliate.PaymentMethod, errs fieldErrors) (p paymentDetailsPage, err error) {
	if p.creatorHead, err = r.creatorHead("payment-details", "Payment details"); err != nil {
		return p, err
	}
	list, err := r.d.App.DB.PaymentDetailsOf(r.Request.Context(), p.Creator.ID)
	if err != nil {
		return p, err
	}
	for i, d := range list {
		line := detailsLine{PaymentDetails: d, Title: d.Method.Title(), Since: r.moment(d.CreatedAt)}
		if i > 0 {
			p.Before = append(p.Before, line)
			continue
		}
		if d.UsableAt.After(r.d.App.Now()) {
			line.Held = r.moment(d.UsableAt)
		}
		p.Now = line
		if method == "" {
			method = d.Method
		}
	}
	words := affiliate.Words[affiliate.PaymentMethod]()
	if !slices.Contains(words, method) {
		method = words[0]
	}
	p.Method, p.Errors, p.Mails = method, errs, r.d.App.Mailer != nil
	p.Hold = counted(int64(r.settings.DetailsHoldDays), "day", "days")
	for _, m := range words {
		p.Methods = append(p.Methods, choice{string(m), m.Title()})
	}
	return p, r.detailsForm(&p)
}

// detailsForm makes the fields of the form, with what was typed into them.
func (r *request) detailsForm(p *paymentDetailsPage) error {
	has := affiliate.DetailsFields(p.Method)
	for _, f := range detailsLabels {
		if slices.Contains(has, f.Name) {
			f.Value, f.Error = r.field(f.Name), p.Errors[f.Name]
			p.Fields = append(p.Fields, f)
		}
	}
	p.Type, p.Store = r.field("type"), r.field("store_id")
	if slices.Contains(has, "type") {
		p.Types = []choice{{string(affiliate.PayeePerson), "A person"}, {string(affiliate.PayeeBusiness), "A business"}}
	}
	if !slices.Contains(has, "store_id") {
		return nil
	}
	stores, _, err := r.d.App.DB.Stores(r.Request.Context(), storage.Page{Limit: storage.MaxLimit})
	for _, s := range stores {
		p.Stores = append(p.Stores, choice{s.ID.String(), s.Name})
	}
	return err
}

// typedDetails reads the form. Fields of other methods, which a page that was open for long may send, are not read.
func (r *request) typedDetails() (d affiliate.PaymentDetails, err error) {
	d = affiliate.PaymentDetails{Method: affiliate.PaymentMethod(r.field("method")), Address: &affiliate.PayeeAddress{}}
	texts := map[string]*string{"holder": &d.Holder, "type": (*string)(&d.Type), "email": &d.Email,
		"paypal_id": &d.PayPalID, "iban": &d.IBAN, "bic": &d.BIC, "account": &d.Account, "routing": &d.Routing,
		"recipient": &d.Recipient, "words": &d.Words, "address.street": &d.Address.Street,
		"address.building": &d.Address.Building, "address.post_code": &d.Address.PostCode,
		"address.town": &d.Address.Town, "address.country": &d.Address.Country}
	for _, name := range affiliate.DetailsFields(d.Method) {
		if text := texts[name]; text != nil {
			*text = r.field(name)
		} else if d.StoreID, err = affiliate.OptionalID[affiliate.StoreID](name, "str_", r.field(name)); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (r *request) setPaymentDetails() error {
	c, err := r.creatorOf()
	if err != nil {
		return err
	}
	d, err := r.typedDetails()
	var saved storage.PaymentDetails
	if err == nil {
		saved, err = r.d.App.SetPaymentDetails(r.Request.Context(), c.ID, d)
	}
	if err == nil {
		said := "It is written down where they are paid."
		if saved.UsableAt.After(r.d.App.Now()) {
			said += " Nothing is paid there before " + r.moment(saved.UsableAt) + "."
		}
		return r.done(paymentDetailsAddress(c.ID), said)
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.paymentDetails(d.Method, errs)
	if err != nil {
		return err
	}
	for field, text := range errs {
		if !slices.ContainsFunc(p.Fields, func(f detailsInput) bool { return f.Name == field }) &&
			field != "store_id" && field != "type" {
			p.Errors = fieldErrors{"": strings.TrimSpace(text)}
		}
	}
	r.render(http.StatusUnprocessableEntity, "payment_details.html", &p)
	return nil
}

func (r *request) removePaymentDetails() error {
	c, err := r.creatorOf()
	if err == nil {
		_, err = r.d.App.RemovePaymentDetails(r.Request.Context(), c.ID)
	}
	if err != nil {
		return err
	}
	return r.done(paymentDetailsAddress(c.ID), "Nothing is paid to them until you say where to.")
}
