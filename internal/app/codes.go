package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewCode asks for a coupon code for an offer member in a store.
type NewCode struct {
	OfferMember affiliate.OfferMemberID
	Store       affiliate.StoreID
	Code        string
	ValidFrom   time.Time // zero: always hers when nobody owned it before, else from now on
}

// AddedCode is a new code with how many orders without credit carry it and may be credited by re-attribution.
type AddedCode struct {
	affiliate.Code
	Waiting int
}

// AddCode makes an offer member the owner of a code in a store. Conflict when somebody owns it; the error names them.
func (a *App) AddCode(ctx context.Context, in NewCode) (AddedCode, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (AddedCode, error) {
		store, err := tx.Store(ctx, in.Store)
		if err != nil {
			return AddedCode{}, asField("store", err)
		}
		if _, err := tx.OfferMember(ctx, in.OfferMember); err != nil {
			return AddedCode{}, asField("offer_member", err)
		}
		code, err := a.addCode(ctx, tx, in, store)
		if err != nil {
			return AddedCode{}, err
		}
		waiting, err := tx.OrdersWithCode(ctx, code.StoreID, code.Code, code.ValidFrom, code.ValidTo)
		return AddedCode{Code: code, Waiting: waiting}, err
	})
}

// addCode makes a code. Once it is somebody's again nobody's word on it counts: what comes after their time is to be
// asked about.
func (a *App) addCode(ctx context.Context, tx *storage.Tx, in NewCode, store affiliate.Store) (affiliate.Code, error) {
	c, err := a.makeCode(ctx, tx, in, store)
	if err == nil {
		_, err = tx.RestoreCodes(ctx, c.StoreID, []string{affiliate.FoldCode(c.Code)})
	}
	return c, err
}

// makeCode is addCode for whoever restores the codes.
func (a *App) makeCode(ctx context.Context, tx *storage.Tx, in NewCode, store affiliate.Store) (affiliate.Code, error) {
	now := a.now()
	c := affiliate.Code{OfferMemberID: in.OfferMember, StoreID: in.Store, Code: affiliate.Clean(in.Code),
		CreatedAt: now, UpdatedAt: now}
	if err := a.checkTypedCode(ctx, tx, c); err != nil {
		return c, err
	}
	if store.State == affiliate.StoreStateEnded {
		return c, affiliate.ConflictErrorf("store", "store %s was ended", store.Slug)
	}
	history, err := tx.CodeHistory(ctx, in.Store, c.Code)
	if err != nil {
		return c, err
	}
	wanted := in.ValidFrom.UTC().Truncate(time.Microsecond)
	if in.ValidFrom.IsZero() {
		wanted = time.Time{}
	}
	if other, ok := affiliate.Occupant(history, now); ok && (other.ValidTo.IsZero() || wanted.Before(other.ValidTo)) {
		return c, a.ownedError(ctx, tx, other, store.Slug)
	}
	if c.ValidFrom, err = affiliate.NextOwnership(history, wanted, now); err != nil {
		return c, err
	}
	if c, err = tx.CreateCode(ctx, c); err != nil {
		return c, err
	}
	if len(history) > 0 { // what was done to it while it was another's says nothing of theirs
		if err := tx.FreeCoupon(ctx, c.StoreID, affiliate.FoldCode(c.Code)); err != nil {
			return c, err
		}
	}
	return c, a.audit(ctx, tx, "code.add", c.ID, nil, codeFacts(c))
}

// checkTypedCode refuses what cannot be a code. What looks like two is one where an order of the store carries it.
func (a *App) checkTypedCode(ctx context.Context, tx *storage.Tx, c affiliate.Code) error {
	err := affiliate.ValidateTypedCode(c.Code)
	if err == nil || affiliate.ValidateCode(c.Code) != nil {
		return err
	}
	seen, dbErr := tx.OrdersWithCode(ctx, c.StoreID, c.Code, time.Time{}, time.Time{})
	if dbErr != nil || seen > 0 {
		return dbErr
	}
	return err
}

