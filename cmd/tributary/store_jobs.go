package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func reconcileCommand() command {
	return command{
		name:    "reconcile",
		args:    "--store SLUG [--since TIME] [--dry-run] [--json]",
		summary: "Compare a store with what is here, and put right what differs.",
		example: "tributary reconcile --store my-shop\n" +
			"tributary reconcile --store my-shop --since 2026-11-01 --dry-run\n" +
			"# exit code 1 when something differs, or could not be compared",
		run: reconcile,
	}
}

func reconcile(ctx context.Context, c *call) error {
	slug := c.flags.String("store", "", "the store, by its `SLUG`")
	since := c.flags.String("since", "", "what changed since a `TIME` (2026-11-01 or 2026-11-01T08:00:00Z, UTC); "+
		"otherwise since the last comparison")
	dry := c.flags.Bool("dry-run", false, "find out, and change nothing")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if err := c.required("store"); err != nil {
		return err
	}
	from, err := timeFlag("since", *since)
	if err != nil {
		return err
	}
	ctx, a, store, err := c.openStore(ctx, *slug)
	if err != nil {
		return err
	}
	job, err := a.CompareStore(ctx, store.ID, from, *dry)
	if err != nil {
		return err
	}
	if job, err = workJob(ctx, a, job); err != nil {
		return err
	}
	drift, err := storage.All(func(p storage.Page) ([]storage.DriftRow, string, error) {
		return a.DB.Drift(ctx, job.ID, p)
	})
	if err != nil {
		return err
	}
	if err := c.printJob(a, job, drift); err != nil {
		return err
	}
	if job.Drift() > 0 || job.State != affiliate.JobDone {
		return errReported
	}
	return nil
}

// timeFlag reads a day or a time of a flag, in UTC; the zero time where none is given.
func timeFlag(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--%s: %q is no time; it looks like 2026-11-01 or 2026-11-01T08:00:00Z", name, text)
}

// jobLook is how often a command looks at a job that a running server works at.
const jobLook = time.Second

// working has a command do the work with stores itself: what it keeps is processed at once. The returned function ends
// that.
func working(a *app.App) (end func()) {
	processor := app.NewProcessor(a, app.NewCounters(a.DB, a.Now, a.Log), 1)
	a.Queue = atOnce{processor}
	return processor.Close
}

// workStore does what is due with a store, unless a running server is at it.
func workStore(ctx context.Context, a *app.App, store affiliate.StoreID) error {
	err := a.WithStoreLease(ctx, store, func(ctx context.Context) error { return a.StoreWork(ctx, store) })
	if errors.Is(err, app.ErrBusy) {
		return nil
	}
	return err
}

// lookAgain waits until it is time to look again at what a running server works at.
func lookAgain(ctx context.Context) error {
	select {
	case <-time.After(jobLook):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// workJob works at a job until it has ended, or watches a running server do so. What it keeps is processed.
func workJob(ctx context.Context, a *app.App, job affiliate.StoreJob) (affiliate.StoreJob, error) {
	defer working(a)()
	for {
		err := workStore(ctx, a, job.StoreID)
		if err != nil {
			return job, err
		}
		if job, err = a.DB.StoreJob(ctx, job.ID); err != nil || !job.State.Open() {
			return job, err
		}
		if job.State == affiliate.JobPaused {
			return job, nil
		}
		if err := lookAgain(ctx); err != nil {
			return job, err
		}
	}
}

// atOnce is the queue of a command: what is kept is processed by the command itself.
type atOnce struct{ *app.Processor }

func (q atOnce) Wake(ctx context.Context, ids []affiliate.DeliveryID) error {
	return q.Submit(ctx, ids)
}

func (c *call) printJob(a *app.App, job affiliate.StoreJob, drift []storage.DriftRow) error {
	if c.json {
		out := struct {
			api.StoreJobJSON
			Drift []api.DriftJSON `json:"drift"`
		}{api.StoreJobView(job), make([]api.DriftJSON, len(drift))}
		for i, d := range drift {
			out.Drift[i] = api.DriftView(d)
		}
		return c.printJSON(out)
	}
	if job.State != affiliate.JobDone {
		fmt.Fprintf(c.stdout, "%s is %s after %d orders. %s\n", job.ID, job.State, job.Orders, job.Trouble)
	} else {
		fmt.Fprintln(c.stdout, money.Plain(job.Sentence(time.UTC)))
	}
	if job.Settled > 0 {
		fmt.Fprintf(c.stdout, "%s in doubt, and the store settled that.\n", counted(job.Settled, "order was",
			"orders were"))
	}
	if len(drift) == 0 {
		return nil
	}
	fmt.Fprintln(c.stdout)
	return printTable(c.stdout, "ORDER\tKIND\tFIELD\tOURS\tTHEIRS", func(row func(cells ...any)) {
		for _, d := range drift {
			row(d.Order, d.Kind, d.Field, d.Ours, d.Theirs)
		}
	})
}

func storeHistoryCommand() command {
	return command{
		name:    "store history",
		args:    "SLUG [--from DAY] [--until DAY] [--pause | --resume | --stop] [--json]",
		summary: "Fetch past orders of a store, or pause, resume and stop that.",
		example: "tributary store history my-shop\n" +
			"tributary store history my-shop --from 2026-01-01 --until 2026-07-01\n" +
			"tributary store history my-shop --pause",
		run: storeHistory,
	}
}

func storeHistory(ctx context.Context, c *call) error {
	from := c.flags.String("from", "", "orders placed on this `DAY` or later; "+
		"otherwise the hold period and 60 days back")
	until := c.flags.String("until", "", "orders placed before this `DAY`; otherwise until now")
	pause := c.flags.Bool("pause", false, "pause the import that is under way")
	resume := c.flags.Bool("resume", false, "have a paused import go on")
	stop := c.flags.Bool("stop", false, "stop the import for good; what it fetched stays")
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	first, err := timeFlag("from", *from)
	if err != nil {
		return err
	}
	last, err := timeFlag("until", *until)
	if err != nil {
		return err
	}
	ctx, a, store, err := c.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	var job affiliate.StoreJob
	switch {
	case *pause:
		job, err = setHistory(ctx, a, store, affiliate.JobPaused)
	case *resume:
		job, err = setHistory(ctx, a, store, affiliate.JobWaiting)
	case *stop:
		job, err = setHistory(ctx, a, store, affiliate.JobStopped)
	default:
		if job, err = a.ImportHistory(ctx, store.ID, first, last); err == nil {
			job, err = workJob(ctx, a, job)
		}
	}
	if err != nil {
		return err
	}
	return c.printJob(a, job, nil)
}

// setHistory changes the import of a store's past that is under way.
func setHistory(ctx context.Context, a *app.App, store affiliate.Store,
	to affiliate.StoreJobState) (affiliate.StoreJob, error) {
	open, err := a.DB.OpenStoreJobs(ctx, store.ID)
	if err != nil {
		return affiliate.StoreJob{}, err
	}
	for _, j := range open {
		if j.Kind == affiliate.JobHistory {
			return a.SetStoreJob(ctx, j.ID, to)
		}
	}
	return affiliate.StoreJob{}, affiliate.Errorf(affiliate.NotFound, "no import of the past of %s is under way",
		store.Slug)
}
