package storage

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// DeliveryState is how far a delivery has come.
type DeliveryState string

const (
	DeliveryWaiting DeliveryState = "waiting"
	DeliveryDone    DeliveryState = "done"
	DeliveryIgnored DeliveryState = "ignored"
	DeliveryFailed  DeliveryState = "failed"
	// DeliverySetAside is a failed one that a person gave up on; it counts as trouble no more.
	DeliverySetAside DeliveryState = "set_aside"
)

// Words lists the states there are.
func (DeliveryState) Words() []DeliveryState {
	return []DeliveryState{DeliveryWaiting, DeliveryDone, DeliveryIgnored, DeliveryFailed, DeliverySetAside}
}

// NewDelivery is a verified delivery about to be kept.
type NewDelivery struct {
	StoreID    affiliate.StoreID
	Key        [16]byte `db:"dedupe_key"`
	Topic      string
	ReceivedAt time.Time
	Payload    []byte // kept headers and body, compressed
}

// InsertDeliveries keeps deliveries in one commit (several when they are very large), and gives
// the ids of those that were not there yet. Repeats are passed over. It appends to ids.
func (db *DB) InsertDeliveries(ctx context.Context, list []NewDelivery,
	ids []affiliate.DeliveryID) ([]affiliate.DeliveryID, error) {
	// One fixed order of keys: two commits that share repeats wait for each other's keys, and must not do so crosswise.
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b NewDelivery) int {
		return cmp.Or(bytes.Compare(a.Key[:], b.Key[:]), cmp.Compare(a.StoreID, b.StoreID))
	})
	for len(list) > 0 {
		n, size := 0, 0
		for n < len(list) && (n == 0 || size+len(list[n].Payload) <= insertBytes) {
			size += len(list[n].Payload)
			n++
		}
		var err error
		if ids, err = db.insertDeliveriesAtOnce(ctx, list[:n], ids); err != nil {
			return ids, err
		}
		list = list[n:]
	}
	return ids, nil
}

// insertBytes bounds the payloads of one statement.
const insertBytes = 16 << 20

func (db *DB) insertDeliveriesAtOnce(ctx context.Context, list []NewDelivery,
	ids []affiliate.DeliveryID) ([]affiliate.DeliveryID, error) {
	if db.d.arrays {
		return db.insertDeliveryArrays(ctx, list, ids)
	}
	before := len(ids)
	err := db.InTx(ctx, func(tx *Tx) error {
		var id affiliate.DeliveryID
		return newDeliveryTable.insert(ctx, tx, list, newDeliveries, &id, func() { ids = append(ids, id) })
	})
	if err != nil {
		return ids[:before], err // nothing was kept
	}
	return ids, nil
}

var newDeliveryTable = tableOf[NewDelivery]("deliveries")

const newDeliveries = "ON CONFLICT (dedupe_key, store_id) DO NOTHING RETURNING id"

// insertDeliveriesSQL takes whole columns, so that one prepared statement serves groups of every size: a VALUES list is
// parsed and planned anew for each size, which cost PostgreSQL a quarter of its time.
const insertDeliveriesSQL = `INSERT INTO deliveries (store_id, dedupe_key, topic, received_at, payload)
	SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::timestamptz[], $5::bytea[]) ` + newDeliveries

// insertStatement prepares the statement when it is first used: the schema may not be there yet when the database is
// opened.
func (db *DB) insertStatement(ctx context.Context) (*sql.Stmt, error) {
	if s := db.insertDeliveries.Load(); s != nil {
		return s, nil
	}
	s, err := db.vital.PrepareContext(ctx, insertDeliveriesSQL)
	if err != nil {
		return nil, err
	}
	if !db.insertDeliveries.CompareAndSwap(nil, s) {
		s.Close()
	}
	return db.insertDeliveries.Load(), nil
}

