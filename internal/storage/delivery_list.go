package storage

import (
	"cmp"
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// DeliveryRow is a delivery as lists show it: with its store's slug, without its payload.
type DeliveryRow struct {
	ID         affiliate.DeliveryID
	Store      string
	Topic      string
	ReceivedAt Time `db:"received_at"`
	Processed  Time `db:"processed_at"`
	State      DeliveryState
	Attempts   int
	RetryAt    Time `db:"retry_at"`
	Note       string
	Order      string            `db:"order_external"` // the store's id of the (first) order that it told about
	OrderID    affiliate.OrderID `db:"order_id"`       // 0 where nothing is kept of such an order
	Number     string            // the order's, as people see it
	Aside      SetAside          `db:"aside"` // empty unless it was set aside
}

// DeliveryFilter narrows a list of deliveries. Zero fields do not.
type DeliveryFilter struct {
	State  DeliveryState
	Store  string // slug
	Topic  string
	Orders []string // the store's ids of them
	Sent   bool     // by the store itself: without what we read from its API
	// Look is how many deliveries a page looks through at most; 0: all. States, topics and stores have no index of
	// their own, which the intake would pay for, so what is rare is looked for among all that came. A page that ends
	// for this reason has fewer rows than asked for, maybe none, and the cursor to look further back with.
	Look int64
}

// sought says whether an index finds the deliveries: then they are few, and all of them are looked at.
func (d DeliveryFilter) sought() bool {
	switch d.State {
	case DeliveryWaiting, DeliveryFailed, DeliverySetAside:
		return true
	}
	return d.Store != "" && len(d.Orders) > 0
}

// ListDeliveries gives deliveries, newest first, and the cursor of the next page, which is empty on the last one.
func (q queries) ListDeliveries(ctx context.Context, d DeliveryFilter, p Page) ([]DeliveryRow, string, error) {
	var f Filter
	if d.Store != "" {
		f.And("s.slug = ?", d.Store)
	}
	switch d.State {
	case DeliveryWaiting, DeliveryFailed, DeliveryDone, DeliveryIgnored:
		f.And("d.state = '" + string(d.State) + "'") // spelled out: the index of open deliveries is partial
	case DeliverySetAside:
		f.And("d.state = 'set_aside' AND d.id IN (SELECT delivery_id FROM set_asides)")
	}
	Is(&f, "d.topic", d.Topic)
	if d.Sent {
		f.And("d.topic NOT LIKE ?", affiliate.TopicRead+"%")
	}
	if len(d.Orders) > 0 {
		f.And("d.order_external <> ''") // as the index of orders says
	}
	In(&f, "d.order_external", d.Orders)
	if err := newestDeliveries.After(&f, p.Cursor); err != nil {
		return nil, "", err
	}
	end := ""
	if d.Look > 0 && !d.sought() {
		floor, more, err := q.lookUntil(ctx, p.Cursor, d.Look)
		if err != nil {
			return nil, "", err
		}
		f.And("d.id >= ?", floor)
		if more {
			end = newestDeliveries.cursor(floor)
		}
	}
	top := newestDeliveries
	if d.sought() {
		// Sorts the few; by the bare id both databases would read all backwards until they have met enough.
		top = Keyset{Keys: []Key{{SQL: "+d.id", Descending: true}}}
	}
	var rows []DeliveryRow
	// The orders are looked up for the few rows of the page, not for all that are skipped.
	err := q.List(ctx, &rows, `SELECT d.id, s.slug AS store, d.topic, d.received_at, d.processed_at, d.state, d.attempts, d.retry_at, d.note,
		d.order_external, COALESCE(o.id, 0) AS order_id, COALESCE(o.number, '') AS number,
		COALESCE(a.reason, '') AS "aside.reason", COALESCE(a.actor, '') AS "aside.actor", a.at AS "aside.at"
		FROM (SELECT d.id FROM deliveries d JOIN stores s ON s.id = d.store_id`+f.Where()+top.Top(p.Size())+`) found
		JOIN deliveries d ON d.id = found.id JOIN stores s ON s.id = d.store_id
		LEFT JOIN orders o ON o.store_id = d.store_id AND o.external_id = d.order_external
		LEFT JOIN set_asides a ON a.delivery_id = d.id
		`+newestDeliveries.By(), f.Args...)
	rows, next := Cut(newestDeliveries, rows, p.Size())
	return rows, cmp.Or(next, end), err
}

var newestDeliveries = Keyset{Keys: []Key{{SQL: "d.id", Descending: true}}}

// lookUntil gives the oldest of the most deliveries behind a cursor that are looked through, and whether there are
// older ones. Ids leave gaps where repeats came, so it may be fewer.
func (q queries) lookUntil(ctx context.Context, cursor string, most int64) (floor affiliate.DeliveryID,
	more bool, err error) {
	var ends struct{ First, Last affiliate.DeliveryID }
	err = q.Get(ctx, &ends, `SELECT COALESCE((SELECT MIN(id) FROM deliveries), 0) AS first, COALESCE((SELECT MAX(id) FROM deliveries), 0) AS last`)
	before := ends.Last + 1
	if cursor != "" {
		keys, err := newestDeliveries.read(cursor)
		if err != nil {
			return 0, false, err
		}
		before = affiliate.DeliveryID(keys[0].(int64))
	}
	floor = max(ends.First, before-affiliate.DeliveryID(most))
	return floor, floor > ends.First, err
}

// OrdersCalled gives the store's ids of the orders that people mean by a text: an id of the store's, or the number as
// the store shows it, with or without its #. Numbers have no index, so they are looked for among the newest orders.
func (q queries) OrdersCalled(ctx context.Context, store affiliate.StoreID, text string) ([]string, error) {
	const newest = 50_000
	ids := []string{text}
	var numbered []string
	err := q.List(ctx, &numbered, `SELECT external_id FROM orders WHERE id > (SELECT MAX(id) FROM orders) - ? AND store_id = ? AND number IN (?, ?)
		AND external_id <> ? ORDER BY id DESC LIMIT 20`, newest, store, text, "#"+text, text)
	return append(ids, numbered...), err
}
