//go:build unix

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/simulate"
)

// pipelines measures part (b): from the socket to the ledger and the live event.
func (b *bench) pipelines(ctx context.Context) error {
	for _, where := range b.chosen("pipeline") {
		if err := b.pipeline(ctx, where); err != nil {
			return fmt.Errorf("pipeline, %s: %w", where, err)
		}
	}
	return nil
}

func (b *bench) pipeline(ctx context.Context, where backend) error {
	site, err := b.newSite(ctx, where, (*site).fillStores)
	if err != nil {
		return err
	}
	server, err := site.serve(ctx, "receiver,worker,web")
	if err != nil {
		return err
	}
	defer server.stop()
	if _, _, err := b.simulateOnce(ctx, site, server, "warm-up", 1000, 0); err != nil {
		return err
	}
	// Long enough that what piles up shows: about ten seconds each, two when quick.
	guess := map[backend]int{onPostgres: 5500, embedded: 1800}[where]
	full, err := b.simulate(ctx, site, server, "full speed", b.ordersFor(guess), 0)
	if err != nil {
		return err
	}
	b.addPipeline(where, "full speed", 0, full)
	rates := []int{int(full.ProcessRate() * 7 / 10)}
	if where == onPostgres {
		rates = append(rates, 5000)
	}
	for _, rate := range rates {
		m, err := b.simulate(ctx, site, server, fmt.Sprintf("%d/s", rate), b.ordersFor(rate), rate)
		if err != nil {
			return err
		}
		b.addPipeline(where, fmt.Sprintf("at %d/s", rate), rate, m)
	}
	return nil
}

// deliveriesOfOrder is about how many deliveries an order has, repeats included.
const deliveriesOfOrder = 3.8

// ordersFor is how many orders keep a rate up for long enough.
func (b *bench) ordersFor(rate int) int {
	return int(b.pick(11*time.Second, 2*time.Second).Seconds()*float64(rate)/deliveriesOfOrder) + 1
}

// pipelineRun is a simulation, and whether others disturbed it.
type pipelineRun struct {
	simulate.Report
	noisy bool
}

// simulate repeats a run that others disturbed, but for the warm-up.
func (b *bench) simulate(ctx context.Context, s *site, server *process, name string, orders,
	rate int) (pipelineRun, error) {
	return quietly(ctx, b, func() (pipelineRun, int, error) {
		return b.simulateOnce(ctx, s, server, name, orders, rate)
	})
}

func (b *bench) simulateOnce(ctx context.Context, s *site, server *process, name string, orders,
	rate int) (pipelineRun, int, error) {
	now := time.Now()
	run := simulate.Run{Address: server.address, Token: s.token, Connections: 32, Rate: rate, Prepare: true,
		Limit: 4 * time.Minute, Plan: simulate.Plan{Platform: shopify.Name, Store: stores[shopify.Name],
			Secret: secret, Orders: orders, Duplicates: 5, Shuffle: 50, Seed: uint64(now.UnixNano()), Now: now,
			MinSize: 2000, MaxSize: 20_000, Currency: "USD", Owners: s.owners}}
	before := b.usage(server.cmd.Process.Pid)
	r, err := run.Do(ctx)
	if err == nil {
		err = r.Problem()
	}
	c := b.since(before, server.cmd.Process.Pid, r.Deliveries)
	b.note("  %-10s %6d deliveries  ack %6.0f/s p50 %s p99 %s  processed %6.0f/s  fresh p50 %s p99 %s max %s  "+
		"changes %d checked %d  %s", name, r.Deliveries,
		r.AckRate(), short(r.AckP50), short(r.AckP99), r.ProcessRate(), short(r.FreshP50), short(r.FreshP99),
		short(r.FreshMax), r.Changes, r.Checked, c)
	return pipelineRun{r, c.noisy()}, c.others, err
}
