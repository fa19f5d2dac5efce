package app_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// postman is a mail server in memory.
type postman struct {
	mu     sync.Mutex
	down   error
	say    map[string]error // by the address in To: instead of taking the mail
	lost   map[string]bool  // takes the mail, and the answer is lost, once
	before func(affiliate.OutgoingMail)
	got    []affiliate.OutgoingMail
	opened int
}

func (p *postman) Open(context.Context) (app.MailConnection, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	return p, p.down
}

func (p *postman) Close() error { return nil }

func (p *postman) Send(_ context.Context, m affiliate.OutgoingMail, ending func() error) error {
	p.mu.Lock()
	before := p.before
	_, address, _ := affiliate.ParseMailbox("to", m.To)
	said := p.say[address]
	p.mu.Unlock()
	if before != nil {
		before(m)
	}
	var answer affiliate.MailAnswer
	if said != nil && !errors.As(said, &answer) {
		return said // the connection broke before the last line
	}
	if err := ending(); err != nil {
		return err
	}
	if said != nil {
		return said
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, m)
	if p.lost[address] {
		delete(p.lost, address)
		return errors.New("connection reset by peer")
	}
	return nil
}

// addresses are those of the mails that were taken, in that order.
func (p *postman) addresses() (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.got {
		_, address, _ := affiliate.ParseMailbox("to", m.To)
		local, _, _ := strings.Cut(address, "@")
		list = append(list, local)
	}
	return list
}

// postRoom is a desk that sends mails.
type postRoom struct {
	*till
	man    *postman
	owners map[string]affiliate.OfferMember
}

// eachPostRoom has four creators in an offer; Anna, Ben and Cleo have an address, Anna and Ben codes.
func eachPostRoom(t *testing.T, test func(p *postRoom)) {
	eachTill(t, func(c *till) {
		p := &postRoom{till: c, man: &postman{say: map[string]error{}, lost: map[string]bool{}},
			owners: map[string]affiliate.OfferMember{}}
		c.Mailer, c.MailFrom = p.man, `"Brand" <creators@brand.example>`
		c.PauseBy(func(_ context.Context, d time.Duration) error { c.pass(d); return nil })
		store := c.store("shop")
		for _, name := range []string{"Anna", "Ben", "Cleo", "Dora"} {
			om := c.promoter(name)
			p.owners[name] = om
			if name == "Dora" {
				continue
			}
			_, err := c.ChangeCreator(c.ctx, om.CreatorID, app.AnyVersion, func(k *affiliate.Creator) error {
				k.Email = strings.ToLower(name) + "@creators.example"
				return nil
			})
			c.fine(err)
			if name != "Cleo" {
				_, err = c.AddCode(c.ctx, app.NewCode{OfferMember: om.ID, Store: store.ID,
					Code: strings.ToUpper(name) + "10"})
				c.fine(err)
			}
		}
		test(p)
	})
}

func (d *desk) fine(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (p *postRoom) offer() affiliate.OfferID { return p.owners["Anna"].OfferID }

func (p *postRoom) send(in app.NewMailing) affiliate.MailSend {
	p.Helper()
	s, err := p.SendMailing(p.ctx, in)
	return must(p.desk, s, err)
}

// message is to all members of the offer.
func (p *postRoom) message(key string) app.NewMailing {
	return app.NewMailing{Purpose: affiliate.MailMessage, Subject: "News", Body: "Hi {{creator.first_name}}", Key: key,
		To: app.MailTo{Offer: p.offer()}}
}

// work sends what is due until nothing is, for some time of the clock.
func (p *postRoom) work(passes time.Duration) {
	p.Helper()
	for end := p.now().Add(passes); ; p.pass(time.Minute) {
		_, err := p.SendMails(p.ctx)
		p.fine(err)
		if !p.now().Before(end) {
			return
		}
	}
}

// states are those of the mails of a mailing, by name.
func (p *postRoom) states(s affiliate.MailSend) string {
	p.Helper()
	list, _, err := p.DB.Mails(p.ctx, storage.MailFilter{Send: s.ID}, storage.Page{})
	must(p.desk, list, err)
	all := map[string]string{}
	for _, m := range list {
		all[m.Creator] = string(m.State)
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		texts = append(texts, name+" "+all[name])
	}
	s, err = p.DB.MailSend(p.ctx, s.ID)
	must(p.desk, s, err)
	return strings.Join(texts, ", ") + ": " + string(s.State)
}

func (p *postRoom) is(s affiliate.MailSend, want string) {
	p.Helper()
	if got := p.states(s); got != want {
		p.Errorf("the mails are\n%s, not\n%s", got, want)
	}
}

// TestMailing_code: everybody with a code and an address gets theirs, once, and the others are told with the reason.
func TestMailing_code(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		in := app.NewMailing{Purpose: affiliate.MailCode, To: app.MailTo{Offer: p.offer()}, Key: "k"}
		preview, err := p.PreviewMailing(p.ctx, in, 1)
		must(p.desk, preview, err)
		if preview.Mails != 2 || preview.Skipped != 2 || len(preview.Drafts) != 1 ||
			!strings.Contains(preview.Drafts[0].Text, "ANNA10") || strings.Contains(preview.Drafts[0].Text, "{{") {
			t.Errorf("the preview is %+v", preview)
		}
		s := p.send(in)
		if again := p.send(in); again.ID != s.ID {
			t.Error("the same key sends twice")
		}
		p.work(time.Minute)
		p.is(s, "Anna sent, Ben sent, Cleo skipped, Dora skipped: done")
		if got := fmt.Sprint(p.man.addresses()); got != "[anna ben]" || p.man.opened != 1 {
			t.Errorf("%s got mails, over %d connections", got, p.man.opened)
		}
		m := p.man.got[0]
		for _, text := range []string{m.Text, m.HTML} {
			if !strings.Contains(text, "ANNA10") || !strings.Contains(text, m.Unsubscribe) || m.Unsubscribe == "" {
				t.Errorf("the mail says %s", text)
			}
		}
		list, _, err := p.DB.Mails(p.ctx, storage.MailFilter{Send: s.ID, Search: "Cleo"}, storage.Page{})
		must(p.desk, list, err)
		if list[0].Answer != "There is nothing to put for {{code_or_link}}." {
			t.Errorf("Cleo is told %q", list[0].Answer)
		}
	})
}

