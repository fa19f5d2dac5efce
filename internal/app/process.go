package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Processor applies deliveries to orders. Submitted deliveries are gathered into batches, each applied in one
// transaction, so that the cost of a commit is shared.
type Processor struct {
	app    *App
	counts *Counters
	stores *storeCache

	pulse  Pulse
	lines  Seldom
	ctx    context.Context // ends some time after Close was called
	cancel context.CancelFunc

	fetches *fetches

	mu     sync.Mutex
	open   *batch
	closed bool
	ready  chan struct{}
	done   sync.WaitGroup
}

type batch struct {
	ids     []affiliate.DeliveryID
	fetched []parsedDelivery // those whose order was read from its store meanwhile
	done    chan struct{}
	err     error
}

// batchMost bounds a batch: larger ones save little and hold locks longer.
const batchMost = 400

// NewProcessor starts workers that apply batches side by side. Close it to finish what was submitted.
func NewProcessor(a *App, counts *Counters, workers int) *Processor {
	p := &Processor{app: a, counts: counts, stores: &storeCache{db: a.DB}, ready: make(chan struct{}, 1),
		fetches: newFetches()}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.open = &batch{done: make(chan struct{})}
	for range max(1, workers) {
		p.done.Go(p.work)
	}
	return p
}

// Submit returns when the deliveries were applied, ignored or set aside; those whose order must be read from its store
// are applied later. An error means that they still wait because the database could not be reached.
func (p *Processor) Submit(ctx context.Context, ids []affiliate.DeliveryID) error {
	var waits []*batch
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return errors.New("the worker is shutting down")
	}
	for len(ids) > 0 {
		if p.closed { // while this one waited for room
			p.mu.Unlock()
			return errors.New("the worker is shutting down")
		}
		b := p.open
		if len(b.ids) >= batchMost {
			p.mu.Unlock() // full: wait for a worker to take it
			select {
			case <-b.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			p.mu.Lock()
			continue
		}
		part := ids[:min(len(ids), batchMost-len(b.ids))]
		ids = ids[len(part):]
		b.ids = append(b.ids, part...)
		waits = append(waits, b)
		p.wake()
	}
	p.mu.Unlock()
	for _, b := range waits {
		select {
		case <-b.done:
			if b.err != nil {
				return b.err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// wake has a worker look for what is to be done. The caller holds mu, and p is not closed.
func (p *Processor) wake() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// Limits of what a batch asks of the database. It may wait for an import or for another worker; what a worker that was
// cut off had locked is free again after half a minute. closePatience is how long Close waits for the batches under
// way: what they would have done is done after the next start.
const (
	applyLimit    = 20 * time.Second
	lookLimit     = 10 * time.Second
	closePatience = 8 * time.Second
)

// Pulse says whether deliveries can be applied.
func (p *Processor) Pulse() Beat { return p.pulse.Feel(5 * time.Minute) }

// Close applies what was submitted and stops the workers. It waits for closePatience at most.
func (p *Processor) Close() {
	p.fetches.stop()
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.ready)
	}
	p.mu.Unlock()
	if !p.app.DB.Embedded() {
		defer time.AfterFunc(closePatience, p.cancel).Stop()
	}
	p.done.Wait()
	p.cancel()
}

func (p *Processor) work() {
	for range p.ready {
		p.workOff()
	}
	p.workOff()
}

func (p *Processor) workOff() {
	for b := p.take(); b != nil; b = p.take() {
		end := p.pulse.Begin()
		b.err = p.process(p.ctx, b.ids, b.fetched)
		end(b.err != nil)
		close(b.done)
	}
}

func (p *Processor) take() *batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open.ids)+len(p.open.fetched) == 0 {
		return nil
	}
	b := p.open
	p.open = &batch{done: make(chan struct{})}
	return b
}

// parsedDelivery is what one delivery amounts to.
type parsedDelivery struct {
	storage.Delivery
	fetch   func(context.Context) (affiliate.Parsed, error) // of its order from the store; nil for most
	events  []affiliate.Event
	outcome storage.Outcome
	store   affiliate.StoreEvent
	warning string
}

// Process applies deliveries: all in one transaction, or, if that fails, each alone, so that a poisonous one stops
// nobody. Those whose order must be read from its store are applied later, so that none waits for that. It gives an
// error only when the database cannot be reached.
func (p *Processor) Process(ctx context.Context, ids []affiliate.DeliveryID) error {
	return p.process(ctx, ids, nil)
}

