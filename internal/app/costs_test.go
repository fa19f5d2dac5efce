package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func TestCosts(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna := d.promoter("Anna")
		stranger, err := d.AddCreator(d.ctx, affiliate.Creator{Name: "Stranger"})
		must(d, stranger, err)
		_, err = d.SetSettings(d.ctx, []app.Setting{{Key: "timezone", Value: "Europe/Berlin"}})
		must(d, 0, err)
		d.pass(11*time.Hour + 30*time.Minute) // 2026-11-21 23:30 UTC is 22 November in Berlin
		cost, err := d.AddCost(d.ctx, affiliate.Cost{CampaignID: anna.CampaignID, Amount: 25000,
			Note: " a photographer "})
		must(d, cost, err)
		want := affiliate.Cost{ID: cost.ID, CampaignID: anna.CampaignID, Amount: 25000, Currency: "USD",
			Day: "2026-11-22", Note: "a photographer", Author: "the test", CreatedAt: d.now()}
		if cost != want || cost.ID == 0 {
			d.Errorf("got %+v, want %+v", cost, want)
		}
		full := affiliate.Cost{CampaignID: anna.CampaignID, CreatorID: anna.CreatorID, Amount: 700, Currency: "JPY",
			Day: "2026-01-31", Note: "fixed fee"}
		full, err = d.AddCost(d.ctx, full)
		must(d, full, err)
		for _, c := range []affiliate.Cost{cost, full} {
			if read, err := d.DB.Cost(d.ctx, c.ID); err != nil || read != c {
				d.Errorf("read %+v, %v, want %+v", read, err, c)
			}
		}
		for _, c := range []struct {
			field string
			kind  affiliate.ErrorKind
			cost  affiliate.Cost
			words string
		}{
			{"amount", affiliate.Invalid, affiliate.Cost{CampaignID: anna.CampaignID, Note: "x"}, "more than 0"},
			{"note", affiliate.Invalid, affiliate.Cost{CampaignID: anna.CampaignID, Amount: 1}, "empty"},
			{"day", affiliate.Invalid, affiliate.Cost{CampaignID: anna.CampaignID, Amount: 1, Note: "x",
				Day: "2026-11-23"}, "today is 2026-11-22"},
			{"creator", affiliate.Invalid, affiliate.Cost{CampaignID: anna.CampaignID, CreatorID: stranger.ID,
				Amount: 1, Note: "x"}, "never a member"},
			{"creator", affiliate.Invalid, affiliate.Cost{CampaignID: anna.CampaignID, CreatorID: 99, Amount: 1,
				Note: "x"}, "never a member"},
			{"", affiliate.NotFound, affiliate.Cost{CampaignID: 99, Amount: 1, Note: "x"}, "cmp_99"},
		} {
			_, err := d.AddCost(d.ctx, c.cost)
			d.want(err, c.kind, c.field, c.words)
		}

		d.pass(time.Hour)
		removed, err := d.RemoveCost(d.ctx, cost.ID)
		if must(d, removed, err); !removed.RemovedAt.Equal(d.now()) {
			d.Errorf("removed at %s", removed.RemovedAt)
		}
		d.pass(time.Hour)
		if again, err := d.RemoveCost(d.ctx, cost.ID); err != nil || again != removed {
			d.Errorf("removed again: %+v, %v, want %+v", again, err, removed)
		}
		_, err = d.RemoveCost(d.ctx, 99)
		d.want(err, affiliate.NotFound, "", "cst_99")
		if list, _, err := d.DB.Costs(d.ctx, anna.CampaignID, storage.Page{}); err != nil ||
			fmt.Sprint(list) != fmt.Sprint([]affiliate.Cost{removed, full}) {
			d.Errorf("list: %+v, %v", list, err)
		}
		if list, _, err := d.DB.Costs(d.ctx, 99, storage.Page{}); err != nil || len(list) != 0 {
			d.Errorf("list of another campaign: %+v, %v", list, err)
		}
		added, gone := d.audited(cost.ID.String(), "cost.add"), d.audited(cost.ID.String(), "cost.remove")
		if len(added) != 1 || len(gone) != 1 || !strings.Contains(added[0].After, `"amount":"250.00"`) || added[0].Actor != "the test" {
			d.Errorf("audit log: %+v, %+v", added, gone)
		}
	})
}

// returnOf writes a campaign's return in one line per currency.
func (r *rig) returnOf(id affiliate.CampaignID, former bool) string {
	r.Helper()
	settings, err := r.db.Settings(r.Context())
	r.ok(err)
	got, err := report.CampaignReturn(r.Context(), r.db, id, former, settings, r.app.Now())
	r.ok(err)
	roi := "—"
	if got.ROI() != nil {
		roi = fmt.Sprint(*got.ROI())
	}
	lines := []string{roi}
	for _, s := range append([]report.ReturnSums{got.ReturnSums}, got.NotConverted...) {
		lines = append(lines, fmt.Sprintf("%s: GMV %d, products %d, payouts %d, fees %d, cost %d, due %d", s.Currency,
			s.GMV, s.ProductValues, s.Payouts, s.Fees, s.Cost(), s.PaymentsDue))
	}
	return strings.Join(lines, "\n")
}

