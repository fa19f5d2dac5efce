package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// strayHouse has orders with codes of nobody's: SUMMER20 on three, one of them pending, and LOST on one.
func strayHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.sell(sale{number: "501", code: "SUMMER20", value: 100_00, at: noon.AddDate(0, 0, -3)},
		sale{number: "502", code: "summer20", value: 50_00, at: noon.AddDate(0, 0, -1)},
		sale{number: "503", code: "SUMMER20", value: 70_00, status: "pending"}, sale{number: "504", code: "LOST",
			value: 500_00, at: noon.AddDate(0, 0, -2)},
		sale{number: "505", code: "ANNA10", value: 1_00})
	return h
}

func TestUnownedCodes(t *testing.T) {
	h := strayHouse(t)
	at := "/stores/" + h.storeBySlug("shop").ID.String() + "/codes"
	for query, want := range map[string][]string{"": {"summer20", "lost"}, "?sort=sales": {"lost", "summer20"},
		"?sort=code": {"lost", "summer20"}, "?sort=last_used": {"summer20", "lost"}, "?q=MER2": {"summer20"},
		"?q=anna": nil} {
		if got := h.viewer().get(at + query).is(http.StatusOK).keys(); !slices.Equal(got, want) {
			t.Errorf("%q shows %v, want %v", query, got, want)
		}
	}
	a := h.viewer().get(at).says("SUMMER20", "150.00 USD", "500.00 USD", "#503",
		"17 Nov 2026").hides("Give to a creator", "ANNA10")
	if got := a.one("th[aria-sort]").text(); got != "Orders" ||
		a.one("th[aria-sort]").attr("aria-sort") != "descending" {
		t.Errorf("sorted by %q", got)
	}
	h.viewer().get(at + "?q=anna").says("No such code")
	h.viewer().get("/stores/str_2/codes").says("Every code has its owner")
	h.manager().get(at).one("a[href=" + at + "/assign?code=LOST]")
	h.manager().get(at + "?sort=nonsense").is(http.StatusUnprocessableEntity)
}

// TestUnownedCodes_dismissed: codes of which somebody says that they are no creator's are work no more, and can be
// brought back. Giving one to a creator ends that as well.
func TestUnownedCodes_dismissed(t *testing.T) {
	h := strayHouse(t)
	at := "/stores/" + h.storeBySlug("shop").ID.String() + "/codes"
	v := h.manager()
	v.get("/").says("2 codes on orders of Northwind US belong to nobody")
	v.post(at+"/dismiss", "nothing", "1", "ids", "LOST", "back", at).at(at).says("LOST")
	v.post(at+"/dismiss", "code", "Summer20", "back", at+"?sort=code").at(at+"?sort=code").
		says("1 code is no creator's", "LOST").hides("SUMMER20")
	v.get("/").says("1 code on orders of Northwind US belongs to nobody")
	v.post(at+"/dismiss", "ids", "LOST", "ids", "summer20", "back", "https://elsewhere.example/").at(at).
		says("1 code is no creator's", "Every code has its owner")
	v.get("/").hides("to nobody")
	if got := v.get(at + "?dismissed=true").is(http.StatusOK).keys(); !slices.Equal(got, []string{"summer20", "lost"}) {
		t.Errorf("dismissed are %v", got)
	}
	h.viewer().get(at+"?dismissed=true").says("Codes of no creator", "LOST").hides("Ask again")
	v.post(at+"/restore", "ids", "LOST", "back", at+"?dismissed=true").says("1 code is among those again").hides("LOST")
	v.get(at).says("LOST").hides("SUMMER20")
	v.post(at + "/dismiss").is(http.StatusUnprocessableEntity).says("No code is selected")
	v.post("/stores/str_9/codes/dismiss", "code", "LOST").is(http.StatusNotFound)
	h.viewer().post(at+"/dismiss", "code", "LOST").is(http.StatusForbidden)
	h.owner().get("/settings/audit").says("said that codes are no creator's in the store", "summer20",
		"asks again whose codes are in the store")

	id := h.storeBySlug("shop").ID
	om := h.order("505").Conversion.OfferMemberID
	code, err := h.app.AddCode(h.as(affiliate.RoleManager), app.NewCode{OfferMember: om, Store: id, Code: "SUMMER20"})
	h.must(err)
	v.post(at+"/dismiss", "ids", "SUMMER20", "ids", "LOST", "back", at).at(at) // on a page from before that
	_, err = h.app.EndCode(h.as(affiliate.RoleManager), code.ID, noon)
	h.must(err)
	h.clock.advance(48 * time.Hour)
	h.sell(sale{code: "SUMMER20", value: 5_00})
	v.get(at).says("SUMMER20").hides("LOST")
}

