package app_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/paypal"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakepaypal"
	"github.com/tributaryhq/tributary/internal/storage"
)

// payRig is a till whose creators are paid by a fake PayPal.
type payRig struct {
	*till
	o      fakepaypal.Options
	fake   *fakepaypal.Server
	url    string
	client *paypal.Client
	each   func() // before each request to PayPal
}

func eachPayRig(t *testing.T, o fakepaypal.Options, test func(r *payRig)) {
	eachTill(t, func(c *till) {
		r := &payRig{till: c, o: o}
		r.o.Now = c.now
		r.o.Each = func() {
			if r.each != nil {
				r.each()
			}
		}
		r.fake = fakepaypal.New(r.o)
		server := httptest.NewServer(r.fake)
		defer server.Close()
		r.url = server.URL
		r.connect()
		test(r)
	})
}

// connect makes the client anew, as a start of the server does.
func (r *payRig) connect() {
	r.client = paypal.New(r.url, fakepaypal.ClientID, fakepaypal.Secret, fakepaypal.WebhookID)
	r.PayPal = r.client
}

// payee makes a creator who is paid by PayPal, at an address.
func (r *payRig) payee(name string, address ...string) affiliate.OfferMember {
	r.Helper()
	om := r.promoter(name)
	address = append(address, strings.ToLower(name)+"@paypal.example")
	plain, err := json.Marshal(affiliate.PaymentDetails{Method: affiliate.MethodPayPal, Email: address[0]})
	must(r.desk, plain, err)
	ctx := context.Background()
	err = r.DB.InTx(ctx, func(tx *storage.Tx) error {
		_, err := tx.AddPaymentDetails(ctx, storage.PaymentDetails{CreatorID: om.CreatorID,
			Method:  affiliate.MethodPayPal,
			Details: r.Sealer.Seal(app.SealPaymentDetails, plain), Masked: name, Holder: name, UsableAt: r.now(),
			CreatedAt: r.now()})
		return err
	})
	must(r.desk, 0, err)
	return om
}

// confirm confirms a run of all that is due.
func (r *payRig) confirm() affiliate.PayoutRun {
	r.Helper()
	run, err := r.SendPayouts(r.ctx, app.NewPayoutRun{All: true})
	return must(r.desk, run, err)
}

// work works at payouts once, as a process does.
func (r *payRig) work() {
	r.Helper()
	if err := r.WorkPayouts(context.Background()); err != nil {
		r.Error(err)
	}
}

// days lets time pass, and works every six hours.
func (r *payRig) days(n int) {
	r.Helper()
	for range n * 4 {
		r.pass(6 * time.Hour)
		r.work()
	}
}

func (r *payRig) part(run affiliate.PayoutRun) affiliate.PayoutPart {
	r.Helper()
	list, err := r.DB.PayoutParts(r.ctx, run.ID)
	if must(r.desk, list, err); len(list) != 1 {
		r.Fatalf("%d parts", len(list))
	}
	return list[0]
}

// states tells the payouts of a run: "paid 2, failed 1".
func (r *payRig) states(run affiliate.PayoutRun) string {
	r.Helper()
	list, err := r.DB.PayoutsOf(r.ctx, run.ID)
	must(r.desk, list, err)
	n := map[affiliate.PayoutState]int{}
	for _, p := range list {
		n[p.State]++
	}
	var words []string
	for _, state := range affiliate.Words[affiliate.PayoutState]() {
		if n[state] > 0 {
			words = append(words, fmt.Sprintf("%s %d", state, n[state]))
		}
	}
	return strings.Join(words, ", ")
}

func (r *payRig) runState(run affiliate.PayoutRun) affiliate.PayoutRunState {
	got, err := r.DB.PayoutRun(r.ctx, run.ID)
	return must(r.desk, got, err).State
}

