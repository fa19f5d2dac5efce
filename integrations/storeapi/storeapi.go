// Package storeapi asks the web servers of stores, whatever their software, and trusts none of them: private addresses
// are refused, answers are limited in size and time, redirects stay on their host, and whatever goes wrong becomes a
// sentence with a remedy.
package storeapi

import (
	"cmp"
	"context"
	"crypto/x509"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Web is how this process reaches stores. It must not be copied or changed once it is in use.
type Web struct {
	Private []string // hosts, addresses and networks (CIDR) that may be asked although they are private; "*": all
	// Roots are the authorities whose certificates are believed; nil: those of the system.
	Roots *x509.CertPool
	// Now and Sleep are for tests, which wait for nothing; nil: the real ones. Sleep ends with the context, too.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error

	once     sync.Once
	client   *http.Client
	resolver *net.Resolver // of names; nil: the system's
}

// Site is one store as a Caller asks it.
type Site struct {
	Host    string   // that all requests go to, with its port where that is not the usual one; others are refused
	Called  string   // its host in sentences, where people know it by another; empty: Host
	Name    string   // of its platform, for sentences: "WooCommerce"
	Keys    string   // where in the admin its keys are made, for sentences
	Secrets []string // that must stand in no error
}

func (s Site) called() string { return cmp.Or(s.Called, s.Host) }

// Request is one question.
type Request struct {
	Method  string
	Address string
	Header  http.Header
	Body    []byte
	// Repeatable says that asking twice does no harm: it is tried again after failures that may pass.
	Repeatable bool
	// Shrinks says that the client can ask for less: what TooMuch tells is then not tried again as it is.
	Shrinks bool
	// Cost is what it is expected to take of the store's budget, where the store has one in points.
	Cost    float64
	Accept  []int         // statuses that are answers and not errors; empty: 200 to 299
	Timeout time.Duration // of one try; 0: the usual one
	Most    int64         // bytes of the answer; 0: the usual limit
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	ReadAt time.Time     // see affiliate.OrderPage
	Took   time.Duration // from the request on, without what waited before it

	site  Site
	asked asked
}

// Bounds of asking a store.
const (
	usualTimeout = time.Minute // old WordPress hosts need half of it for a page of orders
	dialTimeout  = 10 * time.Second
	usualMost    = 32 << 20
	mostHeader   = 256 << 10
	mostTries    = 5
	mostBackOff  = time.Minute
	mostPutOff   = time.Hour       // that a store can ask for
	patience     = 2 * time.Minute // what asks while a store is put off for longer is told so
	atOnce       = 4               // requests to a store
)

// Caller asks one store, with a budget of its own that lasts as long as it does. It may be used by many at once.
type Caller struct {
	web    *Web
	site   Site
	places chan struct{} // as many as may ask at once
	turn   chan struct{} // of what is done in the background, one by one
	budget budget
}

// Caller makes one.
func (w *Web) Caller(site Site) *Caller {
	return &Caller{web: w, site: site, places: make(chan struct{}, atOnce), turn: make(chan struct{}, 1)}
}

// Ask sends a request, again where that helps, and waits before it where the budget asks for it. With an error about
// the answer, the answer comes, too.
func (c *Caller) Ask(ctx context.Context, r Request) (Answer, error) {
	for try := 1; ; try++ {
		answer, fail := c.try(ctx, r)
		if fail == nil {
			return answer, nil
		}
		wait := max(backOff(try), fail.wait)
		if fail.busy {
			c.PutOff(wait) // all others wait as well
		}
		if try == mostTries || !c.helps(r, fail) || wait > mostBackOff || !c.web.fits(ctx, wait) {
			return answer, fail
		}
		if fail.busy {
			continue // the next try waits
		}
		if err := c.web.sleep(ctx, wait); err != nil {
			return answer, fail
		}
	}
}

// helps says whether a failed request is to be tried again.
func (c *Caller) helps(r Request, fail *failure) bool {
	return fail.again && (r.Repeatable || fail.unsent) && !(r.Shrinks && fail.large)
}

// backOff is how long to wait after the try-th failure: about 1, 2, 4 seconds and so on, by chance up to half less, so
// that many do not come back at once.
func backOff(try int) time.Duration {
	d := min(time.Second<<(try-1), mostBackOff)
	return d/2 + rand.N(d/2+1)
}

// try sends a request once, when it is its turn.
func (c *Caller) try(ctx context.Context, r Request) (Answer, *failure) {
	background := affiliate.IsBackground(ctx)
	if background {
		if fail := c.enter(ctx, c.turn); fail != nil {
			return Answer{}, fail
		}
		defer leave(c.turn)
	}
	asked, wait := c.budget.reserve(c.web.now(), background, r.Cost)
	if fail := c.await(ctx, wait); fail != nil {
		c.budget.giveBack(asked)
		return Answer{}, fail
	}
	if fail := c.enter(ctx, c.places); fail != nil {
		c.budget.giveBack(asked)
		return Answer{}, fail
	}
	defer leave(c.places)
	began := c.web.now()
	answer, fail := c.send(ctx, r)
	ended := c.web.now()
	answer.Took, answer.asked = ended.Sub(began), c.budget.finish(asked, began, ended)
	return answer, fail
}

// await waits for the budget, and for as long as the store is put off.
func (c *Caller) await(ctx context.Context, wait time.Duration) *failure {
	for range mostTries { // somebody may be put off meanwhile
		putOff := c.budget.putOff(c.web.now())
		if putOff > patience {
			return c.fail(affiliate.Unavailable, affiliate.StoreBusy,
				"%s has asked to be left alone for a while. It is asked again from %s UTC on.", c.site.called(),
				c.web.now().Add(putOff).UTC().Format("15:04"))
		}
		if wait = max(wait, putOff); wait <= 0 {
			return nil
		}
		if !c.web.fits(ctx, wait) || c.web.sleep(ctx, wait) != nil {
			return c.ended(ctx)
		}
		wait = 0
	}
	return nil
}

func (c *Caller) enter(ctx context.Context, places chan struct{}) *failure {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return c.ended(ctx)
	}
}

func leave(places chan struct{}) { <-places }

// ended is the failure of a request whose time ended before it was sent.
func (c *Caller) ended(ctx context.Context) *failure {
	if err := ctx.Err(); err != nil && err != context.DeadlineExceeded {
		return &failure{err: err}
	}
	return c.fail(affiliate.Unavailable, affiliate.StoreBusy, "There was no time left to ask %s: it is asked for much "+
		"already, or asks to wait. Try again in a minute.", c.site.called())
}

// PutOff lets nobody ask the store for a while, because it said so: one second at least, an hour at most.
func (c *Caller) PutOff(d time.Duration) {
	c.budget.delay(c.web.now(), min(max(d, time.Second), mostPutOff))
}

// Points tells what an answer says about the store's budget, where it has one in points.
func (c *Caller) Points(a Answer, p Points) { c.budget.told(c.web.now(), a.asked, p) }

// Use says how much was used.
func (c *Caller) Use() affiliate.APIUse { return c.budget.use(c.web.now()) }

func (r Request) accepts(status int) bool {
	if len(r.Accept) == 0 {
		return status/100 == 2
	}
	return slices.Contains(r.Accept, status)
}

func (w *Web) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

func (w *Web) sleep(ctx context.Context, d time.Duration) error {
	if w.Sleep != nil {
		return w.Sleep(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fits says whether a wait is over before the context is, so that nobody waits in vain.
func (w *Web) fits(ctx context.Context, d time.Duration) bool {
	ends, ok := ctx.Deadline()
	return !ok || w.Sleep != nil || d < time.Until(ends)
}
