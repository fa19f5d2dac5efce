//go:build unix

package testservers

import (
	"os/exec"
	"syscall"
)

// StartProcess starts a program of a test such that it is killed when the test process dies, in whatever way.
func StartProcess(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	return spawn(cmd, syscall.SIGKILL)
}
