package woocommerce

import (
	"strings"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
)

// marketplaces are what plugins call themselves that split an order by vendor, in created_via ("dokan",
// "yith_wcmv_vendor_suborder") and in the keys of meta fields ("_dokan_vendor_id", "_wcfmmp_order_item_processed").
var marketplaces = []string{"dokan", "multivendorx", "mvx_", "wcmp_", "vendor_order", "wcfm", "wc-vendors",
	"wcvendors", "wcv_", "wc_vendors", "yith_wcmv", "yith_vendor", "yith-vendor", "_child__commission_id"}

func namesMarketplace(text string) bool {
	text = strings.ToLower(text)
	for _, name := range marketplaces {
		if strings.Contains(text, name) {
			return true
		}
	}
	return false
}

// parentID is the order that this one belongs to; "" for most, which have parent_id 0.
func (p *payload) parentID() string {
	id, err := readID("parent_id", p.parent)
	if err != nil {
		return ""
	}
	return id
}

// splitOff says whether a marketplace plugin split this order off its parent. The rest of a deposit and the renewal of
// a subscription are orders of their own, also in a shop whose rows carry a marketplace plugin's fields.
func (p *payload) splitOff() bool {
	via := strings.ToLower(cleanText(p.createdVia))
	switch {
	case p.parentID() == "":
		return false
	case namesMarketplace(via):
		return true
	}
	return p.marketplace && !p.renewal() && !strings.Contains(via, "deposit")
}

// renewal says whether a subscription made this order. WooCommerce Subscriptions names itself in created_via and copies
// the first order's meta, its attribution included.
func (p *payload) renewal() bool {
	via := strings.ToLower(cleanText(p.createdVia))
	return p.meta.renewal || via == "subscription" || strings.Contains(via, "renewal")
}

func saysRenewal(key string, value jsonwalk.Value) bool {
	said := text(value)
	switch strings.TrimPrefix(key, "_") {
	case "subscription_renewal", "subscription_renewal_early", "is_a_renew", "renewal_order":
		return said != "" && said != "0" && said != "no" && said != "false"
	}
	return false
}
