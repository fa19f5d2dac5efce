//go:build unix

package storage

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/testservers"
)

// shortLimits let a test find a silent line in a moment.
var shortLimits = lineLimits{dial: time.Second, cancel: 200 * time.Millisecond, grace: 200 * time.Millisecond,
	silence: 400 * time.Millisecond, close: 200 * time.Millisecond}

// openThrough opens pools to a test's own database through a relay.
func openThrough(t testing.TB, url string, limits lineLimits, most int) (*DB, *testservers.Relay) {
	t.Helper()
	relay := testservers.NewRelay(t, testservers.HostOf(url))
	dsn, err := postgresDSN(relay.Through(url))
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConnector(dsn, limits)
	if err != nil {
		t.Fatal(err)
	}
	db := newPostgres(c, most)
	t.Cleanup(func() { db.Close() })
	return db, relay
}

// within fails the test when f does not end in time.
func within(t testing.TB, limit time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s has not ended after %v", what, limit)
	}
}

// silentOperations are all ways to wait for PostgreSQL. Each prepares what it needs, lets the line fall silent and
// returns the error of what came then.
var silentOperations = map[string]func(ctx context.Context, db *DB, silence func()) error{
	"query": func(ctx context.Context, db *DB, silence func()) error {
		silence()
		return db.Get(ctx, new(int), `SELECT ?::int`, 1)
	},
	"exec": func(ctx context.Context, db *DB, silence func()) error {
		silence()
		_, err := db.exec(ctx, `UPDATE pairs SET b = b WHERE a = ?`, 1)
		return err
	},
	"large exec": func(ctx context.Context, db *DB, silence func()) error { // more than buffers take
		silence()
		_, err := db.exec(ctx, `INSERT INTO texts VALUES (?)`, string(bytes.Repeat([]byte("x"), 20<<20)))
		return err
	},
	"rows": func(ctx context.Context, db *DB, silence func()) error {
		rows, err := db.read.QueryContext(ctx, `SELECT repeat('x', 10000) FROM generate_series(1, 10000)`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for n := 0; rows.Next(); n++ {
			if n == 5 {
				silence()
			}
		}
		return rows.Err()
	},
	"close of rows": func(ctx context.Context, db *DB, silence func()) error {
		rows, err := db.read.QueryContext(ctx, `SELECT repeat('x', 10000) FROM generate_series(1, 10000)`)
		if err != nil {
			return err
		}
		rows.Next()
		silence()
		return rows.Close()
	},
	"prepare": func(ctx context.Context, db *DB, silence func()) error {
		silence()
		_, err := db.read.PrepareContext(ctx, `SELECT 1`)
		return err
	},
	"prepared query": func(ctx context.Context, db *DB, silence func()) error {
		s, err := db.read.PrepareContext(ctx, `SELECT $1::int`)
		if err != nil {
			return err
		}
		defer s.Close()
		silence()
		return s.QueryRowContext(ctx, 1).Scan(new(int))
	},
	"close of a prepared query": func(ctx context.Context, db *DB, silence func()) error {
		s, err := db.read.PrepareContext(ctx, `SELECT $1::int`)
		if err != nil {
			return err
		}
		silence()
		return s.Close()
	},
	"begin": func(ctx context.Context, db *DB, silence func()) error {
		silence()
		return db.InTx(ctx, func(*Tx) error { return nil })
	},
	"commit": func(ctx context.Context, db *DB, silence func()) error {
		return db.InTx(ctx, func(tx *Tx) error {
			_, err := tx.exec(ctx, `UPDATE pairs SET b = b WHERE a = ?`, 1)
			silence()
			return err
		})
	},
	"rollback": func(ctx context.Context, db *DB, silence func()) error {
		return db.InTx(ctx, func(tx *Tx) error {
			_, err := tx.exec(ctx, `UPDATE pairs SET b = b WHERE a = ?`, 1)
			silence()
			return errors.Join(err, errSilent)
		})
	},
	"copy": func(ctx context.Context, db *DB, silence func()) error {
		ctx = context.WithoutCancel(ctx) // as Load does
		tx, err := db.write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		s, err := tx.PrepareContext(ctx, `COPY texts (a) FROM STDIN`)
		if err != nil {
			return err
		}
		silence()
		for range 300 {
			if _, err := s.ExecContext(ctx, string(bytes.Repeat([]byte("x"), 100_000))); err != nil {
				return err
			}
		}
		if _, err := s.ExecContext(ctx); err != nil {
			return err
		}
		return tx.Commit()
	},
	"ping": func(ctx context.Context, db *DB, silence func()) error {
		silence()
		return db.write.PingContext(ctx)
	},
}

// What nobody waits for is not told: closing says nothing when the line is silent. And a transaction whose context has
// ended is over without a wait, as is a statement that takes long to be written down.
var (
	mayEndWell = map[string]bool{"close of rows": true, "close of a prepared query": true}
	mayNotWait = map[string]bool{"close of rows": true, "close of a prepared query": true, "commit": true,
		"rollback": true, "large exec": true}
)

// Whatever is done when a line falls silent ends soon after its context, and without one after the limit of silence;
// then the database is used again over new lines, at the first try, however many old ones the pool holds.
func TestAttack_silent_line_race(t *testing.T) {
	t.Parallel()
	url := testservers.Database(t)
	contexts := map[string]func() (context.Context, context.CancelFunc){
		"with a limit": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 200*time.Millisecond)
		},
		"called off": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(200*time.Millisecond, cancel)
			return ctx, cancel
		},
		"without an end": func() (context.Context, context.CancelFunc) { return context.Background(), func() {} },
	}
	silences := map[string]func(*testservers.Relay){"old lines": (*testservers.Relay).Silence,
		"all lines": (*testservers.Relay).SilenceAll}
	plain, _ := openThrough(t, url, usualLimits, 2)
	_, err := plain.exec(t.Context(), `CREATE TABLE pairs (a int, b int); INSERT INTO pairs VALUES (1, 1);
		CREATE TABLE texts (a text)`)
	if err != nil {
		t.Fatal(err)
	}
	for what, operation := range silentOperations {
		for ending, begin := range contexts {
			for lines, silence := range silences {
				t.Run(what+"/"+ending+"/"+lines, func(t *testing.T) {
					t.Parallel()
					db, relay := openThrough(t, url, shortLimits, 5)
					fillPool(t, db, 5)
					ctx, cancel := begin()
					defer cancel()
					within(t, 10*time.Second, what, func() {
						err := operation(ctx, db, func() { silence(relay) })
						if err == nil && !mayEndWell[what] {
							t.Errorf("no error, although nothing came")
						}
						if err != nil && !IsUnavailable(err) {
							t.Errorf("%v does not count as unavailable", err)
						}
					})
					relay.Pass()
					within(t, 10*time.Second, "the next query", func() {
						ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
						defer cancel()
						for try := 0; ; try++ {
							err := db.Get(ctx, new(int), `SELECT ?::int`, 1)
							if err == nil {
								return
							}
							if !mayNotWait[what] || try > 0 { // then this is the first to wait for a silent line
								t.Errorf("try %d after the silence: %v", try, err)
								return
							}
						}
					})
				})
			}
		}
	}
}

