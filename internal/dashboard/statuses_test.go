package dashboard

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// grown is one order of 100.00 EUR as the WooCommerce store of the house tells it. The zero values make one that
// nobody has paid.
type grown struct {
	number int
	status string
	paid   bool // it has a payment date
	parent int  // it is what a marketplace plugin split off
	refund string
	code   string
	money  string // its currency; EUR when empty
}

const boutiqueSecret = "secret-of-the-boutique"

// plant delivers orders of the boutique, and processes them.
func (h *house) plant(list ...grown) {
	h.Helper()
	_, err := h.app.AddStoreSecret(h.as(affiliate.RoleOwner), h.storeBySlug("boutique").ID, boutiqueSecret)
	h.must(err)
	for _, g := range list {
		order := fields{"id": g.number, "number": g.number, "status": g.status, "parent_id": g.parent,
			"created_via": "dokan", "currency": cmp.Or(g.money, "EUR"), "total": "100.00", "total_tax": "0.00",
			"date_created_gmt": "2026-11-20T09:00:00", "date_modified_gmt": "2026-11-20T09:05:00",
			"billing": fields{"country": "DE"}, "refunds": []fields{}, "coupon_lines": []fields{},
			"shipping_lines": []fields{}, "fee_lines": []fields{}, "line_items": []fields{{"id": 1, "quantity": 1,
				"subtotal": "100.00", "total": "100.00", "total_tax": "0.00"}}}
		if g.paid {
			order["date_paid_gmt"] = "2026-11-20T09:01:00"
		}
		if g.refund != "" {
			order["refunds"] = []fields{{"id": g.number + 1000, "total": "-" + g.refund}}
		}
		if g.code != "" {
			order["coupon_lines"] = []fields{{"id": 9, "code": g.code, "discount": "0", "discount_tax": "0"}}
		}
		body, err := json.Marshal(order)
		h.must(err)
		if status := h.knock("/webhooks/woocommerce/boutique", string(body), "X-WC-Webhook-Topic", "order.updated",
			"X-WC-Webhook-Signature", woocommerce.Sign([]byte(boutiqueSecret), body)); status != http.StatusOK {
			h.Fatalf("order %d was answered %d", g.number, status)
		}
	}
	h.process()
}

// planted gives the address of an order of the boutique.
func (h *house) planted(number string) string {
	h.Helper()
	row, err := h.db.FindOrder(h.Context(), "boutique", number)
	h.must(err)
	return orderAddress(row.ID)
}

// doubtful has orders with plugins' statuses, one in doubt, and one with a part.
func doubtful(t *testing.T) (h *house, store string) {
	h = newHouse(t)
	h.plant(grown{number: 72001, status: "shipped", paid: true}, grown{number: 72002, status: "shipped", paid: true},
		grown{number: 72003, status: "awaiting"}, grown{number: 72004, status: "processing", paid: true},
		grown{number: 72004, status: "completed", paid: true}, grown{number: 72010, status: "completed", paid: true},
		grown{number: 72011, status: "completed", paid: true, parent: 72010, refund: "20.00"},
		grown{number: 72012, status: "completed", paid: true, parent: 71000})
	return h, storeAddress(h.storeBySlug("boutique"))
}

