package app_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// paypal are details of somebody who is paid by PayPal.
func viaPayPal(email string) affiliate.PaymentDetails {
	return affiliate.PaymentDetails{Method: affiliate.MethodPayPal, Email: email}
}

var annasBank = affiliate.PaymentDetails{Method: affiliate.MethodBank, Holder: "Anna Keller",
	IBAN: "FR14 2004 1010 0505 0001 3m02 606"}

// entered tells what was entered for a creator, newest first, with the hours until it can be used.
func (c *till) entered(id affiliate.CreatorID) string {
	c.Helper()
	list, err := c.DB.PaymentDetailsOf(c.ctx, id)
	must(c.desk, list, err)
	var words []string
	for _, d := range list {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%s %s +%.0fh", d.Method, d.Masked,
			d.UsableAt.Sub(d.CreatedAt).Hours())))
	}
	return strings.Join(words, ", ")
}

// TestSetPaymentDetails: the first details can be used at once, changed ones after the hold; the same change nothing;
// what is taken away is remembered; and nothing that money could be sent to stands in the clear.
func TestSetPaymentDetails(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna").CreatorID
		set := func(d affiliate.PaymentDetails, want string) storage.PaymentDetails {
			t.Helper()
			saved, err := c.SetPaymentDetails(c.ctx, anna, d)
			must(c.desk, saved, err)
			if got := c.entered(anna); got != want {
				t.Errorf("entered is %s, not %s", got, want)
			}
			return saved
		}
		gone, err := c.RemovePaymentDetails(c.ctx, anna)
		if must(c.desk, gone, err); gone.ID != 0 {
			t.Errorf("removed %+v", gone)
		}
		first := set(viaPayPal(" anna@example.com"), "paypal a•••@example.com +0h")
		if again := set(viaPayPal("anna@example.com"), "paypal a•••@example.com +0h"); again.ID != first.ID ||
			first.Author != "the test" {
			t.Errorf("%+v, then %+v", first, again)
		}
		bank := set(annasBank, "bank FR14 … 2606 +72h, paypal a•••@example.com +0h")
		if !bank.HasIban || bank.Country != "FR" || bank.Holder != "Anna Keller" || bank.Recipient {
			t.Errorf("%+v", bank)
		}
		for range 2 {
			_, err := c.RemovePaymentDetails(c.ctx, anna)
			c.fine(err)
		}
		_, err = c.SetSettings(c.ctx, []app.Setting{{Key: "details_hold_days", Value: "0"}})
		c.fine(err)
		set(annasBank, "bank FR14 … 2606 +0h, +0h, bank FR14 … 2606 +72h, paypal a•••@example.com +0h")

		_, err = c.SetPaymentDetails(c.ctx, 99, annasBank)
		c.want(err, affiliate.NotFound, "")
		_, err = c.SetPaymentDetails(c.ctx, anna, affiliate.PaymentDetails{Method: affiliate.MethodPayPal})
		c.want(err, affiliate.Invalid, "email")
		_, err = c.SetPaymentDetails(c.ctx, anna, affiliate.PaymentDetails{Method: affiliate.MethodGiftCard,
			Email: "anna@example.com", StoreID: 99})
		c.want(err, affiliate.Invalid, "store_id")
		store := c.store("shop")
		card, err := c.SetPaymentDetails(c.ctx, anna, affiliate.PaymentDetails{Method: affiliate.MethodGiftCard,
			Email: "anna@example.com", StoreID: store.ID})
		if must(c.desk, card, err); card.StoreID != store.ID {
			t.Errorf("%+v", card)
		}

		log, _, err := c.DB.AuditLog(c.ctx, anna.String(), storage.Page{Limit: 100})
		must(c.desk, log, err)
		var said []string
		for _, e := range log {
			if strings.HasPrefix(e.Action, "payment_details.") {
				said = append(said, e.Action)
			}
		}
		if got := strings.Join(said, " "); got != "payment_details.set payment_details.set payment_details.remove "+
			"payment_details.set payment_details.set" {
			t.Errorf("the audit log says %s", got)
		}
		all, _ := json.Marshal(log)
		list, err := c.DB.PaymentDetailsOf(c.ctx, anna)
		must(c.desk, list, err)
		for _, d := range list {
			all = append(append(all, d.Details...), d.Masked...)
		}
		if strings.Contains(string(all), "anna@example.com") || strings.Contains(string(all), "01005050001") {
			t.Errorf("the destination stands in the clear: %s", all)
		}
	})
}

