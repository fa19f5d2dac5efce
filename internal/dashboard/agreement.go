package dashboard

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func agreementRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/stores/:store/runs", signedIn, (*request).runsPage},
		{http.MethodPost, "/stores/:store/compare", change, (*request).compareStore},
		{http.MethodPost, "/stores/:store/history", change, (*request).importHistory},
		{http.MethodPost, "/stores/:store/runs/:run/pause", change, setRun(affiliate.JobPaused)},
		{http.MethodPost, "/stores/:store/runs/:run/resume", change, setRun(affiliate.JobWaiting)},
		{http.MethodPost, "/stores/:store/runs/:run/stop", change, setRun(affiliate.JobStopped)},
	}
}

// agreementPart is how a store and we agree, as its page tells it.
type agreementPart struct {
	Open      []runLine // comparisons
	Imports   []runLine // of past orders, that go on
	Last      *runLine  // the newest comparison that ended
	Import    *runLine  // the newest import that ended
	Drift     []driftRow
	Former    []runLine
	Address   string // of the page of all runs
	Watching  bool   // a comparison runs, so that it is looked at again and again
	Importing bool   // an import, likewise
}

// runLine is one run: a comparison, or an import of history.
type runLine struct {
	ID       affiliate.StoreJobID
	Badge    badge
	Title    string // "Comparison, since deliveries were lost"
	Sentence string // what came of it; empty while it goes on
	Trouble  string
	Agrees   bool
	Ended    string
	By       string // who asked for it
	Behind   string // the page of what it found; empty where it found nothing
	Paused   bool

	Orders, Expected int64
	Pace             string // "35 orders a second, done at about 14:10"
}

// driftRow is one thing in which an order did not agree.
type driftRow struct {
	Kind, Field  string
	Order        string // its number, or the store's id of it
	Behind       string // the order's page; empty where it is not here
	Ours, Theirs string
}

// runTitles are what runs do, by their kinds.
var runTitles = map[affiliate.StoreJobKind]string{affiliate.JobReconcile: "Comparison",
	affiliate.JobHistory: "Import of past orders"}

// runCauses are why runs were begun, as the end of a title.
var runCauses = map[affiliate.StoreJobCause]string{affiliate.CauseSchedule: "at its usual time",
	affiliate.CauseRequest: "asked for", affiliate.CauseOutage: "after an outage here",
	affiliate.CauseWebhook: "after a webhook was made anew", affiliate.CauseDoubt: "for orders in doubt",
	affiliate.CauseNightly: "of all orders that may still change"}

// runBadges are the states of runs.
var runBadges = map[affiliate.StoreJobState]badge{affiliate.JobWaiting: {"", "clock", "Waiting"},
	affiliate.JobRunning: {"info", "refresh", "Running"}, affiliate.JobPaused: {"warn", "pause", "Paused"},
	affiliate.JobDone: {"good", "check", "Done"}, affiliate.JobStopped: {"", "cross", "Stopped"},
	affiliate.JobFailed: {"bad", "alert", "Failed"}}

// driftTitles are the ways in which orders do not agree.
var driftTitles = map[affiliate.DriftKind]string{affiliate.DriftMissing: "Was missing, fetched",
	affiliate.DriftBehind: "Older here", affiliate.DriftDifferent: "Different",
	affiliate.DriftExtra: "Gone in the store"}

// driftFields are the fields of orders that are compared.
var driftFields = map[string]string{"": "—", "status": "Status", "value": "Goods", "original_value": "Goods as ordered",
	"refunded": "Refunded", "total": "Charged", "currency": "Currency", "codes": "Codes", "links": "Links"}

