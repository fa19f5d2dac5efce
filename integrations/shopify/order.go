package shopify

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// snapshot reads an order. Its own amounts are in the shop's currency; only "_set" fields and refund transactions have
// the customer's.
func (b *body) snapshot(v *values) *affiliate.Snapshot {
	v.decimals = decimals(b.totalPrice)
	s := &affiliate.Snapshot{Currency: v.currencyCode("currency", b.currency)}
	if v.err != nil {
		return s
	}
	v.currency = s.Currency
	b.markTip(v)
	b.readTimes(v, s)
	s.Number = b.number(v)
	s.Test = v.flag("test", b.test)
	s.Renewal = b.renewal(v)
	s.Canceled = !v.time("cancelled_at", b.cancelledAt).IsZero()
	b.readStatus(v, s)
	b.readMoney(v, s)
	b.readRefunds(v, s)
	s.Codes = b.provenCodes(v)
	s.Links = b.links(v)
	s.Country = b.country(v)
	s.CustomerEmail = b.customer(v)
	if v.err == nil {
		s.Hash = affiliate.HashOf(struct {
			*affiliate.Snapshot
			Refunds []affiliate.Refund `json:"refunds"`
		}{s, s.Refunds})
	}
	return s
}

func (b *body) readTimes(v *values, s *affiliate.Snapshot) {
	if b.updatedAt.Absent() {
		v.missing("updated_at")
	}
	s.Version = millis(v.time("updated_at", b.updatedAt))
	s.PlacedAt = firstTime(v.time("created_at", b.createdAt), v.time("processed_at", b.processedAt))
	if s.PlacedAt.IsZero() {
		v.missing("created_at")
	}
}

// number is what people call the order; the store chooses prefix and suffix.
func (b *body) number(v *values) string {
	if name := v.word("name", b.name, 100); name != "" {
		return name
	}
	if b.orderNumber.IsNumber() {
		return tidy(string(b.orderNumber), 100)
	}
	return v.word("order_number", b.orderNumber, 100)
}

// readStatus reads financial_status (REST order resource; "expired" from GraphQL's OrderDisplayFinancialStatus). It is
// null for orders made by API without a transaction. It stays what the money says when the order is canceled.
func (b *body) readStatus(v *values, s *affiliate.Snapshot) {
	if b.financialStatus == nil {
		v.missing("financial_status")
	}
	s.RawStatus = v.word("financial_status", b.financialStatus, 40)
	switch s.RawStatus {
	case "paid", "partially_refunded":
		s.Status = affiliate.StorePaid
	case "refunded":
		s.Status = affiliate.StoreRefunded
	case "voided", "expired":
		s.Status = affiliate.StoreCanceled
	case "pending", "authorized", "partially_paid", "unpaid", "":
		s.Status = affiliate.StorePending
	default:
		s.Status = affiliate.StoreUnknown
		v.warning = "financial_status " + clip(s.RawStatus) + " is not known: the order keeps the last status that is"
	}
	s.PaymentDate = s.Status == affiliate.StorePaid || s.Status == affiliate.StoreRefunded
}

// readMoney reads what the customer is charged and what the goods cost.
func (b *body) readMoney(v *values, s *affiliate.Snapshot) {
	if !b.hasLines {
		v.missing("line_items")
	}
	b.spreadDiscount(v)
	total := v.signedAmount("total_price", b.required(v, "total_price", b.totalPrice), s.Currency)
	refunded, exchanged := b.refundedUnits(v, s.PaymentDate), s.PaymentDate && b.exchanged(v)
	if exchanged {
		refunded = b.refundedUnits(v, false)
	}
	merchandise, removed := b.sumLines(v, s, refunded)
	s.Merchandise, s.Total = merchandise, total
	if total >= 0 {
		s.Total = max(0, total-removed)
	}
	if exchanged {
		all, stillRemoved := b.sumLines(v, s, b.refundedUnits(v, true))
		if kept := (affiliate.KeptGoods{Merchandise: all - merchandise,
			Total: removed - stillRemoved}); kept.Total > 0 {
			s.Kept = &kept
		}
	}
	switch {
	case s.PaymentDate:
		s.Captured = max(0, s.Total)
		s.Charged = s.Captured
	case s.RawStatus == "partially_paid" && !b.totalOutstanding.Absent():
		s.Captured = max(0, s.Total-v.signedAmount("total_outstanding", b.totalOutstanding, s.Currency))
	}
}

func (b *body) required(v *values, field string, r jsonwalk.Value) jsonwalk.Value {
	if r.Absent() {
		v.missing(field)
	}
	return r
}

