package app_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

const day = 24 * time.Hour

// ownerOf are the creators whom the codes of shopCSV belong to.
var ownerOf = map[string]string{"ANNA10": "Anna", "BEN5": "Ben"}

// past has n orders in the shop that were placed in the last days, and some more by a link and with refunds by rows,
// which no delivery tells of.
func (r *shopRig) past(n, days int) {
	now := r.clock.Now()
	r.shop.Fill(n, now.AddDate(0, 0, -days), now, "ANNA10", "BEN5")
	r.shop.SetFaults(fakestore.Faults{Drop: 1})
	back := time.Duration(days) * day / 2
	r.clock.Advance(-back)
	for i := range n / 20 {
		o := fakestore.NewOrder{Paid: true, Shipping: 490, Lines: []fakestore.Line{
			{Name: "Hat", Price: 2000, Quantity: 2}, {Name: "Scarf", Price: 990, Quantity: 2}}}
		if i%2 == 0 {
			o.Landing = "https://shop.example/?ref=cleo-" + r.slug() + "&utm_source=tributary&utm_content=cleo-" + r.slug()
		}
		id := r.shop.Place(o)
		if i%2 == 0 {
			r.owner[id] = "Cleo"
		}
		if i%3 == 0 {
			r.shop.Refund(id, fakestore.Refund{Lines: map[int]fakestore.Part{0: {Quantity: 1, Amount: 700, Tax: 13}}})
		}
	}
	r.clock.Advance(back)
	if err := r.shop.Flush(r.ctx); err != nil {
		r.Fatal(err)
	}
	r.shop.SetFaults(fakestore.Faults{})
	for _, id := range r.shop.IDs() {
		if codes := r.shop.Truth(id).Codes; len(codes) > 0 {
			r.owner[id] = ownerOf[codes[0]]
		}
	}
}

// placed gives the ids of the shop's orders that were placed in a time.
func (r *shopRig) placed(from, until time.Time) (ids []string) {
	for _, id := range r.shop.IDs() {
		if at := r.shop.Truth(id).Placed; !at.Before(from) && at.Before(until) {
			ids = append(ids, id)
		}
	}
	return ids
}

// rows gives the orders that are here, by the shop's ids.
func (r *shopRig) rows() map[string]storage.OrderRow {
	r.Helper()
	list, err := storage.All(func(p storage.Page) ([]storage.OrderRow, string, error) {
		return r.db.ListOrders(r.ctx, storage.OrderFilter{Store: r.slug()}, p)
	})
	if err != nil {
		r.Fatal(err)
	}
	rows := map[string]storage.OrderRow{}
	for _, row := range list {
		if _, twice := rows[row.ExternalID]; twice {
			r.Errorf("order %s is here twice", row.ExternalID)
		}
		rows[row.ExternalID] = row
	}
	return rows
}

// agrees fails the test unless exactly some orders are here, each as it is in the shop and credited to whom it belongs.
func (r *shopRig) agrees(ids []string) {
	r.Helper()
	rows := r.rows()
	for _, id := range ids {
		row, ok := rows[id]
		if !ok {
			r.Errorf("order %s is not here", id)
			continue
		}
		if fault := wrong(&row, r.shop.Truth(id)); fault != "" || row.Doubts != "" {
			r.Errorf("order %s: %s; doubts %q", id, fault, row.Doubts)
		}
		r.credited(&row)
		delete(rows, id)
	}
	if len(rows) > 0 {
		r.Errorf("%d orders are here that should not be: %v", len(rows), slices.Sorted(maps.Keys(rows)))
	}
}

// fetch begins an import of the past.
func (r *shopRig) fetch(from, until time.Time) affiliate.StoreJob {
	r.Helper()
	job, err := r.app.ImportHistory(r.ctx, r.store, from, until)
	if err != nil {
		r.Fatal(err)
	}
	return job
}

// counts fails the test unless a job is done and compared some orders, of which some were missing, and nothing else.
func (r *shopRig) counts(job affiliate.StoreJob, orders, missing int) {
	r.Helper()
	if job.State != affiliate.JobDone || job.Orders != int64(orders) || job.Expected != int64(orders) ||
		job.Missing != int64(missing) || job.Drift() != job.Missing || job.Trouble != "" {
		r.Errorf("%s is %s (%q): %d of %d orders, %d missing, drift %d; want %d orders, %d missing", job.ID, job.State,
			job.Trouble, job.Orders, job.Expected, job.Missing, job.Drift(), orders, missing)
	}
}

// kept gives how many orders that were read are here, as deliveries.
func (r *shopRig) kept() int {
	r.Helper()
	return len(r.readings())
}

