package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// StoreHealth is what silence tells about a store.
type StoreHealth struct {
	NeverSeen []UnseenTopic
	Quiet     *affiliate.Quiet // nil before the first delivery, and within an hour after the last
	Notices   []storage.Notice // newest first
}

// UnseenTopic is a needed topic that a store has never sent.
type UnseenTopic struct {
	affiliate.Topic
	Missing bool // the webhook is likely not there: the topic comes with every order, and there were some
}

// enough are how many deliveries of other topics, over how long, say that one that comes with every order is missing.
const (
	enoughDeliveries = 5
	enoughTime       = time.Hour
)

// StoreHealth looks into stores: one, or all when only is 0. The stores are those that were read by that.
func (a *App) StoreHealth(ctx context.Context, list []affiliate.Store,
	only affiliate.StoreID) (map[affiliate.StoreID]StoreHealth, error) {
	topics, err := a.DB.StoreTopics(ctx, only)
	if err != nil {
		return nil, err
	}
	notices, err := a.DB.OpenNotices(ctx, only)
	if err != nil {
		return nil, err
	}
	all := make(map[affiliate.StoreID]StoreHealth, len(list))
	for _, s := range list {
		var h StoreHealth
		if s.State != affiliate.StoreStateEnded && !s.LastDeliveryAt.IsZero() {
			h.NeverSeen = neverSeen(a.Platforms.Guide(s.Platform), topics[s.ID], a.now())
			if h.Quiet, err = a.quiet(ctx, s); err != nil {
				return nil, err
			}
		}
		for _, n := range notices {
			if n.StoreID == s.ID {
				h.Notices = append(h.Notices, n)
			}
		}
		all[s.ID] = h
	}
	return all, nil
}

func neverSeen(g *affiliate.Guide, seen []storage.StoreTopicCount, now time.Time) (list []UnseenTopic) {
	total, since := int64(0), now
	for _, t := range seen {
		total += t.N
		if t.First.Before(since) {
			since = t.First
		}
	}
	for _, t := range g.Topics {
		if slices.ContainsFunc(seen, func(s storage.StoreTopicCount) bool { return s.Topic == t.Name }) {
			continue
		}
		missing := t.Occasion == "" && total >= enoughDeliveries && now.Sub(since) >= enoughTime
		list = append(list, UnseenTopic{t, missing})
	}
	return list
}

// rhythms remembers what was usual at stores before their last delivery. A store is read anew when it has sent
// something in another hour, so that many looks at a silent store cost nothing.
type rhythms struct {
	mu sync.Mutex
	m  map[affiliate.StoreID]knownRhythm
}

type knownRhythm struct {
	until time.Time
	affiliate.Rhythm
}

func (a *App) quiet(ctx context.Context, s affiliate.Store) (*affiliate.Quiet, error) {
	now := a.now()
	if now.Sub(s.LastDeliveryAt) < time.Hour {
		return nil, nil
	}
	until := s.LastDeliveryAt.UTC().Truncate(time.Hour).Add(time.Hour)
	a.rhythms.mu.Lock()
	known, ok := a.rhythms.m[s.ID]
	a.rhythms.mu.Unlock()
	if !ok || !known.until.Equal(until) {
		counts, err := a.DB.AcceptedHours(ctx, s.ID, until.Add(-affiliate.RhythmSpan), until)
		if err != nil {
			return nil, err
		}
		known = knownRhythm{until, affiliate.NewRhythm(counts, until)}
		a.rhythms.mu.Lock()
		if a.rhythms.m == nil {
			a.rhythms.m = map[affiliate.StoreID]knownRhythm{}
		}
		a.rhythms.m[s.ID] = known
		a.rhythms.mu.Unlock()
	}
	q := known.Quiet(s.LastDeliveryAt, now)
	return &q, nil
}

// NoticeText says a notice in words, with times of a zone. The guide is that of its store's platform; a notice about
// the server as a whole needs none.
func NoticeText(n storage.Notice, g *affiliate.Guide, zone *time.Location) string {
	from, to := n.From.In(zone), n.To.In(zone)
	layout, end := "2 Jan 2006, 15:04:05", "15:04:05 MST"
	if from.YearDay() != to.YearDay() || from.Year() != to.Year() {
		end = layout + " MST"
	}
	between := from.Format(layout) + " to " + to.Format(end)
	switch n.Kind {
	case storage.NoticeDied:
		return fmt.Sprintf("The server was down from %s, after it had ended without warning. %s: compare the store's "+
			"orders of this time.", between, g.Resending)
	case storage.NoticeStopped:
		return fmt.Sprintf("The server was stopped from %s. %s: if orders changed meanwhile, compare them.",
			between, g.Resending)
	}
	way := "forward"
	if to.Before(from) {
		way = "back"
	}
	text := fmt.Sprintf("The server's clock went %s by %s, from %s.", way, to.Sub(from).Abs().Round(time.Second),
		between)
	if way == "forward" {
		return text + " If the machine slept meanwhile, nothing was taken in: compare the stores' orders of this " +
			"time. Otherwise see that it keeps its time (NTP)."
	}
	return text + " Deliveries are still taken up in the order in which they came; see that the machine keeps its " +
		"time (NTP)."
}

// DismissNotices takes notices away once somebody has seen to them. Those that are not there, or not of the store, are
// passed over; the store 0 has those of the server as a whole. It says how many went.
func (a *App) DismissNotices(ctx context.Context, store affiliate.StoreID, ids []affiliate.NoticeID) (int, error) {
	gone := 0
	err := a.DB.InTx(ctx, func(tx *storage.Tx) error {
		list, err := tx.DismissNotices(ctx, store, ids, actor(ctx), a.now())
		if err != nil {
			return err
		}
		gone = len(list)
		for _, n := range list {
			var subject fmt.Stringer = n.StoreID
			if n.StoreID == 0 {
				subject = n.ID
			}
			if err := a.audit(ctx, tx, "store.notice.dismiss", subject, facts{"notice": string(n.Kind),
				"from": auditTime(n.From.Time), "to": auditTime(n.To.Time)}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && gone > 0 {
		a.touched([]affiliate.StoreID{store})
	}
	return gone, err
}
