package shopify

import (
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Name is the platform's word in addresses and tables.
const Name affiliate.Platform = "shopify"

// Guide is what there is to know of Shopify beside its deliveries.
func (Platform) Guide() *affiliate.Guide { return guide }

const creditScopes = scopeCredit + ", " + scopeAccounts + ", " + scopeGiftCards + " and " + scopeCustomers

const webhooksMenu = "Settings > Notifications > Webhooks"

var guide = &affiliate.Guide{
	Platform:  Name,
	Name:      "Shopify",
	Admin:     "Shopify",
	AdminPath: "/admin",
	OrderPath: "/admin/orders/%s",

	DomainEnd:  ".myshopify.com",
	DomainMenu: "Shopify admin, Settings > Domains",
	ShopHeader: headerShop,

	WebhooksMenu: webhooksMenu,
	SecretLabel:  "Your webhooks will be signed with",
	FirstSecret: "It stands below the list of webhooks. If the list is empty, create the first one: event " +
		"[Order creation], format [JSON], and this URL, which fits every Shopify store:",
	OldSecret: "Shopify may use the old one for up to an hour.",

	Topics: []affiliate.Topic{
		{Name: "orders/create", Label: "Order creation"},
		{Name: "orders/updated", Label: "Order update"},
		{Name: "orders/paid", Label: "Order payment"},
		{Name: "orders/cancelled", Label: "Order cancellation", Occasion: "an order is canceled"},
		{Name: "orders/edited", Label: "Order edit", Occasion: "an order is edited"},
		{Name: "orders/delete", Label: "Order deletion", Occasion: "an order is deleted"},
		{Name: "refunds/create", Label: "Refund create", Occasion: "money goes back"},
		{Name: "order_transactions/create", Label: "Order transaction create",
			Occasion: "a payment or a refund is made; not all shops offer it", Optional: true},
	},
	Steps: []affiliate.Marked{
		"In {admin} open [" + webhooksMenu + "].",
		"Press [Create webhook] once for each event: {topics}. Disputes can be subscribed to by an app only.",
		"In each: Format [JSON]; the newest stable API version; URL {url}. Save. Shopify sends to https addresses " +
			"only (set PUBLIC_URL).",
		"Below the list stands [Your webhooks will be signed with] and the signing secret: it must be the one that " +
			"was given for this store. {other}",
		"Use [Send test notification] or place a test order. {seen}.",
	},
	HTTPSOnly: true,

	Resends:   4 * time.Hour,
	Resending: "Shopify sends again for about four hours only",
	Silence:   "Shopify removes a webhook that has failed for hours: see in its admin whether all are still there.",

	Links: affiliate.LinkGuide{Keeps: keeps, Check: checkLink},
	Coupons: affiliate.CouponGuide{
		Name: "discount code", Menu: "Discounts", Products: "Products", Collections: "Collections",
		MostLength: mostCode, Typed: typed,
		Stop:  "In Discounts open the discount and press Deactivate; the code stays taken. Do not delete it.",
		Start: "In Discounts open the discount, press Activate, and set its end date under Active dates.",
	},

	Access: &affiliate.AccessGuide{
		Address: "Shop address",
		Example: "your-shop.myshopify.com",
		Ways: []affiliate.AccessWay{
			{Kind: affiliate.KeyClient, Label: "App of the Dev Dashboard", Steps: []string{
				"Open the Dev Dashboard (dev.shopify.com) as one of the shop's organization, and create an app.",
				"Under Versions create a version with the scopes read_orders, for orders older than 60 days " +
					"read_all_orders, for chargebacks read_shopify_payments_disputes, to make discount codes " +
					"write_discounts, for codes of some products only read_products, and to pay creators in store " +
					"credit and gift cards " + creditScopes + ". Release it.",
				"Under Home press Install app and choose the shop.",
				"Under Settings copy the client ID and the secret.",
			}, Fields: []affiliate.AccessField{
				{Name: "id", Label: "Client ID", Hint: "32 letters and digits"},
				{Name: "secret", Label: "Secret", Hint: "begins with shpss_"},
			}},
			{Kind: affiliate.KeyToken, Label: "Custom app of the admin", Steps: []string{
				"In the Shopify admin open Settings > Apps and sales channels > Develop apps, and the app. New ones " +
					"are made in the Dev Dashboard since 2026.",
				"Under Configuration it needs the scope read_orders, for orders older than 60 days " +
					"read_all_orders, for chargebacks read_shopify_payments_disputes, to make discount codes " +
					"write_discounts, for codes of some products only read_products, and to pay creators in store " +
					"credit and gift cards " + creditScopes + ".",
				"Under API credentials copy the Admin API access token, which is shown once, and the API secret key.",
			}, Fields: []affiliate.AccessField{
				{Name: "token", Label: "Admin API access token", Hint: "begins with shpat_"},
				{Name: "secret", Label: "API secret key", Hint: "begins with shpss_, or 32 letters and digits"},
			}},
		},
		Needs:       []string{scopeOrders},
		CodeNeeds:   []string{scopeDiscounts},
		CreditNeeds: []string{scopeCredit, scopeAccounts, scopeGiftCards, scopeCustomers},
		Topics: []affiliate.Topic{
			{Name: "disputes/create", Label: "Dispute create", Occasion: "a customer takes a payment back",
				Optional: true},
			{Name: "disputes/update", Label: "Dispute update", Occasion: "a dispute goes on or ends", Optional: true},
			{Name: "app/uninstalled", Label: "App uninstalled", Occasion: "the app is removed from the shop",
				Optional: true},
		},
		Unseen: "Shopify shows us only the webhooks that we make ourselves: those made in its admin under " +
			webhooksMenu + " are not seen, and only their silence tells that they are gone.",
		Keys: "Shopify admin > Settings > Apps and sales channels",
	},
}
