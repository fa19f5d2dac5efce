//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/simulate"
)

// duel compares a receiver process with the reference handlers in a process of the same kind.
type duel struct {
	bench        *bench
	where        backend
	site         *site
	ours, theirs *process
	length       time.Duration // of a round
}

func (b *bench) newDuel(ctx context.Context, where backend) (_ *duel, err error) {
	d := &duel{bench: b, where: where}
	if d.site, err = b.newSite(ctx, where, (*site).fillStores); err != nil {
		return nil, err
	}
	if d.ours, err = d.site.serve(ctx, "receiver"); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err == nil {
		d.theirs, err = start(ctx, b.self, os.Environ(), address, "/readyz", referenceCommand, address)
	}
	if err != nil {
		d.ours.stop()
		return nil, err
	}
	return d, nil
}

func (d *duel) stop() {
	d.theirs.stop()
	d.ours.stop()
}

// fight runs several rounds, both sides in turn, so that whatever else the machine does hits both, and gives the
// medians.
func (d *duel) fight(ctx context.Context, connections int, send func(address string,
	length time.Duration) simulate.Outcome) (theirs, ours measured, err error) {
	b := d.bench
	rounds := 3
	if b.quick {
		rounds = 2
	}
	var all [2][]measured
	for round := -1; round < rounds; round++ {
		for side, p := range []*process{d.theirs, d.ours} {
			if round < 0 { // to warm up
				send(p.address, d.length/2)
				continue
			}
			m, err := quietly(ctx, b, func() (measured, int, error) {
				before := b.usage(p.cmd.Process.Pid)
				out := send(p.address, d.length)
				if out.Broken+out.Lost > 0 {
					return measured{}, 0, fmt.Errorf("%d broken connections, refused %v", out.Broken, out.Refused)
				}
				cost := b.since(before, p.cmd.Process.Pid, out.Accepted)
				m := measured{Outcome: out, noisy: cost.noisy()}
				b.note("  %-18s %3d connections  %8.0f/s  p50 %6s  p99 %6s  %s", d.where, connections, out.Rate(),
					short(out.Percentile(50)), short(out.Percentile(99)), cost)
				return m, cost.others, nil
			})
			if err != nil {
				return theirs, ours, err
			}
			all[side] = append(all[side], m)
		}
		if ctx.Err() != nil {
			return theirs, ours, ctx.Err()
		}
	}
	return median(all[0]), median(all[1]), nil
}

// measured is a round, and whether others disturbed it.
type measured struct {
	simulate.Outcome
	noisy bool
}

// median gives the round with the median rate. It counts as disturbed when any of the rounds was.
func median(rounds []measured) measured {
	slices.SortFunc(rounds, func(a, b measured) int { return int(a.Rate() - b.Rate()) })
	m := rounds[(len(rounds)-1)/2]
	m.noisy = slices.ContainsFunc(rounds, func(m measured) bool { return m.noisy })
	return m
}

// mostRepeats is how often a disturbed round is done again.
const mostRepeats = 2

// quietly measures again while others disturb, and gives the least disturbed round. Repeats of a run together have a
// limit, so that it ends in time on a machine that is never quiet.
func quietly[T any](ctx context.Context, b *bench, round func() (result T, others int, err error)) (best T, err error) {
	least := 0
	for try := 0; ; try++ {
		begin := time.Now()
		result, others, err := round()
		if err != nil {
			return best, err
		}
		if try == 0 || others < least {
			best, least = result, others
		}
		if try > 0 {
			b.repeated += time.Since(begin)
		}
		if least <= quiet || try == mostRepeats || b.repeated+time.Since(begin) > b.pick(time.Minute, 10*time.Second) ||
			ctx.Err() != nil {
			return best, ctx.Err()
		}
		b.note("  others used %d%% of the processors; once more", others)
	}
}
