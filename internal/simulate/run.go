package simulate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Run is one simulation.
type Run struct {
	Plan        Plan
	Address     string // host:port
	Token       string // for the check and the live events; without one neither is done
	Connections int
	Rate        int
	Prepare     bool          // make all deliveries before the clock starts
	Limit       time.Duration // of the whole run
	// Progress is told while sending how many orders are told in full; nil is allowed.
	Progress func(orders int)
}

// Report is what came out.
type Report struct {
	Deliveries   int           // acknowledged, repeats included
	Refused      map[int]int   // by HTTP status
	Broken       int           // connections that ended without an answer
	Lost         int           // deliveries given up
	Sending      time.Duration // until the last acknowledgement
	Processing   time.Duration // until the inbox was empty
	AckP50       time.Duration
	AckP99       time.Duration
	FreshP50     time.Duration // from receipt to the live event
	FreshP99     time.Duration
	FreshMax     time.Duration
	Changes      int // live events seen
	LiveDropouts int // how often the stream of live events broke off
	Checked      int
	Mismatches   []string
}

// AckRate is acknowledged deliveries per second.
func (r Report) AckRate() float64 { return perSecond(r.Deliveries, r.Sending) }

// ProcessRate is deliveries per second from the first sent to the last processed.
func (r Report) ProcessRate() float64 { return perSecond(r.Deliveries, r.Processing) }

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// Do sends everything, waits until it is processed and checks what came out.
func (r Run) Do(ctx context.Context) (Report, error) {
	if r.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Limit)
		defer cancel()
	}
	api := client{address: r.Address, token: r.Token}
	if r.Plan.Domain == "" && r.Token != "" {
		r.Plan.Domain = api.storeDomain(ctx, r.Plan.Store)
	}
	source := newSupply(NewGenerator(r.Plan), r.Prepare)
	var watch *watcher
	if r.Token != "" {
		var err error
		if watch, err = api.watch(ctx); err != nil {
			return Report{}, err
		}
		defer watch.close()
	}
	begin := time.Now()
	progress := startProgress(r.Progress, source)
	out := Load{Address: r.Address, Connections: r.Connections, Rate: r.Rate, Next: source.next, Retry: true}.Run(ctx)
	progress()
	report := Report{Deliveries: out.Accepted, Refused: out.Refused, Broken: out.Broken, Lost: out.Lost,
		Sending: out.Took, AckP50: out.Percentile(50), AckP99: out.Percentile(99)}
	if ctx.Err() != nil || out.Accepted == 0 {
		return report, ctx.Err()
	}
	if err := api.waitUntilEmpty(ctx); err != nil {
		return report, err
	}
	report.Processing = time.Since(begin)
	if watch != nil {
		watch.report(&report)
		found, checked, err := api.check(ctx, r.Plan, source.generator.Expected())
		report.Mismatches, report.Checked = found, checked
		if err != nil {
			return report, err
		}
	}
	return report, ctx.Err()
}

// Problem says in one sentence why a run failed; nil when all is well.
func (r Report) Problem() error {
	switch {
	case r.Lost > 0:
		return fmt.Errorf("%d deliveries were not acknowledged%s", r.Lost, r.refusals())
	case len(r.Mismatches) > 0:
		return fmt.Errorf("%d orders are not as they must be; the first: %s", len(r.Mismatches), r.Mismatches[0])
	}
	return nil
}

// refusals tells with which statuses deliveries were refused, and what that hints at.
func (r Report) refusals() string {
	text := ""
	for _, status := range slices.Sorted(maps.Keys(r.Refused)) {
		text += fmt.Sprintf("; %d answers were %d %s", r.Refused[status], status, http.StatusText(status))
		switch status {
		case http.StatusUnauthorized, http.StatusForbidden:
			text += " (is it the store's webhook secret?)"
		case http.StatusNotFound:
			text += " (is there such a store on this platform?)"
		}
	}
	if r.Broken > 0 {
		text += fmt.Sprintf("; %d connections broke", r.Broken)
	}
	return text
}

// supply hands requests to the connections.
type supply struct {
	generator *Generator
	mu        sync.Mutex
	prepared  [][]byte
	at        atomic.Int64
}

func newSupply(g *Generator, prepare bool) *supply {
	s := &supply{generator: g}
	for prepare {
		request := g.Next()
		if request == nil {
			break
		}
		s.prepared = append(s.prepared, request)
	}
	return s
}

func (s *supply) next(int) []byte {
	n := s.at.Add(1) - 1
	if s.prepared != nil {
		if n >= int64(len(s.prepared)) {
			return nil
		}
		return s.prepared[n]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generator.Next()
}

// told is how many orders nothing more is told of.
func (s *supply) told() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.generator.Expected())
}

// startProgress tells regularly how far the sending is, until the returned function is called.
func startProgress(tell func(int), s *supply) (stop func()) {
	if tell == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				tell(s.told())
			case <-done:
				tell(s.told())
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

// report adds the freshness that the live events showed.
func (w *watcher) report(r *Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.fresh)
	r.Changes, r.LiveDropouts = len(w.fresh), w.dropouts
	r.FreshP50, r.FreshP99, r.FreshMax = percentile(w.fresh, 50), percentile(w.fresh, 99), percentile(w.fresh, 100)
}

var errNotEmpty = errors.New("the inbox did not become empty in time")
