package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// PlannedCommissions lists the rules of an offer, and of its members, whose time comes after now, the next one first.
func (q queries) PlannedCommissions(ctx context.Context, offer affiliate.OfferID,
	now time.Time) ([]affiliate.CommissionRule, error) {
	var list []affiliate.CommissionRule
	err := q.List(ctx, &list, `SELECT `+commissionRuleColumns.of("")+` FROM commission_rules
		WHERE offer_id = ? AND from_at > ? ORDER BY from_at, id`, offer, At(now))
	return list, err
}
