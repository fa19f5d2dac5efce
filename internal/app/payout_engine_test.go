package app_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/storage"
)

// payBy writes down how a creator is paid; what is sealed is read by nobody here.
func (c *till) payBy(creator affiliate.CreatorID, method affiliate.PaymentMethod) {
	c.Helper()
	err := c.DB.InTx(c.ctx, func(tx *storage.Tx) error {
		_, err := tx.AddPaymentDetails(c.ctx, storage.PaymentDetails{CreatorID: creator, Method: method,
			Details: []byte(creator.String()), Masked: "by " + creator.String(),
			Country: "DE", HasIban: method == affiliate.MethodBank, UsableAt: c.now(), Author: "the test",
			CreatedAt: c.now()})
		return err
	})
	must(c.desk, method, err)
}

// handOver is what a download of all files of a run does, as far as its payouts know.
func (c *till) handOver(id affiliate.PayoutRunID) error {
	var news []app.PayoutNews
	err := c.DB.InTx(c.ctx, func(tx *storage.Tx) error {
		run, err := tx.LockPayoutRun(c.ctx, id)
		if err != nil || run.State != affiliate.PayRunConfirmed {
			return err
		}
		run.State, run.SentAt = affiliate.PayRunSent, c.now()
		if err := tx.SavePayoutRun(c.ctx, run); err != nil {
			return err
		}
		parts, err := tx.PayoutParts(c.ctx, id)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if p.State != affiliate.PartReady {
				continue
			}
			p.State, p.SentAt, p.NextAt = affiliate.PartSent, c.now(), time.Time{}
			if err := tx.SavePayoutPart(c.ctx, p, nil); err != nil {
				return err
			}
		}
		payouts, err := tx.PayoutsOf(c.ctx, id)
		for _, p := range payouts {
			if p.State == affiliate.PayoutReady {
				news = append(news, app.PayoutNews{Payout: p.ID, State: affiliate.PayoutSent})
			}
		}
		return err
	})
	if err == nil {
		_, err = c.TurnPayouts(c.ctx, "the test", news)
	}
	return err
}

// states tells the payouts of a run: "pay_1 paid 100".
func (c *till) states(id affiliate.PayoutRunID) string {
	c.Helper()
	list, err := c.DB.PayoutsOf(c.ctx, id)
	must(c.desk, list, err)
	var words []string
	for _, p := range list {
		words = append(words, fmt.Sprintf("%s %s %d", p.ID, p.State, p.Amount))
	}
	return strings.Join(words, ", ")
}

