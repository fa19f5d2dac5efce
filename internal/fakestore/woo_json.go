package fakestore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/money"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), m.key...), `":`...)
		value, err := encode(m.value)
		if err != nil {
			return nil, err
		}
		b = append(b, value...)
	}
	return append(b, '}'), nil
}

// only leaves out what ?_fields= does not name.
func (o object) only(fields []string) object {
	if len(fields) == 0 {
		return o
	}
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return !slices.Contains(fields, m.key) })
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// php writes JSON as wp_json_encode does: slashes as \/, and what is not ASCII as \uXXXX.
func php(v any) []byte {
	text, err := encode(v)
	if err != nil {
		panic(fmt.Sprintf("fakestore: %v", err))
	}
	out := make([]byte, 0, len(text)+len(text)/20)
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		switch {
		case c == '/':
			out = append(out, '\\', '/')
		case c < utf8.RuneSelf:
			out = append(out, byte(c))
		case c > 0xffff:
			c -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+c>>10, 0xdc00+c&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, c)
		}
		i += size
	}
	return out
}

func wooError(code, message string, status int) []byte {
	return php(object{{"code", code}, {"message", message}, {"data", object{{"status", status}}}})
}

// amount writes minor units with a number of decimals, rounded where these are fewer than the currency has.
func (w *woo) amount(minor int64, decimals int) string {
	digits := w.Currency.Digits()
	if decimals >= digits {
		s := money.FormatScaled(minor, digits)
		if decimals > digits {
			if digits == 0 {
				s += "."
			}
			s += strings.Repeat("0", decimals-digits)
		}
		return s
	}
	unit := int64(1)
	for range digits - decimals {
		unit *= 10
	}
	return money.FormatScaled(money.MulDiv(minor, 1, unit), decimals)
}

// short is an amount without zeros at its end, as coupon lines have it.
func (w *woo) short(minor int64, decimals int) string {
	s := w.amount(minor, decimals)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func (w *woo) links(path string, kinds ...string) object {
	base := "https://" + w.Domain + "/wp-json/wc/v3/"
	href := func(p string) object { return object{{"href", base + p}} }
	self := append(href(path), member{"targetHints", object{{"allow", kinds}}})
	collection, _, _ := strings.Cut(path, "/")
	return object{{"self", []object{self}}, {"collection", []object{href(collection)}}}
}

// order is one as GET /orders/{id} shows it, in the order of its fields.
func (w *woo) order(o *order, decimals int) object {
	amount := func(n int64) string { return w.amount(n, decimals) }
	var transaction, completed any = "", nil
	if !o.paidAt.IsZero() {
		transaction = "ch_" + o.key
	}
	billing, shipping := w.addresses(o)
	return object{
		{"id", o.id}, {"parent_id", 0}, {"status", o.wooStatus()}, {"currency", w.Currency},
		{"version", "11.0.1"}, {"prices_include_tax", false},
		{"date_created", w.local(o.placed)}, {"date_modified", w.local(o.updated)},
		{"discount_total", amount(o.discount)}, {"discount_tax", amount(0)},
		{"shipping_total", amount(o.Shipping)}, {"shipping_tax", amount(o.ShippingTax)},
		{"cart_tax", amount(o.tax)}, {"total", amount(o.total)}, {"total_tax", amount(o.tax + o.ShippingTax)},
		{"customer_id", 0}, {"order_key", "wc_order_" + o.key}, {"billing", billing}, {"shipping", shipping},
		{"payment_method", "testpay"}, {"payment_method_title", "Card"}, {"transaction_id", transaction},
		{"customer_ip_address", "203.0.113.7"}, {"customer_user_agent", "Mozilla/5.0 (X11; Linux x86_64)"},
		{"created_via", "checkout"}, {"customer_note", ""}, {"date_completed", completed},
		{"date_paid", w.local(o.paidAt)}, {"cart_hash", "3019abb679fb1c14" + o.key},
		{"number", formatID(o.id)}, {"meta_data", w.meta(o)}, {"line_items", w.lines(o, decimals)},
		{"tax_lines", w.taxLines(o.rows[0], o.tax, o.ShippingTax, decimals)},
		{"shipping_lines", w.shippingLines(o.rows[len(o.rows)-1], o.Shipping, o.ShippingTax, decimals)},
		{"fee_lines", []int{}}, {"coupon_lines", w.couponLines(o, decimals)},
		{"refunds", w.refundsOf(o, decimals)},
		{"payment_url", "https://" + w.Domain + "/checkout/order-pay/" + formatID(o.id) +
			"/?pay_for_order=true&key=wc_order_" + o.key},
		{"is_editable", o.status == pending}, {"needs_payment", o.status == pending}, {"needs_processing", true},
		{"date_created_gmt", gmt(o.placed)}, {"date_modified_gmt", gmt(o.updated)}, {"date_completed_gmt", nil},
		{"date_paid_gmt", gmt(o.paidAt)}, {"currency_symbol", "$"},
		{"_links", w.links("orders/"+formatID(o.id), "GET", "POST", "PUT", "PATCH", "DELETE")},
	}
}

func (w *woo) addresses(o *order) (billing, shipping object) {
	shipping = object{
		{"first_name", "Ada"}, {"last_name", "Byron"}, {"company", ""}, {"address_1", "12 Analytical St"},
		{"address_2", ""}, {"city", "New York"}, {"state", "NY"}, {"postcode", "10001"}, {"country", o.Country},
	}
	phone := member{"phone", "+1 212 555 0100"}
	return append(slices.Clone(shipping), member{"email", o.Email}, phone), append(shipping, phone)
}

func (w *woo) meta(o *order) []object {
	list := []object{{{"id", o.id * 10}, {"key", "is_vat_exempt"}, {"value", "no"}}}
	if o.Landing == "" {
		return list
	}
	visit := o.placed.Add(-visitBefore).Format("2006-01-02 15:04:05")
	return append(list,
		object{{"id", o.id*10 + 1}, {"key", "_wc_order_attribution_source_type"}, {"value", "utm"}},
		object{{"id", o.id*10 + 2}, {"key", "_wc_order_attribution_session_entry"}, {"value", o.Landing}},
		object{{"id", o.id*10 + 3}, {"key", "_wc_order_attribution_session_start_time"}, {"value", visit}})
}

func (w *woo) lines(o *order, decimals int) []object {
	list := []object{}
	for i, l := range o.Lines {
		tax := w.amount(l.Tax, decimals)
		list = append(list, object{
			{"id", o.rows[i]}, {"name", l.Name}, {"product_id", 13 + i}, {"variation_id", 0},
			{"quantity", l.Quantity}, {"tax_class", ""}, {"subtotal", w.amount(l.Price*l.Quantity, decimals)},
			{"subtotal_tax", tax}, {"total", w.amount(l.net(), decimals)}, {"total_tax", tax},
			{"taxes", []object{{{"id", 1}, {"total", tax}, {"subtotal", tax}}}}, {"meta_data", []int{}},
			{"sku", fmt.Sprintf("SKU-%d", i+1)}, {"global_unique_id", ""}, {"price", w.unitPrice(l)},
			{"image", object{{"id", ""}, {"src", ""}}}, {"parent_name", nil},
		})
	}
	return list
}

// unitPrice is a floating-point number with many digits, as WooCommerce's is.
func (w *woo) unitPrice(l Line) float64 {
	n := float64(l.net()) / float64(max(1, l.Quantity))
	for range w.Currency.Digits() {
		n /= 10
	}
	return n
}

func (w *woo) taxLines(row, tax, shippingTax int64, decimals int) []object {
	if tax == 0 && shippingTax == 0 {
		return []object{}
	}
	return []object{{
		{"id", row + 100_000_000}, {"rate_code", "US-NY-NY SALES TAX-1"}, {"rate_id", 1}, {"label", "NY Sales Tax"},
		{"compound", false}, {"tax_total", w.amount(tax, decimals)},
		{"shipping_tax_total", w.amount(shippingTax, decimals)}, {"rate_percent", 8.875}, {"meta_data", []int{}},
	}}
}

func (w *woo) shippingLines(row, shipping, tax int64, decimals int) []object {
	if shipping == 0 && tax == 0 {
		return []object{}
	}
	return []object{{
		{"id", row}, {"method_title", "Flat rate"}, {"method_id", "flat_rate"}, {"instance_id", "1"},
		{"total", w.amount(shipping, decimals)}, {"total_tax", w.amount(tax, decimals)},
		{"taxes", []object{{{"id", 1}, {"total", w.amount(tax, decimals)}, {"subtotal", ""}}}},
		{"tax_status", "taxable"}, {"meta_data", []int{}},
	}}
}

// couponLines gives the whole discount to the first code.
func (w *woo) couponLines(o *order, decimals int) []object {
	list := []object{}
	discount := o.discount
	for i, code := range o.Codes {
		code = wooCode(code)
		info := fmt.Sprintf(`[%d,%q,"percent",10]`, 18+i, code)
		list = append(list, object{
			{"id", o.codeRows[i]}, {"code", code}, {"discount", w.short(discount, decimals)}, {"discount_tax", "0"},
			{"meta_data", []object{{{"id", o.codeRows[i]*10 + 1}, {"key", "coupon_info"}, {"value", info},
				{"display_key", "coupon_info"}, {"display_value", info}}}},
			{"discount_type", "percent"}, {"nominal_amount", 10}, {"free_shipping", false},
		})
		discount = 0
	}
	return list
}

// refundsOf is what an order tells of its refunds, the newest first.
func (w *woo) refundsOf(o *order, decimals int) []object {
	list := []object{}
	for _, r := range slices.Backward(o.refunds) {
		list = append(list, object{{"id", r.id}, {"reason", r.Reason}, {"total", w.amount(-r.Amount, decimals)},
			{"total_tax", w.amount(-r.tax(), decimals)}})
	}
	return list
}

// tax is that of the refund's rows.
func (r *refund) tax() int64 {
	tax := r.ShippingTax
	for _, part := range r.Lines {
		tax += part.Tax
	}
	return tax
}

// refund is one as GET /orders/{id}/refunds shows it.
func (w *woo) refund(o *order, r *refund, decimals int) object {
	lines := []object{}
	goodsTax := r.tax() - r.ShippingTax
	for i, line := range o.Lines {
		part, ok := r.Lines[i]
		if !ok {
			continue
		}
		net, tax := w.amount(-part.Amount, decimals), w.amount(-part.Tax, decimals)
		lines = append(lines, object{
			{"id", r.rows[i]}, {"name", line.Name}, {"product_id", 13 + i}, {"variation_id", 0},
			{"quantity", -part.Quantity}, {"tax_class", ""}, {"subtotal", net}, {"subtotal_tax", tax},
			{"total", net}, {"total_tax", tax},
			{"taxes", []object{{{"id", 1}, {"total", tax}, {"subtotal", tax}}}},
			{"meta_data", []object{{{"id", r.rows[i]*10 + 5}, {"key", "_refunded_item_id"},
				{"value", formatID(o.rows[i])}, {"display_key", "_refunded_item_id"},
				{"display_value", formatID(o.rows[i])}}}},
			{"sku", fmt.Sprintf("SKU-%d", i+1)}, {"global_unique_id", ""}, {"price", w.unitPrice(line)},
			{"image", object{{"id", ""}, {"src", ""}}}, {"parent_name", nil},
		})
	}
	kind := "partial"
	if o.status == refunded && r == o.refunds[len(o.refunds)-1] {
		kind = "full"
	}
	return object{
		{"id", r.id}, {"date_created", w.local(r.at)}, {"date_created_gmt", gmt(r.at)},
		{"amount", w.amount(r.Amount, decimals)}, {"reason", r.Reason}, {"refunded_by", 1}, {"refunded_payment", true},
		{"meta_data", []object{{{"id", r.id*10 + 2}, {"key", "_refund_type"}, {"value", kind}}}},
		{"line_items", lines},
		{"shipping_lines", w.shippingLines(r.id+200_000_000, -r.Shipping, -r.ShippingTax, decimals)},
		{"tax_lines", w.taxLines(r.id, -goodsTax, -r.ShippingTax, decimals)}, {"fee_lines", []int{}},
		{"_links", w.links("orders/"+formatID(o.id)+"/refunds/"+formatID(r.id), "GET", "DELETE")},
	}
}
