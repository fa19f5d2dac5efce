package app

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Reattribution is one order that late knowledge credits, or would credit.
type Reattribution struct {
	Order    storage.Order
	Store    string // the order's, by slug
	Credit   affiliate.Credit
	Sentence string
}

// reattributeBatch is how many orders one transaction looks at.
const reattributeBatch = 200

// Reattribute credits orders that came before the code or link on them was known here. With dryRun it changes nothing
// and gives what it would credit. Ownership intervals hold: a code that belonged to nobody when the order was placed
// credits nobody. Each batch is a transaction of its own; a canceled run can simply be started again. report is called
// with every order, in the order of their ids; it may be nil.
func (a *App) Reattribute(ctx context.Context, dryRun bool, report func(Reattribution)) (int, error) {
	var after affiliate.OrderID
	total := 0
	for {
		orders, err := a.DB.OrdersWithOwnedEvidence(ctx, after, reattributeBatch)
		if err != nil || len(orders) == 0 {
			return total, err
		}
		a.letOthersIn(ctx, after != 0)
		after = orders[len(orders)-1].ID
		var credited []Reattribution
		err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
			if err := tx.ShareCatalog(ctx); err != nil {
				return err
			}
			settings, zone, err := tx.Account(ctx)
			if err != nil {
				return err
			}
			m := newMerger(tx, a, settings, zone, a.Now())
			credited, err = m.reattribute(ctx, orders, dryRun)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("re-attribute: %w", err)
		}
		for _, r := range credited {
			total++
			if report != nil {
				report(r)
			}
		}
	}
}

// reattribute decides orders again that are not credited, and saves those that now are.
func (m *merger) reattribute(ctx context.Context, orders []storage.Order, dryRun bool) ([]Reattribution, error) {
	open, err := m.reopen(ctx, orders)
	if err != nil {
		return nil, err
	}
	slugs, err := m.tx.StoreSlugs(ctx)
	if err != nil {
		return nil, err
	}
	var credited []Reattribution
	for _, o := range open {
		if o.verdict.Winner == nil {
			continue
		}
		o.accept()
		credited = append(credited, Reattribution{Order: o.row, Store: slugs[o.row.StoreID], Credit: *o.verdict.Winner,
			Sentence: o.verdict.Trace.Sentences()[0]})
	}
	if dryRun {
		return credited, nil
	}
	return credited, m.write(ctx)
}

// reopen locks and reads orders, and decides those again that are not credited. Nothing is written of them unless their
// verdict is accepted.
func (m *merger) reopen(ctx context.Context, orders []storage.Order) ([]*mergedOrder, error) {
	for _, o := range orders {
		key := storage.OrderKey{StoreID: o.StoreID, ExternalID: o.ExternalID}
		m.orders[key] = &mergedOrder{}
		m.keys = append(m.keys, key)
	}
	if err := m.load(ctx, m.keys); err != nil {
		return nil, err
	}
	var open []*mergedOrder
	for _, key := range m.keys {
		o := m.orders[key]
		var state affiliate.OrderState
		if err := json.Unmarshal([]byte(o.row.State), &state); err != nil {
			return nil, fmt.Errorf("read the state of order %s: %w", o.row.ID, err)
		}
		o.view, o.known = state.View(m.rules[o.row.StoreID].OrderRules)
		if o.known && o.row.NotCredited != nil {
			open = append(open, o)
		}
	}
	return open, m.decide(ctx, open)
}

// accept makes the order's new verdict one that is written.
func (o *mergedOrder) accept() {
	o.changed, o.attribute = true, true
	o.row.Revision++
}
