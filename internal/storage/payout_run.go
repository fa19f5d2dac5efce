package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

var (
	payoutRunTable   = tableOf[affiliate.PayoutRun]("payout_runs", "form")
	payoutRunColumns = columnsOf[affiliate.PayoutRun]()
)

// SummedRun is a payout run with what its payouts add up to, by currency.
type SummedRun struct {
	affiliate.PayoutRun
	Sums []PayoutSum
}

// Standing is how many payouts of the run are not canceled.
func (b SummedRun) Standing() (n int64) {
	for _, s := range b.Sums {
		n += s.Payouts
	}
	return n
}

// PayoutRun gives one payout run; NotFound when there is none.
func (q queries) PayoutRun(ctx context.Context, id affiliate.PayoutRunID) (SummedRun, error) {
	b, err := getOne[affiliate.PayoutRun](ctx, q, id,
		`SELECT `+payoutRunColumns.of("")+` FROM payout_runs WHERE id = ?`, id)
	if err != nil {
		return SummedRun{}, err
	}
	list, err := q.sumRuns(ctx, []affiliate.PayoutRun{b})
	if err != nil {
		return SummedRun{}, err
	}
	return list[0], nil
}

// PayoutRuns lists runs, newest first.
func (q queries) PayoutRuns(ctx context.Context, p Page) ([]SummedRun, string, error) {
	list, next, err := paged[affiliate.PayoutRun](ctx, q, `SELECT `+payoutRunColumns.of("")+` FROM payout_runs`, Filter{},
		Keyset{Keys: []Key{{SQL: "id", Descending: true}}}, p)
	if err != nil {
		return nil, "", err
	}
	summed, err := q.sumRuns(ctx, list)
	return summed, next, err
}

// sumRuns adds up the payouts of runs.
func (q queries) sumRuns(ctx context.Context, list []affiliate.PayoutRun) ([]SummedRun, error) {
	summed := make([]SummedRun, len(list))
	if len(list) == 0 {
		return summed, nil
	}
	ids, at := make([]affiliate.PayoutRunID, len(list)), map[affiliate.PayoutRunID]int{}
	for i, b := range list {
		summed[i].PayoutRun, ids[i], at[b.ID] = b, b.ID, i
	}
	var rows []struct {
		RunID affiliate.PayoutRunID
		PayoutSum
	}
	err := q.ListIn(ctx, &rows, `SELECT p.run_id, `+payoutSums+` FROM payouts p WHERE p.run_id IN (?)
		GROUP BY p.run_id, p.currency ORDER BY p.run_id, p.currency`, ids)
	for _, r := range rows {
		b := &summed[at[r.RunID]]
		b.Sums = append(b.Sums, r.PayoutSum)
	}
	return summed, err
}

// RunOfForm gives the run that a form has recorded; NotFound when there is none yet.
func (tx *Tx) RunOfForm(ctx context.Context, form string) (affiliate.PayoutRun, error) {
	return getOne[affiliate.PayoutRun](ctx, tx.queries, named("payment of this form"),
		`SELECT `+payoutRunColumns.of("")+` FROM payout_runs WHERE form = ?`, form)
}

// CreatePayoutRun writes a new run and gives it with its id. Conflict when its form has recorded one already.
func (tx *Tx) CreatePayoutRun(ctx context.Context, b affiliate.PayoutRun) (affiliate.PayoutRun, error) {
	err := payoutRunTable.create(ctx, tx, b, &b.ID, "ON CONFLICT (form) DO NOTHING")
	return b, taken(err, "form", "these payouts were recorded already")
}

// PayoutsOf lists the payouts of a payout run, canceled ones too, in the order in which they were recorded.
func (q queries) PayoutsOf(ctx context.Context, id affiliate.PayoutRunID) ([]affiliate.Payout, error) {
	list := []affiliate.Payout{}
	err := q.List(ctx, &list, `SELECT `+payoutColumns.of("")+` FROM payouts WHERE run_id = ? ORDER BY id`, id)
	return list, err
}

