package shopify

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
)

// body is what one delivery's body holds of the fields that are used, as they stand. One pass fills it whatever the
// body is, since the topic is not signed: what it is shows in which keys there are. Names are Shopify's.
type body struct {
	keys int // how many top-level keys there are

	id, orderID, name, orderNumber                 jsonwalk.Value
	createdAt, processedAt, updatedAt, cancelledAt jsonwalk.Value
	currency, totalPrice, totalOutstanding         jsonwalk.Value
	subtotalPrice, totalDiscounts                  jsonwalk.Value
	currentTotal, currentSubtotal                  jsonwalk.Value
	financialStatus, taxesIncluded, test           jsonwalk.Value
	landingSite, landingSiteRef                    jsonwalk.Value
	sourceName, checkoutToken, contractID          jsonwalk.Value
	tags                                           []jsonwalk.Value
	shippingDiscounted                             bool // a shipping line has a discount of its own
	email, contactEmail, customerEmail             jsonwalk.Value
	billingCountry, shippingCountry                jsonwalk.Value
	hasLines, hasDiscountApplications              bool
	lines                                          []lineItem
	refunds                                        []refund
	codes                                          []jsonwalk.Value // discount_codes[].code
	applications                                   []application
	attributes                                     []attribute
	utmContent, tips                               jsonwalk.Value // see graphql_order.go

	// The body may itself be a refund, a transaction, a dispute or an order edit.
	refund                                   refund
	hasRefundLines, hasOrderAdjustments      bool
	hasTransactions                          bool
	kind, status, amount                     jsonwalk.Value
	evidenceDueBy, networkReason             jsonwalk.Value
	finalizedOn, evidenceSentOn, initiatedAt jsonwalk.Value
	edit                                     *orderEdit

	// Compliance and app topics.
	hasOrdersToRedact bool
	ordersToRedact    []jsonwalk.Value
	dataRequest       bool
	shopID            jsonwalk.Value
	shopOwner         bool
	hasCustomer       bool

	orderStatusURL, myshopifyDomain, shopDomain jsonwalk.Value // who sends it: see shop

	byID map[string]*lineItem // made by lineByID
}

// lineByID finds a line of the order.
func (b *body) lineByID(id jsonwalk.Value) (*lineItem, bool) {
	if b.byID == nil {
		b.byID = make(map[string]*lineItem, len(b.lines))
		for i := range b.lines {
			b.byID[b.lines[i].id.Content()] = &b.lines[i]
		}
	}
	line, ok := b.byID[id.Content()]
	return line, ok
}

type lineItem struct {
	id, price, quantity, currentQuantity, giftCard jsonwalk.Value
	totalDiscount, sku                             jsonwalk.Value
	tip                                            bool
	discounts                                      []jsonwalk.Value // discount_allocations[].amount
	share                                          int64            // of a discount told for the order alone
	taxes                                          []taxLine
}

type taxLine struct{ price, rate jsonwalk.Value }

type application struct{ kind, code jsonwalk.Value }

type attribute struct{ name, value jsonwalk.Value }

type orderEdit struct{ orderID, createdAt jsonwalk.Value }

type refund struct {
	id, createdAt, processedAt jsonwalk.Value
	lines                      []refundLine
	adjustments                []adjustment
	shipping                   []shippingRefund
	transactions               []transaction
	duties                     amountSet // total_duties_set
	partless                   bool      // all that is told is total, of money that has gone back
	total                      jsonwalk.Value
}

type refundLine struct {
	lineID, quantity, subtotal, tax jsonwalk.Value
	subtotalSet, taxSet             amountSet
	line                            lineItem
}

type adjustment struct {
	kind, amount, tax jsonwalk.Value
	amountSet, taxSet amountSet
}

type shippingRefund struct{ subtotal, tax amountSet }

type transaction struct{ id, kind, status, amount, currency, createdAt, processedAt jsonwalk.Value }

// amountSet is one of the "_set" fields: an amount in the shop's currency and in the one the customer saw.
type amountSet struct{ shop, presentment sum }

type sum struct{ amount, currency jsonwalk.Value }

// readBody reads all fields in one pass.
func readBody(data []byte) (*body, *reader) {
	b, r := &body{}, &reader{Walker: jsonwalk.New(data)}
	for key := range r.Members {
		b.keys++
		b.field(r, key)
	}
	return b, r
}

