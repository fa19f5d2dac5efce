package affiliate

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Preset names a report period that people pick from a list.
type Preset string

const (
	PeriodToday        Preset = "today"
	PeriodYesterday    Preset = "yesterday"
	PeriodLast7Days    Preset = "last_7_days"
	PeriodLast30Days   Preset = "last_30_days"
	PeriodLast90Days   Preset = "last_90_days"
	PeriodThisMonth    Preset = "this_month"
	PeriodLastMonth    Preset = "last_month"
	PeriodThisQuarter  Preset = "this_quarter"
	PeriodLastQuarter  Preset = "last_quarter"
	PeriodLast6Months  Preset = "last_6_months"
	PeriodYearToDate   Preset = "year_to_date"
	PeriodLast12Months Preset = "last_12_months"
	PeriodAllTime      Preset = "all_time"
	PeriodCustom       Preset = "custom"
)

// DefaultPeriod is what reports show when nobody has asked for another one.
const DefaultPeriod = PeriodLast6Months

// Presets gives all presets in the order in which people are shown them.
func Presets() []Preset {
	return []Preset{PeriodToday, PeriodYesterday, PeriodLast7Days, PeriodLast30Days, PeriodLast90Days, PeriodThisMonth,
		PeriodLastMonth, PeriodThisQuarter, PeriodLastQuarter, PeriodLast6Months, PeriodYearToDate, PeriodLast12Months,
		PeriodAllTime, PeriodCustom}
}

func (p Preset) word() string { return string(p) }

// Title is the preset as people read it: "Last 6 months".
func (p Preset) Title() string {
	words := strings.ReplaceAll(string(p), "_", " ")
	return strings.ToUpper(words[:min(1, len(words))]) + words[min(1, len(words)):]
}

// FirstReportDay and LastReportDay bound the days that a report may be asked for.
const (
	FirstReportDay = "1970-01-01"
	LastReportDay  = "2199-12-31"
)

// Range is the time that a report is about: the half-open local days [From, To) of a zone, each YYYY-MM-DD. An empty
// From means since the beginning, an empty To means without an end.
type Range struct {
	From, To string
	Zone     *time.Location
	Preset   Preset // says what the period before is; PeriodCustom when empty
}

// ParsePeriod reads a period as an address has it: a preset, or custom with its first day and the last day that counts.
// Nothing at all means DefaultPeriod, days without a preset mean custom. Of a custom period an empty from means since
// the beginning and an empty to means until today. Errors name the field period, from or to.
//
// The presets that are named for a number of days or months end with today; this month, this quarter and year to date
// reach from the unit's first day to today; last month and last quarter are whole units.
func ParsePeriod(preset, from, to string, now time.Time, zone *time.Location) (Range, error) {
	p := Preset(preset)
	switch {
	case p == "" && from == "" && to == "":
		p = DefaultPeriod
	case p == "":
		p = PeriodCustom
	case !slices.Contains(Presets(), p):
		err := FieldErrorf("period", "%q is not a period; it must be one of %s", Clip(preset, 40),
			presetList(Preset.word))
		return Range{}, ForPeople(err, fmt.Sprintf("%q is not a period; it must be one of %s", Clip(preset, 40),
			presetList(Preset.Title)))
	case p != PeriodCustom && from != "":
		return Range{}, onlyCustom("from", p)
	case p != PeriodCustom && to != "":
		return Range{}, onlyCustom("to", p)
	}
	if p == PeriodCustom {
		return customRange(from, to, now, zone)
	}
	first, end := p.days(date(Day(now, zone)))
	r := Range{Zone: zone, Preset: p}
	if p != PeriodAllTime {
		r.From, r.To = dayOf(first), dayOf(end)
	}
	return r, nil
}

func presetList(name func(Preset) string) string {
	names := make([]string, len(Presets()))
	for i, p := range Presets() {
		names[i] = name(p)
	}
	return strings.Join(names, ", ")
}

// onlyCustom is the error of a day beside a period that has its own.
func onlyCustom(field string, p Preset) error {
	const text = "goes with the period %s only, not with %s; leave one of them out"
	return ForPeople(FieldErrorf(field, text, PeriodCustom, p),
		fmt.Sprintf(text, PeriodCustom, strings.ToLower(p.Title())))
}

