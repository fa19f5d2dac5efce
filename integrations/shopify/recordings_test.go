package shopify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/integrations/shopify/recordings"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// expected is what the tests here read of expected.json.
type expected struct {
	Orders []struct {
		ID            string   `json:"external_id"`
		Number        string   `json:"number"`
		Status        string   `json:"status"`
		Currency      string   `json:"currency"`
		Value         string   `json:"value"`
		Original      string   `json:"original_value"`
		OriginalAnyOf []string `json:"original_value_any_of"`
		Total         string   `json:"total"`
		Refunded      string   `json:"refunded"`
		Test          bool     `json:"test"`
		Codes         []string `json:"codes"`
		Evidence      struct {
			Slugs []string `json:"slugs"`
		} `json:"link_evidence"`
		Files []string `json:"files"`
	} `json:"orders"`
	NotOrders []struct {
		File string `json:"file"`
	} `json:"not_orders"`
}

func readExpected(t *testing.T) (e expected) {
	t.Helper()
	if err := json.Unmarshal(recordings.Expected(), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func deliveries(t testing.TB) []recordings.Delivery {
	t.Helper()
	all, err := recordings.Deliveries()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// kindOf names what a delivery says, for comparing.
func kindOf(p affiliate.Parsed) string {
	if p.Store != "" {
		return string(p.Store)
	}
	if p.Ignored != "" {
		return "ignored"
	}
	kinds := make([]string, len(p.Events))
	for i, e := range p.Events {
		kinds[i] = eventKind(e)
	}
	return strings.Join(slices.Compact(kinds), ",")
}

func eventKind(e affiliate.Event) string {
	switch {
	case e.Snapshot != nil:
		return "snapshot"
	case e.Refund != nil:
		return "refund"
	case e.Transaction != nil:
		return "transaction"
	case e.Dispute != nil:
		return "dispute"
	case e.Deleted:
		return "deleted"
	case e.Redacted:
		return "redacted"
	case !e.Edited.IsZero():
		return "edited"
	}
	return "nothing"
}

func TestRecordingsSayWhatTheyAre(t *testing.T) {
	byTopic := map[string]string{
		"orders/edited": "edited", "refunds/create": "refund", "order_transactions/create": "transaction",
		"orders/delete": "deleted", "app/uninstalled": "uninstalled", "disputes/create": "dispute",
		"customers/data_request": "data_request", "customers/redact": "redacted", "shop/redact": "redact",
		"orders/create": "snapshot", "orders/updated": "snapshot", "orders/paid": "snapshot",
		"orders/cancelled": "snapshot",
	}
	all := deliveries(t)
	if len(all) != 44 {
		t.Fatalf("%d recordings, want 44", len(all))
	}
	for _, d := range all {
		p, err := Platform{}.Parse(Platform{}.Topic(d.Header), d.Body)
		if err != nil {
			t.Errorf("%s: %v", d.File, err)
			continue
		}
		if got := kindOf(p); got != byTopic[d.Topic] {
			t.Errorf("%s is read as %s, want %s", d.File, got, byTopic[d.Topic])
		}
		if p.Warning != "" {
			t.Errorf("%s: warning %q", d.File, p.Warning)
		}
		if d.OrderID != "" && (len(p.Events) != 1 || p.Events[0].OrderID != d.OrderID) {
			t.Errorf("%s: events %+v, want one about order %s", d.File, p.Events, d.OrderID)
		}
	}
	redacted, err := Platform{}.Parse("customers/redact",
		recorded(t, "009-customers-redact-official-sample.json").Body)
	if err != nil || len(redacted.Events) != 3 || redacted.Events[0].OrderID != "299938" {
		t.Errorf("customers/redact: %+v, %v; want three orders, the first 299938", redacted.Events, err)
	}
}

// TestTheBodyDecidesNotTheTopic: an order is the same order under every topic, those we do not know included.
func TestTheBodyDecidesNotTheTopic(t *testing.T) {
	all := []string{"", "products/update", "unheard/of", "orders/risk_assessment_changed"}
	for topic := range topics {
		all = append(all, topic)
	}
	for _, d := range deliveries(t) {
		if !strings.HasPrefix(d.Topic, "orders/") && !strings.HasPrefix(d.Topic, "refunds/") ||
			d.Topic == "orders/delete" {
			continue
		}
		want := parsedText(t, d.Topic, d.Body)
		for _, topic := range all {
			if got := parsedText(t, topic, d.Body); got != want {
				t.Fatalf("%s under %q: %s, want %s", d.File, topic, got, want)
			}
		}
	}
}

// parsedText is all that a delivery says, as text to compare.
func parsedText(t testing.TB, topic string, body []byte) string {
	t.Helper()
	p, err := Platform{}.Parse(topic, body)
	text := fmt.Sprintf("%+v %v", p, err)
	for _, e := range p.Events {
		if e.Snapshot != nil {
			text = fmt.Sprintf("%s %s %+v", p.Warning, e.OrderID, *e.Snapshot)
		}
		if e.Refund != nil {
			text = fmt.Sprintf("%s %s %+v", p.Warning, e.OrderID, *e.Refund)
		}
	}
	return text
}

// TestSnapshotsOfRecordings compares the newest snapshot of each order with what the order must show.
func TestSnapshotsOfRecordings(t *testing.T) {
	newest := map[string]*affiliate.Snapshot{}
	for _, d := range deliveries(t) {
		p, err := Platform{}.Parse(d.Topic, d.Body)
		if err != nil {
			t.Fatalf("%s: %v", d.File, err)
		}
		for _, e := range p.Events {
			if e.Snapshot != nil {
				newest[e.OrderID] = e.Snapshot
			}
		}
	}
	for _, want := range readExpected(t).Orders {
		s := newest[want.ID]
		if s == nil {
			t.Errorf("order %s has no snapshot", want.ID)
			continue
		}
		if got := money.Format(s.Merchandise, s.Currency); got != want.Original &&
			!slices.Contains(want.OriginalAnyOf, got) {
			t.Errorf("order %s: merchandise %s, want %s", want.ID, got, want.Original)
		}
		if got := money.Format(s.Total, s.Currency); got != want.Total {
			t.Errorf("order %s: total %s, want %s", want.ID, got, want.Total)
		}
		if string(s.Currency) != want.Currency || s.Number != want.Number || s.Test != want.Test {
			t.Errorf("order %s: %s %s test %v, want %s %s test %v", want.ID, s.Number, s.Currency, s.Test, want.Number,
				want.Currency, want.Test)
		}
		if got := folded(s.Codes); !slices.Equal(got, want.Codes) {
			t.Errorf("order %s: codes %q, want %q", want.ID, got, want.Codes)
		}
		if got := valuesOf(s.Links, affiliate.EvidenceSlug); !slices.Equal(got, want.Evidence.Slugs) {
			t.Errorf("order %s: slugs %q, want %q", want.ID, got, want.Evidence.Slugs)
		}
	}
}

func folded(codes []string) []string {
	list := []string{}
	for _, c := range codes {
		list = append(list, affiliate.FoldCode(c))
	}
	return list
}

func valuesOf(links []affiliate.LinkEvidence, kind affiliate.LinkEvidenceKind) []string {
	list := []string{}
	for _, l := range links {
		if l.Kind == kind {
			list = append(list, l.Value)
		}
	}
	return list
}

// TestRecordingsMergeToExpected: all files of an order together give the figures of expected.json, in whatever order
// they come.
func TestRecordingsMergeToExpected(t *testing.T) {
	forward := deliveries(t)
	backward := slices.Clone(forward)
	slices.Reverse(backward)
	for name, list := range map[string][]recordings.Delivery{
		"forward": forward, "backward": backward, "twice": append(slices.Clone(backward), forward...),
	} {
		t.Run(name, func(t *testing.T) { compareMerged(t, merge(t, list)) })
	}
}

func merge(t *testing.T, list []recordings.Delivery) map[string]affiliate.OrderState {
	orders := map[string]affiliate.OrderState{}
	for _, d := range list {
		p, err := Platform{}.Parse(d.Topic, d.Body)
		if err != nil {
			t.Fatalf("%s: %v", d.File, err)
		}
		for _, e := range p.Events {
			orders[e.OrderID] = orders[e.OrderID].Merge(e)
		}
	}
	return orders
}

func compareMerged(t *testing.T, orders map[string]affiliate.OrderState) {
	want := readExpected(t)
	shown := 0
	for _, state := range orders {
		if _, ok := state.View(affiliate.OrderRules{}); ok {
			shown++
		}
	}
	if shown != len(want.Orders) {
		t.Errorf("%d orders are shown, want %d", shown, len(want.Orders))
	}
	for _, o := range want.Orders {
		v, _ := orders[o.ID].View(affiliate.OrderRules{})
		got := fmt.Sprint(v.Status, " value ", money.Format(v.Value, v.Currency), " total ",
			money.Format(v.Total, v.Currency), " refunded ", money.Format(v.Refunded, v.Currency), " test ", v.Test)
		if want := fmt.Sprint(o.Status, " value ", o.Value, " total ", o.Total, " refunded ", o.Refunded, " test ",
			o.Test); got != want {
			t.Errorf("order %s: %s, want %s", o.ID, got, want)
		}
	}
}

func TestRefundsOfRecordings(t *testing.T) {
	type figures struct {
		status                       affiliate.RefundStatus
		currency                     money.Currency
		amount, lines, shipping, tax int64
		byLines                      bool
		transactions                 int
	}
	for file, want := range map[string]figures{
		"003-refunds-create-official-sample-no-transactions.json": {status: affiliate.RefundNoMoney, currency: "USD",
			lines: 39800, byLines: true},
		"014-refunds-create-official-shipping-only-5usd.json": {affiliate.RefundSettled, "USD", 500, 0, 500,
			0, false, 1},
		"021-refunds-create-hkd-cancel-refund.json": {affiliate.RefundSettled, "HKD", 9900, 9900, 0,
			0, true, 1},
		"024-refunds-create-usd-partial-1of3.json": {affiliate.RefundSettled, "USD", 1112, 957, 0,
			0, true, 1},
		"026-refunds-create-usd-rest-with-shipping.json": {affiliate.RefundSettled, "USD", 2724, 1914, 499,
			0, true, 1},
		"029-refunds-create-cad-usd-5usd-goodwill.json": {affiliate.RefundSettled, "CAD", 710, 0, 0,
			0, false, 1},
		"039-refunds-create-vnd-full-refund.json": {affiliate.RefundSettled, "VND", 20, 20, 0,
			0, true, 1},
	} {
		d := recorded(t, file)
		r := parseRefund(t, d.Body)
		got := figures{r.Status, r.Currency, r.Amount, r.Lines, r.Shipping, r.Tax, r.ByLines, len(r.Transactions)}
		if got != want {
			t.Errorf("%s: %+v, want %+v", file, got, want)
		}
	}
}

// TestRefundsAreTheSameInTheirOrder: the refunds that come on their own say what the order's list says of them.
func TestRefundsAreTheSameInTheirOrder(t *testing.T) {
	alone := map[string]affiliate.Refund{}
	for _, d := range deliveries(t) {
		if d.Topic == "refunds/create" {
			r := parseRefund(t, d.Body)
			alone[r.ID] = r
		}
	}
	compared := 0
	for _, d := range deliveries(t) {
		if !strings.HasPrefix(d.Topic, "orders/") || d.Topic == "orders/edited" || d.Topic == "orders/delete" {
			continue
		}
		s := parseOrder(t, d.Body)
		for _, r := range s.Refunds {
			if r.Version != s.Version {
				t.Errorf("%s: refund %s has version %d, want the order's %d", d.File, r.ID, r.Version, s.Version)
			}
			if one, ok := alone[r.ID]; ok {
				compared++
				r.Version = one.Version
				if got, want := fmt.Sprintf("%+v", r), fmt.Sprintf("%+v", one); got != want {
					t.Errorf("%s: refund in the order %s, alone %s", d.File, got, want)
				}
			}
		}
	}
	if compared < 6 {
		t.Errorf("%d refunds compared, want at least 6", compared)
	}
}

func parseRefund(t testing.TB, body []byte) affiliate.Refund {
	t.Helper()
	p, err := Platform{}.Parse("refunds/create", body)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Events) != 1 || p.Events[0].Refund == nil {
		t.Fatalf("no refund but %+v", p)
	}
	return *p.Events[0].Refund
}

func parseOrder(t testing.TB, body []byte) affiliate.Snapshot {
	t.Helper()
	p, err := Platform{}.Parse("orders/updated", body)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Events) != 1 || p.Events[0].Snapshot == nil {
		t.Fatalf("no order but %+v", p)
	}
	return *p.Events[0].Snapshot
}
