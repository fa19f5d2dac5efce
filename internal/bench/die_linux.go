package main

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the child when this process dies in whatever way.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
