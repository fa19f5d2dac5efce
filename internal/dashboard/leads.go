package dashboard

import (
	"net/url"
	"slices"

	"github.com/tributaryhq/tributary/internal/report"
)

// leads are the addresses of what is behind the figures of a row, by figure. The template "figure-cells" shows them.
type leads map[report.Key]string

// conversionLeads are those of figures whose conversions are listed at a path, for the period p, narrowed by pairs of
// parameters; hash is the place in that page, or empty.
func conversionLeads(path, hash string, p periodChoice, pairs ...string) leads {
	to := func(more ...string) string { return p.address(path, append(more, pairs...)...) + hash }
	paid := to("status", "paid", "approval", "approved")
	return leads{report.KeyConversions: paid, report.KeySales: paid, report.KeyAverageSale: paid,
		report.KeyCommissions:    paid,
		report.KeyConversionRate: to("status", "paid", "approval", "approved", "method", "link"),
		report.KeyRefunds:        to("approval", "approved,held", "with_refund", "true")}
}

// with adds where some other figures lead.
func (l leads) with(address string, keys ...report.Key) leads {
	for _, key := range keys {
		l[key] = address
	}
	return l
}

// address is that of a page about the same period, whatever it shows otherwise; empty values are left out.
func (p periodChoice) address(path string, pairs ...string) string {
	q := url.Values{"period": {string(p.Chosen)}}
	if p.Custom() {
		pairs = slices.Concat(pairs, []string{"from", p.From, "to", p.To})
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return path + "?" + q.Encode()
}

// formerly is the parameter that shows those who left, too.
func formerly(former bool) string {
	if former {
		return "1"
	}
	return ""
}
