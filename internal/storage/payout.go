package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

var (
	payoutTable   = tableOf[affiliate.Payout]("payouts", "run_id", "part_id")
	payoutColumns = columnsOf[affiliate.Payout]()
	savePayouts   = payoutTable.upsert(columns{"id"}, nil)
)

// Payout gives one payout; NotFound when there is none.
func (q queries) Payout(ctx context.Context, id affiliate.PayoutID) (affiliate.Payout, error) {
	return getOne[affiliate.Payout](ctx, q, id, `SELECT `+payoutColumns.of("")+` FROM payouts WHERE id = ?`, id)
}

// PayoutEntry is a ledger entry of a payout with the names that people see; both are empty for an account that belongs
// to no campaign or offer.
type PayoutEntry struct {
	affiliate.LedgerEntry
	Campaign string
	Offer    string
}

// PayoutEntries gives the ledger entries of a payout, those that took it back included, in the order in which they were
// posted.
func (q queries) PayoutEntries(ctx context.Context, id affiliate.PayoutID) ([]PayoutEntry, error) {
	entries := []PayoutEntry{}
	err := q.List(ctx, &entries, `SELECT `+columnsOf[affiliate.LedgerEntry]().of("e")+`, c.name AS campaign, o.name AS offer
		FROM ledger_entries e LEFT JOIN campaigns c ON c.id = e.campaign_id
		LEFT JOIN offer_members om ON om.id = e.offer_member_id LEFT JOIN offers o ON o.id = om.offer_id
		WHERE e.payout_id = ? AND e.kind = 'payout' ORDER BY e.id`, id)
	return entries, err
}

