package app

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

const (
	// mailLease is how long a sender that died keeps others from sending.
	mailLease = 20 * time.Second
	mailBeat  = 5 * time.Second
	// mailTurn is how long one call of SendMails sends, and mailPatience how long it waits for the next mail's turn.
	mailTurn     = 30 * time.Second
	mailPatience = 2 * time.Second
	// mailsAtOnce is how many mails are read together.
	mailsAtOnce = 50
	// mailStop is how long a mail under way may take once the server stops.
	mailStop = 20 * time.Second
	// mailFailures is after how many mails in a row whose connection broke the server is given a rest.
	mailFailures = 3
	// Rests of a server that cannot be used: as long as it has lasted already, within these.
	leastMailRest, mostMailRest = 5 * time.Second, 5 * time.Minute
)

// mailDelays are the waits before a mail is tried again that the server did not take for the moment: about a day
// together, as servers do it themselves (RFC 5321, 4.5.4.1, asks for four to five days of those that have no sender
// waiting).
var mailDelays = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour,
	4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour}

var (
	errMailLeaseLost = errors.New("somebody else sends mails by now")
	errMailCanceled  = errors.New("the mailing was canceled")
)

// SendMails sends mails whose turn it is, for some time, and says how many were taken by the server. Any number of
// processes may call it; one at a time sends.
func (a *App) SendMails(ctx context.Context) (int, error) {
	if a.Mailer == nil {
		return 0, nil
	}
	due, err := a.DB.DueMails(ctx, a.now(), 1)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return 0, err
	}
	r := &mailRun{app: a, holder: rand.Text(), sends: map[affiliate.MailSendID]affiliate.MailSend{}}
	if !a.MailShown {
		r.every = time.Minute / time.Duration(settings.MailPerMinute)
	}
	if a.Serving && a.DB.Embedded() {
		a.mailsFreed.Do(func() { err = a.freeMails(ctx) })
		if err != nil {
			return 0, err
		}
	}
	taken, err := r.take(ctx)
	if err != nil || !taken {
		return 0, err
	}
	// A mail under way is ended when the server stops: what was not told to the database would be sent again.
	work, lose := context.WithCancelCause(context.WithoutCancel(ctx))
	defer lose(nil)
	defer context.AfterFunc(ctx, func() {
		_ = a.wait(work, mailStop) // it ends early with the work
		lose(context.Cause(ctx))
	})()
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		r.renew(work, lose)
	}()
	err = r.all(ctx, work)
	if errors.Is(context.Cause(work), errMailLeaseLost) {
		err = errors.Join(errMailLeaseLost, err)
	}
	lose(nil)
	<-renewed
	r.hangUp()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatLimit)
	defer cancel()
	return r.sent, errors.Join(err, a.DB.FreeMailLease(end, r.holder))
}

// freeMails gives back the lease of a process that has died: the data folder is this process's alone.
func (a *App) freeMails(ctx context.Context) error {
	l, err := a.DB.MailLease(ctx)
	if err != nil || l.Holder == "" {
		return err
	}
	return a.DB.FreeMailLease(ctx, l.Holder)
}

// mailRun is one call of SendMails that has the lease.
type mailRun struct {
	app        *App
	holder     string
	every      time.Duration // between two mails
	lease      storage.MailLease
	connection MailConnection // nil: none is open
	sends      map[affiliate.MailSendID]affiliate.MailSend
	failures   int // of mails in a row whose connection broke
	sent       int
}

// take takes the lease; false while another has it. What the last holder was handing over is put back.
func (r *mailRun) take(ctx context.Context) (taken bool, err error) {
	err = r.app.DB.InTx(ctx, func(tx *storage.Tx) error {
		if taken, err = tx.TakeMailLease(ctx, r.holder, r.app.now(), mailLease); err != nil || !taken {
			return err
		}
		if err := tx.RequeueMails(ctx); err != nil {
			return err
		}
		r.lease, err = tx.MailLease(ctx)
		return err
	})
	return taken, err
}

// renew prolongs the lease until ctx ends, and calls lose when it could not.
func (r *mailRun) renew(ctx context.Context, lose context.CancelCauseFunc) {
	beat := time.NewTicker(mailBeat)
	defer beat.Stop()
	renewed := time.Now()
	for {
		select {
		case <-beat.C:
		case <-ctx.Done():
			return
		}
		within, cancel := context.WithTimeout(ctx, mailBeat)
		ok, err := r.app.DB.RenewMailLease(within, r.holder, r.app.now().Add(mailLease))
		cancel()
		switch {
		case err == nil && ok:
			renewed = time.Now()
		case ctx.Err() != nil:
			return
		case err == nil, time.Since(renewed) >= mailLease-mailBeat:
			lose(errMailLeaseLost)
			return
		}
	}
}

