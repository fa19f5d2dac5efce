package storage

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// rewardRuleRow is a rule as its table has it.
type rewardRuleRow struct {
	ID        affiliate.RewardRuleID
	OfferID   affiliate.OfferID
	Name      string
	Kind      affiliate.RewardKind
	Trigger   affiliate.RewardTrigger `db:"earned_by"`
	Count     int64
	Threshold int64
	Currency  money.Currency
	Amount    int64
	Product   string
	Discount  string // JSON
	Approval  affiliate.RewardApproval
	FromAt    Time
	ToAt      Time
	EndedAt   Time
	Author    string
	CreatedAt Time
}

var (
	rewardRuleTable   = tableOf[rewardRuleRow]("reward_rules")
	rewardRuleColumns = columnsOf[rewardRuleRow]()
	rewardTable       = tableOf[affiliate.Reward]("rewards", "conversion_id")
	rewardColumns     = columnsOf[affiliate.Reward]()
)

func newRewardRuleRow(r affiliate.RewardRule) rewardRuleRow {
	return rewardRuleRow{r.ID, r.OfferID, r.Name, r.Kind, r.Trigger, r.Count, r.Threshold, r.Currency, r.Amount,
		r.Product, r.Discount.Text(), r.Approval, At(r.FromAt), At(r.ToAt), At(r.EndedAt), r.Author, At(r.CreatedAt)}
}

func (r rewardRuleRow) domain() affiliate.RewardRule {
	discount, _ := affiliate.ParseOfferDiscount(r.Discount) // Text wrote it
	return affiliate.RewardRule{ID: r.ID, OfferID: r.OfferID, Name: r.Name, Kind: r.Kind, Trigger: r.Trigger,
		Count: r.Count, Threshold: r.Threshold, Currency: r.Currency, Amount: r.Amount, Product: r.Product,
		Discount: discount, Approval: r.Approval, FromAt: r.FromAt.Time, ToAt: r.ToAt.Time, EndedAt: r.EndedAt.Time,
		Author: r.Author, CreatedAt: r.CreatedAt.Time}
}

// RewardRule gives one rule; NotFound when there is none.
func (q queries) RewardRule(ctx context.Context, id affiliate.RewardRuleID) (affiliate.RewardRule, error) {
	return oneOf[rewardRuleRow](ctx, q, id, `SELECT `+rewardRuleColumns.of("")+` FROM reward_rules WHERE id = ?`, id)
}

// RewardRules lists the rules of an offer by id, ended ones included; of all offers when it is 0.
func (q queries) RewardRules(ctx context.Context, offer affiliate.OfferID,
	p Page) ([]affiliate.RewardRule, string, error) {
	var f Filter
	Is(&f, "offer_id", offer)
	return listPage[rewardRuleRow](ctx, q, `SELECT `+rewardRuleColumns.of("")+` FROM reward_rules`, f, byID, p)
}

// RewardFilter narrows a list of rewards; zero fields do not.
type RewardFilter struct {
	Offer    affiliate.OfferID
	Campaign affiliate.CampaignID
	Creator  affiliate.CreatorID
	Member   affiliate.OfferMemberID
	Rule     affiliate.RewardRuleID
	State    affiliate.RewardState
	Search   string // in the creator's name, e-mail address or handles
	IDs      []affiliate.RewardID
}

// RewardItem is a reward with what people know it by.
type RewardItem struct {
	affiliate.Reward
	Creator  string
	Handle   string
	Offer    string
	Campaign string
	Rule     string // its name
	Product  string
	OrderID  affiliate.OrderID // that reached the mark; 0: none does any more
	Order    string            // its number
}

var rewardsNewestFirst = Keyset{Keys: []Key{{SQL: "w.id", Column: "id", Descending: true}}}

const rewardTables = ` FROM rewards w JOIN reward_rules u ON u.id = w.rule_id JOIN creators r ON r.id = w.creator_id
	JOIN offers o ON o.id = w.offer_id JOIN campaigns p ON p.id = w.campaign_id LEFT JOIN conversions c ON c.id = w.conversion_id
	LEFT JOIN orders d ON d.id = c.order_id`

// rewardStates are the conditions of the states of a reward w, as affiliate.Reward.State gives them.
var rewardStates = map[affiliate.RewardState]string{
	affiliate.RewardToApprove: "w.earned AND w.decision = 'waiting'",
	affiliate.RewardToGive:    "w.earned AND w.decision = 'approved' AND w.kind <> 'cash' AND w.given_at IS NULL",
	affiliate.RewardGiven:     "w.earned AND w.decision = 'approved' AND (w.kind = 'cash' OR w.given_at IS NOT NULL)",
	affiliate.RewardDeclined:  "w.earned AND w.decision = 'rejected'",
	affiliate.RewardUndone:    "NOT w.earned AND w.given_at IS NULL",
	affiliate.RewardKept:      "NOT w.earned AND w.given_at IS NOT NULL",
}

