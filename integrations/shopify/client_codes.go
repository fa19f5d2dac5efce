package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Bounds of what is asked about codes at once. A mutation costs ten points and what is read of one discount ten more
// (recorded); lists within it cost more, by a formula that is not published. The client asks for less when it is told.
const (
	couponsAtOnce = 20
	mostDiscounts = 25
	codeRows      = 10  // codes, products and collections that come with each discount
	moreCodes     = 100 // of one discount alone
)

// CouponsAtOnce is how many codes are looked for, made or changed in one call.
func (c *Client) CouponsAtOnce() int { return couponsAtOnce }

// call is one field of an operation that has many, such as "discountCodeActivate(id: $id)", with its own variables.
type call struct {
	field     string
	selection string
	types     map[string]string // of its variables: "id" is "ID!"
	values    map[string]any
}

// together writes one operation of many calls. Their answers have the names c0, c1, and so on.
func together(kind, name string, calls []call) (text string, variables map[string]any) {
	var heads []string
	var fields strings.Builder
	variables = map[string]any{}
	for i, one := range calls {
		n, field := strconv.Itoa(i), one.field
		for _, v := range slices.Sorted(maps.Keys(one.types)) {
			heads = append(heads, "$"+v+n+": "+one.types[v])
			field = strings.ReplaceAll(field, "$"+v, "$"+v+n)
			variables[v+n] = one.values[v]
		}
		fields.WriteString(" c" + n + ": " + field + " { " + one.selection + " }\n")
	}
	return kind + " " + name + "(" + strings.Join(heads, ", ") + ") {\n" + fields.String() + "}\n", variables
}

// hiddenItems is the word in Client.hidden for what discounts are for: to see products the app needs read_products.
const hiddenItems = "discount items"

// each asks for many things at once, in as few operations as their cost allows, and gives an answer for each call. The
// fragment Discount is there for their selections.
func (c *Client) each(ctx context.Context, kind, name string, calls []call) (answers []json.RawMessage, err error) {
	for len(calls) > 0 {
		c.mu.Lock()
		n, hidden := min(len(calls), c.calls), c.hidden[hiddenItems]
		c.mu.Unlock()
		text, variables := together(kind, name, calls[:n])
		changes := kind == "mutation"
		var data map[string]json.RawMessage
		a, err := c.ask(ctx, operation{name: name, text: text + discountFragment("", !hidden && !changes),
			changes: changes}, variables, &data, true)
		if errors.Is(err, errTooCostly) && n > 1 { // which is said before anything runs
			c.mu.Lock()
			c.calls = min(c.calls, (n+1)/2)
			c.mu.Unlock()
			continue
		}
		if err != nil {
			return nil, err
		}
		if again, err := c.hideItems(a); err != nil {
			return nil, err
		} else if again {
			continue
		}
		for i := range n {
			one := data["c"+strconv.Itoa(i)]
			if one == nil {
				return nil, problem(affiliate.Unavailable, affiliate.StoreAnswer, "Shopify answered less than it was "+
					"asked. It is asked again later.")
			}
			answers = append(answers, one)
		}
		calls = calls[n:]
	}
	return answers, nil
}

// hideItems leaves out what discounts are for where an answer says that the app may not see it, and says whether to ask
// again.
func (c *Client) hideItems(a answer) (again bool, err error) {
	for _, e := range a.errors {
		if !slices.ContainsFunc([]string{"products", "productVariants", "collections"}, func(name string) bool {
			return slices.Contains(e.Path, any(name))
		}) {
			return false, c.denied(e)
		}
		c.mu.Lock()
		c.hidden[hiddenItems] = true
		c.mu.Unlock()
		again = true
	}
	return again, nil
}

// discountsByID reads discounts as they are now; nil for those that are gone.
func (c *Client) discountsByID(ctx context.Context, ids []string) ([]*discountNode, error) {
	calls := make([]call, len(ids))
	for i, id := range ids {
		calls[i] = call{field: "codeDiscountNode(id: $id)", selection: "...Discount",
			types: map[string]string{"id": "ID!"}, values: map[string]any{"id": discountGID + id}}
	}
	return c.discounts(ctx, "CouponsByID", calls)
}

