package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/storage"
)

// tenOff is the discount that the tests' codes give.
func tenOff() affiliate.OfferDiscount {
	return affiliate.OfferDiscount{Discount: affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 1000}}
}

// offer gives the offer that the rig's import made of a name, with a discount and a pattern.
func (r *shopRig) offer(name, pattern string) affiliate.Offer {
	r.Helper()
	list, _, err := r.db.Offers(r.ctx, 0, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		r.Fatal(err)
	}
	for _, o := range list {
		campaign, err := r.db.Campaign(r.ctx, o.CampaignID)
		if err != nil {
			r.Fatal(err)
		}
		if o.Name == name && campaign.Name == "Spring "+r.slug() {
			o, err = r.app.ChangeOffer(r.ctx, o.ID, app.AnyVersion, func(o *affiliate.Offer) error {
				o.Discount, o.CodePattern = tenOff(), affiliate.CodePattern(pattern)
				return nil
			})
			if err != nil {
				r.Fatal(err)
			}
			return o
		}
	}
	r.Fatal("no offer " + name)
	return affiliate.Offer{}
}

// join puts creators into an offer, of names and handles.
func (r *shopRig) join(o affiliate.Offer, names ...string) (members []affiliate.OfferMemberID) {
	r.Helper()
	for _, name := range names {
		handle := strings.ToLower(name)
		c, err := r.app.AddCreator(r.ctx, affiliate.Creator{Name: name, Handles: map[string]string{
			affiliate.Instagram: handle + strings.ReplaceAll(r.slug(), "-", "")}})
		if err != nil {
			r.Fatal(err)
		}
		m, err := r.app.AddMember(r.ctx, affiliate.CampaignMember{CampaignID: o.CampaignID, CreatorID: c.ID})
		if err != nil {
			r.Fatal(err)
		}
		x, err := r.app.AddOfferMember(r.ctx, affiliate.OfferMember{OfferID: o.ID, MemberID: m.ID})
		if err != nil {
			r.Fatal(err)
		}
		members = append(members, x.ID)
	}
	return members
}

// start drafts a run and starts it.
func (r *shopRig) start(in app.NewCodeRun) affiliate.CodeRun {
	r.Helper()
	draft, err := r.app.DraftCodeRun(r.ctx, in)
	if err == nil {
		draft, err = r.app.StartCodeRun(r.ctx, draft.ID)
	}
	if err != nil {
		r.Fatal(err)
	}
	return draft
}

// work does what is due with codes, here and in the shop, and gives the last error of the shop's.
func (r *shopRig) workCodes() (err error) {
	r.Helper()
	for range 3 {
		if hereErr := r.app.WorkCodeRuns(r.ctx); hereErr != nil {
			r.Fatal(hereErr)
		}
		if err = r.app.WithStoreLease(r.ctx, r.store, func(ctx context.Context) error {
			return r.app.StoreWork(ctx, r.store)
		}); err != nil {
			r.clock.Advance(time.Minute)
		}
	}
	return err
}

// items gives those of a run.
func (r *shopRig) items(run affiliate.CodeRunID) []storage.CodeItemRow {
	r.Helper()
	list, err := storage.All(func(p storage.Page) ([]storage.CodeItemRow, string, error) {
		return r.db.CodeItemPage(r.ctx, storage.CodeItemFilter{Run: run}, p)
	})
	if err != nil {
		r.Fatal(err)
	}
	return list
}

// said writes what became of items: "ANNA10 done".
func said(items []storage.CodeItemRow) string {
	var lines []string
	for _, i := range items {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", i.Code, i.State, i.Trouble)))
	}
	return strings.Join(lines, "\n")
}

// coupon gives a code as the shop has it.
func (r *shopRig) coupon(code string) (found []fakestore.CouponTruth) {
	for _, c := range r.shop.Coupons() {
		if affiliate.FoldCode(c.Code) == affiliate.FoldCode(code) {
			found = append(found, c)
		}
	}
	return found
}

// ownerNow gives who owns a code now; 0 for nobody.
func (r *shopRig) ownerNow(code string) affiliate.OfferMemberID {
	r.Helper()
	history, err := r.db.CodeHistory(r.ctx, r.store, code)
	if err != nil {
		r.Fatal(err)
	}
	for _, c := range history {
		if c.OwnedAt(r.clock.Now()) {
			return c.OfferMemberID
		}
	}
	return 0
}

