package affiliate_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestCampaign_Reopen(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	c := affiliate.Campaign{Status: affiliate.CampaignActive, StartsAt: now.AddDate(0, -1, 0),
		EndsAt: now.AddDate(0, 1, 0)}
	planned := c
	if c.Reopen(); c != planned {
		t.Errorf("reopening a campaign that runs made it %+v", c)
	}
	c.End(now)
	c.Reopen()
	if want := (affiliate.Campaign{Status: affiliate.CampaignActive, StartsAt: planned.StartsAt}); c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
}