// TestSetPaymentDetails_preview: nothing is paid to details on hold, or to nobody's; and a run that was confirmed goes
// where it was to go then.
func TestSetPaymentDetails_preview(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		c.earn(account(anna), 1000, 0)
		reason := func() affiliate.LeftOut {
			t.Helper()
			p, err := c.PreviewPayouts(c.ctx, app.NewPayoutRun{All: true})
			must(c.desk, p, err)
			if len(p.LeftOut) == 0 {
				return ""
			}
			return p.LeftOut[0].Reason
		}
		expect := func(want affiliate.LeftOut) {
			t.Helper()
			if got := reason(); got != want {
				t.Errorf("left out for %q, not %q", got, want)
			}
		}
		set := func(d affiliate.PaymentDetails) {
			t.Helper()
			_, err := c.SetPaymentDetails(c.ctx, anna.CreatorID, d)
			c.fine(err)
		}
		expect(affiliate.LeftNoMethod)
		set(viaPayPal("anna@example.com"))
		expect("")
		run, err := c.SendPayouts(c.ctx, app.NewPayoutRun{All: true})
		must(c.desk, run, err)
		set(viaPayPal("thief@example.com"))
		payouts, err := c.DB.PayoutsOf(c.ctx, run.ID)
		if must(c.desk, payouts, err); len(payouts) != 1 || payouts[0].Masked != "a•••@example.com" {
			t.Errorf("payouts are %+v", payouts)
		}
		c.earn(account(anna), 500, 0)
		expect(affiliate.LeftHeld)
		c.pass(3*24*time.Hour - time.Second)
		expect(affiliate.LeftHeld)
		c.pass(time.Second)
		expect("")
		_, err = c.RemovePaymentDetails(c.ctx, anna.CreatorID)
		c.fine(err)
		expect(affiliate.LeftNoMethod)
	})
}

