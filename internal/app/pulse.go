package app

import (
	"sync"
	"time"
)

// Pulse knows whether some work that goes on all the time, such as committing deliveries, succeeds. Others rely on this
// process doing it: when it cannot, they are to be sent elsewhere, and somebody is to know. The zero value works.
type Pulse struct {
	mu       sync.Mutex
	begun    map[int]time.Time // of the pieces of work under way
	next     int
	failedAt time.Time // of the last failure since the last success; zero when there is none
}

// Begin notes that a piece of work begins; the function that it returns notes how it ended. Only a failure that is no
// fault of the piece itself counts.
func (p *Pulse) Begin() (end func(failed bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun == nil {
		p.begun = map[int]time.Time{}
	}
	id := p.next
	p.next++
	p.begun[id] = time.Now()
	return func(failed bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.begun, id)
		p.failedAt = time.Time{}
		if failed {
			p.failedAt = time.Now()
		}
	}
}

// Beat is how some work goes.
type Beat int

const (
	Beating Beat = iota // it succeeds, or there was none
	Missed              // it failed some time ago, and there was none since
	Stopped             // it fails, or hangs
)

// Recheck is how long work counts as failing after it failed once, when no other shows how it goes.
const Recheck = 10 * time.Second

// Feel says how the work goes. A piece that has not ended after longest hangs.
func (p *Pulse) Feel(longest time.Duration) Beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.begun {
		if time.Since(at) > longest {
			return Stopped
		}
	}
	switch {
	case p.failedAt.IsZero():
		return Beating
	case time.Since(p.failedAt) < Recheck:
		return Stopped
	}
	return Missed
}
