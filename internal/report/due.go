package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// PaymentsDue is what creators are to be paid, as of now. A creator is due when what may be paid to them over all their
// accounts is positive and reaches the minimum.
type PaymentsDue struct {
	DueSum
	Other []DueSum // in other currencies, from before the account's was changed; without a minimum
}

// DueSum is what is due in one currency.
type DueSum struct {
	Currency money.Currency
	Amount   int64 // over the creators who are due: what the scope owes them, 0 where they owe
	Creators int64
	Members  int64 // offer members of theirs to whom the scope owes something
}

// PaymentsDue gives what is due in a scope. minimum is the account's, in minor units of its currency.
func (s Scope) PaymentsDue(ctx context.Context, q Querier, account money.Currency, minimum int64,
	now time.Time) (PaymentsDue, error) {
	query, args := s.dueQuery(now)
	due := PaymentsDue{DueSum: DueSum{Currency: account}}
	var rows []DueSum
	err := q.ListIn(ctx, &rows, `SELECT d.currency, CAST(SUM(CASE WHEN d.inside > 0 THEN d.inside ELSE 0 END) AS BIGINT) AS amount,
		COUNT(*) FILTER (WHERE d.inside > 0) AS creators, CAST(SUM(d.members) AS BIGINT) AS members FROM (`+query+`) d
		WHERE d.payable > 0 AND (d.currency <> ? OR d.payable >= ?) GROUP BY d.currency ORDER BY d.currency`,
		append(args, string(account), minimum)...)
	if err != nil {
		return due, fmt.Errorf("sum up the payments due: %w", err)
	}
	for _, r := range rows {
		switch {
		case r.Currency == account:
			due.DueSum = r
		case r.Amount != 0:
			due.Other = append(due.Other, r)
		}
	}
	return due, nil
}

// dueQuery gives per creator and currency what is payable over all accounts, what of it is inside the scope, and to how
// many of the scope's offer members something is payable.
func (s Scope) dueQuery(now time.Time) (string, []any) {
	var creators []affiliate.CreatorID
	if s.Creator != 0 {
		creators = []affiliate.CreatorID{s.Creator}
	}
	payable, payableArgs := storage.PayableAccounts(now, time.Time{}, creators)
	inside, insideArgs := s.accounts()
	var f storage.Filter
	f.And("(b.balance <> 0 OR b.payable <> 0)")
	if s.narrow() {
		f.And("b.creator_id IN (SELECT b.creator_id FROM balances b WHERE "+inside+")", insideArgs...)
	}
	return `SELECT a.creator_id, a.currency, SUM(a.payable) AS payable, COALESCE(SUM(a.payable) FILTER (WHERE a.inside), 0) AS inside,
		COUNT(*) FILTER (WHERE a.inside AND a.payable > 0 AND a.offer_member_id <> 0) AS members FROM (
			SELECT b.creator_id, b.offer_member_id, b.currency, b.payable, ` + inside + ` AS inside FROM (` + payable + `) b` + f.Where() + `) a
		GROUP BY a.creator_id, a.currency`, slices.Concat(insideArgs, payableArgs, f.Args)
}

// accounts is the condition that the account of balances b belongs to the scope. What a creator earned outside of
// offers belongs to its campaign, and what they earned outside of campaigns to nobody's but theirs and the community's.
func (s Scope) accounts() (string, []any) {
	if s.Everybody() {
		return "TRUE", nil
	}
	if len(s.Offers) > 0 || s.OfferStatus != "" || s.OfferType != "" {
		members, args := s.members("om.id")
		return "b.offer_member_id IN (" + members + ")", args
	}
	var of, f storage.Filter
	if s.Creator != 0 {
		f.And("b.creator_id = ?", s.Creator)
	}
	if len(s.Campaigns) > 0 {
		f.And("b.campaign_id IN (?)", s.Campaigns)
		of.And("m.campaign_id IN (?)", s.Campaigns)
	}
	switch {
	case s.Former:
	case s.LeftCampaigns:
		f.And("b.creator_id IN (SELECT cr.id FROM creators cr WHERE cr.removed_at IS NULL)")
	default:
		s.current(&of)
		in := "(b.campaign_id, b.creator_id) IN (SELECT m.campaign_id, m.creator_id FROM campaign_members m JOIN creators cr ON cr.id = m.creator_id" + of.Where() + ")"
		if len(s.Campaigns) == 0 {
			in = "(" + in + " OR b.campaign_id = 0 AND b.creator_id IN (SELECT cr.id FROM creators cr WHERE cr.removed_at IS NULL))"
		}
		f.And(in, of.Args...)
	}
	return f.All(), f.Args
}
