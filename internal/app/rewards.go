package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// AddRewardRule makes a rule. Without a currency it is the account's. Orders that were placed before count as far as
// the rule's period has them, so that its first rewards may be earned at once.
func (a *App) AddRewardRule(ctx context.Context, r affiliate.RewardRule) (affiliate.RewardRule, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.RewardRule, error) {
		if _, err := tx.Offer(ctx, r.OfferID); err != nil {
			return r, asField("offer", err)
		}
		settings, err := tx.Settings(ctx)
		if err != nil {
			return r, err
		}
		r.Name, r.Product = affiliate.Clean(r.Name), affiliate.Clean(r.Product)
		r.FromAt, r.ToAt, r.EndedAt = rewardTime(r.FromAt), rewardTime(r.ToAt), time.Time{}
		r.Author, r.CreatedAt = actor(ctx), a.now()
		if r.Currency == "" {
			r.Currency = settings.Currency
		}
		if r.Approval == "" {
			r.Approval = affiliate.ApprovedByRule
		}
		if err := r.Validate(); err != nil {
			return r, err
		}
		if r, err = tx.CreateRewardRule(ctx, r); err != nil {
			return r, err
		}
		if err := tx.WantOfferRewards(ctx, r.OfferID); err != nil {
			return r, err
		}
		a.announceRewards(tx)
		return r, a.audit(ctx, tx, "reward_rule.add", r.ID, nil, rewardRuleFacts(r))
	})
}

// rewardTime is a time in the databases' precision.
func rewardTime(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}

// EndRewardRule ends a rule: orders placed from now on do not count. What was earned stays. Ending it again changes
// nothing.
func (a *App) EndRewardRule(ctx context.Context, id affiliate.RewardRuleID) (affiliate.RewardRule, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.RewardRule, error) {
		return amend(ctx, a, tx, amendment[affiliate.RewardRule, affiliate.RewardRuleID]{
			name: "reward_rule", read: tx.RewardRule, facts: rewardRuleFacts,
			version: func(affiliate.RewardRule) int { return AnyVersion },
			prepare: func(*storage.Tx, *affiliate.RewardRule) error { return nil },
			save: func(ctx context.Context, r affiliate.RewardRule) (affiliate.RewardRule, error) {
				if err := tx.SaveRewardRule(ctx, r); err != nil {
					return r, err
				}
				a.announceRewards(tx)
				return r, tx.WantOfferRewards(ctx, r.OfferID) // orders may be placed later than now, by a store's clock
			},
		}, id, AnyVersion, "end", func(r *affiliate.RewardRule) error {
			r.EndedAt = firstTime(r.EndedAt, a.now())
			return nil
		})
	})
}

func rewardRuleFacts(r affiliate.RewardRule) facts {
	f := facts{"offer": r.OfferID.String(), "name": r.Name, "kind": r.Kind, "trigger": r.Trigger, "count": r.Count,
		"threshold": nil, "amount": money.Format(r.Amount, r.Currency), "currency": r.Currency, "product": r.Product,
		"discount": r.Discount.Text(), "approval": r.Approval, "from": auditTime(r.FromAt), "to": auditTime(r.ToAt),
		"ended_at": auditTime(r.EndedAt)}
	if r.Threshold != 0 {
		f["threshold"] = money.Format(r.Threshold, r.Currency)
	}
	return f
}

// announceRewards tells open pages that rewards, or their rules, have changed, once the transaction is committed.
func (a *App) announceRewards(tx *storage.Tx) { a.announce(tx, []affiliate.Change{{Rewards: true}}) }

// MaxRewards is how many rewards are decided about, or given, in one call.
const MaxRewards = 500

// RewardResult is what became of one reward that was decided about or given.
type RewardResult struct {
	Reward  affiliate.RewardID
	Outcome MemberOutcome
	Why     string // a sentence, of those that failed
}

// DecideRewards approves or rejects rewards, or has them wait again, and gives a result for each in their order. A
// reason is needed to reject. Decided as they are, they are the same.
func (a *App) DecideRewards(ctx context.Context, ids []affiliate.RewardID, d affiliate.RewardDecision,
	reason string) ([]RewardResult, error) {
	if !slices.Contains(d.Words(), d) {
		return nil, affiliate.FieldErrorf("decision", "must be %s", affiliate.WordList[affiliate.RewardDecision]())
	}
	if d == affiliate.RewardRejected {
		var err error
		if reason, err = tidyReason(reason); err != nil {
			return nil, err
		}
	}
	verb := map[affiliate.RewardDecision]string{affiliate.RewardApproved: "approve", affiliate.RewardRejected: "reject",
		affiliate.RewardWaiting: "wait"}[d]
	now := a.now()
	return a.changeRewards(ctx, ids, verb, func(_ int, w *affiliate.Reward) error {
		return w.Decide(d, actor(ctx), reason, now)
	})
}