// TestUnownedCodes_dismissed_in_a_browser: several are ticked and said to be no creator's in one step.
func TestUnownedCodes_dismissed_in_a_browser(t *testing.T) {
	h := strayHouse(t)
	b := h.browse(affiliate.RoleManager)
	for _, width := range []int64{390, 1280, 1440} {
		b.viewport(width, 900)
		b.open("/stores/" + h.storeBySlug("shop").ID.String() + "/codes")
		if n := b.overflow(); n != 0 {
			t.Errorf("at %d px the page is %d px too wide", width, n)
		}
	}
	b.click("input[data-all]")
	b.says("2 selected")
	b.clickText("Not a creator's code")
	b.says("2 codes are no creator's", "Every code has its owner")
	b.clickText("Not a creator's")
	b.says("SUMMER20", "LOST")
}

// choices are the options of a select.
func (a answer) choices(name string) []string { return a.texts("select[name=" + name + "] option") }

// value gives what an option of a select stands for.
func (a answer) value(name, text string) string {
	a.Helper()
	for _, o := range a.all("select[name=" + name + "] option") {
		if strings.HasPrefix(o.text(), text) {
			return o.attr("value")
		}
	}
	a.Fatalf("%s has no choice %q: %q", a.address, text, a.choices(name))
	return ""
}

func TestAssignCode(t *testing.T) {
	h := strayHouse(t)
	shop := h.storeBySlug("shop")
	at := "/stores/" + shop.ID.String() + "/codes/assign"
	v := h.manager()
	v.get(at).is(http.StatusOK).says("Whose code?").one("input[name=code]")
	v.get(at + "?code=%07").is(http.StatusUnprocessableEntity).one("input[name=code]")
	a := v.get(at + "?code=SUMMER20").says("Whose is SUMMER20")
	if got := a.choices("campaign"); !slices.Equal(got, []string{"Choose…", "Holiday gifts", "Spring"}) {
		t.Errorf("campaigns %q", got)
	}
	query := at + "?code=SUMMER20&campaign=" + a.value("campaign", "Spring")
	a = v.get(query) // the only offer is chosen already
	if got := a.choices("member"); !slices.Equal(got, []string{"Choose…", "Anna Ahlers (@anna)", "Ben Botha (@ben)"}) {
		t.Errorf("creators %q", got)
	}
	a.hides("What it would do")
	query += "&offer=" + a.value("offer", "Ten percent") + "&member=" + a.value("member", "Ben")
	a = v.get(query).says("What it would do",
		"becomes Ben Botha's in Northwind US (Spring, Ten percent), as if it had always been theirs",
		"Orders credited 3", "Sales of 2 paid 150.00 USD", "Commission 15.00 USD", "Left as they are 0", "#501", "#502",
		"#503", "Give it to Ben Botha and credit 3 orders")
	if h.order("501").Conversion != nil {
		t.Fatal("looking credits an order")
	}
	if codes, err := h.db.CodeHistory(h.Context(), shop.ID, "SUMMER20"); err != nil || len(codes) != 0 {
		t.Fatalf("looking gave the code away: %v, %v", codes, err)
	}
	form := []string{"code", "SUMMER20", "campaign", a.one("form[method=post] input[name=campaign]").attr("value"),
		"offer", a.value("offer", "Ten percent"), "member", a.value("member", "Ben"), "after", ""}
	h.viewer().get(query).is(http.StatusForbidden)
	h.viewer().post(at, form...).is(http.StatusForbidden)
	v.post(at, form...).is(http.StatusOK).at("/stores/" + shop.ID.String() + "/codes").
		says("SUMMER20 belongs to Ben Botha now (Spring, Ten percent): 3 orders credited, 150.00 USD of sales and " +
			"15.00 USD of commission.").hides("SUMMER20 3")
	if c := h.order("502").Conversion; c == nil || c.Creator != "Ben Botha" || c.Commission != 5_00 {
		t.Errorf("order 502 is credited as %+v", c)
	}
	h.consistent()
	// Once more changes nothing; another creator is refused.
	v.get(query).says("belongs to Ben Botha already")
	v.post(at, form...).is(http.StatusOK).says("0 orders credited")
	form[7] = v.get(query).value("member", "Anna")
	v.post(at, form...).is(http.StatusUnprocessableEntity).says("belongs to Ben Botha")
	h.consistent()
}

