package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

const tenRewards = spring + "/offers/off_1/rewards"

// rewardRule is one of the offer Ten percent.
func (h *house) rewardRule(r affiliate.RewardRule) affiliate.RewardRule {
	h.Helper()
	r.OfferID, r.Currency = 1, "USD"
	r, err := h.app.AddRewardRule(h.as(affiliate.RoleManager), r)
	h.must(err)
	return r
}

// rewardingHouse has a sale of Anna's, and for her three rewards that wait for a decision: money, a product and a code.
func rewardingHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00})
	for _, r := range []affiliate.RewardRule{
		{Name: "Welcome bonus", Kind: affiliate.RewardCash, Amount: 50_00},
		{Name: "Scarf", Kind: affiliate.RewardProduct, Amount: 12_00, Product: "A red scarf"},
		{Name: "Own shopping", Kind: affiliate.RewardCode, Amount: 20_00,
			Discount: affiliate.OfferDiscount{Discount: affiliate.Discount{Kind: affiliate.DiscountPercent,
				Percent: 20_00}}},
	} {
		r.Trigger, r.Approval = affiliate.ByFirstConversion, affiliate.ApprovedByPerson
		h.rewardRule(r)
	}
	h.reckon()
	return h
}

func (h *house) reckon() {
	h.Helper()
	_, err := h.app.ReckonRewards(h.Context())
	h.must(err)
}

// TestRewards: rewards are approved, rejected and given on their page, and go the way of the creator's statement.
func TestRewards(t *testing.T) {
	h := rewardingHouse(t)
	m := h.manager()
	m.get("/").is(http.StatusOK).says("3 rewards wait for approval")
	a := m.get("/rewards").is(http.StatusOK).says("3 rewards, 3 to approve", "Welcome bonus", "50.00 USD",
		"A red scarf", "To approve", "1 conversion with sales of 100.00 USD, reached with order")
	if !a.has("a[href=/orders/ord_1]") {
		t.Error("no reward leads to its order")
	}
	m.post("/rewards/decide", "decision", "approved", "ids", "rwd_1", "ids", "rwd_2", "ids", "rwd_3", "back",
		"/rewards?state=to_give").at("/rewards?state=to_give").says("3 rewards are approved.", "2 rewards, 2 to give, "+
		"32.00 USD in products and codes").hides("Welcome bonus")
	m.get("/").says("2 products and codes are to be given to creators")
	m.get("/rewards?state=given").says("1 reward, 50.00 USD credited", "Credited")
	m.get("/creators/cre_1").says("Welcome bonus", "Scarf")
	a = m.get("/creators/cre_1/statement?period=all_time")
	if a.says("Welcome bonus"); !a.has("a[href=/rewards?ids=rwd_1]") {
		t.Error("the entry does not lead to the reward")
	}
	m.get("/rewards?ids=rwd_1").says("Only: chosen ones", "Welcome bonus").hides("Scarf")

	m.get("/rewards/give?ids=rwd_2").is(http.StatusOK).says("Give 1 reward", "A red scarf", "12.00 USD")
	m.post("/rewards/give", "ids", "rwd_1", "ids", "rwd_2", "ids", "rwd_3").is(http.StatusOK).says("Give 2 rewards",
		"1 reward is left out", "A code that gives 20 % off")
	m.post("/rewards/given", "ids", "rwd_2", "ids", "rwd_3", "note-rwd_2", "parcel 17").
		is(http.StatusUnprocessableEntity).says("1 reward is given. The others below are not.", "Give 1 reward")
	m.post("/rewards/given", "ids", "rwd_3", "code-rwd_3", "ANNAOWN").at("/rewards").says("1 reward is given.",
		"parcel 17", "The code ANNAOWN")

	m.post("/rewards/decide", "decision", "rejected", "ids", "rwd_1").is(http.StatusOK).says("Reject 1 reward?",
		"Anna Ahlers: Welcome bonus")
	m.post("/rewards/decide", "decision", "rejected", "ids", "rwd_1", "reason", "").
		is(http.StatusUnprocessableEntity).says("Reject 1 reward?")
	m.post("/rewards/decide", "decision", "rejected", "ids", "rwd_1", "reason", "not theirs").at("/rewards").
		says("1 reward is rejected.", "not theirs")
	m.get("/creators/cre_1/statement?period=all_time").says("Reward taken back")
	m.post("/rewards/decide", "decision", "waiting", "ids", "rwd_1").says("1 reward is waiting for a decision again.")
	m.post("/rewards/decide", "approve", "rwd_1").says("1 reward is approved.")
	m.post("/rewards/decide", "decision", "approved", "ids", "rwd_1", "ids", "rwd_999").is(http.StatusOK).
		says("1 reward stays as it is", "A reward that is no longer there")
	m.post("/rewards/decide", "decision", "approved").is(http.StatusUnprocessableEntity).says("No reward is selected")
	h.owner().get("/settings/audit").says("approved the reward", "rejected the reward", "noted as given the reward",
		"added the reward rule")

	// A refund undoes all of them; what was given stays a cost.
	h.sell(sale{number: "1001", code: "ANNA10", value: 100_00, refund: 105_00})
	h.reckon()
	m.get("/rewards").says("Taken back", "Kept", "and still a cost", "32.00 USD in products and codes").
		hides("50.00 USD credited")
	h.consistent()
}

