package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

var (
	payoutBatchTable   = tableOf[affiliate.PayoutBatch]("payout_batches", "form")
	payoutBatchColumns = columnsOf[affiliate.PayoutBatch]()
)

// SummedBatch is a batch with what its payouts add up to, by currency.
type SummedBatch struct {
	affiliate.PayoutBatch
	Sums []PayoutSum
}

// Standing is how many payouts of the batch are not canceled.
func (b SummedBatch) Standing() (n int64) {
	for _, s := range b.Sums {
		n += s.Payouts
	}
	return n
}

// PayoutBatch gives one batch; NotFound when there is none.
func (q queries) PayoutBatch(ctx context.Context, id affiliate.PayoutBatchID) (SummedBatch, error) {
	b, err := getOne[affiliate.PayoutBatch](ctx, q, id,
		`SELECT `+payoutBatchColumns.of("")+` FROM payout_batches WHERE id = ?`, id)
	if err != nil {
		return SummedBatch{}, err
	}
	list, err := q.sumBatches(ctx, []affiliate.PayoutBatch{b})
	if err != nil {
		return SummedBatch{}, err
	}
	return list[0], nil
}

// PayoutBatches lists batches, newest first.
func (q queries) PayoutBatches(ctx context.Context, p Page) ([]SummedBatch, string, error) {
	list, next, err := paged[affiliate.PayoutBatch](ctx, q, `SELECT `+payoutBatchColumns.of("")+` FROM payout_batches`, Filter{},
		Keyset{Keys: []Key{{SQL: "id", Descending: true}}}, p)
	if err != nil {
		return nil, "", err
	}
	summed, err := q.sumBatches(ctx, list)
	return summed, next, err
}

// sumBatches adds up the payouts of batches.
func (q queries) sumBatches(ctx context.Context, list []affiliate.PayoutBatch) ([]SummedBatch, error) {
	summed := make([]SummedBatch, len(list))
	if len(list) == 0 {
		return summed, nil
	}
	ids, at := make([]affiliate.PayoutBatchID, len(list)), map[affiliate.PayoutBatchID]int{}
	for i, b := range list {
		summed[i].PayoutBatch, ids[i], at[b.ID] = b, b.ID, i
	}
	var rows []struct {
		BatchID affiliate.PayoutBatchID
		PayoutSum
	}
	err := q.ListIn(ctx, &rows, `SELECT p.batch_id, `+payoutSums+` FROM payouts p WHERE p.batch_id IN (?)
		GROUP BY p.batch_id, p.currency ORDER BY p.batch_id, p.currency`, ids)
	for _, r := range rows {
		b := &summed[at[r.BatchID]]
		b.Sums = append(b.Sums, r.PayoutSum)
	}
	return summed, err
}

// BatchOfForm gives the batch that a form has recorded; NotFound when there is none yet.
func (tx *Tx) BatchOfForm(ctx context.Context, form string) (affiliate.PayoutBatch, error) {
	return getOne[affiliate.PayoutBatch](ctx, tx.queries, named("payment of this form"),
		`SELECT `+payoutBatchColumns.of("")+` FROM payout_batches WHERE form = ?`, form)
}

// CreatePayoutBatch writes a new batch and gives it with its id. Conflict when its form has recorded one already.
func (tx *Tx) CreatePayoutBatch(ctx context.Context, b affiliate.PayoutBatch) (affiliate.PayoutBatch, error) {
	err := payoutBatchTable.create(ctx, tx, b, &b.ID, "ON CONFLICT (form) DO NOTHING")
	return b, taken(err, "form", "these payouts were recorded already")
}

// PayoutsOf lists the payouts of a batch, canceled ones too, in the order in which they were recorded.
func (q queries) PayoutsOf(ctx context.Context, id affiliate.PayoutBatchID) ([]affiliate.Payout, error) {
	list := []affiliate.Payout{}
	err := q.List(ctx, &list, `SELECT `+payoutColumns.of("")+` FROM payouts WHERE batch_id = ? ORDER BY id`, id)
	return list, err
}

// LockBatch gives the payouts of a batch as they stand, and makes others who want to change them wait until this
// transaction ends.
func (tx *Tx) LockBatch(ctx context.Context, id affiliate.PayoutBatchID) ([]affiliate.Payout, error) {
	list := []affiliate.Payout{}
	err := tx.List(ctx, &list, `SELECT `+payoutColumns.of("")+` FROM payouts WHERE batch_id = ? ORDER BY id`+tx.d.lockRows, id)
	return list, err
}

// BatchEntries gives the ledger entries with which the payouts of a batch that stand were issued, by payout. Lock the
// batch first.
func (tx *Tx) BatchEntries(ctx context.Context,
	id affiliate.PayoutBatchID) (map[affiliate.PayoutID][]affiliate.LedgerEntry, error) {
	var list []affiliate.LedgerEntry
	err := tx.List(ctx, &list, `SELECT `+columnsOf[affiliate.LedgerEntry]().of("e")+` FROM payouts p JOIN ledger_entries e ON e.payout_id = p.id
		WHERE p.batch_id = ? AND p.state = 'paid' AND e.kind = 'payout' ORDER BY e.id`, id)
	entries := map[affiliate.PayoutID][]affiliate.LedgerEntry{}
	for _, e := range list {
		entries[e.PayoutID] = append(entries[e.PayoutID], e)
	}
	return entries, err
}

// CancelBatch writes that the payouts of a batch are canceled.
func (tx *Tx) CancelBatch(ctx context.Context, id affiliate.PayoutBatchID) error {
	_, err := tx.exec(ctx, `UPDATE payouts SET state = 'canceled' WHERE batch_id = ?`, id)
	return err
}
