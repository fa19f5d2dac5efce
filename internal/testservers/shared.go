//go:build unix

package testservers

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Environment variables with the address of a server for all packages of a test run; see the run command beside this
// package. Without them, every test process starts its own.
const (
	PostgresEnv = "TEST_DATABASE_URL"
	RedisEnv    = "TEST_REDIS_URL"
)

// databases is how many logical databases the shared Redis has.
const databases = 4096

// ManyDatabases gives a Redis enough logical databases for [RedisDB].
func ManyDatabases(o *options) { Setting("databases", strconv.Itoa(databases))(o) }

// The servers of this process. They are variables because the tests of a package have nothing else in common. Nobody
// closes them: they end with the process, as the package comment tells.
var (
	ownPostgres = sync.OnceValues(func() (string, error) { return urlOf(Postgres(context.Background(), FastUnsafe)) })
	ownRedis    = sync.OnceValues(func() (string, error) { return urlOf(Redis(context.Background(), ManyDatabases)) })

	templates sync.Mutex // one test at a time makes a template, the others use it
	made      = map[string]bool{}

	copying sync.Mutex
	copiers = map[string]*copier{} // by the address of the server
)

func urlOf(s *Server, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return s.URL, nil
}

// PostgresURL returns the address of the PostgreSQL that the tests share. Most tests want [Database].
func PostgresURL(t testing.TB) string {
	t.Helper()
	return shared(t, PostgresEnv, ownPostgres)
}

// RedisURL returns the address of the Redis that the tests share. Most tests want [RedisDB].
func RedisURL(t testing.TB) string {
	t.Helper()
	return shared(t, RedisEnv, ownRedis)
}

func shared(t testing.TB, env string, own func() (string, error)) string {
	t.Helper()
	if address := os.Getenv(env); address != "" {
		return address
	}
	address, err := own()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Database creates an empty PostgreSQL database for one test, drops it at the end, and returns its URL.
func Database(t testing.TB) string {
	t.Helper()
	return newDatabase(t, PostgresURL(t), "template0")
}

// DatabaseFrom is [Database] with a copy of a template instead of an empty database. If the shared server has no
// database of that name yet, it is made by fill, which gets the URL of an empty database and must have closed its
// connections when it returns. So a schema is built once for all tests; the name should change with the schema, for
// example by a hash.
func DatabaseFrom(t testing.TB, template string, fill func(url string) error) string {
	t.Helper()
	server := PostgresURL(t)
	if err := ensureTemplate(t, server, template, fill); err != nil {
		t.Fatalf("template database %s: %v", template, err)
	}
	return newDatabase(t, server, template)
}

func ensureTemplate(t testing.TB, server, template string, fill func(url string) error) error {
	templates.Lock()
	defer templates.Unlock()
	if made[server+template] {
		return nil
	}
	exists := func() (bool, error) {
		answer, err := askPostgres(t.Context(), server, "SELECT 1 FROM pg_database WHERE datname = '"+strings.ReplaceAll(template, "'", "''")+"'")
		return answer != "", err
	}
	if ok, err := exists(); ok || err != nil {
		made[server+template] = ok
		return err
	}
	// Filled under another name first: another process may be doing the same, and nobody may copy a half-filled one.
	name := uniqueName()
	address := createDatabase(t, server, name, "template0")
	err := fill(address)
	if err == nil {
		_, err = askPostgres(t.Context(), server, "ALTER DATABASE "+name+" RENAME TO "+quote(template))
		if ok, _ := exists(); err != nil && ok {
			err = nil // the other process was faster
		}
	}
	dropDatabase(t, server, name)
	made[server+template] = err == nil
	return err
}

func newDatabase(t testing.TB, server, template string) string {
	t.Helper()
	name := uniqueName()
	address := createDatabase(t, server, name, template)
	t.Cleanup(func() { dropDatabase(t, server, name) })
	return address
}

func createDatabase(t testing.TB, server, name, template string) string {
	t.Helper()
	c, err := copierOf(t.Context(), server)
	if err == nil {
		_, err = firstValue(t.Context(), c.db, "CREATE DATABASE "+name+" TEMPLATE "+quote(template)+c.strategy)
	}
	if err != nil {
		t.Fatalf("create a database for this test: %v", err)
	}
	return withPath(t, server, name)
}

// copier makes and drops databases, on a connection that stays: measured, one takes 20 ms to begin.
type copier struct {
	db       *sql.DB
	strategy string
}

// copierOf gives the copier of a server. PostgreSQL writes a new database to its log since version 15, page by page;
// copying the files, as it did before, takes a third of the time (measured: 16 in place of 51 ms), and a log is of no
// use to tests.
func copierOf(ctx context.Context, server string) (*copier, error) {
	copying.Lock()
	defer copying.Unlock()
	if c := copiers[server]; c != nil {
		return c, nil
	}
	db, err := sql.Open("postgres", server)
	if err != nil {
		return nil, err
	}
	c := &copier{db: db}
	number, err := firstValue(ctx, db, "SHOW server_version_num")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if version, _ := strconv.Atoi(number); version >= 150000 {
		c.strategy = " STRATEGY FILE_COPY"
	}
	copiers[server] = c
	return c, nil
}

func dropDatabase(t testing.TB, server, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // t.Context() has ended in a cleanup
	defer cancel()
	c, err := copierOf(ctx, server)
	if err == nil {
		_, err = firstValue(ctx, c.db, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}
	if err != nil {
		t.Errorf("drop the database of this test: %v", err)
	}
}

// RedisDB returns the URL of an empty logical database of the shared Redis, for one test; it is emptied at the end.
// The numbers are reused after 4095 others. Publish and subscribe know no databases: a channel is the same in all of
// them, so a test that counts messages needs channel names of its own, or its own [Redis].
func RedisDB(t testing.TB) string {
	t.Helper()
	server := RedisURL(t)
	// One script, so that the number is chosen once, and a SELECT that fails cannot lead to a FLUSHDB elsewhere.
	const script = `local n = (redis.call('INCR', KEYS[1]) - 1) % tonumber(ARGV[1]) + 1
redis.call('SELECT', n)
redis.call('FLUSHDB')
return n`
	answer, err := redisCommand(t.Context(), server, "EVAL", script, "1", "testservers:databases",
		strconv.Itoa(databases-1))
	if err != nil {
		t.Fatalf("a Redis database for this test: %v", err)
	}
	number, err := strconv.Atoi(answer)
	if err != nil {
		t.Fatalf("a Redis database for this test: %s (the server at %s must run with --databases %d)", answer,
			RedisEnv, databases)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		const script = `redis.call('SELECT', ARGV[1]); return redis.call('FLUSHDB')`
		if err := redisOK(ctx, server, "EVAL", script, "0", answer); err != nil {
			t.Errorf("empty the Redis database of this test: %v", err)
		}
	})
	return withPath(t, server, strconv.Itoa(number))
}

// withPath returns the address of another database on the same server.
func withPath(t testing.TB, server, path string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("address of the shared server: %v", err)
	}
	u.Path = "/" + path
	return u.String()
}

func uniqueName() string { return "test_" + strings.ToLower(rand.Text()) }

func quote(name string) string { return fmt.Sprintf(`"%s"`, strings.ReplaceAll(name, `"`, `""`)) }
