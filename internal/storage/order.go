package storage

import (
	"cmp"
	"context"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// OrderKey names an order as its store does.
type OrderKey struct {
	StoreID    affiliate.StoreID
	ExternalID string
}

// Order is an order as it is kept: what people see, and the state it is computed from.
type Order struct {
	ID            affiliate.OrderID
	StoreID       affiliate.StoreID
	ExternalID    string
	Revision      int64 // grows with every change
	Number        string
	Status        affiliate.OrderStatus
	Currency      money.Currency
	Value         int64
	OriginalValue int64
	Total         int64
	Refunded      int64
	RefundPending int64
	Test          bool
	PlacedAt      Time
	UpdatedAt     Time
	Day           string // of PlacedAt in the account's zone
	Codes         string // JSON list
	NotCredited   *string
	Evidence      string // fingerprint of what attribution looked at
	Trace         string // JSON; in SaveOrders empty means unchanged
	Doubts        string // what deliveries cannot settle: affiliate.Doubt words, by spaces
	CustomStatus  string // the store's word where a plugin set it
	Parent        string // the store's id of the order that this one belongs to
	Part          bool   // counts nowhere: Parent does in its place
	State         string // JSON of affiliate.OrderState
	ChangedAt     Time
}

// DoubtList gives what deliveries cannot settle about the order.
func (o Order) DoubtList() []affiliate.Doubt {
	list := []affiliate.Doubt{}
	for d := range strings.FieldsSeq(o.Doubts) {
		list = append(list, affiliate.Doubt(d))
	}
	return list
}

// SetDoubts keeps what deliveries cannot settle.
func (o *Order) SetDoubts(list []affiliate.Doubt) {
	o.Doubts = ""
	for _, d := range list {
		o.Doubts = strings.TrimSpace(o.Doubts + " " + string(d))
	}
}

// CodeList gives the codes on the order.
func (o Order) CodeList() []string {
	codes := []string{}
	_ = json.Unmarshal([]byte(o.Codes), &codes) // written by us
	return codes
}

// orderRow is an order with what only its table says.
type orderRow struct {
	Order
	CreatedAt Time
}

var (
	orderTable   = tableOf[orderRow]("orders")
	orderColumns = columnsOf[Order]().without("trace") // it is large, and few ask for it
	saveOrders   = orderTable.upsert(columns{"store_id", "external_id"}, map[string]string{
		"trace": "CASE WHEN excluded.trace = '' THEN orders.trace ELSE excluded.trace END",
	}) + " RETURNING store_id, external_id, id"
)

// LockOrders makes every other transaction that wants one of these orders wait until this one ends, whether they exist
// yet or not. Keys are locked in one fixed order, so that two workers never wait for each other. On SQLite the write
// lock has done all that already.
func (tx *Tx) LockOrders(ctx context.Context, keys []OrderKey) error {
	if !tx.d.advisory || len(keys) == 0 {
		return nil
	}
	locks := make([]int64, len(keys))
	for i, k := range keys {
		h := fnv.New64a()
		var id [8]byte
		for b := range id {
			id[b] = byte(k.StoreID >> (8 * b))
		}
		_, _ = h.Write(id[:])
		_, _ = h.Write([]byte(k.ExternalID))
		locks[i] = int64(h.Sum64())
	}
	slices.Sort(locks)
	_, err := tx.c.ExecContext(ctx, `SELECT COUNT(pg_advisory_xact_lock(k)) FROM unnest($1::bigint[]) AS k`, pq.Array(slices.Compact(locks)))
	return err
}

// Orders gives those of the orders that exist. Call LockOrders first when they are to be changed.
func (q queries) Orders(ctx context.Context, keys []OrderKey) (map[OrderKey]Order, error) {
	byStore := map[affiliate.StoreID][]string{}
	for _, k := range keys {
		byStore[k.StoreID] = append(byStore[k.StoreID], k.ExternalID)
	}
	found := make(map[OrderKey]Order, len(keys))
	for store, ids := range byStore {
		var list []Order
		if err := q.ListIn(ctx, &list, `SELECT `+orderColumns.of("")+` FROM orders WHERE store_id = ? AND external_id IN (?)`, store, ids); err != nil {
			return nil, err
		}
		for _, o := range list {
			found[OrderKey{o.StoreID, o.ExternalID}] = o
		}
	}
	return found, nil
}

// OrderChange is an order as it stands in the database, nil for a new one, and as it is to be.
type OrderChange struct {
	Before *Order
	After  Order
}

// SaveOrders writes orders, new ones and changed ones alike, and gives the ids of all. Rows are written in the order of
// their keys.
func (tx *Tx) SaveOrders(ctx context.Context, list []OrderChange,
	now time.Time) (map[OrderKey]affiliate.OrderID, error) {
	slices.SortFunc(list, func(a, b OrderChange) int {
		return cmp.Or(cmp.Compare(a.After.StoreID, b.After.StoreID), strings.Compare(a.After.ExternalID,
			b.After.ExternalID))
	})
	how, err := tx.shownNow(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]orderRow, len(list))
	for i, change := range list {
		tx.sums.order(change.Before, -1)
		tx.sums.order(&change.After, 1)
		if how != nil {
			tx.shownSums.order(how.order(change.Before), -1)
			tx.shownSums.order(how.order(&change.After), 1)
		}
		rows[i] = orderRow{change.After, At(now)}
		rows[i].ChangedAt = At(now)
	}
	var saved struct {
		OrderKey
		ID affiliate.OrderID
	}
	ids := make(map[OrderKey]affiliate.OrderID, len(list))
	err = orderTable.insert(ctx, tx, rows, saveOrders, &saved, func() { ids[saved.OrderKey] = saved.ID })
	return ids, err
}

