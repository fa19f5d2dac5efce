package app_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// till posts to creators' accounts as workers do.
type till struct {
	*desk
	posted atomic.Int64 // for causes
}

// eachTill runs a test on both databases and checks at its end that ledger, balances and reports agree.
func eachTill(t *testing.T, test func(c *till)) {
	eachDesk(t, func(d *desk) {
		test(&till{desk: d})
		storagetest.Consistent(d.T, d.DB)
	})
}

// account is the account of an offer member.
func account(om affiliate.OfferMember) affiliate.Account {
	return affiliate.Account{CreatorID: om.CreatorID, CampaignID: om.CampaignID, OfferMemberID: om.ID}
}

// earn posts an amount that is payable after hold.
func (c *till) earn(a affiliate.Account, amount int64, hold time.Duration) {
	c.Helper()
	c.earnIn("USD", a, amount, hold)
}

func (c *till) earnIn(currency money.Currency, a affiliate.Account, amount int64, hold time.Duration) {
	c.Helper()
	kind := affiliate.Accrual
	if amount < 0 {
		kind = affiliate.Reversal
	}
	now := c.now()
	ctx := context.Background()
	err := c.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		return tx.AddLedger(ctx, []affiliate.LedgerEntry{{CreatorID: a.CreatorID, CampaignID: a.CampaignID,
			OfferMemberID: a.OfferMemberID, Kind: kind, Currency: currency, Amount: amount,
			Cause: fmt.Sprintf("test:%d", c.posted.Add(1)), CreatedAt: now, PayableAt: now.Add(hold)}})
	})
	if err != nil {
		c.Error(err)
	}
}

// member puts the creator of an offer member into another offer of the campaign.
func (c *till) member(of affiliate.OfferMember, offer string) affiliate.OfferMember {
	c.Helper()
	o, err := c.AddOffer(c.ctx, affiliate.Offer{CampaignID: of.CampaignID, Name: offer, Type: affiliate.OfferPromoCode})
	must(c.desk, o, err)
	om, err := c.AddOfferMember(c.ctx, affiliate.OfferMember{OfferID: o.ID, MemberID: of.MemberID})
	return must(c.desk, om, err)
}

// pay issues what is due in the account's currency.
func (c *till) pay(creator affiliate.CreatorID) affiliate.Payout {
	c.Helper()
	p, err := c.IssuePayout(c.ctx, app.NewPayout{Creator: creator})
	return must(c.desk, p, err)
}

// refused fails the test unless nothing can be paid, for a reason that says some words.
func (c *till) refused(creator affiliate.CreatorID, words ...string) {
	c.Helper()
	_, err := c.IssuePayout(c.ctx, app.NewPayout{Creator: creator})
	c.want(err, affiliate.Conflict, "creator", words...)
}

// holds tells the accounts of a creator: "USD 100 payable 50 paid 20" each.
func (c *till) holds(creator affiliate.CreatorID) string {
	c.Helper()
	list, err := c.DB.Balances(c.ctx, []affiliate.CreatorID{creator}, c.now())
	must(c.desk, list, err)
	var lines []string
	for _, b := range list {
		lines = append(lines, fmt.Sprintf("%s %s %d payable %d paid %d", b.Name(), b.Currency, b.Balance,
			b.Payable, b.Paid))
	}
	return strings.Join(lines, ", ")
}

// due tells what is due to whom.
func (c *till) due() string {
	c.Helper()
	settings, err := c.DB.Settings(c.ctx)
	must(c.desk, settings, err)
	list, _, err := c.DB.PayoutsDue(c.ctx, settings, storage.DueFilter{}, "", c.now(), storage.Page{})
	must(c.desk, list, err)
	var words []string
	for _, d := range list {
		words = append(words, fmt.Sprintf("%s %d %s over %d", d.Creator, d.Amount, d.Currency, d.Accounts))
	}
	return strings.Join(words, ", ")
}

