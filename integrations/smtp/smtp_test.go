package smtp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/smtp"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/fakerelay"
)

func letter(to string) affiliate.OutgoingMail {
	return affiliate.OutgoingMail{From: `"Brand, Inc." <creators@brand.example>`,
		To:      affiliate.Mailbox("Jürgen Groß", to),
		Subject: "Dein Code für „Frühling“ ✓ und viele andere Wörter, die eine Zeile sehr lang machen",
		Text:    "Hallo Jürgen,\n.\nein Punkt allein endet nichts.\n", HTML: "<p>Hallo Jürgen</p>",
		MessageID: "abc" + to,
		Date:      time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), Unsubscribe: "https://links.example/u/1-abc"}
}

func start(t *testing.T, o fakerelay.Options) (*fakerelay.Relay, smtp.Server) {
	t.Helper()
	r, err := fakerelay.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, smtp.Server{Host: "127.0.0.1", Port: r.Port, Encryption: smtp.EncryptNone, TLS: r.Config,
		Patience: 2 * time.Second, FinalPatience: 300 * time.Millisecond}
}

func open(t *testing.T, s smtp.Server) *smtp.Connection {
	t.Helper()
	c, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func nothing() error { return nil }

// TestSend: what arrives says what was sent, in both parts, and can be unsubscribed from with one click.
func TestSend(t *testing.T) {
	r, s := start(t, fakerelay.Options{TLS: true, User: "me", Password: "s3cret"})
	s.User, s.Password, s.Encryption = "me", "s3cret", smtp.EncryptThen
	c := open(t, s)
	for _, to := range []string{"a@x.example", "b@x.example"} {
		if err := c.Send(t.Context(), letter(to), nothing); err != nil {
			t.Fatal(err)
		}
	}
	taken := r.Taken()
	if len(taken) != 2 || r.Counts().Connections != 1 || taken[1].To != "b@x.example" ||
		taken[0].From != "creators@brand.example" {
		t.Fatalf("taken: %v in %d connections", taken, r.Counts().Connections)
	}
	m, err := taken[0].Mail()
	if err != nil {
		t.Fatal(err)
	}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != letter("").Subject {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	for header, want := range map[string]string{"List-Unsubscribe": "<https://links.example/u/1-abc>",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Auto-Submitted": "auto-generated",
		"Message-Id": "<abca@x.example>", "Date": "Sun, 29 Nov 2026 12:00:00 +0000"} {
		if got := m.Header.Get(header); got != want {
			t.Errorf("%s is %q", header, got)
		}
	}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	for _, want := range []struct{ kind, text string }{{"text/plain", letter("").Text},
		{"text/html", letter("").HTML}} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		got := strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
		if err != nil || got != strings.TrimSpace(want.text) ||
			!strings.HasPrefix(p.Header.Get("Content-Type"), want.kind) {
			t.Errorf("the part %s is %q, %v", want.kind, got, err)
		}
	}
}

// TestWrite_again: equal mails are equal bytes, and others are not.
func TestWrite_again(t *testing.T) {
	first, _, _, err := smtp.Write(letter("a@x.example"))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		again, _, _, err := smtp.Write(letter("a@x.example"))
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("%v: written again it is\n%s\nafter\n%s", err, again, first)
		}
	}
	other, _, _, err := smtp.Write(letter("b@x.example"))
	if err != nil || bytes.Equal(first, other) {
		t.Error("another mail is the same", err)
	}
}

// TestAttack_mail_headers: nothing that people type makes a header, another recipient, or ends the mail.
func TestAttack_mail_headers(t *testing.T) {
	r, s := start(t, fakerelay.Options{})
	c := open(t, s)
	for _, hostile := range []string{"x\r\nBcc: all@x.example", "x\nBcc: all@x.example", "x\r\n.\r\nMAIL FROM:<a@b>",
		"x\x00y", "x\rBcc: all@x.example"} {
		for name, change := range map[string]func(*affiliate.OutgoingMail){
			"subject":     func(m *affiliate.OutgoingMail) { m.Subject = hostile },
			"from":        func(m *affiliate.OutgoingMail) { m.From = hostile + " <a@x.example>" },
			"to":          func(m *affiliate.OutgoingMail) { m.To = hostile + " <a@x.example>" },
			"address":     func(m *affiliate.OutgoingMail) { m.To = "<" + hostile + "@x.example>" },
			"message id":  func(m *affiliate.OutgoingMail) { m.MessageID = hostile },
			"unsubscribe": func(m *affiliate.OutgoingMail) { m.Unsubscribe = hostile },
		} {
			m := letter("a@x.example")
			change(&m)
			var answer affiliate.MailAnswer
			if err := c.Send(t.Context(), m, nothing); !errors.As(err, &answer) || !answer.ForGood() {
				t.Errorf("%s %q: %v", name, hostile, err)
			}
		}
		m := letter("a@x.example") // names of creators come through here, and lose what steers
		m.To = affiliate.Mailbox(hostile, "a@x.example")
		m.Text = "one\r\n.\r\nRCPT TO:<all@x.example>\n.\n" + hostile
		if err := c.Send(t.Context(), m, nothing); err != nil {
			t.Errorf("a name %q: %v", hostile, err)
		}
	}
	for _, taken := range r.Taken() {
		m, err := taken.Mail()
		if err != nil || taken.To != "a@x.example" || len(m.Header["Bcc"]) > 0 || len(m.Header["To"]) != 1 {
			t.Errorf("%v: taken for %s: %v", err, taken.To, m.Header)
		}
	}
	if n := len(r.Taken()); n != 5 {
		t.Errorf("%d mails were taken", n)
	}
}

