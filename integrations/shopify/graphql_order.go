package shopify

import (
	"bytes"
	"strings"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// An order as the GraphQL Admin API shows it (type Order of version 2026-07) says the same as the body of a webhook, in
// other words: it is read into the same fields, and the rules for those hold. What differs:
//   - Amounts are MoneyBags, "15.0" for 15.00. Words are in capitals. Ids are gid://shopify/LineItem/123.
//   - Transactions have both currencies; webhooks have the customer's alone, and that is taken.
//   - Order adjustments have no kind. Without a reason they are shipping, which has no reason to choose from
//     (OrderAdjustmentDiscrepancyReason).
//   - Lines do not say that they are tips; the order says how much the tips are.
//   - There is no landing_site, but the customer's visits, once Shopify has worked them out.
//   - Disputes have neither amount nor time.

// parseRead reads an order that our client read. Errors name fields as webhooks have them.
func parseRead(data []byte) (affiliate.Parsed, error) {
	r := &reader{Walker: jsonwalk.New(data)}
	b, disputes := &body{}, []dispute(nil)
	for key := range r.Members {
		if string(key) == "disputes" {
			disputes = r.disputes()
			continue
		}
		b.nodeField(r, key)
	}
	if err := r.Err(); err != nil {
		return affiliate.Parsed{}, bodyError(data, err)
	}
	if r.wrong != nil {
		return affiliate.Parsed{}, r.wrong
	}
	b.withoutParts()
	v := &values{}
	parsed := b.asOrder(v)
	for i, d := range disputes {
		v.enter("disputes", i)
		if one, ends := d.read(v); ends {
			parsed.Events = append(parsed.Events, affiliate.Event{OrderID: parsed.Events[0].OrderID, Dispute: &one})
		}
		v.leave()
	}
	if v.err != nil {
		return affiliate.Parsed{}, v.err
	}
	parsed.Warning = v.warning
	return parsed, nil
}

func (b *body) nodeField(r *reader, key []byte) {
	switch string(key) {
	case "id":
		b.id = gid(r.Value())
	case "name":
		b.name = r.Value()
	case "createdAt":
		b.createdAt = r.Value()
	case "processedAt":
		b.processedAt = r.Value()
	case "updatedAt":
		b.updatedAt = r.Value()
	case "cancelledAt":
		b.cancelledAt = r.Value()
	case "currencyCode":
		b.currency = r.Value()
	case "totalPriceSet":
		b.totalPrice = r.shopAmount("totalPriceSet")
	case "subtotalPriceSet":
		b.subtotalPrice = r.shopAmount("subtotalPriceSet")
	case "totalDiscountsSet":
		b.totalDiscounts = r.shopAmount("totalDiscountsSet")
	case "currentTotalPriceSet":
		b.currentTotal = r.shopAmount("currentTotalPriceSet")
	case "currentSubtotalPriceSet":
		b.currentSubtotal = r.shopAmount("currentSubtotalPriceSet")
	case "totalOutstandingSet":
		b.totalOutstanding = r.shopAmount("totalOutstandingSet")
	case "totalTipReceivedSet":
		b.tips = r.shopAmount("totalTipReceivedSet")
	case "displayFinancialStatus":
		b.financialStatus = lower(r.Value())
	case "taxesIncluded":
		b.taxesIncluded = r.Value()
	case "test":
		b.test = r.Value()
	case "sourceName":
		b.sourceName = r.Value()
	case "tags":
		b.tags = nil
		for range r.list("tags") {
			b.tags = append(b.tags, r.Value())
		}
	case "email":
		b.email = r.Value()
	case "billingAddress":
		b.billingCountry = r.pick("billingAddress", "countryCodeV2")
	case "shippingAddress":
		b.shippingCountry = r.pick("shippingAddress", "countryCodeV2")
	case "customerJourneySummary":
		r.journey(b)
	case "customAttributes":
		b.attributes = nil
		for range r.list("customAttributes") {
			b.attributes = append(b.attributes, r.customAttribute())
		}
	case "discountCodes":
		b.codes = nil
		for range r.list("discountCodes") {
			b.codes = append(b.codes, r.Value())
		}
	case "discountApplications":
		b.hasDiscountApplications, b.applications = r.Peek() != 'n', nil
		for range r.nodes("discountApplications") {
			one, target := r.nodeApplication()
			b.applications = append(b.applications, one)
			b.shippingDiscounted = b.shippingDiscounted || target.Text() == "SHIPPING_LINE"
		}
	case "lineItems":
		b.hasLines, b.lines = true, nil
		for range r.nodes("lineItems") {
			b.lines = append(b.lines, r.nodeLine())
		}
	case "refunds":
		b.refunds = nil
		for range r.list("refunds") {
			b.refunds = append(b.refunds, r.nodeRefund())
		}
	}
}

// gid gives the number that a global id ends in, as webhooks have it.
func gid(v jsonwalk.Value) jsonwalk.Value {
	if !v.IsText() {
		return v
	}
	text := v.Text()
	return jsonwalk.Value(text[strings.LastIndexByte(text, '/')+1:])
}

// lower gives a word of an enumeration as webhooks have it: "PAID" is "paid" there.
func lower(v jsonwalk.Value) jsonwalk.Value {
	if !v.IsText() {
		return v
	}
	return bytes.ToLower(v)
}

// nodes yields once for each node of the connection that comes next.
func (r *reader) nodes(name string) func(yield func() bool) {
	return func(yield func() bool) {
		for key := range r.object(name) {
			if string(key) == "nodes" {
				r.list("nodes")(yield)
			}
		}
	}
}

// moneyBag reads an amount in both currencies.
func (r *reader) moneyBag(name string) (s amountSet) {
	for key := range r.object(name) {
		switch string(key) {
		case "shopMoney":
			s.shop = r.moneyV2("shopMoney")
		case "presentmentMoney":
			s.presentment = r.moneyV2("presentmentMoney")
		}
	}
	return s
}

func (r *reader) moneyV2(name string) (s sum) {
	for key := range r.object(name) {
		switch string(key) {
		case "amount":
			s.amount = r.Value()
		case "currencyCode":
			s.currency = r.Value()
		}
	}
	return s
}

func (r *reader) shopAmount(name string) jsonwalk.Value { return r.moneyBag(name).shop.amount }

func (r *reader) nodeLine() (l lineItem) {
	for key := range r.object("") {
		switch string(key) {
		case "id":
			l.id = gid(r.Value())
		case "sku":
			l.sku = r.Value()
		case "quantity":
			l.quantity = r.Value()
		case "currentQuantity":
			l.currentQuantity = r.Value()
		case "isGiftCard":
			l.giftCard = r.Value()
		case "originalUnitPriceSet":
			l.price = r.shopAmount("originalUnitPriceSet")
		case "discountAllocations":
			l.discounts = nil
			for range r.list("discountAllocations") {
				l.discounts = append(l.discounts, r.bagIn("allocatedAmountSet"))
			}
		case "taxLines":
			l.taxes = nil
			for range r.list("taxLines") {
				l.taxes = append(l.taxes, taxLine{price: r.bagIn("priceSet")})
			}
		}
	}
	return l
}

// bagIn reads the shop's amount of one field of the object that comes next.
func (r *reader) bagIn(field string) (v jsonwalk.Value) {
	for key := range r.object("") {
		if string(key) == field {
			v = r.shopAmount(field)
		}
	}
	return v
}

func (r *reader) customAttribute() (a attribute) {
	for key := range r.object("") {
		switch string(key) {
		case "key":
			a.name = r.Value()
		case "value":
			a.value = r.Value()
		}
	}
	return a
}

// nodeApplication reads a discount. Of its kinds (DiscountApplication) only DiscountCodeApplication proves that a code
// was entered. The target is LINE_ITEM or SHIPPING_LINE.
func (r *reader) nodeApplication() (a application, target jsonwalk.Value) {
	for key := range r.object("") {
		switch string(key) {
		case "__typename":
			if a.kind = r.Value(); a.kind.Text() == "DiscountCodeApplication" {
				a.kind = jsonwalk.Value(`"discount_code"`)
			}
		case "code":
			a.code = r.Value()
		case "targetType":
			target = r.Value()
		}
	}
	return a, target
}

func (r *reader) nodeRefund() (f refund) {
	f.partless = true
	for key := range r.object("") {
		switch string(key) {
		case "id":
			f.id = gid(r.Value())
		case "createdAt":
			f.createdAt = r.Value()
		case "totalRefundedSet":
			f.total = r.shopAmount("totalRefundedSet")
		case "refundLineItems":
			f.lines = nil
			for range r.nodes("refundLineItems") {
				f.lines = append(f.lines, r.nodeRefundLine())
			}
		case "orderAdjustments":
			f.adjustments = nil
			for range r.nodes("orderAdjustments") {
				f.adjustments = append(f.adjustments, r.nodeAdjustment())
			}
		case "refundShippingLines":
			f.shipping = nil
			for range r.nodes("refundShippingLines") {
				f.shipping = append(f.shipping, r.nodeShipping())
			}
		case "transactions":
			f.partless, f.transactions = false, nil
			for range r.nodes("transactions") {
				f.transactions = append(f.transactions, r.nodeTransaction())
			}
		}
	}
	return f
}

func (r *reader) nodeRefundLine() (l refundLine) {
	for key := range r.object("") {
		switch string(key) {
		case "quantity":
			l.quantity = r.Value()
		case "subtotalSet":
			l.subtotalSet = r.moneyBag("subtotalSet")
		case "totalTaxSet":
			l.taxSet = r.moneyBag("totalTaxSet")
		case "lineItem":
			l.lineID = gid(r.pick("lineItem", "id"))
		}
	}
	return l
}

func (r *reader) nodeAdjustment() (a adjustment) {
	a.kind = jsonwalk.Value(`"shipping_refund"`)
	for key := range r.object("") {
		switch string(key) {
		case "reason":
			if !r.Value().Absent() {
				a.kind = jsonwalk.Value(`"refund_discrepancy"`)
			}
		case "amountSet":
			a.amountSet = r.moneyBag("amountSet")
		case "taxAmountSet":
			a.taxSet = r.moneyBag("taxAmountSet")
		}
	}
	return a
}

func (r *reader) nodeShipping() (s shippingRefund) {
	for key := range r.object("") {
		switch string(key) {
		case "subtotalAmountSet":
			s.subtotal = r.moneyBag("subtotalAmountSet")
		case "taxAmountSet":
			s.tax = r.moneyBag("taxAmountSet")
		}
	}
	return s
}

func (r *reader) nodeTransaction() (t transaction) {
	for key := range r.object("") {
		switch string(key) {
		case "id":
			t.id = gid(r.Value())
		case "kind":
			t.kind = lower(r.Value())
		case "status":
			t.status = lower(r.Value())
		case "createdAt":
			t.createdAt = r.Value()
		case "processedAt":
			t.processedAt = r.Value()
		case "amountSet":
			set := r.moneyBag("amountSet")
			paid := set.presentment
			if paid.amount.Absent() {
				paid = set.shop
			}
			t.amount, t.currency = paid.amount, paid.currency
		}
	}
	return t
}

// visit is one time that the customer came to the shop (CustomerVisit).
type visit struct {
	there                        bool
	landingPage, ref, utmContent jsonwalk.Value
}

// journey takes the last visit before the order for where the customer entered the shop, as landing_site has it. While
// ready is false, and for orders that were not made in the online shop, nothing is known: no evidence is not the same
// as evidence of nobody.
func (r *reader) journey(b *body) {
	var ready jsonwalk.Value
	var first, last visit
	for key := range r.object("customerJourneySummary") {
		switch string(key) {
		case "ready":
			ready = r.Value()
		case "firstVisit":
			first = r.visit("firstVisit")
		case "lastVisit":
			last = r.visit("lastVisit")
		}
	}
	if string(ready) == "false" {
		return
	}
	if !last.there {
		last = first
	}
	b.landingSite, b.landingSiteRef, b.utmContent = last.landingPage, last.ref, last.utmContent
}

func (r *reader) visit(name string) (v visit) {
	for key := range r.object(name) {
		v.there = true
		switch string(key) {
		case "landingPage":
			v.landingPage = r.Value()
		case "referralCode":
			v.ref = r.Value()
		case "utmParameters":
			v.utmContent = r.pick("utmParameters", "content")
		}
	}
	return v
}

// dispute is an OrderDisputeSummary.
type dispute struct{ id, status jsonwalk.Value }

func (r *reader) disputes() (list []dispute) {
	for range r.list("disputes") {
		var d dispute
		for key := range r.object("") {
			switch string(key) {
			case "id":
				d.id = gid(r.Value())
			case "status":
				d.status = lower(r.Value())
			}
		}
		list = append(list, d)
	}
	return list
}

// read gives a dispute that has ended. Without a currency all that is left of the order counts as its amount; without a
// time any webhook about the same dispute says more.
func (d dispute) read(v *values) (one affiliate.Dispute, ends bool) {
	one.ID = v.id("id", d.id)
	switch v.word("status", d.status, 40) {
	case "lost":
		one.Status = affiliate.DisputeLost
	case "won":
		one.Status = affiliate.DisputeWon
	default:
		return one, false
	}
	return one, true
}

// withoutParts makes the best of refunds that are told by their sum alone, as bulk operations do: which units came
// back is not known, so that none counts as taken out of the order.
func (b *body) withoutParts() {
	for _, f := range b.refunds {
		if !f.partless {
			continue
		}
		for i := range b.lines {
			b.lines[i].currentQuantity = nil
		}
		b.currentTotal = nil
		return
	}
}

// bySum reads a refund that is told by its sum alone. Its version is 0, so that any other word about it counts.
func (f *refund) bySum(v *values) affiliate.Refund {
	r := affiliate.Refund{ID: v.id("id", f.id), Currency: v.currency, At: v.time("created_at", f.createdAt),
		Status: affiliate.RefundNoMoney}
	if r.Amount = v.amount("total_refunded_set", f.total, v.currency); r.Amount > 0 {
		r.Status, r.Unclear = affiliate.RefundSettled, true
	}
	return r
}

// markTip finds the line that is the tip: the last one without a sku that costs what the order says the tips are.
func (b *body) markTip(v *values) {
	tips := v.exact("total_tip_received", b.tips, v.currency)
	if tips.Compare(money.Sum{}) == 0 {
		return
	}
	for i := len(b.lines) - 1; i >= 0; i-- {
		l := &b.lines[i]
		v.enter("line_items", i)
		tip := l.sku.Content() == "" || l.sku.Absent()
		tip = tip && !v.flag("gift_card", l.giftCard) && v.price(l).Compare(tips) == 0
		v.leave()
		if tip {
			l.tip = true
			return
		}
	}
}
