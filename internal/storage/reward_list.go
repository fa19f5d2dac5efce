package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// selectRewards reads RewardItems.
var selectRewards = `SELECT ` + rewardColumns.of("w") + `, r.name AS creator, ` + bestHandle + ` AS handle, o.name AS offer,
	p.name AS campaign, u.name AS rule, u.product, COALESCE(c.order_id, 0) AS order_id, COALESCE(d.number, '') AS "order"` + rewardTables

// EachReward hands rewards to each one by one, the newest first. The item is used again for the next one.
func (q queries) EachReward(ctx context.Context, w RewardFilter, each func(*RewardItem) error) error {
	var item RewardItem
	f := w.conditions()
	return q.stream(ctx, selectRewards+f.Where()+rewardsNewestFirst.By(), f.Args, &item,
		func() error { return each(&item) })
}

// RewardCountsOf counts the rewards of some rules by state, kind and currency, by rule.
func (q queries) RewardCountsOf(ctx context.Context,
	rules []affiliate.RewardRuleID) (map[affiliate.RewardRuleID][]RewardCount, error) {
	counts := map[affiliate.RewardRuleID][]RewardCount{}
	if len(rules) == 0 {
		return counts, nil
	}
	var rows []struct {
		RuleID affiliate.RewardRuleID
		RewardCount
	}
	err := q.ListIn(ctx, &rows, `SELECT w.rule_id, `+rewardState()+` AS state, w.kind, w.currency, COUNT(*) AS n,
		CAST(SUM(w.amount) AS BIGINT) AS amount FROM rewards w WHERE w.rule_id IN (?) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`, rules)
	for _, row := range rows {
		counts[row.RuleID] = append(counts[row.RuleID], row.RewardCount)
	}
	return counts, err
}

// OpenRewards are those that wait for a person.
type OpenRewards struct {
	ToApprove int64
	ToGive    int64 // products and codes that are approved
}

// OpenRewards counts the rewards that wait for a person.
func (q queries) OpenRewards(ctx context.Context) (open OpenRewards, err error) {
	err = q.Get(ctx, &open, `SELECT (SELECT COUNT(*) FROM rewards w WHERE `+rewardStates[affiliate.RewardToApprove]+`) AS to_approve,
		(SELECT COUNT(*) FROM rewards w WHERE `+rewardStates[affiliate.RewardToGive]+`) AS to_give`)
	return open, err
}

// SellingMembers lists the members of an offer who have conversions.
func (q queries) SellingMembers(ctx context.Context,
	offer affiliate.OfferID) (members []affiliate.OfferMemberID, err error) {
	err = q.List(ctx, &members, `SELECT om.id FROM offer_members om WHERE om.offer_id = ?
		AND EXISTS (SELECT 1 FROM conversions c WHERE c.offer_member_id = om.id) ORDER BY om.id`, offer)
	return members, err
}