func (b *body) field(r *reader, key []byte) {
	switch string(key) {
	case "id":
		b.id = r.Value()
	case "order_id":
		b.orderID = r.Value()
	case "name":
		b.name = r.Value()
	case "order_number":
		b.orderNumber = r.Value()
	case "created_at":
		b.createdAt = r.Value()
	case "processed_at":
		b.processedAt = r.Value()
	case "updated_at":
		b.updatedAt = r.Value()
	case "cancelled_at":
		b.cancelledAt = r.Value()
	case "currency":
		b.currency = r.Value()
	case "total_price":
		b.totalPrice = r.Value()
	case "subtotal_price":
		b.subtotalPrice = r.Value()
	case "total_discounts":
		b.totalDiscounts = r.Value()
	case "current_total_price":
		b.currentTotal = r.Value()
	case "current_subtotal_price":
		b.currentSubtotal = r.Value()
	case "source_name":
		b.sourceName = r.Value()
	case "checkout_token":
		b.checkoutToken = r.Value()
	case "subscription_contract_id", "subscription_contract":
		b.contractID = r.Value()
	case "tags":
		b.tags = nil
		if r.Peek() == '[' {
			for range r.Elements {
				b.tags = append(b.tags, r.Value())
			}
		} else {
			b.tags = append(b.tags, r.Value())
		}
	case "shipping_lines":
		b.shippingDiscounted = false
		for range r.Elements {
			allocations := r.pick("", "discount_allocations")
			b.shippingDiscounted = b.shippingDiscounted || len(allocations) > len("[]") && allocations[0] == '['
		}
	case "total_outstanding":
		b.totalOutstanding = r.Value()
	case "financial_status":
		b.financialStatus = r.Value()
	case "taxes_included":
		b.taxesIncluded = r.Value()
	case "test":
		b.test = r.Value()
	case "landing_site":
		b.landingSite = r.Value()
	case "landing_site_ref":
		b.landingSiteRef = r.Value()
	case "email":
		b.email = r.Value()
	case "contact_email":
		b.contactEmail = r.Value()
	case "customer":
		b.hasCustomer = true
		b.customerEmail = r.pick("customer", "email")
	case "billing_address":
		b.billingCountry = r.pick("billing_address", "country_code")
	case "shipping_address":
		b.shippingCountry = r.pick("shipping_address", "country_code")
	case "order_status_url":
		b.orderStatusURL = r.Value()
	case "line_items":
		b.hasLines, b.lines = true, nil
		for range r.list("line_items") {
			b.lines = append(b.lines, r.lineItem(""))
		}
	case "refunds":
		b.refunds = nil
		for range r.list("refunds") {
			var one refund
			for key := range r.object("") {
				one.field(r, key)
			}
			b.refunds = append(b.refunds, one)
		}
	case "discount_codes":
		b.codes = nil
		for range r.list("discount_codes") {
			b.codes = append(b.codes, r.pick("", "code"))
		}
	case "discount_applications":
		b.hasDiscountApplications, b.applications = r.Peek() != 'n', nil
		for range r.list("discount_applications") {
			b.applications = append(b.applications, r.application())
		}
	case "note_attributes":
		b.attributes = nil
		if r.Peek() == '{' { // some apps write {"ref":"anna"} for [{"name":"ref","value":"anna"}]
			for key := range r.Members {
				if name, err := json.Marshal(string(key)); err == nil {
					b.attributes = append(b.attributes, attribute{name, r.Value()})
				}
			}
			break
		}
		for range r.list("note_attributes") {
			b.attributes = append(b.attributes, r.attribute())
		}
	default:
		b.otherField(r, key)
	}
}

// otherField reads the fields that orders do not have.
func (b *body) otherField(r *reader, key []byte) {
	switch string(key) {
	case "refund_line_items":
		b.hasRefundLines = true
		b.refund.field(r, key)
	case "order_adjustments":
		b.hasOrderAdjustments = true
		b.refund.field(r, key)
	case "transactions":
		b.hasTransactions = true
		b.refund.field(r, key)
	case "refund_shipping_lines", "total_duties_set":
		b.refund.field(r, key)
	case "kind":
		b.kind = r.Value()
	case "status":
		b.status = r.Value()
	case "amount":
		b.amount = r.Value()
	case "evidence_due_by":
		b.evidenceDueBy = r.Value()
	case "network_reason_code":
		b.networkReason = r.Value()
	case "finalized_on":
		b.finalizedOn = r.Value()
	case "evidence_sent_on":
		b.evidenceSentOn = r.Value()
	case "initiated_at":
		b.initiatedAt = r.Value()
	case "order_edit":
		b.edit = &orderEdit{}
		for key := range r.object("order_edit") {
			switch string(key) {
			case "order_id":
				b.edit.orderID = r.Value()
			case "created_at":
				b.edit.createdAt = r.Value()
			}
		}
	case "orders_to_redact":
		b.hasOrdersToRedact, b.ordersToRedact = true, nil
		for range r.list("orders_to_redact") {
			b.ordersToRedact = append(b.ordersToRedact, r.Value())
		}
	case "orders_requested", "data_request":
		b.dataRequest = true
	case "shop_id":
		b.shopID = r.Value()
	case "shop_owner":
		b.shopOwner = true
	case "myshopify_domain":
		b.shopOwner, b.myshopifyDomain = true, r.Value()
	case "shop_domain", "domain":
		b.shopDomain = r.Value()
	}
}

// pick reads one field of the object that comes next.
func (r *reader) pick(name, field string) (v jsonwalk.Value) {
	for key := range r.object(name) {
		if string(key) == field {
			v = r.Value()
		}
	}
	return v
}

