package affiliate

import (
	"cmp"
	"time"
)

// CommissionRuleID names a commission rule.
type CommissionRuleID int64

func (id CommissionRuleID) String() string { return prefixed("crl_", int64(id)) }

// CommissionRule is what members of an offer earn for orders placed from some time on: all members, or one who has a
// rule of their own. Rules are never changed; another one with a later From takes the place of those before it.
type CommissionRule struct {
	ID            CommissionRuleID
	OfferID       OfferID
	OfferMemberID OfferMemberID // 0: of the offer
	// Percent and Flat are as in Rule; both nil, of a member: they have no rule of their own any more, and the offer's
	// counts.
	Percent *int64
	Flat    *int64
	Version int       // grows from rule to rule of the same offer or member
	FromAt  time.Time // orders placed from then on, UTC; zero: all
	MadeAt  time.Time
	Author  string // empty: it came with the offer or member, whose maker the audit log has
}

// Own is the rule that it gives a member; nil where the offer's counts.
func (r CommissionRule) Own() *Rule {
	if r.Percent == nil && r.Flat == nil {
		return nil
	}
	rule := Rule{Version: r.Version}
	if r.Percent != nil {
		rule.Percent = *r.Percent
	}
	if r.Flat != nil {
		rule.Flat = *r.Flat
	}
	return &rule
}

// gives says whether it gives what is asked for; nil: the offer's rule.
func (r CommissionRule) gives(rule *Rule) bool {
	own := r.Own()
	if own == nil || rule == nil {
		return own == nil && rule == nil
	}
	return own.Percent == rule.Percent && own.Flat == rule.Flat
}

// CommissionRules are rules of one offer, or of one member, in any order.
type CommissionRules []CommissionRule

// At gives the rule for orders placed at a time: the last to come into effect until then, and of those that come at
// the same time the last one that was made. The zero CommissionRule, which gives the offer's, when there is none.
func (rules CommissionRules) At(placed time.Time) (found CommissionRule) {
	some := false
	for _, r := range rules {
		later := cmp.Or(r.FromAt.Compare(found.FromAt), cmp.Compare(r.ID, found.ID)) > 0
		if !r.FromAt.After(placed) && (later || !some) {
			found, some = r, true
		}
	}
	return found
}

// Change gives the rule that has orders placed from a time on earn what is asked for; nil is the offer's rule. False
// where they do already.
func (rules CommissionRules) Change(rule *Rule, from time.Time) (CommissionRule, bool) {
	if rules.At(from).gives(rule) {
		return CommissionRule{}, false
	}
	r := CommissionRule{Version: 1, FromAt: from}
	for _, other := range rules {
		r.Version = max(r.Version, other.Version+1)
	}
	if rule != nil {
		r.Percent, r.Flat = &rule.Percent, &rule.Flat
	}
	return r, true
}

// RuleAt is what a member earns of an order placed at a time: by a rule of their own, or else by the offer's. The
// versions of both are added up, so that the sum grows with either.
func RuleAt(offer, member CommissionRules, placed time.Time) Rule {
	of, own := offer.At(placed), member.At(placed)
	rule := own.Own()
	if rule == nil {
		if rule = of.Own(); rule == nil {
			rule = &Rule{}
		}
	}
	rule.Version = of.Version + own.Version
	return *rule
}
