package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// ConversionSum is what conversions show in one currency, whether they count or not: the account's for those that have
// been converted, the order's for the others. Amounts are in minor units.
type ConversionSum struct {
	Currency    money.Currency
	Conversions int64
	Value       int64
	Commission  int64
}

// SumConversions adds up what the conversions of a filter show, for each currency by itself, in the order of its code.
func (q queries) SumConversions(ctx context.Context, c ConversionFilter) (sums []ConversionSum, err error) {
	from, args, err := q.ConversionsFrom(ctx, c)
	if err != nil {
		return nil, err
	}
	err = q.List(ctx, &sums, `SELECT CASE WHEN c.account_value IS NULL THEN c.currency ELSE c.account_currency END AS currency,
		COUNT(*) AS conversions, CAST(SUM(COALESCE(c.account_value, c.value)) AS BIGINT) AS value,
		CAST(SUM(COALESCE(c.account_commission, c.commission)) AS BIGINT) AS commission`+from+` GROUP BY 1 ORDER BY 1`,
		args...)
	return sums, err
}

// ConversionIDs gives the ids of at most some conversions of a filter, in their order.
func (q queries) ConversionIDs(ctx context.Context, c ConversionFilter,
	most int) (ids []affiliate.ConversionID, err error) {
	from, args, err := q.ConversionsFrom(ctx, c)
	if err != nil {
		return nil, err
	}
	err = q.List(ctx, &ids, `SELECT c.id`+from+` ORDER BY c.id LIMIT ?`, append(args, most)...)
	return ids, err
}
