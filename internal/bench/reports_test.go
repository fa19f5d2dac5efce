//go:build unix

package main

import (
	"strings"
	"testing"
	"time"
)

func TestCountLines(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for text, want := range map[string]int{"": 0, "a\n": 1, "a\nb": 1, "a\n" + long + "\nb\n": 3} {
		lines, size, err := countLines(strings.NewReader(text))
		if lines != want || size != int64(len(text)) || err != nil {
			t.Errorf("%d lines of %d bytes (%v), want %d of %d", lines, size, err, want, len(text))
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 100_000: "100k", 1_000_000: "1M", 10_000_000: "10M",
		1_500_000: "1500k"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) is %s, want %s", n, got, want)
		}
	}
}

func TestPercentile(t *testing.T) {
	a := answered{latencies: []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}
	if p50, p95 := a.percentile(50), a.percentile(95); p50 != 6 || p95 != 10 {
		t.Errorf("p50 %d, p95 %d, want 6 and 10", p50, p95)
	}
}