func TestCodeRun_make(t *testing.T) {
	eachFakeShop(t, 31, func(r *shopRig) {
		r.shop.MakeCoupon("MIRA10", 500) // somebody else's, made in the admin
		o := r.offer("Ten", "{{first_name}}10")
		members := r.join(o, "Mira", "Noor")
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store}})
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		if got, want := said(r.items(run.ID)), "ANNA10 skipped They have a code in this store already.\n"+
			"MIRA10-2 done\nNOOR10 done"; got != want {
			r.Errorf("got\n%s\nwant\n%s", got, want)
		}
		run, err := r.db.CodeRun(r.ctx, run.ID)
		if err != nil || run.State != affiliate.RunDone {
			r.Error(run.State, err)
		}
		made := r.coupon("MIRA10-2")
		if len(made) != 1 || !made[0].Works || made[0].Discount.Percent != 1000 || made[0].Mark == "" ||
			!strings.Contains(made[0].Title, "Mira · Ten") {
			r.Error(made)
		}
		if got := r.ownerNow("MIRA10-2"); got != members[0] {
			r.Error("owner", got, members)
		}
		if r.ownerNow("MIRA10") != 0 {
			r.Error("the shop's own code is somebody's")
		}
		// An order with the code is theirs; a run that is asked for again makes nothing.
		r.clock.Advance(time.Minute)
		id := r.shop.Place(fakestore.NewOrder{Paid: true, Codes: []string{"MIRA10-2"},
			Lines: []fakestore.Line{{Name: "Hat", Price: 1000, Quantity: 1, Discount: 100}}})
		r.flush()
		if row := r.here(id); row == nil || row.Conversion == nil || row.Conversion.OfferMemberID != members[0] {
			r.Error("not credited", row)
		}
		before := len(r.shop.Coupons())
		draft, err := r.app.DraftCodeRun(r.ctx, app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID,
			Stores: []affiliate.StoreID{r.store}})
		if err == nil {
			_, err = r.app.StartCodeRun(r.ctx, draft.ID)
		}
		if affiliate.KindOf(err) != affiliate.Conflict {
			r.Error("a run that makes nothing was started:", err)
		}
		if n := len(r.shop.Coupons()); n != before {
			r.Error(n, before)
		}
	})
}

func TestCodeRun_refresh(t *testing.T) {
	eachFakeShop(t, 32, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		o := r.offer("Ten", "{{first_name}}10")
		anna := r.ownerNow("ANNA10")
		run := r.start(app.NewCodeRun{Action: affiliate.CodeRefresh, Offer: o.ID, OverlapDays: 3,
			Stores: []affiliate.StoreID{r.store}})
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		if got := said(r.items(run.ID)); got != "ANNA10-2 done" {
			r.Fatal(got)
		}
		if r.ownerNow("ANNA10") != anna || r.ownerNow("ANNA10-2") != anna {
			r.Error("both are hers for three days")
		}
		if old := r.coupon("ANNA10"); !old[0].Works {
			r.Error("the old one ended at once")
		}
		// Who deactivates the old one and activates it again has not made it go on for longer.
		old, err := r.db.OwnedCodes(r.ctx, r.store, []string{affiliate.FoldCode("ANNA10")})
		if err != nil || len(old) != 1 {
			r.Fatal(old, err)
		}
		for _, action := range []affiliate.CodeAction{affiliate.CodeDeactivate, affiliate.CodeActivate} {
			r.clock.Advance(time.Minute)
			r.start(app.NewCodeRun{Action: action, Codes: []affiliate.CodeID{old[0].ID}})
			if err := r.workCodes(); err != nil {
				r.Fatal(err)
			}
			codes, err := r.app.MemberCodes(r.ctx, []affiliate.OfferMemberID{anna})
			if err != nil {
				r.Fatal(err)
			}
			want := map[affiliate.CodeAction]app.CodeStanding{affiliate.CodeDeactivate: app.StandsHalted,
				affiliate.CodeActivate: app.StandsInStore}[action]
			for _, c := range codes[anna] {
				if c.ID == old[0].ID && c.Standing != want {
					r.Errorf("after %s the old code stands as %s, want %s: %+v", action, c.Standing, want, c.Coupon)
				}
			}
		}
		if ends := r.coupon("ANNA10")[0].Discount.EndsAt; !ends.Equal(old[0].ValidTo) {
			r.Errorf("activated again, it ends in the shop at %s, here at %s", ends, old[0].ValidTo)
		}
		again, err := r.app.DraftCodeRun(r.ctx, app.NewCodeRun{Action: affiliate.CodeRefresh, Offer: o.ID,
			Stores: []affiliate.StoreID{r.store}})
		if err != nil {
			r.Fatal(err)
		}
		if got := said(r.items(again.ID)); got != "ANNA10-3 waiting" { // of the new one alone
			r.Error(got)
		}
		r.clock.Advance(4 * 24 * time.Hour)
		if r.ownerNow("ANNA10") != 0 || r.ownerNow("ANNA10-2") != anna {
			r.Error("the old one was to end")
		}
		if old := r.coupon("ANNA10"); old[0].Works {
			r.Error("the old one goes on in the shop", old[0].Discount.EndsAt, r.clock.Now())
		}
		// At once: the old one is a tombstone.
		r.start(app.NewCodeRun{Action: affiliate.CodeRefresh, Offer: o.ID, Stores: []affiliate.StoreID{r.store}})
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		if r.ownerNow("ANNA10-2") != 0 || r.ownerNow("ANNA10-3") != anna || r.coupon("ANNA10-2")[0].Works ||
			!r.coupon("ANNA10-3")[0].Works {
			r.Error(r.shop.Coupons())
		}
	})
}

