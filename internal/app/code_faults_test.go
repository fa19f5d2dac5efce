package app_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/storage"
)

// struggle works at codes until nothing is left, while the server dies at requests, and the shop loses answers, fails
// and puts off.
func (r *shopRig) struggle(random *rand.Rand, deaths int) (died int) {
	r.Helper()
	for range 400 {
		ctx, kill := context.WithCancel(r.ctx)
		if died < deaths {
			at := r.requests.Load() + 1 + random.Int64N(3)
			r.each = func(n int64) {
				if n == at {
					died++
					kill()
				}
			}
		}
		switch random.IntN(8) {
		case 0:
			r.shop.LoseAnswers(1)
		case 1:
			r.shop.FailNext(1, 502)
		case 2:
			r.shop.BusyNext(2)
		}
		hereErr := r.app.WorkCodeRuns(ctx)
		storeErr := r.app.WithStoreLease(ctx, r.store, func(ctx context.Context) error {
			return r.app.StoreWork(ctx, r.store)
		})
		if ctx.Err() != nil {
			r.restart()
		}
		kill()
		r.each = nil
		r.clock.Advance(2 * time.Minute)
		open, err := r.db.OpenCodeRuns(r.ctx)
		if err != nil {
			r.Fatal(err)
		}
		if hereErr == nil && storeErr == nil && len(open) == 0 {
			return died
		}
	}
	r.Fatal("the runs do not come to an end")
	return died
}

// TestCodeRun_faults: wherever the server dies and whatever the shop loses, each member has one code, made once, which
// works in the shop and is theirs, and refreshing leaves none of the old ones.
func TestCodeRun_faults(t *testing.T) {
	deaths := 0
	twoFakeShops(t, 41, func(r *shopRig) {
		random := rand.New(rand.NewPCG(41, 11))
		o := r.offer("Five", "{{first_name}}{{random:2}}")
		names := make([]string, 70)
		for i := range names {
			names[i] = fmt.Sprintf("Zoe%c%c", 'a'+i/26, 'a'+i%26)
		}
		r.shop.MakeCoupon("BEN5", 500)
		members := r.join(o, names...)
		all := app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store}}
		run := r.start(all)
		deaths += r.struggle(random, 14)
		r.oneEach(run, members)
		all.Action = affiliate.CodeRefresh
		refreshed := r.start(all)
		deaths += r.struggle(random, 14)
		r.oneEach(refreshed, members)
		for _, item := range r.items(refreshed.ID) {
			if old := r.coupon(item.OldCode); item.State == affiliate.ItemDone && (len(old) != 1 || old[0].Works) {
				r.Errorf("the old code %s: %+v", item.OldCode, old)
			}
		}
	})
	if deaths < 50 {
		t.Errorf("the server died %d times only", deaths)
	}
}

// TestAttack_manyCodes: codes for thousands in one run, broken off in its midst and gone on with, within half of what
// the shop allows its apps.
func TestAttack_manyCodes(t *testing.T) {
	n := 150
	if attack.Long() {
		n = 5000
	}
	twoFakeShops(t, 61, func(r *shopRig) {
		o := r.offer("Five", "{{first_name}}-{{random:4}}")
		members := make([]affiliate.OfferMemberID, 0, n)
		for i := range n {
			members = append(members, r.join(o, fmt.Sprintf("Zoe%d", i))...)
		}
		r.shop.MakeCoupon("BEN5", 500)
		begun, here := r.clock.Now(), time.Now()
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store}})
		drafted := time.Since(here)
		turns := 0
		for {
			counts, err := r.db.CodeItemCounts(r.ctx, []affiliate.CodeRunID{run.ID})
			if err != nil {
				r.Fatal(err)
			}
			if done := counts[run.ID][affiliate.ItemDone]; done == int64(n) {
				break
			}
			if turns++; turns > 10*n {
				r.Fatal("it does not come to an end", counts)
			}
			over := r.requests.Load() + 7 // then it makes room, or dies
			ctx := app.WithTurn(r.ctx, func() bool { return r.requests.Load() > over })
			if err := r.app.StoreWork(ctx, r.store); err != nil {
				r.Fatal(err)
			}
			if turns == 3 {
				r.restart()
			}
		}
		took, share := r.clock.Now().Sub(begun), r.share()
		r.Logf("%d codes: drafted and started in %s, made in %s by the shop's clock and %s of ours, %d requests, "+
			"%.2f of the budget", n, drafted.Round(time.Millisecond), took.Round(time.Second),
			time.Since(here).Round(time.Millisecond), r.requests.Load(), share)
		if share > 0.5 {
			r.Errorf("%.2f of the API's budget was used", share)
		}
		if err := r.app.WorkCodeRuns(r.ctx); err != nil {
			r.Fatal(err)
		}
		r.oneEach(run, members)
	})
}