func (w RewardFilter) conditions() (f Filter) {
	Is(&f, "w.offer_id", w.Offer)
	Is(&f, "w.campaign_id", w.Campaign)
	Is(&f, "w.creator_id", w.Creator)
	Is(&f, "w.offer_member_id", w.Member)
	Is(&f, "w.rule_id", w.Rule)
	In(&f, "w.id", w.IDs)
	if w.State != "" {
		f.And(rewardStates[w.State])
	}
	if w.Search != "" {
		condition, args := CreatorHas("r", w.Search)
		f.And(condition, args...)
	}
	return f
}

// Reward gives one reward; NotFound when there is none.
func (q queries) Reward(ctx context.Context, id affiliate.RewardID) (affiliate.Reward, error) {
	return getOne[affiliate.Reward](ctx, q, id, `SELECT `+rewardColumns.of("")+` FROM rewards WHERE id = ?`, id)
}

// Rewards lists rewards, the newest first.
func (q queries) Rewards(ctx context.Context, w RewardFilter, p Page) ([]RewardItem, string, error) {
	return paged[RewardItem](ctx, q, selectRewards, w.conditions(), rewardsNewestFirst, p)
}

// RewardCount is how many rewards stand alike, and what they come to.
type RewardCount struct {
	State    affiliate.RewardState
	Kind     affiliate.RewardKind
	Currency money.Currency
	N        int64
	Amount   int64 // minor units of Currency
}

