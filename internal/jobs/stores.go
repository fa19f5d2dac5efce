package jobs

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// StoreWorker does what is due with the APIs of stores. Any number of processes may run one: a lease in the database
// gives each store to one of them at a time.
type StoreWorker struct {
	App *app.App
	Log *slog.Logger

	lines app.Seldom
	work  sync.WaitGroup
	mu    sync.Mutex
	at    map[affiliate.StoreID]bool // stores that this process works at
	turns int                        // that have ended
	last  map[affiliate.StoreID]int  // of which a store had its last turn; 0: none yet
	full  bool                       // stores wait for a place
}

const (
	// storesEvery is how soon work is begun that has come to be due.
	storesEvery = 5 * time.Second
	// storesAtOnce is how many stores a process works at side by side: one that answers slowly holds up no other.
	storesAtOnce = 4
	// storeTurn is how long a store may have its place while others wait for one.
	storeTurn = 30 * time.Second
)

// Run looks again and again what is due, until ctx ends, and waits for what was begun.
func (w *StoreWorker) Run(ctx context.Context) {
	Every(ctx, w.Log, storesEvery, "ask the stores", w.begin)
	w.work.Wait()
}

// Step does what is due now, and waits for it.
func (w *StoreWorker) Step(ctx context.Context) error {
	err := w.begin(ctx)
	w.work.Wait()
	return err
}

// begin takes up the stores that something is due with, as many as there is room for: first those whose last turn is
// longest ago.
func (w *StoreWorker) begin(ctx context.Context) error {
	due, err := w.App.DueStores(ctx)
	if err != nil {
		return err
	}
	for _, id := range w.takeAll(due) {
		w.work.Go(func() {
			defer w.leave(id)
			w.do(ctx, id)
		})
	}
	return nil
}

// takeAll notes that this process works at stores, and gives those that it does not work at already, as far as there is
// room.
func (w *StoreWorker) takeAll(due []affiliate.StoreID) (taken []affiliate.StoreID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at == nil {
		w.at, w.last = map[affiliate.StoreID]bool{}, map[affiliate.StoreID]int{}
	}
	slices.SortStableFunc(due, func(a, b affiliate.StoreID) int { return cmp.Compare(w.last[a], w.last[b]) })
	w.full = false
	for _, id := range due {
		switch {
		case w.at[id]:
		case len(w.at) >= storesAtOnce:
			w.full = true
		default:
			w.at[id] = true
			taken = append(taken, id)
		}
	}
	return taken
}

func (w *StoreWorker) leave(id affiliate.StoreID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.at, id)
	w.turns++
	w.last[id] = w.turns
}

// turn gives what says that a store's turn is over: it has had its time, and others wait.
func (w *StoreWorker) turn(since func() time.Duration) func() bool {
	return func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.full && since() >= storeTurn
	}
}

// do works at one store. That a store does not answer is noted with it; the log tells it besides, but seldom.
func (w *StoreWorker) do(ctx context.Context, id affiliate.StoreID) {
	begun := time.Now()
	ctx = app.WithTurn(ctx, w.turn(func() time.Duration { return time.Since(begun) }))
	err := w.App.WithStoreLease(ctx, id, func(ctx context.Context) error { return w.App.StoreWork(ctx, id) })
	if err == nil || ctx.Err() != nil || errors.Is(err, app.ErrBusy) {
		return
	}
	w.lines.Log(w.Log, slog.LevelWarn, id.String(), "the work with a store was broken off", "store", id, "error", err)
}
