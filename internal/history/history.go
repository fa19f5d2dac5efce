// Package history makes up the past of an account, years of it if wanted: campaigns with their creators, codes and
// links, the orders with their conversions, clicks, the ledger and monthly payouts, skewed as real ones are. It writes
// them straight into the database. The orders are merged, attributed and reckoned by the product's own rules, so that
// they are what deliveries would have led to, and open, recompute and reconcile like any other.
package history

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Plan says what to make up. The same plan makes up the same on any empty database.
type Plan struct {
	Seed        uint64
	From, Now   time.Time // orders are placed from the local day of From on until Now
	Conversions int
	Uncredited  int // orders without a creator, for every hundred conversions
	Clicks      int // for every conversion
	Campaigns   int
	Creators    int
	Stores      []affiliate.Store // that orders come from; the first one has most
	// EmailHash gives the keyed hash of an e-mail address as orders and creators have it.
	EmailHash func(email string) string
	// Progress hears how many of the Orders are written, also from two goroutines at once; it may be nil.
	Progress func(orders int)
}

// Orders is how many orders the plan makes up.
func (p Plan) Orders() int { return p.Conversions + p.uncredited() }

func (p Plan) uncredited() int { return p.Conversions * p.Uncredited / 100 }

// Validate gives an error that names the field that is wrong.
func (p Plan) Validate() error {
	switch {
	case len(p.Stores) == 0:
		return affiliate.FieldErrorf("stores", "a store is needed")
	case !p.From.Before(p.Now):
		return affiliate.FieldErrorf("from", "must be before now")
	case p.Conversions < 1:
		return affiliate.FieldErrorf("conversions", "must be at least 1")
	case p.Uncredited < 0:
		return affiliate.FieldErrorf("uncredited", "must not be negative")
	case p.Clicks < 0:
		return affiliate.FieldErrorf("clicks", "must not be negative")
	case p.Campaigns < 1:
		return affiliate.FieldErrorf("campaigns", "must be at least 1")
	case p.Creators < p.Campaigns:
		return affiliate.FieldErrorf("creators", "must be at least as many as campaigns")
	}
	return nil
}

// Report says what was made up.
type Report struct {
	Orders        int `json:"orders"`
	Conversions   int `json:"conversions"`
	Clicks        int `json:"clicks"`
	LedgerEntries int `json:"ledger_entries"`
	Payouts       int `json:"payouts"`
	Campaigns     int `json:"campaigns"`
	Creators      int `json:"creators"`
	OfferMembers  int `json:"offer_members"`
}

// Write makes up a history and writes it. It ends with the sums that reports read. When it ends with an error, what was
// written by then stays: begin again with an empty database.
func Write(ctx context.Context, db *storage.DB, p Plan) (report Report, err error) {
	if err := p.Validate(); err != nil {
		return report, err
	}
	err = db.QuickLoad(ctx, func() error {
		w, err := newWorld(ctx, db, p)
		if err != nil {
			return fmt.Errorf("make up creators and campaigns: %w", err)
		}
		if err := w.foresee(ctx); err != nil {
			return err
		}
		if err := w.writePayouts(ctx, db); err != nil {
			return fmt.Errorf("make up payouts: %w", err)
		}
		clicks, err := w.writeDays(ctx, db)
		if err != nil {
			return fmt.Errorf("make up orders: %w", err)
		}
		report = Report{Orders: p.Orders(), Conversions: p.Conversions, Clicks: clicks, LedgerEntries: w.entries,
			Payouts: len(w.payouts), Campaigns: len(w.campaigns), Creators: len(w.creators),
			OfferMembers: len(w.owners)}
		err = db.InTx(ctx, func(tx *storage.Tx) error {
			if err := tx.LockCatalog(ctx); err != nil {
				return err
			}
			return tx.RebuildRollups(ctx)
		})
		if err != nil {
			return fmt.Errorf("sum up for reports: %w", err)
		}
		return db.Analyze(ctx)
	})
	return report, err
}

// loadSize is about how many orders are written in one transaction.
const loadSize = 4000

// writeDays tells all days again, this time with every detail, and writes them: days are told on all processors at
// once. It gives how many clicks there were.
func (w *world) writeDays(ctx context.Context, db *storage.DB) (clicks int, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	loads := make(chan storage.Rows)
	var next, counted atomic.Int64
	var tellers, loaders sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		tellers.Go(func() {
			s := scribe{world: w, give: func(rows storage.Rows) {
				counted.Add(int64(len(rows.Clicks)))
				select {
				case loads <- rows:
				case <-ctx.Done():
				}
			}}
			for i := next.Add(1) - 1; i < int64(len(w.days)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := s.write(int(i)); err != nil {
					stop(fmt.Errorf("%s: %w", w.days[i].text, err))
				}
			}
			s.flush()
		})
	}
	var written atomic.Int64
	for range db.Loaders() {
		loaders.Go(func() {
			for rows := range loads {
				if err := db.Load(ctx, rows); err != nil {
					stop(err)
				}
				if n := written.Add(int64(len(rows.Orders))); w.plan.Progress != nil {
					w.plan.Progress(int(n))
				}
			}
		})
	}
	tellers.Wait()
	close(loads)
	loaders.Wait()
	return int(counted.Load()), context.Cause(ctx)
}
