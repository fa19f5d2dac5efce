package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Return is what a campaign has brought and what it has cost since it began. Amounts are minor units of Currency, the
// account's.
type Return struct {
	ReturnSums
	NotConverted []ReturnSums // what has no exchange rate, by currency: in none of the figures above
}

// ReturnSums are the parts of a return on costs in one currency.
type ReturnSums struct {
	Currency      money.Currency
	GMV           int64 // value of the accepted conversions
	ProductValues int64 // of the goods sent to members, rewards that are products or codes among them
	Payouts       int64 // paid to creators by way of the ledger
	Fees          int64 // recorded by people
	PaymentsDue   int64 // owed to creators who are due, as of now; no cost yet
}

// Payments are the payments issued.
func (r ReturnSums) Payments() int64 { return r.Payouts + r.Fees }

// Cost is what GMV is divided by.
func (r ReturnSums) Cost() int64 { return r.ProductValues + r.Payments() }

// ROI is the return on the costs in 1/10000; nil while there is no cost.
func (r Return) ROI() *int64 {
	if r.Cost() <= 0 { // a debt that was settled elsewhere may even leave less than nothing paid
		return nil
	}
	return affiliate.ROI(r.GMV, r.ProductValues, r.Payments())
}

// CampaignReturn adds up a campaign. What belongs to a member counts while they are one, or with former always: their
// sales, the goods they got and what was paid to them. Fees that were paid to nobody of the campaign always count.
// Product values are converted at the rate of the day on which the member joined, rewards at that of the day on which
// they were given, or else approved, fees and payouts at that of their payment. Rewards of cash are paid with the
// commissions.
func CampaignReturn(ctx context.Context, q Querier, id affiliate.CampaignID, former bool, s affiliate.Settings,
	now time.Time) (Return, error) {
	zone, err := affiliate.LoadZone(s.Timezone)
	if err != nil {
		return Return{}, err
	}
	scope := Scope{Campaigns: []affiliate.CampaignID{id}, Former: former}
	sums, err := Report{Scope: scope, Range: affiliate.Range{Zone: zone, Preset: affiliate.PeriodAllTime},
		Currency: s.Currency}.Sums(ctx, q)
	if err != nil {
		return Return{}, err
	}
	due, err := scope.PaymentsDue(ctx, q, s.Currency, s.MinimumPayout, now)
	if err != nil {
		return Return{}, err
	}
	spent, err := spendings(ctx, q, scope, id, s.Currency, zone)
	if err != nil {
		return Return{}, fmt.Errorf("add up the costs of %s: %w", id, err)
	}
	keys := make([]storage.RateKey, len(spent))
	for i, sp := range spent {
		keys[i] = storage.RateKey{From: sp.Currency, To: s.Currency, Day: sp.Day}
	}
	quotes, err := q.Quotes(ctx, keys)
	if err != nil {
		return Return{}, err
	}
	r := newReturn(s.Currency)
	r.in(s.Currency).GMV, r.in(s.Currency).PaymentsDue = sums.Sales, due.Amount
	for _, c := range sums.NotConverted {
		r.in(c.Currency).GMV = c.Sales
	}
	for _, d := range due.Other {
		r.in(d.Currency).PaymentsDue = d.Amount
	}
	for i, sp := range spent {
		amount, currency := sp.Amount, sp.Currency
		if quote, ok := quotes[keys[i]]; ok {
			amount, currency = quote.Rate.Convert(amount, sp.Currency, s.Currency), s.Currency
		}
		*sp.part(r.in(currency)) += amount
	}
	return r.result(), nil
}

// returns gathers sums by currency.
type returns struct {
	account    money.Currency
	byCurrency map[money.Currency]*ReturnSums
}

func newReturn(account money.Currency) returns {
	return returns{account, map[money.Currency]*ReturnSums{account: {Currency: account}}}
}

func (r returns) in(c money.Currency) *ReturnSums {
	if r.byCurrency[c] == nil {
		r.byCurrency[c] = &ReturnSums{Currency: c}
	}
	return r.byCurrency[c]
}

