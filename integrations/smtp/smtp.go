// Package smtp hands mails to a mail server by SMTP (RFC 5321): encrypted, signed in, many mails over one connection.
package smtp

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"os"
	"regexp"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Encryption is how the connection is encrypted.
type Encryption string

const (
	EncryptFirst Encryption = "tls"           // from the first byte on
	EncryptThen  Encryption = "starttls"      // before anything is said; a server that cannot is refused
	EncryptIfCan Encryption = "opportunistic" // as far as the server can
	EncryptNone  Encryption = "none"
)

// Server is a mail server.
type Server struct {
	Host, Port     string
	User, Password string // empty: it asks for none. They are sent over encrypted connections and to this machine only
	Encryption     Encryption
	TLS            *tls.Config // nil: certificates of the system, TLS 1.2 or newer
	// Patience is for one step, FinalPatience for the answer to the last line, for which servers look for spam; 0: half
	// a minute and five. RFC 5321, 4.5.3.2.6, says ten; who gives up earlier may send the mail twice.
	Patience, FinalPatience time.Duration
}

// Open connects, encrypts and signs in. An error of type affiliate.MailAnswer is the server's answer.
func (s Server) Open(ctx context.Context) (*Connection, error) {
	s.Patience = cmp.Or(s.Patience, 30*time.Second)
	s.FinalPatience = cmp.Or(s.FinalPatience, 5*time.Minute)
	within, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(within, "tcp", net.JoinHostPort(s.Host, s.Port))
	if err != nil {
		return nil, err
	}
	c := &Connection{server: s, conn: conn}
	defer c.until(ctx)()
	if err := c.greet(); err != nil {
		conn.Close()
		return nil, orCause(within, answerOf(err))
	}
	return c, nil
}

// orCause gives the reason why a context has ended in place of an error that came of that.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !isAnswer(err) {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return err
}

// Connection is a connection to a mail server, over which one mail goes after the other.
type Connection struct {
	server Server
	conn   net.Conn
	client *smtp.Client
	used   bool // mails were sent over it
	broken bool // it is in the midst of a mail: nothing but hanging up is left
}

// until breaks the connection when ctx ends, until the function is called that it gives.
func (c *Connection) until(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() { c.conn.Close() })
}

// step gives the next step its time.
func (c *Connection) step(limit time.Duration) error {
	return c.conn.SetDeadline(time.Now().Add(limit))
}

func (c *Connection) greet() (err error) {
	s := c.server
	if err := c.step(s.Patience); err != nil {
		return err
	}
	config := s.TLS.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.ServerName = s.Host
	conn := c.conn
	if s.Encryption == EncryptFirst {
		conn = tls.Client(conn, config)
	}
	if c.client, err = smtp.NewClient(conn, s.Host); err != nil {
		return err
	}
	c.client.SkipSMTPUTF8(true) // addresses are ASCII, and what is in headers is encoded
	if err := c.client.Hello(ownName()); err != nil {
		return err
	}
	if can, _ := c.client.Extension("STARTTLS"); can && (s.Encryption == EncryptThen || s.Encryption == EncryptIfCan) {
		if err := c.client.StartTLS(config); err != nil {
			return err
		}
	} else if s.Encryption == EncryptThen {
		return errors.New("the server does not know STARTTLS, so the connection would not be encrypted; use smtps://, " +
			"or add ?tls=none where that is all right")
	}
	if s.User == "" {
		return nil
	}
	can, ways := c.client.Extension("AUTH")
	if !can {
		return errors.New("the server asks for no user and password; take them out of the address")
	}
	return c.client.Auth(s.auth(strings.Fields(ways)))
}

// auth chooses how to sign in, of what the server knows. Passwords are not sent over connections that are not
// encrypted.
func (s Server) auth(ways []string) smtp.Auth {
	for _, way := range ways {
		switch strings.ToUpper(way) {
		case "PLAIN":
			return smtp.PlainAuth("", s.User, s.Password, s.Host, false)
		case "LOGIN":
			return smtp.LoginAuth(s.User, s.Password, s.Host, false)
		case "CRAM-MD5":
			return smtp.CRAMMD5Auth(s.User, s.Password)
		}
	}
	return smtp.PlainAuth("", s.User, s.Password, s.Host, false) // and the server says what it thinks of that
}

