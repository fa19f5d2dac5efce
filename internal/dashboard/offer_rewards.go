package dashboard

import (
	"net/http"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func offerRewardRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/campaigns/:id/offers/:offer/rewards", signedIn, (*request).offerRewardsPage},
		{http.MethodGet, "/campaigns/:id/offers/:offer/rewards/new", change, (*request).newRewardRulePage},
		{http.MethodPost, "/campaigns/:id/offers/:offer/rewards/new", change, (*request).addRewardRule},
		{http.MethodPost, "/campaigns/:id/offers/:offer/rewards/end", change, (*request).endRewardRule},
	}
}

func offerRewardsAddress(o affiliate.Offer) string { return offerAddress(o) + "/rewards" }

// offerRewardsPage lists what members of an offer are rewarded for, and the rewards that they have earned.
type offerRewardsPage struct {
	offerHead
	Here  string // this page's address
	Rules []rewardRuleLine
	List  rewardList
}

// rewardRuleLine is a rule with what came of it.
type rewardRuleLine struct {
	affiliate.RewardRule
	Sentence string
	Days     string // of the orders that count
	Ended    string // when; empty while it goes on
	Rewards  string // how many were earned, and what they come to
	Behind   string // address of them; empty of none
	Approval string
}

func (r *request) offerRewardsPage() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	p := offerRewardsPage{Here: offerRewardsAddress(o)}
	if p.offerHead, err = r.offerHead(o, "rewards", "Rewards"); err != nil {
		return err
	}
	ctx, db := r.Request.Context(), r.d.App.DB
	rules, err := storage.All(func(p storage.Page) ([]affiliate.RewardRule, string, error) {
		return db.RewardRules(ctx, o.ID, p)
	})
	if err != nil {
		return err
	}
	ids := make([]affiliate.RewardRuleID, len(rules))
	for i, rule := range rules {
		ids[i] = rule.ID
	}
	counts, err := db.RewardCountsOf(ctx, ids)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		p.Rules = append(p.Rules, r.rewardRuleLine(rule, counts[rule.ID]))
	}
	if p.List, err = r.rewardList(storage.RewardFilter{Offer: o.ID}); err != nil {
		return err
	}
	p.List.All = rewardsOf("offer", o.ID.String())
	for format, address := range map[export.Format]*string{export.CSV: &p.List.Tools.CSV,
		export.XLSX: &p.List.Tools.XLSX} {
		*address = rewardsAddress + "." + string(format) + "?offer=" + o.ID.String()
	}
	return r.show("offer_rewards.html", &p)
}

func (r *request) rewardRuleLine(rule affiliate.RewardRule, counts []storage.RewardCount) rewardRuleLine {
	line := rewardRuleLine{RewardRule: rule, Sentence: rule.Sentence(r.zone), Days: r.ruleDays(rule.FromAt, rule.ToAt),
		Ended: r.date(rule.EndedAt), Rewards: "None yet", Approval: "By the rule, at once"}
	if rule.Approval == affiliate.ApprovedByPerson {
		line.Approval = "By a person"
	}
	if len(counts) > 0 {
		line.Rewards, line.Behind = rewardSummary(counts), rewardsOf("rule", rule.ID.String())
	}
	return line
}

// ruleDays says which orders count, by the days on which they are placed.
func (r *request) ruleDays(from, to time.Time) string {
	last := r.date(to.Add(-time.Second))
	switch {
	case from.IsZero() && to.IsZero():
		return "All orders"
	case from.IsZero():
		return "Orders until " + last
	case to.IsZero():
		return "Orders from " + r.date(from)
	}
	return "Orders from " + r.date(from) + " to " + last
}

// rewardRuleForm are the fields of a rule as people type them.
type rewardRuleForm struct {
	Name, Kind, Trigger, Count, Threshold, Amount, Currency, Product, Approval string
	From, To                                                                   string // days of the account's zone
	Gives                                                                      discountForm
	Errors                                                                     fieldErrors
}

