package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/storage"
)

// endCode ends whose a code is, here alone.
func (r *shopRig) endCode(code string) {
	r.Helper()
	history, err := r.db.CodeHistory(r.ctx, r.store, code)
	if err == nil {
		_, err = r.app.EndCode(r.ctx, history[len(history)-1].ID, time.Time{})
	}
	if err != nil {
		r.Fatal(err)
	}
}

// atStore does what is due with the shop's API once.
func (r *shopRig) atStore() error {
	return r.app.WithStoreLease(r.ctx, r.store, func(ctx context.Context) error {
		return r.app.StoreWork(ctx, r.store)
	})
}

func (r *shopRig) owned(members []affiliate.OfferMemberID) map[affiliate.OfferMemberID][]string {
	r.Helper()
	codes, err := r.db.CodesOf(r.ctx, members)
	if err != nil {
		r.Fatal(err)
	}
	has := map[affiliate.OfferMemberID][]string{}
	for _, c := range codes {
		if c.OwnedAt(r.clock.Now()) {
			has[c.OfferMemberID] = append(has[c.OfferMemberID], c.Code)
		}
	}
	return has
}

// disconnect forgets the shop's keys.
func (r *shopRig) disconnect() {
	r.Helper()
	if err := r.db.InTx(r.ctx, func(tx *storage.Tx) error { return tx.DeleteStoreAccess(r.ctx, r.store) }); err != nil {
		r.Fatal(err)
	}
}

// TestCodeRun_noCode: whom no code can be made for by the pattern is not given another one by trying again.
func TestCodeRun_noCode(t *testing.T) {
	twoFakeShops(t, 71, func(r *shopRig) {
		o := r.offer("Ten", "{{handle}}10")
		members := r.join(o, "Mira", "Noor")
		creator, err := r.app.AddCreator(r.ctx, affiliate.Creator{Name: "♥ ♥"})
		if err != nil {
			r.Fatal(err)
		}
		m, err := r.app.AddMember(r.ctx, affiliate.CampaignMember{CampaignID: o.CampaignID, CreatorID: creator.ID})
		if err != nil {
			r.Fatal(err)
		}
		x, err := r.app.AddOfferMember(r.ctx, affiliate.OfferMember{OfferID: o.ID, MemberID: m.ID})
		if err != nil {
			r.Fatal(err)
		}
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			Members: append(members, x.ID)})
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		before := said(r.items(run.ID))
		if !strings.Contains(before, "failed Nothing of") {
			r.Fatal(before)
		}
		if _, err := r.app.RetryCodeRun(r.ctx, run.ID); affiliate.KindOf(err) != affiliate.Conflict {
			r.Error(err)
		}
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		if after := said(r.items(run.ID)); after != before {
			r.Errorf("got\n%s\nwant\n%s", after, before)
		}
	})
}

// TestCodeRun_activateEnded: a code that is nobody's any more, or is about to end, is not activated for good.
func TestCodeRun_activateEnded(t *testing.T) {
	twoFakeShops(t, 72, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		o := r.offer("Ten", "{{first_name}}10")
		in := app.NewCodeRun{Action: affiliate.CodeRefresh, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			OverlapDays: 3}
		r.start(in)
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		in.Action, in.OverlapDays = affiliate.CodeActivate, 0
		run, err := r.app.DraftCodeRun(r.ctx, in)
		if err != nil {
			r.Fatal(err)
		}
		if got := said(r.items(run.ID)); got != "ANNA10 skipped It was not deactivated.\n"+
			"ANNA10-2 skipped It was not deactivated." {
			r.Error(got)
		}
		r.clock.Advance(4 * 24 * time.Hour)
		if old := r.coupon("ANNA10"); old[0].Works {
			r.Error("the old code lasts for ever", old)
		}
		in.Action = affiliate.CodeDeactivate
		r.start(in)
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		in.Action = affiliate.CodeActivate
		draft, err := r.app.DraftCodeRun(r.ctx, in)
		if err != nil {
			r.Fatal(err)
		}
		r.endCode("ANNA10-2")
		if _, err := r.app.StartCodeRun(r.ctx, draft.ID); err != nil {
			r.Fatal(err)
		}
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		if c := r.coupon("ANNA10-2"); c[0].Works {
			r.Error("a code of nobody was activated:", said(r.items(draft.ID)))
		}
	})
}