func customRange(from, to string, now time.Time, zone *time.Location) (Range, error) {
	r := Range{From: from, Zone: zone, Preset: PeriodCustom}
	if from == "" && to == "" {
		return r, FieldErrorf("from", "is missing: the period %s needs from, to or both, as days such as 2026-11-01",
			PeriodCustom)
	}
	if from != "" {
		if err := validReportDay("from", from); err != nil {
			return r, err
		}
	}
	last := Day(now, zone)
	if to != "" {
		if err := validReportDay("to", to); err != nil {
			return r, err
		}
		last = to
	}
	if last < from {
		if to == "" {
			return r, FieldErrorf("from", "is after today (%s); give the last day as to as well", last)
		}
		return r, FieldErrorf("to", "must not be before from (%s); it is the last day that counts", from)
	}
	r.To = dayOf(date(last).AddDate(0, 0, 1))
	return r, nil
}

func validReportDay(field, day string) error {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return FieldErrorf(field, "%q is not a day; it looks like 2026-11-01", Clip(day, 40))
	}
	if d := dayOf(t); d < FirstReportDay || d > LastReportDay {
		return FieldErrorf(field, "must be between %s and %s", FirstReportDay, LastReportDay)
	}
	return nil
}

// days gives the first day of a preset and the one behind its last, for today. Dates are midnights in UTC.
func (p Preset) days(today time.Time) (first, end time.Time) {
	tomorrow := today.AddDate(0, 0, 1)
	switch p {
	case PeriodToday:
		return today, tomorrow
	case PeriodYesterday:
		return today.AddDate(0, 0, -1), today
	case PeriodLast7Days:
		return tomorrow.AddDate(0, 0, -7), tomorrow
	case PeriodLast30Days:
		return tomorrow.AddDate(0, 0, -30), tomorrow
	case PeriodLast90Days:
		return tomorrow.AddDate(0, 0, -90), tomorrow
	case PeriodThisMonth:
		return monthStart(today, 1), tomorrow
	case PeriodLastMonth:
		this := monthStart(today, 1)
		return addMonths(this, -1), this
	case PeriodThisQuarter:
		return monthStart(today, 3), tomorrow
	case PeriodLastQuarter:
		this := monthStart(today, 3)
		return addMonths(this, -3), this
	case PeriodYearToDate:
		return monthStart(today, 12), tomorrow
	case PeriodLast12Months:
		return addMonths(tomorrow, -12), tomorrow
	}
	return addMonths(tomorrow, -6), tomorrow
}

// Previous gives the period that changes are measured against; false when there is none, since this one has no
// beginning or no end.
//
//   - last month and last quarter: the unit before;
//   - this month, this quarter and year to date: from the first day of the unit before to the same day in it, or to its
//     last day where it is shorter (of 1 to 31 March: all of February);
//   - the last 6 or 12 months: as many months before them;
//   - all others: as many days right before them; of today all of yesterday.
func (r Range) Previous() (Range, bool) {
	if r.From == "" || r.To == "" {
		return Range{}, false
	}
	from, to := date(r.From), date(r.To)
	before := Range{To: r.From, Zone: r.Zone, Preset: PeriodCustom}
	months := 0
	switch r.Preset {
	case PeriodLastMonth:
		months = 1
	case PeriodLastQuarter:
		months = 3
	case PeriodLast6Months:
		months = 6
	case PeriodLast12Months:
		months = 12
	case PeriodThisMonth:
		before.To = sameDayBefore(to, 1)
		months = 1
	case PeriodThisQuarter:
		before.To = sameDayBefore(to, 3)
		months = 3
	case PeriodYearToDate:
		before.To = sameDayBefore(to, 12)
		months = 12
	default:
		before.From = dayOf(from.AddDate(0, 0, -r.Days()))
		return before, true
	}
	before.From = dayOf(addMonths(from, -months))
	return before, true
}

// sameDayBefore moves the end of a period back by months, so that its last day keeps its number where it can.
func sameDayBefore(end time.Time, months int) string {
	last := addMonths(end.AddDate(0, 0, -1), -months)
	return dayOf(last.AddDate(0, 0, 1))
}

