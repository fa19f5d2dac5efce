package dashboard

import (
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestOffer_browser: on a desktop and on a phone an offer’s pages are accessible and nothing scrolls sideways, also
// with creators selected; what is to be done with them is asked on a page of its own.
func TestOffer_browser(t *testing.T) {
	h := busyHouse(t)
	h.setDiscount(1)
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
	for _, page := range []string{"/offers/new", "/offers/new?type=promo_code", tenPercent + "/settings",
		tenPercent + "/commissions", tenPercent + "/members/new?q=b"} {
		b.open(page)
		look(page)
	}
	b.open(tenPercent)
	look("the offer")
	b.click("[name=ids][value=ofm_2]")
	b.says("1 selected")
	look("the offer with somebody selected")
	b.click("button[value=commission]")
	b.says("Payout values: 1 creator", "The offer’s again")
	look("what is asked about payout values")
}
