package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// alongside is work that must be committed together with the first effect of a request, whichever function has it.
type alongside struct {
	done bool // the writes of a request come one after the other, so nothing guards it
	work func(context.Context, *Tx) error
}

type alongsideKey struct{}

// Alongside gives a context whose first transaction that is committed does work too, as its last step: both are kept or
// neither is. An error of work rolls the transaction back and is returned by it. A transaction that fails leaves work
// to the next one; those after the committed one do without. This is how a request is marked as carried out by the very
// transaction that carries it out, without a word about it in the functions between.
//
// It knows nothing of effects outside of the database, nor of what further transactions of the same request do.
func Alongside(ctx context.Context, work func(ctx context.Context, tx *Tx) error) context.Context {
	if before := alongsideOf(ctx); before != nil {
		then := work
		work = func(ctx context.Context, tx *Tx) error {
			if err := before.work(ctx, tx); err != nil {
				return err
			}
			return then(ctx, tx)
		}
	}
	return context.WithValue(ctx, alongsideKey{}, &alongside{work: work})
}

// NotAlongside gives a context whose transactions leave what Alongside has asked for to a later one: for work in
// several transactions, which is carried out when the last of them is.
func NotAlongside(ctx context.Context) context.Context {
	return context.WithValue(ctx, alongsideKey{}, (*alongside)(nil))
}

// alongsideOf gives what the next transaction of ctx has to do besides; nil for nothing.
func alongsideOf(ctx context.Context) *alongside {
	if a, _ := ctx.Value(alongsideKey{}).(*alongside); a != nil && !a.done {
		return a
	}
	return nil
}

// IdempotencyState is how far a request with an Idempotency-Key came.
type IdempotencyState string

const (
	IdempotencyStarted  IdempotencyState = "started"  // it runs, or its process died before it had an effect
	IdempotencyApplied  IdempotencyState = "applied"  // its effect is committed, its answer is not kept (yet)
	IdempotencyAnswered IdempotencyState = "answered" // its answer is kept
)

// How long a request may run without an effect before a repeat takes its place, and how long keys are kept.
const (
	IdempotencyPatience = time.Minute
	IdempotencyKept     = 24 * time.Hour
)

// IdempotentRequest is one request with an Idempotency-Key. StartedAt, in microseconds, tells it from an earlier
// request of the same key whose place it took.
type IdempotentRequest struct {
	Principal string // whose key it is: "tok_1"
	Key       string
	Request   []byte // SHA-256 of what is asked for
	StartedAt time.Time
}

// IdempotentAnswer is what is kept about a key.
type IdempotentAnswer struct {
	Request   []byte
	State     IdempotencyState
	Status    int
	Headers   string // JSON
	Body      []byte
	CreatedAt Time `db:"created_at"`
}

// BeginIdempotent notes that a request begins, and gives nil. When its key is known it changes nothing and gives what
// is kept about it. A key older than IdempotencyKept counts as unknown, as does the same request that began more than
// IdempotencyPatience ago and had no effect: should it still be running, its effect is refused by ApplyIdempotent.
func (db *DB) BeginIdempotent(ctx context.Context, r IdempotentRequest) (*IdempotentAnswer, error) {
	for {
		n, err := db.exec(ctx, `INSERT INTO idempotency_keys (principal, key, request, state, created_at) VALUES (?, ?, ?, 'started', ?)
			ON CONFLICT (principal, key) DO UPDATE SET request = excluded.request, state = 'started', status = 0, headers = '', body = NULL,
				created_at = excluded.created_at
			WHERE idempotency_keys.created_at < ? OR (idempotency_keys.state = 'started' AND idempotency_keys.created_at < ?
				AND idempotency_keys.request = excluded.request)`,
			r.Principal, r.Key, r.Request, At(r.StartedAt), At(r.StartedAt.Add(-IdempotencyKept)),
			At(r.StartedAt.Add(-IdempotencyPatience)))
		if err != nil || n == 1 {
			return nil, err
		}
		var kept IdempotentAnswer
		err = db.Get(ctx, &kept, `SELECT request, state, status, headers, body, created_at FROM idempotency_keys WHERE principal = ? AND key = ?`,
			r.Principal, r.Key)
		if affiliate.KindOf(err) == affiliate.NotFound {
			continue // it was refused meanwhile, and its key is free again
		}
		return &kept, err
	}
}

// ApplyIdempotent marks a request as carried out, in the transaction that does. It is a Conflict, which rolls that
// back, when a repeat has taken the request's place.
func (tx *Tx) ApplyIdempotent(ctx context.Context, r IdempotentRequest) error {
	n, err := tx.exec(ctx, `UPDATE idempotency_keys SET state = 'applied' WHERE principal = ? AND key = ? AND state = 'started' AND created_at = ?`,
		r.Principal, r.Key, At(r.StartedAt))
	if err == nil && n == 0 {
		err = &affiliate.Error{Kind: affiliate.Conflict, Code: "idempotency_in_progress",
			Message: "this took so long that a repeat with the same Idempotency-Key has taken over; ask for the " +
				"repeat's answer"}
	}
	return err
}

// AnswerIdempotent keeps the answer of a request.
func (db *DB) AnswerIdempotent(ctx context.Context, r IdempotentRequest, status int, headers string,
	body []byte) error {
	_, err := db.exec(ctx, `UPDATE idempotency_keys SET state = 'answered', status = ?, headers = ?, body = ? WHERE principal = ? AND key = ? AND created_at = ?`,
		status, headers, body, r.Principal, r.Key, At(r.StartedAt))
	return err
}

// ForgetIdempotent frees the key of a request that had no effect, and says whether that was so: one with an effect
// stays.
func (db *DB) ForgetIdempotent(ctx context.Context, r IdempotentRequest) (bool, error) {
	n, err := db.exec(ctx, `DELETE FROM idempotency_keys WHERE principal = ? AND key = ? AND state = 'started' AND created_at = ?`,
		r.Principal, r.Key, At(r.StartedAt))
	return n == 1, err
}

// PurgeIdempotent forgets keys of requests that began before a time, at most limit of them, and says how many.
func (db *DB) PurgeIdempotent(ctx context.Context, before time.Time, limit int) (int64, error) {
	return db.exec(ctx, `DELETE FROM idempotency_keys WHERE (principal, key) IN
		(SELECT principal, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)`, At(before), limit)
}
