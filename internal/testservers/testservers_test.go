//go:build unix

package testservers

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// helperEnv makes the test binary start servers and wait to be killed; see TestKilledProcess.
const helperEnv = "TESTSERVERS_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) != "" {
		startAndWait()
	}
	os.Exit(m.Run())
}

func TestPostgres(t *testing.T) {
	s := must(Postgres(t.Context()))(t)
	t.Cleanup(func() { s.Close() })
	query(t, s, "CREATE TABLE kept (n int)")

	for name, end := range map[string]func() error{"stop": s.Stop, "kill": s.Kill} {
		query(t, s, "INSERT INTO kept VALUES (1)")
		rows := query(t, s, "SELECT count(*) FROM kept")
		// A busy connection must keep neither the end nor the new start waiting.
		busy := exec.Command(must(postgresProgram("psql"))(t), s.URL, "--command", "SELECT count(*) FROM generate_series(1, 1000000000)")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		for query(t, s, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()") != "1" {
			time.Sleep(time.Millisecond)
		}
		ok(t, end())
		_ = busy.Wait() // it fails, as it should
		refused(t, s.Addr)
		ok(t, s.Start(t.Context()))
		if got := query(t, s, "SELECT count(*) FROM kept"); got != rows {
			t.Errorf("after %s and start: %s rows, want %s", name, got, rows)
		}
	}

	ok(t, s.Close())
	refused(t, s.Addr)
	gone(t, s.Dir)
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatalf("the port is not free after Close: %v", err)
	}
	listener.Close()
}

func TestPostgres_settings(t *testing.T) {
	safe := must(Postgres(t.Context()))(t)
	t.Cleanup(func() { ok(t, safe.Close()) })
	fast := must(Postgres(t.Context(), FastUnsafe, Setting("max_connections", "7"), Setting("work_mem", "5MB")))(t)
	t.Cleanup(func() { ok(t, fast.Close()) })

	for _, test := range []struct {
		server     *Server
		name, want string
	}{
		{safe, "fsync", "on"}, {safe, "synchronous_commit", "on"}, {safe, "full_page_writes", "on"},
		{safe, "max_connections", "200"}, {safe, "listen_addresses", "127.0.0.1"}, {safe, "server_encoding", "UTF8"},
		{fast, "fsync", "off"}, {fast, "synchronous_commit", "off"}, {fast, "full_page_writes", "off"},
		{fast, "max_connections", "7"}, {fast, "work_mem", "5MB"},
	} {
		if got := query(t, test.server, "SHOW "+test.name); got != test.want {
			t.Errorf("%s = %s, want %s", test.name, got, test.want)
		}
	}
	if _, err := Postgres(t.Context(), Setting("no_such_setting", "1")); err == nil ||
		!strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("start with a wrong setting: %v, want the server's words about it", err)
	}
}

func TestRedis(t *testing.T) {
	for _, test := range []struct {
		name string
		opts []Option
		want string // of a key, after stop or kill
	}{
		{"memory only", nil, ""},
		{"append only", []Option{AppendOnly}, "kept"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := must(Redis(t.Context(), test.opts...))(t)
			t.Cleanup(func() { s.Close() })
			for name, end := range map[string]func() error{"stop": s.Stop, "kill": s.Kill} {
				ok(t, redisOK(t.Context(), s.URL, "SET", "key", "kept"))
				ok(t, end())
				refused(t, s.Addr)
				ok(t, s.Start(t.Context()))
				if got := redis(t, s.URL, "GET", "key"); got != test.want {
					t.Errorf("after %s and start: key = %q, want %q", name, got, test.want)
				}
			}
			if err := s.Start(t.Context()); err == nil {
				t.Error("a running server was started again")
			}
			ok(t, s.Close())
			ok(t, s.Close())
			refused(t, s.Addr)
			gone(t, s.Dir)
		})
	}
}