// SaveOrderStates writes the states of orders of which nothing changed that people see.
func (tx *Tx) SaveOrderStates(ctx context.Context, list []Order) error {
	list = slices.SortedFunc(slices.Values(list), func(a, b Order) int { return cmp.Compare(a.ID, b.ID) })
	const columns = 2
	for part := range slices.Chunk(list, tx.d.maxParams/columns) {
		args := make([]any, 0, len(part)*columns)
		for _, o := range part {
			args = append(args, int64(o.ID), o.State)
		}
		if _, err := tx.c.ExecContext(ctx, `WITH v AS (VALUES `+tx.d.typedValues(len(part), "BIGINT", "TEXT")+`)
			UPDATE orders SET state = v.column2 FROM v WHERE orders.id = v.column1`, args...); err != nil {
			return err
		}
	}
	return nil
}

// OrderRow is an order as lists show it, with its conversion where somebody is credited.
type OrderRow struct {
	Order
	Store      string          // slug
	Conversion *ConversionItem `db:"-"`
}

// FindOrder gives the order of a store by the store's id of it, with its trace; NotFound when no delivery described it.
func (q queries) FindOrder(ctx context.Context, storeSlug, externalID string) (OrderRow, error) {
	return q.oneOrder(ctx, `s.slug = ? AND o.external_id = ?`, storeSlug, externalID)
}

// OrderByID gives an order with its trace; NotFound when no delivery described it.
func (q queries) OrderByID(ctx context.Context, id affiliate.OrderID) (OrderRow, error) {
	o, err := q.oneOrder(ctx, `o.id = ?`, id)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.NoSuch(id)
	}
	return o, err
}

func (q queries) oneOrder(ctx context.Context, condition string, args ...any) (OrderRow, error) {
	var row OrderRow
	err := q.Get(ctx, &row, `SELECT `+orderColumns.of("o")+`, o.trace, s.slug AS store FROM orders o JOIN stores s ON s.id = o.store_id
		WHERE `+condition+` AND o.placed_at IS NOT NULL`, args...)
	if err != nil {
		return row, err
	}
	rows := []OrderRow{row}
	err = q.addConversions(ctx, rows)
	return rows[0], err
}

// OrderFilter narrows orders, in lists and exports. Zero fields do not.
type OrderFilter struct {
	Status   affiliate.OrderStatus
	Store    string // slug
	Campaign affiliate.CampaignID
	Creator  affiliate.CreatorID
	From, To time.Time // placed in [From, To)
	Show     OrderShow
	Doubt    affiliate.Doubt // or AnyDoubt
	Custom   string          // the store's word for the status, where a plugin set it
	Text     string          // in the order's number or a code on it, or the store's id of it
	Currency money.Currency
	Sort     OrderSort
}

// OrderSort is an order of orders; empty is the newest placed first. Amounts are compared as they are in the order's
// currency.
type OrderSort string

// OrderColumns are the names of the columns that orders can be sorted by.
func OrderColumns() []string { return []string{"date", "status", "value", "total", "refunded"} }

// Words lists the columns, and each with a minus before it for the descending order.
func (OrderSort) Words() (words []OrderSort) {
	for _, column := range OrderColumns() {
		words = append(words, OrderSort(column), OrderSort("-"+column))
	}
	return words
}

