package fakestore

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// An order as Shopify shows it in both of its forms: the REST resource, which webhooks have, and the type Order of the
// GraphQL Admin API.

// financial is the word for how an order's money stands, in GraphQL; webhooks have it in small letters.
func (o *order) financial() string {
	switch {
	case o.paidAt.IsZero() && !o.canceledAt.IsZero():
		return "VOIDED"
	case o.paidAt.IsZero():
		return "PENDING"
	case o.refundedAmount >= o.total:
		return "REFUNDED"
	case o.refundedAmount > 0:
		return "PARTIALLY_REFUNDED"
	}
	return "PAID"
}

// standing is how many units of a line are left.
func (o *order) standing(i int) int64 {
	if !o.canceledAt.IsZero() {
		return 0
	}
	left := o.Lines[i].Quantity
	for _, r := range o.refunds {
		left -= r.Lines[i].Quantity
	}
	return max(0, left)
}

// currentSums are what the order comes to after refunds: lines without tax, and all.
func (o *order) currentSums() (lines, total int64) {
	if !o.canceledAt.IsZero() {
		return 0, 0
	}
	lines, total = o.merchandise, o.total-o.refundedAmount
	for _, r := range o.refunds {
		for _, p := range r.Lines {
			lines -= p.Amount
		}
	}
	return lines, total
}

func (o *order) outstanding() int64 {
	if o.paidAt.IsZero() && o.canceledAt.IsZero() {
		return o.total
	}
	return 0
}

func (f *shopify) time(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(time.RFC3339)
}

// shopTime is how webhooks write times: in the shop's zone.
func (f *shopify) shopTime(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.In(f.zone).Format(time.RFC3339)
}

func (f *shopify) rest(n int64) string { return money.Format(n, f.Currency) }

func (f *shopify) restSet(n int64) record {
	both := record{"amount": f.rest(n), "currency_code": string(f.Currency)}
	return record{"shop_money": both, "presentment_money": both}
}

// site is the path and query of the landing page, and Shopify's reading of ref in it.
func (n NewOrder) site() (path, ref any) {
	if n.Landing == "" {
		return nil, nil
	}
	u, err := url.Parse(n.Landing)
	if err != nil {
		return nil, nil
	}
	for _, name := range []string{"ref", "source", "r"} {
		if v := u.Query().Get(name); v != "" {
			return u.RequestURI(), v
		}
	}
	return u.RequestURI(), nil
}

// restOrder is the body of a webhook.
func (f *shopify) restOrder(o *order) record {
	lines, refunds, codes, applications := []any{}, []any{}, []any{}, []any{}
	for i := range o.Lines {
		lines = append(lines, f.restLine(o, i))
	}
	for _, r := range o.refunds {
		refunds = append(refunds, f.restRefund(o, r))
	}
	for _, c := range o.Codes {
		codes = append(codes, record{"code": c, "amount": f.rest(o.discount), "type": "percentage"})
		applications = append(applications, record{"type": "discount_code", "code": c, "target_type": "line_item"})
	}
	if len(o.Codes) == 0 && o.discount > 0 {
		applications = append(applications, record{"type": "automatic", "title": "Sale", "target_type": "line_item"})
	}
	currentLines, current := o.currentSums()
	site, ref := o.site()
	address := record{"country_code": o.Country}
	var email any
	if o.Email != "" {
		email = o.Email
	}
	number := 1000 + o.id
	return record{"id": o.id, "admin_graphql_api_id": "gid://shopify/Order/" + formatID(o.id), "name": orderName(o),
		"order_number": number, "created_at": f.shopTime(o.placed), "processed_at": f.shopTime(o.placed),
		"updated_at": f.shopTime(o.updated), "cancelled_at": f.shopTime(o.canceledAt), "test": false,
		"currency": string(f.Currency), "presentment_currency": string(f.Currency), "taxes_included": false,
		"financial_status": strings.ToLower(o.financial()), "source_name": "web", "tags": "",
		"total_price": f.rest(o.total), "subtotal_price": f.rest(o.merchandise),
		"total_discounts": f.rest(o.discount), "current_total_price": f.rest(current),
		"current_subtotal_price": f.rest(currentLines), "total_outstanding": f.rest(o.outstanding()),
		"landing_site": site, "landing_site_ref": ref, "note_attributes": []any{}, "email": email,
		"order_status_url": "https://" + f.Domain + "/1/orders/" + o.key + "/authenticate?key=" + o.key,
		"billing_address":  address, "shipping_address": address, "discount_codes": codes,
		"discount_applications": applications, "line_items": lines, "refunds": refunds,
		"shipping_lines": []any{record{"id": o.rows[len(o.Lines)], "price": f.rest(o.Shipping),
			"tax_lines": []any{record{"price": f.rest(o.ShippingTax)}}, "discount_allocations": []any{}}}}
}

func orderName(o *order) string { return "#" + formatID(1000+o.id) }

