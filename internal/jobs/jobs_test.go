package jobs

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/testservers"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		in      string
		addrs   string
		master  string
		db      int
		user    string
		tls     bool
		cluster bool
	}{
		{in: "redis://127.0.0.1:6379/3", addrs: "127.0.0.1:6379", db: 3},
		{in: "redis://:secret@host:6379", addrs: "host:6379"},
		{in: "rediss://me:p@host:6380/0", addrs: "host:6380", user: "me", tls: true},
		{in: "redis-sentinel://:p@a:26379,b:26379,c:26379/main?db=2", addrs: "a:26379,b:26379,c:26379", master: "main", db: 2},
		{in: "redis-cluster://u:p%40q@a:7000,b:7001", addrs: "a:7000,b:7001", user: "u", cluster: true},
	} {
		o, _, err := parseAddress(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := strings.Join(o.Addrs, ","); got != c.addrs || o.MasterName != c.master || o.DB != c.db ||
			o.Username != c.user ||
			(o.TLSConfig != nil) != c.tls || o.IsClusterMode != c.cluster {
			t.Errorf("%s: got %s master %q db %d user %q tls %v cluster %v", c.in, got, o.MasterName, o.DB, o.Username,
				o.TLSConfig != nil, o.IsClusterMode)
		}
	}
	for _, in := range []string{"localhost:6379", "http://x", "redis://", "redis://a:1,b:2/0", "redis-sentinel://a:26379", "redis-cluster://a:7000/1", "redis://:s3cret@h:6379/x"} {
		_, _, err := parseAddress(in)
		if err == nil || !strings.Contains(err.Error(), "REDIS_URL") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got error %v, want one that names REDIS_URL and no password", in, err)
		}
	}
}

// eachRedis runs a test on a Redis in this process and a real one.
func eachRedis(t *testing.T, test func(t *testing.T, r *Redis)) {
	for name, address := range map[string]func() string{"embedded": func() string {
		return ""
	}, "redis": func() string { return testservers.RedisDB(t) }} {
		t.Run(name, func(t *testing.T) {
			r, err := Open(address())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, r)
		})
	}
}

type published struct {
	mu sync.Mutex
	n  int
}

func (p *published) Publish(changes []affiliate.Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n += len(changes)
}

// A delivery of no known platform ends as failed, which is enough to see that the worker took it up.
func TestWorkerTakesUpWhatIsWokenAndWhatIsNot_race(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		db := storagetest.SQLite(t)
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		var store affiliate.Store
		err := db.InTx(t.Context(), func(tx *storage.Tx) (err error) {
			store, err = tx.CreateStore(t.Context(), affiliate.Store{Slug: "s", Platform: shopify.Name, Name: "S",
				Domain: "s.myshopify.com", Currency: "USD", Timezone: "UTC", State: affiliate.StoreStateActive,
				CreatedAt: time.Now(), UpdatedAt: time.Now()})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		keep := func(key byte) []affiliate.DeliveryID {
			t.Helper()
			ids, err := db.InsertDeliveries(t.Context(), []storage.NewDelivery{{StoreID: store.ID, Key: [16]byte{key},
				Topic: "x", ReceivedAt: time.Now(), Payload: []byte("damaged")}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		queue := NewQueue(r)
		if f := queue.State(); !f.Reachable || f.Pending != 0 {
			t.Errorf("the state of a fresh queue is %+v", f)
		}
		keep(1) // nothing wakes a worker for this one: the sweep at the start must find it
		a := &app.App{DB: db, Log: log, Now: time.Now, Live: &published{},
			Platforms: app.Platforms{shopify.Platform{}}}
		processor := app.NewProcessor(a, app.NewCounters(db, time.Now, log), 1)
		defer processor.Close()
		worker := &Worker{DB: db, Redis: r, Queue: queue, Processor: processor, Log: log, Now: time.Now}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- worker.Run(ctx) }()
		failed := func(want int64) {
			t.Helper()
			deadline := time.Now().Add(10 * time.Second)
			for {
				inbox, err := db.Inbox(t.Context())
				if err == nil && inbox.Failed == want && inbox.Waiting == 0 {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("inbox is %+v, %v; want %d failed", inbox, err, want)
				}
				time.Sleep(5 * time.Millisecond)
			}
		}
		failed(1)
		if err := queue.Wake(t.Context(), keep(2)); err != nil {
			t.Fatal(err)
		}
		failed(2)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestEmbeddedRedisKeepsOthersOut(t *testing.T) {
	r, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stranger, err := Open("redis://" + r.embedded.Addr() + "/0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if err := stranger.Ping(t.Context()); err == nil {
		t.Error("a stranger without the password is let in")
	}
}

func TestWorker_purge_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
		begin := func(key string, at time.Time) (known bool) {
			t.Helper()
			kept, err := db.BeginIdempotent(t.Context(), storage.IdempotentRequest{Principal: "tok_1", Key: key,
				Request: []byte("x"), StartedAt: at})
			if err != nil {
				t.Fatal(err)
			}
			return kept != nil
		}
		begin("old", now.Add(-storage.IdempotencyKept-time.Second))
		begin("new", now.Add(-storage.IdempotencyPatience))
		worker := &Worker{DB: db, Now: func() time.Time { return now }}
		if err := worker.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		// An old time at which neither would have been too old.
		if at := now.Add(-storage.IdempotencyKept); begin("old", at) || !begin("new", at) {
			t.Error("the old key is still there, or the new one is gone")
		}
	})
}

// asked counts how often the in-process Redis is asked for the next task.
type asked struct{ n atomic.Int64 }

func (*asked) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*asked) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (a *asked) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if dequeues(cmd) != "" {
			a.n.Add(1)
		}
		return next(ctx, cmd)
	}
}

