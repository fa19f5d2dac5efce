package dashboard

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

const spring = "/campaigns/cmp_1"

// numbers gives the orders that the table of conversions lists, in its order.
func numbers(a element) string {
	return strings.ReplaceAll(strings.Join(a.texts("#conversions tbody th a"), " "), "#", "")
}

func TestPerformance(t *testing.T) {
	h := busyHouse(t)
	a := h.manager().get(spring).is(http.StatusOK)
	a.rows("#conversions table",
		" | #1013 shop | 20 Nov 2026 13:00 | Anna Ahlers @anna | ANNA10 code · Ten percent | Paid | 120.00 | – | "+
			"12.00 | "+
			"Reject",
		" | #1009 shop | 18 Nov 2026 13:00 | Anna Ahlers @anna | ANNA10 code · Ten percent | Paid Held Bought with "+
			"the creator's own e-mail address | 500.00 | – | 0.00 | Release Reject",
		" | #1008 shop | 17 Nov 2026 13:00 | Anna Ahlers @anna | ANNA10 code · Ten percent | Canceled | 0.00 of "+
			"64.00 | "+
			"– | 0.00 | Reject",
		" | #1007 shop | 17 Nov 2026 13:00 | Anna Ahlers @anna | ANNA10 code · Ten percent | Pending | 33.00 | – | "+
			"0.00 | "+
			"Reject",
		" | #1006 shop | 16 Nov 2026 13:00 | Ben Botha @ben | BEN5 code · Ten percent | Paid Rejected bought by our "+
			"own "+
			"staff · Max Manager (max@northwind.example), 20 Nov 2026, 13:00 | 75.50 | – | 0.00 | Undo",
		" | #1004 shop | 13 Nov 2026 13:00 | Ben Botha @ben | BEN5 code · Ten percent | Refunded | 0.00 of 80.00 | "+
			"85.00 | "+
			"0.00 | Reject",
		" | #1003 shop | 12 Nov 2026 13:00 | Ben Botha @ben | BEN5 code · Ten percent | Partly refunded | 181.22 of "+
			"240.00 "+
			"| 60.00 | 18.12 | Reject",
		" | #1002 shop | 11 Nov 2026 13:00 | Anna Ahlers @anna | ANNA10 code · Ten percent | Paid | 59.90 | – | "+
			"5.99 | Reject",
		" | #1001 shop | 11 Oct 2026 14:00 | Anna Ahlers @anna | ANNA10 code · Ten percent | Paid | 100.00 | – | "+
			"10.00 | "+
			"Reject")
	if got := a.one("#conversions tfoot").text(); got != "Total of 4 conversions 461.12 145.00 46.11" {
		t.Errorf("the totals are %q", got)
	}
	if got := a.texts("tr.rejected th a"); fmt.Sprint(got) != "[#1006]" {
		t.Errorf("struck through: %v", got)
	}
	a.says("9 listed. Not in the sums of value and commission: 1 pending, 1 canceled, 1 refunded, 1 held, 1 rejected.")
	if got := fmt.Sprint(a.texts("#figures dd")); got !=
		"[2 2 4 0 461.12 USD 230.56 USD 46.11 USD 23.06 USD 18.12 USD 1]" {
		t.Errorf("the figures are %s", got)
	}
	for _, link := range a.all("#figures dd a") { // numbers lead to the rows behind them
		if b := h.manager().get(link.attr("href")).is(http.StatusOK); link.text() == "461.12 USD" &&
			numbers(b.element) != "1013 1003 1002 1001" {
			t.Errorf("the sales lead to %s", numbers(b.element))
		}
	}
	a.rows("#creators table", "Anna Ahlers @anna | 0 | 3 | 279.90 | 93.30 | 27.99 | 27.99",
		"Ben Botha @ben | 0 | 1 | 181.22 | 181.22 | 18.12 | 0.00")
	a.says("Sales of 461.12 USD and commissions of 46.11 USD")

	// Each number of another class leads to its rows.
	for _, link := range a.all("#conversions .card-foot a") {
		word := strings.Fields(link.text())[1]
		if got := numbers(h.manager().get(link.attr("href")).element); len(strings.Fields(got)) != 1 {
			t.Errorf("the link to what is %s lists %q", word, got)
		}
	}
	v := h.viewer().get(spring).is(http.StatusOK)
	if v.has("button[data-quiet]") || v.has("input#reason") {
		t.Error("a viewer sees buttons that would be refused")
	}
	h.consistent()
}