// TestWorkPayouts: a run is sent, asked about each minute, each day, each week, and what comes back is owed again.
func TestWorkPayouts(t *testing.T) {
	fates := []fakepaypal.Step{{}}
	eachPayRig(t, fakepaypal.Options{Fee: 25, Works: 90 * time.Second, Fate: func(ref string) []fakepaypal.Step {
		switch {
		case strings.HasPrefix(ref, "TRB-1-"):
			return fates
		case strings.HasPrefix(ref, "TRB-2-"): // nobody accepts it
			return []fakepaypal.Step{{Status: "UNCLAIMED"}, {After: 30 * 24 * time.Hour, Status: "RETURNED"}}
		case strings.HasPrefix(ref, "TRB-3-"):
			return []fakepaypal.Step{{Status: "SUCCESS"}, {After: 50 * 24 * time.Hour, Status: "REVERSED"}}
		}
		return []fakepaypal.Step{{Status: "BLOCKED"}}
	}}, func(r *payRig) {
		fates[0].Status = "SUCCESS"
		for n, name := range []string{"Anna", "Ben", "Cleo", "Dan"} {
			r.earn(account(r.payee(name)), int64(1000*(n+1)), 0)
		}
		run := r.confirm()
		r.work()
		if p := r.part(run); p.State != affiliate.PartSent || p.ProviderRef == "" || p.SentAt.IsZero() ||
			p.Trouble != "" {
			r.Fatalf("%+v", p)
		}
		r.is("at once", r.states(run), "sent 4")
		if _, err := r.CancelRun(r.ctx, run.ID, "typo"); affiliate.KindOf(err) != affiliate.Conflict {
			r.Errorf("a run that was sent is canceled: %v", err)
		}
		r.pass(time.Minute)
		r.work()
		r.is("after a minute", r.states(run), "pending 4")
		r.pass(time.Minute)
		r.work()
		r.is("after two", r.states(run), "unclaimed 1, paid 2, failed 1")
		r.is("due", r.due(), "Dan 4000 USD over 1")
		p := r.part(run)
		if rest := p.NextAt.Sub(r.now()); rest != 24*time.Hour || p.Fee != 100 || p.FeeCurrency != "USD" {
			r.Errorf("asked again after %v, fee %d %s", rest, p.Fee, p.FeeCurrency)
		}
		list, err := r.DB.PayoutsOf(r.ctx, run.ID)
		if must(r.desk, list, err); list[0].Fee != 25 || list[0].ProviderRef == "" || list[1].Words == "" {
			r.Errorf("%+v", list[:2])
		}
		r.days(32)
		r.is("after a month", r.states(run), "paid 2, failed 1, returned 1")
		r.is("its run", string(r.runState(run)), "settled")
		if rest := r.part(run).NextAt.Sub(r.now()); rest > 7*24*time.Hour || rest < 5*24*time.Hour {
			r.Errorf("asked again after %v, not a week", rest)
		}
		before := r.fake.Counts().Requests
		r.days(36)
		if n := r.fake.Counts().Requests - before; n > 6 {
			r.Errorf("asked %d times in five weeks", n)
		}
		r.is("after two months", r.states(run), "paid 1, failed 1, returned 2")
		r.is("due again", r.due(), "Ben 2000 USD over 1, Cleo 3000 USD over 1, Dan 4000 USD over 1")
		if p := r.part(run); !p.NextAt.IsZero() || p.Trouble != "" {
			r.Errorf("%+v", p)
		}

		// A webhook makes it looked at although its time is over.
		fates[0].Status = "REFUNDED"
		for range 2 {
			h, body := r.fake.Webhook(r.url, "PAYMENT.PAYOUTS-ITEM.REFUNDED", p.ProviderRef)
			if err := r.HearPayouts(r.ctx, affiliate.RailPayPal, "192.0.2.1", h, body); err != nil {
				r.Fatal(err)
			}
		}
		r.pass(time.Minute)
		r.work()
		r.is("after the webhook", r.states(run), "failed 1, returned 3")
		h, body := r.fake.Webhook(r.url, "PAYMENT.PAYOUTS-ITEM.REFUNDED", p.ProviderRef)
		h.Set("Paypal-Transmission-Sig", "x")
		for n := range 62 {
			want := affiliate.Forbidden
			if n >= 60 {
				want = affiliate.Unavailable
			}
			if err := r.HearPayouts(r.ctx, affiliate.RailPayPal, "192.0.2.1", h, body); affiliate.KindOf(err) != want {
				r.Fatalf("forged webhook %d: %v", n, err)
			}
		}
	})
}