// TestSendMails_answers: what the server says decides what becomes of a mail, and of no other.
func TestSendMails_answers(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		p.man.say["anna@creators.example"] = affiliate.MailAnswer{Code: 550, Enhanced: "5.1.1", Words: "5.1.1 nobody"}
		p.man.say["ben@creators.example"] = affiliate.MailAnswer{Code: 451, Words: "try later"}
		p.man.lost["cleo@creators.example"] = true
		s := p.send(p.message(""))
		p.work(0)
		p.is(s, "Anna refused, Ben queued, Cleo ending, Dora skipped: sending")
		p.work(2 * time.Minute)
		if got := p.man.got; len(got) != 2 || got[0] != got[1] {
			t.Errorf("what may have been taken is sent again as %+v", got)
		}
		p.work(26 * time.Hour)
		p.is(s, "Anna refused, Ben refused, Cleo sent, Dora skipped: done")
		list, _, err := p.DB.Suppressions(p.ctx, "", storage.Page{})
		if must(p.desk, list, err); len(list) != 1 || list[0].Address != "anna@creators.example" ||
			list[0].Reason != affiliate.Bounced {
			t.Errorf("no mail goes to %+v", list)
		}
		mails, _, err := p.DB.Mails(p.ctx, storage.MailFilter{Send: s.ID}, storage.Page{})
		must(p.desk, mails, err)
		for _, m := range mails {
			switch m.Creator {
			case "Anna":
				_, err := p.RetryMail(p.ctx, m.ID)
				p.want(err, affiliate.Conflict, "", "no such address")
			case "Ben":
				if m.Tries != 10 || m.Code != 451 || m.Answer != "try later" {
					t.Errorf("Ben's mail is %+v", m)
				}
				delete(p.man.say, "ben@creators.example")
				_, err := p.RetryMail(p.ctx, m.ID)
				p.fine(err)
			}
		}
		p.work(time.Minute)
		p.is(s, "Anna refused, Ben sent, Cleo sent, Dora skipped: done")
	})
}

// TestSendMails_server: where the server is to blame mails wait, nobody's tries are used up, and people are told.
func TestSendMails_server(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		p.man.down = affiliate.MailAnswer{Code: 535, Words: "5.7.8 wrong password"}
		s := p.send(p.message(""))
		p.work(30 * time.Hour)
		state, err := p.MailState(p.ctx)
		if must(p.desk, state, err); state.Waiting != 3 || !strings.Contains(state.Why, "wrong password") {
			t.Errorf("the state is %+v", state)
		}
		p.man.down = nil
		p.work(6 * time.Minute)
		p.is(s, "Anna sent, Ben sent, Cleo sent, Dora skipped: done")
		state, err = p.MailState(p.ctx)
		if must(p.desk, state, err); state.Waiting != 0 || state.Why != "" {
			t.Errorf("afterwards the state is %+v", state)
		}
	})
}