// LockPayoutRun gives a run as it stands, and makes others who want to change it or its payouts wait until this
// transaction ends.
func (tx *Tx) LockPayoutRun(ctx context.Context, id affiliate.PayoutRunID) (affiliate.PayoutRun, error) {
	return getOne[affiliate.PayoutRun](ctx, tx.queries, id,
		`SELECT `+payoutRunColumns.of("")+` FROM payout_runs WHERE id = ?`+tx.d.lockRows, id)
}

// SavePayoutRun writes a run that was read with LockPayoutRun.
func (tx *Tx) SavePayoutRun(ctx context.Context, r affiliate.PayoutRun) error {
	return payoutRunTable.save(ctx, tx, r)
}

// SettleRuns writes of runs whose payouts are all final that they are settled, and of others that were settled that
// they are not. Lock their payouts first.
func (tx *Tx) SettleRuns(ctx context.Context, ids []affiliate.PayoutRunID, now time.Time) error {
	const open = `EXISTS (SELECT 1 FROM payouts p WHERE p.run_id = payout_runs.id AND p.state IN (` + waitStates + `))`
	if err := tx.execIn(ctx, `UPDATE payout_runs SET state = 'settled', ended_at = ? WHERE id IN (?) AND state IN ('confirmed', 'sent') AND NOT `+open,
		At(now), ids); err != nil {
		return err
	}
	return tx.execIn(ctx, `UPDATE payout_runs SET state = 'sent', ended_at = NULL WHERE id IN (?) AND state = 'settled' AND `+open, ids)
}

// FreezeEntries settles in a run all ledger entries of some creators that may be paid now and that no run has settled.
// What is on hold, and what was posted at until or later unless that is zero, waits as in PayableAccounts. Lock the
// creators first.
func (tx *Tx) FreezeEntries(ctx context.Context, run affiliate.PayoutRunID, creators []affiliate.CreatorID, now,
	until time.Time) error {
	waits, args := onHold, []any{run, At(now)}
	if !until.IsZero() {
		waits += " OR " + afterCutOff
		args = append(args, At(until))
	}
	return tx.execIn(ctx, `INSERT INTO payout_run_entries (ledger_entry_id, run_id)
		SELECT w.id, CAST(? AS BIGINT) FROM (SELECT w.id, w.waits, SUM(CASE WHEN w.waits THEN w.amount ELSE 0 END)
				OVER (PARTITION BY w.creator_id, w.campaign_id, w.offer_member_id, w.currency) AS waiting
			FROM (SELECT e.id, e.creator_id, COALESCE(e.campaign_id, 0) AS campaign_id, COALESCE(e.offer_member_id, 0) AS offer_member_id,
				e.currency, e.amount, (`+waits+`) AS waits FROM ledger_entries e WHERE e.creator_id IN (?)
				AND NOT EXISTS (SELECT 1 FROM payout_run_entries s WHERE s.ledger_entry_id = e.id)) w) w
		WHERE NOT w.waits OR w.waiting <= 0`, append(args, creators)...)
}

// RunEntry says that a payout run settles a ledger entry.
type RunEntry struct {
	Entry affiliate.LedgerEntryID
	Run   affiliate.PayoutRunID
}

// FrozenAccount is what a run settles of one account in one currency, in its minor units.
type FrozenAccount struct {
	affiliate.Account
	Currency money.Currency
	Amount   int64
	Entries  int64
}

// FrozenAccounts adds up what FreezeEntries has settled in a run.
func (q queries) FrozenAccounts(ctx context.Context, run affiliate.PayoutRunID) ([]FrozenAccount, error) {
	list := []FrozenAccount{}
	err := q.List(ctx, &list, `SELECT e.creator_id, COALESCE(e.campaign_id, 0) AS campaign_id, COALESCE(e.offer_member_id, 0) AS offer_member_id,
		e.currency, CAST(SUM(e.amount) AS BIGINT) AS amount, COUNT(*) AS entries FROM payout_run_entries s JOIN ledger_entries e ON e.id = s.ledger_entry_id
		WHERE s.run_id = ? GROUP BY 1, 2, 3, 4`, run)
	return list, err
}

