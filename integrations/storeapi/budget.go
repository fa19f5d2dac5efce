package storeapi

import (
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Points is a store's budget as one of its answers tells it: a bucket that fills at a steady rate.
type Points struct {
	Available float64
	Max       float64
	Restore   float64 // per second
	// Requested is what the store holds to be the most that the request could cost, and Actual what it did. For
	// Request.Cost of the next one like it, take Requested.
	Requested, Actual float64
}

// budget is what was used of what a store allows, and when there is room for more.
//
// Background work earns its half before it uses it: it may have put aside no more than the next request costs. So
// however it is looked at, it has used at most half of what was restored since it began, but for the first request,
// whose cost nobody knows, and for what a request costs more than was expected; both are made up for before the next.
// Where the store tells no points, its time takes their place: a second is restored each second, and a request costs as
// long as the one before it took.
type budget struct {
	mu        sync.Mutex
	first     time.Time // when the first request was sent
	requests  int64
	throttled int64
	notBefore time.Time // the store is put off until then

	paid   time.Time     // until when background work has used up its half
	spent  float64       // points that it used
	busy   time.Duration // that the store was, with its requests
	lasted time.Duration // of its last request

	known   Points    // the last that was told; Max is 0 before
	at      time.Time // when it was told
	pending float64   // expected cost of what is under way and of what ended since, as it was told
}

// asked is a request as its budget knows it.
type asked struct {
	background bool
	cost       float64       // expected, in points
	share      time.Duration // of background work's half that is taken for it
	began      time.Time
}

// reserve takes room for a request, and says how long it must wait until that is there.
func (b *budget) reserve(now time.Time, background bool, cost float64) (asked, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := asked{background: background, cost: cost}
	wait := b.fill(now, a)
	if background {
		a.share = 2 * b.lasted
		if b.known.Max > 0 {
			a.share = b.half(cost)
		}
		if b.paid.IsZero() {
			b.paid = now // the first one
		}
		if from := now.Add(-a.share); b.paid.Before(from) {
			b.paid = from
		}
		b.paid = b.paid.Add(a.share)
		wait = max(wait, b.paid.Sub(now))
	}
	b.pending += cost
	return a, wait
}

// fill is how long the store's bucket needs until it has enough for a request. Background work leaves half of it.
func (b *budget) fill(now time.Time, a asked) time.Duration {
	if b.known.Max <= 0 || b.known.Restore <= 0 || a.cost > b.known.Max {
		return 0
	}
	left := min(b.known.Available+b.known.Restore*now.Sub(b.at).Seconds(), b.known.Max) - b.pending
	want := a.cost
	if a.background {
		want = min(a.cost+b.known.Max/2, b.known.Max)
	}
	return max(0, seconds((want-left)/b.known.Restore))
}

// half is the time in which background work earns some points.
func (b *budget) half(points float64) time.Duration {
	if b.known.Restore <= 0 {
		return 0
	}
	return seconds(2 * points / b.known.Restore)
}

// giveBack undoes reserve for a request that was not sent.
func (b *budget) giveBack(a asked) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending -= a.cost
	if a.background {
		b.paid = b.paid.Add(-a.share)
	}
}

// finish counts a request that was sent, whatever came of it.
func (b *budget) finish(a asked, began, ended time.Time) asked {
	b.mu.Lock()
	defer b.mu.Unlock()
	a.began = began
	b.requests++
	if b.first.IsZero() || began.Before(b.first) {
		b.first = began
	}
	b.pending -= a.cost
	b.known.Available -= a.cost // until Points says it better
	if !a.background {
		return a
	}
	b.lasted = max(0, ended.Sub(began))
	b.busy += b.lasted
	if b.known.Max <= 0 {
		b.paid = b.paid.Add(2*b.lasted - a.share)
		a.share = 2 * b.lasted
	}
	return a
}

// told takes in what the answer to a request says.
func (b *budget) told(now time.Time, a asked, p Points) {
	if p.Max <= 0 || p.Restore <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known, b.at = p, now
	if a.background {
		b.spent += p.Actual
		b.paid = b.paid.Add(b.half(p.Actual) - a.share)
	}
}

// delay lets nobody ask for a while.
func (b *budget) delay(now time.Time, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.throttled++
	if until := now.Add(d); until.After(b.notBefore) {
		b.notBefore = until
	}
}

// putOff is how long nobody may ask yet.
func (b *budget) putOff(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.notBefore.Sub(now))
}

func (b *budget) use(now time.Time) affiliate.APIUse {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := affiliate.APIUse{Requests: b.requests, Throttled: b.throttled}
	used, restored := b.busy.Seconds(), now.Sub(b.first).Seconds()
	if b.known.Max > 0 {
		used, restored = b.spent, restored*b.known.Restore
	}
	if b.requests > 0 && used > 0 {
		u.Share = 1
		if restored > used {
			u.Share = used / restored
		}
	}
	return u
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