// keyset is the order as lists are paged in it.
func (s OrderSort) keyset() Keyset {
	column, descending := strings.CutPrefix(string(s), "-")
	key := Key{SQL: "o." + column, Descending: descending}
	switch column {
	case "", "date":
		if s != "date" {
			return newestOrders
		}
		key = Key{SQL: "o.placed_at", Kind: TimeKey}
	case "status":
		key.Kind = TextKey
	}
	return Keyset{string(s), []Key{key, {SQL: "o.id", Descending: descending}}}
}

// AnyDoubt stands for all doubts there may be.
const AnyDoubt affiliate.Doubt = "any"

// DoubtFilter is what OrderFilter.Doubt can be.
type DoubtFilter string

// Words lists any, and all doubts.
func (DoubtFilter) Words() []DoubtFilter {
	words := []DoubtFilter{DoubtFilter(AnyDoubt)}
	for _, d := range affiliate.Words[affiliate.Doubt]() {
		words = append(words, DoubtFilter(d))
	}
	return words
}

// OrderShow narrows orders to those of a kind; empty means all.
type OrderShow string

const (
	ShowCredited    OrderShow = "credited"
	ShowUncredited  OrderShow = "uncredited"
	ShowHeld        OrderShow = "held"
	ShowAmbiguous   OrderShow = "ambiguous"   // several owned codes, and not rejected
	ShowUnconverted OrderShow = "unconverted" // waits for an exchange rate
	ShowUnlisted    OrderShow = "unlisted"    // in a currency outside ISO 4217, which is never converted
	ShowTest        OrderShow = "test"
	ShowDoubtful    OrderShow = "doubtful" // deliveries cannot settle it; only the store can tell
	ShowParts       OrderShow = "parts"    // parts of other orders
)

// Words lists the kinds there are.
func (OrderShow) Words() []OrderShow {
	return []OrderShow{ShowCredited, ShowUncredited, ShowHeld, ShowAmbiguous, ShowUnconverted, ShowUnlisted,
		ShowDoubtful, ShowParts, ShowTest}
}

// orderShows say what the kinds mean for the rows of ordersFrom.
var orderShows = map[OrderShow]string{
	ShowCredited:    "o.not_credited IS NULL",
	ShowUncredited:  "o.not_credited IS NOT NULL AND NOT o.test AND NOT o.part",
	ShowHeld:        "c.approval = 'held'",
	ShowAmbiguous:   "c.ambiguous AND c.approval <> 'rejected'",
	ShowUnconverted: "c.credited AND c.rate IS NULL AND " + listed("c.currency"),
	ShowUnlisted:    "NOT " + listed("o.currency"),
	ShowTest:        "o.test",
	ShowDoubtful:    "o.doubts <> ''",
	ShowParts:       "o.part",
}

// listed is the condition that ISO 4217 has the currency of a column, as money.Currency.Listed says.
func listed(column string) string { return column + " NOT LIKE '%:%'" }

// ordersFrom are orders o of stores s, with their conversions c where somebody is credited. Both databases leave out
// the conversions where nothing asks for them, and take them for a plain join where a condition wants one.
const ordersFrom = ` FROM orders o JOIN stores s ON s.id = o.store_id
	LEFT JOIN conversions c ON c.order_id = o.id AND c.credited`

// conditions are those on the rows of ordersFrom.
func (f OrderFilter) conditions() (w Filter) {
	w.And("o.placed_at IS NOT NULL")
	if show := orderShows[f.Show]; show != "" {
		w.And(show)
	}
	if f.Text != "" {
		like := Containing(f.Text)
		w.And(`(o.number LIKE ? ESCAPE '\' OR o.external_id = ? OR LOWER(o.codes) LIKE LOWER(?) ESCAPE '\')`, like, f.Text,
			like)
	}
	if f.Doubt == AnyDoubt {
		w.And(orderShows[ShowDoubtful])
	} else if f.Doubt != "" {
		w.And("o.doubts <> '' AND ' ' || o.doubts || ' ' LIKE ?", "% "+string(f.Doubt)+" %")
	}
	Is(&w, "o.status", f.Status)
	if f.Custom != "" {
		w.And("o.custom_status = ? AND o.custom_status <> ''", f.Custom) // their index is partial
	}
	Is(&w, "s.slug", f.Store)
	Is(&w, "c.campaign_id", f.Campaign)
	Is(&w, "c.creator_id", f.Creator)
	Is(&w, "o.currency", f.Currency)
	if !f.From.IsZero() {
		w.And("o.placed_at >= ?", At(f.From))
	}
	if !f.To.IsZero() {
		w.And("o.placed_at < ?", At(f.To))
	}
	return w
}