// spreadDiscount gives the lines their shares of a discount that the body tells for the order alone: total_discounts,
// where no line and no shipping has an allocation. Gift cards have no discounts. Where subtotal_price says that the
// lines cost what they are priced, the discount is on the shipping.
func (b *body) spreadDiscount(v *values) {
	total := v.exact("total_discounts", b.totalDiscounts, v.currency)
	if total.Round() == 0 || b.shippingDiscounted {
		return
	}
	var prices, all money.Sum
	var lines []*lineItem
	var priced []int64
	for i := range b.lines {
		l := &b.lines[i]
		if len(l.discounts) > 0 || v.optionalAmount("total_discount", l.totalDiscount, v.currency) > 0 {
			return
		}
		v.enter("line_items", i)
		price := v.price(l)
		all = v.plus("price", all, price)
		if !l.tip && !v.flag("gift_card", l.giftCard) {
			prices = v.plus("price", prices, price)
			lines, priced = append(lines, l), append(priced, price.Round())
		}
		v.leave()
	}
	if v.err != nil || !b.subtotalPrice.Absent() &&
		v.optionalAmount("subtotal_price", b.subtotalPrice, v.currency) >= all.Round() {
		return
	}
	// Each takes its share of what is left, so that the shares add up to the whole.
	left, of := min(total.Round(), prices.Round()), prices.Round()
	for i, l := range lines {
		l.share = money.MulDiv(left, priced[i], of)
		left, of = left-l.share, of-priced[i]
	}
}

func (v *values) price(l *lineItem) money.Sum {
	return v.times("price", v.exact("price", l.price, v.currency), v.count("quantity", l.quantity))
}

// sumLines gives the merchandise of the units that were not removed by an edit, and what the removed units had cost
// with tax. An edit leaves total_price, quantity and the lines' money as they were and only lowers current_quantity
// (recordings 031-034); so do refunds, whose units are therefore not counted as removed. Canceling sets
// current_quantity to 0 and removes nothing.
func (b *body) sumLines(v *values, s *affiliate.Snapshot,
	refunded map[string]int64) (merchandise, removedGross int64) {
	included := v.flag("taxes_included", b.taxesIncluded)
	var goods, gross money.Sum
	for i := range b.lines {
		l := &b.lines[i]
		v.enter("line_items", i)
		if l.price.Absent() {
			v.missing("price")
		}
		sold := l.read(v, included)
		removed := int64(0)
		if !l.currentQuantity.Absent() && !s.Canceled {
			left := v.count("current_quantity", l.currentQuantity) + refunded[v.lineKey(l.id, refunded)]
			removed = max(0, sold.quantity-left)
		}
		if sold.merchandise {
			goods = v.plus("price", goods, sold.net)
			goods = goods.Minus(money.SumOf(money.MulDiv(sold.net.Round(), removed, sold.quantity)))
		}
		gross = v.plus("price", gross, money.SumOf(money.MulDiv(sold.gross(), removed, sold.quantity)))
		v.leave()
	}
	return goods.Round(), gross.Round()
}

// refundedUnits counts by line the units that refunds took out of current_quantity. A refund without any transaction is
// how Shopify removes unpaid units and exchanges goods: those units are removed, not refunded. But where the order is
// paid and a positive refund_discrepancy keeps the money, the units were only put back on the shelf: they were charged,
// and still are.
func (b *body) refundedUnits(v *values, paid bool) map[string]int64 {
	if len(b.refunds) == 0 {
		return nil
	}
	units := map[string]int64{}
	for i := range b.refunds {
		v.enter("refunds", i)
		if !b.refunds[i].movesMoney() && !(paid && b.refunds[i].keepsMoney(v)) {
			v.leave()
			continue
		}
		for j, l := range b.refunds[i].lines {
			if l.lineID.Absent() {
				continue
			}
			v.enter("refund_line_items", j)
			id := v.id("line_item_id", l.lineID)
			units[id] = v.add("quantity", units[id], v.count("quantity", l.quantity))
			v.leave()
		}
		v.leave()
	}
	return units
}

