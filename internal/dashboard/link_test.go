package dashboard

import (
	"net/http"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestLink: a link's page says where a click leads, what stores keep and what to mend, and lets it be changed.
func TestLink(t *testing.T) {
	h := busyHouse(t)
	l, err := h.db.LinkBySlug(h.Context(), "anna-spring")
	h.must(err)
	at := linkAddress(l.ID)
	v := h.viewer()
	a := v.get(at).is(http.StatusOK).says("Link anna-spring", "Anna Ahlers", "Spring", "utm_content=anna-spring",
		"WooCommerce _wc_order_attribution_utm_content anna-spring").hides("Change the link", "Ask the landing page")
	if final := a.one("#final").text(); final != l.LandingURL+"?ref=anna-spring&tclid={click}&utm_source=tributary"+
		"&utm_medium=affiliate&utm_campaign=spring&utm_content=anna-spring" {
		t.Errorf("a click leads to %s", final)
	}
	v.post(at, "landing_url", "https://shop.example/").is(http.StatusForbidden)
	v.post(at + "/ask").is(http.StatusForbidden)
	v.get("/links/lnk_999").is(http.StatusNotFound)
	v.get("/links/anna-spring").is(http.StatusNotFound)

	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		return tx.InsertClicks(h.Context(), []storage.Click{{ID: "01jlinkpage", LinkID: l.ID, At: h.app.Now(),
			Day: affiliate.Day(h.app.Now(), time.UTC)}})
	}))
	v.get(at + "?period=today").says("1 click, ").hides("counted here alone")
	v.get(at + "?period=yesterday").says("0 clicks, ")

	m := h.manager()
	m.get(at).says("Ask the landing page", "As in the settings: yes")
	m.post(at, "landing_url", "https://boutique.example/p?utm_source=ig", "kind", "review", "utm", "off").
		is(http.StatusOK).at(at).says("The link is changed.", "has utm parameters of its own",
		"The link is not for sales, so they are counted here alone")
	m.post(at, "landing_url", "ftp://boutique.example/", "kind", "review", "utm", "off").
		is(http.StatusUnprocessableEntity).says("is not an address")
	if a := m.post(at, "landing_url", "http://127.0.0.1:1/", "kind", "sales", "utm", "maybe").
		is(http.StatusUnprocessableEntity); a.one("#utm").attr("aria-invalid") != "true" {
		t.Errorf("a wrong choice does not show: %s", a.text())
	}
	m.post(at, "landing_url", "http://127.0.0.1:1/", "kind", "sales", "utm", "").is(http.StatusOK)
	m.post(at+"/ask").is(http.StatusOK).says("cannot be reached", "not a public one")
	if l, err = h.db.Link(h.Context(), l.ID); err != nil || l.UTM != affiliate.UTMAccount || l.Kind != "sales" {
		t.Errorf("the link is %+v, %v", l, err)
	}
}
