package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// A delivery that was kept is not lost with the process that kept it, even when that process had nothing processed.
func TestKilled_before_processing(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		token := env.setUp(t, sets)
		receiver := env.spawn(t, roleReceiver)
		c := receiver.client(t, token)
		deliver(t, c, 8, allRequests(sets))
		var status recordings.Status
		ok(t, c.Get(t.Context(), "/status", &status))
		if got, want := status.Deliveries.Waiting, len(distinctKeys(allRequests(sets))); got != want {
			t.Errorf("%d deliveries wait, want %d", got, want)
		}
		receiver.kill()

		c = env.spawn(t).client(t, token)
		waitProcessed(t, c)
		checkOrders(t, c, sets)
		checkLedger(t, env)
	})
}

// The whole server is killed again and again while stores send. Every delivery is sent until it is acknowledged, and
// never again after that: an acknowledged one that is lost stays lost, and shows.
func TestKilled_while_deliveries_come(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		token := env.setUp(t, sets)
		list := allRequests(sets)
		const kills = 5
		s := &mortal{t: t, env: env}
		s.restart()
		t.Cleanup(func() { s.process().kill() })

		var acknowledged atomic.Int64
		var next [4]chan recordings.Request
		var senders sync.WaitGroup
		for i := range next {
			next[i] = make(chan recordings.Request)
			senders.Go(func() {
				for r := range next[i] {
					if s.sendUntilAcknowledged(r) {
						acknowledged.Add(1)
					}
				}
			})
		}
		for i, r := range list {
			if i > 0 && i%(len(list)/(kills+1)) == 0 {
				s.process().kill()
				s.restart()
			}
			next[r.Connection(len(next))] <- r
		}
		for _, c := range next {
			close(c)
		}
		senders.Wait()
		if got := int(acknowledged.Load()); got != len(list) {
			t.Fatalf("%d of %d deliveries were acknowledged", got, len(list))
		}

		c := s.process().client(t, token)
		waitProcessed(t, c)
		checkKept(t, env, list)
		checkOrders(t, c, sets)
		checkLedger(t, env)
	})
}

// mortal is a server that is killed and started again, on another port each time.
type mortal struct {
	t   testing.TB
	env environment
	now atomic.Pointer[process]
}

func (m *mortal) process() *process { return m.now.Load() }

func (m *mortal) restart() {
	p, err := m.env.trySpawn(nil)
	ok(m.t, err)
	m.now.Store(p)
}

func (m *mortal) sendUntilAcknowledged(r recordings.Request) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		c := recordings.NewClient("http://"+m.process().address, "")
		status, err := c.Send(m.t.Context(), r)
		c.Close()
		if err == nil && status == http.StatusOK {
			return true
		}
	}
	m.t.Errorf("%s was not acknowledged within %v", r.File, patience)
	return false
}

// distinctKeys are the names of the deliveries that are to be kept, with a file for each.
func distinctKeys(list []recordings.Request) map[string]string {
	keys := map[string]string{}
	for _, r := range list {
		p := platforms().Of(r.Store.Platform)
		if p.Unsigned(r.Header, r.Body) {
			continue // a ping
		}
		key := p.Key(r.Header, r.Body)
		keys[r.Store.Slug+" "+hex.EncodeToString(key[:])] = r.File
	}
	return keys
}

// checkKept compares the inbox with what was acknowledged.
func checkKept(t testing.TB, env environment, sent []recordings.Request) {
	t.Helper()
	missing := distinctKeys(sent)
	for _, d := range kept(t, env) {
		name := d.slug + " " + hex.EncodeToString(d.Key)
		if missing[name] == "" {
			t.Errorf("delivery %s (%s) was kept twice or never sent", d.ID, d.Topic)
		}
		delete(missing, name)
		if d.State == storage.DeliveryWaiting {
			t.Errorf("delivery %s (%s) still waits", d.ID, d.Topic)
		}
	}
	for _, file := range slices.Sorted(maps.Values(missing)) {
		t.Errorf("%s was acknowledged and is lost", file)
	}
}

type keptDelivery struct {
	storage.Delivery
	slug string
}

