package dashboard

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

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
		"include=former&status=paid&approval=approved", "method=link", "currency=EUR", "with_refund=true&include=former",
		"waiting_for_rate=true", "ambiguous=true", "q=ben5&include=former", "offer=off_1&sort=value",
		"from=2026-11-11&to=2026-11-12&include=former", "sort=campaign"} {
		query = "period=all_time&" + query
		if strings.Contains(query, "from=") {
			query = strings.TrimPrefix(query, "period=all_time&")
		}
		var list struct {
			Data   []struct{ Order struct{ Number string } }
			Totals struct{ Rows int }
		}
		a := v.get("/conversions?" + query).is(http.StatusOK)
		h.must(json.Unmarshal([]byte(h.nobody().send(http.MethodGet, "/api/v1/conversions?totals=true&"+query, bearer, nil).
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
