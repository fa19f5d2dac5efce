package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Status is the small status document.
type Status struct {
	Status     string           `json:"status"` // ok, degraded
	Version    string           `json:"version"`
	Time       time.Time        `json:"time"`
	Reasons    []string         `json:"reasons,omitempty"` // why it is degraded
	Writable   bool             `json:"writable"`          // false: nothing new can be kept
	Deliveries StatusDeliveries `json:"deliveries"`
	Queue      jobs.QueueState  `json:"queue"`
	Clock      StatusClock      `json:"clock"`
	Orders     map[string]int64 `json:"orders"` // by status
	// OrdersInDoubt are those about which deliveries leave something open that only the store can tell.
	OrdersInDoubt int64         `json:"orders_in_doubt"`
	Stores        []StatusStore `json:"stores,omitempty"`
	Rates         *StatusRates  `json:"rates,omitempty"`
}

// StatusRates says how far the exchange rates reach; only shown to those who hold a token.
type StatusRates struct {
	Newest *string `json:"newest"` // the last day that has rates: 2026-04-13
	Source string  `json:"source"` // where newer ones are fetched, or off
}

// StatusClock says whether the server's clock can be relied on: the jumps that nobody has dismissed yet, and how far it
// is behind the newest delivery, which came before it was put back.
type StatusClock struct {
	BehindSeconds float64      `json:"behind_seconds"`
	Jumps         []StatusJump `json:"jumps"`
}

// StatusJump is one jump of the clock; back when it is negative.
type StatusJump struct {
	NoticedAt time.Time `json:"noticed_at"`
	Seconds   float64   `json:"seconds"`
}

// StatusDeliveries are the open deliveries.
type StatusDeliveries struct {
	Waiting              int64   `json:"waiting"`
	Failed               int64   `json:"failed"`
	OldestWaitingSeconds float64 `json:"oldest_waiting_seconds"`
}

// StatusStore is a store's health; only shown to those who hold a token.
type StatusStore struct {
	Slug            string             `json:"slug"`
	Platform        affiliate.Platform `json:"platform"`
	LastDeliveryAt  *time.Time         `json:"last_delivery_at"`
	LastProcessedAt *time.Time         `json:"last_processed_at"`
	Rejected24h     int64              `json:"rejected_24h"`
	OrdersInDoubt   int64              `json:"orders_in_doubt"`
	MissingTopics   []string           `json:"missing_topics"` // come with every order, and never came
	Quiet           *string            `json:"quiet"`          // only when it is unusual: for how long, and what is usual
	Notices         int                `json:"notices"`        // that nobody has dismissed yet
}

func (s *Server) registerStatus(r *gin.Engine) {
	r.GET(statusPath, func(c *gin.Context) { limitRequest(c, statusLimit) }, s.status)
	r.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	r.GET("/readyz", s.ready)
	figures := gin.WrapH(s.metrics())
	if s.StatusNeedsToken {
		r.GET(metricsPath, s.requirePermission(affiliate.MayRead), figures)
		return
	}
	r.GET(metricsPath, figures)
}

// Limits of what a machine that watches waits for.
const (
	statusLimit = 4 * time.Second
	readyLimit  = 2 * time.Second
)

// What is shown of the server's state, to anybody or to those who hold a token; see StatusNeedsToken.
const (
	statusPath  = "/status"
	metricsPath = "/metrics"
)

// lateAfter is how old a waiting delivery may be before the status is degraded.
const lateAfter = time.Minute

func (s *Server) status(c *gin.Context) {
	_, signedIn, err := s.principal(c)
	if err == nil && s.StatusNeedsToken && !signedIn {
		err = NewProblem(CodeUnauthenticated, "",
			"The status is shown to those who hold a token (STATUS_ACCESS). Send it as: Authorization: Bearer trb_…")
	}
	if err != nil {
		s.AnswerError(c, err)
		return
	}
	read := s.readStatus
	if !signedIn {
		read = s.sharedStatus
	}
	status, err := read(c.Request.Context())
	if err != nil {
		logOutage(c.Request.Context(), s.Log, &s.faults, "status not readable", "error", err)
		c.JSON(http.StatusServiceUnavailable, Status{Status: "degraded", Version: s.Version, Time: s.App.Now().UTC(),
			Reasons: []string{"the database cannot be reached"}, Queue: s.Queue.State(),
			Clock: StatusClock{Jumps: []StatusJump{}}})
		return
	}
	if signedIn {
		if status.Stores, err = s.statusStores(c.Request.Context()); err != nil {
			s.AnswerError(c, err)
			return
		}
		if status.Rates, err = s.statusRates(c.Request.Context()); err != nil {
			s.AnswerError(c, err)
			return
		}
	}
	c.JSON(http.StatusOK, status)
}

// sharedStatus is a moment's status, which all strangers share: a flood of them costs no more than a few.
func (s *Server) sharedStatus(ctx context.Context) (Status, error) {
	return s.statuses.Get(ctx, s.readStatus)
}