// TestSendPayouts: a run freezes what each is paid, by which rail and where to, says who is left out and why, and what
// is said of its payouts later settles it.
func TestSendPayouts(t *testing.T) {
	eachTill(t, func(c *till) {
		anna, ben, cleo, dora := c.promoter("Anna"), c.promoter("Ben"), c.promoter("Cleo"), c.promoter("Dora")
		for _, m := range []affiliate.OfferMember{anna, ben, cleo, dora} {
			c.earn(account(m), 1000, 0)
		}
		c.earn(account(dora), -1500, 0)
		c.payBy(anna.CreatorID, affiliate.MethodPayPal)
		c.payBy(ben.CreatorID, affiliate.MethodOther)
		c.pass(time.Hour)
		in := app.NewPayoutRun{All: true, About: "all that is due", Tell: true, Form: "form"}
		preview, err := c.PreviewPayouts(c.ctx, in)
		must(c.desk, preview, err)
		var words []string
		for _, l := range slices.Concat(preview.Pay, preview.LeftOut) {
			words = append(words, fmt.Sprint(l.Creator, " ", l.Amount, " ", l.Rail, " ", l.Reason))
		}
		c.is("preview", strings.Join(words, ", "),
			"Anna 1000 paypal_file , Ben 1000 csv_file , Cleo 1000  no_method, Dora -500  negative_balance")
		in.Expect = preview.Fingerprint
		c.earn(account(ben), 1, 0)
		_, err = c.SendPayouts(c.ctx, in)
		c.want(err, affiliate.Conflict, "expect", "look again")
		preview, err = c.PreviewPayouts(c.ctx, in)
		in.Expect = must(c.desk, preview, err).Fingerprint
		run, err := c.SendPayouts(c.ctx, in)
		must(c.desk, run, err)
		c.is("payouts", c.states(run.ID), "pay_1 ready 1000, pay_2 ready 1001")
		parts, err := c.DB.PayoutParts(c.ctx, run.ID)
		if must(c.desk, parts, err); run.State != affiliate.PayRunConfirmed || len(parts) != 2 ||
			parts[1].Amount != 1001 || parts[0].Reference == parts[1].Reference {
			c.Errorf("%+v has %+v", run, parts)
		}
		left, _, err := c.DB.LeftOut(c.ctx, run.ID, storage.Page{})
		if must(c.desk, left, err); len(left) != 2 || left[0].Creator != "Cleo" || left[1].Amount != -500 {
			c.Errorf("left out are %+v", left)
		}
		if p, err := c.DB.Payout(c.ctx, 1); string(must(c.desk, p, err).Destination) != anna.CreatorID.String() ||
			p.Masked == "" || p.Ref != run.PayoutRef(1) || !p.PaidAt.IsZero() {
			c.Errorf("payout %+v", p)
		}

		// Nobody can have paid what nobody has.
		_, err = c.MarkPayouts(c.ctx, []affiliate.PayoutID{1}, affiliate.PayoutPaid, "", "")
		c.want(err, affiliate.Conflict, "payouts", "download its file first")
		must(c.desk, run, c.handOver(run.ID))
		_, err = c.CancelRun(c.ctx, run.ID, "typo")
		c.want(err, affiliate.Conflict, "state", "was sent")
		_, err = c.CancelPayout(c.ctx, 1, "typo")
		c.want(err, affiliate.Conflict, "state", "cannot be canceled any more")

		ids := []affiliate.PayoutID{2, 1, 2}
		for _, wrong := range []struct {
			state      affiliate.PayoutState
			reason     string
			field, say string
		}{{affiliate.PayoutCanceled, "", "state", "must be paid"}, {affiliate.PayoutReady, "", "state", "must be paid"},
			{affiliate.PayoutPending, "", "state", "must be paid, failed or returned"},
			{affiliate.PayoutFailed, " ", "reason", "why"}, {affiliate.PayoutReturned, "", "reason", "why"}} {
			_, err = c.MarkPayouts(c.ctx, ids, wrong.state, wrong.reason, "")
			c.want(err, affiliate.Invalid, wrong.field, wrong.say)
		}
		_, err = c.MarkPayouts(c.ctx, []affiliate.PayoutID{1, 99}, affiliate.PayoutPaid, "", "")
		c.want(err, affiliate.Invalid, "payouts", "pay_99")
		_, err = c.MarkPayouts(c.ctx, nil, affiliate.PayoutPaid, "", "")
		c.want(err, affiliate.Invalid, "payouts")
		_, err = c.MarkPayouts(c.ctx, ids, affiliate.PayoutPaid, "", strings.Repeat("x", 201))
		c.want(err, affiliate.Invalid, "reference")

		done, err := c.MarkPayouts(c.ctx, ids, affiliate.PayoutPaid, "", " T-7 ")
		if must(c.desk, done, err); len(done) != 2 || done[0].Outcome != affiliate.ResultChanged ||
			done[1].Payout.Reference != "T-7" || done[1].Payout.ProviderRef != "" ||
			!done[1].Payout.PaidAt.Equal(c.now()) {
			c.Errorf("marked %+v", done)
		}
		done, err = c.MarkPayouts(c.ctx, ids[:1], affiliate.PayoutReturned, "AC04, the account is closed", "")
		if must(c.desk, done, err); done[0].Payout.Words != "AC04, the account is closed" {
			c.Errorf("marked %+v", done)
		}
		done, err = c.MarkPayouts(c.ctx, ids[:1], affiliate.PayoutPaid, "", "")
		if must(c.desk, done, err); done[0].Outcome != affiliate.ResultSame {
			c.Errorf("what came back was paid again: %+v", done)
		}
		c.is("payouts then", c.states(run.ID), "pay_1 paid 1000, pay_2 returned 1001")
		c.is("Ben holds", c.holds(ben.CreatorID), "ofm_2 USD 1001 payable 1001 paid 0")
		got, err := c.DB.PayoutRun(c.ctx, run.ID)
		if must(c.desk, got, err); got.State != affiliate.PayRunSettled || got.EndedAt.IsZero() {
			c.Errorf("the run is %+v", got)
		}
		if log := c.audited("pay_2", "payout.turn"); len(log) != 3 || log[2].Actor != "the test" ||
			!strings.Contains(log[2].After, "AC04") {
			c.Errorf("the audit log has %+v", log)
		}

		// What came back is paid by the next run, also by one whose cut-off is before it came.
		c.earn(account(ben), 70, 0)
		c.pass(time.Hour)
		in = app.NewPayoutRun{All: true, Filter: storage.DueFilter{Until: c.now().Add(-2 * time.Hour)}}
		next, err := c.SendPayouts(c.ctx, in)
		must(c.desk, next, err)
		c.is("the next run", c.states(next.ID), "pay_3 ready 1001")

		// Of a provider that may have it, nothing is canceled.
		err = c.DB.InTx(c.ctx, func(tx *storage.Tx) error {
			parts, err := tx.PayoutParts(c.ctx, next.ID)
			if err == nil {
				parts[0].State = affiliate.PartTrying
				err = tx.SavePayoutPart(c.ctx, parts[0], nil)
			}
			return err
		})
		must(c.desk, next, err)
		_, err = c.CancelRun(c.ctx, next.ID, "typo")
		c.want(err, affiliate.Conflict, "state", "on its way")
		_, err = c.CancelPayout(c.ctx, 3, "typo")
		c.want(err, affiliate.Conflict, "state", "on its way")
		done, err = c.MarkPayouts(c.ctx, []affiliate.PayoutID{3}, affiliate.PayoutFailed, "the provider says no", "")
		if must(c.desk, done, err); done[0].Payout.State != affiliate.PayoutFailed {
			c.Errorf("marked %+v", done)
		}
	})
}

