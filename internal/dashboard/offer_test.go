package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
)

const springOffers = spring + "/offers"

func TestOffers(t *testing.T) {
	h := busyHouse(t)
	h.viewer().get(springOffers).is(http.StatusOK).hides("Add an offer", "Pause").
		rows("main table", "Ten percent Promo code | Active since 20 Nov 2026 | 10.00 % | 2 | 2 | 4 | 461.12 | 46.11")
	h.manager().get(springOffers).rows("main table",
		"Ten percent Promo code | Active since 20 Nov 2026 | 10.00 % | 2 | 2 | 4 | 461.12 | 46.11 | Pause Archive")
	h.viewer().get("/campaigns/cmp_2/offers?period=last_month").rows("main table",
		"Gift links Sales link | Active since 20 Nov 2026 | 5.00 % + 2.00 per order | 1 | 0 | 0 | 0.00 | 0.00")
	h.viewer().get(springOffers + "?sort=-sales").is(http.StatusOK)
	h.viewer().get(springOffers + "?sort=rule").is(http.StatusUnprocessableEntity)
	bare := bareHouse(t)
	_, err := bare.app.AddCampaign(bare.as(affiliate.RoleManager), affiliate.Campaign{Name: "Empty"})
	bare.must(err)
	bare.manager().get(springOffers).says("No offer yet", "Make the first offer")
	bare.viewer().get(springOffers).says("No offer yet").hides("Make the first offer")
}

// TestOffer_new: the type is chosen first, then the campaign, which may be made with the offer, and the commission.
func TestOffer_new(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	m.get("/").one("a[href=/offers/new]")
	h.viewer().get("/").hides("Add offer")
	a := m.get("/offers/new?campaign=cmp_1").is(http.StatusOK).says("customers enter in the store",
		"that leads customers to the store").hides("Commission")
	a = m.get(a.one("a[href=/offers/new?type=sales_link&campaign=cmp_1]").attr("href")).is(http.StatusOK).
		says("Sales link", "Name of the offer")
	if got := a.one("option[selected]").attr("value"); got != "cmp_1" {
		t.Errorf("the campaign %q is chosen", got)
	}
	good := []string{"type", "sales_link", "campaign", "cmp_1", "name", "VIP", "commission_percent", "12.5",
		"commission_flat", "1.50"}
	for field, wrong := range map[string]string{"name": "", "commission_percent": "101", "commission_flat": "much",
		"campaign": "cmp_", "campaign_name": ""} {
		form := with(good, field, wrong)
		if field == "campaign_name" {
			form = append(with(good, "campaign", "new"), "campaign_name", "")
		}
		a := m.post("/offers/new", form...).is(http.StatusUnprocessableEntity)
		if !a.has("#"+field+"[aria-invalid=true]") || !a.has("[name=type][value=sales_link]") {
			t.Errorf("a wrong %s comes back as\n%s", field, a.text())
		}
	}
	m.post("/offers/new", with(good, "name", "TEN percent")...).is(http.StatusUnprocessableEntity).
		says("The campaign has an offer")
	m.post("/offers/new", with(good, "type", "gift")...).is(http.StatusUnprocessableEntity)
	m.get("/offers/new?type=gift").is(http.StatusUnprocessableEntity)
	before := h.campaigns()
	m.post("/offers/new", with(append(with(good, "campaign", "new"), "campaign_name", "Winter"),
		"commission_percent", "101")...).is(http.StatusUnprocessableEntity)
	if h.campaigns() != before {
		t.Error("an offer that is refused leaves its campaign behind")
	}
	m.post("/offers/new", good...).at(springOffers+"/off_3").says("The offer is made", "VIP", "Sales link",
		"12.50 % + 1.50 per order", "Nobody is in this offer yet", "Add members")
	m.post("/offers/new", append(with(good, "campaign", "new"), "campaign_name", "Winter")...).
		at("/campaigns/cmp_3/offers/off_4").says("Winter", "The offer is made")
	bare := bareHouse(t)
	bare.manager().get("/offers/new?type=promo_code").one("option[value=new][selected]")
}

