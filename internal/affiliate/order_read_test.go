package affiliate

import (
	"slices"
	"testing"
	"time"
)

// read makes a snapshot one that was read from the store, some seconds after the order was placed by the store's clock,
// and received makes it come in then by ours.
func read(seconds int) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Read = placed.Add(time.Duration(seconds) * time.Second).UnixMicro()
		s.Received = s.Read
	}
}

func received(seconds int) func(*Snapshot) { return came(seconds*1000, -1) }

func eventAt(seconds int, e Event) Event {
	e.OrderID, e.Received = "1", placed.Add(time.Duration(seconds)*time.Second)
	return e
}

// TestReading: what the store's API says, beside what deliveries said, in any order of arrival.
func TestReading(t *testing.T) {
	unclear := Refund{ID: "r1", Status: RefundSettled, Currency: "USD", Amount: 6000, Unclear: true}
	rows := Refund{ID: "r1", Status: RefundSettled, Currency: "USD", Amount: 6000, ByLines: true, Lines: 1000}
	full := func(s *Snapshot) { s.RefundsComplete = true }
	deleted, restored, gone := Event{Deleted: true}, Event{Restored: true}, Event{Gone: true}
	edited := Event{OrderID: "1", Edited: placed.Add(5 * time.Second)}
	click := func(s *Snapshot) { s.Links = []LinkEvidence{{Kind: EvidenceClick, Value: "abc"}} }
	utm := func(s *Snapshot) { s.Links = []LinkEvidence{{Kind: EvidenceUTM, Value: "anna"}} }
	for _, c := range []struct {
		name   string
		events []Event
		status OrderStatus
		value  int64
		doubts []Doubt
	}{
		{"two versions of one second are in doubt", []Event{snap(1, StorePending, received(2)),
			snap(1, StorePaid, received(3))}, Paid, 10000, []Doubt{DoubtSameSecond}},
		{"a reading after that second settles them", []Event{snap(1, StorePending, received(2)),
			snap(1, StorePaid, received(3)), snap(1, StorePending, read(4))}, Pending, 10000, nil},
		{"one within that second does not", []Event{snap(1, StorePending, received(1)),
			snap(1, StorePaid, received(3)), snap(1, StorePending, read(1))}, Paid, 10000, []Doubt{DoubtSameSecond}},
		{"what came in before a reading is older, also when it is taken up later", []Event{
			snap(1, StorePending, read(4)), snap(1, StorePaid, received(3))}, Pending, 10000, nil},
		{"what comes in after it and differs is a new doubt", []Event{snap(1, StorePending, read(4)),
			snap(1, StorePaid, received(5))}, Pending, 10000, []Doubt{DoubtSameSecond}},
		{"what comes in after it and is the same is none", []Event{snap(1, StorePaid, read(4)),
			snap(1, StorePaid, received(5))}, Paid, 10000, nil},
		{"a later reading beats an earlier one", []Event{snap(1, StorePaid, full, withRefunds(rows), read(4)),
			snap(1, StorePaid, full, read(9))}, Paid, 10000, nil},
		{"a newer version beats a reading", []Event{snap(1, StorePending, read(4)), snap(2, StorePaid, received(5))},
			Paid, 10000, nil},
		{"a refund's rows are read", []Event{snap(1, StorePaid, full, withRefunds(unclear), received(2)),
			snap(1, StorePaid, full, withRefunds(rows), read(3))}, Paid, 9000, nil},
		{"and stay known when a later delivery does not tell them", []Event{
			snap(1, StorePaid, full, withRefunds(rows), read(3)),
			snap(5, StorePaid, full, withRefunds(unclear), received(6))}, Paid, 9000, nil},
		{"deleted for good", []Event{snap(1, StorePaid, received(2)), eventAt(9, gone)}, Canceled, 0, nil},
		{"gone and back from a backup", []Event{snap(1, StorePaid, received(2)), eventAt(9, gone),
			snap(1, StorePaid, read(12))}, Paid, 10000, nil},
		{"trashed after it was read", []Event{snap(1, StorePaid, read(3)), eventAt(9, deleted)}, Canceled, 0, nil},
		{"trashed, restored in silence, and read", []Event{snap(1, StorePaid, received(2)), eventAt(3, deleted),
			snap(1, StorePaid, read(9))}, Paid, 10000, nil},
		{"a deletion after a restoration is in doubt", []Event{snap(1, StorePaid, received(2)), eventAt(3, deleted),
			eventAt(4, restored), eventAt(5, deleted)}, Paid, 10000, []Doubt{DoubtDeletion}},
		{"until it is found", []Event{snap(1, StorePaid, received(2)), eventAt(3, deleted), eventAt(4, restored),
			eventAt(5, deleted), snap(1, StorePaid, read(9))}, Paid, 10000, nil},
		{"or is gone", []Event{snap(1, StorePaid, received(2)), eventAt(3, deleted), eventAt(4, restored),
			eventAt(5, deleted), eventAt(9, gone)}, Canceled, 0, nil},
		{"an edit nobody saw", []Event{snap(1, StorePaid, received(2)), edited}, Paid, 10000, []Doubt{DoubtEdited}},
		{"until it is read", []Event{snap(1, StorePaid, received(2)), edited, snap(1, StorePaid, read(9))}, Paid, 10000,
			nil},
		{"a delivery's link stays above one that is read", []Event{snap(1, StorePaid, click, received(2)),
			snap(2, StorePaid, utm, read(9))}, Paid, 10000, nil},
	} {
		for _, backwards := range []bool{false, true} {
			events := slices.Clone(c.events)
			if backwards {
				slices.Reverse(events)
			}
			v := viewOf(events...)
			if v.Status != c.status || v.Value != c.value || !slices.Equal(v.Doubts, c.doubts) {
				t.Errorf("%s (backwards %v): %s %d %v, want %s %d %v", c.name, backwards, v.Status, v.Value, v.Doubts,
					c.status, c.value, c.doubts)
			}
			if len(c.events[0].snapshotLinks()) > 0 && (len(v.Links) != 1 || v.Links[0].Kind != EvidenceClick) {
				t.Errorf("%s: links %v", c.name, v.Links)
			}
		}
	}
}

func (e Event) snapshotLinks() []LinkEvidence {
	if e.Snapshot == nil {
		return nil
	}
	return e.Snapshot.Links
}
