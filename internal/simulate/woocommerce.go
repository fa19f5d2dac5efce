package simulate

import (
	"strconv"
	"strings"
	"time"

	source "github.com/tributaryhq/tributary/integrations/woocommerce"
)

// wooCommerce tells orders as WooCommerce 11 does, in the shape of the recordings (payload version v3).
type wooCommerce struct {
	envelope
	writer
}

const wooTime = "2006-01-02T15:04:05"

func (w *wooCommerce) tell(o *order, what step, emit func([]byte)) {
	w.writer.b = w.writer.b[:0]
	w.order(o)
	switch what {
	case created, createdPaid:
		emit(w.request(o, "created"))
		emit(w.request(o, "updated"))
	default:
		emit(w.request(o, "updated"))
	}
}

func (w *wooCommerce) request(o *order, event string) []byte {
	w.start("/webhooks/woocommerce/", "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)")
	w.header("X-WC-Webhook-Source", "https://shop.example/")
	w.header("X-WC-Webhook-Topic", "order."+event)
	w.header("X-WC-Webhook-Resource", "order")
	w.header("X-WC-Webhook-Event", event)
	w.header("X-WC-Webhook-Signature", source.Sign(w.secret, w.writer.b))
	w.header("X-WC-Webhook-ID", "2")
	w.header("X-WC-Webhook-Delivery-ID", w.hex(16))
	return w.seal(w.writer.b)
}

func (o *order) wooStatus() string {
	switch o.status {
	case paid:
		return "processing"
	case completed:
		return "completed"
	case failed:
		return "failed"
	case canceled:
		return "cancelled"
	case refunded:
		return "refunded"
	}
	return "pending"
}

// gmt writes a time without a zone, or null.
func (w *wooCommerce) gmt(at time.Time) *writer {
	if at.IsZero() {
		return w.raw("null")
	}
	return w.time(at.UTC(), wooTime)
}

func (w *wooCommerce) local(at time.Time) *writer {
	if at.IsZero() {
		return w.raw("null")
	}
	return w.time(at.In(shopZone), wooTime)
}

func (w *wooCommerce) order(o *order) {
	s := o.sums()
	key := strconv.FormatUint(o.salt, 36)
	kept := func(l line) int64 { return l.quantity - l.removed }
	w.raw(`{"id":`).int(o.id).raw(`,"parent_id":0,"status":`).text(o.wooStatus()).raw(`,"currency":`).text(w.currency)
	w.raw(`,"version":"11.0.1","prices_include_tax":false,"date_created":`)
	w.local(o.placed).raw(`,"date_modified":`)
	w.local(o.updated).raw(`,"discount_total":`).money(s.discount).raw(`,"discount_tax":`).money(0).raw(`,"shipping_total":`).money(o.shipping)
	w.raw(`,"shipping_tax":`).money(o.shippingTax).raw(`,"cart_tax":`).money(s.tax - o.shippingTax).raw(`,"total":`).money(s.total - s.removed)
	w.raw(`,"total_tax":`).money(s.tax).raw(`,"customer_id":0,"order_key":"wc_order_`).raw(key).raw(`","billing":{`)
	w.address(o, true)
	w.raw(`},"shipping":{`)
	w.address(o, false)
	w.raw(`},"payment_method":"stripe","payment_method_title":"Card","transaction_id":"ch_`).raw(key)
	w.raw(`","customer_ip_address":"203.0.113.7","customer_user_agent":"Mozilla\/5.0 (X11; Linux x86_64) AppleWebKit\/537.36 (KHTML, like Gecko) Chrome\/142.0.0.0 Safari\/537.36",`)
	w.raw(`"created_via":"checkout","customer_note":"","date_completed":null,"date_paid":`)
	w.local(o.paidAt).raw(`,"cart_hash":"d3fde65b2cecc204`).raw(key).raw(`","number":"`).int(o.number).raw(`","meta_data":[`)
	w.metadata(o)
	w.raw(`],"line_items":[`)
	for i, l := range o.lines {
		w.comma(i)
		w.lineItem(o, i, l, kept(l))
	}
	w.raw(`],"tax_lines":[{"id":`).int(o.id + 4).raw(`,"rate_code":"US-NY-NY SALES TAX-1","rate_id":1,"label":"NY Sales Tax","compound":false,"tax_total":`)
	w.money(s.tax - o.shippingTax).raw(`,"shipping_tax_total":`).money(o.shippingTax).raw(`,"rate_percent":8,"meta_data":[]}],"shipping_lines":[{"id":`).int(o.id + 3)
	w.raw(`,"method_title":"Flat rate","method_id":"flat_rate","instance_id":"1","total":`).money(o.shipping).raw(`,"total_tax":`).money(o.shippingTax)
	w.raw(`,"taxes":[{"id":1,"total":`).money(o.shippingTax).raw(`,"subtotal":""}],"tax_status":"taxable","meta_data":[]}],"fee_lines":[],"coupon_lines":[`)
	w.coupons(o, s.discount)
	w.raw(`],"refunds":[`)
	for i := range o.refunds {
		r := o.refunds[len(o.refunds)-1-i] // the newest first
		w.comma(i).raw(`{"id":`).int(r.id).raw(`,"reason":"Customer asked","total":`).money(-r.amount).raw(`,"total_tax":`).money(-r.tax).raw(`}`)
	}
	w.raw(`],"payment_url":"https:\/\/shop.example\/checkout\/order-pay\/`).int(o.id).raw(`\/?pay_for_order=true&key=wc_order_`).raw(key)
	w.raw(`","is_editable":false,"needs_payment":`).bool(o.paidAt.IsZero()).raw(`,"needs_processing":true,"date_created_gmt":`)
	w.gmt(o.placed).raw(`,"date_modified_gmt":`)
	w.gmt(o.updated).raw(`,"date_completed_gmt":null,"date_paid_gmt":`)
	w.gmt(o.paidAt).raw(`,"currency_symbol":"$","_links":{"self":[{"href":"https:\/\/shop.example\/wp-json\/wc\/v3\/orders\/`).int(o.id)
	w.raw(`","targetHints":{"allow":["GET","POST","PUT","PATCH","DELETE"]}}],"collection":[{"href":"https:\/\/shop.example\/wp-json\/wc\/v3\/orders"}],`)
	w.raw(`"email_templates":[{"embeddable":true,"href":"https:\/\/shop.example\/wp-json\/wc\/v3\/orders\/`).int(o.id).raw(`\/actions\/email_templates"}]}}`)
}