// insertDeliveryArrays is the way into PostgreSQL.
func (db *DB) insertDeliveryArrays(ctx context.Context, list []NewDelivery,
	ids []affiliate.DeliveryID) (_ []affiliate.DeliveryID, err error) {
	defer func() { err = db.room.note(err) }()
	n, size := len(list), 0
	for i := range list {
		size += len(list[i].Payload)
	}
	stores, keys, topics, times, payloads := newArray(oidInt8, n, n*8), newArray(oidBytea, n, n*16),
		newArray(oidText, n, n*24),
		newArray(oidTimestamptz, n, n*8), newArray(oidBytea, n, size)
	for i := range list {
		d := &list[i]
		stores.int64(int64(d.StoreID))
		keys.bytes(d.Key[:])
		topics.bytes([]byte(d.Topic))
		times.int64(d.ReceivedAt.UnixMicro() - postgresEpoch)
		payloads.bytes(d.Payload)
	}
	statement, err := db.insertStatement(ctx)
	if err != nil {
		return ids, storageError(err)
	}
	rows, err := statement.QueryContext(ctx, stores.b, keys.b, topics.b, times.b, payloads.b)
	if err != nil {
		return ids, storageError(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return ids, err
		}
		ids = append(ids, affiliate.DeliveryID(id))
	}
	return ids, storageError(rows.Err())
}

// Delivery is a kept delivery as a worker reads it.
type Delivery struct {
	ID         affiliate.DeliveryID
	StoreID    affiliate.StoreID
	Key        []byte `db:"dedupe_key"`
	Topic      string
	ReceivedAt Time
	Payload    []byte
	State      DeliveryState
	Attempts   int
	RetryAt    Time
	Processed  Time   `db:"processed_at"`
	Order      string `db:"order_external"`
	Note       string
}

var deliveryColumns = columnsOf[Delivery]().of("")

// longestRest is the longest delay of a retry, and clockSlack how far the clocks of two machines may differ. What lies
// further ahead was written by a clock that has been put back since: it is due, or it would wait until that time comes
// again.
const (
	longestRest = 90 * time.Minute
	clockSlack  = time.Minute
)

// rested is the condition for deliveries whose rest after a failed attempt is over.
const rested = `(retry_at IS NULL OR retry_at <= ? OR retry_at > ?)`

func restedAt(now time.Time) (until, ahead Time) {
	return At(now), At(now.Add(longestRest + clockSlack))
}

// WaitingDeliveries gives those of the ids that still wait and do not rest, oldest first, with their payloads.
func (q queries) WaitingDeliveries(ctx context.Context, ids []affiliate.DeliveryID, now time.Time) ([]Delivery, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var list []Delivery
	until, ahead := restedAt(now)
	err := q.ListIn(ctx, &list, `SELECT `+deliveryColumns+` FROM deliveries WHERE state = 'waiting' AND `+rested+`
		AND id IN (?) ORDER BY id`, until, ahead, ids)
	return list, err
}

// Delivery gives one delivery; NotFound when there is none.
func (q queries) Delivery(ctx context.Context, id affiliate.DeliveryID) (Delivery, error) {
	var d Delivery
	err := q.Get(ctx, &d, `SELECT `+deliveryColumns+` FROM deliveries WHERE id = ?`, id)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.NoSuch(id)
	}
	return d, err
}

// EachDelivery hands those of the ids that there are to each, oldest first. The delivery is used again for the next.
func (q queries) EachDelivery(ctx context.Context, ids []affiliate.DeliveryID, each func(*Delivery) error) error {
	if len(ids) == 0 {
		return nil
	}
	var f Filter
	In(&f, "id", ids)
	var d Delivery
	return q.stream(ctx, `SELECT `+deliveryColumns+` FROM deliveries`+f.Where()+` ORDER BY id`, f.Args, &d,
		func() error { return each(&d) })
}

// Outcome is what became of a delivery.
type Outcome struct {
	ID    affiliate.DeliveryID
	State DeliveryState
	Order string // the store's id of the (first) order it told about
	Note  string
}

