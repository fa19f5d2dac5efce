//go:build unix

// Command run starts a PostgreSQL and a Redis, runs a command that finds them through TEST_DATABASE_URL and
// TEST_REDIS_URL, stops them again, and exits as the command did:
//
//	go run ./internal/testservers/run -- go test -race ./...
//
// So the packages of a test run share two servers instead of starting two each. The PostgreSQL does not sync to disk:
// measurements of durability start their own. Temporary files of the command are kept in memory where there is room,
// but for those of t.TempDir, which follows GOTMPDIR: what tests store need not outlive the machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/tributaryhq/tributary/internal/testservers"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/testservers/run -- command [argument...]")
		os.Exit(2)
	}
	code, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testservers:", err)
	}
	os.Exit(code)
}

// run returns the exit code of the command; 1 with an error if something else went wrong.
func run(args []string) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	go watchParent(signals)

	// A signal ends the start of the servers; later it is passed on to the command.
	started := make(chan int, 1)
	go func() {
		var received os.Signal
		group := 0
		for {
			select {
			case group = <-started:
			case received = <-signals:
				cancel()
			}
			if group != 0 && received != nil {
				_ = syscall.Kill(-group, received.(syscall.Signal))
				received = nil
			}
		}
	}()

	postgres, err := testservers.Postgres(ctx, testservers.FastUnsafe)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, postgres.Close()) }()
	redis, err := testservers.Redis(ctx, testservers.ManyDatabases)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, redis.Close()) }()

	files, removeFiles, err := testservers.TempFolder()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, removeFiles()) }()

	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), testservers.PostgresEnv+"="+postgres.URL, testservers.RedisEnv+"="+redis.URL,
		"TMPDIR="+files, "GOTMPDIR="+os.TempDir()) // programs that are built stay where they were
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// `go test` does not pass signals on to the tests, so they go to the group
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	forget := killWithUs(cmd.Process.Pid)
	started <- cmd.Process.Pid
	err = cmd.Wait()
	forget()

	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil // as shells do
	}
	return exit.ExitCode(), nil
}

// watchParent sends SIGTERM when the process that started this one is gone: `go run`, for one, dies of a SIGTERM
// without passing it on.
func watchParent(signals chan<- os.Signal) {
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(200 * time.Millisecond)
	}
	signals <- syscall.SIGTERM
}

// killWithUs has the process group killed when this process dies before forget is called, even by SIGKILL: a shell
// notices the closed pipe. The servers see to themselves.
func killWithUs(group int) (forget func()) {
	keeper := exec.Command("/bin/sh", "-c", `read -r done || kill -s KILL -- "-$1"`, "sh", strconv.Itoa(group))
	keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := keeper.StdinPipe()
	if err == nil {
		err = keeper.Start()
	}
	if err != nil {
		return func() {} // then a killed wrapper leaves tests that soon fail for want of servers
	}
	return func() {
		_, _ = pipe.Write([]byte("done\n"))
		_ = keeper.Wait()
	}
}
