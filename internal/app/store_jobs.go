package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// When stores are compared.
const (
	// CompareEvery is how often a store is compared while all is well.
	CompareEvery = 10 * time.Minute
	deepEvery    = 24 * time.Hour
	// compareOverlap is how far a comparison looks back behind the end of the one before: Shopify writes an order's
	// parts after the order itself, and clocks differ.
	compareOverlap = 5 * time.Minute
	// compareLag is how young a change may be and be left to the next comparison.
	compareLag = 30 * time.Second
	// deepMargin is added to the hold period: of orders that are looked for by their ids.
	deepMargin = 7 * 24 * time.Hour
	// HistoryMargin is added to the hold period: of the orders that an import of the past fetches unless told
	// otherwise.
	HistoryMargin = 60 * 24 * time.Hour
	// exportFrom is how many orders make a store write them out at once worth its wait.
	exportFrom = 5000
	// doubtRest is how long an order in doubt is left alone: longer than a change may be under way.
	doubtRest = underWay + compareLag
	// doubtsSoon is how recent a change must be for a scheduled comparison to look into what it left in doubt; older
	// ones, which the store could not settle then, are looked at nightly.
	doubtsSoon = 24 * time.Hour
)

// Retries after a store did not answer: the pause doubles.
const (
	storeRest    = 15 * time.Second
	longestRest  = 10 * time.Minute
	driftShown   = 50
	formerShown  = 10
	jobPage      = 100 // orders in one transaction
	exportPause  = 10 * time.Second
	historyFirst = 2010 // no store of these platforms is older
)

// StoreJobsKept is how long a job that ended is remembered, with what it found.
const StoreJobsKept = 90 * 24 * time.Hour

// storeRests remembers which stores did not answer, and when to ask again.
type storeRests struct {
	mu sync.Mutex
	m  map[affiliate.StoreID]storePause
}

type storePause struct {
	until time.Time
	last  time.Duration
}

// resting says whether a store is not to be asked yet.
func (r *storeRests) resting(id affiliate.StoreID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.m[id].until)
}

// rest has a store left alone for a while; woken ends it.
func (r *storeRests) rest(id affiliate.StoreID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[affiliate.StoreID]storePause{}
	}
	last := min(max(storeRest, 2*r.m[id].last), longestRest)
	r.m[id] = storePause{now.Add(last), last}
}

func (r *storeRests) woken(id affiliate.StoreID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.m, id)
}

// Agreement is how a store and we agree, for people.
type Agreement struct {
	Open []affiliate.StoreJob // that wait, run or are paused, the oldest first
	Last *affiliate.StoreJob  // the newest comparison that ran to its end; nil before the first
	// Import is the newest import of past orders that ended; nil before the first.
	Import *affiliate.StoreJob
	// Drift is what Last found, the beginning of it.
	Drift  []storage.DriftRow
	Former []affiliate.StoreJob // the newest that ended; without scheduled ones that found nothing
}

// Agreement gives it.
func (a *App) Agreement(ctx context.Context, store affiliate.StoreID) (all Agreement, err error) {
	if all.Open, err = a.DB.OpenStoreJobs(ctx, store); err != nil {
		return all, err
	}
	if all.Last, err = a.DB.LastComparison(ctx, store); err != nil {
		return all, err
	}
	if all.Import, err = a.DB.LastImport(ctx, store); err != nil {
		return all, err
	}
	if all.Last != nil && all.Last.Drift() > 0 {
		if all.Drift, _, err = a.DB.Drift(ctx, all.Last.ID, storage.Page{Limit: driftShown}); err != nil {
			return all, err
		}
	}
	all.Former, _, err = a.DB.StoreJobs(ctx, store, true, storage.Page{Limit: formerShown})
	return all, err
}

// CompareStore has a store compared at once: what changed in it since a time (zero: since the last comparison), or
// takes the comparison that waits already. With dry it only finds out.
func (a *App) CompareStore(ctx context.Context, store affiliate.StoreID, since time.Time,
	dry bool) (affiliate.StoreJob, error) {
	if since.After(a.now()) {
		return affiliate.StoreJob{}, affiliate.FieldErrorf("since", "is in the future")
	}
	work, err := a.DB.StoreWork(ctx, store)
	if err != nil {
		return affiliate.StoreJob{}, err
	}
	from, err := a.compareFrom(ctx, store, work)
	if err != nil {
		return affiliate.StoreJob{}, err
	}
	if !since.IsZero() {
		from = since
	}
	return a.addStoreJob(ctx, affiliate.StoreJob{StoreID: store, Kind: affiliate.JobReconcile, DryRun: dry,
		Cause: affiliate.CauseRequest, From: from, Until: a.now()})
}

