package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// merger applies events to orders within one transaction.
type merger struct {
	tx       *storage.Tx
	app      *App
	settings affiliate.Settings
	zone     *time.Location
	now      time.Time
	orders   map[storage.OrderKey]*mergedOrder
	keys     []storage.OrderKey
	rules    map[affiliate.StoreID]storage.StoreRules
}

type mergedOrder struct {
	events     []affiliate.Event
	receivedAt time.Time
	before     *storage.Order // as it stands in the database; nil for a new one
	row        storage.Order
	view       affiliate.OrderView
	known      bool // a delivery has described it
	moved      bool // its state changed, if only by when it came in
	changed    bool // what people see changed, or may have
	attribute  bool // whose sale it is must be decided (again)
	verdict    affiliate.Verdict
	converted  *storage.Conversion // as it stands in the database; nil for none
	conversion *storage.Conversion
}

func newMerger(tx *storage.Tx, a *App, s affiliate.Settings, zone *time.Location, now time.Time) *merger {
	return &merger{tx: tx, app: a, settings: s, zone: zone, now: now, orders: map[storage.OrderKey]*mergedOrder{}}
}

func (m *merger) add(d parsedDelivery, e affiliate.Event) {
	key := storage.OrderKey{StoreID: d.StoreID, ExternalID: e.OrderID}
	o := m.orders[key]
	if o == nil {
		o = &mergedOrder{receivedAt: d.ReceivedAt.Time}
		m.orders[key] = o
		m.keys = append(m.keys, key)
	}
	o.events = append(o.events, e)
}

// run locks and reads the orders, merges, decides, and writes what changed.
func (m *merger) run(ctx context.Context) error {
	if len(m.keys) == 0 {
		return nil
	}
	if err := m.load(ctx, m.keys); err != nil {
		return err
	}
	for _, key := range m.keys {
		if err := m.merge(key, m.orders[key]); err != nil {
			return err
		}
	}
	if err := m.seeStatuses(ctx); err != nil {
		return err
	}
	return m.settle(ctx)
}

// load locks orders and reads them with their conversions.
func (m *merger) load(ctx context.Context, keys []storage.OrderKey) error {
	if err := m.tx.LockOrders(ctx, keys); err != nil {
		return fmt.Errorf("lock orders: %w", err)
	}
	rows, err := m.tx.Orders(ctx, keys)
	if err != nil {
		return fmt.Errorf("read orders: %w", err)
	}
	stores := make([]affiliate.StoreID, 0, len(keys))
	for _, k := range keys {
		stores = append(stores, k.StoreID)
	}
	if m.rules, err = m.tx.StoreRules(ctx, distinct(stores)); err != nil {
		return fmt.Errorf("read what stores' owners decided: %w", err)
	}
	ids := make([]affiliate.OrderID, 0, len(rows))
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	conversions, err := m.tx.Conversions(ctx, ids)
	if err != nil {
		return fmt.Errorf("read conversions: %w", err)
	}
	for key, row := range rows {
		o := m.orders[key]
		o.row, o.before = row, &row
		if c, ok := conversions[row.ID]; ok {
			o.conversion, o.converted = &c, &c
		}
	}
	return nil
}

// merge puts the events into an order's state and computes what people see of it.
func (m *merger) merge(key storage.OrderKey, o *mergedOrder) error {
	var state affiliate.OrderState
	if o.row.State != "" {
		if err := json.Unmarshal([]byte(o.row.State), &state); err != nil {
			return fmt.Errorf("read the state of order %s: %w", o.row.ID, err)
		}
	}
	for _, e := range o.events {
		state = state.Merge(e)
	}
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	rules := m.rules[key.StoreID].OrderRules
	if o.view, o.known = state.View(rules); string(text) == o.row.State {
		return nil
	}
	o.moved = true
	o.row.StoreID, o.row.ExternalID, o.row.State = key.StoreID, key.ExternalID, string(text)
	return m.show(o)
}

