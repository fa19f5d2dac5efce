package app_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// seen is all that is due, as a page that lists it would send it.
func (c *till) seen() (list []app.NewPayout) {
	c.Helper()
	settings, err := c.DB.Settings(c.ctx)
	must(c.desk, settings, err)
	err = c.DB.EachDue(c.ctx, settings, storage.DueFilter{}, "", c.now(), func(d *storage.Due) error {
		list = append(list, app.NewPayout{Creator: d.CreatorID, Currency: d.Currency, Amount: new(d.Amount)})
		return nil
	})
	must(c.desk, list, err)
	return list
}

// sums tells what a payout run adds up to: "USD 2 of 700, 1 of 300 canceled" for each currency.
func sums(b storage.SummedRun) string {
	var words []string
	for _, s := range b.Sums {
		text := fmt.Sprintf("%s %d of %d", s.Currency, s.Payouts, s.Amount)
		if s.Canceled > 0 {
			text += fmt.Sprintf(", %d of %d canceled", s.Canceled, s.CanceledAmount)
		}
		words = append(words, text)
	}
	return strings.Join(words, "; ")
}

func TestPayoutRun(t *testing.T) {
	eachTill(t, func(c *till) {
		anna, ben := c.promoter("Anna"), c.promoter("Ben")
		c.earn(account(anna), 1000, 0)
		c.earnIn("GBP", account(anna), 70, 0)
		c.earn(account(ben), 500, 0)
		seen := c.seen()
		in := app.NewPayoutRun{Elsewhere: true, Payouts: seen, Method: " bank transfer ", Reference: "SEPA 7",
			Note: "November", Form: "form 1"}

		// What differs from what was seen is not recorded, nor is the rest.
		c.earn(account(ben), 100, 0)
		_, err := c.SendPayouts(c.ctx, in)
		c.want(err, affiliate.Conflict, "amount", "6.00 USD is due to Ben")
		if list, _, err := c.DB.PayoutRuns(c.ctx, storage.Page{}); err != nil || len(list) != 0 {
			c.Errorf("runs %v, %v", list, err)
		}

		in.Payouts = c.seen()
		b, err := c.SendPayouts(c.ctx, in)
		must(c.desk, b, err)
		again, err := c.SendPayouts(c.ctx, in)
		if must(c.desk, again, err); again != b || b.Payouts != 3 || b.Note != "November" {
			c.Errorf("sent twice: %+v and then %+v", b, again)
		}
		c.is("due", c.due(), "")
		list, _, err := c.DB.Payouts(c.ctx, storage.PayoutFilter{Run: b.ID, Search: "sepa"}, storage.Page{})
		must(c.desk, list, err)
		if len(list) != 3 || list[2].Method != "bank transfer" || list[2].Reference != "SEPA 7" ||
			list[2].RunID != b.ID {
			c.Errorf("payouts %+v", list)
		}
		got, err := c.DB.PayoutRun(c.ctx, b.ID)
		must(c.desk, got, err)
		c.is("sums", sums(got), "GBP 1 of 70; USD 2 of 1600")
		c.is("name", got.Name(), got.Day+" · 3 payouts")
		if log := c.audited(b.ID.String(), "payout_run.send"); len(log) != 1 ||
			!strings.Contains(log[0].After, `"USD":"16.00"`) {
			c.Errorf("the audit log has %+v", log)
		}

		// One of them is canceled by itself, then the others with the run.
		c.pass(time.Hour)
		alone, err := c.CancelPayout(c.ctx, list[0].ID, "typo")
		must(c.desk, alone, err)
		_, err = c.CancelRun(c.ctx, b.ID, " ")
		c.want(err, affiliate.Invalid, "reason")
		_, err = c.CancelRun(c.ctx, 99, "typo")
		c.want(err, affiliate.NotFound, "", "run_99")
		for range 2 { // canceling again changes nothing
			got, err = c.CancelRun(c.ctx, b.ID, "the file was refused")
			must(c.desk, got, err)
			c.is("sums of what was canceled", sums(got), "GBP 0 of 0, 1 of 70 canceled; USD 0 of 0, 2 of 1600 canceled")
		}
		c.is("due again", c.due(), "Anna 70 GBP over 1, Anna 1000 USD over 1, Ben 600 USD over 1")
		entries, err := c.DB.PayoutEntries(c.ctx, list[2].ID)
		if must(c.desk, entries, err); len(entries) != 2 || entries[1].Note != "the file was refused" ||
			entries[1].Amount != -entries[0].Amount {
			c.Errorf("entries %+v", entries)
		}
		if log := c.audited(b.ID.String(), "payout_run.cancel"); len(log) != 1 ||
			!strings.Contains(log[0].After, "the file was refused") {
			c.Errorf("the audit log has %+v", log)
		}

		// The form that recorded it records nothing else, also when all is due again.
		in.Payouts = c.seen()
		if again, err = c.SendPayouts(c.ctx, in); err != nil || again.ID != b.ID {
			c.Errorf("the same form again: %+v, %v", again, err)
		}
	})
}

