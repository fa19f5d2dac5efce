package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// listed gives the numbers of the orders that the table lists.
func listed(a answer) string {
	return strings.ReplaceAll(strings.Join(a.texts("#orders tbody th a"), " "), "#", "")
}

// TestOrders_filters: the address says which orders are listed and in which order, the file has the same, and the foot
// what they add up to.
func TestOrders_filters(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{number: "2001", value: 70_00, currency: "EUR", at: noon.AddDate(0, 0, -3)})
	v := h.viewer()
	for query, want := range map[string]struct{ orders, totals string }{
		"?show=uncredited&period=all_time": {"1011 1010 2001",
			"Total of 1 order 70.00 EUR 75.00 EUR 0.00 EUR Total of 2 orders 60.00 USD 70.00 USD 0.00 USD"},
		"?show=uncredited&currency=EUR": {"2001", "Total of 1 order 70.00 EUR 75.00 EUR 0.00 EUR"},
		"?q=summer20":                   {"1010", ""},
		"?q=ben5&status=refunded":       {"1004", "Total of 1 order 0.00 USD 85.00 USD 0.00 USD"},
		"?q=bEn&sort=value":             {"1004 1012 1006 1003", ""},
		"?campaign=cmp_2":               {"1005", "Total of 1 order 45.00 USD 50.00 USD 4.25 USD"},
		"?creator=" + h.creator("Ben Botha").ID.String() + "&sort=-total": {"1003 1004 1006", ""},
		"?from=2026-11-18&to=2026-11-18&sort=date":                        {"1009 1010", ""},
		"?show=test": {"1012", "Total of 0 orders 0.00 USD 0.00 USD 0.00 USD"},
	} {
		a := v.get("/orders" + query).is(http.StatusOK)
		if got := listed(a); got != want.orders {
			t.Errorf("%s lists %q, want %q", query, got, want.orders)
		}
		if got := a.one("#orders tfoot").text(); want.totals != "" && got != want.totals {
			t.Errorf("%s adds up to %q, want %q", query, got, want.totals)
		}
		file := v.get(a.all(".card-head a[href]")[0].attr("href")).is(http.StatusOK)
		table := h.table(file.body)
		var numbers []string
		for _, row := range table[1:] {
			numbers = append(numbers, strings.TrimPrefix(row[0], "#"))
		}
		if got := strings.Join(numbers, " "); got != want.orders {
			t.Errorf("%s: the file has %q, want %q", query, got, want.orders)
		}
		if !slices.Contains(table[0], "Campaign Name") {
			t.Errorf("the file does not name the campaigns: %v", table[0])
		}
	}
	v.get("/orders").says("14 listed", "1 test order or part of another is in no sum", "21 May 2026 – 20 Nov 2026")
	v.get("/orders?creator=" + h.creator("Ben Botha").ID.String()).says("Creator: Ben Botha")
	v.get("/orders?sort=luck").is(http.StatusUnprocessableEntity)
	v.get("/orders.xlsx?store=shop").is(http.StatusOK)
	h.nobody().get("/orders.csv").is(http.StatusSeeOther)
	v.post("/columns/orders", "columns", "campaign", "columns", "refunded", "columns", "value")
	if got := strings.Join(v.get("/orders").texts("#orders thead th"),
		", "); got != "Order, Campaign, Value, Refunded" {
		t.Errorf("the chosen columns are %s", got)
	}
}

// TestOrders_pages: the pages of a list that is sorted by an amount hold every order once.
func TestOrders_pages(t *testing.T) {
	h := manyHouse(t, limit+7)
	a := h.viewer().get("/orders?sort=-value")
	b := h.viewer().get(a.one("#orders a[rel=next]").attr("href")).is(http.StatusOK)
	all := strings.Fields(listed(a) + " " + listed(b))
	slices.Sort(all)
	if len(slices.Compact(all)) != limit+7 {
		t.Errorf("%d orders on both pages", len(slices.Compact(all)))
	}
	if one, two := a.one("#orders tfoot").text(), b.one("#orders tfoot").text(); one != two {
		t.Errorf("the pages add up to %q and %q", one, two)
	}
}

// TestOrders_parts: the rows follow without what all orders that match add up to, which is a part of its own.
func TestOrders_parts(t *testing.T) {
	v := busyHouse(t).viewer()
	const query = "/orders?status=paid&sort=-value"
	page := v.get(query).is(http.StatusOK)
	rows := v.get(query + "&part=orders").is(http.StatusOK)
	sums := v.get(query + "&part=order-sums").is(http.StatusOK)
	if got := listed(rows); got != listed(page) || !rows.has("#order-sums") || rows.has("#order-sums tr") ||
		rows.one("#orders-listed").text() != "" {
		t.Errorf("the part of the rows lists %q, and adds up to %q, %q", got, rows.one("#order-sums").text(),
			rows.one("#orders-listed").text())
	}
	for _, id := range []string{"#order-sums", "#orders-listed"} {
		if got, want := sums.one(id).text(), page.one(id).text(); got != want || want == "" {
			t.Errorf("the part of the sums says %q, the page %q", got, want)
		}
	}
	if sums.has("tbody") {
		t.Error("the part of the sums has rows")
	}
}

// TestOrders_follow_race: on an open page the first order brings the sums, later ones come at once, and the sums of
// before stay until it is time to add up anew.
func TestOrders_follow_race(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleViewer)
	b.open("/orders")
	b.connected()
	h.sell(sale{number: "2001", code: "ANNA10", value: 100_00})
	b.says("#2001", "Total of 1 order", "1 listed.")
	h.sell(sale{number: "2002", code: "ANNA10", value: 23_00})
	b.says("#2002", "#2001", "Total of 1 order", "1 listed.")
	b.eval(`refresh("order-sums")`)
	b.says("Total of 2 orders", "123.00 USD", "2 listed.")
}
