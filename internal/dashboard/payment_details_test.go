package dashboard

import (
	"net/http"
	"testing"
)

// TestPaymentDetails: owners say where creators are paid, field by field and without script; everybody else sees it
// covered, and a form that they forge changes nothing.
func TestPaymentDetails(t *testing.T) {
	h := newHouse(t)
	const at = "/creators/cre_1/payment-details"
	o := h.owner()
	o.get(at).is(http.StatusOK).says("Nobody has said where to pay them", "PayPal id")
	o.get(at+"?method=bank").is(http.StatusOK).says("IBAN", "Account holder").hides("PayPal id")
	for _, c := range []struct {
		field string
		form  []string
	}{
		{"email", []string{"method", "paypal", "email", "anna@"}},
		{"iban", []string{"method", "bank", "holder", "Anna Ahlers", "iban", "DE03120300000000202051"}},
		{"holder", []string{"method", "bank", "iban", "DE02120300000000202051"}},
		{"address.town", []string{"method", "wise", "email", "anna@example.com", "address.country", "DE"}},
		{"words", []string{"method", "other"}},
	} {
		a := o.post(at, c.form...).is(http.StatusUnprocessableEntity)
		if a.one(`input[name="`+c.field+`"]`).attr("aria-invalid") != "true" {
			t.Errorf("%s: the form comes back as\n%s", c.field, a.text())
		}
	}
	o.post(at, "method", "cash").is(http.StatusUnprocessableEntity).says("Must be paypal")
	o.post(at, "method", "paypal", "email", "anna@example.com", "iban", "left over").at(at).
		says("It is written down where they are paid", "a•••@example.com").hides("anna@example.com", "On hold")
	o.post(at, "method", "bank", "holder", "Anna Ahlers", "iban", "FR14 2004 1010 0505 0001 3M02 606").at(at).
		says("Nothing is paid there before", "On hold until", "FR14 … 2606", "Before").
		hides("0505", "They get a mail").says("no mail server is set")
	v := h.viewer()
	v.get(at).is(http.StatusOK).says("FR14 … 2606", "a•••@example.com").hides("Save", "Remove")
	v.post(at, "method", "paypal", "email", "thief@example.com").is(http.StatusForbidden)
	v.post(at + "/remove").is(http.StatusForbidden)
	h.manager().post(at, "method", "paypal", "email", "thief@example.com").is(http.StatusForbidden)
	h.manager().post(at + "/remove").is(http.StatusForbidden)
	o.post(at+"/remove").at(at).says("Nobody has said where to pay them", "FR14 … 2606")
	o.get("/creators/cre_99/payment-details").is(http.StatusNotFound)
	o.get("/settings/audit").is(http.StatusOK).says("said where to pay", "took away where to pay").
		hides("thief", "0505")
}
