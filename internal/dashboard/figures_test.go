package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/report"
)

// TestFigures_oneMoment: what a page adds up is of one moment. A page asks for the time before each of its readings,
// and whenever it does, somebody rejects a sale of today and one of yesterday at once: at any one moment both days have
// sold the same, and the chart shows what the figures say.
func TestFigures_oneMoment(t *testing.T) {
	h := newHouse(t)
	var sales []sale
	for range 60 {
		today := sale{code: "ANNA10", value: 10_00}
		yesterday := today
		yesterday.at = noon.AddDate(0, 0, -1)
		sales = append(sales, today, yesterday)
	}
	h.sell(sales...)
	var left []affiliate.ConversionID
	for i := range sales {
		left = append(left, h.order(fmt.Sprint(1001+i)).Conversion.ID)
	}
	anna, v := creatorAddress(h.creator("Anna Ahlers").ID), h.viewer()
	var deciding sync.Mutex
	h.app.Now = func() time.Time {
		if deciding.TryLock() { // deciding asks for the time itself
			defer deciding.Unlock()
			if _, err := h.app.Decide(h.as(affiliate.RoleManager), left[:2], app.Reject, ""); err != nil {
				t.Error(err)
			}
			left = left[2:]
		}
		return h.clock.now()
	}
	for _, address := range []string{"/?", "/?part=totals&", spring + "?", spring + "?part=figures&",
		anna + "?", anna + "?part=figures&"} {
		before := len(left)
		a := v.get(address + "period=today").is(http.StatusOK)
		if before-len(left) < 4 {
			t.Errorf("%s: nobody rejected anything while it was read", address)
		}
		sold := a.texts("[data-key=figure-sales] dd")
		if len(sold) != 2 || sold[1] != "as before against the period before" {
			t.Errorf("%s: the sales are %q, want as many as yesterday", address, sold)
		}
		if a.has("figure.chart") {
			a.says("Sales of " + sold[0])
		}
	}
	h.consistent()
}

// TestFigures_manyYears: a chart with too many bars is refused by the page of a campaign as by the home page. The page
// of a creator has none.
func TestFigures_manyYears(t *testing.T) {
	h := newHouse(t)
	const years = "?from=1970-01-01&to=2199-12-31"
	for _, address := range []string{"/" + years, spring + years, spring + years + "&part=progress"} {
		h.viewer().get(address).is(http.StatusUnprocessableEntity).says("there are 2760 intervals of a month")
	}
	h.viewer().get(spring + years + "&part=figures").is(http.StatusOK)
	h.viewer().get(creatorAddress(h.creator("Anna Ahlers").ID) + years).is(http.StatusOK)
}

// TestFigures_keys: figures are known by their keys, whatever their labels are.
func TestFigures_keys(t *testing.T) {
	due := report.PaymentsDue{Other: []report.DueSum{{Currency: "EUR", Amount: 5_00}}}
	figures := figuresOf(report.Cards(), report.KeyFigures{Due: due}, "USD")
	keys := func(figures []figure) (list []string) {
		for _, f := range figures {
			list = append(list, string(f.Key))
		}
		return list
	}
	if all := slices.Compact(slices.Sorted(slices.Values(keys(figures)))); len(figures) != 10 || len(all) != 10 {
		t.Errorf("%d figures have the keys %v", len(figures), all)
	}
	lead(figures, "/there", report.KeySales, report.KeyPaymentsDue)
	for _, f := range figures {
		if led := f.Key == report.KeySales || f.Key == report.KeyPaymentsDue; led != (f.Address == "/there") {
			t.Errorf("%s leads to %q", f.Key, f.Address)
		}
		other := strings.Contains(asRead(f.About), "And 5.00 EUR of another currency.")
		if other != (f.Key == report.KeyPaymentsDue) {
			t.Errorf("%s is about %q", f.Key, f.About)
		}
	}
	ofOne := strings.Join(keys(figuresOf(report.CardsOfCreator(), report.KeyFigures{}, "USD")), " ")
	if want := "conversions clicks sales commissions payments_due"; ofOne != want {
		t.Errorf("of one creator: %s, want %s", ofOne, want)
	}
}

// TestFigure_changed: a change is written as roughly as people look at it.
func TestFigure_changed(t *testing.T) {
	for _, c := range []struct {
		now, then int64
		way, want string
	}{
		{33966, 10000, "up", "+240 %"},
		{10995, 10000, "up", "+10 %"},
		{10994, 10000, "up", "+9.9 %"},
		{10005, 10000, "up", "+0.1 %"},
		{10004, 10000, "", "as before"},
		{10000, 10000, "", "as before"},
		{9996, 10000, "", "as before"},
		{9848, 10000, "down", "−1.5 %"},
		{0, 10000, "down", "−100 %"},
		{-10000, 10000, "down", "−200 %"},
		{1, 0, "", ""},
	} {
		f := figure{}.changed(affiliate.Growth(c.now, c.then))
		if f.Way != c.way || asRead(f.Change) != c.want {
			t.Errorf("%d after %d: %q %q, want %q %q", c.now, c.then, f.Way, asRead(f.Change), c.way, c.want)
		}
	}
}
