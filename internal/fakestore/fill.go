package fakestore

import (
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Fill places n orders, spread over a time, without webhooks: the history of before the connection. Of ten orders some
// seven are paid and one each is pending, canceled and refunded. Every second one uses one of the codes, if any.
func (s *Shop) Fill(n int, from, until time.Time, codes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		at := from.Add(time.Duration(int64(until.Sub(from)) / int64(max(1, n)) * int64(i))).Truncate(time.Second)
		in := s.invent(codes)
		in.At, in.Quiet = at, true
		s.last += int64(s.random.IntN(3)) // as other things take ids too
		o := s.place(in)
		switch s.random.IntN(10) {
		case 0: // stays pending
		case 1:
			o.status, o.canceledAt = canceled, at
		case 2:
			o.status, o.paidAt = paid, at
			s.refundAll(o, at)
		default:
			o.status, o.paidAt = paid, at
		}
	}
}

func (s *Shop) refundAll(o *order, at time.Time) {
	r := &refund{id: s.nextID(), at: at, Refund: Refund{Amount: o.total}}
	o.refunds, o.refundedAmount = append(o.refunds, r), o.total
	o.refundedMerchandise, o.status, o.updated = o.merchandise, refunded, at
}

var goods = []Line{{Name: "Tee shirt", Price: 25_00}, {Name: "Mug", Price: 11_00}, {Name: "Hoodie", Price: 59_95}}

// invent makes an order up.
func (s *Shop) invent(codes []string) NewOrder {
	n := NewOrder{Shipping: 4_95, ShippingTax: 40}
	n.Email = fmt.Sprintf("customer%d@example.com", s.random.IntN(1_000_000))
	rate := int64(0)
	if len(codes) > 0 && s.random.IntN(2) == 0 {
		n.Codes = []string{codes[s.random.IntN(len(codes))]}
		rate = 10
	}
	for range 1 + s.random.IntN(2) {
		l := goods[s.random.IntN(len(goods))]
		l.Quantity = int64(1 + s.random.IntN(3))
		l.Discount = money.MulDiv(l.Price*l.Quantity, rate, 100)
		l.Tax = money.MulDiv(l.net(), 8, 100)
		n.Lines = append(n.Lines, l)
	}
	return n
}

// live lets a little happen: now and then an order comes in, is paid, or comes back.
func (s *Shop) live() {
	s.mu.Lock()
	chance, codes := s.random.IntN(10), []string{}
	for _, c := range s.coupons {
		codes = append(codes, c.code)
	}
	in := s.invent(codes)
	in.Paid = s.random.IntN(4) > 0
	var unpaid, standing string
	recent := s.inOrder("id", func(o *order) int64 { return o.id })
	for _, o := range recent[max(0, len(recent)-20):] {
		switch {
		case o.trashed:
		case o.status == pending:
			unpaid = formatID(o.id)
		case o.status == paid && len(o.refunds) == 0:
			standing = formatID(o.id)
		}
	}
	s.mu.Unlock()
	switch {
	case chance == 0:
		s.Place(in)
	case chance == 1 && unpaid != "":
		s.Pay(unpaid)
	case chance == 2 && standing != "" && s.quiet(3):
		s.Refund(standing, Refund{Lines: map[int]Part{0: {Quantity: 1}}, Reason: "Customer asked"})
	}
}

// quiet is true once in n times.
func (s *Shop) quiet(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(n) == 0
}
