package simulate

import (
	"strconv"
	"time"

	source "github.com/tributaryhq/tributary/integrations/shopify"
)

// shopify tells orders as Shopify does, in the shape of the recordings (API version 2025-10).
type shopify struct {
	envelope
	writer
}

const shopifyTime = "2006-01-02T15:04:05-07:00"

var shopZone = time.FixedZone("", -5*3600)

func (s *shopify) tell(o *order, what step, emit func([]byte)) {
	event := s.uuid()
	send := func(topic string) { emit(s.request(o, topic, event)) }
	body := func() { s.writer.b = s.writer.b[:0]; s.order(o) }
	if n := len(o.refunds); n > 0 && o.refunds[n-1].at.Equal(o.updated) {
		s.writer.b = s.writer.b[:0]
		s.refund(o, o.refunds[n-1])
		send("refunds/create")
	}
	switch what {
	case created:
		body()
		send("orders/create")
	case createdPaid:
		body()
		send("orders/create")
		send("orders/paid")
	case pay:
		body()
		send("orders/paid")
		send("orders/updated")
	case cancel:
		body()
		send("orders/cancelled")
		send("orders/updated")
	case edit:
		s.writer.b = s.writer.b[:0]
		s.orderEdit(o)
		send("orders/edited")
		body()
		send("orders/updated")
	case refundSettles:
		s.writer.b = s.writer.b[:0]
		s.transaction(o, o.refunds[len(o.refunds)-1])
		send("order_transactions/create")
		body()
		send("orders/updated")
	default:
		body()
		send("orders/updated")
	}
}

// request puts the written body into an envelope.
func (s *shopify) request(o *order, topic, event string) []byte {
	s.start("/webhooks/shopify/", "Shopify-Captain-Hook")
	s.header("X-Shopify-Topic", topic)
	s.header("X-Shopify-Hmac-Sha256", source.Sign(s.secret, s.writer.b))
	s.header("X-Shopify-Shop-Domain", s.domain)
	s.header("X-Shopify-API-Version", "2025-10")
	s.header("X-Shopify-Webhook-Id", s.uuid())
	s.header("X-Shopify-Event-Id", event)
	s.header("X-Shopify-Triggered-At", o.updated.Format(time.RFC3339Nano))
	s.header("X-Shopify-Order-Id", formatID(o.id))
	s.header("X-Shopify-Test", strconv.FormatBool(o.test))
	return s.seal(s.writer.b)
}

func (o *order) financialStatus() string {
	back := o.refundedAmount()
	s := o.sums()
	switch {
	case o.status == failed, o.paidAt.IsZero() && o.status == canceled:
		return "voided"
	case o.paidAt.IsZero():
		return "pending"
	case back >= s.total-s.removed:
		return "refunded"
	case back > 0:
		return "partially_refunded"
	}
	return "paid"
}

// current are the sums after refunds.
func (o *order) current() (items, discount, tax, total int64) {
	for _, l := range o.lines {
		left := l.quantity - l.removed - l.refunded
		items += l.price * left
		discount += l.discount * left
		tax += l.taxUnit * left
	}
	s := o.sums()
	return items, discount, tax + o.shippingTax, max(0, s.total-s.removed-o.refundedAmount())
}

