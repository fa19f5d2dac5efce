package affiliate

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
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

func hashOf(s Snapshot) string {
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
		s = s.Merge(e, fmt.Sprintf("delivery-%d", i))
	}
	return s
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
			{OrderID: "1", Restored: true}, {OrderID: "1", Deleted: true}}, Canceled, 0, 0},
		{"deleted, and changed long before", []Event{snap(0, StorePaid), deletedAt(3600)}, Canceled, 0, 0},
		{"deleted, and changed about then", []Event{deletedAt(3600), snap(4200, StorePaid)}, Canceled, 0, 0},
		{"deleted, and alive long after", []Event{snap(0, StorePaid), deletedAt(3600), snap(4201, StorePaid)},
			Paid, 10000, 0},
		{"alive long after, deletion told late", []Event{snap(4201, StorePaid), deletedAt(3600), snap(0, StorePaid)},
			Paid, 10000, 0},
		{"deleted again after that", []Event{deletedAt(3600), snap(4201, StorePaid), deletedAt(4300)}, Canceled, 0, 0},
		{"alive long after by a clock that is ahead", []Event{deletedAt(3600), snap(9000, StorePaid, func(s *Snapshot) {
			s.Came(placed.Add(4000 * time.Second))
		})}, Canceled, 0, 0},
		{"in the trash long after", []Event{deletedAt(3600), snap(9000, StoreCanceled)}, Canceled, 0, 0},
		{"custom status keeps the last known answer", []Event{snap(0, StorePaid), snap(1, StoreCustom)},
			Paid, 10000, 0},
		{"custom status alone is pending", []Event{snap(0, StoreCustom)}, Pending, 10000, 0},
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
			v, ok := merged(c.events...).View()
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

func deletedAt(seconds int) Event {
	return Event{OrderID: "1", Deleted: true, DeletedAt: time.UnixMilli(at(seconds)).UTC()}
}

func ptr[T any](v T) *T { return &v }

func TestViewIsUnknownWithoutABody(t *testing.T) {
	for _, e := range []Event{{OrderID: "1", Refund: ptr(amountRefund("r1", 1))}, {OrderID: "1", Deleted: true},
		{OrderID: "1", Edited: placed}} {
		if _, ok := merged(e).View(); ok {
			t.Errorf("%+v made an order", e)
		}
	}
}

func TestNeedsReread(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []Event
		want   bool
	}{
		{"one body", []Event{snap(0, StorePaid)}, false},
		{"equal version, equal content", []Event{snap(0, StorePaid), snap(0, StorePaid)}, false},
		{"equal version, other content", []Event{snap(0, StorePaid), snap(0, StorePending)}, true},
		{"doubt is settled by a newer body", []Event{snap(0, StorePaid), snap(0, StorePending), snap(1, StorePaid)},
			false},
		{"edited after the newest body", []Event{snap(0, StorePaid), {OrderID: "1", Edited: placed.Add(time.Minute)}},
			true},
		{"edited before the newest body", []Event{{OrderID: "1", Edited: placed.Add(time.Second)}, snap(5, StorePaid)},
			false},
	} {
		if v, _ := merged(c.events...).View(); v.NeedsReread != c.want {
			t.Errorf("%s: needs a re-read = %v, want %v", c.name, v.NeedsReread, c.want)
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
		if v, _ := state.View(); v.CustomerHash != "" || v.Country != "" {
			t.Errorf("customer is still there: %q %q", v.CustomerHash, v.Country)
		}
		if text, _ := json.Marshal(state); strings.Contains(string(text), "abc") {
			t.Errorf("customer is still kept: %s", text)
		}
	}
}

func TestLandingIsKeptWhenALaterBodyLacksIt(t *testing.T) {
	link := LinkEvidence{Kind: EvidenceSlug, Value: "anna", Source: "landing_site"}
	v, _ := merged(snap(0, StorePaid, func(s *Snapshot) { s.Links = []LinkEvidence{link} }), snap(1, StorePaid)).View()
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
		if v, _ := merged(c.events...).View(); v.CustomerHash != c.want {
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
				StoreRefunded}[r.IntN(7)]
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
			events = append(events, []Event{{OrderID: "1", Deleted: true}, deletedAt(now - 601)}[r.IntN(2)])
		case 5:
			events = append(events, Event{OrderID: "1", Restored: true})
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
			}
			if r.IntN(2) == 0 {
				s.Codes = []string{"ANNA10"}
			}
			if r.IntN(2) == 0 {
				s.Links = []LinkEvidence{{Kind: EvidenceSlug, Value: "ben", Source: "landing_site"}}
			}
			s.CustomerHash = []string{"", "c1", "c2"}[r.IntN(3)]
		}))
	}
	return events
}

type arrival struct {
	Event
	key string
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
	for seed := range 120 * checks() {
		r := rand.New(rand.NewPCG(seed, 1))
		var list []arrival
		for i, e := range lifecycle(r) {
			list = append(list, arrival{e, fmt.Sprintf("delivery-%d", i)})
		}
		play := func(list []arrival) (string, OrderView, map[Account]int64, int64) {
			var state OrderState
			ledger := map[Account]int64{}
			var commission int64
			for _, a := range list {
				state = state.Merge(a.Event, a.key)
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
				v, ok := state.View()
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
			v, _ := state.View()
			for a, n := range ledger {
				if n == 0 {
					delete(ledger, a)
				}
			}
			return string(text), v, ledger, commission
		}
		wantState, wantView, wantLedger, wantCommission := play(list)
		shuffled := append([]arrival{}, list...)
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