// TestSendMails_throttle: so many per minute, over calls and processes.
func TestSendMails_throttle(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		_, err := p.SetSettings(p.ctx, []app.Setting{{Key: "mail_per_minute", Value: "2"}})
		p.fine(err)
		var at []time.Duration
		p.man.before = func(affiliate.OutgoingMail) { at = append(at, p.now().Sub(deskStart)) }
		p.send(p.message(""))
		for range 100 {
			_, err := p.SendMails(p.ctx)
			p.fine(err)
			p.pass(time.Second)
		}
		if len(at) != 3 || at[1]-at[0] < 30*time.Second || at[2]-at[0] < time.Minute || at[2]-at[0] > 65*time.Second {
			t.Errorf("mails went at %v", at)
		}
	})
}

// TestCancelMailing: what was not sent by then is not, also where it waits to be tried again.
func TestCancelMailing(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		p.man.say["anna@creators.example"] = affiliate.MailAnswer{Code: 451, Words: "later"}
		s := p.send(p.message(""))
		p.man.before = func(m affiliate.OutgoingMail) {
			if strings.Contains(m.To, "ben@") {
				_, err := p.CancelMailing(p.ctx, s.ID)
				p.fine(err)
			}
		}
		p.work(time.Hour)
		p.is(s, "Anna canceled, Ben sent, Cleo canceled, Dora skipped: canceled")
	})
}

// TestUnsubscribe: who has unsubscribed gets mails about money alone; a token that nobody was given is none.
func TestUnsubscribe(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		s := p.send(p.message(""))
		p.work(0)
		_, token, _ := strings.Cut(p.man.got[0].Unsubscribe, "/u/")
		masked, done, err := p.Unsubscriber(p.ctx, token)
		if err != nil || done || masked != "a…a@c…s.example" {
			t.Errorf("%q, %v, %v", masked, done, err)
		}
		for range 2 {
			p.fine(p.Unsubscribe(p.ctx, token))
		}
		if _, done, err := p.Unsubscriber(p.ctx, token); err != nil || !done {
			t.Errorf("afterwards: %v, %v", done, err)
		}
		for _, wrong := range []string{"", "1", "1-", token + "0", "2" + token[1:], "-1" + token[1:],
			strings.ToUpper(token)} {
			p.want(p.Unsubscribe(p.ctx, wrong), affiliate.NotFound, "")
		}
		p.is(s, "Anna sent, Ben sent, Cleo sent, Dora skipped: done")
		p.is(p.send(p.message("")), "Anna skipped, Ben queued, Cleo queued, Dora skipped: sending")
		p.earn(account(p.owners["Anna"]), 1250, 0)
		paid := p.send(app.NewMailing{Purpose: affiliate.MailDetails, To: app.MailTo{Due: true}})
		p.work(0)
		p.is(paid, "Anna sent: done")
		last := p.man.got[len(p.man.got)-1]
		if last.Unsubscribe != "" || !strings.Contains(last.Subject, "12.50 USD") {
			t.Errorf("the mail about money is %+v", last)
		}
		p.fine(p.AllowMail(p.ctx, "Anna@creators.example"))
		p.is(p.send(p.message("")), "Anna queued, Ben queued, Cleo queued, Dora skipped: sending")
	})
}

// TestMailing_money: payments and statements say what was paid and earned, and who has several currencies gets one.
func TestMailing_money(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		p.earn(account(p.owners["Anna"]), 1250, 0)
		p.earnIn("EUR", account(p.owners["Anna"]), 300, 0)
		anna := p.owners["Anna"].CreatorID
		run, err := p.SendPayouts(p.ctx, app.NewPayoutRun{Elsewhere: true, Method: "bank transfer",
			Payouts: []app.NewPayout{{Creator: anna}, {Creator: anna, Currency: "EUR"}}})
		must(p.desk, run, err)
		paid := p.send(app.NewMailing{Purpose: affiliate.MailPaid, To: app.MailTo{Run: run.ID}})
		statement := p.send(app.NewMailing{Purpose: affiliate.MailStatement, Month: "2026-11",
			To: app.MailTo{Creators: []affiliate.CreatorID{anna, p.owners["Ben"].CreatorID}}})
		p.work(0)
		p.is(paid, "Anna sent: done")
		p.is(statement, "Anna sent, Ben skipped: done")
		if got := p.man.got[0].Text; !strings.Contains(got,
			"3.00 EUR and 12.50 USD: bank transfer. The reference is pay_1, pay_2.") ||
			!strings.Contains(got, "on 21 November 2026 ") {
			t.Error(got)
		}
		if got := p.man.got[1].Text; !strings.Contains(got, "21 Nov  Commission  +12.50 USD") ||
			!strings.Contains(got, "Sum  0.00 USD") || !strings.Contains(got, "Sum  0.00 EUR") {
			t.Error(got)
		}
	})
}

