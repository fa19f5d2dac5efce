package affiliate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustZone(t interface{ Fatal(...any) }, name string) *time.Location {
	zone, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestParsePeriod(t *testing.T) {
	berlin := mustZone(t, "Europe/Berlin")
	tests := []struct {
		now                string // local time in Berlin
		preset             Preset
		from, last         string
		before, beforeLast string // the period before
	}{
		{"2026-03-18 09:30", PeriodToday, "2026-03-18", "2026-03-18", "2026-03-17", "2026-03-17"},
		{"2026-03-18 09:30", PeriodYesterday, "2026-03-17", "2026-03-17", "2026-03-16", "2026-03-16"},
		{"2026-03-18 09:30", PeriodLast7Days, "2026-03-12", "2026-03-18", "2026-03-05", "2026-03-11"},
		{"2026-03-18 09:30", PeriodLast30Days, "2026-02-17", "2026-03-18", "2026-01-18", "2026-02-16"},
		{"2026-03-18 09:30", PeriodLast90Days, "2025-12-19", "2026-03-18", "2025-09-20", "2025-12-18"},
		{"2026-03-18 09:30", PeriodThisMonth, "2026-03-01", "2026-03-18", "2026-02-01", "2026-02-18"},
		{"2026-03-31 23:59", PeriodThisMonth, "2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"},
		{"2026-03-18 09:30", PeriodLastMonth, "2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"},
		{"2024-03-31 00:00", PeriodLastMonth, "2024-02-01", "2024-02-29", "2024-01-01", "2024-01-31"},
		{"2026-05-31 12:00", PeriodThisQuarter, "2026-04-01", "2026-05-31", "2026-01-01", "2026-02-28"},
		{"2026-02-10 12:00", PeriodLastQuarter, "2025-10-01", "2025-12-31", "2025-07-01", "2025-09-30"},
		{"2026-03-18 09:30", PeriodLast6Months, "2025-09-19", "2026-03-18", "2025-03-19", "2025-09-18"},
		{"2026-08-30 09:30", PeriodLast6Months, "2026-02-28", "2026-08-30", "2025-08-28", "2026-02-27"},
		{"2026-08-31 09:30", PeriodLast6Months, "2026-03-01", "2026-08-31", "2025-09-01", "2026-02-28"},
		{"2024-02-29 09:30", PeriodYearToDate, "2024-01-01", "2024-02-29", "2023-01-01", "2023-02-28"},
		{"2024-02-28 09:30", PeriodYearToDate, "2024-01-01", "2024-02-28", "2023-01-01", "2023-02-28"},
		{"2024-02-28 09:30", PeriodLast12Months, "2023-02-28", "2024-02-28", "2022-02-28", "2023-02-27"},
		{"2026-03-18 09:30", PeriodLast12Months, "2025-03-19", "2026-03-18", "2024-03-19", "2025-03-18"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.preset, " on ", test.now), func(t *testing.T) {
			now, err := time.ParseInLocation("2006-01-02 15:04", test.now, berlin)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParsePeriod(string(test.preset), "", "", now.UTC(), berlin)
			if err != nil {
				t.Fatal(err)
			}
			before, ok := got.Previous()
			if got.From != test.from || got.Last() != test.last || !ok || before.From != test.before ||
				before.Last() != test.beforeLast || got.Preset != test.preset {
				t.Errorf("got %s to %s, before it %s to %s; want %s to %s, before it %s to %s", got.From, got.Last(),
					before.From, before.Last(), test.from, test.last, test.before, test.beforeLast)
			}
		})
	}
}