// TestPerformance_filters: each filter lists what it says, and the totals are those of the rows.
func TestPerformance_filters(t *testing.T) {
	h := busyHouse(t)
	anna := h.creator("Anna Ahlers").ID.String()
	for query, want := range map[string]struct{ orders, totals string }{
		"?status=paid&approval=approved": {"1013 1003 1002 1001", "Total of 4 conversions 461.12 60.00 46.11"},
		"?approval=rejected":             {"1006", "Total of 0 conversions 0.00 0.00 0.00"},
		"?status=refunded":               {"1004", "Total of 0 conversions 0.00 85.00 0.00"},
		"?creator=" + anna: {"1013 1009 1008 1007 1002 1001",
			"Total of 3 conversions 279.90 0.00 27.99"},
		"?offer=off_1&q=bEn5": {"1006 1004 1003", "Total of 1 conversion 181.22 145.00 18.12"},
		"?q=%23100": {"1009 1008 1007 1006 1004 1003 1002 1001",
			"Total of 3 conversions 341.12 145.00 34.11"},
		"?q=%40anna&status=canceled":         {"1008", "Total of 0 conversions 0.00 0.00 0.00"},
		"?method=code&period=last_month":     {"1001", "Total of 1 conversion 100.00 0.00 10.00"},
		"?from=2026-11-11&to=2026-11-12":     {"1003 1002", "Total of 2 conversions 241.12 60.00 24.11"},
		"?sort=value&status=paid":            {"1002 1006 1001 1013 1003 1009", ""},
		"?sort=-original_value&status=paid":  {"1009 1003 1013 1001 1006 1002", ""},
		"?sort=creator&q=100&status=paid":    {"1001 1002 1009 1003 1006", ""},
		"?sort=number&approval=approved":     {"1001 1002 1003 1004 1007 1008 1013", ""},
		"?method=link":                       {"", ""},
		"?status=paid&period=today&method=x": {"", "422"},
		"?sort=luck":                         {"", "422"},
		"?creator=anna":                      {"", "422"},
		"?offer=off_x":                       {"", "422"},
		"?approval=maybe":                    {"", "422"},
		"?cursor=x":                          {"", "422"},
	} {
		a := h.viewer().get(spring + query)
		if want.totals == "422" {
			a.is(http.StatusUnprocessableEntity)
			continue
		}
		a.is(http.StatusOK)
		if got := numbers(a.element); got != want.orders {
			t.Errorf("%s lists %q, want %q", query, got, want.orders)
		}
		if want.totals != "" && a.one("#conversions tfoot").text() != want.totals {
			t.Errorf("%s: the totals are %q, want %q", query, a.one("#conversions tfoot").text(), want.totals)
		}
	}
	a := h.viewer().get(spring + "?q=zebra")
	a.says("Nothing matches")
	h.viewer().get(a.one("#conversions .empty a").attr("href")).says("9 listed")
	h.viewer().get(spring+"?period=yesterday").says("No conversions in this period", "Show all time")
	a = h.viewer().get(spring + "?q=bEn5&status=paid&period=last_30_days&creator=" + h.creator("Ben Botha").ID.String())
	for _, form := range []string{"form.filters"} {
		for _, f := range a.all("main " + form) {
			for _, name := range []string{"q", "status", "period", "creator"} {
				if !f.has("[name=" + name + "]") {
					t.Errorf("a form of filters forgets %s", name)
				}
			}
		}
	}
}

