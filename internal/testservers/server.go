//go:build unix

// Package testservers starts real PostgreSQL and Redis servers for tests: on free ports of 127.0.0.1, with their data
// in a temporary folder, beside whatever else runs on the machine. Databases, not doubles of them, decide whether
// nothing acknowledged is lost, so the tests stop, kill and restart the real ones.
//
// A test that only needs a database asks for [Database] or [RedisDB]; these share one server per test run. A test that
// breaks its server starts its own with [Postgres], [Redis], [RedisSentinel] or [RedisCluster].
//
// Nothing is left behind, even when the test process is killed: the kernel signals the servers when the process that
// started them dies (see spawn.go), and a small shell that waits for the same moment removes the folder.
//
// What the package needs is on the machine or the test fails and says what to install; no test is skipped.
package testservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// remedy ends every error about a program that is not installed.
const remedy = "install the servers that the tests use: apt-get install -y postgresql redis-server"

const (
	startTimeout = time.Minute      // a busy machine is slow; a server that hangs must not hang the tests
	stopTimeout  = 10 * time.Second // then it is killed
)

// Server is one server process with its port and data folder. It can be stopped or killed and started again on the same
// port and data. A Server is for one goroutine at a time.
type Server struct {
	Addr string // host:port
	URL  string // as DATABASE_URL or REDIS_URL
	Dir  string // data, configuration and log; gone after Close

	program    string
	args       []string
	user       *syscall.Credential // nil: the current user
	ready      func(context.Context, *Server) bool
	stopSignal syscall.Signal // finish properly
	endSignal  syscall.Signal // end at once, together with every child process

	release []func() error // what Close gives back: ports, folder
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd has ended
}

// Option changes how a server is started.
type Option func(*options)

type options struct {
	settings   []setting // later ones win
	appendOnly bool
	fastUnsafe bool
}

type setting struct{ name, value string }

// Setting sets one configuration parameter of the server, such as max_connections or maxmemory.
func Setting(name, value string) Option {
	return func(o *options) { o.settings = append(o.settings, setting{name, value}) }
}

// FastUnsafe makes PostgreSQL skip everything that protects data from a crash of the machine, and keep its files in
// memory if there is room. Most tests want that; tests and measurements of durability must not use it.
func FastUnsafe(o *options) { o.fastUnsafe = true }

// AppendOnly makes Redis write and sync every command before it answers, so that a killed server has its data back when
// it starts again. Without it, a restarted Redis is empty.
func AppendOnly(o *options) { o.appendOnly = true }

func collect(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Start starts a stopped or killed server again, and returns when it answers. The context limits the start, not the
// life of the server.
func (s *Server) Start(ctx context.Context) error {
	if s.Running() {
		return fmt.Errorf("start %s: it is running", s.name())
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name(), err)
	}
	defer log.Close()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	cmd := s.command(context.Background(), s.program, s.args...)
	cmd.Stdout, cmd.Stderr = log, log // a file: a pipe would keep `go test` waiting for it
	if err := spawn(cmd, s.endSignal); err != nil {
		return fmt.Errorf("start %s: %w", s.name(), err)
	}
	exited := make(chan struct{})
	s.cmd, s.exited = cmd, exited
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState and in the log
		close(exited)
		// Whoever forgets a Server must not lose its folder while it runs: the pipe of newFolder would be collected.
		runtime.KeepAlive(s)
	}()
	for !s.ready(ctx, s) {
		select {
		case <-exited:
			return fmt.Errorf("start %s: it ended at once (%v):\n%s", s.name(), cmd.ProcessState, s.logTail())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("start %s: %w, and it does not answer yet:\n%s", s.name(), context.Cause(ctx),
				s.logTail()), s.end())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// Running tells whether the server process lives.
func (s *Server) Running() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// Stop shuts the server down properly, closing the connections of its clients. Stopping a stopped server is not an
// error.
func (s *Server) Stop() error {
	if !s.Running() {
		return nil
	}
	if err := s.cmd.Process.Signal(s.stopSignal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", s.name(), err)
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("stop %s: still running after %v, killed:\n%s", s.name(), stopTimeout,
			s.logTail()), s.Kill())
	}
}

