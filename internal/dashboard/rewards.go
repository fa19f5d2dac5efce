package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

func rewardRoutes() []route {
	approve := may(affiliate.MayApprove)
	return []route{
		{http.MethodGet, "/rewards", signedIn, (*request).rewardsPage},
		{http.MethodGet, "/rewards.csv", signedIn, (*request).rewardsCSV},
		{http.MethodGet, "/rewards.xlsx", signedIn, (*request).rewardsXLSX},
		{http.MethodPost, "/rewards/decide", approve, (*request).decideRewards},
		{http.MethodGet, "/rewards/give", approve, (*request).giftsPage},
		{http.MethodPost, "/rewards/give", approve, (*request).giftsPage},
		{http.MethodPost, "/rewards/given", approve, (*request).giveRewards},
		{http.MethodPost, "/rewards/codes", approve, (*request).makeRewardCodes},
	}
}

const rewardsAddress = "/rewards"

// rewardAddress shows one reward.
func rewardAddress(id affiliate.RewardID) string { return rewardsAddress + "?ids=" + id.String() }

// rewardsOf is the address of the rewards that some parameters narrow the list to, names and values by turns.
func rewardsOf(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return rewardsAddress + "?" + q.Encode()
}

// rewardLooks are how states look.
var rewardLooks = map[affiliate.RewardState]struct{ class, icon string }{
	affiliate.RewardToApprove: {"warn", "clock"}, affiliate.RewardToGive: {"info", "gift"},
	affiliate.RewardGiven: {"good", "check"}, affiliate.RewardDeclined: {"bad", "cross"},
	affiliate.RewardUndone: {"", "back"}, affiliate.RewardKept: {"orange", "half"}}

// rewardStates are the states to choose from.
func rewardStates() (list []choice) {
	for _, s := range affiliate.Words[affiliate.RewardState]() {
		title := tables.RewardState(s, "")
		if s == affiliate.RewardGiven {
			title = "Given or credited"
		}
		list = append(list, choice{string(s), title})
	}
	return list
}

// rewardList is a table of rewards that can be decided about. The template "reward-list" shows it.
type rewardList struct {
	Columns  []column
	Rows     []rewardLine
	Summary  string // of all that match: how many, and what counts
	Narrowed bool
	May      bool   // decide and give
	Back     string // the page that shows it
	All      string // address of the list that is not narrowed
	Tools    tableTools
	Pager    pager
}

// rewardLine is a reward as a table shows it.
type rewardLine struct {
	storage.RewardItem
	Profile string // address of the creator
	OfferAt string // address of the offer's rewards
	Title   string // the rule, with the number where it is not the first
	Why     string
	OrderAt string // address of the order that reached the mark; empty where none does
	Badge   badge
	About   string // what else there is to know of its state
	What    string // that is given, or was; empty of cash
	Decided string // by whom; empty while nobody has
	Waits   bool   // for somebody's decision
	ToGive  bool
}

// rewardList reads a page of rewards.
func (r *request) rewardList(f storage.RewardFilter) (l rewardList, err error) {
	ctx := r.Request.Context()
	l = rewardList{May: r.may(affiliate.MayApprove), Back: r.here(), All: rewardsAddress}
	if l.Columns, err = r.columns("rewards"); err != nil {
		return l, err
	}
	spare(l.Columns, "state")
	rows, next, err := r.d.App.DB.Rewards(ctx, f, r.page())
	if err != nil {
		return l, err
	}
	for _, row := range rows {
		l.Rows = append(l.Rows, r.rewardLine(row))
	}
	counts, err := r.d.App.DB.RewardCounts(ctx, f)
	l.Summary, l.Pager, l.Tools = rewardSummary(counts), r.pager(next), r.tools("rewards", l.Columns, rewardsAddress)
	return l, err
}