// TestPerformance_leads: the cards lead to the conversions that they count, also where the table shows only some.
func TestPerformance_leads(t *testing.T) {
	h := busyHouse(t)
	ben := h.creator("Ben Botha")
	_, err := h.app.RemoveMember(h.as(affiliate.RoleManager), h.member("Spring", ben.Name).ID)
	h.must(err)
	for _, query := range []string{"", "?store=boutique&currency=EUR&code=cod_2", "?link=lnk_1&waiting_for_rate=true",
		"?with_refund=true&former=1", "?undecided=true&ambiguous=true&creator=" + ben.ID.String() + "&include=former",
		"?offer_type=sales_link&offer_status=archived&offer=off_1", "?period=last_month&q=1001&status=canceled"} {
		a := h.viewer().get(spring + query).is(http.StatusOK)
		n := a.one("[data-key=figure-conversions] dd a")
		foot := "Total of " + n.text() + " conversion"
		target := h.viewer().get(n.attr("href")).is(http.StatusOK)
		if got := strings.Join(target.texts("#conversions tfoot th"), " "); !strings.HasPrefix(got, foot) &&
			!(n.text() == "0" && got == "") {
			t.Errorf("%q: %s conversions lead to %s, with the foot %q", query, n.text(), n.attr("href"), got)
		}
		sales := a.one("[data-key=figure-sales] dd a")
		amount := strings.TrimSuffix(sales.text(), " USD")
		if got := strings.Join(target.texts("#conversions tfoot"), " "); got != "" && !strings.Contains(got, amount) ||
			sales.attr("href") != n.attr("href") {
			t.Errorf("%q: %s lead to %s, with the foot %q", query, amount, sales.attr("href"), got)
		}
	}
}

// TestPerformance_leadsOfOffer: what a creator was paid for an offer, and who came by it, lead to no figures of the
// whole campaign, nor of all.
func TestPerformance_leadsOfOffer(t *testing.T) {
	v := busyHouse(t).viewer()
	for query, want := range map[string]int{"": 2, "?former=1&period=all_time": 2, "?offer=off_1": 0} {
		statements, profiles := 0, 0
		for _, e := range v.get(spring + query).all("tbody td.number a") {
			path, _, _ := strings.Cut(e.attr("href"), "?")
			if strings.HasSuffix(path, "/statement") {
				statements++
			} else if strings.HasPrefix(path, "/creators/") {
				profiles++
			}
		}
		if statements != want || profiles != want {
			t.Errorf("%q: %d lead to statements, and %d to profiles, want %d", query, statements, profiles, want)
		}
	}
}

// TestPerformance_paymentsDue: what a campaign owes leads nowhere, since no list of payments due adds up to it: those
// have creators who left as well, and what is taken off from others.
func TestPerformance_paymentsDue(t *testing.T) {
	v := busyHouse(t).viewer()
	for _, query := range []string{"", "?former=1", "?offer=off_1", "?creator=cre_1"} {
		if card := v.get(spring + query).one("[data-key=figure-payments_due] dd"); card.has("a") {
			t.Errorf("%q: %s leads to %s", query, card.text(), card.one("a").attr("href"))
		}
	}
}

// TestPerformance_sortHeads: a head sorts by its column, once more turns the order round, and readers are told.
func TestPerformance_sortHeads(t *testing.T) {
	h := busyHouse(t)
	titles := []string{"Order", "Store", "Date", "Creator", "Offer", "Code or link", "Status", "Approval",
		"Original value", "Value", "Refunded", "Commission"}
	var choice []string
	for _, title := range titles {
		choice = append(choice, "columns", strings.ToLower(strings.ReplaceAll(title, " ", "_")))
	}
	h.viewer().post("/columns/campaign", append(choice, "columns", "evidence")...)
	a := h.viewer().get(spring + "?status=paid")
	if got := a.one("#conversions th[aria-sort=descending]").text(); got != "Date" {
		t.Errorf("sorted by %q at first", got)
	}
	head := func(a answer, title string) element {
		for _, th := range a.all("#conversions thead th") {
			if th.text() == title {
				return th
			}
		}
		t.Fatalf("no head %s", title)
		return element{}
	}
	for _, title := range titles {
		one := h.viewer().get(head(a, title).all("a")[0].attr("href")).is(http.StatusOK)
		two := h.viewer().get(head(one, title).all("a")[0].attr("href")).is(http.StatusOK)
		first, second := head(one, title).attr("aria-sort"), head(two, title).attr("aria-sort")
		if first == "" || second == "" || first == second {
			t.Errorf("%s: sorted %q, then %q", title, first, second)
		}
		o, w := strings.Fields(numbers(one.element)), strings.Fields(numbers(two.element))
		slices.Reverse(w)
		if len(o) != 6 || fmt.Sprint(o) != fmt.Sprint(w) {
			t.Errorf("%s: %v, turned round %v", title, o, w)
		}
	}
}

