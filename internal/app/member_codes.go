package app

import (
	"context"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// MemberCodes gives the codes of some offer members with how they stand in their stores, by member and id; ended ones
// are among them.
func (a *App) MemberCodes(ctx context.Context,
	members []affiliate.OfferMemberID) (map[affiliate.OfferMemberID][]MemberCode, error) {
	codes, err := a.DB.CodesOf(ctx, members)
	if err != nil {
		return nil, err
	}
	items, err := a.DB.ItemsOfCodes(ctx, members)
	if err != nil {
		return nil, err
	}
	folded := map[affiliate.StoreID][]string{}
	for _, c := range codes {
		folded[c.StoreID] = append(folded[c.StoreID], affiliate.FoldCode(c.Code))
	}
	list := make(map[affiliate.OfferMemberID][]MemberCode, len(members))
	stores := map[affiliate.StoreID]storeCodes{}
	for id, texts := range folded {
		if stores[id], err = a.storeCodes(ctx, id, texts); err != nil {
			return nil, err
		}
	}
	for _, c := range codes {
		s := stores[c.StoreID]
		one := MemberCode{Code: c, Store: s.store}
		if i := slices.IndexFunc(s.coupons, func(u storage.Coupon) bool {
			return u.Folded == affiliate.FoldCode(c.Code)
		}); i >= 0 {
			row := s.coupons[i]
			if one.Coupon = &row; row.Known() {
				one.Discount = row.InStore().Discount
			} else {
				one.Discount = row.Given()
			}
		}
		one.UnderWay = slices.ContainsFunc(items, func(i affiliate.CodeItem) bool {
			return i.OldCodeID == c.ID || i.NewID == c.ID
		})
		one.FirstUsed = s.proofs[c.ID]
		one.Standing = one.standing(s.reading, a.now())
		list[c.OfferMemberID] = append(list[c.OfferMemberID], one)
	}
	return list, nil
}

// storeCodes is what is known of a store and some of its codes.
type storeCodes struct {
	store   affiliate.Store
	reading CouponReading
	coupons []storage.Coupon
	proofs  map[affiliate.CodeID]affiliate.OrderID
}

func (a *App) storeCodes(ctx context.Context, id affiliate.StoreID, folded []string) (s storeCodes, err error) {
	if s.store, err = a.DB.Store(ctx, id); err != nil {
		return s, err
	}
	if s.reading, err = a.CouponReading(ctx, s.store); err != nil {
		return s, err
	}
	if s.coupons, err = a.DB.Coupons(ctx, id, folded); err != nil || s.reading.Can {
		return s, err
	}
	s.proofs, err = a.DB.FirstOrders(ctx, id, folded)
	return s, err
}

// standing says how a code stands in its store.
func (c MemberCode) standing(r CouponReading, now time.Time) CodeStanding {
	switch row := c.Coupon; {
	case !c.ValidTo.IsZero() && !c.ValidTo.After(now):
		return StandsEnded
	case row != nil && row.Trouble != "":
		return StandsTroubled
	case row != nil && row.Halted && (c.ValidTo.IsZero() || row.Known() && !row.InStore().Works(now)):
		return StandsHalted
	case !r.Can && c.FirstUsed != 0:
		return StandsProved
	case !r.Can:
		return StandsUnproved
	case row == nil || !row.Known():
		return StandsUnread
	case !row.EndsAt.IsZero() && !row.EndsAt.After(now):
		return StandsOver
	}
	return StandsInStore
}
