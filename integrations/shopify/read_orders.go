package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Bounds of a page. A query may cost a thousand points, by a formula that is not published: the client begins with
// these and asks for less when it is told.
const (
	mostOrders = 25
	mostRows   = 10
	moreAtOnce = 50 // rows of one list alone
)

// Paging ends at 25,000 objects of one query (https://shopify.dev/docs/api/usage/limits). Before that the window is
// begun anew at the time of the last order.
const mostPaged = 24_000

type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

// cursor is where the pages of a window stand: from when on it is asked for, as what page, and how many came since.
type cursor struct {
	from  time.Time
	read  int
	after string
}

func (k cursor) String() string {
	return strconv.FormatInt(k.from.Unix(), 10) + " " + strconv.Itoa(k.read) + " " + k.after
}

func readCursor(text string, from time.Time) (cursor, error) {
	k := cursor{from: from.UTC().Truncate(time.Second)}
	if text == "" {
		return k, nil
	}
	parts := strings.SplitN(text, " ", 3)
	if len(parts) == 3 {
		at, err := strconv.ParseInt(parts[0], 10, 64)
		read, otherErr := strconv.Atoi(parts[1])
		if err == nil && otherErr == nil {
			return cursor{from: time.Unix(at, 0).UTC(), read: read, after: parts[2]}, nil
		}
	}
	return cursor{}, affiliate.FieldErrorf("cursor", "%q is no place in a list of orders", affiliate.Clip(text, 40))
}

// next goes on after a page of n orders, of which the last one has a time.
func (k cursor) next(n int, end string, last time.Time) cursor {
	k.read, k.after = k.read+n, end
	if from := last.Truncate(time.Second); k.read >= mostPaged && from.After(k.from) { // else one second holds them all
		return cursor{from: from}
	}
	return k
}

// field is the time in searches, and the key that their pages are sorted by: with another one they disagree.
func field(by affiliate.OrderTime) (search, sortKey string) {
	if by == affiliate.ByPlaced {
		return "created_at", "CREATED_AT"
	}
	return "updated_at", "UPDATED_AT"
}

// search writes a window in the language of Shopify's searches. Times have whole seconds there.
func search(by affiliate.OrderTime, from, until time.Time) string {
	if whole := until.Truncate(time.Second); whole.Before(until) {
		until = whole.Add(time.Second)
	}
	name, _ := field(by)
	return fmt.Sprintf("%s:>='%s' %s:<'%s'", name, from.UTC().Format(time.RFC3339), name,
		until.UTC().Format(time.RFC3339))
}

// Orders gives the orders of a window page by page.
func (c *Client) Orders(ctx context.Context, w affiliate.OrderWindow, at string) (affiliate.OrderPage, error) {
	k, err := readCursor(at, w.From)
	if err != nil {
		return affiliate.OrderPage{}, err
	}
	var data struct {
		Orders struct {
			PageInfo pageInfo          `json:"pageInfo"`
			Nodes    []json.RawMessage `json:"nodes"`
		} `json:"orders"`
	}
	_, by := field(w.By)
	variables := map[string]any{"q": search(w.By, k.from, w.Until), "by": by, "after": nil}
	if k.after != "" {
		variables["after"] = k.after
	}
	a, err := c.askOrders(ctx, "Orders", changedOrders, variables, func(size int) { variables["first"] = size }, &data)
	if err != nil {
		return affiliate.OrderPage{}, err
	}
	p := affiliate.OrderPage{ReadAt: a.ReadAt}
	for _, n := range data.Orders.Nodes {
		o, err := c.order(ctx, n)
		if err != nil {
			return affiliate.OrderPage{}, err
		}
		p.Orders = append(p.Orders, o)
	}
	if !data.Orders.PageInfo.HasNextPage || len(p.Orders) == 0 {
		return p, nil
	}
	last := p.Orders[len(p.Orders)-1]
	lastAt := time.UnixMilli(last.Version).UTC()
	if w.By == affiliate.ByPlaced {
		lastAt = last.Placed
	}
	p.Next = k.next(len(p.Orders), data.Orders.PageInfo.EndCursor, lastAt).String()
	return p, nil
}

// askOrders asks for as many orders as Shopify bears, and without the fields that the keys may not see.
func (c *Client) askOrders(ctx context.Context, name string, text func(node string) string, variables map[string]any,
	size func(int), data any) (answer, error) {
	for {
		c.mu.Lock()
		first, rows := min(c.page.Now(), c.most), c.rows
		op := operation{name: name, text: text(node(c.hidden)), shrinks: min(c.page.Now(), c.most) > 1}
		c.mu.Unlock()
		size(first)
		variables["rows"], variables["refunds"] = rows, min(refundsAtOnce, rows)
		began := c.now()
		a, err := c.ask(ctx, op, variables, data, true)
		switch {
		case storeapi.TooMuch(err) && first > 1:
			c.page.TooBig()
			continue
		case errors.Is(err, errTooCostly) && first*rows > 1:
			c.cheaper(first, rows)
			continue
		case err != nil:
			return a, err
		}
		if again, err := c.hide(a); err != nil {
			return a, err
		} else if !again {
			c.mu.Lock()
			c.looked = true
			c.mu.Unlock()
			c.page.Well(c.now().Sub(began))
			return a, nil
		}
	}
}

