package dashboard

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// chart is sales and commissions over time, each as bars with a scale of its own, one above the other, and as a dashed
// line what they were in the period before. The template "chart" draws it and puts the same figures into a table.
// Positions across are percentages, so that the words keep their size however wide the page is; positions down are
// pixels.
type chart struct {
	ID       string // of its parts on the page
	Title    string
	About    string // what it shows, in a sentence
	Currency money.Currency
	Unit     affiliate.Unit
	Points   []chartPoint
	Panels   []chartPanel
	Compared string // the days of the period before; empty where there is none
	Cut      bool   // whether the first or the last bucket is not whole
	Height   int
}

// chartPanel is the part of a chart that shows one figure.
type chartPanel struct {
	Name   string
	Class  string
	Ticks  []chartTick
	Before string // the line of the period before, in a box of chartScale by chartScale; empty where there is none
	Top    int    // of the highest amount
	Bottom int    // where the bars stand
	most   int64  // the amount at the top
}

// chartPoint is one bucket of a chart.
type chartPoint struct {
	Title       string // 2 – 8 Mar 2026
	Partial     bool
	Sales       int64 // minor units
	Commissions int64
	Conversions int64
	Before      *affiliate.Sums // of the period before
	Bars        []chartBar      // one for each panel
	Left, Width string          // of the bars, in percent
	Slot, Wide  string          // the place of the bars with the gaps beside them, in percent
	Middle      string          // in percent
	Label       string          // under the bars; empty where there is no room
	Spare       bool            // whether the label is left out on narrow screens
	Anchor      string          // of the label: start, middle or end
	Tip         int             // where what the point says stands, in pixels from its middle
}

// chartBar is where a bar of a panel is, in pixels.
type chartBar struct {
	Class     string
	Top, Tall int
}

// chartTick is a line across with its amount.
type chartTick struct {
	At    int // pixels from above
	Label string
}

const (
	chartHeight = 304
	chartScale  = 10_000  // of the lines' own boxes
	whole       = 100_000 // the width in the unit of positions across, 1/1000 of a percent
	widestBar   = whole * 6 / 100
	mostLabels  = 5
	tipWidth    = 188 // pixels
)

// newChart draws sums of a currency. compared names the days of the period before.
func newChart(id string, of report.Chart, c money.Currency, compared string) chart {
	sales := func(s affiliate.Sums) int64 { return s.Sales }
	commissions := func(s affiliate.Sums) int64 { return s.Commissions }
	upper := newPanel("Sales", "sales", 14, 186, 4, of, c, sales)
	lower := newPanel("Commissions", "commissions", 222, 278, 2, of, c, commissions)
	total := affiliate.Sums{}
	for _, s := range of.Series {
		total = total.Plus(s)
	}
	ch := chart{ID: id, Title: "Sales and commissions by " + string(of.Unit), Currency: c, Unit: of.Unit,
		Height: chartHeight, Panels: []chartPanel{upper, lower},
		About: fmt.Sprintf("Sales of %s and commissions of %s over %d %ss.", moneyText(total.Sales, c),
			moneyText(total.Commissions, c), len(of.Buckets), of.Unit)}
	if of.Before != nil {
		ch.Compared = compared
	}
	every := (len(of.Buckets) + mostLabels - 1) / max(1, mostLabels)
	n := int64(len(of.Buckets))
	years := n > 0 && of.Buckets[0].From[:4] != of.Buckets[n-1].Last()[:4]
	for i, b := range of.Buckets {
		s := of.Series[i]
		left, middle, right := whole*int64(i)/n, whole*int64(2*i+1)/(2*n), whole*int64(i+1)/n
		bar := min((right-left)*72/100, widestBar)
		p := chartPoint{Title: b.Title, Partial: b.Partial, Sales: s.Sales, Commissions: s.Commissions,
			Conversions: s.Conversions, Slot: acrossText(left), Wide: acrossText(right - left),
			Left: acrossText(middle - bar/2), Width: acrossText(bar), Middle: acrossText(middle), Anchor: "middle",
			Bars: []chartBar{upper.bar(s.Sales), lower.bar(s.Commissions)}, Tip: -tipWidth / 2}
		if of.Before != nil {
			p.Before = &of.Before[i]
		}
		if i%every == 0 {
			p.Label, p.Spare = axisLabel(b, of.Unit, years), i/every%2 == 1
		}
		switch {
		case n > 1 && middle < whole/16:
			p.Anchor = "start"
		case n > 1 && middle > whole*15/16:
			p.Anchor = "end"
		}
		switch {
		case middle < whole/3:
			p.Tip = 10
		case middle > whole*2/3:
			p.Tip = -tipWidth - 10
		}
		ch.Cut = ch.Cut || b.Partial
		ch.Points = append(ch.Points, p)
	}
	return ch
}

