package fakestore

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// rule is what a code of a Shopify shop gives, beside what its discount says: several codes may have one.
type rule struct {
	id       int64
	kind     string // its type in GraphQL: "DiscountCodeBasic"
	eachItem bool   // an amount is off each item
	quantity int64  // of items that are needed
	combines map[string]bool
	context  string // type of who may use it
	variants []string
}

var combinations = []string{"orderDiscounts", "productDiscounts", "shippingDiscounts"}

// discountOf gives the discount of a code; one of its own where somebody made the code by hand.
func (s *Shop) discountOf(c *coupon) *rule {
	if c.rule == nil {
		c.rule = &rule{id: s.nextID(), kind: "DiscountCodeBasic", context: "DiscountBuyerSelectionAll",
			combines: map[string]bool{}}
	}
	return c.rule
}

// codesOf gives all codes of a discount.
func (s *Shop) codesOf(d *rule) (list []*coupon) {
	for _, c := range s.coupons {
		if s.discountOf(c) == d && c.status == inUse {
			list = append(list, c)
		}
	}
	return list
}

// MakeSharedCoupons makes one discount of a percentage, in hundredths of a percent, with several codes in a Shopify
// shop, as apps that give each customer a code do.
func (s *Shop) MakeSharedCoupons(title string, percent int64, codes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.now()
	var d *rule
	for _, code := range codes {
		c := &coupon{id: s.nextID(), code: code, title: title, made: at, updated: at, rule: d,
			discount: affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: percent, StartsAt: at}}
		d = s.discountOf(c)
		s.coupons = append(s.coupons, c)
	}
}

// SetDiscount makes something else of the discount of a code in a Shopify shop, as somebody in the admin would: a type
// of GraphQL, such as DiscountCodeBxgy, or what cannot be made here: an amount off each item, a number of items that is
// needed, a variant that it is for, or customers (DiscountCustomers).
func (s *Shop) SetDiscount(code, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.couponByCode(code)
	d := s.discountOf(c)
	switch what {
	case "each":
		c.discount.Kind, c.discount.Amount, d.eachItem = affiliate.DiscountFixed, 500, true
	case "quantity":
		d.quantity = 3
	case "variant":
		d.variants = []string{"1"}
	case "DiscountCustomers", "DiscountMarkets":
		d.context = what
	default:
		d.kind = what
	}
	c.updated = s.now()
}

// RenameCoupon gives a code another text, in place, as somebody in the admin can.
func (s *Shop) RenameCoupon(code, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.couponByCode(code)
	c.code, c.updated = to, s.now()
}

// DeleteCoupon deletes the discount of a code in a Shopify shop.
func (s *Shop) DeleteCoupon(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleteDiscount(s.discountOf(s.couponByCode(code)))
}

func (s *Shop) deleteDiscount(d *rule) {
	s.coupons = slices.DeleteFunc(s.coupons, func(c *coupon) bool { return s.discountOf(c) == d })
}

// markIn finds the mark in a title that has one: "Anna [tributary abc]".
func markIn(title string) string {
	_, rest, _ := strings.Cut(title, "[tributary ")
	mark, _, ok := strings.Cut(rest, "]")
	if !ok {
		return ""
	}
	return mark
}

func aboutDiscounts(fields []picked) bool {
	return slices.ContainsFunc(fields, func(f picked) bool {
		return strings.HasPrefix(f.name, "codeDiscount") || strings.HasPrefix(f.name, "discountCode")
	})
}

