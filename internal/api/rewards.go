package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerRewards declares the operations on what members of offers get beside their commissions.
func (a *API) registerRewards(api huma.API) {
	const read, change, approve = affiliate.MayRead, affiliate.MayChangeCatalog, affiliate.MayApprove
	register(a, api, operation{http.MethodGet, "/reward-rules", "list-reward-rules", read,
		"List reward rules, ended ones included"}, a.listRewardRules)
	register(a, api, operation{http.MethodPost, "/reward-rules", "create-reward-rule", change,
		"Make a reward rule of an offer; it is never changed"}, a.createRewardRule)
	register(a, api, operation{http.MethodGet, "/reward-rules/{id}", "get-reward-rule", read, "Read a reward rule"},
		a.getRewardRule)
	register(a, api, operation{http.MethodPost, "/reward-rules/{id}/end", "end-reward-rule", change,
		"End a reward rule: orders placed from now on do not count"}, a.endRewardRule)
	register(a, api, operation{http.MethodGet, "/rewards", "list-rewards", read,
		"List rewards, newest first, undone ones included"}, a.listRewards)
	register(a, api, operation{http.MethodGet, "/rewards/{id}", "get-reward", read, "Read a reward"}, a.getReward)
	register(a, api, operation{http.MethodPost, "/rewards/decide", "decide-rewards", approve,
		"Approve or reject rewards, or have them wait again"}, a.decideRewards)
	register(a, api, operation{http.MethodPost, "/rewards/give", "give-rewards", approve,
		"Note that products were sent and codes handed over"}, a.giveRewards)
	register(a, api, operation{http.MethodPost, "/rewards/codes", "make-reward-codes", approve,
		"Make the codes of approved rewards in a store, one for each, and note them as given"}, a.makeRewardCodes)
}

type rewardRuleJSON struct {
	ID        string                   `json:"id" example:"rrl_1"`
	Offer     string                   `json:"offer" example:"off_1"`
	Name      string                   `json:"name"`
	Kind      affiliate.RewardKind     `json:"kind" doc:"cash is owed with the commissions; a product is sent, a code handed over"`
	Trigger   affiliate.RewardTrigger  `json:"trigger"`
	Count     *int64                   `json:"count" doc:"Of conversions; null of triggers that count none"`
	Threshold *string                  `json:"threshold" example:"500.00" doc:"Of sales, or of an order; null of triggers without one"`
	Amount    string                   `json:"amount" example:"50.00" doc:"Of cash; of a product or code what it costs the brand"`
	Currency  string                   `json:"currency" example:"EUR"`
	Product   *string                  `json:"product"`
	Discount  *OfferDiscountJSON       `json:"discount" doc:"What the code gives"`
	Approval  affiliate.RewardApproval `json:"approval" doc:"rule: approved as soon as it is earned; person: it waits for somebody"`
	From      *time.Time               `json:"from" doc:"Orders placed from then on count; null: all"`
	To        *time.Time               `json:"to" doc:"Orders placed before count; null: all"`
	EndedAt   *time.Time               `json:"ended_at"`
	Sentence  string                   `json:"sentence" example:"A red scarf for every 10 conversions"`
	Author    string                   `json:"author"`
	CreatedAt time.Time                `json:"created_at"`
}

func (a *API) rewardRuleView(zone *time.Location) func(affiliate.RewardRule) rewardRuleJSON {
	return func(r affiliate.RewardRule) rewardRuleJSON {
		v := rewardRuleJSON{ID: r.ID.String(), Offer: r.OfferID.String(), Name: r.Name, Kind: r.Kind,
			Trigger: r.Trigger, Count: orNull(r.Count), Amount: money.Format(r.Amount, r.Currency),
			Currency: r.Currency.Code(), Product: orNull(r.Product), Discount: OfferDiscountView(r.Discount),
			Approval: r.Approval, From: web.TimeOrNull(r.FromAt), To: web.TimeOrNull(r.ToAt),
			EndedAt: web.TimeOrNull(r.EndedAt), Sentence: money.Plain(r.Sentence(zone)), Author: r.Author,
			CreatedAt: r.CreatedAt.UTC()}
		if r.Threshold != 0 {
			v.Threshold = orNull(money.Format(r.Threshold, r.Currency))
		}
		return v
	}
}