// Start is the first moment of the range, in UTC; zero when it has no beginning.
func (r Range) Start() time.Time {
	if r.From == "" {
		return time.Time{}
	}
	return dayStart(date(r.From), r.Zone)
}

// End is the first moment behind the range, in UTC; zero when it has no end.
func (r Range) End() time.Time {
	if r.To == "" {
		return time.Time{}
	}
	return dayStart(date(r.To), r.Zone)
}

// Last is the last day that counts; empty when the range has no end.
func (r Range) Last() string {
	if r.To == "" {
		return ""
	}
	return dayOf(date(r.To).AddDate(0, 0, -1))
}

// Days counts the days of the range; 0 when it has no beginning or no end.
func (r Range) Days() int {
	if r.From == "" || r.To == "" {
		return 0
	}
	return int(date(r.To).Sub(date(r.From)) / (24 * time.Hour))
}

// Contains says whether a local day is in the range.
func (r Range) Contains(day string) bool { return r.From <= day && (r.To == "" || day < r.To) }

// Bounded sets the ends that are open, for sums and charts that need both. A range that would end before it begins is
// empty.
func (r Range) Bounded(from, to string) Range {
	if r.From == "" {
		r.From = from
	}
	if r.To == "" {
		r.To = to
	}
	if r.To < r.From {
		r.To = r.From
	}
	return r
}

// Widened moves the beginning of a range back to that of its week or month, so that its first bucket is whole.
func (r Range) Widened(u Unit) Range {
	first, _ := u.around(date(r.From))
	if r.From != r.To {
		r.From = dayOf(first)
	}
	return r
}

// Like cuts the range into as many parts as there are buckets of another one that is as long, or nearly so: each as far
// from the beginning as its bucket is. The last one ends with the range.
func (r Range) Like(buckets []Bucket) []Bucket {
	list := make([]Bucket, len(buckets))
	end := date(r.To)
	at := func(day string) string {
		moved := date(r.From).Add(date(day).Sub(date(buckets[0].From)))
		if moved.After(end) {
			moved = end
		}
		return dayOf(moved)
	}
	for i, b := range buckets {
		list[i].Range = Range{From: at(b.From), To: at(b.To), Zone: r.Zone, Preset: PeriodCustom}
	}
	if n := len(list); n > 0 {
		list[n-1].To = r.To
	}
	return list
}

// String tells people the days and the zone: "2026-03-01 – 2026-03-31 (Europe/Berlin)".
func (r Range) String() string {
	days := r.From + " – " + r.Last()
	switch {
	case r.From == "" && r.To == "":
		days = "all time"
	case r.From == "":
		days = "until " + r.Last()
	case r.To == "":
		days = "since " + r.From
	case r.Days() == 1:
		days = r.From
	}
	return fmt.Sprintf("%s (%s)", days, r.Zone)
}

// Cover is a range as sums per month and per day make it up: each of its days is in one of the months (YYYY-MM) or
// among the days (YYYY-MM-DD), never in both.
type Cover struct {
	Months []string
	Days   []string
}

// Cover takes the range apart. Both of its ends must be set.
func (r Range) Cover() Cover {
	var c Cover
	to := date(r.To)
	for day := date(r.From); day.Before(to); {
		if next := addMonths(day, 1); day.Day() == 1 && !next.After(to) {
			c.Months = append(c.Months, day.Format(monthLayout))
			day = next
			continue
		}
		c.Days = append(c.Days, dayOf(day))
		day = day.AddDate(0, 0, 1)
	}
	return c
}

// Periods gives the months and the days in one list.
func (c Cover) Periods() []string { return slices.Concat(c.Months, c.Days) }

// Unit is the width of a bucket of a time series.
type Unit string

const (
	ByDay   Unit = "day"
	ByWeek  Unit = "week" // ISO weeks: they begin on Monday
	ByMonth Unit = "month"
)

// Words lists the units there are.
func (Unit) Words() []Unit { return []Unit{ByDay, ByWeek, ByMonth} }

// UnitFor gives the unit in which a chart of the range reads well: days up to six weeks, weeks up to nine months, then
// months.
func (r Range) UnitFor() Unit {
	switch days := r.Days(); {
	case days <= 42:
		return ByDay
	case days <= 275:
		return ByWeek
	}
	return ByMonth
}

