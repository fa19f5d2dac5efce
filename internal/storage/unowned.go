package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Kinds of evidence that people can own. The table of unowned evidence also has clicks: those nobody can claim.
const (
	EvidenceCode = "code"
	EvidenceSlug = "slug"
)

// UnownedSort says in which order unowned codes are listed.
type UnownedSort string

const (
	UnownedByOrders UnownedSort = "orders"    // most orders first
	UnownedBySales  UnownedSort = "sales"     // most sales in one currency first
	UnownedByUse    UnownedSort = "last_used" // newest order first
	UnownedByCode   UnownedSort = "code"      // by folded code
)

// Words lists the orders there are.
func (UnownedSort) Words() []UnownedSort {
	return []UnownedSort{UnownedByOrders, UnownedBySales, UnownedByUse, UnownedByCode}
}

// UnownedFilter narrows the list of codes, or slugs, that nobody owns; zero fields do not.
type UnownedFilter struct {
	Kind      string // EvidenceCode (also when empty) or EvidenceSlug
	Store     affiliate.StoreID
	Search    string // somewhere in the code, however it is written
	MinOrders int
	Since     time.Time      // counts orders placed then or later
	Sort      UnownedSort    // UnownedByOrders when empty
	Currency  money.Currency // whose sales UnownedBySales compares; amounts in others say nothing there
	Dismissed bool           // those of which somebody said that they are no creator's, in place of the others
}

// UnownedCode is a code, or a slug, on orders that are not credited, which nobody owns in their store. Only orders
// count that a new owner could be credited with: those placed after the last interval of ownership that the code has
// had.
type UnownedCode struct {
	StoreID affiliate.StoreID
	Store   string // slug
	Kind    string
	Folded  string
	Code    string // as the newest order writes it; a slug is kept folded only
	Orders  int64  // whatever their status
	Sales   []CurrencySales
	First   time.Time
	Last    time.Time
	Newest  OrderName
}

// CurrencySales sums up paid orders of one currency, in its minor units.
type CurrencySales struct {
	Currency money.Currency
	Orders   int64
	Sales    int64
}

// OrderName is how people and the store call an order.
type OrderName struct {
	ID         affiliate.OrderID
	ExternalID string `db:"external_id"`
	Number     string
}

// unownedCode holds for evidence e on an order o of a store s: a new owner of the code could be credited with the
// order. An interval that was ended before it began never was one.
const (
	unownedFrom = ` FROM unowned_evidence e JOIN orders o ON o.id = e.order_id JOIN stores s ON s.id = e.store_id`
	unownedCode = `NOT EXISTS (SELECT 1 FROM codes c WHERE c.store_id = e.store_id AND c.folded = e.value
		AND (c.valid_to IS NULL OR c.valid_to > o.placed_at AND (c.valid_from IS NULL OR c.valid_from < c.valid_to)))`
	unownedSlug = `NOT EXISTS (SELECT 1 FROM links l WHERE l.slug = e.value)`
)

func (u UnownedFilter) conditions() Filter {
	var f Filter
	f.And("e.kind = ?", u.Kind)
	f.And("s.state <> ?", affiliate.StoreStateEnded)
	if u.Store != 0 {
		f.And("e.store_id = ?", u.Store)
	}
	if u.Search != "" {
		f.And(`e.value LIKE ? ESCAPE '\'`, Containing(affiliate.FoldCode(u.Search)))
	}
	if !u.Since.IsZero() {
		f.And("o.placed_at >= ?", At(u.Since))
	}
	if u.Kind == EvidenceSlug {
		f.And(unownedSlug)
		return f
	}
	f.And(unownedCode)
	if u.Dismissed {
		f.And(dismissedCode)
	} else {
		f.And("NOT " + dismissedCode)
	}
	return f
}

type unownedRow struct {
	StoreID affiliate.StoreID `db:"store_id"`
	Store   string
	Value   string
	Orders  int64
	Sales   int64
	FirstAt Time `db:"first_at"`
	LastAt  Time `db:"last_at"`
}

// unownedOrders are the orders of the list of codes u: the first key falls, then code and store rise.
var unownedOrders = map[UnownedSort][]Key{
	UnownedByOrders: {{SQL: "u.orders", Descending: true}},
	UnownedBySales:  {{SQL: "u.sales", Descending: true}},
	UnownedByUse:    {{SQL: "u.last_at", Kind: TimeKey, Descending: true}},
	UnownedByCode:   {},
}

func (u UnownedFilter) keyset() Keyset {
	return Keyset{string(u.Sort), append(slices.Clone(unownedOrders[u.Sort]), Key{SQL: "u.value", Kind: TextKey},
		Key{SQL: "u.store_id"})}
}

