package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// OfferCodeCounts counts the codes that belong to somebody at a time in some offers.
func (q queries) OfferCodeCounts(ctx context.Context, offers []affiliate.OfferID,
	now time.Time) (map[affiliate.OfferID]int64, error) {
	counts := make(map[affiliate.OfferID]int64, len(offers))
	if len(offers) == 0 {
		return counts, nil
	}
	var rows []struct {
		OfferID affiliate.OfferID
		N       int64
	}
	err := q.ListIn(ctx, &rows, `SELECT x.offer_id, COUNT(*) AS n FROM offer_members x JOIN codes k ON k.offer_member_id = x.id
		WHERE (k.valid_to IS NULL OR k.valid_to > ?) AND x.offer_id IN (?) GROUP BY x.offer_id`, At(now), offers)
	for _, r := range rows {
		counts[r.OfferID] = r.N
	}
	return counts, err
}

// CountOfferMembers counts the current members of an offer that a search finds.
func (q queries) CountOfferMembers(ctx context.Context, s OfferMemberSearch, now time.Time) (n int64, err error) {
	f := s.filter(now)
	err = q.Get(ctx, &n, `SELECT COUNT(*) FROM offer_members x JOIN campaign_members m ON m.id = x.member_id
		JOIN creators r ON r.id = m.creator_id`+f.Where(), f.Args...)
	return n, err
}

// CodeItemGroup counts items of a run that stand alike.
type CodeItemGroup struct {
	StoreID affiliate.StoreID
	State   affiliate.CodeItemState
	Trouble string // of those left out; of the others it is empty
	N       int64
}

// CodeItemGroups counts the items of a run by store and state, and those left out by why, most frequent first.
func (q queries) CodeItemGroups(ctx context.Context, run affiliate.CodeRunID) ([]CodeItemGroup, error) {
	list := []CodeItemGroup{}
	err := q.List(ctx, &list, `SELECT store_id, state, CASE WHEN state = 'skipped' THEN trouble ELSE '' END AS trouble, COUNT(*) AS n
		FROM code_items WHERE run_id = ? GROUP BY 1, 2, 3 ORDER BY n DESC, store_id, state, 3`, run)
	return list, err
}

// TypedWaiting counts the codes of a store that wait for somebody to do in its admin what they ask for.
type TypedWaiting struct {
	StoreID affiliate.StoreID
	N       int64
	RunID   affiliate.CodeRunID // the first run that has such codes
}

// TypedWaiting counts them in all stores that are not ended.
func (q queries) TypedWaiting(ctx context.Context) ([]TypedWaiting, error) {
	list := []TypedWaiting{}
	err := q.List(ctx, &list, `SELECT i.store_id, COUNT(*) AS n, MIN(i.run_id) AS run_id FROM code_items i JOIN code_runs c ON c.id = i.run_id
		WHERE i.state = 'by_hand' AND c.state IN ('running', 'done') AND i.store_id IN (SELECT id FROM stores WHERE state <> 'ended')
		GROUP BY i.store_id ORDER BY i.store_id`)
	return list, err
}
