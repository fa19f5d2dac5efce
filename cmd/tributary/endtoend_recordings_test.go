package main

import (
	"context"
	"fmt"
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

func TestRecordings(t *testing.T) {
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		token := env.setUp(t, sets)
		c := env.start(t).client(t, token)
		deliver(t, c, 1, allRequests(sets))
		waitProcessed(t, c)
		checkOrders(t, c, sets)
		checkLedger(t, env)
	})
}

func TestRecordings_shuffled(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{2, 3, 4} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { recordingsShuffled(t, seed) })
	}
}

// One of them is enough for the race detector.
func TestRecordings_race(t *testing.T) {
	t.Parallel()
	recordingsShuffled(t, 1)
}

func recordingsShuffled(t *testing.T, seed uint64) {
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		token := env.setUp(t, sets)
		c := env.start(t).client(t, token)
		deliver(t, c, 8, recordings.Shuffled(allRequests(sets), seed))
		waitProcessed(t, c)
		checkOrders(t, c, sets)
		checkLedger(t, env)
	})
}

// TestRecordings_processedInAnyOrder: deliveries come in in their order and are processed in any other, by several
// workers at once, and again after that.
func TestRecordings_processedInAnyOrder_race(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		token := env.setUp(t, sets)
		c := env.start(t, roleReceiver, roleWeb).client(t, token)
		deliver(t, c, 1, allRequests(sets))
		random := rand.New(rand.NewPCG(5, 5))
		env.open(t, func(ctx context.Context, a *app.App) {
			a.Platforms, a.Live = platforms(), deaf{}
			process := func() {
				ids, err := a.DB.DueDeliveries(ctx, time.Now().Add(time.Hour), time.Now().Add(time.Hour), 10_000)
				ok(t, err)
				random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
				p := app.NewProcessor(a, app.NewCounters(a.DB, time.Now, a.Log), 3)
				defer p.Close()
				var submitted sync.WaitGroup
				for part := range slices.Chunk(ids, 7) {
					submitted.Go(func() { ok(t, p.Submit(ctx, part)) })
				}
				submitted.Wait()
			}
			process()
			checkOrders(t, c, sets)
			_, err := a.Replay(ctx, storage.ReplayFilter{Since: time.Now().Add(-time.Hour)})
			ok(t, err)
			process()
			checkOrders(t, c, sets)
		})
		checkLedger(t, env)
	})
}

// deaf has nobody to tell what changed.
type deaf struct{}

func (deaf) Publish([]affiliate.Change) {}