func (c *till) is(what, got, want string) {
	c.Helper()
	if got != want {
		c.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func (c *till) set(key, value string) {
	c.Helper()
	s, err := c.SetSettings(c.ctx, []app.Setting{{Key: key, Value: value}})
	must(c.desk, s, err)
}

func TestPayoutPaysAllThatIsPayable(t *testing.T) {
	eachTill(t, func(c *till) {
		ten, ben := c.promoter("Anna"), c.promoter("Ben")
		five := c.member(ten, "Five")
		anna := ten.CreatorID
		c.earn(account(ten), 5000, 0)
		c.earn(account(five), -1200, 0)
		c.earn(affiliate.Account{CreatorID: anna}, 100, 0)
		c.earn(affiliate.Account{CreatorID: anna, CampaignID: ten.CampaignID}, 200, 0)
		c.earnIn("GBP", account(ten), 700, 0)
		c.earn(account(ben), 900, 0)
		c.is("due", c.due(), "Anna 700 GBP over 1, Anna 4100 USD over 4, Ben 900 USD over 1")

		c.pass(time.Hour)
		p, err := c.IssuePayout(c.ctx, app.NewPayout{Creator: anna, Method: " bank transfer ", Reference: "SEPA\n7"})
		must(c.desk, p, err)
		want := affiliate.Payout{ID: 1, RunID: 1, Rail: affiliate.RailElsewhere, UntilAt: c.now(), StateAt: c.now(),
			CreatorID: anna, Amount: 4100, Currency: "USD", State: affiliate.PayoutPaid,
			Method: "bank transfer", Reference: "SEPA 7", Author: "the test", CreatedAt: c.now(), PaidAt: c.now()}
		read, err := c.DB.Payout(c.ctx, p.ID)
		if must(c.desk, read, err); !reflect.DeepEqual(read, want) || !reflect.DeepEqual(p, want) {
			c.Errorf("issued %+v and read %+v, want %+v", p, read, want)
		}
		entries, err := c.DB.PayoutEntries(c.ctx, p.ID)
		must(c.desk, entries, err)
		var lines []string
		for _, e := range entries {
			lines = append(lines, fmt.Sprintf("%s %d (%s, %s)", e.Cause, e.Amount, e.Campaign, e.Offer))
			if e.Kind != affiliate.PaidOut || e.PayoutID != p.ID || e.CreatorID != anna || e.Currency != "USD" ||
				e.Author != "the test" ||
				!e.CreatedAt.Equal(c.now()) || !e.PayableAt.Equal(c.now()) {
				c.Errorf("entry %+v", e)
			}
		}
		c.is("entries", strings.Join(lines, ", "), "pay_1:cre_1 -100 (, ), pay_1:cmp_1 -200 (Spring, ), pay_1:ofm_1 "+
			"-5000 (Spring, Ten), pay_1:ofm_3 1200 (Spring, Five)")
		c.is("Anna holds", c.holds(anna),
			"ofm_1 GBP 700 payable 700 paid 0, cre_1 USD 0 payable 0 paid 100, cmp_1 USD 0 payable 0 paid 200, "+
				"ofm_1 USD 0 payable 0 paid 5000, ofm_3 USD 0 payable 0 paid -1200")
		c.is("due then", c.due(), "Anna 700 GBP over 1, Ben 900 USD over 1")
		c.refused(anna, "nothing is due to Anna (cre_1)", "0.00 USD")
		if log := c.audited("run_1", "payout_run.send"); len(log) != 1 ||
			!strings.Contains(log[0].After, `"USD":"41.00"`) || log[0].Actor != "the test" {
			c.Errorf("the audit log has %+v", log)
		}
	})
}

func TestRefundAfterPayoutIsCarriedIntoTheNext(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		c.earn(account(anna), 1000, 0)
		if p := c.pay(anna.CreatorID); p.Amount != 1000 {
			c.Errorf("paid %d, want 1000", p.Amount)
		}
		c.earn(account(anna), -400, 0)
		c.is("due", c.due(), "")
		c.refused(anna.CreatorID, "nothing is due", "-4.00 USD")
		c.earn(account(anna), 300, 0)
		c.refused(anna.CreatorID, "-1.00 USD")
		c.earn(account(anna), 600, 0)
		if p := c.pay(anna.CreatorID); p.Amount != 500 {
			c.Errorf("paid %d, want 500", p.Amount)
		}
		c.is("holds", c.holds(anna.CreatorID), "ofm_1 USD 0 payable 0 paid 1500")
	})
}

