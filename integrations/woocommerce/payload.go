package woocommerce

import "unicode/utf8"

// payload holds the parts of a body that matter, as they were written. It is filled in one pass and judged afterwards,
// since the order of the fields is not fixed.
type payload struct {
	members int // of the outermost object

	id, number, status, currency, total token
	created, modified, paid             token // the _gmt ones
	billing, shipping                   address
	lines, fees, coupons                list // of totals, totals and codes
	refunds                             refundList
	meta                                metadata

	code, message token // of an error object
	legacy        bool  // wrapped in "order", as the Legacy REST API does it
}

type address struct{ country, email token }

// list is one field of each element of a list. present is false when there is no list; then instead is what stands in
// its place.
type list struct {
	fields  []token
	present bool
	instead token
}

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
	case "line_items":
		p.lines = readList(s, "total")
	case "fee_lines":
		p.fees = readList(s, "total")
	case "coupon_lines":
		p.coupons = readList(s, "code")
	case "refunds":
		p.refunds = readRefunds(s)
	case "meta_data":
		p.meta = readMetadata(s)
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

func readList(s *scanner, name string) (l list) {
	l.present = each(s, func() { l.fields = append(l.fields, field(s, name)) })
	if !l.present {
		l.instead = s.value()
	}
	return l
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

func readMetadata(s *scanner) (m metadata) {
	present := each(s, func() {
		key, value := readMeta(s)
		m.set(key, value)
	})
	if !present {
		s.skip()
	}
	return m
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
	default:
		return
	}
	if to.absent() {
		*to = value
	}
}
