// Package fair shares what the server has little of between those who ask for it, so that whoever asks for much takes
// from themselves and not from others. A caller is a name: the id of a user or of a token, or a network address.
package fair

import "sync"

// Places are taken by callers for a while: exports under way, streams that are open. Each may take a few of them.
type Places struct {
	all, each int

	mu    sync.Mutex
	taken int
	by    map[string]int
}

// NewPlaces makes so many places, of which each caller may take so many at once.
func NewPlaces(all, each int) *Places {
	return &Places{all: all, each: each, by: map[string]int{}}
}

// Refusal says why nothing was to be had.
type Refusal int

const (
	Granted Refusal = iota
	TooMany         // the caller has as many as one may have
	Full            // others have all there are
)

// Take gives the caller a place, unless it is refused. Give it back once.
func (p *Places) Take(caller string) Refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.by[caller] >= p.each:
		return TooMany
	case p.taken >= p.all:
		return Full
	}
	p.taken++
	p.by[caller]++
	return Granted
}

// Give gives a caller's place back.
func (p *Places) Give(caller string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.by[caller]--; p.by[caller] == 0 {
		delete(p.by, caller)
	}
}

// Taken says how many places are taken.
func (p *Places) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// All and Each are the bounds.
func (p *Places) All() int  { return p.all }
func (p *Places) Each() int { return p.each }
