package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// rewardRule makes a rule of the first offer, Anna's: 50.00 USD for every two conversions, unless change says
// otherwise.
func (r *rig) rewardRule(change func(*affiliate.RewardRule)) affiliate.RewardRule {
	r.Helper()
	rule := affiliate.RewardRule{OfferID: r.assigned(0).OfferID, Name: "Two more", Kind: affiliate.RewardCash,
		Trigger: affiliate.ByEveryConversions, Count: 2, Amount: 5000}
	if change != nil {
		change(&rule)
	}
	made, err := r.app.AddRewardRule(r.owner(), rule)
	r.ok(err)
	return made
}

// assigned is the n-th offer member of the rig: 0 is Anna, 1 Ben.
func (r *rig) assigned(n int) affiliate.OfferMember {
	r.Helper()
	members, _, err := r.db.OfferMembers(r.Context(), storage.OfferMemberFilter{}, storage.Page{})
	r.ok(err)
	return members[n]
}

func (r *rig) reckon() int {
	r.Helper()
	n, err := r.app.ReckonRewards(r.Context())
	r.ok(err)
	return n
}

// rewards tells all rewards, the oldest first: "1 given 5000 USD by 2, ledger 5000 in 1".
func (r *rig) rewards() string {
	r.Helper()
	list, _, err := r.db.Rewards(r.Context(), storage.RewardFilter{}, storage.Page{})
	r.ok(err)
	slices.Reverse(list)
	var words []string
	for _, w := range list {
		entries := r.rewardEntries(w.ID)
		sum := int64(0)
		for _, e := range entries {
			sum += e.Amount
		}
		by := ""
		if w.Order != "" {
			by = " by " + w.Order
		}
		words = append(words, fmt.Sprintf("%d %s %d %s%s, ledger %d in %d", w.Nth, w.State(), w.Amount, w.Currency, by,
			sum, len(entries)))
	}
	return strings.Join(words, "; ")
}

func (r *rig) rewardEntries(id affiliate.RewardID) (entries []storage.LedgerLine) {
	r.Helper()
	f := storage.LedgerFilter{Kind: affiliate.Bonus}
	r.ok(r.db.EachLedgerEntry(r.Context(), f, func(l *storage.LedgerLine) error {
		if l.RewardID == id {
			entries = append(entries, *l)
		}
		return nil
	}))
	return entries
}

