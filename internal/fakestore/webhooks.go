package fakestore

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"time"
)

// webhook is one that was made by the API.
type webhook struct {
	id       int64
	name     string
	topic    string // as deliveries name it: "orders/create", "order.created"
	address  string
	secret   string
	status   string // active, paused or disabled, where the platform has statuses
	failures int    // in a row
	made     time.Time
	updated  time.Time
}

// delivery is one request that is to be sent. What it says is made up when it is sent first, and kept.
type delivery struct {
	webhook  *webhook
	topic    string
	order    int64 // 0: about none
	attempts int
	taken    bool
	request  func() (http.Header, []byte)
	header   http.Header
	body     []byte
}

// send queues a delivery for each active webhook of a topic. request is called while the shop is locked, when the
// delivery is sent.
func (s *Shop) send(topic string, order int64, request func(*webhook) (http.Header, []byte)) {
	for _, hook := range s.webhooks {
		if hook.topic == topic && hook.status == active {
			s.queue = append(s.queue, &delivery{webhook: hook, topic: topic, order: order,
				request: func() (http.Header, []byte) { return request(hook) }})
		}
	}
}

const (
	active   = "active"
	paused   = "paused"
	disabled = "disabled"
)

// Sent counts deliveries.
type Sent struct {
	Taken    int // answered as the store wishes
	Repeated int // sent a second time though they were taken
	Failed   int // answered otherwise, or not at all
	Lost     int // by Faults.Drop
}

// Sent counts those up to now.
func (s *Shop) Sent() Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// Waiting is how many deliveries are queued.
func (s *Shop) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// Flush sends what is queued, one after another; what is to be sent again waits for the next time. The error is that of
// ctx: what is not sent then stays queued.
func (s *Shop) Flush(ctx context.Context) error {
	s.mu.Lock()
	batch := s.shuffled(s.queue)
	s.queue = nil
	s.mu.Unlock()
	for i, d := range batch {
		if err := ctx.Err(); err != nil {
			s.mu.Lock()
			s.queue = append(batch[i:], s.queue...)
			s.mu.Unlock()
			return err
		}
		s.deliver(ctx, d)
	}
	return nil
}

// shuffled loses, repeats and mixes deliveries as the faults say.
func (s *Shop) shuffled(queue []*delivery) (batch []*delivery) {
	for _, d := range queue {
		if s.random.Float64() < s.faults.Drop {
			s.sent.Lost++
			continue
		}
		batch = append(batch, d)
		if s.random.Float64() < s.faults.Repeat {
			batch = append(batch, d)
		}
	}
	if s.faults.Shuffle {
		s.random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	return batch
}

func (s *Shop) deliver(ctx context.Context, d *delivery) {
	s.mu.Lock()
	// A webhook that was switched off or deleted meanwhile sends nothing any more.
	if d.webhook.status != active || !slices.Contains(s.webhooks, d.webhook) {
		s.mu.Unlock()
		return
	}
	if d.header == nil {
		d.header, d.body = d.request()
	}
	d.attempts++
	address := d.webhook.address
	s.mu.Unlock()

	status := s.post(ctx, address, d.header, d.body)

	s.mu.Lock()
	defer s.mu.Unlock()
	taken, again := s.face.answered(d, status)
	switch {
	case !taken:
		s.sent.Failed++
	case d.taken:
		s.sent.Repeated++
	default:
		s.sent.Taken++
	}
	d.taken = d.taken || taken
	if again && !d.taken {
		s.queue = append(s.queue, d)
	}
}

// post gives the status of the answer; 0 for none.
func (s *Shop) post(ctx context.Context, address string, header http.Header, body []byte) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header = header.Clone()
	answer, err := s.Client.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)) // so that the connection is used again
	return answer.StatusCode
}

// WebhookCount is how many webhooks there are.
func (s *Shop) WebhookCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.webhooks)
}

// DropWebhook deletes the webhooks of a topic, as somebody in the admin would.
func (s *Shop) DropWebhook(topic string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhooks = slices.DeleteFunc(s.webhooks, func(w *webhook) bool { return w.topic == topic })
}

// DisableWebhook switches off the webhooks of a topic. A platform without such a status shows them no more.
func (s *Shop) DisableWebhook(topic string) {
	s.setWebhooks(topic, func(w *webhook) { w.status = disabled })
}

// SetWebhookAddress has the webhooks of a topic deliver to another address.
func (s *Shop) SetWebhookAddress(topic, address string) {
	s.setWebhooks(topic, func(w *webhook) { w.address = address })
}

// SetWebhookTopic has the webhooks of a topic tell of another.
func (s *Shop) SetWebhookTopic(topic, other string) {
	s.setWebhooks(topic, func(w *webhook) { w.topic = other })
}

func (s *Shop) setWebhooks(topic string, set func(*webhook)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.webhooks {
		if w.topic == topic {
			set(w)
			w.updated = s.now()
		}
	}
}
