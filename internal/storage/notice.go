package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// NoticeKind is what a notice is about.
type NoticeKind string

const (
	NoticeStopped NoticeKind = "stopped" // nothing took deliveries in between a clean end and the next start
	NoticeDied    NoticeKind = "died"    // the same after a process ended without a word; From is its last sign of life
	NoticeClock   NoticeKind = "clock"   // the clock jumped from From to To
)

// Notice is something that an owner should look into, until it is dismissed.
type Notice struct {
	ID        affiliate.NoticeID
	Kind      NoticeKind
	StoreID   affiliate.StoreID `db:"store_id"` // 0: of the server as a whole
	From      Time              `db:"from_at"`
	To        Time              `db:"to_at"`
	NoticedAt Time              `db:"noticed_at"`
}

// AddNotices keeps notices; one that is there already, dismissed or not, is passed over.
func (tx *Tx) AddNotices(ctx context.Context, list []Notice) error {
	var args []any
	for _, n := range list {
		args = append(args, n.Kind, n.StoreID, n.From, n.To, n.NoticedAt)
	}
	return tx.insertRows(ctx, "notices (kind, store_id, from_at, to_at, noticed_at)", 5, args, "ON CONFLICT DO NOTHING", nil)
}

// mostNotices bounds how many open notices are read: a server that dies every minute makes many.
const mostNotices = 500

// OpenNotices gives the notices that were not dismissed, newest first: those of one store, or all when it is 0.
func (q queries) OpenNotices(ctx context.Context, store affiliate.StoreID) ([]Notice, error) {
	var f Filter
	f.And("dismissed_at IS NULL")
	Is(&f, "store_id", store)
	var list []Notice
	err := q.List(ctx, &list, `SELECT id, kind, store_id, from_at, to_at, noticed_at FROM notices`+f.Where()+
		` ORDER BY id DESC LIMIT ?`, append(f.Args, mostNotices)...)
	return list, err
}

// ClockNotices gives the jumps of the clock that were not dismissed, newest first.
func (q queries) ClockNotices(ctx context.Context) ([]Notice, error) {
	var list []Notice
	err := q.List(ctx, &list, `SELECT id, kind, store_id, from_at, to_at, noticed_at FROM notices
		WHERE dismissed_at IS NULL AND store_id = 0 ORDER BY id DESC LIMIT ?`, mostNotices)
	return list, err
}

// DismissNotices takes open notices of a store away, or of the server as a whole when it is 0, and gives those that it
// took.
func (tx *Tx) DismissNotices(ctx context.Context, store affiliate.StoreID, ids []affiliate.NoticeID, by string,
	now time.Time) ([]Notice, error) {
	var list []Notice
	if len(ids) == 0 {
		return nil, nil
	}
	err := tx.ListIn(ctx, &list, `UPDATE notices SET dismissed_at = ?, dismissed_by = ? WHERE id IN (?) AND store_id = ?
		AND dismissed_at IS NULL RETURNING id, kind, store_id, from_at, to_at, noticed_at`, At(now), by, ids, store)
	return list, err
}

// ReceiverRun is one run of a process that takes deliveries in.
type ReceiverRun struct {
	ID      int64
	Started Time `db:"started_at"`
	Alive   Time `db:"alive_at"`
	Stopped Time `db:"stopped_at"` // zero while it runs, or when it died
	Told    bool // whether the time without any before it was looked at
}

// End is when the run was over, or its last sign of life.
func (r ReceiverRun) End() time.Time {
	if r.Stopped.IsZero() {
		return r.Alive.Time
	}
	return r.Stopped.Time
}

// StartReceiverRun notes that a process begins to take deliveries in.
func (tx *Tx) StartReceiverRun(ctx context.Context, now time.Time) (id int64, err error) {
	err = tx.Get(ctx, &id, `INSERT INTO receiver_runs (started_at, alive_at) VALUES (?, ?) RETURNING id`, At(now), At(now))
	return id, err
}

