package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/simulate"
)

func simulateCommand() command {
	return command{
		name:    "simulate",
		args:    "--store SLUG --secret W --token T [options] | --history [options]",
		summary: "Send made-up orders to a server on this machine, and check what came out; or write a made-up past.",
		example: `# with "tributary serve" running; a WooCommerce store:
			tributary store add --platform woocommerce --slug sim-woo --name "Simulated WooCommerce" --domain shop.example --currency USD --timezone America/New_York --webhook-secret a-secret-for-simulations
			tributary simulate --store sim-woo --creators-csv sim-woo.csv
			tributary import sim-woo.csv
			TOKEN=$(tributary token add --name simulate --role viewer)
			tributary simulate --store sim-woo --platform woocommerce --secret a-secret-for-simulations --token $TOKEN --orders 500 --duplicates 10 --shuffle 50
			# a Shopify store:
			tributary store add --platform shopify --slug sim-shopify --name "Simulated Shopify" --domain sim.myshopify.com --currency USD --timezone America/New_York --webhook-secret a-secret-for-simulations
			tributary simulate --store sim-shopify --creators-csv sim-shopify.csv
			tributary import sim-shopify.csv
			tributary simulate --store sim-shopify --platform shopify --secret a-secret-for-simulations --token $TOKEN --orders 500 --rate 200
			# three years with a million conversions in an empty database, for reports and measurements:
			tributary simulate --history --seed 1`,
		run: simulateOrders,
	}
}

// Bounds of a simulation: it must end, and fit into memory.
const (
	mostSimulatedOrders   = 1_000_000
	mostConnections       = 1000
	mostShuffle           = 1000
	leastBody, mostBody   = 1000, 100_000
	longestSimulation     = 2 * time.Hour
	mostMismatchesPrinted = 20
	simulatedOwners       = 40
)

// simulateOptions are the options as they were given.
type simulateOptions struct {
	url, platform, currency    string
	codes, links, percent, csv string
	run                        simulate.Run
	history                    historyOptions
}

func (o *simulateOptions) define(c *call) {
	p := &o.run.Plan
	c.flags.StringVar(&o.url, "url", "http://127.0.0.1:8080", "`ADDRESS` of the server, which must be on this machine")
	c.flags.StringVar(&p.Store, "store", "", "`SLUG` of the store")
	c.flags.StringVar(&o.platform, "platform", string(shopify.Name), "`P` of the store: shopify or woocommerce")
	c.flags.StringVar(&p.Secret, "secret", "", "`W`: the store's webhook secret")
	c.flags.StringVar(&o.run.Token, "token", "", "`T`: an API token, to check what came out")
	c.flags.StringVar(&o.currency, "currency", "USD", "`C` of the store and of the account")
	c.flags.IntVar(&p.Orders, "orders", 1000, "`N`: how many orders; each has a few deliveries")
	c.flags.IntVar(&o.run.Rate, "rate", 0, "`N` deliveries a second; 0 is as fast as possible")
	c.flags.IntVar(&o.run.Connections, "connections", 32, "over `N` connections at once")
	c.flags.IntVar(&p.Duplicates, "duplicates", 0, "`PERCENT` of the deliveries that come twice")
	c.flags.IntVar(&p.Shuffle, "shuffle", 0, "`N`: how far about a delivery may be from its turn; 0 keeps the order")
	c.flags.IntVar(&p.MinSize, "min-size", 2000, "`BYTES` of the smallest bodies, about")
	c.flags.IntVar(&p.MaxSize, "max-size", 20_000, "`BYTES` of the largest bodies, about")
	c.flags.Uint64Var(&p.Seed, "seed", 0, "`S` repeats the orders of an earlier run; 0 makes new ones")
	c.flags.StringVar(&o.codes, "codes", "",
		"`A,B,C`: coupon codes to use instead of the made-up ones, each of another creator")
	c.flags.StringVar(&o.links, "links", "", "`X,Y`: link slugs to use, of the same creators in the same order")
	c.flags.StringVar(&o.percent, "percent", "10", "`P,Q`: the commission of these creators, in turn")
	c.flags.DurationVar(&o.run.Limit, "limit", 10*time.Minute, "`TIME` after which to give up")
	c.flags.StringVar(&o.csv, "creators-csv", "",
		"write a `FILE` for \"tributary import\" with the creators, codes and links, and do nothing else")
	o.history.define(c)
	c.jsonFlag()
}

