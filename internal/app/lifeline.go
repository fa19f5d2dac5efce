package app

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Lifeline keeps in the database that this process takes deliveries in, so that the times are known in which none did:
// what stores that do not send again could not deliver then is lost.
type Lifeline struct {
	app   *App
	id    int64
	begun time.Time
	told  bool
}

const (
	// BeatEvery is how often a process gives a sign of life.
	BeatEvery = 30 * time.Second
	// beatLimit bounds a sign of life.
	beatLimit = 10 * time.Second
	// othersBeat is how long a process waits before it takes one that gave no sign of life for dead.
	othersBeat = 3 * BeatEvery
	// runsKept is how long runs that are over are remembered.
	runsKept = 90 * 24 * time.Hour
)

// outageMargin is how far before an outage a comparison looks back: what came last may not have been kept.
const outageMargin = time.Hour

// StartLifeline notes that this process begins to take deliveries in, and for how long none did before. Where several
// processes may do so it takes some signs of life until that is known.
func (a *App) StartLifeline(ctx context.Context) (*Lifeline, error) {
	ctx = storage.ForLittle(ctx)
	l := &Lifeline{app: a, begun: a.now()}
	err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		if l.id, err = tx.StartReceiverRun(ctx, l.begun); err != nil {
			return err
		}
		return l.tell(ctx, tx, l.begun)
	})
	return l, err
}

// Beat is a sign of life.
func (l *Lifeline) Beat(ctx context.Context) error {
	ctx, cancel := l.app.DB.Within(storage.ForLittle(ctx), beatLimit)
	defer cancel()
	now := l.app.now()
	if err := l.app.DB.KeepReceiverRun(ctx, l.id, now); err != nil || l.told {
		return err
	}
	return l.app.DB.InTx(ctx, func(tx *storage.Tx) error { return l.tell(ctx, tx, now) })
}

// Stop notes that this process takes in no more.
func (l *Lifeline) Stop(ctx context.Context) error {
	return l.app.DB.EndReceiverRun(storage.ForLittle(ctx), l.id, l.app.now())
}

// tell keeps as notices the times without any process before this one and before others that did not live to tell.
func (l *Lifeline) tell(ctx context.Context, tx *storage.Tx, now time.Time) error {
	runs, err := tx.ReceiverRuns(ctx, l.id)
	if err != nil {
		return err
	}
	for _, r := range runs[:max(0, len(runs)-1)] {
		// It may be alive. The embedded database has one process only, and a second one would not have come so far.
		if r.Stopped.IsZero() && !l.app.DB.Embedded() && now.Sub(l.begun) < othersBeat &&
			r.Alive.After(now.Add(-othersBeat)) {
			return nil
		}
	}
	var last storage.ReceiverRun // the one that ended last so far
	for i, r := range runs {
		if i > 0 && !r.Told && r.Started.After(last.End()) {
			if err := l.tellGap(ctx, tx, last, r.Started.Time, now); err != nil {
				return err
			}
		}
		if i == 0 || !r.End().Before(last.End()) {
			last = r
		}
	}
	l.told = true
	return tx.TellReceiverRuns(ctx, l.id, now.Add(-runsKept))
}

// tellGap keeps a time without any process as a notice of each store that may have lost deliveries in it.
func (l *Lifeline) tellGap(ctx context.Context, tx *storage.Tx, last storage.ReceiverRun, to, now time.Time) error {
	from, kind := last.End(), storage.NoticeStopped
	if last.Stopped.IsZero() {
		kind = storage.NoticeDied
		l.app.Log.Warn("the server was down after it had ended without a word", "from", from, "to", to)
	}
	stores, err := tx.MissedUntil(ctx, to)
	if err != nil {
		return err
	}
	var list []storage.Notice
	for _, s := range stores {
		if err := tx.WantComparison(ctx, s.ID, affiliate.CauseOutage, from.Add(-outageMargin)); err != nil {
			return err
		}
		if to.Sub(from) < l.app.Platforms.Guide(s.Platform).Resends {
			continue
		}
		list = append(list, storage.Notice{Kind: kind, StoreID: s.ID, From: storage.At(from), To: storage.At(to),
			NoticedAt: storage.At(now)})
	}
	return tx.AddNotices(ctx, list)
}
