package woocommerce

import "unicode/utf8"

// payload holds the parts of a body that matter, as they were written. It is filled in one pass and judged afterwards,
// since the order of the fields is not fixed.
type payload struct {
	members int // of the outermost object

	id, number, status, currency, total token
	created, modified, paid             token // the _gmt ones
	parent, createdVia                  token
	billing, shipping                   address
	lines, fees, shippingLines          rowList
	coupons                             []couponLine
	giftCards                           []token // amounts
	refunds                             refundList
	meta                                metadata
	marketplace                         bool // a row's or the order's meta names a marketplace plugin

	code, message token // of an error object
	legacy        bool  // wrapped in "order", as the Legacy REST API does it
}

type address struct{ country, email token }

// rowList are the lines, fees or shipping of an order. present is false when there is no list; then instead is what
// stands in its place.
type rowList struct {
	rows    []rowLine
	present bool
	instead token
}

type rowLine struct {
	name, quantity, subtotal, total, tax token
	key                                  token // of a fee: what the plugin that made it calls it
}

type couponLine struct{ code, kind, nominal, discount, tax token }

type refundList struct {
	refunds []refundLine
	present bool
	instead token
}

type refundLine struct{ id, total, tax token }

// metadata are the order's own meta fields that may name a link of ours.
type metadata struct {
	sessionEntry, sessionStart, utmContent token
	ref, clickID                           token
	renewal                                bool  // of a subscription
	giftCards                              token // what gift cards paid (YITH)
}

// decode reads a body. The error wraps errJSON.
func decode(body []byte) (*payload, error) {
	p := new(payload)
	s := &scanner{data: body}
	for key := range s.members {
		p.members++
		p.member(s, key)
	}
	s.end()
	if s.err == nil && !utf8.Valid(body) {
		s.fail("invalid UTF-8")
	}
	return p, s.err
}

func (p *payload) member(s *scanner, key []byte) {
	switch string(key) {
	case "id":
		p.id = s.value()
	case "number":
		p.number = s.value()
	case "status":
		p.status = s.value()
	case "currency":
		p.currency = s.value()
	case "total":
		p.total = s.value()
	case "date_created_gmt":
		p.created = s.value()
	case "date_modified_gmt":
		p.modified = s.value()
	case "date_paid_gmt":
		p.paid = s.value()
	case "billing":
		p.billing = readAddress(s)
	case "shipping":
		p.shipping = readAddress(s)
	case "parent_id":
		p.parent = s.value()
	case "created_via":
		p.createdVia = s.value()
	case "line_items":
		p.lines = p.readRows(s)
	case "fee_lines":
		p.fees = p.readRows(s)
	case "shipping_lines":
		p.shippingLines = p.readRows(s)
	case "coupon_lines":
		if !each(s, func() { p.coupons = append(p.coupons, readCoupon(s)) }) {
			s.skip()
		}
	case "gift_cards":
		if !each(s, func() { p.giftCards = append(p.giftCards, field(s, "amount")) }) {
			s.skip()
		}
	case "refunds":
		p.refunds = readRefunds(s)
	case "meta_data":
		p.readMetadata(s)
	case "code":
		p.code = s.value()
	case "message":
		p.message = s.value()
	case "order":
		p.legacy = s.peek() == '{'
		s.skip()
	default:
		s.skip()
	}
}

// readAddress reads an address; what is no object (PHP writes an empty one as []) gives an empty address.
func readAddress(s *scanner) (a address) {
	if s.peek() != '{' {
		s.skip()
		return a
	}
	for key := range s.members {
		switch string(key) {
		case "country":
			a.country = s.value()
		case "email":
			a.email = s.value()
		default:
			s.skip()
		}
	}
	return a
}

// each yields once for each object of a list and says whether there was a list. PHP writes a list with a gap (a plugin
// has taken an element out) as an object with numbers for keys, so an object counts as the list of its values. The
// element may be anything; the caller must read it.
func each(s *scanner, yield func()) (present bool) {
	switch s.peek() {
	case '[':
		for range s.elements {
			yield()
		}
	case '{':
		for range s.members {
			yield()
		}
	default:
		return false
	}
	return true
}

// field reads one element and gives the value of its member name, nil when there is none.
func field(s *scanner, name string) (t token) {
	if s.peek() != '{' {
		s.skip()
		return nil
	}
	for key := range s.members {
		if string(key) == name {
			t = s.value()
		} else {
			s.skip()
		}
	}
	return t
}

func (p *payload) readRows(s *scanner) (l rowList) {
	l.present = each(s, func() { l.rows = append(l.rows, p.readRow(s)) })
	if !l.present {
		l.instead = s.value()
	}
	return l
}

func (p *payload) readRow(s *scanner) (r rowLine) {
	if s.peek() != '{' {
		s.skip()
		return r
	}
	for key := range s.members {
		switch string(key) {
		case "name", "method_title":
			r.name = s.value()
		case "quantity":
			r.quantity = s.value()
		case "subtotal":
			r.subtotal = s.value()
		case "total":
			r.total = s.value()
		case "total_tax":
			r.tax = s.value()
		case "meta_data":
			present := each(s, func() {
				key, value := readMeta(s)
				p.marketplace = p.marketplace || namesMarketplace(string(key))
				if string(key) == "_legacy_fee_key" {
					r.key = value
				}
			})
			if !present {
				s.skip()
			}
		default:
			s.skip()
		}
	}
	return r
}

func readCoupon(s *scanner) (c couponLine) {
	if s.peek() != '{' {
		s.skip()
		return c
	}
	for key := range s.members {
		switch string(key) {
		case "code":
			c.code = s.value()
		case "discount_type":
			c.kind = s.value()
		case "nominal_amount":
			c.nominal = s.value()
		case "discount":
			c.discount = s.value()
		case "discount_tax":
			c.tax = s.value()
		default:
			s.skip()
		}
	}
	return c
}

func readRefunds(s *scanner) (l refundList) {
	l.present = each(s, func() { l.refunds = append(l.refunds, readRefund(s)) })
	if !l.present {
		l.instead = s.value()
	}
	return l
}

func readRefund(s *scanner) (r refundLine) {
	if s.peek() != '{' {
		s.skip()
		return r
	}
	for key := range s.members {
		switch string(key) {
		case "id":
			r.id = s.value()
		case "total":
			r.total = s.value()
		case "total_tax":
			r.tax = s.value()
		default:
			s.skip()
		}
	}
	return r
}

func (p *payload) readMetadata(s *scanner) {
	p.meta = metadata{}
	present := each(s, func() {
		key, value := readMeta(s)
		p.marketplace = p.marketplace || namesMarketplace(string(key))
		p.meta.set(key, value)
	})
	if !present {
		s.skip()
	}
}

// readMeta reads one meta field. Its value may be of any type: plugins store objects there.
func readMeta(s *scanner) (key []byte, value token) {
	if s.peek() != '{' {
		s.skip()
		return nil, nil
	}
	for name := range s.members {
		switch string(name) {
		case "key":
			key = s.value().plain()
		case "value":
			value = s.value()
		default:
			s.skip()
		}
	}
	return key, value
}

// set keeps the value of a field that matters; of several with the same key the first that says anything.
func (m *metadata) set(key []byte, value token) {
	var to *token
	switch string(key) {
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
		m.renewal = m.renewal || saysRenewal(string(key), value)
		return
	}
	if to.absent() {
		*to = value
	}
}
