package jobs

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/tributaryhq/tributary/internal/app"
)

// RateUpdater keeps the exchange rates up to date.
type RateUpdater struct {
	App   *app.App
	Redis *Redis
	Log   *slog.Logger

	next    time.Time // not before this time, after a try that brought nothing
	failing bool      // the failure that lasts was logged
	filled  bool      // nothing waits for a rate that is there
}

const (
	ratesCheckEvery = time.Minute
	ratesRetry      = time.Hour
	// ratesLock lets one process at a time fetch rates. It is there to be kind to the bank: two that fetch at once do
	// no harm.
	ratesLock     = "tributary:rates"
	ratesLockTime = 5 * time.Minute // should its holder die
)

// Run looks every minute whether rates should have been published that are not here, and fetches them, until ctx ends.
func (u *RateUpdater) Run(ctx context.Context) {
	tick := time.NewTicker(ratesCheckEvery)
	defer tick.Stop()
	for {
		u.Step(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Step does what is due now.
func (u *RateUpdater) Step(ctx context.Context) {
	if !u.filled {
		// Conversions may wait for rates that are here: a process died between keeping and using them, or an order was
		// being processed meanwhile.
		n, err := u.App.FillRates(ctx)
		if err != nil {
			u.failed(ctx, err)
			return
		}
		u.filled = true
		if n > 0 {
			u.Log.Info("conversions that waited for an exchange rate were converted", "conversions", n)
		}
	}
	if u.App.Rates == nil || u.App.Now().Before(u.next) {
		return
	}
	due, err := u.due(ctx)
	if err != nil {
		u.failed(ctx, err)
		return
	}
	if !due {
		u.worked()
		return
	}
	release, ok := u.lock(ctx)
	if !ok {
		return
	}
	defer release()
	if due, err := u.due(ctx); err == nil && !due {
		return // another process has just done it
	}
	u.update(ctx)
}

// due says whether rates should have been published that are not here.
func (u *RateUpdater) due(ctx context.Context) (bool, error) {
	day, err := app.RatesDue(u.App.Now())
	if err != nil {
		return false, err
	}
	newest, err := u.App.DB.NewestRateDay(ctx)
	return newest < day, err
}

func (u *RateUpdater) update(ctx context.Context) {
	u.next = u.App.Now().Add(ratesRetry)
	report, err := u.App.UpdateRates(ctx)
	u.filled = err == nil && report.Added == 0
	if err != nil {
		u.failed(ctx, err)
		return
	}
	u.worked()
	if report.Added > 0 {
		u.Log.Info("new exchange rates", "newest", report.Newest, "rates", report.Added, "conversions", report.Filled)
	}
}

// failed logs the first failure of an outage.
func (u *RateUpdater) failed(ctx context.Context, err error) {
	if ctx.Err() != nil || u.failing {
		return
	}
	u.failing = true
	u.Log.Warn("exchange rates are not updated; orders in other currencies may wait for a rate", "retry_every",
		ratesRetry, "error", err)
}

func (u *RateUpdater) worked() {
	if u.failing {
		u.failing = false
		u.Log.Info("exchange rates are updated again")
	}
}

// lock is taken by one process at a time. Without Redis each goes on by itself.
func (u *RateUpdater) lock(ctx context.Context) (release func(), ok bool) {
	client, mine := u.Redis.Client(), rand.Text()
	ok, err := client.SetNX(ctx, ratesLock, mine, ratesLockTime).Result()
	if err != nil {
		return func() {}, true
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if holder, err := client.Get(ctx, ratesLock).Result(); err == nil && holder == mine {
			client.Del(ctx, ratesLock) // or else it ends by itself
		}
	}, ok
}
