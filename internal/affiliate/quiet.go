package affiliate

import (
	"fmt"
	"math"
	"time"
)

// HourCount is how many deliveries of a store came in the hour that begins at Hour.
type HourCount struct {
	Hour time.Time
	N    int64
}

// RhythmSpan is how far back a store's usual rhythm is looked for.
const RhythmSpan = 4 * 7 * 24 * time.Hour

const hoursOfWeek = 7 * 24

// Rhythm is how often a store usually sends something, by the hour of the week (UTC).
type Rhythm struct {
	sent   [hoursOfWeek]int64 // deliveries
	active [hoursOfWeek]int   // hours with deliveries
	seen   [hoursOfWeek]int   // hours that were looked at
	hours  int                // all of them
	busy   int                // those with deliveries
}

// NewRhythm learns from the hours before a time, the first of which is the first with a delivery, RhythmSpan ago at
// most. Counts are of whole hours and in order.
func NewRhythm(counts []HourCount, until time.Time) (r Rhythm) {
	until = until.UTC().Truncate(time.Hour)
	from := until.Add(-RhythmSpan)
	n := map[int64]int64{}
	first := until
	for _, c := range counts {
		hour := c.Hour.UTC().Truncate(time.Hour)
		if hour.Before(from) || !hour.Before(until) || c.N <= 0 {
			continue
		}
		n[hour.Unix()] += c.N
		if hour.Before(first) {
			first = hour
		}
	}
	for hour := first; hour.Before(until); hour = hour.Add(time.Hour) {
		at := hourOfWeek(hour)
		r.seen[at]++
		r.hours++
		if sent := n[hour.Unix()]; sent > 0 {
			r.sent[at] += sent
			r.active[at]++
			r.busy++
		}
	}
	return r
}

func hourOfWeek(t time.Time) int { return int(t.Weekday())*24 + t.Hour() }

// known says whether there is enough to know a rhythm by: three days, with deliveries in ten hours of them.
func (r Rhythm) known() bool { return r.hours >= 3*24 && r.busy >= 10 }

// usual gives what is usual between two times: how many deliveries come, and how likely it is that none does. Stores
// send several deliveries for one order, so that the chance goes by hours with deliveries and not by deliveries. An
// hour of the week that was seen a few times only is taken to be partly like all others.
func (r Rhythm) usual(from, to time.Time) (deliveries, none float64) {
	all, perHour := 0.0, 0.0
	if r.hours > 0 {
		all = float64(r.busy) / float64(r.hours)
		for _, n := range r.sent {
			perHour += float64(n) / float64(r.hours)
		}
	}
	logNone := 0.0
	for at := from.UTC(); at.Before(to); {
		next := at.Truncate(time.Hour).Add(time.Hour)
		part := min(next.Sub(at), to.Sub(at)).Hours()
		i := hourOfWeek(at)
		logNone += part * math.Log1p(-min(0.99, (float64(r.active[i])+all)/float64(r.seen[i]+1)))
		if r.seen[i] > 0 {
			deliveries += part * float64(r.sent[i]) / float64(r.seen[i])
		} else {
			deliveries += part * perHour
		}
		at = next
	}
	return deliveries, math.Exp(logNone)
}

// Quiet is for how long nothing has come from a store, compared with its usual rhythm.
type Quiet struct {
	Since   time.Time
	For     time.Duration
	Known   bool    // whether the rhythm is known; the rest is empty otherwise
	Usual   float64 // deliveries that come in such a time
	Unusual bool    // silence of this length comes about by chance once in a thousand times
}

// byChance is how likely a silence may be that nobody is told of.
const byChance = 0.001

// Quiet compares the time since the last delivery with the rhythm before it.
func (r Rhythm) Quiet(last, now time.Time) Quiet {
	q := Quiet{Since: last, For: max(0, now.Sub(last))}
	if q.Known = r.known(); !q.Known {
		return q
	}
	looked := min(q.For, RhythmSpan) // whatever is longer is as unusual
	usual, none := r.usual(last, last.Add(looked))
	q.Usual = usual
	if looked > 0 {
		q.Usual *= float64(q.For) / float64(looked)
	}
	q.Unusual = q.For >= time.Hour && none < byChance
	return q
}

// Text says it in words: "quiet for 9 hours; usually 3 deliveries an hour at this time".
func (q Quiet) Text() string {
	text := "quiet for " + spanText(q.For)
	if !q.Known || q.For <= 0 {
		return text
	}
	hourly := q.Usual / q.For.Hours()
	switch {
	case q.Usual < 0.75 && q.For <= 24*time.Hour:
		return text + ", as usual at this time"
	case hourly >= 0.75 && q.For <= 24*time.Hour:
		return text + "; usually " + deliveriesText(hourly) + " an hour at this time"
	case hourly >= 0.75:
		return text + "; usually " + deliveriesText(hourly) + " an hour"
	case hourly*24 >= 0.75:
		return text + "; usually " + deliveriesText(hourly*24) + " a day"
	case hourly*hoursOfWeek >= 0.75:
		return text + "; usually " + deliveriesText(hourly*hoursOfWeek) + " a week"
	}
	return text + "; usually less than one delivery a week"
}

func deliveriesText(n float64) string { return counted(int64(math.Round(n)), "delivery", "deliveries") }

// spanText writes a span in its largest unit: "40 minutes", "9 hours", "3 days".
func spanText(d time.Duration) string {
	switch {
	case d < time.Hour:
		return counted(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return counted(int64(d/time.Hour), "hour", "hours")
	}
	return counted(int64(d/(24*time.Hour)), "day", "days")
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
