package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// bareHouse has people, and nothing else.
func bareHouse(t *testing.T) *house {
	t.Helper()
	h := emptyHouse(t)
	for _, u := range people {
		_, err := h.app.AddUser(h.as(affiliate.RoleOwner), u, password)
		h.must(err)
	}
	return h
}

// cells gives the texts of a table's body, row by row.
func cells(a element, table string) []string {
	var rows []string
	for _, row := range a.all(table + " tbody tr") {
		var texts []string
		for n := range row.node.ChildNodes() {
			if text := (element{n}).text(); n.Data == "td" || n.Data == "th" {
				texts = append(texts, text)
			}
		}
		rows = append(rows, strings.Join(texts, " | "))
	}
	return rows
}

// rows fails the test unless a table lists these rows.
func (a answer) rows(table string, want ...string) answer {
	a.Helper()
	if got := cells(a.element, table); strings.Join(got, "\n") != strings.Join(want, "\n") {
		a.Errorf("%s lists\n%s\nwant\n%s", a.address, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return a
}

func TestCampaigns(t *testing.T) {
	h := busyHouse(t)
	a := h.viewer().get("/campaigns").is(http.StatusOK).hides("New campaign")
	a.rows("table", "Holiday gifts | Running no set dates | 1 | 0 | 1 | 45.00 | 4.25",
		"Spring | Running no set dates | 2 | 0 | 4 | 461.12 | 46.11")
	if got := a.one("tfoot tr").text(); got != "Total of 2 0 5 506.12 USD 50.36 USD" {
		t.Errorf("the total is %q", got)
	}
	h.manager().get("/campaigns").says("New campaign")
	h.viewer().get("/campaigns?sort=-sales").rows("table", cells(a.element, "table")[1], cells(a.element, "table")[0])
	if got := h.viewer().get("/campaigns?sort=-sales").one("th[aria-sort=descending]").text(); got != "Sales" {
		t.Errorf("sorted by %q", got)
	}
	h.viewer().get("/campaigns?sort=status").is(http.StatusUnprocessableEntity)
	h.viewer().get("/campaigns?q=SPRI").is(http.StatusOK).says("Spring").hides("Holiday")
	h.viewer().get("/campaigns?q=nothing").says("No campaign is found", "“nothing”")
	h.viewer().get("/campaigns?period=yesterday").rows("table",
		"Holiday gifts | Running no set dates | 1 | 0 | 0 | 0.00 | 0.00",
		"Spring | Running no set dates | 2 | 0 | 0 | 0.00 | 0.00")
	if got := h.viewer().get("/campaigns?period=yesterday").
		all("tbody th a")[1].attr("href"); got != "/campaigns/cmp_1?period=yesterday" {
		t.Errorf("the campaign's address %q forgets the period", got)
	}

	_, err := h.app.RemoveMember(h.as(affiliate.RoleManager), h.member("Spring", "Ben Botha").ID)
	h.must(err)
	h.viewer().get("/campaigns?q=Spring").rows("table", "Spring | Running no set dates | 1 | 0 | 3 | 279.90 | 27.99")
	h.viewer().get("/campaigns?q=Spring&former=1").rows("table",
		"Spring | Running no set dates | 2 | 0 | 4 | 461.12 | 46.11")

	bare := bareHouse(t)
	bare.viewer().get("/campaigns").says("No campaign yet", "A manager or an owner can make one").
		hides("Make the first campaign")
	if !bare.manager().get("/campaigns").has("a[href=/campaigns/new]") {
		t.Error("the empty list leads nowhere")
	}
}

// member gives a creator's membership of a campaign.
func (h *house) member(campaign, creator string) affiliate.CampaignMember {
	h.Helper()
	m, err := h.db.MemberOf(h.Context(), h.campaign(campaign).ID, h.creator(creator).ID)
	h.must(err)
	return m
}

func TestCampaign_new(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	for field, form := range map[string][]string{
		"name":                    {"name", " "},
		"ends_at":                 {"name", "Winter", "starts_at", "2026-12-02", "ends_at", "2026-12-01"},
		"starts_at":               {"name", "Winter", "starts_at", "tomorrow"},
		"attribution_window_days": {"name", "Winter", "attribution_window_days", "400"},
	} {
		a := m.post("/campaigns/new", form...).is(http.StatusUnprocessableEntity)
		if got := a.one("[name=" + field + "]"); got.attr("aria-invalid") != "true" ||
			a.one("input#name").attr("value") != strings.TrimSpace(form[1]) {
			t.Errorf("%v: the form comes back as\n%s", form, a.text())
		}
	}
	m.post("/campaigns/new", "name", "SPRING").is(http.StatusUnprocessableEntity).says("There is a campaign")
	m.post("/campaigns/new", "name", "Winter", "attribution_window_days", "0").is(http.StatusUnprocessableEntity)
	m.post("/campaigns/new", "name", "Winter", "starts_at", "2026-12-01", "ends_at", "2026-12-24",
		"attribution_window_days", "7", "precedence", "link_first", "click_rule",
		"first_click").at("/offers/new?campaign=cmp_3").says("The campaign is made")
	c := h.campaign("Winter")
	begin, end := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC), time.Date(2026, 12, 24, 23, 0, 0, 0, time.UTC)
	if !c.StartsAt.Equal(begin) || !c.EndsAt.Equal(end) || c.WindowDays != 7 || c.Precedence != affiliate.LinkFirst ||
		c.ClickRule != affiliate.FirstClick {
		t.Errorf("the campaign is %+v", c)
	}
	m.get("/campaigns?q=Winter").rows("table",
		"Winter | Not begun 1 Dec 2026 – 24 Dec 2026 | 0 | 0 | 0 | 0.00 | 0.00")
	h.viewer().get("/campaigns/new").is(http.StatusForbidden)
	h.viewer().post("/campaigns/new", "name", "Sneaky").is(http.StatusForbidden)
}

func TestCampaign_settings(t *testing.T) {
	h := newHouse(t)
	m, address := h.manager(), "/campaigns/cmp_1/settings"
	form := []string{"version", "1", "name", "Spring & summer", "ends_at", "2026-12-31"}
	m.post(address, form...).at(address).says("The campaign is changed", "until 31 Dec 2026")
	m.post(address, form...).is(http.StatusUnprocessableEntity).says("Somebody else changed this meanwhile")
	m.post(address, "version", "2", "name", "").is(http.StatusUnprocessableEntity)

	// What is left as the form shows it stays the moment that it is.
	m.post("/campaigns/cmp_1/end").at(address).says("The campaign has ended", "This campaign has ended")
	ended := h.campaign("Spring & summer")
	if ended.Status != affiliate.CampaignEnded || !ended.EndsAt.Equal(noon) {
		t.Errorf("ended: %+v", ended)
	}
	if got := m.get(address).one("input#ends_at").attr("value"); got != "2026-11-20" {
		t.Errorf("the last day is %s", got)
	}
	m.post(address, "name", "Spring", "ends_at", "2026-11-20").at(address)
	if c := h.campaign("Spring"); !c.EndsAt.Equal(noon) {
		t.Errorf("saving moved the end from %s to %s", noon, c.EndsAt)
	}
	m.post("/campaigns/cmp_1/reopen").at(address).says("runs again", "no set dates")
	if c := h.campaign("Spring"); c.Status != affiliate.CampaignActive || !c.EndsAt.IsZero() {
		t.Errorf("reopened: %+v", c)
	}

	v := h.viewer().get(address).is(http.StatusOK).says("30, as in the account", "The code counts",
		"The last click counts")
	if v.has("main form") {
		t.Error("a viewer sees forms")
	}
	for _, path := range []string{address, "/campaigns/cmp_1/end", "/campaigns/cmp_1/reopen", "/campaigns/cmp_1/costs",
		"/campaigns/cmp_1/costs/cst_1/remove"} {
		h.viewer().post(path, "name", "Mine").is(http.StatusForbidden)
	}
	m.get("/campaigns/cmp_9/settings").is(http.StatusNotFound)
	m.get("/campaigns/spring/settings").is(http.StatusNotFound)
}

func TestCosts(t *testing.T) {
	h := busyHouse(t)
	m, address := h.manager(), "/campaigns/cmp_1/settings"
	const table = "#fees table"
	m.get(address).rows(table, "2 Nov 2026 | shooting | 120.00 USD | Remove")
	anna := h.creator("Anna Ahlers").ID.String()
	for field, form := range map[string][]string{
		"amount":   {"amount", "12.345", "currency", "USD", "day", "2026-11-03", "note", "flyers"},
		"currency": {"amount", "12", "currency", "dollars", "day", "2026-11-03", "note", "flyers"},
		"day":      {"amount", "12", "currency", "USD", "day", "2027-01-01", "note", "flyers"},
		"note":     {"amount", "12", "currency", "USD", "day", "2026-11-03", "note", ""},
	} {
		a := m.post("/campaigns/cmp_1/costs", form...).is(http.StatusUnprocessableEntity)
		if a.one("#fees [name="+field+"]").attr("aria-invalid") != "true" ||
			a.one("#fees [name=currency]").attr("value") != form[3] {
			t.Errorf("%v: the form comes back as\n%s", form, a.text())
		}
	}
	m.post("/campaigns/cmp_1/costs", "amount", "80", "currency", "usd", "day", "2026-11-03", "note", "fixed fee",
		"creator", anna).is(http.StatusOK).says("The fee is recorded")
	m.get(address).rows(table, "2 Nov 2026 | shooting | 120.00 USD | Remove",
		"3 Nov 2026 | fixed fee to Anna Ahlers | 80.00 USD | Remove")

	// Costs: 39.90 of goods, 200.00 of fees and what Anna was paid for Spring: 10.00 + 5.99 + 12.00.
	m.get("/campaigns/cmp_1").says("Fees 200.00 USD", "Payouts to creators 27.99 USD", "Costs 267.89 USD", "172.13 %")
	m.post("/campaigns/cmp_1/costs/cst_2/remove").is(http.StatusOK).says("counts no more")
	m.get(address).rows(table, "2 Nov 2026 | shooting | 120.00 USD | Remove",
		"3 Nov 2026 | fixed fee to Anna Ahlers | 80.00 USD | removed 20 Nov 2026")
	m.get("/campaigns/cmp_1").says("Fees 120.00 USD", "245.42 %")
	m.get("/campaigns/cmp_2").says("1,058.82 %").hides("There is no cost yet") // what was paid for it is its only cost
	_, err := h.app.CancelPayout(app.As(h.Context(), affiliate.Principal{Name: "test"}), 1, "typo")
	h.must(err)
	m.get("/campaigns/cmp_1").says("Payouts to creators 0.00 USD", "Payments due 46.11 USD")
	m.get("/campaigns/cmp_2").says("There is no cost yet", "since the campaign began —").hides("∞")
}
