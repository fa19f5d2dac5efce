package woocommerce

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// apiVersionRemedy is where the payload version of a webhook made in the admin is chosen.
const apiVersionRemedy = `set the webhook's API version to "WP REST API Integration v3" ` +
	`(WooCommerce > Settings > Advanced > Webhooks)`

// Codes of an Error about a signed error object, for alerts. The order itself is not in such a body.
const (
	CodeAPIVersion = "woocommerce_api_version" // the webhook's payload version cannot see orders
	CodeUserRights = "woocommerce_user_rights" // the webhook's user may not read orders
	CodeOrderGone  = "woocommerce_order_gone"  // the order was deleted before its delivery ran
	CodeInRequest  = "woocommerce_in_request"  // the store delivers inside the request that changes the order
	CodeStoreError = "woocommerce_store_error" // any other error object
)

// Parse reads the body of a verified delivery. Order bodies are decided by the body and not by the topic, which is not
// signed: whatever order.* topic it comes under, a full order is a snapshot of that order as of its modification time,
// because WooCommerce builds payloads when the delivery runs and not when the event happened.
//
// Two things hang on the topic, since their bodies say nothing else: {"id":N} is the trashing of an order only under
// order.deleted, and order.restored takes an order out of the trash. Errors are affiliate.Error of kind Invalid.
func (Platform) Parse(topic string, body []byte) (affiliate.Parsed, error) {
	if topic == affiliate.TopicOrderRead {
		return parseRead(body)
	}
	if !strings.HasPrefix(topic, "order.") {
		return affiliate.Parsed{Ignored: unused(topic)}, nil
	}
	p, err := decode(body)
	if err != nil {
		return affiliate.Parsed{}, bodyError(body, err)
	}
	if len(p.id) == 0 && len(p.code) > 0 {
		return affiliate.Parsed{}, p.storeError()
	}
	id, err := p.orderID()
	if err != nil {
		return affiliate.Parsed{}, err
	}
	if p.status == nil && p.total == nil {
		return p.bare(topic, id)
	}
	return p.order(topic, id)
}

// unused says why a delivery that is not about an order changes nothing.
func unused(topic string) string {
	resource, _, _ := strings.Cut(topic, ".")
	switch {
	case topic == "":
		return "the request names no topic"
	case topic == topicPing:
		return "ping: WooCommerce tries the address of a webhook"
	case resource == "action":
		return fmt.Sprintf("topic %s is not used: it names an order or a refund without showing it; "+
			"order.updated or a comparison with the store does", affiliate.Clip(topic, 80))
	case resource == "product", resource == "coupon", resource == "customer":
		return fmt.Sprintf("topic %s is not used: only orders (order.*) are", affiliate.Clip(topic, 80))
	}
	return fmt.Sprintf("topic %q is unknown and not used: only orders (order.*) are", affiliate.Clip(topic, 80))
}

func bodyError(body []byte, err error) error {
	if len(body) == 0 {
		return affiliate.FieldErrorf("body",
			"is empty; WooCommerce always sends JSON: look for a proxy that drops bodies")
	}
	if jsonwalk.IsXML(body) {
		return affiliate.FieldErrorf("body", "is XML or HTML, and WooCommerce itself sends JSON only: look for a "+
			"plugin or code that changes the payload or the format of webhooks (filters woocommerce_webhook_payload "+
			"and woocommerce_webhook_http_args), have it send JSON, and compare the order with the store")
	}
	return affiliate.FieldErrorf("body", "%v; look for a plugin that changes webhook payloads", err)
}

