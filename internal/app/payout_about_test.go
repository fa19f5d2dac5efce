package app_test

import (
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestPayoutRun_nobody: a choice of creators that names nobody is refused; it never pays all. Without any choice all
// are paid.
func TestPayoutRun_nobody(t *testing.T) {
	eachTill(t, func(c *till) {
		c.earn(account(c.promoter("Anna")), 1000, 0)
		none := app.NewPayoutRun{All: true, Elsewhere: true, Filter: storage.DueFilter{
			Creators: []affiliate.CreatorID{}}}
		_, err := c.PreviewPayouts(c.ctx, none)
		c.want(err, affiliate.Invalid, "creators", "names nobody")
		_, err = c.SendPayouts(c.ctx, none)
		c.want(err, affiliate.Invalid, "creators", "names nobody")
		if list, _, err := c.DB.PayoutRuns(c.ctx, storage.Page{}); err != nil || len(list) != 0 {
			c.Fatalf("there are %d runs, %v", len(list), err)
		}
		p, err := c.PreviewPayouts(c.ctx, app.NewPayoutRun{All: true, Elsewhere: true})
		if must(c.desk, p, err); len(p.Pay) != 1 {
			c.Errorf("of all that is due %d are paid", len(p.Pay))
		}
	})
}

// TestPayoutRun_nobodyCanBePaid: a run that would pay nobody is refused with whom it would leave out, and why.
func TestPayoutRun_nobodyCanBePaid(t *testing.T) {
	eachTill(t, func(c *till) {
		_, err := c.SendPayouts(c.ctx, app.NewPayoutRun{All: true})
		c.want(err, affiliate.Conflict, "payouts", "nobody can be paid: nothing is due")
		c.earn(account(c.promoter("Anna")), 1000, 0)
		c.earn(account(c.promoter("Ben")), 500, 0)
		_, err = c.SendPayouts(c.ctx, app.NewPayoutRun{All: true})
		c.want(err, affiliate.Conflict, "payouts",
			"nobody can be paid: 2 creators (15.00 USD): nobody has entered where to pay them")
	})
}

// TestAboutRun: a run says of whom it is, by offer or campaign, creators and currency together.
func TestAboutRun(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		offer, err := c.DB.Offer(c.ctx, anna.OfferID)
		must(c.desk, offer, err)
		campaign, err := c.DB.Campaign(c.ctx, offer.CampaignID)
		must(c.desk, campaign, err)
		two := []affiliate.CreatorID{1, 2}
		for _, test := range []struct {
			in   app.NewPayoutRun
			want string
		}{
			{app.NewPayoutRun{All: true}, "all that is due"},
			{app.NewPayoutRun{All: true, Filter: storage.DueFilter{Currency: "EUR"}}, "all that is due in EUR"},
			{app.NewPayoutRun{All: true, Filter: storage.DueFilter{Offer: offer.ID}}, offer.Name},
			{app.NewPayoutRun{All: true, Filter: storage.DueFilter{Offer: offer.ID, Creators: two}},
				"2 creators of " + offer.Name},
			{app.NewPayoutRun{All: true, Filter: storage.DueFilter{Campaign: campaign.ID, Creators: two[:1],
				Currency: "EUR"}}, "1 creator of " + campaign.Name + " in EUR"},
			{app.NewPayoutRun{Payouts: make([]app.NewPayout, 3)}, "3 creators"},
		} {
			if got, err := c.AboutRun(c.ctx, test.in); got != test.want || err != nil {
				c.Errorf("%+v is of %q, want %q; %v", test.in, got, test.want, err)
			}
		}
		_, err = c.AboutRun(c.ctx, app.NewPayoutRun{All: true, Filter: storage.DueFilter{Offer: 99}})
		c.want(err, affiliate.Invalid, "offer", "there is no off_99")
	})
}