// rewardSummary says how many rewards there are, what waits for somebody, and what counts.
func rewardSummary(counts []storage.RewardCount) string {
	var all, approve, give int64
	var cash, goods []storage.RewardCount
	for _, c := range counts {
		all += c.N
		switch {
		case c.State == affiliate.RewardToApprove:
			approve += c.N
		case c.State == affiliate.RewardToGive:
			give += c.N
			goods = append(goods, c)
		case c.Kind == affiliate.RewardCash && c.State == affiliate.RewardGiven:
			cash = append(cash, c)
		case c.State == affiliate.RewardGiven || c.State == affiliate.RewardKept:
			goods = append(goods, c)
		}
	}
	words := []string{counted(all, "reward", "rewards")}
	if approve > 0 {
		words = append(words, countText(approve)+" to approve")
	}
	if give > 0 {
		words = append(words, countText(give)+" to give")
	}
	of := func(c storage.RewardCount) (int64, money.Currency) { return c.Amount, c.Currency }
	if len(cash) > 0 {
		words = append(words, sumOf(cash, of)+" credited")
	}
	if len(goods) > 0 {
		words = append(words, sumOf(goods, of)+" in products and codes")
	}
	return strings.Join(words, ", ")
}

func (r *request) rewardLine(item storage.RewardItem) rewardLine {
	state := item.State()
	look := rewardLooks[state]
	line := rewardLine{RewardItem: item, Profile: creatorAddress(item.CreatorID),
		OfferAt: offerRewardsAddress(affiliate.Offer{ID: item.OfferID, CampaignID: item.CampaignID}),
		Title:   item.Rule, Why: sentenceCase(item.Reward.Why(item.Order)),
		Badge: badge{look.class, look.icon, tables.RewardState(state, item.Kind)},
		Waits: state == affiliate.RewardToApprove, ToGive: state == affiliate.RewardToGive}
	if item.Nth > 1 {
		line.Title += ", no. " + countText(item.Nth)
	}
	if item.Earned && item.OrderID != 0 {
		line.OrderAt = orderAddress(item.OrderID)
	}
	switch item.Kind {
	case affiliate.RewardProduct:
		line.What = item.Product
	case affiliate.RewardCode:
		line.What = "A code"
		if item.Code != "" {
			line.What = "The code " + item.Code
		}
	}
	if item.Decision != affiliate.RewardWaiting {
		line.Decided = actorText(item.DecidedBy)
		if line.Decided == "" {
			line.Decided = "by rule"
		}
	}
	given := "given " + r.date(item.GivenAt)
	if item.Note != "" {
		given += ": " + item.Note
	}
	switch {
	case state == affiliate.RewardDeclined:
		line.About = item.Reason
	case state == affiliate.RewardUndone:
		line.About = "since " + r.date(item.UndoneAt)
		if item.Decision == affiliate.RewardRejected {
			line.About += "; it was rejected before"
		}
	case state == affiliate.RewardKept:
		line.About = given + "; not earned any more since " + r.date(item.UndoneAt) + ", and still a cost"
	case !item.GivenAt.IsZero():
		line.About = given
	}
	return line
}

// rewardsPage lists the rewards of all offers.
type rewardsPage struct {
	layout
	Filter    storage.RewardFilter
	States    []choice
	Campaigns []choice
	Offers    []choice // of the campaign that is chosen
	Chosen    []filterChip
	List      rewardList
	None      bool // there is no reward at all
}

func (r *request) rewardsPage() error {
	q := r.filters()
	p := rewardsPage{layout: r.layout("Rewards", "rewards"), Filter: q.Rewards(), States: rewardStates()}
	if err := q.Err(); err != nil {
		return err
	}
	foreign, err := r.rewardChoices(&p)
	if err != nil {
		return err
	}
	if foreign {
		r.Redirect(http.StatusSeeOther, r.with("offer", ""))
		return nil
	}
	if p.List, err = r.rewardList(p.Filter); err != nil {
		return err
	}
	f := p.Filter
	p.List.Narrowed = f.Search != "" || f.State != "" || f.Campaign != 0 || f.Offer != 0 || f.Creator != 0 ||
		f.Rule != 0 || len(f.IDs) > 0
	p.None = len(p.List.Rows) == 0 && !p.List.Narrowed
	return r.show("rewards.html", &p)
}

