package storage

import (
	"context"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

var (
	commissionRuleTable   = tableOf[affiliate.CommissionRule]("commission_rules", "offer_member_id")
	commissionRuleColumns = columnsOf[affiliate.CommissionRule]()
)

// CommissionRule gives one rule; NotFound when there is none.
func (q queries) CommissionRule(ctx context.Context, id affiliate.CommissionRuleID) (affiliate.CommissionRule, error) {
	return getOne[affiliate.CommissionRule](ctx, q, id, `SELECT `+commissionRuleColumns.of("")+` FROM commission_rules WHERE id = ?`, id)
}

// CommissionRules lists the rules of an offer and its members, or those of one member alone, the newest first.
func (q queries) CommissionRules(ctx context.Context, offer affiliate.OfferID, member affiliate.OfferMemberID,
	p Page) ([]affiliate.CommissionRule, string, error) {
	var f Filter
	Is(&f, "offer_id", offer)
	Is(&f, "offer_member_id", member)
	return paged[affiliate.CommissionRule](ctx, q, `SELECT `+commissionRuleColumns.of("")+` FROM commission_rules`, f, newestRun, p)
}

// Commissions are the rules of some offers and of some of their members.
type Commissions struct {
	Offers  map[affiliate.OfferID]affiliate.CommissionRules
	Members map[affiliate.OfferMemberID]affiliate.CommissionRules
}

// give tells a member what they earn.
func (c Commissions) give(m *affiliate.Membership) {
	m.OfferRules, m.MemberRules = c.Offers[m.OfferID], c.Members[m.OfferMemberID]
	if m.OfferRules == nil {
		m.OfferRules = affiliate.CommissionRules{}
	}
}

// commissionsOf reads the rules of offers, and the own ones of members, in one query; both may be named more than once.
func (q queries) commissionsOf(ctx context.Context, offers []affiliate.OfferID,
	members []affiliate.OfferMemberID) (Commissions, error) {
	c := Commissions{map[affiliate.OfferID]affiliate.CommissionRules{},
		map[affiliate.OfferMemberID]affiliate.CommissionRules{}}
	if len(offers) == 0 {
		return c, nil
	}
	slices.Sort(offers)
	slices.Sort(members)
	list := []affiliate.CommissionRule{}
	err := q.ListIn(ctx, &list, `SELECT `+commissionRuleColumns.of("")+` FROM commission_rules WHERE offer_id IN (?) AND offer_member_id IS NULL
		UNION ALL SELECT `+commissionRuleColumns.of("")+` FROM commission_rules WHERE offer_member_id IN (?)`,
		slices.Compact(offers), append(slices.Compact(members), 0))
	for _, r := range list {
		if r.OfferMemberID == 0 {
			c.Offers[r.OfferID] = append(c.Offers[r.OfferID], r)
		} else {
			c.Members[r.OfferMemberID] = append(c.Members[r.OfferMemberID], r)
		}
	}
	return c, err
}

// OfferCommissions gives the rules of an offer, and the own ones of some of its members.
func (q queries) OfferCommissions(ctx context.Context, offer affiliate.OfferID,
	members ...affiliate.OfferMemberID) (Commissions, error) {
	return q.commissionsOf(ctx, []affiliate.OfferID{offer}, slices.Clone(members))
}

// AddCommissionRules writes new rules.
func (tx *Tx) AddCommissionRules(ctx context.Context, rules ...affiliate.CommissionRule) error {
	return commissionRuleTable.insert(ctx, tx, rules, "", nil, nil)
}

// DropCommissionRule takes a rule away.
func (tx *Tx) DropCommissionRule(ctx context.Context, id affiliate.CommissionRuleID) error {
	_, err := tx.exec(ctx, `DELETE FROM commission_rules WHERE id = ?`, id)
	return err
}

// CommissionsToTakeEffect gives offers, and members of offers, that do not show the rule that is in force at now, by
// id. Rules that were there from the beginning are shown since then.
func (q queries) CommissionsToTakeEffect(ctx context.Context, now time.Time, limit int) ([]affiliate.OfferID,
	[]affiliate.OfferMemberID, error) {
	offers, members := []affiliate.OfferID{}, []affiliate.OfferMemberID{}
	err := q.List(ctx, &offers, `SELECT r.offer_id FROM commission_rules r JOIN offers x ON x.id = r.offer_id AND x.rule_version <> r.version
		WHERE r.offer_member_id IS NULL AND r.from_at <= ? AND NOT EXISTS (SELECT 1 FROM commission_rules l
			WHERE l.offer_id = r.offer_id AND l.offer_member_id IS NULL AND `+inForceBefore+`) ORDER BY 1 LIMIT ?`, At(now), At(now), limit)
	if err != nil {
		return nil, nil, err
	}
	err = q.List(ctx, &members, `SELECT r.offer_member_id FROM commission_rules r
		JOIN offer_members x ON x.id = r.offer_member_id AND x.rule_version <> r.version
		WHERE r.from_at <= ? AND NOT EXISTS (SELECT 1 FROM commission_rules l WHERE l.offer_member_id = r.offer_member_id
			AND `+inForceBefore+`) ORDER BY 1 LIMIT ?`, At(now), At(now), limit)
	return offers, members, err
}

// inForceBefore is the condition that a rule l has taken the place of a rule r.
const inForceBefore = `l.from_at <= ? AND (l.from_at > r.from_at OR l.from_at = r.from_at AND l.id > r.id)`
