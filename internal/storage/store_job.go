package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

var (
	storeJobTable   = tableOf[affiliate.StoreJob]("store_jobs")
	storeJobColumns = columnsOf[affiliate.StoreJob]()
	driftTable      = tableOf[affiliate.Drift]("drift_orders")
	newestJob       = Keyset{Keys: []Key{{SQL: "id", Descending: true}}}
)

// CreateStoreJob writes a new job and gives it with its id.
func (tx *Tx) CreateStoreJob(ctx context.Context, j affiliate.StoreJob) (affiliate.StoreJob, error) {
	err := storeJobTable.create(ctx, tx, j, &j.ID)
	return j, err
}

// StoreJob gives one job; NotFound when there is none.
func (q queries) StoreJob(ctx context.Context, id affiliate.StoreJobID) (affiliate.StoreJob, error) {
	return getOne[affiliate.StoreJob](ctx, q, id, `SELECT `+storeJobColumns.of("")+` FROM store_jobs WHERE id = ?`, id)
}

// HoldStoreJob gives one job and holds it until the transaction ends; NotFound when there is none.
func (tx *Tx) HoldStoreJob(ctx context.Context, id affiliate.StoreJobID) (affiliate.StoreJob, error) {
	return getOne[affiliate.StoreJob](ctx, tx.queries, id, `SELECT `+storeJobColumns.of("")+
		` FROM store_jobs WHERE id = ?`+tx.d.lockRows, id)
}

// SaveStoreJob writes a job.
func (tx *Tx) SaveStoreJob(ctx context.Context, j affiliate.StoreJob) error {
	return storeJobTable.save(ctx, tx, j)
}

// OpenStoreJobs gives the jobs of a store that wait, run or are paused, the oldest first.
func (q queries) OpenStoreJobs(ctx context.Context, store affiliate.StoreID) ([]affiliate.StoreJob, error) {
	list := []affiliate.StoreJob{}
	err := q.List(ctx, &list, `SELECT `+storeJobColumns.of("")+` FROM store_jobs WHERE store_id = ?
		AND state IN ('waiting', 'running', 'paused') ORDER BY id`, store)
	return list, err
}

// StoreJobs lists the jobs of a store, or of all when it is 0, newest first. With ended, only those that have ended,
// and of those of the schedule only such as found something: there is one every ten minutes.
func (q queries) StoreJobs(ctx context.Context, store affiliate.StoreID, ended bool,
	p Page) ([]affiliate.StoreJob, string, error) {
	var f Filter
	if store != 0 {
		f.And("store_id = ?", store)
	}
	if ended {
		f.And("ended_at IS NOT NULL AND (cause <> 'schedule' OR missing + behind + different + extra + settled > 0)")
	}
	return paged[affiliate.StoreJob](ctx, q, `SELECT `+storeJobColumns.of("")+` FROM store_jobs`, f, newestJob, p)
}

// LastComparison gives the newest comparison of a store that ran to its end; nil when there is none.
func (q queries) LastComparison(ctx context.Context, store affiliate.StoreID) (*affiliate.StoreJob, error) {
	return q.lastStoreJob(ctx, store, "kind = 'reconcile' AND state = 'done'")
}

// LastImport gives the newest import of a store's past orders that ended, in whichever way; nil when there is none.
func (q queries) LastImport(ctx context.Context, store affiliate.StoreID) (*affiliate.StoreJob, error) {
	return q.lastStoreJob(ctx, store, "kind = 'history' AND ended_at IS NOT NULL")
}

