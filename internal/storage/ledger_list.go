package storage

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// LedgerFilter narrows a list of ledger entries. Zero fields do not.
type LedgerFilter struct {
	Creator    affiliate.CreatorID
	Campaign   affiliate.CampaignID
	Conversion affiliate.ConversionID
	Payout     affiliate.PayoutID
	Kind       affiliate.EntryKind
	Currency   money.Currency
	From, To   time.Time // posted in [From, To)
}

func (f LedgerFilter) conditions() (w Filter) {
	if f.Creator != 0 {
		w.And("l.creator_id = ?", f.Creator)
	}
	if f.Campaign != 0 {
		w.And("l.campaign_id = ?", f.Campaign)
	}
	if f.Conversion != 0 {
		w.And("l.conversion_id = ?", f.Conversion)
	}
	if f.Payout != 0 {
		w.And("l.payout_id = ?", f.Payout)
	}
	if f.Kind != "" {
		w.And("l.kind = ?", string(f.Kind))
	}
	if f.Currency != "" {
		w.And("l.currency = ?", string(f.Currency))
	}
	if !f.From.IsZero() {
		w.And("l.created_at >= ?", At(f.From))
	}
	if !f.To.IsZero() {
		w.And("l.created_at < ?", At(f.To))
	}
	return w
}

// LedgerLine is a ledger entry with what people look for beside it.
type LedgerLine struct {
	affiliate.LedgerEntry
	OfferID    affiliate.OfferID // 0 where it belongs to none
	OrderID    affiliate.OrderID // of the conversion, 0 without one
	StoreID    affiliate.StoreID
	ExternalID string
	Number     string
	Creator    string // names; in pages only
	Campaign   string
	Offer      string
	Store      string // slug
	// Balance is, in statements, what the creator's entries in this currency add up to, this one and all before it.
	Balance int64
}

var ledgerColumns = columnsOf[affiliate.LedgerEntry]().of("l") + `, om.offer_id, o.id AS order_id, o.store_id, o.external_id, o.number`

const ledgerJoins = ` LEFT JOIN offer_members om ON om.id = l.offer_member_id LEFT JOIN conversions c ON c.id = l.conversion_id
	LEFT JOIN orders o ON o.id = c.order_id`

// EachLedgerEntry hands the entries to each one by one, oldest first, without names and balances. The line is used
// again for the next one.
func (q queries) EachLedgerEntry(ctx context.Context, f LedgerFilter, each func(*LedgerLine) error) error {
	var l LedgerLine
	conditions := f.conditions()
	return q.stream(ctx, `SELECT `+ledgerColumns+` FROM ledger_entries l`+ledgerJoins+conditions.Where()+
		` ORDER BY l.created_at, l.id`, conditions.Args, &l, func() error { return each(&l) })
}

// CountLedger counts what EachLedgerEntry gives.
func (q queries) CountLedger(ctx context.Context, f LedgerFilter) (n int64, err error) {
	conditions := f.conditions()
	return n, q.Get(ctx, &n, `SELECT COUNT(*) FROM ledger_entries l`+conditions.Where(), conditions.Args...)
}

// EachStatementLine hands the entries of a creator posted in [from, to) to each one by one, oldest first, with the
// balance after each. A zero time is no bound.
func (q queries) EachStatementLine(ctx context.Context, creator affiliate.CreatorID, from, to time.Time,
	each func(*LedgerLine) error) error {
	balances := map[money.Currency]int64{}
	if !from.IsZero() {
		var err error
		if balances, err = q.balancesBefore(ctx, creator, from); err != nil {
			return err
		}
	}
	return q.EachLedgerEntry(ctx, LedgerFilter{Creator: creator, From: from, To: to}, func(l *LedgerLine) error {
		balances[l.Currency] += l.Amount
		l.Balance = balances[l.Currency]
		return each(l)
	})
}

// balancesBefore adds up a creator's entries that were posted before a time; all of them for the zero time.
func (q queries) balancesBefore(ctx context.Context, creator affiliate.CreatorID,
	before time.Time) (map[money.Currency]int64, error) {
	return q.LedgerSums(ctx, LedgerFilter{Creator: creator, To: before})
}

