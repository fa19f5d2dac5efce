package app

import (
	"net/http"
	"testing"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/integrations/woocommerce/recordings"
)

func BenchmarkPackPayload(b *testing.B) {
	list, err := recordings.Deliveries()
	if err != nil {
		b.Fatal(err)
	}
	var body []byte
	var h http.Header
	for _, d := range list {
		if len(d.Body) > 3600 && len(d.Body) < 7000 {
			body, h = d.Body, d.Header
			break
		}
	}
	kept := woocommerce.Platform{}.KeptHeaders()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	n := 0
	for b.Loop() {
		n = len(packPayload(kept, h, body))
	}
	b.ReportMetric(float64(n), "packed-bytes")
	b.ReportMetric(float64(len(body)), "body-bytes")
}

func BenchmarkUnpackPayload(b *testing.B) {
	list, _ := recordings.Deliveries()
	packed := packPayload(nil, nil, list[40].Body)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := UnpackPayload(packed); err != nil {
			b.Fatal(err)
		}
	}
}