// exchanged says whether goods that came back may have been exchanged for others: the order is paid and nothing is
// owed, although its total still has the goods that came back, and what it has now (current_subtotal_price) is what the
// units that are left cost. Whether others were bought at all, only the order's other bodies can tell.
func (b *body) exchanged(v *values) bool {
	moved := slices.ContainsFunc(b.refunds, func(f refund) bool { return f.movesMoney() })
	if status := b.financialStatus.Text(); status != "paid" && !(status == "partially_refunded" && moved) {
		return false
	}
	if b.currentSubtotal.Absent() || b.currentTotal.Absent() ||
		b.totalOutstanding.Absent() || v.signedAmount("total_outstanding", b.totalOutstanding, v.currency) > 0 ||
		v.signedAmount("current_total_price", b.currentTotal, v.currency) >=
			v.signedAmount("total_price", b.totalPrice, v.currency) {
		return false
	}
	var standing, tips int64
	for i := range b.lines {
		l := &b.lines[i]
		v.enter("line_items", i)
		quantity, left := v.count("quantity", l.quantity), v.count("quantity", l.quantity)
		if !l.currentQuantity.Absent() {
			left = v.count("current_quantity", l.currentQuantity)
		}
		price := v.price(l).Minus(l.discount(v)).Round()
		price = money.MulDiv(max(0, price), left, quantity)
		standing = v.add("price", standing, price)
		if l.tip {
			tips = v.add("price", tips, price)
		}
		v.leave()
	}
	now := v.signedAmount("current_subtotal_price", b.currentSubtotal, v.currency)
	most := int64(len(b.lines)) // a cent a line for roundings; tips may be among the subtotal or not
	return now > 0 && (distance(now, standing) <= most || distance(now, standing-tips) <= most)
}

// lineKey gives a line's id where there is anything to look up; lines need no id otherwise.
func (v *values) lineKey(id jsonwalk.Value, lookup map[string]int64) string {
	if len(lookup) == 0 || id.Absent() {
		return ""
	}
	return v.id("id", id)
}

// soldLine is one line as sold: removed and refunded units included.
type soldLine struct {
	quantity    int64
	net, tax    money.Sum // after discounts; net is without tax
	merchandise bool      // neither a gift card, which is money in another form, nor a tip
}

// gross is with tax, in minor units.
func (s soldLine) gross() int64 { return s.net.Plus(s.tax).Round() }

func (l *lineItem) read(v *values, taxesIncluded bool) soldLine {
	s := soldLine{quantity: v.count("quantity", l.quantity), merchandise: !l.tip && !v.flag("gift_card", l.giftCard)}
	if s.net = v.price(l).Minus(l.discount(v)); s.net.Compare(money.Sum{}) < 0 {
		s.net = money.Sum{}
	}
	for i, t := range l.taxes {
		v.enter("tax_lines", i)
		s.tax = v.plus("price", s.tax, v.exact("price", t.price, v.currency))
		v.leave()
	}
	if taxesIncluded {
		if s.tax.Compare(s.net) > 0 {
			s.tax = s.net
		}
		s.net = s.net.Minus(s.tax)
	}
	return s
}

// discount sums discount_allocations, which hold all discounts of a line. total_discount holds only those that staff
// gave on the line itself ("0.00" in recordings 011 and 023, which have allocations), and counts where there are none;
// beside it stands the line's share of a discount that is told for the order alone.
func (l *lineItem) discount(v *values) (d money.Sum) {
	if len(l.discounts) == 0 {
		return v.exact("total_discount", l.totalDiscount, v.currency).Plus(money.SumOf(l.share))
	}
	for i, amount := range l.discounts {
		v.enter("discount_allocations", i)
		d = v.plus("amount", d, v.exact("amount", amount, v.currency))
		v.leave()
	}
	return d
}

// readRefunds reads refunds[]. The list is not taken for complete: refunds/create may come before the order's update,
// and a refund in Shopify cannot be taken back.
func (b *body) readRefunds(v *values, s *affiliate.Snapshot) {
	for i := range b.refunds {
		v.enter("refunds", i)
		one := b.refunds[i].inOrder(v, b)
		if !b.refunds[i].partless {
			one.Version = s.Version
		}
		v.leave()
		s.Refunds = append(s.Refunds, one)
		s.RefundIDs = append(s.RefundIDs, one.ID)
	}
}

// country is the two-letter country of the billing address, else of the shipping address.
func (b *body) country(v *values) string {
	billing := v.word("billing_address.country_code", b.billingCountry, 20)
	shipping := v.word("shipping_address.country_code", b.shippingCountry, 20)
	for _, code := range [...]string{billing, shipping} {
		if c := strings.ToUpper(code); len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z' {
			return c
		}
	}
	return ""
}

// customer is the customer's address. All of them may be null or "", such as without access to protected customer data.
func (b *body) customer(v *values) string {
	return cmp.Or(v.word("email", b.email, 320), v.word("contact_email", b.contactEmail, 320),
		v.word("customer.email", b.customerEmail, 320))
}
