package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Decision is what a person says about conversions.
type Decision string

const (
	Reject  Decision = "reject"  // takes it out of all totals
	Undo    Decision = "undo"    // takes a rejection back
	Release Decision = "release" // lets a held one pass
	Keep    Decision = "keep"    // says that an approved one is credited rightly
)

// Words lists the decisions there are.
func (Decision) Words() []Decision { return []Decision{Reject, Undo, Release, Keep} }

func (d Decision) validate() error {
	if !slices.Contains(d.Words(), d) {
		return affiliate.FieldErrorf("decision", "must be %s, %s, %s or %s", Reject, Undo, Release, Keep)
	}
	return nil
}

// Bounds of a decision.
const (
	MaxDecided = 500 // conversions in one call
	MaxReason  = 500 // bytes
)

// Decide rejects conversions, takes rejections back, releases held ones or keeps approved ones as they are: all of them
// or none. Commissions, totals and the ledger change in the same transaction, but for those that are kept; what was
// paid already is taken back from the next payout. A decision that was made before changes nothing. It gives the
// conversions as they are then, in the order of ids. Errors: Invalid for a list that is empty or too long, NotFound,
// Conflict for a conversion that is no longer credited or cannot be released or kept.
func (a *App) Decide(ctx context.Context, ids []affiliate.ConversionID, d Decision,
	reason string) ([]storage.Conversion, error) {
	list, _, err := a.decide(ctx, ids, d, reason, func(c storage.Conversion) (bool, error) {
		if c.Credited {
			return true, nil
		}
		const text = "%s is no longer credited to anybody"
		return false, affiliate.ForPeople(affiliate.Errorf(affiliate.Conflict, text, c.ID),
			fmt.Sprintf(text, "an order"))
	})
	return list, err
}

// decide is Decide about those conversions that concerns says yes to, as they are in the transaction, and counts those
// that it has changed.
func (a *App) decide(ctx context.Context, ids []affiliate.ConversionID, d Decision, reason string,
	concerns func(storage.Conversion) (bool, error)) (list []storage.Conversion, changed int64, err error) {
	if len(ids) == 0 || len(ids) > MaxDecided {
		return nil, 0, affiliate.FieldErrorf("ids", "must name 1 to %d conversions, not %d", MaxDecided, len(ids))
	}
	if err := d.validate(); err != nil {
		return nil, 0, err
	}
	reason = cleanText(reason)
	if len(reason) > MaxReason {
		return nil, 0, affiliate.FieldErrorf("reason", "must have at most %d bytes", MaxReason)
	}
	now := a.now()
	list, err = a.revise(ctx, distinctIDs(ids), func(c *storage.Conversion) error {
		if yes, err := concerns(*c); err != nil || !yes {
			return err
		}
		state := c.Approvals()
		switch d {
		case Reject:
			state.Reject(actor(ctx), reason, now)
		case Undo:
			state.Undo(actor(ctx), now)
		case Release:
			if err := state.Release(actor(ctx), now); err != nil {
				return notDecided(c.ID, "released", err)
			}
		case Keep:
			if err := state.Keep(actor(ctx), now); err != nil {
				return notDecided(c.ID, "kept as it is", err)
			}
		}
		c.SetApprovals(state)
		return nil
	}, func(tx *storage.Tx, changes []storage.ConversionChange) error {
		for _, c := range changes {
			if c.Before.Approvals() == c.After.Approvals() {
				continue
			}
			changed++
			if err := a.audit(ctx, tx, "conversion."+string(d), c.After.ID, approvalFacts(*c.Before),
				approvalFacts(c.After)); err != nil {
				return err
			}
		}
		return nil
	})
	return list, changed, err
}

// notDecided is the error of a conversion that cannot be what was decided.
func notDecided(id affiliate.ConversionID, what string, why error) error {
	const text = "%s cannot be %s: %v"
	return affiliate.ForPeople(affiliate.Errorf(affiliate.Conflict, text, id, what, why),
		fmt.Sprintf(text, "a conversion", what, why))
}

func approvalFacts(c storage.Conversion) facts {
	return facts{"approval": c.Approval, "reason": c.ApprovalReason, "released": c.Released, "commission": c.Commission,
		"currency": c.Currency}
}

// distinctIDs drops repeats and keeps the order.
func distinctIDs[ID comparable](ids []ID) []ID {
	seen := make(map[ID]bool, len(ids))
	var list []ID
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			list = append(list, id)
		}
	}
	return list
}
