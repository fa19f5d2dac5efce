package app_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestPreviewRewardRule: a preview says what the rule gives once it is made, and changes nothing; what is open, what
// came of a rule, and the file of rewards say the same of what was earned.
func TestPreviewRewardRule(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.tradeOfAllKinds()
		ctx := r.Context()
		rule := affiliate.RewardRule{OfferID: r.assigned(0).OfferID, Name: "Each", Kind: affiliate.RewardProduct,
			Product: "A scarf", Trigger: affiliate.ByEveryConversions, Count: 1, Amount: 700,
			Approval: affiliate.ApprovedByPerson}
		would, err := r.app.PreviewRewardRule(ctx, rule)
		r.ok(err)
		if before := r.rewards(); before != "" || would.Rewards == 0 || would.Amount != 700*would.Rewards ||
			would.Currency != "USD" {
			t.Fatalf("the preview is %+v, and there are %q", would, before)
		}
		made := r.rewardRule(func(r *affiliate.RewardRule) { *r = rule })
		r.reckon()
		open, err := r.db.OpenRewards(ctx)
		if err != nil || open != (storage.OpenRewards{ToApprove: would.Rewards}) {
			t.Errorf("open are %+v, %v, want %d to approve", open, err, would.Rewards)
		}
		counts, err := r.db.RewardCountsOf(ctx, []affiliate.RewardRuleID{made.ID, made.ID + 1})
		r.ok(err)
		if got := counts[made.ID]; len(counts) != 1 || len(got) != 1 || got[0] != (storage.RewardCount{
			State: affiliate.RewardToApprove, Kind: affiliate.RewardProduct, Currency: "USD", N: would.Rewards,
			Amount: would.Amount}) {
			t.Errorf("came of the rule: %+v", counts)
		}
		list, _, err := r.db.Rewards(ctx, storage.RewardFilter{}, storage.Page{})
		r.ok(err)
		_, err = r.app.DecideRewards(r.owner(), []affiliate.RewardID{list[0].ID}, affiliate.RewardApproved, "")
		r.ok(err)
		if open, err = r.db.OpenRewards(ctx); err != nil || open.ToGive != 1 || open.ToApprove != would.Rewards-1 {
			t.Errorf("open are %+v, %v, want one to give", open, err)
		}
		var file bytes.Buffer
		done, err := r.app.ExportRewards(ctx, &file, storage.RewardFilter{}, app.ExportOptions{Format: export.CSV})
		if err != nil || done.Rows != would.Rewards || strings.Count(file.String(), "A scarf") != int(would.Rewards) {
			t.Errorf("%d rows, %v:\n%s", done.Rows, err, file.String())
		}
		called, err := r.db.CreatorsCalled(ctx, []affiliate.CreatorID{list[0].CreatorID, 999})
		if err != nil || len(called) != 1 || called[0].Name != list[0].Creator || called[0].Handle != list[0].Handle {
			t.Errorf("called %+v, %v", called, err)
		}
		rule.Count = 0
		if _, err := r.app.PreviewRewardRule(ctx, rule); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("a rule that is none gives %v", err)
		}
	})
}