// oneRewardRule answers with a rule.
func (a *API) oneRewardRule(ctx context.Context, r affiliate.RewardRule,
	err error) (*output[rewardRuleJSON], error) {
	if err != nil {
		return nil, err
	}
	_, zone, err := a.App.DB.Account(ctx)
	return one(r, err, a.rewardRuleView(zone))
}

type listRewardRulesInput struct {
	Offer string `query:"offer" doc:"off_…: only its rules"`
	PageInput
}

func (a *API) listRewardRules(ctx context.Context, in *listRewardRulesInput) (*listOutput[rewardRuleJSON], error) {
	offer, err := affiliate.OptionalID[affiliate.OfferID]("offer", "off_", in.Offer)
	if err != nil {
		return nil, err
	}
	_, zone, err := a.App.DB.Account(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.RewardRules(ctx, offer, in.page())
	return listPage(list, next, err, a.rewardRuleView(zone))
}

type createRewardRuleInput struct {
	Body struct {
		Offer     string                   `json:"offer" example:"off_1"`
		Name      string                   `json:"name"`
		Kind      affiliate.RewardKind     `json:"kind"`
		Trigger   affiliate.RewardTrigger  `json:"trigger"`
		Count     int64                    `json:"count,omitempty" example:"10" doc:"Of conversions and every_conversions"`
		Threshold string                   `json:"threshold,omitempty" example:"500.00" doc:"Of the triggers of sales and orders"`
		Amount    string                   `json:"amount,omitempty" example:"50.00" doc:"Of cash; of a product or code what it costs the brand"`
		Currency  *string                  `json:"currency,omitempty" example:"EUR" doc:"The account's when left out"`
		Product   string                   `json:"product,omitempty" doc:"Of kind product: what is sent"`
		Discount  *OfferDiscountJSON       `json:"discount,omitempty" doc:"Of kind code: what it gives"`
		Approval  affiliate.RewardApproval `json:"approval,omitempty" doc:"rule when left out"`
		From      *time.Time               `json:"from,omitempty" doc:"Orders placed from then on count; all when left out"`
		To        *time.Time               `json:"to,omitempty" doc:"Orders placed before count; all when left out"`
	}
}

func (a *API) createRewardRule(ctx context.Context, in *createRewardRuleInput) (*output[rewardRuleJSON], error) {
	b := in.Body
	settings, err := a.App.DB.SavedSettings(ctx)
	if err != nil {
		return nil, err
	}
	r := affiliate.RewardRule{Name: b.Name, Kind: b.Kind, Trigger: b.Trigger, Count: b.Count,
		Currency: settings.Currency, Product: b.Product, Approval: b.Approval}
	if b.From != nil {
		r.FromAt = *b.From
	}
	if b.To != nil {
		r.ToAt = *b.To
	}
	if r.OfferID, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", b.Offer); err != nil {
		return nil, err
	}
	if err := setCurrency(&r.Currency, "currency", b.Currency); err != nil {
		return nil, err
	}
	for _, amount := range []struct {
		field, text string
		to          *int64
	}{{"threshold", b.Threshold, &r.Threshold}, {"amount", b.Amount, &r.Amount}} {
		if amount.text == "" {
			continue
		}
		if *amount.to, err = affiliate.ParseAmount(amount.field, amount.text, r.Currency); err != nil {
			return nil, err
		}
	}
	if b.Discount != nil {
		if r.Discount, err = a.offerDiscount(ctx, b.Discount); err != nil {
			return nil, err
		}
	}
	r, err = a.App.AddRewardRule(ctx, r)
	return a.oneRewardRule(ctx, r, err)
}

// RewardRulePath names a reward rule.
type RewardRulePath struct {
	ID string `path:"id" example:"rrl_1"`
}