func TestPayoutMinimum(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		c.set("minimum_payout", "25")
		c.earn(account(anna), 2499, 0)
		c.earnIn("GBP", account(anna), 1, 0)
		c.is("due below the minimum", c.due(), "Anna 1 GBP over 1")
		c.refused(anna.CreatorID, "24.99 USD is payable to Anna (cre_1)", "minimum payout of 25.00")
		p, err := c.IssuePayout(c.ctx, app.NewPayout{Creator: anna.CreatorID, Currency: "gbp"})
		if must(c.desk, p, err); p.Amount != 1 || p.Currency != "GBP" {
			c.Errorf("paid %d %s, want 1 GBP: the minimum is one of dollars", p.Amount, p.Currency)
		}
		c.earn(account(anna), 1, 0)
		c.is("due at the minimum", c.due(), "Anna 2500 USD over 1")
		if p := c.pay(anna.CreatorID); p.Amount != 2500 {
			c.Errorf("paid %d, want 2500", p.Amount)
		}
	})
}

func TestPayoutLeavesWhatIsOnHold(t *testing.T) {
	const day = 24 * time.Hour
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		c.earn(account(anna), 1000, 0)
		c.earn(account(anna), 300, 14*day)
		c.is("holds", c.holds(anna.CreatorID), "ofm_1 USD 1300 payable 1000 paid 0")
		c.is("due", c.due(), "Anna 1000 USD over 1")
		c.pay(anna.CreatorID)
		c.pass(14*day - time.Microsecond)
		c.refused(anna.CreatorID)
		c.pass(time.Microsecond)
		c.is("due after the hold", c.due(), "Anna 300 USD over 1")
		if p := c.pay(anna.CreatorID); p.Amount != 300 {
			c.Errorf("paid %d, want 300", p.Amount)
		}
		// What is taken back counts at once, whenever its entry would.
		c.earn(account(anna), -50, 14*day)
		c.refused(anna.CreatorID, "-0.50 USD")
		c.earn(account(anna), 80, 0)
		if p := c.pay(anna.CreatorID); p.Amount != 30 {
			c.Errorf("paid %d, want 30", p.Amount)
		}
		c.pass(14 * day)
		c.is("holds in the end", c.holds(anna.CreatorID), "ofm_1 USD 0 payable 0 paid 1330")
	})
}

func TestNobodyPaysWhatTheyDidNotSee(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		c.earn(account(anna), 10000, 0)
		seen := int64(10000)
		in := app.NewPayout{Creator: anna.CreatorID, Amount: &seen}
		c.earn(account(anna), 2000, 0)
		_, err := c.IssuePayout(c.ctx, in)
		c.want(err, affiliate.Conflict, "amount", "120.00 USD is due to Anna (cre_1), not 100.00; look again")
		seen = 12000
		p, err := c.IssuePayout(c.ctx, in)
		if must(c.desk, p, err); p.Amount != seen {
			c.Errorf("paid %d, want %d", p.Amount, seen)
		}
	})
}