// FreezePayouts lets go of entries whose creators the run pays nothing in their currency, and settles what its payouts
// have posted themselves.
func (tx *Tx) FreezePayouts(ctx context.Context, run affiliate.PayoutRunID) error {
	if _, err := tx.exec(ctx, `DELETE FROM payout_run_entries WHERE run_id = ? AND ledger_entry_id IN (SELECT e.id FROM payout_run_entries s
		JOIN ledger_entries e ON e.id = s.ledger_entry_id WHERE s.run_id = ? AND NOT EXISTS (SELECT 1 FROM payouts p
			WHERE p.run_id = s.run_id AND p.creator_id = e.creator_id AND p.currency = e.currency))`, run, run); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `INSERT INTO payout_run_entries (ledger_entry_id, run_id) SELECT e.id, p.run_id FROM payouts p
		JOIN ledger_entries e ON e.payout_id = p.id AND e.kind = 'payout' WHERE p.run_id = ?`, run)
	return err
}

// LeftOutPayout is somebody to whom something is payable, or who owes, and who is not paid in a run.
type LeftOutPayout struct {
	RunID     affiliate.PayoutRunID
	CreatorID affiliate.CreatorID
	Currency  money.Currency
	Amount    int64 // minor units of Currency; negative where they owe
	Reason    affiliate.LeftOut
}

var leftOutTable = tableOf[LeftOutPayout]("payout_run_left_out")

// AddLeftOut writes down who is not paid in a run.
func (tx *Tx) AddLeftOut(ctx context.Context, list []LeftOutPayout) error {
	return leftOutTable.insert(ctx, tx, list, "", nil, nil)
}

// NamedLeftOut is a LeftOutPayout with the creator's name.
type NamedLeftOut struct {
	LeftOutPayout
	Creator string
}

var byLeftOut = Keyset{Keys: []Key{{SQL: "l.creator_id"}, {SQL: "l.currency", Kind: TextKey}}}

// LeftOut lists who is not paid in a run, and why.
func (q queries) LeftOut(ctx context.Context, run affiliate.PayoutRunID, p Page) ([]NamedLeftOut, string, error) {
	var f Filter
	Is(&f, "l.run_id", run)
	return paged[NamedLeftOut](ctx, q, `SELECT `+columnsOf[LeftOutPayout]().of("l")+`, r.name AS creator
		FROM payout_run_left_out l JOIN creators r ON r.id = l.creator_id`, f, byLeftOut, p)
}

// RunSums adds up the payouts of a run by currency and state.
func (q queries) RunSums(ctx context.Context, run affiliate.PayoutRunID) ([]affiliate.RunSums, error) {
	sums, err := q.SumsOfRuns(ctx, []affiliate.PayoutRunID{run})
	return append([]affiliate.RunSums{}, sums[run]...), err
}

// SumsOfRuns adds up the payouts of several runs by currency and state.
func (q queries) SumsOfRuns(ctx context.Context,
	runs []affiliate.PayoutRunID) (map[affiliate.PayoutRunID][]affiliate.RunSums, error) {
	sums := make(map[affiliate.PayoutRunID][]affiliate.RunSums, len(runs))
	if len(runs) == 0 {
		return sums, nil
	}
	var rows []struct {
		RunID    affiliate.PayoutRunID
		Currency money.Currency
		State    affiliate.PayoutState
		Payouts  int64
		Amount   int64
	}
	err := q.ListIn(ctx, &rows, `SELECT run_id, currency, state, COUNT(*) AS payouts, CAST(SUM(amount) AS BIGINT) AS amount FROM payouts
		WHERE run_id IN (?) GROUP BY run_id, currency, state ORDER BY run_id, currency, state`, runs)
	for _, r := range rows {
		of := sums[r.RunID]
		if n := len(of); n == 0 || of[n-1].Currency != r.Currency {
			of = append(of, affiliate.RunSums{Currency: r.Currency})
		}
		of[len(of)-1].Add(r.State, r.Payouts, r.Amount)
		sums[r.RunID] = of
	}
	return sums, err
}

// RunFee is what providers took for a run in one currency, in its minor units.
type RunFee struct {
	Currency money.Currency
	Amount   int64
}

