package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// DoubtsSettled says to people what settles what deliveries leave in doubt.
const DoubtsSettled = "A newer delivery of the order settles it, or reading it again in the store."

// StatusMeanings are what a status that a plugin set may mean, by the status; an empty one takes a decision back.
type StatusMeanings map[string]affiliate.StoreStatus

// SetStatuses decides what statuses mean that plugins set on a store's orders, and has the orders concerned judged
// again in the background. A warning of one of the statuses goes. Invalid for a status of the platform's own or a word
// that is no meaning; Conflict while figures are being computed anew.
func (a *App) SetStatuses(ctx context.Context, id affiliate.StoreID,
	meanings StatusMeanings) (list []storage.StoreStatus, err error) {
	if meanings, err = a.checkMeanings(ctx, id, meanings); err != nil {
		return nil, err
	}
	err = a.changeCatalog(ctx, func(tx *storage.Tx) error {
		store, err := tx.Store(ctx, id)
		if err != nil {
			return err
		}
		rules, err := tx.StoreRules(ctx, []affiliate.StoreID{id})
		if err != nil {
			return err
		}
		before, after := facts{}, facts{}
		for _, status := range slices.Sorted(maps.Keys(meanings)) {
			meaning := meanings[status]
			if rules[id].Statuses[status] == meaning {
				continue
			}
			before[status], after[status] = rules[id].Statuses[status], meaning
			if err := tx.SetStoreStatus(ctx, storage.StoreStatus{StoreID: id, Status: status, Meaning: meaning,
				UpdatedAt: storage.At(a.now())}); err != nil {
				return err
			}
			if warning := statusWarning(status); store.Warning == warning {
				if _, err := tx.DismissWarning(ctx, id, warning); err != nil {
					return err
				}
			}
		}
		if len(after) > 0 {
			if err := a.startRecalculation(ctx, tx, "statuses", "statuses of "+store.Slug,
				[]string{storage.PhaseStatuses}, nil); err != nil {
				return err
			}
			if err := a.audit(ctx, tx, "store.statuses", id, before, after); err != nil {
				return err
			}
		}
		list, err = tx.StoreStatuses(ctx, id)
		return err
	})
	return list, err
}

const aboutStatus = "An order has the status "

// AboutStatus says whether a store's warning only tells of a status that nobody has decided about: something to decide
// in time, no trouble.
func AboutStatus(warning string) bool { return strings.HasPrefix(warning, aboutStatus) }

// dataRequested begins the warning that a customer wants to know what is kept of them.
const dataRequested = "A customer asked the store for their data"

// AsksForData says whether a store's warning tells that a customer wants to know what is kept of them.
func AsksForData(warning string) bool { return strings.HasPrefix(warning, dataRequested) }

// disconnected is the warning that nothing comes from a store, since our webhooks there were removed with its keys.
const disconnected = "Disconnected from its API. No orders come until webhooks are made by hand, or it is connected " +
	"again."

// Disconnected says whether a store's warning tells that it was disconnected and sends nothing.
func Disconnected(warning string) bool { return warning == disconnected }

// statusWarning tells a store's owner of a status that nobody has decided about.
func statusWarning(status string) string {
	return fmt.Sprintf(aboutStatus+"%q, which a plugin set: say on the store's page what it means. Until "+
		"then an order with a payment date counts as paid, and one that was canceled or refunded before stays so.",
		status)
}

// checkMeanings gives the meanings with their statuses as bodies have them: without the platform's prefix.
func (a *App) checkMeanings(ctx context.Context, id affiliate.StoreID,
	meanings StatusMeanings) (StatusMeanings, error) {
	store, err := a.DB.Store(ctx, id)
	if err != nil {
		return nil, err
	}
	guide, clean := a.Platforms.Guide(store.Platform), StatusMeanings{}
	for status, meaning := range meanings {
		name := strings.TrimPrefix(strings.TrimSpace(status), guide.StatusPrefix)
		if name == "" || len(name) > 40 {
			return nil, affiliate.FieldErrorf("statuses", "%q is no status; it must have 1 to 40 characters", status)
		}
		if guide.OwnStatus(name) {
			return nil, affiliate.FieldErrorf("statuses", "%s is %s's own status, whose meaning is known", name,
				guide.Name)
		}
		switch meaning {
		case "", affiliate.StorePaid, affiliate.StorePending, affiliate.StoreCanceled, affiliate.StoreRefunded:
		default:
			return nil, affiliate.FieldErrorf("statuses",
				"%s cannot mean %q: it must be paid, pending, canceled or refunded", name, meaning)
		}
		clean[name] = meaning
	}
	if len(clean) == 0 {
		return nil, affiliate.FieldErrorf("statuses", "must name at least one status")
	}
	return clean, nil
}

// RulesPreview is what a decision about a store's orders would change.
type RulesPreview struct {
	Concerned int // orders that were looked at
	Changed   int
	Moves     []RulesMove
	Orders    []OrderMove // the first ones that change, at most MostMoved
}