// Gift is what is noted of a reward that was given.
type Gift struct {
	Reward affiliate.RewardID
	Code   string // that was handed over; needed of codes
	Note   string // such as the number of the parcel; may be empty
}

// maxGiftCode bounds the code of a gift, in bytes.
const maxGiftCode = 100

// GiveRewards notes that products were sent and codes handed over, and gives a result for each in their order. They
// must be approved.
func (a *App) GiveRewards(ctx context.Context, gifts []Gift) ([]RewardResult, error) {
	ids := make([]affiliate.RewardID, len(gifts))
	for i, g := range gifts {
		ids[i] = g.Reward
	}
	now := a.now()
	return a.changeRewards(ctx, ids, "give", func(i int, w *affiliate.Reward) error {
		code, note := affiliate.Clean(gifts[i].Code), affiliate.Clean(cleanText(gifts[i].Note))
		if len(code) > maxGiftCode {
			return affiliate.FieldErrorf("code", "must have at most %d bytes", maxGiftCode)
		}
		if len(note) > MaxReason {
			return affiliate.FieldErrorf("note", "must have at most %d bytes", MaxReason)
		}
		return w.Give(code, note, actor(ctx), now)
	})
}

// changeRewards lets change alter rewards, each by its place in ids, and brings the ledger in line. What change refuses
// stays as it is.
func (a *App) changeRewards(ctx context.Context, ids []affiliate.RewardID, verb string,
	change func(int, *affiliate.Reward) error) (results []RewardResult, err error) {
	if len(ids) == 0 || len(ids) > MaxRewards {
		return nil, affiliate.FieldErrorf("rewards", "must name 1 to %d rewards, not %d", MaxRewards, len(ids))
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		r, found, err := a.rewarding(ctx, tx, ids)
		if err != nil {
			return err
		}
		results = make([]RewardResult, len(ids))
		for i, id := range ids {
			results[i] = RewardResult{Reward: id, Outcome: MemberSame}
			before, ok := found[id]
			after := before
			err := affiliate.NoSuch(id)
			if ok {
				err = change(i, &after)
			}
			switch {
			case err != nil:
				results[i].Outcome, results[i].Why = MemberFailed, sentenceOf(err)
			case after != before:
				results[i].Outcome = MemberChanged
				after.UpdatedAt = r.now
				found[id] = after
				r.changed = append(r.changed, id)
				if err := a.audit(ctx, tx, "reward."+verb, id, rewardFacts(before), rewardFacts(after)); err != nil {
					return err
				}
			}
		}
		var list []affiliate.Reward
		for _, id := range distinct(r.changed) {
			list = append(list, found[id])
		}
		return r.save(ctx, list, actor(ctx))
	})
	return results, err
}

func rewardFacts(w affiliate.Reward) facts {
	return facts{"offer_member": w.OfferMemberID.String(), "kind": w.Kind, "amount": money.Format(w.Amount, w.Currency),
		"currency": w.Currency, "decision": w.Decision, "reason": w.Reason, "given_at": auditTime(w.GivenAt),
		"note": w.Note, "code": w.Code}
}

// rewarding is a transaction that changes rewards of members whom it has locked.
type rewarding struct {
	app      *App
	tx       *storage.Tx
	settings affiliate.Settings
	now      time.Time
	changed  []affiliate.RewardID
}

// rewarding locks the members of rewards and reads the rewards as they stand then.
func (a *App) rewarding(ctx context.Context, tx *storage.Tx,
	ids []affiliate.RewardID) (*rewarding, map[affiliate.RewardID]affiliate.Reward, error) {
	r, err := a.newRewarding(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	found, err := tx.RewardsByID(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	var members []affiliate.OfferMemberID
	for _, w := range found {
		members = append(members, w.OfferMemberID) // which never changes
	}
	if err := tx.LockOfferMembers(ctx, distinct(members)); err != nil {
		return nil, nil, err
	}
	r.now = a.now() // after the wait
	found, err = tx.RewardsByID(ctx, ids)
	return r, found, err
}

func (a *App) newRewarding(ctx context.Context, tx *storage.Tx) (*rewarding, error) {
	if err := tx.ShareCatalog(ctx); err != nil {
		return nil, err
	}
	settings, err := tx.Settings(ctx)
	return &rewarding{app: a, tx: tx, settings: settings, now: a.now()}, err
}

// ReckonRewards reckons the rewards of members whose conversions have changed, and says of how many. Several processes
// may do so at once. What cannot be reckoned of one member holds up no other.
func (a *App) ReckonRewards(ctx context.Context) (int, error) {
	members, err := a.DB.RewardWork(ctx)
	if err != nil {
		return 0, fmt.Errorf("look for rewards to reckon: %w", err)
	}
	reckoned := 0
	var failed []error
	for _, id := range members {
		done, err := a.reckonRewards(storage.ForWork(ctx), id)
		switch {
		case err == nil && done:
			reckoned++
		case err != nil && (ctx.Err() != nil || storage.IsUnwritable(err)):
			return reckoned, err
		case err != nil:
			failed = append(failed, fmt.Errorf("reckon the rewards of %s: %w", id, err))
		}
	}
	return reckoned, errors.Join(failed...)
}

// reckonRewards reckons the rewards of one member; false where another process was first.
func (a *App) reckonRewards(ctx context.Context, id affiliate.OfferMemberID) (done bool, err error) {
	ctx, cancel := a.DB.Within(ctx, applyLimit)
	defer cancel()
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		r, err := a.newRewarding(ctx, tx)
		if err != nil {
			return err
		}
		if err := tx.LockOfferMembers(ctx, []affiliate.OfferMemberID{id}); err != nil {
			return err
		}
		r.now = a.now() // after the wait
		// What is read from here on is at least as new as the lines that are taken.
		if done, err = tx.TakeRewardWork(ctx, id); err != nil || !done {
			return err
		}
		changed, err := r.reckon(ctx, id)
		if err != nil {
			return err
		}
		return r.save(ctx, changed, "")
	})
	return done, err
}

