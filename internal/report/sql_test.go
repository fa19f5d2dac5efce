package report_test

import (
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/storage/storagetest/past"
)

// TestStatements keeps the text of what is put together of pieces where it can be read, and pasted into psql.
func TestStatements(t *testing.T) {
	storagetest.EachStatements(t, func(s *storagetest.Statements, db *storage.DB) {
		ctx := s.Context()
		p := smallPast(s.T, db)
		march, now := p.Days("2026-03-01", "2026-03-31"), p.At("2026-06-30 12:00")
		ever := affiliate.Range{Zone: p.Zone, Preset: affiliate.PeriodAllTime}
		spring := report.Scope{Campaigns: []affiliate.CampaignID{past.Spring}}
		for _, c := range []struct {
			name  string
			scope report.Scope
		}{
			{"home", report.Scope{Former: true}},
			{"a campaign", spring},
			{"a creator", report.Scope{Creator: past.Anna}},
			{"the community", report.Scope{}.OfCreators()},
			{"a creator in a campaign", report.Scope{Campaigns: spring.Campaigns, Creator: past.Anna}},
		} {
			r := p.report(c.scope, march)
			s.Of("sums of "+c.name, func() error {
				_, err := r.Sums(ctx, db)
				return err
			})
			s.Of("a chart of "+c.name, func() error {
				_, err := r.Chart(ctx, db, affiliate.ByDay, now)
				return err
			})
			drawn := p.report(c.scope, ever)
			drawn.Drawn = true
			s.Of("a chart of "+c.name+" since its first conversion", func() error {
				_, err := drawn.Chart(ctx, db, affiliate.ByMonth, now)
				return err
			})
			s.Of("members of "+c.name, func() error {
				_, err := c.scope.CountMembers(ctx, db)
				return err
			})
			s.Of("members of "+c.name+" with conversions", func() error {
				_, err := r.MembersWithConversions(ctx, db)
				return err
			})
			s.Of("payments due of "+c.name, func() error {
				_, err := c.scope.PaymentsDue(ctx, db, "EUR", 1000, now)
				return err
			})
		}
		for _, c := range []struct {
			name  string
			scope report.Scope
			days  affiliate.Range
			sort  report.Key
		}{
			{"by name", report.Scope{}, march, report.KeyName},
			{"by sales", report.Scope{}, march, report.KeySales},
			{"by sales ever", report.Scope{}, ever, report.KeySales},
			{"of a campaign by conversion rate", spring, march, report.KeyConversionRate},
		} {
			list := report.List{Report: p.report(c.scope, c.days), Sort: c.sort, Desc: true,
				Page: storage.Page{Limit: 1}}
			s.Of("campaigns "+c.name, func() error {
				_, err := list.CampaignRows(ctx, db)
				return err
			})
			s.Of("offers "+c.name, func() error {
				_, err := list.OfferRows(ctx, db)
				return err
			})
			s.Of("creators "+c.name, func() error {
				_, err := list.CreatorRows(ctx, db)
				return err
			})
			search := list
			search.Text = "anna"
			s.Of("creators with a text "+c.name, func() error {
				_, err := search.CreatorRows(ctx, db)
				return err
			})
			if len(c.scope.Campaigns) > 0 {
				s.Of("codes and links "+c.name, func() error {
					_, err := list.CodeRows(ctx, db)
					return err
				})
			}
		}
		s.Of("what came back of a campaign's costs", func() error {
			settings := affiliate.DefaultSettings()
			settings.Currency, settings.Timezone = "EUR", p.Zone.String()
			_, err := report.CampaignReturn(ctx, db, past.Spring, false, settings, now)
			return err
		})
		s.Of("totals of conversions that are narrowed", func() error {
			_, err := report.TotalConversions(ctx, db, storage.ConversionFilter{Search: "anna"})
			return err
		})
	})
}