// show copies what people see into the order's row, and says whether it changed and attribution must look at it.
func (m *merger) show(o *mergedOrder) error {
	r, v := &o.row, o.view
	before := *r
	if o.known {
		codes, err := json.Marshal(append([]string{}, v.Codes...))
		if err != nil {
			return err
		}
		r.Number, r.Status, r.Currency, r.Value, r.OriginalValue, r.Total = v.Number, v.Status, v.Currency, v.Value,
			v.OriginalValue, v.Total
		r.Refunded, r.RefundPending, r.Test, r.Parent, r.Part = v.Refunded, v.RefundPending, v.Test, v.Parent, v.Part
		r.PlacedAt, r.UpdatedAt, r.Day, r.Codes = storage.At(v.PlacedAt), storage.At(v.UpdatedAt),
			affiliate.Day(v.PlacedAt, m.zone), string(codes)
		r.SetDoubts(v.Doubts)
		if r.CustomStatus = ""; v.CustomStatus {
			r.CustomStatus = v.RawStatus
		}
		if evidence := v.EvidenceFingerprint(); evidence != r.Evidence {
			r.Evidence, o.attribute = evidence, true
		}
	} else {
		r.Status, r.Codes = affiliate.Pending, "[]"
	}
	// The same body again changes no more than when it last came in.
	if o.changed = o.before == nil || before != *r; o.changed {
		r.Revision++
	}
	return nil
}

// seeStatuses notes statuses that plugins set and that no order of the store had before, and tells the owner, once.
func (m *merger) seeStatuses(ctx context.Context) error {
	var seen []storage.StoreStatus
	for _, key := range m.keys {
		status := m.orders[key].row.CustomStatus
		if _, known := m.rules[key.StoreID].Seen[status]; status == "" || known {
			continue
		}
		seen = append(seen, storage.StoreStatus{StoreID: key.StoreID, Status: status, FirstSeenAt: storage.At(m.now)})
	}
	// One fixed order, so that two workers never wait for each other.
	slices.SortFunc(seen, func(a, b storage.StoreStatus) int {
		return cmp.Or(cmp.Compare(a.StoreID, b.StoreID), cmp.Compare(a.Status, b.Status))
	})
	added, err := m.tx.SeeStatuses(ctx, seen)
	if err != nil {
		return fmt.Errorf("note statuses: %w", err)
	}
	for _, s := range added {
		if err := m.tx.WarnStore(ctx, s.StoreID, statusWarning(s.Status)); err != nil {
			return err
		}
	}
	return nil
}

// settle decides whose sales the changed orders are, and writes them.
func (m *merger) settle(ctx context.Context) error {
	var undecided []*mergedOrder
	for _, key := range m.keys {
		if o := m.orders[key]; o.known && o.attribute {
			undecided = append(undecided, o)
		}
	}
	if err := m.decide(ctx, undecided); err != nil {
		return err
	}
	return m.write(ctx)
}

// write saves the changed orders with their conversions and ledger entries, and tells open pages once that is
// committed.
func (m *merger) write(ctx context.Context) error {
	var moved []storage.Order
	var changed, attributed []*mergedOrder
	for _, key := range m.keys {
		o := m.orders[key]
		switch {
		case o.changed:
			changed = append(changed, o)
		case o.moved:
			moved = append(moved, o.row)
		}
		if o.changed && o.known && o.attribute {
			attributed = append(attributed, o)
		}
	}
	if err := m.tx.SaveOrderStates(ctx, moved); err != nil {
		return fmt.Errorf("save the states of orders: %w", err)
	}
	if len(changed) == 0 {
		return nil
	}
	if err := m.saveOrders(ctx, changed); err != nil {
		return err
	}
	if err := m.askDoubts(ctx, changed); err != nil {
		return err
	}
	if err := m.saveEvidence(ctx, attributed); err != nil {
		return err
	}
	if err := m.saveConversions(ctx, changed); err != nil {
		return err
	}
	changes := make([]affiliate.Change, 0, len(changed))
	for _, o := range changed {
		c := affiliate.Change{Store: o.row.StoreID, Order: o.row.ID, ReceivedAt: o.receivedAt}
		if o.conversion != nil {
			c.Campaign = o.conversion.CampaignID
		}
		changes = append(changes, c)
	}
	m.app.announce(m.tx, changes)
	return nil
}

