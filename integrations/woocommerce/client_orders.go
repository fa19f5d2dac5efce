package woocommerce

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

const (
	ordersRoute = "/wc/v3/orders"
	mostRows    = 100 // of a page; more are refused

	anyStatus   = "any" // but the trash, and statuses of plugins that are gone
	trashStatus = "trash"

	// unknownOrder is how the store says that it has no such order.
	unknownOrder = "woocommerce_rest_shop_order_invalid_id"
)

// orderFields are those that Parse reads, so that the store leaves out the others.
const orderFields = "id,parent_id,number,status,currency,total,created_via,date_created_gmt,date_modified_gmt," +
	"date_paid_gmt,billing,shipping,line_items,fee_lines,shipping_lines,coupon_lines,gift_cards,refunds,meta_data"

// keptOrder is an order without what Parse does not read; of the addresses only country and e-mail address are kept.
// The values stand as the store wrote them.
type keptOrder struct {
	ID         json.RawMessage `json:"id,omitempty"`
	Parent     json.RawMessage `json:"parent_id,omitempty"`
	Number     json.RawMessage `json:"number,omitempty"`
	Status     json.RawMessage `json:"status,omitempty"`
	Currency   json.RawMessage `json:"currency,omitempty"`
	Total      json.RawMessage `json:"total,omitempty"`
	CreatedVia json.RawMessage `json:"created_via,omitempty"`
	Created    json.RawMessage `json:"date_created_gmt,omitempty"`
	Modified   json.RawMessage `json:"date_modified_gmt,omitempty"`
	Paid       json.RawMessage `json:"date_paid_gmt,omitempty"`
	Billing    keptAddress     `json:"billing,omitzero"`
	Shipping   keptAddress     `json:"shipping,omitzero"`
	Lines      json.RawMessage `json:"line_items,omitempty"`
	Fees       json.RawMessage `json:"fee_lines,omitempty"`
	Deliveries json.RawMessage `json:"shipping_lines,omitempty"`
	Coupons    json.RawMessage `json:"coupon_lines,omitempty"`
	GiftCards  json.RawMessage `json:"gift_cards,omitempty"`
	Refunds    json.RawMessage `json:"refunds,omitempty"`
	Meta       json.RawMessage `json:"meta_data,omitempty"`
}

// keptAddress is what is kept of an address. PHP writes an empty one as [].
type keptAddress struct {
	Country json.RawMessage `json:"country,omitempty"`
	Email   json.RawMessage `json:"email,omitempty"`
}

func (a *keptAddress) UnmarshalJSON(text []byte) error {
	type plain keptAddress
	if len(text) > 0 && text[0] == '{' {
		return json.Unmarshal(text, (*plain)(a))
	}
	return nil
}

// marshal writes JSON without escaping < > &, as the store wrote it.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}

// read makes an order of a row.
func (o keptOrder) read() (affiliate.StoreOrder, *payload, error) {
	body, err := marshal(o)
	if err != nil {
		return affiliate.StoreOrder{}, nil, err
	}
	p, err := decode(body)
	if err != nil {
		return affiliate.StoreOrder{}, nil, bodyError(body, err)
	}
	id, err := p.orderID()
	if err != nil {
		return affiliate.StoreOrder{}, nil, err
	}
	currency, _ := money.OrderCurrency(text(p.currency), p.decimals()) // Parse tells what is wrong with it
	order := affiliate.StoreOrder{ID: id, Placed: stamp(p.created), Body: body,
		Rough: len(p.refunds.refunds) > 0 || currency.Listed() && decimals(p.total) < currency.Digits()}
	if at := stamp(p.modified); !at.IsZero() {
		order.Version = at.UnixMilli()
	}
	return order, p, nil
}

// stamp reads one of the *_gmt dates; zero where there is none.
func stamp(v jsonwalk.Value) time.Time {
	at, err := time.Parse(gmtLayout, strings.TrimSuffix(text(v), "Z"))
	if err != nil {
		return time.Time{}
	}
	return at
}

// rows is a page of orders as the store gave it.
type rows struct {
	orders []affiliate.StoreOrder
	drafts map[string]bool
	times  []time.Time // by which they are ordered
	total  int         // that the question has, on all pages; -1 unknown
	readAt time.Time
}

// list asks for a page of orders.
func (c *Client) list(ctx context.Context, by affiliate.OrderTime, q question) (rows, error) {
	q.route, q.shrinks = ordersRoute, true
	answer, err := c.ask(ctx, q)
	if err != nil {
		return rows{}, err
	}
	c.size.Well(answer.Took)
	out := rows{total: total(answer), readAt: answer.ReadAt, drafts: map[string]bool{}}
	var kept []keptOrder
	if err := answer.JSON(&kept); err != nil {
		return rows{}, err
	}
	for _, one := range kept {
		order, p, err := one.read()
		if err != nil {
			return rows{}, &affiliate.Error{Kind: affiliate.Invalid, Code: affiliate.StoreAnswer,
				Message: "An order of " + c.host() + " cannot be read: " + err.Error() + "."}
		}
		at := stamp(p.modified)
		if by == affiliate.ByPlaced {
			at = order.Placed
		}
		out.drafts[order.ID] = isDraft(text(p.status))
		out.orders, out.times = append(out.orders, order), append(out.times, at)
	}
	return out, nil
}

