package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/report"
)

const springCreators, annaInSpring = spring + "/creators", spring + "/members/mem_1"

func TestMembers(t *testing.T) {
	h := newHouse(t)
	a := h.viewer().get(springCreators).is(http.StatusOK).hides("Add a creator", "Manage").
		says("Details")
	a.rows("main table",
		"Anna Ahlers @anna | Ten percent 10.00 % | ANNA10 Northwind US | /l/anna-spring Copy | 39.90 USD | 0 | 0.00 "+
			"| 0.00 | Details",
		"Ben Botha @ben | Ten percent 10.00 % | BEN5 Northwind US |  | 0.00 USD | 0 | 0.00 | 0.00 | Details")
	if got := a.one("button[data-copy]").attr("data-copy"); got != h.url+"/l/anna-spring" {
		t.Errorf("the button copies %q", got)
	}
	for query, want := range map[string]int{"?q=bEn5": 1, "?q=@ANNA": 1, "?q=anna-spr": 1, "?q=botha": 1,
		"?q=zebra": 0} {
		if got := len(h.viewer().get(springCreators + query).all("main tbody tr")); got != want {
			t.Errorf("%s lists %d, want %d", query, got, want)
		}
	}
	h.viewer().get(springCreators+"?q=zebra").says("Nobody is found", "“zebra”")
	h.manager().get(springCreators).says("Add a creator", "Manage", "2 creators")

	_, err := h.app.RemoveMember(h.as(affiliate.RoleManager), h.member("Spring", "Ben Botha").ID)
	h.must(err)
	h.viewer().get(springCreators).says("1 creator, 1 who left").hides("Ben Botha")
	h.viewer().get(springCreators+"?former=1").says("Ben Botha", "left 20 Nov 2026",
		"Who left a campaign keeps what they sold")

	bare := bareHouse(t)
	_, err = bare.app.AddCampaign(bare.as(affiliate.RoleManager), affiliate.Campaign{Name: "Empty"})
	bare.must(err)
	bare.manager().get(springCreators).says("No creators yet", "First the campaign needs an offer", "Make an offer")
	_, err = bare.app.AddOffer(bare.as(affiliate.RoleManager), affiliate.Offer{CampaignID: 1, Name: "Ten",
		Type: affiliate.OfferPromoCode})
	bare.must(err)
	bare.manager().get(springCreators).says("No creators yet", "Add a creator").hides("First the campaign needs")
}

func TestMember_add(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	const address = "/campaigns/cmp_2/creators/new"
	_, err := h.app.AddCreator(h.as(affiliate.RoleManager), affiliate.Creator{Name: "Cleo",
		Handles: map[string]string{"tiktok": "cleotok"}})
	h.must(err)
	m.get(address).is(http.StatusOK).rows("main table", "Anna Ahlers @anna | In the campaign", "Ben Botha @ben | Add",
		"Cleo @cleotok | Add")
	m.get(address+"?q=%40cleotok").rows("main table", "Cleo @cleotok | Add")
	m.get(address + "?q=zebra").says("Nobody of the community has “zebra”")
	ben := h.creator("Ben Botha").ID.String()
	m.post(address, "creator", ben).at("/campaigns/cmp_2/members/mem_4").says("The creator is in the campaign",
		"In no offer yet")
	m.post(address, "creator", ben).is(http.StatusUnprocessableEntity).says("is or was a member")
	m.post(address, "creator", "ben").is(http.StatusUnprocessableEntity)

	a := m.post(address, "name", "Dora", "email", "dora", "handles.instagram",
		"@dora").is(http.StatusUnprocessableEntity)
	if a.one("input#email").attr("aria-invalid") != "true" || a.one("input#name").attr("value") != "Dora" {
		t.Errorf("the form comes back as\n%s", a.text())
	}
	m.post(address, "name", "Dora", "handles.instagram", "@anna").is(http.StatusUnprocessableEntity).
		says("@anna is another creator's handle on instagram")
	m.post(address, "name", "Dora", "email", "dora@creators.example", "handles.instagram", "@dora", "handles.tiktok",
		"").is(http.StatusOK).says("Dora", "@dora")
	dora := h.creator("Dora")
	if m := h.member("Holiday gifts", "Dora"); dora.Handles["instagram"] != "dora" || len(dora.Handles) != 1 ||
		m.ProductCurrency != "USD" {
		t.Errorf("added %+v as %+v", dora, m)
	}

	_, err = h.app.RemoveMember(h.as(affiliate.RoleManager), h.member("Holiday gifts", "Dora").ID)
	h.must(err)
	m.get(address + "?q=dora").says("Left the campaign: bring back")
	h.viewer().get(address).is(http.StatusForbidden)
	h.viewer().post(address, "creator", ben).is(http.StatusForbidden)
}

