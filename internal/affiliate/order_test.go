package affiliate

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var placed = time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC)

func at(seconds int) int64 { return placed.Add(time.Duration(seconds) * time.Second).UnixMilli() }

// snap builds a snapshot of an order of 100.00 merchandise and 120.00 total.
func snap(seconds int, status StoreStatus, change ...func(*Snapshot)) Event {
	s := Snapshot{Version: at(seconds), Number: "#1", PlacedAt: placed, Currency: "USD", Status: status,
		RawStatus: string(status), Total: 12000, Merchandise: 10000}
	if status == StorePaid || status == StoreRefunded {
		s.PaymentDate, s.Captured = true, s.Total
	}
	for _, f := range change {
		f(&s)
	}
	s.Hash = hashOf(s)
	return Event{OrderID: "1", Snapshot: &s}
}

// hashOf leaves out when it came, as the hash of a real snapshot does.
func hashOf(s Snapshot) string {
	s.Received, s.Triggered, s.Read = 0, 0, 0
	text, _ := json.Marshal(struct {
		Snapshot
		R []Refund
	}{s, s.Refunds})
	return fmt.Sprintf("%016x", rand.New(rand.NewPCG(uint64(len(text)), checksum(text))).Uint64())
}

func checksum(b []byte) uint64 {
	sum := uint64(14695981039346656037)
	for _, c := range b {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return sum
}

func amountRefund(id string, amount int64) Refund {
	return Refund{ID: id, Status: RefundSettled, Currency: "USD", Amount: amount}
}

func withRefunds(list ...Refund) func(*Snapshot) { return func(s *Snapshot) { s.Refunds = list } }

// charged makes a snapshot say what was charged, as a Shopify body does.
func charged(s *Snapshot) { s.Charged = s.Captured }

// halved is the order after an edit that removed half of it.
func halved(s *Snapshot) {
	s.Merchandise, s.Total = s.Merchandise/2, s.Total/2
	if s.PaymentDate {
		s.Captured, s.Charged = s.Total, s.Total
	}
}

func merged(events ...Event) OrderState {
	var s OrderState
	for i, e := range events {
		if e.Received.IsZero() {
			e.Received = placed.Add(time.Duration(i) * time.Millisecond)
		}
		s = s.Merge(e)
	}
	return s
}

// viewOf is what people see of an order whose store's owner has decided nothing.
func viewOf(events ...Event) OrderView {
	v, _ := merged(events...).View(OrderRules{})
	return v
}

// came stamps a snapshot with when it came in and, unless it is negative, when it was triggered, in milliseconds.
func came(received, triggered int) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Received = placed.Add(time.Duration(received) * time.Millisecond).UnixMicro()
		if triggered >= 0 {
			s.Triggered = placed.Add(time.Duration(triggered) * time.Millisecond).UnixMicro()
		}
	}
}

