package dashboard

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// Names as long as people make them: one of words, and one that cannot be broken between words.
const (
	longCampaign = "Winter Collection 2026 — Ambassadors, Friends and Family of the House of Northwind"
	longCreator  = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley"
)

// extremeHouse has names and amounts that are longer than usual, a campaign that sold nothing, a currency without
// decimals, a creator who owes more than a million, and more orders than a page of a table lists.
func extremeHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	report, err := h.app.Import(h.as(affiliate.RoleOwner), strings.NewReader(`campaign,creator,instagram,email,offer,store,code,link_slug,landing_url,commission_percent,commission_flat,product_value
"`+longCampaign+`",`+longCreator+`,@`+strings.ToLower(longCreator)[:30]+`,wolfe@creators.example,"Twelve and a half percent of everything, shoes excepted",shop,WOLFESCHLEGELSTEINHAUSEN10,,,10,,1234567.89
"A campaign that sold nothing",`+longCreator+`,,wolfe@creators.example,Nothing yet,shop,NOTHING,,,10,,0
`), false)
	h.must(err)
	if len(report.Errors) > 0 {
		t.Fatalf("the creators' file has errors: %v", report.Errors)
	}
	const code = "WOLFESCHLEGELSTEINHAUSEN10"
	big := sale{number: "1", code: code, value: 12_345_678_90, at: noon.AddDate(0, 0, -20)}
	h.sell(big)
	_, err = h.app.IssuePayout(h.as(affiliate.RoleManager), app.NewPayout{Creator: h.creator(longCreator).ID,
		Method: "bank transfer", Reference: strings.Repeat("SEPA", 20)})
	h.must(err)
	h.clock.advance(time.Hour)
	big.refund = big.value + 5_00
	h.sell(big, sale{number: "2", code: "BEN5", value: 98_765_432_10}, sale{number: "3", code: "BEN5",
		value: 98_765_432, currency: "JPY"})
	var many []sale
	for i := range limit + 1 {
		many = append(many, sale{code: "ANNA10", value: int64(1_234_567_89 + i), at: noon.AddDate(0, 0, -i)})
	}
	h.sell(many...)
	_, err = h.app.Decide(h.as(affiliate.RoleManager), []affiliate.ConversionID{h.order("1005").Conversion.ID},
		app.Reject, strings.Repeat("bought by our own staff ", 8))
	h.must(err)
	return h
}

// TestPages_extremes: long names and large amounts widen no page, no figure leaves its place, and figures that owe are
// written with a minus sign.
func TestPages_extremes(t *testing.T) {
	h := extremeHouse(t)
	b := h.browse(affiliate.RoleOwner)
	creator := h.creator(longCreator).ID.String()
	for _, page := range []struct{ name, address string }{
		{"home", "/"}, {"campaigns", "/campaigns"}, {"campaign-big", "/campaigns/" + h.campaign("Spring").ID.String()},
		{"campaign-long", "/campaigns/" + h.campaign(longCampaign).ID.String()}, {"campaign-empty", "/campaigns/" +
			h.campaign("A campaign that sold nothing").ID.String()},
		{"campaign-creators", "/campaigns/" + h.campaign(longCampaign).ID.String() + "/creators"},
		{"creators", "/creators"}, {"creator", "/creators/" + creator},
		{"statement", "/creators/" + creator + "/statement"}, {"orders", "/orders"},
		{"order", "/orders/" + h.order("1").ID.String()}, {"payouts", "/payouts"},
	} {
		b.within(page.name, func() {
			b.open(page.address)
			for _, width := range []int64{360, 768, 1024, 1440, 1600} {
				b.viewport(width, 900)
				if n := b.overflow(); n > 0 {
					b.Errorf("it is %d pixels wider than a window of %d: %s", n, width, b.widest())
				}
				if cut := b.cut(); len(cut) > 0 {
					b.Errorf("in a window of %d these do not fit: %s", width, strings.Join(cut, "; "))
				}
				if *screenshots != "" && (width == 360 || width == 1440) {
					b.screenshot(filepath.Join(*screenshots, fmt.Sprintf("extreme-%s-%d.png", page.name, width)))
				}
			}
		})
	}
	b.open("/creators/" + creator)
	b.says("−1,234,567.89")
	b.open("/orders")
	b.says("98,765,432.10 USD", "98,765,432 JPY")
}

// cut names what is wider than its own box (figures, headings, badges and buttons) and key figures that are broken into
// lines, their currency aside. Names that end in dots, whose whole is a touch away, are meant to.
func (b *tab) cut() []string {
	b.Helper()
	var found []string
	b.eval(`[...document.querySelectorAll("h1, h2, h3, dt, dd, .badge, .button, button, td, th, .card-foot, .notice")].filter((e) => e.checkVisibility() &&
		e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && !e.querySelector(".visually-hidden, details") && !e.matches(".visually-hidden, .cuts")).slice(0, 5)
		.map((e) => e.tagName.toLowerCase() + "." + e.className + " " + e.innerText.slice(0, 60) + ": " + e.scrollWidth + " in " + e.clientWidth)`, &found)
	var broken []string
	b.eval(`[...document.querySelectorAll(".kpis.even dd:not(.change)")].filter((e) => { const r = document.createRange(); r.selectNodeContents(e); const unit = e.querySelector(".unit"); if (unit) r.setEndBefore(unit);
		const boxes = [...r.getClientRects()]; return boxes.some((box) => boxes.some((other) => other.top >= box.bottom - 2)); }).map((e) => e.innerText + " is broken into lines")`, &broken)
	return append(found, broken...)
}

// TestPerformance_width: on a usual screen the table of conversions shows all its columns, and none is under the
// buttons that stick to its end.
func TestPerformance_width(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.open(spring)
	var room, needed int
	b.eval(`document.querySelector("#conversions .table-wrap").clientWidth`, &room)
	b.eval(`document.querySelector("#conversions .table-wrap").scrollWidth`, &needed)
	if needed > room {
		t.Errorf("the table is %d pixels wide, and there is room for %d", needed, room)
	}
}

// TestFilters_button: where scripts run, what is chosen shows by itself, and only days that are typed in have a button.
// Where they do not, every form has its button.
func TestFilters_button(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleViewer)
	button := func(path string) (shown bool) {
		b.open(path)
		b.eval(`document.querySelector("form.filters > button[type=submit]").checkVisibility()`, &shown)
		return shown
	}
	if button("/orders") {
		t.Error("a form that sends itself shows a button")
	}
	if !button("/orders?period=custom") {
		t.Error("days that are typed in have no button")
	}
	b.withoutScript()
	if !button("/orders") {
		t.Error("without scripts there is no button")
	}
}
