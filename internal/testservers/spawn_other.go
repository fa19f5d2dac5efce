//go:build unix && !linux

package testservers

import "syscall"

// signalOnParentDeath does nothing: only Linux has it. Elsewhere servers outlive a test process that is killed.
func signalOnParentDeath(*syscall.SysProcAttr, syscall.Signal) {}