// ImportHistory fetches the orders that were placed in a time: from is included, until is not, and the future is left
// out. Zero times are the default: the hold period and 60 days back from now.
func (a *App) ImportHistory(ctx context.Context, store affiliate.StoreID, from,
	until time.Time) (affiliate.StoreJob, error) {
	now := a.now()
	if until.IsZero() || until.After(now) {
		until = now
	}
	if from.IsZero() {
		settings, err := a.DB.Settings(ctx)
		if err != nil {
			return affiliate.StoreJob{}, err
		}
		from = until.AddDate(0, 0, -settings.HoldDays).Add(-HistoryMargin)
	}
	switch {
	case !from.Before(now):
		return affiliate.StoreJob{}, affiliate.FieldErrorf("from", "is in the future")
	case !from.Before(until):
		return affiliate.StoreJob{}, affiliate.FieldErrorf("from", "must be before the end")
	case from.UTC().Year() < historyFirst:
		return affiliate.StoreJob{}, affiliate.FieldErrorf("from", "must be %d-01-01 or later", historyFirst)
	}
	return a.addStoreJob(ctx, affiliate.StoreJob{StoreID: store, Kind: affiliate.JobHistory,
		Cause: affiliate.CauseRequest, From: from, Until: until})
}

// addStoreJob begins a job that a person asked for, or gives the one of its kind that waits.
func (a *App) addStoreJob(ctx context.Context, j affiliate.StoreJob) (affiliate.StoreJob, error) {
	if _, err := a.DB.StoreAccess(ctx, j.StoreID); err != nil {
		if affiliate.KindOf(err) == affiliate.NotFound {
			err = notConnected(j.StoreID)
		}
		return j, err
	}
	now := a.now()
	j.State, j.Actor, j.CreatedAt, j.UpdatedAt = affiliate.JobWaiting, actor(ctx), now, now
	err := a.changeCatalog(ctx, func(tx *storage.Tx) error {
		store, err := tx.Store(ctx, j.StoreID)
		if err != nil {
			return err
		}
		if store.State == affiliate.StoreStateEnded {
			return affiliate.Errorf(affiliate.Conflict, "store %s was ended", store.Slug)
		}
		open, err := tx.OpenStoreJobs(ctx, j.StoreID)
		if err != nil {
			return err
		}
		for _, o := range open {
			switch {
			case o.Kind != j.Kind:
			case o.Kind == affiliate.JobHistory:
				return affiliate.ForPeople(affiliate.Errorf(affiliate.Conflict, "an import of the store's past is "+
					"under way (%s): stop it first, or wait for its end", o.ID), "an import of the store's past is "+
					"under way: stop it first, or wait for its end")
			case o.State == affiliate.JobWaiting && o.DryRun == j.DryRun && !o.From.After(j.From):
				j = o
				return nil
			}
		}
		if j, err = tx.CreateStoreJob(ctx, j); err != nil {
			return err
		}
		return a.audit(ctx, tx, "store.job.add", j.ID, nil, facts{"store": store.Slug, "kind": string(j.Kind),
			"from": auditTime(j.From), "until": auditTime(j.Until), "dry_run": fmt.Sprint(j.DryRun)})
	})
	if err == nil {
		a.rests.woken(j.StoreID)
		a.touched([]affiliate.StoreID{j.StoreID})
	}
	return j, err
}

// SetStoreJob pauses an open job (JobPaused), has it go on (JobWaiting) or stops it for good (JobStopped). Conflict
// when it has ended.
func (a *App) SetStoreJob(ctx context.Context, id affiliate.StoreJobID,
	to affiliate.StoreJobState) (j affiliate.StoreJob, err error) {
	if to != affiliate.JobPaused && to != affiliate.JobWaiting && to != affiliate.JobStopped {
		return j, affiliate.FieldErrorf("state", "must be %s, %s or %s", affiliate.JobPaused, affiliate.JobWaiting,
			affiliate.JobStopped)
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		if j, err = tx.HoldStoreJob(ctx, id); err != nil {
			return err
		}
		if !j.State.Open() {
			return affiliate.ForPeople(affiliate.Errorf(affiliate.Conflict, "%s has ended", id), "it has ended by now")
		}
		if j.State == to || to == affiliate.JobWaiting && j.State == affiliate.JobRunning {
			return nil
		}
		before := j.State
		j.State, j.UpdatedAt = to, a.now()
		if to == affiliate.JobStopped {
			j.EndedAt = j.UpdatedAt
		}
		if err := tx.SaveStoreJob(ctx, j); err != nil {
			return err
		}
		return a.audit(ctx, tx, "store.job.change", id, facts{"state": string(before)}, facts{"state": string(to)})
	})
	if err == nil {
		a.rests.woken(j.StoreID)
		a.touched([]affiliate.StoreID{j.StoreID})
	}
	return j, err
}

// compareFrom is how far back the next comparison of a store looks: to the end of the one before, or to what was
// wanted. Before the first one it is the hold period of orders, for a store that has been sending, or when it was
// connected.
func (a *App) compareFrom(ctx context.Context, id affiliate.StoreID, work storage.StoreWork) (time.Time, error) {
	from := work.AgreedUntil.Add(-compareOverlap)
	if work.AgreedUntil.IsZero() {
		store, err := a.DB.Store(ctx, id)
		if err != nil {
			return from, err
		}
		if from, err = a.firstFrom(ctx, store); err != nil {
			return from, err
		}
	}
	if !work.WantedFrom.IsZero() && work.WantedFrom.Before(from) {
		from = work.WantedFrom
	}
	return from, nil
}

