package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// OrderLine is an order as exports show it, with its credit. Amounts are minor units of Currency.
type OrderLine struct {
	ID            affiliate.OrderID
	StoreID       affiliate.StoreID
	ExternalID    string
	Number        string
	Status        affiliate.OrderStatus
	Currency      money.Currency
	Value         int64
	OriginalValue int64
	Total         int64
	Refunded      int64
	RefundPending int64
	Test          bool
	PlacedAt      time.Time
	UpdatedAt     time.Time
	Codes         string // JSON list
	NotCredited   string // the reason; empty when it is credited
	Parent        string // the store's id of the order that this one is a part of; empty when it is none
	Doubts        string // affiliate.Doubt words, by spaces

	// Of the conversion; zero without one.
	ConversionID affiliate.ConversionID
	CampaignID   affiliate.CampaignID
	CreatorID    affiliate.CreatorID
	OfferID      affiliate.OfferID
	Method       affiliate.Method
	Evidence     string // the code or slug
	Approval     affiliate.Approval
	Commission   int64
}

// EachOrder hands the orders to each one by one, sorted as ListOrders has them. The line is used again
// for the next one.
func (q queries) EachOrder(ctx context.Context, f OrderFilter, each func(*OrderLine) error) error {
	var l OrderLine
	conditions := f.conditions()
	return q.stream(ctx, `SELECT o.id, o.store_id, o.external_id, o.number, o.status, o.currency, o.value, o.original_value, o.total,
		o.refunded, o.refund_pending, o.test, o.placed_at, o.updated_at, o.codes, o.not_credited, o.doubts,
		CASE WHEN o.part THEN o.parent ELSE '' END AS parent, c.id AS conversion_id, c.campaign_id, c.creator_id, c.offer_id, c.method,
		c.evidence, c.approval, c.commission`+ordersFrom+conditions.Where()+f.Sort.keyset().By(), conditions.Args, &l,
		func() error { return each(&l) })
}

// CountOrders counts what EachOrder gives.
func (q queries) CountOrders(ctx context.Context, f OrderFilter) (n int64, err error) {
	conditions := f.conditions()
	return n, q.Get(ctx, &n, `SELECT COUNT(*)`+ordersFrom+conditions.Where(), conditions.Args...)
}