// RulesMove counts the orders that go from one status to another, with what that does to their values.
type RulesMove struct {
	From, To affiliate.OrderStatus
	Currency money.Currency
	Orders   int
	Value    int64 // after less before, minor units of Currency
}

// Sentence says it to people, with amounts as write writes them: "12 orders go from paid to canceled: -1234.00 EUR."
func (m RulesMove) Sentence(write func(minor int64, currency money.Currency) string) string {
	orders, goes, stays, sum := fmt.Sprintf("%d orders", m.Orders), "go", "stay", "their value stays as it is"
	if m.Orders == 1 {
		orders, goes, stays, sum = "1 order", "goes", "stays", "its value stays as it is"
	}
	way := fmt.Sprintf("%s from %s to %s", goes, m.From, m.To)
	if m.From == m.To {
		way = fmt.Sprintf("%s %s", stays, m.To)
	}
	if m.Value != 0 {
		sum = write(m.Value, m.Currency)
		if m.Value > 0 {
			sum = "+" + sum
		}
	}
	return fmt.Sprintf("%s %s: %s.", orders, way, sum)
}

// OrderMove is one order that would change.
type OrderMove struct {
	Before storage.Order
	Status affiliate.OrderStatus
	Value  int64
}

// MostMoved bounds the orders that a preview names.
const MostMoved = 50

// PreviewStatuses says what SetStatuses would change.
func (a *App) PreviewStatuses(ctx context.Context, id affiliate.StoreID, meanings StatusMeanings) (RulesPreview,
	error) {
	meanings, err := a.checkMeanings(ctx, id, meanings)
	if err != nil {
		return RulesPreview{}, err
	}
	return a.previewRules(ctx, id, func(rules *affiliate.OrderRules) {
		rules.Statuses = maps.Clone(rules.Statuses)
		for status, meaning := range meanings {
			rules.Statuses[status] = meaning
			if meaning == "" {
				delete(rules.Statuses, status)
			}
		}
	})
}

func (a *App) previewRules(ctx context.Context, id affiliate.StoreID,
	change func(*affiliate.OrderRules)) (preview RulesPreview, err error) {
	all, err := a.DB.StoreRules(ctx, []affiliate.StoreID{id})
	if err != nil {
		return preview, err
	}
	rules := all[id].OrderRules
	change(&rules)
	moves := map[RulesMove]RulesMove{}
	for after := affiliate.OrderID(0); ; {
		list, err := a.DB.ConcernedOrders(ctx, id, after, recalculateBatch)
		if err != nil {
			return preview, err
		}
		for _, o := range list {
			after = o.ID
			var state affiliate.OrderState
			if err := json.Unmarshal([]byte(o.State), &state); err != nil {
				return preview, fmt.Errorf("read the state of order %s: %w", o.ID, err)
			}
			v, known := state.View(rules)
			if !known {
				continue
			}
			preview.Concerned++
			if v.Status == o.Status && v.Value == o.Value && v.Part == o.Part {
				continue
			}
			preview.Changed++
			key := RulesMove{From: o.Status, To: v.Status, Currency: v.Currency}
			move := moves[key]
			if move.Orders == 0 {
				move = key
			}
			move.Orders++
			move.Value += v.Value - o.Value
			moves[key] = move
			if len(preview.Orders) < MostMoved {
				preview.Orders = append(preview.Orders, OrderMove{Before: o, Status: v.Status, Value: v.Value})
			}
		}
		if len(list) < recalculateBatch {
			break
		}
	}
	preview.Moves = slices.SortedFunc(maps.Values(moves), func(a, b RulesMove) int {
		return strings.Compare(string(a.From+a.To)+string(a.Currency), string(b.From+b.To)+string(b.Currency))
	})
	return preview, nil
}

// reviewOrders judges a batch of the orders again that a store's owner decides about, from behind after. It gives the
// last one and how many they were.
func (a *App) reviewOrders(ctx context.Context, tx *storage.Tx, after int64, most int, settings affiliate.Settings,
	zone *time.Location) (int64, int, error) {
	list, err := tx.ConcernedOrders(ctx, 0, affiliate.OrderID(after), most)
	if err != nil || len(list) == 0 {
		return 0, 0, err
	}
	m := newMerger(tx, a, settings, zone, a.now())
	for _, o := range list {
		key := storage.OrderKey{StoreID: o.StoreID, ExternalID: o.ExternalID}
		m.orders[key] = &mergedOrder{}
		m.keys = append(m.keys, key)
	}
	if err := m.load(ctx, m.keys); err != nil {
		return 0, 0, err
	}
	for _, key := range m.keys {
		if err := m.review(key, m.orders[key]); err != nil {
			return 0, 0, err
		}
	}
	return int64(list[len(list)-1].ID), len(list), m.settle(ctx)
}

// review computes anew what people see of an order.
func (m *merger) review(key storage.OrderKey, o *mergedOrder) error {
	var state affiliate.OrderState
	if err := json.Unmarshal([]byte(o.row.State), &state); err != nil {
		return fmt.Errorf("read the state of order %s: %w", o.row.ID, err)
	}
	o.view, o.known = state.View(m.rules[key.StoreID].OrderRules)
	return m.show(o)
}
