package app

import (
	"context"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/storage"
)

// ClockWatch notices when the clock jumps: deliveries are dated by it, and what is kept for a time only is erased by
// it.
type ClockWatch struct {
	app     *App
	elapsed func() time.Duration // runs evenly, whatever the clock does

	mu     sync.Mutex
	wall   time.Time
	at     time.Duration
	ahead  bool // it has jumped forward
	jumped time.Duration
}

// NewClockWatch begins to watch the app's clock. elapsed is the time since any fixed moment by a source that never
// jumps; nil takes the machine's.
func NewClockWatch(a *App, elapsed func() time.Duration) *ClockWatch {
	if elapsed == nil {
		begin := time.Now()
		elapsed = func() time.Duration { return time.Since(begin) }
	}
	return &ClockWatch{app: a, elapsed: elapsed, wall: a.now(), at: elapsed()}
}

const (
	// leastJump is more than clocks are set right by in everyday life.
	leastJump = 30 * time.Second
	// steadyAfter is how long the clock must have run evenly after a jump forward before anything is erased for its
	// age: time enough for it to be put right.
	steadyAfter = time.Hour
)

// Start compares the clock with what was written before: with the newest deliveries and the last sign of life.
func (w *ClockWatch) Start(ctx context.Context) error {
	now := w.app.now()
	newest, err := w.app.DB.NewestReceived(ctx)
	if err != nil {
		return err
	}
	alive, err := w.app.DB.LastSignOfLife(ctx)
	if err != nil {
		return err
	}
	if alive.After(newest) {
		newest = alive
	}
	if newest.Sub(now) < leastJump {
		return nil
	}
	return w.tell(ctx, newest, now)
}

// Check looks whether the clock has jumped since the last time.
func (w *ClockWatch) Check(ctx context.Context) error {
	now, at := w.app.now(), w.elapsed()
	w.mu.Lock()
	expected := w.wall.Add(at - w.at)
	w.wall, w.at = now, at
	jump := now.Sub(expected)
	if jump.Abs() >= leastJump {
		w.ahead, w.jumped = jump > 0, at
	}
	w.mu.Unlock()
	if jump.Abs() < leastJump {
		return nil
	}
	return w.tell(ctx, expected, now)
}

// Steady says whether what is kept for a time only may be erased: not right after the clock has jumped forward.
func (w *ClockWatch) Steady() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.ahead || w.elapsed()-w.jumped >= steadyAfter
}

// tell logs a jump and keeps it as a notice. Other processes on the machine notice the same.
func (w *ClockWatch) tell(ctx context.Context, expected, now time.Time) error {
	w.app.Log.Warn("the clock has jumped", "from", expected, "to", now, "by", now.Sub(expected).Round(time.Second))
	ctx, cancel := w.app.DB.Within(storage.ForLittle(ctx), beatLimit)
	defer cancel()
	return w.app.DB.InTx(ctx, func(tx *storage.Tx) error {
		open, err := tx.ClockNotices(ctx)
		if err != nil {
			return err
		}
		for _, n := range open {
			if now.Sub(n.To.Time).Abs() < time.Minute {
				return nil
			}
		}
		from := storage.At(expected.Truncate(time.Second))
		return tx.AddNotices(ctx, []storage.Notice{{Kind: storage.NoticeClock, From: from, To: storage.At(now),
			NoticedAt: storage.At(now)}})
	})
}
