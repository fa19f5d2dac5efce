package app

import (
	"testing"
	"testing/synctest"
	"time"
)

// A failure counts until something succeeds; when nothing is tried, it is to be looked at again. What hangs has
// stopped.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pulse
		want := func(what string, want Beat) {
			t.Helper()
			if got := p.Feel(time.Minute); got != want {
				t.Errorf("%s: %d, want %d", what, got, want)
			}
		}
		want("nothing was done", Beating)
		p.Begin()(false)
		want("after a success", Beating)
		p.Begin()(true)
		want("after a failure", Stopped)
		time.Sleep(Recheck)
		want("some time after a failure", Missed)
		p.Begin()(false)
		want("after a success again", Beating)
		end := p.Begin()
		want("under way", Beating)
		time.Sleep(2 * time.Minute)
		want("hanging", Stopped)
		end(false)
		want("ended at last", Beating)
	})
}
