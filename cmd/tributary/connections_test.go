package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/attack"
)

// TestAttack_connections_race: however many connections somebody opens and says nothing, or half a header, others are
// answered, and those at work go on.
func TestAttack_connections_race(t *testing.T) {
	const most = 50
	letGo := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-letGo
		}
		fmt.Fprint(w, "answer")
	}))
	bound := newConnections(most)
	counted := server.Config.ConnState
	server.Config.ConnState = func(c net.Conn, s http.ConnState) {
		bound.changed(c, s)
		if counted != nil {
			counted(c, s)
		}
	}
	server.Start()
	defer server.Close()
	open := func(text string) net.Conn {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		ok(t, err)
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprint(c, text)
		return c
	}
	answered := func(c net.Conn) {
		t.Helper()
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		ok(t, err)
		text, err := io.ReadAll(answer.Body)
		if ok(t, err); string(text) != "answer" {
			t.Errorf("answered %q", text)
		}
	}
	slow := open("GET /slow HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
	eventually(t, "the slow one is at work", func() bool {
		bound.mu.Lock()
		defer bound.mu.Unlock()
		return len(bound.all) == 1 && bound.waiting.Len() == 0
	})
	for n := range attack.Size(300, 5000) {
		open([]string{"", "GET / HTTP/1.1\r\nHost: t\r\nX-", "GET / HTTP/1.1\r\nHost: t\r\n\r\n"}[n%3])
		if n%50 == 0 {
			answered(open("GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"))
		}
	}
	close(letGo)
	answered(slow)
	eventually(t, "no more are open than may be", func() bool {
		bound.mu.Lock()
		defer bound.mu.Unlock()
		return len(bound.all) <= most && bound.waiting.Len() <= most
	})
}
