package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TaskProcess is the one kind of task so far: the ids of deliveries that wait.
const TaskProcess = "deliveries:process"

// queueName is asynq's queue for it. The braces that asynq puts around it keep its keys on one node of a cluster.
const queueName = "deliveries"

// Queue wakes workers through Redis. It implements app.Queue.
type Queue struct {
	client    *asynq.Client
	inspector *asynq.Inspector

	mu     sync.Mutex
	asking chan struct{} // closed when the state that is being read is there; nil when none is
	read   QueueState
}

// NewQueue makes a queue on a connection.
func NewQueue(r *Redis) *Queue {
	return &Queue{client: asynq.NewClientFromRedisClient(r.Client()),
		inspector: asynq.NewInspectorFromRedisClient(r.Client())}
}

// taskTimeout bounds one task; a batch takes milliseconds.
const taskTimeout = 5 * time.Minute

// Wake enqueues one task for all the ids.
func (q *Queue) Wake(ctx context.Context, ids []affiliate.DeliveryID) error {
	payload, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	_, err = q.client.EnqueueContext(ctx, asynq.NewTask(TaskProcess, payload), asynq.Queue(queueName),
		asynq.MaxRetry(20), asynq.Timeout(taskTimeout))
	return err
}

// QueueState is how much the queue holds, for the status page. A task stands for a group of deliveries.
type QueueState struct {
	Reachable bool  `json:"reachable"`
	Pending   int   `json:"pending"`
	Active    int   `json:"active"`
	Retry     int   `json:"retry"`
	Archived  int   `json:"archived"`
	LatencyMS int64 `json:"latency_ms"`
}

// stateLimit is how long the state is waited for: asynq's inspector tries again and again while Redis says nothing.
const stateLimit = 2 * time.Second

// State reads how much the queue holds; Reachable is false when Redis does not answer in time. Those who ask at once
// share an answer.
func (q *Queue) State() QueueState {
	q.mu.Lock()
	asking := q.asking
	if asking == nil {
		asking = make(chan struct{})
		q.asking = asking
		go func() {
			read := q.readState()
			q.mu.Lock()
			defer q.mu.Unlock()
			q.read, q.asking = read, nil
			close(asking)
		}()
	}
	q.mu.Unlock()
	late := time.NewTimer(stateLimit)
	defer late.Stop()
	select {
	case <-asking:
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.read
	case <-late.C:
		return QueueState{}
	}
}

func (q *Queue) readState() QueueState {
	info, err := q.inspector.GetQueueInfo(queueName)
	if err != nil {
		names, err := q.inspector.Queues()
		return QueueState{Reachable: err == nil && !slices.Contains(names, queueName)} // nothing was enqueued yet
	}
	return QueueState{Reachable: true, Pending: info.Pending, Active: info.Active, Retry: info.Retry,
		Archived: info.Archived, LatencyMS: info.Latency.Milliseconds()}
}

// Worker runs tasks and sweeps the inbox.
type Worker struct {
	DB        *storage.DB
	Redis     *Redis
	Queue     *Queue
	Processor *app.Processor
	Log       *slog.Logger
	Now       func() time.Time
	// Retention is how long the bodies of processed deliveries are kept; 0 keeps them for ever.
	Retention time.Duration
	// Steady says whether the clock can be trusted with what is erased for its age; nil trusts it.
	Steady func() bool

	lines app.Seldom
}

// concurrency is how many tasks may wait for their batch at once. The batches themselves are made by the Processor.
const concurrency = 64

// Run works until ctx ends, then finishes what it has begun. Redis may be away at the start and at any time.
func (w *Worker) Run(ctx context.Context) error {
	server := asynq.NewServerFromRedisClient(w.Redis.Client(), asynq.Config{
		Concurrency:     concurrency,
		Queues:          map[string]int{queueName: 1},
		Logger:          logAdapter{w.Log},
		LogLevel:        asynq.WarnLevel,
		ShutdownTimeout: 10 * time.Second,
		// An empty queue is asked this often; it bounds how late a lone delivery is noticed.
		TaskCheckInterval: 15 * time.Millisecond,
		RetryDelayFunc: func(n int, _ error, _ *asynq.Task) time.Duration {
			return min(time.Duration(n*n+1)*time.Second, time.Minute)
		},
		IsFailure: func(err error) bool { return !errors.Is(err, context.Canceled) },
	})
	mux := asynq.NewServeMux()
	mux.HandleFunc(TaskProcess, w.process)
	for {
		err := server.Start(mux)
		if err == nil {
			break
		}
		w.lines.Log(w.Log, slog.LevelWarn, "", "queue not reachable, trying again", "error", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil
		}
	}
	w.sweepUntil(ctx)
	server.Shutdown()
	return nil
}

