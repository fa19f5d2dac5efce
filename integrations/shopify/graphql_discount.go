package shopify

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Codes as Shopify has them: a discount (CodeDiscount, of four types) with one code or many. What is read and sent has
// the fields of version 2026-07 of the Admin API; what a live shop answers is in testdata/admin-graphql.

const (
	discountGID   = "gid://shopify/DiscountCodeNode/"
	productGID    = "gid://shopify/Product/"
	collectionGID = "gid://shopify/Collection/"

	mostCode  = 255 // characters, as of a title
	mostTitle = 255
	mostUses  = 1<<31 - 1 // usageLimit is an Int

	askCoupons = `query Coupons($q: String, $first: Int!, $after: String) {
 codeDiscountNodes(first: $first, after: $after, query: $q, sortKey: UPDATED_AT) { ` + pageOf +
		` nodes { ...Discount } }
}
`
	askMoreCodes = `query MoreCodes($id: ID!, $after: String) { codeDiscountNode(id: $id) { ...Discount } }
`
)

var askMoreItems = `query MoreItems($id: ID!, $products: String, $collections: String) {
 codeDiscountNode(id: $id) { id codeDiscount { __typename ... on DiscountCodeBasic { customerGets { items { __typename
  ... on DiscountProducts { products(first: ` + strconv.Itoa(moreCodes) + `, after: $products) ` + idList + ` }
  ... on DiscountCollections { collections(first: ` + strconv.Itoa(moreCodes) + `, after: $collections) ` + idList + ` }
 } } } } }
}`

const idList = `{ ` + pageOf + ` nodes { id } }`

// discountFragment is what is read of a discount: its codes from the first on or after a cursor, and what it is for
// where the app may see that.
func discountFragment(after string, items bool) string {
	rows := strconv.Itoa(codeRows)
	page := `first: ` + rows
	if after != "" {
		page = `first: ` + strconv.Itoa(moreCodes) + `, after: ` + after
	}
	lists := ""
	if items {
		lists = `
   ... on DiscountProducts { products(first: ` + rows + `) ` + idList + ` productVariants(first: 1) { nodes { id } } }
   ... on DiscountCollections { collections(first: ` + rows + `) ` + idList + ` }`
	}
	head := `title status startsAt endsAt createdAt updatedAt appliesOncePerCustomer usageLimit
  combinesWith { orderDiscounts productDiscounts shippingDiscounts }
  codes(` + page + `) { ` + pageOf + ` nodes { code asyncUsageCount } }`
	return `fragment Discount on DiscountCodeNode { id codeDiscount { __typename
 ... on DiscountCodeBasic { ` + head + ` context { __typename }
  customerGets {
   value { __typename ... on DiscountPercentage { percentage }
    ... on DiscountAmount { amount { amount currencyCode } appliesOnEachItem } }
   items { __typename` + lists + ` } }
  minimumRequirement { __typename
   ... on DiscountMinimumSubtotal { greaterThanOrEqualToSubtotal { amount currencyCode } } } }
 ... on DiscountCodeBxgy { ` + head + ` }
 ... on DiscountCodeFreeShipping { ` + head + ` }
 ... on DiscountCodeApp { ` + head + ` }
} }`
}

// discountNode is a DiscountCodeNode.
type discountNode struct {
	ID       string       `json:"id"` // its number, once it was read
	Discount codeDiscount `json:"codeDiscount"`
	several  bool         // it has more codes than are here
}

