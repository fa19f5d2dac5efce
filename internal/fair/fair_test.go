package fair

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPlaces(t *testing.T) {
	p := NewPlaces(3, 2)
	for i, step := range []struct {
		caller string
		want   Refusal
	}{{"ann", Granted}, {"ann", Granted}, {"ann", TooMany}, {"ben", Granted}, {"ben", Full}, {"cat", Full}} {
		if got := p.Take(step.caller); got != step.want {
			t.Errorf("step %d: %s got %v, want %v", i, step.caller, got, step.want)
		}
	}
	p.Give("ann")
	if got := p.Take("cat"); got != Granted {
		t.Errorf("a place that was given back: %v", got)
	}
	for _, caller := range []string{"ann", "ben", "cat"} {
		p.Give(caller)
	}
	if p.Taken() != 0 || len(p.by) != 0 {
		t.Errorf("%d places are taken, %v remembered; want none", p.Taken(), p.by)
	}
}

// TestAttack_turns: somebody who asks a thousand times delays the one question of another by a turn or two.
func TestAttack_turns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, 1000)
		ctx, leave := context.WithCancel(t.Context())
		var mu sync.Mutex
		var all sync.WaitGroup
		var told []string
		ask := func(caller string) {
			if turns.Take(ctx, caller) == nil {
				time.Sleep(time.Second)
				mu.Lock()
				told = append(told, caller)
				mu.Unlock()
				turns.Done()
			}
		}
		for range 1000 {
			all.Go(func() { ask("greedy") })
		}
		synctest.Wait()
		for n := range 3 {
			all.Go(func() { ask(fmt.Sprint("modest", n)) })
		}
		time.Sleep(6 * time.Second)
		leave()
		all.Wait()
		if got := strings.Join(told, " "); strings.Count(got, "modest") != 3 {
			t.Errorf("in the first turns came %s, want the three others among them", got)
		}
	})
}

func TestTurns_bounded(t *testing.T) {
	turns := NewTurns(1, 2)
	ctx, leave := context.WithCancel(t.Context())
	if err := turns.Take(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	left := make(chan error, 2)
	for range 2 {
		go func() { left <- turns.Take(ctx, "ann") }()
	}
	for {
		if _, waiting := turns.Busy(); waiting == 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := turns.Take(ctx, "ann"); !errors.Is(err, ErrTooManyWait) {
		t.Errorf("the third who waits: %v", err)
	}
	leave()
	for range 2 {
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("one who left: %v", err)
		}
	}
	turns.Done()
	if taken, waiting := turns.Busy(); taken != 0 || waiting != 0 || len(turns.lines) != 0 {
		t.Errorf("%d taken, %d wait, %d lines; want none", taken, waiting, len(turns.lines))
	}
}

// TestTurns_race: however they come and go, no turn is lost and never are there more than places.
func TestTurns_race(t *testing.T) {
	turns := NewTurns(2, 100)
	var mu sync.Mutex
	at := 0
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n%7)*time.Millisecond)
			defer cancel()
			if turns.Take(ctx, fmt.Sprint(n%5)) != nil {
				return
			}
			mu.Lock()
			if at++; at > 2 {
				t.Errorf("%d at once, want 2", at)
			}
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			at--
			mu.Unlock()
			turns.Done()
		})
	}
	all.Wait()
	if taken, waiting := turns.Busy(); taken != 0 || waiting != 0 {
		t.Errorf("%d taken, %d wait; want none", taken, waiting)
	}
}
