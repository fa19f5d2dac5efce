//go:build unix

package testservers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// spawner starts processes from one thread that lives as long as this process. The kernel sends the parent-death signal
// when the *thread* that started a process ends, and Go may end a thread whenever the goroutine locked to it returns.
var spawner = sync.OnceValue(func() chan<- func() {
	calls := make(chan func())
	go func() {
		runtime.LockOSThread()
		for call := range calls {
			call()
		}
	}()
	return calls
})

// spawn starts cmd such that it gets the signal when this process dies, in whatever way.
func spawn(cmd *exec.Cmd, onDeath syscall.Signal) error {
	signalOnParentDeath(cmd.SysProcAttr, onDeath)
	err := make(chan error)
	spawner() <- func() { err <- cmd.Start() }
	return <-err
}

// childProcesses lists the direct children of a process, as far as the system tells.
func childProcesses(pid int) []int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// reservePort finds a free port of 127.0.0.1 and keeps it for the server that will listen there, until released.
//
// Asking for a free port and closing it again invites two troubles: another test takes it before the server does, or
// while the server is stopped; and a client that reconnects to a stopped server may get that very port as its own end
// and so connect to itself. So the socket stays bound, but does not listen. With SO_REUSEADDR on both sides the server
// may still bind the port (PostgreSQL and Redis set it); others, and clients, are not given it.
func reservePort() (port int, release func() error, err error) {
	syscall.ForkLock.RLock() // no process is started between these two, which would inherit the socket
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, nil, fmt.Errorf("reserve a port: %w", err)
	}
	release = func() error { return syscall.Close(fd) }
	// Bind first: with the option already set, the system could choose a port that another test has reserved.
	if err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}
	var addr syscall.Sockaddr
	if err == nil {
		addr, err = syscall.Getsockname(fd)
	}
	if err != nil {
		_ = release()
		return 0, nil, fmt.Errorf("reserve a port: %w", err)
	}
	return addr.(*syscall.SockaddrInet4).Port, release, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
