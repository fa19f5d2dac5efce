package woocommerce

import (
	"bytes"
	"encoding/json"
	"testing"
)

// benchmarkBodies are a usual order (4 KB), a long one (17 KB) and one of 200 lines (75 KB).
func benchmarkBodies(tb testing.TB) map[string][]byte {
	usual := recorded(tb, "108-s08e-attribution-and-coupon-disagree-order.updated.http").Body
	long := recorded(tb, "149-s12c-200-line-items-order.updated.http").Body
	return map[string][]byte{"4KB": usual, "17KB": withLines(tb, long, 40), "75KB": long}
}

// withLines cuts an order's line items down to n.
func withLines(tb testing.TB, body []byte, n int) []byte {
	var order map[string]json.RawMessage
	var lines []json.RawMessage
	if err := json.Unmarshal(body, &order); err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(order["line_items"], &lines); err != nil {
		tb.Fatal(err)
	}
	kept := bytes.Join(toBytes(lines[:n]), []byte(","))
	order["line_items"] = append(append([]byte("["), kept...), ']')
	shorter, err := json.Marshal(order)
	if err != nil {
		tb.Fatal(err)
	}
	return shorter
}

func toBytes(values []json.RawMessage) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

func BenchmarkParse(b *testing.B) {
	for name, body := range benchmarkBodies(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (Platform{}).Parse("order.updated", body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEncodingJSON is the yardstick for the scanner: the same fields by encoding/json, and nothing made of them.
func BenchmarkEncodingJSON(b *testing.B) {
	type item struct{ Total, Code, ID, TotalTax, Key, Value json.RawMessage }
	type address struct{ Country, Email json.RawMessage }
	for name, body := range benchmarkBodies(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var order struct {
					ID, Number, Status, Currency, Total, Code, Message json.RawMessage
					Created                                            json.RawMessage `json:"date_created_gmt"`
					Modified                                           json.RawMessage `json:"date_modified_gmt"`
					Paid                                               json.RawMessage `json:"date_paid_gmt"`
					Billing, Shipping                                  address
					Lines                                              []item `json:"line_items"`
					Fees                                               []item `json:"fee_lines"`
					Coupons                                            []item `json:"coupon_lines"`
					Refunds                                            []item
					Meta                                               []item `json:"meta_data"`
				}
				if err := json.Unmarshal(body, &order); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	d := recorded(b, "108-s08e-attribution-and-coupon-disagree-order.updated.http")
	secrets := [][]byte{[]byte(recordingsSecret(b))}
	b.SetBytes(int64(len(d.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if !(Platform{}).Verify(secrets, d.Header, d.Body) {
			b.Fatal("not verified")
		}
	}
}

func BenchmarkKey(b *testing.B) {
	d := recorded(b, "108-s08e-attribution-and-coupon-disagree-order.updated.http")
	b.ReportAllocs()
	for b.Loop() {
		(Platform{}).Key(d.Header, d.Body)
	}
}
