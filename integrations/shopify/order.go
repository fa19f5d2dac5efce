package shopify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// snapshot reads an order. Its own amounts are in the shop's currency; only "_set" fields and refund transactions have
// the customer's.
func (b *body) snapshot(v *values) *affiliate.Snapshot {
	s := &affiliate.Snapshot{Currency: v.currencyCode("currency", b.currency)}
	if v.err != nil {
		return s
	}
	v.currency = s.Currency
	b.readTimes(v, s)
	s.Number = b.number(v)
	s.Test = v.flag("test", b.test)
	s.Canceled = !v.time("cancelled_at", b.cancelledAt).IsZero()
	b.readStatus(v, s)
	b.readMoney(v, s)
	b.readRefunds(v, s)
	s.Codes = b.provenCodes(v)
	s.Links = b.links(v)
	s.Country = b.country(v)
	s.CustomerEmail = b.customer(v)
	if v.err == nil {
		s.Hash = hashOf(s)
	}
	return s
}

func (b *body) readTimes(v *values, s *affiliate.Snapshot) {
	if b.updatedAt.absent() {
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
	if b.orderNumber.isNumber() {
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
		s.Status = affiliate.StoreCustom
		v.warning = "financial_status " + clip(s.RawStatus) + " is not known: the order keeps the last status that is"
	}
	s.PaymentDate = s.Status == affiliate.StorePaid || s.Status == affiliate.StoreRefunded
}

// readMoney reads what the customer is charged and what the goods cost.
func (b *body) readMoney(v *values, s *affiliate.Snapshot) {
	if !b.hasLines {
		v.missing("line_items")
	}
	total := v.amount("total_price", b.totalPrice, s.Currency)
	merchandise, removed := b.sumLines(v, s)
	s.Merchandise, s.Total = merchandise, max(0, total-removed)
	switch {
	case s.PaymentDate:
		s.Captured, s.Charged = s.Total, s.Total
	case s.RawStatus == "partially_paid" && !b.totalOutstanding.absent():
		s.Captured = max(0, s.Total-v.signedAmount("total_outstanding", b.totalOutstanding, s.Currency))
	}
}

// sumLines gives the merchandise of the units that were not removed by an edit, and what the removed units had cost
// with tax. An edit leaves total_price, quantity and the lines' money as they were and only lowers current_quantity
// (recordings 031-034); so do refunds, whose units are therefore not counted as removed. Canceling sets
// current_quantity to 0 and removes nothing.
func (b *body) sumLines(v *values, s *affiliate.Snapshot) (merchandise, removedGross int64) {
	included := v.flag("taxes_included", b.taxesIncluded)
	refunded := b.refundedUnits(v, s.PaymentDate)
	for i := range b.lines {
		l := &b.lines[i]
		v.enter("line_items", i)
		sold := l.read(v, included)
		removed := int64(0)
		if !l.currentQuantity.absent() && !s.Canceled {
			left := v.count("current_quantity", l.currentQuantity) + refunded[v.lineKey(l.id, refunded)]
			removed = max(0, sold.quantity-left)
		}
		if sold.merchandise {
			merchandise = v.add("price", merchandise, sold.net-money.MulDiv(sold.net, removed, sold.quantity))
		}
		removedGross = v.add("price", removedGross, money.MulDiv(sold.net+sold.tax, removed, sold.quantity))
		v.leave()
	}
	return merchandise, removedGross
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
			if l.lineID.absent() {
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

// lineKey gives a line's id where there is anything to look up; lines need no id otherwise.
func (v *values) lineKey(id raw, lookup map[string]int64) string {
	if len(lookup) == 0 || id.absent() {
		return ""
	}
	return v.id("id", id)
}

// soldLine is one line as sold: removed and refunded units included.
type soldLine struct {
	quantity    int64
	net, tax    int64 // after discounts; net is without tax
	merchandise bool  // neither a gift card, which is money in another form, nor a tip
}

func (l *lineItem) read(v *values, taxesIncluded bool) soldLine {
	s := soldLine{quantity: v.count("quantity", l.quantity), merchandise: !l.tip && !v.flag("gift_card", l.giftCard)}
	price := v.times("price", v.amount("price", l.price, v.currency), s.quantity)
	s.net = max(0, price-l.discount(v))
	for i, t := range l.taxes {
		v.enter("tax_lines", i)
		s.tax = v.add("price", s.tax, v.optionalAmount("price", t.price, v.currency))
		v.leave()
	}
	if taxesIncluded {
		s.tax = min(s.tax, s.net)
		s.net -= s.tax
	}
	return s
}

// discount sums discount_allocations, which hold all discounts of a line. total_discount holds only those that staff
// gave on the line itself ("0.00" in recordings 011 and 023, which have allocations), and counts where there are none.
func (l *lineItem) discount(v *values) (d int64) {
	if len(l.discounts) == 0 {
		return v.optionalAmount("total_discount", l.totalDiscount, v.currency)
	}
	for i, amount := range l.discounts {
		v.enter("discount_allocations", i)
		d = v.add("amount", d, v.optionalAmount("amount", amount, v.currency))
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
		one.Version = s.Version
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

// hashOf names a snapshot's meaning: bodies that differ only in what is not read have one hash. The customer's address
// is left out, so that the hash tells nothing about a person.
func hashOf(s *affiliate.Snapshot) string {
	text, err := json.Marshal(struct {
		*affiliate.Snapshot
		Refunds []affiliate.Refund `json:"refunds"`
	}{s, s.Refunds})
	if err != nil {
		return "" // unreachable: there are only texts, numbers and times of years 0 to 9999 in it
	}
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:8])
}