// TestPayoutRun_day: payouts may be of an earlier day, and what they post is of the moment at which it was.
func TestPayoutRun_day(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		c.earn(account(anna), 1000, 0)
		yesterday := affiliate.Day(c.now().AddDate(0, 0, -1), time.UTC)
		for _, wrong := range []string{"yesterday", "2999-01-01", "1800-01-01"} {
			_, err := c.SendPayouts(c.ctx, app.NewPayoutRun{Elsewhere: true, Payouts: c.seen(), PaidOn: wrong})
			c.want(err, affiliate.Invalid, "paid_on")
		}
		_, err := c.SendPayouts(c.ctx, app.NewPayoutRun{})
		c.want(err, affiliate.Invalid, "payouts")
		_, err = c.SendPayouts(c.ctx, app.NewPayoutRun{Elsewhere: true, Payouts: c.seen(),
			Note: "a\x00b\nc" + strings.Repeat("x", 300)})
		c.want(err, affiliate.Invalid, "note")
		b, err := c.SendPayouts(c.ctx, app.NewPayoutRun{Elsewhere: true, Payouts: c.seen(), PaidOn: yesterday})
		must(c.desk, b, err)
		list, err := c.DB.PayoutsOf(c.ctx, b.ID)
		if must(c.desk, list, err); b.Day != yesterday || len(list) != 1 ||
			affiliate.Day(list[0].PaidAt, time.UTC) != yesterday || !list[0].CreatedAt.Equal(c.now()) {
			c.Errorf("%+v of %+v, want them of %s", list, b, yesterday)
		}
		entries, err := c.DB.PayoutEntries(c.ctx, list[0].ID)
		if must(c.desk, entries, err); len(entries) != 1 || !entries[0].CreatedAt.Equal(c.now()) {
			c.Errorf("entries %+v, want them of now", entries)
		}
	})
}

// Of twenty people who record the same creators at once one does, also by a form that is sent twice; and of those who
// cancel it at once, alone or as a whole, one does.
func TestPayoutRunsAtOnce_race(t *testing.T) {
	eachTill(t, func(c *till) {
		anna, ben := c.promoter("Anna"), c.promoter("Ben")
		for round := range 4 {
			c.earn(account(anna), 1000, 0)
			c.earn(account(ben), 500, 0)
			seen := c.seen()
			var recorded, runID atomic.Int64
			together(func(n int) {
				b, err := c.SendPayouts(c.ctx, app.NewPayoutRun{Elsewhere: true, Payouts: seen,
					Form: fmt.Sprint("round ", round, " form ", n/2)})
				switch {
				case err == nil:
					recorded.Add(1)
					if old := runID.Swap(int64(b.ID)); old != 0 && old != int64(b.ID) {
						c.Errorf("runs %d and %d", old, b.ID)
					}
				case affiliate.KindOf(err) != affiliate.Conflict:
					c.Error(err)
				}
			})
			if recorded.Load() < 1 || recorded.Load() > 2 {
				c.Errorf("%d recorded, want the two of one form at most", recorded.Load())
			}
			c.is("holds", c.holds(anna.CreatorID), "ofm_1 USD 0 payable 0 paid 1000")
			b := affiliate.PayoutRunID(runID.Load())
			payouts, err := c.DB.PayoutsOf(c.ctx, b)
			must(c.desk, payouts, err)
			together(func(n int) {
				var err error
				if n%2 == 0 {
					_, err = c.CancelRun(c.ctx, b, "typo")
				} else {
					_, err = c.CancelPayout(c.ctx, payouts[n/2%len(payouts)].ID, "typo")
				}
				if err != nil {
					c.Error(err)
				}
			})
			c.is("holds after it was canceled", c.holds(anna.CreatorID), "ofm_1 USD 1000 payable 1000 paid 0")
			c.is("due", c.due(), "Anna 1000 USD over 1, Ben 500 USD over 1")
			c.earn(account(anna), -1000, 0)
			c.earn(account(ben), -500, 0)
		}
	})
}

