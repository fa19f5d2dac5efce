package export

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkMillionRows writes a million rows of 28 columns, about as wide as the table of conversions.
func BenchmarkMillionRows(b *testing.B) {
	for _, format := range []Format{CSV, XLSX} {
		b.Run(string(format), func(b *testing.B) { benchmarkRows(b, format, 1_000_000) })
	}
}

type countingWriter struct{ n int64 }

func (c *countingWriter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func benchmarkRows(b *testing.B, format Format, rows int) {
	var columns []Column
	for i := range 4 {
		for j, k := range []Kind{Text, Text, Moment, Text, Amount, Amount, Decimal} {
			columns = append(columns, Column{Name: fmt.Sprintf("Column %d.%d", i, j), Kind: k})
		}
	}
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("Creator Name %d", i)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	berlin := zone(b, "Europe/Berlin")
	b.ReportAllocs()
	for b.Loop() {
		out := &countingWriter{}
		w, err := New(b.Context(), out, columns, Options{Format: format, Zone: berlin})
		if err != nil {
			b.Fatal(err)
		}
		for r := range rows {
			for range 4 {
				w.Text(names[r%len(names)])
				w.Text("#1001")
				w.Moment(at.Add(time.Duration(r) * time.Second))
				w.Text("approved")
				w.Amount(int64(r)*7, "EUR")
				w.Amount(int64(r)*3, "USD")
				w.Decimal("1.1684")
			}
			if err := w.EndRow(); err != nil {
				b.Fatal(err)
			}
		}
		closed(b, w)
		b.SetBytes(out.n)
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
