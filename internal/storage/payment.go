package storage

import (
	"context"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// PaymentDetails are where a creator wants to be paid, as they were entered once: sealed, with what may be shown.
type PaymentDetails struct {
	ID        affiliate.PaymentDetailsID
	CreatorID affiliate.CreatorID
	Method    affiliate.PaymentMethod // empty: they were taken away
	Details   []byte                  // sealed affiliate.PaymentDetails
	Masked    string
	Holder    string
	Country   string // of the bank account; may be empty
	HasIban   bool
	Recipient bool              // it names one that the provider has saved
	StoreID   affiliate.StoreID // 0: none
	UsableAt  time.Time         // nothing is paid there before
	Author    string
	CreatedAt time.Time
}

var (
	paymentDetailsTable   = tableOf[PaymentDetails]("payment_details", "store_id")
	paymentDetailsColumns = columnsOf[PaymentDetails]()
)

// AddPaymentDetails writes down where a creator wants to be paid from now on.
func (tx *Tx) AddPaymentDetails(ctx context.Context, d PaymentDetails) (PaymentDetails, error) {
	err := paymentDetailsTable.create(ctx, tx, d, &d.ID)
	return d, err
}

// PaymentDetailsOf gives all that was entered for a creator, newest first: the first counts.
func (q queries) PaymentDetailsOf(ctx context.Context, creator affiliate.CreatorID) ([]PaymentDetails, error) {
	list := []PaymentDetails{}
	err := q.List(ctx, &list, `SELECT `+paymentDetailsColumns.of("")+` FROM payment_details WHERE creator_id = ? ORDER BY id DESC`, creator)
	return list, err
}

// CreatorsWithDetails gives those of some creators who have said where they want to be paid.
func (q queries) CreatorsWithDetails(ctx context.Context,
	ids []affiliate.CreatorID) (map[affiliate.CreatorID]bool, error) {
	has := map[affiliate.CreatorID]bool{}
	for part := range slices.Chunk(ids, MaxLimit) {
		var found []affiliate.CreatorID
		err := q.ListIn(ctx, &found, `SELECT m.creator_id FROM payment_details m WHERE m.creator_id IN (?) AND m.method <> ''
			AND m.id = (SELECT MAX(n.id) FROM payment_details n WHERE n.creator_id = m.creator_id)`, part)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			has[id] = true
		}
	}
	return has, nil
}

// UntoldRuns lists runs that have paid creators who are to get a mail about it, and for whom none was written.
func (q queries) UntoldRuns(ctx context.Context, most int) ([]affiliate.PayoutRunID, error) {
	list := []affiliate.PayoutRunID{}
	err := q.List(ctx, &list, `SELECT r.id FROM payout_runs r WHERE r.tell AND EXISTS (SELECT 1 FROM payouts p WHERE p.run_id = r.id
		AND p.state = 'paid' AND p.told_at IS NULL) ORDER BY r.id LIMIT ?`, most)
	return list, err
}

// UntoldPayouts lists the paid payouts of a run about which no mail was written, by creator: all of the first of them.
func (q queries) UntoldPayouts(ctx context.Context, run affiliate.PayoutRunID,
	creators int) ([]affiliate.Payout, error) {
	list := []affiliate.Payout{}
	const untold = `run_id = ? AND state = 'paid' AND told_at IS NULL`
	err := q.List(ctx, &list, `SELECT `+payoutColumns.of("")+` FROM payouts WHERE `+untold+` AND creator_id IN
		(SELECT creator_id FROM payouts WHERE `+untold+` GROUP BY creator_id ORDER BY creator_id LIMIT ?) ORDER BY creator_id, id`, run, run, creators)
	return list, err
}

// TellPayouts notes that a mail about payouts was written. Lock their run first.
func (tx *Tx) TellPayouts(ctx context.Context, ids []affiliate.PayoutID, now time.Time) error {
	return tx.execIn(ctx, `UPDATE payouts SET told_at = ? WHERE id IN (?)`, At(now), ids)
}

// Payee is what is payable to a creator in one currency, or what they owe, with where they want to be paid.
type Payee struct {
	CreatorID affiliate.CreatorID `db:"creator_id"`
	Creator   string              // name
	Handle    string              // the one on Instagram, or the first other; without @, empty without any
	Email     string              // may be empty
	Currency  money.Currency
	Amount    int64                   // minor units of Currency; negative where they owe
	Part      int64                   // of Amount, what the campaign or offer that was asked for has
	Method    affiliate.PaymentMethod // empty: nobody has entered any
	Masked    string
	Holder    string
	Country   string
	HasIban   bool
	Recipient bool
	StoreID   affiliate.StoreID
	Details   []byte // sealed
	UsableAt  Time
}

