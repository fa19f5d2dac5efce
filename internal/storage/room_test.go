package storage_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// tightDisk is a database on a disk whose room a test says.
func tightDisk(t *testing.T, reserve int64) (*storage.DB, *atomic.Int64) {
	t.Helper()
	var left atomic.Int64
	left.Store(reserve * 4)
	db, err := storage.Open(t.Context(), storage.Options{Path: filepath.Join(t.TempDir(), "tributary.db"),
		MinFree: reserve, Free: func(string) (int64, error) { return left.Load(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db, &left
}

// writes says whether a write of a context succeeds; one that does not must be told as a full disk.
func writes(t *testing.T, db *storage.DB, ctx context.Context) bool {
	t.Helper()
	err := db.InTx(ctx, func(tx *storage.Tx) error {
		return tx.SaveSettings(ctx, affiliate.DefaultSettings(), time.Now())
	})
	if err != nil && !storage.IsUnwritable(err) {
		t.Fatalf("a write that finds no room ends with: %v", err)
	}
	if err != nil && !storage.IsUnavailable(err) {
		t.Errorf("it is not told as something that may succeed later: %v", err)
	}
	return err == nil
}

// TestAttack_reserve: the disk fills up; first new things are refused, then work, and small writes never. It goes on by
// itself, and does not stutter at the edge.
func TestAttack_reserve(t *testing.T) {
	const reserve = 64 << 20
	db, left := tightDisk(t, reserve)
	ctx := t.Context()
	for _, step := range []struct {
		left                int64
		new, work, little   bool
		reason, detailNames string
	}{
		{reserve, true, true, true, "", ""},
		{reserve - 1, false, true, true, "nearly full", "64.0 MB"},
		{reserve/2 - 1, false, false, true, "nearly full", "MIN_FREE_BYTES"},
		{0, false, false, true, "nearly full", "0.0 MB left"},
		{reserve / 2, false, true, true, "nearly full", "DATA_DIR"},
		{reserve + 1, false, true, true, "nearly full", "goes on by itself"},
		{reserve + reserve/8, true, true, true, "", ""},
	} {
		left.Store(step.left)
		db.LookAgain()
		if got := writes(t, db, ctx); got != step.new {
			t.Errorf("%d left: new things are kept: %v, want %v", step.left, got, step.new)
		}
		if got := writes(t, db, storage.ForWork(ctx)); got != step.work {
			t.Errorf("%d left: work is done: %v, want %v", step.left, got, step.work)
		}
		if got := writes(t, db, storage.ForLittle(ctx)); got != step.little {
			t.Errorf("%d left: small writes are made: %v, want %v", step.left, got, step.little)
		}
		u := db.Unwritable()
		if (u == nil) != (step.reason == "") {
			t.Errorf("%d left: told %v", step.left, u)
		}
		if u != nil && (!strings.Contains(u.Reason, step.reason) || !strings.Contains(u.Detail, step.detailNames)) {
			t.Errorf("%d left: told %+v, want %q and %q", step.left, u, step.reason, step.detailNames)
		}
		if _, err := db.Settings(ctx); err != nil {
			t.Errorf("%d left: reading: %v", step.left, err)
		}
	}
}

// TestReserve_ballast: the server takes up some room while there is enough, and gives it back when others have taken
// the rest.
func TestReserve_ballast(t *testing.T) {
	const reserve = 64 << 20
	db, left := tightDisk(t, reserve)
	ballast := filepath.Join(db.Folder(), "reserve")
	size := func() int64 {
		t.Helper()
		db.LookAgain()
		if _, err := db.ProbeWriting(t.Context()); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(ballast)
		if err != nil {
			return 0
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("its mode is %v", info.Mode())
		}
		return info.Size()
	}
	if got := size(); got != 4<<20 {
		t.Errorf("with enough room it has %d bytes", got)
	}
	left.Store(reserve / 2)
	if got := size(); got != 4<<20 {
		t.Errorf("within the reserve it has %d bytes", got)
	}
	left.Store(4 << 10)
	if got := size(); got != 0 {
		t.Errorf("with no room it has %d bytes", got)
	}
	left.Store(reserve * 2)
	if got := size(); got != 4<<20 {
		t.Errorf("afterwards it has %d bytes", got)
	}
}

// TestAttack_disk_full_in_database: the database itself says that it has no more room, although the disk seems to have
// some. It is told, remembered until a write succeeds, and what was kept before is whole.
func TestAttack_disk_full_in_database(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		full, room := `PRAGMA max_page_count = 1`, `PRAGMA max_page_count = 1000000`
		fill := `CREATE TABLE filler AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
			SELECT i, hex(randomblob(100)) FROM n`
		if !db.Embedded() {
			full = `CREATE FUNCTION no_room() RETURNS event_trigger LANGUAGE plpgsql AS $$
				BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
				CREATE EVENT TRIGGER no_room ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS') EXECUTE FUNCTION no_room()`
			room = `DROP EVENT TRIGGER no_room`
			fill = `CREATE TABLE filler AS SELECT i FROM generate_series(1, 10) i`
		}
		if !writes(t, db, ctx) {
			t.Fatal("an empty database cannot be written")
		}
		must(t, db.Exec(storage.ForLittle(ctx), full))
		if err := db.Exec(ctx, fill); !storage.IsUnwritable(err) {
			t.Fatalf("a full disk is told as: %v", err)
		}
		for range 2 {
			u := db.Unwritable()
			if !db.Embedded() {
				var err error // its probe needs room, too
				u, err = db.ProbeWriting(ctx)
				must(t, err)
			}
			if u == nil || !strings.Contains(u.Reason, "full") {
				t.Errorf("the state is %+v", u)
			}
		}
		if _, err := db.Settings(ctx); err != nil {
			t.Errorf("reading: %v", err)
		}
		must(t, db.Exec(storage.ForLittle(ctx), room))
		u, err := db.ProbeWriting(ctx)
		must(t, err)
		if u != nil {
			t.Errorf("with room again the state is %+v", u)
		}
		if !writes(t, db, ctx) {
			t.Error("with room again nothing is kept")
		}
		must(t, db.Exec(ctx, fill))
	})
}

// TestAttack_standby: a PostgreSQL that became a standby is noticed although nobody writes.
func TestAttack_standby(t *testing.T) {
	ctx := t.Context()
	server, err := testservers.Postgres(ctx, testservers.FastUnsafe)
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	db, err := storage.Open(ctx, storage.Options{URL: server.URL})
	must(t, err)
	defer db.Close()
	_, err = db.Migrate(ctx)
	must(t, err)
	if u, err := db.ProbeWriting(ctx); u != nil || err != nil || !writes(t, db, ctx) {
		t.Errorf("the state of a primary is %+v, %v", u, err)
	}
	must(t, server.Stop())
	must(t, os.WriteFile(filepath.Join(server.Dir, "data", "standby.signal"), nil, 0o600))
	must(t, server.Start(ctx))
	for range 3 { // the pool has connections of before
		if _, err := db.Settings(ctx); err == nil {
			break
		}
	}
	for range 2 {
		u, err := db.ProbeWriting(ctx)
		if err != nil || u == nil || !strings.Contains(u.Detail, "standby") {
			t.Errorf("the state is %+v, %v", u, err)
		}
		if writes(t, db, ctx) {
			t.Error("a write succeeds")
		}
		if err := db.SetPreference(ctx, 1, "x", "y", time.Now()); !storage.IsUnwritable(err) {
			t.Errorf("a single statement ends with: %v", err)
		}
		if _, err := db.Settings(ctx); err != nil {
			t.Errorf("reading: %v", err)
		}
	}
	promote, err := storage.Open(ctx, storage.Options{URL: server.URL})
	must(t, err)
	defer promote.Close()
	must(t, promote.Promote(ctx))
	u, err := db.ProbeWriting(ctx)
	if err != nil || u != nil || !writes(t, db, ctx) {
		t.Errorf("after the failover the state is %+v, %v", u, err)
	}
}
