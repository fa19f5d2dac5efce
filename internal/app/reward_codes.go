package app

import (
	"context"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// What the codes of rewards are made from, so that the same reward has the same code however often it is asked for.
const (
	hashRewardCode = "reward_code"
	hashRewardMark = "reward_mark"
)

// RewardCode is the code that a reward has when it is made from here.
func (a *App) RewardCode(id affiliate.RewardID) string {
	return "GIFT-" + strings.ToUpper(a.Sealer.Hash(hashRewardCode, id.String())[:10])
}

// MakeRewardCodes makes the codes of rewards in a store and notes them as given, with a result for each in their order.
// A code can be used once, unless its rule says otherwise, and is nobody's: orders with it are credited to no creator.
// It may be asked for again, after a lost answer, too: no reward gets a second code. Errors are of the request as a
// whole: a Conflict where the store makes no codes from here, which are then made by hand.
func (a *App) MakeRewardCodes(ctx context.Context, ids []affiliate.RewardID,
	id affiliate.StoreID) ([]RewardResult, error) {
	if len(ids) == 0 || len(ids) > fewItems {
		return nil, affiliate.FieldErrorf("rewards", "must name 1 to %d rewards, not %d", fewItems, len(ids))
	}
	store, err := a.DB.Store(ctx, id)
	if err != nil {
		return nil, asField("store", err)
	}
	client, why, err := a.couponClient(ctx, store)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, affiliate.ConflictErrorf("store", "%s Or make the codes in the store by hand", why)
	}
	m := rewardCodes{app: a, store: store, client: client, results: map[affiliate.RewardID]RewardResult{}}
	if err := m.plan(ctx, ids); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(m.list, client.CouponsAtOnce()) {
		if err := m.make(ctx, part); err != nil {
			return nil, err
		}
	}
	results := make([]RewardResult, len(ids))
	for i, id := range ids {
		results[i] = m.results[id]
	}
	return results, nil
}

// rewardCodes makes the codes of some rewards in a store.
type rewardCodes struct {
	app     *App
	store   affiliate.Store
	client  CouponClient
	ids     map[string]affiliate.RewardID // by their codes, folded
	list    []affiliate.NewCoupon
	results map[affiliate.RewardID]RewardResult
}

// plan says what the store is asked for. Rewards that get no code have their result.
func (m *rewardCodes) plan(ctx context.Context, ids []affiliate.RewardID) error {
	items, _, err := m.app.DB.Rewards(ctx, storage.RewardFilter{IDs: ids}, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	m.ids = map[string]affiliate.RewardID{}
	rules := map[affiliate.RewardRuleID]affiliate.RewardRule{}
	for _, id := range distinct(ids) {
		i := slices.IndexFunc(items, func(w storage.RewardItem) bool { return w.ID == id })
		if i < 0 {
			m.failed(id, affiliate.NoSuch(id))
			continue
		}
		w := items[i].Reward
		if !w.GivenAt.IsZero() {
			m.results[id] = RewardResult{Reward: id, Outcome: MemberSame}
			continue
		}
		code := m.app.RewardCode(id)
		trial := w
		if err := trial.Give(code, "", "", m.app.now()); err != nil {
			m.failed(id, err)
			continue
		}
		rule, read := rules[w.RuleID]
		if !read {
			if rule, err = m.app.DB.RewardRule(ctx, w.RuleID); err != nil {
				return err
			}
			rules[w.RuleID] = rule
		}
		discount, err := rule.Discount.In(m.store)
		if err != nil {
			m.failed(id, err)
			continue
		}
		if discount.UsageLimit == 0 {
			discount.UsageLimit = 1
		}
		m.ids[affiliate.FoldCode(code)] = id
		m.list = append(m.list, affiliate.NewCoupon{Code: code, Title: items[i].Creator + " · " + rule.Name,
			Mark: m.app.Sealer.Hash(hashRewardMark, id.String())[:20], Discount: discount})
	}
	return nil
}

func (m *rewardCodes) failed(id affiliate.RewardID, err error) {
	m.results[id] = RewardResult{Reward: id, Outcome: MemberFailed, Why: sentenceOf(err)}
}

// make makes codes that the store does not have, and notes all as given.
func (m *rewardCodes) make(ctx context.Context, list []affiliate.NewCoupon) error {
	codes := make([]string, len(list))
	for i, c := range list {
		codes[i] = c.Code
	}
	found, err := m.client.CouponsByCode(ctx, codes)
	if m.app.asked(ctx, m.store.ID, err) != nil {
		return err
	}
	ours := func(mine affiliate.NewCoupon, c affiliate.Coupon) bool {
		return affiliate.FoldCode(c.Code) == affiliate.FoldCode(mine.Code) && c.Mark == mine.Mark
	}
	var made []affiliate.Coupon
	missing := slices.Clone(list)
	for _, c := range found {
		missing = slices.DeleteFunc(missing, func(mine affiliate.NewCoupon) bool {
			if !ours(mine, c) {
				return false
			}
			made = append(made, c)
			return true
		})
	}
	if len(missing) > 0 {
		outcomes, err := m.client.MakeCoupons(ctx, missing)
		if m.app.asked(ctx, m.store.ID, err) != nil {
			return err
		}
		for i, o := range outcomes {
			if o.Err != nil && (o.Coupon.ID == "" || !ours(missing[i], o.Coupon)) {
				m.failed(m.ids[affiliate.FoldCode(missing[i].Code)], o.Err)
				continue
			}
			made = append(made, o.Coupon)
		}
	}
	return m.give(ctx, list, made)
}

// give notes the codes that the store has: as given, as they are to stay in the store, and as nobody's.
func (m *rewardCodes) give(ctx context.Context, list []affiliate.NewCoupon, made []affiliate.Coupon) error {
	if len(made) == 0 {
		return nil
	}
	var gifts []Gift
	var codes []string
	work := codeWork{app: m.app, store: m.store}
	err := m.app.changeCatalog(ctx, func(tx *storage.Tx) error {
		for _, c := range made {
			i := slices.IndexFunc(list, func(mine affiliate.NewCoupon) bool {
				return affiliate.FoldCode(mine.Code) == affiliate.FoldCode(c.Code)
			})
			if err := work.keep(ctx, tx, c, func(c *storage.Coupon) { c.Give(list[i].Discount) }); err != nil {
				return err
			}
			gifts = append(gifts, Gift{Reward: m.ids[affiliate.FoldCode(c.Code)], Code: list[i].Code})
			codes = append(codes, list[i].Code)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := m.app.DismissCodes(ctx, m.store.ID, codes); err != nil {
		return err
	}
	results, err := m.app.GiveRewards(ctx, gifts)
	for _, r := range results {
		m.results[r.Reward] = r
	}
	return err
}