// Payees lists all to whom something is payable, or who owe, that a filter keeps, by name. Of a campaign or offer
// those are kept that have an account there that is not 0.
func (q queries) Payees(ctx context.Context, w DueFilter, now time.Time) ([]Payee, error) {
	list := []Payee{}
	from, args, f := w.payable(now)
	f.And("d.amount <> 0")
	err := q.ListIn(ctx, &list, `SELECT d.creator_id, r.name AS creator, r.email, `+bestHandle+` AS handle, d.currency, d.amount, d.part,
		COALESCE(m.method, '') AS method, COALESCE(m.masked, '') AS masked, COALESCE(m.holder, '') AS holder, COALESCE(m.country, '') AS country,
		COALESCE(m.has_iban, FALSE) AS has_iban, COALESCE(m.recipient, FALSE) AS recipient, COALESCE(m.store_id, 0) AS store_id, m.details, m.usable_at`+
		from+` LEFT JOIN payment_details m ON m.id = (SELECT MAX(n.id) FROM payment_details n WHERE n.creator_id = d.creator_id)`+
		f.Where()+` ORDER BY r.name, d.creator_id, d.currency`, slices.Concat(args, f.Args)...)
	return list, err
}

// payoutPartRow is a part with the file that was made of it.
type payoutPartRow struct {
	affiliate.PayoutPart
	File []byte // sealed
}

var (
	payoutPartTable   = tableOf[payoutPartRow]("payout_parts", "store_id")
	payoutPartColumns = columnsOf[affiliate.PayoutPart]()
)

// CreatePayoutParts writes the parts of a run and gives them with their ids.
func (tx *Tx) CreatePayoutParts(ctx context.Context, list []affiliate.PayoutPart) ([]affiliate.PayoutPart, error) {
	rows := make([]payoutPartRow, len(list))
	for i, p := range list {
		rows[i] = payoutPartRow{PayoutPart: p}
	}
	var saved struct {
		Reference string
		ID        affiliate.PayoutPartID
	}
	ids := make(map[string]affiliate.PayoutPartID, len(list))
	err := payoutPartTable.insert(ctx, tx, rows, "RETURNING reference, id", &saved, func() {
		ids[saved.Reference] = saved.ID
	})
	created := slices.Clone(list)
	for i := range created {
		created[i].ID = ids[created[i].Reference]
	}
	return created, err
}

// PayoutPart gives one part; NotFound when there is none.
func (q queries) PayoutPart(ctx context.Context, id affiliate.PayoutPartID) (affiliate.PayoutPart, error) {
	return getOne[affiliate.PayoutPart](ctx, q, id, `SELECT `+payoutPartColumns.of("")+` FROM payout_parts WHERE id = ?`, id)
}

// LockPayoutPart gives one part as it stands with its sealed file, which is nil where none was made, and makes others
// who want to change it wait until this transaction ends. Lock its run first.
func (tx *Tx) LockPayoutPart(ctx context.Context, id affiliate.PayoutPartID) (affiliate.PayoutPart, []byte, error) {
	row, err := getOne[payoutPartRow](ctx, tx.queries, id, `SELECT `+columnsOf[payoutPartRow]().of("")+` FROM payout_parts WHERE id = ?`+tx.d.lockRows, id)
	return row.PayoutPart, row.File, err
}

// SavePayoutPart writes a part that was read with LockPayoutPart, with its sealed file.
func (tx *Tx) SavePayoutPart(ctx context.Context, p affiliate.PayoutPart, file []byte) error {
	return payoutPartTable.save(ctx, tx, payoutPartRow{p, file})
}

// PayoutParts lists the parts of a run in the order in which they were made.
func (q queries) PayoutParts(ctx context.Context, run affiliate.PayoutRunID) ([]affiliate.PayoutPart, error) {
	list := []affiliate.PayoutPart{}
	err := q.List(ctx, &list, `SELECT `+payoutPartColumns.of("")+` FROM payout_parts WHERE run_id = ? ORDER BY id`, run)
	return list, err
}