func TestView(t *testing.T) {
	pendingRefund := Refund{ID: "r1", Status: RefundPending, Currency: "USD", Amount: 6000,
		Transactions: []Transaction{{ID: "t1", Refund: true, Status: RefundPending, Amount: 6000, Currency: "USD"}}}
	settled := Event{OrderID: "1", Transaction: &Transaction{ID: "t1", Refund: true, Status: RefundSettled,
		Amount: 6000, Currency: "USD"}}
	foreign := Refund{ID: "r1", Status: RefundSettled, Currency: "USD", Amount: 6000,
		Transactions: []Transaction{{ID: "t1", Refund: true, Status: RefundSettled, Amount: 4000, Currency: "EUR"}}}
	for _, c := range []struct {
		name     string
		events   []Event
		status   OrderStatus
		value    int64
		refunded int64
	}{
		{"pending shows its value", []Event{snap(0, StorePending)}, Pending, 10000, 0},
		{"paid", []Event{snap(0, StorePending), snap(1, StorePaid)}, Paid, 10000, 0},
		{"older snapshot changes nothing", []Event{snap(1, StorePaid), snap(0, StorePending)}, Paid, 10000, 0},
		{"failed is canceled", []Event{snap(0, StoreFailed)}, Canceled, 0, 0},
		{"failed, then paid", []Event{snap(0, StoreFailed), snap(1, StorePaid)}, Paid, 10000, 0},
		{"canceled beside paid money", []Event{snap(0, StorePaid, func(s *Snapshot) {
			s.Canceled = true
		})}, Canceled, 0, 0},
		{"amount refund takes its share of merchandise", []Event{snap(0, StorePaid),
			{OrderID: "1", Refund: ptr(amountRefund("r1", 1200))}}, Paid, 9000, 1200},
		{"refund by lines takes its lines, whatever money moved", []Event{snap(0, StorePaid), {OrderID: "1",
			Refund: &Refund{ID: "r1", Status: RefundSettled, Currency: "USD", Amount: 1000, ByLines: true,
				Lines: 4000}}}, Paid, 6000, 1000},
		{"shipping refund changes no value", []Event{snap(0, StorePaid), {OrderID: "1",
			Refund: &Refund{ID: "r1", Status: RefundSettled, Currency: "USD", Amount: 500, Shipping: 500}}}, Paid,
			10000, 500},
		{"tax refund changes no value", []Event{snap(0, StorePaid), {OrderID: "1",
			Refund: &Refund{ID: "r1", Status: RefundSettled, Currency: "USD", Amount: 700, Tax: 700}}}, Paid,
			10000, 700},
		{"refunds that complete the total", []Event{snap(0, StorePaid),
			{OrderID: "1", Refund: ptr(amountRefund("r1", 7000))},
			{OrderID: "1", Refund: ptr(amountRefund("r2", 5000))}}, Refunded, 0, 12000},
		{"refunded beats canceled", []Event{snap(0, StorePaid, func(s *Snapshot) {
			s.Canceled = true
		}, withRefunds(amountRefund("r1", 12000)))}, Refunded, 0, 12000},
		{"store says refunded", []Event{snap(0, StoreRefunded)}, Refunded, 0, 0},
		{"over-refund is not negative",
			[]Event{snap(0, StorePaid, withRefunds(Refund{ID: "r1", Status: RefundSettled, Currency: "USD", Amount: 100,
				ByLines: true, Lines: 11000}))}, Paid, 0, 100},
		{"refund waits for its order", []Event{{OrderID: "1", Refund: ptr(amountRefund("r1", 1200))},
			snap(0, StorePaid)}, Paid, 9000, 1200},
		{"pending refund changes nothing yet", []Event{snap(0, StorePaid), {OrderID: "1", Refund: &pendingRefund}},
			Paid, 10000, 0},
		{"pending refund settled by its transaction", []Event{snap(0, StorePaid),
			{OrderID: "1", Refund: &pendingRefund}, settled}, Paid, 5000, 6000},
		{"settled before its refund was told", []Event{settled, {OrderID: "1", Refund: &pendingRefund},
			snap(0, StorePaid)}, Paid, 5000, 6000},
		{"refund in the customer's currency counts in the store's", []Event{snap(0, StorePaid),
			{OrderID: "1", Refund: &foreign}}, Paid, 5000, 6000},
		{"refund without money", []Event{snap(0, StorePaid),
			{OrderID: "1", Refund: &Refund{ID: "r1", Status: RefundNoMoney, Currency: "USD",
				ByLines: true, Lines: 4000}}}, Paid, 10000, 0},
		{"open dispute", []Event{snap(0, StorePaid), {OrderID: "1", Dispute: &Dispute{ID: "d", Status: DisputeOpen,
			Amount: 12000, Currency: "USD"}}}, Paid, 10000, 0},
		{"lost dispute", []Event{snap(0, StorePaid), {OrderID: "1", Dispute: &Dispute{ID: "d", Status: DisputeLost,
			Amount: 12000, Currency: "USD"}}}, Refunded, 0, 12000},
		{"lost dispute over a part", []Event{snap(0, StorePaid), {OrderID: "1", Dispute: &Dispute{ID: "d",
			Status: DisputeLost, Amount: 6000, Currency: "USD"}}}, Paid, 5000, 6000},
		{"dispute lost, then won on appeal", []Event{snap(0, StorePaid),
			{OrderID: "1", Dispute: &Dispute{ID: "d", Status: DisputeLost, Amount: 6000, Currency: "USD", Version: 1}},
			{OrderID: "1", Dispute: &Dispute{ID: "d", Status: DisputeWon, Amount: 6000, Currency: "USD", Version: 2}}},
			Paid, 10000, 0},
		{"lost dispute in another currency takes what is left", []Event{snap(0, StorePaid),
			{OrderID: "1", Dispute: &Dispute{ID: "d", Status: DisputeLost, Amount: 9000, Currency: "EUR"}}},
			Refunded, 0, 12000},
		{"deleted", []Event{snap(0, StorePaid), {OrderID: "1", Deleted: true}}, Canceled, 0, 0},
		{"deleted and restored", []Event{snap(0, StorePaid), {OrderID: "1", Deleted: true},
			{OrderID: "1", Restored: true}}, Paid, 10000, 0},
		{"deleted, restored, deleted", []Event{snap(0, StorePaid), {OrderID: "1", Deleted: true},
			{OrderID: "1", Restored: true}, {OrderID: "1", Deleted: true}}, Paid, 10000, 0},
		{"deleted twice, restored once", []Event{snap(0, StorePaid), {OrderID: "1", Deleted: true},
			{OrderID: "1", Deleted: true}, {OrderID: "1", Restored: true}}, Paid, 10000, 0},
		{"restored by one from before, then deleted", []Event{snap(0, StorePaid), {OrderID: "1", Restored: true},
			{OrderID: "1", Deleted: true}}, Canceled, 0, 0},
		{"deleted, and changed long before", []Event{snap(0, StorePaid), deletedAt(3600)}, Canceled, 0, 0},
		{"deleted, and changed about then", []Event{deletedAt(3600), snap(4200, StorePaid)}, Canceled, 0, 0},
		{"deleted, and alive long after", []Event{snap(0, StorePaid), deletedAt(3600), snap(4201, StorePaid)},
			Paid, 10000, 0},
		{"alive long after, deletion told late", []Event{snap(4201, StorePaid), deletedAt(3600), snap(0, StorePaid)},
			Paid, 10000, 0},
		{"deleted again after that", []Event{deletedAt(3600), snap(4201, StorePaid), deletedAt(4300)}, Paid, 10000, 0},
		{"alive long after by a clock that is ahead", []Event{deletedAt(3600), snap(9000, StorePaid, func(s *Snapshot) {
			s.Came(placed.Add(4000*time.Second), time.Time{}, time.Time{})
		})}, Canceled, 0, 0},
		{"in the trash long after", []Event{deletedAt(3600), snap(9000, StoreCanceled)}, Canceled, 0, 0},
		{"custom status with a payment date is paid", []Event{snap(0, StorePending), snap(1, StoreCustom, paid)},
			Paid, 10000, 0},
		{"custom status alone, with a payment date", []Event{snap(1, StoreCustom, paid)}, Paid, 10000, 0},
		{"custom status without a payment date", []Event{snap(0, StoreCustom)}, Pending, 10000, 0},
		{"custom status after canceled", []Event{snap(0, StoreCanceled), snap(1, StoreCustom, paid)}, Canceled, 0, 0},
		{"custom status after refunded", []Event{snap(0, StoreRefunded), snap(1, StoreCustom, paid)}, Refunded, 0, 0},
		{"custom status after failed, never paid", []Event{snap(0, StoreFailed), snap(1, StoreCustom)}, Canceled, 0, 0},
		{"custom status after failed, paid since", []Event{snap(0, StoreFailed), snap(1, StoreCustom, paid)},
			Paid, 10000, 0},
		{"custom status after a chargeback that says failed", []Event{snap(0, StoreFailed, paid),
			snap(1, StoreCustom, paid)}, Canceled, 0, 0},
		{"unknown status keeps the last known answer", []Event{snap(0, StorePaid), snap(1, StoreUnknown)},
			Paid, 10000, 0},
		{"unknown status alone is pending", []Event{snap(0, StoreUnknown)}, Pending, 10000, 0},
		{"a custom status is decided by the owner", []Event{snap(0, StorePaid), snap(1, StoreCustom, paid,
			named("lost"))},
			Canceled, 0, 0},
		{"a custom status decided as paid is refunded with its total", []Event{snap(1, StoreCustom, named("shipped"),
			withRefunds(amountRefund("r1", 12000)))}, Refunded, 0, 12000},
		{"a negative total has no value", []Event{snap(0, StorePaid, func(s *Snapshot) {
			s.Total, s.Captured = -500, -500
		})}, Paid, 0, 0},
		{"stored money is paid as well: the share of a refund", []Event{snap(0, StorePaid, stored(8000),
			withRefunds(amountRefund("r1", 2000)))}, Paid, 9000, 2000},
		{"all charged money back, stored money kept", []Event{snap(0, StorePaid, stored(8000),
			withRefunds(amountRefund("r1", 12000)))}, Paid, 4000, 12000},
		{"all back, stored money as well", []Event{snap(0, StorePaid, stored(8000),
			withRefunds(amountRefund("r1", 20000)))}, Refunded, 0, 20000},
		{"equal versions: the later receipt decides", []Event{snap(0, StoreCanceled, came(200, -1)),
			snap(0, StorePaid, came(300, -1)), snap(0, StorePending, came(100, -1))}, Paid, 10000, 0},
		{"equal versions: back to what it was", []Event{snap(0, StorePaid, came(100, -1)),
			snap(0, StoreCanceled, came(200, -1)), snap(0, StorePaid, came(300, -1))}, Paid, 10000, 0},
		{"equal versions: the later trigger decides", []Event{snap(0, StoreCanceled, came(300, 1)),
			snap(0, StorePaid, came(200, 2))}, Paid, 10000, 0},
		{"equal versions: a trigger known of one only", []Event{snap(0, StoreCanceled, came(200, 900)),
			snap(0, StorePaid, came(300, -1))}, Paid, 10000, 0},
		{"a part's refund lowers its parent", []Event{snap(0, StorePaid), part("p1", true, 1200, 1000)}, Paid,
			9000, 1200},
		{"written into the parent as well", []Event{snap(0, StorePaid, withRefunds(amountRefund("r1", 1200))),
			part("p1", true, 1200, 1000)}, Paid, 9000, 1200},
		{"not a part's", []Event{snap(0, StorePaid), part("p1", false, 1200, 1000)}, Paid, 10000, 0},
		{"all parts back", []Event{snap(0, StorePaid), part("p1", true, 6000, 5000), part("p2", true, 6000, 5000)},
			Refunded, 0, 12000},
		{"equal versions: a payment date decides", []Event{snap(0, StorePaid), snap(0, StorePending)}, Paid, 10000, 0},
		{"equal versions: canceled over pending", []Event{snap(0, StoreCanceled), snap(0, StorePending)},
			Canceled, 0, 0},
		{"equal versions: more refunds decide", []Event{snap(0, StorePaid, withRefunds(amountRefund("r1", 1200))),
			snap(0, StorePaid)}, Paid, 9000, 1200},
		{"money back for a unit that an edit removed takes nothing else", []Event{snap(0, StorePaid, charged),
			snap(1, StorePaid, charged, halved), {OrderID: "1", Refund: ptr(amountRefund("r1", 6000))}}, Paid,
			5000, 6000},
		{"the same, told late", []Event{snap(1, StorePaid, charged, halved),
			{OrderID: "1", Refund: ptr(amountRefund("r1", 6000))}, snap(0, StorePaid, charged)},
			Paid, 5000, 6000},
		{"money back beyond the removed unit", []Event{snap(0, StorePaid, charged), snap(1, StorePaid, charged, halved),
			{OrderID: "1", Refund: ptr(amountRefund("r1", 6000))},
			{OrderID: "1", Refund: ptr(amountRefund("r2", 1200))}}, Paid, 4000, 7200},
		{"all money back after an edit", []Event{snap(0, StorePaid, charged), snap(1, StorePaid, charged, halved),
			{OrderID: "1", Refund: ptr(amountRefund("r1", 12000))}}, Refunded, 0, 12000},
		{"everything removed and all money back", []Event{snap(0, StorePaid, charged), snap(1, StorePaid, charged,
			func(s *Snapshot) {
				s.Merchandise, s.Total, s.Captured, s.Charged = 0, 0, 0, 0
			}), {OrderID: "1", Refund: ptr(amountRefund("r1", 12000))}}, Refunded, 0, 12000},
		{"a chargeback in another currency after an edit", []Event{snap(0, StorePaid, charged),
			snap(1, StorePaid, charged, halved), {OrderID: "1", Dispute: &Dispute{ID: "d", Status: DisputeLost,
				Amount: 9000, Currency: "EUR"}}},
			Refunded, 0, 12000},
		{"edited before it was paid, then a refund", []Event{snap(0, StorePending, charged),
			snap(1, StorePaid, charged, halved), {OrderID: "1", Refund: ptr(amountRefund("r1", 1200))}}, Paid,
			4000, 1200},
		{"edited before it was paid, then all money back", []Event{snap(0, StorePending, charged),
			snap(1, StorePaid, charged, halved), {OrderID: "1", Refund: ptr(amountRefund("r1", 6000))}},
			Refunded, 0, 6000},
		{"lines back after an edit", []Event{snap(0, StorePaid, charged), snap(1, StorePaid, charged, halved),
			{OrderID: "1",
				Refund: &Refund{ID: "r1", Status: RefundSettled, Currency: "USD", Amount: 1200, ByLines: true,
					Lines: 1000}}}, Paid, 4000, 1200},
		{"zero total is paid and not refunded", []Event{snap(0, StorePaid, func(s *Snapshot) {
			s.Total, s.Captured, s.Merchandise = 0, 0, 0
		})}, Paid, 0, 0},
		{"a refund that the complete list lacks was deleted", []Event{
			snap(0, StorePaid, withRefunds(amountRefund("r1", 1200)), func(s *Snapshot) { s.RefundsComplete = true }),
			snap(1, StorePaid, func(s *Snapshot) { s.RefundsComplete = true })}, Paid, 10000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, ok := merged(c.events...).View(OrderRules{Statuses: map[string]StoreStatus{"lost": StoreCanceled,
				"shipped": StorePaid}})
			if !ok {
				t.Fatal("the order is not known")
			}
			if v.Status != c.status || v.Value != c.value || v.Refunded != c.refunded {
				t.Errorf("got %s, value %d, refunded %d; want %s, %d, %d", v.Status, v.Value, v.Refunded, c.status,
					c.value, c.refunded)
			}
		})
	}
}