// FinishDeliveries takes deliveries out of the inbox and gives those that were still waiting: another worker may have
// been faster. It both claims and finishes, so it must come first in its transaction.
func (tx *Tx) FinishDeliveries(ctx context.Context, list []Outcome,
	now time.Time) (map[affiliate.DeliveryID]bool, error) {
	won := make(map[affiliate.DeliveryID]bool, len(list))
	for len(list) > 0 {
		const columns = 4
		part := list[:min(len(list), tx.d.maxParams/columns-1)]
		list = list[len(part):]
		args := make([]any, 0, len(part)*columns+1)
		for _, o := range part {
			args = append(args, int64(o.ID), string(o.State), o.Order, o.Note)
		}
		args = append(args, At(now))
		query := `WITH v AS (VALUES ` + tx.d.typedValues(len(part), "BIGINT", "TEXT", "TEXT", "TEXT") + `),
			mine AS (SELECT id FROM deliveries WHERE state = 'waiting' AND id IN (SELECT column1 FROM v) ORDER BY id` + tx.d.skipLock + `)
			UPDATE deliveries SET state = v.column2, order_external = v.column3, note = v.column4, retry_at = NULL, processed_at = ` +
			tx.d.typedPlaceholder(len(args), "TIMESTAMPTZ") + ` FROM v WHERE deliveries.id = v.column1 AND deliveries.id IN (SELECT id FROM mine)
			RETURNING deliveries.id`
		err := tx.scanRows(ctx, func(rows *sqlx.Rows) error {
			var id affiliate.DeliveryID
			err := rows.Scan(&id)
			won[id] = true
			return err
		}, query, args...)
		if err != nil {
			return nil, err
		}
	}
	return won, nil
}

// MaxAttempts is how often a delivery is tried before it counts as failed: with the delays of RetryDelay, about a
// day.
const MaxAttempts = 25

// RetryDelay is how long a delivery rests after its n-th failed attempt: growing to an hour and a half.
func RetryDelay(attempts int) time.Duration {
	return min(time.Duration(attempts*attempts*attempts)*time.Second+time.Second, longestRest)
}

// PostponeDelivery notes a failed attempt: the delivery waits for its next one, or has failed for good after
// MaxAttempts. It says whether it has.
func (db *DB) PostponeDelivery(ctx context.Context, d Delivery, note string, now time.Time) (bool, error) {
	attempts := d.Attempts + 1
	state, retry := DeliveryWaiting, now.Add(RetryDelay(attempts))
	if attempts >= MaxAttempts {
		state, retry = DeliveryFailed, time.Time{}
	}
	_, err := db.exec(ctx, `UPDATE deliveries SET state = ?, attempts = ?, retry_at = ?, note = ? WHERE id = ? AND state = 'waiting' AND attempts = ?`,
		state, attempts, At(retry), note, d.ID, d.Attempts)
	return state == DeliveryFailed, err
}

// DueDeliveries gives waiting deliveries for the sweep: received before the given time (younger ones are on their way
// to a worker already) and not resting, in the order in which they came. Those that seem to come from the future are
// among them: they came while the clock was ahead.
func (q queries) DueDeliveries(ctx context.Context, receivedBefore, now time.Time,
	limit int) ([]affiliate.DeliveryID, error) {
	some := func(received string) string {
		return `SELECT id FROM (SELECT id FROM deliveries WHERE state = 'waiting' AND received_at ` + received + ` ? AND ` +
			rested + ` ORDER BY received_at LIMIT ?) d`
	}
	var ids []affiliate.DeliveryID
	until, ahead := restedAt(now)
	err := q.List(ctx, &ids, some("<")+` UNION ALL `+some(">")+` ORDER BY id LIMIT ?`, At(receivedBefore), until, ahead,
		limit, At(later(receivedBefore, now.Add(clockSlack))), until, ahead, limit, limit)
	return ids, err
}

// later gives the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// NewestReceived gives when the latest of the newest deliveries came, by the clock of then; zero when there is none.
func (q queries) NewestReceived(ctx context.Context) (time.Time, error) {
	var at Time
	err := q.Get(ctx, &at, `SELECT MAX(received_at) FROM deliveries WHERE id > (SELECT COALESCE(MAX(id), 0) FROM deliveries) - 1000`)
	return at.Time, err
}

