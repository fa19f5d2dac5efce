package app

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// RewardPreview is what a rule would give for the orders that there are.
type RewardPreview struct {
	Members int64 // who would have earned something
	Rewards int64
	Amount  int64 // of all rewards, in minor units of Currency
	// Currency is the rule's.
	Currency money.Currency
}

// PreviewRewardRule says what a rule would give by now, and changes nothing. Errors are those of AddRewardRule.
func (a *App) PreviewRewardRule(ctx context.Context, r affiliate.RewardRule) (p RewardPreview, err error) {
	err = a.DB.InSnapshot(ctx, func(s *storage.Snapshot) error {
		if r.Currency == "" {
			settings, err := s.SavedSettings(ctx)
			if err != nil {
				return err
			}
			r.Currency = settings.Currency
		}
		if err := r.Validate(); err != nil {
			return err
		}
		p.Currency = r.Currency
		members, err := s.SellingMembers(ctx, r.OfferID)
		if err != nil {
			return err
		}
		for _, m := range members {
			sales, err := s.RewardSales(ctx, m, []money.Currency{r.Currency})
			if err != nil {
				return err
			}
			if n := int64(len(r.Earned(sales[r.Currency]))); n > 0 {
				p.Members++
				p.Rewards += n
				p.Amount += n * r.Amount
			}
		}
		return nil
	})
	return p, err
}
