package app

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// latestCommission bounds how far ahead a change of commissions can be planned.
const latestCommission = 5 // years

// commissionTime is from when on a change of commissions counts.
type commissionTime struct{ now, from time.Time }

// later says whether that is still to come.
func (t commissionTime) later() bool { return t.from.After(t.now) }

// commissionTime reads from when on a change is to count; zero: from now.
func (a *App) commissionTime(from time.Time) (commissionTime, error) {
	t := commissionTime{now: a.now()}
	t.from = t.now
	if from.IsZero() {
		return t, nil
	}
	t.from = from.UTC().Truncate(time.Microsecond)
	switch {
	case t.from.Before(t.now):
		return t, affiliate.FieldErrorf("from", "must not be in the past: orders keep what was earned by them when "+
			"they were placed; leave it out for a change from now on")
	case t.from.After(t.now.AddDate(latestCommission, 0, 0)):
		return t, affiliate.FieldErrorf("from", "must be within %d years", latestCommission)
	}
	return t, nil
}

// offerInForce reads an offer, with its rules, and lets it show the one that is in force now.
func (a *App) offerInForce(ctx context.Context, tx *storage.Tx, id affiliate.OfferID) (affiliate.Offer,
	affiliate.CommissionRules, error) {
	o, err := tx.Offer(ctx, id)
	if err != nil {
		return o, nil, err
	}
	all, err := tx.OfferCommissions(ctx, id)
	if err != nil {
		return o, nil, err
	}
	rules := all.Offers[id]
	if in := affiliate.RuleAt(rules, nil, a.now()); in != o.Rule {
		o.Rule = in
		o, err = tx.SaveOffer(ctx, o)
	}
	return o, rules, err
}

// offerMemberInForce reads an offer member, with their rules, and lets them show the one that is in force now.
func (a *App) offerMemberInForce(ctx context.Context, tx *storage.Tx, id affiliate.OfferMemberID) (
	affiliate.OfferMember, affiliate.CommissionRules, error) {
	m, err := tx.OfferMember(ctx, id)
	if err != nil {
		return m, nil, err
	}
	all, err := tx.OfferCommissions(ctx, m.OfferID, id)
	if err != nil {
		return m, nil, err
	}
	rules := all.Members[id]
	if in := rules.At(a.now()); in.Version != m.RuleVersion {
		m.Override, m.RuleVersion = ownRule(in), in.Version
		m, err = tx.SaveOfferMember(ctx, m)
	}
	return m, rules, err
}

// ownRule is a member's own rule as an OfferMember has it.
func ownRule(r affiliate.CommissionRule) *affiliate.Rule {
	rule := r.Own()
	if rule != nil {
		rule.Version = 0
	}
	return rule
}

// memberEdit is a change of an offer member, whose own rule is meanwhile that of orders placed at a time.
type memberEdit struct {
	commissionTime
	before affiliate.OfferMember
	rules  affiliate.CommissionRules
	shows  affiliate.CommissionRule // the one that is in force now
	keeps  bool                     // rules are not looked at, and stay
}

// newMemberEdit begins a change of a member who has rules of their own.
func newMemberEdit(m affiliate.OfferMember, rules affiliate.CommissionRules, t commissionTime) memberEdit {
	then := rules.At(t.from)
	m.Override, m.RuleVersion = ownRule(then), then.Version
	return memberEdit{commissionTime: t, before: m, rules: rules, shows: rules.At(t.now)}
}

// save writes the member, and a change of their own rule.
func (e *memberEdit) save(ctx context.Context, tx *storage.Tx, m *affiliate.OfferMember) error {
	if next, other := e.rules.Change(m.Override, e.from); other && !e.keeps {
		next.OfferID, next.OfferMemberID, next.MadeAt, next.Author = m.OfferID, m.ID, e.now, actor(ctx)
		if err := tx.AddCommissionRules(ctx, next); err != nil {
			return err
		}
		if m.RuleVersion = next.Version; !e.later() {
			e.shows = next
		}
	}
	m.UpdatedAt = e.now
	saved, err := tx.SaveOfferMember(ctx, e.shown(*m))
	m.Version = saved.Version
	return err
}

// shown is the member with the rule that is in force now.
func (e *memberEdit) shown(m affiliate.OfferMember) affiliate.OfferMember {
	if !e.keeps {
		m.Override, m.RuleVersion = ownRule(e.shows), e.shows.Version
	}
	return m
}

// facts are what the audit log keeps of the member before or after.
func (e *memberEdit) facts(m affiliate.OfferMember) facts {
	f := offerMemberFacts(m)
	if e.later() && m.RuleVersion != e.before.RuleVersion {
		f["commission_from"] = auditTime(e.from)
	}
	return f
}

// DropCommissionRule takes back a change of commissions whose time has not come; Conflict where it has.
func (a *App) DropCommissionRule(ctx context.Context, id affiliate.CommissionRuleID) error {
	return a.changeCatalog(ctx, func(tx *storage.Tx) error {
		r, err := tx.CommissionRule(ctx, id)
		if err != nil {
			return err
		}
		if !r.FromAt.After(a.now()) {
			return affiliate.Errorf(affiliate.Conflict, "%s is in force, or was, and orders may have earned by it; "+
				"change the commission instead", id)
		}
		if err := tx.DropCommissionRule(ctx, id); err != nil {
			return err
		}
		before := facts{"commission_from": auditTime(r.FromAt), "rule_version": r.Version}
		if own := r.Own(); own != nil {
			before["commission_percent"] = affiliate.FormatPercent(own.Percent)
			before["commission_flat"] = affiliate.FormatFlat(own.Flat)
		}
		if r.OfferMemberID != 0 {
			return a.audit(ctx, tx, "offer_member.commission_drop", r.OfferMemberID, before, nil)
		}
		return a.audit(ctx, tx, "offer.commission_drop", r.OfferID, before, nil)
	})
}

// commissionsAtOnce bounds how many offers and members are brought up to date in one transaction.
const commissionsAtOnce = 100

// TakeCommissionsIntoEffect lets offers and members show the rules whose time has come, and says for how many there
// was something to do. What orders earn does not depend on it.
func (a *App) TakeCommissionsIntoEffect(ctx context.Context) (done int, err error) {
	for {
		offers, members, err := a.DB.CommissionsToTakeEffect(ctx, a.now(), commissionsAtOnce)
		if err != nil || len(offers)+len(members) == 0 {
			return done, err
		}
		n := 0
		err = a.changeCatalog(ctx, func(tx *storage.Tx) error {
			spent := partSpent()
			for _, id := range offers {
				if _, _, err := a.offerInForce(ctx, tx, id); err != nil {
					return err
				}
				if n++; spent() {
					return nil
				}
			}
			for _, id := range members {
				if _, _, err := a.offerMemberInForce(ctx, tx, id); err != nil {
					return err
				}
				if n++; spent() {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return done, err
		}
		done += n
		a.letOthersIn(ctx, true)
	}
}
