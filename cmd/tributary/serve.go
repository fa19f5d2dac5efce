package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/integrations/fxrates"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/dashboard"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/live"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// Roles of a process. Receivers and workers hold no state: run as many as needed.
const (
	roleReceiver = "receiver" // webhooks and links
	roleWorker   = "worker"   // processes deliveries
	roleWeb      = "web"      // API and live events
)

var allRoles = []string{roleReceiver, roleWorker, roleWeb}

func serveCommand() command {
	return command{
		name:    "serve",
		args:    "[--roles receiver,worker,web]",
		summary: "Run the server.",
		example: "tributary serve\nLISTEN_ADDR=:8080 DATABASE_URL=postgres://… REDIS_URL=redis://… tributary serve --roles receiver",
		run: func(ctx context.Context, c *call) error {
			roles := c.flags.String("roles", strings.Join(allRoles, ","), "`LIST` of what this process does, divided "+
				"by commas: receiver takes in webhooks and links, worker processes them, web serves pages and API")
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			list := strings.Split(*roles, ",")
			for _, r := range list {
				if !slices.Contains(allRoles, r) {
					return usagef("--roles: %q is none of %s", r, strings.Join(allRoles, ", "))
				}
			}
			cfg, err := config.Load(c.getenv)
			if err != nil {
				return err
			}
			if c.getenv("GOGC") == "" && c.getenv("GOMEMLIMIT") == "" {
				debug.SetGCPercent(gcPercent)
				debug.SetMemoryLimit(memoryLimit)
			}
			s, err := startServer(ctx, cfg, list)
			if err != nil {
				return err
			}
			s.log.Info("serving", "address", "http://"+s.address, "roles", *roles, "version", buildVersion(), "embedded", cfg.Embedded())
			if slices.Contains(list, roleWeb) {
				s.logSetupLink(ctx)
			}
			select {
			case <-ctx.Done():
			case err = <-s.failed:
			}
			s.log.Info("stopping")
			return errors.Join(err, s.stop())
		},
	}
}

// logSetupLink says where the first owner makes their account, while there is none.
func (s *server) logSetupLink(ctx context.Context) {
	link, err := s.app.SetupLink(ctx)
	if err != nil {
		s.log.Warn("cannot say where the first owner is made", "error", err)
	} else if link != "" {
		s.log.Warn("there is no owner yet: open this link to make your account, or run tributary user add",
			"link", link)
	}
}

// The live heap is a few MB, and with Go's default an intake of 15,000 deliveries/s collects garbage many times a
// second: a third of its processor time. So the heap may grow to three times of what lives, but collecting becomes
// eager again as the process nears memoryLimit. GOGC and GOMEMLIMIT in the environment take their place.
const (
	gcPercent   = 200
	memoryLimit = 512 << 20
)

// server is a running server with all its parts.
type server struct {
	app     *app.App
	address string // host:port that it listens on
	failed  chan error
	log     *slog.Logger
	stops   []stopStep // run last to first
}

// stopStep ends a part of the server.
type stopStep struct {
	name string
	end  func() error
}

