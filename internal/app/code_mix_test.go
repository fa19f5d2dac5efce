package app_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/storage"
)

// mixed is one interleaving: what happens to the codes of two creators, and whose each of their orders is.
type mixed struct {
	members [2]affiliate.OfferMemberID
	own     string                             // a code that the shop has from the beginning, and nobody owns
	owner   map[string]affiliate.OfferMemberID // of codes, as customers use them now
	want    map[string]affiliate.OfferMemberID // of orders; 0: nobody's
	unowned []string                           // orders with the shop's own code, before it is somebody's
}

// TestAttack_codeOwners: in whatever order codes are made, refreshed, ended, given to somebody else and taken over,
// while orders come in between and the shop loses answers, no order is credited to anybody but whose code it was.
func TestAttack_codeOwners(t *testing.T) {
	groups, rounds := 6, 1
	if attack.Long() {
		groups, rounds = 100, 25 // 2,500 for each database and platform
	}
	for round := range rounds {
		seed := uint64(500 + round)
		each := twoFakeShops
		if attack.Long() {
			each = eachFakeShop
		}
		each(t, seed, func(r *shopRig) {
			random := rand.New(rand.NewPCG(seed, 13))
			o := r.offer("Five", "{{handle}}5")
			list := make([]*mixed, groups)
			for i := range list {
				x := &mixed{own: fmt.Sprintf("SHOP%d", i), owner: map[string]affiliate.OfferMemberID{},
					want: map[string]affiliate.OfferMemberID{}}
				copy(x.members[:], r.join(o, fmt.Sprintf("Mira%d", i), fmt.Sprintf("Noor%d", i)))
				r.shop.MakeCoupon(x.own, 500)
				x.owner[affiliate.FoldCode(x.own)] = 0
				list[i] = x
			}
			for range 9 {
				for _, x := range list {
					r.mix(random, o, x)
				}
				if random.IntN(4) == 0 {
					r.shop.LoseAnswers(1)
				}
				for range 1 + random.IntN(2) {
					_ = r.app.WorkCodeRuns(r.ctx)
					_ = r.app.StoreWork(r.ctx, r.store) // fails where the shop does
					r.note(list)
					if random.IntN(2) == 0 {
						for _, x := range list {
							r.buy(random, x)
						}
					}
					r.clock.Advance(time.Duration(1+random.IntN(90)) * time.Second)
				}
				if random.IntN(2) == 0 {
					r.flush()
				}
				if random.IntN(4) == 0 {
					r.clock.Advance(26 * time.Hour)
				}
			}
			r.clock.Advance(time.Hour)
			_ = r.workCodes()
			r.flush()
			if err := r.workCodes(); err != nil {
				r.Error(err)
			}
			credited := 0
			for i, x := range list {
				for id, want := range x.want {
					var got affiliate.OfferMemberID
					if row := r.here(id); row != nil && row.Conversion != nil {
						got = row.Conversion.OfferMemberID
						credited++
					}
					if got != want {
						r.Errorf("interleaving %d: order %s is %v's, want %v's", i, id, got, want)
					}
				}
			}
			if credited < groups {
				r.Errorf("%d orders were credited in %d interleavings", credited, groups)
			}
		})
	}
}

// note takes down whose the codes are that the shop has by now: those that were made for a member.
func (r *shopRig) note(list []*mixed) {
	r.Helper()
	rows, _, err := r.db.CodeRuns(r.ctx, 0, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		r.Fatal(err)
	}
	marks := map[string]affiliate.OfferMemberID{}
	for _, run := range rows {
		if run.Action.Makes() {
			for _, item := range r.items(run.ID) {
				marks[item.Mark] = item.OfferMemberID
			}
		}
	}
	for _, c := range r.shop.Coupons() {
		member, ours := marks[c.Mark]
		if !ours {
			continue
		}
		for _, x := range list {
			folded := affiliate.FoldCode(c.Code)
			if _, known := x.owner[folded]; !known && (member == x.members[0] || member == x.members[1]) {
				x.owner[folded] = member
			}
		}
	}
}

