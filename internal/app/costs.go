package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// AddCost records a fee that was paid for a campaign. Without a currency it is the account's, without a day it was
// today.
func (a *App) AddCost(ctx context.Context, c affiliate.Cost) (affiliate.Cost, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Cost, error) {
		settings, zone, err := tx.Account(ctx)
		if err != nil {
			return c, err
		}
		c.Note, c.Author, c.CreatedAt = strings.TrimSpace(c.Note), actor(ctx), a.now()
		if c.Currency == "" {
			c.Currency = settings.Currency
		}
		today := affiliate.Day(c.CreatedAt, zone)
		if c.Day == "" {
			c.Day = today
		}
		if err := c.Validate(); err != nil {
			return c, err
		}
		if c.Day > today {
			return c, affiliate.FieldErrorf("day", "must not be in the future; today is %s", today)
		}
		if err := memberOfCampaign(ctx, tx, c); err != nil {
			return c, err
		}
		if c, err = tx.CreateCost(ctx, c); err != nil {
			return c, err
		}
		return c, a.audit(ctx, tx, "cost.add", c.ID, nil, costFacts(c))
	})
}

// memberOfCampaign refuses a fee of a creator who never was in the campaign: it would be among nobody's figures.
func memberOfCampaign(ctx context.Context, tx *storage.Tx, c affiliate.Cost) error {
	if _, err := tx.Campaign(ctx, c.CampaignID); err != nil {
		return err
	}
	if c.CreatorID == 0 {
		return nil
	}
	_, err := tx.MemberOf(ctx, c.CampaignID, c.CreatorID)
	if affiliate.KindOf(err) == affiliate.NotFound {
		const text = "%s was never a member of %s; leave the creator out, or add them first"
		return affiliate.ForPeople(affiliate.FieldErrorf("creator", text, c.CreatorID, c.CampaignID),
			fmt.Sprintf(text, "the creator", "this campaign"))
	}
	return err
}

// RemoveCost takes a fee out of all figures; it stays in the list. Removing it again changes nothing.
func (a *App) RemoveCost(ctx context.Context, id affiliate.CostID) (affiliate.Cost, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Cost, error) {
		return amend(ctx, a, tx, amendment[affiliate.Cost, affiliate.CostID]{
			name: "cost", read: tx.Cost, facts: costFacts,
			version: func(affiliate.Cost) int { return AnyVersion },
			prepare: func(*storage.Tx, *affiliate.Cost) error { return nil },
			save: func(ctx context.Context, c affiliate.Cost) (affiliate.Cost, error) {
				return c, tx.SaveCost(ctx, c)
			},
		}, id, AnyVersion, "remove", func(c *affiliate.Cost) error {
			c.RemovedAt = firstTime(c.RemovedAt, a.now())
			return nil
		})
	})
}

func costFacts(c affiliate.Cost) facts {
	f := facts{"campaign": c.CampaignID.String(), "creator": nil, "amount": money.Format(c.Amount, c.Currency),
		"currency": c.Currency, "day": c.Day, "note": c.Note, "removed_at": auditTime(c.RemovedAt)}
	if c.CreatorID != 0 {
		f["creator"] = c.CreatorID.String()
	}
	return f
}
