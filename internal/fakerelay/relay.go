// Package fakerelay is a mail server for tests: it speaks SMTP over TCP, keeps what it takes, and misbehaves as it is
// told.
package fakerelay

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"time"
)

// Deed is what the server does with one mail.
type Deed struct {
	AtRcpt string // its answer to RCPT, such as "550 5.1.1 nobody"; empty: it takes it
	AtEnd  string // to the last line, instead of taking the mail
	Hang   bool   // it says nothing more after the last line, and does not take the mail
	Drop   Drop   // when the connection breaks
}

// Drop is a moment at which the connection breaks.
type Drop int

const (
	Never       Drop = iota
	BeforeEnd        // in the midst of the text: the mail is not taken
	AfterEnd         // the mail is taken, and the answer is never sent
	AtRecipient      // as soon as it is said whom the mail is to
	EndUntaken       // after the last line; the mail is not taken
)

// Options say how a server is.
type Options struct {
	TLS            bool // it knows STARTTLS
	Implicit       bool // it is encrypted from the first byte on
	User, Password string
	// Do says what to do with a mail to an address, the try-th time (from 1 on) that it is tried; nil: it takes all.
	Do func(to string, try int) Deed
}

// Relay is the server.
type Relay struct {
	Port string
	// Config trusts the certificate of the server, which is for 127.0.0.1.
	Config *tls.Config

	o        Options
	tls      *tls.Config
	listener net.Listener
	work     sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
	tries    map[string]int
	taken    []Taken
	counts   Counts
	down     bool
}

// Taken is a mail that the server has taken.
type Taken struct {
	From, To  string
	MessageID string
	Raw       []byte
	At        time.Time
}

// Mail reads it.
func (t Taken) Mail() (*mail.Message, error) { return mail.ReadMessage(bytes.NewReader(t.Raw)) }

// Counts say what has happened so far.
type Counts struct {
	Connections int
	Unanswered  int // mails that were taken, and whose answer was never sent
	Refused     int // answers of 500 and more
	Deferred    int // answers of 400 and more
	Dropped     int // connections that the server broke
	Hung        int
}

// Start starts a server at an address of its own on this machine.
func Start(o Options) (*Relay, error) {
	r := &Relay{o: o, open: map[net.Conn]bool{}, tries: map[string]int{}}
	var err error
	if r.tls, r.Config, err = certificate(); err != nil {
		return nil, err
	}
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	_, r.Port, _ = net.SplitHostPort(r.listener.Addr().String())
	r.work.Go(r.accept)
	return r, nil
}

// Close ends the server and all its connections.
func (r *Relay) Close() error {
	err := r.listener.Close()
	r.Break()
	r.work.Wait()
	return err
}

// Break breaks all connections.
func (r *Relay) Break() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		c.Close()
	}
}

// SetDown makes the server greet with 421, or take mails again.
func (r *Relay) SetDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// Taken gives what the server has taken, in that order.
func (r *Relay) Taken() []Taken {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Taken(nil), r.taken...)
}

// Mailboxes gives what was taken by Message-ID.
func (r *Relay) Mailboxes() map[string][]Taken {
	all := map[string][]Taken{}
	for _, t := range r.Taken() {
		all[t.MessageID] = append(all[t.MessageID], t)
	}
	return all
}

// Counts gives what has happened so far.
func (r *Relay) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

func (r *Relay) count(f func(*Counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.counts)
}

func (r *Relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.open[conn] = true
		r.counts.Connections++
		r.mu.Unlock()
		r.work.Go(func() {
			s := &session{relay: r, conn: conn}
			if r.o.Implicit {
				s.conn = tls.Server(conn, r.tls)
			}
			s.in = bufio.NewReader(s.conn)
			s.talk()
			r.mu.Lock()
			delete(r.open, conn)
			r.mu.Unlock()
			conn.Close()
		})
	}
}

// session is one connection.
type session struct {
	relay    *Relay
	conn     net.Conn
	in       *bufio.Reader
	safe     bool // STARTTLS has happened
	signedIn bool
	from, to string
	deed     Deed
}

func (s *session) say(format string, args ...any) { fmt.Fprintf(s.conn, format+"\r\n", args...) }

// answer says what was told in place of taking something.
func (s *session) answer(text string) {
	s.relay.count(func(c *Counts) {
		switch text[0] {
		case '5':
			c.Refused++
		case '4':
			c.Deferred++
		}
	})
	s.say("%s", text)
}