// all sends mails until none is due, its turn is over, or ctx ends. work is what a mail under way is done with.
func (r *mailRun) all(ctx, work context.Context) error {
	begun := r.app.now()
	for {
		mails, err := r.app.DB.DueMails(ctx, r.app.now(), mailsAtOnce)
		if err != nil || len(mails) == 0 {
			return err
		}
		for _, m := range mails {
			now := r.app.now()
			rest := r.lease.NextAt.Sub(now)
			if rest > mostMailRest+time.Minute { // the clock was set back
				rest = 0
			}
			if rest > mailPatience || now.Sub(begun).Abs() >= mailTurn {
				return nil
			}
			if rest > 0 {
				if err := r.app.wait(ctx, rest); err != nil {
					return nil // the server stops
				}
			}
			if ctx.Err() != nil || work.Err() != nil {
				return nil
			}
			if err := r.send(work, m); err != nil {
				return err
			}
		}
	}
}

// send tries one mail. Errors are of the database and of the lease.
func (r *mailRun) send(ctx context.Context, m affiliate.Mail) error {
	send, known := r.sends[m.SendID]
	if !known {
		var err error
		if send, err = r.app.DB.MailSend(ctx, m.SendID); err != nil {
			return err
		}
		r.sends[m.SendID] = send
	}
	if r.connection == nil {
		connection, err := r.app.Mailer.Open(ctx)
		if err != nil {
			return r.serverFails(ctx, err)
		}
		r.connection = connection
	}
	begun, err := r.begin(ctx, &m, send)
	if err != nil || !begun {
		return err
	}
	mayHave := m.State == affiliate.MailEnding // of an earlier try
	var broken error                           // why the last line is not to be sent
	err = r.connection.Send(ctx, r.app.letter(m, send), func() error {
		broken = r.ending(ctx, &m)
		mayHave = true
		return broken
	})
	switch {
	case errors.Is(broken, errMailCanceled):
		r.hangUp()
		return nil
	case broken != nil:
		r.hangUp()
		return broken
	}
	return r.settle(ctx, m, err, mayHave)
}

// step changes a mail while the lease is this run's, in a transaction that is alone in changing its mailing.
func (r *mailRun) step(ctx context.Context, m *affiliate.Mail,
	change func(tx *storage.Tx, send affiliate.MailSend) error) error {
	return r.app.DB.InTx(ctx, func(tx *storage.Tx) error {
		r.lease.Holder = r.holder
		kept, err := tx.KeepMailLease(ctx, r.lease)
		if err == nil && !kept {
			err = errMailLeaseLost
		}
		if err != nil {
			return err
		}
		send, err := tx.HoldMailSend(ctx, m.SendID)
		if err != nil {
			return err
		}
		m.UpdatedAt = r.app.now()
		return change(tx, send)
	})
}

// begin notes that a mail is handed over now, and when the next one may be; false where it is not to be sent any more.
func (r *mailRun) begin(ctx context.Context, m *affiliate.Mail, send affiliate.MailSend) (begun bool, err error) {
	now := r.app.now()
	next := r.lease.NextAt.Time
	if late := now.Sub(next); late < 0 || late > r.every { // what was not used is not made up for
		next = now
	}
	r.lease.NextAt = storage.At(next.Add(r.every))
	err = r.step(ctx, m, func(tx *storage.Tx, _ affiliate.MailSend) error {
		folded := affiliate.FoldEmail(m.Address)
		suppressed, err := tx.SuppressionsOf(ctx, []string{folded})
		if err != nil {
			return err
		}
		if why := whySuppressed(send.Purpose, suppressed[folded]); why != "" && m.State != affiliate.MailEnding {
			m.State, m.Answer, m.NextAt = affiliate.MailSkipped, why, time.Time{}
			if _, err := tx.SaveMail(ctx, *m, affiliate.MailQueued); err != nil {
				return err
			}
			return tx.EndMailSend(ctx, m.SendID, m.UpdatedAt)
		}
		if m.State != affiliate.MailEnding { // one that the server may have stays so
			m.State = affiliate.MailTrying
		}
		begun, err = tx.SaveMail(ctx, *m, affiliate.MailQueued, affiliate.MailEnding)
		return err
	})
	return begun && err == nil, err
}