// ReplayFilter chooses deliveries to process again. One of Delivery, Failed and Since is set.
type ReplayFilter struct {
	Delivery affiliate.DeliveryID
	Failed   bool
	Since    time.Time         // received at or after
	Store    affiliate.StoreID // of the failed ones only those of this store; 0: of all
}

// ReplayDeliveries puts deliveries back into the inbox and says how many. Merging is idempotent, so replaying what was
// processed already changes nothing. Purged ones stay as they are, and so do those that were set aside, unless it is
// the one that is asked for.
//
// between is called between two transactions of a replay of many; it may be nil.
func (db *DB) ReplayDeliveries(ctx context.Context, f ReplayFilter, between func()) (n int64, err error) {
	query := `UPDATE deliveries SET state = 'waiting', attempts = 0, retry_at = NULL WHERE payload IS NOT NULL AND `
	switch {
	case f.Delivery != 0:
		err = db.InTx(ctx, func(tx *Tx) error {
			if n, err = tx.exec(ctx, query+`id = ?`, f.Delivery); err != nil || n == 0 {
				return err
			}
			_, err = tx.exec(ctx, `DELETE FROM set_asides WHERE delivery_id = ?`, f.Delivery)
			return err
		})
		return n, err
	case f.Failed && f.Store != 0:
		return db.replayAll(ctx, between, query, `state = 'failed' AND store_id = ?`, f.Store)
	case f.Failed:
		return db.replayAll(ctx, between, query, `state = 'failed'`)
	}
	return db.replayAll(ctx, between, query, `state <> 'set_aside' AND received_at >= ?`, At(f.Since))
}

// replayMost is how many deliveries are put back in one transaction, for which others wait that come in.
const replayMost = 1000

// replayAll puts back what a condition chooses, part by part. Each delivery is put back once, although it may have
// failed again before the last part: the parts go up by id.
func (db *DB) replayAll(ctx context.Context, between func(), query, condition string,
	args ...any) (n int64, err error) {
	parts := NotAlongside(ctx)
	for after := affiliate.DeliveryID(0); ; {
		var ids []affiliate.DeliveryID
		if err := db.List(ctx, &ids, `SELECT id FROM deliveries WHERE payload IS NOT NULL AND `+condition+
			` AND id > ? ORDER BY id LIMIT ?`, append(slices.Clone(args), after, replayMost)...); err != nil {
			return n, err
		}
		if len(ids) == 0 {
			break
		}
		first, last := after, ids[len(ids)-1]
		part, err := db.exec(parts, query+condition+` AND id > ? AND id <= ?`,
			append(slices.Clone(args), first, last)...)
		if err != nil {
			return n, err
		}
		n, after = n+part, last
		if len(ids) < replayMost {
			break
		}
		if between != nil {
			between()
		}
	}
	return n, db.InTx(ctx, func(*Tx) error { return nil }) // with what is to be done alongside
}

// InboxFigures are the open deliveries.
type InboxFigures struct {
	Waiting       int64
	Failed        int64
	OldestWaiting time.Time // zero when none waits
}

// Inbox counts what is open.
func (q queries) Inbox(ctx context.Context) (InboxFigures, error) {
	var row struct {
		Waiting int64
		Failed  int64
		Oldest  Time
	}
	err := q.Get(ctx, &row, `SELECT (SELECT COUNT(*) FROM deliveries WHERE state = 'waiting') AS waiting,
		(SELECT COUNT(*) FROM deliveries WHERE state = 'failed') AS failed,
		(SELECT MIN(received_at) FROM deliveries WHERE state = 'waiting') AS oldest`)
	return InboxFigures{Waiting: row.Waiting, Failed: row.Failed, OldestWaiting: row.Oldest.Time}, err
}

// FailedDeliveries counts those that failed, up to a hundred: every page asks.
func (q queries) FailedDeliveries(ctx context.Context) (n int, err error) {
	err = q.Get(ctx, &n, `SELECT COUNT(*) FROM (SELECT 1 AS one FROM deliveries WHERE state = 'failed' LIMIT 100) f`)
	return n, err
}