func (s *shopify) order(o *order) {
	w := &s.writer
	sold := o.sums()
	items, discount, tax, total := o.current()
	token := strconv.FormatUint(o.salt, 36)
	w.raw(`{"id":`).int(o.id).raw(`,"admin_graphql_api_id":"gid://shopify/Order/`).int(o.id).raw(`","app_id":580111,"browser_ip":"203.0.113.7"`)
	w.raw(`,"buyer_accepts_marketing":true,"cancel_reason":`).optional(!o.canceledAt.IsZero(), "customer").raw(`,"cancelled_at":`).when(o.canceledAt)
	w.raw(`,"cart_token":"hWN3NvqP`).raw(token).raw(`","checkout_id":`).int(o.id + 5).raw(`,"checkout_token":"e9afbbf2`).raw(token)
	w.raw(`","client_details":{"accept_language":"en","browser_height":null,"browser_ip":"203.0.113.7","browser_width":null,"session_hash":null,`)
	w.raw(`"user_agent":"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"},"closed_at":`).when(o.canceledAt)
	w.raw(`,"confirmation_number":"`).raw(token[:min(9, len(token))]).raw(`","confirmed":true,"contact_email":`).email(o).raw(`,"created_at":`).when(o.placed)
	w.raw(`,"currency":`).text(w.currency).both("current_subtotal_price", items-discount).raw(`,"current_total_additional_fees_set":null`)
	w.both("current_total_discounts", discount).raw(`,"current_total_duties_set":null`).both("current_total_price", total).both("current_total_tax", tax)
	w.raw(`,"customer_locale":"en-US","device_id":null,"discount_codes":[`)
	s.discountCodes(o, sold.discount)
	w.raw(`],"duties_included":false,"email":`).email(o).raw(`,"estimated_taxes":false,"financial_status":`).text(o.financialStatus())
	w.raw(`,"fulfillment_status":`).optional(o.status == completed, "fulfilled").raw(`,"landing_site":"`).landing(o).raw(`","landing_site_ref":`)
	w.optional(o.slug != "", o.slug).raw(`,"location_id":null,"merchant_business_entity_id":"MTI4MDAzNTk4NDE4","merchant_of_record_app_id":null`)
	w.raw(`,"name":"#`).int(o.number).raw(`","note":null,"note_attributes":[`).attributes(o, `{"name":"`, `","value":"`).raw(`],"number":`).int(o.number - 1000)
	w.raw(`,"order_number":`).int(o.number).raw(`,"order_status_url":"https://`).raw(s.domain).raw(`/90000000001/orders/`).raw(token)
	w.raw(`/authenticate?key=`).raw(token).raw(`","original_total_additional_fees_set":null,"original_total_duties_set":null,"payment_gateway_names":["shopify_payments"]`)
	w.raw(`,"phone":null,"po_number":null,"presentment_currency":`).text(w.currency).raw(`,"processed_at":`).when(o.placed)
	w.raw(`,"reference":null,"referring_site":null,"source_identifier":null,"source_name":"web","source_url":null`)
	w.both("subtotal_price", sold.items-sold.discount).raw(`,"tags":"","tax_exempt":false,"tax_lines":[`)
	if !o.pickup {
		s.taxLine(sold.tax)
	}
	w.raw(`],"taxes_included":`).bool(o.taxIncluded).raw(`,"test":`).bool(o.test).raw(`,"token":"1f6ddff5`).raw(token)
	w.raw(`","total_cash_rounding_payment_adjustment_set":`).set(0).raw(`,"total_cash_rounding_refund_adjustment_set":`).set(0)
	w.both("total_discounts", sold.discount).both("total_line_items_price", sold.items).raw(`,"total_outstanding":`).money(o.outstanding())
	w.both("total_price", sold.total).raw(`,"total_shipping_price_set":`).set(o.shippingPrice()).both("total_tax", sold.tax)
	w.raw(`,"total_tip_received":"0.00","total_weight":0,"updated_at":`).when(o.updated).raw(`,"user_id":null`)
	s.people(o)
	w.raw(`,"discount_applications":[`)
	s.discountApplications(o)
	w.raw(`],"fulfillments":[],"line_items":[`)
	for i := range o.lines {
		w.comma(i)
		s.lineItem(o, i)
	}
	w.raw(`],"payment_terms":null,"refunds":[`)
	for i, r := range o.refunds {
		w.comma(i)
		s.refund(o, r)
	}
	w.raw(`],"shipping_lines":[`)
	if !o.pickup {
		s.shippingLine(o)
	}
	w.raw(`],"company":null}`)
}

func (o *order) outstanding() int64 {
	if o.paidAt.IsZero() {
		return o.sums().total
	}
	return 0
}

// shippingPrice is with its tax where prices include it.
func (o *order) shippingPrice() int64 {
	if o.taxIncluded {
		return o.shipping + o.shippingTax
	}
	return o.shipping
}

func (w *writer) comma(i int) *writer {
	if i > 0 {
		w.b = append(w.b, ',')
	}
	return w
}

// optional writes a text, or null.
func (w *writer) optional(there bool, s string) *writer {
	if !there {
		return w.raw("null")
	}
	return w.text(s)
}

// when writes a time, or null.
func (w *writer) when(at time.Time) *writer {
	if at.IsZero() {
		return w.raw("null")
	}
	return w.time(at.In(shopZone), shopifyTime)
}

func (w *writer) email(o *order) *writer {
	return w.optional(o.customer > 0, customers[o.customer].email)
}

func (w *writer) landing(o *order) *writer {
	w.raw("/products/best-sellers?utm_source=instagram&utm_medium=social&_kx=").raw(strconv.FormatUint(o.salt>>7, 36))
	if o.slug != "" {
		w.raw("&ref=").raw(o.slug)
	}
	return w
}

// attributes writes what shops' scripts leave on a cart.
func (w *writer) attributes(o *order, before, between string) *writer {
	salt := o.salt | 1
	for i := range o.attributes {
		salt = salt*6364136223846793005 + 1442695040888963407
		w.comma(i).raw(before).raw(attributeNames[i%len(attributeNames)]).raw(between)
		w.raw("fb.1.17588").raw(strconv.FormatUint(salt, 10)).raw(".").raw(strconv.FormatUint(salt>>9, 36)).raw(`"}`)
	}
	return w
}

