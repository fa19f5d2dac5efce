package history

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// payout is one payment to a creator with what it posts.
type payout struct {
	affiliate.Payout
	run      int // payday, counted from the first
	postings []affiliate.Posting
}

// payday is when payouts of a month are issued; months count from January of the year 0.
func (w *world) payday(month int) time.Time {
	return time.Date(0, time.Month(month+1), 5, 10, 0, 0, 0, w.zone).UTC()
}

// paydays gives the month of the first payday of the history, and how many there are until after its end.
func (w *world) paydays() (first, n int) {
	first = w.paydayOf(w.days[0].start)
	return first, w.paydayOf(w.plan.Now) - first + 1
}

// paydayOf gives the month on whose payday an entry is paid that is payable from a moment on.
func (w *world) paydayOf(payableAt time.Time) int {
	year, m, _ := payableAt.In(w.zone).Date()
	month := year*12 + int(m) - 1
	if payableAt.After(w.payday(month)) {
		month++
	}
	return month
}

// foresee tells all days without their details, to learn what the ledger will hold, and decides the payouts.
func (w *world) foresee(ctx context.Context) error {
	first, paydays := w.paydays()
	earned := make([]int64, len(w.owners)*paydays) // atomic
	counts := make([]int, len(w.days))
	var next atomic.Int64
	var tellers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		tellers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(w.days)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				t := w.teller(int(i))
				_ = t.tell(func(o *tale) error { // this never fails
					for _, e := range t.entries(o, 0) {
						counts[i]++
						if at := w.paydayOf(e.PayableAt) - first; at < paydays {
							atomic.AddInt64(&earned[w.ownerIndex(e.OfferMemberID)*paydays+at], e.Amount)
						}
					}
					return nil
				})
			}
		})
	}
	tellers.Wait()
	for i, n := range counts {
		w.days[i].firstEntry = w.entries
		w.entries += n
	}
	w.payAll(earned)
	return ctx.Err()
}

// ownerIndex finds an owner: offer members are numbered in a row.
func (w *world) ownerIndex(id affiliate.OfferMemberID) int {
	return int(id - w.owners[0].OfferMemberID)
}

// payAll pays every creator on every payday what is due by then, but for those who never told where to. earned is what
// becomes payable to each owner by each payday.
func (w *world) payAll(earned []int64) {
	first, paydays := w.paydays()
	due := make([]int64, len(w.owners))
	w.paidOn = make([][]bool, len(w.owners))
	for n := range paydays {
		paidAt := w.payday(first + n)
		if paidAt.After(w.plan.Now) {
			break
		}
		for i := range w.creators {
			c := &w.creators[i]
			payable := map[affiliate.Account]int64{}
			for _, o := range c.ownerIDs {
				due[o] += earned[o*paydays+n]
				if due[o] != 0 {
					payable[w.owners[o].account()] = due[o]
				}
			}
			amount, postings := affiliate.Settle(payable)
			if c.waits || amount <= 0 || amount < w.settings.MinimumIn(w.settings.Currency) {
				continue
			}
			for _, o := range c.ownerIDs {
				due[o] = 0
				if w.paidOn[o] == nil {
					w.paidOn[o] = make([]bool, paydays)
				}
				w.paidOn[o][n] = true
			}
			w.payouts = append(w.payouts, payout{w.payment(c, amount, paidAt), n, postings})
		}
	}
}

func (w *world) payment(c *creator, amount int64, paidAt time.Time) affiliate.Payout {
	return affiliate.Payout{CreatorID: c.ID, Amount: amount, Currency: w.settings.Currency, State: affiliate.PayoutPaid,
		Rail: affiliate.RailElsewhere, Method: "bank transfer",
		Reference: fmt.Sprintf("%s-%s", paidAt.Format("2006-01"), c.ID), Author: author, CreatedAt: paidAt,
		PaidAt: paidAt, UntilAt: paidAt, StateAt: paidAt}
}

