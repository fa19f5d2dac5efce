package app

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Told is what a delivery made of an order. After is nil where its body is gone or says nothing of the order, and
// Before where nothing is known of the order until then.
type Told struct {
	Before, After *affiliate.OrderView
}

// mostTold is how many deliveries of one order are read again to tell what each of them changed.
const mostTold = 60

// OrderStory reads the deliveries of an order again, newest first as lists have them, and says what each that was
// applied has changed. It changes nothing. Of an order with very many, the newest are told of.
func (a *App) OrderStory(ctx context.Context, o storage.Order,
	rows []storage.DeliveryRow) (map[affiliate.DeliveryID]Told, error) {
	rules, err := a.DB.StoreRules(ctx, []affiliate.StoreID{o.StoreID})
	if err != nil {
		return nil, err
	}
	store, err := a.DB.Store(ctx, o.StoreID)
	if err != nil {
		return nil, err
	}
	platform := a.Platforms.Of(store.Platform)
	if platform == nil {
		return nil, nil
	}
	told := map[affiliate.DeliveryID]Told{}
	var state affiliate.OrderState
	var before *affiliate.OrderView
	var ids []affiliate.DeliveryID
	for _, row := range rows[:min(len(rows), mostTold)] {
		if row.State == storage.DeliveryDone {
			ids = append(ids, row.ID)
		}
	}
	err = a.DB.EachDelivery(ctx, ids, func(d *storage.Delivery) error {
		events := eventsOf(platform, *d, o.ExternalID)
		for _, e := range events {
			state = state.Merge(e)
		}
		if view, known := state.View(rules[o.StoreID].OrderRules); known && len(events) > 0 {
			told[d.ID] = Told{before, &view}
			before = &view
		}
		return nil
	})
	return told, err
}

// eventsOf is what a kept body says about one order.
func eventsOf(platform Platform, d storage.Delivery, order string) (events []affiliate.Event) {
	if d.Payload == nil {
		return nil
	}
	parsed, err := readKept(platform, d)
	if err != nil {
		return nil
	}
	for _, e := range parsed.Events {
		if e.OrderID != order {
			continue
		}
		if e.Snapshot != nil {
			e.Snapshot.CustomerEmail = ""
		}
		events = append(events, e)
	}
	return events
}