// total is how many rows there are on all pages; -1 where the store, or a cache before it, does not say. A page without
// rows says 0 though there are some before it.
func total(a storeapi.Answer) int {
	n, err := strconv.Atoi(a.Header.Get("X-WP-Total"))
	if err != nil {
		return -1
	}
	return n
}

// OrdersByID looks for orders by their ids. What neither the list nor the trash shows is asked for one by one before
// it counts as gone: orders whose status was a plugin's that is gone are in no list.
func (c *Client) OrdersByID(ctx context.Context, ids []string,
	detail affiliate.OrderDetail) (affiliate.OrderPage, error) {
	page := affiliate.OrderPage{}
	for _, id := range ids {
		if _, err := strconv.ParseInt(id, 10, 64); err != nil {
			return page, affiliate.FieldErrorf("ids", "%q is no id of an order", affiliate.Clip(id, 40))
		}
	}
	read := reading{page: &page}
	if err := c.look(ctx, ids, 0, &read); err != nil {
		return affiliate.OrderPage{}, err
	}
	// Decimals are asked for only where the store shows fewer: it would round those that it has beyond.
	finer := affiliate.OrderPage{}
	if few := withFewer(page.Orders, detail.Decimals); len(few) > 0 {
		if err := c.look(ctx, few, detail.Decimals, &reading{page: &finer}); err != nil {
			return affiliate.OrderPage{}, err
		}
	}
	for i := range page.Orders {
		order, asked := &page.Orders[i], affiliate.OrderDetail{Rows: detail.Rows}
		same := func(o affiliate.StoreOrder) bool { return o.ID == order.ID }
		if at := slices.IndexFunc(finer.Orders, same); at >= 0 {
			*order, asked = finer.Orders[at], detail
		}
		if err := c.settle(ctx, order, asked, &read); err != nil {
			return affiliate.OrderPage{}, err
		}
	}
	return page, nil
}

// look finds orders wherever they are; dp is how many decimals they are to have, 0 for as many as the store shows.
func (c *Client) look(ctx context.Context, ids []string, dp int, read *reading) error {
	fields := url.Values{"_fields": {orderFields}}
	if dp > 0 {
		fields.Set("dp", strconv.Itoa(dp))
	}
	for _, status := range []string{anyStatus, trashStatus} {
		if err := c.include(ctx, missingFrom(ids, read.page.Orders), status, fields, read); err != nil {
			return err
		}
	}
	for _, id := range missingFrom(ids, read.page.Orders) {
		if err := c.single(ctx, id, fields, read); err != nil {
			return err
		}
	}
	return nil
}