// TestCodeRun_askedTwice: the same is asked for in two drafts, which are both started.
func TestCodeRun_askedTwice(t *testing.T) {
	twoFakeShops(t, 73, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}-{{random:6}}")
		members := r.join(o, "Mira", "Noor")
		twice := func(in app.NewCodeRun) {
			r.Helper()
			var drafts []affiliate.CodeRun
			for range 2 {
				draft, err := r.app.DraftCodeRun(r.ctx, in)
				if err != nil {
					r.Fatal(err)
				}
				drafts = append(drafts, draft)
			}
			for _, d := range drafts {
				if _, err := r.app.StartCodeRun(r.ctx, d.ID); err != nil {
					r.Fatal(err)
				}
			}
			if err := r.workCodes(); err != nil {
				r.Fatal(err)
			}
			for m, codes := range r.owned(members) {
				if len(codes) != 1 {
					r.Errorf("%s: %v has %v", in.Action, m, codes)
				}
			}
		}
		in := app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			Members: members}
		twice(in)
		r.clock.Advance(time.Minute)
		in.Action = affiliate.CodeRefresh
		twice(in)
		made := 0
		for _, c := range r.shop.Coupons() {
			if c.Mark != "" {
				made++
			}
		}
		if made != 4 {
			r.Errorf("%d codes were made for two members, a new one and a refreshed one each", made)
		}
	})
}

// TestCodeRun_madeUnanswered: a code that was made without the answer having come here stays the one to be made,
// although the shop's codes were read since.
func TestCodeRun_madeUnanswered(t *testing.T) {
	twoFakeShops(t, 74, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}10")
		mira := r.join(o, "Mira")
		r.readCoupons(0)
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			Members: mira})
		r.each = func(int64) {
			if len(r.coupon("MIRA10")) == 0 {
				r.shop.LoseAnswers(1)
			}
		}
		_ = r.atStore()
		r.each = nil
		if got := said(r.items(run.ID)); !strings.HasPrefix(got, "MIRA10 asked") || len(r.coupon("MIRA10")) != 1 {
			r.Fatal(got, r.coupon("MIRA10"))
		}
		r.clock.Advance(time.Hour)
		r.coupons()
		r.disconnect()
		if err := r.app.WorkCodeRuns(r.ctx); err != nil {
			r.Fatal(err)
		}
		if got := said(r.items(run.ID)); !strings.HasPrefix(got, "MIRA10 by_hand The store was asked") {
			r.Error(got)
		}
		if r.ownerNow("MIRA10") != mira[0] {
			r.Error("not theirs")
		}
	})
}

// TestCodeRun_endedBeforeCredit: a code that was ended before its orders were credited is not theirs anew.
func TestCodeRun_endedBeforeCredit(t *testing.T) {
	twoFakeShops(t, 75, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}10")
		mira := r.join(o, "Mira")
		r.readCoupons(0)
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			Members: mira})
		r.each = func(int64) {
			if len(r.coupon("MIRA10")) == 0 {
				r.shop.LoseAnswers(1)
			}
		}
		_ = r.atStore()
		r.each = nil
		r.clock.Advance(time.Minute)
		id := r.shop.Place(fakestore.NewOrder{Paid: true, Codes: []string{"MIRA10"},
			Lines: []fakestore.Line{{Name: "Hat", Price: 1000, Quantity: 1, Discount: 100}}})
		r.flush()
		r.clock.Advance(time.Minute)
		_ = r.atStore()
		items := r.items(run.ID)
		if items[0].Step != affiliate.StepCredit {
			r.Fatal(said(items), items[0].Step)
		}
		r.endCode("MIRA10")
		r.clock.Advance(time.Minute)
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		if owner := r.ownerNow("MIRA10"); owner != 0 {
			r.Error("ended, and somebody's again:", owner, said(r.items(run.ID)))
		}
		if row := r.here(id); row == nil || row.Conversion == nil || row.Conversion.OfferMemberID != mira[0] {
			r.Error("the order was placed while it was theirs", row)
		}
	})
}

// TestCodes_givenAfterEnd: a code that was ended in the shop and here, and given to somebody else by hand, is watched
// as theirs.
func TestCodes_givenAfterEnd(t *testing.T) {
	twoFakeShops(t, 76, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		r.shop.MakeCoupon("BEN5", 500)
		o := r.offer("Ten", "{{first_name}}10")
		mira := r.join(o, "Mira")[0]
		r.start(app.NewCodeRun{Action: affiliate.CodeEnd, Offer: o.ID, Stores: []affiliate.StoreID{r.store}})
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		r.clock.Advance(time.Minute)
		if _, err := r.app.AddCode(r.ctx, app.NewCode{OfferMember: mira, Store: r.store, Code: "ANNA10"}); err != nil {
			r.Fatal(err)
		}
		r.readCoupons(time.Minute)
		r.wantTroubles("ANNA10 stopped")
		r.shop.EditCoupon("ANNA10", func(d *affiliate.Discount) { d.EndsAt = time.Time{} })
		r.readCoupons(time.Minute)
		r.wantTroubles("")
	})
}