// book is what should be owed and paid, reckoned without a database.
type book struct {
	entries map[affiliate.Account][]*bookEntry
	payouts map[affiliate.PayoutID]*bookPayout
	sales   []*bookSale
}

type bookEntry struct {
	amount             int64
	createdAt, payable time.Time
	payout             bool
	settled            bool
}

type bookPayout struct {
	creator  affiliate.CreatorID
	amount   int64
	accounts map[affiliate.Account]int64
	state    affiliate.PayoutState
	run      affiliate.PayoutRunID
}

type bookSale struct {
	account   affiliate.Account
	left      int64
	payableAt time.Time
}

// open gives what an account holds, and what of it a run with a cut-off would settle.
func (b *book) open(a affiliate.Account, now, until time.Time) (balance, payable int64, settle []*bookEntry) {
	var waiting int64
	var waits, goes []*bookEntry
	for _, e := range b.entries[a] {
		balance += e.amount
		if e.settled {
			continue
		}
		if e.payable.After(now) || !until.IsZero() && !e.payout && !e.createdAt.Before(until) {
			waiting += e.amount
			waits = append(waits, e)
			continue
		}
		goes = append(goes, e)
		payable += e.amount
	}
	if waiting <= 0 {
		return balance, payable + waiting, append(goes, waits...)
	}
	return balance, payable, goes
}

// turn is what becomes of a payout's entries with its state.
func (b *book) turn(p *bookPayout, state affiliate.PayoutState, now time.Time) {
	if p.state.Back() != state.Back() {
		for a, amount := range p.accounts {
			if state.Back() {
				amount = -amount
			}
			b.entries[a] = append(b.entries[a], &bookEntry{amount: -amount, createdAt: now, payable: now, payout: true})
		}
	}
	p.state = state
}

