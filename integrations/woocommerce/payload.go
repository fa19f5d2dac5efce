package woocommerce

import "github.com/tributaryhq/tributary/integrations/jsonwalk"

// payload holds the parts of a body that matter, as they were written. It is filled in one pass and judged afterwards,
// since the order of the fields is not fixed.
type payload struct {
	members int // of the outermost object

	id, number, status, currency, total jsonwalk.Value
	created, modified, paid             jsonwalk.Value // the _gmt ones
	parent, createdVia                  jsonwalk.Value
	billing, shipping                   address
	lines, fees, shippingLines          rowList
	coupons                             []couponLine
	giftCards                           []jsonwalk.Value // amounts
	refunds                             refundList
	rows                                map[string]refundRows // by the id of the refund; nil where they are not told
	meta                                metadata
	marketplace                         bool // a row's or the order's meta names a marketplace plugin

	code, message jsonwalk.Value // of an error object
	legacy        bool           // wrapped in "order", as the Legacy REST API does it
}

type address struct{ country, email jsonwalk.Value }

// rowList are the lines, fees or shipping of an order. present is false when there is no list; then instead is what
// stands in its place.
type rowList struct {
	rows    []rowLine
	present bool
	instead jsonwalk.Value
}

type rowLine struct {
	name, quantity, subtotal, total, tax jsonwalk.Value
	key                                  jsonwalk.Value // of a fee: what the plugin that made it calls it
}

type couponLine struct{ code, kind, nominal, discount, tax jsonwalk.Value }

type refundList struct {
	refunds []refundLine
	present bool
	instead jsonwalk.Value
}

type refundLine struct{ id, total, tax jsonwalk.Value }

// metadata are the order's own meta fields that may name a link of ours.
type metadata struct {
	sessionEntry, sessionStart, utmContent jsonwalk.Value
	ref, clickID                           jsonwalk.Value
	renewal                                bool           // of a subscription
	giftCards                              jsonwalk.Value // what gift cards paid (YITH)
}

// decode reads a body. The error is the walker's.
func decode(body []byte) (*payload, error) {
	p, w := new(payload), jsonwalk.New(body)
	for key := range w.Members {
		p.members++
		p.member(w, key)
	}
	return p, w.Err()
}

func (p *payload) member(w *jsonwalk.Walker, key []byte) {
	switch string(key) {
	case "id":
		p.id = w.Value()
	case "number":
		p.number = w.Value()
	case "status":
		p.status = w.Value()
	case "currency":
		p.currency = w.Value()
	case "total":
		p.total = w.Value()
	case "date_created_gmt":
		p.created = w.Value()
	case "date_modified_gmt":
		p.modified = w.Value()
	case "date_paid_gmt":
		p.paid = w.Value()
	case "billing":
		p.billing = readAddress(w)
	case "shipping":
		p.shipping = readAddress(w)
	case "parent_id":
		p.parent = w.Value()
	case "created_via":
		p.createdVia = w.Value()
	case "line_items":
		p.lines = p.readRows(w)
	case "fee_lines":
		p.fees = p.readRows(w)
	case "shipping_lines":
		p.shippingLines = p.readRows(w)
	case "coupon_lines":
		each(w, func() { p.coupons = append(p.coupons, readCoupon(w)) })
	case "gift_cards":
		each(w, func() { p.giftCards = append(p.giftCards, field(w, "amount")) })
	case "refunds":
		p.refunds = readRefunds(w)
	case "meta_data":
		p.readMetadata(w)
	case "code":
		p.code = w.Value()
	case "message":
		p.message = w.Value()
	case "order":
		p.legacy = w.Peek() == '{'
	}
}

// readAddress reads an address; what is no object (PHP writes an empty one as []) gives an empty address.
func readAddress(w *jsonwalk.Walker) (a address) {
	for key := range w.Members {
		switch string(key) {
		case "country":
			a.country = w.Value()
		case "email":
			a.email = w.Value()
		}
	}
	return a
}

