package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// TestConversions: the page lists the conversions of all campaigns, as the same parameters of the API do.
func TestConversions(t *testing.T) {
	h := busyHouse(t)
	_, err := h.app.RemoveMember(h.as(affiliate.RoleManager), h.member("Spring", "Ben Botha").ID)
	h.must(err)
	anna, store := h.creator("Anna Ahlers").ID.String(), h.storeBySlug("shop").ID.String()
	v := h.viewer()
	token, err := h.app.AddToken(h.as(affiliate.RoleOwner), app.TokenDraft{Name: "test", Role: affiliate.RoleViewer})
	h.must(err)
	bearer := map[string]string{"Authorization": "Bearer " + token.Value}
	for _, query := range []string{"", "approval=held", "approval=held&include=former", "campaign=cmp_2",
		"campaign=cmp_1,cmp_2&include=former", "creator=" + anna, "store=" + store, "store=boutique", "status=refunded",
		"include=former&status=paid&approval=approved", "method=link", "currency=EUR",
		"with_refund=true&include=former", "waiting_for_rate=true", "ambiguous=true", "q=ben5&include=former",
		"offer=off_1&sort=value", "from=2026-11-11&to=2026-11-12&include=former", "sort=campaign"} {
		query = "period=all_time&" + query
		if strings.Contains(query, "from=") {
			query = strings.TrimPrefix(query, "period=all_time&")
		}
		var list struct {
			Data   []struct{ Order struct{ Number string } }
			Totals struct{ Rows int }
		}
		a := v.get("/conversions?" + query).is(http.StatusOK)
		h.must(json.Unmarshal([]byte(h.nobody().send(http.MethodGet, "/api/v1/conversions?totals=true&"+query,
			bearer, nil).
			is(http.StatusOK).body), &list))
		var want []string
		for _, c := range list.Data {
			want = append(want, strings.TrimPrefix(c.Order.Number, "#"))
		}
		if got := numbers(a.element); got != strings.Join(want, " ") {
			t.Errorf("%s lists %q, the API %q", query, got, want)
		}
		if len(want) > 0 {
			a.says(countText(list.Totals.Rows) + " listed")
		}
		for _, name := range []string{"q", "period", "campaign", "store", "status", "approval", "method", "currency"} {
			if !a.has("form.filters [name=" + name + "]") {
				t.Errorf("%s: the form of filters lacks %s", query, name)
			}
		}
	}
	for _, field := range []string{"status=paid,canceled", "approval=approved,held"} {
		name, value, _ := strings.Cut(field, "=")
		chosen := v.get("/conversions?" + field).one("form.filters [name=" + name + "] [selected]")
		if got := chosen.attr("value"); got != value {
			t.Errorf("%s: the form has %q for %s", field, got, name)
		}
	}
	a := v.get("/conversions?creator=" + anna).says("Creator: Anna Ahlers")
	if !a.has("form.filters input[name=creator]") || !a.has(".chips a[href=/creators/"+anna+"]") {
		t.Error("the creator who is chosen is not kept, or leads nowhere")
	}
	v.get(a.one(".chips a.off").attr("href")).hides("Creator: Anna")
	v.get("/conversions?q=zebra").says("Nothing matches")
	v.get("/conversions?creator=cre_99").is(http.StatusNotFound)
	v.get("/conversions?status=lost").is(http.StatusUnprocessableEntity)
}

// TestConversions_held: what is held is decided about on one page, in bulk.
func TestConversions_held(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{number: "2001", code: "ANNA10", value: 30_00, email: "anna@creators.example"},
		sale{number: "2002", slug: "anna-gifts", value: 20_00, email: "anna@creators.example"})
	const held = "/conversions?period=all_time&approval=held"
	m := h.manager()
	a := m.get(held).says("3 listed", "Bought with the creator's own e-mail address", "Holiday gifts · Gift links")
	if got := numbers(a.element); !strings.Contains(got, "2001") || !strings.Contains(got, "2002") {
		t.Errorf("held: %s", got)
	}
	id := func(number string) string { return h.order(number).Conversion.ID.String() }
	m.post("/conversions/decide", "decision", "release", "ids", id("2001"), "ids", id("2002"), "back", held).at(held).
		says("2 conversions are released").hides("#2001")
	m.post("/conversions/decide", "one-reject", id("1009")).at("/conversions").says("1 conversion is rejected")
	m.get(held).says("Nothing matches")
	h.viewer().post("/conversions/decide", "one-reject", id("2001")).is(http.StatusForbidden)
	h.consistent()
}

