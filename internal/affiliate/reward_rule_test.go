package affiliate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/money"
)

var rewardDay = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func cashRule(trigger RewardTrigger, count, threshold int64) RewardRule {
	return RewardRule{Name: "Bonus", Kind: RewardCash, Trigger: trigger, Count: count, Threshold: threshold,
		Currency: "EUR", Amount: 5000, Approval: ApprovedByRule}
}

func TestRewardRule_Validate(t *testing.T) {
	ten := OfferDiscount{Discount: Discount{Kind: DiscountPercent, Percent: 1000}}
	for _, c := range []struct {
		name   string
		change func(*RewardRule)
		field  string // empty: valid
	}{
		{"as it should be", func(*RewardRule) {}, ""},
		{"no name", func(r *RewardRule) { r.Name = "" }, "name"},
		{"a name with a line end", func(r *RewardRule) { r.Name = "a\nb" }, "name"},
		{"no kind", func(r *RewardRule) { r.Kind = "" }, "kind"},
		{"an unknown trigger", func(r *RewardRule) { r.Trigger = "luck" }, "trigger"},
		{"nobody approves", func(r *RewardRule) { r.Approval = "" }, "approval"},
		{"an unknown currency", func(r *RewardRule) { r.Currency = "QQQ" }, "currency"},
		{"no count", func(r *RewardRule) { r.Count = 0 }, "count"},
		{"too large a count", func(r *RewardRule) { r.Count = mostCounted + 1 }, "count"},
		{"a count of nothing", func(r *RewardRule) { r.Trigger, r.Threshold = BySales, 1 }, "count"},
		{"a threshold of nothing", func(r *RewardRule) { r.Threshold = 1 }, "threshold"},
		{"no threshold", func(r *RewardRule) { r.Trigger, r.Count = ByAnyOrder, 0 }, "threshold"},
		{"sales", func(r *RewardRule) { r.Trigger, r.Count, r.Threshold = ByEverySales, 0, money.Limit }, ""},
		{"too large a threshold", func(r *RewardRule) {
			r.Trigger, r.Count, r.Threshold = ByEverySales, 0, money.Limit+1
		}, "threshold"},
		{"the first conversion counts none", func(r *RewardRule) { r.Trigger = ByFirstConversion }, "count"},
		{"no cash", func(r *RewardRule) { r.Amount = 0 }, "amount"},
		{"money back", func(r *RewardRule) { r.Amount = -1 }, "amount"},
		{"a product", func(r *RewardRule) { r.Kind, r.Product, r.Amount = RewardProduct, "a serum", 0 }, ""},
		{"no product", func(r *RewardRule) { r.Kind = RewardProduct }, "product"},
		{"cash and a product", func(r *RewardRule) { r.Product = "a serum" }, "product"},
		{"a code", func(r *RewardRule) { r.Kind, r.Discount = RewardCode, ten }, ""},
		{"a code for nothing", func(r *RewardRule) { r.Kind = RewardCode }, "discount"},
		{"a code that gives too much", func(r *RewardRule) {
			r.Kind, r.Discount = RewardCode, OfferDiscount{Discount: Discount{Kind: DiscountPercent, Percent: 10001}}
		}, "discount"},
		{"cash and a code", func(r *RewardRule) { r.Discount = ten }, "discount"},
		{"a period", func(r *RewardRule) { r.FromAt, r.ToAt = rewardDay, rewardDay.Add(time.Hour) }, ""},
		{"an end before the begin", func(r *RewardRule) { r.FromAt, r.ToAt = rewardDay, rewardDay }, "to"},
	} {
		rule := cashRule(ByEveryConversions, 10, 0)
		c.change(&rule)
		var e *Error
		err := rule.Validate()
		if errors.As(err, &e) && e.Field != c.field || (err != nil) != (c.field != "") {
			t.Errorf("%s: %v, want an error about %q", c.name, err, c.field)
		}
	}
}

// earnedText writes rewards as "1 by 3 of 10 (5000)": the first, by the conversion 3, with ten conversions of 50.00.
func earnedText(list []EarnedReward) string {
	var words []string
	for _, e := range list {
		words = append(words, fmt.Sprintf("%d by %d of %d (%d)", e.Nth, e.Conversion, e.Conversions, e.Sales))
	}
	return strings.Join(words, ", ")
}

