package simulate

import (
	"time"

	shopifysource "github.com/tributaryhq/tributary/integrations/shopify"
)

// step is one thing that happens to an order.
type step int

const (
	created     step = iota // placed, not paid yet
	createdPaid             // placed and paid at once
	pay
	fail
	ship
	refundLines
	refundAmount
	refundShipping
	refundRest // all that is left
	refundPending
	refundSettles
	cancel
	edit // a unit is taken out before the order is paid
)

// scripts are the lives that orders lead; scriptWeights say how many of a hundred lead them.
var scripts = [][]step{
	{createdPaid},
	{createdPaid, ship},
	{created, pay, ship},
	{created},
	{created, pay, refundLines},
	{createdPaid, ship, refundAmount},
	{createdPaid, refundShipping},
	{createdPaid, refundRest},
	{created, pay, refundLines, refundRest},
	{created, pay, refundAmount, refundLines, refundRest},
	{created, cancel},
	{createdPaid, cancel},
	{createdPaid, refundRest, cancel},
	{created, edit, pay},
	{created, fail},
	{created, fail, pay},
	{createdPaid, refundPending, refundSettles},
}

var scriptWeights = []int{18, 16, 20, 6, 6, 5, 3, 4, 3, 2, 4, 2, 3, 3, 1, 2, 2}

// happen changes the order and moves its clock on.
func (g *Generator) happen(o *order, s step) {
	if s != created && s != createdPaid {
		o.updated = o.updated.Add(time.Duration(1+g.random.Int64N(3000)) * time.Second)
	}
	switch s {
	case createdPaid:
		o.status, o.paidAt = paid, o.updated
	case pay:
		o.status, o.paidAt = paid, o.updated
	case ship:
		o.status = completed
	case fail:
		o.status = failed
	case cancel:
		o.status, o.canceledAt = canceled, o.updated
	case edit:
		g.edit(o)
	case refundLines:
		g.refundLines(o)
	case refundAmount, refundPending:
		g.refundAmount(o, s == refundPending)
	case refundSettles:
		o.refunds[len(o.refunds)-1].pending = false
	case refundShipping:
		g.refundShipping(o)
	case refundRest:
		g.refundRest(o)
	}
}

func (g *Generator) edit(o *order) {
	for i := range o.lines {
		if l := &o.lines[i]; l.quantity > 1 {
			l.removed = 1
			return
		}
	}
}

func (g *Generator) newRefund(o *order) refund {
	id := o.id*10 + int64(len(o.refunds)) + 1
	return refund{id: id, transaction: id + 5, at: o.updated}
}

// refundLines gives back one unit of the first line that has one, but never the whole order, nor a unit that costs what
// the shipping does: where a store tells amounts alone, nobody could know which of them went back.
func (g *Generator) refundLines(o *order) {
	r := g.newRefund(o)
	r.units = make([]int64, len(o.lines))
	for i := range o.lines {
		l := &o.lines[i]
		amount := l.gross(o.taxIncluded)
		if l.quantity-l.removed-l.refunded < 1 || o.refundedAmount()+amount >= o.sums().total ||
			amount == o.shipping+o.shippingTax {
			continue
		}
		l.refunded++
		r.units[i], r.amount, r.tax = 1, amount, l.taxUnit
		o.refunds = append(o.refunds, r)
		return
	}
}

func (g *Generator) refundAmount(o *order, pending bool) {
	r := g.newRefund(o)
	r.amount, r.pending = min(100+g.random.Int64N(900), o.sums().total/3), pending &&
		g.plan.Platform == shopifysource.Name
	o.refunds = append(o.refunds, r)
}

func (g *Generator) refundShipping(o *order) {
	if o.shipping == 0 {
		return
	}
	r := g.newRefund(o)
	r.shipping, r.amount, r.tax = true, o.shipping+o.shippingTax, o.shippingTax
	o.refunds = append(o.refunds, r)
}

// refundRest gives back all that is left, as an amount if something had gone back before.
func (g *Generator) refundRest(o *order) {
	r := g.newRefund(o)
	r.amount = o.sums().total - o.sums().removed - o.refundedAmount()
	if len(o.refunds) == 0 {
		r.units, r.shipping, r.tax = make([]int64, len(o.lines)), o.shipping > 0, o.sums().tax
		for i := range o.lines {
			l := &o.lines[i]
			r.units[i] = l.quantity
			l.refunded = l.quantity
		}
	}
	o.refunds = append(o.refunds, r)
	o.status = refunded
}
