package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

type costRow struct {
	ID         affiliate.CostID
	CampaignID affiliate.CampaignID `db:"campaign_id"`
	CreatorID  *affiliate.CreatorID `db:"creator_id"`
	Amount     int64
	Currency   money.Currency
	Day        string
	Note       string
	Author     string
	CreatedAt  Time `db:"created_at"`
	RemovedAt  Time `db:"removed_at"`
}

const costColumns = `id, campaign_id, creator_id, amount, currency, day, note, author, created_at, removed_at`

func (r costRow) domain() affiliate.Cost {
	return affiliate.Cost{ID: r.ID, CampaignID: r.CampaignID, CreatorID: value(r.CreatorID), Amount: r.Amount,
		Currency: r.Currency, Day: r.Day, Note: r.Note, Author: r.Author, CreatedAt: r.CreatedAt.Time,
		RemovedAt: r.RemovedAt.Time}
}

// Cost gives one fee; NotFound when there is none.
func (q queries) Cost(ctx context.Context, id affiliate.CostID) (affiliate.Cost, error) {
	return getOne[costRow](ctx, q, id, `SELECT `+costColumns+` FROM campaign_costs WHERE id = ?`, id)
}

// Costs lists the fees of a campaign by id, removed ones included.
func (q queries) Costs(ctx context.Context, campaign affiliate.CampaignID, p Page) ([]affiliate.Cost, string, error) {
	var f Filter
	f.And("campaign_id = ?", campaign)
	return listPage[costRow](ctx, q, `SELECT `+costColumns+` FROM campaign_costs`, f, byID, p)
}

// CreateCost writes a new fee.
func (tx *Tx) CreateCost(ctx context.Context, c affiliate.Cost) (affiliate.Cost, error) {
	err := tx.Get(ctx, &c.ID, `INSERT INTO campaign_costs (campaign_id, creator_id, amount, currency, day, note, author, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		c.CampaignID, null(c.CreatorID), c.Amount, c.Currency, c.Day, c.Note, c.Author, At(c.CreatedAt))
	return c, err
}

// SaveCost writes when a fee was removed; nothing else of it changes.
func (tx *Tx) SaveCost(ctx context.Context, c affiliate.Cost) error {
	_, err := tx.exec(ctx, `UPDATE campaign_costs SET removed_at = ? WHERE id = ?`, At(c.RemovedAt), c.ID)
	return err
}