// process applies deliveries together with those whose order was fetched.
func (p *Processor) process(ctx context.Context, ids []affiliate.DeliveryID, list []parsedDelivery) error {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	looking, cancel := p.app.DB.Within(ctx, lookLimit)
	defer cancel()
	rows, err := p.app.DB.WaitingDeliveries(looking, slices.Compact(ids), p.app.Now())
	if err != nil {
		return fmt.Errorf("read deliveries: %w", err)
	}
	list = slices.Grow(list, len(rows))
	for _, d := range rows {
		parsed, err := p.parse(looking, d)
		if err != nil {
			return err
		}
		if parsed.fetch != nil {
			p.startFetch(parsed)
			continue
		}
		list = append(list, parsed)
	}
	if len(list) == 0 {
		return nil
	}
	if err = p.apply(ctx, list); err == nil {
		return nil
	}
	if storage.IsUnwritable(err) {
		return err // none of them would fare better
	}
	if len(list) > 1 {
		p.lines.Log(p.app.Log, slog.LevelWarn, "", "batch of deliveries not applied, trying one by one", "count",
			len(list), "error", err)
	}
	for _, d := range list {
		if err := p.applyAlone(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// applyAlone applies one delivery and notes a failure on it. One that took too long is an error as well: something
// stands in the way, and those after it would wait as long.
func (p *Processor) applyAlone(ctx context.Context, d parsedDelivery) error {
	err := p.apply(ctx, []parsedDelivery{d})
	if err == nil {
		return nil
	}
	noting, cancel := p.app.DB.Within(storage.ForWork(ctx), lookLimit)
	defer cancel()
	if storage.IsUnwritable(err) || storage.IsUnavailable(err) && p.app.DB.Ping(noting) != nil {
		return err // not this delivery's fault
	}
	if err := p.postpone(noting, d.Delivery, err); err != nil {
		return err
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return err
	}
	return nil
}

// postpone notes on a delivery why it was not applied. It is tried again later, or has failed for good.
func (p *Processor) postpone(ctx context.Context, d storage.Delivery, why error) error {
	failed, err := p.app.DB.PostponeDelivery(ctx, d, clipNote(why.Error()), p.app.Now())
	if err != nil {
		return err
	}
	p.counts.Touched(d.StoreID)
	p.lines.Log(p.app.Log, slog.LevelError, "", "delivery not applied", "delivery", d.ID, "attempt", d.Attempts+1,
		"given_up", failed, "error", why)
	return nil
}

// parse unpacks and parses one delivery. Whatever goes wrong with its content is its outcome, not an error.
func (p *Processor) parse(ctx context.Context, d storage.Delivery) (parsedDelivery, error) {
	pd := parsedDelivery{Delivery: d, outcome: storage.Outcome{ID: d.ID, State: storage.DeliveryDone}}
	store, err := p.stores.get(ctx, d.StoreID)
	if err != nil {
		return pd, err
	}
	platform := p.app.Platforms.Of(store.Platform)
	if platform == nil {
		return pd.fail("the platform " + string(store.Platform) + " is not known to this version"), nil
	}
	if d.Payload == nil {
		return pd.fail("its body was purged"), nil
	}
	parsed, err := readKept(platform, d)
	if err != nil {
		return pd.fail(err.Error()), nil
	}
	guide := platform.Guide()
	if guide.OtherShop(store.Domain, parsed.Shop) { // unless the store's domain was changed meanwhile
		if store, err = p.stores.read(ctx, d.StoreID); err != nil {
			return pd, err
		}
		if guide.OtherShop(store.Domain, parsed.Shop) {
			return pd.fail(fmt.Sprintf("the body is of the shop %[1]s, not of %[2]s, and changes nothing: in the "+
				"admin of %[1]s delete the webhooks that have this store's address, or, if that is the store's own "+
				"new domain, change the domain of the store here and replay the delivery", parsed.Shop,
				store.Domain)), nil
		}
	}
	if parsed.Fetch != "" {
		return pd.toFetch(platform, store, parsed.Fetch), nil
	}
	return p.say(pd, parsed), nil
}

// fail says why nothing can be made of a delivery.
func (pd parsedDelivery) fail(reason string) parsedDelivery {
	pd.outcome.State, pd.outcome.Note = storage.DeliveryFailed, clipNote(reason)
	pd.warning = pd.outcome.Note
	return pd
}

// say takes over what a delivery says.
func (p *Processor) say(pd parsedDelivery, parsed said) parsedDelivery {
	if parsed.Ignored != "" {
		pd.outcome.State, pd.outcome.Note = storage.DeliveryIgnored, clipNote(parsed.Ignored)
	}
	pd.events, pd.store, pd.warning = parsed.Events, parsed.Store, parsed.Warning
	if pd.outcome.Note == "" {
		pd.outcome.Note = clipNote(cmp.Or(parsed.Warning, parsed.note))
	}
	if len(pd.events) > 0 {
		pd.outcome.Order = pd.events[0].OrderID
	}
	for i := range pd.events {
		p.app.hideCustomer(pd.events[i].Snapshot)
	}
	return pd
}

// hideCustomer leaves a hash of a snapshot's customer. There may be no snapshot.
func (a *App) hideCustomer(s *affiliate.Snapshot) {
	if s != nil {
		s.CustomerHash = a.Sealer.Hash(HashEmail, affiliate.NormalizeEmail(s.CustomerEmail))
		s.CustomerEmail = ""
	}
}

// triggeredSkew is how far a store's clock may be ahead of ours.
const triggeredSkew = 10 * time.Minute

// headerOf reads the headers of a payload.
func headerOf(lines []byte) http.Header {
	h := http.Header{}
	for line := range bytes.Lines(lines) {
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok {
			h[string(name)] = []string{string(bytes.TrimSpace(value))}
		}
	}
	return h
}

// safely turns a platform's panic into an error: a body must never stop a worker.
func safely(doing string, f func() (affiliate.Parsed, error)) (parsed affiliate.Parsed, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error while %s: %v", doing, r)
		}
	}()
	return f()
}

// maxNote bounds what is written about a delivery.
const maxNote = 500

func clipNote(s string) string {
	if len(s) > maxNote {
		s = s[:maxNote]
	}
	return cleanText(s)
}

// apply does all that a batch of deliveries changes, in one transaction.
func (p *Processor) apply(ctx context.Context, list []parsedDelivery) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error while applying: %v", r)
		}
	}()
	ctx, cancel := p.app.DB.Within(ctx, applyLimit)
	defer cancel()
	now := p.app.Now()
	byStore := slices.Clone(list)
	slices.SortStableFunc(byStore, func(a, b parsedDelivery) int { return cmp.Compare(a.StoreID, b.StoreID) })
	for _, d := range byStore {
		if d.store == affiliate.StoreRedact { // most of it part by part, which lets others in
			if err := p.app.DB.ErasePayloads(ctx, d.StoreID); err != nil {
				return fmt.Errorf("erase bodies: %w", err)
			}
		}
	}
	err = p.app.DB.InTx(storage.ForWork(ctx), func(tx *storage.Tx) error {
		// Codes, links and settings stay as they are until this is committed: a code that is added meanwhile would miss
		// these orders, and a commission would be reckoned in a currency that the account has no more.
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		settings, zone, err := tx.Account(ctx)
		if err != nil {
			return err
		}
		outcomes := make([]storage.Outcome, len(list))
		for i, d := range list {
			outcomes[i] = d.outcome
		}
		won, err := tx.FinishDeliveries(ctx, outcomes, now)
		if err != nil {
			return fmt.Errorf("finish deliveries: %w", err)
		}
		m := newMerger(tx, p.app, settings, zone, now)
		for _, d := range list {
			if !won[d.ID] {
				continue
			}
			for _, e := range d.events {
				m.add(d, e)
			}
		}
		for _, d := range byStore { // one fixed order, so that two workers never wait for each other's stores
			if !won[d.ID] {
				continue
			}
			if err := p.applyStore(ctx, tx, d, now); err != nil {
				return err
			}
		}
		return m.run(ctx)
	})
	if err != nil {
		return err
	}
	for _, d := range list {
		p.counts.Processed(d.StoreID, now)
	}
	return nil
}