// UnownedCodes lists codes, or slugs, that came on orders without credit and can be given to somebody.
func (q queries) UnownedCodes(ctx context.Context, u UnownedFilter, p Page) ([]UnownedCode, string, error) {
	if err := u.complete(); err != nil {
		return nil, "", err
	}
	rows, next, err := q.unownedRows(ctx, u, p.Cursor, p.Size())
	if err != nil {
		return nil, "", err
	}
	list, err := q.describeUnowned(ctx, u, rows)
	return list, next, err
}

// unownedStretch is how many codes EachUnownedCode counts at once: each stretch reads all evidence again.
const unownedStretch = 20_000

// EachUnownedCode gives the whole list, some hundred rows at a time, with memory for some thousand. It holds no
// connection while each runs.
func (q queries) EachUnownedCode(ctx context.Context, u UnownedFilter, each func([]UnownedCode) error) error {
	if err := u.complete(); err != nil {
		return err
	}
	for cursor := ""; ; {
		rows, next, err := q.unownedRows(ctx, u, cursor, unownedStretch)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(rows, MaxLimit) {
			list, err := q.describeUnowned(ctx, u, part)
			if err != nil {
				return err
			}
			if err := each(list); err != nil {
				return err
			}
		}
		if cursor = next; next == "" {
			return nil
		}
	}
}

// CountUnownedLines counts the codes of the list, each as often as it has currencies of sales, but at least once.
func (q queries) CountUnownedLines(ctx context.Context, u UnownedFilter) (n int64, err error) {
	if err := u.complete(); err != nil {
		return 0, err
	}
	f := u.conditions()
	err = q.Get(ctx, &n, `SELECT CAST(COALESCE(SUM(CASE WHEN u.currencies > 1 THEN u.currencies ELSE 1 END), 0) AS BIGINT) FROM (
		SELECT COUNT(DISTINCT CASE WHEN o.status = 'paid' THEN o.currency END) AS currencies`+unownedFrom+f.Where()+`
		GROUP BY e.store_id, e.value HAVING COUNT(*) >= ?) u`, append(f.Args, u.MinOrders)...)
	return n, err
}

// mostUnowned is how far UnownedCodeCounts counts.
const mostUnowned = 1000

// UnownedCodeCounts counts the codes that orders without credit carry, that nobody owns and nobody dismissed, by store.
// From mostUnowned on it counts no further. It looks for one order of each code, not at all: a code may be on any
// number of them.
func (q queries) UnownedCodeCounts(ctx context.Context) (map[affiliate.StoreID]int64, error) {
	var rows []struct {
		StoreID affiliate.StoreID `db:"store_id"`
		Codes   int64
	}
	err := q.List(ctx, &rows, fmt.Sprintf(`SELECT u.store_id, COUNT(*) AS codes FROM (
			SELECT d.store_id FROM (SELECT DISTINCT e.store_id, e.value FROM unowned_evidence e JOIN stores s ON s.id = e.store_id
				WHERE e.kind = ? AND s.state <> ? AND NOT `+dismissedCode+`) d
			WHERE EXISTS (SELECT 1 FROM unowned_evidence e JOIN orders o ON o.id = e.order_id
				WHERE e.kind = ? AND e.store_id = d.store_id AND e.value = d.value AND `+unownedCode+`) LIMIT %d) u
		GROUP BY u.store_id`, mostUnowned), EvidenceCode, affiliate.StoreStateEnded, EvidenceCode)
	counts := map[affiliate.StoreID]int64{}
	for _, r := range rows {
		counts[r.StoreID] = r.Codes
	}
	return counts, err
}

func (q queries) unownedRows(ctx context.Context, u UnownedFilter, cursor string, limit int) ([]unownedRow, string,
	error) {
	uses, k := u.conditions(), u.keyset()
	var codes Filter
	if u.MinOrders > 1 {
		codes.And("u.orders >= ?", u.MinOrders)
	}
	if err := k.After(&codes, cursor); err != nil {
		return nil, "", err
	}
	var rows []unownedRow
	err := q.List(ctx, &rows, `SELECT u.* FROM (SELECT e.store_id, s.slug AS store, e.value, COUNT(*) AS orders,
		CAST(COALESCE(SUM(o.value) FILTER (WHERE o.status = 'paid' AND o.currency = ?), 0) AS BIGINT) AS sales,
		MIN(o.placed_at) AS first_at, MAX(o.placed_at) AS last_at`+unownedFrom+uses.Where()+`
		GROUP BY e.store_id, s.slug, e.value) u`+codes.Where()+k.Top(limit),
		slices.Concat([]any{string(u.Currency)}, uses.Args, codes.Args)...)
	rows, next := Cut(k, rows, limit)
	return rows, next, err
}