// TestConversions_files: the files have the rows of the page.
func TestConversions_files(t *testing.T) {
	h := busyHouse(t)
	a := h.viewer().get("/conversions?status=paid&sort=value")
	file := h.readCSV(h.viewer().get(a.all(".card-head a[href]")[0].attr("href")).is(http.StatusOK).body)
	if file.orders() != numbers(a.element) {
		t.Errorf("the file has %s, the page %s", file.orders(), numbers(a.element))
	}
	if got := file.rows[0]["Campaign Name"]; got == "" {
		t.Error("the file does not name the campaigns")
	}
	h.viewer().get("/conversions.xlsx?status=paid").is(http.StatusOK)
	h.nobody().get("/conversions.csv").is(http.StatusSeeOther)
}

// manyHouse has more conversions than a page of a table lists: n of 10.00 to 10.08 USD.
func manyHouse(t *testing.T, n int) *house {
	t.Helper()
	h := newHouse(t)
	var sales []sale
	for i := range n {
		sales = append(sales, sale{code: "ANNA10", value: int64(1000 + i%9),
			at: noon.Add(-time.Duration(i) * time.Hour)})
	}
	h.sell(sales...)
	return h
}

// TestDecideAll: what is decided about all that match is asked once, with number and sums, and asked again when the
// list has changed meanwhile. It needs no script.
func TestDecideAll(t *testing.T) {
	h := manyHouse(t, limit+20)
	m := h.manager()
	form := func(a answer, more ...string) []string {
		var fields []string
		for _, f := range a.all("form[method=post] input[type=hidden]") {
			if f.attr("name") != "notice" {
				fields = append(fields, f.attr("name"), f.attr("value"))
			}
		}
		return append(fields, more...)
	}
	for _, page := range []string{spring, "/conversions"} {
		a := m.get(page).says("All 70 that match, on all pages")
		decide := a.one("form[data-select]").attr("action")
		asked := m.post(decide, "all", "1", "decision", "reject", "reason", "coupon site", "ids",
			h.order("1070").Conversion.ID.String(), "back", page, "q", "#100", "status", "paid").is(http.StatusOK).
			says("Reject 9 conversions?", "90.36 USD", "9.04 USD", "coupon site", "Reject 9 conversions")
		h.sell(sale{number: "1001", code: "ANNA10", value: 20_00, at: noon}) // the list is another now
		again := m.post(decide, form(asked, "decision", "reject")...).is(http.StatusOK).
			says("The list has changed meanwhile, so nothing was decided", "Reject 9 conversions?")
		if got := h.order("1002").Conversion.Approval; got != affiliate.Approved {
			t.Errorf("%s: it is %s although the list had changed", page, got)
		}
		m.post(decide, form(again, "decision", "reject")...).at(page).says("9 conversions are rejected")
		if got := h.order("1070").Conversion.Approval; got != affiliate.Approved {
			t.Errorf("%s: a row that does not match is %s", page, got)
		}
		some := m.post(decide, "all", "1", "decision", "reject").says("Reject 61 conversions?",
			"9 more conversions match, and stay as they are")
		if !some.has("form[method=post] button[value=reject]") {
			t.Error("nothing to press")
		}
		m.post(decide, "all", "1", "decision", "release").says("there is none that this would change")
		undo := m.post(decide, "all", "1", "decision", "undo", "back", page).says("Undo 9 rejections?")
		m.post(decide, form(undo, "decision", "undo")...).at(page).says("9 conversions are no longer rejected")
		// The button of a row decides about that row alone.
		m.post(decide, "all", "1", "one-reject", h.order("1003").Conversion.ID.String()).
			says("1 conversion is rejected")
		m.post(decide, "one-undo", h.order("1003").Conversion.ID.String())
		h.viewer().post(decide, "all", "1", "decision", "reject").is(http.StatusForbidden)
		m.post(decide, "all", "1", "decision", "approve").is(http.StatusUnprocessableEntity)
		h.sell(sale{number: "1001", code: "ANNA10", value: 10_00, at: noon})
	}
	file := h.readCSV(m.get("/conversions.csv?all=1&q=%23100&ids=" + h.order("1070").Conversion.ID.String()).body)
	if len(file.rows) != 9 {
		t.Errorf("the file of all that match has %d rows, want 9", len(file.rows))
	}
	h.consistent()
}

