package fakestore

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// NewOrder is what a customer orders. Amounts are minor units of the shop's currency.
type NewOrder struct {
	Codes    []string // in the order of their use; Line.Discount says what they take off
	Landing  string   // page where the visit began, with its query: "https://shop.example/?ref=anna"; empty: unknown
	Lines    []Line
	Shipping int64
	// ShippingTax is the tax of the shipping.
	ShippingTax int64
	Email       string // of the customer
	Country     string // two letters; US
	Paid        bool
	At          time.Time // when it was placed; zero: now
	// Quiet leaves out the webhooks, as for orders of before the connection.
	Quiet bool
	// Draft is a checkout that was begun and not finished, which WooCommerce lists as an order.
	Draft bool
}

// Line is a row of an order. Price is that of one unit; Discount and Tax are those of the whole row. Tax comes on top.
type Line struct {
	Name     string
	Price    int64
	Quantity int64
	Discount int64
	Tax      int64
}

func (l Line) net() int64 { return l.Price*l.Quantity - l.Discount }

// Refund is what goes back. Rows, shipping and what Amount has beyond them may be combined.
type Refund struct {
	Lines       map[int]Part // by the order's line, from 0
	Shipping    int64
	ShippingTax int64
	Amount      int64 // all of it, tax included; 0: the sum of its rows
	Reason      string
}

// Part is what a refund gives back of a line. Without Amount it is the share of Quantity in the line's net and tax.
type Part struct {
	Quantity int64
	Amount   int64
	Tax      int64
}

// status of an order beside the trash.
type status string

const (
	pending  status = "pending"
	paid     status = "paid"
	canceled status = "canceled"
	refunded status = "refunded"
)

// order is one of the shop's. Times are UTC.
type order struct {
	NewOrder
	id                                  int64
	rows                                []int64 // ids of its lines, and of its shipping as the last one
	codeRows                            []int64
	key                                 string // random
	status                              status
	trashed, unlisted                   bool
	placed, updated, paidAt, canceledAt time.Time
	refunds                             []*refund // oldest first
	edits                               int
	merchandise, tax, discount, total   int64 // tax is without that of the shipping
	refundedAmount, refundedMerchandise int64
}

type refund struct {
	Refund // with all amounts filled in
	id     int64
	at     time.Time
	rows   map[int]int64 // ids of its lines
}

// change is what befell an order.
type change struct {
	what   happening
	refund *refund // that was made or deleted
}

type happening string

const (
	placedOrder   happening = "placed" // paid at once, perhaps
	paidOrder     happening = "paid"
	refundedOrder happening = "refunded"
	deletedRefund happening = "refund deleted"
	canceledOrder happening = "canceled"
	editedOrder   happening = "edited"
	trashedOrder  happening = "trashed"
	restoredOrder happening = "restored"
	deletedOrder  happening = "deleted"
)

// Place takes an order and gives its id.
func (s *Shop) Place(n NewOrder) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return formatID(s.place(n).id)
}

func (s *Shop) place(n NewOrder) *order {
	if n.At.IsZero() {
		n.At = s.now()
	}
	if n.Country == "" {
		n.Country = "US"
	}
	n.Lines = slices.Clone(n.Lines)
	o := &order{NewOrder: n, id: s.nextID(), key: s.token(13, letters), status: pending, placed: n.At.UTC()}
	o.updated = o.placed
	for _, l := range n.Lines {
		o.rows = append(o.rows, s.nextID())
		o.merchandise += l.net()
		o.discount += l.Discount
		o.tax += l.Tax
	}
	o.rows = append(o.rows, s.nextID())
	for range n.Codes {
		o.codeRows = append(o.codeRows, s.nextID())
	}
	o.total = o.merchandise + o.tax + n.Shipping + n.ShippingTax
	if n.Paid {
		o.status, o.paidAt = paid, o.placed
	}
	s.orders[o.id] = o
	s.changed(o, change{what: placedOrder}, !n.Quiet && !n.Draft)
	return o
}

