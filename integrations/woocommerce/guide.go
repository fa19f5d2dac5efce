package woocommerce

import "github.com/tributaryhq/tributary/internal/affiliate"

// Name is the platform's word in addresses and tables.
const Name affiliate.Platform = "woocommerce"

// Guide is what there is to know of WooCommerce beside its deliveries.
func (Platform) Guide() *affiliate.Guide { return guide }

const webhooksMenu = "WooCommerce > Settings > Advanced > Webhooks"

var guide = &affiliate.Guide{
	Platform: Name,
	Name:     "WooCommerce",
	Admin:    "WordPress",
	// Stores that keep orders in tables of their own lead on from there to the page that they have instead.
	OrderPath:    "/wp-admin/post.php?post=%s&action=edit",
	WebhooksMenu: webhooksMenu,

	Topics: []affiliate.Topic{
		{Name: "order.created", Label: "Order created"},
		{Name: "order.updated", Label: "Order updated"},
		{Name: "order.deleted", Label: "Order deleted", Occasion: "an order goes to the trash"},
		{Name: "order.restored", Label: "Order restored", Occasion: "an order comes back from the trash"},
	},
	Steps: []affiliate.Marked{
		"In {admin}, signed in as an administrator who will stay one (WooCommerce reads orders with the rights of " +
			"whoever makes the webhook), open [" + webhooksMenu + "].",
		"Press [Add webhook] once for each topic: {topics}.",
		"In each: Status [Active]; Secret: {secret}; API version [WP REST API Integration v3]; Delivery URL {url}. " +
			"Save. That sends a ping, which is answered.",
		"WordPress sends to ports 80, 443 and 8080 only, never to private or loopback addresses, and checks the TLS " +
			"certificate: the Delivery URL must be reachable from the Internet (set PUBLIC_URL).",
		"Place a test order. {seen}; WooCommerce's own log is at [WooCommerce > Status > Logs], webhooks-delivery.",
	},
	Ports: []string{"80", "443", "8080"},

	Resending: "WooCommerce does not send again what it could not deliver",
	Silence: "WooCommerce disables a webhook after some failures, and its queue may stand still: see whether each is " +
		"still Active, and look into WooCommerce → Status → Scheduled Actions.",

	Parents: true,
	// src/Enums/OrderStatus.php
	Statuses: []string{"pending", "on-hold", "processing", "completed", "cancelled", "refunded", "failed", "trash",
		"checkout-draft", "auto-draft", "draft", "new"},
	StatusPrefix: "wc-", // in the database, not in payloads

	Links: affiliate.LinkGuide{
		NeedsUTM: "a WooCommerce store keeps the page where the visit began, so whoever has looked at the shop " +
			"before orders without a trace of the link.",
		Keeps: keeps,
	},
	Access: access,
}

// keeps gives what the order attribution writes on an order.
func keeps(address string, _ affiliate.Link) []affiliate.KeptEvidence {
	kept := []affiliate.KeptEvidence{{Platform: Name, Field: "_wc_order_attribution_session_entry", Value: address}}
	for name, content := range affiliate.LandingParameters(address) {
		if name == "utm_content" && content != "" {
			return append(kept, affiliate.KeptEvidence{Platform: Name, Field: "_wc_order_attribution_utm_content",
				Value: content})
		}
	}
	return kept
}
