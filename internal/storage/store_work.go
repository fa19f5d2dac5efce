package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// StoreWork is how far the work with a store's API has come.
type StoreWork struct {
	StoreID     affiliate.StoreID
	Holder      string
	HeldUntil   time.Time
	AgreedUntil time.Time               // all that the store changed before was compared
	Wanted      affiliate.StoreJobCause // why a comparison is due at once; empty: when its time comes
	WantedFrom  time.Time               // how far back it must look
	ComparedAt  time.Time
	DeepAt      time.Time
	WebhooksAt  time.Time // the last look at the webhooks

	CouponsAt     time.Time // when all codes were read last
	CouponsSince  time.Time // what changed before was read
	CouponsFrom   time.Time // when the reading under way began; zero while none is
	CouponsWhole  bool      // it is one of all codes
	CouponsCursor string    // where it goes on
	CouponsWanted bool      // somebody asked for one
	CouponsCount  int64     // codes that the last reading of all has found so far
}

var (
	storeWorkTable   = tableOf[StoreWork]("store_work")
	storeWorkColumns = columnsOf[StoreWork]()
)

// StoreWork gives how far a store has come; nothing but its id where no work was done yet.
func (q queries) StoreWork(ctx context.Context, store affiliate.StoreID) (StoreWork, error) {
	var w StoreWork
	err := q.Get(ctx, &w, `SELECT `+storeWorkColumns.of("")+` FROM store_work WHERE store_id = ?`, store)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return StoreWork{StoreID: store}, nil
	}
	return w, err
}

// AskedStore is a store that some work is to be done for.
type AskedStore struct {
	StoreWork
	Connected bool // its API is asked
	RetireAt  Time // when the first of its webhooks that were replaced, or of their secrets, is to go
	Jobs      bool // some wait or run
	Items     bool // of code runs are to be done in the store
}

const selectAsked = `SELECT s.id AS store_id, COALESCE(w.holder, '') AS holder, w.held_until, w.agreed_until,
	COALESCE(w.wanted, '') AS wanted, w.wanted_from, w.compared_at, w.deep_at, w.webhooks_at, w.coupons_at,
	w.coupons_since, w.coupons_from, COALESCE(w.coupons_whole, FALSE) AS coupons_whole, COALESCE(w.coupons_cursor, '') AS coupons_cursor,
	COALESCE(w.coupons_wanted, FALSE) AS coupons_wanted, COALESCE(w.coupons_count, 0) AS coupons_count, a.store_id IS NOT NULL AS connected,
	(SELECT MIN(r.retire_at) FROM (SELECT h.store_id, h.retire_at FROM store_webhooks h
		UNION ALL SELECT x.store_id, x.retire_at FROM store_secrets x WHERE x.ended_at IS NULL) r
		WHERE r.store_id = s.id) AS retire_at,
	EXISTS (SELECT 1 FROM store_jobs j WHERE j.store_id = s.id AND j.state IN ('waiting', 'running')) AS jobs,
	EXISTS (SELECT 1 FROM code_items i WHERE i.store_id = s.id AND i.open AND i.step IN ('make', 'change')) AS items
	FROM stores s LEFT JOIN store_access a ON a.store_id = s.id AND s.state <> 'ended' LEFT JOIN store_work w ON w.store_id = s.id`

// AskedStores gives all stores whose API is asked, or in which a webhook or its secret was replaced.
func (q queries) AskedStores(ctx context.Context) ([]AskedStore, error) {
	list := []AskedStore{}
	err := q.List(ctx, &list, selectAsked+` WHERE a.store_id IS NOT NULL
		OR EXISTS (SELECT 1 FROM store_webhooks h WHERE h.store_id = s.id AND h.retire_at IS NOT NULL)
		OR EXISTS (SELECT 1 FROM store_secrets x WHERE x.store_id = s.id AND x.retire_at IS NOT NULL AND x.ended_at IS NULL)
		ORDER BY s.id`)
	return list, err
}

// AskedStore gives one store.
func (q queries) AskedStore(ctx context.Context, id affiliate.StoreID) (AskedStore, error) {
	return getOne[AskedStore](ctx, q, id, selectAsked+` WHERE s.id = ?`, id)
}

// longestLease is how far in the future a lease may end. One that ends later was taken before the clock was set back.
const longestLease = 2 * time.Minute