// newestOrders is the order of lists of orders o: from the newest placed to the oldest.
var newestOrders = Keyset{Keys: []Key{{SQL: "o.placed_at", Kind: TimeKey, Descending: true},
	{SQL: "o.id", Descending: true}}}

// ListOrders gives orders, sorted as the filter says, and the cursor of the next page, which is empty on the last one.
func (q queries) ListOrders(ctx context.Context, f OrderFilter, p Page) ([]OrderRow, string, error) {
	rows, next, err := paged[OrderRow](ctx, q, `SELECT `+orderColumns.of("o")+`, s.slug AS store`+ordersFrom,
		f.conditions(), f.Sort.keyset(), p)
	if err != nil {
		return nil, "", err
	}
	return rows, next, q.addConversions(ctx, rows)
}

// OrderSum is what orders add up to in one currency. Test orders, and parts of others, count nowhere: they are in Aside
// alone. Amounts are in minor units; Commission is of those that are credited.
type OrderSum struct {
	Currency   money.Currency
	Orders     int64
	Aside      int64
	Value      int64
	Original   int64
	Total      int64
	Refunded   int64
	Commission int64
}

// SumOrders adds up what ListOrders lists, for each currency by itself, in the order of its code.
func (q queries) SumOrders(ctx context.Context, f OrderFilter) (sums []OrderSum, err error) {
	const counts = "NOT o.test AND NOT o.part"
	sum := func(column string) string {
		return "CAST(COALESCE(SUM(CASE WHEN " + counts + " THEN " + column + " ELSE 0 END), 0) AS BIGINT)"
	}
	w := f.conditions()
	err = q.List(ctx, &sums, `SELECT o.currency, `+sum("1")+` AS orders, COUNT(*) - `+sum("1")+` AS aside, `+
		sum("o.value")+` AS value, `+sum("o.original_value")+` AS original, `+sum("o.total")+` AS total, `+
		sum("o.refunded")+` AS refunded, `+sum("c.commission")+` AS commission`+ordersFrom+w.Where()+
		` GROUP BY o.currency ORDER BY o.currency`, w.Args...)
	return sums, err
}

// OrderCounts gives how many orders have each status.
func (q queries) OrderCounts(ctx context.Context) (map[affiliate.OrderStatus]int64, error) {
	var rows []struct {
		Status affiliate.OrderStatus
		N      int64
	}
	err := q.List(ctx, &rows, `SELECT status, COUNT(*) AS n FROM orders WHERE placed_at IS NOT NULL AND NOT part GROUP BY status`)
	counts := map[affiliate.OrderStatus]int64{affiliate.Pending: 0, affiliate.Paid: 0, affiliate.Canceled: 0,
		affiliate.Refunded: 0}
	for _, r := range rows {
		counts[r.Status] = r.N
	}
	return counts, err
}

// OrderParts gives the orders that belong to an order of a store, as the store's plugin made them, by their ids.
func (q queries) OrderParts(ctx context.Context, store affiliate.StoreID, parent string) ([]OrderRow, error) {
	var rows []OrderRow
	err := q.List(ctx, &rows, `SELECT `+orderColumns.of("o")+`, s.slug AS store FROM orders o JOIN stores s ON s.id = o.store_id
		WHERE o.store_id = ? AND o.parent = ? AND o.parent <> '' ORDER BY o.id LIMIT 100`, store, parent)
	return rows, err
}

// NextRevisions counts up the revisions of orders and gives the new ones. The orders must be locked.
func (tx *Tx) NextRevisions(ctx context.Context, ids []affiliate.OrderID) (map[affiliate.OrderID]int64, error) {
	revisions := make(map[affiliate.OrderID]int64, len(ids))
	if len(ids) == 0 {
		return revisions, nil
	}
	query, args, err := sqlx.In(`UPDATE orders SET revision = revision + 1 WHERE id IN (?) RETURNING id, revision`, ids)
	if err != nil {
		return nil, err
	}
	err = tx.scanRows(ctx, func(rows *sqlx.Rows) error {
		var id affiliate.OrderID
		var revision int64
		err := rows.Scan(&id, &revision)
		revisions[id] = revision
		return err
	}, tx.d.rebind(query), args...)
	return revisions, err
}