// codeDiscount is a CodeDiscount of any of its types.
type codeDiscount struct {
	Type            string    `json:"__typename"`
	Title           string    `json:"title"`
	Status          string    `json:"status"` // ACTIVE, EXPIRED, SCHEDULED
	StartsAt        time.Time `json:"startsAt"`
	EndsAt          time.Time `json:"endsAt"`
	CreatedAt       time.Time `json:"createdAt"`
	UpdatedAt       time.Time `json:"updatedAt"`
	OncePerCustomer bool      `json:"appliesOncePerCustomer"`
	UsageLimit      int64     `json:"usageLimit"`
	Combines        struct {
		Order    bool `json:"orderDiscounts"`
		Product  bool `json:"productDiscounts"`
		Shipping bool `json:"shippingDiscounts"`
	} `json:"combinesWith"`
	Codes struct {
		PageInfo pageInfo     `json:"pageInfo"`
		Nodes    []redeemCode `json:"nodes"`
	} `json:"codes"`

	// Of DiscountCodeBasic alone:
	Context struct {
		Type string `json:"__typename"`
	} `json:"context"`
	Gets *struct {
		Value struct {
			Type       string      `json:"__typename"`
			Percentage json.Number `json:"percentage"` // 0.1 is 10 %
			Amount     moneyV2     `json:"amount"`
			EachItem   bool        `json:"appliesOnEachItem"`
		} `json:"value"`
		Items discountItems `json:"items"`
	} `json:"customerGets"`
	Minimum struct {
		Type     string  `json:"__typename"`
		Subtotal moneyV2 `json:"greaterThanOrEqualToSubtotal"`
	} `json:"minimumRequirement"`
}

type redeemCode struct {
	Code string `json:"code"`
	Uses int64  `json:"asyncUsageCount"`
}

type moneyV2 struct {
	Amount   string `json:"amount"` // "5.0"
	Currency string `json:"currencyCode"`
}

// discountItems is what a discount is for: all, or a list of one of the kinds. Lists are nil where they were not read.
type discountItems struct {
	Type        string   `json:"__typename"`
	Products    *gidList `json:"products"`
	Variants    *gidList `json:"productVariants"`
	Collections *gidList `json:"collections"`
}

const (
	allItems        = "AllDiscountItems"
	someProducts    = "DiscountProducts"
	someCollections = "DiscountCollections"
)

type gidList struct {
	PageInfo pageInfo `json:"pageInfo"`
	Nodes    []struct {
		ID string `json:"id"`
	} `json:"nodes"`
}

func (l *gidList) after() any {
	if l == nil {
		return nil
	}
	return l.PageInfo.EndCursor
}

// ids gives the numbers of a list's ids, in ascending order.
func (l *gidList) ids() (ids []string) {
	if l == nil {
		return nil
	}
	for _, n := range l.Nodes {
		ids = append(ids, n.ID[strings.LastIndexByte(n.ID, '/')+1:])
	}
	slices.SortFunc(ids, byNumber)
	return ids
}

func byNumber(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func (d *discountItems) goOn() bool {
	return d != nil && (d.Products != nil && d.Products.PageInfo.HasNextPage ||
		d.Collections != nil && d.Collections.PageInfo.HasNextPage)
}

// add takes in the next page of lists.
func (d *discountItems) add(next *discountItems) {
	for _, l := range []struct{ to, from *gidList }{{d.Products, next.Products}, {d.Collections, next.Collections}} {
		switch {
		case l.to == nil:
		case l.from == nil: // it is for something else by now
			l.to.PageInfo = pageInfo{}
		default:
			l.to.Nodes, l.to.PageInfo = append(l.to.Nodes, l.from.Nodes...), l.from.PageInfo
		}
	}
}

// itemsOf are those of a discount as we have it.
func itemsOf(d affiliate.Discount) discountItems {
	list := func(ids []string) *gidList {
		l := &gidList{}
		for _, id := range ids {
			l.Nodes = append(l.Nodes, struct {
				ID string `json:"id"`
			}{id})
		}
		return l
	}
	switch {
	case len(d.Products) > 0:
		return discountItems{Type: someProducts, Products: list(d.Products)}
	case len(d.Collections) > 0:
		return discountItems{Type: someCollections, Collections: list(d.Collections)}
	}
	return discountItems{Type: allItems}
}

func readDiscount(data json.RawMessage) (*discountNode, error) {
	var n discountNode
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, shapeless(err)
	}
	id, ok := strings.CutPrefix(n.ID, discountGID)
	if !ok {
		return nil, problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify answered a discount without its id. "+
			"Update Tributary.")
	}
	n.ID = id
	return &n, nil
}

