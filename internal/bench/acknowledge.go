//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/simulate"
)

// acknowledgements measures part (a): deliveries acknowledged by a receiver process against the reference handler.
func (b *bench) acknowledgements(ctx context.Context) error {
	for _, where := range b.chosen("ack") {
		if err := b.acknowledge(ctx, where); err != nil {
			return fmt.Errorf("acknowledgements, %s: %w", where, err)
		}
	}
	return nil
}

func (b *bench) acknowledge(ctx context.Context, where backend) error {
	d, err := b.newDuel(ctx, where)
	if err != nil {
		return err
	}
	defer d.stop()
	d.length = b.pick(4*time.Second, time.Second)
	templates := requestsOf(5000)
	for _, connections := range []int{32, 128} {
		reference, durable, err := d.fight(ctx, connections,
			func(address string, length time.Duration) simulate.Outcome {
				return hammer(ctx, address, templates, connections, length)
			})
		if err != nil {
			return err
		}
		b.addAcknowledgements(where, connections, reference, durable)
	}
	return nil
}

// webhookID is the header whose value makes each request a new delivery.
var webhookID = []byte("X-Shopify-Webhook-Id: ")

// requestsOf gives Shopify requests whose bodies have about the given size.
func requestsOf(size int) [][]byte {
	g := simulate.NewGenerator(simulate.Plan{Platform: shopify.Name, Store: stores[shopify.Name],
		Secret: secret, Orders: 4000, Seed: 7, Now: time.Now(), MinSize: size, MaxSize: size, Currency: "USD",
		Owners: simulate.DefaultOwners(40)})
	var list [][]byte
	for len(list) < 2000 {
		request := g.Next()
		if request == nil {
			panic(errors.New("not enough requests of this size"))
		}
		if n := bodySize(request); n > size*8/10 && n < size*12/10 {
			list = append(list, request)
		}
	}
	return list
}

func bodySize(request []byte) int { return len(request) - bytes.Index(request, []byte("\r\n\r\n")) - 4 }

// hammer sends new deliveries over all connections for a while.
func hammer(ctx context.Context, address string, templates [][]byte, connections int,
	length time.Duration) simulate.Outcome {
	var over atomic.Bool
	defer time.AfterFunc(length, func() { over.Store(true) }).Stop()
	var serial atomic.Uint64
	serial.Store(uint64(time.Now().UnixNano()))
	buffers := make([][]byte, connections)
	next := func(connection int) []byte {
		if over.Load() {
			return nil
		}
		n := serial.Add(1)
		buffer := append(buffers[connection][:0], templates[n%uint64(len(templates))]...)
		writeDigits(buffer[bytes.Index(buffer, webhookID)+len(webhookID):], n)
		buffers[connection] = buffer
		return buffer
	}
	return simulate.Load{Address: address, Connections: connections, Next: next}.Run(ctx)
}

// writeDigits puts a number in hexadecimal over the first 8 and the last 12 digits of an id.
func writeDigits(id []byte, n uint64) {
	const digits = "0123456789abcdef"
	for _, i := range []int{0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31} {
		id[i] = digits[n&15]
		n >>= 4
	}
}