// cheaper has less asked for from now on than cost too much: fewer orders, then fewer of their rows.
func (c *Client) cheaper(first, rows int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first > 1 {
		c.most = min(c.most, first/2)
	} else {
		c.rows = min(c.rows, rows/2)
	}
}

// hide leaves out what an answer says that the keys may not see, and says whether to ask again.
func (c *Client) hide(a answer) (again bool, err error) {
	for _, e := range a.errors {
		known := false
		for _, f := range optionalFields {
			if slices.Contains(e.Path, any(f.name)) {
				known, again = true, true
				c.mu.Lock()
				c.hidden[f.name] = true
				c.mu.Unlock()
			}
		}
		if !known {
			return false, c.denied(e)
		}
	}
	return again, nil
}

// head is what the client itself needs of an order.
type head struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Refunds   []struct {
		ID           string   `json:"id"`
		Rows         *rowList `json:"refundLineItems"`
		Adjustments  *rowList `json:"orderAdjustments"`
		Shipping     *rowList `json:"refundShippingLines"`
		Transactions *rowList `json:"transactions"`
	} `json:"refunds"`
	Lines        *rowList `json:"lineItems"`
	Applications *rowList `json:"discountApplications"`
}

type rowList struct {
	PageInfo pageInfo `json:"pageInfo"`
}

func (l *rowList) goesOn() bool { return l != nil && l.PageInfo.HasNextPage }

// whole says whether all lists of an order have come to their end.
func (h head) whole() bool {
	for _, r := range h.Refunds {
		if r.Rows.goesOn() || r.Adjustments.goesOn() || r.Shipping.goesOn() || r.Transactions.goesOn() {
			return false
		}
	}
	return !h.Lines.goesOn() && !h.Applications.goesOn()
}

// order makes an order of its node, and completes its lists first.
func (c *Client) order(ctx context.Context, n json.RawMessage) (affiliate.StoreOrder, error) {
	o, h, err := orderOf(n)
	if err != nil {
		return affiliate.StoreOrder{}, err
	}
	if h.whole() && len(h.Refunds) < c.refundsAsked() {
		return o, nil
	}
	body, err := c.complete(ctx, n, h.ID)
	if err != nil {
		return affiliate.StoreOrder{}, err
	}
	o.Body = body
	return o, nil
}

// refundsAsked is how many refunds came with an order at most; that many may not be all. It only becomes less.
func (c *Client) refundsAsked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return min(refundsAtOnce, c.rows)
}

// orderOf reads of an order what the client itself needs.
func orderOf(n json.RawMessage) (affiliate.StoreOrder, head, error) {
	var h head
	if err := json.Unmarshal(n, &h); err != nil {
		return affiliate.StoreOrder{}, h, problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify answered an "+
			"order in a shape that its API does not have (%v). Update Tributary.", err)
	}
	id, ok := strings.CutPrefix(h.ID, orderGID)
	if !ok || h.UpdatedAt.IsZero() {
		return affiliate.StoreOrder{}, h, problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify answered an "+
			"order without id or time. Update Tributary.")
	}
	return affiliate.StoreOrder{ID: id, Version: h.UpdatedAt.UnixMilli(), Placed: h.CreatedAt.UTC(), Body: n}, h, nil
}

// complete reads the rest of an order's lists.
func (c *Client) complete(ctx context.Context, n json.RawMessage, id string) ([]byte, error) {
	o, err := decode(n)
	if err != nil {
		return nil, err
	}
	for _, l := range orderLists {
		if err := c.completeList(ctx, "order", id, o, l); err != nil {
			return nil, err
		}
	}
	refunds, _ := o["refunds"].([]any)
	if refunds, err = c.moreRefunds(ctx, id, refunds); err != nil {
		return nil, err
	}
	o["refunds"] = refunds
	for _, one := range refunds {
		r, _ := one.(map[string]any)
		refund, _ := r["id"].(string)
		for _, l := range refundLists {
			if err := c.completeList(ctx, "refund", refund, r, l); err != nil {
				return nil, err
			}
		}
	}
	return json.Marshal(o)
}

// decode reads an object and keeps its numbers as they stand.
func decode(data []byte) (o map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err = d.Decode(&o); err != nil {
		return nil, fmt.Errorf("read order: %w", err)
	}
	return o, nil
}

