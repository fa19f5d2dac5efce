package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Intake commits deliveries in groups: whatever arrives while one commit is under way shares the next one. There is no
// timer, so a lone delivery is committed at once. A second commit begins beside the first as soon as enough wait, so
// that requests are read while the database writes.
type Intake struct {
	db    *storage.DB
	queue Queue
	log   *slog.Logger
	lines Seldom

	committers int
	pulse      Pulse

	mu     sync.Mutex
	open   *commitGroup
	busy   int // committers at work
	closed bool
	spare  [][]storage.NewDelivery
	work   chan *commitGroup
	done   sync.WaitGroup

	woken       chan []affiliate.DeliveryID
	queueClosed chan struct{}
}

type commitGroup struct {
	list  []storage.NewDelivery
	since time.Time // when the first of them came
	done  chan struct{}
	errs  []error // by position; nil when all were kept
}

// besideAt is how many waiting deliveries make a second commit beside the first worth its cost: half of what 32
// connections send at once. Measured: 8 and a third committer were slower.
const besideAt = 16

// commitTimeout bounds a commit. A store's request waits no longer than its own limit anyway: the impatient ones for
// 5 s. Of this the first try gets firstTry, so that a connection which hangs costs a moment and not the delivery: not
// all stores send again. The second try has another connection; what the first one did is not done twice. On the
// embedded database nothing hangs, but another process may hold the one write lock for long, such as a large import;
// some stores wait for a minute, so the wait is as long as that allows.
const (
	firstTry              = 3 * time.Second
	commitTimeout         = 10 * time.Second
	leastTry              = time.Second // for those that have waited for others that long
	embeddedCommitTimeout = 50 * time.Second
)

// Pulse says whether deliveries can be committed.
func (i *Intake) Pulse() Beat { return i.pulse.Feel(longestCommit(i.db) + 10*time.Second) }

func longestCommit(db *storage.DB) time.Duration {
	if db.Embedded() {
		return embeddedCommitTimeout
	}
	return commitTimeout
}

// NewIntake starts the committers. Close it to flush.
func NewIntake(db *storage.DB, queue Queue, log *slog.Logger) *Intake {
	committers := 2
	if db.Embedded() {
		committers = 1 // SQLite has one writer
	}
	i := &Intake{db: db, queue: queue, log: log, committers: committers, open: newGroup(nil),
		work: make(chan *commitGroup, committers), woken: make(chan []affiliate.DeliveryID, 256),
		queueClosed: make(chan struct{})}
	for range committers {
		i.done.Go(i.commit)
	}
	go i.enqueue()
	return i
}

func newGroup(list []storage.NewDelivery) *commitGroup {
	return &commitGroup{list: list[:0], done: make(chan struct{})}
}

// Keep returns when the delivery is committed; nil means that nothing can lose it any more. It does not follow a
// canceled request: what was handed over is committed.
func (i *Intake) Keep(d storage.NewDelivery) error {
	i.mu.Lock()
	if i.closed {
		i.mu.Unlock()
		return affiliate.Errorf(affiliate.Unavailable, "the server is shutting down")
	}
	g := i.open
	at := len(g.list)
	if at == 0 {
		g.since = time.Now()
	}
	g.list = append(g.list, d)
	if i.ripe() {
		i.busy++
		i.work <- i.take() // never blocks: there is room for as many groups as there are committers
	}
	i.mu.Unlock()
	<-g.done
	if g.errs == nil {
		return nil
	}
	return g.errs[at]
}

// ripe says whether the open group is to be committed now.
func (i *Intake) ripe() bool {
	n := len(i.open.list)
	return n > 0 && (i.busy == 0 || i.busy < i.committers && n >= besideAt)
}

// take closes the open group and opens another.
func (i *Intake) take() *commitGroup {
	g := i.open
	var spare []storage.NewDelivery
	if n := len(i.spare); n > 0 {
		spare = i.spare[n-1]
		i.spare = i.spare[:n-1]
	}
	i.open = newGroup(spare)
	return g
}