// campaigns is how many there are.
func (h *house) campaigns() (n int) {
	h.Helper()
	h.must(h.db.Get(h.Context(), &n, "SELECT COUNT(*) FROM campaigns"))
	return n
}

func TestOffer_settings(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	const ten = springOffers + "/off_1/settings"
	a := m.get(ten).is(http.StatusOK).says("Orders placed before a change keep what they earn", "Time of Europe/Berlin")
	if a.one("input#commission_percent").attr("value") != "10.00" || !a.has("input[value=promo_code][checked]") {
		t.Errorf("the form shows\n%s", a.text())
	}
	form := []string{"version", "1", "name", "Tens", "type", "sales_link", "commission_percent", "10"}
	m.post(ten, with(form, "type", "gift")...).is(http.StatusUnprocessableEntity).
		says("Must be promo code or sales link")
	m.post(ten, append(slices.Clone(form), "from", "soon")...).is(http.StatusUnprocessableEntity).
		says("Must be a day and a time")
	m.post(ten, form...).at(ten).says("The offer is changed.", "Tens").hides("from now on earn")
	m.post(ten, with(form, "name", "Late")...).is(http.StatusUnprocessableEntity).
		says("Somebody else changed this meanwhile")
	o, err := h.db.Offer(h.Context(), 1)
	h.must(err)
	if o.Name != "Tens" || o.Rule != (affiliate.Rule{Percent: 1000, Version: 1}) || o.Type != affiliate.OfferSalesLink {
		t.Errorf("the offer is %+v", o)
	}
	m.get("/campaigns/cmp_2/offers/off_1/settings").is(http.StatusNotFound)
	m.get(springOffers + "/off_99").is(http.StatusNotFound)
	for _, path := range []string{"/offers/new", ten} {
		h.viewer().get(path).is(http.StatusForbidden)
		h.viewer().post(path, "name", "Mine").is(http.StatusForbidden)
	}
}

// TestOffer_commission: a change of the commission begins now or at a time of the account's zone, is told where it is
// to come, and can be taken back until then.
func TestOffer_commission(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	const ten = springOffers + "/off_1"
	form := []string{"name", "Ten percent", "type", "promo_code", "commission_percent", "15"}
	m.post(ten+"/settings", append(with(form, "name", "Another name"), "from", "2026-11-01T10:00")...).
		is(http.StatusUnprocessableEntity)
	m.get(ten).hides("Another name") // all is refused, or nothing
	m.post(ten+"/settings", form...).at(ten + "/settings").
		says("The offer is changed. Orders placed from now on earn 15.00 %.")
	m.post(ten+"/settings", append(with(form, "commission_percent", "20"), "from", "2026-12-01T00:00")...).
		says("Orders placed from 1 Dec 2026", "earn 20.00 %", "20.00 % from 1 Dec 2026")
	h.viewer().get(ten).says("Commission 15.00 %", "20.00 % from 1 Dec 2026")
	a := m.get(ten+"/commissions").is(http.StatusOK).says("Planned", "the beginning", "Max Manager")
	rule := a.one("[name=rule]").attr("value")
	h.viewer().post(ten+"/commissions/drop", "rule", rule).is(http.StatusForbidden)
	h.viewer().get(ten + "/commissions").says("20.00 %").hides("Take back")
	m.post(ten+"/commissions/drop", "rule", rule).at(ten + "/commissions").
		says("The change is taken back").hides("Planned")
	m.get(ten).says("Commission 15.00 %").hides("20.00 %")
}