func (s *Server) readStatus(ctx context.Context) (Status, error) {
	now := s.App.Now().UTC()
	out := Status{Status: "ok", Writable: true,
		Version: s.Version, Time: now, Orders: map[string]int64{}, Queue: s.Queue.State()}
	inbox, err := s.App.DB.Inbox(ctx)
	if err != nil {
		return out, err
	}
	if out.Clock, err = s.statusClock(ctx, now); err != nil {
		return out, err
	}
	counts, err := s.orderCounts.Get(ctx, s.App.DB.OrderCounts)
	if err != nil {
		return out, err
	}
	for status, n := range counts {
		out.Orders[string(status)] = n
	}
	doubts, err := s.readDoubts(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range doubts {
		out.OrdersInDoubt += c.Orders
	}
	out.Deliveries = StatusDeliveries{Waiting: inbox.Waiting, Failed: inbox.Failed}
	if !inbox.OldestWaiting.IsZero() {
		age := max(0, now.Sub(inbox.OldestWaiting))
		out.Deliveries.OldestWaitingSeconds = age.Round(time.Millisecond).Seconds()
		if age > lateAfter {
			out.Reasons = append(out.Reasons, "deliveries wait for longer than a minute")
		}
	}
	if inbox.Failed > 0 {
		out.Reasons = append(out.Reasons, "there are failed deliveries")
	}
	if !out.Queue.Reachable {
		out.Reasons = append(out.Reasons, "the queue cannot be reached; deliveries are kept and wait")
	}
	for what, pulse := range s.Pulses {
		if pulse() == app.Stopped {
			out.Reasons = append(out.Reasons, what)
		}
	}
	slices.Sort(out.Reasons)
	if u := s.App.DB.Unwritable(); u != nil {
		out.Writable = false
		out.Reasons = append(out.Reasons, "nothing new can be kept: "+u.Reason)
	}
	if len(out.Reasons) > 0 {
		out.Status = "degraded"
	}
	return out, nil
}

// everyday is how far the clocks of several machines may differ.
const everyday = 30 * time.Second

func (s *Server) statusClock(ctx context.Context, now time.Time) (StatusClock, error) {
	clock := StatusClock{Jumps: []StatusJump{}}
	newest, err := s.App.DB.NewestReceived(ctx)
	if err != nil {
		return clock, err
	}
	if behind := newest.Sub(now); behind >= everyday {
		clock.BehindSeconds = behind.Round(time.Second).Seconds()
	}
	notices, err := s.App.DB.ClockNotices(ctx)
	for _, n := range notices {
		clock.Jumps = append(clock.Jumps, StatusJump{NoticedAt: n.NoticedAt.UTC(),
			Seconds: n.To.Sub(n.From.Time).Round(time.Second).Seconds()})
	}
	return clock, err
}

func (s *Server) statusStores(ctx context.Context) ([]StatusStore, error) {
	rows, err := s.App.DB.StoreHealth(ctx, s.App.Now().Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	stores := make([]affiliate.Store, len(rows))
	for i, r := range rows {
		stores[i] = affiliate.Store{ID: r.ID, Platform: r.Platform, LastDeliveryAt: r.LastDelivery.Time}
	}
	health, err := s.App.StoreHealth(ctx, stores, 0)
	if err != nil {
		return nil, err
	}
	doubts, err := s.readDoubts(ctx)
	list := make([]StatusStore, len(rows))
	for i, r := range rows {
		h := health[r.ID]
		list[i] = StatusStore{Slug: r.Slug, Platform: r.Platform, LastDeliveryAt: TimeOrNull(r.LastDelivery.Time),
			LastProcessedAt: TimeOrNull(r.LastProcessed.Time), Rejected24h: r.Rejected, MissingTopics: []string{},
			Notices: len(h.Notices), OrdersInDoubt: doubts[r.ID].Orders}
		for _, t := range h.NeverSeen {
			if t.Missing {
				list[i].MissingTopics = append(list[i].MissingTopics, t.Name)
			}
		}
		if h.Quiet != nil && h.Quiet.Unusual {
			list[i].Quiet = new(h.Quiet.Text())
		}
	}
	return list, err
}

// readDoubts counts the orders in doubt of all stores; a moment's counts are shared.
func (s *Server) readDoubts(ctx context.Context) (map[affiliate.StoreID]storage.DoubtCount, error) {
	return s.doubtCounts.Get(ctx, func(ctx context.Context) (map[affiliate.StoreID]storage.DoubtCount, error) {
		return s.App.DB.DoubtCounts(ctx, 0)
	})
}

func (s *Server) statusRates(ctx context.Context) (*StatusRates, error) {
	rates := &StatusRates{Source: "off"}
	if s.App.Rates != nil {
		rates.Source = s.App.Rates.Source()
	}
	newest, err := s.App.DB.NewestRateDay(ctx)
	if newest != "" {
		rates.Newest = &newest
	}
	return rates, err
}

// ready says whether this process can do its work: the database answers and takes writes, and what this process tried
// to commit last was committed. That a query is answered is not enough: other connections may hang, the disk be full, a
// lock stand in the way. When the last try failed a while ago and there was none since, something is committed to see.
// Redis may be away; deliveries are kept all the same.
func (s *Server) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyLimit)
	defer cancel()
	write, stopped := false, ""
	for what, pulse := range s.Pulses {
		switch pulse() {
		case app.Stopped:
			stopped = what
		case app.Missed:
			write = true
		}
	}
	refuse := func(why string, err error) {
		logOutage(c.Request.Context(), s.Log, &s.faults, "not ready", "reason", why, "error", err)
		writeProblem(c, string(affiliate.Unavailable), "", why)
	}
	if err := s.App.DB.Ready(ctx, false); err != nil {
		refuse("The database cannot be reached.", err)
		return
	}
	if u := s.App.DB.Unwritable(); u != nil {
		p := NewProblem(storage.CodeNotWritable, "",
			"Nothing new can be kept: "+u.Reason+". Reading goes on.")
		p.RetryAfter = retryWriting
		AnswerProblem(c, p)
		return
	}
	if stopped != "" {
		refuse("The database answers, but "+stopped+".", nil)
		return
	}
	if write {
		if err := s.App.DB.Ready(ctx, true); err != nil {
			refuse("The database answers, but nothing can be written to it.", err)
			return
		}
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}

// TimeOrNull is null for no time, and UTC.
func TimeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}