// TestCodeRun_otherOffers: codes of another offer do not get this one's discount.
func TestCodeRun_otherOffers(t *testing.T) {
	twoFakeShops(t, 77, func(r *shopRig) {
		ten := r.offer("Ten", "{{first_name}}10")
		r.offer("Five", "{{first_name}}5")
		var ids []affiliate.CodeID
		for _, code := range []string{"ANNA10", "BEN5"} {
			history, err := r.db.CodeHistory(r.ctx, r.store, code)
			if err != nil {
				r.Fatal(err)
			}
			ids = append(ids, history[0].ID)
		}
		for _, in := range []app.NewCodeRun{{Codes: ids}, {Codes: ids[1:], Offer: ten.ID}} {
			in.Action, in.Stores = affiliate.CodeRefresh, []affiliate.StoreID{r.store}
			if draft, err := r.app.DraftCodeRun(r.ctx, in); affiliate.KindOf(err) != affiliate.Invalid {
				r.Error(said(r.items(draft.ID)), err)
			}
		}
	})
}

// TestCodeRun_skippedStays: what there is nothing to do for is not put back into a draft.
func TestCodeRun_skippedStays(t *testing.T) {
	twoFakeShops(t, 78, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}10")
		draft, err := r.app.DraftCodeRun(r.ctx, app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID,
			Stores: []affiliate.StoreID{r.store}})
		if err != nil {
			r.Fatal(err)
		}
		before := r.items(draft.ID)
		for _, code := range []string{"", "ANNA10", ""} {
			_, _ = r.app.SetDraftItem(r.ctx, before[0].ID, code)
		}
		if after := r.items(draft.ID); said(after) != said(before) {
			r.Errorf("got %s, want %s", said(after), said(before))
		}
	})
}

// TestCoupons_neverTyped: a code that somebody was to type, and never did, is missed once the shop's codes are read.
func TestCoupons_neverTyped(t *testing.T) {
	twoFakeShops(t, 79, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		r.shop.MakeCoupon("BEN5", 500)
		r.disconnect()
		o := r.offer("Ten", "{{first_name}}10")
		mira := r.join(o, "Mira")
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			Members: mira})
		if err := r.app.WorkCodeRuns(r.ctx); err != nil {
			r.Fatal(err)
		}
		if n, err := r.app.DoneByHand(r.ctx, run.ID, nil); err != nil || n != 1 {
			r.Fatal(n, err)
		}
		store, err := r.db.Store(r.ctx, r.store)
		if err == nil {
			_, err = r.app.ConnectStore(r.ctx, app.NewAccess{Store: store.ID, Platform: store.Platform,
				Keys: r.shop.Keys(r.api)})
		}
		if err != nil {
			r.Fatal(err)
		}
		r.readCoupons(time.Minute)
		r.wantTroubles("MIRA10 gone")
	})
}

// TestCodeRun_cancelByHand: the old code of a refreshed one that nobody has typed does not end when that was canceled.
func TestCodeRun_cancelByHand(t *testing.T) {
	twoFakeShops(t, 80, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		r.disconnect()
		o := r.offer("Ten", "{{first_name}}10")
		anna := r.ownerNow("ANNA10")
		run := r.start(app.NewCodeRun{Action: affiliate.CodeRefresh, Offer: o.ID, OverlapDays: 3,
			Stores: []affiliate.StoreID{r.store}})
		if err := r.app.WorkCodeRuns(r.ctx); err != nil {
			r.Fatal(err)
		}
		if _, err := r.app.CancelCodeRun(r.ctx, run.ID); err != nil {
			r.Fatal(err)
		}
		r.clock.Advance(4 * 24 * time.Hour)
		if got := r.ownerNow("ANNA10"); got != anna {
			r.Error("it goes on in the shop, and is nobody's here", got, anna)
		}
	})
}

// TestCodeRun_renamed: what bears another code in the shop by now is left alone.
func TestCodeRun_renamed(t *testing.T) {
	eachFakeShop(t, 81, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		r.shop.MakeCoupon("BEN5", 500)
		o := r.offer("Ten", "{{first_name}}10")
		r.readCoupons(0)
		r.shop.RenameCoupon("ANNA10", "SUMMER")
		run := r.start(app.NewCodeRun{Action: affiliate.CodeDeactivate, Offer: o.ID,
			Stores: []affiliate.StoreID{r.store}})
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		if c := r.coupon("SUMMER"); len(c) != 1 || !c[0].Works {
			r.Error("the shop's own code was stopped", c, said(r.items(run.ID)))
		}
	})
}