func TestRecordRunAllOrNone(t *testing.T) {
	eachTill(t, func(c *till) {
		anna, ben := c.promoter("Anna"), c.promoter("Ben")
		a, b := app.NewPayout{Creator: anna.CreatorID}, app.NewPayout{Creator: ben.CreatorID}
		record := func(list ...app.NewPayout) (affiliate.PayoutRun, error) {
			return c.SendPayouts(c.ctx, app.NewPayoutRun{Elsewhere: true, Payouts: list})
		}
		c.earn(account(anna), 1000, 0)
		_, err := record(a, b)
		c.want(err, affiliate.Conflict, "creator", "nothing is due to Ben (cre_2)")
		_, err = record(a, app.NewPayout{Creator: 99})
		c.want(err, affiliate.Invalid, "creator", "there is no cre_99")
		_, err = record(a, app.NewPayout{Creator: anna.CreatorID, Currency: "usd"})
		c.want(err, affiliate.Invalid, "creator", "cre_1 is named twice")
		_, err = record()
		c.want(err, affiliate.Invalid, "payouts")
		_, err = record(make([]app.NewPayout, app.MaxNamed+1)...)
		c.want(err, affiliate.Invalid, "payouts", "5000")
		_, err = record(app.NewPayout{Creator: anna.CreatorID, Currency: "QQQ"})
		c.want(err, affiliate.Invalid, "currency")
		_, err = c.IssuePayout(c.ctx,
			app.NewPayout{Creator: anna.CreatorID, Method: strings.Repeat("x", affiliate.MaxPayoutText+1)})
		c.want(err, affiliate.Invalid, "method")
		c.is("Anna holds", c.holds(anna.CreatorID), "ofm_1 USD 1000 payable 1000 paid 0")

		c.earn(account(ben), 700, 0)
		c.earnIn("GBP", account(anna), 50, 0)
		run, err := record(b, a, app.NewPayout{Creator: anna.CreatorID, Currency: "GBP"})
		must(c.desk, run, err)
		var words []string
		for _, p := range c.paidIn(run) {
			words = append(words, fmt.Sprintf("%s %d %s", p.CreatorID, p.Amount, p.Currency))
		}
		c.is("paid", strings.Join(words, ", "), "cre_2 700 USD, cre_1 1000 USD, cre_1 50 GBP")
		c.is("due", c.due(), "")
	})
}

func TestCancelPayout(t *testing.T) {
	eachTill(t, func(c *till) {
		ten := c.promoter("Anna")
		five := c.member(ten, "Five")
		c.earn(account(ten), 1000, 0)
		c.earn(account(five), -300, 0)
		first := c.pay(ten.CreatorID)
		_, err := c.CancelPayout(c.ctx, first.ID, " ")
		c.want(err, affiliate.Invalid, "reason")
		_, err = c.CancelPayout(c.ctx, 99, "typo")
		c.want(err, affiliate.NotFound, "", "pay_99")

		c.pass(time.Hour)
		for range 2 { // canceling again changes nothing
			canceled, err := c.CancelPayout(c.ctx, first.ID, "account closed")
			if must(c.desk, canceled, err); canceled.State != affiliate.PayoutCanceled || canceled.Amount != 700 {
				c.Errorf("canceled %+v", canceled)
			}
		}
		if log := c.audited("pay_1", "payout.cancel"); len(log) != 1 ||
			!strings.Contains(log[0].After, "account closed") {
			c.Errorf("the audit log has %+v", log)
		}
		c.is("holds", c.holds(ten.CreatorID), "ofm_1 USD 1000 payable 1000 paid 0, ofm_2 USD -300 payable -300 paid 0")
		entries, err := c.DB.PayoutEntries(c.ctx, first.ID)
		must(c.desk, entries, err)
		var lines []string
		for _, e := range entries {
			lines = append(lines, fmt.Sprintf("%s %d %s", e.Cause, e.Amount, e.Note))
		}
		c.is("entries", strings.Join(lines, ", "), "pay_1:ofm_1 -1000 , pay_1:ofm_2 300 , "+
			"pay_1:canceled:1:ofm_1 1000 account closed, pay_1:canceled:1:ofm_2 -300 account closed")

		// It is owed again, with what came meanwhile.
		c.earn(account(five), 500, 0)
		second := c.pay(ten.CreatorID)
		c.is("holds in the end", c.holds(ten.CreatorID),
			"ofm_1 USD 0 payable 0 paid 1000, ofm_2 USD 0 payable 0 paid 200")
		list, _, err := c.DB.Payouts(c.ctx, storage.PayoutFilter{}, storage.Page{})
		must(c.desk, list, err)
		if len(list) != 2 || !reflect.DeepEqual(list[0].Payout, second) || second.Amount != 1200 ||
			list[1].State != affiliate.PayoutCanceled || list[1].Creator != "Anna" {
			c.Errorf("payouts %+v", list)
		}
	})
}

