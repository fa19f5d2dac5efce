package dashboard

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

func TestShortAmount(t *testing.T) {
	for _, test := range []struct {
		minor    int64
		currency money.Currency
		want     string
	}{
		{0, "USD", "0"}, {50, "USD", "0.5"}, {500_00, "USD", "500"}, {1_000_00, "USD", "1k"}, {2_500_00, "USD", "2.5k"},
		{1_250_000_00, "USD", "1.25M"},
		{2_000_000_000_00, "USD", "2B"}, {20_000, "JPY", "20k"}, {1_500, "KWD", "1.5"},
	} {
		if got := money.Plain(shortAmount(test.minor, test.currency)); got != test.want {
			t.Errorf("%d %s: got %q, want %q", test.minor, test.currency, got, test.want)
		}
	}
}

// someBuckets gives a series of days.
func someBuckets(n int) []affiliate.Bucket {
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := affiliate.Range{From: first.Format(time.DateOnly), To: first.AddDate(0, 0, n).Format(time.DateOnly),
		Zone: time.UTC}
	return r.Buckets(affiliate.ByDay)
}

// TestChart_fits: whatever the series, nothing leaves its panel, and a greater amount never has the lower bar.
func TestChart_fits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "buckets")
		of := report.Chart{Buckets: someBuckets(n), Unit: affiliate.ByDay, Series: make([]affiliate.Sums, n)}
		sums := func(s *affiliate.Sums) {
			s.Sales = rapid.Int64Range(0, 1_000_000_000_000).Draw(t, "sales")
			s.Commissions = rapid.Int64Range(0, 1_000_000_000).Draw(t, "commissions")
		}
		for i := range of.Series {
			sums(&of.Series[i])
		}
		if rapid.Bool().Draw(t, "compared") {
			of.Before = make([]affiliate.Sums, n)
			for i := range of.Before {
				sums(&of.Before[i])
			}
		}
		c := newChart("c", of, "USD", "before")
		for i, p := range c.Panels {
			if most := []int{5, 3}[i]; len(p.Ticks) < 2 || len(p.Ticks) > most || p.Ticks[0].At != p.Bottom ||
				p.Ticks[len(p.Ticks)-1].At != p.Top {
				t.Fatalf("ticks %v from %d to %d", p.Ticks, p.Top, p.Bottom)
			}
			points := strings.Fields(p.Before)
			if len(points) != len(of.Before) {
				t.Fatalf("the line before has %d points, want %d", len(points), len(of.Before))
			}
			for _, point := range points {
				var x, y int
				if _, err := fmt.Sscanf(point, "%d,%d", &x, &y); err != nil || min(x, y) < 0 || max(x, y) > chartScale {
					t.Fatalf("the line before goes to %s, %v", point, err)
				}
			}
		}
		labels := 0
		for i, p := range c.Points {
			for k, b := range p.Bars {
				if in := c.Panels[k]; b.Top < in.Top || b.Top+b.Tall != in.Bottom {
					t.Fatalf("bar %d from %d, %d high; its panel is from %d to %d", i, b.Top, b.Tall, in.Top, in.Bottom)
				}
			}
			left, width := percentIn(t, p.Left), percentIn(t, p.Width)
			if left < 0 || left+width > 100.001 {
				t.Fatalf("bar %d from %s, %s wide", i, p.Left, p.Width)
			}
			if p.Label != "" {
				if p.Spare != (labels%2 == 1) {
					t.Fatalf("label %d: spare %v; narrow screens show every second one", labels, p.Spare)
				}
				labels++
			}
			for j, q := range c.Points {
				if of.Series[i].Sales > of.Series[j].Sales && p.Bars[0].Tall < q.Bars[0].Tall {
					t.Fatalf("%d is lower than %d", i, j)
				}
			}
		}
		if labels == 0 || labels > mostLabels {
			t.Fatalf("%d labels, want 1 to %d", labels, mostLabels)
		}
	})
}

func percentIn(t *rapid.T, text string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestChart: a small one whole, so that its heights and words are seen to be right.
func TestChart(t *testing.T) {
	of := report.Chart{Buckets: someBuckets(2), Unit: affiliate.ByDay,
		Series: []affiliate.Sums{{Sales: 400_00, Commissions: 40_00, Conversions: 3}, {Sales: 100_00}},
		Before: []affiliate.Sums{{Sales: 200_00}, {Sales: 300_00, Commissions: 1}}}
	c := newChart("c", of, "USD", "30 Dec 2025 – 31 Dec 2025")
	upper, lower := c.Panels[0], c.Panels[1]
	if got := money.Plain(fmt.Sprint(upper.Ticks, lower.Ticks)); got !=
		"[{186 0} {143 100} {100 200} {57 300} {14 400}] [{278 0} {250 20} {222 40}]" {
		t.Errorf("ticks %s", got)
	}
	one, two := c.Points[0], c.Points[1]
	if got := fmt.Sprint(one.Bars,
		two.Bars); got != "[{sales 14 172} {commissions 222 56}] [{sales 143 43} {commissions 278 0}]" {
		t.Errorf("bars %s", got)
	}
	if one.Title != "1 Jan 2026" || one.Label != "1 Jan" || one.Before.Sales != 200_00 || c.Cut {
		t.Errorf("points %+v", c.Points)
	}
	if upper.Before != "2500,5000 7500,2500" || lower.Before != "2500,10000 7500,9998" ||
		c.Compared != "30 Dec 2025 – 31 Dec 2025" {
		t.Errorf("before: %q and %q, %q", upper.Before, lower.Before, c.Compared)
	}
	if money.Plain(c.About) != "Sales of 500.00 USD and commissions of 40.00 USD over 2 days." {
		t.Errorf("about %q", c.About)
	}
	of.Before, of.Series = nil, make([]affiliate.Sums, 2)
	if alone := newChart("c", of, "USD", "x"); c.Empty() || !alone.Empty() || alone.Compared != "" {
		t.Error("only a chart without any amount is empty")
	}
	if b := upper.bar(1); b.Tall != 1 {
		t.Errorf("a cent is %d pixels high", b.Tall)
	}
}

// TestChart_labels: years are in full where months or several years are shown.
func TestChart_labels(t *testing.T) {
	days := affiliate.Range{From: "2025-12-28", To: "2026-01-03", Zone: time.UTC}
	for unit, want := range map[affiliate.Unit]string{affiliate.ByDay: "28 Dec 2025", affiliate.ByMonth: "Dec 2025"} {
		buckets := days.Buckets(unit)
		c := newChart("c", report.Chart{Buckets: buckets, Unit: unit, Series: make([]affiliate.Sums, len(buckets))},
			"USD", "")
		if got := c.Points[0].Label; got != want || c.Cut != (unit == affiliate.ByMonth) {
			t.Errorf("by %s: %q, cut %v", unit, got, c.Cut)
		}
	}
}