func (n *discountNode) items() *discountItems {
	if n.Discount.Gets == nil {
		return nil
	}
	return &n.Discount.Gets.Items
}

// shared says whether the discount has several codes.
func (n *discountNode) shared() bool {
	return n.several || n.Discount.Codes.PageInfo.HasNextPage || len(n.Discount.Codes.Nodes) > 1
}

func (n *discountNode) coupons() (list []affiliate.Coupon) {
	for _, code := range n.Discount.Codes.Nodes {
		list = append(list, n.coupon(code))
	}
	return list
}

// coupon is one of the codes of a discount. That one was deactivated shows in its end alone, as a live shop answers.
func (n *discountNode) coupon(code redeemCode) affiliate.Coupon {
	d := n.Discount
	c := affiliate.Coupon{ID: n.ID, Code: code.Code, Shared: n.shared(), Uses: code.Uses, MadeAt: d.CreatedAt.UTC(),
		ChangedAt: d.UpdatedAt.UTC(), Stopped: d.Status == "EXPIRED" && d.EndsAt.IsZero(),
		Discount: affiliate.Discount{OncePerCustomer: d.OncePerCustomer, UsageLimit: d.UsageLimit,
			Combines: d.Combines.Order || d.Combines.Product || d.Combines.Shipping}}
	c.Title, c.Mark = cutMark(tidy(d.Title, mostTitle))
	if !d.StartsAt.IsZero() {
		c.Discount.StartsAt = d.StartsAt.UTC()
	}
	if !d.EndsAt.IsZero() {
		c.Discount.EndsAt = d.EndsAt.UTC()
	}
	var other []string
	switch d.Type {
	case "DiscountCodeBasic":
		other = n.basic(&c.Discount)
	case "DiscountCodeBxgy":
		other = []string{"buy X get Y"}
	case "DiscountCodeFreeShipping":
		other = []string{"free shipping"}
	case "DiscountCodeApp":
		other = []string{"a discount of another app"}
	default:
		other = []string{"a kind of discount that is new (" + tidy(d.Type, 40) + ")"}
	}
	c.Other = strings.Join(other, ", ")
	return c
}

// basic reads an amount off, and says in words what it has beyond what Discount can say.
func (n *discountNode) basic(to *affiliate.Discount) (other []string) {
	d := n.Discount
	if d.Gets == nil {
		return []string{"a discount without a value"}
	}
	say := func(words string) { other = append(other, words) }
	amount := func(m moneyV2) (minor int64) {
		currency := currencyOf(m.Currency)
		sum, err := money.ParseSum(m.Amount, currency)
		if err != nil || currency == "" {
			say("an amount that cannot be read")
			return 0
		}
		to.Currency = currency
		return sum.Round()
	}
	switch value := d.Gets.Value; value.Type {
	case "DiscountPercentage":
		percent, err := money.ParseScaled(plainDecimal(value.Percentage.String()), 4)
		if err != nil {
			say("a percentage that cannot be read")
		}
		to.Kind, to.Percent = affiliate.DiscountPercent, percent
	case "DiscountAmount":
		to.Kind, to.Amount = affiliate.DiscountFixed, amount(value.Amount)
		if value.EachItem {
			say("the amount off each product")
		}
	default:
		say("off a number of products")
	}
	switch d.Minimum.Type {
	case "":
	case "DiscountMinimumSubtotal":
		to.Minimum = amount(d.Minimum.Subtotal)
	default:
		say("from a number of products on")
	}
	switch d.Context.Type {
	case "DiscountBuyerSelectionAll":
	case "DiscountMarkets":
		say("in some markets only")
	default:
		say("for some customers only")
	}
	items := d.Gets.Items
	to.Products, to.Collections = items.Products.ids(), items.Collections.ids()
	switch {
	case items.Type == allItems:
	case items.Type == someProducts && items.Variants != nil && len(items.Variants.Nodes) > 0:
		say("for some variants of products only")
	case items.Type == someProducts && items.Products == nil:
		say("for some products, which the app may not see (scope read_products)")
	case items.Type == someCollections && items.Collections == nil:
		say("for some collections, which the app may not see (scope read_products)")
	case len(to.Products)+len(to.Collections) == 0:
		say("for no products that are left")
	}
	return other
}