// ending notes that the last line of a mail is about to be sent.
func (r *mailRun) ending(ctx context.Context, m *affiliate.Mail) error {
	return r.step(ctx, m, func(tx *storage.Tx, _ affiliate.MailSend) error {
		m.State = affiliate.MailEnding
		saved, err := tx.SaveMail(ctx, *m, affiliate.MailTrying, affiliate.MailEnding)
		if err == nil && !saved {
			err = errMailCanceled
		}
		return err
	})
}

// settle notes what became of a mail. mayHave says that the server may have it although it has not said so.
func (r *mailRun) settle(ctx context.Context, m affiliate.Mail, outcome error, mayHave bool) error {
	now := r.app.now()
	var answer affiliate.MailAnswer
	answered := errors.As(outcome, &answer)
	switch {
	case outcome == nil:
		m.State, m.Code, m.Answer, m.SentAt, m.NextAt = affiliate.MailSent, smtpTaken, "", now, time.Time{}
	case answered && answer.ForGood():
		m.State, m.NextAt = affiliate.MailRefused, time.Time{}
	default:
		m.State = affiliate.MailQueued
		if !answered && mayHave {
			m.State = affiliate.MailEnding
		}
		if m.Tries < int64(len(mailDelays)) {
			m.NextAt = now.Add(mailDelays[m.Tries])
		} else {
			m.State, m.NextAt = affiliate.MailRefused, time.Time{}
		}
	}
	m.Tries++
	if outcome != nil {
		m.Code, m.Answer = int64(answer.Code), clipNote(affiliate.MailLine(outcome.Error()))
	}
	if answered || outcome == nil {
		r.failures, r.lease.Trouble, r.lease.TroubleSince = 0, "", storage.Time{}
	} else {
		r.failures++
	}
	if !answered && outcome != nil || answer.Code == smtpClosing {
		r.hangUp()
	}
	if err := r.note(ctx, m, answer); err != nil {
		return err
	}
	if outcome == nil {
		r.sent++
	}
	if r.failures >= mailFailures {
		return r.serverFails(ctx, outcome)
	}
	return nil
}

const (
	smtpTaken   = 250
	smtpClosing = 421 // the server ends the connection (RFC 5321, 3.8)
)

// noteTries is how often it is tried to write down what became of a mail: of one that was taken, and of which that is
// not known here, another copy would be sent.
const noteTries = 5

// note writes down what became of a mail, and that its mailing is done with it.
func (r *mailRun) note(ctx context.Context, m affiliate.Mail, answer affiliate.MailAnswer) (err error) {
	for try := range noteTries {
		err = r.step(ctx, &m, func(tx *storage.Tx, send affiliate.MailSend) error {
			after := m
			waits := after.State == affiliate.MailQueued || after.State == affiliate.MailEnding
			if waits && send.State == affiliate.MailSendCanceled {
				after.State, after.NextAt = affiliate.MailCanceled, time.Time{}
			}
			if _, err := tx.SaveMail(ctx, after); err != nil {
				return err
			}
			if answer.NoSuchAddress() {
				if _, err := tx.AddSuppression(ctx, affiliate.Suppression{Address: affiliate.FoldEmail(m.Address),
					Reason: affiliate.Bounced, Note: m.Answer, CreatedAt: r.app.now()}); err != nil {
					return err
				}
			}
			return tx.EndMailSend(ctx, m.SendID, r.app.now())
		})
		if err == nil || errors.Is(err, errMailLeaseLost) || ctx.Err() != nil || try == noteTries-1 {
			return err
		}
		if err := r.app.wait(ctx, time.Second); err != nil {
			return err
		}
	}
	return err
}

// serverFails notes that the server cannot be used, and lets it rest: that is no mail's fault.
func (r *mailRun) serverFails(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		return nil
	}
	r.hangUp()
	r.failures = 0
	now := r.app.now()
	if r.lease.Trouble == "" {
		r.lease.TroubleSince = storage.At(now)
	}
	r.lease.Trouble = serverTrouble(why)
	r.lease.NextAt = storage.At(now.Add(min(max(now.Sub(r.lease.TroubleSince.Time), leastMailRest), mostMailRest)))
	r.lease.Holder = r.holder
	r.app.lines.Log(r.app.Log, slog.LevelWarn, "mail", "mails wait", "error", why)
	return r.app.DB.InTx(ctx, func(tx *storage.Tx) error {
		kept, err := tx.KeepMailLease(ctx, r.lease)
		if err == nil && !kept {
			err = errMailLeaseLost
		}
		return err
	})
}

// hangUp ends the connection, if one is open.
func (r *mailRun) hangUp() {
	if r.connection != nil {
		_ = r.connection.Close() // what was sent is sent
		r.connection = nil
	}
}