// PurgePayloads erases the bodies of deliveries received before a time, except waiting ones, at most limit of them, and
// says how many. They are looked for before anybody has to wait: there may be years of erased ones before them.
func (db *DB) PurgePayloads(ctx context.Context, before time.Time, limit int) (int64, error) {
	const due = `payload IS NOT NULL AND state <> 'waiting' AND received_at < ?`
	var ids []affiliate.DeliveryID
	if err := db.List(ctx, &ids, `SELECT id FROM deliveries WHERE `+due+` ORDER BY id LIMIT ?`, At(before),
		limit); err != nil || len(ids) == 0 {
		return 0, err
	}
	_, err := db.exec(ctx, `UPDATE deliveries SET payload = NULL WHERE `+due+` AND id >= ? AND id <= ?`, At(before),
		ids[0], ids[len(ids)-1])
	return int64(len(ids)), err
}

// eraseMost is how many bodies are erased in one transaction, for which others wait that come in.
const eraseMost = 2000

// ErasePayloads erases the bodies of all processed deliveries of a store, part by part.
func (db *DB) ErasePayloads(ctx context.Context, store affiliate.StoreID) error {
	const due = `store_id = ? AND state <> 'waiting' AND payload IS NOT NULL`
	for after := affiliate.DeliveryID(0); ; {
		var ids []affiliate.DeliveryID
		if err := db.List(ctx, &ids, `SELECT id FROM deliveries WHERE id > ? AND `+due+` ORDER BY id LIMIT ?`,
			after, store, eraseMost); err != nil || len(ids) == 0 {
			return err
		}
		first := after
		after = ids[len(ids)-1]
		if _, err := db.exec(ctx, `UPDATE deliveries SET payload = NULL WHERE id > ? AND id <= ? AND `+due, first, after,
			store); err != nil {
			return err
		}
	}
}

// PurgeOrderPayloads erases the bodies of all processed deliveries about some orders of a store; about all of its
// orders when none are named.
func (tx *Tx) PurgeOrderPayloads(ctx context.Context, store affiliate.StoreID, orders []string) error {
	query, args := `UPDATE deliveries SET payload = NULL WHERE store_id = ? AND state <> 'waiting' AND payload IS NOT NULL`,
		[]any{store}
	if len(orders) > 0 {
		expanded, flat, err := sqlx.In(` AND order_external IN (?)`, orders)
		if err != nil {
			return err
		}
		query, args = query+expanded, append(args, flat...)
	}
	_, err := tx.exec(ctx, query, args...)
	return err
}

// StoreCount is how often one thing happened at a store's receiver within an hour.
type StoreCount struct {
	StoreID affiliate.StoreID `db:"store_id"`
	Hour    Time
	Outcome string
	N       int64
	Last    Time // when it happened last; zero where that is not known
}

// StoreActivity is when a store last sent something and when something of it was last processed. Empty fields change
// nothing.
type StoreActivity struct {
	StoreID   affiliate.StoreID
	Delivery  time.Time
	Processed time.Time
	OtherShop string // that a refused delivery named
}

// StoreTopicCount is how often a store sent a topic, and when first and last.
type StoreTopicCount struct {
	StoreID     affiliate.StoreID
	Topic       string
	First, Last time.Time
	N           int64
}

// StoreTally is what happened at the stores' receivers since the last time that it was written.
type StoreTally struct {
	Counts   []StoreCount
	Topics   []StoreTopicCount
	Activity []StoreActivity
	Now      time.Time // when it is written: later times are those of a clock that has been put back since
}