// paidIn are the payouts of a payout run, newest first.
func (c *till) paidIn(b affiliate.PayoutRun) []storage.NamedPayout {
	c.Helper()
	list, _, err := c.DB.Payouts(c.ctx, storage.PayoutFilter{Run: b.ID}, storage.Page{})
	return must(c.desk, list, err)
}

// Of twenty who pay the same at once one does, alone or in a payout run with others named in another sequence. The
// first rounds only open the connections over which the others meet.
func TestPayoutsAtOncePayOnce_race(t *testing.T) {
	const rounds = 8
	eachTill(t, func(c *till) {
		anna, ben := c.promoter("Anna"), c.promoter("Ben")
		a, b := app.NewPayout{Creator: anna.CreatorID}, app.NewPayout{Creator: ben.CreatorID}
		pay := func(n int) (affiliate.Payout, error) { // what it paid to Anna
			if n%3 == 0 {
				return c.IssuePayout(c.ctx, a)
			}
			run, err := c.SendPayouts(c.ctx, app.NewPayoutRun{Elsewhere: true,
				Payouts: [][]app.NewPayout{{a, b}, {b, a}}[n%2]})
			if err != nil {
				return affiliate.Payout{}, err
			}
			for _, p := range c.paidIn(run) {
				if p.CreatorID == anna.CreatorID {
					return p.Payout, nil
				}
			}
			return affiliate.Payout{}, fmt.Errorf("%s pays nothing to Anna", run.ID)
		}
		for range rounds {
			c.earn(account(anna), 1000, 0)
			c.earn(account(ben), 500, 0)
			var won, canceled atomic.Int64
			together(func(n int) {
				p, err := pay(n)
				if err != nil && affiliate.KindOf(err) != affiliate.Conflict {
					c.Error(err)
				}
				if err == nil {
					won.Add(1)
					canceled.Store(int64(p.ID))
				}
			})
			if won.Load() != 1 {
				c.Errorf("%d paid, want one", won.Load())
			}
			c.is("holds", c.holds(anna.CreatorID), "ofm_1 USD 0 payable 0 paid 1000")
			together(func(int) {
				if _, err := c.CancelPayout(c.ctx, affiliate.PayoutID(canceled.Load()), "typo"); err != nil {
					c.Error(err)
				}
			})
			c.is("holds after it was canceled at once", c.holds(anna.CreatorID), "ofm_1 USD 1000 payable 1000 paid 0")
			c.earn(account(anna), -1000, 0)
		}
	})
}

// together runs f twenty times at once.
func together(f func(n int)) {
	var work sync.WaitGroup
	for n := range 20 {
		work.Go(func() { f(n) })
	}
	work.Wait()
}