// discounts asks for many discounts, and completes what they are for.
func (c *Client) discounts(ctx context.Context, name string, calls []call) (list []*discountNode, err error) {
	answers, err := c.each(ctx, "query", name, calls)
	if err != nil {
		return nil, err
	}
	for _, one := range answers {
		if string(one) == "null" {
			list = append(list, nil)
			continue
		}
		n, err := c.discount(ctx, one)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// discount reads a node, with all that it is for.
func (c *Client) discount(ctx context.Context, data json.RawMessage) (*discountNode, error) {
	n, err := readDiscount(data)
	if err != nil {
		return nil, err
	}
	for n.items().goOn() {
		var more struct {
			Node *discountNode `json:"codeDiscountNode"`
		}
		_, err := c.ask(ctx, operation{name: "MoreItems", text: askMoreItems}, map[string]any{"id": discountGID + n.ID,
			"products": n.items().Products.after(), "collections": n.items().Collections.after()}, &more, false)
		if err != nil {
			return nil, err
		}
		if more.Node == nil || more.Node.items() == nil {
			return nil, errDiscountVanished
		}
		n.items().add(more.Node.items())
	}
	return n, nil
}

var errDiscountVanished = problem(affiliate.Unavailable, affiliate.StoreAnswer, "A discount vanished from the shop "+
	"while it was read. It is looked for again.")

// CouponsByCode looks for codes without regard to case.
func (c *Client) CouponsByCode(ctx context.Context, codes []string) ([]affiliate.Coupon, error) {
	var calls []call
	var asked []string
	seen := map[string]bool{}
	for _, code := range codes {
		folded := affiliate.FoldCode(code)
		if folded == "" || seen[folded] || badCode(code) != "" {
			continue // no shop has it
		}
		seen[folded] = true
		asked = append(asked, code)
		calls = append(calls, call{field: "codeDiscountNodeByCode(code: $code)", selection: "...Discount",
			types: map[string]string{"code": "String!"}, values: map[string]any{"code": code}})
	}
	nodes, err := c.discounts(ctx, "CouponsByCode", calls)
	if err != nil {
		return nil, err
	}
	var list []affiliate.Coupon
	for i, n := range nodes {
		if n == nil {
			continue
		}
		code, err := c.redeemCode(ctx, n, asked[i])
		if err != nil {
			return nil, err
		}
		list = append(list, n.coupon(code))
	}
	return list, nil
}

// redeemCode finds a code among those of its discount, of which only some came with it.
func (c *Client) redeemCode(ctx context.Context, n *discountNode, code string) (redeemCode, error) {
	same := func(r redeemCode) bool { return affiliate.FoldCode(r.Code) == affiliate.FoldCode(code) }
	for page := n; ; {
		codes := page.Discount.Codes
		if i := slices.IndexFunc(codes.Nodes, same); i >= 0 {
			return codes.Nodes[i], nil
		}
		if !codes.PageInfo.HasNextPage {
			break
		}
		var err error
		if page, err = c.codesAfter(ctx, n.ID, codes.PageInfo.EndCursor); err != nil {
			return redeemCode{}, err
		}
		if page == nil {
			return redeemCode{}, errDiscountVanished
		}
	}
	if !n.shared() && len(n.Discount.Codes.Nodes) == 1 {
		return n.Discount.Codes.Nodes[0], nil // that Shopify takes for the same
	}
	return redeemCode{Code: code}, nil
}

// codesAfter reads a discount with the codes after a cursor; nil where it is gone.
func (c *Client) codesAfter(ctx context.Context, id, after string) (*discountNode, error) {
	for {
		c.mu.Lock()
		hidden := c.hidden[hiddenItems]
		c.mu.Unlock()
		var data struct {
			Node json.RawMessage `json:"codeDiscountNode"`
		}
		a, err := c.ask(ctx, operation{name: "MoreCodes", text: askMoreCodes + discountFragment("$after", !hidden)},
			map[string]any{"id": discountGID + id, "after": after}, &data, true)
		if err != nil {
			return nil, err
		}
		if again, err := c.hideItems(a); err != nil {
			return nil, err
		} else if again {
			continue
		}
		if string(data.Node) == "null" || data.Node == nil {
			return nil, nil
		}
		return c.discount(ctx, data.Node)
	}
}

// couponCursor is where the pages of codes stand: a page of discounts, and the discounts before it that have more codes
// than came with them.
type couponCursor struct {
	From  int64          `json:"from,omitempty"` // changed from then on, in seconds since 1970; 0: all
	Read  int            `json:"read,omitempty"` // discounts since then
	After string         `json:"after,omitempty"`
	Ended bool           `json:"ended,omitempty"` // there are no more discounts
	Open  []openDiscount `json:"open,omitempty"`
}

type openDiscount struct {
	ID    string `json:"id"`
	After string `json:"after"` // cursor of the last code that was read
}

func (k couponCursor) String() string {
	if k.Ended && len(k.Open) == 0 {
		return ""
	}
	text, _ := json.Marshal(k) // numbers and texts can be written
	return string(text)
}

// Coupons gives all codes of the shop page by page, or those of discounts that changed at a time or later.
func (c *Client) Coupons(ctx context.Context, since time.Time, at string) (affiliate.CouponPage, error) {
	var k couponCursor
	if !since.IsZero() {
		k.From = since.Unix()
	}
	if at != "" {
		k = couponCursor{}
		if err := json.Unmarshal([]byte(at), &k); err != nil {
			return affiliate.CouponPage{}, affiliate.FieldErrorf("cursor", "%q is no place in a list of codes",
				affiliate.Clip(at, 40))
		}
	}
	if len(k.Open) > 0 {
		return c.openCodes(ctx, k)
	}
	return c.changedDiscounts(ctx, k)
}

// openCodes reads on in the first of the open discounts.
func (c *Client) openCodes(ctx context.Context, k couponCursor) (p affiliate.CouponPage, err error) {
	n, err := c.codesAfter(ctx, k.Open[0].ID, k.Open[0].After)
	if err != nil {
		return p, err
	}
	more := k.Open[1:]
	if n != nil {
		n.several = true
		p.Coupons = n.coupons()
		if info := n.Discount.Codes.PageInfo; info.HasNextPage && len(p.Coupons) > 0 {
			more = append([]openDiscount{{n.ID, info.EndCursor}}, more...)
		}
	}
	k.Open = more
	p.Next = k.String()
	return p, nil
}

// changedDiscounts reads a page of discounts with the first of their codes.
func (c *Client) changedDiscounts(ctx context.Context, k couponCursor) (p affiliate.CouponPage, err error) {
	var data struct {
		Discounts struct {
			PageInfo pageInfo          `json:"pageInfo"`
			Nodes    []json.RawMessage `json:"nodes"`
		} `json:"codeDiscountNodes"`
	}
	variables := map[string]any{"after": nil, "q": nil}
	if k.After != "" {
		variables["after"] = k.After
	}
	if k.From != 0 {
		variables["q"] = "updated_at:>='" + time.Unix(k.From, 0).UTC().Format(time.RFC3339) + "'"
	}
	if err := c.askDiscounts(ctx, variables, &data); err != nil {
		return p, err
	}
	var last time.Time
	for _, one := range data.Discounts.Nodes {
		n, err := c.discount(ctx, one)
		if err != nil {
			return p, err
		}
		p.Coupons = append(p.Coupons, n.coupons()...)
		if info := n.Discount.Codes.PageInfo; info.HasNextPage {
			k.Open = append(k.Open, openDiscount{n.ID, info.EndCursor})
		}
		last = n.Discount.UpdatedAt
	}
	k.Read, k.After = k.Read+len(data.Discounts.Nodes), data.Discounts.PageInfo.EndCursor
	k.Ended = !data.Discounts.PageInfo.HasNextPage || len(data.Discounts.Nodes) == 0
	if k.Read >= mostPaged && last.Unix() > k.From {
		k.From, k.Read, k.After = last.Unix(), 0, ""
	}
	p.Next = k.String()
	return p, nil
}

// askDiscounts asks for as many discounts as Shopify bears.
func (c *Client) askDiscounts(ctx context.Context, variables map[string]any, data any) error {
	for {
		c.mu.Lock()
		n, hidden := min(c.codes.Now(), c.atOnce), c.hidden[hiddenItems]
		c.mu.Unlock()
		variables["first"] = n
		began := c.now()
		op := operation{name: "Coupons", text: askCoupons + discountFragment("", !hidden), shrinks: n > 1}
		a, err := c.ask(ctx, op, variables, data, true)
		switch {
		case storeapi.TooMuch(err) && n > 1:
			c.codes.TooBig()
			continue
		case errors.Is(err, errTooCostly) && n > 1:
			c.mu.Lock()
			c.atOnce = min(c.atOnce, n/2)
			c.mu.Unlock()
			continue
		case err != nil:
			return err
		}
		if again, err := c.hideItems(a); err != nil || !again {
			c.codes.Well(c.now().Sub(began))
			return err
		}
	}
}

// payload is the answer to a mutation of one discount.
type payload struct {
	Node       json.RawMessage `json:"codeDiscountNode"`
	UserErrors []userError     `json:"userErrors"`
}

const payloadFields = "codeDiscountNode { ...Discount } userErrors { field message code }"

// mutate makes many changes, and gives each one's node, or its error.
func (c *Client) mutate(ctx context.Context, name string, calls []call) (nodes []*discountNode, refusals []error,
	err error) {
	for i := range calls {
		calls[i].selection = payloadFields
	}
	answers, err := c.each(ctx, "mutation", name, calls)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range answers {
		var p payload
		if err := json.Unmarshal(one, &p); err != nil {
			return nil, nil, shapeless(err)
		}
		var n *discountNode
		var refused error
		switch {
		case len(p.UserErrors) > 0 && p.UserErrors[0].Code == "INTERNAL_ERROR":
			return nil, nil, problem(affiliate.Unavailable, affiliate.StoreDown, "Shopify failed at a change of a "+
				"discount code. It is looked at again later.")
		case len(p.UserErrors) > 0:
			refused = c.refused(p.UserErrors[0])
		case len(p.Node) == 0 || string(p.Node) == "null":
			return nil, nil, problem(affiliate.Unavailable, affiliate.StoreAnswer, "Shopify did not say what became "+
				"of a discount code. It is looked at again later.")
		default:
			if n, err = readDiscount(p.Node); err != nil {
				return nil, nil, err
			}
		}
		nodes, refusals = append(nodes, n), append(refusals, refused)
	}
	return nodes, refusals, nil
}

// MakeCoupons makes codes, each with a discount of its own. What is made cannot be told from the request, so it is
// asked once only.
func (c *Client) MakeCoupons(ctx context.Context, list []affiliate.NewCoupon) ([]affiliate.CouponOutcome, error) {
	out := make([]affiliate.CouponOutcome, len(list))
	var calls []call
	var which []int
	for i, n := range list {
		out[i].Coupon = affiliate.Coupon{Code: n.Code}
		in, err := newInput(n, c.now())
		if err != nil {
			out[i].Err = err
			continue
		}
		which = append(which, i)
		calls = append(calls, call{field: "discountCodeBasicCreate(basicCodeDiscount: $in)",
			types: map[string]string{"in": "DiscountCodeBasicInput!"}, values: map[string]any{"in": in}})
	}
	nodes, refusals, err := c.mutate(ctx, "MakeCoupons", calls)
	if err != nil {
		return nil, err
	}
	for i, at := range which {
		if out[at].Err = refusals[i]; out[at].Err == nil {
			out[at] = nodes[i].became(list[at].Discount, itemsOf(list[at].Discount))
		}
	}
	return out, nil
}

// ChangeCoupons changes codes. Each is read before, for what it has now says how it is changed, and whether.
func (c *Client) ChangeCoupons(ctx context.Context, list []affiliate.CouponChange) ([]affiliate.CouponOutcome, error) {
	ids := make([]string, len(list))
	for i, change := range list {
		ids[i] = change.Coupon.ID
	}
	there, err := c.discountsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]affiliate.CouponOutcome, len(list))
	var calls []call
	var which []int
	for i, change := range list {
		out[i].Coupon = change.Coupon
		one, err := there[i].change(change)
		switch {
		case err != nil:
			out[i].Err = err
		case one == nil:
			out[i].Coupon = there[i].coupons()[0]
		default:
			which, calls = append(which, i), append(calls, *one)
		}
	}
	nodes, refusals, err := c.mutate(ctx, "ChangeCoupons", calls)
	if err != nil {
		return nil, err
	}
	for i, at := range which {
		if out[at].Err = refusals[i]; out[at].Err == nil {
			change, was := list[at], there[at]
			want := wanted(change, was.coupons()[0].Discount, nodes[i].Discount)
			items := itemsOf(want)
			if has := was.items(); has != nil && change.Step != affiliate.CouponDiscount {
				items = *has
			}
			out[at] = nodes[i].became(want, items)
		}
	}
	return out, nil
}

