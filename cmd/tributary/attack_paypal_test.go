package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/fakepaypal"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestAttack_paypal_killed: the server is killed again and again as it asks PayPal to pay, before PayPal has the
// request, while it answers, and after, and PayPal fails, throttles and loses answers besides. Everybody is paid each
// run exactly once, each run is settled, and the sums here and there are equal to the cent.
func TestAttack_paypal_killed(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		kills, creators := attack.Size(6, 200), attack.Size(20, 100)
		random := rand.New(rand.NewPCG(15, uint64(kills)))
		var kill killing
		fake := fakepaypal.New(fakepaypal.Options{Fee: 3, Each: kill.each,
			Fate: func(string) []fakepaypal.Step { return []fakepaypal.Step{{Status: "SUCCESS"}} },
			Do: func(_ *http.Request, n int) fakepaypal.Deed {
				if kill.over.Load() || n%4 != 3 {
					return fakepaypal.Answer
				}
				return fakepaypal.Deed(1 + n/4%int(fakepaypal.DropAfter))
			}})
		server := httptest.NewServer(fake)
		t.Cleanup(server.Close)
		at := url.URL{Scheme: "http", Host: strings.TrimPrefix(server.URL, "http://"),
			User: url.UserPassword(fakepaypal.ClientID, fakepaypal.Secret)}
		env = env.with("PAYPAL_URL", at.String())
		env.setUpStores(t, nil)
		var runs []affiliate.PayoutRun
		var payees []affiliate.CreatorID
		env.open(t, func(ctx context.Context, a *app.App) { payees = paypalPayees(ctx, t, a, creators) })
		for n := range kills {
			env.open(t, func(ctx context.Context, a *app.App) {
				if n%3 == 0 {
					runs = append(runs, payBonus(ctx, t, a, payees, n))
				}
				dueNow(ctx, t, a, runs)
			})
			killed := kill.at(1+random.Int64N(5), random.IntN(2) == 0)
			p := env.spawn(t)
			select {
			case <-killed:
			case <-time.After(2 * time.Second):
			}
			time.Sleep(time.Duration(random.IntN(8)) * time.Millisecond)
			p.kill()
			kill.done()
		}
		kill.over.Store(true)
		env.spawn(t)
		within(t, func() (settled bool) {
			env.open(t, func(ctx context.Context, a *app.App) { settled = dueNow(ctx, t, a, runs) })
			return settled
		})
		there, sum := map[string]fakepaypal.Item{}, int64(0)
		for _, i := range fake.Items() {
			if _, twice := there[i.Ref]; twice {
				t.Errorf("%s was paid twice", i.Ref)
			}
			there[i.Ref] = i
			sum += i.Amount
		}
		env.open(t, func(ctx context.Context, a *app.App) {
			for _, run := range runs {
				list, err := a.DB.PayoutsOf(ctx, run.ID)
				ok(t, err)
				if len(list) != creators {
					t.Errorf("%d payouts in %s", len(list), run.ID)
				}
				for _, p := range list {
					i := there[p.Ref]
					if p.State != affiliate.PayoutPaid || i.Amount != p.Amount || i.Currency != p.Currency {
						t.Errorf("%s is %s of %d here, and %+v there", p.Ref, p.State, p.Amount, i)
					}
					sum -= p.Amount
				}
			}
			for _, id := range payees {
				balances, err := a.DB.Balances(ctx, []affiliate.CreatorID{id}, a.Now())
				ok(t, err)
				for _, b := range balances {
					if b.Balance != 0 {
						t.Errorf("%s is still owed %d", id, b.Balance)
					}
				}
			}
		})
		if sum != 0 {
			t.Errorf("the sums there and here differ by %d", sum)
		}
		t.Logf("%d kills, %d runs of %d payouts; %+v", kills, len(runs), creators, fake.Counts())
	})
}

// killing says at which request the server is to be killed.
type killing struct {
	over  atomic.Bool
	left  atomic.Int64 // requests until then
	hold  atomic.Bool  // PayPal begins with the request only once the server is dead
	now   chan struct{}
	ended chan struct{}
}

// at plans it for the n-th request from now on, and tells when that has come.
func (k *killing) at(n int64, hold bool) <-chan struct{} {
	k.now, k.ended = make(chan struct{}), make(chan struct{})
	k.hold.Store(hold)
	k.left.Store(n)
	return k.now
}

// done says that it is dead.
func (k *killing) done() {
	k.left.Store(0)
	close(k.ended)
}

func (k *killing) each() {
	if k.left.Load() <= 0 || k.left.Add(-1) != 0 {
		return
	}
	ended := k.ended
	close(k.now)
	if k.hold.Load() {
		<-ended
	}
}

// paypalPayees makes creators who are paid by PayPal.
func paypalPayees(ctx context.Context, t *testing.T, a *app.App, n int) (ids []affiliate.CreatorID) {
	ok(t, a.DB.InTx(ctx, func(tx *storage.Tx) error {
		for i := range n {
			now := a.Now()
			c, err := tx.CreateCreator(ctx, affiliate.Creator{Name: fmt.Sprintf("Creator %05d", i), CreatedAt: now,
				UpdatedAt: now})
			if err != nil {
				return err
			}
			plain, err := json.Marshal(affiliate.PaymentDetails{Method: affiliate.MethodPayPal,
				Email: fmt.Sprintf("c%d@paypal.example", i)})
			if err != nil {
				return err
			}
			if _, err := tx.AddPaymentDetails(ctx, storage.PaymentDetails{CreatorID: c.ID,
				Method:  affiliate.MethodPayPal,
				Details: a.Sealer.Seal(app.SealPaymentDetails, plain), UsableAt: now, CreatedAt: now}); err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		return nil
	}))
	return ids
}

// payBonus gives each something, and confirms a run of it.
func payBonus(ctx context.Context, t *testing.T, a *app.App, ids []affiliate.CreatorID, round int) affiliate.PayoutRun {
	currency := money.Currency("USD")
	ok(t, a.DB.InTx(ctx, func(tx *storage.Tx) error {
		now := a.Now().UTC().Truncate(time.Microsecond)
		var entries []affiliate.LedgerEntry
		for i, id := range ids {
			entries = append(entries, affiliate.LedgerEntry{CreatorID: id, Kind: affiliate.Bonus, Currency: currency,
				Amount: int64(100*(round+1) + i), Cause: fmt.Sprintf("bonus:%d:%d", round, i), CreatedAt: now,
				PayableAt: now})
		}
		return tx.AddLedger(ctx, entries)
	}))
	run, err := a.SendPayouts(ctx, app.NewPayoutRun{All: true})
	ok(t, err)
	return run
}

// dueNow makes due what waits, as if its time had come, and says whether all runs are settled.
func dueNow(ctx context.Context, t *testing.T, a *app.App, runs []affiliate.PayoutRun) bool {
	settled := true
	for _, run := range runs {
		got, err := a.DB.PayoutRun(ctx, run.ID)
		ok(t, err)
		if got.State == affiliate.PayRunSettled {
			continue
		}
		settled = false
		parts, err := a.DB.PayoutParts(ctx, run.ID)
		ok(t, err)
		for _, p := range parts {
			if !p.NextAt.IsZero() && p.NextAt.After(a.Now()) {
				_, err := a.DB.ClaimPayoutPart(ctx, p.ID, p.NextAt, a.Now())
				ok(t, err)
			}
		}
	}
	return settled
}
