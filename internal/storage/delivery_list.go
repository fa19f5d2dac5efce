package storage

import (
	"context"
	"fmt"

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
	Order      string `db:"order_external"`
}

// DeliveryFilter narrows a list of deliveries. Zero fields do not.
type DeliveryFilter struct {
	State DeliveryState
	Store string // slug
}

// ListDeliveries gives deliveries, newest first, and the cursor of the next page, which is empty on the last one.
func (q queries) ListDeliveries(ctx context.Context, d DeliveryFilter, p Page) ([]DeliveryRow, string, error) {
	var f filter
	if d.Store != "" {
		f.and("s.slug = ?", d.Store)
	}
	switch d.State {
	case DeliveryWaiting, DeliveryFailed, DeliveryDone, DeliveryIgnored:
		f.and("d.state = '" + string(d.State) + "'") // spelled out: the index of open deliveries is partial
	}
	if p.Cursor != "" {
		at, err := parseCursor(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		f.and("d.id < ?", at.ID)
	}
	var rows []DeliveryRow
	limit := p.limit()
	err := q.list(ctx, &rows, `SELECT d.id, s.slug AS store, d.topic, d.received_at, d.processed_at, d.state, d.attempts, d.retry_at, d.note,
		d.order_external FROM deliveries d JOIN stores s ON s.id = d.store_id`+f.where()+fmt.Sprintf(" ORDER BY d.id DESC LIMIT %d", limit+1), f.args...)
	if err != nil || len(rows) <= limit {
		return rows, "", err
	}
	rows = rows[:limit]
	return rows, position{ID: int64(rows[limit-1].ID)}.cursor(), nil
}