// changed forgets what was sorted, and tells the webhooks.
func (s *Shop) changed(o *order, c change, tell bool) {
	clear(s.sorted)
	if tell {
		s.face.tell(o, c)
	}
}

// alter changes an order that there must be, stamps it, and tells the webhooks.
func (s *Shop) alter(id string, what happening, how func(*order)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.mustFind(id)
	how(o)
	o.updated = s.now()
	s.changed(o, change{what: what}, true)
}

func (s *Shop) mustFind(id string) *order {
	n, _ := strconv.ParseInt(id, 10, 64)
	o := s.orders[n]
	if o == nil {
		panic("fakestore: no order " + id)
	}
	return o
}

// Pay captures an order's money.
func (s *Shop) Pay(id string) {
	s.alter(id, paidOrder, func(o *order) { o.status, o.paidAt = paid, s.now() })
}

// Cancel cancels one. No money goes back by that.
func (s *Shop) Cancel(id string) {
	s.alter(id, canceledOrder, func(o *order) { o.status, o.canceledAt = canceled, s.now() })
}

// Edit changes nothing that counts, but the modification time.
func (s *Shop) Edit(id string) { s.alter(id, editedOrder, func(o *order) { o.edits++ }) }

// EditLine sets the quantity of a line, at the same price of a unit; discount and tax follow. Total and value change.
func (s *Shop) EditLine(id string, line int, quantity int64) {
	s.alter(id, editedOrder, func(o *order) {
		l := &o.Lines[line]
		o.merchandise, o.discount, o.tax, o.total = o.merchandise-l.net(), o.discount-l.Discount, o.tax-l.Tax,
			o.total-l.net()-l.Tax
		l.Discount, l.Tax = money.MulDiv(l.Discount, quantity, l.Quantity), money.MulDiv(l.Tax, quantity, l.Quantity)
		l.Quantity = quantity
		o.merchandise, o.discount, o.tax, o.total = o.merchandise+l.net(), o.discount+l.Discount, o.tax+l.Tax,
			o.total+l.net()+l.Tax
		o.edits++
	})
}

// Trash moves an order to the trash, where the platform has one.
func (s *Shop) Trash(id string) { s.alter(id, trashedOrder, func(o *order) { o.trashed = true }) }

// Restore takes it out again.
func (s *Shop) Restore(id string) { s.alter(id, restoredOrder, func(o *order) { o.trashed = false }) }

// Unlist gives an order a status of a plugin that is gone: no list of WooCommerce shows it, but it is there.
func (s *Shop) Unlist(id string) { s.alter(id, editedOrder, func(o *order) { o.unlisted = true }) }

// DeleteForGood removes an order. Whether webhooks tell of it is the platform's matter.
func (s *Shop) DeleteForGood(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.mustFind(id)
	delete(s.orders, o.id)
	s.changed(o, change{what: deletedOrder}, true)
}

// Refund gives money back and gives the refund's id. Once all is back the order is refunded.
func (s *Shop) Refund(id string, r Refund) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.mustFind(id)
	made := &refund{Refund: r, id: s.nextID(), at: s.now(), rows: map[int]int64{}}
	made.Lines = map[int]Part{}
	sum := r.Shipping + r.ShippingTax
	for _, i := range slices.Sorted(maps.Keys(r.Lines)) {
		part, line := r.Lines[i], o.Lines[i]
		if part.Amount == 0 {
			part.Amount = money.MulDiv(line.net(), part.Quantity, line.Quantity)
			part.Tax = money.MulDiv(line.Tax, part.Quantity, line.Quantity)
		}
		made.Lines[i], made.rows[i] = part, s.nextID()
		sum += part.Amount + part.Tax
	}
	made.Amount = max(sum, r.Amount)
	if made.Amount <= 0 || made.Amount > o.total-o.refundedAmount {
		panic(fmt.Sprintf("fakestore: a refund of %d of order %s, of which %d of %d are refunded", made.Amount, id,
			o.refundedAmount, o.total))
	}
	o.refunds = append(o.refunds, made)
	o.refundedAmount += made.Amount
	o.refundedMerchandise += o.merchandiseOf(made)
	if o.refundedAmount == o.total {
		o.status = refunded
	}
	o.updated = made.at
	s.changed(o, change{refundedOrder, made}, true)
	return formatID(made.id)
}