// LockCreators makes other payouts to the same creators wait until this transaction ends, and gives the creators'
// names. Workers do not wait: what they post meanwhile is owed afterwards. Call ShareCatalog first. A creator who does
// not exist has no name.
func (tx *Tx) LockCreators(ctx context.Context, ids []affiliate.CreatorID) (map[affiliate.CreatorID]string, error) {
	var rows []struct {
		ID   affiliate.CreatorID
		Name string
	}
	// Locked in one fixed order, so that two payments of many creators never wait for each other.
	err := tx.ListIn(ctx, &rows, `SELECT id, name FROM creators WHERE id IN (?) ORDER BY id`+tx.d.lockRows, ids)
	names := make(map[affiliate.CreatorID]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, err
}

// CreatePayouts writes new payouts, at most one per creator and currency, and gives them with their ids.
func (tx *Tx) CreatePayouts(ctx context.Context, list []affiliate.Payout) ([]affiliate.Payout, error) {
	type key struct {
		CreatorID affiliate.CreatorID
		Currency  money.Currency
	}
	var saved struct {
		key
		ID affiliate.PayoutID
	}
	ids := make(map[key]affiliate.PayoutID, len(list))
	err := payoutTable.insert(ctx, tx, list, "RETURNING creator_id, currency, id", &saved, func() {
		ids[saved.key] = saved.ID
	})
	created := make([]affiliate.Payout, len(list))
	for i, p := range list {
		p.ID = ids[key{p.CreatorID, p.Currency}]
		created[i] = p
	}
	return created, err
}

// SavePayouts writes what became of payouts that were read with LockPayouts.
func (tx *Tx) SavePayouts(ctx context.Context, list []affiliate.Payout) error {
	args := make([]any, 0, len(list)*len(payoutTable.all))
	for i := range list {
		args = payoutTable.args(args, payoutTable.all, &list[i])
	}
	return tx.insertRows(ctx, payoutTable.into(payoutTable.all), len(payoutTable.all), args, savePayouts, nil)
}

// LockPayouts gives some payouts as they stand, with their runs, and makes others who want to change either wait until
// this transaction ends. Those that there are not are left out.
func (tx *Tx) LockPayouts(ctx context.Context, ids []affiliate.PayoutID) ([]affiliate.Payout, error) {
	var runs []int64
	// The run first: what two say of two of its payouts at once decides together whether it is settled.
	if err := tx.ListIn(ctx, &runs, `SELECT id FROM payout_runs WHERE id IN (SELECT run_id FROM payouts WHERE id IN (?)) ORDER BY id`+
		tx.d.lockRows, ids); err != nil {
		return nil, err
	}
	list := []affiliate.Payout{}
	err := tx.ListIn(ctx, &list, `SELECT `+payoutColumns.of("")+` FROM payouts WHERE id IN (?) ORDER BY id`+tx.d.lockRows, ids)
	return list, err
}

// PayoutsByRef finds payouts by our references, as they stand in files; those that there are not are left out.
func (q queries) PayoutsByRef(ctx context.Context, refs []string) ([]affiliate.Payout, error) {
	list := []affiliate.Payout{}
	err := q.ListIn(ctx, &list, `SELECT `+payoutColumns.of("")+` FROM payouts WHERE ref IN (?) AND ref <> '' ORDER BY id`, refs)
	return list, err
}

// PayoutPostings gives what payouts have posted to the ledger so far, in the order in which it was posted.
func (q queries) PayoutPostings(ctx context.Context,
	ids []affiliate.PayoutID) (map[affiliate.PayoutID][]affiliate.LedgerEntry, error) {
	var list []affiliate.LedgerEntry
	err := q.ListIn(ctx, &list, `SELECT `+columnsOf[affiliate.LedgerEntry]().of("")+` FROM ledger_entries
		WHERE payout_id IN (?) AND kind = 'payout' ORDER BY id`, ids)
	entries := map[affiliate.PayoutID][]affiliate.LedgerEntry{}
	for _, e := range list {
		entries[e.PayoutID] = append(entries[e.PayoutID], e)
	}
	return entries, err
}

// Balance is what one account holds in one currency, in its minor units.
type Balance struct {
	affiliate.Account
	Currency money.Currency
	Balance  int64 // all entries
	Paid     int64 // payouts among them, as a positive number
	Payable  int64 // what may be paid out now
}

// Balances gives the accounts of some creators. It is one statement, so that what others post meanwhile counts both in
// the balance and in what is on hold, or in neither.
func (q queries) Balances(ctx context.Context, creators []affiliate.CreatorID, now time.Time) ([]Balance, error) {
	query, args := PayableAccounts(now, time.Time{}, creators)
	list := []Balance{}
	err := q.ListIn(ctx, &list, `SELECT creator_id, campaign_id, offer_member_id, currency, balance, paid, payable FROM (`+query+`) b
		ORDER BY creator_id, currency, campaign_id, offer_member_id`, args...)
	return list, err
}

// What of the ledger entries e is not paid yet: those on hold, of ?, now (their second condition is that of an index),
// and those that were posted at the cut-off of ? or later; only what came back since is due all the same.
const (
	onHold      = "e.payable_at > ? AND e.payable_at > e.created_at"
	afterCutOff = "e.created_at >= ? AND e.kind <> 'payout'"
)

// PayableAccounts is a query of accounts with what may be paid out of them now: affiliate.Payable in SQL. Without
// creators it is of all. What was posted at until or later waits, too, unless that is zero; only a payout that came
// back since does not.
func PayableAccounts(now, until time.Time, creators []affiliate.CreatorID) (string, []any) {
	var waits, accounts Filter
	rows := func(f *Filter, condition string, args ...any) string {
		f.And(condition, args...)
		f.And("NOT EXISTS (SELECT 1 FROM payout_run_entries s WHERE s.ledger_entry_id = e.id)")
		if len(creators) > 0 {
			f.And("e.creator_id IN (?)", creators)
		}
		return `SELECT e.creator_id, e.campaign_id, e.offer_member_id, e.currency, e.amount FROM ledger_entries e` + f.Where()
	}
	query := rows(&waits, onHold, At(now))
	if !until.IsZero() {
		var later Filter
		query += ` UNION ALL ` + rows(&later, afterCutOff+" AND NOT ("+onHold+")", At(until), At(now))
		waits.Args = append(waits.Args, later.Args...)
	}
	if len(creators) > 0 {
		accounts.And("b.creator_id IN (?)", creators)
	}
	return `SELECT b.creator_id, b.campaign_id, b.offer_member_id, b.currency, b.balance, b.paid,
		b.balance - CASE WHEN h.amount > 0 THEN h.amount ELSE 0 END AS payable
		FROM balances b LEFT JOIN (SELECT creator_id, COALESCE(campaign_id, 0) AS campaign_id, COALESCE(offer_member_id, 0) AS offer_member_id, currency,
			CAST(SUM(amount) AS BIGINT) AS amount FROM (` + query + `) w GROUP BY 1, 2, 3, 4) h
		ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND h.offer_member_id = b.offer_member_id AND h.currency = b.currency` +
		accounts.Where(), append(waits.Args, accounts.Args...)
}