// kept reads the whole inbox.
func kept(t testing.TB, env environment) (list []keptDelivery) {
	t.Helper()
	env.open(t, func(ctx context.Context, a *app.App) {
		for page := (storage.Page{Limit: storage.MaxLimit}); ; {
			rows, next, err := a.DB.ListDeliveries(ctx, storage.DeliveryFilter{}, page)
			ok(t, err)
			for _, row := range rows {
				d, err := a.DB.Delivery(ctx, row.ID)
				ok(t, err)
				list = append(list, keptDelivery{d, row.Store})
			}
			if next == "" {
				return
			}
			page.Cursor = next
		}
	})
	return list
}

// Redis only wakes workers: without it deliveries are acknowledged as ever, and processed when it is back.
func TestRedisStopped_during_intake_race(t *testing.T) {
	redis, err := testservers.Redis(t.Context())
	ok(t, err)
	t.Cleanup(func() { ok(t, redis.Close()) })
	env := environment{"DATA_DIR": t.TempDir(), "DATABASE_URL": withRates.PostgresURL(t),
		"REDIS_URL": redis.URL}.withCommon()
	sets := allSets(t)
	token := env.setUp(t, sets)
	c := env.start(t).client(t, token)

	list := recordings.Shuffled(allRequests(sets), 7)
	before, during := list[:len(list)/3], list[len(list)/3:]
	deliver(t, c, 8, before)
	ok(t, redis.Stop())
	slowest := slowestAcknowledgement(t, c, during)
	if most := 2 * time.Second; slowest > most {
		t.Errorf("an acknowledgement took %v while Redis was down, want less than %v", slowest, most)
	}
	eventually(t, "the status says that the queue cannot be reached", func() bool {
		var status struct {
			Status  string
			Reasons []string
		}
		ok(t, c.Get(t.Context(), "/status", &status))
		return status.Status == "degraded" && strings.Contains(fmt.Sprint(status.Reasons), "queue")
	})

	ok(t, redis.Start(t.Context()))
	waitProcessed(t, c)
	checkKept(t, env, list)
	checkOrders(t, c, sets)
	checkLedger(t, env)
}

// slowestAcknowledgement sends over several connections at once, all of an order over the same one: of two bodies of
// one second the order decides in which they came.
func slowestAcknowledgement(t testing.TB, c *recordings.Client, list []recordings.Request) time.Duration {
	t.Helper()
	var slowest atomic.Int64
	var senders sync.WaitGroup
	for _, list := range recordings.ByConnection(list, 8) {
		senders.Go(func() {
			for _, r := range list {
				begin := time.Now()
				if err := c.Deliver(t.Context(), r); err != nil {
					t.Error(err)
				}
				took := int64(time.Since(begin))
				for old := slowest.Load(); took > old && !slowest.CompareAndSwap(old, took); old = slowest.Load() {
				}
			}
		})
	}
	senders.Wait()
	return time.Duration(slowest.Load())
}

// Redis may be of any kind: what Sentinel and Cluster do differently must not be felt.
func TestRedisKinds(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{"sentinel": sentinelURL, "cluster": clusterURL} {
		t.Run(name, func(t *testing.T) {
			env := environment{"DATA_DIR": t.TempDir(), "DATABASE_URL": withRates.PostgresURL(t),
				"REDIS_URL": start(t)}.withCommon()
			sets := allSets(t)
			token := env.setUp(t, sets)
			c := env.start(t).client(t, token)
			begin := time.Now()
			deliver(t, c, 8, allRequests(sets))
			waitProcessed(t, c)
			if took := time.Since(begin); took > sweepComes {
				t.Errorf("processed after %v: only the sweep of the inbox can have woken the worker", took)
			}
			checkOrders(t, c, sets)
			checkLedger(t, env)
		})
	}
}

// sweepComes is when the sweep takes what no task speaks of.
const sweepComes = 5 * time.Second

func sentinelURL(t testing.TB) string {
	g, err := testservers.RedisSentinel(t.Context())
	ok(t, err)
	t.Cleanup(func() { ok(t, g.Close()) })
	return "redis-sentinel://" + strings.Join(g.Addrs, ",") + "/" + g.MasterName
}

func clusterURL(t testing.TB) string {
	g, err := testservers.RedisCluster(t.Context())
	ok(t, err)
	t.Cleanup(func() { ok(t, g.Close()) })
	return "redis-cluster://" + strings.Join(g.Addrs, ",")
}