// discountCost is what questions about discounts may cost at most: ten for each mutation, one for each object, and all
// rows of lists, of fragments the dearest. A live shop wanted twenty for one that was made, and said nothing of how.
func (f *shopify) discountCost(kind string, fields []picked, variables map[string]any) float64 {
	var cost func(fields []picked) float64
	cost = func(fields []picked) (sum float64) {
		dearest := 0.0
		for _, one := range fields {
			rows, paged := one.args["first"]
			if name, ok := rows.(variable); ok {
				rows = variables[string(name)]
			}
			n, _ := rows.(float64)
			switch inner := cost(one.sub); {
			case one.on != "":
				dearest = max(dearest, inner)
			case paged:
				sum += 2 + n*(1+inner)
			case one.name == "nodes" || one.name == "pageInfo" || len(one.sub) == 0:
				sum += inner
			default:
				sum += 1 + inner
			}
		}
		return sum + dearest
	}
	sum := cost(fields)
	if kind == "mutation" {
		sum += 10 * float64(len(fields))
	}
	return math.Ceil(sum * cmp.Or(f.Shopify.Dear, 1))
}

// discountNode is a discount in GraphQL.
func (f *shopify) discountNode(d *rule) record {
	list := f.codesOf(d)
	c := list[0]
	codes := connection{}
	uses := int64(0)
	for _, one := range list {
		n := f.uses(one.code)
		uses += n
		codes.rows = append(codes.rows, record{"__typename": "DiscountRedeemCode", "code": one.code,
			"id": "gid://shopify/DiscountRedeemCode/" + formatID(one.id), "asyncUsageCount": n})
	}
	status := "ACTIVE"
	switch now := f.now(); {
	case !c.discount.EndsAt.IsZero() && !now.Before(c.discount.EndsAt):
		status = "EXPIRED"
	case c.discount.StartsAt.After(now):
		status = "SCHEDULED"
	}
	combines := record{"__typename": "DiscountCombinesWith"}
	for _, name := range combinations {
		combines[name] = d.combines[name]
	}
	var limit any
	if c.discount.UsageLimit > 0 {
		limit = c.discount.UsageLimit
	}
	code := record{"__typename": d.kind, "title": cmp.Or(c.title, c.code), "status": status,
		"startsAt": f.time(c.discount.StartsAt), "endsAt": f.time(c.discount.EndsAt), "createdAt": f.time(c.made),
		"updatedAt": f.time(c.updated), "appliesOncePerCustomer": c.discount.OncePerCustomer, "usageLimit": limit,
		"asyncUsageCount": uses, "combinesWith": combines, "codes": codes}
	if d.kind == "DiscountCodeBasic" {
		value := record{"__typename": "DiscountPercentage", "percentage": float64(c.discount.Percent) / 10000}
		if c.discount.Kind == affiliate.DiscountFixed {
			value = record{"__typename": "DiscountAmount", "amount": f.bag(c.discount.Amount)["shopMoney"],
				"appliesOnEachItem": d.eachItem}
		}
		code["context"] = record{"__typename": d.context}
		code["customerGets"] = record{"__typename": "DiscountCustomerGets", "value": value, "items": f.items(c, d)}
		code["minimumRequirement"] = nil
		if c.discount.Minimum > 0 {
			code["minimumRequirement"] = record{"__typename": "DiscountMinimumSubtotal",
				"greaterThanOrEqualToSubtotal": f.bag(c.discount.Minimum)["shopMoney"]}
		}
		if d.quantity > 0 {
			code["minimumRequirement"] = record{"__typename": "DiscountMinimumQuantity",
				"greaterThanOrEqualToQuantity": fmt.Sprint(d.quantity)}
		}
	}
	return record{"__typename": "DiscountCodeNode", "id": "gid://shopify/DiscountCodeNode/" + formatID(d.id),
		"codeDiscount": code}
}

// items are what a discount is for. Which products those are, only an app sees that may read them.
func (f *shopify) items(c *coupon, d *rule) record {
	list := func(name, kind string, ids []string) any {
		found := connection{}
		for _, id := range ids {
			found.rows = append(found.rows, record{"__typename": kind, "id": "gid://shopify/" + kind + "/" + id})
		}
		return resolver(func(map[string]any) (any, error) {
			if !f.may("read_products") {
				return nil, denied{"read_products", []any{"", "codeDiscount", "customerGets", "items", name}}
			}
			return found, nil
		})
	}
	switch {
	case len(c.discount.Collections) > 0:
		return record{"__typename": "DiscountCollections",
			"collections": list("collections", "Collection", c.discount.Collections)}
	case len(c.discount.Products)+len(d.variants) > 0:
		return record{"__typename": "DiscountProducts", "products": list("products", "Product", c.discount.Products),
			"productVariants": list("productVariants", "ProductVariant", d.variants)}
	}
	return record{"__typename": "AllDiscountItems", "allItems": true}
}