// startServer opens everything, starts the roles and returns once the address answers. More kinds of stores than the
// usual ones may be given.
func startServer(ctx context.Context, cfg config.Config, roles []string, more ...app.Platform) (s *server, err error) {
	s = &server{failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	listener, err := net.Listen("tcp", cfg.ListenAddr)
	if err != nil {
		return s, fmt.Errorf("cannot listen on %s; set LISTEN_ADDR to an address that is free: %w", cfg.ListenAddr, err)
	}
	s.address = listener.Addr().String()
	s.onStop("close the address", func() error {
		listener.Close() // closed by the HTTP server already when it ran
		return nil
	})
	if cfg.Embedded() {
		if err := makeDataFolder(cfg); err != nil {
			return s, err
		}
		free, err := occupyFolder(cfg.DataDir)
		if err != nil {
			return s, err
		}
		s.onStop("free the data folder", free)
	}
	a, closeApp, err := openApp(ctx, cfg)
	if err != nil {
		return s, err
	}
	s.app, s.log = a, a.Log
	s.onStop("close the database", func() error { closeApp(); return nil })
	if err := a.CheckKey(ctx); err != nil {
		return s, err
	}
	if err := a.SeedRates(ctx, fxrates.Bundled); err != nil && !storage.IsUnwritable(err) {
		return s, fmt.Errorf("load the exchange rates that come with the program: %w", err)
	}
	jobs.LogTo(a.Log)
	redis, err := jobs.Open(cfg.RedisURL)
	if err != nil {
		return s, err
	}
	s.onStop("close Redis", redis.Close)
	if err := redis.Ping(ctx); err != nil {
		a.Log.Warn("Redis does not answer yet (REDIS_URL); deliveries are kept and wait", "error", err)
	}
	queue := jobs.NewQueue(redis)
	hub := live.NewHub(redis.Client(), a.Log)
	counters := app.NewCounters(a.DB, a.Now, a.Log)
	a.Platforms = append(a.Platforms, more...)
	a.Queue, a.Live, a.Serving = queue, hub, true
	counters.Live = hub
	if cfg.Embedded() {
		watchHolds(a)
	}
	clock := app.NewClockWatch(a, nil)
	if err := clock.Start(ctx); err != nil && !storage.IsUnwritable(err) {
		return s, fmt.Errorf("compare the clock with the newest deliveries: %w", err)
	}
	s.background("watch the clock", func(ctx context.Context) {
		jobs.Every(ctx, a.Log, clockEvery, "watch the clock", clock.Check)
	})
	s.background("watch the room", s.watchRoom)
	s.background("tell open pages", hub.Run)
	s.background("write the counters", counters.Run)

	handler := &web.Server{App: a, Log: a.Log, Version: buildVersion(), TrustedProxies: cfg.TrustedProxies,
		MaxBody: cfg.MaxBodyBytes, MaxUnverified: cfg.MaxUnverified, Hub: hub, Queue: queue,
		Counters: counters, Pulses: map[string]func() app.Beat{}, StatusNeedsToken: cfg.StatusNeedsToken}
	if cfg.APIRateLimit > 0 {
		handler.Limiter = web.NewLimiter(redis.Client(), cfg.APIRateLimit, a.Log)
	}
	if slices.Contains(roles, roleWeb) {
		downloads := web.NewAttachments(a.DB)
		reference := api.New(handler, downloads)
		handler.Pages = &dashboard.Dashboard{App: a, Log: a.Log, Hub: hub, Version: buildVersion(), Demo: cfg.Demo,
			DemoKeys: demoKeys(cfg), Downloads: downloads, Reference: reference.Document}
	}
	if slices.Contains(roles, roleWorker) {
		handler.Pulses["deliveries cannot be processed"] = s.startWorker(cfg, redis, queue, counters, clock)
	}
	if slices.Contains(roles, roleReceiver) {
		intake := app.NewIntake(a.DB, queue, a.Log)
		handler.Pulses["deliveries cannot be kept"] = intake.Pulse
		s.onStop("commit the last deliveries", func() error { intake.Close(); return nil })
		handler.Receiver = app.NewReceiver(a, intake, counters)
		handler.Links = app.NewLinks(a)
		s.onStop("write the last clicks", func() error { handler.Links.Close(); return nil })
	}
	if err := s.startHTTP(listener, handler); err != nil {
		return s, err
	}
	if handler.Receiver != nil && !cfg.Demo {
		if err := s.startLifeline(ctx); err != nil {
			return s, err
		}
	}
	go debug.FreeOSMemory() // templates, API document and exchange rates leave much garbage behind
	return s, nil
}

// longHold is for how long one transaction may keep all others who write to the embedded database waiting.
const longHold = 250 * time.Millisecond

// watchHolds tells of transactions that take long.
func watchHolds(a *app.App) {
	var seldom app.Seldom
	a.DB.WatchHolds(func(held time.Duration) {
		if held > longHold {
			seldom.Log(a.Log, slog.LevelWarn, "", "a transaction kept deliveries waiting", "for", held)
		}
	})
}

// startLifeline keeps the times in which deliveries are taken in. It ends first of all: from then on none are.
func (s *server) startLifeline(ctx context.Context) error {
	life, err := s.app.StartLifeline(ctx)
	if err != nil && !storage.IsUnwritable(err) {
		return fmt.Errorf("note the start: %w", err)
	}
	began := err == nil
	s.onStop("note the end", func() error {
		if !began {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := life.Stop(ctx); err != nil {
			s.log.Warn("the clean end is not noted; the next start will tell of a gap", "error", err)
		}
		return nil
	})
	beat := func(ctx context.Context) (err error) {
		if began {
			return life.Beat(ctx)
		}
		life, err = s.app.StartLifeline(ctx) // there was no room at the start
		began = err == nil
		return err
	}
	s.background("give signs of life", func(ctx context.Context) {
		jobs.Every(ctx, s.log, app.BeatEvery, "give a sign of life", beat)
	})
	return nil
}

// startWorker gives the pulse of what it starts.
func (s *server) startWorker(cfg config.Config, redis *jobs.Redis, queue *jobs.Queue, counters *app.Counters,
	clock *app.ClockWatch) func() app.Beat {
	workers := cfg.WorkerConcurrency
	if workers == 0 {
		workers = max(2, runtime.GOMAXPROCS(0))
	}
	if cfg.Embedded() {
		workers = 1 // SQLite has one writer
	}
	processor := app.NewProcessor(s.app, counters, workers)
	s.onStop("apply the last deliveries", func() error { processor.Close(); return nil })
	worker := &jobs.Worker{DB: s.app.DB, Redis: redis, Queue: queue, Processor: processor, Log: s.log, Now: s.app.Now,
		Retention: time.Duration(cfg.RetentionDays) * 24 * time.Hour, Steady: clock.Steady}
	s.background("update exchange rates", (&jobs.RateUpdater{App: s.app, Redis: redis, Log: s.log}).Run)
	s.background("take tasks", func(ctx context.Context) {
		if err := worker.Run(ctx); err != nil {
			s.log.Error("worker ended", "error", err)
		}
	})
	s.background("ask the stores", (&jobs.StoreWorker{App: s.app, Log: s.log}).Run)
	s.background("work at code runs", func(ctx context.Context) {
		jobs.Every(ctx, s.log, codeRunsEvery, "work at code runs", s.app.WorkCodeRuns)
	})
	s.background("look for orders that prove codes", func(ctx context.Context) {
		jobs.Every(ctx, s.log, proveEvery, "look for orders that prove codes", s.app.ProveCodes)
	})
	s.background("reckon rewards", func(ctx context.Context) {
		jobs.Every(ctx, s.log, rewardsEvery, "reckon rewards", func(ctx context.Context) error {
			_, err := s.app.ReckonRewards(ctx)
			return err
		})
	})
	s.background("take commissions into effect", func(ctx context.Context) {
		jobs.Every(ctx, s.log, commissionsEvery, "take commissions into effect", func(ctx context.Context) error {
			_, err := s.app.TakeCommissionsIntoEffect(ctx)
			return err
		})
	})
	s.background("send mails", func(ctx context.Context) {
		jobs.Every(ctx, s.log, mailsEvery, "send mails", func(ctx context.Context) error {
			_, err := s.app.SendMails(ctx)
			return err
		})
	})
	s.background("work at payouts", func(ctx context.Context) {
		jobs.Every(ctx, s.log, payoutsEvery, "work at payouts", s.app.WorkPayouts)
	})
	s.background("tell creators that they were paid", func(ctx context.Context) {
		jobs.Every(ctx, s.log, toldEvery, "tell creators that they were paid", s.app.TellPaid)
	})
	s.background("recalculate", func(ctx context.Context) {
		jobs.Every(ctx, s.log, recalculateEvery, "recalculate", s.app.Recalculate)
	})
	return processor.Pulse
}

// toldEvery is how soon creators hear that they were paid.
const toldEvery = time.Minute

// mailsEvery is how soon a mail is begun with whose turn it is.
const mailsEvery = time.Second

// payoutsEvery is how soon a payout run is begun with that a provider pays, or a store.
const payoutsEvery = 5 * time.Second

// codeRunsEvery is how soon a code run begins whose time has come.
const codeRunsEvery = 2 * time.Second

// proveEvery is how soon an order is noticed that proves a code which somebody was to type into a store.
const proveEvery = 30 * time.Second

// rewardsEvery is how soon a reward follows the order that earns it.
const rewardsEvery = time.Second

// commissionsEvery is how soon a commission is shown whose time has come.
const commissionsEvery = 10 * time.Second

// roomEvery is how soon a full disk is noticed that nobody writes to, and room on one that was full.
const roomEvery = 2 * time.Second

// watchRoom tells when nothing new can be kept, and when that is over.
func (s *server) watchRoom(ctx context.Context) {
	var before *storage.Unwritable
	jobs.Every(ctx, s.log, roomEvery, "look for room to write", func(ctx context.Context) error {
		now, err := s.app.DB.ProbeWriting(ctx)
		switch {
		case now != nil && (before == nil || before.Reason != now.Reason):
			s.log.Error("nothing new can be kept; deliveries and changes are refused, reading goes on", "reason",
				now.Detail)
		case now == nil && before != nil:
			s.log.Info("there is room to write again")
		}
		before = now
		return err
	})
}

// clockEvery is how soon a jump of the clock is noticed.
const clockEvery = 10 * time.Second

// recalculateEvery is how soon a recalculation begins after a change of settings, or is taken up again.
const recalculateEvery = 2 * time.Second

// Limits of every connection. A body of the largest size must fit into readTimeout on a slow line; the stream of live
// events lifts its own write limit.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 2 * time.Minute
	writeTimeout  = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	drainTimeout  = 15 * time.Second
)

func (s *server) startHTTP(listener net.Listener, web *web.Server) error {
	handler, err := web.Handler()
	if err != nil {
		return err
	}
	base, endStreams := context.WithCancel(context.Background())
	h := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(),
			slog.LevelDebug),
		ConnState:   newConnections(openConnections).changed,
		BaseContext: func(net.Listener) context.Context { return base }}
	go func() {
		if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	// Requests end first, then what they fed.
	s.onStop("end the requests", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		time.AfterFunc(time.Second, endStreams) // live streams never end by themselves
		defer endStreams()
		if err := h.Shutdown(ctx); err != nil {
			return errors.Join(err, h.Close())
		}
		return nil
	})
	return nil
}