// TestWorkPayouts_refused: what PayPal denies, or refuses to take, is owed again and paid by another run.
func TestWorkPayouts_refused(t *testing.T) {
	eachPayRig(t, fakepaypal.Options{}, func(r *payRig) {
		r.fake.SetBalance("USD", 10)
		anna := r.payee("Anna")
		r.earn(account(anna), 1000, 0)
		run := r.confirm()
		r.work()
		r.pass(time.Minute)
		r.work()
		r.is("denied", r.states(run)+" "+string(r.runState(run)), "failed 1 settled")
		if p := r.part(run); p.State != affiliate.PartRefused || p.Trouble == "" || !p.NextAt.IsZero() {
			r.Errorf("%+v", p)
		}
		r.fake.SetBalance("USD", 5000)
		run = r.confirm()
		r.work()
		r.days(1)
		r.is("paid", r.states(run)+" "+r.due(), "paid 1 ")

		ben := r.payee("Ben", "nobody")
		r.earn(account(ben), 700, 0)
		run = r.confirm()
		r.work()
		r.is("refused", r.states(run)+" "+string(r.part(run).State), "failed 1 refused")
		r.is("due", r.due(), "Ben 700 USD over 1")
	})
}

// TestWorkPayouts_open: a request whose answer was lost is sent again under its reference for 29 days and then never,
// and a refusal says nothing of what was asked before.
func TestWorkPayouts_open(t *testing.T) {
	eachPayRig(t, fakepaypal.Options{}, func(r *payRig) {
		anna := r.payee("Anna")
		r.earn(account(anna), 1000, 0)
		run := r.confirm()
		provider := &forgetful{PayoutProvider: r.client}
		r.PayPal = provider
		r.work()
		p := r.part(run)
		if p.State != affiliate.PartTrying || p.Trouble == "" || r.states(run) != "sent 1" {
			r.Fatalf("%+v, %s", p, r.states(run))
		}
		if _, err := r.CancelPayout(r.ctx, 1, "typo"); affiliate.KindOf(err) != affiliate.Conflict {
			r.Errorf("a payout is canceled that PayPal may have: %v", err)
		}
		provider.refuse = true
		r.pass(time.Hour)
		r.work()
		if p = r.part(run); p.State != affiliate.PartTrying || !strings.Contains(p.Trouble, "by hand") {
			r.Fatalf("%+v", p)
		}
		provider.refuse = false
		provider.other = "another account" // which would pay it once more
		sent := provider.sent
		r.pass(time.Hour)
		r.work()
		if p = r.part(run); provider.sent != sent || !strings.Contains(p.Trouble, "other credentials") {
			r.Errorf("sent %d times, then %d: %+v", sent, provider.sent, p)
		}
		provider.other = ""
		r.days(30)
		sent = provider.sent
		if p = r.part(run); p.State != affiliate.PartTrying || !p.NextAt.IsZero() ||
			!strings.Contains(p.Trouble, "29 days") {
			r.Errorf("%+v", p)
		}
		troubles, err := r.DB.PartTroubles(r.ctx)
		if must(r.desk, troubles, err); len(troubles) != 1 || troubles[0].Parts != 1 {
			r.Errorf("%+v", troubles)
		}
		r.days(10)
		if provider.sent != sent || len(r.fake.Items()) != 1 || r.states(run) != "sent 1" {
			r.Errorf("sent %d times, then %d; %d payments; %s", sent, provider.sent, len(r.fake.Items()), r.states(run))
		}

		said, err := r.MarkPayouts(r.ctx, []affiliate.PayoutID{1}, affiliate.PayoutPaid, "", "")
		must(r.desk, said, err)
		if troubles, err = r.DB.PartTroubles(r.ctx); err != nil || len(troubles) > 0 {
			r.Errorf("a person has said it, and in trouble are %+v, %v", troubles, err)
		}

		// Once somebody has said what became of each, nobody is asked, and there is no trouble, whatever the account.
		carl := r.payee("Carl")
		r.earn(account(carl), 300, 0)
		run = r.confirm()
		r.work()
		provider.other = "another account"
		r.pass(time.Hour)
		r.work()
		list, err := r.DB.PayoutsOf(r.ctx, run.ID)
		must(r.desk, list, err)
		_, err = r.MarkPayouts(r.ctx, []affiliate.PayoutID{list[0].ID}, affiliate.PayoutPaid, "", "")
		must(r.desk, list, err)
		r.pass(time.Hour)
		r.work()
		if p = r.part(run); p.Trouble != "" || !p.NextAt.IsZero() {
			r.Errorf("all of it is said, and the part is %+v", p)
		}
		provider.other = ""

		// One that it certainly does not have is sent again for ever.
		ben := r.payee("Ben")
		r.earn(account(ben), 500, 0)
		run = r.confirm()
		r.PayPal = nil
		r.days(1)
		if p := r.part(run); p.State != affiliate.PartReady || !strings.Contains(p.Trouble, "not connected") {
			r.Errorf("%+v", p)
		}
		r.PayPal = paypal.New("http://127.0.0.1:1", "id", "secret", "")
		r.days(40)
		r.connect()
		r.days(1)
		r.is("paid at last", r.states(run), "paid 1")
	})
}