func TestCodeRun_change(t *testing.T) {
	eachFakeShop(t, 33, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		o := r.offer("Ten", "{{first_name}}10")
		anna := r.ownerNow("ANNA10")
		act := func(action affiliate.CodeAction, change func(*app.NewCodeRun)) {
			r.Helper()
			in := app.NewCodeRun{Action: action, Offer: o.ID, Stores: []affiliate.StoreID{r.store}}
			if change != nil {
				change(&in)
			}
			run := r.start(in)
			if err := r.workCodes(); err != nil {
				r.Fatal(err)
			}
			if got := said(r.items(run.ID)); got != "ANNA10 done" {
				r.Fatal(action, ": ", got)
			}
			r.clock.Advance(time.Minute)
		}
		works := func() bool { return r.coupon("ANNA10")[0].Works }
		act(affiliate.CodeDeactivate, nil)
		if works() || r.ownerNow("ANNA10") != anna {
			r.Error("deactivated: not in the shop, and still hers")
		}
		twenty := tenOff()
		twenty.Percent = 2000
		act(affiliate.CodeDiscount, func(in *app.NewCodeRun) { in.Discount = &twenty })
		if works() || r.coupon("ANNA10")[0].Discount.Percent != 2000 {
			r.Error("a deactivated code gives another discount, and stays deactivated", r.coupon("ANNA10"))
		}
		if changed, err := r.db.Offer(r.ctx, o.ID); err != nil || changed.Discount.Percent != 2000 {
			r.Error("the discount of all is the offer's", changed.Discount, err)
		}
		act(affiliate.CodeActivate, nil)
		if !works() {
			r.Error("not activated", r.coupon("ANNA10"))
		}
		later := r.clock.Now().Add(48 * time.Hour)
		run := r.start(app.NewCodeRun{Action: affiliate.CodeEnd, Offer: o.ID, At: later,
			Stores: []affiliate.StoreID{r.store}})
		if err := r.workCodes(); err != nil || run.State != affiliate.RunWaiting || !works() {
			r.Error("its time has not come", err, run.State)
		}
		r.clock.Advance(49 * time.Hour)
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		if works() || r.ownerNow("ANNA10") != 0 {
			r.Error("not ended", said(r.items(run.ID)))
		}
	})
}

func TestCodeRun_takeOver(t *testing.T) {
	eachFakeShop(t, 34, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}10")
		members := r.join(o, "Mira", "Noor")
		for _, code := range []string{"MIRA10", "NOOR10", "SUMMER", "NOORXX"} {
			r.shop.MakeCoupon(code, 1500)
		}
		var ids []string
		for _, code := range []string{"MIRA10", "MIRA10", "NOOR10", "SUMMER"} {
			r.clock.Advance(time.Minute)
			ids = append(ids, r.shop.Place(fakestore.NewOrder{Paid: true, Codes: []string{code},
				Lines: []fakestore.Line{{Name: "Hat", Price: 1000, Quantity: 1, Discount: 150}}}))
		}
		r.flush()
		if err := r.workCodes(); err != nil { // reads the shop's codes
			r.Fatal(err)
		}
		list, _, err := r.db.CouponPage(r.ctx, storage.CouponFilter{Store: r.store, Set: storage.CouponsUnowned},
			r.clock.Now(), storage.Page{})
		if err != nil || len(list) != 4 || list[0].Code != strings.ToLower("MIRA10") && list[0].Code != "MIRA10" ||
			list[0].Uses != 2 || list[0].Waiting != 2 {
			r.Fatal(list, err)
		}
		draft, err := r.app.DraftCodeRun(r.ctx, app.NewCodeRun{Action: affiliate.CodeTakeOver, Offer: o.ID,
			Pattern: "{{first_name}}10", Stores: []affiliate.StoreID{r.store}})
		if err != nil {
			r.Fatal(err)
		}
		items := r.items(draft.ID)
		slices.SortFunc(items, func(a, b storage.CodeItemRow) int { return strings.Compare(a.Folded, b.Folded) })
		if len(items) != 2 || items[0].OfferMemberID != members[0] || items[0].Orders != 2 || items[1].Orders != 1 {
			r.Fatal(said(items))
		}
		if r.here(ids[0]).Conversion != nil {
			r.Error("a draft credits")
		}
		if _, err := r.app.StartCodeRun(r.ctx, draft.ID); err != nil {
			r.Fatal(err)
		}
		if err := r.workCodes(); err != nil {
			r.Fatal(err)
		}
		for i, want := range []affiliate.OfferMemberID{members[0], members[0], members[1], 0} {
			got := affiliate.OfferMemberID(0)
			if c := r.here(ids[i]).Conversion; c != nil {
				got = c.OfferMemberID
			}
			if got != want {
				r.Errorf("order %d is credited to %v, want %v", i, got, want)
			}
		}
	})
}

