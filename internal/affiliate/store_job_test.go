package affiliate

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

func TestStoreJobSentence(t *testing.T) {
	morning := time.Date(2026, 11, 20, 9, 10, 0, 0, time.UTC)
	schedule := func(j StoreJob) StoreJob {
		j.Kind, j.Cause, j.From, j.Until = JobReconcile, CauseSchedule, morning, morning.Add(20*time.Minute)
		return j
	}
	history := func(j StoreJob) StoreJob {
		j.Kind, j.Cause, j.From, j.Until = JobHistory, CauseRequest, morning.AddDate(0, -2, 0), morning
		return j
	}
	nightly := schedule(StoreJob{Orders: 4032})
	nightly.Cause, nightly.From = CauseNightly, morning.AddDate(0, 0, -1)
	dry := schedule(StoreJob{Orders: 9, Missing: 1, DryRun: true})
	for _, c := range []struct {
		job  StoreJob
		want string
	}{
		{schedule(StoreJob{}), "No order changed since 10:10."},
		{schedule(StoreJob{Orders: 1}), "The one order that changed since 10:10 agrees."},
		{schedule(StoreJob{Orders: 4032}), "All 4032 orders that changed since 10:10 agree."},
		{nightly, "All 4032 orders that changed since 19 Nov 2026, 10:10 or may still change agree."},
		{schedule(StoreJob{Orders: 9, Missing: 2, Behind: 1, Different: 1, Extra: 1}),
			"Of 9 orders that changed since 10:10, 5 did not agree: 2 missing, 1 behind, 1 different, 1 extra. They " +
				"are as in the store now."},
		{dry, "Of 9 orders that changed since 10:10, 1 did not agree: 1 missing. Nothing was changed."},
		{history(StoreJob{}), "No order was placed from 20 Sep 2026 to 20 Nov 2026."},
		{history(StoreJob{Orders: 200, Missing: 199}),
			"200 orders were placed from 20 Sep 2026 to 20 Nov 2026: 199 were not here before."},
		{history(StoreJob{Orders: 200, Missing: 1, Behind: 2}),
			"200 orders were placed from 20 Sep 2026 to 20 Nov 2026: 1 was not here before. 2 others were put right."},
	} {
		if got := money.Plain(c.job.Sentence(time.FixedZone("CET", 3600))); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestStoreJobProgress(t *testing.T) {
	j := StoreJob{State: JobRunning, Expected: 1000, Orders: 200, Worked: 4000}
	if j.Rate() != 50 || j.Left() != 16*time.Second {
		t.Errorf("%v orders a second, %v left", j.Rate(), j.Left())
	}
	for _, none := range []StoreJob{{State: JobRunning, Expected: 1000}, {State: JobDone, Expected: 9, Orders: 9,
		Worked: 9000}, {State: JobStopped, Expected: 9, Orders: 3, Worked: 9000}} {
		if none.Left() != 0 {
			t.Errorf("%+v: %v left", none, none.Left())
		}
	}
}