// Marks stand at the end of titles, where people see them and leave them alone: "Anna Keller · Spring [tributary x7]".
var markShape = regexp.MustCompile(`^(.*?) ?\[tributary ([^\[\]]+)\]$`)

// cutMark parts a title from the mark at its end.
func cutMark(title string) (rest, mark string) {
	if m := markShape.FindStringSubmatch(title); m != nil {
		return m[1], m[2]
	}
	return title, ""
}

// titleOf writes the title of a code with its mark. Where both are too long the mark stays whole.
func titleOf(n affiliate.NewCoupon) string {
	title := strings.TrimSpace(tidy(n.Title, mostTitle))
	if n.Mark == "" {
		rest, _ := cutMark(title) // nothing that people write is a mark
		if rest == "" {
			rest = n.Code
		}
		return affiliate.Clip(rest, mostTitle-1)
	}
	mark := "[tributary " + n.Mark + "]"
	if room := mostTitle - 1 - utf8.RuneCountInString(mark); utf8.RuneCountInString(title) > room {
		title = affiliate.Clip(title, room-1)
	}
	return strings.TrimSpace(title + " " + mark)
}

// badCode says what is wrong with a code that no shop can have; empty for others.
func badCode(code string) string {
	switch {
	case strings.TrimSpace(code) == "":
		return "is empty"
	case !utf8.ValidString(code) || strings.ContainsFunc(code, unicode.IsControl):
		return "has signs that cannot be typed"
	case utf8.RuneCountInString(code) > mostCode:
		return "is longer than " + strconv.Itoa(mostCode) + " characters"
	}
	return ""
}

// beforeNow is how long before now a discount begins that is to begin at once, so that a clock of the shop's that is
// behind ours does not schedule it.
const beforeNow = time.Minute

// newInput is the DiscountCodeBasicInput of a new code. What Shopify would refuse the whole request for is refused
// here.
func newInput(n affiliate.NewCoupon, now time.Time) (map[string]any, error) {
	if bad := badCode(n.Code); bad != "" {
		return nil, refusal("The code %s. Choose another one.", bad)
	}
	in, err := discountInput(n.Discount, nil)
	if err != nil {
		return nil, err
	}
	in["code"], in["title"] = n.Code, titleOf(n)
	if n.Discount.StartsAt.IsZero() {
		in["startsAt"] = timeInput(now.Add(-beforeNow))
	}
	return in, nil
}

// discountInput is a DiscountCodeBasicInput with all of a discount. Has are the items of the one that is changed: lists
// are changed by what is added and removed.
func discountInput(d affiliate.Discount, has *discountItems) (map[string]any, error) {
	if d.UsageLimit > mostUses || d.UsageLimit < 0 {
		return nil, refusal("Shopify counts to %d uses only. Choose a lower limit, or none.", mostUses)
	}
	if len(d.Products) > 0 && len(d.Collections) > 0 {
		return nil, refusal("A discount of Shopify is for products or for collections, not for both. Choose one of " +
			"them for this store.")
	}
	for _, id := range slices.Concat(d.Products, d.Collections) {
		if n, err := strconv.ParseInt(id, 10, 64); err != nil || n <= 0 {
			return nil, refusal("%q is no id of a product or a collection, which is a whole number. Choose it anew "+
				"for this store.", affiliate.Clip(id, 20))
		}
	}
	var value map[string]any
	switch d.Kind {
	case affiliate.DiscountPercent:
		value = map[string]any{"percentage": json.Number(money.FormatScaled(d.Percent, 4))}
	case affiliate.DiscountFixed:
		value = map[string]any{"discountAmount": map[string]any{"amount": money.Format(d.Amount, d.Currency),
			"appliesOnEachItem": false}}
	default:
		return nil, refusal("The offer does not say what its codes give. Choose a percentage or an amount.")
	}
	gets := map[string]any{"value": value}
	if items := itemsInput(itemsOf(d), has); items != nil {
		gets["items"] = items
	}
	in := map[string]any{"context": map[string]any{"all": "ALL"}, "customerGets": gets,
		"appliesOncePerCustomer": d.OncePerCustomer, "usageLimit": nil, "endsAt": timeInput(d.EndsAt),
		"combinesWith": map[string]any{"orderDiscounts": d.Combines, "productDiscounts": d.Combines,
			"shippingDiscounts": d.Combines}}
	if d.UsageLimit > 0 {
		in["usageLimit"] = d.UsageLimit
	}
	if !d.StartsAt.IsZero() {
		in["startsAt"] = timeInput(d.StartsAt)
	}
	switch {
	case d.Minimum > 0:
		in["minimumRequirement"] = map[string]any{"subtotal": map[string]any{
			"greaterThanOrEqualToSubtotal": money.Format(d.Minimum, d.Currency)}}
	case has != nil: // which takes a minimum away
		in["minimumRequirement"] = map[string]any{"subtotal": map[string]any{"greaterThanOrEqualToSubtotal": nil},
			"quantity": map[string]any{"greaterThanOrEqualToQuantity": nil}}
	}
	return in, nil
}

