package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/history"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/storage"
)

func demoCommand() command {
	return command{
		name:    "demo",
		args:    "[--once] [--recorded] [--data FOLDER]",
		summary: "Run the server on recorded deliveries of two stores, and compare what comes out.",
		example: "tributary demo\ntributary demo --once\nLISTEN_ADDR=127.0.0.1:9000 tributary demo",
		run: func(ctx context.Context, c *call) error {
			once := c.flags.Bool("once", false, "end after the table, with exit code 1 if anything differs")
			recorded := c.flags.Bool("recorded", false,
				"without made-up sales, and every delivery once, in its order: what docs/api.md shows")
			data := c.flags.String("data", "demo-data", "a `FOLDER` for the demo's data, made anew at every start")
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			err := runDemo(ctx, c, *data, *once, *recorded)
			if ctx.Err() != nil && !*once {
				return nil // Ctrl-C is how a demo ends
			}
			return err
		},
	}
}

// runDemo serves until ctx ends; with once it ends by itself. recorded is for data that is the same each time, ids
// included.
func runDemo(ctx context.Context, c *call, data string, once, recorded bool) (err error) {
	folder, err := newDemoFolder(ctx, data)
	if err != nil {
		return err
	}
	var shops *demoShops
	var answering []config.DemoShop
	if !once && !recorded {
		if shops, err = openDemoShops(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, shops.close()) }()
		answering = shops.list
	}
	s, err := startDemoServer(ctx, folder.path, c.getenv("LISTEN_ADDR"), answering)
	if err != nil {
		return err
	}
	base := "http://" + s.address
	client := recordings.NewClient(base, "")
	defer func() {
		client.Close()
		err = errors.Join(err, s.stop(), folder.vacate())
	}()
	if err := folder.occupy(base); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "Tributary %s serves at %s, with its data in %s.\n", buildVersion(), base, folder.path)
	sets, err := recordings.All()
	if err != nil {
		return err
	}
	if client.Token, err = setUpDemo(ctx, s.app); err != nil {
		return err
	}
	if !once && !recorded { // a past to look at; the table is about the recorded deliveries alone
		if err := writeDemoPast(ctx, c, s.app); err != nil {
			return err
		}
	}
	if err := connectRecorded(ctx, s.app, sets); err != nil {
		return err
	}
	connections, repeat := demoConnections, demoRepeat
	if recorded {
		connections, repeat = 1, 0
	}
	if err := replayRecordings(ctx, c, client, sets, connections, repeat); err != nil {
		return err
	}
	report, err := compareRecordings(ctx, client, sets)
	if err != nil {
		return err
	}
	report.print(c.stdout)
	if once {
		if report.differs() {
			return errReported
		}
		return nil
	}
	owner, password := demoUser(), demoPassword()
	if _, err := s.app.AddUser(app.As(ctx, commandLine()), owner, password); err != nil {
		return err
	}
	printWhereToLook(c.stdout, client, sets, owner.Email, password)
	if shops != nil {
		shops.print(c.stdout)
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// demoAddress is where the demo is served unless told otherwise; another port when this one is taken.
const demoAddress = "127.0.0.1:8080"

// startDemoServer serves on the embedded default; a demo must not touch real data, so the environment says only where
// to listen. An address that was asked for is not replaced by another one.
func startDemoServer(ctx context.Context, data, asked string, shops []config.DemoShop) (*server, error) {
	address := cmp.Or(strings.TrimSpace(asked), demoAddress)
	for attempt := 1; ; attempt++ {
		settings := map[string]string{"LISTEN_ADDR": address, "DATA_DIR": data, "LOG_LEVEL": "warn",
			"FX_RATES_URL": "off", "ALLOW_PRIVATE_STORES": "127.0.0.1"}
		cfg, err := config.Load(func(name string) string { return settings[name] })
		if err != nil {
			return nil, err
		}
		cfg.Demo, cfg.DemoShops = true, shops
		s, err := startServer(ctx, cfg, allRoles)
		if err == nil || !isListenError(err) || asked != "" || attempt == 10 {
			return s, err
		}
		if address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
}

func isListenError(err error) bool {
	var e *net.OpError
	return errors.As(err, &e) && e.Op == "listen"
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// demoUser is who signs in to the dashboard of a demo.
func demoUser() affiliate.User {
	return affiliate.User{Email: "owner@demo.example", Name: "Demo owner", Role: affiliate.RoleOwner}
}

// demoPassword is another one in each demo, and long enough that chance makes none that is refused as too easily
// guessed.
func demoPassword() string { return "demo-" + strings.ToLower(rand.Text()) }

// demoMailFrom is whom the mails of a demo are from.
const demoMailFrom = `"Demo brand" <creators@demo.example>`

// demoMailer takes every mail, and hands it to nobody.
type demoMailer struct{}

func (m demoMailer) Open(context.Context) (app.MailConnection, error) { return m, nil }

func (demoMailer) Send(_ context.Context, _ affiliate.OutgoingMail, ending func() error) error {
	return ending()
}

func (demoMailer) Close() error { return nil }

// Size of the demo's past.
const (
	demoMonths      = 8
	demoConversions = 4000
	demoStores      = "3"
)

// writeDemoPast makes up some months of sales in stores of their own, so that the dashboard has something to show.
func writeDemoPast(ctx context.Context, c *call, a *app.App) error {
	o := historyOptions{stores: demoStores, plan: history.Plan{Conversions: demoConversions, Uncredited: 40, Clicks: 4,
		Campaigns: 8, Creators: 90}}
	o.plan.Seed, o.plan.Now = 1, a.Now()
	o.plan.From = o.plan.Now.AddDate(0, -demoMonths, 0)
	o.plan.EmailHash = a.EmailHash
	var err error
	if o.plan.Stores, err = o.findStores(ctx, a); err != nil {
		return err
	}
	begin := time.Now()
	report, err := history.Write(ctx, a.DB, o.plan)
	if err != nil {
		return fmt.Errorf("make up a past: %w", err)
	}
	fmt.Fprintf(c.stdout, "Made up %d orders of %d months in %s, so that there is something to look at.\n",
		report.Orders, demoMonths, time.Since(begin).Round(100*time.Millisecond))
	return nil
}

// setUpDemo names the brand and gives a token.
func setUpDemo(ctx context.Context, a *app.App) (token string, err error) {
	ctx = app.As(ctx, commandLine())
	if _, err := a.SetSettings(ctx, []app.Setting{{Key: "name", Value: "Demo brand"},
		{Key: "timezone", Value: "America/New_York"}}); err != nil {
		return "", err
	}
	added, err := a.AddToken(ctx, app.TokenDraft{Name: "demo", Role: affiliate.RoleOwner})
	return added.Value, err
}

// connectRecorded adds the recorded stores.
func connectRecorded(ctx context.Context, a *app.App, sets []recordings.Set) error {
	for _, set := range sets {
		if err := connect(app.As(ctx, commandLine()), a, set); err != nil {
			return fmt.Errorf("connect the store %s: %w", set.Store.Slug, err)
		}
	}
	return giveDiscounts(app.As(ctx, commandLine()), a)
}

// giveDiscounts says what the codes of the recorded offers give and how more of them are made, so that somebody can try
// it in the shops that answer.
func giveDiscounts(ctx context.Context, a *app.App) error {
	offers, err := storage.All(func(p storage.Page) ([]affiliate.Offer, string, error) {
		return a.DB.Offers(ctx, 0, p)
	})
	if err != nil {
		return err
	}
	for _, o := range offers {
		if o.Type != affiliate.OfferPromoCode {
			continue
		}
		_, err := a.ChangeOffer(ctx, o.ID, app.AnyVersion, func(o *affiliate.Offer) error {
			o.Discount = affiliate.OfferDiscount{Discount: affiliate.Discount{Kind: affiliate.DiscountPercent,
				Percent: 1000, OncePerCustomer: true}}
			o.CodePattern = "{{handle}}10"
			return nil
		})
		if err != nil {
			return fmt.Errorf("set the discount of %s: %w", o.Name, err)
		}
	}
	return nil
}

// connect adds a recorded store and imports its creators with their codes and links.
func connect(ctx context.Context, a *app.App, set recordings.Set) error {
	if err := addStore(ctx, a, set.Store); err != nil {
		return err
	}
	return importCreators(ctx, a, set.CreatorsCSV)
}

func addStore(ctx context.Context, a *app.App, s recordings.Store) error {
	name := "Demo " + a.Platforms.Guide(s.Platform).Name + " store"
	_, err := a.AddStore(ctx, app.NewStore{Platform: s.Platform, Slug: s.Slug, Name: name, Domain: s.Domain,
		Currency: s.Currency, Timezone: s.Timezone, Secret: s.Secret})
	return err
}

func importCreators(ctx context.Context, a *app.App, csv []byte) error {
	report, err := a.Import(ctx, bytes.NewReader(csv), false)
	if err == nil && len(report.Errors) > 0 {
		err = fmt.Errorf("creators.csv: %s", report.Errors[0])
	}
	return err
}

const (
	demoConnections = 4
	demoRepeat      = 5 // every fifth delivery comes twice, as stores do
	demoPatience    = 2 * time.Minute
)

// replayRecordings sends all recorded deliveries as their stores did, over some connections and with every repeat-th
// twice (0: none), and waits until they are processed.
func replayRecordings(ctx context.Context, c *call, client *recordings.Client, sets []recordings.Set, connections,
	repeat int) error {
	var list []recordings.Request
	recorded := 0
	for _, set := range sets {
		recorded += len(set.Requests)
		if repeat > 0 {
			list = append(list, recordings.Repeated(set.Requests, repeat)...)
		} else {
			list = append(list, set.Requests...)
		}
	}
	begin := time.Now()
	progress := newProgress(c.stderr, len(list), "Sending recorded deliveries")
	// a bar that cannot be drawn harms nothing
	err := sendAll(ctx, client, list, connections, func() { _ = progress.Add(1) })
	_ = progress.Finish()
	if err != nil {
		return err
	}
	sent := time.Since(begin)
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	if err := client.WaitProcessed(ctx, nil); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "Sent %d deliveries (%d recorded, %d of them twice) in %s; all were processed %s later.\n\n",
		len(list), recorded, len(list)-recorded, sent.Round(time.Millisecond),
		(time.Since(begin) - sent).Round(time.Millisecond))
	return nil
}

// sendAll sends over some connections at once and ends at the first error.
func sendAll(ctx context.Context, client *recordings.Client, list []recordings.Request, connections int,
	done func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var senders sync.WaitGroup
	for _, list := range recordings.ByConnection(list, connections) {
		senders.Go(func() {
			for _, r := range list {
				if ctx.Err() != nil {
					return
				}
				if err := client.Deliver(ctx, r); err != nil {
					cancel(err)
				}
				done()
			}
		})
	}
	senders.Wait()
	return context.Cause(ctx)
}