// discountByID finds a discount by its global id.
func (f *shopify) discountByID(id any) *rule {
	n := number(id, "DiscountCodeNode")
	for _, c := range f.coupons {
		if d := f.discountOf(c); d.id == n && c.status == inUse {
			return d
		}
	}
	return nil
}

func (f *shopify) oneDiscount(args map[string]any) (any, error) {
	if d := f.discountByID(args["id"]); d != nil {
		return f.discountNode(d), nil
	}
	return nil, nil
}

func (f *shopify) discountByCode(args map[string]any) (any, error) {
	code, ok := args["code"].(string)
	if !ok {
		return nil, refused("Variable $code of type String! was provided invalid value")
	}
	if c := f.couponByCode(code); c != nil {
		return f.discountNode(f.discountOf(c)), nil
	}
	return nil, nil
}

// findDiscounts gives a page. Its cursor is the last discount's time and id.
func (f *shopify) findDiscounts(args map[string]any) (any, error) {
	from := time.Time{}
	if q, ok := args["query"].(string); ok {
		field, since, _, err := span(q)
		if err != nil || field != "updated_at" {
			return nil, fmt.Errorf("fakestore: discounts searched by %q", q)
		}
		from = since
	}
	if args["sortKey"] != "UPDATED_AT" {
		return nil, fmt.Errorf("fakestore: discounts are sorted by %v", args["sortKey"])
	}
	var after, afterID int64
	if text, ok := args["after"].(string); ok {
		if _, err := fmt.Sscanf(text, "%d-%d", &after, &afterID); err != nil {
			return nil, fmt.Errorf("fakestore: no cursor: %q", text)
		}
	}
	var list []*coupon // one of each discount
	seen := map[*rule]bool{}
	for _, c := range f.coupons {
		d := f.discountOf(c)
		if c.status != inUse {
			continue
		}
		if at := c.updated.Unix(); !seen[d] && at >= from.Unix() && (at > after || at == after && d.id > afterID) {
			list = append(list, c)
		}
		seen[d] = true
	}
	slices.SortFunc(list, func(a, b *coupon) int {
		return cmp.Or(cmp.Compare(a.updated.Unix(), b.updated.Unix()), cmp.Compare(a.rule.id, b.rule.id))
	})
	first, _ := args["first"].(float64)
	c := connection{done: true, more: len(list) > int(first)}
	for _, one := range list[:min(int(first), len(list))] {
		c.rows = append(c.rows, f.discountNode(one.rule))
		c.end = fmt.Sprintf("%d-%d", one.updated.Unix(), one.rule.id)
	}
	return c, nil
}

// discountMutations adds those about discounts.
func (f *shopify) discountMutations(root record) record {
	change := func(do func(list []*coupon)) resolver {
		return func(args map[string]any) (any, error) {
			d := f.discountByID(args["id"])
			if d == nil {
				return payloadOf(nil, "INVALID", "Discount does not exist", "id"), nil
			}
			do(f.codesOf(d))
			return payloadOf(f.discountNode(d), "", ""), nil
		}
	}
	root["discountCodeBasicCreate"] = resolver(f.createDiscount)
	root["discountCodeActivate"] = change(func(list []*coupon) {
		for _, c := range list {
			c.discount.EndsAt, c.updated = time.Time{}, f.now()
		}
	})
	root["discountCodeDeactivate"] = change(func(list []*coupon) {
		for _, c := range list {
			c.discount.EndsAt, c.updated = f.now(), f.now()
		}
	})
	root["discountCodeDelete"] = resolver(func(args map[string]any) (any, error) {
		out := payloadOf(nil, "", "")
		out["deletedCodeDiscountId"] = args["id"]
		if d := f.discountByID(args["id"]); d != nil {
			f.deleteDiscount(d)
			return out, nil
		}
		return payloadOf(nil, "INVALID", "Discount does not exist", "id"), nil
	})
	for kind, argument := range map[string]string{"Basic": "basicCodeDiscount", "Bxgy": "bxgyCodeDiscount",
		"FreeShipping": "freeShippingCodeDiscount"} {
		root["discountCode"+kind+"Update"] = resolver(func(args map[string]any) (any, error) {
			d := f.discountByID(args["id"])
			if d == nil || d.kind != "DiscountCode"+kind {
				return payloadOf(nil, "INVALID", "Discount does not exist", "id"), nil
			}
			return f.setDiscount(argument, args[argument], f.codesOf(d), false)
		})
	}
	return root
}