// itemsInput is a DiscountItemsInput that makes items of others; nil where they are the same.
func itemsInput(want discountItems, has *discountItems) map[string]any {
	if has == nil {
		has = &discountItems{}
	}
	if want.Type == allItems {
		if has.Type == allItems {
			return nil
		}
		return map[string]any{"all": true}
	}
	in := map[string]any{}
	lists := func(name, add, remove, gid string, want, has []string) {
		part := map[string]any{}
		for word, ids := range map[string][]string{add: without(want, has), remove: without(has, want)} {
			for i := range ids {
				ids[i] = gid + ids[i]
			}
			if len(ids) > 0 {
				part[word] = ids
			}
		}
		if len(part) > 0 {
			in[name] = part
		}
	}
	lists("products", "productsToAdd", "productsToRemove", productGID, want.Products.ids(), has.Products.ids())
	lists("collections", "add", "remove", collectionGID, want.Collections.ids(), has.Collections.ids())
	if len(in) == 0 {
		return nil
	}
	return in
}

// without gives the ids that others do not have.
func without(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(others, id) })
}

func timeInput(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(time.RFC3339)
}

// updates are the mutations that change a discount of each type that we can change.
var updates = map[string]struct{ name, argument, input string }{
	"DiscountCodeBasic": {"discountCodeBasicUpdate", "basicCodeDiscount", "DiscountCodeBasicInput"},
	"DiscountCodeBxgy":  {"discountCodeBxgyUpdate", "bxgyCodeDiscount", "DiscountCodeBxgyInput"},
	"DiscountCodeFreeShipping": {"discountCodeFreeShippingUpdate", "freeShippingCodeDiscount",
		"DiscountCodeFreeShippingInput"},
}

// update gives the call that changes a discount.
func (n *discountNode) update(in map[string]any) (*call, error) {
	u, ok := updates[n.Discount.Type]
	if !ok {
		return nil, refusal("Only the app that made this discount can change when it ends. End it at once, or change " +
			"it in the Shopify admin (Discounts).")
	}
	return &call{field: u.name + "(id: $id, " + u.argument + ": $in)",
		types:  map[string]string{"id": "ID!", "in": u.input + "!"},
		values: map[string]any{"id": discountGID + n.ID, "in": in}}, nil
}

func (n *discountNode) set(mutation string) *call {
	return &call{field: mutation + "(id: $id)", types: map[string]string{"id": "ID!"},
		values: map[string]any{"id": discountGID + n.ID}}
}