func (r *request) runLine(j affiliate.StoreJob, at string) runLine {
	l := runLine{ID: j.ID, Badge: runBadges[j.State], Title: runTitles[j.Kind] + ", " + runCauses[j.Cause],
		Trouble: arrows(sentenceOf("", j.Trouble)), Ended: r.moment(j.EndedAt), By: actorText(j.Actor),
		Orders: j.Orders, Expected: max(j.Expected, j.Orders), Paused: j.State == affiliate.JobPaused}
	if j.DryRun {
		l.Title += ", changing nothing"
	}
	if j.Drift() > 0 {
		l.Behind = at + "?run=" + j.ID.String()
	}
	if !j.State.Open() {
		l.Sentence, l.Agrees = j.Sentence(r.zone), j.Drift() == 0 && j.State == affiliate.JobDone
		if j.State != affiliate.JobDone && j.Drift() == 0 {
			l.Sentence = counted(j.Orders, "order was", "orders were") + " compared before it ended."
		}
		return l
	}
	if rate := j.Rate(); rate > 0 {
		l.Pace = paceText(rate)
		if left := j.Left(); left > 0 && j.State == affiliate.JobRunning {
			l.Pace += ", done at about " + r.clockTime(r.d.App.Now().Add(left))
		}
	}
	return l
}

// paceText writes how many orders are compared in a second.
func paceText(rate float64) string {
	if rate < 10 {
		return money.Marked(fmt.Sprintf("%.1f", rate)) + " orders a second"
	}
	return money.Marked(fmt.Sprintf("%.0f", rate)) + " orders a second"
}

// runParts are the parts of a store's page that runs are shown in, by their kinds.
var runParts = map[affiliate.StoreJobKind]string{affiliate.JobReconcile: "#agreement",
	affiliate.JobHistory: "#history"}

// driftRows shows what a run found; dry is one that has changed nothing.
func driftRows(list []storage.DriftRow, dry bool) []driftRow {
	rows := make([]driftRow, len(list))
	for i, d := range list {
		rows[i] = driftRow{Kind: driftTitles[d.Kind], Field: driftFields[d.Field], Order: d.Number, Ours: d.Ours,
			Theirs: d.Theirs}
		if d.Field == "status" {
			rows[i].Ours, rows[i].Theirs = titled(d.Ours), titled(d.Theirs)
		}
		if dry && d.Kind == affiliate.DriftMissing {
			rows[i].Kind = "Missing here"
		}
		if d.Number == "" {
			rows[i].Order = d.Order
		}
		if d.OrderID != 0 {
			rows[i].Behind = "/orders/" + d.OrderID.String()
		}
	}
	return rows
}

func runsAddress(store affiliate.Store) string { return storeAddress(store) + "/runs" }

// agreementPart reads it. What there was stays to be seen when the store is not asked any more.
func (r *request) agreementPart(store affiliate.Store) (*agreementPart, error) {
	found, err := r.d.App.Agreement(r.Request.Context(), store.ID)
	if err != nil {
		return nil, err
	}
	p := &agreementPart{Address: runsAddress(store)}
	for _, j := range found.Open {
		list, watching := &p.Open, &p.Watching
		if j.Kind == affiliate.JobHistory {
			list, watching = &p.Imports, &p.Importing
		}
		*list = append(*list, r.runLine(j, p.Address))
		*watching = *watching || j.State != affiliate.JobPaused
	}
	if found.Last != nil {
		line := r.runLine(*found.Last, p.Address)
		p.Last, p.Drift = &line, driftRows(found.Drift, found.Last.DryRun)
	}
	if found.Import != nil {
		line := r.runLine(*found.Import, p.Address)
		p.Import = &line
	}
	for _, j := range found.Former {
		p.Former = append(p.Former, r.runLine(j, p.Address))
	}
	return p, nil
}

// runsPage lists the runs of a store, or what one of them found.
type runsPage struct {
	layout
	Store affiliate.Store
	Runs  []runLine
	Run   *runLine // whose findings are shown; nil for the list of runs
	Drift []driftRow
	Pager pager
}

func (r *request) runsPage() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	page := runsPage{layout: r.layout("Runs of "+store.Name, "stores"), Store: store}
	if r.Query("run") != "" {
		return r.showRun(&page)
	}
	list, next, err := r.d.App.DB.StoreJobs(r.Request.Context(), store.ID, false, r.page())
	if err != nil {
		return err
	}
	for _, j := range list {
		page.Runs = append(page.Runs, r.runLine(j, runsAddress(store)))
	}
	page.Pager = r.pager(next)
	return r.show("runs.html", &page)
}

