package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// PayeeTotal is what one creator was paid in a year by one rail, in minor units of Currency.
type PayeeTotal struct {
	CreatorID affiliate.CreatorID
	Creator   string // name
	Handle    string // the one on Instagram, or the first other; without @, empty without any
	Email     string // may be empty
	Holder    string // to whom the account belongs that they gave last; may be empty
	Country   string // of that account; may be empty
	Currency  money.Currency
	Rail      affiliate.Rail
	Payouts   int64 // how many
	Amount    int64
}

// PayeeFilter says of which payouts totals are wanted: of those that were paid in [From, To) and did not come back.
type PayeeFilter struct {
	From, To time.Time
	Search   string // in the creator's name, e-mail address or handles
}

// PayeeSum is what payee totals add up to in one currency.
type PayeeSum struct {
	Currency money.Currency
	Payouts  int64
	Amount   int64 // minor units of Currency
}

// paid is the statement of the sums, by creator, currency and rail, with its arguments.
func (w PayeeFilter) paid() (string, []any) {
	return `(SELECT p.creator_id, p.currency, p.rail, COUNT(*) AS payouts, CAST(SUM(p.amount) AS BIGINT) AS amount FROM payouts p
		WHERE p.state = 'paid' AND p.paid_at >= ? AND p.paid_at < ? GROUP BY p.creator_id, p.currency, p.rail)`, []any{At(w.From), At(w.To)}
}

func (w PayeeFilter) conditions() (f Filter) {
	if w.Search != "" {
		condition, args := CreatorHas("r", w.Search)
		f.And(condition, args...)
	}
	return f
}

// payeesByName is the order of lists of payee totals.
var payeesByName = Keyset{Keys: []Key{{SQL: "r.name", Column: "creator", Kind: TextKey}, {SQL: "w.creator_id"},
	{SQL: "w.currency", Kind: TextKey}, {SQL: "w.rail", Kind: TextKey}}}

// selectTotals is the statement of payee totals before its WHERE, with its arguments.
func (w PayeeFilter) selectTotals() (string, []any) {
	paid, args := w.paid()
	return `SELECT w.creator_id, r.name AS creator, r.email, ` + bestHandle + ` AS handle, COALESCE(d.holder, '') AS holder,
		COALESCE(d.country, '') AS country, w.currency, w.rail, w.payouts, w.amount FROM ` + paid + ` w JOIN creators r ON r.id = w.creator_id
		LEFT JOIN payment_details d ON d.id = (SELECT MAX(n.id) FROM payment_details n WHERE n.creator_id = w.creator_id)`, args
}

// PayeeTotals lists payee totals by the creators' names.
func (q queries) PayeeTotals(ctx context.Context, w PayeeFilter, p Page) ([]PayeeTotal, string, error) {
	from, args := w.selectTotals()
	f := w.conditions()
	if err := payeesByName.After(&f, p.Cursor); err != nil {
		return nil, "", err
	}
	rows := []PayeeTotal{}
	err := q.List(ctx, &rows, from+f.Where()+payeesByName.Top(p.Size()), append(args, f.Args...)...)
	rows, next := Cut(payeesByName, rows, p.Size())
	return rows, next, err
}

// EachPayeeTotal hands payee totals to each one by one, by the creators' names. The total is used again for the next
// one.
func (q queries) EachPayeeTotal(ctx context.Context, w PayeeFilter, each func(*PayeeTotal) error) error {
	from, args := w.selectTotals()
	f := w.conditions()
	var t PayeeTotal
	return q.stream(ctx, from+f.Where()+payeesByName.By(), append(args, f.Args...), &t,
		func() error { return each(&t) })
}

// SumPayees adds payee totals up, by currency, and counts them.
func (q queries) SumPayees(ctx context.Context, w PayeeFilter) (sums []PayeeSum, totals int64, err error) {
	paid, args := w.paid()
	f := w.conditions()
	var rows []struct {
		PayeeSum
		Totals int64
	}
	err = q.List(ctx, &rows, `SELECT w.currency, CAST(SUM(w.payouts) AS BIGINT) AS payouts, CAST(SUM(w.amount) AS BIGINT) AS amount, COUNT(*) AS totals
		FROM `+paid+` w JOIN creators r ON r.id = w.creator_id`+f.Where()+` GROUP BY w.currency ORDER BY w.currency`,
		append(args, f.Args...)...)
	for _, r := range rows {
		sums, totals = append(sums, r.PayeeSum), totals+r.Totals
	}
	return sums, totals, err
}