// buy has a customer use a code that works.
func (r *shopRig) buy(random *rand.Rand, x *mixed) {
	for _, code := range slices.Sorted(maps.Keys(x.owner)) {
		owner := x.owner[code]
		if random.IntN(2) == 0 || !r.shop.CouponWorks(code, r.clock.Now()) {
			continue
		}
		id := r.shop.Place(fakestore.NewOrder{Paid: true, Codes: []string{code},
			Lines: []fakestore.Line{{Name: "Hat", Price: 1000, Quantity: 1, Discount: 50}}})
		if x.want[id] = owner; owner == 0 {
			x.unowned = append(x.unowned, id)
		}
	}
}

// mix does one of the things that people do, which may be refused.
func (r *shopRig) mix(random *rand.Rand, o affiliate.Offer, x *mixed) {
	r.Helper()
	member := x.members[random.IntN(2)]
	in := app.NewCodeRun{Offer: o.ID, Stores: []affiliate.StoreID{r.store}, Members: []affiliate.OfferMemberID{member}}
	switch random.IntN(8) {
	case 0, 1:
		in.Action = affiliate.CodeMake
	case 2:
		in.Action, in.OverlapDays = affiliate.CodeRefresh, random.IntN(3)
	case 3:
		in.Action = affiliate.CodeEnd
	case 4:
		in.Action = []affiliate.CodeAction{affiliate.CodeDeactivate, affiliate.CodeActivate}[random.IntN(2)]
	case 5:
		r.reassign(random, x)
		return
	case 6:
		in.Action, in.Takes, in.Members = affiliate.CodeTakeOver, []app.Take{{Code: x.own, OfferMember: member}}, nil
		if x.owner[affiliate.FoldCode(x.own)] != 0 || !r.shop.CouponWorks(x.own, r.clock.Now()) {
			return
		}
		r.flush() // what came before is theirs, too, once it is here
		draft, err := r.app.DraftCodeRun(r.ctx, in)
		if err != nil {
			return
		}
		if _, err := r.app.StartCodeRun(r.ctx, draft.ID); err != nil {
			return
		}
		if err := r.app.WorkCodeRuns(r.ctx); err != nil {
			r.Fatal(err)
		}
		if r.ownerNow(x.own) == member {
			x.owner[affiliate.FoldCode(x.own)] = member
			for _, id := range x.unowned {
				x.want[id] = member
			}
			x.unowned = nil
		}
		return
	case 7:
		r.buy(random, x)
		return
	}
	draft, err := r.app.DraftCodeRun(r.ctx, in)
	if err == nil {
		_, err = r.app.StartCodeRun(r.ctx, draft.ID)
	}
	if err != nil && affiliate.KindOf(err) != affiliate.Conflict && affiliate.KindOf(err) != affiliate.Invalid {
		r.Fatal(err)
	}
}

// reassign gives a code that is somebody's here to the other one.
func (r *shopRig) reassign(random *rand.Rand, x *mixed) {
	r.Helper()
	for _, folded := range slices.Sorted(maps.Keys(x.owner)) {
		owner := x.owner[folded]
		if owner == 0 || random.IntN(2) == 0 || r.ownerNow(folded) != owner {
			continue // not known here yet, or ended
		}
		to := x.members[0]
		if owner == to {
			to = x.members[1]
		}
		r.flush()
		history, err := r.db.CodeHistory(r.ctx, r.store, folded)
		if err != nil {
			r.Fatal(err)
		}
		for _, c := range history {
			if c.OwnedAt(r.clock.Now()) {
				if _, err := r.app.EndCode(r.ctx, c.ID, time.Time{}); err != nil {
					return
				}
			}
		}
		if _, err := r.app.AddCode(r.ctx, app.NewCode{OfferMember: to, Store: r.store, Code: folded}); err != nil {
			r.Fatal(err)
		}
		r.clock.Advance(time.Second) // orders have whole seconds
		x.owner[folded] = to
		return
	}
}