func (r *request) showRun(page *runsPage) error {
	ctx := r.Request.Context()
	id, err := affiliate.ParseID[affiliate.StoreJobID]("job_", r.Query("run"))
	if err != nil {
		return affiliate.Errorf(affiliate.NotFound, "there is no such run")
	}
	job, err := r.d.App.DB.StoreJob(ctx, id)
	if err != nil {
		return err
	}
	if job.StoreID != page.Store.ID {
		return affiliate.NoSuch(id)
	}
	line := r.runLine(job, runsAddress(page.Store))
	page.Run = &line
	drift, next, err := r.d.App.DB.Drift(ctx, id, r.page())
	if err != nil {
		return err
	}
	page.Drift, page.Pager = driftRows(drift, job.DryRun), r.pager(next)
	return r.show("runs.html", page)
}

// actOnRuns does something with the runs of a store, or says on its page why not.
func (r *request) actOnRuns(act func(affiliate.Store) (affiliate.StoreJob, string, error)) error {
	store, err := r.store()
	if err != nil {
		return err
	}
	job, said, err := act(store)
	if err == nil {
		return r.done(storeAddress(store)+runParts[job.Kind], said)
	}
	if r.GetHeader("X-Quiet") != "" {
		return err
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showStoreWith(http.StatusUnprocessableEntity, func(p *storePage) {
		p.History.Errors = errs
		p.History.From, p.History.Until = r.field("from"), r.field("until")
		p.APIError = errs[""]
	})
}

func (r *request) compareStore() error {
	return r.actOnRuns(func(store affiliate.Store) (affiliate.StoreJob, string, error) {
		job, err := r.d.App.CompareStore(r.Request.Context(), store.ID, time.Time{}, r.field("dry") != "")
		return job, "The store is being compared; what comes of it shows below.", err
	})
}

// historyForm is the form that past orders are fetched by.
type historyForm struct {
	From, Until string // days of the account's zone, both included: "2026-11-01"
	Errors      fieldErrors
}

func (r *request) importHistory() error {
	return r.actOnRuns(func(store affiliate.Store) (job affiliate.StoreJob, said string, err error) {
		from, err := r.day("from", 0)
		if err != nil {
			return job, "", err
		}
		until, err := r.day("until", 1)
		if err != nil {
			return job, "", err
		}
		job, err = r.d.App.ImportHistory(r.Request.Context(), store.ID, from, until)
		return job, "The import is begun; you may leave this page.", err
	})
}

// day reads a day of a form, and gives when it, or one some days later, begins in the account's zone; zero when the
// field is empty.
func (r *request) day(field string, later int) (time.Time, error) {
	text := r.field(field)
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, r.zone)
	if err != nil {
		return time.Time{}, affiliate.FieldErrorf(field, "must be a day such as 2026-11-30")
	}
	return day.AddDate(0, 0, later), nil
}

// setRun gives the handler that brings a run into a state.
func setRun(to affiliate.StoreJobState) func(*request) error {
	said := map[affiliate.StoreJobState]string{affiliate.JobPaused: "The run is paused.",
		affiliate.JobWaiting: "The run goes on.", affiliate.JobStopped: "The run is stopped. What it fetched stays."}
	return func(r *request) error {
		id, err := idParam[affiliate.StoreJobID](r, "run", "job_")
		if err != nil {
			return err
		}
		return r.actOnRuns(func(store affiliate.Store) (affiliate.StoreJob, string, error) {
			job, err := r.d.App.DB.StoreJob(r.Request.Context(), id)
			if err != nil {
				return job, "", err
			}
			if job.StoreID != store.ID {
				return job, "", affiliate.NoSuch(id)
			}
			_, err = r.d.App.SetStoreJob(r.Request.Context(), id, to)
			return job, said[to], err
		})
	}
}