func (f *shopify) restLine(o *order, i int) record {
	l := o.Lines[i]
	line := record{"id": o.rows[i], "title": l.Name, "sku": sku(l), "price": f.rest(l.Price),
		"price_set": f.restSet(l.Price), "quantity": l.Quantity, "current_quantity": o.standing(i), "gift_card": false,
		"total_discount": f.rest(0), "tax_lines": []any{record{"price": f.rest(l.Tax), "rate": 0.08}},
		"discount_allocations": []any{}}
	if l.Discount > 0 {
		line["discount_allocations"] = []any{record{"amount": f.rest(l.Discount), "amount_set": f.restSet(l.Discount),
			"discount_application_index": 0}}
	}
	return line
}

func sku(l Line) string { return strings.ToUpper(strings.ReplaceAll(l.Name, " ", "-")) }

// beyond is what a refund gives back beside lines and shipping.
func (r *refund) beyond() int64 {
	rest := r.Amount - r.Shipping - r.ShippingTax
	for _, p := range r.Lines {
		rest -= p.Amount + p.Tax
	}
	return rest
}

// adjustment of a refund, in the signs that Shopify gives: what goes back is negative.
type adjustment struct {
	kind        string
	amount, tax int64
}

func (r *refund) adjustments() (list []adjustment) {
	if r.Shipping+r.ShippingTax > 0 {
		list = append(list, adjustment{"shipping_refund", -r.Shipping, -r.ShippingTax})
	}
	if rest := r.beyond(); rest != 0 {
		list = append(list, adjustment{"refund_discrepancy", -rest, 0})
	}
	return list
}

func (f *shopify) restRefund(o *order, r *refund) record {
	rows, adjustments := []any{}, []any{}
	for _, i := range slices.Sorted(maps.Keys(r.Lines)) {
		p := r.Lines[i]
		rows = append(rows, record{"id": r.rows[i], "line_item_id": o.rows[i], "quantity": p.Quantity,
			"subtotal": f.rest(p.Amount), "subtotal_set": f.restSet(p.Amount), "total_tax": f.rest(p.Tax),
			"total_tax_set": f.restSet(p.Tax), "line_item": f.restLine(o, i)})
	}
	for _, a := range r.adjustments() {
		adjustments = append(adjustments, record{"kind": a.kind, "amount": f.rest(a.amount),
			"tax_amount": f.rest(a.tax),
			"amount_set": f.restSet(a.amount), "tax_amount_set": f.restSet(a.tax)})
	}
	return record{"id": r.id, "order_id": o.id, "created_at": f.shopTime(r.at), "processed_at": f.shopTime(r.at),
		"note": r.Reason, "refund_line_items": rows, "order_adjustments": adjustments, "refund_shipping_lines": []any{},
		"transactions": []any{f.restTransaction(o, r)}, "total_duties_set": f.restSet(0)}
}

// transactionID is that of the transaction that gives a refund's money back.
func (r *refund) transactionID() int64 { return 500_000_000 + r.id }

func (f *shopify) restTransaction(o *order, r *refund) record {
	return record{"id": r.transactionID(), "order_id": o.id, "kind": "refund", "status": "success",
		"amount": f.rest(r.Amount), "currency": string(f.Currency), "created_at": f.shopTime(r.at),
		"processed_at": f.shopTime(r.at), "gateway": "shopify_payments"}
}

// bag is an amount in GraphQL, "15.0" for 15.00.
func (f *shopify) bag(n int64) record {
	whole, fraction, _ := strings.Cut(f.rest(n), ".")
	if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
		fraction = "0"
	}
	m := record{"__typename": "MoneyV2", "amount": whole + "." + fraction, "currencyCode": string(f.Currency)}
	return record{"__typename": "MoneyBag", "shopMoney": m, "presentmentMoney": m}
}