// payloadOf is the answer to a mutation of a discount.
func payloadOf(node any, code, message string, field ...any) record {
	out := record{"__typename": "DiscountCodePayload", "codeDiscountNode": node, "userErrors": []any{},
		"deletedCodeDiscountId": nil}
	if code != "" {
		out["userErrors"] = []any{record{"__typename": "DiscountUserError", "field": field, "message": message,
			"code": code, "extraInfo": nil}}
	}
	return out
}

func (f *shopify) createDiscount(args map[string]any) (any, error) {
	c := &coupon{id: f.nextID(), made: f.now()}
	f.discountOf(c)
	return f.setDiscount("basicCodeDiscount", args["basicCodeDiscount"], []*coupon{c}, true)
}

// discountFields are those of DiscountCodeBasicInput that are known here.
var discountFields = []string{"title", "code", "startsAt", "endsAt", "context", "customerGets", "usageLimit",
	"appliesOncePerCustomer", "minimumRequirement", "combinesWith"}

// setDiscount changes what an input names, or nothing of it where that has a fault.
func (f *shopify) setDiscount(argument string, given any, list []*coupon, isNew bool) (any, error) {
	in, _ := given.(map[string]any)
	for name := range in {
		if !slices.Contains(discountFields, name) {
			return nil, refused("Variable $in of type DiscountCodeBasicInput! was provided invalid value for " + name)
		}
	}
	c, d := *list[0], *list[0].rule
	code, message, field := f.fill(&c, &d, in, isNew)
	if code != "" {
		return payloadOf(nil, code, message, argument, field), nil
	}
	at := f.now()
	*list[0].rule = d
	for _, one := range list {
		one.title, one.mark, one.discount, one.updated = c.title, markIn(c.title), c.discount, at
	}
	list[0].code = c.code
	if isNew {
		f.coupons = append(f.coupons, list[0])
	}
	return payloadOf(f.discountNode(list[0].rule), "", ""), nil
}

