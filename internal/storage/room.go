package storage

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lib/pq"
	"modernc.org/sqlite"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Unwritable says why nothing new can be kept. Reading goes on meanwhile.
type Unwritable struct {
	Reason string // for anybody: "the disk is full"
	Detail string // for those who may know the server: names the folder and the remedy
}

// CodeNotWritable is the code of the errors that writes end with while nothing new can be kept.
const CodeNotWritable = "not_writable"

func (u *Unwritable) err() error {
	return &affiliate.Error{Kind: affiliate.Unavailable, Code: CodeNotWritable, Message: u.Detail}
}

// IsUnwritable says whether a write ended because nothing new can be kept now. It is nobody's fault who asked for it.
func IsUnwritable(err error) bool {
	var e *affiliate.Error
	return errors.As(err, &e) && e.Code == CodeNotWritable
}

// claim is how much of the reserve a write may use. What is not marked may use none.
type claim int

const (
	claimNone claim = iota
	claimHalf
	claimAll
)

type claimKey struct{}

// ForWork marks writes that finish what was taken in: the processing of deliveries, clicks. They may use the first half
// of the reserve.
func ForWork(ctx context.Context) context.Context {
	return context.WithValue(ctx, claimKey{}, claimHalf)
}

// ForLittle marks writes that are small, or make room, and without which nobody could look after the server: signing
// in, counts, signs of life, the erasing of what is old. They are tried whatever is left.
func ForLittle(ctx context.Context) context.Context {
	return context.WithValue(ctx, claimKey{}, claimAll)
}

// room keeps in mind whether there is room to write. With PostgreSQL, whose disk cannot be seen, it only remembers that
// writes failed; writes are tried all the same.
type room struct {
	folder  string // of the embedded database; empty with PostgreSQL
	reserve int64  // bytes of the disk that are kept free; 0: no look is taken
	free    func(folder string) (int64, error)

	mu      sync.Mutex
	looked  time.Time
	left    int64       // bytes, as of looked
	low     bool        // less is left than the reserve
	failure *Unwritable // of a write, until a probe succeeded
}

// lookEvery is how old the figure of what is left may become. Asking the system takes a microsecond or two.
const lookEvery = time.Second

// hardlyAny is what is left when the ballast goes.
const hardlyAny = 128 << 10

// look asks the system what is left, and gives it. After the reserve was touched an eighth more must be free before
// writing goes on, or it would stutter.
func (r *room) look() int64 {
	if r.reserve == 0 || time.Since(r.looked) < lookEvery {
		return r.left
	}
	r.looked = time.Now()
	left, err := r.free(r.folder)
	if err != nil {
		left = r.reserve * 2 // not known: writes tell
	}
	r.left = left
	r.low = left < r.reserve || r.low && left < r.reserve+r.reserve/8
	if left < hardlyAny {
		// For the small writes. Earlier, and whoever fills the disk would take that room, too.
		_ = os.Remove(r.ballast()) // where there is none nothing can be done
	}
	return left
}

// admit gives an error when a write must not begin.
func (r *room) admit(ctx context.Context) error {
	if r.folder == "" {
		return nil
	}
	c, _ := ctx.Value(claimKey{}).(claim)
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.look()
	if c == claimAll || c == claimHalf && (!r.low || left >= r.reserve/2) {
		return nil
	}
	if u := r.state(); u != nil {
		return u.err()
	}
	return nil
}

// state gives why nothing new can be kept, or nil.
func (r *room) state() *Unwritable {
	if r.failure == nil && r.low {
		return r.lowRoom()
	}
	return r.failure
}

func (r *room) lowRoom() *Unwritable {
	return &Unwritable{Reason: "the disk is nearly full", Detail: fmt.Sprintf("nothing new can be kept: the disk of "+
		"%s (DATA_DIR) has %s left, and %s are kept free (MIN_FREE_BYTES); free some room there or give it a larger "+
		"disk, and it goes on by itself", r.folder, megabytes(r.left), megabytes(r.reserve))}
}

// megabytes writes a size as people read it.
func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

