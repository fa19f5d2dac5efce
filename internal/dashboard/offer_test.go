package dashboard

import (
	"net/http"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

const springOffers = spring + "/offers"

func TestOffers(t *testing.T) {
	h := busyHouse(t)
	h.viewer().get(springOffers).is(http.StatusOK).hides("New offer", "Pause").
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

func TestOffer_form(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	for field, form := range map[string][]string{
		"name":               {"name", "", "type", "promo_code"},
		"commission_percent": {"name", "VIP", "type", "promo_code", "commission_percent", "101"},
		"commission_flat":    {"name", "VIP", "type", "promo_code", "commission_flat", "much"},
	} {
		a := m.post(springOffers+"/new", form...).is(http.StatusUnprocessableEntity)
		if a.one("input#"+field).attr("aria-invalid") != "true" || a.one("input#name").attr("value") != form[1] ||
			!a.has("input[value=promo_code][checked]") {
			t.Errorf("%v: the form comes back as\n%s", form, a.text())
		}
	}
	m.post(springOffers+"/new", "name", "VIP", "type", "gift").is(http.StatusUnprocessableEntity).
		says("Must be promo code or sales link")
	m.post(springOffers+"/new", "name", "TEN percent", "type", "promo_code").is(http.StatusUnprocessableEntity).
		says("The campaign has an offer")
	m.post(springOffers+"/new", "name", "VIP", "type", "sales_link", "commission_percent", "12.5", "commission_flat",
		"1.50").at(springOffers).
		says("The offer is made", "12.50 % + 1.50 per order")
	const vip = springOffers + "/off_3"
	a := m.get(vip).is(http.StatusOK)
	if a.one("input#commission_percent").attr("value") != "12.50" ||
		a.one("input#commission_flat").attr("value") != "1.50" || !a.has("input[value=sales_link][checked]") {
		t.Errorf("the form shows\n%s", a.text())
	}
	m.post(vip, "version", "1", "name", "VIPs", "type", "promo_code", "commission_percent", "15").at(springOffers).
		says("The offer is changed", "VIPs", "15.00 %")
	m.post(vip, "version", "1", "name", "Late", "type", "promo_code").is(http.StatusUnprocessableEntity).
		says("Somebody else changed this meanwhile")
	o, err := h.db.Offer(h.Context(), 3)
	h.must(err)
	if o.Name != "VIPs" || o.Rule != (affiliate.Rule{Percent: 1500, Version: 2}) || o.Type != affiliate.OfferPromoCode {
		t.Errorf("the offer is %+v", o)
	}
	m.get("/campaigns/cmp_2/offers/off_3").is(http.StatusNotFound)
	m.get(springOffers + "/off_99").is(http.StatusNotFound)
	for _, path := range []string{springOffers + "/new", vip} {
		h.viewer().get(path).is(http.StatusForbidden)
		h.viewer().post(path, "name", "Mine").is(http.StatusForbidden)
	}
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
	m.post(ten+"/status", "status", "active").at(springOffers).says("is active")
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