func TestMember_offers(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	_, err := h.app.AddOffer(h.as(affiliate.RoleManager), affiliate.Offer{CampaignID: 1, Name: "VIP",
		Type: affiliate.OfferPromoCode, Rule: affiliate.Rule{Percent: 2000}})
	h.must(err)
	a := m.get(annaInSpring).is(http.StatusOK).says("Anna Ahlers", "@anna · in this campaign since 20 Nov 2026",
		"10.00 % (the offer's)")
	if got := a.texts("select#offer option"); fmt.Sprint(got) != "[VIP]" {
		t.Errorf("offers to add to: %v", got)
	}
	m.post(annaInSpring+"/offers", "offer", "off_3").at(annaInSpring).says("Added to the offer",
		"20.00 % (the offer's)")
	m.post(annaInSpring+"/offers", "offer", "off_3").is(http.StatusUnprocessableEntity).
		says("The creator is in the offer already")
	m.post(annaInSpring+"/offers", "offer", "off_2").is(http.StatusUnprocessableEntity).
		says("The offer belongs to another campaign")
	m.post(annaInSpring+"/offers", "offer", "VIP").is(http.StatusUnprocessableEntity)

	// A commission of their own, and the offer's again.
	vip := h.offerMember(annaInSpring, "VIP")
	a = m.post(annaInSpring+"/commission", "offer_member", vip, "commission_percent",
		"25.555").is(http.StatusUnprocessableEntity).says("has more than 2 decimals")
	if got := a.one("input#percent-" + vip); got.attr("aria-invalid") != "true" || got.attr("value") != "25.555" {
		t.Errorf("the field comes back with %q", got.attr("value"))
	}
	m.post(annaInSpring+"/commission", "offer_member", vip, "commission_percent", "25.5", "commission_flat",
		"1").at(annaInSpring).says("25.50 % + 1.00 per order (their own)")
	if got := m.get(annaInSpring); got.one("input#percent-"+vip).attr("value") != "25.50" ||
		got.one("input#flat-"+vip).attr("value") != "1.00" {
		t.Error("the form does not show the commission that counts")
	}
	m.post(annaInSpring+"/commission", "offer_member", vip, "commission_percent", "", "commission_flat",
		"").at(annaInSpring).says("20.00 % (the offer's)")
	m.post(annaInSpring+"/commission", "offer_member", vip, "commission_percent", "0").at(annaInSpring).
		says("none (their own)")

	m.post(annaInSpring+"/active", "offer_member", vip, "active", "no").at(annaInSpring).
		says("Inactive since 20 Nov 2026")
	m.post(annaInSpring+"/active", "offer_member", vip, "active", "yes").at(annaInSpring).
		says("Active in this offer again").hides("Inactive since")

	// What belongs to somebody else is not at this address.
	for _, path := range []string{"/commission", "/active", "/codes", "/links", "/codes/end", "/links/end"} {
		m.post(annaInSpring+path, "offer_member", "ofm_2", "code", "cod_2", "link", "lnk_1", "store", "str_1", "landing_url", "https://shop.example/").is(http.StatusNotFound)
	}
	m.get("/campaigns/cmp_2/members/mem_1").is(http.StatusNotFound)
	m.get(spring + "/members/mem_99").is(http.StatusNotFound)
}