// note remembers that a write failed for want of room, and gives the error that tells so.
func (r *room) note(err error) error {
	if err == nil || IsUnwritable(err) {
		return err
	}
	u := r.explain(err)
	if u == nil {
		return err
	}
	r.mu.Lock()
	r.failure, r.looked = u, time.Time{}
	r.mu.Unlock()
	if r.folder != "" {
		_ = os.Remove(r.ballast()) // for the small writes that follow
	}
	return fmt.Errorf("%w (%w)", u.err(), err)
}

// explain gives what an error says about the disk, or nil for any other.
func (r *room) explain(err error) *Unwritable {
	var pe *pq.Error
	if errors.As(err, &pe) {
		return explainPostgres(pe)
	}
	full := &Unwritable{Reason: "the disk is full", Detail: fmt.Sprintf("nothing new can be kept: the disk of %s "+
		"(DATA_DIR) is full; free some room there or give it a larger disk, and it goes on by itself", r.folder)}
	failing := &Unwritable{Reason: "the disk cannot be written", Detail: fmt.Sprintf("nothing new can be kept: files "+
		"in %s (DATA_DIR) cannot be written: the disk is full, over a quota or a limit of the size of files, "+
		"read-only, or failing; look at the disk and the system's log; when it can be written it goes on by itself",
		r.folder)}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch code := se.Code(); {
		case code&0xff == sqliteFull:
			return full
		case code&0xff == sqliteReadOnly, code == sqliteWrite, code == sqliteSync, code == sqliteSyncFolder,
			code == sqliteTruncate, code == sqliteSharedSize:
			if r.free != nil {
				if left, err := r.free(r.folder); err == nil && left < probeBytes {
					return full
				}
			}
			return failing
		}
		return nil
	}
	if isAny(err, syscall.ENOSPC, syscall.EDQUOT) {
		return full
	}
	if isAny(err, syscall.EFBIG, syscall.EROFS) {
		return failing
	}
	return nil
}

// Codes of SQLite: the kinds full and read-only, and I/O errors of writing.
const (
	sqliteReadOnly   = 8
	sqliteFull       = 13
	sqliteWrite      = 778
	sqliteSync       = 1034
	sqliteSyncFolder = 1290
	sqliteTruncate   = 1546
	sqliteSharedSize = 4874
)

func explainPostgres(pe *pq.Error) *Unwritable {
	switch {
	case pe.Code == "53100" || pe.Code == "XX000" && strings.Contains(pe.Message, "quota exceeded"):
		return &Unwritable{Reason: "the database's disk is full", Detail: "nothing new can be kept: the disk of " +
			"PostgreSQL (DATABASE_URL) is full; free some room there or give it a larger disk, and it goes on by " +
			"itself"}
	case pe.Code.Class() == "53":
		return &Unwritable{Reason: "the database is short of resources", Detail: fmt.Sprintf("nothing new can be "+
			"kept: PostgreSQL (DATABASE_URL) is short of resources: %s (%s); see its log", pe.Message, pe.Code)}
	case pe.Code == pqReadOnly, pe.Code == "0A000" && pe.Routine == "call_bool_check_hook": // of BEGIN READ WRITE
		return standby
	}
	return nil
}

var standby = &Unwritable{Reason: "the database can only be read", Detail: "nothing new can be kept: PostgreSQL " +
	"(DATABASE_URL) is a standby, or set to be read only; let DATABASE_URL lead to the primary, or promote this one, " +
	"and it goes on by itself"}

// Unwritable gives why nothing new can be kept now, or nil.
func (db *DB) Unwritable() *Unwritable {
	r := db.room
	r.mu.Lock()
	defer r.mu.Unlock()
	r.look()
	return r.state()
}

// ProbeWriting finds out whether writing has become possible again, or, on PostgreSQL, impossible, and gives the same
// as Unwritable. A server calls it every few seconds.
func (db *DB) ProbeWriting(ctx context.Context) (*Unwritable, error) {
	r := db.room
	r.mu.Lock()
	r.look()
	failed, low := r.failure != nil, r.low
	r.mu.Unlock()
	var err error
	switch {
	case !db.Embedded():
		if err = db.probeStandby(ctx); err == nil && failed {
			err = db.probePostgres(ctx)
		}
	case low:
		_, err = db.exec(ForLittle(ctx), saveRoom)
	case failed:
		err = db.probeEmbedded(ctx)
	default:
		err = r.keepBallast()
	}
	if failed && !low && err == nil {
		r.mu.Lock()
		r.failure = nil
		r.mu.Unlock()
	}
	if err = r.note(err); IsUnwritable(err) {
		err = nil // it is the state
	}
	return db.Unwritable(), err
}