// TakeStoreLease gives the work with a store's API to a holder for some time; false while another has it. A holder is a
// word that nobody else uses.
func (db *DB) TakeStoreLease(ctx context.Context, store affiliate.StoreID, holder string, now time.Time,
	lasts time.Duration) (bool, error) {
	n, err := db.exec(ctx, `INSERT INTO store_work (store_id, holder, held_until) VALUES (?, ?, ?)
		ON CONFLICT (store_id) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
		WHERE store_work.holder = excluded.holder OR store_work.held_until IS NULL OR store_work.held_until <= ?
			OR store_work.held_until > ?`, store, holder, At(now.Add(lasts)), At(now), At(now.Add(longestLease)))
	return n > 0, err
}

// RenewStoreLease prolongs a lease; false when the holder has it no more.
func (db *DB) RenewStoreLease(ctx context.Context, store affiliate.StoreID, holder string, now time.Time,
	lasts time.Duration) (bool, error) {
	n, err := db.exec(ctx, `UPDATE store_work SET held_until = ? WHERE store_id = ? AND holder = ?`, At(now.Add(lasts)),
		store, holder)
	return n > 0, err
}

// FreeStoreLease gives a lease back, if the holder still has it.
func (db *DB) FreeStoreLease(ctx context.Context, store affiliate.StoreID, holder string) error {
	_, err := db.exec(ctx, `UPDATE store_work SET holder = '', held_until = NULL WHERE store_id = ? AND holder = ?`, store, holder)
	return err
}

// ClaimWebhookLook notes that a store's webhooks are looked at now; false when somebody did so after a time.
func (db *DB) ClaimWebhookLook(ctx context.Context, store affiliate.StoreID, now, after time.Time) (bool, error) {
	n, err := db.exec(ctx, `INSERT INTO store_work (store_id, webhooks_at) VALUES (?, ?)
		ON CONFLICT (store_id) DO UPDATE SET webhooks_at = excluded.webhooks_at
		WHERE store_work.webhooks_at IS NULL OR store_work.webhooks_at <= ? OR store_work.webhooks_at > ?`, store, At(now),
		At(after), At(now.Add(longestLease)))
	return n > 0, err
}

// WantWebhookLook makes a look at a store's webhooks due at once.
func (tx *Tx) WantWebhookLook(ctx context.Context, store affiliate.StoreID) error {
	_, err := tx.exec(ctx, `UPDATE store_work SET webhooks_at = NULL WHERE store_id = ?`, store)
	return err
}

// WantComparison makes a comparison of a store due at once, that looks back to a time. Of several wishes the earliest
// time counts, and the first cause that is more than a doubt.
func (tx *Tx) WantComparison(ctx context.Context, store affiliate.StoreID, cause affiliate.StoreJobCause,
	from time.Time) error {
	_, err := tx.exec(ctx, `INSERT INTO store_work (store_id, wanted, wanted_from) VALUES (?, ?, ?)
		ON CONFLICT (store_id) DO UPDATE SET
		wanted = CASE WHEN store_work.wanted IN ('', 'doubt') THEN excluded.wanted ELSE store_work.wanted END,
		wanted_from = CASE WHEN store_work.wanted = '' OR store_work.wanted_from IS NULL
			OR excluded.wanted_from < store_work.wanted_from THEN excluded.wanted_from ELSE store_work.wanted_from END`,
		store, cause, At(from))
	return err
}

// WantCoupons makes a reading of all of a store's codes due at once.
func (tx *Tx) WantCoupons(ctx context.Context, store affiliate.StoreID) error {
	_, err := tx.exec(ctx, `INSERT INTO store_work (store_id, coupons_wanted) VALUES (?, TRUE)
		ON CONFLICT (store_id) DO UPDATE SET coupons_wanted = TRUE`, store)
	return err
}

// SaveCouponReading writes how far a store's codes were read: the fields of w that say so.
func (tx *Tx) SaveCouponReading(ctx context.Context, w StoreWork) error {
	_, err := tx.exec(ctx, `INSERT INTO store_work (store_id, coupons_at, coupons_since, coupons_from, coupons_whole, coupons_cursor, coupons_wanted, coupons_count)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (store_id) DO UPDATE SET coupons_at = excluded.coupons_at, coupons_since = excluded.coupons_since,
		coupons_from = excluded.coupons_from, coupons_whole = excluded.coupons_whole, coupons_cursor = excluded.coupons_cursor,
		coupons_wanted = excluded.coupons_wanted, coupons_count = excluded.coupons_count`, w.StoreID, At(w.CouponsAt), At(w.CouponsSince), At(w.CouponsFrom), w.CouponsWhole, w.CouponsCursor,
		w.CouponsWanted, w.CouponsCount)
	return err
}
