package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// sell places a paid order in the shop of which no delivery tells.
func (r *shopRig) sell() string {
	return r.shop.Place(fakestore.NewOrder{Paid: true, Quiet: true, Lines: []fakestore.Line{{Name: "Hat", Price: 1000,
		Quantity: 1}}})
}

// withShop runs a test with one fake store.
func withShop(t *testing.T, test func(r *shopRig)) {
	test(newShopRig(t, storagetest.SQLite(t), woocommerce.Name, 60))
}

// due works at what is due with the store, without anybody's asking.
func (r *shopRig) due() {
	r.Helper()
	err := r.app.WithStoreLease(r.ctx, r.store, func(ctx context.Context) error {
		return r.app.StoreWork(ctx, r.store)
	})
	if err != nil {
		r.Fatal(err)
	}
	r.process()
}

// TestReconcile_since: a comparison that somebody has begin late leaves what lies before it to the next one.
func TestReconcile_since(t *testing.T) {
	withShop(t, func(r *shopRig) {
		r.due()
		r.clock.Advance(time.Minute)
		early := r.sell()
		r.clock.Advance(4 * time.Hour)
		late := r.sell()
		r.clock.Advance(5 * time.Minute)
		job, err := r.app.CompareStore(r.ctx, r.store, r.clock.Now().Add(-time.Hour), false)
		if err != nil {
			t.Fatal(err)
		}
		if job = r.work(job.ID, nil); job.Missing != 1 {
			t.Errorf("%+v", job)
		}
		r.process()
		if r.here(late) == nil {
			t.Error("the late order is not here")
		}
		r.clock.Advance(app.CompareEvery)
		r.due()
		if r.here(early) == nil {
			t.Error("the early order was never looked for")
		}
	})
}

// TestReconcile_clock_behind: a store whose clock is behind stamps a change earlier than we had compared it until.
func TestReconcile_clock_behind(t *testing.T) {
	withShop(t, func(r *shopRig) {
		r.lag = 20 * time.Minute
		r.due()
		r.clock.Advance(10 * time.Second)
		id := r.sell()
		r.clock.Advance(app.CompareEvery)
		r.due()
		if r.here(id) == nil {
			t.Error("the order is not here")
		}
	})
}

// TestReconcile_disconnected: a store that is disconnected in the middle of a job is asked no more, and its jobs end.
func TestReconcile_disconnected(t *testing.T) {
	withShop(t, func(r *shopRig) {
		r.shop.Fill(250, r.clock.Now().AddDate(0, -1, 0), r.clock.Now())
		job, err := r.app.ImportHistory(r.ctx, r.store, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		after := int64(0)
		r.each = func(n int64) {
			switch {
			case after > 0:
				after++
			case r.job(job.ID).Orders > 0:
				after = 1
				if _, err := r.app.EndAccess(r.ctx, r.store); err != nil {
					t.Error(err)
				}
			}
		}
		r.due()
		if job = r.job(job.ID); job.State != affiliate.JobFailed || job.EndedAt.IsZero() ||
			!strings.Contains(job.Trouble, "disconnected") {
			t.Errorf("the job is %s: %s", job.State, job.Trouble)
		}
		if after > 40 { // what was under way, and the deletion of webhooks
			t.Errorf("the store was asked %d times more", after)
		}
		before := r.requests.Load()
		r.clock.Advance(time.Hour)
		r.due()
		if asked := r.requests.Load() - before; asked > 0 {
			t.Errorf("a store that is disconnected was asked %d times", asked)
		}
	})
}

// TestReconcile_paused_and_disconnected: a job that nobody works at ends as well.
func TestReconcile_paused_and_disconnected(t *testing.T) {
	withShop(t, func(r *shopRig) {
		job, err := r.app.ImportHistory(r.ctx, r.store, time.Time{}, time.Time{})
		if err == nil {
			_, err = r.app.SetStoreJob(r.ctx, job.ID, affiliate.JobPaused)
		}
		if err == nil {
			_, err = r.app.EndAccess(r.ctx, r.store)
		}
		if err != nil {
			t.Fatal(err)
		}
		if job = r.job(job.ID); job.State != affiliate.JobFailed || job.EndedAt.IsZero() {
			t.Errorf("the job is %s", job.State)
		}
	})
}

// TestReconcile_many_gone: when a store suddenly has none of its orders, something else is wrong.
func TestReconcile_many_gone(t *testing.T) {
	withShop(t, func(r *shopRig) {
		var ids []string
		for range 30 {
			ids = append(ids, r.sell())
		}
		r.clock.Advance(5 * time.Minute)
		r.due()
		for _, id := range ids {
			r.shop.DeleteForGood(id)
		}
		r.clock.Advance(25 * time.Hour)
		r.due()
		for _, id := range ids {
			if row := r.here(id); row.Status != affiliate.Paid {
				t.Fatalf("order %s is %s", id, row.Status)
			}
		}
		list, _, err := r.db.StoreJobs(r.ctx, r.store, true, storage.Page{Limit: 1})
		if err != nil || len(list) == 0 {
			t.Fatal(err)
		}
		last := list[0]
		if last.State != affiliate.JobFailed || !strings.Contains(last.Trouble, "the store has 30 no more") {
			t.Errorf("%s: %s", last.State, last.Trouble)
		}
		if again := r.compare(nil); again.Extra != 30 {
			t.Errorf("when somebody asks: %+v", again)
		}
		r.process()
		for _, id := range ids {
			if row := r.here(id); row.Status != affiliate.Canceled {
				t.Fatalf("order %s is %s", id, row.Status)
			}
		}
	})
}

// TestReconcile_young: an order whose delivery may be on its way is left to the next comparison and not counted; for
// one of before the store was added there is no delivery to wait for.
func TestReconcile_young(t *testing.T) {
	withShop(t, func(r *shopRig) {
		before := r.shop.Place(fakestore.NewOrder{Paid: true, Quiet: true, At: r.clock.Now().Add(-10 * time.Second),
			Lines: []fakestore.Line{{Name: "Hat", Price: 1000, Quantity: 1}}})
		r.clock.Advance(40 * time.Second)
		after := r.sell()
		r.clock.Advance(40 * time.Second)
		if job := r.compare(nil); job.Missing != 1 || job.Orders != 1 {
			t.Errorf("%+v", job)
		}
		r.process()
		if r.here(before) == nil || r.here(after) != nil {
			t.Errorf("of before %v, of after %v", r.here(before), r.here(after))
		}
	})
}