// TestRewards_viewer: whoever may not decide sees rewards, and no forms.
func TestRewards_viewer(t *testing.T) {
	h := rewardingHouse(t)
	v := h.viewer()
	for _, address := range []string{"/rewards", tenRewards} {
		a := v.get(address).is(http.StatusOK).says("Welcome bonus")
		if a.has("input[name=ids]") || a.has("button[name=approve]") {
			t.Errorf("%s offers a viewer to decide", address)
		}
	}
	for address, form := range map[string][]string{"/rewards/decide": {"ids", "rwd_1", "decision", "approved"},
		"/rewards/given": {"ids", "rwd_1"}, "/rewards/codes": {"ids", "rwd_3", "store", "str_1"},
		tenRewards + "/new": {"name", "x"}, tenRewards + "/end": {"rule", "rrl_1"},
		"/entries": {"creator", "cre_1"}} {
		v.post(address, form...).is(http.StatusForbidden)
		h.manager().postWith(map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, address,
			form...).is(http.StatusForbidden)
	}
	m := h.manager()
	m.post(spring+"/offers/off_1/rewards/end", "rule", "rrl_999").is(http.StatusNotFound)
	m.post("/campaigns/cmp_2/offers/off_2/rewards/end", "rule", "rrl_1").is(http.StatusNotFound)
}

// TestRewards_list: the list is narrowed as its address says, and its file has what it shows.
func TestRewards_list(t *testing.T) {
	h := rewardingHouse(t)
	v := h.viewer()
	for query, want := range map[string]int{"": 3, "?state=to_approve": 3, "?state=given": 0, "?campaign=cmp_1": 3,
		"?campaign=cmp_2": 0, "?campaign=cmp_1&offer=off_1": 3, "?offer=off_1": 3, "?creator=cre_1": 3,
		"?creator=cre_2": 0, "?q=ahlers": 3, "?q=nobody": 0, "?rule=rrl_2": 1, "?ids=rwd_1,rwd_3": 2} {
		if got := len(v.get("/rewards" + query).is(http.StatusOK).all("main table tbody tr")); got != want {
			t.Errorf("%q shows %d rewards, want %d", query, got, want)
		}
		file := v.get("/rewards.csv" + query).is(http.StatusOK).body
		if got := strings.Count(strings.TrimSpace(file), "\n"); got != want {
			t.Errorf("%q has a file of %d rewards, want %d:\n%s", query, got, want, file)
		}
	}
	v.get("/rewards?campaign=cmp_2&offer=off_1").at("/rewards?campaign=cmp_2")
	v.get("/rewards?state=nothing").is(http.StatusUnprocessableEntity)
}