// TestOffer_status: a paused offer credits nothing, an active one does again.
func TestOffer_status(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	const ten = springOffers + "/off_1"
	m.post(ten+"/status", "status", "paused").at(springOffers).says("“Ten percent” is paused", "Paused")
	h.clock.advance(time.Hour)
	h.sell(sale{code: "ANNA10", value: 10_00})
	if o := h.order("1001"); o.Conversion != nil || *o.NotCredited != affiliate.ReasonOfferPaused {
		t.Errorf("a paused offer credits %+v", o.Conversion)
	}
	h.clock.advance(time.Hour)
	m.post(ten+"/status", "status", "active", "back", ten).at(ten).says("is active")
	h.clock.advance(time.Hour)
	h.sell(sale{code: "ANNA10", value: 10_00})
	if o := h.order("1002"); o.Conversion == nil {
		t.Error("an active offer does not credit")
	}
	a := m.post(ten+"/status", "status", "archived").at(springOffers).says("is archived", "Archived")
	if got := a.texts("main tbody button"); len(got) != 1 || got[0] != "Activate" {
		t.Errorf("an archived offer has the buttons %v", got)
	}
	m.post(ten+"/status", "status", "gone").is(http.StatusUnprocessableEntity)
	h.viewer().post(ten+"/status", "status", "paused").is(http.StatusForbidden)
}

// TestOffer_page: the offer's figures are those of its row among all offers, its table and its file add up to them, and
// it finds creators by name, handle, address and code, and by how they stand.
func TestOffer_page(t *testing.T) {
	h := busyHouse(t)
	v := h.viewer()
	home := v.get("/").one("#offers").all("tbody tr")
	at := -1
	for i, row := range home {
		if strings.HasPrefix(row.text(), "Ten percent") {
			at = i
		}
	}
	link := home[at].all("th a")[0].attr("href")
	a := v.get(link).is(http.StatusOK).says("Ten percent", "Active", "Promo code", "Commission 10.00 %", "Rewards").
		hides("Settings Period", "Add members", "Select", "Deactivate", "E-mail…")
	a.rows("#offer-creators table",
		"Anna Ahlers @anna | Active | ANNA10 Northwind US | 10.00 % | 0 | 3 | 279.90 | 93.30 | 27.99 | 27.99",
		"Ben Botha @ben | Active | BEN5 Northwind US | 10.00 % | 0 | 1 | 181.22 | 181.22 | 18.12 | 0.00")
	total := a.one("[data-key=total-sales]").text()
	if sum := money.Plain("461.12 USD"); total != sum || !strings.Contains(home[at].text(), "461.12") ||
		!strings.Contains(a.one("#offer-creators tfoot").text(), sum) {
		t.Errorf("home says %s, the offer %s, its table %s", home[at].text(), total,
			a.one("#offer-creators tfoot").text())
	}
	for query, want := range map[string]string{"q=ben": "Ben", "q=@anna": "Anna", "q=bEn5": "Ben",
		"q=ANNA10": "Anna", "q=anna%40creators": "Anna", "state=active": "Anna Ben", "state=inactive": "",
		"state=removed": "", "q=zoe": ""} {
		var got []string
		found := v.get(tenPercent + "?sort=name&" + query).is(http.StatusOK)
		for _, name := range found.texts("#offer-creators tbody th a") {
			got = append(got, strings.Fields(name)[0])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s finds %v, want %s", query, got, want)
		}
	}
	file := h.table(v.get(tenPercent + "/creators.csv?sort=name&q=anna10").is(http.StatusOK).body)
	if len(file) != 2 || !slices.Contains(file[1], "279.90") {
		t.Errorf("the file is %v", file)
	}
	v.get(tenPercent + "/creators.xlsx").is(http.StatusOK)
	v.get(tenPercent + "?state=gone").is(http.StatusUnprocessableEntity)
	v.get(tenPercent + "?sort=codes").is(http.StatusUnprocessableEntity)
	v.get(tenPercent+"?part=offer-creators").is(http.StatusOK).hides("Total sales", "Sign out")
	v.get(tenPercent + "?part=offer-figures").is(http.StatusOK).says("Total sales").hides("Ben Botha")
	v.post("/columns/offer-creators", "columns", "sales", "columns", "country", "back", tenPercent).at(tenPercent)
	got := strings.Join(v.get(tenPercent).texts("#offer-creators thead th"), ", ")
	if got != "Creator, Sales, Country" {
		t.Errorf("the columns are %s", got)
	}
}