// RewardCounts counts rewards by state, kind and currency.
func (q queries) RewardCounts(ctx context.Context, w RewardFilter) ([]RewardCount, error) {
	list := []RewardCount{}
	f := w.conditions()
	err := q.List(ctx, &list, `SELECT `+rewardState()+` AS state, w.kind, w.currency, COUNT(*) AS n, CAST(SUM(w.amount) AS BIGINT) AS amount
		`+rewardTables+f.Where()+` GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, f.Args...)
	return list, err
}

// rewardState gives the state of a reward w in SQL.
func rewardState() string {
	state := "CASE"
	for _, s := range affiliate.Words[affiliate.RewardState]() {
		state += " WHEN " + rewardStates[s] + " THEN '" + string(s) + "'"
	}
	return state + " END"
}

// CreateRewardRule writes a new rule.
func (tx *Tx) CreateRewardRule(ctx context.Context, r affiliate.RewardRule) (affiliate.RewardRule, error) {
	err := rewardRuleTable.create(ctx, tx, newRewardRuleRow(r), &r.ID)
	return r, err
}

// SaveRewardRule writes when a rule was ended; nothing else of it changes.
func (tx *Tx) SaveRewardRule(ctx context.Context, r affiliate.RewardRule) error {
	_, err := tx.exec(ctx, `UPDATE reward_rules SET ended_at = ? WHERE id = ?`, At(r.EndedAt), r.ID)
	return err
}

// WantRewards has the rewards of offer members reckoned whose conversions this transaction changes, as far as their
// offers have rules. The catalog must be shared: a rule that is made meanwhile would miss them.
func (tx *Tx) WantRewards(ctx context.Context, members []affiliate.OfferMemberID) error {
	if len(members) == 0 {
		return nil
	}
	return tx.execIn(ctx, `INSERT INTO reward_work (offer_member_id) SELECT om.id FROM offer_members om WHERE om.id IN (?)
		AND EXISTS (SELECT 1 FROM reward_rules r WHERE r.offer_id = om.offer_id)`, members)
}

// WantOfferRewards has the rewards of all members of an offer reckoned who have conversions. The catalog must be
// locked.
func (tx *Tx) WantOfferRewards(ctx context.Context, offer affiliate.OfferID) error {
	_, err := tx.exec(ctx, `INSERT INTO reward_work (offer_member_id) SELECT om.id FROM offer_members om WHERE om.offer_id = ?
		AND EXISTS (SELECT 1 FROM conversions c WHERE c.offer_member_id = om.id)`, offer)
	return err
}

// RewardWork gives the offer members whose rewards are to be reckoned, those first who wait the longest.
func (q queries) RewardWork(ctx context.Context) ([]affiliate.OfferMemberID, error) {
	var members []affiliate.OfferMemberID
	err := q.List(ctx, &members, `SELECT offer_member_id FROM reward_work GROUP BY offer_member_id ORDER BY MIN(id)`)
	return members, err
}

// TakeRewardWork takes the lines of a member that stand, and says whether there were any. What is read of conversions
// afterwards is at least as new as these lines. The member must be locked.
func (tx *Tx) TakeRewardWork(ctx context.Context, member affiliate.OfferMemberID) (bool, error) {
	n, err := tx.exec(ctx, `DELETE FROM reward_work WHERE offer_member_id = ?`, member)
	return n > 0, err
}

// LockOfferMembers makes others who reckon or decide about the same members' rewards wait until this transaction ends.
// Workers do not wait: what they change meanwhile is reckoned afterwards. Call ShareCatalog first.
func (tx *Tx) LockOfferMembers(ctx context.Context, ids []affiliate.OfferMemberID) error {
	if len(ids) == 0 {
		return nil
	}
	var locked []affiliate.OfferMemberID
	// Locked in one fixed order, so that two who lock many never wait for each other.
	return tx.ListIn(ctx, &locked, `SELECT id FROM offer_members WHERE id IN (?) ORDER BY id`+tx.d.lockRows, ids)
}

// RewardSales gives the conversions of a member that count, in some currencies, by currency. A conversion has the value
// that the rate of its order's day gives it; without a rate it is left out.
func (q queries) RewardSales(ctx context.Context, member affiliate.OfferMemberID,
	currencies []money.Currency) (map[money.Currency][]affiliate.RewardSale, error) {
	var rows []struct {
		ID              affiliate.ConversionID
		PlacedAt        Time
		Value           int64
		Currency        money.Currency
		AccountCurrency money.Currency
		AccountValue    *int64
		Day             string // whose rate it has, or whose it waits for
	}
	err := q.List(ctx, &rows, `SELECT id, placed_at, value, currency, account_currency, account_value, COALESCE(rate_date, day) AS day
		FROM conversions WHERE offer_member_id = ? AND credited AND status = 'paid' AND approval = 'approved'`, member)
	if err != nil {
		return nil, err
	}
	keys := map[RateKey]bool{}
	for _, to := range currencies {
		for _, r := range rows {
			if r.Currency != to && r.AccountCurrency != to {
				keys[RateKey{From: r.Currency, To: to, Day: r.Day}] = true
			}
		}
	}
	quotes, err := q.Quotes(ctx, slices.Collect(maps.Keys(keys)))
	if err != nil {
		return nil, err
	}
	sales := make(map[money.Currency][]affiliate.RewardSale, len(currencies))
	for _, to := range currencies {
		for _, r := range rows {
			sale := affiliate.RewardSale{Conversion: r.ID, PlacedAt: r.PlacedAt.Time}
			quote, quoted := quotes[RateKey{From: r.Currency, To: to, Day: r.Day}]
			switch {
			case r.Currency == to:
				sale.Value = r.Value
			case r.AccountCurrency == to && r.AccountValue != nil:
				sale.Value = *r.AccountValue
			case r.AccountCurrency != to && quoted:
				sale.Value = quote.Rate.Convert(r.Value, r.Currency, to)
			default:
				continue
			}
			sales[to] = append(sales[to], sale)
		}
	}
	return sales, nil
}

// MemberRewards gives the rewards of a member, undone ones included, in the order of ids.
func (q queries) MemberRewards(ctx context.Context, member affiliate.OfferMemberID) ([]affiliate.Reward, error) {
	var list []affiliate.Reward
	err := q.List(ctx, &list, `SELECT `+rewardColumns.of("")+` FROM rewards WHERE offer_member_id = ? ORDER BY id`, member)
	return list, err
}

// RewardsByID gives some rewards; those that do not exist are left out.
func (q queries) RewardsByID(ctx context.Context,
	ids []affiliate.RewardID) (map[affiliate.RewardID]affiliate.Reward, error) {
	found := make(map[affiliate.RewardID]affiliate.Reward, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	var list []affiliate.Reward
	err := q.ListIn(ctx, &list, `SELECT `+rewardColumns.of("")+` FROM rewards WHERE id IN (?)`, ids)
	for _, r := range list {
		found[r.ID] = r
	}
	return found, err
}

var saveRewards = rewardTable.upsert(columns{"rule_id", "offer_member_id", "nth"}, nil) +
	" RETURNING rule_id, offer_member_id, nth, id"

// SaveRewards writes rewards, new and changed ones alike, and gives new ones their ids.
func (tx *Tx) SaveRewards(ctx context.Context, list []affiliate.Reward) error {
	type key struct {
		RuleID        affiliate.RewardRuleID
		OfferMemberID affiliate.OfferMemberID
		Nth           int64
	}
	var saved struct {
		key
		ID affiliate.RewardID
	}
	ids := make(map[key]affiliate.RewardID, len(list))
	err := rewardTable.insert(ctx, tx, list, saveRewards, &saved, func() { ids[saved.key] = saved.ID })
	for i, r := range list {
		list[i].ID = ids[key{r.RuleID, r.OfferMemberID, r.Nth}]
	}
	return err
}

// RewardPosting is what the ledger holds for a reward.
type RewardPosting struct {
	Amount    int64     // minor units of the reward's currency
	PayableAt time.Time // its first entry
}

// RewardPostings gives what the ledger holds for rewards; those without an entry are left out.
func (q queries) RewardPostings(ctx context.Context,
	ids []affiliate.RewardID) (map[affiliate.RewardID]RewardPosting, error) {
	posted := make(map[affiliate.RewardID]RewardPosting, len(ids))
	for part := range slices.Chunk(ids, 1000) {
		var rows []struct {
			RewardID  affiliate.RewardID
			Amount    int64
			PayableAt Time
		}
		err := q.ListIn(ctx, &rows, `SELECT reward_id, CAST(SUM(amount) AS BIGINT) AS amount, MIN(payable_at) AS payable_at FROM ledger_entries
			WHERE reward_id IN (?) GROUP BY reward_id`, part)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			posted[r.RewardID] = RewardPosting{r.Amount, r.PayableAt.Time}
		}
	}
	return posted, nil
}
