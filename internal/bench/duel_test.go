//go:build unix

package main

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/simulate"
)

// outcome is a round with the given number of requests in a second.
func outcome(rate int, noisy bool) measured {
	return measured{Outcome: simulate.Outcome{Accepted: rate, Took: time.Second}, noisy: noisy}
}

func TestMedian(t *testing.T) {
	m := median([]measured{outcome(300, false), outcome(100, true), outcome(200, false)})
	if m.Accepted != 200 || !m.noisy {
		t.Errorf("got %d/s, disturbed %v; want the middle one, disturbed as one of them was", m.Accepted, m.noisy)
	}
}

func TestQuietly(t *testing.T) {
	for name, c := range map[string]struct {
		others     []int // what others use in each round
		spent      time.Duration
		want, runs int
	}{
		"quiet at once":             {others: []int{10}, want: 10, runs: 1},
		"quiet the second time":     {others: []int{40, 3}, want: 3, runs: 2},
		"never quiet":               {others: []int{40, 30, 50}, want: 30, runs: 3},
		"no time left for repeats":  {others: []int{40}, spent: time.Hour, want: 40, runs: 1},
		"the last try is the worst": {others: []int{20, 30, 40}, want: 20, runs: 3},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			b := &bench{repeated: c.spent}
			got, err := quietly(t.Context(), b, func() (int, int, error) {
				runs++
				return c.others[runs-1], c.others[runs-1], nil
			})
			if got != c.want || runs != c.runs || err != nil {
				t.Errorf("got the round with %d%% after %d rounds (%v), want %d%% after %d", got, runs, err,
					c.want, c.runs)
			}
		})
	}
}