// offerMember gives the id of a member's place in an offer, as the page has it.
func (h *house) offerMember(address, offer string) string {
	h.Helper()
	for _, card := range h.manager().get(address).all("section.card") {
		if title := card.all("h3 .break"); len(title) == 1 && title[0].text() == offer {
			return card.attr("id")
		}
	}
	h.Fatalf("%s has no offer %s", address, offer)
	return ""
}

func TestMember_codes(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	ten, shop := h.offerMember(annaInSpring, "Ten percent"), h.storeBySlug("shop").ID.String()
	codes := func() string { return strings.Join(m.get(annaInSpring).texts("#"+ten+" .owned code"), " ") }
	m.post(annaInSpring+"/codes", "offer_member", ten, "store", shop, "code", " anna25 ").at(annaInSpring).
		says("The code anna25 is theirs")
	if got := codes(); got != "ANNA10 anna25" {
		t.Errorf("codes %s", got)
	}
	a := m.post(annaInSpring+"/codes", "offer_member", ten, "store", shop, "code",
		"ben5").is(http.StatusUnprocessableEntity).
		says("BEN5 belongs to Ben Botha (Spring, Ten percent)")
	if got := a.one("input#code-" + ten); got.attr("value") != "ben5" || got.attr("aria-invalid") != "true" ||
		!a.has("details[open]#new-code-"+ten) {
		t.Errorf("the form comes back closed or with %q", got.attr("value"))
	}
	m.post(annaInSpring+"/codes", "offer_member", ten, "store", "", "code", "X").is(http.StatusUnprocessableEntity).
		says("Choose a store")
	m.post(annaInSpring+"/codes", "offer_member", ten, "store", shop, "code", "").is(http.StatusUnprocessableEntity).
		says("Must not be empty")

	// Orders that wait for the code are shown before they are credited.
	h.sell(sale{code: "SUMMER20", value: 80_00, at: noon.Add(-time.Hour)})
	m.post(annaInSpring+"/codes", "offer_member", ten, "store", shop, "code", "SUMMER20").at("/creators/import/credit").
		says("The code SUMMER20 is theirs. 1 order without a creator came with it before", "#1001")
	m.post("/creators/import/credit").is(http.StatusOK)
	m.get(spring).says("Total of 1 conversion")
	if got := h.order("1001").Conversion; got == nil || got.Evidence != "SUMMER20" {
		t.Errorf("the order is credited as %+v", got)
	}

	m.post(annaInSpring+"/codes/end", "offer_member", ten, "code", "cod_1").at(annaInSpring).
		says("The code ANNA10 is free again", "until 20 Nov 2026, 13:00")
	m.get(springCreators).says("anna25").hides("ANNA10")
	h.clock.advance(time.Hour)
	h.sell(sale{code: "ANNA10", value: 10_00})
	if o := h.order("1002"); o.Conversion != nil {
		t.Errorf("an ended code credits %+v", o.Conversion)
	}
	m.post(annaInSpring+"/codes/end", "offer_member", ten, "code", "cod_2").is(http.StatusNotFound)
	h.viewer().post(annaInSpring+"/codes", "offer_member", ten, "store", shop, "code", "MINE").is(http.StatusForbidden)
	if v := h.viewer().get(annaInSpring).is(http.StatusOK); v.has("main form") {
		t.Error("a viewer sees forms")
	}
}

