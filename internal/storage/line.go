package storage

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// line is the socket of one connection to PostgreSQL. lib/pq waits on it without any limit: what it does at the end of
// a context is to ask the server, over a second connection, to call the statement off, and to wait on. A server, proxy
// or network that says nothing, without closing anything, would keep whoever waits for ever. So every line has an end:
// soon after its statement was called off, and after a long silence otherwise.
type line struct {
	net.Conn
	owner *connector

	mu      sync.Mutex
	end     time.Time // nothing goes on beyond it; zero while there is no reason to end
	armed   time.Time // the end of the silence that the socket was last told of
	foreign bool      // lib/pq, or TLS, has set a limit of its own
	patient bool      // silence may last: see Patiently

	heard  atomic.Int64 // when anything came last, in nanoseconds of clock
	broken atomic.Bool  // reading or writing failed, or a statement was called off
	// leaving says that the line ends for a reason of ours: that it is silent then says nothing about the others.
	leaving atomic.Bool
}

// lineLimits bound how long a line may be silent.
type lineLimits struct {
	dial    time.Duration // until a new connection is ready
	cancel  time.Duration // for asking the server to call a statement off
	grace   time.Duration // for a statement to end once it was called off
	silence time.Duration // while a statement runs whose context has no end, and between two parts of any answer
	close   time.Duration // for taking leave
}

// The silence is longer than any statement of a page, a worker or an export takes to begin its answer.
var usualLimits = lineLimits{dial: 10 * time.Second, cancel: time.Second, grace: time.Second,
	silence: 5 * time.Minute, close: time.Second}

// errSilent ends what waited for an answer.
var errSilent error = silentError{}

type silentError struct{}

func (silentError) Error() string {
	return "the database did not answer in time, and the connection was given up"
}
func (silentError) Timeout() bool   { return true }
func (silentError) Temporary() bool { return true }

// clock runs evenly, whatever is done to the machine's time.
func clock() int64 { return int64(time.Since(clockBegin)) + 1 }

var clockBegin = time.Now()

func (l *line) Read(b []byte) (int, error) {
	l.arm()
	n, err := l.Conn.Read(b)
	if n > 0 {
		l.heard.Store(clock())
	}
	return n, l.judge(err)
}

func (l *line) Write(b []byte) (int, error) {
	l.arm() // also for a reader that waits while much is written: a COPY gets no answer before its end
	n, err := l.Conn.Write(b)
	return n, l.judge(err)
}

// judge notes what a failure means for this line and, when it was silence, for all others.
func (l *line) judge(err error) error {
	if err == nil {
		return nil
	}
	l.broken.Store(true)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if !l.leaving.Load() {
		l.owner.foundSilent()
	}
	var at *net.OpError
	if errors.As(err, &at) {
		return &net.OpError{Op: at.Op, Net: at.Net, Source: at.Source, Addr: at.Addr, Err: errSilent}
	}
	return err
}

// arm bounds the silence from now on. The socket is told only now and then, as that costs more than looking at a clock.
func (l *line) arm() {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.foreign || l.patient || !l.end.IsZero() || l.armed.Sub(now) > l.owner.limits.silence*3/4 {
		return
	}
	l.armed = now.Add(l.owner.limits.silence)
	_ = l.Conn.SetDeadline(l.armed) // fails only where reading and writing fail as well
}

// leaveBy ends everything on the line at a moment, unless that was to be earlier.
func (l *line) leaveBy(at time.Time) {
	l.leaving.Store(true)
	l.endBy(at)
}

func (l *line) endBy(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end.IsZero() || at.Before(l.end) {
		l.end = at
		_ = l.Conn.SetDeadline(at)
	}
}

// ready ends the limit of the beginning.
func (l *line) ready() {
	l.heard.Store(clock())
	l.leaving.Store(false)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end, l.armed, l.foreign = time.Time{}, time.Time{}, false
	_ = l.Conn.SetDeadline(time.Time{})
}

// callOff gives the statement under way a moment to end. The line is not used again, whether it does or not.
func (l *line) callOff() {
	l.broken.Store(true)
	l.endBy(time.Now().Add(l.owner.limits.grace))
}

// setPatient says whether silence may last.
func (l *line) setPatient(patient bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.patient == patient {
		return
	}
	l.patient, l.armed = patient, time.Time{}
	if patient && l.end.IsZero() && !l.foreign {
		_ = l.Conn.SetDeadline(time.Time{})
	}
}

func (l *line) SetDeadline(t time.Time) error      { return l.setForeign(t, l.Conn.SetDeadline) }
func (l *line) SetReadDeadline(t time.Time) error  { return l.setForeign(t, l.Conn.SetReadDeadline) }
func (l *line) SetWriteDeadline(t time.Time) error { return l.setForeign(t, l.Conn.SetWriteDeadline) }

// setForeign lets lib/pq and TLS set limits of their own, within that of the line.
func (l *line) setForeign(t time.Time, set func(time.Time) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.foreign, l.armed = !t.IsZero(), time.Time{}
	if !l.end.IsZero() && (t.IsZero() || t.After(l.end)) {
		t = l.end
	}
	return set(t)
}

type patientKey struct{}

// Patiently lets the statements of a context be silent for as long as they take, as migrations and the computing of all
// sums are. They still end with the context, and when the network notices that the server is gone.
func Patiently(ctx context.Context) context.Context {
	return context.WithValue(ctx, patientKey{}, true)
}

func isPatient(ctx context.Context) bool { return ctx.Value(patientKey{}) != nil }
