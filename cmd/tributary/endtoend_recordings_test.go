package main

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/internal/recordings"
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
