package shopify

import (
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// typed is what is typed into the admin's form for a new code, Discounts > Create discount, in the form's order: what
// differs from a fresh form.
func typed(n affiliate.NewCoupon) (list []affiliate.TypedField) {
	d := n.Discount
	choose := func(label, value string) { list = append(list, affiliate.TypedField{Label: label, Value: value}) }
	write := func(label, value, after string) {
		list = append(list, affiliate.TypedField{Label: label, Value: money.Marked(value) + after, Copy: value})
	}
	limited := len(d.Products)+len(d.Collections) > 0
	if limited {
		choose("Create discount", "Amount off products")
	} else {
		choose("Create discount", "Amount off order")
	}
	choose("Method", "Discount code")
	list = append(list, affiliate.TypedField{Label: "Discount code", Value: n.Code, Copy: n.Code})
	if d.Kind == affiliate.DiscountFixed {
		choose("Discount value", "Fixed amount")
		write("Value", money.Format(d.Amount, d.Currency), " "+d.Currency.Code())
	} else {
		choose("Discount value", "Percentage")
		percent := money.FormatScaled(d.Percent, 2)
		write("Value", strings.TrimSuffix(strings.TrimRight(percent, "0"), "."), " %")
	}
	switch {
	case len(d.Products) > 0:
		choose("Applies to", "Specific products")
		list = append(list, ids("Products", d.Products))
	case limited:
		choose("Applies to", "Specific collections")
		list = append(list, ids("Collections", d.Collections))
	}
	if d.Minimum > 0 {
		choose("Minimum purchase requirements", "Minimum purchase amount")
		write("Minimum purchase amount", money.Format(d.Minimum, d.Currency), " "+d.Currency.Code())
	}
	if d.UsageLimit > 0 {
		choose("Maximum discount uses", "Limit number of times this discount can be used in total")
		write("Number of times", strconv.FormatInt(d.UsageLimit, 10), "")
	}
	if d.OncePerCustomer {
		choose("Maximum discount uses", "Limit to one use per customer")
	}
	if d.Combines {
		choose("Combinations", "Product discounts, Order discounts, Shipping discounts")
	}
	if !d.StartsAt.IsZero() {
		list = append(list, moment("Start", d.StartsAt)...)
	}
	if !d.EndsAt.IsZero() {
		choose("Active dates", "Set end date")
		list = append(list, moment("End", d.EndsAt)...)
	}
	return list
}

func ids(label string, ids []string) affiliate.TypedField {
	return affiliate.TypedField{Label: label, Value: "those with the ids " + strings.Join(ids, ", ")}
}

// moment is a time in the two fields of the form, which takes it by the shop's clock.
func moment(label string, at time.Time) []affiliate.TypedField {
	at = at.UTC()
	return []affiliate.TypedField{
		{Label: label + " date", Value: at.Format(time.DateOnly), Copy: at.Format(time.DateOnly)},
		{Label: label + " time", Value: at.Format("15:04") + " UTC, by the shop's clock"},
	}
}
