package main

import (
	"os"
	"testing"
)

func TestPeakBytes(t *testing.T) {
	forgetPeak(os.Getpid())
	before, err := peakBytes(os.Getpid())
	if err != nil || before <= 0 {
		t.Fatalf("%d bytes (%v)", before, err)
	}
	block := make([]byte, 64<<20)
	for i := range block {
		block[i] = 1
	}
	after, err := peakBytes(os.Getpid())
	if err != nil || after < before+32<<20 || block[0] != 1 {
		t.Errorf("64 MB more raise the peak from %d to %d bytes (%v)", before, after, err)
	}
}