func TestParsePeriod_open(t *testing.T) {
	now := time.Date(2026, 3, 18, 9, 30, 0, 0, time.UTC)
	tests := []struct{ preset, from, to, want string }{
		{"", "", "", "2025-09-19 – 2026-03-18 (UTC)"},
		{"all_time", "", "", "all time (UTC)"},
		{"custom", "2026-03-01", "2026-03-01", "2026-03-01 (UTC)"},
		{"", "2026-03-01", "2026-04-30", "2026-03-01 – 2026-04-30 (UTC)"},
		{"custom", "2026-03-01", "", "2026-03-01 – 2026-03-18 (UTC)"},
		{"custom", "", "2026-03-01", "until 2026-03-01 (UTC)"},
		{"custom", "2024-02-29", "2024-02-29", "2024-02-29 (UTC)"},
		{"custom", FirstReportDay, LastReportDay, "1970-01-01 – 2199-12-31 (UTC)"},
	}
	for _, test := range tests {
		got, err := ParsePeriod(test.preset, test.from, test.to, now, time.UTC)
		if err != nil || got.String() != test.want {
			t.Errorf("%q %q %q: got %s, %v, want %s", test.preset, test.from, test.to, got, err, test.want)
		}
		if before, ok := got.Previous(); ok != (got.From != "") {
			t.Errorf("%s: before it %s, %v", got, before, ok)
		}
	}
	if s := (Range{From: "2026-03-01", Zone: time.UTC}).String(); s != "since 2026-03-01 (UTC)" {
		t.Errorf("got %s", s)
	}
	before, _ := Range{From: "2026-03-01", To: "2026-03-11", Zone: time.UTC}.Previous()
	if before.From != "2026-02-19" || before.To != "2026-03-01" {
		t.Errorf("before ten custom days: %s", before)
	}
}

func TestParsePeriod_refused(t *testing.T) {
	now := time.Date(2026, 3, 18, 9, 30, 0, 0, time.UTC)
	tests := []struct{ preset, from, to, field, says string }{
		{"fortnight", "", "", "period", "last_6_months"},
		{"LAST_MONTH", "", "", "period", "last_month"},
		{"custom", "", "", "from", "2026-11-01"},
		{"custom", "1.3.2026", "", "from", "2026-11-01"},
		{"custom", "2026-02-29", "", "from", "is not a day"},
		{"custom", "2026-03-01", "2026-03-99", "to", "is not a day"},
		{"custom", "2026-03-02", "2026-03-01", "to", "last day that counts"},
		{"custom", "2026-03-19", "", "from", "after today"},
		{"custom", "1969-12-31", "", "from", FirstReportDay},
		{"custom", "2026-03-01", "2200-01-01", "to", LastReportDay},
		{"today", "2026-03-01", "", "from", "custom"},
		{"today", "", "2026-03-01", "to", "custom"},
	}
	for _, test := range tests {
		_, err := ParsePeriod(test.preset, test.from, test.to, now, time.UTC)
		var e *Error
		if !errors.As(err, &e) || e.Kind != Invalid || e.Field != test.field ||
			!strings.Contains(e.Message, test.says) {
			t.Errorf("%q %q %q: got %v, want field %s with %q", test.preset, test.from, test.to, err,
				test.field, test.says)
		}
	}
}

// TestPeriod_todayOfZone: the same moment is another day elsewhere.
func TestPeriod_todayOfZone(t *testing.T) {
	now := time.Date(2026, 3, 18, 23, 30, 0, 0, time.UTC)
	for zone, want := range map[string]string{"UTC": "2026-03-18", "Europe/Berlin": "2026-03-19",
		"Pacific/Kiritimati": "2026-03-19", "America/Los_Angeles": "2026-03-18"} {
		r, err := ParsePeriod("today", "", "", now, mustZone(t, zone))
		if err != nil || r.From != want || !r.Contains(want) || r.Contains(r.To) {
			t.Errorf("%s: %s, %v, want %s", zone, r, err, want)
		}
	}
}