// change gives the call that makes a change of a discount as it is now; nil where it is so already.
func (n *discountNode) change(want affiliate.CouponChange) (*call, error) {
	if n == nil || len(n.Discount.Codes.Nodes) == 0 {
		return nil, errCouponGone
	}
	if n.shared() {
		return nil, refusal("Other codes have the same discount in Shopify, and would change with this one. Change " +
			"it in the Shopify admin (Discounts), or make a code of its own.")
	}
	code := n.Discount.Codes.Nodes[0]
	if affiliate.FoldCode(code.Code) != affiliate.FoldCode(want.Coupon.Code) {
		return nil, errCouponGone
	}
	ends, expired := n.Discount.EndsAt, n.Discount.Status == "EXPIRED"
	switch want.Step {
	case affiliate.CouponStop:
		switch {
		case want.Until.IsZero() && expired:
			return nil, nil
		case want.Until.IsZero():
			return n.set("discountCodeDeactivate"), nil
		case !ends.IsZero() && !ends.After(want.Until): // to stop it makes none last longer
			return nil, nil
		}
		return n.update(map[string]any{"endsAt": timeInput(want.Until)})
	case affiliate.CouponStart:
		switch until := want.Discount.EndsAt; {
		case until.IsZero() && expired:
			return n.set("discountCodeActivate"), nil
		case sameTime(until, ends) && !expired:
			return nil, nil
		default:
			return n.update(map[string]any{"endsAt": timeInput(until)})
		}
	}
	if other := n.coupon(code).Other; other != "" {
		return nil, refusal("This discount has more than is known here (%s), which would be lost. Change it in the "+
			"Shopify admin (Discounts).", other)
	}
	in, err := discountInput(want.Discount, n.items())
	if err != nil {
		return nil, err
	}
	return n.update(in)
}

// wanted is what a discount is to be after a change, by what it was and by the answer.
func wanted(change affiliate.CouponChange, was affiliate.Discount, got codeDiscount) affiliate.Discount {
	was.StartsAt = time.Time{} // Shopify may begin a scheduled one when it is activated
	switch {
	case change.Step == affiliate.CouponDiscount:
		return change.Discount
	case change.Step == affiliate.CouponStart:
		was.EndsAt = change.Discount.EndsAt
	case !change.Until.IsZero():
		was.EndsAt = change.Until
	case got.EndsAt.IsZero(): // it was to end
		was.EndsAt = got.UpdatedAt
	default: // now, by the store's clock
		was.EndsAt = got.EndsAt
	}
	return was
}

// became is what a code is after a change, of which the answer does not hold the lists of items. It is an error where
// that is not what was asked for.
func (n *discountNode) became(want affiliate.Discount, items discountItems) affiliate.CouponOutcome {
	if len(n.Discount.Codes.Nodes) == 0 {
		return affiliate.CouponOutcome{Err: errCouponGone}
	}
	if has := n.items(); has != nil && has.Type == items.Type {
		*has = items
	}
	out := affiliate.CouponOutcome{Coupon: n.coupon(n.Discount.Codes.Nodes[0])}
	if what := differs(out.Coupon.Discount, want); what != "" {
		out.Err = refusal("Shopify has made it, but with another %s than was asked for. Set that right in the Shopify "+
			"admin (Discounts).", what)
	}
	return out
}

// differs says in what a discount differs from the one that was asked for; empty where it does not. Shopify keeps
// whole seconds.
func differs(got, want affiliate.Discount) string {
	sorted := func(ids []string) []string { return slices.SortedFunc(slices.Values(ids), byNumber) }
	switch {
	case got.Kind != want.Kind || got.Percent != want.Percent || got.Amount != want.Amount:
		return "value"
	case (want.Amount > 0 || want.Minimum > 0) && got.Currency != want.Currency:
		return "currency"
	case got.Minimum != want.Minimum:
		return "minimum"
	case got.OncePerCustomer != want.OncePerCustomer || got.UsageLimit != want.UsageLimit:
		return "limit of uses"
	case got.Combines != want.Combines:
		return "rule for other discounts"
	case !want.StartsAt.IsZero() && !sameTime(got.StartsAt, want.StartsAt):
		return "beginning"
	case !sameTime(got.EndsAt, want.EndsAt):
		return "end"
	case !slices.Equal(sorted(got.Products), sorted(want.Products)),
		!slices.Equal(sorted(got.Collections), sorted(want.Collections)):
		return "list of products"
	}
	return ""
}

func sameTime(a, b time.Time) bool { return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) }
