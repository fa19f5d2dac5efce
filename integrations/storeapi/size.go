package storeapi

import (
	"sync"
	"time"
)

// Size is how many rows to ask a store for at once, as many as it can bear. It may be used by many at once.
type Size struct {
	Max int // that the API allows

	mu  sync.Mutex
	now int // 0: Max
}

// Answers that took less than quick let a size grow, those that took more than slow halve it. Old WordPress hosts end
// a request after 30 seconds.
const (
	quick = 5 * time.Second
	slow  = 20 * time.Second
)

// Now is how many to ask for now.
func (s *Size) Now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size()
}

func (s *Size) size() int {
	if s.now == 0 {
		return max(s.Max, 1)
	}
	return s.now
}

// TooBig halves it.
func (s *Size) TooBig() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = max(s.size()/2, 1)
}

// Well tells how long a full answer took: after quick ones it grows by an eighth each, after a slow one it is halved.
func (s *Size) Well(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch n := s.size(); {
	case took > slow:
		s.now = max(n/2, 1)
	case took < quick:
		s.now = min(n+n/8+1, max(s.Max, 1))
	}
}