func (r *rig) wantRewards(what, want string) {
	r.Helper()
	if got := r.rewards(); got != want {
		r.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestRewards_follow_the_conversions(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.ok(r.set("hold_days", "10"))
		now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		r.app.Now = func() time.Time { return now }
		r.applyAll(orderBody("1", 1, nil), orderBody("2", 1, nil))
		if n := r.reckon(); n != 0 {
			r.Errorf("%d members are reckoned of an offer without rules", n)
		}
		rule := r.rewardRule(nil)
		if rule.Currency != "USD" || rule.Approval != affiliate.ApprovedByRule || rule.Author != "Mia" {
			r.Errorf("the rule is %+v", rule)
		}
		if n := r.reckon(); n != 1 {
			r.Errorf("%d members are reckoned of a new rule", n)
		}
		r.wantRewards("earned before", "1 given 5000 USD by #2, ledger 5000 in 1")
		first, err := r.db.Reward(r.Context(), 1)
		r.ok(err)
		e := r.rewardEntries(1)[0]
		if e.Cause != "rwd_1:1" || e.Note != "Two more" || e.Title() != "Reward" || e.Author != "" ||
			!e.PayableAt.Equal(now.AddDate(0, 0, 10)) || e.OfferMemberID != r.assigned(0).ID ||
			first.DecidedAt.IsZero() {
			r.Errorf("the entry is %+v of %+v", e, first)
		}

		now = now.Add(time.Hour)
		r.ok(r.decide(app.Reject, "1"))
		if n := r.reckon(); n != 1 {
			r.Errorf("%d members are reckoned after a rejection", n)
		}
		r.wantRewards("taken back", "1 undone 5000 USD, ledger 0 in 2")
		if e := r.rewardEntries(1)[1]; e.Title() != "Reward taken back" || e.Cause != "rwd_1:2" || e.Amount != -5000 ||
			!e.PayableAt.Equal(r.rewardEntries(1)[0].PayableAt) {
			r.Errorf("what takes it back is %+v", e)
		}
		if n := r.reckon(); n != 0 {
			r.Errorf("%d members are reckoned although nothing changed", n)
		}
		now = now.AddDate(0, 1, 0)
		r.apply(orderBody("3", 1, nil))
		r.reckon()
		r.wantRewards("earned again by another order", "1 given 5000 USD by #3, ledger 5000 in 3")
		if e := r.rewardEntries(1)[2]; !e.PayableAt.Equal(now) {
			r.Errorf("a hold of its own: %+v", e)
		}
		r.ok(r.decide(app.Undo, "1"))
		r.apply(orderBody("4", 1, nil))
		r.reckon()
		r.wantRewards("four", "1 given 5000 USD by #2, ledger 5000 in 3; 2 given 5000 USD by #4, ledger 5000 in 1")
		// A delivery that changes nothing that counts has nobody reckoned.
		r.apply(orderBody("4", 2, nil))
		if n := r.reckon(); n != 0 {
			r.Errorf("%d members are reckoned although nothing that counts has changed", n)
		}
		r.apply(orderBody("4", 3, func(s *affiliate.Snapshot) { s.Status = affiliate.StoreCanceled }))
		r.apply(orderBody("2", 3, func(s *affiliate.Snapshot) { s.Codes = []string{"ben5"} }))
		r.reckon()
		r.wantRewards("canceled, and another's",
			"1 given 5000 USD by #3, ledger 5000 in 3; 2 undone 5000 USD, ledger 0 in 2")

		// What was paid out is carried by the balance.
		now = now.AddDate(0, 0, 20)
		_, err = r.app.IssuePayout(r.owner(), app.NewPayout{Creator: r.assigned(0).CreatorID})
		r.ok(err)
		r.ok(r.decide(app.Reject, "3"))
		r.reckon()
		list, err := r.db.Balances(r.Context(), []affiliate.CreatorID{r.assigned(0).CreatorID}, now)
		r.ok(err)
		if len(list) != 1 || list[0].Balance != -6000 {
			r.Errorf("the balance is %+v", list)
		}
	})
}

func TestRewards_of_a_period(t *testing.T) {
	eachRig(t, func(r *rig) {
		placed := time.UnixMilli(1_700_000_000_000).UTC()
		at := func(days int) func(*affiliate.Snapshot) {
			return func(s *affiliate.Snapshot) { s.PlacedAt = placed.AddDate(0, 0, days) }
		}
		rule := r.rewardRule(func(w *affiliate.RewardRule) {
			w.Count, w.FromAt, w.ToAt = 1, placed.AddDate(0, 0, 1), placed.AddDate(0, 0, 3)
		})
		r.applyAll(orderBody("1", 1, at(0)), orderBody("2", 1, at(1)), orderBody("3", 1, at(3)))
		r.reckon()
		r.wantRewards("of the period", "1 given 5000 USD by #2, ledger 5000 in 1")
		r.app.Now = func() time.Time { return placed.AddDate(0, 0, 2) }
		ended, err := r.app.EndRewardRule(r.owner(), rule.ID)
		r.ok(err)
		if again, err := r.app.EndRewardRule(r.owner(), rule.ID); err != nil || !again.EndedAt.Equal(ended.EndedAt) {
			r.Errorf("ended again: %+v, %v", again, err)
		}
		r.applyAll(withCodes("4", "anna10", at(2)), withCodes("5", "anna10", func(s *affiliate.Snapshot) {
			s.PlacedAt = placed.AddDate(0, 0, 2).Add(-time.Second)
		}))
		r.reckon()
		r.wantRewards("before its end",
			"1 given 5000 USD by #2, ledger 5000 in 1; 2 given 5000 USD by #5, ledger 5000 in 1")
		r.ok(r.decide(app.Reject, "2"))
		r.reckon()
		r.wantRewards("after its end", "1 given 5000 USD by #5, ledger 5000 in 1; 2 undone 5000 USD, ledger 0 in 2")
	})
}