// Workers post sales and refunds, on hold or not, while people pay and cancel: nothing is lost, and nothing that is on
// hold is paid.
func TestPayoutsBesideWorkers_race(t *testing.T) {
	eachTill(t, func(c *till) {
		ten, ben := c.promoter("Anna"), c.promoter("Ben") // all of Ben's is on hold
		accounts := []affiliate.Account{account(ten), account(c.member(ten, "Five")), {CreatorID: ten.CreatorID}}
		var owed, held atomic.Int64
		var work sync.WaitGroup
		for n := range 4 {
			random := rand.New(rand.NewPCG(1, uint64(n)))
			work.Go(func() {
				for range 40 {
					amount := random.Int64N(1500) - 400
					var hold time.Duration
					if amount > 0 && random.IntN(2) == 0 {
						hold = time.Hour
						held.Add(amount)
					}
					owed.Add(amount)
					c.earn(accounts[random.IntN(len(accounts))], amount, hold)
					c.earn(account(ben), 100, time.Hour)
				}
			})
		}
		for n := range 4 {
			work.Go(func() {
				for i := range 25 {
					p, err := c.IssuePayout(c.ctx, app.NewPayout{Creator: ten.CreatorID})
					if err == nil && (n+i)%3 == 0 {
						_, err = c.CancelPayout(c.ctx, p.ID, "again")
					}
					if err != nil && affiliate.KindOf(err) != affiliate.Conflict {
						c.Error(err)
					}
					c.refused(ben.CreatorID, "0.00 USD")
				}
			})
		}
		work.Wait()
		total := func() (balance, payable, paid int64) {
			list, err := c.DB.Balances(c.ctx, []affiliate.CreatorID{ten.CreatorID}, c.now())
			for _, b := range must(c.desk, list, err) {
				balance, payable, paid = balance+b.Balance, payable+b.Payable, paid+b.Paid
			}
			return balance, payable, paid
		}
		var issued int64
		payouts, err := every(c, func(p storage.Page) ([]storage.NamedPayout, string, error) {
			return c.DB.Payouts(c.ctx, storage.PayoutFilter{State: affiliate.PayoutPaid}, p)
		})
		for _, p := range must(c.desk, payouts, err) {
			issued += p.Amount
		}
		balance, payable, paid := total()
		if paid != issued || balance+paid != owed.Load() || balance-payable != held.Load() {
			c.Errorf("balance %d, payable %d, paid %d; want %d paid, %d owed in all, %d on hold", balance, payable,
				paid, issued, owed.Load(), held.Load())
		}
		c.pass(2 * time.Hour)
		c.earn(accounts[0], 1_000_000, 0) // more than any debt
		c.pay(ten.CreatorID)
		if balance, payable, paid := total(); balance != 0 || payable != 0 || paid != owed.Load()+1_000_000 {
			c.Errorf("in the end the balance is %d, payable %d, paid %d; want 0, 0, %d", balance, payable, paid,
				owed.Load()+1_000_000)
		}
	})
}

// every reads all pages of a list.
func every[T any](c *till, page func(storage.Page) ([]T, string, error)) (all []T, err error) {
	c.Helper()
	for p := (storage.Page{Limit: 7}); ; {
		list, next, err := page(p)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if p.Cursor = next; next == "" {
			return all, nil
		}
	}
}

// purse is what a creator's accounts should hold, reckoned without a database.
type purse struct {
	entries map[affiliate.Account][]purseEntry
	paid    map[affiliate.Account]int64
	payouts map[affiliate.PayoutID]map[affiliate.Account]int64 // that stand
}

type purseEntry struct {
	amount    int64
	payableAt time.Time
}

// payable is what may be paid out of each account.
func (p purse) payable(now time.Time) (sum int64, accounts map[affiliate.Account]int64) {
	accounts = map[affiliate.Account]int64{}
	for a, entries := range p.entries {
		var balance, onHold int64
		for _, e := range entries {
			balance += e.amount
			if e.payableAt.After(now) {
				onHold += e.amount
			}
		}
		accounts[a] = affiliate.Payable(balance-p.paid[a], onHold)
		sum += accounts[a]
	}
	return sum, accounts
}

