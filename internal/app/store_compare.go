package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// underWay is how young a change may be and not be here yet: its delivery is on its way.
const underWay = 2 * time.Minute

// comparer compares what a store's API says of orders with what is here.
type comparer struct {
	app      *App
	store    affiliate.Store
	platform Platform
	client   StoreClient
	rules    affiliate.OrderRules
	job      affiliate.StoreJob
}

// found is what a comparison came to, about one page of orders.
type found struct {
	readings []reading
	drift    []affiliate.Drift
	kinds    map[string]affiliate.DriftKind // by order, those that did not agree
	settled  int64
	compared int64
	gone     int // that the store has no more, and that counted here until now
}

// judged is one order of a page.
type judged struct {
	order  affiliate.StoreOrder
	kind   affiliate.DriftKind // empty: it agrees, or what it says only settles a doubt
	fields []affiliate.Drift
	settle bool // what is here is in doubt
	young  bool // a delivery may be on its way: the next comparison looks at it
	keep   bool
	exact  bool // it is to be read again in all detail before it is kept
}

// compare judges a page. What is to be kept is read again in detail first, where that tells more. asked is when the
// page was asked for, by our clock.
func (c *comparer) compare(ctx context.Context, page affiliate.OrderPage, asked time.Time) (found, error) {
	list, err := c.judge(ctx, page, asked)
	if err != nil {
		return found{}, err
	}
	f := found{kinds: map[string]affiliate.DriftKind{}}
	for _, j := range list {
		if !j.young {
			f.compared++
		}
	}
	if err := c.inDetail(ctx, list, &f); err != nil {
		return f, err
	}
	for _, j := range list {
		if j.exact {
			continue // inDetail has judged it anew
		}
		c.add(&f, j, page.ReadAt, asked)
	}
	return f, nil
}

// add takes one judgement over.
func (c *comparer) add(f *found, j judged, read, asked time.Time) {
	if j.kind != "" {
		f.kinds[j.order.ID] = j.kind
		f.drift = append(f.drift, j.fields...)
	} else if j.settle && j.keep {
		f.settled++
	}
	if !j.keep {
		return
	}
	why := string(j.kind)
	switch {
	case c.job.Kind == affiliate.JobHistory && j.kind == affiliate.DriftMissing:
		why = foundHistory
	case j.kind == "":
		why = foundSettled
	}
	f.readings = append(f.readings, reading{store: c.store.ID, job: c.job.ID, order: j.order, found: why, began: asked,
		read: read})
}

// inDetail reads those orders again that are to be kept and of which the store can tell more, and judges them anew.
func (c *comparer) inDetail(ctx context.Context, list []judged, f *found) error {
	var ids []string
	for _, j := range list {
		if j.exact {
			ids = append(ids, j.order.ID)
		}
	}
	for part := range slices.Chunk(ids, OrdersAtOnce) {
		asked := c.app.now()
		again, err := c.byID(ctx, part)
		if err != nil {
			return err
		}
		judged, err := c.judge(ctx, again, asked)
		if err != nil {
			return err
		}
		for _, j := range judged {
			c.add(f, j, again.ReadAt, asked)
		}
	}
	return nil
}

// byID looks for orders in all detail.
func (c *comparer) byID(ctx context.Context, ids []string) (affiliate.OrderPage, error) {
	page, err := c.client.OrdersByID(ctx, ids, affiliate.OrderDetail{Rows: true, Decimals: c.store.Currency.Digits()})
	for i := range page.Orders {
		page.Orders[i].Rough = false // there is no more to tell
	}
	return page, c.app.asked(ctx, c.store.ID, err)
}

