package web_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/web"
)

// TestShared_race: what was expensive to read is shared for a while, what was cheap is read anew, and an error is
// nobody else's.
func TestShared_race(t *testing.T) {
	var s web.Shared[int]
	reads, slow, broken := 0, time.Duration(0), error(nil)
	get := func() (int, error) {
		return s.Get(t.Context(), func(context.Context) (int, error) {
			reads++
			time.Sleep(slow)
			return reads, broken
		})
	}
	expect := func(what string, want int, wrong error) {
		t.Helper()
		if n, err := get(); err != wrong || err == nil && n != want {
			t.Errorf("%s: %d, %v; want %d, %v", what, n, err, want, wrong)
		}
	}
	broken = errors.New("broken")
	expect("a reading that fails", 0, broken)
	broken = nil
	expect("the next reading", 2, nil)
	slow = 300 * time.Millisecond // shared for three seconds
	for reads == 2 {              // the reading before is too old at once, or nearly
		if _, err := get(); err != nil {
			t.Fatal(err)
		}
	}
	expect("a second reader", 3, nil)
	expect("a third reader", 3, nil)
}

// TestShared_Forget_race: what was being read while it changed is shared with nobody who asks after the change.
func TestShared_Forget_race(t *testing.T) {
	var s web.Shared[string]
	begun, changed := make(chan struct{}), make(chan struct{})
	first := make(chan string)
	go func() {
		v, _ := s.Get(t.Context(), func(context.Context) (string, error) {
			close(begun)
			<-changed
			time.Sleep(100 * time.Millisecond) // long enough to be shared for a second
			return "old", nil
		})
		first <- v
	}()
	<-begun
	s.Forget()
	close(changed)
	v, err := s.Get(t.Context(), func(context.Context) (string, error) { return "new", nil })
	if v != "new" || err != nil {
		t.Errorf("after the change: %q, %v", v, err)
	}
	if v := <-first; v != "old" {
		t.Errorf("who asked before the change has %q", v)
	}
}