// complete fills in what was left to choose.
func (u *UnownedFilter) complete() error {
	u.Sort, u.Kind = cmp.Or(u.Sort, UnownedByOrders), cmp.Or(u.Kind, EvidenceCode)
	if err := affiliate.CheckWord("sort", u.Sort); err != nil {
		return err
	}
	if u.Kind != EvidenceCode && u.Kind != EvidenceSlug {
		return affiliate.FieldErrorf("kind", "must be %s or %s", EvidenceCode, EvidenceSlug)
	}
	return nil
}

// unownedKey names a row of the list.
type unownedKey struct {
	StoreID affiliate.StoreID `db:"store_id"`
	Value   string
}

// describeUnowned adds to the rows of a page the sales of every currency and the newest order.
func (q queries) describeUnowned(ctx context.Context, u UnownedFilter, rows []unownedRow) ([]UnownedCode, error) {
	list := make([]UnownedCode, len(rows))
	if len(rows) == 0 {
		return list, nil
	}
	at := make(map[unownedKey]*UnownedCode, len(rows))
	values := make([]string, len(rows))
	for i, r := range rows {
		list[i] = UnownedCode{StoreID: r.StoreID, Store: r.Store, Kind: u.Kind, Folded: r.Value, Code: r.Value,
			Orders: r.Orders, First: r.FirstAt.Time, Last: r.LastAt.Time, Sales: []CurrencySales{}}
		at[unownedKey{r.StoreID, r.Value}] = &list[i]
		values[i] = r.Value
	}
	f := u.conditions()
	f.And("e.value IN (?)", values)
	var sums []struct {
		unownedKey
		CurrencySales
	}
	if err := q.ListIn(ctx, &sums, `SELECT e.store_id, e.value, o.currency, COUNT(*) AS orders, CAST(SUM(o.value) AS BIGINT) AS sales`+unownedFrom+
		f.Where()+` AND o.status = 'paid' GROUP BY e.store_id, e.value, o.currency ORDER BY o.currency`, f.Args...); err != nil {
		return nil, err
	}
	for _, s := range sums {
		if c := at[s.unownedKey]; c != nil { // the same code in a store that is not on this page
			c.Sales = append(c.Sales, s.CurrencySales)
		}
	}
	return list, q.addNewest(ctx, u, rows, at)
}

// addNewest says which order used each code last and how it writes it. Looking for orders of exactly those moments is
// quick however often a code was used; whether a code is owned depends on nothing else of an order.
func (q queries) addNewest(ctx context.Context, u UnownedFilter, rows []unownedRow,
	at map[unownedKey]*UnownedCode) error {
	values, moments := make([]string, len(rows)), make([]Time, len(rows))
	for i, r := range rows {
		values[i], moments[i] = r.Value, r.LastAt
	}
	var orders []struct {
		unownedKey
		OrderName
		PlacedAt Time `db:"placed_at"`
		Codes    string
	}
	if err := q.ListIn(ctx, &orders, `SELECT e.store_id, e.value, o.id, o.external_id, o.number, o.placed_at, o.codes
		FROM orders o JOIN unowned_evidence e ON e.order_id = o.id AND e.kind = ? AND e.value IN (?) WHERE o.placed_at IN (?) ORDER BY o.id`,
		u.Kind, values, moments); err != nil {
		return err
	}
	for _, o := range orders { // of several at that moment the last one counts
		c := at[o.unownedKey]
		if c == nil || !o.PlacedAt.Equal(c.Last) {
			continue
		}
		c.Newest, c.Code = o.OrderName, o.Value
		for _, code := range (Order{Codes: o.Codes}).CodeList() {
			if u.Kind == EvidenceCode && affiliate.FoldCode(code) == o.Value {
				c.Code = code
			}
		}
	}
	return nil
}

// OrdersCarryingCode gives the keys of orders without credit that carry a code in a store, by id, behind an order.
func (q queries) OrdersCarryingCode(ctx context.Context, store affiliate.StoreID, code string, after affiliate.OrderID,
	limit int) ([]Order, error) {
	var list []Order
	err := q.List(ctx, &list, `SELECT o.id, o.store_id, o.external_id FROM unowned_evidence e JOIN orders o ON o.id = e.order_id
		WHERE e.kind = ? AND e.value = ? AND e.store_id = ? AND e.order_id > ? ORDER BY e.order_id LIMIT ?`,
		EvidenceCode, affiliate.FoldCode(code), store, after, limit)
	return list, err
}