func (r returns) result() Return {
	done := Return{ReturnSums: *r.in(r.account)}
	for c, sums := range r.byCurrency {
		if c != r.account && *sums != (ReturnSums{Currency: c}) {
			done.NotConverted = append(done.NotConverted, *sums)
		}
	}
	slices.SortFunc(done.NotConverted, func(a, b ReturnSums) int {
		return strings.Compare(string(a.Currency), string(b.Currency))
	})
	return done
}

// spending is one cost of a campaign on a day.
type spending struct {
	part     func(*ReturnSums) *int64 // where it counts
	Amount   int64
	Currency money.Currency
	Day      string
	Joined   storage.Time // or when a reward was given
}

// spendings lists the costs of a campaign. Each is converted by itself, so that what people see of them adds up.
// Payouts in the account's currency need no rate and come as one sum.
func spendings(ctx context.Context, q Querier, s Scope, id affiliate.CampaignID, account money.Currency,
	zone *time.Location) ([]spending, error) {
	var members, rewards, costs, paid storage.Filter
	members.And("m.campaign_id = ? AND m.product_value <> 0", id)
	rewards.And("w.campaign_id = ? AND w.kind <> 'cash' AND w.amount <> 0 AND (w.given_at IS NOT NULL OR w.earned AND w.decision = 'approved')", id)
	costs.And("c.campaign_id = ? AND c.removed_at IS NULL", id)
	paid.And("b.campaign_id = ? AND b.paid <> 0", id)
	if !s.Former {
		const current = `IN (SELECT m.creator_id FROM campaign_members m JOIN creators cr ON cr.id = m.creator_id
			WHERE m.campaign_id = ? AND m.removed_at IS NULL AND cr.removed_at IS NULL)`
		members.And("m.creator_id "+current, id)
		rewards.And("w.creator_id "+current, id)
		costs.And("(c.creator_id IS NULL OR c.creator_id "+current+")", id)
		paid.And("b.creator_id "+current, id)
	}
	var all []spending
	for _, source := range []struct {
		part  func(*ReturnSums) *int64
		query string
		args  []any
	}{
		{func(r *ReturnSums) *int64 { return &r.ProductValues },
			`SELECT m.product_value AS amount, m.product_currency AS currency, '' AS day, m.created_at AS joined FROM campaign_members m` + members.Where(), members.Args},
		{func(r *ReturnSums) *int64 { return &r.ProductValues },
			`SELECT w.amount, w.currency, '' AS day, COALESCE(w.given_at, w.decided_at) AS joined FROM rewards w` + rewards.Where(), rewards.Args},
		{func(r *ReturnSums) *int64 { return &r.Fees },
			`SELECT c.amount, c.currency, c.day FROM campaign_costs c` + costs.Where(), costs.Args},
		{func(r *ReturnSums) *int64 { return &r.Payouts },
			`SELECT CAST(SUM(b.paid) AS BIGINT) AS amount, b.currency, '' AS day FROM balances b` + paid.Where() + ` AND b.currency = ? GROUP BY b.currency`,
			slices.Concat(paid.Args, []any{string(account)})},
		// In a currency that was the account's once. A payout that was canceled is converted back at the rate of its
		// issue.
		{func(r *ReturnSums) *int64 { return &r.Payouts },
			`SELECT CAST(-SUM(e.amount) AS BIGINT) AS amount, e.currency, MIN(e.day) AS day FROM ledger_entries e
			WHERE e.kind = ? AND e.campaign_id = ? AND e.currency <> ? AND e.creator_id IN (SELECT b.creator_id FROM balances b` + paid.Where() + ` AND b.currency <> ?)
			GROUP BY e.payout_id, e.currency`,
			slices.Concat([]any{string(affiliate.PaidOut), id, string(account)}, paid.Args, []any{string(account)})},
	} {
		var rows []spending
		if err := q.List(ctx, &rows, source.query, source.args...); err != nil {
			return nil, err
		}
		for _, r := range rows {
			r.part = source.part
			if !r.Joined.IsZero() {
				r.Day = affiliate.Day(r.Joined.Time, zone)
			}
			all = append(all, r)
		}
	}
	return all, nil
}