// ending says whether Close was called.
func (i *Intake) ending() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.closed
}

// Close commits what is waiting and hands over what is to be woken.
func (i *Intake) Close() {
	i.mu.Lock()
	if i.closed {
		i.mu.Unlock()
		return
	}
	i.closed = true
	close(i.work)
	i.mu.Unlock()
	i.done.Wait()
	close(i.woken)
	<-i.queueClosed
}

func (i *Intake) commit() {
	for g := range i.work {
		for g != nil {
			ids := i.commitGroup(g)
			next := i.finish(g)
			if len(ids) > 0 {
				select {
				case i.woken <- ids:
				default: // the queue is stuck; the sweep finds them
				}
			}
			g = next
		}
	}
}

// finish wakes the requests of a group and gives the group to be committed next, if one is ripe.
func (i *Intake) finish(g *commitGroup) (next *commitGroup) {
	i.mu.Lock()
	clear(g.list)
	i.spare = append(i.spare, g.list)
	i.busy--
	if i.ripe() {
		i.busy++
		next = i.take()
	}
	i.mu.Unlock()
	close(g.done)
	return next
}

// commitGroup keeps a group, and one by one what cannot be kept together: one delivery that the database refuses must
// not turn its neighbours away.
func (i *Intake) commitGroup(g *commitGroup) []affiliate.DeliveryID {
	limit := longestCommit(i.db)
	if !i.db.Embedded() {
		limit = max(limit-time.Since(g.since), leastTry)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	end := i.pulse.Begin()
	ids, err := i.insert(ctx, g.list)
	end(storage.IsUnavailable(err))
	if err == nil {
		return ids
	}
	i.lines.Log(i.log, slog.LevelError, "", "deliveries not kept", "count", len(g.list), "error", err)
	g.errs = make([]error, len(g.list))
	for n := range g.list {
		if storage.IsUnavailable(err) {
			g.errs[n] = err
			continue
		}
		var one []affiliate.DeliveryID
		one, g.errs[n] = i.db.InsertDeliveries(ctx, g.list[n:n+1], nil)
		ids = append(ids, one...)
	}
	return ids
}

// insert keeps deliveries, at the second try if need be.
func (i *Intake) insert(ctx context.Context, list []storage.NewDelivery) ([]affiliate.DeliveryID, error) {
	ids := make([]affiliate.DeliveryID, 0, len(list))
	if i.db.Embedded() {
		return i.db.InsertDeliveries(ctx, list, ids)
	}
	first, cancel := context.WithTimeout(ctx, firstTry)
	ids, err := i.db.InsertDeliveries(first, list, ids)
	cancel()
	if !storage.IsUnavailable(err) {
		return ids, err
	}
	again, err := i.db.InsertDeliveries(ctx, list, nil)
	// What the first try has kept in part is among ids; what it kept without our learning of it waits for the sweep.
	return append(ids, again...), err
}

// wakeMost bounds the deliveries of one wake-up. wakePause is how long groups are gathered after a wake-up: a lone
// delivery is told at once, a stream of them a few hundred times a second.
const (
	wakeMost  = 500
	wakePause = 4 * time.Millisecond
)

// enqueue tells the queue what was kept, several groups at once when it lags behind. A failure only delays: the sweep
// finds what waits.
func (i *Intake) enqueue() {
	defer close(i.queueClosed)
	var lastWoken time.Time
	for ids := range i.woken {
		pause := time.NewTimer(wakePause - time.Since(lastWoken))
	more:
		for len(ids) < wakeMost {
			select {
			case next, ok := <-i.woken:
				if !ok {
					break more
				}
				ids = append(ids, next...)
			case <-pause.C:
				break more
			}
		}
		pause.Stop()
		lastWoken = time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		err := i.queue.Wake(ctx, ids)
		cancel()
		if err == nil {
			continue
		}
		i.lines.Log(i.log, slog.LevelWarn, "", "queue not reachable, deliveries wait for the sweep", "error", err)
		if i.ending() {
			return // one failure is enough to wait for at the end
		}
	}
}