// TestEmptyQueue_race: asynq's question for the next task costs the in-process Redis nothing while there is none, and
// gets every task that there is.
func TestEmptyQueue_race(t *testing.T) {
	r, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before, behind := &asked{}, &asked{}
	server := r.embedded
	client := redis.NewClient(r.client.(*redis.Client).Options())
	defer client.Close()
	client.AddHook(before)
	client.AddHook(emptyQueue{server})
	client.AddHook(behind)
	got := make(chan string, 10)
	mux := asynq.NewServeMux()
	mux.HandleFunc("test", func(_ context.Context, task *asynq.Task) error {
		got <- string(task.Payload())
		return nil
	})
	worker := asynq.NewServerFromRedisClient(client, asynq.Config{Queues: map[string]int{queueName: 1},
		TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel})
	if err := worker.Start(mux); err != nil {
		t.Fatal(err)
	}
	defer worker.Shutdown()
	for before.n.Load() < 10 {
		time.Sleep(time.Millisecond)
	}
	if n := behind.n.Load(); n != 0 {
		t.Errorf("an empty queue was asked %d times", n)
	}
	for _, payload := range []string{"a", "b", "c"} {
		if _, err := asynq.NewClientFromRedisClient(client).Enqueue(asynq.NewTask("test", []byte(payload)),
			asynq.Queue(queueName)); err != nil {
			t.Fatal(err)
		}
		if p := <-got; p != payload {
			t.Errorf("got the task %q, want %q", p, payload)
		}
	}
}

// TestWorker_purgeOfBodies: more bodies than one part holds are erased at once, and no younger or waiting one.
func TestWorker_purgeOfBodies(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
		var store affiliate.Store
		err := db.InTx(t.Context(), func(tx *storage.Tx) (err error) {
			store, err = tx.CreateStore(t.Context(), affiliate.Store{Slug: "s", Platform: shopify.Name, Name: "S",
				Domain: "s.myshopify.com", Currency: "USD", Timezone: "UTC", State: affiliate.StoreStateActive,
				CreatedAt: now, UpdatedAt: now})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		list := make([]storage.NewDelivery, purgeMost+3)
		for i := range list {
			list[i] = storage.NewDelivery{StoreID: store.ID, Topic: "orders/paid", ReceivedAt: now.Add(-48 * time.Hour),
				Payload: []byte("x")}
			binary.BigEndian.PutUint32(list[i].Key[:], uint32(i))
		}
		young := &list[len(list)-1]
		young.ReceivedAt = now.Add(-time.Hour)
		ids, err := db.InsertDeliveries(t.Context(), list, nil)
		if err != nil {
			t.Fatal(err)
		}
		waiting := ids[0]
		err = db.InTx(t.Context(), func(tx *storage.Tx) error {
			var done []storage.Outcome
			for _, id := range ids[1:] {
				done = append(done, storage.Outcome{ID: id, State: storage.DeliveryDone})
			}
			_, err := tx.FinishDeliveries(t.Context(), done, now)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		steady := false
		worker := &Worker{DB: db, Now: func() time.Time { return now }, Retention: 24 * time.Hour,
			Steady: func() bool { return steady }}
		for _, steady = range []bool{false, true} {
			if err := worker.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d, err := db.Delivery(t.Context(), ids[1]); err != nil || (d.Payload == nil) != steady {
				t.Fatalf("a clock that is steady %t: the body is erased %t, %v", steady, d.Payload == nil, err)
			}
		}
		kept := 0
		for _, id := range ids {
			d, err := db.Delivery(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if d.Payload != nil {
				kept++
			}
		}
		if d, err := db.Delivery(t.Context(), waiting); err != nil || d.Payload == nil || kept != 2 {
			t.Errorf("%d bodies are kept, want that of the waiting delivery and of the young one (%v)", kept, err)
		}
	})
}

func TestWorker_purgeOfSessions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
		err := db.InTx(t.Context(), func(tx *storage.Tx) error {
			u, err := tx.CreateUser(t.Context(), affiliate.User{Email: "mia@brand.example", Name: "Mia",
				Role: affiliate.RoleOwner, CreatedAt: now, UpdatedAt: now}, "hash")
			if err != nil {
				return err
			}
			if _, err := tx.CreateSession(t.Context(), []byte("ended"), u.ID, now.Add(-2*time.Hour), now); err != nil {
				return err
			}
			_, err = tx.CreateSession(t.Context(), []byte("open"), u.ID, now.Add(-2*time.Hour), now.Add(time.Second))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		long := now.Add(-app.FailuresForget)
		for who, at := range map[string]time.Time{"forgotten": long, "fresh": long.Add(time.Second)} {
			if err := db.NoteSignInFailure(t.Context(), []string{who}, 0, "", at,
				at.Add(-app.FailuresForget)); err != nil {
				t.Fatal(err)
			}
		}
		worker := &Worker{DB: db, Now: func() time.Time { return now }}
		if err := worker.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		early := now.Add(-time.Hour) // a time at which neither session had ended
		if _, err := db.SessionByHash(t.Context(), []byte("ended"),
			early); affiliate.KindOf(err) != affiliate.NotFound {
			t.Errorf("the session that has ended: %v", err)
		}
		if _, err := db.SessionByHash(t.Context(), []byte("open"), early); err != nil {
			t.Errorf("the session that is open: %v", err)
		}
		for who, want := range map[string]int{"forgotten": 0, "fresh": 1} {
			if n, _, err := db.SignInFailures(t.Context(), who); n != want || err != nil {
				t.Errorf("%s: %d failures, want %d (%v)", who, n, want, err)
			}
		}
	})
}