// TestDecideAll_several: where the address names several campaigns, all of them are decided about, sent as a file, and
// kept by the form of filters.
func TestDecideAll_several(t *testing.T) {
	h := manyHouse(t, limit)
	h.sell(sale{number: "2001", slug: "anna-gifts", value: 20_00},
		sale{number: "2002", slug: "anna-gifts", value: 7_00})
	m, all := h.manager(), fmt.Sprint(limit+2)
	fields := func(a answer, form string) url.Values {
		values := url.Values{}
		for _, f := range a.all(form + " input[type=hidden]") {
			values.Add(f.attr("name"), f.attr("value"))
		}
		return values
	}
	decide := func(values url.Values) answer {
		var form []string
		for name, list := range values {
			for _, v := range list {
				form = append(form, name, v)
			}
		}
		return m.post("/conversions/decide", append(form, "all", "1", "decision", "reject")...)
	}
	var asked answer
	for _, query := range []string{"campaign=cmp_1&campaign=cmp_2", "campaign=cmp_1,cmp_2"} {
		a := m.get("/conversions?period=all_time&" + query).says("All " + all + " that match, on all pages")
		chosen := fields(a, "form[data-select]")
		asked = decide(chosen).says("Reject " + all + " conversions?")
		chosen.Set("all", "1")
		if n := len(h.readCSV(m.get("/conversions.csv?" + chosen.Encode()).body).rows); fmt.Sprint(n) != all {
			t.Errorf("%s: the file has %d rows, want %s", query, n, all)
		}
		again := fields(a, "form.filters")
		again.Set("campaign", a.one("select[name=campaign] option[selected]").attr("value"))
		again.Set("period", "all_time")
		m.get("/conversions?" + again.Encode()).says(all + " listed")
	}
	decide(fields(asked, "main form[method=post]")).says(all + " conversions are rejected")
	chosen := "ids=" + h.order("2001").Conversion.ID.String() + "&ids=" + h.order("2002").Conversion.ID.String()
	a := m.get("/conversions?" + chosen).says("2 listed")
	m.get("/conversions?" + fields(a, "form.filters").Encode()).says("2 listed")
	h.consistent()
}

// TestAttack_decideAll: an address that somebody was sent puts no decision into the form of the page.
func TestAttack_decideAll(t *testing.T) {
	h := manyHouse(t, limit+1)
	a := h.manager().get("/conversions?decision=undo&all=1&confirmed=1&reason=mine&back=//elsewhere&ids=cnv_1&q=10")
	for _, name := range []string{"decision", "confirmed", "reason", "all"} {
		for _, f := range a.all("form[data-select] input[type=hidden]") {
			if f.attr("name") == name {
				t.Errorf("the form has a field %s from the address", name)
			}
		}
	}
}

// TestConversions_selection: the bar shows number and sums of what is ticked, and of all that match on all pages.
func TestConversions_selection(t *testing.T) {
	h := manyHouse(t, limit+20)
	h.sell(sale{number: "3001", code: "ANNA10", value: 50_00, currency: "EUR"})
	b := h.browse(affiliate.RoleManager)
	b.open("/conversions?include=former")
	b.connected()
	bar := func() (text string) {
		b.eval(`document.querySelector(".selected").innerText.replace(/\s+/g, " ").trim()`, &text)
		return text
	}
	shows := func(want string) {
		t.Helper()
		b.until("the bar to say "+want, func() bool { return bar() == want })
	}
	b.eval(`document.querySelectorAll("input[name=ids]").forEach((e, i) => { if (i < 2) e.click(); })`)
	shows("2 selected 50.00 EUR + 10.00 USD 5.00 EUR + 1.00 USD commission")
	b.eval(`Object.assign(document.documentElement.dataset, { group: ".", decimal: "," }); document.querySelector("input[name=ids]").click()`)
	shows("1 selected 10,00 USD 1,00 USD commission")
	b.eval(`Object.assign(document.documentElement.dataset, { group: ",", decimal: "." }); document.querySelector("input[data-all]").click()`)
	b.says("All 71 that match, on all pages (", "70")
	var visible bool
	b.eval(`document.querySelector("[data-matching]").checkVisibility()`, &visible)
	if !visible {
		t.Error("all that match are not offered when the page is ticked")
	}
	b.eval(`document.querySelector("input[name=all]").click()`)
	b.until("the sums of all", func() bool { return strings.HasPrefix(bar(), "71 selected 50.00 EUR + 702.73 USD") })
	// What comes meanwhile belongs to it.
	h.sell(sale{number: "3002", code: "BEN5", value: 7_00})
	b.until("the new one", func() bool { return strings.HasPrefix(bar(), "72 selected 50.00 EUR + 709.73 USD") })
	b.fill("#reason", "coupon site")
	b.click(`.selection button[value=reject]`)
	b.says("Reject 72 conversions?", "709.73 USD", "coupon site")
	b.clickText("Reject 72 conversions")
	b.says("72 conversions are rejected")
	h.consistent()
}
