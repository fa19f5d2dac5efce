package woocommerce

import (
	"strings"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// goods is what an order sold, in minor units, and how it was paid.
type goods struct {
	merchandise int64 // lines and discounts, without tax
	stored      int64 // paid with stored money beside the order's total
	paid        int64 // the total and what was stored
	others      bool  // there is shipping, or a fee, beside the merchandise
	rows        []row
	missed      []int64 // what coupons would have taken off that are on the order without a discount
	budget      int     // how many more sums of rows may be looked at
}

// row is one line, shipping or fee of the order, as a refund may give it back.
type row struct {
	gross, tax  int64 // gross is with tax
	merchandise int64
	units       int64 // of a line; 1 for what is not divided
}

// goods adds up the rows with all the digits that they show and rounds once. The total of a line is after discounts and
// without tax also where prices include tax. A negative fee is how plugins and phone orders give a discount, unless it
// says that it is stored money: that is payment, as are coupons of store credit and gift cards. Merchandise is never
// below 0.
func (r *reader) goods(p *payload, total int64) goods {
	r.mustBeList("line_items", p.lines, true)
	r.mustBeList("fee_lines", p.fees, false)
	g := goods{budget: mostSums}
	var merchandise, subtotals, totals, gross, storedFees money.Sum
	add := func(list string, i int, line rowLine, isGoods bool) (net money.Sum) {
		net = r.exact(place{list, i, "total"}, line.total)
		tax := r.optional(place{list, i, "total_tax"}, line.tax)
		one := row{gross: net.Plus(tax).Round(), tax: tax.Round(), units: units(line.quantity)}
		if isGoods {
			one.merchandise = net.Round()
			merchandise = merchandise.Plus(net)
		}
		gross = gross.Plus(net).Plus(tax)
		if one.gross != 0 || one.tax != 0 {
			g.rows = append(g.rows, one)
			g.others = g.others || !isGoods
		}
		return net
	}
	for i, line := range p.lines.rows {
		net := add("line_items", i, line, true)
		totals, subtotals = totals.Plus(net), subtotals.Plus(net)
		if !blank(line.subtotal) {
			subtotals = subtotals.Minus(net).Plus(r.exact(place{"line_items", i, "subtotal"}, line.subtotal))
		}
	}
	for i, line := range p.fees.rows {
		net := r.exact(place{"fee_lines", i, "total"}, line.total)
		negative := net.Compare(money.Sum{}) < 0
		if negative && namesStoredMoney(cleanText(line.name), cleanText(line.key)) {
			storedFees = storedFees.Minus(net).Minus(r.optional(place{"fee_lines", i, "total_tax"}, line.tax))
			continue
		}
		add("fee_lines", i, line, negative)
	}
	for i, line := range p.shippingLines.rows {
		add("shipping_lines", i, line, false)
	}
	merchandise, g.stored = r.storedMoney(p, merchandise, subtotals.Minus(totals),
		gross.Minus(storedFees).Round()-total)
	g.stored += storedFees.Round()
	g.merchandise = max(0, r.within("line_items", merchandise))
	g.paid = total + g.stored
	for _, c := range p.coupons {
		percent, err := money.ParseScaled(text(c.nominal), 2)
		if err == nil && percent > 0 && cleanText(c.kind) == "percent" && decimalZero(c.discount) {
			g.missed = append(g.missed, money.MulDiv(g.merchandise, percent, 100_00))
		}
	}
	return g
}

// decimalZero says whether an amount is there and is 0.
func decimalZero(t jsonwalk.Value) bool {
	amount, ok := scalar(t)
	return ok && amount != "" && strings.Trim(amount, "-+0.") == ""
}

// storedMoney adds what store-credit coupons took out of the lines back to the merchandise, and gives what they and
// gift cards paid. discounted is by how much all coupons lowered the lines, missing what the rows are worth beyond the
// total. Smart Coupons takes store credit out of the lines or, where the shop has it applied after tax, out of the
// total; gift cards (WooCommerce Gift Cards, YITH) only go off the total.
func (r *reader) storedMoney(p *payload, merchandise, discounted money.Sum, missing int64) (money.Sum, int64) {
	var credit, creditTax, ordinary, cards money.Sum
	for i, c := range p.coupons {
		discount := r.optional(place{"coupon_lines", i, "discount"}, c.discount)
		if namesStoredMoney(cleanText(c.kind)) {
			credit = credit.Plus(discount)
			creditTax = creditTax.Plus(r.optional(place{"coupon_lines", i, "discount_tax"}, c.tax))
		} else {
			ordinary = ordinary.Plus(discount)
		}
	}
	for i, amount := range p.giftCards {
		cards = cards.Plus(r.optional(place{"gift_cards", i, "amount"}, amount))
	}
	if n, err := money.ParseSum(text(p.meta.giftCards), r.currency); err == nil {
		cards = cards.Plus(n)
	}
	stored, zero := int64(0), money.Sum{}
	if out := discounted.Minus(ordinary); credit.Compare(zero) > 0 && out.Compare(zero) > 0 {
		if out.Compare(credit) > 0 {
			out = credit
		}
		merchandise = merchandise.Plus(out)
		stored = out.Plus(creditTax).Round()
		credit = credit.Minus(out)
	}
	// What did not come out of the lines came out of the total, if anything did.
	if off := credit.Plus(cards).Round(); off > 0 && missing >= off/2 {
		stored += off
	}
	return merchandise, stored
}

func (r *reader) mustBeList(name string, l rowList, needed bool) {
	switch {
	case l.present:
	case !blank(l.instead):
		r.fail(wrongType(name, l.instead, "a list"))
	case needed:
		r.fail(missing(name))
	}
}

// optional reads an amount that may be missing.
func (r *reader) optional(at place, t jsonwalk.Value) money.Sum {
	if blank(t) {
		return money.Sum{}
	}
	return r.exact(at, t)
}

// within keeps a sum of many amounts within what one amount may be.
func (r *reader) within(name string, sum money.Sum) int64 {
	n := sum.Round()
	if n > money.Limit || n < -money.Limit {
		r.fail(affiliate.FieldErrorf(name, "the sum of the totals is too large; correct the order in the store"))
		return 0
	}
	return n
}

// storedMoneyWords are what the fees and coupons of plugins are called that pay with money stored before: TeraWallet
// (fee key _via_wallet_partial_payment, name "Via wallet"), Smart Coupons (coupon type smart_coupon), and the like.
var storedMoneyWords = []string{"partial payment", "via wallet", "store credit", "storecredit", "smart coupon",
	"gift card", "giftcard", "account funds"}

func namesStoredMoney(texts ...string) bool {
	for _, text := range texts {
		text = strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(text))
		for _, word := range storedMoneyWords {
			if strings.Contains(text, word) {
				return true
			}
		}
	}
	return false
}