// TestPayoutRunsInAnySequence: whatever is sold, refunded, rejected, held, sent, canceled, paid, failed and returned,
// in whatever sequence and however often it is said: what is owed is the ledger's sum, and each entry is paid once.
func TestPayoutRunsInAnySequence(t *testing.T) {
	eachTill(t, func(c *till) {
		const minimum = 200
		c.set("minimum_payout", "2")
		creators := 0
		steps := 20
		if attack.Long() {
			steps = 200
		}
		rapid.Check(c.T, func(t *rapid.T) {
			b := &book{map[affiliate.Account][]*bookEntry{}, map[affiliate.PayoutID]*bookPayout{}, nil}
			var ids []affiliate.CreatorID
			var accounts []affiliate.Account
			for _, method := range []affiliate.PaymentMethod{affiliate.MethodOther, affiliate.MethodPayPal} {
				creators++
				m := c.promoter(fmt.Sprint("Creator", creators)) // fresh ones, in the same database
				c.payBy(m.CreatorID, method)
				ids = append(ids, m.CreatorID)
				accounts = append(accounts, account(m), affiliate.Account{CreatorID: m.CreatorID})
			}
			runs := map[affiliate.PayoutRunID]bool{}
			for range rapid.IntRange(1, steps).Draw(t, "steps") {
				c.pass(time.Minute)
				c.step(t, b, ids, accounts, runs, minimum)
				c.agrees(t, b, accounts)
			}
			for id := range runs {
				c.adds(t, b, id)
			}
		})
	})
}

// step does one thing of all that may happen, here and in the book.
func (c *till) step(t *rapid.T, b *book, ids []affiliate.CreatorID, accounts []affiliate.Account,
	runs map[affiliate.PayoutRunID]bool, minimum int64) {
	post := func(a affiliate.Account, amount int64, payableAt time.Time) {
		hold := max(0, payableAt.Sub(c.now()))
		c.earn(a, amount, hold)
		b.entries[a] = append(b.entries[a], &bookEntry{amount: amount, createdAt: c.now(), payable: c.now().Add(hold)})
	}
	known := slices.Sorted(maps.Keys(b.payouts))
	kinds := []string{"sale", "sale", "bonus", "wait", "send", "send"}
	if len(b.sales) > 0 {
		kinds = append(kinds, "refund", "refund", "reject")
	}
	if len(known) > 0 {
		kinds = append(kinds, "hand over", "cancel", "cancel run", "news", "news", "news")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "step") {
	case "sale":
		s := &bookSale{rapid.SampledFrom(accounts).Draw(t, "account"), rapid.Int64Range(1, 1000).Draw(t, "amount"),
			c.now().Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "hold")) * time.Hour)}
		post(s.account, s.left, s.payableAt)
		b.sales = append(b.sales, s)
	case "bonus":
		post(rapid.SampledFrom(accounts).Draw(t, "account"), rapid.Int64Range(1, 300).Draw(t, "amount"), c.now())
	case "refund", "reject":
		s := rapid.SampledFrom(b.sales).Draw(t, "sale")
		part := s.left
		if part > 1 && rapid.Bool().Draw(t, "in part") {
			part = rapid.Int64Range(1, part-1).Draw(t, "part")
		}
		if s.left -= part; part > 0 {
			post(s.account, -part, s.payableAt)
		}
	case "wait":
		c.pass(time.Hour)
	case "send":
		c.sendAny(t, b, ids, accounts, runs, minimum)
	case "hand over":
		run := b.payouts[rapid.SampledFrom(known).Draw(t, "payout")].run
		if err := c.handOver(run); err != nil {
			t.Fatal(err)
		}
		for _, p := range b.payouts {
			if p.run == run && p.state == affiliate.PayoutReady {
				p.state = affiliate.PayoutSent
			}
		}
	case "cancel":
		id := rapid.SampledFrom(known).Draw(t, "payout")
		p := b.payouts[id]
		_, err := c.CancelPayout(c.ctx, id, "typo")
		run, readErr := c.DB.PayoutRun(c.ctx, p.run)
		if readErr != nil {
			t.Fatal(readErr)
		}
		may := p.state == affiliate.PayoutReady || p.state == affiliate.PayoutCanceled ||
			run.Method == "elsewhere" && p.state == affiliate.PayoutPaid
		if may != (err == nil) {
			t.Fatalf("canceling what is %s gives %v", p.state, err)
		}
		if err == nil {
			b.turn(p, affiliate.PayoutCanceled, c.now())
		}
	case "cancel run":
		run := b.payouts[rapid.SampledFrom(known).Draw(t, "payout")].run
		if _, err := c.CancelRun(c.ctx, run, "typo"); err == nil {
			for _, p := range b.payouts {
				if p.run == run && !p.state.Back() {
					b.turn(p, affiliate.PayoutCanceled, c.now())
				}
			}
		} else if affiliate.KindOf(err) != affiliate.Conflict {
			t.Fatal(err)
		}
	case "news":
		var news []app.PayoutNews
		for range rapid.IntRange(1, 4).Draw(t, "news") {
			id := rapid.SampledFrom(known).Draw(t, "payout")
			said := rapid.SampledFrom(affiliate.PayoutState("").Words()[1:]).Draw(t, "said")
			if b.payouts[id].state == affiliate.PayoutReady {
				continue // nobody has it
			}
			news = append(news, app.PayoutNews{Payout: id, State: said})
		}
		for range rapid.IntRange(1, 2).Draw(t, "times") {
			outcomes, err := c.TurnPayouts(c.ctx, "the test", news)
			if err != nil || len(outcomes) != len(news) {
				t.Fatal(outcomes, err)
			}
			next := map[affiliate.PayoutID]affiliate.PayoutState{}
			for _, n := range news {
				state, told := next[n.Payout]
				if !told {
					state = b.payouts[n.Payout].state
				}
				if then, ok := state.Then(n.State); ok {
					next[n.Payout] = then
				}
			}
			for id, state := range next { // all of one moment count once
				b.turn(b.payouts[id], state, c.now())
			}
		}
	}
}

