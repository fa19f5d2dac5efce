package affiliate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// StoreJobID names a job.
type StoreJobID int64

func (id StoreJobID) String() string { return prefixed("job_", int64(id)) }

// StoreJobKind is what a job with a store's API does.
type StoreJobKind string

const (
	JobReconcile StoreJobKind = "reconcile" // compares what changed in the store with what is here
	JobHistory   StoreJobKind = "history"   // fetches the orders of a time, whether or not they are known
)

// Words lists the kinds there are.
func (StoreJobKind) Words() []StoreJobKind { return []StoreJobKind{JobReconcile, JobHistory} }

// StoreJobState is how far a job has come.
type StoreJobState string

const (
	JobWaiting StoreJobState = "waiting"
	JobRunning StoreJobState = "running"
	JobPaused  StoreJobState = "paused"  // by a person, who can have it go on
	JobDone    StoreJobState = "done"    // all of it
	JobStopped StoreJobState = "stopped" // by a person, for good
	JobFailed  StoreJobState = "failed"  // Trouble says why, and what helps
)

// Words lists the states there are.
func (StoreJobState) Words() []StoreJobState {
	return []StoreJobState{JobWaiting, JobRunning, JobPaused, JobDone, JobStopped, JobFailed}
}

// Open says whether there is more to come of a job.
func (s StoreJobState) Open() bool { return s == JobWaiting || s == JobRunning || s == JobPaused }

// StoreJobCause is why a job was begun.
type StoreJobCause string

const (
	CauseSchedule StoreJobCause = "schedule" // its time had come
	CauseRequest  StoreJobCause = "request"  // a person asked for it
	CauseOutage   StoreJobCause = "outage"   // we were down, or ended without warning
	CauseWebhook  StoreJobCause = "webhook"  // a webhook was gone and is there again
	CauseDoubt    StoreJobCause = "doubt"    // orders wait for what only the store can tell
	CauseNightly  StoreJobCause = "nightly"  // all orders that may still change
)

// Words lists the causes there are.
func (StoreJobCause) Words() []StoreJobCause {
	return []StoreJobCause{CauseSchedule, CauseRequest, CauseOutage, CauseWebhook, CauseDoubt, CauseNightly}
}

// DriftKind is how an order here did not agree with the store.
type DriftKind string

const (
	DriftMissing   DriftKind = "missing"   // it was not here
	DriftBehind    DriftKind = "behind"    // the store has a newer version
	DriftDifferent DriftKind = "different" // the version is the same, and what it says is not
	DriftExtra     DriftKind = "extra"     // the store has it no more
)

// Words lists the kinds there are.
func (DriftKind) Words() []DriftKind {
	return []DriftKind{DriftMissing, DriftBehind, DriftDifferent, DriftExtra}
}

// StoreJob is a piece of work with a store's API. It goes on where it was after a restart.
type StoreJob struct {
	ID        StoreJobID
	StoreID   StoreID
	Kind      StoreJobKind
	State     StoreJobState
	Cause     StoreJobCause
	DryRun    bool      // finds out, and changes nothing
	From      time.Time `db:"from_at"` // of the changes (reconcile) or the placing (history) of the orders, UTC
	Until     time.Time `db:"until_at"`
	Position  string    // where it goes on; its own
	Expected  int64     // orders that the store counted in this time; 0 before it did
	Orders    int64     // that were compared
	Settled   int64     // that were in doubt and are not any more
	Missing   int64     // these four count orders, each once
	Behind    int64
	Different int64
	Extra     int64
	Trouble   string // why it does not go on, with the remedy; empty otherwise
	Actor     string // who asked for it, as in the audit log; empty: nobody
	CreatedAt time.Time
	StartedAt time.Time
	Worked    int64 // milliseconds that it ran
	UpdatedAt time.Time
	EndedAt   time.Time
}

// Drift is how many orders did not agree.
func (j StoreJob) Drift() int64 { return j.Missing + j.Behind + j.Different + j.Extra }

// Rate is how many orders are compared in a second; 0 while that is not known.
func (j StoreJob) Rate() float64 {
	if j.Worked < 1000 {
		return 0
	}
	return float64(j.Orders) / (float64(j.Worked) / 1000)
}

// Left is how long it should still run; 0 while that is not known, and when it is over.
func (j StoreJob) Left() time.Duration {
	rate := j.Rate()
	if rate == 0 || j.Orders >= j.Expected || !j.State.Open() {
		return 0
	}
	return time.Duration(float64(j.Expected-j.Orders) / rate * float64(time.Second)).Round(time.Second)
}

// Sentence says what a job came to, with times of a zone. Its numbers are marked: see money.Marked.
func (j StoreJob) Sentence(zone *time.Location) string {
	from, until := j.From.In(zone), j.Until.In(zone)
	if j.Kind == JobHistory {
		days := "from " + from.Format("2 Jan 2006") + " to " + until.Format("2 Jan 2006")
		if j.Orders == 0 {
			return "No order was placed " + days + "."
		}
		text := fmt.Sprintf("%s placed %s: %s not here before.", orders(j.Orders, "order was", "orders were"), days,
			orders(j.Missing, "was", "were"))
		if other := j.Behind + j.Different + j.Extra; other > 0 {
			text += " " + orders(other, "other was", "others were") + " put right."
		}
		return text
	}
	since := "changed since " + from.Format("2 Jan 2006, 15:04")
	if sameDay(from, until) {
		since = "changed since " + from.Format("15:04")
	}
	if j.Deep() {
		since += " or may still change"
	}
	switch {
	case j.Orders == 0 && j.Drift() == 0:
		return "No order " + since + "."
	case j.Drift() == 0 && j.Orders == 1:
		return "The one order that " + since + " agrees."
	case j.Drift() == 0:
		return "All " + markedCount(j.Orders) + " orders that " + since + " agree."
	}
	var parts []string
	for _, p := range []struct {
		n    int64
		kind DriftKind
	}{{j.Missing, DriftMissing}, {j.Behind, DriftBehind}, {j.Different, DriftDifferent}, {j.Extra, DriftExtra}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", markedCount(p.n), p.kind))
		}
	}
	end := "They are as in the store now."
	if j.DryRun {
		end = "Nothing was changed."
	}
	return fmt.Sprintf("Of %s that %s, %s not agree: %s. %s", orders(j.Orders, "order", "orders"), since,
		orders(j.Drift(), "did", "did"), strings.Join(parts, ", "), end)
}

func orders(n int64, one, many string) string {
	if n == 1 {
		many = one
	}
	return markedCount(n) + " " + many
}

// Deep says whether a comparison looks for all orders by their ids that may still change: only so are those found that
// the store deleted for good. The frequent ones do not.
func (j StoreJob) Deep() bool {
	return j.Kind == JobReconcile && j.Cause != CauseSchedule && j.Cause != CauseDoubt
}

func sameDay(a, b time.Time) bool { return a.Year() == b.Year() && a.YearDay() == b.YearDay() }

// Drift is one thing about one order in which the store and we did not agree.
type Drift struct {
	JobID  StoreJobID
	Order  string `db:"order_external"` // the store's id
	Field  string // status, value, original_value, refunded, total, currency, codes, links; empty: the order itself
	Kind   DriftKind
	Ours   string // as the API writes it: "12.50", "paid"; empty where it was missing
	Theirs string
}

func markedCount(n int64) string { return money.Marked(strconv.FormatInt(n, 10)) }