// Bucket is one interval of a time series.
type Bucket struct {
	Range
	Label   string // 2026-03-05, 2026-W10 or 2026-03
	Title   string // for people: 5 Mar 2026, 2 – 8 Mar 2026 or Mar 2026
	Partial bool   // the range has only a part of the week or month
}

// Buckets cuts the range into days, ISO weeks or months; the first and the last may be partial. Both ends of the range
// must be set.
func (r Range) Buckets(u Unit) []Bucket {
	var list []Bucket
	to := date(r.To)
	for day := date(r.From); day.Before(to); {
		first, next := u.around(day)
		end := next
		if end.After(to) {
			end = to
		}
		b := Bucket{Range: Range{From: dayOf(day), To: dayOf(end), Zone: r.Zone, Preset: PeriodCustom},
			Partial: first != day || next != end}
		b.Label, b.Title = u.names(first, day, end.AddDate(0, 0, -1))
		list = append(list, b)
		day = end
	}
	return list
}

// around gives the first day of the unit that a day is in, and that of the next one.
func (u Unit) around(day time.Time) (first, next time.Time) {
	switch u {
	case ByWeek:
		first = day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		return first, first.AddDate(0, 0, 7)
	case ByMonth:
		first = monthStart(day, 1)
		return first, addMonths(first, 1)
	}
	return day, day.AddDate(0, 0, 1)
}

// names gives the label of the unit that begins at start, and the title of the part of it from first to last.
func (u Unit) names(start, first, last time.Time) (label, title string) {
	switch u {
	case ByWeek:
		year, week := start.ISOWeek()
		label = fmt.Sprintf("%04d-W%02d", year, week)
		switch {
		case first == last:
			return label, first.Format("2 Jan 2006")
		case first.Year() != last.Year():
			return label, first.Format("2 Jan 2006") + " – " + last.Format("2 Jan 2006")
		case first.Month() != last.Month():
			return label, first.Format("2 Jan") + " – " + last.Format("2 Jan 2006")
		}
		return label, first.Format("2") + " – " + last.Format("2 Jan 2006")
	case ByMonth:
		return start.Format(monthLayout), start.Format("Jan 2006")
	}
	return dayOf(start), start.Format("2 Jan 2006")
}

// Calendar dates are times at midnight in UTC, where every day has 24 hours; a zone matters only to dayStart.

const monthLayout = "2006-01"

// date reads a day that has been checked or was written by us.
func date(day string) time.Time {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(fmt.Sprintf("report day %q: %v", day, err))
	}
	return t
}

// NextDay gives the day behind a day, which was checked or written by us.
func NextDay(day string) string { return dayOf(date(day).AddDate(0, 0, 1)) }

func dayOf(date time.Time) string { return date.Format(time.DateOnly) }

// monthStart gives the first day of the month, quarter (3) or year (12) that a day is in.
func monthStart(day time.Time, months int) time.Time {
	month := (int(day.Month())-1)/months*months + 1
	return time.Date(day.Year(), time.Month(month), 1, 0, 0, 0, 0, time.UTC)
}

// addMonths keeps the day of the month, or takes the last one where the month is shorter (31 May less a month: 30
// April).
func addMonths(day time.Time, months int) time.Time {
	first := time.Date(day.Year(), day.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day.Day(), last)-1)
}

// dayStart gives the first moment of a local day. Clocks that are put forward over midnight make it begin later than
// 00:00; a day that a zone left out, moving over the date line, begins and ends with the next one. Where clocks are put
// back into the day before and a day begins twice, the second time counts.
func dayStart(day time.Time, zone *time.Location) time.Time {
	t := day.Add(36 * time.Hour).In(zone) // later than the day's start in any zone
	for {
		// From here on t is in the day or behind it, and so is everything from t to where the loop began.
		since, _ := t.ZoneBounds()
		_, offset := t.Zone()
		midnight := day.Add(-time.Duration(offset) * time.Second)
		before := since.Add(-1)
		switch {
		case since.IsZero():
			return midnight
		case !midnight.Before(since):
			if Day(before, zone) != dayOf(day) || Day(since, zone) != dayOf(day) {
				return midnight
			}
			// The clocks were put back within the day, to its midnight or behind: it began before that.
		case Day(before, zone) < dayOf(day):
			return since.UTC()
		}
		t = before
	}
}
