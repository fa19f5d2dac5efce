//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// result is one line of the table.
type result struct {
	What    string  `json:"what"`
	Where   backend `json:"where"`
	Value   float64 `json:"value"`
	Text    string  `json:"text"`
	Target  string  `json:"target,omitempty"`
	Reached *bool   `json:"reached,omitempty"`
	Noisy   bool    `json:"noisy"` // others used the processors meanwhile
}

func (b *bench) add(what string, where backend, value float64, text, target string, reached, noisy bool) {
	r := result{What: what, Where: where, Value: value, Text: text, Target: target, Noisy: noisy}
	if target != "" {
		r.Reached = &reached
	}
	b.results = append(b.results, r)
}

// note tells what is going on while it does.
func (b *bench) note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func short(d time.Duration) string {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

func (b *bench) addAcknowledgements(where backend, connections int, reference, durable measured) {
	ratio := durable.Rate() / reference.Rate()
	p99 := durable.Percentile(99)
	with := fmt.Sprintf(", %d connections", connections)
	ratioTarget, latencyTarget := "", ""
	if where == onPostgres && connections == 32 {
		ratioTarget, latencyTarget = ">= 0.50", "< 15ms"
	}
	b.add("signature-only handler"+with, where, reference.Rate(), fmt.Sprintf("%.0f/s, p99 %s", reference.Rate(),
		short(reference.Percentile(99))), "", false, reference.noisy)
	b.add("durable acknowledgements"+with, where, durable.Rate(), fmt.Sprintf("%.0f/s, p50 %s", durable.Rate(),
		short(durable.Percentile(50))), "", false, durable.noisy)
	b.add("  share of the handler's"+with, where, ratio, fmt.Sprintf("%.2f", ratio), ratioTarget, ratio >= 0.5,
		reference.noisy || durable.noisy)
	b.add("  p99"+with, where, p99.Seconds(), short(p99), latencyTarget, p99 < 15*time.Millisecond, durable.noisy)
}

func (b *bench) addPipeline(where backend, how string, rate int, r pipelineRun) {
	rateTarget, freshTarget, least := "", "", 0.0
	switch {
	case where == onPostgres && rate == 0:
		rateTarget, least = ">= 5000/s", 5000
	case rate == 0:
		rateTarget, least = ">= 1000/s", 1000
	default:
		freshTarget = "< 1s"
	}
	b.add("whole pipeline, "+how, where, r.ProcessRate(), fmt.Sprintf("%.0f/s of %d", r.ProcessRate(), r.Deliveries),
		rateTarget, r.ProcessRate() >= least, r.noisy)
	b.add("  freshness p99, "+how, where, r.FreshP99.Seconds(), short(r.FreshP99), freshTarget,
		r.FreshP99 < time.Second, r.noisy)
}

func (b *bench) addLinks(where backend, bare, ours measured) {
	ratio := ours.Rate() / bare.Rate()
	b.add("bare gin redirect", where, bare.Rate(), fmt.Sprintf("%.0f/s, p99 %s", bare.Rate(),
		short(bare.Percentile(99))), "", false, bare.noisy)
	b.add("link redirect, click recorded", where, ours.Rate(), fmt.Sprintf("%.0f/s, p99 %s", ours.Rate(),
		short(ours.Percentile(99))), "", false, ours.noisy)
	b.add("  share of the bare redirect's", where, ratio, fmt.Sprintf("%.2f", ratio), ">= 0.60", ratio >= 0.6,
		bare.noisy || ours.noisy)
}

func (b *bench) addStart(ready []time.Duration, resident int64) {
	slowest := slices.Max(ready)
	b.add("start to ready, slowest of 3", embedded, slowest.Seconds(), short(slowest), "< 1s", slowest < time.Second,
		false)
	b.add("idle resident memory", embedded, float64(resident), fmt.Sprintf("%.1f MB", float64(resident)/1e6), "< 60 MB",
		resident < 60_000_000, false)
}

func (b *bench) addHistory(where backend, size int, took time.Duration) {
	b.add(fmt.Sprintf("history of %s conversions written", count(size)), where, took.Seconds(), short(took), "",
		false, false)
}

func (b *bench) addAnswered(where backend, size int, a answered) {
	p95 := a.percentile(95)
	b.add(fmt.Sprintf("%s, %s", a.name, count(size)), where, p95.Seconds(), fmt.Sprintf("p50 %s, p95 %s",
		short(a.percentile(50)), short(p95)), "p95 < 100ms",
		p95 < 100*time.Millisecond, a.noisy)
}

func (b *bench) addResident(what string, where backend, bytes int64) {
	b.add(what, where, float64(bytes), fmt.Sprintf("%.1f MB", float64(bytes)/1e6), "", false, false)
}

// addGrowth compares medians: the slowest of a few hundred answers differ more between two runs than the sizes do.
func (b *bench) addGrowth(where backend, large, usual []answered) {
	for i, a := range large {
		ratio := float64(a.percentile(50)) / float64(usual[i].percentile(50))
		b.add("  growth of "+a.name, where, ratio, fmt.Sprintf("%.2f", ratio), "<= 1.30", ratio <= 1.3, a.noisy ||
			usual[i].noisy)
	}
}

func (b *bench) addExport(where backend, ours exported, theirs []exported) {
	what := "export of " + count(ours.rows) + " conversions, CSV"
	b.add(what, where, ours.rate(), fmt.Sprintf("%.0f rows/s, %s", ours.rate(), short(ours.took)), "",
		false, ours.noisy)
	b.addPeak(where, ours.resident)
	if len(theirs) > 0 {
		copied := medianExport(theirs)
		ratio := ours.rate() / copied.rate()
		b.add("  psql's \\copy of the same", where, copied.rate(), fmt.Sprintf("%.0f rows/s, %s", copied.rate(),
			short(copied.took)), "", false, copied.noisy)
		b.add("  share of psql's", where, ratio, fmt.Sprintf("%.2f", ratio), ">= 0.50", ratio >= 0.5, ours.noisy ||
			copied.noisy)
	}
}

func (b *bench) addSheet(where backend, e exported) {
	b.add("export of "+count(e.rows)+" conversions, XLSX", where, e.rate(), fmt.Sprintf("%.0f rows/s, %s", e.rate(),
		short(e.took)), "", false, e.noisy)
	b.addPeak(where, e.resident)
}

func (b *bench) addPeak(where backend, bytes int64) { b.addPeakBelow(where, bytes, 100) }

func (b *bench) addPeakBelow(where backend, bytes int64, megabytes int) {
	b.add("  peak resident memory", where, float64(bytes), fmt.Sprintf("%.1f MB", float64(bytes)/1e6),
		fmt.Sprintf("< %d MB", megabytes), bytes < int64(megabytes)*1_000_000, false)
}

// addImported tells the rate as people see it, which is that of the store as long as it is busy for half of the time,
// and what the server itself needed of a processor.
func (b *bench) addImported(where backend, i imported) {
	b.add("import of "+count(i.orders)+" past orders, until processed", where, i.rate(), fmt.Sprintf("%.0f/s, %s",
		i.rate(), short(i.took)), "", false, i.noisy)
	share := i.busy.Seconds() / i.fetched.Seconds()
	b.add("  store busy with it, of the time", where, share, fmt.Sprintf("%.2f, %s for each of %d requests", share,
		short(i.busy/time.Duration(max(1, i.requests))), i.requests), "<= 0.50", share <= 0.5, i.noisy)
	own := i.server / time.Duration(i.orders)
	b.add("  processor time of the server per order", where, own.Seconds(), fmt.Sprintf("%s, %.0f/s of one processor",
		own.Round(time.Microsecond), float64(time.Second)/float64(own)), "", false, i.noisy)
	b.addPeakBelow(where, i.resident, 150)
	for n, a := range i.meanwhile {
		p95 := a.percentile(95)
		b.add("  "+a.name+" meanwhile", where, p95.Seconds(), fmt.Sprintf("p50 %s, p95 %s; else p50 %s, p95 %s",
			short(a.percentile(50)), short(p95), short(i.after[n].percentile(50)), short(i.after[n].percentile(95))),
			"p95 < 100ms", p95 < 100*time.Millisecond, i.noisy)
	}
}

// count writes 1000000 as "1M" and 100000 as "100k".
func count(n int) string {
	switch {
	case n > 0 && n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n > 0 && n%1000 == 0:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}

// print gives the table. A figure with * was measured while others used the processors.
func (b *bench) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tWHERE\tFIGURE\tTARGET\tREACHED")
	missed, disturbed := 0, false
	for _, r := range b.results {
		verdict, mark := "", ""
		if r.Reached != nil {
			verdict = map[bool]string{true: "yes", false: "NO"}[*r.Reached]
			if !*r.Reached {
				missed++
			}
		}
		if r.Noisy {
			mark, disturbed = " *", true
		}
		fmt.Fprintf(t, "%s\t%s\t%s%s\t%s\t%s\n", r.What, r.Where, r.Text, mark, r.Target, verdict)
	}
	t.Flush()
	if disturbed {
		fmt.Fprintf(w, "\n* other programs used more than %d%% of the processors meanwhile, also when it was "+
			"repeated: close them, and measure again.\n", quiet)
	}
	fmt.Fprintf(w,
		"\n%d of the targets missed. %d processors; figures of an earlier run compare only on the same machine.\n",
		missed, runtime.NumCPU())
	fmt.Fprintf(w, "Repeat: %s\n", b.repeatCommand())
}

// repeatCommand measures the same again.
func (b *bench) repeatCommand() string {
	var args []string
	if b.quick {
		args = append(args, "--quick")
	}
	if b.only != "" {
		args = append(args, "--only "+b.only)
	}
	if b.history != 0 {
		args = append(args, fmt.Sprintf("--history %d", b.history))
	}
	if len(args) == 0 {
		return "make bench"
	}
	return fmt.Sprintf("make bench ARGS=%q", strings.Join(args, " "))
}
