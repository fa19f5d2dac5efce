package shopify

import "encoding/json"

// body is what one delivery's body holds of the fields that are used, as they stand. One pass fills it whatever the
// body is, since the topic is not signed: what it is shows in which keys there are. Names are Shopify's.
type body struct {
	keys int // how many top-level keys there are

	id, orderID, name, orderNumber                 raw
	createdAt, processedAt, updatedAt, cancelledAt raw
	currency, totalPrice, totalOutstanding         raw
	subtotalPrice, totalDiscounts                  raw
	currentTotal, currentSubtotal                  raw
	financialStatus, taxesIncluded, test           raw
	landingSite, landingSiteRef                    raw
	sourceName, checkoutToken, contractID          raw
	tags                                           []raw
	shippingDiscounted                             bool // a shipping line has a discount of its own
	email, contactEmail, customerEmail             raw
	billingCountry, shippingCountry                raw
	hasLines, hasDiscountApplications              bool
	lines                                          []lineItem
	refunds                                        []refund
	codes                                          []raw // discount_codes[].code
	applications                                   []application
	attributes                                     []attribute

	// The body may itself be a refund, a transaction, a dispute or an order edit.
	refund                                   refund
	hasRefundLines, hasOrderAdjustments      bool
	hasTransactions                          bool
	kind, status, amount                     raw
	evidenceDueBy, networkReason             raw
	finalizedOn, evidenceSentOn, initiatedAt raw
	edit                                     *orderEdit

	// Compliance and app topics.
	hasOrdersToRedact bool
	ordersToRedact    []raw
	dataRequest       bool
	shopID            raw
	shopOwner         bool
	hasCustomer       bool

	orderStatusURL, myshopifyDomain, shopDomain raw // who sends it: see shop

	byID map[string]*lineItem // made by lineByID
}

// lineByID finds a line of the order.
func (b *body) lineByID(id raw) (*lineItem, bool) {
	if b.byID == nil {
		b.byID = make(map[string]*lineItem, len(b.lines))
		for i := range b.lines {
			b.byID[b.lines[i].id.content()] = &b.lines[i]
		}
	}
	line, ok := b.byID[id.content()]
	return line, ok
}

type lineItem struct {
	id, price, quantity, currentQuantity, giftCard, totalDiscount raw
	tip                                                           bool
	discounts                                                     []raw // discount_allocations[].amount
	share                                                         int64 // of a discount told for the order alone
	taxes                                                         []taxLine
}

type taxLine struct{ price, rate raw }

type application struct{ kind, code raw }

type attribute struct{ name, value raw }

type orderEdit struct{ orderID, createdAt raw }

type refund struct {
	id, createdAt, processedAt raw
	lines                      []refundLine
	adjustments                []adjustment
	shipping                   []shippingRefund
	transactions               []transaction
	duties                     amountSet // total_duties_set
}

type refundLine struct {
	lineID, quantity, subtotal, tax raw
	subtotalSet, taxSet             amountSet
	line                            lineItem
}

type adjustment struct {
	kind, amount, tax raw
	amountSet, taxSet amountSet
}

type shippingRefund struct{ subtotal, tax amountSet }

type transaction struct{ id, kind, status, amount, currency, createdAt, processedAt raw }

// amountSet is one of the "_set" fields: an amount in the shop's currency and in the one the customer saw.
type amountSet struct{ shop, presentment sum }

type sum struct{ amount, currency raw }

// readBody reads all fields in one pass.
func readBody(data []byte) (*body, *reader) {
	b, r := &body{}, &reader{data: data}
	r.start()
	if r.err == nil {
		r.object("", func(key []byte) {
			b.keys++
			b.field(r, key)
		})
		r.end()
	}
	return b, r
}

