//go:build !linux

package storage

import (
	"syscall"
	"time"
)

// boundUnacknowledged does nothing: only Linux has such a limit. Keepalives and the limits of lines do its work later.
func boundUnacknowledged(time.Duration) func(network, address string, c syscall.RawConn) error {
	return nil
}