// While a server is stopped, nobody else gets its port: not another server, and not a client that calls in vain, which
// would otherwise end up connected to itself.
func TestServer_keeps_its_port(t *testing.T) {
	s := must(Redis(t.Context()))(t)
	t.Cleanup(func() { ok(t, s.Close()) })
	ok(t, s.Stop())
	for range 50_000 {
		refused(t, s.Addr)
	}
	for range 2_000 {
		port, release, err := reservePort()
		ok(t, err)
		defer release()
		if loopback(port) == s.Addr {
			t.Fatalf("port %d was given away", port)
		}
	}
	ok(t, s.Start(t.Context()))
}

func TestRedisSentinel(t *testing.T) {
	g := must(RedisSentinel(t.Context()))(t)
	t.Cleanup(func() { ok(t, g.Close()) })
	master := func() string {
		return strings.ReplaceAll(redis(t, g.Sentinels[0].URL, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", g.MasterName),
			"\n", ":")
	}
	if got := master(); got != g.Master.Addr {
		t.Fatalf("master at %s, want %s", got, g.Master.Addr)
	}
	ok(t, redisOK(t.Context(), g.Master.URL, "SET", "key", "kept"))
	if got := redis(t, g.Master.URL, "WAIT", "1", "5000"); got != "1" {
		t.Fatalf("written to %s replicas, want 1", got)
	}
	ok(t, g.Master.Kill())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ok(t, waitFor(ctx, g.Replica, "role:master", "INFO", "replication"))
	for master() != g.Replica.Addr && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if got := master(); got != g.Replica.Addr {
		t.Errorf("master at %s after the first was killed, want %s", got, g.Replica.Addr)
	}
	if got := redis(t, g.Replica.URL, "GET", "key"); got != "kept" {
		t.Errorf("key = %q after the failover, want kept", got)
	}
}

func TestRedisCluster(t *testing.T) {
	g := must(RedisCluster(t.Context()))(t)
	t.Cleanup(func() { ok(t, g.Close()) })
	for i := range 100 {
		key := fmt.Sprintf("key-%d", i)
		// -c follows the redirection to the node that has the slot; asked of each node in turn.
		if got := redis(t, g.Nodes[i%3].URL, "-c", "SET", key, key); got != "OK" {
			t.Fatalf("set %s: %s", key, got)
		}
		if got := redis(t, g.Nodes[(i+1)%3].URL, "-c", "GET", key); got != key {
			t.Fatalf("%s = %q", key, got)
		}
	}
	for _, node := range g.Nodes {
		if redis(t, node.URL, "DBSIZE") == "0" {
			t.Errorf("node %s has no keys", node.Addr)
		}
	}
}

func TestDatabase(t *testing.T) {
	var first string
	t.Run("is its own", func(t *testing.T) {
		first = Database(t)
		second := Database(t)
		_, err := askPostgres(t.Context(), first, "CREATE TABLE mine (n int)")
		ok(t, err)
		if got, _ := askPostgres(t.Context(), second, "SELECT to_regclass('mine')"); got != "" {
			t.Errorf("the table of one database is in another")
		}
	})
	if _, err := askPostgres(t.Context(), first, "SELECT 1"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("the database is still there after its test: %v", err)
	}
}

func TestDatabaseFrom_fills_once_race(t *testing.T) {
	var filled atomic.Int32
	template := uniqueName()
	t.Cleanup(func() { dropDatabase(t, PostgresURL(t), template) })
	var tests sync.WaitGroup
	for range 8 {
		tests.Go(func() {
			address := DatabaseFrom(t, template, func(url string) error {
				filled.Add(1)
				_, err := askPostgres(t.Context(), url, "CREATE TABLE answer AS SELECT 42")
				return err
			})
			if got, err := askPostgres(t.Context(), address, "TABLE answer"); got != "42" {
				t.Errorf("answer = %q, %v, want 42", got, err)
			}
		})
	}
	tests.Wait()
	if n := filled.Load(); n != 1 {
		t.Errorf("filled %d times, want once", n)
	}
}

func TestRedisDB(t *testing.T) {
	var first string
	t.Run("is its own", func(t *testing.T) {
		first = RedisDB(t)
		second := RedisDB(t)
		ok(t, redisOK(t.Context(), first, "SET", "key", "mine"))
		if got := redis(t, second, "GET", "key"); got != "" {
			t.Errorf("the key of one database is in another")
		}
	})
	if got := redis(t, first, "DBSIZE"); got != "0" {
		t.Errorf("%s keys left after the test", got)
	}
}

func TestMissingServer(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, redisErr := Redis(t.Context())
	_, postgresErr := postgresProgram("no-such-server")
	for _, err := range []error{redisErr, postgresErr} {
		if err == nil || !strings.Contains(err.Error(), "apt-get install -y postgresql redis-server") {
			t.Errorf("error %v, want it to say what to install", err)
		}
	}
}

// The shared servers are started and then forgotten by the program, but not by the garbage collector.
func TestForgottenServer(t *testing.T) {
	dir := func() string { return must(Redis(t.Context()))(t).Dir }()
	for range 3 {
		runtime.GC()
		time.Sleep(500 * time.Millisecond) // the shell removes a folder after a second
	}
	if !livesIn(dir) {
		t.Error("the server has ended")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}

// A test process that is killed has no chance to clean up.
func TestKilledProcess(t *testing.T) {
	helper := exec.Command(must(os.Executable())(t))
	helper.Env = append(os.Environ(), helperEnv+"=1")
	helper.Stderr = os.Stderr
	out := must(helper.StdoutPipe())(t)
	ok(t, helper.Start())
	var addrs, dirs []string
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "" {
		addr, dir, _ := strings.Cut(lines.Text(), " ")
		addrs, dirs = append(addrs, addr), append(dirs, dir)
	}
	for _, dir := range dirs {
		if !livesIn(dir) {
			t.Errorf("no process in %s before the kill", dir)
		}
	}
	ok(t, helper.Process.Kill())
	_ = helper.Wait()
	if len(addrs) != 2 {
		t.Fatalf("the helper started %d servers, want 2", len(addrs))
	}
	for i, addr := range addrs {
		eventually(t, addr+" still answers", func() bool {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				c.Close()
			}
			return err != nil
		})
		eventually(t, dirs[i]+" is still there", func() bool {
			_, err := os.Stat(dirs[i])
			return os.IsNotExist(err)
		})
		eventually(t, "a process lives in "+dirs[i], func() bool { return !livesIn(dirs[i]) })
	}
}

// livesIn tells whether a process has its current folder in dir: a server and its children do, for as long as they
// live.
func livesIn(dir string) bool {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	return slices.ContainsFunc(links, func(link string) bool {
		cwd, _ := os.Readlink(link)
		return strings.HasPrefix(cwd, dir)
	})
}

// startAndWait prints address and folder of two servers, then an empty line.
func startAndWait() {
	postgres, err := Postgres(context.Background())
	if err != nil {
		panic(err)
	}
	redis, err := Redis(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %s\n%s %s\n\n", postgres.Addr, postgres.Dir, redis.Addr, redis.Dir)
	select {}
}

// must unwraps a result: must(f())(t).
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func query(t testing.TB, s *Server, statement string) string {
	t.Helper()
	return must(askPostgres(t.Context(), s.URL, statement))(t)
}

func redis(t testing.TB, url string, command ...string) string {
	t.Helper()
	return must(redisCommand(t.Context(), url, command...))(t)
}

func refused(t testing.TB, addr string) {
	t.Helper()
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Fatalf("%s accepts connections", addr)
	}
}

func gone(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", path, err)
	}
}

func eventually(t testing.TB, complaint string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("after 20 s: %s", complaint)
			return
		}
	}
}