// TestRange_daylightSaving: a day is as long as its zone makes it, and need not begin at midnight.
func TestRange_daylightSaving(t *testing.T) {
	tests := []struct {
		zone, day string
		start     string // UTC
		hours     float64
	}{
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23},
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25},
		{"Europe/Berlin", "2026-07-01", "2026-06-30T22:00:00Z", 24},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23}, // 00:00 to 01:00 was left out
		{"America/Sao_Paulo", "2019-02-16", "2019-02-16T02:00:00Z", 25}, // 24:00 became 23:00
		{"America/Sao_Paulo", "2019-02-17", "2019-02-17T03:00:00Z", 24},
		{"Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24},
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0}, // left out: over the date line
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24},
		{"Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00:00Z", 0},
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5},
		{"Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", 23.5},
		// 00:01 became 23:01 the day before: it begins twice
		{"America/St_Johns", "2010-11-07", "2010-11-07T03:30:00Z", 24},
		{"Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z", 24},
		{"UTC", "2024-02-29", "2024-02-29T00:00:00Z", 24},
	}
	for _, test := range tests {
		r := Range{From: test.day, To: dayOf(date(test.day).AddDate(0, 0, 1)), Zone: mustZone(t, test.zone)}
		if got := r.Start().Format(time.RFC3339); got != test.start || r.Start().Location() != time.UTC {
			t.Errorf("%s in %s begins %s, want %s", test.day, test.zone, got, test.start)
		}
		if got := r.End().Sub(r.Start()).Hours(); got != test.hours {
			t.Errorf("%s in %s has %v hours, want %v", test.day, test.zone, got, test.hours)
		}
	}
	open := Range{Zone: time.UTC}
	if !open.Start().IsZero() || !open.End().IsZero() || open.Days() != 0 || open.Last() != "" {
		t.Errorf("all time: %v", open)
	}
}

// TestRange_midnightTwice: in Havana clocks go from 01:00 back to 00:00 of the same day, which began an hour before.
func TestRange_midnightTwice(t *testing.T) {
	r := Range{From: "2026-11-01", To: "2026-11-02", Zone: mustZone(t, "America/Havana")}
	if got, want := r.Start(), time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC); !got.Equal(want) ||
		r.End().Sub(got) != 25*time.Hour {
		t.Errorf("the day is from %s to %s, want 25 hours from %s", got, r.End(), want)
	}
}

// TestRange_agreesWithDay: a moment is in the range of its own local day and in no other, so that queries by moment and
// sums by day give the same.
func TestRange_agreesWithDay(t *testing.T) {
	names := []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe",
		"Asia/Kathmandu", "Africa/Cairo", "America/Havana", "America/Asuncion", "Asia/Beirut", "America/Scoresbysund",
		"America/Nuuk", "Pacific/Kwajalein", "Africa/Casablanca"}
	zones := make([]*time.Location, len(names))
	for i, name := range names {
		zones[i] = mustZone(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(date("1975-01-01").Unix(), date("2037-01-01").Unix()).Draw(t, "seconds"), 0)
		if _, end := at.In(zone).ZoneBounds(); rapid.Bool().Draw(t, "near a change") && !end.IsZero() {
			at = end.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "minutes")) * time.Minute)
		}
		day := Day(at, zone)
		r := Range{From: day, To: dayOf(date(day).AddDate(0, 0, 1)), Zone: zone}
		if at.Before(r.Start()) || !at.Before(r.End()) {
			t.Fatalf("%s is on %s in %s, which is %s to %s", at.UTC(), day, zone, r.Start(), r.End())
		}
	})
}

func drawRange(t *rapid.T) Range {
	from := date("2019-11-20").AddDate(0, 0, rapid.IntRange(0, 2000).Draw(t, "first"))
	to := from.AddDate(0, 0, rapid.IntRange(0, 1200).Draw(t, "days"))
	return Range{From: dayOf(from), To: dayOf(to), Zone: time.UTC}
}

func daysOf(r Range) []string {
	days := []string{}
	for d := date(r.From); d.Before(date(r.To)); d = d.AddDate(0, 0, 1) {
		days = append(days, dayOf(d))
	}
	return days
}