// sendAny sends a run of some of what is due, and compares what it pays with the book.
func (c *till) sendAny(t *rapid.T, b *book, ids []affiliate.CreatorID, accounts []affiliate.Account,
	runs map[affiliate.PayoutRunID]bool, minimum int64) {
	in := app.NewPayoutRun{All: rapid.Bool().Draw(t, "all"), Elsewhere: rapid.Bool().Draw(t, "elsewhere")}
	if in.Elsewhere {
		in.Method = "elsewhere"
	}
	in.Filter.Creators = ids
	if rapid.Bool().Draw(t, "cut-off") {
		in.Filter.Until = c.now().Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
	}
	paid := slices.Clone(ids)
	if one := rapid.IntRange(-1, len(ids)-1).Draw(t, "without"); one >= 0 && in.All {
		in.Exclude = ids[one : one+1]
		paid = slices.Delete(paid, one, one+1)
	}
	for _, id := range paid {
		in.Payouts = append(in.Payouts, app.NewPayout{Creator: id})
	}
	want := map[affiliate.CreatorID]int64{}
	settle := map[affiliate.Account][]*bookEntry{}
	amounts := map[affiliate.Account]int64{}
	for _, a := range accounts {
		if slices.Contains(paid, a.CreatorID) {
			var n int64
			_, n, settle[a] = b.open(a, c.now(), in.Filter.Until)
			amounts[a] = n
			want[a.CreatorID] += n
		}
	}
	can := func(id affiliate.CreatorID) bool { return want[id] >= minimum }
	refused := slices.ContainsFunc(paid, func(id affiliate.CreatorID) bool { return !can(id) })
	if in.All {
		refused = !slices.ContainsFunc(paid, can)
	}
	run, err := c.SendPayouts(c.ctx, in)
	if refused != (err != nil) || err != nil && affiliate.KindOf(err) != affiliate.Conflict {
		t.Fatalf("%+v of %v gives %v, %v", in, want, run, err)
	}
	if err != nil {
		return
	}
	runs[run.ID] = true
	payouts, err := c.DB.PayoutsOf(c.ctx, run.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range payouts {
		if !can(p.CreatorID) || p.Amount != want[p.CreatorID] {
			t.Fatalf("%s is paid %d, want %v", p.CreatorID, p.Amount, want)
		}
		delete(want, p.CreatorID)
		kept := &bookPayout{p.CreatorID, p.Amount, map[affiliate.Account]int64{}, p.State, run.ID}
		b.payouts[p.ID] = kept
		for a, entries := range settle {
			if a.CreatorID != p.CreatorID {
				continue
			}
			for _, e := range entries {
				e.settled = true
			}
			if amounts[a] != 0 {
				kept.accounts[a] = amounts[a]
				b.entries[a] = append(b.entries[a], &bookEntry{amount: -amounts[a], createdAt: c.now(),
					payable: c.now(), payout: true, settled: true})
			}
		}
	}
	for id := range want {
		if can(id) {
			t.Fatalf("%s is not paid %d", id, want[id])
		}
	}
}

// agrees fails the test unless accounts hold what the book says.
func (c *till) agrees(t *rapid.T, b *book, accounts []affiliate.Account) {
	var ids []affiliate.CreatorID
	for _, a := range accounts {
		ids = append(ids, a.CreatorID)
	}
	balances, err := c.DB.Balances(c.ctx, ids, c.now())
	if err != nil {
		t.Fatal(err)
	}
	paid := map[affiliate.CreatorID]int64{}
	for _, held := range balances {
		balance, payable, _ := b.open(held.Account, c.now(), time.Time{})
		if held.Balance != balance || held.Payable != payable {
			t.Fatalf("%s holds %d, payable %d; want %d, %d", held.Name(), held.Balance, held.Payable, balance, payable)
		}
		paid[held.CreatorID] += held.Paid
	}
	for _, p := range b.payouts {
		if !p.state.Back() {
			paid[p.creator] -= p.amount
		}
	}
	for id, left := range paid {
		if left != 0 {
			t.Fatalf("%s was paid %d more than the payouts that stand", id, left)
		}
	}
}

// adds fails the test unless the sums of a run, and the entries that each of its payouts pays, add up.
func (c *till) adds(t *rapid.T, b *book, id affiliate.PayoutRunID) {
	run, err := c.DB.PayoutRun(c.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := c.DB.RunSums(c.ctx, id)
	if err != nil || len(sums) != 1 {
		t.Fatal(sums, err)
	}
	payouts, err := c.DB.PayoutsOf(c.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	total, open := int64(0), false
	for _, p := range payouts {
		if b.payouts[p.ID].state != p.State {
			t.Fatalf("%s is %s, want %s", p.ID, p.State, b.payouts[p.ID].state)
		}
		total, open = total+p.Amount, open || !p.State.Final()
		pays := int64(0)
		if err := c.DB.EachPaidEntry(c.ctx, p, func(l *storage.LedgerLine) error {
			pays += l.Amount
			return nil
		}); err != nil || pays != p.Amount {
			t.Fatalf("%s of %d pays entries of %d, %v", p.ID, p.Amount, pays, err)
		}
	}
	s := sums[0]
	if s.Amount != total || s.Amount != s.Sent+s.Ready+s.Canceled ||
		s.Sent != s.Paid+s.Pending+s.Unclaimed+s.Failed+s.Returned {
		t.Fatalf("%+v does not add up to %d", s, total)
	}
	if settled := run.State == affiliate.PayRunSettled || run.State == affiliate.PayRunCanceled; settled == open {
		t.Fatalf("the run is %s with %s", run.State, c.states(id))
	}
}

// TestSendAtOnce_race: of twenty who press Send at once, by the same form and by others, while workers post refunds,
// one run comes of it; what two files say of it at once settles it once.
func TestSendAtOnce_race(t *testing.T) {
	eachTill(t, func(c *till) {
		var members []affiliate.OfferMember
		for n := range 6 {
			members = append(members, c.promoter(fmt.Sprint("Creator", n)))
			c.payBy(members[n].CreatorID, affiliate.MethodOther)
		}
		for round := range 4 {
			for _, m := range members {
				c.earn(account(m), 1000, 0)
			}
			var made sync.Map
			ctx, stop := context.WithCancel(c.ctx)
			var workers sync.WaitGroup
			workers.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					c.earn(account(members[n%len(members)]), -1, 0)
				}
			})
			together(func(n int) {
				form := fmt.Sprint("round ", round) // half of them the same
				if n%2 == 1 {
					form += fmt.Sprint(" form ", n)
				}
				run, err := c.SendPayouts(c.ctx, app.NewPayoutRun{All: true, Form: form})
				if err == nil {
					made.Store(run.ID, run)
				} else if affiliate.KindOf(err) != affiliate.Conflict {
					c.Error(err)
				}
			})
			stop()
			workers.Wait()
			var runs []affiliate.PayoutRunID
			made.Range(func(id, _ any) bool {
				runs = append(runs, id.(affiliate.PayoutRunID))
				return true
			})
			if len(runs) != 1 {
				c.Fatalf("%d runs, want one", len(runs))
			}
			must(c.desk, runs, c.handOver(runs[0]))
			payouts, err := c.DB.PayoutsOf(c.ctx, runs[0])
			must(c.desk, payouts, err)
			if len(payouts) != len(members) {
				c.Fatalf("%d are paid, want %d", len(payouts), len(members))
			}
			together(func(n int) { // half say one thing of half of them, the others another of the rest
				var news []app.PayoutNews
				for i, p := range payouts {
					if i%2 == n%2 {
						state := []affiliate.PayoutState{affiliate.PayoutPaid, affiliate.PayoutFailed}[n%2]
						news = append(news, app.PayoutNews{Payout: p.ID, State: state, Words: "so it is"})
					}
				}
				if _, err := c.TurnPayouts(c.ctx, "a file", news); err != nil {
					c.Error(err)
				}
			})
			run, err := c.DB.PayoutRun(c.ctx, runs[0])
			if must(c.desk, run, err); run.State != affiliate.PayRunSettled || len(run.Sums) != 1 ||
				run.Sums[0].Payouts != 3 || run.Sums[0].Canceled != 3 {
				c.Errorf("the run is %+v", run)
			}
			for _, p := range payouts {
				entries, err := c.DB.PayoutEntries(c.ctx, p.ID)
				if must(c.desk, entries, err); len(entries) > 2 {
					c.Errorf("%s has posted %d times", p.ID, len(entries))
				}
			}
			// Who owes after the refunds has earned it by the next round.
			for _, m := range members {
				c.earn(account(m), 500, 0)
			}
			rest, err := c.SendPayouts(c.ctx, app.NewPayoutRun{All: true, Elsewhere: true})
			must(c.desk, rest, err)
			c.is("due", c.due(), "")
		}
	})
}

