package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// StoreRules is what a store's owner has decided about its orders.
type StoreRules struct {
	affiliate.OrderRules
	Seen map[string]bool // statuses that plugins set, decided or not
}

// StoreStatus is a status that plugins set on orders of a store.
type StoreStatus struct {
	StoreID     affiliate.StoreID `db:"store_id"`
	Status      string
	Meaning     affiliate.StoreStatus // pending, paid, canceled or refunded; empty until somebody decides
	FirstSeenAt Time                  `db:"first_seen_at"`
	UpdatedAt   Time                  `db:"updated_at"`
	Orders      int64                 // that have it now
}

// StoreRules gives what the owners of some stores have decided.
func (q queries) StoreRules(ctx context.Context,
	stores []affiliate.StoreID) (map[affiliate.StoreID]StoreRules, error) {
	all := make(map[affiliate.StoreID]StoreRules, len(stores))
	if len(stores) == 0 {
		return all, nil
	}
	var rows []struct {
		StoreID affiliate.StoreID `db:"store_id"`
		Parts   affiliate.PartsRule
		Status  *string
		Meaning *affiliate.StoreStatus
	}
	err := q.ListIn(ctx, &rows, `SELECT s.id AS store_id, s.parts, x.status, x.meaning FROM stores s
		LEFT JOIN store_statuses x ON x.store_id = s.id WHERE s.id IN (?)`, stores)
	for _, r := range rows {
		rules, ok := all[r.StoreID]
		if !ok {
			rules.Parts, rules.Statuses, rules.Seen = r.Parts, map[string]affiliate.StoreStatus{}, map[string]bool{}
			all[r.StoreID] = rules
		}
		if r.Status == nil {
			continue
		}
		rules.Seen[*r.Status] = true
		if *r.Meaning != "" {
			rules.Statuses[*r.Status] = *r.Meaning
		}
	}
	return all, err
}

// SeeStatuses notes statuses that are new to their stores and gives those that were.
func (tx *Tx) SeeStatuses(ctx context.Context, list []StoreStatus) (added []StoreStatus, err error) {
	for _, s := range list {
		n, err := tx.exec(ctx, `INSERT INTO store_statuses (store_id, status, first_seen_at, updated_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (store_id, status) DO NOTHING`, s.StoreID, s.Status, s.FirstSeenAt, s.FirstSeenAt)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			added = append(added, s)
		}
	}
	return added, nil
}

// StoreStatuses lists the statuses that plugins set on a store's orders, with how many have each now.
func (q queries) StoreStatuses(ctx context.Context, store affiliate.StoreID) ([]StoreStatus, error) {
	list := []StoreStatus{}
	err := q.List(ctx, &list, `SELECT x.store_id, x.status, x.meaning, x.first_seen_at, x.updated_at, (SELECT COUNT(*) FROM orders o
		WHERE o.store_id = x.store_id AND o.custom_status = x.status AND o.custom_status <> '') AS orders
		FROM store_statuses x WHERE x.store_id = ? ORDER BY x.status`, store)
	return list, err
}

// SeenStatuses lists the statuses that plugins set on orders of a store (of any when its slug is empty), each once.
func (q queries) SeenStatuses(ctx context.Context, store string) ([]string, error) {
	var f Filter
	Is(&f, "s.slug", store)
	list := []string{}
	err := q.List(ctx, &list, `SELECT DISTINCT x.status FROM store_statuses x JOIN stores s ON s.id = x.store_id`+f.Where()+
		` ORDER BY x.status`, f.Args...)
	return list, err
}

// UndecidedStatuses counts the statuses that plugins set and whose meaning nobody has decided, by store.
func (q queries) UndecidedStatuses(ctx context.Context) (map[affiliate.StoreID]int64, error) {
	var rows []struct {
		StoreID affiliate.StoreID `db:"store_id"`
		N       int64
	}
	err := q.List(ctx, &rows, `SELECT store_id, COUNT(*) AS n FROM store_statuses WHERE meaning = '' GROUP BY store_id`)
	counts := make(map[affiliate.StoreID]int64, len(rows))
	for _, r := range rows {
		counts[r.StoreID] = r.N
	}
	return counts, err
}

// SetStoreStatus decides what a status means, whether an order had it before or not. An empty meaning takes the
// decision back.
func (tx *Tx) SetStoreStatus(ctx context.Context, s StoreStatus) error {
	_, err := tx.exec(ctx, `INSERT INTO store_statuses (store_id, status, meaning, first_seen_at, updated_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (store_id, status) DO UPDATE SET meaning = excluded.meaning, updated_at = excluded.updated_at`,
		s.StoreID, s.Status, s.Meaning, s.UpdatedAt, s.UpdatedAt)
	return err
}

// concernedByRules are the ids of the orders that an owner's decisions may change: those with a status that a plugin
// set, those with a parent, and their parents. Each part is read from an index of its own.
func concernedByRules(store affiliate.StoreID, after affiliate.OrderID) (query string, args []any) {
	for _, of := range []struct{ from, where string }{
		{"orders o", "o.custom_status <> ''"}, {"orders o", "o.parent <> ''"},
		{"orders c JOIN orders o ON o.store_id = c.store_id AND o.external_id = c.parent", "c.parent <> ''"},
	} {
		var f Filter
		Is(&f, "o.store_id", store)
		f.And("o.id > ?", after)
		f.And(of.where)
		if query != "" {
			query += " UNION "
		}
		query += `SELECT o.id FROM ` + of.from + f.Where()
		args = append(args, f.Args...)
	}
	return query, args
}

// ConcernedOrders gives the orders of a store (of all when it is 0) that its owner's decisions may change, by id, from
// behind after.
func (q queries) ConcernedOrders(ctx context.Context, store affiliate.StoreID, after affiliate.OrderID,
	limit int) ([]Order, error) {
	ids, args := concernedByRules(store, after)
	var list []Order
	err := q.List(ctx, &list, `SELECT `+orderColumns.of("o")+` FROM orders o WHERE o.id IN (`+ids+`) ORDER BY o.id LIMIT ?`,
		append(args, limit)...)
	return list, err
}

// DoubtCounts counts the orders with each doubt by store.
func (q queries) DoubtCounts(ctx context.Context, store affiliate.StoreID) (map[affiliate.StoreID]DoubtCount, error) {
	var f Filter
	Is(&f, "store_id", store)
	f.And("doubts <> ''")
	f.And("placed_at IS NOT NULL")
	var rows []struct {
		StoreID affiliate.StoreID `db:"store_id"`
		Doubts  string
		N       int64
	}
	err := q.List(ctx, &rows, `SELECT store_id, doubts, COUNT(*) AS n FROM orders`+f.Where()+` GROUP BY store_id, doubts`, f.Args...)
	all := map[affiliate.StoreID]DoubtCount{}
	for _, r := range rows {
		c := all[r.StoreID]
		if c.By == nil {
			c.By = map[affiliate.Doubt]int64{}
		}
		c.Orders += r.N
		for _, d := range (Order{Doubts: r.Doubts}).DoubtList() {
			c.By[d] += r.N
		}
		all[r.StoreID] = c
	}
	return all, err
}

// DoubtCount is how many orders are in doubt, and by what; an order may be so by several things.
type DoubtCount struct {
	Orders int64
	By     map[affiliate.Doubt]int64
}
