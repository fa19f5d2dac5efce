package app_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func TestClockWatch(t *testing.T) {
	eachRig(t, func(r *rig) {
		elapsed := time.Duration(0)
		r.at("10:00:00")
		watch := app.NewClockWatch(r.app, func() time.Duration { return elapsed })
		check := func(clock string, passed time.Duration) {
			r.Helper()
			r.at(clock)
			elapsed += passed
			if err := watch.Check(r.Context()); err != nil {
				r.Fatal(err)
			}
		}
		check("10:00:10", 10*time.Second)
		check("10:00:45", 10*time.Second) // 25 seconds too far
		r.wantGaps("of what happens every day")
		check("14:00:55", 10*time.Second)
		r.wantGaps("after a jump forward", "clock all 10:00:55-14:00:55")
		if watch.Steady() {
			r.Error("what is old may be erased right after a jump forward")
		}
		check("14:30:55", 30*time.Minute)
		check("14:30:55", 0)
		if watch.Steady() {
			r.Error("what is old may be erased half an hour after a jump forward")
		}
		check("15:01:00", 30*time.Minute+5*time.Second)
		if !watch.Steady() {
			r.Error("nothing is erased an hour after a jump forward")
		}
		check("11:01:00", 0)
		r.wantGaps("after a jump back", "clock all 10:00:55-14:00:55", "clock all 15:01:00-11:01:00")
		if !watch.Steady() {
			r.Error("nothing is erased after a jump back")
		}
	})
}

// TestClockWatch_start: what came in the future says that the clock was put back while the server was away.
func TestClockWatch_start(t *testing.T) {
	eachRig(t, func(r *rig) {
		start := func() {
			r.Helper()
			if err := app.NewClockWatch(r.app, nil).Start(r.Context()); err != nil {
				r.Fatal(err)
			}
		}
		r.at("10:00:00")
		start()
		_, err := r.db.InsertDeliveries(r.Context(), []storage.NewDelivery{{StoreID: 1, Topic: "x",
			ReceivedAt: r.app.Now().Add(13 * time.Hour), Payload: []byte{1}}}, nil)
		if err != nil {
			r.Fatal(err)
		}
		start()
		start()
		r.at("11:00:00")
		start()
		r.wantGaps("at the starts", "clock all 23:00:00-10:00:00")
	})
}

// TestClockPutBack: what came while the clock was a day ahead is processed, and does not wait for that day.
func TestClockPutBack(t *testing.T) {
	eachRig(t, func(r *rig) {
		now := time.Now()
		r.app.Now = func() time.Time { return now.Add(24 * time.Hour) }
		r.send(paidOrder("1", "ANNA10", 1))
		r.app.Now = func() time.Time { return now }
		ids, err := r.db.DueDeliveries(r.Context(), now, now, 10)
		if err != nil || len(ids) != 1 {
			r.Fatalf("due are %v, %v", ids, err)
		}
		if err := r.processor.Process(r.Context(), ids); err != nil {
			r.Fatal(err)
		}
		if got := r.commission("1"); got != "Anna 1000" {
			r.Errorf("got %s", got)
		}
	})
}