func (s *server) onStop(name string, end func() error) {
	s.stops = append(s.stops, stopStep{name, end})
}

// background runs f until the server stops, and waits for it then.
func (s *server) background(name string, f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { f(ctx) })
	s.onStop(name, func() error {
		cancel()
		done.Wait()
		return nil
	})
}

// Limits of the stop. The parts have limits of their own, and these are for what hangs all the same: no part may keep
// the process, and supervisors kill one that takes long. On the embedded database a last commit may have to wait for
// another process; see app.NewIntake.
const (
	stopLimit         = 45 * time.Second
	embeddedStopLimit = 80 * time.Second
	// stopShare is what every part has, also when those before it have used up the whole.
	stopShare = 500 * time.Millisecond
)

// stop ends everything in the reverse order of its start. A part that does not end in time is left behind, and named.
func (s *server) stop() error {
	limit := stopLimit
	if s.app != nil && s.app.DB.Embedded() {
		limit = embeddedStopLimit
	}
	return s.stopWithin(limit)
}

func (s *server) stopWithin(limit time.Duration) error {
	deadline := time.Now().Add(limit)
	var errs []error
	for _, step := range slices.Backward(s.stops) {
		errs = append(errs, s.endWithin(step, max(time.Until(deadline), stopShare)))
	}
	s.stops = nil
	return errors.Join(errs...)
}

// slowStep is how long a part may take to end before that is worth a line.
const slowStep = 5 * time.Second

func (s *server) endWithin(step stopStep, limit time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- step.end() }()
	slow := time.AfterFunc(slowStep, func() {
		if s.log != nil {
			s.log.Warn("still stopping", "part", step.name)
		}
	})
	defer slow.Stop()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case err := <-ended:
		return err
	case <-late.C:
		return fmt.Errorf("stop: %q did not end within %v and was left behind", step.name, limit.Round(time.Second/10))
	}
}
