package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/storage"
)

// readCoupons has all of the shop's codes read, some time later.
func (r *shopRig) readCoupons(later time.Duration) {
	r.Helper()
	r.clock.Advance(later)
	if err := r.app.ReadCoupons(r.ctx, r.store); err != nil {
		r.Fatal(err)
	}
	if err := r.workCodes(); err != nil {
		r.Fatal(err)
	}
}

// troubles gives what is wrong with the shop's codes: "ANNA10 gone".
func (r *shopRig) troubles() string {
	r.Helper()
	list, _, err := r.db.CouponPage(r.ctx, storage.CouponFilter{Store: r.store, Set: storage.CouponsTroubled,
		Sort: storage.CouponsByCode}, r.clock.Now(), storage.Page{})
	if err != nil {
		r.Fatal(err)
	}
	var said []string
	for _, c := range list {
		said = append(said, strings.ToUpper(c.Code)+" "+string(c.Trouble))
		if c.Told == "" || c.TroubleAt.IsZero() {
			r.Errorf("%s is in trouble without a word or time: %+v", c.Code, c)
		}
	}
	return strings.Join(said, ", ")
}

func (r *shopRig) wantTroubles(want string) {
	r.Helper()
	if got := r.troubles(); got != want {
		r.Errorf("in trouble: %q, want %q", got, want)
	}
}

// TestCoupons_watched: what somebody does to codes in the shop's admin is noticed, and over when it was set right or
// taken for right.
func TestCoupons_watched(t *testing.T) {
	eachFakeShop(t, 51, func(r *shopRig) {
		o := r.offer("Ten", "{{first_name}}10")
		r.readCoupons(0)
		r.wantTroubles("ANNA10 gone, BEN5 gone") // they are somebody's here, and the shop has none of them
		r.shop.MakeCoupon("BEN5", 500)
		r.join(o, "Mira", "Noor")
		r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store}})
		r.readCoupons(time.Minute)
		r.wantTroubles("ANNA10 gone")
		if err := r.app.AcceptCoupon(r.ctx, r.store, "anna10"); err != nil {
			r.Fatal(err)
		}
		r.readCoupons(time.Minute)
		r.wantTroubles("")
		r.shop.MakeCoupon("ANNA10", 1000)
		r.readCoupons(time.Minute)
		r.wantTroubles("")

		r.shop.EditCoupon("MIRA10", func(d *affiliate.Discount) { d.Percent = 3000 })
		r.shop.StopCoupon("NOOR10")
		r.shop.TrashCoupon("ANNA10")
		r.readCoupons(time.Minute)
		stopped := "stopped"
		if r.shop.Domain == "shop.example" {
			stopped = "gone" // its API does not show drafts
		}
		r.wantTroubles("ANNA10 gone, MIRA10 changed, NOOR10 " + stopped)
		if err := r.app.AcceptCoupon(r.ctx, r.store, "MIRA10"); err != nil {
			r.Fatal(err)
		}
		r.readCoupons(time.Minute)
		r.wantTroubles("ANNA10 gone, NOOR10 " + stopped)
		r.shop.EditCoupon("MIRA10", func(d *affiliate.Discount) { d.Percent = 4000 })
		r.readCoupons(time.Minute)
		r.wantTroubles("ANNA10 gone, MIRA10 changed, NOOR10 " + stopped)
		// Given its discount again, it is as it should be.
		run := r.start(app.NewCodeRun{Action: affiliate.CodeDiscount, Offer: o.ID, Stores: []affiliate.StoreID{r.store},
			Members: []affiliate.OfferMemberID{r.ownerNow("MIRA10")}})
		r.readCoupons(time.Minute)
		if got := said(r.items(run.ID)); got != "MIRA10 done" || r.coupon("MIRA10")[0].Discount.Percent != 1000 {
			r.Error(got, r.coupon("MIRA10"))
		}
		r.wantTroubles("ANNA10 gone, NOOR10 " + stopped)

		// Ended here alone, the shop still takes it.
		history, err := r.db.CodeHistory(r.ctx, r.store, "BEN5")
		if err == nil {
			_, err = r.app.EndCode(r.ctx, history[0].ID, time.Time{})
		}
		if err != nil {
			r.Fatal(err)
		}
		r.readCoupons(time.Minute)
		r.wantTroubles("ANNA10 gone, BEN5 running, NOOR10 " + stopped)
	})
}

// TestCoupons_uses: orders that never reached us are known by the shop's own count, once it has lasted.
func TestCoupons_uses(t *testing.T) {
	twoFakeShops(t, 52, func(r *shopRig) {
		r.shop.MakeCoupon("ANNA10", 1000)
		r.shop.MakeCoupon("BEN5", 500)
		order := fakestore.NewOrder{Paid: true, Codes: []string{"ANNA10"},
			Lines: []fakestore.Line{{Name: "Hat", Price: 1000, Quantity: 1, Discount: 100}}}
		lost := func(n int) {
			r.shop.SetFaults(fakestore.Faults{Drop: 1})
			for range n {
				r.shop.Place(order)
			}
			r.flush()
			r.shop.SetFaults(fakestore.Faults{})
		}
		pending := order
		pending.Paid = false
		canceled := r.shop.Place(pending)
		r.shop.Place(order)
		r.flush()
		r.shop.Cancel(canceled)
		r.flush()
		for range 3 {
			r.readCoupons(2 * time.Hour)
			r.process()
		}
		r.wantTroubles("")
		// They were placed before what is compared with the shop.
		lost(2)
		err := r.db.InTx(r.ctx, func(tx *storage.Tx) error {
			return tx.EndedComparison(r.ctx, r.store, r.clock.Now(), r.clock.Now(), true)
		})
		if err != nil {
			r.Fatal(err)
		}
		r.coupons()
		r.wantTroubles("") // it may pass
		r.clock.Advance(2 * time.Hour)
		r.coupons()
		r.wantTroubles("ANNA10 uses")
		orders, err := r.db.OrdersOfCode(r.ctx, r.store, affiliate.FoldCode("ANNA10"), 10)
		if err != nil || len(orders) != 2 {
			r.Error(orders, err)
		}
		if err := r.app.AcceptCoupon(r.ctx, r.store, "ANNA10"); err != nil {
			r.Fatal(err)
		}
		for range 2 {
			r.clock.Advance(2 * time.Hour)
			r.coupons()
		}
		r.wantTroubles("")
	})
}

// coupons has the codes of the shop read, and no orders compared.
func (r *shopRig) coupons() {
	r.Helper()
	if err := r.app.ReadCoupons(r.ctx, r.store); err != nil {
		r.Fatal(err)
	}
	if err := r.app.ReadCouponsNow(r.ctx, r.store); err != nil {
		r.Fatal(err)
	}
}