// rewardTriggers are what a reward can be earned by, in words.
var rewardTriggers = []rewardTrigger{
	{affiliate.ByFirstConversion, "Their first conversion", ""},
	{affiliate.ByConversions, "A number of conversions, once", "count"},
	{affiliate.ByEveryConversions, "A number of conversions, again and again", "count"},
	{affiliate.BySales, "Sales that come to an amount, once", "threshold"},
	{affiliate.ByEverySales, "Sales that come to an amount, again and again", "threshold"},
	{affiliate.ByFirstOrder, "A first order of at least an amount", "threshold"},
	{affiliate.ByAnyOrder, "Any order of at least an amount, once", "threshold"},
}

// rewardTrigger is one of them with the field that it needs; empty for none.
type rewardTrigger struct {
	Value affiliate.RewardTrigger
	Title string
	Needs string
}

// newRewardRulePage makes a rule.
type newRewardRulePage struct {
	offerHead
	Back       string // the offer's rewards
	Form       rewardRuleForm
	Triggers   []rewardTrigger
	Currencies []choice
	Preview    string // what the rule would give by now; empty where nobody has asked
}

func (r *request) newRewardRulePage() error {
	return r.showRewardRule(http.StatusOK, rewardRuleForm{Kind: string(affiliate.RewardCash),
		Trigger: string(affiliate.ByFirstConversion), Approval: string(affiliate.ApprovedByRule),
		Currency: string(r.settings.Currency)}, nil, "")
}

// showRewardRule shows the form. Without what a code gives it begins with what the codes of the offer give.
func (r *request) showRewardRule(status int, form rewardRuleForm, gives *discountForm, preview string) error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	p := newRewardRulePage{Back: offerRewardsAddress(o), Form: form, Triggers: rewardTriggers,
		Preview: preview}
	if p.offerHead, err = r.offerHead(o, "rewards", "Add a reward"); err != nil {
		return err
	}
	if gives == nil {
		stores, err := r.openStores()
		if err != nil {
			return err
		}
		usual := r.discountFormOf(o.Discount, stores)
		gives = &usual
	}
	p.Form.Gives = *gives
	p.Failure = unseenError(form.Errors, "", "name", "kind", "trigger", "count", "threshold", "amount", "currency",
		"product", "approval", "from", "to", "discount")
	if _, p.Currencies, err = r.storeChoices(money.Currency(form.Currency)); err != nil {
		return err
	}
	r.render(status, "offer_reward_new.html", &p)
	return nil
}

// addRewardRule makes a rule, or shows what it would give by now.
func (r *request) addRewardRule() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	stores, err := r.openStores()
	if err != nil {
		return err
	}
	form := rewardRuleForm{Name: r.field("name"), Kind: r.field("reward"), Trigger: r.field("trigger"),
		Count: r.field("count"), Threshold: r.field("threshold"), Amount: r.field("worth"),
		Currency: r.field("in"), Product: r.field("product"), Approval: r.field("approval"), From: r.field("from"),
		To: r.field("to")}
	gives := r.discountForm(stores)
	rule, err := r.readRewardRule(form, o)
	if err == nil && rule.Kind == affiliate.RewardCode {
		var errs fieldErrors
		if rule.Discount, err = r.readDiscount(gives); err != nil {
			if errs, err = formErrors(err); err != nil {
				return err
			}
			gives.Errors = errs
			form.Errors = fieldErrors{"discount": "What the code gives is not complete; see below."}
			return r.showRewardRule(http.StatusUnprocessableEntity, form, &gives, "")
		}
	}
	var preview string
	switch {
	case err != nil:
	case r.field("preview") != "":
		preview, err = r.previewRewardRule(rule)
	default:
		_, err = r.d.App.AddRewardRule(r.Request.Context(), rule)
		if err == nil {
			return r.done(offerRewardsAddress(o), "The reward is added. What is earned by now shows in a moment.")
		}
	}
	if err == nil {
		return r.showRewardRule(http.StatusOK, form, &gives, preview)
	}
	if form.Errors, err = formErrors(err); err != nil {
		return err
	}
	return r.showRewardRule(http.StatusUnprocessableEntity, form, &gives, "")
}

