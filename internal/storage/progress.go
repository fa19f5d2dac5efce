package storage

import (
	"context"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Progress is how far an account has come on its way to the first credited order.
type Progress struct {
	Stores     bool // one is connected
	Deliveries bool // a signed one came, or an order by another way
	Campaigns  bool
	Owned      bool // a creator has a code or a link
	Credited   bool // an order was credited
}

// Progress looks for the first of everything.
func (q queries) Progress(ctx context.Context) (p Progress, err error) {
	err = q.Get(ctx, &p, `SELECT EXISTS (SELECT 1 FROM stores WHERE state <> 'ended') AS stores,
		(EXISTS (SELECT 1 FROM deliveries) OR EXISTS (SELECT 1 FROM orders)) AS deliveries, EXISTS (SELECT 1 FROM campaigns) AS campaigns,
		(EXISTS (SELECT 1 FROM codes) OR EXISTS (SELECT 1 FROM links)) AS owned, EXISTS (SELECT 1 FROM conversions WHERE credited) AS credited`)
	return p, err
}

// OfferMemberChoice is an offer member as people choose one.
type OfferMemberChoice struct {
	ID     affiliate.OfferMemberID
	Name   string
	Handle string // on Instagram, or the first other network; empty without any
}

// OfferMemberChoices gives those who promote an offer now, by name.
func (q queries) OfferMemberChoices(ctx context.Context, offer affiliate.OfferID) ([]OfferMemberChoice, error) {
	var list []OfferMemberChoice
	err := q.List(ctx, &list, `SELECT x.id, r.name, `+bestHandle+` AS handle
		FROM offer_members x JOIN campaign_members m ON m.id = x.member_id JOIN creators r ON r.id = m.creator_id
		WHERE x.offer_id = ? AND x.inactive_since IS NULL AND m.removed_at IS NULL AND r.removed_at IS NULL ORDER BY x.id`, offer)
	slices.SortStableFunc(list, func(a, b OfferMemberChoice) int {
		return strings.Compare(affiliate.FoldName(a.Name), affiliate.FoldName(b.Name))
	})
	return list, err
}

// HoldsData says whether anything was put in, by people or by stores, that may be sealed or hashed with a key.
func (q queries) HoldsData(ctx context.Context) (holds bool, err error) {
	tables := []string{"stores", "users", "api_tokens", "creators", "campaigns", "links", "orders", "deliveries",
		"clicks", "audit_log", "sign_in_failures", "idempotency_keys"}
	err = q.Get(ctx, &holds, `SELECT EXISTS (SELECT 1 FROM `+strings.Join(tables, `) OR EXISTS (SELECT 1 FROM `)+`)`)
	return holds, err
}