func (r *shopRig) readings() []storage.DeliveryRow {
	r.Helper()
	list, err := storage.All(func(p storage.Page) ([]storage.DeliveryRow, string, error) {
		return r.db.ListDeliveries(r.ctx, storage.DeliveryFilter{Store: r.slug(), Topic: affiliate.TopicOrderRead}, p)
	})
	if err != nil {
		r.Fatal(err)
	}
	return list
}

// TestHistory: an import brings all orders of its time and no others, as if their deliveries had come.
func TestHistory(t *testing.T) {
	eachFakeShop(t, 31, func(r *shopRig) {
		r.past(230, 100)
		now := r.clock.Now()
		from, until := now.AddDate(0, 0, -80), now.AddDate(0, 0, -10)
		want := r.placed(from, until)
		dry, err := r.app.CompareStore(r.ctx, r.store, from, true)
		if err != nil {
			r.Fatal(err)
		}
		if dry = r.work(dry.ID, nil); dry.Missing < int64(len(want)) || r.kept() > 0 {
			r.Errorf("a dry run found %d of %d missing orders and kept %d", dry.Missing, len(want), r.kept())
		}

		compared := 0
		job := r.fetch(from, until)
		if _, err := r.app.ImportHistory(r.ctx, r.store, from, until); affiliate.KindOf(err) != affiliate.Conflict {
			r.Errorf("a second import while one is open: %v", err)
		}
		edited := false
		r.each = func(int64) {
			r.clock.Advance(2 * time.Second)
			now := r.job(job.ID)
			if now.Orders == 0 || edited {
				return
			}
			if now.Rate() <= 0 || now.Rate() > 50 || now.Orders < now.Expected && now.Left() <= 0 {
				r.Errorf("after %d of %d orders in %d ms: %g/s, %s left", now.Orders, now.Expected, now.Worked,
					now.Rate(), now.Left())
			}
			// Halfway a comparison becomes due, which goes between; and people go on, with orders of the window too.
			r.clock.Advance(11 * time.Minute)
			edited = true
			r.shop.Edit(want[0])
			r.shop.Edit(want[len(want)-1])
			r.owner[r.shop.Place(fakestore.NewOrder{Paid: true, Lines: []fakestore.Line{{Name: "Hat", Price: 1000,
				Quantity: 1}}})] = ""
			if err := r.shop.Flush(r.ctx); err != nil {
				r.Error(err)
			}
		}
		job = r.work(job.ID, nil)
		r.each = nil
		r.process()
		r.counts(job, len(want), len(want))
		former, err := storage.All(func(p storage.Page) ([]affiliate.StoreJob, string, error) {
			return r.db.StoreJobs(r.ctx, r.store, false, p)
		})
		if err != nil {
			r.Fatal(err)
		}
		for _, other := range former {
			if other.ID > job.ID && !other.EndedAt.After(job.EndedAt) {
				compared++
			}
		}
		if compared == 0 {
			r.Error("no comparison went between")
		}
		if rows := r.reported(job.ID); len(rows) > 0 {
			r.Errorf("an import reports what it fetched: %v", rows)
		}
		want = append(want, r.placed(now, r.clock.Now().Add(day))...) // its delivery came
		r.agrees(want)
		fetched := 0
		for _, d := range r.readings() {
			if strings.Contains(d.Note, "Fetched from the store's past orders") {
				fetched++
			}
		}
		if fetched != len(want)-1 {
			r.Errorf("%d deliveries say that the import fetched them, want %d", fetched, len(want)-1)
		}

		kept := r.kept()
		again := r.work(r.fetch(from, until).ID, nil)
		r.counts(again, len(r.placed(from, until)), 0)
		if n := r.kept(); n != kept {
			r.Errorf("the second import kept %d deliveries", n-kept)
		}
		if share := r.share(); share > 0.5 {
			r.Errorf("%.2f of the API's budget was used", share)
		}
	})
}

// set pauses a job, has it go on, or stops it.
func (r *shopRig) set(id affiliate.StoreJobID, to affiliate.StoreJobState) {
	r.Helper()
	if _, err := r.app.SetStoreJob(r.ctx, id, to); err != nil {
		r.Error(err)
	}
}

// open gives the one job that is not at its end.
func (r *shopRig) open() affiliate.StoreJob {
	r.Helper()
	list, err := r.db.OpenStoreJobs(r.ctx, r.store)
	if err != nil || len(list) != 1 {
		r.Errorf("%d jobs are open: %v", len(list), err)
		return affiliate.StoreJob{}
	}
	return list[0]
}

// deaths kills a server at the first request after some, its successor at the second, and so on.
func deaths(after int64) func(int64) bool {
	lived, next := int64(1), after+1
	return func(n int64) bool {
		if n != next {
			return false
		}
		lived++
		next += lived
		return true
	}
}