// storeError explains a signed error object ({"code","message","data":{"status"}}): WooCommerce asks its own REST API
// for the order, as the webhook's user, and sends whatever that answers.
func (p *payload) storeError() error {
	code := text(p.code)
	message := text(p.message)
	e := &affiliate.Error{Kind: affiliate.Invalid}
	switch code {
	case "woocommerce_rest_invalid_shop_order_id":
		e.Code = CodeAPIVersion
		e.Message = "the store sent an error instead of the order: the webhook's API version (v1) cannot see orders " +
			"in WooCommerce's own order tables (HPOS); " + apiVersionRemedy
	case "woocommerce_rest_cannot_view":
		e.Code = CodeUserRights
		e.Message = "the store sent an error instead of the order: the user who made the webhook may no longer read " +
			"orders; give that user the role Shop manager or Administrator again, or delete the webhook and make it " +
			"anew"
	case "woocommerce_rest_shop_order_invalid_id":
		e.Code = CodeOrderGone
		e.Message = "the store sent an error instead of the order: the order was deleted for good before the " +
			"store's queue ran; nothing needs to be done unless the order was paid: then compare with the store"
	case "rest_no_route":
		// WooCommerce builds the payload by asking its REST API, whose routes are not there yet while the request of a
		// block checkout is worked on. In its queue they always are.
		e.Code = CodeInRequest
		e.Message = "the store sent an error instead of the order (rest_no_route): it delivers webhooks inside the " +
			"request that changes the order; remove what sets the filter woocommerce_webhook_deliver_async to false " +
			"(a plugin's setting such as \"deliver webhooks synchronously\", or code), so that they run in " +
			"WooCommerce's queue, and compare the order with the store: it is in no such delivery"
	default:
		e.Code = CodeStoreError
		e.Message = fmt.Sprintf(
			"the store sent an error instead of the order: %s (%s); open the webhook in WooCommerce > "+
				"Settings > Advanced > Webhooks, and look for the error in WooCommerce > Status > Logs",
			affiliate.Clip(message, 200), affiliate.Clip(code, 80))
	}
	return e
}

// bare judges a body that has an id and nothing of an order. order.deleted with {"id":N} is sent for moving an order to
// the trash only; deleting it for good sends nothing.
func (p *payload) bare(topic, id string) (affiliate.Parsed, error) {
	switch {
	case p.members > 1: // perhaps a signed customer, whose id is no order's
		return affiliate.Parsed{}, missing("status")
	case topic != "order.deleted":
		return affiliate.Parsed{}, affiliate.FieldErrorf("status",
			"is missing: the body is only the id %s, which says that an order went to the trash, but the topic is %s "+
				"and not order.deleted; nothing was changed: compare with the store",
			id, affiliate.Clip(topic, 80))
	}
	return affiliate.Parsed{Events: []affiliate.Event{{OrderID: id, Deleted: true}}}, nil
}

func (p *payload) order(topic, id string) (affiliate.Parsed, error) {
	status, err := p.rawStatus()
	if err != nil {
		return affiliate.Parsed{}, err
	}
	if isDraft(status) {
		return affiliate.Parsed{Ignored: fmt.Sprintf("order %s is %q: not an order yet", id, status)}, nil
	}
	snapshot, err := p.snapshot(id, status)
	if err != nil {
		return affiliate.Parsed{}, err
	}
	parsed := affiliate.Parsed{Events: []affiliate.Event{{OrderID: id, Snapshot: snapshot}}}
	if snapshot.Parent != "" {
		parsed.Events = append(parsed.Events, affiliate.Event{OrderID: snapshot.Parent, Part: snapshot.AsPart(id)})
	}
	// Also when a late delivery shows the order in the trash again: the body's own status says that it is in the trash.
	if topic == "order.restored" {
		parsed.Events = append(parsed.Events, affiliate.Event{OrderID: id, Restored: true})
	}
	if p.erased() {
		parsed.Events = append(parsed.Events, affiliate.Event{OrderID: id, Redacted: true})
	}
	return parsed, nil
}

func missing(name string) error {
	return affiliate.FieldErrorf(name, "is missing; "+apiVersionRemedy+
		", and look for a plugin that takes fields out of webhook payloads")
}

func wrongType(name string, t jsonwalk.Value, want string) error {
	return affiliate.FieldErrorf(name, "is %s, must be %s; look for a plugin that changes webhook payloads",
		t.Kind(), want)
}