// KeepReceiverRun is a sign of life.
func (db *DB) KeepReceiverRun(ctx context.Context, id int64, now time.Time) error {
	_, err := db.exec(ctx, `UPDATE receiver_runs SET alive_at = ? WHERE id = ?`, At(now), id)
	return err
}

// EndReceiverRun notes that a process takes in no more.
func (db *DB) EndReceiverRun(ctx context.Context, id int64, now time.Time) error {
	_, err := db.exec(ctx, `UPDATE receiver_runs SET alive_at = ?, stopped_at = ? WHERE id = ?`, At(now), At(now), id)
	return err
}

// ReceiverRuns gives all runs that are remembered up to one, oldest first, and holds them until the transaction ends.
func (tx *Tx) ReceiverRuns(ctx context.Context, upTo int64) ([]ReceiverRun, error) {
	var list []ReceiverRun
	err := tx.List(ctx, &list, `SELECT id, started_at, alive_at, stopped_at, told FROM receiver_runs WHERE id <= ? ORDER BY id`+
		tx.d.lockRows, upTo)
	return list, err
}

// TellReceiverRuns notes that the times before some runs were looked at, and forgets runs that ended before a time.
func (tx *Tx) TellReceiverRuns(ctx context.Context, upTo int64, forget time.Time) error {
	if _, err := tx.exec(ctx, `UPDATE receiver_runs SET told = TRUE WHERE id <= ? AND NOT told`, upTo); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM receiver_runs WHERE id < ? AND alive_at < ?`, upTo, At(forget))
	return err
}

// LastSignOfLife gives the newest time that any run was alive at; zero when there was none.
func (q queries) LastSignOfLife(ctx context.Context) (time.Time, error) {
	var at Time
	err := q.Get(ctx, &at, `SELECT MAX(alive_at) FROM receiver_runs`)
	return at.Time, err
}

// MissedUntil gives the stores that deliveries may have been lost for until a time: those that take part, have sent
// something and were connected by then.
func (q queries) MissedUntil(ctx context.Context, to time.Time) ([]affiliate.Store, error) {
	list := []affiliate.Store{}
	err := q.List(ctx, &list, `SELECT `+storeColumns.of("")+` FROM stores WHERE state = 'active' AND last_delivery_at IS NOT NULL
		AND created_at <= ? ORDER BY id`, At(to))
	return list, err
}

// StoreTopics gives the needed topics that stores have ever sent: of one store, or of all when it is 0.
func (q queries) StoreTopics(ctx context.Context,
	store affiliate.StoreID) (map[affiliate.StoreID][]StoreTopicCount, error) {
	var rows []struct {
		StoreID affiliate.StoreID `db:"store_id"`
		Topic   string
		First   Time `db:"first_at"`
		Last    Time `db:"last_at"`
		N       int64
	}
	var f Filter
	Is(&f, "store_id", store)
	err := q.List(ctx, &rows, `SELECT store_id, topic, first_at, last_at, n FROM store_topics`+f.Where()+` ORDER BY store_id, topic`,
		f.Args...)
	all := map[affiliate.StoreID][]StoreTopicCount{}
	for _, r := range rows {
		all[r.StoreID] = append(all[r.StoreID], StoreTopicCount{StoreID: r.StoreID, Topic: r.Topic, First: r.First.Time,
			Last: r.Last.Time, N: r.N})
	}
	return all, err
}

// AcceptedHours gives how many deliveries of a store were accepted in the hours that began in a time, oldest first.
// Hours without any are left out.
func (q queries) AcceptedHours(ctx context.Context, store affiliate.StoreID,
	from, to time.Time) ([]affiliate.HourCount, error) {
	var rows []struct {
		Hour Time
		N    int64
	}
	err := q.List(ctx, &rows, `SELECT hour, n FROM store_counts WHERE store_id = ? AND outcome = 'accepted' AND hour >= ? AND hour <= ?
		ORDER BY hour`, store, At(from), At(to))
	list := make([]affiliate.HourCount, len(rows))
	for i, r := range rows {
		list[i] = affiliate.HourCount{Hour: r.Hour.Time, N: r.N}
	}
	return list, err
}