// AddStoreCounts adds to the counters and moves the stores' last times on.
func (tx *Tx) AddStoreCounts(ctx context.Context, t StoreTally) error {
	args := make([]any, 0, len(t.Counts)*5)
	for _, c := range t.Counts {
		args = append(args, c.StoreID, c.Hour, c.Outcome, c.N, c.Last)
	}
	if err := tx.insertRows(ctx, "store_counts (store_id, hour, outcome, n, last_at)", 5, args,
		"ON CONFLICT (store_id, hour, outcome) DO UPDATE SET n = store_counts.n + excluded.n, "+
			"last_at = CASE WHEN store_counts.last_at > excluded.last_at THEN store_counts.last_at "+
			"ELSE COALESCE(excluded.last_at, store_counts.last_at) END", nil); err != nil {
		return err
	}
	args = make([]any, 0, len(t.Topics)*5)
	for _, c := range t.Topics {
		args = append(args, c.StoreID, c.Topic, At(c.First), At(c.Last), c.N)
	}
	if err := tx.insertRows(ctx, "store_topics (store_id, topic, first_at, last_at, n)", 5, args,
		"ON CONFLICT (store_id, topic) DO UPDATE SET n = store_topics.n + excluded.n, last_at = excluded.last_at",
		nil); err != nil {
		return err
	}
	for _, a := range t.Activity {
		if a.OtherShop != "" {
			if _, err := tx.exec(ctx, `UPDATE stores SET other_shop = ? WHERE id = ? AND other_shop <> ?`, a.OtherShop,
				a.StoreID, a.OtherShop); err != nil {
				return err
			}
		}
		for column, at := range map[string]time.Time{"last_delivery_at": a.Delivery, "last_processed_at": a.Processed} {
			if at.IsZero() {
				continue
			}
			if _, err := tx.exec(ctx, `UPDATE stores SET `+column+` = ? WHERE id = ? AND (`+column+` IS NULL OR `+column+` < ? OR `+column+` > ?)`,
				At(at), a.StoreID, At(at), At(t.Now.Add(clockSlack))); err != nil {
				return err
			}
		}
	}
	return nil
}

// StoreHealth is what the status page tells of a store.
type StoreHealth struct {
	ID            affiliate.StoreID
	Slug          string
	Platform      affiliate.Platform
	LastDelivery  Time  `db:"last_delivery_at"`
	LastProcessed Time  `db:"last_processed_at"`
	Rejected      int64 // since the given time
}

// rejectedOutcomes are the counters that mean that a delivery was turned away.
var rejectedOutcomes = []string{"bad_signature", "too_large", "unreadable", "unavailable", "other_shop"}

// StoreHealth lists all stores that were not ended, by slug.
func (q queries) StoreHealth(ctx context.Context, since time.Time) ([]StoreHealth, error) {
	var list []StoreHealth
	err := q.ListIn(ctx, &list, `SELECT s.id, s.slug, s.platform, s.last_delivery_at, s.last_processed_at, CAST(COALESCE((SELECT SUM(c.n) FROM store_counts c
		WHERE c.store_id = s.id AND c.hour >= ? AND c.outcome IN (?)), 0) AS BIGINT) AS rejected
		FROM stores s WHERE s.state <> 'ended' ORDER BY s.slug`, At(since), rejectedOutcomes)
	return list, err
}

// SetStoreState notes what a delivery said about the store as a whole, and what the owner should know.
func (tx *Tx) SetStoreState(ctx context.Context, id affiliate.StoreID, state, warning string, now time.Time) error {
	_, err := tx.exec(ctx, `UPDATE stores SET state = CASE WHEN state = 'ended' THEN state ELSE ? END, warning = ?, updated_at = ? WHERE id = ?`,
		state, warning, At(now), id)
	return err
}

// DismissWarning takes away what the owner of a store was told, unless it is something else by now; false then.
func (tx *Tx) DismissWarning(ctx context.Context, id affiliate.StoreID, seen string) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE stores SET warning = '' WHERE id = ? AND warning = ? AND warning <> ''`, id, seen)
	return n > 0, err
}

// WarnStore notes what the owner of a store should know.
func (tx *Tx) WarnStore(ctx context.Context, id affiliate.StoreID, warning string) error {
	_, err := tx.exec(ctx, `UPDATE stores SET warning = ? WHERE id = ? AND warning <> ?`, warning, id, warning)
	return err
}