// withFewer gives the ids of orders whose amounts have fewer decimals than that.
func withFewer(orders []affiliate.StoreOrder, dp int) (ids []string) {
	for _, o := range orders {
		if p, err := decode(o.Body); err == nil && decimals(p.total) < dp {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// reading is a page that is put together of several answers. It is as old as the first of them.
type reading struct {
	page  *affiliate.OrderPage
	begun bool
}

func (r *reading) at(t time.Time) {
	if !r.begun || t.Before(r.page.ReadAt) {
		r.page.ReadAt, r.begun = t, true
	}
}

func missingFrom(ids []string, orders []affiliate.StoreOrder) (missing []string) {
	for _, id := range ids {
		if !slices.ContainsFunc(orders, func(o affiliate.StoreOrder) bool { return o.ID == id }) {
			missing = append(missing, id)
		}
	}
	return missing
}

// include asks for those of some orders that have a status, as many at once as the store can bear.
func (c *Client) include(ctx context.Context, ids []string, status string, fields url.Values, read *reading) error {
	for len(ids) > 0 {
		n := min(len(ids), c.size.Now())
		found, err := c.list(ctx, affiliate.ByUpdate, question{query: with(fields,
			"include", strings.Join(ids[:n], ","), "status", status, "orderby", "id", "order", "asc",
			"per_page", strconv.Itoa(n))})
		if storeapi.TooMuch(err) && n > 1 {
			c.size.TooBig()
			continue
		}
		if err != nil {
			return err
		}
		read.at(found.readAt)
		for _, order := range found.orders {
			// A store that does not know ?include= gives others.
			if slices.Contains(ids[:n], order.ID) {
				read.page.Orders = append(read.page.Orders, order)
			}
		}
		ids = ids[n:]
	}
	return nil
}

// with adds pairs to a query, and leaves the given one as it is.
func with(query url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for name, values := range query {
		out[name] = values
	}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

// single asks for one order.
func (c *Client) single(ctx context.Context, id string, fields url.Values, read *reading) error {
	answer, err := c.ask(ctx, question{route: ordersRoute + "/" + id, query: fields,
		accept: []int{http.StatusNotFound}})
	if err != nil {
		return err
	}
	read.at(answer.ReadAt)
	if answer.Status == http.StatusNotFound {
		if refusalOf(answer).Code != unknownOrder {
			return c.caller.Refusal(answer)
		}
		read.page.Gone = append(read.page.Gone, id)
		return nil
	}
	var kept keptOrder
	if err := answer.JSON(&kept); err != nil {
		return err
	}
	order, _, err := kept.read()
	if err == nil {
		read.page.Orders = append(read.page.Orders, order)
	}
	return err
}

// settle adds what is asked for in detail.
func (c *Client) settle(ctx context.Context, order *affiliate.StoreOrder, detail affiliate.OrderDetail,
	read *reading) error {
	p, err := decode(order.Body)
	if err != nil {
		return err
	}
	refunded := len(p.refunds.refunds) > 0
	if refunded && detail.Rows {
		list, err := c.refunds(ctx, order.ID, detail, read)
		if err != nil || list == nil {
			return err
		}
		order.Body, err = marshal(struct {
			Order   json.RawMessage `json:"order"`
			Refunds []keptRefund    `json:"refunds"`
		}{order.Body, list})
		if err != nil {
			return err
		}
	}
	order.Rough = refunded && !detail.Rows || order.Rough && !refunded && detail.Decimals == 0
	return nil
}

// keptRefund is a refund as the store lists it, without what Parse does not read.
type keptRefund struct {
	ID         json.RawMessage `json:"id"`
	Created    json.RawMessage `json:"date_created_gmt,omitempty"`
	Amount     json.RawMessage `json:"amount"`
	Lines      []keptRow       `json:"line_items"`
	Fees       []keptRow       `json:"fee_lines"`
	Deliveries []keptRow       `json:"shipping_lines"`
}

type keptRow struct {
	Name     json.RawMessage `json:"name,omitempty"`
	Quantity json.RawMessage `json:"quantity,omitempty"`
	Total    json.RawMessage `json:"total"`
	Tax      json.RawMessage `json:"total_tax,omitempty"`
}

// refunds lists an order's refunds with their rows; nil where the order is gone by now.
func (c *Client) refunds(ctx context.Context, id string, detail affiliate.OrderDetail,
	read *reading) ([]keptRefund, error) {
	query := url.Values{"_fields": {"id,date_created_gmt,amount,line_items,fee_lines,shipping_lines"},
		"orderby": {"id"}, "order": {"asc"}, "per_page": {strconv.Itoa(mostRows)}}
	if detail.Decimals > 0 {
		query.Set("dp", strconv.Itoa(detail.Decimals))
	}
	all := []keptRefund{}
	for page := 1; ; page++ {
		query.Set("page", strconv.Itoa(page))
		answer, err := c.ask(ctx, question{route: ordersRoute + "/" + id + "/refunds", query: query,
			accept: []int{http.StatusNotFound}})
		if err != nil {
			return nil, err
		}
		if answer.Status == http.StatusNotFound {
			return nil, nil
		}
		read.at(answer.ReadAt)
		var list []keptRefund
		if err := answer.JSON(&list); err != nil {
			return nil, err
		}
		if all = append(all, list...); len(list) < mostRows {
			return all, nil
		}
	}
}

// CountOrders counts the orders that Orders gives: all but drafts, which are none yet.
func (c *Client) CountOrders(ctx context.Context, window affiliate.OrderWindow) (int64, error) {
	sum := int64(0)
	for _, status := range append(statusesOf(window.By), draftStatus) {
		answer, err := c.ask(ctx, question{route: ordersRoute, accept: []int{http.StatusBadRequest},
			query: with(rangeOf(window.By, after(window), until(window)), "status", status, "per_page", "1",
				"_fields", "id")})
		n := total(answer)
		switch {
		case err != nil:
			return 0, err
		case answer.Status == http.StatusBadRequest && status == draftStatus:
			continue // an old store, which knows no drafts
		case answer.Status == http.StatusBadRequest:
			return 0, c.caller.Refusal(answer)
		case n < 0:
			return 0, c.noTotal()
		case status == draftStatus:
			n = -n
		}
		sum += int64(n)
	}
	return max(0, sum), nil
}

// draftStatus is that of block checkouts which were not finished.
const draftStatus = "checkout-draft"

func (c *Client) noTotal() error {
	return &affiliate.Error{Kind: affiliate.Invalid, Code: affiliate.StoreAnswer, Message: c.host() + " does not say " +
		"how many orders there are: the header X-WP-Total is missing. Look for a cache or a proxy that takes headers " +
		"away, and let it pass /wp-json by."}
}