// judge says of each order of a page whether it agrees with what is here.
func (c *comparer) judge(ctx context.Context, page affiliate.OrderPage, asked time.Time) ([]judged, error) {
	keys := make([]storage.OrderKey, len(page.Orders))
	for i, o := range page.Orders {
		keys[i] = storage.OrderKey{StoreID: c.store.ID, ExternalID: o.ID}
	}
	here, err := c.app.DB.Orders(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	list := make([]judged, 0, len(page.Orders))
	for i, o := range page.Orders {
		row, known := here[keys[i]]
		j, err := c.judgeOne(o, row, known, page.ReadAt, asked)
		if err != nil {
			return nil, err
		}
		list = append(list, j)
	}
	return list, nil
}

func (c *comparer) judgeOne(o affiliate.StoreOrder, row storage.Order, known bool, read,
	asked time.Time) (judged, error) {
	j := judged{order: o}
	parsed, err := safely("parsing", func() (affiliate.Parsed, error) {
		return c.platform.Parse(affiliate.TopicOrderRead, o.Body)
	})
	if err != nil {
		// It is kept as it is, and fails where people see it, with its remedy.
		j.kind, j.keep = affiliate.DriftMissing, true
		if known {
			j.kind = affiliate.DriftDifferent
		}
		j.fields = []affiliate.Drift{c.drift(o.ID, j.kind, "", "", "")}
		return j, nil
	}
	stamp(parsed.Events, asked, time.Time{}, read)
	parsed.Events = slices.DeleteFunc(parsed.Events, func(e affiliate.Event) bool { return e.OrderID != o.ID })
	if len(parsed.Events) == 0 {
		return j, nil // a draft, or another thing that is no order yet
	}
	var state affiliate.OrderState
	if known {
		if err := json.Unmarshal([]byte(row.State), &state); err != nil {
			return j, fmt.Errorf("read the state of order %s: %w", row.ID, err)
		}
	}
	before, described := state.View(c.rules)
	for _, e := range parsed.Events {
		c.app.hideCustomer(e.Snapshot)
		state = state.Merge(e)
	}
	after, _ := state.View(c.rules)
	// No delivery told of what happened before the store was added.
	late := c.job.Kind == affiliate.JobHistory || c.since(read, o.Version) > underWay ||
		time.UnixMilli(o.Version).Before(c.store.CreatedAt)
	switch {
	case !described && late:
		j.kind = affiliate.DriftMissing
		j.fields = []affiliate.Drift{c.drift(o.ID, j.kind, "", "", string(after.Status))}
	case !described:
		j.young = true
		return j, nil
	case o.Version > before.UpdatedAt.UnixMilli():
		if !late {
			j.young = true
			return j, nil
		}
		j.kind = affiliate.DriftBehind
	case o.Version < before.UpdatedAt.UnixMilli():
		return j, nil // the page is older than the last delivery
	}
	if described {
		j.settle = len(before.Doubts) > 0
		fields := c.differences(o.ID, before, after)
		switch {
		case j.kind == affiliate.DriftBehind:
			j.fields = append(fields, c.drift(o.ID, j.kind, "updated_at", before.UpdatedAt.Format(time.RFC3339),
				after.UpdatedAt.Format(time.RFC3339)))
		case !late:
			return j, nil // the store may not have come to its end, or a delivery is on its way
		case j.settle:
			j.keep = len(fields) > 0 || !slices.Equal(before.Doubts, after.Doubts) || o.Rough
		case len(fields) > 0:
			j.kind, j.fields = affiliate.DriftDifferent, fields
		case len(before.Links) == 0 && len(after.Links) > 0:
			// The store had not worked out by which link the customer came when it was asked before.
			j.settle, j.keep = true, true
		}
		for i := range j.fields {
			j.fields[i].Kind = j.kind
		}
	}
	j.keep = j.keep || j.kind != ""
	j.exact = j.keep && o.Rough
	return j, nil
}

// since is how long ago a version was, by the store's clock where it tells one.
func (c *comparer) since(read time.Time, version int64) time.Duration {
	if read.IsZero() {
		read = c.app.now()
	}
	return read.Sub(time.UnixMilli(version))
}

func (c *comparer) drift(order string, kind affiliate.DriftKind, field, ours, theirs string) affiliate.Drift {
	return affiliate.Drift{JobID: c.job.ID, Order: order, Kind: kind, Field: field, Ours: ours, Theirs: theirs}
}

// differences lists in what two views of an order differ, as the API names and writes it.
func (c *comparer) differences(order string, ours, theirs affiliate.OrderView) (list []affiliate.Drift) {
	field := func(name, a, b string) {
		if a != b {
			list = append(list, c.drift(order, "", name, a, b))
		}
	}
	amount := func(name string, a, b int64) {
		field(name, money.Format(a, ours.Currency), money.Format(b, theirs.Currency))
	}
	field("status", string(ours.Status), string(theirs.Status))
	field("currency", ours.Currency.Code(), theirs.Currency.Code())
	amount("value", ours.Value, theirs.Value)
	amount("original_value", ours.OriginalValue, theirs.OriginalValue)
	amount("total", ours.Total, theirs.Total)
	amount("refunded", ours.Refunded, theirs.Refunded)
	amount("refund_pending", ours.RefundPending, theirs.RefundPending)
	field("codes", strings.Join(ours.Codes, ", "), strings.Join(theirs.Codes, ", "))
	return list
}

// lookFor compares orders that are here with the store, by their ids: those that it has no more are extra.
func (c *comparer) lookFor(ctx context.Context, list []storage.Order) (found, error) {
	ids := make([]string, len(list))
	here := map[string]storage.Order{}
	for i, o := range list {
		ids[i], here[o.ExternalID] = o.ExternalID, o
	}
	asked := c.app.now()
	page, err := c.byID(ctx, ids)
	if err != nil {
		return found{}, err
	}
	f, err := c.compare(ctx, page, asked)
	if err != nil {
		return f, err
	}
	f.compared += int64(len(page.Gone))
	for _, id := range page.Gone {
		row, ok := here[id]
		if !ok {
			continue
		}
		gone := reading{store: c.store.ID, job: c.job.ID, order: affiliate.StoreOrder{ID: id}, gone: true, began: asked,
			read: page.ReadAt, found: string(affiliate.DriftExtra)}
		var state affiliate.OrderState
		if err := json.Unmarshal([]byte(row.State), &state); err != nil {
			return f, fmt.Errorf("read the state of order %s: %w", row.ID, err)
		}
		before, _ := state.View(c.rules)
		after, _ := state.Merge(affiliate.Event{OrderID: id, Gone: true, Received: asked}).View(c.rules)
		switch fields := c.differences(id, before, after); {
		case len(fields) > 0 && !slices.Contains(before.Doubts, affiliate.DoubtDeletion):
			f.kinds[id] = affiliate.DriftExtra
			f.gone++
			f.drift = append(f.drift, c.drift(id, affiliate.DriftExtra, "", string(before.Status), ""))
		case len(fields) > 0 || !slices.Equal(before.Doubts, after.Doubts):
			f.settled++
			gone.found = foundSettled
		default:
			continue
		}
		f.readings = append(f.readings, gone)
	}
	return f, nil
}