// TestAnswers: what the server says is told apart from a connection that breaks, and whether the last line was near.
func TestAnswers(t *testing.T) {
	deeds := map[string]fakerelay.Deed{
		"nobody":    {AtRcpt: "550 5.1.1 no such user"},
		"bare":      {AtRcpt: "550 nobody here"},
		"later":     {AtRcpt: "450 4.2.0 greylisted"},
		"spam":      {AtEnd: "550 this is spam"},
		"full":      {AtEnd: "452 4.2.2 mailbox is full"},
		"closing":   {AtRcpt: "421 4.3.2 bye"},
		"hang":      {Hang: true},
		"before":    {Drop: fakerelay.BeforeEnd},
		"after":     {Drop: fakerelay.AfterEnd},
		"untaken":   {Drop: fakerelay.EndUntaken},
		"recipient": {Drop: fakerelay.AtRecipient},
	}
	r, s := start(t, fakerelay.Options{Do: func(to string, _ int) fakerelay.Deed {
		name, _, _ := strings.Cut(to, "@")
		return deeds[name]
	}})
	for _, c := range []struct {
		name    string
		answer  int // 0: none
		nobody  bool
		ended   bool
		usable  bool
		arrives int
	}{
		{"nobody", 550, true, false, true, 0}, {"bare", 550, true, false, true, 0},
		{"later", 450, false, false, true, 0},
		{"spam", 550, false, true, true, 0}, {"full", 452, false, true, true, 0},
		{"closing", 0, false, false, false, 0},
		{"hang", 0, false, true, false, 0}, {"before", 0, false, true, false, 0}, {"after", 0, false, true, false, 1},
		{"untaken", 0, false, true, false, 0}, {"recipient", 0, false, false, false, 0},
		{"fine", 250, false, true, true, 1},
	} {
		before := len(r.Taken())
		conn := open(t, s)
		ended := false
		err := conn.Send(t.Context(), letter(c.name+"@x.example"), func() error { ended = true; return nil })
		var answer affiliate.MailAnswer
		answered := errors.As(err, &answer)
		if err == nil {
			answered, answer.Code = true, 250
		}
		if answered != (c.answer != 0) || answer.Code != c.answer || answer.NoSuchAddress() != c.nobody ||
			ended != c.ended && c.name != "before" {
			t.Errorf("%s: %v (%d, %v), after the last line: %v", c.name, err, answer.Code, answer.NoSuchAddress(),
				ended)
		}
		if n := len(r.Taken()) - before; n != c.arrives {
			t.Errorf("%s: %d arrived", c.name, n)
		}
		if next := conn.Send(t.Context(), letter("fine@x.example"), nothing); (next == nil) != c.usable {
			t.Errorf("%s: the next mail: %v", c.name, next)
		}
		conn.Close()
	}
}

// TestSend_stopped: without leave for the last line nothing is taken, whatever is done with the connection then.
func TestSend_stopped(t *testing.T) {
	r, s := start(t, fakerelay.Options{})
	stop := errors.New("not now")
	c := open(t, s)
	if err := c.Send(t.Context(), letter("a@x.example"), func() error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	c = open(t, s)
	err := c.Send(ctx, letter("a@x.example"), func() error {
		cancel(stop)
		time.Sleep(20 * time.Millisecond)
		return nil
	})
	if !errors.Is(err, stop) {
		t.Error(err)
	}
	r.Close()
	if n := len(r.Taken()); n != 0 {
		t.Errorf("%d mails were taken", n)
	}
}

// TestOpen: passwords go over encrypted connections alone, and what the server says against them is told without them.
func TestOpen(t *testing.T) {
	const secret = "s3cret"
	plain := fakerelay.Options{User: "me", Password: secret}
	safe, implicit := plain, plain
	safe.TLS, implicit.Implicit = true, true
	for _, c := range []struct {
		name     string
		relay    fakerelay.Options
		how      smtp.Encryption
		password string
		want     string // of the error; empty: none
	}{
		{"starttls", safe, smtp.EncryptThen, secret, ""},
		{"implicit", implicit, smtp.EncryptFirst, secret, ""},
		{"opportunistic", safe, smtp.EncryptIfCan, secret, ""},
		{"wrong password", safe, smtp.EncryptThen, "wrong", "user or password is wrong"},
		{"no starttls", plain, smtp.EncryptThen, secret, "does not know STARTTLS"},
		{"no user asked", fakerelay.Options{TLS: true}, smtp.EncryptThen, secret, "asks for no user"},
	} {
		_, s := start(t, c.relay)
		s.User, s.Password, s.Encryption = "me", c.password, c.how
		conn, err := s.Open(t.Context())
		if err == nil {
			if err := conn.Send(t.Context(), letter("a@x.example"), nothing); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			conn.Close()
		}
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	r, s := start(t, safe)
	s.User, s.Password, s.Encryption, s.TLS = "me", secret, smtp.EncryptThen, nil
	if _, err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	s.TLS = r.Config
	r.SetDown(true)
	var answer affiliate.MailAnswer
	if _, err := s.Open(t.Context()); !errors.As(err, &answer) || answer.Code != 421 {
		t.Errorf("a server that greets with 421: %v", err)
	}
	r.Close()
	if _, err := s.Open(t.Context()); err == nil {
		t.Error("nobody listens, and it opens")
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, s.Port, _ = net.SplitHostPort(silent.Addr().String())
	s.Patience = 50 * time.Millisecond
	if _, err := s.Open(t.Context()); err == nil {
		t.Error("a server that says nothing is open")
	}
}
