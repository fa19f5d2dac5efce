package shopify

import "strings"

// renewal says whether a subscription made this order, rather than its customer in the shop. Shopify's own
// subscriptions say so in source_name ("subscription_contract"; the first order says
// "subscription_contract_checkout_one"), the apps in tags ("Subscription Recurring Order" of Recharge,
// "appstle_subscription_recurring_order") or by the contract's id in a field or an attribute. The first order of a
// subscription is a sale like any other.
func (b *body) renewal(v *values) bool {
	source := strings.ToLower(v.word("source_name", b.sourceName, 100))
	var recurring, subscription bool
	for _, list := range b.tags {
		if !list.IsText() {
			continue
		}
		for tag := range strings.SplitSeq(list.Text(), ",") {
			tag = strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(strings.TrimSpace(tag)))
			if strings.Contains(tag, "first") && (strings.Contains(tag, "subscription") ||
				strings.Contains(tag, "order")) {
				return false
			}
			about := strings.Contains(tag, "subscription")
			subscription = subscription || about
			about = about || strings.Contains(tag, "order") || strings.Contains(tag, "charge")
			recurring = recurring || about && (strings.Contains(tag, "recurring") || strings.Contains(tag, "renewal"))
		}
	}
	bought := source == "web" || source == "pos" || strings.Contains(source, "checkout")
	switch {
	case recurring, source == "subscription_contract", strings.Contains(source, "recurring"),
		strings.Contains(source, "renewal"):
		return true
	case bought:
		return false
	}
	return b.hasContract() || subscription && (isNumber(source) || strings.Contains(source, "subscription"))
}

// hasContract says whether a field or an attribute holds the id of a subscription's contract.
func (b *body) hasContract() bool {
	if !b.contractID.Absent() {
		return true
	}
	for _, a := range b.attributes {
		if !a.name.IsText() || a.value.Absent() || a.value.Content() == "" {
			continue
		}
		name := strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(a.name.Text()))
		if strings.Contains(name, "contractid") || name == "subscriptioncontract" {
			return true
		}
	}
	return false
}

// isNumber says whether a source is the id of an app.
func isNumber(source string) bool {
	return source != "" && strings.Trim(source, "0123456789") == ""
}
