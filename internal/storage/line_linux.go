package storage

import (
	"syscall"
	"time"
)

const tcpUserTimeout = 0x12 // TCP_USER_TIMEOUT, which package syscall does not name

// boundUnacknowledged lets the system end a connection whose other side has not confirmed what was sent for so long;
// by default it repeats itself for a quarter of an hour.
func boundUnacknowledged(d time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) error {
		if network == "unix" {
			return nil
		}
		var err error
		controlled := c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
		})
		if controlled != nil {
			return controlled
		}
		return err
	}
}