// refused is the error of what Shopify has against one code.
func (c *Client) refused(e userError) error {
	switch e.Code {
	case "TAKEN":
		return problem(affiliate.Conflict, affiliate.CouponTaken, "Shopify has such a discount code already. Choose "+
			"another code.")
	case "TOO_LONG":
		return refusal("The code is longer than Shopify takes (%d characters). Choose a shorter one.", mostCode)
	case "END_DATE_BEFORE_START_DATE":
		return refusal("It would end before it begins. Choose a later end, or an earlier beginning.")
	case "VALUE_OUTSIDE_RANGE":
		return refusal("Shopify does not take so large or so small a discount: %s. Choose a percentage above 0 and "+
			"up to 100, or an amount above 0.", c.quote(e.Message))
	case "EXCEEDED_MAX", "MAX_APP_DISCOUNTS":
		return refusal("The shop has as many of these as Shopify allows: %s. Delete discounts that nobody needs any "+
			"more (Discounts in its admin), or ask for less.", c.quote(e.Message))
	}
	if e.about("does not exist") {
		return errCouponGone
	}
	return refusal("Shopify does not take the discount: %s. Change what the offer's codes give, or make this code by "+
		"hand.", c.quote(e.Message))
}

var errCouponGone = problem(affiliate.NotFound, affiliate.CouponGone, "The shop has this discount no more: it was "+
	"deleted in its admin, or has another code now. Make the code again.")

func refusal(format string, args ...any) error {
	return problem(affiliate.Invalid, affiliate.CouponRefused, format, args...)
}

func shapeless(err error) error {
	return problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify answered a discount in a shape that its API "+
		"does not have (%v). Update Tributary.", err)
}