// node is an order in GraphQL.
func (f *shopify) node(o *order) record {
	var lines, applications connection
	refunds, codes := []any{}, []any{}
	for i, l := range o.Lines {
		line := record{"__typename": "LineItem", "id": "gid://shopify/LineItem/" + formatID(o.rows[i]), "sku": sku(l),
			"quantity": l.Quantity, "currentQuantity": o.standing(i), "isGiftCard": false,
			"originalUnitPriceSet": f.bag(l.Price), "discountAllocations": []any{},
			"taxLines": []any{record{"__typename": "TaxLine", "priceSet": f.bag(l.Tax)}}}
		if l.Discount > 0 {
			line["discountAllocations"] = []any{record{"__typename": "DiscountAllocation",
				"allocatedAmountSet": f.bag(l.Discount), "discountApplication": record{
					"__typename": "DiscountCodeApplication", "index": 0}}}
		}
		lines.rows = append(lines.rows, line)
	}
	for i, c := range o.Codes {
		codes = append(codes, c)
		applications.rows = append(applications.rows, record{"__typename": "DiscountCodeApplication", "index": i,
			"code": c, "targetType": "LINE_ITEM"})
	}
	if len(o.Codes) == 0 && o.discount > 0 {
		applications.rows = append(applications.rows, record{"__typename": "AutomaticDiscountApplication", "index": 0,
			"targetType": "LINE_ITEM"})
	}
	for _, r := range o.refunds {
		refunds = append(refunds, f.refundNode(o, r))
	}
	currentLines, current := o.currentSums()
	n := record{"__typename": "Order", "id": "gid://shopify/Order/" + formatID(o.id), "legacyResourceId": formatID(o.id),
		"name": orderName(o), "createdAt": f.time(o.placed), "updatedAt": f.time(o.updated),
		"processedAt": f.time(o.placed), "cancelledAt": f.time(o.canceledAt), "cancelReason": nil, "closedAt": nil,
		"test": false, "confirmed": true, "edited": o.edits > 0, "currencyCode": string(f.Currency),
		"presentmentCurrencyCode": string(f.Currency), "taxesIncluded": false, "dutiesIncluded": false,
		"sourceName": "web", "tags": []any{}, "displayFinancialStatus": o.financial(), "discountCodes": codes,
		"customAttributes": []any{}, "cartToken": nil, "checkoutToken": o.key, "customerJourneySummary": f.journey(o),
		"totalPriceSet": f.bag(o.total), "subtotalPriceSet": f.bag(o.merchandise),
		"totalDiscountsSet":    f.bag(o.discount),
		"currentTotalPriceSet": f.bag(current), "currentSubtotalPriceSet": f.bag(currentLines),
		"totalReceivedSet": f.bag(o.total - o.outstanding()), "totalRefundedSet": f.bag(o.refundedAmount),
		"totalOutstandingSet": f.bag(o.outstanding()), "totalTipReceivedSet": f.bag(0), "disputes": []any{},
		"discountApplications": applications, "lineItems": lines, "email": nil, "billingAddress": nil,
		"shippingAddress": nil, "refunds": resolver(func(args map[string]any) (any, error) {
			if first, ok := args["first"].(float64); ok {
				return refunds[:min(int(first), len(refunds))], nil
			}
			return refunds, nil
		})}
	if !f.Shopify.HidesCustomers {
		if o.Email != "" {
			n["email"] = o.Email
		}
		address := record{"__typename": "MailingAddress", "countryCodeV2": o.Country}
		n["billingAddress"], n["shippingAddress"] = address, address
	}
	return n
}

// journey is what Shopify knows of the customer's visits; nil for orders that were not made in the online shop.
func (f *shopify) journey(o *order) any {
	if o.Landing == "" {
		return nil
	}
	_, ref := o.site()
	visit := record{"__typename": "CustomerVisit", "landingPage": o.Landing, "referralCode": ref,
		"occurredAt": f.time(o.placed), "utmParameters": nil}
	if u, err := url.Parse(o.Landing); err == nil && u.Query().Has("utm_content") {
		visit["utmParameters"] = record{"__typename": "UTMParameters", "source": u.Query().Get("utm_source"),
			"medium": u.Query().Get("utm_medium"), "campaign": u.Query().Get("utm_campaign"),
			"content": u.Query().Get("utm_content"), "term": nil}
	}
	ready := !f.Shopify.NoJourney
	j := record{"__typename": "CustomerJourneySummary", "ready": ready, "customerOrderIndex": nil, "firstVisit": nil,
		"lastVisit": nil}
	if ready {
		j["firstVisit"], j["lastVisit"] = visit, visit
	}
	return j
}

func (f *shopify) refundNode(o *order, r *refund) record {
	var rows, adjustments, moved connection
	for _, i := range slices.Sorted(maps.Keys(r.Lines)) {
		p := r.Lines[i]
		rows.rows = append(rows.rows, record{"__typename": "RefundLineItem", "quantity": p.Quantity,
			"subtotalSet": f.bag(p.Amount), "totalTaxSet": f.bag(p.Tax), "lineItem": record{"__typename": "LineItem",
				"id": "gid://shopify/LineItem/" + formatID(o.rows[i])}})
	}
	for _, a := range r.adjustments() {
		var reason any
		if a.kind != "shipping_refund" {
			reason = "REFUND_DISCREPANCY"
		}
		adjustments.rows = append(adjustments.rows, record{"__typename": "OrderAdjustment", "reason": reason,
			"amountSet": f.bag(a.amount), "taxAmountSet": f.bag(a.tax)})
	}
	moved.rows = []any{record{"__typename": "OrderTransaction",
		"id": "gid://shopify/OrderTransaction/" + formatID(r.transactionID()), "kind": "REFUND", "status": "SUCCESS",
		"createdAt": f.time(r.at), "processedAt": f.time(r.at), "amountSet": f.bag(r.Amount)}}
	return record{"__typename": "Refund", "id": "gid://shopify/Refund/" + formatID(r.id),
		"legacyResourceId": formatID(r.id), "createdAt": f.time(r.at), "updatedAt": f.time(r.at),
		"totalRefundedSet": f.bag(r.Amount), "refundLineItems": rows, "orderAdjustments": adjustments,
		"refundShippingLines": connection{}, "transactions": moved}
}
