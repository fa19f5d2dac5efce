//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/simulate"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// bench is a run with all it has started.
type bench struct {
	options
	dir      string
	self     string // this program
	postgres *testservers.Server
	redis    *testservers.Server
	used     int           // databases
	pids     [2]int        // of PostgreSQL and Redis
	repeated time.Duration // spent on repeats of disturbed rounds
	results  []result
	ends     []func()
}

func (b *bench) close() {
	for i := len(b.ends) - 1; i >= 0; i-- {
		b.ends[i]()
	}
}

func (b *bench) onEnd(f func()) { b.ends = append(b.ends, f) }

// prepare makes the folder, builds the program and starts the servers.
func (b *bench) prepare(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "tributary-bench-"); err != nil {
		return err
	}
	b.onEnd(func() { os.RemoveAll(b.dir) })
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.binary == "" {
		b.binary = filepath.Join(b.dir, "tributary")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "nomsgpack", "-o", b.binary,
			"github.com/tributaryhq/tributary/cmd/tributary")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build tributary: %w", err)
		}
	}
	if b.postgres, err = testservers.Postgres(ctx, statementSettings()...); err != nil {
		return err
	}
	b.onEnd(func() { b.postgres.Close() })
	if err := b.countStatements(ctx); err != nil {
		return err
	}
	if b.redis, err = testservers.Redis(ctx, testservers.ManyDatabases); err != nil {
		return err
	}
	b.onEnd(func() { b.redis.Close() })
	b.pids = [2]int{b.postgresPid(), b.redisPid(ctx)}
	return nil
}

func (b *bench) postgresPid() int {
	text, _ := os.ReadFile(filepath.Join(b.postgres.Dir, "data", "postmaster.pid"))
	pid, _ := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	return pid
}

func (b *bench) redisPid(ctx context.Context) int {
	text, _ := exec.CommandContext(ctx, "redis-cli", "-u", b.redis.URL, "INFO", "server").Output()
	_, rest, _ := strings.Cut(string(text), "process_id:")
	pid, _ := strconv.Atoi(strings.SplitN(rest, "\r", 2)[0])
	return pid
}

// backend says where a server keeps its data.
type backend string

const (
	onPostgres backend = "PostgreSQL + Redis"
	embedded   backend = "embedded"
)

// serverEnv may hold further settings for the servers under test, such as "WORKER_CONCURRENCY=1 GOGC=200".
const serverEnv = "BENCH_SERVER_ENV"

// site is one set-up installation: a fresh database with two stores and creators.
type site struct {
	bench  *bench
	env    []string
	dir    string
	token  string
	owners []simulate.Owner
}

const secret = "a-secret-that-the-bench-made-up-1"

var stores = map[affiliate.Platform]string{shopify.Name: "bench-shopify", woocommerce.Name: "bench-woo"}

// newSite makes an installation by the commands that people use, and fills it.
func (b *bench) newSite(ctx context.Context, where backend, fill func(*site, context.Context) error) (*site, error) {
	b.used++
	s := &site{bench: b, dir: filepath.Join(b.dir, "site"+strconv.Itoa(b.used)), owners: simulate.DefaultOwners(40)}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	s.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "DATA_DIR=" + s.dir, "LOG_LEVEL=warn",
		"FX_RATES_URL=off", "API_RATE_LIMIT=0", "SECRET_KEY=" + strings.Repeat("0123456789abcdef", 2), "GOMAXPROCS=" +
			os.Getenv("GOMAXPROCS")}
	s.env = append(s.env, strings.Fields(os.Getenv(serverEnv))...)
	if where == onPostgres {
		name := "bench" + strconv.Itoa(b.used)
		if out, err := exec.CommandContext(ctx, "psql", "--no-psqlrc", b.postgres.URL, "-c", "CREATE DATABASE "+name).
			CombinedOutput(); err != nil {
			return nil, fmt.Errorf("create a database: %w: %s", err, out)
		}
		s.env = append(s.env, "DATABASE_URL="+withPath(b.postgres.URL, name), "REDIS_URL="+withPath(b.redis.URL,
			strconv.Itoa(b.used)))
	}
	return s, fill(s, ctx)
}

// withPath gives the address of another database on the same server.
func withPath(address, path string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // made by testservers
	}
	u.Path = "/" + path
	return u.String()
}

// fillStores adds stores with creators, and a token.
func (s *site) fillStores(ctx context.Context) error {
	if err := s.fillEmpty(ctx); err != nil {
		return err
	}
	csv := ""
	for platform, slug := range stores {
		domain := "shop.example"
		if platform == shopify.Name {
			domain = slug + ".myshopify.com"
		}
		if _, err := s.command(ctx, "store", "add", "--platform", string(platform), "--slug", slug, "--name", slug,
			"--domain", domain, "--currency", "USD", "--timezone", "America/New_York", "--webhook-secret",
			secret); err != nil {
			return err
		}
		csv = simulate.CreatorsCSV(s.owners, slug, "USD")
		file := filepath.Join(s.dir, slug+".csv")
		if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
			return err
		}
		if _, err := s.command(ctx, "import", file); err != nil {
			return err
		}
	}
	return nil
}

