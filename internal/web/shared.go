package web

import (
	"context"
	"sync"
	"time"
)

// Shared lets many readers share figures that are expensive where tables are large: reading them may cost a tenth of
// the time, so they are as old as ten readings take, and never older than sharedMost. The zero value works.
type Shared[T any] struct {
	mu      sync.Mutex
	until   time.Time
	value   T
	reading chan struct{} // closed when the one that reads is done; nil while nobody reads
	forgets int           // how often the figures were changed
}

const sharedMost = 5 * time.Second

// Get gives the figures, and reads them if they are too old. One reads at a time; the others wait for what comes of it,
// for as long as they may.
func (s *Shared[T]) Get(ctx context.Context, read func(context.Context) (T, error)) (T, error) {
	for {
		s.mu.Lock()
		if time.Now().Before(s.until) {
			defer s.mu.Unlock()
			return s.value, nil
		}
		reading := s.reading
		if reading == nil {
			s.reading = make(chan struct{})
			forgets := s.forgets
			s.mu.Unlock()
			return s.renew(ctx, read, forgets)
		}
		s.mu.Unlock()
		select {
		case <-reading:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
}

// Forget has the figures read anew by the next one who asks: they were just changed.
func (s *Shared[T]) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Time{}
	s.forgets++
}

// renew reads the figures, and lets the others go on however that ends. What is forgotten meanwhile is not shared:
// forgets is how often that had happened before.
func (s *Shared[T]) renew(ctx context.Context, read func(context.Context) (T, error), forgets int) (v T, err error) {
	begin, done := time.Now(), false
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if done && err == nil && forgets == s.forgets {
			s.value, s.until = v, begin.Add(min(10*time.Since(begin), sharedMost))
		}
		close(s.reading)
		s.reading = nil
	}()
	v, err = read(ctx)
	done = true
	return v, err
}