func TestMember_links(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	ten := h.offerMember(annaInSpring, "Ten percent")
	m.post(annaInSpring+"/links", "offer_member", ten, "landing_url", "https://shop.example/new", "kind", "sales").at(annaInSpring).
		says("The link "+h.url+"/l/anna is theirs", "sales link to https://shop.example/new")
	m.post(annaInSpring+"/links", "offer_member", ten, "landing_url", "https://shop.example/review", "slug", "Anna-Review", "kind", "review").at(annaInSpring).
		says(h.url+"/l/anna-review", "review link to")
	a := m.post(annaInSpring+"/links", "offer_member", ten, "landing_url", "shop", "slug", "x", "kind",
		"sales").is(http.StatusUnprocessableEntity).says("is not an address")
	if got := a.one("input#landing-" + ten); got.attr("value") != "shop" ||
		a.one("input#slug-"+ten).attr("value") != "x" {
		t.Errorf("the form comes back with %q", got.attr("value"))
	}
	m.post(annaInSpring+"/links", "offer_member", ten, "landing_url", "https://shop.example/", "slug", "anna-gifts").is(http.StatusUnprocessableEntity).
		says("Anna-gifts is the link of Anna Ahlers (Holiday gifts, Gift links)")
	h.clock.advance(time.Hour)
	link, err := h.db.LinkBySlug(h.Context(), "anna-review")
	h.must(err)
	m.post(annaInSpring+"/links/end", "offer_member", ten, "link", link.ID.String()).at(annaInSpring).
		says("The link leads nowhere now")
	m.get(springCreators).says("/l/anna-spring").hides("anna-review")
	m.get(annaInSpring).says("anna-review", "20 Nov 2026, 13:00 – 20 Nov 2026, 14:00")
}

func TestMember_productValue(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	m.post(annaInSpring+"/product", "product_value", "120.5", "product_currency", "usd", "back",
		springCreators+"?q=anna").at(springCreators + "?q=anna").says("120.50 USD")
	m.get(spring).says("Product values 120.50 USD")
	a := m.post(annaInSpring+"/product", "product_value", "-3", "product_currency",
		"USD").is(http.StatusUnprocessableEntity).says("Must not be negative")
	if a.one("input#product_value").attr("value") != "-3" {
		t.Error("what was typed is gone")
	}
	m.post(annaInSpring+"/product", "product_value", "3", "product_currency", "gold").is(http.StatusUnprocessableEntity)
	h.viewer().post(annaInSpring+"/product", "product_value", "3", "product_currency", "USD").is(http.StatusForbidden)
}

// TestMember_leave: who is removed sells nothing more in the campaign, their figures leave it, home keeps them, and all
// comes back with them.
func TestMember_leave(t *testing.T) {
	h := busyHouse(t)
	m := h.manager()
	page := m.get(annaInSpring).says("Remove from the campaign", "stays on the home page", "commissions stay owed")
	if !page.has("form[action=" + annaInSpring + "/remove] button[data-confirm]") {
		t.Error("nobody is asked before")
	}
	home := func() report.Sums {
		sums, err := report.Report{Scope: report.Scope{Former: true},
			Range: affiliate.Range{Zone: time.UTC}, Currency: "USD"}.Sums(h.Context(), h.db)
		h.must(err)
		return sums
	}
	before := home().Sales
	m.post(annaInSpring+"/remove").at(annaInSpring).says("Removed from the campaign", "left 20 Nov 2026",
		"Bring them back")
	m.get(spring).says("Total of 1 conversion 181.22", "1 who left is not listed")
	if got := home().Sales; got != before {
		t.Errorf("home's sales changed from %d to %d", before, got)
	}
	h.clock.advance(time.Hour)
	h.sell(sale{code: "ANNA10", value: 70_00})
	if o := h.order("1014"); o.Conversion != nil {
		t.Errorf("somebody who left is credited: %+v", o.Conversion)
	}
	m.get(annaInSpring).says("Codes and links stay theirs until you end them")
	m.post(annaInSpring + "/restore").at(annaInSpring).says("Back in the campaign")
	m.get(spring).says("Total of 4 conversions 461.12")
	h.consistent()
	h.viewer().post(annaInSpring + "/remove").is(http.StatusForbidden)
	h.viewer().post(annaInSpring + "/restore").is(http.StatusForbidden)
	_, err := h.app.RemoveCreator(app.As(h.Context(), affiliate.Principal{Name: "test"}), h.creator("Anna Ahlers").ID)
	h.must(err)
	m.get(annaInSpring).says("left the community")
}