// TestStatusesOfStore: what plugins' statuses mean is decided on the store's page, after a preview in words.
func TestStatusesOfStore(t *testing.T) {
	h, address := doubtful(t)
	v := h.manager()
	page := v.get(address).is(http.StatusOK).says("Statuses set by plugins", "shipped", "awaiting")
	if got := page.texts("#statuses tbody tr .number"); strings.Join(got, " ") != "1 2" {
		t.Errorf("orders now: %q", got)
	}
	behind := page.all("#statuses tbody tr .number a")[1].attr("href")
	v.get(behind).is(http.StatusOK).says("72001", "72002").hides("72003", "72004")
	wellMade(t, page)
	v.get("/").says("2 statuses that plugins set on orders of Northwind Boutique are not decided").
		hides("An order has the status")

	chosen := "status=awaiting&meaning=paid&status=shipped&meaning=canceled"
	preview := v.get(address+"/statuses?"+chosen).is(http.StatusOK).says("What this would change",
		"2 orders go from paid to canceled: −200.00 EUR.",
		"1 order goes from pending to paid: its value stays as it is.", "Decide it so")
	wellMade(t, preview)
	if rows := preview.texts("#preview tbody tr"); len(rows) != 3 ||
		rows[0] != "72001 shipped Paid Canceled 100.00 EUR 0.00 EUR" {
		t.Errorf("the preview lists %q", rows)
	}
	v.get(h.planted("72001")).says("Paid")
	v.get(address + "/statuses?" + "status=awaiting&meaning=&status=shipped&meaning=").says("No order would change")
	if got := v.get(address + "/statuses").is(http.StatusOK); got.has("#preview") {
		t.Error("there is a preview of nothing")
	}
	v.get(address + "/statuses?new_status=lost").is(http.StatusUnprocessableEntity).says("Say what lost means")
	v.get(address + "/statuses?new_meaning=paid").is(http.StatusUnprocessableEntity).says("Write the status")
	v.post(address+"/statuses", "new_status", "completed", "new_meaning",
		"paid").is(http.StatusUnprocessableEntity).says("WooCommerce's own status")

	v.post(address+"/statuses", "status", "awaiting", "meaning", "paid", "status", "shipped", "meaning", "canceled",
		"new_status", "wc-lost", "new_meaning", "refunded").at(address+"#statuses").says("It is decided.", "lost",
		"decide when that is done").hides("An order has the status")
	v.post(address+"/statuses", "status", "shipped", "meaning", "").is(http.StatusUnprocessableEntity).
		says("are being computed anew")
	h.must(h.app.Recalculate(h.Context()))
	v.get(h.planted("72001")).says("Canceled", "it counts as canceled, as was decided for this store")
	v.get(h.planted("72003")).says("it counts as paid, as was decided")
	v.post(address+"/statuses", "status", "shipped", "meaning", "canceled").says("Nothing was to be decided")

	h.viewer().get(address).is(http.StatusOK).says("Statuses set by plugins", "Canceled").hides("Preview")
	h.viewer().post(address+"/statuses", "status", "shipped", "meaning", "paid").is(http.StatusForbidden)
	h.viewer().get(storeAddress(h.storeBySlug("shop"))).hides("Statuses set by plugins")
	h.consistent()
}

// TestDoubtsOfOrders: the store's page counts the orders in doubt and leads to them; lists and pages of orders say what
// is in doubt, calmly.
func TestDoubtsOfOrders(t *testing.T) {
	h, address := doubtful(t)
	v := h.viewer()
	page := v.get(address).says("1 order in doubt", affiliate.DoubtSameSecond.Sentence(), "settles it").
		hides(affiliate.DoubtRounded.Sentence())
	kind := page.one("dl.doubts a")
	if kind.text() != "1 order" {
		t.Errorf("the doubt counts %q", kind.text())
	}
	list := v.get(kind.attr("href")).is(http.StatusOK).says("72004").hides("72001", "72010")
	wellMade(t, list)
	if got := list.one("tbody .badge[title]"); got.text() != "Two versions of one second" ||
		got.attr("title") != affiliate.DoubtSameSecond.Sentence() {
		t.Errorf("the badge says %q (%q)", got.text(), got.attr("title"))
	}
	v.get("/orders?show=doubtful&doubt=rounded").says("No order matches")
	v.get("/orders?show=doubtful&doubt=nonsense").is(http.StatusUnprocessableEntity)
	v.get("/orders?doubt=nonsense").is(http.StatusOK)
	order := v.get(h.planted("72004")).is(http.StatusOK).says("In doubt.", affiliate.DoubtSameSecond.Sentence())
	wellMade(t, order)
	v.get(h.planted("72001")).says("The store says shipped, a status that a plugin set: it counts as paid, because " +
		"it has a payment date.").hides("In doubt.")
	v.get("/orders?custom_status=awaiting").says("72003").hides("72001")
	v.get("/orders?custom_status=unheard").says("No order matches")
}