// LedgerSums adds entries up, by currency, in minor units.
func (q queries) LedgerSums(ctx context.Context, f LedgerFilter) (map[money.Currency]int64, error) {
	conditions := f.conditions()
	balances := map[money.Currency]int64{}
	var rows []struct {
		Currency money.Currency
		Sum      int64
	}
	err := q.List(ctx, &rows, `SELECT l.currency, CAST(SUM(l.amount) AS BIGINT) AS sum FROM ledger_entries l`+conditions.Where()+
		` GROUP BY l.currency`, conditions.Args...)
	for _, r := range rows {
		balances[r.Currency] = r.Sum
	}
	return balances, err
}

// StatementBalance is what a creator's entries in one currency add up to before and at the end of a period.
type StatementBalance struct {
	Currency         money.Currency
	Opening, Closing int64 // minor units of Currency
}

// StatementBalances gives a creator's balances around [from, to), by currency. A zero from is before everything, a zero
// to after it. Read them in a snapshot: they belong together, and to the entries.
func (q queries) StatementBalances(ctx context.Context, creator affiliate.CreatorID, from,
	to time.Time) (list []StatementBalance, err error) {
	closing, err := q.balancesBefore(ctx, creator, to)
	if err != nil {
		return nil, err
	}
	opening := map[money.Currency]int64{}
	if !from.IsZero() {
		if opening, err = q.balancesBefore(ctx, creator, from); err != nil {
			return nil, err
		}
	}
	for _, c := range slices.Sorted(maps.Keys(closing)) { // what was there before is there at the end
		list = append(list, StatementBalance{c, opening[c], closing[c]})
	}
	return list, nil
}

// newestEntries is the order of lists of ledger entries l.
var newestEntries = Keyset{Keys: []Key{{SQL: "l.created_at", Kind: TimeKey, Descending: true},
	{SQL: "l.id", Descending: true}}}

// LedgerPage gives entries, newest first, and the cursor of the next page, which is empty on the last one.
func (q queries) LedgerPage(ctx context.Context, f LedgerFilter, p Page) ([]LedgerLine, string, error) {
	return q.ledgerPage(ctx, f.conditions(), p)
}

func (q queries) ledgerPage(ctx context.Context, conditions Filter, p Page) ([]LedgerLine, string, error) {
	if err := newestEntries.After(&conditions, p.Cursor); err != nil {
		return nil, "", err
	}
	lines := []LedgerLine{}
	// The names are joined to the few rows of the page, not to all that are skipped.
	err := q.List(ctx, &lines, `WITH page AS (SELECT * FROM ledger_entries l`+conditions.Where()+newestEntries.Top(p.Size())+`)
		SELECT `+ledgerColumns+`, r.name AS creator, p.name AS campaign, f.name AS offer, s.slug AS store FROM page l`+ledgerJoins+`
		LEFT JOIN offers f ON f.id = om.offer_id LEFT JOIN stores s ON s.id = o.store_id LEFT JOIN campaigns p ON p.id = l.campaign_id
		JOIN creators r ON r.id = l.creator_id
		`+newestEntries.By(), conditions.Args...)
	lines, next := Cut(newestEntries, lines, p.Size())
	return lines, next, err
}

// StatementPage gives the entries of a creator posted in [from, to), newest first, with the balance after each, and the
// cursor of the next page, which is empty on the last one. Read it in a snapshot: balances and entries belong together.
// The balances before its last entry are carried to the next page, so that no page has to add up what the pages before
// it have shown.
func (q queries) StatementPage(ctx context.Context, creator affiliate.CreatorID, from, to time.Time,
	p Page) ([]LedgerLine, string, error) {
	balances := map[money.Currency]int64{}
	var err error
	if p.Cursor == "" {
		balances, err = q.balancesBefore(ctx, creator, to)
	} else {
		err = carried(p.Cursor, &balances)
	}
	if err != nil {
		return nil, "", err
	}
	lines, next, err := q.LedgerPage(ctx, LedgerFilter{Creator: creator, From: from, To: to}, p)
	for i := range lines {
		l := &lines[i]
		l.Balance = balances[l.Currency]
		balances[l.Currency] -= l.Amount
	}
	return lines, carry(next, balances), err
}