// Whatever is earned, refunded, held, paid and canceled in whatever sequence: a payout is of what is payable and leaves
// nothing payable, and no account is paid what it was paid before.
func TestPayoutsInAnySequence(t *testing.T) {
	eachTill(t, func(c *till) {
		const minimum = 200
		c.set("minimum_payout", "2")
		creators := 0
		rapid.Check(c.T, func(t *rapid.T) {
			creators++
			ten := c.promoter(fmt.Sprint("Creator", creators)) // a fresh one, in the same database
			creator := ten.CreatorID
			accounts := []affiliate.Account{account(ten), {CreatorID: creator, CampaignID: ten.CampaignID},
				{CreatorID: creator}}
			p := purse{map[affiliate.Account][]purseEntry{}, map[affiliate.Account]int64{},
				map[affiliate.PayoutID]map[affiliate.Account]int64{}}
			for range rapid.IntRange(1, 12).Draw(t, "steps") {
				switch rapid.SampledFrom([]string{"earn", "earn", "wait", "pay", "pay", "cancel"}).Draw(t, "step") {
				case "earn":
					a := rapid.SampledFrom(accounts).Draw(t, "account")
					hold := time.Duration(rapid.IntRange(0, 3).Draw(t, "hold")) * time.Hour
					amount := rapid.Int64Range(-500, 1000).Draw(t, "amount")
					p.entries[a] = append(p.entries[a], purseEntry{amount, c.now().Add(hold)})
					c.earn(a, amount, hold)
				case "wait":
					c.pass(time.Hour)
				case "pay":
					payable, perAccount := p.payable(c.now())
					issued, err := c.IssuePayout(c.ctx, app.NewPayout{Creator: creator})
					if due := payable >= minimum; due != (err == nil) || due && issued.Amount != payable || !due &&
						affiliate.KindOf(err) != affiliate.Conflict {
						t.Fatalf("%d is payable, but it issues %d, %v", payable, issued.Amount, err)
					}
					if err == nil {
						p.payouts[issued.ID] = perAccount
						for a, amount := range perAccount {
							p.paid[a] += amount
						}
					}
				case "cancel":
					ids := slices.Sorted(maps.Keys(p.payouts))
					if len(ids) == 0 {
						continue
					}
					id := rapid.SampledFrom(ids).Draw(t, "payout")
					if _, err := c.CancelPayout(c.ctx, id, "typo"); err != nil {
						t.Fatal(err)
					}
					for a, amount := range p.payouts[id] {
						p.paid[a] -= amount
					}
					delete(p.payouts, id)
				}
				c.compare(t, creator, p)
			}
		})
	})
}

// compare fails the test unless a creator's accounts and payouts are as reckoned.
func (c *till) compare(t *rapid.T, creator affiliate.CreatorID, p purse) {
	balances, err := c.DB.Balances(c.ctx, []affiliate.CreatorID{creator}, c.now())
	if err != nil {
		t.Fatal(err)
	}
	_, payable := p.payable(c.now())
	var paid, issued int64
	for _, b := range balances {
		paid += b.Paid
		earned := int64(0)
		for _, e := range p.entries[b.Account] {
			earned += e.amount
		}
		if b.Payable != payable[b.Account] || b.Paid != p.paid[b.Account] || b.Balance != earned-p.paid[b.Account] {
			t.Fatalf("%s holds %d, payable %d, paid %d; want %d, %d, %d", b.Name(), b.Balance, b.Payable, b.Paid,
				earned-p.paid[b.Account], payable[b.Account], p.paid[b.Account])
		}
	}
	list, _, err := c.DB.Payouts(c.ctx, storage.PayoutFilter{Creator: creator, State: affiliate.PayoutPaid},
		storage.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, payout := range list {
		issued += payout.Amount
	}
	if paid != issued || len(list) != len(p.payouts) {
		t.Fatalf("%d is paid by %d payouts of %d; want %d payouts", paid, len(list), issued, len(p.payouts))
	}
}