// TestPartsOfOrders: a part says whose it is, and its order lists it; it is credited to nobody.
func TestPartsOfOrders(t *testing.T) {
	h, _ := doubtful(t)
	v := h.viewer()
	list := v.get("/orders?show=parts").is(http.StatusOK).says("Part of 72010", "Part of 71000",
		"Counted with its order").hides("72001")
	wellMade(t, list)
	if !list.has("tbody a[href=" + h.planted("72010") + "]") {
		t.Error("the badge of a part does not lead to its order")
	}
	parent := v.get(h.planted("72010")).says("Orders that belong to it", "72011", "Here, as a part", "Partly refunded",
		"Refunded")
	wellMade(t, parent)
	v.get(h.planted("72011")).says("This is a part of order 72010, and is counted there.",
		"this is a part of another order")
	v.get(h.planted("72012")).says("No delivery has described that one yet.")
	_, err := h.app.ChangeStore(h.as(affiliate.RoleOwner), h.storeBySlug("boutique").ID, 0,
		func(s *affiliate.Store) error {
			s.Parts = affiliate.PartsNever
			return nil
		})
	h.must(err)
	h.must(h.app.Recalculate(h.Context()))
	v.get(h.planted("72011")).says("belongs to order 72010, but counts for itself")
	v.get("/orders?show=parts").says("No order matches")
	h.consistent()
}

// TestNeverConverted: a currency that ISO 4217 does not have waits for no rate.
func TestNeverConverted(t *testing.T) {
	h := newHouse(t)
	report, err := h.app.Import(h.as(affiliate.RoleOwner), strings.NewReader("campaign,creator,offer,store,code\n"+
		"Spring,Anna Ahlers,Ten percent,boutique,ANNAWOO\n"), false)
	h.must(err)
	if len(report.Errors) > 0 {
		t.Fatal(report.Errors)
	}
	h.plant(grown{number: 72001, status: "completed", paid: true, code: "annawoo", money: "BTC"},
		grown{number: 72002, status: "completed", paid: true, code: "annawoo"})
	v := h.owner()
	v.get(h.planted("72001")).says("Never converted").hides("Waits for an exchange rate")
	v.get(h.planted("72002")).says("Waits for an exchange rate").hides("Never converted")
	v.get("/orders?show=unlisted").says("72001").hides("72002")
	v.get("/orders?show=unconverted").says("72002").hides("72001")
	v.get("/").says("1 order waits for an exchange rate", "Never converted, and in no figure here",
		"Not converted yet, and in no figure here")
	v.get(campaignAddress(h.campaign("Spring").ID)).says("never converted", "waits for a rate", "Never converted: 1",
		"Not converted yet: 1")
}

// TestStatuses_browser: a decision is previewed and made by pressing buttons, and the form fits a phone.
func TestStatuses_browser(t *testing.T) {
	h, address := doubtful(t)
	b := h.browse(affiliate.RoleManager)
	b.viewport(390, 844)
	for _, page := range []string{"/orders?show=doubtful", h.planted("72011"), h.planted("72010"),
		h.planted("72004"), address + "/statuses?status=awaiting&meaning=paid&status=shipped&meaning=paid", address} {
		b.open(page)
		if n := b.overflow(); n > 0 {
			t.Errorf("%s is %d pixels too wide for a phone", page, n)
		}
		if faults := b.inaccessible(); len(faults) > 0 {
			t.Errorf("%s: %s", page, strings.Join(faults, "\n"))
		}
	}
	b.choose("#meaning-1", "canceled")
	b.clickText("Preview")
	b.says("2 orders go from paid to canceled: −200.00 EUR.")
	b.clickText("Decide it so")
	b.says("It is decided.", "Figures are being computed anew")
	if !strings.HasPrefix(b.address(), address) {
		t.Errorf("the browser is at %s", b.address())
	}
}
