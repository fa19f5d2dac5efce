//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/internal/simulate"
)

const (
	linkConnections = 32
	visitorNetworks = 4000
)

// links measures part (c): redirects of a receiver process, which records every click, against a bare gin redirect.
func (b *bench) links(ctx context.Context) error {
	for _, where := range b.chosen("links") {
		if err := b.redirects(ctx, where); err != nil {
			return fmt.Errorf("links, %s: %w", where, err)
		}
	}
	return nil
}

func (b *bench) redirects(ctx context.Context, where backend) error {
	d, err := b.newDuel(ctx, where)
	if err != nil {
		return err
	}
	defer d.stop()
	d.length = b.pick(3*time.Second, time.Second)
	var requests [][]byte
	// More clicks than people make are not recorded of one network: the visitors come from many, by way of a proxy.
	d.site.env = append(d.site.env, "TRUSTED_PROXIES=127.0.0.1")
	for i := range visitorNetworks {
		w := d.site.owners[i%len(d.site.owners)]
		requests = append(requests, []byte(
			"GET /l/"+w.Slug+" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 "+
				"like Mac OS X) "+
				"AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 400.0."+strconv.Itoa(
				i)+"\r\nAccept: text/html\r\nAccept-Language: en\r\n"+
				"X-Forwarded-For: 10."+strconv.Itoa(i>>8)+"."+strconv.Itoa(i&0xff)+".1\r\n"+
				"Referer: https://l.instagram.com/\r\n\r\n"))
	}
	bare, ours, err := d.fight(ctx, linkConnections, func(address string, length time.Duration) simulate.Outcome {
		return repeat(ctx, address, requests, length)
	})
	if err != nil {
		return err
	}
	b.addLinks(where, bare, ours)
	return nil
}

// repeat sends the requests in turn over all connections for a while.
func repeat(ctx context.Context, address string, requests [][]byte, length time.Duration) simulate.Outcome {
	end := time.Now().Add(length)
	at := make([]int, linkConnections)
	next := func(connection int) []byte {
		if !time.Now().Before(end) {
			return nil
		}
		at[connection]++
		return requests[(at[connection]+connection)%len(requests)]
	}
	return simulate.Load{Address: address, Connections: linkConnections, Next: next, Redirects: true}.Run(ctx)
}

// starts measures how long the embedded default takes from its start until it is ready, and what it keeps in memory
// when it has nothing to do.
func (b *bench) starts(ctx context.Context) error {
	if len(b.chosen("idle")) == 0 {
		return nil
	}
	site, err := b.newSite(ctx, embedded, (*site).fillStores)
	if err != nil {
		return err
	}
	var ready []time.Duration
	var resident int64
	for round := range 3 {
		begin := time.Now()
		server, err := site.serve(ctx, "receiver,worker,web")
		if err != nil {
			return err
		}
		ready = append(ready, time.Since(begin))
		if round == 2 {
			select {
			case <-time.After(b.pick(5*time.Second, 2*time.Second)):
			case <-ctx.Done():
			}
			resident, err = residentBytes(server.cmd.Process.Pid)
		}
		server.stop()
		if err != nil {
			return err
		}
		b.note("  %-18s ready after %s", embedded, short(ready[round]))
	}
	b.addStart(ready, resident)
	return ctx.Err()
}

// residentBytes is the memory of a process that is in RAM.
func residentBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0, err
	}
	return resident * int64(os.Getpagesize()), nil
}