// paid sets the payment date, which WooCommerce never clears.
func paid(s *Snapshot) { s.PaymentDate, s.Captured = true, s.Total }

func named(status string) func(*Snapshot) { return func(s *Snapshot) { s.RawStatus = status } }

// stored pays so much beside the total with stored money.
func stored(amount int64) func(*Snapshot) {
	return func(s *Snapshot) { s.Stored, s.Captured = amount, s.Total+amount }
}

// part is a part of the order that gave so much back.
func part(id string, marketplace bool, amount, merchandise int64) Event {
	return Event{OrderID: "1", Part: &Part{ID: id, Marketplace: marketplace,
		Refunds: []PartRefund{{Currency: "USD", Amount: amount, Merchandise: merchandise}}}}
}

func deletedAt(seconds int) Event {
	return Event{OrderID: "1", Deleted: true, Received: time.UnixMilli(at(seconds)).UTC()}
}

func ptr[T any](v T) *T { return &v }

func TestViewIsUnknownWithoutABody(t *testing.T) {
	for _, e := range []Event{{OrderID: "1", Refund: ptr(amountRefund("r1", 1))}, {OrderID: "1", Deleted: true},
		{OrderID: "1", Edited: placed}} {
		if _, ok := merged(e).View(OrderRules{}); ok {
			t.Errorf("%+v made an order", e)
		}
	}
}