// OwedAgain counts the payouts of a run's parts that failed or came back.
func (q queries) OwedAgain(ctx context.Context, run affiliate.PayoutRunID) (map[affiliate.PayoutPartID]int64, error) {
	var rows []struct {
		PartID affiliate.PayoutPartID
		N      int64
	}
	err := q.List(ctx, &rows, `SELECT part_id, COUNT(*) AS n FROM payouts WHERE run_id = ? AND part_id IS NOT NULL
		AND state IN ('failed', 'returned') GROUP BY part_id`, run)
	counts := make(map[affiliate.PayoutPartID]int64, len(rows))
	for _, r := range rows {
		counts[r.PartID] = r.N
	}
	return counts, err
}

// DuePayoutParts lists the parts whose provider, or store, is to be asked now, longest due first.
func (q queries) DuePayoutParts(ctx context.Context, now time.Time, most int) ([]affiliate.PayoutPart, error) {
	list := []affiliate.PayoutPart{}
	err := q.List(ctx, &list, `SELECT `+payoutPartColumns.of("")+` FROM payout_parts WHERE next_at IS NOT NULL AND next_at <= ? ORDER BY next_at, id LIMIT ?`, At(now), most)
	return list, err
}

// PartPayouts lists the payouts of a part in the order in which its file has them.
func (q queries) PartPayouts(ctx context.Context, part affiliate.PayoutPartID) ([]NamedPayout, error) {
	list := []NamedPayout{}
	err := q.List(ctx, &list, selectPayouts+` WHERE p.part_id = ? ORDER BY p.id`, part)
	return list, err
}

// AskableStore is a store that is connected with its API.
type AskableStore struct {
	ID       affiliate.StoreID
	Platform affiliate.Platform
	Currency money.Currency
	Missing  string // what the keys may not do, divided by spaces
}

// AskableStores lists the stores that are connected with their API.
func (q queries) AskableStores(ctx context.Context) ([]AskableStore, error) {
	list := []AskableStore{}
	err := q.List(ctx, &list, `SELECT s.id, s.platform, s.currency, a.missing FROM stores s JOIN store_access a ON a.store_id = s.id
		WHERE s.state = 'active' ORDER BY s.id`)
	return list, err
}

// CreditsOfPayouts says which of some credits of a store, by its ids, are known to be payouts. There must be one at
// least.
func (q queries) CreditsOfPayouts(ctx context.Context, store affiliate.StoreID,
	refs []string) (map[string]bool, error) {
	var list []string
	err := q.ListIn(ctx, &list, `SELECT p.provider_ref FROM payout_parts t JOIN payouts p ON p.part_id = t.id
		WHERE t.store_id = ? AND t.rail = 'store_credit' AND p.provider_ref IN (?)`, store, refs)
	given := make(map[string]bool, len(list))
	for _, ref := range list {
		given[ref] = true
	}
	return given, err
}

// ClaimPayoutPart takes a part that is due at a time, so that nobody else does before until; false where it is not due
// then any more.
func (db *DB) ClaimPayoutPart(ctx context.Context, id affiliate.PayoutPartID, due, until time.Time) (bool, error) {
	n, err := db.exec(ctx, `UPDATE payout_parts SET next_at = ? WHERE id = ? AND next_at = ?`, At(until), id, At(due))
	return n == 1, err
}

// HurryPayoutPart makes the part that a provider has under its id due by a time, unless it is due before.
func (db *DB) HurryPayoutPart(ctx context.Context, rail affiliate.Rail, providerRef string, due time.Time) error {
	_, err := db.exec(ctx, `UPDATE payout_parts SET next_at = ? WHERE rail = ? AND provider_ref = ? AND state = 'sent'
		AND (next_at IS NULL OR next_at > ?)`, At(due), rail, providerRef, At(due))
	return err
}

// PartTrouble is how many parts of a rail do not get on.
type PartTrouble struct {
	Rail  affiliate.Rail
	Parts int64
}

// PartTroubles counts the parts that do not get on: that are tried again, or of which a person has to say something.
func (q queries) PartTroubles(ctx context.Context) ([]PartTrouble, error) {
	list := []PartTrouble{}
	err := q.List(ctx, &list, `SELECT rail, COUNT(*) AS parts FROM payout_parts WHERE trouble <> '' AND state IN ('ready', 'trying', 'sent')
		AND (next_at IS NOT NULL OR EXISTS (SELECT 1 FROM payouts p WHERE p.part_id = payout_parts.id AND p.state IN (`+waitStates+`)))
		GROUP BY rail ORDER BY rail`)
	return list, err
}