func (r *rig) wantReturn(what string, id affiliate.CampaignID, former bool, want ...string) {
	r.Helper()
	if got := r.returnOf(id, former); got != strings.Join(want, "\n") {
		r.Errorf("%s: got\n%s\nwant\n%s", what, got, strings.Join(want, "\n"))
	}
}

func TestCampaignReturn(t *testing.T) {
	eachRig(t, func(r *rig) {
		ctx := r.owner()
		members, _, err := r.db.Members(ctx, storage.MemberFilter{}, storage.Page{})
		r.ok(err)
		anna, ben := members[0], members[1]
		spring := anna.CampaignID
		joined := affiliate.Day(anna.CreatedAt, time.UTC)
		r.app.Now = func() time.Time { return anna.CreatedAt }
		// One pound is 1.20 USD on the orders' day, and 1.25 USD on the day on which Anna joined. Nobody knows the won.
		r.rates("2023-11-14", map[money.Currency]string{"USD": "1.08", "GBP": "0.90"})
		r.rates(joined, map[money.Currency]string{"USD": "1.10", "GBP": "0.88"})
		in := func(currency money.Currency, change func(*affiliate.Snapshot)) func(*affiliate.Snapshot) {
			return func(s *affiliate.Snapshot) {
				s.Currency = currency
				if change != nil {
					change(s)
				}
			}
		}
		r.applyAll(withCodes("1", "anna10", nil), withCodes("2", "ben5", nil), withCodes("3", "anna10", in("GBP", nil)),
			withCodes("4", "anna10", in("KRW", func(s *affiliate.Snapshot) {
				s.Merchandise = 5000
			})), withCodes("5", "anna10", nil),
			withCodes("6", "anna10", func(s *affiliate.Snapshot) {
				s.Status, s.PaymentDate, s.Captured = affiliate.StorePending, false, 0
			}))
		r.ok(r.decide(app.Reject, "5"))
		r.wantReturn("without a cost", spring, false, "—",
			"USD: GMV 32000, products 0, payouts 0, fees 0, cost 0, due 2700",
			"KRW: GMV 5000, products 0, payouts 0, fees 0, cost 0, due 0")

		product := func(m affiliate.CampaignMember, value int64, currency money.Currency) {
			r.Helper()
			_, err := r.app.ChangeMember(ctx, m.ID, app.AnyVersion, func(m *affiliate.CampaignMember) error {
				m.ProductValue, m.ProductCurrency = value, currency
				return nil
			})
			r.ok(err)
		}
		product(anna, 3990, "GBP") // 49.875 USD
		product(ben, 2000, "USD")
		fee := func(amount int64, currency money.Currency, day string, creator affiliate.CreatorID) affiliate.CostID {
			r.Helper()
			c, err := r.app.AddCost(ctx, affiliate.Cost{CampaignID: spring, CreatorID: creator, Amount: amount,
				Currency: currency, Day: day, Note: "a fee"})
			r.ok(err)
			return c.ID
		}
		fee(10000, "GBP", "2023-11-14", 0) // 120.00 USD
		fee(3000, "USD", "2023-11-14", ben.CreatorID)
		fee(1000, "KRW", joined, anna.CreatorID)
		_, err = r.app.RemoveCost(ctx, fee(99900, "USD", joined, 0))
		r.ok(err)
		payout, err := r.app.IssuePayout(ctx, app.NewPayout{Creator: anna.CreatorID}) // 10.00 + 12.00
		r.ok(err)
		// 320.00 ÷ (49.88 + 20.00 + 22.00 + 120.00 + 30.00 = 241.88) = 1.32297
		all := []string{"13230", "USD: GMV 32000, products 6988, payouts 2200, fees 15000, cost 24188, due 500",
			"KRW: GMV 5000, products 0, payouts 0, fees 1000, cost 1000, due 0"}
		r.wantReturn("everybody is a member", spring, false, all...)
		r.wantReturn("with former ones, of whom there is none", spring, true, all...)

		// 220.00 ÷ (49.88 + 22.00 + 120.00 = 191.88) = 1.14655
		withoutBen := []string{"11465", "USD: GMV 22000, products 4988, payouts 2200, fees 12000, cost 19188, due 0",
			"KRW: GMV 5000, products 0, payouts 0, fees 1000, cost 1000, due 0"}
		_, err = r.app.RemoveMember(ctx, ben.ID)
		r.ok(err)
		r.wantReturn("Ben has left the campaign", spring, false, withoutBen...)
		r.wantReturn("with former members", spring, true, all...)
		_, err = r.app.RestoreMember(ctx, ben.ID)
		r.ok(err)
		_, err = r.app.RemoveCreator(ctx, ben.CreatorID)
		r.ok(err)
		r.wantReturn("Ben has left the community", spring, false, withoutBen...)
		_, err = r.app.RemoveCreator(ctx, anna.CreatorID)
		r.ok(err)
		// Only the fee to nobody stays: 0.00 ÷ 120.00.
		r.wantReturn("all have left", spring, false, "0",
			"USD: GMV 0, products 0, payouts 0, fees 12000, cost 12000, due 0")
		r.wantReturn("all have left, and are counted", spring, true, all...)

		other, err := r.app.AddCampaign(ctx, affiliate.Campaign{Name: "Summer"})
		r.ok(err)
		r.wantReturn("another campaign", other.ID, true, "—",
			"USD: GMV 0, products 0, payouts 0, fees 0, cost 0, due 0")

		// The account goes over to euros: 22.00 USD were paid at 1.10. At 1.08 the sales are 296.296… EUR, of which
		// each order is rounded: 92.59 + 92.59 + 111.11. Products: 39.90 GBP at 0.88 are 45.34, 20.00 USD at 1.10 are
		// 18.18. Fees: 100 GBP at 0.90 are 111.11, 30 USD at 1.08 are 27.78.
		// 296.29 ÷ (63.52 + 20.00 + 138.89 = 222.41) = 1.33218
		r.ok(r.set("currency", "EUR"))
		r.ok(r.app.Recalculate(ctx))
		r.wantReturn("in euros", spring, true, "13322",
			"EUR: GMV 29629, products 6352, payouts 2000, fees 13889, cost 22241, due 0",
			"KRW: GMV 5000, products 0, payouts 0, fees 1000, cost 1000, due 0",
			"USD: GMV 0, products 0, payouts 0, fees 0, cost 0, due 500")
		// A payout that is canceled leaves nothing, whatever the rate is by then; another one stays.
		r.ok(r.db.InTx(ctx, func(tx *storage.Tx) error {
			return tx.AddLedger(ctx, []affiliate.LedgerEntry{{CreatorID: anna.CreatorID, CampaignID: spring,
				Kind: affiliate.Bonus, Currency: "USD", Amount: 1100, Cause: "test", CreatedAt: r.app.Now(),
				PayableAt: r.app.Now()}})
		}))
		_, err = r.app.IssuePayout(ctx, app.NewPayout{Creator: anna.CreatorID, Currency: "USD"}) // 10.00 EUR
		r.ok(err)
		r.rates(affiliate.Day(anna.CreatedAt.AddDate(0, 0, 40), time.UTC), map[money.Currency]string{"USD": "2.00"})
		r.app.Now = func() time.Time { return anna.CreatedAt.AddDate(0, 0, 40) }
		_, err = r.app.CancelPayout(ctx, payout.ID, "it came back")
		r.ok(err)
		if got := strings.Split(r.returnOf(spring, true), "\n")[1]; !strings.Contains(got, "payouts 1000,") {
			r.Errorf("after the payout was canceled: %s", got)
		}
		storagetest.Consistent(t, r.db)
	})
}