// reckon compares what a member has earned with the rewards that stand, and gives those that are new or changed.
func (r *rewarding) reckon(ctx context.Context, id affiliate.OfferMemberID) ([]affiliate.Reward, error) {
	member, err := r.tx.OfferMember(ctx, id)
	if err != nil {
		return nil, err
	}
	rules, err := storage.All(func(p storage.Page) ([]affiliate.RewardRule, string, error) {
		return r.tx.RewardRules(ctx, member.OfferID, p)
	})
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	var currencies []money.Currency
	for _, rule := range rules {
		currencies = append(currencies, rule.Currency)
	}
	sales, err := r.tx.RewardSales(ctx, id, distinct(currencies))
	if err != nil {
		return nil, fmt.Errorf("read what counts: %w", err)
	}
	list, err := r.tx.MemberRewards(ctx, id)
	if err != nil {
		return nil, err
	}
	type key struct {
		rule affiliate.RewardRuleID
		nth  int64
	}
	standing := make(map[key]affiliate.Reward, len(list))
	for _, w := range list {
		standing[key{w.RuleID, w.Nth}] = w
	}
	var changed []affiliate.Reward
	for _, rule := range rules {
		for _, earned := range rule.Earned(sales[rule.Currency]) {
			before, known := standing[key{rule.ID, earned.Nth}]
			delete(standing, key{rule.ID, earned.Nth})
			if !known {
				before = rule.Fresh(member, earned.Nth, r.now)
			}
			after := before
			if after.Earn(earned); after != before {
				changed = append(changed, after)
			}
		}
	}
	for _, w := range list { // in their order
		if _, over := standing[key{w.RuleID, w.Nth}]; over && w.Earned {
			w.Undo(r.now)
			changed = append(changed, w)
		}
	}
	for i := range changed {
		changed[i].UpdatedAt = r.now
	}
	return changed, nil
}

// save writes rewards and posts what the ledger lacks of them. Their members must be locked.
func (r *rewarding) save(ctx context.Context, list []affiliate.Reward, author string) error {
	if len(list) == 0 {
		return nil
	}
	var known []affiliate.RewardID
	names := map[affiliate.RewardRuleID]string{}
	for _, w := range list {
		if w.ID != 0 {
			known = append(known, w.ID)
		}
		if _, read := names[w.RuleID]; !read {
			rule, err := r.tx.RewardRule(ctx, w.RuleID)
			if err != nil {
				return err
			}
			names[w.RuleID] = rule.Name
		}
	}
	held, err := r.tx.RewardPostings(ctx, known)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	entries := make([]affiliate.LedgerEntry, len(list))
	missing := make([]bool, len(list))
	for i := range list {
		w := &list[i]
		entries[i], missing[i] = w.Entry(held[w.ID].Amount, held[w.ID].PayableAt, names[w.RuleID], author,
			r.settings.HoldDays, r.now)
	}
	if err := r.tx.SaveRewards(ctx, list); err != nil {
		return fmt.Errorf("save rewards: %w", err)
	}
	var posted []affiliate.LedgerEntry
	for i, w := range list {
		if missing[i] {
			e := entries[i]
			e.RewardID, e.Cause = w.ID, fmt.Sprintf("%s:%d", w.ID, w.Revision)
			posted = append(posted, e)
		}
	}
	if err := r.tx.AddLedger(ctx, posted); err != nil {
		return fmt.Errorf("post to the ledger: %w", err)
	}
	r.app.announceRewards(r.tx)
	return nil
}
