package storage

import (
	"context"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// StoreCounts is how a store's deliveries fare.
type StoreCounts struct {
	Waiting       int64
	OldestWaiting time.Time // received; zero when none waits
	Failed        int64
	SetAside      int64
	Counts        []OutcomeCount // since the given time, by outcome
	OtherShop     string         // the shop that a delivery named which was refused because it is not the store's
}

// OutcomeCount is how often one thing happened at a store's receiver.
type OutcomeCount struct {
	Outcome string
	N       int64
	Last    time.Time // the hour in which it happened last
	LastAt  time.Time // when in that hour; zero where that is not known
}

// Count gives how often one outcome was counted, and the hour of the last time.
func (s StoreCounts) Count(outcome string) (n int64, last time.Time) {
	c := s.outcome(outcome)
	return c.N, c.Last
}

// EndOf is when an outcome was over: when it was counted last, or the end of that hour where only the hour is known.
func (s StoreCounts) EndOf(outcome string) time.Time {
	c := s.outcome(outcome)
	if c.LastAt.Before(c.Last) {
		return c.Last.Add(time.Hour)
	}
	return c.LastAt
}

func (s StoreCounts) outcome(name string) OutcomeCount {
	for _, c := range s.Counts {
		if c.Outcome == name {
			return c
		}
	}
	return OutcomeCount{}
}

// Rejected is how many deliveries were turned away.
func (s StoreCounts) Rejected() (n int64) {
	for _, c := range s.Counts {
		if slices.Contains(rejectedOutcomes, c.Outcome) {
			n += c.N
		}
	}
	return n
}

// StoreCounts gives the counts of stores: of one, or of all when it is 0. A store that is not in it has none.
// Outcomes are counted in the hours that began at since or later.
func (q queries) StoreCounts(ctx context.Context, store affiliate.StoreID,
	since time.Time) (map[affiliate.StoreID]StoreCounts, error) {
	all := map[affiliate.StoreID]StoreCounts{}
	var open []struct {
		StoreID affiliate.StoreID `db:"store_id"`
		State   DeliveryState
		N       int64
		Oldest  Time
	}
	var shops []struct {
		ID        affiliate.StoreID
		OtherShop string `db:"other_shop"`
	}
	g := Filter{}
	g.And("other_shop <> ''")
	Is(&g, "id", store)
	if err := q.List(ctx, &shops, `SELECT id, other_shop FROM stores`+g.Where(), g.Args...); err != nil {
		return nil, err
	}
	for _, s := range shops {
		all[s.ID] = StoreCounts{OtherShop: s.OtherShop}
	}
	var f Filter
	Is(&f, "store_id", store)
	of := func(state DeliveryState) string { // spelled out: the indexes of open deliveries are partial
		g := f
		g.And("state = '" + string(state) + "'")
		if state == DeliverySetAside {
			g.And("id IN (SELECT delivery_id FROM set_asides)")
		}
		return `SELECT store_id, '` + string(state) + `' AS state, COUNT(*) AS n, MIN(received_at) AS oldest FROM deliveries` + g.Where() + ` GROUP BY store_id`
	}
	args := slices.Concat(f.Args, f.Args, f.Args)
	if err := q.List(ctx, &open, of(DeliveryWaiting)+` UNION ALL `+of(DeliveryFailed)+` UNION ALL `+of(DeliverySetAside), args...); err != nil {
		return nil, err
	}
	for _, r := range open {
		s := all[r.StoreID]
		switch r.State {
		case DeliveryWaiting:
			s.Waiting, s.OldestWaiting = r.N, r.Oldest.Time
		case DeliveryFailed:
			s.Failed = r.N
		case DeliverySetAside:
			s.SetAside = r.N
		}
		all[r.StoreID] = s
	}
	var counts []struct {
		StoreID affiliate.StoreID `db:"store_id"`
		Outcome string
		N       int64
		Last    Time
		LastAt  Time `db:"last_at"`
	}
	f.And("hour >= ?", At(since))
	if err := q.List(ctx, &counts, `SELECT store_id, outcome, CAST(SUM(n) AS BIGINT) AS n, MAX(hour) AS last, MAX(last_at) AS last_at FROM store_counts`+f.Where()+
		` GROUP BY store_id, outcome ORDER BY store_id, outcome`, f.Args...); err != nil {
		return nil, err
	}
	for _, r := range counts {
		s := all[r.StoreID]
		s.Counts = append(s.Counts, OutcomeCount{r.Outcome, r.N, r.Last.Time, r.LastAt.Time})
		all[r.StoreID] = s
	}
	return all, nil
}
