package live

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/fair"
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
	readers := []*Reader{subscribe(t, one), subscribe(t, two), subscribe(t, two)}
	// A subscription takes a moment to stand; publish until all have heard.
	for i, r := range readers {
		deadline := time.After(10 * time.Second)
		for heard := false; !heard; {
			one.Publish([]affiliate.Change{{Order: 7}})
			select {
			case <-r.Ready():
				list, open := r.Take()
				if !open || len(list[0].Changes) != 1 || list[0].Changes[0].Order != 7 {
					t.Fatalf("reader %d heard %v", i, list)
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
	slow, quick := subscribe(t, h), subscribe(t, h)
	for range readerBacklog + 10 {
		h.deliver([]affiliate.Change{{Order: 1}})
		<-quick.Ready()
		if list, open := quick.Take(); len(list) != 1 || !open {
			t.Fatalf("the quick reader got %d, %v", len(list), open)
		}
	}
	<-slow.Ready()
	if list, open := slow.Take(); len(list) != readerBacklog || !open {
		t.Errorf("the slow reader got %d, want the %d that were waiting", len(list), readerBacklog)
	}
	<-slow.Ready()
	if list, open := slow.Take(); len(list) != 0 || open {
		t.Errorf("the slow reader is not gone: %d, %v", len(list), open)
	}
	slow.Close()
	quick.Close()
	quick.Close() // twice is no harm
	if n := h.Readers(); n != 0 {
		t.Errorf("%d readers are left", n)
	}
}

func subscribe(t *testing.T, h *Hub, words ...string) *Reader {
	t.Helper()
	r, why := h.Subscribe("somebody", words)
	if why != fair.Granted {
		t.Fatalf("a reader is refused: %v", why)
	}
	return r
}

// TestAttack_readers: one caller can have a few readers; others find theirs, until all places are taken.
func TestAttack_readers(t *testing.T) {
	h := NewHub(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), slog.New(slog.NewTextHandler(io.Discard, nil)))
	granted := map[fair.Refusal]int{}
	var all []*Reader
	take := func(caller string) {
		r, why := h.Subscribe(caller, nil)
		if granted[why]++; why == fair.Granted {
			all = append(all, r)
		}
	}
	for range 1500 {
		take("greedy")
	}
	if granted[fair.Granted] != MostReadersEach || granted[fair.TooMany] != 1500-MostReadersEach {
		t.Errorf("one caller who asks for 1,500 gets %v", granted)
	}
	for n := range 30 {
		for range MostReadersEach {
			take(strconv.Itoa(n))
		}
	}
	if granted[fair.Granted] != MostReaders || granted[fair.Full] != 31*MostReadersEach-MostReaders {
		t.Errorf("31 callers get %v, want %d in all", granted, MostReaders)
	}
	for _, r := range all {
		r.Close()
	}
	if h.Readers() != 0 {
		t.Errorf("%d readers are left", h.Readers())
	}
}

// TestWordsOfReader: a reader that shows other things is not even woken.
func TestWordsOfReader(t *testing.T) {
	h := NewHub(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), slog.New(slog.NewTextHandler(io.Discard, nil)))
	one, other := subscribe(t, h, "cmp_3", "ord_9"), subscribe(t, h, "cmp_4")
	h.deliver([]affiliate.Change{{Store: 1, Order: 2, Campaign: 3}})
	if list, _ := one.Take(); len(list) != 1 {
		t.Errorf("who shows the campaign hears of %d batches, want 1", len(list))
	}
	select {
	case <-other.Ready():
		t.Error("who shows another campaign is woken")
	default:
	}
}

// TestText: a batch is written once for all of its readers.
func TestText(t *testing.T) {
	b, times := newBatch([]affiliate.Change{{Order: 1}}), 0
	for range 3 {
		if got := b.Text(func([]affiliate.Change) string { times++; return "text" }); got != "text" {
			t.Errorf("got %q", got)
		}
	}
	if times != 1 {
		t.Errorf("written %d times", times)
	}
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