func TestRange_cover(t *testing.T) {
	tests := []struct{ from, to, months, days string }{
		{"2026-03-01", "2026-04-01", "2026-03", ""},
		{"2026-03-01", "2026-03-03", "", "2026-03-01 2026-03-02"},
		{"2026-01-30", "2026-04-02", "2026-02 2026-03", "2026-01-30 2026-01-31 2026-04-01"},
		{"2024-02-01", "2024-02-29", "", strings.Join(daysOf(Range{From: "2024-02-01", To: "2024-02-29"}), " ")},
		{"2024-02-01", "2024-03-01", "2024-02", ""},
		{"2025-12-31", "2026-01-01", "", "2025-12-31"},
		{"2026-01-01", "2026-01-01", "", ""},
	}
	for _, test := range tests {
		c := Range{From: test.from, To: test.to}.Cover()
		if got := strings.Join(c.Months, " "); got != test.months {
			t.Errorf("%s to %s: months %q, want %q", test.from, test.to, got, test.months)
		}
		if got := strings.Join(c.Days, " "); got != test.days {
			t.Errorf("%s to %s: days %q, want %q", test.from, test.to, got, test.days)
		}
	}
}

// TestRange_coverIsExact: months and days together are the days of the range, each once, and not one day too many is
// listed alone.
func TestRange_coverIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRange(t)
		c := r.Cover()
		days := slices.Clone(c.Days)
		for _, month := range c.Months {
			first := date(month + "-01")
			days = append(days, daysOf(Range{From: dayOf(first), To: dayOf(addMonths(first, 1))})...)
		}
		slices.Sort(days)
		if want := daysOf(r); !slices.Equal(days, want) || len(want) != r.Days() {
			t.Fatalf("%v covers %v", r, c)
		}
		if len(c.Days) > 60 || len(c.Periods()) != len(c.Months)+len(c.Days) {
			t.Fatalf("%v has %d single days", r, len(c.Days))
		}
	})
}

func TestRange_buckets(t *testing.T) {
	tests := []struct {
		unit     Unit
		from, to string
		want     []string
	}{
		{ByDay, "2024-02-28", "2024-03-02", []string{"2024-02-28 28 Feb 2024", "2024-02-29 29 Feb 2024",
			"2024-03-01 1 Mar 2024"}},
		{ByWeek, "2026-12-24", "2027-01-12", []string{"2026-W52 24 – 27 Dec 2026 partial",
			"2026-W53 28 Dec 2026 – 3 Jan 2027", "2027-W01 4 – 10 Jan 2027", "2027-W02 11 Jan 2027 partial"}},
		{ByWeek, "2026-03-30", "2026-04-06", []string{"2026-W14 30 Mar – 5 Apr 2026"}},
		{ByMonth, "2026-01-31", "2026-03-01", []string{"2026-01 Jan 2026 partial", "2026-02 Feb 2026"}},
		{ByMonth, "2026-03-01", "2026-03-01", nil},
	}
	for _, test := range tests {
		var got []string
		for _, b := range (Range{From: test.from, To: test.to, Zone: time.UTC}).Buckets(test.unit) {
			s := b.Label + " " + b.Title
			if b.Partial {
				s += " partial"
			}
			got = append(got, s)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s %s to %s: got %q, want %q", test.unit, test.from, test.to, got, test.want)
		}
	}
}

// TestRange_bucketsPartition: buckets follow one another without a gap, weeks begin on Monday, months on the first, and
// only the outer ones may be partial.
func TestRange_bucketsPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRange(t)
		unit := rapid.SampledFrom([]Unit{ByDay, ByWeek, ByMonth}).Draw(t, "unit")
		list := r.Buckets(unit)
		at, labels := r.From, map[string]bool{}
		for i, b := range list {
			if b.From != at || b.From >= b.To || labels[b.Label] || (b.Partial && i != 0 && i != len(list)-1) {
				t.Fatalf("%s of %v: %v", unit, r, list)
			}
			if first := date(b.From); i > 0 && (unit == ByWeek && first.Weekday() != time.Monday || unit == ByMonth &&
				first.Day() != 1) {
				t.Fatalf("a %s begins %s", unit, b.From)
			}
			at, labels[b.Label] = b.To, true
		}
		if at != r.To {
			t.Fatalf("%s of %v end %s", unit, r, at)
		}
	})
}