func simulateOrders(ctx context.Context, c *call) error {
	var o simulateOptions
	o.define(c)
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if o.history.wanted {
		return writeHistory(ctx, c, o.history, o.run.Plan.Seed)
	}
	if err := o.finish(); err != nil {
		return err
	}
	if o.csv != "" {
		return o.writeCSV(c)
	}
	if err := c.required("store", "secret", "token"); err != nil {
		return err
	}
	bar := newProgress(c.stderr, o.run.Plan.Orders, "Sending orders")
	o.run.Progress = func(orders int) {
		if orders >= o.run.Plan.Orders {
			bar.Describe("All sent; waiting until processed and checked")
		}
		_ = bar.Set(min(orders, o.run.Plan.Orders-1)) // a bar that cannot be drawn harms nothing
	}
	report, err := o.run.Do(ctx)
	_ = bar.Finish()
	switch {
	case ctx.Err() != nil:
		fmt.Fprintf(c.stderr, "Stopped after %d acknowledged deliveries; nothing was checked.\n", report.Deliveries)
		return errReported
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("not done within %v (--limit); %d deliveries were acknowledged, nothing was checked",
			o.run.Limit, report.Deliveries)
	case err != nil:
		return err
	}
	return o.tell(c, report)
}

// finish checks the options and completes the plan.
func (o *simulateOptions) finish() (err error) {
	p := &o.run.Plan
	if o.run.Address, err = simulate.LoopbackAddress(o.url); err != nil {
		return usagef("--url: %s", err)
	}
	if p.Platform = affiliate.Platform(o.platform); p.Platform != shopify.Name &&
		p.Platform != woocommerce.Name {
		return usagef("--platform: %q is neither shopify nor woocommerce", o.platform)
	}
	if p.Store == "" || strings.Trim(p.Store, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return usagef("--store: %q is not the slug of a store", p.Store)
	}
	if p.Currency, err = money.ParseCurrency(o.currency); err != nil {
		return usagef("--currency: %s", err)
	}
	for _, b := range []struct {
		name              string
		value, least, max int
	}{
		{"orders", p.Orders, 1, mostSimulatedOrders}, {"rate", o.run.Rate, 0, 1_000_000},
		{"connections", o.run.Connections, 1, mostConnections},
		{"duplicates", p.Duplicates, 0, 100}, {"shuffle", p.Shuffle, 0, mostShuffle},
		{"min-size", p.MinSize, leastBody, mostBody},
		{"max-size", p.MaxSize, p.MinSize, mostBody},
	} {
		if b.value < b.least || b.value > b.max {
			return usagef("--%s: %d is not between %d and %d", b.name, b.value, b.least, b.max)
		}
	}
	if o.run.Limit <= 0 || o.run.Limit > longestSimulation {
		return usagef("--limit: %v is not between 1s and %v", o.run.Limit, longestSimulation)
	}
	if p.Seed == 0 {
		p.Seed = uint64(rand.Uint32())
	}
	p.Now = time.Now()
	p.Owners, err = o.owners()
	return err
}

// owners are the made-up creators, or those of the options.
func (o *simulateOptions) owners() ([]simulate.Owner, error) {
	codes, links, percents := listOption(o.codes), listOption(o.links), listOption(o.percent)
	if len(codes)+len(links) == 0 {
		return simulate.DefaultOwners(simulatedOwners), nil
	}
	if len(percents) == 0 {
		return nil, usagef("--percent is empty")
	}
	owners := make([]simulate.Owner, max(len(codes), len(links)))
	for i := range owners {
		percent, err := money.ParseScaled(percents[i%len(percents)], 2)
		if err != nil || percent < 0 || percent > 100_00 {
			return nil, usagef("--percent: %q is not between 0 and 100", percents[i%len(percents)])
		}
		owners[i].Percent = percent
		if i < len(codes) {
			owners[i].Code = codes[i]
		}
		if i < len(links) {
			owners[i].Slug = links[i]
		}
	}
	return owners, nil
}

func listOption(text string) (list []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

func (o *simulateOptions) writeCSV(c *call) error {
	p := o.run.Plan
	if err := os.WriteFile(o.csv, []byte(simulate.CreatorsCSV(p.Owners, p.Store, p.Currency)), 0o644); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]any{"file": o.csv, "creators": len(p.Owners)})
	}
	fmt.Fprintf(c.stdout, "%d creators of the store %s are in %s. Now: tributary import %s\n", len(p.Owners), p.Store,
		o.csv, o.csv)
	return nil
}

