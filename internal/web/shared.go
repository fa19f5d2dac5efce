package web

import (
	"context"
	"sync"
	"time"
)

// Shared lets many readers share figures that are expensive where tables are large: reading them may cost a tenth of
// the time, so they are as old as ten readings take, and never older than sharedMost. The zero value works.
type Shared[T any] struct {
	mu    sync.Mutex
	until time.Time
	value T
}

const sharedMost = 5 * time.Second

// Get gives the figures, and reads them if they are too old. One reads at a time; the others wait for what comes of it.
func (s *Shared[T]) Get(ctx context.Context, read func(context.Context) (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begin := time.Now()
	if begin.Before(s.until) {
		return s.value, nil
	}
	v, err := read(ctx)
	if err == nil {
		s.value, s.until = v, begin.Add(min(10*time.Since(begin), sharedMost))
	}
	return v, err
}
