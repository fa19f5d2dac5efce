package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// storeRun is one run of a job.
type storeRun struct {
	comparer
	began time.Time // since when the time it worked is not counted yet
}

// runStoreJob works at a job until it has ended, or, where it is an import of the past, until a comparison is due.
func (a *App) runStoreJob(ctx context.Context, job affiliate.StoreJob) error {
	r, err := a.openRun(ctx, job)
	if err != nil {
		return a.failStoreJob(ctx, job, err)
	}
	if err := r.start(ctx); err != nil {
		return err
	}
	for {
		more, err := r.step(affiliate.InBackground(ctx))
		if err != nil {
			if errors.Is(err, errHalted) {
				return err
			}
			return r.trouble(ctx, err)
		}
		if !more {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if yields, err := r.yields(ctx); err != nil || yields {
			return err
		}
	}
}

// yields says whether the job is to be left for the moment: for other work with this store or another, or for a
// comparison that an import of the past goes on after.
func (r *storeRun) yields(ctx context.Context) (bool, error) {
	if r.app.otherWorkDue(ctx, r.store.ID) {
		return true, nil
	}
	if r.job.Kind != affiliate.JobHistory {
		return false, nil
	}
	work, err := r.app.DB.StoreWork(ctx, r.store.ID)
	return err == nil && r.app.comparisonDue(work) != "", err
}

func (a *App) openRun(ctx context.Context, job affiliate.StoreJob) (*storeRun, error) {
	store, err := a.DB.Store(ctx, job.StoreID)
	if err != nil {
		return nil, err
	}
	client, err := a.storeClient(ctx, job.StoreID)
	if err != nil {
		return nil, err
	}
	rules, err := a.DB.StoreRules(ctx, []affiliate.StoreID{store.ID})
	if err != nil {
		return nil, err
	}
	return &storeRun{comparer{a, store, a.Platforms.Of(store.Platform), client, rules[store.ID].OrderRules, job},
		a.now()}, nil
}

// failStoreJob ends a job that can never go on, and gives why.
func (a *App) failStoreJob(ctx context.Context, job affiliate.StoreJob, why error) error {
	if k := affiliate.KindOf(why); k != affiliate.Conflict && k != affiliate.NotFound {
		return why
	}
	return errors.Join(why, a.DB.InTx(ctx, func(tx *storage.Tx) error {
		now := a.now()
		job.State, job.Trouble, job.UpdatedAt, job.EndedAt = affiliate.JobFailed, why.Error(), now, now
		return tx.SaveStoreJob(ctx, job)
	}))
}

// start notes that the job runs.
func (r *storeRun) start(ctx context.Context) error {
	return r.save(ctx, func(*storage.Tx) error {
		if r.job.StartedAt.IsZero() {
			r.job.StartedAt = r.app.now()
		}
		return nil
	})
}

// save writes the job as it stands, with what change does, unless it was paused or stopped meanwhile.
func (r *storeRun) save(ctx context.Context, changes ...func(*storage.Tx) error) error {
	before := r.job
	err := r.app.DB.InTx(storage.ForWork(ctx), func(tx *storage.Tx) error {
		r.job = before
		now, err := tx.HoldStoreJob(ctx, r.job.ID)
		if err != nil {
			return err
		}
		if _, err := tx.StoreAccess(ctx, r.store.ID); err != nil {
			if affiliate.KindOf(err) == affiliate.NotFound {
				return errHalted // the store was disconnected meanwhile
			}
			return err
		}
		if now.State != affiliate.JobRunning && now.State != affiliate.JobWaiting ||
			!now.UpdatedAt.Equal(before.UpdatedAt) { // or another worker has taken it, after this one slept for long
			return errHalted
		}
		r.job.State, r.job.UpdatedAt = affiliate.JobRunning, r.app.now()
		r.job.Worked = before.Worked + max(0, r.job.UpdatedAt.Sub(r.began).Milliseconds())
		for _, change := range changes {
			if err := change(tx); err != nil {
				return err
			}
		}
		return tx.SaveStoreJob(ctx, r.job)
	})
	if err != nil {
		r.job = before
		return err
	}
	r.began = r.job.UpdatedAt
	r.app.touched([]affiliate.StoreID{r.job.StoreID})
	return nil
}

// trouble notes on the job why it does not go on, and gives the error back.
func (r *storeRun) trouble(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		return why
	}
	_, sentence := storeTrouble(why)
	if sentence == "" {
		return why
	}
	return errors.Join(why, r.save(ctx, func(*storage.Tx) error {
		r.job.Trouble = clipNote(sentence)
		return nil
	}))
}

