package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerStoreJobs(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/store-jobs", "list-store-jobs", read,
		"List comparisons with stores, and imports of their past orders, newest first"}, a.listStoreJobs)
	register(a, api, operation{http.MethodPost, "/stores/{store}/comparisons", "compare-store", change,
		"Compare a store with what is here, and put right what differs"}, a.compareStore)
	register(a, api, operation{http.MethodPost, "/stores/{store}/imports", "import-store-history", change,
		"Fetch past orders of a store"}, a.importHistory)
	register(a, api, operation{http.MethodGet, "/store-jobs/{job}", "get-store-job", read,
		"Read how far a job with a store has come"}, a.getStoreJob)
	register(a, api, operation{http.MethodPatch, "/store-jobs/{job}", "update-store-job", change,
		"Pause a job, have it go on, or stop it for good"}, a.updateStoreJob)
	register(a, api, operation{http.MethodGet, "/store-jobs/{job}/drift", "list-drift", read,
		"List in what orders and the store did not agree"}, a.listDrift)
}

// StoreJobJSON is a job as the API and commands give it.
type StoreJobJSON struct {
	ID        string                  `json:"id" example:"job_1"`
	Store     string                  `json:"store" example:"str_1"`
	Kind      affiliate.StoreJobKind  `json:"kind"`
	State     affiliate.StoreJobState `json:"state"`
	Cause     affiliate.StoreJobCause `json:"cause"`
	DryRun    bool                    `json:"dry_run"`
	From      time.Time               `json:"from" doc:"Of the changes (reconcile) or the placing (history) of the orders"`
	Until     time.Time               `json:"until"`
	Expected  int64                   `json:"expected" doc:"Orders that the store counted"`
	Orders    int64                   `json:"orders" doc:"Orders that were compared"`
	Settled   int64                   `json:"settled" doc:"Orders that were in doubt and are not any more"`
	Missing   int64                   `json:"missing" doc:"Orders that were not here"`
	Behind    int64                   `json:"behind" doc:"Orders of which the store had a newer version"`
	Different int64                   `json:"different" doc:"Orders of the same version that were not the same"`
	Extra     int64                   `json:"extra" doc:"Orders that the store has no more"`
	Sentence  *string                 `json:"sentence" doc:"What it came to, in words; null before its end"`
	Trouble   *string                 `json:"trouble" doc:"Why it does not go on, and what helps"`
	Rate      float64                 `json:"rate" doc:"Orders in a second; 0 while that is not known"`
	EndsAt    *time.Time              `json:"ends_at" doc:"When it should be through; null while that is not known"`
	CreatedAt time.Time               `json:"created_at"`
	StartedAt *time.Time              `json:"started_at"`
	UpdatedAt time.Time               `json:"updated_at"`
	EndedAt   *time.Time              `json:"ended_at"`
}

// StoreJobView makes it.
func StoreJobView(j affiliate.StoreJob) StoreJobJSON {
	view := StoreJobJSON{ID: j.ID.String(), Store: j.StoreID.String(), Kind: j.Kind, State: j.State,
		Cause: j.Cause, DryRun: j.DryRun,
		From: j.From.UTC(), Until: j.Until.UTC(), Expected: j.Expected, Orders: j.Orders, Settled: j.Settled,
		Missing: j.Missing, Behind: j.Behind, Different: j.Different, Extra: j.Extra, Trouble: orNull(j.Trouble),
		Rate: j.Rate(), CreatedAt: j.CreatedAt.UTC(), StartedAt: web.TimeOrNull(j.StartedAt),
		UpdatedAt: j.UpdatedAt.UTC(), EndedAt: web.TimeOrNull(j.EndedAt)}
	if j.State == affiliate.JobDone {
		view.Sentence = orNull(money.Plain(j.Sentence(time.UTC)))
	}
	if left := j.Left(); left > 0 {
		view.EndsAt = web.TimeOrNull(j.UpdatedAt.Add(left))
	}
	return view
}

// DriftJSON is one thing about one order in which the store and we did not agree.
type DriftJSON struct {
	Order      *string             `json:"order" doc:"Null while it is not here" example:"ord_1"`
	ExternalID string              `json:"external_id" doc:"The store's id of the order"`
	Number     *string             `json:"number"`
	Kind       affiliate.DriftKind `json:"kind"`
	Field      *string             `json:"field" doc:"Null where it is about the order as a whole"`
	Ours       *string             `json:"ours"`
	Theirs     *string             `json:"theirs"`
}

// DriftView makes it.
func DriftView(d storage.DriftRow) DriftJSON {
	view := DriftJSON{ExternalID: d.Order, Number: orNull(d.Number), Kind: d.Kind, Field: orNull(d.Field),
		Ours: orNull(d.Ours), Theirs: orNull(d.Theirs)}
	if d.OrderID != 0 {
		view.Order = orNull(d.OrderID.String())
	}
	return view
}

type storeJobsInput struct {
	PageInput
	Store string `query:"store" doc:"Only those of this store, by its id or slug"`
}

func (a *API) listStoreJobs(ctx context.Context, in *storeJobsInput) (*listOutput[StoreJobJSON], error) {
	store, err := a.storeIn(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.StoreJobs(ctx, store, false, in.page())
	return listPage(list, next, err, StoreJobView)
}

type compareInput struct {
	StorePath
	Body struct {
		Since  time.Time `json:"since,omitzero" doc:"Compare what changed since; otherwise since the last comparison"`
		DryRun bool      `json:"dry_run,omitempty" doc:"Find out, and change nothing"`
	}
}

func (a *API) compareStore(ctx context.Context, in *compareInput) (*output[StoreJobJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	job, err := a.App.CompareStore(ctx, store.ID, in.Body.Since, in.Body.DryRun)
	return one(job, err, StoreJobView)
}

type historyInput struct {
	StorePath
	Body struct {
		From  time.Time `json:"from,omitzero" doc:"Orders placed then or later; otherwise of the hold period and 60 days"`
		Until time.Time `json:"until,omitzero" doc:"Orders placed before; otherwise until now"`
	}
}

func (a *API) importHistory(ctx context.Context, in *historyInput) (*output[StoreJobJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	job, err := a.App.ImportHistory(ctx, store.ID, in.Body.From, in.Body.Until)
	return one(job, err, StoreJobView)
}

// StoreJobPath names a job.
type StoreJobPath struct {
	Job string `path:"job" example:"job_1"`
}

func (p StoreJobPath) id() (affiliate.StoreJobID, error) {
	return idPath[affiliate.StoreJobID]("job_", p.Job)
}

func (a *API) getStoreJob(ctx context.Context, in *StoreJobPath) (*output[StoreJobJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	job, err := a.App.DB.StoreJob(ctx, id)
	return one(job, err, StoreJobView)
}

type updateStoreJobInput struct {
	StoreJobPath
	Body struct {
		State string `json:"state" enum:"paused,waiting,stopped" doc:"paused; waiting, to have it go on; stopped, for good"`
	}
}

func (a *API) updateStoreJob(ctx context.Context, in *updateStoreJobInput) (*output[StoreJobJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	job, err := a.App.SetStoreJob(ctx, id, affiliate.StoreJobState(in.Body.State))
	return one(job, err, StoreJobView)
}

type driftInput struct {
	StoreJobPath
	PageInput
}

func (a *API) listDrift(ctx context.Context, in *driftInput) (*listOutput[DriftJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.DB.StoreJob(ctx, id); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Drift(ctx, id, in.page())
	return listPage(list, next, err, DriftView)
}