// TestCampaignReturn_debt: a debt of this campaign that was settled with the money of another leaves less than nothing
// paid. There is no return on that.
func TestCampaignReturn_debt(t *testing.T) {
	eachTill(t, func(c *till) {
		spring := c.promoter("Anna")
		campaign, err := c.AddCampaign(c.ctx, affiliate.Campaign{Name: "Summer"})
		must(c.desk, campaign, err)
		member, err := c.AddMember(c.ctx, affiliate.CampaignMember{CampaignID: campaign.ID,
			CreatorID: spring.CreatorID})
		must(c.desk, member, err)
		offer, err := c.AddOffer(c.ctx, affiliate.Offer{CampaignID: campaign.ID, Name: "Ten",
			Type: affiliate.OfferPromoCode})
		must(c.desk, offer, err)
		summer, err := c.AddOfferMember(c.ctx, affiliate.OfferMember{OfferID: offer.ID, MemberID: member.ID})
		must(c.desk, summer, err)
		c.earn(account(spring), -2000, 0)
		c.earn(account(summer), 10000, 0)
		c.pay(spring.CreatorID)
		settings, err := c.DB.Settings(c.ctx)
		must(c.desk, settings, err)
		for id, want := range map[affiliate.CampaignID]int64{spring.CampaignID: -2000, summer.CampaignID: 10000} {
			got, err := report.CampaignReturn(c.ctx, c.DB, id, false, settings, c.now())
			if must(c.desk, got, err); got.Payouts != want || (got.ROI() == nil) != (want < 0) {
				c.Errorf("%s: paid %d, return %v, want %d", id, got.Payouts, got.ROI(), want)
			}
		}
	})
}

// productValues is what the goods sent for a campaign cost.
func (r *rig) productValues(id affiliate.CampaignID) int64 {
	r.Helper()
	settings, err := r.db.Settings(r.Context())
	r.ok(err)
	got, err := report.CampaignReturn(r.Context(), r.db, id, false, settings, r.app.Now())
	r.ok(err)
	return got.ProductValues
}
