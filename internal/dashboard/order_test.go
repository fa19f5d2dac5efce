package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestOrders(t *testing.T) {
	h := busyHouse(t)
	v := h.viewer()
	v.get("/orders").is(http.StatusOK).says("#1013", "Anna Ahlers", "Partly refunded", "Refunded", "Canceled",
		"Pending", "Its code or link belongs to nobody", "SUMMER20")
	v.get("/orders?show=held").says("#1009").hides("#1013")
	v.get("/orders?show=uncredited").says("#1010", "#1011").hides("#1013", "#1012")
	v.get("/orders?show=test").says("#1012", "A test order").hides("#1013")
	v.get("/orders?status=refunded").says("#1004").hides("#1013")
	v.get("/orders?q=1006").says("#1006").hides("#1013")
	v.get("/orders?store=boutique").says("No order matches")
	v.get("/orders?show=nonsense").is(http.StatusUnprocessableEntity).says("Show:")
	v.get("/orders?period=yesterday").hides("#1013")
}

func TestOrderPage(t *testing.T) {
	h := busyHouse(t)
	address := orderAddress(h.order("1003").ID)
	page := h.owner().get(address).is(http.StatusOK).says("Order #1003", "Partly refunded", "Credited to Ben Botha",
		"Merchandise as sold", "240.00 USD", "Ledger", "Commission", "Paid, 245.00 USD charged, 60.00 USD refunded")
	if page.has("form[action='" + address + "/decide'] button[value=undo]") {
		t.Error("an approved conversion can be undone")
	}
	h.viewer().get(address).is(http.StatusOK).hides("Reject", "Body")
	h.viewer().post(address+"/decide", "decision", "reject").is(http.StatusForbidden)
	h.manager().post(address+"/decide", "decision", "reject", "reason", "a cousin").at(address).
		says("The conversion is rejected.", "Rejected", "a cousin", "Undo the rejection")
	h.manager().post(address+"/decide", "decision", "undo").at(address).says("The rejection is taken back.", "Approved")
	h.manager().post(address+"/decide", "decision", "nonsense").is(http.StatusUnprocessableEntity)
	h.owner().get("/orders/ord_4711").is(http.StatusNotFound).says("There is no such order")
	h.owner().get("/orders/nonsense").is(http.StatusNotFound)
	gift := h.owner().get(orderAddress(h.order("1005").ID)).is(http.StatusOK)
	gift.says("4.25 USD", "5.00 % + 2.00 USD per order").hides("of the value")
	nobodys := h.owner().get(orderAddress(h.order("1010").ID)).is(http.StatusOK)
	nobodys.says("Why nobody is credited", "SUMMER20").hides("Conversion")
	h.manager().post(orderAddress(h.order("1010").ID)+"/decide", "decision", "reject").is(http.StatusConflict)
	h.consistent()
}

// TestOrder_story: the page says in words what each delivery changed, and leads to the order in the store's admin.
func TestOrder_story(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{number: "7001", code: "ANNA10", value: 100_00, status: "pending"})
	h.sell(sale{number: "7001", code: "ANNA10", value: 100_00})
	h.sell(sale{number: "7001", code: "ANNA10", value: 100_00, refund: 20_00})
	// an old one
	h.deliver("shop", h.body(sale{number: "7001", code: "ANNA10", value: 100_00, at: noon.Add(-time.Hour)}))
	h.process()
	h.sell(sale{number: "7001", code: "ANNA10", value: 100_00, refund: 105_00})
	o := h.order("7001")
	a := h.viewer().get(orderAddress(o.ID)).is(http.StatusOK)
	want := []string{"Pending, 105.00 USD charged", "Paid", "20.00 USD refunded", "Nothing new",
		"Refunded, 85.00 USD refunded"}
	if got := a.texts(".timeline strong"); !slices.Equal(got, want) {
		t.Errorf("the deliveries are told as %q, want %q", got, want)
	}
	if got := a.one("a[target=_blank]").attr("href"); got != "https://shop.myshopify.com/admin/orders/7001" {
		t.Errorf("the store's admin is at %s", got)
	}
	a.says("Value 0.00 USD", "Commission 0.00 USD", "Refunded 105.00 USD")
	h.must(h.db.ErasePayloads(t.Context(), o.StoreID))
	h.viewer().get(orderAddress(o.ID)).says("Told us of the order").hides("Nothing new")
}

// TestOrder_firstScreen: on a phone the first screen shows status, value and commission.
func TestOrder_firstScreen(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleViewer)
	b.viewport(390, 844)
	b.open(orderAddress(h.order("1003").ID))
	for _, text := range []string{"Partly refunded", "181.22 USD", "18.12 USD"} {
		var seen bool
		b.eval(fmt.Sprintf(`[...document.querySelectorAll("#order .badge, #order dd")].some((e) => e.innerText.trim() === %q &&
			e.getBoundingClientRect().bottom < innerHeight && e.getBoundingClientRect().right <= innerWidth)`, text), &seen)
		if !seen {
			t.Errorf("%s is not on the first screen", text)
		}
	}
}

// TestOrder_live: an open page follows the store without a reload.
func TestOrder_live(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.open(orderAddress(h.order("1013").ID))
	b.connected()
	b.says("Paid", "12.00 USD")
	h.sell(sale{number: "1013", code: "ANNA10", value: 120_00, refund: 125_00})
	b.until("the refund on the open page", func() bool {
		return strings.Contains(b.text(), "Refunded") && strings.Contains(b.text(), "0.00 USD")
	})
	b.at(orderAddress(h.order("1013").ID))
}
