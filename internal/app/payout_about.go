package app

import (
	"context"
	"fmt"
)

// AboutRun says to people of whom a run is made: "all that is due", "Spring sale", "12 creators". NotFound of an offer
// or campaign that there is not.
func (a *App) AboutRun(ctx context.Context, in NewPayoutRun) (string, error) {
	n := len(in.Filter.Creators)
	switch {
	case !in.All:
		n = len(in.Payouts)
	case in.Filter.Offer != 0:
		offer, err := a.DB.Offer(ctx, in.Filter.Offer)
		return offer.Name, err
	case in.Filter.Campaign != 0:
		campaign, err := a.DB.Campaign(ctx, in.Filter.Campaign)
		return campaign.Name, err
	case n == 0 && in.Filter.Currency != "":
		return "all that is due in " + in.Filter.Currency.Code(), nil
	case n == 0:
		return "all that is due", nil
	}
	if n == 1 {
		return "1 creator", nil
	}
	return fmt.Sprintf("%d creators", n), nil
}