// Phases of a job, the first word of its position.
const (
	phaseCount  = ""       // how many orders there are
	phasePages  = "pages"  // those of the window, page by page
	phaseBehind = "behind" // likewise, where the store's clock is behind and the window was made longer for that
	phaseExport = "export" // those that the store writes out: "export ID ORDERS-DONE"
	phaseDoubts = "doubts" // those in doubt, by their ids
	phaseDeep   = "deep"   // all that may still change, by their ids
)

// step does the next part of the job and says whether there is more.
func (r *storeRun) step(ctx context.Context) (more bool, err error) {
	phase, rest, _ := strings.Cut(r.job.Position, " ")
	switch phase {
	case phaseCount:
		return true, r.count(ctx)
	case phasePages, phaseBehind:
		return true, r.page(ctx, phase, rest)
	case phaseExport:
		return true, r.export(ctx, rest)
	case phaseDoubts, phaseDeep:
		return r.byIDs(ctx, phase, rest)
	}
	return false, fmt.Errorf("the position %q of %s is not known to this version", r.job.Position, r.job.ID)
}

// window is that of the job. A comparison leaves what is only just changing to the next.
func (r *storeRun) window() affiliate.OrderWindow {
	if r.job.Kind == affiliate.JobHistory {
		return affiliate.OrderWindow{By: affiliate.ByPlaced, From: r.job.From, Until: r.job.Until}
	}
	return affiliate.OrderWindow{By: affiliate.ByUpdate, From: r.job.From, Until: r.job.Until.Add(-compareLag)}
}

func (r *storeRun) count(ctx context.Context) error {
	w := r.window()
	if !w.From.Before(w.Until) {
		return r.to(ctx, phaseDoubts)
	}
	n, err := r.client.CountOrders(ctx, w)
	if r.app.asked(ctx, r.store.ID, err) != nil {
		return err
	}
	next := phasePages
	if exporter, ok := r.client.(Exporter); ok && r.job.Kind == affiliate.JobHistory &&
		n > cmp.Or(r.app.exportFrom, exportFrom) {
		id, err := exporter.StartExport(ctx, w)
		switch {
		case unusable(err):
			r.warnOfExport(err.Error())
		case r.app.asked(ctx, r.store.ID, err) != nil:
			return err
		default:
			next = phaseExport + " " + id + " 0"
		}
	}
	return r.save(ctx, func(*storage.Tx) error {
		r.job.Expected, r.job.Position, r.job.Trouble = n, next, ""
		return nil
	})
}

// to goes on to another position.
func (r *storeRun) to(ctx context.Context, position string) error {
	return r.save(ctx, func(*storage.Tx) error {
		r.job.Position = position
		return nil
	})
}

// page compares the next page of the window.
func (r *storeRun) page(ctx context.Context, phase, cursor string) error {
	asked := r.app.now()
	page, err := r.client.Orders(ctx, r.window(), cursor)
	if r.app.asked(ctx, r.store.ID, err) != nil {
		return err
	}
	if behind := asked.Sub(page.ReadAt); phase == phasePages && cursor == "" && r.job.Kind == affiliate.JobReconcile &&
		!page.ReadAt.IsZero() && behind > compareLag {
		// What was stamped by its clock just after the end of the comparison before would be in none.
		return r.save(ctx, func(*storage.Tx) error {
			r.job.From, r.job.Position = r.job.From.Add(-behind), phaseBehind
			return nil
		})
	}
	f, err := r.compare(ctx, page, asked)
	if err != nil {
		return err
	}
	next := phase + " " + page.Next
	if page.Next == "" {
		next = phaseDoubts
	}
	return r.commit(ctx, f, next)
}

