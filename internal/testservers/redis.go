//go:build unix

package testservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Redis starts a Redis that keeps its data in memory only, unless [AppendOnly] is given.
func Redis(ctx context.Context, opts ...Option) (*Server, error) {
	s, err := newRedis(ctx, collect(opts))
	if err != nil {
		return nil, fmt.Errorf("Redis for tests: %w", err)
	}
	return s, nil
}

// newRedis starts a Redis with the given settings before those of the options.
func newRedis(ctx context.Context, o options, settings ...setting) (*Server, error) {
	settings = append([]setting{{"save", ""}}, settings...)
	if o.appendOnly {
		// "always": with "everysec" an answer may precede the write while a sync is running.
		settings = append(settings, setting{"appendonly", "yes"}, setting{"appendfsync", "always"})
	}
	settings = append(settings, o.settings...)
	return startRedis(ctx, func(s *Server, port int) error {
		s.args = []string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", s.Dir}
		for _, set := range settings {
			s.args = append(s.args, "--"+set.name, set.value)
		}
		return nil
	})
}

// startRedis starts a redis-server; configure sets its arguments when folder and port are known.
func startRedis(ctx context.Context, configure func(s *Server, port int) error) (_ *Server, err error) {
	program, err := redisProgram("redis-server")
	if err != nil {
		return nil, err
	}
	s := &Server{
		program:    program,
		ready:      redisReady,
		stopSignal: syscall.SIGTERM,
		endSignal:  syscall.SIGKILL,
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	port, err := s.prepare("", "redis")
	if err != nil {
		return nil, err
	}
	s.URL = "redis://" + s.Addr + "/0"
	if err := configure(s, port); err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Sentinel is a Redis master with one replica, watched by three sentinels, which make the replica the master about two
// seconds after the master has gone.
type Sentinel struct {
	MasterName      string
	Addrs           []string // of the sentinels
	Master, Replica *Server  // as started; a failover swaps the parts they play
	Sentinels       []*Server
}

// RedisSentinel starts a Redis with Sentinel, and returns when all of them know each other. The options are for master
// and replica.
func RedisSentinel(ctx context.Context, opts ...Option) (*Sentinel, error) {
	g := &Sentinel{MasterName: "tributary"}
	if err := g.start(ctx, collect(opts)); err != nil {
		return nil, errors.Join(fmt.Errorf("Redis Sentinel for tests: %w", err), g.Close())
	}
	return g, nil
}

func (g *Sentinel) start(ctx context.Context, o options) (err error) {
	// A master waits some seconds for more replicas before it sends its data; there is only one.
	noDelay := setting{"repl-diskless-sync-delay", "0"}
	if g.Master, err = newRedis(ctx, o, noDelay); err != nil {
		return err
	}
	host, port, _ := strings.Cut(g.Master.Addr, ":")
	if g.Replica, err = newRedis(ctx, o, noDelay, setting{"replicaof", host + " " + port}); err != nil {
		return err
	}
	// Sentinels look for replicas every ten seconds only, so the replica must be there first.
	if err := waitFor(ctx, g.Replica, "master_link_status:up", "INFO", "replication"); err != nil {
		return err
	}
	for range 3 {
		s, err := startRedis(ctx, g.configureSentinel)
		if err != nil {
			return err
		}
		g.Sentinels = append(g.Sentinels, s)
		g.Addrs = append(g.Addrs, s.Addr)
	}
	for _, s := range g.Sentinels {
		for _, want := range []string{"num-other-sentinels\n2", "num-slaves\n1"} {
			if err := waitFor(ctx, s, want, "SENTINEL", "MASTER", g.MasterName); err != nil {
				return err
			}
		}
	}
	return nil
}

// configureSentinel writes a configuration file: a sentinel keeps what it learns in there, so it cannot do without one.
func (g *Sentinel) configureSentinel(s *Server, port int) error {
	host, masterPort, _ := strings.Cut(g.Master.Addr, ":")
	conf := filepath.Join(s.Dir, "sentinel.conf")
	s.args = []string{conf, "--sentinel"}
	return os.WriteFile(conf, fmt.Appendf(nil, `bind 127.0.0.1
port %d
dir %s
sentinel monitor %s %s %s 2
sentinel down-after-milliseconds %[3]s 1000
sentinel failover-timeout %[3]s 3000
`, port, s.Dir, g.MasterName, host, masterPort), 0o600)
}

// Close ends all servers and removes their folders.
func (g *Sentinel) Close() error {
	return closeAll(append(g.Sentinels, g.Replica, g.Master)...)
}

// Cluster is a Redis Cluster of three masters.
type Cluster struct {
	Addrs    []string // of the masters
	Nodes    []*Server
	Replicas []*Server // of the masters in their order; none unless asked for
}

// RedisCluster starts a Redis Cluster, and returns when all nodes agree that it is complete. The options are for each
// node.
func RedisCluster(ctx context.Context, opts ...Option) (*Cluster, error) {
	g := &Cluster{}
	if err := g.start(ctx, collect(opts)); err != nil {
		return nil, errors.Join(fmt.Errorf("Redis Cluster for tests: %w", err), g.Close())
	}
	return g, nil
}

// RedisClusterWithReplicas is [RedisCluster] with a replica for each master, which takes its place about a second after
// the master has gone.
func RedisClusterWithReplicas(ctx context.Context, opts ...Option) (*Cluster, error) {
	opts = append([]Option{Setting("cluster-node-timeout", "1000"), Setting("repl-diskless-sync-delay", "0")}, opts...)
	g, err := RedisCluster(ctx, opts...)
	if err != nil {
		return nil, err
	}
	if err := g.startReplicas(ctx, collect(opts)); err != nil {
		return nil, errors.Join(fmt.Errorf("Redis Cluster for tests: %w", err), g.Close())
	}
	return g, nil
}

func (g *Cluster) startReplicas(ctx context.Context, o options) error {
	for _, master := range g.Nodes {
		replica, bus, err := newClusterNode(ctx, o)
		if err != nil {
			return err
		}
		g.Replicas = append(g.Replicas, replica)
		newHost, newPort, _ := strings.Cut(replica.Addr, ":")
		if err := redisOK(ctx, g.Nodes[0].URL, "CLUSTER", "MEET", newHost, newPort, bus); err != nil {
			return err
		}
		id, err := redisCommand(ctx, master.URL, "CLUSTER", "MYID")
		if err != nil {
			return err
		}
		if err := waitFor(ctx, replica, id, "CLUSTER", "NODES"); err != nil {
			return err
		}
		if err := waitFor(ctx, replica, "cluster_state:ok", "CLUSTER", "INFO"); err != nil {
			return err
		}
		if err := redisOK(ctx, replica.URL, "CLUSTER", "REPLICATE", id); err != nil {
			return err
		}
		if err := waitFor(ctx, replica, "master_link_status:up", "INFO", "replication"); err != nil {
			return err
		}
	}
	for _, node := range append(slices.Clone(g.Nodes), g.Replicas...) {
		if err := waitFor(ctx, node, "cluster_known_nodes:6", "CLUSTER", "INFO"); err != nil {
			return err
		}
	}
	return nil
}

// Master gives the master that has a key, with its replica.
func (g *Cluster) Master(ctx context.Context, key string) (master, replica *Server, err error) {
	answer, err := redisCommand(ctx, g.Nodes[0].URL, "CLUSTER", "KEYSLOT", key)
	if err != nil {
		return nil, nil, err
	}
	slot, err := strconv.Atoi(answer)
	if err != nil {
		return nil, nil, fmt.Errorf("slot of %s: %s", key, answer)
	}
	n := len(g.Nodes) - 1
	for n > 0 && slot < n*clusterSlots/len(g.Nodes) {
		n--
	}
	return g.Nodes[n], g.Replicas[n], nil
}

// WaitPromoted returns when a replica has become the master.
func WaitPromoted(ctx context.Context, replica *Server) error {
	return waitFor(ctx, replica, "role:master", "INFO", "replication")
}

const clusterSlots = 16384

// newClusterNode starts a node that knows no other. The nodes talk on a port of their own, by default 10000 above the
// other, where nothing is reserved.
func newClusterNode(ctx context.Context, o options) (node *Server, bus string, err error) {
	port, release, err := reservePort()
	if err != nil {
		return nil, "", err
	}
	bus = strconv.Itoa(port)
	node, err = newRedis(ctx, o, setting{"cluster-enabled", "yes"}, setting{"cluster-port", bus})
	if err != nil {
		return nil, "", errors.Join(err, release())
	}
	node.release = append(node.release, release)
	return node, bus, nil
}

func (g *Cluster) start(ctx context.Context, o options) error {
	const nodes, slots = 3, clusterSlots
	for i := range nodes {
		node, bus, err := newClusterNode(ctx, o)
		if err != nil {
			return err
		}
		g.Nodes = append(g.Nodes, node)
		g.Addrs = append(g.Addrs, node.Addr)

		first, last := i*slots/nodes, (i+1)*slots/nodes-1
		if err := redisOK(ctx, node.URL, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first),
			strconv.Itoa(last)); err != nil {
			return err
		}
		// Nodes that start with the same epoch argue about it first.
		if err := redisOK(ctx, node.URL, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)); err != nil {
			return err
		}
		if i == 0 {
			continue // the others meet this one
		}
		host, port, _ := strings.Cut(node.Addr, ":")
		if err := redisOK(ctx, g.Nodes[0].URL, "CLUSTER", "MEET", host, port, bus); err != nil {
			return err
		}
	}
	for _, node := range g.Nodes {
		for _, want := range []string{fmt.Sprintf("cluster_slots_ok:%d", slots), "cluster_state:ok"} {
			if err := waitFor(ctx, node, want, "CLUSTER", "INFO"); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close ends all nodes and removes their folders.
func (g *Cluster) Close() error { return closeAll(append(slices.Clone(g.Nodes), g.Replicas...)...) }

func closeAll(servers ...*Server) error {
	var errs []error
	for _, s := range servers {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// redisReady asks for a PONG. A server with a password answers too, in its way.
func redisReady(ctx context.Context, s *Server) bool {
	answer, err := redisCommand(ctx, s.URL, "PING")
	return err == nil && (answer == "PONG" || strings.HasPrefix(answer, "NOAUTH"))
}

// waitFor repeats a command until its answer contains a text.
func waitFor(ctx context.Context, s *Server, want string, command ...string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		answer, err := redisCommand(ctx, s.URL, command...)
		if err == nil && strings.Contains(strings.ReplaceAll(answer, "\r\n", "\n"), want) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %q from %v of %s: %w; last answer (%v):\n%s", want, command, s.Addr,
				ctx.Err(), err, answer)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// redisOK sends a command that answers OK, or returns the answer as an error: redis-cli does not fail for those.
func redisOK(ctx context.Context, url string, command ...string) error {
	answer, err := redisCommand(ctx, url, command...)
	if err == nil && answer != "OK" {
		err = fmt.Errorf("%s: %s", strings.Join(command, " "), answer)
	}
	return err
}

func redisCommand(ctx context.Context, url string, command ...string) (string, error) {
	program, err := redisProgram("redis-cli")
	if err != nil {
		return "", err
	}
	return run(ctx, program, append([]string{"-u", url}, command...)...)
}

func redisProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not on the PATH; %s", name, remedy)
	}
	return path, nil
}