// TestHearPayouts_byHand: what a provider has said of a payout before it says again and again. A person who has paid
// it otherwise since is not contradicted, nothing is owed a second time, and their reference and the provider's stay.
func TestHearPayouts_byHand(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		c.earn(account(anna), 1000, 0)
		c.payBy(anna.CreatorID, affiliate.MethodPayPal)
		run, err := c.SendPayouts(c.ctx, app.NewPayoutRun{All: true})
		must(c.desk, run, err)
		must(c.desk, run, c.handOver(run.ID))
		hear := func(state affiliate.PayoutState, ref string, want affiliate.ResultOutcome) {
			c.Helper()
			done, err := c.TurnPayouts(c.ctx, "PayPal", []app.PayoutNews{{Payout: 1, State: state, ProviderRef: ref}})
			if must(c.desk, done, err); done[0].Outcome != want {
				c.Errorf("%s of %s is %+v, want %s", state, ref, done[0], want)
			}
		}
		mark := func(state affiliate.PayoutState, reason, reference string) {
			c.Helper()
			_, err := c.MarkPayouts(c.ctx, []affiliate.PayoutID{1}, state, reason, reference)
			must(c.desk, run, err)
		}
		hear(affiliate.PayoutFailed, "T1", affiliate.ResultChanged)
		c.is("Anna holds", c.holds(anna.CreatorID), "ofm_1 USD 1000 payable 1000 paid 0")
		mark(affiliate.PayoutPaid, "", "bank 7")
		for range 2 {
			hear(affiliate.PayoutFailed, "T1", affiliate.ResultSame)
		}
		hear(affiliate.PayoutReturned, "T1", affiliate.ResultRefused)
		c.is("payouts", c.states(run.ID), "pay_1 paid 1000")
		c.is("Anna holds", c.holds(anna.CreatorID), "ofm_1 USD 0 payable 0 paid 1000")
		mark(affiliate.PayoutPaid, "", "bank 8")
		if p, err := c.DB.Payout(c.ctx, 1); must(c.desk, p, err).Reference != "bank 8" || p.ProviderRef != "T1" {
			c.Errorf("the references are %q and %q", p.Reference, p.ProviderRef)
		}
		mark(affiliate.PayoutReturned, "the account is closed", "")
		c.is("Anna holds", c.holds(anna.CreatorID), "ofm_1 USD 1000 payable 1000 paid 0")
	})
}
