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

// TestChart_fits: whatever the series, nothing leaves the picture, and a greater amount never has the lower bar.
func TestChart_fits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "buckets")
		series := make([]affiliate.Sums, n)
		for i := range series {
			series[i].Sales = rapid.Int64Range(0, 1_000_000_000_000).Draw(t, "sales")
			series[i].Commissions = rapid.Int64Range(0, 1_000_000_000).Draw(t, "commissions")
		}
		c := newChart("c", someBuckets(n), series, affiliate.ByDay, "USD")
		if len(c.Ticks) < 2 || len(c.Ticks) > 6 || c.Ticks[0].At != c.Bottom || c.Ticks[len(c.Ticks)-1].At != chartTop {
			t.Fatalf("ticks %v", c.Ticks)
		}
		labels := 0
		for i, p := range c.Points {
			if p.Top < chartTop || p.Top+p.Tall != c.Bottom || p.Dot < chartTop || p.Dot > c.Bottom {
				t.Fatalf("bar %d from %d, %d high, dot at %d; the plot is from %d to %d", i, p.Top, p.Tall, p.Dot,
					chartTop, c.Bottom)
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
				if series[i].Sales > series[j].Sales && p.Tall < q.Tall {
					t.Fatalf("%d is lower than %d", i, j)
				}
			}
		}
		if labels == 0 || labels > mostLabels {
			t.Fatalf("%d labels, want 1 to %d", labels, mostLabels)
		}
		if points := strings.Fields(c.Line); len(points) != n {
			t.Fatalf("the line has %d points, want %d", len(points), n)
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
	c := newChart("c", someBuckets(2), []affiliate.Sums{{Sales: 400_00, Commissions: 40_00, Conversions: 3},
		{Sales: 100_00}}, affiliate.ByDay, "USD")
	if got := money.Plain(fmt.Sprint(c.Ticks)); got != "[{214 0} {164 100} {114 200} {64 300} {14 400}]" {
		t.Errorf("ticks %s", got)
	}
	one, two := c.Points[0], c.Points[1]
	if one.Top != 14 || one.Tall != 200 || two.Tall != 50 || one.Dot != 194 || one.Title != "1 Jan 2026" ||
		one.Label != "1 Jan" {
		t.Errorf("points %+v", c.Points)
	}
	if c.Line != "2500,9000 7500,10000" {
		t.Errorf("line %q", c.Line)
	}
	if money.Plain(c.About) != "Sales of 500.00 USD and commissions of 40.00 USD over 2 days." {
		t.Errorf("about %q", c.About)
	}
	if c.Empty() || !newChart("c", someBuckets(2), make([]affiliate.Sums, 2), affiliate.ByDay, "USD").Empty() {
		t.Error("only a chart without any amount is empty")
	}
}