// simulateJSON is a report for machines. Times are milliseconds.
type simulateJSON struct {
	Seed          uint64      `json:"seed"`
	Orders        int         `json:"orders"`
	Deliveries    int         `json:"deliveries"`
	AcksPerSecond int         `json:"acknowledged_per_second"`
	AckP50        float64     `json:"ack_p50_ms"`
	AckP99        float64     `json:"ack_p99_ms"`
	ProcessedRate int         `json:"processed_per_second"`
	FreshP50      float64     `json:"fresh_p50_ms"`
	FreshP99      float64     `json:"fresh_p99_ms"`
	LiveDropouts  int         `json:"live_dropouts"`
	Lost          int         `json:"not_acknowledged"`
	Refused       map[int]int `json:"refused"`
	Broken        int         `json:"broken_connections"`
	Checked       int         `json:"checked"`
	MismatchCount int         `json:"mismatch_count"`
	Mismatches    []string    `json:"mismatches"` // the first ones
	OK            bool        `json:"ok"`
	Problem       string      `json:"problem,omitempty"`
}

func (o *simulateOptions) tell(c *call, r simulate.Report) error {
	problem := r.Problem()
	if c.json {
		if err := c.printJSON(o.reportJSON(r, problem)); err != nil {
			return err
		}
	} else {
		o.print(c.stdout, r, problem)
	}
	if problem != nil {
		return errReported
	}
	return nil
}

func (o *simulateOptions) reportJSON(r simulate.Report, problem error) simulateJSON {
	ms := func(d time.Duration) float64 {
		return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
	}
	out := simulateJSON{Seed: o.run.Plan.Seed, Orders: o.run.Plan.Orders, Deliveries: r.Deliveries,
		AcksPerSecond: int(r.AckRate()), AckP50: ms(r.AckP50), AckP99: ms(r.AckP99),
		ProcessedRate: int(r.ProcessRate()), FreshP50: ms(r.FreshP50), FreshP99: ms(r.FreshP99),
		LiveDropouts: r.LiveDropouts, Lost: r.Lost, Refused: r.Refused, Broken: r.Broken, Checked: r.Checked,
		MismatchCount: len(r.Mismatches), Mismatches: append([]string{}, firstMismatches(r)...), OK: problem == nil}
	if problem != nil {
		out.Problem = problem.Error()
	}
	return out
}

func firstMismatches(r simulate.Report) []string {
	return r.Mismatches[:min(len(r.Mismatches), mostMismatchesPrinted)]
}

func (o *simulateOptions) print(w io.Writer, r simulate.Report, problem error) {
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	fmt.Fprintf(w, "Acknowledged  %d deliveries of %d orders (seed %d) over %d connections, %.0f/s, p50 %v, p99 %v\n",
		r.Deliveries, o.run.Plan.Orders, o.run.Plan.Seed, o.run.Connections, r.AckRate(), round(r.AckP50),
		round(r.AckP99))
	if r.Processing > 0 {
		fmt.Fprintf(w, "Processed     %.0f/s, from the first one sent to the last one processed\n", r.ProcessRate())
		fmt.Fprintf(w, "Freshness     p50 %v, p99 %v, from receipt to the live event\n", round(r.FreshP50),
			round(r.FreshP99))
	}
	if r.LiveDropouts > 0 {
		fmt.Fprintf(w, "              (the stream of live events broke off %d times, so not all are counted)\n",
			r.LiveDropouts)
	}
	fmt.Fprintf(w, "Checked       %d orders\n", r.Checked)
	for _, m := range firstMismatches(r) {
		fmt.Fprintf(w, "✗ %s\n", m)
	}
	if more := len(r.Mismatches) - mostMismatchesPrinted; more > 0 {
		fmt.Fprintf(w, "✗ … and %d more\n", more)
	}
	switch {
	case r.Lost > 0:
		fmt.Fprintf(w, "✗ %v\n", problem)
	case len(r.Mismatches) > 0:
		fmt.Fprintf(w, "%d of %d orders are not as they must be.\n", len(r.Mismatches), o.run.Plan.Orders)
	default:
		fmt.Fprintln(w, "✓ Every delivery was acknowledged, and every order is as it must be.")
	}
}