// forgetful is a provider whose answers are lost.
type forgetful struct {
	app.PayoutProvider
	refuse bool
	other  string // the account that it is of; empty: the same as ever
	sent   int
}

func (f *forgetful) Account() string { return cmp.Or(f.other, f.PayoutProvider.Account()) }

func (f *forgetful) Send(ctx context.Context, part affiliate.PaymentFile) (string, error) {
	f.sent++
	if f.refuse {
		return "", &affiliate.ProviderError{Words: "no", Unpaid: true}
	}
	_, _ = f.PayoutProvider.Send(ctx, part) // what it says is lost
	return "", errors.New("the answer was lost")
}

// TestWorkPayouts_faults: wherever the server dies, and whatever PayPal loses, each creator is paid once.
func TestWorkPayouts_faults(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 7))
	calm := false
	deed := func() fakepaypal.Deed {
		if calm || random.IntN(3) > 0 {
			return fakepaypal.Answer
		}
		return fakepaypal.Deed(random.IntN(int(fakepaypal.DropAfter) + 1))
	}
	deaths := 0
	eachPayRig(t, fakepaypal.Options{Fee: 5, Do: func(*http.Request, int) fakepaypal.Deed { return deed() }},
		func(r *payRig) {
			calm = false
			var members []affiliate.OfferMember
			for n := range 12 {
				members = append(members, r.payee(fmt.Sprintf("Zoe%c", 'a'+n)))
			}
			for round := range 10 {
				owed := int64(0)
				for n, om := range members {
					amount := int64(100*(round+1) + n)
					owed += amount
					r.earn(account(om), amount, 0)
				}
				run := r.confirm()
				for turns := 0; r.runState(run) != affiliate.PayRunSettled; turns++ {
					if turns > 300 {
						r.Fatalf("the run does not come to an end: %s, %+v", r.states(run), r.part(run))
					}
					ctx, kill := context.WithCancel(context.Background())
					at := 1 + random.IntN(5)
					r.each = func() {
						if at--; at == 0 {
							deaths++
							kill()
						}
					}
					_ = r.WorkPayouts(ctx) // what was in its way is tried again
					if ctx.Err() != nil {
						r.connect()
					}
					kill()
					r.each = nil
					r.pass(15 * time.Minute)
				}
				r.is("the run", r.states(run), "paid 12")
				r.is("due", r.due(), "")
				r.paidOnce(run)
			}
			calm = true
			r.days(1)
		})
	if deaths < 15 {
		t.Errorf("the server died %d times only", deaths)
	}
}

// paidOnce checks that PayPal has each payout of a run once, as it is here.
func (r *payRig) paidOnce(run affiliate.PayoutRun) {
	r.Helper()
	list, err := r.DB.PayoutsOf(r.ctx, run.ID)
	must(r.desk, list, err)
	has := map[string][]fakepaypal.Item{}
	for _, i := range r.fake.Items() {
		has[i.Ref] = append(has[i.Ref], i)
	}
	for _, p := range list {
		if there := has[p.Ref]; len(there) != 1 || there[0].Amount != p.Amount || there[0].Currency != p.Currency {
			r.Errorf("%s of %d is there as %+v", p.Ref, p.Amount, there)
		}
	}
}