// TestSetPaymentDetails_race: while runs are confirmed and details are changed at once, each payout goes to details as
// they stood whole and could be used, and none to those on hold.
func TestSetPaymentDetails_race(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		_, err := c.SetPaymentDetails(c.ctx, anna.CreatorID, viaPayPal("anna@example.com"))
		c.fine(err)
		var wg sync.WaitGroup
		for n := range 4 {
			c.earn(account(anna), 1000, 0)
			wg.Go(func() {
				if _, err := c.SendPayouts(c.ctx, app.NewPayoutRun{All: true}); err != nil &&
					affiliate.KindOf(err) != affiliate.Conflict {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, err := c.SetPaymentDetails(c.ctx, anna.CreatorID,
					viaPayPal(fmt.Sprintf("thief%d@example.com", n))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, _, err := c.DB.PayoutRuns(c.ctx, storage.Page{})
		must(c.desk, list, err)
		for _, run := range list {
			payouts, err := c.DB.PayoutsOf(c.ctx, run.ID)
			must(c.desk, payouts, err)
			for _, p := range payouts {
				if p.Masked != "a•••@example.com" {
					t.Errorf("%+v goes to %s", p, p.Masked)
				}
			}
		}
		if got := len(strings.Split(c.entered(anna.CreatorID), ", ")); got != 5 {
			t.Errorf("entered is %s", c.entered(anna.CreatorID))
		}
	})
}

// TestSetPaymentDetails_mails: the creator hears of a change, and so does the address in the details before; without a
// mail server nothing is written.
func TestSetPaymentDetails_mails(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		anna, dora := p.owners["Anna"].CreatorID, p.owners["Dora"].CreatorID
		set := func(id affiliate.CreatorID, d affiliate.PaymentDetails) {
			t.Helper()
			_, err := p.SetPaymentDetails(p.ctx, id, d)
			p.fine(err)
			p.work(0)
		}
		set(anna, viaPayPal("anna@wallet.example"))
		if got := p.man.addresses(); len(got) != 0 {
			t.Errorf("the first details are told to %v", got)
		}
		set(anna, annasBank)
		if got := len(p.man.got); got != 2 {
			t.Fatalf("%d mails tell of the change", got)
		}
		for i, to := range []string{"anna@creators.example", "anna@wallet.example"} {
			m := p.man.got[i]
			if !strings.Contains(m.To, to) || m.Unsubscribe != "" || strings.Contains(m.Text, "05050001") {
				t.Errorf("%+v is not for %s", m, to)
			}
			for _, want := range []string{"Until now: PayPal, a•••@wallet.example",
				"From now on: Bank account, FR14 … 2606", "on 21 November 2026", "before 24 November 2026"} {
				if !strings.Contains(m.Text, want) {
					t.Errorf("%q is not in %s", want, m.Text)
				}
			}
		}
		_, err := p.RemovePaymentDetails(p.ctx, anna)
		p.fine(err)
		p.work(0)
		if n := len(p.man.got); n != 3 || !strings.Contains(p.man.got[n-1].Text, "From now on: nowhere") {
			t.Errorf("%d mails, the last: %s", n, p.man.got[n-1].Text)
		}
		set(dora, annasBank)
		set(dora, viaPayPal("dora@wallet.example")) // she has no address: it is written down as skipped
		sends, _, err := p.DB.MailSends(p.ctx, storage.Page{})
		must(p.desk, sends, err)
		p.is(sends[0], "Dora skipped: done")
		if sends[0].Actor != "system" || sends[0].Purpose != affiliate.MailChanged {
			t.Errorf("%+v", sends[0])
		}
		_, err = p.SendMailing(p.ctx, app.NewMailing{Purpose: affiliate.MailChanged,
			To: app.MailTo{Creators: []affiliate.CreatorID{anna}}})
		p.want(err, affiliate.Invalid, "purpose")
		p.Mailer = nil
		before := len(sends)
		_, err = p.SetPaymentDetails(p.ctx, dora, annasBank)
		p.fine(err)
		if sends, _, err = p.DB.MailSends(p.ctx, storage.Page{}); err != nil || len(sends) != before {
			t.Errorf("%d mailings, %v", len(sends), err)
		}
	})
}

// TestTellPaid: runs that are to tell do so as payouts are paid, each once, with what they are made of; others do not,
// and who was told by hand is not told again.
func TestTellPaid(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		anna, ben := p.owners["Anna"], p.owners["Ben"]
		for _, om := range []affiliate.OfferMember{anna, ben} {
			_, err := p.SetPaymentDetails(p.ctx, om.CreatorID, viaPayPal("me@wallet.example"))
			p.fine(err)
		}
		tell := func(want int) {
			t.Helper()
			p.fine(p.TellPaid(p.ctx))
			p.work(0)
			if got := len(p.man.got); got != want {
				t.Fatalf("%d mails, not %d: %v", got, want, p.man.addresses())
			}
		}
		run := func(tells bool) (affiliate.PayoutRun, []affiliate.Payout) {
			t.Helper()
			r, err := p.SendPayouts(p.ctx, app.NewPayoutRun{All: true, Tell: tells})
			must(p.desk, r, err)
			list, err := p.DB.PayoutsOf(p.ctx, r.ID)
			return r, must(p.desk, list, err)
		}
		news := func(list []affiliate.Payout, state affiliate.PayoutState) {
			t.Helper()
			for _, payout := range list {
				_, err := p.TurnPayouts(p.ctx, "the provider", []app.PayoutNews{{Payout: payout.ID, State: state,
					ProviderRef: "5UXD2E8A7EBQJ"}})
				p.fine(err)
			}
		}
		p.earn(account(anna), 1000, 0)
		p.earn(account(anna), -250, 0)
		p.earn(account(ben), 300, 0)
		_, first := run(true)
		tell(0)
		news(first[:1], affiliate.PayoutPaid)
		mailer := p.Mailer
		p.Mailer = nil
		tell(0)
		p.Mailer = mailer
		tell(1)
		for _, want := range []string{"we paid you 7.50 USD: PayPal, m•••@wallet.example. ",
			"The reference is " + first[0].Ref + ", 5UXD2E8A7EBQJ.", "Commission  +10.00 USD", "-2.50 USD",
			"Sum  +7.50 USD"} {
			if got := p.man.got[0].Text; !strings.Contains(got, want) {
				t.Errorf("%q is not in %s", want, got)
			}
		}
		tell(1)
		news(first[1:], affiliate.PayoutFailed)
		tell(1)

		// What failed is paid by the next run, with others: of more entries than a mail lists, their sums.
		for range 51 {
			p.earn(account(ben), 100, 0)
		}
		second, list := run(false)
		news(list, affiliate.PayoutPaid)
		tell(1)
		p.send(app.NewMailing{Purpose: affiliate.MailPaid, To: app.MailTo{Run: second.ID}})
		tell(2)
		for _, want := range []string{"51 × Commission  +51.00 USD", "1 × Payout failed  +3.00 USD",
			"Sum  +54.00 USD"} {
			if got := p.man.got[1].Text; !strings.Contains(got, want) {
				t.Errorf("%q is not in %s", want, got)
			}
		}

		// A run that somebody has told of by hand tells nobody twice.
		p.earn(account(anna), 400, 0)
		third, list := run(true)
		news(list, affiliate.PayoutPaid)
		p.send(app.NewMailing{Purpose: affiliate.MailPaid, To: app.MailTo{Run: third.ID}})
		tell(3)
	})
}

// TestTellPaid_race: several processes tell of each payout once.
func TestTellPaid_race(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		anna := p.owners["Anna"]
		p.earn(account(anna), 1000, 0)
		run, err := p.SendPayouts(p.ctx, app.NewPayoutRun{All: true, Elsewhere: true, Tell: true})
		must(p.desk, run, err)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := p.TellPaid(p.ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		p.work(0)
		if got := p.man.addresses(); len(got) != 1 || got[0] != "anna" {
			t.Errorf("told are %v", got)
		}
	})
}

// TestMailing_details: whoever has said where to pay them is not asked where.
func TestMailing_details(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		for _, name := range []string{"Anna", "Ben"} {
			p.earn(account(p.owners[name]), 1000, 0)
		}
		_, err := p.SetPaymentDetails(p.ctx, p.owners["Anna"].CreatorID, annasBank)
		p.fine(err)
		p.is(p.send(app.NewMailing{Purpose: affiliate.MailDetails, To: app.MailTo{Due: true}}), "Ben queued: sending")
	})
}
