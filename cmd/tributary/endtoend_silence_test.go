package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// behindRelay is production with a relay in front of its database.
func behindRelay(t *testing.T) (env environment, direct environment, relay *testservers.Relay) {
	t.Helper()
	direct = production(t)
	relay = testservers.NewRelay(t, testservers.HostOf(direct["DATABASE_URL"]))
	return direct.with("DATABASE_URL", relay.Through(direct["DATABASE_URL"])), direct, relay
}

// Limits that the tests of silence hold the server to: what a person or a store waits for, with room for a busy
// machine.
const (
	answerWithin = 20 * time.Second
	readyWithin  = 5 * time.Second
	stopWithin   = 55 * time.Second
)

// probe asks an address within a limit; 0 stands for no answer.
func probe(t testing.TB, p *process, path string, limit time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+path, nil)
	ok(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// end sends SIGTERM and wants the process gone in time, however it ends.
func (p *process) end(t testing.TB, limit time.Duration) {
	t.Helper()
	begin := time.Now()
	ok(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.exited:
		t.Logf("ended %v after SIGTERM, exit code %d", time.Since(begin).Round(time.Millisecond),
			p.cmd.ProcessState.ExitCode())
	case <-time.After(limit):
		t.Fatalf("the server runs on %v after SIGTERM:\n%s", limit, p.log.text())
	}
}

// All connections to the database fall silent again and again while stores send; new ones work. Every delivery is
// answered, almost all with 200 as the second try has a new connection; what was acknowledged is kept and processed.
func TestAttack_silent_database_while_deliveries_come(t *testing.T) {
	t.Parallel()
	env, direct, relay := behindRelay(t)
	sets := allSets(t)
	token := direct.setUp(t, sets)
	p := env.spawn(t)
	list := allRequests(sets)
	rounds := attack.Size(1, 5)

	var next [8]chan recordings.Request // those of one order come one after the other
	var slowest, refused atomic.Int64
	var senders sync.WaitGroup
	for i := range next {
		next[i] = make(chan recordings.Request)
		senders.Go(func() {
			c := recordings.NewClient("http://"+p.address, "")
			defer c.Close()
			for r := range next[i] {
				for try := 0; ; try++ {
					begin := time.Now()
					ctx, cancel := context.WithTimeout(t.Context(), answerWithin)
					status, err := c.Send(ctx, r)
					cancel()
					if took := int64(time.Since(begin)); took > slowest.Load() {
						slowest.Store(took)
					}
					if err != nil {
						t.Errorf("%s has no answer: %v", r.File, err)
					}
					if err != nil || status == http.StatusOK || try > 20 {
						break
					}
					refused.Add(1)
				}
			}
		})
	}
	for i, r := range list {
		if i%(len(list)/(rounds+1)) == len(list)/(rounds+2) {
			relay.Silence()
		}
		next[r.Connection(len(next))] <- r
	}
	for _, c := range next {
		close(c)
	}
	senders.Wait()
	t.Logf("slowest answer %v, %d were refused and sent again", time.Duration(slowest.Load()).Round(time.Millisecond),
		refused.Load())

	c := p.client(t, token)
	begin := time.Now()
	waitProcessed(t, c)
	t.Logf("all processed %v after the last was sent", time.Since(begin).Round(time.Millisecond))
	checkKept(t, direct, list)
	checkOrders(t, c, sets)
	checkLedger(t, direct)
	if status := probe(t, p, "/readyz", readyWithin); status != http.StatusOK {
		t.Errorf("/readyz answers %d after the recovery", status)
	}
	relay.Silence()
	p.end(t, stopWithin)
}

// With every connection silent, new ones as well, the server says that it is not ready, answers whoever asks, and says
// so in few lines; it goes on by itself afterwards, and ends when it is told to in the middle of it.
func TestAttack_silent_database_for_all(t *testing.T) {
	t.Parallel()
	env, direct, relay := behindRelay(t)
	sets := allSets(t)
	token := direct.setUp(t, sets)
	p := env.spawn(t)
	list := allRequests(sets)
	before, during := list[:len(list)/2], list[len(list)/2:]
	deliver(t, p.client(t, token), 8, before)
	relay.SilenceAll()

	// 1000 deliveries while nothing can be kept, the first of each order again and again: should one be kept all the
	// same, it is before the others of its order.
	seen := map[string]bool{}
	firsts := slices.DeleteFunc(slices.Clone(during), func(r recordings.Request) bool {
		before := seen[r.Order()]
		seen[r.Order()] = true
		return before
	})
	var answers [600]atomic.Int64
	next := make(chan recordings.Request)
	var senders sync.WaitGroup
	for range 1000 {
		senders.Go(func() {
			c := recordings.NewClient("http://"+p.address, "")
			defer c.Close()
			for r := range next {
				ctx, cancel := context.WithTimeout(t.Context(), 2*answerWithin)
				status, err := c.Send(ctx, r)
				cancel()
				if err != nil {
					t.Errorf("%s has no answer: %v", r.File, err)
				}
				answers[status].Add(1)
			}
		})
	}
	begin := time.Now()
	for i := range attack.Size(1000, 10_000) {
		next <- firsts[i%len(firsts)]
	}
	close(next)
	for i := 0; i < 3; i++ {
		if status := probe(t, p, "/readyz", readyWithin); status != http.StatusServiceUnavailable {
			t.Errorf("/readyz answers %d within %v, want 503", status, readyWithin)
		}
		if status := probe(t, p, "/status", 10*time.Second); status != http.StatusServiceUnavailable {
			t.Errorf("/status answers %d, want 503", status)
		}
	}
	senders.Wait()
	t.Logf("%d answered 503 in %v", answers[503].Load(), time.Since(begin).Round(time.Millisecond))
	lines := strings.Count(p.log.text(), "\n")
	if most := 60; lines > most {
		t.Errorf("an outage made %d lines of log, want %d at most:\n%s", lines, most, p.log.text())
	}
	t.Logf("%d lines of log", lines)

	relay.Pass()
	c := p.client(t, token)
	begin = time.Now()
	eventually(t, "the server is ready again", func() bool {
		return probe(t, p, "/readyz", readyWithin) == http.StatusOK
	})
	t.Logf("ready %v after the database answers again", time.Since(begin).Round(time.Millisecond))
	deliver(t, c, 8, during)
	waitProcessed(t, c)
	checkKept(t, direct, list)
	checkOrders(t, c, sets)

	relay.SilenceAll()
	for _, r := range during[:3] {
		go func() { _, _ = recordings.NewClient("http://"+p.address, "").Send(t.Context(), r) }()
	}
	time.Sleep(200 * time.Millisecond)
	p.end(t, stopWithin)
}

// A server that begins while its database says nothing ends when it is told to.
func TestAttack_silent_database_at_the_start(t *testing.T) {
	t.Parallel()
	env, _, relay := behindRelay(t)
	relay.SilenceAll()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, cancel)
	begin := time.Now()
	_, err := startServer(ctx, env.config(t), allRoles)
	if err == nil {
		t.Fatal("it started without a database")
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it ended after %v", took)
	}
}

