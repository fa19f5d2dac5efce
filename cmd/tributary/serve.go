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
	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/dashboard"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/live"
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
			select {
			case <-ctx.Done():
			case err = <-s.failed:
			}
			s.log.Info("stopping")
			return errors.Join(err, s.stop())
		},
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
	stops   []func() error // run last to first
}

// platforms are all kinds of stores.
func platforms() map[affiliate.Platform]app.Platform {
	return map[affiliate.Platform]app.Platform{affiliate.Shopify: shopify.Platform{},
		affiliate.WooCommerce: woocommerce.Platform{}}
}

// startServer opens everything, starts the roles and returns once the address answers.
func startServer(ctx context.Context, cfg config.Config, roles []string) (s *server, err error) {
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
	s.onStop(func() error { listener.Close(); return nil }) // closed by the HTTP server already when it ran
	a, closeApp, err := openApp(ctx, cfg)
	if err != nil {
		return s, err
	}
	s.app, s.log = a, a.Log
	s.onStop(func() error { closeApp(); return nil })
	if err := a.CheckKey(ctx); err != nil {
		return s, err
	}
	if err := a.SeedRates(ctx, fxrates.Bundled); err != nil {
		return s, fmt.Errorf("load the exchange rates that come with the program: %w", err)
	}
	jobs.LogTo(a.Log)
	redis, err := jobs.Open(cfg.RedisURL)
	if err != nil {
		return s, err
	}
	s.onStop(redis.Close)
	if err := redis.Ping(ctx); err != nil {
		a.Log.Warn("Redis does not answer yet (REDIS_URL); deliveries are kept and wait", "error", err)
	}
	queue := jobs.NewQueue(redis)
	hub := live.NewHub(redis.Client(), a.Log)
	counters := app.NewCounters(a.DB, a.Now, a.Log)
	a.Platforms, a.Queue, a.Live = platforms(), queue, hub
	counters.Live = hub
	clock := app.NewClockWatch(a, nil)
	if err := clock.Start(ctx); err != nil {
		return s, fmt.Errorf("compare the clock with the newest deliveries: %w", err)
	}
	s.background(func(ctx context.Context) { jobs.Every(ctx, a.Log, clockEvery, "watch the clock", clock.Check) })
	s.background(hub.Run)
	s.background(counters.Run)

	handler := &web.Server{App: a, Log: a.Log, Version: buildVersion(), TrustedProxies: cfg.TrustedProxies,
		MaxBody: cfg.MaxBodyBytes, MaxUnverified: cfg.MaxUnverified,
		API: slices.Contains(roles, roleWeb), Hub: hub, Queue: queue, Counters: counters}
	if cfg.APIRateLimit > 0 {
		handler.Limiter = web.NewLimiter(redis.Client(), cfg.APIRateLimit, a.Log)
	}
	if handler.API {
		handler.Downloads = web.NewAttachments()
		handler.Pages = &dashboard.Dashboard{App: a, Log: a.Log, Hub: hub, Version: buildVersion(), Demo: cfg.Demo,
			Downloads: handler.Downloads}
	}
	if slices.Contains(roles, roleWorker) {
		s.startWorker(cfg, redis, queue, counters, clock)
	}
	if slices.Contains(roles, roleReceiver) {
		intake := app.NewIntake(a.DB, queue, a.Log)
		s.onStop(func() error { intake.Close(); return nil })
		handler.Receiver = app.NewReceiver(a, intake, counters)
		handler.Links = app.NewLinks(a)
		s.onStop(func() error { handler.Links.Close(); return nil })
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

// startLifeline keeps the times in which deliveries are taken in. It ends first of all: from then on none are.
func (s *server) startLifeline(ctx context.Context) error {
	life, err := s.app.StartLifeline(ctx)
	if err != nil {
		return fmt.Errorf("note the start: %w", err)
	}
	s.onStop(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := life.Stop(ctx); err != nil {
			s.log.Warn("the clean end is not noted; the next start will tell of a gap", "error", err)
		}
		return nil
	})
	s.background(func(ctx context.Context) { jobs.Every(ctx, s.log, app.BeatEvery, "give a sign of life", life.Beat) })
	return nil
}

func (s *server) startWorker(cfg config.Config, redis *jobs.Redis, queue *jobs.Queue, counters *app.Counters,
	clock *app.ClockWatch) {
	workers := cfg.WorkerConcurrency
	if workers == 0 {
		workers = max(2, runtime.GOMAXPROCS(0))
	}
	if cfg.Embedded() {
		workers = 1 // SQLite has one writer
	}
	processor := app.NewProcessor(s.app, counters, workers)
	s.onStop(func() error { processor.Close(); return nil })
	worker := &jobs.Worker{DB: s.app.DB, Redis: redis, Queue: queue, Processor: processor, Log: s.log, Now: s.app.Now,
		Retention: time.Duration(cfg.RetentionDays) * 24 * time.Hour, Steady: clock.Steady}
	s.background((&jobs.RateUpdater{App: s.app, Redis: redis, Log: s.log}).Run)
	s.background(func(ctx context.Context) {
		if err := worker.Run(ctx); err != nil {
			s.log.Error("worker ended", "error", err)
		}
	})
	s.background(func(ctx context.Context) {
		jobs.Every(ctx, s.log, recalculateEvery, "recalculate", s.app.Recalculate)
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
	s.onStop(func() error {
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

func (s *server) onStop(f func() error) { s.stops = append(s.stops, f) }

// background runs f until the server stops, and waits for it then.
func (s *server) background(f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { f(ctx) })
	s.onStop(func() error {
		cancel()
		done.Wait()
		return nil
	})
}

// stop ends everything in the reverse order of its start.
func (s *server) stop() error {
	var errs []error
	for _, f := range slices.Backward(s.stops) {
		errs = append(errs, f())
	}
	s.stops = nil
	return errors.Join(errs...)
}
