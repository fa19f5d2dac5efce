package app

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// ErrBusy says that another worker has the work with a store's API.
var ErrBusy = affiliate.Errorf(affiliate.Unavailable, "another worker is at this store; try again in a minute")

// errLeaseLost is why work with a store's API is broken off.
var errLeaseLost = errors.New("the lease of the store was lost")

const (
	// leaseTime is how long a worker that died keeps others from its store.
	leaseTime = time.Minute
	leaseBeat = 15 * time.Second
)

// WithStoreLease runs f while no other worker, in this process or another, works with the store's API: ErrBusy when one
// does. The context of f is canceled when the lease is lost, such as by a database that did not answer for a minute.
func (a *App) WithStoreLease(ctx context.Context, store affiliate.StoreID, f func(context.Context) error) error {
	beat := time.NewTicker(leaseBeat)
	defer beat.Stop()
	return a.withLease(ctx, store, beat.C, f)
}

func (a *App) withLease(ctx context.Context, store affiliate.StoreID, beat <-chan time.Time,
	f func(context.Context) error) error {
	holder := rand.Text()
	taken := a.now()
	ok, err := a.DB.TakeStoreLease(ctx, store, holder, taken, leaseTime)
	if err != nil {
		return err
	}
	if !ok {
		return ErrBusy
	}
	within, lose := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		a.renewLease(within, store, holder, taken, beat, lose)
	}()
	err = f(within)
	if cause := context.Cause(within); errors.Is(cause, errLeaseLost) {
		err = errors.Join(cause, err)
	}
	lose(nil)
	<-renewed
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatLimit)
	defer cancel()
	return errors.Join(err, a.DB.FreeStoreLease(ctx, store, holder))
}

// renewLease prolongs a lease with each beat until ctx ends, and calls lose when it could not.
func (a *App) renewLease(ctx context.Context, store affiliate.StoreID, holder string, renewed time.Time,
	beat <-chan time.Time, lose context.CancelCauseFunc) {
	for {
		select {
		case <-beat:
		case <-ctx.Done():
			return
		}
		now := a.now()
		within, cancel := context.WithTimeout(ctx, leaseBeat)
		ok, err := a.DB.RenewStoreLease(within, store, holder, now, leaseTime)
		cancel()
		switch {
		case err == nil && ok:
			renewed = now
		case err == nil, now.Sub(renewed) >= leaseTime-leaseBeat:
			lose(errLeaseLost)
			return
		}
	}
}

// DueStores gives the stores whose API some work is due with.
func (a *App) DueStores(ctx context.Context) ([]affiliate.StoreID, error) {
	list, err := a.DB.AskedStores(ctx)
	var due []affiliate.StoreID
	for _, s := range list {
		if a.webhooksDue(s) || a.retireDue(s) || a.itemsDue(s) || a.jobsDue(s) || a.couponsDue(s) {
			due = append(due, s.StoreID)
		}
	}
	return due, err
}

// webhooksDue says whether a store's webhooks are to be looked at. A look in the future was taken before the clock was
// set back.
func (a *App) webhooksDue(s storage.AskedStore) bool {
	return s.Connected && (s.WebhooksAt.IsZero() || a.now().Sub(s.WebhooksAt).Abs() >= webhooksEvery)
}

func (a *App) retireDue(s storage.AskedStore) bool {
	return !s.RetireAt.IsZero() && !s.RetireAt.After(a.now())
}

type turnKey struct{}

// WithTurn marks work with stores that is to make room for others once over says so. Work that goes on for long asks it
// between two steps.
func WithTurn(ctx context.Context, over func() bool) context.Context {
	return context.WithValue(ctx, turnKey{}, over)
}

// turnOver says whether the work of ctx is to make room.
func turnOver(ctx context.Context) bool {
	over, _ := ctx.Value(turnKey{}).(func() bool)
	return over != nil && over()
}

// otherWorkDue says whether a store's job is to be left for the moment, between two of its steps: the store's webhooks
// or codes are due, or another store's turn has come. The job goes on where it was.
func (a *App) otherWorkDue(ctx context.Context, id affiliate.StoreID) bool {
	if turnOver(ctx) {
		return true
	}
	s, err := a.DB.AskedStore(ctx, id)
	return err == nil && (a.webhooksDue(s) || a.retireDue(s) || a.itemsDue(s))
}

// StoreWork does what is due with a store's API, one step after the other; the caller has the store's lease.
func (a *App) StoreWork(ctx context.Context, id affiliate.StoreID) error {
	ctx = affiliate.InBackground(ctx)
	for _, step := range []func(context.Context, storage.AskedStore) error{a.watchWebhooks, a.retireOld,
		a.workItems, a.workJobs, a.readCoupons} {
		s, err := a.DB.AskedStore(ctx, id)
		if err == nil {
			err = step(ctx, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// watchWebhooks heals a store's webhooks when it is time.
func (a *App) watchWebhooks(ctx context.Context, s storage.AskedStore) error {
	if !a.webhooksDue(s) {
		return nil
	}
	store, err := a.DB.Store(ctx, s.StoreID)
	if err != nil {
		return err
	}
	_, err = a.healWebhooks(ctx, store, healing{})
	return err
}

// retireOld deletes webhooks that were replaced when it is time.
func (a *App) retireOld(ctx context.Context, s storage.AskedStore) error {
	if !a.retireDue(s) {
		return nil
	}
	return a.retireWebhooks(ctx, s.StoreID)
}

// jobsDue says whether a store is to be compared, or has a job to go on with.
func (a *App) jobsDue(s storage.AskedStore) bool {
	return s.Connected && !a.rests.resting(s.StoreID, a.now()) && (s.Jobs || a.comparisonDue(s.StoreWork) != "")
}

// workJobs compares a store when it is time, and goes on with its jobs.
func (a *App) workJobs(ctx context.Context, s storage.AskedStore) error {
	if !s.Connected {
		return nil
	}
	return a.WorkStoreJobs(ctx, s.StoreID)
}
