//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the one lock of a file; false when another process, or another opening of it, holds it. The system
// frees it when its holder ends, in whatever way.
func lockFile(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