// ownedError says who owns a code and since when, and what to do.
func (a *App) ownedError(ctx context.Context, tx *storage.Tx, c affiliate.Code, store string) error {
	owner, err := tx.OwnerName(ctx, c.OfferMemberID)
	if err != nil {
		return err
	}
	const text, always = "%s belongs to %s (%s, %s) in %s, %s; %s", "always"
	since, told := always, always
	if !c.ValidFrom.IsZero() {
		since = "since " + c.ValidFrom.UTC().Format(time.RFC3339)
		told = "since " + c.ValidFrom.UTC().Format("2 January 2006, 15:04 UTC")
	}
	remedy, advice := fmt.Sprintf("end it first (%s)", c.ID), "end it there first"
	if !c.ValidTo.IsZero() {
		remedy = "it is free from " + c.ValidTo.UTC().Format(time.RFC3339) + " on: give that as valid_from"
		advice = "it is free from " + c.ValidTo.UTC().Format("2 January 2006, 15:04 UTC") + " on"
	}
	words := func(since, remedy string) string {
		return fmt.Sprintf(text, c.Code, owner.Creator, owner.Campaign, owner.Offer, store, since, remedy)
	}
	return affiliate.ForPeople(affiliate.ConflictErrorf("code", "%s", words(since, remedy)), words(told, advice))
}

// EndCode ends the ownership of a code at a moment, now when it is zero. The code stays as a tombstone with its orders.
// In the store nothing changes: a code run ends it there, too.
func (a *App) EndCode(ctx context.Context, id affiliate.CodeID, at time.Time) (affiliate.Code, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Code, error) { return a.endCode(ctx, tx, id, at) })
}

// endCode is EndCode for whoever has the catalog's lock.
func (a *App) endCode(ctx context.Context, tx *storage.Tx, id affiliate.CodeID, at time.Time) (affiliate.Code, error) {
	return a.amendCode(ctx, tx, id, "end", func(c *affiliate.Code) error {
		now := a.now()
		history, err := tx.CodeHistory(ctx, c.StoreID, c.Code)
		if err != nil {
			return err
		}
		for _, next := range history { // intervals follow one another in the order of their ids
			never := !next.ValidTo.IsZero() && !next.ValidFrom.Before(next.ValidTo)
			if next.ID > c.ID && !never && at.After(next.ValidFrom) {
				return affiliate.FieldErrorf("valid_to", "the code is somebody else's from %s on",
					next.ValidFrom.UTC().Format(time.RFC3339))
			}
		}
		switch {
		case !at.IsZero():
			return c.End(at.UTC().Truncate(time.Microsecond), now)
		case !c.ValidTo.IsZero() && !c.ValidTo.After(now):
			return nil // ended already
		case now.Before(c.ValidFrom):
			return c.End(c.ValidFrom, now) // not begun yet: it never will
		}
		return c.End(now, now)
	})
}

// ChangeCode alters how a code is written. Another code is another thing: end this one and add that.
func (a *App) ChangeCode(ctx context.Context, id affiliate.CodeID, written string) (affiliate.Code, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Code, error) {
		return a.amendCode(ctx, tx, id, "change", func(c *affiliate.Code) error {
			written := affiliate.Clean(written)
			if affiliate.FoldCode(written) != affiliate.FoldCode(c.Code) {
				return affiliate.FieldErrorf("code", "only its spelling can be changed; end %s and add %s instead",
					c.Code, written)
			}
			c.Code = written
			return nil
		})
	})
}

func (a *App) amendCode(ctx context.Context, tx *storage.Tx, id affiliate.CodeID, action string,
	change func(*affiliate.Code) error) (affiliate.Code, error) {
	return amend(ctx, a, tx, amendment[affiliate.Code, affiliate.CodeID]{
		name: "code", read: tx.Code, facts: codeFacts,
		version: func(affiliate.Code) int { return AnyVersion },
		prepare: func(_ *storage.Tx, c *affiliate.Code) error {
			c.UpdatedAt = a.now()
			return affiliate.ValidateCode(c.Code)
		},
		save: func(ctx context.Context, c affiliate.Code) (affiliate.Code, error) { return c, tx.SaveCode(ctx, c) },
	}, id, AnyVersion, action, change)
}

func codeFacts(c affiliate.Code) facts {
	return facts{"offer_member": c.OfferMemberID.String(), "store": c.StoreID.String(), "code": c.Code,
		"valid_from": auditTime(c.ValidFrom), "valid_to": auditTime(c.ValidTo)}
}