func TestRewardRule_Earned(t *testing.T) {
	day := func(n int) time.Time { return rewardDay.AddDate(0, 0, n) }
	sales := []RewardSale{{7, day(2), 3000}, {1, day(1), 1000}, {3, day(2), 500}, {2, day(4), 12000}}
	for _, c := range []struct {
		name string
		rule RewardRule
		want string
	}{
		{"the first conversion", cashRule(ByFirstConversion, 0, 0), "1 by 1 of 1 (1000)"},
		{"three of them", cashRule(ByConversions, 3, 0), "1 by 7 of 3 (4500)"},
		{"five of them", cashRule(ByConversions, 5, 0), ""},
		{"every two", cashRule(ByEveryConversions, 2, 0), "1 by 3 of 2 (1500), 2 by 2 of 4 (16500)"},
		{"every one", cashRule(ByEveryConversions, 1, 0),
			"1 by 1 of 1 (1000), 2 by 3 of 2 (1500), 3 by 7 of 3 (4500), 4 by 2 of 4 (16500)"},
		{"sales of exactly so much", cashRule(BySales, 0, 4500), "1 by 7 of 3 (4500)"},
		{"sales of a cent more", cashRule(BySales, 0, 4501), "1 by 2 of 4 (16500)"},
		{"one order earns several", cashRule(ByEverySales, 0, 4500),
			"1 by 7 of 3 (4500), 2 by 2 of 4 (16500), 3 by 2 of 4 (16500)"},
		{"the first order", cashRule(ByFirstOrder, 0, 1000), "1 by 1 of 1 (1000)"},
		{"the first order is too small", cashRule(ByFirstOrder, 0, 1001), ""},
		{"any order, once", cashRule(ByAnyOrder, 0, 2000), "1 by 7 of 3 (4500)"},
		{"from a day on", func() RewardRule {
			r := cashRule(ByFirstConversion, 0, 0)
			r.FromAt = day(2)
			return r
		}(), "1 by 3 of 1 (500)"},
		{"before a day", func() RewardRule {
			r := cashRule(ByEveryConversions, 1, 0)
			r.ToAt = day(2)
			return r
		}(), "1 by 1 of 1 (1000)"},
		{"until it was ended", func() RewardRule {
			r := cashRule(ByEveryConversions, 3, 0)
			r.EndedAt = day(4)
			return r
		}(), "1 by 7 of 3 (4500)"},
	} {
		if got := earnedText(c.rule.Earned(sales)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	cent := cashRule(ByEverySales, 0, 1)
	if got := cent.Earned([]RewardSale{{1, day(1), money.Limit}, {2, day(2), money.Limit}}); len(got) != MostRewards {
		t.Errorf("a threshold of a cent gives %d rewards", len(got))
	}
}

// TestRewardRule_Earned_properties: what is earned does not depend on the order in which sales are given, has every
// number once, never shrinks with another sale behind the others, and repeats the numbers that the sales say.
func TestRewardRule_Earned_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := cashRule(rapid.SampledFrom(Words[RewardTrigger]()).Draw(t, "trigger"), 0, 0)
		if rule.Trigger.counts() {
			rule.Count = rapid.Int64Range(1, 4).Draw(t, "count")
		}
		if rule.Trigger.sums() {
			rule.Threshold = rapid.Int64Range(1, 400).Draw(t, "threshold")
		}
		if err := rule.Validate(); err != nil {
			t.Fatal(err)
		}
		var sales []RewardSale
		for i := range rapid.IntRange(0, 12).Draw(t, "sales") {
			sales = append(sales, RewardSale{ConversionID(i + 1), rewardDay.AddDate(0, 0, rapid.IntRange(0,
				5).Draw(t, "day")), rapid.Int64Range(0, 500).Draw(t, "value")})
		}
		earned := rule.Earned(sales)
		for i, e := range earned {
			if e.Nth != int64(i+1) {
				t.Fatalf("numbers are not 1, 2, 3 …: %+v", earned)
			}
		}
		shuffled := slices.Clone(sales)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		if again := rule.Earned(shuffled); !reflect.DeepEqual(earned, again) {
			t.Fatalf("in another order: %+v, want %+v", again, earned)
		}
		more := append(shuffled, RewardSale{99, rewardDay.AddDate(0, 0, 6), rapid.Int64Range(0, 500).Draw(t, "later")})
		if later := rule.Earned(more); len(later) < len(earned) || !slices.Equal(later[:len(earned)], earned) {
			t.Fatalf("with a later sale: %+v, had %+v", later, earned)
		}
		if want, n := int64(0), int64(len(sales)); rule.Trigger == ByEveryConversions {
			if want = n / rule.Count; int64(len(earned)) != want {
				t.Fatalf("%d rewards, want %d", len(earned), want)
			}
		}
	})
}