// TestPerformance_pages: the pages of a sorted table hold every row once, in one order.
func TestPerformance_pages(t *testing.T) {
	h := newHouse(t)
	var sales []sale
	for i := range limit + 7 {
		sales = append(sales, sale{code: "ANNA10", value: int64(1000 + i%9),
			at: noon.Add(-time.Duration(i) * time.Hour)})
	}
	h.sell(sales...)
	a := h.viewer().get(spring + "?sort=-value&period=last_30_days&q=10")
	first := strings.Fields(numbers(a.element))
	next := a.all("#conversions a[rel=next]")
	if len(first) != limit || len(next) != 1 {
		t.Fatalf("%d rows and %d links to the next page", len(first), len(next))
	}
	b := h.viewer().get(next[0].attr("href")).is(http.StatusOK)
	rest := strings.Fields(numbers(b.element))
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(first, rest))))
	if len(rest) != 7 || len(all) != limit+7 || b.has("#conversions a[rel=next]") {
		t.Errorf("%d rows on the second page, %d in all", len(rest), len(all))
	}
	if one, two := a.one("#conversions tfoot").text(), b.one("#conversions tfoot").text(); one != two {
		t.Errorf("totals of the pages: %q and %q", one, two)
	}
	b.says("Back to the first page")
	// The table of creators has places of its own.
	h.viewer().get(spring+"?by=name").rows("#creators table", cells(a.element, "#creators table")[0],
		"Ben Botha @ben | 0 | 0 | 0.00 | — | 0.00 | 0.00")
	h.viewer().get(spring + "?by=luck").is(http.StatusUnprocessableEntity)
}

// TestPerformance_former: who left counts only on demand, and the page says what is left out.
func TestPerformance_former(t *testing.T) {
	h := busyHouse(t)
	_, err := h.app.RemoveMember(h.as(affiliate.RoleManager), h.member("Spring", "Ben Botha").ID)
	h.must(err)
	a := h.viewer().get(spring).says("Creators who left brought 1 conversion and 181.22 USD more",
		"1 who left is not listed")
	if got := numbers(a.element); got != "1013 1009 1008 1007 1002 1001" {
		t.Errorf("without who left: %s", got)
	}
	if got := a.one("#conversions tfoot").text(); got != "Total of 3 conversions 279.90 0.00 27.99" {
		t.Errorf("the totals are %q", got)
	}
	a = h.viewer().get(spring + "?former=1").says("In this are 1 conversion and 181.22 USD of creators who left")
	if got := a.one("#conversions tfoot").text(); got != "Total of 4 conversions 461.12 145.00 46.11" {
		t.Errorf("with who left: %q", got)
	}
	if got := len(a.all("tr.former")); got == 0 {
		t.Error("rows of who left are not marked")
	}
}

// TestPerformance_otherCurrency: amounts are shown in both currencies, or as waiting for a rate and in no sum.
func TestPerformance_otherCurrency(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 50_00, currency: "EUR"}, sale{code: "ANNA10", value: 10_00})
	a := h.viewer().get(spring).says("Not converted yet: 1 conversion, 50.00 EUR")
	if got := a.texts("#conversions tfoot tr"); fmt.Sprint(
		got) != "[Total of 1 conversion 10.00 0.00 1.00 Not converted yet: 1 conversion 50.00 EUR 0.00 EUR 5.00 EUR]" {
		t.Errorf("the totals are %q", got)
	}
	a.says("50.00 EUR waits for a rate", "5.00 EUR waits for a rate", "2 listed")
	rate, err := money.ParseRate("1.1")
	h.must(err)
	_, err = h.app.ImportRates(h.as(affiliate.RoleOwner), []money.ReferenceRate{{Currency: "USD", Day: "2026-11-20",
		Rate: rate}})
	h.must(err)
	a = h.viewer().get(spring).says("50.00 EUR 55.00 USD", "5.00 EUR 5.50 USD").hides("waits for a rate",
		"Not converted")
	if got := a.texts("#conversions tfoot tr"); fmt.Sprint(got) != "[Total of 2 conversions 65.00 0.00 6.50]" {
		t.Errorf("the totals with a rate are %q", got)
	}
	h.consistent()
}