func (b *body) field(r *reader, key []byte) {
	switch string(key) {
	case "id":
		b.id = r.value()
	case "order_id":
		b.orderID = r.value()
	case "name":
		b.name = r.value()
	case "order_number":
		b.orderNumber = r.value()
	case "created_at":
		b.createdAt = r.value()
	case "processed_at":
		b.processedAt = r.value()
	case "updated_at":
		b.updatedAt = r.value()
	case "cancelled_at":
		b.cancelledAt = r.value()
	case "currency":
		b.currency = r.value()
	case "total_price":
		b.totalPrice = r.value()
	case "subtotal_price":
		b.subtotalPrice = r.value()
	case "total_discounts":
		b.totalDiscounts = r.value()
	case "current_total_price":
		b.currentTotal = r.value()
	case "current_subtotal_price":
		b.currentSubtotal = r.value()
	case "source_name":
		b.sourceName = r.value()
	case "checkout_token":
		b.checkoutToken = r.value()
	case "subscription_contract_id", "subscription_contract":
		b.contractID = r.value()
	case "tags":
		b.tags = nil
		if r.peek() == '[' {
			r.items(func() { b.tags = append(b.tags, r.value()) })
		} else {
			b.tags = append(b.tags, r.value())
		}
	case "shipping_lines":
		b.shippingDiscounted = false
		if r.peek() != '[' {
			r.skip()
			break
		}
		r.items(func() {
			var allocations raw
			r.object("", pick(r, "discount_allocations", &allocations))
			b.shippingDiscounted = b.shippingDiscounted || len(allocations) > len("[]") && allocations[0] == '['
		})
	case "total_outstanding":
		b.totalOutstanding = r.value()
	case "financial_status":
		b.financialStatus = r.value()
	case "taxes_included":
		b.taxesIncluded = r.value()
	case "test":
		b.test = r.value()
	case "landing_site":
		b.landingSite = r.value()
	case "landing_site_ref":
		b.landingSiteRef = r.value()
	case "email":
		b.email = r.value()
	case "contact_email":
		b.contactEmail = r.value()
	case "customer":
		b.hasCustomer = true
		r.object("customer", pick(r, "email", &b.customerEmail))
	case "billing_address":
		r.object("billing_address", pick(r, "country_code", &b.billingCountry))
	case "shipping_address":
		r.object("shipping_address", pick(r, "country_code", &b.shippingCountry))
	case "order_status_url":
		b.orderStatusURL = r.value()
	case "line_items":
		b.hasLines, b.lines = true, nil
		r.list("line_items", func() {
			b.lines = append(b.lines, lineItem{})
			r.lineItem("", &b.lines[len(b.lines)-1])
		})
	case "refunds":
		b.refunds = nil
		r.list("refunds", func() {
			b.refunds = append(b.refunds, refund{})
			one := &b.refunds[len(b.refunds)-1]
			r.object("", func(key []byte) { one.field(r, key) })
		})
	case "discount_codes":
		b.codes = nil
		r.list("discount_codes", func() {
			var code raw
			r.object("", pick(r, "code", &code))
			b.codes = append(b.codes, code)
		})
	case "discount_applications":
		b.hasDiscountApplications, b.applications = r.peek() != 'n', nil
		r.list("discount_applications", func() { b.applications = append(b.applications, r.application()) })
	case "note_attributes":
		b.attributes = nil
		if r.peek() == '{' { // some apps write {"ref":"anna"} for [{"name":"ref","value":"anna"}]
			r.keys(func(key []byte) {
				name, err := json.Marshal(string(key))
				if value := r.value(); err == nil {
					b.attributes = append(b.attributes, attribute{name, value})
				}
			})
			break
		}
		r.list("note_attributes", func() { b.attributes = append(b.attributes, r.attribute()) })
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
		b.kind = r.value()
	case "status":
		b.status = r.value()
	case "amount":
		b.amount = r.value()
	case "evidence_due_by":
		b.evidenceDueBy = r.value()
	case "network_reason_code":
		b.networkReason = r.value()
	case "finalized_on":
		b.finalizedOn = r.value()
	case "evidence_sent_on":
		b.evidenceSentOn = r.value()
	case "initiated_at":
		b.initiatedAt = r.value()
	case "order_edit":
		b.edit = &orderEdit{}
		r.object("order_edit", func(key []byte) {
			switch string(key) {
			case "order_id":
				b.edit.orderID = r.value()
			case "created_at":
				b.edit.createdAt = r.value()
			default:
				r.skip()
			}
		})
	case "orders_to_redact":
		b.hasOrdersToRedact, b.ordersToRedact = true, nil
		r.list("orders_to_redact", func() { b.ordersToRedact = append(b.ordersToRedact, r.value()) })
	case "orders_requested", "data_request":
		b.dataRequest = true
		r.skip()
	case "shop_id":
		b.shopID = r.value()
	case "shop_owner":
		b.shopOwner = true
		r.skip()
	case "myshopify_domain":
		b.shopOwner, b.myshopifyDomain = true, r.value()
	case "shop_domain", "domain":
		b.shopDomain = r.value()
	default:
		r.skip()
	}
}

// pick reads one field of an object and skips the others.
func pick(r *reader, name string, into *raw) func(key []byte) {
	return func(key []byte) {
		if string(key) == name {
			*into = r.value()
		} else {
			r.skip()
		}
	}
}

func (r *reader) lineItem(name string, l *lineItem) {
	r.object(name, func(key []byte) {
		switch string(key) {
		case "id":
			l.id = r.value()
		case "price":
			l.price = r.value()
		case "quantity":
			l.quantity = r.value()
		case "current_quantity":
			l.currentQuantity = r.value()
		case "gift_card":
			l.giftCard = r.value()
		case "total_discount":
			l.totalDiscount = r.value()
		case "discount_allocations":
			l.discounts = nil
			r.list("discount_allocations", func() {
				var amount raw
				r.object("", pick(r, "amount", &amount))
				l.discounts = append(l.discounts, amount)
			})
		case "tax_lines":
			l.taxes = nil
			r.list("tax_lines", func() { l.taxes = append(l.taxes, r.taxLine()) })
		case "tip_payment_gateway", "tip_payment_method", "tip":
			// Only tip lines have the first two, null or not ("Present only on tips", REST order resource).
			if v := r.value(); string(key) != "tip" || !v.absent() {
				l.tip = true
			}
		default:
			r.skip()
		}
	})
}