func TestDoubts(t *testing.T) {
	unclear := amountRefund("r1", 1200)
	unclear.Unclear = true
	for _, c := range []struct {
		name   string
		events []Event
		want   []Doubt
	}{
		{"one body", []Event{snap(0, StorePaid)}, nil},
		{"equal version, equal content", []Event{snap(0, StorePaid), snap(0, StorePaid)}, nil},
		{"equal version, other content", []Event{snap(0, StorePaid), snap(0, StorePending)}, []Doubt{DoubtSameSecond}},
		{"settled by a newer body", []Event{snap(0, StorePaid), snap(0, StorePending), snap(1, StorePaid)}, nil},
		{"the same delivery, read by newer rules", []Event{snap(0, StorePaid), snap(0, StorePending, func(s *Snapshot) {
			s.Rules = 1
		})}, nil},
		{"two deliveries, both read by newer rules", []Event{snap(0, StoreFailed),
			snap(0, StorePaid, func(s *Snapshot) {
				s.Rules = 1
			}), snap(0, StorePending, func(s *Snapshot) { s.Rules = 1 })}, []Doubt{DoubtSameSecond}},
		{"edited after the newest body", []Event{snap(0, StorePaid), {OrderID: "1", Edited: placed.Add(time.Minute)}},
			[]Doubt{DoubtEdited}},
		{"edited before the newest body", []Event{{OrderID: "1", Edited: placed.Add(time.Second)}, snap(5, StorePaid)},
			nil},
		{"a refund of unknown rows", []Event{snap(0, StorePaid, withRefunds(unclear))}, []Doubt{DoubtRefund}},
		{"it does not matter where nothing is left", []Event{snap(0, StoreRefunded, withRefunds(unclear))}, nil},
		{"rounded by the store", []Event{snap(0, StorePaid, func(s *Snapshot) { s.Rounded = true })},
			[]Doubt{DoubtRounded}},
		{"deleted", []Event{snap(0, StorePaid), deletedAt(3600)}, nil},
		{"restored", []Event{snap(0, StorePaid), deletedAt(3600), restoredAt(3700)}, nil},
		{"deleted after it was restored", []Event{snap(0, StorePaid), deletedAt(3600), restoredAt(3700),
			deletedAt(3800)},
			[]Doubt{DoubtDeletion}},
		{"told in another order", []Event{deletedAt(3800), restoredAt(3700), deletedAt(3600), snap(0, StorePaid)},
			[]Doubt{DoubtDeletion}},
		{"and restored again", []Event{snap(0, StorePaid), deletedAt(3600), restoredAt(3700), deletedAt(3800),
			restoredAt(3900)}, nil},
		{"and shown since", []Event{snap(0, StorePaid), deletedAt(3600), restoredAt(3700), deletedAt(3800),
			snap(5000, StorePaid)}, nil},
		{"deleted after a body showed it alive", []Event{deletedAt(3600), snap(4201, StorePaid), deletedAt(4300)},
			[]Doubt{DoubtDeletion}},
	} {
		if v := viewOf(c.events...); !slices.Equal(v.Doubts, c.want) {
			t.Errorf("%s: doubts are %v, want %v", c.name, v.Doubts, c.want)
		}
	}
	for _, d := range Words[Doubt]() {
		if s := d.Sentence(); s == string(d) || !strings.HasSuffix(s, ".") {
			t.Errorf("%s has no sentence: %q", d, s)
		}
	}
}

