package woocommerce

import (
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

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
	Coupons: affiliate.CouponGuide{
		Name:        "coupon",
		Menu:        couponsMenu,
		Products:    "Products",
		Collections: "Product categories",
		// MostLength is none: a code is the title of a post, which has 65535 bytes.
		Typed: typed,
		Stop: "Open the coupon in " + couponsMenu + ", set its Coupon expiry date to today or an earlier day, and " +
			"press Update: it ends at 00:00 of that day, and its code stays taken.",
		Start: "Open the coupon in " + couponsMenu + ", empty its Coupon expiry date, or set the day after the last " +
			"one that it is to work on, and press Update. If it is in the trash, restore it first; if it is a draft, " +
			"press Publish.",
	},
	Access: access,
}

// typed gives what is typed into the form of a new coupon, in its order, where that differs from an empty form
// (includes/admin/meta-boxes/class-wc-meta-box-coupon-data.php). Days and times are those of the given times' own zone,
// which is to be the store's. The form has days only, and a coupon ends as its day begins: another time of day becomes
// the next day.
func typed(n affiliate.NewCoupon) []affiliate.TypedField {
	d, fields := n.Discount, []affiliate.TypedField{{Label: "Coupon code", Value: n.Code, Copy: n.Code}}
	add := func(is bool, label, value, copied string) {
		if is {
			fields = append(fields, affiliate.TypedField{Label: label, Value: value, Copy: copied})
		}
	}
	number := func(is bool, label, value string) { add(is, label, money.Marked(value), value) }
	amount := func(minor int64) string { return shortest(minor, d.Currency.Digits()) }
	add(n.Title != "", "Description", n.Title, n.Title)
	add(d.Kind == affiliate.DiscountPercent, "Discount type", "Percentage discount", "")
	number(d.Kind == affiliate.DiscountPercent, "Coupon amount", shortest(d.Percent, 2))
	number(d.Kind == affiliate.DiscountFixed, "Coupon amount", amount(d.Amount))
	if !d.EndsAt.IsZero() {
		end := d.EndsAt
		if hour, minute, second := end.Clock(); hour+minute+second+end.Nanosecond() > 0 {
			end = end.AddDate(0, 0, 1)
		}
		day := end.Format(time.DateOnly)
		add(true, "Coupon expiry date", day, day)
	}
	number(d.Minimum > 0, "Usage restriction > Minimum spend", amount(d.Minimum))
	add(!d.Combines, "Usage restriction > Individual use only", "checked", "")
	add(len(d.Products) > 0, "Usage restriction > Products", "with the ids "+strings.Join(d.Products, ", "), "")
	add(len(d.Collections) > 0, "Usage restriction > Product categories",
		"with the ids "+strings.Join(d.Collections, ", "), "")
	number(d.UsageLimit > 0, "Usage limits > Usage limit per coupon", strconv.FormatInt(d.UsageLimit, 10))
	number(d.OncePerCustomer, "Usage limits > Usage limit per user", "1")
	add(!d.StartsAt.IsZero(), "Publish on", d.StartsAt.Format("2006-01-02 15:04"), "")
	return fields
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