func (r *reader) taxLine() (t taxLine) {
	r.object("", func(key []byte) {
		switch string(key) {
		case "price":
			t.price = r.value()
		case "rate":
			t.rate = r.value()
		default:
			r.skip()
		}
	})
	return t
}

func (r *reader) application() (a application) {
	r.object("", func(key []byte) {
		switch string(key) {
		case "type":
			a.kind = r.value()
		case "code":
			a.code = r.value()
		default:
			r.skip()
		}
	})
	return a
}

func (r *reader) attribute() (a attribute) {
	r.object("", func(key []byte) {
		switch string(key) {
		case "name":
			a.name = r.value()
		case "value":
			a.value = r.value()
		default:
			r.skip()
		}
	})
	return a
}

func (f *refund) field(r *reader, key []byte) {
	switch string(key) {
	case "id":
		f.id = r.value()
	case "created_at":
		f.createdAt = r.value()
	case "processed_at":
		f.processedAt = r.value()
	case "refund_line_items":
		f.lines = nil
		r.list("refund_line_items", func() {
			f.lines = append(f.lines, refundLine{})
			r.refundLine(&f.lines[len(f.lines)-1])
		})
	case "order_adjustments":
		f.adjustments = nil
		r.list("order_adjustments", func() { f.adjustments = append(f.adjustments, r.adjustment()) })
	case "refund_shipping_lines":
		f.shipping = nil
		r.list("refund_shipping_lines", func() { f.shipping = append(f.shipping, r.shippingRefund()) })
	case "transactions":
		f.transactions = nil
		r.list("transactions", func() { f.transactions = append(f.transactions, r.transaction()) })
	case "total_duties_set":
		f.duties = r.amountSet("total_duties_set")
	default:
		r.skip()
	}
}

func (r *reader) refundLine(l *refundLine) {
	r.object("", func(key []byte) {
		switch string(key) {
		case "line_item_id":
			l.lineID = r.value()
		case "quantity":
			l.quantity = r.value()
		case "subtotal":
			l.subtotal = r.value()
		case "total_tax":
			l.tax = r.value()
		case "subtotal_set":
			l.subtotalSet = r.amountSet("subtotal_set")
		case "total_tax_set":
			l.taxSet = r.amountSet("total_tax_set")
		case "line_item":
			l.line = lineItem{}
			r.lineItem("line_item", &l.line)
		default:
			r.skip()
		}
	})
}

func (r *reader) adjustment() (a adjustment) {
	r.object("", func(key []byte) {
		switch string(key) {
		case "kind":
			a.kind = r.value()
		case "amount":
			a.amount = r.value()
		case "tax_amount":
			a.tax = r.value()
		case "amount_set":
			a.amountSet = r.amountSet("amount_set")
		case "tax_amount_set":
			a.taxSet = r.amountSet("tax_amount_set")
		default:
			r.skip()
		}
	})
	return a
}

func (r *reader) shippingRefund() (s shippingRefund) {
	r.object("", func(key []byte) {
		switch string(key) {
		case "subtotal_amount_set":
			s.subtotal = r.amountSet("subtotal_amount_set")
		case "tax_amount_set":
			s.tax = r.amountSet("tax_amount_set")
		default:
			r.skip()
		}
	})
	return s
}

func (r *reader) transaction() (t transaction) {
	r.object("", func(key []byte) {
		switch string(key) {
		case "id":
			t.id = r.value()
		case "kind":
			t.kind = r.value()
		case "status":
			t.status = r.value()
		case "amount":
			t.amount = r.value()
		case "currency":
			t.currency = r.value()
		case "created_at":
			t.createdAt = r.value()
		case "processed_at":
			t.processedAt = r.value()
		default:
			r.skip()
		}
	})
	return t
}

func (r *reader) amountSet(name string) (s amountSet) {
	r.object(name, func(key []byte) {
		switch string(key) {
		case "shop_money":
			s.shop = r.sum("shop_money")
		case "presentment_money":
			s.presentment = r.sum("presentment_money")
		default:
			r.skip()
		}
	})
	return s
}

func (r *reader) sum(name string) (s sum) {
	r.object(name, func(key []byte) {
		switch string(key) {
		case "amount":
			s.amount = r.value()
		case "currency_code":
			s.currency = r.value()
		default:
			r.skip()
		}
	})
	return s
}
