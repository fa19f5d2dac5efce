// Package jobs is the queue: asynq on Redis (single, Sentinel or Cluster) or on an in-process Redis. It knows the kinds
// of tasks, hands each to one function of the application, and sweeps the inbox for what no task speaks of. The inbox
// in SQL is the truth; losing everything in Redis only delays.
package jobs

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Redis is a connection to the queue's Redis, whatever its kind.
type Redis struct {
	client   redis.UniversalClient
	embedded *miniredis.Miniredis
	stop     context.CancelFunc
}

// Open reads a REDIS_URL and makes a client; it does not need Redis to be up. The forms:
//
//	redis://[user:password@]host:6379/0        rediss:// with TLS
//	redis-sentinel://[:password@]host1:26379,host2:26379/master-name?db=0&sentinel_password=…
//	redis-cluster://[user:password@]host1:7000,host2:7001    rediss-cluster:// with TLS
//
// An empty address starts a Redis inside this process, reachable only with a password made at the start.
func Open(address string) (*Redis, error) {
	if address == "" {
		return openEmbedded()
	}
	options, kind, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "redis-sentinel", "rediss-sentinel":
		return &Redis{client: redis.NewFailoverClient(options.Failover())}, nil
	case "redis-cluster", "rediss-cluster":
		cluster := options.Cluster()
		cluster.ClusterStateReloadInterval = clusterReload
		return &Redis{client: redis.NewClusterClient(cluster)}, nil
	}
	return &Redis{client: redis.NewClient(options.Simple())}, nil
}

// clusterReload is how often the client looks which node of a cluster has what. It does so by itself when a node says
// that it has something no more; but a dead one says nothing, and by default processing would rest for a minute after
// its replica had taken its place.
const clusterReload = 2 * time.Second

func parseAddress(address string) (*redis.UniversalOptions, string, error) {
	bad := func(why string) (*redis.UniversalOptions, string, error) {
		return nil, "", fmt.Errorf("REDIS_URL %s: use redis://host:6379/0, redis-sentinel://host1:26379,host2:26379/master or redis-cluster://host1:7000,host2:7001", why)
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return bad("has no scheme")
	}
	// url.Parse takes no list of hosts: parse the address with the first one, and split the list by hand.
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	user := ""
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, authority = authority[:i+1], authority[i+1:]
	}
	hosts := strings.Split(authority, ",")
	u, err := url.Parse(scheme + "://" + user + hosts[0] + tail)
	if err != nil || hosts[0] == "" {
		return bad("cannot be read") // the cause may quote the password
	}
	password, _ := u.User.Password()
	o := &redis.UniversalOptions{Addrs: hosts, Username: u.User.Username(), Password: password,
		SentinelPassword: u.Query().Get("sentinel_password"), MaxRetries: 2, DialTimeout: 2 * time.Second,
		ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, ContextTimeoutEnabled: true}
	if strings.HasPrefix(scheme, "rediss") {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if len(hosts) == 1 {
			o.TLSConfig.ServerName = u.Hostname()
		}
	}
	path := strings.Trim(u.Path, "/")
	db := u.Query().Get("db")
	switch scheme {
	case "redis", "rediss":
		if len(hosts) > 1 {
			return bad("lists several hosts")
		}
		if path != "" {
			db = path
		}
	case "redis-sentinel", "rediss-sentinel":
		if path == "" {
			return bad("names no master")
		}
		o.MasterName = path
	case "redis-cluster", "rediss-cluster":
		o.IsClusterMode = true
		if number := db + path; number != "" && number != "0" {
			return bad("names a database, which a cluster has not")
		}
	default:
		return bad("has an unknown scheme")
	}
	if db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return bad("names an unreadable database")
		}
	}
	return o, scheme, nil
}

// openEmbedded starts an in-process Redis. It listens on the loopback interface, so a password keeps other programs of
// this machine out. Its clock for the expiry of keys stands still unless it is moved on.
func openEmbedded() (*Redis, error) {
	password := rand.Text()
	server := miniredis.NewMiniRedis()
	server.RequireAuth(password)
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the in-process Redis: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				server.FastForward(time.Second)
			case <-ctx.Done():
				return
			}
		}
	}()
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), Password: password, DisableIdentity: true})
	client.AddHook(emptyQueue{server})
	return &Redis{client: client, embedded: server, stop: stop}, nil
}

// emptyQueue answers for the in-process Redis when asynq asks for the next task of a queue that is empty. asynq asks
// many times a second by a script, and for each the in-process Redis makes an interpreter of 150 KB: an idle server
// spent a twentieth of a processor on it, and filled 5 MB of memory in a second.
type emptyQueue struct{ server *miniredis.Miniredis }

func (emptyQueue) DialHook(next redis.DialHook) redis.DialHook { return next }

func (emptyQueue) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (e emptyQueue) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if pending := dequeues(cmd); pending != "" && !e.server.Exists(pending) {
			cmd.SetErr(redis.Nil)
			return redis.Nil // as the script does
		}
		return next(ctx, cmd)
	}
}

// dequeues gives the list that a command takes asynq's next task from, or "" when it is another command: it is a script
// over four keys of a queue, of which the first two are its pending tasks and its pause.
func dequeues(cmd redis.Cmder) string {
	args := cmd.Args()
	if len(args) < 7 || args[0] != "evalsha" || args[2] != 4 {
		return ""
	}
	pending, _ := args[3].(string)
	paused, _ := args[4].(string)
	if !strings.HasPrefix(pending, "asynq:{") || !strings.HasSuffix(pending, "}:pending") ||
		!strings.HasSuffix(paused, "}:paused") {
		return ""
	}
	return pending
}

// LogTo sends what the Redis client says about its connections to log, for the whole process: the client keeps its
// logger in a package variable. It repeats itself many times a second while Redis is away, so it goes to the debug
// level.
func LogTo(log *slog.Logger) { redis.SetLogger(clientLog{log}) }

type clientLog struct{ log *slog.Logger }

func (l clientLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "redis client", "message", fmt.Sprintf(format, args...))
}

// MakeRedisClient lets asynq use this connection. Every caller shares it.
func (r *Redis) MakeRedisClient() any { return r.client }

var _ asynq.RedisConnOpt = (*Redis)(nil)

// Client is the shared connection.
func (r *Redis) Client() redis.UniversalClient { return r.client }

// Embedded says whether the Redis lives in this process and is gone with it.
func (r *Redis) Embedded() bool { return r.embedded != nil }

// Ping asks whether Redis answers.
func (r *Redis) Ping(ctx context.Context) error { return r.client.Ping(ctx).Err() }

// Close ends the connection, and the in-process Redis with it.
func (r *Redis) Close() error {
	err := r.client.Close()
	if errors.Is(err, redis.ErrClosed) {
		err = nil
	}
	if r.embedded != nil {
		r.stop()
		r.embedded.Close()
	}
	return err
}