// TestDecide: rejecting, undoing and releasing change row and totals at once, one by one and for what is selected.
func TestDecide(t *testing.T) {
	h := busyHouse(t)
	m := h.manager()
	id := func(number string) string { return h.order(number).Conversion.ID.String() }
	totals := func(want string) {
		t.Helper()
		if got := m.get(spring).one("#conversions tfoot").text(); got != want {
			t.Errorf("the totals are %q, want %q", got, want)
		}
	}
	decide := spring + "/decide"
	m.post(decide, "one-reject", id("1013"), "ids", id("1002"), "reason", "left from before", "decision", "undo",
		"back", spring+"?status=paid").
		at(spring+"?status=paid").says("1 conversion is rejected", "Rejected Max Manager").hides("left from before")
	totals("Total of 3 conversions 341.12 145.00 34.11")
	if got := h.order("1002").Conversion.Approval; got != affiliate.Approved {
		t.Errorf("the button of one row changed another: %s", got)
	}
	m.post(decide, "one-undo", id("1013")).at(spring).says("1 conversion is no longer rejected")
	m.post(decide, "one-release", id("1009")).at(spring).says("1 conversion is released")
	totals("Total of 5 conversions 961.12 145.00 96.11")
	m.post(decide, "decision", "reject", "reason", "coupon site", "ids", id("1001"), "ids", id("1002"), "ids",
		id("1009")).says("3 conversions are rejected", "coupon site · Max Manager")
	totals("Total of 2 conversions 301.22 145.00 30.12")
	m.post(decide, "decision", "undo", "ids", id("1001"), "ids", id("1002"), "ids",
		id("1009")).says("3 conversions are no longer rejected")
	totals("Total of 5 conversions 961.12 145.00 96.11")

	m.post(decide, "decision", "reject").is(http.StatusUnprocessableEntity).says("No conversion is selected")
	m.post(decide, "decision", "approve", "ids", id("1001")).is(http.StatusUnprocessableEntity)
	m.post(decide, "decision", "reject", "ids", "1;2").is(http.StatusUnprocessableEntity)
	m.post(decide, "decision", "reject", "ids", "cnv_999").is(http.StatusNotFound)
	m.post(decide, "one-release", id("1006")).is(http.StatusConflict).says("it is rejected; undo the rejection first")
	m.post(decide, "one-reject", id("1001"), "back", "https://elsewhere.example/").at(spring)
	quiet := m.postWith(map[string]string{"X-Quiet": "1"}, decide, "one-undo", id("1001"))
	if quiet.status != http.StatusNoContent || quiet.body != "" {
		t.Errorf("in the background: %d %q", quiet.status, quiet.body)
	}
	m.post(decide, "nothing", "1", "one-reject", "", "ids", id("1001"), "back", spring+"?q=1").at(spring + "?q=1")
	h.viewer().post(decide, "one-reject", id("1001")).is(http.StatusForbidden)
	totals("Total of 5 conversions 961.12 145.00 96.11")
	h.consistent()
}

// TestPerformance_parts: a part comes alone, and is the one of the whole page.
func TestPerformance_parts(t *testing.T) {
	h := busyHouse(t)
	whole := h.manager().get(spring + "?status=paid")
	for _, id := range []string{"figures", "conversions", "progress"} {
		a := h.manager().get(spring + "?status=paid&part=" + id).is(http.StatusOK)
		if a.has("main") || a.one("#"+id).text() != whole.one("#"+id).text() ||
			a.one("#"+id).attr("data-live") != "cmp_1" {
			t.Errorf("the part %s is\n%s\nin the page\n%s", id, a.text(), whole.one("#"+id).text())
		}
		for _, link := range a.all("a[href]") {
			if strings.Contains(link.attr("href"), "part=") {
				t.Errorf("the link %s of the part %s leads to a part", link.attr("href"), id)
			}
		}
	}
}

// exported are the rows of a file by their columns, and what its amounts add up to in the account's currency.
type exported struct {
	rows                 []map[string]string
	sales, back, earning int64
}

func (h *house) exported(list [][]string) exported {
	h.Helper()
	var e exported
	for _, line := range list[1:] {
		row := map[string]string{}
		for i, name := range list[0] {
			row[name] = line[i]
		}
		amount := func(column string) int64 {
			n, err := money.Parse(row[column], "USD")
			h.must(err)
			return n
		}
		if row["Counted"] == "true" || row["Counted"] == "TRUE" || row["Counted"] == "1" {
			e.sales += amount("Account Value")
			e.earning += amount("Account Commission")
		}
		if row["Approval"] != "rejected" {
			e.back += amount("Account Refunded")
		}
		e.rows = append(e.rows, row)
	}
	return e
}