func (s *shopify) discountCodes(o *order, amount int64) {
	for i, code := range o.discounts {
		if i > 0 {
			amount = 0
		}
		s.comma(i).raw(`{"code":`).text(code).raw(`,"amount":`).money(amount).raw(`,"type":"percentage"}`)
	}
}

func (s *shopify) discountApplications(o *order) {
	for i, code := range o.discounts {
		s.comma(i).raw(`{"target_type":"line_item","type":"discount_code","value":"10.0","value_type":"percentage","allocation_method":"across",`)
		s.raw(`"target_selection":"all","code":`).text(code).raw(`}`)
	}
	if len(o.discounts) == 0 && o.lines[0].discount > 0 {
		s.raw(`{"target_type":"line_item","type":"automatic","value":"10.0","value_type":"percentage","allocation_method":"across",`)
		s.raw(`"target_selection":"all","title":"Autumn sale"}`)
	}
}

func (s *shopify) taxLine(amount int64) {
	s.raw(`{"channel_liable":false,"price":`).money(amount).raw(`,"price_set":`).set(amount).raw(`,"rate":0.08,"title":"State Tax"}`)
}

func (s *shopify) people(o *order) {
	if o.customer == 0 {
		s.raw(`,"billing_address":null,"customer":null,"shipping_address":null`)
		return
	}
	p := customers[o.customer]
	s.raw(`,"billing_address":{`)
	s.address(p)
	s.raw(`},"customer":{"id":`).int(8_832_137_625_000 + int64(o.customer)).raw(`,"created_at":`).when(o.placed).raw(`,"updated_at":`).when(o.updated)
	s.raw(`,"first_name":`).text(p.first).raw(`,"last_name":`).text(p.last).raw(`,"state":"disabled","note":null,"verified_email":true,"multipass_identifier":null,`)
	s.raw(`"tax_exempt":false,"email":`).text(p.email).raw(`,"phone":null,"currency":`).text(s.currency).raw(`,"tax_exemptions":[],"admin_graphql_api_id":"gid://shopify/Customer/`)
	s.int(8_832_137_625_000 + int64(o.customer)).raw(`","default_address":{`)
	s.address(p)
	s.raw(`}},"shipping_address":{`)
	s.address(p)
	s.raw(`}`)
}

func (s *shopify) address(p person) {
	s.raw(`"first_name":`).text(p.first).raw(`,"address1":`).text(p.street).raw(`,"phone":null,"city":`).text(p.city).raw(`,"zip":`).text(p.zip)
	s.raw(`,"province":`).text(p.region).raw(`,"country":`).text(p.country).raw(`,"last_name":`).text(p.last).raw(`,"address2":null,"company":null,`)
	s.raw(`"latitude":null,"longitude":null,"name":"`).raw(p.first).raw(" ").raw(p.last).raw(`","country_code":`).text(p.code).raw(`,"province_code":`).text(p.regionCode)
}

func lineID(o *order, i int) int64 { return o.id*100 + int64(i) }

func (s *shopify) lineItem(o *order, i int) {
	w, l, p := &s.writer, o.lines[i], products[o.lines[i].product]
	current := l.quantity - l.removed - l.refunded
	if o.status == canceled {
		current = 0
	}
	w.raw(`{"id":`).int(lineID(o, i)).raw(`,"admin_graphql_api_id":"gid://shopify/LineItem/`).int(lineID(o, i)).raw(`","attributed_staffs":[],"current_quantity":`)
	w.int(current).raw(`,"fulfillable_quantity":`).int(current).raw(`,"fulfillment_service":"manual","fulfillment_status":null,"gift_card":false,"grams":0,"name":"`)
	w.raw(p.title).raw(" - ").raw(p.variant).raw(`"`).both("price",
		l.price).raw(`,"product_exists":true,"product_id":`).int(6_994_888_523_000 + int64(l.product))
	w.raw(`,"properties":[],"quantity":`).int(l.quantity).raw(`,"requires_shipping":true,"sku":`).text(p.sku).raw(`,"taxable":true,"title":`).text(p.title)
	w.both("total_discount", 0).raw(`,"variant_id":`).int(40_537_120_407_000 + int64(l.product)).raw(`,"variant_inventory_management":"shopify","variant_title":`)
	w.text(p.variant).raw(`,"vendor":`).text(p.vendor).raw(`,"tax_lines":[`)
	if !o.pickup {
		s.taxLine(l.taxUnit * l.quantity)
	}
	w.raw(`],"duties":[],"discount_allocations":[`)
	if l.discount > 0 {
		w.raw(`{"amount":`).money(l.discount * l.quantity).raw(`,"amount_set":`).set(l.discount * l.quantity).raw(`,"discount_application_index":0}`)
	}
	w.raw(`]}`)
}

