package shopify

import (
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Parse reads what a delivery says. The topic is not covered by the signature, so the body decides what it is, and the
// topic only where bodies look alike ({"id":1} is a deletion under orders/delete) or where an event would be dangerous
// to believe on the body's word alone (app/uninstalled, shop/redact need both).
//
// An error is an affiliate.Error of kind Invalid that names the field and the remedy.
func (Platform) Parse(topic string, data []byte) (affiliate.Parsed, error) {
	topic = strings.ToLower(strings.TrimSpace(topic))
	if topic == affiliate.TopicOrderRead {
		return parseRead(data)
	}
	b, r := readBody(data)
	if err := r.Err(); err != nil {
		if reason := unused(topic); reason != "" {
			return affiliate.Parsed{Ignored: reason}, nil
		}
		return affiliate.Parsed{}, bodyError(data, err)
	}
	is := b.shape()
	if is == nil {
		is = topics[topic]
	}
	if is == nil {
		return affiliate.Parsed{Ignored: unknown(topic)}, nil
	}
	if r.wrong != nil {
		return affiliate.Parsed{}, r.wrong
	}
	v := &values{}
	parsed := is(b, v)
	if v.err != nil {
		return affiliate.Parsed{}, v.err
	}
	parsed.Warning, parsed.Shop = v.warning, b.shop()
	return parsed, nil
}

func bodyError(data []byte, err error) error {
	if jsonwalk.IsXML(data) {
		return affiliate.FieldErrorf("body", "is XML: set the webhook's format to JSON (Shopify admin, Settings > "+
			"Notifications > Webhooks); what came in XML is not read, so compare the store's orders of that time")
	}
	return affiliate.FieldErrorf("body", "%v: it was cut or altered on its way; have the store send it again", err)
}

// sampleShop is the shop that Shopify's own examples name, "Send test notification" among them, whatever the shop is.
const sampleShop = "jsmith.myshopify.com"

// shop gives the *.myshopify.com domain that the body names as its sender's, in lower case: orders in order_status_url
// (whose host is the shop's own domain where it has one), compliance topics in shop_domain, app/uninstalled in
// myshopify_domain or domain. Empty when none does.
func (b *body) shop() string {
	for _, v := range []jsonwalk.Value{b.myshopifyDomain, b.shopDomain} {
		if v.IsText() {
			return myshopify(v.Text())
		}
	}
	if b.orderStatusURL.IsText() {
		if u, err := url.Parse(b.orderStatusURL.Text()); err == nil {
			return myshopify(u.Hostname())
		}
	}
	return ""
}

func myshopify(host string) string {
	host = strings.ToLower(host)
	if host == sampleShop || !strings.HasSuffix(host, ".myshopify.com") {
		return ""
	}
	return host
}

// meaning reads a body as one kind of thing.
type meaning func(*body, *values) affiliate.Parsed

// shape finds out by its keys what a body is; nil when they do not tell. draft_orders and checkouts have line_items
// too, but no financial_status; fulfillments and returns have an order_id, but neither kind nor refund_line_items.
func (b *body) shape() meaning {
	switch {
	case b.hasLines && b.financialStatus != nil:
		return (*body).asOrder
	case b.edit != nil:
		return (*body).asOrderEdit
	case b.hasOrdersToRedact:
		return (*body).asRedaction
	case b.dataRequest && b.shopID != nil:
		return (*body).asDataRequest
	case b.hasLines:
		return nil
	case b.orderID != nil && (b.hasRefundLines || b.hasOrderAdjustments || b.hasTransactions):
		return (*body).asRefund
	case b.orderID != nil && b.kind != nil && b.amount != nil:
		return (*body).asTransaction
	case b.status != nil && b.amount != nil && (b.evidenceDueBy != nil || b.networkReason != nil ||
		b.initiatedAt != nil):
		return (*body).asDispute
	}
	return nil
}

// topics says how to read a body whose keys do not tell what it is; most are then errors that name what is missing.
// There is no topic for refunded orders: a refund is refunds/create, orders/updated and order_transactions/create.
var topics = map[string]meaning{
	"orders/create":              (*body).asOrder,
	"orders/updated":             (*body).asOrder,
	"orders/paid":                (*body).asOrder,
	"orders/cancelled":           (*body).asOrder,
	"orders/fulfilled":           (*body).asOrder,
	"orders/partially_fulfilled": (*body).asOrder,
	"orders/edited":              (*body).asOrderEdit,
	"orders/delete":              (*body).asDeletion,
	"refunds/create":             (*body).asRefund,
	"order_transactions/create":  (*body).asTransaction,
	"disputes/create":            (*body).asDispute,
	"disputes/update":            (*body).asDispute,
	"customers/redact":           (*body).asRedaction,
	"customers/data_request":     (*body).asDataRequest,
	"shop/redact":                (*body).asShopRedaction,
	"app/uninstalled":            (*body).asUninstalled,
	affiliate.TopicOrderGone:     (*body).asDeletion,
}

// unusedTopics are resources of Shopify's that say nothing about orders' money
// (https://shopify.dev/docs/api/webhooks/latest). returns/* lead to refunds, which come on their own.
var unusedTopics = []string{
	"app", "app_purchases_one_time", "app_scopes", "app_subscriptions", "attributed_sessions", "audit_events",
	"bulk_operations", "carts", "channels", "checkouts", "collection_listings", "collection_publications",
	"collections",
	"companies", "company_contact_roles", "company_contacts", "company_locations", "customer",
	"customer_account_settings",
	"customer_groups", "customer_payment_methods", "customers", "customers_email_marketing_consent",
	"customers_marketing_consent", "delivery_promise_settings", "discounts", "domains", "draft_orders",
	"finance_app_staff_member", "fulfillment_events", "fulfillment_holds", "fulfillment_orders", "fulfillments",
	"inventory_items", "inventory_levels", "inventory_shipments", "inventory_transfers", "locales",
	"locations", "markets",
	"markets_backup_region", "metafield_definitions", "metaobjects", "order", "orders", "payment_schedules",
	"payment_terms",
	"product_feeds", "product_listings", "product_publications", "products", "profiles", "publications",
	"returns", "reverse_deliveries", "reverse_fulfillment_orders", "scheduled_product_listings", "segments",
	"selling_plan_groups", "shop", "subscription_billing_attempts", "subscription_billing_cycle_edits",
	"subscription_billing_cycles", "subscription_contracts", "tax_partners", "tax_services", "tender_transactions",
	"themes",
	"variants",
}

// unused says why a topic that Shopify has is not used, "" for the ones in use and for unknown ones.
func unused(topic string) string {
	if _, used := topics[topic]; used {
		return ""
	}
	resource, _, ok := strings.Cut(topic, "/")
	if !ok {
		return ""
	}
	for _, known := range unusedTopics {
		if resource == known {
			return "topic " + tidy(topic, 80) + " is not used: it does not tell what an order is worth"
		}
	}
	return ""
}

func unknown(topic string) string {
	if reason := unused(topic); reason != "" {
		return reason
	}
	if topic == "" {
		return "the delivery has no topic, and its body is no order, refund, transaction or dispute"
	}
	return "topic " + tidy(topic, 80) + " is not known here, and its body is no order, refund, transaction or dispute"
}

func events(list ...affiliate.Event) affiliate.Parsed { return affiliate.Parsed{Events: list} }

func (b *body) asOrder(v *values) affiliate.Parsed {
	id := v.id("id", b.id)
	return events(affiliate.Event{OrderID: id, Snapshot: b.snapshot(v)})
}

func (b *body) asRefund(v *values) affiliate.Parsed {
	order := v.id("order_id", b.orderID)
	b.refund.id, b.refund.createdAt, b.refund.processedAt = b.id, b.createdAt, b.processedAt
	one, ok := b.refund.standalone(v)
	if !ok {
		return affiliate.Parsed{Ignored: "refund " + one.ID + " moved no money and names no currency"}
	}
	return events(affiliate.Event{OrderID: order, Refund: &one})
}

func (b *body) asTransaction(v *values) affiliate.Parsed {
	t := transaction{id: b.id, kind: b.kind, status: b.status, amount: b.amount, currency: b.currency,
		createdAt: b.createdAt, processedAt: b.processedAt}
	order := v.id("order_id", b.orderID)
	one := t.read(v)
	return events(affiliate.Event{OrderID: order, Transaction: &one})
}

// asDispute reads a chargeback. Disputes of payments that are no orders have order_id null.
func (b *body) asDispute(v *values) affiliate.Parsed {
	if b.orderID.Absent() && !b.id.Absent() {
		id := v.id("id", b.id)
		return affiliate.Parsed{Ignored: "dispute " + id + " is not about an order"}
	}
	order := v.id("order_id", b.orderID)
	d := affiliate.Dispute{ID: v.id("id", b.id), Status: affiliate.DisputeOpen, Currency: v.currencyCode("currency",
		b.currency)}
	d.Amount = v.amount("amount", b.amount, d.Currency)
	if b.status.Absent() {
		v.missing("status")
	}
	switch v.word("status", b.status, 40) {
	case "lost":
		d.Status = affiliate.DisputeLost
	case "won":
		d.Status = affiliate.DisputeWon
	}
	// The newest of its dates: a dispute has no updated_at, and finalized_on may be a bare day.
	d.Version = max(millis(v.day("finalized_on", b.finalizedOn)), millis(v.day("evidence_sent_on", b.evidenceSentOn)),
		millis(v.day("initiated_at", b.initiatedAt)))
	return events(affiliate.Event{OrderID: order, Dispute: &d})
}

// asOrderEdit reads orders/edited, which tells deltas of units but no money: the orders/updated that follows does.
func (b *body) asOrderEdit(v *values) affiliate.Parsed {
	if b.edit == nil {
		v.missing("order_edit")
		return affiliate.Parsed{}
	}
	v.enter("order_edit", -1)
	defer v.leave()
	if b.edit.createdAt.Absent() {
		v.missing("created_at")
	}
	return events(affiliate.Event{OrderID: v.id("order_id", b.edit.orderID), Edited: v.time("created_at",
		b.edit.createdAt)})
}

// asDeletion reads {"id":1}. More than that is no deletion, whatever the topic says.
func (b *body) asDeletion(v *values) affiliate.Parsed {
	id := v.id("id", b.id)
	if b.keys != 1 {
		v.fail("body", `holds more than the id of a deleted order ({"id":1}); its topic cannot be orders/delete`)
	}
	return events(affiliate.Event{OrderID: id, Deleted: true})
}

// asRedaction reads customers/redact: the personal data in these orders is to be erased.
func (b *body) asRedaction(v *values) affiliate.Parsed {
	if !b.hasOrdersToRedact {
		v.missing("orders_to_redact")
	}
	if len(b.ordersToRedact) == 0 {
		return affiliate.Parsed{Ignored: "the customer to erase has no orders"}
	}
	p := affiliate.Parsed{Events: make([]affiliate.Event, len(b.ordersToRedact))}
	for i, id := range b.ordersToRedact {
		v.enter("orders_to_redact", i)
		p.Events[i] = affiliate.Event{OrderID: v.id("", id), Redacted: true}
		v.leave()
	}
	return p
}

// asDataRequest reads customers/data_request: a customer asks what is kept.
func (b *body) asDataRequest(v *values) affiliate.Parsed {
	if !b.dataRequest {
		v.missing("data_request")
	}
	return affiliate.Parsed{Store: affiliate.DataRequest}
}

// asShopRedaction reads shop/redact, whose body is the shop's id and domain and nothing else.
func (b *body) asShopRedaction(v *values) affiliate.Parsed {
	v.id("shop_id", b.shopID)
	if b.hasCustomer || !b.id.Absent() {
		v.fail("body",
			"is not that of shop/redact, which holds shop_id and shop_domain; nothing is erased on a wrong topic")
	}
	return affiliate.Parsed{Store: affiliate.StoreRedact}
}

// asUninstalled reads app/uninstalled, whose body is the shop. Its myshopify_domain may be null.
func (b *body) asUninstalled(v *values) affiliate.Parsed {
	v.id("id", b.id)
	if !b.shopOwner {
		v.fail("body", "is not a shop (shop_owner, myshopify_domain); the store is not disconnected on a wrong topic")
	}
	return affiliate.Parsed{Store: affiliate.StoreUninstalled}
}