// total is how the table's foot writes the sums.
func (e exported) total() string {
	return asRead(fmt.Sprintf("%s %s %s", amount(e.sales, "USD"), amount(e.back, "USD"), amount(e.earning, "USD")))
}

func (e exported) orders() string {
	var list []string
	for _, r := range e.rows {
		list = append(list, strings.TrimPrefix(r["Order Number"], "#"))
	}
	return strings.Join(list, " ")
}

func (h *house) readCSV(text string) exported {
	h.Helper()
	return h.exported(h.table(text))
}

// table reads a CSV file as pages give it: with the mark by which Excel knows UTF-8.
func (h *house) table(text string) [][]string {
	h.Helper()
	text, marked := strings.CutPrefix(text, "\ufeff")
	if !marked {
		h.Errorf("a file from a page has no byte order mark: %.40q", text)
	}
	list, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	h.must(err)
	return list
}

// TestPerformance_files: a file has the rows of the screen in their order, and adds up to the same.
func TestPerformance_files(t *testing.T) {
	h := busyHouse(t)
	for _, query := range []string{"", "?status=paid", "?sort=value&q=ben5", "?creator=" +
		h.creator("Anna Ahlers").ID.String() + "&period=last_month"} {
		screen := h.viewer().get(spring + query)
		for _, link := range screen.all(".card-head a[href]") {
			href := link.attr("href")
			if !strings.Contains(href, "/conversions.") {
				continue
			}
			a := h.viewer().get(href).is(http.StatusOK)
			var e exported
			if strings.Contains(href, ".csv") {
				e = h.readCSV(a.body)
			} else {
				book, err := excelize.OpenReader(strings.NewReader(a.body))
				h.must(err)
				list, err := book.GetRows(book.GetSheetList()[0], excelize.Options{RawCellValue: true})
				h.must(err)
				e = h.exported(list)
			}
			_, want, _ := strings.Cut(screen.one("#conversions tfoot").text(), "conversion")
			if want = strings.TrimSpace(strings.TrimPrefix(want, "s")); e.total() != want {
				t.Errorf("%s adds up to %s, the screen to %s", href, e.total(), want)
			}
			if e.orders() != numbers(screen.element) {
				t.Errorf("%s has %s, the screen %s", href, e.orders(), numbers(screen.element))
			}
			if got := a.header.Get("Content-Disposition"); !strings.Contains(got, "conversions-cmp_1") {
				t.Errorf("%s is called %s", href, got)
			}
		}
	}
	id := h.order("1006").Conversion.ID.String()
	if e := h.readCSV(h.viewer().get(spring + "/conversions.csv?period=today&ids=" + id + "&ids=" +
		h.order("1001").Conversion.ID.String()).body); e.orders() != "1006 1001" {
		t.Errorf("the selected ones are %s", e.orders())
	}
	h.viewer().get("/campaigns/cmp_2/conversions.csv?ids=" + id).is(http.StatusOK).hides("1006")
	h.viewer().get(spring + "/conversions.csv?ids=1x2").is(http.StatusUnprocessableEntity)
	h.viewer().get("/campaigns/cmp_9/conversions.csv").is(http.StatusNotFound)
	h.nobody().get(spring + "/conversions.csv").is(http.StatusSeeOther)
}

// TestColumns: everybody chooses for themselves, and it is remembered.
func TestColumns(t *testing.T) {
	h := busyHouse(t)
	heads := func(v *visitor) string { return strings.Join(v.get(spring).texts("#conversions thead th"), ", ") }
	usual := ", Order, Date, Creator, Code or link, Status, Value, Refunded, Commission"
	if got := heads(h.viewer()); got != usual {
		t.Errorf("at first: %s", got)
	}
	h.viewer().post("/columns/campaign", "columns", "status", "columns", "rule", "columns", "commission", "columns",
		"nonsense", "back", spring+"?status=paid").at(spring + "?status=paid")
	if got := heads(h.viewer()); got != ", Order, Status, Commission, Rule" {
		t.Errorf("chosen: %s", got)
	}
	a := h.viewer().get(spring)
	if got := a.one("#conversions tfoot").text(); got != "Total of 4 conversions 46.11" {
		t.Errorf("the totals are %q", got)
	}
	a.rows("#conversions table", cells(a.element, "#conversions table")...)
	if got := cells(a.element, "#conversions table")[0]; got != " | #1013 shop | Paid | 12.00 | 10.00 %" {
		t.Errorf("the first row is %q", got)
	}
	if got := len(a.all("#columns-campaign input[checked]")); got != 3 {
		t.Errorf("%d columns are ticked, want 3", got)
	}
	if got := heads(h.manager()); got != usual+", Decide" {
		t.Errorf("somebody else sees %s", got)
	}
	h.viewer().post("/columns/campaign")
	if got := heads(h.viewer()); got != ", Order" {
		t.Errorf("none chosen: %s", got)
	}
	h.viewer().post("/columns/campaign", "columns", "status", "usual", "1")
	if got := heads(h.viewer()); got != usual {
		t.Errorf("the usual ones: %s", got)
	}
	h.viewer().post("/columns/nonsense").is(http.StatusNotFound)
}