func (w *wooCommerce) address(o *order, billing bool) {
	p := customers[max(1, o.customer)]
	w.raw(`"first_name":`).text(p.first).raw(`,"last_name":`).text(p.last).raw(`,"company":"","address_1":`).text(p.street).raw(`,"address_2":"","city":`).text(p.city)
	w.raw(`,"state":`).text(p.regionCode).raw(`,"postcode":`).text(p.zip).raw(`,"country":`).text(p.code)
	if billing {
		w.raw(`,"email":`).text(p.email)
	}
	w.raw(`,"phone":"+1 212 555 0100"`)
}

func (w *wooCommerce) metadata(o *order) {
	w.raw(`{"id":1,"key":"is_vat_exempt","value":"no"},{"id":2,"key":"_wc_order_attribution_source_type","value":"utm"},`)
	w.raw(`{"id":3,"key":"_wc_order_attribution_session_entry","value":"https:\/\/shop.example\/?utm_source=instagram`)
	if o.slug != "" {
		w.raw(`&ref=`).raw(o.slug)
	}
	w.raw(`"},{"id":4,"key":"_wc_order_attribution_session_start_time","value":"`)
	w.writer.b = o.placed.Add(-5*time.Minute).UTC().AppendFormat(w.writer.b, "2006-01-02 15:04:05")
	w.raw(`"}`)
	if o.attributes > 0 {
		w.raw(`,`).attributes(o, `{"id":9,"key":"_`, `","value":"`)
	}
}

func (w *wooCommerce) lineItem(o *order, i int, l line, quantity int64) {
	p := products[l.product]
	net, tax := (l.price-l.discount)*quantity, l.taxUnit*quantity
	w.raw(`{"id":`).int(lineID(o, i)).raw(`,"name":`).text(p.title).raw(`,"product_id":`).int(13 + int64(l.product)).raw(`,"variation_id":0,"quantity":`).int(quantity)
	w.raw(`,"tax_class":"","subtotal":`).money(l.price * quantity).raw(`,"subtotal_tax":`).money(tax).raw(`,"total":`).money(net).raw(`,"total_tax":`).money(tax)
	w.raw(`,"taxes":[{"id":1,"total":`).money(tax).raw(`,"subtotal":`).money(tax).raw(`}],"meta_data":[],"sku":`).text(p.sku)
	w.raw(`,"global_unique_id":"","price":`).amount(l.price - l.discount).raw(`,"image":{"id":"","src":""},"parent_name":null}`)
}

func (w *wooCommerce) coupons(o *order, amount int64) {
	for i, code := range o.discounts {
		if i > 0 {
			amount = 0
		}
		code = strings.ToLower(code)
		w.comma(i).raw(`{"id":`).int(o.id + 5 + int64(i)).raw(`,"code":`).text(code).raw(`,"discount":`).money(amount).raw(`,"discount_tax":"0","meta_data":[{"id":33,"key":"coupon_info",`)
		w.raw(`"value":"[18,\"`).raw(code).raw(`\",\"percent\",10]"}],"discount_type":"percent","nominal_amount":10,"free_shipping":false}`)
	}
}
