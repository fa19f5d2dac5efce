package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lib/pq"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestIsUnavailable(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&pq.Error{Code: "57P01"}, true},
		{&pq.Error{Code: "57P03"}, true},
		{&pq.Error{Code: "53300"}, true},
		{&pq.Error{Code: "40001"}, true},
		{&pq.Error{Code: "55P03"}, true},
		{&pq.Error{Code: "25006"}, true},
		{&pq.Error{Code: "25001"}, false},
		{&pq.Error{Code: "42601"}, false},
		{&pq.Error{Code: "23503"}, false},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{context.DeadlineExceeded, true},
		{context.Canceled, true},
		{driver.ErrBadConn, true},
		{io.ErrUnexpectedEOF, true},
		{errors.New("sql: database is closed"), true},
		{errors.New("sql: Scan error on column index 3"), false},
		{errors.New("a fault of this program"), false},
		{sql.ErrNoRows, false},
		{affiliate.Errorf(affiliate.NotFound, "not found"), false},
		{nil, false},
	} {
		if got := IsUnavailable(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
		if c.err != nil && IsUnavailable(fmt.Errorf("read: %w", c.err)) != c.want {
			t.Errorf("wrapped %v: %v, want %v", c.err, !c.want, c.want)
		}
	}
}

// TestIsUnavailable_busy: another connection writes to the SQLite file for longer than is waited for.
func TestIsUnavailable_busy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "busy.db")
	open := func() *sql.DB {
		t.Helper()
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(1)&_txlock=immediate")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() }) // it goes with the test
		return db
	}
	first, second := open(), open()
	tx, err := first.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := second.BeginTx(t.Context(), nil); err == nil || !IsUnavailable(err) {
		t.Errorf("a busy file gives %v, which is not told as unavailable", err)
	}
}

// TestOpen_race: commands that start at once on a new file wait for each other.
func TestOpen_race(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "new.db")
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				db, err := Open(t.Context(), Options{Path: path})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := db.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}