// row is the text of an order's row in the table of conversions; empty while there is none.
func (b *tab) row(number string) string {
	b.Helper()
	var text string
	b.eval(fmt.Sprintf(`[...document.querySelectorAll("#conversions tbody tr")].find((r) => r.querySelector("th a")?.innerText.trim() === %q)?.innerText.replace(/\s+/g, " ").trim() || ""`, number), &text)
	return text
}

// totals waits until the foot of the table of conversions is as wanted.
func (b *tab) totals(want string) {
	b.Helper()
	b.until("the totals "+want, func() bool {
		var text string
		b.eval(`document.querySelector("#conversions tfoot").innerText.replace(/\s+/g, " ").trim()`, &text)
		return text == want
	})
}

// TestPerformance_live: a status changes on the open page when the store has told of it, and the totals with it, while
// what is typed and what is selected stays.
func TestPerformance_live(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00}, sale{number: "2002", code: "BEN5", value: 40_00, status: "pending"})
	b := h.browse(affiliate.RoleManager)
	b.open(spring)
	b.connected()
	if got := b.row("#2002"); !strings.Contains(got, "Pending") || !strings.Contains(got, "0.00") {
		t.Errorf("the pending order's row is %q", got)
	}
	b.staysLit()
	b.eval(`document.querySelector('input[name=ids]').click()`)
	b.says("1 selected")
	b.fill("#reason", "half a rea")
	h.sell(sale{number: "2002", code: "BEN5", value: 40_00})
	b.until("the order to be paid", func() bool {
		return strings.Contains(b.row("#2002"), "Paid") && strings.Contains(b.row("#2002"), "4.00")
	})
	b.totals("Total of 2 conversions 140.00 0.00 14.00")
	b.says("1 selected")
	b.until("the figures to follow", func() bool {
		var text string
		b.eval(`document.getElementById("figures").innerText`, &text)
		return strings.Contains(text, "140.00") && strings.Contains(text, "14.00")
	})
	var kept struct {
		Reason  string
		Focused bool
		Lit     int
	}
	b.eval(`({ Reason: document.getElementById("reason").value, Focused: document.activeElement.id === "reason", Lit: document.querySelectorAll("#conversions tr.changed").length })`, &kept)
	if kept.Reason != "half a rea" || !kept.Focused || kept.Lit != 1 {
		t.Errorf("after the change: %+v, want the reason, the focus and one row that lights up", kept)
	}
	h.sell(sale{number: "2003", code: "ANNA10", value: 60_00}) // a new one appears
	b.totals("Total of 3 conversions 200.00 0.00 20.00")
	var lit int
	b.eval(`document.querySelectorAll("#conversions tr.changed").length`, &lit)
	if lit != 2 {
		t.Errorf("%d rows are lit after the table came anew, want the one that was and the new one", lit)
	}
	h.sell(sale{number: "2002", code: "BEN5", value: 40_00, refund: 45_00})
	b.until("the refund", func() bool { return strings.Contains(b.row("#2002"), "Refunded") })
	b.totals("Total of 2 conversions 160.00 45.00 16.00")
}