func (q queries) lastStoreJob(ctx context.Context, store affiliate.StoreID, which string) (*affiliate.StoreJob, error) {
	var list []affiliate.StoreJob
	err := q.List(ctx, &list, `SELECT `+storeJobColumns.of("")+` FROM store_jobs WHERE store_id = ?
		AND `+which+` ORDER BY id DESC LIMIT 1`, store)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// DriftFigures are how many orders did not agree at the newest comparison of each store.
type DriftFigures struct {
	Store                             string // slug
	Missing, Behind, Different, Extra int64
}

// DriftOfStores gives the figures of all stores that were compared.
func (q queries) DriftOfStores(ctx context.Context) ([]DriftFigures, error) {
	list := []DriftFigures{}
	err := q.List(ctx, &list, `SELECT s.slug AS store, j.missing, j.behind, j.different, j.extra FROM store_jobs j
		JOIN stores s ON s.id = j.store_id WHERE j.id IN (SELECT MAX(id) FROM store_jobs WHERE kind = 'reconcile'
		AND state = 'done' GROUP BY store_id) ORDER BY s.slug`)
	return list, err
}

// AddDrift keeps what a job found. What it found before stays as it is.
func (tx *Tx) AddDrift(ctx context.Context, list []affiliate.Drift) error {
	if len(list) == 0 {
		return nil
	}
	return driftTable.insert(ctx, tx, list, "ON CONFLICT (job_id, order_external, field) DO NOTHING", nil, nil)
}

// DriftedOrders says which of some orders a job has reported.
func (q queries) DriftedOrders(ctx context.Context, job affiliate.StoreJobID, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(ids) == 0 {
		return known, nil
	}
	var found []string
	err := q.ListIn(ctx, &found, `SELECT DISTINCT order_external FROM drift_orders WHERE job_id = ?
		AND order_external IN (?)`, job, ids)
	for _, id := range found {
		known[id] = true
	}
	return known, err
}

// DriftRow is a drift with the order that it is about, where that is here.
type DriftRow struct {
	affiliate.Drift
	OrderID affiliate.OrderID // 0: not here
	Number  string
}

// Drift lists what a job found, by order and field.
func (q queries) Drift(ctx context.Context, job affiliate.StoreJobID, p Page) ([]DriftRow, string, error) {
	var f Filter
	f.And("d.job_id = ?", job)
	return paged[DriftRow](ctx, q, `SELECT d.job_id, d.order_external, d.field, d.kind, d.ours, d.theirs,
		COALESCE(o.id, 0) AS order_id, COALESCE(o.number, '') AS number FROM drift_orders d
		JOIN store_jobs j ON j.id = d.job_id
		LEFT JOIN orders o ON o.store_id = j.store_id AND o.external_id = d.order_external`, f,
		Keyset{Keys: []Key{{SQL: "d.order_external", Kind: TextKey}, {SQL: "d.field", Kind: TextKey}}}, p)
}

// PurgeStoreJobs forgets jobs that ended before a time, with what they found, at most limit of them. The newest
// comparison of each store stays.
func (db *DB) PurgeStoreJobs(ctx context.Context, before time.Time, limit int) (int64, error) {
	return db.exec(ctx, `DELETE FROM store_jobs WHERE id IN (SELECT id FROM store_jobs j WHERE ended_at < ? AND id NOT IN
		(SELECT MAX(id) FROM store_jobs WHERE kind = 'reconcile' AND state = 'done' GROUP BY store_id)
		ORDER BY id LIMIT ?)`, At(before), limit)
}

// KeepReadings keeps deliveries in a transaction, with what goes with them, and gives the ids of those that were not
// there yet.
func (tx *Tx) KeepReadings(ctx context.Context, list []NewDelivery) ([]affiliate.DeliveryID, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var ids []affiliate.DeliveryID
	var id affiliate.DeliveryID
	err := newDeliveryTable.insert(ctx, tx, list, newDeliveries, &id, func() { ids = append(ids, id) })
	return ids, err
}

// OrdersToRead gives a page of a store's orders with their states, by when they were placed: those that were placed at
// a time or later, or, if they are to be doubtful, those in doubt that changed here since. Cursors name orders, so that
// a page may be read again later.
func (q queries) OrdersToRead(ctx context.Context, store affiliate.StoreID, from time.Time, doubtful bool,
	p Page) ([]Order, string, error) {
	var f Filter
	f.And("store_id = ?", store)
	if doubtful {
		f.And("doubts <> '' AND changed_at >= ?", At(from))
	} else {
		f.And("placed_at >= ?", At(from))
	}
	return paged[Order](ctx, q, `SELECT `+orderColumns.of("")+` FROM orders`, f,
		Keyset{Keys: []Key{{SQL: "placed_at", Kind: TimeKey}, {SQL: "id"}}}, p)
}

// BegunComparison notes that a job looks after what was wanted of a store's comparison.
func (tx *Tx) BegunComparison(ctx context.Context, store affiliate.StoreID) error {
	_, err := tx.exec(ctx, `UPDATE store_work SET wanted = '', wanted_from = NULL WHERE store_id = ?`, store)
	return err
}

// EndedComparison notes that a store was compared; deep says that all orders were looked at that may still change.
// until is up to where nothing is left to compare; zero where that is as it was.
func (tx *Tx) EndedComparison(ctx context.Context, store affiliate.StoreID, until, now time.Time, deep bool) error {
	if _, err := tx.exec(ctx, `INSERT INTO store_work (store_id) VALUES (?) ON CONFLICT (store_id) DO NOTHING`,
		store); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE store_work SET compared_at = ? WHERE store_id = ?`, At(now), store); err != nil {
		return err
	}
	if deep {
		if _, err := tx.exec(ctx, `UPDATE store_work SET deep_at = ? WHERE store_id = ?`, At(now), store); err != nil {
			return err
		}
	}
	if until.IsZero() {
		return nil
	}
	_, err := tx.exec(ctx, `UPDATE store_work SET agreed_until = ? WHERE store_id = ?
		AND (agreed_until IS NULL OR agreed_until < ?)`, At(until), store, At(until))
	return err
}