// TestWorkPayouts_days: forty days of sales, refunds and runs, of which PayPal blocks, holds, gives back and takes back
// some: each day what is here of each payment is what is there, and the ledger has what is owed, to the cent.
func TestWorkPayouts_days(t *testing.T) {
	const day = 24 * time.Hour
	fates := [][]fakepaypal.Step{
		{{Status: "SUCCESS"}}, {{Status: "SUCCESS"}}, {{Status: "FAILED"}}, {{After: day, Status: "BLOCKED"}},
		{{Status: "UNCLAIMED"}, {After: 30 * day, Status: "RETURNED"}},
		{{Status: "UNCLAIMED"}, {After: 4 * day, Status: "SUCCESS"}},
		{{Status: "ONHOLD"}, {After: 3 * day, Status: "SUCCESS"}, {After: 12 * day, Status: "REVERSED"}},
		{{Status: "SUCCESS"}, {After: 20 * day, Status: "REFUNDED"}}, {{Status: "PENDING"}},
	}
	states := map[string]affiliate.PayoutState{"SUCCESS": "paid", "FAILED": "failed", "BLOCKED": "failed",
		"UNCLAIMED": "unclaimed", "RETURNED": "returned", "ONHOLD": "pending", "PENDING": "pending",
		"REVERSED": "returned",
		"REFUNDED": "returned", "DENIED": "failed"}
	fate := func(ref string) []fakepaypal.Step {
		var id int
		_, _ = fmt.Sscanf(ref, "TRB-%d-", &id)
		return fates[id*7%len(fates)]
	}
	eachPayRig(t, fakepaypal.Options{Fee: 9, Works: time.Hour, Fate: fate}, func(r *payRig) {
		random := rand.New(rand.NewPCG(40, 15))
		r.fake.SetBalance("USD", 40_000)
		var members []affiliate.OfferMember
		for n := range 6 {
			members = append(members, r.payee(fmt.Sprintf("Zoe%c", 'a'+n)))
		}
		earned := map[affiliate.CreatorID]int64{}
		var runs []affiliate.PayoutRun
		for today := range 40 {
			for _, om := range members {
				amount := random.Int64N(900) - 200
				earned[om.CreatorID] += amount
				if amount != 0 {
					r.earn(account(om), amount, 0)
				}
			}
			if today%3 == 0 {
				runs = append(runs, r.confirm())
			}
			if today == 30 {
				r.fake.SetBalance("USD", 20)
			}
			r.days(1)
			r.heard(runs)
			there := map[string]affiliate.PayoutState{}
			for _, i := range r.fake.Items() {
				if there[i.Ref] != "" {
					r.Fatalf("%s is there twice", i.Ref)
				}
				there[i.Ref] = states[i.Status]
			}
			owed := maps.Clone(earned)
			for _, run := range runs {
				sums := affiliate.RunSums{Currency: "USD"}
				list, err := r.DB.PayoutsOf(r.ctx, run.ID)
				must(r.desk, list, err)
				for _, p := range list {
					state := there[p.Ref]
					sums.Add(state, 1, p.Amount)
					if p.State != state {
						r.Errorf("day %d: %s is %s here and %s there", today, p.Ref, p.State, state)
					}
					if !state.Back() {
						owed[p.CreatorID] -= p.Amount
					}
				}
				here, err := r.DB.RunSums(r.ctx, run.ID)
				if must(r.desk, here, err); len(here) != 1 || here[0] != sums ||
					sums.Sent != sums.Paid+sums.Pending+sums.Unclaimed+sums.Failed+sums.Returned {
					r.Errorf("day %d: %+v here and %+v there", today, here, sums)
				}
			}
			for _, om := range members {
				balances, err := r.DB.Balances(r.ctx, []affiliate.CreatorID{om.CreatorID}, r.now())
				must(r.desk, balances, err)
				sum := int64(0)
				for _, b := range balances {
					sum += b.Balance
				}
				if sum != owed[om.CreatorID] {
					r.Fatalf("day %d: the ledger owes %s %d, not %d", today, om.CreatorID, sum, owed[om.CreatorID])
				}
			}
		}
	})
}

// heard lets PayPal tell of each run, and works until nothing is due.
func (r *payRig) heard(runs []affiliate.PayoutRun) {
	r.Helper()
	for _, run := range runs {
		if p := r.part(run); p.State == affiliate.PartSent {
			must(r.desk, 0, r.DB.HurryPayoutPart(r.ctx, p.Rail, p.ProviderRef, r.now()))
		}
	}
	r.work()
}
