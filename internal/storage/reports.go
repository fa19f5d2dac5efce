package storage

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// What reports read besides their own statements.

// GetIn reads one row of a query with an IN (?) over slices.
func (q queries) GetIn(ctx context.Context, dest any, query string, args ...any) error {
	expanded, flat, err := sqlx.In(query, args...)
	if err != nil {
		return err
	}
	return q.Get(ctx, dest, expanded, flat...)
}

// CampaignsOf gives the campaigns of some ids.
func (q queries) CampaignsOf(ctx context.Context, ids []affiliate.CampaignID) ([]affiliate.Campaign, error) {
	return listOf[affiliate.Campaign](ctx, q, `SELECT `+campaignColumns.of("")+` FROM campaigns WHERE id IN (?)`, ids)
}

// CreatorsOf gives the creators of some ids with their handles.
func (q queries) CreatorsOf(ctx context.Context, ids []affiliate.CreatorID) ([]affiliate.Creator, error) {
	list, err := listOf[affiliate.Creator](ctx, q, `SELECT `+creatorColumns.of("")+` FROM creators WHERE id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	return list, q.addHandles(ctx, list)
}

// ConversionsFrom are the FROM and WHERE clauses of the conversions c of a filter, with the arguments.
func (q queries) ConversionsFrom(ctx context.Context, c ConversionFilter) (from string, args []any, err error) {
	f, orders, err := q.narrow(ctx, c)
	return conversionsWith("", orders) + f.Where(), f.Args, err
}