// fillPool makes a pool hold so many idle connections.
func fillPool(t testing.TB, db *DB, n int) {
	t.Helper()
	for range n {
		c, err := db.write.Connx(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
}

// Closing the pools waits for none of their connections, idle, prepared, or at work.
func TestAttack_silent_line_at_close_race(t *testing.T) {
	t.Parallel()
	db, relay := openThrough(t, testservers.Database(t), shortLimits, 5)
	s, err := db.read.PrepareContext(t.Context(), `SELECT 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fillPool(t, db, 5)
	relay.SilenceAll()
	working := make(chan error)
	go func() { working <- db.Get(Patiently(context.Background()), new(int), `SELECT ?::int`, 1) }()
	time.Sleep(50 * time.Millisecond)
	within(t, 5*time.Second, "Close", func() { db.Close() })
	within(t, 5*time.Second, "the query", func() {
		if <-working == nil {
			t.Error("a query on a closed database has an answer")
		}
	})
}

// A connection that cannot be made is an error in time, whatever the server does in the middle of it.
func TestAttack_silent_handshake_race(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(*testservers.Relay){"silent": (*testservers.Relay).SilenceAll,
		"gone": (*testservers.Relay).Close} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			db, relay := openThrough(t, testservers.Database(t), shortLimits, 5)
			spoil(relay)
			for ending, ctx := range map[string]context.Context{"with a limit": limited(t),
				"without an end": t.Context()} {
				within(t, 5*time.Second, "a query "+ending, func() {
					if err := db.Get(ctx, new(int), `SELECT ?::int`, 1); !IsUnavailable(err) {
						t.Errorf("a query %s: %v, want it unavailable", ending, err)
					}
				})
			}
		})
	}
}

func limited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// A statement that takes its time is no silent line: patiently, and within its context.
func TestLine_patient(t *testing.T) {
	t.Parallel()
	db, _ := openThrough(t, testservers.Database(t), shortLimits, 2)
	sleep := `SELECT pg_sleep(1)`
	if _, err := db.exec(Patiently(t.Context()), sleep); err != nil {
		t.Errorf("a patient statement: %v", err)
	}
	if _, err := db.exec(t.Context(), sleep); !IsUnavailable(err) {
		t.Errorf("a statement beyond the limit of silence: %v, want it given up", err)
	}
	if _, err := db.exec(t.Context(), `SELECT pg_sleep(0.1)`); err != nil {
		t.Errorf("a short statement: %v", err)
	}
}

// A statement that is called off and ends in time says nothing against the other connections.
func TestLine_called_off(t *testing.T) {
	t.Parallel()
	limits := shortLimits
	limits.grace, limits.cancel = 5*time.Second, 5*time.Second
	db, relay := openThrough(t, testservers.Database(t), limits, 5)
	fillPool(t, db, 5)
	before := relay.Connections()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := db.exec(ctx, `SELECT pg_sleep(60)`); err == nil {
		t.Fatal("the statement was not called off")
	}
	fillPool(t, db, 4)
	if made := relay.Connections() - before; made != 1 {
		t.Errorf("%d connections were made, want one, to call the statement off", made)
	}
}

// Whoever is cut off in the middle of a transaction does not keep its locks for ever.
func TestLine_orphans_end(t *testing.T) {
	t.Parallel()
	db, _ := openThrough(t, testservers.Database(t), usualLimits, 2)
	var setting string
	if err := db.Get(t.Context(), &setting, `SHOW idle_in_transaction_session_timeout`); err != nil || setting != "30s" {
		t.Errorf("idle_in_transaction_session_timeout is %q, %v", setting, err)
	}
}

// With TLS the same holds: its own goodbye waits for nobody either.
func TestAttack_silent_line_tls(t *testing.T) {
	t.Parallel()
	crt, key := selfSigned(t)
	server, err := testservers.Postgres(t.Context(), testservers.FastUnsafe, testservers.Setting("ssl_cert_file", crt),
		testservers.Setting("ssl_key_file", key), testservers.Setting("ssl", "on"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	url := server.URL[:len(server.URL)-len("disable")] + "require"
	db, relay := openThrough(t, url, shortLimits, 5)
	fillPool(t, db, 5)
	var encrypted bool
	if err := db.Get(t.Context(), &encrypted, `SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`); err != nil || !encrypted {
		t.Fatalf("encrypted: %v, %v", encrypted, err)
	}
	relay.SilenceAll()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	within(t, 10*time.Second, "a query", func() {
		if err := db.Get(ctx, new(int), `SELECT ?::int`, 1); !IsUnavailable(err) {
			t.Errorf("%v, want it given up", err)
		}
	})
	relay.Pass()
	within(t, 10*time.Second, "the next query", func() {
		if err := db.Get(t.Context(), new(int), `SELECT ?::int`, 1); err != nil {
			t.Error(err)
		}
	})
	relay.SilenceAll()
	within(t, 10*time.Second, "Close", func() { db.Close() })
}

// selfSigned writes a certificate and its key where a PostgreSQL of another user can read them.
func selfSigned(t testing.TB) (crt, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder, remove, err := testservers.TempFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = remove() })
	crt, key = filepath.Join(folder, "server.crt"), filepath.Join(folder, "server.key")
	for path, block := range map[string]*pem.Block{crt: {Type: "CERTIFICATE", Bytes: public},
		key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := testservers.GiveToPostgres(path); err != nil {
			t.Fatal(err)
		}
	}
	return crt, key
}
