package woocommerce

import (
	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// refundRows are the rows of a refund as GET /orders/{id}/refunds lists it, with negative totals.
type refundRows struct {
	lines, fees, shippingLines rowList
}

// parseRead reads an order as the client keeps it: as in a webhook, or {"order":…,"refunds":[…]} with the rows of its
// refunds.
func parseRead(body []byte) (affiliate.Parsed, error) {
	p, w := new(payload), jsonwalk.New(body)
	for key := range w.Members {
		p.members++
		switch {
		case string(key) == "order" && w.Peek() == '{':
			p.rows = map[string]refundRows{}
			for name := range w.Members {
				p.members++
				p.member(w, name)
			}
		case string(key) == "refunds" && p.rows != nil:
			each(w, func() { p.readRefundRows(w) })
		default:
			p.member(w, key)
		}
	}
	if err := w.Err(); err != nil {
		return affiliate.Parsed{}, bodyError(body, err)
	}
	id, err := p.orderID()
	if err != nil {
		return affiliate.Parsed{}, err
	}
	return p.order(affiliate.TopicOrderRead, id)
}

func (p *payload) readRefundRows(w *jsonwalk.Walker) {
	var id jsonwalk.Value
	var r refundRows
	for key := range w.Members {
		switch string(key) {
		case "id":
			id = w.Value()
		case "line_items":
			r.lines = p.readRows(w)
		case "fee_lines":
			r.fees = p.readRows(w)
		case "shipping_lines":
			r.shippingLines = p.readRows(w)
		}
	}
	if id, err := readID("id", id); err == nil {
		p.rows[id] = r
	}
}

// byRows puts the rows of a refund in the place of what was guessed from its amount. A refund without rows was made by
// amount: nothing of it is in doubt then. What goes back beyond the rows lowers the merchandise by its share.
func (r *reader) byRows(refund affiliate.Refund, rows refundRows, s *affiliate.Snapshot) affiliate.Refund {
	var merchandise, shipping, gross money.Sum
	count := 0
	add := func(list string, l rowList, take func(line rowLine, net, tax money.Sum)) {
		for i, line := range l.rows {
			net := r.exact(place{list, i, "total"}, line.total)
			tax := r.optional(place{list, i, "total_tax"}, line.tax)
			gross = gross.Minus(net).Minus(tax)
			count++
			take(line, net, tax)
		}
	}
	add("line_items", rows.lines, func(_ rowLine, net, _ money.Sum) { merchandise = merchandise.Minus(net) })
	add("fee_lines", rows.fees, func(line rowLine, net, _ money.Sum) {
		// A negative fee is a discount, unless it is stored money; given back it is positive.
		if net.Compare(money.Sum{}) > 0 && !namesStoredMoney(cleanText(line.name), cleanText(line.key)) {
			merchandise = merchandise.Minus(net)
		}
	})
	add("shipping_lines", rows.shippingLines, func(_ rowLine, net, tax money.Sum) {
		shipping = shipping.Minus(net).Minus(tax)
	})
	refund.Unclear = false
	if gross.Compare(money.Sum{}) == 0 && merchandise.Compare(money.Sum{}) == 0 {
		refund.ByLines, refund.Lines = false, 0
		return refund
	}
	refund.ByLines, refund.Lines, refund.Shipping = true, max(0, merchandise.Round()), max(0, shipping.Round())
	// Rows are rounded one by one, and the amount is the sum that was seen: that leaves a unit for each at most.
	if beyond := refund.Amount - gross.Round(); beyond > int64(count) {
		refund.Lines += money.MulDiv(beyond, s.Merchandise, s.Total+s.Stored)
	}
	return refund
}
