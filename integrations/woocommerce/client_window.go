package woocommerce

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

const gmtLayout = "2006-01-02T15:04:05"

// progress is where the reading of a window has come to. Times are seconds since 1970 UTC.
//
// Pages are asked for by time and not by number, since orders that change meanwhile leave a window and all behind them
// move up: each begins with the second in which the one before it ended. Where that does not lead on, because one
// second has more orders than a page (after a bulk edit), or because the store does not keep the order, a span of time
// is read by ids, from its end to its beginning: then what leaves the span moves only what was read.
type progress struct {
	Trash bool  `json:"trash,omitempty"` // the others are through
	After int64 `json:"after"`           // all up to here is read
	// Span is the end of a time after After that is read by ids; 0 for none. Left of its rows, Total when it was last
	// counted, are not read yet.
	Span  int64 `json:"span,omitempty"`
	Left  int   `json:"left,omitempty"`
	Total int   `json:"total,omitempty"`
}

func (p progress) text() string {
	text, err := json.Marshal(p)
	if err != nil {
		return "" // unreachable
	}
	return string(text)
}

// after is the last second before a window, and until the first after it: WooCommerce's bounds are exclusive and whole
// seconds, as its stamps are.
func after(w affiliate.OrderWindow) int64 { return w.From.Unix() - 1 }

func until(w affiliate.OrderWindow) int64 {
	end := w.Until.Unix()
	if w.Until.After(time.Unix(end, 0)) {
		end++
	}
	return end
}

// statusesOf are asked for one after the other. What was moved to the trash has changed; but what was there all the
// time is no order of a history.
func statusesOf(by affiliate.OrderTime) []string {
	if by == affiliate.ByUpdate {
		return []string{anyStatus, trashStatus}
	}
	return []string{anyStatus}
}

// rangeOf chooses the orders between two seconds, both exclusive. Without dates_are_gmt WooCommerce would take them for
// the store's own time.
func rangeOf(by affiliate.OrderTime, after, until int64) url.Values {
	prefix := ""
	if by == affiliate.ByUpdate {
		prefix = "modified_"
	}
	return url.Values{"dates_are_gmt": {"true"}, prefix + "after": {time.Unix(after, 0).UTC().Format(gmtLayout)},
		prefix + "before": {time.Unix(until, 0).UTC().Format(gmtLayout)}}
}

// Orders gives the orders of a window page by page. The window should have ended: orders that change while they are
// read leave it then, and are in a later one.
func (c *Client) Orders(ctx context.Context, window affiliate.OrderWindow, cursor string) (affiliate.OrderPage, error) {
	at := progress{After: after(window)}
	if cursor != "" {
		if err := json.Unmarshal([]byte(cursor), &at); err != nil {
			return affiliate.OrderPage{}, affiliate.FieldErrorf("cursor", "is not one of WooCommerce's orders")
		}
	}
	for {
		read := c.forward
		if at.Span != 0 {
			read = c.backward
		}
		found, next, err := read(ctx, window, at)
		switch {
		case storeapi.TooMuch(err) && c.size.Now() > 1:
			c.size.TooBig()
			continue
		case err != nil:
			return affiliate.OrderPage{}, err
		}
		at = next
		done := at.Span == 0 && at.After+1 >= until(window)
		if done && !at.Trash && window.By == affiliate.ByUpdate {
			at, done = progress{Trash: true, After: after(window)}, false
		}
		page := affiliate.OrderPage{ReadAt: found.readAt}
		for _, order := range found.orders {
			if !found.drafts[order.ID] {
				page.Orders = append(page.Orders, order)
			}
		}
		if !done {
			page.Next = at.text()
		}
		if done || len(page.Orders) > 0 {
			return page, nil
		}
	}
}

func (p progress) status() string {
	if p.Trash {
		return trashStatus
	}
	return anyStatus
}