// A Redis that says nothing keeps nobody: deliveries are acknowledged at once, the status says so, processing goes on
// when it is back, and the server ends.
func TestAttack_silent_redis(t *testing.T) {
	t.Parallel()
	direct := production(t)
	relay := testservers.NewRelay(t, testservers.HostOf(direct["REDIS_URL"]))
	env := direct.with("REDIS_URL", relay.Through(direct["REDIS_URL"]))
	sets := allSets(t)
	token := direct.setUp(t, sets)
	p := env.spawn(t)
	c := p.client(t, token)
	list := allRequests(sets)
	before, during := list[:len(list)/2], list[len(list)/2:]
	deliver(t, c, 8, before)
	relay.SilenceAll()
	slowest := slowestAcknowledgement(t, c, during)
	if most := 2 * time.Second; slowest > most {
		t.Errorf("an acknowledgement took %v while Redis said nothing, want less than %v", slowest, most)
	}
	if status := probe(t, p, "/readyz", readyWithin); status != http.StatusOK {
		t.Errorf("/readyz answers %d without Redis, want 200", status)
	}
	if status := probe(t, p, "/status", 10*time.Second); status != http.StatusOK {
		t.Errorf("/status answers %d without Redis, want 200", status)
	}
	relay.Pass()
	begin := time.Now()
	waitProcessed(t, c)
	t.Logf("processed %v after Redis answers again", time.Since(begin).Round(time.Millisecond))
	checkKept(t, direct, list)
	relay.SilenceAll()
	p.end(t, stopWithin)
}

// The master of a cluster that has the queue dies and its replica takes its place: processing goes on soon after.
func TestAttack_redis_cluster_failover(t *testing.T) {
	t.Parallel()
	g, err := testservers.RedisClusterWithReplicas(t.Context())
	ok(t, err)
	t.Cleanup(func() { ok(t, g.Close()) })
	env := production(t).with("REDIS_URL", "redis-cluster://"+strings.Join(g.Addrs, ","))
	sets := allSets(t)
	token := env.setUp(t, sets)
	c := env.start(t).client(t, token)
	list := allRequests(sets)
	before, during := list[:len(list)/2], list[len(list)/2:]
	deliver(t, c, 8, before)
	waitProcessed(t, c)
	master, replica, err := g.Master(t.Context(), "asynq:{deliveries}:pending")
	ok(t, err)
	ok(t, master.Kill())
	deliver(t, c, 8, during)
	ok(t, testservers.WaitPromoted(t.Context(), replica))
	begin := time.Now()
	waitProcessed(t, c)
	took := time.Since(begin)
	t.Logf("processed %v after the replica was promoted", took.Round(time.Millisecond))
	if most := 15 * time.Second; took > most {
		t.Errorf("processed %v after the replica was promoted, want less than %v", took, most)
	}
	checkKept(t, env, list)
	checkOrders(t, c, sets)
}

// A part that does not end is left behind and named, and the others end.
func TestStop_names_what_hangs(t *testing.T) {
	s := &server{}
	ended := false
	s.onStop("the first part", func() error { ended = true; return nil })
	s.onStop("the part that hangs", func() error { select {} })
	begin := time.Now()
	err := s.stopWithin(100 * time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "the part that hangs") || !ended {
		t.Errorf("stop: %v, the other part ended: %v", err, ended)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("stop took %v", took)
	}
}