// TestHistory_killed: wherever the server dies, each order comes once, and is counted once.
func TestHistory_killed(t *testing.T) {
	kills := 0
	eachFakeShop(t, 32, func(r *shopRig) {
		r.past(110, 50)
		now := r.clock.Now()
		want := r.placed(now.AddDate(0, 0, -50), now)
		job := r.fetch(now.AddDate(0, 0, -50), now)
		job = r.work(job.ID, deaths(r.requests.Load()))
		r.counts(job, len(want), len(want))
		if r.kept() != len(want) {
			r.Errorf("%d deliveries were kept of %d orders", r.kept(), len(want))
		}
		r.process()
		r.agrees(want)
		kills += r.kills
	})
	if kills < 30 {
		t.Errorf("the server died %d times only", kills)
	}
}

// TestHistory_halted: people pause an import, have it go on and stop it; what was fetched stays, and nothing is lost.
func TestHistory_halted(t *testing.T) {
	eachFakeShop(t, 33, func(r *shopRig) {
		r.past(220, 50)
		now := r.clock.Now()
		want := r.placed(now.AddDate(0, 0, -50), now)
		id := r.fetch(now.AddDate(0, 0, -50), now).ID
		halt := func(to affiliate.StoreJobState, after int64) {
			r.each = func(int64) {
				if j := r.job(id); j.State == affiliate.JobRunning && j.Orders >= after {
					r.set(id, to)
				}
			}
		}
		halt(affiliate.JobPaused, 20)
		paused := r.work(id, nil)
		r.each = nil
		if paused.State != affiliate.JobPaused || paused.Orders < 20 || paused.Orders > 150 {
			r.Fatalf("it is %s after %d orders", paused.State, paused.Orders)
		}
		r.process()
		if n := len(r.rows()); int64(n) != paused.Orders {
			r.Errorf("%d orders are here, of %d that were fetched", n, paused.Orders)
		}
		r.clock.Advance(time.Hour)
		if still := r.work(id, nil); still.Orders != paused.Orders || still.State != affiliate.JobPaused {
			r.Errorf("it goes on while it is paused: %+v", still)
		}
		if due, err := r.app.DueStores(r.ctx); err != nil || len(due) > 0 {
			r.Errorf("a paused job keeps the store due: %v, %v", due, err)
		}
		r.restart()
		r.set(id, affiliate.JobWaiting)
		halt(affiliate.JobStopped, 120)
		stopped := r.work(id, nil)
		r.each = nil
		r.process()
		if n := len(r.rows()); stopped.State != affiliate.JobStopped || stopped.EndedAt.IsZero() || n == len(want) ||
			int64(n) != stopped.Orders || stopped.Missing != stopped.Orders {
			r.Errorf("it is %s at %s, %d orders are here: %+v", stopped.State, stopped.EndedAt, n, stopped)
		}
		if _, err := r.app.SetStoreJob(r.ctx, id, affiliate.JobWaiting); affiliate.KindOf(err) != affiliate.Conflict {
			r.Errorf("a stopped job goes on: %v", err)
		}
		rest := r.work(r.fetch(now.AddDate(0, 0, -50), now).ID, nil)
		r.process()
		r.counts(rest, len(want), len(want)-int(stopped.Orders))
		r.agrees(want)
	})
}

// TestHistory_twice: an order that comes twice, as others come back from the trash while one second of very many orders
// is read, is missing once.
func TestHistory_twice(t *testing.T) {
	r := newShopRig(t, storagetest.SQLite(t), woocommerce.Name, 50)
	now, trashed := r.clock.Now(), ""
	for range 150 {
		trashed = r.shop.Place(fakestore.NewOrder{Paid: true, At: now.Add(-day), Quiet: true,
			Lines: []fakestore.Line{{Name: "Hat", Price: 1000, Quantity: 1}}})
	}
	r.shop.Trash(trashed)
	r.compare(nil)
	job, pages := r.fetch(now.Add(-2*day), now), 0
	r.shop.EditWhilePaging(1, func() {
		if pages++; pages == 4 { // before them are those that only count
			r.shop.Restore(trashed)
		}
	})
	if job = r.work(job.ID, nil); job.State != affiliate.JobDone || job.Missing != 150 || job.Orders <= 150 {
		t.Errorf("it is %s with %d orders, %d missing", job.State, job.Orders, job.Missing)
	}
	r.process()
	r.agrees(r.shop.IDs())
}

