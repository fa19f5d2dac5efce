package dashboard

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

// codeHouse is a house with a third store, whose API is asked, and that has codes of its own.
func codeHouse(t *testing.T) (h *house, shop *fakestore.Shop, store affiliate.Store) {
	t.Helper()
	h = newHouse(t)
	shop = fakestore.WooCommerce(fakestore.Options{Domain: "outlet.example", Currency: "USD", Seed: 7, Now: h.clock.now,
		Client: http.DefaultClient})
	server := httptest.NewServer(shop)
	t.Cleanup(server.Close)
	web := &storeapi.Web{Private: []string{"*"}, Now: h.clock.now, Sleep: func(ctx context.Context,
		d time.Duration) error {
		h.clock.advance(d)
		return ctx.Err()
	}}
	h.app.Connectors = app.Connectors{woocommerce.Name: app.ConnectorOf(woocommerce.Connector{Web: web})}
	h.app.LocalStores = true
	connected, err := h.app.ConnectStore(h.as(affiliate.RoleOwner), app.NewAccess{Platform: woocommerce.Name,
		Slug: "outlet", Keys: shop.Keys(server.URL)})
	h.must(err)
	return h, shop, connected.Store
}

// workStore does what is due with codes, here and in a store.
func (h *house) workStore(id affiliate.StoreID) {
	h.Helper()
	ctx := h.as(affiliate.RoleOwner)
	for range 3 {
		h.must(h.app.WorkCodeRuns(ctx))
		h.must(h.app.WithStoreLease(ctx, id, func(ctx context.Context) error { return h.app.StoreWork(ctx, id) }))
	}
}

// TestCodes_browser: on a desktop and on a phone, somebody says what codes give, makes them for all, refreshes them,
// and
// takes over what the store has already; each page is accessible, and nothing scrolls sideways.
func TestCodes_browser(t *testing.T) {
	h, shop, store := codeHouse(t)
	shop.MakeCoupon("anna25", 25)
	shop.MakeCoupon("winter", 5)
	h.workStore(store.ID)
	b := h.browse(affiliate.RoleManager)
	look := func(what string) {
		t.Helper()
		for _, width := range []int64{390, 1440} {
			b.viewport(width, 900)
			for _, fault := range b.inaccessible() {
				t.Errorf("%s, %d pixels wide: %s", what, width, fault)
			}
			if n := b.overflow(); n > 0 {
				t.Errorf("%s is %d pixels wider than a window of %d: %s", what, n, width, b.widest())
			}
		}
	}

	b.open(tenPercent + "/settings")
	b.click("input[name=kind][value=percent]")
	b.fill("#percent", "10")
	b.fill("#code_pattern", "{{first_name}}10")
	b.click("#gives button.primary")
	b.says("It is saved", "2 codes that are there give what they gave before", "For Anna Ahlers as it is saved: ANNA10")
	look("the offer")

	b.viewport(390, 900)
	b.open(tenCodes)
	b.clickText("Make codes for all…")
	b.says("For: All 2 creators", "They give: 10 % off")
	look("the form of a run")
	b.viewport(390, 900)
	b.clickText("Show what would happen")
	b.says("What would happen", "by itself")
	look("a draft")
	b.click(".card .button.primary, .card button.primary")
	b.says("It has begun")
	b.connected()
	h.workStore(store.ID)
	b.says("2 of 2 codes done")
	look("a run under way")
	if got := shop.CouponCodes(); !slices.ContainsFunc(got, func(c string) bool {
		return strings.EqualFold(c,
			"BEN10")
	}) {
		t.Errorf("the store has the codes %q", got)
	}

	b.viewport(1440, 900)
	b.open(tenCodes)
	b.says("Works in the store", "BEN10")
	look("the codes of an offer")
	b.viewport(1440, 900)
	b.click("input[data-all]")
	b.says("2 selected")
	b.clickText("Refresh…")
	b.says("For: 2 creators", "Days that the old code goes on")
	b.eval(`document.querySelectorAll("[name=stores]").forEach((e) => { e.checked = e.value === "` + store.ID.String() + `"; })`)
	b.fill("#pattern", "{{handle}}15")
	b.fill("#overlap_days", "7")
	b.clickText("Show what would happen")
	b.says("The old codes go on for 7 days.", "Refresh 2 codes")
	b.clickText("Refresh 2 codes")
	b.says("It has begun")
	b.connected()
	h.workStore(store.ID)
	b.says("2 of 2 codes done", "Done", "until 27 Nov 2026")
	if !shop.CouponWorks("ben10", h.clock.now()) || !shop.CouponWorks("ben15", h.clock.now()) ||
		shop.CouponWorks("ben10", h.clock.now().AddDate(0, 0, 8)) {
		t.Errorf("the store has %+v", shop.Coupons())
	}

	shop.Place(fakestore.NewOrder{Codes: []string{"anna25"}, Paid: true,
		Lines: []fakestore.Line{{Name: "Serum", Price: 80_00, Quantity: 1, Discount: 20_00}}})
	h.must(shop.Flush(h.Context()))
	h.process()
	b.open(couponsAddress(store))
	b.says("anna25", "winter", "Nobody’s")
	b.choose("#offer", "off_1")
	b.says("Certain")
	look("the codes of a store")
	b.viewport(1440, 900)
	b.clickText("Take over all that certainly are somebody’s…")
	b.says("Take over codes: Ten percent", "anna25", "1 would be credited", "60.00 USD of sales",
		"6.00 USD of commission")
	look("a draft that takes over")
	b.viewport(390, 900)
	b.clickText("Take over 1 code")
	b.says("It has begun")
	h.workStore(store.ID)
	b.says("1 of 1 code done")

	b.open(couponsAddress(store) + "?set=owned")
	b.says("anna25", "Anna Ahlers")
	shop.EditCoupon("ben15", func(d *affiliate.Discount) { d.Percent = 30_00 })
	h.clock.advance(25 * time.Hour)
	h.workStore(store.ID)
	b.open(couponsAddress(store) + "?set=troubled")
	b.says("Gives something else", "10 % here, 30 % in the store", "Give it that again")
	look("a code in trouble")
	b.viewport(390, 900)
	b.clickText("Give it that again")
	b.says(" is being given its discount in the store")
	h.workStore(store.ID)
	b.open(couponsAddress(store) + "?set=troubled")
	b.says("All is as it should be")
	if truth := shop.Coupons(); !slices.ContainsFunc(truth, func(c fakestore.CouponTruth) bool {
		return strings.EqualFold(c.Code, "ben15") && c.Discount.Percent == 10_00
	}) {
		t.Errorf("the store has %+v", truth)
	}
}