// settledBy gives the run that settles an entry of a conversion: that of the first payday on which its creator is paid
// and it is payable. False where there is none yet.
func (w *world) settledBy(e affiliate.LedgerEntry) (affiliate.PayoutRunID, bool) {
	first, _ := w.paydays()
	paidOn := w.paidOn[w.ownerIndex(e.OfferMemberID)]
	for n := w.paydayOf(e.PayableAt) - first; n < len(paidOn); n++ {
		if paidOn[n] {
			return w.runs[n], true
		}
	}
	return 0, false
}

// runsOf makes the runs of all paydays on which somebody is paid, and gives their payouts to them.
func (w *world) runsOf(ctx context.Context, db *storage.DB) ([]affiliate.PayoutRun, error) {
	var runs []affiliate.PayoutRun
	w.runs = map[int]affiliate.PayoutRunID{}
	for i, p := range w.payouts {
		if i == 0 || w.payouts[i-1].run != p.run {
			runs = append(runs, affiliate.PayoutRun{Day: affiliate.Day(p.PaidAt, w.zone), Method: p.Method,
				Author: author, State: affiliate.PayRunSettled, About: "all that is due", CreatedAt: p.CreatedAt,
				EndedAt: p.CreatedAt})
		}
		runs[len(runs)-1].Payouts++
	}
	first, err := db.ReserveIDs(ctx, "payout_runs", len(runs))
	if err != nil {
		return nil, fmt.Errorf("reserve ids of payout_runs: %w", err)
	}
	n := -1
	for i := range w.payouts {
		p := &w.payouts[i]
		if i == 0 || w.payouts[i-1].run != p.run {
			n++
			runs[n].ID = affiliate.PayoutRunID(first + int64(n))
			w.runs[p.run] = runs[n].ID
		}
		p.RunID = runs[n].ID
	}
	return runs, nil
}

func (o *owner) account() affiliate.Account {
	return affiliate.Account{CreatorID: o.CreatorID, CampaignID: o.CampaignID, OfferMemberID: o.OfferMemberID}
}

// writePayouts writes the payouts with their ledger entries, which come after those of conversions.
func (w *world) writePayouts(ctx context.Context, db *storage.DB) error {
	conversions := w.entries
	for _, p := range w.payouts {
		w.entries += len(p.postings)
	}
	var err error
	if w.firstID, err = w.reserve(ctx, db); err != nil {
		return err
	}
	runs, err := w.runsOf(ctx, db)
	if err != nil {
		return err
	}
	rows := storage.Rows{PayoutRuns: runs}
	id := w.firstID.entry + affiliate.LedgerEntryID(conversions)
	for i, p := range w.payouts {
		p.ID = w.firstID.payout + affiliate.PayoutID(i)
		rows.Payouts = append(rows.Payouts, p.Payout)
		for _, e := range p.Entries(p.postings) {
			e.ID = id
			id++
			rows.RunEntries = append(rows.RunEntries, storage.RunEntry{Entry: e.ID, Run: p.RunID})
			rows.LedgerEntries = append(rows.LedgerEntries, storage.LedgerRow{LedgerEntry: e,
				Day: affiliate.Day(e.CreatedAt, w.zone)})
		}
		if len(rows.Payouts) == loadSize || i == len(w.payouts)-1 {
			if err := db.Load(ctx, rows); err != nil {
				return err
			}
			rows = storage.Rows{}
		}
	}
	return nil
}

// reserve takes the ids of all that is still to be written.
func (w *world) reserve(ctx context.Context, db *storage.DB) (first ids, err error) {
	for _, t := range []struct {
		name string
		n    int
		set  func(id int64)
	}{
		{"orders", w.plan.Orders(), func(id int64) { first.order = affiliate.OrderID(id) }},
		{"conversions", w.plan.Conversions, func(id int64) { first.conversion = affiliate.ConversionID(id) }},
		{"ledger_entries", w.entries, func(id int64) { first.entry = affiliate.LedgerEntryID(id) }},
		{"payouts", len(w.payouts), func(id int64) { first.payout = affiliate.PayoutID(id) }},
	} {
		id, err := db.ReserveIDs(ctx, t.name, t.n)
		if err != nil {
			return first, fmt.Errorf("reserve ids of %s: %w", t.name, err)
		}
		t.set(id)
	}
	return first, nil
}
