package dashboard

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// chart is sales as bars and commissions as a line over time, on one scale: both are amounts of one currency. The
// template "chart" draws it and puts the same figures into a table. Positions across are percentages, so that the words
// keep their size however wide the page is; positions down are pixels.
type chart struct {
	ID       string // of its parts on the page
	Title    string
	About    string // what it shows, in a sentence
	Currency money.Currency
	Unit     affiliate.Unit
	Points   []chartPoint
	Ticks    []chartTick
	Line     string // of the commissions, in a box of chartScale by chartScale
	Height   int
	Bottom   int // where the bars stand
}

// chartPoint is one bucket of a chart.
type chartPoint struct {
	Title       string // 2 – 8 Mar 2026
	Partial     bool
	Sales       int64 // minor units
	Commissions int64
	Conversions int64
	Left, Width string // of the bar, in percent
	Slot, Wide  string // the place of the bar with the gaps beside it, in percent
	Middle      string // in percent
	Top, Tall   int    // of the bar, in pixels
	Dot         int    // where the line is, in pixels
	Label       string // under the bar; empty where there is no room
	Spare       bool   // whether the label is left out on narrow screens
	Anchor      string // of the label: start, middle or end
}

// chartTick is a line across with its amount.
type chartTick struct {
	At    int // pixels from above
	Label string
}

const (
	chartHeight = 240
	chartTop    = 14      // room for the words at the upper end
	chartFoot   = 26      // room for the words under the bars
	chartScale  = 10_000  // of the line's own box
	whole       = 100_000 // the width in the unit of positions across, 1/1000 of a percent
	widestBar   = whole * 8 / 100
	mostLabels  = 5
)

// newChart draws a series. The sums are those of the buckets, in the currency's minor units.
func newChart(id string, buckets []affiliate.Bucket, series []affiliate.Sums, unit affiliate.Unit,
	c money.Currency) chart {
	most, total := int64(0), affiliate.Sums{}
	for _, s := range series {
		most = max(most, s.Sales, s.Commissions)
		total = total.Plus(s)
	}
	step := chartStep(most, c)
	top := step * max(1, (most+step-1)/step)
	ch := chart{ID: id, Title: "Sales and commissions by " + string(unit), Currency: c, Unit: unit, Height: chartHeight,
		Bottom: chartHeight - chartFoot, About: fmt.Sprintf("Sales of %s and commissions of %s over %d %ss.",
			moneyText(total.Sales, c), moneyText(total.Commissions, c), len(buckets), unit)}
	down := func(amount int64) int { return ch.Bottom - int(money.MulDiv(amount, int64(ch.Bottom-chartTop), top)) }
	for n := int64(0); n <= top; n += step {
		ch.Ticks = append(ch.Ticks, chartTick{down(n), shortAmount(n, c)})
	}
	var line strings.Builder
	every := (len(buckets) + mostLabels - 1) / max(1, mostLabels)
	n := int64(len(buckets))
	for i, b := range buckets {
		s := series[i]
		left, middle, right := whole*int64(i)/n, whole*int64(2*i+1)/(2*n), whole*int64(i+1)/n
		bar := min((right-left)*72/100, widestBar)
		p := chartPoint{Title: b.Title, Partial: b.Partial, Sales: s.Sales, Commissions: s.Commissions,
			Conversions: s.Conversions, Slot: acrossText(left), Wide: acrossText(right - left),
			Left: acrossText(middle - bar/2), Width: acrossText(bar), Middle: acrossText(middle), Top: down(s.Sales),
			Dot: down(s.Commissions), Anchor: "middle"}
		p.Tall = ch.Bottom - p.Top
		if i%every == 0 {
			p.Label, p.Spare = axisLabel(b, unit), i/every%2 == 1
		}
		switch {
		case n > 1 && middle < whole/16:
			p.Anchor = "start"
		case n > 1 && middle > whole*15/16:
			p.Anchor = "end"
		}
		fmt.Fprintf(&line, "%d,%d ", middle*chartScale/whole, money.MulDiv(top-s.Commissions, chartScale, top))
		ch.Points = append(ch.Points, p)
	}
	ch.Line = strings.TrimSpace(line.String())
	return ch
}

// Empty says whether there is nothing to draw.
func (c chart) Empty() bool {
	for _, p := range c.Points {
		if p.Sales != 0 || p.Commissions != 0 {
			return false
		}
	}
	return true
}

// Few says whether every point of the line shows a dot. Where there are many, only the one that is pointed at does.
func (c chart) Few() bool { return len(c.Points) <= 12 }

// Plot is the height between the highest amount and 0, in pixels.
func (c chart) Plot() int { return c.Bottom - chartTop }

// Above is the room over the highest amount, in pixels.
func (c chart) Above() int { return chartTop }

// acrossText writes a position in 1/1000 of a percent as SVG has it.
func acrossText(n int64) string { return money.FormatScaled(n, 3) + "%" }

// axisLabel is a bucket's name where there is little room.
func axisLabel(b affiliate.Bucket, unit affiliate.Unit) string {
	start := b.Start().In(b.Zone)
	if unit == affiliate.ByMonth {
		return start.Format("Jan 06")
	}
	return start.Format("2 Jan")
}

// chartStep is the distance of the ticks: 1, 2, 2.5 or 5 times a power of ten of minor units, so that there are three
// to five of them, and not finer than whole units of small amounts need.
func chartStep(most int64, c money.Currency) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, tenths := range []int64{10, 20, 25, 50} {
			if step := unit * tenths / 10; unit*tenths%10 == 0 && step*4 >= most {
				return step
			}
		}
	}
}

// shortAmount writes a round amount in little room: 1,250,000.00 is 1.25M, 500.00 is 500.
func shortAmount(minor int64, c money.Currency) string {
	main := int64(1)
	for range c.Digits() {
		main *= 10
	}
	for _, u := range []struct {
		size int64
		sign string
	}{{1_000_000_000, "B"}, {1_000_000, "M"}, {1_000, "k"}} {
		if minor >= u.size*main {
			return money.Marked(trimZeros(money.FormatScaled(money.MulDiv(minor, 100, u.size*main), 2))) + u.sign
		}
	}
	return money.Marked(trimZeros(money.Format(minor, c)))
}

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
