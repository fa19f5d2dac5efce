package dashboard

import (
	"net/http"
	"strings"
	"testing"
)

// TestPeriod: what the address says about time is what the page says and its form shows.
func TestPeriod(t *testing.T) {
	h := newHouse(t)
	for query, test := range map[string]struct{ days, chosen, from, to string }{
		"":                  {"21 May 2026 – 20 Nov 2026", "last_6_months", "", ""},
		"period=last_month": {"1 Oct 2026 – 31 Oct 2026", "last_month", "", ""},
		"period=today":      {"20 Nov 2026", "today", "", ""},
		"period=all_time":   {"All time", "all_time", "", ""},
		"period=custom&from=2026-03-01&to=2026-03-31": {"1 Mar 2026 – 31 Mar 2026", "custom", "2026-03-01",
			"2026-03-31"},
		"from=2026-03-01": {"1 Mar 2026 – 20 Nov 2026", "custom", "2026-03-01",
			"2026-11-20"},
		"period=custom&to=2026-03-31": {"Until 31 Mar 2026", "custom", "", "2026-03-31"},
		// left over from another choice
		"period=last_month&from=2026-03-01&to=2026-03-31": {"1 Oct 2026 – 31 Oct 2026", "last_month", "", ""},
		"period=custom": {"21 May 2026 – 20 Nov 2026", "custom", "2026-05-21",
			"2026-11-20"},
	} {
		a := h.viewer().get("/campaigns?" + query).is(http.StatusOK).says(test.days)
		if got := a.one("select#period option[selected]").attr("value"); got != test.chosen {
			t.Errorf("?%s: %s is chosen, want %s", query, got, test.chosen)
		}
		if custom := test.chosen == "custom"; a.has("input#from") != custom || a.has("input#to") != custom {
			t.Errorf("?%s: fields for days are there: %v", query, a.has("input#from"))
		} else if custom && (a.one("input#from").attr("value") != test.from ||
			a.one("input#to").attr("value") != test.to) {
			t.Errorf("?%s: days from %q to %q", query, a.one("input#from").attr("value"),
				a.one("input#to").attr("value"))
		}
	}
	h.sell(sale{code: "ANNA10", value: 100_00, at: noon.AddDate(0, -9, 0)})
	for _, page := range []string{"/", "/campaigns"} {
		led := false
		for _, a := range h.viewer().get(page + "?period=custom&to=2026-03-31").all("main a") {
			address := a.attr("href")
			if strings.Contains(address, "from=&") {
				t.Errorf("%s leads to %s", page, address)
			}
			led = led || strings.Contains(address, "status=paid") && strings.Contains(address, "to=2026-03-31")
		}
		if !led {
			t.Errorf("%s leads to no conversions of its period", page)
		}
	}
	h.viewer().get("/campaigns?period=yesteryear").is(http.StatusUnprocessableEntity).says("yesteryear",
		"is not a period")
	h.viewer().get("/campaigns?from=2026-03-05&to=2026-03-01").is(http.StatusUnprocessableEntity).
		says("must not be before from")
}
