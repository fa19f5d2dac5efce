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
)

// backlog is how many messages may wait to be published, and for one page to be read.
const backlog = 256

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
}

// Batch is what was told at once. All readers of a process share it.
type Batch struct {
	Changes []affiliate.Change
	words   func() map[string]bool
}

func newBatch(changes []affiliate.Change) *Batch {
	return &Batch{changes, sync.OnceValue(func() map[string]bool {
		words := map[string]bool{}
		for _, c := range changes {
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

// Words are what the changes are about: "orders", "deliveries", and the ids of stores, orders and campaigns. They are
// found once for all readers.
func (b *Batch) Words() map[string]bool { return b.words() }

// Reader receives changes until its channel is closed: then it fell behind or the hub ended.
type Reader struct {
	C   <-chan *Batch
	c   chan *Batch
	hub *Hub
}

// NewHub makes a hub; Run moves the messages.
func NewHub(client redis.UniversalClient, log *slog.Logger) *Hub {
	return &Hub{client: client, channel: channelOf(client), log: log, out: make(chan []affiliate.Change, backlog),
		readers: map[*Reader]struct{}{}}
}

// Publish tells all processes. When Redis cannot keep up or is away, changes are dropped: pages refetch.
func (h *Hub) Publish(changes []affiliate.Change) {
	select {
	case h.out <- changes:
	default:
	}
}

// Subscribe adds a reader. Close it.
func (h *Hub) Subscribe() *Reader {
	c := make(chan *Batch, backlog)
	r := &Reader{C: c, c: c, hub: h}
	h.mu.Lock()
	h.readers[r] = struct{}{}
	h.mu.Unlock()
	return r
}

// HeardSince says whether changes have come since a moment. A reader that shows what was so then, and asks after it has
// subscribed, knows by this whether it missed some.
func (h *Hub) HeardSince(t time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.heard.Before(t) && !h.heard.IsZero()
}

// Close removes the reader.
func (r *Reader) Close() { r.hub.drop(r) }

func (h *Hub) drop(r *Reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.readers[r]; ok {
		delete(h.readers, r)
		close(r.c)
	}
}

func (h *Hub) deliver(changes []affiliate.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = time.Now()
	batch := newBatch(changes)
	for r := range h.readers {
		select {
		case r.c <- batch:
		default:
			delete(h.readers, r)
			close(r.c)
		}
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
		delete(h.readers, r)
		close(r.c)
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