func (p RewardRulePath) id() (affiliate.RewardRuleID, error) {
	return idPath[affiliate.RewardRuleID]("rrl_", p.ID)
}

func (a *API) getRewardRule(ctx context.Context, in *RewardRulePath) (*output[rewardRuleJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	r, err := a.App.DB.RewardRule(ctx, id)
	return a.oneRewardRule(ctx, r, err)
}

func (a *API) endRewardRule(ctx context.Context, in *RewardRulePath) (*output[rewardRuleJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	r, err := a.App.EndRewardRule(ctx, id)
	return a.oneRewardRule(ctx, r, err)
}

type rewardJSON struct {
	ID           string                   `json:"id" example:"rwd_1"`
	Rule         string                   `json:"rule" example:"rrl_1"`
	RuleName     string                   `json:"rule_name"`
	Nth          int64                    `json:"nth" doc:"The how manieth that the member has earned by the rule"`
	Offer        string                   `json:"offer" example:"off_1"`
	OfferName    string                   `json:"offer_name"`
	Campaign     string                   `json:"campaign" example:"cmp_1"`
	CampaignName string                   `json:"campaign_name"`
	OfferMember  string                   `json:"offer_member" example:"ofm_1"`
	Creator      string                   `json:"creator" example:"cre_1"`
	CreatorName  string                   `json:"creator_name"`
	Kind         affiliate.RewardKind     `json:"kind"`
	Amount       string                   `json:"amount" example:"50.00"`
	Currency     string                   `json:"currency" example:"EUR"`
	Product      *string                  `json:"product"`
	State        affiliate.RewardState    `json:"state" doc:"kept: no longer earned, but given before"`
	Earned       bool                     `json:"earned" doc:"false: refunds or rejections have undone it"`
	Decision     affiliate.RewardDecision `json:"decision"`
	DecidedBy    *string                  `json:"decided_by" doc:"null: by rule"`
	DecidedAt    *time.Time               `json:"decided_at"`
	Reason       *string                  `json:"reason" doc:"Of a rejection"`
	GivenAt      *time.Time               `json:"given_at"`
	GivenBy      *string                  `json:"given_by"`
	Note         *string                  `json:"note"`
	Code         *string                  `json:"code" doc:"That was handed over"`
	Order        *string                  `json:"order" example:"ord_1" doc:"That reached the mark; null: none does any more"`
	Conversions  int64                    `json:"conversions" doc:"How many there were with it"`
	Sales        string                   `json:"sales" example:"812.50" doc:"What they came to"`
	Why          string                   `json:"why" doc:"A sentence"`
	EarnedAt     time.Time                `json:"earned_at" doc:"When that order was placed"`
	UndoneAt     *time.Time               `json:"undone_at"`
	CreatedAt    time.Time                `json:"created_at"`
	UpdatedAt    time.Time                `json:"updated_at"`
}

func rewardView(w storage.RewardItem) rewardJSON {
	v := rewardJSON{ID: w.ID.String(), Rule: w.RuleID.String(), RuleName: w.Rule, Nth: w.Nth,
		Offer: w.OfferID.String(), OfferName: w.Offer, Campaign: w.CampaignID.String(), CampaignName: w.Campaign,
		OfferMember: w.OfferMemberID.String(), Creator: w.CreatorID.String(), CreatorName: w.Creator, Kind: w.Kind,
		Amount: money.Format(w.Amount, w.Currency), Currency: w.Currency.Code(), Product: orNull(w.Product),
		State: w.State(), Earned: w.Earned, Decision: w.Decision, DecidedBy: orNull(w.DecidedBy),
		DecidedAt: web.TimeOrNull(w.DecidedAt), Reason: orNull(w.Reason), GivenAt: web.TimeOrNull(w.GivenAt),
		GivenBy: orNull(w.GivenBy), Note: orNull(w.Note), Code: orNull(w.Code), Conversions: w.Conversions,
		Sales: money.Format(w.Sales, w.Currency), Why: money.Plain(w.Why(w.Order)), EarnedAt: w.EarnedAt.UTC(),
		UndoneAt: web.TimeOrNull(w.UndoneAt), CreatedAt: w.CreatedAt.UTC(), UpdatedAt: w.UpdatedAt.UTC()}
	if w.OrderID != 0 {
		v.Order = orNull(w.OrderID.String())
	}
	return v
}

type listRewardsInput struct {
	Offer    string                `query:"offer" doc:"off_…: only what is earned in it"`
	Campaign string                `query:"campaign" doc:"cmp_…: only what is earned in it"`
	Creator  string                `query:"creator" doc:"cre_…: only theirs"`
	State    affiliate.RewardState `query:"state"`
	PageInput
}

func (a *API) listRewards(ctx context.Context, in *listRewardsInput) (*listOutput[rewardJSON], error) {
	q, err := a.query(ctx)
	if err != nil {
		return nil, err
	}
	filter := q.Rewards()
	if err := q.Err(); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Rewards(ctx, filter, in.page())
	return listPage(list, next, err, rewardView)
}

// RewardPath names a reward.
type RewardPath struct {
	ID string `path:"id" example:"rwd_1"`
}

func (a *API) getReward(ctx context.Context, in *RewardPath) (*output[rewardJSON], error) {
	id, err := idPath[affiliate.RewardID]("rwd_", in.ID)
	if err != nil {
		return nil, err
	}
	list, _, err := a.App.DB.Rewards(ctx, storage.RewardFilter{IDs: []affiliate.RewardID{id}}, storage.Page{})
	if err == nil && len(list) == 0 {
		err = affiliate.NoSuch(id)
	}
	if err != nil {
		return nil, err
	}
	return one(list[0], nil, rewardView)
}

type rewardResultJSON struct {
	Reward  string            `json:"reward" example:"rwd_1"`
	Outcome app.MemberOutcome `json:"outcome" doc:"same: it was so already"`
	Why     *string           `json:"why" doc:"A sentence, of those that failed"`
}

type rewardResultsJSON struct {
	Data []rewardResultJSON `json:"data" nullable:"false" doc:"In the order in which they were named"`
}

func rewardResults(list []app.RewardResult, err error) (*output[rewardResultsJSON], error) {
	return one(list, err, func(list []app.RewardResult) (v rewardResultsJSON) {
		for _, r := range list {
			v.Data = append(v.Data, rewardResultJSON{r.Reward.String(), r.Outcome, orNull(r.Why)})
		}
		return v
	})
}

type decideRewardsInput struct {
	Body struct {
		Rewards  []string                 `json:"rewards" minItems:"1" maxItems:"500" nullable:"false" example:"[\"rwd_1\"]"`
		Decision affiliate.RewardDecision `json:"decision"`
		Reason   string                   `json:"reason,omitempty" doc:"Why they are rejected"`
	}
}

func (a *API) decideRewards(ctx context.Context, in *decideRewardsInput) (*output[rewardResultsJSON], error) {
	ids, err := affiliate.ParseIDs[affiliate.RewardID]("rewards", "rwd_", in.Body.Rewards)
	if err != nil {
		return nil, err
	}
	return rewardResults(a.App.DecideRewards(ctx, ids, in.Body.Decision, in.Body.Reason))
}

type giveRewardsInput struct {
	Body struct {
		Rewards []giftJSON `json:"rewards" minItems:"1" maxItems:"500" nullable:"false"`
	}
}

type giftJSON struct {
	Reward string `json:"reward" example:"rwd_1"`
	Code   string `json:"code,omitempty" doc:"That was handed over; needed of kind code"`
	Note   string `json:"note,omitempty" doc:"Such as the number of the parcel"`
}

func (a *API) giveRewards(ctx context.Context, in *giveRewardsInput) (*output[rewardResultsJSON], error) {
	gifts := make([]app.Gift, len(in.Body.Rewards))
	for i, g := range in.Body.Rewards {
		id, err := affiliate.ParseID[affiliate.RewardID]("rwd_", g.Reward)
		if err != nil {
			return nil, affiliate.AboutField("rewards", err)
		}
		gifts[i] = app.Gift{Reward: id, Code: g.Code, Note: g.Note}
	}
	return rewardResults(a.App.GiveRewards(ctx, gifts))
}

type makeRewardCodesInput struct {
	Body struct {
		Store   string   `json:"store" example:"str_1" doc:"Whose API makes codes"`
		Rewards []string `json:"rewards" minItems:"1" maxItems:"100" nullable:"false" doc:"Of kind code, approved; those with a code keep it"`
	}
}

func (a *API) makeRewardCodes(ctx context.Context, in *makeRewardCodesInput) (*output[rewardResultsJSON], error) {
	store, err := affiliate.OptionalID[affiliate.StoreID]("store", "str_", in.Body.Store)
	if err != nil {
		return nil, err
	}
	ids, err := affiliate.ParseIDs[affiliate.RewardID]("rewards", "rwd_", in.Body.Rewards)
	if err != nil {
		return nil, err
	}
	return rewardResults(a.App.MakeRewardCodes(ctx, ids, store))
}

type createEntriesInput struct {
	IdempotencyKey string `header:"Idempotency-Key" hidden:"true"`
	Body           struct {
		Kind     string   `json:"kind" enum:"bonus,adjustment,write_off" doc:"write_off: all that they owe in the currency, their balance below zero, is forgiven"`
		Creators []string `json:"creators" minItems:"1" maxItems:"5000" nullable:"false" example:"[\"cre_1\"]"`
		Offer    string   `json:"offer,omitempty" example:"off_1" doc:"To whose accounts it is posted; left out: it belongs to no campaign"`
		Amount   string   `json:"amount,omitempty" example:"25.00" doc:"For each of them; of an adjustment it may be negative, of a write_off it is left out"`
		Currency string   `json:"currency,omitempty" example:"EUR" doc:"The account's, unless another is given"`
		Reason   string   `json:"reason" doc:"Why; it is kept with the entries"`
	}
}

type entryResultJSON struct {
	Creator     string            `json:"creator" example:"cre_1"`
	CreatorName string            `json:"creator_name"`
	Outcome     app.MemberOutcome `json:"outcome" doc:"same: there was nothing to write off"`
	Amount      string            `json:"amount" example:"25.00" doc:"That was posted"`
	Why         *string           `json:"why" doc:"A sentence, where nothing was posted"`
}

type entryResultsJSON struct {
	Currency string            `json:"currency" example:"EUR"`
	Data     []entryResultJSON `json:"data" nullable:"false" doc:"In the order in which the creators were named"`
}

func (a *API) createEntries(ctx context.Context, in *createEntriesInput) (*output[entryResultsJSON], error) {
	b := in.Body
	settings, err := a.App.DB.SavedSettings(ctx)
	if err != nil {
		return nil, err
	}
	asked := app.NewEntries{Kind: affiliate.EntryKind(b.Kind), Reason: b.Reason}
	if in.IdempotencyKey != "" { // which is the caller's own
		asked.Key = app.Asker(ctx).ID + " " + in.IdempotencyKey
	}
	if asked.Creators, err = affiliate.ParseIDs[affiliate.CreatorID]("creators", "cre_", b.Creators); err != nil {
		return nil, err
	}
	if asked.Offer, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", b.Offer); err != nil {
		return nil, err
	}
	if asked.Currency, err = currencyIn("currency", b.Currency, settings.Currency); err != nil {
		return nil, err
	}
	if b.Amount != "" {
		if asked.Amount, err = affiliate.ParseSignedAmount("amount", b.Amount, asked.Currency); err != nil {
			return nil, err
		}
	}
	results, err := a.App.PostEntries(ctx, asked)
	return one(results, err, func(list []app.EntryResult) entryResultsJSON {
		v := entryResultsJSON{Currency: asked.Currency.Code()}
		for _, r := range list {
			v.Data = append(v.Data, entryResultJSON{r.Creator.String(), r.Name, r.Outcome,
				money.Format(r.Amount, asked.Currency), orNull(r.Why)})
		}
		return v
	})
}