func restoredAt(seconds int) Event {
	return Event{OrderID: "1", Restored: true, Received: time.UnixMilli(at(seconds)).UTC()}
}

// TestParts: who is a part is decided by the plugin that made it, or by the store's owner.
func TestParts(t *testing.T) {
	child := func(marketplace bool) Event {
		return snap(0, StorePaid, func(s *Snapshot) { s.Parent, s.Marketplace = "7", marketplace })
	}
	for _, c := range []struct {
		order Event
		rule  PartsRule
		want  bool
	}{
		{snap(0, StorePaid), PartsAlways, false}, {child(true), "", true}, {child(true), PartsDecide, true},
		{child(true), PartsAlways, true}, {child(true), PartsNever, false}, {child(false), PartsDecide, false},
		{child(false), PartsAlways, true}, {child(false), PartsNever, false},
	} {
		v, _ := merged(c.order).View(OrderRules{Parts: c.rule})
		if v.Part != c.want {
			t.Errorf("parent %q, rule %q: part = %v", v.Parent, c.rule, v.Part)
		}
		parent := merged(snap(0, StorePaid), Event{OrderID: "1", Part: c.order.Snapshot.AsPart("9")})
		if _, ok := parent.View(OrderRules{Parts: c.rule}); !ok {
			t.Error("the parent is not known")
		}
	}
	s := snap(0, StorePaid, withRefunds(amountRefund("r1", 1200), Refund{ID: "r2", Currency: "USD", Amount: 600,
		ByLines: true, Lines: 400})).Snapshot
	if got := s.AsPart("9").Refunds; len(got) != 2 || got[0].Merchandise != 1000 || got[1].Merchandise != 400 {
		t.Errorf("refunds of the part are %+v", got)
	}
}

