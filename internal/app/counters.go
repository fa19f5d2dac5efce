package app

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Counters keep in memory what happened at the stores' receivers and adds it to the database once a second, so that
// counting costs the intake nothing. At a crash up to a second of counts is lost; no delivery is.
type Counters struct {
	// Live is told of the stores whose counts were written, once a second at most; nil tells nobody. Set it before Run.
	Live Publisher

	db    *storage.DB
	lines Seldom

	log  *slog.Logger
	now  func() time.Time
	mu   sync.Mutex
	n    map[countKey]int64
	last map[countKey]time.Time // when each grew last
	seen map[affiliate.StoreID]storage.StoreActivity

	topics map[topicKey]storage.StoreTopicCount

	total map[string]int64 // by outcome, since the start; for the metrics
}

type countKey struct {
	store   affiliate.StoreID
	hour    time.Time // in which it happened, whenever it is written
	outcome string
}

type topicKey struct {
	store affiliate.StoreID
	topic string
}

// NewCounters makes counters; Run writes them.
func NewCounters(db *storage.DB, now func() time.Time, log *slog.Logger) *Counters {
	return &Counters{db: db, log: log, now: now, n: map[countKey]int64{}, last: map[countKey]time.Time{},
		seen: map[affiliate.StoreID]storage.StoreActivity{}, topics: map[topicKey]storage.StoreTopicCount{},
		total: map[string]int64{}}
}

// Count counts one outcome at a store.
func (c *Counters) Count(store affiliate.StoreID, outcome string) {
	c.mu.Lock()
	c.grow(store, outcome)
	c.total[outcome]++
	c.mu.Unlock()
}

// grow counts one outcome while the lock is held.
func (c *Counters) grow(store affiliate.StoreID, outcome string) {
	now := c.now().UTC()
	key := countKey{store, now.Truncate(time.Hour), outcome}
	c.n[key]++
	if now.After(c.last[key]) {
		c.last[key] = now
	}
}

// Received counts a kept delivery. Of topics only those are counted that a store must tell of, which are needed: others
// may be anything.
func (c *Counters) Received(store affiliate.StoreID, topic string, needed bool, at time.Time) {
	c.mu.Lock()
	if needed {
		key := topicKey{store, topic}
		t, seen := c.topics[key]
		if !seen {
			t = storage.StoreTopicCount{StoreID: store, Topic: topic, First: at}
		}
		t.Last = at
		t.N++
		c.topics[key] = t
	}
	c.grow(store, string(ReceiptKept))
	c.total[string(ReceiptKept)]++
	a := c.seen[store]
	a.StoreID, a.Delivery = store, at
	c.seen[store] = a
	c.mu.Unlock()
}

// OtherShop counts a delivery that was refused because it is of another shop.
func (c *Counters) OtherShop(store affiliate.StoreID, shop string) {
	c.mu.Lock()
	c.grow(store, string(ReceiptOtherShop))
	c.total[string(ReceiptOtherShop)]++
	a := c.seen[store]
	a.StoreID, a.OtherShop = store, shop
	c.seen[store] = a
	c.mu.Unlock()
}

// Processed notes that something of a store was processed.
func (c *Counters) Processed(store affiliate.StoreID, at time.Time) {
	c.mu.Lock()
	a := c.seen[store]
	a.StoreID, a.Processed = store, at
	c.seen[store] = a
	c.mu.Unlock()
}

// Touched notes that something else happened to a store's deliveries, so that open pages look again.
func (c *Counters) Touched(store affiliate.StoreID) {
	c.mu.Lock()
	a := c.seen[store]
	a.StoreID = store
	c.seen[store] = a
	c.mu.Unlock()
}

// Totals gives the counts since the start, by outcome.
func (c *Counters) Totals() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	totals := make(map[string]int64, len(c.total))
	for k, v := range c.total {
		totals[k] = v
	}
	return totals
}

// Run writes the counters every second until ctx ends, and then once more.
func (c *Counters) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.Flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			c.Flush(last)
			cancel()
			return
		}
	}
}

// flushLimit bounds a flush; what was not written then is written by the next one.
const flushLimit = 5 * time.Second

// Flush writes what was counted. What cannot be written is kept for the next time.
func (c *Counters) Flush(ctx context.Context) {
	ctx, cancel := c.db.Within(ctx, flushLimit)
	defer cancel()
	c.mu.Lock()
	n, last, seen, topics := c.n, c.last, c.seen, c.topics
	c.n, c.last, c.seen = map[countKey]int64{}, map[countKey]time.Time{}, map[affiliate.StoreID]storage.StoreActivity{}
	c.topics = map[topicKey]storage.StoreTopicCount{}
	c.mu.Unlock()
	if len(n) == 0 && len(seen) == 0 {
		return
	}
	counts := make([]storage.StoreCount, 0, len(n))
	for k, v := range n {
		counts = append(counts, storage.StoreCount{StoreID: k.store, Hour: storage.At(k.hour), Outcome: k.outcome,
			N: v, Last: storage.At(last[k])})
	}
	// One fixed order, so that two processes never wait for each other.
	slices.SortFunc(counts, func(a, b storage.StoreCount) int {
		return cmp.Or(cmp.Compare(a.StoreID, b.StoreID), a.Hour.Compare(b.Hour.Time),
			cmp.Compare(a.Outcome, b.Outcome))
	})
	activity := make([]storage.StoreActivity, 0, len(seen))
	for _, a := range seen {
		activity = append(activity, a)
	}
	slices.SortFunc(activity, func(a, b storage.StoreActivity) int { return cmp.Compare(a.StoreID, b.StoreID) })
	told := slices.SortedFunc(maps.Values(topics), func(a, b storage.StoreTopicCount) int {
		return cmp.Or(cmp.Compare(a.StoreID, b.StoreID), cmp.Compare(a.Topic, b.Topic))
	})
	err := c.db.InTx(storage.ForLittle(ctx), func(tx *storage.Tx) error {
		return tx.AddStoreCounts(ctx, storage.StoreTally{Counts: counts, Topics: told, Activity: activity,
			Now: c.now()})
	})
	if err == nil {
		c.publish(counts, activity)
		return
	}
	c.lines.Log(c.log, slog.LevelWarn, "", "store counters not written, kept for the next time", "error", err)
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, v := range n {
		c.n[k] += v
		if last[k].After(c.last[k]) {
			c.last[k] = last[k]
		}
	}
	for key, t := range topics {
		newer, also := c.topics[key]
		if !also {
			newer = t
		} else {
			newer.First = t.First
			newer.N += t.N
		}
		c.topics[key] = newer
	}
	for id, a := range seen {
		newer := c.seen[id]
		newer.StoreID = id
		if newer.Delivery.IsZero() {
			newer.Delivery = a.Delivery
		}
		if newer.Processed.IsZero() {
			newer.Processed = a.Processed
		}
		newer.OtherShop = cmp.Or(newer.OtherShop, a.OtherShop)
		c.seen[id] = newer
	}
}

// publish tells open pages which stores' deliveries have changed.
func (c *Counters) publish(counts []storage.StoreCount, activity []storage.StoreActivity) {
	if c.Live == nil {
		return
	}
	stores := make([]affiliate.StoreID, 0, len(counts)+len(activity))
	for _, n := range counts {
		stores = append(stores, n.StoreID)
	}
	for _, a := range activity {
		stores = append(stores, a.StoreID)
	}
	slices.Sort(stores)
	var changes []affiliate.Change
	for _, id := range slices.Compact(stores) {
		changes = append(changes, affiliate.Change{Store: id})
	}
	c.Live.Publish(changes)
}