// TestMailTexts: what the brand has written is sent, and fields that there are not are told when it is saved.
func TestMailTexts(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		for _, purpose := range affiliate.MailPurpose("").Words() {
			usual, err := p.MailText(p.ctx, purpose)
			if must(p.desk, usual, err); usual.Version != 0 || usual.Subject == "" {
				t.Errorf("the usual text is %+v", usual)
			}
			sample, err := p.SampleLetter(p.ctx, usual)
			if must(p.desk, sample, err); strings.Contains(sample.Text+sample.Subject+sample.HTML, "{{") {
				t.Errorf("the sample of %s is %+v", purpose, sample)
			}
		}
		_, err := p.SaveMailText(p.ctx, affiliate.MailText{Purpose: affiliate.MailCode, Subject: "x",
			Body: "{{amount_due}}"})
		p.want(err, affiliate.Invalid, "body", "amount_due", "{{code}}")
		own, err := p.SaveMailText(p.ctx, affiliate.MailText{Purpose: affiliate.MailCode, Subject: "Mine",
			Body: "{{ code }}\r\nx"})
		if must(p.desk, own, err); own.Version != 1 || own.Body != "{{ code }}\nx" || own.Author != "the test" {
			t.Errorf("saved is %+v", own)
		}
		own.Version, own.Subject = 7, "Another"
		_, err = p.SaveMailText(p.ctx, own)
		p.want(err, affiliate.Conflict, "version")
		p.send(app.NewMailing{Purpose: affiliate.MailCode, To: app.MailTo{Offer: p.offer()}})
		p.work(0)
		if got := p.man.got[0]; got.Subject != "Mine" || !strings.HasPrefix(got.Text, "ANNA10\nx\n") {
			t.Errorf("sent is %+v", got)
		}
		usual, err := p.ResetMailText(p.ctx, affiliate.MailCode)
		if must(p.desk, usual, err); usual != affiliate.DefaultMailText(affiliate.MailCode) {
			t.Errorf("reset is %+v", usual)
		}
		p.fine(p.SendTestMail(p.ctx, usual, "boss@brand.example"))
		if got := p.man.addresses(); got[len(got)-1] != "boss" {
			t.Errorf("the test went to %v", got)
		}
		p.Mailer = nil
		_, err = p.SendMailing(p.ctx, p.message(""))
		p.want(err, affiliate.Conflict, "", "SMTP_URL")
	})
}

// TestSendMails_race: however many send at once, each mail goes once.
func TestSendMails_race(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		s := p.send(p.message(""))
		p.MailShown = true // without a throttle
		var senders sync.WaitGroup
		for range 4 {
			senders.Go(func() {
				for range 5 {
					if _, err := p.SendMails(p.ctx); err != nil {
						p.Error(err)
					}
				}
			})
		}
		senders.Wait()
		p.is(s, "Anna sent, Ben sent, Cleo sent, Dora skipped: done")
		if got := fmt.Sprint(p.man.addresses()); got != "[anna ben cleo]" {
			t.Errorf("%s got mails", got)
		}
	})
}

// TestSendMails_leaseLost: who has stood still for so long that another sends by now ends no mail any more.
func TestSendMails_leaseLost(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		s := p.send(p.message(""))
		p.MailShown = true
		once := true
		p.man.before = func(affiliate.OutgoingMail) {
			if once {
				once = false
				p.pass(time.Hour) // it stands still before the last line
				_, err := p.SendMails(p.ctx)
				p.fine(err)
			}
		}
		if _, err := p.SendMails(p.ctx); err == nil {
			t.Error("the lease was lost, and nobody says so")
		}
		p.is(s, "Anna sent, Ben sent, Cleo sent, Dora skipped: done")
		if got := fmt.Sprint(p.man.addresses()); got != "[anna ben cleo]" {
			t.Errorf("%s got mails", got)
		}
	})
}

// TestMailing_commission: a mail says what its recipient earns of orders placed when it is written, by a rule of their
// own where they have one by then.
func TestMailing_commission(t *testing.T) {
	eachPostRoom(t, func(p *postRoom) {
		ben := p.owners["Ben"]
		_, err := p.ChangeOfferMemberFrom(p.ctx, ben.ID, app.AnyVersion, p.now().Add(24*time.Hour),
			func(m *affiliate.OfferMember) error {
				m.SetOverride(&affiliate.Rule{Percent: 2250})
				return nil
			})
		p.fine(err)
		says := func() string {
			in := p.message("")
			in.Body, in.To.Members = "{{commission}}", []affiliate.OfferMemberID{ben.ID}
			preview, err := p.PreviewMailing(p.ctx, in, 1)
			p.fine(err)
			return preview.Drafts[0].Text
		}
		if got := says(); strings.Contains(got, "22.5 %") || !strings.Contains(got, " %") {
			p.Errorf("before, the mail says %q", got)
		}
		p.pass(24 * time.Hour)
		if got := says(); !strings.Contains(got, "22.5 %") {
			p.Errorf("the mail says %q", got)
		}
	})
}