// rewardChoices reads what the list can be narrowed to, and names what it is narrowed to beside the fields of the form.
// foreign says that the offer of the address is one of another campaign: somebody has chosen another one.
func (r *request) rewardChoices(p *rewardsPage) (foreign bool, err error) {
	ctx, db, f := r.Request.Context(), r.d.App.DB, p.Filter
	if p.Campaigns, err = r.campaignChoicesWith(f.Campaign); err != nil {
		return false, err
	}
	chip := func(field, title, text, address string) {
		p.Chosen = append(p.Chosen, filterChip{title, text, address, r.with(field, ""), hiddenField{field,
			strings.Join(r.QueryArray(field), ",")}})
	}
	switch {
	case f.Campaign != 0:
		offers, _, err := db.Offers(ctx, f.Campaign, storage.Page{Limit: storage.MaxLimit})
		if err != nil {
			return false, err
		}
		foreign = f.Offer != 0
		for _, o := range offers {
			p.Offers = append(p.Offers, choice{o.ID.String(), o.Name})
			foreign = foreign && o.ID != f.Offer
		}
	case f.Offer != 0:
		o, err := db.Offer(ctx, f.Offer)
		if err != nil {
			return false, err
		}
		chip("offer", "Offer", o.Name, offerRewardsAddress(o))
	}
	if f.Creator != 0 {
		c, err := db.Creator(ctx, f.Creator)
		if err != nil {
			return false, err
		}
		chip("creator", "Creator", c.Name, creatorAddress(c.ID))
	}
	if f.Rule != 0 {
		rule, err := db.RewardRule(ctx, f.Rule)
		if err != nil {
			return false, err
		}
		chip("rule", "Rule", rule.Name, "")
	}
	if len(f.IDs) > 0 {
		chip("ids", "Only", "chosen ones", "")
	}
	return foreign, nil
}

func (r *request) rewardsCSV() error  { return r.sendRewards(export.CSV) }
func (r *request) rewardsXLSX() error { return r.sendRewards(export.XLSX) }

func (r *request) sendRewards(format export.Format) error {
	q := r.filters()
	f := q.Rewards()
	if err := q.Err(); err != nil {
		return err
	}
	return r.download(format, affiliate.Range{}, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportRewards(r.Request.Context(), nil, f, o)
		return err
	}, "rewards")
}

// chosenRewards are the rewards that a form, or an address, names.
func (r *request) chosenRewards() ([]affiliate.RewardID, error) {
	ids, err := affiliate.ParseIDs[affiliate.RewardID]("ids", "rwd_", r.either("ids"))
	if err == nil && len(ids) == 0 {
		err = affiliate.Errorf(affiliate.Invalid, "no reward is selected; tick some rows first")
	}
	if err == nil && len(ids) > storage.MaxLimit {
		err = affiliate.Errorf(affiliate.Invalid, "more than %s rewards are selected; select fewer",
			countText(storage.MaxLimit))
	}
	return ids, err
}

// rewardsByID reads some rewards, by creator.
func (r *request) rewardsByID(ids []affiliate.RewardID) (map[affiliate.RewardID]rewardLine, error) {
	rows, _, err := r.d.App.DB.Rewards(r.Request.Context(), storage.RewardFilter{IDs: ids},
		storage.Page{Limit: storage.MaxLimit})
	lines := make(map[affiliate.RewardID]rewardLine, len(rows))
	for _, row := range rows {
		lines[row.ID] = r.rewardLine(row)
	}
	return lines, err
}

// rejectPage asks why rewards are rejected.
type rejectPage struct {
	layout
	Rows   []rewardLine
	Back   string
	Reason string
	Errors fieldErrors
}

// N is how many rewards there are.
func (p rejectPage) N() int64 { return int64(len(p.Rows)) }

// decidedRewards say what was done.
var decidedRewards = map[affiliate.RewardDecision]string{affiliate.RewardApproved: "approved",
	affiliate.RewardRejected: "rejected", affiliate.RewardWaiting: "waiting for a decision again"}

// decideRewards approves or rejects rewards, or has them wait again: those that are ticked, or the one whose own button
// was pressed. Why some are rejected is asked on a page of its own.
func (r *request) decideRewards() error {
	to := back(r.field("back"), rewardsAddress)
	if r.field("nothing") != "" { // the enter key, in a browser without script
		return r.done(to, "")
	}
	decision := affiliate.RewardDecision(r.field("decision"))
	if one := r.field("approve"); one != "" {
		decision = affiliate.RewardApproved
		r.Request.PostForm["ids"] = []string{one}
	}
	ids, err := r.chosenRewards()
	if err != nil {
		return err
	}
	if decision == affiliate.RewardRejected && !r.posted("reason") {
		return r.askWhyRejected(ids, to, nil)
	}
	results, err := r.d.App.DecideRewards(r.Request.Context(), ids, decision, r.field("reason"))
	if decision == affiliate.RewardRejected && err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.askWhyRejected(ids, to, errs)
	}
	if err != nil {
		return err
	}
	return r.rewardsChanged(results, decidedRewards[decision], to)
}