func (s *shopify) shippingLine(o *order) {
	s.raw(`{"id":`).int(o.id+7).raw(`,"carrier_identifier":null,"code":"Standard Shipping"`).both("discounted_price", o.shippingPrice())
	s.raw(`,"is_removed":false,"phone":null`).both("price", o.shippingPrice()).raw(`,"requested_fulfillment_service_id":null,"source":"shopify",`)
	s.raw(`"title":"Standard Shipping","tax_lines":[`)
	s.taxLine(o.shippingTax)
	s.raw(`],"discount_allocations":[]}`)
}

func (s *shopify) refund(o *order, r refund) {
	w := &s.writer
	w.raw(`{"id":`).int(r.id).raw(`,"admin_graphql_api_id":"gid://shopify/Refund/`).int(r.id).raw(`","created_at":`).when(r.at).raw(`,"note":null,"order_id":`)
	w.int(o.id).raw(`,"processed_at":`).when(r.at).raw(`,"restock":true,"total_duties_set":`).set(0).raw(`,"user_id":null,"order_adjustments":[`)
	switch {
	case r.shipping && o.taxIncluded:
		s.adjustment(o, r, "shipping_refund", "Shipping refund", -o.shipping, -o.shippingTax)
	case r.shipping:
		s.adjustment(o, r, "shipping_refund", "Shipping refund", -o.shipping, -o.shippingTax)
	case r.units == nil:
		s.adjustment(o, r, "refund_discrepancy", "Refund discrepancy", -r.amount, 0)
	}
	w.raw(`],"transactions":[`)
	s.transaction(o, r)
	w.raw(`],"refund_line_items":[`)
	first := true
	for i, units := range r.units {
		if units > 0 {
			if !first {
				w.raw(",")
			}
			first = false
			s.refundLine(o, r, i, units)
		}
	}
	w.raw(`],"duties":[],"refund_shipping_lines":[],"return":null}`)
}

func (s *shopify) adjustment(o *order, r refund, kind, reason string, amount, tax int64) {
	s.raw(`{"id":`).int(r.id*10 + 7).raw(`,"amount":`).money(amount).raw(`,"amount_set":`).set(amount).raw(`,"kind":`).text(kind).raw(`,"order_id":`).int(o.id)
	s.raw(`,"reason":`).text(reason).raw(`,"refund_id":`).int(r.id).both("tax_amount", tax).raw(`}`)
}

func (s *shopify) transaction(o *order, r refund) {
	status := "success"
	if r.pending {
		status = "pending"
	}
	s.raw(`{"id":`).int(r.transaction).raw(`,"admin_graphql_api_id":"gid://shopify/OrderTransaction/`).int(r.transaction).raw(`","amount":`).money(r.amount)
	s.raw(`,"authorization":null,"created_at":`).when(r.at).raw(`,"currency":`).text(s.currency).raw(`,"device_id":null,"error_code":null,"gateway":"shopify_payments",`)
	s.raw(`"kind":"refund","location_id":null,"message":null,"order_id":`).int(o.id).raw(`,"parent_id":`).int(o.id + 8).raw(`,"payment_id":"#`).int(o.number)
	s.raw(`.2","processed_at":`).when(r.at).raw(`,"receipt":{},"source_name":"1830279","status":`).text(status).raw(`,"test":`).bool(o.test).raw(`,"user_id":null}`)
}

func (s *shopify) refundLine(o *order, r refund, i int, units int64) {
	l := o.lines[i]
	subtotal := (l.price - l.discount) * units // with tax where prices include it
	s.raw(`{"id":`).int(r.id*10 + int64(i)).raw(`,"line_item_id":`).int(lineID(o, i)).raw(`,"location_id":null,"quantity":`).int(units)
	s.raw(`,"restock_type":"return","subtotal":`).amount(subtotal).raw(`,"subtotal_set":`).set(subtotal).raw(`,"total_tax":`).amount(l.taxUnit * units)
	s.raw(`,"total_tax_set":`).set(l.taxUnit * units).raw(`,"line_item":`)
	s.lineItem(o, i)
	s.raw(`}`)
}

// orderEdit tells that a unit was taken out, but not what the order looks like now.
func (s *shopify) orderEdit(o *order) {
	s.raw(`{"order_edit":{"id":`).int(o.id + 9).raw(`,"app_id":null,"created_at":`).when(o.updated).raw(`,"notify_customer":false,"order_id":`).int(o.id)
	s.raw(`,"staff_note":"","user_id":null,"line_items":{"additions":[],"removals":[`)
	for i, l := range o.lines {
		if l.removed > 0 {
			s.raw(`{"id":`).int(lineID(o, i)).raw(`,"delta":`).int(l.removed).raw(`}`)
		}
	}
	s.raw(`]},"discounts":{"line_item":{"additions":[],"removals":[]}},"shipping_lines":{"additions":[],"removals":[]}}}`)
}
