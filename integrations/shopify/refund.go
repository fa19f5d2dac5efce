package shopify

import (
	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// givesBack says whether the transaction is of kind refund; the others (sale, capture, authorization, void, change)
// take or hold money.
func (t *transaction) givesBack() bool { return t.kind.IsText() && t.kind.Text() == "refund" }

// movesMoney says whether the refund has a transaction that gives money back, in whatever state.
func (f *refund) movesMoney() bool {
	for _, t := range f.transactions {
		if t.givesBack() {
			return true
		}
	}
	return false
}

// keepsMoney says whether a positive refund_discrepancy cancels what the lines would give back.
func (f *refund) keepsMoney(v *values) bool {
	return f.parts(v, shopMoney, v.currency).discrepancy > 0
}

// standalone reads the body of refunds/create, which does not say its order's currency or whether its prices include
// tax. It is false when nothing tells the currency, and then no money has moved either.
func (f *refund) standalone(v *values) (affiliate.Refund, bool) {
	currency, field := f.shopCurrency()
	if currency.Absent() {
		return affiliate.Refund{ID: v.id("id", f.id)}, false
	}
	v.currency = v.currencyCode(field, currency)
	if v.err != nil {
		return affiliate.Refund{}, true
	}
	r := f.read(v, nil, f.includesTax(v))
	r.Version = millis(firstTime(v.time("processed_at", f.processedAt), v.time("created_at", f.createdAt)))
	return r, true
}

// inOrder reads one of an order's refunds.
func (f *refund) inOrder(v *values, order *body) affiliate.Refund {
	if f.partless {
		return f.bySum(v)
	}
	return f.read(v, order, v.flag("taxes_included", order.taxesIncluded))
}

// shopCurrency finds the shop's currency in a refund, and the field that says it. Transactions are in the customer's
// currency, so they are asked last; bodies without any "_set" are older than shops with several currencies.
func (f *refund) shopCurrency() (jsonwalk.Value, string) {
	for i := range f.adjustments {
		if c := f.adjustments[i].amountSet.shop.currency; !c.Absent() {
			return c, "order_adjustments"
		}
	}
	for i := range f.lines {
		if c := f.lines[i].subtotalSet.shop.currency; !c.Absent() {
			return c, "refund_line_items"
		}
	}
	for i := range f.shipping {
		if c := f.shipping[i].subtotal.shop.currency; !c.Absent() {
			return c, "refund_shipping_lines"
		}
	}
	if c := f.duties.shop.currency; !c.Absent() {
		return c, "total_duties_set"
	}
	for _, t := range f.transactions {
		if !t.currency.Absent() {
			return t.currency, "transactions"
		}
	}
	return nil, ""
}

// read reads a refund in the shop's currency. order is nil for a refund that comes on its own.
func (f *refund) read(v *values, order *body, taxesIncluded bool) affiliate.Refund {
	r := affiliate.Refund{
		ID: v.id("id", f.id), Currency: v.currency,
		At: firstTime(v.time("created_at", f.createdAt), v.time("processed_at", f.processedAt)),
	}
	r.Transactions = f.refundTransactions(v)
	r.Status = refundStatus(r.Transactions)
	parts := f.parts(v, shopMoney, v.currency)
	r.Shipping, r.Tax = parts.shippingBack(taxesIncluded), parts.taxAlone
	r.Amount = amountOf(r, parts.identity(taxesIncluded, r.Status != affiliate.RefundSettled))
	f.readLines(v, order, taxesIncluded, &r)
	return r
}

func (f *refund) refundTransactions(v *values) (list []affiliate.Transaction) {
	for i := range f.transactions {
		v.enter("transactions", i)
		t := f.transactions[i]
		if t.currency.Absent() { // before shops could sell in several currencies
			t.currency = jsonwalk.Value(`"` + string(v.currency) + `"`)
		}
		if one := t.read(v); one.Refund {
			list = append(list, one)
		}
		v.leave()
	}
	return list
}

// refundStatus: one success settles a refund. Without transactions no money moves (refunds/create comes "independent
// from the movement of money"; recording 003).
func refundStatus(list []affiliate.Transaction) affiliate.RefundStatus {
	if len(list) == 0 {
		return affiliate.RefundNoMoney
	}
	status := affiliate.RefundFailed
	for _, t := range list {
		switch t.Status {
		case affiliate.RefundSettled:
			return affiliate.RefundSettled
		case affiliate.RefundPending:
			status = affiliate.RefundPending
		}
	}
	return status
}

// amountOf is all that goes back. The transactions say it where they are in the shop's currency, those that failed only
// if all did. Where the customer paid in another currency, the refund's lines and adjustments do (identity).
func amountOf(r affiliate.Refund, identity int64) int64 {
	if r.Status == affiliate.RefundNoMoney {
		return 0
	}
	sum := int64(0)
	for _, t := range r.Transactions {
		if t.Currency != r.Currency {
			return identity
		}
		if t.Status != affiliate.RefundFailed || r.Status == affiliate.RefundFailed {
			sum += t.Amount
		}
	}
	return sum
}

// refundParts are the sums of a refund's parts in one currency.
type refundParts struct {
	subtotal, tax         int64 // of lines
	adjustments           int64 // with tax; negative ones give money back
	discrepancy           int64 // the positive refund_discrepancy among them
	shipping              int64 // shipping_refund adjustments, as a positive amount
	hasShippingAdjustment bool
	shippingLines         int64 // refund_shipping_lines, the same shipping told again in bodies since 2024
	shippingLinesTax      int64
	taxAlone              int64 // tax given back on its own
}

// side picks the shop's or the customer's amount. plain is the field beside the set, in the shop's currency.
type side func(plain jsonwalk.Value, set amountSet) jsonwalk.Value

func shopMoney(plain jsonwalk.Value, set amountSet) jsonwalk.Value {
	if set.shop.amount.Absent() {
		return plain
	}
	return set.shop.amount
}

func presentmentMoney(_ jsonwalk.Value, set amountSet) jsonwalk.Value { return set.presentment.amount }

func (f *refund) parts(v *values, of side, c money.Currency) (p refundParts) {
	for i := range f.lines {
		l := &f.lines[i]
		v.enter("refund_line_items", i)
		p.subtotal = v.add("subtotal", p.subtotal, v.optionalAmount("subtotal", of(l.subtotal, l.subtotalSet), c))
		p.tax = v.add("total_tax", p.tax, v.optionalAmount("total_tax", of(l.tax, l.taxSet), c))
		v.leave()
	}
	for i := range f.adjustments {
		v.enter("order_adjustments", i)
		f.adjustments[i].addTo(&p, v, of, c)
		v.leave()
	}
	for i := range f.shipping {
		v.enter("refund_shipping_lines", i)
		s := &f.shipping[i]
		p.shippingLines = v.add("subtotal_amount_set", p.shippingLines, v.optionalAmount("subtotal_amount_set",
			of(nil, s.subtotal), c))
		p.shippingLinesTax = v.add("tax_amount_set", p.shippingLinesTax, v.optionalAmount("tax_amount_set",
			of(nil, s.tax), c))
		v.leave()
	}
	return p
}

// addTo adds one order adjustment. A refund of tax alone is a refund_discrepancy with an amount of 0.
func (a *adjustment) addTo(p *refundParts, v *values, of side, c money.Currency) {
	amount := v.signedAmount("amount", of(a.amount, a.amountSet), c)
	tax := v.signedAmount("tax_amount", of(a.tax, a.taxSet), c)
	both := v.add("amount", amount, tax)
	p.adjustments = v.add("amount", p.adjustments, both)
	switch v.word("kind", a.kind, 40) {
	case "shipping_refund":
		p.hasShippingAdjustment = true
		p.shipping = v.add("amount", p.shipping, -both)
	case "refund_discrepancy":
		if both > 0 {
			p.discrepancy = v.add("amount", p.discrepancy, both)
		}
		if amount == 0 && tax < 0 {
			p.taxAlone = v.add("tax_amount", p.taxAlone, -tax)
		}
	}
}

// shippingBack is the shipping given back, its tax included. It is told twice since 2024 and counts once (recording
// 014).
func (p refundParts) shippingBack(taxesIncluded bool) int64 {
	if p.hasShippingAdjustment {
		return max(0, p.shipping)
	}
	if taxesIncluded {
		return p.shippingLines
	}
	return p.shippingLines + p.shippingLinesTax
}

// identity is the money that goes back by what holds in every consistent body seen: lines, and tax unless prices
// include it, less adjustments, which are negative where money is given. While nothing has moved, a positive
// refund_discrepancy cancels the lines and says only that; it is left out then.
func (p refundParts) identity(taxesIncluded, unmoved bool) int64 {
	back := p.subtotal - p.adjustments
	if !taxesIncluded {
		back += p.tax
	}
	if !p.hasShippingAdjustment {
		back += p.shippingBack(taxesIncluded)
	}
	if unmoved {
		back += p.discrepancy
	}
	return max(0, back)
}

// includesTax finds out whether the prices of a refund that comes on its own include tax. First by its money: the
// identity holds with one of both answers, in the currency of the transactions. Then by the tax rates of the lines as
// sold: tax is price × rate, or price × rate ÷ (1 + rate) when it is inside. If neither tells, tax is not included.
func (f *refund) includesTax(v *values) bool {
	parts := f.parts(v, shopMoney, v.currency)
	if parts.tax == 0 && parts.shippingLinesTax == 0 {
		return f.includesTaxByRates(v)
	}
	list := f.refundTransactions(v)
	if status := refundStatus(list); status != affiliate.RefundNoMoney && v.err == nil {
		paid := list[0].Currency
		if paid != v.currency {
			parts = f.parts(v, presentmentMoney, paid)
		}
		moved := amountOf(affiliate.Refund{Status: status, Currency: paid, Transactions: list}, 0)
		unmoved := status != affiliate.RefundSettled
		without, with := parts.identity(false, unmoved), parts.identity(true, unmoved)
		if without != with && (moved == without || moved == with) {
			return moved == with
		}
	}
	return f.includesTaxByRates(v)
}

// rateDigits are the decimals of tax rates; Shopify sends as many as five.
const rateDigits, rateUnit = 9, 1_000_000_000

func (f *refund) includesTaxByRates(v *values) bool {
	var tax, outside, inside int64
	for i := range f.lines {
		l := &f.lines[i].line
		if l.price.Absent() || l.quantity.Absent() {
			continue
		}
		v.enter("refund_line_items", i)
		v.enter("line_item", -1)
		sold, rate := l.read(v, false), l.rate()
		v.leave()
		v.leave()
		if sold.tax.Round() == 0 {
			continue
		}
		tax = v.add("tax_lines", tax, sold.tax.Round())
		outside = v.add("tax_lines", outside, money.MulDiv(sold.net.Round(), rate, rateUnit))
		inside = v.add("tax_lines", inside, money.MulDiv(sold.net.Round(), rate, rateUnit+rate))
	}
	return distance(tax, inside) < distance(tax, outside)
}

func distance(a, b int64) int64 { return max(a-b, b-a) }

// rate sums the tax rates of a line. They are decimals in JSON; one that cannot be read counts as 0.
func (l *lineItem) rate() (sum int64) {
	for _, t := range l.taxes {
		if !t.rate.IsNumber() {
			continue
		}
		if n, err := money.ParseScaled(plainDecimal(string(t.rate)), rateDigits); err == nil && n > 0 &&
			n <= 10*rateUnit {
			sum += n
		}
	}
	return min(sum, 10*rateUnit)
}

// readLines reads the merchandise that a refund takes back. Gift cards and tips among its lines are no merchandise.
func (f *refund) readLines(v *values, order *body, taxesIncluded bool, r *affiliate.Refund) {
	subtotals := int64(0)
	for i := range f.lines {
		l := &f.lines[i]
		v.enter("refund_line_items", i)
		quantity := v.count("quantity", l.quantity)
		subtotal := v.optionalAmount("subtotal", shopMoney(l.subtotal, l.subtotalSet), v.currency)
		tax := v.optionalAmount("total_tax", shopMoney(l.tax, l.taxSet), v.currency)
		subtotals = v.add("subtotal", subtotals, subtotal)
		r.ByLines = r.ByLines || quantity > 0 || subtotal > 0
		if sold := l.asSold(order); !sold.tip && !v.flag("line_item.gift_card", sold.giftCard) {
			if taxesIncluded {
				subtotal = max(0, subtotal-tax)
			}
			r.Lines = v.add("subtotal", r.Lines, subtotal)
		}
		v.leave()
	}
	if subtotals == 0 && r.ByLines && r.Amount > 0 {
		r.Lines = f.linesAsSold(v, order, taxesIncluded, r.Amount)
	}
}

// linesAsSold stands in where all subtotals are 0 although money moved, as measured for unfulfilled lines refunded
// without restocking: the units' share of the line as sold, but no more than the money that moved.
func (f *refund) linesAsSold(v *values, order *body, taxesIncluded bool, moved int64) int64 {
	var lines, gross int64
	for i := range f.lines {
		l := f.lines[i].asSold(order)
		if l.price.Absent() || l.quantity.Absent() {
			continue
		}
		v.enter("refund_line_items", i)
		units := v.count("quantity", f.lines[i].quantity)
		v.enter("line_item", -1)
		sold := l.read(v, taxesIncluded)
		units = min(units, sold.quantity)
		gross = v.add("price", gross, money.MulDiv(sold.gross(), units, sold.quantity))
		if sold.merchandise {
			lines = v.add("price", lines, money.MulDiv(sold.net.Round(), units, sold.quantity))
		}
		v.leave()
		v.leave()
	}
	if gross > moved {
		return money.MulDiv(lines, moved, gross)
	}
	return lines
}

var noLine lineItem

// asSold gives the line that a refund line is about: the copy in the refund, else the order's own.
func (l *refundLine) asSold(order *body) *lineItem {
	if !l.line.price.Absent() {
		return &l.line
	}
	if order != nil {
		if line, ok := order.lineByID(l.lineID); ok {
			return line
		}
	}
	return &noLine
}

// read reads one movement of money. All kinds are told by order_transactions/create; only refunds change an order.
func (t *transaction) read(v *values) affiliate.Transaction {
	if v.word("kind", t.kind, 40) == "" {
		v.missing("kind")
	}
	one := affiliate.Transaction{
		ID: v.id("id", t.id), Refund: t.givesBack(), Currency: v.currencyCode("currency", t.currency),
		Version: millis(firstTime(v.time("processed_at", t.processedAt), v.time("created_at", t.createdAt))),
	}
	one.Amount = v.amount("amount", t.amount, one.Currency)
	switch status := v.word("status", t.status, 40); status {
	case "success":
		one.Status = affiliate.RefundSettled
	case "failure", "error":
		one.Status = affiliate.RefundFailed
	case "pending", "awaiting_response":
		one.Status = affiliate.RefundPending
	case "":
		v.missing("status")
	default:
		one.Status = affiliate.RefundPending
		v.warning = "transaction status " + clip(status) + " is not known: its money counts as on its way"
	}
	return one
}