// TestStatesOfBefore: what was kept when deletions were counted is still read.
func TestStatesOfBefore(t *testing.T) {
	for text, want := range map[string]OrderStatus{
		`"deletions":["a"],"deleted_at":1777809600000`:                          Canceled,
		`"deletions":["a"],"restorations":["b"],"deleted_at":1777809600000`:     Paid,
		`"deletions":["a","b"],"restorations":["c"],"deleted_at":1777809600000`: Canceled,
		`"deletions":["a"]`:    Canceled,
		`"restorations":["a"]`: Paid,
	} {
		var s OrderState
		if err := json.Unmarshal([]byte(`{"newest":{"v":1777806000000,"placed_at":"2026-05-03T10:00:00Z","currency":"USD",`+
			`"status":"paid","captured":1,"total":1,"merchandise":1,"paid":true,"hash":"x"},`+text+`}`), &s); err != nil {
			t.Fatal(err)
		}
		if v, _ := s.View(OrderRules{}); v.Status != want {
			t.Errorf("%s: %s, want %s", text, v.Status, want)
		}
		first, _ := json.Marshal(s)
		var again OrderState
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatal(err)
		}
		if second, _ := json.Marshal(again); string(second) != string(first) {
			t.Errorf("written and read it is %s, was %s", second, first)
		}
	}
}

func TestRedactionHoldsForLaterBodies(t *testing.T) {
	withCustomer := func(s *Snapshot) { s.CustomerHash, s.Country = "abc", "DE" }
	for _, events := range [][]Event{
		{snap(0, StorePaid, withCustomer), {OrderID: "1", Redacted: true}},
		{{OrderID: "1", Redacted: true}, snap(0, StorePaid, withCustomer)},
		{snap(0, StorePaid, withCustomer), snap(1, StorePaid), {OrderID: "1", Redacted: true}},
		{snap(1, StorePaid), {OrderID: "1", Redacted: true}, snap(0, StorePaid, withCustomer)},
	} {
		state := merged(events...)
		if v, _ := state.View(OrderRules{}); v.CustomerHash != "" || v.Country != "" {
			t.Errorf("customer is still there: %q %q", v.CustomerHash, v.Country)
		}
		if text, _ := json.Marshal(state); strings.Contains(string(text), "abc") {
			t.Errorf("customer is still kept: %s", text)
		}
	}
}

func TestLandingIsKeptWhenALaterBodyLacksIt(t *testing.T) {
	link := LinkEvidence{Kind: EvidenceSlug, Value: "anna", Source: "landing_site"}
	v := viewOf(snap(0, StorePaid, func(s *Snapshot) { s.Links = []LinkEvidence{link} }), snap(1, StorePaid))
	if len(v.Links) != 1 || v.Links[0] != link {
		t.Errorf("links are %v, want %v", v.Links, link)
	}
}

func TestCustomerIsKeptWhenALaterBodyLacksIt(t *testing.T) {
	customer := func(hash string) func(*Snapshot) { return func(s *Snapshot) { s.CustomerHash = hash } }
	for _, c := range []struct {
		events []Event
		want   string
	}{
		{[]Event{snap(0, StorePaid, customer("anna")), snap(1, StorePaid)}, "anna"},
		{[]Event{snap(1, StorePaid), snap(0, StorePaid, customer("anna"))}, "anna"},
		{[]Event{snap(2, StorePaid), snap(0, StorePaid, customer("anna")), snap(1, StorePaid, customer("ben"))}, "ben"},
		{[]Event{snap(1, StorePaid, customer("ben")), snap(2, StorePaid), snap(0, StorePaid, customer("anna"))}, "ben"},
		{[]Event{snap(0, StorePaid, customer("anna")), snap(2, StorePaid, customer("ben")), snap(1, StorePaid)}, "ben"},
	} {
		if v := viewOf(c.events...); v.CustomerHash != c.want {
			t.Errorf("customer is %q, want %q", v.CustomerHash, c.want)
		}
	}
}