// ownName is what this machine calls itself.
func ownName() string {
	name, err := os.Hostname()
	if err != nil || !hostName.MatchString(name) {
		return "localhost"
	}
	return name
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9.-]{1,200}$`)

// Send hands over one mail, and calls ending before its last line; see app.MailConnection.
func (c *Connection) Send(ctx context.Context, m affiliate.OutgoingMail, ending func() error) error {
	if c.broken {
		return errors.New("the connection is broken")
	}
	text, from, to, err := Write(m)
	if err != nil { // of no use to try again
		return affiliate.MailAnswer{Code: 553, Enhanced: "5.6.0", Words: err.Error()}
	}
	defer c.until(ctx)()
	if err := c.send(text, from, to, ending); err != nil {
		return orCause(ctx, err)
	}
	return nil
}

func (c *Connection) send(text []byte, from, to string, ending func() error) error {
	c.broken = true // unless all of it goes well
	if err := c.step(c.server.Patience); err != nil {
		return err
	}
	if c.used { // what the last mail has left behind
		if err := c.client.Reset(); err != nil {
			return plain(err)
		}
	}
	c.used = true
	if err := c.client.Mail("<" + from + ">"); err != nil {
		return plain(err) // whom mails are from is no fault of this one
	}
	if err := c.client.Rcpt("<" + to + ">"); err != nil {
		return c.after(err, false)
	}
	if err := c.step(c.server.Patience); err != nil {
		return err
	}
	w, err := c.client.Data()
	if err != nil {
		return c.after(err, false)
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := ending(); err != nil {
		return err
	}
	if err := c.step(c.server.FinalPatience); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return c.after(err, true)
	}
	c.broken = false
	return nil
}

// after gives the server's answer to a mail, after which the connection is of use for the next one; other errors as
// they are. 421 ends the connection, and before the last line it is no answer to the mail.
func (c *Connection) after(err error, ended bool) error {
	err = answerOf(err)
	var answer affiliate.MailAnswer
	if !errors.As(err, &answer) {
		return err
	}
	if answer.Code == 421 {
		if !ended {
			return plain(err)
		}
		return err
	}
	if ended && answer.Enhanced == "" && answer.ForGood() {
		answer.Enhanced = "5.0.0" // it is about what the mail says, not about whom it is to (RFC 3463, 3.1)
	}
	c.broken = false
	return answer
}

// Close ends the connection. In the midst of a mail nothing more is said: even a last line would end the mail.
func (c *Connection) Close() error {
	if !c.broken && c.step(c.server.Patience) == nil {
		_ = c.client.Quit() // a courtesy
	}
	return ignoreClosed(c.conn.Close())
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// answerOf gives the error of a server's answer as such.
func answerOf(err error) error {
	var said *textproto.Error
	if !errors.As(err, &said) {
		return err
	}
	return affiliate.MailAnswer{Code: said.Code, Enhanced: enhanced.FindString(said.Msg), Words: said.Msg}
}

// enhanced matches an enhanced status code at the begin of an answer (RFC 2034).
var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

func isAnswer(err error) bool {
	var answer affiliate.MailAnswer
	return errors.As(err, &answer)
}

// plain gives a server's answer as an error that is none about the mail.
func plain(err error) error {
	var said *textproto.Error
	var answer affiliate.MailAnswer
	switch {
	case errors.As(err, &said):
		return fmt.Errorf("the server says %d %s", said.Code, said.Msg)
	case errors.As(err, &answer):
		return fmt.Errorf("the server says %d %s", answer.Code, answer.Words)
	}
	return err
}

// Write gives a mail as text, whom it is from and whom it is to. Equal mails give equal bytes: what others draw by
// chance follows from the Message-ID. Errors say what cannot stand in a mail.
func Write(m affiliate.OutgoingMail) (text []byte, from, to string, err error) {
	sender, err := box("sender", m.From)
	if err != nil {
		return nil, "", "", err
	}
	recipient, err := box("recipient", m.To)
	if err != nil {
		return nil, "", "", err
	}
	for _, header := range []string{m.Subject, m.MessageID, m.Unsubscribe, sender.Name, recipient.Name} {
		if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, "", "", errors.New("a header of the mail would have several lines")
		}
	}
	if m.MessageID == "" || strings.ContainsAny(m.MessageID+m.Unsubscribe, "<> ") {
		return nil, "", "", errors.New("the mail has no Message-ID, or signs in it that cannot stand there")
	}
	mark := sha256.Sum256([]byte(m.MessageID))
	msg := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP),
		gomail.WithBoundary(hex.EncodeToString(mark[:20])), gomail.WithNoDefaultUserAgent())
	err = errors.Join(msg.FromFormat(sender.Name, sender.Address),
		msg.AddToFormat(recipient.Name, recipient.Address))
	if err != nil {
		return nil, "", "", err
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.Date.UTC())
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: out-of-office replies are not sent to it
	if m.Unsubscribe != "" {
		msg.SetGenHeader("List-Unsubscribe", "<"+m.Unsubscribe+">")
		msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, "", "", err
	}
	return b.Bytes(), sender.Address, recipient.Address, nil
}

// box reads name <address>, of which only ASCII can be in the address.
func box(who, text string) (*mail.Address, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("the %s would have several lines", who)
	}
	a, err := mail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("the %s is no address", who)
	}
	if strings.ContainsFunc(a.Address, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' }) {
		return nil, fmt.Errorf("the address of the %s has signs that cannot stand in it", who)
	}
	return a, nil
}