// fillEmpty makes the schema and a token.
func (s *site) fillEmpty(ctx context.Context) error {
	if _, err := s.command(ctx, "migrate"); err != nil {
		return err
	}
	out, err := s.command(ctx, "token", "add", "--name", "bench", "--role", "viewer", "--json")
	if err != nil {
		return err
	}
	var made struct{ Token string }
	err = json.Unmarshal(out, &made)
	s.token = made.Token
	return err
}

func (s *site) command(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.bench.binary, args...)
	cmd.Env = s.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("tributary %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return out, err
}

// process is a server under test.
type process struct {
	cmd     *exec.Cmd
	address string
	ended   chan struct{}
}

// serve starts tributary and waits until it is ready.
func (s *site) serve(ctx context.Context, roles string) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return start(ctx, s.bench.binary, append(s.env, "LISTEN_ADDR="+address), address, "/readyz", "serve",
		"--roles", roles)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func start(ctx context.Context, program string, env []string, address, ready string, args ...string) (*process, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = env
	cmd.Stderr = os.Stderr
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, address: address, ended: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.ended) }()
	for begin := time.Now(); ; {
		answer, err := http.Get("http://" + address + ready)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("%s %v ended at once: %v", program, args, cmd.ProcessState)
		case <-ctx.Done():
			p.stop()
			return nil, ctx.Err()
		case <-time.After(3 * time.Millisecond):
		}
		if time.Since(begin) > 20*time.Second {
			p.stop()
			return nil, errors.New("the server did not become ready")
		}
	}
}

// stop ends the process as an operator would, and by force if that takes too long.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(25 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// cpu is the processor time that a process and its children have used so far.
func cpu(pid int) time.Duration {
	ticks := processTicks(pid)
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, field := range strings.Fields(string(children)) {
		if child, err := strconv.Atoi(field); err == nil {
			ticks += processTicks(child)
		}
	}
	return time.Duration(ticks) * time.Second / 100
}

func processTicks(pid int) (ticks int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	for _, i := range []int{11, 12, 13, 14} { // utime, stime, and those of children that have ended
		if i < len(fields) {
			n, _ := strconv.ParseInt(fields[i], 10, 64)
			ticks += n
		}
	}
	return ticks
}

// usage is who used the processors during a measurement.
type usage struct {
	begin                                 time.Time
	server, client, postgres, redis, idle time.Duration
	commits, wal                          int64
}

// counters reads PostgreSQL's own: transactions committed in all databases, and bytes of its write-ahead log.
func (b *bench) counters() (commits, wal int64) {
	out, _ := exec.Command("psql", "--no-psqlrc", "-At", b.postgres.URL, "-c", "SELECT (SELECT SUM(xact_commit) FROM pg_stat_database), pg_current_wal_lsn() - '0/0'").Output()
	_, _ = fmt.Sscanf(strings.ReplaceAll(string(out), "|", " "), "%d %d", &commits, &wal)
	return commits, wal
}

func (b *bench) usage(server int) usage {
	commits, wal := b.counters()
	return usage{commits: commits, wal: wal, idle: idle(), begin: time.Now(), server: cpu(server),
		client: time.Duration(processTicks(os.Getpid())) * time.Second / 100, postgres: cpu(b.pids[0]),
		redis: cpu(b.pids[1])}
}

// idle is how long the processors had nothing to do since the machine started, waiting for disks included.
func idle() time.Duration {
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	fields := append(strings.Fields(line), make([]string, 6)...) // where there is no such file, it is 0
	sum := int64(0)
	for _, field := range fields[4:6] {
		n, _ := strconv.ParseInt(field, 10, 64)
		sum += n
	}
	return time.Duration(sum) * time.Second / 100
}

// quiet is the share of the processors, of a hundred, that others may use without disturbing a measurement.
const quiet = 10

// cost is what a measurement took of the machine.
type cost struct {
	others int // of a hundred, what programs used that are no part of the measurement
	text   string
}

func (c cost) noisy() bool { return c.others > quiet }

func (c cost) String() string { return c.text }

// since says what each part cost per request, and how much of the machine was idle.
func (b *bench) since(before usage, server, requests int) cost {
	now := b.usage(server)
	per := func(d time.Duration) string {
		return (d / time.Duration(max(1, requests))).Round(time.Microsecond / 10).String()
	}
	all := time.Since(before.begin) * time.Duration(runtime.NumCPU())
	used := now.server - before.server + now.client - before.client + now.postgres - before.postgres +
		now.redis - before.redis
	c := cost{others: int((all - (now.idle - before.idle) - used) * 100 / all)}
	c.text = fmt.Sprintf("cpu/request: server %s client %s postgres %s redis %s; idle %d%% others %d%%; rows/commit "+
		"%.1f WAL/request %d", per(now.server-before.server), per(now.client-before.client),
		per(now.postgres-before.postgres), per(now.redis-before.redis), (now.idle-before.idle)*100/all, c.others,
		float64(requests)/float64(max(1, now.commits-before.commits)), (now.wal-before.wal)/int64(max(1, requests)))
	return c
}