func TestCodeRun_byHand(t *testing.T) {
	twoFakeShops(t, 35, func(r *shopRig) {
		err := r.db.InTx(r.ctx, func(tx *storage.Tx) error { return tx.DeleteStoreAccess(r.ctx, r.store) })
		if err != nil {
			r.Fatal(err)
		}
		o := r.offer("Ten", "{{first_name}}10")
		mira := r.join(o, "Mira")[0]
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			Members: []affiliate.OfferMemberID{mira}})
		if err := r.app.WorkCodeRuns(r.ctx); err != nil {
			r.Fatal(err)
		}
		items := r.items(run.ID)
		if len(items) != 1 || items[0].State != affiliate.ItemByHand || r.ownerNow("MIRA10") != mira {
			r.Fatal(said(items))
		}
		typed, err := r.app.TypedItems(r.ctx, run, items)
		if err != nil || len(typed) != 1 || !slices.ContainsFunc(typed[0].Fields, func(f affiliate.TypedField) bool {
			return f.Copy == "MIRA10"
		}) {
			r.Fatal(typed, err)
		}
		standing := func() app.CodeStanding {
			codes, err := r.app.MemberCodes(r.ctx, []affiliate.OfferMemberID{mira})
			if err != nil || len(codes[mira]) == 0 {
				r.Fatal(codes, err)
			}
			return codes[mira][0].Standing
		}
		if s := standing(); s != app.StandsUnproved {
			r.Error(s)
		}
		// The first order with it proves it.
		r.shop.MakeCoupon("MIRA10", 1000)
		r.clock.Advance(time.Minute)
		r.shop.Place(fakestore.NewOrder{Paid: true, Codes: []string{"MIRA10"},
			Lines: []fakestore.Line{{Name: "Hat", Price: 1000, Quantity: 1, Discount: 100}}})
		r.flush()
		if err := r.app.ProveCodes(r.ctx); err != nil {
			r.Fatal(err)
		}
		if got := said(r.items(run.ID)); got != "MIRA10 done" {
			r.Error(got)
		}
		if s := standing(); s != app.StandsProved {
			r.Error(s)
		}
		// Ended by hand, it is hers until somebody says that it was done.
		end := r.start(app.NewCodeRun{Action: affiliate.CodeEnd, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			Members: []affiliate.OfferMemberID{mira}})
		if err := r.app.WorkCodeRuns(r.ctx); err != nil || r.ownerNow("MIRA10") != mira {
			r.Error(err, said(r.items(end.ID)))
		}
		if n, err := r.app.DoneByHand(r.ctx, end.ID, nil); err != nil || n != 1 || r.ownerNow("MIRA10") != 0 {
			r.Error(n, err, said(r.items(end.ID)))
		}
		if run, err := r.db.CodeRun(r.ctx, end.ID); err != nil || run.State != affiliate.RunDone {
			r.Error(run.State, err)
		}
	})
}

func TestCodeRun_endedStore(t *testing.T) {
	twoFakeShops(t, 36, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}10")
		r.join(o, "Mira")
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store}})
		if _, err := r.app.EndStore(r.ctx, r.store); err != nil {
			r.Fatal(err)
		}
		if err := r.app.WorkCodeRuns(r.ctx); err != nil {
			r.Fatal(err)
		}
		if got := said(r.items(run.ID)); !strings.Contains(got, "MIRA10 failed The store was ended.") ||
			len(r.coupon("MIRA10")) != 0 || r.ownerNow("MIRA10") != 0 {
			r.Error(got)
		}
		if run, err := r.db.CodeRun(r.ctx, run.ID); err != nil || run.State != affiliate.RunDone {
			r.Error(run.State, err)
		}
	})
}