// TestRange_previousIsBefore: the period before ends where this one begins or earlier, and has days.
func TestRange_previousIsBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := date("2019-01-01").Add(time.Duration(rapid.Int64Range(0, 3000*24*3600).Draw(t, "seconds")) * time.Second)
		preset := rapid.SampledFrom(Presets()).Draw(t, "preset")
		if preset == PeriodAllTime || preset == PeriodCustom {
			return
		}
		r, err := ParsePeriod(string(preset), "", "", now, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		before, ok := r.Previous()
		if !ok || before.Days() < 1 || before.To > r.From {
			t.Fatalf("%s of %s: %v, before it %v", preset, now, r, before)
		}
		toDate := preset == PeriodThisMonth || preset == PeriodThisQuarter || preset == PeriodYearToDate
		if !toDate && before.To != r.From {
			t.Fatalf("%s of %s: %v does not follow %v", preset, now, r, before)
		}
	})
}

func TestRange_bounded(t *testing.T) {
	for _, test := range []struct{ from, to, want string }{
		{"", "", "2026-01-05/2026-02-01"},
		{"2026-01-10", "", "2026-01-10/2026-02-01"},
		{"", "2026-01-10", "2026-01-05/2026-01-10"},
		{"", "2025-01-01", "2026-01-05/2026-01-05"},
		{"2026-03-01", "", "2026-03-01/2026-03-01"},
	} {
		r := Range{From: test.from, To: test.to, Zone: time.UTC}.Bounded("2026-01-05", "2026-02-01")
		if got := r.From + "/" + r.To; got != test.want {
			t.Errorf("%q to %q: got %s, want %s", test.from, test.to, got, test.want)
		}
	}
}

func TestUnit(t *testing.T) {
	for days, want := range map[int]Unit{1: ByDay, 42: ByDay, 43: ByWeek, 184: ByWeek, 276: ByMonth, 5000: ByMonth} {
		r := Range{From: "2020-01-01", To: dayOf(date("2020-01-01").AddDate(0, 0, days))}
		if got := r.UnitFor(); got != want {
			t.Errorf("%d days: %s, want %s", days, got, want)
		}
	}
	if got := PeriodLast6Months.Title() + PeriodToday.Title(); got != "Last 6 monthsToday" {
		t.Errorf("titles %q", got)
	}
}

// TestRange_Like: the parts of another range follow one another without a gap, from its first day to its last.
func TestRange_Like(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := func(n int) string { return time.Date(2024, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) }
		first, days := rapid.IntRange(0, 800).Draw(t, "first"), rapid.IntRange(1, 400).Draw(t, "days")
		r := Range{From: day(first), To: day(first + days), Zone: time.UTC}
		before := Range{From: day(first - days + rapid.IntRange(-3, 3).Draw(t, "more")), To: day(first)}
		if before.From > before.To {
			before.From = before.To
		}
		unit := rapid.SampledFrom(Words[Unit]()).Draw(t, "unit")
		buckets := r.Buckets(unit)
		like, at := before.Like(buckets), before.From
		for _, b := range like {
			if b.From != at || b.To < b.From {
				t.Fatalf("%v of %v: a part from %s to %s, want it from %s", buckets, before, b.From, b.To, at)
			}
			at = b.To
		}
		if len(like) != len(buckets) || at != before.To {
			t.Fatalf("%d parts to %s, want %d to %s", len(like), at, len(buckets), before.To)
		}
	})
}
