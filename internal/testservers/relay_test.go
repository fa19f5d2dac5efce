//go:build unix

package testservers

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

// A relay carries both ways; a silent connection stays open and says nothing, others go on.
func TestRelay(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c) }()
		}
	}()
	r := NewRelay(t, listener.Addr().String())
	dial := func() net.Conn {
		c, err := net.Dial("tcp", r.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	echoes := func(c net.Conn) error {
		_ = c.SetDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := io.WriteString(c, "word\n"); err != nil {
			return err
		}
		_, err := bufio.NewReader(c).ReadString('\n')
		return err
	}
	silent := func(err error) bool {
		timeout, is := err.(net.Error)
		return is && timeout.Timeout()
	}

	first := dial()
	if err := echoes(first); err != nil {
		t.Fatalf("a new connection: %v", err)
	}
	r.Silence()
	if err := echoes(first); !silent(err) {
		t.Errorf("a silenced connection: %v, want no answer", err)
	}
	second := dial()
	if err := echoes(second); err != nil {
		t.Errorf("a connection made after the others were silenced: %v", err)
	}
	r.SilenceAll()
	if third := dial(); !silent(echoes(second)) || !silent(echoes(third)) {
		t.Error("with all silenced a connection answers")
	}
	r.Pass()
	if err := echoes(dial()); err != nil {
		t.Errorf("a new connection after Pass: %v", err)
	}
	if err := echoes(second); !silent(err) {
		t.Errorf("a silenced connection after Pass: %v, want no answer", err)
	}
	fifth := dial()
	if err := echoes(fifth); err != nil {
		t.Fatal(err)
	}
	r.Cut()
	if err := echoes(fifth); err == nil || silent(err) {
		t.Errorf("a connection that was cut: %v, want its end", err)
	}
}