// TestPerformance_decideInPlace: rejecting and undoing show without a reload, by mouse and by keyboard.
func TestPerformance_decideInPlace(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.open(spring)
	b.connected()
	b.eval(`window.stays = true`)
	// What is asked for first after the answer to a decision, not for another reason.
	b.eval(`(() => { const send = window.fetch; window.fetched = []; let after = false; window.fetch = (...what) => { if (after) { fetched.push(String(what[0])); after = false; } const answer = send(...what); return String(what[0]).endsWith("/decide") ? answer.then((a) => { after = true; return a; }) : answer; }; })()`)
	b.totals("Total of 4 conversions 461.12 145.00 46.11")
	b.click(fmt.Sprintf(`button[name="one-reject"][value="%s"]`, h.order("1013").Conversion.ID))
	b.totals("Total of 3 conversions 341.12 145.00 34.11")
	var asked string
	if b.eval(`fetched.join(" ")`, &asked); !strings.Contains(asked, "part=") || strings.Contains(asked, "part=foot") {
		t.Errorf("after a decision the page asks for %s, want what it concerns", asked)
	}
	b.until("the row to be struck through", func() bool {
		var struck string
		b.eval(fmt.Sprintf(`((e) => e ? getComputedStyle(e).textDecorationLine : "")(`+
			`document.querySelector('tr.rejected[data-key="%s"] td.number'))`, h.order("1013").Conversion.ID), &struck)
		return struck == "line-through"
	})
	// The focus is where the button was: the keyboard takes it back.
	var focused string
	b.eval(`document.activeElement.innerText`, &focused)
	if focused != "Undo" {
		t.Errorf("the focus is on %q, want Undo", focused)
	}
	b.keys("\r")
	b.totals("Total of 4 conversions 461.12 145.00 46.11")

	// Selected ones, with a reason; the enter key in a row presses nothing.
	b.eval(`document.querySelectorAll("input[name=ids]").forEach((e) => { if (["Select order #1001", "Select order #1002"].includes(e.ariaLabel)) e.click(); })`)
	b.says("2 selected")
	b.eval(`document.querySelector("input[name=ids]:checked").focus()`)
	b.keys("\r")
	b.fill("#reason", "coupon site")
	b.click(`.selection button[value="reject"]`)
	b.totals("Total of 2 conversions 301.22 145.00 30.12")
	b.says("coupon site")
	b.until("the toolbar to go", func() bool {
		var visible bool
		b.eval(`document.querySelector(".selection").checkVisibility()`, &visible)
		return !visible
	})
	var stays bool
	b.eval(`window.stays === true`, &stays)
	if !stays || b.address() != spring {
		t.Errorf("the page was loaded anew: at %s", b.address())
	}
	if got := h.order("1006").Conversion.Approval; got != affiliate.Rejected {
		t.Errorf("another row changed to %s", got)
	}
	h.consistent()
}

// TestPerformance_selection: the head selects all of the page, and the download of the selected ones is what the screen
// shows of them.
func TestPerformance_selection(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleViewer)
	folder := t.TempDir()
	b.call(func(ctx context.Context, c *chromedp.Target) error {
		_, err := cdp.Call(ctx, c, browser.SetDownloadBehavior,
			browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
				BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID})
		return err
	})
	b.open(spring)
	var visible bool
	b.eval(`document.querySelector(".selection").checkVisibility()`, &visible)
	if visible {
		t.Error("the toolbar is there before anything is selected")
	}
	b.eval(`document.querySelector("input[data-all]").click()`)
	b.says("9 selected")
	b.eval(`document.querySelector("input[data-all]").click()`)
	b.eval(`document.querySelectorAll("input[name=ids]").forEach((e) => { if (["Select order #1003", "Select order #1006", "Select order #1013"].includes(e.ariaLabel)) e.click(); })`)
	b.says("3 selected")
	b.click(`.selection button[formaction$=".csv"]`)
	var file []byte
	b.until("the file", func() bool {
		found, err := filepath.Glob(filepath.Join(folder, "*.csv"))
		h.must(err)
		if len(found) != 1 {
			return false
		}
		file, err = os.ReadFile(found[0])
		h.must(err)
		return bytes.Count(file, []byte("\n")) == 4
	})
	for _, row := range h.readCSV(string(file)).rows {
		shown := b.row(row["Order Number"])
		for _, column := range []string{"Creator", "Handle", "Offer", "Code/Link", "Original Value", "Value",
			"Commission"} {
			if text := row[column]; !strings.Contains(shown, text) {
				t.Errorf("the file has %s %q, the screen shows %q", column, text, shown)
			}
		}
	}
	if got := h.readCSV(string(file)).orders(); got != "1013 1006 1003" {
		t.Errorf("the file has %s", got)
	}
	if u, err := url.Parse(b.address()); err != nil || u.Path != spring {
		t.Errorf("the page went to %s", b.address())
	}
}