// each calls read for each element of a list, whatever it is, and says whether there was a list. PHP writes a list with
// a gap (a plugin has taken an element out) as an object with numbers for keys, so an object counts as the list of its
// values.
func each(w *jsonwalk.Walker, read func()) (present bool) {
	switch w.Peek() {
	case '[':
		for range w.Elements {
			read()
		}
	case '{':
		for range w.Members {
			read()
		}
	default:
		return false
	}
	return true
}

// field reads one element and gives the value of its member name, nil when there is none.
func field(w *jsonwalk.Walker, name string) (v jsonwalk.Value) {
	for key := range w.Members {
		if string(key) == name {
			v = w.Value()
		}
	}
	return v
}

func (p *payload) readRows(w *jsonwalk.Walker) (l rowList) {
	l.present = each(w, func() { l.rows = append(l.rows, p.readRow(w)) })
	if !l.present {
		l.instead = w.Value()
	}
	return l
}

func (p *payload) readRow(w *jsonwalk.Walker) (r rowLine) {
	for key := range w.Members {
		switch string(key) {
		case "name", "method_title":
			r.name = w.Value()
		case "quantity":
			r.quantity = w.Value()
		case "subtotal":
			r.subtotal = w.Value()
		case "total":
			r.total = w.Value()
		case "total_tax":
			r.tax = w.Value()
		case "meta_data":
			each(w, func() {
				key, value := readMeta(w)
				p.marketplace = p.marketplace || namesMarketplace(key)
				if key == "_legacy_fee_key" {
					r.key = value
				}
			})
		}
	}
	return r
}

func readCoupon(w *jsonwalk.Walker) (c couponLine) {
	for key := range w.Members {
		switch string(key) {
		case "code":
			c.code = w.Value()
		case "discount_type":
			c.kind = w.Value()
		case "nominal_amount":
			c.nominal = w.Value()
		case "discount":
			c.discount = w.Value()
		case "discount_tax":
			c.tax = w.Value()
		}
	}
	return c
}

func readRefunds(w *jsonwalk.Walker) (l refundList) {
	l.present = each(w, func() { l.refunds = append(l.refunds, readRefund(w)) })
	if !l.present {
		l.instead = w.Value()
	}
	return l
}

func readRefund(w *jsonwalk.Walker) (r refundLine) {
	for key := range w.Members {
		switch string(key) {
		case "id":
			r.id = w.Value()
		case "total":
			r.total = w.Value()
		case "total_tax":
			r.tax = w.Value()
		}
	}
	return r
}

func (p *payload) readMetadata(w *jsonwalk.Walker) {
	p.meta = metadata{}
	each(w, func() {
		key, value := readMeta(w)
		p.marketplace = p.marketplace || namesMarketplace(key)
		p.meta.set(key, value)
	})
}

// readMeta reads one meta field. Its value may be of any type: plugins store objects there.
func readMeta(w *jsonwalk.Walker) (key string, value jsonwalk.Value) {
	for name := range w.Members {
		switch string(name) {
		case "key":
			key = w.Value().Text()
		case "value":
			value = w.Value()
		}
	}
	return key, value
}

// set keeps the value of a field that matters; of several with the same key the first that says anything.
func (m *metadata) set(key string, value jsonwalk.Value) {
	var to *jsonwalk.Value
	switch key {
	case "_wc_order_attribution_session_entry":
		to = &m.sessionEntry
	case "_wc_order_attribution_session_start_time":
		to = &m.sessionStart
	case "_wc_order_attribution_utm_content":
		to = &m.utmContent
	case "ref", "_ref":
		to = &m.ref
	case "tclid", "_tclid":
		to = &m.clickID
	case "_ywgc_applied_gift_cards_totals":
		to = &m.giftCards
	default:
		m.renewal = m.renewal || saysRenewal(key, value)
		return
	}
	if blank(*to) {
		*to = value
	}
}