// merchandiseOf is by how much a refund lowers the order's value: by its lines, or by the merchandise's share of an
// amount.
func (o *order) merchandiseOf(r *refund) (lowers int64) {
	for _, part := range r.Lines {
		lowers += part.Amount
	}
	if len(r.Lines) == 0 && r.Shipping == 0 {
		lowers = money.MulDiv(r.Amount, o.merchandise, o.total)
	}
	return lowers
}

// DeleteRefund takes a refund's record away. That is not told, changes no modification time, and leaves the status: so
// WooCommerce does it.
func (s *Shop) DeleteRefund(id, refundID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.mustFind(id)
	i := slices.IndexFunc(o.refunds, func(r *refund) bool { return formatID(r.id) == refundID })
	if i < 0 {
		panic("fakestore: order " + id + " has no refund " + refundID)
	}
	gone := o.refunds[i]
	o.refunds = slices.Delete(o.refunds, i, i+1)
	o.refundedAmount -= gone.Amount
	o.refundedMerchandise -= o.merchandiseOf(gone)
	s.changed(o, change{deletedRefund, gone}, true)
}

// IDs are those of all orders that there are, in the order in which they were placed.
func (s *Shop) IDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, 0, len(s.orders))
	for _, id := range slices.Sorted(maps.Keys(s.orders)) {
		ids = append(ids, formatID(id))
	}
	return ids
}

// Truth is what must be known of an order. Amounts are minor units of the shop's currency.
type Truth struct {
	Status   affiliate.OrderStatus
	Total    int64 // as charged
	Original int64 // merchandise as sold
	Value    int64 // that still stands; 0 where refunded or canceled
	Refunded int64 // money that went back
	Codes    []string
	Placed   time.Time
	Updated  time.Time
	Trashed  bool
	Gone     bool // deleted for good, or never there: nothing else is known
}

// Truth gives it.
func (s *Shop) Truth(id string) Truth {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := strconv.ParseInt(id, 10, 64)
	o := s.orders[n]
	if o == nil {
		return Truth{Gone: true}
	}
	t := Truth{Total: o.total, Original: o.merchandise, Refunded: o.refundedAmount, Codes: slices.Clone(o.Codes),
		Placed: o.placed, Updated: o.updated, Trashed: o.trashed}
	switch {
	case o.status == refunded, !o.paidAt.IsZero() && o.refundedAmount >= o.total && o.total > 0:
		t.Status = affiliate.Refunded
	case o.trashed, o.status == canceled:
		t.Status = affiliate.Canceled
	case o.status == paid:
		t.Status = affiliate.Paid
	default:
		t.Status = affiliate.Pending
	}
	if t.Status == affiliate.Paid || t.Status == affiliate.Pending {
		t.Value = max(0, o.merchandise-o.refundedMerchandise)
	}
	return t
}

// inOrder gives all orders sorted by one thing, equal ones by their ids. It must not be changed.
func (s *Shop) inOrder(by string, of func(*order) int64) []*order {
	if list, ok := s.sorted[by]; ok {
		return list
	}
	list := slices.Collect(maps.Values(s.orders))
	slices.SortFunc(list, func(a, b *order) int {
		if x, y := of(a), of(b); x != y {
			return int(min(1, max(-1, x-y)))
		}
		return int(min(1, max(-1, a.id-b.id)))
	})
	s.sorted[by] = list
	return list
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
