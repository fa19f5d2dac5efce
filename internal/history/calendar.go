package history

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// day is one local day of the history with how much happens on it. The last day ends now.
type day struct {
	text        string
	start, end  time.Time // the half-open part of it that is told
	conversions int
	uncredited  int
	firstOrder  int // how many orders there are before it
	firstSale   int // how many conversions there are before it
	firstEntry  int // how many ledger entries of conversions there are before it
}

func (d day) orders() int { return d.conversions + d.uncredited }

// calendar spreads conversions, and orders without a creator beside them, over the days of [from, now).
func calendar(from, now time.Time, zone *time.Location, conversions, uncredited int) []day {
	var days []day
	var weights []float64
	local := from.In(zone)
	for start := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone); start.Before(now); {
		next := time.Date(start.Year(), start.Month(), start.Day()+1, 0, 0, 0, 0, zone)
		d := day{text: affiliate.Day(start, zone), start: start, end: next}
		if d.end.After(now) {
			d.end = now
		}
		days = append(days, d)
		weights = append(weights, dayWeight(start)*growth(from,
			start)*float64(d.end.Sub(start))/float64(next.Sub(start)))
		start = next
	}
	for i, n := range shares(weights, conversions) {
		days[i].conversions = n
	}
	for i, n := range shares(weights, uncredited) {
		days[i].uncredited = n
	}
	for i := 1; i < len(days); i++ {
		days[i].firstOrder = days[i-1].firstOrder + days[i-1].orders()
		days[i].firstSale = days[i-1].firstSale + days[i-1].conversions
	}
	return days
}

// shares divides n by weights; the shares add up to n.
func shares(weights []float64, n int) []int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	list := make([]int, len(weights))
	so, given := 0.0, 0
	for i, w := range weights {
		so += w
		upTo := int(math.Round(so / sum * float64(n)))
		list[i] = upTo - given
		given = upTo
	}
	return list
}

// growth is by a third a year.
func growth(from, at time.Time) float64 { return math.Pow(1.33, at.Sub(from).Hours()/24/365) }

// weekdays is how much is bought on each, from Sunday on.
var weekdays = [...]float64{1.14, 1.08, 1.02, 1.0, 0.97, 0.86, 0.93}

// dayWeight is how much is bought on a day for its weekday and season.
func dayWeight(at time.Time) float64 {
	w := weekdays[at.Weekday()]
	friday := blackFriday(at.Year())
	switch days := at.YearDay() - friday; {
	case days == 0:
		return w * 7
	case days == 1 || days == 2:
		return w * 3.2
	case days == 3: // Cyber Monday
		return w * 5.5
	case days >= -7 && days < 0:
		return w * 1.9
	case days > 3 && at.Month() == time.December && at.Day() < 19:
		return w * 1.5
	case at.Month() == time.December && at.Day() >= 22:
		return w * 0.6
	}
	switch at.Month() {
	case time.January, time.February:
		return w * 0.8
	case time.July, time.August:
		return w * 0.9
	}
	return w
}

// blackFriday gives the day of the year after the fourth Thursday of November.
func blackFriday(year int) int {
	first := time.Date(year, time.November, 1, 0, 0, 0, 0, time.UTC)
	thursday := (int(time.Thursday) - int(first.Weekday()) + 7) % 7
	return first.YearDay() + thursday + 3*7 + 1
}

// hours is how much is bought in each.
var hours = []int{4, 2, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 7, 6, 6, 6, 6, 7, 8, 10, 12, 11, 9, 6}

var hoursSum = func() (sum int) {
	for _, n := range hours {
		sum += n
	}
	return sum
}()

// times makes up n moments of a day in their order, most of them in the evening.
func (d day) times(r *rand.Rand, n int) []time.Time {
	list := make([]time.Time, n)
	for i := range list {
		pick, hour := r.IntN(hoursSum), 0
		for ; pick >= hours[hour]; hour++ {
			pick -= hours[hour]
		}
		at := d.start.Add(time.Duration(hour)*time.Hour + time.Duration(r.IntN(3600))*time.Second)
		if !at.Before(d.end) {
			at = d.start.Add(time.Duration(r.Int64N(int64(d.end.Sub(d.start)))))
		}
		list[i] = at.UTC().Truncate(time.Second)
	}
	slices.SortFunc(list, time.Time.Compare)
	return list
}
