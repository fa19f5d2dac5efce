//go:build unix && !linux

package main

import (
	"os/exec"
	"syscall"
)

// dieWithParent keeps Ctrl-C from the child, which is stopped by us.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