func TestRewards_wait_for_the_rate(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.rewardRule(func(w *affiliate.RewardRule) {
			w.Trigger, w.Count, w.Threshold = affiliate.BySales, 0, 12000
		})
		r.apply(orderBody("1", 1, func(s *affiliate.Snapshot) { s.Currency = "GBP" })) // 100.00 GBP
		r.reckon()
		r.wantRewards("without a rate", "")
		r.rates("2023-11-14", map[money.Currency]string{"USD": "1.08", "GBP": "0.90"}) // 1.20 USD each
		_, err := r.app.FillRates(r.owner())
		r.ok(err)
		r.reckon()
		r.wantRewards("with its rate", "1 given 5000 USD by #1, ledger 5000 in 1")
		// Another currency of the account changes nothing of what the rule counts and gives.
		r.ok(r.set("currency", "EUR"))
		r.ok(r.app.Recalculate(r.Context()))
		if n := r.reckon(); n != 1 {
			r.Errorf("%d members are reckoned", n)
		}
		r.wantRewards("with another currency", "1 given 5000 USD by #1, ledger 5000 in 1")
	})
}

func TestRewards_decided_and_given(t *testing.T) {
	eachRig(t, func(r *rig) {
		byHand := func(w *affiliate.RewardRule) { w.Count, w.Approval = 1, affiliate.ApprovedByPerson }
		r.rewardRule(byHand)
		r.rewardRule(func(w *affiliate.RewardRule) {
			byHand(w)
			w.Kind, w.Product, w.Amount = affiliate.RewardProduct, "A serum", 1200
		})
		r.rewardRule(func(w *affiliate.RewardRule) {
			w.Count, w.Kind, w.Amount = 1, affiliate.RewardCode, 300
			w.Discount = affiliate.OfferDiscount{Discount: affiliate.Discount{Kind: affiliate.DiscountPercent,
				Percent: 1000}}
		})
		r.apply(orderBody("1", 1, nil))
		r.reckon()
		const cash, serum, code affiliate.RewardID = 1, 2, 3
		r.wantRewards("earned", "1 to_approve 5000 USD by #1, ledger 0 in 0; "+
			"1 to_approve 1200 USD by #1, ledger 0 in 0; 1 to_give 300 USD by #1, ledger 0 in 0")
		outcome := func(results []app.RewardResult, err error) string {
			r.Helper()
			r.ok(err)
			var words []string
			for _, w := range results {
				words = append(words, strings.TrimSpace(fmt.Sprintf("%s %s %s", w.Reward, w.Outcome, w.Why)))
			}
			return strings.Join(words, "; ")
		}
		want := func(got, want string) {
			r.Helper()
			if got != want {
				r.Errorf("got %q, want %q", got, want)
			}
		}
		decide := func(d affiliate.RewardDecision, ids ...affiliate.RewardID) string {
			r.Helper()
			return outcome(r.app.DecideRewards(r.owner(), ids, d, "too few followers"))
		}
		give := func(gifts ...app.Gift) string {
			r.Helper()
			return outcome(r.app.GiveRewards(r.owner(), gifts))
		}
		want(give(app.Gift{Reward: serum}, app.Gift{Reward: cash}, app.Gift{Reward: code}), "rwd_2 failed It is not "+
			"approved; approve it first.; rwd_1 failed It is cash, which is owed with the commissions; there is "+
			"nothing to give.; rwd_3 failed Must be the code that was handed over.")
		want(decide(affiliate.RewardApproved, cash, cash, 9, code, serum),
			"rwd_1 changed; rwd_1 same; rwd_9 failed There is no rwd_9.; rwd_3 same; rwd_2 changed")
		if e := r.rewardEntries(cash); len(e) != 1 || e[0].Author != "Mia" {
			r.Errorf("the ledger has %+v", e)
		}
		spring := r.assigned(0).CampaignID
		returns := func() int64 {
			r.Helper()
			return r.productValues(spring)
		}
		if got := returns(); got != 1500 {
			r.Errorf("goods cost %d, want those that are approved", got)
		}
		want(decide(affiliate.RewardRejected, cash, serum), "rwd_1 changed; rwd_2 changed")
		r.wantRewards("rejected", "1 declined 5000 USD by #1, ledger 0 in 2; "+
			"1 declined 1200 USD by #1, ledger 0 in 0; 1 to_give 300 USD by #1, ledger 0 in 0")
		want(decide(affiliate.RewardRejected, cash), "rwd_1 same")
		want(decide(affiliate.RewardWaiting, cash, serum), "rwd_1 changed; rwd_2 changed")
		want(decide(affiliate.RewardApproved, serum), "rwd_2 changed")
		want(give(app.Gift{Reward: serum, Note: "parcel 7"}, app.Gift{Reward: code, Code: "THANKS"}),
			"rwd_2 changed; rwd_3 changed")
		want(give(app.Gift{Reward: serum, Note: "parcel 7"}), "rwd_2 same")
		want(give(app.Gift{Reward: serum, Note: "parcel 8"}), "rwd_2 changed")
		want(decide(affiliate.RewardRejected, serum), "rwd_2 failed It was given already.")
		r.ok(r.decide(app.Reject, "1"))
		r.reckon()
		r.wantRewards("undone after they were given", "1 undone 5000 USD, ledger 0 in 2; "+
			"1 kept 1200 USD, ledger 0 in 0; 1 kept 300 USD, ledger 0 in 0")
		if got := returns(); got != 1500 {
			r.Errorf("goods cost %d, want what was given", got)
		}
		entries, _, err := r.db.AuditLog(r.Context(), "rwd_2", storage.Page{})
		r.ok(err)
		var actions []string
		for _, e := range entries {
			actions = append(actions, e.Action)
		}
		want(strings.Join(actions, " "),
			"reward.approve reward.reject reward.wait reward.approve reward.give reward.give")
		for _, ids := range [][]affiliate.RewardID{nil, make([]affiliate.RewardID, app.MaxRewards+1)} {
			if _, err := r.app.DecideRewards(r.owner(), ids, affiliate.RewardApproved, ""); affiliate.KindOf(err) !=
				affiliate.Invalid {
				r.Errorf("%d ids: %v", len(ids), err)
			}
		}
		_, err = r.app.DecideRewards(r.owner(), []affiliate.RewardID{cash}, affiliate.RewardRejected, " ")
		if !strings.Contains(fmt.Sprint(err), "reason") {
			r.Errorf("rejected without a reason: %v", err)
		}
	})
}

