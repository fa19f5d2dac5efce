//go:build unix

package testservers

import (
	"fmt"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Relay stands between a program and a server and carries what they say to each other, until it is told to do so badly:
// a server that is stopped answers with a reset at once, but a network that breaks, or a proxy that hangs, says nothing
// at all.
type Relay struct {
	Addr string // host:port to connect to instead of the server's

	to       string
	listener net.Listener

	mu     sync.Mutex
	mute   bool // new connections are silent from their start
	links  map[*relayLink]struct{}
	made   int
	closed bool
	work   sync.WaitGroup
}

// relayLink is one connection with its other half.
type relayLink struct {
	near   net.Conn
	silent chan struct{} // closed when nothing is carried any more
	ended  chan struct{}
	once   [2]sync.Once
}

// NewRelay starts a relay to an address, host:port. It ends with the test.
func NewRelay(t testing.TB, to string) *Relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start a relay to %s: %v", to, err)
	}
	r := &Relay{Addr: listener.Addr().String(), to: to, listener: listener, links: map[*relayLink]struct{}{}}
	r.work.Go(r.accept)
	t.Cleanup(r.Close)
	return r
}

// Through gives the address of a server with this relay in its place.
func (r *Relay) Through(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(fmt.Sprintf("relay: %q is no address: %v", address, err))
	}
	u.Host = r.Addr
	return u.String()
}

// HostOf gives the host:port of a server's address, for [NewRelay].
func HostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(fmt.Sprintf("relay: %q is no address: %v", address, err))
	}
	return u.Host
}

// Silence lets the connections that there are carry nothing any more, without closing them, also not when one side
// does: what is sent is taken until buffers are full, and lost. New connections work.
func (r *Relay) Silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.links {
		l.hush()
	}
}

// SilenceAll is [Relay.Silence] for those that come as well: they are accepted and carry nothing.
func (r *Relay) SilenceAll() {
	r.mu.Lock()
	r.mute = true
	r.mu.Unlock()
	r.Silence()
}

// Pass lets new connections work again. Those that were silent stay so, as what they carried is lost.
func (r *Relay) Pass() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mute = false
}

// Cut closes all connections that there are.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.links {
		l.end()
	}
}

// Connections says how many connections were made so far.
func (r *Relay) Connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.made
}

// Close ends the relay and all its connections.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	_ = r.listener.Close()
	r.Cut()
	r.work.Wait()
}

func (r *Relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.work.Go(func() { r.carry(near) })
	}
}

func (r *Relay) carry(near net.Conn) {
	l := &relayLink{near: near, silent: make(chan struct{}), ended: make(chan struct{})}
	r.mu.Lock()
	r.made++
	if r.mute {
		l.hush()
	}
	mute, closed := r.mute, r.closed
	r.links[l] = struct{}{}
	r.mu.Unlock()
	defer func() {
		l.end()
		r.mu.Lock()
		delete(r.links, l)
		r.mu.Unlock()
	}()
	if closed {
		return
	}
	if mute {
		<-l.ended
		return
	}
	far, err := net.DialTimeout("tcp", r.to, 10*time.Second)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { l.copy(near, far) })
	both.Go(func() { l.copy(far, near) })
	<-l.ended
	_, _ = near.Close(), far.Close()
	both.Wait()
}

// copy carries one direction. A link that has fallen silent reads no more and notices no end.
func (l *relayLink) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-l.silent:
			<-l.ended
			return
		default:
		}
		if err == nil {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			l.end()
			return
		}
	}
}

func (l *relayLink) hush() { l.once[0].Do(func() { close(l.silent) }) }

func (l *relayLink) end() {
	l.once[1].Do(func() {
		close(l.ended)
		_ = l.near.Close()
	})
}