// RunFees adds up what providers took for a run, by currency: for each part what they say of its payouts, and where
// they say nothing of any of these, what they say of the part as a whole.
func (q queries) RunFees(ctx context.Context, run affiliate.PayoutRunID) ([]RunFee, error) {
	list := []RunFee{}
	err := q.List(ctx, &list, `SELECT f.currency, CAST(SUM(f.amount) AS BIGINT) AS amount FROM (
		SELECT p.fee_currency AS currency, p.fee AS amount FROM payouts p WHERE p.run_id = ?
		UNION ALL SELECT t.fee_currency, t.fee FROM payout_parts t WHERE t.run_id = ?
			AND NOT EXISTS (SELECT 1 FROM payouts p WHERE p.part_id = t.id AND p.fee <> 0)) f
		WHERE f.amount <> 0 GROUP BY f.currency ORDER BY f.currency`, run, run)
	return list, err
}

// LeftOutSum is how many creators a run has left out for one reason in one currency, and what is payable to them, in
// its minor units.
type LeftOutSum struct {
	Reason   affiliate.LeftOut
	Currency money.Currency
	Creators int64
	Amount   int64
}

// LeftOutSums adds up whom a run has left out, by reason and currency.
func (q queries) LeftOutSums(ctx context.Context, run affiliate.PayoutRunID) ([]LeftOutSum, error) {
	list := []LeftOutSum{}
	err := q.List(ctx, &list, `SELECT reason, currency, COUNT(*) AS creators, CAST(SUM(amount) AS BIGINT) AS amount
		FROM payout_run_left_out WHERE run_id = ? GROUP BY reason, currency ORDER BY reason, currency`, run)
	return list, err
}

// paidBy are the ledger entries l that a payout pays; what it has posted itself is not among them.
func paidBy(p affiliate.Payout) (f Filter) {
	f.And("l.id IN (SELECT s.ledger_entry_id FROM payout_run_entries s WHERE s.run_id = ?)", p.RunID)
	Is(&f, "l.creator_id", p.CreatorID)
	f.And("l.currency = ? AND (l.payout_id IS NULL OR l.payout_id <> ?)", string(p.Currency), p.ID)
	return f
}

// EachPaidEntry hands the ledger entries that a payout pays to each, oldest first, with what a statement shows of them;
// what the payout has posted itself is not among them. The line is used again for the next one.
func (q queries) EachPaidEntry(ctx context.Context, p affiliate.Payout, each func(*LedgerLine) error) error {
	f := paidBy(p)
	var line LedgerLine
	return q.stream(ctx, `SELECT `+ledgerColumns+` FROM ledger_entries l`+ledgerJoins+f.Where()+` ORDER BY l.id`, f.Args, &line, func() error { return each(&line) })
}

// PaidEntries lists what EachPaidEntry hands on, newest first, with the names that people see.
func (q queries) PaidEntries(ctx context.Context, p affiliate.Payout, page Page) ([]LedgerLine, string, error) {
	return q.ledgerPage(ctx, paidBy(p), page)
}

// NamePayouts writes our references of the payouts of a run that are to be sent.
func (tx *Tx) NamePayouts(ctx context.Context, run affiliate.PayoutRun) error {
	_, err := tx.exec(ctx, `UPDATE payouts SET ref = 'TRB-' || CAST(id AS TEXT) || '-' || CAST(? AS TEXT) WHERE run_id = ? AND rail <> 'elsewhere'`,
		run.Mark, run.ID)
	return err
}

// LessenPart takes a payout off a part, from which it was canceled; of no part, nothing.
func (tx *Tx) LessenPart(ctx context.Context, id affiliate.PayoutPartID, amount int64) error {
	_, err := tx.exec(ctx, `UPDATE payout_parts SET payouts = payouts - 1, amount = amount - ?,
		state = CASE WHEN payouts = 1 THEN 'canceled' ELSE state END, next_at = CASE WHEN payouts = 1 THEN NULL ELSE next_at END WHERE id = ?`,
		amount, id)
	return err
}

// CancelParts cancels the parts of a run.
func (tx *Tx) CancelParts(ctx context.Context, run affiliate.PayoutRunID) error {
	_, err := tx.exec(ctx, `UPDATE payout_parts SET state = 'canceled', next_at = NULL WHERE run_id = ?`, run)
	return err
}