// askDoubts has the stores asked of whose orders something has come into doubt.
func (m *merger) askDoubts(ctx context.Context, changed []*mergedOrder) error {
	var stores []affiliate.StoreID
	for _, o := range changed {
		if o.row.Doubts != "" && (o.before == nil || o.before.Doubts != o.row.Doubts) {
			stores = append(stores, o.row.StoreID)
		}
	}
	for _, id := range distinct(stores) { // in one fixed order, so that two workers never wait for each other
		if err := m.tx.WantComparison(ctx, id, affiliate.CauseDoubt, m.now); err != nil {
			return err
		}
	}
	return nil
}

// decide attributes orders: their evidence is looked up for all at once.
func (m *merger) decide(ctx context.Context, orders []*mergedOrder) error {
	if len(orders) == 0 {
		return nil
	}
	lookup := storage.Lookup{Codes: map[affiliate.StoreID][]string{}}
	for _, o := range orders {
		for _, code := range o.view.Codes {
			lookup.Codes[o.row.StoreID] = append(lookup.Codes[o.row.StoreID], affiliate.FoldCode(code))
		}
		for _, l := range o.view.Links {
			if l.Kind == affiliate.EvidenceClick {
				lookup.Clicks = append(lookup.Clicks, l.Value)
			} else {
				lookup.Slugs = append(lookup.Slugs, l.Value)
			}
		}
	}
	for store, codes := range lookup.Codes {
		lookup.Codes[store] = distinct(codes)
	}
	lookup.Slugs, lookup.Clicks = distinct(lookup.Slugs), distinct(lookup.Clicks)
	candidates, err := m.tx.Candidates(ctx, lookup, m.settings)
	if err != nil {
		return fmt.Errorf("look up codes and links: %w", err)
	}
	for _, o := range orders {
		known := candidates.For(o.row.StoreID)
		known.Renewals = m.settings.Renewals
		o.verdict = affiliate.Attribute(o.view, known)
		trace, err := json.Marshal(o.verdict.Trace)
		if err != nil {
			return err
		}
		o.row.Trace, o.row.NotCredited = string(trace), nil
		if o.verdict.Winner == nil {
			o.row.NotCredited = &o.verdict.Reason
		}
	}
	return nil
}

func distinct[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

func (m *merger) saveOrders(ctx context.Context, changed []*mergedOrder) error {
	rows := make([]storage.OrderChange, len(changed))
	for i, o := range changed {
		rows[i] = storage.OrderChange{Before: o.before, After: o.row}
	}
	ids, err := m.tx.SaveOrders(ctx, rows, m.now)
	if err != nil {
		return fmt.Errorf("save orders: %w", err)
	}
	for _, o := range changed {
		o.row.ID = ids[storage.OrderKey{StoreID: o.row.StoreID, ExternalID: o.row.ExternalID}]
	}
	return nil
}

// saveEvidence keeps what was found on orders that are not credited, so that codes and links added later find them.
func (m *merger) saveEvidence(ctx context.Context, attributed []*mergedOrder) error {
	var orders []affiliate.OrderID
	var list []storage.UnownedEvidence
	for _, o := range attributed {
		if o.row.Revision > 1 {
			orders = append(orders, o.row.ID)
		}
		if o.verdict.Winner != nil || o.view.Test || o.view.Part {
			continue
		}
		add := func(kind, value string) {
			list = append(list, storage.UnownedEvidence{OrderID: o.row.ID, StoreID: o.row.StoreID, Kind: kind,
				Value: value})
		}
		for _, code := range o.view.Codes {
			add("code", affiliate.FoldCode(code))
		}
		for _, l := range o.view.Links {
			if l.Kind == affiliate.EvidenceClick {
				add("click", l.Value)
			} else {
				add("slug", l.Value)
			}
		}
	}
	slices.Sort(orders)
	slices.SortFunc(list, func(a, b storage.UnownedEvidence) int {
		return cmp.Or(cmp.Compare(a.OrderID, b.OrderID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	list = slices.Compact(list)
	return m.tx.SetUnownedEvidence(ctx, orders, list)
}