// Kill ends the server and its child processes with SIGKILL, as a crash would. What the server had written to its files
// stays, and Start reads it again.
func (s *Server) Kill() error {
	if !s.Running() {
		return nil
	}
	// PostgreSQL puts each child process into its own process group, so the group alone does not reach them. The parent
	// is halted first: it would start new ones.
	pid := s.cmd.Process.Pid
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	children := childProcesses(pid)
	err := syscall.Kill(-pid, syscall.SIGKILL)
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s: %w", s.name(), err)
	}
	<-s.exited
	// A new PostgreSQL refuses the data while a child of the old one still has its shared memory. The wait has an end,
	// because a dead child can also be seen until the system's first process takes note of it.
	deadline := time.Now().Add(time.Second)
	for _, child := range children {
		for syscall.Kill(child, 0) == nil && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// Close ends the server and removes its folder. The server cannot be started again.
func (s *Server) Close() error {
	errs := []error{s.end()}
	for _, release := range s.release {
		errs = append(errs, release())
	}
	s.release = nil
	return errors.Join(errs...)
}

// end ends the server without saving anything, but together with its child processes.
func (s *Server) end() error {
	if !s.Running() {
		return nil
	}
	_ = s.cmd.Process.Signal(s.endSignal)
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTimeout):
		return s.Kill()
	}
}

// command prepares a program to run in the server's folder, as the server's user, in its own process group: Ctrl-C is
// for the test, which then stops its servers.
func (s *Server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = s.Dir // the current folder may be closed to the server's user
	cmd.Env = plainEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.user}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

func (s *Server) name() string    { return filepath.Base(s.program) + " on " + s.Addr }
func (s *Server) logFile() string { return filepath.Join(s.Dir, "server.log") }

// logTail is the end of the server's log, for error messages.
func (s *Server) logTail() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// plainEnv is the environment without PGHOST, PGOPTIONS and the like, which would lead servers and tools elsewhere.
func plainEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PG") {
			env = append(env, v)
		}
	}
	return env
}

// newFolder makes a temporary folder that is removed by the returned function, or, if this process dies first, by a
// shell that notices the closed pipe. The shell waits a moment, since the servers are ending at the same time:
// PostgreSQL without its files would crash and leave shared memory behind. The parent may be empty, for the usual one.
func newFolder(parent, kind string) (dir string, remove func() error, err error) {
	dir, err = os.MkdirTemp(parent, "tributary-"+kind+"-")
	if err != nil {
		return "", nil, err
	}
	const script = `read -r done || for i in 1 2 3 4 5; do sleep 1; rm -rf -- "$1" && break; done`
	keeper := exec.Command("/bin/sh", "-c", script, "sh", dir)
	keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := keeper.StdinPipe()
	if err == nil {
		err = keeper.Start()
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, func() error {
		err := os.RemoveAll(dir)
		if err != nil {
			_ = pipe.Close() // leave it to the shell
		} else {
			_, _ = pipe.Write([]byte("done\n"))
		}
		return errors.Join(err, keeper.Wait())
	}, nil
}

// TempFolder makes a folder for the temporary files of tests, in memory if there is room. It is removed by the returned
// function, or soon after this process has died.
func TempFolder() (dir string, remove func() error, err error) {
	dir, remove, err = newFolder(memoryFolder(), "files")
	if err == nil {
		err = os.Chmod(dir, 0o711) // a PostgreSQL of another user has its folder in it
	}
	return dir, remove, err
}

// run runs a client program to its end and returns what it wrote, without spaces and line breaks around it.
func run(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = plainEnv()
	out, err := cmd.Output()
	text := strings.TrimSpace(string(out))
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			text += string(exit.Stderr)
		}
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(program), err, strings.TrimSpace(text))
	}
	return text, nil
}