func (w *Worker) process(ctx context.Context, t *asynq.Task) error {
	var ids []affiliate.DeliveryID
	if err := json.Unmarshal(t.Payload(), &ids); err != nil {
		return fmt.Errorf("read a task: %w: %w", err, asynq.SkipRetry) // the sweep finds what it spoke of
	}
	return w.Processor.Submit(ctx, ids)
}

const (
	sweepEvery = 2 * time.Second
	// sweepAge keeps the sweep off deliveries whose own task is on its way.
	sweepAge  = 5 * time.Second
	sweepMost = 5000
	sweepTask = 200
	// sweepBacklog is how many tasks may be pending before the sweep leaves the inbox to them.
	sweepBacklog = 50
	purgeEvery   = 10 * time.Minute
	purgeMost    = 2000 // in one transaction, for which deliveries wait
	// sweepLimit bounds a sweep, and purgeLimit each part of a purge.
	sweepLimit = 10 * time.Second
	purgeLimit = time.Minute
)

// sweepUntil looks every few seconds for deliveries that wait although no task speaks of them: Redis was down or lost
// its memory, a worker died, a retry is due. The first sweep takes all: an in-process Redis starts empty.
func (w *Worker) sweepUntil(ctx context.Context) {
	age := time.Duration(0)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var purged time.Time
	for {
		if err := w.Sweep(ctx, age); err != nil && ctx.Err() == nil {
			w.lines.Log(w.Log, slog.LevelWarn, "", "sweep of the inbox", "error", err)
		}
		age = sweepAge
		if time.Since(purged) > purgeEvery {
			purged = time.Now()
			if err := w.Purge(ctx); err != nil && ctx.Err() == nil {
				w.Log.Warn("purge of old bodies and keys", "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Sweep enqueues waiting deliveries that are older than age, unless many tasks are pending already. Active tasks do not
// count: those of a killed worker stay active for a minute or more, and the deliveries that they speak of wait.
func (w *Worker) Sweep(ctx context.Context, age time.Duration) error {
	if f := w.Queue.State(); f.Pending > sweepBacklog {
		return nil
	}
	ctx, cancel := w.DB.Within(ctx, sweepLimit)
	defer cancel()
	now := w.Now()
	ids, err := w.DB.DueDeliveries(ctx, now.Add(-age), now, sweepMost)
	if err != nil {
		return err
	}
	for len(ids) > 0 {
		part := ids[:min(len(ids), sweepTask)]
		ids = ids[len(part):]
		if err := w.Queue.Wake(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// Purge erases what is kept for a time only: Idempotency-Keys with their answers, sessions that have ended with the
// failures to sign in, reports of comparisons with stores, and the bodies of processed deliveries. It waits while the
// clock may be far ahead.
func (w *Worker) Purge(ctx context.Context) error {
	if w.Steady != nil && !w.Steady() {
		return nil
	}
	ctx = storage.ForLittle(ctx) // it makes room
	now := w.Now()
	keys := w.purgeAll(ctx, func(ctx context.Context) (int64, error) {
		return w.DB.PurgeIdempotent(ctx, now.Add(-storage.IdempotencyKept), purgeMost)
	})
	sessions := w.purgeAll(ctx, func(ctx context.Context) (int64, error) {
		return 0, w.DB.PurgeSessions(ctx, now, now.Add(-app.FailuresForget))
	})
	reports := w.purgeAll(ctx, func(ctx context.Context) (int64, error) {
		return w.DB.PurgeStoreJobs(ctx, now.Add(-app.StoreJobsKept), purgeMost)
	})
	if w.Retention == 0 {
		return errors.Join(keys, sessions, reports)
	}
	bodies := w.purgeAll(ctx, func(ctx context.Context) (int64, error) {
		return w.DB.PurgePayloads(ctx, now.Add(-w.Retention), purgeMost)
	})
	return errors.Join(keys, sessions, reports, bodies)
}

// purgeAll erases part by part, each in a transaction of its own, until nothing is left: a busy store's day holds more
// than one part.
func (w *Worker) purgeAll(ctx context.Context, part func(context.Context) (int64, error)) error {
	for {
		within, cancel := w.DB.Within(ctx, purgeLimit)
		n, err := part(within)
		cancel()
		if err != nil || n < purgeMost {
			return err
		}
	}
}

// logAdapter hands asynq's log to slog.
type logAdapter struct{ log *slog.Logger }

func (l logAdapter) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l logAdapter) Info(args ...any)  { l.log.Info(fmt.Sprint(args...)) }
func (l logAdapter) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...)) }
func (l logAdapter) Error(args ...any) { l.log.Error(fmt.Sprint(args...)) }
func (l logAdapter) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }
