package app

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestAttack_reading_topic: a topic is not signed. Whoever has seen a delivery must not be able to send its body again
// as something that we have read from the store, which would count as the store's last word.
func TestAttack_reading_topic(t *testing.T) {
	for topic, want := range map[string]string{
		affiliate.TopicOrderRead: "sent api/order", affiliate.TopicOrderGone: "sent api/gone", "api/": "sent api/",
		"order.updated": "order.updated", "": "",
	} {
		if got := sentTopic(topic); got != want {
			t.Errorf("%q is kept as %q, want %q", topic, got, want)
		}
	}
}

// TestReadingDelivery: what a reading is kept as, and that it says the same when it is taken up.
func TestReadingDelivery(t *testing.T) {
	began := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	r := reading{store: 3, job: 7, order: affiliate.StoreOrder{ID: "12"}, gone: true,
		found: string(affiliate.DriftExtra), began: began, read: began.Add(1500 * time.Microsecond)}
	d := r.delivery()
	if again := r.delivery(); again.Key != d.Key {
		t.Error("the same reading has two keys")
	}
	other := r
	if other.job = 8; other.delivery().Key == d.Key {
		t.Error("readings of two jobs have one key: the second would not be kept")
	}
	headers, body, err := UnpackPayload(d.Payload)
	if err != nil || string(body) != `{"id":"12"}` {
		t.Fatalf("%s, %v", body, err)
	}
	if got := headerOf(headers).Get(headerRead); got != "2026-11-20T09:00:00.0015Z" {
		t.Errorf("read at %s", got)
	}
	parsed, err := parseGone(body)
	if err != nil || len(parsed.Events) != 1 || !parsed.Events[0].Gone || parsed.Events[0].OrderID != "12" {
		t.Errorf("%+v, %v", parsed, err)
	}
	if _, err := parseGone([]byte(`{}`)); err == nil {
		t.Error("a body without an order is no error")
	}
}