// orderBy is the word for the time of a window.
func orderBy(by affiliate.OrderTime) string {
	if by == affiliate.ByUpdate {
		return "modified"
	}
	return "date"
}

// forward reads the next page by time.
func (c *Client) forward(ctx context.Context, window affiliate.OrderWindow, at progress) (rows, progress, error) {
	size, end := c.size.Now(), until(window)
	found, err := c.list(ctx, window.By, question{query: with(rangeOf(window.By, at.After, end), "status", at.status(),
		"orderby", orderBy(window.By), "order", "asc", "per_page", strconv.Itoa(size), "_fields", orderFields)})
	if err != nil {
		return rows{}, at, err
	}
	n := len(found.orders)
	switch {
	case n > 0 && found.times[0].Unix() <= at.After && !found.times[0].IsZero():
		return rows{}, at, c.ignoresDates()
	case n == 0 && found.total > 0:
		return rows{}, at, c.hidden()
	case found.total >= 0 && found.total <= n, found.total < 0 && n < size:
		at.After = end - 1
		return found, at, nil
	case !inOrder(found.times, end):
		at.Span, at.Left, at.Total = end, 0, 0
		return rows{readAt: found.readAt}, at, nil
	}
	last := found.times[n-1]
	kept := n
	for kept > 0 && found.times[kept-1].Equal(last) {
		kept--
	}
	found.orders, found.times = found.orders[:kept], found.times[:kept]
	if kept == 0 {
		at.After, at.Span = last.Unix()-1, last.Unix()+1
	} else {
		at.After = last.Unix() - 1
	}
	return found, at, nil
}

// inOrder says whether the store kept the order of time. Where orders are kept as posts it sorts by its own time, which
// goes back once a year; and an order that changed after it was chosen shows a time behind the window.
func inOrder(times []time.Time, end int64) bool {
	for i, t := range times {
		if t.IsZero() || t.Unix() >= end || i > 0 && t.Before(times[i-1]) {
			return false
		}
	}
	return true
}

// backward reads the last page of a span that is not read yet.
func (c *Client) backward(ctx context.Context, window affiliate.OrderWindow, at progress) (rows, progress, error) {
	query := with(rangeOf(window.By, at.After, at.Span), "status", at.status(), "orderby", "id", "order", "asc")
	if at.Total == 0 {
		answer, err := c.ask(ctx, question{route: ordersRoute, query: with(query, "per_page", "1", "_fields", "id")})
		if err != nil {
			return rows{}, at, err
		}
		if at.Total = total(answer); at.Total < 0 {
			return rows{}, at, c.noTotal()
		}
		at.Left = at.Total
	}
	found := rows{}
	if at.Left > 0 {
		from := max(0, at.Left-c.size.Now())
		var err error
		found, err = c.list(ctx, window.By, question{query: with(query, "offset", strconv.Itoa(from),
			"per_page", strconv.Itoa(at.Left-from), "_fields", orderFields)})
		switch {
		case err != nil:
			return rows{}, at, err
		case found.total > at.Total: // some came back, such as from the trash: what is not read has moved
			at.Left, at.Total = found.total, found.total
			return found, at, nil
		}
		at.Left = from
	}
	if at.Left == 0 {
		at.After, at.Span, at.Total = at.Span-1, 0, 0
	}
	return found, at, nil
}

func (c *Client) ignoresDates() error {
	return &affiliate.Error{Kind: affiliate.Invalid, Code: affiliate.StoreAnswer, Message: c.host() + " gives orders " +
		"of any time when it is asked for those of a certain time. Update WooCommerce: it can do that since 5.8."}
}

func (c *Client) hidden() error {
	return &affiliate.Error{Kind: affiliate.Forbidden, Code: affiliate.StoreForbidden, Message: c.host() + " has " +
		"orders that it does not show to the keys. Make new ones as an administrator (" + keysMenu + ") and connect " +
		"the store again."}
}
