package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// openConnections is how many connections may be open at once. Each takes some 20 KB.
const openConnections = 8000

// connections bounds how many are open. Where there are too many, that one is closed which has waited longest without
// sending a whole header: one that is idle, or one that somebody opens to hold it. Those at work are never closed; if
// all are at work, the newest is.
type connections struct {
	most int

	mu      sync.Mutex
	all     map[net.Conn]*list.Element // nil: at work
	waiting list.List                  // of net.Conn, the one that has waited longest first
}

func newConnections(most int) *connections {
	return &connections{most: most, all: map[net.Conn]*list.Element{}}
}

// changed follows the state of a connection; it is a hook of http.Server.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	var tooMany net.Conn
	c.mu.Lock()
	if e := c.all[conn]; e != nil {
		c.waiting.Remove(e)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		if len(c.all) >= c.most && state == http.StateNew {
			tooMany = conn
			if e := c.waiting.Front(); e != nil {
				tooMany = c.waiting.Remove(e).(net.Conn)
				delete(c.all, tooMany)
			}
		}
		if tooMany != conn {
			c.all[conn] = c.waiting.PushBack(conn)
		}
	case http.StateActive:
		c.all[conn] = nil
	case http.StateHijacked, http.StateClosed:
		delete(c.all, conn)
	}
	c.mu.Unlock()
	if tooMany != nil {
		tooMany.Close()
	}
}
