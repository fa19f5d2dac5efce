//go:build unix

package testservers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	_ "github.com/lib/pq" // the driver of askPostgres
)

// Postgres starts a PostgreSQL with an empty database, superuser postgres without a password, and room for 200
// connections. It keeps data as safely as in production unless [FastUnsafe] is given.
func Postgres(ctx context.Context, opts ...Option) (*Server, error) {
	s, err := newPostgres(ctx, collect(opts))
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL for tests: %w", err)
	}
	return s, nil
}

func newPostgres(ctx context.Context, o options) (_ *Server, err error) {
	program, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	s := &Server{
		program:    program,
		ready:      postgresReady,
		stopSignal: syscall.SIGINT, // "fast shutdown": ends connections, writes a checkpoint
		// "immediate shutdown": ends all child processes and frees shared memory, which SIGKILL would leave
		endSignal: syscall.SIGQUIT,
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	parent := ""
	if o.fastUnsafe {
		parent = memoryFolder()
	}
	port, err := s.prepare(parent, "postgres")
	if err != nil {
		return nil, err
	}
	s.URL = "postgres://postgres@" + s.Addr + "/postgres?sslmode=disable"
	if err := s.ownByPostgres(); err != nil {
		return nil, err
	}

	data := filepath.Join(s.Dir, "data")
	if err := s.initdb(ctx, data); err != nil {
		return nil, err
	}
	settings := []setting{
		{"listen_addresses", "127.0.0.1"},
		{"port", strconv.Itoa(port)},
		{"unix_socket_directories", s.Dir},
		{"max_connections", "200"}, // packages are tested in parallel, each test with its own pools
	}
	if o.fastUnsafe {
		settings = append(settings, setting{"fsync", "off"}, setting{"synchronous_commit", "off"},
			setting{"full_page_writes", "off"},
			setting{"max_wal_size", "256MB"}) // the folder may be in memory
	}
	s.args = []string{"-D", data}
	for _, set := range append(settings, o.settings...) {
		s.args = append(s.args, "-c", set.name+"="+set.value)
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// initdb makes the data folder. A canceled context ends it only afterwards, a second later: interrupted, it leaves
// shared memory behind.
func (s *Server) initdb(ctx context.Context, data string) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer cancel()
	// --no-sync even for a durable server: only a crash of the machine could tell.
	cmd := s.command(limited, filepath.Join(filepath.Dir(s.program), "initdb"), "--pgdata", data,
		"--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := spawn(cmd, syscall.SIGKILL); err != nil {
		return fmt.Errorf("initdb: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("initdb: %w:\n%s", err, out.String())
	}
	return context.Cause(ctx)
}

// prepare gives the server its folder and port.
func (s *Server) prepare(parent, kind string) (port int, err error) {
	dir, remove, err := newFolder(parent, kind)
	if err != nil {
		return 0, err
	}
	s.Dir = dir
	s.release = append(s.release, remove)
	port, release, err := reservePort()
	if err != nil {
		return 0, err
	}
	s.release = append(s.release, release)
	s.Addr = loopback(port)
	return port, nil
}

// memoryFolder is a folder in memory if the system has one with enough room (containers often have 64 MB), else empty.
// A new database is about 300 files: measured, 13 ms there and 170 ms on a disk.
func memoryFolder() string {
	const shm, enough = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shm, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < enough {
		return ""
	}
	return shm
}

// ownByPostgres makes root run the server as the user postgres, since PostgreSQL refuses to run as root.
func (s *Server) ownByPostgres() (err error) {
	if s.user, err = postgresUser(); err != nil || s.user == nil {
		return err
	}
	return os.Chown(s.Dir, int(s.user.Uid), int(s.user.Gid))
}

// GiveToPostgres makes a file, such as a private key, one of the user that PostgreSQL runs as.
func GiveToPostgres(path string) error {
	account, err := postgresUser()
	if err != nil || account == nil {
		return err
	}
	return os.Chown(path, int(account.Uid), int(account.Gid))
}

// postgresUser is nil where PostgreSQL runs as the user of the tests.
func postgresUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, remedy)
	}
	uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// postgresReady reads the lock file, as pg_ctl does: its first line is the process, its eighth the state.
func postgresReady(_ context.Context, s *Server) bool {
	text, err := os.ReadFile(filepath.Join(s.Dir, "data", "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(s.cmd.Process.Pid) && strings.TrimSpace(lines[7]) == "ready"
}

// postgresProgram finds a program of PostgreSQL: on the PATH, or where Debian keeps them, newest version first.
func postgresProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", fmt.Errorf("%s is not on the PATH nor in /usr/lib/postgresql/*/bin; %s", name, remedy)
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

// version takes 15 from /usr/lib/postgresql/15/bin/postgres.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// askPostgres runs one statement on a connection of its own, and returns the first value of its result: "" without one.
// The program psql would take ten times as long to start.
func askPostgres(ctx context.Context, url, statement string) (string, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return "", err
	}
	defer db.Close()
	return firstValue(ctx, db, statement)
}

// firstValue runs one statement and returns the first value of its result: "" without one.
func firstValue(ctx context.Context, db *sql.DB, statement string) (string, error) {
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return "", fmt.Errorf("%s: %w", statement, err)
	}
	defer rows.Close()
	var value sql.NullString
	if rows.Next() {
		err = rows.Scan(&value)
	}
	return value.String, errors.Join(err, rows.Err())
}
