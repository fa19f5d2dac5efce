package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

var (
	costTable   = tableOf[affiliate.Cost]("campaign_costs", "creator_id")
	costColumns = columnsOf[affiliate.Cost]()
)

// Cost gives one fee; NotFound when there is none.
func (q queries) Cost(ctx context.Context, id affiliate.CostID) (affiliate.Cost, error) {
	return getOne[affiliate.Cost](ctx, q, id, `SELECT `+costColumns.of("")+` FROM campaign_costs WHERE id = ?`, id)
}

// Costs lists the fees of a campaign by id, removed ones included.
func (q queries) Costs(ctx context.Context, campaign affiliate.CampaignID, p Page) ([]affiliate.Cost, string, error) {
	var f Filter
	f.And("campaign_id = ?", campaign)
	return paged[affiliate.Cost](ctx, q, `SELECT `+costColumns.of("")+` FROM campaign_costs`, f, byID, p)
}

// CreateCost writes a new fee.
func (tx *Tx) CreateCost(ctx context.Context, c affiliate.Cost) (affiliate.Cost, error) {
	err := costTable.create(ctx, tx, c, &c.ID)
	return c, err
}

// SaveCost writes when a fee was removed; nothing else of it changes.
func (tx *Tx) SaveCost(ctx context.Context, c affiliate.Cost) error {
	_, err := tx.exec(ctx, `UPDATE campaign_costs SET removed_at = ? WHERE id = ?`, At(c.RemovedAt), c.ID)
	return err
}