// Whatever was earned in whatever currency, with debts, a minimum and entries on hold: the sum on the screen is the sum
// that is recorded and the sum of what is posted, and all of it is owed again when the run is canceled.
func TestPayoutRunSums(t *testing.T) {
	eachTill(t, func(c *till) {
		c.set("minimum_payout", "2")
		var members []affiliate.OfferMember
		for n := range 4 {
			members = append(members, c.promoter(fmt.Sprint("Creator", n)))
		}
		rapid.Check(c.T, func(t *rapid.T) {
			for range rapid.IntRange(1, 8).Draw(t, "entries") {
				a := account(rapid.SampledFrom(members).Draw(t, "member"))
				if rapid.Bool().Draw(t, "outside of campaigns") {
					a = affiliate.Account{CreatorID: a.CreatorID}
				}
				c.earnIn(rapid.SampledFrom([]money.Currency{"USD", "GBP", "JPY"}).Draw(t, "currency"), a,
					rapid.Int64Range(-400, 1000).Draw(t, "amount"),
					time.Duration(rapid.IntRange(0, 2).Draw(t, "hold"))*time.Hour)
			}
			c.pass(time.Hour)
			screen := c.dueSums(t)
			seen := c.seen()
			if len(seen) == 0 {
				return
			}
			b, err := c.SendPayouts(c.ctx, app.NewPayoutRun{Elsewhere: true, Payouts: seen})
			if err != nil {
				t.Fatal(err)
			}
			recorded, posted := c.runSums(t, b.ID)
			if !maps.Equal(screen, recorded) || !maps.Equal(screen, posted) {
				t.Fatalf("the screen says %v, recorded are %v, posted %v", screen, recorded, posted)
			}
			if left := c.dueSums(t); len(left) > 0 {
				t.Fatalf("%v is still due", left)
			}
			if rapid.Bool().Draw(t, "cancel") {
				return
			}
			if _, err := c.CancelRun(c.ctx, b.ID, "typo"); err != nil {
				t.Fatal(err)
			}
			recorded, posted = c.runSums(t, b.ID)
			if again := c.dueSums(t); !maps.Equal(again, screen) || len(recorded)+len(posted) > 0 {
				t.Fatalf("after it was canceled %v is due, recorded are %v, posted %v; %v was due", again, recorded,
					posted, screen)
			}
		})
	})
}

// dueSums is what is due in all, by currency, as pages show it.
func (c *till) dueSums(t *rapid.T) map[money.Currency]int64 {
	settings, err := c.DB.Settings(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.DB.SumDue(c.ctx, settings, storage.DueFilter{}, c.now())
	if err != nil {
		t.Fatal(err)
	}
	by := map[money.Currency]int64{}
	for _, s := range list {
		by[s.Currency] = s.Amount
	}
	return by
}

// runSums is what the payouts of a payout run that stand add up to, and what they and their cancellations have posted.
func (c *till) runSums(t *rapid.T, id affiliate.PayoutRunID) (recorded, posted map[money.Currency]int64) {
	b, err := c.DB.PayoutRun(c.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	recorded, posted = map[money.Currency]int64{}, map[money.Currency]int64{}
	for _, s := range b.Sums {
		recorded[s.Currency] += s.Amount
	}
	payouts, err := c.DB.PayoutsOf(c.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range payouts {
		entries, err := c.DB.PayoutEntries(c.ctx, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			posted[e.Currency] -= e.Amount
		}
	}
	nothing := func(_ money.Currency, sum int64) bool { return sum == 0 }
	maps.DeleteFunc(recorded, nothing)
	maps.DeleteFunc(posted, nothing)
	return recorded, posted
}

// TestPayoutRun_thousands: thousands are recorded and canceled as one.
func TestPayoutRun_thousands(t *testing.T) {
	eachTill(t, func(c *till) {
		const n = 3000
		ctx := context.Background()
		err := c.DB.InTx(ctx, func(tx *storage.Tx) error {
			entries := make([]affiliate.LedgerEntry, n)
			for i := range entries {
				creator, err := tx.CreateCreator(ctx, affiliate.Creator{Name: fmt.Sprint("Creator ", i),
					CreatedAt: c.now(), UpdatedAt: c.now()})
				if err != nil {
					return err
				}
				entries[i] = affiliate.LedgerEntry{CreatorID: creator.ID, Kind: affiliate.Bonus, Currency: "USD",
					Amount: 100, Cause: fmt.Sprint("bonus ", i), CreatedAt: c.now(), PayableAt: c.now()}
			}
			return tx.AddLedger(ctx, entries)
		})
		must(c.desk, n, err)
		b, err := c.SendPayouts(c.ctx, app.NewPayoutRun{Elsewhere: true, Payouts: c.seen()})
		must(c.desk, b, err)
		got, err := c.DB.PayoutRun(c.ctx, b.ID)
		must(c.desk, got, err)
		c.is("sums", sums(got), "USD 3000 of 300000")
		c.is("due", c.due(), "")
		got, err = c.CancelRun(c.ctx, b.ID, "typo")
		must(c.desk, got, err)
		c.is("sums", sums(got), "USD 0 of 0, 3000 of 300000 canceled")
	})
}
