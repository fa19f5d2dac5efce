package shopify

import (
	"strings"
)

// The fields of an order that are read, of type Order in version 2026-07 of the Admin API. They are those that
// graphql_order.go reads, and what pages of their lists need.
const (
	shopMoneyOnly = `{ shopMoney { amount } }`
	bothMoneys    = `{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }`
	pageOf        = `pageInfo { hasNextPage endCursor }`

	orderFields = `id name createdAt processedAt updatedAt cancelledAt test currencyCode taxesIncluded sourceName tags
 displayFinancialStatus discountCodes customAttributes { key value }
 totalPriceSet ` + shopMoneyOnly + ` subtotalPriceSet ` + shopMoneyOnly + ` totalDiscountsSet ` + shopMoneyOnly + `
 currentTotalPriceSet ` + shopMoneyOnly + ` currentSubtotalPriceSet ` + shopMoneyOnly + `
 totalOutstandingSet ` + shopMoneyOnly + ` totalTipReceivedSet ` + shopMoneyOnly + `
`
	lineFields = `id sku quantity currentQuantity isGiftCard originalUnitPriceSet ` + shopMoneyOnly + `
 discountAllocations { allocatedAmountSet ` + shopMoneyOnly + ` } taxLines { priceSet ` + shopMoneyOnly + ` }`
	applicationFields = `__typename targetType ... on DiscountCodeApplication { code }`
	refundHead        = `id createdAt totalRefundedSet ` + shopMoneyOnly
)

// optionalFields of an order need rights beyond that to read orders, or are of protected customer data. Without them an
// order is still worth reading.
var optionalFields = []struct{ name, text string }{
	{"email", "email"},
	{"billingAddress", "billingAddress { countryCodeV2 }"},
	{"shippingAddress", "shippingAddress { countryCodeV2 }"},
	{"disputes", "disputes { id initiatedAs status }"},
	{"customerJourneySummary", `customerJourneySummary { ready
  firstVisit { landingPage referralCode utmParameters { content } }
  lastVisit { landingPage referralCode utmParameters { content } } }`},
}

// connection is one of the lists of an order or a refund that come in pages.
type connection struct{ name, fields string }

var (
	orderLists  = []connection{{"discountApplications", applicationFields}, {"lineItems", lineFields}}
	refundLists = []connection{
		{"refundLineItems", `quantity subtotalSet ` + bothMoneys + ` totalTaxSet ` + bothMoneys + ` lineItem { id }`},
		{"orderAdjustments", `reason amountSet ` + bothMoneys + ` taxAmountSet ` + bothMoneys},
		{"refundShippingLines", `subtotalAmountSet ` + bothMoneys + ` taxAmountSet ` + bothMoneys},
		{"transactions", `id kind status createdAt processedAt amountSet ` + bothMoneys},
	}
)

// first writes lists with their first page, of as many rows as the variable says.
func first(lists []connection) string {
	var b strings.Builder
	for _, l := range lists {
		b.WriteString(" " + l.name + "(first: $rows) { " + pageOf + " nodes { " + l.fields + " } }\n")
	}
	return b.String()
}

// refundsAtOnce is how many refunds of an order are read with it. More are looked for only then.
const refundsAtOnce = 5

// node writes all fields of an order, but for those that are hidden.
func node(hidden map[string]bool) string {
	return orderFields + visible(hidden) + "\n" + first(orderLists) +
		" refunds(first: $refunds) { " + refundHead + "\n" + first(refundLists) + " }"
}

func visible(hidden map[string]bool) string {
	var b strings.Builder
	for _, f := range optionalFields {
		if !hidden[f.name] {
			b.WriteString(" " + f.text)
		}
	}
	return b.String()
}

func changedOrders(node string) string {
	return `query Orders($q: String!, $first: Int!, $after: String, $by: OrderSortKeys!, $rows: Int!, $refunds: Int!) {
 orders(first: $first, after: $after, sortKey: $by, query: $q) { ` + pageOf + ` nodes { ` + node + ` } }
}`
}

func ordersByID(node string) string {
	return `query OrdersByID($ids: [ID!]!, $rows: Int!, $refunds: Int!) {
 nodes(ids: $ids) { ... on Order { ` + node + ` } }
}`
}

// moreRows asks for the next page of one list of an order or a refund.
func moreRows(of string, l connection) string {
	return `query MoreRows($id: ID!, $rows: Int!, $after: String) {
 ` + of + `(id: $id) { ` + l.name + `(first: $rows, after: $after) { ` + pageOf + ` nodes { ` + l.fields + ` } } }
}`
}

var (
	allRefunds = `query AllRefunds($id: ID!) { order(id: $id) { refunds { ` + refundHead + ` } } }`
	oneRefund  = `query OneRefund($id: ID!, $rows: Int!) {
 refund(id: $id) { ` + refundHead + "\n" + first(refundLists) + ` }
}`
)

const countOrders = `query CountOrders($q: String!) { ordersCount(query: $q, limit: null) { count precision } }`

// bulkOrders is the query of a bulk operation: lists as edges alone, no list within a list of refunds, which are
// therefore told by their sums.
func bulkOrders(q string, hidden map[string]bool) string {
	var lists strings.Builder
	for _, l := range orderLists {
		fields := l.fields
		lists.WriteString(" " + l.name + " { edges { node { " + fields + " } } }\n")
	}
	return `{ orders(query: ` + quoted(q) + `) { edges { node { ` + orderFields + visible(hidden) + "\n" +
		lists.String() + ` refunds { ` + refundHead + ` } } } } }`
}

const (
	startBulk = `mutation StartExport($query: String!) {
 bulkOperationRunQuery(query: $query, groupObjects: true) {
  bulkOperation { id status } userErrors { field message code }
 }
}`
	bulkState = `query ExportState($id: ID!) {
 bulkOperation(id: $id) { id status errorCode objectCount url partialDataUrl }
}`
)
