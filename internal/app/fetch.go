package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Orders that deliveries only name are read from their stores beside the batches, and never in a transaction: a store
// that answers slowly, or not at all, keeps nobody else waiting. What was read goes into the next batch.
const (
	fetchLimit     = 10 * time.Second // of reading one order
	fetchesAtOnce  = 4                // of one store
	fetchesAtStore = 100              // that run or wait at one store; the sweep brings the others again
)

// fetches are the deliveries whose order is being read.
type fetches struct {
	ctx  context.Context // ends at once when Close is called: what is not read then waits for the next start
	stop context.CancelFunc

	mu     sync.Mutex
	stores map[affiliate.StoreID]*storeFetches
}

type storeFetches struct {
	under map[affiliate.DeliveryID]bool
	slots chan struct{}
}

func newFetches() *fetches {
	f := &fetches{stores: map[affiliate.StoreID]*storeFetches{}}
	f.ctx, f.stop = context.WithCancel(context.Background())
	return f
}

// begin gives the store's slots, or nil when the delivery's order is being read already, or too many are.
func (f *fetches) begin(d storage.Delivery) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stores[d.StoreID]
	if s == nil {
		s = &storeFetches{map[affiliate.DeliveryID]bool{}, make(chan struct{}, fetchesAtOnce)}
		f.stores[d.StoreID] = s
	}
	if s.under[d.ID] || len(s.under) >= fetchesAtStore {
		return nil
	}
	s.under[d.ID] = true
	return s.slots
}

func (f *fetches) end(d storage.Delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.stores[d.StoreID].under, d.ID)
}

// toFetch makes a delivery one whose order is to be read from the store.
func (pd parsedDelivery) toFetch(platform Platform, store affiliate.Store, order string) parsedDelivery {
	fetcher, ok := platform.(Fetcher)
	if !ok {
		return pd.fail("it only names the order " + order + ", and orders of " + platform.Guide().Name +
			" cannot be read")
	}
	pd.outcome.Order = order
	pd.fetch = func(ctx context.Context) (affiliate.Parsed, error) {
		ctx, cancel := context.WithTimeout(ctx, fetchLimit)
		defer cancel()
		return safely("reading the order", func() (affiliate.Parsed, error) {
			return fetcher.Fetch(ctx, store, order)
		})
	}
	return pd
}

// startFetch reads a delivery's order in the background and has the delivery applied, unless that is under way.
func (p *Processor) startFetch(d parsedDelivery) {
	slots := p.fetches.begin(d.Delivery)
	if slots == nil {
		return
	}
	p.done.Go(func() {
		defer p.fetches.end(d.Delivery)
		select {
		case slots <- struct{}{}:
		case <-p.fetches.ctx.Done():
			return
		}
		fetched, err := p.fetched(d)
		<-slots
		if err != nil {
			p.fetchFailed(d.Delivery, err)
			return
		}
		if b := p.submitFetched(fetched); b != nil {
			<-b.done
		}
	})
}

// fetched reads a delivery's order. An error means that it is to be tried again.
func (p *Processor) fetched(d parsedDelivery) (parsedDelivery, error) {
	parsed, err := d.fetch(p.fetches.ctx)
	if err == nil {
		stamp(parsed.Events, p.app.Now(), time.Time{}, time.Time{})
		return p.say(d, said{Parsed: parsed}), nil
	}
	if kind := affiliate.KindOf(err); kind == affiliate.Invalid || kind == affiliate.NotFound {
		return d.fail(err.Error()), nil
	}
	return d, fmt.Errorf("read order %s from the store: %w", d.outcome.Order, err)
}

// fetchFailed notes on a delivery that its order could not be read. Nothing is noted when the server stops: it waits
// for the next start.
func (p *Processor) fetchFailed(d storage.Delivery, why error) {
	if p.fetches.ctx.Err() != nil {
		return
	}
	ctx, cancel := p.app.DB.Within(storage.ForWork(p.ctx), lookLimit)
	defer cancel()
	if err := p.postpone(ctx, d, why); err != nil {
		p.lines.Log(p.app.Log, slog.LevelWarn, "", "delivery not postponed", "delivery", d.ID, "error", err)
	}
}

// submitFetched puts a delivery into the open batch. It gives nil when no more batches are worked off: then the
// delivery waits for the next start.
func (p *Processor) submitFetched(d parsedDelivery) *batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.open.fetched = append(p.open.fetched, d)
	p.wake()
	return p.open
}
