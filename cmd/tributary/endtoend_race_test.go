package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/storage"
)

const racers = 8

// Eight server processes share the queue; deliveries of the same orders come over many connections at once.
func TestWorkers_behind_one_queue_race(t *testing.T) {
	t.Parallel()
	want := sequentially(t)
	env := production(t).with("DATABASE_MAX_CONNS", "4").with("WORKER_CONCURRENCY", "2")
	sets := allSets(t)
	token := env.setUp(t, sets)
	for range racers {
		env.start(t, roleWorker)
	}
	c := env.start(t, roleReceiver, roleWeb).client(t, token)
	deliver(t, c, 16, recordings.Shuffled(allRequests(sets), 11))
	waitProcessed(t, c)
	wantEndState(t, env, want)
	checkOrders(t, c, sets)
	checkLedger(t, env)
}

// Eight workers go after the same deliveries: every one of them is handed every delivery, in an order and in batches of
// its own. Then everything is replayed the same way.
func TestWorkers_after_the_same_deliveries_race(t *testing.T) {
	t.Parallel()
	want := sequentially(t)
	env := production(t).with("DATABASE_MAX_CONNS", "4")
	sets := allSets(t)
	token := env.setUp(t, sets)
	c := env.start(t, roleReceiver, roleWeb).client(t, token)
	deliver(t, c, 16, recordings.Shuffled(allRequests(sets), 12))
	var ids []affiliate.DeliveryID
	for _, d := range kept(t, env) {
		ids = append(ids, d.ID)
	}
	for round := range 3 {
		if round > 0 {
			replayAll(t, env)
		}
		var workers sync.WaitGroup
		for n := range racers {
			random := rand.New(rand.NewPCG(uint64(round), uint64(n)))
			workers.Go(func() {
				env.open(t, func(ctx context.Context, a *app.App) { processAll(ctx, t, a, ids, random) })
			})
		}
		workers.Wait()
		waitProcessed(t, c)
		wantEndState(t, env, want)
		checkLedger(t, env)
	}
}

// replayAll puts all deliveries back into the inbox whose bodies are still there: the store's shop/redact erased some.
func replayAll(t testing.TB, env environment) {
	t.Helper()
	want := 0
	for _, d := range kept(t, env) {
		if d.Payload != nil {
			want++
		}
	}
	env.open(t, func(ctx context.Context, a *app.App) {
		n, err := a.Replay(ctx, storage.ReplayFilter{Since: time.Unix(0, 0)})
		ok(t, err)
		if int(n) != want {
			t.Errorf("%d deliveries are to be replayed, want %d", n, want)
		}
	})
}

// processAll hands all deliveries to one worker, in batches of one to twenty. What loses a deadlock waits for another
// try, so it goes on until nothing is due.
func processAll(ctx context.Context, t testing.TB, a *app.App, ids []affiliate.DeliveryID, random *rand.Rand) {
	a.Platforms, a.Live = platforms(), silent{}
	p := app.NewProcessor(a, app.NewCounters(a.DB, a.Now, a.Log), 1)
	defer p.Close()
	mine := slices.Clone(ids)
	random.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
	for len(mine) > 0 {
		n := min(1+random.IntN(20), len(mine))
		if err := p.Process(ctx, mine[:n]); err != nil {
			t.Error(err)
		}
		mine = mine[n:]
	}
	eventually(t, "no delivery waits", func() bool {
		inbox, err := a.DB.Inbox(ctx)
		if err == nil && inbox.Waiting > 0 {
			err = p.Process(ctx, ids)
		}
		if err != nil {
			t.Error(err)
		}
		return err != nil || inbox.Waiting == 0
	})
}

// silent stands for the live pages, which nobody looks at here.
type silent struct{}

func (silent) Publish([]affiliate.Change) {}

// sequentially gives the end state of all recordings processed one after another in the order in which they were sent.
func sequentially(t *testing.T) []string {
	t.Helper()
	env := production(t)
	sets := allSets(t)
	token := env.setUp(t, sets)
	c := env.start(t, roleReceiver, roleWeb).client(t, token)
	deliver(t, c, 1, allRequests(sets))
	env.open(t, func(ctx context.Context, a *app.App) {
		a.Platforms, a.Live = platforms(), silent{}
		p := app.NewProcessor(a, app.NewCounters(a.DB, a.Now, a.Log), 1)
		defer p.Close()
		list := kept(t, env)
		slices.Reverse(list) // lists go from the newest to the oldest
		for _, d := range list {
			ok(t, p.Process(ctx, []affiliate.DeliveryID{d.ID}))
		}
	})
	state := endState(t, env)
	if len(state) < 40 {
		t.Fatalf("%d orders in the end, want those of the recordings", len(state))
	}
	return state
}

func wantEndState(t testing.TB, env environment, want []string) {
	t.Helper()
	got := endState(t, env)
	if len(got) != len(want) {
		t.Fatalf("%d orders, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("in the end:\n%s\nwant, as processed one by one:\n%s", got[i], want[i])
		}
	}
}
