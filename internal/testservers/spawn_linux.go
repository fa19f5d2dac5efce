package testservers

import "syscall"

// signalOnParentDeath asks the kernel to signal the new process when the thread that starts it ends.
func signalOnParentDeath(attr *syscall.SysProcAttr, s syscall.Signal) { attr.Pdeathsig = s }