// completeList adds the further pages of one list to an object.
func (c *Client) completeList(ctx context.Context, of, id string, o map[string]any, l connection) error {
	part, _ := o[l.name].(map[string]any)
	nodes, _ := part["nodes"].([]any)
	for {
		info, _ := part["pageInfo"].(map[string]any)
		if more, _ := info["hasNextPage"].(bool); !more {
			return nil
		}
		var data map[string]map[string]map[string]any
		_, err := c.ask(ctx, operation{name: "MoreRows", text: moreRows(of, l)},
			map[string]any{"id": id, "rows": moreAtOnce, "after": info["endCursor"]}, &data, false)
		if err != nil {
			return err
		}
		next := data[of][l.name]
		if next == nil {
			return errVanished
		}
		more, _ := next["nodes"].([]any)
		nodes = append(nodes, more...)
		part["nodes"], part["pageInfo"] = nodes, next["pageInfo"]
	}
}

var errVanished = problem(affiliate.Unavailable, affiliate.StoreAnswer, "An order vanished from the shop while it was "+
	"read. It is looked for again.")

// moreRefunds adds the refunds beyond those that came with the order.
func (c *Client) moreRefunds(ctx context.Context, id string, have []any) ([]any, error) {
	if len(have) < c.refundsAsked() {
		return have, nil
	}
	known := map[any]any{}
	for _, one := range have {
		r, _ := one.(map[string]any)
		known[r["id"]] = one
	}
	var data struct {
		Order *struct {
			Refunds []struct {
				ID string `json:"id"`
			} `json:"refunds"`
		} `json:"order"`
	}
	if _, err := c.ask(ctx, operation{name: "AllRefunds", text: allRefunds}, map[string]any{"id": id}, &data,
		false); err != nil {
		return nil, err
	}
	if data.Order == nil {
		return nil, errVanished
	}
	all := make([]any, 0, len(data.Order.Refunds))
	for _, r := range data.Order.Refunds {
		one := known[r.ID]
		if one == nil {
			var data struct {
				Refund json.RawMessage `json:"refund"`
			}
			if _, err := c.ask(ctx, operation{name: "OneRefund", text: oneRefund},
				map[string]any{"id": r.ID, "rows": mostRows}, &data, false); err != nil {
				return nil, err
			}
			refund, err := decode(data.Refund)
			if err != nil || refund == nil {
				return nil, errVanished
			}
			one = refund
		}
		all = append(all, one)
	}
	return all, nil
}

// OrdersByID looks for some orders. Shopify shows none that is older than 60 days without the scope read_all_orders,
// and does not say why: what it does not show is Gone only where the app has that scope.
func (c *Client) OrdersByID(ctx context.Context, ids []string, _ affiliate.OrderDetail) (affiliate.OrderPage, error) {
	var p affiliate.OrderPage
	var missing []string
	for len(ids) > 0 {
		var data struct {
			Nodes []json.RawMessage `json:"nodes"`
		}
		variables, asked := map[string]any{}, 0
		size := func(n int) {
			asked = min(n, len(ids))
			gids := make([]string, asked)
			for i, id := range ids[:asked] {
				gids[i] = orderGID + id
			}
			variables["ids"] = gids
		}
		a, err := c.askOrders(ctx, "OrdersByID", ordersByID, variables, size, &data)
		if err != nil {
			return affiliate.OrderPage{}, err
		}
		if len(data.Nodes) != asked {
			return affiliate.OrderPage{}, problem(affiliate.Unavailable, affiliate.StoreAnswer, "Shopify answered %d "+
				"orders where it was asked for %d. It is asked again later.", len(data.Nodes), asked)
		}
		if p.ReadAt.IsZero() || a.ReadAt.Before(p.ReadAt) {
			p.ReadAt = a.ReadAt
		}
		for i, n := range data.Nodes {
			if string(n) == "null" {
				missing = append(missing, ids[i])
				continue
			}
			o, err := c.order(ctx, n)
			if err != nil {
				return affiliate.OrderPage{}, err
			}
			p.Orders = append(p.Orders, o)
		}
		ids = ids[asked:]
	}
	if len(missing) > 0 {
		// Asked anew each time: an order is not to be taken for deleted because a scope was taken away.
		f, err := c.facts(ctx)
		if err != nil {
			return affiliate.OrderPage{}, err
		}
		if slices.Contains(f.scopes, scopeAllOrders) {
			p.Gone = missing
		}
	}
	return p, nil
}

const orderGID = "gid://shopify/Order/"

// CountOrders counts the orders of a window.
func (c *Client) CountOrders(ctx context.Context, w affiliate.OrderWindow) (int64, error) {
	var data struct {
		Count struct {
			Count int64 `json:"count"`
		} `json:"ordersCount"`
	}
	_, err := c.ask(ctx, operation{name: "CountOrders", text: countOrders},
		map[string]any{"q": search(w.By, w.From, w.Until)}, &data, false)
	return data.Count.Count, err
}

// currencyOf gives a currency; empty for what is none.
func currencyOf(code string) money.Currency {
	currency, err := money.ParseCurrency(code)
	if err != nil {
		return ""
	}
	return currency
}