// posted says whether a form has a field.
func (r *request) posted(name string) bool {
	_, there := r.GetPostForm(name)
	return there
}

// askWhyRejected asks why rewards are rejected, and says what was wrong with what was answered.
func (r *request) askWhyRejected(ids []affiliate.RewardID, to string, errs fieldErrors) error {
	p := rejectPage{layout: r.layout("Reject rewards", "rewards"), Back: to, Reason: r.field("reason"), Errors: errs}
	lines, err := r.rewardsByID(ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if line, ok := lines[id]; ok {
			p.Rows = append(p.Rows, line)
		}
	}
	p.Failure = unseenError(errs, "reason")
	status := http.StatusOK
	if errs != nil {
		status = http.StatusUnprocessableEntity
	}
	r.render(status, "rewards_reject.html", &p)
	return nil
}

// rewardsChanged goes back with what was done, or shows what could not be.
func (r *request) rewardsChanged(results []app.RewardResult, done, to string) error {
	var changed, same int64
	var failed []affiliate.RewardID
	why := map[affiliate.RewardID]string{}
	for _, result := range results {
		switch result.Outcome {
		case app.MemberChanged:
			changed++
		case app.MemberSame:
			same++
		default:
			failed, why[result.Reward] = append(failed, result.Reward), result.Why
		}
	}
	text := counted(changed, "reward is ", "rewards are ") + done + "."
	if same > 0 {
		text += " " + counted(same, "was so before.", "were so before.")
	}
	if len(failed) == 0 {
		return r.done(to, text)
	}
	p := outcomesPage{layout: r.layout("What was done", "rewards"), Back: to, Text: text,
		Question: counted(int64(len(failed)), "reward stays as it is", "rewards stay as they are")}
	lines, err := r.rewardsByID(failed)
	if err != nil {
		return err
	}
	for _, id := range failed {
		line, ok := lines[id]
		if !ok {
			line.Creator, line.Title = "A reward that is no longer there", "—"
		}
		p.Rows = append(p.Rows, outcomeLine{Name: line.Creator, Address: line.Profile, About: line.Title,
			Badge: badge{"bad", "cross", "Failed"}, Why: why[id]})
	}
	return r.show("outcomes.html", &p)
}

// outcomesPage says what became of each of many.
type outcomesPage struct {
	layout
	Text     string // what was done
	Question string // the title of the table
	Rows     []outcomeLine
	Back     string
}

type outcomeLine struct {
	Name, Address string // of whom it is about
	About         string
	Amount        string
	Badge         badge
	Why           string
}

// Amounts says whether some line has an amount.
func (p outcomesPage) Amounts() bool {
	for _, l := range p.Rows {
		if l.Amount != "" {
			return true
		}
	}
	return false
}

// giftsPage asks what is noted of products and codes that were given.
type giftsPage struct {
	layout
	Rows []giftLine
	Back string
	Left string // how many were chosen that are not to be given
	// Stores are those whose API makes the codes among them.
	Stores []affiliate.Store
}

// N is how many rewards there are.
func (p giftsPage) N() int64 { return int64(len(p.Rows)) }

type giftLine struct {
	rewardLine
	Gives  string // what the code gives
	Code   string // as it was typed
	Note   string
	Error  string
	IsCode bool
}

func (r *request) giftsPage() error {
	to := back(r.one("back"), rewardsAddress)
	if r.Request.Method == http.MethodGet && len(r.either("ids")) == 0 {
		return r.done(rewardsOf("state", string(affiliate.RewardToGive)), "")
	}
	ids, err := r.chosenRewards()
	if err != nil {
		return err
	}
	p, err := r.gifts(ids, to)
	if err != nil {
		return err
	}
	return r.show("rewards_give.html", p)
}