// firstFrom is how far back the first comparison of a store looks.
func (a *App) firstFrom(ctx context.Context, store affiliate.Store) (time.Time, error) {
	from, err := a.deepFrom(ctx)
	if began := store.CreatedAt.Add(-compareOverlap); began.After(from) {
		from = began
	}
	return from, err
}

// deepFrom is when the oldest orders were placed that may still change what is due to somebody.
func (a *App) deepFrom(ctx context.Context) (time.Time, error) {
	settings, err := a.DB.Settings(ctx)
	return a.now().AddDate(0, 0, -settings.HoldDays).Add(-deepMargin), err
}

// errHalted ends a run whose job was paused or stopped meanwhile.
var errHalted = errors.New("the job was paused or stopped")

// WorkStoreJobs does what is due with a store's API: the comparison whose time has come, and a part of an import of its
// past, until nothing is left or ctx ends. The caller holds the store's lease. An error means that it goes on later.
func (a *App) WorkStoreJobs(ctx context.Context, id affiliate.StoreID) error {
	if a.rests.resting(id, a.now()) {
		return nil
	}
	for ctx.Err() == nil {
		job, err := a.nextStoreJob(ctx, id)
		if err != nil || job == nil {
			return err
		}
		err = a.runStoreJob(ctx, *job)
		switch {
		case errors.Is(err, errHalted):
		case err != nil:
			if ctx.Err() == nil {
				a.rests.rest(id, a.now())
			}
			return err
		default:
			a.rests.woken(id)
		}
		if a.otherWorkDue(ctx, id) {
			return nil
		}
	}
	return ctx.Err()
}

// nextStoreJob gives the job to go on with: comparisons before imports. One is begun when its time has come.
func (a *App) nextStoreJob(ctx context.Context, id affiliate.StoreID) (*affiliate.StoreJob, error) {
	open, err := a.DB.OpenStoreJobs(ctx, id)
	if err != nil {
		return nil, err
	}
	store, err := a.DB.Store(ctx, id)
	if err != nil {
		return nil, err
	}
	if _, err := a.DB.StoreAccess(ctx, id); affiliate.KindOf(err) == affiliate.NotFound ||
		store.State == affiliate.StoreStateEnded {
		return nil, a.DB.InTx(ctx, func(tx *storage.Tx) error { return a.dropStoreJobs(ctx, tx, id) })
	} else if err != nil {
		return nil, err
	}
	open = slices.DeleteFunc(open, func(j affiliate.StoreJob) bool { return j.State == affiliate.JobPaused })
	for _, j := range open {
		if j.Kind == affiliate.JobReconcile {
			return &j, nil
		}
	}
	work, err := a.DB.StoreWork(ctx, id)
	if err != nil {
		return nil, err
	}
	if job, err := a.dueComparison(ctx, id, work); err != nil || job != nil {
		return job, err
	}
	if len(open) > 0 {
		return &open[0], nil
	}
	return nil, nil
}

// dropStoreJobs ends the jobs of a store that is connected no more.
func (a *App) dropStoreJobs(ctx context.Context, tx *storage.Tx, id affiliate.StoreID) error {
	open, err := tx.OpenStoreJobs(ctx, id)
	if err != nil {
		return err
	}
	for _, j := range open {
		now := a.now()
		j.State, j.Trouble, j.UpdatedAt, j.EndedAt = affiliate.JobFailed, "The store's API was disconnected.", now, now
		if err := tx.SaveStoreJob(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

// comparisonDue says why a store is to be compared now; empty while its time has not come. What is in doubt is looked
// at once the store has surely come to the end of what it was doing. A comparison in the future was before the clock
// was set back.
func (a *App) comparisonDue(work storage.StoreWork) affiliate.StoreJobCause {
	now := a.now()
	switch {
	case work.Wanted == affiliate.CauseDoubt && now.Sub(work.WantedFrom) < doubtRest:
	case work.Wanted != "":
		return work.Wanted
	}
	switch {
	case now.Sub(work.DeepAt).Abs() >= deepEvery:
		return affiliate.CauseNightly
	case now.Sub(work.ComparedAt).Abs() >= CompareEvery:
		return affiliate.CauseSchedule
	}
	return ""
}

// dueComparison begins the comparison whose time has come; nil when none has.
func (a *App) dueComparison(ctx context.Context, id affiliate.StoreID,
	work storage.StoreWork) (*affiliate.StoreJob, error) {
	now, cause := a.now(), a.comparisonDue(work)
	if cause == "" {
		return nil, nil
	}
	from, err := a.compareFrom(ctx, id, work)
	if err != nil {
		return nil, err
	}
	job := affiliate.StoreJob{StoreID: id, Kind: affiliate.JobReconcile, State: affiliate.JobWaiting, Cause: cause,
		From: from, Until: now, CreatedAt: now, UpdatedAt: now}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		if job, err = tx.CreateStoreJob(ctx, job); err != nil {
			return err
		}
		return tx.BegunComparison(ctx, id)
	})
	return &job, err
}
