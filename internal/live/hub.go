// Package live tells open pages what changed: changes are published over Redis, so that every server process hears
// them, and fanned out to the pages of this process. Publishing never blocks. A reader that falls behind is dropped,
// never waited for; it reconnects and fetches what it shows.
package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/fair"
)

// backlog is how many messages may wait to be published. readerBacklog is how many may wait for one reader: more, for
// readers rest between two looks.
const (
	backlog       = 256
	readerBacklog = 1024
)

// MostReaders is how many may read at once in this process, and MostReadersEach how many of them one person or token:
// a person has a few dozen open pages at most. Each costs something with every batch.
const (
	MostReaders     = 1000
	MostReadersEach = 50
)

// channelOf names the channel. Redis channels know no database numbers, so two installations that share a Redis by
// number would hear each other without this.
func channelOf(client redis.UniversalClient) string {
	if c, ok := client.(*redis.Client); ok {
		return "tributary:changes:" + strconv.Itoa(c.Options().DB)
	}
	return "tributary:changes:0"
}

// Hub publishes and fans out changes. It implements app.Publisher.
type Hub struct {
	client  redis.UniversalClient
	channel string
	log     *slog.Logger
	out     chan []affiliate.Change

	mu      sync.Mutex
	readers map[*Reader]struct{}
	heard   time.Time // when the newest changes came
	places  *fair.Places
}

// Batch is what was told at once. All readers of a process share it.
type Batch struct {
	Changes []affiliate.Change
	words   func() map[string]bool
	once    sync.Once
	text    string
}

func newBatch(changes []affiliate.Change) *Batch {
	return &Batch{Changes: changes, words: sync.OnceValue(func() map[string]bool {
		words := map[string]bool{}
		for _, c := range changes {
			if c.Figures {
				words[Figures] = true
				continue
			}
			if c.Account {
				words["account"] = true
				continue
			}
			if c.Rewards {
				words["rewards"] = true
				continue
			}
			words[c.Store.String()] = true
			if c.Order == 0 {
				words["deliveries"] = true
				continue
			}
			words["orders"], words[c.Order.String()] = true, true
			if c.Campaign != 0 {
				words[c.Campaign.String()] = true
			}
		}
		return words
	})}
}

// Text gives the changes as text. All readers must write them in one way: it is done once for all of them.
func (b *Batch) Text(write func([]affiliate.Change) string) string {
	b.once.Do(func() { b.text = write(b.Changes) })
	return b.text
}

// Figures is the word for all figures: it concerns every reader.
const Figures = "figures"

// Words are what the changes are about: "orders", "deliveries", "account" for its settings, "rewards", Figures, and the
// ids of stores, orders and campaigns. They are found once for all readers.
func (b *Batch) Words() map[string]bool { return b.words() }

// Reader receives changes until it is gone: then it fell behind or the hub ended.
type Reader struct {
	hub    *Hub
	caller string
	words  []string // nil: all changes concern it
	ready  chan struct{}

	// Guarded by the hub's mutex.
	waiting []*Batch
	gone    bool
}

// NewHub makes a hub; Run moves the messages.
func NewHub(client redis.UniversalClient, log *slog.Logger) *Hub {
	return &Hub{client: client, channel: channelOf(client), log: log, out: make(chan []affiliate.Change, backlog),
		readers: map[*Reader]struct{}{}, places: fair.NewPlaces(MostReaders, MostReadersEach)}
}

// Publish tells all processes. When Redis cannot keep up or is away, changes are dropped: pages refetch.
func (h *Hub) Publish(changes []affiliate.Change) {
	select {
	case h.out <- changes:
	default:
	}
}

// Subscribe adds a reader on behalf of a caller, unless it is refused. It hears of batches with one of the words in
// them, or of all when words is nil. Close it.
func (h *Hub) Subscribe(caller string, words []string) (*Reader, fair.Refusal) {
	if why := h.places.Take(caller); why != fair.Granted {
		return nil, why
	}
	r := &Reader{hub: h, caller: caller, words: words, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	h.readers[r] = struct{}{}
	h.mu.Unlock()
	return r, fair.Granted
}

// Readers says how many read.
func (h *Hub) Readers() int { return h.places.Taken() }

// Ready is readable when there is something to take. A reader that does not look costs nearly nothing meanwhile.
func (r *Reader) Ready() <-chan struct{} { return r.ready }

// Take gives what has come since the last look, the oldest first; false when the reader is gone and nothing is left.
func (r *Reader) Take() ([]*Batch, bool) {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	list := r.waiting
	r.waiting = nil
	if r.gone {
		r.nudge()
	}
	return list, len(list) > 0 || !r.gone
}

// nudge makes Ready readable.
func (r *Reader) nudge() {
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

// concerns says whether a reader is to hear of a batch.
func (r *Reader) concerns(b *Batch) bool {
	if r.words == nil {
		return true
	}
	words := b.Words()
	if words[Figures] {
		return true
	}
	for _, w := range r.words {
		if words[w] {
			return true
		}
	}
	return false
}

// HeardSince says whether changes have come since a moment. A reader that shows what was so then, and asks after it has
// subscribed, knows by this whether it missed some.
func (h *Hub) HeardSince(t time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.heard.Before(t) && !h.heard.IsZero()
}

// Close removes the reader. Closing it again changes nothing.
func (r *Reader) Close() {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	r.hub.drop(r)
}

// drop lets a reader go. What waits for it can still be taken.
func (h *Hub) drop(r *Reader) {
	if _, ok := h.readers[r]; ok {
		delete(h.readers, r)
		h.places.Give(r.caller)
		r.gone = true
		r.nudge()
	}
}

func (h *Hub) deliver(changes []affiliate.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = time.Now()
	batch := newBatch(changes)
	for r := range h.readers {
		if !r.concerns(batch) {
			continue
		}
		if len(r.waiting) >= readerBacklog {
			h.drop(r)
			continue
		}
		r.waiting = append(r.waiting, batch)
		r.nudge()
	}
}

// Run publishes and listens until ctx ends.
func (h *Hub) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { h.publish(ctx) })
	work.Go(func() { h.listen(ctx) })
	work.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for r := range h.readers {
		h.drop(r)
	}
}

func (h *Hub) publish(ctx context.Context) {
	for {
		select {
		case changes := <-h.out:
			text, err := json.Marshal(changes)
			if err == nil {
				sending, cancel := context.WithTimeout(ctx, 2*time.Second)
				err = h.client.Publish(sending, h.channel, text).Err()
				cancel()
			}
			if err != nil && ctx.Err() == nil {
				h.log.Debug("changes not published", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// listen subscribes; the client reconnects by itself.
func (h *Hub) listen(ctx context.Context) {
	for ctx.Err() == nil {
		sub := h.client.Subscribe(ctx, h.channel)
		messages := sub.Channel(redis.WithChannelSize(backlog))
		for open := true; open; {
			select {
			case m, ok := <-messages:
				if open = ok; !ok {
					break
				}
				var changes []affiliate.Change
				if json.Unmarshal([]byte(m.Payload), &changes) == nil {
					h.deliver(changes)
				}
			case <-ctx.Done():
				open = false
			}
		}
		sub.Close()
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}