// oneEach checks that each member has exactly one code here and in the shop, made by one request.
func (r *shopRig) oneEach(run affiliate.CodeRun, members []affiliate.OfferMemberID) {
	r.Helper()
	working := map[string]int{} // codes of the shop that work
	marks := map[string]int{}
	for _, c := range r.shop.Coupons() {
		if c.Works {
			working[affiliate.FoldCode(c.Code)]++
		}
		if c.Mark != "" {
			marks[c.Mark]++
		}
	}
	for mark, n := range marks {
		if n != 1 {
			r.Errorf("%d codes were made for one item (%s)", n, mark)
		}
	}
	for _, item := range r.items(run.ID) {
		if item.State != affiliate.ItemDone && item.State != affiliate.ItemSkipped {
			r.Errorf("%s: %s %s", item.Code, item.State, item.Trouble)
		}
	}
	owned := 0
	for part := range slices.Chunk(members, storage.MaxLimit) {
		codes, err := r.db.CodesOf(r.ctx, part)
		if err != nil {
			r.Fatal(err)
		}
		has := map[affiliate.OfferMemberID]int{}
		for _, c := range codes {
			if c.OwnedAt(r.clock.Now()) {
				has[c.OfferMemberID]++
				owned++
				if n := working[affiliate.FoldCode(c.Code)]; n != 1 {
					r.Errorf("%s is somebody's and works %d times in the shop", c.Code, n)
				}
			}
		}
		for _, m := range part {
			if has[m] != 1 {
				r.Errorf("%s has %d codes", m, has[m])
			}
		}
	}
	made := 0
	for code := range working {
		if strings.HasPrefix(code, affiliate.FoldCode("ZOE")) {
			made++
		}
	}
	if made != owned {
		r.Errorf("%d codes work in the shop, and %d are somebody's", made, owned)
	}
}

// TestCodeRun_workers_race: several processes do one run side by side.
func TestCodeRun_workers_race(t *testing.T) {
	twoFakeShops(t, 62, func(r *shopRig) {
		o := r.offer("Five", "{{first_name}}5")
		names := make([]string, 40)
		for i := range names {
			names[i] = fmt.Sprintf("Zoe%c%c", 'a'+i/26, 'a'+i%26)
		}
		r.shop.MakeCoupon("BEN5", 500)
		members := r.join(o, names...)
		run := r.start(app.NewCodeRun{Action: affiliate.CodeMake, Offer: o.ID, Stores: []affiliate.StoreID{r.store}})
		var apps []*app.App
		for range 3 {
			r.restart()
			apps = append(apps, r.app)
		}
		var work sync.WaitGroup
		for _, a := range apps {
			work.Go(func() {
				for range 6 {
					if err := a.WorkCodeRuns(r.ctx); err != nil {
						r.Error(err)
					}
					err := a.WithStoreLease(r.ctx, r.store, func(ctx context.Context) error {
						return a.StoreWork(ctx, r.store)
					})
					if err != nil && !errors.Is(err, app.ErrBusy) {
						r.Error(err)
					}
				}
			})
		}
		work.Wait()
		r.oneEach(run, members)
		if run, err := r.db.CodeRun(r.ctx, run.ID); err != nil || run.State != affiliate.RunDone {
			r.Error(run.State, err)
		}
	})
}
