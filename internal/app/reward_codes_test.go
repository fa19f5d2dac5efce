package app_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestMakeRewardCodes: codes of rewards are made in the store, once each, also after an answer was lost, and are
// nobody's.
func TestMakeRewardCodes(t *testing.T) {
	twoFakeShops(t, 1, func(r *shopRig) {
		o := r.offer("Ten", "{{handle}}10")
		members := r.join(o, "Greta", "Hugo")
		rule, err := r.app.AddRewardRule(r.ctx, affiliate.RewardRule{OfferID: o.ID, Name: "Own shopping",
			Kind: affiliate.RewardCode, Trigger: affiliate.ByFirstConversion, Approval: affiliate.ApprovedByPerson,
			Discount: tenOff()})
		if err != nil {
			r.Fatal(err)
		}
		var ids []affiliate.RewardID
		err = r.db.InTx(r.ctx, func(tx *storage.Tx) error {
			var list []affiliate.Reward
			for _, id := range members {
				m, err := tx.OfferMember(r.ctx, id)
				if err != nil {
					return err
				}
				w := rule.Fresh(m, 1, r.clock.Now())
				w.Earn(affiliate.EarnedReward{Nth: 1, At: r.clock.Now(), Conversions: 1})
				w.Decision = affiliate.RewardApproved
				list = append(list, w)
			}
			list[1].Decision = affiliate.RewardWaiting
			err := tx.SaveRewards(r.ctx, list)
			for _, w := range list {
				ids = append(ids, w.ID)
			}
			return err
		})
		if err != nil {
			r.Fatal(err)
		}
		r.shop.LoseAnswers(2) // of the question, and of the making
		for range 5 {
			if _, err = r.app.MakeRewardCodes(r.ctx, ids[:1], r.store); err == nil {
				break
			}
		}
		results, err := r.app.MakeRewardCodes(r.ctx, ids, r.store)
		if err != nil || results[0].Outcome != app.MemberSame || results[1].Outcome != app.MemberFailed ||
			!strings.Contains(results[1].Why, "approve") {
			r.Fatalf("%+v %v", results, err)
		}
		w, err := r.db.Reward(r.ctx, ids[0])
		if err != nil || w.Code != r.app.RewardCode(ids[0]) || w.State() != affiliate.RewardGiven {
			r.Fatalf("%+v %v", w, err)
		}
		made := 0
		for _, c := range r.shop.Coupons() {
			if strings.HasPrefix(strings.ToUpper(c.Code), "GIFT-") {
				made++
				if c.Discount.UsageLimit != 1 || c.Discount.Percent != 1000 {
					r.Errorf("it gives %+v", c.Discount)
				}
			}
		}
		if made != 1 {
			r.Errorf("%d codes were made", made)
		}
		if codes, _, err := r.db.Codes(r.ctx, storage.CodeFilter{}, storage.Page{Limit: 100}); err != nil {
			r.Error(err)
		} else {
			for _, c := range codes {
				if c.Code == w.Code {
					r.Errorf("it is %s's", c.OfferMemberID)
				}
			}
		}
	})
}
