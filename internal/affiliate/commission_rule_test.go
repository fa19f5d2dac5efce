package affiliate_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestRuleAt(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	rate := func(n int64) *int64 { return &n }
	offer := affiliate.CommissionRules{
		{ID: 1, Percent: rate(1000), Flat: rate(0), Version: 1},
		{ID: 4, Percent: rate(1500), Flat: rate(5), Version: 2, FromAt: day(10)},
		{ID: 5, Percent: rate(2000), Flat: rate(0), Version: 3, FromAt: day(10)}, // takes the place of the one before
		{ID: 6, Percent: rate(1200), Flat: rate(0), Version: 4, FromAt: day(5)},
	}
	member := affiliate.CommissionRules{
		{ID: 2, Percent: rate(3000), Version: 1, FromAt: day(3)},
		{ID: 3, Version: 2, FromAt: day(12)},
	}
	for _, c := range []struct {
		member affiliate.CommissionRules
		placed time.Time
		want   affiliate.Rule
	}{
		{nil, time.Time{}, affiliate.Rule{Percent: 1000, Version: 1}},
		{nil, day(5).Add(-time.Microsecond), affiliate.Rule{Percent: 1000, Version: 1}},
		{nil, day(5), affiliate.Rule{Percent: 1200, Version: 4}},
		{nil, day(30), affiliate.Rule{Percent: 2000, Version: 3}},
		{member, day(2), affiliate.Rule{Percent: 1000, Version: 1}},
		{member, day(3), affiliate.Rule{Percent: 3000, Version: 2}},
		{member, day(11), affiliate.Rule{Percent: 3000, Version: 4}},
		{member, day(12), affiliate.Rule{Percent: 2000, Version: 5}},
	} {
		if got := affiliate.RuleAt(offer, c.member, c.placed); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.placed, got, c.want)
		}
	}
	if got := affiliate.RuleAt(nil, nil, day(1)); got != (affiliate.Rule{}) {
		t.Errorf("of no rules: %+v", got)
	}
}

// TestCommissionRules_Change_property: a change from a time on leaves all before as it was, and gives what is asked for
// until the next planned change; the order of the rules is of no account; what is so already is no change.
func TestCommissionRules_Change_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func(n int) time.Time { return time.Unix(int64(n), 0).UTC() }
		first := int64(500)
		rules := affiliate.CommissionRules{{ID: 1, Percent: &first, Flat: new(int64), Version: 1}}
		for range rapid.IntRange(1, 8).Draw(t, "changes") {
			from := rapid.IntRange(0, 20).Draw(t, "from")
			var rule *affiliate.Rule
			if rapid.Bool().Draw(t, "own") {
				rule = &affiliate.Rule{Percent: rapid.Int64Range(0, 3).Draw(t, "percent"),
					Flat: rapid.Int64Range(0, 1).Draw(t, "flat")}
			}
			next, other := rules.Change(rule, at(from))
			before := slices.Clone(rules)
			if other {
				next.ID = affiliate.CommissionRuleID(len(rules) + 1)
				rules = append(rules, next)
			}
			later := 22 // when the next planned change comes
			for _, r := range before {
				if n := int(r.FromAt.Unix()); !r.FromAt.IsZero() && n > from {
					later = min(later, n)
				}
			}
			mixed := slices.Clone(rules)
			for i := range mixed {
				j := rapid.IntRange(0, len(mixed)-1).Draw(t, "swap")
				mixed[i], mixed[j] = mixed[j], mixed[i]
			}
			for n := -1; n <= 21; n++ {
				is, was := mixed.At(at(n)), before.At(at(n))
				switch {
				case (n < from || n >= later || !other) && is != was:
					t.Fatalf("at %d: %+v, was %+v", n, is, was)
				case n >= from && n < later && !sameRate(is.Own(), rule):
					t.Fatalf("at %d: %+v, want %+v", n, is, rule)
				}
			}
			if _, again := rules.Change(rule, at(from)); again {
				t.Fatal("the same change is one again")
			}
		}
	})
}

func sameRate(a, b *affiliate.Rule) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Percent == b.Percent && a.Flat == b.Flat
}

func TestOfferMember_SetRemoved(t *testing.T) {
	noon := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	var m affiliate.OfferMember
	m.SetActive(false, noon)
	m.SetRemoved(noon.Add(time.Hour))
	m.SetRemoved(noon.Add(2 * time.Hour))
	if !m.InactiveSince.Equal(noon) || !m.RemovedAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v", m)
	}
	if m.SetActive(true, noon); !m.InactiveSince.IsZero() || !m.RemovedAt.IsZero() {
		t.Errorf("active again: %+v", m)
	}
}