// TestRewardRules: a rule is made by the form, after what it would give was shown, and ended.
func TestRewardRules(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 60_00}, sale{code: "ANNA10", value: 60_00}, sale{code: "BEN5", value: 30_00})
	m := h.manager()
	m.get(tenRewards).is(http.StatusOK).says("No reward is offered", "Nobody has earned a reward yet")
	m.get(tenRewards+"/new").is(http.StatusOK).says("What earns it", "Any order of at least an amount, once")
	form := func(pairs ...string) []string {
		fields := map[string]string{"name": "Two sales", "trigger": "every_conversions", "count": "2", "reward": "cash",
			"worth": "5.00", "in": "USD", "approval": "rule", "threshold": "left over"}
		for i := 0; i+1 < len(pairs); i += 2 {
			fields[pairs[i]] = pairs[i+1]
		}
		var list []string
		for name, value := range fields {
			list = append(list, name, value)
		}
		return list
	}
	m.post(tenRewards+"/new", form("preview", "1")...).is(http.StatusOK).says("It gives 5.00 USD for every 2 " +
		"conversions. By now 1 creator would have earned 1 reward, 5.00 USD in all.")
	m.post(tenRewards+"/new", form("preview", "1", "from", "2026-11-21")...).says("nobody would have earned it")
	for field, wrong := range map[string][]string{"count": {"count", "many"}, "name": {"name", ""},
		"amount": {"worth", ""}, "threshold": {"trigger", "sales"}, "to": {"from", "2026-11-20", "to", "2026-11-01"},
		"product": {"reward", "product"}, "discount": {"reward", "code", "kind", "percent", "percent", "x"},
		"currency": {"in", "nothing"}} {
		a := m.post(tenRewards+"/new", form(wrong...)...).is(http.StatusUnprocessableEntity)
		if len(a.all(".error")) == 0 {
			t.Errorf("%s: the form says nothing: %s", field, a.text())
		}
	}
	m.post(tenRewards+"/new", form()...).at(tenRewards).says("The reward is added", "Two sales",
		"5.00 USD for every 2 conversions", "None yet", "All orders")
	m.post(tenRewards+"/new", form("name", "Big one", "trigger", "any_order", "threshold", "50", "reward", "code",
		"kind", "percent", "percent", "15", "from", "2026-11-01", "to", "2026-11-30", "approval", "person", "worth",
		"")...).at(tenRewards).says("a code (15 % off", "an order of at least 50.00 USD",
		"Orders from 1 Nov 2026 to 30 Nov 2026", "By a person")
	h.reckon()
	m.get(tenRewards).says("1 reward, 5.00 USD credited", "1 reward, 1 to approve")
	m.post(tenRewards+"/end", "rule", "rrl_1").at(tenRewards).says("“Two sales” has ended", "ended 20 Nov 2026")
	h.owner().get("/settings/audit").is(http.StatusOK).says("ended the reward rule")
	m.get(spring + "/offers").says("Rewards")
}

// TestEntries: entries by hand are shown before they are posted, and are posted once.
func TestEntries(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00})
	m := h.owner()
	m.get("/entries/new").is(http.StatusOK).says("Choose for whom")
	a := m.get("/entries/new?creator=cre_1&back=/creators/cre_1").is(http.StatusOK).says("Anna Ahlers", "10.00 USD",
		"Outside of campaigns")
	if !m.get("/creators/cre_1").has("a[href=/entries/new?creator=cre_1&back=%2fcreators%2fcre_1]") {
		t.Error("the creator's page does not lead to entries")
	}
	m.post("/entries/new", "ids", "cre_1.USD.1000", "ids", "cre_2.USD.5").is(http.StatusOK).says("For 2 creators")
	m.post("/entries/new", "offer", "off_1", "ids", "ofm_1", "ids", "ofm_2").is(http.StatusOK).says("For 2 creators",
		"In Spring · Ten percent")
	sent := append(a.hidden(), "kind", "bonus", "amount", "25", "currency", "USD", "reason", "for the shooting",
		"creator", "cre_2")
	for _, wrong := range [][]string{{"amount", "0"}, {"reason", ""}, {"amount", "much"}, {"kind", "payout"},
		{"amount", "-3"}, {"currency", "nothing"}} {
		m.post("/entries/confirm", instead(sent, wrong...)...).is(http.StatusUnprocessableEntity).says("Post an entry")
	}
	a = m.post("/entries/confirm", sent...).is(http.StatusOK).says("Post 2 bonuses?", "In all 50.00 USD", "10.00 USD",
		"35.00 USD", "25.00 USD", "for the shooting")
	m.post("/entries/confirm", append(a.hidden(), "change", "1")...).is(http.StatusOK).says("What it is")
	for range 2 { // the same form posts once
		m.post("/entries", a.hidden()...).is(http.StatusOK).says("2 entries are posted: 50.00 USD.", "Posted")
	}
	h.owes("Anna Ahlers", 35_00)
	h.owes("Ben Botha", 25_00)

	minus := instead(sent, "kind", "adjustment", "amount", "−60", "key", "another")
	a = m.post("/entries/confirm", minus...).is(http.StatusOK).says("Post 2 adjustments?", "−25.00 USD", "−35.00 USD")
	m.post("/entries", a.hidden()...).is(http.StatusOK)
	h.owes("Anna Ahlers", -25_00)
	off := instead(sent, "kind", "write_off", "amount", "", "key", "third")
	a = m.post("/entries/confirm", off...).is(http.StatusOK).says("Post 2 write-offs?", "In all 60.00 USD", "0.00 USD")
	m.post("/entries", a.hidden()...).is(http.StatusOK).says("2 entries are posted: 60.00 USD.")
	m.post("/entries", instead(off, "key", "fourth")...).is(http.StatusOK).says("0 entries are posted.",
		"Nothing to post")
	h.owes("Ben Botha", 0)
	m.get("/creators/cre_1/statement?period=all_time").says("Write-off", "for the shooting")
	h.owner().get("/settings/audit").says("posted by hand")
	m.get("/entries/new?creator=x").is(http.StatusUnprocessableEntity)
	m.get("/entries/new?ids=ofm_1").is(http.StatusUnprocessableEntity)
	h.consistent()
}