// byIDs looks for the next orders that are here by their ids, and ends the job after the last.
func (r *storeRun) byIDs(ctx context.Context, phase, cursor string) (more bool, err error) {
	if r.job.Kind == affiliate.JobHistory {
		return false, r.commit(ctx, found{}, "")
	}
	from, err := r.app.deepFrom(ctx)
	if err != nil {
		return false, err
	}
	if phase == phaseDoubts {
		if from = (time.Time{}); !r.job.Deep() {
			from = r.app.now().Add(-doubtsSoon)
		}
	}
	list, next, err := r.app.DB.OrdersToRead(ctx, r.store.ID, from, phase == phaseDoubts, storage.Page{Limit: jobPage,
		Cursor: cursor})
	if err != nil {
		return false, err
	}
	var f found
	if len(list) > 0 {
		if f, err = r.lookFor(ctx, list); err != nil {
			return false, err
		}
		f.compared = 0 // those of the window were counted
		for _, o := range list {
			if phase == phaseDeep && o.UpdatedAt.Before(r.job.From) {
				f.compared++
			}
		}
		if f.gone > max(fewGone, len(list)/2) && r.job.Cause != affiliate.CauseRequest {
			return false, r.giveUp(ctx, fmt.Sprintf("Of %d orders that were looked for by their ids the store has %d "+
				"no more. Nothing was canceled: see that its keys are those of this shop, with all their rights. If "+
				"the orders were deleted on purpose, press “Compare now”.", len(list), f.gone))
		}
	}
	switch {
	case next != "":
		return true, r.commit(ctx, f, phase+" "+next)
	case phase == phaseDoubts && r.job.Deep():
		return true, r.commit(ctx, f, phaseDeep)
	}
	return false, r.commit(ctx, f, "")
}

// fewGone is how many orders may be gone at once without anybody being asked: of more, half a page at most.
const fewGone = 10

// giveUp ends a comparison that a person must look at. The next one is made when its time comes.
func (r *storeRun) giveUp(ctx context.Context, why string) error {
	return r.save(ctx, func(tx *storage.Tx) error {
		r.job.State, r.job.Trouble, r.job.EndedAt = affiliate.JobFailed, why, r.app.now()
		if err := tx.WarnStore(ctx, r.store.ID, why); err != nil {
			return err
		}
		return tx.EndedComparison(ctx, r.store.ID, time.Time{}, r.app.now(), r.job.Deep())
	})
}

// commit keeps what was found and where to go on, all at once. Without the latter the job has ended.
func (r *storeRun) commit(ctx context.Context, f found, next string) error {
	var ids []affiliate.DeliveryID
	err := r.save(ctx, func(tx *storage.Tx) (err error) {
		r.job.Position, r.job.Trouble = next, ""
		r.job.Orders += f.compared
		r.job.Settled += f.settled
		r.job.Expected = max(r.job.Expected, r.job.Orders)
		if err := r.report(ctx, tx, f); err != nil || r.job.DryRun {
			return err // an end comes all the same
		}
		ids, err = r.keep(ctx, tx, f.readings)
		return err
	}, func(tx *storage.Tx) error {
		if next != "" {
			return nil
		}
		return r.end(ctx, tx)
	})
	if err == nil && len(ids) > 0 && r.app.Queue != nil {
		if err := r.app.Queue.Wake(ctx, ids); err != nil {
			r.app.lines.Log(r.app.Log, slog.LevelWarn, "", "queue not reachable, readings wait for the sweep", "error",
				err)
		}
	}
	return err
}

// keep keeps what was read, and gives the ids of what is new. An order of the past that came twice before the first was
// processed was missing once.
func (r *storeRun) keep(ctx context.Context, tx *storage.Tx, list []reading) ([]affiliate.DeliveryID, error) {
	var past, others []storage.NewDelivery
	for _, one := range list {
		if one.found == foundHistory {
			past = append(past, one.delivery())
		} else {
			others = append(others, one.delivery())
		}
	}
	ids, err := tx.KeepReadings(ctx, past)
	if err != nil {
		return nil, err
	}
	r.job.Missing -= int64(len(past) - len(ids))
	more, err := tx.KeepReadings(ctx, others)
	return append(ids, more...), err
}

// report counts and keeps what did not agree: each order once in a job.
func (r *storeRun) report(ctx context.Context, tx *storage.Tx, f found) error {
	ids := make([]string, 0, len(f.kinds))
	for id := range f.kinds {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	known, err := tx.DriftedOrders(ctx, r.job.ID, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if known[id] {
			continue
		}
		switch f.kinds[id] {
		case affiliate.DriftMissing:
			r.job.Missing++
		case affiliate.DriftBehind:
			r.job.Behind++
		case affiliate.DriftDifferent:
			r.job.Different++
		case affiliate.DriftExtra:
			r.job.Extra++
		}
	}
	drift := slices.DeleteFunc(slices.Clone(f.drift), func(d affiliate.Drift) bool {
		// That an order of the past was not here is what the import is for.
		return known[d.Order] || r.job.Kind == affiliate.JobHistory && d.Kind == affiliate.DriftMissing
	})
	slices.SortFunc(drift, func(a, b affiliate.Drift) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Field, b.Field))
	})
	drift = slices.CompactFunc(drift, func(a, b affiliate.Drift) bool {
		return a.Order == b.Order && a.Field == b.Field
	})
	return tx.AddDrift(ctx, drift)
}