func TestRewardRule_errors(t *testing.T) {
	eachRig(t, func(r *rig) {
		for field, change := range map[string]func(*affiliate.RewardRule){
			"offer":  func(w *affiliate.RewardRule) { w.OfferID = 99 },
			"amount": func(w *affiliate.RewardRule) { w.Amount = 0 },
		} {
			rule := affiliate.RewardRule{OfferID: r.assigned(0).OfferID, Name: "x", Kind: affiliate.RewardCash,
				Trigger: affiliate.ByFirstConversion, Amount: 1}
			change(&rule)
			_, err := r.app.AddRewardRule(r.owner(), rule)
			if affiliate.KindOf(err) != affiliate.Invalid || !strings.HasPrefix(err.Error(), field+": ") {
				r.Errorf("%s: %v", field, err)
			}
		}
		if _, err := r.app.EndRewardRule(r.owner(), 9); affiliate.KindOf(err) != affiliate.NotFound {
			r.Error(err)
		}
	})
}

// standing tells the rewards that are earned and what the ledger holds of each: what must not depend on how the
// conversions came to be as they are.
func (r *rig) standing(rule affiliate.RewardRule) string {
	r.Helper()
	var words []string
	list, _, err := r.db.Rewards(r.Context(), storage.RewardFilter{Rule: rule.ID},
		storage.Page{Limit: storage.MaxLimit})
	r.ok(err)
	for _, w := range list {
		sum := int64(0)
		for _, e := range r.rewardEntries(w.ID) {
			sum += e.Amount
		}
		if sum != w.Cash() {
			r.Fatalf("the ledger has %d of %+v", sum, w.Reward)
		}
		if w.Earned {
			words = append(words, fmt.Sprintf("%s %d %s %d %d by %d: %d", w.OfferMemberID, w.Nth, w.Decision,
				w.Conversions, w.Sales, w.ConversionID, sum))
		}
	}
	slices.Sort(words)
	return strings.Join(words, "\n")
}

