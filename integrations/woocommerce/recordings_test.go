package woocommerce

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/woocommerce/recordings"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

func deliveries(tb testing.TB) []recordings.Delivery {
	tb.Helper()
	all, err := recordings.Deliveries()
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func recorded(tb testing.TB, file string) recordings.Delivery {
	tb.Helper()
	for _, d := range deliveries(tb) {
		if d.File == file {
			return d
		}
	}
	tb.Fatalf("there is no recording %s", file)
	return recordings.Delivery{}
}

// expectation is expected.json as far as the parser alone decides it.
type expectation struct {
	Store struct {
		Secret string `json:"webhook_secret"`
	}
	Orders []struct {
		ID            string `json:"external_id"`
		Number        string
		Status        string
		Currency      money.Currency
		Value         string
		OriginalValue string `json:"original_value"`
		Total         string
		Refunded      string
		Codes         []string
		Links         struct {
			Slugs []string
			UTM   map[string]string
		} `json:"link_evidence"`
		Files []string
	}
	NotOrders []struct{ File string } `json:"not_orders"`
}

func expected(tb testing.TB) (e expectation) {
	tb.Helper()
	if err := json.Unmarshal(recordings.Expected(), &e); err != nil {
		tb.Fatal(err)
	}
	return e
}

func recordingsSecret(tb testing.TB) string { return expected(tb).Store.Secret }

func TestRecordingsAreComplete(t *testing.T) {
	all := deliveries(t)
	if len(all) != 180 {
		t.Errorf("got %d recordings, want 180", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b recordings.Delivery) int {
		return bytes.Compare([]byte(a.File), []byte(b.File))
	}) {
		t.Error("recordings are not in emission order")
	}
	for _, d := range all {
		if want := d.Header.Get("Content-Length"); fmt.Sprint(len(d.Body)) != want {
			t.Errorf("%s: body of %d bytes, want %s", d.File, len(d.Body), want)
		}
	}
	if !bytes.HasPrefix(recordings.CreatorsCSV(), []byte("campaign,creator,")) {
		t.Error("creators.csv does not begin with its header")
	}
}

func TestVerifyRecordings(t *testing.T) {
	secrets := [][]byte{[]byte("another-secret"), []byte(recordingsSecret(t))}
	signed := 0
	for _, d := range deliveries(t) {
		if d.Topic == topicPing {
			if (Platform{}).Verify(secrets, d.Header, d.Body) {
				t.Errorf("%s: a ping verifies", d.File)
			}
			continue
		}
		signed++
		if !(Platform{}).Verify(secrets, d.Header, d.Body) {
			t.Errorf("%s: signature does not verify", d.File)
		}
		if got, want := Sign(secrets[1], d.Body), d.Header.Get("X-WC-Webhook-Signature"); got != want {
			t.Errorf("%s: Sign = %s, want %s", d.File, got, want)
		}
		changed := bytes.Clone(d.Body)
		changed[len(changed)/2] ^= 1
		if (Platform{}).Verify(secrets, d.Header, changed) {
			t.Errorf("%s: verifies with a changed byte", d.File)
		}
		if (Platform{}).Verify(secrets[:1], d.Header, d.Body) {
			t.Errorf("%s: verifies with another secret", d.File)
		}
	}
	if signed != 160 {
		t.Errorf("%d recordings are signed, want 160", signed)
	}
}

// TestParseRecordings checks for every recording what kind of result it has and which order it is about.
func TestParseRecordings(t *testing.T) {
	notOrders := map[string]bool{}
	for _, n := range expected(t).NotOrders {
		notOrders[n.File] = true
	}
	kinds := map[string]int{}
	for _, d := range deliveries(t) {
		parsed, err := Platform{}.Parse(d.Topic, d.Body)
		kind := kindOf(parsed, err)
		kinds[kind]++
		if ping := (Platform{}).Unsigned(d.Header, d.Body); ping != (d.Topic == topicPing) {
			t.Errorf("%s: Unsigned = %v", d.File, ping)
		}
		if got := (Platform{}).Topic(d.Header); got != d.Topic {
			t.Errorf("%s: Topic = %q, want %q", d.File, got, d.Topic)
		}
		if parsed.Warning != "" {
			t.Errorf("%s: warning %q", d.File, parsed.Warning)
		}
		if kind == "snapshot" {
			if e := parsed.Events[0]; e.OrderID != d.OrderID || len(parsed.Events) != 1 {
				t.Errorf("%s: %d events, the first of order %s; want one of order %s", d.File, len(parsed.Events),
					e.OrderID, d.OrderID)
			}
			if notOrders[d.File] {
				t.Errorf("%s: makes an order", d.File)
			}
		}
	}
	want := map[string]int{"snapshot": 92, "ignored": 87, CodeAPIVersion: 1}
	if fmt.Sprint(kinds) != fmt.Sprint(want) {
		t.Errorf("kinds of results: got %v, want %v", kinds, want)
	}
}

func kindOf(parsed affiliate.Parsed, err error) string {
	var e *affiliate.Error
	switch {
	case asError(err, &e):
		return e.Code
	case err != nil:
		return err.Error()
	case parsed.Ignored != "":
		return "ignored"
	case len(parsed.Events) > 0 && parsed.Events[0].Snapshot != nil:
		return "snapshot"
	}
	return "other"
}

// TestParseReachesExpectedOrders compares the last snapshot of each order with expected.json.
func TestParseReachesExpectedOrders(t *testing.T) {
	last := map[string]*affiliate.Snapshot{}
	for _, d := range deliveries(t) {
		parsed, err := Platform{}.Parse(d.Topic, d.Body)
		if err == nil && len(parsed.Events) > 0 {
			last[d.OrderID] = parsed.Events[0].Snapshot
		}
	}
	want := expected(t)
	if len(last) != len(want.Orders) {
		t.Errorf("%d orders, want %d", len(last), len(want.Orders))
	}
	for _, order := range want.Orders {
		s := last[order.ID]
		if s == nil {
			t.Errorf("order %s is missing", order.ID)
			continue
		}
		var refunded int64
		for _, r := range s.Refunds {
			refunded += r.Amount
		}
		for _, c := range []struct {
			what      string
			got, want any
		}{
			{"number", s.Number, order.Number},
			{"currency", s.Currency, order.Currency},
			{"status", string(s.Status), order.Status},
			{"merchandise", money.Format(s.Merchandise, s.Currency), order.OriginalValue},
			{"total", money.Format(s.Total, s.Currency), order.Total},
			{"refunded", money.Format(refunded, s.Currency), order.Refunded},
			{"codes", fold(s.Codes), append([]string{}, order.Codes...)},
			{"slugs", values(s.Links, affiliate.EvidenceSlug), append([]string{}, order.Links.Slugs...)},
			{"refunds are complete", s.RefundsComplete, true},
			{"test", s.Test, false},
		} {
			if fmt.Sprintf("%q", c.got) != fmt.Sprintf("%q", c.want) {
				t.Errorf("order %s: %s: got %q, want %q", order.ID, c.what, c.got, c.want)
			}
		}
		if content := order.Links.UTM["utm_content"]; content != "" &&
			!slices.Contains(values(s.Links, affiliate.EvidenceUTM), content) {
			t.Errorf("order %s: UTM evidence %v lacks %q", order.ID, s.Links, content)
		}
	}
}

// TestReplayReachesExpectedOrders merges all deliveries, forwards and backwards, and compares what people then see.
func TestReplayReachesExpectedOrders(t *testing.T) {
	forwards := deliveries(t)
	backwards := slices.Clone(forwards)
	slices.Reverse(backwards)
	for name, all := range map[string][]recordings.Delivery{"forwards": forwards, "backwards": backwards,
		"twice": append(backwards, forwards...)} {
		states := replay(all)
		want := expected(t)
		if len(states) != len(want.Orders) {
			t.Errorf("%s: %d orders, want %d", name, len(states), len(want.Orders))
		}
		for _, order := range want.Orders {
			v, _ := states[order.ID].View(affiliate.OrderRules{})
			got := []string{string(v.Status), money.Format(v.Value, v.Currency), money.Format(v.OriginalValue,
				v.Currency),
				money.Format(v.Total, v.Currency), money.Format(v.Refunded, v.Currency)}
			want := []string{order.Status, order.Value, order.OriginalValue, order.Total, order.Refunded}
			if !slices.Equal(got, want) {
				t.Errorf("%s: order %s: status, value, original value, total, refunded: got %q, want %q", name,
					order.ID, got, want)
			}
		}
	}
}

func replay(all []recordings.Delivery) map[string]affiliate.OrderState {
	states := map[string]affiliate.OrderState{}
	for _, d := range all {
		parsed, err := Platform{}.Parse(d.Topic, d.Body)
		if err != nil {
			continue // TestParseRecordings has judged it
		}
		// The names of the recordings begin with the order in which they came in.
		number, err := strconv.Atoi(d.File[:3])
		if err != nil {
			panic(err)
		}
		received := time.Date(2026, 11, 21, 0, 0, number, 0, time.UTC)
		for _, e := range parsed.Events {
			e.Received = received
			if e.Snapshot != nil {
				e.Snapshot.Came(received, time.Time{}, time.Time{})
			}
			states[e.OrderID] = states[e.OrderID].Merge(e)
		}
	}
	return states
}

func fold(codes []string) []string {
	folded := []string{}
	for _, c := range codes {
		folded = append(folded, affiliate.FoldCode(c))
	}
	return folded
}

func values(links []affiliate.LinkEvidence, kind affiliate.LinkEvidenceKind) []string {
	found := []string{}
	for _, l := range links {
		if l.Kind == kind {
			found = append(found, l.Value)
		}
	}
	return found
}

func TestParseRefundsOfRecordings(t *testing.T) {
	refund := func(id string, amount, lines int64) affiliate.Refund {
		return affiliate.Refund{ID: id, Status: affiliate.RefundSettled, Currency: "USD", Amount: amount,
			ByLines: lines > 0, Lines: lines}
	}
	unclear := func(r affiliate.Refund) affiliate.Refund {
		r.Unclear = true
		return r
	}
	for _, c := range []struct {
		file string
		want []affiliate.Refund
	}{
		{"036-s01-one-coupon-order.created.http", nil},
		{"055-s02a-full-refund-order.updated.http", []affiliate.Refund{refund("29", 8917, 7695)}},
		{"063-s02b-full-refund-by-status-order.updated.http", []affiliate.Refund{unclear(refund("31", 2989, 0))}},
		{"070-s03-partial-refunds-order.updated.http", []affiliate.Refund{refund("33", 5222, 4796)}},
		{"074-s03-partial-refunds-order.updated.http",
			[]affiliate.Refund{refund("33", 5222, 4796), unclear(refund("34", 725, 0)),
				unclear(refund("35", 7909, 0))}},
		{"081-s03b-partial-refund-stays-order.updated.http", []affiliate.Refund{unclear(refund("37", 1000, 0))}},
		{"116-s09a-eur-prices-include-tax-order.updated.http", []affiliate.Refund{refund("46", 2593, 2066)}},
		{"128-s09b-jpy-no-decimals-order.updated.http", []affiliate.Refund{unclear(refund("49", 1250, 0))}},
	} {
		t.Run(c.file[:3], func(t *testing.T) {
			s := parseOrder(t, "order.updated", recorded(t, c.file).Body)
			if len(s.Refunds) != len(c.want) || len(s.RefundIDs) != len(c.want) {
				t.Fatalf("refunds %+v, want %+v", s.Refunds, c.want)
			}
			for i, want := range c.want {
				want.Version, want.Currency = s.Version, s.Currency
				if got := s.Refunds[i]; fmt.Sprint(got) != fmt.Sprint(want) || s.RefundIDs[i] != want.ID {
					t.Errorf("refund %d: got %+v, want %+v", i, got, want)
				}
			}
		})
	}
}

// TestKeyTellsDeliveriesApart goes by all pairs, so also by those that the README lists as sharing one delivery id.
func TestKeyTellsDeliveriesApart(t *testing.T) {
	byKey := map[[16]byte]recordings.Delivery{}
	withID := map[string]int{}
	for _, d := range deliveries(t) {
		if d.Topic == topicPing {
			continue
		}
		key := Platform{}.Key(d.Header, d.Body)
		if other, taken := byKey[key]; taken && (!bytes.Equal(other.Body, d.Body) || other.Topic != d.Topic) {
			t.Errorf("%s and %s have one key", other.File, d.File)
		}
		byKey[key] = d
		withID[d.Header.Get("X-WC-Webhook-Delivery-ID")]++
	}
	shared := 0
	for _, n := range withID {
		if n > 1 {
			shared++
		}
	}
	if shared != 27 {
		t.Errorf("%d delivery ids are shared, the README lists 27", shared)
	}
}

// TestEqualMeaningGivesEqualHash takes one order as seen through payload versions v2 and v3 (twice).
func TestEqualMeaningGivesEqualHash(t *testing.T) {
	want := parseOrder(t, "order.updated", recorded(t, "173-s92-api-versions-order.updated.http").Body)
	for _, file := range []string{"174-s92-api-versions-order.updated.http",
		"176-s92-api-versions-order.updated.http"} {
		if got := parseOrder(t, "order.updated", recorded(t, file).Body); got.Hash != want.Hash {
			t.Errorf("%s: hash %s of %+v, want %s of %+v", file, got.Hash, got, want.Hash, want)
		}
	}
	before := parseOrder(t, "order.updated", recorded(t, "041-s01-one-coupon-order.updated.http").Body)
	if before.Hash == want.Hash || len(want.Hash) != 16 {
		t.Errorf("hashes %s before and %s after a refund", before.Hash, want.Hash)
	}
}
