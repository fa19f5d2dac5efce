//go:build !linux && !darwin && !freebsd

package storage

import "errors"

// freeBytes is not known on this system: only a write that fails tells that the disk is full.
func freeBytes(string) (int64, error) { return 0, errors.ErrUnsupported }
