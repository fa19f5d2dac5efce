package jobs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// bank has published the rates of one day.
type bank struct {
	mu    sync.Mutex
	day   string
	down  bool
	asked int
}

func (b *bank) Source() string { return "test" }

func (b *bank) Latest(context.Context) ([]money.ReferenceRate, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.down {
		return nil, errors.New("closed for today")
	}
	return []money.ReferenceRate{{Day: b.day, Currency: "USD", Rate: money.One}}, nil
}

func (b *bank) Recent(ctx context.Context) ([]money.ReferenceRate, error)  { return b.Latest(ctx) }
func (b *bank) History(ctx context.Context) ([]money.ReferenceRate, error) { return b.Latest(ctx) }

// desk is an updater with a clock and a log that the test sees.
type desk struct {
	*testing.T
	*RateUpdater
	now time.Time
	log bytes.Buffer
}

func newDesk(t *testing.T, db *storage.DB, r *Redis, b *bank) *desk {
	d := &desk{T: t}
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	d.RateUpdater = &RateUpdater{App: &app.App{DB: db, Log: log, Rates: b, Now: func() time.Time {
		return d.now
	}}, Redis: r, Log: log}
	return d
}

// at lets the updater do what is due at a time, and gives how often the bank was asked for it.
func (d *desk) at(now string, b *bank) int {
	d.Helper()
	before := b.asked
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		d.Fatal(err)
	}
	d.now = at
	d.Step(d.Context())
	return b.asked - before
}

func TestRateUpdater(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		b := &bank{day: "2026-04-10", down: true}
		d := newDesk(t, storagetest.SQLite(t), r, b)
		for _, step := range []struct {
			now    string
			change func()
			asked  int
			newest string
			logged string
			again  bool // conversions that wait are looked for once more
		}{
			{"2026-04-13T08:00:00Z", nil, 1, "", "exchange rates are not updated", true}, // a Monday
			{"2026-04-13T08:59:00Z", nil, 0, "", "", false},
			{"2026-04-13T09:00:00Z", nil, 1, "", "", true}, // failed again, and said so already
			{"2026-04-13T10:00:00Z", func() {
				b.down = false
			}, 1, "2026-04-10", "exchange rates are updated again", true},
			{"2026-04-13T12:00:00Z", nil, 0, "2026-04-10", "", false},
			{"2026-04-13T14:00:00Z", nil, 1, "2026-04-10", "", false}, // 16:00 in Berlin; the bank is late
			{"2026-04-13T14:30:00Z", func() { b.day = "2026-04-13" }, 0, "2026-04-10", "", false},
			{"2026-04-13T15:00:00Z", nil, 1, "2026-04-13", "new exchange rates", true},
			{"2026-04-13T16:00:00Z", nil, 0, "2026-04-13", "", false},
			{"2026-04-14T13:59:00Z", func() { b.down = true }, 0, "2026-04-13", "", false},
			{"2026-04-14T14:00:00Z", nil, 1, "2026-04-13", "exchange rates are not updated", true}, // another outage
		} {
			if step.change != nil {
				step.change()
			}
			d.log.Reset()
			asked := d.at(step.now, b)
			newest, err := d.App.DB.NewestRateDay(t.Context())
			if asked != step.asked || newest != step.newest || d.filled == step.again || err != nil {
				t.Errorf("%s: asked %d times, newest %q, look again %v, %v; want %d, %q, %v", step.now, asked, newest,
					!d.filled, err, step.asked, step.newest, step.again)
			}
			if got := d.log.String(); (step.logged == "") != (got == "") || !strings.Contains(got, step.logged) {
				t.Errorf("%s: logged %q, want %q", step.now, got, step.logged)
			}
		}
	})
}

// TestRateUpdatersShareTheWork_race: of several processes one fetches; while it does the others wait, without it they
// go on.
func TestRateUpdatersShareTheWork_race(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		db := storagetest.SQLite(t)
		b := &bank{day: "2026-04-10"}
		var all sync.WaitGroup
		for range 8 {
			d := newDesk(t, db, r, b)
			d.now = time.Date(2026, 4, 13, 8, 0, 0, 0, time.UTC)
			all.Go(func() { d.Step(t.Context()) })
		}
		all.Wait()
		if b.asked != 1 {
			t.Errorf("the bank was asked %d times, want once", b.asked)
		}
		if n, err := r.Client().Exists(t.Context(), ratesLock).Result(); n != 0 || err != nil {
			t.Errorf("the lock is still there: %d, %v", n, err)
		}
		if err := r.Client().Set(t.Context(), ratesLock, "another process", time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		b.day = "2026-04-13"
		late := newDesk(t, db, r, b)
		if n := late.at("2026-04-13T14:00:00Z", b); n != 0 {
			t.Errorf("asked %d times while another process does", n)
		}
		if holder, err := r.Client().Get(t.Context(), ratesLock).Result(); holder != "another process" || err != nil {
			t.Errorf("the lock of another process is now %q, %v", holder, err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if n := late.at("2026-04-13T14:01:00Z", b); n != 1 {
			t.Errorf("asked %d times without Redis, want once", n)
		}
	})
}

// TestRateUpdaterOff: without a source nobody is asked, and nothing fails.
func TestRateUpdaterOff(t *testing.T) {
	r, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d := newDesk(t, storagetest.SQLite(t), r, nil)
	d.App.Rates = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.RateUpdater.Run(ctx) // ends
	d.Step(t.Context())
	if d.log.Len() > 0 {
		t.Errorf("logged %q", d.log.String())
	}
}