// fill takes an input in, and says what is wrong with it as the recorded shop does.
func (f *shopify) fill(c *coupon, d *rule, in map[string]any, isNew bool) (code, message, field string) {
	for _, name := range []string{"title", "code", "startsAt", "context", "customerGets"} {
		v, given := in[name]
		if isNew && v == nil || given && v == "" {
			return "BLANK", name + " can't be blank", name
		}
		if text, _ := v.(string); utf8.RuneCountInString(text) > 255 {
			return "TOO_LONG", name + " is too long (maximum is 255 characters)", name
		}
	}
	if text, ok := in["code"].(string); ok {
		if other := f.couponByCode(text); other != nil && other.id != c.id {
			return "TAKEN", "Code must be unique. Please try a different code.", "code"
		}
		c.code = text
	}
	if text, ok := in["title"].(string); ok {
		c.title = text
	}
	for name, to := range map[string]*time.Time{"startsAt": &c.discount.StartsAt, "endsAt": &c.discount.EndsAt} {
		v, given := in[name]
		text, _ := v.(string)
		if at, err := time.Parse(time.RFC3339, text); given && err == nil {
			*to = at.UTC().Truncate(time.Second)
		} else if given {
			*to = time.Time{}
		}
	}
	if !c.discount.EndsAt.IsZero() && !c.discount.EndsAt.After(c.discount.StartsAt) {
		return "END_DATE_BEFORE_START_DATE", "Ends at needs to be after starts_at", "endsAt"
	}
	if v, given := in["usageLimit"]; given {
		n, _ := v.(float64)
		c.discount.UsageLimit = int64(n)
	}
	if once, ok := in["appliesOncePerCustomer"].(bool); ok {
		c.discount.OncePerCustomer = once
	}
	if with, ok := in["combinesWith"].(map[string]any); ok {
		d.combines = map[string]bool{}
		for _, name := range combinations {
			d.combines[name] = with[name] == true
		}
		c.discount.Combines = d.combines["orderDiscounts"]
	}
	if v, ok := in["minimumRequirement"].(map[string]any); ok {
		subtotal, _ := v["subtotal"].(map[string]any)
		text, _ := subtotal["greaterThanOrEqualToSubtotal"].(string)
		c.discount.Minimum, _ = money.Parse(text, f.Currency) // null is none
		d.quantity = 0
	}
	gets, _ := in["customerGets"].(map[string]any)
	value, _ := gets["value"].(map[string]any)
	if share, ok := value["percentage"].(float64); ok {
		if share <= 0 || share > 1 {
			return "VALUE_OUTSIDE_RANGE", "Value must be between 0.0 and 1.0", "percentage"
		}
		c.discount.Kind, c.discount.Amount = affiliate.DiscountPercent, 0
		c.discount.Percent = int64(math.Round(share * 10000))
	}
	if fixed, ok := value["discountAmount"].(map[string]any); ok {
		text, _ := fixed["amount"].(string)
		n, err := money.Parse(text, f.Currency)
		if err != nil || n <= 0 {
			return "VALUE_OUTSIDE_RANGE", "Value must be greater than 0", "amount"
		}
		c.discount.Kind, c.discount.Percent, c.discount.Amount = affiliate.DiscountFixed, 0, n
		d.eachItem = fixed["appliesOnEachItem"] == true
	}
	items, _ := gets["items"].(map[string]any)
	if items["all"] == true {
		c.discount.Products, d.variants, c.discount.Collections = nil, nil, nil
	}
	products, _ := items["products"].(map[string]any)
	c.discount.Products = edited(c.discount.Products, products["productsToAdd"], products["productsToRemove"],
		"Product")
	collections, _ := items["collections"].(map[string]any)
	c.discount.Collections = edited(c.discount.Collections, collections["add"], collections["remove"],
		"Collection")
	if len(c.discount.Products) > 0 && len(c.discount.Collections) > 0 {
		return "CONFLICT", "Cannot entitle collections in combination with product variants or products", "items"
	}
	return "", "", ""
}

// edited is a list of ids with some added and some removed.
func edited(ids []string, add, remove any, kind string) []string {
	ids = slices.Clone(ids)
	added, _ := add.([]any)
	for _, id := range added {
		if text := formatID(number(id, kind)); !slices.Contains(ids, text) {
			ids = append(ids, text)
		}
	}
	removed, _ := remove.([]any)
	ids = slices.DeleteFunc(ids, func(id string) bool {
		return slices.ContainsFunc(removed, func(gone any) bool { return formatID(number(gone, kind)) == id })
	})
	if len(ids) == 0 {
		return nil
	}
	return ids
}

// Discount is a code of a Shopify shop as it stands there.
func (s *Shop) Discount(code string) (title, status string, gives affiliate.Discount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.couponByCode(code)
	if c == nil {
		return "", "", affiliate.Discount{}
	}
	d := s.discountOf(c)
	node := s.face.(*shopify).discountNode(d)["codeDiscount"].(record)
	gives = c.discount
	if gives.Amount > 0 || gives.Minimum > 0 {
		gives.Currency = s.Currency
	}
	return c.title, node["status"].(string), gives
}