// TestOffer_standing: who left the campaign is marked as removed, who is inactive as such; both stay in the figures.
func TestOffer_standing(t *testing.T) {
	h := busyHouse(t)
	ctx := h.as(affiliate.RoleManager)
	_, err := h.app.ChangeOfferMember(ctx, 1, app.AnyVersion, func(m *affiliate.OfferMember) error {
		m.SetActive(false, h.clock.now())
		m.SetOverride(&affiliate.Rule{Percent: 20_00})
		return nil
	})
	h.must(err)
	_, err = h.app.RemoveMember(ctx, 2)
	h.must(err)
	m := h.manager()
	a := m.get(tenPercent + "?sort=name").says("461.12 USD")
	for i, want := range []string{"Anna Ahlers @anna Inactive ANNA10 Northwind US 20.00 % their own",
		"Ben Botha @ben Removed"} {
		if got := a.all("#offer-creators tbody tr")[i].text(); !strings.HasPrefix(got, money.Plain(want)) {
			t.Errorf("row %d is %q", i, got)
		}
	}
	for state, want := range map[string]string{"inactive": "Anna Ahlers", "removed": "Ben Botha", "active": ""} {
		got := m.get(tenPercent + "?sort=-sales&state=" + state).texts("#offer-creators tbody th a")
		if strings.Join(got, " ") != want {
			t.Errorf("%s are %v", state, got)
		}
	}
}

// TestOffer_pages: a page has 25 creators, the next one the others, and the sum is of all.
func TestOffer_pages(t *testing.T) {
	h := newHouse(t)
	h.crowd(30)
	m := h.manager()
	a := m.get(tenPercent+"?sort=name").says("All 32 creators of the list, on all pages", "Total of 32")
	next := a.one("a[rel=next]").attr("href")
	b := m.get(next).is(http.StatusOK).says("Total of 32")
	if n, rest := len(a.all("#offer-creators tbody tr")), len(b.all("#offer-creators tbody tr")); n != 25 || rest != 7 {
		t.Errorf("the pages have %d and %d rows", n, rest)
	}
	h.viewer().get(tenPercent + "?sort=name").hides("on all pages")
}

// crowd adds creators to the offer Ten percent, with a code each.
func (h *house) crowd(n int) {
	h.Helper()
	var b strings.Builder
	b.WriteString("campaign,creator,instagram,offer,store,code\n")
	for i := range n {
		fmt.Fprintf(&b, "Spring,Crowd %02d,@crowd%d,Ten percent,shop,CROWD%d\n", i, i, i)
	}
	report, err := h.app.Import(h.as(affiliate.RoleManager), strings.NewReader(b.String()), false)
	h.must(err)
	if len(report.Errors) > 0 {
		h.Fatal(report.Errors)
	}
}

// TestOfferMembers_asked: what is done with members is asked first, says whom it is for, and is refused for nobody and
// to those who may not.
func TestOfferMembers_asked(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	ask, do := tenPercent+"/members/ask", tenPercent+"/members/do"
	m.post(ask, "do", "dance", "ids", "ofm_1").is(http.StatusUnprocessableEntity).says("Choose what is to be done")
	m.post(ask, "do", "add", "ids", "ofm_1").is(http.StatusUnprocessableEntity)
	m.post(ask, "do", "remove").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	m.post(ask, "do", "remove", "ids", "cre_1").is(http.StatusUnprocessableEntity)
	m.post(ask, "do", "remove", "all", "1", "q", "zoe").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	m.post(ask, "nothing", "1", "back", tenPercent+"?q=ben").at(tenPercent + "?q=ben")
	a := m.post(ask, "do", "commission", "all", "1", "q", "BEN5").is(http.StatusOK).
		says("Payout values: 1 creator", "The offer’s again: 10.00 %", "Time of Europe/Berlin")
	if got := a.one("[name=ids]").attr("value"); got != "ofm_2" {
		t.Errorf("it is for %q", got)
	}
	for field, wrong := range map[string][]string{
		"commission_percent": {"own", "own", "commission_percent", "101"}, "from": {"own", "offer", "from", "soon"},
	} {
		a := m.post(ask, append([]string{"do", "commission", "ids", "ofm_1,ofm_2"}, wrong...)...).
			is(http.StatusUnprocessableEntity).says("Payout values: 2 creators")
		if !a.has("#" + field + "[aria-invalid=true]") {
			t.Errorf("a wrong %s comes back as\n%s", field, a.text())
		}
	}
	m.post(ask, "do", "commission", "ids", "ofm_1", "own", "own").is(http.StatusUnprocessableEntity).
		says("0 is nothing at all")
	for _, path := range []string{ask, do, tenPercent + "/members/add", tenPercent + "/members/new"} {
		h.viewer().post(path, "do", "remove", "ids", "ofm_1").is(http.StatusForbidden)
	}
	h.viewer().get(tenPercent + "/members/new").is(http.StatusForbidden)
	m.post("/campaigns/cmp_2/offers/off_1/members/ask", "do", "remove", "ids", "ofm_1").is(http.StatusNotFound)
}