// lifecycle makes the deliveries of one plausible order: snapshots, refunds that come alone and in bodies, transactions
// that settle, deletions, disputes, custom statuses, equal versions.
func lifecycle(r *rand.Rand) []Event {
	var events []Event
	now := 0
	version := func() int {
		if r.IntN(3) > 0 {
			now++
		}
		return now
	}
	var refunds []Refund
	complete := r.IntN(2) == 0
	status := StorePending
	for range 1 + r.IntN(7) {
		switch r.IntN(9) {
		case 0, 1:
			status = []StoreStatus{StorePending, StorePaid, StorePaid, StoreFailed, StoreCanceled, StoreCustom,
				StoreRefunded, StoreUnknown}[r.IntN(8)]
		case 2, 3:
			refund := Refund{ID: fmt.Sprintf("r%d", len(refunds)), Version: at(now), Status: RefundSettled,
				Currency: "USD", Amount: int64(1 + r.IntN(9000))}
			if r.IntN(2) == 0 {
				refund.ByLines, refund.Lines = true, int64(r.IntN(5000))
			}
			if r.IntN(2) == 0 {
				refund.Status = RefundPending
				id := "t" + refund.ID
				refund.Transactions = []Transaction{{ID: id, Refund: true, Status: RefundPending, Amount: refund.Amount,
					Currency: "USD"}}
				events = append(events, Event{OrderID: "1", Transaction: &Transaction{ID: id, Refund: true,
					Currency: "USD", Amount: refund.Amount, Status: []RefundStatus{RefundSettled,
						RefundFailed}[r.IntN(2)]}})
			}
			refunds = append(refunds, refund)
			if !complete {
				events = append(events, Event{OrderID: "1", Refund: &refund})
			}
		case 4:
			events = append(events, deletedAt(now-1200+r.IntN(1300)))
		case 5:
			events = append(events, restoredAt(now-1200+r.IntN(1300)))
		case 6:
			events = append(events, Event{OrderID: "1", Dispute: &Dispute{ID: "d", Version: int64(r.IntN(2)),
				Currency: "USD", Amount: int64(r.IntN(12000)), Status: []DisputeStatus{DisputeOpen, DisputeWon,
					DisputeLost}[r.IntN(3)]}})
		case 7:
			if r.IntN(4) == 0 {
				events = append(events, Event{OrderID: "1", Redacted: true})
			}
		case 8:
			events = append(events, Event{OrderID: "1", Edited: placed.Add(time.Duration(now) * time.Second)})
		}
		listed := append([]Refund{}, refunds...)
		events = append(events, snap(version(), status, func(s *Snapshot) {
			s.Refunds, s.RefundsComplete = listed, complete
			s.Canceled = r.IntN(8) == 0
			if r.IntN(4) == 0 {
				halved(s)
			}
			if !complete {
				charged(s)
				if r.IntN(4) == 0 {
					s.Kept = &KeptGoods{Merchandise: int64(r.IntN(3000)), Total: int64(r.IntN(4000))}
				}
			}
			if r.IntN(2) == 0 {
				s.Codes = []string{"ANNA10"}
			}
			if r.IntN(2) == 0 {
				s.Links = []LinkEvidence{{Kind: EvidenceSlug, Value: "ben", Source: "landing_site"}}
			}
			s.CustomerHash = []string{"", "c1", "c2"}[r.IntN(3)]
			if r.IntN(3) > 0 { // the time of receipt, a few of them alike, and perhaps when it was triggered
				came(r.IntN(4), r.IntN(4)-2)(s)
			}
			s.Rules = r.IntN(2)
			if r.IntN(4) == 0 { // read from the store, in the second of the version or after it
				s.Read = placed.Add(time.Duration(r.IntN(5)) * time.Second).UnixMicro()
			}
		}))
		if r.IntN(8) == 0 {
			events = append(events, Event{OrderID: "1", Gone: true,
				Received: placed.Add(time.Duration(r.IntN(4)) * time.Millisecond)})
		}
		if r.IntN(6) == 0 {
			e := part(fmt.Sprintf("p%d", r.IntN(2)), r.IntN(3) > 0, int64(r.IntN(3000)), int64(r.IntN(2000)))
			e.Part.Version = int64(r.IntN(3))
			events = append(events, e)
		}
	}
	return events
}

// checks is how many cases a property test tries: 100, or what RAPID_CHECKS says; a fifth with -short, as rapid has it.
func checks() uint64 {
	n := flag.Lookup("rapid.checks").Value.(flag.Getter).Get().(int)
	if testing.Short() {
		n /= 5
	}
	return uint64(n)
}