// TestHistory_window: by default the orders of the hold period and 60 days come, and errors name what is wrong.
func TestHistory_window(t *testing.T) {
	r := newShopRig(t, storagetest.SQLite(t), woocommerce.Name, 34)
	now := r.clock.Now()
	for _, test := range []struct {
		from, until time.Time
		field, want string
	}{
		{now.Add(time.Hour), time.Time{}, "from", "is in the future"},
		{now.Add(-day), now.Add(-2 * day), "from", "must be before the end"},
		{time.Date(2009, 12, 31, 0, 0, 0, 0, time.UTC), time.Time{}, "from", "must be 2010-01-01 or later"},
	} {
		var fault *affiliate.Error
		_, err := r.app.ImportHistory(r.ctx, r.store, test.from, test.until)
		if !errors.As(err, &fault) || fault.Kind != affiliate.Invalid || fault.Field != test.field ||
			fault.Message != test.want {
			t.Errorf("from %s until %s: %v", test.from, test.until, err)
		}
	}
	if _, err := r.app.SetSettings(r.ctx, []app.Setting{{Key: "hold_days", Value: "14"}}); err != nil {
		t.Fatal(err)
	}
	job := r.fetch(time.Time{}, now.Add(day))
	if !job.From.Equal(now.AddDate(0, 0, -74)) || !job.Until.Equal(now) || job.Cause != affiliate.CauseRequest {
		t.Errorf("from %s until %s, %s", job.From, job.Until, job.Cause)
	}
	other, err := r.app.AddStore(r.ctx, app.NewStore{Platform: woocommerce.Name, Slug: "by-hand", Name: "Shop",
		Domain: "other.example", Currency: "EUR", Timezone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.app.ImportHistory(r.ctx, other.ID, time.Time{}, time.Time{})
	if affiliate.KindOf(err) != affiliate.Conflict || !strings.Contains(fmt.Sprint(err), "store connect --store") {
		t.Errorf("a store without access: %v", err)
	}
}

// TestHistory_export: a store that has many orders writes them out. Where that comes to nothing, they are read page by
// page.
func TestHistory_export(t *testing.T) {
	tests := []struct {
		name   string
		orders int
		set    func(*fakestore.ShopifyQuirks)
		at     func(r *shopRig, done string) (die bool) // at the first request after so many of the file were kept
		files  int                                      // how often the file is read
	}{
		{"killed", 220, nil, func(*shopRig, string) bool { return true }, 3},
		{"slow", 60, func(q *fakestore.ShopifyQuirks) { q.Polls = 3 }, nil, 1},
		{"paused", 60, func(q *fakestore.ShopifyQuirks) { q.Polls = 40 }, func(r *shopRig, done string) bool {
			if done == "0" {
				r.set(r.open().ID, affiliate.JobPaused)
			}
			return false
		}, 1},
		{"yielding", 220, nil, func(r *shopRig, _ string) bool { r.clock.Advance(app.CompareEvery); return false }, 3},
		{"forgotten", 120, nil, func(r *shopRig, done string) bool {
			if done != "100" {
				return false
			}
			r.shop.ForgetExports()
			r.process()
			return true
		}, 1},
		{"failing", 60, func(q *fakestore.ShopifyQuirks) { q.FailExport = true }, nil, 0},
		{"mixed up", 60, func(q *fakestore.ShopifyQuirks) { q.MixedExport = true }, nil, 1},
		{"refused", 60, func(q *fakestore.ShopifyQuirks) { q.NoExports = true }, nil, 0},
	}
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		if !db.Embedded() {
			tests = tests[:1]
		}
		for i, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				r := newShopRig(t, db, shopify.Name, 35+uint64(i))
				r.exportFrom = 50
				r.restart()
				r.past(test.orders, 50)
				if test.set != nil {
					r.shop.SetShopify(test.set)
				}
				now := r.clock.Now()
				want := r.placed(now.AddDate(0, 0, -50), now)
				job, seen := r.fetch(now.AddDate(0, 0, -50), now), map[string]bool{}
				kill := func(int64) bool {
					done, exporting := strings.CutPrefix(r.job(job.ID).Position, "export gid://shopify/BulkOperation/")
					_, done, _ = strings.Cut(done, " ")
					if !exporting || seen[done] || test.at == nil {
						return false
					}
					seen[done] = true
					return test.at(r, done)
				}
				if job = r.work(job.ID, kill); job.State == affiliate.JobPaused {
					if n := r.requests.Load(); n > 40 {
						r.Errorf("it was paused only after %d requests", n)
					}
					r.set(job.ID, affiliate.JobWaiting)
					job = r.work(job.ID, kill)
				}
				r.counts(job, len(want), len(want))
				files := 0
				for _, request := range r.shop.Requests() {
					if strings.Contains(request, "/exports/") {
						files++
					}
				}
				if files != test.files {
					r.Errorf("the export was read %d times, want %d", files, test.files)
				}
				if r.kept() != len(want) {
					r.Errorf("%d deliveries were kept of %d orders", r.kept(), len(want))
				}
				r.process()
				r.agrees(want)
			})
		}
	})
}