// TestOfferMembers: somebody is deactivated, activated, removed and taken back, and is paid otherwise; each is asked
// first with what it would do, and ends with what it did and what can be done with their codes.
func TestOfferMembers(t *testing.T) {
	h := busyHouse(t)
	m := h.manager()
	ask, do := tenPercent+"/members/ask", tenPercent+"/members/do"
	m.post(ask, "do", "deactivate", "ids", "ofm_2").is(http.StatusOK).
		says("Deactivate: 1 creator", "Ben Botha", "Deactivate their codes in the stores, too")
	a := m.post(do, "do", "deactivate", "ids", "ofm_2", "with_codes", "1").is(http.StatusOK).
		says("1 changed.", "Next, their codes", "Ben Botha")
	m.post(tenCodes+"/new", "action", a.one("form [name=action]").attr("value"), "codes",
		a.one("form [name=codes]").attr("value")).is(http.StatusOK).says("For: 1 code", "Deactivate codes")
	m.get(tenPercent + "?sort=name").says("Ben Botha @ben Inactive")
	m.post(do, "do", "deactivate", "ids", "ofm_1,ofm_2").says("1 changed, 1 as they were.").hides("their codes")
	m.post(do, "do", "activate", "ids", "ofm_1,ofm_2").says("2 changed.")
	m.post(do, "do", "remove", "ids", "ofm_2", "back", tenPercent+"?q=x").says("1 changed.").
		one("a[href=" + tenPercent + "?q=x]")
	m.get(tenPercent+"?sort=name").says("Ben Botha @ben Removed", "461.12 USD")
	m.get(springOffers).rows("main table",
		"Ten percent Promo code | Active since 20 Nov 2026 | 10.00 % | 1 | 2 | 4 | 461.12 | 46.11 | Pause Archive")
	m.post(tenPercent+"/members/add", "creators", h.creator("Ben Botha").ID.String()).
		says("Add members", "1 changed.", "Make codes…")
	m.get(tenPercent + "?sort=name").says("Ben Botha @ben Active")

	form := []string{"do", "commission", "ids", "ofm_2", "own", "own", "commission_percent", "15"}
	m.post(ask, form...).is(http.StatusOK).says("What it would do", "Orders that keep what they earn", "Ben Botha")
	m.post(do, form...).says("1 changed.")
	m.post(do, append(with(form, "commission_percent", "20"), "from", "2026-12-01T00:00")...).says("1 changed.")
	m.get(tenPercent+"?sort=name").says("15.00 % their own", "20.00 % from 1 Dec 2026")
	m.get(tenPercent+"/commissions").says("Ben Botha", "20.00 %", "Planned")
	m.post(do, with(form, "own", "offer")...).says("1 changed.")
	m.get(tenPercent + "?sort=name").hides("15.00 %")
	m.post(do, append(slices.Clone(form), "from", "2026-11-01T10:00")...).is(http.StatusUnprocessableEntity)
	h.consistent()
}