// applyStore does what a delivery says about its store as a whole.
func (p *Processor) applyStore(ctx context.Context, tx *storage.Tx, d parsedDelivery, now time.Time) error {
	var redacted []string
	for _, e := range d.events {
		if e.Redacted {
			redacted = append(redacted, e.OrderID)
		}
	}
	if len(redacted) > 0 {
		if err := tx.PurgeOrderPayloads(ctx, d.StoreID, redacted); err != nil {
			return err
		}
	}
	switch d.store {
	case affiliate.StoreUninstalled:
		if err := tx.NoteStoreTrouble(ctx, d.StoreID, affiliate.StoreKeysRefused, "The app was removed from the "+
			"store, and its keys with it: install it again, and give its keys anew.", now); err != nil {
			return err
		}
		return tx.SetStoreState(ctx, d.StoreID, "uninstalled",
			"The app was removed from the store: no deliveries will come any more.", now)
	case affiliate.StoreRedact:
		return tx.PurgeOrderPayloads(ctx, d.StoreID, nil)
	case affiliate.DataRequest:
		return tx.WarnStore(ctx, d.StoreID,
			dataRequested+" (delivery "+d.ID.String()+"): answer within 30 days.")
	}
	if d.warning != "" {
		return tx.WarnStore(ctx, d.StoreID, d.warning+aboutDelivery(d.ID))
	}
	return nil
}
