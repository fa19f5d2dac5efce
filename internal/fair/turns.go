package fair

import (
	"context"
	"errors"
	"sync"
)

// Turns lets few do something at once. Callers who wait come by turns, whatever each of them wants: somebody who asks
// hundreds of times delays a single question of somebody else by one turn, not by hundreds.
type Turns struct {
	places, waiting int

	mu    sync.Mutex
	taken int
	lines map[string]*line // of callers who wait
	order []*line          // the same, in the order in which they come
}

// line are those who wait of one caller, the oldest first.
type line struct {
	caller string
	turns  []chan struct{} // closed when it is its turn
}

// ErrTooManyWait is what a caller is told of whom as many wait as may.
var ErrTooManyWait = errors.New("too many of one caller wait")

// NewTurns lets so many at once, and so many of each caller wait.
func NewTurns(places, waiting int) *Turns {
	return &Turns{places: places, waiting: waiting, lines: map[string]*line{}}
}

// Take returns when it is the caller's turn, which Done ends. The error is ErrTooManyWait, or that of a context that
// ended before.
func (t *Turns) Take(ctx context.Context, caller string) error {
	t.mu.Lock()
	if t.taken < t.places {
		t.taken++
		t.mu.Unlock()
		return nil
	}
	l := t.lines[caller]
	if l == nil {
		l = &line{caller: caller}
		t.lines[caller], t.order = l, append(t.order, l)
	}
	if len(l.turns) >= t.waiting {
		t.mu.Unlock()
		return ErrTooManyWait
	}
	turn := make(chan struct{})
	l.turns = append(l.turns, turn)
	t.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		t.leave(l, turn)
		return ctx.Err()
	}
}

// leave takes somebody who has gone out of their line. A turn that came at the same moment goes to the next.
func (t *Turns) leave(l *line, turn chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range l.turns {
		if other != turn {
			continue
		}
		if l.turns = append(l.turns[:i], l.turns[i+1:]...); len(l.turns) == 0 {
			t.forget(l)
		}
		return
	}
	t.next()
}

// forget takes away a line in which nobody is left.
func (t *Turns) forget(l *line) {
	delete(t.lines, l.caller)
	for i, other := range t.order {
		if other == l {
			t.order = append(t.order[:i], t.order[i+1:]...)
			return
		}
	}
}

// Done ends a turn.
func (t *Turns) Done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next()
}

// next hands a turn that has become free to the first of the line that has waited longest, which goes to the end then.
func (t *Turns) next() {
	if len(t.order) == 0 {
		t.taken--
		return
	}
	l := t.order[0]
	turn := l.turns[0]
	l.turns = l.turns[1:]
	t.order = t.order[1:]
	if len(l.turns) > 0 {
		t.order = append(t.order, l)
	} else {
		delete(t.lines, l.caller)
	}
	close(turn)
}

// Busy says how many turns are taken, and how many wait.
func (t *Turns) Busy() (taken, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.order {
		waiting += len(l.turns)
	}
	return t.taken, waiting
}