func TestMergeEndsTheSameInAnyOrderOfArrival(t *testing.T) {
	rule := Rule{Percent: 1250, Flat: 15000, Version: 1}
	anna, ben := Account{CreatorID: 1, OfferMemberID: 1}, Account{CreatorID: 2, OfferMemberID: 2}
	for seed := range 60 * checks() {
		r := rand.New(rand.NewPCG(seed, 1))
		list := lifecycle(r)
		rules := OrderRules{Parts: []PartsRule{PartsDecide, PartsAlways, PartsNever}[r.IntN(3)]}
		if r.IntN(2) == 0 {
			rules.Statuses = map[string]StoreStatus{string(StoreCustom): StorePaid}
		}
		play := func(list []Event) (string, OrderView, map[Account]int64, int64) {
			var state OrderState
			ledger := map[Account]int64{}
			var commission int64
			for _, e := range list {
				state = state.Merge(e)
				// Each delivery is processed for itself: the state is written and read, the order attributed, the
				// ledger brought in line.
				text, err := json.Marshal(state)
				if err != nil {
					t.Fatal(err)
				}
				state = OrderState{}
				if err := json.Unmarshal(text, &state); err != nil {
					t.Fatal(err)
				}
				v, ok := state.View(rules)
				if !ok {
					continue
				}
				owner, due := Account{}, int64(0)
				switch {
				case len(v.Codes) > 0:
					owner = anna
				case len(v.Links) > 0:
					owner = ben
				}
				if owner != (Account{}) {
					due = Commission(v.Currency, v.Value, rule, Approved, v.Status)
				}
				for _, p := range Differences(owner, due, ledger) {
					ledger[p.Account] += p.Amount
				}
				commission = due
			}
			text, _ := json.Marshal(state)
			v, _ := state.View(rules)
			for a, n := range ledger {
				if n == 0 {
					delete(ledger, a)
				}
			}
			return string(text), v, ledger, commission
		}
		wantState, wantView, wantLedger, wantCommission := play(list)
		shuffled := append([]Event{}, list...)
		for range r.IntN(4) {
			shuffled = append(shuffled, list[r.IntN(len(list))])
		}
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		gotState, gotView, gotLedger, gotCommission := play(shuffled)
		if gotState != wantState {
			t.Fatalf("seed %d: state differs\n got %s\nwant %s", seed, gotState, wantState)
		}
		if fmt.Sprint(gotView) != fmt.Sprint(wantView) || gotCommission != wantCommission ||
			fmt.Sprint(gotLedger) != fmt.Sprint(wantLedger) {
			t.Fatalf("seed %d:\n got %+v commission %d ledger %v\nwant %+v commission %d ledger %v", seed, gotView,
				gotCommission, gotLedger, wantView, wantCommission, wantLedger)
		}
		sum := int64(0)
		for _, n := range gotLedger {
			sum += n
		}
		if sum != gotCommission {
			t.Fatalf("seed %d: ledger sums to %d, commission is %d", seed, sum, gotCommission)
		}
		if v := gotView; v.Value < 0 || v.Value > v.OriginalValue || v.Refunded < 0 ||
			(v.Status == Refunded || v.Status == Canceled) && v.Value != 0 {
			t.Fatalf("seed %d: impossible view %+v", seed, v)
		}
	}
}

// TestSays: why a status that a plugin set is taken for what it is.
func TestSays(t *testing.T) {
	decided := OrderRules{Statuses: map[string]StoreStatus{"lost": StoreCanceled}}
	for _, c := range []struct {
		events []Event
		want   string
	}{
		{[]Event{snap(0, StorePaid)}, "paid "},
		{[]Event{snap(0, StoreCustom, paid)}, "paid because it has a payment date"},
		{[]Event{snap(0, StoreCustom)}, "pending because it has no payment date"},
		{[]Event{snap(0, StoreCustom, paid, named("lost"))}, "canceled as was decided for this store"},
		{[]Event{snap(0, StoreRefunded), snap(1, StoreCustom, paid)}, "refunded because it was so before"},
		{[]Event{snap(0, StoreFailed), snap(1, StoreCustom)}, "failed because its payment had failed before"},
		{[]Event{snap(0, StoreUnknown)}, "pending because it is no status"},
		{[]Event{snap(0, StorePaid), snap(1, StoreUnknown)}, "paid as before it said something that is no status"},
	} {
		var s OrderState
		for _, e := range c.events {
			s = s.Merge(e)
		}
		if status, why, _ := s.Says(decided); string(status)+" "+why != c.want {
			t.Errorf("got %s %s, want %s", status, why, c.want)
		}
	}
	if _, _, known := (OrderState{}).Says(decided); known {
		t.Error("an order that nothing described says something")
	}
}