func (r *reader) lineItem(name string) (l lineItem) {
	for key := range r.object(name) {
		switch string(key) {
		case "id":
			l.id = r.Value()
		case "price":
			l.price = r.Value()
		case "quantity":
			l.quantity = r.Value()
		case "current_quantity":
			l.currentQuantity = r.Value()
		case "gift_card":
			l.giftCard = r.Value()
		case "total_discount":
			l.totalDiscount = r.Value()
		case "discount_allocations":
			l.discounts = nil
			for range r.list("discount_allocations") {
				l.discounts = append(l.discounts, r.pick("", "amount"))
			}
		case "tax_lines":
			l.taxes = nil
			for range r.list("tax_lines") {
				l.taxes = append(l.taxes, r.taxLine())
			}
		case "tip_payment_gateway", "tip_payment_method", "tip":
			// Only tip lines have the first two, null or not ("Present only on tips", REST order resource).
			if v := r.Value(); string(key) != "tip" || !v.Absent() {
				l.tip = true
			}
		}
	}
	return l
}

func (r *reader) taxLine() (t taxLine) {
	for key := range r.object("") {
		switch string(key) {
		case "price":
			t.price = r.Value()
		case "rate":
			t.rate = r.Value()
		}
	}
	return t
}

func (r *reader) application() (a application) {
	for key := range r.object("") {
		switch string(key) {
		case "type":
			a.kind = r.Value()
		case "code":
			a.code = r.Value()
		}
	}
	return a
}

func (r *reader) attribute() (a attribute) {
	for key := range r.object("") {
		switch string(key) {
		case "name":
			a.name = r.Value()
		case "value":
			a.value = r.Value()
		}
	}
	return a
}

func (f *refund) field(r *reader, key []byte) {
	switch string(key) {
	case "id":
		f.id = r.Value()
	case "created_at":
		f.createdAt = r.Value()
	case "processed_at":
		f.processedAt = r.Value()
	case "refund_line_items":
		f.lines = nil
		for range r.list("refund_line_items") {
			f.lines = append(f.lines, r.refundLine())
		}
	case "order_adjustments":
		f.adjustments = nil
		for range r.list("order_adjustments") {
			f.adjustments = append(f.adjustments, r.adjustment())
		}
	case "refund_shipping_lines":
		f.shipping = nil
		for range r.list("refund_shipping_lines") {
			f.shipping = append(f.shipping, r.shippingRefund())
		}
	case "transactions":
		f.transactions = nil
		for range r.list("transactions") {
			f.transactions = append(f.transactions, r.transaction())
		}
	case "total_duties_set":
		f.duties = r.amountSet("total_duties_set")
	}
}

func (r *reader) refundLine() (l refundLine) {
	for key := range r.object("") {
		switch string(key) {
		case "line_item_id":
			l.lineID = r.Value()
		case "quantity":
			l.quantity = r.Value()
		case "subtotal":
			l.subtotal = r.Value()
		case "total_tax":
			l.tax = r.Value()
		case "subtotal_set":
			l.subtotalSet = r.amountSet("subtotal_set")
		case "total_tax_set":
			l.taxSet = r.amountSet("total_tax_set")
		case "line_item":
			l.line = r.lineItem("line_item")
		}
	}
	return l
}

func (r *reader) adjustment() (a adjustment) {
	for key := range r.object("") {
		switch string(key) {
		case "kind":
			a.kind = r.Value()
		case "amount":
			a.amount = r.Value()
		case "tax_amount":
			a.tax = r.Value()
		case "amount_set":
			a.amountSet = r.amountSet("amount_set")
		case "tax_amount_set":
			a.taxSet = r.amountSet("tax_amount_set")
		}
	}
	return a
}

func (r *reader) shippingRefund() (s shippingRefund) {
	for key := range r.object("") {
		switch string(key) {
		case "subtotal_amount_set":
			s.subtotal = r.amountSet("subtotal_amount_set")
		case "tax_amount_set":
			s.tax = r.amountSet("tax_amount_set")
		}
	}
	return s
}

func (r *reader) transaction() (t transaction) {
	for key := range r.object("") {
		switch string(key) {
		case "id":
			t.id = r.Value()
		case "kind":
			t.kind = r.Value()
		case "status":
			t.status = r.Value()
		case "amount":
			t.amount = r.Value()
		case "currency":
			t.currency = r.Value()
		case "created_at":
			t.createdAt = r.Value()
		case "processed_at":
			t.processedAt = r.Value()
		}
	}
	return t
}

func (r *reader) amountSet(name string) (s amountSet) {
	for key := range r.object(name) {
		switch string(key) {
		case "shop_money":
			s.shop = r.sum("shop_money")
		case "presentment_money":
			s.presentment = r.sum("presentment_money")
		}
	}
	return s
}

func (r *reader) sum(name string) (s sum) {
	for key := range r.object(name) {
		switch string(key) {
		case "amount":
			s.amount = r.Value()
		case "currency_code":
			s.currency = r.Value()
		}
	}
	return s
}