func TestRewardRule_Sentence(t *testing.T) {
	serum := cashRule(ByFirstConversion, 0, 0)
	serum.Kind, serum.Product = RewardProduct, "A serum"
	code := cashRule(ByAnyOrder, 0, 10000)
	code.Kind, code.Discount = RewardCode, OfferDiscount{Discount: Discount{Kind: DiscountPercent, Percent: 1000}}
	for _, c := range []struct {
		rule RewardRule
		want string
	}{
		{cashRule(ByEveryConversions, 10, 0), "50.00 EUR for every 10 conversions"},
		{cashRule(ByEveryConversions, 1, 0), "50.00 EUR for every conversion"},
		{cashRule(ByConversions, 1, 0), "50.00 EUR for 1 conversion"},
		{cashRule(BySales, 0, 123456), "50.00 EUR for sales of 1234.56 EUR"},
		{cashRule(ByEverySales, 0, 50000), "50.00 EUR for every 500.00 EUR of sales"},
		{cashRule(ByFirstOrder, 0, 10000), "50.00 EUR for a first order of at least 100.00 EUR"},
		{serum, "A serum for the first conversion"},
		{code, "a code (10 % off) for an order of at least 100.00 EUR"},
	} {
		if got := money.Plain(c.rule.Sentence(time.UTC)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	w := Reward{Earned: true, Currency: "EUR", Conversions: 10, Sales: 81250}
	if got := money.Plain(w.Why("#1041")); got != "10 conversions with sales of 812.50 EUR, reached with order #1041" {
		t.Error(got)
	}
	w.Earned, w.Conversions = false, 1
	if got := money.Plain(w.Why("")); got !=
		"no longer earned: it had come to 1 conversion with sales of 812.50 EUR, "+
			"and refunds or rejections have taken some back" {
		t.Error(got)
	}
}

func TestReward_Give(t *testing.T) {
	base := Reward{Kind: RewardProduct, Earned: true, Decision: RewardApproved}
	for _, c := range []struct {
		name   string
		change func(*Reward)
		code   string
		want   string // in the error; empty: it is given
	}{
		{"a product", func(*Reward) {}, "", ""},
		{"a product with a code", func(*Reward) {}, "X", "leave it out"},
		{"a code", func(r *Reward) { r.Kind = RewardCode }, "X", ""},
		{"a code without one", func(r *Reward) { r.Kind = RewardCode }, "", "must be the code"},
		{"cash", func(r *Reward) { r.Kind = RewardCash }, "", "nothing to give"},
		{"undone", func(r *Reward) { r.Earned = false }, "", "no longer earned"},
		{"waiting", func(r *Reward) { r.Decision = RewardWaiting }, "", "approve it first"},
		{"undone after it was given", func(r *Reward) { r.Earned, r.GivenAt = false, rewardDay }, "", ""},
	} {
		w := base
		c.change(&w)
		err := w.Give(c.code, "by mail", "Mia", rewardDay)
		if c.want == "" && (err != nil || !w.GivenAt.Equal(rewardDay) || !w.Counts()) ||
			c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || w.Note != "") {
			t.Errorf("%s: %v, %+v, want %q", c.name, err, w, c.want)
		}
	}
}

func TestForgive(t *testing.T) {
	a := func(n int) Account { return Account{CreatorID: 1, OfferMemberID: OfferMemberID(n)} }
	for _, c := range []struct {
		balances map[Account]int64
		want     []Posting
	}{
		{nil, nil},
		{map[Account]int64{a(1): -500, a(2): 500}, nil},
		{map[Account]int64{a(1): -500}, []Posting{{a(1), WriteOff, 500}}},
		{map[Account]int64{a(1): -500, a(2): 200}, []Posting{{a(1), WriteOff, 300}}},
		{map[Account]int64{a(3): -500, a(1): -100, a(2): 550}, []Posting{{a(1), WriteOff, 50}}},
		{map[Account]int64{a(3): -500, a(1): -100, a(2): 200}, []Posting{{a(1), WriteOff, 100}, {a(3), WriteOff, 300}}},
	} {
		if got := Forgive(c.balances); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: got %+v, want %+v", c.balances, got, c.want)
		}
	}
}