// TestAssignTellsWhatStays: orders that the code cannot win are counted with their reason.
func TestAssignTellsWhatStays(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{number: "501", code: "SUMMER20", value: 100_00, test: true}, sale{number: "502", code: "SUMMER20",
		value: 100_00, at: noon.AddDate(0, -2, 0)},
		sale{number: "503", code: "SUMMER20", value: 10_00, email: "ben@creators.example"})
	spring := h.campaign("Spring")
	_, err := h.app.ChangeCampaign(h.as(affiliate.RoleManager), spring.ID, app.AnyVersion,
		func(c *affiliate.Campaign) error {
			c.StartsAt = noon.AddDate(0, -1, 0)
			return nil
		})
	h.must(err)
	at := "/stores/" + h.storeBySlug("shop").ID.String() + "/codes/assign?code=SUMMER20&campaign=" + spring.ID.String()
	a := h.manager().get(at)
	a = h.manager().get(at + "&offer=" + a.value("offer", "Ten") + "&member=" + a.value("member", "Ben"))
	a.says("Orders credited 1", "1 of them held for review", "1 placed before the campaign began",
		"the campaign Spring had not started yet", "Held")
}

func TestAssignWithoutCampaigns(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"Spring", "Holiday gifts"} {
		_, err := h.app.EndCampaign(h.as(affiliate.RoleManager), h.campaign(name).ID)
		h.must(err)
	}
	h.manager().get("/stores/str_1/codes/assign?code=X").says("No campaign runs")
	c, err := h.app.AddCampaign(h.as(affiliate.RoleManager), affiliate.Campaign{Name: "Bare"})
	h.must(err)
	h.manager().get("/stores/str_1/codes/assign?code=X").says("This campaign has no offer")
	o, err := h.app.AddOffer(h.as(affiliate.RoleManager), affiliate.Offer{CampaignID: c.ID, Name: "Ten",
		Type: affiliate.OfferPromoCode})
	h.must(err)
	h.manager().get("/stores/str_1/codes/assign?code=X").says("Nobody promotes this offer")
	_, err = h.app.EndOffer(h.as(affiliate.RoleManager), o.ID)
	h.must(err)
	h.manager().get("/stores/str_1/codes/assign?code=X").says("This campaign has no offer")
}

func TestAddTotals(t *testing.T) {
	got := addTotals(addTotals(nil, []app.AssignedTotal{{Currency: "USD", Orders: 1, Sales: 100, Commission: 10}}),
		[]app.AssignedTotal{{Currency: "EUR", Orders: 2, Sales: 5, Commission: 1}, {Currency: "USD", Orders: 3,
			Sales: 7, Commission: -2}})
	want := []app.AssignedTotal{{Currency: "USD", Orders: 4, Sales: 107, Commission: 8}, {Currency: "EUR", Orders: 2,
		Sales: 5, Commission: 1}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestAssign_browser: each choice shows the next one by itself.
func TestAssign_browser(t *testing.T) {
	h := strayHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.open("/stores/" + h.storeBySlug("shop").ID.String() + "/codes")
	b.click(`tr[data-key="summer20"] a.button`)
	b.says("Whose is SUMMER20?")
	b.choose("#campaign", h.campaign("Spring").ID.String())
	b.until("the campaign's creators to choose from", func() (there bool) {
		b.eval(`[...document.querySelectorAll("#member option")].some((o) => o.text.startsWith("Anna"))`, &there)
		return there
	})
	var member string
	b.eval(`[...document.querySelectorAll("#member option")].find((o) => o.text.startsWith("Anna")).value`, &member)
	b.choose("#member", member)
	b.says("What it would do", "150.00 USD")
	b.clickText("Give it to Anna Ahlers and credit 3 orders")
	b.says("SUMMER20 belongs to Anna Ahlers now", "LOST")
}