// TestCodeRun_startedInTheShop: a code that somebody has started in the shop since it was read is stopped all the same.
func TestCodeRun_startedInTheShop(t *testing.T) {
	twoFakeShops(t, 82, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		r.shop.MakeCoupon("BEN5", 500)
		o := r.offer("Ten", "{{first_name}}10")
		in := app.NewCodeRun{Action: affiliate.CodeDeactivate, Offer: o.ID, Stores: []affiliate.StoreID{r.store}}
		r.start(in)
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		r.shop.EditCoupon("ANNA10", func(d *affiliate.Discount) { d.EndsAt = time.Time{} })
		r.clock.Advance(time.Minute)
		in.Action = affiliate.CodeEnd
		run := r.start(in)
		if err := r.atStore(); err != nil {
			r.Fatal(err)
		}
		if c := r.coupon("ANNA10"); c[0].Works {
			r.Error("it was ended, and the shop still takes it:", said(r.items(run.ID)))
		}
	})
}

// TestCodeRun_startedWhileForgotten: a draft that is started while old drafts are forgotten stays, and a run of which
// something is tried again while it is ended goes on.
func TestCodeRun_startedWhileForgotten(t *testing.T) {
	twoFakeShops(t, 83, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}10")
		mira := r.join(o, "Mira")
		run, err := r.app.DraftCodeRun(r.ctx, app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Members: mira,
			Stores: []affiliate.StoreID{r.store}})
		if err != nil {
			r.Fatal(err)
		}
		meanwhile := func(held func(tx *storage.Tx) error, other func() error) {
			r.Helper()
			done := make(chan error, 1)
			err := r.db.InTx(r.ctx, func(tx *storage.Tx) error {
				if err := held(tx); err != nil {
					return err
				}
				go func() { done <- other() }()
				time.Sleep(100 * time.Millisecond) // it waits for this transaction by now
				return nil
			})
			if otherErr := <-done; err != nil || otherErr != nil {
				r.Fatal(err, otherErr)
			}
		}
		change := func(tx *storage.Tx, state affiliate.CodeRunState) error {
			held, err := tx.HoldCodeRun(r.ctx, run.ID)
			if err == nil {
				held.State = state
				err = tx.SaveCodeRun(r.ctx, held)
			}
			return err
		}
		meanwhile(func(tx *storage.Tx) error { return change(tx, affiliate.RunRunning) }, func() error {
			_, err := r.db.DropCodeDrafts(r.ctx, r.clock.Now().Add(time.Hour), 10)
			return err
		})
		items := r.items(run.ID)
		if len(items) != 1 {
			r.Fatal("it was forgotten")
		}
		items[0].State = affiliate.ItemFailed
		err = r.db.InTx(r.ctx, func(tx *storage.Tx) error {
			return tx.SaveCodeItems(r.ctx, []affiliate.CodeItem{items[0].CodeItem})
		})
		if err != nil {
			r.Fatal(err)
		}
		meanwhile(func(tx *storage.Tx) error {
			if err := change(tx, affiliate.RunRunning); err != nil {
				return err
			}
			_, err := tx.SetCodeItems(r.ctx, run.ID, []affiliate.CodeItemState{affiliate.ItemFailed},
				affiliate.ItemWaiting, r.clock.Now())
			return err
		}, func() error {
			_, err := r.app.DoneByHand(r.ctx, run.ID, nil)
			return err
		})
		if got, err := r.db.CodeRun(r.ctx, run.ID); err != nil || got.State != affiliate.RunRunning {
			r.Error("it was ended with something left to do:", got.State, err)
		}
	})
}

// TestCodeRun_otherCurrency: a code that was asked for is found again although the store has another currency by now.
func TestCodeRun_otherCurrency(t *testing.T) {
	twoFakeShops(t, 84, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}10")
		mira := r.join(o, "Mira")
		r.readCoupons(0)
		five := affiliate.OfferDiscount{Discount: affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 500,
			Currency: "USD"}}
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Members: mira, Discount: &five,
			Stores: []affiliate.StoreID{r.store, r.store}})
		r.each = func(int64) {
			if len(r.coupon("MIRA10")) == 0 {
				r.shop.LoseAnswers(1)
			}
		}
		_ = r.atStore()
		r.each = nil
		if got := said(r.items(run.ID)); !strings.HasPrefix(got, "MIRA10 asked") || strings.Contains(got, "\n") {
			r.Fatal(got)
		}
		_, err := r.app.ChangeStore(r.ctx, r.store, app.AnyVersion, func(s *affiliate.Store) error {
			s.Currency = "EUR"
			return nil
		})
		if err != nil {
			r.Fatal(err)
		}
		r.clock.Advance(time.Minute)
		if err := r.workCodes(); err != nil {
			r.Error(err)
		}
		if got := said(r.items(run.ID)); got != "MIRA10 done" || r.ownerNow("MIRA10") != mira[0] {
			r.Error(got)
		}
	})
}
