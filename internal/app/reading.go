package app

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// What a store's API says of an order is kept as a delivery and goes the way of deliveries from there: it is merged,
// shown, replayed, purged and erased like them. Its headers are ours.
const (
	headerRead  = "Tributary-Read"  // Snapshot.Read, in RFC 3339
	headerFound = "Tributary-Found" // why it was kept: a word of affiliate.DriftKind, settled or history
)

var readingHeaders = []string{headerRead, headerFound}

// Words of headerFound beside those of affiliate.DriftKind.
const (
	foundSettled = "settled"
	foundHistory = "history"
)

// foundNotes say to people why a reading was kept.
var foundNotes = map[string]string{
	string(affiliate.DriftMissing): "Found by comparing with the store: no delivery had told of this order",
	string(affiliate.DriftBehind):  "Found by comparing with the store: the delivery of this version never came",
	string(affiliate.DriftDifferent): "Found by comparing with the store: the order here was different, though of " +
		"the same version",
	string(affiliate.DriftExtra): "Found by comparing with the store: it has this order no more",
	foundSettled:                 "Read from the store, to settle what deliveries left open",
	foundHistory:                 "Fetched from the store's past orders",
}

// reading is an order as a store's API told it, about to be kept.
type reading struct {
	store affiliate.StoreID
	job   affiliate.StoreJobID
	order affiliate.StoreOrder
	gone  bool
	found string
	began time.Time // when it was asked for, by our clock
	read  time.Time // OrderPage.ReadAt
}

// delivery makes it one. Within a job the same body of an order is kept once.
func (r reading) delivery() storage.NewDelivery {
	topic, body := affiliate.TopicOrderRead, r.order.Body
	if r.gone {
		topic = affiliate.TopicOrderGone
		body, _ = json.Marshal(map[string]string{"id": r.order.ID}) // of texts alone
	}
	h := http.Header{headerFound: {r.found}}
	if !r.read.IsZero() {
		h[headerRead] = []string{r.read.UTC().Format(time.RFC3339Nano)}
	}
	sum := sha256.New()
	sum.Write([]byte(topic + "\x00" + r.order.ID + "\x00"))
	sum.Write(binary.BigEndian.AppendUint64(nil, uint64(r.job)))
	sum.Write(body)
	return storage.NewDelivery{StoreID: r.store, Key: [16]byte(sum.Sum(nil)[:16]), Topic: topic, ReceivedAt: r.began,
		Payload: packPayload(readingHeaders, h, body)}
}

// said is what a kept delivery says, with its events stamped.
type said struct {
	affiliate.Parsed
	note string
}

// readKept parses a kept delivery's body, whether the store sent it or we read it.
func readKept(platform Platform, d storage.Delivery) (said, error) {
	lines, body, err := UnpackPayload(d.Payload)
	if err != nil {
		return said{}, err
	}
	h := headerOf(lines)
	var s said
	triggered := platform.Triggered(h)
	if triggered.After(d.ReceivedAt.Add(triggeredSkew)) {
		triggered = time.Time{} // the header is not signed, and nothing comes in before it was sent
	}
	s.Parsed, err = safely("parsing", func() (affiliate.Parsed, error) {
		if d.Topic == affiliate.TopicOrderGone {
			return parseGone(body)
		}
		return platform.Parse(d.Topic, body)
	})
	if err != nil {
		return s, err
	}
	var read time.Time
	if strings.HasPrefix(d.Topic, affiliate.TopicRead) {
		read, _ = time.Parse(time.RFC3339Nano, h.Get(headerRead)) // written by us, or not at all
		s.note = foundNotes[h.Get(headerFound)]
	}
	stamp(s.Events, d.ReceivedAt.Time, triggered, read)
	return s, nil
}

func parseGone(body []byte) (affiliate.Parsed, error) {
	var order struct{ ID string }
	if err := json.Unmarshal(body, &order); err != nil || order.ID == "" {
		return affiliate.Parsed{}, affiliate.FieldErrorf("body", "does not name an order")
	}
	return affiliate.Parsed{Events: []affiliate.Event{{OrderID: order.ID, Gone: true}}}, nil
}

// stamp notes on events when they came in, when the store says it triggered them, and when they were read from it.
func stamp(events []affiliate.Event, came, triggered, read time.Time) {
	for i := range events {
		e := &events[i]
		e.Received = came
		if e.Part != nil {
			e.Part.Came(came, read)
		}
		if e.Snapshot != nil {
			e.Snapshot.Came(came, triggered, read)
		}
	}
}
