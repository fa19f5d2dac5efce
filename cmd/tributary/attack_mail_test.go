package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/fakerelay"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestAttack_mail_killed: the server is killed twice while it sends, once as the mail server keeps silent after a last
// line, and that refuses, defers and breaks connections besides. Everybody has one mail in the end, by its Message-ID;
// there are more copies only where the answer to a last line never came, and those are the same to the byte.
func TestAttack_mail_killed(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		n := attack.Size(300, 10_000)
		relay, err := fakerelay.Start(fakerelay.Options{Do: func(to string, try int) fakerelay.Deed {
			return misdeed(to, try, n)
		}})
		ok(t, err)
		t.Cleanup(func() { relay.Close() })
		env = env.with("SMTP_URL", "smtp://127.0.0.1:"+relay.Port+"?tls=none").
			with("MAIL_FROM", "Brand <creators@brand.example>")
		env.setUpStores(t, nil)
		var send affiliate.MailSend
		env.open(t, func(ctx context.Context, a *app.App) { send = mailEverybody(ctx, t, a, n) })

		p := env.spawn(t)
		within(t, func() bool { return relay.Counts().Hung > 0 })
		p.kill()
		p = env.spawn(t)
		within(t, func() bool { return len(relay.Taken()) > n/2 })
		p.kill()
		env.spawn(t)
		within(t, func() bool {
			env.open(t, func(ctx context.Context, a *app.App) { send = hurry(ctx, t, a, send.ID) })
			return send.State == affiliate.MailSendDone
		})

		env.open(t, func(ctx context.Context, a *app.App) {
			counts, err := a.DB.MailCounts(ctx, []affiliate.MailSendID{send.ID})
			ok(t, err)
			got := counts[send.ID]
			if got[affiliate.MailSent] != int64(n-n/10) || got[affiliate.MailRefused] != int64(n/10) {
				t.Errorf("the mails are %v", got)
			}
		})
		ids := map[string]string{} // by address
		copies := 0
		for id, mails := range relay.Mailboxes() {
			to := mails[0].To
			if ids[to] != "" {
				t.Errorf("%s has two mails, %s and %s", to, ids[to], id)
			}
			ids[to] = id
			copies += len(mails) - 1
			for _, again := range mails[1:] {
				if again.To != to || !bytes.Equal(again.Raw, mails[0].Raw) {
					t.Errorf("%s was sent again with other bytes:\n%s\nafter\n%s", id, again.Raw, mails[0].Raw)
				}
			}
		}
		if len(ids) != n-n/10 {
			t.Errorf("%d have a mail, not %d", len(ids), n-n/10)
		}
		c := relay.Counts()
		if most := c.Unanswered + 2; copies > most { // an answer may have been on its way to a server that was killed
			t.Errorf("%d copies, and the answer was lost %d times at most", copies, most)
		}
		t.Logf("%d mails, %d copies; %+v", len(ids), copies, c)
	})
}

// misdeed is what the mail server does with the mail of a creator.
func misdeed(to string, try, n int) fakerelay.Deed {
	local, _, _ := strings.Cut(to, "@")
	i, _ := strconv.Atoi(strings.TrimPrefix(local, "c"))
	switch {
	case i%10 == 5:
		return fakerelay.Deed{AtRcpt: "550 5.1.1 no such user"}
	case try > 1:
	case i == n/3/10*10:
		return fakerelay.Deed{Hang: true}
	case i%10 == 3:
		return fakerelay.Deed{AtRcpt: "450 4.2.0 try again"}
	case i%20 == 7:
		return fakerelay.Deed{Drop: fakerelay.AfterEnd}
	case i%20 == 9:
		return fakerelay.Deed{Drop: fakerelay.BeforeEnd}
	case i%20 == 11:
		return fakerelay.Deed{Drop: fakerelay.EndUntaken}
	case i%20 == 17:
		return fakerelay.Deed{AtEnd: "451 4.3.0 try again"}
	}
	return fakerelay.Deed{}
}

// mailEverybody makes creators and sends them a message.
func mailEverybody(ctx context.Context, t *testing.T, a *app.App, n int) affiliate.MailSend {
	_, err := a.SetSettings(ctx, []app.Setting{{Key: "mail_per_minute", Value: "6000"}})
	ok(t, err)
	ids := make([]affiliate.CreatorID, n)
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		for i := range n {
			now := a.Now()
			c, err := tx.CreateCreator(ctx, affiliate.Creator{Name: fmt.Sprintf("Creator %05d", i),
				Email: fmt.Sprintf("c%d@creators.example", i), CreatedAt: now, UpdatedAt: now})
			if err != nil {
				return err
			}
			ids[i] = c.ID
		}
		return nil
	})
	ok(t, err)
	send, err := a.SendMailing(ctx, app.NewMailing{Purpose: affiliate.MailMessage, To: app.MailTo{Creators: ids}})
	ok(t, err)
	return send
}

// hurry makes due what is to be tried again in a while, and gives the mailing as it stands.
func hurry(ctx context.Context, t *testing.T, a *app.App, id affiliate.MailSendID) affiliate.MailSend {
	for _, state := range []affiliate.MailState{affiliate.MailQueued, affiliate.MailEnding} {
		mails, err := storage.All(func(p storage.Page) ([]affiliate.Mail, string, error) {
			return a.DB.Mails(ctx, storage.MailFilter{Send: id, State: state}, p)
		})
		ok(t, err)
		for _, m := range mails {
			if time.Until(m.NextAt) < 30*time.Second {
				continue
			}
			m.NextAt = a.Now()
			ok(t, a.DB.InTx(ctx, func(tx *storage.Tx) error {
				_, err := tx.SaveMail(ctx, m, state)
				return err
			}))
		}
	}
	send, err := a.DB.MailSend(ctx, id)
	ok(t, err)
	return send
}

// within waits until something is so: as long as sending takes.
func within(t *testing.T, is func() bool) {
	t.Helper()
	limit := time.Duration(attack.Size(2, 15)) * time.Minute
	for deadline := time.Now().Add(limit); !is(); time.Sleep(300 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("that did not come about within %v", limit)
		}
	}
}
