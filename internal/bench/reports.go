//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usualHistory is how many conversions the reports are measured with, and quickHistory in a short run.
const (
	usualHistory = 1_000_000
	quickHistory = 100_000
)

// reports measures part (d): what pages and exports take with years of conversions, and how much more with many more.
func (b *bench) reports(ctx context.Context) error {
	size := usualHistory
	if b.quick {
		size = quickHistory
	}
	for _, where := range b.chosen("reports") {
		usual, err := b.report(ctx, where, size)
		if err != nil {
			return fmt.Errorf("reports, %s: %w", where, err)
		}
		if b.history > size && where == onPostgres {
			large, err := b.report(ctx, where, b.history)
			if err != nil {
				return fmt.Errorf("reports of %d conversions, %s: %w", b.history, where, err)
			}
			b.addGrowth(where, large, usual)
		}
	}
	return nil
}

// question is a request of a report in some variants, which are asked in turn.
type question struct {
	name     string
	variants []string // paths below /api/v1
}

// answered is how long the answers of a question took.
type answered struct {
	name      string
	latencies []time.Duration // sorted
	size      int             // bytes of the last answer
	noisy     bool
}

func (a answered) percentile(p int) time.Duration {
	return a.latencies[min(len(a.latencies)-1, len(a.latencies)*p/100)]
}

// reader is a site with a history and a server for it.
type reader struct {
	*site
	server *process
	size   int // conversions
}

// report makes up a history, asks all questions, and exports all conversions.
func (b *bench) report(ctx context.Context, where backend, size int) ([]answered, error) {
	s, err := b.newSite(ctx, where, (*site).fillEmpty)
	if err != nil {
		return nil, err
	}
	took, err := s.makeHistory(ctx, size)
	if err != nil {
		return nil, err
	}
	b.addHistory(where, size, took)
	r := &reader{site: s, size: size}
	var all []answered
	err = r.serving(ctx, func() error {
		all, err = r.askAll(ctx, where)
		return err
	})
	if err != nil {
		return nil, err
	}
	// afresh, so that its memory is that of the export alone
	return all, r.serving(ctx, func() error { return r.exports(ctx, where) })
}

// serving runs f with a server.
func (r *reader) serving(ctx context.Context, f func() error) (err error) {
	if r.server, err = r.serve(ctx, "receiver,worker,web"); err != nil {
		return err
	}
	defer r.server.stop()
	return f()
}

func (r *reader) askAll(ctx context.Context, where backend) (all []answered, err error) {
	questions, err := r.questions(ctx)
	if err != nil {
		return nil, err
	}
	for _, q := range questions {
		a, err := r.ask(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		r.bench.addAnswered(where, r.size, a)
		all = append(all, a)
	}
	resident, err := residentBytes(r.server.cmd.Process.Pid)
	r.bench.addResident("  resident memory after these", where, resident)
	return all, err
}

// makeHistory fills the database of a site.
func (s *site) makeHistory(ctx context.Context, conversions int) (took time.Duration, err error) {
	s.bench.note("  writing a history of %d conversions; this takes a while", conversions)
	out, err := s.command(ctx, "simulate", "--history", "--conversions", strconv.Itoa(conversions), "--seed",
		"1", "--json")
	if err != nil {
		return 0, err
	}
	var made struct{ Seconds float64 }
	err = json.Unmarshal(out, &made)
	return time.Duration(made.Seconds * float64(time.Second)), err
}

// get asks the API and gives the body of the answer.
func (r *reader) get(ctx context.Context, path string) (body []byte, took time.Duration, err error) {
	begin := time.Now()
	answer, err := r.open(ctx, path)
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return body, time.Since(begin), err
}

func (r *reader) open(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.server.address+"/api/v1"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 500)) // what there is of it helps
		return nil, fmt.Errorf("GET %s: %s: %s", path, answer.Status, text)
	}
	return answer, nil
}

// Bounds of how often a question is asked.
const (
	leastAnswers = 40
	mostAnswers  = 400
)

// ask asks a question again and again over one connection, after each of its variants was asked once to warm up.
func (r *reader) ask(ctx context.Context, q question) (answered, error) {
	for _, path := range q.variants {
		if _, _, err := r.get(ctx, path); err != nil {
			return answered{}, err
		}
	}
	b := r.bench
	return quietly(ctx, b, func() (answered, int, error) {
		a := answered{name: q.name}
		before := b.usage(r.server.cmd.Process.Pid)
		for end := time.Now().Add(b.pick(4*time.Second, time.Second)); len(a.latencies) < leastAnswers ||
			len(a.latencies) < mostAnswers && time.Now().Before(end); {
			body, took, err := r.get(ctx, q.variants[len(a.latencies)%len(q.variants)])
			if err != nil {
				return a, 0, err
			}
			a.latencies, a.size = append(a.latencies, took), len(body)
		}
		slices.Sort(a.latencies)
		c := b.since(before, r.server.cmd.Process.Pid, len(a.latencies))
		a.noisy = c.noisy()
		b.note("  %-34s %4d answers of %6d bytes  p50 %6s  p95 %6s  max %6s  %s", q.name, len(a.latencies), a.size,
			short(a.percentile(50)), short(a.percentile(95)),
			short(a.latencies[len(a.latencies)-1]), c)
		return a, c.others, nil
	})
}