// readRewardRule reads the fields, without what a code gives. Those that the kind or the trigger does not need are left
// out.
func (r *request) readRewardRule(form rewardRuleForm, o affiliate.Offer) (rule affiliate.RewardRule, err error) {
	rule = affiliate.RewardRule{OfferID: o.ID, Name: form.Name, Kind: affiliate.RewardKind(form.Kind),
		Trigger: affiliate.RewardTrigger(form.Trigger), Approval: affiliate.RewardApproval(form.Approval)}
	if rule.Kind == affiliate.RewardProduct {
		rule.Product = form.Product
	}
	if rule.Currency, err = money.ParseCurrency(form.Currency); err != nil {
		return rule, affiliate.FieldErrorf("currency", "%v", err)
	}
	needs := ""
	for _, t := range rewardTriggers {
		if t.Value == rule.Trigger {
			needs = t.Needs
		}
	}
	if needs == "count" {
		if rule.Count, err = strconv.ParseInt(form.Count, 10, 64); err != nil {
			return rule, affiliate.FieldErrorf("count", "must be a whole number of conversions, from 1 on")
		}
	}
	if needs == "threshold" {
		if rule.Threshold, err = r.typedAmount("threshold", form.Threshold, rule.Currency); err != nil {
			return rule, err
		}
	}
	if form.Amount != "" || rule.Kind == affiliate.RewardCash {
		if rule.Amount, err = r.typedAmount("amount", form.Amount, rule.Currency); err != nil {
			return rule, err
		}
	}
	if rule.FromAt, err = affiliate.ParseMoment("from", form.From, r.zone, 0); err != nil {
		return rule, err
	}
	rule.ToAt, err = affiliate.ParseMoment("to", form.To, r.zone, 1) // the last day counts
	return rule, err
}

// typedAmount reads an amount that is not negative, in the signs of whoever typed it.
func (r *request) typedAmount(field, text string, c money.Currency) (int64, error) {
	plain, err := r.readNumber(field, text)
	if err != nil {
		return 0, err
	}
	return affiliate.ParseAmount(field, plain, c)
}

// previewRewardRule says what a rule would give by now.
func (r *request) previewRewardRule(rule affiliate.RewardRule) (string, error) {
	would, err := r.d.App.PreviewRewardRule(r.Request.Context(), rule)
	if err != nil {
		return "", err
	}
	rule.Name = ""
	text := "It gives " + rule.Sentence(r.zone) + ". By now "
	if would.Rewards == 0 {
		return text + "nobody would have earned it.", nil
	}
	text += counted(would.Members, "creator", "creators") + " would have earned " + counted(would.Rewards, "reward",
		"rewards")
	if would.Amount > 0 {
		text += ", " + moneyText(would.Amount, would.Currency) + " in all"
	}
	return text + ".", nil
}

func (r *request) endRewardRule() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	id, err := affiliate.ParseID[affiliate.RewardRuleID]("rrl_", r.field("rule"))
	if err != nil {
		return err
	}
	rule, err := r.d.App.DB.RewardRule(r.Request.Context(), id)
	if err == nil && rule.OfferID != o.ID {
		err = affiliate.NoSuch(id)
	}
	if err == nil {
		rule, err = r.d.App.EndRewardRule(r.Request.Context(), id)
	}
	if err != nil {
		return err
	}
	return r.done(offerRewardsAddress(o), "“"+rule.Name+"” has ended: orders placed from now on do not count. "+
		"What was earned stays.")
}
