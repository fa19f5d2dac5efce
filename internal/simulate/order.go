package simulate

import (
	"time"
)

// order is one simulated order: what its store knows of it. All amounts are minor units. Each unit of a line has its
// own exact price, discount and tax, so that refunds by lines add up without rounding.
type order struct {
	id, number  int64
	placed      time.Time
	updated     time.Time
	status      storeStatus
	paidAt      time.Time
	canceledAt  time.Time
	test        bool
	pickup      bool // sold over the counter: no shipping, no tax, and a small body
	taxIncluded bool
	customer    int // which of the made-up customers; 0 is none
	lines       []line
	shipping    int64
	shippingTax int64
	discounts   []string // codes as the customer typed them, first one first
	slug        string   // of the link the customer came by
	refunds     []refund
	attributes  int // how many cart attributes pad the body
	salt        uint64
}

type storeStatus int

const (
	unpaid storeStatus = iota
	paid
	completed // paid and shipped
	failed
	canceled
	refunded
)

type line struct {
	product                  int
	quantity                 int64
	removed                  int64 // units taken out by an order edit
	refunded                 int64
	price, discount, taxUnit int64 // of one unit; price is before the discount
}

// net is what one unit sells for, without tax.
func (l line) net(taxIncluded bool) int64 {
	if taxIncluded {
		return l.price - l.discount - l.taxUnit
	}
	return l.price - l.discount
}

// gross is what the customer pays for one unit.
func (l line) gross(taxIncluded bool) int64 { return l.net(taxIncluded) + l.taxUnit }

// refund is one refund. Its kind says how the store tells it.
type refund struct {
	id, transaction int64
	at              time.Time
	units           []int64 // by line; nil for an amount
	shipping        bool    // shipping and its tax go back
	amount          int64   // all that goes back
	tax             int64   // of lines and shipping
	pending         bool    // the money has not moved yet
}

// sums of an order as sold, without the units that an edit removed.
type sums struct {
	items, discount, tax int64 // of lines; items are before discounts
	merchandise          int64
	total                int64
	removed              int64 // what the removed units had cost, with tax
}

func (o *order) sums() (s sums) {
	for _, l := range o.lines {
		kept := l.quantity - l.removed
		s.items += l.price * l.quantity
		s.discount += l.discount * l.quantity
		s.tax += l.taxUnit * l.quantity
		s.merchandise += l.net(o.taxIncluded) * kept
		s.total += l.gross(o.taxIncluded) * l.quantity
		s.removed += l.gross(o.taxIncluded) * l.removed
	}
	s.total += o.shipping + o.shippingTax
	s.tax += o.shippingTax
	return s
}

// refundedAmount is the money that has gone back.
func (o *order) refundedAmount() (sum int64) {
	for _, r := range o.refunds {
		if !r.pending {
			sum += r.amount
		}
	}
	return sum
}

// Expected is what an order must be in the end, by the generator's own bookkeeping.
type Expected struct {
	ID            string
	Status        string
	Value         int64
	OriginalValue int64
	Total         int64
	Refunded      int64
	Test          bool
	Owner         int    // index of the owner credited; -1 when nobody is
	Method        string // code, link
	NotCredited   string
	Commission    int64
}

// expected keeps the books: status and value by the rules of the product, from what happened to the order.
func (o *order) expected(owners []Owner) Expected {
	s := o.sums()
	e := Expected{ID: formatID(o.id), OriginalValue: s.merchandise, Total: s.total - s.removed,
		Refunded: o.refundedAmount(), Test: o.test}
	captured := !o.paidAt.IsZero()
	switch {
	case captured && e.Refunded >= e.Total && e.Total > 0, o.status == refunded:
		e.Status = "refunded"
	case !o.canceledAt.IsZero(), o.status == canceled, o.status == failed:
		e.Status = "canceled"
	case captured:
		e.Status = "paid"
	default:
		e.Status = "pending"
	}
	if e.Status == "paid" || e.Status == "pending" {
		e.Value = max(0, s.merchandise-o.merchandiseBack(e))
	}
	o.credit(&e, owners)
	return e
}

func (o *order) merchandiseBack(e Expected) (back int64) {
	for _, r := range o.refunds {
		if r.pending {
			continue
		}
		switch {
		case r.units == nil && !r.shipping:
			back += share(r.amount, e.OriginalValue, e.Total)
		case r.units != nil:
			for i, units := range r.units {
				back += units * o.lines[i].net(o.taxIncluded)
			}
		}
	}
	return back
}

// share is amount × part ÷ whole, half up; amounts here are far from overflowing.
func share(amount, part, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	return (2*amount*part + whole) / (2 * whole)
}

// credit finds out whose sale it is: the first owned code, else the link.
func (o *order) credit(e *Expected, owners []Owner) {
	e.Owner, e.NotCredited = -1, "no_evidence"
	if len(o.discounts) > 0 || o.slug != "" {
		e.NotCredited = "no_owner"
	}
	for _, code := range o.discounts {
		if i := ownerOf(owners, func(w Owner) bool {
			return w.Code != "" && sameCode(w.Code, code)
		}); i >= 0 && e.Owner < 0 {
			e.Owner, e.Method = i, "code"
		}
	}
	if i := ownerOf(owners, func(w Owner) bool { return w.Slug != "" && w.Slug == o.slug }); i >= 0 && e.Owner < 0 {
		e.Owner, e.Method = i, "link"
	}
	if o.test {
		e.Owner, e.Method, e.NotCredited = -1, "", "test"
	}
	if e.Owner < 0 {
		return
	}
	e.NotCredited = ""
	if e.Status == "paid" {
		w := owners[e.Owner]
		e.Commission = share(e.Value, w.Percent, rateUnit) + w.Flat
	}
}

// rateUnit is the unit of Owner.Percent.
const rateUnit = 10_000