// TestOfferMembers_all: what is asked for all that the list finds is for them alone, on all pages of it.
func TestOfferMembers_all(t *testing.T) {
	h := newHouse(t)
	h.crowd(30)
	m := h.manager()
	a := m.post(tenPercent+"/members/ask", "do", "deactivate", "all", "1", "q", "crowd").is(http.StatusOK).
		says("Deactivate: 30 creators", "Crowd 00, Crowd 01", "and 25 others")
	m.post(tenPercent+"/members/do", "do", "deactivate", "ids", a.one("[name=ids]").attr("value")).says("30 changed.")
	m.get(tenPercent + "?state=active").says("Total of 2")
	m.post(tenPercent+"/members/ask", "do", "activate", "all", "1", "state", "inactive").says("Activate: 30 creators")
}

// TestOfferMembers_newcomers: creators are found in the community, in pasted lines and in a file; who is new is made.
func TestOfferMembers_newcomers(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	at := "/campaigns/cmp_2/offers/off_2"
	a := m.get(at + "/members/new?q=ben&creators=cre_1").is(http.StatusOK)
	if got := a.texts("main table th[scope=row]"); strings.Join(got, " ") != "Anna Ahlers @anna Ben Botha @ben" ||
		!a.has("[name=creators][value=cre_1][checked]") || a.has("[value=cre_2][checked]") {
		t.Errorf("the page lists %v", got)
	}
	m.post(at + "/members/add").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	m.post(at + "/members/new").is(http.StatusUnprocessableEntity).says("Write a creator in each line")
	a = m.post(at+"/members/new", "list", "@ben\nZoe Zander\n").is(http.StatusOK).
		says("1 is in the community, 1 would be made", "Ben Botha", "Zoe Zander", "Add 2 creators")
	m.post(at+"/members/add", "list", a.all("form textarea[hidden]")[0].node.FirstChild.Data).
		says("2 changed.")
	m.get(at).says("Zoe Zander", "Ben Botha")
	a = m.sendFile(at+"/members/new", "list.csv", "name,email\nYara York,yara@creators.example\n").is(http.StatusOK).
		says("1 would be made", "Yara York")
	m.post(at+"/members/add", "book", a.one("[name=book]").attr("value")).says("1 changed.")
	m.get(at).says("Yara York")
}

// TestOffer_words: each state, action and outcome has its words.
func TestOffer_words(t *testing.T) {
	for _, s := range affiliate.Words[affiliate.MemberState]() {
		if memberBadges[s].Text == "" {
			t.Errorf("the state %s has no words", s)
		}
	}
	for _, a := range affiliate.Words[app.MemberAction]() {
		w := memberActions[a]
		if w.Title == "" || w.Button == "" || w.About == "" || (w.Codes != "") != (codeActions[w.Codes].About != "") {
			t.Errorf("the action %s has no words", a)
		}
	}
	for _, o := range affiliate.Words[app.MemberOutcome]() {
		if outcomeBadges[o].Text == "" {
			t.Errorf("the outcome %s has no words", o)
		}
	}
	results := []app.MemberResult{{Outcome: app.MemberFailed, Name: "Ben", Why: "somebody else changed it"},
		{Outcome: app.MemberSame}, {Outcome: app.MemberChanged, Name: "Anna"},
		{Outcome: app.MemberChanged, Name: "Cleo"}}
	list := memberResultsOf(results)
	if got := money.Plain(resultsText(results)); got != "2 changed, 1 as they were, 1 failed." || len(list.Bad) != 1 ||
		len(list.Good) != 3 || list.Bad[0].Why != "Somebody else changed it." || changedNames(results) != "Anna, Cleo" {
		t.Errorf("results are told as %q, %+v", got, list)
	}
	percent := int64(12_50)
	for want, rule := range map[string]affiliate.CommissionRule{"the offer’s": {OfferMemberID: 1},
		"12.50 %": {Percent: &percent}} {
		if got := money.Plain(ruleText(rule)); got != want {
			t.Errorf("%+v is told as %q", rule, got)
		}
	}
}