// exported is an export that was read to its end.
type exported struct {
	rows     int
	bytes    int64
	took     time.Duration
	resident int64 // most memory of the server meanwhile, in bytes
	noisy    bool
}

func (e exported) rate() float64 { return float64(e.rows) / e.took.Seconds() }

// exports reads all conversions as CSV and as XLSX. On PostgreSQL psql copies the same table in turn with our CSV, so
// that whatever else the machine does hits both.
func (r *reader) exports(ctx context.Context, where backend) error {
	b := r.bench
	var ours, theirs []exported
	for range 3 {
		e, err := r.export(ctx, "csv")
		if err != nil {
			return err
		}
		if e.rows != r.size {
			return fmt.Errorf("the export has %d rows, not %d", e.rows, r.size)
		}
		b.note("  export as CSV   %d rows, %d MB in %s, %.0f rows/s, at most %.1f MB resident", e.rows, e.bytes>>20,
			short(e.took), e.rate(), float64(e.resident)/1e6)
		ours = append(ours, e)
		if where != onPostgres {
			continue
		}
		if e, err = r.copyOut(ctx); err != nil {
			return err
		}
		b.note("  psql's \\copy    %d rows, %d MB in %s, %.0f rows/s", e.rows, e.bytes>>20, short(e.took), e.rate())
		theirs = append(theirs, e)
	}
	b.addExport(where, medianExport(ours), theirs)
	if r.size > mostSheetRows {
		return nil
	}
	e, err := r.export(ctx, "xlsx")
	if err != nil {
		return err
	}
	b.note("  export as XLSX  %d MB in %s, at most %.1f MB resident", e.bytes>>20, short(e.took),
		float64(e.resident)/1e6)
	e.rows = r.size
	b.addSheet(where, e)
	return nil
}

// mostSheetRows is about how many rows one sheet may have; larger exports have several, and say nothing more.
const mostSheetRows = 1_040_000

func medianExport(list []exported) exported {
	slices.SortFunc(list, func(a, b exported) int { return int(a.took - b.took) })
	return list[len(list)/2]
}

// export reads all conversions.
func (r *reader) export(ctx context.Context, format string) (e exported, err error) {
	pid := r.server.cmd.Process.Pid
	forgetPeak(pid)
	before, begin := r.bench.usage(pid), time.Now()
	answer, err := r.open(ctx, fmt.Sprintf(allConversions, format))
	if err != nil {
		return e, err
	}
	defer answer.Body.Close()
	e.rows, e.bytes, err = countLines(answer.Body)
	e.rows-- // the header
	e.took = time.Since(begin)
	e.noisy = r.bench.since(before, pid, e.rows).noisy()
	if err == nil {
		e.resident, err = peakBytes(pid)
	}
	return e, err
}

// copyOut lets psql write the same table to a pipe.
func (r *reader) copyOut(ctx context.Context) (e exported, err error) {
	pid := r.server.cmd.Process.Pid
	before, begin := r.bench.usage(pid), time.Now()
	cmd := exec.CommandContext(ctx, "psql", "--no-psqlrc", "--quiet", r.database(), "-c", copyCommand())
	var problem bytes.Buffer
	cmd.Stderr = &problem
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return e, err
	}
	if err := cmd.Start(); err != nil {
		return e, err
	}
	e.rows, e.bytes, err = countLines(pipe)
	e.rows--
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return e, fmt.Errorf("psql: %w: %s", err, problem.String())
	}
	e.took = time.Since(begin)
	e.noisy = r.bench.since(before, pid, e.rows).noisy()
	return e, nil
}

// database is the address of the site's PostgreSQL.
func (s *site) database() string {
	for _, setting := range s.env {
		if address, ok := strings.CutPrefix(setting, "DATABASE_URL="); ok {
			return address
		}
	}
	return ""
}

func countLines(r io.Reader) (lines int, size int64, err error) {
	in := bufio.NewReaderSize(r, 1<<18)
	for {
		part, err := in.ReadSlice('\n')
		size += int64(len(part))
		switch {
		case err == nil:
			lines++
		case errors.Is(err, io.EOF):
			return lines, size, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return lines, size, err
		}
	}
}

// forgetPeak lets the peak of a process's memory be counted from now on. Where that cannot be done, the peak is that of
// its whole life, which is only higher.
func forgetPeak(pid int) { _ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) }

// peakBytes is the most memory that a process has had in RAM.
func peakBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, errors.New("/proc has no VmHWM")
	}
	kilobytes, err := strconv.ParseInt(fields[0], 10, 64)
	return kilobytes << 10, err
}
