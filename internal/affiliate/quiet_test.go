package affiliate_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// monday is the first hour of a week.
var monday = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

// weeks gives four weeks of counts before monday, by the hour of the week (Monday 0:00 is 0).
func weeks(perHour func(hour int) int64) (counts []affiliate.HourCount) {
	for n := range 4 * 7 * 24 {
		at := monday.Add(time.Duration(n-4*7*24) * time.Hour)
		if sent := perHour(n % (7 * 24)); sent > 0 {
			counts = append(counts, affiliate.HourCount{Hour: at, N: sent})
		}
	}
	return counts
}

func TestQuiet(t *testing.T) {
	daytime := func(hour int) int64 { // 3 an hour from 8:00 to 20:00
		if hour%24 >= 8 && hour%24 < 20 {
			return 3
		}
		return 0
	}
	rare := func(hour int) int64 { // five deliveries a week, in three hours of it
		return map[int]int64{10: 2, 60: 2, 130: 1}[hour]
	}
	always := func(int) int64 { return 3 }
	for _, c := range []struct {
		name    string
		rhythm  func(int) int64
		last    time.Duration // after monday
		quiet   time.Duration
		unusual bool
		text    string
	}{
		{"busy, for an hour", always, 0, time.Hour, false,
			"quiet for 1 hour; usually 3 deliveries an hour at this time"},
		{"busy, for nine hours", always, 0, 9 * time.Hour, true,
			"quiet for 9 hours; usually 3 deliveries an hour at this time"},
		{"busy, for three days", always, 0, 72 * time.Hour, true, "quiet for 3 days; usually 3 deliveries an hour"},
		{"by day, over the night", daytime, -4 * time.Hour, 12 * time.Hour, false,
			"quiet for 12 hours, as usual at this time"},
		{"by day, into the afternoon", daytime, 8 * time.Hour, 6 * time.Hour, true,
			"quiet for 6 hours; usually 3 deliveries an hour at this time"},
		{"rare, for a day", rare, 0, 24 * time.Hour, false, "quiet for 24 hours; usually 2 deliveries a day"},
		{"rare, for six days", rare, 0, 6 * 24 * time.Hour, false, "quiet for 6 days; usually 1 delivery a day"},
		{"rare, for four weeks", rare, 0, 4 * 7 * 24 * time.Hour, true, ""},
		{"rare, for a year", rare, 0, 365 * 24 * time.Hour, true, "quiet for 365 days; usually 5 deliveries a week"},
		{"the clock was put back", always, 0, -time.Hour, false, "quiet for 0 minutes"},
	} {
		last := monday.Add(c.last)
		q := affiliate.NewRhythm(weeks(c.rhythm), last).Quiet(last, last.Add(c.quiet))
		if !q.Known || q.Unusual != c.unusual || c.text != "" && q.Text() != c.text {
			t.Errorf("%s: %+v, %q; want unusual %t, %q", c.name, q, q.Text(), c.unusual, c.text)
		}
	}
}

// TestQuiet_unknown: nobody is alarmed about a store that is hardly known.
func TestQuiet_unknown(t *testing.T) {
	var counts []affiliate.HourCount
	for n := range 20 {
		counts = append(counts, affiliate.HourCount{Hour: monday.Add(time.Duration(n-20) * time.Hour), N: 50})
	}
	q := affiliate.NewRhythm(counts, monday).Quiet(monday, monday.Add(50*time.Hour))
	if q.Known || q.Unusual || q.Text() != "quiet for 2 days" {
		t.Errorf("after a day: %+v, %q", q, q.Text())
	}
	if q := affiliate.NewRhythm(nil, monday).Quiet(monday, monday.Add(time.Hour)); q.Known || q.Unusual {
		t.Errorf("without any delivery: %+v", q)
	}
}

// TestQuiet_grows: a silence that goes on does not become usual again, and what is usual only grows.
func TestQuiet_grows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.SliceOfN(rapid.Int64Range(0, 4), 7*24, 7*24).Draw(t, "sent")
		last := monday.Add(time.Duration(rapid.IntRange(0, 24*60).Draw(t, "last")) * time.Minute)
		rhythm := affiliate.NewRhythm(weeks(func(hour int) int64 { return sent[hour] }), last)
		a := rapid.IntRange(0, 50_000).Draw(t, "minutes")
		b := a + rapid.IntRange(0, 10_000).Draw(t, "minutes more")
		short := rhythm.Quiet(last, last.Add(time.Duration(a)*time.Minute))
		long := rhythm.Quiet(last, last.Add(time.Duration(b)*time.Minute))
		if short.Unusual && !long.Unusual || short.Usual < 0 {
			t.Fatalf("%+v, later %+v", short, long)
		}
		if b <= 4*7*24*60 && long.Usual < short.Usual-1e-9 {
			t.Fatalf("usual shrinks from %v to %v", short.Usual, long.Usual)
		}
	})
}