// gifts reads which of some rewards are to be given.
func (r *request) gifts(ids []affiliate.RewardID, to string) (*giftsPage, error) {
	p := &giftsPage{layout: r.layout("Give rewards", "rewards"), Back: to}
	lines, err := r.rewardsByID(ids)
	if err != nil {
		return nil, err
	}
	gives := map[affiliate.RewardRuleID]string{}
	var left int64
	for _, id := range ids {
		line, ok := lines[id]
		if !ok || !line.ToGive {
			left++
			continue
		}
		gift := giftLine{rewardLine: line, IsCode: line.Kind == affiliate.RewardCode,
			Code: r.field("code-" + id.String()),
			Note: r.field("note-" + id.String())}
		if gift.IsCode {
			if gives[line.RuleID] == "" {
				rule, err := r.d.App.DB.RewardRule(r.Request.Context(), line.RuleID)
				if err != nil {
					return nil, err
				}
				gives[line.RuleID] = rule.Discount.Sentence(r.zone)
			}
			gift.Gives = gives[line.RuleID]
		}
		p.Rows = append(p.Rows, gift)
	}
	if len(gives) > 0 {
		if p.Stores, err = r.codeStores(); err != nil {
			return nil, err
		}
	}
	if left > 0 {
		p.Left = counted(left, "reward is", "rewards are") + " left out: only products and codes that are approved, " +
			"and not given yet, can be given."
	}
	return p, nil
}

// giveRewards notes that products were sent and codes handed over. Those that fail are asked again.
func (r *request) giveRewards() error {
	to := back(r.field("back"), rewardsAddress)
	if r.field("nothing") != "" {
		return r.done(to, "")
	}
	ids, err := r.chosenRewards()
	if err != nil {
		return err
	}
	gifts := make([]app.Gift, len(ids))
	for i, id := range ids {
		gifts[i] = app.Gift{Reward: id, Code: r.field("code-" + id.String()), Note: r.field("note-" + id.String())}
	}
	results, err := r.d.App.GiveRewards(r.Request.Context(), gifts)
	if err != nil {
		return err
	}
	var failed []affiliate.RewardID
	var given int64
	why := map[affiliate.RewardID]string{}
	for _, result := range results {
		if result.Outcome == app.MemberFailed {
			failed, why[result.Reward] = append(failed, result.Reward), sentenceOf("", result.Why)
		} else {
			given++
		}
	}
	text := counted(given, "reward is given.", "rewards are given.")
	if len(failed) == 0 {
		return r.done(to, text)
	}
	p, err := r.gifts(failed, to)
	if err != nil {
		return err
	}
	if len(p.Rows) == 0 { // somebody else was faster, or they are not earned any more
		return r.rewardsChanged(results, "given", to)
	}
	for i := range p.Rows {
		p.Rows[i].Error = why[p.Rows[i].ID]
	}
	p.Failure = text + " The others below are not."
	r.render(http.StatusUnprocessableEntity, "rewards_give.html", p)
	return nil
}

// codeStores are those whose API makes codes.
func (r *request) codeStores() (list []affiliate.Store, err error) {
	stores, err := r.openStores()
	if err != nil {
		return nil, err
	}
	for _, s := range stores {
		reading, err := r.d.App.CouponReading(r.Request.Context(), s)
		if err != nil {
			return nil, err
		}
		if reading.Can {
			list = append(list, s)
		}
	}
	return list, nil
}

// makeRewardCodes makes the codes among some rewards in a store; the others are asked for again.
func (r *request) makeRewardCodes() error {
	to := back(r.field("back"), rewardsAddress)
	ids, err := r.chosenRewards()
	if err != nil {
		return err
	}
	store, err := affiliate.OptionalID[affiliate.StoreID]("store", "str_", r.field("store"))
	if err != nil {
		return err
	}
	lines, err := r.rewardsByID(ids)
	if err != nil {
		return err
	}
	codes := slices.DeleteFunc(ids, func(id affiliate.RewardID) bool {
		return lines[id].Kind != affiliate.RewardCode
	})
	results, err := r.d.App.MakeRewardCodes(r.Request.Context(), codes, store)
	if err != nil {
		return err
	}
	return r.rewardsChanged(results, "given", to)
}