func (s *session) talk() {
	s.relay.mu.Lock()
	down := s.relay.down
	s.relay.mu.Unlock()
	if down {
		s.say("421 4.3.2 down for maintenance")
		return
	}
	s.say("220 relay.example ESMTP")
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if !s.command(strings.ToUpper(verb), rest) {
			return
		}
	}
}

// command does one command; false ends the connection.
func (s *session) command(verb, rest string) bool {
	r := s.relay
	switch verb {
	case "EHLO", "HELO":
		s.extensions()
	case "STARTTLS":
		s.say("220 2.0.0 go on")
		s.conn = tls.Server(s.conn, r.tls)
		s.in, s.safe = bufio.NewReader(s.conn), true
	case "AUTH":
		return s.auth(rest)
	case "MAIL":
		if r.o.User != "" && !s.signedIn {
			s.answer("530 5.7.0 sign in first")
			return true
		}
		s.from = address(rest)
		s.to, s.deed = "", Deed{}
		s.say("250 2.1.0 ok")
	case "RCPT":
		s.to = address(rest)
		return s.recipient()
	case "DATA":
		s.say("354 go on")
		return s.data()
	case "RSET", "NOOP":
		s.say("250 2.0.0 ok")
	case "QUIT":
		s.say("221 2.0.0 bye")
		return false
	default:
		s.say("500 5.5.1 unknown")
	}
	return true
}

func (s *session) extensions() {
	s.say("250-relay.example")
	if s.relay.o.TLS && !s.safe {
		s.say("250-STARTTLS")
	}
	if s.relay.o.User != "" {
		s.say("250-AUTH PLAIN")
	}
	s.say("250-ENHANCEDSTATUSCODES")
	s.say("250 8BITMIME")
}

func (s *session) auth(rest string) bool {
	_, given, _ := strings.Cut(rest, " ")
	plain, err := base64.StdEncoding.DecodeString(given)
	if err != nil || string(plain) != "\x00"+s.relay.o.User+"\x00"+s.relay.o.Password {
		s.answer("535 5.7.8 user or password is wrong")
		return true
	}
	s.signedIn = true
	s.say("235 2.7.0 welcome")
	return true
}

// recipient asks what to do with the mail.
func (s *session) recipient() bool {
	r := s.relay
	r.mu.Lock()
	r.tries[s.to]++
	try := r.tries[s.to]
	r.mu.Unlock()
	if r.o.Do != nil {
		s.deed = r.o.Do(s.to, try)
	}
	switch {
	case s.deed.Drop == AtRecipient:
		r.count(func(c *Counts) { c.Dropped++ })
		return false
	case s.deed.AtRcpt != "":
		s.answer(s.deed.AtRcpt)
	default:
		s.say("250 2.1.5 ok")
	}
	return true
}

func (s *session) data() bool {
	r := s.relay
	if s.deed.Drop == BeforeEnd {
		r.count(func(c *Counts) { c.Dropped++ })
		return false
	}
	raw, err := textproto.NewReader(s.in).ReadDotBytes()
	if err != nil {
		return false
	}
	switch {
	case s.deed.Drop == EndUntaken:
		r.count(func(c *Counts) { c.Dropped++ })
		return false
	case s.deed.Hang:
		r.count(func(c *Counts) { c.Hung++ })
		_, _ = s.in.ReadByte() // until the other side hangs up
		return false
	case s.deed.AtEnd != "":
		s.answer(s.deed.AtEnd)
		return true
	}
	t := Taken{From: s.from, To: s.to, Raw: raw, At: time.Now()}
	if m, err := t.Mail(); err == nil {
		t.MessageID = m.Header.Get("Message-Id")
	}
	r.mu.Lock()
	r.taken = append(r.taken, t)
	r.mu.Unlock()
	if s.deed.Drop == AfterEnd {
		r.count(func(c *Counts) { c.Dropped++; c.Unanswered++ })
		return false
	}
	if _, err := fmt.Fprintf(s.conn, "250 2.0.0 taken\r\n"); err != nil {
		r.count(func(c *Counts) { c.Unanswered++ })
		return false
	}
	return true
}

// address gives what stands between < and >.
func address(rest string) string {
	_, behind, _ := strings.Cut(rest, "<")
	inside, _, _ := strings.Cut(behind, ">")
	return inside
}

// certificate makes one for 127.0.0.1, and what trusts it.
func certificate() (server, client *tls.Config, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "relay.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}},
		&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
