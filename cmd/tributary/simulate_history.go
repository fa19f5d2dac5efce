package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/history"
)

// Bounds of a history.
const (
	mostConversions = 50_000_000
	mostCampaigns   = 5000
	mostCreators    = 500_000
	mostYears       = 10
)

// historyOptions are those of simulate --history.
type historyOptions struct {
	wanted bool
	years  int
	stores string
	until  string
	force  bool
	plan   history.Plan
}

func (o *historyOptions) define(c *call) {
	c.flags.BoolVar(&o.wanted, "history", false,
		"write a made-up past straight into this server's database, and do nothing else")
	c.flags.IntVar(&o.plan.Conversions, "conversions", 1_000_000, "history: `N` conversions")
	c.flags.IntVar(&o.years, "years", 3, "history: `N`, over how many years")
	c.flags.StringVar(&o.until, "until", "", "history: the `DAY` (2026-11-30) on whose beginning it ends; empty: now")
	c.flags.IntVar(&o.plan.Uncredited, "uncredited", 30, "history: `PERCENT` of orders without a creator, in addition")
	c.flags.IntVar(&o.plan.Clicks, "clicks", 3, "history: `N` clicks for every conversion")
	c.flags.IntVar(&o.plan.Campaigns, "campaigns", 200, "history: `N` campaigns")
	c.flags.IntVar(&o.plan.Creators, "creators", 20_000, "history: `N` creators")
	c.flags.StringVar(&o.stores, "stores", "5", "history: `N` made-up stores, or the slugs of existing ones: A,B,C")
	c.flags.BoolVar(&o.force, "force", false, "history: even where there are orders already")
}

// finish checks the options and completes the plan, but for the stores.
func (o *historyOptions) finish(c *call, seed uint64, now time.Time) error {
	p := &o.plan
	for _, b := range []struct {
		name               string
		value, least, most int
	}{
		{"conversions", p.Conversions, 1, mostConversions}, {"years", o.years, 1, mostYears},
		{"uncredited", p.Uncredited, 0, 1000},
		{"clicks", p.Clicks, 0, 100}, {"campaigns", p.Campaigns, 1, mostCampaigns},
		{"creators", p.Creators, p.Campaigns, mostCreators},
	} {
		if b.value < b.least || b.value > b.most {
			return usagef("--%s: %d is not between %d and %d", b.name, b.value, b.least, b.most)
		}
	}
	if p.Seed = seed; seed == 0 {
		p.Seed = uint64(mathrand.Uint32())
	}
	p.Now = now
	if o.until != "" {
		day, err := time.Parse(time.DateOnly, o.until)
		if err != nil || day.After(now) {
			return usagef("--until: %q is not a day of the past, such as 2026-11-30", o.until)
		}
		p.Now = day
	}
	p.From = p.Now.AddDate(-o.years, 0, 0)
	bar := newProgress(c.stderr, p.Orders(), "Writing orders")
	p.Progress = func(orders int) {
		if orders == p.Orders() {
			bar.Describe("Summing up for reports")
		}
		_ = bar.Set(orders) // a bar that cannot be drawn harms nothing
	}
	return nil
}

// writeHistory makes up a past in the database of the environment.
func writeHistory(ctx context.Context, c *call, o historyOptions, seed uint64) error {
	if err := o.finish(c, seed, time.Now()); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	has, err := a.DB.HasOrders(ctx)
	if err != nil {
		return err
	}
	if has && !o.force {
		return errors.New("the database has orders already, and a made-up past cannot be taken out again; --force " +
			"writes it all the same")
	}
	if o.plan.Stores, err = o.findStores(ctx, a); err != nil {
		return err
	}
	o.plan.EmailHash = func(email string) string {
		return a.Sealer.Hash(app.HashEmail, affiliate.NormalizeEmail(email))
	}
	begin := time.Now()
	report, err := history.Write(ctx, a.DB, o.plan)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	if c.json {
		return c.printJSON(historyJSON{Report: report, Seed: o.plan.Seed, Seconds: took.Seconds()})
	}
	fmt.Fprintf(c.stdout, "Wrote %d orders with %d conversions of %d creators in %d campaigns, ", report.Orders,
		report.Conversions, report.Creators, report.Campaigns)
	fmt.Fprintf(c.stdout, "%d clicks, %d ledger entries and %d payouts in %s (seed %d).\n", report.Clicks,
		report.LedgerEntries, report.Payouts, took.Round(100*time.Millisecond), o.plan.Seed)
	return nil
}

// historyJSON is a report for machines.
type historyJSON struct {
	history.Report
	Seed    uint64  `json:"seed"`
	Seconds float64 `json:"seconds"`
}

// madeUpStores are those that a history comes from, the one with most orders first.
var madeUpStores = []app.NewStore{
	madeUpStore(shopify.Name, "us", "US", "fern-us.myshopify.com", "USD", "America/New_York"),
	madeUpStore(woocommerce.Name, "eu", "Europe", "eu.fern.example", "EUR", "Europe/Berlin"),
	madeUpStore(shopify.Name, "uk", "UK", "fern-uk.myshopify.com", "GBP", "Europe/London"),
	madeUpStore(shopify.Name, "jp", "Japan", "fern-jp.myshopify.com", "JPY", "Asia/Tokyo"),
	madeUpStore(woocommerce.Name, "ae", "Gulf", "ae.fern.example", "AED", "Asia/Dubai"),
	madeUpStore(woocommerce.Name, "se", "Nordics", "se.fern.example", "SEK", "Europe/Stockholm"),
}

func madeUpStore(platform affiliate.Platform, slug, where, domain, currency, timezone string) app.NewStore {
	return app.NewStore{Platform: platform, Slug: "fern-" + slug, Name: "Fern & Fig " + where, Domain: domain,
		Currency: currency, Timezone: timezone}
}

// findStores gives the stores of the options. The made-up ones are added where they are missing.
func (o *historyOptions) findStores(ctx context.Context, a *app.App) (list []affiliate.Store, err error) {
	n, err := strconv.Atoi(o.stores)
	if err != nil {
		for _, slug := range listOption(o.stores) {
			s, err := a.DB.StoreBySlug(ctx, slug)
			if err != nil {
				return nil, fmt.Errorf("--stores: %w", err)
			}
			list = append(list, s)
		}
		return list, nil
	}
	if n < 1 || n > len(madeUpStores) {
		return nil, usagef("--stores: %d is not between 1 and %d", n, len(madeUpStores))
	}
	for _, in := range madeUpStores[:n] {
		s, err := a.DB.StoreBySlug(ctx, in.Slug)
		if affiliate.KindOf(err) == affiliate.NotFound {
			var secret [16]byte
			_, _ = rand.Read(secret[:]) // never fails
			in.Secret = hex.EncodeToString(secret[:])
			var added app.AddedStore
			added, err = a.AddStore(ctx, in)
			s = added.Store
		}
		if err != nil {
			return nil, fmt.Errorf("add the store %s: %w", in.Slug, err)
		}
		list = append(list, s)
	}
	return list, nil
}