// owes fails the test unless this is owed to a creator, in minor units of USD.
func (h *house) owes(name string, want int64) {
	h.Helper()
	accounts, err := h.db.Balances(h.Context(), []affiliate.CreatorID{h.creator(name).ID}, h.clock.now())
	h.must(err)
	var sum int64
	for _, a := range accounts {
		sum += a.Balance
	}
	if sum != want {
		h.Errorf("%s is owed %d, want %d", name, sum, want)
	}
}

// instead gives a form with other values of some fields.
func instead(form []string, pairs ...string) []string {
	form = append([]string{}, form...)
	for i := 0; i+1 < len(pairs); i += 2 {
		for j := 0; j+1 < len(form); j += 2 {
			if form[j] == pairs[i] {
				form[j+1] = pairs[i+1]
			}
		}
	}
	return form
}

// TestRewards_browser: a full list stays small on its way and well made, and the form of a rule shows only what the
// chosen trigger and kind need.
func TestRewards_browser(t *testing.T) {
	h := rewardingHouse(t)
	ctx := context.Background()
	h.must(h.db.InTx(ctx, func(tx *storage.Tx) error {
		var list []affiliate.Reward
		for i := range int64(limit) {
			list = append(list, affiliate.Reward{RuleID: 1, OfferMemberID: 1, Nth: i + 2, OfferID: 1, CampaignID: 1,
				CreatorID: 1, Kind: affiliate.RewardCash, Currency: money.Currency("USD"), Amount: 50_00, Earned: true,
				Decision: affiliate.RewardWaiting, ConversionID: 1, Conversions: i + 2, Sales: 100_00 * (i + 2),
				EarnedAt: noon, CreatedAt: noon, UpdatedAt: noon.Add(time.Second)})
		}
		return tx.SaveRewards(ctx, list)
	}))
	_, err := h.app.DecideRewards(h.as(affiliate.RoleManager), []affiliate.RewardID{2, 3, 40},
		affiliate.RewardApproved, "")
	h.must(err)
	b := h.browse(affiliate.RoleOwner)
	b.withoutCache()
	for name, address := range map[string]string{"rewards": "/rewards", "offer-rewards": tenRewards,
		"rule": tenRewards + "/new", "give": "/rewards/give?ids=rwd_2&ids=rwd_3",
		"entries": "/entries/new?creator=cre_1&creator=cre_2"} {
		b.inspect(name, address)
	}
	b.viewport(1440, 900)
	b.open(tenRewards + "/new")
	for click, want := range map[string]string{"sales": "threshold", "conversions": "count"} {
		var shown string
		b.eval(fmt.Sprintf(`(() => { document.querySelector("[name=trigger][value=%s]").click();
			return ["count", "threshold"].filter((id) => document.getElementById(id).checkVisibility()).join(" "); })()`, click),
			&shown)
		if shown != want {
			t.Errorf("for %s the form shows %q, want %q", click, shown, want)
		}
	}
}