// probeStandby notices a failover while nobody writes.
func (db *DB) probeStandby(ctx context.Context) error {
	var readOnly bool
	err := (queries{c: db.write, d: db.d}).Get(ctx, &readOnly,
		`SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'`)
	if err != nil {
		return err
	}
	if readOnly {
		return &pq.Error{Code: pqReadOnly, Message: "the database is read only"}
	}
	return nil
}

// probeRows make a table of about a megabyte: a small write may find a place in a page that is there already, and prove
// nothing.
const probeRows = 25_000

// probePostgres writes what needs new room on the disk, and leaves nothing of it behind. A user who may make no
// temporary table writes a row.
func (db *DB) probePostgres(ctx context.Context) error {
	err := db.InTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `CREATE TEMPORARY TABLE tributary_probe ON COMMIT DROP AS SELECT n FROM generate_series(1, ?::int) n`,
			probeRows)
		return err
	})
	var pe *pq.Error
	if errors.As(err, &pe) && pe.Code == "42501" {
		_, err = db.exec(ctx, `INSERT INTO settings (name, value, updated_at) VALUES ('probe', '', ?)
			ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at`, At(time.Now()))
	}
	return err
}

// probeEmbedded writes a file beside the database, and then to the database itself.
func (db *DB) probeEmbedded(ctx context.Context) error {
	path := filepath.Join(db.room.folder, ".probe")
	if err := errors.Join(writeWhole(path, probeBytes), os.Remove(path)); err != nil {
		return err
	}
	_, err := db.exec(ForLittle(ctx), `PRAGMA user_version = 0`) // nothing uses it; it is written all the same
	return err
}

const probeBytes = 256 << 10

// saveRoom carries what the write-ahead log holds over to the database file, so that the log begins anew in the room
// that it has already.
const saveRoom = `PRAGMA wal_checkpoint(PASSIVE)`

// ballast is a file that takes up room as long as there is enough. On a disk that others have filled to the last byte
// it is what the server has to give: a database is opened, somebody signs in.
func (r *room) ballast() string { return filepath.Join(r.folder, "reserve") }

const mostBallast = 4 << 20

func (r *room) ballastSize() int64 { return min(mostBallast, r.reserve/4) }

func (r *room) keepBallast() error {
	if r.reserve == 0 {
		return nil
	}
	if info, err := os.Stat(r.ballast()); err == nil && info.Size() >= r.ballastSize() {
		return nil
	}
	return writeWhole(r.ballast(), r.ballastSize())
}

// writeWhole writes a file of bytes that no file system can make small, or leaves none.
func writeWhole(path string, size int64) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	part := make([]byte, 64<<10)
	for ; size > 0 && err == nil; size -= int64(len(part)) {
		_, _ = rand.Read(part) // never fails
		_, err = f.Write(part[:min(size, int64(len(part)))])
	}
	if err = cmp.Or(err, f.Sync()); err != nil {
		_ = os.Remove(path)
	}
	return cmp.Or(err, f.Close())
}

// openSQLiteFull opens the embedded database, also where the disk is so full that its log finds no room: then the
// ballast goes.
func openSQLiteFull(ctx context.Context, o Options) (*DB, error) {
	r := &room{folder: filepath.Dir(o.Path), reserve: o.MinFree, free: o.Free}
	if absolute, err := filepath.Abs(r.folder); err == nil {
		r.folder = absolute
	}
	if r.free == nil {
		r.free = freeBytes
	}
	db, err := openSQLite(ctx, o.Path)
	if r.explain(err) != nil && os.Remove(r.ballast()) == nil {
		db, err = openSQLite(ctx, o.Path)
	}
	if err != nil {
		return nil, r.note(err)
	}
	db.room = r
	return db, nil
}