// newPanel measures a figure, so that its bars and its line of the period before are between two heights.
func newPanel(name, class string, top, bottom, ticks int, of report.Chart, c money.Currency,
	figure func(affiliate.Sums) int64) chartPanel {
	p := chartPanel{Name: name, Class: class, Top: top, Bottom: bottom}
	most := int64(0)
	for _, list := range [][]affiliate.Sums{of.Series, of.Before} {
		for _, s := range list {
			most = max(most, figure(s))
		}
	}
	step := chartStep(most, int64(ticks))
	p.most = step * max(1, (most+step-1)/step)
	for n := int64(0); n <= p.most; n += step {
		p.Ticks = append(p.Ticks, chartTick{p.down(n), shortAmount(n, c)})
	}
	var line strings.Builder
	n := int64(len(of.Before))
	for i, s := range of.Before {
		fmt.Fprintf(&line, "%d,%d ", (2*int64(i)+1)*chartScale/(2*n), money.MulDiv(p.most-figure(s),
			chartScale, p.most))
	}
	p.Before = strings.TrimSpace(line.String())
	return p
}

// down is how far from above an amount is, in pixels.
func (p chartPanel) down(amount int64) int {
	return p.Bottom - int(money.MulDiv(amount, int64(p.Tall()), p.most))
}

// Tall is the height between the highest amount and 0, in pixels.
func (p chartPanel) Tall() int { return p.Bottom - p.Top }

// Head is where the panel's name stands: above the highest line.
func (p chartPanel) Head() int { return p.Top - 12 }

func (p chartPanel) bar(amount int64) chartBar {
	top := p.down(amount)
	if amount > 0 && top == p.Bottom {
		top-- // little is not nothing
	}
	return chartBar{p.Class, top, p.Bottom - top}
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

// TipWidth is the width of what a point says, in pixels.
func (c chart) TipWidth() int { return tipWidth }

// TipHeight is the height of what a point says, in pixels.
func (c chart) TipHeight() int {
	if c.Compared == "" {
		return 88
	}
	return 128
}

// Bottom is where the lowest bars stand, in pixels.
func (c chart) Bottom() int { return c.Panels[len(c.Panels)-1].Bottom }

// acrossText writes a position in 1/1000 of a percent as SVG has it.
func acrossText(n int64) string { return money.FormatScaled(n, 3) + "%" }

// axisLabel is a bucket's name where there is little room; years says whether days need theirs.
func axisLabel(b affiliate.Bucket, unit affiliate.Unit, years bool) string {
	start := b.Start().In(b.Zone)
	switch {
	case unit == affiliate.ByMonth:
		return start.Format("Jan 2006")
	case years:
		return start.Format("2 Jan 2006")
	}
	return start.Format("2 Jan")
}

// chartStep is the distance of the ticks: 1, 2, 2.5 or 5 times a power of ten of minor units, so that there are at most
// as many as wanted above 0, and not finer than whole units of small amounts need.
func chartStep(most, ticks int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, tenths := range []int64{10, 20, 25, 50} {
			if step := unit * tenths / 10; unit*tenths%10 == 0 && step*ticks >= most {
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