// TestRewards_of_every_history: whatever happens to orders, in whatever order, and whenever rewards are reckoned, they
// are those that the conversions earn in the end, and the ledger has each once.
func TestRewards_of_every_history(t *testing.T) {
	eachRig(t, func(r *rig) {
		members := []affiliate.OfferMember{r.assigned(0), r.assigned(1)}
		round := 0
		rapid.Check(r.T, func(t *rapid.T) {
			round++
			start := time.UnixMilli(1_700_000_000_000).UTC().AddDate(0, 0, 10*round)
			var rules []affiliate.RewardRule
			for _, m := range members { // the same rule for both, in a period of its own
				rule := affiliate.RewardRule{OfferID: m.OfferID, Name: "x", Kind: affiliate.RewardCash, Amount: 701,
					Trigger: rapid.SampledFrom(affiliate.Words[affiliate.RewardTrigger]()).Draw(t, "trigger"),
					FromAt:  start, ToAt: start.AddDate(0, 0, 5)}
				switch rule.Trigger {
				case affiliate.ByConversions, affiliate.ByEveryConversions:
					rule.Count = rapid.Int64Range(1, 2).Draw(t, "count")
				case affiliate.ByFirstConversion:
				default:
					rule.Threshold = rapid.Int64Range(1500, 9000).Draw(t, "threshold")
				}
				made, err := r.app.AddRewardRule(r.owner(), rule)
				r.ok(err)
				rules = append(rules, made)
			}
			for step := range rapid.IntRange(1, 8).Draw(t, "steps") {
				id := fmt.Sprintf("%d-%d", round, rapid.IntRange(1, 4).Draw(t, "order"))
				things := []string{"order", "order", "reject", "undo", "decide", "reckon"}
				switch rapid.SampledFrom(things).Draw(t, "what") {
				case "order":
					r.apply(orderBody(id, int64(step+1), func(s *affiliate.Snapshot) {
						s.PlacedAt = start.AddDate(0, 0, rapid.IntRange(0, 5).Draw(t, "day"))
						s.Codes = []string{rapid.SampledFrom([]string{"anna10", "anna10", "ben5"}).Draw(t, "code")}
						s.Merchandise = int64(rapid.IntRange(0, 10000).Draw(t, "value"))
						if rapid.IntRange(0, 4).Draw(t, "canceled") == 0 {
							s.Status = affiliate.StoreCanceled
						}
					}))
				case "reject", "undo":
					d := rapid.SampledFrom([]app.Decision{app.Reject, app.Undo}).Draw(t, "decision")
					if row, err := r.db.FindOrder(r.Context(), "shop", id); err == nil && row.Conversion != nil {
						_, err := r.app.Decide(r.owner(), []affiliate.ConversionID{row.Conversion.ID}, d, "")
						r.ok(err)
					}
				case "decide":
					list, _, err := r.db.Rewards(r.Context(), storage.RewardFilter{Rule: rules[0].ID}, storage.Page{})
					r.ok(err)
					if len(list) > 0 {
						d := rapid.SampledFrom(affiliate.Words[affiliate.RewardDecision]()).Draw(t, "decision")
						_, err := r.app.DecideRewards(r.owner(), []affiliate.RewardID{list[0].ID}, d, "why")
						r.ok(err)
					}
				case "reckon":
					r.reckon()
				}
			}
			r.reckon()
			for i, rule := range rules {
				// What the rule says of the conversions as they are.
				sales, err := r.db.RewardSales(r.Context(), members[i].ID, []money.Currency{rule.Currency})
				r.ok(err)
				list, _, err := r.db.Rewards(r.Context(), storage.RewardFilter{Rule: rule.ID},
					storage.Page{Limit: storage.MaxLimit})
				r.ok(err)
				var want []string
				for _, e := range rule.Earned(sales[rule.Currency]) {
					at := slices.IndexFunc(list, func(w storage.RewardItem) bool { return w.Nth == e.Nth })
					if at < 0 {
						t.Fatalf("no reward is there of %+v", e)
					}
					cash := int64(701)
					if list[at].Decision != affiliate.RewardApproved {
						cash = 0
					}
					want = append(want, fmt.Sprintf("%s %d %s %d %d by %d: %d", members[i].ID, e.Nth, list[at].Decision,
						e.Conversions, e.Sales, e.Conversion, cash))
				}
				slices.Sort(want)
				if got := r.standing(rule); got != strings.Join(want, "\n") {
					t.Fatalf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
				}
			}
			if left, err := r.db.RewardWork(r.Context()); err != nil || len(left) > 0 {
				t.Fatalf("%v wait, %v", left, err)
			}
		})
		if findings, err := r.db.Check(r.Context()); err != nil || len(findings) > 0 {
			r.Fatalf("%+v, %v", findings, err)
		}
	})
}

