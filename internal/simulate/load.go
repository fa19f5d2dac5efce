package simulate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Load sends requests over keep-alive connections and notes how long each answer took. It speaks just enough HTTP/1.1
// for that: net/http's client would take more of the machine than the server under test.
type Load struct {
	Address     string // host:port of this machine
	Connections int
	// Rate is how many requests are sent in a second; 0 sends as fast as answers come.
	Rate int
	// Next gives the next request of a connection, nil to end it. It is called by all connections at once. The bytes
	// must stay as they are until the next call of the same connection.
	Next func(connection int) []byte
	// Retry sends what was not taken (5xx, broken connection) again, as stores do; otherwise it only counts.
	Retry bool
	// Redirects counts redirects as accepted, not successes.
	Redirects bool
}

// Outcome is what a Load came to.
type Outcome struct {
	Accepted  int // answered 2xx
	Refused   map[int]int
	Broken    int // connections that ended without an answer
	Lost      int // given up
	Took      time.Duration
	Latencies []time.Duration // of accepted requests, sorted
}

// Rate is accepted requests per second.
func (o Outcome) Rate() float64 { return float64(o.Accepted) / o.Took.Seconds() }

// Percentile gives the latency that p of a hundred requests did not exceed.
func (o Outcome) Percentile(p float64) time.Duration { return percentile(o.Latencies, p) }

func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}

// LoopbackAddress gives host:port of a URL, or an error when it is not on this machine: a load generator pointed at
// somebody else's server is an attack.
func LoopbackAddress(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		return "", fmt.Errorf("%q is not an address such as http://127.0.0.1:8080", address)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	host := u.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.Unmap().IsLoopback() {
		return "", fmt.Errorf("%s is not on this machine: load is only sent to loopback addresses such as http://127.0.0.1:8080", u.Host)
	}
	return net.JoinHostPort(host, port), nil
}

// Run sends until Next ends or ctx does.
func (l Load) Run(ctx context.Context) Outcome {
	senders := make([]sender, l.Connections)
	pace := &pace{begin: time.Now(), rate: l.Rate}
	var wait sync.WaitGroup
	for i := range senders {
		s := &senders[i]
		s.load, s.number, s.pace, s.refused = l, i, pace, map[int]int{}
		wait.Go(func() { s.run(ctx) })
	}
	wait.Wait()
	out := Outcome{Took: time.Since(pace.begin), Refused: map[int]int{}}
	for i := range senders {
		s := &senders[i]
		out.Latencies = append(out.Latencies, s.latencies...)
		out.Broken += s.broken
		out.Lost += s.lost
		for status, n := range s.refused {
			out.Refused[status] += n
		}
	}
	slices.Sort(out.Latencies)
	out.Accepted = len(out.Latencies)
	return out
}

// pace spreads requests evenly over time.
type pace struct {
	begin time.Time
	rate  int
	sent  atomic.Int64
}

func (p *pace) wait(ctx context.Context) {
	if p.rate == 0 {
		return
	}
	due := p.begin.Add(time.Duration(p.sent.Add(1)-1) * time.Second / time.Duration(p.rate))
	if d := time.Until(due); d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
}

// sender is one connection.
type sender struct {
	load      Load
	number    int
	pace      *pace
	conn      net.Conn
	in        *bufio.Reader
	uncancel  func() bool
	latencies []time.Duration
	refused   map[int]int
	broken    int
	lost      int
}

// sendMost is how often a request is tried with Retry.
const sendMost = 20

// answerTimeout is how long an answer may take; stores wait 5 seconds (Shopify) or 60 (WooCommerce).
const answerTimeout = 30 * time.Second

func (s *sender) run(ctx context.Context) {
	defer s.close()
	for ctx.Err() == nil {
		request := s.load.Next(s.number)
		if request == nil {
			return
		}
		s.pace.wait(ctx)
		if !s.deliver(ctx, request) && ctx.Err() == nil {
			s.lost++
		}
	}
}

// deliver sends until the request is taken, and says whether it was.
func (s *sender) deliver(ctx context.Context, request []byte) bool {
	accepted := 2
	if s.load.Redirects {
		accepted = 3
	}
	for try := 0; try < sendMost && ctx.Err() == nil; try++ {
		begin := time.Now()
		status, err := s.exchange(ctx, request)
		switch {
		case err != nil && ctx.Err() != nil:
			return false
		case err != nil:
			s.broken++
			s.close()
		case status/100 == accepted:
			s.latencies = append(s.latencies, time.Since(begin))
			return true
		default:
			s.refused[status]++
			if status < 500 {
				return false
			}
		}
		if !s.load.Retry {
			return false
		}
		select {
		case <-time.After(time.Duration(try+1) * 20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return false
}

func (s *sender) close() {
	if s.conn != nil {
		s.uncancel()
		s.conn.Close()
		s.conn = nil
	}
}

func (s *sender) exchange(ctx context.Context, request []byte) (status int, err error) {
	if s.conn == nil {
		dialer := net.Dialer{Timeout: 5 * time.Second}
		if s.conn, err = dialer.DialContext(ctx, "tcp", s.load.Address); err != nil {
			s.conn = nil
			return 0, err
		}
		conn := s.conn
		s.uncancel = context.AfterFunc(ctx, func() { conn.Close() }) // ends a wait for an answer
		s.in = bufio.NewReaderSize(conn, 4096)
	}
	if err := s.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return 0, err
	}
	if _, err := s.conn.Write(request); err != nil {
		return 0, err
	}
	return s.readAnswer()
}

var (
	contentLength = []byte("content-length:")
	closing       = []byte("connection: close")
	errAnswer     = errors.New("not an HTTP answer that is understood")
)

// readAnswer reads status and headers, and skips the body. Our servers always announce its length.
func (s *sender) readAnswer() (status int, err error) {
	line, err := s.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, errAnswer
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, errAnswer
	}
	length, ends := 0, false
	for {
		if line, err = s.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		switch line[0] | 0x20 {
		case 'c':
			if rest, ok := cutFold(line, contentLength); ok {
				if length, err = strconv.Atoi(string(bytes.TrimSpace(rest))); err != nil {
					return 0, errAnswer
				}
			} else if _, ok := cutFold(line, closing); ok {
				ends = true
			}
		case 't': // Transfer-Encoding or Trailer
			return 0, errAnswer
		}
	}
	if _, err := s.in.Discard(length); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if ends {
		s.close()
	}
	return status, nil
}

func cutFold(line, prefix []byte) ([]byte, bool) {
	if len(line) < len(prefix) || !bytes.EqualFold(line[:len(prefix)], prefix) {
		return nil, false
	}
	return line[len(prefix):], true
}
