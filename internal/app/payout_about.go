package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// RunAsked says whom a run of all that is due is narrowed to, as somebody types it: ids, a currency, a moment or a day.
// What is empty narrows nothing; but a list of creators that is there and empty names nobody, and is refused.
type RunAsked struct {
	Offer, Campaign, Currency, Until string
	Creators, Exclude                []string
}

// Into writes what is asked for into a run; days are those of the zone. Errors: Invalid by field.
func (asked RunAsked) Into(run *NewPayoutRun, zone *time.Location) (err error) {
	f := &run.Filter
	if f.Offer, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", asked.Offer); err != nil {
		return err
	}
	if f.Campaign, err = affiliate.OptionalID[affiliate.CampaignID]("campaign", "cmp_", asked.Campaign); err != nil {
		return err
	}
	if f.Creators, err = affiliate.ParseIDs[affiliate.CreatorID]("creators", "cre_", asked.Creators); err != nil {
		return err
	}
	if asked.Creators != nil && len(f.Creators) == 0 {
		return errNobody()
	}
	if run.Exclude, err = affiliate.ParseIDs[affiliate.CreatorID]("exclude", "cre_", asked.Exclude); err != nil {
		return err
	}
	if asked.Currency != "" {
		if f.Currency, err = affiliate.ParseCurrency("currency", asked.Currency); err != nil {
			return err
		}
	}
	f.Until, err = affiliate.ParseMoment("until", asked.Until, zone, 1)
	return err
}

// errNobody is the error of a choice of creators that has nobody in it. Were it taken for no choice, all would be paid.
func errNobody() error {
	return affiliate.ForPeople(affiliate.FieldErrorf("creators", "names nobody; leave it out to pay all to whom "+
		"something is due"), "nobody is selected; tick some creators first")
}

// AboutRun says to people of whom a run is made: "all that is due", "Spring sale", "12 creators". NotFound of an offer
// or campaign that there is not.
func (a *App) AboutRun(ctx context.Context, in NewPayoutRun) (string, error) {
	n := len(in.Filter.Creators)
	if !in.All {
		n = len(in.Payouts)
	}
	of, kept := "", ""
	switch {
	case !in.All:
	case in.Filter.Offer != 0:
		offer, err := a.DB.Offer(ctx, in.Filter.Offer)
		if err != nil {
			return "", affiliate.AboutField("offer", err)
		}
		of = offer.Name
	case in.Filter.Campaign != 0:
		campaign, err := a.DB.Campaign(ctx, in.Filter.Campaign)
		if err != nil {
			return "", affiliate.AboutField("campaign", err)
		}
		of = campaign.Name
	}
	if in.All && in.Filter.Currency != "" {
		kept = " in " + in.Filter.Currency.Code()
	}
	who := fmt.Sprintf("%d creators", n)
	switch {
	case n == 1:
		who = "1 creator"
	case n == 0 && of != "":
		return of + kept, nil
	case n == 0:
		return "all that is due" + kept, nil
	}
	if of != "" {
		who += " of " + of
	}
	return who + kept, nil
}
