package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestSearch: everything that has a name or a number is found by how it begins, with what tells it apart.
func TestSearch(t *testing.T) {
	h := busyHouse(t)
	for text, want := range map[string][]string{
		"1003":                   {"Orders", "Order #1003", "Ben Botha · 181.22 USD · Paid"},
		"#1003":                  {"Orders", "Order #1003"},
		"anna":                   {"Creators", "Anna Ahlers", "Codes", "ANNA10", "Links", "anna-spring"},
		"AHL":                    {"Creators", "Anna Ahlers"},
		"@ben":                   {"Creators", "Ben Botha"},
		"anna@creators.example":  {"Creators", "Anna Ahlers"},
		"ben5":                   {"Codes", "BEN5", "Ben Botha · Spring"},
		"spri":                   {"Campaigns", "Spring"},
		"ten per":                {"Offers", "Ten percent", "Spring · Active"},
		"payo":                   {"Pages", "Payouts"},
		"api tok":                {"Pages", "API tokens"},
		"nobody is so":           {"Nothing begins with “nobody is so”."},
		`100%_\'"<b>`:            {"Nothing begins with"},
		strings.Repeat("ä", 300): {"Nothing begins with"},
	} {
		a := h.owner().get("/search?q=" + url.QueryEscape(text)).is(http.StatusOK).says(want...)
		wellMade(t, a)
	}
	h.owner().get("/search").is(http.StatusOK).hides("Pages", "Nothing begins with “")
	h.owner().get("/search?q=1003").one(`a[href="` + orderAddress(h.order("1003").ID) + `"]`)
	h.nobody().get("/search?q=anna").is(http.StatusSeeOther)
	if first := h.owner().get("/search?q=100").texts(".finds a"); len(first) == 0 || first[0] != "Order #1001" {
		t.Errorf("orders that begin with 100 are %q", first)
	}
}

// TestSearch_campaignsOnce: however many offers are found, their campaigns are read together.
func TestSearch_campaignsOnce(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"Ten euros", "Tentative", "Tent"} {
		_, err := h.app.AddOffer(h.as(affiliate.RoleManager), affiliate.Offer{CampaignID: h.campaign("Spring").ID,
			Name: name, Type: affiliate.OfferPromoCode, Rule: affiliate.Rule{Percent: 10_00}})
		h.must(err)
	}
	v := h.viewer()
	n := 0
	for _, statement := range h.statements(func() {
		v.get("/search?q=ten").says("Ten percent", "Tentative", "Tent Spring · Active")
	}) {
		if strings.Contains(statement, "FROM campaigns WHERE id") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("campaigns are read by %d statements", n)
	}
}

// TestSearch_roles: a search leads nobody to where they may not go.
func TestSearch_roles(t *testing.T) {
	h := busyHouse(t)
	for _, text := range []string{"api", "people", "connect", "new", "ten", "import", "audit"} {
		a := h.viewer().get("/search?q=" + text).is(http.StatusOK)
		h.offersOnlyWhatIsAllowed(a, affiliate.RoleViewer)
	}
	h.viewer().get("/search?q=api+tokens").hides("Pages")
	h.viewer().get("/search?q=ten").says("Ten percent")
}

// TestSearch_palette: two keystrokes, a number and Enter open an order from any page; arrows choose among what is
// found.
func TestSearch_palette(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	order := orderAddress(h.order("1003").ID)
	opened := func() {
		b.until("the palette", func() bool {
			var open bool
			b.eval(`document.activeElement.id === "palette-text"`, &open)
			return open
		})
	}
	b.open("/campaigns")
	b.press("/", chromedp.ModifierNone)
	opened()
	b.keys("1003")
	b.keys(kb.Enter) // before anything is found
	b.at(order)
	b.connected()
	b.press("k", chromedp.ModifierCtrl)
	opened()
	b.keys("anna")
	b.says("Anna Ahlers", "ANNA10")
	var faults []string
	for _, dark := range []bool{false, true} {
		for _, width := range []int64{1440, 1280, 390} {
			b.viewport(width, 900)
			b.dark(dark)
			faults = append(faults, b.inaccessible()...)
			if n := b.overflow(); n > 0 {
				t.Errorf("the palette is %d pixels wider than a window of %d", n, width)
			}
		}
	}
	if len(faults) > 0 {
		t.Errorf("the palette: %s", strings.Join(faults, "\n"))
	}
	b.keys(kb.ArrowDown + kb.ArrowDown + kb.ArrowUp)
	var marked string
	b.eval(`document.getElementById(seek.field.getAttribute("aria-activedescendant")).innerText`, &marked)
	if !strings.Contains(marked, "ANNA") && !strings.Contains(marked, "Anna") && !strings.Contains(marked, "anna") {
		t.Errorf("%q is marked", marked)
	}
	b.keys(kb.Escape)
	b.saysNot("ANNA10")
	b.at(order)
	b.viewport(390, 900)
	b.click("a.seek-link")
	opened()
	b.keys("payou" + kb.Enter)
	b.at("/payouts")
	b.connected()
	b.viewport(1440, 900)
	b.click(".seek input") // the field of the side bar opens it, too
	opened()
	b.keys("creators" + kb.Enter)
	b.at("/creators")
}

// TestSearch_withoutScript: the field of the side bar, and the sign on phones, are a form and a link.
func TestSearch_withoutScript(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.withoutScript()
	b.open("/campaigns")
	b.fill(".seek input", "1003"+kb.Enter)
	b.says("Order #1003")
	b.at("/search?q=1003")
	b.viewport(390, 900)
	b.open("/campaigns")
	b.click("a.seek-link")
	b.at("/search")
}