// end notes that all was done. What lies before a comparison that somebody had begin late is still to be compared.
func (r *storeRun) end(ctx context.Context, tx *storage.Tx) error {
	r.job.State, r.job.EndedAt, r.job.Trouble = affiliate.JobDone, r.app.now(), ""
	if r.job.Kind != affiliate.JobReconcile || r.job.DryRun {
		return nil
	}
	work, err := tx.StoreWork(ctx, r.store.ID)
	if err != nil {
		return err
	}
	begin := work.AgreedUntil
	if begin.IsZero() {
		if begin, err = r.app.firstFrom(ctx, r.store); err != nil {
			return err
		}
	}
	until := r.window().Until
	if r.job.From.After(begin) {
		until = time.Time{}
	}
	return tx.EndedComparison(ctx, r.store.ID, until, r.app.now(), r.job.Deep())
}

// errYielded breaks the reading of an export off for a comparison.
var errYielded = errors.New("a comparison is due")

// export reads what the store writes out, once it has.
func (r *storeRun) export(ctx context.Context, rest string) error {
	exporter, ok := r.client.(Exporter)
	if !ok {
		return r.to(ctx, phasePages)
	}
	id, text, _ := strings.Cut(rest, " ")
	var done int64
	if _, err := fmt.Sscan(text, &done); err != nil {
		return fmt.Errorf("the position %q of %s is not known to this version", r.job.Position, r.job.ID)
	}
	state, err := exporter.ExportState(ctx, id)
	switch {
	case affiliate.KindOf(err) == affiliate.NotFound: // stores forget them
		return r.pageByPage(ctx, err.Error())
	case r.app.asked(ctx, r.store.ID, err) != nil:
		return err
	case !state.Done:
		if err := r.app.wait(ctx, exportPause); err != nil {
			return err
		}
		return r.to(ctx, r.job.Position) // unless it was paused or stopped meanwhile
	case state.Failed != "" || state.Address == "":
		return r.pageByPage(ctx, state.Failed)
	}
	var list []affiliate.StoreOrder
	asked := r.app.now()
	keep := func() error {
		if len(list) == 0 {
			return nil
		}
		f, err := r.compare(ctx, affiliate.OrderPage{Orders: list}, asked)
		if err != nil {
			return err
		}
		done += int64(len(list))
		list = list[:0]
		if err := r.commit(ctx, f, fmt.Sprintf("%s %s %d", phaseExport, id, done)); err != nil {
			return err
		}
		yields, err := r.yields(ctx)
		if yields {
			err = errYielded
		}
		return err
	}
	var kept error
	err = exporter.ReadExport(ctx, state.Address, done, func(o affiliate.StoreOrder) error {
		if list = append(list, o); len(list) == jobPage {
			kept = keep()
		}
		return kept
	})
	if kept == nil && err == nil {
		kept = keep()
	}
	switch {
	case errors.Is(kept, errYielded):
		return nil
	case kept != nil:
		return kept
	case unusable(err):
		return r.pageByPage(ctx, err.Error())
	case err != nil:
		return r.app.asked(ctx, r.store.ID, err)
	}
	return r.to(ctx, phaseDoubts)
}

// unusable says whether an error of an export will come again: what the store answers is not as it is documented.
func unusable(err error) bool {
	code, _ := storeTrouble(err)
	return code == affiliate.StoreAnswer && affiliate.KindOf(err) == affiliate.Invalid
}

// pageByPage begins anew without the export. What was kept of it agrees.
func (r *storeRun) pageByPage(ctx context.Context, why string) error {
	r.warnOfExport(why)
	return r.save(ctx, func(*storage.Tx) error {
		r.job.Position, r.job.Orders = phasePages, 0
		return nil
	})
}

func (r *storeRun) warnOfExport(why string) {
	r.app.Log.Warn("the store could not write its orders out; they are read page by page", "store", r.store.Slug,
		"reason", why)
}

// wait pauses until ctx ends.
func (a *App) wait(ctx context.Context, d time.Duration) error {
	if a.pause != nil {
		return a.pause(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
