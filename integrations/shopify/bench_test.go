package shopify

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/tributaryhq/tributary/integrations/shopify/recordings"
)

// BenchmarkParse reads each kind of recording, and all of them in turn.
func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, file string }{
		{"order", "023-orders-paid-usd-code-differs-from-landing-discount-link.json"},
		{"order_with_refunds", "027-orders-updated-usd-fully-refunded-not-cancelled.json"},
		{"refund", "026-refunds-create-usd-rest-with-shipping.json"},
		{"transaction", "012-order-transactions-create-official-refund-success.json"},
	} {
		d := recorded(b, c.file)
		b.Run(c.name, func(b *testing.B) { parseAll(b, d) })
	}
	all, err := recordings.Deliveries()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("all", func(b *testing.B) { parseAll(b, all...) })
}

func parseAll(b *testing.B, deliveries ...recordings.Delivery) {
	size := 0
	for _, d := range deliveries {
		size += len(d.Body)
	}
	b.SetBytes(int64(size / len(deliveries)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d := &deliveries[i%len(deliveries)]
		if _, err := (Platform{}).Parse(d.Topic, d.Body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnmarshal is encoding/json on the order of BenchmarkParse/order, for comparison: a few fields only.
func BenchmarkUnmarshal(b *testing.B) {
	d := recorded(b, "023-orders-paid-usd-code-differs-from-landing-discount-link.json")
	b.SetBytes(int64(len(d.Body)))
	b.ReportAllocs()
	for b.Loop() {
		var order struct {
			ID         json.Number `json:"id"`
			TotalPrice string      `json:"total_price"`
			LineItems  []struct {
				ID       json.Number `json:"id"`
				Price    string      `json:"price"`
				Quantity int64       `json:"quantity"`
			} `json:"line_items"`
		}
		if err := json.Unmarshal(d.Body, &order); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	body := recorded(b, "023-orders-paid-usd-code-differs-from-landing-discount-link.json").Body
	secrets := [][]byte{[]byte("the secret of today"), []byte("the secret of yesterday")}
	h := http.Header{headerHMAC: {Sign(secrets[1], body)}}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if !(Platform{}).Verify(secrets, h, body) {
			b.Fatal("not verified")
		}
	}
}

func BenchmarkKey(b *testing.B) {
	d := recorded(b, "023-orders-paid-usd-code-differs-from-landing-discount-link.json")
	b.ReportAllocs()
	for b.Loop() {
		Platform{}.Key(d.Header, d.Body)
	}
}

// recorded gives one recording by its file name.
func recorded(t testing.TB, file string) recordings.Delivery {
	t.Helper()
	all, err := recordings.Deliveries()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.File == file {
			return d
		}
	}
	t.Fatalf("there is no recording %s", file)
	return recordings.Delivery{}
}
