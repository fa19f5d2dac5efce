package live

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func runHub(t *testing.T, address string) *Hub {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address, DisableIdentity: true})
	h := NewHub(client, slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		h.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		client.Close()
	})
	return h
}

func TestEveryProcessHearsEveryChange_race(t *testing.T) {
	server := miniredis.RunT(t)
	one, two := runHub(t, server.Addr()), runHub(t, server.Addr())
	readers := []*Reader{one.Subscribe(), two.Subscribe(), two.Subscribe()}
	// A subscription takes a moment to stand; publish until all have heard.
	for i, r := range readers {
		deadline := time.After(10 * time.Second)
		for heard := false; !heard; {
			one.Publish([]affiliate.Change{{Order: 7}})
			select {
			case batch := <-r.C:
				if len(batch.Changes) != 1 || batch.Changes[0].Order != 7 {
					t.Fatalf("reader %d heard %v", i, batch.Changes)
				}
				heard = true
			case <-time.After(20 * time.Millisecond):
			case <-deadline:
				t.Fatalf("reader %d heard nothing", i)
			}
		}
	}
}

func TestSlowReaderIsDroppedAndNobodyWaits_race(t *testing.T) {
	h := NewHub(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), slog.New(slog.NewTextHandler(io.Discard, nil)))
	slow, quick := h.Subscribe(), h.Subscribe()
	for range backlog + 10 {
		h.deliver([]affiliate.Change{{Order: 1}})
		<-quick.C
	}
	n := 0
	for range slow.C { // ends: the channel was closed
		n++
	}
	if n != backlog {
		t.Errorf("the slow reader got %d, want the %d that were waiting", n, backlog)
	}
	slow.Close()
	quick.Close()
	quick.Close() // twice is no harm
}

func TestWords(t *testing.T) {
	words := newBatch([]affiliate.Change{{Store: 1, Order: 2, Campaign: 3}, {Store: 1, Order: 5}, {Store: 4}}).Words()
	if got, want := slices.Sorted(maps.Keys(words)), []string{"cmp_3", "deliveries", "ord_2", "ord_5", "orders",
		"str_1", "str_4"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHeardSince_race(t *testing.T) {
	h := NewHub(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if h.HeardSince(time.Time{}) {
		t.Error("something is heard before anything was told")
	}
	before := time.Now()
	h.deliver([]affiliate.Change{{Order: 1}})
	if !h.HeardSince(before) || h.HeardSince(time.Now().Add(time.Second)) {
		t.Error("what was heard is not since before, or is later than now")
	}
}

func TestPublishNeverBlocksWithoutRedis_race(t *testing.T) {
	h := NewHub(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), slog.New(slog.NewTextHandler(io.Discard, nil)))
	done := make(chan struct{})
	go func() {
		for range backlog * 3 {
			h.Publish([]affiliate.Change{{Order: 1}})
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("publishing waits for Redis")
	}
}