// TestRewards_reckoned_by_several_race: several processes reckon while orders come and rewards are decided about; what
// is earned in the end is in the ledger once.
func TestRewards_reckoned_by_several_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		rule := r.rewardRule(func(w *affiliate.RewardRule) { w.Count = 1 })
		var ids []affiliate.ConversionID
		for n := range 4 {
			order := fmt.Sprint(n + 1)
			r.apply(orderBody(order, 1, nil))
			ids = append(ids, r.conversion(order).ID)
		}
		ctx, stop := context.WithCancel(r.Context())
		var reckoning, work sync.WaitGroup
		for range 3 {
			reckoning.Go(func() {
				for ctx.Err() == nil {
					if _, err := r.app.ReckonRewards(r.Context()); err != nil {
						r.Error(err)
						return
					}
				}
			})
		}
		for n := range 2 {
			work.Go(func() {
				for round := range 10 {
					d := app.Reject
					if round%2 == 1 {
						d = app.Undo
					}
					mine := []affiliate.ConversionID{ids[2*n], ids[2*n+1]}
					if _, err := r.app.Decide(r.owner(), mine, d, ""); err != nil {
						r.Error(err)
					}
				}
			})
		}
		work.Go(func() {
			for range 10 {
				for _, d := range []affiliate.RewardDecision{affiliate.RewardRejected, affiliate.RewardApproved} {
					if _, err := r.app.DecideRewards(r.owner(), []affiliate.RewardID{1, 2}, d, "why"); err != nil {
						r.Error(err)
					}
				}
			}
		})
		work.Wait()
		stop()
		reckoning.Wait()
		r.reckon()
		if got := strings.Count(r.standing(rule), ": 5000"); got != 4 {
			r.Errorf("%d rewards are in the ledger, want 4:\n%s", got, r.standing(rule))
		}
	})
}
